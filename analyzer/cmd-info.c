/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/crs.h"
#include "formats/drive-damage.h"
#include "formats/drive-read.h"
#include "formats/shown-text.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the JSON beside an import; the importer writes some hundred. */
enum { MOST_DETAIL = 16384 };

/* What passes over a drive once gather, per source. */
typedef struct {
    gint64 n_fixes, n_samples, no_service, by_rat[RAT_COUNT];
    gint64 first_ns, last_ns, longest_gap_ns;
    gint64 last_sample_ns, last_fix_ns;
    double km, last_lat, last_lon;
    double sum_accuracy_m;
    gint64 n_accuracy, longest_fix_gap_ns;
} SourceInfo;

/* Above this, two fixes are not the same journey, or one is wrong: no vehicle on a road or railway.
 */
static const double max_speed_mps = 120.0;

static SourceInfo *info_of(GArray *infos, gint64 source)
{
    if (source < 0 || source > 1 << 16)
        source = 0;
    if ((guint)source >= infos->len)
        g_array_set_size(infos, (guint)source + 1);
    return &g_array_index(infos, SourceInfo, (guint)source);
}

static void extend(SourceInfo *info, gint64 time_ns)
{
    if (info->n_fixes + info->n_samples == 0) {
        info->first_ns = info->last_ns = time_ns;
        return;
    }
    info->first_ns = MIN(info->first_ns, time_ns);
    info->last_ns = MAX(info->last_ns, time_ns);
}

static void take_fix(SourceInfo *info, const Fix *fix)
{
    extend(info, fix->time_ns);
    if (RECORD_HAS(fix, FIX, lat) && RECORD_HAS(fix, FIX, lon)) {
        double seconds = (double)(fix->time_ns - info->last_fix_ns) / 1e9;
        if (info->last_fix_ns != 0) {
            double metres = crs_distance_m((GeoPoint){info->last_lon, info->last_lat},
                                           (GeoPoint){fix->lon, fix->lat});
            if (metres <= max_speed_mps * MAX(seconds, 1.0) && metres > 5.0)
                info->km += metres / 1000.0;
            info->longest_fix_gap_ns =
                MAX(info->longest_fix_gap_ns, fix->time_ns - info->last_fix_ns);
        }
        info->last_fix_ns = fix->time_ns;
        info->last_lat = fix->lat;
        info->last_lon = fix->lon;
    }
    if (RECORD_HAS(fix, FIX, accuracy_m)) {
        info->sum_accuracy_m += fix->accuracy_m;
        info->n_accuracy++;
    }
    info->n_fixes++;
}

static void take_sample(SourceInfo *info, const Sample *sample)
{
    extend(info, sample->time_ns);
    if (info->n_samples > 0)
        info->longest_gap_ns = MAX(info->longest_gap_ns, sample->time_ns - info->last_sample_ns);
    info->last_sample_ns = sample->time_ns;
    info->by_rat[RECORD_HAS(sample, SAMPLE, rat) ? sample->rat : RAT_UNKNOWN]++;
    if (RECORD_HAS(sample, SAMPLE, service) && sample->service == SERVICE_NONE)
        info->no_service++;
    info->n_samples++;
}

static gboolean scan(Drive *drive, RecordKind kind, uint64_t columns, GArray *infos, GError **error)
{
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, kind, columns, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    GError *failure = NULL;
    const Batch *batch = NULL;
    while ((batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            union {
                Fix fix;
                Sample sample;
            } record;
            batch_get(batch, kind, i, &record);
            if (kind == RECORD_FIX)
                take_fix(info_of(infos, record.fix.source), &record.fix);
            else
                take_sample(info_of(infos, record.sample.source), &record.sample);
        }
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

static void print_time(gint64 time_ns)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(time_ns / 1000000000);
    g_autofree char *text = time != NULL ? g_date_time_format(time, "%F %T") : g_strdup("?");
    (void)fputs(text, stdout);
}

static void print_source(const Source *source, const SourceInfo *info)
{
    g_autofree char *label = shown_text(source->label);
    g_autofree char *operator_label = shown_text(source->operator_label);
    printf("  source %" G_GINT64_FORMAT ": %s", source->id, label);
    if (RECORD_HAS(source, SOURCE, operator_label) && strcmp(operator_label, label) != 0)
        printf(", operator %s", operator_label);
    if (RECORD_HAS(source, SOURCE, place) && source->place != PLACE_UNKNOWN)
        printf(", %s antenna", source->place == PLACE_ROOF ? "roof" : "cabin");
    putchar('\n');
    if (info->n_fixes + info->n_samples == 0) {
        puts("    no records");
        return;
    }
    double seconds = MAX((double)(info->last_ns - info->first_ns) / 1e9, 1.0);
    printf("    ");
    print_time(info->first_ns);
    printf(" to ");
    print_time(info->last_ns);
    printf(" UTC\n");
    if (info->n_fixes > 0) {
        printf("    %" G_GINT64_FORMAT " fixes, %.1f km, longest gap %.0f s", info->n_fixes,
               info->km, (double)info->longest_fix_gap_ns / 1e9);
        if (info->n_accuracy > 0)
            printf(", accuracy %.0f m on average", info->sum_accuracy_m / (double)info->n_accuracy);
        putchar('\n');
    }
    if (info->n_samples == 0)
        return;
    printf("    %" G_GINT64_FORMAT " samples, %.2f/s, longest gap %.0f s, %" G_GINT64_FORMAT
           " without service\n    ",
           info->n_samples, (double)info->n_samples / seconds, (double)info->longest_gap_ns / 1e9,
           info->no_service);
    const char *separator = "";
    for (int rat = 0; rat < RAT_COUNT; rat++)
        if (info->by_rat[rat] > 0) {
            printf("%s%s %.1f %%", separator, rat_name((Rat)rat),
                   100.0 * (double)info->by_rat[rat] / (double)info->n_samples);
            separator = ", ";
        }
    putchar('\n');
}

/* Kinds beside fixes and samples: only how many. */
static gboolean print_counts(Drive *drive, GError **error)
{
    static const RecordKind kinds[] = {
        RECORD_NEIGHBOUR, RECORD_CARRIER,    RECORD_ANTENNA, RECORD_REGISTRATION, RECORD_PROBE,
        RECORD_LATENCY,   RECORD_THROUGHPUT, RECORD_MEETING, RECORD_EVENT,        RECORD_CLOCK};
    gboolean any = FALSE;
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        gint64 n = 0;
        gint64 first = 0;
        gint64 last = 0;
        if (!drive_count(drive, kinds[i], 0, &n, &first, &last, error))
            return FALSE;
        if (n == 0)
            continue;
        printf("%s%s %" G_GINT64_FORMAT, any ? ", " : "  ", record_type(kinds[i])->table, n);
        any = TRUE;
    }
    if (any)
        putchar('\n');
    return TRUE;
}

