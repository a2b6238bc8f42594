/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of corridor-logger: one key file (corridor-logger.conf(5)).
 *
 * What may stand in it is said once, by the rows of config-table.c (and of any other file that
 * offers a ConfigSection): reading, checking, the sample file and the test of the man page all go
 * by those rows. A row says where in the section's struct its value is put.
 */
#pragma once

#include "formats/records.h"

#define CONFIG_ERROR config_error_quark()
typedef enum {
    CONFIG_ERROR_FILE,   /* cannot be read */
    CONFIG_ERROR_SYNTAX, /* not a key file */
    CONFIG_ERROR_KEY,    /* unknown or given twice */
    CONFIG_ERROR_VALUE   /* of the wrong kind or out of range */
} ConfigError;
GQuark config_error_quark(void);

typedef enum {
    CONFIG_TEXT,     /* char * */
    CONFIG_BOOL,     /* gboolean: yes, no */
    CONFIG_INT,      /* gint64 */
    CONFIG_REAL,     /* double, with the row's unit */
    CONFIG_DURATION, /* gint64 nanoseconds: ms, s, min, h, d */
    CONFIG_SIZE,     /* gint64 bytes: B, kB, MB, GB, KiB, MiB, GiB */
    CONFIG_CHOICE,   /* int: index into choices */
} ConfigType;

typedef struct {
    const char *name;
    ConfigType type;
    size_t offset;              /* of the field in the section's struct */
    const char *default_value;  /* as written in a file; NULL = none (text NULL, real NAN) */
    double minimum, maximum;    /* int, real in its unit; duration in seconds; size in bytes */
    const char *unit;           /* real: what must follow the number; NULL = nothing */
    const char *const *choices; /* choice: words, ended by NULL */
    const char *help;           /* one line */
} ConfigRow;

typedef struct {
    const char *name; /* [name], or [name LABEL] where many */
    gboolean many;    /* one struct for each label */
    size_t size;      /* of the struct; where many it begins with ConfigLabel */
    const char *help; /* one line */
    const ConfigRow *rows;
    unsigned n_rows;
} ConfigSection;

/* The head of the struct of a section with labels. */
typedef struct {
    char *label;
    unsigned line; /* of its heading, for messages */
} ConfigLabel;

typedef enum { DRIVER_QMI, DRIVER_MBIM, DRIVER_REPLAY } ConfigDriver;

typedef struct {
    char *name;    /* of the vehicle */
    char *comment; /* kept in each drive */
} ConfigVehicle;

typedef struct {
    char *folder;
    gint64 commit_ns;
    gint64 rotate_after_ns;      /* 0 = never */
    gint64 rotate_size;          /* 0 = never */
    gint64 rotate_standstill_ns; /* 0 = never */
    gint64 budget;               /* bytes of all drives; 0 = no limit */
    gint64 keep_free;            /* bytes left to others: recording stops */
    gint64 warn_free;            /* bytes: low-disk event */
    gboolean seal;
    gboolean evidence;
    char *sign_key; /* NULL = drives are not signed */
} ConfigStore;

typedef struct {
    gboolean clear; /* store identities as they are */
    char *key_file; /* NULL = identity.key in the store's folder */
} ConfigIdentity;

typedef enum { GPS_GPSD, GPS_REPLAY } ConfigGpsDriver;

typedef struct {
    gboolean enabled;
    int driver; /* ConfigGpsDriver */
    char *host;
    gint64 port;
    char *device;      /* NULL = all that gpsd has */
    gint64 stale_ns;   /* silence after which the position is lost */
    gint64 latency_ns; /* from the instant of the fix to its arrival */
    double standstill_mps;
    char *replay_file;
    char *replay_label; /* NULL = the first receiver */
    double replay_speed;
} ConfigGps;

typedef struct {
    char *socket;
} ConfigStatus;

typedef struct {
    ConfigLabel head;
    int driver; /* ConfigDriver */
    char *device;
    char *usb_path;
    char *imei_hash;
    char *interface;
    char *operator_label;
    char *home_plmn;
    int place; /* AntennaPlace */
    double antenna_gain_dbi, cable_loss_db, floor_dbm;
    gint64 interval_ns;
    gint64 cell_interval_ns;
    gint64 card_interval_ns;
    gint64 timeout_ns;
    gint64 wedge_ns;
    gboolean proxy;
    char *proxy_path;
    gboolean no_file_check;
    gboolean antennas;
    gboolean qmi_over_mbim;
    char *replay_file;
    char *replay_label;
    double replay_speed;
} ConfigModem;

typedef struct {
    char *path;
    char *text; /* of the file, kept in each drive */
    ConfigVehicle vehicle;
    ConfigStore store;
    ConfigIdentity identity;
    ConfigGps gps;
    ConfigStatus status;
    GPtrArray *modems;    /* ConfigModem * in the order of the file */
    GHashTable *sections; /* name of any other section -> GPtrArray of its structs, or its struct */
} Config;

/* All sections, in the order of the sample file; ended by NULL. A part of the logger that has keys
 * of its own offers a ConfigSection in its own file and a line in config-table.c. */
extern const ConfigSection *const config_sections[];

/* Reads and checks a file. All errors are `FILE:LINE: what; what to do`.
 * Returns: (transfer full): free with config_free(). */
Config *config_load(const char *path, GError **error);

/* The same for text; `path` is for the messages. */
Config *config_parse(const char *path, const char *text, gsize length, GError **error);

/* NULL is allowed. */
void config_free(Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/* The struct of a section without labels, or the GPtrArray of those of a section with labels (never
 * NULL), by name: how parts with sections of their own get at them. (transfer none) */
gpointer config_section(const Config *config, const char *name);

/* Path of the key of the hashes of identities; NULL: they are stored clear. (transfer full) */
char *config_identity_key(const Config *config);

/* The sample file: all keys with their help, commented out with their defaults.
 * Returns: (transfer full). */
char *config_sample(void);
