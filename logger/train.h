/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet trains: what a short run of packets at a known rate says about the link.
 *
 * Threshold train: a train at the target rate. The rate is available if at least 95 % of the
 * packets arrived and the queue they found or made added less than 30 ms. The first 20 ms are sent
 * but not judged: the radio's grants and carrier aggregation ramp up in them.
 * Dispersion: the spacing in which the packets of a train arrive is the rate of the narrowest link,
 * by the receiver's clock alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t sent_ns;    /* sender's clock, from the start of the train */
    int64_t arrived_ns; /* receiver's clock, any zero; TRAIN_LOST if it never came */
} TrainPacket;

#define TRAIN_LOST INT64_MIN

#define TRAIN_DISCARD_NS        INT64_C(20000000)
#define TRAIN_RECEIVED_SHARE    0.95
#define TRAIN_ADDED_DELAY_NS    30e6
#define TRAIN_ADDED_DELAY_SHARE 0.95 /* the added delay of a train: this share of its packets */

typedef struct {
    bool reached;          /* the rate was available */
    const char *reason;    /* static: why not: "loss", "delay", "loss,delay", "nothing"; "" */
    unsigned sent;         /* judged packets */
    unsigned received;     /* of them arrived */
    double added_delay_ms; /* 95th percentile of delay minus the smallest delay of the train */
} TrainVerdict;

/* Judges a threshold train; packets in order of sending. `scratch` has room for n doubles. */
TrainVerdict train_judge(const TrainPacket *packets, size_t n, double *scratch);

/* Rate of a run of packets (all of size bytes): 8 * size * (k - 1) / (t_k - t_1). 0 if it took no
 * time. */
double train_rate_bps(size_t size, size_t k, int64_t first_ns, int64_t last_ns);

typedef struct {
    double rate_bps;                     /* over the whole judged part */
    double median_bps, p10_bps, p90_bps; /* of the slices: the spread of the estimate */
    unsigned slices;                     /* 0 = too few packets for a spread */
} TrainDispersion;

#define TRAIN_SLICE_NS INT64_C(10000000)

/* Dispersion of a train: packets in order of arrival are cut into slices of at least 10 ms, the
 * first 20 ms of sending left out. The sender must have been faster than the link for this to be
 * the link's rate; else it is the sender's. `scratch` has room for 2 n doubles. */
TrainDispersion train_dispersion(const TrainPacket *packets, size_t n, size_t size,
                                 double *scratch);
