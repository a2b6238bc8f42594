/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drive that is being recorded: begun where there is room, closed in order, and what happens
 * where the disk takes no more.
 */
#include "formats/time-map.h"
#include "logger/record-pack.h"
#include "logger/recorder-state.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define ROOM_EVERY_NS INT64_C(10000000000)
#define RETRY_NS      INT64_C(10000000000)
/* Recording does not wait for somebody who reads the drive that is to be closed: the sealer will.
 */
#define PATIENCE_MS 200
/* Beyond keep-free: what the commits between two looks may take; a new drive wants more, so that
 * recording does not stop and start all the time. */
#define ROOM_STOP  (256U * 1024)
#define ROOM_START (1024U * 1024)

static void set_state(Recorder *recorder, RecorderState state, const char *trouble)
{
    g_mutex_lock(&recorder->lock);
    recorder->status.state = state;
    g_strlcpy(recorder->status.trouble, trouble != NULL ? trouble : "",
              sizeof recorder->status.trouble);
    g_mutex_unlock(&recorder->lock);
}

guint64 recorder_dropped(Recorder *recorder)
{
    g_mutex_lock(&recorder->lock);
    guint64 dropped = recorder->dropped;
    g_mutex_unlock(&recorder->lock);
    return dropped;
}

static void show_path(Recorder *recorder, const char *path)
{
    g_mutex_lock(&recorder->lock);
    g_strlcpy(recorder->status.path, path, sizeof recorder->status.path);
    g_mutex_unlock(&recorder->lock);
}

gboolean recorder_close_drive(Recorder *recorder)
{
    if (recorder->writer == NULL)
        return FALSE;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_steal_pointer(&recorder->path);
    gboolean ok = drive_writer_close(recorder->writer, &error);
    if (!ok)
        g_warning("%s", error->message);
    drive_writer_free(recorder->writer);
    recorder->writer = NULL;
    show_path(recorder, "");
    if (!ok)
        run_drives_left_open(recorder->drives, path);
    else if (recorder->sealer != NULL)
        sealer_add(recorder->sealer, path);
    return ok;
}

/* Nothing can be written now: closes, remembers since when, tries again later. */
static void pause_recording(Recorder *recorder, RecorderState state, const char *kind,
                            const char *trouble)
{
    gboolean first = recorder->gap_since_ns == 0;
    if (first) {
        recorder->gap_since_ns = mono_now().ns;
        g_warning("recording stops: %s", trouble);
    }
    if (first) {
        recorder->gap_utc_ns = recorder->utc(recorder->utc_data);
        recorder->gap_kind = g_intern_string(kind);
        g_strlcpy(recorder->gap_trouble, trouble, sizeof recorder->gap_trouble);
    }
    gboolean told = FALSE;
    if (first && recorder->writer != NULL) {
        Event event = recorder_make_event(recorder->gap_utc_ns, 0, kind, trouble, (double)NAN);
        told = drive_add_event(recorder->writer, &event, NULL);
    }
    told = recorder_close_drive(recorder) && told;
    recorder->gap_told = first ? told : recorder->gap_told;
    recorder->retry_ns = mono_now().ns + RETRY_NS;
    set_state(recorder, state, trouble);
}

void recorder_pause_for_error(Recorder *recorder, const GError *error)
{
    gboolean full = g_error_matches(error, DRIVE_ERROR, DRIVE_ERROR_FULL);
    pause_recording(recorder, full ? RECORDER_FULL : RECORDER_FAILED,
                    full ? "disk-full" : "disk-failed", error->message);
}

static gboolean write_sources(Recorder *recorder, GError **error)
{
    g_autoptr(GByteArray) copy = g_byte_array_new();
    g_mutex_lock(&recorder->lock);
    for (guint i = 0; i < recorder->sources->len; i++) {
        const GByteArray *packed = g_ptr_array_index(recorder->sources, i);
        g_byte_array_append(copy, packed->data, packed->len);
    }
    recorder->sources_seen = recorder->n_sources_changed;
    g_mutex_unlock(&recorder->lock);
    gsize at = 0;
    RecordKind kind;
    AnyRecord record;
    while (record_unpack(copy, &at, &kind, &record)) {
        gint64 id = 0;
        if (!drive_add_source(recorder->writer, &record.SOURCE_record, &id, error))
            return FALSE;
    }
    return TRUE;
}

gboolean recorder_write_new_sources(Recorder *recorder, GError **error)
{
    g_mutex_lock(&recorder->lock);
    gboolean any = recorder->sources_seen != recorder->n_sources_changed;
    g_mutex_unlock(&recorder->lock);
    return !any || write_sources(recorder, error);
}

static gboolean write_meta(Recorder *recorder, GError **error)
{
    const Config *config = recorder->config;
    const struct {
        const char *key, *value;
    } rows[] = {
        {"vehicle", config->vehicle.name},
        {"comment", config->vehicle.comment},
        {"software", "corridor-logger " CORRIDOR_VERSION},
        {"configuration", config->text},
        {"boot", recorder->boot_id},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].value != NULL &&
            !drive_set_meta(recorder->writer, rows[i].key, rows[i].value, error))
            return FALSE;
    return TRUE;
}

