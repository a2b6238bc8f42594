/* SPDX-License-Identifier: Apache-2.0 */
/* QMI messages: every code that means "unknown" is one row; then real messages. */
#include "logger/qmi-convert.h"

#include <string.h>

/* A frame as it comes: head, result TLV, then the TLVs given. */
typedef struct {
    guint8 bytes[512];
    gsize length;
} Frame;

static Frame frame(guint16 message, gboolean indication)
{
    Frame f = {.bytes = {1, 0, 0, 0x80, 3, 1, indication ? 4 : 2, 1, 0, (guint8)message,
                         (guint8)(message >> 8), 0, 0},
               .length = 13};
    return f;
}

static void add(Frame *f, guint8 type, const guint8 *value, gsize n)
{
    f->bytes[f->length] = type;
    f->bytes[f->length + 1] = (guint8)n;
    f->bytes[f->length + 2] = (guint8)(n >> 8);
    if (n > 0)
        memcpy(f->bytes + f->length + 3, value, n);
    f->length += 3 + n;
    gsize rest = f->length - 13;
    f->bytes[11] = (guint8)rest;
    f->bytes[12] = (guint8)(rest >> 8);
    f->bytes[1] = (guint8)(f->length - 1);
    f->bytes[2] = (guint8)((f->length - 1) >> 8);
}

#define ADD(f, type, ...)                                                                          \
    do {                                                                                           \
        const guint8 value_[] = {__VA_ARGS__};                                                     \
        add((f), (type), value_, sizeof value_);                                                   \
    } while (0)
#define LE16(v) (guint8)((v)&0xff), (guint8)(((v) >> 8) & 0xff)
#define LE32(v) LE16((v)&0xffff), LE16(((v) >> 16) & 0xffff)

static QmiTlvs tlvs_of(const Frame *f)
{
    QmiTlvs tlvs;
    g_assert_true(qmi_tlvs_read(&tlvs, f->bytes, f->length));
    return tlvs;
}

static QmiState lte_state(void)
{
    QmiState state = {.rat = RAT_LTE, .service = SERVICE_OK};
    g_strlcpy(state.plmn, "24001", sizeof state.plmn);
    return state;
}

/* Signal information of LTE: which values survive. */
static const struct {
    const char *what;
    int rssi, rsrq, rsrp, snr;
    const char *known; /* of rsrp, rsrq, sinr, rssi */
} lte_rows[] = {
    {"all measured", -63, -10, -95, 125, "pqsi"},
    {"RSRP -32768", -63, -10, -32768, 125, ""},
    {"RSRP at the end of the scale, -140", -63, -10, -140, 125, ""},
    {"RSRP above the scale, -43", -63, -10, -43, 125, ""},
    {"RSRP zero", -63, -10, 0, 125, ""},
    {"the weakest that is a value", -110, -19, -139, -100, "pqsi"},
    {"RSRQ -128", -63, -128, -95, 125, "psi"},
    {"RSRQ 99", -63, 99, -95, 125, "psi"},
    {"SNR -32768", -63, -10, -95, -32768, "pqi"},
    {"SNR above 40 dB", -63, -10, -95, 401, "pqi"},
    {"SNR below -23 dB", -63, -10, -95, -231, "pqi"},
    {"RSSI -125", -125, -10, -95, 125, "pqs"},
    {"RSSI 99", 99, -10, -95, 125, "pqs"},
};

static void test_lte_levels(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lte_rows); i++) {
        Frame f = frame(0x004f, FALSE);
        ADD(&f, 0x14, (guint8)lte_rows[i].rssi, (guint8)lte_rows[i].rsrq, LE16(lte_rows[i].rsrp),
            LE16(lte_rows[i].snr));
        QmiTlvs tlvs = tlvs_of(&f);
        QmiState state = lte_state();
        Sample s;
        g_assert_true(qmi_make_sample(&state, &tlvs, &s));
        char known[8] = "";
        if (RECORD_HAS(&s, SAMPLE, rsrp_dbm))
            strcat(known, "p");
        if (RECORD_HAS(&s, SAMPLE, rsrq_db))
            strcat(known, "q");
        if (RECORD_HAS(&s, SAMPLE, sinr_db))
            strcat(known, "s");
        if (RECORD_HAS(&s, SAMPLE, rssi_dbm))
            strcat(known, "i");
        if (strcmp(known, lte_rows[i].known) != 0)
            g_error("%s: known \"%s\", not \"%s\"", lte_rows[i].what, known, lte_rows[i].known);
        if (RECORD_HAS(&s, SAMPLE, rsrp_dbm))
            g_assert_cmpfloat(s.rsrp_dbm, ==, lte_rows[i].rsrp);
        g_assert_cmpint(s.rat, ==, RAT_LTE);
        g_assert_cmpint(s.service, ==, SERVICE_OK);
    }
}

