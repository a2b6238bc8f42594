/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/match-smooth.h"

#include <math.h>
#include <string.h>

/* Speed as a random walk where nobody tells it, m²/s³. */
static const double wander_m2s3 = 1.0;

/* One fix: what is measured, and its row of the normal equations (the part left of the diagonal),
 * later of their factors. */
typedef struct {
    double z;         /* metres along the line by the position */
    double tx, ty;    /* direction of the line there */
    double d, l1, l2; /* diagonal, link with the fix before, with the one before that */
    double b;         /* right side, then the solution */
    double scale;     /* of σ: more than 1 for a fix far off */
    double doubt;     /* the same of the step before, whose speed proved wrong */
} Row;

struct Smoother {
    Row *rows;
    size_t room;
    Plane plane;
    double plane_lat;
};

Smoother *smoother_new(void)
{
    Smoother *smoother = g_new0(Smoother, 1);
    smoother->plane_lat = NAN;
    return smoother;
}

void smoother_free(Smoother *smoother)
{
    if (smoother == NULL)
        return;
    g_free(smoother->rows);
    g_free(smoother);
}

static const Plane *plane_of(Smoother *smoother, const Observation *o)
{
    if (!(fabs(o->at.lat - smoother->plane_lat) < 0.003)) {
        smoother->plane = plane_at(o->at);
        smoother->plane_lat = o->at.lat;
    }
    smoother->plane.origin = o->at;
    return &smoother->plane;
}

static double outlier_scale(double error_m, double sigma_m)
{
    return MAX(fabs(error_m) / (3.0 * sigma_m), 1.0);
}

/* Positions pull a right speed about a little, by less than this. */
static double step_doubt(double error_m, const Observation *o)
{
    double limit_m = 3.0 * (double)o->step_sd_m + 0.5 * (double)o->sigma_m;
    return MAX(fabs(error_m) / limit_m, 1.0);
}

/* Measures all fixes by projecting each onto the part of the line where the first pass saw it. */
static void project_all(Smoother *smoother, const MatchLine *line, const Observation *obs, size_t n,
                        uint32_t first, double max_speed_mps)
{
    const LinePiece *pieces = (const LinePiece *)(const void *)line->pieces->data;
    guint n_pieces = line->pieces->len;
    guint piece = 0;
    guint cursor = 0;
    double before = NAN;
    double end_s = pieces[n_pieces - 1].end_s;
    for (size_t i = 0; i < n; i++) {
        while (piece + 1 < n_pieces && pieces[piece + 1].first <= first + i)
            piece++;
        double margin = 3.0 * (double)obs[i].sigma_m + 5.0;
        double low = MAX(pieces[piece].start_s - margin, 0.0);
        double high = MIN(pieces[piece].end_s + margin, end_s);
        if (i > 0) {
            double slack = 5.0 * (double)obs[i].sigma_m + 5.0;
            double least = before - slack;
            double most = before + max_speed_mps * (double)obs[i].dt_s + slack;
            if (isfinite(obs[i].step_m)) {
                slack += 4.0 * (double)obs[i].step_sd_m;
                least = before + (double)obs[i].step_m - slack;
                most = before + (double)obs[i].step_m + slack;
            }
            if (least < high && most > low) {
                low = MAX(least, low);
                high = MIN(most, high);
            }
        }
        LinePlace place = match_line_project(line, plane_of(smoother, &obs[i]), low, high, &cursor);
        Row *row = &smoother->rows[i];
        row->z = before = place.s;
        row->tx = place.tx;
        row->ty = place.ty;
        row->doubt = 1.0;
        row->scale =
            outlier_scale(sqrt(place.x * place.x + place.y * place.y), (double)obs[i].sigma_m);
    }
}

/* Measures again along the line's direction at the places found so far: a nearest place is a bad
 * measure near bends. */
