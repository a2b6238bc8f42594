/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes: one shape for all of them, and the narrow door to the rest of the logger.
 *
 * All probes live in one thread with its own main context (probe-schedule.h): they are paced by
 * timers there, and nothing in it may block. What they need from the logger they ask through a
 * ProbeHost, whose functions must be safe to call from that thread; what they find they hand to it
 * as records.
 *
 * Times inside the probes are CLOCK_REALTIME as the kernel stamps packets; utc_ns() turns them into
 * the drive's UTC only when a record is made.
 */
#pragma once

#include "formats/records.h"
#include "logger/key.h"
#include "logger/media.h"
#include "logger/traffic-series.h"
#include "logger/udp.h"
#include <gio/gio.h>

#define PROBE_ERROR probe_error_quark()
typedef enum {
    PROBE_ERROR_NAME,      /* the target's name has no address */
    PROBE_ERROR_INTERFACE, /* the modem's interface is gone or has no address */
    PROBE_ERROR_SYSTEM
} ProbeError;
GQuark probe_error_quark(void);

/* Where the vehicle is. NAN = not known. */
typedef struct {
    double lat, lon;
    double speed_mps;
    double distance_m; /* driven since the start, for scheduling by distance */
} ProbePlace;

/* What a modem sees. NAN, -1, NULL = not known. */
typedef struct {
    gint64 cell_id;
    double level_dbm;
    gboolean roaming;    /* in a foreign network */
    const char *blocked; /* static: why no probe may run now, e.g. "no-service"; NULL = may */
} ProbeRadio;

typedef struct {
    gpointer data;
    /* Takes a record (borrowed for the call). */
    void (*add)(gpointer data, RecordKind kind, const void *record);
    /* A number for a new probe record. */
    gint64 (*next_id)(gpointer data);
    /* CLOCK_REALTIME to the drive's UTC; NULL = they are the same. */
    gint64 (*utc_ns)(gpointer data, gint64 realtime_ns);
    /* Where we are, what the modem sees; NULL = never known. */
    void (*place)(gpointer data, ProbePlace *place);
    void (*radio)(gpointer data, gint64 source, ProbeRadio *radio);
    /* What the box is short of ("disk", "cpu"), so that probes should wait; NULL = nothing. The
     * function may be NULL. */
    const char *(*shortage)(gpointer data);
} ProbeHost;

/* The modem a probe runs on. */
typedef struct {
    gint64 source;         /* number of the source in the drive */
    const char *label;     /* for the log */
    const char *interface; /* network interface; NULL = not bound (tests) */
} ProbeModem;

/* What probes are told; defaults by probe_settings_default(). Strings are borrowed. */
typedef struct {
    const char *reflector; /* name or address; NULL = no STAMP, meetings, trains */
    guint16 stamp_port, session_port;
    const Key *key;          /* NULL = unauthenticated STAMP, no meetings, no trains */
    int family;              /* AF_INET, AF_INET6, or AF_UNSPEC = what the name gives */
    double stamp_per_s;      /* packets per second: 50 */
    unsigned stamp_size;     /* bytes of IP packet: 120 */
    gboolean stamp_key;      /* authenticated STAMP, if there is a key */
    const char *echo_target; /* ICMP echo where there is no reflector */
    double echo_per_s;
    MediaShape meeting;                          /* stream of a meeting, each way */
    double meeting_s;                            /* length of one meeting */
    const char *codec;                           /* emodel.h */
    double train_s;                              /* length of a train: 0.2 */
    unsigned train_size;                         /* bytes of IP packet: 1250 */
    const double *train_down_bps, *train_up_bps; /* target rates, ascending, ended by 0 */
    const char *download_url, *upload_url;
    unsigned streams;         /* parallel transfers */
    double throughput_s;      /* at most this long */
    guint64 throughput_bytes; /* and at most this much; 0 = no bound */
    double warm_up_s;         /* left out of the steady rate */
    const char *ca_file;      /* NULL = the system's */
    double timeout_s;         /* of setting up anything: 10 */
} ProbeSettings;

ProbeSettings probe_settings_default(void);

/* What probes on one modem know of the way out; whoever runs one after another hands it on from the
 * last to the next. */
typedef struct {
    gboolean silent; /* nothing comes back, and an event said so */
    char own[48];    /* our address on it, as text; "" = not known */
} ProbePath;

/* One probe that runs. The struct is the head of each kind's own. */
typedef struct ProbeRun ProbeRun;

