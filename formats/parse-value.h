/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and times as measuring apps write them.
 */
#pragma once

#include "formats/text-table.h"

/* Empty, "-", "null", "NaN", "n/a" and the like: the app had nothing to say. */
gboolean value_is_absent(const TextField *field);

/* A decimal number, with a point or (where `comma` allows it) a comma; blanks around it are passed
 * over. FALSE if the field is anything else, or not finite. */
gboolean value_parse_real(const TextField *field, gboolean comma, double *value);

/* A whole number; "284.0" is one too. base 16 takes hexadecimal digits. */
gboolean value_parse_int(const TextField *field, int base, int64_t *value);

/* Time formats: name it, or let the first row decide (TIME_AUTO). */
typedef enum {
    TIME_AUTO,
    TIME_ISO,    /* 2026-05-04T06:00:00.123Z, with blank for T, with offset, or local */
    TIME_DOTTED, /* 2025.07.18_22.11.08 (G-NetTrack) */
    TIME_GERMAN, /* 26.05.25 14:08:05 or 26.05.2025 14:08:05 */
    TIME_WORDS,  /* jeudi 15 mai 2025 10:26, or 15 May 2025 10:26:51 */
    TIME_JAVA,   /* Thu May 15 10:26:51 GMT+02:00 2025 */
    TIME_EPOCH,  /* seconds, milliseconds, microseconds or nanoseconds since 1970, by size */
    TIME_FORMAT_COUNT
} TimeFormat;

/* Reads times; remembers the zone's offset of the hour it saw last. */
typedef struct TimeParser TimeParser;

/* zone: for times without an offset of their own (borrowed).
 * Returns: (transfer full). */
TimeParser *time_parser_new(TimeFormat format, GTimeZone *zone);
void time_parser_free(TimeParser *parser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TimeParser, time_parser_free)

/* UTC nanoseconds since 1970. FALSE if the text is no time of the format. Local times that exist
 * twice (end of summer time) are taken as the first of the two unless that would go back in time.
 */
gboolean time_parser_parse(TimeParser *parser, const char *text, int64_t *time_ns);

/* TRUE if the last time had no offset of its own, so that the zone mattered. */
gboolean time_parser_used_zone(const TimeParser *parser);

/* FALSE if the last time had no seconds: it stands for a whole minute. */
gboolean time_parser_had_seconds(const TimeParser *parser);
