/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/gps-convert.h"
#include "formats/radio.h"
#include "formats/time-map.h"

#include <math.h>

static gint64 time_of(const struct gps_data_t *data)
{
    if ((data->set & TIME_SET) == 0 || data->fix.time.tv_sec <= 0)
        return 0;
    gint64 ns = (gint64)data->fix.time.tv_sec * 1000000000 + data->fix.time.tv_nsec;
    return ns >= TIME_MAP_EARLIEST_NS ? ns : 0;
}

gboolean gps_make_fix(const struct gps_data_t *data, Fix *fix, gint64 *utc_ns)
{
    *utc_ns = 0;
    if ((data->set & MODE_SET) == 0)
        return FALSE;
    *fix = (Fix){.known = 0};
    *utc_ns = time_of(data);
    const struct gps_fix_t *from = &data->fix;
    int mode = CLAMP(from->mode, 0, 3);
    /* A damaged message can say "3D" without a position. */
    gboolean placed = mode >= MODE_2D && (data->set & LATLON_SET) != 0 &&
                      isfinite(from->latitude) && isfinite(from->longitude) &&
                      fabs(from->latitude) <= 90.0 && fabs(from->longitude) <= 180.0;
    if (mode >= MODE_2D && !placed)
        mode = MODE_NO_FIX;
    RECORD_SET(fix, FIX, mode, mode);
    if (!placed)
        return TRUE;
    RECORD_SET(fix, FIX, lat, from->latitude);
    RECORD_SET(fix, FIX, lon, from->longitude);
    if (mode == MODE_3D && isfinite(from->altMSL))
        RECORD_SET(fix, FIX, altitude_m, from->altMSL);
    if (isfinite(from->eph) && from->eph > 0)
        RECORD_SET(fix, FIX, accuracy_m, from->eph);
    else if (isfinite(from->epx) && isfinite(from->epy) && from->epx > 0 && from->epy > 0)
        RECORD_SET(fix, FIX, accuracy_m, hypot(from->epx, from->epy));
    if (isfinite(from->speed) && from->speed >= 0)
        RECORD_SET(fix, FIX, speed_mps, from->speed);
    if (isfinite(from->track) && from->track >= 0 && from->track <= 360)
        RECORD_SET(fix, FIX, heading_deg, from->track);
    if (isfinite(data->dop.hdop) && data->dop.hdop > 0 && data->dop.hdop < 100)
        RECORD_SET(fix, FIX, hdop, data->dop.hdop);
    if (data->satellites_used > 0)
        RECORD_SET(fix, FIX, satellites, data->satellites_used);
    RefusedCounts refused = {{0}};
    radio_check_fix(fix, &refused);
    return TRUE;
}
