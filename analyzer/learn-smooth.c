/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the raw line to the middle of all passes: a principal curve. In turns, each fix is placed on
 * the line, and each knot of the line moves to where a local quadratic, fitted to the fixes around
 * it along the line, has its middle. Robust: residuals are weighted by Tukey's biweight. The width
 * of the neighbourhood is chosen for each knot by the rule of Lepski (1991): the widest one whose
 * result does not contradict those of all narrower ones; so a street corner keeps its corner, and a
 * straight railway gets the precision of many fixes.
 */
#include "analyzer/crs.h"
#include "analyzer/learn.h"

#include <math.h>
#include <stdlib.h>

#define KNOT_M  20.0
#define REACH_M 110.0
enum { ROUNDS = 6, NARROW_ROUNDS = 2, ROBUST_ROUNDS = 2, MIN_FIXES = 5, WIDTHS = 8 };
static const double widths_m[WIDTHS] = {30, 50, 80, 130, 200, 320, 500, 800};
/* Of Lepski's rule: how many standard errors apart is a contradiction. */
#define CONTRADICTION 2.0
/* The narrowest fits follow the fixes: what they leave of the noise, for a quadratic on some 6. */
#define NARROW_LEAVES 0.7
/* Least scatter that is believed of a fix, and what a receiver has that nothing is known of
 * (Newson and Krumm 2009: 4.07 m). */
#define LEAST_SCATTER_M 1.0
#define USUAL_SCATTER_M 4.07

typedef struct {
    double s; /* chainage */
    PlanePoint p;
    double weight;
    double off_m; /* from the line */
    guint pass;
} Placed;

typedef struct {
    PlanePoint p;
    double error_m; /* standard error of p, each axis */
    gboolean good;
} Knot;

static int by_s(const void *a, const void *b)
{
    const Placed *p = a, *q = b;

    if (p->s != q->s)
        return p->s < q->s ? -1 : 1;
    return (p->pass > q->pass) - (p->pass < q->pass);
}

static int by_value(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;

    return (p > q) - (p < q);
}

static double median_of(double *values, guint n)
{
    if (n == 0)
        return 0;
    qsort(values, n, sizeof *values, by_value);
    return values[n / 2];
}

/* Vertices at equal distances of about KNOT_M. */
static void resample(GArray *line)
{
    guint n = line->len;
    const PlanePoint *p = (const PlanePoint *)(const void *)line->data;
    double total = 0, along = 0;

    for (guint i = 1; i < n; i++)
        total += plane_distance(p[i - 1], p[i]);
    guint pieces = MAX((guint)ceil(total / KNOT_M), 1);
    double step = total / pieces;
    GArray *out = g_array_sized_new(FALSE, FALSE, sizeof(PlanePoint), pieces + 1);
    guint segment = 1;
    for (guint k = 0; k <= pieces; k++) {
        double want = k * step;
        while (segment + 1 < n && along + plane_distance(p[segment - 1], p[segment]) < want) {
            along += plane_distance(p[segment - 1], p[segment]);
            segment++;
        }
        double length = plane_distance(p[segment - 1], p[segment]);
        double t = length > 0 ? CLAMP((want - along) / length, 0, 1) : 0;
        PlanePoint q = {p[segment - 1].x + t * (p[segment].x - p[segment - 1].x),
                        p[segment - 1].y + t * (p[segment].y - p[segment - 1].y)};
        g_array_append_val(out, q);
    }
    g_array_set_size(line, 0);
    g_array_append_vals(line, out->data, out->len);
    g_array_unref(out);
}

/* Places the fixes on the line. A pass ends where a track ends, turns back by 500 m or leaves the
 * line for long. */
static void place_fixes(const GArray *fixes, const GArray *tracks, const GArray *line, double reach,
                        GArray *placed, LearnResult *result)
{
    g_autoptr(LineIndex) index = line_index_new(REACH_M);
    guint pass = 0;
    double worst = learn_worst_accuracy(fixes);

    g_array_set_size(placed, 0);
    result->used = result->off_line = 0;
    line_index_set(index, (const PlanePoint *)(const void *)line->data, line->len);
    double length = line_index_along(index, line->len - 1);
    for (guint t = 0; t < tracks->len; t++) {
        const LearnTrack *track = &g_array_index(tracks, LearnTrack, t);
        double expect = NAN, extreme = NAN;
        int direction = 0;
        pass++;
        for (guint i = 0; i < track->n; i++) {
            const LearnFix *fix = &g_array_index(fixes, LearnFix, track->first + i);
            IndexHit hit;
            if (!isnan(fix->accuracy_m) && fix->accuracy_m > worst)
                continue;
            if (!line_index_nearest(index, fix->p, expect, 0.02, &hit) || hit.distance_m > reach ||
                (hit.distance_m > KNOT_M && (hit.along_m <= 0 || hit.along_m >= length))) {
                result->off_line++;
                continue;
            }
            if (isnan(extreme))
                extreme = hit.along_m;
            double moved = hit.along_m - extreme;
            if (direction == 0 ? fabs(moved) > 50 : moved * direction > 0) {
                direction = moved > 0 ? 1 : -1;
                extreme = hit.along_m;
            } else if (fabs(moved) > 500) {
                pass++;
                direction = -direction;
                extreme = hit.along_m;
            }
            expect = hit.along_m;
            double accuracy =
                isnan(fix->accuracy_m) ? 2 * USUAL_SCATTER_M : CLAMP(fix->accuracy_m, 3, 200);
            Placed one = {hit.along_m, fix->p, 1 / (accuracy * accuracy), hit.distance_m, pass};
            g_array_append_val(placed, one);
            result->used++;
        }
    }
    qsort(placed->data, placed->len, sizeof(Placed), by_s);
}

