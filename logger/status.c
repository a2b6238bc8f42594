/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/status.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

G_DEFINE_QUARK(corridor - status - error, status_error)

enum { CLIENT_S = 5, ANSWER_S = 15 };

struct StatusServer {
    const Box *box;
    GSocketService *service;
    char *path;
};

static void add_real(JsonBuilder *builder, const char *name, double value)
{
    json_builder_set_member_name(builder, name);
    if (isfinite(value))
        json_builder_add_double_value(builder, value);
    else
        json_builder_add_null_value(builder);
}

static void add_int(JsonBuilder *builder, const char *name, gint64 value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

static void add_text(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, value); /* NULL becomes null */
}

static void add_bool(JsonBuilder *builder, const char *name, gboolean value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_boolean_value(builder, value);
}

static double age_s(gint64 mono_ns)
{
    return mono_ns == 0 ? (double)NAN : (double)(mono_now().ns - mono_ns) / 1e9;
}

/* All known columns of a record, by their names. */
static void add_record(JsonBuilder *builder, const char *name, RecordKind kind, const void *record)
{
    const RecordType *type = record_type(kind);
    guint64 known = 0;
    memcpy(&known, record, sizeof known);
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
    for (unsigned c = 0; c < type->n_columns; c++) {
        const RecordColumn *column = &type->columns[c];
        const void *at = (const char *)record + column->offset;
        if (((known >> c) & 1U) == 0)
            continue;
        if (column->type == COLUMN_INT)
            add_int(builder, column->name, *(const int64_t *)at);
        else if (column->type == COLUMN_REAL)
            add_real(builder, column->name, *(const double *)at);
        else if (column->type == COLUMN_ENUM)
            add_text(builder, column->name, record_enum_name(column, *(const int *)at));
        else
            add_text(builder, column->name, *(const char *const *)at);
    }
    json_builder_end_object(builder);
}

static void add_modem(JsonBuilder *builder, const Modem *modem)
{
    ModemStatus status;
    modem_status(modem, &status);
    json_builder_begin_object(builder);
    add_text(builder, "label", status.label);
    add_text(builder, "operator", status.operator_label);
    add_text(builder, "state", modem_life_name(status.life));
    add_text(builder, "trouble", status.trouble);
    add_text(builder, "protocol", status.protocol);
    add_text(builder, "device", status.device);
    add_text(builder, "interface", status.interface);
    add_int(builder, "source", status.source);
    add_int(builder, "samples", (gint64)status.samples);
    add_int(builder, "skipped", (gint64)status.skipped);
    add_int(builder, "timeouts", (gint64)status.timeouts);
    add_int(builder, "openings", (gint64)status.openings);
    add_real(builder, "answer_ms", status.answer_ms);
    add_real(builder, "sample_age_s", age_s(status.sample_mono_ns));
    add_text(builder, "sim", status.sim == 1 ? "present" : status.sim == 0 ? "absent" : "unknown");
    if (status.samples > 0)
        add_record(builder, "sample", RECORD_SAMPLE, &status.sample);
    json_builder_end_object(builder);
}

static void add_gps(JsonBuilder *builder, Gps *gps)
{
    json_builder_set_member_name(builder, "gps");
    json_builder_begin_object(builder);
    add_bool(builder, "enabled", gps != NULL);
    if (gps != NULL) {
        GpsStatus status;
        gps_status(gps, &status);
        add_bool(builder, "connected", status.connected);
        add_bool(builder, "position", status.have_fix);
        add_text(builder, "trouble", status.trouble);
        add_int(builder, "messages", (gint64)status.fixes);
        add_real(builder, "fix_age_s", age_s(status.fix_mono_ns));
        add_real(builder, "distance_m", status.distance_m);
        add_real(builder, "standing_s", age_s(status.standing_ns));
        if (status.fix_mono_ns != 0)
            add_record(builder, "fix", RECORD_FIX, &status.fix);
    }
    json_builder_end_object(builder);
}

