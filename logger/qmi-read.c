/* SPDX-License-Identifier: Apache-2.0 */
/* QMI messages that stand alone: carriers, antennas, counters, names. */
#include "logger/qmi-convert.h"

#include <math.h>
#include <string.h>

static gboolean read_carrier(ByteReader *reader, Carrier *carrier)
{
    static const gint64 width_khz[] = {1400, 3000, 5000, 10000, 15000, 20000};
    *carrier = (Carrier){.known = 0};
    guint16 pci = byte_read_u16_le(reader);
    guint16 channel = byte_read_u16_le(reader);
    guint32 width = byte_read_u32_le(reader);
    int band = qmi_band(byte_read_u16_le(reader));
    if (reader->failed)
        return FALSE;
    RECORD_SET(carrier, CARRIER, rat, RAT_LTE);
    if (pci <= 503)
        RECORD_SET(carrier, CARRIER, pci, pci);
    /* 16 bits: channels of band 65 and up begin at 65536 (TS 36.101 5.7.3). */
    if (channel != 0xffff && band < 65)
        RECORD_SET(carrier, CARRIER, arfcn, channel);
    if (band > 0)
        RECORD_SET(carrier, CARRIER, band, band);
    if (width < G_N_ELEMENTS(width_khz))
        RECORD_SET(carrier, CARRIER, bandwidth_khz, width_khz[width]);
    return TRUE;
}

unsigned qmi_read_carriers(const QmiTlvs *tlvs, Carrier *carriers, unsigned room)
{
    unsigned n = 0;
    ByteReader reader = qmi_find(tlvs, 0x13);
    if (room > 0 && read_carrier(&reader, &carriers[0])) {
        RECORD_SET(&carriers[0], CARRIER, number, 0);
        RECORD_SET(&carriers[0], CARRIER, active, 1);
        n = 1;
    }
    reader = qmi_find(tlvs, 0x15);
    gboolean list = !reader.failed;
    if (!list)
        reader = qmi_find(tlvs, 0x12); /* firmware that tells only one */
    guint8 count = list ? byte_read_u8(&reader) : 1;
    for (guint8 i = 0; n > 0 && i < count && n < room; i++) {
        Carrier *carrier = &carriers[n];
        if (!read_carrier(&reader, carrier))
            break;
        guint32 state = byte_read_u32_le(&reader);
        guint8 index = list ? byte_read_u8(&reader) : 1;
        if (reader.failed)
            break;
        if (state == 0) /* deconfigured */
            continue;
        RECORD_SET(carrier, CARRIER, number, index != 0 ? index : i + 1);
        RECORD_SET(carrier, CARRIER, active, state == 2 ? 1 : 0);
        n++;
    }
    return n;
}

unsigned qmi_read_chains(const QmiTlvs *tlvs, Rat rat, Antenna *chains, unsigned room,
                         double *tx_power_dbm)
{
    static const guint8 types[QMI_CHAINS] = {0x10, 0x11, 0x15, 0x16};
    unsigned n = 0;
    for (unsigned i = 0; i < QMI_CHAINS && n < room; i++) {
        ByteReader reader = qmi_find(tlvs, types[i]);
        guint8 tuned = byte_read_u8(&reader);
        gint32 rx = (gint32)byte_read_u32_le(&reader), ecio = (gint32)byte_read_u32_le(&reader),
               rscp = (gint32)byte_read_u32_le(&reader), rsrp = (gint32)byte_read_u32_le(&reader);
        if (!byte_reader_done(&reader) || tuned == 0)
            continue;
        Antenna *chain = &chains[n];
        *chain = (Antenna){.known = 0};
        RECORD_SET(chain, ANTENNA, chain, i);
        RECORD_SET(chain, ANTENNA, rat, (int)rat);
        if (rx > -1300 && rx < -100)
            RECORD_SET(chain, ANTENNA, rx_power_dbm, rx / 10.0);
        if (rat != RAT_UMTS && rsrp > -1560 && rsrp < -310)
            RECORD_SET(chain, ANTENNA, rsrp_dbm, rsrp / 10.0);
        if (rat == RAT_UMTS && ecio >= -240 && ecio <= 0)
            RECORD_SET(chain, ANTENNA, ecio_db, ecio / 10.0);
        if (rat == RAT_UMTS && rscp > -1200 && rscp < -240)
            RECORD_SET(chain, ANTENNA, rscp_dbm, rscp / 10.0);
        n++;
    }
    *tx_power_dbm = (double)NAN;
    ByteReader reader = qmi_find(tlvs, 0x12);
    guint8 sending = byte_read_u8(&reader);
    gint32 power = (gint32)byte_read_u32_le(&reader);
    if (byte_reader_done(&reader) && sending != 0 && power >= -500 && power <= 330)
        *tx_power_dbm = power / 10.0;
    return n;
}