static const struct {
    const char *what;
    int rsrp, snr, rsrq;
    Rat rat;
    const char *known;
} nr_rows[] = {
    {"a leg", -98, 85, -11, RAT_NR_NSA, "psq"},
    {"NR -32768: no leg", -32768, -32768, -32768, RAT_LTE, ""},
    {"NR RSRP at the end of the scale", -156, 85, -11, RAT_LTE, ""},
    {"NR RSRP -31", -31, 85, -11, RAT_LTE, ""},
    {"NR SNR unknown", -98, -32768, -11, RAT_NR_NSA, "pq"},
    {"NR RSRQ unknown", -98, 85, -32768, RAT_NR_NSA, "ps"},
};

static void test_nr_levels(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(nr_rows); i++) {
        Frame f = frame(0x0051, TRUE);
        ADD(&f, 0x14, (guint8)-63, (guint8)-10, LE16(-95), LE16(125));
        ADD(&f, 0x17, LE16(nr_rows[i].rsrp), LE16(nr_rows[i].snr));
        ADD(&f, 0x18, LE16(nr_rows[i].rsrq));
        QmiTlvs tlvs = tlvs_of(&f);
        QmiState state = lte_state();
        Sample s;
        g_assert_true(qmi_make_sample(&state, &tlvs, &s));
        char known[8] = "";
        if (RECORD_HAS(&s, SAMPLE, nr_rsrp_dbm))
            strcat(known, "p");
        if (RECORD_HAS(&s, SAMPLE, nr_sinr_db))
            strcat(known, "s");
        if (RECORD_HAS(&s, SAMPLE, nr_rsrq_db))
            strcat(known, "q");
        if (strcmp(known, nr_rows[i].known) != 0 || s.rat != (int)nr_rows[i].rat)
            g_error("%s: %s \"%s\"", nr_rows[i].what, rat_name((Rat)s.rat), known);
    }
}

/* The same levels of a stand-alone NR modem are the main ones. */
static void test_sa_and_old(void)
{
    Frame f = frame(0x004f, FALSE);
    ADD(&f, 0x17, LE16(-98), LE16(85));
    ADD(&f, 0x13, (guint8)-70, LE16(16));
    ADD(&f, 0x12, (guint8)-80);
    QmiTlvs tlvs = tlvs_of(&f);
    QmiState state = lte_state();
    Sample s;
    state.rat = RAT_NR_SA;
    g_assert_true(qmi_make_sample(&state, &tlvs, &s));
    g_assert_cmpint(s.rat, ==, RAT_NR_SA);
    g_assert_cmpfloat(s.rsrp_dbm, ==, -98);
    g_assert_false(RECORD_HAS(&s, SAMPLE, nr_rsrp_dbm));
    state.rat = RAT_UMTS;
    g_assert_true(qmi_make_sample(&state, &tlvs, &s));
    g_assert_cmpfloat(s.ecio_db, ==, -8);
    g_assert_cmpfloat(s.rscp_dbm, ==, -78);
    state.rat = RAT_GSM;
    g_assert_true(qmi_make_sample(&state, &tlvs, &s));
    g_assert_cmpfloat(s.rxlev_dbm, ==, -80);
}

