/* SPDX-License-Identifier: Apache-2.0 */
/* Network access service: what the modem hears. TLV numbers as libqmi 1.32 reads them. */
#include "tests/rig/qmi-answer.h"

#include <math.h>
#include <string.h>

/* QmiNasRadioInterface */
enum { RADIO_NONE = 0, RADIO_GSM = 4, RADIO_UMTS = 5, RADIO_LTE = 8, RADIO_NR = 12 };

#define NR_NOT_AVAILABLE (-32768)

typedef struct {
    guint16 band, code;
} BandCode;

/* QmiNasActiveBand of E-UTRA and NR bands. */
static const BandCode lte_bands[] = {
    {1, 120},  {2, 121},  {3, 122},  {4, 123},  {5, 124},  {7, 126},  {8, 127},  {12, 131},
    {13, 132}, {14, 133}, {17, 134}, {18, 143}, {19, 144}, {20, 145}, {21, 146}, {25, 148},
    {26, 153}, {28, 158}, {29, 159}, {30, 160}, {31, 165}, {32, 154}, {38, 140}, {39, 141},
    {40, 142}, {41, 149}, {42, 150}, {43, 151}, {46, 163}, {48, 167}, {66, 161}, {71, 168}};
static const BandCode nr_bands[] = {{1, 250},   {2, 251},   {3, 252},  {5, 253},  {7, 254},
                                    {8, 255},   {20, 256},  {28, 257}, {38, 258}, {41, 259},
                                    {66, 262},  {71, 264},  {77, 268}, {78, 269}, {79, 270},
                                    {257, 277}, {258, 278}, {260, 280}};

static guint16 band_code(const Cell *cell)
{
    gboolean nr = cell->rat == RAT_NR_NSA || cell->rat == RAT_NR_SA;
    const BandCode *codes = nr ? nr_bands : lte_bands;
    gsize n = nr ? G_N_ELEMENTS(nr_bands) : G_N_ELEMENTS(lte_bands);
    for (gsize i = 0; i < n; i++) {
        if (codes[i].band == cell->band)
            return codes[i].code;
    }
    return cell->rat == RAT_UMTS ? 80 : cell->rat == RAT_GSM ? 45 : codes[0].code;
}

static guint8 radio_of(Rat rat)
{
    static const guint8 radios[RAT_COUNT] = {[RAT_GSM] = RADIO_GSM,
                                             [RAT_UMTS] = RADIO_UMTS,
                                             [RAT_LTE] = RADIO_LTE,
                                             [RAT_NR_NSA] = RADIO_LTE,
                                             [RAT_NR_SA] = RADIO_NR};
    return radios[rat];
}

static gboolean is_lte(const RadioState *radio)
{
    return radio->rat == RAT_LTE || radio->rat == RAT_NR_NSA;
}

static void put_nr_levels(GByteArray *out, const CellLevel *level)
{
    qmi_tlv_begin(out, 0x17);
    put_i16(out, level->cell != NULL ? level->rsrp_dbm : NR_NOT_AVAILABLE);
    put_i16(out, level->cell != NULL ? level->sinr_db * 10 : NR_NOT_AVAILABLE);
    qmi_tlv_end(out);
    qmi_tlv_begin(out, 0x18);
    put_i16(out, level->cell != NULL ? level->rsrq_db : NR_NOT_AVAILABLE);
    qmi_tlv_end(out);
}

