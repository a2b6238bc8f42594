/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When which probe runs on which modem.
 *
 * A standing stream (STAMP, or ICMP echo without a reflector) fills the time between the others. A
 * train, meeting, download or upload is due by time, by distance driven, or by both, whichever
 * comes first. On one modem one probe runs at a time: the standing one pauses for the others. Who
 * waited longest goes first, over all modems; of transfers only so many run at a time.
 *
 * What is due but cannot run is recorded once as skipped, with the reason: "standing",
 * "no-service", "roaming", "budget", "overlap" (another one still ran when the next of its kind was
 * due), "no-interface", "disk", "cpu", or what the host says. A running probe is cut when the
 * budget is spent, when the interface goes, when the network becomes a foreign one, or when the box
 * is short of disk or processor. Events "probes-paused" and
 * "probes-resumed" tell that nothing can run on a modem, why, and that it can again.
 *
 * The schedule has a thread of its own with a main context; all functions here may be called from
 * any other thread. The host's functions are called from the schedule's thread.
 */
#pragma once

#include "logger/probe.h"

typedef enum { PLAN_TRAIN, PLAN_MEETING, PLAN_DOWNLOAD, PLAN_UPLOAD, PLAN_COUNT } ProbePlanKind;

typedef struct {
    double every_s; /* 0 = not by time */
    double every_m; /* 0 = not by distance */
} ProbePlan;

typedef struct {
    ProbeSettings probe;
    gboolean standing_stream; /* STAMP or echo between the others */
    double stream_record_s;   /* its probe record is closed and a new one begun after this: 60 */
    ProbePlan plans[PLAN_COUNT];
    gboolean when_standing;  /* probe also while the vehicle stands */
    gboolean when_roaming;   /* and in foreign networks, where data may cost more */
    double standing_mps;     /* slower than this is standing: 1 */
    double standing_after_s; /* for so long: 60 */
    unsigned transfers;      /* downloads and uploads at a time, over all modems: 2 */
    double busy_load; /* load average of a minute per processor above which probes wait, until it is
                         a quarter below: 2; 0 = never */
    guint64 daily_bytes, monthly_bytes; /* budget of each modem; 0 = none */
    const char *state_dir;              /* budgets are kept here; NULL = not */
    gboolean capture;                   /* passive */
    const char *debug_prefix;           /* pcapng files of each modem; NULL = none */
    guint64 debug_bytes;                /* of one file */
    unsigned debug_files;
} ProbeScheduleConfig;

ProbeScheduleConfig probe_schedule_config_default(void);

typedef struct ProbeSchedule ProbeSchedule;

/* Starts the thread. Everything the config and host point to must outlive the schedule.
 * Returns: (transfer full). */
ProbeSchedule *probe_schedule_new(const ProbeScheduleConfig *config, const ProbeHost *host);
/* Stops all probes (status "cut", reason "stop"), waits for the thread. NULL is allowed. */
void probe_schedule_free(ProbeSchedule *schedule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProbeSchedule, probe_schedule_free)

/* A modem, or its network interface, came, changed or went (NULL). The label also names its
 * budget's file. */
void probe_schedule_modem(ProbeSchedule *schedule, gint64 source, const char *label,
                          const char *interface);

typedef struct {
    gint64 source;
    const char *running; /* static: name of the probe that runs, or "" */
    gint64 budget_left;  /* bytes; G_MAXINT64 = no limit */
    guint64 used_today;
    guint64 done, failed, skipped, cut;
} ProbeScheduleState;

/* State of up to n modems, for a status page. Returns how many were filled. */
unsigned probe_schedule_state(ProbeSchedule *schedule, ProbeScheduleState *states, unsigned n);
