#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A drive in which the radio decides what the data link does: rates by SINR and carriers, delay, jitter
and bursts of loss by the serving cell's SINR or level, breaks at each change of cell, a tunnel without
service. What the unmodified logger measured through two modems
is compared with what the emulators did to each packet, and with what the rig told them to do."""
import bisect
import csv

import riglab
import probelab

LINKS = {"red": "wwan0", "white": "wwan1"}
TUNNEL = 1200, 1380  # m
TRAIN_BYTES = 1250
EFFECTS = {"red": "", "white": "effects-by=level\neffects=-105:60,40,0.1,4 -70:0,2,0,1"}

lab = probelab.Lab(links=LINKS, duration=95, gps_rate=5, path__speed_mps=30,
                   path__acceleration_mps2=5, operator_Red__load=0.9,
                   operator_White__load=0.8, faults=f"""
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
{EFFECTS[modem]}
""" for modem, delay, share in (("red", 22, 0.08), ("white", 18, 0.05))))
lab.configure_probes(f"""train-every-distance=500 m
train-down=3, 10
train-up=3
meeting-every=90 s
meeting-length=6 s
download-every=43 s
upload-every=53 s
transfer-length=4 s
warm-up=1 s
{probelab.TRANSFERS}""")
lab.rig()
lab.gpsd()
lab.logger()
lab.finish()
lab.compare(span=(2, 94), modems=list(LINKS))
for link in lab.links.values():
    link.close()


def want(good, *what):
    if not good:
        riglab.fail(*what)


def split(packets):
    """Trains: packets in the order they were sent, cut where 50 ms are empty. The emulator writes a
    packet down when it leaves, lost ones at once."""
    trains = []
    for packet in sorted(packets):
        if not trains or packet[0] - trains[-1][-1][0] > 5e7:
            trains.append([])
        trains[-1].append(packet)
    return trains


class Truth:
    """What the emulator of a modem did, and what the rig told it."""

    def __init__(self, modem):
        self.streams = {}   # client's port -> (packets up, packets down)
        self.web = {"up": [], "down": []}
        self.others = []    # all that is not the stream: when it left, and whose it was
        self.trains = {"up": [], "down": []}
        with open(lab.path(f"{modem}.csv"), encoding="utf-8") as f:
            for way, arrived, released, size, fate, source, destination, word in csv.reader(f):
                packet = int(arrived), int(released), int(size), fate, int(word)
                if "862" not in (source, destination):
                    self.others.append((max(packet[:2]), way, source, destination))
                port = source if way == "up" else destination
                if "862" in (source, destination):
                    self.streams.setdefault(port, ([], []))[way == "down"].append(packet)
                elif "80" in (source, destination):
                    self.web[way].append(packet)
                elif "8762" in (source, destination) and packet[2] == TRAIN_BYTES:
                    self.trains[way].append(packet)
        self.others.sort()
        self.trains = {way: split(packets) for way, packets in self.trains.items()}
        self.times, self.links = [], []
        with open(lab.path("truth-links.csv"), encoding="utf-8") as f:
            for row in csv.DictReader(f):
                if row["modem"] == modem:
                    self.times.append(int(row["time_ns"]))
                    self.links.append(row)

    def others_between(self, begin, end):
        return self.others[bisect.bisect(self.others, (begin,)):bisect.bisect(self.others, (end,))]

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
    # What was under way when a stream paused is not counted: of a round trip of 300 ms 15 packets
    # each, and up to two seconds of those sent into the outage.
    slack = 15 * len(probes) + 100
    want(0 <= len(up) - sent <= slack, modem, "sent", sent, "of", len(up))
    want(0 <= came - received <= 15 * len(probes), modem, "received", received, "of", came)
    told = sum(r["lost_up"] or 0 for r in rows)
    want(told <= lost_up, modem, "lost up", told, "emulator", lost_up)
    trips = []  # when the packet was sent, how long the emulator held it and its answer
    for ways in ports:
        through = sorted((p[4], p[0], p[1] - p[0]) for p in ways[0] if p[3] == "sent")
        held_down = {p[4]: p[1] - p[0] for p in ways[1] if p[3] == "sent"}
        trips += [(sent_ns, held + held_down[n]) for n, (_, sent_ns, held) in enumerate(through)
                  if n in held_down]
    trips.sort()
    errors = []
    for row in rows:
        begin = bisect.bisect_left(trips, (row["time_ns"],))
        end = bisect.bisect_left(trips, (row["time_ns"] + row["duration_ns"],))
        if row["received"] >= 20 and end - begin >= 20:
            errors.append(row["rtt_ms"] - median([t[1] for t in trips[begin:end]]) / 1e6)
    typical = median(map(abs, errors))
    print(f"{modem}: median round trip of {len(errors)} seconds off by {typical:.3f} ms, "
          f"p90 {sorted(map(abs, errors))[int(0.9 * len(errors))]:.3f} ms")
    want(len(errors) > 15 and typical < 0.5, modem, "round trips are off by", errors)


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


def judge_train(packets):
    """Whether the rate is available, whether it is a packet or a few milliseconds from the limit, and
    the added delay in ms: by the definition of docs/probes.md from what the emulator did to each
    packet."""
    judged = [p for p in packets if p[0] - packets[0][0] >= 2e7]
    delays = sorted(p[1] - p[0] for p in judged if p[3] == "sent")
    if not delays:
        return False, False, None
    least = min(p[1] - p[0] for p in packets if p[3] == "sent")
    added = (delays[min(len(delays) - 1, int(0.95 * len(delays)))] - least) / 1e6
    spare = len(delays) - 0.95 * len(judged)
    return spare >= 0 and added < 30, abs(spare) < 1.5 or abs(added - 30) < 3, added


def check_trains(modem, truth):
    """Verdict and added delay of each train are those of its packets in the emulator."""
    verdicts, errors = [0, 0], []
    for row in lab.records("throughputs"):
        if row["source"] != modem or row["kind"] != "train":
            continue
        # The row begins with the first packet that came or was sent, or when it was asked for.
        mine = [t for t in truth.trains[row["direction"]] if abs(t[0][0] - row["time_ns"]) < 4e8]
        if not mine:
            want(not row["reached"], modem, "a train that was never sent reached its rate", row)
            continue
        # A log of the session may have a train packet's size.
        reached, near, added = judge_train(max(mine, key=len))
        verdicts[reached] += 1
        if added is not None and row["delay_ms"] is not None:
            errors.append(row["delay_ms"] - added)
        want(row["reached"] == reached or near, modem, "train", row, "emulator", reached, added)
    print(f"{modem}: {verdicts[1]} trains had their rate, {verdicts[0]} had not; added delay off by "
          f"{median(errors):+.2f} ms, at most {max(map(abs, errors)):.2f}")
    want(min(verdicts) >= 1, modem, "trains say nothing", verdicts)
    want(abs(median(errors)) < 1, modem, "added delay is off by", errors)


def check_effects(modem, truth):
    """Seconds of the stream, away from other probes and outages: delay, jitter and loss are what the
    radio of these seconds made of the link, worse where it was weak."""
    seconds = []
    for row in lab.records("latencies"):
        begin, end = row["time_ns"], row["time_ns"] + row["duration_ns"]
        links = truth.links_between(begin - 1e8, end + 2e8)
        if row["source"] != modem or row["kind"] != "stamp" or row["sent"] < 40 or \
                len(truth.others_between(begin - 5e8, end)) > 5 or \
                any(link["outage"] == "1" for link in links):
            continue
        delays, jitters, losses = ([float(link[key]) for link in links]
                                   for key in ("delay_ms", "jitter_ms", "loss"))
        trips = f"{row['rtt_min_ms']:.1f} to {row['rtt_max_ms']:.1f} ms"
        want(row["rtt_min_ms"] > 2 * min(delays) - 0.3, modem, trips, "with", delays)
        want(row["rtt_ms"] < 2 * max(map(sum, zip(delays, jitters))) + 3, modem, row["rtt_ms"],
             "ms with", delays, jitters)
        seconds.append((max(delays), row["rtt_ms"], row["rtt_max_ms"] - row["rtt_min_ms"],
                        row["sent"] - row["received"], row["sent"], sum(losses) / len(losses)))
    seconds.sort()
    third = len(seconds) // 3
    strong, weak = seconds[:third], seconds[-third:]
    trips, spreads = ([sum(s[k] for s in part) / third for part in (strong, weak)] for k in (1, 2))
    lost, sent = sum(s[3] for s in seconds), sum(s[4] for s in seconds)
    due = sum(s[4] * (1 - (1 - s[5]) ** 2) for s in seconds)
    print(f"{modem}: {len(seconds)} undisturbed seconds; where the radio is strong and weak: round trip "
          f"{trips[0]:.1f} and {trips[1]:.1f} ms, spread {spreads[0]:.1f} and {spreads[1]:.1f} ms; "
          f"lost {lost} of {sent}, {due:.0f} expected")
    want(third >= 4, modem, "too few seconds to compare", len(seconds))
    want(trips[1] > trips[0] + 5 and spreads[1] > spreads[0], modem, "the radio is not felt")
    return lost, due


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
        # What lies behind a hole has passed, and is not content before the hole is filled.
        whole = all(p[3] == "sent" for p in truth.web[way] if begin <= p[0] <= end)
        want((0.85 * passed if whole else 1) <= content <= passed, modem, way, content, "bytes of",
             passed)
        ratio = probe["passive_ratio"]
        want(ratio is None or 0.97 <= ratio <= 1.03, modem, way, "to the capture", probe)
        rows = sum(r["bytes"] for r in lab.records("throughputs") if r["probe"] == probe["id"])
        want(abs(rows - content) <= 1, modem, "rows of 100 ms hold", rows, "of", content)


lost_sum = due_sum = 0
for name in LINKS:
    what_was = Truth(name)
    want(len({row["down_kbps"] for row in what_was.links}) > 20, name, "the rate hardly changes")
    check_streams(name, what_was)
    check_outages(name, what_was)
    check_trains(name, what_was)
    check_transfers(name, what_was)
    lost_here, due_here = check_effects(name, what_was)
    lost_sum += lost_here
    due_sum += due_here
    levels = [s["rsrp_dbm"] for s in lab.records("samples") if s["source"] == name]
    want(sum(level is not None for level in levels) > 50, name, "no radio beside the probes")
    lab.want_event("cell-change", name)
print(f"undisturbed seconds lost {lost_sum} packets, {due_sum:.0f} expected")
# Runs of four packets: the spread of the sum is that of a quarter as many.
want(due_sum > 40 and abs(lost_sum - due_sum) < 8 * due_sum ** 0.5, "loss does not follow the radio")
