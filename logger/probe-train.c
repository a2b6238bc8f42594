/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threshold trains: 200 ms at each target rate, down and then up, from the lowest rate to the first
 * that is not available (higher ones need not be tried: they are not available either, and would
 * cost the most). Each is one row of throughputs, with the verdict of train.h.
 *
 * The length is a setting; a train of 0.5 s or more also gives the dispersion estimate with its
 * spread in the probe's detail.
 */
#include "logger/pace.h"
#include "logger/probe.h"
#include "logger/session-client.h"
#include "logger/train.h"
#include <math.h>
#include <string.h>

#define NS_PER_S G_GINT64_CONSTANT(1000000000)
#define TICK_NS  G_GINT64_CONSTANT(1000000)
#define SETTLE_NS                                                                                  \
    (NS_PER_S * 7 / 10)             /* after the last packet: what has not come by then is lost    \
                                     */
#define SETTLE_UP_NS NS_PER_S       /* the same for what goes up */
#define ASK_NS       (NS_PER_S / 4) /* GO and FETCH are repeated after this */
#define GIVE_UP_NS   (3 * NS_PER_S) /* a train of which nothing came */
#define MAX_BYTES    4000000U       /* of a train: what a reflector gives by default */
#define MAX_PACKETS  4096U          /* what a reflector remembers and sends */
#define LONG_S       0.5            /* from here on also the dispersion is told */
#define FETCH_TRIES  12

typedef enum { STEP_DOWN, STEP_UP, STEP_LOG } Step;

typedef struct {
    ProbeRun run;
    SessionClient *client;
    Pace *pace;
    unsigned down_at, up_at; /* next rate of each way */
    gboolean down_over;      /* a rate was not available, or there are no more */
    Step step;
    guint32 train;     /* number of the train */
    guint32 first_seq; /* up: number of its first packet */
    guint32 sent, n;   /* up: sent so far; packets of the train */
    double rate_bps;
    gint64 begun_ns, asked_ns, last_ns; /* CLOCK_MONOTONIC */
    gint64 begun_real_ns;
    gint64 zero_ns;     /* arrival times are counted from here */
    gint64 far_zero_ns; /* down: when the train began by the reflector's clock */
    guint32 log_next;
    unsigned tries;
    TrainPacket packets[MAX_PACKETS];
    double scratch[2 * MAX_PACKETS];
    unsigned done, reached;
    double best_bps[2];
} TrainRun;

static void begin_next(TrainRun *train);

static unsigned packets_of(const ProbeSettings *settings, double rate_bps)
{
    double n = rate_bps * settings->train_s / (8.0 * settings->train_size);
    return (unsigned)CLAMP(n, 2, MIN(MAX_PACKETS, MAX_BYTES / settings->train_size));
}

static void tell_dispersion(TrainRun *train, const char *way)
{
    TrainDispersion spread =
        train_dispersion(train->packets, train->n, train->run.settings->train_size, train->scratch);
    const struct {
        const char *what;
        double value;
    } rows[] = {{"dispersion_bps", spread.rate_bps},
                {"dispersion_median_bps", spread.median_bps},
                {"dispersion_p10_bps", spread.p10_bps},
                {"dispersion_p90_bps", spread.p90_bps}};
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *name =
            g_strdup_printf("%s_%s_%g", rows[i].what, way, train->rate_bps / 1e6);
        probe_detail_real(&train->run, name, rows[i].value);
    }
}

