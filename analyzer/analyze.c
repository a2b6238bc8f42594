/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/analyze.h"

#include "analyzer/bin-keep.h"
#include "analyzer/match.h"
#include "analyzer/result.h"
#include "analyzer/stat.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A network file larger than this is only loaded around the drives. */
#define WHOLE_NETWORK_BYTES (64 * 1024 * 1024)
#define REACH_M             5000.0
/* Of all threads together. */
#define CELL_MEMORY   (48u << 20)
#define CHANGE_MEMORY (8u << 20)
#define SAMPLE_MEMORY (32u << 20)
/* Where the drives do not show it (docs/method.md, "What samples are worth"). */
#define DECORRELATION_M 50.0
#define SIGMA_DB        4.0

typedef struct {
    const AnalyzeOptions *options;
    Result *result;
    Spill **cells, **changes, **samples; /* one each for a thread; samples NULL: not wanted */
    BinLook **looks;
    gint next, done, failed;
    GMutex lock;
    GError *error;
    guint error_drive;
} Run;

void analyze_report_clear(AnalyzeReport *report)
{
    g_clear_pointer(&report->problems, g_ptr_array_unref);
}

/* ---- groups and network ---- */

static int by_group(const void *a, const void *b)
{
    const BinGroup *x = a, *y = b;
    int order = strcmp(x->operator_label, y->operator_label);
    return order != 0 ? order : strcmp(x->antenna, y->antenna);
}

static void add_group(GArray *groups, const Source *source, gboolean pooled)
{
    BinGroup group = {(char *)(uintptr_t)bin_operator(source),
                      (char *)(uintptr_t)bin_antenna(source, pooled)};
    for (guint i = 0; i < groups->len; i++)
        if (by_group(&g_array_index(groups, BinGroup, i), &group) == 0)
            return;
    group.operator_label = g_strdup(group.operator_label);
    group.antenna = g_strdup(group.antenna);
    g_array_append_val(groups, group);
}

/* Some positions of a drive, for loading the network around them. */
static gboolean add_places(Drive *drive, GArray *places, GError **error)
{
    uint64_t columns = RECORD_BIT(FIX, lat) | RECORD_BIT(FIX, lon);
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_FIX, columns, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    g_autoptr(GError) local = NULL;
    const Batch *b;
    int64_t last = INT64_MIN;
    while ((b = drive_next(cursor, &local)) != NULL)
        for (size_t i = 0; i < b->n; i++) {
            int64_t time_ns = b->column[FIX_COL_time_ns].i[i];
            if ((b->known[i] & columns) != columns || time_ns - 5000000000 < last)
                continue;
            last = time_ns;
            GeoPoint p = {b->column[FIX_COL_lon].r[i], b->column[FIX_COL_lat].r[i]};
            g_array_append_val(places, p);
        }
    if (local == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean survey(const AnalyzeOptions *options, Result *result, GError **error)
{
    GStatBuf st;
    gboolean around = g_stat(options->network, &st) == 0 && st.st_size > WHOLE_NETWORK_BYTES;
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(GeoPoint));
    g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(BinGroup));
    for (char **path = options->drives; *path != NULL; path++) {
        g_autoptr(Drive) drive = drive_open(*path, error);
        if (drive == NULL)
            return FALSE;
        guint n;
        const Source *sources = drive_sources(drive, &n);
        for (guint i = 0; i < n; i++) {
            gint64 count, first_ns, last_ns;
            if (!drive_count(drive, RECORD_SAMPLE, sources[i].id, &count, &first_ns, &last_ns,
                             error))
                return FALSE;
            if (count > 0 || sources[i].kind != SOURCE_GPS)
                add_group(groups, &sources[i], options->pooled);
        }
        if (around && !add_places(drive, places, error))
            return FALSE;
    }
    g_array_sort(groups, by_group);
    result->setup.n_groups = groups->len;
    result->setup.groups = (const BinGroup *)(void *)g_array_steal(groups, NULL);
    if (result->setup.n_groups == 0) {
        g_set_error(error, NETWORK_ERROR, NETWORK_ERROR_EMPTY,
                    "the drives hold no samples; nothing to analyze");
        return FALSE;
    }
    result->network =
        around ? network_load_around(options->network, (const GeoPoint *)(void *)places->data,
                                     places->len, REACH_M, error)
               : network_load(options->network, NULL, error);
    return result->network != NULL;
}

