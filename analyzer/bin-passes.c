/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two pieces of the file. One: a Head; Figures of each source; the changes. The other: each cell as
 * it goes into the spill: its key and glance as varints and differences, and its bytes. What
 * depends on the other drives of a run, the number of this one and the groups, is put in when it is
 * read.
 */
#include "analyzer/bin-passes.h"

#include "analyzer/bin-keep.h"
#include "analyzer/keep-file.h"
#include "formats/varint.h"

#include <math.h>
#include <string.h>

/* Raised with every change of what binning counts or of what is kept. */
#define RULES 3

enum {
    MOST_BYTES = 32 << 20, /* of both pieces */
    PIECE_HEAD = 1,
    PIECE_CELLS = 2,
    CELL_HEAD_MOST = 6 * VARINT_MOST_BYTES + sizeof(float),
};

typedef struct {
    int64_t first_ns, last_ns, records;
    uint64_t digest, n_cells;
    uint32_t n_sources, n_changes;
} Head;

/* Of a source: what binning fills in of its BinSource. */
typedef struct {
    int64_t id, fixes[FIX_STATUS_COUNT];
    double accuracy_p50_m, distance_p50_m, distance_p95_m;
    int64_t samples, placed[PLACE_QUALITY_COUNT], uncertain, missing, used;
    double seconds_used, seconds_no_position, seconds_off_network;
} Figures;

/* A change; without bytes between its fields. */
typedef struct {
    uint64_t was, is;
    int64_t time_ns;
    double along_m, lon, lat;
    uint32_t segment, source, kind, short_stay;
} Change;

struct BinPasses {
    KeepFile *file;
    const BinSetup *setup;
    guint8 *kept, *kept_cells; /* the pieces, checked; NULL: none */
    size_t n_kept, n_kept_cells;
    GByteArray *cells; /* while a drive is read; NULL: given up */
    GArray *changes;   /* Change */
    uint64_t n_cells;
    SpillKey before;
};

/* ---- reading ---- */

typedef struct {
    SpillKey key; /* b and c are not kept */
    BinGlance glance;
    const guint8 *packed;
    size_t n_packed;
} KeptCell;

/* The next cell; returns what follows it, NULL if it is none. */
static const guint8 *read_cell(const guint8 *at, const guint8 *end, KeptCell *cell)
{
    uint64_t segment, time, source, square, n, bytes;
    if ((at = varint_get(at, end, &segment)) == NULL || (at = varint_get(at, end, &time)) == NULL ||
        (at = varint_get(at, end, &source)) == NULL ||
        (at = varint_get(at, end, &square)) == NULL || (at = varint_get(at, end, &n)) == NULL ||
        (at = varint_get(at, end, &bytes)) == NULL || (size_t)(end - at) < sizeof(float) ||
        bytes > (size_t)(end - at) - sizeof(float))
        return NULL;
    cell->key.a += (uint32_t)varint_unzigzag(segment);
    cell->key.time_ns = (int64_t)((uint64_t)cell->key.time_ns + (uint64_t)varint_unzigzag(time));
    cell->key.d = (uint32_t)source;
    cell->glance.square = varint_unzigzag(square);
    cell->glance.n = (int64_t)n;
    memcpy(&cell->glance.level_dbm, at, sizeof(float));
    cell->packed = at + sizeof(float);
    cell->n_packed = bytes;
    return source <= UINT32_MAX ? cell->packed + bytes : NULL;
}

static Head head_of(const BinPasses *passes)
{
    Head head;
    memcpy(&head, passes->kept, sizeof head);
    return head;
}

static Figures figures_of(const BinPasses *passes, guint i)
{
    Figures figures;
    memcpy(&figures, passes->kept + sizeof(Head) + i * sizeof figures, sizeof figures);
    return figures;
}

static const guint8 *changes_of(const BinPasses *passes, const Head *head)
{
    return passes->kept + sizeof *head + head->n_sources * sizeof(Figures);
}

static GHashTable *sources_of(const BinPasses *passes, const Head *head)
{
    GHashTable *sources = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < head->n_sources; i++)
        g_hash_table_add(sources, GSIZE_TO_POINTER((gsize)figures_of(passes, i).id));
    return sources;
}

static gboolean is_source(GHashTable *sources, uint32_t source)
{
    return g_hash_table_contains(sources, GSIZE_TO_POINTER(source));
}

static const guint8 *cells_end(const BinPasses *passes)
{
    return passes->kept_cells != NULL ? passes->kept_cells + passes->n_kept_cells : NULL;
}

