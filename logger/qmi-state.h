/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the conversion of QMI messages, for qmi-convert.c, qmi-cells.c and qmi-levels.c only.
 */
#pragma once

#include "logger/qmi-convert.h"

static inline gint16 qmi_read_i16(ByteReader *reader)
{
    return (gint16)byte_read_u16_le(reader);
}

static inline double qmi_tenth(gint16 value)
{
    return value / 10.0;
}

void qmi_set_cell_id(QmiState *state, gint64 id);

void qmi_set_plmn(QmiState *state, const char *plmn);

/* FALSE if there is none. */
gboolean qmi_read_plmn(ByteReader *reader, char plmn[8]);
