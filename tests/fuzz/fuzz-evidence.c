/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evidence beside a drive, the chain of a folder, a public key: the first byte chooses, the
 * rest is the file. No input may pass for the evidence of this drive: the target's own is not among
 * them, and nobody guesses its SHA-256.
 */
#include "formats/evidence.h"

#include "tests/fuzz/scratch.h"

#include <glib/gstdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void evidence(const uint8_t *data, size_t size)
{
    static const char content[] = "a drive, as far as evidence knows one";
    g_autofree char *drive = scratch_path("x.drive");
    g_autofree char *path = scratch_path("x.drive.evidence");
    scratch_write(drive, content, sizeof content);
    scratch_write(path, data, size);
    g_autoptr(GError) error = NULL;
    Evidence found;
    gboolean verified = evidence_verify(drive, NULL, &found, &error);
    g_assert_true(verified == (error == NULL));
    g_assert_true(error == NULL || strchr(error->message, '\n') == NULL);
    evidence_clear(&found);
    (void)g_unlink(path);
}

static void chain(const uint8_t *data, size_t size)
{
    g_autofree char *path = scratch_path("evidence.chain");
    scratch_write(path, data, size);
    g_autoptr(GError) error = NULL;
    EvidenceChain found;
    gboolean read = evidence_chain_read(scratch_folder(), &found, &error);
    g_assert_true(read == (error == NULL));
    g_assert_cmpuint(strlen(found.id), ==, sizeof found.id - 1);
    g_assert_cmpuint(strlen(found.link), ==, sizeof found.link - 1);
}

static void key(const uint8_t *data, size_t size)
{
    g_autofree char *path = scratch_path("key");
    scratch_write(path, data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(EvidenceKey) found = evidence_key_open(path, FALSE, &error);
    g_assert_true((found != NULL) == (error == NULL));
}

/* A chain that cannot be read is warned of: with nearly each input. */
static GLogWriterOutput ignore(GLogLevelFlags level, const GLogField *fields, gsize n,
                               gpointer data)
{
    (void)fields;
    (void)n;
    (void)data;
    g_assert_true((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) == 0);
    return G_LOG_WRITER_HANDLED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ways[])(const uint8_t *, size_t) = {evidence, chain, key};
    static gboolean quiet;
    if (!quiet)
        g_log_set_writer_func(ignore, NULL, NULL);
    quiet = TRUE;
    if (size > 0)
        ways[data[0] % G_N_ELEMENTS(ways)](data + 1, size - 1);
    return 0;
}
