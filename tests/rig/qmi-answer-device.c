/* SPDX-License-Identifier: Apache-2.0 */
/* Device, SIM, data and data-system services. */
#include "tests/rig/qmi-answer.h"

#define ANSWER(name)                                                                               \
    static guint16 name(const RigModem *modem, const QmiMessageView *request, GByteArray *out)

ANSWER(answer_capabilities)
{
    (void)request;
    qmi_tlv_begin(out, 0x01);
    put_u32(out, 50000000);
    put_u32(out, 300000000);
    put_u8(out, 1); /* packet data only */
    put_u8(out, 2); /* SIM supported */
    put_u8(out, modem->plan->endc ? 2 : 1);
    put_u8(out, 8); /* LTE */
    if (modem->plan->endc)
        put_u8(out, 10); /* NR */
    qmi_tlv_end(out);
    return QMI_OK;
}

ANSWER(answer_manufacturer)
{
    (void)request;
    qmi_tlv_text(out, 0x01, modem->plan->manufacturer);
    return QMI_OK;
}

ANSWER(answer_model)
{
    (void)request;
    qmi_tlv_text(out, 0x01, modem->plan->model);
    return QMI_OK;
}

ANSWER(answer_revision)
{
    (void)request;
    qmi_tlv_text(out, 0x01, modem->plan->revision);
    return QMI_OK;
}

ANSWER(answer_ids)
{
    (void)request;
    qmi_tlv_text(out, 0x10, "0");
    qmi_tlv_text(out, 0x11, modem->plan->imei);
    return QMI_OK;
}

ANSWER(answer_mode)
{
    (void)modem;
    (void)request;
    qmi_tlv_u8(out, 0x01, 0); /* online */
    return QMI_OK;
}

ANSWER(answer_bands)
{
    (void)modem;
    (void)request;
    qmi_tlv_u64(out, 0x01, 0);
    qmi_tlv_u64(out, 0x10, 0x8000000800000c5); /* B1 B3 B7 B8 B20 B28 … */
    return QMI_OK;
}

ANSWER(answer_pin)
{
    (void)request;
    if (!modem->radio->sim)
        return QMI_ERROR_SIM;
    qmi_tlv_begin(out, 0x11);
    put_u8(out, 3); /* disabled */
    put_u8(out, 3);
    put_u8(out, 10);
    qmi_tlv_end(out);
    return QMI_OK;
}

ANSWER(answer_uim_state)
{
    (void)request;
    if (!modem->radio->sim)
        return QMI_ERROR_SIM;
    qmi_tlv_u8(out, 0x01, 0); /* ready */
    return QMI_OK;
}

ANSWER(answer_iccid)
{
    (void)request;
    if (!modem->radio->sim)
        return QMI_ERROR_SIM;
    qmi_tlv_text(out, 0x01, modem->plan->iccid);
    return QMI_OK;
}

ANSWER(answer_imsi)
{
    (void)request;
    if (!modem->radio->sim)
        return QMI_ERROR_SIM;
    qmi_tlv_text(out, 0x01, modem->plan->imsi);
    return QMI_OK;
}

/* One slot, one USIM application. */
ANSWER(answer_card)
{
    (void)request;
    gboolean sim = modem->radio->sim;
    qmi_tlv_begin(out, 0x10);
    put_u16(out, sim ? 0x0000 : 0xffff);
    for (int i = 0; i < 3; i++)
        put_u16(out, 0xffff);
    put_u8(out, 1);
    put_u8(out, sim ? 1 : 0); /* present, absent */
    put_u8(out, 0);
    put_u8(out, 3);
    put_u8(out, 10);
    put_u8(out, sim ? 0 : 3); /* no error; no answer to reset */
    put_u8(out, sim ? 1 : 0); /* applications */
    if (sim) {
        static const guint8 usim[] = {2, 7, 11, 0, 3, 10}; /* USIM, ready */
        g_byte_array_append(out, usim, sizeof usim);
        put_short_text(out, "\x01\x01\x01\x01\x01\x01\x01");
        static const guint8 pins[] = {0, 3, 3, 10, 3, 3, 10};
        g_byte_array_append(out, pins, sizeof pins);
    }
    qmi_tlv_end(out);
    return QMI_OK;
}

