/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking to a QMI modem through libqmi. Opening is a chain of steps, each
 * started by the answer to the one before: device, proxy, clients, indications,
 * identity. Then each poll sends what is not still being asked; the fast
 * request (levels) goes last, so that the sample it makes knows the cell asked
 * for in the same poll.
 *
 * Requests hold a reference: after close() their answers still come (as
 * cancelled) and are dropped.
 */
#include "logger/modem-qmi.h"
#include "logger/modem-driver.h"
#include "logger/qmi-convert.h"

#include <libqmi-glib.h>
#include <math.h>
#include <string.h>

#define MAX_NEIGHBOURS 32

typedef enum {
    SERVICE_NAS,
    SERVICE_DMS,
    SERVICE_WDS,
    SERVICE_UIM,
    SERVICE_DSD,
    N_SERVICES
} Service;
static const QmiService service_codes[N_SERVICES] = {
    QMI_SERVICE_NAS, QMI_SERVICE_DMS, QMI_SERVICE_WDS, QMI_SERVICE_UIM, QMI_SERVICE_DSD};

typedef struct Driver Driver;
typedef void (*Answer)(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs);

typedef struct {
    const char *name;
    Service service;
    guint16 message;
    gboolean (*fill)(Driver *driver, QmiMessage *message); /* FALSE: do not ask now; NULL = empty */
    Answer answer;
} Request;

typedef enum {
    ASK_SYSTEM,
    ASK_SERVING,
    ASK_CELLS,
    ASK_BAND,
    ASK_CARRIERS,
    ASK_CHAINS,
    ASK_SIGNAL,
    ASK_SIGNAL_TOO, /* while that one is late */
    ASK_STATISTICS,
    ASK_BEARER,
    ASK_SYSTEMS,
    ASK_CARD,
    ASK_MODEL, /* from here on who it is */
    ASK_REVISION,
    ASK_IDS,
    ASK_ICCID,
    N_REQUESTS
} Ask;

struct Driver {
    ModemTalk talk;
    gboolean over_mbim;
    GFile *file;
    QmiDevice *device;
    QmiClient *clients[N_SERVICES];
    gulong indication_handler, removed_handler;
    Service allocating;
    ModemQuestion questions[N_REQUESTS];
    QmiState state;
    double tx_power_dbm;
    const char *bearer, *systems; /* as WDS and as DSD name it; NULL = not known */
    gint64 rx_bytes, tx_bytes;    /* -1 = unknown */
    int card;                     /* 1 there, 0 absent, -1 not known */
    gboolean identity_owed;       /* something of it is new */
};

static const Request requests[N_REQUESTS];
static void tell_identity(Driver *driver);

static void forget(gpointer talk)
{
    Driver *driver = talk;
    g_clear_object(&driver->file);
}

static void lost(Driver *driver, const char *what, const GError *error)
{
    modem_talk_lost(&driver->talk, what, error);
}

/* --- asking --- */

static void take_answer(Driver *driver, ModemQuestion *question, MonoTime at, QmiMessage *message)
{
    gsize length = 0;
    const guint8 *raw = qmi_message_get_raw(message, &length, NULL);
    QmiTlvs tlvs;
    if (raw == NULL || !qmi_tlvs_read(&tlvs, raw, length))
        return;
    int code = qmi_result(&tlvs);
    if (code == QMI_PROTOCOL_ERROR_INVALID_QMI_COMMAND || code == QMI_PROTOCOL_ERROR_NOT_SUPPORTED)
        question->refused = TRUE;
    requests[question->what].answer(driver, question->asked, at, &tlvs);
}

static void on_answer(GObject *object, GAsyncResult *result, gpointer data)
{
    ModemQuestion *question = data;
    Driver *driver = (Driver *)question->talk;
    MonoTime at = mono_now();
    g_autoptr(GError) error = NULL;
    g_autoptr(QmiMessage) message =
        qmi_device_command_full_finish(QMI_DEVICE(object), result, &error);
    if (modem_question_end(question, message != NULL,
                           g_error_matches(error, QMI_CORE_ERROR, QMI_CORE_ERROR_TIMEOUT),
                           requests[question->what].name, at))
        take_answer(driver, question, at, message);
    if (!driver->talk.closed && question->what >= (int)ASK_MODEL)
        tell_identity(driver);
    modem_talk_unref(&driver->talk);
}

