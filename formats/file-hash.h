/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* SHA-256 (FIPS 180-4) of a file's bytes, as 64 hex digits, and its length where `bytes` is not
 * NULL. Fails with G_FILE_ERROR.
 * Returns: (transfer full). */
char *file_hash(const char *path, guint64 *bytes, GError **error);
