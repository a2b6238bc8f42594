/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/modem-driver.h"

void modem_identity_clear(ModemIdentity *identity)
{
    g_free(identity->model);
    g_free(identity->firmware);
    g_free(identity->imei);
    g_free(identity->iccid);
    *identity = (ModemIdentity){NULL, NULL, NULL, NULL};
}

void modem_identity_tell(const ModemIdentity *identity, const ModemSink *sink)
{
    sink->identity(sink->data, identity->model, identity->firmware, identity->imei,
                   identity->iccid);
}

const ModemDriver *modem_driver_of(const ConfigModem *config)
{
    static const ModemDriver *const drivers[] = {
        [DRIVER_QMI] = &modem_qmi, [DRIVER_MBIM] = &modem_mbim, [DRIVER_REPLAY] = &modem_replay};
    return drivers[config->driver];
}

guint modem_timeout_s(const ConfigModem *config)
{
    return (guint)((config->timeout_ns + 999999999) / 1000000000);
}

void modem_talk_begin(ModemTalk *talk, const ConfigModem *config, const ModemSink *sink,
                      void (*forget)(gpointer talk))
{
    talk->refs = 1;
    talk->config = config;
    talk->sink = sink;
    talk->cancellable = g_cancellable_new();
    talk->forget = forget;
}

void modem_talk_unref(ModemTalk *talk)
{
    if (--talk->refs > 0)
        return;
    g_clear_object(&talk->cancellable);
    modem_identity_clear(&talk->identity);
    talk->forget(talk);
    g_free(talk);
}

void modem_talk_lost(ModemTalk *talk, const char *what, const GError *error)
{
    if (talk->closed)
        return;
    g_autofree char *why =
        error != NULL ? g_strdup_printf("%s: %s", what, error->message) : g_strdup(what);
    talk->sink->lost(talk->sink->data, why);
}

gboolean modem_talk_slow_due(ModemTalk *talk)
{
    gint64 now_ns = mono_now().ns;
    if (now_ns - talk->slow_ns < talk->config->card_interval_ns)
        return FALSE;
    talk->slow_ns = now_ns;
    return TRUE;
}

gboolean modem_question_may(const ModemQuestion *question, const ModemTalk *talk)
{
    if (question->refused)
        return FALSE;
    if (question->busy)
        talk->sink->skipped(talk->sink->data);
    return !question->busy;
}

int modem_question_either(const ModemQuestion *questions, int first, int second)
{
    return questions[first].busy ? second : first;
}

void modem_question_begin(ModemQuestion *question, ModemTalk *talk, int what)
{
    question->talk = talk;
    question->what = what;
    question->busy = TRUE;
    question->asked = mono_now();
    talk->refs++;
}

gboolean modem_question_end(ModemQuestion *question, gboolean answered, gboolean timed_out,
                            const char *name, MonoTime at)
{
    ModemTalk *talk = question->talk;
    question->busy = FALSE;
    if (talk->closed)
        return FALSE;
    if (timed_out)
        talk->sink->silent(talk->sink->data, name);
    if (!answered)
        return FALSE;
    talk->sink->answered(talk->sink->data, at);
    return TRUE;
}
