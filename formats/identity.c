/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/identity.h"

#include "formats/file-replace.h"

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

static gboolean write_key(const Identity *identity, const char *path, int *code)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        *code = errno;
        return FALSE;
    }
    errno = 0;
    gboolean ok = write(fd, identity->key, KEY_SIZE) == KEY_SIZE && fsync(fd) == 0;
    *code = errno;
    return close(fd) == 0 && ok;
}

/* Whole or not at all: a power cut at the first start must not leave half a key, with which no
 * later start would go on. Two loggers that start at once never overwrite each other's. */
static gboolean make_key(Identity *identity, const char *path, GError **error)
{
    if (getrandom(identity->key, KEY_SIZE, 0) != KEY_SIZE)
        return fail(error, path, "no random numbers for a key", errno);
    g_autofree char *beside = file_replace_name_beside(path);
    int code = 0;
    gboolean done = FALSE;
    if (write_key(identity, beside, &code))
        done = file_replace_rename_new(beside, path, error);
    else
        fail(error, path, "the key of the hashes cannot be made", code != 0 ? code : EIO);
    if (!done)
        (void)unlink(beside);
    return done;
}

typedef enum { KEY_READ, KEY_ABSENT, KEY_FAILED } KeyState;

static KeyState read_key(Identity *identity, const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return KEY_ABSENT;
    if (fd < 0) {
        fail(error, path, "the key of the hashes cannot be read", errno);
        return KEY_FAILED;
    }
    guint8 bytes[KEY_SIZE + 1];
    ssize_t n = read(fd, bytes, sizeof bytes);
    (void)close(fd);
    /* An empty file has hashed nothing: it is no key that could be lost. */
    if (n == 0 && unlink(path) == 0)
        return KEY_ABSENT;
    if (n != KEY_SIZE) {
        fail(error, path, "no key of hashes", 0);
        return KEY_FAILED;
    }
    memcpy(identity->key, bytes, KEY_SIZE);
    return KEY_READ;
}

Identity *identity_open(const char *key_path, GError **error)
{
    g_autoptr(Identity) identity = g_new0(Identity, 1);
    identity->clear = key_path == NULL;
    if (identity->clear)
        return g_steal_pointer(&identity);
    for (;;) {
        KeyState state = read_key(identity, key_path, error);
        if (state == KEY_READ)
            return g_steal_pointer(&identity);
        if (state == KEY_FAILED)
            return NULL;
        g_autoptr(GError) local = NULL;
        if (make_key(identity, key_path, &local))
            return g_steal_pointer(&identity);
        if (!g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_EXIST)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return NULL;
        }
    }
}

void identity_free(Identity *identity)
{
    if (identity == NULL)
        return;
    explicit_bzero(identity->key, KEY_SIZE);
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
