/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: what a drive is made of.
 *
 * Each record kind is one list of columns. The list is the only place where a column is declared:
 * the C struct, the bit that says "this value is known", the SQL table, the column batches that
 * readers get, the sealed chunks, and the table of docs/drive-file.md all follow from it.
 *
 * Rules that hold for every record:
 *  - time_ns is nanoseconds since 1970-01-01T00:00:00Z (UTC, leap seconds not counted).
 *  - A value counts only if its bit in `known` is set; SQL shows an unknown value as NULL.
 *  - `source` is the number of a Source record of the same drive.
 *  - New columns go to the end of their list: sealed chunks name a column by its place in it.
 *  - Text belongs to the caller of the writer (borrowed for the call) or to the batch of the
 *    reader (valid until the next batch).
 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Radio access technology of a sample. The names (record_enum_name) are what SQL and CSV show. */
typedef enum {
    RAT_UNKNOWN, /* "unknown": the source did not say */
    RAT_NONE,    /* "none": no cell, the modem is searching */
    RAT_GSM,     /* "GSM" incl. GPRS, EDGE */
    RAT_UMTS,    /* "UMTS" incl. HSPA */
    RAT_LTE,     /* "LTE" */
    RAT_NR_NSA,  /* "NR-NSA": EN-DC, LTE anchor in the main columns, NR leg in the nr_ columns */
    RAT_NR_SA,   /* "NR-SA": NR in the main columns */
    RAT_COUNT
} Rat;

/* What the network gave the subscriber at that instant (docs/method.md, "No service"). */
typedef enum {
    SERVICE_UNKNOWN, /* "unknown": the source did not say */
    SERVICE_OK,      /* "ok": registered, home or roaming */
    SERVICE_LIMITED, /* "limited": emergency calls only */
    SERVICE_NONE,    /* "none": modem alive, no service: a measured hole in coverage */
    SERVICE_COUNT
} ServiceState;

typedef enum {
    SOURCE_UNKNOWN, /* "unknown" */
    SOURCE_MODEM,   /* "modem" */
    SOURCE_PHONE,   /* "phone": one device that measures radio and position */
    SOURCE_GPS,     /* "gps": a receiver that only gives positions */
    SOURCE_KIND_COUNT
} SourceKind;

typedef enum {
    PLACE_UNKNOWN, /* "unknown" */
    PLACE_ROOF,    /* "roof": outside the vehicle */
    PLACE_CABIN,   /* "cabin": inside the vehicle */
    PLACE_COUNT
} AntennaPlace;

typedef enum {
    DIRECTION_BOTH, /* "both" */
    DIRECTION_DOWN, /* "down": network to vehicle */
    DIRECTION_UP,   /* "up": vehicle to network */
    DIRECTION_COUNT
} Direction;

typedef enum {
    PROBE_ECHO,       /* "echo": ICMP or application round trip */
    PROBE_STAMP,      /* "stamp": RFC 8762 */
    PROBE_MEETING,    /* "meeting" */
    PROBE_THROUGHPUT, /* "throughput": HTTP(S) */
    PROBE_TRAIN,      /* "train": threshold train */
    PROBE_PASSIVE,    /* "passive": counted, nothing was sent for it */
    PROBE_KIND_COUNT
} ProbeKind;

typedef enum {
    STATUS_OK,      /* "ok" */
    STATUS_FAILED,  /* "failed": a result: the traveller would not have got through */
    STATUS_CUT,     /* "cut": ended early, what was measured until then counts */
    STATUS_SKIPPED, /* "skipped": not tried, says nothing about coverage */
    STATUS_COUNT
} ProbeStatus;

/* Grades of a meeting window (docs/method.md, "Meeting"). */
typedef enum {
    GRADE_UNKNOWN, /* "unknown" */
    GRADE_GREEN,   /* "green": all targets kept */
    GRADE_YELLOW,  /* "yellow": a target broken, not poor */
    GRADE_RED,     /* "red": poor */
    GRADE_BLACK,   /* "black": no reply */
    GRADE_COUNT
} MeetingGrade;

/* X(type, field, unit or enum name, what it is). Types: INT int64_t, REAL double, TEXT const char
 * *, ENUM int holding one value of the named enum (SQL shows its name). */