/* The counts by kind that the importer kept as JSON. */
static void print_refused(const Import *import)
{
    printf("    %" G_GINT64_FORMAT " values out of range, stored as unknown:",
           import->refused_values);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    /* json-glib goes one deeper for each bracket, until the stack ends. */
    JsonNode *root = RECORD_HAS(import, IMPORT, detail) && strlen(import->detail) < MOST_DETAIL &&
                             json_parser_load_from_data(parser, import->detail, -1, NULL)
                         ? json_parser_get_root(parser)
                         : NULL;
    JsonNode *refused = root != NULL && JSON_NODE_HOLDS_OBJECT(root)
                            ? json_object_get_member(json_node_get_object(root), "refused")
                            : NULL;
    if (refused != NULL && JSON_NODE_HOLDS_OBJECT(refused)) {
        JsonObjectIter iter;
        const char *name = NULL;
        JsonNode *count = NULL;
        json_object_iter_init_ordered(&iter, json_node_get_object(refused));
        while (json_object_iter_next_ordered(&iter, &name, &count))
            if (JSON_NODE_HOLDS_VALUE(count)) {
                g_autofree char *shown = shown_text(name);
                printf(" %s %" G_GINT64_FORMAT, shown, json_node_get_int(count));
            }
    }
    putchar('\n');
}

static gboolean print_imports(Drive *drive, GError **error)
{
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_IMPORT, 0, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    GError *failure = NULL;
    const Batch *batch = NULL;
    while ((batch = drive_next(cursor, &failure)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            Import import;
            batch_get(batch, RECORD_IMPORT, i, &import);
            g_autofree char *name = shown_text(import.name);
            g_autofree char *format = shown_text(import.format);
            printf("  imported %s (%s, %" G_GINT64_FORMAT " rows)\n", name, format, import.rows);
            if (import.refused_values > 0)
                print_refused(&import);
        }
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

static gboolean print_records(Drive *drive, GError **error)
{
    g_autoptr(GArray) infos = g_array_new(FALSE, TRUE, sizeof(SourceInfo));
    const uint64_t fix_columns =
        RECORD_BIT(FIX, lat) | RECORD_BIT(FIX, lon) | RECORD_BIT(FIX, accuracy_m);
    if (!scan(drive, RECORD_FIX, fix_columns, infos, error) ||
        !scan(drive, RECORD_SAMPLE, RECORD_BIT(SAMPLE, rat) | RECORD_BIT(SAMPLE, service), infos,
              error))
        return FALSE;
    guint n = 0;
    const Source *sources = drive_sources(drive, &n);
    for (guint i = 0; i < n; i++)
        print_source(&sources[i], info_of(infos, sources[i].id));
    return print_counts(drive, error) && print_imports(drive, error);
}

static char *meta_shown(Drive *drive, const char *key)
{
    g_autofree char *value = drive_meta(drive, key);
    return value != NULL ? shown_text(value) : NULL;
}

/* Returns FALSE if something is damaged, after telling what. */
static gboolean print_drive(const Command *command, const char *path, GError **error)
{
    g_autoptr(Drive) drive = drive_open(path, error);
    if (drive == NULL)
        return FALSE;
    g_autofree char *closed = drive_meta(drive, "closed");
    g_autofree char *vehicle = meta_shown(drive, "vehicle");
    g_autofree char *software = meta_shown(drive, "software");
    g_autofree char *recovered = meta_shown(drive, "recovered");
    printf("%s: %s%s%s%s%s\n", path,
           closed != NULL ? "closed" : "not closed (being recorded, or cut off)",
           vehicle != NULL ? ", vehicle " : "", vehicle != NULL ? vehicle : "",
           software != NULL ? ", by " : "", software != NULL ? software : "");
    if (recovered != NULL)
        printf("  recovered %s\n", recovered);
    g_autoptr(GError) failure = NULL;
    (void)print_records(drive, &failure);
    g_autoptr(GPtrArray) damage = drive_find_damage(drive);
    for (guint i = 0; i < damage->len; i++)
        command_warn(command, "%s: damaged: %s", path, (const char *)g_ptr_array_index(damage, i));
    if (damage->len > 0)
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_DAMAGED,
                    "%s: is damaged; `corridor recover` saves what can be read", path);
    else if (failure != NULL)
        g_propagate_error(error, g_steal_pointer(&failure));
    else
        return TRUE;
    return FALSE;
}

static int run(const Command *command, int argc, char **argv)
{
    return command_run_each(command, argc, argv, print_drive);
}

const Command command_info = {"info", "DRIVE…",
                              "what is in drives: sources, times, km, gaps, damage", run};
