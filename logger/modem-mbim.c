/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/modem-qmi.h"
/* placeholder for the first build */
const ModemDriver modem_mbim = {"mbim", modem_qmi_open_over_mbim, NULL, NULL};
