/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-page.h"

#include <math.h>
#include <string.h>

/*
 * The map's data, compact: each segment once, its line as differences of 1e-5 degree in letters
 * (Google's encoded polyline algorithm), per operator one letter a segment and service for the
 * verdict and one for the reason, shares as a letter from U+0100 (0 %) to U+0164 (100 %), U+0165 =
 * not known. report.js reads it.
 */

/* Reasons by letter, from 'a'. */
static const char *const reasons[] = {
    "clear", "level",          "no service", "too few samples", "too few passes", "too few days",
    "mixed", "near threshold", "no level",   "not tested",      "no sample"};

typedef struct {
    int64_t segment;
    double km_from, km_to;
    size_t any_row; /* a row of `segments` with it */
} MapSegment;

static void put_number(GString *out, double value, const char *format)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (isfinite(value))
        g_string_append(out, g_ascii_formatd(text, sizeof text, format, value));
    else
        g_string_append(out, "null");
}

/* One difference, five bits a letter, lowest first, sign in the lowest bit. */
static void put_difference(GString *out, long difference)
{
    unsigned long bits =
        difference < 0 ? ~((unsigned long)difference << 1) : (unsigned long)difference << 1;
    while (bits >= 0x20) {
        char letter = (char)((0x20 | (bits & 0x1f)) + 63);
        if (letter == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, letter);
        bits >>= 5;
    }
    char letter = (char)(bits + 63);
    if (letter == '\\')
        g_string_append_c(out, '\\');
    g_string_append_c(out, letter);
}

static int by_km(gconstpointer a, gconstpointer b)
{
    const MapSegment *x = a;
    const MapSegment *y = b;
    if (x->km_from < y->km_from || x->km_from > y->km_from)
        return x->km_from < y->km_from ? -1 : 1;
    return x->segment < y->segment ? -1 : x->segment > y->segment;
}

/* Each segment of the group once, by chainage. */
static GArray *union_of(const Page *page, const ReportGroup *group)
{
    const ReportTable *table = report_table(page->data, "segments");
    int segment = report_column(table, "segment");
    int from = report_column(table, "km_from");
    int to = report_column(table, "km_to");
    GArray *all = g_array_new(FALSE, FALSE, sizeof(MapSegment));
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint o = 0; o < group->rows->len; o++) {
        const GArray *rows = g_ptr_array_index(group->rows, o);
        for (guint i = 0; i < rows->len; i++) {
            size_t row = g_array_index(rows, size_t, i);
            int64_t id = report_int_at(table, row, segment, INT64_MIN);
            if (g_hash_table_contains(seen, &id))
                continue;
            g_hash_table_add(seen, g_memdup2(&id, sizeof id));
            MapSegment s = {id, report_number_at(table, row, from),
                            report_number_at(table, row, to), row};
            g_array_append_val(all, s);
        }
    }
    g_array_sort(all, by_km);
    return all;
}

static long hundred_thousandths(double degrees)
{
    return fabs(degrees) <= 180 ? lround(degrees * 1e5) : 0;
}

static void put_lines(Page *page, const GArray *all, GHashTable *lines)
{
    GString *out = page->out;
    long last_lat = 0;
    long last_lon = 0;
    g_string_append(out, "\"line\":\"");
    for (guint i = 0; i < all->len; i++) {
        const MapSegment *s = &g_array_index(all, MapSegment, i);
        const ReportLine *line = g_hash_table_lookup(lines, &s->segment);
        put_difference(out, line != NULL ? (long)line->n : 0);
        for (size_t p = 0; line != NULL && p < line->n; p++) {
            const GeoPoint *point = &g_array_index(page->data->points, GeoPoint, line->first + p);
            long lat = hundred_thousandths(point->lat);
            long lon = hundred_thousandths(point->lon);
            put_difference(out, lat - last_lat);
            put_difference(out, lon - last_lon);
            last_lat = lat;
            last_lon = lon;
        }
    }
    g_string_append(out, "\",\n\"from\":[");
    for (guint i = 0; i < all->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        put_number(out, g_array_index(all, MapSegment, i).km_from, "%.10g");
    }
    g_string_append(out, "],\n\"to\":[");
    for (guint i = 0; i < all->len; i++) {
        /* 0: the same as where the next one begins */
        double to = g_array_index(all, MapSegment, i).km_to;
        gboolean same =
            i + 1 < all->len && fabs(g_array_index(all, MapSegment, i + 1).km_from - to) < 1e-6;
        if (i > 0)
            g_string_append_c(out, ',');
        put_number(out, same ? 0 : to, "%.10g");
    }
    g_string_append(out, "],\n");
}

