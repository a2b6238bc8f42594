/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/out-judge.h"

#include "analyzer/out-tests.h"
#include "analyzer/pass-pack.h"

#include <math.h>
#include <string.h>

struct OutJudge {
    const Result *result;
    OutRow segments, evidence, tests;
    GArray *points, *pass;
    GPtrArray *cells; /* Cell, of the segment at hand */
    Cell *cell;       /* as many as there ever were at once */
    guint n_cells;
    SegmentFigures figures;
    ServiceResult *services;
    double *share;         /* of the services in the cells (judge_segment()) */
    uint32_t line_segment; /* whose line is in points */
    Segment info;
    PassPacker *packer;
};

static OutJudge *judge_new(const Result *result)
{
    OutJudge *out = g_new0(OutJudge, 1);
    out->result = result;
    out->points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    out->pass = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    out->cells = g_ptr_array_new();
    out->services = g_new0(ServiceResult, MAX(result->profile->n_services, 1));
    out->line_segment = SEGMENT_NONE;
    out->packer = pass_packer_new();
    return out;
}

OutJudge *out_judge_new_encoding(const OutJudge *first, GByteArray *rows)
{
    OutJudge *out = judge_new(first->result);
    out_row_init_encoded(&out->segments, &first->segments, rows);
    out_row_init_encoded(&out->evidence, &first->evidence, rows);
    out_row_init_encoded(&out->tests, &first->tests, rows);
    return out;
}

void out_judge_free(OutJudge *out)
{
    if (out == NULL)
        return;
    out_row_clear(&out->segments);
    out_row_clear(&out->evidence);
    out_row_clear(&out->tests);
    for (guint i = 0; i < out->n_cells; i++)
        cell_clear(&out->cell[i]);
    g_free(out->cell);
    g_ptr_array_unref(out->cells);
    g_array_unref(out->points);
    g_array_unref(out->pass);
    pass_packer_free(out->packer);
    g_free(out->services);
    g_free(out->share);
    g_free(out);
}

static void load_line(OutJudge *out, uint32_t segment)
{
    if (out->line_segment == segment)
        return;
    segments_get(out->result->segments, segment, &out->info, out->points);
    out->line_segment = segment;
}

static void rank_columns(OutRow *row, const char *name, LevelRank rank)
{
    out_real(row, name, rank.is == LEVEL_VALUE ? rank.dbm : (double)NAN);
    out_word(row, out_row_name(row, name, "_is"), level_is_name(rank.is));
}

static const char *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void place_columns(OutJudge *out, OutRow *row, uint32_t segment, uint32_t group)
{
    const Result *result = out->result;
    const Segment *info = &out->info;
    const NetworkEdge *edge =
        info->edge < result->network->n_edges ? &result->network->edges[info->edge] : NULL;
    double shift = info->corridor == UINT32_MAX && edge != NULL ? edge->id_offset_m : 0.0;
    out_int(row, "segment", (int64_t)segment + 1);
    out_word(row, "corridor", result_corridor_name(result, info->corridor));
    out_word(row, "edge", edge ? edge->id : NULL);
    out_real(row, "km_from", (info->from_m + shift) / 1000.0);
    out_real(row, "km_to", (info->to_m + shift) / 1000.0);
    out_real(row, "length_m", info->length_m);
    out_word(row, "road", edge ? text_or_null(edge->class) : NULL);
    out_word(row, "name",
             edge ? (text_or_null(edge->name) ? edge->name : text_or_null(edge->ref)) : NULL);
    out_int(row, "tunnel", info->tunnel_m >= 0.5 * info->length_m);
    out_word(row, "operator", result->setup.groups[group].operator_label);
    out_word(row, "antenna", result->setup.groups[group].antenna);
}

