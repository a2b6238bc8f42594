/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/mbim-answer.h"

#include <math.h>
#include <string.h>

#define ANSWER(name) static guint32 name(const RigModem *modem, int version, MbimStruct *s)

enum { CLASS_GPRS = 1, CLASS_UMTS = 4, CLASS_LTE = 0x20, CLASS_NSA = 0x40, CLASS_SA = 0x80 };

const guint8 mbim_uuids[MBIM_SERVICE_COUNT][16] = {{0xa2, 0x89, 0xcc, 0x33, 0xbc, 0xbb, 0x8b, 0x4f,
                                                    0xb6, 0xb0, 0x13, 0x3e, 0xc2, 0xaa, 0xe6, 0xdf},
                                                   {0x3d, 0x01, 0xdc, 0xc5, 0xfe, 0xf5, 0x4d, 0x05,
                                                    0x0d, 0x3a, 0xbe, 0xf7, 0x05, 0x8e, 0x9a, 0xaf},
                                                   {0xd1, 0xa3, 0x0b, 0xc2, 0xf9, 0x7a, 0x6e, 0x43,
                                                    0xbf, 0x65, 0xc7, 0xe2, 0x4f, 0xb0, 0xf0, 0xd3},
                                                   {0x83, 0x8c, 0xf7, 0xfb, 0x8d, 0x0d, 0x4d, 0x7f,
                                                    0x87, 0x1e, 0xd7, 0x1d, 0xbe, 0xfb, 0xb3,
                                                    0x9b}};

static guint32 class_of(Rat rat)
{
    static const guint32 classes[RAT_COUNT] = {[RAT_GSM] = CLASS_GPRS,
                                               [RAT_UMTS] = CLASS_UMTS,
                                               [RAT_LTE] = CLASS_LTE,
                                               [RAT_NR_NSA] = CLASS_NSA,
                                               [RAT_NR_SA] = CLASS_SA};
    return classes[rat];
}

/* Extensions 3 know one class for 5G and say by a subclass how it is used. */
static guint32 class_in(Rat rat, int version)
{
    return version >= 3 && rat == RAT_NR_SA ? CLASS_NSA : class_of(rat);
}

static guint32 subclass_of(Rat rat)
{
    return rat == RAT_NR_NSA ? 1 : rat == RAT_NR_SA ? 2 : 0; /* EN-DC, NR */
}

static gboolean is_lte(const RadioState *radio)
{
    return radio->rat == RAT_LTE || radio->rat == RAT_NR_NSA;
}

ANSWER(answer_caps)
{
    (void)version;
    mbim_u32(s, 1); /* embedded */
    mbim_u32(s, 1); /* GSM class */
    mbim_u32(s, 1); /* no voice */
    mbim_u32(s, 2); /* removable SIM */
    mbim_u32(s, CLASS_UMTS | CLASS_LTE | (modem->plan->endc ? CLASS_NSA | CLASS_SA : 0));
    mbim_u32(s, 0);
    mbim_u32(s, 1);
    mbim_u32(s, 1);
    mbim_nothing(s);
    mbim_text(s, modem->plan->imei);
    mbim_text(s, modem->plan->revision);
    mbim_text(s, modem->plan->model);
    return 0;
}

/* MBIMEx 3: DataClass has one bit for all of 5G, the subclass says which; no offsets, but TLVs. */
static void answer_caps_tlvs(const RigModem *modem, MbimStruct *s)
{
    static const guint16 lte_bands[] = {1, 3, 7, 8, 20, 28}, nr_bands[] = {28, 78};
    gboolean nr = modem->plan->endc;
    mbim_u32(s, 1);
    mbim_u32(s, 1);
    mbim_u32(s, 1);
    mbim_u32(s, 2);
    mbim_u32(s, CLASS_UMTS | CLASS_LTE | (nr ? 0x40 : 0));
    mbim_u32(s, 0);
    mbim_u32(s, 1);
    mbim_u64(s, nr ? 3 : 0); /* EN-DC, NR */
    mbim_u32(s, 1);
    mbim_u32(s, 0); /* executor */
    mbim_u32(s, 0); /* WCDMA bands */
    mbim_tlv_u16s(s, lte_bands, G_N_ELEMENTS(lte_bands));
    mbim_tlv_u16s(s, nr_bands, nr ? G_N_ELEMENTS(nr_bands) : 0);
    mbim_tlv_text(s, "");
    mbim_tlv_text(s, modem->plan->imei);
    mbim_tlv_text(s, modem->plan->revision);
    mbim_tlv_text(s, modem->plan->model);
}

