/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/mbim-convert.h"
#include "formats/bytes.h"
#include "formats/radio.h"
#include "logger/modem-sample.h"

#include <math.h>
#include <string.h>

#define UNKNOWN 0xffffffffU

/* MBIM_DATA_CLASS */
enum { CLASS_2G = 0x03, CLASS_3G = 0x1c, CLASS_LTE = 0x20, CLASS_NSA = 0x40, CLASS_SA = 0x80 };

static guint32 u32_at(MbimBuffer buffer, gsize at)
{
    if (at + 4 > buffer.length)
        return UNKNOWN;
    ByteReader reader = byte_reader(buffer.data + at, 4);
    return byte_read_u32_le(&reader);
}

static guint64 u64_at(MbimBuffer buffer, gsize at)
{
    if (at + 8 > buffer.length)
        return G_MAXUINT64;
    ByteReader reader = byte_reader(buffer.data + at, 8);
    return byte_read_u64_le(&reader);
}

/* The part an offset-and-size pair points to; length 0 if there is none or it lies outside. */
static MbimBuffer part(MbimBuffer buffer, gsize at)
{
    guint32 offset = u32_at(buffer, at), size = u32_at(buffer, at + 4);
    if (at + 8 > buffer.length || offset == 0 || size == 0 || offset > buffer.length ||
        size > buffer.length - offset)
        return (MbimBuffer){NULL, 0};
    return (MbimBuffer){buffer.data + offset, size};
}

/* UTF-16LE text. Returns: (transfer full) (nullable). */
static char *text_at(MbimBuffer buffer, gsize at)
{
    MbimBuffer text = part(buffer, at);
    if (text.length < 2)
        return NULL;
    gunichar2 *units = g_new0(gunichar2, text.length / 2 + 1);
    for (gsize i = 0; i < text.length / 2; i++)
        units[i] = (gunichar2)(text.data[2 * i] | text.data[2 * i + 1] << 8);
    char *utf8 = g_utf16_to_utf8(units, (glong)(text.length / 2), NULL, NULL, NULL);
    g_free(units);
    if (utf8 == NULL || *utf8 == '\0')
        g_clear_pointer(&utf8, g_free);
    return utf8;
}

static void set_text(char *to, gsize size, const char *text, gboolean *changed)
{
    if (text == NULL || strcmp(to, text) == 0)
        return;
    g_strlcpy(to, text, size);
    *changed = TRUE;
}

static void set_rat(MbimState *state, Rat rat)
{
    if (rat != state->rat) {
        state->cell.known = 0;
        state->leg.known = 0;
    }
    state->rat = rat;
}

gboolean mbim_take_register(MbimState *state, MbimBuffer buffer)
{
    static const char *const names[] = {"unknown", "not-registered", "searching", "home",
                                        "roaming", "roaming",        "denied"};
    if (buffer.length < 48)
        return FALSE;
    guint32 code = u32_at(buffer, 4);
    if (code >= G_N_ELEMENTS(names))
        return FALSE;
    set_text(state->state, sizeof state->state, names[code], &state->registration_changed);
    gboolean on = code >= 3 && code <= 5;
    if (on) {
        g_autofree char *plmn = text_at(buffer, 20);
        g_autofree char *name = text_at(buffer, 28);
        if (plmn != NULL && radio_is_plmn(plmn))
            set_text(state->plmn, sizeof state->plmn, plmn, &state->registration_changed);
        set_text(state->network_name, sizeof state->network_name, name,
                 &state->registration_changed);
        state->service = SERVICE_OK;
        RECORD_SET(&state->cell, SAMPLE, roaming, code == 3 ? 0 : 1);
    } else if (code != 0) {
        state->service = SERVICE_NONE;
        set_rat(state, RAT_NONE);
    }
    return TRUE;
}