/* Whether the pieces are what this program would have written: they may come from anywhere. */
static gboolean is_good(const BinPasses *passes)
{
    if (passes->n_kept < sizeof(Head))
        return FALSE;
    Head head = head_of(passes);
    if ((head.n_cells > 0) != (passes->kept_cells != NULL))
        return FALSE;
    size_t left = passes->n_kept - sizeof head;
    if (head.n_sources > left / sizeof(Figures))
        return FALSE;
    left -= head.n_sources * sizeof(Figures);
    if (head.n_changes > left / sizeof(Change))
        return FALSE;
    left -= head.n_changes * sizeof(Change);
    const guint8 *at = changes_of(passes, &head);
    uint32_t n_segments = segments_count(passes->setup->segments);
    g_autoptr(GHashTable) sources = sources_of(passes, &head);
    for (uint32_t i = 0; i < head.n_changes; i++, at += sizeof(Change)) {
        Change c;
        memcpy(&c, at, sizeof c);
        if (c.segment >= n_segments || c.kind > CHANGE_FOUND || !is_source(sources, c.source))
            return FALSE;
    }
    const guint8 *end = cells_end(passes);
    KeptCell cell = {0};
    at = passes->kept_cells;
    for (uint64_t i = 0; i < head.n_cells; i++) {
        at = read_cell(at, end, &cell);
        if (at == NULL || cell.key.a >= n_segments ||
            !is_source(sources, cell.key.d / BIN_KEY_KINDS))
            return FALSE;
    }
    return left == 0 && at == end;
}

BinPasses *bin_passes_open(const char *drive_path, const BinSetup *setup)
{
    if (setup->loss != NULL) /* a table of measurements, not a few numbers to compare */
        return NULL;
    BinPasses *passes = g_new0(BinPasses, 1);
    g_autofree char *key = g_strdup_printf(
        "passes, rules %d and %d, sizes %zu\nsegments of %.17g m, %u, %s\nnetwork %s", RULES,
        BIN_KEEP_RULES, sizeof(Head) + sizeof(Figures) + sizeof(Change), setup->segment_m,
        segments_count(setup->segments), setup->outdoor ? "outdoor" : "as measured",
        setup->network_key);
    passes->setup = setup;
    passes->file = keep_file_open(drive_path, "passes", key);
    passes->kept = keep_file_get(passes->file, PIECE_HEAD, &passes->n_kept);
    if (passes->kept != NULL)
        passes->kept_cells = keep_file_get(passes->file, PIECE_CELLS, &passes->n_kept_cells);
    if (passes->kept != NULL && !is_good(passes)) {
        g_clear_pointer(&passes->kept, g_free);
        g_clear_pointer(&passes->kept_cells, g_free);
    }
    if (passes->kept != NULL) /* its bytes are not needed any more */
        g_clear_pointer(&passes->file, keep_file_free);
    else if (keep_file_can_keep(passes->file)) {
        passes->cells = g_byte_array_new();
        passes->changes = g_array_new(FALSE, TRUE, sizeof(Change));
    }
    return passes;
}

static void give_up(BinPasses *passes)
{
    g_clear_pointer(&passes->cells, g_byte_array_unref);
    g_clear_pointer(&passes->changes, g_array_unref);
}

void bin_passes_free(BinPasses *passes)
{
    if (passes == NULL)
        return;
    give_up(passes);
    keep_file_free(passes->file);
    g_free(passes->kept);
    g_free(passes->kept_cells);
    g_free(passes);
}

gboolean bin_passes_known(const BinPasses *passes, const BinSource *report, guint n)
{
    if (passes == NULL || passes->kept == NULL || head_of(passes).n_sources != n)
        return FALSE;
    for (guint i = 0; i < n; i++)
        if (figures_of(passes, i).id != report[i].source.id)
            return FALSE;
    return TRUE;
}

static void restore_figures(const Figures *f, BinSource *to)
{
    memcpy(to->fixes, f->fixes, sizeof to->fixes);
    memcpy(to->placed, f->placed, sizeof to->placed);
    to->accuracy_p50_m = f->accuracy_p50_m;
    to->distance_p50_m = f->distance_p50_m;
    to->distance_p95_m = f->distance_p95_m;
    to->samples = f->samples;
    to->uncertain = f->uncertain;
    to->missing = f->missing;
    to->used = f->used;
    to->seconds_used = f->seconds_used;
    to->seconds_no_position = f->seconds_no_position;
    to->seconds_off_network = f->seconds_off_network;
}

static gboolean restore_change(const BinPasses *passes, const BinState *states, const guint8 *at,
                               GError **error)
{
    Change c;
    memcpy(&c, at, sizeof c);
    const BinState *state = &states[c.source - 1];
    BinChange change = {.was = c.was,
                        .is = c.is,
                        .time_ns = c.time_ns,
                        .along_m = c.along_m,
                        .lon = c.lon,
                        .lat = c.lat,
                        .segment = c.segment,
                        .drive = state->drive,
                        .kind = (uint8_t)c.kind,
                        .short_stay = c.short_stay != 0};
    SpillKey key = bin_change_key(passes->setup, state, &change);
    return spill_add(state->changes, &key, &change, sizeof change, error);
}

