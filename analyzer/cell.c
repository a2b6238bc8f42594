/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/cell.h"

#include "formats/records.h"

#include <math.h>
#include <string.h>

/* Identities: bit 63 = by channel; else plmn (20 bit), its digits minus 5 (1 bit), id (36 bit). */
#define BY_RADIO (UINT64_C(1) << 63)

/* Kinds that every sample adds to, with the lowest of the values that are counted in a plain array;
 * others go into the sorted list. */
enum { COUNTED_KINDS = TALLY_BAND + 1, COUNTED_VALUES = 256 };
static const int lowest[COUNTED_KINDS] = {
    [TALLY_RSRQ] = -128, [TALLY_SINR] = -128, [TALLY_NR_LEVEL] = -200, [TALLY_BAND] = 0};

struct CellCounts {
    uint64_t used[COUNTED_KINDS][COUNTED_VALUES / 64]; /* a bit for each value that occurred */
    uint32_t count[COUNTED_KINDS][COUNTED_VALUES];
};

void cell_init(Cell *cell)
{
    *cell = (Cell){0};
}

void cell_clear(Cell *cell)
{
    level_histogram_clear(&cell->levels);
    g_free(cell->tally.entry);
    g_free(cell->ids.id);
    g_free(cell->counts);
    *cell = (Cell){0};
}

void cell_reset(Cell *cell)
{
    cell->head = (CellHead){0};
    cell->levels.n = cell->tally.n = cell->ids.n = 0;
    if (cell->is_counting)
        memset(cell->counts, 0, sizeof *cell->counts);
    cell->is_counting = FALSE;
}

/* Room for one more of n elements of `bytes` each. */
static void *grow(void *old, uint32_t n, uint32_t *size, size_t bytes)
{
    if (n < *size)
        return old;
    *size = MAX(n + 1, MAX(*size * 2, 8));
    return g_realloc_n(old, *size, bytes);
}

