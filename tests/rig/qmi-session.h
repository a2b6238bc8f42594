/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection that speaks QMI with a made modem: client ids, answers, indications. Where the
 * frames come from (socket, pty, inside MBIM) is the owner's business.
 */
#pragma once

#include "tests/rig/modem.h"

typedef struct QmiSession QmiSession;
/* A frame for the other end; `answer` FALSE for indications. */
typedef void (*QmiSend)(gpointer user, const GByteArray *frame, gboolean answer);

/* `modem` may be NULL until the internal proxy-open request names its path. */
QmiSession *qmi_session_new(RigModem *modem, QmiSend send, gpointer user);
void qmi_session_free(QmiSession *session);

/* Answers one whole frame. */
void qmi_session_receive(QmiSession *session, const guint8 *frame, gsize length);
/* Sends the indications that were asked for. */
void qmi_session_notify(QmiSession *session, gboolean serving, gboolean levels);

/* Path of an internal proxy-open request. Returns: (transfer full) (nullable): NULL if the frame is
 * another. */
char *qmi_session_opens(const guint8 *frame, gsize length);
/* Answers the internal proxy-open; with `modem` NULL as an error. */
void qmi_session_opened(QmiSession *session, RigModem *modem, const guint8 *frame, gsize length);
