/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/bin-keep.h"

#include "analyzer/keep-file.h"
#include "analyzer/track-build.h"
#include "formats/file-replace.h"

#include <math.h>
#include <string.h>

typedef struct {
    int64_t receiver;
    int64_t fixes[FIX_STATUS_COUNT];
    double accuracy_p50_m, distance_p50_m, distance_p95_m;
} Figures;

enum { MOST_FIXES = 1 << 30 };

struct BinKeep {
    KeepFile *file;
};

char *bin_keep_network_key(const Network *network)
{
    uint64_t sum = 0;
    for (uint32_t e = 0; e < network->n_edges; e++)
        sum = (sum ^ (uint64_t)network->edges[e].fid) * UINT64_C(0x100000001b3); /* FNV-1a */
    return g_strdup_printf("%s %u %016" G_GINT64_MODIFIER "x", network->digest, network->n_edges,
                           (guint64)sum);
}

BinKeep *bin_keep_open(const char *drive_path, const char *network_key)
{
    BinKeep *keep = g_new0(BinKeep, 1);
    g_autofree char *key = g_strdup_printf("track, rules %d, sizes %zu\nnetwork %s", BIN_KEEP_RULES,
                                           sizeof(Figures) + sizeof(RoutePiece), network_key);
    keep->file = keep_file_open(drive_path, "match", key);
    return keep;
}

void bin_keep_free(BinKeep *keep)
{
    if (keep == NULL)
        return;
    keep_file_free(keep->file);
    g_free(keep);
}

static gboolean figures_good(const Figures *figures)
{
    const double metres[] = {figures->accuracy_p50_m, figures->distance_p50_m,
                             figures->distance_p95_m};
    for (unsigned i = 0; i < G_N_ELEMENTS(metres); i++)
        if (!isnan(metres[i]) && !(metres[i] >= 0 && isfinite(metres[i])))
            return FALSE;
    for (int i = 0; i < FIX_STATUS_COUNT; i++)
        if (figures->fixes[i] < 0 || figures->fixes[i] > MOST_FIXES)
            return FALSE;
    return TRUE;
}

BinTrack *bin_keep_get(const BinKeep *keep, const Network *network, gint64 receiver)
{
    Figures figures;
    size_t n = 0;
    g_autofree guint8 *packed = keep_file_get(keep->file, receiver, &n);
    if (packed == NULL || n < sizeof figures)
        return NULL;
    memcpy(&figures, packed, sizeof figures);
    Track *track = figures.receiver == receiver && figures_good(&figures)
                       ? track_unpack(network, packed + sizeof figures, n - sizeof figures)
                       : NULL;
    if (track == NULL)
        return NULL;
    BinTrack *found = g_new0(BinTrack, 1);
    found->track = track;
    memcpy(found->fixes, figures.fixes, sizeof found->fixes);
    found->accuracy_p50_m = figures.accuracy_p50_m;
    found->distance_p50_m = figures.distance_p50_m;
    found->distance_p95_m = figures.distance_p95_m;
    return found;
}

void bin_keep_put(BinKeep *keep, gint64 receiver, const BinTrack *track)
{
    g_autoptr(GByteArray) packed = g_byte_array_new();
    if (!keep_file_can_keep(keep->file))
        return;
    Figures figures = {.receiver = receiver,
                       .accuracy_p50_m = track->accuracy_p50_m,
                       .distance_p50_m = track->distance_p50_m,
                       .distance_p95_m = track->distance_p95_m};
    memcpy(figures.fixes, track->fixes, sizeof figures.fixes);
    g_byte_array_append(packed, (const guint8 *)&figures, sizeof figures);
    track_pack(track->track, packed);
    keep_file_put(keep->file, receiver, packed->data, packed->len, KEEP_SMALL);
}

gboolean bin_keep_save(BinKeep *keep)
{
    return keep_file_save(keep->file);
}

void bin_keep_sweep(char *const *drives)
{
    static const char *const endings[] = {".match", ".passes", NULL};
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (char *const *drive = drives; *drive != NULL; drive++) {
        char *folder = g_path_get_dirname(*drive);
        if (g_hash_table_add(seen, folder))
            file_replace_sweep_endings(folder, endings);
    }
}