/* Rows of one operator in the order of `all`; SIZE_MAX = none. Returns: (transfer full). */
static size_t *rows_in_order(const Page *page, const GArray *all, const GArray *rows)
{
    const ReportTable *table = report_table(page->data, "segments");
    int segment = report_column(table, "segment");
    g_autoptr(GHashTable) place = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < all->len; i++) {
        MapSegment *s = &g_array_index(all, MapSegment, i);
        g_hash_table_insert(place, &s->segment, GUINT_TO_POINTER(i + 1));
    }
    size_t *order = g_new(size_t, all->len + 1);
    for (guint i = 0; i < all->len; i++)
        order[i] = SIZE_MAX;
    for (guint i = 0; i < rows->len; i++) {
        size_t row = g_array_index(rows, size_t, i);
        int64_t id = report_int_at(table, row, segment, INT64_MIN);
        guint at = GPOINTER_TO_UINT(g_hash_table_lookup(place, &id));
        if (at > 0)
            order[at - 1] = row;
    }
    return order;
}

/* `missing` stands where there is no value: an empty place is not JSON. */
static void put_column(Page *page, const char *key, const char *column, char missing,
                       const size_t *order, guint n)
{
    const ReportTable *table = report_table(page->data, "segments");
    int c = report_column(table, column);
    if (c < 0)
        return;
    g_string_append_printf(page->out, "\"%s\":[", key);
    for (guint i = 0; i < n; i++) {
        double value = order[i] == SIZE_MAX ? NAN : report_number_at(table, order[i], c);
        if (i > 0)
            g_string_append_c(page->out, ',');
        if (isfinite(value))
            put_number(page->out, value, "%.0f");
        else
            g_string_append_c(page->out, missing);
    }
    g_string_append(page->out, "],\n");
}

static char reason_letter(const char *reason)
{
    for (guint i = 0; reason != NULL && i < G_N_ELEMENTS(reasons); i++)
        if (strcmp(reason, reasons[i]) == 0)
            return (char)('a' + i);
    return '-';
}

static void put_shares(GString *out, const ReportTable *table, const char *key, int column,
                       const size_t *order, guint n)
{
    g_string_append_printf(out, ",\"%s\":\"", key);
    for (guint i = 0; i < n; i++) {
        double share = order[i] == SIZE_MAX ? NAN : report_number_at(table, order[i], column);
        gunichar letter = isfinite(share) ? (gunichar)lround(CLAMP(share, 0, 1) * 100) : 0x65;
        g_string_append_unichar(out, 0x100 + letter);
    }
    g_string_append_c(out, '"');
}

static int service_column(const ReportTable *table, const char *service, const char *what)
{
    g_autofree char *name = g_strdup_printf("%s_%s", service, what);
    return report_column(table, name);
}

