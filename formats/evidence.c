/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/evidence.h"

#include "formats/file-hash.h"
#include "formats/file-replace.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

G_DEFINE_QUARK(corridor - evidence - error, evidence_error)

#define SUFFIX     ".evidence"
#define CHAIN_NAME "evidence.chain"
#define GROUP      "evidence"

enum { PUBLIC_SIZE = 32, SIGNATURE_SIZE = 64, FINGERPRINT_DIGITS = 16, HASH_DIGITS = 64 };

struct EvidenceKey {
    EVP_PKEY *key;
    guint8 public[PUBLIC_SIZE];
};

/* ---- hex ---- */

static char *to_hex(const guint8 *bytes, gsize n)
{
    GString *hex = g_string_sized_new(2 * n);
    for (gsize i = 0; i < n; i++)
        g_string_append_printf(hex, "%02x", bytes[i]);
    return g_string_free(hex, FALSE);
}

static gboolean is_hex(const char *text, gsize digits)
{
    return text != NULL && strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

static gboolean from_hex(const char *text, guint8 *bytes, gsize n)
{
    if (!is_hex(text, 2 * n))
        return FALSE;
    for (gsize i = 0; i < n; i++)
        bytes[i] = (guint8)(g_ascii_xdigit_value(text[2 * i]) << 4 |
                            g_ascii_xdigit_value(text[2 * i + 1]));
    return TRUE;
}

/* ---- keys ---- */

/* A box has nobody to ask. */
static int no_passphrase(char *buffer, int size, int writing, void *data)
{
    (void)buffer, (void)size, (void)writing, (void)data;
    return -1;
}

EvidenceKey *evidence_key_open(const char *path, gboolean private, GError **error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        g_set_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_KEY, "%s: cannot be read: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    struct stat status;
    if (private && fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode) &&
        (status.st_mode & S_IRWXO) != 0) {
        (void)fclose(file);
        g_set_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_KEY,
                    "%s: others may read this private key; use chmod 0640", path);
        return NULL;
    }
    g_autoptr(EvidenceKey) key = g_new0(EvidenceKey, 1);
    key->key = private ? PEM_read_PrivateKey(file, NULL, no_passphrase, NULL)
                       : PEM_read_PUBKEY(file, NULL, no_passphrase, NULL);
    (void)fclose(file);
    size_t length = PUBLIC_SIZE;
    if (key->key == NULL || EVP_PKEY_get_base_id(key->key) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_public_key(key->key, key->public, &length) != 1) {
        g_set_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_KEY,
                    "%s: is no %s Ed25519 key in PEM%s; make one with `openssl %s`", path,
                    private ? "private" : "public", private ? " without a passphrase" : "",
                    private ? "genpkey -algorithm ed25519" : "pkey -pubout");
        return NULL;
    }
    return g_steal_pointer(&key);
}

void evidence_key_free(EvidenceKey *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->key);
    g_free(key);
}

static char *fingerprint(const guint8 public[PUBLIC_SIZE])
{
    char *hex = g_compute_checksum_for_data(G_CHECKSUM_SHA256, public, PUBLIC_SIZE);
    hex[FINGERPRINT_DIGITS] = '\0';
    return hex;
}

static gboolean sign(const EvidenceKey *key, const char *text, guint8 signature[SIGNATURE_SIZE])
{
    size_t length = SIGNATURE_SIZE;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    gboolean ok =
        context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key->key) == 1 &&
        EVP_DigestSign(context, signature, &length, (const guint8 *)text, strlen(text)) == 1 &&
        length == SIGNATURE_SIZE;
    EVP_MD_CTX_free(context);
    return ok;
}

static gboolean is_signed(const guint8 public[PUBLIC_SIZE], const char *text,
                          const guint8 signature[SIGNATURE_SIZE])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, PUBLIC_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    gboolean ok = key != NULL && context != NULL &&
                  EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                  EVP_DigestVerify(context, signature, SIGNATURE_SIZE, (const guint8 *)text,
                                   strlen(text)) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ok;
}

/* ---- files ---- */

static char *evidence_path(const char *drive)
{
    return g_strconcat(drive, SUFFIX, NULL);
}

