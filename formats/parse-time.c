/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/parse-value.h"

#include <stdio.h>
#include <string.h>

struct TimeParser {
    TimeFormat format;
    GTimeZone *zone;
    int64_t cached_from_s, cached_to_s; /* local seconds for which cached_offset_s holds */
    int64_t cached_offset_s;
    int64_t last_ns;
    gboolean has_last, used_zone, had_seconds, second_hour;
    TimeFormat found; /* TIME_AUTO: the format that fitted last */
};

typedef struct {
    int year, month, day, hour, minute, second;
    int64_t nanosecond;
    gboolean has_offset, has_seconds;
    int64_t offset_s;
} Civil;

TimeParser *time_parser_new(TimeFormat format, GTimeZone *zone)
{
    TimeParser *parser = g_new0(TimeParser, 1);
    parser->format = format;
    parser->zone = g_time_zone_ref(zone);
    return parser;
}

void time_parser_free(TimeParser *parser)
{
    if (parser == NULL)
        return;
    g_time_zone_unref(parser->zone);
    g_free(parser);
}

gboolean time_parser_used_zone(const TimeParser *parser)
{
    return parser->used_zone;
}

gboolean time_parser_had_seconds(const TimeParser *parser)
{
    return parser->had_seconds;
}

/* ---- the text ---- */

static gboolean digits(const char **at, int min, int max, int *value)
{
    int n = 0;
    *value = 0;
    while (n < max && g_ascii_isdigit(**at)) {
        *value = *value * 10 + (*(*at)++ - '0');
        n++;
    }
    return n >= min;
}

static gboolean skip(const char **at, const char *any_of)
{
    if (**at == '\0' || strchr(any_of, **at) == NULL)
        return FALSE;
    (*at)++;
    return TRUE;
}

static void blanks(const char **at)
{
    while (**at == ' ' || **at == '\t')
        (*at)++;
}

/* .123456789, as far as it goes */
static void fraction(const char **at, Civil *civil)
{
    if ((**at != '.' && **at != ',') || !g_ascii_isdigit((*at)[1]))
        return;
    (*at)++;
    int64_t unit = 100000000;
    for (; g_ascii_isdigit(**at); (*at)++, unit /= 10)
        civil->nanosecond += unit * (**at - '0');
}

static gboolean clock_time(const char **at, const char *separators, gboolean seconds, Civil *civil)
{
    if (!digits(at, 1, 2, &civil->hour) || !skip(at, separators) ||
        !digits(at, 2, 2, &civil->minute))
        return FALSE;
    if (!skip(at, separators))
        return !seconds;
    if (!digits(at, 2, 2, &civil->second))
        return FALSE;
    civil->has_seconds = TRUE;
    fraction(at, civil);
    return TRUE;
}

/* Z, +02:00, +0200, +02 */
static gboolean offset(const char **at, Civil *civil)
{
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        civil->has_offset = TRUE;
        return TRUE;
    }
    int sign = **at == '-' ? -1 : 1;
    if (!skip(at, "+-"))
        return TRUE;
    int hours = 0;
    int minutes = 0;
    if (!digits(at, 2, 2, &hours))
        return FALSE;
    (void)skip(at, ":");
    if (g_ascii_isdigit(**at) && !digits(at, 2, 2, &minutes))
        return FALSE;
    civil->has_offset = TRUE;
    civil->offset_s = sign * (hours * 3600 + minutes * 60);
    return hours <= 15 && minutes < 60;
}

static gboolean read_iso(const char *at, Civil *civil)
{
    if (!digits(&at, 4, 4, &civil->year) || !skip(&at, "-/") || !digits(&at, 1, 2, &civil->month) ||
        !skip(&at, "-/") || !digits(&at, 1, 2, &civil->day) || !skip(&at, "T t"))
        return FALSE;
    blanks(&at);
    if (!clock_time(&at, ":", FALSE, civil))
        return FALSE;
    blanks(&at);
    if (g_str_has_prefix(at, "UTC")) {
        at += 3;
        civil->has_offset = TRUE;
    }
    return offset(&at, civil) && *at == '\0';
}

static gboolean read_dotted(const char *at, Civil *civil)
{
    return digits(&at, 4, 4, &civil->year) && skip(&at, ".") && digits(&at, 2, 2, &civil->month) &&
           skip(&at, ".") && digits(&at, 2, 2, &civil->day) && skip(&at, "_") &&
           clock_time(&at, ".", TRUE, civil) && *at == '\0';
}

