/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/out-row.h"
#include "analyzer/result.h"
#include "analyzer/stat.h"

#include <math.h>
#include <string.h>

/* Closer levels than this are a tie: a UE is not more exact (3GPP TS 36.133, 9.1.2). */
#define TIE_DB 3.0

typedef struct {
    const Result *result;
    const char *corridor, *antenna;
    const uint32_t *seg;
    uint32_t n_segments;
    const guint *group;
    guint n;
} Field;

/* Level or verdict of one group in a segment; FALSE if not measured there. service < 0: level. */
static gboolean look(const Field *f, uint32_t segment, guint group, int service, double *level,
                     Verdict *verdict, double *length_km)
{
    const Brief *b = result_brief(f->result, segment, group);
    if (b == NULL || b->n == 0)
        return FALSE;
    *length_km = b->length_m / 1000.0;
    *level = b->level;
    if (service < 0)
        return !isnan(b->level);
    *verdict = (Verdict)result_service(f->result, b, (guint)service)->verdict;
    return *verdict != VERDICT_NOT_MEASURED;
}

typedef struct {
    double compared, best, tied, only, none;
} Shares;

/* Adds one segment that all groups have. */
static void compare_levels(const double *level, guint n, double km, Shares *shares)
{
    double first = -INFINITY, second = -INFINITY;
    for (guint g = 0; g < n; g++) {
        if (level[g] > first) {
            second = first;
            first = level[g];
        } else {
            second = fmax(second, level[g]);
        }
    }
    for (guint g = 0; g < n; g++) {
        if (isinf(first))
            shares[g].none += km;
        else if (level[g] >= first && level[g] - second >= TIE_DB)
            shares[g].best += km;
        else if (first - second < TIE_DB && first - level[g] < TIE_DB)
            shares[g].tied += km;
    }
}

static void compare_verdicts(const Verdict *verdict, guint n, double km, Shares *shares)
{
    guint covered = 0, not_covered = 0;
    for (guint g = 0; g < n; g++) {
        covered += verdict[g] == VERDICT_COVERED;
        not_covered += verdict[g] == VERDICT_NOT_COVERED;
    }
    for (guint g = 0; g < n; g++) {
        if (not_covered == n)
            shares[g].none += km;
        else if (verdict[g] == VERDICT_COVERED && covered == 1 && not_covered == n - 1)
            shares[g].only += km;
        else if (verdict[g] == VERDICT_COVERED && covered > 1)
            shares[g].tied += km;
    }
}

