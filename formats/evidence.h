/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence: a small text file beside each closed drive, NAME.drive.evidence, that holds the SHA-256
 * of the drive, its number in the chain of all drives of the same store and a hash of the evidence
 * before it; with a key, an Ed25519 signature (RFC 8032) over all that. So a changed, missing or
 * reordered drive shows. Layout: docs/drive-file.md, "Evidence".
 */
#pragma once

#include <glib.h>

#define EVIDENCE_ERROR evidence_error_quark()
typedef enum {
    EVIDENCE_ERROR_NONE_THERE, /* no evidence beside the drive */
    EVIDENCE_ERROR_SYNTAX,     /* not an evidence file */
    EVIDENCE_ERROR_CHANGED,    /* the drive is not what was hashed */
    EVIDENCE_ERROR_SIGNATURE,  /* the signature is wrong, missing, or of another key */
    EVIDENCE_ERROR_KEY,        /* a key file cannot be used */
    EVIDENCE_ERROR_FAILED,
} EvidenceError;
GQuark evidence_error_quark(void);

typedef struct EvidenceKey EvidenceKey;

/* A PEM file: a private Ed25519 key (`openssl genpkey -algorithm ed25519`), or a public one
 * (`openssl pkey -pubout`), which can only verify.
 * Returns: (transfer full): free with evidence_key_free(). */
EvidenceKey *evidence_key_open(const char *path, gboolean private, GError **error);
void evidence_key_free(EvidenceKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EvidenceKey, evidence_key_free)

/* The chain of a store: kept in the file `evidence.chain` of its folder. */
typedef struct {
    char id[33];    /* 32 hex digits, made at random with the first drive */
    guint64 number; /* of the last drive; 0 = none yet */
    char link[65];  /* SHA-256 of the last evidence, 64 hex digits; zeros before the first */
} EvidenceChain;

/* Reads the chain of a folder, or begins one. */
gboolean evidence_chain_read(const char *folder, EvidenceChain *chain, GError **error);
/* What the folder itself says of its chain, as it stands there. FALSE: it says nothing that can be
 * read.
 */
gboolean evidence_chain_stored(const char *folder, EvidenceChain *chain);
/* Puts a chain back, to make the evidence of the last drives anew. */
gboolean evidence_chain_write(const char *folder, const EvidenceChain *chain, GError **error);

/* Writes the evidence of a closed drive as the next of its folder's chain. `key` may be NULL: not
 * signed. Both files appear whole or not at all. */
gboolean evidence_make(const char *drive, const EvidenceKey *key, GError **error);

/* TRUE if there is evidence beside the drive. */
gboolean evidence_exists(const char *drive);
void evidence_remove(const char *drive);

typedef struct {
    char *name, *sha256, *chain, *previous;
    char *link; /* of this evidence: what the next one's `previous` must be */
    guint64 bytes, number;
    char *key; /* fingerprint: SHA-256 of the public key, first 16 hex digits; NULL = not signed */
} Evidence;

void evidence_clear(Evidence *evidence);

/* Reads the evidence beside a drive and checks the drive against it: content, name, signature.
 * With `key` the signature must be there and be of that key; without, a signature that is there
 * must be right for the key it names. On failure what could be read is in *evidence all the same.
 */
gboolean evidence_verify(const char *drive, const EvidenceKey *key, Evidence *evidence,
                         GError **error);
