/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/corridor-report.h"
#include "analyzer/report-page.h"
#include "analyzer/report.h"
#include "formats/file-replace.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

G_DEFINE_QUARK(corridor - report - error - quark, report_error)

void report_summary_clear(ReportSummary *summary)
{
    g_clear_pointer(&summary->page, g_free);
    g_clear_pointer(&summary->no_charts, g_free);
}

const char *const *report_languages(void)
{
    static const char *const languages[] = {"en", "sv", NULL};
    return languages;
}

/* Text of a file that was built in. Returns: (transfer full). */
static char *built_in(const char *name)
{
    g_autofree char *path = g_strdup_printf("/corridor/report/%s", name);
    g_autoptr(GBytes) bytes = g_resource_lookup_data(corridor_report_get_resource(), path,
                                                     G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_assert(bytes != NULL);
    gsize size = 0;
    const char *text = g_bytes_get_data(bytes, &size);
    return g_strndup(text, size);
}

/* Cuts every `from`…`to` out of our own or Leaflet's text: pictures and source maps that the page
 * does not have and must not ask for. */
static char *without(const char *text, const char *from, char to, const char *instead)
{
    GString *out = g_string_new(NULL);
    const char *hit = NULL;
    while ((hit = strstr(text, from)) != NULL) {
        g_string_append_len(out, text, hit - text);
        g_string_append(out, instead);
        const char *end = strchr(hit, to);
        text = end != NULL ? end + 1 : hit + strlen(hit);
    }
    g_string_append(out, text);
    return g_string_free(out, FALSE);
}

static const struct {
    const char *id, *title;
} contents[] = {
    {"summary", W("For the decision-maker")},
    {"reading", W("How to read this report")},
    {"services", W("Every service")},
    {"charts", W("Along the line")},
    {"map-section", W("Map")},
    {"gaps", W("Gaps")},
    {"comparison", W("Operators compared")},
    {"operators", W("Operator by operator")},
    {"hours", W("By hour and day")},
    {"claims", W("The operators' maps")},
    {"changes", W("Before and after")},
    {"tests", W("Threshold trains")},
    {"quality", W("Data quality")},
    {"method", W("Method")},
};

static const char *page_title(Page *page)
{
    if (page->groups->len == 0)
        return tr(page, "Mobile coverage");
    const ReportGroup *group = g_ptr_array_index(page->groups, 0);
    return page_fill(page, "Mobile coverage along {1}", page_label(page, group->corridor), NULL);
}

static void head(Page *page)
{
    g_autofree char *leaflet_css = built_in("leaflet.css");
    g_autofree char *no_pictures = without(leaflet_css, "url(", ')', "none");
    g_autofree char *css = built_in("report.css");
    g_string_append_printf(page->out, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n",
                           page->language);
    page_raw(
        page,
        "<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n<link rel=\"icon\" href=\"data:,\">\n"
        "<title>");
    page_text(page, page_title(page));
    page_raw(page, "</title>\n<style>\n");
    page_raw(page, no_pictures);
    page_raw(page, css);
    page_raw(page, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">");
    page_text(page, tr(page, "To the contents"));
    page_raw(page, "</a>\n");
}

static void header(Page *page)
{
    page_raw(page, "<header>\n<h1>");
    page_text(page, page_title(page));
    page_raw(page, "</h1>\n<p class=\"sub\">");
    const char *profile = report_meta(page->data, "profile_title");
    page_say_plain(page,
                   "Measured on the way, segment by segment. Profile: {1}. Newest sample: {2}.",
                   profile != NULL ? tr_title(page, profile) : "–",
                   page_date(page, report_meta(page->data, "created_for")), NULL);
    page_raw(page, "</p>\n<nav aria-label=\"");
    page_text(page, tr(page, "Contents"));
    page_raw(page, "\"><ul>");
    for (guint i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autofree char *anchor = g_strdup_printf("<section id=\"%s\"", contents[i].id);
        g_autofree char *lead = g_strdup_printf("id=\"%s\"", contents[i].id);
        if (strstr(page->out->str, anchor) == NULL && strstr(page->out->str, lead) == NULL)
            continue;
        g_string_append_printf(page->out, "<li><a href=\"#%s\">", contents[i].id);
        page_text(page, tr(page, contents[i].title));
        page_raw(page, "</a></li>");
    }
    page_raw(page, "</ul></nav>\n</header>\n");
}

/* Links to the charts of a long corridor's pieces. */
static void detail_links(Page *page, guint group)
{
    gboolean begun = FALSE;
    for (guint i = 0; i < page->details->len; i++) {
        const ReportDetail *d = g_ptr_array_index(page->details, i);
        if (d->group != group || d->svg == NULL)
            continue;
        page_raw(page, begun ? "" : "<p class=\"note\">");
        if (!begun)
            page_text(page,
                      tr(page, "Piece by piece, one point a segment (files beside this page):"));
        begun = TRUE;
        g_string_append_printf(page->out, " <a href=\"plots/corridor-%u-%u.svg\">", group + 1,
                               d->number);
        page_say_plain(page, "km {1}–{2}", page_number(page, d->from_km, 0),
                       page_number(page, d->to_km, 0), NULL);
        page_raw(page, "</a>");
    }
    page_raw(page, begun ? "</p>\n" : "");
}

void report_section_charts(Page *page)
{
    page_raw(page, "<section id=\"charts\" aria-labelledby=\"h-charts\"><h2 id=\"h-charts\">");
    page_text(page, tr(page, "Along the line"));
    page_raw(page, "</h2>\n<p>");
    page_text(page,
              tr(page, "One under the other on the same kilometres: level with the thresholds "
                       "(dashed), a ribbon per service, technology (the thicker the newer: "
                       "5G, 4G, 3G, 2G), and a tick for each change of cell. Orange at the foot "
                       "of a level panel: no service. Empty: not measured."));
    page_raw(page, "</p>\n");
    if (page->no_charts != NULL) {
        page_raw(page, "<p class=\"warn\">");
        page_say_plain(page, "There are no charts: {1}.", page->no_charts, NULL);
        page_raw(page, "</p>\n");
    }
    for (guint g = 0; g < page->charts->len; g++) {
        const char *svg = g_ptr_array_index(page->charts, g);
        ReportGroup *group = g_ptr_array_index(page->groups, g);
        if (svg == NULL)
            continue;
        const char *title = report_group_title(page, group);
        page_raw(page, "<h3>");
        page_text(page, title);
        page_raw(page, "</h3>\n<figure><div class=\"wide\" tabindex=\"0\" role=\"region\" "
                       "aria-label=\"");
        page_text(page, title);
        page_raw(page, "\"><img alt=\"");
        page_say_plain(page, "Strip charts along {1}; the figures are in segments.csv.", title,
                       NULL);
        page_raw(page, "\" src=\"data:image/svg+xml;base64,");
        g_autofree char *text = g_base64_encode((const guchar *)svg, strlen(svg));
        page_raw(page, text);
        page_raw(page, "\"></div></figure>\n");
        const GArray *rows = group->rows->len > 0 ? g_ptr_array_index(group->rows, 0) : NULL;
        if (rows != NULL && rows->len > 900) {
            page_raw(page, "<p class=\"note\">");
            page_say_plain(
                page,
                "At this scale one point stands for about {1} m: ribbons show the verdict "
                "of most of it, the band its lowest and highest. Shorter gaps are in the "
                "table and on the map.",
                page_number(page, group->length_km * 1000 / 900, 0), NULL);
            page_raw(page, "</p>\n");
        }
        detail_links(page, g);
    }
    page_raw(page, "</section>\n");
}

static void foot(Page *page)
{
    g_autofree char *leaflet = built_in("leaflet.min.js");
    g_autofree char *no_map = without(leaflet, "//# sourceMappingURL=", '\n', "");
    g_autofree char *script = built_in("report.js");
    const char *version = report_meta(page->data, "version");
    page_raw(page, "</main>\n<footer>\n<p>");
    page_say_plain(page,
                   "Written by Corridor {1} from {2}. The same figures: *.csv beside this "
                   "page, and the layers of the GeoPackage.",
                   version != NULL ? version : CORRIDOR_VERSION,
                   report_meta(page->data, "network") != NULL ? report_meta(page->data, "network")
                                                              : "–",
                   NULL);
    page_raw(page, "</p>\n<p>Map: Leaflet, © 2010–2021 Vladimir Agafonkin, © 2010–2011 CloudMade, "
                   "BSD 2-clause.</p>\n</footer>\n<script>");
    page_raw(page, no_map);
    page_raw(page, "</script>\n<script>\n");
    page_raw(page, script);
    page_raw(page, "</script>\n</body>\n</html>\n");
}

/* The page. The navigation lists the sections that there are, so they are written first. */
static GString *write_page(Page *page)
{
    page->out = g_string_sized_new(1 << 20);
    report_section_decision(page);
    report_section_reading(page);
    report_section_operators(page);
    report_section_charts(page);
    report_section_map(page);
    report_section_gaps(page);
    report_section_comparison(page);
    report_section_chapters(page);
    report_section_hours(page);
    report_section_claims(page);
    report_section_changes(page);
    report_section_tests(page);
    report_section_quality(page);
    report_section_method(page);
    GString *sections = page->out;
    page->out = g_string_sized_new(sections->len + (1 << 19));
    head(page);
    gsize at = page->out->len;
    g_string_append_len(page->out, sections->str, (gssize)sections->len);
    header(page); /* looks for the sections before it */
    g_autofree char *navigation = g_strdup(page->out->str + at + sections->len);
    g_string_truncate(page->out, at);
    page_raw(page, navigation);
    page_raw(page, "<main id=\"main\">\n");
    g_string_append_len(page->out, sections->str, (gssize)sections->len);
    foot(page);
    g_string_free(sections, TRUE);
    return g_steal_pointer(&page->out);
}

static gboolean write_file(const char *folder, const char *name, const char *text, gsize length,
                           GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(FileReplace) file = file_replace_open(path, error);
    if (file == NULL)
        return FALSE;
    (void)fwrite(text, 1, length, file_replace_stream(file));
    return file_replace_commit(file, error);
}

static gboolean make_folder(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0777) == 0)
        return TRUE;
    g_set_error(error, REPORT_ERROR, REPORT_ERROR_FAILED, "%s: cannot be made: %s", path,
                g_strerror(errno));
    return FALSE;
}

