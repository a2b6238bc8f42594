/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/bin-state.h"

#include <math.h>
#include <string.h>

/* No answer for at least this long is an outage (docs/method.md). */
#define OUTAGE_NS (INT64_C(500) * 1000000)
/* Shorter throughput intervals are noise. */
#define RATE_NS (INT64_C(100) * 1000000)

/* Words of meeting records (docs/probes.md). */
static const char *const reasons[BIN_REASONS] = {"delay-down",
                                                 "delay-up",
                                                 "burst-down",
                                                 "burst-up",
                                                 "loss-down",
                                                 "loss-up",
                                                 "jitter-down",
                                                 "jitter-up",
                                                 "reorder-down",
                                                 "reorder-up",
                                                 "poor-loss-down",
                                                 "poor-loss-up",
                                                 "poor-jitter-down",
                                                 "poor-jitter-up",
                                                 "concealed-down",
                                                 "concealed-up",
                                                 "video-down",
                                                 "video-up",
                                                 "gap-down",
                                                 "gap-up",
                                                 "silence-down",
                                                 "silence-up",
                                                 "rtt",
                                                 "poor-rtt",
                                                 "speech",
                                                 "other"};

const char *bin_reason_name(int number)
{
    return reasons[number >= 0 && number < BIN_REASONS ? number : BIN_REASONS - 1];
}

static int reason_number(const char *name, size_t length)
{
    for (int i = 0; i < BIN_REASONS; i++)
        if (strlen(reasons[i]) == length && memcmp(reasons[i], name, length) == 0)
            return i;
    return BIN_REASONS - 1;
}

/* The cells in which a record lies; their number, 0 if it lies nowhere, -1 on failure. */
static int cells_at(BinState *state, int64_t time_ns, Cell *cell[SEGMENTS_AT_ONCE], GError **error)
{
    BinSpot spot;
    if (!bin_expire(state, time_ns, error))
        return -1;
    bin_spot(state, time_ns, &spot);
    for (unsigned k = 0; k < spot.n; k++) {
        if ((cell[k] = bin_cell(state, spot.segment[k], time_ns, error)) == NULL)
            return -1;
        cell_touch(cell[k], time_ns);
    }
    return (int)spot.n;
}

static void add_latency(Cell *cell, const Latency *r)
{
    if (!RECORD_HAS(r, LATENCY, sent) && !RECORD_HAS(r, LATENCY, rtt_ms))
        return;
    int64_t sent = RECORD_HAS(r, LATENCY, sent) ? r->sent : 1;
    int64_t received = RECORD_HAS(r, LATENCY, received) ? r->received
                       : RECORD_HAS(r, LATENCY, rtt_ms) ? sent
                                                        : 0;
    sent = CLAMP(sent, 0, 1000000);
    received = CLAMP(received, 0, sent);
    if (sent == 0)
        return;
    if (received > 0 && RECORD_HAS(r, LATENCY, rtt_ms))
        cell_tally(cell, TALLY_RTT, cell_bucket(r->rtt_ms), (uint32_t)received);
    if (sent > received)
        cell_tally(cell, TALLY_RTT, TALLY_LOST, (uint32_t)(sent - received));
    if (RECORD_HAS(r, LATENCY, jitter_ms))
        cell_tally(cell, TALLY_JITTER, cell_bucket(r->jitter_ms), 1);
    cell_tally(cell, TALLY_LOSS, (int)(1000 * (sent - received) / sent), 1);
    if (received == 0 && (sent > 1 || !RECORD_HAS(r, LATENCY, duration_ns) || r->duration_ns == 0 ||
                          r->duration_ns >= OUTAGE_NS))
        cell->head.outages++;
}

static void add_throughput(Cell *cell, const Throughput *r)
{
    gboolean up = RECORD_HAS(r, THROUGHPUT, direction) && r->direction == DIRECTION_UP;
    if (r->kind == PROBE_TRAIN) {
        if (!RECORD_HAS(r, THROUGHPUT, target_bps) || !RECORD_HAS(r, THROUGHPUT, reached))
            return;
        TallyKind kind = up ? (r->reached ? TALLY_TRAIN_UP_REACHED : TALLY_TRAIN_UP_MISSED)
                            : (r->reached ? TALLY_TRAIN_DOWN_REACHED : TALLY_TRAIN_DOWN_MISSED);
        cell_tally(cell, kind, (int)fmin(r->target_bps / 1e5 + 0.5, INT16_MAX), 1);
        return;
    }
    if (!RECORD_HAS(r, THROUGHPUT, rate_bps) ||
        (RECORD_HAS(r, THROUGHPUT, duration_ns) && r->duration_ns < RATE_NS * 9 / 10))
        return;
    TallyKind kind = r->kind == PROBE_PASSIVE ? (up ? TALLY_PASSIVE_UP : TALLY_PASSIVE_DOWN)
                                              : (up ? TALLY_UP : TALLY_DOWN);
    if (r->kind == PROBE_PASSIVE && !(r->rate_bps > 0.0))
        return; /* nothing was asked of the network */
    cell_tally(cell, kind, cell_bucket(r->rate_bps / 1e6), 1);
}

