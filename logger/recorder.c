/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/recorder.h"

#include "formats/evidence.h"
#include "formats/time-map.h"
#include "logger/record-pack.h"
#include "logger/recorder-state.h"

#include <math.h>

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
    Event event = recorder_make_event(recorder->utc(recorder->utc_data), 0, "drive-rotated",
                                      order->reason, (double)NAN);
    if (!drive_add_event(recorder->writer, &event, error))
        return FALSE;
    recorder->kept = recorder_close_drive(recorder) ? at : recorder->kept;
    return recorder_open_drive(recorder);
}

/* Records that found no room in memory while the disk took its time. */
static gboolean tell_dropped(Recorder *recorder, GError **error)
{
    const guint64 dropped = recorder_dropped(recorder);
    if (dropped == recorder->dropped_told)
        return TRUE;
    Event event =
        recorder_make_event(recorder->utc(recorder->utc_data), 0, "records-dropped",
                            "the disk was too slow", (double)(dropped - recorder->dropped_told));
    recorder->dropped_told = dropped;
    return drive_add_event(recorder->writer, &event, error);
}

/* Writes what was taken. FALSE: recording paused, the rest is dropped. */
static gboolean write_taken(Recorder *recorder)
{
    g_autoptr(GError) error = NULL;
    if (!recorder_write_new_sources(recorder, &error) || !tell_dropped(recorder, &error)) {
        recorder_pause_for_error(recorder, error);
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
        recorder_pause_for_error(recorder, error);
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

static void turn(Recorder *recorder)
{
    gint64 now_ns = mono_now().ns;
    if (recorder->writer == NULL && (recorder->retry_ns == 0 || now_ns >= recorder->retry_ns))
        (void)recorder_open_drive(recorder);
    gboolean written = recorder->writer != NULL && write_taken(recorder);
    if (!written && recorder->writer == NULL) {
        count_dropped(recorder);
        keep_orders(recorder);
    }
    if (written) {
        g_mutex_lock(&recorder->lock);
        recorder->status.last_commit_ns = mono_now().ns;
        g_mutex_unlock(&recorder->lock);
        recorder_watch_room(recorder);
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
    (void)recorder_close_drive(recorder);
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