gboolean bin_passes_restore(const BinPasses *passes, BinState *states, BinDrive *out,
                            uint64_t *digest, GError **error)
{
    Head head = head_of(passes);
    out->first_ns = head.first_ns;
    out->last_ns = head.last_ns;
    out->records = head.records;
    *digest = head.digest;
    for (guint i = 0; i < head.n_sources; i++) {
        Figures figures = figures_of(passes, i);
        restore_figures(&figures, &out->sources[i]);
    }
    const guint8 *at = changes_of(passes, &head);
    for (uint32_t i = 0; i < head.n_changes; i++, at += sizeof(Change))
        if (!restore_change(passes, states, at, error))
            return FALSE;
    const guint8 *end = cells_end(passes);
    KeptCell cell = {0};
    at = passes->kept_cells;
    for (uint64_t i = 0; i < head.n_cells; i++) {
        at = read_cell(at, end, &cell);
        if (at == NULL) /* never: is_good() has read them all */
            break;
        BinState *state = &states[cell.key.d / BIN_KEY_KINDS - 1];
        cell.key.b = state->report->group;
        cell.key.c = state->drive;
        CellPlace place = bin_cell_place(&cell.key);
        bin_look_add(state->look, &place, &cell.glance);
        if (!spill_add(state->cells, &cell.key, cell.packed, cell.n_packed, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- writing ---- */

void bin_passes_add_cell(BinPasses *passes, const SpillKey *key, const BinGlance *glance,
                         const GByteArray *packed)
{
    guint8 head[CELL_HEAD_MOST], *to = head;
    if (passes == NULL || passes->cells == NULL)
        return;
    const SpillKey *before = &passes->before;
    to = varint_put(to, varint_zigzag((int64_t)key->a - (int64_t)before->a));
    to = varint_put(to,
                    varint_zigzag((int64_t)((uint64_t)key->time_ns - (uint64_t)before->time_ns)));
    to = varint_put(to, key->d);
    to = varint_put(to, varint_zigzag(glance->square));
    to = varint_put(to, (uint64_t)glance->n);
    to = varint_put(to, packed->len);
    memcpy(to, &glance->level_dbm, sizeof(float));
    to += sizeof(float);
    g_byte_array_append(passes->cells, head, (guint)(to - head));
    g_byte_array_append(passes->cells, packed->data, packed->len);
    passes->before = *key;
    passes->n_cells++;
    if (passes->cells->len + passes->changes->len * sizeof(Change) > MOST_BYTES)
        give_up(passes);
}

void bin_passes_add_change(BinPasses *passes, const BinChange *change, uint32_t source)
{
    if (passes == NULL || passes->changes == NULL)
        return;
    Change c = {.was = change->was,
                .is = change->is,
                .time_ns = change->time_ns,
                .along_m = change->along_m,
                .lon = change->lon,
                .lat = change->lat,
                .segment = change->segment,
                .source = source,
                .kind = change->kind,
                .short_stay = change->short_stay};
    g_array_append_val(passes->changes, c);
}

void bin_passes_save(BinPasses *passes, const BinDrive *out, uint64_t digest)
{
    if (passes == NULL || passes->cells == NULL || out->problems != NULL)
        return;
    Head head = {.first_ns = out->first_ns,
                 .last_ns = out->last_ns,
                 .records = out->records,
                 .digest = digest,
                 .n_cells = passes->n_cells,
                 .n_sources = out->n_sources,
                 .n_changes = passes->changes->len};
    g_autoptr(GByteArray) piece = g_byte_array_new();
    g_byte_array_append(piece, (const guint8 *)&head, sizeof head);
    for (guint i = 0; i < out->n_sources; i++) {
        const BinSource *s = &out->sources[i];
        Figures f = {.id = s->source.id,
                     .accuracy_p50_m = s->accuracy_p50_m,
                     .distance_p50_m = s->distance_p50_m,
                     .distance_p95_m = s->distance_p95_m,
                     .samples = s->samples,
                     .uncertain = s->uncertain,
                     .missing = s->missing,
                     .used = s->used,
                     .seconds_used = s->seconds_used,
                     .seconds_no_position = s->seconds_no_position,
                     .seconds_off_network = s->seconds_off_network};
        memcpy(f.fixes, s->fixes, sizeof f.fixes);
        memcpy(f.placed, s->placed, sizeof f.placed);
        g_byte_array_append(piece, (const guint8 *)&f, sizeof f);
    }
    g_byte_array_append(piece, (const guint8 *)passes->changes->data,
                        passes->changes->len * (guint)sizeof(Change));
    keep_file_put(passes->file, PIECE_HEAD, piece->data, piece->len, KEEP_FAST);
    keep_file_put(passes->file, PIECE_CELLS, passes->cells->data, passes->cells->len, KEEP_FAST);
    give_up(passes);
    (void)keep_file_save(passes->file);
}
