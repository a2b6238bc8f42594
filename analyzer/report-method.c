/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-page.h"

#include <math.h>
#include <string.h>

/* Data quality and method: what stands behind the figures. */

static void count(Page *page, const ReportTable *table, size_t row, const char *column)
{
    page_cell_number(page, page_number(page, report_number(table, row, column), 0));
}

static void number(Page *page, const ReportTable *table, size_t row, const char *column)
{
    page_cell_number(page, page_number(page, report_number(table, row, column), 1));
}

static const char *drive_name(const Page *page, double id)
{
    const ReportTable *drives = report_table(page->data, "drives");
    for (size_t i = 0; drives != NULL && i < drives->n_rows; i++)
        if (fabs(report_number(drives, i, "id") - id) < 0.5)
            return report_text(drives, i, "name");
    return NULL;
}

static void source_head(Page *page, const ReportTable *quality, size_t row)
{
    const char *name = drive_name(page, report_number(quality, row, "drive"));
    const char *label = report_text(quality, row, "operator");
    g_autofree char *text =
        g_strdup_printf("%s, %s", name != NULL ? name : "–", label != NULL ? label : "–");
    page_row(page);
    page_row_head(page, text);
}

static void fixes_table(Page *page, const ReportTable *quality)
{
    page_table(page, tr(page, "Positions"),
               "Drive, operator|#Fixes|#Matched|#Off the network|#Rejected|#Repeated|#Stated "
               "accuracy, median m|#Distance to the line, median m|#95% below, m");
    static const char *const columns[] = {"fixes", "fixes_matched", "fixes_off_network",
                                          "fixes_rejected", "fixes_repeated"};
    for (size_t i = 0; i < quality->n_rows; i++) {
        source_head(page, quality, i);
        for (guint c = 0; c < G_N_ELEMENTS(columns); c++)
            count(page, quality, i, columns[c]);
        number(page, quality, i, "accuracy_p50_m");
        number(page, quality, i, "distance_p50_m");
        number(page, quality, i, "distance_p95_m");
        page_row_end(page);
    }
    page_table_end(page);
}

static void samples_table(Page *page, const ReportTable *quality)
{
    page_table(
        page, tr(page, "Samples"),
        "Drive, operator|#Read|#At a fix|#Placed by time|#Off the network|#No position|#Place "
        "uncertain|#Modem silent|#Used|#Per segment, median|#Seconds between, median|#Refused "
        "values");
    static const char *const columns[] = {"samples",
                                          "samples_at_fix",
                                          "samples_interpolated",
                                          "samples_off_network",
                                          "samples_no_position",
                                          "samples_uncertain",
                                          "samples_missing",
                                          "samples_used"};
    for (size_t i = 0; i < quality->n_rows; i++) {
        source_head(page, quality, i);
        for (guint c = 0; c < G_N_ELEMENTS(columns); c++)
            count(page, quality, i, columns[c]);
        number(page, quality, i, "samples_per_segment_p50");
        number(page, quality, i, "interval_p50_s");
        count(page, quality, i, "refused_values");
        page_row_end(page);
    }
    page_table_end(page);
}

static void drives_table(Page *page)
{
    const ReportTable *drives = report_table(page->data, "drives");
    if (drives == NULL)
        return;
    page_table(page, tr(page, "Drives"), "Drive|From|To|Vehicle|SHA-256 of the file|Problems");
    for (size_t i = 0; i < drives->n_rows; i++) {
        page_row(page);
        page_row_head(page, report_text(drives, i, "name"));
        page_cell(page, page_moment(page, report_text(drives, i, "first_time")));
        page_cell(page, page_moment(page, report_text(drives, i, "last_time")));
        page_cell(page, report_text(drives, i, "vehicle"));
        page_raw(page, "<td class=\"code\">");
        const char *sha256 = report_text(drives, i, "sha256");
        page_text(page, sha256 != NULL ? sha256 : report_text(drives, i, "digest"));
        page_raw(page, "</td>");
        const char *problems = report_text(drives, i, "problems");
        page_cell(page, problems != NULL ? problems : tr(page, "none"));
        page_row_end(page);
    }
    page_table_end(page);
}

static void sources_table(Page *page)
{
    const ReportTable *sources = report_table(page->data, "sources");
    if (sources == NULL)
        return;
    page_table(page, tr(page, "Modems and antennas"),
               "Drive|Source|Operator|Antenna|Model|#Gain, dBi|#Cable loss, dB|#Floor, "
               "dBm|#Correction, dB|Correction made up of");
    for (size_t i = 0; i < sources->n_rows; i++) {
        page_row(page);
        page_row_head(page, drive_name(page, report_number(sources, i, "drive")));
        page_cell(page, report_text(sources, i, "label"));
        page_cell(page, report_text(sources, i, "operator"));
        page_cell(page, page_label(page, report_text(sources, i, "antenna")));
        page_cell(page, report_text(sources, i, "model"));
        number(page, sources, i, "antenna_gain_dbi");
        number(page, sources, i, "cable_loss_db");
        number(page, sources, i, "floor_dbm");
        number(page, sources, i, "correction_db");
        page_cell(page, report_text(sources, i, "correction"));
        page_row_end(page);
    }
    page_table_end(page);
}

