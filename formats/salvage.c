/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/salvage.h"

#include "formats/page-format.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

enum {
    USUAL_PAGE_SIZE = 4096, /* of drives; used where neither header nor pages tell */
    GUESSED_FROM = 4 << 20, /* bytes that are looked at for it */
    WAL_HEADER_SIZE = 32,
    FRAME_HEADER_SIZE = 24,
    MAX_PAYLOAD = 64 * 1024 * 1024,
};

struct Salvage {
    GMappedFile *main, *wal;
    const guint8 *bytes;
    gsize length;
    guint32 page_size, usable, pages;
    GHashTable *frames; /* page number -> offset of its bytes in the -wal file */
    guint8 *last_page;  /* a copy, filled up with zeros, if the file ends within a page */
    guint32 last_page_number, last_page_length;
    GByteArray *payload;
    guint64 budget; /* bytes of long values still to be gathered, see gather() */
};

/* 1.3: 1 stands for 65536. */
static guint32 valid_page_size(guint32 stored)
{
    guint32 size = stored == 1 ? 65536 : stored;
    return size >= 512 && size <= 65536 && (size & (size - 1)) == 0 ? size : 0;
}

/* ---- the size of pages, where the header does not tell ---- */

/* 1.6: whether a page of rows could begin here: its cells lie behind each other, within it. */
static gboolean could_be_leaf(const guint8 *bytes, guint32 page_size)
{
    enum { HEADER = 8 };
    const guint32 cells = page_u16(bytes + 3);
    const guint32 content = page_u16(bytes + 5) == 0 ? 65536 : page_u16(bytes + 5);
    if ((bytes[0] != PAGE_TABLE_LEAF && bytes[0] != PAGE_INDEX_LEAF) || content > page_size ||
        cells > (page_size - HEADER) / 2 || content < HEADER + 2 * cells)
        return FALSE;
    for (guint32 i = 0; i < cells; i++) {
        const guint32 at = page_u16(bytes + HEADER + 2 * (gsize)i);
        if (at < content || at + 4 > page_size)
            return FALSE;
    }
    return cells > 0 || content == page_size;
}

/* The size with which most pages could be leaves: with twice the size every second one is passed
 * over, with half of it their cells lie outside. */
static guint32 guess_page_size(const guint8 *bytes, gsize length)
{
    length = MIN(length, GUESSED_FROM);
    guint32 best = USUAL_PAGE_SIZE;
    guint most = 0;
    for (guint32 size = 512; size <= 65536; size *= 2) {
        guint leaves = 0;
        for (gsize at = size; at + size <= length; at += size)
            leaves += could_be_leaf(bytes + at, size) ? 1 : 0;
        if (leaves > most) {
            most = leaves;
            best = size;
        }
    }
    return best;
}

/* ---- the -wal file: 4 ---- */

static void add_checksum(const guint8 *p, gsize n, gboolean big, guint32 sum[2])
{
    for (gsize i = 0; i + 8 <= n; i += 8) {
        guint32 a = 0;
        guint32 b = 0;
        memcpy(&a, p + i, 4);
        memcpy(&b, p + i + 4, 4);
        sum[0] += (big ? GUINT32_FROM_BE(a) : GUINT32_FROM_LE(a)) + sum[1];
        sum[1] += (big ? GUINT32_FROM_BE(b) : GUINT32_FROM_LE(b)) + sum[0];
    }
}

/* Frames up to the last commit whose checksums hold. */
static void load_wal(Salvage *salvage)
{
    const guint8 *wal = (const guint8 *)g_mapped_file_get_contents(salvage->wal);
    gsize length = g_mapped_file_get_length(salvage->wal);
    if (wal == NULL || length < WAL_HEADER_SIZE || (page_u32(wal) & ~1U) != 0x377f0682U)
        return;
    gboolean big = (page_u32(wal) & 1U) != 0;
    guint32 page_size = valid_page_size(page_u32(wal + 8));
    guint32 sum[2] = {0, 0};
    add_checksum(wal, 24, big, sum);
    if (page_size == 0 || sum[0] != page_u32(wal + 24) || sum[1] != page_u32(wal + 28))
        return;
    salvage->page_size = page_size;
    g_autoptr(GHashTable) pending = g_hash_table_new(g_direct_hash, g_direct_equal);
    const gsize frame_size = FRAME_HEADER_SIZE + page_size;
    for (gsize at = WAL_HEADER_SIZE; length - at >= frame_size; at += frame_size) {
        const guint8 *frame = wal + at;
        if (memcmp(frame + 8, wal + 16, 8) != 0)
            break;
        add_checksum(frame, 8, big, sum);
        add_checksum(frame + FRAME_HEADER_SIZE, page_size, big, sum);
        if (sum[0] != page_u32(frame + 16) || sum[1] != page_u32(frame + 20))
            break;
        g_hash_table_insert(pending, GUINT_TO_POINTER(page_u32(frame)),
                            GSIZE_TO_POINTER(at + FRAME_HEADER_SIZE));
        if (page_u32(frame + 4) == 0)
            continue;
        salvage->pages = page_u32(frame + 4);
        GHashTableIter iter;
        gpointer page = NULL;
        gpointer bytes = NULL;
        g_hash_table_iter_init(&iter, pending);
        while (g_hash_table_iter_next(&iter, &page, &bytes))
            g_hash_table_insert(salvage->frames, page, bytes);
        g_hash_table_remove_all(pending);
    }
}

