/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile text where it is shown: rows and results as CSV, GeoJSON, KML, GPX; the report, its
 * tables and the script that draws its charts. The first byte chooses, the rest are texts and
 * numbers, or the rows of all tables (fake-layer.h). What comes out is of its format, and holds no
 * markup but ours.
 */
#include "analyzer/export-drive.h"
#include "analyzer/report-page.h"
#include "analyzer/report.h"
#include "formats/bytes.h"
#include "formats/export.h"
#include "tests/fuzz/fake-layer.h"
#include "tests/fuzz/scratch.h"
#include "tests/fuzz/well-formed.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const formats[] = {"csv", "geojson", "kml", "gpx"};

static char *contents(const char *path, gsize *length)
{
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, length, NULL));
    well_formed_utf8(text, *length);
    return text;
}

static void check_done(gboolean done, const GError *error)
{
    g_assert_true(done == (error == NULL));
    g_assert_true(error == NULL || strchr(error->message, '\n') == NULL);
}

/* ---- rows ---- */

enum { COLUMNS = 4, POINTS = 3, MOST_ROWS = 20 };

typedef struct {
    ByteReader in;
    GStringChunk *texts;
    GPtrArray *shown; /* texts of rows, as they must come back */
} Source;

static uint8_t byte(Source *source)
{
    return byte_reader_left(&source->in) > 0 ? byte_read_u8(&source->in) : 0;
}

static const char *text(Source *source)
{
    gsize n = byte(source) % 48;
    n = MIN(n, byte_reader_left(&source->in));
    const uint8_t *run = n > 0 ? byte_read_run(&source->in, n) : (const uint8_t *)"";
    g_autofree char *copy = g_strndup((const char *)run, n);
    return g_string_chunk_insert(source->texts, copy);
}

static uint64_t bits(Source *source)
{
    return byte_reader_left(&source->in) >= 8 ? byte_read_u64(&source->in) : 0;
}

static double real(Source *source)
{
    uint64_t read = bits(source);
    double value = 0;
    memcpy(&value, &read, sizeof value);
    return value;
}

static void set_value(Source *source, const ExportColumn *column, ExportValue *value)
{
    value->known = byte(source) % 4 != 0;
    if (column->type == EXPORT_INT)
        value->v.i = (int64_t)(bits(source) ^ byte(source));
    else if (column->type == EXPORT_REAL)
        value->v.r = real(source);
    else
        value->v.t = byte(source) % 8 != 0 ? text(source) : NULL;
    if (column->type == EXPORT_TEXT)
        g_ptr_array_add(source->shown, value->known && value->v.t != NULL
                                           ? g_utf8_make_valid(value->v.t, -1)
                                           : g_strdup(""));
}

static void add_row(Source *source, ExportWriter *writer, const ExportHead *head)
{
    ExportValue values[COLUMNS] = {0};
    ExportPoint points[POINTS];
    for (guint i = 0; i < head->n_columns; i++)
        set_value(source, &head->columns[i], &values[i]);
    uint8_t form = byte(source);
    for (guint i = 0; i < POINTS; i++)
        points[i] = (ExportPoint){form & 0x80 ? real(source) : 15 + i * 0.1, 60};
    ExportRow row = {.values = values,
                     .points = points,
                     .n_points = head->no_places ? 0 : form % (POINTS + 1),
                     .name = form & 4 ? text(source) : NULL,
                     .description = form & 8 ? text(source) : NULL,
                     .style = form >> 4 & 3,
                     .hidden = (form & 16) != 0,
                     .has_time = (form & 32) != 0,
                     .time_ns =
                         form & 64 ? INT64_MIN + byte(source) : byte(source) * (INT64_MAX / 256)};
    g_autoptr(GError) error = NULL;
    g_assert_true(export_add(writer, &row, &error));
    g_assert_no_error(error);
}

static void compare_field(gsize row, guint column, const char *shown, gpointer data)
{
    const Source *source = data;
    if (column < 2) /* two columns of text stand first */
        g_assert_cmpstr(shown, ==, g_ptr_array_index(source->shown, 2 * row + column));
}

