/* SPDX-License-Identifier: Apache-2.0 */
/* Drives made once, and changes to them: offset (4 bytes, taken modulo the size), new byte; as
 * often as the data holds. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Path of a drive with live and sealed records; made at the first call. Returns: (transfer none).
 */
const char *sound_drive(void);

/* Makes changes to it, or takes them back. Only the bytes that change are written. */
void sound_drive_change(const uint8_t *data, size_t size, gboolean back);

/* A drive as recording leaves it, of rows alone, written anew with the changes made.
 * Returns: (transfer none) its path. */
const char *recorded_drive_changed(const uint8_t *data, size_t size);
