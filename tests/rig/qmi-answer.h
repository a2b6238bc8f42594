/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a made modem answers to QMI requests: one function a message, from its plan and radio state.
 */
#pragma once

#include "tests/rig/modem.h"
#include "tests/rig/qmi-wire.h"

/* QMI protocol errors, the values of QmiProtocolError in libqmi. */
enum {
    QMI_OK = 0,
    QMI_ERROR_INVALID_CLIENT_ID = 7,
    QMI_ERROR_INVALID_SERVICE = 31,
    QMI_ERROR_SIM = 16, /* NotProvisioned */
    QMI_ERROR_INVALID_COMMAND = 71,
    QMI_ERROR_UNAVAILABLE = 74
};

/* Adds the TLVs of the answer to `out` (which holds none yet, so an error may be returned first).
 */
typedef guint16 (*QmiAnswer)(const RigModem *modem, const QmiMessageView *request, GByteArray *out);

typedef struct {
    guint8 service;
    guint16 message;
    QmiAnswer answer;
} QmiAnswerRow;

/* Ends with a row without function. */
extern const QmiAnswerRow qmi_answers_nas[];
extern const QmiAnswerRow qmi_answers_device[];

/* TLVs of the indications 0x0024 serving system, 0x004E system info, 0x0051 signal info. */
void qmi_indicate_serving_system(const RigModem *modem, GByteArray *out);
void qmi_indicate_system_info(const RigModem *modem, GByteArray *out);
void qmi_indicate_signal_info(const RigModem *modem, GByteArray *out);