static void signal_info(const RigModem *modem, GByteArray *out)
{
    const RadioState *radio = modem->radio;
    const CellLevel *s = &radio->serving;
    CellLevel none = {.cell = NULL};
    gboolean sentinel = modem_fault(modem, FAULT_SENTINEL) != NULL;
    if (is_lte(radio)) {
        qmi_tlv_begin(out, 0x14);
        put_u8(out, (guint8)(gint8)(sentinel ? -125 : s->rssi_dbm));
        put_u8(out, (guint8)(gint8)(sentinel ? -128 : s->rsrq_db));
        put_i16(out, sentinel ? -32768 : s->rsrp_dbm);
        put_i16(out, sentinel ? -32768 : s->sinr_db * 10);
        qmi_tlv_end(out);
        /* Modems with a 5G part send these always. */
        if (modem->plan->endc)
            put_nr_levels(out, sentinel ? &none : &radio->leg);
    } else if (radio->rat == RAT_NR_SA) {
        put_nr_levels(out, sentinel ? &none : s);
    } else if (radio->rat == RAT_UMTS) {
        qmi_tlv_begin(out, 0x13);
        put_u8(out, (guint8)(gint8)s->rssi_dbm);
        put_i16(out, -2 * (s->rsrp_dbm - s->rssi_dbm)); /* Ec/Io in -0.5 dB */
        qmi_tlv_end(out);
    } else if (radio->rat == RAT_GSM) {
        qmi_tlv_u8(out, 0x12, (guint8)(gint8)s->rsrp_dbm);
    }
}

static guint16 answer_signal_info(const RigModem *modem, const QmiMessageView *request,
                                  GByteArray *out)
{
    (void)request;
    if (modem->radio->rat == RAT_NONE)
        return QMI_ERROR_UNAVAILABLE;
    signal_info(modem, out);
    return QMI_OK;
}

void qmi_indicate_signal_info(const RigModem *modem, GByteArray *out)
{
    signal_info(modem, out);
}

static void put_plmn_name(GByteArray *out, const RigModem *modem)
{
    const char *plmn = modem->radio->plmn;
    g_autofree char *mcc = g_strndup(plmn, 3);
    put_u16(out, (guint16)g_ascii_strtoull(mcc, NULL, 10));
    put_u16(out, (guint16)g_ascii_strtoull(plmn + 3, NULL, 10));
    put_short_text(out, modem->plan->operator_name);
}

/* `shift` 1 in the indication, whose TLV numbers are one higher from 0x1C on. */
static void serving_system(const RigModem *modem, GByteArray *out, guint8 shift)
{
    const RadioState *radio = modem->radio;
    gboolean on = radio->rat != RAT_NONE;
    gboolean sentinel = modem_fault(modem, FAULT_SENTINEL) != NULL;
    qmi_tlv_begin(out, 0x01);
    put_u8(out, on ? 1 : 2); /* registered, searching */
    put_u8(out, on ? 1 : 2); /* circuit-switched attached */
    put_u8(out, on ? 1 : 2); /* packet-switched attached */
    put_u8(out, on ? 2 : 0); /* 3GPP */
    put_u8(out, 1);
    put_u8(out, radio_of(radio->rat));
    qmi_tlv_end(out);
    if (!on)
        return;
    const Cell *cell = radio->serving.cell;
    qmi_tlv_u8(out, 0x10, radio->roaming ? 0 : 1);
    qmi_tlv_begin(out, 0x12);
    put_plmn_name(out, modem);
    qmi_tlv_end(out);
    qmi_tlv_u32(out, 0x1d + shift, sentinel ? 0xffffffff : (guint32)cell->cell_id);
    if (cell->rat == RAT_LTE)
        qmi_tlv_u16(out, 0x24 + shift, sentinel ? 0xffff : (guint16)cell->tac);
    else
        qmi_tlv_u16(out, 0x1c + shift, sentinel ? 0xffff : (guint16)cell->tac);
}

static guint16 answer_serving_system(const RigModem *modem, const QmiMessageView *request,
                                     GByteArray *out)
{
    (void)request;
    serving_system(modem, out, 0);
    return QMI_OK;
}

void qmi_indicate_serving_system(const RigModem *modem, GByteArray *out)
{
    serving_system(modem, out, 1);
}

static void put_service_status(GByteArray *out, guint8 type, gboolean on)
{
    qmi_tlv_begin(out, type);
    put_u8(out, on ? 2 : 0);
    put_u8(out, on ? 2 : 0);
    put_u8(out, on ? 1 : 0);
    qmi_tlv_end(out);
}

