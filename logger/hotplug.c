/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/hotplug.h"
#include "logger/modem.h"

#include <gudev/gudev.h>
#include <string.h>
#include <unistd.h>

static const char *const subsystems[] = {"usbmisc", "wwan", "net", NULL};

struct Hotplug {
    GUdevClient *client;
    void (*changed)(gpointer data);
    gpointer data;
};

static void on_uevent(GUdevClient *client, const char *action, GUdevDevice *device, gpointer data)
{
    (void)client;
    (void)device;
    Hotplug *hotplug = data;
    if (strcmp(action, "add") == 0 || strcmp(action, "remove") == 0)
        hotplug->changed(hotplug->data);
}

Hotplug *hotplug_new(void (*changed)(gpointer data), gpointer data)
{
    Hotplug *hotplug = g_new0(Hotplug, 1);
    hotplug->changed = changed;
    hotplug->data = data;
    hotplug->client = g_udev_client_new(subsystems);
    g_signal_connect(hotplug->client, "uevent", G_CALLBACK(on_uevent), hotplug);
    return hotplug;
}

void hotplug_free(Hotplug *hotplug)
{
    if (hotplug == NULL)
        return;
    g_object_unref(hotplug->client);
    g_free(hotplug);
}

/* The port's name of the USB device that a node belongs to, e.g. "1-1.4". */
static GUdevDevice *usb_device(GUdevDevice *node)
{
    return g_udev_device_get_parent_with_subsystem(node, "usb", "usb_device");
}

static GList *nodes(GUdevClient *client)
{
    GList *list = g_udev_client_query_by_subsystem(client, "usbmisc");
    return g_list_concat(list, g_udev_client_query_by_subsystem(client, "wwan"));
}

/* A wwan node says what it speaks; usbmisc nodes are one per modem. */
static gboolean speaks(GUdevDevice *node, gboolean mbim)
{
    const char *type = g_udev_device_get_sysfs_attr(node, "type");
    if (type == NULL)
        return g_str_has_prefix(g_udev_device_get_name(node), "cdc-wdm");
    return g_ascii_strcasecmp(type, mbim ? "MBIM" : "QMI") == 0;
}

char *hotplug_find(const char *usb_path, gboolean mbim)
{
    g_autoptr(GUdevClient) client = g_udev_client_new(NULL);
    GList *list = nodes(client);
    char *found = NULL;
    for (GList *at = list; at != NULL && found == NULL; at = at->next) {
        g_autoptr(GUdevDevice) usb = usb_device(at->data);
        const char *node = g_udev_device_get_device_file(at->data);
        if (usb != NULL && node != NULL && speaks(at->data, mbim) &&
            strcmp(g_udev_device_get_name(usb), usb_path) == 0)
            found = g_strdup(node);
    }
    g_list_free_full(list, g_object_unref);
    return found;
}

GPtrArray *hotplug_nodes(gboolean mbim)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GUdevClient) client = g_udev_client_new(NULL);
    GList *list = nodes(client);
    for (GList *at = list; at != NULL; at = at->next) {
        const char *node = g_udev_device_get_device_file(at->data);
        if (node != NULL && speaks(at->data, mbim))
            g_ptr_array_add(found, g_strdup(node));
    }
    g_list_free_full(list, g_object_unref);
    return found;
}

gboolean modem_uses_proxy(const ConfigModem *config)
{
    return config->proxy && (geteuid() == 0 || config->proxy_path != NULL);
}

char *modem_find_interface(const char *device)
{
    g_autofree char *real = realpath(device, NULL);
    g_autofree char *name = g_path_get_basename(real != NULL ? real : device);
    g_autofree char *folder = g_build_filename("/sys/class/usbmisc", name, "device/net", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *interface = dir != NULL ? g_dir_read_name(dir) : NULL;
    return g_strdup(interface);
}

GPtrArray *hotplug_list(void)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GUdevClient) client = g_udev_client_new(NULL);
    GList *list = nodes(client);
    for (GList *at = list; at != NULL; at = at->next) {
        g_autoptr(GUdevDevice) usb = usb_device(at->data);
        const char *node = g_udev_device_get_device_file(at->data);
        if (node != NULL)
            g_ptr_array_add(lines, g_strdup_printf("%s%s%s", node, usb != NULL ? " usb-path " : "",
                                                   usb != NULL ? g_udev_device_get_name(usb) : ""));
    }
    g_list_free_full(list, g_object_unref);
    return lines;
}
