/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The logger as a whole: its parts, in the order in which they start; they stop in the reverse.
 */
#pragma once

#include "logger/gps-link.h"
#include "logger/modem.h"
#include "logger/probe-schedule.h"

typedef struct {
    Config *config;
    Store *store;
    Identity *identity;
    LoggerClock *clock;
    Recorder *recorder;
    Gps *gps; /* NULL: not wanted */
    ModemFinder *finder;
    ModemHost modem_host;
    GPtrArray *modems;     /* Modem *, in the order of the configuration */
    ProbeSchedule *probes; /* NULL: none */
    gint64 started_ns;     /* mono */
} Box;

/* Runs until a signal says stop. Returns the exit status. */
int box_run(const char *config_path, GError **error);
