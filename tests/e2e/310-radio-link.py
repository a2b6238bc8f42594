#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A drive in which the radio decides what the data link does: rates by SINR and carriers, breaks at
each change of cell, a tunnel without service. What the unmodified logger measured through two modems
is compared with what the emulators did to each packet, and with what the rig told them to do."""
import bisect
import csv

import riglab
import probelab

LINKS = {"red": "wwan0", "white": "wwan1"}
TUNNEL = 1200, 1380  # m

lab = probelab.Lab(links=LINKS, duration=75, gps_rate=5, path__speed_mps=30,
                   path__acceleration_mps2=5, faults=f"""
[tunnel hill]
from-m={TUNNEL[0]}
to-m={TUNNEL[1]}
""" + "".join(f"""
[link {modem}]
modem={modem}
follow=radio
delay-ms={delay}
share={share}
down-kbps=30000
up-kbps=10000
handover-ms=120
""" for modem, delay, share in (("red", 22, 0.08), ("white", 18, 0.05))))
lab.configure_probes(f"""train-every-distance=300 m
train-down=3, 10
train-up=3
meeting-every=90 s
meeting-length=6 s
download-url=http://{probelab.FAR}/big
download-every=29 s
upload-url=http://{probelab.FAR}/up/x
upload-every=53 s
transfer-length=4 s
warm-up=1 s
transfers-at-once=4""")
lab.rig()
lab.gpsd()
lab.logger()
lab.finish()
lab.compare(span=(2, 74), modems=list(LINKS))
for link in lab.links.values():
    link.close()


def want(good, *what):
    if not good:
        riglab.fail(*what)


class Truth:
    """What the emulator of a modem did, and what the rig told it."""

    def __init__(self, modem):
        self.streams = {}   # client's port -> (packets up, packets down)
        self.web = {"up": [], "down": []}
        with open(lab.path(f"{modem}.csv"), encoding="utf-8") as f:
            for way, arrived, released, size, fate, source, destination, word in csv.reader(f):
                packet = int(arrived), int(released), int(size), fate, int(word)
                port = source if way == "up" else destination
                if "862" in (source, destination):
                    self.streams.setdefault(port, ([], []))[way == "down"].append(packet)
                elif "80" in (source, destination):
                    self.web[way].append(packet)
        self.times, self.links = [], []
        with open(lab.path("truth-links.csv"), encoding="utf-8") as f:
            for row in csv.DictReader(f):
                if row["modem"] == modem:
                    self.times.append(int(row["time_ns"]))
                    self.links.append(row)

    def links_between(self, begin, end):
        first = max(0, bisect.bisect_right(self.times, begin) - 1)
        return self.links[first:bisect.bisect_left(self.times, end)]

    def kbps(self, way, begin, end):
        """Of each step, 0 while nothing passes."""
        return [0 if row["outage"] == "1" else float(row[f"{way}_kbps"])
                for row in self.links_between(begin, end)]


def median(values):
    values = sorted(values)
    return values[len(values) // 2]


def check_streams(modem, truth):
    """Counts by way, and round trips, of each stream against its packets in the emulator."""
    probes = [p for p in lab.probes("stamp", modem) if p["status"] != "skipped"]
    ports = sorted(truth.streams.values(), key=lambda ways: ways[0][0][0])
    # A socket is opened anew after two seconds of silence: more ports than probes.
    want(len(ports) >= len(probes) > 2, modem, len(ports), "ports,", len(probes), "streams")
    up = [p for ways in ports for p in ways[0]]
    down = [p for ways in ports for p in ways[1]]
    rows = [r for r in lab.records("latencies") if r["source"] == modem and r["kind"] == "stamp"]
    sent = sum(r["sent"] for r in rows)
    received = sum(r["received"] for r in rows)
    came = sum(p[3] == "sent" for p in down)
    lost_up = sum(p[3] != "sent" for p in up)
    print(f"{modem}: stream sent {sent}, emulator {len(up)}; received {received}, emulator {came}; "
          f"lost up by the emulator {lost_up}, down {len(down) - came}")
    # What was under way when a stream paused is not counted: a few packets each, and up to two
    # seconds of those sent into the outage.
    slack = 6 * len(probes) + 100
    want(0 <= len(up) - sent <= slack, modem, "sent", sent, "of", len(up))
    want(0 <= came - received <= 6 * len(probes), modem, "received", received, "of", came)
    told = sum(r["lost_up"] or 0 for r in rows)
    want(told <= lost_up, modem, "lost up", told, "emulator", lost_up)
    errors = []
    for ways in ports:
        through = sorted(p[4] for p in ways[0] if p[3] == "sent")
        held_up = {p[4]: p[1] - p[0] for p in ways[0] if p[3] == "sent"}
        held_down = {p[4]: p[1] - p[0] for p in ways[1] if p[3] == "sent"}
        trips = [held_up[seq] + held_down[n] for n, seq in enumerate(through) if n in held_down]
        if len(trips) < 100:
            continue
        begin, end = ways[0][0][0], ways[0][-1][0]
        inside = [r["rtt_ms"] for r in rows if r["received"] and
                  begin - 5e8 <= r["time_ns"] <= end - 5e8]
        if len(inside) > 1:
            errors.append(median(inside) - median(trips) / 1e6)
    print(f"{modem}: median round trip of {len(errors)} streams off by "
          f"{', '.join(f'{e:+.3f}' for e in errors)} ms")
    want(errors and abs(median(errors)) < 0.5, modem, "round trips are off by", errors)


def check_outages(modem, truth):
    """Seconds in which nothing came back are those in which nothing could pass, and the reverse."""
    rows = [r for r in lab.records("latencies") if r["source"] == modem and r["kind"] == "stamp"]
    dark = seen = 0
    for row in rows:
        rates = truth.kbps("down", row["time_ns"] - 2e8, row["time_ns"] + row["duration_ns"] + 2e8)
        if rates and not any(rates):
            seen += 1
            want(row["received"] == 0, modem, "an answer without a link", row)
        if row["received"] == 0 and row["sent"] > 10:
            dark += 1
            want(0 in rates, modem, "no answer at", lab.seconds(row["time_ns"]), "s with", rates)
    print(f"{modem}: {dark} dark seconds, {seen} of the emulator's wholly inside")
    want(dark >= 2 and seen >= 1, modem, "the tunnel was not felt")


def check_trains(modem, truth):
    """No verdict that the link's rate contradicts."""
    good = bad = 0
    for row in lab.records("throughputs"):
        if row["source"] != modem or row["kind"] != "train":
            continue
        rates = truth.kbps(row["direction"], row["time_ns"] - 3e8,
                           row["time_ns"] + row["duration_ns"] + 6e8)
        target = row["target_bps"] / 1e3
        if row["reached"]:
            good += 1
            # A queue that grows to less than 30 ms in 190 ms is not too slow: 84 % of the rate.
            want(max(rates) >= 0.84 * target, modem, "reached", target, "kbit/s over", rates)
        else:
            bad += 1
            # Either the link was slower, or a change of cell came between.
            want(min(rates) < 1.1 * target, modem, "did not reach", target, "kbit/s over", rates)
    print(f"{modem}: {good} trains reached their rate, {bad} did not")
    want(good >= 3 and bad >= 1, modem, "trains say nothing", good, bad)


