/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/records.h"

#include <stddef.h>
#include <string.h>

static const char *const rat_names[] = {"unknown", "none", "GSM", "UMTS", "LTE", "NR-NSA", "NR-SA"};
static const char *const service_names[] = {"unknown", "ok", "limited", "none"};
static const char *const source_kind_names[] = {"unknown", "modem", "phone", "gps"};
static const char *const place_names[] = {"unknown", "roof", "cabin"};
static const char *const direction_names[] = {"both", "down", "up"};
static const char *const probe_kind_names[] = {"echo",       "stamp", "meeting",
                                               "throughput", "train", "passive"};
static const char *const status_names[] = {"ok", "failed", "cut", "skipped"};
static const char *const grade_names[] = {"unknown", "green", "yellow", "red", "black"};

G_STATIC_ASSERT(G_N_ELEMENTS(rat_names) == RAT_COUNT);
G_STATIC_ASSERT(G_N_ELEMENTS(service_names) == SERVICE_COUNT);
G_STATIC_ASSERT(G_N_ELEMENTS(source_kind_names) == SOURCE_KIND_COUNT);
G_STATIC_ASSERT(G_N_ELEMENTS(place_names) == PLACE_COUNT);
G_STATIC_ASSERT(G_N_ELEMENTS(direction_names) == DIRECTION_COUNT);
G_STATIC_ASSERT(G_N_ELEMENTS(probe_kind_names) == PROBE_KIND_COUNT);
G_STATIC_ASSERT(G_N_ELEMENTS(status_names) == STATUS_COUNT);
G_STATIC_ASSERT(G_N_ELEMENTS(grade_names) == GRADE_COUNT);

/* The enum of a column is known by its field name: no field name is used for two enums, but for
 * `kind`, which is a SourceKind in sources and a ProbeKind elsewhere. */
#define ENUM_rat       rat_names, RAT_COUNT
#define ENUM_service   service_names, SERVICE_COUNT
#define ENUM_place     place_names, PLACE_COUNT
#define ENUM_direction direction_names, DIRECTION_COUNT
#define ENUM_status    status_names, STATUS_COUNT
#define ENUM_grade     grade_names, GRADE_COUNT
#define ENUM_kind      probe_kind_names, PROBE_KIND_COUNT

#define COLUMN_OF_INT(S, field, u, t)                                                              \
    {                                                                                              \
        .name = #field, .type = COLUMN_INT, .unit = (u), .text = (t), .offset = offsetof(S, field) \
    }
#define COLUMN_OF_REAL(S, field, u, t)                                                             \
    {                                                                                              \
        .name = #field, .type = COLUMN_REAL, .unit = (u), .text = (t),                             \
        .offset = offsetof(S, field)                                                               \
    }
#define COLUMN_OF_TEXT(S, field, u, t)                                                             \
    {                                                                                              \
        .name = #field, .type = COLUMN_TEXT, .unit = (u), .text = (t),                             \
        .offset = offsetof(S, field)                                                               \
    }
#define COLUMN_OF_ENUM(S, field, u, t)                                                             \
    {                                                                                              \
#field, COLUMN_ENUM, (u), (t), ENUM_##field, offsetof(S, field)                            \
    }

#define C_FIX(type, f, u, t)          COLUMN_OF_##type(Fix, f, u, t),
#define C_IMPORT(type, f, u, t)       COLUMN_OF_##type(Import, f, u, t),
#define C_SAMPLE(type, f, u, t)       COLUMN_OF_##type(Sample, f, u, t),
#define C_NEIGHBOUR(type, f, u, t)    COLUMN_OF_##type(Neighbour, f, u, t),
#define C_CARRIER(type, f, u, t)      COLUMN_OF_##type(Carrier, f, u, t),
#define C_ANTENNA(type, f, u, t)      COLUMN_OF_##type(Antenna, f, u, t),
#define C_REGISTRATION(type, f, u, t) COLUMN_OF_##type(Registration, f, u, t),
#define C_PROBE(type, f, u, t)        COLUMN_OF_##type(Probe, f, u, t),
#define C_LATENCY(type, f, u, t)      COLUMN_OF_##type(Latency, f, u, t),
#define C_THROUGHPUT(type, f, u, t)   COLUMN_OF_##type(Throughput, f, u, t),
#define C_MEETING(type, f, u, t)      COLUMN_OF_##type(Meeting, f, u, t),
#define C_EVENT(type, f, u, t)        COLUMN_OF_##type(Event, f, u, t),
#define C_CLOCK(type, f, u, t)        COLUMN_OF_##type(Clock, f, u, t),

