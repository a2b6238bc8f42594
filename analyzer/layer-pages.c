/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. Leaves of all tables, and the pages on which long rows run on, are numbered
 * from 0 in the order in which they are full. They wait in memory, or in the nameless file when
 * they are many. At the end they follow the file's own pages, so that number i becomes a page
 * number by adding; the page at 1 GiB, where SQLite's locks are, is left out. Only then are the
 * interior pages made, of which a table's root, which is there already, is the uppermost.
 */
#include "analyzer/layer-pages.h"

#include "analyzer/layer-record.h"
#include "analyzer/layer.h"
#include "formats/page-format.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

enum {
    WAITING_BYTES = 4 << 20,
    LEAF_HEADER = 8, /* 1.6 */
    INTERIOR_HEADER = 12,
    MOST_CHILD_BYTES = 2 + 4 + LAYER_VARINT_BYTES, /* pointer, page number, key */
    LOCK_BYTE = 1 << 30,                           /* 1.5 */
    AT_PAGE_SIZE = 16,                             /* 1.3 */
    AT_RESERVED = 20,
    AT_CHANGES = 24,
    AT_PAGE_COUNT = 28,
    AT_VALID_FOR = 92,
};

typedef struct {
    uint32_t page; /* number from 0 of a leaf; page number of an interior page */
    gint64 last_key;
} Child;

/* Where a page number is to be put once it is known. */
typedef struct {
    uint32_t page, to; /* numbers from 0 */
    uint32_t at;       /* byte in the page */
} Link;

typedef struct {
    char *name;
    uint8_t *page;  /* the leaf being filled */
    guint n_cells;  /* in it */
    guint content;  /* where they begin: they grow downwards */
    GArray *links;  /* Link, of the leaf being filled */
    GArray *leaves; /* Child */
    gint64 last_key;
} Table;

struct LayerPages {
    char *path, *told;
    guint page_size;
    GPtrArray *tables;
    GByteArray *waiting; /* the last pages, `written` bytes stand in the nameless file before */
    int64_t written;
    uint32_t n_pages;
    GArray *links; /* Link */
    int spool;     /* the nameless file, -1: none yet */
    int file;      /* -1 until the end */
    uint32_t base; /* pages of the file before */
};

static void table_free(void *data)
{
    Table *table = data;
    g_free(table->name);
    g_free(table->page);
    g_array_unref(table->links);
    g_array_unref(table->leaves);
    g_free(table);
}

LayerPages *layer_pages_new(const char *path, guint page_size, const char *told)
{
    LayerPages *pages = g_new0(LayerPages, 1);
    pages->path = g_strdup(path);
    pages->told = g_strdup(told);
    pages->page_size = page_size;
    pages->tables = g_ptr_array_new_with_free_func(table_free);
    pages->waiting = g_byte_array_new();
    pages->links = g_array_new(FALSE, FALSE, sizeof(Link));
    pages->spool = pages->file = -1;
    return pages;
}

void layer_pages_free(LayerPages *pages)
{
    if (pages == NULL)
        return;
    if (pages->spool >= 0)
        (void)close(pages->spool);
    if (pages->file >= 0)
        (void)close(pages->file);
    g_ptr_array_unref(pages->tables);
    g_byte_array_unref(pages->waiting);
    g_array_unref(pages->links);
    g_free(pages->path);
    g_free(pages->told);
    g_free(pages);
}

static gboolean fail(const LayerPages *pages, const char *why, GError **error)
{
    g_set_error(error, LAYER_ERROR, LAYER_ERROR_FAILED, "%s: cannot be written: %s", pages->told,
                why);
    return FALSE;
}

