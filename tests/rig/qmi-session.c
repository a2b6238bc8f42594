/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/qmi-session.h"

#include "tests/rig/qmi-answer.h"

#include <string.h>

#define PROXY_OPEN 0xff00
#define N_CLIENTS  255

typedef struct {
    guint8 service;
    gboolean serving, system, levels; /* indications asked for */
} Client;

struct QmiSession {
    RigModem *modem;
    QmiSend send;
    gpointer user;
    Client clients[N_CLIENTS + 1]; /* by id; service 0: none */
    GByteArray *out;
};

QmiSession *qmi_session_new(RigModem *modem, QmiSend send, gpointer user)
{
    QmiSession *session = g_new0(QmiSession, 1);
    session->modem = modem;
    session->send = send;
    session->user = user;
    session->out = g_byte_array_new();
    return session;
}

void qmi_session_free(QmiSession *session)
{
    if (session == NULL)
        return;
    g_byte_array_unref(session->out);
    g_free(session);
}

static void finish(QmiSession *session)
{
    qmi_end(session->out);
    session->send(session->user, session->out, TRUE);
}

/* Begins the answer to a request, result included. */
static void begin_answer(QmiSession *session, const QmiMessageView *request, guint16 error)
{
    qmi_begin(session->out, QMI_RESPONSE, request->service, request->client, request->transaction,
              request->message);
    qmi_put_result(session->out, error);
}

char *qmi_session_opens(const guint8 *frame, gsize length)
{
    QmiMessageView request;
    gsize size = 0;
    if (!qmi_message_parse(frame, length, &request) || request.service != QMI_CTL ||
        request.message != PROXY_OPEN)
        return NULL;
    const guint8 *path = qmi_message_tlv(&request, 0x01, &size);
    return g_strndup(path != NULL ? (const char *)path : "", size);
}

void qmi_session_opened(QmiSession *session, RigModem *modem, const guint8 *frame, gsize length)
{
    QmiMessageView request;
    if (!qmi_message_parse(frame, length, &request))
        return;
    session->modem = modem;
    begin_answer(session, &request, modem != NULL ? QMI_OK : 3 /* Internal */);
    finish(session);
}

static gboolean is_service(guint8 service)
{
    static const guint8 services[] = {QMI_WDS, QMI_DMS, QMI_NAS, QMI_UIM, QMI_DSD};
    return memchr(services, service, sizeof services) != NULL;
}

static void allocate(QmiSession *session, const QmiMessageView *request)
{
    gsize size = 0;
    const guint8 *service = qmi_message_tlv(request, 0x01, &size);
    if (service == NULL || size != 1 || !is_service(*service)) {
        begin_answer(session, request, QMI_ERROR_INVALID_SERVICE);
        return;
    }
    guint8 *next = &session->modem->next_client;
    do {
        *next = (guint8)(*next % N_CLIENTS + 1);
    } while (session->clients[*next].service != 0);
    session->clients[*next] = (Client){.service = *service};
    begin_answer(session, request, QMI_OK);
    qmi_tlv_begin(session->out, 0x01);
    put_u8(session->out, *service);
    put_u8(session->out, *next);
    qmi_tlv_end(session->out);
}

static void release(QmiSession *session, const QmiMessageView *request)
{
    gsize size = 0;
    const guint8 *which = qmi_message_tlv(request, 0x01, &size);
    if (which == NULL || size != 2 || session->clients[which[1]].service != which[0]) {
        begin_answer(session, request, QMI_ERROR_INVALID_CLIENT_ID);
        return;
    }
    session->clients[which[1]] = (Client){0};
    begin_answer(session, request, QMI_OK);
    qmi_tlv_begin(session->out, 0x01);
    put_u8(session->out, which[0]);
    put_u8(session->out, which[1]);
    qmi_tlv_end(session->out);
}

