/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing rows with a place into a file that other programs read: CSV (RFC 4180), GeoJSON
 * (RFC 7946), KML 2.2 (OGC 07-147r2), GPX 1.1. The file appears whole or not at all.
 *
 * CSV and GeoJSON take every row with all its columns. KML and GPX take shapes in groups (folders,
 * tracks), with a name and, in KML, a style: export_has_groups() says which a format is.
 */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <stdio.h>

#define EXPORT_ERROR export_error_quark()
typedef enum { EXPORT_ERROR_FORMAT, EXPORT_ERROR_FAILED } ExportError;
GQuark export_error_quark(void);

typedef enum { EXPORT_INT, EXPORT_REAL, EXPORT_TEXT } ExportType;

typedef struct {
    const char *name;
    ExportType type;
} ExportColumn;

typedef struct {
    gboolean known;
    union {
        int64_t i;
        double r;
        const char *t;
    } v;
} ExportValue;

typedef struct {
    double lon, lat; /* degrees, WGS 84 */
} ExportPoint;

/* How a class of shapes looks. */
typedef struct {
    const char *id;    /* letters, digits, underscores */
    const char *title; /* what it stands for */
    guint32 rgb;       /* 0xRRGGBB */
} ExportStyle;

/* What a file is made of. All is borrowed until the writer is freed. */
typedef struct {
    const char *title;
    gboolean lines;     /* shapes are lines, not points */
    gboolean no_places; /* a table: no row has a place */
    const ExportColumn *columns;
    guint n_columns;
    const ExportStyle *styles;
    guint n_styles;
} ExportHead;

typedef struct {
    const ExportValue *values; /* one for each column; formats with groups may get NULL */
    const ExportPoint *points;
    size_t n_points;         /* 0: the place is not known; nor is it if a point is not on earth */
    const char *name;        /* formats with groups only, as are the rest; may be NULL */
    const char *description; /* may be NULL */
    guint style;             /* number in head.styles */
    gboolean hidden;         /* KML viewers do not show it at first */
    gboolean has_time;
    int64_t time_ns;
} ExportRow;

typedef struct ExportWriter ExportWriter;

/* Names of the formats, ended by NULL. */
const char *const *export_formats(void);

/* Begins a file. Returns: (transfer full): free with export_free(). */
ExportWriter *export_create(const char *path, const char *format, const ExportHead *head,
                            GError **error);
void export_free(ExportWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ExportWriter, export_free)

gboolean export_has_groups(const ExportWriter *writer);

/* A folder (KML) or a track (GPX). They do not nest. `shown` FALSE: KML viewers hide it at first.
 */
void export_group_begin(ExportWriter *writer, const char *name, gboolean shown);
/* GPX: the track goes on in a new piece, with nothing known between the two. */
void export_group_break(ExportWriter *writer);
void export_group_end(ExportWriter *writer);

gboolean export_add(ExportWriter *writer, const ExportRow *row, GError **error);

/* Completes the file and gives it its name. */
gboolean export_finish(ExportWriter *writer, GError **error);

/* ---- for the formats (export-*.c) ---- */

typedef struct {
    const char *name;
    gboolean groups;
    void (*begin)(FILE *out, const ExportHead *head);
    void (*group_begin)(FILE *out, const ExportHead *head, const char *name, gboolean shown);
    void (*group_break)(FILE *out);
    void (*group_end)(FILE *out, const ExportHead *head);
    void (*row)(FILE *out, const ExportHead *head, const ExportRow *row, guint64 number);
    void (*end)(FILE *out, guint64 rows);
} ExportFormat;

extern const ExportFormat export_csv, export_geojson, export_kml, export_gpx;

/* A number as text that reads back as the same to 12 digits, in any locale; not finite: "". */
const char *export_real(double value, char text[32]);
/* 2025-05-26T14:47:05.250Z; milliseconds are left out where they are 0. */
const char *export_time(int64_t time_ns, char text[32]);
/* Text for XML: escaped, valid UTF-8, characters of XML without controls. Returns: (transfer full).
 */
char *export_xml(const char *text);
