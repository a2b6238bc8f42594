/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/probe-schedule.h"
#include "formats/file-replace.h"

#include "logger/budget.h"
#include "logger/capture.h"
#include "logger/link-counter.h"
#include "logger/pace.h"
#include "logger/udp.h"
#include <fcntl.h>
#include <math.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S         G_GINT64_CONSTANT(1000000000)
#define TICK_NS          (NS_PER_S / 5) /* and how often the budget is looked at: well below 1 s */
#define RETRY_NS         (2 * NS_PER_S) /* pause after the standing stream failed */
#define CAPTURE_AGAIN_NS NS_PER_S
#define OPEN_NS          (30 * NS_PER_S) /* modems may take so long to open before probes are missed */

static const ProbeType *const plan_types[PLAN_COUNT] = {
    &probe_train, &probe_meeting, &probe_throughput_down, &probe_throughput_up};

typedef struct {
    ProbeSchedule *schedule;
    gint64 source;
    char *label, *interface; /* interface NULL = gone */
    ProbeRun *run;           /* the one that runs, or that has just ended */
    GPtrArray *ended;        /* runs to be freed at the next tick */
    char *run_interface;     /* what the run and the capture were begun with; NULL = not there */
    unsigned run_index;      /* its number: another one is another interface of that name */
    const char *paused;      /* why nothing can run; NULL = it can */
    gboolean told_paused;    /* an event said so */
    gboolean ran;            /* something did */
    ProbePath path;          /* of the last run */
    Capture *capture;
    gint64 capture_ns;     /* none is begun before */
    gboolean capture_told; /* why there is none, for this interface */
    Budget *budget;
    gint64 known_ns;            /* we have known it since then */
    gint64 last_ns[PLAN_COUNT]; /* when it was due last */
    double last_m[PLAN_COUNT];
    gboolean due[PLAN_COUNT];
    gint64 due_ns[PLAN_COUNT];
    gint64 stream_ns;              /* the standing stream may run from then on */
    const char *noted[PLAN_COUNT]; /* reason of the skip recorded for what is due now */
    guint64 done, failed, skipped, cut;
} Modem;

struct ProbeSchedule {
    ProbeScheduleConfig config;
    const ProbeHost *host;
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
    GThreadPool *writer; /* budget files: writing may block */
    Pace *pace;
    GPtrArray *modems;
    gint64 moved_ns;      /* when the vehicle was last seen moving */
    const char *shortage; /* static: what the box is short of at this tick; NULL = nothing */
    gboolean busy;
    GMutex lock; /* of the states */
    GArray *states;
};

ProbeScheduleConfig probe_schedule_config_default(void)
{
    return (ProbeScheduleConfig){
        .probe = probe_settings_default(),
        .standing_stream = TRUE,
        .stream_record_s = 60,
        .plans = {[PLAN_TRAIN] = {.every_m = 500}},
        .standing_mps = 1,
        .standing_after_s = 60,
        .transfers = 2,
        .busy_load = 2,
        .capture = TRUE,
        .debug_bytes = 10000000,
        .debug_files = 4,
    };
}

/* --- budget files, in a thread that may block --- */

typedef struct {
    char *path, *text;
} Writing;

static void on_write(gpointer task, gpointer data)
{
    Writing *writing = task;
    g_autoptr(GError) error = NULL;
    (void)data;
    if (!file_replace_text(writing->path, writing->text, &error))
        g_warning("budget: %s", error->message);
    g_free(writing->path);
    g_free(writing->text);
    g_free(writing);
}

static void save_budget(ProbeSchedule *schedule, Budget *budget)
{
    Writing *writing = g_new0(Writing, 1);
    writing->path = g_strdup(budget_path(budget));
    writing->text = budget_text(budget);
    g_thread_pool_push(schedule->writer, writing, NULL);
}

static gint64 utc_now(const ProbeSchedule *schedule)
{
    gint64 now_ns = udp_realtime();
    return schedule->host->utc_ns ? schedule->host->utc_ns(schedule->host->data, now_ns) : now_ns;
}

