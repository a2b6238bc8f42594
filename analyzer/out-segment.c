/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. Cells come in order of segment and group. They are collected in lots of
 * whole segments and groups, which threads judge (out-judge.h) while the next are collected;
 * lots are taken back in the order in which they were handed out, so that rows, sums and what
 * rounding does to them are the same whatever the number of threads.
 */
#include "analyzer/out-judge.h"

enum { LOT_BYTES = 128 * 1024, WEEK_SLOTS = 8 * 32 };

typedef struct {
    OutUnit unit;
    guint packed_end, rows_end, services_end, shares_end; /* in the lot */
} Unit;

typedef struct {
    GArray *units;
    GByteArray *packed, *rows;
    GArray *services, *shares;
    OutJudge *judge;
    gboolean done;
    GError *error;
} Lot;

/* Sums of a group and service in the corridor at hand, looked up once. */
typedef struct {
    uint64_t scope; /* UINT64_MAX: none yet */
    HourShare *hour[WEEK_SLOTS];
    DriveShare **drive; /* by rank */
} Sums;

struct OutSegments {
    Result *result;
    LayerWriter *writer;
    OutJudge *judge;                   /* for what was not measured */
    uint32_t next_segment, next_group; /* the first one not written yet */
    Sums *sums;                        /* by group and service */
    GThreadPool *pool;                 /* NULL: one thread does all */
    GMutex lock;
    GCond changed;
    Lot *lot; /* a ring: `waiting` of them from `oldest` on are handed out */
    guint n_lots, oldest, waiting;
};

static void judge_lot(gpointer data, gpointer user_data)
{
    Lot *lot = data;
    OutSegments *out = user_data;
    guint at = 0;
    for (guint i = 0; i < lot->units->len && lot->error == NULL; i++) {
        Unit *u = &g_array_index(lot->units, Unit, i);
        (void)out_judge_unit(lot->judge, &u->unit, lot->packed->data + at, u->packed_end - at,
                             lot->services, lot->shares, &lot->error);
        at = u->packed_end;
        u->rows_end = lot->rows->len;
        u->services_end = lot->services->len;
        u->shares_end = lot->shares->len;
    }
    g_mutex_lock(&out->lock);
    lot->done = TRUE;
    g_cond_broadcast(&out->changed);
    g_mutex_unlock(&out->lock);
}

static Sums *sums_new(const Result *result)
{
    guint n = result->setup.n_groups * MAX(result->profile->n_services, 1);
    Sums *sums = g_new0(Sums, n);
    for (guint i = 0; i < n; i++) {
        sums[i].scope = UINT64_MAX;
        sums[i].drive = g_new0(DriveShare *, result->n_drives);
    }
    return sums;
}

OutSegments *out_segments_new(Result *result, LayerWriter *writer, guint jobs, GError **error)
{
    OutJudge *judge = out_judge_new(result, writer, error);
    if (judge == NULL)
        return NULL;
    OutSegments *out = g_new0(OutSegments, 1);
    out->result = result;
    out->writer = writer;
    out->judge = judge;
    out->sums = sums_new(result);
    g_mutex_init(&out->lock);
    g_cond_init(&out->changed);
    if (jobs > 1)
        out->pool = g_thread_pool_new(judge_lot, out, (gint)jobs, TRUE, NULL);
    out->n_lots = out->pool != NULL ? 2 * jobs + 1 : 1;
    out->lot = g_new0(Lot, out->n_lots);
    for (guint i = 0; i < out->n_lots; i++) {
        Lot *b = &out->lot[i];
        b->units = g_array_new(FALSE, TRUE, sizeof(Unit));
        b->packed = g_byte_array_new();
        b->rows = g_byte_array_new();
        b->services = g_array_new(FALSE, FALSE, sizeof(BriefService));
        b->shares = g_array_new(FALSE, FALSE, sizeof(OutShare));
        b->judge = out_judge_new_encoding(judge, b->rows);
    }
    return out;
}

