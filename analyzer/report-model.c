/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-page.h"

#include <math.h>
#include <string.h>

void report_group_free(gpointer data)
{
    ReportGroup *group = data;
    g_ptr_array_unref(group->operators);
    g_ptr_array_unref(group->rows);
    g_free(group);
}

char report_verdict_code(const char *verdict)
{
    if (verdict == NULL || strcmp(verdict, "not measured") == 0)
        return 'm';
    if (strcmp(verdict, "covered") == 0)
        return 'c';
    return strcmp(verdict, "not covered") == 0 ? 'n' : 'u';
}

static void find_services(Page *page)
{
    const ReportTable *table = report_table(page->data, "services");
    for (size_t i = 0; i < table->n_rows; i++) {
        const char *id = report_text(table, i, "service");
        gboolean known = id == NULL;
        for (guint j = 0; !known && j < page->services->len; j++)
            known = strcmp(g_array_index(page->services, ReportService, j).id, id) == 0;
        if (known)
            continue;
        const char *title = report_text(table, i, "title");
        title = title != NULL ? tr_title(page, title) : id;
        const char *bracket = strstr(title, " (");
        g_autofree char *brief = bracket != NULL && bracket != title
                                     ? g_strndup(title, (gsize)(bracket - title))
                                     : g_strdup(title);
        ReportService service = {id, title, g_string_chunk_insert(page->scratch, brief),
                                 report_text(table, i, "quantity"), i};
        g_array_append_val(page->services, service);
    }
}

static gboolean is_several(const char *operator_label)
{
    return strcmp(operator_label, "(any)") == 0 || strcmp(operator_label, "(all)") == 0;
}

static ReportGroup *group_of(Page *page, const char *corridor, const char *antenna)
{
    for (guint i = 0; i < page->groups->len; i++) {
        ReportGroup *group = g_ptr_array_index(page->groups, i);
        if (strcmp(group->corridor, corridor) == 0 && strcmp(group->antenna, antenna) == 0)
            return group;
    }
    return NULL;
}

static guint operator_of(const ReportGroup *group, const char *label)
{
    guint i = 0;
    while (i < group->operators->len && strcmp(g_ptr_array_index(group->operators, i), label) != 0)
        i++;
    return i;
}

static const char *or_word(const char *text, const char *word)
{
    return text != NULL ? text : word;
}

static void find_groups(Page *page)
{
    const ReportTable *table = report_table(page->data, "summary");
    for (size_t i = 0; i < table->n_rows; i++) {
        const char *corridor = or_word(report_text(table, i, "corridor"), "(other)");
        const char *antenna = or_word(report_text(table, i, "antenna"), "unknown");
        const char *label = report_text(table, i, "operator");
        ReportGroup *group = group_of(page, corridor, antenna);
        if (group == NULL) {
            group = g_new0(ReportGroup, 1);
            group->corridor = corridor;
            group->antenna = antenna;
            group->is_other = strcmp(corridor, "(other)") == 0;
            group->length_km = report_number(table, i, "length_km");
            group->operators = g_ptr_array_new();
            group->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
            g_ptr_array_add(page->groups, group);
        }
        if (label != NULL && !is_several(label) &&
            operator_of(group, label) == group->operators->len) {
            g_ptr_array_add(group->operators, (gpointer)(guintptr)label);
            g_ptr_array_add(group->rows, g_array_new(FALSE, FALSE, sizeof(size_t)));
        }
    }
}

typedef struct {
    const ReportTable *table;
    int km;
} Order;

