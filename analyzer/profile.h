/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles: named services with their thresholds and the source of each (corridor-profile(5)).
 */
#pragma once

#include <glib.h>

#define PROFILE_ERROR profile_error_quark()
typedef enum {
    PROFILE_ERROR_FAILED,  /* cannot be read */
    PROFILE_ERROR_INVALID, /* the message begins with file:line */
} ProfileError;
GQuark profile_error_quark(void);

typedef enum {
    QUANTITY_LEVEL,   /* RSRP, RSCP or RXLEV at or above the threshold of its technology */
    QUANTITY_STATE,   /* service at all */
    QUANTITY_RTT,     /* round trip at most the limit, ms; a lost packet fails */
    QUANTITY_LOSS,    /* loss in an interval at most the limit, % */
    QUANTITY_DOWN,    /* throughput at least the limit, Mbit/s */
    QUANTITY_UP,      /* the same, other direction */
    QUANTITY_MEETING, /* meeting windows of the grade or better: limit 1 green, 2 yellow */
    QUANTITY_COUNT
} Quantity;
const char *quantity_name(Quantity quantity);
const char *quantity_unit(Quantity quantity);
/* -1 for NULL and for what is no quantity's name. */
int quantity_by_name(const char *name);

typedef enum { TECH_GSM, TECH_UMTS, TECH_LTE, TECH_NR, TECH_COUNT } Technology;
const char *technology_name(Technology technology);
/* -1 for NULL and for what is no technology's name. */
int technology_by_name(const char *name);

typedef struct {
    char *id, *title;
    Quantity quantity;
    gboolean has_level[TECH_COUNT]; /* level: the technologies that give the service */
    double level_dbm[TECH_COUNT];   /* state: from here on a few samples are proof enough */
    double limit;
    gboolean limited_counts; /* state: emergency calls are enough */
    double required;         /* share of the way, 0..1 */
    unsigned min_samples, min_passes, min_days;
    char *threshold_source, *required_source, *link; /* link may be NULL */
    unsigned line;                                   /* of its group in the file */
} Service;

typedef struct {
    char *id, *title, *path;
    char *digest; /* of its text */
    guint n_services;
    Service *services;
} Profile;

/* Reads a profile: a path, or the name of one that comes with the program ("default").
 * Returns: (transfer full): free with profile_free(). */
Profile *profile_load(const char *name_or_path, GError **error);
Profile *profile_parse(const char *path, const char *text, gsize length, GError **error);
void profile_free(Profile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Profile, profile_free)

/* Names of the profiles that come with the program, sorted. Returns: (transfer full). */
char **profile_names(void);
