/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The made vehicle as it runs: clock, world, modems with their sockets and device nodes, GPS,
 * faults and truth, on the default GLib main loop.
 */
#pragma once

#include "tests/rig/scenario.h"

typedef struct Rig Rig;

typedef struct {
    const char *devices; /* folder for the device nodes; made if absent */
    const char *truth;   /* prefix of the truth's files; NULL: none */
    /* What happens, one line: "fault NAME begins", "link MODEM delay=… …"; may be NULL. */
    void (*told)(gpointer user, const char *line);
    /* The scenario is over, or (error set) the rig cannot go on. */
    void (*over)(gpointer user, const GError *error);
    gpointer user;
} RigOptions;

/* Opens everything; the scenario's clock starts now. `scenario` is borrowed. */
Rig *rig_new(const Scenario *scenario, const RigOptions *options, GError **error);
/* Closes the truth and takes away the device nodes. */
gboolean rig_stop(Rig *rig, GError **error);
void rig_free(Rig *rig);

/* Writes only the truth of the whole scenario, at once, from 2026-01-01T00:00:00Z. */
gboolean rig_write_truth(const Scenario *scenario, const char *prefix, GError **error);