static int by_chainage(gconstpointer a, gconstpointer b, gpointer user)
{
    const Order *order = user;
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    double p = report_number_at(order->table, x, order->km);
    double q = report_number_at(order->table, y, order->km);
    if (p < q || p > q)
        return p < q ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void share_out_segments(Page *page)
{
    const ReportTable *table = report_table(page->data, "segments");
    int corridor = report_column(table, "corridor");
    int antenna = report_column(table, "antenna");
    int label = report_column(table, "operator");
    ReportGroup *last = NULL;
    for (size_t i = 0; i < table->n_rows; i++) {
        const char *c = or_word(report_text_at(table, i, corridor), "(other)");
        const char *a = or_word(report_text_at(table, i, antenna), "unknown");
        const char *o = report_text_at(table, i, label);
        if (last == NULL || strcmp(last->corridor, c) != 0 || strcmp(last->antenna, a) != 0)
            last = group_of(page, c, a);
        guint at = last != NULL && o != NULL ? operator_of(last, o) : 0;
        if (last != NULL && o != NULL && at < last->operators->len)
            g_array_append_val((GArray *)g_ptr_array_index(last->rows, at), i);
    }
    Order order = {table, report_column(table, "km_from")};
    for (guint g = 0; g < page->groups->len; g++) {
        ReportGroup *group = g_ptr_array_index(page->groups, g);
        for (guint o = 0; o < group->rows->len; o++)
            g_array_sort_with_data(g_ptr_array_index(group->rows, o), by_chainage, &order);
    }
}

static int longest_first(gconstpointer a, gconstpointer b)
{
    const ReportGroup *x = *(ReportGroup *const *)a;
    const ReportGroup *y = *(ReportGroup *const *)b;
    if (x->is_other != y->is_other)
        return x->is_other ? 1 : -1;
    if (x->length_km > y->length_km || x->length_km < y->length_km)
        return x->length_km > y->length_km ? -1 : 1;
    int order = strcmp(x->corridor, y->corridor);
    return order != 0 ? order : strcmp(x->antenna, y->antenna);
}

gssize report_summary_row(const Page *page, const ReportGroup *group, const char *operator_label,
                          const char *service)
{
    const ReportTable *table = report_table(page->data, "summary");
    for (size_t i = 0; i < table->n_rows; i++)
        if (g_strcmp0(report_text(table, i, "service"), service) == 0 &&
            g_strcmp0(report_text(table, i, "operator"), operator_label) == 0 &&
            strcmp(or_word(report_text(table, i, "corridor"), "(other)"), group->corridor) == 0 &&
            strcmp(or_word(report_text(table, i, "antenna"), "unknown"), group->antenna) == 0)
            return (gssize)i;
    return -1;
}

double report_summary_number(const Page *page, gssize row, const char *column)
{
    return row < 0 ? NAN : report_number(report_table(page->data, "summary"), (size_t)row, column);
}

gboolean report_is_judged(const Page *page, const ReportGroup *group, const char *service)
{
    for (guint o = 0; o < group->operators->len; o++) {
        gssize row =
            report_summary_row(page, group, g_ptr_array_index(group->operators, o), service);
        double unmeasured = report_summary_number(page, row, "km_not_measured");
        if (isfinite(unmeasured) &&
            unmeasured < report_summary_number(page, row, "length_km") - 1e-9)
            return TRUE;
    }
    return FALSE;
}

/* The service of the headlines: the first one of a level that was judged, else the first judged. */
static void find_headline(Page *page)
{
    for (guint pass = 0; pass < 2 && page->headline == NULL; pass++)
        for (guint s = 0; s < page->services->len && page->headline == NULL; s++) {
            const ReportService *service = &g_array_index(page->services, ReportService, s);
            gboolean fits = pass == 1 || g_strcmp0(service->quantity, "level") == 0;
            for (guint g = 0; fits && g < page->groups->len; g++)
                if (report_is_judged(page, g_ptr_array_index(page->groups, g), service->id)) {
                    page->headline = service;
                    break;
                }
        }
    if (page->headline == NULL && page->services->len > 0)
        page->headline = &g_array_index(page->services, ReportService, 0);
}

void report_model(Page *page)
{
    find_services(page);
    find_groups(page);
    share_out_segments(page);
    g_ptr_array_sort(page->groups, longest_first);
    find_headline(page);
}

const char *report_group_title(Page *page, const ReportGroup *group)
{
    if (strcmp(group->antenna, "unknown") == 0)
        return page_label(page, group->corridor);
    g_autofree char *text = g_strdup_printf("%s, %s", page_label(page, group->corridor),
                                            page_label(page, group->antenna));
    return g_string_chunk_insert_const(page->scratch, text);
}