static void measure_again(Smoother *smoother, const MatchLine *line, const Observation *obs,
                          size_t n)
{
    guint cursor = 0;
    for (size_t i = 0; i < n; i++) {
        Row *row = &smoother->rows[i];
        LinePlace place = match_line_at(line, plane_of(smoother, &obs[i]), row->b, &cursor);
        row->z = row->b - (place.x * place.tx + place.y * place.ty);
        row->tx = place.tx;
        row->ty = place.ty;
        double across = place.x * place.ty - place.y * place.tx;
        row->scale = outlier_scale(across, (double)obs[i].sigma_m);
        if (i > 0 && isfinite(obs[i].step_m))
            row->doubt = step_doubt(row->b - row[-1].b - (double)obs[i].step_m, &obs[i]);
    }
}

/* Adds the term ((s_i - s_{i-1}) - metres)² * weight. */
static void add_step(Row *before, Row *row, double metres, double weight)
{
    row->d += weight;
    before->d += weight;
    row->l1 -= weight;
    row->b += weight * metres;
    before->b -= weight * metres;
}

/* Adds the term (v_i - v_{i-1})² * weight for the speeds of two legs that follow each other. */
static void add_bend(Row *rows, size_t i, double dt1, double dt0, double weight)
{
    double a = 1.0 / dt1;
    double c = 1.0 / dt0;
    double m = -(a + c);
    rows[i].d += weight * a * a;
    rows[i - 1].d += weight * m * m;
    rows[i - 2].d += weight * c * c;
    rows[i].l1 += weight * a * m;
    rows[i - 1].l1 += weight * m * c;
    rows[i].l2 += weight * a * c;
}

static void build(Smoother *smoother, const Observation *obs, size_t n, const MatchNoise *noise)
{
    Row *rows = smoother->rows;
    for (size_t i = 0; i < n; i++)
        rows[i].d = rows[i].l1 = rows[i].l2 = rows[i].b = 0.0;
    double dt_before = -1.0;
    double phi_of_dt = 0.0;
    for (size_t i = 0; i < n; i++) {
        Row *row = &rows[i];
        double sigma = (double)obs[i].sigma_m * row->scale;
        double dt = (double)obs[i].dt_s;
        if (dt != dt_before) {
            phi_of_dt = exp(-dt / noise->tau_s);
            dt_before = dt;
        }
        double phi = 0.0;
        if (i > 0) /* what was along the line before a bend is across it after */
            phi = phi_of_dt * MAX(row->tx * row[-1].tx + row->ty * row[-1].ty, 0.0);
        double variance = sigma * sigma * (1.0 - phi * phi) + 0.01 * sigma * sigma + 0.1;
        if (noise->jitter_s > 0.0 && i > 0) {
            double shift_m = noise->jitter_s * fmin(fabs(row->z - row[-1].z) / dt, 100.0);
            variance += shift_m * shift_m;
        }
        double weight = 1.0 / variance;
        double y = row->z;
        row->d += weight;
        if (i > 0) {
            y -= phi * row[-1].z;
            row[-1].d += weight * phi * phi;
            row->l1 -= weight * phi;
            row[-1].b -= weight * phi * y;
        }
        row->b += weight * y;
        if (i == 0)
            continue;
        double step_sd = (double)obs[i].step_sd_m * row->doubt;
        if (isfinite(obs[i].step_m))
            add_step(row - 1, row, (double)obs[i].step_m, 1.0 / (step_sd * step_sd));
        else if (i > 1 && dt > 0.05 && obs[i - 1].dt_s > 0.05f)
            add_bend(rows, i, dt, (double)obs[i - 1].dt_s,
                     1.0 / (wander_m2s3 * 0.5 * (dt + (double)obs[i - 1].dt_s)));
    }
}

/* L D Lᵀ of a matrix with two diagonals beside the main one, then both substitutions: rows[].b
 * becomes the solution. */
static void solve(Row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        Row *r = &rows[i];
        if (i > 1) {
            double link = r->l2;
            r->l2 = link / r[-2].d;
            r->l1 -= link * r[-1].l1;
            r->d -= link * r->l2;
        }
        if (i > 0) {
            double link = r->l1;
            r->l1 = link / r[-1].d;
            r->d -= link * r->l1;
        }
        r->d = MAX(r->d, 1e-12);
        if (i > 0)
            r->b -= r->l1 * r[-1].b;
        if (i > 1)
            r->b -= r->l2 * r[-2].b;
    }
    for (size_t k = n; k > 0; k--) {
        size_t i = k - 1;
        double x = rows[i].b / rows[i].d;
        if (i + 1 < n)
            x -= rows[i + 1].l1 * rows[i + 1].b;
        if (i + 2 < n)
            x -= rows[i + 2].l2 * rows[i + 2].b;
        rows[i].b = x;
    }
}