static void test_systems(void)
{
    const struct {
        const char *what, *name;
        guint8 n;
        struct {
            guint32 network, rat;
            guint64 options;
        } systems[2];
    } rows[] = {{"none", NULL, 0, {{0, 0, 0}}},
                {"LTE", "LTE", 1, {{0, 3, 1U << 12}}},
                {"carrier aggregation", "LTE-CA", 1, {{0, 3, 1U << 12 | 1U << 16}}},
                {"EN-DC as two", "LTE+NR", 2, {{0, 3, 0}, {0, 6, G_GUINT64_CONSTANT(1) << 43}}},
                {"EN-DC as one", "LTE+NR", 1, {{0, 6, G_GUINT64_CONSTANT(1) << 43}}},
                {"stand-alone", "NR", 1, {{0, 6, G_GUINT64_CONSTANT(1) << 44}}},
                {"5G of a kind not said", "NR", 1, {{0, 6, 0}}},
                {"UMTS: WDS says more", NULL, 1, {{0, 1, 1U << 6}}},
                {"WLAN", NULL, 1, {{2, 5, 0}}},
                {"a count without systems", NULL, 9, {{0, 1, 0}}}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint8 value[1 + 2 * 16] = {rows[i].n};
        guint8 n = MIN(rows[i].n, 2);
        for (guint8 k = 0; k < n; k++) {
            guint32 network = GUINT32_TO_LE(rows[i].systems[k].network);
            guint32 rat = GUINT32_TO_LE(rows[i].systems[k].rat);
            guint64 options = GUINT64_TO_LE(rows[i].systems[k].options);
            memcpy(value + 1 + 16 * k, &network, 4);
            memcpy(value + 5 + 16 * k, &rat, 4);
            memcpy(value + 9 + 16 * k, &options, 8);
        }
        Frame f = frame(0x0024, FALSE);
        add(&f, 0x10, value, 1U + 16U * n);
        QmiTlvs tlvs = tlvs_of(&f);
        if (g_strcmp0(qmi_read_systems(&tlvs), rows[i].name) != 0)
            g_error("%s: %s", rows[i].what, qmi_read_systems(&tlvs));
    }
    Frame f = frame(0x0024, FALSE);
    QmiTlvs tlvs = tlvs_of(&f);
    g_assert_null(qmi_read_systems(&tlvs));
}

/* A level of the cell list is no later sample's: it was heard then, perhaps from another cell. */
static void test_list_levels(void)
{
    Frame list = frame(0x0043, FALSE);
    ADD(&list, 0x11, LE16(0x0001), 0x42, 0xf0, 0x10, LE16(120), LE16(10700), LE16(33), LE16(-90),
        LE16(-14), 0, 0);
    Frame f = frame(0x004f, FALSE);
    ADD(&f, 0x13, (guint8)-70, LE16(60)); /* Ec/Io of -30 dB is none */
    QmiTlvs cells = tlvs_of(&list), levels = tlvs_of(&f);
    QmiState state = lte_state();
    state.rat = RAT_UMTS;
    Sample s;
    (void)qmi_take_cells(&state, &cells, NULL, 0);
    g_assert_true(qmi_make_sample(&state, &levels, &s));
    g_assert_cmpfloat(s.rscp_dbm, ==, -90);
    g_assert_cmpfloat(s.ecio_db, ==, -7);
    g_assert_true(qmi_make_sample(&state, &levels, &s));
    g_assert_false(RECORD_HAS(&s, SAMPLE, rscp_dbm));
    g_assert_false(RECORD_HAS(&s, SAMPLE, ecio_db));
    g_assert_cmpint(s.pci, ==, 33);
}

/* No service is a sample that says so; a modem of which nothing is known gives none. */
static void test_no_service(void)
{
    QmiState state = {.rat = RAT_UNKNOWN};
    Sample s;
    g_assert_false(qmi_make_sample(&state, NULL, &s));
    Frame f = frame(0x0024, TRUE);
    ADD(&f, 0x01, 2, 2, 2, 0, 1, 0);
    QmiTlvs tlvs = tlvs_of(&f);
    g_assert_true(qmi_take_serving_system(&state, &tlvs));
    g_assert_true(qmi_make_sample(&state, NULL, &s));
    g_assert_cmpint(s.rat, ==, RAT_NONE);
    g_assert_cmpint(s.service, ==, SERVICE_NONE);
    g_assert_false(RECORD_HAS(&s, SAMPLE, rsrp_dbm));
    g_assert_false(RECORD_HAS(&s, SAMPLE, cell_id));
    g_assert_cmpstr(state.state, ==, "searching");
    /* limited: emergency calls only */
    f = frame(0x004d, FALSE);
    ADD(&f, 0x14, 1, 1, 0);
    tlvs = tlvs_of(&f);
    g_assert_true(qmi_take_system_info(&state, &tlvs));
    g_assert_true(qmi_make_sample(&state, NULL, &s));
    g_assert_cmpint(s.service, ==, SERVICE_LIMITED);
    g_assert_cmpint(s.rat, ==, RAT_LTE);
}

