/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The latency record of one interval, as the probes that count packets by StampTally write it.
 */
#pragma once

#include "logger/probe.h"
#include "logger/stamp-tally.h"

/* What every such probe knows of an interval: counts, round trips, jitter. One-way delays and
 * losses per way are for the caller to add. Texts belong to the run. */
Latency probe_latency_row(const ProbeRun *run, const StampInterval *interval);