/* The part that LTE, NR and UMTS system information have in common. */
static void put_system_common(GByteArray *out, const RigModem *modem)
{
    const RadioState *radio = modem->radio;
    const Cell *cell = radio->serving.cell;
    gboolean sentinel = modem_fault(modem, FAULT_SENTINEL) != NULL;
    char mnc[4] = {0};
    put_u8(out, 1);
    put_u8(out, 3); /* both domains */
    put_u8(out, 1);
    put_u8(out, 3);
    put_u8(out, 1);
    put_u8(out, radio->roaming ? 1 : 0);
    put_u8(out, 1);
    put_u8(out, 0); /* not forbidden */
    put_u8(out, cell->rat == RAT_UMTS || cell->rat == RAT_GSM);
    put_u16(out, (guint16)cell->tac);
    put_u8(out, 1);
    put_u32(out, sentinel ? 0xffffffff : (guint32)cell->cell_id);
    put_u8(out, 0); /* nothing refused */
    put_u8(out, 0);
    put_u8(out, 0);
    put_u8(out, 1);
    g_byte_array_append(out, (const guint8 *)radio->plmn, 3);
    memcpy(mnc, radio->plmn + 3, strlen(radio->plmn + 3));
    if (mnc[2] == '\0')
        mnc[2] = (char)0xff; /* two digits */
    g_byte_array_append(out, (const guint8 *)mnc, 3);
}

static void system_info(const RigModem *modem, GByteArray *out, gboolean indication)
{
    const RadioState *radio = modem->radio;
    const Cell *cell = radio->serving.cell;
    gboolean sentinel = modem_fault(modem, FAULT_SENTINEL) != NULL;
    put_service_status(out, 0x12, radio->rat == RAT_GSM);
    put_service_status(out, 0x13, radio->rat == RAT_UMTS);
    put_service_status(out, 0x14, is_lte(radio));
    if (is_lte(radio)) {
        qmi_tlv_begin(out, 0x19);
        put_system_common(out, modem);
        put_u8(out, 1);
        put_u16(out, sentinel ? 0xffff : (guint16)cell->tac);
        qmi_tlv_end(out);
    } else if (radio->rat == RAT_UMTS) {
        qmi_tlv_begin(out, 0x18);
        put_system_common(out, modem);
        put_u8(out, 0);
        put_u8(out, 0);
        put_u8(out, 0);
        put_u8(out, 0);
        put_u8(out, 1);
        put_u16(out, (guint16)cell->pci);
        qmi_tlv_end(out);
    } else if (radio->rat == RAT_GSM) {
        qmi_tlv_begin(out, 0x17);
        put_system_common(out, modem);
        for (int i = 0; i < 4; i++)
            put_u8(out, 0);
        qmi_tlv_end(out);
    }
    put_service_status(out, indication ? 0x4c : 0x4a, radio->rat == RAT_NR_SA);
    if (radio->rat == RAT_NR_SA) {
        qmi_tlv_begin(out, indication ? 0x4d : 0x4b);
        put_system_common(out, modem);
        put_u8(out, 0); /* 16 bits do not hold an NR tracking area: see the next */
        put_u16(out, 0xffff);
        qmi_tlv_end(out);
        gint64 tac = sentinel ? 0xffffff : cell->tac;
        qmi_tlv_begin(out, indication ? 0x52 : 0x50);
        for (int shift = 16; shift >= 0; shift -= 8)
            put_u8(out, (guint8)(tac >> shift));
        qmi_tlv_end(out);
    }
    qmi_tlv_u8(out, indication ? 0x50 : 0x4e, radio->leg.cell != NULL);
}

static guint16 answer_system_info(const RigModem *modem, const QmiMessageView *request,
                                  GByteArray *out)
{
    (void)request;
    system_info(modem, out, FALSE);
    return QMI_OK;
}

void qmi_indicate_system_info(const RigModem *modem, GByteArray *out)
{
    system_info(modem, out, TRUE);
}

