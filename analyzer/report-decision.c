/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-page.h"

#include <math.h>
#include <string.h>

/* The page for the decision-maker: three sentences, one picture, one table; and how to read it. */

#define LEAST_SHOWN_KM 0.005 /* below, page_km() shows zero */

static const char *km_with_unit(Page *page, double km)
{
    return page_fill(page, "{1} km", page_km(page, km), NULL);
}

static void sentence_any(Page *page, const ReportGroup *group)
{
    const char *service = page->headline->title;
    gssize row = report_summary_row(page, group, "(any)", page->headline->id);
    const char *corridor = page_label(page, group->corridor);
    page_raw(page, "<p>");
    if (group->operators->len == 1 || row < 0) {
        const char *name = g_ptr_array_index(group->operators, 0);
        row = report_summary_row(page, group, name, page->headline->id);
        page_say(page,
                 "Along {1} ({2}), {3} offers {4} on {5} of the measured length "
                 "(95% interval {6}).",
                 corridor, km_with_unit(page, group->length_km), name, service,
                 page_share(page, report_summary_number(page, row, "share"), 1),
                 page_interval(page, report_summary_number(page, row, "share_low"),
                               report_summary_number(page, row, "share_high")),
                 NULL);
    } else {
        gssize all = report_summary_row(page, group, "(all)", page->headline->id);
        page_say(page,
                 "Along {1} ({2}), at least one operator offers {3} on {4} of the measured length "
                 "(95% interval {5}); every operator does on {6}.",
                 corridor, km_with_unit(page, group->length_km), service,
                 page_share(page, report_summary_number(page, row, "share"), 1),
                 page_interval(page, report_summary_number(page, row, "share_low"),
                               report_summary_number(page, row, "share_high")),
                 page_share(page, report_summary_number(page, all, "share"), 1), NULL);
    }
    page_raw(page, "</p>\n");
}

static void sentence_gap(Page *page, const ReportGroup *group)
{
    gssize any = report_summary_row(page, group, "(any)", page->headline->id);
    double nowhere = report_summary_number(page, any, "gap_longest_m");
    double worst = 0;
    gssize worst_row = -1;
    const char *worst_name = NULL;
    for (guint o = 0; o < group->operators->len; o++) {
        const char *name = g_ptr_array_index(group->operators, o);
        gssize row = report_summary_row(page, group, name, page->headline->id);
        double metres = report_summary_number(page, row, "gap_longest_m");
        if (isfinite(metres) && metres > worst) {
            worst = metres;
            worst_row = row;
            worst_name = name;
        }
    }
    page_raw(page, "<p>");
    if (worst_row < 0)
        page_say(page, "No stretch is proved to be without it for any operator.", NULL);
    else
        page_say(page, "The longest gap of a single operator is {1} ({2}, km {3}–{4}).",
                 km_with_unit(page, worst / 1000), worst_name,
                 page_km(page, report_summary_number(page, worst_row, "gap_longest_from_km")),
                 page_km(page, report_summary_number(page, worst_row, "gap_longest_to_km")), NULL);
    if (worst_row >= 0 && group->operators->len > 1) {
        page_raw(page, " ");
        if (isfinite(nowhere) && nowhere > 0)
            page_say(page, "The longest stretch where no operator offers it is {1} (km {2}–{3}).",
                     km_with_unit(page, nowhere / 1000),
                     page_km(page, report_summary_number(page, any, "gap_longest_from_km")),
                     page_km(page, report_summary_number(page, any, "gap_longest_to_km")), NULL);
        else
            page_say(page, "No stretch is proved to be without every operator.", NULL);
    }
    page_raw(page, "</p>\n");
}

/* Seconds of meetings on the segments of operator o. */
static double meeting_seconds(const Page *page, const ReportGroup *group, guint o)
{
    const ReportTable *table = report_table(page->data, "segments");
    const GArray *rows = g_ptr_array_index(group->rows, o);
    int column = report_column(table, "meeting_n");
    double sum = 0;
    for (guint i = 0; i < rows->len; i++) {
        double n = report_number_at(table, g_array_index(rows, size_t, i), column);
        sum += isfinite(n) ? n : 0;
    }
    return sum;
}

/* Where meetings were tested, their own headline. */
static void sentence_meeting(Page *page, const ReportGroup *group)
{
    const ReportService *meeting = NULL;
    for (guint s = 0; s < page->services->len; s++) {
        const ReportService *service = &g_array_index(page->services, ReportService, s);
        if (g_strcmp0(service->quantity, "meeting") == 0)
            meeting = service; /* the profile's last: the least it asks for */
    }
    for (guint o = 0; meeting != NULL && o < group->operators->len; o++) {
        const char *name = g_ptr_array_index(group->operators, o);
        gssize row = report_summary_row(page, group, name, meeting->id);
        double share = report_summary_number(page, row, "share");
        double km = report_summary_number(page, row, "length_km") -
                    report_summary_number(page, row, "km_not_measured");
        if (!isfinite(share) || !(km > 0))
            continue;
        page_raw(page, "<p class=\"meeting\">");
        page_say(page,
                 "{1}: an online meeting works on {2} of the {3} where it was tested (95% interval "
                 "{4}, {5} seconds of meetings).",
                 name, page_share(page, share, 1), km_with_unit(page, km),
                 page_interval(page, report_summary_number(page, row, "share_low"),
                               report_summary_number(page, row, "share_high")),
                 page_number(page, meeting_seconds(page, group, o), 0), NULL);
        page_raw(page, "</p>\n");
    }
}