gboolean mbim_take_packet_service(MbimState *state, MbimBuffer buffer, int version)
{
    static const char *const names[] = {"unknown", "detached", "attached", "detached", "detached"};
    if (buffer.length < 28)
        return FALSE;
    guint32 code = u32_at(buffer, 4), class = u32_at(buffer, 8);
    if (code >= G_N_ELEMENTS(names))
        return FALSE;
    if (strcmp(state->packet_state, "connected") != 0 || code != 2)
        set_text(state->packet_state, sizeof state->packet_state, names[code],
                 &state->registration_changed);
    if (state->service == SERVICE_NONE || class == UNKNOWN)
        return TRUE;
    /* From extension 3 on one bit stands for all of 5G; base stations tell which. */
    if ((class & CLASS_SA) != 0 && version < 3)
        set_rat(state, RAT_NR_SA);
    else if ((class & CLASS_LTE) != 0 || ((class & CLASS_NSA) != 0 && version < 3))
        set_rat(state, RAT_LTE);
    else if ((class & CLASS_3G) != 0)
        set_rat(state, RAT_UMTS);
    else if ((class & CLASS_2G) != 0)
        set_rat(state, RAT_GSM);
    return TRUE;
}

gboolean mbim_take_connect(MbimState *state, MbimBuffer buffer)
{
    if (buffer.length < 36)
        return FALSE;
    if (u32_at(buffer, 4) == 1)
        set_text(state->packet_state, sizeof state->packet_state, "connected",
                 &state->registration_changed);
    else if (strcmp(state->packet_state, "connected") == 0)
        set_text(state->packet_state, sizeof state->packet_state, "attached",
                 &state->registration_changed);
    return TRUE;
}

gboolean mbim_take_statistics(MbimState *state, MbimBuffer buffer)
{
    guint64 in = u64_at(buffer, 8), out = u64_at(buffer, 24);
    if (buffer.length < 48 || in > G_MAXINT64 || out > G_MAXINT64)
        return FALSE;
    state->rx_bytes = (gint64)in;
    state->tx_bytes = (gint64)out;
    state->statistics_known = TRUE;
    return TRUE;
}

/* --- base stations --- */

static void set_cell_id(MbimState *state, gint64 id)
{
    if (RECORD_HAS(&state->cell, SAMPLE, cell_id) && state->cell.cell_id != id) {
        gboolean roaming_known = RECORD_HAS(&state->cell, SAMPLE, roaming);
        state->cell.known = roaming_known ? RECORD_BIT(SAMPLE, roaming) : 0;
        state->leg.known = 0;
    }
    RECORD_SET(&state->cell, SAMPLE, cell_id, id);
}

static void take_plmn(MbimState *state, MbimBuffer cell)
{
    g_autofree char *plmn = text_at(cell, 0);
    if (plmn != NULL && radio_is_plmn(plmn))
        set_text(state->plmn, sizeof state->plmn, plmn, &state->registration_changed);
}

static void take_lte(MbimState *state, MbimBuffer cell)
{
    if (cell.length < 36)
        return;
    take_plmn(state, cell);
    guint32 id = u32_at(cell, 8), channel = u32_at(cell, 12), pci = u32_at(cell, 16),
            tac = u32_at(cell, 20), advance = u32_at(cell, 32);
    gint32 rsrp = (gint32)u32_at(cell, 24), rsrq = (gint32)u32_at(cell, 28);
    if (id < (1U << 28U))
        set_cell_id(state, id);
    if (channel <= 262143)
        RECORD_SET(&state->cell, SAMPLE, arfcn, channel);
    if (pci <= 503)
        RECORD_SET(&state->cell, SAMPLE, pci, pci);
    if (tac < 0xfffe)
        RECORD_SET(&state->cell, SAMPLE, tac, tac);
    if (advance <= 1282)
        RECORD_SET(&state->cell, SAMPLE, timing_advance, advance);
    if (rsrp > -140 && rsrp < -43)
        RECORD_SET(&state->cell, SAMPLE, rsrp_dbm, rsrp);
    if (rsrq >= -34 && rsrq <= -1 && rsrp != -1 && rsrq != -1)
        RECORD_SET(&state->cell, SAMPLE, rsrq_db, rsrq);
}