void report_section_quality(Page *page)
{
    page_raw(page, "<section id=\"quality\" aria-labelledby=\"h-quality\"><h2 id=\"h-quality\">");
    page_text(page, tr(page, "Data quality"));
    page_raw(page, "</h2>\n<p>");
    page_text(page, tr(page, "Every row that was read is accounted for: used, or left out for a "
                             "reason that has its own column. A sample without a position and a "
                             "stretch without samples are holes in the recording, never holes in "
                             "the coverage."));
    page_raw(page, "</p>\n");
    const ReportTable *quality = report_table(page->data, "quality");
    if (quality != NULL && quality->n_rows > 0) {
        fixes_table(page, quality);
        samples_table(page, quality);
    }
    drives_table(page);
    sources_table(page);
    page_raw(page, "</section>\n");
}

/* ---- method ---- */

static const char *quantity_words(const Page *page, const char *quantity)
{
    static const struct {
        const char *key, *english;
    } names[] = {
        {"level", W("level (RSRP, RSCP, RXLEV)")},
        {"state", W("state of service")},
        {"rtt", W("round trip")},
        {"loss", W("packets lost")},
        {"down", W("download")},
        {"up", W("upload")},
        {"meeting", W("meeting windows")},
    };
    for (guint i = 0; quantity != NULL && i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i].key, quantity) == 0)
            return tr(page, names[i].english);
    return quantity != NULL ? quantity : "–";
}

static void link_cell(Page *page, const char *source, const char *link)
{
    page_raw(page, "<td>");
    page_text(page, tr_title(page, source));
    if (link != NULL && (g_str_has_prefix(link, "https://") || g_str_has_prefix(link, "http://"))) {
        page_raw(page, " <span class=\"note\">");
        page_text(page, link);
        page_raw(page, "</span>");
    }
    page_raw(page, "</td>");
}

static void thresholds_table(Page *page)
{
    const ReportTable *services = report_table(page->data, "services");
    const char *title = report_meta(page->data, "profile_title");
    page_table(page,
               page_fill(page, "Thresholds of the profile {1}",
                         title != NULL ? tr_title(page, title) : "–", NULL),
               "Service|Quantity|Technology|#Threshold|#Required share|#Least samples / passes / "
               "days|Source of the threshold|Source of the required share");
    for (size_t i = 0; i < services->n_rows; i++) {
        const char *unit = report_text(services, i, "unit");
        double threshold = report_number(services, i, "threshold");
        double above = report_number(services, i, "above");
        gboolean whole = isfinite(threshold) && fabs(threshold - round(threshold)) < 1e-9;
        g_autofree char *limit =
            isfinite(threshold) ? g_strdup_printf("%s\u00a0%s\u00a0%s", above > 0.5 ? "≥" : "≤",
                                                  page_number(page, threshold, whole ? 0 : 1),
                                                  unit != NULL ? unit : "")
                                : g_strdup("–");
        page_row(page);
        page_row_head(page, tr_title(page, report_text(services, i, "title")));
        page_cell(page, quantity_words(page, report_text(services, i, "quantity")));
        page_cell(page, report_text(services, i, "rat"));
        page_cell_number(page, limit);
        page_cell_number(page, page_share(page, report_number(services, i, "required"), 0));
        g_autofree char *least = g_strdup_printf(
            "%s / %s / %s", page_number(page, report_number(services, i, "min_samples"), 0),
            page_number(page, report_number(services, i, "min_passes"), 0),
            page_number(page, report_number(services, i, "min_days"), 0));
        page_cell_number(page, least);
        link_cell(page, report_text(services, i, "threshold_source"),
                  report_text(services, i, "link"));
        link_cell(page, report_text(services, i, "required_source"), NULL);
        page_row_end(page);
    }
    page_table_end(page);
}

