/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "logger/modem.h"

/* The QMI driver on a modem that speaks MBIM and carries QMI in it. The rest is modem_qmi's. */
gpointer modem_qmi_open_over_mbim(const ConfigModem *config, const char *device,
                                  const ModemSink *sink);