/* FALSE: not asked. */
static gboolean ask(Driver *driver, Ask what)
{
    const Request *request = &requests[what];
    ModemQuestion *question = &driver->questions[what];
    QmiClient *client = driver->clients[request->service];
    if (client == NULL || !modem_question_may(question, &driver->talk))
        return FALSE;
    g_autoptr(QmiMessage) message =
        qmi_message_new(service_codes[request->service], qmi_client_get_cid(client),
                        qmi_client_get_next_transaction_id(client), request->message);
    if (request->fill != NULL && !request->fill(driver, message))
        return FALSE;
    modem_question_begin(question, &driver->talk, (int)what);
    qmi_device_command_full(driver->device, message, NULL, modem_timeout_s(driver->talk.config),
                            driver->talk.cancellable, on_answer, question);
    return TRUE;
}

static void add_tlv(QmiMessage *message, guint8 type, const void *value, gsize length)
{
    (void)qmi_message_add_raw_tlv(message, type, value, length, NULL);
}

/* --- what comes back --- */

static void tell_sample(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    Sample sample;
    if (!qmi_make_sample(&driver->state, tlvs, &sample))
        return;
    if (tlvs != NULL && sample.rat != RAT_NONE && !isnan(driver->tx_power_dbm))
        RECORD_SET(&sample, SAMPLE, tx_power_dbm, driver->tx_power_dbm);
    driver->talk.sink->sample(driver->talk.sink->data, asked, at, &sample);
}

static void tell_registration(Driver *driver, MonoTime at)
{
    const QmiState *state = &driver->state;
    Registration record = {0};
    RECORD_SET(&record, REGISTRATION, state, state->state[0] != '\0' ? state->state : "unknown");
    if (state->ps_known)
        RECORD_SET(&record, REGISTRATION, packet_state,
                   state->ps_attached ? "attached" : "detached");
    if (state->plmn[0] != '\0' && state->service == SERVICE_OK)
        RECORD_SET(&record, REGISTRATION, plmn, state->plmn);
    if (state->network_name[0] != '\0' && state->service == SERVICE_OK)
        RECORD_SET(&record, REGISTRATION, network_name, state->network_name);
    const char *bearer = driver->systems != NULL ? driver->systems : driver->bearer;
    if (bearer != NULL)
        RECORD_SET(&record, REGISTRATION, bearer, bearer);
    if (driver->rx_bytes >= 0) {
        RECORD_SET(&record, REGISTRATION, rx_bytes, driver->rx_bytes);
        RECORD_SET(&record, REGISTRATION, tx_bytes, driver->tx_bytes);
    }
    driver->talk.sink->record(driver->talk.sink->data, at, RECORD_REGISTRATION, &record);
}

/* After any message that says where the modem is registered. */
static void after_change(Driver *driver, MonoTime at, ServiceState before, Rat rat_before)
{
    QmiState *state = &driver->state;
    if (state->registration_changed && state->state[0] != '\0') {
        tell_registration(driver, at);
        state->registration_changed = FALSE;
    }
    gboolean elsewhere = state->cell_changed || state->rat != rat_before;
    state->cell_changed = FALSE;
    if (!driver->talk.ready)
        return;
    if (elsewhere && state->rat != RAT_NONE && !driver->questions[ASK_CELLS].busy) {
        (void)ask(driver, ASK_CELLS);
        if (!driver->questions[ASK_BAND].busy)
            (void)ask(driver, ASK_BAND);
    }
    /* A hole begins now, not at the next poll. */
    if (state->service == SERVICE_NONE && before != SERVICE_NONE)
        tell_sample(driver, (MonoTime){0}, at, NULL);
}

static void on_serving(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    (void)asked;
    ServiceState before = driver->state.service;
    Rat rat = driver->state.rat;
    if (qmi_take_serving_system(&driver->state, tlvs))
        after_change(driver, at, before, rat);
}

static void on_system(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    (void)asked;
    ServiceState before = driver->state.service;
    Rat rat = driver->state.rat;
    if (qmi_take_system_info(&driver->state, tlvs))
        after_change(driver, at, before, rat);
}

