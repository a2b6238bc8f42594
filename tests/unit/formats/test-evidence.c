/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/evidence.h"
#include "formats/file-hash.h"
#include "tests/unit/folder.h"

#include <glib/gstdio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

typedef struct {
    char *dir, *drives[4], *private, *public, *other;
    EvidenceKey *key;
} Fixture;

static void write_key(EVP_PKEY *key, const char *path, gboolean private)
{
    FILE *file = fopen(path, "we");
    g_assert_nonnull(file);
    g_assert_true((private ? PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL)
                           : PEM_write_PUBKEY(file, key)) == 1);
    g_assert_true(fclose(file) == 0);
    g_assert_cmpint(g_chmod(path, private ? 0600 : 0644), ==, 0);
}

static EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    g_assert_nonnull(key);
    return key;
}

static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    f->dir = g_dir_make_tmp("corridor-test-XXXXXX", NULL);
    f->private = g_build_filename(f->dir, "private.pem", NULL);
    f->public = g_build_filename(f->dir, "public.pem", NULL);
    f->other = g_build_filename(f->dir, "other.pem", NULL);
    EVP_PKEY *key = new_key();
    EVP_PKEY *other = new_key();
    write_key(key, f->private, TRUE);
    write_key(key, f->public, FALSE);
    write_key(other, f->other, FALSE);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    f->key = evidence_key_open(f->private, TRUE, &error);
    g_assert_no_error(error);
    for (int i = 0; i < 4; i++) {
        g_autofree char *name = g_strdup_printf("x2-%d.drive", i);
        g_autofree char *text = g_strdup_printf("content of drive %d", i);
        f->drives[i] = g_build_filename(f->dir, name, NULL);
        g_assert_true(g_file_set_contents(f->drives[i], text, -1, NULL));
        g_assert_true(evidence_make(f->drives[i], f->key, &error));
        g_assert_no_error(error);
    }
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    (void)folder_remove(f->dir);
    for (int i = 0; i < 4; i++)
        g_free(f->drives[i]);
    g_free(f->dir);
    g_free(f->private);
    g_free(f->public);
    g_free(f->other);
    evidence_key_free(f->key);
}

