/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an interface carried while a probe ran, in slots of 10 ms from the probe's start: the
 * capture adds to it, the probe's record is compared with it. Shared by both, counted references,
 * one thread.
 */
#pragma once

#include "logger/flow.h"

#define TRAFFIC_SLOT_NS G_GINT64_CONSTANT(10000000)
#define TRAFFIC_SLOTS   120000 /* 20 minutes; what comes later is not kept */

typedef struct {
    gint64 start_ns;   /* CLOCK_REALTIME, as the packets are stamped */
    gint64 end_ns;     /* what comes later is not added; G_MAXINT64 while the probe runs */
    gboolean complete; /* all packets up to end_ns were added */
    gboolean lacking;  /* packets were dropped unseen, or it was too long */
    GArray *slots;
} TrafficSeries;

typedef struct {
    double goodput[2]; /* payload bytes: [0] down, [1] up, as in flow.h */
    double bytes[2];   /* of IP */
    double acked[2];   /* TCP bytes that the end they went to acknowledged */
} TrafficSum;

/* Returns: (transfer full), a reference. */
TrafficSeries *traffic_series_new(gint64 start_ns);
TrafficSeries *traffic_series_ref(TrafficSeries *series);
/* NULL is allowed. */
void traffic_series_unref(TrafficSeries *series);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrafficSeries, traffic_series_unref)

/* One packet. */
void traffic_series_add(TrafficSeries *series, gint64 time_ns, gboolean up, const FlowShare *share);
/* Between two times; of a slot that is only partly in it, its part. */
TrafficSum traffic_series_sum(const TrafficSeries *series, gint64 from_ns, gint64 to_ns);
