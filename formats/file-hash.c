/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/file-hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

enum { PIECE = 64 * 1024 };

static char *failed(const char *path, int number, GError **error)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(number),
                "%s: cannot be read: %s", path, g_strerror(number));
    return NULL;
}

/* OpenSSL rather than GChecksum: it uses the processor's SHA instructions, and every analysis
 * hashes all its drives. */
char *file_hash(const char *path, guint64 *bytes, GError **error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return failed(path, errno, error);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    gboolean ok = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    g_autofree guint8 *piece = g_malloc(PIECE);
    guint64 total = 0;
    gsize n = 0;
    while (ok && (n = fread(piece, 1, PIECE, file)) > 0) {
        ok = EVP_DigestUpdate(context, piece, n) == 1;
        total += n;
    }
    const int number = ferror(file) ? errno : 0;
    (void)fclose(file);
    guint8 digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    ok = ok && EVP_DigestFinal_ex(context, digest, &length) == 1;
    EVP_MD_CTX_free(context);
    if (number != 0 || !ok)
        return failed(path, number != 0 ? number : ENOSYS, error);
    if (bytes != NULL)
        *bytes = total;
    GString *hex = g_string_new(NULL);
    for (unsigned i = 0; i < length; i++)
        g_string_append_printf(hex, "%02x", digest[i]);
    return g_string_free(hex, FALSE);
}