static guint16 answer_rf_band(const RigModem *modem, const QmiMessageView *request, GByteArray *out)
{
    (void)request;
    const RadioState *radio = modem->radio;
    const CellLevel *both[] = {&radio->serving, &radio->leg};
    guint8 n = (guint8)((radio->serving.cell != NULL) + (radio->leg.cell != NULL));
    if (n == 0)
        return QMI_ERROR_UNAVAILABLE;
    static const struct {
        int khz, code;
    } widths[] = {{1400, 0}, {3000, 1}, {5000, 2}, {10000, 3}, {15000, 4}, {20000, 5}};
    const guint8 types[] = {0x01, 0x11, 0x12};
    for (gsize t = 0; t < G_N_ELEMENTS(types); t++) {
        qmi_tlv_begin(out, types[t]);
        put_u8(out, n);
        for (guint8 i = 0; i < n; i++) {
            const Cell *cell = both[i]->cell;
            put_u8(out, i == 0 ? radio_of(radio->rat) : RADIO_NR);
            if (types[t] == 0x12) {
                guint32 code = 5;
                for (gsize w = 0; w < G_N_ELEMENTS(widths); w++) {
                    if (widths[w].khz == cell->bandwidth_khz)
                        code = (guint32)widths[w].code;
                }
                put_u32(out, code);
                continue;
            }
            put_u16(out, band_code(cell));
            if (types[t] == 0x11)
                put_u32(out, (guint32)cell->arfcn);
            else
                put_u16(out, (guint16)cell->arfcn); /* the trap: bits beyond 16 are lost */
        }
        qmi_tlv_end(out);
    }
    return QMI_OK;
}

static void put_lte_cell(GByteArray *out, const CellLevel *level, gboolean sentinel)
{
    put_u16(out, (guint16)level->cell->pci);
    put_i16(out, sentinel ? -32768 : level->rsrq_db * 10);
    put_i16(out, sentinel ? -32768 : level->rsrp_dbm * 10);
    put_i16(out, sentinel ? -32768 : level->rssi_dbm * 10);
    put_i16(out, 20);
}

static void put_intra(GByteArray *out, const RigModem *modem, gboolean sentinel)
{
    const RadioState *radio = modem->radio;
    const Cell *cell = radio->serving.cell;
    guint8 n = 1;
    for (guint i = 0; i < radio->n_neighbours; i++)
        n = (guint8)(n + (radio->neighbours[i].cell->arfcn == cell->arfcn));
    qmi_tlv_begin(out, 0x13);
    put_u8(out, 0);
    put_plmn_bcd(out, radio->plmn);
    put_u16(out, sentinel ? 0xffff : (guint16)cell->tac);
    put_u32(out, sentinel ? 0xffffffff : (guint32)cell->cell_id);
    put_u16(out, (guint16)cell->arfcn);
    put_u16(out, (guint16)cell->pci);
    for (int i = 0; i < 4; i++)
        put_u8(out, 0); /* priority and thresholds */
    put_u8(out, n);
    put_lte_cell(out, &radio->serving, sentinel);
    for (guint i = 0; i < radio->n_neighbours; i++) {
        if (radio->neighbours[i].cell->arfcn == cell->arfcn)
            put_lte_cell(out, &radio->neighbours[i], sentinel);
    }
    qmi_tlv_end(out);
    qmi_tlv_u32(out, 0x27, (guint32)cell->arfcn);
}

