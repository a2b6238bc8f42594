/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/well-formed.h"

#include <expat.h>
#include <json-glib/json-glib.h>
#include <string.h>

void well_formed_utf8(const char *text, gsize length)
{
    const char *end = NULL;
    if (!g_utf8_validate(text, (gssize)length, &end))
        g_error("no UTF-8 behind byte %zu: %.200s", (size_t)(end - text), text);
}

/* ---- CSV ---- */

/* One field; NULL if quotes are not closed. `after` is what follows it. */
static const char *csv_field(const char *at, GString *field, const char **after)
{
    g_string_truncate(field, 0);
    if (*at != '"') {
        gsize n = strcspn(at, ",\"\r\n");
        g_string_append_len(field, at, (gssize)n);
        *after = at + n;
        return field->str;
    }
    for (at++; *at != '\0'; at++) {
        if (*at == '"' && at[1] != '"') {
            *after = at + 1;
            return field->str;
        }
        at += *at == '"' ? 1 : 0;
        g_string_append_c(field, *at);
    }
    return NULL;
}

void well_formed_csv(const char *text, guint n, gsize rows, WellFormedField field, gpointer data)
{
    g_autoptr(GString) value = g_string_new(NULL);
    gsize row = 0;
    for (const char *at = text; *at != '\0'; row++)
        for (guint column = 0; column < n; column++) {
            if (csv_field(at, value, &at) == NULL || *at != (column + 1 < n ? ',' : '\n'))
                g_error("row %zu, field %u ends wrongly: %.80s", (size_t)row, column, at);
            at++;
            if (field != NULL && row > 0)
                field(row - 1, column, value->str, data);
        }
    g_assert_cmpuint(row, ==, rows + 1);
}

/* ---- JSON ---- */

static JsonParser *parse_json(const char *text, gsize length)
{
    JsonParser *parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    if (!json_parser_load_from_data(parser, text, (gssize)length, &error))
        g_error("no JSON: %s: %.400s", error->message, text);
    return parser;
}

void well_formed_json(const char *text, gsize length)
{
    g_autoptr(JsonParser) parser = parse_json(text, length);
    g_assert_nonnull(json_parser_get_root(parser));
}

void well_formed_geojson(const char *text, gsize length, gsize features)
{
    g_autoptr(JsonParser) parser = parse_json(text, length);
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    g_assert_cmpstr(json_object_get_string_member(root, "type"), ==, "FeatureCollection");
    JsonArray *array = json_object_get_array_member(root, "features");
    g_assert_cmpuint(json_array_get_length(array), ==, features);
    for (guint i = 0; i < features; i++) {
        JsonObject *feature = json_array_get_object_element(array, i);
        g_assert_true(JSON_NODE_HOLDS_OBJECT(json_object_get_member(feature, "properties")));
        g_assert_true(json_object_has_member(feature, "geometry"));
    }
}

/* ---- XML ---- */

typedef struct {
    const char *name;
    gsize found;
} Count;

static void XMLCALL count_element(void *data, const XML_Char *name, const XML_Char **attributes)
{
    Count *count = data;
    (void)attributes;
    count->found += strcmp(name, count->name) == 0 ? 1 : 0;
    g_assert_null(strstr(name, WELL_FORMED_FORGED));
}

gsize well_formed_xml(const char *text, gsize length, const char *name)
{
    Count count = {.name = name};
    XML_Parser parser = XML_ParserCreate(NULL);
    XML_SetUserData(parser, &count);
    XML_SetStartElementHandler(parser, count_element);
    if (XML_Parse(parser, text, (int)length, XML_TRUE) != XML_STATUS_OK)
        g_error("no XML: line %lu: %s: %.400s", XML_GetCurrentLineNumber(parser),
                XML_ErrorString(XML_GetErrorCode(parser)), text);
    XML_ParserFree(parser);
    return count.found;
}

/* ---- HTML ---- */

