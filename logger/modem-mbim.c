/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking to an MBIM modem through libmbim. Opening: where QMI over MBIM is
 * wanted (it tells more) the modem is asked whether it lists that service
 * (libqmi finds out only by a time-out); if so the QMI driver takes over. Else
 * MBIM is spoken, with Microsoft's extension 3 or 2 where it has one. The
 * extension in force is asked each time: another client of the same proxy may
 * change it.
 *
 * Requests hold a reference: after close() their answers still come and are
 * dropped.
 */
#include "logger/mbim-convert.h"
#include "logger/modem-driver.h"
#include "logger/modem-qmi.h"

#include <libmbim-glib.h>
#include <math.h>
#include <string.h>

#define MAX_NEIGHBOURS 32
#define MAX_CELLS      15U

typedef struct Driver Driver;
typedef void (*Answer)(Driver *driver, MonoTime asked, MonoTime at, MbimBuffer buffer);

typedef enum {
    ASK_REGISTER,
    ASK_PACKET,
    ASK_CELLS,
    ASK_SIGNAL,
    ASK_SIGNAL_TOO, /* while that one is late */
    ASK_CONNECT,
    ASK_STATISTICS,
    ASK_SUBSCRIBER,
    ASK_CAPS,
    ASK_SERVICES,
    N_REQUESTS
} Ask;

typedef struct {
    const char *name;
    MbimService service;
    guint32 cid;
    Answer answer;
} Request;

struct Driver {
    ModemTalk talk;
    gboolean no_qmi; /* it was tried, or is not offered */
    char *path;
    gpointer qmi;       /* the QMI driver, while that is tried or used */
    ModemSink qmi_sink; /* what it tells, on its way to our own */
    gboolean qmi_ready;
    guint fallback;
    MbimDevice *device;
    gulong removed_handler, indicate_handler;
    gboolean extended; /* MBIMEx was asked for; without it is tried once more */
    ModemQuestion questions[N_REQUESTS];
    MbimState state;
};

static const Request requests[N_REQUESTS];
static void start_running(Driver *driver);

static void forget(gpointer talk)
{
    Driver *driver = talk;
    g_free(driver->path);
}

static void lost(Driver *driver, const char *what, const GError *error)
{
    modem_talk_lost(&driver->talk, what, error);
}

static int version(const Driver *driver)
{
    int v = mbim_device_get_ms_mbimex_version(driver->device, NULL);
    return CLAMP(v, 1, 3);
}

/* --- asking --- */

static MbimMessage *make_request(const Driver *driver, Ask what)
{
    switch (what) {
    case ASK_CELLS:
        return version(driver) >= 3
                   ? mbim_message_ms_basic_connect_extensions_v3_base_stations_info_query_new(
                         MAX_CELLS, MAX_CELLS, MAX_CELLS, MAX_CELLS, MAX_CELLS, MAX_CELLS, NULL)
                   : mbim_message_ms_basic_connect_extensions_base_stations_info_query_new(
                         MAX_CELLS, MAX_CELLS, MAX_CELLS, MAX_CELLS, MAX_CELLS, NULL);
    case ASK_CONNECT:
        return mbim_message_connect_query_new(
            0, MBIM_ACTIVATION_STATE_UNKNOWN, MBIM_VOICE_CALL_STATE_NONE,
            MBIM_CONTEXT_IP_TYPE_DEFAULT, mbim_uuid_from_context_type(MBIM_CONTEXT_TYPE_INTERNET),
            0, NULL);
    default:
        return mbim_message_command_new(mbim_device_get_next_transaction_id(driver->device),
                                        requests[what].service, requests[what].cid,
                                        MBIM_MESSAGE_COMMAND_TYPE_QUERY);
    }
}

static void take_answer(Driver *driver, ModemQuestion *question, MonoTime at, MbimMessage *message)
{
    g_autoptr(GError) refused = NULL;
    guint32 length = 0;
    const guint8 *raw = mbim_message_command_done_get_raw_information_buffer(message, &length);
    if (mbim_message_response_get_result(message, MBIM_MESSAGE_TYPE_COMMAND_DONE, &refused))
        requests[question->what].answer(driver, question->asked, at, (MbimBuffer){raw, length});
    else if (g_error_matches(refused, MBIM_STATUS_ERROR, MBIM_STATUS_ERROR_NO_DEVICE_SUPPORT))
        question->refused = TRUE;
}

