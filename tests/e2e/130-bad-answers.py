#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Answers that are truncated, changed at random, late, doubled, out of order, full of unknown TLVs,
of the codes for "unknown", or errors, over QMI and MBIM: the logger lives, invents nothing outside
the ranges, and is right again after each."""
import riglab

KINDS = ("truncate", "malform", "unknown-tlv", "duplicate", "reorder", "delay", "sentinel",
         "garbage", "error")
faults = "".join(f"[fault {kind}]\nkind={kind}\nat-s={4 + 4 * i}\nfor-s=2\nvalue=300\n"
                 for i, kind in enumerate(KINDS))
end = 4 + 4 * len(KINDS)
lab = riglab.Lab(duration=end + 8, gps_rate=5, faults=faults)
lab.rig()
lab.gpsd()
lab.configure(interval="200 ms", modem="timeout=1 s\nwedge-after=3 s")
lab.logger()
lab.finish()
start = lab.truth("fixes")[0]["time_ns"]


def span(kind, slack):
    begin = 4 + 4 * KINDS.index(kind)
    return (None, begin, begin + 2 + slack)


# Wrong bytes may look right; all else must be exact even while it lasts.
damaged = [span("truncate", 1.5), span("malform", 1.5), span("garbage", 4), span("error", 8),
           span("delay", 1), span("sentinel", 0.5)]
lab.compare(quiet=damaged, loss=0.05, span=(2, end + 6), noise_m=15)
for sample in lab.records("samples"):
    for column, low, high in (("rsrp_dbm", -156, -31), ("rsrq_db", -43, 20), ("sinr_db", -23, 40),
                              ("nr_rsrp_dbm", -156, -31), ("pci", 0, 1007)):
        if sample[column] is not None and not low <= sample[column] <= high:
            riglab.fail(f"{column} of {sample[column]} is no measurement: {sample}")
_, begin, finish = span("sentinel", 0)
for sample in lab.records("samples"):
    if start + (begin + 0.5) * 1e9 < sample["time_ns"] < start + (finish - 0.3) * 1e9:
        if sample["rsrp_dbm"] is not None or sample["cell_id"] in (0xffffffff, 2**64 - 1):
            riglab.fail(f"a code for unknown is taken for a value: {sample}")
