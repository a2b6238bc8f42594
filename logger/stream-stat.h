/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stream of numbered packets tells: jitter, loss pattern, reordering, delay variation.
 * Plain C, no allocation per packet.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Interarrival jitter (RFC 3550, 6.4.1): D = difference of two transits, J += (|D| - J) / 16. */
typedef struct {
    double jitter_ns; /* J; starts at 0 */
    double last_d_ns; /* |D| of the packet added last; 0 after the first */
    int64_t transit_ns;
    uint64_t n; /* packets added */
} Jitter;

/* Adds the transit (arrival minus sending, any constant offset) of the packet that arrived next.
 * Returns J. */
double jitter_add(Jitter *jitter, int64_t transit_ns);

/* Loss pattern (RFC 3357): runs of consecutive losses. */
typedef struct {
    uint64_t n; /* packets added */
    uint64_t lost;
    uint64_t periods; /* runs of losses */
    uint64_t longest; /* longest run */
    uint64_t run;     /* run at the end of what was added, 0 = the last one arrived */
    uint64_t since;   /* packets since the last loss; see loss_add() */
} LossPattern;

/* Adds the next packet in order of sending. Returns the loss distance (RFC 3357, 4: difference of
 * sequence numbers from the loss before) if this packet was lost and not the first loss, else 0. */
uint64_t loss_add(LossPattern *loss, bool lost);

/* Share lost, 0..1; 0 without packets. */
double loss_share(const LossPattern *loss);

/* BurstR of the E-model: mean run of losses * (1 - share lost) (G.107, 7.7: observed mean burst
 * length over the one of random loss); 1 without loss, never below 1. */
double loss_burst_r(const LossPattern *loss);

/* Reordering (RFC 4737, 4.1): a packet is reordered if a later one came before it. */
typedef struct {
    uint64_t n;
    uint64_t reordered;
    uint32_t next; /* next number expected */
    bool begun;
} Reorder;

/* Adds the number of the packet that arrived next (32 bits that wrap). True if it was reordered.
 * Duplicates are the caller's to drop. */
bool reorder_add(Reorder *reorder, uint32_t seq);

/* The k-th smallest value, nearest rank (share 0..1): share 0.5 = median of an odd number. Sorts
 * `values`. n must not be 0. */
double rank_of(double *values, size_t n, double share);

/* Packet delay variation (RFC 5481, 4.2): the share-th delay minus the smallest. Sorts. */
double delay_variation(double *delays, size_t n, double share);
