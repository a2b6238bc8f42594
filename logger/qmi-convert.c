/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/radio.h"
#include "logger/qmi-state.h"

#include <string.h>

/* QmiNasRadioInterface */
enum { RADIO_GSM = 4, RADIO_UMTS = 5, RADIO_LTE = 8, RADIO_NR = 12 };
/* QmiNasServiceStatus */
enum { STATUS_NO_SERVICE, STATUS_LIMITED_SERVICE, STATUS_AVAILABLE, STATUS_LIMITED_REGIONAL };

gboolean qmi_tlvs_read(QmiTlvs *tlvs, const guint8 *frame, gsize length)
{
    ByteReader reader = byte_reader(frame, length);
    guint8 marker = byte_read_u8(&reader);
    guint16 rest = byte_read_u16_le(&reader);
    byte_read_skip(&reader, 1);
    tlvs->service = byte_read_u8(&reader);
    byte_read_skip(&reader, 1);
    guint8 flags = byte_read_u8(&reader);
    byte_read_skip(&reader, 2);
    tlvs->message = byte_read_u16_le(&reader);
    guint16 size = byte_read_u16_le(&reader);
    tlvs->indication = (flags & 0x04) != 0;
    tlvs->length = size;
    tlvs->tlvs = byte_read_run(&reader, size);
    return byte_reader_done(&reader) && marker == 1 && (gsize)rest + 1 <= length &&
           tlvs->service != 0;
}

ByteReader qmi_find(const QmiTlvs *tlvs, guint8 type)
{
    ByteReader reader = byte_reader(tlvs->tlvs, tlvs->length);
    while (byte_reader_left(&reader) >= 3) {
        guint8 this_type = byte_read_u8(&reader);
        guint16 length = byte_read_u16_le(&reader);
        const uint8_t *value = byte_read_run(&reader, length);
        if (reader.failed)
            break;
        if (this_type == type)
            return byte_reader(value, length);
    }
    ByteReader none = byte_reader(NULL, 0);
    none.failed = true;
    return none;
}

int qmi_result(const QmiTlvs *tlvs)
{
    ByteReader reader = qmi_find(tlvs, 0x02);
    guint16 status = byte_read_u16_le(&reader);
    guint16 code = byte_read_u16_le(&reader);
    if (!byte_reader_done(&reader))
        return -1;
    return status == 0 ? 0 : code;
}

/* --- what network, what cell --- */

static Rat rat_of_radio(guint8 radio)
{
    switch (radio) {
    case RADIO_GSM:
        return RAT_GSM;
    case RADIO_UMTS:
        return RAT_UMTS;
    case RADIO_LTE:
        return RAT_LTE;
    case RADIO_NR:
        return RAT_NR_SA;
    default:
        return RAT_NONE;
    }
}

static void forget_cell(QmiState *state)
{
    state->cell.known &= RECORD_BIT(SAMPLE, roaming); /* the network's, not the cell's */
    state->leg.known = 0;
}

static void set_service(QmiState *state, ServiceState service, Rat rat)
{
    if (service == SERVICE_NONE)
        rat = RAT_NONE;
    if (rat != state->rat)
        forget_cell(state);
    state->rat = rat;
    state->service = service;
}

/* A new identity makes channel and physical identity of the old cell wrong. */
void qmi_set_cell_id(QmiState *state, gint64 id)
{
    if (RECORD_HAS(&state->cell, SAMPLE, cell_id) && state->cell.cell_id == id)
        return;
    if (RECORD_HAS(&state->cell, SAMPLE, cell_id)) {
        forget_cell(state);
        state->cell_changed = TRUE;
    }
    RECORD_SET(&state->cell, SAMPLE, cell_id, id);
}

/* Messages older than NR have room for 32 of its 36 bits: these only show that the cell changed. */
static void set_short_cell_id(QmiState *state, guint32 id)
{
    if (state->rat != RAT_NR_SA) {
        qmi_set_cell_id(state, id);
    } else if (RECORD_HAS(&state->cell, SAMPLE, cell_id) && (guint32)state->cell.cell_id != id) {
        forget_cell(state);
        state->cell_changed = TRUE;
    }
}

