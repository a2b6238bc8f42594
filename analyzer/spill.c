/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/spill.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES 65536U

typedef struct {
    SpillKey key;
    uint64_t n; /* bytes of data after it, padded to 8 in storage */
} Head;

typedef struct {
    int64_t at, end; /* in the file */
} Run;

/* A record in memory, and the beginning of its key as one number. */
typedef struct {
    uint64_t ab, at;
} Place;

struct Spill {
    size_t limit;
    GByteArray *bytes;
    GArray *heads; /* Place */
    GArray *runs;
    int fd; /* -1 until the first run is written */
    int64_t size;
    gboolean is_sorted;
};

static size_t padded(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static int compare(const SpillKey *x, const SpillKey *y)
{
    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    if (x->b != y->b)
        return x->b < y->b ? -1 : 1;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->c != y->c)
        return x->c < y->c ? -1 : 1;
    return (x->d > y->d) - (x->d < y->d);
}

Spill *spill_new(size_t memory_limit)
{
    Spill *spill = g_new0(Spill, 1);
    spill->limit = memory_limit;
    spill->bytes = g_byte_array_new();
    spill->heads = g_array_new(FALSE, FALSE, sizeof(Place));
    spill->runs = g_array_new(FALSE, FALSE, sizeof(Run));
    spill->fd = -1;
    return spill;
}

void spill_free(Spill *spill)
{
    if (spill == NULL)
        return;
    g_byte_array_unref(spill->bytes);
    g_array_unref(spill->heads);
    g_array_unref(spill->runs);
    if (spill->fd >= 0)
        close(spill->fd);
    g_free(spill);
}

/* ---- sorting ---- */

/* Orders by `ab`, byte after byte from the lowest; what is equal keeps its order. Bytes in which
 * all are equal, most of them, are passed over. */
static void sort_by_beginning(GArray *heads)
{
    guint n = heads->len;
    Place *from = (Place *)(void *)heads->data;
    g_autofree Place *other = g_new(Place, n);
    Place *to = other;
    uint64_t differ = 0;
    for (guint i = 1; i < n; i++)
        differ |= from[i].ab ^ from[0].ab;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t start[256] = {0}, sum = 0;
        if ((differ >> shift & 0xff) == 0)
            continue;
        for (guint i = 0; i < n; i++)
            start[from[i].ab >> shift & 0xff]++;
        for (unsigned k = 0; k < 256; k++) {
            size_t count = start[k];
            start[k] = sum;
            sum += count;
        }
        for (guint i = 0; i < n; i++)
            to[start[from[i].ab >> shift & 0xff]++] = from[i];
        Place *swap = from;
        from = to;
        to = swap;
    }
    if (from == other)
        memcpy(heads->data, other, n * sizeof *other);
}

static int compare_at(const uint8_t *bytes, const Place *a, const Place *b)
{
    SpillKey x, y;
    memcpy(&x, bytes + a->at, sizeof x);
    memcpy(&y, bytes + b->at, sizeof y);
    return compare(&x, &y);
}

static int compare_places(const void *a, const void *b, void *bytes)
{
    return compare_at(bytes, a, b);
}

/* Orders what has the same beginning; mostly it came in order. */
static void sort_by_rest(GArray *heads, uint8_t *bytes)
{
    Place *place = (Place *)(void *)heads->data;
    for (guint i = 0, end; i < heads->len; i = end) {
        gboolean is_sorted = TRUE;
        for (end = i + 1; end < heads->len && place[end].ab == place[i].ab; end++)
            is_sorted = is_sorted && compare_at(bytes, &place[end - 1], &place[end]) <= 0;
        if (!is_sorted)
            qsort_r(&place[i], end - i, sizeof *place, compare_places, bytes);
    }
}

static void sort(Spill *spill)
{
    if (!spill->is_sorted && spill->heads->len > 0) {
        sort_by_beginning(spill->heads);
        sort_by_rest(spill->heads, spill->bytes->data);
    }
    spill->is_sorted = TRUE;
}

static gboolean fail(const char *what, GError **error)
{
    int saved = errno;
    g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(saved),
                "temporary file in %s: %s: %s; make room there or set TMPDIR", g_get_tmp_dir(),
                what, g_strerror(saved));
    return FALSE;
}