static gboolean read_german(const char *at, Civil *civil)
{
    if (!digits(&at, 1, 2, &civil->day) || !skip(&at, ".") || !digits(&at, 1, 2, &civil->month) ||
        !skip(&at, ".") || !digits(&at, 2, 4, &civil->year))
        return FALSE;
    if (civil->year < 100)
        civil->year += 2000;
    (void)skip(&at, ",");
    blanks(&at);
    return clock_time(&at, ":", FALSE, civil) && *at == '\0';
}

static int month_number(const char *word, size_t length)
{
    static const char *const names[][4] = {
        {"january", "janvier", "januari", "januar"},
        {"february", "f\xc3\xa9vrier", "februari", "februar"},
        {"march", "mars", "m\xc3\xa4rz", "marts"},
        {"april", "avril", "april", "april"},
        {"may", "mai", "maj", "mai"},
        {"june", "juin", "juni", "juni"},
        {"july", "juillet", "juli", "juli"},
        {"august", "ao\xc3\xbbt", "augusti", "august"},
        {"september", "septembre", "september", "september"},
        {"october", "octobre", "oktober", "oktober"},
        {"november", "novembre", "november", "november"},
        {"december",
         ("d\xc3\xa9"
          "cembre"),
         "december", "dezember"},
    };
    g_autofree char *text = g_strndup(word, length);
    g_autofree char *lower = g_utf8_strdown(text, -1);
    size_t n = strlen(lower);
    static const char *const french[] = {"janv",
                                         "f\xc3\xa9vr",
                                         "mars",
                                         "avr",
                                         "mai",
                                         "juin",
                                         "juil",
                                         "ao\xc3\xbbt",
                                         "sept",
                                         "oct",
                                         "nov",
                                         ("d\xc3\xa9"
                                          "c")};
    for (int m = 0; m < 12; m++)
        if (strcmp(lower, french[m]) == 0)
            return m + 1;
    for (int m = 0; m < 12; m++)
        for (int l = 0; l < 4; l++)
            if (strcmp(lower, names[m][l]) == 0 ||
                (l == 0 && n == 3 && strncmp(lower, names[m][0], 3) == 0))
                return m + 1;
    return 0;
}

/* A word of letters (UTF-8); returns its length. */
static size_t letters(const char *at)
{
    size_t n = 0;
    while (g_ascii_isalpha(at[n]) || (guchar)at[n] >= 0x80)
        n++;
    return n;
}

/* [jeudi] 15 mai 2025 10:26[:51] */
static gboolean read_words(const char *at, Civil *civil)
{
    if (!g_utf8_validate(at, -1, NULL))
        return FALSE;
    size_t day_name = letters(at);
    at += day_name;
    (void)skip(&at, ",.");
    blanks(&at);
    if (!digits(&at, 1, 2, &civil->day))
        return FALSE;
    (void)skip(&at, ".");
    blanks(&at);
    size_t n = letters(at);
    civil->month = month_number(at, n);
    at += n;
    (void)skip(&at, ".");
    blanks(&at);
    if (civil->month == 0 || !digits(&at, 4, 4, &civil->year))
        return FALSE;
    (void)skip(&at, ",");
    blanks(&at);
    if (g_str_has_prefix(at, "\xc3\xa0 "))
        at += 3;
    return clock_time(&at, ":", FALSE, civil) && *at == '\0';
}

/* Thu May 15 10:26:51 GMT+02:00 2025 */
static gboolean read_java(const char *at, Civil *civil)
{
    size_t n = letters(at);
    if (n != 3)
        return FALSE;
    at += n;
    blanks(&at);
    n = letters(at);
    civil->month = n == 3 ? month_number(at, n) : 0;
    at += n;
    blanks(&at);
    if (civil->month == 0 || !digits(&at, 1, 2, &civil->day))
        return FALSE;
    blanks(&at);
    if (!clock_time(&at, ":", TRUE, civil))
        return FALSE;
    blanks(&at);
    if (g_str_has_prefix(at, "GMT") || g_str_has_prefix(at, "UTC")) {
        at += 3;
        civil->has_offset = TRUE;
        if (!offset(&at, civil))
            return FALSE;
        blanks(&at);
    }
    return digits(&at, 4, 4, &civil->year) && *at == '\0';
}

/* ---- civil time to UTC ---- */

