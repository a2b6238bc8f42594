/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/replay.h"

#include <string.h>

#define LOOK_AGAIN_MS 500.0
#define AT_ONCE       256                 /* then others get their turn */
#define PAUSE_NS      INT64_C(3000000000) /* between two turns: all have opened it again by then */
#define GRACE_NS      INT64_C(1000000000) /* whoever opens so much later still plays all */

typedef struct {
    RecordKind kind;
    DriveCursor *cursor;
    const Batch *batch;
    size_t at;
} Track;

static const RecordKind modem_kinds[] = {RECORD_SAMPLE, RECORD_NEIGHBOUR, RECORD_CARRIER,
                                         RECORD_ANTENNA, RECORD_REGISTRATION};
static const RecordKind gps_kinds[] = {RECORD_FIX};

/* A record of any of them. */
typedef union {
    Fix fix;
    Sample sample;
    Neighbour neighbour;
    Carrier carrier;
    Antenna antenna;
    Registration registration;
} Played;

struct Replay {
    ReplayPlan plan;
    Drive *drive;
    const Source *source;
    Track tracks[G_N_ELEMENTS(modem_kinds)];
    gsize n_tracks;
    gint64 first_ns, last_ns; /* of the whole drive, UTC */
    gint64 start_ns;          /* mono */
    guint timer;
};

/* --- one time for all --- */

typedef struct {
    gint64 start_ns, span_ns; /* mono */
} Turn;

/* When the turn to play began or is going to. */
static gint64 turn_start_ns(const ReplayPlan *plan, gint64 span_ns)
{
    static GHashTable *turns; /* by file and speed; lives as long as the process */
    if (turns == NULL)
        turns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *key = g_strdup_printf("%s\n%g", plan->file, plan->speed);
    Turn *turn = g_hash_table_lookup(turns, key);
    gint64 now_ns = mono_now().ns;
    if (turn == NULL || turn->span_ns != span_ns) {
        turn = g_new0(Turn, 1);
        *turn = (Turn){now_ns, span_ns};
        g_hash_table_insert(turns, g_steal_pointer(&key), turn);
    }
    gint64 passed_ns = now_ns - turn->start_ns;
    if (passed_ns > GRACE_NS) {
        gint64 period_ns = span_ns + PAUSE_NS;
        turn->start_ns += (passed_ns / period_ns + 1) * period_ns;
    }
    return turn->start_ns;
}

/* --- playing --- */

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
G_STATIC_ASSERT((int)SAMPLE_COL_time_ns == (int)FIX_COL_time_ns);
G_STATIC_ASSERT((int)SAMPLE_COL_time_ns == (int)NEIGHBOUR_COL_time_ns);
G_STATIC_ASSERT((int)SAMPLE_COL_time_ns == (int)CARRIER_COL_time_ns);
G_STATIC_ASSERT((int)SAMPLE_COL_time_ns == (int)ANTENNA_COL_time_ns);
G_STATIC_ASSERT((int)SAMPLE_COL_time_ns == (int)REGISTRATION_COL_time_ns);

static gint64 due_ns(const Replay *replay, gint64 utc_ns)
{
    return replay->start_ns + (gint64)((double)(utc_ns - replay->first_ns) / replay->plan.speed);
}

static Track *next_track(Replay *replay, gint64 *utc_ns)
{
    Track *first = NULL;
    for (gsize i = 0; i < replay->n_tracks; i++) {
        gint64 t = next_ns(&replay->tracks[i]);
        if (t < *utc_ns) {
            *utc_ns = t;
            first = &replay->tracks[i];
        }
    }
    return first;
}