#define SOURCE_COLUMNS(X)                                                                          \
    X(INT, id, "", "number of the source in this drive, from 1")                                   \
    X(ENUM, kind, "SourceKind", "what kind of device")                                             \
    X(TEXT, label, "", "name of the source, unique in the drive")                                  \
    X(TEXT, operator_label, "", "operator whose SIM it carries: the label used in reports")        \
    X(TEXT, home_plmn, "", "MCC and MNC of the SIM, 5 or 6 digits (3GPP TS 23.003, 2.2)")          \
    X(ENUM, place, "AntennaPlace", "where the antenna is")                                         \
    X(REAL, antenna_gain_dbi, "dBi", "antenna gain")                                               \
    X(REAL, cable_loss_db, "dB", "loss between antenna and receiver")                              \
    X(REAL, floor_dbm, "dBm", "lowest level the receiver reports")                                 \
    X(INT, position_source, "", "source whose fixes place this one; NULL = its own")               \
    X(TEXT, model, "", "manufacturer and model")                                                   \
    X(TEXT, firmware, "", "firmware or app version")                                               \
    X(TEXT, device_hash, "", "keyed hash of the IMEI")                                             \
    X(TEXT, sim_hash, "", "keyed hash of the ICCID or IMSI")

#define IMPORT_COLUMNS(X)                                                                          \
    X(INT, time_ns, "ns", "when it was imported")                                                  \
    X(TEXT, sha256, "", "SHA-256 of the file's bytes, hex")                                        \
    X(TEXT, name, "", "name of the file, without its folder")                                      \
    X(TEXT, format, "", "format it was read as")                                                   \
    X(INT, rows, "", "rows of data read")                                                          \
    X(INT, refused_values, "", "values out of range, stored as NULL")                              \
    X(TEXT, detail, "", "JSON: refused values by kind, options used")

#define FIX_COLUMNS(X)                                                                             \
    X(INT, time_ns, "ns", "time of the fix")                                                       \
    X(INT, source, "", "receiver")                                                                 \
    X(INT, mode, "", "0 unknown, 1 no fix, 2 two-dimensional, 3 three-dimensional")                \
    X(REAL, lat, "deg", "latitude, WGS 84, -90..90")                                               \
    X(REAL, lon, "deg", "longitude, WGS 84, -180..180")                                            \
    X(REAL, altitude_m, "m", "height above mean sea level")                                        \
    X(REAL, accuracy_m, "m", "horizontal accuracy as the receiver states it (68 %)")               \
    X(REAL, speed_mps, "m/s", "speed over ground")                                                 \
    X(REAL, heading_deg, "deg", "track over ground, clockwise from true north, 0..360")            \
    X(REAL, hdop, "", "horizontal dilution of precision")                                          \
    X(INT, satellites, "", "satellites used")                                                      \
    X(INT, received_ns, "ns", "when the logger got it")

#define SAMPLE_COLUMNS(X)                                                                          \
    X(INT, time_ns, "ns", "time of the observation (the answer's arrival)")                        \
    X(INT, source, "", "modem or phone")                                                           \
    X(INT, request_ns, "ns", "when it was asked for")                                              \
    X(ENUM, rat, "Rat", "radio access technology")                                                 \
    X(ENUM, service, "ServiceState", "service given; none = a measured hole")                      \
    X(INT, roaming, "", "1 registered in a foreign network, 0 at home")                            \
    X(TEXT, plmn, "", "MCC and MNC of the serving network, 5 or 6 digits")                         \
    X(INT, tac, "", "tracking or location area code")                                              \
    X(INT, cell_id, "", "ECI (28 bit), NCI (36 bit), UMTS or GSM cell identity")                   \
    X(INT, pci, "", "physical cell id: LTE 0..503, NR 0..1007; UMTS scrambling code, GSM BSIC")    \
    X(INT, arfcn, "", "downlink channel: EARFCN, NR-ARFCN, UARFCN or ARFCN")                       \
    X(INT, band, "", "operating band number")                                                      \
    X(INT, bandwidth_khz, "kHz", "downlink channel bandwidth")                                     \
    X(REAL, rsrp_dbm, "dBm", "RSRP; SS-RSRP with NR-SA (3GPP TS 36.214 5.1.1, 38.215 5.1.1)")      \
    X(REAL, rsrq_db, "dB", "RSRQ; SS-RSRQ with NR-SA")                                             \
    X(REAL, sinr_db, "dB", "SINR; SS-SINR with NR-SA")                                             \
    X(REAL, rssi_dbm, "dBm", "RSSI")                                                               \
    X(REAL, rscp_dbm, "dBm", "UMTS CPICH RSCP")                                                    \
    X(REAL, ecio_db, "dB", "UMTS CPICH Ec/N0")                                                     \
    X(REAL, rxlev_dbm, "dBm", "GSM RXLEV")                                                         \
    X(REAL, tx_power_dbm, "dBm", "transmit power")                                                 \
    X(INT, timing_advance, "", "timing advance index")                                             \
    X(INT, cqi, "", "channel quality indicator, 0..15")                                            \
    X(INT, nr_cell_id, "", "NSA only: NR cell identity of the secondary cell group")               \
    X(INT, nr_pci, "", "NSA only: physical cell id of the NR leg, 0..1007")                        \
    X(INT, nr_arfcn, "", "NSA only: NR-ARFCN of the NR leg")                                       \
    X(INT, nr_band, "", "NSA only: NR band number of the NR leg")                                  \
    X(INT, nr_bandwidth_khz, "kHz", "NSA only: bandwidth of the NR leg")                           \
    X(REAL, nr_rsrp_dbm, "dBm", "NSA only: SS-RSRP of the NR leg")                                 \
    X(REAL, nr_rsrq_db, "dB", "NSA only: SS-RSRQ of the NR leg")                                   \
    X(REAL, nr_sinr_db, "dB", "NSA only: SS-SINR of the NR leg")

