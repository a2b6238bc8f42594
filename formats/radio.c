/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/radio.h"

#include <math.h>
#include <string.h>

gboolean radio_level_dbm(const Sample *sample, double *level_dbm)
{
    switch ((Rat)sample->rat) {
    case RAT_LTE:
    case RAT_NR_NSA:
    case RAT_NR_SA:
        if (!RECORD_HAS(sample, SAMPLE, rsrp_dbm))
            return FALSE;
        *level_dbm = sample->rsrp_dbm;
        return TRUE;
    case RAT_UMTS:
        if (!RECORD_HAS(sample, SAMPLE, rscp_dbm))
            return FALSE;
        *level_dbm = sample->rscp_dbm;
        return TRUE;
    case RAT_GSM:
        if (RECORD_HAS(sample, SAMPLE, rxlev_dbm))
            *level_dbm = sample->rxlev_dbm;
        else if (RECORD_HAS(sample, SAMPLE, rssi_dbm))
            *level_dbm = sample->rssi_dbm;
        else
            return FALSE;
        return TRUE;
    case RAT_UNKNOWN:
    case RAT_NONE:
    case RAT_COUNT:
        break;
    }
    return FALSE;
}

static const char *const refused_names[] = {
    "RSRP",     "RSRQ",    "SINR",      "RSSI",   "RSCP", "Ec/Io",      "RXLEV",
    "PCI",      "channel", "cell id",   "TAC",    "CQI",  "PLMN",       "latitude or longitude",
    "accuracy", "speed",   "direction", "height", "time", "round trip", "bit rate",
};
G_STATIC_ASSERT(G_N_ELEMENTS(refused_names) == REFUSED_KIND_COUNT);

const char *radio_refused_name(RefusedKind kind)
{
    g_assert(kind >= 0 && kind < REFUSED_KIND_COUNT);
    return refused_names[kind];
}

/* Reporting ranges of the real columns of a sample, widest of the technologies that use them. */
typedef struct {
    unsigned column;
    RefusedKind kind;
    double low, high;
} RealRange;

static const RealRange real_ranges[] = {
    /* TS 36.133 9.1.4, TS 38.133 10.1.6 */
    {SAMPLE_COL_rsrp_dbm, REFUSED_RSRP, RADIO_RSRP_MIN_DBM, RADIO_RSRP_MAX_DBM},
    {SAMPLE_COL_nr_rsrp_dbm, REFUSED_RSRP, RADIO_RSRP_MIN_DBM, RADIO_RSRP_MAX_DBM},
    /* TS 36.133 9.1.7: -34..2.5; TS 38.133 10.1.11: -43..20 */
    {SAMPLE_COL_rsrq_db, REFUSED_RSRQ, -43.0, 20.0},
    {SAMPLE_COL_nr_rsrq_db, REFUSED_RSRQ, -43.0, 20.0},
    /* TS 36.133 9.1.17, TS 38.133 10.1.16 */
    {SAMPLE_COL_sinr_db, REFUSED_SINR, -23.0, 40.0},
    {SAMPLE_COL_nr_sinr_db, REFUSED_SINR, -23.0, 40.0},
    /* TS 36.133 and 25.133 9.1.3: -100..-25; phones add 20 MHz carriers and weak cells to it */
    {SAMPLE_COL_rssi_dbm, REFUSED_RSSI, -130.0, -10.0},
    /* TS 25.133 9.1.1: -120..-25. Android's -24 says "-25 or more", and is what phones give for
     * hours on end that do not measure it. */
    {SAMPLE_COL_rscp_dbm, REFUSED_RSCP, -120.0, -25.0},
    /* TS 25.133 9.1.2: -24..0 */
    {SAMPLE_COL_ecio_db, REFUSED_ECIO, -24.0, 0.0},
    /* TS 45.008 8.1.4: -110..-48; TS 27.007 8.5 reports down to -113 and up to -51 */
    {SAMPLE_COL_rxlev_dbm, REFUSED_RXLEV, -113.0, -47.0},
};

static gboolean in_range(const RealRange *range, double value)
{
    return value >= range->low && value <= range->high;
}

static void check_reals(Sample *sample, RefusedCounts *refused)
{
    const RecordColumn *columns = record_type(RECORD_SAMPLE)->columns;
    for (unsigned i = 0; i < G_N_ELEMENTS(real_ranges); i++) {
        const RealRange *range = &real_ranges[i];
        if ((sample->known >> range->column & 1U) == 0)
            continue;
        double value =
            *(const double *)(const void *)((const char *)sample + columns[range->column].offset);
        if (in_range(range, value))
            continue;
        sample->known &= ~(UINT64_C(1) << range->column);
        refused->count[range->kind]++;
    }
}