static void on_cells(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    (void)asked;
    Neighbour cells[MAX_NEIGHBOURS];
    unsigned n = qmi_take_cells(&driver->state, tlvs, cells, MAX_NEIGHBOURS);
    driver->state.cell_changed = FALSE; /* this message brought the new cell's particulars too */
    for (unsigned i = 0; i < n; i++)
        driver->talk.sink->record(driver->talk.sink->data, at, RECORD_NEIGHBOUR, &cells[i]);
}

static void on_band(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    (void)asked;
    (void)at;
    (void)qmi_take_rf_band(&driver->state, tlvs);
}

static void on_carriers(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    (void)asked;
    Carrier carriers[QMI_MAX_CARRIERS];
    unsigned n = qmi_read_carriers(tlvs, carriers, QMI_MAX_CARRIERS);
    for (unsigned i = 0; i < n; i++)
        driver->talk.sink->record(driver->talk.sink->data, at, RECORD_CARRIER, &carriers[i]);
}

static guint8 radio_interface(const Driver *driver)
{
    switch (driver->state.rat) {
    case RAT_GSM:
        return 4;
    case RAT_UMTS:
        return 5;
    case RAT_LTE:
    case RAT_NR_NSA: /* the anchor */
        return 8;
    case RAT_NR_SA:
        return 12;
    default:
        return 0;
    }
}

static gboolean fill_chains(Driver *driver, QmiMessage *message)
{
    guint8 radio = radio_interface(driver);
    add_tlv(message, 0x01, &radio, 1);
    return radio != 0 && driver->talk.config->antennas;
}

static void on_chains(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    (void)asked;
    Antenna chains[QMI_CHAINS];
    unsigned n =
        qmi_read_chains(tlvs, driver->state.rat, chains, QMI_CHAINS, &driver->tx_power_dbm);
    for (unsigned i = 0; i < n; i++)
        driver->talk.sink->record(driver->talk.sink->data, at, RECORD_ANTENNA, &chains[i]);
}

static void on_signal(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    int code = qmi_result(tlvs);
    if (code == 0)
        tell_sample(driver, asked, at, tlvs);
    else if (code == QMI_RESULT_UNAVAILABLE)
        tell_sample(driver, asked, at, NULL);
}

static gboolean fill_statistics(Driver *driver, QmiMessage *message)
{
    (void)driver;
    const guint8 mask[] = {0xc0, 0, 0, 0}; /* bytes sent and received */
    add_tlv(message, 0x01, mask, sizeof mask);
    return TRUE;
}

static void on_statistics(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    (void)asked;
    if (qmi_result(tlvs) == 0 && qmi_read_statistics(tlvs, &driver->rx_bytes, &driver->tx_bytes))
        tell_registration(driver, at);
}

static void on_bearer(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    (void)asked;
    (void)at;
    driver->bearer = qmi_result(tlvs) == 0 ? qmi_read_bearer(tlvs) : NULL;
}

/* WDS knows nothing of 5G; DSD tells LTE from EN-DC from stand-alone NR. */
static void on_systems(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    (void)asked;
    (void)at;
    driver->systems = qmi_result(tlvs) == 0 ? qmi_read_systems(tlvs) : NULL;
}

static void on_card(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    (void)asked;
    (void)at;
    int there = qmi_result(tlvs) == 0 ? qmi_read_sim(tlvs) : -1;
    if (there < 0)
        return;
    driver->talk.sink->sim(driver->talk.sink->data, there);
    driver->card = there;
    /* The card that comes back may be another one; its number is asked until it
     * is told. */
    if (there == 0)
        g_clear_pointer(&driver->talk.identity.iccid, g_free);
}

static const struct {
    Ask what;
    guint8 tlv;
    size_t field; /* of ModemIdentity */
} identity_parts[] = {{ASK_MODEL, 0x01, offsetof(ModemIdentity, model)},
                      {ASK_REVISION, 0x01, offsetof(ModemIdentity, firmware)},
                      {ASK_IDS, 0x11, offsetof(ModemIdentity, imei)},
                      {ASK_ICCID, 0x01, offsetof(ModemIdentity, iccid)}};