/* ---- binning in threads ---- */

static gpointer worker(gpointer data)
{
    Run *run = ((gpointer *)data)[0];
    guint thread = GPOINTER_TO_UINT(((gpointer *)data)[1]);
    Result *result = run->result;
    while (!g_atomic_int_get(&run->failed)) {
        gint number = g_atomic_int_add(&run->next, 1);
        if (number >= (gint)result->n_drives)
            break;
        GError *error = NULL;
        if (!bin_drive(&result->setup, run->options->drives[number], (uint32_t)number,
                       run->cells[thread], run->changes[thread],
                       run->samples ? run->samples[thread] : NULL, run->looks[thread],
                       &result->drives[number], &error)) {
            g_mutex_lock(&run->lock);
            /* of several failures the first drive's is told, whichever thread was faster */
            if (run->error == NULL || (guint)number < run->error_drive) {
                g_clear_error(&run->error);
                run->error = g_steal_pointer(&error);
                run->error_drive = (guint)number;
            }
            g_mutex_unlock(&run->lock);
            g_clear_error(&error);
            g_atomic_int_set(&run->failed, 1);
        }
        gint done = g_atomic_int_add(&run->done, 1) + 1;
        if (run->options->progress != NULL) {
            g_mutex_lock(&run->lock);
            run->options->progress(done, result->n_drives, run->options->user_data);
            g_mutex_unlock(&run->lock);
        }
    }
    return NULL;
}

static gboolean bin_all(Run *run, guint jobs, GError **error)
{
    g_autofree GThread **threads = g_new0(GThread *, jobs);
    g_autofree gpointer *arguments = g_new0(gpointer, 2 * jobs);
    for (guint t = 0; t < jobs; t++) {
        arguments[2 * t] = run;
        arguments[2 * t + 1] = GUINT_TO_POINTER(t);
        threads[t] = t == 0 ? NULL : g_thread_new("bin", worker, &arguments[2 * t]);
    }
    worker(&arguments[0]);
    for (guint t = 1; t < jobs; t++)
        g_thread_join(threads[t]);
    if (run->error == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&run->error));
    return FALSE;
}

/* ---- order of drives ---- */

static int by_time_of_drive(const void *a, const void *b, void *user_data)
{
    const BinDrive *drives = user_data;
    const BinDrive *x = &drives[*(const uint32_t *)a], *y = &drives[*(const uint32_t *)b];
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    int order = strcmp(x->digest, y->digest);
    return order != 0 ? order : strcmp(x->name, y->name);
}

static gboolean order_drives(Result *result, GError **error)
{
    guint n = result->n_drives;
    result->order = g_new(uint32_t, n);
    result->rank = g_new(uint32_t, n);
    result->source_base = g_new(guint, n);
    for (guint i = 0; i < n; i++)
        result->order[i] = i;
    qsort_r(result->order, n, sizeof *result->order, by_time_of_drive, result->drives);
    guint sources = 0;
    for (guint i = 0; i < n; i++) {
        const BinDrive *d = &result->drives[result->order[i]];
        if (i > 0 && d->records > 0 &&
            strcmp(d->digest, result->drives[result->order[i - 1]].digest) == 0) {
            g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DUPLICATE,
                        "%s and %s hold the same samples; name only one of them",
                        result->drives[result->order[i - 1]].path, d->path);
            return FALSE;
        }
        result->rank[result->order[i]] = i;
        result->source_base[result->order[i]] = sources;
        sources += d->n_sources;
    }
    return TRUE;
}

/* ---- what the groups look like ---- */

/* Of all corridors, each weighing its known segments. */
static double decorrelation(const Result *result, const float *level)
{
    const Network *net = result->network;
    double sum = 0.0, weight = 0.0;
    for (uint32_t c = 0; c < net->n_corridors; c++) {
        uint32_t first = segments_first(result->segments, c),
                 n = segments_number(result->segments, c);
        size_t known;
        double dc =
            stat_decorrelation_levels(level + first, n, net->corridors[c].length_m / n, &known);
        if (dc > 0.0) {
            sum += dc * (double)known;
            weight += (double)known;
        }
    }
    return weight > 0.0 ? CLAMP(sum / weight, 10.0, 2000.0) : DECORRELATION_M;
}

