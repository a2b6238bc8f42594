/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MBIM information buffers turned into records. Pure: bytes in, values out. The buffers are walked
 * as they came: libmbim 1.28 gives the first element of a list of structures with texts N times
 * (fixed in 1.30).
 *
 * Layouts: MBIM 1.0 (USB-IF), Microsoft's MBIM extensions 1.0 to 3.0. 0xFFFFFFFF is "unknown"
 * everywhere, 99 for RSSI; none of them ever becomes a value.
 */
#pragma once

#include "formats/records.h"
#include "logger/modem-driver.h"

typedef struct {
    const guint8 *data; /* borrowed: an information buffer */
    gsize length;
} MbimBuffer;

typedef struct {
    Rat rat; /* of the main part, never RAT_NR_NSA */
    ServiceState service;
    char state[20]; /* as registrations.state */
    char plmn[8];
    char network_name[64];
    char packet_state[16];
    gboolean registration_changed;
    Sample cell;               /* identity, and levels that are good for one sample */
    Sample leg;                /* nr_ columns */
    gint64 rx_bytes, tx_bytes; /* -1 = unknown */
    gboolean statistics_known;
} MbimState;

/* Each takes one answer or notification. FALSE: cut short or senseless. `version` is the MBIM
 * extension in force: 1, 2 or 3. */
gboolean mbim_take_register(MbimState *state, MbimBuffer buffer);
gboolean mbim_take_packet_service(MbimState *state, MbimBuffer buffer, int version);
gboolean mbim_take_connect(MbimState *state, MbimBuffer buffer);
gboolean mbim_take_statistics(MbimState *state, MbimBuffer buffer);
/* Also fills up to `room` neighbours; *n gets how many. */
gboolean mbim_take_base_stations(MbimState *state, MbimBuffer buffer, int version,
                                 Neighbour *neighbours, unsigned room, unsigned *n);

/* A sample from the signal state and what is known; FALSE: nothing can be said. */
gboolean mbim_make_sample(MbimState *state, MbimBuffer signal, int version, Sample *sample);

/* Device caps: fills model, firmware and IMEI, in place of what is there. */
gboolean mbim_read_caps(MbimBuffer buffer, ModemIdentity *identity);
/* *sim: 1 present, 0 absent, -1 not said. *iccid: (transfer full) (nullable). */
gboolean mbim_read_subscriber(MbimBuffer buffer, int version, int *sim, char **iccid);
