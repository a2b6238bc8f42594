/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes closed drives small and writes their evidence (formats/evidence.h), one after the other, in
 * a process of its own for each (logger/seal-child.h) that gives way to all others. Drives that an
 * earlier run left are found at the start. What is not done when the power goes is done at the next
 * start: a drive is whole at any instant.
 */
#pragma once

#include "logger/config.h"
#include "logger/store.h"

typedef struct Sealer Sealer;

/* Starts the thread. `config` says what is wanted, and how many bytes stay free on the disk; both
 * must outlive it. A drive that has evidence already stays as it is.
 * Returns: (transfer full). */
Sealer *sealer_new(Store *store, const ConfigStore *config);

/* Interrupts what is under way. The drives that came by sealer_add() get their evidence now: made
 * small before that as long as all of it takes no more than 6 s, otherwise as they are, and so they
 * stay. NULL is allowed. */
void sealer_free(Sealer *sealer);

/* One more drive, which was closed just now, or could not be: then it is closed. Any thread. */
void sealer_add(Sealer *sealer, const char *path);

/* Between these two no drive is touched; what was begun is begun again later. Any thread. */
void sealer_hold(Sealer *sealer);
void sealer_go_on(Sealer *sealer);