/* Identity codes: TAC 0xFFFF, 0xFFFE, 0xFFFFFF, cell identity all ones; numbers of the indication.
 */
static void test_identity(void)
{
    static const struct {
        gboolean indication;
        guint32 cid;
        guint16 tac;
        gboolean has_cid, has_tac;
    } rows[] = {
        {FALSE, 0x1a2b01, 4101, TRUE, TRUE},       {TRUE, 0x1a2b01, 4101, TRUE, TRUE},
        {FALSE, 0xffffffff, 0xffff, FALSE, FALSE}, {FALSE, 0x1a2b01, 0xfffe, TRUE, FALSE},
        {TRUE, 0xffffffff, 4101, FALSE, TRUE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint8 shift = rows[i].indication ? 1 : 0;
        Frame f = frame(0x0024, rows[i].indication);
        ADD(&f, 0x01, 1, 1, 1, 2, 1, 8);
        ADD(&f, 0x10, 0);
        ADD(&f, 0x12, LE16(240), LE16(1), 3, 'R', 'e', 'd');
        ADD(&f, (guint8)(0x1d + shift), LE32(rows[i].cid));
        ADD(&f, (guint8)(0x24 + shift), LE16(rows[i].tac));
        QmiTlvs tlvs = tlvs_of(&f);
        QmiState state = {.rat = RAT_UNKNOWN};
        g_assert_true(qmi_take_serving_system(&state, &tlvs));
        g_assert_cmpint(RECORD_HAS(&state.cell, SAMPLE, cell_id), ==, rows[i].has_cid);
        g_assert_cmpint(RECORD_HAS(&state.cell, SAMPLE, tac), ==, rows[i].has_tac);
        g_assert_cmpstr(state.plmn, ==, "24001");
        g_assert_cmpstr(state.network_name, ==, "Red");
        g_assert_cmpstr(state.state, ==, "roaming");
        g_assert_cmpint(state.cell.roaming, ==, 1);
    }
    QmiState state = lte_state();
    state.rat = RAT_NR_SA;
    Frame f = frame(0x0043, FALSE);
    ADD(&f, 0x2e, LE32(636666));
    ADD(&f, 0x2f, 0x42, 0xf0, 0x10, 0xff, 0xff, 0xff, 1, 0, 0, 0, 3, 0, 0, 0, LE16(501), LE16(-110),
        LE16(-980), LE16(85));
    QmiTlvs tlvs = tlvs_of(&f);
    (void)qmi_take_cells(&state, &tlvs, NULL, 0);
    g_assert_false(RECORD_HAS(&state.cell, SAMPLE, tac));
    g_assert_cmpint(state.cell.cell_id, ==, 0x300000001);
    g_assert_cmpint(state.cell.pci, ==, 501);
    g_assert_cmpint(state.cell.arfcn, ==, 636666);
}

/* Bands from 65 up have channels that 16 bits cannot hold: 0x27 and 0x28 or nothing. */
static void test_wide_channels(void)
{
    Frame f = frame(0x0043, FALSE);
    ADD(&f, 0x13, 0, 0x42, 0xf0, 0x10, LE16(4201), LE32(0x2a2b01), LE16(66536), LE16(11), 0, 0, 0,
        0, 2, LE16(11), LE16(-90), LE16(-800), LE16(-500), LE16(20), LE16(12), LE16(-120),
        LE16(-32768), LE16(-32768), LE16(20));
    ADD(&f, 0x14, 0, 1, LE16(66786), 0, 0, 0, 1, LE16(77), LE16(-100), LE16(-1000), LE16(-700),
        LE16(20));
    QmiState state = lte_state();
    Neighbour cells[4];
    Frame wide = f;
    ADD(&wide, 0x27, LE32(66536));
    ADD(&wide, 0x28, 1, LE32(66786));
    QmiTlvs tlvs = tlvs_of(&wide);
    g_assert_cmpuint(qmi_take_cells(&state, &tlvs, cells, 4), ==, 2);
    g_assert_cmpint(state.cell.arfcn, ==, 66536);
    g_assert_cmpint(cells[0].pci, ==, 12);
    g_assert_cmpint(cells[0].arfcn, ==, 66536);
    g_assert_false(RECORD_HAS(&cells[0], NEIGHBOUR, rsrp_dbm));
    g_assert_cmpint(cells[1].arfcn, ==, 66786);
    g_assert_cmpfloat(cells[1].rsrp_dbm, ==, -100);
    /* only 16 bits, but the band is known to be 66: no channel rather than a wrong one */
    state = lte_state();
    Frame band = frame(0x0031, FALSE);
    ADD(&band, 0x11, 1, 8, LE16(161), LE32(66536));
    ADD(&band, 0x12, 1, 8, LE32(5));
    tlvs = tlvs_of(&band);
    g_assert_true(qmi_take_rf_band(&state, &tlvs));
    g_assert_cmpint(state.cell.arfcn, ==, 66536);
    g_assert_cmpint(state.cell.band, ==, 66);
    g_assert_cmpint(state.cell.bandwidth_khz, ==, 20000);
    tlvs = tlvs_of(&f);
    (void)qmi_take_cells(&state, &tlvs, cells, 4);
    g_assert_cmpint(state.cell.arfcn, ==, 66536);
    /* a narrow band TLV alone */
    Frame narrow = frame(0x0031, FALSE);
    ADD(&narrow, 0x01, 1, 8, LE16(161), LE16(66536));
    state = lte_state();
    tlvs = tlvs_of(&narrow);
    g_assert_true(qmi_take_rf_band(&state, &tlvs));
    g_assert_false(RECORD_HAS(&state.cell, SAMPLE, arfcn));
    g_assert_cmpint(state.cell.band, ==, 66);
}

/* Neighbours come in tenths; one on each side of each limit. */
static const struct {
    int pci, rsrq, rsrp, rssi;
    const char *known; /* of rsrp, rsrq, rssi; NULL: no cell at all */
} neighbour_rows[] = {
    {0, -105, -1013, -707, "pqi"}, {503, -340, -1399, -1300, "pqi"}, {504, -105, -1013, -707, NULL},
    {1, 25, -431, -101, "pqi"},    {1, -341, -1013, -707, "pi"},     {1, 26, -1013, -707, "pi"},
    {1, -105, -1400, -707, "qi"},  {1, -105, -430, -707, "qi"},      {1, -105, -1013, -1301, "pq"},
    {1, -105, -1013, -100, "pq"},
};

static void test_neighbour_levels(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(neighbour_rows); i++) {
        Frame f = frame(0x0043, FALSE);
        ADD(&f, 0x14, 0, 1, LE16(1300), 0, 0, 0, 1, LE16(neighbour_rows[i].pci),
            LE16(neighbour_rows[i].rsrq), LE16(neighbour_rows[i].rsrp),
            LE16(neighbour_rows[i].rssi), LE16(20));
        QmiState state = lte_state();
        Neighbour cell;
        QmiTlvs tlvs = tlvs_of(&f);
        unsigned n = qmi_take_cells(&state, &tlvs, &cell, 1);
        const char *known = neighbour_rows[i].known;
        g_assert_cmpuint(n, ==, known != NULL ? 1 : 0);
        if (known == NULL)
            continue;
        g_assert_cmpint(cell.pci, ==, neighbour_rows[i].pci);
        g_assert_cmpint(RECORD_HAS(&cell, NEIGHBOUR, rsrp_dbm), ==, strchr(known, 'p') != NULL);
        g_assert_cmpint(RECORD_HAS(&cell, NEIGHBOUR, rsrq_db), ==, strchr(known, 'q') != NULL);
        g_assert_cmpint(RECORD_HAS(&cell, NEIGHBOUR, rssi_dbm), ==, strchr(known, 'i') != NULL);
        if (strcmp(known, "pqi") == 0) {
            g_assert_cmpfloat(cell.rsrp_dbm, ==, neighbour_rows[i].rsrp / 10.0);
            g_assert_cmpfloat(cell.rsrq_db, ==, neighbour_rows[i].rsrq / 10.0);
            g_assert_cmpfloat(cell.rssi_dbm, ==, neighbour_rows[i].rssi / 10.0);
        }
    }
}

