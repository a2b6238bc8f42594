/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of `corridor-logger check`: each adds its lines to the report.
 */
#pragma once

#include "formats/identity.h"
#include "logger/modem-finder.h"

typedef struct {
    GString *out;
    gboolean ok;
    ModemFinder *finder;      /* nodes of the modems that were checked stay taken */
    const Identity *identity; /* NULL: there is no key of the hashes yet */
} CheckReport;

/* One line: mark "ok", "note" or "FIX" (then the report is not ok), and what to do. */
void check_line(CheckReport *report, const char *mark, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Opens the modem as the logger would and asks it for some seconds. */
void check_modem(CheckReport *report, const ConfigModem *config);

/* The proxies that the modems need, their network interfaces, and the reflector through each of
 * these. */
void check_reach(CheckReport *report, const Config *config);
