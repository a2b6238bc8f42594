/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/mbim-session.h"

#include "tests/rig/mbim-answer.h"
#include "tests/rig/qmi-session.h"
#include "tests/rig/qmi-wire.h"

#include <string.h>

#define OPEN         1U
#define CLOSE        2U
#define COMMAND      3U
#define OPEN_DONE    0x80000001U
#define CLOSE_DONE   0x80000002U
#define COMMAND_DONE 0x80000003U
#define INDICATE     0x80000007U
enum { STATUS_FAILURE = 2, STATUS_NO_SUPPORT = 9, STATUS_INVALID = 21 };

#define CID_PROXY_CONFIGURATION 1
#define CID_DEVICE_SERVICES     16
#define CID_SUBSCRIBE_LIST      19
#define CID_VERSION             15
#define BUFFER                  48 /* of a command */

struct MbimSession {
    RigModem *modem;
    MbimSend send;
    gpointer user;
    QmiSession *qmi;
    gboolean open;
    int version;
    guint32 qmi_transaction; /* of the MBIM command that carried the QMI request at hand */
};

static void send_qmi(gpointer user, const GByteArray *frame, gboolean answer);

MbimSession *mbim_session_new(RigModem *modem, MbimSend send, gpointer user)
{
    MbimSession *session = g_new0(MbimSession, 1);
    session->modem = modem;
    session->send = send;
    session->user = user;
    session->version = 1;
    session->qmi = qmi_session_new(modem, send_qmi, session);
    return session;
}

void mbim_session_free(MbimSession *session)
{
    if (session == NULL)
        return;
    qmi_session_free(session->qmi);
    g_free(session);
}

static void set_length(GByteArray *message)
{
    for (guint i = 0; i < 4; i++)
        message->data[4 + i] = (guint8)(message->len >> (8 * i));
}

static void begin(GByteArray *out, guint32 type, guint32 transaction)
{
    put_u32(out, type);
    put_u32(out, 0); /* length: set_length() */
    put_u32(out, transaction);
}

/* OPEN_DONE and CLOSE_DONE. */
static void send_done(MbimSession *session, guint32 type, guint32 transaction, guint32 status)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    begin(out, type, transaction);
    put_u32(out, status);
    set_length(out);
    session->send(session->user, out, TRUE);
}

/* COMMAND_DONE, or with transaction 0 an indication. */
static void send_buffer(MbimSession *session, guint32 transaction, MbimServiceId service,
                        guint32 cid, guint32 status, const GByteArray *buffer)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    begin(out, transaction != 0 ? COMMAND_DONE : INDICATE, transaction);
    put_u32(out, 1);
    put_u32(out, 0);
    g_byte_array_append(out, mbim_uuids[service], 16);
    put_u32(out, cid);
    if (transaction != 0)
        put_u32(out, status);
    put_u32(out, buffer != NULL ? buffer->len : 0);
    if (buffer != NULL)
        g_byte_array_append(out, buffer->data, buffer->len);
    set_length(out);
    session->send(session->user, out, transaction != 0);
}

static void send_qmi(gpointer user, const GByteArray *frame, gboolean answer)
{
    MbimSession *session = user;
    send_buffer(session, answer ? session->qmi_transaction : 0, MBIM_QMI, 1, 0, frame);
}

static gboolean is_command(const guint8 *message, gsize length, MbimServiceId *service)
{
    if (length < BUFFER || mbim_get_u32(message, length, 0) != COMMAND)
        return FALSE;
    for (int i = 0; i < MBIM_SERVICE_COUNT; i++) {
        if (memcmp(message + 20, mbim_uuids[i], 16) == 0) {
            *service = (MbimServiceId)i;
            return TRUE;
        }
    }
    return FALSE;
}

char *mbim_session_opens(const guint8 *message, gsize length)
{
    MbimServiceId service = MBIM_BASIC;
    if (!is_command(message, length, &service) || service != MBIM_PROXY ||
        mbim_get_u32(message, length, 36) != CID_PROXY_CONFIGURATION)
        return NULL;
    gsize offset = BUFFER + (gsize)mbim_get_u32(message, length, BUFFER);
    gsize size = mbim_get_u32(message, length, BUFFER + 4);
    if (offset > length || size > length - offset)
        return g_strdup("");
    g_autofree gunichar2 *wide = g_malloc0(size + 2);
    memcpy(wide, message + offset, size);
    char *path = g_utf16_to_utf8(wide, (glong)(size / 2), NULL, NULL, NULL);
    return path != NULL ? path : g_strdup("");
}

void mbim_session_opened(MbimSession *session, RigModem *modem, const guint8 *message, gsize length)
{
    session->modem = modem;
    qmi_session_free(session->qmi);
    session->qmi = qmi_session_new(modem, send_qmi, session);
    send_buffer(session, mbim_get_u32(message, length, 8), MBIM_PROXY, CID_PROXY_CONFIGURATION,
                modem != NULL ? 0 : STATUS_FAILURE, NULL);
}

static void add_service(MbimStruct *s, MbimServiceId service, const guint32 *cids, guint n)
{
    g_autoptr(GByteArray) element = g_byte_array_new();
    g_byte_array_append(element, mbim_uuids[service], 16);
    put_u32(element, 0);
    put_u32(element, 0);
    put_u32(element, n);
    for (guint i = 0; i < n; i++)
        put_u32(element, cids[i]);
    mbim_bytes(s, element);
}

