/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/track-state.h"

#include <math.h>
#include <string.h>

static void put(GByteArray *out, const GArray *array)
{
    uint64_t n = array->len;
    g_byte_array_append(out, (const guint8 *)&n, sizeof n);
    g_byte_array_append(out, (const guint8 *)array->data,
                        (guint)(n * g_array_get_element_size((GArray *)(uintptr_t)array)));
}

void track_pack(const Track *track, GByteArray *out)
{
    put(out, track->stretches);
    put(out, track->pieces);
    put(out, track->anchors);
    put(out, track->off);
}

static gboolean take(GArray *array, const uint8_t **data, size_t *left)
{
    uint64_t n;
    size_t size = g_array_get_element_size(array);
    if (*left < sizeof n)
        return FALSE;
    memcpy(&n, *data, sizeof n);
    *data += sizeof n;
    *left -= sizeof n;
    if (n > *left / size || n > G_MAXUINT / size)
        return FALSE;
    g_array_append_vals(array, *data, (guint)n);
    *data += n * size;
    *left -= n * size;
    return TRUE;
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
        if (!isfinite(a->s) || !isfinite(a->speed_mps) || !isfinite(a->sigma_m) ||
            (i > 0 && a->time_ns < a[-1].time_ns))
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
        take(track->anchors, &data, &n) && take(track->off, &data, &n) && n == 0 &&
        stretches_good(track) && pieces_good(track) && anchors_good(track) && off_good(track))
        return g_steal_pointer(&track);
    return NULL;
}
