/* SPDX-License-Identifier: Apache-2.0 */
/* Squares of 10 m, in which regulators compare: a grid from each segment's first point, of which
 * those count that its line goes through (docs/method.md, "Claims"). */
#include "analyzer/compare-state.h"
#include "analyzer/geometry.h"
#include "formats/records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SQUARE_M 10.0

/* ---- what the map says ---- */

static gboolean ask(Compare *c, CompareItem *i, ClaimMap *map, const Plane *plane, double x,
                    double y, gboolean *is_inside, GError **error)
{
    PlanePoint centre = {(x + 0.5) * SQUARE_M, (y + 0.5) * SQUARE_M};
    gboolean yes;
    double level;
    if (!claim_at(map, plane_to_geo(plane, centre), &yes, &level, is_inside, error))
        return FALSE;
    CompareSquare square = {(int32_t)x, (int32_t)y, yes != FALSE};
    g_array_append_val(c->squares, square);
    if (yes && !isnan(level))
        i->claimed_level = isnan(i->claimed_level) ? level : fmax(i->claimed_level, level);
    return TRUE;
}

gboolean compare_ask_squares(Compare *c, CompareItem *i, ClaimMap *map, gboolean *is_inside,
                             GError **error)
{
    const GeoPoint *p = &g_array_index(c->points, GeoPoint, i->first_point);
    Plane plane = plane_at(p[0]);
    double last_x = NAN, last_y = NAN;
    i->first_square = c->squares->len;
    for (guint k = 0; k + 1 < i->n_points || (k == 0 && i->n_points == 1); k++) {
        PlanePoint a = plane_from_geo(&plane, p[k]);
        PlanePoint b = plane_from_geo(&plane, p[MIN(k + 1, i->n_points - 1)]);
        int steps = (int)fmax(1.0, ceil(plane_distance(a, b) / (SQUARE_M / 2.0)));
        for (int s = 0; s <= steps; s++) {
            double t = (double)s / steps;
            double x = floor((a.x + t * (b.x - a.x)) / SQUARE_M);
            double y = floor((a.y + t * (b.y - a.y)) / SQUARE_M);
            if (x == last_x && y == last_y)
                continue;
            last_x = x;
            last_y = y;
            if (!ask(c, i, map, &plane, x, y, is_inside, error))
                return FALSE;
        }
    }
    i->n_squares = c->squares->len - i->first_square;
    double claimed = 0.0;
    for (guint k = 0; k < i->n_squares; k++)
        claimed += g_array_index(c->squares, CompareSquare, i->first_square + k).is_claimed;
    i->claimed_share = i->n_squares > 0 ? claimed / i->n_squares : 0.0;
    return TRUE;
}

/* ---- what was measured there ---- */

typedef struct {
    guint square; /* of the item */
    int64_t drive;
    gboolean is_good, is_none;
} Spotted;

static int by_square(const void *a, const void *b)
{
    const Spotted *x = a, *y = b;
    if (x->square != y->square)
        return x->square < y->square ? -1 : 1;
    return (x->drive > y->drive) - (x->drive < y->drive);
}

/* The line's square in which a place lies, or the nearest: corners that the line only touches are
 * not among them. */
static guint square_of(const Compare *c, const CompareItem *i, GeoPoint place)
{
    Plane plane = plane_at(g_array_index(c->points, GeoPoint, i->first_point));
    PlanePoint p = plane_from_geo(&plane, place);
    guint best = 0;
    double nearest = INFINITY;
    for (guint k = 0; k < i->n_squares && nearest > 0.0; k++) {
        const CompareSquare *s = &g_array_index(c->squares, CompareSquare, i->first_square + k);
        double away = hypot(floor(p.x / SQUARE_M) - s->x, floor(p.y / SQUARE_M) - s->y);
        if (away < nearest) {
            nearest = away;
            best = k;
        }
    }
    return best;
}

/* Counts the samples of one segment: in each square all drives weigh alike. */
static void count_item(Compare *c, CompareItem *i, GArray *samples)
{
    g_array_sort(samples, by_square);
    const Spotted *s = (const Spotted *)(void *)samples->data;
    double side_m = i->length_m / MAX(i->n_squares, 1);
    for (guint from = 0; from < samples->len;) {
        double share = 0.0, drives = 0.0;
        gboolean is_none = TRUE;
        guint to = from;
        while (to < samples->len && s[to].square == s[from].square) {
            double good = 0.0, all = 0.0;
            guint k = to;
            for (; k < samples->len && s[k].square == s[to].square && s[k].drive == s[to].drive;
                 k++) {
                good += s[k].is_good ? 1.0 : 0.0;
                all += 1.0;
                is_none = is_none && s[k].is_none;
            }
            share += good / all;
            drives += 1.0;
            to = k;
        }
        const CompareSquare *square =
            &g_array_index(c->squares, CompareSquare, i->first_square + s[from].square);
        gboolean covered = share / drives >= c->service.required;
        double seconds = i->seconds * (to - from) / samples->len;
        CompareMeasured *m = &i->measured[square->is_claimed];
        m->metres[covered] += side_m;
        m->seconds[covered] += seconds;
        m->none_m += is_none ? side_m : 0.0;
        m->none_seconds += is_none ? seconds : 0.0;
        m->squares++;
        from = to;
    }
    g_array_set_size(samples, 0);
}

