#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A reader of the passes of an OUT.gpkg in another language, written from corridor-out(5), PACKED
PASSES. passes(path) gives a dict for each pass and source; its `levels` are the entries of the
histogram: channel, rat, level, samples, way in decimetres, time in hundredths of a second."""
import ctypes
import math
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from drive_reader import SIZE_T, ZSTD, Bytes, signed, unzigzag, unzstd  # noqa: E402

OF_A_PASS = ("drive", "source", "pass", "first_ns", "last_ns", "backward", "n", "n_level", "n_no_service",
             "n_limited", "n_missing", "band", "cells", "entries")
OF_AN_ENTRY = ("key", "level", "samples", "way", "time")
WHOLE = ("first_ns", "cell", "way")
NR_LEG = 7


def values(name, data):
    """Numbers of a column, one after the other; one number alone stands for all."""
    source, found = Bytes(data), []
    while source.at < len(data):
        found.append(source.varint())
    if len(found) == 1 and name not in WHOLE:
        while True:
            yield found[0]
    yield from found


def unzstd_whole(data):
    """A frame that says its size."""
    ZSTD.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    return unzstd(data, ZSTD.ZSTD_getFrameContentSize(data, SIZE_T(len(data))))


def unpack(packed):
    source = Bytes(packed if packed[0] == 0 else b"\1" + unzstd_whole(packed[1:]), 1)
    count, unit_ns = source.varint(), 1000 ** source.varint()
    names = [source.take(source.varint()).decode() for _ in range(source.varint())]
    order = OF_A_PASS + ("cell",) + OF_AN_ENTRY
    lengths = [source.varint() for _ in order]
    column = {name: values(name, source.take(n)) for name, n in zip(order, lengths)}
    if source.at != len(source.data):
        raise ValueError("columns do not fill the bytes")
    before = dict.fromkeys(("drive", "source", "pass", "first_ns"), 0) | {"band": -1}
    cells, first_level = [], 0
    for _ in range(count):
        p = {name: next(column[name]) for name in OF_A_PASS}
        for name in before:
            p[name] = before[name] = signed(before[name] + unzigzag(p[name]))
        p["last_ns"] = p["first_ns"] + unzigzag(p["last_ns"])
        p["first_ns"], p["last_ns"] = signed(p["first_ns"] * unit_ns), signed(p["last_ns"] * unit_ns)
        levels, level = [], first_level
        for _ in range(p.pop("entries")):
            key, step, samples, way, time = (next(column[name]) for name in OF_AN_ENTRY)
            level += unzigzag(step)
            levels.append((key % 16, key // 16, level, samples, way, time))
        first_level = levels[0][2] if levels else first_level
        for name, channels in (("n", set(range(16)) - {NR_LEG}), ("n_level", range(2, 7)), ("n_no_service", (0,)),
                               ("n_limited", (1,))):
            p[name] = unzigzag(p[name]) + sum(e[3] for e in levels if e[0] in channels)
        if p["cells"] > 0:
            cells = [names[next(column["cell"])] for _ in range(p["cells"] - 1)]
        p["cells"] = ",".join(cells) if cells else None
        p["band"] = None if p["band"] < 0 else p["band"]
        yield p | {"levels": levels}


def figures(p, decorrelation_m):
    """What is not kept, because it follows."""
    levels = [e for e in p["levels"] if e[0] != NR_LEG]
    metres, seconds = sum(e[4] for e in levels) / 10, sum(e[5] for e in levels) / 100
    heard = [e for e in levels if 2 <= e[0] <= 6 and e[3] > 0]
    effective = 0.0
    if p["n"] > 0:
        rho = math.exp(-metres / p["n"] / decorrelation_m)
        effective = max(1.0, p["n"] * (1 - rho) / (1 + rho))
    mean = 10 * math.log10(sum(e[3] * 10 ** (e[2] / 10) for e in heard) / sum(e[3] for e in heard)) if heard else None
    return {"metres": metres, "seconds": seconds, "level_mean": mean, "n_effective": effective}


def passes(path, where="1"):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        for row in db.execute(f"SELECT * FROM evidence WHERE {where} ORDER BY fid"):
            for p in unpack(row["packed"]):
                yield {n: row[n] for n in ("segment", "operator", "antenna")} | p | figures(p, row["decorrelation_m"])
