/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/data-link.h"

#include <math.h>

#define STEP_KBPS 100.0 /* an emulator is not told of less */

/* TR 36.942, table A.2: attenuation, lowest SINR, highest bit/s/Hz of each way. */
static const struct {
    double attenuation, least_db, most_bps_hz;
} bounds[2] = {{0.6, -10, 4.4}, {0.4, -10, 2.0}};

double data_link_rate_bps(double sinr_db, double bandwidth_hz, gboolean up)
{
    if (!isfinite(sinr_db) || sinr_db < bounds[up].least_db)
        return 0;
    double shannon = log2(1 + pow(10, sinr_db / 10));
    return bandwidth_hz * MIN(bounds[up].attenuation * shannon, bounds[up].most_bps_hz);
}

static double carrier_kbps(const CellLevel *level, gboolean up)
{
    if (level->cell == NULL)
        return 0;
    return data_link_rate_bps(level->sinr_db, 1000.0 * level->cell->bandwidth_khz, up) / 1000;
}

/* Secondary carriers and the NR leg carry data down; up goes by the serving cell. Its SINR at the
 * mast is not simulated: the modem's own stands for it. */
static void follow_radio(const LinkQuality *plan, const RadioState *radio, DataLink *link)
{
    double down_kbps = carrier_kbps(&radio->serving, FALSE) + carrier_kbps(&radio->leg, FALSE);
    double up_kbps = carrier_kbps(&radio->serving, TRUE);
    for (guint i = 0; i < radio->n_carriers; i++)
        down_kbps += carrier_kbps(&radio->carriers[i], FALSE);
    link->down_kbps = MIN(link->down_kbps, STEP_KBPS * round(down_kbps * plan->share / STEP_KBPS));
    link->up_kbps = MIN(link->up_kbps, STEP_KBPS * round(up_kbps * plan->share / STEP_KBPS));
    gboolean handover = radio->changes > 1 && radio->t - radio->changed_t < plan->handover_s;
    link->outage = radio->rat == RAT_NONE || handover;
}

gboolean data_link_now(const Scenario *scenario, const World *world, guint modem, DataLink *link)
{
    const RadioState *radio = world_radio(world, modem);
    const char *name = g_array_index(scenario->modems, ModemPlan, modem).name;
    LinkQuality plan;
    if (!scenario_link(scenario, name, radio->t, &plan))
        return FALSE;
    *link = (DataLink){.delay_ms = plan.delay_ms,
                       .jitter_ms = plan.jitter_ms,
                       .loss = plan.loss,
                       .up_kbps = plan.up_kbps,
                       .down_kbps = plan.down_kbps,
                       .queue_ms = plan.queue_ms,
                       .outage = plan.outage};
    if (plan.follow == FOLLOW_RADIO)
        follow_radio(&plan, radio, link);
    link->outage = link->outage || plan.outage || link->up_kbps <= 0 || link->down_kbps <= 0;
    return TRUE;
}