static void test_cell_change(void)
{
    QmiState state = lte_state();
    RECORD_SET(&state.cell, SAMPLE, cell_id, 1);
    RECORD_SET(&state.cell, SAMPLE, pci, 7);
    RECORD_SET(&state.cell, SAMPLE, arfcn, 1300);
    Frame f = frame(0x0024, TRUE);
    ADD(&f, 0x01, 1, 1, 1, 2, 1, 8);
    ADD(&f, 0x1e, LE32(2));
    QmiTlvs tlvs = tlvs_of(&f);
    g_assert_true(qmi_take_serving_system(&state, &tlvs));
    g_assert_true(state.cell_changed);
    g_assert_cmpint(state.cell.cell_id, ==, 2);
    g_assert_false(RECORD_HAS(&state.cell, SAMPLE, pci)); /* the old cell's */
    g_assert_false(RECORD_HAS(&state.cell, SAMPLE, arfcn));
}

static void test_carriers(void)
{
    Frame f = frame(0x00ac, FALSE);
    ADD(&f, 0x13, LE16(101), LE16(1300), LE32(5), LE16(122));
    ADD(&f, 0x15, 2, LE16(201), LE16(6300), LE32(3), LE16(145), LE32(2), 1, LE16(202), LE16(66536),
        LE32(9), LE16(161), LE32(1), 2);
    QmiTlvs tlvs = tlvs_of(&f);
    Carrier carriers[4];
    g_assert_cmpuint(qmi_read_carriers(&tlvs, carriers, 4), ==, 3);
    g_assert_cmpint(carriers[0].band, ==, 3);
    g_assert_cmpint(carriers[1].bandwidth_khz, ==, 10000);
    g_assert_cmpint(carriers[1].active, ==, 1);
    g_assert_cmpint(carriers[2].active, ==, 0);
    g_assert_false(RECORD_HAS(&carriers[2], CARRIER, arfcn));
    g_assert_false(RECORD_HAS(&carriers[2], CARRIER, bandwidth_khz));
    g_assert_cmpuint(qmi_read_carriers(&tlvs, carriers, 1), ==, 1);
}