static GByteArray *list_services(const RigModem *modem)
{
    gboolean qmi = modem->plan->protocol == PROTOCOL_QMI_OVER_MBIM;
    MbimStruct *s = mbim_struct_new();
    mbim_u32(s, qmi ? 3 : 2);
    mbim_u32(s, 0);
    guint32 cids[2][16];
    guint n[2] = {0, 0};
    for (const MbimAnswerRow *row = mbim_answers; row->answer != NULL; row++)
        cids[row->service][n[row->service]++] = row->cid;
    cids[MBIM_BASIC][n[MBIM_BASIC]++] = CID_DEVICE_SERVICES;
    cids[MBIM_BASIC][n[MBIM_BASIC]++] = CID_SUBSCRIBE_LIST;
    if (modem->plan->mbimex >= 2)
        cids[MBIM_EXTENSIONS][n[MBIM_EXTENSIONS]++] = CID_VERSION;
    add_service(s, MBIM_BASIC, cids[MBIM_BASIC], n[MBIM_BASIC]);
    add_service(s, MBIM_EXTENSIONS, cids[MBIM_EXTENSIONS], n[MBIM_EXTENSIONS]);
    guint32 one = 1;
    if (qmi)
        add_service(s, MBIM_QMI, &one, 1);
    return mbim_struct_end(s);
}

/* The version both know: the lower of the client's wish and the modem's. */
static GByteArray *agree_version(MbimSession *session, const guint8 *message, gsize length)
{
    guint32 asked = mbim_get_u32(message, length, BUFFER) >> 16;
    session->version = (int)MIN((guint32)session->modem->plan->mbimex, MAX(asked >> 8, 1));
    MbimStruct *s = mbim_struct_new();
    mbim_u32(s, 0x0100U | (guint32)session->version << 24);
    return mbim_struct_end(s);
}

static void command(MbimSession *session, const guint8 *message, gsize length)
{
    RigModem *modem = session->modem;
    guint32 transaction = mbim_get_u32(message, length, 8);
    guint32 cid = mbim_get_u32(message, length, 36);
    gsize size = MIN(mbim_get_u32(message, length, 44), length - BUFFER);
    MbimServiceId service = MBIM_BASIC;
    gboolean known = is_command(message, length, &service);
    g_autoptr(GByteArray) buffer = NULL;
    guint32 status = 0;
    if (known && service == MBIM_QMI && cid == 1 &&
        modem->plan->protocol == PROTOCOL_QMI_OVER_MBIM) {
        session->qmi_transaction = transaction;
        qmi_session_receive(session->qmi, message + BUFFER, size);
        return;
    }
    MbimAnswer answer = known ? mbim_find_answer(service, cid) : NULL;
    if (answer != NULL && modem_fault(modem, FAULT_ERROR) != NULL) {
        status = STATUS_FAILURE;
    } else if (answer != NULL) {
        MbimStruct *s = mbim_struct_new();
        status = answer(modem, session->version, s);
        buffer = mbim_struct_end(s);
    } else if (known && service == MBIM_BASIC && cid == CID_DEVICE_SERVICES) {
        buffer = list_services(modem);
    } else if (known && service == MBIM_BASIC && cid == CID_SUBSCRIBE_LIST) {
        buffer = g_byte_array_new();
        g_byte_array_append(buffer, message + BUFFER, (guint)size);
    } else if (known && service == MBIM_EXTENSIONS && cid == CID_VERSION &&
               modem->plan->mbimex >= 2) {
        buffer = agree_version(session, message, length);
    } else {
        status = STATUS_NO_SUPPORT;
    }
    send_buffer(session, transaction, known ? service : MBIM_BASIC, cid, status, buffer);
}

void mbim_session_receive(MbimSession *session, const guint8 *message, gsize length)
{
    guint32 transaction = mbim_get_u32(message, length, 8);
    if (session->modem == NULL)
        return;
    switch (mbim_get_u32(message, length, 0)) {
    case OPEN:
        session->open = TRUE;
        send_done(session, OPEN_DONE, transaction, 0);
        break;
    case CLOSE:
        session->open = FALSE;
        send_done(session, CLOSE_DONE, transaction, 0);
        break;
    case COMMAND:
        if (length >= BUFFER)
            command(session, message, length);
        break;
    default:
        break; /* host errors need no answer */
    }
}

static void indicate(MbimSession *session, guint32 cid)
{
    MbimStruct *s = mbim_struct_new();
    (void)mbim_find_answer(MBIM_BASIC, cid)(session->modem, session->version, s);
    g_autoptr(GByteArray) buffer = mbim_struct_end(s);
    send_buffer(session, 0, MBIM_BASIC, cid, 0, buffer);
}

void mbim_session_notify(MbimSession *session, gboolean serving, gboolean levels)
{
    if (session->modem == NULL || !session->open)
        return;
    qmi_session_notify(session->qmi, serving, levels);
    if (serving) {
        indicate(session, 9);
        indicate(session, 10);
    }
    if (levels)
        indicate(session, 11);
}
