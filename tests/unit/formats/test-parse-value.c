/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/parse-value.h"

#include <stdio.h>
#include <string.h>

static TextField field_of(const char *text)
{
    return (TextField){text, (uint32_t)strlen(text), FALSE};
}

static void test_reals(void)
{
    static const struct {
        const char *text;
        gboolean comma, fits;
        double value;
    } rows[] = {
        {"-97", FALSE, TRUE, -97},        {" -97.5\t", FALSE, TRUE, -97.5},
        {"+3.25", FALSE, TRUE, 3.25},     {".5", FALSE, TRUE, 0.5},
        {"5.", FALSE, TRUE, 5},           {"1e3", FALSE, TRUE, 1000},
        {"-1.5E-2", FALSE, TRUE, -0.015}, {"207.00001525878906", FALSE, TRUE, 207.00001525878906},
        {"3,5", TRUE, TRUE, 3.5},         {"3,5", FALSE, FALSE, 0},
        {"1.234,5", TRUE, FALSE, 0},      {"", FALSE, FALSE, 0},
        {"-", FALSE, FALSE, 0},           {".", FALSE, FALSE, 0},
        {"nan", FALSE, FALSE, 0},         {"inf", FALSE, FALSE, 0},
        {"1e999", FALSE, FALSE, 0},       {"0x10", FALSE, FALSE, 0},
        {"12 dBm", FALSE, FALSE, 0},      {"--5", FALSE, FALSE, 0},
        {"1.2.3", FALSE, FALSE, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        TextField field = field_of(rows[i].text);
        double value = 0;
        g_test_message("\"%s\"", rows[i].text);
        gboolean fits = value_parse_real(&field, rows[i].comma, &value);
        g_assert_cmpint(fits, ==, rows[i].fits);
        if (fits)
            g_assert_cmpfloat(value, ==, rows[i].value);
    }
}

/* The fast way must round as strtod does, to the last bit. */
static void test_reals_exact(void)
{
    for (int i = 0; i < 200000; i++) {
        char text[40];
        int decimals = g_test_rand_int_range(0, 14);
        double x = g_test_rand_double_range(-1000, 1000);
        char format[8];
        (void)snprintf(format, sizeof format, "%%.%df", decimals);
        (void)g_ascii_formatd(text, sizeof text, format, x);
        TextField field = field_of(text);
        double value = 0;
        g_assert_true(value_parse_real(&field, FALSE, &value));
        double slow = g_ascii_strtod(text, NULL);
        if (memcmp(&value, &slow, sizeof value) != 0)
            g_error("%s is read as %.17g, not %.17g", text, value, slow);
    }
}

static void test_ints(void)
{
    static const struct {
        const char *text;
        int base;
        gboolean fits;
        int64_t value;
    } rows[] = {
        {"284.0", 10, TRUE, 284},
        {"-1", 10, TRUE, -1},
        {" 68719476735 ", 10, TRUE, INT64_C(68719476735)},
        {"999999999999999999", 10, TRUE, INT64_C(999999999999999999)},
        {"9223372036854775808", 10, FALSE, 0},
        {"284.5", 10, FALSE, 0},
        {"9CBA", 16, TRUE, 40122},
        {"xyz", 16, FALSE, 0},
        {"ffffffffffffffffff", 16, FALSE, 0},
        {"", 10, FALSE, 0},
        {"-", 10, FALSE, 0},
        {"12a", 10, FALSE, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        TextField field = field_of(rows[i].text);
        int64_t value = 0;
        g_test_message("\"%s\"", rows[i].text);
        gboolean fits = value_parse_int(&field, rows[i].base, &value);
        g_assert_cmpint(fits, ==, rows[i].fits);
        if (fits)
            g_assert_cmpint(value, ==, rows[i].value);
    }
}

static void test_absent(void)
{
    static const char *const absent[] = {"", " ", "-", "--", "null", "NULL", "NaN", "n/a", "None"};
    static const char *const present[] = {"0", "-1", "nul", "x", "---", "-5", "nothing"};
    for (unsigned i = 0; i < G_N_ELEMENTS(absent); i++) {
        TextField field = field_of(absent[i]);
        g_assert_true(value_is_absent(&field));
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(present); i++) {
        TextField field = field_of(present[i]);
        g_assert_false(value_is_absent(&field));
    }
}

/* ---- times ---- */

static char *read_time(TimeFormat format, const char *zone_name, const char *text)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(zone_name);
    g_autoptr(TimeParser) parser = time_parser_new(format, zone);
    int64_t ns = 0;
    if (!time_parser_parse(parser, text, &ns))
        return g_strdup("refused");
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ns / 1000000000);
    g_autofree char *seconds = g_date_time_format(time, "%FT%T");
    return g_strdup_printf("%s.%03d%s", seconds, (int)(ns / 1000000 % 1000),
                           time_parser_used_zone(parser) ? " zone" : "");
}