static void level_columns(OutRow *row, const SegmentFigures *f)
{
    double none = f->n > 0 ? f->share_of_rat[RAT_NONE] : (double)NAN;
    gboolean any = f->n > 0;
    out_word(row, "rat", f->rat < 0 ? NULL : rat_name((Rat)f->rat));
    out_real(row, "share_lte", any ? f->share_of_rat[RAT_LTE] : (double)NAN);
    out_real(row, "share_nr",
             any ? f->share_of_rat[RAT_NR_NSA] + f->share_of_rat[RAT_NR_SA] : (double)NAN);
    out_real(row, "share_gsm", any ? f->share_of_rat[RAT_GSM] : (double)NAN);
    out_real(row, "share_umts", any ? f->share_of_rat[RAT_UMTS] : (double)NAN);
    out_real(row, "share_no_service", none);
    out_int_or_null(row, "band", f->band >= 0, f->band);
    out_real(row, "level_mean", f->level_mean);
    rank_columns(row, "level_p10", f->p10);
    rank_columns(row, "level_p50", f->p50);
    rank_columns(row, "level_p90", f->p90);
    out_real(row, "level_min", f->level_min);
    out_real(row, "level_max", f->level_max);
    out_real(row, "nr_level_p50", f->nr_level_p50);
    out_real(row, "rsrq_p10", f->rsrq_p10);
    out_real(row, "rsrq_p50", f->rsrq_p50);
    out_real(row, "sinr_p10", f->sinr_p10);
    out_real(row, "sinr_p50", f->sinr_p50);
    out_int(row, "cells", f->cells);
    out_int(row, "cell_changes", f->cell_changes);
    out_int(row, "rat_changes", f->rat_changes);
    out_int(row, "short_stays", f->short_stays);
}

static const char *meeting_word(const SegmentFigures *f)
{
    if (f->meeting_n == 0)
        return "not tested";
    double works = f->meeting[1], fails = f->meeting[3] + f->meeting[4];
    return works >= 0.5 ? "works" : fails >= 0.5 ? "fails" : "degraded";
}

static void probe_columns(OutRow *row, const SegmentFigures *f)
{
    gboolean met = f->meeting_n > 0;
    static const char *const grades[] = {NULL, "meeting_green", "meeting_yellow", "meeting_red",
                                         "meeting_black"};
    out_int(row, "rtt_n", (int64_t)f->rtt_n);
    out_real(row, "rtt_p50", f->rtt_p50);
    out_real(row, "rtt_p90", f->rtt_p90);
    out_real(row, "rtt_p95", f->rtt_p95);
    out_real(row, "loss_share", f->loss_share);
    out_real(row, "jitter_p50", f->jitter_p50);
    out_real(row, "jitter_p90", f->jitter_p90);
    out_int(row, "outages", f->outages);
    out_int(row, "meeting_n", (int64_t)f->meeting_n);
    for (int g = 1; g <= 4; g++)
        out_real(row, grades[g], met ? f->meeting[g] : (double)NAN);
    out_real(row, "meeting_mos_p50", f->mos_p50);
    out_word(row, "meeting_is", meeting_word(f));
    out_word(row, "meeting_reason", text_or_null(f->reasons));
    out_int(row, "down_n", (int64_t)f->down_n);
    out_int(row, "up_n", (int64_t)f->up_n);
    out_real(row, "down_p10", f->down_p10);
    out_real(row, "down_p50", f->down_p50);
    out_real(row, "down_p90", f->down_p90);
    out_real(row, "up_p10", f->up_p10);
    out_real(row, "up_p50", f->up_p50);
    out_real(row, "up_p90", f->up_p90);
    out_real(row, "passive_down_p50", f->passive_down_p50);
    out_real(row, "passive_up_p50", f->passive_up_p50);
    out_int(row, "tests", f->tests);
    out_int(row, "tests_failed", f->tests_failed);
    out_int(row, "tests_skipped", f->tests_skipped);
}

static void service_columns(OutRow *row, const Service *service, const ServiceResult *r)
{
    gboolean judged = !isnan(r->share);
#define NAME(suffix) out_row_name(row, service->id, "_" suffix)
    out_real(row, NAME("share"), r->share);
    out_real(row, NAME("low"), judged ? r->low : (double)NAN);
    out_real(row, NAME("high"), judged ? r->high : (double)NAN);
    out_real(row, NAME("share_time"), r->share_time);
    out_int(row, NAME("n"), r->n);
    out_word(row, NAME("verdict"), verdict_name(r->verdict));
    out_word(row, NAME("reason"), reason_name(r->reason));
    out_int_or_null(row, NAME("grey"), r->grey >= 0, r->grey);
#undef NAME
}