static char **identity_field(Driver *driver, gsize part)
{
    return (char **)(gpointer)((char *)&driver->talk.identity + identity_parts[part].field);
}

static void on_identity(Driver *driver, MonoTime asked, MonoTime at, const QmiTlvs *tlvs)
{
    (void)asked;
    (void)at;
    for (gsize i = 0; i < G_N_ELEMENTS(identity_parts); i++) {
        char **field = identity_field(driver, i);
        if (requests[identity_parts[i].what].message != tlvs->message || qmi_result(tlvs) != 0)
            continue;
        g_autofree char *text = qmi_read_text(tlvs, identity_parts[i].tlv);
        if (text == NULL || g_strcmp0(text, *field) == 0)
            continue;
        g_free(*field);
        *field = g_steal_pointer(&text);
        driver->identity_owed = TRUE;
    }
}

/* Once nothing of it is being asked any more: what gets no answer must not
 * withhold the rest. */
static void tell_identity(Driver *driver)
{
    for (gsize i = 0; i < G_N_ELEMENTS(identity_parts); i++)
        if (driver->questions[identity_parts[i].what].busy)
            return;
    if (driver->identity_owed)
        modem_identity_tell(&driver->talk.identity, driver->talk.sink);
    driver->identity_owed = FALSE;
}

/* What is not known yet: a modem that starts may refuse for a while. */
static void ask_identity(Driver *driver)
{
    for (gsize i = 0; i < G_N_ELEMENTS(identity_parts); i++) {
        Ask what = identity_parts[i].what;
        gboolean no_card = what == ASK_ICCID && driver->card == 0;
        if (*identity_field(driver, i) == NULL && !no_card && !driver->questions[what].busy)
            (void)ask(driver, what);
    }
}

static const Request requests[N_REQUESTS] = {
    [ASK_SYSTEM] = {"system information", SERVICE_NAS, 0x004d, NULL, on_system},
    [ASK_SERVING] = {"serving system", SERVICE_NAS, 0x0024, NULL, on_serving},
    [ASK_CELLS] = {"cell location", SERVICE_NAS, 0x0043, NULL, on_cells},
    [ASK_BAND] = {"band", SERVICE_NAS, 0x0031, NULL, on_band},
    [ASK_CARRIERS] = {"carriers", SERVICE_NAS, 0x00ac, NULL, on_carriers},
    [ASK_CHAINS] = {"antennas", SERVICE_NAS, 0x005a, fill_chains, on_chains},
    [ASK_SIGNAL] = {"signal information", SERVICE_NAS, 0x004f, NULL, on_signal},
    [ASK_SIGNAL_TOO] = {"signal information", SERVICE_NAS, 0x004f, NULL, on_signal},
    [ASK_STATISTICS] = {"packet statistics", SERVICE_WDS, 0x0024, fill_statistics, on_statistics},
    [ASK_BEARER] = {"bearer", SERVICE_WDS, 0x0037, NULL, on_bearer},
    [ASK_SYSTEMS] = {"data systems", SERVICE_DSD, 0x0024, NULL, on_systems},
    [ASK_CARD] = {"card status", SERVICE_UIM, 0x002f, NULL, on_card},
    [ASK_MODEL] = {"model", SERVICE_DMS, 0x0022, NULL, on_identity},
    [ASK_REVISION] = {"revision", SERVICE_DMS, 0x0023, NULL, on_identity},
    [ASK_IDS] = {"IMEI", SERVICE_DMS, 0x0025, NULL, on_identity},
    [ASK_ICCID] = {"ICCID", SERVICE_DMS, 0x003c, NULL, on_identity},
};

static guint poll_modem(gpointer data, gboolean cells)
{
    Driver *driver = data;
    if (!driver->talk.ready)
        return 0;
    if (cells) {
        for (Ask what = ASK_SYSTEM; what < ASK_SIGNAL; what++)
            (void)ask(driver, what);
    }
    ModemQuestion *questions = driver->questions;
    gboolean asked = ask(driver, (Ask)modem_question_either(questions, ASK_SIGNAL, ASK_SIGNAL_TOO));
    if (modem_talk_slow_due(&driver->talk)) {
        (void)ask(driver, ASK_BEARER);
        (void)ask(driver, ASK_SYSTEMS);
        (void)ask(driver, ASK_STATISTICS);
        (void)ask(driver, ASK_CARD);
        ask_identity(driver);
    }
    return asked ? (guint)(questions[ASK_SIGNAL].busy + questions[ASK_SIGNAL_TOO].busy) : 0;
}