static void finish_train(TrainRun *train)
{
    ProbeRun *run = &train->run;
    gboolean up = train->step != STEP_DOWN;
    TrainVerdict verdict = train_judge(train->packets, train->n, train->scratch);
    gint64 bytes = 0;
    gint64 last_ns = 0;
    for (guint32 i = 0; i < train->n; i++) {
        if (train->packets[i].arrived_ns != TRAIN_LOST) {
            bytes += run->settings->train_size;
            last_ns = MAX(last_ns, train->packets[i].arrived_ns);
        }
    }
    Throughput row = {0};
    gint64 duration_ns = (gint64)(8e9 * train->n * run->settings->train_size / train->rate_bps);
    RECORD_SET(&row, THROUGHPUT, time_ns, probe_utc_ns(run, train->begun_real_ns));
    RECORD_SET(&row, THROUGHPUT, source, run->modem.source);
    RECORD_SET(&row, THROUGHPUT, probe, run->id);
    RECORD_SET(&row, THROUGHPUT, kind, PROBE_TRAIN);
    RECORD_SET(&row, THROUGHPUT, direction, up ? DIRECTION_UP : DIRECTION_DOWN);
    RECORD_SET(&row, THROUGHPUT, duration_ns, duration_ns);
    RECORD_SET(&row, THROUGHPUT, bytes, bytes);
    RECORD_SET(&row, THROUGHPUT, rate_bps, 8e9 * (double)bytes / (double)duration_ns);
    RECORD_SET(&row, THROUGHPUT, target_bps, train->rate_bps);
    RECORD_SET(&row, THROUGHPUT, reached, verdict.reached);
    if (verdict.received > 0)
        RECORD_SET(&row, THROUGHPUT, delay_ms, verdict.added_delay_ms);
    run->host->add(run->host->data, RECORD_THROUGHPUT, &row);
    g_autofree char *name = g_strdup_printf("%s_%g", up ? "up" : "down", train->rate_bps / 1e6);
    probe_detail_text(run, name, verdict.reached ? "reached" : verdict.reason);
    if (run->settings->train_s >= LONG_S)
        tell_dispersion(train, up ? "up" : "down");
    train->done++;
    train->reached += verdict.reached;
    if (verdict.reached)
        train->best_bps[up] = fmax(train->best_bps[up], train->rate_bps);
    if (!verdict.reached && !up)
        train->down_over = TRUE;
    else if (!verdict.reached)
        train->up_at = G_MAXUINT;
    begin_next(train);
}

static void end_run(TrainRun *train)
{
    ProbeRun *run = &train->run;
    pace_free(g_steal_pointer(&train->pace));
    run->value = fmax(train->best_bps[0], 0);
    if (train->done == 0)
        run->value = NAN;
    probe_detail_int(run, "trains", train->done);
    probe_detail_int(run, "reached", train->reached);
}

/* The next rate, down first. */
static void begin_next(TrainRun *train)
{
    const ProbeSettings *settings = train->run.settings;
    const double *down = settings->train_down_bps, *up = settings->train_up_bps;
    train->rate_bps = 0;
    if (!train->down_over && down && down[train->down_at] > 0) {
        train->step = STEP_DOWN;
        train->rate_bps = down[train->down_at++];
    } else if (train->up_at != G_MAXUINT && up && up[train->up_at] > 0) {
        train->step = STEP_UP;
        train->rate_bps = up[train->up_at++];
    }
    if (train->rate_bps <= 0) {
        end_run(train);
        probe_run_finish(&train->run, STATUS_OK, NULL);
        return;
    }
    train->n = packets_of(settings, train->rate_bps);
    train->train++;
    train->first_seq += train->sent;
    train->sent = 0;
    train->begun_ns = udp_monotonic() + ASK_NS / 2; /* the queues drain meanwhile */
    train->asked_ns = train->last_ns = 0;
    train->tries = 0;
    for (guint32 i = 0; i < train->n; i++)
        train->packets[i] =
            (TrainPacket){(gint64)(8e9 * i * settings->train_size / train->rate_bps), TRAIN_LOST};
}

/* Arrival times are kept from the first of the train on, so that they fit any clock. */
static void note(TrainRun *train, guint32 index, gint64 sent_ns, gint64 arrived_ns)
{
    if (index >= train->n || train->packets[index].arrived_ns != TRAIN_LOST)
        return;
    if (train->last_ns == 0)
        train->zero_ns = arrived_ns - train->packets[index].sent_ns;
    train->packets[index].arrived_ns = arrived_ns - train->zero_ns;
    if (sent_ns)
        train->packets[index].sent_ns = sent_ns;
    train->last_ns = udp_monotonic();
}