/* Local polynomial of x and y over u = (s - s0) / h by weighted least squares: value at u = 0 and
 * its standard error for unit scatter. order 2, or 1 near the ends of the line. */
static gboolean solve(const Placed *p, const double *w, guint n, double s0, double h, int order,
                      PlanePoint *value, double *unit_error)
{
    double m[5] = {0}, q[5] = {0}, bx[3] = {0}, by[3] = {0};

    for (guint i = 0; i < n; i++) {
        double u = (p[i].s - s0) / h, power = w[i];
        for (int k = 0; k < 5; k++) {
            m[k] += power;
            q[k] += power * w[i];
            if (k <= 2) {
                bx[k] += power * (p[i].p.x - p[0].p.x);
                by[k] += power * (p[i].p.y - p[0].p.y);
            }
            power *= u;
        }
    }
    /* c solves M c = e0, so that value = c . b and variance = c' Q c */
    double c[3] = {0};
    if (order == 2) {
        double c0 = m[2] * m[4] - m[3] * m[3], c1 = m[2] * m[3] - m[1] * m[4],
               c2 = m[1] * m[3] - m[2] * m[2];
        double det = m[0] * c0 + m[1] * c1 + m[2] * c2;
        if (!(fabs(det) > 1e-9 * m[0] * m[0] * m[0]))
            return FALSE;
        c[0] = c0 / det;
        c[1] = c1 / det;
        c[2] = c2 / det;
    } else {
        double det = m[0] * m[2] - m[1] * m[1];
        if (!(det > 1e-9 * m[0] * m[0]))
            return FALSE;
        c[0] = m[2] / det;
        c[1] = -m[1] / det;
    }
    double variance = 0;
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++)
            variance += c[a] * c[b] * q[a + b];
    }
    *value = (PlanePoint){p[0].p.x + c[0] * bx[0] + c[1] * bx[1] + c[2] * bx[2],
                          p[0].p.y + c[0] * by[0] + c[1] * by[1] + c[2] * by[2]};
    *unit_error = sqrt(fmax(variance, 0));
    return *unit_error < 1.2; /* worse than one fix alone: an extrapolation */
}

/* Fit around s0 with half-width h. FALSE where there are too few fixes or, inside the line, none on
 * one side. */
static gboolean fit(const Placed *placed, guint n, double s0, double h, double length,
                    double scatter, GArray *weights, PlanePoint *value, double *error)
{
    guint first = 0, last = n;
    guint left = 0, right = 0;

    for (guint low = 0, high = n; low < high;) { /* first with s >= s0 - h */
        guint mid = low + (high - low) / 2;
        if (placed[mid].s < s0 - h)
            low = mid + 1;
        else
            high = mid;
        first = low;
    }
    for (last = first; last < n && placed[last].s <= s0 + h; last++)
        *(placed[last].s < s0 ? &left : &right) += 1;
    gboolean tip = s0 < h || s0 > length - h;
    if (left + right < MIN_FIXES || (!tip && (left < 2 || right < 2)))
        return FALSE;
    guint count = last - first;
    const Placed *p = placed + first;
    g_array_set_size(weights, count);
    double *w = (double *)(void *)weights->data;
    PlanePoint middle = {0, 0};
    for (int round = 0; round <= ROBUST_ROUNDS; round++) {
        for (guint i = 0; i < count; i++) {
            double u = fabs(p[i].s - s0) / h;
            double kernel = 1 - u * u * u;
            w[i] = kernel * kernel * kernel * p[i].weight * 64;
            /* outliers by how far they lie off the line; it is near the truth after a round */
            double r = p[i].off_m / (4.685 * scatter);
            w[i] *= r < 1 ? (1 - r * r) * (1 - r * r) : 0;
            if (round > 0) {
                double away =
                    fmax(plane_distance(p[i].p, middle) - fabs(p[i].s - s0), 0) / (4.685 * scatter);
                w[i] *= away < 1 ? (1 - away * away) * (1 - away * away) : 0;
            }
        }
        if (!solve(p, w, count, s0, h, tip ? 1 : 2, &middle, error))
            return FALSE;
    }
    *value = middle;
    *error *= scatter;
    return TRUE;
}

