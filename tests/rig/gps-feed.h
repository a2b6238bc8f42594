/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The made receiver: position with noise as the scenario says, sent to a gpsd by UDP or a pty, or
 * told by a made gpsd over TCP.
 */
#pragma once

#include "tests/rig/nmea.h"
#include "tests/rig/scenario.h"

typedef struct GpsFeed GpsFeed;

/* `scenario` is borrowed. Returns NULL with `error` set if the output cannot be opened. */
GpsFeed *gps_feed_new(const Scenario *scenario, GError **error);
void gps_feed_free(GpsFeed *feed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GpsFeed, gps_feed_free)

/* The epoch at scenario time t, GPS time utc_ns: made, and sent unless the receiver is silent. */
void gps_feed_send(GpsFeed *feed, double t, gint64 utc_ns);
/* What gps_feed_send() would say; FALSE if nothing. */
gboolean gps_feed_epoch(GpsFeed *feed, double t, gint64 utc_ns, GpsEpoch *epoch);
/* GPS time steps of the scenario up to t, and the offset of its clock. */
double gps_feed_offset_s(const Scenario *scenario, double t);
