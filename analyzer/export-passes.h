/* SPDX-License-Identifier: Apache-2.0 */
/* The passes of an OUT.gpkg as a table: one line for each, what follows from it computed, and its
 * histogram as text (corridor-export(1)). */
#pragma once

#include "analyzer/export-drive.h"
#include "analyzer/layer.h"

/* CSV and GeoJSON. */
gboolean export_passes(LayerSource *source, const ExportOptions *options, ExportSummary *summary,
                       GError **error);
