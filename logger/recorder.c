/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/recorder.h"
#include "formats/drive-write.h"
#include "formats/event-kinds.h"
#include "formats/evidence.h"
#include "formats/time-map.h"
#include "logger/record-pack.h"
#include "logger/run-drives.h"
#include "logger/sealer.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define QUEUE_LIMIT   (8U * 1024 * 1024) /* bytes waiting; beyond, records are dropped */
#define ROOM_EVERY_NS INT64_C(10000000000)
#define RETRY_NS      INT64_C(10000000000)
/* Recording does not wait for somebody who reads the drive that is to be closed: the sealer will.
 */
#define PATIENCE_MS 200
/* Beyond keep-free: what the commits between two looks may take; a new drive wants more, so that
 * recording does not stop and start all the time. */
#define ROOM_STOP  (256U * 1024)
#define ROOM_START (1024U * 1024)

/* What the thread is asked for besides records, in its place between them. */
typedef enum { ORDER_SHIFT, ORDER_ROTATE } OrderKind;
typedef struct {
    OrderKind kind;
    guint at; /* offset in the run: records before it come first */
    gint64 delta_ns;
    const char *reason; /* interned */
} Order;

struct Recorder {
    const Config *config;
    Store *store;
    RecorderUtc utc;
    gpointer utc_data;
    char *boot_id;
    GThread *thread;

    GMutex lock; /* all until "thread only" */
    GCond wake;
    GByteArray *run;
    GArray *orders;
    GPtrArray *labels;
    GPtrArray *sources; /* what is known of each, packed; as many as labels */
    guint n_sources_changed;
    gint64 next_probe;
    guint64 dropped;
    gboolean stop;
    RecorderStatus status;

    /* thread only */
    GByteArray *taken;
    GArray *taken_orders;
    gsize kept;        /* of `taken`: up to here it lies in a closed drive */
    guint orders_done; /* of `taken_orders` */
    DriveWriter *writer;
    char *path; /* of the writer's drive */
    gint64 opened_ns, last_room_ns, retry_ns;
    guint sources_seen;
    RunDrives *drives;
    gboolean low_told;
    guint64 dropped_told; /* of `dropped`: by an event */
    gint64 gap_since_ns, gap_utc_ns;
    const char *gap_kind; /* event of the pause; interned */
    char gap_trouble[256];
    gboolean gap_told; /* it is in the drive that was closed */
    Sealer *sealer;    /* NULL: neither sealing nor evidence is wanted */
};

const char *recorder_state_name(RecorderState state)
{
    static const char *const names[] = {"starting", "writing", "disk budget reached", "disk full",
                                        "disk failed"};
    return names[state];
}

/* --- any thread --- */

void recorder_add(Recorder *recorder, RecordKind kind, const void *record)
{
    g_return_if_fail(kind != RECORD_EVENT ||
                     event_kind_find(((const Event *)record)->kind) != NULL);
    g_mutex_lock(&recorder->lock);
    if (recorder->run->len < QUEUE_LIMIT)
        record_pack(recorder->run, kind, record);
    else
        recorder->dropped++;
    g_mutex_unlock(&recorder->lock);
}

gint64 recorder_source(Recorder *recorder, const Source *source)
{
    g_mutex_lock(&recorder->lock);
    gint64 id = 0;
    for (guint i = 0; i < recorder->labels->len; i++)
        if (strcmp(g_ptr_array_index(recorder->labels, i), source->label) == 0)
            id = (gint64)i + 1;
    if (id == 0) {
        g_ptr_array_add(recorder->labels, g_strdup(source->label));
        id = recorder->labels->len;
        GByteArray *packed = g_byte_array_new();
        record_pack(packed, RECORD_SOURCE, source);
        g_ptr_array_add(recorder->sources, packed);
        recorder->n_sources_changed++;
    } else if (record_pack_over(g_ptr_array_index(recorder->sources, id - 1), RECORD_SOURCE,
                                source)) {
        recorder->n_sources_changed++;
    }
    g_mutex_unlock(&recorder->lock);
    return id;
}

gint64 recorder_next_probe(Recorder *recorder)
{
    g_mutex_lock(&recorder->lock);
    gint64 id = ++recorder->next_probe;
    g_mutex_unlock(&recorder->lock);
    return id;
}

