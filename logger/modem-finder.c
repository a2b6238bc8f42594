/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/modem-finder.h"
#include "formats/time-map.h"
#include "logger/hotplug.h"
#include "logger/modem.h"

#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRUST_NS   INT64_C(30000000000) /* how long a node counts as another modem's */
#define SILENCE_NS INT64_C(2000000000)  /* how long one that did not answer is left alone */

/* What a node said. */
typedef struct {
    dev_t device;
    ino_t inode;
    char *imei_hash; /* NULL: nothing */
    gint64 heard_ns; /* mono */
} Known;

struct ModemFinder {
    const GPtrArray *modems;
    GHashTable *known; /* real path -> Known */
    GHashTable *taken; /* ConfigModem * -> real path */
};

static void known_free(gpointer data)
{
    Known *known = data;
    g_free(known->imei_hash);
    g_free(known);
}

ModemFinder *modem_finder_new(const GPtrArray *modems)
{
    ModemFinder *finder = g_new0(ModemFinder, 1);
    finder->modems = modems;
    finder->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, known_free);
    finder->taken = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return finder;
}

void modem_finder_free(ModemFinder *finder)
{
    if (finder == NULL)
        return;
    g_hash_table_unref(finder->known);
    g_hash_table_unref(finder->taken);
    g_free(finder);
}

gboolean modem_by_imei(const ConfigModem *config)
{
    return config->imei_hash != NULL && config->usb_path == NULL && config->driver != DRIVER_REPLAY;
}

/* By-path links and nodes are the same thing. */
static char *real_path(const char *path)
{
    char *real = realpath(path, NULL);
    return real != NULL ? real : g_strdup(path);
}

static gboolean is_pattern(const char *device)
{
    return strpbrk(device, "*?[") != NULL;
}

/* The node of a modem that is configured by node or USB port, wherever that is. */
static char *configured_node(const ConfigModem *config)
{
    if (config->driver == DRIVER_REPLAY || modem_by_imei(config))
        return NULL;
    return config->usb_path != NULL ? hotplug_find(config->usb_path, config->driver == DRIVER_MBIM)
                                    : g_strdup(config->device);
}

static char *find_configured(const ConfigModem *config, GError **error)
{
    if (config->driver == DRIVER_REPLAY)
        return g_strdup(config->replay_file);
    g_autofree char *node = configured_node(config);
    if (node == NULL) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                    "no modem at USB port %s; see `corridor-logger check`", config->usb_path);
        return NULL;
    }
    if (config->usb_path != NULL || (config->no_file_check && config->proxy_path != NULL))
        return g_steal_pointer(&node);
    if (access(node, F_OK) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                    "%s is not there; is the modem plugged in and powered?", node);
        return NULL;
    }
    if (!modem_uses_proxy(config) && access(node, R_OK | W_OK) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_ACCES,
                    "%s may not be opened by this user; install the udev rules", node);
        return NULL;
    }
    return g_steal_pointer(&node);
}

static void add_pattern(GPtrArray *nodes, const char *pattern)
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            g_ptr_array_add(nodes, g_strdup(found.gl_pathv[i]));
    globfree(&found);
}

/* Where a modem known by its IMEI may be: what `device` says; unless that is a pattern, also every
 * other node of its kind. */
static GPtrArray *candidates(const ConfigModem *config)
{
    GPtrArray *nodes = g_ptr_array_new_with_free_func(g_free);
    if (config->device != NULL && is_pattern(config->device)) {
        add_pattern(nodes, config->device);
        return nodes;
    }
    if (config->device != NULL && access(config->device, F_OK) == 0)
        g_ptr_array_add(nodes, g_strdup(config->device));
    g_autoptr(GPtrArray) others = hotplug_nodes(config->driver == DRIVER_MBIM);
    for (guint i = 0; i < others->len; i++)
        g_ptr_array_add(nodes, g_strdup(g_ptr_array_index(others, i)));
    return nodes;
}

/* Real paths of the nodes that other modems have or are configured by. udev is asked once for each
 * of these, not for each candidate: this runs each second while a modem is missing. */
