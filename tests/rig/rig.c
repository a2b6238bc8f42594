/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/rig.h"

#include "tests/rig/data-link.h"
#include "tests/rig/gps-feed.h"
#include "tests/rig/port.h"
#include "tests/rig/truth.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TOLD_LEVELS_S 1.0                                    /* no level indications more often */
#define DRY_START_NS  G_GINT64_CONSTANT(1767225600000000000) /* 2026-01-01 */
#define NS            1e9

typedef struct {
    gboolean begun, ended;
} FaultState;

struct Rig {
    const Scenario *scenario;
    RigOptions options;
    World *world;
    GpsFeed *gps;
    Truth *truth;
    RigModem *modems;
    gboolean *gone;
    double *told_levels;   /* when */
    GPtrArray *told_links; /* the last line of each modem, or NULL */
    FaultState *faults;
    GPtrArray *ports;
    int listeners[2];
    int *pty_others; /* slaves' ends, -1 without pty */
    guint watches[2], tick, epoch;
    gint64 start_mono_ns, start_utc_ns;
    gint64 next_epoch; /* number of the GPS epoch since 1970 */
};

static gint64 clock_ns(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static gint64 elapsed_ns(const Rig *rig)
{
    return clock_ns(CLOCK_MONOTONIC) - rig->start_mono_ns;
}

static double scenario_time(const Rig *rig, gint64 elapsed)
{
    return (double)elapsed / NS * rig->scenario->compress;
}

static void tell(const Rig *rig, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void tell(const Rig *rig, const char *format, ...)
{
    if (rig->options.told == NULL)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    rig->options.told(rig->options.user, line);
}

/* -- device nodes ----------------------------------------------------------------------------- */

static char *node_path(const Rig *rig, const char *device)
{
    return g_path_is_absolute(device) ? g_strdup(device)
                                      : g_build_filename(rig->options.devices, device, NULL);
}

/* A name that stays when the modem is renumbered, as udev's by-path links do. */
static void link_by_path(const Rig *rig, const RigModem *modem, gboolean there)
{
    g_autofree char *folder = g_build_filename(rig->options.devices, "by-path", NULL);
    g_autofree char *link = g_build_filename(folder, modem->plan->name, NULL);
    (void)g_mkdir_with_parents(folder, 0755);
    (void)g_unlink(link);
    if (there)
        (void)!symlink(modem->node, link);
}

static gboolean make_node(Rig *rig, RigModem *modem, GError **error)
{
    int made;
    (void)g_unlink(modem->node);
    if (modem->plan->pty) {
        g_autofree char *pty = NULL;
        int fd = port_pty(&pty, &rig->pty_others[modem->number], error);
        if (fd < 0)
            return FALSE;
        PortOwner nobody = {.user = rig};
        Framing framing = modem->plan->protocol == PROTOCOL_QMI ? FRAMING_QMUX : FRAMING_MBIM;
        g_ptr_array_add(rig->ports, port_new(fd, framing, modem, &nobody));
        made = symlink(pty, modem->node);
    } else {
        made = mkfifo(modem->node, 0666);
    }
    if (made != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "device node %s: %s; choose another folder with --devices", modem->node,
                    g_strerror(errno));
        return FALSE;
    }
    link_by_path(rig, modem, TRUE);
    return TRUE;
}

static void close_ports(Rig *rig, RigModem *modem)
{
    for (guint i = rig->ports->len; i-- > 0;) {
        Port *port = g_ptr_array_index(rig->ports, i);
        if (port_modem(port) == modem)
            g_ptr_array_remove_index_fast(rig->ports, i);
    }
    g_clear_pointer(&modem->held, g_byte_array_unref);
    if (rig->pty_others[modem->number] >= 0)
        close(rig->pty_others[modem->number]);
    rig->pty_others[modem->number] = -1;
}

static void take_node(Rig *rig, RigModem *modem)
{
    close_ports(rig, modem);
    (void)g_unlink(modem->node);
    link_by_path(rig, modem, FALSE);
}

/* -- clients ------------------------------------------------------------------------------------
 */

static RigModem *on_find(gpointer user, const char *path)
{
    Rig *rig = user;
    g_autofree char *real = realpath(path, NULL);
    for (guint i = 0; i < rig->scenario->modems->len; i++) {
        RigModem *modem = &rig->modems[i];
        g_autofree char *node = realpath(modem->node, NULL);
        gboolean same = g_str_equal(modem->node, path) ||
                        (real != NULL && node != NULL && g_str_equal(real, node));
        if (same && !modem->gone)
            return modem;
    }
    return NULL;
}

static void on_closed(gpointer user, Port *port)
{
    Rig *rig = user;
    g_ptr_array_remove_fast(rig->ports, port);
}

static void accept_client(Rig *rig, int listener, Framing framing)
{
    PortOwner owner = {.find = on_find, .closed = on_closed, .user = rig};
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        g_ptr_array_add(rig->ports, port_new(fd, framing, NULL, &owner));
}

static gboolean on_qmi_client(int fd, GIOCondition condition, gpointer user)
{
    (void)condition;
    accept_client(user, fd, FRAMING_QMUX);
    return G_SOURCE_CONTINUE;
}

static gboolean on_mbim_client(int fd, GIOCondition condition, gpointer user)
{
    (void)condition;
    accept_client(user, fd, FRAMING_MBIM);
    return G_SOURCE_CONTINUE;
}

static gboolean listen_for(Rig *rig, Framing framing, GError **error)
{
    const Scenario *scenario = rig->scenario;
    gboolean needed = FALSE;
    for (guint i = 0; i < scenario->modems->len; i++) {
        const ModemPlan *plan = &g_array_index(scenario->modems, ModemPlan, i);
        Framing own = plan->protocol == PROTOCOL_QMI ? FRAMING_QMUX : FRAMING_MBIM;
        needed = needed || (own == framing && !plan->pty);
    }
    if (!needed)
        return TRUE;
    gboolean qmux = framing == FRAMING_QMUX;
    int fd = port_listen(qmux ? scenario->qmi_socket : scenario->mbim_socket, error);
    if (fd < 0)
        return FALSE;
    rig->listeners[framing] = fd;
    rig->watches[framing] = g_unix_fd_add(fd, G_IO_IN, qmux ? on_qmi_client : on_mbim_client, rig);
    return TRUE;
}

/* -- faults -------------------------------------------------------------------------------------
 */

static void begin_fault(Rig *rig, RigModem *modem, const Fault *fault)
{
    switch (fault->kind) {
    case FAULT_DROP:
        if (!modem->plan->pty)
            close_ports(rig, modem);
        break;
    case FAULT_RESET:
    case FAULT_VANISH:
    case FAULT_RENUMBER:
        modem->gone = TRUE;
        rig->gone[modem->number] = TRUE;
        if (fault->kind == FAULT_RESET && !modem->plan->pty)
            close_ports(rig, modem);
        else
            take_node(rig, modem);
        break;
    default:
        break; /* looked up where it matters */
    }
}

static void end_fault(Rig *rig, RigModem *modem, const Fault *fault)
{
    g_autoptr(GError) error = NULL;
    if (fault->kind != FAULT_RESET && fault->kind != FAULT_VANISH && fault->kind != FAULT_RENUMBER)
        return;
    modem->gone = FALSE;
    rig->gone[modem->number] = FALSE;
    modem->next_client = 0;
    if (fault->kind == FAULT_RENUMBER) {
        g_free(modem->node);
        modem->node = node_path(rig, fault->text);
    }
    if ((fault->kind != FAULT_RESET || modem->plan->pty) && !make_node(rig, modem, &error))
        tell(rig, "%s", error->message);
}

static void apply_fault(Rig *rig, const Fault *fault, gboolean begins, gint64 utc_ns)
{
    tell(rig, "fault %s %s", fault->name, begins ? "begins" : "ends");
    if (rig->truth != NULL)
        (void)truth_event(rig->truth, utc_ns, fault, begins, NULL);
    if (fault->kind == FAULT_RUN && begins) {
        const char *argv[] = {"/bin/sh", "-c", fault->text, NULL};
        (void)g_spawn_async(NULL, (char **)(gpointer)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                            NULL);
    }
    for (guint i = 0; i < rig->scenario->modems->len; i++) {
        if (fault->modem != NULL && !g_str_equal(fault->modem, rig->modems[i].plan->name))
            continue;
        if (begins)
            begin_fault(rig, &rig->modems[i], fault);
        else
            end_fault(rig, &rig->modems[i], fault);
    }
}

static void step_faults(Rig *rig, double t, gint64 utc_ns)
{
    for (guint i = 0; i < rig->scenario->faults->len; i++) {
        const Fault *fault = &g_array_index(rig->scenario->faults, Fault, i);
        FaultState *state = &rig->faults[i];
        if (!state->begun && t >= fault->at_s) {
            state->begun = TRUE;
            apply_fault(rig, fault, TRUE, utc_ns);
        }
        if (state->begun && !state->ended && t >= fault->at_s + fault->for_s) {
            state->ended = TRUE;
            apply_fault(rig, fault, FALSE, utc_ns);
        }
    }
}

/* -- clock ---------------------------------------------------------------------------------------
 */

static void notify(Rig *rig, RigModem *modem, double t)
{
    const RadioState *radio = modem->radio;
    gboolean serving = modem->told_changes != radio->changes;
    gint64 level = lround(radio->serving.rsrp_dbm * 1000 + radio->serving.sinr_db * 10);
    gboolean levels = level != modem->told_level && t - rig->told_levels[modem->number] >=
                                                        TOLD_LEVELS_S * rig->scenario->compress;
    modem->told_changes = radio->changes;
    if (levels || serving) {
        modem->told_level = level;
        rig->told_levels[modem->number] = t;
    }
    for (guint i = 0; (serving || levels) && i < modem->ports->len; i++)
        port_notify(g_ptr_array_index(modem->ports, i), serving, levels);
}

static void tell_links(Rig *rig)
{
    for (guint i = 0; i < rig->scenario->modems->len; i++) {
        DataLink link;
        if (!data_link_now(rig->scenario, rig->world, i, &link))
            continue;
        g_autofree char *line = g_strdup_printf(
            "link %s delay=%g jitter=%g loss=%g burst=%g up=%.9g down=%.9g queue=%g outage=%d",
            rig->modems[i].plan->name, link.delay_ms, link.jitter_ms, link.loss, link.burst,
            link.up_kbps, link.down_kbps, link.queue_ms, link.outage || rig->gone[i]);
        if (g_strcmp0(line, rig->told_links->pdata[i]) == 0)
            continue;
        tell(rig, "%s", line);
        g_free(rig->told_links->pdata[i]);
        rig->told_links->pdata[i] = g_steal_pointer(&line);
    }
}

static gboolean step(Rig *rig, GError **error)
{
    gint64 elapsed = elapsed_ns(rig);
    double t = scenario_time(rig, elapsed);
    double offset = gps_feed_offset_s(rig->scenario, t);
    gint64 utc_ns = rig->start_utc_ns + elapsed + (gint64)(offset * NS);
    world_step(rig->world, t);
    for (guint i = 0; i < rig->scenario->modems->len; i++)
        rig->modems[i].now = t;
    step_faults(rig, t, utc_ns);
    for (guint i = 0; i < rig->scenario->modems->len; i++)
        notify(rig, &rig->modems[i], t);
    tell_links(rig);
    return rig->truth == NULL || truth_add(rig->truth, rig->world, utc_ns, rig->gone, error);
}

static gboolean on_tick(gpointer user)
{
    Rig *rig = user;
    g_autoptr(GError) error = NULL;
    gboolean over = !step(rig, &error) || world_vehicle(rig->world)->t >= rig->scenario->duration_s;
    if (!over)
        return G_SOURCE_CONTINUE;
    rig->tick = 0;
    rig->options.over(rig->options.user, error);
    return G_SOURCE_REMOVE;
}

static gboolean on_epoch(gpointer user)
{
    Rig *rig = user;
    double rate = rig->scenario->gps.rate_hz;
    gint64 elapsed = elapsed_ns(rig);
    double offset = gps_feed_offset_s(rig->scenario, scenario_time(rig, elapsed));
    gint64 base = rig->start_utc_ns + (gint64)(offset * NS);
    gint64 period = (gint64)(NS / rate);
    gint64 now = (base + elapsed) / period;
    /* An epoch for each period that has passed, at its own time; after a step only the newest. */
    if (ABS(now - rig->next_epoch) > 5)
        rig->next_epoch = now;
    for (; rig->next_epoch <= now; rig->next_epoch++) {
        gint64 utc_ns = rig->next_epoch * period;
        gps_feed_send(rig->gps, scenario_time(rig, utc_ns - base), utc_ns);
    }
    gint64 wait_ns = rig->next_epoch * period - (base + elapsed_ns(rig));
    rig->epoch = g_timeout_add((guint)(MAX(wait_ns, 0) / 1000000 + 1), on_epoch, rig);
    return G_SOURCE_REMOVE;
}

/* -- life
 * ------------------------------------------------------------------------------------------ */

static gboolean open_all(Rig *rig, GError **error)
{
    const Scenario *scenario = rig->scenario;
    if (g_mkdir_with_parents(rig->options.devices, 0755) != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno), "%s: %s",
                    rig->options.devices, g_strerror(errno));
        return FALSE;
    }
    for (guint i = 0; i < scenario->modems->len; i++) {
        RigModem *modem = &rig->modems[i];
        guint32 seed[] = {scenario->seed, 4, i};
        modem->scenario = scenario;
        modem->plan = &g_array_index(scenario->modems, ModemPlan, i);
        modem->number = i;
        modem->radio = world_radio(rig->world, i);
        modem->ports = g_ptr_array_new();
        modem->random = g_rand_new_with_seed_array(seed, G_N_ELEMENTS(seed));
        modem->node = node_path(rig, modem->plan->device);
        rig->pty_others[i] = -1;
        if (!make_node(rig, modem, error))
            return FALSE;
    }
    if (rig->options.truth != NULL)
        rig->truth = truth_new(rig->options.truth, scenario, error);
    if (rig->options.truth != NULL && rig->truth == NULL)
        return FALSE;
    rig->gps = gps_feed_new(scenario, error);
    return rig->gps != NULL && listen_for(rig, FRAMING_QMUX, error) &&
           listen_for(rig, FRAMING_MBIM, error);
}

