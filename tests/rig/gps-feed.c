/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/gps-feed.h"

#include "tests/rig/outlet.h"
#include "tests/rig/port.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define LARGEST_LINE 4096
#define SERIAL_BYTES 8192    /* as a serial port: what nobody reads is lost */
#define CLIENT_BYTES 1000000 /* of the made gpsd */

typedef struct {
    GSocketConnection *connection;
    Outlet *out;
    gboolean watching;
} Client;

struct GpsFeed {
    const Scenario *scenario;
    GRand *random;
    double north_m, east_m, noise_t; /* of the correlated error */
    GSocket *udp;
    int pty, pty_other;
    Outlet *pty_out;
    char *pty_path;
    GSocketService *server;
    GPtrArray *clients; /* Client */
    GString *text;
};

static double normal(GRand *random)
{
    double u = 1 - g_rand_double(random);
    return sqrt(-2 * log(u)) * cos(2 * G_PI * g_rand_double(random));
}

static void free_client(gpointer user)
{
    Client *client = user;
    outlet_free(client->out);
    g_object_unref(client->connection);
    g_free(client);
}

static void say(Client *client, const char *text)
{
    (void)outlet_write(client->out, text, strlen(text));
}

static gboolean on_client(GSocket *socket, GIOCondition condition, gpointer user)
{
    Client *client = user;
    char buffer[LARGEST_LINE];
    (void)condition;
    gssize n = g_socket_receive(socket, buffer, sizeof buffer - 1, NULL, NULL);
    if (n <= 0)
        return G_SOURCE_REMOVE;
    buffer[n] = '\0';
    if (strstr(buffer, "?WATCH=") != NULL) {
        client->watching = strstr(buffer, "\"enable\":false") == NULL;
        say(client, "{\"class\":\"DEVICES\",\"devices\":[{\"class\":\"DEVICE\",\"path\":"
                    "\"/dev/rig0\",\"activated\":\"2026-01-01T00:00:00.000Z\"}]}\r\n"
                    "{\"class\":\"WATCH\",\"enable\":true,\"json\":true,\"pps\":true}\r\n");
    }
    return G_SOURCE_CONTINUE;
}

static gboolean on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source,
                            gpointer user)
{
    GpsFeed *feed = user;
    (void)service;
    (void)source;
    Client *client = g_new0(Client, 1);
    client->connection = g_object_ref(connection);
    GSocket *socket = g_socket_connection_get_socket(connection);
    client->out = outlet_new(g_socket_get_fd(socket), CLIENT_BYTES);
    g_autoptr(GSource) watch = g_socket_create_source(socket, G_IO_IN, NULL);
    g_source_set_callback(watch, G_SOURCE_FUNC(on_client), client, NULL);
    g_source_attach(watch, NULL);
    g_ptr_array_add(feed->clients, client);
    say(client, "{\"class\":\"VERSION\",\"release\":\"3.22\",\"rev\":\"3.22\",\"proto_major\":3,"
                "\"proto_minor\":14}\r\n");
    return TRUE;
}

static gboolean open_udp(GpsFeed *feed, const char *where, GError **error)
{
    g_autoptr(GSocketConnectable) target = g_network_address_parse(where, 5000, error);
    if (target == NULL)
        return FALSE;
    g_autoptr(GSocketAddress) address = g_inet_socket_address_new_from_string(
        g_network_address_get_hostname(G_NETWORK_ADDRESS(target)),
        g_network_address_get_port(G_NETWORK_ADDRESS(target)));
    if (address == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s is no address", where);
        return FALSE;
    }
    feed->udp = g_socket_new(g_socket_address_get_family(address), G_SOCKET_TYPE_DATAGRAM,
                             G_SOCKET_PROTOCOL_UDP, error);
    return feed->udp != NULL && g_socket_connect(feed->udp, address, NULL, error);
}

static gboolean open_output(GpsFeed *feed, GError **error)
{
    const char *output = feed->scenario->gps.output;
    if (g_str_equal(output, "none"))
        return TRUE;
    if (g_str_has_prefix(output, "udp:"))
        return open_udp(feed, output + 4, error);
    if (g_str_has_prefix(output, "pty:")) {
        feed->pty = port_pty(&feed->pty_path, &feed->pty_other, error);
        if (feed->pty < 0)
            return FALSE;
        feed->pty_out = outlet_new(feed->pty, SERIAL_BYTES);
        (void)g_unlink(output + 4);
        if (symlink(feed->pty_path, output + 4) == 0)
            return TRUE;
        g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(errno), "%s: %s", output + 4,
                    g_strerror(errno));
        return FALSE;
    }
    if (g_str_has_prefix(output, "json:")) {
        guint64 port = g_ascii_strtoull(output + 5, NULL, 10);
        feed->server = g_socket_service_new();
        g_signal_connect(feed->server, "incoming", G_CALLBACK(on_incoming), feed);
        if (port == 0 || port > G_MAXUINT16) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s: no port", output);
            return FALSE;
        }
        return g_socket_listener_add_inet_port(G_SOCKET_LISTENER(feed->server), (guint16)port, NULL,
                                               error);
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "[gps] output %s: write none, udp:HOST:PORT, pty:PATH or json:PORT", output);
    return FALSE;
}

