/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/report-page.h"

#include <string.h>

/* What `corridor compare` added, and the threshold trains. */

enum { OVERCLAIMS_SHOWN = 30, TESTS_SHOWN = 40, ROWS_SHOWN = 200 };

static gboolean is_by(const ReportTable *table, size_t row, gconstpointer data)
{
    return g_strcmp0(report_text(table, row, "by"), data) == 0;
}

static void reliability_table(Page *page, const ReportTable *table, const char *by)
{
    static const ShowColumn columns[] = {
        {"operator", W("Operator"), SHOW_LABEL, NULL},
        {"area", W("Area"), SHOW_AREA, NULL},
        {"reliability", W("Reliability"), SHOW_SHARE, NULL},
        {"reliability_low", W("95% interval"), SHOW_INTERVAL, "reliability_high"},
        {"missed_share", W("Missed coverage"), SHOW_SHARE, NULL},
        {"tests_effective", W("Independent tests"), SHOW_COUNT, NULL},
        {"decision_98", W("98% of it has the service"), SHOW_LABEL, NULL},
        {"more_tests_98", W("Tests still needed"), SHOW_COUNT, NULL},
        {"decision_95", W("95% of it has the service"), SHOW_LABEL, NULL},
        {"more_tests_95", W("Tests still needed"), SHOW_COUNT, NULL},
    };
    page_columns(page, table, tr(page, "How far the claims can be relied upon"), columns,
                 G_N_ELEMENTS(columns), is_by, by, ROWS_SHOWN);
}

static void four_way_table(Page *page, const ReportTable *table, const char *by)
{
    static const ShowColumn columns[] = {
        {"operator", W("Operator"), SHOW_LABEL, NULL},
        {"area", W("Area"), SHOW_AREA, NULL},
        {"km_claimed_covered", W("Claimed, covered"), SHOW_KM, NULL},
        {"km_claimed_not_covered", W("Claimed, not covered"), SHOW_KM, NULL},
        {"km_claimed_no_service", W("Of it no service at all"), SHOW_KM, NULL},
        {"km_not_claimed_covered", W("Not claimed, covered"), SHOW_KM, NULL},
        {"km_not_claimed_not_covered", W("Not claimed, not covered"), SHOW_KM, NULL},
        {"km_claimed_uncertain", W("Claimed, uncertain"), SHOW_KM, NULL},
        {"km_not_claimed_uncertain", W("Not claimed, uncertain"), SHOW_KM, NULL},
        {"km_claimed_not_measured", W("Claimed, not measured"), SHOW_KM, NULL},
        {"km_not_claimed_not_measured", W("Not claimed, not measured"), SHOW_KM, NULL},
    };
    page_columns(page, table, tr(page, "Claimed and measured, kilometres"), columns,
                 G_N_ELEMENTS(columns), is_by, by, ROWS_SHOWN);
}

static void seconds_table(Page *page, const ReportTable *table)
{
    static const ShowColumn columns[] = {
        {"operator", W("Operator"), SHOW_LABEL, NULL},
        {"area", W("Area"), SHOW_AREA, NULL},
        {"seconds_claimed_covered", W("Claimed, covered"), SHOW_COUNT, NULL},
        {"seconds_claimed_not_covered", W("Claimed, not covered"), SHOW_COUNT, NULL},
        {"seconds_claimed_no_service", W("Of it no service at all"), SHOW_COUNT, NULL},
        {"seconds_not_claimed_covered", W("Not claimed, covered"), SHOW_COUNT, NULL},
        {"seconds_not_claimed_not_covered", W("Not claimed, not covered"), SHOW_COUNT, NULL},
        {"seconds_claimed_uncertain", W("Claimed, uncertain"), SHOW_COUNT, NULL},
        {"seconds_not_claimed_uncertain", W("Not claimed, uncertain"), SHOW_COUNT, NULL},
        {"seconds_no_position", W("Without a position"), SHOW_COUNT, NULL},
    };
    page_columns(page, table, tr(page, "Claimed and measured, seconds"), columns,
                 G_N_ELEMENTS(columns), is_by, "segments", ROWS_SHOWN);
}

static void claims_tables(Page *page)
{
    const ReportTable *table = report_table(page->data, "claim_tables");
    if (table == NULL || table->n_rows == 0)
        return;
    page_raw(page, "<h3>");
    page_text(page, tr(page, "Segment by segment"));
    page_raw(page, "</h3>\n");
    reliability_table(page, table, "segments");
    four_way_table(page, table, "segments");
    page_raw(page, "<details><summary>");
    page_text(page, tr(page, "In squares of 10 m, and in seconds"));
    page_raw(page, "</summary>\n");
    reliability_table(page, table, "squares");
    four_way_table(page, table, "squares");
    seconds_table(page, table);
    page_raw(page, "</details>\n");
}

