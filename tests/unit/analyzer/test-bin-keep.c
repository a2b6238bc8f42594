/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/bin-keep.h"
#include "analyzer/track-build.h"
#include "tests/bench/made-truth.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

static char *folder;
enum { RECEIVER = 7 };

typedef struct {
    Truth *truth;
    BinTrack *track;
    char *drive, *key;
    int64_t end_ns;
} Setup;

static void set_up(Setup *s, gconstpointer data)
{
    (void)data;
    s->truth = truth_make(NULL, 3, 4);
    const TruthFix *truth = (const TruthFix *)(void *)s->truth->fixes->data;
    g_autofree GeoPoint *at = truth_blur(s->truth, 8.0, 5);
    g_autoptr(GArray) fixes = g_array_new(FALSE, TRUE, sizeof(MatchFix));
    for (guint i = 0; i < s->truth->fixes->len; i++) {
        MatchFix fix = {.time_ns = truth[i].time_ns,
                        .lat = at[i].lat,
                        .lon = at[i].lon,
                        .accuracy_m = 8.0,
                        .speed_mps = truth[i].speed_mps,
                        .heading_deg = NAN};
        if (i % 700 > 30) /* gaps */
            g_array_append_val(fixes, fix);
    }
    MatchFix away = g_array_index(fixes, MatchFix, fixes->len - 1);
    for (guint i = 0; i < 1200; i++) { /* and 20 km over the fields */
        away.time_ns += 1000000000;
        away.lat += 0.00015;
        g_array_append_val(fixes, away);
    }
    s->end_ns = away.time_ns;
    s->track = g_new0(BinTrack, 1);
    s->track->track = track_match(s->truth->network, (const MatchFix *)(void *)fixes->data,
                                  fixes->len, NULL, NULL);
    g_assert_nonnull(s->track->track);
    s->track->fixes[FIX_MATCHED] = 1234;
    s->track->accuracy_p50_m = 8.0;
    s->track->distance_p50_m = 3.5;
    s->track->distance_p95_m = 9.5;
    s->drive = g_build_filename(folder, "a.drive", NULL);
    g_autofree char *content = g_strnfill(5000, 'x');
    g_assert_true(g_file_set_contents(s->drive, content, -1, NULL));
    /* as if it were there for a while */
    const struct timespec past[] = {{1700000000, 0}, {1700000000, 0}};
    g_assert_cmpint(utimensat(AT_FDCWD, s->drive, past, 0), ==, 0);
    s->key = bin_keep_network_key(s->truth->network);
}

static void tear_down(Setup *s, gconstpointer data)
{
    (void)data;
    g_autofree char *kept = g_strconcat(s->drive, ".match", NULL);
    (void)g_remove(s->drive);
    (void)g_remove(kept);
    bin_track_free(s->track);
    truth_free(s->truth);
    g_free(s->drive);
    g_free(s->key);
}

static void keep(const Setup *s)
{
    g_autoptr(BinKeep) keep = bin_keep_open(s->drive, s->key);
    bin_keep_put(keep, RECEIVER, s->track);
    g_assert_true(bin_keep_save(keep));
}

static BinTrack *get(const Setup *s, const char *key, gint64 receiver)
{
    g_autoptr(BinKeep) keep = bin_keep_open(s->drive, key);
    return bin_keep_get(keep, s->truth->network, receiver);
}

static void gone(const Setup *s, const char *key, gint64 receiver)
{
    BinTrack *track = get(s, key, receiver);
    g_assert_null(track);
}

/* Every place is the same to the last bit. */
static void test_same(Setup *s, gconstpointer data)
{
    (void)data;
    keep(s);
    gone(s, s->key, RECEIVER + 1);
    BinTrack *again = get(s, s->key, RECEIVER);
    g_assert_nonnull(again);
    g_assert_cmpint(again->fixes[FIX_MATCHED], ==, 1234);
    g_assert_cmpfloat(again->distance_p95_m, ==, 9.5);
    int64_t time_ns = ((const TruthFix *)(void *)s->truth->fixes->data)->time_ns;
    TrackHint a = {0}, b = {0};
    guint off = 0, between = 0;
    for (; time_ns < s->end_ns; time_ns += 333333333) {
        TrackPlace x, y;
        track_place(s->track->track, time_ns, &a, &x);
        track_place(again->track, time_ns, &b, &y);
        g_assert_cmpint(x.quality, ==, y.quality);
        g_assert_cmpuint(x.edge, ==, y.edge);
        g_assert_true(memcmp(&x.offset_m, &y.offset_m, sizeof x.offset_m) == 0);
        g_assert_true(memcmp(&x.uncertainty_m, &y.uncertainty_m, sizeof x.uncertainty_m) == 0);
        g_assert_true(memcmp(&x.point, &y.point, sizeof x.point) == 0);
        off += x.quality == PLACE_OFF_NETWORK;
        between += x.quality == PLACE_INTERPOLATED;
    }
    g_assert_cmpuint(off, >, 50);
    g_assert_cmpuint(between, >, 50);
    bin_track_free(again);
}

static void touch(const Setup *s)
{
    const struct timespec later[] = {{1700000001, 0}, {1700000001, 0}};
    g_assert_cmpint(utimensat(AT_FDCWD, s->drive, later, 0), ==, 0);
}

