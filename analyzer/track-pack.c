/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/track-state.h"
#include "formats/varint.h"

#include <math.h>
#include <string.h>

enum { ANCHOR_MOST_BYTES = 4 * VARINT_MOST_BYTES };

/* ---- writing ---- */

static void put_count(GByteArray *out, uint64_t n)
{
    g_byte_array_append(out, (const guint8 *)&n, sizeof n);
}

static void put(GByteArray *out, const GArray *array)
{
    put_count(out, array->len);
    g_byte_array_append(out, (const guint8 *)array->data,
                        array->len * g_array_get_element_size((GArray *)(uintptr_t)array));
}

/* An anchor in whole steps. */
typedef struct {
    int64_t time_ns, s, speed, sigma;
} Steps;

static Steps steps_of(const TrackAnchor *a)
{
    return (Steps){a->time_ns, llround(a->s * TRACK_STEPS_M),
                   lroundf(a->speed_mps * TRACK_STEPS_MPS),
                   lroundf(a->sigma_m * TRACK_STEPS_SIGMA)};
}

/* Receivers tell positions at even intervals, and speeds change slowly: times and places as
 * differences of differences, the rest as differences. */
static void put_anchors(GByteArray *out, const GArray *anchors)
{
    Steps before = {0}, step = {0};
    put_count(out, anchors->len);
    for (guint i = 0; i < anchors->len; i++) {
        uint8_t bytes[ANCHOR_MOST_BYTES], *to = bytes;
        Steps is = steps_of(&g_array_index(anchors, TrackAnchor, i));
        int64_t time_step = (int64_t)((uint64_t)is.time_ns - (uint64_t)before.time_ns);
        to = varint_put(to, varint_zigzag((int64_t)((uint64_t)time_step - (uint64_t)step.time_ns)));
        to = varint_put(to, varint_zigzag(is.s - before.s - step.s));
        to = varint_put(to, varint_zigzag(is.speed - before.speed));
        to = varint_put(to, varint_zigzag(is.sigma - before.sigma));
        g_byte_array_append(out, bytes, (guint)(to - bytes));
        step.time_ns = time_step;
        step.s = is.s - before.s;
        before = is;
    }
}

void track_pack(const Track *track, GByteArray *out)
{
    put(out, track->stretches);
    put(out, track->pieces);
    put(out, track->off);
    put_anchors(out, track->anchors);
}

/* ---- reading ---- */

static gboolean take_count(const uint8_t **data, size_t *left, size_t least_bytes, uint64_t *n)
{
    if (*left < sizeof *n)
        return FALSE;
    memcpy(n, *data, sizeof *n);
    *data += sizeof *n;
    *left -= sizeof *n;
    return *n <= *left / least_bytes && *n <= G_MAXUINT / sizeof(TrackAnchor);
}

static gboolean take(GArray *array, const uint8_t **data, size_t *left)
{
    uint64_t n;
    size_t size = g_array_get_element_size(array);
    if (!take_count(data, left, size, &n))
        return FALSE;
    g_array_append_vals(array, *data, (guint)n);
    *data += n * size;
    *left -= n * size;
    return TRUE;
}

static gboolean take_anchors(GArray *anchors, const uint8_t *data, size_t left)
{
    uint64_t n, packed[4] = {0};
    if (!take_count(&data, &left, G_N_ELEMENTS(packed), &n))
        return FALSE;
    g_array_set_size(anchors, (guint)n);
    TrackAnchor *anchor = (TrackAnchor *)(void *)anchors->data;
    const uint8_t *end = data + left;
    uint64_t time_ns = 0, s = 0, speed = 0, sigma = 0, time_step = 0, s_step = 0;
    for (uint64_t i = 0; i < n; i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(packed) && data != NULL; k++)
            data = varint_get(data, end, &packed[k]);
        if (data == NULL)
            return FALSE;
        time_ns += time_step += (uint64_t)varint_unzigzag(packed[0]);
        s += s_step += (uint64_t)varint_unzigzag(packed[1]);
        speed += (uint64_t)varint_unzigzag(packed[2]);
        sigma += (uint64_t)varint_unzigzag(packed[3]);
        anchor[i] = (TrackAnchor){(int64_t)time_ns, (double)(int64_t)s / TRACK_STEPS_M,
                                  (float)(int64_t)speed / TRACK_STEPS_MPS,
                                  (float)(int64_t)sigma / TRACK_STEPS_SIGMA};
    }
    return data == end;
}

static gboolean pieces_good(const Track *track)
{
    for (guint i = 0; i < track->pieces->len; i++) {
        const RoutePiece *p = &g_array_index(track->pieces, RoutePiece, i);
        if (p->edge >= track->network->n_edges || !isfinite(p->from_m) || !isfinite(p->start_s) ||
            (p->backward != FALSE && p->backward != TRUE))
            return FALSE;
    }
    return TRUE;
}

static gboolean anchors_good(const Track *track)
{
    for (guint i = 0; i < track->anchors->len; i++) {
        const TrackAnchor *a = &g_array_index(track->anchors, TrackAnchor, i);
        if (i > 0 && a->time_ns < a[-1].time_ns)
            return FALSE;
    }
    return TRUE;
}

static gboolean off_good(const Track *track)
{
    for (guint i = 0; i < track->off->len; i++) {
        const OffFix *f = &g_array_index(track->off, OffFix, i);
        if (!isfinite(f->at.lon) || !isfinite(f->at.lat) || (i > 0 && f->time_ns < f[-1].time_ns))
            return FALSE;
    }
    return TRUE;
}

/* Stretches divide pieces and anchors among them, in order, none without. */
static gboolean stretches_good(const Track *track)
{
    guint piece = 0, anchor = 0;
    for (guint i = 0; i < track->stretches->len; i++) {
        const Stretch *s = &g_array_index(track->stretches, Stretch, i);
        if (s->first_piece != piece || s->first_anchor != anchor || s->n_pieces == 0 ||
            s->n_anchors == 0 || s->n_pieces > track->pieces->len - piece ||
            s->n_anchors > track->anchors->len - anchor)
            return FALSE;
        piece += s->n_pieces;
        anchor += s->n_anchors;
    }
    return piece == track->pieces->len && anchor == track->anchors->len;
}

Track *track_unpack(const Network *network, const uint8_t *data, size_t n)
{
    g_autoptr(Track) track = track_new(network, FALSE);
    if (take(track->stretches, &data, &n) && take(track->pieces, &data, &n) &&
        take(track->off, &data, &n) && take_anchors(track->anchors, data, n) &&
        stretches_good(track) && pieces_good(track) && anchors_good(track) && off_good(track))
        return g_steal_pointer(&track);
    return NULL;
}