static void on_answer(GObject *object, GAsyncResult *result, gpointer data)
{
    ModemQuestion *question = data;
    Driver *driver = (Driver *)question->talk;
    MonoTime at = mono_now();
    g_autoptr(GError) error = NULL;
    g_autoptr(MbimMessage) message =
        mbim_device_command_finish(MBIM_DEVICE(object), result, &error);
    if (modem_question_end(question, message != NULL,
                           g_error_matches(error, MBIM_CORE_ERROR, MBIM_CORE_ERROR_TIMEOUT),
                           requests[question->what].name, at))
        take_answer(driver, question, at, message);
    if (!driver->talk.closed && question->what == ASK_SERVICES && driver->qmi == NULL &&
        !driver->talk.ready)
        start_running(driver); /* no list, or no QMI in it */
    modem_talk_unref(&driver->talk);
}

/* FALSE: not asked. */
static gboolean ask(Driver *driver, Ask what)
{
    ModemQuestion *question = &driver->questions[what];
    if (!modem_question_may(question, &driver->talk))
        return FALSE;
    g_autoptr(MbimMessage) message = make_request(driver, what);
    if (message == NULL)
        return FALSE;
    modem_question_begin(question, &driver->talk, (int)what);
    mbim_device_command(driver->device, message, modem_timeout_s(driver->talk.config),
                        driver->talk.cancellable, on_answer, question);
    return TRUE;
}

/* --- what comes back --- */

static void tell_registration(Driver *driver, MonoTime at)
{
    MbimState *state = &driver->state;
    if (state->state[0] == '\0')
        return;
    state->registration_changed = FALSE;
    gboolean on = state->service == SERVICE_OK;
    Registration record = {0};
    RECORD_SET(&record, REGISTRATION, state, state->state);
    if (state->packet_state[0] != '\0')
        RECORD_SET(&record, REGISTRATION, packet_state, state->packet_state);
    if (on && state->plmn[0] != '\0')
        RECORD_SET(&record, REGISTRATION, plmn, state->plmn);
    if (on && state->network_name[0] != '\0')
        RECORD_SET(&record, REGISTRATION, network_name, state->network_name);
    if (state->statistics_known) {
        RECORD_SET(&record, REGISTRATION, rx_bytes, state->rx_bytes);
        RECORD_SET(&record, REGISTRATION, tx_bytes, state->tx_bytes);
    }
    driver->talk.sink->record(driver->talk.sink->data, at, RECORD_REGISTRATION, &record);
}

static void on_register(Driver *driver, MonoTime asked, MonoTime at, MbimBuffer buffer)
{
    (void)asked;
    ServiceState before = driver->state.service;
    if (!mbim_take_register(&driver->state, buffer))
        return;
    if (driver->state.registration_changed)
        tell_registration(driver, at);
    if (driver->state.service != SERVICE_NONE || before == SERVICE_NONE)
        return;
    /* A hole begins now, not at the next poll. */
    Sample sample = {0};
    RECORD_SET(&sample, SAMPLE, rat, RAT_NONE);
    RECORD_SET(&sample, SAMPLE, service, SERVICE_NONE);
    driver->talk.sink->sample(driver->talk.sink->data, (MonoTime){0}, at, &sample);
}

static void on_packet(Driver *driver, MonoTime asked, MonoTime at, MbimBuffer buffer)
{
    (void)asked;
    if (mbim_take_packet_service(&driver->state, buffer, version(driver)) &&
        driver->state.registration_changed)
        tell_registration(driver, at);
}

static void on_connect(Driver *driver, MonoTime asked, MonoTime at, MbimBuffer buffer)
{
    (void)asked;
    if (mbim_take_connect(&driver->state, buffer) && driver->state.registration_changed)
        tell_registration(driver, at);
}

static void on_cells(Driver *driver, MonoTime asked, MonoTime at, MbimBuffer buffer)
{
    (void)asked;
    Neighbour cells[MAX_NEIGHBOURS];
    unsigned n = 0;
    if (!mbim_take_base_stations(&driver->state, buffer, version(driver), cells, MAX_NEIGHBOURS,
                                 &n))
        return;
    for (unsigned i = 0; i < n; i++)
        driver->talk.sink->record(driver->talk.sink->data, at, RECORD_NEIGHBOUR, &cells[i]);
}

