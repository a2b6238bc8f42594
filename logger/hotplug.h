/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that come and go, by udev: USB control nodes of modems (usbmisc) and wwan ports.
 */
#pragma once

#include <glib.h>

typedef struct Hotplug Hotplug;

/* `changed` is called in the main loop for each modem node that comes or goes. Where there is no
 * udev nothing is ever told: modems are looked for each second anyway. (transfer full) */
Hotplug *hotplug_new(void (*changed)(gpointer data), gpointer data);
/* NULL is allowed. */
void hotplug_free(Hotplug *hotplug);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Hotplug, hotplug_free)

/* Node of the modem in a USB port, e.g. "1-1.4"; NULL: none. (transfer full) */
char *hotplug_find(const char *usb_path, gboolean mbim);
/* Nodes of all modems that speak (or may speak) this protocol. (transfer full) */
GPtrArray *hotplug_nodes(gboolean mbim);

/* "/dev/cdc-wdm0 usb-path 1-1.4 (qmi_wwan)" for each modem node now. (transfer full) */
GPtrArray *hotplug_list(void);
