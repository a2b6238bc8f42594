/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match.h"

#include "analyzer/crs.h"
#include "analyzer/track-build.h"

#include <math.h>

/* The network is loaded within this of the fixes, and of the straight lines through gaps. */
static const double reach_m = 1000.0;
static const double spacing_m = 400.0;
/* Farther apart than this, it was another journey. */
static const double bridge_m = 60000.0;

static double known_or_nan(const Batch *batch, size_t i, unsigned column)
{
    return (batch->known[i] >> column & 1U) != 0 ? batch->column[column].r[i] : NAN;
}

static MatchFix fix_of_row(const Batch *batch, size_t i)
{
    MatchFix fix = {
        .time_ns = batch->column[FIX_COL_time_ns].i[i],
        .lat = known_or_nan(batch, i, FIX_COL_lat),
        .lon = known_or_nan(batch, i, FIX_COL_lon),
        .accuracy_m = known_or_nan(batch, i, FIX_COL_accuracy_m),
        .speed_mps = known_or_nan(batch, i, FIX_COL_speed_mps),
        .heading_deg = known_or_nan(batch, i, FIX_COL_heading_deg),
    };
    gboolean no_fix =
        (batch->known[i] >> FIX_COL_mode & 1U) != 0 && batch->column[FIX_COL_mode].i[i] == 1;
    if (no_fix)
        fix.lat = fix.lon = NAN;
    return fix;
}

gboolean match_receiver(const Network *network, Drive *drive, gint64 receiver,
                        const MatchOptions *options, Track **track, MatchFixFunc func,
                        void *user_data, GError **error)
{
    const uint64_t columns = RECORD_BIT(FIX, lat) | RECORD_BIT(FIX, lon) |
                             RECORD_BIT(FIX, accuracy_m) | RECORD_BIT(FIX, speed_mps) |
                             RECORD_BIT(FIX, heading_deg) | RECORD_BIT(FIX, mode);
    g_autoptr(Track) made = track != NULL ? track_new(network, FALSE) : NULL;
    g_autoptr(Matcher) matcher = matcher_new(network, options, made, func, user_data, error);
    if (matcher == NULL)
        return FALSE;
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_FIX, columns, receiver, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    GError *failure = NULL;
    const Batch *batch = NULL;
    while ((batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            MatchFix fix = fix_of_row(batch, i);
            matcher_feed(matcher, &fix, 1);
        }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (!matcher_finish(matcher, error))
        return FALSE;
    if (track != NULL)
        *track = g_steal_pointer(&made);
    return TRUE;
}

GArray *match_receivers(Drive *drive, GError **error)
{
    g_autoptr(GArray) receivers = g_array_new(FALSE, FALSE, sizeof(gint64));
    guint n = 0;
    const Source *sources = drive_sources(drive, &n);
    for (guint s = 0; s < n; s++) {
        gint64 count = 0;
        gint64 first = 0;
        gint64 last = 0;
        if (!drive_count(drive, RECORD_FIX, sources[s].id, &count, &first, &last, error))
            return NULL;
        if (count > 0)
            g_array_append_val(receivers, sources[s].id);
    }
    return g_steal_pointer(&receivers);
}

/* ---- the network around drives ---- */

static void add_place(GArray *places, GeoPoint at)
{
    if (places->len > 0) {
        GeoPoint last = g_array_index(places, GeoPoint, places->len - 1);
        double metres = crs_distance_m(last, at);
        if (metres < spacing_m)
            return;
        guint steps = metres < bridge_m ? (guint)(metres / spacing_m) : 0;
        for (guint k = 1; k < steps; k++) {
            double share = (double)k / steps;
            GeoPoint between = {last.lon + share * (at.lon - last.lon),
                                last.lat + share * (at.lat - last.lat)};
            g_array_append_val(places, between);
        }
    }
    g_array_append_val(places, at);
}

static gboolean add_drive_places(GArray *places, const char *path, GError **error)
{
    g_autoptr(Drive) drive = drive_open(path, error);
    if (drive == NULL)
        return FALSE;
    const uint64_t columns = RECORD_BIT(FIX, lat) | RECORD_BIT(FIX, lon);
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_FIX, columns, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    GError *failure = NULL;
    const Batch *batch = NULL;
    while ((batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            GeoPoint at = {known_or_nan(batch, i, FIX_COL_lon),
                           known_or_nan(batch, i, FIX_COL_lat)};
            if (fabs(at.lon) <= 180.0 && fabs(at.lat) <= 90.0)
                add_place(places, at);
        }
    if (failure == NULL)
        return TRUE;
    g_propagate_error(error, failure);
    return FALSE;
}

Network *match_load_network(const char *network_path, char **drive_paths, size_t n, GError **error)
{
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    for (size_t i = 0; i < n; i++)
        if (!add_drive_places(places, drive_paths[i], error))
            return NULL;
    if (places->len == 0)
        return network_load(network_path, NULL, error);
    return network_load_around(network_path, (const GeoPoint *)(void *)places->data, places->len,
                               reach_m, error);
}