ANSWER(answer_caps_extended)
{
    if (version >= 3) {
        answer_caps_tlvs(modem, s);
        return 0;
    }
    answer_caps(modem, version, s);
    mbim_u32(s, 0); /* executor */
    return 0;
}

ANSWER(answer_subscriber)
{
    gboolean sim = modem->radio->sim;
    mbim_u32(s, sim ? 1 : 2); /* initialized, SIM not inserted */
    if (version >= 3)
        mbim_u32(s, 0);
    mbim_text(s, sim ? modem->plan->imsi : "");
    mbim_text(s, sim ? modem->plan->iccid : "");
    mbim_u32(s, 0);
    mbim_u32(s, 0);
    return 0;
}

ANSWER(answer_radio)
{
    (void)modem;
    (void)version;
    mbim_u32(s, 1);
    mbim_u32(s, 1);
    return 0;
}

ANSWER(answer_pin)
{
    (void)version;
    mbim_u32(s, 2);                   /* PIN 1 */
    mbim_u32(s, 0);                   /* unlocked */
    mbim_u32(s, 3);                   /* attempts left */
    return modem->radio->sim ? 0 : 3; /* SIM not inserted */
}

ANSWER(answer_home)
{
    (void)version;
    mbim_text(s, modem->radio->sim ? modem->radio->plmn : "");
    mbim_u32(s, 1); /* home */
    mbim_text(s, modem->plan->operator_name);
    mbim_u32(s, 1);
    mbim_u32(s, 99);
    mbim_u32(s, 99);
    return modem->radio->sim ? 0 : 3; /* SIM not inserted */
}

ANSWER(answer_register)
{
    const RadioState *radio = modem->radio;
    gboolean on = radio->rat != RAT_NONE;
    mbim_u32(s, 0);
    mbim_u32(s, !on ? 2 : radio->roaming ? 4 : 3); /* searching, roaming, home */
    mbim_u32(s, 1);                                /* automatic */
    mbim_u32(s, class_of(radio->rat));
    mbim_u32(s, 1);
    mbim_text(s, on ? radio->plmn : "");
    mbim_text(s, on ? modem->plan->operator_name : "");
    mbim_nothing(s);
    mbim_u32(s, 0);
    if (version >= 2)
        mbim_u32(s, 0xffffffff);
    return 0;
}

ANSWER(answer_packet)
{
    const RadioState *radio = modem->radio;
    gboolean on = radio->rat != RAT_NONE;
    mbim_u32(s, 0);
    mbim_u32(s, on ? 2 : 4); /* attached, detached */
    mbim_u32(s, class_in(radio->rat, version));
    mbim_u64(s, 50000000);
    mbim_u64(s, 300000000);
    if (version >= 2)
        mbim_u32(s, radio->leg.cell != NULL ? 1 : 0); /* FR1 */
    if (version >= 3) {
        mbim_u32(s, subclass_of(radio->rat));
        mbim_u32(s, 0); /* MCC and MNC of the tracking area */
        mbim_u32(s, on ? (guint32)radio->serving.cell->tac : 0);
    }
    return 0;
}

/* RSSI 0..31 = -113..-51 dBm in 2 dB steps, 99 unknown (3GPP TS 27.007, 8.5). */
static guint32 rssi_code(double dbm)
{
    return (guint32)CLAMP(lround((dbm + 113) / 2), 0, 31);
}

/* RSRP = -157 + code, SNR = -23.5 + code / 2 (MBIM extensions 2, MBIM_RSRP_SNR_INFO). */
static void put_rsrp_snr(GByteArray *list, const CellLevel *level, guint32 system, gboolean known)
{
    MbimStruct *s = mbim_struct_new();
    mbim_u32(s, known ? (guint32)lround(level->rsrp_dbm + 157) : 0xffffffff);
    mbim_u32(s, known ? (guint32)lround(2 * (level->sinr_db + 23.5)) : 0xffffffff);
    mbim_u32(s, 0xffffffff);
    mbim_u32(s, 0xffffffff);
    mbim_u32(s, system);
    g_autoptr(GByteArray) bytes = mbim_struct_end(s);
    g_byte_array_append(list, bytes->data, bytes->len);
}