static int compare_tally(const TallyEntry *a, const TallyEntry *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

static uint32_t add_capped(uint32_t a, uint32_t b)
{
    return b > UINT32_MAX - a ? UINT32_MAX : a + b;
}

void cell_tally(Cell *cell, TallyKind kind, int value, uint32_t count)
{
    if (cell->is_counting && (unsigned)kind < COUNTED_KINDS && value >= lowest[kind] &&
        value < lowest[kind] + COUNTED_VALUES) {
        unsigned i = (unsigned)(value - lowest[kind]);
        cell->counts->used[kind][i / 64] |= UINT64_C(1) << i % 64;
        uint32_t *counted = &cell->counts->count[kind][i];
        *counted = add_capped(*counted, count);
        return;
    }
    TallyEntry entry = {(uint16_t)kind, (int16_t)CLAMP(value, INT16_MIN, INT16_MAX), count};
    Tally *tally = &cell->tally;
    TallyEntry *all = tally->entry;
    guint low = 0, high = tally->n;
    while (low < high) {
        guint mid = (low + high) / 2;
        int order = compare_tally(&all[mid], &entry);
        if (order == 0) {
            all[mid].count = add_capped(all[mid].count, count);
            return;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    all = tally->entry = grow(tally->entry, tally->n, &tally->size, sizeof entry);
    memmove(&all[low + 1], &all[low], (tally->n++ - low) * sizeof entry);
    all[low] = entry;
}

void cell_begin_counting(Cell *cell)
{
    if (cell->counts == NULL)
        cell->counts = g_new0(CellCounts, 1);
    cell->is_counting = TRUE;
}

/* Moves what was counted to the end of the list; leaves the counts empty. */
static void take_counts(CellCounts *counts, Tally *tally)
{
    for (int kind = 0; kind < COUNTED_KINDS; kind++)
        for (int word = 0; word < COUNTED_VALUES / 64; word++) {
            uint64_t bits = counts->used[kind][word];
            counts->used[kind][word] = 0;
            for (; bits != 0; bits &= bits - 1) {
                int i = 64 * word + __builtin_ctzll(bits);
                tally->entry = grow(tally->entry, tally->n, &tally->size, sizeof *tally->entry);
                tally->entry[tally->n++] = (TallyEntry){(uint16_t)kind, (int16_t)(i + lowest[kind]),
                                                        counts->count[kind][i]};
                counts->count[kind][i] = 0;
            }
        }
}

void cell_end_counting(Cell *cell)
{
    if (!cell->is_counting)
        return;
    cell->is_counting = FALSE;
    if (cell->tally.n == 0) {
        take_counts(cell->counts, &cell->tally);
        return;
    }
    Tally others = cell->tally;
    cell->tally = (Tally){0};
    take_counts(cell->counts, &cell->tally);
    for (guint i = 0; i < others.n; i++)
        cell_tally(cell, (TallyKind)others.entry[i].kind, others.entry[i].value,
                   others.entry[i].count);
    g_free(others.entry);
}

void cell_add_id(Cell *cell, uint64_t id)
{
    CellIds *ids = &cell->ids;
    uint32_t at = 0;
    while (at < ids->n && ids->id[at] < id)
        at++;
    if (at < ids->n && ids->id[at] == id)
        return;
    ids->id = grow(ids->id, ids->n, &ids->size, sizeof id);
    memmove(&ids->id[at + 1], &ids->id[at], (ids->n++ - at) * sizeof id);
    ids->id[at] = id;
}

void cell_touch(Cell *cell, int64_t time_ns)
{
    CellHead *h = &cell->head;
    h->first_ns = MIN(h->first_ns, time_ns);
    h->last_ns = MAX(h->last_ns, time_ns);
}

void cell_merge(Cell *into, const Cell *from)
{
    CellHead *a = &into->head;
    const CellHead *b = &from->head;
    a->first_ns = MIN(a->first_ns, b->first_ns);
    a->last_ns = MAX(a->last_ns, b->last_ns);
    a->n += b->n;
    a->n_level += b->n_level;
    a->n_no_service += b->n_no_service;
    a->n_limited += b->n_limited;
    a->n_missing += b->n_missing;
    a->n_interpolated += b->n_interpolated;
    a->n_backward += b->n_backward;
    a->cell_changes += b->cell_changes;
    a->rat_changes += b->rat_changes;
    a->short_stays += b->short_stays;
    a->outages += b->outages;
    a->tests += b->tests;
    a->tests_failed += b->tests_failed;
    a->tests_skipped += b->tests_skipped;
    a->position_dm = MAX(a->position_dm, b->position_dm);
    level_histogram_merge(&into->levels, &from->levels);
    for (guint i = 0; i < from->tally.n; i++) {
        const TallyEntry *e = &from->tally.entry[i];
        cell_tally(into, (TallyKind)e->kind, e->value, e->count);
    }
    for (guint i = 0; i < from->ids.n; i++)
        cell_add_id(into, from->ids.id[i]);
}

uint64_t cell_identity(const char *plmn, int64_t cell_id)
{
    if (cell_id < 0 || cell_id >= INT64_C(1) << 36)
        return 0;
    uint64_t number = 0, digits = 0;
    for (const char *p = plmn ? plmn : ""; g_ascii_isdigit(*p) && digits < 6; p++, digits++)
        number = number * 10 + (uint64_t)(*p - '0');
    uint64_t six = digits == 6 ? 1 : 0;
    return ((number << 1 | six) << 36) | (uint64_t)cell_id | (UINT64_C(1) << 62);
}

uint64_t cell_identity_radio(int rat, int64_t arfcn, int64_t pci)
{
    if (arfcn < 0 || arfcn >= INT64_C(1) << 24 || pci < 0 || pci >= INT64_C(1) << 16)
        return 0;
    return BY_RADIO | (uint64_t)rat << 40 | (uint64_t)arfcn << 16 | (uint64_t)pci;
}

char *cell_identity_text(uint64_t id)
{
    if (id & BY_RADIO)
        return g_strdup_printf("%s/%u/%u", rat_name((Rat)(id >> 40 & 0xf)),
                               (unsigned)(id >> 16 & 0xffffff), (unsigned)(id & 0xffff));
    uint64_t cell = id & ((UINT64_C(1) << 36) - 1);
    unsigned plmn = (unsigned)(id >> 37 & 0xfffff);
    const gboolean six_digits = (id >> 36 & 1) != 0;
    if (plmn == 0)
        return g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)cell);
    return six_digits ? g_strdup_printf("%06u-%" G_GUINT64_FORMAT, plmn, (guint64)cell)
                      : g_strdup_printf("%05u-%" G_GUINT64_FORMAT, plmn, (guint64)cell);
}

int cell_bucket(double value)
{
    if (!(value > 0.001))
        return 0;
    return log_histogram_bucket(fmin(value, 1e6), LOG_HISTOGRAM_ACCURACY);
}

void cell_log_histogram(const Tally *tally, TallyKind kind, LogHistogram *histogram)
{
    for (guint i = 0; i < tally->n; i++) {
        const TallyEntry *e = &tally->entry[i];
        if (e->kind != (uint16_t)kind)
            continue;
        double value = e->value == TALLY_LOST
                           ? (double)INFINITY
                           : log_histogram_value(e->value, LOG_HISTOGRAM_ACCURACY);
        log_histogram_add(histogram, value, e->count);
    }
}

uint64_t cell_tally_count(const Tally *tally, TallyKind kind)
{
    uint64_t n = 0;
    for (guint i = 0; i < tally->n; i++)
        if (tally->entry[i].kind == (uint16_t)kind)
            n += tally->entry[i].count;
    return n;
}

double cell_tally_percentile(const Tally *tally, TallyKind kind, double p)
{
    uint64_t n = cell_tally_count(tally, kind), sum = 0;
    double wanted = ceil(p * (double)n - 1e-9);
    for (guint i = 0; n > 0 && i < tally->n; i++) {
        const TallyEntry *e = &tally->entry[i];
        if (e->kind != (uint16_t)kind)
            continue;
        sum += e->count;
        if ((double)sum >= wanted)
            return e->value;
    }
    return NAN;
}

int cell_tally_most(const Tally *tally, TallyKind kind)
{
    uint32_t most = 0;
    int value = -1;
    for (guint i = 0; i < tally->n; i++) {
        const TallyEntry *e = &tally->entry[i];
        if (e->kind == (uint16_t)kind && e->count > most) {
            most = e->count;
            value = e->value;
        }
    }
    return value;
}