def check_transfers(modem, truth):
    """What a download and an upload moved against the emulator's bytes and the rig's rates."""
    for probe in lab.probes("throughput", modem):
        if probe["status"] != "ok":
            continue
        way = probe["direction"]
        begin, end = probe["time_ns"], probe["end_ns"]
        passed = sum(p[2] for p in truth.web[way] if p[3] == "sent" and
                     begin - 1e8 <= p[1] <= end + 5e7)
        content = probe["bytes_down"] if way == "down" else probe["bytes_up"]
        rates = truth.kbps(way, begin, end)
        mean = sum(rates) / len(rates)
        measured = 8e6 * content / (end - begin)
        print(f"{modem}: {way} at {lab.seconds(begin):.1f} s: {measured:.0f} kbit/s of "
              f"{mean:.0f}, content {content} of {passed} bytes of IP")
        want(measured <= 1.08 * mean, modem, way, "faster than its link")
        want(0.85 <= content / max(1, passed) <= 1.0, modem, way, content, "bytes of", passed)
        rows = sum(r["bytes"] for r in lab.records("throughputs") if r["probe"] == probe["id"])
        want(abs(rows - content) <= 1, modem, "rows of 100 ms hold", rows, "of", content)


for name in LINKS:
    what_was = Truth(name)
    want(len({row["down_kbps"] for row in what_was.links}) > 20, name, "the rate hardly changes")
    check_streams(name, what_was)
    check_outages(name, what_was)
    check_trains(name, what_was)
    check_transfers(name, what_was)
    levels = [s["rsrp_dbm"] for s in lab.records("samples") if s["source"] == name]
    want(sum(level is not None for level in levels) > 50, name, "no radio beside the probes")
    lab.want_event("cell-change", name)
