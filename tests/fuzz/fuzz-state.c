/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the logger keeps in files of its own, and what answers at its socket: the first byte
 * chooses, the rest is the content. A used-up budget does not come back, a key is read or refused,
 * a status becomes a table or an error.
 */
#include "formats/identity.h"
#include "logger/budget.h"
#include "logger/key.h"
#include "logger/status.h"

#include "tests/fuzz/scratch.h"

#include <glib/gstdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 2026-05-04, noon */
#define NOW_NS (G_GINT64_CONSTANT(1777896000) * 1000000000)

enum { LIMIT = 1000000000, USED = 7000 };

static void budget(const uint8_t *data, size_t size)
{
    g_autofree char *path = scratch_path("budget");
    scratch_write(path, data, size);
    g_autoptr(Budget) budget = budget_new(path, LIMIT, LIMIT, NOW_NS);
    const guint64 before = budget_used_today(budget), month = budget_used_month(budget);
    g_assert_cmpint(budget_left(budget), <=, LIMIT);
    (void)budget_count(budget, 100, 100, NOW_NS);
    (void)budget_count(budget, 100 + USED, 100, NOW_NS);
    g_assert_cmpuint(budget_used_today(budget), >=, MAX(before, (guint64)USED));
    g_assert_cmpuint(budget_used_month(budget), >=, MAX(month, (guint64)USED));
    g_assert_cmpint(budget_left(budget), <=, LIMIT - USED);
    /* What is written promises no less than what was used. */
    const guint64 used = budget_used_today(budget);
    g_autofree char *text = budget_text(budget);
    scratch_write(path, text, strlen(text));
    g_autoptr(Budget) again = budget_new(path, LIMIT, LIMIT, NOW_NS);
    g_assert_cmpuint(budget_used_today(again), >=, used);
    g_assert_cmpint(budget_left(again), <=, LIMIT - USED);
}

static void check(gboolean done, const GError *error)
{
    g_assert_true(done == (error == NULL));
    g_assert_true(error == NULL || strchr(error->message, '\n') == NULL);
}

static void key(const uint8_t *data, size_t size)
{
    g_autofree char *path = scratch_path("key");
    scratch_write(path, data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(Key) key = key_load(path, &error);
    check(key != NULL, error);
    uint8_t mac[KEY_MAC_SIZE];
    if (key != NULL)
        key_mac(key, data, size, mac);
    g_assert_true(key == NULL || key_check(key, data, size, mac));
}

static void identity(const uint8_t *data, size_t size)
{
    g_autofree char *path = scratch_path("identity");
    scratch_write(path, data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(Identity) identity = identity_open(path, &error);
    check(identity != NULL, error);
    g_autofree char *hash = identity != NULL ? identity_hash(identity, "240010123456789") : NULL;
    g_assert_true(hash == NULL || strlen(hash) == 32);
}

static void status(const uint8_t *data, size_t size)
{
    g_autofree char *json = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autofree char *table = status_table(json, &error);
    check(table != NULL, error);
    g_assert_true(table == NULL || g_utf8_validate(table, -1, NULL));
    for (const char *at = table; at != NULL && *at != '\0'; at++)
        g_assert_true((guchar)*at >= ' ' || *at == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(const uint8_t *, size_t) = {budget, key, identity, status};
    (void)g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    if (size > 0)
        ways[data[0] % G_N_ELEMENTS(ways)](data + 1, size - 1);
    return 0;
}