static gboolean write_operators(OutRow *row, const Field *f, int service, GError **error)
{
    g_autofree Shares *shares = g_new0(Shares, f->n);
    g_autofree double *level = g_new0(double, f->n);
    g_autofree Verdict *verdict = g_new0(Verdict, f->n);
    for (uint32_t i = 0; i < f->n_segments; i++) {
        double km = 0.0;
        gboolean all = TRUE;
        for (guint g = 0; g < f->n && all; g++)
            all = look(f, f->seg[i], f->group[g], service, &level[g], &verdict[g], &km);
        if (!all)
            continue;
        for (guint g = 0; g < f->n; g++)
            shares[g].compared += km;
        if (service < 0)
            compare_levels(level, f->n, km, shares);
        else
            compare_verdicts(verdict, f->n, km, shares);
    }
    for (guint g = 0; g < f->n; g++) {
        out_text(row, "corridor", f->corridor);
        out_text(row, "antenna", f->antenna);
        out_text(row, "service", service < 0 ? NULL : f->result->profile->services[service].id);
        out_text(row, "operator", f->result->setup.groups[f->group[g]].operator_label);
        out_real(row, "km_compared", shares[g].compared);
        out_real(row, "km_best", shares[g].best);
        out_real(row, "km_tied", shares[g].tied);
        out_real(row, "km_only", service < 0 ? (double)NAN : shares[g].only);
        out_real(row, "km_none", shares[g].none);
        if (!out_row_end(row, NULL, 0, error))
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    double compared, both, a_only, b_only, neither, undecided;
} Pair;

static void add_pair(Pair *p, int service, const double level[2], const Verdict verdict[2],
                     double km)
{
    p->compared += km;
    if (service < 0) {
        if (isinf(level[0]) && isinf(level[1]))
            p->neither += km;
        else if (level[0] - level[1] >= TIE_DB)
            p->a_only += km;
        else if (level[1] - level[0] >= TIE_DB)
            p->b_only += km;
        else
            p->both += km;
        return;
    }
    gboolean a = verdict[0] == VERDICT_COVERED, b = verdict[1] == VERDICT_COVERED;
    if (verdict[0] == VERDICT_UNCERTAIN || verdict[1] == VERDICT_UNCERTAIN)
        p->undecided += km;
    else if (a && b)
        p->both += km;
    else if (a)
        p->a_only += km;
    else if (b)
        p->b_only += km;
    else
        p->neither += km;
}

static gboolean write_pair(OutRow *row, const Field *f, guint a, guint b, int service,
                           GError **error)
{
    Pair pair = {0};
    g_autoptr(GArray) differences = g_array_new(FALSE, FALSE, sizeof(StatWeighted));
    for (uint32_t i = 0; i < f->n_segments; i++) {
        double km = 0.0, level[2];
        Verdict verdict[2] = {VERDICT_NOT_MEASURED, VERDICT_NOT_MEASURED};
        if (!look(f, f->seg[i], f->group[a], service, &level[0], &verdict[0], &km) ||
            !look(f, f->seg[i], f->group[b], service, &level[1], &verdict[1], &km))
            continue;
        add_pair(&pair, service, level, verdict, km);
        StatWeighted v = {level[0] - level[1], km};
        if (isfinite(v.value))
            g_array_append_val(differences, v);
    }
    out_text(row, "corridor", f->corridor);
    out_text(row, "antenna", f->antenna);
    out_text(row, "service", service < 0 ? NULL : f->result->profile->services[service].id);
    out_text(row, "operator_a", f->result->setup.groups[f->group[a]].operator_label);
    out_text(row, "operator_b", f->result->setup.groups[f->group[b]].operator_label);
    out_real(row, "km_compared", pair.compared);
    out_real(row, "km_both", pair.both);
    out_real(row, "km_a_only", pair.a_only);
    out_real(row, "km_b_only", pair.b_only);
    out_real(row, "km_neither", pair.neither);
    out_real(row, "km_undecided", pair.undecided);
    out_real(row, "level_difference_p50",
             service < 0 ? stat_percentile_weighted((StatWeighted *)(void *)differences->data,
                                                    differences->len, 0.5)
                         : (double)NAN);
    return out_row_end(row, NULL, 0, error);
}

static gboolean compare_field(const Field *f, OutRow *operators, OutRow *pairs, GError **error)
{
    for (int s = -1; s < (int)f->result->profile->n_services; s++) {
        if (!write_operators(operators, f, s, error))
            return FALSE;
        for (guint a = 0; a < f->n; a++)
            for (guint b = a + 1; b < f->n; b++)
                if (!write_pair(pairs, f, a, b, s, error))
                    return FALSE;
    }
    return TRUE;
}

gboolean out_compare_operators(const Result *result, LayerWriter *writer, GError **error)
{
    g_auto(OutRow) operators = {0}, pairs = {0};
    out_row_init(&operators, writer, "operators", LAYER_NONE);
    out_row_init(&pairs, writer, "pairs", LAYER_NONE);
    g_autoptr(GArray) scopes = result_scopes(result);
    gboolean done = TRUE;
    for (guint c = 0; c < result_corridors(result) && done; c++) {
        g_autoptr(GArray) segments = result_segments(result, c);
        const char *name = result_corridor_name(result, c);
        for (guint s = 0; s < scopes->len && done; s++) {
            const Scope *scope = &g_array_index(scopes, Scope, s);
            Field f = {result,         name ? name : "(other)",
                       scope->antenna, (const uint32_t *)(void *)segments->data,
                       segments->len,  scope->group,
                       scope->n};
            if (scope->kind == SCOPE_ANY)
                done = compare_field(&f, &operators, &pairs, error);
        }
    }
    if (done && operators.table == NULL) {
        /* one operator only: the tables are there, and empty */
        static const guint nobody[2] = {0, 0};
        Field f = {result, "", "", NULL, 0, nobody, 2};
        done = compare_field(&f, &operators, &pairs, error) &&
               layer_sql(writer, "DELETE FROM operators", error) &&
               layer_sql(writer, "DELETE FROM pairs", error);
    }
    for (guint s = 0; s < scopes->len; s++)
        g_free(g_array_index(scopes, Scope, s).group);
    return done;
}