static void check_rows(Source *source, const char *path, const char *format, const ExportHead *head,
                       gsize rows)
{
    gsize length = 0;
    g_autofree char *out = contents(path, &length);
    guint places = head->no_places ? 0 : head->lines ? 4 : 2;
    if (strcmp(format, "csv") == 0)
        well_formed_csv(out, head->n_columns + places, rows, compare_field, source);
    else if (strcmp(format, "geojson") == 0)
        well_formed_geojson(out, length, rows);
    else
        (void)well_formed_xml(out, length, "name");
}

static void run_rows(const uint8_t *data, size_t size)
{
    static const ExportStyle styles[] = {{"covered", "covered", 0xff00aa}, {"none", "none", 1}};
    Source source = {.in = byte_reader(data, size),
                     .texts = g_string_chunk_new(1024),
                     .shown = g_ptr_array_new_with_free_func(g_free)};
    uint8_t form = byte(&source);
    const char *format = formats[form % G_N_ELEMENTS(formats)];
    const ExportColumn columns[COLUMNS] = {{text(&source), EXPORT_TEXT},
                                           {text(&source), EXPORT_TEXT},
                                           {text(&source), EXPORT_INT},
                                           {text(&source), EXPORT_REAL}};
    const ExportHead head = {.title = text(&source),
                             .lines = (form & 4) != 0,
                             .no_places = (form & 8) != 0,
                             .columns = columns,
                             .n_columns = COLUMNS,
                             .styles = styles,
                             .n_styles = G_N_ELEMENTS(styles)};
    g_autofree char *path = scratch_path("rows");
    g_autoptr(GError) error = NULL;
    ExportWriter *writer = export_create(path, format, &head, &error);
    g_assert_no_error(error);
    gboolean in_group = export_has_groups(writer);
    if (in_group)
        export_group_begin(writer, text(&source), (form & 16) != 0);
    gsize rows = 0;
    while (byte_reader_left(&source.in) > 0 && rows < MOST_ROWS) {
        add_row(&source, writer, &head);
        rows++;
        uint8_t next = in_group ? byte(&source) : 0;
        if ((next & 1) != 0 && !head.lines)
            export_group_break(writer);
        if ((next & 2) != 0) {
            export_group_end(writer);
            export_group_begin(writer, text(&source), TRUE);
        }
    }
    if (in_group)
        export_group_end(writer);
    g_assert_true(export_finish(writer, &error));
    export_free(writer);
    check_rows(&source, path, format, &head, rows);
    g_string_chunk_free(source.texts);
    g_ptr_array_unref(source.shown);
}

/* ---- results ---- */

/* Those of `analyze`, `compare` and `diff` that the report or the exports show, as far as a row of
 * this fake goes; services are called s and t. */
static const FakeTable tables[] = {
    {"segments",
     "segment:i corridor:t km_from:r km_to:r length_m:r operator:t antenna:t n:i passes:i "
     "rat:t level_p10:r level_p50:r level_p90:r level_p50_is:t s_share:r s_low:r "
     "s_high:r s_verdict:t s_reason:t t_share:r t_verdict:t band:i note:t"},
    {"corridors", "corridor:t length_km:r"},
    {"summary", "corridor:t operator:t antenna:t service:t length_km:r km_covered:r "
                "km_not_covered:r km_uncertain:r km_not_measured:r share:r share_low:r "
                "share_high:r n:i segments:i gaps:i gap_longest_m:r gap_longest_from_km:r "
                "gap_longest_to_km:r level_p50:r rtt_p50:r loss_share:r down_p50:r enough:i"},
    {"gaps", "corridor:t operator:t antenna:t service:t km_from:r km_to:r length_m:r seconds:r "
             "no_service_m:r unknown_m:r map:t"},
    {"services", "service:t title:t threshold_source:t quantity:t rat:t threshold:r required:r "
                 "required_source:t"},
    {"meta", "key:t value:t"},
    {"drives", "id:i name:t vehicle:t digest:t sha256:t first_time:t last_time:t problems:t"},
    {"sources", "drive:i id:i label:t operator:t antenna:t model:t correction:t correction_db:r "
                "floor_dbm:r fixes:i samples:i refused_values:i"},
    {"quality", "operator:t antenna:t samples:i samples_used:i samples_no_position:i rat:t"},
    {"operators", "corridor:t antenna:t service:t operator:t km_best:r km_only:r km_none:r"},
    {"pairs", "corridor:t antenna:t service:t operator_a:t operator_b:t km_compared:r km_a_only:r "
              "km_b_only:r"},
    {"hours", "corridor:t antenna:t operator:t service:t hour:i weekday:i share:r km:r hours:i"},
    {"tests", "operator:t corridor:t km_from:r km_to:r direction:t target_mbps:r n:i reached:i "
              "share:r low:r high:r segment:i"},
    {"stations", "corridor:t name:t kind:t km:r"},
    {"changes", "corridor:t operator:t antenna:t km:r cell:t"},
    {"claim_tables", "by:t operator:t area:t reliability:r missed_share:r decision_98:t "
                     "more_tests_98:i"},
    {"overclaims", "rank:i operator:t corridor:t area:t km_from:r length_m:r link:t"},
    {"claim_sensitivity", "operator:t shift_db:r share_covered:r"},
    {"vehicle_loss", "operator:t band:i segments:i loss_p50:r enough:i"},
    {"diff", "segment:i corridor:t operator:t antenna:t service:t change:r change_is:t"},
    {"diff_summary", "corridor:t operator:t antenna:t service:t share_before:r share_after:r "
                     "change:r change_low:r change_high:r note:t"},
    {"diff_gaps", "corridor:t operator:t antenna:t service:t km_from:r km_to:r change:t before_m:r "
                  "after_m:r"},
    {"diff_cells", "operator:t cell:t change:t drives_before:i drives_after:i"},
};

