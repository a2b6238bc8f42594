/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match-line.h"

#include <math.h>

void match_line_init(MatchLine *line)
{
    line->pieces = g_array_new(FALSE, FALSE, sizeof(LinePiece));
    line->vertices = g_array_new(FALSE, FALSE, sizeof(LineVertex));
}

void match_line_clear(MatchLine *line)
{
    g_clear_pointer(&line->pieces, g_array_unref);
    g_clear_pointer(&line->vertices, g_array_unref);
}

static void add_vertex(MatchLine *line, GeoPoint at, double s)
{
    guint n = line->vertices->len;
    if (n > 0 && g_array_index(line->vertices, LineVertex, n - 1).s >= s)
        return;
    LineVertex vertex = {at, s};
    g_array_append_val(line->vertices, vertex);
}

/* The part of an arc from from_m to to_m. */
static void add_part(MatchLine *line, const Network *network, const LinePiece *piece, double to_m)
{
    const NetworkEdge *edge = &network->edges[arc_edge(piece->arc)];
    const GeoPoint *points = network->points + edge->first_point;
    const double *chain = network->chain_m + edge->first_point;
    gboolean backward = arc_backward(piece->arc);
    gboolean whole = piece->from_m <= 0.0 && to_m >= edge->length_m;
    double shift = piece->start_s - piece->from_m;
    if (!whole)
        add_vertex(line,
                   network_point_at(network, arc_edge(piece->arc),
                                    backward ? edge->length_m - piece->from_m : piece->from_m),
                   piece->start_s);
    for (uint32_t k = 0; k < edge->n_points; k++) {
        uint32_t v = backward ? edge->n_points - 1 - k : k;
        double along_m = backward ? edge->length_m - chain[v] : chain[v];
        if (whole || (along_m > piece->from_m && along_m < to_m))
            add_vertex(line, points[v], shift + along_m);
    }
    if (!whole)
        add_vertex(line,
                   network_point_at(network, arc_edge(piece->arc),
                                    backward ? edge->length_m - to_m : to_m),
                   piece->end_s);
}

void match_line_set(MatchLine *line, const Network *network, const PathArc *arcs, guint n)
{
    g_array_set_size(line->pieces, 0);
    g_array_set_size(line->vertices, 0);
    double s = 0.0;
    for (guint k = 0; k < n; k++) {
        double length_m = network->edges[arc_edge(arcs[k].arc)].length_m;
        double to_m = k + 1 < n && arcs[k + 1].turned ? length_m - arcs[k + 1].enter_m : length_m;
        double from_m = MIN((double)arcs[k].enter_m, to_m);
        LinePiece piece = {.arc = arcs[k].arc,
                           .first = arcs[k].first,
                           .from_m = from_m,
                           .start_s = s,
                           .end_s = s + to_m - from_m,
                           .vertex = line->vertices->len > 0 ? line->vertices->len - 1 : 0};
        g_array_append_val(line->pieces, piece);
        add_part(line, network, &piece, to_m);
        s = piece.end_s;
    }
    if (line->vertices->len == 1) {
        LineVertex again = g_array_index(line->vertices, LineVertex, 0);
        again.s += 1e-9;
        g_array_append_val(line->vertices, again);
    }
}

/* Moves the cursor to the vertex at or before s (never the last one). */
static guint seek(const MatchLine *line, double s, guint cursor)
{
    const LineVertex *v = (const LineVertex *)(const void *)line->vertices->data;
    guint last = line->vertices->len - 2;
    cursor = MIN(cursor, last);
    while (cursor > 0 && v[cursor].s > s)
        cursor--;
    while (cursor < last && v[cursor + 1].s <= s)
        cursor++;
    return cursor;
}

LinePlace match_line_project(const MatchLine *line, const Plane *plane, double low_s, double high_s,
                             guint *cursor)
{
    const LineVertex *v = (const LineVertex *)(const void *)line->vertices->data;
    guint n = line->vertices->len;
    LinePlace best = {0};
    double best2 = INFINITY;
    guint k = seek(line, low_s, *cursor);
    PlanePoint a = plane_from_geo(plane, v[k].at);
    for (; k + 1 < n; k++) {
        PlanePoint b = plane_from_geo(plane, v[k + 1].at);
        double dx = b.x - a.x;
        double dy = b.y - a.y;
        double length2 = dx * dx + dy * dy;
        double piece_m = v[k + 1].s - v[k].s;
        double least = v[k].s < low_s ? (low_s - v[k].s) / piece_m : 0.0;
        double most = v[k + 1].s > high_s ? (high_s - v[k].s) / piece_m : 1.0;
        double t = length2 > 0.0 ? -(a.x * dx + a.y * dy) / length2 : 0.0;
        t = t > most ? most : t;
        t = t < least ? least : t;
        t = CLAMP(t, 0.0, 1.0);
        double x = a.x + t * dx;
        double y = a.y + t * dy;
        if (x * x + y * y < best2) {
            best2 = x * x + y * y;
            double length = sqrt(length2);
            best = (LinePlace){v[k].s + t * piece_m, x, y, length > 0.0 ? dx / length : 1.0,
                               length > 0.0 ? dy / length : 0.0};
            *cursor = k;
        }
        if (v[k + 1].s >= high_s)
            break;
        a = b;
    }
    return best;
}

LinePlace match_line_at(const MatchLine *line, const Plane *plane, double s, guint *cursor)
{
    const LineVertex *v = (const LineVertex *)(const void *)line->vertices->data;
    guint k = *cursor = seek(line, s, *cursor);
    PlanePoint a = plane_from_geo(plane, v[k].at);
    PlanePoint b = plane_from_geo(plane, v[k + 1].at);
    double dx = b.x - a.x;
    double dy = b.y - a.y;
    double length = sqrt(dx * dx + dy * dy);
    double t = (s - v[k].s) / (v[k + 1].s - v[k].s);
    t = CLAMP(t, 0.0, 1.0);
    return (LinePlace){s, a.x + t * dx, a.y + t * dy, length > 0.0 ? dx / length : 1.0,
                       length > 0.0 ? dy / length : 0.0};
}
