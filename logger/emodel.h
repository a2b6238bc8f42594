/* SPDX-License-Identifier: Apache-2.0 */
/*
 * E-model: how good speech is, from delay and loss (ITU-T G.107; default values
 * of all terms but delay and equipment, so Ro - Is = 93.2 and A = 0).
 *
 *     R = R0 - Idd(Ta) - Ie,eff(Ppl, BurstR)
 *
 * R0 is 93.2 on the narrow-band scale (G.107) and 129 on the wide-band scale (G.107.1); a codec
 * belongs to one scale.
 */
#pragma once

#include <stdbool.h>

typedef struct {
    const char *name;
    double r0;        /* 93.2 narrow band, 129 wide band, 148 full band */
    double mos_scale; /* R is divided by it before it becomes a MOS: 1, 1.29, 1.48 */
    double ie;        /* equipment impairment without loss */
    double bpl;       /* robustness against random loss */
    double bpl_burst; /* against bursty loss; equal to bpl where none is published */
} EmodelCodec;

/* Codecs by name: "g711", "g711-plc", "g729a", "opus-wb-13", "opus-wb-11", "opus-swb-25",
 * "opus-swb-40". NULL if there is no such codec. Sources: docs/probes.md. */
const EmodelCodec *emodel_codec(const char *name);

/* Delay impairment of one-way mouth-to-ear delay, ms (G.107, 7-28 and 7-29): sensitivity sT = 1,
 * minimum perceivable delay mT = 100 ms. */
double emodel_idd(double delay_ms);

/* The same with another conversation: sT and mT from G.107, table 1 (1/100 default, 0.55/120 low,
 * 0.4/150 very low interactivity). */
double emodel_idd_of(double delay_ms, double sensitivity, double minimum_ms);

/* The simplification of Cole and Rosenbluth (2001), for comparison with tools that use it. */
double emodel_id_simple(double delay_ms);

/* Effective equipment impairment (G.107, 7-30). Loss in percent 0..100; burst_r >= 1, 1 = random.
 * Never above 95. */
double emodel_ie_eff(double ie, double bpl, double loss_percent, double burst_r);

/* R of a codec. */
double emodel_r(const EmodelCodec *codec, double delay_ms, double loss_percent, double burst_r);

/* MOS of an R on the narrow-band scale (G.107, annex B), never below 1. */
double emodel_mos(double r);

/* MOS of an R of this codec's scale. */
double emodel_mos_of(const EmodelCodec *codec, double r);