static void set_text(char *to, gsize size, const char *text, gboolean *changed)
{
    if (strcmp(to, text) == 0)
        return;
    g_strlcpy(to, text, size);
    *changed = TRUE;
}

/* MNC digits are not told by mcc16, mnc16: two where nothing else is known, three in the countries
 * that use three (ITU E.212: North America, parts of Latin America, India). */
static gboolean three_digits(unsigned mcc, unsigned mnc)
{
    return mnc > 99 || mcc == 302 || (mcc >= 310 && mcc <= 316) || mcc == 334 || mcc == 338 ||
           mcc == 342 || mcc == 344 || mcc == 346 || mcc == 348 || mcc == 352 || mcc == 354 ||
           mcc == 356 || mcc == 358 || mcc == 360 || mcc == 365 || mcc == 366 || mcc == 376 ||
           mcc == 405 || mcc == 708 || mcc == 722 || mcc == 732;
}

void qmi_set_plmn(QmiState *state, const char *plmn)
{
    if (radio_is_plmn(plmn))
        set_text(state->plmn, sizeof state->plmn, plmn, &state->registration_changed);
}

static void set_plmn_numbers(QmiState *state, unsigned mcc, unsigned mnc)
{
    char text[16];
    if (mcc == 0 || mcc > 999 || mnc > 999)
        return;
    if (strlen(state->plmn) >= 5 && g_ascii_strtoull(state->plmn + 3, NULL, 10) == mnc &&
        (unsigned)g_ascii_strtoull(state->plmn, NULL, 10) /
                (strlen(state->plmn) == 6 ? 1000 : 100) ==
            mcc)
        return; /* the digits are known already */
    g_snprintf(text, sizeof text, three_digits(mcc, mnc) ? "%03u%03u" : "%03u%02u", mcc, mnc);
    qmi_set_plmn(state, text);
}

/* Three bytes of BCD (3GPP TS 24.008, 10.5.1.13). FALSE for none. */
gboolean qmi_read_plmn(ByteReader *reader, char plmn[8])
{
    const uint8_t *b = byte_read_run(reader, 3);
    if (b == NULL)
        return FALSE;
    const unsigned digits[] = {b[0] & 15U, b[0] >> 4U, b[1] & 15U,
                               b[2] & 15U, b[2] >> 4U, b[1] >> 4U};
    unsigned n = digits[5] == 15 ? 5 : 6;
    for (unsigned i = 0; i < n; i++) {
        if (digits[i] > 9)
            return FALSE;
        plmn[i] = (char)('0' + digits[i]);
    }
    plmn[n] = '\0';
    return strncmp(plmn, "000", 3) != 0;
}

static const char *registration_name(guint8 code, gboolean roaming)
{
    switch (code) {
    case 0:
        return "not-registered";
    case 1:
        return roaming ? "roaming" : "home";
    case 2:
        return "searching";
    case 3:
        return "denied";
    default:
        return "unknown";
    }
}

static void read_name(QmiState *state, ByteReader *reader)
{
    guint8 n = byte_read_u8(reader);
    const uint8_t *text = byte_read_run(reader, n);
    if (text == NULL || n == 0 || !g_utf8_validate((const char *)text, n, NULL))
        return;
    char name[64];
    g_strlcpy(name, (const char *)text, MIN((gsize)n + 1, sizeof name));
    set_text(state->network_name, sizeof state->network_name, name, &state->registration_changed);
}

