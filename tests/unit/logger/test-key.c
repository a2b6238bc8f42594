/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/key.h"

#include <glib/gstdio.h>
#include <string.h>

/* RFC 4231, test cases 1 and 2 (HMAC-SHA-256), truncated to 128 bits. */
static void test_vectors(void)
{
    uint8_t bytes[20], mac[KEY_MAC_SIZE];
    memset(bytes, 0x0b, sizeof bytes);
    static const uint8_t one[] = {0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53,
                                  0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b, 0xf1, 0x2b};
    static const uint8_t two[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
                                  0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7};
    g_autoptr(Key) first = key_new(bytes, sizeof bytes);
    key_mac(first, "Hi There", 8, mac);
    g_assert_true(memcmp(mac, one, sizeof one) == 0);
    g_autoptr(Key) second = key_new("Jefe", 4);
    const char *text = "what do ya want for nothing?";
    for (int i = 0; i < 2; i++) { /* a key serves many messages */
        key_mac(second, text, strlen(text), mac);
        g_assert_true(memcmp(mac, two, sizeof two) == 0);
    }
    g_assert_true(key_check(second, text, strlen(text), mac));
    mac[15] ^= 1;
    g_assert_false(key_check(second, text, strlen(text), mac));
}

static void test_files(void)
{
    static const struct {
        const char *text;
        unsigned mode;
        int code; /* -1 = good */
    } rows[] = {
        {"000102030405060708090a0b0c0d0e0f\n", 0640, -1},
        {"000102030405060708090A0B0C0D0E0F", 0600, -1},
        {"000102030405060708090a0b0c0d0e0f\n", 0644, KEY_ERROR_OPEN},
        {"000102030405060708090a0b0c0d0e\n", 0600, KEY_ERROR_FORMAT},
        {"000102030405060708090a0b0c0d0e0f0\n", 0600, KEY_ERROR_FORMAT},
        {"zz0102030405060708090a0b0c0d0e0f\n", 0600, KEY_ERROR_FORMAT},
        {"", 0600, KEY_ERROR_FORMAT},
    };
    g_autofree char *folder = g_dir_make_tmp("key-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "key", NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_true(g_file_set_contents(path, rows[i].text, -1, NULL));
        g_assert_cmpint(g_chmod(path, rows[i].mode), ==, 0);
        g_autoptr(Key) key = key_load(path, &error);
        if (rows[i].code < 0) {
            g_assert_no_error(error);
            g_assert_nonnull(key);
        } else {
            g_assert_error(error, KEY_ERROR, rows[i].code);
            g_assert_null(key);
        }
    }
    g_unlink(path);
    g_autoptr(GError) error = NULL;
    g_assert_null(key_load(path, &error));
    g_assert_error(error, KEY_ERROR, KEY_ERROR_FILE);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/key/vectors", test_vectors);
    g_test_add_func("/key/files", test_files);
    return g_test_run();
}
