/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cells around, as the modem lists them (NAS Get Cell Location Info): neighbours, and what the
 * list says of the serving cell.
 */
#include "logger/qmi-state.h"

/* An LTE cell of the lists; FALSE if it was cut. */
static gboolean read_lte_cell(ByteReader *reader, gint64 channel, Neighbour *cell)
{
    *cell = (Neighbour){.known = 0};
    guint16 pci = byte_read_u16_le(reader);
    gint16 rsrq = qmi_read_i16(reader), rsrp = qmi_read_i16(reader), rssi = qmi_read_i16(reader);
    byte_read_skip(reader, 2);
    if (reader->failed)
        return FALSE;
    RECORD_SET(cell, NEIGHBOUR, rat, RAT_LTE);
    if (pci <= 503)
        RECORD_SET(cell, NEIGHBOUR, pci, pci);
    if (channel >= 0)
        RECORD_SET(cell, NEIGHBOUR, arfcn, channel);
    if (rsrp > -1400 && rsrp < -430)
        RECORD_SET(cell, NEIGHBOUR, rsrp_dbm, qmi_tenth(rsrp));
    if (rsrq >= -340 && rsrq <= 25)
        RECORD_SET(cell, NEIGHBOUR, rsrq_db, qmi_tenth(rsrq));
    if (rssi >= -1300 && rssi < -100)
        RECORD_SET(cell, NEIGHBOUR, rssi_dbm, qmi_tenth(rssi));
    return TRUE;
}

typedef struct {
    Neighbour *list;
    unsigned n, room;
} CellList;

static void add_cell(CellList *list, const Neighbour *cell)
{
    if (list->n < list->room && RECORD_HAS(cell, NEIGHBOUR, pci))
        list->list[list->n++] = *cell;
}

static void take_lte_intra(QmiState *state, const QmiTlvs *tlvs, CellList *list)
{
    ByteReader reader = qmi_find(tlvs, 0x13);
    if (reader.failed)
        return;
    byte_read_skip(&reader, 1);
    char plmn[8];
    gboolean has_plmn = qmi_read_plmn(&reader, plmn);
    guint16 tac = byte_read_u16_le(&reader);
    guint32 cell_id = byte_read_u32_le(&reader);
    gint64 channel = byte_read_u16_le(&reader);
    guint16 pci = byte_read_u16_le(&reader);
    byte_read_skip(&reader, 4);
    guint8 n = byte_read_u8(&reader);
    if (!byte_reader_done(&reader))
        return;
    ByteReader wide = qmi_find(tlvs, 0x27);
    guint32 wide_channel = byte_read_u32_le(&wide);
    if (byte_reader_done(&wide) && wide_channel <= 262143)
        channel = wide_channel;
    else if (channel == 0xffff ||
             (RECORD_HAS(&state->cell, SAMPLE, band) && state->cell.band >= 65))
        channel = -1; /* 16 bits do not hold it */
    if (state->rat == RAT_LTE) {
        if (cell_id < (1U << 28U))
            qmi_set_cell_id(state, cell_id);
        if (has_plmn)
            qmi_set_plmn(state, plmn);
        if (tac != 0xffff && tac != 0xfffe)
            RECORD_SET(&state->cell, SAMPLE, tac, tac);
        if (pci <= 503)
            RECORD_SET(&state->cell, SAMPLE, pci, pci);
        if (channel >= 0)
            RECORD_SET(&state->cell, SAMPLE, arfcn, channel);
    }
    Neighbour cell;
    for (guint8 i = 0; i < n && read_lte_cell(&reader, channel, &cell); i++)
        if (!RECORD_HAS(&cell, NEIGHBOUR, pci) ||
            cell.pci != pci) /* the serving cell is listed too */
            add_cell(list, &cell);
}

