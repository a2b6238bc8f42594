/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes closed drives small (drive_seal()) and writes their evidence (formats/evidence.h), one
 * after the other, in a thread that gives way to all others. Drives that an earlier run left are
 * found at the start. What is not done when the logger ends, or when the power goes, is done at the
 * next start: a drive is whole at any instant.
 */
#pragma once

#include "logger/config.h"
#include "logger/store.h"

typedef struct Sealer Sealer;

/* Starts the thread. `config` says what is wanted, and how many bytes stay free on the disk; both
 * must outlive it. A drive that has evidence already stays as it is.
 * Returns: (transfer full). */
Sealer *sealer_new(Store *store, const ConfigStore *config);

/* Ends at once, within what it does; see drive_seal(). NULL is allowed. */
void sealer_free(Sealer *sealer);

/* One more drive, which was closed just now. Any thread. */
void sealer_add(Sealer *sealer, const char *path);

/* Between these two no drive is touched; what was begun is begun again later. Any thread. */
void sealer_hold(Sealer *sealer);
void sealer_go_on(Sealer *sealer);
