/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared key of a logger and its reflector, and the one message authentication code made with
 * it: HMAC-SHA-256 (RFC 2104, FIPS 180-4) truncated to 128 bits, as STAMP asks (RFC 8762, 4.4).
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#define KEY_MAC_SIZE 16
#define KEY_MIN_SIZE 16 /* bytes of a key */

#define KEY_ERROR key_error_quark()
typedef enum {
    KEY_ERROR_FILE,  /* cannot be read */
    KEY_ERROR_OPEN,  /* readable by others than its owner and group */
    KEY_ERROR_FORMAT /* not hexadecimal, or too short */
} KeyError;
GQuark key_error_quark(void);

typedef struct Key Key;

/* Reads a key file: hexadecimal digits on one line (`openssl rand -hex 32` makes one), at least
 * KEY_MIN_SIZE bytes. A file that others may read is refused.
 * Returns: (transfer full): free with key_free(). */
Key *key_load(const char *path, GError **error);

/* Returns: (transfer full). `length` must not be 0. */
Key *key_new(const void *bytes, size_t length);

/* NULL is allowed. */
void key_free(Key *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Key, key_free)

/* The code of one message. */
void key_mac(const Key *key, const void *data, size_t length, uint8_t mac[KEY_MAC_SIZE]);

/* TRUE if `mac` is the code of the message. Takes the same time whatever differs. */
gboolean key_check(const Key *key, const void *data, size_t length,
                   const uint8_t mac[KEY_MAC_SIZE]);
