/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Importing measurement files into a drive. A format reads rows and hands records to the import,
 * which checks ranges, keeps sources apart, leaves out repeated positions, counts, and writes.
 */
#pragma once

#include "formats/drive-write.h"
#include "formats/parse-value.h"
#include "formats/radio.h"

typedef struct Import_ ImportJob;

typedef struct {
    const char *format;         /* name, or NULL: found from the content */
    const char *operator_label; /* NULL: from the file */
    const char *timezone;       /* of times without an offset; NULL: UTC */
    const char *const *map;     /* NULL, or FIELD=COLUMN words ended by NULL */
    const char *map_file;       /* mapping file, or NULL */
    AntennaPlace place;         /* where the device was; PLACE_UNKNOWN: not said */
} ImportOptions;

/* What one file gave. */
typedef struct {
    const char *format; /* name of the format */
    guint64 rows, samples, no_service, fixes, repeated_positions, latencies, throughputs, events;
    gboolean used_zone; /* some times had no offset: the time zone mattered */
    RefusedCounts refused;
} ImportSummary;

/* Called now and then with bytes read and the size of the file. */
typedef void (*ImportProgressFunc)(gint64 done, gint64 total, gpointer data);

/* Imports one file. Fails with FORMAT_ERROR (the message names file:line), or DRIVE_ERROR; then the
 * caller throws the drive away. */
gboolean import_file(DriveWriter *writer, const char *path, const ImportOptions *options,
                     ImportProgressFunc progress, gpointer data, ImportSummary *summary,
                     GError **error);

/* Files that belong to one that was read as `format` and lie beside it: the tests and events of a
 * G-NetTrack log. Returns: (transfer full): strings, NULL-terminated. */
char **import_companions(const char *path, const char *format);

/* Names of the formats, in order, ended by NULL. */
const char *const *import_formats(void);

/* ---- for the formats (import-*.c) ---- */

typedef gboolean (*ImportReadFunc)(ImportJob *job, TextTable *table, GError **error);

typedef struct {
    const char *name;
    /* 0..100: how sure it is from the header that the file is of this format */
    int (*probe)(const TextTable *table);
    ImportReadFunc read;
} ImportFormat;

extern const ImportFormat import_plain, import_breitband, import_gnettrack, import_generic;

DriveWriter *import_writer(ImportJob *job);
const ImportOptions *import_options(const ImportJob *job);
ImportSummary *import_summary(ImportJob *job);
GTimeZone *import_zone(const ImportJob *job);

/* The file measures no radio and names no device: its records go to the one phone that the drive
 * has of their operator, if there is one. */
void import_join_phone(ImportJob *job);

/* Number of the source for an operator and a device in this file; made when first asked for. Texts
 * may be NULL. Fast when asked again for the same texts. */
gboolean import_source(ImportJob *job, const char *operator_label, const char *device,
                       const char *home_plmn, gint64 *source, GError **error);

/* Each checks ranges, counts and writes; fixes that repeat time and position are left out, fixes
 * without a position too. */
gboolean import_add_fix(ImportJob *job, Fix *fix, GError **error);
gboolean import_add_sample(ImportJob *job, Sample *sample, GError **error);
gboolean import_add_neighbour(ImportJob *job, Neighbour *neighbour, GError **error);
gboolean import_add_latency(ImportJob *job, const Latency *latency, GError **error);
gboolean import_add_throughput(ImportJob *job, const Throughput *throughput, GError **error);
gboolean import_add_event(ImportJob *job, const Event *event, GError **error);

/* Once a row: counts it and reports progress. */
void import_row_done(ImportJob *job, const TextTable *table);

/* Calls `read_row` for each row of the table. */
typedef gboolean (*ImportRowFunc)(const TextField *fields, gpointer data, GError **error);
gboolean import_each_row(ImportJob *job, TextTable *table, ImportRowFunc read_row, gpointer data,
                         GError **error);

/* Reads a real or whole number out of a field into a record's column if the field holds one. A text
 * that is no number refuses the row: "FILE:LINE: COLUMN: "abc" is not a number". */
gboolean import_real(const TextTable *table, const TextField *field, const char *column,
                     gboolean *known, double *value, GError **error);
gboolean import_int(const TextTable *table, const TextField *field, const char *column, int base,
                    gboolean *known, int64_t *value, GError **error);
