/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which column of a table is what: for files whose app this program does not know.
 * docs/corridor-mapping.5.scd describes the words and files.
 */
#pragma once

#include "formats/parse-value.h"
#include "formats/records.h"

/* What a column can be mapped to. Fields of fixes, samples and others share one list of names. */
typedef enum {
    MAP_TIME,
    MAP_OPERATOR,
    MAP_DEVICE,
    MAP_PLMN,
    MAP_MCC,
    MAP_MNC,
    MAP_RAT,
    MAP_SERVICE,
    MAP_FIX_REAL,    /* column of Fix */
    MAP_SAMPLE_REAL, /* column of Sample */
    MAP_SAMPLE_INT,  /* column of Sample */
    MAP_RATE_DOWN,   /* bit/s, passive, last second */
    MAP_RATE_UP,
    MAP_RTT, /* ms */
    MAP_RTT_MAX,
    MAP_PING_SENT,
    MAP_PING_RECEIVED,
    MAP_PING_LOST,
} MapRole;

typedef struct {
    const char *name;
    MapRole role;
    unsigned column; /* of the record, for the three column roles */
    double factor;   /* to the record's unit */
} MapField;

/* The field of a name, or NULL. */
const MapField *map_field(const char *name);

/* One bound column: header column (and the one to take where it is empty), field, factor. */
typedef struct {
    const MapField *field;
    int column, fallback; /* fallback -1: none */
    double factor;
    char *target; /* MAP_RTT: host, from the name behind @ or the part that * matched */
} MapBinding;

typedef struct {
    GArray *bindings;  /* of MapBinding */
    GHashTable *words; /* text of a RAT column -> GINT Rat */
    TimeFormat time_format;
    char *timezone;    /* NULL: as the import says */
    gboolean has_lost; /* a number that means "no answer" in RTT columns */
    double lost;
    gboolean empty_is_lost;
    gboolean hex_cell_id;
    Rat rat; /* of rows whose technology is not said but which have a level; RAT_UNKNOWN: none */
} Mapping;

/* A mapping from FIELD=COLUMN words and, before them, a file; for this table's header. Unknown
 * fields and columns that are not there are errors which name them (and the file's line).
 * Returns: (transfer full). */
Mapping *mapping_new(const char *file, const char *const *words, const TextTable *table,
                     GError **error);

/* The mapping that needs no words: header names are field names (plain CSV). Columns with other
 * names are passed over. */
Mapping *mapping_from_header(const TextTable *table);
void mapping_free(Mapping *mapping);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mapping, mapping_free)

/* TRUE if a field of this role is bound. */
gboolean mapping_has(const Mapping *mapping, MapRole role);