#define NEIGHBOUR_COLUMNS(X)                                                                       \
    X(INT, time_ns, "ns", "time of the observation")                                               \
    X(INT, source, "", "modem or phone")                                                           \
    X(ENUM, rat, "Rat", "radio access technology of the neighbour")                                \
    X(TEXT, plmn, "", "MCC and MNC where reported")                                                \
    X(INT, cell_id, "", "cell identity where reported")                                            \
    X(INT, pci, "", "physical cell id, scrambling code or BSIC")                                   \
    X(INT, arfcn, "", "downlink channel")                                                          \
    X(REAL, rsrp_dbm, "dBm", "RSRP")                                                               \
    X(REAL, rsrq_db, "dB", "RSRQ")                                                                 \
    X(REAL, sinr_db, "dB", "SINR")                                                                 \
    X(REAL, rssi_dbm, "dBm", "RSSI, RSCP (UMTS) or RXLEV (GSM)")

#define CARRIER_COLUMNS(X)                                                                         \
    X(INT, time_ns, "ns", "time of the observation")                                               \
    X(INT, source, "", "modem")                                                                    \
    X(INT, number, "", "0 primary cell, from 1 secondary cells")                                   \
    X(ENUM, rat, "Rat", "radio access technology")                                                 \
    X(INT, pci, "", "physical cell id")                                                            \
    X(INT, arfcn, "", "downlink channel")                                                          \
    X(INT, band, "", "operating band number")                                                      \
    X(INT, bandwidth_khz, "kHz", "downlink bandwidth")                                             \
    X(INT, active, "", "1 activated, 0 configured only")

#define ANTENNA_COLUMNS(X)                                                                         \
    X(INT, time_ns, "ns", "time of the observation")                                               \
    X(INT, source, "", "modem")                                                                    \
    X(INT, chain, "", "receive chain, from 0")                                                     \
    X(ENUM, rat, "Rat", "radio access technology asked for")                                       \
    X(REAL, rx_power_dbm, "dBm", "received power")                                                 \
    X(REAL, rsrp_dbm, "dBm", "RSRP of the chain")                                                  \
    X(REAL, ecio_db, "dB", "Ec/Io of the chain")                                                   \
    X(REAL, rscp_dbm, "dBm", "RSCP of the chain")

#define REGISTRATION_COLUMNS(X)                                                                    \
    X(INT, time_ns, "ns", "time of the change")                                                    \
    X(INT, source, "", "modem")                                                                    \
    X(TEXT, state, "", "not-registered, home, roaming, searching, denied, unknown")                \
    X(TEXT, packet_state, "", "attached, detached, connected, unknown")                            \
    X(TEXT, plmn, "", "MCC and MNC of the network")                                                \
    X(TEXT, network_name, "", "name the network gives itself")                                     \
    X(TEXT, bearer, "",                                                                            \
      "bearer technology of the data connection: LTE, LTE-CA, LTE+NR (EN-DC), NR, or the older "   \
      "one")                                                                                       \
    X(INT, rx_bytes, "byte", "bytes received on the data connection since it began")               \
    X(INT, tx_bytes, "byte", "bytes sent on the data connection since it began")