Salvage *salvage_open(const char *path, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(Salvage) salvage = g_new0(Salvage, 1);
    salvage->frames = g_hash_table_new(g_direct_hash, g_direct_equal);
    salvage->payload = g_byte_array_new();
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR, "%s: is a folder; name one drive",
                    path);
        return NULL;
    }
    salvage->main = g_mapped_file_new(path, FALSE, &local);
    if (salvage->main == NULL) {
        const gboolean absent = local->code == G_FILE_ERROR_NOENT;
        g_set_error(
            error, G_FILE_ERROR, local->code, "%s: %s%s", path,
            absent ? "there is no such file" : "cannot be read: ", absent ? "" : local->message);
        return NULL;
    }
    salvage->bytes = (const guint8 *)g_mapped_file_get_contents(salvage->main);
    salvage->length = g_mapped_file_get_length(salvage->main);
    const gboolean has_header = salvage->length >= PAGE_FILE_HEADER_SIZE &&
                                memcmp(salvage->bytes, "SQLite format 3", 16) == 0;
    salvage->page_size = has_header ? valid_page_size(page_u16(salvage->bytes + 16)) : 0;
    if (salvage->page_size == 0)
        salvage->page_size = guess_page_size(salvage->bytes, salvage->length);
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    salvage->wal = g_mapped_file_new(wal, FALSE, NULL);
    guint32 before = salvage->page_size;
    if (salvage->wal != NULL)
        load_wal(salvage);
    if (salvage->page_size != before && salvage->pages == 0)
        salvage->page_size = before;
    guint32 reserved = has_header ? salvage->bytes[20] : 0;
    salvage->usable = salvage->page_size - (salvage->page_size - reserved >= 480 ? reserved : 0);
    gsize whole = salvage->length / salvage->page_size;
    gsize rest = salvage->length % salvage->page_size;
    if (rest > 0) {
        salvage->last_page = g_malloc0(salvage->page_size);
        memcpy(salvage->last_page, salvage->bytes + whole * salvage->page_size, rest);
        salvage->last_page_number = (guint32)whole + 1;
        salvage->last_page_length = (guint32)rest;
    }
    guint32 stored = (guint32)MIN(whole + (rest > 0 ? 1 : 0), (gsize)G_MAXINT32);
    /* The -wal file may tell of pages that are in neither file any more. */
    guint32 most = stored + g_hash_table_size(salvage->frames);
    salvage->pages = salvage->pages > 0 ? MIN(MAX(salvage->pages, stored), most) : stored;
    salvage->budget = 4 * (guint64)salvage->pages * salvage->page_size + MAX_PAYLOAD;
    return g_steal_pointer(&salvage);
}

void salvage_free(Salvage *salvage)
{
    if (salvage == NULL)
        return;
    g_clear_pointer(&salvage->main, g_mapped_file_unref);
    g_clear_pointer(&salvage->wal, g_mapped_file_unref);
    g_hash_table_unref(salvage->frames);
    g_byte_array_unref(salvage->payload);
    g_free(salvage->last_page);
    g_free(salvage);
}

guint32 salvage_pages(const Salvage *salvage)
{
    return salvage->pages;
}

static const guint8 *page_bytes(const Salvage *salvage, guint32 page)
{
    if (page == 0)
        return NULL;
    gsize frame = GPOINTER_TO_SIZE(g_hash_table_lookup(salvage->frames, GUINT_TO_POINTER(page)));
    if (frame != 0)
        return (const guint8 *)g_mapped_file_get_contents(salvage->wal) + frame;
    if (page == salvage->last_page_number)
        return salvage->last_page;
    return page <= salvage->length / salvage->page_size
               ? salvage->bytes + (gsize)(page - 1) * salvage->page_size
               : NULL;
}