gboolean qmi_take_serving_system(QmiState *state, const QmiTlvs *tlvs)
{
    /* From 0x1C on the numbers of the indication are one higher. */
    guint8 shift = tlvs->indication ? 1 : 0;
    ByteReader reader = qmi_find(tlvs, 0x01);
    guint8 registered = byte_read_u8(&reader);
    byte_read_skip(&reader, 1);
    guint8 ps = byte_read_u8(&reader);
    byte_read_skip(&reader, 1);
    guint8 n = byte_read_u8(&reader);
    Rat rat = RAT_NONE;
    for (guint8 i = 0; i < n; i++) {
        Rat other = rat_of_radio(byte_read_u8(&reader));
        /* LTE beside NR is EN-DC: the anchor is the main part. */
        if (rat == RAT_NONE || (rat == RAT_NR_SA && other == RAT_LTE))
            rat = other;
    }
    if (!byte_reader_done(&reader))
        return FALSE;
    ByteReader roam = qmi_find(tlvs, 0x10);
    guint8 roaming_code = byte_read_u8(&roam);
    gboolean roaming = byte_reader_done(&roam) && roaming_code == 0;
    if (registered == 1 && rat != RAT_NONE)
        set_service(state, SERVICE_OK, rat);
    else if (registered == 1)
        state->service = SERVICE_OK;
    else if (state->service != SERVICE_LIMITED)
        set_service(state, SERVICE_NONE, RAT_NONE);
    set_text(state->state, sizeof state->state, registration_name(registered, roaming),
             &state->registration_changed);
    if (!state->ps_known || state->ps_attached != (ps == 1))
        state->registration_changed = TRUE;
    state->ps_known = ps != 0;
    state->ps_attached = ps == 1;
    if (registered != 1)
        return TRUE;
    ByteReader cid = qmi_find(tlvs, (guint8)(0x1d + shift));
    guint32 cell_id = byte_read_u32_le(&cid);
    if (byte_reader_done(&cid) && cell_id != 0xffffffff)
        set_short_cell_id(state, cell_id);
    ByteReader plmn = qmi_find(tlvs, 0x12);
    guint16 mcc = byte_read_u16_le(&plmn), mnc = byte_read_u16_le(&plmn);
    if (byte_reader_done(&plmn)) {
        set_plmn_numbers(state, mcc, mnc);
        read_name(state, &plmn);
    }
    ByteReader tac = qmi_find(tlvs, (guint8)((rat == RAT_LTE ? 0x24 : 0x1c) + shift));
    guint16 code = byte_read_u16_le(&tac);
    if (byte_reader_done(&tac) && code != 0xffff && code != 0xfffe && rat != RAT_NR_SA)
        RECORD_SET(&state->cell, SAMPLE, tac, code);
    if (byte_reader_done(&roam))
        RECORD_SET(&state->cell, SAMPLE, roaming, roaming ? 1 : 0);
    return TRUE;
}

/* The part that GSM, UMTS, LTE and NR system information begin with. */
static void take_system(QmiState *state, ByteReader reader, gboolean lte)
{
    byte_read_skip(&reader, 4);
    guint8 roaming_valid = byte_read_u8(&reader), roaming = byte_read_u8(&reader);
    byte_read_skip(&reader, 2);
    guint8 lac_valid = byte_read_u8(&reader);
    guint16 lac = byte_read_u16_le(&reader);
    guint8 cid_valid = byte_read_u8(&reader);
    guint32 cid = byte_read_u32_le(&reader);
    byte_read_skip(&reader, 3);
    guint8 network_valid = byte_read_u8(&reader);
    const uint8_t *digits = byte_read_run(&reader, 6);
    if (!byte_reader_done(&reader))
        return;
    guint8 tac_valid = lte ? byte_read_u8(&reader) : 0;
    guint16 tac = lte ? byte_read_u16_le(&reader) : 0;
    if (reader.failed)
        tac_valid = 0;
    if (cid_valid != 0 && cid != 0xffffffff)
        set_short_cell_id(state, cid);
    if (tac_valid != 0 && tac != 0xffff && tac != 0xfffe)
        RECORD_SET(&state->cell, SAMPLE, tac, tac);
    else if (!lte && lac_valid != 0 && lac != 0xffff && lac != 0xfffe)
        RECORD_SET(&state->cell, SAMPLE, tac, lac);
    if (roaming_valid != 0)
        RECORD_SET(&state->cell, SAMPLE, roaming, roaming != 0 ? 1 : 0);
    if (network_valid != 0) {
        char plmn[8] = {0};
        for (int i = 0; i < 6 && g_ascii_isdigit(digits[i]); i++)
            plmn[i] = (char)digits[i];
        qmi_set_plmn(state, plmn);
    }
}