gboolean evidence_exists(const char *drive)
{
    g_autofree char *path = evidence_path(drive);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

void evidence_remove(const char *drive)
{
    g_autofree char *path = evidence_path(drive);
    (void)g_unlink(path);
}

/* What is hashed for the chain, and signed. Every field stands on a line of its own. */
static char *canonical(const Evidence *e)
{
    return g_strdup_printf("corridor drive evidence 1\n%s\n%s\n%" G_GUINT64_FORMAT
                           "\n%s\n%" G_GUINT64_FORMAT "\n%s\n",
                           e->name, e->sha256, e->bytes, e->chain, e->number, e->previous);
}

/* ---- reading ---- */

void evidence_clear(Evidence *evidence)
{
    g_free(evidence->name);
    g_free(evidence->sha256);
    g_free(evidence->chain);
    g_free(evidence->previous);
    g_free(evidence->link);
    g_free(evidence->key);
    memset(evidence, 0, sizeof *evidence);
}

static gboolean read_fields(const char *drive, Evidence *e, char **key, char **signature,
                            GError **error)
{
    g_autofree char *path = evidence_path(drive);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) local = NULL;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &local)) {
        const gboolean absent = g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT);
        g_set_error(error, EVIDENCE_ERROR,
                    absent ? (int)EVIDENCE_ERROR_NONE_THERE : (int)EVIDENCE_ERROR_SYNTAX,
                    absent ? "%s: there is no %s" : "%s: %s cannot be read", drive, path);
        return FALSE;
    }
    e->name = g_key_file_get_string(file, GROUP, "name", NULL);
    e->sha256 = g_key_file_get_string(file, GROUP, "sha256", NULL);
    e->chain = g_key_file_get_string(file, GROUP, "chain", NULL);
    e->previous = g_key_file_get_string(file, GROUP, "previous", NULL);
    e->bytes = g_key_file_get_uint64(file, GROUP, "bytes", NULL);
    e->number = g_key_file_get_uint64(file, GROUP, "number", NULL);
    *key = g_key_file_get_string(file, GROUP, "key", NULL);
    *signature = g_key_file_get_string(file, GROUP, "signature", NULL);
    if (e->name == NULL || strchr(e->name, '\n') != NULL || !is_hex(e->sha256, HASH_DIGITS) ||
        !is_hex(e->chain, 32) || !is_hex(e->previous, HASH_DIGITS) || e->number == 0) {
        g_set_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_SYNTAX, "%s: %s is damaged", drive, path);
        return FALSE;
    }
    return TRUE;
}

/* ---- the chain of a store ---- */

/* Goes on to the evidence that follows. */
static gboolean adopt_next(const char *folder, EvidenceChain *chain)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    gboolean found = FALSE;
    for (const char *name = NULL; !found && dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        if (!g_str_has_suffix(name, SUFFIX))
            continue;
        g_autofree char *base = g_strndup(name, strlen(name) - strlen(SUFFIX));
        g_autofree char *drive = g_build_filename(folder, base, NULL);
        g_autofree char *key = NULL;
        g_autofree char *signature = NULL;
        Evidence e = {0};
        found = read_fields(drive, &e, &key, &signature, NULL) && strcmp(e.chain, chain->id) == 0 &&
                e.number == chain->number + 1 && strcmp(e.previous, chain->link) == 0;
        if (found) {
            g_autofree char *text = canonical(&e);
            g_autofree char *link = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
            chain->number = e.number;
            g_strlcpy(chain->link, link, sizeof chain->link);
        }
        evidence_clear(&e);
    }
    return found;
}

/* A power cut between the two writes of evidence_make(), or while the last evidence is taken back,
 * leaves evidence that the chain does not know of: it goes on from there. */
static void adopt_last(const char *folder, EvidenceChain *chain)
{
    while (adopt_next(folder, chain))
        ;
}

static gboolean begin_chain(const char *folder, EvidenceChain *chain, GError **error)
{
    guint8 random[16];
    memset(chain, 0, sizeof *chain);
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        g_set_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_FAILED, "%s: no random numbers", folder);
        return FALSE;
    }
    g_autofree char *hex = to_hex(random, sizeof random);
    g_strlcpy(chain->id, hex, sizeof chain->id);
    memset(chain->link, '0', HASH_DIGITS);
    return TRUE;
}

gboolean evidence_chain_stored(const char *folder, EvidenceChain *chain)
{
    g_autofree char *path = g_build_filename(folder, CHAIN_NAME, NULL);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    memset(chain, 0, sizeof *chain);
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL))
        return FALSE;
    g_autofree char *id = g_key_file_get_string(file, GROUP, "chain", NULL);
    g_autofree char *link = g_key_file_get_string(file, GROUP, "link", NULL);
    chain->number = g_key_file_get_uint64(file, GROUP, "number", &error);
    if (error != NULL || !is_hex(id, 32) || !is_hex(link, HASH_DIGITS))
        return FALSE;
    g_strlcpy(chain->id, id, sizeof chain->id);
    g_strlcpy(chain->link, link, sizeof chain->link);
    return TRUE;
}

