/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a modem says, turned into records. The first byte chooses QMI or MBIM and what the rest is
 * read as. A QMI message is also framed right here, so that what lies behind the lengths is
 * reached. No value comes out that its column does not allow.
 */
#include "logger/mbim-convert.h"
#include "logger/qmi-convert.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 16, FRAME_HEAD = 13, MAX_TLVS = 4000 };

/* Names are terminated and reals finite, whatever the modem said. */
static void check(RecordKind kind, const void *record)
{
    const RecordType *type = record_type(kind);
    guint64 known = *(const guint64 *)record;
    for (unsigned c = 0; c < type->n_columns; c++) {
        const RecordColumn *column = &type->columns[c];
        const char *field = (const char *)record + column->offset;
        if ((known >> c & 1U) == 0)
            continue;
        if (column->type == COLUMN_REAL)
            g_assert_true(isfinite(*(const double *)(const void *)field));
        else if (column->type == COLUMN_TEXT)
            g_assert_true(g_utf8_validate(*(const char *const *)(const void *)field, -1, NULL));
        else if (column->type == COLUMN_ENUM)
            g_assert_cmpint(*(const int *)(const void *)field, <, column->enum_count);
    }
}

static void qmi(const guint8 *frame, gsize length)
{
    QmiTlvs tlvs;
    if (!qmi_tlvs_read(&tlvs, frame, length))
        return;
    QmiState state = {0};
    Sample sample = {0};
    Neighbour neighbours[ROOM] = {{0}};
    Carrier carriers[QMI_MAX_CARRIERS] = {{0}};
    Antenna chains[QMI_CHAINS] = {{0}};
    (void)qmi_result(&tlvs);
    (void)qmi_take_serving_system(&state, &tlvs);
    (void)qmi_take_system_info(&state, &tlvs);
    (void)qmi_take_rf_band(&state, &tlvs);
    unsigned n = qmi_take_cells(&state, &tlvs, neighbours, ROOM);
    g_assert_cmpuint(n, <=, ROOM);
    for (unsigned i = 0; i < n; i++)
        check(RECORD_NEIGHBOUR, &neighbours[i]);
    if (qmi_make_sample(&state, &tlvs, &sample))
        check(RECORD_SAMPLE, &sample);
    n = qmi_read_carriers(&tlvs, carriers, G_N_ELEMENTS(carriers));
    for (unsigned i = 0; i < n; i++)
        check(RECORD_CARRIER, &carriers[i]);
    double tx_power_dbm = 0;
    n = qmi_read_chains(&tlvs, RAT_LTE, chains, G_N_ELEMENTS(chains), &tx_power_dbm);
    for (unsigned i = 0; i < n; i++)
        check(RECORD_ANTENNA, &chains[i]);
    gint64 rx = 0;
    gint64 tx = 0;
    (void)qmi_read_statistics(&tlvs, &rx, &tx);
    (void)qmi_read_bearer(&tlvs);
    (void)qmi_read_sim(&tlvs);
    for (guint8 t = 0x01; t < 0x20; t++)
        g_free(qmi_read_text(&tlvs, t));
}

/* 01 length flags service client | flags transaction message length, then the TLVs. */
static void qmi_framed(const guint8 *tlvs, gsize length)
{
    guint8 frame[FRAME_HEAD + MAX_TLVS] = {0x01, 0, 0, 0x80, 3, 1, 2, 1, 0, 0x4f, 0, 0, 0};
    if (length > MAX_TLVS)
        return;
    gsize total = FRAME_HEAD - 1 + length;
    frame[1] = (guint8)total;
    frame[2] = (guint8)(total >> 8);
    frame[11] = (guint8)length;
    frame[12] = (guint8)(length >> 8);
    if (length > 0)
        memcpy(frame + FRAME_HEAD, tlvs, length);
    qmi(frame, FRAME_HEAD + length);
}

static void mbim(const guint8 *bytes, gsize length, int version)
{
    MbimBuffer buffer = {bytes, length};
    MbimState state = {0};
    Sample sample = {0};
    Neighbour neighbours[ROOM] = {{0}};
    unsigned n = 0;
    (void)mbim_take_register(&state, buffer);
    (void)mbim_take_packet_service(&state, buffer, version);
    (void)mbim_take_connect(&state, buffer);
    (void)mbim_take_statistics(&state, buffer);
    if (mbim_take_base_stations(&state, buffer, version, neighbours, ROOM, &n)) {
        g_assert_cmpuint(n, <=, ROOM);
        for (unsigned i = 0; i < n; i++)
            check(RECORD_NEIGHBOUR, &neighbours[i]);
    }
    if (mbim_make_sample(&state, buffer, version, &sample))
        check(RECORD_SAMPLE, &sample);
    ModemIdentity identity = {0};
    (void)mbim_read_caps(buffer, &identity);
    g_free(identity.model);
    g_free(identity.firmware);
    g_free(identity.imei);
    int sim = 0;
    char *iccid = NULL;
    (void)mbim_read_subscriber(buffer, version, &sim, &iccid);
    g_free(iccid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    /* An exact copy, so that a sanitizer sees a read past the end. */
    g_autofree guint8 *copy = g_memdup2(data + 1, size - 1);
    if (data[0] % 5 == 0)
        qmi(copy, size - 1);
    else if (data[0] % 5 == 1)
        qmi_framed(copy, size - 1);
    else
        mbim(copy, size - 1, data[0] % 5 - 1);
    return 0;
}
