/* SPDX-License-Identifier: Apache-2.0 */
#include "logger/health.h"
#include "formats/time-map.h"

#include <systemd/sd-daemon.h>

#define TURN_LIMIT_NS INT64_C(20000000000)

struct Health {
    Recorder *recorder;
    guint timer;
    gboolean ready;
};

static gboolean beat(gpointer data)
{
    Health *health = data;
    RecorderStatus status = recorder_status(health->recorder);
    if (status.last_turn_ns == 0)
        return G_SOURCE_CONTINUE;
    if (!health->ready)
        (void)sd_notify(0, "READY=1");
    health->ready = TRUE;
    (void)sd_notifyf(0, "STATUS=%s %s", recorder_state_name(status.state),
                     status.trouble[0] != '\0' ? status.trouble : status.path);
    if (mono_now().ns - status.last_turn_ns < TURN_LIMIT_NS)
        (void)sd_notify(0, "WATCHDOG=1");
    return G_SOURCE_CONTINUE;
}

Health *health_new(Recorder *recorder)
{
    Health *health = g_new0(Health, 1);
    health->recorder = recorder;
    health->timer = g_timeout_add_seconds(2, beat, health);
    return health;
}

void health_free(Health *health)
{
    if (health == NULL)
        return;
    (void)sd_notify(0, "STOPPING=1");
    g_source_remove(health->timer);
    g_free(health);
}
