/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rig/world.h"

#include <math.h>
#include <string.h>

/* A cell weaker than this is not seen; 3GPP TS 36.304 leaves it to the operator, -124 is usual. */
#define LTE_MINIMUM_DBM (-124.0)
#define NR_ADD_DBM      (-112.0) /* EN-DC leg added above, dropped NR_KEEP_DB below */
#define NR_KEEP_DB      4.0
#define NOISE_DBM_HZ    (-174.0)
#define NOISE_FIGURE_DB 7.0
#define LOWEST_RSRP_DBM (-140.0)

typedef struct {
    GRand *random;
    double shadow_db;
    gboolean started;
} CellState;

typedef struct {
    guint serving; /* index of the cell + 1; 0 none */
    guint leg;
    guint better; /* candidate for a handover */
    double better_since;
    GRand *random;
} ModemState;

struct World {
    const Scenario *scenario;
    VehicleState vehicle;
    gboolean started;
    CellState *cells;
    ModemState *modems;
    RadioState *radios;
    double *levels; /* of every cell for the modem at hand */
};

/* Weakest level at which a RAT serves, in the order of preference. */
static const struct {
    Rat rat;
    double minimum_dbm;
} preferences[] = {
    {RAT_NR_SA, -115}, {RAT_LTE, LTE_MINIMUM_DBM}, {RAT_UMTS, -115}, {RAT_GSM, -107}};

World *world_new(const Scenario *scenario)
{
    World *world = g_new0(World, 1);
    world->scenario = scenario;
    world->cells = g_new0(CellState, scenario->cells->len + 1);
    world->modems = g_new0(ModemState, scenario->modems->len + 1);
    world->radios = g_new0(RadioState, scenario->modems->len + 1);
    world->levels = g_new0(double, scenario->cells->len + 1);
    for (guint i = 0; i < scenario->cells->len; i++) {
        guint32 seed[] = {scenario->seed, 1, i};
        world->cells[i].random = g_rand_new_with_seed_array(seed, G_N_ELEMENTS(seed));
    }
    for (guint i = 0; i < scenario->modems->len; i++) {
        guint32 seed[] = {scenario->seed, 2, i};
        world->modems[i].random = g_rand_new_with_seed_array(seed, G_N_ELEMENTS(seed));
    }
    return world;
}

void world_free(World *world)
{
    if (world == NULL)
        return;
    for (guint i = 0; i < world->scenario->cells->len; i++)
        g_rand_free(world->cells[i].random);
    for (guint i = 0; i < world->scenario->modems->len; i++)
        g_rand_free(world->modems[i].random);
    g_free(world->cells);
    g_free(world->modems);
    g_free(world->radios);
    g_free(world->levels);
    g_free(world);
}

/* Box and Muller (1958). */
static double normal(GRand *random)
{
    double u = 1 - g_rand_double(random);
    return sqrt(-2 * log(u)) * cos(2 * G_PI * g_rand_double(random));
}

static const Cell *cell_at(const World *world, guint i)
{
    return &g_array_index(world->scenario->cells, Cell, i);
}

static const Operator *operator_of(const World *world, const char *name)
{
    for (guint i = 0; i < world->scenario->operators->len; i++) {
        const Operator *op = &g_array_index(world->scenario->operators, Operator, i);
        if (g_str_equal(op->name, name))
            return op;
    }
    g_error("no operator %s: a scenario is read only if it has it", name);
}

/* Shadowing as a first-order process over distance: M. Gudmundson, Electronics Letters 27 (1991),
 * "Correlation model for shadow fading in mobile radio systems". */
static void step_shadowing(World *world, double moved_m)
{
    for (guint i = 0; i < world->scenario->cells->len; i++) {
        CellState *state = &world->cells[i];
        const Operator *op = operator_of(world, cell_at(world, i)->operator_name);
        double fresh = normal(state->random) * op->shadowing_db;
        double rho = state->started ? exp(-moved_m / op->shadowing_m) : 0;
        state->shadow_db = rho * state->shadow_db + sqrt(1 - rho * rho) * fresh;
        state->started = TRUE;
    }
}

/* Free space to one metre, then log-distance. */
static double path_loss_db(double frequency_mhz, double distance_m, double exponent)
{
    return 20 * log10(frequency_mhz) - 27.55 + 10 * exponent * log10(fmax(distance_m, 10));
}

static void step_vehicle(World *world, double t)
{
    VehicleState *v = &world->vehicle;
    const Scenario *scenario = world->scenario;
    double before = v->s_m;
    v->t = t;
    motion_at(scenario->motion, t, &v->s_m, &v->speed_mps);
    path_at(scenario->path, v->s_m, &v->lat, &v->lon, &v->heading_deg);
    v->tunnel = FALSE;
    v->gps = TRUE;
    v->loss_db = 0;
    for (guint i = 0; i < scenario->tunnels->len; i++) {
        const Tunnel *tunnel = &g_array_index(scenario->tunnels, Tunnel, i);
        if (v->s_m >= tunnel->from_m && v->s_m < tunnel->to_m) {
            v->tunnel = TRUE;
            v->gps = v->gps && tunnel->gps;
            v->loss_db += tunnel->loss_db;
        }
    }
    step_shadowing(world, v->s_m - before);
}

