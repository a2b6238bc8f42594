/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates from byte counts. All rates in bit/s unless the name says otherwise.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bytes of one parallel transfer at times of the receiver, both ascending. */
typedef struct {
    double time_s;
    double bytes;
} RatePoint;

typedef struct {
    const RatePoint *points;
    size_t n;
} RateThread;

/* Parallel transfers as the RTR multi-threaded broadband test sums them: t* is the earliest end of
 * any thread, each thread's bytes at t* are interpolated between its points, R = sum / t*.
 * Returns bytes per second; 0 if a thread has no points. A thread starts at (0, 0). */
double rate_parallel_bytes_per_s(const RateThread *threads, size_t n);

/* Volume and duration means of rates measured for equal times and for equal files. 0 if n is 0 or,
 * for the harmonic mean, a rate is 0. */
double rate_arithmetic_mean(const double *rates, size_t n);
double rate_harmonic_mean(const double *rates, size_t n);

/* Bandwidth-delay product in bytes (RFC 6349, 3.3.1). */
double rate_bdp_bytes(double rate_bps, double rtt_s);

/* TCP transfer efficiency and buffer delay in percent (RFC 6349, 4.1). */
double rate_tcp_efficiency_percent(uint64_t sent_bytes, uint64_t again_bytes);
double rate_buffer_delay_percent(double mean_rtt_s, double base_rtt_s);

/* Mean data rate (ETSI TS 102 250-2, HTTP and FTP mean data rate, method B): content bytes over the
 * time from the first to the last content byte. `at_first` are the bytes that came at from_ns.
 * 0 if the time is not positive. */
double rate_mean_bps(uint64_t at_first, uint64_t bytes, int64_t from_ns, int64_t to_ns);