/* The most of any operator; what would be shown as zero is not mentioned. */
static void say_left_open(Page *page, double uncertain_km, double unmeasured_km)
{
    const char *uncertain = km_with_unit(page, uncertain_km);
    const char *unmeasured = km_with_unit(page, unmeasured_km);
    const gboolean any_uncertain = uncertain_km >= LEAST_SHOWN_KM;
    const gboolean any_unmeasured = unmeasured_km >= LEAST_SHOWN_KM;
    if (any_uncertain && any_unmeasured)
        page_say(page,
                 "Depending on the operator up to {1} are too close to call and up to {2} were not "
                 "measured: neither counts as good or as bad coverage.",
                 uncertain, unmeasured, NULL);
    else if (any_uncertain)
        page_say(page,
                 "All was measured; depending on the operator up to {1} are too close to call, "
                 "which counts neither as good nor as bad coverage.",
                 uncertain, NULL);
    else if (any_unmeasured)
        page_say(page,
                 "Nothing is too close to call; depending on the operator up to {1} were not "
                 "measured, which counts neither as good nor as bad coverage.",
                 unmeasured, NULL);
    else
        page_say(page, "All was measured, and nothing is too close to call.", NULL);
}

static void sentence_evidence(Page *page, const ReportGroup *group)
{
    const ReportTable *drives = report_table(page->data, "drives");
    const char *first = NULL;
    const char *last = NULL;
    for (size_t i = 0; drives != NULL && i < drives->n_rows; i++) {
        const char *from = report_text(drives, i, "first_time");
        const char *to = report_text(drives, i, "last_time");
        first = first == NULL || (from != NULL && strcmp(from, first) < 0) ? from : first;
        last = last == NULL || (to != NULL && strcmp(to, last) > 0) ? to : last;
    }
    double samples = 0;
    double uncertain = 0;
    double unmeasured = 0;
    for (guint o = 0; o < group->operators->len; o++) {
        gssize row = report_summary_row(page, group, g_ptr_array_index(group->operators, o),
                                        page->headline->id);
        double n = report_summary_number(page, row, "n");
        samples += isfinite(n) ? n : 0;
        uncertain = fmax(uncertain, report_summary_number(page, row, "km_uncertain"));
        unmeasured = fmax(unmeasured, report_summary_number(page, row, "km_not_measured"));
    }
    double n_drives = drives != NULL ? (double)drives->n_rows : NAN;
    page_raw(page, "<p>");
    page_say(page, "This rests on {1} samples from {2} ({3} to {4}).",
             page_number(page, samples, 0),
             page_fill(page, tr_count(page, W("{1} drive"), W("{1} drives"), n_drives),
                       page_number(page, n_drives, 0), NULL),
             page_date(page, first), page_date(page, last), NULL);
    page_raw(page, " ");
    say_left_open(page, uncertain, unmeasured);
    page_raw(page, "</p>\n");
}

static void km_and_share(Page *page, double km, double length)
{
    const char *text = "–";
    if (isfinite(km) && length > 0) {
        g_autofree char *both =
            g_strdup_printf("%s (%s)", page_km(page, km), page_share(page, km / length, 0));
        text = g_string_chunk_insert_const(page->scratch, both);
    }
    page_cell_number(page, text);
}

static void headline_row(Page *page, const ReportGroup *group, const char *name)
{
    gssize row = report_summary_row(page, group, name, page->headline->id);
    if (row < 0)
        return;
    double length = report_summary_number(page, row, "length_km");
    page_raw(page, name[0] == '(' ? "<tr class=\"sum\">" : "<tr>");
    page_row_head(page, page_label(page, name));
    double enough = report_summary_number(page, row, "enough");
    if (isfinite(enough) && enough < 0.5)
        page_cell_number(page, tr(page, "not enough data"));
    else
        page_cell_number(page, page_share(page, report_summary_number(page, row, "share"), 1));
    km_and_share(page, report_summary_number(page, row, "km_covered"), length);
    km_and_share(page, report_summary_number(page, row, "km_not_covered"), length);
    km_and_share(page, report_summary_number(page, row, "km_uncertain"), length);
    km_and_share(page, report_summary_number(page, row, "km_not_measured"), length);
    page_row_end(page);
}

