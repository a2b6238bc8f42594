/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers make of a modem that does not do as it should: each test with QMI and MBIM. */
#include "logger/modem.h"
#include "tests/rig/mbim-answer.h"
#include "tests/rig/qmi-wire.h"
#include "tests/unit/logger/modem-peer.h"

#include <math.h>
#include <string.h>

/* The requests that the tests interfere with. */
typedef struct {
    const char *name;
    Protocol protocol;
    int mbimex;
    const ModemDriver *driver;
    PeerRequest signal, card, iccid, open;
    guint kinds; /* of requests that a driver has */
} Kind;

#define BASIC ((int)MBIM_BASIC + 1)
static const Kind kinds[] = {
    {"qmi",
     PROTOCOL_QMI,
     1,
     &modem_qmi,
     {QMI_NAS, 0x4f, -1},
     {QMI_UIM, 0x2f, -1},
     {QMI_DMS, 0x3c, -1},
     {QMI_CTL, 0x22, QMI_NAS},
     16},
    {"mbim",
     PROTOCOL_MBIM,
     3,
     &modem_mbim,
     {BASIC, 11, -1},
     {BASIC, 2, -1},
     {BASIC, 2, -1},
     {0, 1, -1},
     10},
};

typedef struct {
    const Kind *kind;
    Peer *peer;
    ModemSink sink;
    gpointer driver;
    /* what was told */
    guint ready, lost, silent, skipped, answered, samples, identities;
    guint records[RECORD_KIND_COUNT];
    char *why, *imei, *iccid, *late_request;
    const char *protocol;
    Sample sample;
    MonoTime asked, at;
    int sim;
    /* what the peer does: this act to that request, to all others as they are */
    PeerRequest target;
    PeerAct act;
    guint times; /* so often; 0 = always */
} Fixture;

static void on_ready(gpointer data)
{
    ((Fixture *)data)->ready++;
}

static void on_lost(gpointer data, const char *why)
{
    Fixture *f = data;
    f->lost++;
    g_free(f->why);
    f->why = g_strdup(why);
}

static void on_answered(gpointer data, MonoTime at)
{
    (void)at;
    ((Fixture *)data)->answered++;
}

static void on_silent(gpointer data, const char *request)
{
    Fixture *f = data;
    f->silent++;
    g_free(f->late_request);
    f->late_request = g_strdup(request);
}

static void on_skipped(gpointer data)
{
    ((Fixture *)data)->skipped++;
}

static void on_sample(gpointer data, MonoTime asked, MonoTime at, Sample *sample)
{
    Fixture *f = data;
    f->samples++;
    f->sample = *sample;
    f->sample.plmn = NULL;
    f->asked = asked;
    f->at = at;
}

static void on_record(gpointer data, MonoTime at, RecordKind kind, gpointer record)
{
    (void)at;
    (void)record;
    ((Fixture *)data)->records[kind]++;
}

static void on_identity(gpointer data, const char *model, const char *firmware, const char *imei,
                        const char *iccid)
{
    (void)model;
    (void)firmware;
    Fixture *f = data;
    f->identities++;
    g_free(f->imei);
    g_free(f->iccid);
    f->imei = g_strdup(imei);
    f->iccid = g_strdup(iccid);
}

static void on_sim(gpointer data, gboolean present)
{
    ((Fixture *)data)->sim = present;
}

static void on_protocol(gpointer data, const char *name)
{
    ((Fixture *)data)->protocol = name;
}

static PeerAct script(gpointer user, const PeerRequest *request)
{
    Fixture *f = user;
    if (f->act == PEER_ANSWER ||
        (f->target.service >= 0 &&
         (request->service != f->target.service || request->message != f->target.message ||
          request->wanted != f->target.wanted)))
        return PEER_ANSWER;
    PeerAct act = f->act;
    if (f->times > 0 && --f->times == 0)
        f->act = PEER_ANSWER;
    return act;
}

static void on_act(Fixture *f, PeerRequest target, PeerAct act, guint times)
{
    f->target = target;
    f->act = act;
    f->times = times;
}

static const PeerRequest anything = {-1, 0, -1};

static void open_driver(Fixture *f)
{
    f->driver = f->kind->driver->open(&f->peer->config, f->peer->device, &f->sink);
}

enum { MOST_S = 60 };

/* Where a test is of time-outs; else no question times out, however busy the machine is. */
static void time_out_after_s(Fixture *f, gint64 s)
{
    f->peer->config.timeout_ns = s * G_GINT64_CONSTANT(1000000000);
}

