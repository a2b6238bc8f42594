/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a made modem answers to MBIM queries: one function a command. Layouts: MBIM 1.0 and
 * Microsoft's extensions 2 and 3; level codes as in the table of each function.
 */
#pragma once

#include "tests/rig/mbim-wire.h"
#include "tests/rig/modem.h"

typedef enum {
    MBIM_BASIC,
    MBIM_EXTENSIONS,
    MBIM_QMI,
    MBIM_PROXY,
    MBIM_SERVICE_COUNT
} MbimServiceId;

extern const guint8 mbim_uuids[MBIM_SERVICE_COUNT][16];

/* Fills the structure; `version` is the MBIM extension in force (1, 2 or 3). Returns an MBIM
 * status, 0 for success. */
typedef guint32 (*MbimAnswer)(const RigModem *modem, int version, MbimStruct *s);

typedef struct {
    MbimServiceId service;
    guint32 cid;
    MbimAnswer answer;
} MbimAnswerRow;

extern const MbimAnswerRow mbim_answers[]; /* ends with a row without function */

/* NULL if the modem does not know the command. */
MbimAnswer mbim_find_answer(MbimServiceId service, guint32 cid);
