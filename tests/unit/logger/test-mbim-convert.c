/* SPDX-License-Identifier: Apache-2.0 */
/* MBIM information buffers: each code that means "unknown" is one row; the walk of lists; real and
 * broken messages. */
#include "logger/mbim-convert.h"

#include <math.h>
#include <string.h>

static void put(GByteArray *out, guint32 value)
{
    const guint8 bytes[] = {(guint8)value, (guint8)(value >> 8), (guint8)(value >> 16),
                            (guint8)(value >> 24)};
    g_byte_array_append(out, bytes, 4);
}

static void put_at(GByteArray *out, gsize at, guint32 value)
{
    for (unsigned i = 0; i < 4; i++)
        out->data[at + i] = (guint8)(value >> (8 * i));
}

static MbimBuffer buffer_of(const GByteArray *bytes)
{
    return (MbimBuffer){bytes->data, bytes->len};
}

/* Signal state with the list of MBIMEx 2. */
static GByteArray *signal_state(guint32 rssi, guint32 n, const guint32 (*rows)[3])
{
    GByteArray *out = g_byte_array_new();
    put(out, rssi);
    for (int i = 0; i < 4; i++)
        put(out, 0xffffffff);
    put(out, n > 0 ? 28 : 0);
    put(out, n > 0 ? 4 + 20 * n : 0);
    if (n > 0)
        put(out, n);
    for (guint32 i = 0; i < n; i++) {
        put(out, rows[i][0]);
        put(out, rows[i][1]);
        put(out, 0xffffffff);
        put(out, 0xffffffff);
        put(out, rows[i][2]);
    }
    return out;
}

static const struct {
    const char *what;
    guint32 rssi, rsrp, snr;
    double rssi_dbm, rsrp_dbm, sinr_db; /* NAN = unknown */
} rows[] = {
    {"all measured", 20, 60, 80, -73, -97, 16.5},
    {"RSSI 99", 99, 60, 80, NAN, -97, 16.5},
    {"RSSI all ones", 0xffffffff, 60, 80, NAN, -97, 16.5},
    {"RSRP all ones", 20, 0xffffffff, 80, -73, NAN, 16.5},
    {"RSRP 127", 20, 127, 80, -73, NAN, 16.5},
    {"RSRP at the scale's ends: 0", 20, 0, 80, -73, NAN, 16.5},
    {"RSRP at the scale's ends: 126", 20, 126, 80, -73, NAN, 16.5},
    {"SNR 128", 20, 60, 128, -73, -97, NAN},
    {"SNR all ones", 20, 60, 0xffffffff, -73, -97, NAN},
};

static void same(const char *what, gboolean has, double value, double expected)
{
    if (has != !isnan(expected) || (has && fabs(value - expected) > 1e-9))
        g_error("%s: %s %g, not %g", what, has ? "known" : "unknown", value, expected);
}

static void test_signal(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const guint32 list[][3] = {{rows[i].rsrp, rows[i].snr, 0x20}};
        g_autoptr(GByteArray) bytes = signal_state(rows[i].rssi, 1, list);
        MbimState state = {.service = SERVICE_OK, .rat = RAT_LTE};
        Sample s;
        g_assert_true(mbim_make_sample(&state, buffer_of(bytes), 2, &s));
        g_assert_cmpint(s.rat, ==, RAT_LTE);
        same(rows[i].what, RECORD_HAS(&s, SAMPLE, rssi_dbm), s.rssi_dbm, rows[i].rssi_dbm);
        same(rows[i].what, RECORD_HAS(&s, SAMPLE, rsrp_dbm), s.rsrp_dbm, rows[i].rsrp_dbm);
        same(rows[i].what, RECORD_HAS(&s, SAMPLE, sinr_db), s.sinr_db, rows[i].sinr_db);
    }
}

static void test_rats(void)
{
    const guint32 nsa[][3] = {{70, 60, 0x40}, {60, 80, 0x20}};
    g_autoptr(GByteArray) bytes = signal_state(20, 2, nsa);
    MbimState state = {.service = SERVICE_OK};
    Sample s;
    g_assert_true(mbim_make_sample(&state, buffer_of(bytes), 3, &s));
    g_assert_cmpint(s.rat, ==, RAT_NR_NSA);
    g_assert_cmpfloat(s.rsrp_dbm, ==, -97);
    g_assert_cmpfloat(s.nr_rsrp_dbm, ==, -87);
    g_assert_cmpfloat(s.nr_sinr_db, ==, 6.5);
    const guint32 sa[][3] = {{70, 60, 0x80}};
    g_autoptr(GByteArray) alone = signal_state(20, 1, sa);
    g_assert_true(mbim_make_sample(&state, buffer_of(alone), 3, &s));
    g_assert_cmpint(s.rat, ==, RAT_NR_SA);
    g_assert_cmpfloat(s.rsrp_dbm, ==, -87);
    /* searching: a hole, said so, without levels */
    state.service = SERVICE_NONE;
    g_assert_true(mbim_make_sample(&state, buffer_of(bytes), 3, &s));
    g_assert_cmpint(s.rat, ==, RAT_NONE);
    g_assert_cmpint(s.service, ==, SERVICE_NONE);
    g_assert_false(RECORD_HAS(&s, SAMPLE, rsrp_dbm));
    /* nothing known yet: nothing said */
    state = (MbimState){.service = SERVICE_UNKNOWN};
    g_autoptr(GByteArray) nothing = signal_state(99, 0, NULL);
    g_assert_false(mbim_make_sample(&state, buffer_of(nothing), 1, &s));
}

