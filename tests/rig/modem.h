/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A made modem: its plan, what it hears, and the ports of its clients.
 */
#pragma once

#include "tests/rig/world.h"

typedef struct Port Port;

typedef struct {
    const Scenario *scenario;
    const ModemPlan *plan;
    guint number;
    const RadioState *radio;
    GPtrArray *ports;     /* Port, transfer none: those that speak with this modem */
    char *node;           /* path of its device node now */
    gboolean gone;        /* reset or vanished: nobody can open it */
    double now;           /* scenario seconds */
    guint32 told_changes; /* radio->changes at the last serving-system indication */
    gint64 told_level;    /* rounded levels at the last signal indication */
    guint8 next_client;   /* client ids are not used again after a reset */
    guint64 answers;      /* sent; faults that alternate count with it */
    GRand *random;        /* of the faults */
    GByteArray *held;     /* FAULT_REORDER: the answer that waits for the next */
} RigModem;

/* The fault of that kind which is on now; NULL if none. */
static inline const Fault *modem_fault(const RigModem *modem, FaultKind kind)
{
    return scenario_fault(modem->scenario, kind, modem->plan->name, modem->now);
}
