/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which device node each modem has. A modem is configured by its node, by its USB port, or by the
 * hash of its IMEI. The last is found by asking: nodes that no other modem has are opened one after
 * the other until one answers with that IMEI. What a node answered is remembered for a while and as
 * long as the node is there, so that modems which look at the same time do not ask twice.
 */
#pragma once

#include "logger/config.h"

typedef struct ModemFinder ModemFinder;

/* `modems` (ConfigModem *) is borrowed. (transfer full) */
ModemFinder *modem_finder_new(const GPtrArray *modems);
/* NULL is allowed. */
void modem_finder_free(ModemFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ModemFinder, modem_finder_free)

/* Whether a modem is known by its IMEI only: whatever node it is given must first be asked. */
gboolean modem_by_imei(const ConfigModem *config);

/* The node to open now; no other modem gets it until modem_finder_release(). NULL: there is none,
 * the error says why. (transfer full) */
char *modem_finder_take(ModemFinder *finder, const ConfigModem *config, GError **error);
/* The real path of the node that is taken; NULL: none. (transfer none) */
const char *modem_finder_node(const ModemFinder *finder, const ConfigModem *config);
/* Lets go of the node, if one was taken. */
void modem_finder_release(ModemFinder *finder, const ConfigModem *config);
/* The node that was taken said who it is. NULL: it did not; it is left alone for 2 s. Returns
 * whether it is the modem wanted. */
gboolean modem_finder_heard(ModemFinder *finder, const ConfigModem *config, const char *imei_hash);
/* Devices have come or gone (udev): whatever was not the one may be it now. */
void modem_finder_forget(ModemFinder *finder);
/* Whether a running modem's node is still the one that the configuration means. */
gboolean modem_finder_still(const ConfigModem *config, const char *node);
