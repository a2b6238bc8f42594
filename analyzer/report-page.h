/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the report: the page being written, its words and numbers in the reader's language,
 * and the sections. Only report*.c include this.
 *
 * All text goes through page_text() or page_say(), which escape; page_raw() takes our own markup
 * only. English is the key of every translation (analyzer/po, gettext's format): tr(page, "…").
 */
#pragma once

#include "analyzer/report-data.h"

/* Marks words that are translated where they are used (tr(page, words[i])), for xgettext. */
#define W(words) words

typedef struct {
    const char *id, *title, *brief; /* brief: the title without what stands in brackets */
    const char *quantity;
    size_t row; /* the first one in the table services */
} ReportService;

/* What is judged together: one corridor and one place of antennas. */
typedef struct {
    const char *corridor, *antenna;
    gboolean is_other; /* the edges outside corridors */
    double length_km;
    GPtrArray *operators; /* labels, in the order of the file, without (any) and (all) */
    GPtrArray *rows;      /* per operator: GArray of size_t, rows of `segments` by chainage */
} ReportGroup;

/* Charts of a piece of a corridor that is too long for one point a segment. */
typedef struct {
    guint group, number; /* from 0; from 1 */
    double from_km, to_km;
    char *svg; /* NULL: none */
} ReportDetail;
void report_detail_free(gpointer detail);

typedef struct {
    const ReportData *data;
    GString *out;
    GHashTable *words;     /* English -> the language; empty for English */
    const char *language;  /* "en" */
    GStringChunk *scratch; /* what the formatters return lives here */
    GArray *services;      /* of ReportService */
    GPtrArray *groups;     /* of ReportGroup, the longest corridor first */
    const ReportService *headline;
    GPtrArray *charts;  /* SVG text per group, NULL = none */
    GPtrArray *details; /* of ReportDetail: pieces of long corridors, in files beside the page */
    char *overview;     /* SVG of the decision-maker's page, or NULL */
    const char *no_charts;
} Page;

/* ---- words and numbers (report-text.c) ---- */

/* English -> words of a language, from the catalogue built in. Returns: (transfer full). */
GHashTable *report_words(const char *language);

const char *tr(const Page *page, const char *english);
/* Titles and sources of the profiles that come with the program, where there is a translation;
 * those of users stay as they are. NULL stays NULL. */
const char *tr_title(const Page *page, const char *title);
const char *tr_count(const Page *page, const char *one, const char *many, double n);

void page_raw(Page *page, const char *markup);
void page_text(Page *page, const char *text); /* NULL: nothing */
/* Translates, escapes, and puts the escaped arguments, in bold, in place of {1}, {2}, … The
 * arguments are strings, ended by NULL. */
void page_say(Page *page, const char *english, ...) G_GNUC_NULL_TERMINATED;
void page_say_plain(Page *page, const char *english, ...) G_GNUC_NULL_TERMINATED;
/* The translated and filled text itself. Lives as long as the page. */
const char *page_fill(Page *page, const char *english, ...) G_GNUC_NULL_TERMINATED;

/* A number with `decimals` in the reader's way; an en dash where it is not finite. */
const char *page_number(Page *page, double value, int decimals);
const char *page_share(Page *page, double share, int decimals); /* 0.834 -> 83.4 % */
const char *page_interval(Page *page, double low, double high); /* of shares */
const char *page_km(Page *page, double km);                     /* two decimals, without unit */
/* 2025-05-26T14:47:05Z -> 26 May 2025; NULL -> en dash. */
const char *page_date(Page *page, const char *time);
const char *page_moment(Page *page, const char *time);
/* A label for people: (any), (all), verdicts, reasons, antennas; others as they are. */
const char *page_label(const Page *page, const char *label);

/* Text for HTML, and for JSON inside a script element. */
void escape_html(GString *out, const char *text);
void escape_json(GString *out, const char *text);

/* ---- tables in HTML (report-text.c) ---- */

/* Headings are separated by '|', those of numbers begin with '#'. All are translated. */
void page_table(Page *page, const char *caption, const char *headings);
void page_row(Page *page);
void page_row_head(Page *page, const char *text);
void page_cell(Page *page, const char *text);
void page_cell_number(Page *page, const char *number);
void page_row_end(Page *page);
void page_table_end(Page *page);

/* ---- tables of tables (report-columns.c) ---- */

typedef enum {
    SHOW_TEXT,
    SHOW_LABEL,    /* a word of ours, translated */
    SHOW_CHANGE,   /* better, closed, new, … */
    SHOW_KM,       /* kilometres */
    SHOW_METRES,   /* metres, shown as kilometres */
    SHOW_SHARE,    /* 0..1, shown in percent */
    SHOW_POINTS,   /* difference of shares, in percentage points with a sign */
    SHOW_COUNT,    /* whole */
    SHOW_DECIBEL,  /* one decimal, with a sign */
    SHOW_LEVEL,    /* whole, dBm */
    SHOW_DECIMAL,  /* one decimal */
    SHOW_PERCENT,  /* 0..1 with two decimals: chances */
    SHOW_INTERVAL, /* of shares: `column` to `second` */
    SHOW_POINTS_INTERVAL,
    SHOW_YES,   /* 1 yes, 0 no */
    SHOW_TITLE, /* id of a service, shown by its title */
    SHOW_AREA,  /* name of an area, (all) = the whole corridor */
    SHOW_LINK   /* address of a map */
} ShowAs;

typedef struct {
    const char *column, *heading;
    ShowAs as;
    const char *second;
} ShowColumn;

/* A table of the columns that `table` has, of the rows that `wanted` (NULL: all) accepts, at most
 * `most`; says so if there are more. Returns the number of rows that were accepted; without any,
 * nothing is written. */
gsize page_columns(Page *page, const ReportTable *table, const char *caption,
                   const ShowColumn *columns, guint n_columns,
                   gboolean (*wanted)(const ReportTable *table, size_t row, gconstpointer data),
                   gconstpointer data, gsize most);
/* Words of before and after, for people. */
const char *page_change(const Page *page, const char *change);

/* ---- what is in the data (report-model.c) ---- */

void report_model(Page *page);
void report_group_free(gpointer group);
/* Row of `summary`, -1 if there is none. */
gssize report_summary_row(const Page *page, const ReportGroup *group, const char *operator_label,
                          const char *service);
double report_summary_number(const Page *page, gssize row, const char *column);
/* 'c' covered, 'n' not covered, 'u' uncertain, 'm' not measured. */
char report_verdict_code(const char *verdict);
const char *report_group_title(Page *page, const ReportGroup *group);
/* Is there a verdict other than "not measured" for it anywhere? */
gboolean report_is_judged(const Page *page, const ReportGroup *group, const char *service);

/* ---- sections ---- */

void report_section_decision(Page *page); /* report-decision.c */
void report_section_reading(Page *page);
void report_section_operators(Page *page); /* report-operators.c */
void report_section_chapters(Page *page);
void report_section_comparison(Page *page); /* report-compare.c */
void report_section_gaps(Page *page);
void report_section_claims(Page *page); /* report-claims.c */
void report_section_tests(Page *page);
void report_section_changes(Page *page); /* report-diff.c */
void report_section_hours(Page *page);   /* report-hours.c */
void report_section_quality(Page *page); /* report-method.c */
void report_section_method(Page *page);
void report_section_charts(Page *page); /* report-html.c */
void report_section_map(Page *page);    /* report-map.c */

/* ---- charts (report-plot.c) ---- */

/* Draws page->charts and page->overview with gnuplot. Without gnuplot the report has none and
 * says why. */
gboolean report_plot(Page *page, GError **error);

/* ---- tables beside the page (report-table.c) ---- */

/* Writes every table of the data as CSV into `folder`. */
gboolean report_write_tables(const ReportData *data, const char *folder, guint *n, GError **error);
