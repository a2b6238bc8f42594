/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. A pass of a fast vehicle has few samples, and a campaign has millions of
 * passes: what is put aside for sorting is kept small. Of the head's numbers, mostly zero, three
 * bytes tell which are not; these and the lists, sorted, are written as differences in as few bytes
 * as they need.
 */
#include "analyzer/cell.h"
#include "formats/varint.h"

#include <string.h>

enum {
    SMALL_NUMBERS = 18,
    MASK_BYTES = 3,
    HEAD_MOST = MASK_BYTES + (SMALL_NUMBERS + 1) * VARINT_MOST_BYTES,
    LEVEL_LEAST = 6, /* bytes of an entry */
    LEVEL_MOST = 2 + 4 * VARINT_MOST_BYTES,
    TALLY_LEAST = 2,
    TALLY_MOST = 4 * VARINT_MOST_BYTES,
};

void cell_pack(const Cell *cell, GByteArray *out)
{
    const CellHead *h = &cell->head;
    const uint32_t small[SMALL_NUMBERS] = {
        h->n,          h->n_level,      h->n_no_service, h->n_limited,      h->n_missing,
        h->n_backward, h->cell_changes, h->rat_changes,  h->n_interpolated, h->short_stays,
        h->outages,    h->tests,        h->tests_failed, h->tests_skipped,  h->position_dm,
        cell->ids.n,   cell->levels.n,  cell->tally.n,
    };
    guint at = out->len;
    g_byte_array_set_size(out, at + HEAD_MOST + cell->ids.n * (guint)sizeof(uint64_t) +
                                   cell->levels.n * LEVEL_MOST + cell->tally.n * TALLY_MOST);
    uint8_t *to = out->data + at;
    uint8_t *mask = to;
    memset(mask, 0, MASK_BYTES);
    to += MASK_BYTES;
    for (unsigned i = 0; i < SMALL_NUMBERS; i++)
        if (small[i] != 0) {
            mask[i / 8] |= (uint8_t)(1U << i % 8);
            to = varint_put(to, small[i]);
        }
    to = varint_put(to, (uint64_t)h->last_ns - (uint64_t)h->first_ns);
    if (cell->ids.n > 0)
        memcpy(to, cell->ids.id, cell->ids.n * sizeof(uint64_t));
    to += cell->ids.n * sizeof(uint64_t);
    int level_dbm = 0;
    for (uint32_t i = 0; i < cell->levels.n; i++) {
        const LevelEntry *e = &cell->levels.entry[i];
        *to++ = e->channel;
        *to++ = e->rat;
        to = varint_put(to, varint_zigzag(e->level_dbm - level_dbm));
        to = varint_put(to, e->count);
        to = varint_put(to, e->way_dm);
        to = varint_put(to, e->time_cs);
        level_dbm = e->level_dbm;
    }
    for (uint32_t i = 0, end; i < cell->tally.n; i = end) { /* of one kind after the other */
        const TallyEntry *e = cell->tally.entry;
        int value = 0;
        for (end = i + 1; end < cell->tally.n && e[end].kind == e[i].kind; end++)
            continue;
        to = varint_put(to, e[i].kind);
        to = varint_put(to, end - i);
        for (uint32_t k = i; k < end; k++) {
            to = varint_put(to, varint_zigzag(e[k].value - value));
            to = varint_put(to, e[k].count);
            value = e[k].value;
        }
    }
    g_byte_array_set_size(out, (guint)(to - out->data));
}

/* ---- back ---- */

typedef struct {
    const uint8_t *at, *end; /* at NULL: something was wrong */
} Reader;

static inline uint64_t number(Reader *r)
{
    uint64_t value = 0;
    if (r->at != NULL)
        r->at = varint_get(r->at, r->end, &value);
    return value;
}

static inline uint32_t number_u32(Reader *r)
{
    uint64_t value = number(r);
    if (value > UINT32_MAX)
        r->at = NULL;
    return (uint32_t)value;
}