ANSWER(answer_signal)
{
    const RadioState *radio = modem->radio;
    gboolean on = radio->rat != RAT_NONE;
    gboolean known = modem_fault(modem, FAULT_SENTINEL) == NULL;
    mbim_u32(s, on && known ? rssi_code(radio->serving.rssi_dbm) : 99);
    mbim_u32(s, 99);
    mbim_u32(s, 5);
    mbim_u32(s, 2);
    mbim_u32(s, 0xffffffff);
    if (version < 2)
        return 0;
    guint32 n = (guint32)((is_lte(radio) || radio->rat == RAT_NR_SA) + (radio->leg.cell != NULL));
    if (n == 0) {
        mbim_nothing(s);
        return 0;
    }
    MbimStruct *count = mbim_struct_new();
    mbim_u32(count, n);
    g_autoptr(GByteArray) list = mbim_struct_end(count);
    if (radio->leg.cell != NULL)
        put_rsrp_snr(list, &radio->leg, CLASS_NSA, known);
    put_rsrp_snr(list, &radio->serving, radio->rat == RAT_NR_SA ? CLASS_SA : CLASS_LTE, known);
    mbim_bytes(s, list);
    return 0;
}

ANSWER(answer_connect)
{
    (void)version;
    mbim_u32(s, 0);
    mbim_u32(s, modem->radio->rat != RAT_NONE ? 1 : 3);
    mbim_u32(s, 0);
    mbim_u32(s, 1);
    for (int i = 0; i < 4; i++)
        mbim_u32(s, 0);
    mbim_u32(s, 0);
    return 0;
}

ANSWER(answer_statistics)
{
    (void)version;
    mbim_u32(s, 0);
    mbim_u32(s, 0);
    mbim_u64(s, modem->radio->rx_bytes);
    mbim_u64(s, modem->radio->rx_bytes / 1000);
    mbim_u64(s, modem->radio->tx_bytes);
    mbim_u64(s, modem->radio->tx_bytes / 500);
    mbim_u32(s, 0);
    mbim_u32(s, 0);
    return 0;
}

static MbimStruct *lte_serving(const RadioState *radio, gboolean known)
{
    const CellLevel *level = &radio->serving;
    MbimStruct *s = mbim_struct_new();
    mbim_text(s, radio->plmn);
    mbim_u32(s, known ? (guint32)level->cell->cell_id : 0xffffffff);
    mbim_u32(s, (guint32)level->cell->arfcn);
    mbim_u32(s, (guint32)level->cell->pci);
    mbim_u32(s, known ? (guint32)level->cell->tac : 0xffffffff);
    mbim_i32(s, known ? level->rsrp_dbm : -1);
    mbim_i32(s, known ? level->rsrq_db : -1);
    mbim_u32(s, 0xffffffff);
    return s;
}

static MbimStruct *umts_serving(const RadioState *radio)
{
    const CellLevel *level = &radio->serving;
    MbimStruct *s = mbim_struct_new();
    mbim_text(s, radio->plmn);
    mbim_u32(s, (guint32)level->cell->tac);
    mbim_u32(s, (guint32)level->cell->cell_id);
    for (int i = 0; i < 3; i++)
        mbim_u32(s, 0xffffffff);
    mbim_u32(s, (guint32)level->cell->arfcn);
    mbim_u32(s, (guint32)level->cell->pci);
    mbim_i32(s, level->rsrp_dbm);
    mbim_i32(s, level->rsrp_dbm - level->rssi_dbm);
    mbim_u32(s, 0xffffffff);
    return s;
}

static void append_struct(GByteArray *list, MbimStruct *s)
{
    g_autoptr(GByteArray) bytes = mbim_struct_end(s);
    g_byte_array_append(list, bytes->data, bytes->len);
}

/* Elements follow each other, each with its own texts behind it: the layout that libmbim 1.28
 * reads wrong (it gives the first one N times), so clients must walk the bytes. */
static GByteArray *lte_neighbours(const RadioState *radio)
{
    MbimStruct *count = mbim_struct_new();
    mbim_u32(count, radio->n_neighbours);
    GByteArray *list = mbim_struct_end(count);
    for (guint i = 0; i < radio->n_neighbours; i++) {
        const CellLevel *level = &radio->neighbours[i];
        MbimStruct *s = mbim_struct_new();
        mbim_text(s, radio->plmn);
        mbim_u32(s, (guint32)level->cell->cell_id);
        mbim_u32(s, (guint32)level->cell->arfcn);
        mbim_u32(s, (guint32)level->cell->pci);
        mbim_u32(s, (guint32)level->cell->tac);
        mbim_i32(s, level->rsrp_dbm);
        mbim_i32(s, level->rsrq_db);
        append_struct(list, s);
    }
    return list;
}