gboolean qmi_take_system_info(QmiState *state, const QmiTlvs *tlvs)
{
    const struct {
        Rat rat;
        guint8 status, info;
    } rows[] = {
        {RAT_LTE, 0x14, 0x19},
        {RAT_NR_SA, tlvs->indication ? 0x4c : 0x4a, tlvs->indication ? 0x4d : 0x4b},
        {RAT_UMTS, 0x13, 0x18},
        {RAT_GSM, 0x12, 0x17},
    };
    const guint8 nr_tac = tlvs->indication ? 0x52 : 0x50;
    ServiceState best = SERVICE_UNKNOWN;
    unsigned row = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        ByteReader reader = qmi_find(tlvs, rows[i].status);
        guint8 status = byte_read_u8(&reader);
        if (!byte_reader_done(&reader))
            continue;
        ServiceState service =
            status == STATUS_AVAILABLE ? SERVICE_OK
            : status == STATUS_LIMITED_SERVICE || status == STATUS_LIMITED_REGIONAL
                ? SERVICE_LIMITED
                : SERVICE_NONE;
        if (best == SERVICE_UNKNOWN || service < best) { /* OK < LIMITED < NONE */
            best = service;
            row = i;
        }
    }
    if (best == SERVICE_UNKNOWN)
        return FALSE;
    set_service(state, best, rows[row].rat);
    if (best == SERVICE_NONE)
        return TRUE;
    take_system(state, qmi_find(tlvs, rows[row].info), rows[row].rat == RAT_LTE);
    ByteReader reader = qmi_find(tlvs, nr_tac);
    const uint8_t *b = byte_read_run(&reader, 3);
    if (b != NULL && rows[row].rat == RAT_NR_SA) {
        gint64 tac = b[0] << 16 | b[1] << 8 | b[2];
        if (tac != 0xffffff)
            RECORD_SET(&state->cell, SAMPLE, tac, tac);
        else
            RECORD_UNSET(&state->cell, SAMPLE, tac);
    }
    return TRUE;
}

static const gint64 width_khz[] = {1400, 3000, 5000, 10000, 15000, 20000};

static void set_band(QmiState *state, gboolean leg, int band, gint64 channel)
{
    if (leg && band > 0)
        RECORD_SET(&state->leg, SAMPLE, nr_band, band);
    if (leg && channel > 0)
        RECORD_SET(&state->leg, SAMPLE, nr_arfcn, channel);
    if (!leg && band > 0)
        RECORD_SET(&state->cell, SAMPLE, band, band);
    if (!leg && channel >= 0)
        RECORD_SET(&state->cell, SAMPLE, arfcn, channel);
}

gboolean qmi_take_rf_band(QmiState *state, const QmiTlvs *tlvs)
{
    ByteReader reader = qmi_find(tlvs, 0x11);
    gboolean wide = !reader.failed;
    if (!wide)
        reader = qmi_find(tlvs, 0x01);
    guint8 n = byte_read_u8(&reader);
    gboolean any = FALSE;
    for (guint8 i = 0; i < n; i++) {
        Rat rat = rat_of_radio(byte_read_u8(&reader));
        int band = qmi_band(byte_read_u16_le(&reader));
        gint64 channel = wide ? byte_read_u32_le(&reader) : byte_read_u16_le(&reader);
        if (reader.failed)
            break;
        gboolean leg = rat == RAT_NR_SA && state->rat == RAT_LTE;
        /* 16 bits do not hold an NR-ARFCN, nor LTE channels of band 65 and up. */
        if (!wide && (rat == RAT_NR_SA || band >= 65 || channel == 0xffff))
            channel = -1;
        if (rat == state->rat || leg) {
            set_band(state, leg, band, channel);
            any = TRUE;
        }
    }
    reader = qmi_find(tlvs, 0x12);
    n = byte_read_u8(&reader);
    for (guint8 i = 0; i < n; i++) {
        Rat rat = rat_of_radio(byte_read_u8(&reader));
        guint32 code = byte_read_u32_le(&reader);
        /* The codes are LTE's; what a modem says of NR with them is not known to be true. */
        if (!reader.failed && rat == RAT_LTE && state->rat == RAT_LTE &&
            code < G_N_ELEMENTS(width_khz))
            RECORD_SET(&state->cell, SAMPLE, bandwidth_khz, width_khz[code]);
    }
    return any;
}