/* Each step with its formula and where it comes from. */
static const struct {
    const char *what, *formula, *text;
} steps[] = {
    {W("Level of a segment"), W("10 · log₁₀( Σ 10^(x/10) / n )"),
     W("The mean level is a linear mean and is used inside a segment only; everything above a "
       "segment "
       "is a percentile or a share.")},
    {W("Percentiles"), W("min { x : F(x) ≥ p }"),
     W("Weighted type 1 (Hyndman & Fan 1996): the smallest level with at least the share p of the "
       "way "
       "at or below it. No service ranks below every level; it is never a made-up number.")},
    {W("Share of a segment"), W("Σ wᵢ · [xᵢ ≥ threshold] / Σ wᵢ"),
     W("w is the way a sample stands for, half the way to each neighbour, at most 250 m and 10 s; "
       "standing weighs nothing. Each pass weighs the same.")},
    {W("Effective samples"), W("n · (1 − ρ) / (1 + ρ)"),
     W("Neighbouring samples resemble each other; ρ is the correlation of neighbours, exp(−d/d₀) "
       "at "
       "the distance d (Gudmundson 1991).")},
    {W("Interval of a segment"), W("(p + z²/2n ± z · √(p(1−p)/n + z²/4n²)) / (1 + z²/n)"),
     W("Wilson (1927), z = 1.96, n = effective samples.")},
    {W("Verdict"), W("low > required → covered; high < required → not covered"),
     W("Low and high are the ends of the interval. Otherwise uncertain. Too few samples, passes or "
       "days "
       "are uncertain whatever the share, unless the level lies far from the threshold.")},
    {W("Share of a corridor"), W("Σ Lᵢ · pᵢ / Σ Lᵢ"),
     W("The measured segments' shares weighted by their length, with an interval from resampling "
       "blocks of neighbouring segments (Künsch 1989), or whole drives where there are at least "
       "three "
       "passes.")},
    {W("Gaps"), W("Σ L² / Σ L"),
     W("The length-weighted mean is the gap that a random kilometre without coverage lies in.")},
};

static void formulas(Page *page)
{
    page_table(page, tr(page, "Formulas"), "Step|Formula|In words");
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        page_row(page);
        page_row_head(page, tr(page, steps[i].what));
        page_raw(page, "<td class=\"code\">");
        page_text(page, tr(page, steps[i].formula));
        page_raw(page, "</td>");
        page_cell(page, tr(page, steps[i].text));
        page_row_end(page);
    }
    page_table_end(page);
}

static void uncertainty_table(Page *page)
{
    if (page->headline == NULL)
        return;
    const ReportTable *summary = report_table(page->data, "summary");
    page_table(page,
               page_fill(page, "What the intervals rest on: {1}", page->headline->title, NULL),
               "Corridor|Operator|Interval by|#Block, m|#Measured segments|#Worth as independent "
               "ones|#Neighbours alike up to, m|#Share of time|#Near the threshold, km");
    for (guint g = 0; g < page->groups->len; g++) {
        const ReportGroup *group = g_ptr_array_index(page->groups, g);
        for (guint o = 0; o < group->operators->len; o++) {
            const char *name = g_ptr_array_index(group->operators, o);
            gssize row = report_summary_row(page, group, name, page->headline->id);
            if (row < 0)
                continue;
            page_row(page);
            page_row_head(page, report_group_title(page, group));
            page_cell(page, name);
            page_cell(page, page_label(page, report_text(summary, (size_t)row, "interval")));
            page_cell_number(page,
                             page_number(page, report_summary_number(page, row, "block_m"), 0));
            page_cell_number(page,
                             page_number(page, report_summary_number(page, row, "n_segments"), 0));
            page_cell_number(page,
                             page_number(page, report_summary_number(page, row, "n_effective"), 1));
            page_cell_number(
                page, page_number(page, report_summary_number(page, row, "decorrelation_m"), 0));
            page_cell_number(page,
                             page_share(page, report_summary_number(page, row, "share_time"), 1));
            page_cell_number(page, page_km(page, report_summary_number(page, row, "km_grey")));
            page_row_end(page);
        }
    }
    page_table_end(page);
}

static void run_table(Page *page)
{
    const ReportTable *meta = report_table(page->data, "meta");
    page_table(page, tr(page, "This run"), "What|Value");
    for (size_t i = 0; i < meta->n_rows; i++) {
        page_row(page);
        page_row_head(page, report_text(meta, i, "key"));
        page_raw(page, "<td class=\"code\">");
        page_text(page, report_text(meta, i, "value"));
        page_raw(page, "</td>");
        page_row_end(page);
    }
    page_table_end(page);
}

void report_section_method(Page *page)
{
    page_raw(page, "<section id=\"method\" aria-labelledby=\"h-method\"><h2 id=\"h-method\">");
    page_text(page, tr(page, "Method"));
    page_raw(page, "</h2>\n");
    if (g_strcmp0(report_meta(page->data, "pooled"), "1") == 0) {
        page_raw(page, "<p class=\"warn\">");
        page_text(page, tr(page, "Antennas on the roof and in the cabin were put together, as was "
                                 "asked for: the figures hold for the mixture only."));
        page_raw(page, "</p>\n");
    }
    page_raw(page, "<p>");
    page_text(
        page,
        g_strcmp0(report_meta(page->data, "outdoor"), "1") == 0
            ? tr(page, "Levels were corrected to an isotropic antenna outdoors by what is known "
                       "of each source (see Modems and antennas).")
            : tr(page, "Levels are as the modem reported them, with its antenna where it was: "
                       "not corrected to an antenna outdoors."));
    page_raw(page, "</p>\n");
    thresholds_table(page);
    formulas(page);
    uncertainty_table(page);
    run_table(page);
    page_raw(page, "</section>\n");
}