/* Appends an LTE neighbour, its text behind it as firmware writes it, or elsewhere. */
static void put_neighbour(GByteArray *list, guint32 pci, gint32 rsrp, gboolean with_text)
{
    put(list, with_text ? 32 : 0);
    put(list, with_text ? 10 : 0);
    put(list, 0x1a2b00 + pci);
    put(list, 1300);
    put(list, pci);
    put(list, 4101);
    put(list, (guint32)rsrp);
    put(list, (guint32)-11);
    if (with_text)
        g_byte_array_append(list, (const guint8 *)"2\0004\0000\0000\0001\0\0\0", 12);
}

static GByteArray *base_stations(int version, const GByteArray *lte, const GByteArray *list)
{
    const gsize first = version >= 3 ? 8 : 4, slots = version >= 3 ? 11 : 9;
    GByteArray *out = g_byte_array_new();
    for (gsize i = 0; i < first / 4 + 2 * slots; i++)
        put(out, 0);
    if (lte != NULL) {
        put_at(out, first + 24, out->len);
        put_at(out, first + 28, lte->len);
        g_byte_array_append(out, lte->data, lte->len);
    }
    put_at(out, first + 56, out->len);
    put_at(out, first + 60, list->len);
    g_byte_array_append(out, list->data, list->len);
    return out;
}

/* libmbim 1.28 gives the first neighbour three times here. */
static void test_neighbours(void)
{
    for (int version = 1; version <= 3; version++)
        for (int with_text = 0; with_text < 2; with_text++) {
            g_autoptr(GByteArray) list = g_byte_array_new();
            put(list, 3);
            put_neighbour(list, 11, -90, with_text);
            put_neighbour(list, 12, -140, with_text);
            put_neighbour(list, 13, -1, with_text);
            g_autoptr(GByteArray) bytes = base_stations(version, NULL, list);
            MbimState state = {.service = SERVICE_OK};
            Neighbour cells[8];
            unsigned n = 0;
            g_assert_true(mbim_take_base_stations(&state, buffer_of(bytes), version, cells, 8, &n));
            g_assert_cmpuint(n, ==, 3);
            for (unsigned i = 0; i < 3; i++) {
                g_assert_cmpint(cells[i].pci, ==, 11 + i);
                g_assert_cmpint(cells[i].cell_id, ==, 0x1a2b00 + 11 + i);
            }
            g_assert_cmpfloat(cells[0].rsrp_dbm, ==, -90);
            g_assert_false(RECORD_HAS(&cells[1], NEIGHBOUR, rsrp_dbm));
            g_assert_false(RECORD_HAS(&cells[2], NEIGHBOUR, rsrp_dbm));
            g_assert_true(mbim_take_base_stations(&state, buffer_of(bytes), version, cells, 2, &n));
            g_assert_cmpuint(n, ==, 2);
        }
}

static void test_unknown_cell(void)
{
    g_autoptr(GByteArray) list = g_byte_array_new();
    put(list, 0);
    g_autoptr(GByteArray) lte = g_byte_array_new();
    put(lte, 0);
    put(lte, 0);
    for (int i = 0; i < 7; i++)
        put(lte, 0xffffffff);
    g_autoptr(GByteArray) bytes = base_stations(1, lte, list);
    MbimState state = {.service = SERVICE_OK};
    Neighbour cells[1];
    unsigned n = 0;
    g_assert_true(mbim_take_base_stations(&state, buffer_of(bytes), 1, cells, 1, &n));
    g_assert_cmpint(state.rat, ==, RAT_LTE);
    g_assert_cmphex(state.cell.known, ==, 0);
}