static void add_meeting(Cell *cell, const Meeting *r)
{
    /* windows sum up seconds that have rows of their own, and are longer than a segment */
    if (!RECORD_HAS(r, MEETING, grade) || r->grade == GRADE_UNKNOWN ||
        (RECORD_HAS(r, MEETING, is_window) && r->is_window))
        return;
    cell_tally(cell, TALLY_GRADE, r->grade, 1);
    if (RECORD_HAS(r, MEETING, mos))
        cell_tally(cell, TALLY_MOS, (int)(r->mos * 100.0 + 0.5), 1);
    for (const char *p = RECORD_HAS(r, MEETING, reason) ? r->reason : ""; *p != '\0';) {
        size_t n = strcspn(p, ",");
        const char *word = p;
        size_t length = n;
        while (length > 0 && *word == ' ') {
            word++;
            length--;
        }
        if (length > 0)
            cell_tally(cell, TALLY_REASON, reason_number(word, length), 1);
        p += n + (p[n] == ',');
    }
}

static void add_probe(Cell *cell, const Probe *r)
{
    if (r->kind == PROBE_PASSIVE)
        return;
    if (r->status == STATUS_SKIPPED) {
        cell->head.tests_skipped++;
        return;
    }
    cell->head.tests++;
    cell->head.tests_failed += r->status == STATUS_FAILED;
}

typedef union {
    Latency latency;
    Throughput throughput;
    Meeting meeting;
    Probe probe;
} AnyProbe;

/* The instant that places a record: the middle of its interval, the start of a whole probe. */
static int64_t middle(RecordKind kind, const AnyProbe *r)
{
    switch (kind) {
    case RECORD_LATENCY:
        return r->latency.time_ns + r->latency.duration_ns / 2;
    case RECORD_THROUGHPUT:
        return r->throughput.time_ns + r->throughput.duration_ns / 2;
    case RECORD_MEETING:
        return r->meeting.time_ns + r->meeting.duration_ns / 2;
    default:
        return r->probe.time_ns;
    }
}

static void add_any(RecordKind kind, Cell *cell, const AnyProbe *r)
{
    switch (kind) {
    case RECORD_LATENCY:
        add_latency(cell, &r->latency);
        break;
    case RECORD_THROUGHPUT:
        add_throughput(cell, &r->throughput);
        break;
    case RECORD_MEETING:
        add_meeting(cell, &r->meeting);
        break;
    default:
        add_probe(cell, &r->probe);
    }
}

static gboolean read_kind(Drive *drive, RecordKind kind, BinState *states, guint n, GError **error)
{
    for (guint s = 0; s < n; s++)
        states[s].hint = (TrackHint){0};
    g_autoptr(DriveCursor) cursor = drive_read(drive, kind, 0, 0, INT64_MIN, INT64_MAX, error);
    if (cursor == NULL)
        return FALSE;
    g_autoptr(GError) local = NULL;
    const Batch *b;
    while ((b = drive_next(cursor, &local)) != NULL) {
        for (size_t i = 0; i < b->n; i++) {
            AnyProbe r;
            batch_get(b, kind, i, &r);
            int64_t source = r.probe.source; /* time and source stand first in every kind */
            if (source < 1 || source > (int64_t)n || states[source - 1].report == NULL)
                continue;
            Cell *cell[SEGMENTS_AT_ONCE];
            int found = cells_at(&states[source - 1], middle(kind, &r), cell, error);
            if (found < 0)
                return FALSE;
            for (int k = 0; k < found; k++)
                add_any(kind, cell[k], &r);
        }
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    /* the next kind begins anew in time: same passes, same times would be equal keys */
    return TRUE;
}

gboolean bin_probes(Drive *drive, BinState *states, guint n, GError **error)
{
    static const RecordKind kinds[] = {RECORD_LATENCY, RECORD_THROUGHPUT, RECORD_MEETING,
                                       RECORD_PROBE};
    for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
        if (!read_kind(drive, kinds[k], states, n, error))
            return FALSE;
        for (guint s = 0; s < n; s++) {
            if (states[s].report == NULL)
                continue;
            if (!bin_close(&states[s], error))
                return FALSE;
            states[s].key_bit++;
        }
    }
    return TRUE;
}