/* Any message cut anywhere, and any bytes, are read without a value made up. */
static void test_cut(void)
{
    Frame f = frame(0x0043, FALSE);
    ADD(&f, 0x13, 0, 0x42, 0xf0, 0x10, LE16(4201), LE32(0x2a2b01), LE16(1300), LE16(11), 0, 0, 0, 0,
        255, LE16(11), LE16(-90), LE16(-800), LE16(-500), LE16(20));
    ADD(&f, 0x14, 0, 255, LE16(6300), 0, 0, 0, 255);
    QmiTlvs tlvs;
    for (gsize n = 0; n < f.length; n++)
        g_assert_false(qmi_tlvs_read(&tlvs, f.bytes, n));
    for (int round = 0; round < 20000; round++) {
        Frame broken = f;
        for (int k = 0; k < 3; k++)
            broken.bytes[g_test_rand_int_range(13, (gint32)f.length)] =
                (guint8)g_test_rand_int_range(0, 256);
        QmiState state = lte_state();
        Neighbour cells[8];
        Carrier carriers[8];
        Antenna chains[QMI_CHAINS];
        double power = 0;
        Sample s;
        if (!qmi_tlvs_read(&tlvs, broken.bytes, broken.length))
            continue;
        g_assert_cmpuint(qmi_take_cells(&state, &tlvs, cells, 8), <=, 8);
        (void)qmi_take_serving_system(&state, &tlvs);
        (void)qmi_take_system_info(&state, &tlvs);
        (void)qmi_take_rf_band(&state, &tlvs);
        (void)qmi_read_carriers(&tlvs, carriers, 8);
        (void)qmi_read_chains(&tlvs, RAT_LTE, chains, QMI_CHAINS, &power);
        (void)qmi_make_sample(&state, &tlvs, &s);
    }
}