static Event event_of(gint64 utc_ns, gint64 source, const char *kind, const char *detail,
                      double value)
{
    Event event = {0};
    RECORD_SET(&event, EVENT, time_ns, utc_ns);
    RECORD_SET(&event, EVENT, kind, kind);
    if (source > 0)
        RECORD_SET(&event, EVENT, source, source);
    if (detail != NULL)
        RECORD_SET(&event, EVENT, detail, detail);
    if (!isnan(value))
        RECORD_SET(&event, EVENT, value, value);
    g_warn_if_fail(event_kind_find(kind) != NULL);
    return event;
}

void recorder_event(Recorder *recorder, gint64 utc_ns, gint64 source, const char *kind,
                    const char *detail, double value)
{
    Event event = event_of(utc_ns, source, kind, detail, value);
    recorder_add(recorder, RECORD_EVENT, &event);
}

static void add_order(Recorder *recorder, Order order)
{
    g_mutex_lock(&recorder->lock);
    order.at = recorder->run->len;
    g_array_append_val(recorder->orders, order);
    g_cond_signal(&recorder->wake);
    g_mutex_unlock(&recorder->lock);
}

void recorder_shift(Recorder *recorder, gint64 delta_ns)
{
    add_order(recorder, (Order){.kind = ORDER_SHIFT, .delta_ns = delta_ns});
}

void recorder_rotate(Recorder *recorder, const char *reason)
{
    add_order(recorder, (Order){.kind = ORDER_ROTATE, .reason = g_intern_string(reason)});
}

RecorderStatus recorder_status(Recorder *recorder)
{
    g_mutex_lock(&recorder->lock);
    RecorderStatus status = recorder->status;
    status.dropped = recorder->dropped;
    g_mutex_unlock(&recorder->lock);
    return status;
}

/* --- the thread --- */

static void set_state(Recorder *recorder, RecorderState state, const char *trouble)
{
    g_mutex_lock(&recorder->lock);
    recorder->status.state = state;
    g_strlcpy(recorder->status.trouble, trouble != NULL ? trouble : "",
              sizeof recorder->status.trouble);
    g_mutex_unlock(&recorder->lock);
}

static guint64 dropped_now(Recorder *recorder)
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

/* TRUE if all that was added is in the drive. */
static gboolean close_drive(Recorder *recorder)
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
        Event event = event_of(recorder->gap_utc_ns, 0, kind, trouble, (double)NAN);
        told = drive_add_event(recorder->writer, &event, NULL);
    }
    told = close_drive(recorder) && told;
    recorder->gap_told = first ? told : recorder->gap_told;
    recorder->retry_ns = mono_now().ns + RETRY_NS;
    set_state(recorder, state, trouble);
}

static void pause_for_error(Recorder *recorder, const GError *error)
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