static void set_up(Fixture *f, gconstpointer data)
{
    f->kind = data;
    f->peer = peer_new(f->kind->protocol, f->kind->mbimex);
    time_out_after_s(f, 10 * MOST_S);
    f->peer->script = script;
    f->peer->user = f;
    f->sim = -1;
    f->sink = (ModemSink){f,         on_ready,  on_lost,     on_answered, on_silent,  on_skipped,
                          on_sample, on_record, on_identity, on_sim,      on_protocol};
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    if (f->driver != NULL)
        f->kind->driver->close(f->driver);
    /* What is under way comes back as cancelled and must find nobody. */
    for (int i = 0; i < 50; i++) {
        (void)g_main_context_iteration(NULL, FALSE);
        g_usleep(2000);
    }
    peer_free(f->peer);
    g_free(f->why);
    g_free(f->imei);
    g_free(f->iccid);
    g_free(f->late_request);
}

static gboolean stop_waiting(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_CONTINUE;
}

/* Until `*what` is at least `least`; on the busiest machine that takes less than MOST_S. */
static void wait_for(const guint *what, guint least)
{
    gboolean over = FALSE;
    guint timer = g_timeout_add_seconds(MOST_S, stop_waiting, &over);
    while (*what < least && !over)
        (void)g_main_context_iteration(NULL, TRUE);
    g_source_remove(timer);
    g_assert_cmpuint(*what, >=, least);
}

static void wait_ms(guint ms)
{
    gboolean over = FALSE;
    guint timer = g_timeout_add(ms, stop_waiting, &over);
    while (!over)
        (void)g_main_context_iteration(NULL, TRUE);
    g_source_remove(timer);
}

static void poll_now(Fixture *f, gboolean cells)
{
    (void)f->kind->driver->poll(f->driver, cells);
}

static void open_and_measure(Fixture *f)
{
    open_driver(f);
    wait_for(&f->ready, 1);
    wait_for(&f->identities, 1);
    poll_now(f, TRUE);
    wait_for(&f->samples, 1);
    wait_ms(100); /* the slower answers */
}

static void test_opens(Fixture *f, gconstpointer data)
{
    (void)data;
    open_and_measure(f);
    const RadioState *radio = f->peer->modem.radio;
    const ModemPlan *plan = f->peer->modem.plan;
    g_assert_cmpstr(f->protocol, ==, f->kind->protocol == PROTOCOL_QMI ? "QMI" : "MBIM 3");
    g_assert_cmpfloat_with_epsilon(f->sample.rsrp_dbm, radio->serving.rsrp_dbm, 1e-9);
    g_assert_cmpint(f->sample.rat, ==, RAT_LTE);
    g_assert_cmpint(f->asked.ns, <, f->at.ns);
    g_assert_cmpstr(f->imei, ==, plan->imei);
    g_assert_cmpint(f->sim, ==, 1);
    g_assert_cmpuint(f->records[RECORD_REGISTRATION], >, 0);
    g_assert_cmpuint(f->lost + f->silent + f->skipped, ==, 0);
    if (f->iccid == NULL)
        wait_for(&f->identities, 2); /* MBIM tells of the card by itself */
    g_assert_cmpstr(f->iccid, ==, plan->iccid);
}

static void test_refuses_to_open(Fixture *f, gconstpointer data)
{
    (void)data;
    on_act(f, f->kind->open, PEER_REFUSE, 0);
    f->peer->refusal = 5; /* QMI ClientIdsExhausted, MBIM BUSY is no less a refusal */
    open_driver(f);
    wait_for(&f->lost, 1);
    g_assert_cmpuint(f->ready, ==, 0);
    g_assert_nonnull(strchr(f->why, ':')); /* what, and what the modem says */
}

/* Only the network service is needed: without the others there is less to tell, but samples. */
static void test_without_other_services(Fixture *f, gconstpointer data)
{
    (void)data;
    f->peer->refusal = 31; /* InvalidServiceType */
    on_act(f, (PeerRequest){QMI_CTL, 0x22, QMI_DMS}, PEER_REFUSE, 0);
    open_driver(f);
    wait_for(&f->ready, 1);
    poll_now(f, TRUE);
    wait_for(&f->samples, 1);
    wait_ms(100);
    g_assert_cmpuint(f->lost + f->identities, ==, 0);
    g_assert_cmpint(f->sim, ==, 1);
}

/* A kind of request that the modem does not know is not asked again. */
static void test_refuses_a_kind(Fixture *f, gconstpointer data)
{
    (void)data;
    gboolean qmi = f->kind->protocol == PROTOCOL_QMI;
    PeerRequest cells =
        qmi ? (PeerRequest){QMI_NAS, 0x43, -1} : (PeerRequest){(int)MBIM_EXTENSIONS + 1, 11, -1};
    f->peer->refusal = qmi ? 71 : 9; /* InvalidQmiCommand, NoDeviceSupport */
    on_act(f, cells, PEER_REFUSE, 0);
    open_and_measure(f);
    for (guint i = 2; i < 6; i++) {
        poll_now(f, TRUE);
        wait_for(&f->samples, i);
        wait_ms(50);
    }
    g_assert_cmpuint(peer_count(f->peer, cells.service, cells.message), ==, 1);
    g_assert_cmpuint(f->silent + f->lost, ==, 0);
}