typedef struct {
    ProbeKind kind;
    const char *name;
    /* Bytes it will take at most, both ways, per second while it runs, and in all (0 = as long as
     * it runs): for the budget. */
    double (*bytes_per_s)(const ProbeSettings *settings);
    double (*bytes)(const ProbeSettings *settings);
    gsize size; /* of its struct */
    /* Begins. On FALSE the run is finished by the caller with what `error` says. */
    gboolean (*start)(ProbeRun *run, GError **error);
    /* Ends early: what was measured until now is handed out. Must not call probe_run_finish(). */
    void (*stop)(ProbeRun *run);
    /* Frees what the kind holds. */
    void (*clear)(ProbeRun *run);
} ProbeType;

extern const ProbeType probe_stamp, probe_echo, probe_meeting, probe_throughput_down,
    probe_throughput_up, probe_train;

typedef void (*ProbeDone)(ProbeRun *run, gpointer data);

struct ProbeRun {
    const ProbeType *type;
    const ProbeHost *host;
    const ProbeSettings *settings;
    ProbeModem modem;
    GMainContext *context;
    gint64 id;
    gint64 start_ns; /* CLOCK_REALTIME */
    gint64 start_mono_ns;
    Direction direction;
    char *target; /* who it was measured against, once known */
    gint64 bytes_down, bytes_up;
    double setup_ms; /* NAN = none */
    double value;    /* NAN = none */
    GString *detail; /* members of a JSON object */
    ProbePath path;
    gboolean finished;
    ProbeStatus status; /* once finished, with the next two */
    const char *reason;
    gint64 end_ns;
    gboolean recorded;
    TrafficSeries *traffic; /* what the interface carries meanwhile; NULL = nobody looks */
    /* HTTP: content bytes that `value` comes from and when they were counted, CLOCK_REALTIME, for
     * the comparison with `traffic`. All 0 = bytes_down and bytes_up, the whole run. */
    struct {
        gint64 from_ns, to_ns;
        double bytes;
    } counted;
    ProbeDone done;
    gpointer done_data;
    GString *cells; /* cells it went through */
    gint64 last_cell;
    double level_min, level_max;
    ProbePlace from;
    GSource *watcher;
};

/* Makes a run; it begins with probe_run_start(). `host`, `settings` and the strings of `modem` are
 * borrowed until it is freed. `done` is called once, from the main context, when it has ended.
 * Returns: (transfer full). */
ProbeRun *probe_run_new(const ProbeType *type, const ProbeHost *host, const ProbeSettings *settings,
                        const ProbeModem *modem, GMainContext *context, ProbeDone done,
                        gpointer data);
/* The interface is looked at: begins run->traffic, to be fed from now on. Before it is started.
 * Its record then waits for probe_run_settle(). */
void probe_run_watch(ProbeRun *run);
/* Of a finished run: writes the record once the traffic until its end is known, or `now`. Returns
 * TRUE when it is written. */
gboolean probe_run_settle(ProbeRun *run, gboolean now);
/* NULL is allowed. A run that has not finished is dropped without a record. */
void probe_run_free(ProbeRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProbeRun, probe_run_free)

void probe_run_start(ProbeRun *run);
/* Ends it early: status "cut" and the reason, or "ok" where a standing probe was asked to pause
 * (reason NULL). `done` is called. */
void probe_run_stop(ProbeRun *run, const char *reason);

/* Records a probe that was not run at all. */
void probe_skipped(const ProbeType *type, const ProbeHost *host, const ProbeModem *modem,
                   const char *target, const char *reason);

/* --- for the kinds themselves --- */

/* Writes the probe's record (later, if its traffic is looked at) and calls `done`. `reason` is
 * static or interned. Nothing may be done with the run after. */
void probe_run_finish(ProbeRun *run, ProbeStatus status, const char *reason);
/* Members of the record's detail. NAN is left out. */
void probe_detail_real(ProbeRun *run, const char *name, double value);
void probe_detail_int(ProbeRun *run, const char *name, gint64 value);
void probe_detail_text(ProbeRun *run, const char *name, const char *value);
/* Nothing comes back any more: an event that says why, once until something comes again. */
void probe_run_silent(ProbeRun *run, const char *kind, const char *detail);
/* Our address on the way out, port 0: event "probe-address-changed" if it was another. */
void probe_run_address(ProbeRun *run, const UdpAddress *own);
/* Something came: event "probe-resumed" if it was silent. */
void probe_run_resumed(ProbeRun *run);
/* An event about the modem, e.g. "probe-address-changed". */
void probe_event(ProbeRun *run, const char *kind, const char *detail);
gint64 probe_utc_ns(const ProbeRun *run, gint64 realtime_ns);