static GHashTable *nodes_of_others(const ModemFinder *finder, const ConfigModem *config)
{
    GHashTable *nodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < finder->modems->len; i++) {
        const ConfigModem *other = g_ptr_array_index(finder->modems, i);
        if (other == config)
            continue;
        const char *taken = modem_finder_node(finder, other);
        g_autofree char *node = taken == NULL ? configured_node(other) : NULL;
        if (taken != NULL)
            (void)g_hash_table_add(nodes, g_strdup(taken));
        else if (node != NULL)
            (void)g_hash_table_add(nodes, real_path(node));
    }
    return nodes;
}

/* What is known of a node, if it is still the same one; forgotten if it is gone. */
static const Known *known_of(ModemFinder *finder, const char *real)
{
    Known *known = g_hash_table_lookup(finder->known, real);
    struct stat info;
    if (known == NULL)
        return NULL;
    if (stat(real, &info) == 0 && info.st_dev == known->device && info.st_ino == known->inode)
        return known;
    g_hash_table_remove(finder->known, real);
    return NULL;
}

static gboolean gone(gpointer key, gpointer value, gpointer data)
{
    (void)value;
    (void)data;
    return access(key, F_OK) != 0;
}

static char *find_by_imei(ModemFinder *finder, const ConfigModem *config, GError **error)
{
    g_autoptr(GPtrArray) nodes = candidates(config);
    g_autoptr(GHashTable) taken = nodes_of_others(finder, config);
    const char *next = NULL;
    guint others = 0, silent = 0;
    gint64 now_ns = mono_now().ns;
    (void)g_hash_table_foreach_remove(finder->known, gone, NULL);
    for (guint i = 0; i < nodes->len; i++) {
        const char *node = g_ptr_array_index(nodes, i);
        g_autofree char *real = real_path(node);
        if (g_hash_table_contains(taken, real)) {
            others++;
            continue;
        }
        const Known *known = known_of(finder, real);
        if (known != NULL && known->imei_hash != NULL &&
            g_str_has_prefix(known->imei_hash, config->imei_hash))
            return g_strdup(node);
        if (known != NULL && known->imei_hash != NULL && now_ns - known->heard_ns < TRUST_NS)
            others++;
        else if (known != NULL && known->imei_hash == NULL && now_ns - known->heard_ns < SILENCE_NS)
            silent++;
        else if (next == NULL)
            next = node;
    }
    if (next != NULL)
        return g_strdup(next);
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
                "no modem with IMEI hash %s: %u other, %u without answer; see `corridor-logger "
                "check`",
                config->imei_hash, others, silent);
    return NULL;
}

char *modem_finder_take(ModemFinder *finder, const ConfigModem *config, GError **error)
{
    char *node = modem_by_imei(config) ? find_by_imei(finder, config, error)
                                       : find_configured(config, error);
    if (node != NULL)
        g_hash_table_insert(finder->taken, (gpointer)(guintptr)config, real_path(node));
    return node;
}

const char *modem_finder_node(const ModemFinder *finder, const ConfigModem *config)
{
    return g_hash_table_lookup(finder->taken, config);
}

void modem_finder_release(ModemFinder *finder, const ConfigModem *config)
{
    (void)g_hash_table_remove(finder->taken, config);
}

gboolean modem_finder_heard(ModemFinder *finder, const ConfigModem *config, const char *imei_hash)
{
    const char *real = g_hash_table_lookup(finder->taken, config);
    struct stat info;
    if (real != NULL && stat(real, &info) == 0) {
        Known *known = g_new0(Known, 1);
        known->device = info.st_dev;
        known->inode = info.st_ino;
        known->imei_hash = g_strdup(imei_hash);
        known->heard_ns = mono_now().ns;
        g_hash_table_insert(finder->known, g_strdup(real), known);
    }
    return imei_hash != NULL && config->imei_hash != NULL &&
           g_str_has_prefix(imei_hash, config->imei_hash);
}

void modem_finder_forget(ModemFinder *finder)
{
    g_hash_table_remove_all(finder->known);
}

gboolean modem_finder_still(const ConfigModem *config, const char *node)
{
    if (modem_by_imei(config))
        return access(node, F_OK) == 0;
    g_autofree char *now = find_configured(config, NULL);
    return g_strcmp0(now, node) == 0;
}
