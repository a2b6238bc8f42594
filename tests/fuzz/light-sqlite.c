/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation. Under AddressSanitizer a block of memory costs more than most of what SQLite
 * does with it: two stack traces, the wait of freed blocks in quarantine. So blocks are cut here
 * from larger ones, by powers of two, and what the sanitizer must not let pass is marked by hand:
 * the head of a block, what lies behind its last byte, and all of it while it is free. A free block
 * is used again only after all others of its size.
 */
#include "tests/fuzz/light-sqlite.h"

#include <glib.h>
#include <sqlite3.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#define HIDE(address, n) ASAN_POISON_MEMORY_REGION(address, n)
#define SHOW(address, n) ASAN_UNPOISON_MEMORY_REGION(address, n)
#else
#define HIDE(address, n) ((void)(address), (void)(n))
#define SHOW(address, n) ((void)(address), (void)(n))
#endif

enum { SMALLEST = 5, LARGEST = 20, HOARD = 1 << 20, USED = 0x75736564, FREED = 0x66726565 };

/* In front of each block; hidden, but while this file looks at it. */
typedef struct Head {
    guint32 state;
    guint32 power; /* of two: the size with its head */
    union {
        guint64 size; /* in use */
        struct Head *next;
    } is;
} Head;

static Head *first[LARGEST + 1], *last[LARGEST + 1];
static char *hoard;
static gsize hoard_left;

static Head *head_of(void *block)
{
    Head *head = (Head *)block - 1;
    SHOW(head, sizeof *head);
    return head;
}

static Head *cut(guint power)
{
    const gsize size = (gsize)1 << power;
    if (hoard_left < size) {
        hoard = g_malloc(HOARD); /* never given back */
        hoard_left = HOARD;
        HIDE(hoard, HOARD);
    }
    Head *head = (Head *)(void *)hoard;
    hoard += size;
    hoard_left -= size;
    SHOW(head, sizeof *head);
    head->power = power;
    return head;
}

static void *take(int n)
{
    const gsize size = (gsize)n;
    guint power = SMALLEST;
    while (((gsize)1 << power) < size + sizeof(Head))
        power++;
    Head *head = NULL;
    if (power > LARGEST) {
        head = g_try_malloc(size + sizeof(Head));
        if (head == NULL)
            return NULL;
        head->power = power;
    } else if ((head = first[power]) != NULL) {
        SHOW(head, sizeof *head);
        g_assert_true(head->state == FREED);
        first[power] = head->is.next;
    } else {
        head = cut(power);
    }
    head->state = USED;
    head->is.size = size;
    SHOW(head + 1, size);
    HIDE(head, sizeof *head);
    return head + 1;
}

static void give(void *block)
{
    if (block == NULL)
        return;
    Head *head = head_of(block);
    g_assert_true(head->state == USED);
    const guint power = head->power;
    if (power > LARGEST) {
        g_free(head);
        return;
    }
    head->state = FREED;
    head->is.next = NULL;
    if (first[power] == NULL) {
        first[power] = head;
    } else {
        SHOW(last[power], sizeof(Head));
        last[power]->is.next = head;
        HIDE(last[power], sizeof(Head));
    }
    last[power] = head;
    HIDE(head, (gsize)1 << power);
}

static int size_of(void *block)
{
    if (block == NULL)
        return 0;
    Head *head = head_of(block);
    const int size = (int)head->is.size;
    HIDE(head, sizeof *head);
    return size;
}

static void *take_again(void *block, int n)
{
    const int before = size_of(block);
    void *other = take(n);
    if (other == NULL)
        return NULL;
    memcpy(other, block, (gsize)MIN(before, n));
    give(block);
    return other;
}

static int round_up(int n)
{
    return (n + 7) & ~7;
}

static int start(void *data)
{
    (void)data;
    return SQLITE_OK;
}

static void stop(void *data)
{
    (void)data;
}

/* In place of GLib's: chunks are then encoded where they are made, without a thread for each
 * input. */
guint g_get_num_processors(void)
{
    return 1;
}

void light_sqlite(void)
{
    static const sqlite3_mem_methods heap = {take,     give,  take_again, size_of,
                                             round_up, start, stop,       NULL};
    static gboolean done;
    if (done)
        return;
    done = TRUE;
    g_assert_cmpint(sqlite3_config(SQLITE_CONFIG_SINGLETHREAD), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_config(SQLITE_CONFIG_MALLOC, &heap), ==, SQLITE_OK);
    /* One lock from the first statement to the end, and the index of a -wal file in memory. */
    sqlite3_vfs *alone = sqlite3_vfs_find("unix-excl");
    g_assert_nonnull(alone);
    g_assert_cmpint(sqlite3_vfs_register(alone, 1), ==, SQLITE_OK);
}