static void segment_columns(OutJudge *out, uint32_t segment, uint32_t group)
{
    OutRow *row = &out->segments;
    const SegmentFigures *f = &out->figures;
    const Profile *profile = out->result->profile;
    place_columns(out, row, segment, group);
    out_int(row, "passes", f->passes);
    out_int(row, "days", f->days);
    out_int(row, "n", (int64_t)f->n);
    out_real(row, "n_effective", f->n_effective);
    out_int(row, "n_level", (int64_t)f->n_level);
    out_int(row, "n_no_service", (int64_t)f->n_no_service);
    out_int(row, "n_limited", (int64_t)f->n_limited);
    out_int(row, "n_missing", (int64_t)f->n_missing);
    out_int(row, "n_interpolated", (int64_t)f->n_interpolated);
    out_real(row, "seconds", f->seconds);
    out_real(row, "metres", f->metres);
    out_real(row, "position_m", f->n > 0 ? f->position_m : (double)NAN);
    out_time(row, "first_time", f->n > 0, f->first_ns);
    out_time(row, "last_time", f->n > 0, f->last_ns);
    level_columns(row, f);
    probe_columns(row, f);
    for (guint s = 0; s < profile->n_services; s++)
        service_columns(row, &profile->services[s], &out->services[s]);
}

static gboolean write_segment(OutJudge *out, uint32_t segment, uint32_t group, GError **error)
{
    load_line(out, segment);
    segment_columns(out, segment, group);
    return out_row_end(&out->segments, (const GeoPoint *)(void *)out->points->data,
                       out->points->len, error);
}

static void nothing_measured(OutJudge *out)
{
    out->figures = (SegmentFigures){
        .rat = -1,
        .band = -1,
        .level_mean = NAN,
        .p10 = {NAN, LEVEL_NOT_MEASURED},
        .p50 = {NAN, LEVEL_NOT_MEASURED},
        .p90 = {NAN, LEVEL_NOT_MEASURED},
        .level_min = NAN,
        .level_max = NAN,
        .nr_level_p50 = NAN,
        .rsrq_p10 = NAN,
        .rsrq_p50 = NAN,
        .sinr_p10 = NAN,
        .sinr_p50 = NAN,
        .rtt_p50 = NAN,
        .rtt_p90 = NAN,
        .rtt_p95 = NAN,
        .loss_share = NAN,
        .jitter_p50 = NAN,
        .jitter_p90 = NAN,
        .mos_p50 = NAN,
        .down_p10 = NAN,
        .down_p50 = NAN,
        .down_p90 = NAN,
        .up_p10 = NAN,
        .up_p50 = NAN,
        .up_p90 = NAN,
        .passive_down_p50 = NAN,
        .passive_up_p50 = NAN,
    };
    for (guint s = 0; s < out->result->profile->n_services; s++)
        out->services[s] = (ServiceResult){.share = NAN,
                                           .share_time = NAN,
                                           .low = 0.0,
                                           .high = 1.0,
                                           .verdict = VERDICT_NOT_MEASURED,
                                           .reason = REASON_NO_SAMPLE,
                                           .grey = -1};
}

/* What the passes of a row have together. */
typedef struct {
    int64_t records, n, first_ns, last_ns;
} Together;