static void control(QmiSession *session, const QmiMessageView *request)
{
    static const guint8 versions[][5] = {{QMI_CTL, 1, 0, 5, 0},  {QMI_WDS, 1, 0, 67, 0},
                                         {QMI_DMS, 1, 0, 30, 0}, {QMI_NAS, 1, 0, 25, 0},
                                         {QMI_UIM, 1, 0, 46, 0}, {QMI_DSD, 1, 0, 12, 0}};
    switch (request->message) {
    case 0x0021:
        begin_answer(session, request, QMI_OK);
        qmi_tlv_begin(session->out, 0x01);
        put_u8(session->out, G_N_ELEMENTS(versions));
        g_byte_array_append(session->out, versions[0], sizeof versions);
        qmi_tlv_end(session->out);
        break;
    case 0x0022:
        allocate(session, request);
        break;
    case 0x0023:
        release(session, request);
        break;
    case 0x0020: /* set instance id */
    case 0x0026: /* set data format */
    case 0x0027: /* sync */
        begin_answer(session, request, QMI_OK);
        break;
    default:
        begin_answer(session, request, QMI_ERROR_INVALID_COMMAND);
    }
    finish(session);
}

static void note_registration(Client *client, const QmiMessageView *request)
{
    static const struct {
        guint8 type;
        gsize offset;
    } wishes[] = {{0x13, offsetof(Client, serving)},
                  {0x18, offsetof(Client, system)},
                  {0x19, offsetof(Client, levels)}};
    if (request->service != QMI_NAS || request->message != 0x0003)
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(wishes); i++) {
        gsize size = 0;
        const guint8 *wish = qmi_message_tlv(request, wishes[i].type, &size);
        if (wish != NULL && size == 1)
            *(gboolean *)(gpointer)((char *)client + wishes[i].offset) = *wish != 0;
    }
}

static QmiAnswer find_answer(const QmiMessageView *request)
{
    const QmiAnswerRow *tables[] = {qmi_answers_nas, qmi_answers_device};
    for (gsize t = 0; t < G_N_ELEMENTS(tables); t++) {
        for (const QmiAnswerRow *row = tables[t]; row->answer != NULL; row++) {
            if (row->service == request->service && row->message == request->message)
                return row->answer;
        }
    }
    return NULL;
}

void qmi_session_receive(QmiSession *session, const guint8 *frame, gsize length)
{
    QmiMessageView request;
    RigModem *modem = session->modem;
    if (modem == NULL || !qmi_message_parse(frame, length, &request) || request.kind != QMI_REQUEST)
        return;
    if (request.service == QMI_CTL) {
        control(session, &request);
        return;
    }
    guint16 error = QMI_OK;
    QmiAnswer answer = find_answer(&request);
    if (session->clients[request.client].service != request.service)
        error = QMI_ERROR_INVALID_CLIENT_ID;
    else if (answer == NULL)
        error = QMI_ERROR_INVALID_COMMAND;
    else if (modem_fault(modem, FAULT_ERROR) != NULL)
        error = QMI_ERROR_UNAVAILABLE;
    begin_answer(session, &request, error);
    if (error == QMI_OK) {
        note_registration(&session->clients[request.client], &request);
        error = answer(modem, &request, session->out);
        if (error != QMI_OK)
            begin_answer(session, &request, error);
    }
    finish(session);
}

static void indicate(QmiSession *session, guint8 client, guint16 message,
                     void (*fill)(const RigModem *, GByteArray *))
{
    qmi_begin(session->out, QMI_INDICATION, QMI_NAS, client, 0, message);
    fill(session->modem, session->out);
    qmi_end(session->out);
    session->send(session->user, session->out, FALSE);
}

void qmi_session_notify(QmiSession *session, gboolean serving, gboolean levels)
{
    if (session->modem == NULL)
        return;
    for (guint id = 1; id <= N_CLIENTS; id++) {
        const Client *client = &session->clients[id];
        if (client->service != QMI_NAS)
            continue;
        if (serving && client->serving)
            indicate(session, (guint8)id, 0x0024, qmi_indicate_serving_system);
        if (serving && client->system)
            indicate(session, (guint8)id, 0x004e, qmi_indicate_system_info);
        if (levels && client->levels && session->modem->radio->rat != RAT_NONE)
            indicate(session, (guint8)id, 0x0051, qmi_indicate_signal_info);
    }
}