void out_segments_free(OutSegments *out)
{
    if (out == NULL)
        return;
    if (out->pool != NULL)
        g_thread_pool_free(out->pool, FALSE, TRUE);
    for (guint i = 0; i < out->n_lots; i++) {
        Lot *b = &out->lot[i];
        g_array_unref(b->units);
        g_byte_array_unref(b->packed);
        g_byte_array_unref(b->rows);
        g_array_unref(b->services);
        g_array_unref(b->shares);
        out_judge_free(b->judge);
        g_clear_error(&b->error);
    }
    g_free(out->lot);
    for (guint i = 0; i < out->result->setup.n_groups * MAX(out->result->profile->n_services, 1);
         i++)
        g_free(out->sums[i].drive);
    g_free(out->sums);
    out_judge_free(out->judge);
    g_mutex_clear(&out->lock);
    g_cond_clear(&out->changed);
    g_free(out);
}

/* ---- sums, in order ---- */

/* The value of a key, made empty where there is none yet. */
static void *value_of(GHashTable *table, uint64_t key, size_t size)
{
    void *value = g_hash_table_lookup(table, &key);
    if (value == NULL) {
        value = g_malloc0(size);
        g_hash_table_insert(table, g_memdup2(&key, sizeof key), value);
    }
    return value;
}

/* Sums by drive (for intervals) and by hour, from the passes of one segment. */
static void add_share(OutSegments *out, const OutUnit *unit, const OutShare *pass)
{
    Result *result = out->result;
    uint64_t scope = (unit->corridor << 24 | (uint64_t)unit->group << 12 | (uint64_t)pass->service)
                     << 20;
    Sums *sums = &out->sums[unit->group * result->profile->n_services + pass->service];
    if (sums->scope != scope) {
        sums->scope = scope;
        memset(sums->hour, 0, sizeof sums->hour);
        memset(sums->drive, 0, result->n_drives * sizeof(DriveShare *));
    }
    DriveShare **drive = &sums->drive[pass->rank];
    if (*drive == NULL)
        *drive = value_of(result->drive_share, scope | pass->rank, sizeof **drive);
    (*drive)->length_m += unit->length_m;
    (*drive)->apart_m += unit->length_m * pass->apart / pass->passes;
    /* 1970-01-01 was a Thursday */
    unsigned weekday = (unsigned)((pass->second / 86400 + 3) % 7 + 1) & 7;
    unsigned number = (unsigned)(pass->second / 3600 % 24) & 31;
    HourShare **hour = &sums->hour[weekday << 5 | number];
    if (*hour == NULL) {
        *hour = value_of(result->hours, scope | weekday << 5 | number, sizeof **hour);
        (*hour)->corridor = (uint32_t)unit->corridor;
        (*hour)->group = unit->group;
        (*hour)->service = pass->service;
        (*hour)->weekday = (uint8_t)weekday;
        (*hour)->hour = (uint8_t)number;
    }
    (*hour)->passes++;
    (*hour)->passes_with +=
        pass->share >= result->profile->services[pass->service].required ? 1 : 0;
    (*hour)->length_m += unit->length_m;
    (*hour)->share_m += pass->share * unit->length_m;
}

/* ---- lots ---- */

/* Writes what lies before (segment, group) and was not measured: segments of corridors always,
 * others only beside groups that have something there. */
static gboolean write_unmeasured(OutSegments *out, uint32_t segment, uint32_t group, GError **error)
{
    const Result *result = out->result;
    uint32_t outside = segments_first(result->segments, result->network->n_corridors);
    uint32_t n_groups = result->setup.n_groups;
    while (out->next_segment < segment ||
           (out->next_segment == segment && out->next_group < group)) {
        gboolean wanted =
            out->next_segment < outside || out->next_group > 0 || out->next_segment == segment;
        if (!wanted) {
            out->next_segment = segment;
            continue;
        }
        if (!out_judge_unmeasured(out->judge, out->next_segment, out->next_group, error))
            return FALSE;
        if (++out->next_group >= n_groups) {
            out->next_group = 0;
            out->next_segment++;
        }
    }
    return TRUE;
}

