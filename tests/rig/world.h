/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on the air: for each modem its cell, levels, neighbours and carriers as the scenario
 * goes. The same scenario and seed give the same world. Values are rounded to what the protocols
 * carry (RSRP, RSRQ, RSSI 1 dB; SINR 0.5 dB), so that a drive can be compared for equality.
 */
#pragma once

#include "tests/rig/scenario.h"

#define WORLD_NEIGHBOURS 6
#define WORLD_CARRIERS   3

typedef struct {
    const Cell *cell;
    double rsrp_dbm, rsrq_db, sinr_db, rssi_dbm;
} CellLevel;

typedef struct {
    double t;         /* scenario seconds of the last step */
    Rat rat;          /* RAT_NONE: searching */
    gboolean sim;     /* a SIM card answers */
    gboolean roaming; /**/
    char plmn[8];
    CellLevel serving; /* cell NULL while searching */
    CellLevel leg;     /* NR leg; cell NULL without one */
    guint n_neighbours;
    CellLevel neighbours[WORLD_NEIGHBOURS]; /* of the serving cell's RAT, best first */
    guint n_carriers;
    CellLevel carriers[WORLD_CARRIERS]; /* secondary LTE cells */
    guint32 changes;                    /* counts cell, RAT and service changes */
    double changed_t;                   /* when that was last, scenario seconds */
    guint64 rx_bytes, tx_bytes;
} RadioState;

typedef struct {
    double t, s_m, lat, lon, speed_mps, heading_deg;
    gboolean tunnel, gps; /* gps FALSE: no sky */
    double loss_db;       /* of the tunnel */
} VehicleState;

typedef struct World World;

/* `scenario` is borrowed for the life of the world. */
World *world_new(const Scenario *scenario);
void world_free(World *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* Steps to t (never back). */
void world_step(World *world, double t);
const VehicleState *world_vehicle(const World *world);
/* State of modem number `modem` of the scenario. */
const RadioState *world_radio(const World *world, guint modem);