static void measure_cells(World *world, const ModemPlan *plan, const Operator *op)
{
    const VehicleState *v = &world->vehicle;
    for (guint i = 0; i < world->scenario->cells->len; i++) {
        const Cell *cell = cell_at(world, i);
        if (!g_str_equal(cell->operator_name, plan->operator_name)) {
            world->levels[i] = -INFINITY;
            continue;
        }
        double distance = path_distance_m(v->lat, v->lon, cell->lat, cell->lon);
        world->levels[i] = cell->power_dbm + plan->gain_db + world->cells[i].shadow_db -
                           v->loss_db - path_loss_db(cell->frequency_mhz, distance, op->exponent);
    }
}

/* Best cell of a RAT but `except` (index + 1); 0 if none. */
static guint best_cell(const World *world, Rat rat, guint except)
{
    guint best = 0;
    for (guint i = 0; i < world->scenario->cells->len; i++) {
        if (cell_at(world, i)->rat == rat && i + 1 != except && isfinite(world->levels[i]) &&
            (best == 0 || world->levels[i] > world->levels[best - 1]))
            best = i + 1;
    }
    return best;
}

/* All power in a UMTS carrier. The pilot, which `own` and `others` (mW) are, is a tenth of what a
 * cell under full load sends; so Ec/Io (3GPP TS 25.215, 5.1.5) lies within its range of 0 to -24
 * dB. */
static double umts_rssi_dbm(double own, double others, double load)
{
    double noise = pow(10, (NOISE_DBM_HZ + NOISE_FIGURE_DB + 10 * log10(3.84e6)) / 10);
    return 10 * log10(10 * own * (1 + load) / 2 + 10 * others + noise);
}

/* Rounds to what the protocols carry. RSSI and SINR follow from the powers of all cells on the
 * same channel: RSRQ = N * RSRP / RSSI (3GPP TS 36.214, 5.1.3). */
static CellLevel level_of(const World *world, guint index, double load)
{
    const Cell *cell = cell_at(world, index);
    double blocks = cell->bandwidth_khz / 200.0; /* nearly: 100 resource blocks in 20 MHz */
    double own = pow(10, world->levels[index] / 10), others = 0;
    for (guint i = 0; i < world->scenario->cells->len; i++) {
        const Cell *other = cell_at(world, i);
        if (i != index && other->arfcn == cell->arfcn && other->rat == cell->rat &&
            isfinite(world->levels[i]))
            others += load * pow(10, world->levels[i] / 10);
    }
    double noise = pow(10, (NOISE_DBM_HZ + NOISE_FIGURE_DB + 10 * log10(15000)) / 10);
    double element = own * (1 + load) / 2 + others + noise; /* of a resource element, mean */
    CellLevel level = {.cell = cell};
    level.rsrp_dbm = CLAMP(round(world->levels[index]), LOWEST_RSRP_DBM, -44);
    level.rssi_dbm = CLAMP(round(10 * log10(12 * blocks * element)), -125, -25);
    if (cell->rat == RAT_UMTS)
        level.rssi_dbm = CLAMP(round(umts_rssi_dbm(own, others, load)), -120, -25);
    level.rsrq_db = CLAMP(round(10 * log10(own / (12 * element))), -20, -3);
    level.sinr_db = CLAMP(round(20 * log10(own / (others + noise))) / 2, -20, 30);
    return level;
}

/* The cell that serves now: best RAT with a usable cell; within it handover by hysteresis. */
static guint choose_cell(World *world, guint number, const Operator *op)
{
    ModemState *modem = &world->modems[number];
    Rat now = modem->serving != 0 ? cell_at(world, modem->serving - 1)->rat : RAT_NONE;
    for (gsize p = 0; p < G_N_ELEMENTS(preferences); p++) {
        guint best = best_cell(world, preferences[p].rat, 0);
        /* A RAT in use is kept to its limit, a new one must be clearly better. */
        double margin = preferences[p].rat == now ? 0 : op->hysteresis_db;
        if (best == 0 || world->levels[best - 1] < preferences[p].minimum_dbm + margin)
            continue;
        if (preferences[p].rat != now ||
            world->levels[modem->serving - 1] < preferences[p].minimum_dbm) {
            modem->better = 0;
            return best;
        }
        if (world->levels[best - 1] < world->levels[modem->serving - 1] + op->hysteresis_db) {
            modem->better = 0;
        } else if (modem->better != best) {
            modem->better = best;
            modem->better_since = world->vehicle.t;
        } else if (world->vehicle.t - modem->better_since >= op->trigger_s) {
            modem->better = 0;
            return best;
        }
        return modem->serving;
    }
    return 0;
}

