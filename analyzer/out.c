/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/out-row.h"
#include "analyzer/result.h"
#include "analyzer/stat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- changes ---- */

static void change_columns(OutRow *row, const Result *result, const BinChange *c, uint32_t corridor,
                           uint32_t group)
{
    static const char *const kinds[] = {"cell", "rat", "lost", "found"};
    g_autofree char *was =
        c->kind == CHANGE_CELL ? cell_identity_text(c->was) : g_strdup(rat_name((Rat)c->was));
    g_autofree char *is =
        c->kind == CHANGE_CELL ? cell_identity_text(c->is) : g_strdup(rat_name((Rat)c->is));
    out_text(row, "corridor", result_corridor_name(result, corridor));
    out_int(row, "segment", (int64_t)c->segment + 1);
    out_real(row, "km", c->along_m / 1000.0);
    out_text(row, "operator", result->setup.groups[group].operator_label);
    out_text(row, "antenna", result->setup.groups[group].antenna);
    out_text(row, "kind", kinds[MIN(c->kind, CHANGE_FOUND)]);
    out_text(row, "was", was);
    out_text(row, "is", is);
    out_int(row, "short_stay", c->short_stay);
    out_time(row, "time", TRUE, c->time_ns);
    out_int(row, "drive", (int64_t)result->rank[c->drive] + 1);
}

