/* SPDX-License-Identifier: Apache-2.0 */
/* Joins the probes' thread to the rest: what they ask of the logger, safe from their thread. */
#pragma once

#include "logger/box.h"

typedef struct BoxProbes BoxProbes;

/* Starts the schedule if the configuration asks for any probe; NULL without error if not.
 * Box must outlive it. (transfer full) */
BoxProbes *box_probes_new(Box *box, GError **error);
/* Ends all probes. NULL is allowed. */
void box_probes_free(BoxProbes *probes);

/* Tells the schedule of modems and interfaces, and what the modems see now. Main loop, each
 * second. */
void box_probes_refresh(BoxProbes *probes);
