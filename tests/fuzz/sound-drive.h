/* SPDX-License-Identifier: Apache-2.0 */
/* A sound drive with live and sealed records, and changes to it. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Path of the drive; made at the first call. Returns: (transfer none). */
const char *sound_drive(void);

/* Makes changes, or takes them back: offset (4 bytes, taken modulo the size), new byte; as often as
 * the data holds. Only the bytes that change are written. */
void sound_drive_change(const uint8_t *data, size_t size, gboolean back);
