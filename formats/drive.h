/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drive file: what readers and writers share. See docs/drive-file.md.
 */
#pragma once

#include <glib.h>

/* SQLite application_id of a drive: "CORR". */
#define DRIVE_APPLICATION_ID 0x434f5252
/* user_version written by this program; older ones are read, newer ones are refused. */
#define DRIVE_FORMAT_VERSION 3

#define DRIVE_ERROR drive_error_quark()
typedef enum {
    DRIVE_ERROR_FAILED,      /* SQLite or the system said no; the message says what */
    DRIVE_ERROR_EXISTS,      /* drive_create: the file is there already */
    DRIVE_ERROR_NOT_A_DRIVE, /* the file is something else */
    DRIVE_ERROR_TOO_NEW,     /* written by a newer version */
    DRIVE_ERROR_DAMAGED,     /* corrupt; `corridor recover` may help */
    DRIVE_ERROR_DUPLICATE,   /* the same file was imported before */
    DRIVE_ERROR_FULL,        /* no space left: nothing was lost that had been committed */
    DRIVE_ERROR_BUSY,        /* another process writes this drive */
} DriveError;
GQuark drive_error_quark(void);