/* A neighbour's quantities have the ranges of a sample's; its rssi_dbm may be RSCP or RXLEV, which
 * lie within those of the RSSI. */
void radio_check_neighbour(Neighbour *neighbour, RefusedCounts *refused)
{
    const struct {
        unsigned column, of_sample;
        double value;
    } rows[] = {
        {NEIGHBOUR_COL_rsrp_dbm, SAMPLE_COL_rsrp_dbm, neighbour->rsrp_dbm},
        {NEIGHBOUR_COL_rsrq_db, SAMPLE_COL_rsrq_db, neighbour->rsrq_db},
        {NEIGHBOUR_COL_sinr_db, SAMPLE_COL_sinr_db, neighbour->sinr_db},
        {NEIGHBOUR_COL_rssi_dbm, SAMPLE_COL_rssi_dbm, neighbour->rssi_dbm},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        for (unsigned r = 0; r < G_N_ELEMENTS(real_ranges); r++)
            if (real_ranges[r].column == rows[i].of_sample &&
                (neighbour->known >> rows[i].column & 1U) != 0 &&
                !in_range(&real_ranges[r], rows[i].value)) {
                neighbour->known &= ~(UINT64_C(1) << rows[i].column);
                refused->count[real_ranges[r].kind]++;
            }
}

static gboolean pci_fits(Rat rat, int64_t pci)
{
    /* LTE TS 36.211 6.11, NR TS 38.211 7.4.2.1, UMTS 512 primary scrambling codes TS 25.213 5.2.3,
     * GSM BSIC 6 bits TS 23.003 4.3.2 */
    static const int64_t limits[RAT_COUNT] = {
        [RAT_UNKNOWN] = 1007, [RAT_NONE] = 1007,  [RAT_GSM] = 63,     [RAT_UMTS] = 511,
        [RAT_LTE] = 503,      [RAT_NR_NSA] = 503, [RAT_NR_SA] = 1007,
    };
    return pci >= 0 && pci <= limits[rat];
}

static void check_ints(Sample *sample, RefusedCounts *refused)
{
    Rat rat = RECORD_HAS(sample, SAMPLE, rat) ? (Rat)sample->rat : RAT_UNKNOWN;
    gboolean nr = rat == RAT_NR_SA || rat == RAT_UNKNOWN;
    const struct {
        unsigned column;
        RefusedKind kind;
        gboolean fits;
    } rows[] = {
        {SAMPLE_COL_pci, REFUSED_PCI, pci_fits(rat, sample->pci)},
        {SAMPLE_COL_nr_pci, REFUSED_PCI, sample->nr_pci >= 0 && sample->nr_pci <= 1007},
        /* EARFCN TS 36.101 5.7.3: 18 bits; NR-ARFCN TS 38.104 5.4.2.1 */
        {SAMPLE_COL_arfcn, REFUSED_ARFCN,
         sample->arfcn >= 0 && sample->arfcn <= (nr ? 3279165 : 262143)},
        {SAMPLE_COL_nr_arfcn, REFUSED_ARFCN, sample->nr_arfcn >= 0 && sample->nr_arfcn <= 3279165},
        /* ECI 28 bits TS 36.331; NCI 36 bits TS 38.331 */
        {SAMPLE_COL_cell_id, REFUSED_CELL_ID,
         sample->cell_id >= 0 && sample->cell_id < (nr ? INT64_C(1) << 36 : INT64_C(1) << 28)},
        {SAMPLE_COL_tac, REFUSED_TAC,
         sample->tac >= 0 && sample->tac < (nr ? (1 << 24) - 1 : (1 << 16) - 1)},
        {SAMPLE_COL_cqi, REFUSED_CQI, sample->cqi >= 0 && sample->cqi <= 15},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if ((sample->known >> rows[i].column & 1U) != 0 && !rows[i].fits) {
            sample->known &= ~(UINT64_C(1) << rows[i].column);
            refused->count[rows[i].kind]++;
        }
}

gboolean radio_is_plmn(const char *text)
{
    size_t n = strspn(text, "0123456789");
    return text[n] == '\0' && (n == 5 || n == 6);
}

void radio_check_sample(Sample *sample, RefusedCounts *refused)
{
    check_reals(sample, refused);
    check_ints(sample, refused);
    if (RECORD_HAS(sample, SAMPLE, plmn) && !radio_is_plmn(sample->plmn)) {
        RECORD_UNSET(sample, SAMPLE, plmn);
        refused->count[REFUSED_PLMN]++;
    }
}

void radio_check_fix(Fix *fix, RefusedCounts *refused)
{
    gboolean has_both = RECORD_HAS(fix, FIX, lat) && RECORD_HAS(fix, FIX, lon);
    gboolean fits = has_both && fabs(fix->lat) <= 90.0 && fabs(fix->lon) <= 180.0 &&
                    (fix->lat != 0.0 || fix->lon != 0.0);
    if (!fits) {
        if (RECORD_HAS(fix, FIX, lat) || RECORD_HAS(fix, FIX, lon))
            refused->count[REFUSED_POSITION]++;
        RECORD_UNSET(fix, FIX, lat);
        RECORD_UNSET(fix, FIX, lon);
    }
    const struct {
        unsigned column;
        RefusedKind kind;
        double value, low, high;
    } rows[] = {
        {FIX_COL_accuracy_m, REFUSED_ACCURACY, fix->accuracy_m, 0.0, 1e6},
        {FIX_COL_speed_mps, REFUSED_SPEED, fix->speed_mps, 0.0, 350.0},
        {FIX_COL_heading_deg, REFUSED_HEADING, fix->heading_deg, 0.0, 360.0},
        {FIX_COL_altitude_m, REFUSED_ALTITUDE, fix->altitude_m, -1000.0, 20000.0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if ((fix->known >> rows[i].column & 1U) != 0 &&
            !(rows[i].value >= rows[i].low && rows[i].value <= rows[i].high)) {
            fix->known &= ~(UINT64_C(1) << rows[i].column);
            refused->count[rows[i].kind]++;
        }
}

/* First and last downlink EARFCN by band, in ascending order: TS 36.101, table 5.7.3-1. */
static const struct {
    int first, last, band;
} lte_bands[] = {
    {0, 599, 1},        {600, 1199, 2},     {1200, 1949, 3},    {1950, 2399, 4},
    {2400, 2649, 5},    {2650, 2749, 6},    {2750, 3449, 7},    {3450, 3799, 8},
    {3800, 4149, 9},    {4150, 4749, 10},   {4750, 4949, 11},   {5010, 5179, 12},
    {5180, 5279, 13},   {5280, 5379, 14},   {5730, 5849, 17},   {5850, 5999, 18},
    {6000, 6149, 19},   {6150, 6449, 20},   {6450, 6599, 21},   {6600, 7399, 22},
    {7500, 7699, 23},   {7700, 8039, 24},   {8040, 8689, 25},   {8690, 9039, 26},
    {9040, 9209, 27},   {9210, 9659, 28},   {9660, 9769, 29},   {9770, 9869, 30},
    {9870, 9919, 31},   {9920, 10359, 32},  {36000, 36199, 33}, {36200, 36349, 34},
    {36350, 36949, 35}, {36950, 37549, 36}, {37550, 37749, 37}, {37750, 38249, 38},
    {38250, 38649, 39}, {38650, 39649, 40}, {39650, 41589, 41}, {41590, 43589, 42},
    {43590, 45589, 43}, {45590, 46589, 44}, {46590, 46789, 45}, {46790, 54539, 46},
    {54540, 55239, 47}, {55240, 56739, 48}, {56740, 58239, 49}, {58240, 59089, 50},
    {59090, 59139, 51}, {59140, 60139, 52}, {60140, 60254, 53}, {65536, 66435, 65},
    {66436, 67335, 66}, {67336, 67535, 67}, {67536, 67835, 68}, {67836, 68335, 69},
    {68336, 68585, 70}, {68586, 68935, 71}, {68936, 68985, 72}, {68986, 69035, 73},
    {69036, 69465, 74}, {69466, 70315, 75}, {70316, 70365, 76}, {70366, 70545, 85},
    {70546, 70595, 87}, {70596, 70645, 88},
};

int radio_lte_band(int64_t earfcn)
{
    size_t low = 0;
    size_t high = G_N_ELEMENTS(lte_bands);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (lte_bands[middle].last < earfcn)
            low = middle + 1;
        else
            high = middle;
    }
    return low < G_N_ELEMENTS(lte_bands) && earfcn >= lte_bands[low].first ? lte_bands[low].band
                                                                           : 0;
}

void radio_fill_band(Sample *sample)
{
    if (RECORD_HAS(sample, SAMPLE, band) || !RECORD_HAS(sample, SAMPLE, arfcn) ||
        !RECORD_HAS(sample, SAMPLE, rat) || (sample->rat != RAT_LTE && sample->rat != RAT_NR_NSA))
        return;
    int band = radio_lte_band(sample->arfcn);
    if (band > 0)
        RECORD_SET(sample, SAMPLE, band, band);
}
