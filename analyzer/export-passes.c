/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/export-passes.h"

#include "analyzer/pass-read.h"
#include "formats/export.h"
#include "formats/records.h"

#include <math.h>
#include <string.h>

static const ExportColumn columns[] = {
    {"segment", EXPORT_INT},   {"drive", EXPORT_INT},     {"source", EXPORT_INT},
    {"pass", EXPORT_INT},      {"operator", EXPORT_TEXT}, {"antenna", EXPORT_TEXT},
    {"first_ns", EXPORT_INT},  {"last_ns", EXPORT_INT},   {"backward", EXPORT_INT},
    {"n", EXPORT_INT},         {"n_level", EXPORT_INT},   {"n_no_service", EXPORT_INT},
    {"n_limited", EXPORT_INT}, {"n_missing", EXPORT_INT}, {"n_effective", EXPORT_REAL},
    {"seconds", EXPORT_REAL},  {"metres", EXPORT_REAL},   {"level_mean", EXPORT_REAL},
    {"levels", EXPORT_TEXT},   {"cells", EXPORT_TEXT},    {"band", EXPORT_INT},
};

static const char *const channel_words[CHANNEL_COUNT] = {
    [CHANNEL_NO_SERVICE] = "none", [CHANNEL_LIMITED] = "limited", [CHANNEL_GSM] = "GSM",
    [CHANNEL_UMTS] = "UMTS",       [CHANNEL_LTE] = "LTE",         [CHANNEL_NSA] = "NR-NSA",
    [CHANNEL_SA] = "NR-SA",        [CHANNEL_NR_LEG] = "NR-leg",   [CHANNEL_NO_LEVEL] = "served",
    [CHANNEL_FLOOR] = "floor",
};

/* CHANNEL:LEVEL:SAMPLES:METRES:SECONDS, ended by semicolons. */
static const char *levels_text(const LevelHistogram *levels, GString *text)
{
    g_string_truncate(text, 0);
    for (uint32_t i = 0; i < levels->n; i++) {
        const LevelEntry *e = &levels->entry[i];
        gboolean is_state = e->channel == CHANNEL_NO_SERVICE || e->channel == CHANNEL_LIMITED ||
                            e->channel == CHANNEL_NO_LEVEL;
        gboolean has_rat = e->channel == CHANNEL_NO_LEVEL || e->channel == CHANNEL_FLOOR;
        g_string_append(text, i > 0 ? ";" : "");
        g_string_append(text, channel_words[e->channel]);
        if (has_rat)
            g_string_append_printf(text, "/%s", rat_name((Rat)MIN(e->rat, RAT_COUNT)));
        if (is_state)
            g_string_append_c(text, ':');
        else
            g_string_append_printf(text, ":%d", e->level_dbm);
        g_string_append_printf(text, ":%u:%u.%u:%u.%02u", e->count, e->way_dm / 10, e->way_dm % 10,
                               e->time_cs / 100, e->time_cs % 100);
    }
    return text->str;
}

static ExportValue int_value(int64_t value)
{
    return (ExportValue){.known = TRUE, .v.i = value};
}

static ExportValue real_value(double value)
{
    return (ExportValue){.known = isfinite(value), .v.r = value};
}

static ExportValue text_value(const char *value)
{
    return (ExportValue){.known = value != NULL, .v.t = value};
}

static gboolean add_pass(ExportWriter *writer, const PassRead *pass, GString *text, GError **error)
{
    const PassRecord *r = pass->record;
    PassFigures f = pass_figures(r, pass->decorrelation_m);
    ExportValue band = int_value(r->band);
    band.known = r->band >= 0;
    const ExportValue values[G_N_ELEMENTS(columns)] = {
        int_value(pass->segment),
        int_value(r->drive),
        int_value(r->source),
        int_value(r->pass),
        text_value(pass->operator_label),
        text_value(pass->antenna),
        int_value(r->first_ns),
        int_value(r->last_ns),
        int_value(r->is_backward),
        int_value(r->n),
        int_value(r->n_level),
        int_value(r->n_no_service),
        int_value(r->n_limited),
        int_value(r->n_missing),
        real_value(f.n_effective),
        real_value(f.seconds),
        real_value(f.metres),
        real_value(f.level_mean),
        text_value(levels_text(&r->levels, text)),
        text_value(r->cells),
        band,
    };
    const ExportRow row = {.values = values};
    return export_add(writer, &row, error);
}

gboolean export_passes(LayerSource *source, const ExportOptions *options, ExportSummary *summary,
                       GError **error)
{
    static const ExportHead head = {.title = "evidence",
                                    .no_places = TRUE,
                                    .columns = columns,
                                    .n_columns = G_N_ELEMENTS(columns)};
    g_autoptr(PassReader) reader = pass_reader_new(source, error);
    g_autoptr(ExportWriter) writer =
        reader != NULL ? export_create(options->out, options->format, &head, error) : NULL;
    if (writer == NULL)
        return FALSE;
    g_autoptr(GString) text = g_string_new(NULL);
    GError *local = NULL;
    const PassRead *pass;
    while ((pass = pass_reader_next(reader, &local)) != NULL) {
        if (options->operator_label != NULL &&
            strcmp(pass->operator_label, options->operator_label) != 0)
            continue;
        summary->rows++;
        if (!add_pass(writer, pass, text, error))
            return FALSE;
    }
    if (local != NULL) {
        g_propagate_error(error, local);
        return FALSE;
    }
    return export_finish(writer, error);
}
