/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matched positions kept beside a drive: the first byte chooses whether the rest is the file after
 * its key, a packed track, changes to a good packed track (offset in two bytes, new byte), or the
 * figures in front of a good one in a file that is otherwise right. What comes out is a track of
 * this network that can be asked at any time.
 */
#include "analyzer/bin-keep.h"
#include "analyzer/track-build.h"
#include "tests/fuzz/scratch.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECEIVER = 7, MAGIC_SIZE = 17, SECONDS = 40 };

#define START_NS (G_GINT64_CONSTANT(1777896000) * 1000000000)

static const GeoPoint points[] = {{15, 60}, {15.002, 60}, {15.004, 60.001}, {15.006, 60.001}};
static const double chain_m[] = {0, 111.6, 0, 111.6};
static const NetworkEdge edges[] = {
    {.from = 0, .to = 1, .n_points = 2, .length_m = 111.6},
    {.from = 1, .to = 2, .first_point = 2, .n_points = 2, .length_m = 111.6, .fid = 1}};
static Network network = {.n_nodes = 3,
                          .nodes = points,
                          .n_edges = 2,
                          .edges = edges,
                          .n_points = 4,
                          .points = points,
                          .chain_m = chain_m,
                          .digest = (char *)(uintptr_t) "digest"};

static char *drive, *kept, *key;
static GByteArray *good, *front; /* a packed track; the file up to the end of its key */

static void leave(void)
{
    g_free(drive);
    g_free(kept);
    g_free(key);
    g_byte_array_unref(good);
    g_byte_array_unref(front);
}

static Track *drive_along(void)
{
    Track *track = track_new(&network, FALSE);
    for (int stretch = 0; stretch < 2; stretch++) {
        track_begin_stretch(track);
        for (uint32_t e = 0; e < 2; e++)
            track_add_piece(track, (RoutePiece){.edge = e, .start_s = 111.6 * e});
        for (int i = 0; i < SECONDS; i++)
            track_add_anchor(track, (TrackAnchor){.time_ns = START_NS + (stretch * 100 + i) *
                                                                            INT64_C(1000000000),
                                                  .s = 5.5 * i,
                                                  .speed_mps = 5.5F,
                                                  .sigma_m = 8});
    }
    const TrackFix off = {
        .time_ns = START_NS + INT64_C(60000000000), .raw = {15.1, 60.1}, .status = FIX_OFF_NETWORK};
    track_add_fix(track, &off);
    return track;
}

static void enter(void)
{
    drive = scratch_path("x.drive");
    kept = scratch_path("x.drive.match");
    g_autofree char *content = g_strnfill(200, 'x');
    scratch_write(drive, content, 200);
    const struct timespec past[] = {{1700000000, 0}, {1700000000, 0}};
    g_assert_cmpint(utimensat(AT_FDCWD, drive, past, 0), ==, 0);
    key = bin_keep_network_key(&network);
    good = g_byte_array_new();
    front = g_byte_array_new();
    BinTrack *track = g_new0(BinTrack, 1);
    track->track = drive_along();
    track_pack(track->track, good);
    g_autoptr(BinKeep) keep = bin_keep_open(drive, key);
    bin_keep_put(keep, RECEIVER, track);
    g_assert_true(bin_keep_save(keep));
    bin_track_free(track);
    g_autofree char *bytes = NULL;
    gsize n = 0;
    guint64 n_key = 0;
    g_assert_true(g_file_get_contents(kept, &bytes, &n, NULL));
    memcpy(&n_key, bytes + MAGIC_SIZE, sizeof n_key);
    g_assert_cmpuint(n, >, MAGIC_SIZE + sizeof n_key + n_key);
    g_byte_array_append(front, (guint8 *)bytes, (guint)(MAGIC_SIZE + sizeof n_key + n_key));
    (void)atexit(leave);
}