/* Days since 1970-01-01 (Howard Hinnant's days_from_civil, public domain algorithm). */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t zone_offset_s(TimeParser *parser, int64_t local_s)
{
    if (local_s >= parser->cached_from_s && local_s < parser->cached_to_s)
        return parser->cached_offset_s;
    int interval = g_time_zone_find_interval(parser->zone, G_TIME_TYPE_DAYLIGHT, local_s);
    if (interval < 0)
        interval = g_time_zone_find_interval(parser->zone, G_TIME_TYPE_STANDARD, local_s);
    int64_t offset_s = interval >= 0 ? g_time_zone_get_offset(parser->zone, interval) : 0;
    /* Around the end of summer time an hour exists twice: the second, if the first goes back. */
    int standard = g_time_zone_find_interval(parser->zone, G_TIME_TYPE_STANDARD, local_s);
    int64_t standard_s = standard >= 0 ? g_time_zone_get_offset(parser->zone, standard) : offset_s;
    if (standard_s != offset_s) {
        /* Once in the second, time stays there until the hour is over. */
        parser->second_hour =
            parser->second_hour ||
            (parser->has_last && (local_s - offset_s) * G_GINT64_CONSTANT(1000000000) <
                                     parser->last_ns - G_GINT64_CONSTANT(60000000000));
        return parser->second_hour ? standard_s : offset_s;
    }
    parser->second_hour = FALSE;
    /* Offsets change on the hour, or at the quarter of one; a quarter is safe to keep. */
    parser->cached_from_s = local_s - ((local_s % 900) + 900) % 900;
    parser->cached_to_s = parser->cached_from_s + 900;
    parser->cached_offset_s = offset_s;
    return offset_s;
}

static gboolean to_utc(TimeParser *parser, const Civil *civil, int64_t *time_ns)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    gboolean leap = civil->year % 4 == 0 && (civil->year % 100 != 0 || civil->year % 400 == 0);
    if (civil->month < 1 || civil->month > 12 || civil->day < 1 ||
        civil->day > month_days[civil->month - 1] + (leap && civil->month == 2 ? 1 : 0) ||
        civil->hour > 23 || civil->minute > 59 || civil->second > 60 || civil->year < 1970 ||
        civil->year > 2200)
        return FALSE;
    int64_t local_s = days_from_civil(civil->year, civil->month, civil->day) * 86400 +
                      civil->hour * 3600 + civil->minute * 60 + civil->second;
    int64_t offset_s = civil->has_offset ? civil->offset_s : zone_offset_s(parser, local_s);
    *time_ns = (local_s - offset_s) * G_GINT64_CONSTANT(1000000000) + civil->nanosecond;
    parser->used_zone = !civil->has_offset;
    parser->had_seconds = civil->has_seconds;
    return TRUE;
}

static gboolean read_epoch(const char *text, int64_t *time_ns)
{
    TextField field = {text, (uint32_t)strlen(text), FALSE};
    double real = 0;
    int64_t n = 0;
    if (!value_parse_int(&field, 10, &n)) {
        if (!value_parse_real(&field, FALSE, &real) || real < 1e8 || real > 1e10)
            return FALSE;
        *time_ns = (int64_t)(real * 1e9);
        return TRUE;
    }
    int64_t factor = n < G_GINT64_CONSTANT(100000000)             ? 0
                     : n < G_GINT64_CONSTANT(10000000000)         ? 1000000000
                     : n < G_GINT64_CONSTANT(10000000000000)      ? 1000000
                     : n < G_GINT64_CONSTANT(10000000000000000)   ? 1000
                     : n < G_GINT64_CONSTANT(8000000000000000000) ? 1
                                                                  : 0;
    *time_ns = n * factor;
    return factor != 0;
}

static gboolean read_as(TimeParser *parser, TimeFormat format, const char *text, int64_t *time_ns)
{
    static gboolean (*const readers[TIME_FORMAT_COUNT])(const char *, Civil *) = {
        [TIME_ISO] = read_iso,     [TIME_DOTTED] = read_dotted, [TIME_GERMAN] = read_german,
        [TIME_WORDS] = read_words, [TIME_JAVA] = read_java,
    };
    if (format == TIME_EPOCH) {
        parser->used_zone = FALSE;
        parser->had_seconds = TRUE;
        return read_epoch(text, time_ns);
    }
    Civil civil = {0};
    return readers[format](text, &civil) && to_utc(parser, &civil, time_ns);
}

gboolean time_parser_parse(TimeParser *parser, const char *text, int64_t *time_ns)
{
    while (*text == ' ')
        text++;
    gboolean fine = FALSE;
    TimeFormat first = parser->format != TIME_AUTO ? parser->format : parser->found;
    if (first != TIME_AUTO)
        fine = read_as(parser, first, text, time_ns);
    for (int f = TIME_AUTO + 1; parser->format == TIME_AUTO && !fine && f < TIME_FORMAT_COUNT; f++)
        if (read_as(parser, (TimeFormat)f, text, time_ns)) {
            fine = TRUE;
            parser->found = (TimeFormat)f;
            break;
        }
    if (fine) {
        parser->last_ns = *time_ns;
        parser->has_last = TRUE;
    }
    return fine;
}
