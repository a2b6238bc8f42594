/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What any thread says to the recorder: all of it goes into its buffer, in order.
 */
#include "formats/event-kinds.h"
#include "logger/record-pack.h"
#include "logger/recorder-state.h"

#include <math.h>
#include <string.h>

#define QUEUE_LIMIT (8U * 1024 * 1024) /* bytes waiting; beyond, records are dropped */

const char *recorder_state_name(RecorderState state)
{
    static const char *const names[] = {"starting", "writing", "disk budget reached", "disk full",
                                        "disk failed"};
    return names[state];
}

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

Event recorder_make_event(gint64 utc_ns, gint64 source, const char *kind, const char *detail,
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
    Event event = recorder_make_event(utc_ns, source, kind, detail, value);
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
