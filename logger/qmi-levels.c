/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levels (NAS Get Signal Info), and the sample that they make with what is known of the cell.
 */
#include "logger/modem-sample.h"
#include "logger/qmi-state.h"

#define NR_UNKNOWN (-32768)

/* All that signal information may hold, each in the columns it belongs to. */
typedef struct {
    Sample lte, nr, umts, gsm;
} Levels;

static void read_lte_levels(const QmiTlvs *tlvs, Sample *out)
{
    ByteReader reader = qmi_find(tlvs, 0x14);
    gint8 rssi = (gint8)byte_read_u8(&reader), rsrq = (gint8)byte_read_u8(&reader);
    gint16 rsrp = qmi_read_i16(&reader), snr = qmi_read_i16(&reader);
    if (!byte_reader_done(&reader))
        return;
    if (rsrp > -140 && rsrp < -43)
        RECORD_SET(out, SAMPLE, rsrp_dbm, rsrp);
    else
        return; /* the others mean nothing without a cell */
    if (rssi > -120 && rssi < -10)
        RECORD_SET(out, SAMPLE, rssi_dbm, rssi);
    if (rsrq >= -34 && rsrq <= 2)
        RECORD_SET(out, SAMPLE, rsrq_db, rsrq);
    if (snr >= -230 && snr <= 400)
        RECORD_SET(out, SAMPLE, sinr_db, qmi_tenth(snr));
}

static void read_nr_levels(const QmiTlvs *tlvs, Sample *out)
{
    ByteReader reader = qmi_find(tlvs, 0x17);
    gint16 rsrp = qmi_read_i16(&reader), snr = qmi_read_i16(&reader);
    if (!byte_reader_done(&reader) || rsrp <= -156 || rsrp >= -31 || rsrp == NR_UNKNOWN)
        return;
    RECORD_SET(out, SAMPLE, rsrp_dbm, rsrp);
    if (snr >= -230 && snr <= 400)
        RECORD_SET(out, SAMPLE, sinr_db, qmi_tenth(snr));
    reader = qmi_find(tlvs, 0x18);
    gint16 rsrq = qmi_read_i16(&reader);
    if (byte_reader_done(&reader) && rsrq >= -43 && rsrq <= 20)
        RECORD_SET(out, SAMPLE, rsrq_db, rsrq);
}

static void read_old_levels(const QmiTlvs *tlvs, Levels *levels)
{
    ByteReader reader = qmi_find(tlvs, 0x13);
    gint8 rssi = (gint8)byte_read_u8(&reader);
    gint16 ecio = qmi_read_i16(&reader);
    if (byte_reader_done(&reader) && rssi > -121 && rssi < -10) {
        RECORD_SET(&levels->umts, SAMPLE, rssi_dbm, rssi);
        if (ecio >= 0 && ecio <= 48) { /* in -0.5 dB */
            RECORD_SET(&levels->umts, SAMPLE, ecio_db, ecio / -2.0);
            /* RSCP = RSSI + Ec/Io (TS 25.215 5.1.5); signal information has it only from
             * firmware that libqmi 1.32 cannot tell. */
            RECORD_SET(&levels->umts, SAMPLE, rscp_dbm, rssi + ecio / -2.0);
        }
    }
    reader = qmi_find(tlvs, 0x12);
    gint8 level = (gint8)byte_read_u8(&reader);
    if (byte_reader_done(&reader) && level > -113 && level < -46)
        RECORD_SET(&levels->gsm, SAMPLE, rxlev_dbm, level);
}

#define COPY(to, from, to_field, from_field)                                                       \
    do {                                                                                           \
        if (RECORD_HAS((from), SAMPLE, from_field))                                                \
            RECORD_SET((to), SAMPLE, to_field, (from)->from_field);                                \
    } while (0)

static void copy_levels(Sample *to, const Sample *from)
{
    COPY(to, from, rsrp_dbm, rsrp_dbm);
    COPY(to, from, rsrq_db, rsrq_db);
    COPY(to, from, sinr_db, sinr_db);
    COPY(to, from, rssi_dbm, rssi_dbm);
    COPY(to, from, rscp_dbm, rscp_dbm);
    COPY(to, from, ecio_db, ecio_db);
    COPY(to, from, rxlev_dbm, rxlev_dbm);
}

static void copy_leg(Sample *to, const QmiState *state, const Sample *levels)
{
    COPY(to, levels, nr_rsrp_dbm, rsrp_dbm);
    COPY(to, levels, nr_rsrq_db, rsrq_db);
    COPY(to, levels, nr_sinr_db, sinr_db);
    COPY(to, &state->leg, nr_cell_id, nr_cell_id);
    COPY(to, &state->leg, nr_pci, nr_pci);
    COPY(to, &state->leg, nr_arfcn, nr_arfcn);
    COPY(to, &state->leg, nr_band, nr_band);
}

/* Of the cell list; what a later sample does not hear itself it must not take from there again. */
static const guint64 list_levels =
    RECORD_BIT(SAMPLE, rscp_dbm) | RECORD_BIT(SAMPLE, ecio_db) | RECORD_BIT(SAMPLE, rxlev_dbm);

gboolean qmi_make_sample(QmiState *state, const QmiTlvs *tlvs, Sample *sample)
{
    Levels levels = {.lte = {.known = 0}};
    if (tlvs != NULL) {
        read_lte_levels(tlvs, &levels.lte);
        read_nr_levels(tlvs, &levels.nr);
        read_old_levels(tlvs, &levels);
    }
    Rat rat = state->rat;
    if (state->service == SERVICE_UNKNOWN)
        rat = levels.lte.known != 0    ? RAT_LTE
              : levels.nr.known != 0   ? RAT_NR_SA
              : levels.umts.known != 0 ? RAT_UMTS
              : levels.gsm.known != 0  ? RAT_GSM
                                       : RAT_UNKNOWN;
    if (rat == RAT_UNKNOWN && state->service == SERVICE_UNKNOWN)
        return FALSE;
    *sample = (Sample){.known = 0};
    if (state->service == SERVICE_NONE || rat == RAT_NONE) {
        RECORD_SET(sample, SAMPLE, rat, RAT_NONE);
        RECORD_SET(sample, SAMPLE, service, SERVICE_NONE);
        return TRUE;
    }
    *sample = state->cell;
    state->cell.known &= ~list_levels;
    const Sample *own = rat == RAT_LTE     ? &levels.lte
                        : rat == RAT_NR_SA ? &levels.nr
                        : rat == RAT_UMTS  ? &levels.umts
                                           : &levels.gsm;
    copy_levels(sample, own);
    gboolean leg = rat == RAT_LTE && levels.lte.known != 0 && levels.nr.known != 0;
    if (leg)
        copy_leg(sample, state, &levels.nr);
    if (leg)
        rat = RAT_NR_NSA;
    modem_sample_end(sample, rat, state->service, state->plmn);
    return TRUE;
}
