/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is damaged in a drive that still opens.
 */
#pragma once

#include "formats/drive-read.h"

/* One line for each thing that is damaged (element-type utf8): what SQLite's check of the file's
 * structure finds, chunks that do not decode, rows that should be there and are not. Reads all of
 * the drive.
 * Returns: (transfer full); empty if the drive is sound. */
GPtrArray *drive_find_damage(Drive *drive);