Rig *rig_new(const Scenario *scenario, const RigOptions *options, GError **error)
{
    Rig *rig = g_new0(Rig, 1);
    guint modems = scenario->modems->len + 1;
    rig->scenario = scenario;
    rig->options = *options;
    rig->world = world_new(scenario);
    rig->modems = g_new0(RigModem, modems);
    rig->gone = g_new0(gboolean, modems);
    rig->told_levels = g_new0(double, modems);
    rig->told_links = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_set_size(rig->told_links, (gint)modems);
    rig->pty_others = g_new(int, modems);
    memset(rig->pty_others, 0xff, modems * sizeof(int));
    rig->faults = g_new0(FaultState, scenario->faults->len + 1);
    rig->ports = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))port_free);
    rig->listeners[0] = rig->listeners[1] = -1;
    rig->start_mono_ns = clock_ns(CLOCK_MONOTONIC);
    rig->start_utc_ns = clock_ns(CLOCK_REALTIME);
    if (!open_all(rig, error) || !step(rig, error)) {
        rig_free(rig);
        return NULL;
    }
    double ms = scenario->step_s * 1000 / scenario->compress;
    rig->tick = g_timeout_add((guint)fmax(ms, 1), on_tick, rig);
    if (!g_str_equal(scenario->gps.output, "none"))
        (void)on_epoch(rig);
    return rig;
}