static void pack_cell(OutJudge *out, const Cell *cell, uint32_t pass, Together *all)
{
    const Result *result = out->result;
    const CellHead *h = &cell->head;
    PassRecord record = {.drive = (int64_t)result->rank[h->drive] + 1,
                         .source = result_source_id(result, h->drive, h->source),
                         .first_ns = h->first_ns,
                         .last_ns = h->last_ns,
                         .pass = pass,
                         .n = h->n,
                         .n_level = h->n_level,
                         .n_no_service = h->n_no_service,
                         .n_limited = h->n_limited,
                         .n_missing = h->n_missing,
                         .band = cell_tally_most(&cell->tally, TALLY_BAND),
                         .is_backward = h->n_backward * 2 > h->n,
                         .levels = cell->levels};
    pass_packer_add(out->packer, &record, cell->ids.id, cell->ids.n);
    all->first_ns = all->records > 0 ? MIN(all->first_ns, h->first_ns) : h->first_ns;
    all->last_ns = all->records > 0 ? MAX(all->last_ns, h->last_ns) : h->last_ns;
    all->n += h->n;
    all->records++;
}

static void evidence_columns(OutJudge *out, uint32_t segment, uint32_t group, const Together *all)
{
    OutRow *row = &out->evidence;
    const Result *result = out->result;
    size_t size;
    const uint8_t *packed = pass_packer_end(out->packer, &size);
    out_int(row, "segment", (int64_t)segment + 1);
    out_word(row, "operator", result->setup.groups[group].operator_label);
    out_word(row, "antenna", result->setup.groups[group].antenna);
    out_int(row, "records", all->records);
    out_int(row, "n", all->n);
    out_int(row, "first_ns", all->first_ns);
    out_int(row, "last_ns", all->last_ns);
    out_real(row, "decorrelation_m", result->group[group].decorrelation_m);
    out_blob(row, "packed", packed, size);
}

static gboolean write_evidence(OutJudge *out, const OutUnit *unit, GError **error)
{
    Together all = {0};
    pass_packer_begin(out->packer);
    for (guint i = 0; i < out->cells->len; i++) {
        const Cell *cell = g_ptr_array_index(out->cells, i);
        if (cell->head.n > 0 || cell->head.n_missing > 0)
            pack_cell(out, cell, g_array_index(out->pass, uint32_t, i), &all);
    }
    if (all.records == 0)
        return TRUE;
    evidence_columns(out, unit->segment, unit->group, &all);
    return out_row_end(&out->evidence, NULL, 0, error);
}

OutJudge *out_judge_new(const Result *result, LayerWriter *writer, GError **error)
{
    OutJudge *out = judge_new(result);
    const Together none = {0};
    out_row_init_bulk(&out->segments, writer, "segments", LAYER_LINES);
    out_row_init_bulk(&out->evidence, writer, "evidence", LAYER_NONE);
    out_row_init_bulk(&out->tests, writer, "tests", LAYER_NONE);
    out->info.edge = UINT32_MAX;
    out->info.corridor = UINT32_MAX;
    nothing_measured(out);
    segment_columns(out, 0, 0);
    evidence_columns(out, 0, 0, &none);
    if (out_row_only_fields(&out->segments, error) && out_row_only_fields(&out->evidence, error) &&
        out_tests_empty(&out->tests, error))
        return out;
    out_judge_free(out);
    return NULL;
}

gboolean out_judge_unmeasured(OutJudge *out, uint32_t segment, uint32_t group, GError **error)
{
    nothing_measured(out);
    return write_segment(out, segment, group, error);
}

/* Shares of the services in the passes of one segment. */
static void list_shares(const OutJudge *out, const GPtrArray *cells, GArray *shares)
{
    const Result *result = out->result;
    for (guint s = 0; s < result->profile->n_services; s++) {
        const double *share = out->share + (size_t)s * cells->len;
        double sum = 0.0, k = 0.0;
        if (result->profile->services[s].quantity > QUANTITY_STATE)
            continue;
        for (guint i = 0; i < cells->len; i++) {
            if (isnan(share[i]))
                continue;
            sum += share[i];
            k += 1.0;
        }
        for (guint i = 0; i < cells->len; i++) {
            const CellHead *head = &((const Cell *)cells->pdata[i])->head;
            if (isnan(share[i]))
                continue;
            OutShare pass = {.service = s,
                             .rank = result->rank[head->drive],
                             .second = head->first_ns / 1000000000,
                             .share = share[i],
                             .apart = share[i] - sum / k,
                             .passes = k};
            g_array_append_val(shares, pass);
        }
    }
}