/* --- real messages --- */

static char *data_file(const char *name)
{
    const char *root = g_getenv("CORRIDOR_DATA");
    return root != NULL ? g_build_filename(root, "modem-messages", name, NULL)
                        : g_build_filename(g_getenv("G_TEST_SRCDIR"), "..", "shared", "data",
                                           "modem-messages", name, NULL);
}

/* The bytes of the line that begins with `name`. */
static GByteArray *real_message(const char *name)
{
    g_autofree char *path = data_file("qmi_libqmi_test_vectors.txt");
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (int i = 0; lines[i] != NULL; i++) {
        const char *hex = strrchr(lines[i], '|');
        if (!g_str_has_prefix(lines[i], name) || hex == NULL)
            continue;
        GByteArray *bytes = g_byte_array_new();
        g_auto(GStrv) parts = g_strsplit(g_strstrip(lines[i] + (hex + 1 - lines[i])), ":", -1);
        for (int k = 0; parts[k] != NULL; k++) {
            guint8 byte = (guint8)g_ascii_strtoull(parts[k], NULL, 16);
            g_byte_array_append(bytes, &byte, 1);
        }
        return bytes;
    }
    return NULL;
}

static void test_real(void)
{
    g_autoptr(GByteArray) geran =
        real_message("test-generated.c:test_generated_nas_get_cell_location_info_1:response");
    g_autoptr(GByteArray) lte =
        real_message("test-generated.c:test_generated_nas_get_cell_location_info_2:response");
    if (geran == NULL || lte == NULL) {
        g_test_skip("no reference messages (CORRIDOR_DATA)");
        return;
    }
    QmiTlvs tlvs;
    Neighbour cells[16];
    QmiState state = {.rat = RAT_GSM, .service = SERVICE_OK};
    g_assert_true(qmi_tlvs_read(&tlvs, geran->data, geran->len));
    g_assert_cmpint(qmi_result(&tlvs), ==, 0);
    g_assert_cmpuint(qmi_take_cells(&state, &tlvs, cells, 16), ==, 3);
    g_assert_false(RECORD_HAS(&state.cell, SAMPLE, cell_id)); /* zeros: not camped */
    g_assert_cmpint(cells[0].cell_id, ==, 0x6f7d);
    g_assert_cmpint(cells[0].arfcn, ==, 77);
    g_assert_cmpint(cells[0].pci, ==, 0x11);
    g_assert_cmpfloat(cells[0].rssi_dbm, ==, -69); /* RXLEV 42 */
    state = (QmiState){.rat = RAT_LTE, .service = SERVICE_OK};
    g_assert_true(qmi_tlvs_read(&tlvs, lte->data, lte->len));
    g_assert_cmpuint(qmi_take_cells(&state, &tlvs, cells, 16), ==, 0); /* only the serving cell */
    g_assert_cmpstr(state.plmn, ==, "99940");
    g_assert_cmpint(state.cell.cell_id, ==, 0x1c201);
    g_assert_cmpint(state.cell.tac, ==, 0x99);
    g_assert_cmpint(state.cell.arfcn, ==, 43390);
    g_assert_cmpint(state.cell.pci, ==, 0);
    g_assert_false(RECORD_HAS(&state.cell, SAMPLE, timing_advance)); /* all ones */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qmi/lte-levels", test_lte_levels);
    g_test_add_func("/qmi/nr-levels", test_nr_levels);
    g_test_add_func("/qmi/sa-and-old", test_sa_and_old);
    g_test_add_func("/qmi/list-levels", test_list_levels);
    g_test_add_func("/qmi/systems", test_systems);
    g_test_add_func("/qmi/no-service", test_no_service);
    g_test_add_func("/qmi/identity", test_identity);
    g_test_add_func("/qmi/wide-channels", test_wide_channels);
    g_test_add_func("/qmi/neighbour-levels", test_neighbour_levels);
    g_test_add_func("/qmi/cell-change", test_cell_change);
    g_test_add_func("/qmi/carriers", test_carriers);
    g_test_add_func("/qmi/cut", test_cut);
    g_test_add_func("/qmi/real", test_real);
    return g_test_run();
}
