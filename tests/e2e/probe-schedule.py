#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The schedule: one probe a modem, reasons for what was skipped, and a budget that holds."""
import os
import sys
import time

import netlab
import webserver

RATE = 20e6  # bit/s of the link


def overlaps(records):
    """Pairs of probes on one modem that ran at the same time."""
    runs = sorted((p["time_ns"], p["end_ns"], p["kind"]) for p in netlab.table(records, "probes")
                  if p["status"] != "skipped")
    return [(a, b) for a, b in zip(runs, runs[1:]) if b[0] < a[1] - 1000000]


def plain(lab, checks):
    link = lab.link("wwan0")
    link.set("both delay=15 rate=20 queue=80")
    lab.reflector(link)
    webserver.nginx(lab, link)
    records = lab.probe(link, "schedule", "-u", f"http://{link.address}/big", "-s", "32", "--plan",
                        "train=12,download=40,meeting=40", "--rates", "3,10/3")
    probes = netlab.table(records, "probes")
    kinds = {p["kind"] for p in probes if p["status"] == "ok"}
    checks.that(kinds >= {"stamp", "train", "throughput", "meeting"}, f"ran: {kinds}")
    checks.that(not overlaps(records), f"overlap: {overlaps(records)}")
    ids = [p["id"] for p in probes]
    checks.that(len(set(ids)) == len(ids), "numbers of probes are unique")
    for probe in probes:
        if probe["status"] == "ok" and probe["kind"] == "throughput":
            detail = probe["detail"]
            # 25 m/s: where it happened, through its whole length
            checks.near(detail["metres"], 125, 15, "metres driven in 5 s")
            checks.that(detail["cells"] == [4711] and detail["level_min_dbm"] == -95, f"{detail}")
            checks.that(detail["to_lat"] > detail["from_lat"], f"{detail}")
    passive = [r for r in netlab.table(records, "throughputs") if r["kind"] == "passive"]
    checks.that(len(passive) > 100, f"{len(passive)} passive rows")


def reasons(lab, checks):
    """Standing, no service, no interface: recorded with the reason, nothing sent."""
    link = lab.link("wwan1")
    link.set("both delay=5")
    lab.reflector(link)
    for more, reason in ((["--speed", "0"], "standing"), (["--blocked", "roaming"], "roaming"),
                         (["--busy"], "cpu"), (["-i", "wwan99"], None)):
        records = lab.probe(link, "schedule", "-s", "6", "--plan", "train=2", "--no-capture", *more)
        probes = netlab.table(records, "probes")
        skipped = [p for p in probes if p["status"] == "skipped"]
        if reason and (reason != "cpu" or os.getloadavg()[0] > 0.01):
            checks.that(skipped and all(p["reason"] == reason for p in skipped), f"{probes}")
        sent = [p for p in probes[1:] if p["kind"] == "train" and p["status"] == "ok"]
        if reason != "standing":  # it stands only after a while
            checks.that(not sent, f"{more}: {sent}")


def budget(lab, checks):
    """12 MB a day on a 20 Mbit/s link: cut, skipped after, over a restart too."""
    link = lab.link("wwan2")
    link.set("both delay=15 rate=20 queue=80")
    lab.reflector(link)
    webserver.nginx(lab, link)
    state = os.path.join(lab.folder, "state")
    os.mkdir(state)
    before = link.carried()
    limit = 12e6
    arguments = ["schedule", "-u", f"http://{link.address}/big", "--plan", "download=6", "--state",
                 state, "--daily", str(limit / 1e6), "--rates", "3/"]
    records = lab.probe(link, *arguments, "-s", "15")
    used = link.carried() - before
    probes = netlab.table(records, "probes")
    checks.that(used <= limit + RATE / 8, f"budget of {limit / 1e6} MB, used {used / 1e6}")
    checks.that(used > limit * 0.6, f"of {limit / 1e6} MB only {used / 1e6} were used")
    checks.that(any(p["status"] == "cut" and p["reason"] == "budget" for p in probes),
                f"nothing was cut: {[(p['kind'], p['status'], p.get('reason')) for p in probes]}")
    checks.that(any(e["kind"] == "budget-reached" for e in netlab.table(records, "events")),
                "no event budget-reached")
    records = lab.probe(link, *arguments, "-s", "4")
    used = link.carried() - before
    probes = netlab.table(records, "probes")
    checks.that(used <= limit + RATE / 8, f"after a restart {used / 1e6} MB were used")
    checks.that(probes and all(p["status"] == "skipped" and p["reason"] == "budget"
                               for p in probes if p["kind"] == "throughput"), f"{probes}")
    # Killed in the middle: the file has promised at least what was used.
    link.set("both rate=40")
    for name in os.listdir(state):
        os.remove(os.path.join(state, name))
    before = link.carried()
    runner = lab.start(link.client, [netlab.RUNNER, "-i", "wwan2", "-r", link.address, "-k",
                                     lab.key, "-u", f"http://{link.address}/big", "--plan",
                                     "download=3", "--state", state, "--daily", "500", "-s", "30",
                                     "schedule"])
    time.sleep(5)
    runner.kill()
    time.sleep(0.5)
    used = link.carried() - before
    with open(os.path.join(state, "budget-op1")) as f:
        promised = int([line for line in f if line.startswith("day_bytes=")][0].split("=")[1])
    # what came after the last look, at most one second of the link
    checks.that(used - 5e6 <= promised <= used + 9e6, f"promised {promised}, used {used}")


def main():
    lab = netlab.Lab()
    webserver.need()
    checks = netlab.Checks()
    checks.together(lab, (plain, reasons, budget))
    checks.end()


if __name__ == "__main__":
    sys.exit(main())