static gboolean step(gpointer data)
{
    Replay *replay = data;
    replay->timer = 0;
    replay->plan.alive(replay->plan.data);
    for (int n = 0; n < AT_ONCE; n++) {
        gint64 utc_ns = G_MAXINT64;
        Track *track = next_track(replay, &utc_ns);
        gint64 due = due_ns(replay, track != NULL ? utc_ns : replay->last_ns);
        double wait_ms = (double)(due - mono_now().ns) / 1e6;
        if (wait_ms >= 1.0) {
            replay->timer = g_timeout_add((guint)MIN(wait_ms, LOOK_AGAIN_MS), step, replay);
            return G_SOURCE_REMOVE;
        }
        if (track == NULL) {
            replay->plan.ended(replay->plan.data);
            return G_SOURCE_REMOVE;
        }
        Played record;
        batch_get(track->batch, track->kind, track->at++, &record);
        replay->plan.play(replay->plan.data, track->kind, &record, (MonoTime){due});
    }
    replay->timer = g_timeout_add(1, step, replay);
    return G_SOURCE_REMOVE;
}

/* --- opening --- */

static const Source *pick(Drive *drive, const ReplayPlan *plan)
{
    guint n = 0;
    const Source *sources = drive_sources(drive, &n);
    for (guint i = 0; i < n; i++)
        if (plan->label != NULL ? g_strcmp0(sources[i].label, plan->label) == 0
                                : (sources[i].kind == SOURCE_GPS) == plan->gps)
            return &sources[i];
    return NULL;
}

/* First and last time of all that can be played of the drive, whichever source it is of. */
static gboolean find_span(Replay *replay, GError **error)
{
    replay->first_ns = G_MAXINT64;
    replay->last_ns = G_MININT64;
    RecordKind kinds[G_N_ELEMENTS(modem_kinds) + 1] = {RECORD_FIX};
    memcpy(kinds + 1, modem_kinds, sizeof modem_kinds);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        gint64 n = 0, first_ns = 0, last_ns = 0;
        if (!drive_count(replay->drive, kinds[i], 0, &n, &first_ns, &last_ns, error))
            return FALSE;
        if (n == 0)
            continue;
        replay->first_ns = MIN(replay->first_ns, first_ns);
        replay->last_ns = MAX(replay->last_ns, last_ns);
    }
    if (replay->first_ns > replay->last_ns)
        replay->first_ns = replay->last_ns = 0;
    return TRUE;
}

Replay *replay_new(const ReplayPlan *plan, GError **error)
{
    g_autoptr(Replay) replay = g_new0(Replay, 1);
    replay->plan = *plan;
    replay->drive = drive_open(plan->file, error);
    if (replay->drive == NULL || !find_span(replay, error))
        return NULL;
    replay->source = pick(replay->drive, plan);
    if (replay->source == NULL) {
        g_set_error(error, DRIVE_ERROR, DRIVE_ERROR_FAILED, "the drive has no source %s",
                    plan->label != NULL ? plan->label
                    : plan->gps         ? "that is a receiver"
                                        : "that is a modem");
        return NULL;
    }
    const RecordKind *kinds = plan->gps ? gps_kinds : modem_kinds;
    replay->n_tracks = plan->gps ? G_N_ELEMENTS(gps_kinds) : G_N_ELEMENTS(modem_kinds);
    for (gsize i = 0; i < replay->n_tracks; i++) {
        replay->tracks[i].kind = kinds[i];
        replay->tracks[i].cursor = drive_read(replay->drive, kinds[i], 0, replay->source->id,
                                              G_MININT64, G_MAXINT64, NULL);
    }
    double span_ns = (double)(replay->last_ns - replay->first_ns) / plan->speed;
    replay->start_ns = turn_start_ns(plan, (gint64)span_ns);
    replay->timer = g_idle_add(step, replay);
    return g_steal_pointer(&replay);
}

void replay_free(Replay *replay)
{
    if (replay == NULL)
        return;
    if (replay->timer != 0)
        g_source_remove(replay->timer);
    for (gsize i = 0; i < replay->n_tracks; i++)
        drive_cursor_free(replay->tracks[i].cursor);
    drive_free(replay->drive);
    g_free(replay);
}

const Source *replay_source(const Replay *replay)
{
    return replay->source;
}