static void test_chain(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *link = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(EvidenceKey) public = evidence_key_open(f->public, FALSE, &error);
    g_assert_no_error(error);
    for (int i = 0; i < 4; i++) {
        Evidence e;
        g_assert_true(evidence_verify(f->drives[i], public, &e, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(e.number, ==, (guint64)i + 1);
        if (link != NULL)
            g_assert_cmpstr(e.previous, ==, link);
        g_free(link);
        link = g_strdup(e.link);
        guint64 bytes = 0;
        g_autofree char *hash = file_hash(f->drives[i], &bytes, &error);
        g_assert_cmpstr(hash, ==, e.sha256);
        g_assert_cmpuint(bytes, ==, strlen("content of drive 0"));
        evidence_clear(&e);
    }
}

/* SHA-256 of "abc": FIPS 180-4, example. */
static void test_hash(Fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_true(g_file_set_contents(f->drives[0], "abc", 3, NULL));
    g_autofree char *hash = file_hash(f->drives[0], NULL, NULL);
    g_assert_cmpstr(hash, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    g_autoptr(GError) error = NULL;
    g_assert_null(file_hash(f->dir, NULL, &error));
    g_assert_nonnull(error);
}

static void expect(const char *drive, const EvidenceKey *key, int code)
{
    g_autoptr(GError) error = NULL;
    Evidence e;
    g_assert_false(evidence_verify(drive, key, &e, &error));
    g_assert_error(error, EVIDENCE_ERROR, code);
    evidence_clear(&e);
}

static void change_evidence(const char *drive, const char *key, const char *value)
{
    g_autofree char *path = g_strconcat(drive, ".evidence", NULL);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_assert_true(g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL));
    if (value != NULL)
        g_key_file_set_string(file, "evidence", key, value);
    else
        g_assert_true(g_key_file_remove_key(file, "evidence", key, NULL));
    g_assert_true(g_key_file_save_to_file(file, path, NULL));
}

static void test_tampered(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(EvidenceKey) public = evidence_key_open(f->public, FALSE, NULL);
    g_autoptr(EvidenceKey) other = evidence_key_open(f->other, FALSE, NULL);
    expect(f->drives[0], other, EVIDENCE_ERROR_SIGNATURE);

    /* each bit of the content counts */
    g_autofree char *whole = NULL;
    gsize length = 0;
    g_assert_true(g_file_get_contents(f->drives[0], &whole, &length, NULL));
    for (gsize bit = 0; bit < 8 * length; bit++) {
        g_autofree char *changed = g_memdup2(whole, length);
        changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
        g_assert_true(g_file_set_contents(f->drives[0], changed, (gssize)length, NULL));
        expect(f->drives[0], NULL, EVIDENCE_ERROR_CHANGED);
    }
    /* whoever changes drive and hash has no signature for it */
    g_autofree char *hash = file_hash(f->drives[0], NULL, NULL);
    change_evidence(f->drives[0], "sha256", hash);
    expect(f->drives[0], NULL, EVIDENCE_ERROR_SIGNATURE);
    change_evidence(f->drives[0], "signature", NULL);
    change_evidence(f->drives[0], "key", NULL);
    expect(f->drives[0], public, EVIDENCE_ERROR_SIGNATURE);

    /* nor for another place in the chain */
    change_evidence(f->drives[1], "number", "7");
    expect(f->drives[1], NULL, EVIDENCE_ERROR_SIGNATURE);

    /* the evidence of another drive */
    g_autofree char *from = g_strconcat(f->drives[3], ".evidence", NULL);
    g_autofree char *to = g_strconcat(f->drives[2], ".evidence", NULL);
    g_assert_cmpint(g_rename(from, to), ==, 0);
    expect(f->drives[2], public, EVIDENCE_ERROR_CHANGED);
    expect(f->drives[3], public, EVIDENCE_ERROR_NONE_THERE);
    g_assert_true(g_file_set_contents(to, "rubbish", -1, NULL));
    expect(f->drives[2], NULL, EVIDENCE_ERROR_SYNTAX);
}

/* A power cut after the evidence and before the chain: the next drive goes on from there. */
static void test_cut(Fixture *f, gconstpointer data)
{
    (void)data;
    EvidenceChain before, after;
    g_assert_true(evidence_chain_read(f->dir, &before, NULL));
    g_assert_cmpuint(before.number, ==, 4);
    g_autofree char *drive = g_build_filename(f->dir, "x2-5.drive", NULL);
    g_assert_true(g_file_set_contents(drive, "five", -1, NULL));
    g_assert_true(evidence_make(drive, NULL, NULL));
    g_assert_true(evidence_chain_write(f->dir, &before, NULL));
    g_assert_true(evidence_chain_read(f->dir, &after, NULL));
    g_assert_cmpuint(after.number, ==, 5);
    g_assert_cmpstr(after.link, !=, before.link);
    g_assert_cmpstr(after.id, ==, before.id);
    /* unsigned evidence is good as such, not where a key is asked for */
    Evidence e;
    g_assert_true(evidence_verify(drive, NULL, &e, NULL));
    g_assert_null(e.key);
    evidence_clear(&e);
    expect(drive, f->key, EVIDENCE_ERROR_SIGNATURE);
}

/* A power cut while evidence is taken back, last first, to be made anew: the chain, put back before
 * that, goes on from what is left. */
static void test_cut_back(Fixture *f, gconstpointer data)
{
    (void)data;
    EvidenceChain first = {.number = 0}, after;
    g_assert_true(evidence_chain_read(f->dir, &first, NULL));
    first.number = 0;
    memset(first.link, '0', sizeof first.link - 1);
    for (guint left = 4; left <= 4; left--) {
        g_assert_true(evidence_chain_write(f->dir, &first, NULL));
        g_assert_true(evidence_chain_read(f->dir, &after, NULL));
        g_assert_cmpuint(after.number, ==, left);
        if (left > 0)
            evidence_remove(f->drives[left - 1]);
    }
}

/* The same with the very first: the chain it begins is on the disk before it is. */
static void test_cut_first(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *dir = g_build_filename(f->dir, "new", NULL);
    g_autofree char *drive = g_build_filename(dir, "x.drive", NULL);
    g_autofree char *evidence = g_strconcat(drive, ".evidence", NULL);
    g_autofree char *chain = g_build_filename(dir, "evidence.chain", NULL);
    g_assert_cmpint(g_mkdir(dir, 0700), ==, 0);
    g_assert_true(g_file_set_contents(drive, "one", -1, NULL));
    g_assert_cmpint(g_mkdir(evidence, 0700), ==, 0); /* it cannot be written */
    g_assert_false(evidence_make(drive, NULL, NULL));
    EvidenceChain begun, after;
    g_assert_true(g_file_test(chain, G_FILE_TEST_EXISTS));
    g_assert_true(evidence_chain_read(dir, &begun, NULL));
    g_assert_cmpint(g_rmdir(evidence), ==, 0);
    g_assert_true(evidence_make(drive, NULL, NULL));
    g_assert_true(evidence_chain_write(dir, &begun, NULL));
    g_assert_true(evidence_chain_read(dir, &after, NULL));
    g_assert_cmpstr(after.id, ==, begun.id);
    g_assert_cmpuint(after.number, ==, 1);
    g_assert_cmpint(g_unlink(evidence) + g_unlink(chain) + g_unlink(drive) + g_rmdir(dir), ==, 0);
}

static void test_bad_keys(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_assert_null(evidence_key_open(f->public, TRUE, &error));
    g_assert_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_KEY);
    g_clear_error(&error);
    g_assert_null(evidence_key_open(f->drives[0], FALSE, &error));
    g_assert_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_KEY);
    g_clear_error(&error);
    /* a private key is nobody else's, and has no passphrase that nobody would type */
    g_assert_cmpint(g_chmod(f->private, 0604), ==, 0);
    g_assert_null(evidence_key_open(f->private, TRUE, &error));
    g_assert_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_KEY);
    g_assert_nonnull(strstr(error->message, "others may read"));
    g_clear_error(&error);
    EVP_PKEY *locked = new_key();
    FILE *file = fopen(f->private, "we");
    g_assert_true(PEM_write_PrivateKey(file, locked, EVP_aes_256_cbc(), (const guint8 *)"secret", 6,
                                       NULL, NULL) == 1);
    g_assert_true(fclose(file) == 0);
    EVP_PKEY_free(locked);
    g_assert_cmpint(g_chmod(f->private, 0600), ==, 0);
    g_assert_null(evidence_key_open(f->private, TRUE, &error));
    g_assert_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_KEY);
    g_clear_error(&error);
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    write_key(rsa, f->other, TRUE);
    EVP_PKEY_free(rsa);
    g_assert_null(evidence_key_open(f->other, TRUE, &error));
    g_assert_error(error, EVIDENCE_ERROR, EVIDENCE_ERROR_KEY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, test) g_test_add("/evidence/" name, Fixture, NULL, set_up, test, tear_down)
    ADD("chain", test_chain);
    ADD("hash", test_hash);
    ADD("tampered", test_tampered);
    ADD("cut", test_cut);
    ADD("cut-back", test_cut_back);
    ADD("cut-first", test_cut_first);
    ADD("bad-keys", test_bad_keys);
    return g_test_run();
}
