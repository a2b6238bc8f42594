/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/event-kinds.h"

#include <string.h>

const EventKind event_kinds[] = {
    {"start", "", "a logger began; detail: its version"},
    {"stop", "", "it was ended in order"},
    {"drive-rotated", "", "another drive follows; detail: time, size or standstill"},
    {"recording-resumed", "s", "recorded again, after so long; detail: how much was dropped"},
    {"records-dropped", "count", "so many were lost until here, by a disk that took them too late"},
    {"disk-low", "byte", "free on the disk, less than warn-free"},
    {"disk-full", "", "recording stops: only what must stay free is left; detail: why"},
    {"disk-failed", "", "recording stops: the disk cannot be written; detail: why"},
    {"budget-reached", "byte",
     "with a source: its data budget, after so much today, no probes; without: the disk budget, "
     "recording stops"},
    {"clock-step", "s", "the mapping from monotonic time to UTC changed; detail: by what"},
    {"system-clock-step", "s", "somebody set the system clock; times here do not follow it"},
    {"gps-lost", "s", "no position any more, since so long; detail: why"},
    {"gps-found", "s", "a position again, after so long"},
    {"modem-lost", "", "gone, or it cannot be opened; detail: why"},
    {"modem-found", "", "it answers again; detail: its device node"},
    {"modem-renumbered", "", "found at another device node; detail: from, to"},
    {"samples-lost", "count",
     "no sample for so many of its intervals from here on, within 10 s; detail: why"},
    {"modem-silent", "s", "requests time out, since so long; detail: which"},
    {"modem-answers", "s", "it answers after such a silence"},
    {"modem-reset", "", "another modem answers in this place"},
    {"modem-other", "", "the modem in this USB port is not the configured one"},
    {"sim-lost", "", "the modem has no SIM"},
    {"sim-found", "", "it has one again"},
    {"sim-changed", "", "it has another one"},
    {"cell-change", "", "serving cell changed; detail: from, to"},
    {"rat-change", "", "radio access technology changed; detail: from, to"},
    {"probes-paused", "", "nothing can be measured on this modem; detail: why"},
    {"probes-resumed", "", "it can again"},
    {"probe-silent", "", "nothing came back from a probe's far end for 2 s"},
    {"probe-resumed", "", "it does again; also after the next two"},
    {"probe-address-changed", "", "the modem's address; probes go on from the new one"},
    {"probe-interface-gone", "", "the interface under a running probe; detail: its name"},
    {"probe-name-failed", "", "the far end's name has no address; detail: why"},
    {"refused-values", "count",
     "values out of range in an imported file, stored as NULL; detail: by kind"},
    {"silent-target", "count",
     "rows without an answer of a target that never answers; detail: who"},
    {"app-event", "", "what an imported app noted; detail: its words"},
    {NULL, NULL, NULL},
};

const EventKind *event_kind_find(const char *kind)
{
    for (const EventKind *row = event_kinds; row->kind != NULL; row++)
        if (strcmp(row->kind, kind) == 0)
            return row;
    return NULL;
}