/* noise: scatter of fixes along a short piece of line; NaN = take the narrowest fit there is. */
static Knot fit_knot(const Placed *placed, guint n, double s0, double length, double scatter,
                     double noise, GArray *weights)
{
    struct {
        PlanePoint p;
        double error;
    } tried[WIDTHS];
    guint count = 0;

    for (int i = 0; i < WIDTHS; i++) {
        PlanePoint value;
        double error;
        if (!fit(placed, n, s0, widths_m[i], length, scatter, weights, &value, &error))
            continue;
        if (isnan(noise))
            return (Knot){value, error, TRUE};
        error *= noise / scatter;
        for (guint k = 0; k < count; k++) {
            if (plane_distance(value, tried[k].p) > CONTRADICTION * (error + tried[k].error))
                return (Knot){tried[count - 1].p, tried[count - 1].error, TRUE};
        }
        tried[count].p = value;
        tried[count++].error = error;
    }
    if (count == 0)
        return (Knot){{0, 0}, 0, FALSE};
    return (Knot){tried[count - 1].p, tried[count - 1].error, TRUE};
}

/* Direction of the line before (step -1) or after (step 1) knot i as seen over some 200 m, of
 * length 1; the chord where there is less, or where it turns away from the chord: a loose end. */
static PlanePoint end_direction(const Knot *knots, guint n, guint i, int step, PlanePoint chord)
{
    guint k = i;

    for (int count = 0; count < 10; count++) {
        guint next = step < 0 ? k - 1 : k + 1;
        if ((step < 0 ? k == 0 : k + 1 >= n) || !knots[next].good)
            break;
        k = next;
    }
    PlanePoint d = {(knots[k].p.x - knots[i].p.x) * step, (knots[k].p.y - knots[i].p.y) * step};
    double length = hypot(d.x, d.y);
    if (length < 5 * KNOT_M || d.x * chord.x + d.y * chord.y < 0.5 * length)
        return chord;
    return (PlanePoint){d.x / length, d.y / length};
}

/* Cubic through the knots around a run first..last - 1 that no fix supports, with the directions
 * that the line has there. */
static void bridge(PlanePoint *p, const Knot *knots, guint n, guint first, guint last)
{
    if (first == 0 || last >= n)
        return; /* at the ends of the line: as it was */
    PlanePoint a = knots[first - 1].p, b = knots[last].p;
    double span = plane_distance(a, b);
    if (span <= 0)
        return;
    PlanePoint chord = {(b.x - a.x) / span, (b.y - a.y) / span};
    PlanePoint da = end_direction(knots, n, first - 1, -1, chord),
               db = end_direction(knots, n, last, 1, chord);
    for (guint i = first; i < last; i++) {
        double u = (double)(i - first + 1) / (last - first + 1), u2 = u * u, u3 = u2 * u;
        double h00 = 2 * u3 - 3 * u2 + 1, h10 = (u3 - 2 * u2 + u) * span, h01 = -2 * u3 + 3 * u2,
               h11 = (u3 - u2) * span;
        p[i].x = h00 * a.x + h10 * da.x + h01 * b.x + h11 * db.x;
        p[i].y = h00 * a.y + h10 * da.y + h01 * b.y + h11 * db.y;
    }
}

/* Where fixes are too few for a fit, the line still goes through them: those near the line as it
 * is, and not near to a knot that stands. */
static void anchor_lone_fixes(GArray *knots, const GArray *placed, double length, double scatter)
{
    double step = knots->len > 1 ? length / (knots->len - 1) : 1;

    for (guint i = 0; i < placed->len; i++) {
        const Placed *p = &g_array_index(placed, Placed, i);
        guint at = (guint)CLAMP(lround(p->s / step), 0, (long)knots->len - 1);
        Knot *knot = &g_array_index(knots, Knot, at);
        gboolean alone = p->off_m <= 3 * scatter;
        for (guint k = at > 5 ? at - 5 : 0; alone && k <= at + 5 && k < knots->len; k++)
            alone = !g_array_index(knots, Knot, k).good;
        if (alone)
            *knot = (Knot){p->p, USUAL_SCATTER_M, TRUE};
    }
}

