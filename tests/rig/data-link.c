/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/data-link.h"

#include <math.h>

#define STEP_KBPS 100.0 /* an emulator is not told of less */
#define STEP_MS   0.1

/* By SINR, chosen by the project after how LTE repairs what the radio loses: each HARQ repetition
 * takes 8 ms (TS 36.321, FDD), so few of them are jitter, many are delay; what HARQ gives up is
 * asked for again by RLC, tens of ms later, and near the lowest SINR that is given up in turn. */
static const RadioEffect by_sinr[] = {
    {-10, 50, 80, 0.15, 8}, {-6, 30, 50, 0.06, 5},   {-3, 16, 30, 0.02, 3}, {0, 8, 16, 0.005, 2},
    {5, 4, 8, 0.001, 1.5},  {10, 2, 4, 0.0002, 1.2}, {20, 0, 1, 0, 1},
};

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

RadioEffect data_link_effect(const RadioEffect *table, gsize rows, double value)
{
    if (!(value > table[0].at))
        return table[0];
    for (gsize i = 1; i < rows; i++) {
        const RadioEffect *a = &table[i - 1], *b = &table[i];
        if (value >= b->at)
            continue;
        double f = (value - a->at) / (b->at - a->at);
        return (RadioEffect){.at = value,
                             .delay_ms = a->delay_ms + f * (b->delay_ms - a->delay_ms),
                             .jitter_ms = a->jitter_ms + f * (b->jitter_ms - a->jitter_ms),
                             .loss = a->loss + f * (b->loss - a->loss),
                             .burst = a->burst + f * (b->burst - a->burst)};
    }
    return table[rows - 1];
}

/* Packets are lost by the plan or, independent of that, by the radio; the radio's run in bursts. */
static void add_effect(const LinkQuality *plan, const CellLevel *serving, DataLink *link)
{
    double value = plan->effects_by == EFFECTS_BY_LEVEL ? serving->rsrp_dbm : serving->sinr_db;
    RadioEffect effect = plan->effects != NULL
                             ? data_link_effect((const RadioEffect *)(gpointer)plan->effects->data,
                                                plan->effects->len, value)
                             : data_link_effect(by_sinr, G_N_ELEMENTS(by_sinr), value);
    link->delay_ms += STEP_MS * round(effect.delay_ms / STEP_MS);
    link->jitter_ms += STEP_MS * round(effect.jitter_ms / STEP_MS);
    link->loss = 1 - (1 - link->loss) * (1 - effect.loss);
    link->burst = effect.burst;
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
    if (radio->serving.cell != NULL)
        add_effect(plan, &radio->serving, link);
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
                       .burst = 1,
                       .up_kbps = plan.up_kbps,
                       .down_kbps = plan.down_kbps,
                       .queue_ms = plan.queue_ms,
                       .outage = plan.outage};
    if (plan.follow == FOLLOW_RADIO)
        follow_radio(&plan, radio, link);
    link->outage = link->outage || plan.outage || link->up_kbps <= 0 || link->down_kbps <= 0;
    return TRUE;
}
