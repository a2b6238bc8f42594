/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/out-row.h"
#include "analyzer/result.h"

gboolean out_stations(const Result *result, LayerWriter *writer, GError **error)
{
    g_auto(OutRow) row = {0};
    out_row_init(&row, writer, "stations", LAYER_POINTS);
    for (uint32_t c = 0; c < result->network->n_corridors; c++) {
        const Corridor *corridor = &result->network->corridors[c];
        for (uint32_t i = 0; i < corridor->n_stations; i++) {
            const CorridorStation *s = &corridor->stations[i];
            out_text(&row, "corridor", corridor->name);
            out_text(&row, "name", s->name);
            out_text(&row, "kind", s->kind);
            out_real(&row, "km", s->at_m / 1000.0);
            if (!out_row_end(&row, &s->point, 1, error))
                return FALSE;
        }
    }
    return TRUE;
}