static void overview(Page *page)
{
    if (page->overview == NULL)
        return;
    page_raw(page, "<figure><div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"");
    page_text(page, tr(page, "Picture of the verdicts along the line"));
    page_raw(page, "\"><img alt=\"");
    page_say_plain(page, "{1} along {2}: one ribbon per operator; the table below has the figures.",
                   page->headline->title,
                   page_label(page, ((ReportGroup *)g_ptr_array_index(page->groups, 0))->corridor),
                   NULL);
    page_raw(page, "\" src=\"data:image/svg+xml;base64,");
    g_autofree char *text = g_base64_encode((const guchar *)page->overview, strlen(page->overview));
    page_raw(page, text);
    page_raw(page, "\"></div><figcaption>");
    page_say_plain(page,
                   "{1}. Thick orange: not covered; thin blue: covered; dashed: uncertain; dotted: "
                   "not measured; black: no operator.",
                   page->headline->title, NULL);
    page_raw(page, "</figcaption></figure>\n");
}

void report_section_decision(Page *page)
{
    page_raw(page, "<section class=\"lead page\" id=\"summary\" aria-labelledby=\"h-summary\">"
                   "<h2 id=\"h-summary\">");
    page_text(page, tr(page, "For the decision-maker"));
    page_raw(page, "</h2>\n");
    if (page->groups->len == 0 || page->headline == NULL ||
        ((ReportGroup *)g_ptr_array_index(page->groups, 0))->operators->len == 0) {
        page_raw(page, "<p>");
        page_text(page, tr(page, "Nothing was measured on this network: no sample could be placed "
                                 "on a segment."));
        page_raw(page, "</p></section>\n");
        return;
    }
    const ReportGroup *group = g_ptr_array_index(page->groups, 0);
    sentence_any(page, group);
    sentence_gap(page, group);
    sentence_meeting(page, group);
    sentence_evidence(page, group);
    overview(page);
    for (guint g = 0; g < page->groups->len; g++) {
        const ReportGroup *each = g_ptr_array_index(page->groups, g);
        const char *caption = page_fill(page, "{1}: {2}", report_group_title(page, each),
                                        page->headline->title, NULL);
        page_table(
            page, caption,
            "Operator|#Share of the measured length|#Covered, km|#Not covered, km|#Uncertain, "
            "km|#Not measured, km");
        for (guint o = 0; o < each->operators->len; o++)
            headline_row(page, each, g_ptr_array_index(each->operators, o));
        if (each->operators->len > 1) {
            headline_row(page, each, "(any)");
            headline_row(page, each, "(all)");
        }
        page_table_end(page);
    }
    page_raw(page, "</section>\n");
}

/* ---- how to read it ---- */

static void legend_item(Page *page, const char *stroke, const char *text)
{
    page_raw(page, "<li><svg width=\"46\" height=\"12\" aria-hidden=\"true\"><path d=\"M0 6H46\" ");
    page_raw(page, stroke);
    page_raw(page, "/></svg>");
    page_text(page, tr(page, text));
    page_raw(page, "</li>");
}

void report_section_reading(Page *page)
{
    page_raw(page, "<section id=\"reading\" aria-labelledby=\"h-reading\"><h2 id=\"h-reading\">");
    page_text(page, tr(page, "How to read this report"));
    page_raw(page, "</h2>\n<ul class=\"legend\">");
    legend_item(page, "stroke=\"#0072b2\" stroke-width=\"4\"", "covered");
    legend_item(page, "stroke=\"#d55e00\" stroke-width=\"9\"", "not covered");
    legend_item(page, "stroke=\"#a68a00\" stroke-width=\"6\" stroke-dasharray=\"5 4\"",
                "uncertain");
    legend_item(page, "stroke=\"#777\" stroke-width=\"1.5\" stroke-dasharray=\"1 4\"",
                "not measured");
    page_raw(page, "</ul>\n<ul>\n");
    static const char *const points[] = {
        W("The line is cut into segments of about 100 m. Each segment, operator and service gets "
          "one "
          "verdict; all lengths and shares are sums over segments, so a vehicle that stands still "
          "weighs no more than one that passes."),
        W("Covered and not covered are said only where the 95% interval of the segment's share "
          "lies "
          "on one side of the required share. Otherwise the segment is uncertain, with the "
          "reason."),
        W("Not measured means that no sample lies there. It says nothing about the network. No "
          "service is different: the modem was there, looked, and found none."),
        W("A gap is an unbroken run of segments that are not covered. Unknown parts inside it, at "
          "most two segments in a row, are told apart."),
        W("The share of the measured length is an estimate with an interval; the kilometres by "
          "verdict count only what is proved."),
        W("Phones measure levels to about ±6 dB: verdicts within 3 dB of a threshold are marked as "
          "near the threshold.")};
    for (guint i = 0; i < G_N_ELEMENTS(points); i++) {
        page_raw(page, "<li>");
        page_text(page, tr(page, points[i]));
        page_raw(page, "</li>\n");
    }
    page_raw(page, "</ul></section>\n");
}