static gboolean write_plots(const Page *page, const char *folder, guint *n, GError **error)
{
    g_autofree char *plots = g_build_filename(folder, "plots", NULL);
    if (!make_folder(plots, error))
        return FALSE;
    if (page->overview != NULL) {
        (*n)++;
        if (!write_file(plots, "overview.svg", page->overview, strlen(page->overview), error))
            return FALSE;
    }
    for (guint g = 0; g < page->charts->len; g++) {
        const char *svg = g_ptr_array_index(page->charts, g);
        g_autofree char *name = g_strdup_printf("corridor-%u.svg", g + 1);
        if (svg == NULL)
            continue;
        (*n)++;
        if (!write_file(plots, name, svg, strlen(svg), error))
            return FALSE;
    }
    for (guint i = 0; i < page->details->len; i++) {
        const ReportDetail *d = g_ptr_array_index(page->details, i);
        g_autofree char *name = g_strdup_printf("corridor-%u-%u.svg", d->group + 1, d->number);
        if (d->svg == NULL)
            continue;
        (*n)++;
        if (!write_file(plots, name, d->svg, strlen(d->svg), error))
            return FALSE;
    }
    return TRUE;
}

/* Removes a plot or table of an earlier report in the same folder that this one does not have, and
 * what one that was killed had begun of it. */