gboolean evidence_chain_read(const char *folder, EvidenceChain *chain, GError **error)
{
    g_autofree char *path = g_build_filename(folder, CHAIN_NAME, NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return begin_chain(folder, chain, error);
    if (evidence_chain_stored(folder, chain)) {
        adopt_last(folder, chain);
        return TRUE;
    }
    /* A chain that is damaged is not gone on with: a new one says so by its number. */
    g_warning("%s: cannot be read; a new chain of drives begins", path);
    return begin_chain(folder, chain, error);
}

gboolean evidence_chain_write(const char *folder, const EvidenceChain *chain, GError **error)
{
    g_autofree char *path = g_build_filename(folder, CHAIN_NAME, NULL);
    g_autofree char *text =
        g_strdup_printf("[" GROUP "]\nchain=%s\nnumber=%" G_GUINT64_FORMAT "\nlink=%s\n", chain->id,
                        chain->number, chain->link);
    return file_replace_text(path, text, error);
}

gboolean evidence_make(const char *drive, const EvidenceKey *key, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(drive);
    g_autofree char *path = evidence_path(drive);
    EvidenceChain chain;
    if (!evidence_chain_read(folder, &chain, error))
        return FALSE;
    /* Its id was made just now: else a power cut would leave evidence of a chain nobody knows. */
    if (chain.number == 0 && !evidence_chain_write(folder, &chain, error))
        return FALSE;
    Evidence e = {.number = chain.number + 1};
    e.sha256 = file_hash(drive, &e.bytes, error);
    if (e.sha256 == NULL)
        return FALSE;
    e.name = g_path_get_basename(drive);
    e.chain = g_strdup(chain.id);
    e.previous = g_strdup(chain.link);
    g_autofree char *text = canonical(&e);
    g_autofree char *link = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    g_autoptr(GString) out = g_string_new(NULL);
    g_string_printf(out,
                    "[" GROUP "]\nname=%s\nsha256=%s\nbytes=%" G_GUINT64_FORMAT
                    "\nchain=%s\nnumber=%" G_GUINT64_FORMAT "\nprevious=%s\n",
                    e.name, e.sha256, e.bytes, e.chain, e.number, e.previous);
    gboolean done = TRUE;
    if (key != NULL) {
        guint8 signature[SIGNATURE_SIZE];
        done = sign(key, text, signature);
        g_autofree char *public_hex = to_hex(key->public, PUBLIC_SIZE);
        g_autofree char *signature_hex = to_hex(signature, done ? SIGNATURE_SIZE : 0);
        g_string_append_printf(out, "key=%s\nsignature=%s\n", public_hex, signature_hex);
        if (!done)
            g_set_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_FAILED, "%s: cannot be signed",
                        drive);
    }
    chain.number = e.number;
    g_strlcpy(chain.link, link, sizeof chain.link);
    done = done && file_replace_text(path, out->str, error) &&
           evidence_chain_write(folder, &chain, error);
    evidence_clear(&e);
    return done;
}

/* ---- verifying ---- */

static gboolean check_signature(const char *drive, const EvidenceKey *key, const char *key_hex,
                                const char *signature_hex, const char *text, Evidence *e,
                                GError **error)
{
    guint8 public[PUBLIC_SIZE];
    guint8 signature[SIGNATURE_SIZE];
    const char *trouble = NULL;
    if (key_hex == NULL && signature_hex == NULL)
        trouble = key != NULL ? "is not signed" : NULL;
    else if (!from_hex(key_hex, public, sizeof public) ||
             !from_hex(signature_hex, signature, sizeof signature) ||
             !is_signed(public, text, signature))
        trouble = "the signature is wrong";
    else {
        e->key = fingerprint(public);
        if (key != NULL && memcmp(public, key->public, PUBLIC_SIZE) != 0)
            trouble = "is signed with another key";
    }
    if (trouble != NULL)
        g_set_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_SIGNATURE, "%s: %s", drive, trouble);
    return trouble == NULL;
}

gboolean evidence_verify(const char *drive, const EvidenceKey *key, Evidence *evidence,
                         GError **error)
{
    memset(evidence, 0, sizeof *evidence);
    g_autofree char *key_hex = NULL;
    g_autofree char *signature_hex = NULL;
    if (!g_file_test(drive, G_FILE_TEST_EXISTS)) {
        g_set_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_FAILED,
                    "%s: there is no such file; is the name right?", drive);
        return FALSE;
    }
    if (!read_fields(drive, evidence, &key_hex, &signature_hex, error))
        return FALSE;
    g_autofree char *text = canonical(evidence);
    evidence->link = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    guint64 bytes = 0;
    g_autofree char *name = g_path_get_basename(drive);
    g_autofree char *hash = file_hash(drive, &bytes, error);
    if (hash == NULL)
        return FALSE;
    if (bytes != evidence->bytes || strcmp(hash, evidence->sha256) != 0) {
        g_set_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_CHANGED,
                    "%s: was changed after it was closed: its hash is not that of its evidence",
                    drive);
        return FALSE;
    }
    if (strcmp(name, evidence->name) != 0) {
        g_set_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_CHANGED, "%s: its evidence is that of %s",
                    drive, evidence->name);
        return FALSE;
    }
    return check_signature(drive, key, key_hex, signature_hex, text, evidence, error);
}