static void move_knots(GArray *line, GArray *knots, const GArray *placed, double scatter,
                       double noise, double *longest_gap)
{
    g_autoptr(GArray) weights = g_array_new(FALSE, FALSE, sizeof(double));
    PlanePoint *p = (PlanePoint *)(void *)line->data;
    guint n = line->len;
    double along = 0, length = 0;

    for (guint i = 1; i < n; i++)
        length += plane_distance(p[i - 1], p[i]);
    g_array_set_size(knots, 0);
    for (guint i = 0; i < n; i++) {
        along += i > 0 ? plane_distance(p[i - 1], p[i]) : 0;
        Knot knot = fit_knot((const Placed *)(const void *)placed->data, placed->len, along, length,
                             scatter, noise, weights);
        g_array_append_val(knots, knot);
    }
    anchor_lone_fixes(knots, placed, length, scatter);
    const Knot *k = (const Knot *)(const void *)knots->data;
    *longest_gap = 0;
    for (guint i = 0; i < n;) {
        if (k[i].good) {
            p[i] = k[i].p;
            i++;
            continue;
        }
        guint first = i;
        while (i < n && !k[i].good)
            i++;
        *longest_gap = fmax(*longest_gap, (i - first) * KNOT_M);
        bridge(p, k, n, first, i);
    }
}

/* Takes out places where the line runs out and back over itself within a short way: what scatter at
 * a stop leaves. A hairpin road does not: its legs lie apart. */
static void remove_spikes(GArray *line)
{
    const double longest = 6000, beside = 18;

    for (guint i = 1; i + 1 < line->len;) {
        PlanePoint *p = (PlanePoint *)(void *)line->data;
        double way = 0;
        guint back_to = 0;
        for (guint j = i + 1; j < line->len && way <= longest; j++) {
            way += plane_distance(p[j - 1], p[j]);
            if (way > 3 * beside && plane_distance(p[i], p[j]) < beside)
                back_to = j;
        }
        gboolean thin = back_to > 0;
        for (guint a = i, b = back_to; thin && a < b; a++, b--)
            thin = plane_distance(p[a], p[b]) < 2 * beside;
        if (thin)
            g_array_remove_range(line, i + 1, back_to - i);
        else
            i++;
    }
}

/* Scatter across the line, and how many passes see a place. */
static void measure(const GArray *placed, const GArray *knots, LearnResult *result)
{
    g_autofree double *values = g_new(double, MAX(placed->len, knots->len) + 1);
    const Placed *p = (const Placed *)(const void *)placed->data;
    guint n = 0;

    for (guint i = 0; i < placed->len; i++)
        values[i] = p[i].off_m;
    result->scatter_m = fmax(1.4826 * median_of(values, placed->len), LEAST_SCATTER_M);
    for (guint i = 0, first = 0; i < knots->len; i++) {
        double s = i * KNOT_M;
        g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
        while (first < placed->len && p[first].s < s - 300)
            first++;
        for (guint k = first; k < placed->len && p[k].s < s + 300; k++)
            g_hash_table_add(seen, GUINT_TO_POINTER(p[k].pass));
        values[n++] = g_hash_table_size(seen);
    }
    result->passes = (guint)median_of(values, n);
    /* errors of one pass go together, so passes count, not fixes */
    double one_pass = fmax(result->scatter_m, result->passes <= 1 ? USUAL_SCATTER_M : 0);
    n = 0;
    for (guint i = 0; i < knots->len; i++) {
        const Knot *knot = &g_array_index(knots, Knot, i);
        double shared = one_pass / sqrt(MAX(result->passes, 1));
        values[n++] = knot->good ? hypot(knot->error_m, shared) : HUGE_VAL;
    }
    qsort(values, n, sizeof *values, by_value);
    double error = n > 0 ? values[(guint)(0.9 * (n - 1))] : HUGE_VAL;
    result->uncertainty_m = isfinite(error) ? 1.96 * error : NAN;
}

void learn_smooth(const GArray *fixes, const GArray *tracks, GArray *line, LearnResult *result)
{
    g_autoptr(GArray) placed = g_array_new(FALSE, FALSE, sizeof(Placed));
    g_autoptr(GArray) knots = g_array_new(FALSE, FALSE, sizeof(Knot));
    double scatter = 25, reach = 90, noise = NAN;

    for (int round = 0; round < ROUNDS; round++) {
        resample(line);
        place_fixes(fixes, tracks, line, reach, placed, result);
        if (placed->len < MIN_FIXES)
            break;
        if (round > 0) {
            measure(placed, knots, result);
            scatter = result->scatter_m;
            reach = CLAMP(8 * scatter, 40, 90);
        }
        if (round == NARROW_ROUNDS)
            noise = scatter / NARROW_LEAVES;
        move_knots(line, knots, placed, scatter, noise, &result->longest_gap_m);
        remove_spikes(line);
    }
    place_fixes(fixes, tracks, line, reach, placed, result);
    measure(placed, knots, result);
    resample(line);
}