static gboolean remove_old(const char *folder, const char *name, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *begun = g_strconcat(name, ".new-", NULL);
    file_replace_sweep(folder, begun);
    if (g_unlink(path) == 0 || errno == ENOENT)
        return TRUE;
    g_set_error(error, REPORT_ERROR, REPORT_ERROR_FAILED,
                "%s: is of an earlier report and cannot be removed: %s", path, g_strerror(errno));
    return FALSE;
}

/* corridor-GROUP.svg or corridor-GROUP-PIECE.svg, as write_plots() names them. */
static gboolean is_plot_name(const char *name, guint *group, guint *piece)
{
    *group = *piece = 0;
    if (sscanf(name, "corridor-%5u-%5u.svg", group, piece) != 2)
        *piece = 0;
    g_autofree char *whole = *piece > 0 ? g_strdup_printf("corridor-%u-%u.svg", *group, *piece)
                                        : g_strdup_printf("corridor-%u.svg", *group);
    return *group > 0 && strcmp(name, whole) == 0;
}

static gboolean remove_old_plots(const Page *page, const char *folder, GError **error)
{
    g_autofree char *plots = g_build_filename(folder, "plots", NULL);
    g_autoptr(GDir) dir = g_dir_open(plots, 0, NULL);
    const char *name = NULL;
    file_replace_sweep(plots, "corridor-");
    if (page->overview == NULL && !remove_old(plots, "overview.svg", error))
        return FALSE;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        guint group = 0, piece = 0;
        if (!is_plot_name(name, &group, &piece))
            continue;
        gboolean is_ours = piece == 0 && group <= page->charts->len &&
                           g_ptr_array_index(page->charts, group - 1) != NULL;
        for (guint i = 0; piece > 0 && i < page->details->len; i++) {
            const ReportDetail *d = g_ptr_array_index(page->details, i);
            is_ours = is_ours || (d->group + 1 == group && d->number == piece && d->svg != NULL);
        }
        if (!is_ours && !remove_old(plots, name, error))
            return FALSE;
    }
    return TRUE;
}