static void add_probes(JsonBuilder *builder, const Box *box)
{
    ProbeScheduleState states[32];
    unsigned n =
        box->probes != NULL ? probe_schedule_state(box->probes, states, G_N_ELEMENTS(states)) : 0;
    json_builder_set_member_name(builder, "probes");
    json_builder_begin_array(builder);
    for (unsigned i = 0; i < n; i++) {
        json_builder_begin_object(builder);
        add_int(builder, "source", states[i].source);
        add_text(builder, "running", states[i].running);
        add_int(builder, "done", (gint64)states[i].done);
        add_int(builder, "failed", (gint64)states[i].failed);
        add_int(builder, "skipped", (gint64)states[i].skipped);
        add_int(builder, "used_today_bytes", (gint64)states[i].used_today);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void add_box(JsonBuilder *builder, const Box *box)
{
    add_text(builder, "software", "corridor-logger " CORRIDOR_VERSION);
    add_text(builder, "vehicle", box->config->vehicle.name);
    add_real(builder, "uptime_s", age_s(box->started_ns));
    add_int(builder, "time_ns", clock_utc_now(box->clock));
    ClockState clock = clock_state(box->clock);
    json_builder_set_member_name(builder, "clock");
    json_builder_begin_object(builder);
    add_text(builder, "origin", time_origin_name(clock.origin));
    add_real(builder, "uncertainty_ms", clock.uncertainty_ms);
    add_real(builder, "system_off_s", clock.system_off_s);
    add_bool(builder, "system_synchronised", clock.system_synchronised);
    json_builder_end_object(builder);
    RecorderStatus recorder = recorder_status(box->recorder);
    json_builder_set_member_name(builder, "recorder");
    json_builder_begin_object(builder);
    add_text(builder, "state", recorder_state_name(recorder.state));
    add_text(builder, "trouble", recorder.trouble);
    add_text(builder, "drive", recorder.path);
    add_int(builder, "drive_bytes", (gint64)recorder.drive_bytes);
    add_int(builder, "drives", recorder.room.n_drives);
    add_int(builder, "drives_bytes", (gint64)recorder.room.drives_bytes);
    add_int(builder, "free_bytes", (gint64)recorder.room.free_bytes);
    add_int(builder, "written", (gint64)recorder.written);
    add_int(builder, "dropped", (gint64)recorder.dropped);
    add_real(builder, "commit_age_s", age_s(recorder.last_commit_ns));
    json_builder_end_object(builder);
}

static char *make_json(const Box *box)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    add_box(builder, box);
    add_gps(builder, box->gps);
    json_builder_set_member_name(builder, "modems");
    json_builder_begin_array(builder);
    for (guint i = 0; i < box->modems->len; i++)
        add_modem(builder, g_ptr_array_index(box->modems, i));
    json_builder_end_array(builder);
    add_probes(builder, box);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, TRUE);
}

static void on_written(GObject *object, GAsyncResult *result, gpointer data)
{
    g_autoptr(GSocketConnection) connection = data;
    (void)g_output_stream_write_all_finish(G_OUTPUT_STREAM(object), result, NULL, NULL);
    (void)g_io_stream_close(G_IO_STREAM(connection), NULL, NULL);
}

static gboolean on_connect(GSocketService *service, GSocketConnection *connection,
                           GObject *source_object, gpointer data)
{
    (void)service;
    (void)source_object;
    StatusServer *server = data;
    /* Who asks and does not read is not waited for. */
    g_socket_set_timeout(g_socket_connection_get_socket(connection), CLIENT_S);
    char *text = make_json(server->box);
    g_object_set_data_full(G_OBJECT(connection), "text", text, g_free);
    g_output_stream_write_all_async(g_io_stream_get_output_stream(G_IO_STREAM(connection)), text,
                                    strlen(text), G_PRIORITY_LOW, NULL, on_written,
                                    g_object_ref(connection));
    return TRUE;
}

StatusServer *status_server_new(const Box *box, const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    (void)g_mkdir_with_parents(folder, 0750);
    (void)g_unlink(path);
    g_autoptr(GSocketService) service = g_socket_service_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GError) local = NULL;
    if (!g_socket_listener_add_address(G_SOCKET_LISTENER(service), address, G_SOCKET_TYPE_STREAM,
                                       G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, &local)) {
        g_set_error(error, STATUS_ERROR, STATUS_ERROR_SOCKET, "%s: no status socket: %s", path,
                    local->message);
        return NULL;
    }
    (void)chmod(path, 0660);
    StatusServer *server = g_new0(StatusServer, 1);
    server->box = box;
    server->service = g_steal_pointer(&service);
    server->path = g_strdup(path);
    g_signal_connect(server->service, "incoming", G_CALLBACK(on_connect), server);
    return server;
}

void status_server_free(StatusServer *server)
{
    if (server == NULL)
        return;
    g_socket_service_stop(server->service);
    g_socket_listener_close(G_SOCKET_LISTENER(server->service));
    g_object_unref(server->service);
    (void)g_unlink(server->path);
    g_free(server->path);
    g_free(server);
}

char *status_ask(const char *path, GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_timeout(client, ANSWER_S);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GError) local = NULL;
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, &local);
    if (connection == NULL) {
        g_set_error(error, STATUS_ERROR, STATUS_ERROR_SOCKET,
                    "%s: no logger answers: %s; is it running, and are you in its group?", path,
                    local->message);
        return NULL;
    }
    GInputStream *in = g_io_stream_get_input_stream(G_IO_STREAM(connection));
    g_autoptr(GString) text = g_string_new(NULL);
    char buffer[4096];
    for (gssize n = 0; (n = g_input_stream_read(in, buffer, sizeof buffer, NULL, &local)) > 0;)
        g_string_append_len(text, buffer, n);
    if (local != NULL || text->len == 0) {
        g_set_error(error, STATUS_ERROR, STATUS_ERROR_SOCKET, "%s: the logger does not answer: %s",
                    path, local != NULL ? local->message : "it hung up");
        return NULL;
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}
