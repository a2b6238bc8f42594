/* SPDX-License-Identifier: Apache-2.0 */
/* Lines as gpsd sends them, through libgps, into fixes: finite, in range, or not there. */
#include "logger/gps-convert.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_LINE = 4000 }; /* gpsd's own limit is GPS_JSON_RESPONSE_MAX */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree struct gps_data_t *gps = g_new0(struct gps_data_t, 1);
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 20);
    for (char **line = lines; *line != NULL; line++) {
        if (strlen(*line) > MAX_LINE || gps_unpack(*line, gps) < 0)
            continue;
        Fix fix = {0};
        gint64 utc_ns = 0;
        if (!gps_make_fix(gps, &fix, &utc_ns))
            continue;
        if (RECORD_HAS(&fix, FIX, lat))
            g_assert_true(fabs(fix.lat) <= 90.0);
        if (RECORD_HAS(&fix, FIX, lon))
            g_assert_true(fabs(fix.lon) <= 180.0);
        if (RECORD_HAS(&fix, FIX, speed_mps))
            g_assert_true(isfinite(fix.speed_mps));
        g_assert_cmpint(utc_ns, >=, 0);
    }
    return 0;
}
