/* SPDX-License-Identifier: Apache-2.0 */
/* The index of polygons against a slow look at every edge of every ring. */
#include "analyzer/polygon-index.h"
#include "analyzer/stat.h"

#include <math.h>

#define FEATURES 40
#define RINGS    4
#define CORNERS  60

typedef struct {
    GeoPoint points[RINGS * (CORNERS + 1)];
    uint32_t part[RINGS + 1];
    uint8_t is_hole[RINGS];
    double level;
    LayerShape shape;
} Made;

/* Rings around places in a square of two degrees; uneven, so that some cross themselves. */
static void make(Made *m, StatRandom *random)
{
    uint32_t n = 0, rings = 1 + (uint32_t)stat_random_below(random, RINGS);
    double lon = 0.0, lat = 0.0, size = 0.0;
    for (uint32_t r = 0; r < rings; r++) {
        m->part[r] = n;
        m->is_hole[r] = r > 0 && stat_random_uniform(random) < 0.6;
        if (!m->is_hole[r]) {
            lon = 2.0 * stat_random_uniform(random);
            lat = 2.0 * stat_random_uniform(random);
            size = 0.05 + 0.6 * stat_random_uniform(random);
        }
        uint32_t first = n;
        for (int i = 0; i < CORNERS; i++) {
            double turn = 2.0 * G_PI * i / CORNERS + 0.3 * stat_random_normal(random);
            double reach =
                size * (m->is_hole[r] ? 0.4 : 1.0) * (0.7 + 0.3 * stat_random_uniform(random));
            m->points[n++] = (GeoPoint){lon + reach * cos(turn), lat + reach * sin(turn)};
        }
        m->points[n++] = m->points[first];
    }
    m->part[rings] = n;
    m->level = stat_random_uniform(random) < 0.3
                   ? (double)NAN
                   : -60.0 - floor(60.0 * stat_random_uniform(random));
    m->shape = (LayerShape){LAYER_POLYGONS, rings, m->part, m->is_hole, m->points};
}

static gboolean ring_holds(const Made *m, uint32_t ring, GeoPoint q)
{
    gboolean inside = FALSE;
    for (uint32_t i = m->part[ring]; i + 1 < m->part[ring + 1]; i++) {
        GeoPoint a = m->points[i], b = m->points[i + 1];
        if ((a.lat > q.lat) != (b.lat > q.lat) &&
            q.lon < (b.lon - a.lon) * (q.lat - a.lat) / (b.lat - a.lat) + a.lon)
            inside = !inside;
    }
    return inside;
}

/* A feature holds a place if any outer ring does without one of its holes. */
static gboolean slowly(const Made *m, GeoPoint q)
{
    for (uint32_t r = 0; r < m->shape.n_parts; r++) {
        gboolean held = !m->is_hole[r] && ring_holds(m, r, q);
        for (uint32_t h = r + 1; held && h < m->shape.n_parts && m->is_hole[h]; h++)
            held = !ring_holds(m, h, q);
        if (held)
            return TRUE;
    }
    return FALSE;
}

static void test_slow(void)
{
    StatRandom random = {5};
    g_autofree Made *made = g_new0(Made, FEATURES);
    const GeoBox boxes[] = {
        {0.0, 0.0, 2.0, 2.0}, {0.7, 0.9, 0.9, 1.0}, {1.0, -5.0, 1.1, 5.0}, {-9.0, 1.0, 9.0, 1.0}};
    unsigned held = 0, free_places = 0;
    for (int round = 0; round < 20; round++) {
        const GeoBox *box = &boxes[round % (int)G_N_ELEMENTS(boxes)];
        g_autoptr(PolygonIndex) index = polygon_index_new(box);
        for (int f = 0; f < FEATURES; f++) {
            make(&made[f], &random);
            g_autofree char *name = g_strdup_printf("f%d", f);
            polygon_index_add(index, &made[f].shape, made[f].level, name);
        }
        polygon_index_finish(index);
        g_assert_cmpuint(polygon_index_count(index), ==, FEATURES);
        for (int i = 0; i < 2000; i++) {
            GeoPoint q = {box->west + (box->east - box->west) * stat_random_uniform(&random),
                          box->south + (box->north - box->south) * stat_random_uniform(&random)};
            gboolean any = FALSE;
            double highest = NAN;
            int first = -1;
            for (int f = 0; f < FEATURES; f++)
                if (slowly(&made[f], q)) {
                    any = TRUE;
                    first = first < 0 ? f : first;
                    if (!isnan(made[f].level))
                        highest = isnan(highest) ? made[f].level : fmax(highest, made[f].level);
                }
            double level;
            const char *name = NULL;
            g_assert_cmpint(polygon_index_at(index, q, &level, &name), ==, any);
            g_assert_true(isnan(highest) ? isnan(level) : level == highest);
            if (any) {
                g_autofree char *wanted = g_strdup_printf("f%d", first);
                g_assert_cmpstr(name, ==, wanted);
            }
            held += any != FALSE;
            free_places += any == FALSE;
        }
    }
    g_assert_cmpuint(held, >, 5000);
    g_assert_cmpuint(free_places, >, 5000);
}

static void test_empty(void)
{
    GeoBox box = {0.0, 0.0, 1.0, 1.0};
    g_autoptr(PolygonIndex) index = polygon_index_new(&box);
    polygon_index_finish(index);
    g_assert_false(polygon_index_at(index, (GeoPoint){0.5, 0.5}, NULL, NULL));
    g_assert_false(polygon_index_at(index, (GeoPoint){0.5, 7.0}, NULL, NULL));
    g_assert_cmpuint(polygon_index_edges(index), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/polygon-index/slow", test_slow);
    g_test_add_func("/polygon-index/empty", test_empty);
    return g_test_run();
}
