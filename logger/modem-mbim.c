/* SPDX-License-Identifier: Apache-2.0 */
/* MBIM modems that carry QMI. */
#include "logger/modem-qmi.h"

static void poll_mbim(gpointer driver, gboolean cells)
{
    modem_qmi.poll(driver, cells);
}

static void close_mbim(gpointer driver)
{
    modem_qmi.close(driver);
}

const ModemDriver modem_mbim = {"mbim", modem_qmi_open_over_mbim, poll_mbim, close_mbim};
