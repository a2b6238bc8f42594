/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/corridor-fold.h"

#include "analyzer/geometry.h"
#include "analyzer/learn.h"

#include <math.h>
#include <string.h>

#define SAMPLE_M   25.0
#define BESIDE_DEG 35.0
/* A folded edge covers at least this share of its length on the line. */
#define LEAST_SPAN 0.6

typedef struct {
    const Network *network;
    Plane plane;
    const PlanePoint *line;
    const double *line_m;
    LineIndex *index;
    double fold_m;
    GHashTable *refs, *names, *one_way_classes; /* of the line's edges */
    int kinds;
} Folder;

static void add_words(GHashTable *set, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ";", -1);

    for (char **word = words; *word != NULL; word++) {
        if (g_strstrip(*word)[0] != '\0')
            g_hash_table_add(set, g_strdup(*word));
    }
}

static gboolean has_word(GHashTable *set, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ";", -1);

    for (char **word = words; *word != NULL; word++) {
        if (g_hash_table_contains(set, g_strstrip(*word)))
            return TRUE;
    }
    return FALSE;
}

/* Could it be a part of the same road or railway? */
static gboolean is_kin(const Folder *f, const NetworkEdge *edge)
{
    if ((edge->kind & f->kinds) == 0)
        return FALSE;
    return edge->kind == EDGE_RAIL || has_word(f->refs, edge->ref) ||
           g_hash_table_contains(f->names, edge->name) ||
           (edge->way != EDGE_BOTH_WAYS && g_hash_table_contains(f->one_way_classes, edge->class));
}

static void learn_kin(Folder *f, const guint8 *on_line)
{
    for (uint32_t e = 0; e < f->network->n_edges; e++) {
        const NetworkEdge *edge = &f->network->edges[e];
        if (!on_line[e])
            continue;
        f->kinds |= edge->kind;
        add_words(f->refs, edge->ref);
        if (edge->name[0] != '\0')
            g_hash_table_add(f->names, g_strdup(edge->name));
        if (edge->way != EDGE_BOTH_WAYS)
            g_hash_table_add(f->one_way_classes, g_strdup(edge->class));
    }
}

/* Chainage of a place beside the line, NaN if it is not. */
static double beside(const Folder *f, PlanePoint p, double heading, double expect)
{
    IndexHit hit;

    if (!line_index_nearest(f->index, p, expect, 0.02, &hit) || hit.distance_m > f->fold_m)
        return NAN;
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): a hit is on the line */
    double line_heading = plane_heading_deg(f->line[hit.segment], f->line[hit.segment + 1]);
    double turn = heading_difference_deg(heading, line_heading);
    if (turn > BESIDE_DEG && turn < 180 - BESIDE_DEG)
        return NAN;
    const double *m = f->line_m;
    return m[hit.segment] + hit.t * (m[hit.segment + 1] - m[hit.segment]);
}

static gboolean fold_edge(const Folder *f, uint32_t number, BuilderCorridorEdge *part)
{
    const NetworkEdge *edge = &f->network->edges[number];
    guint samples = MAX((guint)ceil(edge->length_m / SAMPLE_M), 2);
    double first = NAN, last = NAN;
    PlanePoint before = {0, 0};

    for (guint i = 0; i <= samples; i++) {
        double offset = edge->length_m * i / samples;
        PlanePoint p = plane_from_geo(&f->plane, network_point_at(f->network, number, offset));
        if (i == 0) {
            before = p;
            continue;
        }
        double heading = plane_heading_deg(before, p);
        if (i == 1) {
            first = beside(f, before, heading, NAN);
            if (isnan(first))
                return FALSE;
            last = first;
        }
        last = beside(f, p, heading, last);
        if (isnan(last))
            return FALSE;
        before = p;
    }
    if (fabs(last - first) < LEAST_SPAN * edge->length_m)
        return FALSE;
    *part = (BuilderCorridorEdge){.fid = edge->fid,
                                  .reversed = last < first,
                                  .folded = TRUE,
                                  .from_m = fmin(first, last),
                                  .to_m = fmax(first, last)};
    return TRUE;
}

guint corridor_fold(const Network *network, const GeoPoint *line, const double *line_m, size_t n,
                    const guint8 *on_line, double fold_m, GArray *parts)
{
    g_autofree PlanePoint *plane_line = g_new(PlanePoint, n);
    Folder f = {.network = network,
                .plane = plane_at(line[n / 2]),
                .line = plane_line,
                .line_m = line_m,
                .index = line_index_new(fmax(fold_m, 20)),
                .fold_m = fold_m,
                .refs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                .names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                .one_way_classes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    guint added = 0;

    for (size_t i = 0; i < n; i++)
        plane_line[i] = plane_from_geo(&f.plane, line[i]);
    line_index_set(f.index, plane_line, (guint)n);
    learn_kin(&f, on_line);
    for (uint32_t e = 0; e < network->n_edges; e++) {
        BuilderCorridorEdge part;
        if (on_line[e] || !is_kin(&f, &network->edges[e]) || !fold_edge(&f, e, &part))
            continue;
        g_array_append_val(parts, part);
        added++;
    }
    line_index_free(f.index);
    g_hash_table_unref(f.refs);
    g_hash_table_unref(f.names);
    g_hash_table_unref(f.one_way_classes);
    return added;
}