/* Neighbours on other channels, a list for each channel. */
static void put_inter(GByteArray *out, const RigModem *modem)
{
    const RadioState *radio = modem->radio;
    gint64 channels[WORLD_NEIGHBOURS];
    guint8 n = 0;
    for (guint i = 0; i < radio->n_neighbours; i++) {
        gint64 arfcn = radio->neighbours[i].cell->arfcn;
        gboolean known = arfcn == radio->serving.cell->arfcn;
        for (guint8 c = 0; c < n; c++)
            known = known || channels[c] == arfcn;
        if (!known)
            channels[n++] = arfcn;
    }
    qmi_tlv_begin(out, 0x14);
    put_u8(out, 0);
    put_u8(out, n);
    for (guint8 c = 0; c < n; c++) {
        guint8 cells = 0;
        for (guint i = 0; i < radio->n_neighbours; i++)
            cells = (guint8)(cells + (radio->neighbours[i].cell->arfcn == channels[c]));
        put_u16(out, (guint16)channels[c]);
        put_u8(out, 0);
        put_u8(out, 0);
        put_u8(out, 0);
        put_u8(out, cells);
        for (guint i = 0; i < radio->n_neighbours; i++) {
            if (radio->neighbours[i].cell->arfcn == channels[c])
                put_lte_cell(out, &radio->neighbours[i], FALSE);
        }
    }
    qmi_tlv_end(out);
    qmi_tlv_begin(out, 0x28);
    put_u8(out, n);
    for (guint8 c = 0; c < n; c++)
        put_u32(out, (guint32)channels[c]);
    qmi_tlv_end(out);
}

static void put_nr_cell(GByteArray *out, const char *plmn, const CellLevel *level,
                        gboolean sentinel)
{
    const Cell *cell = level->cell;
    gint64 tac = sentinel ? 0xffffff : cell->tac;
    qmi_tlv_u32(out, 0x2e, (guint32)cell->arfcn);
    qmi_tlv_begin(out, 0x2f);
    put_plmn_bcd(out, plmn);
    for (int shift = 16; shift >= 0; shift -= 8)
        put_u8(out, (guint8)(tac >> shift));
    put_u64(out, sentinel ? G_MAXUINT64 : (guint64)cell->cell_id);
    put_u16(out, (guint16)cell->pci);
    put_i16(out, sentinel ? NR_NOT_AVAILABLE : level->rsrq_db * 10);
    put_i16(out, sentinel ? NR_NOT_AVAILABLE : level->rsrp_dbm * 10);
    put_i16(out, sentinel ? NR_NOT_AVAILABLE : level->sinr_db * 10);
    qmi_tlv_end(out);
}

static guint16 answer_cell_location(const RigModem *modem, const QmiMessageView *request,
                                    GByteArray *out)
{
    (void)request;
    const RadioState *radio = modem->radio;
    gboolean sentinel = modem_fault(modem, FAULT_SENTINEL) != NULL;
    if (radio->rat == RAT_NONE)
        return QMI_ERROR_UNAVAILABLE;
    if (is_lte(radio)) {
        put_intra(out, modem, sentinel);
        put_inter(out, modem);
    }
    if (radio->rat == RAT_NR_SA)
        put_nr_cell(out, radio->plmn, &radio->serving, sentinel);
    else if (radio->leg.cell != NULL)
        put_nr_cell(out, radio->plmn, &radio->leg, sentinel);
    if (radio->rat == RAT_UMTS) {
        const Cell *cell = radio->serving.cell;
        qmi_tlv_begin(out, 0x11);
        put_u16(out, (guint16)cell->cell_id);
        put_plmn_bcd(out, radio->plmn);
        put_u16(out, (guint16)cell->tac);
        put_u16(out, (guint16)cell->arfcn);
        put_u16(out, (guint16)cell->pci);
        put_i16(out, radio->serving.rsrp_dbm);
        put_i16(out, 2 * (radio->serving.rsrp_dbm - radio->serving.rssi_dbm));
        put_u8(out, 0);
        put_u8(out, 0);
        qmi_tlv_end(out);
    }
    return QMI_OK;
}