/* Times near those of the track and far from any. */
static void ask(const Track *track)
{
    static const int64_t far[] = {INT64_MIN / 2, 0, INT64_MAX / 2};
    TrackHint hint = {0};
    for (int i = -20; i < 160 + (int)G_N_ELEMENTS(far); i++) {
        TrackPlace place;
        track_place(track, i < 160 ? START_NS + i * INT64_C(999999999) : far[i - 160], &hint,
                    &place);
        if (place.quality == PLACE_NO_POSITION)
            continue;
        g_assert_true(isfinite(place.point.lon) && isfinite(place.point.lat));
        if (place.quality == PLACE_OFF_NETWORK)
            continue;
        g_assert_cmpuint(place.edge, <, network.n_edges);
        g_assert_true(place.offset_m >= 0 && place.offset_m <= edges[place.edge].length_m);
        g_assert_true(isfinite(place.uncertainty_m) && isfinite(place.speed_mps));
    }
}

static void check_figures(const BinTrack *track)
{
    const double figures[] = {track->accuracy_p50_m, track->distance_p50_m, track->distance_p95_m};
    for (guint i = 0; i < G_N_ELEMENTS(figures); i++)
        g_assert_true(isnan(figures[i]) || (figures[i] >= 0 && isfinite(figures[i])));
    for (int i = 0; i < FIX_STATUS_COUNT; i++)
        g_assert_cmpint(track->fixes[i], >=, 0);
}

static void read_file(const uint8_t *data, size_t size)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_byte_array_append(file, front->data, front->len);
    g_byte_array_append(file, data, (guint)size);
    scratch_write(kept, file->data, file->len);
    g_autoptr(BinKeep) keep = bin_keep_open(drive, key);
    BinTrack *track = bin_keep_get(keep, &network, RECEIVER);
    if (track == NULL)
        return;
    check_figures(track);
    ask(track->track);
    bin_track_free(track);
}

/* Receiver, fixes by status, three figures: all of 8 bytes. */
static void read_figures(const uint8_t *data, size_t size)
{
    enum { FIGURES_SIZE = 8 * (1 + FIX_STATUS_COUNT + 3), HEAD_SIZE = 24 };
    guint64 head[HEAD_SIZE / 8] = {RECEIVER, FIGURES_SIZE + good->len};
    const gint64 receiver = RECEIVER;
    g_autofree guint8 *packed = g_malloc0(head[1]);
    memcpy(packed, &receiver, sizeof receiver);
    if (size > 0)
        memcpy(packed + sizeof receiver, data, MIN(size, FIGURES_SIZE - sizeof receiver));
    memcpy(packed + FIGURES_SIZE, good->data, good->len);
    const size_t room = ZSTD_compressBound(head[1]);
    g_autofree guint8 *file = g_malloc(HEAD_SIZE + room);
    head[2] = ZSTD_compress(file + HEAD_SIZE, room, packed, head[1], 1);
    g_assert_false(ZSTD_isError(head[2]));
    memcpy(file, head, HEAD_SIZE);
    read_file(file, HEAD_SIZE + head[2]);
}

static void unpack(const uint8_t *data, size_t size)
{
    /* An exact copy, so that a sanitizer sees a read past the end. */
    g_autofree uint8_t *copy = g_memdup2(data, size);
    g_autoptr(Track) track = track_unpack(&network, copy, size);
    if (track != NULL)
        ask(track);
}

static void unpack_changed(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *copy = g_memdup2(good->data, good->len);
    for (; size >= 3; data += 3, size -= 3)
        copy[(data[0] + 256U * data[1]) % good->len] = data[2];
    unpack(copy, good->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(const uint8_t *, size_t) = {read_file, unpack, unpack_changed,
                                                            read_figures};
    if (key == NULL)
        enter();
    if (size > 0)
        ways[data[0] % G_N_ELEMENTS(ways)](data + 1, size - 1);
    return 0;
}