static Budget *open_budget(ProbeSchedule *schedule, const char *label)
{
    const ProbeScheduleConfig *config = &schedule->config;
    g_autofree char *path = NULL;
    if (config->state_dir) {
        g_autofree char *safe = g_strdup(label);
        g_strcanon(safe, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", '_');
        g_autofree char *name = g_strdup_printf("budget-%s", safe);
        path = g_build_filename(config->state_dir, name, NULL);
    }
    return budget_new(path, config->daily_bytes, config->monthly_bytes, utc_now(schedule));
}

/* --- one modem --- */

static void modem_free(gpointer data)
{
    Modem *modem = data;
    capture_free(modem->capture); /* first: the records of the others wait for it */
    g_ptr_array_unref(modem->ended);
    probe_run_free(modem->run);
    budget_free(modem->budget);
    g_free(modem->label);
    g_free(modem->interface);
    g_free(modem->run_interface);
    g_free(modem);
}

static ProbeModem probe_modem(const Modem *modem)
{
    return (ProbeModem){
        .source = modem->source, .label = modem->label, .interface = modem->run_interface};
}

static gboolean is_stream(const ProbeRun *run)
{
    return run->type == &probe_stamp || run->type == &probe_echo;
}

static void on_done(ProbeRun *run, gpointer data)
{
    Modem *modem = data;
    gint64 now_ns = udp_monotonic();
    modem->done += run->status == STATUS_OK;
    modem->failed += run->status == STATUS_FAILED;
    modem->skipped += run->status == STATUS_SKIPPED;
    modem->cut += run->status == STATUS_CUT;
    modem->path = run->path;
    if (is_stream(run) && run->status != STATUS_OK)
        modem->stream_ns = now_ns + RETRY_NS;
    /* It is still on the stack of its own call-back: freed at the next tick. */
    if (modem->run == run) {
        g_ptr_array_add(modem->ended, run);
        modem->run = NULL;
    }
}

static void begin(Modem *modem, const ProbeType *type)
{
    ProbeSchedule *schedule = modem->schedule;
    const ProbeModem on = probe_modem(modem);
    g_return_if_fail(modem->run_interface != NULL); /* else it would go out anywhere */
    modem->run = probe_run_new(type, schedule->host, &schedule->config.probe, &on,
                               schedule->context, on_done, modem);
    modem->run->path = modem->path;
    modem->ran = TRUE;
    if (modem->capture && !is_stream(modem->run)) {
        probe_run_watch(modem->run);
        capture_add_series(modem->capture, modem->run->traffic);
    }
    probe_run_start(modem->run);
}

static const ProbeType *stream_type(const ProbeSchedule *schedule)
{
    if (!schedule->config.standing_stream)
        return NULL;
    return schedule->config.probe.reflector     ? &probe_stamp
           : schedule->config.probe.echo_target ? &probe_echo
                                                : NULL;
}

static const char *target_of(const ProbeSchedule *schedule, ProbePlanKind kind)
{
    const ProbeSettings *settings = &schedule->config.probe;
    return kind == PLAN_DOWNLOAD ? settings->download_url
           : kind == PLAN_UPLOAD ? settings->upload_url
                                 : settings->reflector;
}

static void note_skip(Modem *modem, ProbePlanKind kind, const char *reason)
{
    const ProbeModem on = probe_modem(modem);
    modem->noted[kind] = reason;
    modem->skipped++;
    probe_skipped(plan_types[kind], modem->schedule->host, &on, target_of(modem->schedule, kind),
                  reason);
}

/* --- what is due, and what stands against it --- */

static void mark_due(Modem *modem, gint64 now_ns, double distance_m)
{
    gboolean opening = !modem->ran && (g_strcmp0(modem->paused, "modem-lost") == 0 ||
                                       g_strcmp0(modem->paused, "no-interface") == 0);
    if (opening && now_ns - modem->known_ns < OPEN_NS)
        return;
    for (int kind = 0; kind < PLAN_COUNT; kind++) {
        const ProbePlan *plan = &modem->schedule->config.plans[kind];
        gboolean first = modem->last_ns[kind] == 0;
        gboolean by_time = plan->every_s > 0 && (first || now_ns - modem->last_ns[kind] >=
                                                              (gint64)(plan->every_s * 1e9));
        gboolean by_way = plan->every_m > 0 && isfinite(distance_m) &&
                          (first || !isfinite(modem->last_m[kind]) ||
                           distance_m - modem->last_m[kind] >= plan->every_m);
        if (!by_time && !by_way)
            continue;
        modem->last_ns[kind] = now_ns;
        modem->last_m[kind] = distance_m;
        if (modem->due[kind] && !modem->noted[kind])
            note_skip(modem, (ProbePlanKind)kind, "overlap");
        modem->due[kind] = TRUE;
        modem->due_ns[kind] = now_ns;
        modem->noted[kind] = NULL;
    }
}

/* Of the last minute, proc(5); NAN where it cannot be known. */
static double load_average(void)
{
    char text[64] = "";
    int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        (void)close(fd);
    return n > 0 ? g_ascii_strtod(text, NULL) : (double)NAN;
}

/* What the box is short of, so that nothing may be sent on any modem; NULL = nothing. Busy, it
 * stays so until the load is a quarter below the threshold: probes do not stop and start all the
 * time. */
static const char *find_shortage(ProbeSchedule *schedule)
{
    const ProbeHost *host = schedule->host;
    double most = schedule->config.busy_load * g_get_num_processors();
    schedule->busy = most > 0 && load_average() > (schedule->busy ? 0.75 * most : most);
    const char *reason = host->shortage ? host->shortage(host->data) : NULL;
    return !reason && schedule->busy ? "cpu" : reason;
}

/* Why nothing may be sent on this modem now; NULL = it may. */
static const char *obstacle(const Modem *modem, gint64 now_ns)
{
    const ProbeSchedule *schedule = modem->schedule;
    const ProbeScheduleConfig *config = &schedule->config;
    ProbeRadio radio = {.cell_id = -1, .level_dbm = NAN};
    if (schedule->host->radio)
        schedule->host->radio(schedule->host->data, modem->source, &radio);
    gboolean no_service = g_strcmp0(radio.blocked, "no-service") == 0;
    if (radio.blocked && !no_service)
        return radio.blocked;
    if (radio.roaming && !config->when_roaming)
        return "roaming";
    if (!modem->run_interface)
        return "no-interface";
    if (no_service) /* after all that stands against the stream too */
        return "no-service";
    if (!config->when_standing &&
        (double)(now_ns - schedule->moved_ns) > config->standing_after_s * 1e9)
        return "standing";
    return NULL;
}

/* The budget must hold the whole probe; where its size is not known, two seconds of it. */
static gboolean affordable(const Modem *modem, const ProbeType *type)
{
    const ProbeSettings *settings = &modem->schedule->config.probe;
    double bytes = type->bytes(settings);
    if (bytes <= 0)
        bytes = 2 * type->bytes_per_s(settings);
    return (double)budget_left(modem->budget) >= fmax(bytes, 1);
}

static unsigned transfers_running(const ProbeSchedule *schedule)
{
    unsigned n = 0;
    for (guint i = 0; i < schedule->modems->len; i++) {
        const Modem *modem = schedule->modems->pdata[i];
        n += modem->run && modem->run->type->kind == PROBE_THROUGHPUT;
    }
    return n;
}

/* Tries what is due on one modem. TRUE if something was begun. */
static gboolean try_due(Modem *modem, ProbePlanKind kind, gint64 now_ns)
{
    ProbeSchedule *schedule = modem->schedule;
    const ProbeType *type = plan_types[kind];
    if (modem->run && !is_stream(modem->run))
        return FALSE; /* it waits */
    if (type->kind == PROBE_THROUGHPUT && transfers_running(schedule) >= schedule->config.transfers)
        return FALSE;
    const char *reason = obstacle(modem, now_ns);
    if (!reason)
        reason = schedule->shortage;
    if (!reason && !affordable(modem, type))
        reason = "budget";
    if (reason) {
        if (!modem->noted[kind])
            note_skip(modem, kind, reason);
        modem->due[kind] = FALSE;
        return FALSE;
    }
    if (modem->run)
        probe_run_stop(modem->run, NULL); /* the standing stream makes room */
    modem->due[kind] = FALSE;
    begin(modem, type);
    return TRUE;
}

/* The longest waiting first, over all modems and kinds. */
static void run_due(ProbeSchedule *schedule, gint64 now_ns)
{
    gint64 after_ns = G_MININT64;
    for (;;) {
        gint64 oldest_ns = G_MAXINT64;
        for (guint i = 0; i < schedule->modems->len; i++) {
            const Modem *modem = schedule->modems->pdata[i];
            for (int kind = 0; kind < PLAN_COUNT; kind++) {
                if (modem->due[kind] && modem->due_ns[kind] > after_ns)
                    oldest_ns = MIN(oldest_ns, modem->due_ns[kind]);
            }
        }
        if (oldest_ns == G_MAXINT64)
            return;
        for (guint i = 0; i < schedule->modems->len; i++) {
            Modem *modem = schedule->modems->pdata[i];
            for (int kind = 0; kind < PLAN_COUNT; kind++) {
                if (modem->due[kind] && modem->due_ns[kind] == oldest_ns)
                    (void)try_due(modem, (ProbePlanKind)kind, now_ns);
            }
        }
        after_ns = oldest_ns;
    }
}

/* --- standing stream, interface, budget --- */

/* Without service the stream goes on: that nothing comes back is the measurement. */
static const char *stream_obstacle(const Modem *modem, gint64 now_ns)
{
    const char *reason = obstacle(modem, now_ns);
    if (reason && g_str_equal(reason, "no-service"))
        reason = NULL;
    return reason ? reason : modem->schedule->shortage;
}

static void tend_stream(Modem *modem, gint64 now_ns)
{
    ProbeSchedule *schedule = modem->schedule;
    const ProbeType *type = stream_type(schedule);
    const char *reason = stream_obstacle(modem, now_ns);
    if (modem->run && is_stream(modem->run)) {
        double age_s = (double)(now_ns - modem->run->start_mono_ns) / 1e9;
        if (reason)
            probe_run_stop(modem->run, reason);
        else if (age_s >= schedule->config.stream_record_s)
            probe_run_stop(modem->run, NULL);
    }
    if (!reason && !modem->run && type && now_ns >= modem->stream_ns && affordable(modem, type))
        begin(modem, type);
}

/* Records of those that ended wait for what the capture saw until then. */
static void settle_ended(Modem *modem, gboolean now)
{
    for (guint i = modem->ended->len; i-- > 0;) {
        if (probe_run_settle(modem->ended->pdata[i], now))
            g_ptr_array_remove_index(modem->ended, i);
    }
}

static void begin_capture(Modem *modem)
{
    ProbeSchedule *schedule = modem->schedule;
    g_autoptr(GError) error = NULL;
    Pcapng *debug = NULL;
    if (schedule->config.debug_prefix) {
        g_autofree char *prefix =
            g_strdup_printf("%s-%s", schedule->config.debug_prefix, modem->run_interface);
        debug =
            pcapng_new(prefix, schedule->config.debug_bytes, schedule->config.debug_files, &error);
        if (!debug && !modem->capture_told)
            g_warning("modem %s: %s", modem->label, error->message);
        g_clear_error(&error);
    }
    const ProbeModem on = probe_modem(modem);
    modem->capture = capture_new(schedule->host, &on, schedule->context, debug, &error);
    if (!modem->capture && !modem->capture_told)
        g_warning("modem %s: no passive measurement: %s", modem->label, error->message);
    modem->capture_told = !modem->capture;
}

/* An interface may be there before it is up, and be taken down for a while: then there is nothing
 * to capture from, and it is tried again. */
static void tend_capture(Modem *modem, gint64 now_ns)
{
    if (!modem->run_interface || !modem->schedule->config.capture ||
        (modem->capture && !capture_is_over(modem->capture)) || now_ns < modem->capture_ns)
        return;
    g_clear_pointer(&modem->capture, capture_free);
    modem->capture_ns = now_ns + CAPTURE_AGAIN_NS;
    begin_capture(modem);
}

static void tend_interface(Modem *modem)
{
    unsigned index = modem->interface ? if_nametoindex(modem->interface) : 0;
    if (index == modem->run_index &&
        (index == 0 || g_strcmp0(modem->interface, modem->run_interface) == 0))
        return;
    if (modem->run)
        probe_run_stop(modem->run, "no-interface");
    g_clear_pointer(&modem->capture, capture_free);
    settle_ended(modem, TRUE); /* they borrow the name */
    g_free(modem->run_interface);
    modem->run_interface = index != 0 ? g_strdup(modem->interface) : NULL;
    modem->run_index = index;
    modem->stream_ns = 0;
    modem->capture_ns = 0;
    modem->capture_told = FALSE;
    budget_interface_gone(modem->budget);
}

static void tell(const Modem *modem, const char *kind, const char *detail, double value)
{
    Event event = {0};
    RECORD_SET(&event, EVENT, time_ns, utc_now(modem->schedule));
    RECORD_SET(&event, EVENT, source, modem->source);
    RECORD_SET(&event, EVENT, kind, kind);
    if (detail)
        RECORD_SET(&event, EVENT, detail, detail);
    if (!isnan(value))
        RECORD_SET(&event, EVENT, value, value);
    modem->schedule->host->add(modem->schedule->host->data, RECORD_EVENT, &event);
}

/* Probes are the least of what the box has to do: recording comes first. What stands against any
 * probe ends the one that runs, and is an event once something has run. */
static void tend_obstacle(Modem *modem, gint64 now_ns)
{
    const char *reason = obstacle(modem, now_ns);
    if (modem->run && !is_stream(modem->run)) {
        const char *cut =
            reason && g_str_equal(reason, "roaming") ? reason : modem->schedule->shortage;
        if (cut)
            probe_run_stop(modem->run, cut);
    }
    reason = stream_obstacle(modem, now_ns);
    if (reason && !modem->paused && modem->ran) {
        tell(modem, "probes-paused", reason, NAN);
        modem->told_paused = TRUE;
    } else if (!reason && modem->told_paused) {
        tell(modem, "probes-resumed", NULL, NAN);
        modem->told_paused = FALSE;
    }
    if (!reason && modem->paused)
        modem->stream_ns = 0;
    modem->paused = reason;
}

static void tend_budget(Modem *modem)
{
    guint64 received, sent;
    if (!modem->run_interface)
        return;
    if (!link_counter(modem->run_interface, &received, &sent)) {
        budget_interface_gone(modem->budget);
        return;
    }
    if (budget_count(modem->budget, received, sent, utc_now(modem->schedule)))
        save_budget(modem->schedule, modem->budget);
    if (!modem->run)
        return;
    /* Cut before the limit: what is under way still comes. */
    double margin = fmin(modem->run->type->bytes_per_s(&modem->schedule->config.probe) / 4, 500000);
    if ((double)budget_left(modem->budget) > margin)
        return;
    tell(modem, "budget-reached", NULL, (double)budget_used_today(modem->budget));
    probe_run_stop(modem->run, "budget");
}

/* --- the tick --- */

static void publish(ProbeSchedule *schedule)
{
    g_mutex_lock(&schedule->lock);
    g_array_set_size(schedule->states, 0);
    for (guint i = 0; i < schedule->modems->len; i++) {
        const Modem *modem = schedule->modems->pdata[i];
        const ProbeScheduleState state = {
            .source = modem->source,
            .running = modem->run ? modem->run->type->name : "",
            .budget_left = budget_left(modem->budget),
            .used_today = budget_used_today(modem->budget),
            .done = modem->done,
            .failed = modem->failed,
            .skipped = modem->skipped,
            .cut = modem->cut,
        };
        g_array_append_val(schedule->states, state);
    }
    g_mutex_unlock(&schedule->lock);
}

static gint64 on_tick(gint64 now_ns, gpointer data)
{
    ProbeSchedule *schedule = data;
    ProbePlace place = {NAN, NAN, NAN, NAN};
    if (schedule->host->place)
        schedule->host->place(schedule->host->data, &place);
    /* An unknown speed, as in a tunnel, is not standing. */
    if (!(place.speed_mps < schedule->config.standing_mps))
        schedule->moved_ns = now_ns;
    schedule->shortage = find_shortage(schedule);
    for (guint i = 0; i < schedule->modems->len; i++) {
        Modem *modem = schedule->modems->pdata[i];
        settle_ended(modem, FALSE);
        tend_interface(modem);
        tend_capture(modem, now_ns);
        tend_budget(modem);
        tend_obstacle(modem, now_ns);
        mark_due(modem, now_ns, place.distance_m);
    }
    run_due(schedule, now_ns);
    for (guint i = 0; i < schedule->modems->len; i++)
        tend_stream(schedule->modems->pdata[i], now_ns);
    publish(schedule);
    return now_ns + TICK_NS;
}

static gpointer run_thread(gpointer data)
{
    ProbeSchedule *schedule = data;
    g_main_context_push_thread_default(schedule->context);
    g_main_loop_run(schedule->loop);
    for (guint i = 0; i < schedule->modems->len; i++) {
        Modem *modem = schedule->modems->pdata[i];
        if (modem->run)
            probe_run_stop(modem->run, "stop");
    }
    pace_free(schedule->pace);
    g_main_context_pop_thread_default(schedule->context);
    return NULL;
}

ProbeSchedule *probe_schedule_new(const ProbeScheduleConfig *config, const ProbeHost *host)
{
    ProbeSchedule *schedule = g_new0(ProbeSchedule, 1);
    schedule->config = *config;
    schedule->host = host;
    schedule->context = g_main_context_new();
    schedule->loop = g_main_loop_new(schedule->context, FALSE);
    schedule->modems = g_ptr_array_new_with_free_func(modem_free);
    schedule->states = g_array_new(FALSE, FALSE, sizeof(ProbeScheduleState));
    schedule->writer = g_thread_pool_new(on_write, NULL, 1, FALSE, NULL);
    schedule->moved_ns = udp_monotonic();
    g_mutex_init(&schedule->lock);
    schedule->pace = pace_new(schedule->context, udp_monotonic(), on_tick, schedule, NULL);
    schedule->thread = g_thread_new("probes", run_thread, schedule);
    return schedule;
}

static gboolean on_quit(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_REMOVE;
}

void probe_schedule_free(ProbeSchedule *schedule)
{
    if (!schedule)
        return;
    /* Through the context: a loop that has not begun yet could not be told to quit. */
    g_main_context_invoke(schedule->context, on_quit, schedule->loop);
    g_thread_join(schedule->thread);
    /* Writings under way first: the budgets then write what is exact. */
    g_thread_pool_free(schedule->writer, FALSE, TRUE);
    g_ptr_array_unref(schedule->modems);
    g_array_unref(schedule->states);
    g_main_loop_unref(schedule->loop);
    g_main_context_unref(schedule->context);
    g_mutex_clear(&schedule->lock);
    g_free(schedule);
}

typedef struct {
    ProbeSchedule *schedule;
    gint64 source;
    char *label, *interface;
} Change;

static void change_free(gpointer data)
{
    Change *change = data;
    g_free(change->label);
    g_free(change->interface);
    g_free(change);
}

static gboolean on_change(gpointer data)
{
    Change *change = data;
    ProbeSchedule *schedule = change->schedule;
    Modem *modem = NULL;
    for (guint i = 0; i < schedule->modems->len && !modem; i++) {
        Modem *candidate = schedule->modems->pdata[i];
        if (candidate->source == change->source)
            modem = candidate;
    }
    if (!modem) {
        modem = g_new0(Modem, 1);
        modem->schedule = schedule;
        modem->source = change->source;
        modem->label = g_strdup(change->label);
        modem->known_ns = udp_monotonic();
        modem->ended = g_ptr_array_new_with_free_func((GDestroyNotify)probe_run_free);
        modem->budget = open_budget(schedule, change->label);
        g_ptr_array_add(schedule->modems, modem);
    }
    g_free(modem->interface);
    modem->interface = g_steal_pointer(&change->interface);
    pace_set(schedule->pace, udp_monotonic());
    return G_SOURCE_REMOVE;
}

void probe_schedule_modem(ProbeSchedule *schedule, gint64 source, const char *label,
                          const char *interface)
{
    Change *change = g_new0(Change, 1);
    change->schedule = schedule;
    change->source = source;
    change->label = g_strdup(label);
    change->interface = g_strdup(interface);
    g_main_context_invoke_full(schedule->context, G_PRIORITY_DEFAULT, on_change, change,
                               change_free);
}

unsigned probe_schedule_state(ProbeSchedule *schedule, ProbeScheduleState *states, unsigned n)
{
    g_mutex_lock(&schedule->lock);
    n = MIN(n, schedule->states->len);
    if (n > 0)
        memcpy(states, schedule->states->data, n * sizeof *states);
    g_mutex_unlock(&schedule->lock);
    return n;
}