static const RecordColumn import_columns[] = {IMPORT_COLUMNS(C_IMPORT)};
static const RecordColumn fix_columns[] = {FIX_COLUMNS(C_FIX)};
static const RecordColumn sample_columns[] = {SAMPLE_COLUMNS(C_SAMPLE)};
static const RecordColumn neighbour_columns[] = {NEIGHBOUR_COLUMNS(C_NEIGHBOUR)};
static const RecordColumn carrier_columns[] = {CARRIER_COLUMNS(C_CARRIER)};
static const RecordColumn antenna_columns[] = {ANTENNA_COLUMNS(C_ANTENNA)};
static const RecordColumn registration_columns[] = {REGISTRATION_COLUMNS(C_REGISTRATION)};
static const RecordColumn probe_columns[] = {PROBE_COLUMNS(C_PROBE)};
static const RecordColumn latency_columns[] = {LATENCY_COLUMNS(C_LATENCY)};
static const RecordColumn throughput_columns[] = {THROUGHPUT_COLUMNS(C_THROUGHPUT)};
static const RecordColumn meeting_columns[] = {MEETING_COLUMNS(C_MEETING)};
static const RecordColumn event_columns[] = {EVENT_COLUMNS(C_EVENT)};
static const RecordColumn clock_columns[] = {CLOCK_COLUMNS(C_CLOCK)};

#undef ENUM_kind
#define ENUM_kind               source_kind_names, SOURCE_KIND_COUNT
#define C_SOURCE(type, f, u, t) COLUMN_OF_##type(Source, f, u, t),
static const RecordColumn source_columns[] = {SOURCE_COLUMNS(C_SOURCE)};

#define COLUMNS_SOURCE       source_columns
#define COLUMNS_IMPORT       import_columns
#define COLUMNS_FIX          fix_columns
#define COLUMNS_SAMPLE       sample_columns
#define COLUMNS_NEIGHBOUR    neighbour_columns
#define COLUMNS_CARRIER      carrier_columns
#define COLUMNS_ANTENNA      antenna_columns
#define COLUMNS_REGISTRATION registration_columns
#define COLUMNS_PROBE        probe_columns
#define COLUMNS_LATENCY      latency_columns
#define COLUMNS_THROUGHPUT   throughput_columns
#define COLUMNS_MEETING      meeting_columns
#define COLUMNS_EVENT        event_columns
#define COLUMNS_CLOCK        clock_columns

static const RecordType types[] = {
#define X(K, Struct, sql, COLUMNS)                                                                 \
    {RECORD_##K, #sql, sizeof(Struct), G_N_ELEMENTS(COLUMNS_##K), COLUMNS_##K},
    RECORD_KINDS(X)
#undef X
};

G_STATIC_ASSERT(SAMPLE_COL_COUNT <= 64);

const RecordType *record_type(RecordKind kind)
{
    g_assert(kind >= 0 && kind < RECORD_KIND_COUNT);
    return &types[kind];
}

const RecordType *record_type_by_table(const char *table)
{
    for (unsigned i = 0; i < RECORD_KIND_COUNT; i++)
        if (strcmp(types[i].table, table) == 0)
            return &types[i];
    return NULL;
}

const char *record_enum_name(const RecordColumn *column, int value)
{
    g_assert(column->type == COLUMN_ENUM);
    return value >= 0 && value < column->enum_count ? column->enum_names[value] : "unknown";
}

int record_enum_value(const RecordColumn *column, const char *name, size_t length)
{
    g_assert(column->type == COLUMN_ENUM);
    for (int i = 0; i < column->enum_count; i++)
        if (strlen(column->enum_names[i]) == length &&
            memcmp(column->enum_names[i], name, length) == 0)
            return i;
    return -1;
}

const char *rat_name(Rat rat)
{
    return record_enum_name(&sample_columns[SAMPLE_COL_rat], (int)rat);
}