static void take_lte_inter(const QmiTlvs *tlvs, CellList *list)
{
    ByteReader reader = qmi_find(tlvs, 0x14);
    ByteReader wide = qmi_find(tlvs, 0x28);
    guint8 n_wide = byte_read_u8(&wide);
    byte_read_skip(&reader, 1);
    guint8 n = byte_read_u8(&reader);
    for (guint8 f = 0; f < n && !reader.failed; f++) {
        gint64 channel = byte_read_u16_le(&reader);
        if (f < n_wide) {
            guint32 wide_channel = byte_read_u32_le(&wide);
            if (!wide.failed && wide_channel <= 262143)
                channel = wide_channel;
        }
        byte_read_skip(&reader, 3);
        guint8 cells = byte_read_u8(&reader);
        Neighbour cell;
        for (guint8 i = 0; i < cells && read_lte_cell(&reader, channel, &cell); i++)
            add_cell(list, &cell);
    }
}

static void take_nr(QmiState *state, const QmiTlvs *tlvs)
{
    gboolean leg = state->rat == RAT_LTE;
    ByteReader channel = qmi_find(tlvs, 0x2e);
    guint32 arfcn = byte_read_u32_le(&channel);
    gboolean has_arfcn = byte_reader_done(&channel) && arfcn > 0 && arfcn <= 3279165;
    ByteReader reader = qmi_find(tlvs, 0x2f);
    char plmn[8];
    gboolean has_plmn = qmi_read_plmn(&reader, plmn);
    const uint8_t *b = byte_read_run(&reader, 3);
    guint64 cell_id = byte_read_u64_le(&reader);
    guint16 pci = byte_read_u16_le(&reader);
    if (!byte_reader_done(&reader) || (!leg && state->rat != RAT_NR_SA))
        return;
    gboolean has_id = cell_id > 0 && cell_id < (G_GUINT64_CONSTANT(1) << 36U);
    if (leg) {
        state->leg.known &= ~(RECORD_BIT(SAMPLE, nr_cell_id) | RECORD_BIT(SAMPLE, nr_pci));
        if (has_id)
            RECORD_SET(&state->leg, SAMPLE, nr_cell_id, (gint64)cell_id);
        if (pci <= 1007)
            RECORD_SET(&state->leg, SAMPLE, nr_pci, pci);
        if (has_arfcn)
            RECORD_SET(&state->leg, SAMPLE, nr_arfcn, arfcn);
        return;
    }
    if (has_id)
        qmi_set_cell_id(state, (gint64)cell_id);
    if (has_plmn)
        qmi_set_plmn(state, plmn);
    gint64 tac = b[0] << 16 | b[1] << 8 | b[2];
    if (tac != 0xffffff)
        RECORD_SET(&state->cell, SAMPLE, tac, tac);
    if (pci <= 1007)
        RECORD_SET(&state->cell, SAMPLE, pci, pci);
    if (has_arfcn)
        RECORD_SET(&state->cell, SAMPLE, arfcn, arfcn);
}

static void take_umts(QmiState *state, const QmiTlvs *tlvs, CellList *list)
{
    ByteReader reader = qmi_find(tlvs, 0x11);
    byte_read_skip(&reader, 2); /* 16 of 28 bits of the cell identity */
    char plmn[8];
    gboolean has_plmn = qmi_read_plmn(&reader, plmn);
    guint16 lac = byte_read_u16_le(&reader);
    guint16 channel = byte_read_u16_le(&reader);
    guint16 code = byte_read_u16_le(&reader);
    gint16 rscp = qmi_read_i16(&reader), ecio = qmi_read_i16(&reader);
    guint8 n = byte_read_u8(&reader);
    if (!byte_reader_done(&reader) || state->rat != RAT_UMTS)
        return;
    if (has_plmn)
        qmi_set_plmn(state, plmn);
    if (lac != 0xffff && lac != 0xfffe)
        RECORD_SET(&state->cell, SAMPLE, tac, lac);
    if (channel != 0xffff)
        RECORD_SET(&state->cell, SAMPLE, arfcn, channel);
    if (code <= 511)
        RECORD_SET(&state->cell, SAMPLE, pci, code);
    if (rscp > -120 && rscp < -24)
        RECORD_SET(&state->cell, SAMPLE, rscp_dbm, rscp);
    if (ecio >= -48 && ecio <= 0) /* half dB */
        RECORD_SET(&state->cell, SAMPLE, ecio_db, ecio / 2.0);
    for (guint8 i = 0; i < n; i++) {
        Neighbour cell = {.known = 0};
        guint16 arfcn = byte_read_u16_le(&reader), psc = byte_read_u16_le(&reader);
        gint16 level = qmi_read_i16(&reader);
        byte_read_skip(&reader, 2);
        if (reader.failed)
            return;
        RECORD_SET(&cell, NEIGHBOUR, rat, RAT_UMTS);
        RECORD_SET(&cell, NEIGHBOUR, arfcn, arfcn);
        if (psc <= 511)
            RECORD_SET(&cell, NEIGHBOUR, pci, psc);
        if (level > -120 && level < -24)
            RECORD_SET(&cell, NEIGHBOUR, rssi_dbm, level);
        add_cell(list, &cell);
    }
}