/* Those of SMALL_NUMBERS numbers that are not zero; the others are left as they are. */
static void read_small(Reader *r, uint32_t *const number[SMALL_NUMBERS])
{
    if (r->end - r->at < MASK_BYTES) {
        r->at = NULL;
        return;
    }
    uint32_t mask = r->at[0] | (uint32_t)r->at[1] << 8 | (uint32_t)r->at[2] << 16;
    r->at += MASK_BYTES;
    if (mask >> SMALL_NUMBERS != 0)
        r->at = NULL;
    for (; mask != 0 && r->at != NULL; mask &= mask - 1)
        *number[__builtin_ctz(mask)] = number_u32(r);
}

/* A number of entries that may be in what is left. */
static uint32_t list_length(Reader *r, uint32_t n, size_t least_bytes)
{
    if (r->at == NULL || n > (size_t)(r->end - r->at) / least_bytes) {
        r->at = NULL;
        return 0;
    }
    return n;
}

static void read_ids(Reader *r, uint32_t n, CellIds *ids)
{
    n = list_length(r, n, sizeof *ids->id);
    if (n == 0)
        return;
    if (n > ids->size) {
        ids->id = g_renew(uint64_t, ids->id, n);
        ids->size = n;
    }
    memcpy(ids->id, r->at, n * sizeof *ids->id);
    r->at += n * sizeof *ids->id;
    ids->n = n;
}

static void read_levels(Reader *r, uint32_t n, LevelHistogram *levels)
{
    n = list_length(r, n, LEVEL_LEAST);
    level_histogram_reserve(levels, n);
    int64_t level_dbm = 0;
    for (uint32_t i = 0; i < n && r->at != NULL && r->end - r->at >= LEVEL_LEAST; i++) {
        LevelEntry *e = &levels->entry[i];
        e->channel = r->at[0];
        e->rat = r->at[1];
        r->at += 2;
        level_dbm += (int16_t)varint_unzigzag(number(r));
        e->level_dbm = (int16_t)level_dbm;
        e->count = number_u32(r);
        e->way_dm = number_u32(r);
        e->time_cs = number_u32(r);
        if (e->channel >= CHANNEL_COUNT)
            r->at = NULL;
        levels->n++;
    }
    if (levels->n < n)
        r->at = NULL;
}

static void read_tally(Reader *r, uint32_t n, Tally *tally)
{
    n = list_length(r, n, TALLY_LEAST);
    if (n > tally->size) {
        tally->entry = g_renew(TallyEntry, tally->entry, n);
        tally->size = n;
    }
    while (tally->n < n && r->at != NULL) {
        uint64_t kind = number(r), end = tally->n + number(r);
        int64_t value = 0;
        if (kind >= TALLY_COUNT || end > n || end <= tally->n) {
            r->at = NULL;
            return;
        }
        for (; tally->n < end; tally->n++) {
            value += (int32_t)varint_unzigzag(number(r));
            tally->entry[tally->n] = (TallyEntry){(uint16_t)kind, (int16_t)value, number_u32(r)};
        }
    }
}

gboolean cell_unpack(Cell *cell, const CellPlace *place, const void *data, size_t n)
{
    Reader r = {data, (const uint8_t *)data + n};
    CellHead *h = &cell->head;
    uint32_t n_ids = 0, n_levels = 0, n_tally = 0;
    uint32_t *const small[SMALL_NUMBERS] = {
        &h->n,          &h->n_level,      &h->n_no_service, &h->n_limited,      &h->n_missing,
        &h->n_backward, &h->cell_changes, &h->rat_changes,  &h->n_interpolated, &h->short_stays,
        &h->outages,    &h->tests,        &h->tests_failed, &h->tests_skipped,  &h->position_dm,
        &n_ids,         &n_levels,        &n_tally,
    };
    cell_reset(cell);
    h->segment = place->segment;
    h->group = place->group;
    h->drive = place->drive;
    h->source = place->source;
    h->first_ns = place->first_ns;
    read_small(&r, small);
    h->last_ns = (int64_t)((uint64_t)h->first_ns + number(&r));
    read_ids(&r, n_ids, &cell->ids);
    read_levels(&r, n_levels, &cell->levels);
    read_tally(&r, n_tally, &cell->tally);
    return r.at != NULL && r.at == r.end;
}