GpsFeed *gps_feed_new(const Scenario *scenario, GError **error)
{
    g_autoptr(GpsFeed) feed = g_new0(GpsFeed, 1);
    guint32 seed[] = {scenario->seed, 3};
    feed->scenario = scenario;
    feed->random = g_rand_new_with_seed_array(seed, G_N_ELEMENTS(seed));
    feed->clients = g_ptr_array_new_with_free_func(free_client);
    feed->text = g_string_new(NULL);
    feed->pty = feed->pty_other = -1;
    feed->noise_t = -1;
    if (!open_output(feed, error))
        return NULL;
    return g_steal_pointer(&feed);
}

void gps_feed_free(GpsFeed *feed)
{
    if (feed == NULL)
        return;
    if (feed->pty >= 0) {
        outlet_free(feed->pty_out);
        close(feed->pty);
        close(feed->pty_other);
        (void)g_unlink(feed->scenario->gps.output + 4);
    }
    g_free(feed->pty_path);
    g_clear_object(&feed->udp);
    g_clear_object(&feed->server);
    g_ptr_array_unref(feed->clients);
    g_rand_free(feed->random);
    g_string_free(feed->text, TRUE);
    g_free(feed);
}

double gps_feed_offset_s(const Scenario *scenario, double t)
{
    double offset = scenario->gps.clock_offset_s;
    for (guint i = 0; i < scenario->faults->len; i++) {
        const Fault *fault = &g_array_index(scenario->faults, Fault, i);
        if (fault->kind == FAULT_CLOCK_STEP && t >= fault->at_s)
            offset += fault->value;
    }
    return offset;
}

static gboolean under_roof(const Scenario *scenario, double s)
{
    for (guint i = 0; i < scenario->tunnels->len; i++) {
        const Tunnel *tunnel = &g_array_index(scenario->tunnels, Tunnel, i);
        if (!tunnel->gps && s >= tunnel->from_m && s < tunnel->to_m)
            return TRUE;
    }
    return FALSE;
}

/* Errors of a receiver wander: a first-order process in time on each axis. */
static void step_noise(GpsFeed *feed, double t)
{
    const GpsPlan *plan = &feed->scenario->gps;
    double rho = feed->noise_t < 0 ? 0 : exp(-(t - feed->noise_t) / plan->noise_s);
    double fresh = sqrt(1 - rho * rho) * plan->noise_m;
    feed->north_m = rho * feed->north_m + fresh * normal(feed->random);
    feed->east_m = rho * feed->east_m + fresh * normal(feed->random);
    feed->noise_t = t;
}

gboolean gps_feed_epoch(GpsFeed *feed, double t, gint64 utc_ns, GpsEpoch *epoch)
{
    const Scenario *scenario = feed->scenario;
    double s = 0;
    if (scenario_fault(scenario, FAULT_GPS_SILENCE, NULL, t) != NULL)
        return FALSE;
    *epoch = (GpsEpoch){.utc_ns = utc_ns, .mode = 3, .altitude_m = 40};
    motion_at(scenario->motion, t, &s, &epoch->speed_mps);
    path_at(scenario->path, s, &epoch->lat, &epoch->lon, &epoch->heading_deg);
    step_noise(feed, t);
    path_offset(&epoch->lat, &epoch->lon, feed->north_m, feed->east_m);
    const Fault *jump = scenario_fault(scenario, FAULT_GPS_JUMP, NULL, t);
    if (jump != NULL)
        path_offset(&epoch->lat, &epoch->lon, jump->value, 0);
    if (under_roof(scenario, s) || t < scenario->gps.cold_start_s ||
        scenario_fault(scenario, FAULT_GPS_GAP, NULL, t) != NULL)
        epoch->mode = 1;
    epoch->satellites = epoch->mode < 2 ? 0 : 9;
    epoch->hdop = 0.9;
    epoch->sigma_m = scenario->gps.noise_m;
    epoch->clock_ahead_s = -gps_feed_offset_s(scenario, t);
    return TRUE;
}

void gps_feed_send(GpsFeed *feed, double t, gint64 utc_ns)
{
    GpsEpoch epoch;
    gboolean json = feed->server != NULL;
    if (!gps_feed_epoch(feed, t, utc_ns, &epoch))
        return;
    g_string_truncate(feed->text, 0);
    if (json)
        gpsd_json_epoch(feed->text, &epoch, feed->scenario->gps.pps);
    else
        nmea_epoch(feed->text, &epoch);
    if (scenario_fault(feed->scenario, FAULT_GPS_CORRUPT, NULL, t) != NULL)
        g_string_append(feed->text,
                        json ? "{\"class\":\"TPV\",\"mode\":3,\"lat\":\"x\",\r\n{\"cla"
                             : "$GPRMC,999999.99,A,9999.9,N,,E,x*00\r\n\x01\xff$GPGGA,\r\n");
    if (feed->udp != NULL)
        (void)g_socket_send(feed->udp, feed->text->str, feed->text->len, NULL, NULL);
    if (feed->pty >= 0)
        (void)outlet_write(feed->pty_out, feed->text->str, feed->text->len);
    for (guint i = feed->clients->len; i-- > 0;) {
        Client *client = g_ptr_array_index(feed->clients, i);
        if (client->watching)
            say(client, feed->text->str);
    }
}