static char *in_file(void)
{
    char *path = scratch_path("in.gpkg");
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        scratch_write(path, "x", 1);
    return path;
}

static void run_results(const uint8_t *data, size_t size)
{
    static const char *const layers[] = {NULL, "meta", "gaps", "stations"};
    const uint8_t form = data[0];
    const char *format = formats[form % G_N_ELEMENTS(formats)];
    g_autofree char *in = in_file();
    g_autofree char *out = scratch_path("results");
    const ExportOptions options = {.format = format,
                                   .out = out,
                                   .layer =
                                       form & 2 ? NULL : layers[form / 4 % G_N_ELEMENTS(layers)]};
    fake_layer_begin(data + 1, size - 1);
    fake_layer_tables(tables, G_N_ELEMENTS(tables));
    (void)g_unlink(out);
    g_autoptr(GError) error = NULL;
    ExportSummary summary = {0};
    gboolean done = export_results(in, &options, &summary, &error);
    check_done(done, error);
    g_assert_true(done == g_file_test(out, G_FILE_TEST_EXISTS));
    if (!done)
        return;
    gsize length = 0;
    g_autofree char *text = contents(out, &length);
    guint n = 1;
    for (const char *at = text; *at != '\0' && *at != '\n'; at++)
        n += *at == ',' ? 1 : 0;
    if (strcmp(format, "csv") == 0)
        well_formed_csv(text, n, summary.rows, NULL, NULL);
    else if (strcmp(format, "geojson") == 0)
        well_formed_geojson(text, length, summary.rows);
    else
        (void)well_formed_xml(text, length, "name");
}

/* ---- the report ---- */

/* gnuplot is not started: what it would have got is looked at. NOLINTBEGIN(bugprone-*,cert-*) */
char *__wrap_g_find_program_in_path(const char *program);
GSubprocess *__wrap_g_subprocess_new(GSubprocessFlags flags, GError **error, const char *first,
                                     ...);
gboolean __wrap_g_subprocess_communicate_utf8(GSubprocess *process, const char *script,
                                              GCancellable *cancel, char **out, char **err,
                                              GError **error);
gboolean __wrap_g_subprocess_get_successful(GSubprocess *process);

char *__wrap_g_find_program_in_path(const char *program)
{
    return g_strdup(program);
}

GSubprocess *__wrap_g_subprocess_new(GSubprocessFlags flags, GError **error, const char *first, ...)
{
    (void)flags;
    (void)error;
    (void)first;
    return (GSubprocess *)g_object_new(G_TYPE_OBJECT, NULL);
}