static void test_times(void)
{
    static const struct {
        TimeFormat format;
        const char *text, *want;
    } rows[] = {
        {TIME_AUTO, "2026-05-04T06:00:00.123Z", "2026-05-04T06:00:00.123"},
        {TIME_AUTO, "2026-05-04 06:00:00", "2026-05-04T04:00:00.000 zone"},
        {TIME_AUTO, "2026-05-04 06:00", "2026-05-04T04:00:00.000 zone"},
        {TIME_AUTO, "2026-05-04T06:00:00,5+05:30", "2026-05-04T00:30:00.500"},
        {TIME_AUTO, "2026-05-04T06:00:00-0800", "2026-05-04T14:00:00.000"},
        {TIME_AUTO, "2026/5/4 6:00:00 UTC", "2026-05-04T06:00:00.000"},
        {TIME_AUTO, "2025.07.18_22.11.08", "2025-07-18T20:11:08.000 zone"},
        {TIME_AUTO, "26.05.25 14:47:05", "2025-05-26T12:47:05.000 zone"},
        {TIME_AUTO, "26.05.2025, 14:47:05", "2025-05-26T12:47:05.000 zone"},
        {TIME_AUTO, "26.01.25 14:47:05", "2025-01-26T13:47:05.000 zone"},
        {TIME_AUTO, "jeudi 15 mai 2025 10:26", "2025-05-15T08:26:00.000 zone"},
        {TIME_AUTO, "vendredi 15 ao\xc3\xbbt 2025 10:26", "2025-08-15T08:26:00.000 zone"},
        {TIME_AUTO, "mar. 4 f\xc3\xa9vr. 2025 10:26:51", "2025-02-04T09:26:51.000 zone"},
        {TIME_AUTO, "15 May 2025 10:26:51", "2025-05-15T08:26:51.000 zone"},
        {TIME_AUTO, "15 Dec 2025 10:26", "2025-12-15T09:26:00.000 zone"},
        {TIME_AUTO, "15. M\xc3\xa4rz 2025 10:26", "2025-03-15T09:26:00.000 zone"},
        {TIME_AUTO, "Thu May 15 10:26:51 GMT+02:00 2025", "2025-05-15T08:26:51.000"},
        {TIME_AUTO, "Thu May 15 10:26:51 2025", "2025-05-15T08:26:51.000 zone"},
        {TIME_AUTO, "1778220000", "2026-05-08T06:00:00.000"},
        {TIME_AUTO, "1778220000500", "2026-05-08T06:00:00.500"},
        {TIME_AUTO, "1778220000500000", "2026-05-08T06:00:00.500"},
        {TIME_AUTO, "1778220000500000000", "2026-05-08T06:00:00.500"},
        {TIME_AUTO, "1778220000.5", "2026-05-08T06:00:00.500"},
        {TIME_AUTO, "2024-02-29 12:00:00Z", "2024-02-29T12:00:00.000"},
        {TIME_AUTO, "2026-13-04T06:00:00Z", "refused"},
        {TIME_AUTO, "2026-04-31T06:00:00Z", "refused"},
        {TIME_AUTO, "2025-02-29T06:00:00Z", "refused"},
        {TIME_AUTO, "2026-05-04T24:00:00Z", "refused"},
        {TIME_AUTO, "2026-05-04", "refused"},
        {TIME_AUTO, "26.05.125 14:47:05", "refused"},
        {TIME_AUTO, "jeudi 15 brumaire 2025 10:26", "refused"},
        {TIME_AUTO, "12", "refused"},
        {TIME_AUTO, "", "refused"},
        {TIME_AUTO, "-", "refused"},
        {TIME_DOTTED, "2026-05-04T06:00:00Z", "refused"},
        {TIME_ISO, "2026-05-04T06:00:00Z+1", "refused"},
        {TIME_ISO, "2026-05-04T06:00:00+99:00", "refused"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = read_time(rows[i].format, "Europe/Berlin", rows[i].text);
        g_test_message("\"%s\"", rows[i].text);
        g_assert_cmpstr(got, ==, rows[i].want);
    }
}

/* Every hour of three years in zones with and without summer time, against GLib's own way. */
static void test_zones(void)
{
    static const char *const names[] = {"Europe/Berlin",       "Europe/Stockholm", "Asia/Kathmandu",
                                        "Australia/Lord_Howe", "America/St_Johns", "UTC"};
    for (unsigned z = 0; z < G_N_ELEMENTS(names); z++) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(names[z]);
        g_autoptr(TimeParser) parser = time_parser_new(TIME_ISO, zone);
        gint64 start = G_GINT64_CONSTANT(1735689600); /* 2025-01-01 UTC */
        for (gint64 t = start; t < start + 3 * 366 * 86400; t += 3600 + 7) {
            g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(t);
            g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, zone);
            g_autofree char *text = g_date_time_format(local, "%F %T");
            int64_t ns = 0;
            g_assert_true(time_parser_parse(parser, text, &ns));
            if (ns != t * 1000000000) {
                /* Only the hour that exists twice may be taken for the other one. */
                gint64 off = ns / 1000000000 - t;
                g_autoptr(GDateTime) taken = g_date_time_new_from_unix_utc(ns / 1000000000);
                g_autoptr(GDateTime) back = g_date_time_to_timezone(taken, zone);
                g_autofree char *same = g_date_time_format(back, "%F %T");
                g_assert_cmpstr(same, ==, text);
                g_assert_cmpint(ABS(off), <=, 3600);
            }
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parse-value/reals", test_reals);
    g_test_add_func("/parse-value/reals-exact", test_reals_exact);
    g_test_add_func("/parse-value/ints", test_ints);
    g_test_add_func("/parse-value/absent", test_absent);
    g_test_add_func("/parse-value/times", test_times);
    g_test_add_func("/parse-value/zones", test_zones);
    return g_test_run();
}
