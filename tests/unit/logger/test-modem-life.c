/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a modem: opened again with growing pauses, and found by its IMEI wherever it is. */
#include "formats/drive-read.h"
#include "logger/modem.h"
#include "tests/rig/qmi-wire.h"
#include "tests/unit/folder.h"
#include "tests/unit/logger/modem-peer.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define S 1e9

/* A logger without its other parts. */
typedef struct {
    char *folder;
    Config *config;
    Store *store;
    ModemHost host;
    GPtrArray *modems;
} Lab;

static void lab_start(Lab *lab, const char *modems)
{
    g_autoptr(GError) error = NULL;
    lab->folder = g_dir_make_tmp("corridor-life-XXXXXX", NULL);
    g_autofree char *text = g_strdup_printf("[store]\nfolder=%s/drives\nseal=no\nevidence=no\n"
                                            "commit=100 ms\nkeep-free=0 B\n[identity]\nclear=yes\n"
                                            "%s",
                                            lab->folder, modems);
    lab->config = config_parse("life", text, strlen(text), &error);
    g_assert_no_error(error);
    lab->store = store_open(lab->config->store.folder, &error);
    g_assert_no_error(error);
    lab->host.clock = clock_new();
    lab->host.recorder = recorder_new(lab->config, lab->store, clock_utc_now, lab->host.clock);
    lab->host.identity = identity_open(NULL, &error);
    lab->host.finder = modem_finder_new(lab->config->modems);
    lab->modems = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))modem_free);
    for (guint i = 0; i < lab->config->modems->len; i++)
        g_ptr_array_add(lab->modems,
                        modem_new(&lab->host, g_ptr_array_index(lab->config->modems, i)));
}

static void lab_stop(Lab *lab)
{
    g_ptr_array_unref(lab->modems);
    modem_finder_free(lab->host.finder);
    recorder_free(lab->host.recorder);
    clock_free(lab->host.clock);
    identity_free((Identity *)(gpointer)(guintptr)lab->host.identity);
    store_free(lab->store);
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

/* The path of the drive in a folder. */
static char *only_drive(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    char *path = NULL;
    for (const char *name = NULL; (name = g_dir_read_name(dir)) != NULL;)
        if (g_str_has_suffix(name, ".drive")) {
            g_assert_null(path);
            path = g_build_filename(folder, name, NULL);
        }
    g_assert_nonnull(path);
    return path;
}

static void lab_free(Lab *lab)
{
    g_assert_true(folder_remove(lab->config->store.folder));
    config_free(lab->config);
    g_assert_cmpint(g_rmdir(lab->folder), ==, 0);
    g_free(lab->folder);
}

static ModemStatus status_of(const Lab *lab, guint i)
{
    ModemStatus status;
    modem_status(g_ptr_array_index(lab->modems, i), &status);
    return status;
}

static gboolean wake(gpointer data)
{
    (void)data;
    return G_SOURCE_CONTINUE;
}

/* Until the modem has been opened `openings` times and has measured since. */
static void wait_running(const Lab *lab, guint i, guint64 openings, double seconds)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)(seconds * 1e6);
    guint timer = g_timeout_add(20, wake, NULL);
    guint64 samples = status_of(lab, i).samples;
    while (g_get_monotonic_time() < end_us &&
           (status_of(lab, i).openings < openings || status_of(lab, i).life != MODEM_RUNNING ||
            status_of(lab, i).samples < samples + 8))
        (void)g_main_context_iteration(NULL, TRUE);
    g_source_remove(timer);
    g_assert_cmpuint(status_of(lab, i).openings, >=, openings);
    g_assert_cmpint(status_of(lab, i).life, ==, MODEM_RUNNING);
    g_assert_cmpuint(status_of(lab, i).samples, >, samples);
}

static Drive *open_drive(const Lab *lab)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = only_drive(lab->config->store.folder);
    Drive *drive = drive_open(path, &error);
    g_assert_no_error(error);
    return drive;
}

/* How many events of a kind a source has. */
static guint count_events(Drive *drive, gint64 source, const char *kind)
{
    guint n = 0;
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_EVENT, 0, source, G_MININT64, G_MAXINT64, NULL);
    const Batch *batch;
    while ((batch = drive_next(cursor, NULL)) != NULL)
        for (size_t i = 0; i < batch->n; i++) {
            Event event;
            batch_get(batch, RECORD_EVENT, i, &event);
            n += g_str_equal(event.kind, kind);
        }
    return n;
}