static void take_umts(MbimState *state, MbimBuffer cell)
{
    if (cell.length < 44)
        return;
    take_plmn(state, cell);
    guint32 lac = u32_at(cell, 8), id = u32_at(cell, 12), channel = u32_at(cell, 28),
            code = u32_at(cell, 32);
    gint32 rscp = (gint32)u32_at(cell, 36), ecno = (gint32)u32_at(cell, 40);
    if (id < (1U << 28U))
        set_cell_id(state, id);
    if (lac < 0xfffe)
        RECORD_SET(&state->cell, SAMPLE, tac, lac);
    if (channel <= 16383)
        RECORD_SET(&state->cell, SAMPLE, arfcn, channel);
    if (code <= 511)
        RECORD_SET(&state->cell, SAMPLE, pci, code);
    if (rscp > -120 && rscp < -24)
        RECORD_SET(&state->cell, SAMPLE, rscp_dbm, rscp);
    if (ecno >= -24 && ecno <= -1)
        RECORD_SET(&state->cell, SAMPLE, ecio_db, ecno);
}

static void take_gsm(MbimState *state, MbimBuffer cell)
{
    if (cell.length < 32)
        return;
    take_plmn(state, cell);
    guint32 lac = u32_at(cell, 8), id = u32_at(cell, 12), advance = u32_at(cell, 16),
            channel = u32_at(cell, 20), bsic = u32_at(cell, 24), level = u32_at(cell, 28);
    if (id <= 0xffff)
        set_cell_id(state, id);
    if (lac < 0xfffe)
        RECORD_SET(&state->cell, SAMPLE, tac, lac);
    if (advance <= 63)
        RECORD_SET(&state->cell, SAMPLE, timing_advance, advance);
    if (channel <= 1023)
        RECORD_SET(&state->cell, SAMPLE, arfcn, channel);
    if (bsic <= 63)
        RECORD_SET(&state->cell, SAMPLE, pci, bsic);
    if (level > 0 && level <= 63)
        RECORD_SET(&state->cell, SAMPLE, rxlev_dbm, level - 111.0);
}

/* RSRP = code - 156, RSRQ = code - 43, SINR = code - 23. */
static void take_nr(MbimState *state, MbimBuffer list, gboolean leg)
{
    if (u32_at(list, 0) == 0 || list.length < 4 + 48)
        return;
    MbimBuffer cell = {list.data + 4, list.length - 4};
    guint64 id = u64_at(cell, 8);
    guint32 pci = u32_at(cell, 16), channel = u32_at(cell, 20), tac = u32_at(cell, 24),
            rsrp = u32_at(cell, 28), rsrq = u32_at(cell, 32), sinr = u32_at(cell, 36);
    gboolean has_id = id > 0 && id < (G_GUINT64_CONSTANT(1) << 36U);
    Sample *to = leg ? &state->leg : &state->cell;
    if (leg) {
        to->known = 0;
        if (has_id)
            RECORD_SET(to, SAMPLE, nr_cell_id, (gint64)id);
        if (pci <= 1007)
            RECORD_SET(to, SAMPLE, nr_pci, pci);
        if (channel <= 3279165)
            RECORD_SET(to, SAMPLE, nr_arfcn, channel);
        if (rsrp > 0 && rsrp < 126)
            RECORD_SET(to, SAMPLE, nr_rsrp_dbm, (double)rsrp - 156);
        if (rsrq <= 63)
            RECORD_SET(to, SAMPLE, nr_rsrq_db, (double)rsrq - 43);
        if (sinr <= 63)
            RECORD_SET(to, SAMPLE, nr_sinr_db, (double)sinr - 23);
        return;
    }
    take_plmn(state, cell);
    if (has_id)
        set_cell_id(state, (gint64)id);
    if (pci <= 1007)
        RECORD_SET(to, SAMPLE, pci, pci);
    if (channel <= 3279165)
        RECORD_SET(to, SAMPLE, arfcn, channel);
    if (tac < 0xffffff)
        RECORD_SET(to, SAMPLE, tac, tac);
    if (rsrp > 0 && rsrp < 126)
        RECORD_SET(to, SAMPLE, rsrp_dbm, (double)rsrp - 156);
    if (rsrq <= 63)
        RECORD_SET(to, SAMPLE, rsrq_db, (double)rsrq - 43);
    if (sinr <= 63)
        RECORD_SET(to, SAMPLE, sinr_db, (double)sinr - 23);
}

