/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/vehicle-loss.h"

#include "analyzer/claim.h"
#include "analyzer/layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_DB 60.0

typedef struct {
    char *operator_label; /* NULL: any */
    int band;             /* 0: all others */
    double db, low, high; /* low and high NAN if not known */
    double n;
} Row;

struct VehicleLoss {
    GArray *rows; /* by operator (NULL last), band */
};

static void clear_row(gpointer row)
{
    g_free(((Row *)row)->operator_label);
}

void vehicle_loss_free(VehicleLoss *loss)
{
    if (loss == NULL)
        return;
    g_array_unref(loss->rows);
    g_free(loss);
}

static gboolean read_number(const char *text, double most, double *value)
{
    char *end;
    *value = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && *value >= 0.0 && *value <= most;
}

static gboolean read_text(VehicleLoss *loss, const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    for (char **part = parts; *part != NULL; part++) {
        char *equal = strchr(*part, '=');
        Row row = {.low = NAN, .high = NAN, .n = 1.0};
        double band = 0.0;
        if (equal != NULL)
            *equal = '\0';
        if ((equal != NULL && (!read_number(*part, VEHICLE_LOSS_BANDS - 1.0, &band) ||
                               band != floor(band) || band < 1.0)) ||
            !read_number(equal ? equal + 1 : *part, MOST_DB, &row.db))
            return claim_fail(error,
                              "--vehicle-loss %s: write dB (0 to 60), BAND=dB,..., or a file .gpkg "
                              "of corridor compare",
                              text);
        row.band = (int)band;
        g_array_append_val(loss->rows, row);
    }
    return TRUE;
}

static gboolean read_file(VehicleLoss *loss, const char *path, GError **error)
{
    g_autoptr(LayerSource) source = layer_open(path, error);
    if (source == NULL)
        return FALSE;
    if (!layer_has(source, "vehicle_loss"))
        return claim_fail(error, "%s: has no table vehicle_loss; make it with corridor compare",
                          path);
    g_autoptr(LayerReader) reader = layer_read(source, "vehicle_loss", NULL, error);
    int op, band, n, db, low, high;
    if (reader == NULL || !layer_need_column(reader, "operator", &op, error) ||
        !layer_need_column(reader, "band", &band, error) ||
        !layer_need_column(reader, "segments", &n, error) ||
        !layer_need_column(reader, "loss_p50", &db, error) ||
        !layer_need_column(reader, "loss_low", &low, error) ||
        !layer_need_column(reader, "loss_high", &high, error))
        return FALSE;
    g_autoptr(GError) local = NULL;
    const LayerRow *r;
    while ((r = layer_next(reader, &local)) != NULL) {
        const int64_t number = layer_get_int(r, band, 0);
        Row row = {.band = (int)CLAMP(number, 0, VEHICLE_LOSS_BANDS - 1),
                   .db = layer_get_real(r, db, NAN),
                   .low = layer_get_real(r, low, NAN),
                   .high = layer_get_real(r, high, NAN),
                   .n = (double)layer_get_int(r, n, 0)};
        /* without an interval there is too little behind it; the rest compare never writes */
        if (isnan(row.db) || isnan(row.low) || row.db > MOST_DB || !(row.n >= 1.0) ||
            number != row.band)
            continue;
        row.db = fmax(row.db, 0.0);
        row.operator_label = g_strdup(layer_get_text(r, op));
        g_array_append_val(loss->rows, row);
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (loss->rows->len == 0)
        return claim_fail(
            error, "%s: vehicle_loss has no band with enough segments; nothing to correct by",
            path);
    return TRUE;
}

VehicleLoss *vehicle_loss_read(const char *text, GError **error)
{
    g_autoptr(VehicleLoss) loss = g_new0(VehicleLoss, 1);
    loss->rows = g_array_new(FALSE, FALSE, sizeof(Row));
    g_array_set_clear_func(loss->rows, clear_row);
    gboolean done = g_str_has_suffix(text, ".gpkg") ? read_file(loss, text, error)
                                                    : read_text(loss, text, error);
    return done ? g_steal_pointer(&loss) : NULL;
}

/* Mean of the rows of a band, by what is behind them: the operator's own, or all. NAN if none. */
static double find(const VehicleLoss *loss, const char *operator_label, int band)
{
    double sum = 0.0, n = 0.0;
    for (guint i = 0; i < loss->rows->len; i++) {
        const Row *row = &g_array_index(loss->rows, Row, i);
        if (row->band != band ||
            (operator_label != NULL && g_strcmp0(row->operator_label, operator_label) != 0))
            continue;
        sum += row->db * row->n;
        n += row->n;
    }
    return n > 0.0 ? sum / n : (double)NAN;
}

static double best(const VehicleLoss *loss, const char *operator_label, int band)
{
    double db = find(loss, operator_label, band);
    return isnan(db) ? find(loss, NULL, band) : db;
}

double *vehicle_loss_by_band(const VehicleLoss *loss, const char *operator_label)
{
    double *found = g_new0(double, VEHICLE_LOSS_BANDS);
    double other = best(loss, operator_label, 0);
    for (int band = 0; band < VEHICLE_LOSS_BANDS; band++) {
        double db = best(loss, operator_label, band);
        found[band] = !isnan(db) ? db : !isnan(other) ? other : 0.0;
    }
    return found;
}

char *vehicle_loss_text(const VehicleLoss *loss, const char *operator_label)
{
    g_autofree double *db = vehicle_loss_by_band(loss, operator_label);
    GString *text = g_string_new(NULL);
    for (int band = 1; band < VEHICLE_LOSS_BANDS; band++) {
        if (isnan(find(loss, NULL, band)))
            continue;
        g_string_append_printf(text, "band %d %+.1f dB", band, db[band]);
        for (guint i = 0; i < loss->rows->len; i++) {
            const Row *row = &g_array_index(loss->rows, Row, i);
            if (row->band == band && g_strcmp0(row->operator_label, operator_label) == 0 &&
                !isnan(row->low))
                g_string_append_printf(text, " (%.1f to %.1f)", row->low, row->high);
        }
        g_string_append(text, ", ");
    }
    g_string_append_printf(text, "%s %+.1f dB", text->len ? "other bands" : "all bands", db[0]);
    return g_string_free(text, FALSE);
}