static gboolean write_at(const LayerPages *pages, int fd, const void *data, size_t n, int64_t at,
                         GError **error)
{
    const uint8_t *from = data;
    while (n > 0) {
        ssize_t done = pwrite(fd, from, n, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return fail(pages, g_strerror(done < 0 ? errno : ENOSPC), error);
        from += done;
        at += done;
        n -= (size_t)done;
    }
    return TRUE;
}

static void put_u16(uint8_t *to, guint value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put_u32(uint8_t *to, uint32_t value)
{
    put_u16(to, value >> 16);
    put_u16(to + 2, value & 0xffff);
}

/* ---- pages in the order in which they are full ---- */

static gboolean open_spool(LayerPages *pages, GError **error)
{
    g_autofree char *name = g_strconcat(pages->path, ".rows-XXXXXX", NULL);
    pages->spool = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (pages->spool < 0)
        return fail(pages, g_strerror(errno), error);
    (void)unlink(name);
    return TRUE;
}

static gboolean emit(LayerPages *pages, const uint8_t *page, uint32_t *number, GError **error)
{
    if (pages->waiting->len >= WAITING_BYTES) {
        if (pages->spool < 0 && !open_spool(pages, error))
            return FALSE;
        if (!write_at(pages, pages->spool, pages->waiting->data, pages->waiting->len,
                      pages->written, error))
            return FALSE;
        pages->written += pages->waiting->len;
        g_byte_array_set_size(pages->waiting, 0);
    }
    if (pages->n_pages >= G_MAXINT32)
        return fail(pages, "too many rows", error);
    g_byte_array_append(pages->waiting, page, pages->page_size);
    *number = pages->n_pages++;
    return TRUE;
}

static void begin_leaf(const LayerPages *pages, Table *table)
{
    memset(table->page, 0, pages->page_size);
    table->page[0] = PAGE_TABLE_LEAF;
    table->n_cells = 0;
    table->content = pages->page_size;
    g_array_set_size(table->links, 0);
}

guint layer_pages_table(LayerPages *pages, const char *name)
{
    Table *table = g_new0(Table, 1);
    table->name = g_strdup(name);
    table->page = g_malloc(pages->page_size);
    table->links = g_array_new(FALSE, FALSE, sizeof(Link));
    table->leaves = g_array_new(FALSE, FALSE, sizeof(Child));
    begin_leaf(pages, table);
    g_ptr_array_add(pages->tables, table);
    return pages->tables->len - 1;
}

static void end_cells(uint8_t *page, guint n_cells, guint content)
{
    put_u16(page + 3, n_cells);
    put_u16(page + 5, content & 0xffff); /* 65536 is written as 0 */
}

static gboolean close_leaf(LayerPages *pages, Table *table, GError **error)
{
    Child child = {.last_key = table->last_key};
    end_cells(table->page, table->n_cells, table->content);
    if (!emit(pages, table->page, &child.page, error))
        return FALSE;
    for (guint i = 0; i < table->links->len; i++) {
        Link link = g_array_index(table->links, Link, i);
        link.page = child.page;
        g_array_append_val(pages->links, link);
    }
    g_array_append_val(table->leaves, child);
    begin_leaf(pages, table);
    return TRUE;
}

/* The rest of a long row, page after page; *first is the number of the first one. */
static gboolean run_on(LayerPages *pages, const uint8_t *rest, size_t n, uint32_t *first,
                       GError **error)
{
    g_autofree uint8_t *page = g_malloc(pages->page_size);
    *first = pages->n_pages;
    for (size_t room = pages->page_size - 4, some; n > 0; rest += some, n -= some) {
        uint32_t number;
        some = MIN(n, room);
        memset(page, 0, pages->page_size);
        memcpy(page + 4, rest, some);
        if (!emit(pages, page, &number, error))
            return FALSE;
        if (n > some) {
            Link link = {.page = number, .to = number + 1, .at = 0};
            g_array_append_val(pages->links, link);
        }
    }
    return TRUE;
}

gboolean layer_pages_add(LayerPages *pages, guint number, gint64 key, const uint8_t *record,
                         size_t n, GError **error)
{
    Table *table = g_ptr_array_index(pages->tables, number);
    uint8_t head[2 * LAYER_VARINT_BYTES];
    size_t n_head = layer_varint(head, n);
    n_head += layer_varint(head + n_head, (uint64_t)key);
    size_t local = page_local_size(n, pages->page_size, FALSE);
    size_t cell = n_head + local + (local < n ? 4 : 0);
    if (table->content < LEAF_HEADER + 2 * (table->n_cells + 1) + cell &&
        !close_leaf(pages, table, error))
        return FALSE;
    table->content -= (guint)cell;
    uint8_t *to = table->page + table->content;
    memcpy(to, head, n_head);
    memcpy(to + n_head, record, local);
    put_u16(table->page + LEAF_HEADER + 2 * (gsize)table->n_cells++, table->content);
    table->last_key = key;
    if (local == n)
        return TRUE;
    Link link = {.at = table->content + (guint)(n_head + local)};
    if (!run_on(pages, record + local, n - local, &link.to, error))
        return FALSE;
    g_array_append_val(table->links, link);
    return TRUE;
}

/* ---- into the file ---- */

static uint32_t page_number(const LayerPages *pages, uint32_t number)
{
    uint32_t lock = (uint32_t)LOCK_BYTE / pages->page_size + 1;
    uint32_t page = pages->base + 1 + number;
    return pages->base < lock && page >= lock ? page + 1 : page;
}

static int64_t place_of(const LayerPages *pages, uint32_t page)
{
    return (int64_t)(page - 1) * pages->page_size;
}

/* A page with n children, the last of which stands in its header. */
static void fill_interior(const LayerPages *pages, uint8_t *page, const Child *child, guint n)
{
    guint content = pages->page_size;
    memset(page, 0, pages->page_size);
    page[0] = PAGE_TABLE_INTERIOR;
    for (guint i = 0; i + 1 < n; i++) {
        uint8_t cell[4 + LAYER_VARINT_BYTES];
        put_u32(cell, child[i].page);
        guint size = 4 + (guint)layer_varint(cell + 4, (uint64_t)child[i].last_key);
        content -= size;
        memcpy(page + content, cell, size);
        put_u16(page + INTERIOR_HEADER + 2 * (gsize)i, content);
    }
    end_cells(page, n - 1, content);
    put_u32(page + 8, child[n - 1].page);
}

/* Puts pages above the children until one is enough, which is left in `page`. */
static gboolean build_tree(LayerPages *pages, GArray *children, uint8_t *page, GError **error)
{
    guint most = (pages->page_size - INTERIOR_HEADER) / MOST_CHILD_BYTES;
    while (children->len > most) {
        g_autoptr(GArray) above = g_array_new(FALSE, FALSE, sizeof(Child));
        /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): a page of 512 bytes holds a child */
        guint n = (children->len + most - 1) / most;
        for (guint i = 0; i < n; i++) { /* evenly: none is left with a single child */
            guint from = (guint)((guint64)children->len * i / n);
            guint to = (guint)((guint64)children->len * (i + 1) / n);
            Child up = {.last_key = g_array_index(children, Child, to - 1).last_key};
            fill_interior(pages, page, &g_array_index(children, Child, from), to - from);
            if (!emit(pages, page, &up.page, error))
                return FALSE;
            up.page = page_number(pages, up.page);
            g_array_append_val(above, up);
        }
        g_array_set_size(children, 0);
        g_array_append_vals(children, above->data, above->len);
    }
    fill_interior(pages, page, (const Child *)(const void *)children->data, children->len);
    return TRUE;
}

static gboolean write_root(LayerPages *pages, Table *table, uint32_t root, GError **error)
{
    if (table->leaves->len == 0) { /* one page is enough */
        for (guint i = 0; i < table->links->len; i++) {
            const Link *link = &g_array_index(table->links, Link, i);
            put_u32(table->page + link->at, page_number(pages, link->to));
        }
        end_cells(table->page, table->n_cells, table->content);
        return write_at(pages, pages->file, table->page, pages->page_size, place_of(pages, root),
                        error);
    }
    if (!close_leaf(pages, table, error))
        return FALSE;
    for (guint i = 0; i < table->leaves->len; i++) {
        Child *leaf = &g_array_index(table->leaves, Child, i);
        leaf->page = page_number(pages, leaf->page);
    }
    return build_tree(pages, table->leaves, table->page, error) &&
           write_at(pages, pages->file, table->page, pages->page_size, place_of(pages, root),
                    error);
}

/* Root pages of the tables, in their order; checks that the file is what the pages are made for. */
static gboolean find_roots(const LayerPages *pages, uint32_t *root, GError **error)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *find = NULL;
    gboolean found = sqlite3_open_v2(pages->path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
                     sqlite3_prepare_v2(
                         db, "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?",
                         -1, &find, NULL) == SQLITE_OK;
    for (guint i = 0; found && i < pages->tables->len; i++) {
        const Table *table = g_ptr_array_index(pages->tables, i);
        (void)sqlite3_bind_text(find, 1, table->name, -1, SQLITE_STATIC);
        found = sqlite3_step(find) == SQLITE_ROW;
        root[i] = (uint32_t)sqlite3_column_int64(find, 0);
        (void)sqlite3_reset(find);
    }
    if (!found)
        fail(pages, "a table is not there", error);
    sqlite3_finalize(find);
    (void)sqlite3_close(db);
    return found;
}

static gboolean open_file(LayerPages *pages, uint8_t header[PAGE_FILE_HEADER_SIZE], GError **error)
{
    pages->file = open(pages->path, O_RDWR | O_CLOEXEC);
    if (pages->file < 0 ||
        pread(pages->file, header, PAGE_FILE_HEADER_SIZE, 0) != PAGE_FILE_HEADER_SIZE)
        return fail(pages, g_strerror(errno), error);
    pages->base = page_u32(header + AT_PAGE_COUNT);
    if (page_u16(header + AT_PAGE_SIZE) != pages->page_size || header[AT_RESERVED] != 0 ||
        lseek(pages->file, 0, SEEK_END) != (int64_t)pages->base * pages->page_size)
        return fail(pages, "its pages are unlike those expected", error);
    return TRUE;
}

static gboolean append(LayerPages *pages, uint32_t from, const uint8_t *data, uint32_t n,
                       GError **error)
{
    while (n > 0) { /* in one piece, unless the page of the locks lies between */
        uint32_t first = page_number(pages, from), piece = n;
        while (page_number(pages, from + piece - 1) != first + piece - 1)
            piece = piece > 1 ? piece - 1 : 1;
        size_t bytes = (size_t)piece * pages->page_size;
        if (!write_at(pages, pages->file, data, bytes, place_of(pages, first), error))
            return FALSE;
        data += bytes;
        from += piece;
        n -= piece;
    }
    return TRUE;
}

static gboolean append_all(LayerPages *pages, GError **error)
{
    g_autofree uint8_t *buffer = pages->written > 0 ? g_malloc(WAITING_BYTES) : NULL;
    for (int64_t at = 0; at < pages->written;) {
        size_t wanted = (size_t)MIN(pages->written - at, WAITING_BYTES);
        for (size_t got = 0; got < wanted;) {
            ssize_t some = pread(pages->spool, buffer + got, wanted - got, at + (int64_t)got);
            if (some < 0 && errno == EINTR)
                continue;
            if (some <= 0)
                return fail(pages, g_strerror(some < 0 ? errno : EIO), error);
            got += (size_t)some;
        }
        if (!append(pages, (uint32_t)(at / pages->page_size), buffer,
                    (uint32_t)(wanted / pages->page_size), error))
            return FALSE;
        at += (int64_t)wanted;
    }
    return append(pages, (uint32_t)(pages->written / pages->page_size), pages->waiting->data,
                  pages->waiting->len / pages->page_size, error);
}

gboolean layer_pages_finish(LayerPages *pages, GError **error)
{
    uint8_t header[PAGE_FILE_HEADER_SIZE], number[4];
    g_autofree uint32_t *root = g_new0(uint32_t, MAX(pages->tables->len, 1));
    if (!find_roots(pages, root, error) || !open_file(pages, header, error))
        return FALSE;
    for (guint i = 0; i < pages->tables->len; i++)
        if (!write_root(pages, g_ptr_array_index(pages->tables, i), root[i], error))
            return FALSE;
    if (!append_all(pages, error))
        return FALSE;
    for (guint i = 0; i < pages->links->len; i++) {
        const Link *link = &g_array_index(pages->links, Link, i);
        put_u32(number, page_number(pages, link->to));
        if (!write_at(pages, pages->file, number, sizeof number,
                      place_of(pages, page_number(pages, link->page)) + link->at, error))
            return FALSE;
    }
    if (pages->n_pages > 0)
        put_u32(header + AT_PAGE_COUNT, page_number(pages, pages->n_pages - 1));
    put_u32(header + AT_CHANGES, page_u32(header + AT_CHANGES) + 1);
    put_u32(header + AT_VALID_FOR, page_u32(header + AT_CHANGES));
    if (!write_at(pages, pages->file, header, sizeof header, 0, error))
        return FALSE;
    gboolean closed = close(pages->file) == 0;
    pages->file = -1;
    return closed || fail(pages, g_strerror(errno), error);
}