static gboolean has_room(Recorder *recorder)
{
    const ConfigStore *store = &recorder->config->store;
    recorder->last_room_ns = mono_now().ns;
    StoreRoom room;
    g_autoptr(GError) error = NULL;
    if (!store_room(store->folder, &room, &error)) {
        pause_recording(recorder, RECORDER_FAILED, "disk-failed", error->message);
        return FALSE;
    }
    g_mutex_lock(&recorder->lock);
    recorder->status.room = room;
    g_mutex_unlock(&recorder->lock);
    if (store->budget > 0 && room.drives_bytes >= (guint64)store->budget) {
        pause_recording(recorder, RECORDER_BUDGET, "budget-reached",
                        "the disk budget is used up; collect drives, or raise budget");
        return FALSE;
    }
    guint64 reserve = recorder->writer != NULL ? ROOM_STOP : ROOM_START;
    if (room.free_bytes < (guint64)store->keep_free + reserve) {
        pause_recording(recorder, RECORDER_FULL, "disk-full",
                        "only what must stay free is left on the disk; collect drives");
        return FALSE;
    }
    /* Told, it stays told until there is a quarter more. */
    guint64 warn_free = (guint64)store->warn_free;
    gboolean low = room.free_bytes < (recorder->low_told ? warn_free + warn_free / 4 : warn_free);
    if (low && !recorder->low_told)
        recorder_event(recorder, recorder->utc(recorder->utc_data), 0, "disk-low",
                       "bytes free on the disk", (double)room.free_bytes);
    if (low && !recorder->low_told)
        g_warning("disk low: %.0f MB free; collect drives", (double)room.free_bytes / 1e6);
    recorder->low_told = low;
    return TRUE;
}

/* Why recording had stopped, where the disk did not even take that. */
static gboolean tell_gap(Recorder *recorder, GError **error)
{
    if (recorder->gap_told)
        return TRUE;
    Event event = recorder_make_event(recorder->gap_utc_ns, 0, recorder->gap_kind,
                                      recorder->gap_trouble, (double)NAN);
    return drive_add_event(recorder->writer, &event, error);
}

static gboolean begin_drive(Recorder *recorder, gint64 now_ns, GError **error)
{
    recorder->writer = drive_create(recorder->path, error);
    if (recorder->writer == NULL)
        return FALSE;
    drive_writer_set_patience(recorder->writer, PATIENCE_MS);
    if (!write_sources(recorder, error) || !write_meta(recorder, error))
        return FALSE;
    guint64 dropped = recorder_dropped(recorder);
    if (recorder->gap_since_ns != 0) {
        double seconds = (double)(mono_now().ns - recorder->gap_since_ns) / 1e9;
        g_autofree char *detail =
            g_strdup_printf("seconds without recording; %" G_GUINT64_FORMAT " records were dropped",
                            dropped - recorder->dropped_told);
        Event event = recorder_make_event(now_ns, 0, "recording-resumed", detail, seconds);
        if (!tell_gap(recorder, error) || !drive_add_event(recorder->writer, &event, error))
            return FALSE;
    }
    if (!drive_writer_commit(recorder->writer, error))
        return FALSE;
    if (recorder->gap_since_ns != 0)
        recorder->dropped_told = dropped;
    return TRUE;
}

/* A drive that could not even be begun holds nothing. A disk that fails for hours would leave one
 * for each try. */
static void discard_drive(Recorder *recorder)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    g_autofree char *path = g_steal_pointer(&recorder->path);
    if (recorder->writer == NULL)
        return; /* drive_create() has removed it, or it was never ours */
    g_clear_pointer(&recorder->writer, drive_writer_free);
    for (unsigned i = 0; i < G_N_ELEMENTS(endings); i++) {
        g_autofree char *file = g_strconcat(path, endings[i], NULL);
        (void)unlink(file);
    }
}

gboolean recorder_open_drive(Recorder *recorder)
{
    g_autoptr(GError) error = NULL;
    gint64 now_ns = recorder->utc(recorder->utc_data);
    if (!has_room(recorder))
        return FALSE;
    recorder->path =
        store_new_path(recorder->store, recorder->config->vehicle.name, now_ns, recorder->boot_id);
    if (!begin_drive(recorder, now_ns, &error)) {
        discard_drive(recorder);
        recorder_pause_for_error(recorder, error);
        return FALSE;
    }
    if (recorder->gap_since_ns != 0)
        g_message("recording goes on");
    recorder->gap_since_ns = 0;
    recorder->opened_ns = mono_now().ns;
    run_drives_add(recorder->drives, recorder->path);
    show_path(recorder, recorder->path);
    set_state(recorder, RECORDER_WRITING, NULL);
    g_message("recording to %s", recorder->path);
    if (run_drives_settle(recorder->drives, recorder->sealer, recorder->writer, &error))
        return TRUE;
    recorder_pause_for_error(recorder, error);
    return FALSE;
}

void recorder_watch_room(Recorder *recorder)
{
    const ConfigStore *store = &recorder->config->store;
    guint64 left = 0;
    gboolean tight =
        store_free_bytes(store->folder, &left, NULL) &&
        left < (guint64)store->keep_free + drive_writer_unfolded(recorder->writer) + ROOM_STOP;
    g_autoptr(GError) error = NULL;
    if (tight && !drive_writer_fold(recorder->writer, &error))
        recorder_pause_for_error(recorder, error);
    else if (tight || mono_now().ns - recorder->last_room_ns >= ROOM_EVERY_NS)
        (void)has_room(recorder);
}