static void other_tables(Page *page)
{
    static const ShowColumn overs[] = {
        {"rank", W("Rank"), SHOW_COUNT, NULL},
        {"operator", W("Operator"), SHOW_LABEL, NULL},
        {"corridor", W("Corridor"), SHOW_TEXT, NULL},
        {"area", W("Area"), SHOW_TEXT, NULL},
        {"km_from", W("From km"), SHOW_KM, NULL},
        {"km_to", W("To km"), SHOW_KM, NULL},
        {"length_m", W("Length, km"), SHOW_METRES, NULL},
        {"no_service_m", W("Of it no service, km"), SHOW_METRES, NULL},
        {"claimed_level", W("Claimed level, dBm"), SHOW_LEVEL, NULL},
        {"level_p50", W("Median level, dBm"), SHOW_LEVEL, NULL},
        {"n", W("Samples"), SHOW_COUNT, NULL},
        {"link", W("Place"), SHOW_LINK, NULL},
    };
    static const ShowColumn shifts[] = {
        {"operator", W("Operator"), SHOW_LABEL, NULL},
        {"shift_db", W("All levels shifted by, dB"), SHOW_DECIBEL, NULL},
        {"km_measured", W("Measured, km"), SHOW_KM, NULL},
        {"share_covered", W("Share with the service"), SHOW_SHARE, NULL},
        {"km_claimed_measured", W("Claimed and measured, km"), SHOW_KM, NULL},
        {"reliability", W("Reliability"), SHOW_SHARE, NULL},
    };
    static const ShowColumn losses[] = {
        {"operator", W("Operator"), SHOW_LABEL, NULL},
        {"band", W("Band"), SHOW_COUNT, NULL},
        {"segments", W("Segments"), SHOW_COUNT, NULL},
        {"loss_p50", W("Loss, median dB"), SHOW_DECIMAL, NULL},
        {"loss_low", W("95% interval from, dB"), SHOW_DECIMAL, NULL},
        {"loss_high", W("to, dB"), SHOW_DECIMAL, NULL},
        {"loss_p25", W("Quartile, dB"), SHOW_DECIMAL, NULL},
        {"loss_p75", W("Upper quartile, dB"), SHOW_DECIMAL, NULL},
        {"enough", W("Enough data"), SHOW_YES, NULL},
    };
    page_columns(page, report_table(page->data, "overclaims"),
                 tr(page, "Longest stretches claimed but measured without"), overs,
                 G_N_ELEMENTS(overs), NULL, NULL, OVERCLAIMS_SHOWN);
    page_columns(page, report_table(page->data, "claim_sensitivity"),
                 tr(page, "How much the result depends on antenna and vehicle"), shifts,
                 G_N_ELEMENTS(shifts), NULL, NULL, ROWS_SHOWN);
    page_columns(page, report_table(page->data, "vehicle_loss"),
                 tr(page, "Loss of the vehicle, roof against cabin"), losses, G_N_ELEMENTS(losses),
                 NULL, NULL, ROWS_SHOWN);
}

void report_section_claims(Page *page)
{
    if (!report_has_rows(page->data, "claim_tables"))
        return;
    page_raw(page, "<section id=\"claims\" aria-labelledby=\"h-claims\"><h2 id=\"h-claims\">");
    page_text(page, tr(page, "The operators' maps against the measurements"));
    page_raw(page, "</h2>\n<p>");
    page_text(page, tr(page, "Reliability is the share of the claimed and measured length that has "
                             "the service. Missed coverage is the share of the covered length that "
                             "the map does not claim. Whether 98% or 95% of the claimed places "
                             "have the service is an exact test: confirmed, contradicted, or not "
                             "decided by so many independent tests."));
    page_raw(page, "</p>\n");
    claims_tables(page);
    other_tables(page);
    page_raw(page, "</section>\n");
}

/* ---- threshold trains ---- */

static gboolean is_whole(const ReportTable *table, size_t row, gconstpointer data)
{
    (void)data;
    return !(report_number(table, row, "segment") > 0);
}

static gboolean is_piece(const ReportTable *table, size_t row, gconstpointer data)
{
    return !is_whole(table, row, data);
}

void report_section_tests(Page *page)
{
    static const ShowColumn columns[] = {
        {"operator", W("Operator"), SHOW_LABEL, NULL},
        {"corridor", W("Corridor"), SHOW_TEXT, NULL},
        {"km_from", W("From km"), SHOW_KM, NULL},
        {"km_to", W("To km"), SHOW_KM, NULL},
        {"direction", W("Direction"), SHOW_LABEL, NULL},
        {"target_mbps", W("Target, Mbit/s"), SHOW_COUNT, NULL},
        {"n", W("Tests"), SHOW_COUNT, NULL},
        {"reached", W("Reached"), SHOW_COUNT, NULL},
        {"share", W("Share"), SHOW_SHARE, NULL},
        {"low", W("95% interval"), SHOW_INTERVAL, "high"},
    };
    const ReportTable *table = report_table(page->data, "tests");
    if (table == NULL || table->n_rows == 0)
        return;
    page_raw(page, "<section id=\"tests\" aria-labelledby=\"h-tests\"><h2 id=\"h-tests\">");
    page_text(page, tr(page, "Threshold trains"));
    page_raw(page, "</h2>\n<p>");
    page_text(page,
              tr(page, "Short bursts at a fixed rate, every few hundred metres: was this rate "
                       "there, yes or no?"));
    page_raw(page, "</p>\n");
    page_columns(page, table, tr(page, "Whole corridors"), columns, G_N_ELEMENTS(columns), is_whole,
                 NULL, ROWS_SHOWN);
    page_raw(page, "<details><summary>");
    page_text(page, tr(page, "Segment by segment"));
    page_raw(page, "</summary>\n");
    page_columns(page, table, tr(page, "Segments"), columns, G_N_ELEMENTS(columns), is_piece, NULL,
                 TESTS_SHOWN);
    page_raw(page, "</details>\n</section>\n");
}
