/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chart while it is drawn, for report-plot.c and report-panels.c only. Nothing from the data
 * reaches gnuplot but numbers in data blocks, and labels in single quotes, where it substitutes
 * neither commands nor macros nor escapes.
 */
#pragma once

#include "analyzer/report-page.h"

enum {
    WIDTH = 1000,       /* of a chart, pixels */
    LEFT = 150,         /* names of rows */
    RIGHT = 64,         /* names of thresholds */
    LEVEL_HEIGHT = 104, /* panel of levels */
    ROW_HEIGHT = 13,    /* a ribbon */
    TITLE_HEIGHT = 22,
    COLUMNS = 900 /* points along a chart at most: one a pixel */
};

typedef struct {
    Page *page;
    GString *script;
    const ReportGroup *group;
    double from_km, to_km;
    double height;
    unsigned blocks; /* data blocks so far */
} Plot;

/* A number as gnuplot reads it. */
void plot_put(GString *out, double value);

/* Text in single quotes: a quote, a backquote and what is not printable are replaced. */
void plot_put_label(GString *out, const char *text, glong longest);

/* A label at pixels from the top left; `more`: how it looks. */
void plot_label(Plot *plot, const char *text, double x, double y, const char *more);

/* Margins of the next panel, in pixels from the top. */
void plot_panel(Plot *plot, double top, double bottom);

/* A value of row i of an operator. */
double plot_number(const Plot *plot, const GArray *rows, size_t i, int column);

/* Appends a curve of a data block (0: none) to the plot command. */
void plot_add_curve(GString *plots, unsigned block, const char *how);

/* Ribbons at height y. */
void plot_add_verdicts(Plot *plot, GString *plots, const GArray *rows, const char *service,
                       double y);
void plot_add_technologies(Plot *plot, GString *plots, const GArray *rows, double y);

/* The data blocks of band and median, breaks where nothing was measured; runs without service at
 * the bottom. */
void plot_add_levels(Plot *plot, GString *plots, const GArray *rows, double bottom);

/* Lines of the thresholds, each named once; names that would touch are moved down. */
void plot_add_thresholds(Plot *plot, double db_per_pixel);

/* Lowest and highest level to show, multiples of ten. */
void plot_level_range(const Plot *plot, double *bottom, double *top);