#define PROBE_COLUMNS(X)                                                                           \
    X(INT, time_ns, "ns", "start")                                                                 \
    X(INT, source, "", "modem or phone it ran on")                                                 \
    X(INT, id, "", "number of the probe in this drive, from 1")                                    \
    X(ENUM, kind, "ProbeKind", "what was measured")                                                \
    X(INT, end_ns, "ns", "end")                                                                    \
    X(ENUM, status, "ProbeStatus", "how it ended")                                                 \
    X(TEXT, reason, "", "why it was cut, skipped or failed, or a meeting grade's cause")           \
    X(TEXT, target, "", "host or address measured against")                                        \
    X(ENUM, direction, "Direction", "direction of the measured traffic")                           \
    X(INT, bytes_down, "byte", "bytes received for it")                                            \
    X(INT, bytes_up, "byte", "bytes sent for it")                                                  \
    X(REAL, setup_ms, "ms", "time until the session stood; HTTP: first byte")                      \
    X(REAL, value, "", "its one result: rtt ms, bit/s, share of good windows; see probes.md")      \
    X(TEXT, detail, "", "JSON: parameters and further results")                                    \
    X(INT, passive_down, "byte", "goodput down on the interface meanwhile, by the capture")        \
    X(INT, passive_up, "byte", "the same up")                                                      \
    X(REAL, passive_ratio, "", "bytes the probe counted / those the capture saw; see probes.md")

#define LATENCY_COLUMNS(X)                                                                         \
    X(INT, time_ns, "ns", "start of the interval, or when the echo was sent")                      \
    X(INT, source, "", "modem or phone")                                                           \
    X(INT, probe, "", "number of the probe; NULL for a lone echo")                                 \
    X(ENUM, kind, "ProbeKind", "echo, stamp or meeting")                                           \
    X(TEXT, target, "", "host or address")                                                         \
    X(INT, duration_ns, "ns", "length of the interval; 0 for a lone echo")                         \
    X(INT, sent, "", "packets sent")                                                               \
    X(INT, received, "", "answers received in time; 0 with sent > 0 is an outage")                 \
    X(REAL, rtt_ms, "ms", "median round-trip time; the one value of a lone echo")                  \
    X(REAL, rtt_min_ms, "ms", "shortest round trip")                                               \
    X(REAL, rtt_max_ms, "ms", "longest round trip")                                                \
    X(REAL, jitter_ms, "ms", "interarrival jitter (RFC 3550, 6.4.1) at the end of the interval")   \
    X(REAL, delay_up_ms, "ms", "median one-way delay up; only with disciplined clocks")            \
    X(REAL, delay_down_ms, "ms", "median one-way delay down; only with disciplined clocks")        \
    X(INT, lost_up, "", "packets lost on the way up")                                              \
    X(INT, lost_down, "", "packets lost on the way down")                                          \
    X(INT, reordered, "", "answers that came out of order")                                        \
    X(INT, longest_loss, "", "longest run of packets lost in a row")

#define THROUGHPUT_COLUMNS(X)                                                                      \
    X(INT, time_ns, "ns", "start of the interval")                                                 \
    X(INT, source, "", "modem or phone")                                                           \
    X(INT, probe, "", "number of the probe; NULL for passive counts")                              \
    X(ENUM, kind, "ProbeKind", "throughput, train or passive")                                     \
    X(ENUM, direction, "Direction", "down or up")                                                  \
    X(INT, duration_ns, "ns", "length of the interval")                                            \
    X(INT, bytes, "byte", "bytes counted in it")                                                   \
    X(REAL, rate_bps, "bit/s", "8 * bytes / duration")                                             \
    X(REAL, target_bps, "bit/s", "train: the rate that was asked of the network")                  \
    X(INT, reached, "", "train: 1 available, 0 not")                                               \
    X(REAL, delay_ms, "ms", "train: added delay; passive: TCP round trip")                         \
    X(INT, retransmissions, "", "passive: TCP segments sent again")

