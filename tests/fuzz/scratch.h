/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of the target's own, for what can only be read from a file. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* The folder; made at the first call, deleted with what is in it when the program ends.
 * Returns: (transfer none). */
const char *scratch_folder(void);

/* Path of a file in it. Returns: (transfer full). */
char *scratch_path(const char *name);

/* Makes the file hold these bytes. Aborts if it cannot: nothing would be tried. */
void scratch_write(const char *path, const void *data, size_t size);
