/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How well the system clock follows UTC, as the kernel was told by what disciplines it
 * (adjtimex(2): STA_UNSYNC and the maximum error). Cached for one second.
 */
#pragma once

#include "logger/stamp-packet.h"

/* Clocks whose error may be above this are not used for one-way delays. */
#define UTC_QUALITY_LIMIT_S 0.005

StampClock utc_quality(void);
/* The clock is good enough for one-way delays. */
bool utc_quality_good(StampClock clock);