#define MEETING_COLUMNS(X)                                                                         \
    X(INT, time_ns, "ns", "start of the window")                                                   \
    X(INT, source, "", "modem or phone")                                                           \
    X(INT, probe, "", "number of the probe")                                                       \
    X(INT, duration_ns, "ns", "length of the window")                                              \
    X(ENUM, grade, "MeetingGrade", "verdict of the window")                                        \
    X(TEXT, reason, "", "targets that were broken, comma separated")                               \
    X(REAL, r_factor, "", "E-model R of the audio (ITU-T G.107)")                                  \
    X(REAL, mos, "", "mean opinion score from R")                                                  \
    X(REAL, rtt_ms, "ms", "median round trip")                                                     \
    X(REAL, jitter_ms, "ms", "largest interarrival jitter of the two ways")                        \
    X(REAL, loss_percent, "%", "audio packets lost, the worse of the two ways")                    \
    X(INT, longest_loss, "", "longest run of audio packets lost")                                  \
    X(REAL, video_loss_percent, "%", "video frames lost or incomplete, the worse of the two ways") \
    X(INT, is_window, "", "1 a window of 15 s made of the seconds before it, 0 one second")        \
    X(REAL, concealed_percent, "%", "audio packets lost or too late, the worse of the two ways")   \
    X(INT, single_losses, "", "200 ms windows with at least one audio packet lost")                \
    X(INT, reordered, "", "packets out of order, both ways")

#define EVENT_COLUMNS(X)                                                                           \
    X(INT, time_ns, "ns", "when")                                                                  \
    X(INT, source, "", "source it concerns; NULL = the whole box")                                 \
    X(TEXT, kind, "", "what happened; the kinds are listed in docs/drive-file.md")                 \
    X(TEXT, detail, "", "in words or JSON")                                                        \
    X(REAL, value, "", "number that belongs to it: seconds, bytes, count; see the kind")

#define CLOCK_COLUMNS(X)                                                                           \
    X(INT, time_ns, "ns", "UTC of the mapping")                                                    \
    X(INT, mono_ns, "ns", "CLOCK_BOOTTIME at the same instant")                                    \
    X(TEXT, boot, "", "kernel boot id")                                                            \
    X(TEXT, origin, "", "gps, pps, system")                                                        \
    X(REAL, uncertainty_ms, "ms", "how far off it may be")                                         \
    X(INT, step_ns, "ns", "by how much it differs from the mapping before it")

/* Each kind: X(KIND, Struct, table, COLUMNS) */
#define RECORD_KINDS(X)                                                                            \
    X(SOURCE, Source, sources, SOURCE_COLUMNS)                                                     \
    X(IMPORT, Import, imports, IMPORT_COLUMNS)                                                     \
    X(FIX, Fix, fixes, FIX_COLUMNS)                                                                \
    X(SAMPLE, Sample, samples, SAMPLE_COLUMNS)                                                     \
    X(NEIGHBOUR, Neighbour, neighbours, NEIGHBOUR_COLUMNS)                                         \
    X(CARRIER, Carrier, carriers, CARRIER_COLUMNS)                                                 \
    X(ANTENNA, Antenna, antennas, ANTENNA_COLUMNS)                                                 \
    X(REGISTRATION, Registration, registrations, REGISTRATION_COLUMNS)                             \
    X(PROBE, Probe, probes, PROBE_COLUMNS)                                                         \
    X(LATENCY, Latency, latencies, LATENCY_COLUMNS)                                                \
    X(THROUGHPUT, Throughput, throughputs, THROUGHPUT_COLUMNS)                                     \
    X(MEETING, Meeting, meetings, MEETING_COLUMNS)                                                 \
    X(EVENT, Event, events, EVENT_COLUMNS)                                                         \
    X(CLOCK, Clock, clocks, CLOCK_COLUMNS)

typedef enum {
#define X(KIND, Struct, table, COLUMNS) RECORD_##KIND,
    RECORD_KINDS(X)
#undef X
        RECORD_KIND_COUNT
} RecordKind;