/* Bytes of a page that may be used: fewer where the file ends within it. */
static guint32 page_limit(const Salvage *salvage, guint32 page)
{
    const gboolean cut = page == salvage->last_page_number &&
                         !g_hash_table_contains(salvage->frames, GUINT_TO_POINTER(page));
    return cut ? MIN(salvage->usable, salvage->last_page_length) : salvage->usable;
}

/* ---- b-tree pages: 1.6 ---- */

static guint32 header_at(guint32 page)
{
    return page == 1 ? PAGE_FILE_HEADER_SIZE : 0;
}

SalvagePageKind salvage_page_kind(const Salvage *salvage, guint32 page)
{
    const guint8 *bytes = page_bytes(salvage, page);
    if (bytes == NULL)
        return SALVAGE_OTHER;
    const guint8 *head = bytes + header_at(page);
    gboolean interior = head[0] == PAGE_INDEX_INTERIOR || head[0] == PAGE_TABLE_INTERIOR;
    guint32 cells = page_u16(head + 3);
    if (cells > (salvage->usable - header_at(page) - (interior ? 12U : 8U)) / 2)
        return SALVAGE_OTHER;
    switch (head[0]) {
    case PAGE_INDEX_INTERIOR:
        return SALVAGE_INDEX_INTERIOR;
    case PAGE_TABLE_INTERIOR:
        return SALVAGE_TABLE_INTERIOR;
    case PAGE_INDEX_LEAF:
        return SALVAGE_INDEX_LEAF;
    case PAGE_TABLE_LEAF:
        return SALVAGE_TABLE_LEAF;
    default:
        return SALVAGE_OTHER;
    }
}

static gboolean is_interior(SalvagePageKind kind)
{
    return kind == SALVAGE_TABLE_INTERIOR || kind == SALVAGE_INDEX_INTERIOR;
}

/* Offset of a cell, or 0 if it lies outside the page. */
static guint32 cell_at(const Salvage *salvage, const guint8 *bytes, guint32 page, gboolean interior,
                       guint32 cell)
{
    guint32 pointers = header_at(page) + (interior ? 12U : 8U);
    guint32 at = page_u16(bytes + pointers + 2 * cell);
    guint32 first = pointers + 2 * page_u16(bytes + header_at(page) + 3);
    return at >= first && at + 4 <= page_limit(salvage, page) ? at : 0;
}

guint salvage_children(const Salvage *salvage, guint32 page, GArray *children)
{
    const guint8 *bytes = page_bytes(salvage, page);
    if (bytes == NULL || !is_interior(salvage_page_kind(salvage, page)))
        return 0;
    guint32 cells = page_u16(bytes + header_at(page) + 3);
    guint outside = 0;
    for (guint32 i = 0; i <= cells; i++) {
        guint32 at = i < cells ? cell_at(salvage, bytes, page, TRUE, i) : header_at(page) + 8;
        guint32 child = at != 0 ? page_u32(bytes + at) : 0;
        if (child >= 1 && child <= salvage->pages)
            g_array_append_val(children, child);
        else
            outside++;
    }
    return outside;
}

/* ---- rows ---- */

/* Gathers a payload of `total` bytes, of which `left` stand from `p` on in this page; the rest in a
 * chain of overflow pages (1.6, "payload"). FALSE if nothing fits together; *whole says whether
 * all of it was there. */
static gboolean gather(Salvage *salvage, const guint8 *p, gsize left, gsize total, gboolean index,
                       gboolean *whole)
{
    const gsize usable = salvage->usable;
    const gsize local = page_local_size(total, usable, index);
    if (local + (total > local ? 4 : 0) > left)
        return FALSE;
    g_byte_array_set_size(salvage->payload, 0);
    g_byte_array_append(salvage->payload, p, (guint)local);
    guint32 next = total > local ? page_u32(p + local) : 0;
    /* In a sound file each overflow page belongs to one value; in one that was made to keep us busy
     * thousands of rows may share them. */
    if (total > local) {
        if (total > salvage->budget)
            return FALSE;
        salvage->budget -= total;
    }
    while (salvage->payload->len < total) {
        const guint8 *overflow = next <= salvage->pages ? page_bytes(salvage, next) : NULL;
        if (overflow == NULL)
            break;
        gsize n = MIN(total - salvage->payload->len, usable - 4);
        if (n + 4 > page_limit(salvage, next))
            break;
        g_byte_array_append(salvage->payload, overflow + 4, (guint)n);
        next = page_u32(overflow);
    }
    guint had = salvage->payload->len;
    *whole = had == total;
    if (!*whole) {
        g_byte_array_set_size(salvage->payload, (guint)total);
        memset(salvage->payload->data + had, 0, total - had);
    }
    return TRUE;
}

