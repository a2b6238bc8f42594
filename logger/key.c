/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/key.h"

#include <string.h>
#include <sys/stat.h>

G_DEFINE_QUARK(corridor - key - error - quark, key_error)

struct Key {
    GHmac *keyed; /* the key already mixed in; copied for each message */
};

Key *key_new(const void *bytes, size_t length)
{
    Key *key = g_new0(Key, 1);
    key->keyed = g_hmac_new(G_CHECKSUM_SHA256, bytes, length);
    return key;
}

void key_free(Key *key)
{
    if (!key)
        return;
    g_hmac_unref(key->keyed);
    g_free(key);
}

Key *key_load(const char *path, GError **error)
{
    struct stat status;
    gboolean there = stat(path, &status) == 0;
    if (there && !S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
        g_set_error(error, KEY_ERROR, KEY_ERROR_FILE, "%s: a key is a file", path);
        return NULL;
    }
    if (there && (status.st_mode & S_IRWXO) != 0) {
        g_set_error(error, KEY_ERROR, KEY_ERROR_OPEN,
                    "%s: others may read this key; use chmod 0640", path);
        return NULL;
    }
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GError) cause = NULL;
    if (!g_file_get_contents(path, &text, &length, &cause)) {
        g_set_error(error, KEY_ERROR, KEY_ERROR_FILE, "cannot read the key: %s", cause->message);
        return NULL;
    }
    g_strchomp(text);
    length = strlen(text);
    if (length % 2 != 0 || length / 2 < KEY_MIN_SIZE ||
        strspn(text, "0123456789abcdefABCDEF") != length) {
        g_set_error(error, KEY_ERROR, KEY_ERROR_FORMAT,
                    "%s: a key is one line of at least %d hexadecimal digits; make one with "
                    "`openssl rand -hex 32`",
                    path, KEY_MIN_SIZE * 2);
        return NULL;
    }
    for (size_t i = 0; i < length / 2; i++)
        text[i] =
            (char)(g_ascii_xdigit_value(text[2 * i]) << 4 | g_ascii_xdigit_value(text[2 * i + 1]));
    Key *key = key_new(text, length / 2);
    explicit_bzero(text, length);
    return key;
}

void key_mac(const Key *key, const void *data, size_t length, uint8_t mac[KEY_MAC_SIZE])
{
    uint8_t digest[32];
    gsize size = sizeof digest;
    GHmac *hmac = g_hmac_copy(key->keyed);
    g_hmac_update(hmac, data, (gssize)length);
    g_hmac_get_digest(hmac, digest, &size);
    g_hmac_unref(hmac);
    memcpy(mac, digest, KEY_MAC_SIZE);
}

gboolean key_check(const Key *key, const void *data, size_t length, const uint8_t mac[KEY_MAC_SIZE])
{
    uint8_t expected[KEY_MAC_SIZE];
    unsigned differs = 0;
    key_mac(key, data, length, expected);
    for (int i = 0; i < KEY_MAC_SIZE; i++)
        differs |= (unsigned)(expected[i] ^ mac[i]);
    return differs == 0;
}