/* Column numbers: SAMPLE_COL_rsrp_dbm and so on, from 0 in the order of the list. */
#define RECORD_COLUMN_NUMBER_(prefix, field)    prefix##_COL_##field
#define X_SOURCE(type, field, unit, text)       RECORD_COLUMN_NUMBER_(SOURCE, field),
#define X_IMPORT(type, field, unit, text)       RECORD_COLUMN_NUMBER_(IMPORT, field),
#define X_FIX(type, field, unit, text)          RECORD_COLUMN_NUMBER_(FIX, field),
#define X_SAMPLE(type, field, unit, text)       RECORD_COLUMN_NUMBER_(SAMPLE, field),
#define X_NEIGHBOUR(type, field, unit, text)    RECORD_COLUMN_NUMBER_(NEIGHBOUR, field),
#define X_CARRIER(type, field, unit, text)      RECORD_COLUMN_NUMBER_(CARRIER, field),
#define X_ANTENNA(type, field, unit, text)      RECORD_COLUMN_NUMBER_(ANTENNA, field),
#define X_REGISTRATION(type, field, unit, text) RECORD_COLUMN_NUMBER_(REGISTRATION, field),
#define X_PROBE(type, field, unit, text)        RECORD_COLUMN_NUMBER_(PROBE, field),
#define X_LATENCY(type, field, unit, text)      RECORD_COLUMN_NUMBER_(LATENCY, field),
#define X_THROUGHPUT(type, field, unit, text)   RECORD_COLUMN_NUMBER_(THROUGHPUT, field),
#define X_MEETING(type, field, unit, text)      RECORD_COLUMN_NUMBER_(MEETING, field),
#define X_EVENT(type, field, unit, text)        RECORD_COLUMN_NUMBER_(EVENT, field),
#define X_CLOCK(type, field, unit, text)        RECORD_COLUMN_NUMBER_(CLOCK, field),
#define X(KIND, Struct, table, COLUMNS)                                                            \
    typedef enum { COLUMNS(X_##KIND) KIND##_COL_COUNT } Struct##Column;
RECORD_KINDS(X)
#undef X

/* Structs: typedef struct { uint64_t known; int64_t time_ns; ... } Sample; */
#define RECORD_C_INT(field)                    int64_t field;
#define RECORD_C_REAL(field)                   double field;
#define RECORD_C_TEXT(field)                   const char *field;
#define RECORD_C_ENUM(field)                   int field;
#define RECORD_FIELD_(type, field, unit, text) RECORD_C_##type(field)
#define X(KIND, Struct, table, COLUMNS)                                                            \
    typedef struct {                                                                               \
        uint64_t known;                                                                            \
        COLUMNS(RECORD_FIELD_)                                                                     \
    } Struct;
RECORD_KINDS(X)
#undef X

/* A struct big enough for any record. */
typedef union {
#define X(KIND, Struct, table, COLUMNS) Struct KIND##_record;
    RECORD_KINDS(X)
#undef X
} AnyRecord;

/* Sets a field and its bit: RECORD_SET(&sample, SAMPLE, rsrp_dbm, -97.0). */
#define RECORD_SET(record, KIND, field, v)                                                         \
    ((record)->field = (v), (record)->known |= UINT64_C(1) << KIND##_COL_##field)
#define RECORD_UNSET(record, KIND, field) ((record)->known &= ~(UINT64_C(1) << KIND##_COL_##field))
#define RECORD_HAS(record, KIND, field)   ((((record)->known >> KIND##_COL_##field) & 1U) != 0)
/* The bit of one column, for column masks: RECORD_BIT(SAMPLE, rsrp_dbm). */
#define RECORD_BIT(KIND, field) (UINT64_C(1) << KIND##_COL_##field)

typedef enum { COLUMN_INT, COLUMN_REAL, COLUMN_TEXT, COLUMN_ENUM } ColumnType;

typedef struct {
    const char *name;
    ColumnType type;
    const char *unit;              /* "" where it has none; for COLUMN_ENUM the name of the enum */
    const char *text;              /* what it is */
    const char *const *enum_names; /* COLUMN_ENUM: names by value; else NULL */
    int enum_count;
    size_t offset; /* of the field in the struct */
} RecordColumn;

typedef struct {
    RecordKind kind;
    const char *table; /* SQL name */
    size_t size;       /* of the struct */
    unsigned n_columns;
    const RecordColumn *columns;
} RecordType;

/* The type of one record kind. */
const RecordType *record_type(RecordKind kind);

/* Finds a record type by its table name. Returns NULL if there is none. */
const RecordType *record_type_by_table(const char *table);

/* Name of an enum column's value; "unknown" for a value out of range. */
const char *record_enum_name(const RecordColumn *column, int value);

/* Value of an enum column by name (exact, length given because SQL text is counted).
 * Returns -1 if the enum has no such name. */
int record_enum_value(const RecordColumn *column, const char *name, size_t length);

const char *rat_name(Rat rat);