gboolean qmi_read_statistics(const QmiTlvs *tlvs, gint64 *rx_bytes, gint64 *tx_bytes)
{
    ByteReader tx = qmi_find(tlvs, 0x19), rx = qmi_find(tlvs, 0x1a);
    guint64 sent = byte_read_u64_le(&tx), received = byte_read_u64_le(&rx);
    if (!byte_reader_done(&tx) || !byte_reader_done(&rx) || sent > G_MAXINT64 ||
        received > G_MAXINT64)
        return FALSE;
    *tx_bytes = (gint64)sent;
    *rx_bytes = (gint64)received;
    return TRUE;
}

const char *qmi_read_bearer(const QmiTlvs *tlvs)
{
    /* QmiWdsDataBearerTechnology */
    static const char *const names[] = {NULL,  "cdma1x", "1xevdo", "GPRS",    "WCDMA",
                                        NULL,  "EDGE",   "HSDPA",  "HSUPA",   "HSPA",
                                        "LTE", "eHRPD",  "HSPA+",  "DC-HSPA+"};
    ByteReader reader = qmi_find(tlvs, 0x01);
    guint8 code = byte_read_u8(&reader);
    return byte_reader_done(&reader) && code < G_N_ELEMENTS(names) ? names[code] : NULL;
}

const char *qmi_read_systems(const QmiTlvs *tlvs)
{
    /* QmiDsdDataSystemNetworkType, QmiDsdRadioAccessTechnology, QmiDsd3gppSoMask */
    enum { NETWORK_3GPP = 0, RAT_CODE_LTE = 3, RAT_CODE_5G = 6 };
    const guint64 lte_ca_dl = G_GUINT64_CONSTANT(1) << 16U, sa = G_GUINT64_CONSTANT(1) << 44U;
    const guint64 nsa = G_GUINT64_CONSTANT(1) << 43U;
    ByteReader reader = qmi_find(tlvs, 0x10);
    guint8 n = byte_read_u8(&reader);
    gboolean lte = FALSE, nr = FALSE;
    guint64 mask = 0;
    for (guint8 i = 0; i < n; i++) {
        guint32 network = byte_read_u32_le(&reader), radio = byte_read_u32_le(&reader);
        guint64 options = byte_read_u64_le(&reader);
        if (reader.failed)
            break;
        if (network != NETWORK_3GPP || (radio != RAT_CODE_LTE && radio != RAT_CODE_5G))
            continue;
        lte = lte || radio == RAT_CODE_LTE;
        nr = nr || radio == RAT_CODE_5G;
        mask |= options;
    }
    if (nr && (mask & sa) == 0 && (lte || (mask & nsa) != 0))
        return "LTE+NR";
    if (nr)
        return "NR";
    return !lte ? NULL : (mask & lte_ca_dl) != 0 ? "LTE-CA" : "LTE";
}

int qmi_read_sim(const QmiTlvs *tlvs)
{
    ByteReader reader = qmi_find(tlvs, 0x10);
    byte_read_skip(&reader, 8);
    guint8 cards = byte_read_u8(&reader);
    guint8 state = byte_read_u8(&reader);
    if (!byte_reader_done(&reader))
        return -1;
    return cards > 0 && state == 1 ? 1 : 0;
}

char *qmi_read_text(const QmiTlvs *tlvs, guint8 type)
{
    ByteReader reader = qmi_find(tlvs, type);
    gsize n = byte_reader_left(&reader);
    const uint8_t *text = byte_read_run(&reader, n);
    if (text == NULL || n == 0 || !g_utf8_validate((const char *)text, (gssize)n, NULL))
        return NULL;
    return g_strndup((const char *)text, n);
}