static void test_indications(Fixture *f, gconstpointer data)
{
    (void)data;
    open_and_measure(f);
    guint samples = f->samples, registrations = f->records[RECORD_REGISTRATION];
    peer_step(f->peer, 5);
    peer_notify(f->peer, FALSE, TRUE);
    wait_for(&f->samples, samples + 1);
    g_assert_cmpint(f->asked.ns, ==, 0); /* nobody asked */
    g_assert_cmpfloat_with_epsilon(f->sample.rsrp_dbm, f->peer->modem.radio->serving.rsrp_dbm,
                                   1e-9);
    /* The hole begins when the modem says so, not at the next poll. */
    samples = f->samples;
    peer_step(f->peer, 12);
    peer_notify(f->peer, TRUE, FALSE);
    wait_for(&f->samples, samples + 1);
    g_assert_cmpint(f->sample.service, ==, SERVICE_NONE);
    wait_for(&f->records[RECORD_REGISTRATION], registrations + 1);
}

/* No answer in time is told once by name; the modem is still asked. */
static void test_time_out(Fixture *f, gconstpointer data)
{
    (void)data;
    open_and_measure(f);
    guint samples = f->samples;
    time_out_after_s(f, 1);
    on_act(f, f->kind->signal, PEER_SWALLOW, 1);
    poll_now(f, FALSE);
    wait_for(&f->silent, 1);
    time_out_after_s(f, 10 * MOST_S);
    g_assert_cmpstr(f->late_request, ==,
                    f->kind->protocol == PROTOCOL_QMI ? "signal information" : "signal state");
    g_assert_cmpuint(f->samples, ==, samples);
    g_assert_cmpuint(f->lost, ==, 0);
    poll_now(f, FALSE);
    wait_for(&f->samples, samples + 1);
}

/* Late but in time: one question overtakes, further ones are left out and told; each sample has the
 * time at which it was asked. */
static void test_late_answer(Fixture *f, gconstpointer data)
{
    (void)data;
    open_and_measure(f);
    guint samples = f->samples;
    on_act(f, f->kind->signal, PEER_HOLD, 0);
    for (guint i = 0; i < 4; i++) {
        g_assert_cmpuint(f->kind->driver->poll(f->driver, FALSE), ==, i < 2 ? i + 1 : 0);
        wait_ms(100);
    }
    g_assert_cmpuint(f->skipped, ==, 2);
    g_assert_cmpuint(f->samples, ==, samples);
    f->act = PEER_ANSWER;
    g_assert_cmpuint(peer_release(f->peer), ==, 2);
    wait_for(&f->samples, samples + 1);
    wait_for(&f->samples, samples + 2);
    g_assert_cmpint(f->at.ns - f->asked.ns, >=, 290 * G_GINT64_CONSTANT(1000000));
    g_assert_cmpuint(f->silent, ==, 0);
}

/* Later than the time-out: nobody's answer, and not the next question's. */
static void test_too_late_answer(Fixture *f, gconstpointer data)
{
    (void)data;
    open_and_measure(f);
    guint samples = f->samples;
    time_out_after_s(f, 1);
    on_act(f, f->kind->signal, PEER_HOLD, 1);
    poll_now(f, FALSE);
    wait_for(&f->silent, 1);
    time_out_after_s(f, 10 * MOST_S);
    g_assert_cmpuint(peer_release(f->peer), ==, 1);
    wait_ms(200);
    g_assert_cmpuint(f->samples, ==, samples);
    const MonoTime again = mono_now();
    poll_now(f, FALSE);
    wait_for(&f->samples, samples + 1);
    g_assert_cmpint(f->asked.ns, >=, again.ns);
}

static void test_unplugged_in_mid_request(Fixture *f, gconstpointer data)
{
    (void)data;
    open_and_measure(f);
    on_act(f, anything, PEER_HOLD, 0);
    guint samples = f->samples;
    poll_now(f, TRUE);
    wait_ms(100);
    peer_unplug(f->peer);
    wait_for(&f->lost, 1);
    f->kind->driver->close(f->driver);
    f->driver = NULL;
    guint told = f->answered + f->silent + f->skipped + f->identities;
    wait_ms(1500); /* longer than any time-out */
    g_assert_cmpuint(f->samples, ==, samples);
    g_assert_cmpuint(f->answered + f->silent + f->skipped + f->identities, ==, told);
    g_assert_cmpuint(f->lost, ==, 1);
    /* And it can be opened again. */
    f->act = PEER_ANSWER;
    peer_plug(f->peer);
    open_driver(f);
    wait_for(&f->ready, 2);
}