static void put_service(Page *page, const char *service, const size_t *order, guint n)
{
    GString *out = page->out;
    const ReportTable *table = report_table(page->data, "segments");
    int verdict = service_column(table, service, "verdict");
    int reason = service_column(table, service, "reason");
    g_string_append(out, "{\"v\":\"");
    for (guint i = 0; i < n; i++)
        g_string_append_c(out, order[i] == SIZE_MAX
                                   ? 'm'
                                   : report_verdict_code(report_text_at(table, order[i], verdict)));
    g_string_append(out, "\",\"r\":\"");
    for (guint i = 0; i < n; i++)
        g_string_append_c(out, order[i] == SIZE_MAX
                                   ? 'k'
                                   : reason_letter(report_text_at(table, order[i], reason)));
    g_string_append_c(out, '"');
    put_shares(out, table, "s", service_column(table, service, "share"), order, n);
    put_shares(out, table, "lo", service_column(table, service, "low"), order, n);
    put_shares(out, table, "hi", service_column(table, service, "high"), order, n);
    g_string_append_c(out, '}');
}

static const char *const rats[] = {"none", "GSM", "UMTS", "LTE", "NR-NSA", "NR-SA"};

static void put_operator(Page *page, const GArray *all, const char *label, const GArray *rows)
{
    GString *out = page->out;
    const ReportTable *table = report_table(page->data, "segments");
    g_autofree size_t *order = rows_in_order(page, all, rows);
    g_string_append(out, "{\"name\":");
    escape_json(out, page_label(page, label));
    g_string_append(out, ",\n");
    /* 1 is no level */
    put_column(page, "p10", "level_p10", '1', order, all->len);
    put_column(page, "p50", "level_p50", '1', order, all->len);
    put_column(page, "p90", "level_p90", '1', order, all->len);
    put_column(page, "n", "n", '0', order, all->len);
    put_column(page, "passes", "passes", '0', order, all->len);
    int rat = report_column(table, "rat");
    g_string_append(out, "\"rat\":\"");
    for (guint i = 0; i < all->len; i++) {
        const char *text = order[i] == SIZE_MAX ? NULL : report_text_at(table, order[i], rat);
        guint r = 0;
        while (text != NULL && r < G_N_ELEMENTS(rats) && strcmp(text, rats[r]) != 0)
            r++;
        g_string_append_c(out, text != NULL && r < G_N_ELEMENTS(rats) ? (char)('0' + r) : '-');
    }
    g_string_append(out, "\",\n\"services\":{");
    for (guint s = 0; s < page->services->len; s++) {
        const char *id = g_array_index(page->services, ReportService, s).id;
        if (s > 0)
            g_string_append_c(out, ',');
        escape_json(out, id);
        g_string_append_c(out, ':');
        put_service(page, id, order, all->len);
    }
    g_string_append(out, "}}");
}

static void put_group(Page *page, const ReportGroup *group, GHashTable *lines)
{
    g_autoptr(GArray) all = union_of(page, group);
    g_string_append(page->out, "{\"title\":");
    escape_json(page->out, report_group_title(page, group));
    g_string_append(page->out, ",\n");
    put_lines(page, all, lines);
    g_string_append(page->out, "\"operators\":[");
    for (guint o = 0; o < group->operators->len; o++) {
        if (o > 0)
            g_string_append_c(page->out, ',');
        put_operator(page, all, g_ptr_array_index(group->operators, o),
                     g_ptr_array_index(group->rows, o));
    }
    g_string_append(page->out, "]}");
}

/* Words that the script shows, by key. */
static const struct {
    const char *key, *english;
} words[] = {
    {"c", W("covered")},
    {"n", W("not covered")},
    {"u", W("uncertain")},
    {"m", W("not measured")},
    {"share", W("share of the way")},
    {"level", W("level, median (10–90%)")},
    {"samples", W("samples")},
    {"passes", W("passes")},
    {"rat", W("technology")},
    {"none", W("no service")},
    {"reason", W("why")},
    {"interval", W("95% interval")},
    {"any", W("any operator")},
};