/* Where the next element begins: behind the texts of this one, unless the list is exactly its
 * fixed parts long, then texts lie elsewhere. */
static gsize next_element(MbimBuffer element, gsize fixed, gsize text_slot, gboolean packed)
{
    guint32 offset = u32_at(element, text_slot), size = u32_at(element, text_slot + 4);
    if (packed || offset == 0 || size == 0 || size > element.length)
        return fixed;
    return fixed + ((gsize)size + 3) / 4 * 4;
}

static unsigned lte_neighbours(MbimBuffer list, Neighbour *out, unsigned room)
{
    const gsize fixed = 32;
    guint32 count = u32_at(list, 0);
    gboolean packed = list.length == 4 + (guint64)count * fixed;
    unsigned n = 0;
    gsize at = 4;
    for (guint32 i = 0; i < count && n < room && at + fixed <= list.length; i++) {
        MbimBuffer cell = {list.data + at, list.length - at};
        guint32 id = u32_at(cell, 8), channel = u32_at(cell, 12), pci = u32_at(cell, 16);
        gint32 rsrp = (gint32)u32_at(cell, 24), rsrq = (gint32)u32_at(cell, 28);
        Neighbour *neighbour = &out[n];
        *neighbour = (Neighbour){.known = 0};
        RECORD_SET(neighbour, NEIGHBOUR, rat, RAT_LTE);
        if (id < (1U << 28U))
            RECORD_SET(neighbour, NEIGHBOUR, cell_id, id);
        if (channel <= 262143)
            RECORD_SET(neighbour, NEIGHBOUR, arfcn, channel);
        if (pci <= 503)
            RECORD_SET(neighbour, NEIGHBOUR, pci, pci);
        if (rsrp > -140 && rsrp < -43)
            RECORD_SET(neighbour, NEIGHBOUR, rsrp_dbm, rsrp);
        if (rsrq >= -34 && rsrq < -1)
            RECORD_SET(neighbour, NEIGHBOUR, rsrq_db, rsrq);
        n += RECORD_HAS(neighbour, NEIGHBOUR, pci) ? 1 : 0;
        at += next_element(cell, fixed, 0, packed);
    }
    return n;
}

/* Two texts each: provider and cell identity. */
static unsigned nr_neighbours(MbimBuffer list, Neighbour *out, unsigned room)
{
    const gsize fixed = 40;
    guint32 count = u32_at(list, 0);
    gboolean packed = list.length == 4 + (guint64)count * fixed;
    unsigned n = 0;
    gsize at = 4;
    for (guint32 i = 0; i < count && n < room && at + fixed <= list.length; i++) {
        MbimBuffer cell = {list.data + at, list.length - at};
        guint32 pci = u32_at(cell, 20), rsrp = u32_at(cell, 28), rsrq = u32_at(cell, 32),
                sinr = u32_at(cell, 36);
        Neighbour *neighbour = &out[n];
        *neighbour = (Neighbour){.known = 0};
        RECORD_SET(neighbour, NEIGHBOUR, rat, RAT_NR_SA);
        if (pci <= 1007)
            RECORD_SET(neighbour, NEIGHBOUR, pci, pci);
        if (rsrp > 0 && rsrp < 126)
            RECORD_SET(neighbour, NEIGHBOUR, rsrp_dbm, (double)rsrp - 156);
        if (rsrq <= 63)
            RECORD_SET(neighbour, NEIGHBOUR, rsrq_db, (double)rsrq - 43);
        if (sinr <= 63)
            RECORD_SET(neighbour, NEIGHBOUR, sinr_db, (double)sinr - 23);
        n += RECORD_HAS(neighbour, NEIGHBOUR, pci) ? 1 : 0;
        at += next_element(cell, fixed, 4, packed) + next_element(cell, fixed, 12, packed) - fixed;
    }
    return n;
}