static gboolean write_all(int fd, const void *data, size_t n, GError **error)
{
    const uint8_t *p = data;
    while (n > 0) {
        ssize_t written = write(fd, p, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail("cannot write", error);
        p += written;
        n -= (size_t)written;
    }
    return TRUE;
}

static gboolean write_run(Spill *spill, GError **error)
{
    if (spill->fd < 0) {
        g_autofree char *name = NULL;
        spill->fd = g_file_open_tmp("corridor-XXXXXX", &name, error);
        if (spill->fd < 0)
            return FALSE;
        g_unlink(name);
    }
    sort(spill);
    g_autoptr(GByteArray) out = g_byte_array_sized_new(1 << 20);
    Run run = {spill->size, spill->size};
    for (guint i = 0; i < spill->heads->len; i++) {
        const uint8_t *p = spill->bytes->data + g_array_index(spill->heads, Place, i).at;
        Head head;
        memcpy(&head, p, sizeof head);
        g_byte_array_append(out, p, (guint)(sizeof head + padded(head.n)));
        if (out->len > 1000000 || i + 1 == spill->heads->len) {
            if (!write_all(spill->fd, out->data, out->len, error))
                return FALSE;
            run.end += out->len;
            g_byte_array_set_size(out, 0);
        }
    }
    spill->size = run.end;
    g_array_append_val(spill->runs, run);
    g_byte_array_set_size(spill->bytes, 0);
    g_array_set_size(spill->heads, 0);
    return TRUE;
}

gboolean spill_add(Spill *spill, const SpillKey *key, const void *data, size_t n, GError **error)
{
    static const uint8_t zero[8] = {0};
    const Head head = {*key, n};
    const guint at = spill->bytes->len;
    Place place = {(uint64_t)key->a << 32 | key->b, at};
    g_array_append_val(spill->heads, place);
    g_byte_array_set_size(spill->bytes, at + (guint)(sizeof head + padded(n)));
    uint8_t *to = spill->bytes->data + at;
    memcpy(to, &head, sizeof head);
    memcpy(to + sizeof head + padded(n) - sizeof zero, zero, n > 0 ? sizeof zero : 0);
    if (n > 0)
        memcpy(to + sizeof head, data, n);
    spill->is_sorted = FALSE;
    return spill->bytes->len < spill->limit || write_run(spill, error);
}

/* ---- merging ---- */

typedef struct {
    const Spill *spill;
    guint next_head; /* of a run in memory */
    Run run;         /* of a run in the file; fd < 0: in memory */
    int fd;
    uint8_t *buffer;
    size_t size, filled, used;
    const uint8_t *record; /* the one at hand; NULL at the end */
    SpillKey key;
} Reader;

struct SpillMerge {
    size_t n;
    Reader *reader;
    guint *heap; /* readers by key, smallest first */
    size_t n_heap;
    gboolean is_begun;
};

static gboolean fill(Reader *r, size_t wanted, GError **error)
{
    if (r->filled - r->used >= wanted)
        return TRUE;
    memmove(r->buffer, r->buffer + r->used, r->filled - r->used);
    r->filled -= r->used;
    r->used = 0;
    if (wanted > r->size) {
        r->size = wanted + READ_BYTES;
        r->buffer = g_realloc(r->buffer, r->size);
    }
    while (r->filled < wanted) {
        size_t ask = (size_t)MIN((int64_t)(r->size - r->filled), r->run.end - r->run.at);
        ssize_t got = pread(r->fd, r->buffer + r->filled, ask, r->run.at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail("cannot read", error);
        r->filled += (size_t)got;
        r->run.at += got;
    }
    return TRUE;
}

static gboolean advance(Reader *r, GError **error)
{
    Head head;
    r->record = NULL;
    if (r->fd < 0) {
        if (r->next_head == r->spill->heads->len)
            return TRUE;
        r->record =
            r->spill->bytes->data + g_array_index(r->spill->heads, Place, r->next_head++).at;
    } else {
        if (r->filled == r->used && r->run.at == r->run.end)
            return TRUE;
        if (!fill(r, sizeof head, error))
            return FALSE;
        memcpy(&head, r->buffer + r->used, sizeof head);
        if (!fill(r, sizeof head + padded(head.n), error))
            return FALSE;
        r->record = r->buffer + r->used;
        r->used += sizeof head + padded(head.n);
    }
    memcpy(&r->key, r->record, sizeof r->key);
    return TRUE;
}

static gboolean before(const SpillMerge *m, guint x, guint y)
{
    return compare(&m->reader[x].key, &m->reader[y].key) < 0;
}

static void sink(SpillMerge *m, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= m->n_heap)
            return;
        if (child + 1 < m->n_heap && before(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (!before(m, m->heap[child], m->heap[i]))
            return;
        guint swap = m->heap[i];
        m->heap[i] = m->heap[child];
        m->heap[child] = swap;
        i = child;
    }
}

SpillMerge *spill_merge(Spill *const *spills, size_t n, GError **error)
{
    g_autoptr(SpillMerge) m = g_new0(SpillMerge, 1);
    size_t readers = 0;
    for (size_t i = 0; i < n; i++)
        readers += spills[i]->runs->len + 1;
    m->reader = g_new0(Reader, MAX(readers, 1));
    m->heap = g_new(guint, MAX(readers, 1));
    for (size_t i = 0; i < n; i++) {
        sort(spills[i]);
        m->reader[m->n++] = (Reader){.spill = spills[i], .fd = -1};
        for (guint r = 0; r < spills[i]->runs->len; r++) {
            m->reader[m->n++] = (Reader){.spill = spills[i],
                                         .run = g_array_index(spills[i]->runs, Run, r),
                                         .fd = spills[i]->fd,
                                         .buffer = g_malloc(READ_BYTES),
                                         .size = READ_BYTES};
        }
    }
    for (guint i = 0; i < m->n; i++) {
        if (!advance(&m->reader[i], error))
            return NULL;
        if (m->reader[i].record != NULL)
            m->heap[m->n_heap++] = i;
    }
    for (size_t i = m->n_heap; i > 0; i--)
        sink(m, i - 1);
    return g_steal_pointer(&m);
}

void spill_merge_free(SpillMerge *merge)
{
    if (merge == NULL)
        return;
    for (size_t i = 0; i < merge->n; i++)
        g_free(merge->reader[i].buffer);
    g_free(merge->reader);
    g_free(merge->heap);
    g_free(merge);
}

const void *spill_next(SpillMerge *m, SpillKey *key, size_t *n, GError **error)
{
    if (m->is_begun && m->n_heap > 0) {
        Reader *r = &m->reader[m->heap[0]];
        if (!advance(r, error))
            return NULL;
        if (r->record == NULL)
            m->heap[0] = m->heap[--m->n_heap];
        sink(m, 0);
    }
    m->is_begun = TRUE;
    if (m->n_heap == 0)
        return NULL;
    const Reader *r = &m->reader[m->heap[0]];
    Head head;
    memcpy(&head, r->record, sizeof head);
    *key = head.key;
    *n = head.n;
    return r->record + sizeof head;
}