static void on_indication(QmiDevice *device, QmiMessage *message, gpointer data)
{
    (void)device;
    Driver *driver = data;
    MonoTime at = mono_now();
    gsize length = 0;
    const guint8 *raw = qmi_message_get_raw(message, &length, NULL);
    QmiTlvs tlvs;
    if (driver->talk.closed || !driver->talk.ready || raw == NULL ||
        !qmi_tlvs_read(&tlvs, raw, length) || !tlvs.indication || tlvs.service != QMI_SERVICE_NAS)
        return;
    driver->talk.sink->answered(driver->talk.sink->data, at);
    if (tlvs.message == 0x0024)
        on_serving(driver, (MonoTime){0}, at, &tlvs);
    else if (tlvs.message == 0x004e)
        on_system(driver, (MonoTime){0}, at, &tlvs);
    else if (tlvs.message == 0x0051)
        tell_sample(driver, (MonoTime){0}, at, &tlvs);
}

/* --- opening, step by step --- */

static void on_removed(QmiDevice *device, gpointer data)
{
    (void)device;
    lost(data, "the modem or its proxy hung up", NULL);
}

/* Nobody waits for the answer: a modem that refuses indications is still
 * polled. */
static void send_setup(Driver *driver, guint16 message_id, const guint8 *tlvs, gsize n)
{
    QmiClient *nas = driver->clients[SERVICE_NAS];
    g_autoptr(QmiMessage) message =
        qmi_message_new(QMI_SERVICE_NAS, qmi_client_get_cid(nas),
                        qmi_client_get_next_transaction_id(nas), message_id);
    for (gsize i = 0; i + 2 < n; i += 3 + (gsize)tlvs[i + 1])
        add_tlv(message, tlvs[i], tlvs + i + 3, tlvs[i + 1]);
    qmi_device_command_full(driver->device, message, NULL, modem_timeout_s(driver->talk.config),
                            NULL, NULL, NULL);
}

static void start_running(Driver *driver)
{
    /* Register Indications: serving system, system information, signal
     * information. */
    const guint8 wanted[] = {0x13, 1, 0, 1, 0x18, 1, 0, 1, 0x19, 1, 0, 1};
    send_setup(driver, 0x0003, wanted, sizeof wanted);
    driver->talk.ready = TRUE;
    driver->talk.sink->protocol(driver->talk.sink->data,
                                driver->over_mbim ? "QMI over MBIM" : "QMI");
    driver->talk.sink->ready(driver->talk.sink->data);
    ask_identity(driver);
}

static void allocate_next(Driver *driver);

static void on_allocated(GObject *object, GAsyncResult *result, gpointer data)
{
    Driver *driver = data;
    g_autoptr(GError) error = NULL;
    QmiClient *client = qmi_device_allocate_client_finish(QMI_DEVICE(object), result, &error);
    if (driver->talk.closed) {
        g_clear_object(&client);
    } else if (client == NULL && driver->allocating == SERVICE_NAS) {
        lost(driver, "no access to its network service", error);
    } else {
        driver->clients[driver->allocating++] = client;
        if (driver->allocating < N_SERVICES)
            allocate_next(driver);
        else
            start_running(driver);
    }
    modem_talk_unref(&driver->talk);
}

static void allocate_next(Driver *driver)
{
    driver->talk.refs++;
    qmi_device_allocate_client(driver->device, service_codes[driver->allocating], QMI_CID_NONE,
                               modem_timeout_s(driver->talk.config), driver->talk.cancellable,
                               on_allocated, driver);
}

static void on_opened(GObject *object, GAsyncResult *result, gpointer data)
{
    Driver *driver = data;
    g_autoptr(GError) error = NULL;
    if (!qmi_device_open_finish(QMI_DEVICE(object), result, &error))
        lost(driver, "does not open", error);
    else if (!driver->talk.closed)
        allocate_next(driver);
    modem_talk_unref(&driver->talk);
}