static Brief make_brief(const OutJudge *out, uint32_t segment, uint32_t group)
{
    const SegmentFigures *f = &out->figures;
    float level = f->p50.is == LEVEL_VALUE          ? (float)f->p50.dbm
                  : f->p50.is == LEVEL_NOT_MEASURED ? NAN
                                                    : -INFINITY;
    Brief brief = {.segment = segment,
                   .group = group,
                   .length_m = (float)out->info.length_m,
                   .metres = (float)f->metres,
                   .seconds = (float)f->seconds,
                   .n_effective = (float)f->n_effective,
                   .n = (uint32_t)f->n,
                   .passes = f->passes,
                   .days = f->days,
                   .level = level,
                   .below = f->p50.is == LEVEL_BELOW_FLOOR ? (float)f->p50.dbm : NAN,
                   .rtt_p50 = (float)f->rtt_p50,
                   .rtt_p90 = (float)f->rtt_p90,
                   .loss = (float)f->loss_share,
                   .jitter_p50 = (float)f->jitter_p50,
                   .down_p10 = (float)f->down_p10,
                   .down_p50 = (float)f->down_p50,
                   .up_p10 = (float)f->up_p10,
                   .up_p50 = (float)f->up_p50,
                   .meeting_n = f->meeting_n,
                   .cell_changes = f->cell_changes,
                   .rat_changes = f->rat_changes,
                   .tests = f->tests,
                   .tests_failed = f->tests_failed,
                   .tests_skipped = f->tests_skipped,
                   .share_none = (float)f->share_of_rat[RAT_NONE]};
    for (int g = 1; g <= 4; g++)
        brief.meeting[g] = (float)f->meeting[g];
    return brief;
}

static gboolean unpack(OutJudge *out, const uint8_t *packed, size_t n, guint n_cells,
                       GError **error)
{
    if (n_cells > out->n_cells) {
        out->cell = g_renew(Cell, out->cell, n_cells);
        for (guint i = out->n_cells; i < n_cells; i++)
            cell_init(&out->cell[i]);
        out->n_cells = n_cells;
    }
    g_ptr_array_set_size(out->cells, 0);
    for (guint i = 0; i < n_cells; i++) {
        PackedCell head;
        memcpy(&head, packed, sizeof head);
        packed += sizeof head;
        n -= sizeof head;
        if (head.bytes > n || !cell_unpack(&out->cell[i], &head.place, packed, head.bytes)) {
            g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_FAILED,
                        "temporary file is damaged; check the disk");
            return FALSE;
        }
        packed += head.bytes;
        n -= head.bytes;
        g_ptr_array_add(out->cells, &out->cell[i]);
    }
    return TRUE;
}

gboolean out_judge_unit(OutJudge *out, OutUnit *unit, const uint8_t *packed, size_t n,
                        GArray *services, GArray *shares, GError **error)
{
    const Result *result = out->result;
    GPtrArray *cells = out->cells;
    if (!unpack(out, packed, n, unit->n_cells, error))
        return FALSE;
    judge_join(cells, result->rank, out->pass);
    out->share = g_renew(double, out->share, (gsize)result->profile->n_services * cells->len + 1);
    judge_segment(cells, out->pass, result->profile, &result->group[unit->group], &out->figures,
                  out->services, out->share);
    if (!write_segment(out, unit->segment, unit->group, error) || !write_evidence(out, unit, error))
        return FALSE;
    unit->corridor = MIN(out->info.corridor, result->network->n_corridors);
    unit->length_m = out->info.length_m;
    unit->brief = make_brief(out, unit->segment, unit->group);
    for (guint s = 0; s < result->profile->n_services; s++) {
        const ServiceResult *r = &out->services[s];
        BriefService b = {(float)r->share, (float)r->share_time, (uint8_t)r->verdict,
                          (uint8_t)r->reason, (int8_t)r->grey};
        g_array_append_val(services, b);
    }
    list_shares(out, cells, shares);
    return out_tests(&out->tests, result, &out->info, unit->segment, unit->group, cells, error);
}
