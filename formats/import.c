/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/import.h"
#include "formats/file-hash.h"

#include "formats/plmn.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

enum { PROGRESS_ROWS = 4096, MAX_SOURCES = 256, SMALL_FILE = 64 * 1024 };

typedef struct {
    gint64 last_fix_ns;
    double last_lat, last_lon;
    gboolean has_fix;
} SourceState;

typedef struct {
    char *operator_label, *device, *home_plmn; /* as the file has them */
    gint64 number;
} KnownSource;

static void clear_known_source(gpointer data)
{
    KnownSource *known = data;
    g_free(known->operator_label);
    g_free(known->device);
    g_free(known->home_plmn);
}

struct Import_ {
    DriveWriter *writer;
    const ImportOptions *options;
    ImportSummary *summary;
    GTimeZone *zone;
    ImportProgressFunc progress;
    gpointer progress_data;
    GArray *sources;   /* of KnownSource */
    GArray *states;    /* of SourceState, by number */
    guint last_source; /* of sources */
    gint64 first_ns;
    gboolean has_time, joins_phone;
};

static const ImportFormat *const formats[] = {&import_breitband, &import_gnettrack, &import_plain,
                                              &import_generic};

const char *const *import_formats(void)
{
    static const char *names[G_N_ELEMENTS(formats) + 1];
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++)
        names[i] = formats[i]->name;
    return names;
}

DriveWriter *import_writer(ImportJob *job)
{
    return job->writer;
}

const ImportOptions *import_options(const ImportJob *job)
{
    return job->options;
}

ImportSummary *import_summary(ImportJob *job)
{
    return job->summary;
}

GTimeZone *import_zone(const ImportJob *job)
{
    return job->zone;
}

/* ---- sources ---- */

static char *clean_text(const char *text)
{
    char *valid = text != NULL ? g_utf8_make_valid(text, -1) : g_strdup("");
    return g_strstrip(valid);
}

static gboolean new_source(ImportJob *job, const char *operator_label, const char *device,
                           const char *home_plmn, gint64 *number, GError **error)
{
    /* A reseller's name says nothing of the network: its SIMs may be of several operators. */
    const char *network =
        job->options->operator_label == NULL && home_plmn != NULL ? plmn_operator(home_plmn) : NULL;
    g_autofree char *owner = clean_text(network != NULL ? network : operator_label);
    g_autofree char *model = clean_text(device);
    g_autofree char *name = *model != '\0' && *owner != '\0'
                                ? g_strdup_printf("%s (%s)", owner, model)
                                : g_strdup(*owner != '\0'   ? owner
                                           : *model != '\0' ? model
                                                            : "phone");
    /* the same device on the roof and in the cabin: two sources, or the second import would say
     * of the first one's samples that they were measured elsewhere */
    g_autofree char *label =
        job->options->place == PLACE_UNKNOWN
            ? g_strdup(name)
            : g_strdup_printf("%s, %s", name, job->options->place == PLACE_ROOF ? "roof" : "cabin");
    if (job->joins_phone && *model == '\0' && *owner != '\0') {
        if (!drive_only_phone_of(job->writer, owner, job->options->place, number, error))
            return FALSE;
        if (*number != 0)
            return TRUE;
    }
    Source source = {0};
    RECORD_SET(&source, SOURCE, kind, SOURCE_PHONE);
    RECORD_SET(&source, SOURCE, label, label);
    if (*owner != '\0')
        RECORD_SET(&source, SOURCE, operator_label, owner);
    if (*model != '\0')
        RECORD_SET(&source, SOURCE, model, model);
    if (home_plmn != NULL && radio_is_plmn(home_plmn))
        RECORD_SET(&source, SOURCE, home_plmn, home_plmn);
    if (job->options->place != PLACE_UNKNOWN)
        RECORD_SET(&source, SOURCE, place, (int)job->options->place);
    return drive_add_source(job->writer, &source, number, error);
}

