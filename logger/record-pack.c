/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/record-pack.h"

#include <string.h>

/* In front of each record. */
typedef struct {
    guint32 kind;
    guint32 length; /* of struct and texts */
} Head;

static const char *text_at(const void *record, const RecordColumn *column)
{
    const char *text = NULL;
    memcpy(&text, (const char *)record + column->offset, sizeof text);
    return text;
}

void record_pack(GByteArray *run, RecordKind kind, const void *record)
{
    const RecordType *type = record_type(kind);
    guint64 known = 0;
    memcpy(&known, record, sizeof known);
    guint start = run->len;
    Head head = {.kind = (guint32)kind};
    g_byte_array_append(run, (const guint8 *)&head, sizeof head);
    g_byte_array_append(run, record, (guint)type->size);
    for (unsigned c = 0; c < type->n_columns; c++) {
        const RecordColumn *column = &type->columns[c];
        /* -fanalyzer: what is known of a record is the first of it, whatever its kind */
        if (column->type != COLUMN_TEXT || ((known >> c) & 1U) == 0)
            continue;
        const char *text = text_at(record, column);
        if (text == NULL)
            text = "";
        g_byte_array_append(run, (const guint8 *)text, (guint)strlen(text) + 1);
    }
    head.length = run->len - start - (guint32)sizeof head;
    memcpy(run->data + start, &head, sizeof head);
}

gboolean record_unpack(GByteArray *run, gsize *at, RecordKind *kind, AnyRecord *record)
{
    Head head;
    if (*at + sizeof head > run->len)
        return FALSE;
    memcpy(&head, run->data + *at, sizeof head);
    const RecordType *type = record_type((RecordKind)head.kind);
    const guint8 *body = run->data + *at + sizeof head;
    memcpy(record, body, type->size);
    guint64 known = 0;
    memcpy(&known, record, sizeof known);
    const char *text = (const char *)body + type->size;
    for (unsigned c = 0; c < type->n_columns; c++) {
        const RecordColumn *column = &type->columns[c];
        if (column->type != COLUMN_TEXT || ((known >> c) & 1U) == 0)
            continue;
        memcpy((char *)record + column->offset, &text, sizeof text);
        text += strlen(text) + 1;
    }
    *kind = (RecordKind)head.kind;
    *at += sizeof head + head.length;
    return TRUE;
}

static size_t column_size(const RecordColumn *column)
{
    static const size_t sizes[] = {[COLUMN_INT] = sizeof(int64_t),
                                   [COLUMN_REAL] = sizeof(double),
                                   [COLUMN_TEXT] = sizeof(char *),
                                   [COLUMN_ENUM] = sizeof(int)};
    return sizes[column->type];
}

static gboolean is_same(const RecordColumn *column, const void *a, const void *b)
{
    if (column->type == COLUMN_TEXT)
        return g_strcmp0(text_at(a, column), text_at(b, column)) == 0;
    return memcmp((const char *)a + column->offset, (const char *)b + column->offset,
                  column_size(column)) == 0;
}

gboolean record_pack_over(GByteArray *packed, RecordKind kind, const void *record)
{
    const RecordType *type = record_type(kind);
    AnyRecord merged;
    gsize at = 0;
    RecordKind was = kind;
    guint64 known = 0;
    memcpy(&known, record, sizeof known);
    g_return_val_if_fail(record_unpack(packed, &at, &was, &merged) && was == kind, FALSE);
    guint64 merged_known = 0;
    memcpy(&merged_known, &merged, sizeof merged_known);
    gboolean changed = FALSE;
    for (unsigned c = 0; c < type->n_columns; c++) {
        const RecordColumn *column = &type->columns[c];
        if (((known >> c) & 1U) == 0 ||
            (((merged_known >> c) & 1U) != 0 && is_same(column, &merged, record)))
            continue;
        memcpy((char *)&merged + column->offset, (const char *)record + column->offset,
               column_size(column));
        merged_known |= UINT64_C(1) << c;
        changed = TRUE;
    }
    if (!changed)
        return FALSE;
    memcpy(&merged, &merged_known, sizeof merged_known);
    g_autoptr(GByteArray) whole = g_byte_array_new(); /* texts still point into the old one */
    record_pack(whole, kind, &merged);
    g_byte_array_set_size(packed, 0);
    g_byte_array_append(packed, whole->data, whole->len);
    return TRUE;
}