static void test_changes(Setup *s, gconstpointer data)
{
    (void)data;
    keep(s);
    g_autofree char *other = g_strconcat(s->key, "0", NULL);
    gone(s, other, RECEIVER);
    g_assert_cmpint(s->truth->network->n_edges, >, 10);
    NetworkEdge *edges = (NetworkEdge *)(uintptr_t)s->truth->network->edges;
    edges[5].fid++; /* another part of the same network: other numbers */
    g_autofree char *part = bin_keep_network_key(s->truth->network);
    edges[5].fid--;
    g_assert_cmpstr(part, !=, s->key);

    touch(s);
    gone(s, s->key, RECEIVER);
    keep(s);
    bin_track_free(get(s, s->key, RECEIVER));
    FILE *file = fopen(s->drive, "ab");
    if (file == NULL)
        g_error("%s cannot be written", s->drive);
    g_assert_cmpint(fputc('y', file), ==, 'y');
    g_assert_cmpint(fclose(file), ==, 0);
    touch(s);
    gone(s, s->key, RECEIVER);

    /* being written: neither kept nor used */
    keep(s);
    g_autofree char *wal = g_strconcat(s->drive, "-wal", NULL);
    g_assert_true(g_file_set_contents(wal, "frames", -1, NULL));
    gone(s, s->key, RECEIVER);
    g_assert_cmpint(g_remove(wal), ==, 0);
    BinTrack *back = get(s, s->key, RECEIVER);
    g_assert_nonnull(back);
    bin_track_free(back);
}

static gboolean is_same(const BinTrack *a, const BinTrack *b)
{
    g_autoptr(GByteArray) x = g_byte_array_new(), y = g_byte_array_new();
    track_pack(a->track, x);
    track_pack(b->track, y);
    return x->len == y->len && memcmp(x->data, y->data, x->len) == 0 &&
           memcmp(a->fixes, b->fixes, sizeof a->fixes) == 0 &&
           a->distance_p95_m == b->distance_p95_m;
}

/* Whatever happens to the file, what comes out of it is right or nothing. */
static void test_damage(Setup *s, gconstpointer data)
{
    (void)data;
    keep(s);
    g_autofree char *path = g_strconcat(s->drive, ".match", NULL), *good = NULL;
    gsize n;
    g_assert_true(g_file_get_contents(path, &good, &n, NULL));
    g_autofree char *bad = g_malloc(n);
    guint lost = 0;
    for (guint i = 0; i < 400; i++) {
        gsize at = i < 200 ? i * 2 : (gsize)g_test_rand_int_range(0, (gint)n);
        memcpy(bad, good, n);
        bad[at] = (char)(bad[at] ^ (1 << g_test_rand_int_range(0, 8)));
        gsize length = i % 4 == 0 ? at : n;
        g_assert_true(g_file_set_contents(path, bad, (gssize)length, NULL));
        BinTrack *track = get(s, s->key, RECEIVER);
        g_assert_true(track == NULL || is_same(s->track, track));
        lost += track == NULL;
        bin_track_free(track);
    }
    g_assert_cmpuint(lost, >, 350); /* zstd has bits without meaning */
    keep(s);
    BinTrack *again = get(s, s->key, RECEIVER);
    g_assert_nonnull(again);
    g_assert_true(is_same(s->track, again));
    bin_track_free(again);
}

/* A file may be right in every bit and still hold what no matcher says. */
static void test_impossible(Setup *s, gconstpointer data)
{
    (void)data;
    s->track->fixes[FIX_REJECTED] = -1;
    keep(s);
    gone(s, s->key, RECEIVER);
    s->track->fixes[FIX_REJECTED] = 0;
    static const double rows[] = {-1.0, INFINITY, -INFINITY};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        s->track->distance_p50_m = rows[i];
        keep(s);
        gone(s, s->key, RECEIVER);
    }
    s->track->distance_p50_m = NAN;
    keep(s);
    BinTrack *track = get(s, s->key, RECEIVER);
    g_assert_nonnull(track);
    bin_track_free(track);
}

static void test_no_room(Setup *s, gconstpointer data)
{
    (void)data;
    g_autofree char *path = g_strconcat(s->drive, ".match", NULL);
    g_autofree char *inside = g_build_filename(path, "x", NULL);
    g_assert_cmpint(g_mkdir(path, 0755), ==, 0);
    g_assert_true(g_file_set_contents(inside, "x", -1, NULL));
    g_autoptr(BinKeep) keep = bin_keep_open(s->drive, s->key);
    bin_keep_put(keep, RECEIVER, s->track);
    g_assert_false(bin_keep_save(keep));
    (void)g_remove(inside);
    (void)g_rmdir(path);
}

static void test_mode(Setup *s, gconstpointer data)
{
    (void)data;
    g_assert_cmpint(g_chmod(s->drive, 0600), ==, 0);
    keep(s);
    g_autofree char *path = g_strconcat(s->drive, ".match", NULL);
    struct stat info;
    g_assert_cmpint(stat(path, &info), ==, 0);
    g_assert_cmpint(info.st_mode & 0777, ==, 0600);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("corridor-keep-XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_test_add("/bin-keep/same", Setup, NULL, set_up, test_same, tear_down);
    g_test_add("/bin-keep/changes", Setup, NULL, set_up, test_changes, tear_down);
    g_test_add("/bin-keep/damage", Setup, NULL, set_up, test_damage, tear_down);
    g_test_add("/bin-keep/no-room", Setup, NULL, set_up, test_no_room, tear_down);
    g_test_add("/bin-keep/impossible", Setup, NULL, set_up, test_impossible, tear_down);
    g_test_add("/bin-keep/mode", Setup, NULL, set_up, test_mode, tear_down);
    int result = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return result;
}