void import_join_phone(ImportJob *job)
{
    job->joins_phone = TRUE;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* Compares part by part, because nearly every row asks for one of few sources. */
static gboolean is_source(const KnownSource *known, const char *operator_label, const char *device,
                          const char *home_plmn)
{
    return strcmp(known->operator_label, operator_label) == 0 &&
           strcmp(known->device, device) == 0 && strcmp(known->home_plmn, home_plmn) == 0;
}

gboolean import_source(ImportJob *job, const char *operator_label, const char *device,
                       const char *home_plmn, gint64 *source, GError **error)
{
    const char *owner = or_empty(job->options->operator_label != NULL ? job->options->operator_label
                                                                      : operator_label);
    const char *model = or_empty(device);
    const char *plmn = or_empty(home_plmn);
    GArray *all = job->sources;
    for (guint i = 0; i < all->len; i++) {
        /* from the one of the row before on: files go round their operators */
        guint at = (job->last_source + i) % all->len;
        const KnownSource *known = &g_array_index(all, KnownSource, at);
        if (!is_source(known, owner, model, plmn))
            continue;
        job->last_source = at;
        *source = known->number;
        return TRUE;
    }
    if (all->len == MAX_SOURCES) {
        g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_SYNTAX,
                    "more than %d operators and devices in one file; is the right column mapped?",
                    MAX_SOURCES);
        return FALSE;
    }
    if (!new_source(job, owner, model, plmn, source, error))
        return FALSE;
    KnownSource known = {g_strdup(owner), g_strdup(model), g_strdup(plmn), *source};
    g_array_append_val(all, known);
    job->last_source = all->len - 1;
    return TRUE;
}

static SourceState *state_of(ImportJob *job, gint64 source)
{
    if ((guint)source >= job->states->len)
        g_array_set_size(job->states, (guint)source + 1);
    return &g_array_index(job->states, SourceState, (guint)source);
}

/* ---- records ---- */

static void note_time(ImportJob *job, gint64 time_ns)
{
    if (!job->has_time)
        job->first_ns = time_ns;
    job->has_time = TRUE;
}

gboolean import_add_fix(ImportJob *job, Fix *fix, GError **error)
{
    radio_check_fix(fix, &job->summary->refused);
    if (!RECORD_HAS(fix, FIX, lat))
        return TRUE;
    SourceState *state = state_of(job, fix->source);
    if (state->has_fix && state->last_fix_ns == fix->time_ns && state->last_lat == fix->lat &&
        state->last_lon == fix->lon) {
        job->summary->repeated_positions++;
        return TRUE;
    }
    *state = (SourceState){fix->time_ns, fix->lat, fix->lon, TRUE};
    note_time(job, fix->time_ns);
    job->summary->fixes++;
    return drive_add_fix(job->writer, fix, error);
}

gboolean import_add_sample(ImportJob *job, Sample *sample, GError **error)
{
    radio_check_sample(sample, &job->summary->refused);
    radio_fill_band(sample);
    note_time(job, sample->time_ns);
    job->summary->samples++;
    if (RECORD_HAS(sample, SAMPLE, service) && sample->service == SERVICE_NONE)
        job->summary->no_service++;
    return drive_add_sample(job->writer, sample, error);
}

gboolean import_add_neighbour(ImportJob *job, Neighbour *neighbour, GError **error)
{
    radio_check_neighbour(neighbour, &job->summary->refused);
    return !RECORD_HAS(neighbour, NEIGHBOUR, rsrp_dbm) ||
           drive_add_neighbour(job->writer, neighbour, error);
}

gboolean import_add_latency(ImportJob *job, const Latency *latency, GError **error)
{
    note_time(job, latency->time_ns);
    job->summary->latencies++;
    return drive_add_latency(job->writer, latency, error);
}

gboolean import_add_throughput(ImportJob *job, const Throughput *throughput, GError **error)
{
    note_time(job, throughput->time_ns);
    job->summary->throughputs++;
    return drive_add_throughput(job->writer, throughput, error);
}

gboolean import_add_event(ImportJob *job, const Event *event, GError **error)
{
    note_time(job, event->time_ns);
    job->summary->events++;
    return drive_add_event(job->writer, event, error);
}

void import_row_done(ImportJob *job, const TextTable *table)
{
    if (++job->summary->rows % PROGRESS_ROWS == 0 && job->progress != NULL)
        job->progress(text_table_position(table), text_table_size(table), job->progress_data);
}

gboolean import_each_row(ImportJob *job, TextTable *table, ImportRowFunc read_row, gpointer data,
                         GError **error)
{
    GError *failure = NULL;
    const TextField *fields = NULL;
    while ((fields = text_table_next(table, &failure)) != NULL) {
        if (!read_row(fields, data, error))
            return FALSE;
        import_row_done(job, table);
    }
    if (failure != NULL)
        g_propagate_error(error, failure);
    return failure == NULL;
}

static gboolean refuse_number(const TextTable *table, const TextField *field, const char *column,
                              GError **error)
{
    g_autofree char *shown = g_utf8_make_valid(field->text, MIN((gssize)field->length, 40));
    return text_table_refuse(table, error, "%s: \"%s\" is not a number", column, shown);
}

