/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/reflector.h"

#include "logger/reflector-session.h"
#include "logger/reflector-stamp.h"
#include "logger/stamp-packet.h"
#include <glib-unix.h>

#define PER_WAKE     256 /* packets read before other sources get their turn */
#define BUFFER_BYTES (1 << 20)

typedef struct {
    Reflector *reflector;
    UdpSocket *socket;
    GSource *source;
    gboolean is_stamp;
} Door;

struct Reflector {
    ReflectorConfig config;
    GMainContext *context;
    ReflectorStamp *stamp;
    ReflectorSessions *sessions;
    ReflectorCounts counts;
    GPtrArray *doors;
    GSource *cleaner;
};

ReflectorConfig reflector_config_default(void)
{
    return (ReflectorConfig){
        .stamp_port = STAMP_PORT,
        .session_port = SESSION_PORT,
        .packets_per_s = 400,
        .max_sessions = 64,
        .max_rate_bps = 100000000,
        .max_train_bytes = 4000000,
        .max_duration_s = 86400,
    };
}

static void door_free(gpointer data)
{
    Door *door = data;
    g_source_destroy(door->source);
    g_source_unref(door->source);
    udp_close(door->socket);
    g_free(door);
}

static void on_packet(const UdpPacket *packet, gpointer data)
{
    const Door *door = data;
    Reflector *reflector = door->reflector;
    if (door->is_stamp)
        reflector_stamp_packet(reflector->stamp, door->socket, packet, udp_monotonic());
    else
        reflector_sessions_packet(reflector->sessions, door->socket, packet, udp_monotonic());
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    Door *door = data;
    (void)fd;
    (void)condition;
    (void)udp_receive(door->socket, PER_WAKE, on_packet, door, NULL);
    return G_SOURCE_CONTINUE;
}

static gboolean on_clean(gpointer data)
{
    Reflector *reflector = data;
    gint64 now_ns = udp_monotonic();
    reflector_stamp_clean(reflector->stamp, now_ns);
    if (reflector->sessions)
        reflector_sessions_clean(reflector->sessions, now_ns);
    return G_SOURCE_CONTINUE;
}

static gboolean open_door(Reflector *reflector, const char *address, guint16 port,
                          gboolean is_stamp, GError **error)
{
    UdpAddress bind;
    if (!udp_address_parse(address, port, &bind)) {
        g_set_error(error, UDP_ERROR, UDP_ERROR_SYSTEM, "listen: \"%s\" is not an IP address",
                    address);
        return FALSE;
    }
    const UdpOptions options = {
        .family = bind.address.ss_family,
        .device = reflector->config.device,
        .bind = &bind,
        .buffer_bytes = BUFFER_BYTES,
    };
    UdpSocket *socket = udp_open(&options, error);
    if (!socket) {
        g_prefix_error(error, "UDP port %u of %s: ", port, address);
        return FALSE;
    }
    Door *door = g_new0(Door, 1);
    door->reflector = reflector;
    door->socket = socket;
    door->is_stamp = is_stamp;
    door->source = g_unix_fd_source_new(udp_fd(socket), G_IO_IN);
    g_source_set_callback(door->source, (GSourceFunc)(void (*)(void))on_readable, door, NULL);
    g_source_attach(door->source, reflector->context);
    g_ptr_array_add(reflector->doors, door);
    return TRUE;
}

static gboolean open_doors(Reflector *reflector, guint16 port, gboolean is_stamp, GError **error)
{
    const char *const *listen = reflector->config.listen;
    for (unsigned i = 0; listen && listen[i]; i++) {
        if (!open_door(reflector, listen[i], port, is_stamp, error))
            return FALSE;
    }
    if (listen && listen[0])
        return TRUE;
    if (!open_door(reflector, "0.0.0.0", port, is_stamp, error))
        return FALSE;
    /* A machine without IPv6 still serves IPv4. */
    g_autoptr(GError) without = NULL;
    if (!open_door(reflector, "::", port, is_stamp, &without))
        g_message("no IPv6: %s", without->message);
    return TRUE;
}

Reflector *reflector_new(const ReflectorConfig *config, GMainContext *context, GError **error)
{
    g_autoptr(Reflector) reflector = g_new0(Reflector, 1);
    reflector->config = *config;
    reflector->context = context;
    reflector->doors = g_ptr_array_new_with_free_func(door_free);
    reflector->stamp = reflector_stamp_new(&reflector->config, &reflector->counts);
    if (!open_doors(reflector, config->stamp_port, TRUE, error))
        return NULL;
    if (config->key) {
        reflector->sessions =
            reflector_sessions_new(&reflector->config, &reflector->counts, context);
        if (!open_doors(reflector, config->session_port, FALSE, error))
            return NULL;
    }
    reflector->cleaner = g_timeout_source_new_seconds(1);
    g_source_set_callback(reflector->cleaner, on_clean, reflector, NULL);
    g_source_attach(reflector->cleaner, context);
    return g_steal_pointer(&reflector);
}

void reflector_free(Reflector *reflector)
{
    if (!reflector)
        return;
    if (reflector->cleaner) {
        g_source_destroy(reflector->cleaner);
        g_source_unref(reflector->cleaner);
    }
    reflector_sessions_free(reflector->sessions); /* before the sockets it sends on */
    g_ptr_array_unref(reflector->doors);
    reflector_stamp_free(reflector->stamp);
    g_free(reflector);
}

ReflectorCounts reflector_counts(const Reflector *reflector)
{
    return reflector->counts;
}

unsigned reflector_stamp_sessions(const Reflector *reflector)
{
    return reflector_stamp_count(reflector->stamp);
}

unsigned reflector_sessions(const Reflector *reflector)
{
    return reflector->sessions ? reflector_sessions_count(reflector->sessions) : 0;
}