static void on_media(const MediaHeader *header, const UdpPacket *packet, gpointer data)
{
    TrainRun *train = data;
    if (train->run.finished || train->step != STEP_DOWN || header->stream != MEDIA_TRAIN ||
        header->train != train->train || header->seq >= train->n)
        return;
    /* The reflector's own times of sending, from its first packet on: it may have been late. */
    gint64 planned_ns = train->packets[header->seq].sent_ns;
    if (train->last_ns == 0) {
        train->far_zero_ns = header->sent_ns - planned_ns;
        train->begun_real_ns = packet->arrived_ns - planned_ns; /* its clock may be any */
    }
    note(train, header->seq, header->sent_ns - train->far_zero_ns, packet->arrived_ns);
}

static void on_log(const SessionMessage *message, const UdpPacket *packet, gpointer data)
{
    TrainRun *train = data;
    (void)packet;
    if (train->run.finished)
        return;
    for (unsigned i = 0; i < message->n; i++) {
        const Arrival *arrival = &message->arrivals[i];
        if (message->from + i < train->log_next || arrival->stream != MEDIA_TRAIN)
            continue;
        if (train->step == STEP_LOG && arrival->seq - train->first_seq < train->n)
            note(train, arrival->seq - train->first_seq, 0, arrival->arrived_ns);
    }
    train->log_next = MAX(train->log_next, message->from + message->n);
    if (train->step != STEP_LOG)
        return;
    if (train->log_next < message->total) {
        session_client_fetch(train->client, train->log_next);
        return;
    }
    /* All that came is known; what did not come may still be on its way. */
    gboolean complete = train->packets[train->n - 1].arrived_ns != TRAIN_LOST;
    if (complete || udp_monotonic() - train->asked_ns > SETTLE_UP_NS)
        finish_train(train);
}

static gint64 down_tick(TrainRun *train, gint64 now_ns)
{
    gint64 length_ns = train->packets[train->n - 1].sent_ns;
    if (train->last_ns == 0 && now_ns - train->begun_ns > GIVE_UP_NS) {
        train->begun_real_ns = train->begun_ns + udp_to_realtime();
        finish_train(train);
        return now_ns + TICK_NS;
    }
    if (train->last_ns == 0 && now_ns - train->asked_ns > ASK_NS) {
        train->asked_ns = now_ns;
        session_client_go(train->client, train->train, train->n, train->run.settings->train_size,
                          (guint64)train->rate_bps);
    }
    gboolean complete = train->packets[train->n - 1].arrived_ns != TRAIN_LOST;
    gint64 quiet_ns = complete ? NS_PER_S / 20 : SETTLE_NS;
    if (train->last_ns != 0 && now_ns - train->last_ns > quiet_ns)
        finish_train(train);
    return now_ns + MAX(TICK_NS, MIN(length_ns / 20, 20 * TICK_NS));
}

static gint64 up_tick(TrainRun *train, gint64 now_ns)
{
    guint8 room[UDP_BATCH][MEDIA_MAX_SIZE];
    UdpOut packets[UDP_BATCH];
    unsigned payload = train->run.settings->train_size - MEDIA_IP_OVERHEAD;
    if (train->sent == 0)
        train->begun_real_ns = train->begun_ns + udp_to_realtime();
    while (train->sent < train->n &&
           train->begun_ns + (gint64)(8e9 * train->sent * train->run.settings->train_size /
                                      train->rate_bps) <=
               now_ns) {
        unsigned n = 0;
        for (; n < UDP_BATCH && train->sent < train->n; n++, train->sent++) {
            gint64 due_ns =
                (gint64)(8e9 * train->sent * train->run.settings->train_size / train->rate_bps);
            if (train->begun_ns + due_ns > now_ns)
                break;
            gint64 sent_ns = udp_realtime();
            MediaHeader header = {.stream = MEDIA_TRAIN,
                                  .token = session_client_grant(train->client)->token,
                                  .seq = train->first_seq + train->sent,
                                  .train = train->train,
                                  .sent_ns = sent_ns};
            memset(room[n] + MEDIA_HEADER_SIZE, 0, payload - MEDIA_HEADER_SIZE);
            media_write(&header, room[n], MEDIA_HEADER_SIZE);
            packets[n] = (UdpOut){room[n], payload};
            train->packets[train->sent].sent_ns = sent_ns - train->begun_real_ns;
        }
        int trouble = 0;
        (void)session_client_send(train->client, packets, n, &trouble);
    }
    if (train->sent < train->n)
        return now_ns + TICK_NS;
    train->step = STEP_LOG;
    train->asked_ns = now_ns;
    return now_ns + ASK_NS / 4;
}

