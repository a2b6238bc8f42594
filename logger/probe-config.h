/* SPDX-License-Identifier: Apache-2.0 */
/* The sections [reflector] and [probes] of the configuration, and what a schedule makes of them. */
#pragma once

#include "logger/config.h"
#include "logger/probe-schedule.h"

extern const ConfigSection config_section_reflector, config_section_probes;

/* What a schedule borrows: keep it as long as the schedule. */
typedef struct ProbeConfig ProbeConfig;

/* Reads both sections and the key. Lists of rates, codec and URLs are checked here.
 * Returns: (transfer full). */
ProbeConfig *probe_config_new(const Config *config, GError **error);
/* NULL is allowed. */
void probe_config_free(ProbeConfig *probes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProbeConfig, probe_config_free)

/* FALSE if there is nothing to do: no reflector, no echo target, no URL, no passive capture. */
gboolean probe_config_enabled(const ProbeConfig *probes);

/* (transfer none) */
const ProbeScheduleConfig *probe_config_schedule(const ProbeConfig *probes);