static void look_at_groups(Result *result, const Run *run, guint jobs)
{
    guint n_groups = result->setup.n_groups;
    for (guint t = 1; t < jobs; t++)
        bin_look_join(run->looks[0], run->looks[t]);
    result->group = g_new0(JudgeGroup, n_groups);
    for (guint g = 0; g < n_groups; g++) {
        g_autofree float *level = bin_look_levels(run->looks[0], g);
        result->group[g].z = STAT_Z95;
        result->group[g].decorrelation_m = decorrelation(result, level);
        result->group[g].sigma_db = bin_look_sigma(run->looks[0], g, SIGMA_DB);
    }
}

/* ---- judging and writing ---- */

static gboolean judge_all(Result *result, Run *run, guint jobs, LayerWriter *writer, GError **error)
{
    g_autoptr(OutSegments) out = out_segments_new(result, writer, run->options->jobs, error);
    g_autoptr(SpillMerge) merge = out != NULL ? spill_merge(run->cells, jobs, error) : NULL;
    g_autoptr(GError) local = NULL;
    SpillKey key;
    size_t size;
    const void *data;
    if (merge == NULL)
        return FALSE;
    while ((data = spill_next(merge, &key, &size, &local)) != NULL) {
        CellPlace place = bin_cell_place(&key);
        if (!out_segments_add(out, &place, data, size, error))
            return FALSE;
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    return out_segments_finish(out, error);
}

static gboolean write_samples(const Result *result, Run *run, guint jobs, LayerWriter *writer,
                              GError **error)
{
    if (run->samples == NULL)
        return TRUE;
    g_autoptr(SpillMerge) merge = spill_merge(run->samples, jobs, error);
    return merge != NULL && out_samples(result, writer, merge, error);
}

static gboolean write_all(Result *result, Run *run, guint jobs, const char *path, GError **error)
{
    int64_t newest = INT64_MIN;
    for (guint d = 0; d < result->n_drives; d++)
        newest = MAX(newest, result->drives[d].last_ns);
    g_autoptr(GDateTime) time =
        newest > INT64_MIN ? g_date_time_new_from_unix_utc(newest / 1000000000) : NULL;
    g_autofree char *date = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S.000Z") : NULL;
    layer_set_date(date);
    g_autoptr(LayerWriter) writer = layer_create(path, error);
    if (writer == NULL)
        return FALSE;
    if (!judge_all(result, run, jobs, writer, error))
        return FALSE;
    g_autoptr(SpillMerge) changes = spill_merge(run->changes, jobs, error);
    return changes != NULL && out_summary(result, writer, error) &&
           out_changes(result, writer, changes, error) &&
           write_samples(result, run, jobs, writer, error) &&
           out_compare_operators(result, writer, error) && out_sources(result, writer, error) &&
           out_meta(result, writer, error) && out_styles(result, writer, error) &&
           layer_finish(writer, error);
}

static void add_report(const Result *result, AnalyzeReport *report)
{
    report->drives = result->n_drives;
    for (guint d = 0; d < result->n_drives; d++) {
        g_auto(GStrv) problems = g_strsplit(
            result->drives[d].problems != NULL ? result->drives[d].problems : "", "\n", -1);
        for (char **problem = problems; *problem != NULL; problem++)
            g_ptr_array_add(report->problems, g_strdup(*problem));
        for (guint i = 0; i < result->drives[d].n_sources; i++) {
            const BinSource *s = &result->drives[d].sources[i];
            report->samples += s->samples;
            report->used += s->used;
            report->off_network += s->placed[PLACE_OFF_NETWORK];
            report->no_position += s->placed[PLACE_NO_POSITION];
            report->uncertain += s->uncertain;
        }
    }
    for (uint32_t c = 0; c < result->network->n_corridors; c++)
        report->corridor_km += result->network->corridors[c].length_m / 1000.0;
}

static void result_clear(Result *result)
{
    for (guint d = 0; d < result->n_drives; d++)
        bin_drive_clear(&result->drives[d]);
    g_free(result->drives);
    BinGroup *groups = (BinGroup *)(uintptr_t)result->setup.groups;
    for (guint g = 0; g < result->setup.n_groups; g++) {
        g_free(groups[g].operator_label);
        g_free(groups[g].antenna);
    }
    g_free(groups);
    g_free(result->rank);
    g_free(result->order);
    g_free(result->source_base);
    g_free(result->group);
    g_clear_pointer(&result->brief, g_array_unref);
    g_clear_pointer(&result->service, g_array_unref);
    g_clear_pointer(&result->drive_share, g_hash_table_unref);
    g_clear_pointer(&result->hours, g_hash_table_unref);
    segments_free(result->segments);
    profile_free(result->profile);
    network_free((Network *)(uintptr_t)result->network);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Result, result_clear)

static gboolean run_analysis(const AnalyzeOptions *options, Result *result, Run *run, guint jobs,
                             GError **error)
{
    if (!bin_all(run, jobs, error) || !order_drives(result, error))
        return FALSE;
    look_at_groups(result, run, jobs);
    return write_all(result, run, jobs, options->out, error);
}

gboolean analyze(const AnalyzeOptions *options, AnalyzeReport *report, GError **error)
{
    g_auto(Result) result = {.seed = options->seed, .rounds = options->rounds};
    *report = (AnalyzeReport){.problems = g_ptr_array_new_with_free_func(g_free)};
    result.profile = profile_load(options->profile ? options->profile : "default", error);
    g_autoptr(VehicleLoss) loss =
        options->vehicle_loss ? vehicle_loss_read(options->vehicle_loss, error) : NULL;
    if (options->vehicle_loss != NULL && loss == NULL)
        return FALSE;
    if (result.profile == NULL || !survey(options, &result, error))
        return FALSE;
    result.segments = segments_new(result.network, options->segment_m, error);
    if (result.segments == NULL)
        return FALSE;
    result.setup.network = result.network;
    result.setup.segments = result.segments;
    g_autofree char *network_key = bin_keep_network_key(result.network);
    result.setup.network_key = network_key;
    result.setup.segment_m = options->segment_m;
    result.setup.pooled = options->pooled;
    result.setup.outdoor = options->outdoor;
    result.setup.loss = loss;
    result.vehicle_loss = options->vehicle_loss;
    bin_keep_sweep(options->drives);
    result.n_drives = g_strv_length(options->drives);
    result.drives = g_new0(BinDrive, result.n_drives);
    result.brief = g_array_new(FALSE, FALSE, sizeof(Brief));
    result.service = g_array_new(FALSE, FALSE, sizeof(BriefService));
    result.drive_share = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    result.hours = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);

    guint jobs = CLAMP(options->jobs, 1, MAX(result.n_drives, 1));
    g_autofree Spill **cells = g_new0(Spill *, jobs);
    g_autofree Spill **changes = g_new0(Spill *, jobs);
    g_autofree Spill **samples = options->samples ? g_new0(Spill *, jobs) : NULL;
    g_autofree BinLook **looks = g_new0(BinLook *, jobs);
    uint32_t n_segments = segments_first(result.segments, result.network->n_corridors);
    for (guint t = 0; t < jobs; t++) {
        cells[t] = spill_new(CELL_MEMORY / jobs);
        changes[t] = spill_new(CHANGE_MEMORY / jobs);
        looks[t] = bin_look_new(result.setup.n_groups, n_segments);
        if (samples != NULL)
            samples[t] = spill_new(SAMPLE_MEMORY / jobs);
    }
    Run run = {.options = options,
               .result = &result,
               .cells = cells,
               .changes = changes,
               .samples = samples,
               .looks = looks};
    g_mutex_init(&run.lock);
    gboolean done = run_analysis(options, &result, &run, jobs, error);
    g_mutex_clear(&run.lock);
    g_clear_error(&run.error);
    for (guint t = 0; t < jobs; t++) {
        spill_free(cells[t]);
        spill_free(changes[t]);
        bin_look_free(looks[t]);
        if (samples != NULL)
            spill_free(samples[t]);
    }
    if (done)
        add_report(&result, report);
    return done;
}
