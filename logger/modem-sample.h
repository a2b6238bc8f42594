/* SPDX-License-Identifier: Apache-2.0 */
/* What the conversions of all protocols do last with a sample. */
#pragma once

#include "formats/records.h"

/* Sets technology, service and network (borrowed; "" is not known), and the band that the channel
 * lies in; values outside their reporting ranges become unknown. */
void modem_sample_end(Sample *sample, Rat rat, ServiceState service, const char *plmn);
