/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recorded drive played as if live: all that one source measured, spaced as
 * it was (or faster), with times of now. At the end the modem is lost and,
 * after the back-off, the drive begins again.
 */
#include "formats/drive-read.h"
#include "logger/modem.h"

#include <string.h>

typedef struct {
    RecordKind kind;
    DriveCursor *cursor;
    const Batch *batch;
    size_t at;
} Track;

static const RecordKind kinds[] = {RECORD_SAMPLE, RECORD_NEIGHBOUR, RECORD_CARRIER, RECORD_ANTENNA,
                                   RECORD_REGISTRATION};

/* A record of any of them. */
typedef union {
    Sample sample;
    Neighbour neighbour;
    Carrier carrier;
    Antenna antenna;
    Registration registration;
} Played;

#define LOOK_AGAIN_MS 500.0
#define AT_ONCE       256 /* then others get their turn */

typedef struct {
    const ConfigModem *config;
    const ModemSink *sink;
    Drive *drive;
    Track tracks[G_N_ELEMENTS(kinds)];
    gint64 first_ns, start_ns; /* of the drive; mono */
    guint timer;
} Driver;

static const Source *pick(const Driver *driver)
{
    guint n = 0;
    const Source *sources = drive_sources(driver->drive, &n);
    for (guint i = 0; i < n; i++) {
        const char *wanted = driver->config->replay_label;
        if (wanted != NULL ? g_strcmp0(sources[i].label, wanted) == 0
                           : sources[i].kind != SOURCE_GPS)
            return &sources[i];
    }
    return NULL;
}

/* The time of a track's next record; G_MAXINT64 at its end. */
static gint64 next_ns(Track *track)
{
    if (track->batch == NULL || track->at >= track->batch->n) {
        track->batch = track->cursor != NULL ? drive_next(track->cursor, NULL) : NULL;
        track->at = 0;
    }
    if (track->batch == NULL || track->batch->n == 0)
        return G_MAXINT64;
    return track->batch->column[SAMPLE_COL_time_ns].i[track->at];
}
G_STATIC_ASSERT((int)SAMPLE_COL_time_ns == (int)NEIGHBOUR_COL_time_ns);
G_STATIC_ASSERT((int)SAMPLE_COL_time_ns == (int)CARRIER_COL_time_ns);
G_STATIC_ASSERT((int)SAMPLE_COL_time_ns == (int)ANTENNA_COL_time_ns);
G_STATIC_ASSERT((int)SAMPLE_COL_time_ns == (int)REGISTRATION_COL_time_ns);

static void play(Driver *driver, Track *track)
{
    MonoTime now = mono_now();
    if (track->kind == RECORD_SAMPLE) {
        Sample sample;
        batch_get(track->batch, RECORD_SAMPLE, track->at, &sample);
        gint64 asked_ns = RECORD_HAS(&sample, SAMPLE, request_ns)
                              ? now.ns - (sample.time_ns - sample.request_ns)
                              : 0;
        RECORD_UNSET(&sample, SAMPLE, request_ns);
        driver->sink->sample(driver->sink->data, (MonoTime){asked_ns}, now, &sample);
    } else {
        Played record;
        batch_get(track->batch, track->kind, track->at, &record);
        driver->sink->record(driver->sink->data, now, track->kind, &record);
    }
    track->at++;
}

static gboolean step(gpointer data)
{
    Driver *driver = data;
    driver->timer = 0;
    driver->sink->answered(driver->sink->data, mono_now());
    for (int n = 0; n < AT_ONCE; n++) {
        Track *first = NULL;
        gint64 first_ns = G_MAXINT64;
        for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
            gint64 t = next_ns(&driver->tracks[i]);
            if (t < first_ns) {
                first_ns = t;
                first = &driver->tracks[i];
            }
        }
        if (first == NULL) {
            driver->sink->lost(driver->sink->data, "the replayed drive has ended");
            return G_SOURCE_REMOVE;
        }
        double due_ns = (double)(first_ns - driver->first_ns) / driver->config->replay_speed;
        double wait_ms = (due_ns - (double)(mono_now().ns - driver->start_ns)) / 1e6;
        if (wait_ms >= 1.0) {
            /* A hole in the recording must not look like a wedged modem. */
            driver->timer = g_timeout_add((guint)MIN(wait_ms, LOOK_AGAIN_MS), step, driver);
            return G_SOURCE_REMOVE;
        }
        play(driver, first);
    }
    driver->timer = g_timeout_add(1, step, driver);
    return G_SOURCE_REMOVE;
}

static gboolean begin(gpointer data)
{
    Driver *driver = data;
    driver->timer = 0;
    g_autoptr(GError) error = NULL;
    driver->drive = drive_open(driver->config->replay_file, &error);
    const Source *source = driver->drive != NULL ? pick(driver) : NULL;
    if (source == NULL) {
        const char *label = driver->config->replay_label;
        g_autofree char *why = g_strdup_printf("the drive has no source %s",
                                               label != NULL ? label : "that is a modem");
        driver->sink->lost(driver->sink->data, error != NULL ? error->message : why);
        return G_SOURCE_REMOVE;
    }
    driver->first_ns = G_MAXINT64;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        Track *track = &driver->tracks[i];
        track->kind = kinds[i];
        track->cursor =
            drive_read(driver->drive, kinds[i], 0, source->id, G_MININT64, G_MAXINT64, NULL);
        driver->first_ns = MIN(driver->first_ns, next_ns(track));
    }
    driver->start_ns = mono_now().ns;
    driver->sink->protocol(driver->sink->data, "replay");
    driver->sink->ready(driver->sink->data);
    driver->sink->identity(
        driver->sink->data, RECORD_HAS(source, SOURCE, model) ? source->model : NULL,
        RECORD_HAS(source, SOURCE, firmware) ? source->firmware : NULL, NULL, NULL);
    driver->timer = g_idle_add(step, driver);
    return G_SOURCE_REMOVE;
}

static gpointer open_replay(const ConfigModem *config, const char *device, const ModemSink *sink)
{
    (void)device;
    Driver *driver = g_new0(Driver, 1);
    driver->config = config;
    driver->sink = sink;
    driver->timer = g_idle_add(begin, driver);
    return driver;
}

static void close_replay(gpointer data)
{
    Driver *driver = data;
    if (driver->timer != 0)
        g_source_remove(driver->timer);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        drive_cursor_free(driver->tracks[i].cursor);
    drive_free(driver->drive);
    g_free(driver);
}

const ModemDriver modem_replay = {"replay", open_replay, NULL, close_replay};