gboolean mbim_take_base_stations(MbimState *state, MbimBuffer buffer, int version,
                                 Neighbour *neighbours, unsigned room, unsigned *n)
{
    *n = 0;
    /* Slots of offset and size; two more lists from extension 3 on. */
    const gsize first = version >= 3 ? 8 : 4;
    const gsize slots = version >= 3 ? 11 : 9;
    if (buffer.length < first + 8 * slots)
        return FALSE;
    MbimBuffer gsm = part(buffer, first), umts = part(buffer, first + 8),
               lte = part(buffer, first + 3 * 8), none = {NULL, 0};
    MbimBuffer nr = version >= 3 ? part(buffer, first + 9 * 8) : none;
    if (state->service != SERVICE_NONE) {
        if (lte.length > 0)
            set_rat(state, RAT_LTE);
        else if (nr.length > 0)
            set_rat(state, RAT_NR_SA);
        else if (umts.length > 0)
            set_rat(state, RAT_UMTS);
        else if (gsm.length > 0)
            set_rat(state, RAT_GSM);
        if (lte.length > 0)
            take_lte(state, lte);
        else if (umts.length > 0)
            take_umts(state, umts);
        else if (gsm.length > 0)
            take_gsm(state, gsm);
        if (nr.length > 0)
            take_nr(state, nr, lte.length > 0);
        else
            state->leg.known = 0;
    }
    *n = lte_neighbours(part(buffer, first + 7 * 8), neighbours, room);
    if (version >= 3)
        *n += nr_neighbours(part(buffer, first + 10 * 8), neighbours + *n, room - *n);
    return TRUE;
}

/* --- signal --- */

typedef struct {
    gboolean lte, nsa, sa;   /* told of */
    double rsrp[3], sinr[3]; /* in that order; NAN = unknown */
} Levels;

/* RSRP = code - 157 with 0..126, SNR = code / 2 - 23.5 with 0..127. Code 0 and 126 are "beyond the
 * scale". */
static void read_levels(MbimBuffer list, Levels *levels)
{
    guint32 count = u32_at(list, 0);
    for (gsize i = 0; i < count && 4 + (i + 1) * 20 <= list.length; i++) {
        gsize at = 4 + i * 20;
        guint32 rsrp = u32_at(list, at), snr = u32_at(list, at + 4), type = u32_at(list, at + 16);
        int row = (type & CLASS_LTE) != 0   ? 0
                  : (type & CLASS_NSA) != 0 ? 1
                  : (type & CLASS_SA) != 0  ? 2
                                            : -1;
        if (row < 0)
            continue;
        levels->lte |= row == 0;
        levels->nsa |= row == 1;
        levels->sa |= row == 2;
        if (rsrp > 0 && rsrp < 126)
            levels->rsrp[row] = (double)rsrp - 157;
        if (snr <= 127)
            levels->sinr[row] = snr / 2.0 - 23.5;
    }
}

static void put_main(Sample *sample, const Levels *levels, int row)
{
    if (!isnan(levels->rsrp[row]))
        RECORD_SET(sample, SAMPLE, rsrp_dbm, levels->rsrp[row]);
    if (!isnan(levels->sinr[row]))
        RECORD_SET(sample, SAMPLE, sinr_db, levels->sinr[row]);
}

static const guint64 level_bits = RECORD_BIT(SAMPLE, rsrp_dbm) | RECORD_BIT(SAMPLE, rsrq_db) |
                                  RECORD_BIT(SAMPLE, sinr_db) | RECORD_BIT(SAMPLE, rscp_dbm) |
                                  RECORD_BIT(SAMPLE, ecio_db) | RECORD_BIT(SAMPLE, rxlev_dbm);
