/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/nmea.h"

#include <math.h>
#include <string.h>

#define KNOTS_A_MPS (3600.0 / 1852.0)
#define GEOID_M     25.0
#define SATELLITES  10
#define NS_A_SECOND G_GINT64_CONSTANT(1000000000)
#define JSON_DEVICE "\"device\":\"/dev/rig0\""

/* Printf in the C locale: the program's numeric locale is C. */
static void append_body(GString *out, const char *format, ...) G_GNUC_PRINTF(2, 3);

void nmea_append(GString *out, const char *body)
{
    guint8 sum = 0;
    for (const char *c = body; *c != '\0'; c++)
        sum ^= (guint8)*c;
    g_string_append_printf(out, "$%s*%02X\r\n", body, sum);
}

static void append_body(GString *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *body = g_strdup_vprintf(format, args);
    va_end(args);
    nmea_append(out, body);
}

/* "DDMM.MMMMMM,N". */
static char *angle(double degrees, int digits, char positive, char negative)
{
    double size = fabs(degrees), whole = floor(size), minutes = (size - whole) * 60;
    if (minutes >= 59.9999995) {
        whole += 1;
        minutes = 0;
    }
    return g_strdup_printf("%0*.0f%09.6f,%c", digits, whole, minutes,
                           degrees < 0 ? negative : positive);
}

static void append_satellites(GString *out, const GpsEpoch *e)
{
    GString *gsa = g_string_new(NULL);
    g_string_append_printf(gsa, "GPGSA,A,%d", e->mode);
    for (int i = 0; i < 12; i++) {
        if (i < e->satellites)
            g_string_append_printf(gsa, ",%02d", i + 1);
        else
            g_string_append_c(gsa, ',');
    }
    g_string_append_printf(gsa, ",%.1f,%.1f,%.1f", e->hdop * 1.5, e->hdop, e->hdop * 1.1);
    nmea_append(out, gsa->str);
    g_string_free(gsa, TRUE);
    int parts = (SATELLITES + 3) / 4;
    for (int part = 0; part < parts; part++) {
        GString *gsv = g_string_new(NULL);
        g_string_append_printf(gsv, "GPGSV,%d,%d,%02d", parts, part + 1, SATELLITES);
        for (int i = part * 4; i < MIN(SATELLITES, part * 4 + 4); i++) {
            g_string_append_printf(gsv, ",%02d,%02d,%03d,", i + 1, 10 + 8 * i, 36 * i);
            if (i < e->satellites)
                g_string_append_printf(gsv, "%02d", 30 + i);
        }
        nmea_append(out, gsv->str);
        g_string_free(gsv, TRUE);
    }
}

void nmea_epoch(GString *out, const GpsEpoch *e)
{
    /* Sentences carry hundredths of a second. */
    gint64 centi = (e->utc_ns + NS_A_SECOND / 200) / (NS_A_SECOND / 100);
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(centi / 100);
    g_autofree char *clock = g_date_time_format(utc, "%H%M%S");
    g_autofree char *time = g_strdup_printf("%s.%02d", clock, (int)(centi % 100));
    g_autofree char *date = g_date_time_format(utc, "%d%m%y");
    if (e->mode < 2) {
        append_body(out, "GPRMC,%s,V,,,,,,,%s,,,N", time, date);
        append_body(out, "GPGGA,%s,,,,,0,00,99.99,,,,,,", time);
        nmea_append(out, "GPGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99");
        return;
    }
    g_autofree char *lat = angle(e->lat, 2, 'N', 'S');
    g_autofree char *lon = angle(e->lon, 3, 'E', 'W');
    append_body(out, "GPRMC,%s,A,%s,%s,%.3f,%.2f,%s,,,A", time, lat, lon,
                e->speed_mps * KNOTS_A_MPS, e->heading_deg, date);
    append_body(out, "GPGGA,%s,%s,%s,1,%02d,%.1f,%.1f,M,%.1f,M,,", time, lat, lon, e->satellites,
                e->hdop, e->altitude_m, GEOID_M);
    append_satellites(out, e);
    append_body(out, "GPGST,%s,%.1f,%.1f,%.1f,0.0,%.1f,%.1f,%.1f", time, e->sigma_m, e->sigma_m,
                e->sigma_m, e->sigma_m, e->sigma_m, 2 * e->sigma_m);
    append_body(out, "GPVTG,%.2f,T,,M,%.3f,N,%.3f,K,A", e->heading_deg, e->speed_mps * KNOTS_A_MPS,
                e->speed_mps * 3.6);
}

void gpsd_json_epoch(GString *out, const GpsEpoch *e, gboolean pps)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(e->utc_ns / NS_A_SECOND);
    g_autofree char *seconds = g_date_time_format(utc, "%Y-%m-%dT%H:%M:%S");
    gint64 ms = e->utc_ns % NS_A_SECOND / 1000000;
    g_string_append_printf(
        out, "{\"class\":\"TPV\"," JSON_DEVICE ",\"mode\":%d,\"time\":\"%s.%03dZ\",\"ept\":0.005",
        e->mode, seconds, (int)ms);
    if (e->mode >= 2)
        g_string_append_printf(out,
                               ",\"lat\":%.9f,\"lon\":%.9f,\"altHAE\":%.3f,\"altMSL\":%.3f,"
                               "\"epx\":%.3f,\"epy\":%.3f,\"track\":%.4f,\"speed\":%.3f",
                               e->lat, e->lon, e->altitude_m + GEOID_M, e->altitude_m, e->sigma_m,
                               e->sigma_m, e->heading_deg, e->speed_mps);
    g_string_append(out, "}\r\n");
    g_string_append_printf(out, "{\"class\":\"SKY\"," JSON_DEVICE ",\"hdop\":%.2f,\"satellites\":[",
                           e->hdop);
    for (int i = 0; i < SATELLITES; i++)
        g_string_append_printf(
            out, "%s{\"PRN\":%d,\"el\":%d.0,\"az\":%d.0,\"ss\":%d.0,\"used\":%s}", i > 0 ? "," : "",
            i + 1, 10 + 8 * i, 36 * i, 30 + i, i < e->satellites ? "true" : "false");
    g_string_append(out, "]}\r\n");
    if (!pps || e->mode < 2)
        return;
    /* The pulse marks the full second before this epoch. */
    double real = (double)(e->utc_ns / NS_A_SECOND);
    double clock = real + e->clock_ahead_s;
    const char *classes[] = {"TOFF", "PPS"};
    for (gsize i = 0; i < G_N_ELEMENTS(classes); i++)
        g_string_append_printf(out,
                               "{\"class\":\"%s\"," JSON_DEVICE
                               ",\"real_sec\":%.0f,\"real_nsec\":0,\"clock_sec\":%.0f,"
                               "\"clock_nsec\":%.0f%s}\r\n",
                               classes[i], real, floor(clock), (clock - floor(clock)) * 1e9,
                               i == 1 ? ",\"precision\":-20" : "");
}
