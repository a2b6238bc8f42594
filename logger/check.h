/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Tests what a logger with this configuration needs, one line each into `out`: "ok", "note" or
 * "FIX" and what to do, in plain words. FALSE if anything must be fixed. Takes up to some 10 s. */
gboolean check_all(const char *config_path, GString *out);
