/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The results of an analysis, read again by compare, diff, report, and pass by pass, and the losses
 * into vehicles that compare puts out: the first byte chooses, the rest are the rows of all tables
 * (fake-layer.h). Done, or an error of one line.
 */
#include "analyzer/compare.h"
#include "analyzer/diff.h"
#include "analyzer/pass-read.h"
#include "analyzer/report-data.h"
#include "analyzer/vehicle-loss.h"
#include "tests/fuzz/fake-layer.h"
#include "tests/fuzz/scratch.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *path_of(const char *name)
{
    char *path = scratch_path(name);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        scratch_write(path, "x", 1);
    return path;
}

static void check(gboolean done, const GError *error)
{
    g_assert_true(done == (error == NULL));
    if (error != NULL && strchr(error->message, '\n') != NULL)
        g_error("an error of more than one line: %s", error->message);
}

static void compare_with(const char *service, const char *map_options, const char *area_options)
{
    g_autofree char *in = path_of("in.gpkg");
    g_autofree char *out = scratch_path("out.gpkg");
    g_autofree char *map = g_strdup_printf("Alfa=%s,%s", in, map_options);
    g_autofree char *areas = area_options ? g_strdup_printf("%s,%s", in, area_options) : NULL;
    char *maps[] = {map, NULL};
    const CompareOptions options = {.in = in,
                                    .out = out,
                                    .maps = maps,
                                    .service = service,
                                    .areas = areas,
                                    .seed = 1,
                                    .rounds = 20};
    g_autoptr(GError) error = NULL;
    g_auto(CompareReport) report = {NULL, NULL};
    gboolean done = compare(&options, &report, &error);
    check(done, error);
}

static void run_compare(void)
{
    compare_with(NULL, "layer=a", NULL);
}

static void run_compare_levels(void)
{
    compare_with("s", "layer=a,level=rsrp,min=-105", "name=town");
}

static void run_diff(void)
{
    g_autofree char *before = path_of("before.gpkg");
    g_autofree char *after = path_of("after.gpkg");
    g_autofree char *out = scratch_path("out.gpkg");
    const DiffOptions options = {
        .before = before, .after = after, .out = out, .rate = 0.05, .seed = 1, .rounds = 20};
    g_autoptr(GError) error = NULL;
    g_auto(DiffReport) report = {NULL, NULL};
    gboolean done = diff(&options, &report, &error);
    check(done, error);
}

/* What a report cannot do without, and a table that none knows. */
static void run_report(void)
{
    static const FakeTable tables[] = {
        {"segments", "segment:i corridor:t km_from:r km_to:r length_m:r operator:t antenna:t n:i "
                     "level_p50:r s_share:r s_verdict:t"},
        {"corridors", "corridor:t length_km:r"},
        {"summary", "corridor:t operator:t antenna:t service:t length_km:r km_covered:r "
                    "km_not_covered:r km_uncertain:r km_not_measured:r share:r share_low:r "
                    "share_high:r"},
        {"gaps", "corridor:t operator:t antenna:t service:t km_from:r km_to:r length_m:r"},
        {"services", "service:t title:t threshold_source:t"},
        {"meta", "key:t value:t"},
        {"else", "a:t b:i"},
    };
    fake_layer_tables(tables, G_N_ELEMENTS(tables));
    g_autofree char *in = path_of("in.gpkg");
    g_autoptr(GError) error = NULL;
    g_autoptr(ReportData) data = report_data_load(in, &error);
    check(data != NULL, error);
    if (data == NULL)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        const ReportTable *table = report_table(data, tables[i].name);
        g_assert_nonnull(table);
        for (size_t row = 0; row < table->n_rows; row++)
            for (int c = 0; c < (int)table->n_columns; c++)
                g_assert_true(report_text_at(table, row, c) == NULL ||
                              isnan(report_number_at(table, row, c)));
    }
    (void)report_meta(data, "created_for");
}

static void run_passes(void)
{
    g_autofree char *in = path_of("in.gpkg");
    GError *error = NULL;
    g_autoptr(LayerSource) source = layer_open(in, &error);
    g_autoptr(PassReader) reader = source != NULL ? pass_reader_new(source, &error) : NULL;
    gboolean done = reader != NULL;
    const PassRead *pass;
    while (done && (pass = pass_reader_next(reader, &error)) != NULL)
        (void)pass_figures(pass->record, pass->decorrelation_m);
    check(done && error == NULL, error);
    g_clear_error(&error);
}

static void run_vehicle_loss(void)
{
    g_autofree char *in = path_of("in.gpkg");
    g_autoptr(GError) error = NULL;
    g_autoptr(VehicleLoss) loss = vehicle_loss_read(in, &error);
    check(loss != NULL, error);
    if (loss == NULL)
        return;
    g_autofree double *db = vehicle_loss_by_band(loss, "Alfa");
    g_autofree char *text = vehicle_loss_text(loss, "Alfa");
    g_assert_nonnull(text);
    for (int band = 0; band < VEHICLE_LOSS_BANDS; band++)
        g_assert_true(db[band] >= 0 && db[band] <= 60);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(void) = {run_compare, run_diff,         run_report,
                                         run_passes,  run_vehicle_loss, run_compare_levels};
    if (size < 2)
        return 0;
    fake_layer_begin(data + 1, size - 1);
    ways[data[0] % G_N_ELEMENTS(ways)]();
    return 0;
}
