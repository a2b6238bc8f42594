/* SPDX-License-Identifier: Apache-2.0 */
/* What measuring programs want of a STAMP probe beyond its records. */
#pragma once

#include "logger/probe.h"
#include "logger/stamp-tally.h"

/* Tells each packet of a running probe_stamp; nothing before its target is resolved. */
void probe_stamp_watch(ProbeRun *run, StampRoundTripSink sink, gpointer data);