gboolean out_changes(const Result *result, LayerWriter *writer, SpillMerge *merge, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init_bulk(&row, writer, "changes", LAYER_POINTS);
    g_autoptr(GError) local = NULL;
    SpillKey key;
    size_t n;
    const void *data;
    while ((data = spill_next(merge, &key, &n, &local)) != NULL) {
        BinChange change;
        memcpy(&change, data, sizeof change);
        GeoPoint point = {change.lon, change.lat};
        change_columns(&row, result, &change, key.a, key.b);
        if (!out_row_end(&row, &point, 1, error))
            return FALSE;
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (row.table != NULL)
        return TRUE;
    BinChange none = {0};
    change_columns(&row, result, &none, UINT32_MAX, 0);
    return out_row_only_fields(&row, error);
}

/* ---- drives, sources, quality ---- */

static gboolean write_drive(OutRow *row, const Result *result, guint rank, GError **error)
{
    const BinDrive *d = &result->drives[result->order[rank]];
    gboolean any = d->first_ns <= d->last_ns;
    out_int(row, "id", (int64_t)rank + 1);
    out_text(row, "name", d->name);
    out_text(row, "digest", d->digest);
    out_text(row, "sha256", d->sha256);
    out_time(row, "first_time", any, d->first_ns);
    out_time(row, "last_time", any, d->last_ns);
    out_text(row, "vehicle", d->vehicle);
    out_text(row, "problems", d->problems);
    return out_row_end(row, NULL, 0, error);
}

static double known_or_nan(const Source *s, SourceColumn column, double value)
{
    return s->known >> column & 1U ? value : (double)NAN;
}

static gboolean write_source(OutRow *row, const Result *result, guint rank, guint i, GError **error)
{
    guint number = result->order[rank];
    const BinSource *b = &result->drives[number].sources[i];
    const Source *s = &b->source;
    static const char *const kinds[] = {"unknown", "modem", "phone", "gps"};
    out_int(row, "id", (int64_t)result->source_base[number] + i + 1);
    out_int(row, "drive", (int64_t)rank + 1);
    out_int(row, "number", s->id);
    out_text(row, "label", s->label);
    out_text(row, "operator", bin_operator(s));
    out_text(row, "antenna", bin_antenna(s, FALSE));
    out_text(row, "kind", kinds[CLAMP(s->kind, 0, 3)]);
    out_text(row, "model", s->model);
    out_text(row, "firmware", s->firmware);
    out_real(row, "antenna_gain_dbi",
             known_or_nan(s, SOURCE_COL_antenna_gain_dbi, s->antenna_gain_dbi));
    out_real(row, "cable_loss_db", known_or_nan(s, SOURCE_COL_cable_loss_db, s->cable_loss_db));
    out_real(row, "floor_dbm", known_or_nan(s, SOURCE_COL_floor_dbm, s->floor_dbm));
    out_real(row, "correction_db", b->correction_db);
    out_text(row, "correction", b->correction);
    return out_row_end(row, NULL, 0, error);
}

static double samples_per_segment(const Result *result, guint group)
{
    g_autoptr(GArray) v = g_array_new(FALSE, FALSE, sizeof(StatWeighted));
    for (guint i = 0; i < result->brief->len; i++) {
        const Brief *b = &g_array_index(result->brief, Brief, i);
        if (b->group != group || b->passes == 0)
            continue;
        StatWeighted w = {(double)b->n / b->passes, 1.0};
        g_array_append_val(v, w);
    }
    return stat_percentile_weighted((StatWeighted *)(void *)v->data, v->len, 0.5);
}

static gboolean write_quality(OutRow *row, const Result *result, guint rank, guint i,
                              GError **error)
{
    guint number = result->order[rank];
    const BinSource *b = &result->drives[number].sources[i];
    int64_t fixes = 0;
    for (int s = 0; s < FIX_STATUS_COUNT; s++)
        fixes += b->fixes[s];
    out_int(row, "drive", (int64_t)rank + 1);
    out_int(row, "source", (int64_t)result->source_base[number] + i + 1);
    out_text(row, "operator", result->setup.groups[b->group].operator_label);
    out_text(row, "antenna", result->setup.groups[b->group].antenna);
    out_int(row, "fixes", fixes);
    out_int(row, "fixes_matched", b->fixes[FIX_MATCHED]);
    out_int(row, "fixes_off_network", b->fixes[FIX_OFF_NETWORK]);
    out_int(row, "fixes_rejected", b->fixes[FIX_REJECTED]);
    out_int(row, "fixes_repeated", b->fixes[FIX_REPEATED]);
    out_real(row, "accuracy_p50_m", b->accuracy_p50_m);
    out_real(row, "distance_p50_m", b->distance_p50_m);
    out_real(row, "distance_p95_m", b->distance_p95_m);
    out_int(row, "samples", b->samples);
    out_int(row, "samples_at_fix", b->placed[PLACE_FIX]);
    out_int(row, "samples_interpolated", b->placed[PLACE_INTERPOLATED]);
    out_int(row, "samples_off_network", b->placed[PLACE_OFF_NETWORK]);
    out_int(row, "samples_no_position", b->placed[PLACE_NO_POSITION]);
    out_int(row, "samples_uncertain", b->uncertain);
    out_int(row, "samples_missing", b->missing);
    out_int(row, "samples_used", b->used);
    out_real(row, "seconds_used", b->seconds_used);
    out_real(row, "seconds_no_position", b->seconds_no_position);
    out_real(row, "seconds_off_network", b->seconds_off_network);
    out_real(row, "samples_per_segment_p50", samples_per_segment(result, b->group));
    out_int(row, "refused_values", b->refused_values);
    out_real(row, "interval_p50_s", b->interval_p50_s);
    return out_row_end(row, NULL, 0, error);
}

gboolean out_sources(const Result *result, LayerWriter *writer, GError **error)
{
    g_auto(OutRow) drives = {0}, sources = {0}, quality = {0};
    out_row_init(&drives, writer, "drives", LAYER_NONE);
    out_row_init(&sources, writer, "sources", LAYER_NONE);
    out_row_init(&quality, writer, "quality", LAYER_NONE);
    for (guint rank = 0; rank < result->n_drives; rank++) {
        const BinDrive *d = &result->drives[result->order[rank]];
        if (!write_drive(&drives, result, rank, error))
            return FALSE;
        for (guint i = 0; i < d->n_sources; i++)
            if (!write_source(&sources, result, rank, i, error) ||
                !write_quality(&quality, result, rank, i, error))
                return FALSE;
    }
    return TRUE;
}

/* ---- corridors, services, hours, meta ---- */

static gboolean write_corridors(const Result *result, LayerWriter *writer, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, writer, "corridors", LAYER_LINES);
    g_autoptr(GArray) points = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    for (guint c = 0; c < result_corridors(result); c++) {
        const Corridor *corridor =
            c < result->network->n_corridors ? &result->network->corridors[c] : NULL;
        g_autoptr(GArray) segments = result_segments(result, c);
        double length = 0.0;
        for (guint i = 0; i < segments->len; i++) {
            Segment info;
            segments_get(result->segments, g_array_index(segments, uint32_t, i), &info, NULL);
            length += info.length_m;
        }
        g_array_set_size(points, 0);
        if (corridor)
            segments_corridor_line(result->segments, c, corridor->start_m,
                                   corridor->start_m + corridor->length_m, points);
        out_text(&row, "corridor", corridor ? corridor->name : "(other)");
        out_text(&row, "ref", corridor && corridor->ref && corridor->ref[0] ? corridor->ref : NULL);
        out_real(&row, "length_km", length / 1000.0);
        out_real(&row, "start_km", corridor ? corridor->start_m / 1000.0 : (double)NAN);
        out_int(&row, "segments", segments->len);
        if (!out_row_end(&row, (const GeoPoint *)(void *)points->data, points->len, error))
            return FALSE;
    }
    return TRUE;
}