/* --- back-off --- */

typedef struct {
    gint64 opened_us[8];
    guint n, refuse;
} Openings;

static PeerAct refuse_first(gpointer user, const PeerRequest *request)
{
    Openings *openings = user;
    if (request->service != QMI_CTL || request->message != 0x22 || request->wanted != QMI_NAS)
        return PEER_ANSWER;
    if (openings->n < G_N_ELEMENTS(openings->opened_us))
        openings->opened_us[openings->n] = g_get_monotonic_time();
    return ++openings->n <= openings->refuse ? PEER_REFUSE : PEER_ANSWER;
}

/* Refused three times: tried again after 1, 2 and 4 s, up to a quarter more; one event for all.
 * Once it has answered the pauses begin anew. */
static void test_back_off(void)
{
    Lab lab = {.folder = NULL};
    Openings openings = {.refuse = 3};
    Peer *peer = peer_new(PROTOCOL_QMI, 1);
    peer->script = refuse_first;
    peer->user = &openings;
    peer->refusal = 5;
    g_autofree char *text = g_strdup_printf("[modem one]\ndevice=%s\nproxy-path=%s\n"
                                            "no-file-check=yes\ninterval=100 ms\ntimeout=1 s\n",
                                            peer->device, peer->socket);
    lab_start(&lab, text);
    wait_running(&lab, 0, 1, 15);
    for (guint i = 1; i <= 3; i++) {
        double pause_s = (double)(openings.opened_us[i] - openings.opened_us[i - 1]) / 1e6;
        double least_s = (double)(1U << (i - 1));
        g_assert_cmpfloat(pause_s, >=, least_s);
        g_assert_cmpfloat(pause_s, <, least_s * 1.25 + 1.0);
    }
    gint64 unplugged_us = g_get_monotonic_time();
    peer_unplug(peer);
    peer_plug(peer);
    wait_running(&lab, 0, 2, 5);
    double pause_s = (double)(openings.opened_us[4] - unplugged_us) / 1e6;
    g_assert_cmpfloat(pause_s, >=, 1.0);
    g_assert_cmpfloat(pause_s, <, 2.25);
    g_assert_cmpuint(openings.n, ==, 5);
    lab_stop(&lab);
    g_autoptr(Drive) drive = open_drive(&lab);
    g_assert_cmpuint(count_events(drive, 1, "modem-lost"), ==, 2);
    g_assert_cmpuint(count_events(drive, 1, "modem-found"), ==, 2);
    g_clear_pointer(&drive, drive_free);
    lab_free(&lab);
    peer_free(peer);
}

/* --- by IMEI --- */

static const char *const labels[] = {"north", "south"};
static const char *const imeis[] = {"356938035643809", "356938111111118"};

static Peer *named_peer(guint i, const char *node)
{
    Peer *peer = peer_new(PROTOCOL_MBIM, 3);
    ModemPlan *plan = &g_array_index(peer->scenario->modems, ModemPlan, 0);
    g_free(plan->imei);
    plan->imei = g_strdup(imeis[i]);
    plan->gain_db = -10.0 * i; /* told apart by what they measure */
    peer_step(peer, 1);
    peer_unplug(peer);
    g_free(peer->node);
    peer->node = peer->device = g_strdup(node);
    peer_plug(peer);
    return peer;
}

static void assert_own_samples(Drive *drive, gint64 source, double rsrp_dbm)
{
    guint n = 0;
    g_autoptr(DriveCursor) cursor =
        drive_read(drive, RECORD_SAMPLE, 0, source, G_MININT64, G_MAXINT64, NULL);
    const Batch *batch;
    while ((batch = drive_next(cursor, NULL)) != NULL)
        for (size_t i = 0; i < batch->n; i++, n++) {
            Sample sample;
            batch_get(batch, RECORD_SAMPLE, i, &sample);
            g_assert_cmpfloat_with_epsilon(sample.rsrp_dbm, rsrp_dbm, 1e-9);
        }
    g_assert_cmpuint(n, >, 10);
}

/* The nodes are the wrong way round from the start, then change places; a third modem, which nobody
 * configured, stands in front. No sample comes under another's name. */
