/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scenario: what the made vehicle drives through. See docs/corridor-scenario.5.scd for each key.
 */
#pragma once

#include "formats/records.h"
#include "tests/rig/path.h"

typedef struct {
    char *name;
    char *operator_name;
    Rat rat; /* RAT_NR_NSA: a cell that serves only as the NR leg of EN-DC */
    double lat, lon;
    int band;
    double frequency_mhz;
    gint64 arfcn, pci, cell_id, tac;
    int bandwidth_khz;
    double power_dbm; /* of one resource element (LTE, NR) or of the pilot, antenna gain included */
} Cell;

typedef struct {
    char *name;
    char *plmn; /* 5 or 6 digits */
    char *network_name;
    double exponent;      /* of the path loss */
    double shadowing_db;  /* standard deviation */
    double shadowing_m;   /* distance at which its correlation is 1/e (Gudmundson 1991) */
    double hysteresis_db; /* a neighbour must be better by so much */
    double trigger_s;     /* for so long */
    double load;          /* of the other cells, 0..1 */
} Operator;

typedef enum { PROTOCOL_QMI, PROTOCOL_MBIM, PROTOCOL_QMI_OVER_MBIM } Protocol;

typedef struct {
    char *name;
    Protocol protocol;
    char *device; /* name in the rig's device folder, or an absolute path */
    char *operator_name;
    char *imei, *imsi, *iccid, *manufacturer, *model, *revision;
    double gain_db;
    gboolean endc, carrier_aggregation;
    double answer_ms; /* time an answer takes */
    int mbimex;       /* 1, 2 or 3 */
    gboolean pty;     /* the device is a pty with the protocol on it, for the real proxies */
} ModemPlan;

/* Order as in the table of names in scenario.c. */
typedef enum {
    FAULT_DROP,        /* connections closed once */
    FAULT_RESET,       /* gone for for-s, back with fresh client ids */
    FAULT_VANISH,      /* the same and the device node is gone meanwhile */
    FAULT_RENUMBER,    /* vanishes and comes back under another node: `text` */
    FAULT_MUTE,        /* hears, says nothing */
    FAULT_DELAY,       /* answers `value` ms later */
    FAULT_DUPLICATE,   /* each answer twice */
    FAULT_REORDER,     /* each pair of answers swapped */
    FAULT_TRUNCATE,    /* answers end in the middle of a TLV */
    FAULT_MALFORM,     /* bytes of the answer changed at random */
    FAULT_GARBAGE,     /* bytes between the frames that belong to none */
    FAULT_UNKNOWN_TLV, /* more TLVs than anybody knows */
    FAULT_SENTINEL,    /* the codes that mean "not available" instead of values */
    FAULT_ERROR,       /* QMI error InformationUnavailable, MBIM status failure */
    FAULT_SIM_LOST,    /**/
    FAULT_NO_SERVICE,  /**/
    FAULT_ROAMING,     /* registered in `text` (MCC and MNC) */
    FAULT_PING_PONG,   /* serving cell alternates each `value` s */
    FAULT_GPS_GAP,     /* no fix: sentences say so */
    FAULT_GPS_SILENCE, /* no sentences */
    FAULT_GPS_JUMP,    /* position off by `value` m */
    FAULT_GPS_CORRUPT, /* broken sentences between the good ones */
    FAULT_CLOCK_STEP,  /* GPS time steps by `value` s, for good */
    FAULT_RUN,         /* runs the shell command `text` at that time: restart a daemon, …*/
    FAULT_KIND_COUNT
} FaultKind;

typedef struct {
    char *name;
    FaultKind kind;
    char *modem; /* NULL: all modems, or not about modems */
    double at_s, for_s;
    double value;
    char *text;
} Fault;

typedef struct {
    double from_m, to_m;
    double loss_db; /* of the radio */
    gboolean gps;
} Tunnel;

typedef enum { FOLLOW_NOTHING, FOLLOW_RADIO } LinkFollow;

typedef enum { EFFECTS_BY_SINR, EFFECTS_BY_LEVEL } EffectsBy;

/* What a radio of this quality adds to a link; between two rows it is interpolated. */
typedef struct {
    double at; /* SINR in dB, or level in dBm */
    double delay_ms, jitter_ms;
    double loss;  /* 0..0.9 */
    double burst; /* packets lost in a row, mean; at least 1 */
} RadioEffect;

/* What is planned of a modem's data link from at_s on; data-link.h makes of it what it does. */
typedef struct {
    char *modem;
    double at_s;
    double delay_ms, jitter_ms, loss; /* loss 0..1 */
    double up_kbps, down_kbps, queue_ms;
    gboolean outage;
    LinkFollow follow;
    double share;      /* of the cell's resources, 0..1 */
    double handover_s; /* nothing passes so long after a change of cell */
    EffectsBy effects_by;
    GArray *effects; /* RadioEffect, ascending in `at`; NULL = by SINR as data-link.c has it */
} LinkQuality;

typedef struct {
    char *output; /* "none", "udp:HOST:PORT", "pty:PATH" or "json:PORT" */
    double rate_hz;
    double noise_m, noise_s; /* standard deviation a axis, correlation time */
    double cold_start_s;
    double clock_offset_s; /* GPS time minus the machine's clock */
    gboolean pps;
} GpsPlan;

typedef struct {
    double duration_s, step_s;
    double compress; /* scenario seconds a second */
    guint32 seed;
    char *qmi_socket, *mbim_socket; /* abstract names */
    Path *path;
    Motion *motion;
    GpsPlan gps;
    GArray *cells;     /* Cell */
    GArray *operators; /* Operator */
    GArray *modems;    /* ModemPlan */
    GArray *faults;    /* Fault */
    GArray *tunnels;   /* Tunnel */
    GArray *links;     /* LinkQuality, by time */
} Scenario;

/* Returns: (transfer full), or NULL; the error names file and line. */
Scenario *scenario_load(const char *path, GError **error);
/* From text; files named in it are looked for beside `name`. */
Scenario *scenario_parse(const char *name, const char *text, GError **error);
void scenario_free(Scenario *scenario);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scenario, scenario_free)

const char *fault_kind_name(FaultKind kind);

/* The fault of a kind that is on for a modem (NULL: GPS) at t; NULL if none. */
const Fault *scenario_fault(const Scenario *scenario, FaultKind kind, const char *modem, double t);

/* The plan of a modem's link at t. Returns FALSE if the scenario says nothing about it. */
gboolean scenario_link(const Scenario *scenario, const char *modem, double t, LinkQuality *link);