static GByteArray *real_message(const char *name)
{
    const char *root = g_getenv("CORRIDOR_DATA");
    g_autofree char *path =
        root != NULL
            ? g_build_filename(root, "modem-messages", "mbim_libmbim_test_vectors.txt", NULL)
            : g_build_filename(g_getenv("G_TEST_SRCDIR"), "..", "shared", "data", "modem-messages",
                               "mbim_libmbim_test_vectors.txt", NULL);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (int i = 0; lines[i] != NULL; i++) {
        char *hex = strrchr(lines[i], '|');
        if (!g_str_has_prefix(lines[i], name) || hex == NULL)
            continue;
        GByteArray *bytes = g_byte_array_new();
        g_auto(GStrv) parts = g_strsplit(g_strstrip(hex + 1), ":", -1);
        for (int k = 0; parts[k] != NULL; k++) {
            guint8 byte = (guint8)g_ascii_strtoull(parts[k], NULL, 16);
            g_byte_array_append(bytes, &byte, 1);
        }
        return bytes;
    }
    return NULL;
}

/* Head 12, fragment 8, uuid 16, cid 4, status 4, length 4: the information buffer is behind. */
#define INFORMATION_AT 48

static void test_real(void)
{
    g_autoptr(GByteArray) stations =
        real_message("test-message-parser.c:test_ms_basic_connect_extensions_base_stations:buffer");
    g_autoptr(GByteArray) registered =
        real_message("test-message-parser.c:test_basic_connect_register_state:buffer");
    if (stations == NULL || registered == NULL) {
        g_test_skip("no reference messages (CORRIDOR_DATA)");
        return;
    }
    MbimState state = {.service = SERVICE_UNKNOWN};
    g_assert_true(mbim_take_register(
        &state, (MbimBuffer){registered->data + INFORMATION_AT, registered->len - INFORMATION_AT}));
    g_assert_cmpstr(state.state, ==, "home");
    g_assert_cmpstr(state.plmn, ==, "26006");
    Neighbour cells[8];
    unsigned n = 0;
    g_assert_true(mbim_take_base_stations(
        &state, (MbimBuffer){stations->data + INFORMATION_AT, stations->len - INFORMATION_AT}, 1,
        cells, 8, &n));
    g_assert_cmpstr(state.plmn, ==, "21407");
    g_assert_cmpint(state.cell.arfcn, ==, 6400);
    g_assert_cmpint(state.cell.pci, ==, 310);
    g_assert_cmpfloat(state.cell.rsrp_dbm, ==, -103);
    g_assert_cmpfloat(state.cell.rsrq_db, ==, -12);
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpint(cells[0].pci, ==, 310);
    g_assert_false(RECORD_HAS(&cells[0], NEIGHBOUR, arfcn));
}

/* Cut anywhere and spoilt anywhere: no crash, nothing out of range. */
static void test_cut(void)
{
    g_autoptr(GByteArray) list = g_byte_array_new();
    put(list, 3);
    for (guint32 i = 0; i < 3; i++)
        put_neighbour(list, 11 + i, -90, TRUE);
    g_autoptr(GByteArray) bytes = base_stations(3, NULL, list);
    for (int round = 0; round < 20000; round++) {
        gsize length = (gsize)g_test_rand_int_range(0, (gint32)bytes->len + 1);
        g_autofree guint8 *copy = g_memdup2(bytes->data, MAX(length, 1));
        for (int k = 0; k < 4 && length > 0; k++)
            copy[g_test_rand_int_range(0, (gint32)length)] = (guint8)g_test_rand_int_range(0, 256);
        MbimBuffer buffer = {copy, length};
        MbimState state = {.service = SERVICE_OK};
        Neighbour cells[8];
        unsigned n = 0;
        Sample s;
        ModemIdentity identity = {NULL, NULL, NULL, NULL};
        int sim = 0;
        char *iccid = NULL;
        (void)mbim_take_base_stations(&state, buffer, 1 + round % 3, cells, 8, &n);
        g_assert_cmpuint(n, <=, 8);
        (void)mbim_take_register(&state, buffer);
        (void)mbim_take_packet_service(&state, buffer, 2);
        (void)mbim_take_connect(&state, buffer);
        (void)mbim_take_statistics(&state, buffer);
        if (mbim_make_sample(&state, buffer, 2, &s) && RECORD_HAS(&s, SAMPLE, rsrp_dbm))
            g_assert_cmpfloat(s.rsrp_dbm, >, -157);
        (void)mbim_read_caps(buffer, &identity);
        (void)mbim_read_subscriber(buffer, 3, &sim, &iccid);
        identity.iccid = iccid;
        modem_identity_clear(&identity);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mbim/signal", test_signal);
    g_test_add_func("/mbim/rats", test_rats);
    g_test_add_func("/mbim/neighbours", test_neighbours);
    g_test_add_func("/mbim/unknown-cell", test_unknown_cell);
    g_test_add_func("/mbim/real", test_real);
    g_test_add_func("/mbim/cut", test_cut);
    return g_test_run();
}
