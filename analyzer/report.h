/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Writes the report of a results file into a folder, which appears whole or not at all: an older
 * report of that name is replaced at the end; a folder that holds anything else is refused. */
gboolean report_write(const char *results, const char *dir, GError **error);
