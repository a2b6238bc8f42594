/* SPDX-License-Identifier: Apache-2.0 */
/* What libgps decoded, turned into a fix. Pure. */
#pragma once

#include "formats/records.h"

#include <gps.h>

/* A fix from a TPV, with what the last SKY said of satellites where the fix has a position. Every
 * quality is kept: no fix is a record too. *utc_ns gets the receiver's time, 0 if it said none or
 * an impossible one. FALSE: the message held no TPV. */
gboolean gps_make_fix(const struct gps_data_t *data, Fix *fix, gint64 *utc_ns);