/* Texts stand in single quotes that end on their line; nothing runs a command. */
static void check_script(const char *script)
{
    well_formed_utf8(script, strlen(script));
    g_assert_null(strchr(script, '`'));
    guint quotes = 0;
    for (const char *at = script; *at != '\0'; at++) {
        g_assert_true((guchar)*at >= ' ' || *at == '\n');
        quotes += *at == '\'' ? 1 : 0;
        if (*at == '\n' && quotes % 2 != 0)
            g_error("a quote is not closed before: %.80s", at);
        if (quotes % 2 == 0 && g_str_has_prefix(at, WELL_FORMED_FORGED))
            g_error("text stands outside quotes: %.80s", at);
    }
}

gboolean __wrap_g_subprocess_communicate_utf8(GSubprocess *process, const char *script,
                                              GCancellable *cancel, char **out, char **err,
                                              GError **error)
{
    (void)process;
    (void)cancel;
    (void)error;
    check_script(script);
    *out = g_strdup("<?xml 1?><svg/><?xml 2?><svg/>");
    *err = g_strdup("");
    return TRUE;
}

gboolean __wrap_g_subprocess_get_successful(GSubprocess *process)
{
    (void)process;
    return TRUE;
}
/* NOLINTEND(bugprone-*,cert-*) */

static ReportData *load(const uint8_t *data, size_t size)
{
    g_autofree char *in = in_file();
    g_autoptr(GError) error = NULL;
    fake_layer_begin(data, size);
    fake_layer_tables(tables, G_N_ELEMENTS(tables));
    ReportData *report = report_data_load(in, &error);
    check_done(report != NULL, error);
    return report;
}

static void write_sections(Page *page)
{
    static void (*const sections[])(Page *) = {
        report_section_decision,   report_section_reading,  report_section_operators,
        report_section_charts,     report_section_map,      report_section_gaps,
        report_section_comparison, report_section_chapters, report_section_hours,
        report_section_claims,     report_section_changes,  report_section_tests,
        report_section_quality,    report_section_method};
    for (guint i = 0; i < G_N_ELEMENTS(sections); i++) {
        page->out = g_string_new(NULL);
        sections[i](page);
        well_formed_utf8(page->out->str, page->out->len);
        well_formed_html(page->out->str);
        g_string_free(page->out, TRUE);
    }
}

static void run_report(const uint8_t *data, size_t size)
{
    const char *language = report_languages()[data[0] % 2];
    g_autoptr(ReportData) report = load(data + 1, size - 1);
    if (report == NULL)
        return;
    static GHashTable *words[2];
    if (words[data[0] % 2] == NULL)
        words[data[0] % 2] = report_words(language);
    Page page = {.data = report,
                 .language = language,
                 .words = words[data[0] % 2],
                 .scratch = g_string_chunk_new(1 << 12),
                 .services = g_array_new(FALSE, FALSE, sizeof(ReportService)),
                 .groups = g_ptr_array_new_with_free_func(report_group_free),
                 .charts = g_ptr_array_new_with_free_func(g_free),
                 .details = g_ptr_array_new_with_free_func(report_detail_free)};
    report_model(&page);
    g_autoptr(GError) error = NULL;
    g_assert_true(report_plot(&page, &error));
    write_sections(&page);
    g_ptr_array_unref(page.charts);
    g_ptr_array_unref(page.details);
    g_ptr_array_unref(page.groups);
    g_array_unref(page.services);
    g_string_chunk_free(page.scratch);
    g_free(page.overview);
}

static void run_tables(const uint8_t *data, size_t size)
{
    g_autoptr(ReportData) report = load(data, size);
    if (report == NULL)
        return;
    guint n = 0;
    g_autoptr(GError) error = NULL;
    g_assert_true(report_write_tables(report, scratch_folder(), &n, &error));
    g_assert_cmpuint(n, ==, G_N_ELEMENTS(tables));
    for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
        const ReportTable *table = report_table(report, tables[i].name);
        g_autofree char *name = g_strconcat(tables[i].name, ".csv", NULL);
        g_autofree char *path = scratch_path(name);
        gsize length = 0;
        g_autofree char *text = contents(path, &length);
        if (table->n_columns > 0)
            well_formed_csv(text, table->n_columns, table->n_rows, NULL, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(const uint8_t *, size_t) = {run_rows, run_results, run_report,
                                                            run_tables};
    if (size < 4)
        return 0;
    ways[data[0] % G_N_ELEMENTS(ways)](data + 1, size - 1);
    return 0;
}