static void put_words(Page *page)
{
    g_string_append(page->out, "\"words\":{");
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        g_string_append_printf(page->out, "%s\"%s\":", i > 0 ? "," : "", words[i].key);
        escape_json(page->out, tr(page, words[i].english));
    }
    g_string_append(page->out, "},\"reasons\":[");
    for (guint i = 0; i < G_N_ELEMENTS(reasons); i++) {
        if (i > 0)
            g_string_append_c(page->out, ',');
        escape_json(page->out, page_label(page, reasons[i]));
    }
    g_string_append(page->out, "],\"rats\":[");
    for (guint i = 0; i < G_N_ELEMENTS(rats); i++) {
        if (i > 0)
            g_string_append_c(page->out, ',');
        escape_json(page->out, page_label(page, rats[i]));
    }
    g_string_append_printf(page->out, "],\"lang\":\"%s\",\n", page->language);
}

static void put_data(Page *page)
{
    g_autoptr(GHashTable) lines = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (guint i = 0; i < page->data->lines->len; i++) {
        ReportLine *line = &g_array_index(page->data->lines, ReportLine, i);
        g_hash_table_insert(lines, &line->segment, line);
    }
    page_raw(page, "<script type=\"application/json\" id=\"data\">{");
    put_words(page);
    page_raw(page, "\"services\":[");
    for (guint s = 0; s < page->services->len; s++) {
        if (s > 0)
            g_string_append_c(page->out, ',');
        escape_json(page->out, g_array_index(page->services, ReportService, s).id);
    }
    page_raw(page, "],\"groups\":[");
    for (guint g = 0; g < page->groups->len; g++) {
        if (g > 0)
            g_string_append_c(page->out, ',');
        put_group(page, g_ptr_array_index(page->groups, g), lines);
    }
    page_raw(page, "]}</script>\n");
}

static void put_options(Page *page)
{
    page_raw(page, "<div class=\"controls\">");
    if (page->groups->len > 1) {
        page_raw(page, "<label>");
        page_text(page, tr(page, "Corridor"));
        page_raw(page, " <select id=\"map-group\">");
        for (guint g = 0; g < page->groups->len; g++) {
            g_string_append_printf(page->out, "<option value=\"%u\">", g);
            page_text(page, report_group_title(page, g_ptr_array_index(page->groups, g)));
            page_raw(page, "</option>");
        }
        page_raw(page, "</select></label>");
    }
    page_raw(page, "<label>");
    page_text(page, tr(page, "Service"));
    page_raw(page, " <select id=\"map-service\">");
    for (guint s = 0; s < page->services->len; s++) {
        const ReportService *service = &g_array_index(page->services, ReportService, s);
        page_raw(page, "<option value=\"");
        page_text(page, service->id);
        page_raw(page, service == page->headline ? "\" selected>" : "\">");
        page_text(page, service->title);
        page_raw(page, "</option>");
    }
    page_raw(page, "</select></label><fieldset id=\"map-operator\"><legend>");
    page_text(page, tr(page, "Operator"));
    page_raw(page, "</legend></fieldset></div>\n");
}

void report_section_map(Page *page)
{
    page_raw(page, "<section id=\"map-section\" aria-labelledby=\"h-map\"><h2 id=\"h-map\">");
    page_text(page, tr(page, "Map"));
    page_raw(page, "</h2>\n<p>");
    page_say_plain(page,
                   "Choose operator and service. Point at or tap a segment, or move the slider "
                   "with the arrow keys, to see its figures. The map needs no network: it shows "
                   "the line on a grid of degrees, without a background.",
                   NULL);
    page_raw(page, "</p>\n<noscript><p>");
    page_text(page, tr(page, "The map needs JavaScript; all else on this page does not."));
    page_raw(page, "</p></noscript>\n");
    put_options(page);
    page_raw(page, "<div id=\"map\" role=\"application\" aria-label=\"");
    page_text(page, tr(page, "Map of the verdicts"));
    page_raw(page, "\"></div>\n<label class=\"slider\" for=\"map-km\">");
    page_text(page, tr(page, "Along the line"));
    page_raw(page, "</label><input type=\"range\" id=\"map-km\" min=\"0\" max=\"0\" value=\"0\">\n"
                   "<div id=\"map-details\" aria-live=\"polite\"></div>\n");
    put_data(page);
    page_raw(page, "</section>\n");
}