static void test_by_imei(void)
{
    Lab lab = {.folder = NULL};
    g_autofree char *folder = g_dir_make_tmp("corridor-nodes-XXXXXX", NULL);
    char *nodes[] = {g_build_filename(folder, "wdm2", NULL), g_build_filename(folder, "wdm1", NULL),
                     g_build_filename(folder, "wdm0", NULL)};
    Peer *peers[] = {named_peer(0, nodes[0]), named_peer(1, nodes[1]), peer_new(PROTOCOL_MBIM, 3)};
    peer_unplug(peers[2]);
    g_free(peers[2]->node);
    peers[2]->node = peers[2]->device = g_strdup(nodes[2]);
    peer_plug(peers[2]);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < 2; i++)
        g_string_append_printf(text,
                               "[modem %s]\ndriver=mbim\nimei-hash=%.9s\ndevice=%s/wdm*\n"
                               "proxy=no\nqmi-over-mbim=no\ninterval=100 ms\ntimeout=1 s\n",
                               labels[i], imeis[i], folder);
    lab_start(&lab, text->str);
    double levels[2];
    for (guint i = 0; i < 2; i++) {
        wait_running(&lab, i, 1, 20);
        g_assert_cmpstr(status_of(&lab, i).device, ==, nodes[i]);
        levels[i] = peers[i]->modem.radio->serving.rsrp_dbm;
    }
    g_assert_cmpfloat(levels[0], !=, levels[1]);
    for (guint i = 0; i < 2; i++)
        peer_unplug(peers[i]);
    for (guint i = 0; i < 2; i++) {
        g_free(peers[i]->node);
        peers[i]->node = peers[i]->device = g_strdup(nodes[1 - i]);
        peer_plug(peers[i]);
    }
    for (guint i = 0; i < 2; i++) {
        wait_running(&lab, i, 2, 20);
        g_assert_cmpstr(status_of(&lab, i).device, ==, nodes[1 - i]);
    }
    lab_stop(&lab);
    g_autoptr(Drive) drive = open_drive(&lab);
    guint n = 0;
    const Source *sources = drive_sources(drive, &n);
    g_assert_cmpuint(n, ==, 2);
    for (guint i = 0; i < n; i++) {
        g_assert_cmpstr(sources[i].label, ==, labels[i]);
        g_assert_cmpstr(sources[i].device_hash, ==, imeis[i]);
        assert_own_samples(drive, sources[i].id, levels[i]);
        g_assert_cmpuint(count_events(drive, sources[i].id, "modem-renumbered"), ==, 1);
        g_assert_cmpuint(count_events(drive, sources[i].id, "modem-found"), >=, 1);
        g_assert_cmpuint(count_events(drive, sources[i].id, "modem-other"), ==, 0);
        g_assert_cmpuint(count_events(drive, sources[i].id, "modem-reset"), ==, 0);
    }
    g_clear_pointer(&drive, drive_free);
    lab_free(&lab);
    for (guint i = 0; i < 3; i++) {
        peer_free(peers[i]);
        g_free(nodes[i]);
    }
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

/* Nobody has that IMEI: nothing is recorded, and it is said what was seen. */
static void test_nobody(void)
{
    Lab lab = {.folder = NULL};
    Peer *peer = peer_new(PROTOCOL_MBIM, 3);
    g_autofree char *text =
        g_strdup_printf("[modem one]\ndriver=mbim\nimei-hash=999999\ndevice=%s*\nproxy=no\n"
                        "qmi-over-mbim=no\ntimeout=1 s\n",
                        peer->node);
    lab_start(&lab, text);
    gint64 end_us = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    guint timer = g_timeout_add(20, wake, NULL);
    while (g_get_monotonic_time() < end_us && strstr(status_of(&lab, 0).trouble, "1 other") == NULL)
        (void)g_main_context_iteration(NULL, TRUE);
    g_source_remove(timer);
    g_assert_nonnull(strstr(status_of(&lab, 0).trouble, "no modem with IMEI hash 999999: 1 other"));
    g_assert_cmpuint(status_of(&lab, 0).samples, ==, 0);
    g_assert_cmpuint(status_of(&lab, 0).openings, ==, 0);
    lab_stop(&lab);
    lab_free(&lab);
    peer_free(peer);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    peer_quiet();
    g_test_add_func("/modem-life/back-off", test_back_off);
    g_test_add_func("/modem-life/by-imei", test_by_imei);
    g_test_add_func("/modem-life/nobody", test_nobody);
    return g_test_run();
}
