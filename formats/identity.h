/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IMSI, ICCID and IMEI as keyed hashes: the same device can be recognised, its number cannot be
 * found by trying all of them (there are few enough) without the key of the box.
 */
#pragma once

#include <glib.h>

#define IDENTITY_ERROR identity_error_quark()
typedef enum { IDENTITY_ERROR_FILE } IdentityError;
GQuark identity_error_quark(void);

typedef struct Identity Identity;

/* Reads the key, or makes one (32 random bytes, mode 0600) where there is no such file. A NULL path
 * gives an Identity that hides nothing: identity_hash() returns the number itself.
 * Returns: (transfer full). */
Identity *identity_open(const char *key_path, GError **error);
/* NULL is allowed. */
void identity_free(Identity *identity);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Identity, identity_free)

/* HMAC-SHA-256 of the number, the first 16 bytes as hex; NULL for NULL and "".
 * Returns: (transfer full) (nullable). */
char *identity_hash(const Identity *identity, const char *number);