/* Stations and junctions of the corridors, if the network names any. */
static gboolean write_stations(const Result *result, LayerWriter *writer, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, writer, "stations", LAYER_POINTS);
    for (guint c = 0; c < result->network->n_corridors; c++) {
        const Corridor *corridor = &result->network->corridors[c];
        for (uint32_t i = 0; i < corridor->n_stations; i++) {
            const CorridorStation *s = &corridor->stations[i];
            out_text(&row, "corridor", corridor->name);
            out_text(&row, "name", s->name);
            out_text(&row, "kind", s->kind != NULL && s->kind[0] != '\0' ? s->kind : NULL);
            out_real(&row, "km", s->at_m / 1000.0);
            if (!out_row_end(&row, &s->point, 1, error))
                return FALSE;
        }
    }
    return TRUE;
}

static gboolean write_service(OutRow *row, const Service *s, guint position, int tech,
                              GError **error)
{
    gboolean above = s->quantity != QUANTITY_RTT && s->quantity != QUANTITY_LOSS &&
                     s->quantity != QUANTITY_MEETING;
    double threshold = tech >= 0                       ? s->level_dbm[tech]
                       : s->quantity == QUANTITY_STATE ? (double)NAN
                                                       : s->limit;
    const char *unit = tech >= 0 ? "dBm" : quantity_unit(s->quantity);
    out_int(row, "position", (int64_t)position + 1);
    out_text(row, "service", s->id);
    out_text(row, "title", s->title);
    out_text(row, "quantity", quantity_name(s->quantity));
    out_text(row, "rat", tech >= 0 ? technology_name((Technology)tech) : NULL);
    out_real(row, "threshold", threshold);
    out_text(row, "unit", unit[0] ? unit : NULL);
    out_int(row, "above", above);
    out_real(row, "required", s->required);
    out_int(row, "min_samples", s->min_samples);
    out_int(row, "min_passes", s->min_passes);
    out_int(row, "min_days", s->min_days);
    out_text(row, "threshold_source", s->threshold_source);
    out_text(row, "required_source", s->required_source);
    out_text(row, "link", s->link);
    return out_row_end(row, NULL, 0, error);
}

static gboolean write_services(const Profile *profile, LayerWriter *writer, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, writer, "services", LAYER_NONE);
    for (guint i = 0; i < profile->n_services; i++) {
        const Service *s = &profile->services[i];
        gboolean any = FALSE;
        for (int t = 0; t < TECH_COUNT; t++) {
            if (!s->has_level[t])
                continue;
            any = TRUE;
            if (!write_service(&row, s, i, t, error))
                return FALSE;
        }
        if (!any && !write_service(&row, s, i, -1, error))
            return FALSE;
    }
    return TRUE;
}

static int by_hour(const void *a, const void *b)
{
    const HourShare *x = *(HourShare *const *)a, *y = *(HourShare *const *)b;
    uint64_t p =
        (uint64_t)x->corridor << 40 | (uint64_t)x->group << 24 | (uint64_t)x->service << 12;
    uint64_t q =
        (uint64_t)y->corridor << 40 | (uint64_t)y->group << 24 | (uint64_t)y->service << 12;
    p |= (uint64_t)(x->weekday << 6 | x->hour);
    q |= (uint64_t)(y->weekday << 6 | y->hour);
    return (p > q) - (p < q);
}

static gboolean write_hour(OutRow *row, const Result *result, const HourShare *h, int weekday,
                           int hour, GError **error)
{
    const char *corridor = result_corridor_name(result, h->corridor);
    out_text(row, "corridor", corridor ? corridor : "(other)");
    out_text(row, "operator", result->setup.groups[h->group].operator_label);
    out_text(row, "antenna", result->setup.groups[h->group].antenna);
    out_text(row, "service", result->profile->services[h->service].id);
    out_int(row, "weekday", weekday);
    out_int(row, "hour", hour);
    out_int(row, "passes", h->passes);
    out_int(row, "passes_with", h->passes_with);
    out_real(row, "km", h->length_m / 1000.0);
    out_real(row, "share", h->length_m > 0.0 ? h->share_m / h->length_m : (double)NAN);
    return out_row_end(row, NULL, 0, error);
}