static gboolean take_unit(OutSegments *out, const Lot *b, const Unit *before, const Unit *u,
                          GError **error)
{
    Result *result = out->result;
    const OutUnit *unit = &u->unit;
    if (!write_unmeasured(out, unit->segment, unit->group, error) ||
        !layer_add_encoded(out->writer, b->rows->data + before->rows_end,
                           u->rows_end - before->rows_end, error))
        return FALSE;
    g_array_append_val(result->brief, unit->brief);
    g_array_append_vals(result->service,
                        &g_array_index(b->services, BriefService, before->services_end),
                        u->services_end - before->services_end);
    for (guint i = before->shares_end; i < u->shares_end; i++)
        add_share(out, unit, &g_array_index(b->shares, OutShare, i));
    out->next_segment = unit->segment;
    out->next_group = unit->group + 1;
    if (out->next_group >= result->setup.n_groups) {
        out->next_group = 0;
        out->next_segment++;
    }
    return TRUE;
}

/* Takes the oldest lot back, when it is judged. */
static gboolean take_lot(OutSegments *out, GError **error)
{
    Lot *b = &out->lot[out->oldest];
    g_mutex_lock(&out->lock);
    while (!b->done)
        g_cond_wait(&out->changed, &out->lock);
    g_mutex_unlock(&out->lock);
    out->oldest = (out->oldest + 1) % out->n_lots;
    out->waiting--;
    if (b->error != NULL) {
        g_propagate_error(error, g_steal_pointer(&b->error));
        return FALSE;
    }
    Unit none = {0};
    const Unit *before = &none;
    for (guint i = 0; i < b->units->len; i++) {
        const Unit *u = &g_array_index(b->units, Unit, i);
        if (!take_unit(out, b, before, u, error))
            return FALSE;
        before = u;
    }
    b->done = FALSE;
    g_array_set_size(b->units, 0);
    g_byte_array_set_size(b->packed, 0);
    g_byte_array_set_size(b->rows, 0);
    g_array_set_size(b->services, 0);
    g_array_set_size(b->shares, 0);
    return TRUE;
}

static Lot *filling(OutSegments *out)
{
    return &out->lot[(out->oldest + out->waiting) % out->n_lots];
}

/* Hands the lot being filled to a thread; leaves an empty one to fill. */
static gboolean hand_out(OutSegments *out, GError **error)
{
    Lot *b = filling(out);
    if (b->units->len == 0)
        return TRUE;
    out->waiting++;
    if (out->pool != NULL)
        (void)g_thread_pool_push(out->pool, b, NULL);
    else
        judge_lot(b, out);
    return out->waiting < out->n_lots || take_lot(out, error);
}

gboolean out_segments_add(OutSegments *out, const CellPlace *place, const void *cell, size_t n,
                          GError **error)
{
    Lot *b = filling(out);
    Unit *u = b->units->len > 0 ? &g_array_index(b->units, Unit, b->units->len - 1) : NULL;
    if (u == NULL || u->unit.segment != place->segment || u->unit.group != place->group) {
        if (b->packed->len >= LOT_BYTES) {
            if (!hand_out(out, error))
                return FALSE;
            b = filling(out);
        }
        Unit next = {.unit = {.segment = place->segment, .group = place->group}};
        g_array_append_val(b->units, next);
        u = &g_array_index(b->units, Unit, b->units->len - 1);
    }
    const PackedCell head = {*place, n};
    const guint at = b->packed->len;
    g_byte_array_set_size(b->packed, at + (guint)(sizeof head + n));
    memcpy(b->packed->data + at, &head, sizeof head);
    memcpy(b->packed->data + at + sizeof head, cell, n);
    u->unit.n_cells++;
    u->packed_end = b->packed->len;
    return TRUE;
}

gboolean out_segments_finish(OutSegments *out, GError **error)
{
    const Result *result = out->result;
    if (!hand_out(out, error))
        return FALSE;
    while (out->waiting > 0)
        if (!take_lot(out, error))
            return FALSE;
    uint32_t outside = segments_first(result->segments, result->network->n_corridors);
    uint32_t end = MAX(outside, out->next_segment + (out->next_group > 0 ? 1 : 0));
    if (!write_unmeasured(out, end, 0, error))
        return FALSE;
    if (end > 0)
        return TRUE;
    g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_EMPTY,
                "%s: nothing of the drives lies on this network; give another one",
                result->network->path);
    return FALSE;
}
