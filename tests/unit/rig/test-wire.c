/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/mbim-answer.h"
#include "tests/rig/nmea.h"
#include "tests/rig/qmi-answer.h"
#include "tests/rig/spoil.h"

#include <stdio.h>
#include <string.h>

/* "01:28:…" into bytes. */
static GByteArray *bytes_of(const char *hex)
{
    GByteArray *bytes = g_byte_array_new();
    for (const char *c = hex; g_ascii_isxdigit(c[0]) && g_ascii_isxdigit(c[1]); c += 2) {
        put_u8(bytes, (guint8)(g_ascii_xdigit_value(c[0]) << 4 | g_ascii_xdigit_value(c[1])));
        if (c[2] == ':')
            c++;
    }
    return bytes;
}

static void assert_same(const guint8 *a, gsize a_length, const guint8 *b, gsize b_length)
{
    g_assert_cmpuint(a_length, ==, b_length);
    for (gsize i = 0; i < a_length; i++)
        g_assert_cmphex(a[i], ==, b[i]);
}

static char *reference(const char *name)
{
    const char *folder = g_getenv("CORRIDOR_DATA");
    g_autofree char *beside = g_build_filename(g_getenv("G_TEST_SRCDIR"), "../shared/data", NULL);
    g_autofree char *path =
        g_build_filename(folder != NULL ? folder : beside, "modem-messages", name, NULL);
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static const CellLevel lte = {.rsrp_dbm = -70, .rsrq_db = -5, .sinr_db = 30, .rssi_dbm = -47};
static const CellLevel nr = {.rsrp_dbm = -75, .rsrq_db = -11, .sinr_db = 18.5};

static void make_modem(RigModem *modem, Scenario *scenario, ModemPlan *plan, RadioState *radio,
                       Cell *cells)
{
    memset(modem, 0, sizeof *modem);
    memset(radio, 0, sizeof *radio);
    scenario->faults = g_array_new(FALSE, TRUE, sizeof(Fault));
    plan->name = g_strdup("m");
    plan->endc = TRUE;
    plan->operator_name = g_strdup("Op");
    cells[0] = (Cell){.rat = RAT_LTE, .band = 3, .arfcn = 1300, .pci = 5, .bandwidth_khz = 20000};
    cells[1] = (Cell){.rat = RAT_NR_NSA, .band = 78, .arfcn = 636666, .pci = 501};
    radio->rat = RAT_NR_NSA;
    radio->serving = lte;
    radio->serving.cell = &cells[0];
    radio->leg = nr;
    radio->leg.cell = &cells[1];
    g_strlcpy(radio->plmn, "24001", sizeof radio->plmn);
    modem->scenario = scenario;
    modem->plan = plan;
    modem->radio = radio;
}

static void free_modem(Scenario *scenario, ModemPlan *plan)
{
    g_array_unref(scenario->faults);
    g_free(plan->name);
    g_free(plan->operator_name);
}

/* The rig's signal-info answer is the reference message byte for byte. */
static void test_signal_info(void)
{
    g_autofree char *text = reference("RECONSTRUCTED_signal_info.txt");
    if (text == NULL) {
        g_test_skip("no reference data; set CORRIDOR_DATA");
        return;
    }
    static const char *const names[] = {"qmi_nas_get_signal_info_response_lte_nr |",
                                        "qmi_nas_get_signal_info_response_lte_nr_inactive |"};
    Scenario scenario = {0};
    ModemPlan plan = {0};
    RigModem modem;
    RadioState radio;
    Cell cells[2];
    make_modem(&modem, &scenario, &plan, &radio, cells);
    for (guint16 i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *line = strstr(text, names[i]);
        g_assert_nonnull(line);
        g_autoptr(GByteArray) wanted = bytes_of(strstr(line, "01:28"));
        g_autoptr(GByteArray) made = g_byte_array_new();
        QmiMessageView view;
        g_assert_true(qmi_message_parse(wanted->data, wanted->len, &view));
        g_assert_cmpint(view.kind, ==, QMI_RESPONSE);
        if (i == 1)
            radio.leg.cell = NULL;
        qmi_begin(made, QMI_RESPONSE, QMI_NAS, view.client, view.transaction, 0x004f);
        qmi_put_result(made, 0);
        for (const QmiAnswerRow *row = qmi_answers_nas; row->answer != NULL; row++) {
            if (row->message == 0x004f)
                g_assert_cmpint(row->answer(&modem, &view, made), ==, QMI_OK);
        }
        qmi_end(made);
        assert_same(made->data, made->len, wanted->data, wanted->len);
    }
    free_modem(&scenario, &plan);
}

/* Every real QMI message is taken apart and put together again to the same bytes. */
static void test_real_frames(void)
{
    g_autofree char *text = reference("qmi_libqmi_test_vectors.txt");
    if (text == NULL) {
        g_test_skip("no reference data; set CORRIDOR_DATA");
        return;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    int whole = 0, read = 0;
    for (guint i = 0; lines[i] != NULL; i++) {
        const char *hex = strrchr(lines[i], '|');
        if (lines[i][0] == '#' || hex == NULL)
            continue;
        g_autoptr(GByteArray) frame = bytes_of(hex + strspn(hex, "| "));
        gssize length = qmi_frame_length(frame->data, frame->len);
        QmiMessageView view;
        read++;
        if (length != (gssize)frame->len || !qmi_message_parse(frame->data, frame->len, &view))
            continue;
        g_autoptr(GByteArray) again = g_byte_array_new();
        qmi_begin(again, view.kind, view.service, view.client, view.transaction, view.message);
        g_byte_array_append(again, view.tlvs, (guint)view.tlvs_length);
        qmi_end(again);
        again->data[3] = frame->data[3];
        assert_same(again->data, again->len, frame->data, frame->len);
        whole++;
    }
    g_test_message("%d of %d messages are whole", whole, read);
    g_assert_cmpint(whole, >, read / 2);
}

static void test_mbim_signal(void)
{
    g_autofree char *text = reference("RECONSTRUCTED_signal_info.txt");
    if (text == NULL) {
        g_test_skip("no reference data; set CORRIDOR_DATA");
        return;
    }
    /* RSRP code 0x31 = -108 dBm, SNR code 0x2D = -1 dB; the 5G element differs: there unknown. */
    g_autoptr(GByteArray) wanted = bytes_of(strstr(text, "07:00:00:80:74"));
    Scenario scenario = {0};
    ModemPlan plan = {0};
    RigModem modem;
    RadioState radio;
    Cell cells[2];
    make_modem(&modem, &scenario, &plan, &radio, cells);
    radio.serving.rsrp_dbm = -108;
    radio.serving.sinr_db = -1;
    MbimStruct *s = mbim_struct_new();
    g_assert_cmpuint(mbim_find_answer(MBIM_BASIC, 11)(&modem, 2, s), ==, 0);
    g_autoptr(GByteArray) made = mbim_struct_end(s);
    g_assert_cmpuint(made->len, ==, 72);
    /* The last element and the reference to the list are the same bytes. */
    assert_same(made->data + 52, 8, wanted->data + 44 + 52, 8);
    assert_same(made->data + 20, 12, wanted->data + 44 + 20, 12);
    free_modem(&scenario, &plan);
}

/* Whatever is spoiled is still a frame. */
static void test_spoil(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    for (int i = 0; i < 3000; i++) {
        g_autoptr(GByteArray) frame = g_byte_array_new();
        qmi_begin(frame, QMI_RESPONSE, QMI_NAS, 1, 7, 0x4f);
        qmi_put_result(frame, 0);
        for (int k = g_rand_int_range(random, 1, 8); k > 0; k--)
            qmi_tlv_u32(frame, (guint8)(0x10 + k), g_rand_int(random));
        qmi_end(frame);
        g_assert_true(spoil_applies(FRAMING_QMUX, frame));
        if (i % 3 == 0)
            spoil_truncate(FRAMING_QMUX, frame, random);
        else if (i % 3 == 1)
            spoil_malform(FRAMING_QMUX, frame, random);
        else
            spoil_unknown(FRAMING_QMUX, frame);
        g_assert_cmpint(qmi_frame_length(frame->data, frame->len), ==, frame->len);
    }
}

static void test_nmea(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    GpsEpoch epoch = {.utc_ns = G_GINT64_CONSTANT(1767225600100000000),
                      .mode = 3,
                      .lat = -59.5,
                      .lon = 18.25,
                      .speed_mps = 10,
                      .heading_deg = 90,
                      .satellites = 9,
                      .hdop = 0.9,
                      .sigma_m = 2};
    nmea_append(out, "GPGLL,5300.97914,N,00259.98174,E,125926,A");
    g_assert_cmpstr(out->str, ==, "$GPGLL,5300.97914,N,00259.98174,E,125926,A*28\r\n");
    g_string_truncate(out, 0);
    nmea_epoch(out, &epoch);
    g_assert_true(g_str_has_prefix(
        out->str, "$GPRMC,000000.10,A,5930.000000,S,01815.000000,E,19.438,90.00,010126,,,A*"));
    epoch.lat = 59.999999999;
    g_string_truncate(out, 0);
    nmea_epoch(out, &epoch);
    g_assert_nonnull(strstr(out->str, ",6000.000000,N,"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rig/qmi/signal-info", test_signal_info);
    g_test_add_func("/rig/qmi/real-frames", test_real_frames);
    g_test_add_func("/rig/mbim/signal-state", test_mbim_signal);
    g_test_add_func("/rig/spoil", test_spoil);
    g_test_add_func("/rig/nmea", test_nmea);
    return g_test_run();
}