gboolean import_real(const TextTable *table, const TextField *field, const char *column,
                     gboolean *known, double *value, GError **error)
{
    *known = FALSE;
    gboolean comma = field->quoted || text_table_separator(table) != ',';
    if (value_parse_real(field, comma, value)) {
        *known = TRUE;
        return TRUE;
    }
    return value_is_absent(field) || refuse_number(table, field, column, error);
}

gboolean import_int(const TextTable *table, const TextField *field, const char *column, int base,
                    gboolean *known, int64_t *value, GError **error)
{
    *known = FALSE;
    if (value_is_absent(field))
        return TRUE;
    *known = value_parse_int(field, base, value);
    return *known || refuse_number(table, field, column, error);
}

/* ---- a file ---- */

/* The checksum of the file, made in a thread of its own while the file is read; of a small file
 * afterwards, as a thread would cost more. */
typedef struct {
    const char *path;
    GThread *thread;
    char *sha256;
} Hashing;

static gpointer hash_file(gpointer data)
{
    Hashing *hashing = data;
    hashing->sha256 = file_hash(hashing->path, NULL, NULL);
    return NULL;
}

static Hashing *hashing_start(const char *path)
{
    Hashing *hashing = g_new0(Hashing, 1);
    hashing->path = path;
    GStatBuf st;
    if (g_stat(path, &st) == 0 && st.st_size > SMALL_FILE)
        hashing->thread = g_thread_new("sha256", hash_file, hashing);
    return hashing;
}

static void hashing_free(Hashing *hashing)
{
    if (hashing->thread != NULL)
        (void)g_thread_join(hashing->thread);
    g_free(hashing->sha256);
    g_free(hashing);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hashing, hashing_free)

/* Waits for it. Returns: (transfer none): NULL with an error. */
static const char *hashing_end(Hashing *hashing, GError **error)
{
    if (hashing->thread != NULL)
        (void)g_thread_join(g_steal_pointer(&hashing->thread));
    else if (hashing->sha256 == NULL)
        (void)hash_file(hashing);
    if (hashing->sha256 == NULL)
        g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_FAILED,
                    "%s: cannot be read; is the name right?", hashing->path);
    return hashing->sha256;
}

static const ImportFormat *choose_format(const TextTable *table, const ImportOptions *options,
                                         GError **error)
{
    const char *path = text_table_path(table);
    if (options->format != NULL) {
        for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++)
            if (strcmp(formats[i]->name, options->format) == 0)
                return formats[i];
        g_autofree char *names = g_strjoinv(", ", (char **)(uintptr_t)import_formats());
        g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_OPTION,
                    "there is no format %s; formats are %s", options->format, names);
        return NULL;
    }
    if (options->map != NULL || options->map_file != NULL)
        return &import_generic;
    const ImportFormat *best = NULL;
    const ImportFormat *second = NULL;
    int best_score = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        int score = formats[i]->probe(table);
        if (score > best_score) {
            best = formats[i];
            best_score = score;
            second = NULL;
        } else if (score == best_score && score > 0) {
            second = formats[i];
        }
    }
    if (best == NULL)
        g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_UNKNOWN,
                    "%s: its columns are of no known format; say which column is what with --map",
                    path);
    else if (second != NULL)
        g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_UNKNOWN,
                    "%s: could be %s or %s; say which with --format", path, best->name,
                    second->name);
    return second == NULL ? best : NULL;
}

