/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of one modem's interface, by libpcap: headers only, both ways, given to a Flow, whose
 * bins become passive rows of throughputs. Needs CAP_NET_RAW.
 */
#pragma once

#include "logger/pcapng.h"
#include "logger/probe.h"
#include "logger/traffic-series.h"

typedef struct Capture Capture;

/* Begins at once in `context`. `host` and `modem` as for probes. `debug` (transfer full) gets the
 * headers too; NULL = not.
 * Returns: (transfer full). */
Capture *capture_new(const ProbeHost *host, const ProbeModem *modem, GMainContext *context,
                     Pcapng *debug, GError **error);
/* Whether it has ended by itself, as the interface was taken down; another may be begun. */
gboolean capture_is_over(const Capture *capture);
/* Hands out the rest. NULL is allowed. */
void capture_free(Capture *capture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Capture, capture_free)

/* Adds what it sees to the series too (which it keeps a reference to), until the series' end_ns is
 * past; then marks it complete. capture_free() completes all. */
void capture_add_series(Capture *capture, TrafficSeries *series);

/* Packets the kernel dropped because we were late. */
guint64 capture_dropped(const Capture *capture);
