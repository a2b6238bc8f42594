/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection that speaks MBIM with a made modem, with QMI inside MBIM where the modem has it.
 */
#pragma once

#include "tests/rig/mbim-wire.h"
#include "tests/rig/modem.h"

typedef struct MbimSession MbimSession;
typedef void (*MbimSend)(gpointer user, const GByteArray *message, gboolean answer);

/* `modem` may be NULL until the proxy configuration names its path. */
MbimSession *mbim_session_new(RigModem *modem, MbimSend send, gpointer user);
void mbim_session_free(MbimSession *session);

void mbim_session_receive(MbimSession *session, const guint8 *message, gsize length);
void mbim_session_notify(MbimSession *session, gboolean serving, gboolean levels);

/* Path of a proxy-configuration command. Returns: (transfer full) (nullable). */
char *mbim_session_opens(const guint8 *message, gsize length);
/* Answers it; with `modem` NULL as an error. */
void mbim_session_opened(MbimSession *session, RigModem *modem, const guint8 *message,
                         gsize length);
