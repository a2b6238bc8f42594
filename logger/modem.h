/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modems. A driver talks to one kind of modem; it keeps no life, no back-off and no store: it tells
 * a ModemSink what it hears. modem.c keeps the life of each modem:
 *
 *   absent -> opening -> running -> backoff -> opening …
 *
 * absent: the device node is not there (looked for each second, and when udev says so). opening:
 * until the driver says ready(), at most a minute; a modem known by its IMEI also says who it is,
 * and if it is another the next node is tried at once. running: poll() at the modem's interval;
 * without any answer for wedge-after it is closed. backoff: 1 s, doubling to 10 s, with jitter.
 * Nothing here waits for a modem: one that hangs never disturbs another.
 */
#pragma once

#include "formats/identity.h"
#include "logger/clock.h"
#include "logger/config.h"
#include "logger/modem-finder.h"
#include "logger/recorder.h"

/* What a driver tells. All are called from the main loop; after driver->close() none. Records are
 * borrowed; time_ns, request_ns and source are filled in by the sink. */
typedef struct ModemSink {
    gpointer data;
    void (*ready)(gpointer data);
    /* It is gone or cannot be opened; the driver will be closed. */
    void (*lost)(gpointer data, const char *why);
    /* It answered something: it lives. */
    void (*answered)(gpointer data, MonoTime at);
    /* A request timed out. */
    void (*silent)(gpointer data, const char *request);
    /* A request of this kind is still unanswered: this tick was left out. */
    void (*skipped)(gpointer data);
    /* asked.ns 0 = nobody asked (an indication). */
    void (*sample)(gpointer data, MonoTime asked, MonoTime at, Sample *sample);
    void (*record)(gpointer data, MonoTime at, RecordKind kind, gpointer record);
    void (*identity)(gpointer data, const char *model, const char *firmware, const char *imei,
                     const char *iccid);
    /* 1 there, 0 absent. */
    void (*sim)(gpointer data, gboolean present);
    /* For the status page: what the driver uses, e.g. "QMI over MBIM". */
    void (*protocol)(gpointer data, const char *name);
} ModemSink;

typedef struct {
    const char *name;
    /* Begins to open; ready() or lost() follows. `config`, `device` and `sink` are borrowed until
     * close(). Never fails: what is wrong is told by lost(), not before open() has returned. */
    gpointer (*open)(const ConfigModem *config, const char *device, const ModemSink *sink);
    /* Asks now; the slower requests too if `cells`. Returns how many questions for samples are
     * under way with this one; 0: it was left out, too many are. NULL: samples come by themselves.
     */
    guint (*poll)(gpointer driver, gboolean cells);
    /* Lets go of everything; answers that still come are dropped. */
    void (*close)(gpointer driver);
} ModemDriver;

extern const ModemDriver modem_qmi, modem_mbim, modem_replay;
/* That of a configured modem. */
const ModemDriver *modem_driver_of(const ConfigModem *config);

/* What modems need of the logger. */
typedef struct {
    Recorder *recorder;
    LoggerClock *clock;
    const Identity *identity;
    ModemFinder *finder;
} ModemHost;

typedef struct Modem Modem;

typedef enum { MODEM_ABSENT, MODEM_OPENING, MODEM_RUNNING, MODEM_BACKOFF } ModemLife;

/* Starts. Config and host must outlive it. (transfer full) */
Modem *modem_new(const ModemHost *host, const ConfigModem *config);
/* Closes. NULL is allowed. */
void modem_free(Modem *modem);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Modem, modem_free)

/* udev said that a device came or went: look now. */
void modem_look(Modem *modem);

typedef struct {
    const char *label, *operator_label;
    const char *protocol; /* "" = none yet */
    ModemLife life;
    char trouble[160]; /* why it is not running; "" */
    char device[64];
    gint64 source;
    char interface[32]; /* "" = unknown */
    Sample sample;      /* the last; text: plmn */
    char plmn[8];
    gint64 sample_mono_ns; /* 0 = none */
    guint64 samples, skipped, timeouts, openings;
    double answer_ms; /* of the last sample; NAN */
    int sim;          /* 1, 0, -1 not known */
} ModemStatus;
void modem_status(const Modem *modem, ModemStatus *status);

/* "absent", "opening", "running", "waiting" */
const char *modem_life_name(ModemLife life);

/* Whether to go through the proxy: Debian's serve only root. */
gboolean modem_uses_proxy(const ConfigModem *config);
/* The network interface that belongs to a device node; NULL if none is found. (transfer full) */
char *modem_find_interface(const char *device);
