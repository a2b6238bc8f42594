/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/corridor-report.h"
#include "analyzer/report-page.h"

#include <gio/gio.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- the catalogue ---- */

static guint32 word_at(const guint8 *bytes, gsize at)
{
    guint32 value = 0;
    memcpy(&value, bytes + at, sizeof value);
    return GUINT32_FROM_LE(value);
}

/* Reads gettext's compiled catalogue (GNU gettext manual, "The Format of GNU MO Files"). It is
 * built in, so that the language of a report does not depend on the locales of the machine. */
GHashTable *report_words(const char *language)
{
    GHashTable *words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *path = g_strdup_printf("/corridor/report/%s.mo", language);
    g_autoptr(GBytes) mo = g_resource_lookup_data(corridor_report_get_resource(), path,
                                                  G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    gsize size = 0;
    const guint8 *bytes = mo != NULL ? g_bytes_get_data(mo, &size) : NULL;
    if (size < 28 || word_at(bytes, 0) != 0x950412de)
        return words;
    guint32 n = word_at(bytes, 8);
    gsize originals = word_at(bytes, 12);
    gsize translations = word_at(bytes, 16);
    for (gsize i = 0; i < n; i++) {
        const char *key = (const char *)bytes + word_at(bytes, originals + 8 * i + 4);
        gsize length = word_at(bytes, translations + 8 * i);
        const char *text = (const char *)bytes + word_at(bytes, translations + 8 * i + 4);
        if (*key == '\0')
            continue;
        g_hash_table_insert(words, g_strdup(key), g_strdup(text));
        /* "one\0many": the plural stands behind its own English */
        gsize first = strlen(text) + 1;
        if (first < length)
            g_hash_table_insert(words, g_strdup(key + strlen(key) + 1), g_strdup(text + first));
    }
    return words;
}

const char *tr(const Page *page, const char *english)
{
    const char *text = g_hash_table_lookup(page->words, english);
    return text != NULL ? text : english;
}

/* What the default profile says, so that the catalogues have it. */
static const char *const titles[] = {
    W("Corridor default"),
    W("Any service at all"),
    W("4G/5G usable (RSRP at least -105 dBm)"),
    W("4G/5G strong (RSRP at least -95 dBm)"),
    W("5G (SS-RSRP at least -110 dBm)"),
    W("Round trip at most 100 ms"),
    W("At most 1 % of packets lost"),
    W("Online meeting works"),
    W("Download at least 8 Mbit/s"),
    W("chosen by the project"),
    W("chosen by the project: registered in a network, the rest is for few samples only"),
    W("chosen by the project: service on most of the segment"),
    W("chosen by the project: ladder -95 strong, -105 usable, -115 outdoors only"),
    W("chosen by the project: the typical level of the segment, as a mean level per square"),
    W("Microsoft Teams, network performance targets from client to Microsoft edge"),
    W("Microsoft Teams, network performance targets: loss in any 15 s"),
    W("Microsoft Teams targets (green) and Call Quality Dashboard (not poor: yellow)"),
    W("ARCEP, use threshold for video since 2023"),
};

const char *tr_title(const Page *page, const char *title)
{
    for (guint i = 0; title != NULL && i < G_N_ELEMENTS(titles); i++)
        if (strcmp(titles[i], title) == 0)
            return tr(page, titles[i]);
    return title;
}

const char *tr_count(const Page *page, const char *one, const char *many, double n)
{
    return tr(page, fabs(n - 1) < 1e-9 ? one : many);
}

/* ---- escaping ---- */

/* Valid UTF-8 without control characters. */
static char *clean(const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    for (char *c = valid; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    return valid;
}

void escape_html(GString *out, const char *text)
{
    g_autofree char *valid = clean(text);
    for (const char *c = valid; *c != '\0'; c++) {
        switch (*c) {
        case '&':
            g_string_append(out, "&amp;");
            break;
        case '<':
            g_string_append(out, "&lt;");
            break;
        case '>':
            g_string_append(out, "&gt;");
            break;
        case '"':
            g_string_append(out, "&quot;");
            break;
        case '\'':
            g_string_append(out, "&#39;");
            break;
        default:
            g_string_append_c(out, *c);
        }
    }
}

void escape_json(GString *out, const char *text)
{
    g_autofree char *valid = clean(text);
    g_string_append_c(out, '"');
    for (const char *c = valid; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_c(out, '\\');
        if (*c == '<' || *c == '>' || *c == '&') /* nothing ends the script element */
            g_string_append_printf(out, "\\u%04x", (unsigned)*c);
        else
            g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
}

void page_raw(Page *page, const char *markup)
{
    g_string_append(page->out, markup);
}

void page_text(Page *page, const char *text)
{
    if (text != NULL)
        escape_html(page->out, text);
}

/* Fills {1}, {2} … of `pattern`; each piece goes through `piece`. */
static void fill(GString *out, const char *pattern, const char *const *args, guint n_args,
                 gboolean html, gboolean bold)
{
    const char *from = pattern;
    while (*from != '\0') {
        const char *to = from;
        while (*to != '\0' && !(to[0] == '{' && g_ascii_isdigit(to[1]) && to[2] == '}'))
            to++;
        g_autofree char *piece = g_strndup(from, (gsize)(to - from));
        if (html)
            escape_html(out, piece);
        else
            g_string_append(out, piece);
        if (*to == '\0')
            return;
        guint index = (guint)(to[1] - '1');
        const char *value = index < n_args ? args[index] : "";
        if (bold)
            g_string_append(out, "<b>");
        if (html)
            escape_html(out, value);
        else
            g_string_append(out, value);
        if (bold)
            g_string_append(out, "</b>");
        from = to + 3;
    }
}

static guint collect(va_list list, const char **args)
{
    guint n = 0;
    const char *arg = NULL;
    while (n < 9 && (arg = va_arg(list, const char *)) != NULL)
        args[n++] = arg;
    return n;
}

void page_say(Page *page, const char *english, ...)
{
    const char *args[9];
    va_list list;
    va_start(list, english);
    guint n = collect(list, args);
    va_end(list);
    fill(page->out, tr(page, english), args, n, TRUE, TRUE);
}

void page_say_plain(Page *page, const char *english, ...)
{
    const char *args[9];
    va_list list;
    va_start(list, english);
    guint n = collect(list, args);
    va_end(list);
    fill(page->out, tr(page, english), args, n, TRUE, FALSE);
}

const char *page_fill(Page *page, const char *english, ...)
{
    const char *args[9];
    va_list list;
    va_start(list, english);
    guint n = collect(list, args);
    va_end(list);
    g_autoptr(GString) text = g_string_new(NULL);
    fill(text, tr(page, english), args, n, FALSE, FALSE);
    return g_string_chunk_insert(page->scratch, text->str);
}

/* ---- numbers and dates ---- */

#define NBSP "\u00a0"

const char *page_number(Page *page, double value, int decimals)
{
    if (!isfinite(value))
        return "–";
    gboolean swedish = strcmp(page->language, "sv") == 0;
    char plain[64];
    char format[8];
    (void)snprintf(format, sizeof format, "%%.%df", CLAMP(decimals, 0, 6));
    (void)g_ascii_formatd(plain, sizeof plain, format, fabs(value));
    const char *point = strchr(plain, '.');
    size_t whole = point != NULL ? (size_t)(point - plain) : strlen(plain);
    g_autoptr(GString) text = g_string_new(NULL);
    if (value < 0 && strspn(plain, "0.") != strlen(plain))
        g_string_append(text, "\u2212");
    for (size_t i = 0; i < whole; i++) {
        if (i > 0 && whole > 4 && (whole - i) % 3 == 0)
            g_string_append(text, swedish ? NBSP : ",");
        g_string_append_c(text, plain[i]);
    }
    if (point != NULL) {
        g_string_append_c(text, swedish ? ',' : '.');
        g_string_append(text, point + 1);
    }
    return g_string_chunk_insert_const(page->scratch, text->str);
}

const char *page_share(Page *page, double share, int decimals)
{
    if (!isfinite(share))
        return "–";
    g_autofree char *text = g_strconcat(page_number(page, share * 100, decimals),
                                        strcmp(page->language, "sv") == 0 ? NBSP "%" : "%", NULL);
    return g_string_chunk_insert_const(page->scratch, text);
}

const char *page_interval(Page *page, double low, double high)
{
    if (!isfinite(low) || !isfinite(high))
        return "–";
    g_autofree char *text =
        g_strconcat(page_number(page, low * 100, 1), "–", page_share(page, high, 1), NULL);
    return g_string_chunk_insert_const(page->scratch, text);
}

const char *page_km(Page *page, double km)
{
    return page_number(page, km, fabs(km) >= 100 ? 1 : 2);
}

static const char *const months_en[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
static const char *const months_sv[] = {"januari",   "februari", "mars",     "april",
                                        "maj",       "juni",     "juli",     "augusti",
                                        "september", "oktober",  "november", "december"};

const char *page_date(Page *page, const char *time)
{
    int year = 0;
    int month = 0;
    int day = 0;
    if (time == NULL || sscanf(time, "%4d-%2d-%2d", &year, &month, &day) != 3 || month < 1 ||
        month > 12)
        return "–";
    const char *const *names = strcmp(page->language, "sv") == 0 ? months_sv : months_en;
    g_autofree char *text = g_strdup_printf("%d" NBSP "%s %d", day, names[month - 1], year);
    return g_string_chunk_insert_const(page->scratch, text);
}

const char *page_moment(Page *page, const char *time)
{
    const char *clock = time != NULL ? strchr(time, 'T') : NULL;
    if (clock == NULL || strlen(clock) < 6)
        return page_date(page, time);
    g_autofree char *text = g_strdup_printf("%s %.5s" NBSP "UTC", page_date(page, time), clock + 1);
    return g_string_chunk_insert_const(page->scratch, text);
}

/* Words that corridor analyze writes, with what people read. */
static const struct {
    const char *key, *english;
} labels[] = {
    {"(any)", W("any operator")},
    {"(all)", W("all operators")},
    {"(other)", W("outside corridors")},
    {"covered", W("covered")},
    {"not covered", W("not covered")},
    {"uncertain", W("uncertain")},
    {"not measured", W("not measured")},
    {"roof", W("antenna on the roof")},
    {"cabin", W("antenna in the cabin")},
    {"unknown", W("place of antenna unknown")},
    {"pooled", W("roof and cabin together")},
    {"clear", W("clear")},
    {"level", W("few samples, level far from the threshold")},
    {"no service", W("no service")},
    {"too few samples", W("too few samples")},
    {"too few passes", W("too few passes")},
    {"too few days", W("too few days")},
    {"mixed", W("mixed")},
    {"near threshold", W("near the threshold")},
    {"no level", W("no level")},
    {"not tested", W("not tested")},
    {"no sample", W("no sample")},
    {"none", W("no service")},
    {"works", W("works")},
    {"degraded", W("degraded")},
    {"fails", W("fails")},
    {"blocks", W("resampling of blocks")},
    {"drives", W("resampling of drives")},
    {"wilson", W("Wilson")},
    {"confirmed", W("confirmed")},
    {"contradicted", W("contradicted")},
    {"not decided", W("not decided")},
    {"down", W("down")},
    {"up", W("up")},
};

const char *page_label(const Page *page, const char *label)
{
    if (label == NULL)
        return "–";
    for (guint i = 0; i < G_N_ELEMENTS(labels); i++)
        if (strcmp(labels[i].key, label) == 0)
            return tr(page, labels[i].english);
    return label;
}

/* ---- tables ---- */

void page_table(Page *page, const char *caption, const char *headings)
{
    page_raw(page, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"");
    page_text(page, caption);
    g_auto(GStrv) names = g_strsplit(tr(page, headings), "|", -1);
    page_raw(page, g_strv_length(names) > 7 ? "\"><table class=\"dense\"><caption><span>"
                                            : "\"><table><caption><span>");
    page_text(page, caption);
    page_raw(page, "</span></caption><thead><tr>");
    for (guint i = 0; names[i] != NULL; i++) {
        gboolean number = names[i][0] == '#';
        page_raw(page, number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">");
        page_text(page, names[i] + (number ? 1 : 0));
        page_raw(page, "</th>");
    }
    page_raw(page, "</tr></thead><tbody>\n");
}

void page_row(Page *page)
{
    page_raw(page, "<tr>");
}

void page_row_head(Page *page, const char *text)
{
    page_raw(page, "<th scope=\"row\">");
    page_text(page, text);
    page_raw(page, "</th>");
}

void page_cell(Page *page, const char *text)
{
    page_raw(page, "<td>");
    page_text(page, text != NULL ? text : "–");
    page_raw(page, "</td>");
}

void page_cell_number(Page *page, const char *number)
{
    page_raw(page, "<td class=\"n\">");
    page_text(page, number);
    page_raw(page, "</td>");
}

void page_row_end(Page *page)
{
    page_raw(page, "</tr>\n");
}

void page_table_end(Page *page)
{
    page_raw(page, "</tbody></table></div>\n");
}
