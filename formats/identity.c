/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

G_DEFINE_QUARK(corridor - identity - error, identity_error)

#define KEY_SIZE 32
#define SHOWN    32 /* hex digits */

struct Identity {
    gboolean clear;
    guint8 key[KEY_SIZE];
};

static gboolean fail(GError **error, const char *path, const char *what, int code)
{
    g_set_error(error, IDENTITY_ERROR, IDENTITY_ERROR_FILE, "%s: %s: %s", path, what,
                code != 0 ? g_strerror(code)
                          : "wrong size; restore it, or remove it to start anew");
    return FALSE;
}

/* O_EXCL: two loggers that start at once never overwrite each other's key. */
static gboolean make_key(Identity *identity, const char *path, GError **error)
{
    if (getrandom(identity->key, KEY_SIZE, 0) != KEY_SIZE)
        return fail(error, path, "no random numbers for a key", errno);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(error, path, "the key of the hashes cannot be made", errno);
    gboolean ok = write(fd, identity->key, KEY_SIZE) == KEY_SIZE && fsync(fd) == 0;
    int code = errno;
    if (close(fd) != 0 && ok) {
        ok = FALSE;
        code = errno;
    }
    if (ok)
        return TRUE;
    (void)unlink(path);
    return fail(error, path, "the key of the hashes cannot be written", code);
}

Identity *identity_open(const char *key_path, GError **error)
{
    g_autoptr(Identity) identity = g_new0(Identity, 1);
    if (key_path == NULL) {
        identity->clear = TRUE;
        return g_steal_pointer(&identity);
    }
    int fd = open(key_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT) {
            fail(error, key_path, "the key of the hashes cannot be read", errno);
            return NULL;
        }
        return make_key(identity, key_path, error) ? g_steal_pointer(&identity) : NULL;
    }
    guint8 bytes[KEY_SIZE + 1];
    ssize_t n = read(fd, bytes, sizeof bytes);
    (void)close(fd);
    if (n != KEY_SIZE) {
        fail(error, key_path, "no key of hashes", 0);
        return NULL;
    }
    memcpy(identity->key, bytes, KEY_SIZE);
    return g_steal_pointer(&identity);
}

void identity_free(Identity *identity)
{
    if (identity == NULL)
        return;
    memset(identity->key, 0, KEY_SIZE);
    g_free(identity);
}

char *identity_hash(const Identity *identity, const char *number)
{
    if (number == NULL || *number == '\0')
        return NULL;
    if (identity->clear)
        return g_strdup(number);
    char *hex = g_compute_hmac_for_string(G_CHECKSUM_SHA256, identity->key, KEY_SIZE, number, -1);
    if (hex != NULL)
        hex[SHOWN] = '\0';
    return hex;
}