typedef struct {
    int segment, operator_label, antenna, drive, rat, level, level_is, nr_level;
} Columns;

static gboolean find_columns(LayerReader *reader, Columns *c, GError **error)
{
    struct {
        const char *name;
        int *column;
    } all[] = {{"segment", &c->segment},   {"operator", &c->operator_label},
               {"antenna", &c->antenna},   {"drive", &c->drive},
               {"rat", &c->rat},           {"level", &c->level},
               {"level_is", &c->level_is}, {"nr_level", &c->nr_level}};
    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
        if (!layer_need_column(reader, all[i].name, all[i].column, error))
            return FALSE;
    return TRUE;
}

static int rat_by_name(const char *name)
{
    for (int rat = 0; rat < RAT_COUNT; rat++)
        if (g_strcmp0(name, rat_name((Rat)rat)) == 0)
            return rat;
    return RAT_UNKNOWN;
}

/* NAN where none is written, or what is written is no number. */
static double level_of(const LayerRow *row, int column)
{
    return CLAMP(layer_get_real(row, column, NAN), -300.0, 100.0);
}

/* Judges one row as a histogram of one sample. FALSE if it says nothing of the service. */
static gboolean judge_row(const Compare *c, const LayerRow *row, const Columns *col, Spotted *out)
{
    static const struct {
        const char *word;
        uint8_t channel;
    } words[] = {{"no service", CHANNEL_NO_SERVICE},
                 {"limited", CHANNEL_LIMITED},
                 {"no level", CHANNEL_NO_LEVEL},
                 {"below floor", CHANNEL_FLOOR}};
    static const uint8_t channels[RAT_COUNT] = {CHANNEL_LTE,  CHANNEL_NO_SERVICE, CHANNEL_GSM,
                                                CHANNEL_UMTS, CHANNEL_LTE,        CHANNEL_NSA,
                                                CHANNEL_SA};
    const char *is = layer_get_text(row, col->level_is);
    int rat = rat_by_name(layer_get_text(row, col->rat));
    double level = level_of(row, col->level), nr_level = level_of(row, col->nr_level);
    LevelEntry entry[2] = {
        {.channel = channels[rat], .level_dbm = (int16_t)(isnan(level) ? 0.0 : level), .count = 1},
        {.channel = CHANNEL_NR_LEG,
         .level_dbm = (int16_t)(isnan(nr_level) ? 0.0 : nr_level),
         .count = 1}};
    if (isnan(level) && entry[0].channel != CHANNEL_NO_SERVICE) {
        entry[0].channel = CHANNEL_NO_LEVEL;
        entry[0].rat = (uint8_t)rat;
    }
    for (unsigned w = 0; w < G_N_ELEMENTS(words); w++)
        if (g_strcmp0(is, words[w].word) == 0) {
            entry[0].channel = words[w].channel;
            entry[0].rat = (uint8_t)rat;
        }
    LevelHistogram one = {.n = isnan(nr_level) ? 1 : 2, .size = 2, .entry = entry};
    ServiceTally t;
    judge_tally(&one, &c->service, 0.0, &t);
    out->is_good = t.good >= 0.5 * t.all;
    out->is_none = entry[0].channel == CHANNEL_NO_SERVICE;
    return t.all > 0.0;
}

gboolean compare_measured_squares(Compare *c, GError **error)
{
    g_autoptr(LayerSource) source = layer_open(c->options->in, error);
    if (source == NULL)
        return FALSE;
    c->has_samples = layer_has(source, "samples");
    if (!c->has_samples)
        return TRUE;
    g_autoptr(LayerReader) reader = layer_read(source, "samples", NULL, error);
    Columns col;
    if (reader == NULL || !find_columns(reader, &col, error))
        return FALSE;
    g_autoptr(GArray) samples = g_array_new(FALSE, FALSE, sizeof(Spotted));
    g_autoptr(GError) local = NULL;
    const LayerRow *row;
    CompareItem *item = NULL;
    while ((row = layer_next(reader, &local)) != NULL) {
        g_autofree char *name = g_strdup(layer_get_text(row, col.operator_label));
        const char *antenna = layer_get_text(row, col.antenna);
        CompareItem *here = name && antenna ? compare_find_item(c, name, antenna,
                                                                layer_get_int(row, col.segment, 0))
                                            : NULL;
        /* samples of one segment stand together */
        if (item != NULL && here != item)
            count_item(c, item, samples);
        item = here;
        Spotted sample = {.drive = layer_get_int(row, col.drive, 0)};
        if (here == NULL || here->n_squares == 0 || row->shape.n_parts == 0 ||
            !judge_row(c, row, &col, &sample))
            continue;
        sample.square = square_of(c, here, row->shape.points[0]);
        g_array_append_val(samples, sample);
    }
    if (item != NULL)
        count_item(c, item, samples);
    if (local == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}