/* 2.1: one value of a serial type. Returns its size, or -1. */
static gssize read_value(gint64 serial, const guint8 *p, gsize left, SalvageValue *value)
{
    const gint64 n = page_value_size(serial);
    const gsize size = (gsize)n;
    if (n < 0 || size > left)
        return -1;
    if (serial == SERIAL_NULL) {
        value->type = SALVAGE_NULL;
    } else if (serial == SERIAL_REAL) {
        guint64 bits = (guint64)page_signed(p, 8);
        value->type = SALVAGE_REAL;
        memcpy(&value->r, &bits, sizeof bits);
    } else if (serial <= SERIAL_ONE) {
        value->type = SALVAGE_INT;
        value->i = size > 0 ? page_signed(p, size) : serial - SERIAL_ZERO;
    } else {
        value->type = serial % 2 == 0 ? SALVAGE_BLOB : SALVAGE_TEXT;
        value->b.bytes = p;
        value->b.length = size;
    }
    return (gssize)size;
}

/* Returns the number of values, 0 if the record makes no sense. */
static guint read_record(const guint8 *p, gsize length, SalvageValue *values)
{
    gint64 header = 0;
    gsize at = page_varint(p, length, &header);
    if (at == 0 || header < (gint64)at || header > (gint64)length)
        return 0;
    gsize body = (gsize)header;
    guint n = 0;
    while (at < (gsize)header) {
        gint64 serial = 0;
        guint step = page_varint(p + at, (gsize)header - at, &serial);
        if (step == 0 || n == SALVAGE_MAX_VALUES)
            return 0;
        gssize size = read_value(serial, p + body, length - body, &values[n]);
        if (size < 0)
            return 0;
        n++;
        at += step;
        body += (gsize)size;
    }
    return body == length ? n : 0;
}

static gboolean read_cell(Salvage *salvage, guint32 page, SalvagePageKind kind, const guint8 *bytes,
                          guint32 at, SalvageRowFunc func, gpointer data)
{
    const gboolean table = kind == SALVAGE_TABLE_LEAF;
    const guint8 *p = bytes + at;
    const guint8 *end = bytes + page_limit(salvage, page);
    gint64 total = 0;
    gint64 rowid = 0;
    if (kind == SALVAGE_INDEX_INTERIOR)
        p += 4;
    guint step = page_varint(p, (gsize)(end - p), &total);
    p += step;
    if (step == 0 || total <= 0 || total > MAX_PAYLOAD)
        return FALSE;
    if (table) {
        step = page_varint(p, (gsize)(end - p), &rowid);
        p += step;
        if (step == 0)
            return FALSE;
    }
    /* Longer than all pages together: no payload, whatever the chain says. */
    gboolean whole = TRUE;
    if ((guint64)total > (guint64)(salvage->pages + 1) * salvage->page_size ||
        !gather(salvage, p, (gsize)(end - p), (gsize)total, !table, &whole))
        return FALSE;
    SalvageValue values[SALVAGE_MAX_VALUES];
    guint n = read_record(salvage->payload->data, salvage->payload->len, values);
    if (n == 0)
        return FALSE;
    func(page, rowid, values, n, whole, data);
    return TRUE;
}

guint salvage_rows(Salvage *salvage, guint32 page, SalvageRowFunc func, gpointer data)
{
    SalvagePageKind kind = salvage_page_kind(salvage, page);
    if (kind == SALVAGE_OTHER || kind == SALVAGE_TABLE_INTERIOR)
        return 0;
    const guint8 *bytes = page_bytes(salvage, page);
    guint32 cells = page_u16(bytes + header_at(page) + 3);
    guint unread = 0;
    for (guint32 i = 0; i < cells; i++) {
        guint32 at = cell_at(salvage, bytes, page, is_interior(kind), i);
        if (at == 0 || !read_cell(salvage, page, kind, bytes, at, func, data))
            unread++;
    }
    return unread;
}

/* 1.5: trunks of the list, each with the numbers of free pages. */
void salvage_mark_free(const Salvage *salvage, guint8 *free)
{
    const guint8 *first = page_bytes(salvage, 1);
    if (first == NULL)
        return;
    guint32 trunk = page_u32(first + 32);
    while (trunk >= 1 && trunk <= salvage->pages && free[trunk] == 0) {
        const guint8 *bytes = page_bytes(salvage, trunk);
        free[trunk] = 1;
        if (bytes == NULL)
            return;
        guint32 n = page_u32(bytes + 4);
        for (guint32 i = 0; i < n && i < salvage->usable / 4 - 2; i++) {
            guint32 leaf = page_u32(bytes + 8 + 4 * (gsize)i);
            if (leaf >= 1 && leaf <= salvage->pages)
                free[leaf] = 1;
        }
        trunk = page_u32(bytes);
    }
}
