/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Costs of the matcher: negative natural logarithms, up to constants that do not matter for the
 * best path. Newson & Krumm 2009; values in docs/method.md, "Matching".
 */
#pragma once

#include "analyzer/network.h"

/* Newson & Krumm's σ of GPS, also the least we believe of any receiver. */
#define MATCH_SIGMA_M 4.07

/* ln of the emission density N(0, sigma_m) at distance_m. */
double match_emission_ln(double distance_m, double sigma_m);
/* ln of the transition density: exponential of scale beta_m on |great circle - route|. */
double match_transition_ln(double difference_m, double beta_m);

/* β by sampling period, seconds (table of public implementations for 1..30 s, linear beyond). */
double match_beta_m(double period_s);

/* Cost of being seen distance_m away. */
double match_emission_cost(double distance_m, double sigma_m);
/* Cost of heading `difference_deg` away from the edge's direction at this speed: nothing when slow,
 * because receivers' headings mean little then. */
double match_heading_cost(double difference_deg, double speed_mps);