/* Tables that not every result has; others, which are no tables of ours, are left alone. */
static gboolean remove_old_tables(const Page *page, const char *folder, GError **error)
{
    static const char *const tables[] = {
        "arcep",      "claims",    "claim_tables", "claim_sensitivity", "diff",
        "diff_cells", "diff_gaps", "diff_summary", "overclaims",        "samples",
        "stations",   "tests",     "vehicle_loss",
    };
    for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *name = g_strconcat(tables[i], ".csv", NULL);
        if (report_table(page->data, tables[i]) == NULL && !remove_old(folder, name, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean write_all(Page *page, const char *folder, ReportSummary *summary, GError **error)
{
    if (!make_folder(folder, error) || !report_plot(page, error) ||
        !write_plots(page, folder, &summary->plots, error) ||
        !report_write_tables(page->data, folder, &summary->tables, error))
        return FALSE;
    summary->no_charts = g_strdup(page->no_charts);
    GString *text = write_page(page);
    summary->bytes = text->len;
    summary->page = g_build_filename(folder, "index.html", NULL);
    gboolean written = write_file(folder, "index.html", text->str, text->len, error);
    g_string_free(text, TRUE);
    return written && remove_old_plots(page, folder, error) &&
           remove_old_tables(page, folder, error);
}

gboolean report_write(const char *results, const char *folder, const char *language,
                      ReportSummary *summary, GError **error)
{
    g_autoptr(ReportData) data = report_data_load(results, error);
    if (data == NULL)
        return FALSE;
    Page page = {.data = data,
                 .language = language,
                 .words = report_words(language),
                 .scratch = g_string_chunk_new(1 << 14),
                 .services = g_array_new(FALSE, FALSE, sizeof(ReportService)),
                 .groups = g_ptr_array_new_with_free_func(report_group_free),
                 .charts = g_ptr_array_new_with_free_func(g_free),
                 .details = g_ptr_array_new_with_free_func(report_detail_free)};
    report_model(&page);
    gboolean done = write_all(&page, folder, summary, error);
    g_ptr_array_unref(page.charts);
    g_ptr_array_unref(page.details);
    g_ptr_array_unref(page.groups);
    g_array_unref(page.services);
    g_hash_table_unref(page.words);
    g_string_chunk_free(page.scratch);
    g_free(page.overview);
    return done;
}