ANSWER(answer_statistics)
{
    (void)request;
    const RadioState *radio = modem->radio;
    qmi_tlv_u32(out, 0x10, (guint32)(radio->tx_bytes / 500));
    qmi_tlv_u32(out, 0x11, (guint32)(radio->rx_bytes / 1000));
    for (guint8 type = 0x12; type <= 0x15; type++)
        qmi_tlv_u32(out, type, 0);
    qmi_tlv_u64(out, 0x19, radio->tx_bytes);
    qmi_tlv_u64(out, 0x1a, radio->rx_bytes);
    return QMI_OK;
}

ANSWER(answer_connection)
{
    (void)request;
    qmi_tlv_u8(out, 0x01, modem->radio->rat != RAT_NONE ? 2 : 1);
    return QMI_OK;
}

ANSWER(answer_rates)
{
    (void)modem;
    (void)request;
    qmi_tlv_begin(out, 0x01);
    put_u32(out, 10000000);
    put_u32(out, 50000000);
    put_u32(out, 50000000);
    put_u32(out, 300000000);
    qmi_tlv_end(out);
    return QMI_OK;
}

ANSWER(answer_bearer)
{
    (void)request;
    static const guint8 bearers[RAT_COUNT] = {
        [RAT_GSM] = 3, [RAT_UMTS] = 4, [RAT_LTE] = 10, [RAT_NR_NSA] = 10, [RAT_NR_SA] = 10};
    if (modem->radio->rat == RAT_NONE)
        return QMI_ERROR_UNAVAILABLE;
    qmi_tlv_u8(out, 0x01, bearers[modem->radio->rat]);
    return QMI_OK;
}

/* Service options: FDD, carrier aggregation, EN-DC, stand-alone (QmiDsd3gppSoMask). */
static guint64 system_options(const RadioState *radio, guint8 system)
{
    const guint64 lte_fdd = G_GUINT64_CONSTANT(1) << 12, lte_ca = G_GUINT64_CONSTANT(1) << 16;
    const guint64 nsa = G_GUINT64_CONSTANT(1) << 43, sa = G_GUINT64_CONSTANT(1) << 44;
    if (system > 0)
        return nsa;
    if (radio->rat == RAT_NR_SA)
        return sa;
    if (radio->rat != RAT_LTE && radio->rat != RAT_NR_NSA)
        return 0;
    return lte_fdd | (radio->n_carriers > 0 ? lte_ca : 0);
}

ANSWER(answer_data_system)
{
    (void)request;
    static const guint8 rats[RAT_COUNT] = {
        [RAT_UMTS] = 1, [RAT_GSM] = 2, [RAT_LTE] = 3, [RAT_NR_NSA] = 3, [RAT_NR_SA] = 6};
    const RadioState *radio = modem->radio;
    guint8 n = (guint8)((radio->rat != RAT_NONE) + (radio->leg.cell != NULL));
    qmi_tlv_begin(out, 0x10);
    put_u8(out, n);
    for (guint8 i = 0; i < n; i++) {
        put_u32(out, 0); /* 3GPP */
        put_u32(out, i == 0 ? rats[radio->rat] : 6);
        put_u64(out, system_options(radio, i));
    }
    qmi_tlv_end(out);
    return QMI_OK;
}

ANSWER(answer_done)
{
    (void)modem;
    (void)request;
    (void)out;
    return QMI_OK;
}

const QmiAnswerRow qmi_answers_device[] = {
    {QMI_WDS, 0x0022, answer_connection},
    {QMI_WDS, 0x0023, answer_rates},
    {QMI_WDS, 0x0024, answer_statistics},
    {QMI_WDS, 0x0037, answer_bearer},
    {QMI_DMS, 0x0001, answer_done}, /* event report */
    {QMI_DMS, 0x0020, answer_capabilities},
    {QMI_DMS, 0x0021, answer_manufacturer},
    {QMI_DMS, 0x0022, answer_model},
    {QMI_DMS, 0x0023, answer_revision},
    {QMI_DMS, 0x0025, answer_ids},
    {QMI_DMS, 0x002b, answer_pin},
    {QMI_DMS, 0x002d, answer_mode},
    {QMI_DMS, 0x002e, answer_done}, /* set operating mode */
    {QMI_DMS, 0x003c, answer_iccid},
    {QMI_DMS, 0x0043, answer_imsi},
    {QMI_DMS, 0x0044, answer_uim_state},
    {QMI_DMS, 0x0045, answer_bands},
    {QMI_UIM, 0x002e, answer_done}, /* register events */
    {QMI_UIM, 0x002f, answer_card},
    {QMI_DSD, 0x0024, answer_data_system},
    {QMI_DSD, 0x0025, answer_done}, /* system status change */
    {0, 0, NULL}};