gboolean rig_stop(Rig *rig, GError **error)
{
    return rig->truth == NULL || truth_close(rig->truth, error);
}

void rig_free(Rig *rig)
{
    if (rig == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        if (rig->watches[i] != 0)
            g_source_remove(rig->watches[i]);
        if (rig->listeners[i] >= 0)
            close(rig->listeners[i]);
    }
    if (rig->tick != 0)
        g_source_remove(rig->tick);
    if (rig->epoch != 0)
        g_source_remove(rig->epoch);
    for (guint i = 0; i < rig->scenario->modems->len; i++) {
        RigModem *modem = &rig->modems[i];
        if (modem->node == NULL)
            continue;
        take_node(rig, modem);
        g_ptr_array_unref(modem->ports);
        g_rand_free(modem->random);
        g_free(modem->node);
    }
    g_ptr_array_unref(rig->ports);
    gps_feed_free(rig->gps);
    truth_free(rig->truth);
    world_free(rig->world);
    g_free(rig->modems);
    g_free(rig->gone);
    g_free(rig->told_levels);
    g_ptr_array_unref(rig->told_links);
    g_free(rig->pty_others);
    g_free(rig->faults);
    g_free(rig);
}

gboolean rig_write_truth(const Scenario *scenario, const char *prefix, GError **error)
{
    g_autoptr(Truth) truth = truth_new(prefix, scenario, error);
    g_autoptr(World) world = world_new(scenario);
    g_autofree gboolean *gone = g_new0(gboolean, scenario->modems->len + 1);
    if (truth == NULL)
        return FALSE;
    for (guint64 i = 0; (double)i * scenario->step_s <= scenario->duration_s; i++) {
        double t = (double)i * scenario->step_s;
        world_step(world, t);
        if (!truth_add(truth, world, DRY_START_NS + (gint64)(t * NS), gone, error))
            return FALSE;
    }
    return truth_close(truth, error);
}