static void take_gsm(QmiState *state, const QmiTlvs *tlvs, CellList *list)
{
    ByteReader reader = qmi_find(tlvs, 0x10);
    guint32 cell_id = byte_read_u32_le(&reader);
    char plmn[8];
    gboolean has_plmn = qmi_read_plmn(&reader, plmn);
    guint16 lac = byte_read_u16_le(&reader), channel = byte_read_u16_le(&reader);
    guint8 bsic = byte_read_u8(&reader);
    guint32 advance = byte_read_u32_le(&reader);
    guint16 level = byte_read_u16_le(&reader);
    guint8 n = byte_read_u8(&reader);
    if (!byte_reader_done(&reader))
        return;
    if (state->rat == RAT_GSM && cell_id != 0xffffffff && cell_id != 0) {
        qmi_set_cell_id(state, cell_id);
        if (has_plmn)
            qmi_set_plmn(state, plmn);
        if (lac != 0xffff)
            RECORD_SET(&state->cell, SAMPLE, tac, lac);
        RECORD_SET(&state->cell, SAMPLE, arfcn, channel);
        RECORD_SET(&state->cell, SAMPLE, pci, bsic);
        if (advance <= 63)
            RECORD_SET(&state->cell, SAMPLE, timing_advance, advance);
        if (level > 0 && level <= 63) /* TS 45.008 8.1.4 */
            RECORD_SET(&state->cell, SAMPLE, rxlev_dbm, level - 111.0);
    }
    for (guint8 i = 0; i < n; i++) {
        Neighbour cell = {.known = 0};
        guint32 id = byte_read_u32_le(&reader);
        (void)qmi_read_plmn(&reader, plmn);
        byte_read_skip(&reader, 2);
        guint16 arfcn = byte_read_u16_le(&reader);
        guint8 code = byte_read_u8(&reader);
        guint16 rxlev = byte_read_u16_le(&reader);
        if (reader.failed)
            return;
        RECORD_SET(&cell, NEIGHBOUR, rat, RAT_GSM);
        if (id != 0xffffffff)
            RECORD_SET(&cell, NEIGHBOUR, cell_id, id);
        RECORD_SET(&cell, NEIGHBOUR, arfcn, arfcn);
        RECORD_SET(&cell, NEIGHBOUR, pci, code);
        if (rxlev > 0 && rxlev <= 63)
            RECORD_SET(&cell, NEIGHBOUR, rssi_dbm, rxlev - 111.0);
        add_cell(list, &cell);
    }
}

unsigned qmi_take_cells(QmiState *state, const QmiTlvs *tlvs, Neighbour *neighbours, unsigned room)
{
    CellList list = {.list = neighbours, .room = room};
    take_lte_intra(state, tlvs, &list);
    take_lte_inter(tlvs, &list);
    take_nr(state, tlvs);
    take_umts(state, tlvs, &list);
    take_gsm(state, tlvs, &list);
    ByteReader advance = qmi_find(tlvs, 0x1e);
    guint32 value = byte_read_u32_le(&advance);
    if (byte_reader_done(&advance) && state->rat == RAT_LTE && value <= 1282)
        RECORD_SET(&state->cell, SAMPLE, timing_advance, value);
    return list.n;
}
