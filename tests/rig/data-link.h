/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a modem's data link does at this moment, so that an emulator of links can do the same:
 * from the scenario's [link] groups, and with follow=radio from what the modem hears.
 */
#pragma once

#include "tests/rig/world.h"

typedef struct {
    double delay_ms, jitter_ms; /* each way; jitter uniform on top */
    double loss;                /* 0..1 */
    double burst;               /* packets lost in a row, mean (Gilbert); 1 = independent */
    double up_kbps, down_kbps;  /* of IP */
    double queue_ms;            /* longest wait for the rate, beyond it packets are dropped */
    gboolean outage;            /* nothing passes */
} DataLink;

/* Of modem number `modem` of the scenario, as the world stands. FALSE if the scenario says nothing
 * about its link. */
gboolean data_link_now(const Scenario *scenario, const World *world, guint modem, DataLink *link);

/* The row of a table of effects at this value: interpolated, at its ends the end's. A value that is
 * no number is the worst. `rows` > 0, ascending. */
RadioEffect data_link_effect(const RadioEffect *table, gsize rows, double value);

/* bit/s of one carrier: the attenuated and truncated Shannon bound of 3GPP TR 36.942, A.2. */
double data_link_rate_bps(double sinr_db, double bandwidth_hz, gboolean up);
