#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The meeting probe on emulated links, each target just kept and just broken.

Each row: what the link does, the worst grade a second may get and must get, and the words its
reasons must have. Audio packets have 160 bytes of IP, video packets 1000. Several links run at once;
what misses is run again, because the machine's other work adds delay. With CORRIDOR_LONG all rows,
else those in USUAL.
"""
import os
import sys
import threading
import time

import netlab

SECONDS = 18
AT_ONCE = 9
BASE = "both delay=10"
AUDIO = "only=160,160"
VIDEO = "only=1000,1000"

# name, commands (time s, command), grade, words that must be there, words that must not
ROWS = [
    ("clean", [(0, BASE)], "green", [], []),
    ("loss down kept: 7 of 750", [(0, f"down {AUDIO} every=108")], "green", [], []),
    ("loss down broken: 8 of 750", [(0, f"down {AUDIO} every=94")], "yellow", ["loss-down"],
     ["loss-up", "burst"]),
    ("loss up kept", [(0, f"up {AUDIO} every=108")], "green", [], []),
    ("loss up broken", [(0, f"up {AUDIO} every=94")], "yellow", ["loss-up"], ["loss-down"]),
    ("burst kept: one of any ten", [(0, f"down {AUDIO} burst=1,200")], "green", [], []),
    ("burst broken: two of ten", [(0, f"down {AUDIO} burst=2,400")], "yellow", ["burst-down"],
     ["loss", "burst-up"]),
    ("burst up broken", [(0, f"up {AUDIO} burst=2,400")], "yellow", ["burst-up"], ["burst-down"]),
    ("round trip kept: 96 ms", [(0, "both delay=48")], "green", [], []),
    ("round trip broken: 102 ms", [(0, "both delay=51")], "yellow", ["rtt"], ["poor-rtt"]),
    ("round trip not poor: 490 ms", [(0, "both delay=245")], "yellow", ["rtt"], ["poor-rtt"]),
    ("round trip poor: 506 ms", [(0, "both delay=253")], "red", ["rtt", "poor-rtt"], []),
    ("one way kept: 47 ms up", [(0, "up delay=47")], "green", [], []),
    ("one way broken: 53 ms up", [(0, "up delay=53"), (0, "down delay=30")], "yellow", ["delay-up"],
     ["rtt", "delay-down"]),
    ("one way broken: 53 ms down", [(0, "up delay=30"), (0, "down delay=53")], "yellow",
     ["delay-down"], ["rtt", "delay-up"]),
    ("jitter kept: 27 ms", [(0, "up gate=60")], "green", [], []),
    ("jitter broken: 32 ms", [(0, "up gate=100")], "red", ["jitter-up"], ["loss", "jitter-down"]),
    ("order kept: 1 in 15 s", [(0, f"down {AUDIO} swap=600")], "green", [], []),
    ("order broken: 2 in 15 s", [(0, f"down {AUDIO} swap=400")], "yellow", ["reorder-down"],
     ["reorder-up"]),
    ("concealed kept: 6.2 %", [(0, f"up {AUDIO} every=16")], "yellow", ["loss-up"], ["concealed"]),
    ("concealed broken: 7.7 %", [(0, f"up {AUDIO} every=13")], "red", ["concealed-up"],
     ["poor-loss"]),
    ("video kept: 5 of 12 frames spoilt", [(0, f"down {VIDEO} every=12")], "green", [], []),
    ("video broken: 5 of 8 frames spoilt", [(0, f"down {VIDEO} every=8")], "red", ["video-down"],
     ["loss-down", "burst"]),
    ("rate kept: 1.5 Mbit/s", [(0, "both rate=1.5 queue=300")], "green", [], []),
    ("rate broken: 1.1 Mbit/s", [(0, "down rate=1.1 queue=300")], "red", ["loss-down"],
     ["loss-up"]),
    ("duplicates do no harm", [(0, "both twice=7")], "green", [], []),
    ("outage of 0.9 s: not poor", [(6, "both outage=1"), (6.9, "both outage=0")], "yellow",
     ["burst-down", "burst-up", "loss-down"], ["gap", "poor-loss"]),
    ("outage of 4 s: gap", [(5, "both outage=1"), (9, "both outage=0")], "red",
     ["gap-down", "gap-up"], ["silence"]),
    ("outage of 11 s: silence", [(4, "both outage=1"), (15, "both outage=0")], "black",
     ["silence-down", "silence-up"], []),
]
USUAL = ["clean", "loss down broken: 8 of 750", "burst up broken", "round trip broken: 102 ms",
         "one way broken: 53 ms up", "jitter broken: 32 ms", "order broken: 2 in 15 s",
         "video broken: 5 of 8 frames spoilt", "outage of 4 s: gap"]
ORDER = ["green", "yellow", "red", "black"]


def run(lab, link, row, results):
    name, commands = row[0], row[1]
    link.set(BASE)
    for at, command in commands:
        if at == 0:
            link.set(command)
    env = netlab.disciplined() if name.startswith("one way") else None
    lab.reflector(link, env=env)
    done = []

    def probe():
        done.append(lab.probe(link, "meeting", "-s", str(SECONDS), env=env))

    thread = threading.Thread(target=probe)
    start = time.monotonic()
    thread.start()
    for at, command in commands:
        if at > 0:
            time.sleep(max(0, start + at - time.monotonic()))
            link.set(command)
    thread.join()
    results[name] = done[0]


def check(checks, row, records):
    name, _, grade, words, never = row
    seconds = [r for r in netlab.table(records, "meetings") if not r["is_window"]]
    windows = [r for r in netlab.table(records, "meetings") if r["is_window"]]
    probe = netlab.table(records, "probes")[0]
    reasons = set(w for r in seconds for w in r["reason"].split(",") if w)
    worst = max((r["grade"] for r in seconds), key=ORDER.index) if seconds else "none"
    checks.that(worst == grade, f"{name}: grade {worst}, expected {grade} ({sorted(reasons)})")
    for word in words:
        checks.that(word in reasons, f"{name}: {word} is not among {sorted(reasons)}")
    for word in never:
        checks.that(not any(r.startswith(word) for r in reasons),
                    f"{name}: {word} is among {sorted(reasons)}")
    checks.that(len(seconds) == SECONDS, f"{name}: {len(seconds)} seconds judged")
    checks.that(len(windows) == 2, f"{name}: {len(windows)} windows")
    checks.that(max((w["grade"] for w in windows), key=ORDER.index) == worst,
                f"{name}: the windows are not as bad as their worst second")
    # Two round trips of the link as it was at the start: at least 40 ms.
    checks.that(probe["status"] == "ok" and 39 <= probe["setup_ms"] < 3000, f"{name}: {probe}")
    green = sum(r["grade"] == "green" for r in seconds) / len(seconds)
    checks.near(probe["value"], green, 1e-6, f"{name}: share of good seconds")
    if name.startswith("outage of 4"):
        # What the traveller waits for: 4 s of outage, noticed, and the session standing again.
        checks.that(4000 <= probe["detail"]["reestablish_ms"] <= 6500,
                    f"{name}: re-established after {probe['detail'].get('reestablish_ms')} ms")
        bad = [i for i, r in enumerate(seconds) if r["grade"] == "red"]
        # charged where it happened, and nowhere else: 4 s, and the two seconds they cut into
        checks.that(4 <= len(bad) <= 6 and 3 <= bad[0] and bad[-1] <= 10,
                    f"{name}: red seconds {bad}")
    if name.startswith("outage of 11"):
        checks.that(probe["detail"]["renewals"] >= 1 and
                    11000 <= probe["detail"]["reestablish_ms"] <= 13500,
                    f"{name}: re-established after {probe['detail'].get('reestablish_ms')} ms")
        checks.that(seconds[-1]["grade"] == "green" or seconds[-2]["grade"] != "black",
                    f"{name}: not resumed: {[r['grade'] for r in seconds]}")


def try_rows(lab, rows, results):
    for first in range(0, len(rows), AT_ONCE):
        threads = []
        links = []
        for row in rows[first:first + AT_ONCE]:
            links.append(lab.link(f"wwan{lab.links}"))
            threads.append(threading.Thread(target=run, args=(lab, links[-1], row, results)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for link in links:
            link.close()


def main():
    lab = netlab.Lab()
    checks = netlab.Checks()
    left = [row for row in ROWS if os.environ.get("CORRIDOR_LONG") or row[0] in USUAL]
    print(len(left), "impairments")
    for last in (False, False, True):
        results, again = {}, []
        try_rows(lab, left, results)
        for row in left:
            trial = netlab.Checks(quiet=not last)
            trial.that(row[0] in results, f"{row[0]}: the probe gave nothing")
            if row[0] in results:
                check(trial, row, results[row[0]])
            if trial.failed and not last:
                again.append(row)
                continue
            checks.done += trial.done
            checks.failed += trial.failed
        left = again
        if not left:
            break
    checks.end()


if __name__ == "__main__":
    sys.exit(main())