static void on_signal(Driver *driver, MonoTime asked, MonoTime at, MbimBuffer buffer)
{
    Sample sample;
    if (mbim_make_sample(&driver->state, buffer, version(driver), &sample))
        driver->talk.sink->sample(driver->talk.sink->data, asked, at, &sample);
}

static void on_statistics(Driver *driver, MonoTime asked, MonoTime at, MbimBuffer buffer)
{
    (void)asked;
    if (mbim_take_statistics(&driver->state, buffer))
        tell_registration(driver, at);
}

static void on_subscriber(Driver *driver, MonoTime asked, MonoTime at, MbimBuffer buffer)
{
    (void)asked;
    (void)at;
    int sim = -1;
    char *iccid = NULL;
    if (!mbim_read_subscriber(buffer, version(driver), &sim, &iccid))
        return;
    if (sim >= 0)
        driver->talk.sink->sim(driver->talk.sink->data, sim);
    gboolean news = iccid != NULL && g_strcmp0(iccid, driver->talk.identity.iccid) != 0;
    if (news) {
        g_free(driver->talk.identity.iccid);
        driver->talk.identity.iccid = g_steal_pointer(&iccid);
        modem_identity_tell(&driver->talk.identity, driver->talk.sink);
    }
    g_free(iccid);
}

static void on_caps(Driver *driver, MonoTime asked, MonoTime at, MbimBuffer buffer)
{
    (void)asked;
    (void)at;
    if (driver->talk.identity.model == NULL && mbim_read_caps(buffer, &driver->talk.identity))
        modem_identity_tell(&driver->talk.identity, driver->talk.sink);
}

static void on_services(Driver *driver, MonoTime asked, MonoTime at, MbimBuffer buffer);

static const Request requests[N_REQUESTS] = {
    [ASK_REGISTER] = {"register state", MBIM_SERVICE_BASIC_CONNECT, 9, on_register},
    [ASK_PACKET] = {"packet service", MBIM_SERVICE_BASIC_CONNECT, 10, on_packet},
    [ASK_CELLS] = {"base stations", MBIM_SERVICE_MS_BASIC_CONNECT_EXTENSIONS, 11, on_cells},
    [ASK_SIGNAL] = {"signal state", MBIM_SERVICE_BASIC_CONNECT, 11, on_signal},
    [ASK_SIGNAL_TOO] = {"signal state", MBIM_SERVICE_BASIC_CONNECT, 11, on_signal},
    [ASK_CONNECT] = {"connect", MBIM_SERVICE_BASIC_CONNECT, 12, on_connect},
    [ASK_STATISTICS] = {"packet statistics", MBIM_SERVICE_BASIC_CONNECT, 20, on_statistics},
    [ASK_SUBSCRIBER] = {"subscriber ready status", MBIM_SERVICE_BASIC_CONNECT, 2, on_subscriber},
    [ASK_SERVICES] = {"device services", MBIM_SERVICE_BASIC_CONNECT, 16, on_services},
    [ASK_CAPS] = {"device caps", MBIM_SERVICE_BASIC_CONNECT, 1, on_caps},
};

static void on_indicate(MbimDevice *device, MbimMessage *message, gpointer data)
{
    (void)device;
    Driver *driver = data;
    MonoTime at = mono_now();
    if (driver->talk.closed || !driver->talk.ready)
        return;
    guint32 length = 0;
    const guint8 *raw = mbim_message_indicate_status_get_raw_information_buffer(message, &length);
    MbimService service = mbim_message_indicate_status_get_service(message);
    guint32 cid = mbim_message_indicate_status_get_cid(message);
    driver->talk.sink->answered(driver->talk.sink->data, at);
    for (int i = 0; i < N_REQUESTS; i++)
        if (requests[i].service == service && requests[i].cid == cid && i != ASK_CELLS &&
            i != ASK_SIGNAL_TOO)
            requests[i].answer(driver, (MonoTime){0}, at, (MbimBuffer){raw, length});
}

/* --- opening --- */

static void on_removed(MbimDevice *device, gpointer data)
{
    (void)device;
    lost(data, "the modem or its proxy hung up", NULL);
}