static gboolean write_new_sources(Recorder *recorder, GError **error)
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
    Event event =
        event_of(recorder->gap_utc_ns, 0, recorder->gap_kind, recorder->gap_trouble, (double)NAN);
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
    guint64 dropped = dropped_now(recorder);
    if (recorder->gap_since_ns != 0) {
        double seconds = (double)(mono_now().ns - recorder->gap_since_ns) / 1e9;
        g_autofree char *detail =
            g_strdup_printf("seconds without recording; %" G_GUINT64_FORMAT " records were dropped",
                            dropped - recorder->dropped_told);
        Event event = event_of(now_ns, 0, "recording-resumed", detail, seconds);
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

static gboolean open_drive(Recorder *recorder)
{
    g_autoptr(GError) error = NULL;
    gint64 now_ns = recorder->utc(recorder->utc_data);
    if (!has_room(recorder))
        return FALSE;
    recorder->path =
        store_new_path(recorder->store, recorder->config->vehicle.name, now_ns, recorder->boot_id);
    if (!begin_drive(recorder, now_ns, &error)) {
        discard_drive(recorder);
        pause_for_error(recorder, error);
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
    pause_for_error(recorder, error);
    return FALSE;
}

static void owe_shift(Recorder *recorder, gint64 delta_ns)
{
    run_drives_shift(recorder->drives, delta_ns);
    recorder->gap_utc_ns += delta_ns;
}

/* `at`: of the records taken, those before it were written. */
static gboolean carry_out(Recorder *recorder, const Order *order, gsize at, GError **error)
{
    if (order->kind == ORDER_SHIFT) {
        owe_shift(recorder, order->delta_ns);
        return run_drives_settle(recorder->drives, recorder->sealer, recorder->writer, error);
    }
    Event event =
        event_of(recorder->utc(recorder->utc_data), 0, "drive-rotated", order->reason, (double)NAN);
    if (!drive_add_event(recorder->writer, &event, error))
        return FALSE;
    recorder->kept = close_drive(recorder) ? at : recorder->kept;
    return open_drive(recorder);
}

/* Records that found no room in memory while the disk took its time. */
static gboolean tell_dropped(Recorder *recorder, GError **error)
{
    const guint64 dropped = dropped_now(recorder);
    if (dropped == recorder->dropped_told)
        return TRUE;
    Event event = event_of(recorder->utc(recorder->utc_data), 0, "records-dropped",
                           "the disk was too slow", (double)(dropped - recorder->dropped_told));
    recorder->dropped_told = dropped;
    return drive_add_event(recorder->writer, &event, error);
}

/* Writes what was taken. FALSE: recording paused, the rest is dropped. */
static gboolean write_taken(Recorder *recorder)
{
    g_autoptr(GError) error = NULL;
    if (!write_new_sources(recorder, &error) || !tell_dropped(recorder, &error)) {
        pause_for_error(recorder, error);
        return FALSE;
    }
    gsize at = 0;
    RecordKind kind;
    AnyRecord record;
    guint64 written = 0;
    for (;;) {
        while (error == NULL && recorder->writer != NULL &&
               recorder->orders_done < recorder->taken_orders->len &&
               g_array_index(recorder->taken_orders, Order, recorder->orders_done).at <= at) {
            const Order *order =
                &g_array_index(recorder->taken_orders, Order, recorder->orders_done++);
            (void)carry_out(recorder, order, at, &error);
        }
        if (error != NULL || recorder->writer == NULL)
            break;
        if (!record_unpack(recorder->taken, &at, &kind, &record))
            break;
        if (!drive_add(recorder->writer, kind, &record, &error))
            break;
        written++;
    }
    if (error == NULL && recorder->writer != NULL)
        (void)drive_writer_commit(recorder->writer, &error);
    if (error != NULL)
        pause_for_error(recorder, error);
    g_mutex_lock(&recorder->lock);
    if (error == NULL)
        recorder->status.written += written;
    g_mutex_unlock(&recorder->lock);
    return error == NULL && recorder->writer != NULL;
}

static void count_dropped(Recorder *recorder)
{
    gsize at = recorder->kept;
    RecordKind kind;
    AnyRecord record;
    guint64 n = 0;
    while (record_unpack(recorder->taken, &at, &kind, &record))
        n++;
    g_mutex_lock(&recorder->lock);
    recorder->dropped += n;
    g_mutex_unlock(&recorder->lock);
}

/* Nothing is being written, but the time has come out: what lies there is put right all the same.
 */
static void keep_orders(Recorder *recorder)
{
    gboolean any = FALSE;
    for (; recorder->orders_done < recorder->taken_orders->len; recorder->orders_done++) {
        const Order *order = &g_array_index(recorder->taken_orders, Order, recorder->orders_done);
        if (order->kind != ORDER_SHIFT)
            continue;
        owe_shift(recorder, order->delta_ns);
        any = TRUE;
    }
    if (any)
        (void)run_drives_settle(recorder->drives, recorder->sealer, NULL, NULL);
}

static void rotate_if_due(Recorder *recorder)
{
    const ConfigStore *store = &recorder->config->store;
    guint64 bytes = drive_writer_size(recorder->writer);
    g_mutex_lock(&recorder->lock);
    recorder->status.drive_bytes = bytes;
    g_mutex_unlock(&recorder->lock);
    if (store->rotate_size > 0 && bytes >= (guint64)store->rotate_size)
        recorder_rotate(recorder, "size");
    else if (store->rotate_after_ns > 0 &&
             mono_now().ns - recorder->opened_ns >= store->rotate_after_ns)
        recorder_rotate(recorder, "time");
}

/* Closing a drive can take as much room again as its WAL: that has to be there, too. */
static void watch_room(Recorder *recorder)
{
    const ConfigStore *store = &recorder->config->store;
    guint64 left = 0;
    gboolean tight =
        store_free_bytes(store->folder, &left, NULL) &&
        left < (guint64)store->keep_free + drive_writer_unfolded(recorder->writer) + ROOM_STOP;
    g_autoptr(GError) error = NULL;
    if (tight && !drive_writer_fold(recorder->writer, &error))
        pause_for_error(recorder, error);
    else if (tight || mono_now().ns - recorder->last_room_ns >= ROOM_EVERY_NS)
        (void)has_room(recorder);
}

static void turn(Recorder *recorder)
{
    gint64 now_ns = mono_now().ns;
    if (recorder->writer == NULL && (recorder->retry_ns == 0 || now_ns >= recorder->retry_ns))
        (void)open_drive(recorder);
    gboolean written = recorder->writer != NULL && write_taken(recorder);
    if (!written && recorder->writer == NULL) {
        count_dropped(recorder);
        keep_orders(recorder);
    }
    if (written) {
        g_mutex_lock(&recorder->lock);
        recorder->status.last_commit_ns = mono_now().ns;
        g_mutex_unlock(&recorder->lock);
        watch_room(recorder);
    }
    if (recorder->writer != NULL)
        rotate_if_due(recorder);
    g_mutex_lock(&recorder->lock);
    recorder->status.last_turn_ns = mono_now().ns;
    g_mutex_unlock(&recorder->lock);
    g_byte_array_set_size(recorder->taken, 0);
    g_array_set_size(recorder->taken_orders, 0);
    recorder->kept = 0;
    recorder->orders_done = 0;
}

/* What a power cut left open is closed, so that it can be collected whole. */
static void close_leftovers(Recorder *recorder)
{
    g_autoptr(GPtrArray) paths = store_unclosed(recorder->store);
    for (guint i = 0; i < paths->len; i++) {
        const char *path = g_ptr_array_index(paths, i);
        if (evidence_exists(path)) {
            g_warning("%s: has evidence, but somebody wrote to it; left as it is", path);
            continue;
        }
        if (store_close_left(path))
            g_message("closed %s, which was not ended properly", path);
        else
            run_drives_left_open(recorder->drives, path); /* somebody may be reading it */
    }
}

static gpointer run_thread(gpointer data)
{
    Recorder *recorder = data;
    close_leftovers(recorder);
    if (recorder->config->store.seal || recorder->config->store.evidence)
        recorder->sealer = sealer_new(recorder->store, &recorder->config->store);
    gboolean last = FALSE;
    gint64 begun = g_get_monotonic_time();
    while (!last) {
        g_mutex_lock(&recorder->lock);
        /* From turn to turn: what a disk takes to flush is not added to what a power cut costs. */
        gint64 until = begun + recorder->config->store.commit_ns / 1000;
        while (!recorder->stop && recorder->status.last_turn_ns != 0 &&
               g_cond_wait_until(&recorder->wake, &recorder->lock, until))
            ;
        begun = g_get_monotonic_time();
        last = recorder->stop;
        GByteArray *run = recorder->run;
        recorder->run = recorder->taken;
        recorder->taken = run;
        GArray *orders = recorder->orders;
        recorder->orders = recorder->taken_orders;
        recorder->taken_orders = orders;
        g_mutex_unlock(&recorder->lock);
        turn(recorder);
    }
    (void)close_drive(recorder);
    (void)run_drives_settle(recorder->drives, recorder->sealer, NULL, NULL);
    sealer_free(recorder->sealer);
    return NULL;
}

Recorder *recorder_new(const Config *config, Store *store, RecorderUtc utc, gpointer utc_data)
{
    Recorder *recorder = g_new0(Recorder, 1);
    recorder->config = config;
    recorder->store = store;
    recorder->utc = utc;
    recorder->utc_data = utc_data;
    recorder->boot_id = store_boot_id();
    g_mutex_init(&recorder->lock);
    g_cond_init(&recorder->wake);
    recorder->run = g_byte_array_sized_new(64 * 1024);
    recorder->taken = g_byte_array_sized_new(64 * 1024);
    recorder->orders = g_array_new(FALSE, FALSE, sizeof(Order));
    recorder->taken_orders = g_array_new(FALSE, FALSE, sizeof(Order));
    recorder->sources = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    recorder->labels = g_ptr_array_new_with_free_func(g_free);
    recorder->drives = run_drives_new(store);
    recorder->thread = g_thread_new("recorder", run_thread, recorder);
    return recorder;
}

void recorder_free(Recorder *recorder)
{
    if (recorder == NULL)
        return;
    g_mutex_lock(&recorder->lock);
    recorder->stop = TRUE;
    g_cond_signal(&recorder->wake);
    g_mutex_unlock(&recorder->lock);
    g_thread_join(recorder->thread);
    g_byte_array_unref(recorder->run);
    g_byte_array_unref(recorder->taken);
    g_array_unref(recorder->orders);
    g_array_unref(recorder->taken_orders);
    g_ptr_array_unref(recorder->sources);
    g_ptr_array_unref(recorder->labels);
    run_drives_free(recorder->drives);
    g_mutex_clear(&recorder->lock);
    g_cond_clear(&recorder->wake);
    g_free(recorder->boot_id);
    g_free(recorder);
}
