/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder that drives are written into: one logger at a time, names, room left.
 */
#pragma once

#include <glib.h>

#define STORE_ERROR store_error_quark()
typedef enum {
    STORE_ERROR_BUSY,  /* another logger writes here */
    STORE_ERROR_SYSTEM /* cannot be made, written or looked into */
} StoreError;
GQuark store_error_quark(void);

typedef struct Store Store;

/* Makes the folder where it is absent and takes its lock (held until store_free()). What a logger
 * that was killed had begun to write beside its files is deleted. Returns: (transfer full). */
Store *store_open(const char *folder, GError **error);
/* NULL is allowed. */
void store_free(Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)

/* Only looks: can a logger write here, and does one? */
gboolean store_check(const char *folder, gboolean *busy, GError **error);

typedef struct {
    guint64 drives_bytes; /* all *.drive files and what belongs to them */
    guint64 free_bytes;   /* on that disk, for an ordinary user */
    unsigned n_drives;
} StoreRoom;

/* Only free_bytes: cheap enough for each second. */
gboolean store_free_bytes(const char *folder, guint64 *free_bytes, GError **error);

gboolean store_room(const char *folder, StoreRoom *room, GError **error);

/* A path for a new drive that does not exist: NAME-YYYYMMDDTHHMMSSZ.drive; a time before 2024 is no
 * time, then NAME-boot-XXXXXXXX-N.drive by the boot id.
 * Returns: (transfer full). */
char *store_new_path(const Store *store, const char *name, gint64 utc_ns, const char *boot_id);

/* Whether the file is all of the drive: no WAL and no rollback journal beside it. */
gboolean store_is_one_file(const char *drive);

/* Paths of drives that were not closed (they are not one file): what a power cut left.
 * Returns: (transfer full), (element-type filename). */
GPtrArray *store_unclosed(const Store *store);

/* Paths of the other drives, which were closed, by name.
 * Returns: (transfer full), (element-type filename). */
GPtrArray *store_closed(const Store *store);

/* Closes a drive that was left in the middle of something, so that all of it is in the one file.
 * FALSE with a warning (a message, if another has it): it is left as it is. */
gboolean store_close_left(const char *drive);

/* Returns: (transfer none). */
const char *store_folder(const Store *store);

/* Drives will be signed with this private key (PEM, Ed25519). */
gboolean store_use_key(Store *store, const char *path, GError **error);

/* Writes the evidence of a closed drive (formats/evidence.h) as the next in the chain. A failure is
 * a warning: the drive is there all the same, and the next start tries again. One thread at a time.
 */
void store_make_evidence(Store *store, const char *drive);

/* Drives will be changed (their times): the evidence made since store_open() is taken back, and
 * the chain with it, until store_remake_evidence(). */
void store_withdraw_evidence(Store *store);

/* They were changed: that evidence is made anew. */
void store_remake_evidence(Store *store);

/* The kernel's id of this boot, 36 characters; "" where there is none.
 * Returns: (transfer full). */
char *store_boot_id(void);