static guint16 answer_tx_rx(const RigModem *modem, const QmiMessageView *request, GByteArray *out)
{
    gsize length = 0;
    const guint8 *asked = qmi_message_tlv(request, 0x01, &length);
    const RadioState *radio = modem->radio;
    guint8 now = radio_of(radio->rat);
    gboolean leg = asked != NULL && length == 1 && asked[0] == RADIO_NR && radio->leg.cell != NULL;
    if (asked == NULL || length != 1 || now == RADIO_NONE || (asked[0] != now && !leg))
        return QMI_ERROR_UNAVAILABLE;
    const CellLevel *level = leg ? &radio->leg : &radio->serving;
    for (guint8 chain = 0; chain < 2; chain++) {
        double rsrp = level->rsrp_dbm - 2 * chain;
        qmi_tlv_begin(out, (guint8)(0x10 + chain));
        put_u8(out, 1);
        put_u32(out, (guint32)(gint32)lround(10 * (level->rssi_dbm - 2 * chain)));
        put_u32(out, (guint32)(gint32)lround(10 * level->rsrq_db));
        put_u32(out, (guint32)(gint32)lround(10 * rsrp));
        put_u32(out, (guint32)(gint32)lround(10 * rsrp));
        put_u32(out, 0);
        qmi_tlv_end(out);
    }
    qmi_tlv_begin(out, 0x12);
    put_u8(out, 1);
    put_u32(out, (guint32)(gint32)lround(10 * CLAMP(-level->rsrp_dbm - 90, -40, 23)));
    qmi_tlv_end(out);
    return QMI_OK;
}

static guint32 width_code(int khz)
{
    return khz >= 20000 ? 5 : khz >= 15000 ? 4 : khz >= 10000 ? 3 : khz >= 5000 ? 2 : 1;
}

static void put_carrier(GByteArray *out, const Cell *cell)
{
    put_u16(out, (guint16)cell->pci);
    put_u16(out, (guint16)cell->arfcn);
    put_u32(out, width_code(cell->bandwidth_khz));
    put_u16(out, band_code(cell));
}

static guint16 answer_carriers(const RigModem *modem, const QmiMessageView *request,
                               GByteArray *out)
{
    (void)request;
    const RadioState *radio = modem->radio;
    if (!is_lte(radio))
        return QMI_ERROR_UNAVAILABLE;
    qmi_tlv_begin(out, 0x13);
    put_carrier(out, radio->serving.cell);
    qmi_tlv_end(out);
    qmi_tlv_u32(out, 0x11, width_code(radio->serving.cell->bandwidth_khz));
    if (radio->n_carriers > 0) {
        qmi_tlv_begin(out, 0x15);
        put_u8(out, (guint8)radio->n_carriers);
        for (guint8 i = 0; i < radio->n_carriers; i++) {
            put_carrier(out, radio->carriers[i].cell);
            put_u32(out, 2); /* activated */
            put_u8(out, (guint8)(i + 1));
        }
        qmi_tlv_end(out);
    }
    return QMI_OK;
}

static guint16 answer_home_network(const RigModem *modem, const QmiMessageView *request,
                                   GByteArray *out)
{
    (void)request;
    if (!modem->radio->sim)
        return QMI_ERROR_SIM;
    qmi_tlv_begin(out, 0x01);
    put_plmn_name(out, modem);
    qmi_tlv_end(out);
    return QMI_OK;
}

static guint16 answer_nothing(const RigModem *modem, const QmiMessageView *request, GByteArray *out)
{
    (void)modem;
    (void)request;
    (void)out;
    return QMI_OK;
}

const QmiAnswerRow qmi_answers_nas[] = {
    {QMI_NAS, 0x0002, answer_nothing}, /* event report */
    {QMI_NAS, 0x0003, answer_nothing}, /* register indications: noted by the session */
    {QMI_NAS, 0x0024, answer_serving_system},
    {QMI_NAS, 0x0025, answer_home_network},
    {QMI_NAS, 0x0031, answer_rf_band},
    {QMI_NAS, 0x0034, answer_nothing}, /* system selection preference */
    {QMI_NAS, 0x0043, answer_cell_location},
    {QMI_NAS, 0x004d, answer_system_info},
    {QMI_NAS, 0x004f, answer_signal_info},
    {QMI_NAS, 0x0050, answer_nothing}, /* config signal info */
    {QMI_NAS, 0x005a, answer_tx_rx},
    {QMI_NAS, 0x006c, answer_nothing}, /* config signal info 2 */
    {QMI_NAS, 0x00ac, answer_carriers},
    {0, 0, NULL}};
