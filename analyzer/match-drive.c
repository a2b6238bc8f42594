/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match.h"

#include <math.h>

static double known_or_nan(const Batch *batch, size_t i, unsigned column)
{
    return (batch->known[i] >> column & 1U) != 0 ? batch->column[column].r[i] : NAN;
}

GArray *match_read_fixes(Drive *drive, gint64 source, GError **error)
{
    const uint64_t columns = RECORD_BIT(FIX, lat) | RECORD_BIT(FIX, lon) |
                             RECORD_BIT(FIX, accuracy_m) | RECORD_BIT(FIX, speed_mps) |
                             RECORD_BIT(FIX, heading_deg) | RECORD_BIT(FIX, mode);
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_FIX, columns, source, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return NULL;
    g_autoptr(GArray) fixes = g_array_new(FALSE, FALSE, sizeof(MatchFix));
    GError *failure = NULL;
    const Batch *batch = NULL;
    while ((batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            MatchFix fix = {
                .time_ns = batch->column[FIX_COL_time_ns].i[i],
                .lat = known_or_nan(batch, i, FIX_COL_lat),
                .lon = known_or_nan(batch, i, FIX_COL_lon),
                .accuracy_m = known_or_nan(batch, i, FIX_COL_accuracy_m),
                .speed_mps = known_or_nan(batch, i, FIX_COL_speed_mps),
                .heading_deg = known_or_nan(batch, i, FIX_COL_heading_deg),
            };
            gboolean no_fix = (batch->known[i] >> FIX_COL_mode & 1U) != 0 &&
                              batch->column[FIX_COL_mode].i[i] == 1;
            if (no_fix)
                fix.lat = fix.lon = NAN;
            g_array_append_val(fixes, fix);
        }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return NULL;
    }
    return g_steal_pointer(&fixes);
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
