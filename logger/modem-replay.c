/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A modem of a recorded drive as if it were live. Its records have the times at which they are due,
 * not those at which a busy machine comes to them: positions of the same drive belong to them. At
 * the end it is lost and, after the back-off, the drive begins again.
 */
#include "logger/modem.h"
#include "logger/replay.h"

typedef struct {
    const ConfigModem *config;
    const ModemSink *sink;
    Replay *replay;
    guint opening;
} Driver;

static void on_record(gpointer data, RecordKind kind, gpointer record, MonoTime due)
{
    Driver *driver = data;
    if (kind != RECORD_SAMPLE) {
        driver->sink->record(driver->sink->data, due, kind, record);
        return;
    }
    Sample *sample = record;
    gint64 asked_ns = RECORD_HAS(sample, SAMPLE, request_ns)
                          ? due.ns - (sample->time_ns - sample->request_ns)
                          : 0;
    RECORD_UNSET(sample, SAMPLE, request_ns);
    driver->sink->sample(driver->sink->data, (MonoTime){asked_ns}, due, sample);
}

/* A hole in the recording must not look like a wedged modem. */
static void on_alive(gpointer data)
{
    Driver *driver = data;
    driver->sink->answered(driver->sink->data, mono_now());
}

static void on_ended(gpointer data)
{
    Driver *driver = data;
    driver->sink->lost(driver->sink->data, "the replayed drive has ended");
}

static gboolean begin(gpointer data)
{
    Driver *driver = data;
    driver->opening = 0;
    const ReplayPlan plan = {.file = driver->config->replay_file,
                             .label = driver->config->replay_label,
                             .speed = driver->config->replay_speed,
                             .data = driver,
                             .play = on_record,
                             .alive = on_alive,
                             .ended = on_ended};
    g_autoptr(GError) error = NULL;
    driver->replay = replay_new(&plan, &error);
    if (driver->replay == NULL) {
        driver->sink->lost(driver->sink->data, error->message);
        return G_SOURCE_REMOVE;
    }
    const Source *source = replay_source(driver->replay);
    driver->sink->protocol(driver->sink->data, "replay");
    driver->sink->ready(driver->sink->data);
    driver->sink->identity(
        driver->sink->data, RECORD_HAS(source, SOURCE, model) ? source->model : NULL,
        RECORD_HAS(source, SOURCE, firmware) ? source->firmware : NULL, NULL, NULL);
    return G_SOURCE_REMOVE;
}

static gpointer open_replay(const ConfigModem *config, const char *device, const ModemSink *sink)
{
    (void)device;
    Driver *driver = g_new0(Driver, 1);
    driver->config = config;
    driver->sink = sink;
    driver->opening = g_idle_add(begin, driver);
    return driver;
}

static void close_replay(gpointer data)
{
    Driver *driver = data;
    if (driver->opening != 0)
        g_source_remove(driver->opening);
    replay_free(driver->replay);
    g_free(driver);
}

const ModemDriver modem_replay = {"replay", open_replay, NULL, close_replay};
