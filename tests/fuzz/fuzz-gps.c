/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libgps may have decoded, turned into fixes: finite and in range, or not there. The fields of
 * libgps's struct are filled with the input as they come. Lines of text are not put through libgps
 * here: its parser (3.22) loops for ever on some, which is gpsd's business, see docs/security.md.
 */
#include "logger/gps-convert.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes up to n bytes of the input into a field; what is missing is 0. */
static void fill(void *field, size_t n, const uint8_t **data, size_t *size)
{
    size_t taken = MIN(n, *size);
    memset(field, 0, n);
    if (taken > 0)
        memcpy(field, *data, taken);
    *data += taken;
    *size -= taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree struct gps_data_t *gps = g_new0(struct gps_data_t, 1);
    double *const reals[] = {&gps->fix.latitude, &gps->fix.longitude, &gps->fix.altMSL,
                             &gps->fix.eph,      &gps->fix.epx,       &gps->fix.epy,
                             &gps->fix.speed,    &gps->fix.track,     &gps->dop.hdop};
    while (size > 0) {
        guint8 mode = 0;
        fill(&gps->set, sizeof gps->set, &data, &size);
        fill(&mode, sizeof mode, &data, &size);
        gps->fix.mode = (int)mode - 2;
        fill(&gps->fix.time, sizeof gps->fix.time, &data, &size);
        for (size_t i = 0; i < G_N_ELEMENTS(reals); i++)
            fill(reals[i], sizeof *reals[i], &data, &size);
        fill(&gps->satellites_used, sizeof gps->satellites_used, &data, &size);
        Fix fix = {0};
        gint64 utc_ns = 0;
        if (!gps_make_fix(gps, &fix, &utc_ns))
            continue;
        g_assert_cmpint(utc_ns, >=, 0);
        if (RECORD_HAS(&fix, FIX, lat))
            g_assert_true(fabs(fix.lat) <= 90.0);
        if (RECORD_HAS(&fix, FIX, lon))
            g_assert_true(fabs(fix.lon) <= 180.0);
        if (RECORD_HAS(&fix, FIX, speed_mps))
            g_assert_true(isfinite(fix.speed_mps));
        if (RECORD_HAS(&fix, FIX, altitude_m))
            g_assert_true(isfinite(fix.altitude_m));
    }
    return 0;
}