static void on_made(GObject *object, GAsyncResult *result, gpointer data)
{
    Driver *driver = data;
    g_autoptr(GError) error = NULL;
    GObject *made = g_async_initable_new_finish(G_ASYNC_INITABLE(object), result, &error);
    if (made == NULL || driver->talk.closed) {
        lost(driver, "does not open", error);
        g_clear_object(&made);
        modem_talk_unref(&driver->talk);
        return;
    }
    driver->device = QMI_DEVICE(made);
    driver->indication_handler =
        g_signal_connect(made, QMI_DEVICE_SIGNAL_INDICATION, G_CALLBACK(on_indication), driver);
    driver->removed_handler =
        g_signal_connect(made, QMI_DEVICE_SIGNAL_REMOVED, G_CALLBACK(on_removed), driver);
    QmiDeviceOpenFlags flags = QMI_DEVICE_OPEN_FLAGS_EXPECT_INDICATIONS;
    if (modem_uses_proxy(driver->talk.config))
        flags |= QMI_DEVICE_OPEN_FLAGS_PROXY;
    if (driver->over_mbim)
        flags |= QMI_DEVICE_OPEN_FLAGS_MBIM;
    qmi_device_open(driver->device, flags, 2 * modem_timeout_s(driver->talk.config),
                    driver->talk.cancellable, on_opened,
                    driver); /* with the reference of this call */
}

static gpointer open_driver(const ConfigModem *config, const char *device, const ModemSink *sink,
                            gboolean over_mbim)
{
    Driver *driver = g_new0(Driver, 1);
    modem_talk_begin(&driver->talk, config, sink, forget);
    driver->talk.refs++; /* of the call below */
    driver->over_mbim = over_mbim;
    driver->card = -1;
    driver->identity_owed = TRUE;
    driver->tx_power_dbm = (double)NAN;
    driver->rx_bytes = -1;
    driver->file = g_file_new_for_path(device);
    gboolean unchecked = config->no_file_check && !over_mbim;
    if (config->proxy_path != NULL && !over_mbim)
        g_async_initable_new_async(QMI_TYPE_DEVICE, G_PRIORITY_DEFAULT, driver->talk.cancellable,
                                   on_made, driver, QMI_DEVICE_FILE, driver->file,
                                   QMI_DEVICE_NO_FILE_CHECK, unchecked, QMI_DEVICE_PROXY_PATH,
                                   config->proxy_path, NULL);
    else
        g_async_initable_new_async(QMI_TYPE_DEVICE, G_PRIORITY_DEFAULT, driver->talk.cancellable,
                                   on_made, driver, QMI_DEVICE_FILE, driver->file,
                                   QMI_DEVICE_NO_FILE_CHECK, unchecked, NULL);
    return driver;
}

static gpointer open_qmi(const ConfigModem *config, const char *device, const ModemSink *sink)
{
    return open_driver(config, device, sink, FALSE);
}

gpointer modem_qmi_open_over_mbim(const ConfigModem *config, const char *device,
                                  const ModemSink *sink)
{
    return open_driver(config, device, sink, TRUE);
}

static void close_qmi(gpointer data)
{
    Driver *driver = data;
    driver->talk.closed = TRUE;
    g_cancellable_cancel(driver->talk.cancellable);
    if (driver->device != NULL) {
        g_signal_handler_disconnect(driver->device, driver->indication_handler);
        g_signal_handler_disconnect(driver->device, driver->removed_handler);
        for (int i = 0; i < N_SERVICES; i++) {
            if (driver->clients[i] == NULL)
                continue;
            qmi_device_release_client(driver->device, driver->clients[i],
                                      QMI_DEVICE_RELEASE_CLIENT_FLAGS_RELEASE_CID, 1, NULL, NULL,
                                      NULL);
            g_clear_object(&driver->clients[i]);
        }
        qmi_device_close_async(driver->device, 1, NULL, NULL, NULL);
        g_clear_object(&driver->device);
    }
    modem_talk_unref(&driver->talk);
}

const ModemDriver modem_qmi = {"qmi", open_qmi, poll_modem, close_qmi};