/* Asks for the log until it is there, or the link is taken for dead. */
static gint64 log_tick(TrainRun *train, gint64 now_ns)
{
    if (++train->tries > FETCH_TRIES) {
        finish_train(train);
        return now_ns + TICK_NS;
    }
    session_client_fetch(train->client, train->log_next);
    return now_ns + ASK_NS;
}

static gint64 on_tick(gint64 now_ns, gpointer data)
{
    TrainRun *train = data;
    /* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): gcc does not see that all are set */
    gint64 next_ns = now_ns + ASK_NS;
    session_client_receive(train->client);
    if (train->run.finished)
        return 0;
    if (now_ns < train->begun_ns)
        return train->begun_ns;
    switch (train->step) {
    case STEP_DOWN:
        next_ns = down_tick(train, now_ns);
        break;
    case STEP_UP:
        next_ns = up_tick(train, now_ns);
        break;
    case STEP_LOG:
        next_ns = log_tick(train, now_ns);
        break;
    }
    return train->run.finished ? 0 : next_ns;
}

static void on_established(gboolean again, gpointer data)
{
    TrainRun *train = data;
    g_autoptr(GError) error = NULL;
    if (again)
        return;
    train->run.setup_ms = session_client_setup_ms(train->client);
    train->pace = pace_new(train->run.context, udp_monotonic() + TICK_NS, on_tick, train, &error);
    if (!train->pace)
        probe_run_finish(&train->run, STATUS_FAILED, "system");
    else
        begin_next(train);
}

static void on_failed(const char *reason, const char *detail, gpointer data)
{
    TrainRun *train = data;
    ProbeRun *run = &train->run;
    if (run->finished)
        return;
    probe_detail_text(run, "error", detail);
    end_run(train);
    gboolean felt = g_str_equal(reason, "no-answer") || g_str_equal(reason, "dns");
    probe_run_finish(run, felt ? STATUS_FAILED : STATUS_SKIPPED, reason);
}

static gboolean train_start(ProbeRun *run, GError **error)
{
    TrainRun *train = (TrainRun *)run;
    static const SessionEvents events = {on_established, on_failed, on_media, on_log};
    if (!run->settings->key) {
        g_set_error_literal(error, PROBE_ERROR, PROBE_ERROR_SYSTEM,
                            "a train needs the reflector's key");
        return FALSE;
    }
    run->target = g_strdup(run->settings->reflector);
    train->client = session_client_new(run, SESSION_TRAINS, 60, &events, train);
    return TRUE;
}

static void train_stop(ProbeRun *run)
{
    end_run((TrainRun *)run); /* the train that was under way is not judged */
}

static void train_clear(ProbeRun *run)
{
    TrainRun *train = (TrainRun *)run;
    pace_free(train->pace);
    session_client_free(train->client);
}

static double highest(const double *rates)
{
    double rate_bps = 0;
    for (; rates && *rates > 0; rates++)
        rate_bps = fmax(rate_bps, *rates);
    return rate_bps;
}

static double train_bytes_per_s(const ProbeSettings *settings)
{
    return fmax(highest(settings->train_down_bps), highest(settings->train_up_bps)) / 8;
}

static double train_bytes(const ProbeSettings *settings)
{
    double bytes = 10000;
    for (const double *rate = settings->train_down_bps; rate && *rate > 0; rate++)
        bytes += (double)packets_of(settings, *rate) * settings->train_size;
    for (const double *rate = settings->train_up_bps; rate && *rate > 0; rate++)
        bytes += (double)packets_of(settings, *rate) * settings->train_size;
    return bytes;
}

const ProbeType probe_train = {
    .kind = PROBE_TRAIN,
    .name = "train",
    .bytes_per_s = train_bytes_per_s,
    .bytes = train_bytes,
    .size = sizeof(TrainRun),
    .start = train_start,
    .stop = train_stop,
    .clear = train_clear,
};