/* Diagonal of the inverse from the factors (Takahashi, Fagan & Chen 1973): variances. */
static void variances(const Row *rows, size_t n, SmoothPlace *places)
{
    double v11 = 0.0; /* of i + 1 */
    double v12 = 0.0; /* of i + 1 with i + 2 */
    double v22 = 0.0; /* of i + 2 */
    for (size_t k = n; k > 0; k--) {
        size_t i = k - 1;
        double a = i + 1 < n ? rows[i + 1].l1 : 0.0;
        double c = i + 2 < n ? rows[i + 2].l2 : 0.0;
        double v01 = -a * v11 - c * v12;
        double v02 = -a * v12 - c * v22;
        double v00 = 1.0 / rows[i].d - a * v01 - c * v02;
        places[i].sd_m = sqrt(MAX(v00, 0.0));
        v22 = v11;
        v12 = v01;
        v11 = v00;
    }
}

/* Places on the line that never descend and are nearest to the solution: neighbours that run
 * backward get their mean (pool adjacent violators; Barlow et al. 1972). One fix far ahead moves
 * those after it only a little. Blocks lie in l1 (mean) and l2 (count), which nobody needs now. */
static void keep_on_line(Row *rows, size_t n, double end_s)
{
    size_t blocks = 0;
    for (size_t i = 0; i < n; i++) {
        double s = isfinite(rows[i].b) ? rows[i].b : rows[i].z;
        rows[blocks].l1 = CLAMP(s, 0.0, end_s);
        rows[blocks].l2 = 1.0;
        blocks++;
        while (blocks > 1 && rows[blocks - 2].l1 > rows[blocks - 1].l1) {
            Row *a = &rows[blocks - 2];
            const Row *b = &rows[blocks - 1];
            a->l1 = (a->l1 * a->l2 + b->l1 * b->l2) / (a->l2 + b->l2);
            a->l2 += b->l2;
            blocks--;
        }
    }
    size_t i = 0;
    for (size_t k = 0; k < blocks; k++)
        for (double left = rows[k].l2; left > 0.5; left -= 1.0)
            rows[i++].b = rows[k].l1;
}

static void write_places(Smoother *smoother, const MatchLine *line, const Observation *obs,
                         size_t n, SmoothPlace *places)
{
    guint cursor = 0;
    for (size_t i = 0; i < n; i++) {
        const Plane *plane = plane_of(smoother, &obs[i]);
        LinePlace place = match_line_at(line, plane, smoother->rows[i].b, &cursor);
        places[i].s = smoother->rows[i].b;
        places[i].across_m = (float)(place.x * place.ty - place.y * place.tx);
        places[i].distance_m = (float)sqrt(place.x * place.x + place.y * place.y);
        places[i].at = plane_to_geo(plane, (PlanePoint){place.x, place.y});
    }
}

void smoother_run(Smoother *smoother, const MatchLine *line, const Observation *obs, uint32_t first,
                  size_t n, const MatchNoise *noise, double max_speed_mps, SmoothPlace *places)
{
    if (n > smoother->room) {
        smoother->room = MAX(n, 2 * smoother->room);
        smoother->rows = g_renew(Row, smoother->rows, smoother->room);
    }
    const LinePiece *last = &g_array_index(line->pieces, LinePiece, line->pieces->len - 1);
    project_all(smoother, line, obs, n, first, max_speed_mps);
    build(smoother, obs, n, noise);
    solve(smoother->rows, n);
    keep_on_line(smoother->rows, n, last->end_s);
    measure_again(smoother, line, obs, n);
    build(smoother, obs, n, noise);
    solve(smoother->rows, n);
    variances(smoother->rows, n, places);
    keep_on_line(smoother->rows, n, last->end_s);
    write_places(smoother, line, obs, n, places);
}
