/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/result.h"

#include <math.h>
#include <string.h>

const Brief *result_brief(const Result *result, uint32_t segment, uint32_t group)
{
    const Brief *all = (const Brief *)(void *)result->brief->data;
    guint low = 0, high = result->brief->len;
    while (low < high) {
        guint mid = low + (high - low) / 2;
        const Brief *b = &all[mid];
        if (b->segment < segment || (b->segment == segment && b->group < group))
            low = mid + 1;
        else
            high = mid;
    }
    if (low < result->brief->len && all[low].segment == segment && all[low].group == group)
        return &all[low];
    return NULL;
}

const BriefService *result_service(const Result *result, const Brief *brief, guint service)
{
    size_t i = (size_t)(brief - (const Brief *)(void *)result->brief->data);
    return &g_array_index(result->service, BriefService, i * result->profile->n_services + service);
}

int64_t result_source_id(const Result *result, uint32_t drive, uint32_t source)
{
    const BinDrive *d = &result->drives[drive];
    guint at = 0;
    for (guint i = 0; i < d->n_sources; i++)
        if (d->sources[i].source.id == source)
            at = i;
    return (int64_t)result->source_base[drive] + at + 1;
}

guint result_corridors(const Result *result)
{
    guint n = result->network->n_corridors;
    uint32_t outside = segments_first(result->segments, n);
    if (n == 0)
        return 1;
    if (result->brief->len == 0)
        return n;
    const Brief *last = &g_array_index(result->brief, Brief, result->brief->len - 1);
    return last->segment >= outside ? n + 1 : n;
}

const char *result_corridor_name(const Result *result, guint corridor)
{
    return corridor < result->network->n_corridors ? result->network->corridors[corridor].name
                                                   : NULL;
}

GArray *result_segments(const Result *result, guint corridor)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t first = segments_first(result->segments, corridor);
    if (corridor < result->network->n_corridors) {
        for (uint32_t i = 0; i < segments_number(result->segments, corridor); i++) {
            uint32_t segment = first + i;
            g_array_append_val(list, segment);
        }
        return list;
    }
    uint32_t last = SEGMENT_NONE;
    for (guint i = 0; i < result->brief->len; i++) {
        uint32_t segment = g_array_index(result->brief, Brief, i).segment;
        if (segment >= first && segment != last)
            g_array_append_val(list, segment);
        last = segment;
    }
    return list;
}

GArray *result_scopes(const Result *result)
{
    GArray *scopes = g_array_new(FALSE, FALSE, sizeof(Scope));
    const BinSetup *setup = &result->setup;
    for (guint g = 0; g < setup->n_groups; g++) {
        Scope scope = {SCOPE_GROUP, setup->groups[g].operator_label, setup->groups[g].antenna, 1,
                       g_new(guint, 1)};
        scope.group[0] = g;
        g_array_append_val(scopes, scope);
    }
    for (guint g = 0; g < setup->n_groups; g++) {
        const char *antenna = setup->groups[g].antenna;
        gboolean seen = FALSE;
        guint n = 0;
        for (guint k = 0; k < setup->n_groups; k++) {
            gboolean same = strcmp(setup->groups[k].antenna, antenna) == 0;
            seen = seen || (same && k < g);
            n += same ? 1 : 0;
        }
        if (seen || n < 2)
            continue;
        for (int kind = SCOPE_ANY; kind <= SCOPE_ALL; kind++) {
            Scope scope = {(ScopeKind)kind, kind == SCOPE_ANY ? "(any)" : "(all)", antenna, 0,
                           g_new(guint, n)};
            for (guint k = 0; k < setup->n_groups; k++)
                if (strcmp(setup->groups[k].antenna, antenna) == 0)
                    scope.group[scope.n++] = k;
            g_array_append_val(scopes, scope);
        }
    }
    return scopes;
}

void result_scope_service(const Result *result, const Scope *scope, uint32_t segment, guint service,
                          ScopeService *out)
{
    *out = (ScopeService){.share = NAN, .share_time = NAN, .verdict = VERDICT_NOT_MEASURED};
    unsigned count[VERDICT_COUNT] = {0};
    gboolean any = scope->kind != SCOPE_ALL;
    for (guint i = 0; i < scope->n; i++) {
        const Brief *b = result_brief(result, segment, scope->group[i]);
        if (b == NULL) {
            count[VERDICT_NOT_MEASURED]++;
            continue;
        }
        const BriefService *s = result_service(result, b, service);
        count[s->verdict]++;
        out->length_m = b->length_m;
        out->seconds = fmax(out->seconds, b->seconds);
        out->grey = out->grey || s->grey == 1;
        if (isnan(s->share))
            continue;
        out->is_measured = TRUE;
        if (isnan(out->share) || (any ? s->share > out->share : s->share < out->share)) {
            out->share = s->share;
            out->share_time = s->share_time;
        }
    }
    if (scope->kind == SCOPE_GROUP) {
        for (int v = 0; v < VERDICT_COUNT; v++)
            if (count[v] > 0)
                out->verdict = (Verdict)v;
        return;
    }
    Verdict enough = any ? VERDICT_COVERED : VERDICT_NOT_COVERED;
    Verdict needs_all = any ? VERDICT_NOT_COVERED : VERDICT_COVERED;
    if (count[enough] > 0)
        out->verdict = enough;
    else if (count[needs_all] == scope->n)
        out->verdict = needs_all;
    else if (count[VERDICT_NOT_MEASURED] < scope->n)
        out->verdict = VERDICT_UNCERTAIN;
}