/* {"RSRP": 2, "PCI": 1}. Returns: (transfer full). */
static char *refused_as_json(const RefusedCounts *refused, guint64 *sum)
{
    g_autoptr(GString) text = g_string_new("{");
    for (int k = 0; k < REFUSED_KIND_COUNT; k++) {
        if (refused->count[k] == 0)
            continue;
        *sum += refused->count[k];
        g_string_append_printf(text, "%s\"%s\": %" G_GUINT64_FORMAT, text->len > 1 ? ", " : "",
                               radio_refused_name((RefusedKind)k), refused->count[k]);
    }
    g_string_append_c(text, '}');
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void append_option(GString *text, const char *name, const char *value)
{
    if (value == NULL)
        return;
    g_autofree char *valid = g_utf8_make_valid(value, -1);
    g_string_append_printf(text, ", \"%s\": \"", name);
    for (const char *c = valid; *c != '\0'; c++)
        if ((guchar)*c >= 0x20 && *c != '"' && *c != '\\')
            g_string_append_c(text, *c);
        else
            g_string_append_printf(text, "\\u%04x", (guint)(guchar)*c);
    g_string_append_c(text, '"');
}

/* What the import record keeps: values refused, options that changed the reading. */
static char *detail_as_json(const ImportJob *job, const char *refused)
{
    const ImportOptions *options = job->options;
    g_autoptr(GString) text = g_string_new("{\"refused\": ");
    g_string_append(text, refused);
    append_option(text, "operator", options->operator_label);
    append_option(text, "timezone", options->timezone);
    append_option(text, "map_file", options->map_file);
    g_autofree char *map =
        options->map != NULL ? g_strjoinv("; ", (char **)(uintptr_t)options->map) : NULL;
    append_option(text, "map", map);
    g_string_append_c(text, '}');
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean record_import(ImportJob *job, const char *path, const char *sha256, GError **error)
{
    const ImportSummary *summary = job->summary;
    guint64 refused = 0;
    g_autofree char *refused_text = refused_as_json(&summary->refused, &refused);
    g_autofree char *detail = detail_as_json(job, refused_text);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *valid_name = g_utf8_make_valid(name, -1);
    Import import = {0};
    RECORD_SET(&import, IMPORT, time_ns, g_get_real_time() * 1000);
    RECORD_SET(&import, IMPORT, sha256, sha256);
    RECORD_SET(&import, IMPORT, name, valid_name);
    RECORD_SET(&import, IMPORT, format, summary->format);
    RECORD_SET(&import, IMPORT, rows, (gint64)summary->rows);
    RECORD_SET(&import, IMPORT, refused_values, (gint64)refused);
    RECORD_SET(&import, IMPORT, detail, detail);
    if (!drive_add_import(job->writer, &import, error))
        return FALSE;
    if (refused == 0 || !job->has_time)
        return TRUE;
    Event event = {0};
    RECORD_SET(&event, EVENT, time_ns, job->first_ns);
    RECORD_SET(&event, EVENT, kind, "refused-values");
    RECORD_SET(&event, EVENT, detail, refused_text);
    RECORD_SET(&event, EVENT, value, (double)refused);
    return drive_add_event(job->writer, &event, error);
}

gboolean import_file(DriveWriter *writer, const char *path, const ImportOptions *options,
                     ImportProgressFunc progress, gpointer data, ImportSummary *summary,
                     GError **error)
{
    *summary = (ImportSummary){0};
    g_autoptr(GTimeZone) zone =
        g_time_zone_new_identifier(options->timezone != NULL ? options->timezone : "UTC");
    if (zone == NULL) {
        g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_OPTION,
                    "there is no time zone %s; give one like Europe/Stockholm", options->timezone);
        return FALSE;
    }
    if (g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, FORMAT_ERROR, FORMAT_ERROR_FAILED,
                    "%s: is no plain file, and is read twice; save it first", path);
        return FALSE;
    }
    g_autoptr(Hashing) hashing = hashing_start(path);
    /* The first file of a drive cannot have been imported before: it is read meanwhile. */
    if (drive_has_imports(writer)) {
        const char *sha256 = hashing_end(hashing, error);
        if (sha256 == NULL || !drive_check_not_imported(writer, sha256, error))
            return FALSE;
    }
    g_autoptr(TextTable) table = text_table_open(path, '\0', error);
    if (table == NULL)
        return FALSE;
    const ImportFormat *format = choose_format(table, options, error);
    if (format == NULL)
        return FALSE;
    summary->format = format->name;
    ImportJob job = {
        .writer = writer,
        .options = options,
        .summary = summary,
        .zone = zone,
        .progress = progress,
        .progress_data = data,
        .sources = g_array_new(FALSE, FALSE, sizeof(KnownSource)),
        .states = g_array_new(FALSE, TRUE, sizeof(SourceState)),
    };
    g_array_set_clear_func(job.sources, clear_known_source);
    gboolean done = format->read(&job, table, error);
    const char *sha256 = done ? hashing_end(hashing, error) : NULL;
    done = sha256 != NULL && record_import(&job, path, sha256, error);
    g_array_unref(job.sources);
    g_array_unref(job.states);
    return done;
}

char **import_companions(const char *path, const char *format)
{
    static const char *const endings[] = {"_datatest.txt", "_events.txt"};
    g_autoptr(GStrvBuilder) found = g_strv_builder_new();
    gboolean raw_log = strcmp(format, import_gnettrack.name) == 0 && g_str_has_suffix(path, ".txt");
    for (unsigned i = 0; raw_log && i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *stem = g_strndup(path, strlen(path) - strlen(".txt"));
        g_autofree char *name = g_strconcat(stem, endings[i], NULL);
        if (g_file_test(name, G_FILE_TEST_IS_REGULAR))
            g_strv_builder_add(found, name);
    }
    return g_strv_builder_end(found);
}
