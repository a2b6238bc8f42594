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
