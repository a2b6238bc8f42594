/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/modem-driver.h"

void modem_identity_clear(ModemIdentity *identity)
{
    g_free(identity->model);
    g_free(identity->firmware);
    g_free(identity->imei);
    g_free(identity->iccid);
    *identity = (ModemIdentity){NULL, NULL, NULL, NULL};
}

void modem_identity_tell(const ModemIdentity *identity, const ModemSink *sink)
{
    sink->identity(sink->data, identity->model, identity->firmware, identity->imei,
                   identity->iccid);
}

guint modem_timeout_s(const ConfigModem *config)
{
    return (guint)((config->timeout_ns + 999999999) / 1000000000);
}

void modem_tell_lost(const ModemSink *sink, const char *what, const GError *error)
{
    g_autofree char *why =
        error != NULL ? g_strdup_printf("%s: %s", what, error->message) : g_strdup(what);
    sink->lost(sink->data, why);
}
