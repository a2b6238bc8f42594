/* SPDX-License-Identifier: Apache-2.0 */
/* Losses into a vehicle from the table of compared results, whoever wrote it. */
#include "analyzer/layer.h"
#include "analyzer/vehicle-loss.h"

#include <glib/gstdio.h>
#include <math.h>

typedef struct {
    int64_t band, segments;
    double db;
} Row;

static char *folder;

static VehicleLoss *read_rows(const Row *rows, guint n)
{
    static const LayerField fields[] = {{"operator", LAYER_TEXT}, {"band", LAYER_INT},
                                        {"segments", LAYER_INT},  {"loss_p50", LAYER_REAL},
                                        {"loss_low", LAYER_REAL}, {"loss_high", LAYER_REAL}};
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder, "loss.gpkg", NULL);
    g_autoptr(LayerWriter) writer = layer_create(path, &error);
    g_assert_no_error(error);
    LayerTable *table =
        layer_add_table(writer, "vehicle_loss", LAYER_NONE, fields, G_N_ELEMENTS(fields), &error);
    g_assert_no_error(error);
    for (guint i = 0; i < n; i++) {
        const LayerValue values[] = {layer_text("Alfa"),          layer_int(rows[i].band),
                                     layer_int(rows[i].segments), layer_real(rows[i].db),
                                     layer_real(rows[i].db - 1),  layer_real(rows[i].db + 1)};
        g_assert_true(layer_add(table, NULL, 0, values, &error));
    }
    g_assert_true(layer_finish(writer, &error));
    VehicleLoss *loss = vehicle_loss_read(path, &error);
    g_assert_true((loss != NULL) == (error == NULL));
    (void)g_unlink(path);
    return loss;
}

/* Means by the segments behind them; the band that is not there gets that of all others. */
static void test_means(void)
{
    static const Row rows[] = {{20, 30, 10}, {20, 10, 14}, {0, 5, 6}};
    g_autoptr(VehicleLoss) loss = read_rows(rows, G_N_ELEMENTS(rows));
    g_assert_nonnull(loss);
    g_autofree double *db = vehicle_loss_by_band(loss, "Alfa");
    g_assert_true(fabs(db[20] - 11) < 1e-9);
    g_assert_true(fabs(db[3] - 6) < 1e-9);
}

/* What compare never writes is passed over, not averaged in. */
static void test_impossible(void)
{
    static const Row rows[] = {
        {20, -29, 10}, {20, 30, 12}, {20, 0, 50}, {9999, 40, 30}, {-1, 40, 30}};
    g_autoptr(VehicleLoss) loss = read_rows(rows, G_N_ELEMENTS(rows));
    g_assert_nonnull(loss);
    g_autofree double *db = vehicle_loss_by_band(loss, "Alfa");
    g_assert_true(fabs(db[20] - 12) < 1e-9);
    g_assert_true(fabs(db[VEHICLE_LOSS_BANDS - 1]) < 1e-9);
    g_assert_true(fabs(db[0]) < 1e-9);
    g_autoptr(VehicleLoss) none = read_rows(rows, 1);
    g_assert_null(none);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("corridor-loss-XXXXXX", NULL);
    g_test_add_func("/vehicle-loss/means", test_means);
    g_test_add_func("/vehicle-loss/impossible", test_impossible);
    int result = g_test_run();
    (void)g_rmdir(folder);
    g_free(folder);
    return result;
}