static guint choose_leg(const World *world, guint number)
{
    const ModemState *modem = &world->modems[number];
    if (modem->serving == 0 || cell_at(world, modem->serving - 1)->rat != RAT_LTE)
        return 0;
    guint best = best_cell(world, RAT_NR_NSA, 0);
    if (best == 0)
        return 0;
    double needed = modem->leg != 0 ? NR_ADD_DBM - NR_KEEP_DB : NR_ADD_DBM;
    if (world->levels[best - 1] < needed)
        return 0;
    if (modem->leg != 0 && world->levels[modem->leg - 1] + 3 >= world->levels[best - 1])
        return modem->leg;
    return best;
}

static void fill_others(const World *world, RadioState *radio, guint serving, double load,
                        gboolean aggregate)
{
    gboolean taken[1024] = {FALSE};
    guint n = MIN(world->scenario->cells->len, (guint)G_N_ELEMENTS(taken));
    const Cell *own = cell_at(world, serving - 1);
    radio->n_neighbours = radio->n_carriers = 0;
    for (guint k = 0; k < WORLD_NEIGHBOURS; k++) {
        guint best = 0;
        for (guint i = 0; i < n; i++) {
            if (i + 1 != serving && !taken[i] && cell_at(world, i)->rat == own->rat &&
                world->levels[i] > LOWEST_RSRP_DBM &&
                (best == 0 || world->levels[i] > world->levels[best - 1]))
                best = i + 1;
        }
        if (best == 0)
            break;
        taken[best - 1] = TRUE;
        CellLevel level = level_of(world, best - 1, load);
        radio->neighbours[radio->n_neighbours++] = level;
        gboolean new_channel = level.cell->arfcn != own->arfcn;
        for (guint c = 0; c < radio->n_carriers; c++)
            new_channel = new_channel && radio->carriers[c].cell->arfcn != level.cell->arfcn;
        if (aggregate && own->rat == RAT_LTE && new_channel && level.rsrp_dbm > -115 &&
            radio->n_carriers < WORLD_CARRIERS)
            radio->carriers[radio->n_carriers++] = level;
    }
}

static void apply_ping_pong(World *world, guint number, const char *name)
{
    ModemState *modem = &world->modems[number];
    double t = world->vehicle.t;
    const Fault *fault = scenario_fault(world->scenario, FAULT_PING_PONG, name, t);
    if (fault == NULL || modem->serving == 0)
        return;
    Rat rat = cell_at(world, modem->serving - 1)->rat;
    guint first = best_cell(world, rat, 0);
    guint second = best_cell(world, rat, first);
    if (second != 0)
        modem->serving = fmod(floor((t - fault->at_s) / fault->value), 2) < 1 ? second : first;
}

static void step_modem(World *world, guint number)
{
    const Scenario *scenario = world->scenario;
    const ModemPlan *plan = &g_array_index(scenario->modems, ModemPlan, number);
    const Operator *op = operator_of(world, plan->operator_name);
    ModemState *modem = &world->modems[number];
    RadioState *radio = &world->radios[number];
    const Fault *roaming = scenario_fault(scenario, FAULT_ROAMING, plan->name, world->vehicle.t);
    guint before = modem->serving, leg_before = modem->leg;
    double dt = world->vehicle.t - radio->t;
    radio->t = world->vehicle.t;
    radio->sim = scenario_fault(scenario, FAULT_SIM_LOST, plan->name, radio->t) == NULL;
    measure_cells(world, plan, op);
    gboolean searching =
        !radio->sim || scenario_fault(scenario, FAULT_NO_SERVICE, plan->name, radio->t) != NULL;
    modem->serving = searching ? 0 : choose_cell(world, number, op);
    apply_ping_pong(world, number, plan->name);
    modem->leg = plan->endc ? choose_leg(world, number) : 0;
    gboolean was_roaming = radio->roaming;
    radio->roaming = roaming != NULL && modem->serving != 0;
    g_strlcpy(radio->plmn, radio->roaming ? roaming->text : op->plmn, sizeof radio->plmn);
    radio->serving = radio->leg = (CellLevel){.cell = NULL};
    radio->n_neighbours = radio->n_carriers = 0;
    radio->rat = RAT_NONE;
    if (modem->serving != 0) {
        radio->serving = level_of(world, modem->serving - 1, op->load);
        radio->rat = radio->serving.cell->rat;
        fill_others(world, radio, modem->serving, op->load, plan->carrier_aggregation);
        radio->rx_bytes += (guint64)(dt * 1000);
        radio->tx_bytes += (guint64)(dt * 200);
    }
    if (modem->leg != 0) {
        radio->leg = level_of(world, modem->leg - 1, op->load);
        radio->rat = RAT_NR_NSA;
    }
    if (before != modem->serving || leg_before != modem->leg || was_roaming != radio->roaming) {
        radio->changes++;
        radio->changed_t = radio->t;
    }
}

void world_step(World *world, double t)
{
    if (world->started && t <= world->vehicle.t)
        return;
    world->started = TRUE;
    step_vehicle(world, t);
    for (guint i = 0; i < world->scenario->modems->len; i++)
        step_modem(world, i);
}

const VehicleState *world_vehicle(const World *world)
{
    return &world->vehicle;
}

const RadioState *world_radio(const World *world, guint modem)
{
    return &world->radios[modem];
}