/* NR: RSRP = -156 + code, RSRQ = -43 + code, SINR = -23 + code (MBIM extensions 3). */
static GByteArray *nr_serving(const RadioState *radio, const CellLevel *level, gboolean known)
{
    MbimStruct *count = mbim_struct_new();
    mbim_u32(count, 1);
    GByteArray *list = mbim_struct_end(count);
    MbimStruct *s = mbim_struct_new();
    mbim_text(s, radio->plmn);
    mbim_u64(s, known ? (guint64)level->cell->cell_id : G_MAXUINT64);
    mbim_u32(s, (guint32)level->cell->pci);
    mbim_u32(s, (guint32)level->cell->arfcn);
    mbim_u32(s, known ? (guint32)level->cell->tac : 0xffffffff);
    mbim_u32(s, known ? (guint32)lround(level->rsrp_dbm + 156) : 0xffffffff);
    mbim_u32(s, known ? (guint32)lround(level->rsrq_db + 43) : 0xffffffff);
    mbim_u32(s, known ? (guint32)lround(level->sinr_db + 23) : 0xffffffff);
    mbim_u64(s, G_MAXUINT64);
    append_struct(list, s);
    return list;
}

ANSWER(answer_base_stations)
{
    const RadioState *radio = modem->radio;
    gboolean known = modem_fault(modem, FAULT_SENTINEL) == NULL;
    const CellLevel *nr = radio->rat == RAT_NR_SA ? &radio->serving : &radio->leg;
    mbim_u32(s, class_in(radio->rat, version));
    if (version >= 3)
        mbim_u32(s, subclass_of(radio->rat));
    mbim_nothing(s); /* GSM */
    if (radio->rat == RAT_UMTS)
        mbim_struct(s, umts_serving(radio));
    else
        mbim_nothing(s);
    mbim_nothing(s); /* TD-SCDMA */
    if (is_lte(radio))
        mbim_struct(s, lte_serving(radio, known));
    else
        mbim_nothing(s);
    for (int i = 0; i < 3; i++)
        mbim_nothing(s); /* neighbours of GSM, UMTS, TD-SCDMA */
    if (is_lte(radio) && radio->n_neighbours > 0) {
        g_autoptr(GByteArray) list = lte_neighbours(radio);
        mbim_bytes(s, list);
    } else {
        mbim_nothing(s);
    }
    mbim_nothing(s); /* CDMA */
    if (version < 3)
        return 0;
    if (nr->cell != NULL) {
        g_autoptr(GByteArray) list = nr_serving(radio, nr, known);
        mbim_bytes(s, list);
    } else {
        mbim_nothing(s);
    }
    mbim_nothing(s);
    return 0;
}

ANSWER(answer_location)
{
    (void)version;
    const Cell *cell = modem->radio->serving.cell;
    gboolean lac = cell != NULL && (cell->rat == RAT_UMTS || cell->rat == RAT_GSM);
    mbim_u32(s, lac ? (guint32)cell->tac : 0xffffffff);
    mbim_u32(s, cell != NULL && !lac ? (guint32)cell->tac : 0xffffffff);
    mbim_u32(s, cell != NULL ? (guint32)cell->cell_id : 0xffffffff);
    return 0;
}

const MbimAnswerRow mbim_answers[] = {{MBIM_BASIC, 1, answer_caps},
                                      {MBIM_BASIC, 2, answer_subscriber},
                                      {MBIM_BASIC, 3, answer_radio},
                                      {MBIM_BASIC, 4, answer_pin},
                                      {MBIM_BASIC, 6, answer_home},
                                      {MBIM_BASIC, 9, answer_register},
                                      {MBIM_BASIC, 10, answer_packet},
                                      {MBIM_BASIC, 11, answer_signal},
                                      {MBIM_BASIC, 12, answer_connect},
                                      {MBIM_BASIC, 20, answer_statistics},
                                      {MBIM_EXTENSIONS, 6, answer_caps_extended},
                                      {MBIM_EXTENSIONS, 11, answer_base_stations},
                                      {MBIM_EXTENSIONS, 12, answer_location},
                                      {MBIM_BASIC, 0, NULL}};

MbimAnswer mbim_find_answer(MbimServiceId service, guint32 cid)
{
    for (const MbimAnswerRow *row = mbim_answers; row->answer != NULL; row++) {
        if (row->service == service && row->cid == cid)
            return row->answer;
    }
    return NULL;
}
