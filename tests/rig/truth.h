/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The truth beside a drive: PREFIX.drive with every true position, level and cell, readable as any
 * drive, and PREFIX-links.csv with the quality of the data links.
 */
#pragma once

#include "tests/rig/world.h"

typedef struct Truth Truth;

/* Refuses to replace a file. */
Truth *truth_new(const char *prefix, const Scenario *scenario, GError **error);
/* Closes in order. Returns FALSE if that failed. */
gboolean truth_close(Truth *truth, GError **error);
void truth_free(Truth *truth);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Truth, truth_free)

/* The state of the world at utc_ns. `gone`: an array, by modem, of those that are not there. */
gboolean truth_add(Truth *truth, const World *world, gint64 utc_ns, const gboolean *gone,
                   GError **error);
gboolean truth_event(Truth *truth, gint64 utc_ns, const Fault *fault, gboolean begins,
                     GError **error);
