/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers of modems share. */
#pragma once

#include "logger/modem.h"

/* Who answers. NULL = not known. */
typedef struct {
    char *model, *firmware, *imei, *iccid;
} ModemIdentity;

/* Frees the texts. */
void modem_identity_clear(ModemIdentity *identity);
void modem_identity_tell(const ModemIdentity *identity, const ModemSink *sink);

/* Time limit of one request for the libraries, in whole seconds, at least 1. */
guint modem_timeout_s(const ConfigModem *config);

/* Tells the sink "what: error"; `error` may be NULL. */
void modem_tell_lost(const ModemSink *sink, const char *what, const GError *error);