/* However often it is polled: one question of each kind is under way. */
static void test_bound(Fixture *f, gconstpointer data)
{
    (void)data;
    open_and_measure(f);
    on_act(f, anything, PEER_HOLD, 0);
    guint heard = f->peer->heard->len;
    for (guint i = 0; i < 100; i++) {
        poll_now(f, TRUE);
        wait_ms(5);
    }
    g_assert_cmpuint(f->peer->heard->len - heard, <=, f->kind->kinds);
    g_assert_cmpuint(f->skipped, >, 90);
    guint samples = f->samples;
    f->act = PEER_ANSWER;
    (void)peer_release(f->peer);
    wait_for(&f->samples, samples + 1);
}

static void poll_each_100_ms(Fixture *f, const int *what, int wanted, guint ms)
{
    for (guint i = 0; i < ms / 100 && *what != wanted; i++) {
        poll_now(f, FALSE);
        wait_ms(100);
    }
    g_assert_cmpint(*what, ==, wanted);
}

/* The card that comes back is another one, and the modem does not know its number at once. */
static void test_card(Fixture *f, gconstpointer data)
{
    (void)data;
    open_and_measure(f);
    ModemPlan *plan = &g_array_index(f->peer->scenario->modems, ModemPlan, 0);
    g_autofree char *before = g_strdup(plan->iccid);
    peer_step(f->peer, 11);
    poll_each_100_ms(f, &f->sim, 0, 8000);
    guint asked = peer_count(f->peer, f->kind->iccid.service, f->kind->iccid.message);
    g_free(plan->iccid);
    plan->iccid = g_strdup("8946999999999999999");
    f->peer->refusal = 3;
    if (f->kind->protocol == PROTOCOL_QMI)
        on_act(f, f->kind->iccid, PEER_REFUSE, 1);
    peer_step(f->peer, 21);
    poll_each_100_ms(f, &f->sim, 1, 8000);
    for (guint i = 0; i < 120 && g_strcmp0(f->iccid, plan->iccid) != 0; i++) {
        poll_now(f, FALSE);
        wait_ms(100);
    }
    g_assert_cmpstr(before, !=, plan->iccid);
    g_assert_cmpstr(f->iccid, ==, plan->iccid);
    g_assert_cmpstr(f->imei, ==, plan->imei);
    guint more = peer_count(f->peer, f->kind->iccid.service, f->kind->iccid.message) - asked;
    g_assert_cmpuint(more, <=, 8);
    g_assert_cmpuint(f->lost, ==, 0);
}

/* What is never answered does not withhold the rest of the identity, and is asked again. */
static void test_identity_in_parts(Fixture *f, gconstpointer data)
{
    (void)data;
    time_out_after_s(f, 1);
    on_act(f, f->kind->iccid, PEER_SWALLOW, 1);
    open_driver(f);
    wait_for(&f->ready, 1);
    wait_for(&f->identities, 1);
    g_assert_cmpstr(f->imei, ==, f->peer->modem.plan->imei);
    for (guint i = 0; i < 80 && f->iccid == NULL; i++) {
        poll_now(f, FALSE);
        wait_ms(100);
    }
    g_assert_cmpstr(f->iccid, ==, f->peer->modem.plan->iccid);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*test)(Fixture *f, gconstpointer data);
        gboolean qmi_only;
    } tests[] = {{"opens", test_opens, FALSE},
                 {"refuses-to-open", test_refuses_to_open, FALSE},
                 {"without-other-services", test_without_other_services, TRUE},
                 {"refuses-a-kind", test_refuses_a_kind, FALSE},
                 {"indications", test_indications, FALSE},
                 {"time-out", test_time_out, FALSE},
                 {"late-answer", test_late_answer, FALSE},
                 {"too-late-answer", test_too_late_answer, FALSE},
                 {"unplugged-in-mid-request", test_unplugged_in_mid_request, FALSE},
                 {"bound", test_bound, FALSE},
                 {"card", test_card, FALSE},
                 {"identity-in-parts", test_identity_in_parts, FALSE}};
    g_test_init(&argc, &argv, NULL);
    peer_quiet();
    for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++)
        for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
            if (tests[i].qmi_only && kinds[k].protocol != PROTOCOL_QMI)
                continue;
            g_autofree char *path =
                g_strdup_printf("/modem-drivers/%s/%s", kinds[k].name, tests[i].name);
            g_test_add(path, Fixture, &kinds[k], set_up, tests[i].test, tear_down);
        }
    return g_test_run();
}