/* Totals by weekday (hour -1) and by hour (weekday 0) of one corridor, group and service. */
static gboolean write_hour_totals(OutRow *row, const Result *result, HourShare *const *h, guint n,
                                  GError **error)
{
    HourShare by_day[8] = {{0}}, by_hour_of_day[24] = {{0}};
    for (guint i = 0; i < n; i++) {
        HourShare *sums[] = {&by_day[h[i]->weekday], &by_hour_of_day[h[i]->hour]};
        for (int k = 0; k < 2; k++) {
            HourShare before = *sums[k];
            *sums[k] = *h[i];
            sums[k]->passes += before.passes;
            sums[k]->passes_with += before.passes_with;
            sums[k]->length_m += before.length_m;
            sums[k]->share_m += before.share_m;
        }
    }
    for (int day = 1; day <= 7; day++)
        if (by_day[day].passes > 0 && !write_hour(row, result, &by_day[day], day, -1, error))
            return FALSE;
    for (int hour = 0; hour < 24; hour++)
        if (by_hour_of_day[hour].passes > 0 &&
            !write_hour(row, result, &by_hour_of_day[hour], 0, hour, error))
            return FALSE;
    return TRUE;
}

static gboolean write_hours(const Result *result, LayerWriter *writer, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, writer, "hours", LAYER_NONE);
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, result->hours);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(all, value);
    g_ptr_array_sort(all, by_hour);
    HourShare *const *h = (HourShare *const *)all->pdata;
    for (guint i = 0, from = 0; i < all->len; i++) {
        if (!write_hour(&row, result, h[i], h[i]->weekday, h[i]->hour, error))
            return FALSE;
        gboolean last = i + 1 == all->len || h[i + 1]->corridor != h[i]->corridor ||
                        h[i + 1]->group != h[i]->group || h[i + 1]->service != h[i]->service;
        if (!last)
            continue;
        if (!write_hour_totals(&row, result, h + from, i + 1 - from, error))
            return FALSE;
        from = i + 1;
    }
    if (row.table != NULL)
        return TRUE;
    HourShare none = {.corridor = UINT32_MAX};
    out_row_clear(&row);
    out_row_init(&row, writer, "hours", LAYER_NONE);
    return write_hour(&row, result, &none, 0, 0, error) &&
           layer_sql(writer, "DELETE FROM hours", error);
}

static gboolean put_meta(OutRow *row, const char *key, const char *value, GError **error)
{
    out_text(row, "key", key);
    out_text(row, "value", value);
    return out_row_end(row, NULL, 0, error);
}

static gboolean put_number(OutRow *row, const char *key, double value, GError **error)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    return put_meta(row, key, g_ascii_formatd(text, sizeof text, "%.15g", value), error);
}

static gboolean write_meta(const Result *result, LayerWriter *writer, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, writer, "meta", LAYER_NONE);
    int64_t newest = INT64_MIN, samples = 0;
    for (guint d = 0; d < result->n_drives; d++) {
        newest = MAX(newest, result->drives[d].last_ns);
        samples += result->drives[d].records;
    }
    g_autoptr(GDateTime) time =
        newest > INT64_MIN ? g_date_time_new_from_unix_utc(newest / 1000000000) : NULL;
    g_autofree char *created = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)result->seed);
    g_autofree char *network = g_path_get_basename(result->network->path);
    const Profile *p = result->profile;
    return put_meta(&row, "software", "corridor", error) &&
           put_meta(&row, "version", CORRIDOR_VERSION, error) &&
           put_meta(&row, "created_for", created, error) &&
           put_meta(&row, "profile", p->id, error) &&
           put_meta(&row, "profile_title", p->title, error) &&
           put_meta(&row, "profile_digest", p->digest, error) &&
           put_meta(&row, "network", network, error) &&
           put_meta(&row, "network_digest", result->network->digest, error) &&
           put_number(&row, "segment_m", result->setup.segment_m, error) &&
           put_meta(&row, "confidence", "0.95", error) && put_meta(&row, "seed", seed, error) &&
           put_number(&row, "bootstrap", result->rounds, error) &&
           put_number(&row, "pooled", result->setup.pooled, error) &&
           put_number(&row, "outdoor", result->setup.outdoor, error) &&
           put_meta(&row, "vehicle_loss", result->vehicle_loss, error) &&
           put_meta(&row, "options", result->options, error) &&
           put_number(&row, "drives", result->n_drives, error) &&
           put_number(&row, "samples", (double)samples, error) &&
           put_number(&row, "decibel_grey", JUDGE_GREY_DB, error);
}

gboolean out_meta(const Result *result, LayerWriter *writer, GError **error)
{
    return write_corridors(result, writer, error) && write_stations(result, writer, error) &&
           write_services(result->profile, writer, error) && write_hours(result, writer, error) &&
           write_meta(result, writer, error);
}