static const guint64 leg_level_bits = RECORD_BIT(SAMPLE, nr_rsrp_dbm) |
                                      RECORD_BIT(SAMPLE, nr_rsrq_db) |
                                      RECORD_BIT(SAMPLE, nr_sinr_db);

#define COPY_LEG(field)                                                                            \
    do {                                                                                           \
        if (RECORD_HAS(&state->leg, SAMPLE, field))                                                \
            RECORD_SET(sample, SAMPLE, field, state->leg.field);                                   \
    } while (0)

static void put_leg(const MbimState *state, Sample *sample, const Levels *levels)
{
    COPY_LEG(nr_cell_id);
    COPY_LEG(nr_pci);
    COPY_LEG(nr_arfcn);
    COPY_LEG(nr_rsrp_dbm);
    COPY_LEG(nr_rsrq_db);
    COPY_LEG(nr_sinr_db);
    if (!isnan(levels->rsrp[1]))
        RECORD_SET(sample, SAMPLE, nr_rsrp_dbm, levels->rsrp[1]);
    if (!isnan(levels->sinr[1]))
        RECORD_SET(sample, SAMPLE, nr_sinr_db, levels->sinr[1]);
}

gboolean mbim_make_sample(MbimState *state, MbimBuffer signal, int version, Sample *sample)
{
    if (signal.length < 20)
        return FALSE;
    Levels levels = {FALSE,
                     FALSE,
                     FALSE,
                     {(double)NAN, (double)NAN, (double)NAN},
                     {(double)NAN, (double)NAN, (double)NAN}};
    if (version >= 2)
        read_levels(part(signal, 20), &levels);
    *sample = (Sample){.known = 0};
    if (state->service == SERVICE_NONE) {
        RECORD_SET(sample, SAMPLE, rat, RAT_NONE);
        RECORD_SET(sample, SAMPLE, service, SERVICE_NONE);
        return TRUE;
    }
    if (levels.sa)
        set_rat(state, RAT_NR_SA);
    else if (levels.lte)
        set_rat(state, RAT_LTE);
    guint32 rssi = u32_at(signal, 0);
    if (state->service == SERVICE_UNKNOWN && state->rat == RAT_UNKNOWN)
        return FALSE;
    *sample = state->cell;
    if (rssi <= 31) /* TS 27.007 8.5: 0 and 31 are "or beyond" */
        RECORD_SET(sample, SAMPLE, rssi_dbm, -113.0 + 2.0 * rssi);
    Rat rat = state->rat;
    if (rat == RAT_LTE)
        put_main(sample, &levels, 0);
    else if (rat == RAT_NR_SA)
        put_main(sample, &levels, 2);
    gboolean leg = rat == RAT_LTE && (version >= 2 ? levels.nsa : state->leg.known != 0);
    if (leg) {
        put_leg(state, sample, &levels);
        rat = RAT_NR_NSA;
    }
    /* Levels from the list of base stations were good for this sample. */
    state->cell.known &= ~level_bits;
    state->leg.known &= ~leg_level_bits;
    modem_sample_end(sample, rat, state->service, state->plmn);
    return TRUE;
}

/* --- who it is --- */

static void replace(char **text, char *by)
{
    g_free(*text);
    *text = by;
}

gboolean mbim_read_caps(MbimBuffer buffer, ModemIdentity *identity)
{
    if (buffer.length < 64)
        return FALSE;
    replace(&identity->imei, text_at(buffer, 40));
    replace(&identity->firmware, text_at(buffer, 48));
    replace(&identity->model, text_at(buffer, 56));
    return TRUE;
}

gboolean mbim_read_subscriber(MbimBuffer buffer, int version, int *sim, char **iccid)
{
    gsize texts = version >= 3 ? 8 : 4; /* extension 3 puts flags in between */
    if (buffer.length < texts + 16)
        return FALSE;
    guint32 state = u32_at(buffer, 0);
    *sim = state == 2 || state == 3 || state == 4 ? 0 : state == 1 || state >= 5 ? 1 : -1;
    *iccid = text_at(buffer, texts + 8);
    return TRUE;
}