static void start_running(Driver *driver)
{
    static const char *const names[] = {"", "MBIM", "MBIM 2", "MBIM 3"};
    driver->removed_handler = g_signal_connect(driver->device, MBIM_DEVICE_SIGNAL_REMOVED,
                                               G_CALLBACK(on_removed), driver);
    driver->indicate_handler = g_signal_connect(driver->device, MBIM_DEVICE_SIGNAL_INDICATE_STATUS,
                                                G_CALLBACK(on_indicate), driver);
    driver->talk.ready = TRUE;
    driver->talk.sink->protocol(driver->talk.sink->data, names[version(driver)]);
    driver->talk.sink->ready(driver->talk.sink->data);
    (void)ask(driver, ASK_CAPS);
}

static void open_device(Driver *driver);

static void on_opened(GObject *object, GAsyncResult *result, gpointer data)
{
    Driver *driver = data;
    g_autoptr(GError) error = NULL;
    gboolean ok = mbim_device_open_full_finish(MBIM_DEVICE(object), result, &error);
    if (driver->talk.closed) {
        modem_talk_unref(&driver->talk);
        return;
    }
    if (ok && driver->talk.config->qmi_over_mbim && !driver->no_qmi) {
        (void)ask(driver, ASK_SERVICES);
    } else if (ok) {
        start_running(driver);
    } else if (driver->extended &&
               !g_error_matches(error, MBIM_CORE_ERROR, MBIM_CORE_ERROR_TIMEOUT)) {
        /* A modem that stumbles over the extension's handshake still speaks plain
         * MBIM. */
        driver->extended = FALSE;
        open_device(driver);
    } else {
        lost(driver, "does not open", error);
    }
    modem_talk_unref(&driver->talk);
}

static void open_device(Driver *driver)
{
    MbimDeviceOpenFlags flags = MBIM_DEVICE_OPEN_FLAGS_NONE;
    if (modem_uses_proxy(driver->talk.config))
        flags |= MBIM_DEVICE_OPEN_FLAGS_PROXY;
    if (driver->extended)
        flags |= MBIM_DEVICE_OPEN_FLAGS_MS_MBIMEX_V3;
    driver->talk.refs++;
    mbim_device_open_full(driver->device, flags, 2 * modem_timeout_s(driver->talk.config),
                          driver->talk.cancellable, on_opened, driver);
}

static void on_made(GObject *object, GAsyncResult *result, gpointer data)
{
    (void)object;
    Driver *driver = data;
    g_autoptr(GError) error = NULL;
    MbimDevice *device = mbim_device_new_finish(result, &error);
    if (device == NULL || driver->talk.closed) {
        lost(driver, "does not open", error);
        g_clear_object(&device);
    } else {
        driver->device = device;
        driver->extended = TRUE;
        open_device(driver);
    }
    modem_talk_unref(&driver->talk);
}

static void open_plain(Driver *driver)
{
    g_autoptr(GFile) file = g_file_new_for_path(driver->path);
    driver->talk.refs++;
    mbim_device_new(file, driver->talk.cancellable, on_made, driver);
}

/* --- QMI over MBIM, tried first --- */

static void qmi_is_ready(gpointer data)
{
    Driver *driver = data;
    driver->qmi_ready = TRUE;
    driver->talk.sink->ready(driver->talk.sink->data);
}

static gboolean fall_back(gpointer data)
{
    Driver *driver = data;
    driver->fallback = 0;
    driver->no_qmi = TRUE;
    modem_qmi.close(driver->qmi);
    driver->qmi = NULL;
    open_plain(driver);
    return G_SOURCE_REMOVE;
}

/* The service is named by its UUID, d1a30bc2-f97a-6e43-bf65-c7e24fb0f0d3. */
static void on_services(Driver *driver, MonoTime asked, MonoTime at, MbimBuffer buffer)
{
    (void)asked;
    (void)at;
    static const guint8 qmi[] = {0xd1, 0xa3, 0x0b, 0xc2, 0xf9, 0x7a, 0x6e, 0x43,
                                 0xbf, 0x65, 0xc7, 0xe2, 0x4f, 0xb0, 0xf0, 0xd3};
    if (buffer.length == 0 || memmem(buffer.data, buffer.length, qmi, sizeof qmi) == NULL)
        return;
    (void)mbim_device_close_force(driver->device, NULL);
    g_clear_object(&driver->device);
    driver->qmi = modem_qmi_open_over_mbim(driver->talk.config, driver->path, &driver->qmi_sink);
}