static gboolean is_one_of(const char *const *words, const char *text, gsize length)
{
    for (gsize i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == length && strncmp(words[i], text, length) == 0)
            return TRUE;
    return FALSE;
}

/* Behind the entity. */
static const char *entity(const char *at)
{
    static const char *const known[] = {"amp", "lt", "gt", "quot", "#39", "nbsp", NULL};
    gsize n = strcspn(at + 1, ";<>\"& ");
    if (at[1 + n] != ';' || !is_one_of(known, at + 1, n))
        g_error("no entity: %.80s", at);
    return at + n + 2;
}

/* Behind the attributes, at '>'. */
static const char *attributes(const char *at)
{
    while (*at == ' ') {
        gsize n = strspn(++at, "abcdefghijklmnopqrstuvwxyzB0123456789-"); /* viewBox */
        if (n == 0 || (n > 2 && g_str_has_prefix(at, "on")))
            g_error("no attribute of ours: %.80s", at);
        at += n;
        if (*at != '=')
            continue; /* selected */
        g_assert_cmpint(at[1], ==, '"');
        for (at += 2; *at != '"';) {
            if (*at == '\0' || *at == '<' || *at == '>')
                g_error("an attribute is not closed: %.80s", at);
            at = *at == '&' ? entity(at) : at + 1;
        }
        at++;
    }
    if (*at != '>' && strncmp(at, "/>", 2) != 0)
        g_error("no end of a tag: %.80s", at);
    return at;
}

/* Behind the tag; elements that are open are in `open`, by their names' first bytes. */
static const char *tag(const char *at, GPtrArray *open)
{
    static const char *const names[] = {
        "a",      "b",        "br",   "caption", "code",     "dd",     "details",
        "div",    "dl",       "dt",   "em",      "fieldset", "figure", "figcaption",
        "h2",     "h3",       "h4",   "img",     "input",    "label",  "legend",
        "li",     "noscript", "ol",   "option",  "p",        "script", "section",
        "select", "small",    "span", "strong",  "summary",  "svg",    "path",
        "text",   "title",    "g",    "rect",    "line",     "table",  "tbody",
        "td",     "tfoot",    "th",   "thead",   "tr",       "ul",     NULL};
    static const char *const empty[] = {"br", "img", "input", NULL};
    gboolean closes = at[1] == '/';
    const char *name = at + (closes ? 2 : 1);
    gsize n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
    if (!is_one_of(names, name, n))
        g_error("no element of ours: %.80s", at);
    const char *end = closes ? name + n : attributes(name + n);
    if (*end == '/')
        return end + 2;
    g_assert_cmpint(*end, ==, '>');
    if (closes) {
        const char *last = open->len > 0 ? g_ptr_array_index(open, open->len - 1) : "";
        if (strncmp(last, name, n) != 0 || g_ascii_isalnum(last[n]))
            g_error("closed in another order: %.80s after %.20s", at, last);
        g_ptr_array_set_size(open, (gint)open->len - 1);
    } else if (!is_one_of(empty, name, n)) {
        g_ptr_array_add(open, (gpointer)(guintptr)name);
    }
    if (!closes && strncmp(name, "script ", 7) == 0) { /* its text is no HTML: data, as JSON */
        const char *stop = strstr(end, "</script>");
        g_assert_nonnull(stop);
        well_formed_json(end + 1, (gsize)(stop - end - 1));
        return stop;
    }
    return end + 1;
}

void well_formed_html(const char *text)
{
    g_autoptr(GPtrArray) open = g_ptr_array_new();
    for (const char *at = text; *at != '\0';) {
        if (*at == '<')
            at = tag(at, open);
        else if (*at == '&')
            at = entity(at);
        else if ((guchar)*at < ' ' && *at != '\n')
            g_error("a control character: %.80s", at);
        else
            at++;
    }
    if (open->len > 0)
        g_error("not closed: %.40s", (const char *)g_ptr_array_index(open, open->len - 1));
}
