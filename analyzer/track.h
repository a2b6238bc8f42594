/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A track: where one receiver was during one drive, as a path through the network. Made by the
 * matcher from fixes; asked by everything that has a time and wants a place.
 */
#pragma once

#include "analyzer/network.h"

typedef enum {
    PLACE_FIX,          /* at a matched fix or between two close ones (<= 2 s and 100 m) */
    PLACE_INTERPOLATED, /* in a gap, placed by time along the matched route */
    PLACE_OFF_NETWORK,  /* position known, but not on the network */
    PLACE_NO_POSITION,  /* no position at that time */
    PLACE_QUALITY_COUNT
} PlaceQuality;

typedef struct {
    PlaceQuality quality;
    uint32_t edge;        /* valid for PLACE_FIX and PLACE_INTERPOLATED */
    double offset_m;      /* from the edge's `from` node */
    gboolean backward;    /* travelling from `to` to `from` */
    double uncertainty_m; /* along the track, half width (docs/method.md, "Placing") */
    double speed_mps;     /* along the track */
    guint stretch;        /* connected piece of route, and metres travelled since its start */
    double travelled_m;
    GeoPoint point; /* the place; the raw position for PLACE_OFF_NETWORK */
} TrackPlace;

/* What became of one fix. */
typedef enum {
    FIX_MATCHED,
    FIX_OFF_NETWORK, /* believable, but nothing of the network near enough */
    FIX_REJECTED,    /* jump, out of reach at any believable speed, or no position in it */
    FIX_REPEATED,    /* same position as before with time running on: receiver held its last one */
    FIX_STATUS_COUNT
} FixStatus;

/* Why a fix was not used. */
typedef enum {
    FIX_FAULT_NONE,
    FIX_FAULT_NO_POSITION,
    FIX_FAULT_JUMP,   /* no vehicle gets there from the last good fix */
    FIX_FAULT_ASTRAY, /* far from where the fixes around say that the vehicle was */
    FIX_FAULT_HELD,   /* the receiver gave its last position again */
    FIX_FAULT_COUNT
} FixFault;

typedef struct {
    int64_t time_ns;
    GeoPoint raw;   /* as received */
    GeoPoint point; /* on the network if matched */
    uint32_t edge;  /* UINT32_MAX if not matched */
    double offset_m;
    double distance_m;  /* raw to matched; of a jump, from the last good fix; of one astray, from
                           where the vehicle was */
    double accuracy_m;  /* as received, 68 %; NAN if not told */
    double travelled_m; /* along the matched route since the start of its stretch */
    FixStatus status;
    FixFault fault;
    gboolean backward;
    uint32_t stretch; /* number of the connected piece of route it belongs to */
} TrackFix;

typedef struct Track Track;

void track_free(Track *track);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Track, track_free)

/* (transfer none) fixes in order of time; none if the track was made without keeping them. */
const TrackFix *track_fixes(const Track *track, size_t *n);

/* Where the last question was answered; start with {0}. Makes ascending times fast. */
typedef struct {
    size_t anchor;
    guint stretch, piece;
} TrackHint;

/* The same without the point of a place on the network, which network_point_at() gives. */
void track_find(const Track *track, int64_t time_ns, TrackHint *hint, TrackPlace *place);
/* Place at a time. */
void track_place(const Track *track, int64_t time_ns, TrackHint *hint, TrackPlace *place);
