/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the column `kind` of events can say. A program that writes another kind forgot it here and
 * in docs/drive-file.md; tests compare the two.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *kind;
    const char *unit;    /* of the column `value`; "" = it has none */
    const char *meaning; /* one line, says what `detail` holds */
} EventKind;

/* Ended by a row whose kind is NULL. */
extern const EventKind event_kinds[];

/* NULL: there is no such kind. */
const EventKind *event_kind_find(const char *kind);