static void qmi_is_lost(gpointer data, const char *why)
{
    Driver *driver = data;
    if (driver->qmi_ready)
        driver->talk.sink->lost(driver->talk.sink->data, why);
    else if (driver->fallback == 0)
        driver->fallback = g_idle_add(fall_back, driver);
}

#define PASS(...) driver->talk.sink->__VA_ARGS__
static void pass_answered(gpointer data, MonoTime at)
{
    Driver *driver = data;
    PASS(answered(driver->talk.sink->data, at));
}

static void pass_silent(gpointer data, const char *request)
{
    Driver *driver = data;
    PASS(silent(driver->talk.sink->data, request));
}

static void pass_skipped(gpointer data)
{
    Driver *driver = data;
    PASS(skipped(driver->talk.sink->data));
}

static void pass_sample(gpointer data, MonoTime asked, MonoTime at, Sample *sample)
{
    Driver *driver = data;
    PASS(sample(driver->talk.sink->data, asked, at, sample));
}

static void pass_record(gpointer data, MonoTime at, RecordKind kind, gpointer record)
{
    Driver *driver = data;
    PASS(record(driver->talk.sink->data, at, kind, record));
}

static void pass_identity(gpointer data, const char *model, const char *firmware, const char *imei,
                          const char *iccid)
{
    Driver *driver = data;
    PASS(identity(driver->talk.sink->data, model, firmware, imei, iccid));
}

static void pass_sim(gpointer data, gboolean present)
{
    Driver *driver = data;
    PASS(sim(driver->talk.sink->data, present));
}

static void pass_protocol(gpointer data, const char *name)
{
    Driver *driver = data;
    PASS(protocol(driver->talk.sink->data, name));
}

static gpointer open_mbim(const ConfigModem *config, const char *device, const ModemSink *sink)
{
    Driver *driver = g_new0(Driver, 1);
    modem_talk_begin(&driver->talk, config, sink, forget);
    driver->path = g_strdup(device);
    driver->qmi_sink = (ModemSink){driver,        qmi_is_ready, qmi_is_lost,  pass_answered,
                                   pass_silent,   pass_skipped, pass_sample,  pass_record,
                                   pass_identity, pass_sim,     pass_protocol};
    open_plain(driver);
    return driver;
}

static guint poll_mbim(gpointer data, gboolean cells)
{
    Driver *driver = data;
    if (driver->qmi != NULL)
        return modem_qmi.poll(driver->qmi, cells);
    if (!driver->talk.ready)
        return 0;
    if (cells) {
        (void)ask(driver, ASK_REGISTER);
        (void)ask(driver, ASK_PACKET);
    }
    /* Without the extension the signal state has no RSRP; only the list of base
     * stations has. */
    if (cells || version(driver) < 2)
        (void)ask(driver, ASK_CELLS);
    ModemQuestion *questions = driver->questions;
    gboolean asked = ask(driver, (Ask)modem_question_either(questions, ASK_SIGNAL, ASK_SIGNAL_TOO));
    if (modem_talk_slow_due(&driver->talk)) {
        (void)ask(driver, ASK_CONNECT);
        (void)ask(driver, ASK_STATISTICS);
        (void)ask(driver, ASK_SUBSCRIBER);
        if (driver->talk.identity.model == NULL)
            (void)ask(driver, ASK_CAPS);
    }
    return asked ? (guint)(questions[ASK_SIGNAL].busy + questions[ASK_SIGNAL_TOO].busy) : 0;
}

static void close_mbim(gpointer data)
{
    Driver *driver = data;
    driver->talk.closed = TRUE;
    g_cancellable_cancel(driver->talk.cancellable);
    if (driver->fallback != 0)
        g_source_remove(driver->fallback);
    if (driver->qmi != NULL)
        modem_qmi.close(driver->qmi);
    driver->qmi = NULL;
    if (driver->device != NULL) {
        if (driver->removed_handler != 0)
            g_signal_handler_disconnect(driver->device, driver->removed_handler);
        if (driver->indicate_handler != 0)
            g_signal_handler_disconnect(driver->device, driver->indicate_handler);
        (void)mbim_device_close_force(driver->device, NULL);
        g_clear_object(&driver->device);
    }
    modem_talk_unref(&driver->talk);
}

const ModemDriver modem_mbim = {"mbim", open_mbim, poll_mbim, close_mbim};
