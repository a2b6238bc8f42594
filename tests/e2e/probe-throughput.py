#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Throughput against a real nginx and against servers that misbehave; trains; passive agreement."""
import os
import shutil
import socket
import sys
import threading
import time

import netlab
import webserver

# A web server that misbehaves, for `python3 probe-throughput.py evil ADDRESS`.
EVIL = {
    "/stall": lambda s: (s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n" +
                                   b"x" * 100000), time.sleep(60)),
    "/silent": lambda s: time.sleep(60),
    "/truncate": lambda s: s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n" +
                                     b"x" * 500000),
    "/short-length": lambda s: s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" +
                                         b"x" * 500000),
    "/huge-length": lambda s: (s.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n" + b"x" * 300000)),
    "/garbage": lambda s: s.sendall(b"\x00\x01\x02 nonsense\r\n\r\n" * 1000),
    "/endless-header": lambda s: endless(s),
    "/redirect": lambda s: s.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n"
                                     b"Content-Length: 0\r\n\r\n"),
    "/refuse": lambda s: s.sendall(b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\n"
                                   b"Connection: close\r\n\r\n"),
}


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for i in range(20000):
        connection.sendall(b"X-%d: %s\r\n" % (i, b"y" * 100))


def evil(address):
    listener = socket.create_server((address, 8080))

    def serve(connection):
        try:
            path = connection.recv(4096).split(b" ")[1].decode()
            EVIL[path](connection)
        except (OSError, IndexError, KeyError):
            pass
        connection.close()

    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def probe_of(records):
    return netlab.table(records, "probes")[0]


def transfer(lab, link, checks, kind, url, folder):
    records = lab.probe(link, kind, "-u", url, "-s", "5", "--ca-file", f"{folder}/cert.pem")
    probe = probe_of(records)
    rows = netlab.table(records, "throughputs")
    checks.that(probe["status"] == "ok", f"{kind} {url}: {probe}")
    # 1448 bytes of content in 1500 of IP: 19.3 Mbit/s
    checks.near(probe["value"] / 1e6, 19.3, 0.6, f"{kind} {url}")
    checks.that(probe["detail"]["definition"] == "steady", f"{kind}: {probe['detail']}")
    checks.that(probe["setup_ms"] > 30, f"first byte after {probe['setup_ms']} ms")
    checks.that(48 <= len(rows) <= 52, f"{len(rows)} rows of 100 ms")
    moved = probe["bytes_down"] if kind == "download" else probe["bytes_up"]
    checks.near(sum(r["bytes"] for r in rows), moved, 1, "rows add up to the probe")


def volume(lab, link, checks, url):
    probe = probe_of(lab.probe(link, "download", "-u", url, "-s", "20", "--megabytes", "4"))
    checks.that(probe["status"] == "ok" and 4e6 <= probe["bytes_down"] < 4.3e6,
                f"volume-bound: {probe}")
    checks.that(probe["detail"]["definition"] == "etsi-method-b", f"{probe['detail']}")
    checks.near(probe["value"] / 1e6, 19, 1.2, "mean data rate")


def trains(lab, link, checks, rate, down, up):
    link.set(f"both reset=1 delay=25 rate={rate} queue=400")
    time.sleep(0.3)
    records = lab.probe(link, "train", "--rates", "3,10,30/3,10")
    rows = netlab.table(records, "throughputs")
    for way, want in (("down", down), ("up", up)):
        got = [r["reached"] for r in rows if r["direction"] == way]
        checks.that(got == want, f"{rate} Mbit/s {way}: {got}, expected {want}")
    checks.that(probe_of(records)["status"] == "ok", f"{probe_of(records)}")


def foreign_clock(lab, checks):
    """The reflector's clock is an hour ahead: a train's row still lies within its probe."""
    link = lab.link("wwan3")
    lab.reflector(link, env=dict(os.environ, CORRIDOR_CLOCK_AHEAD_S="3600"))
    link.set("both delay=10 rate=20")
    records = lab.probe(link, "train", "--rates", "3/3")
    probe = probe_of(records)
    rows = netlab.table(records, "throughputs")
    checks.that([r["reached"] for r in rows] == [1, 1] and
                all(probe["time_ns"] <= r["time_ns"] <= probe["end_ns"] for r in rows),
                f"clock of the far end: {probe} {rows}")


def dispersion(lab, link, checks):
    records = lab.probe(link, "train", "--rates", "60/", "-s", "0.8")  # bounded to 4 MB: 0.53 s
    detail = probe_of(records)["detail"]
    checks.near(detail["dispersion_bps_down_60"] / 1e6, 25, 0.75, "dispersion")
    checks.that(detail["dispersion_p10_bps_down_60"] <= detail["dispersion_median_bps_down_60"] <=
                detail["dispersion_p90_bps_down_60"], f"spread {detail}")


def nginx_part(lab, checks):
    link = lab.link("wwan0")
    folder = webserver.nginx(lab, link)
    link.set("both delay=15 rate=20 queue=80")
    base = f"//{link.address}"
    capture = lab.start(link.client, [netlab.RUNNER, "-i", "wwan0", "-s", "60", "capture"])
    for kind, url in (("download", f"http:{base}/big"), ("upload", f"http:{base}/up/a"),
                      ("download", f"https:{base}/big")):
        checks.patient(lambda trial: transfer(lab, link, trial, kind, url, folder))
    checks.patient(lambda trial: volume(lab, link, trial, f"http:{base}/big"))
    checks.patient(lambda trial: nothing_after(lab, link, trial))
    records = lab.probe(link, "upload", "-u", f"http:{base}/up/b", "-s", "20", "--megabytes", "3")
    probe = probe_of(records)
    checks.that(probe["status"] == "ok" and abs(probe["bytes_up"] - 3e6) < 5e4,
                f"volume-bound upload: {probe}")
    records = lab.probe(link, "download", "-u", f"https:{base}/big", "-s", "2")
    checks.that(probe_of(records)["reason"] == "tls", "an unknown certificate is refused")
    for path, status, reason in (("/elsewhere", "skipped", "redirect"),
                                 ("/none", "skipped", "http-error"),
                                 ("/tiny", "skipped", "file-too-small")):
        records = lab.probe(link, "download", "-u", f"http:{base}{path}", "-s", "2")
        probe = probe_of(records)
        checks.that((probe["status"], probe["reason"]) == (status, reason), f"{path}: {probe}")
    capture.terminate()
    passive_part(checks, capture.communicate(timeout=10)[0])


def nothing_after(lab, link, checks):
    """An upload that was ended by its time is over: what the system still had to send is not sent."""
    link.set("both rate=0.5 queue=300")
    records = lab.probe(link, "upload", "-u", f"http://{link.address}/up/c", "-s", "2", "--streams",
                        "6")
    checks.that(probe_of(records)["status"] == "ok", f"{probe_of(records)}")
    time.sleep(0.5)
    before = link.carried()
    time.sleep(1.5)
    checks.that(link.carried() - before < 8000, f"{link.carried() - before} bytes after the end")
    link.set("both rate=20 queue=80")


def passive_part(checks, output):
    """What the capture saw of the first download agrees with what the probe said."""
    import json
    rows = [json.loads(line) for line in output.splitlines() if '"passive"' in line]
    down = [r for r in rows if r["direction"] == "down" and r["rate_bps"] > 1e6]
    rates = sorted(r["rate_bps"] / 1e6 for r in down)
    checks.that(len(rates) > 50, f"{len(rates)} busy passive rows")
    if rates:
        checks.near(rates[len(rates) // 2], 19.3, 0.8, "passive goodput, median")
    trips = sorted(r["delay_ms"] for r in rows if "delay_ms" in r)
    checks.that(len(trips) > 50 and 30 <= trips[0] < 45,
                f"passive round trips {len(trips)} {trips[:1]}")


def shaped_part(lab, checks):
    """The kernel's own shaper as the link: 10 Mbit/s of Ethernet frames carry 1448 bytes of content in
    1514 each. Only in the long run: it wants a machine that reads what comes without delay."""
    if not os.environ.get("CORRIDOR_LONG"):
        return
    if not shutil.which("tc"):
        print("note: no tc, its opinion on rates is not asked")
        return
    wire = lab.wire("wwan4", 10)
    if not wire.works:
        print("note: tc's token bucket does not work here, its opinion on rates is not asked")
        return
    webserver.nginx(lab, wire)
    for kind, url in (("download", "/big"), ("upload", "/up/x")):
        def compared(trial, kind=kind, url=url):
            records = lab.probe(wire, kind, "-u", f"http://{wire.address}{url}", "-s", "7",
                                "--warm-up", "2")
            due = 10e6 * 1448 / 1514
            trial.near(probe_of(records)["value"] / 1e6, due / 1e6, 0.03 * due / 1e6,
                       f"{kind} through tbf")
        checks.patient(compared)


def evil_part(lab, checks):
    link = lab.link("wwan1")
    link.set("both delay=5 rate=50")
    lab.start(link.server, [sys.executable, __file__, "evil", link.address])
    time.sleep(0.7)
    expected = {
        "/stall": ("ok", None), "/silent": ("failed", "timeout"), "/truncate": ("cut", "truncated"),
        "/short-length": ("skipped", "file-too-small"), "/huge-length": (None, None),
        "/garbage": (None, None), "/endless-header": (None, None),
        "/redirect": ("skipped", "redirect"),
    }
    for path, (status, reason) in expected.items():
        start = time.monotonic()
        records = lab.probe(link, "download", "-u", f"http://{link.address}:8080{path}", "-s", "3")
        took = time.monotonic() - start
        probe = probe_of(records)
        checks.that(took < 5, f"{path}: took {took:.1f} s")
        if status:
            checks.that(probe["status"] == status and probe.get("reason") == reason,
                        f"{path}: {probe}")
        if path == "/stall":
            checks.that(probe["value"] < 3e6, f"a stall counts: {probe['value']}")
    for path in ("/silent", "/refuse", "/garbage", "/redirect"):
        start = time.monotonic()
        records = lab.probe(link, "upload", "-u", f"http://{link.address}:8080{path}", "-s", "3")
        checks.that(time.monotonic() - start < 5, f"upload {path} hangs")
        checks.that(len(netlab.table(records, "probes")) == 1, f"upload {path}: {records[-2:]}")
    link.set("both outage=1")
    records = lab.probe(link, "download", "-u", f"http://{link.address}:8080/stall", "-s", "6",
                        "--timeout", "2")
    checks.that(probe_of(records)["status"] == "failed", f"outage: {probe_of(records)}")


def train_part(lab, checks):
    link = lab.link("wwan2")
    lab.reflector(link)
    # Link, then which of 3, 10 and 30 Mbit/s down and 3 and 10 up are there.
    for rate, down, up in ((2, [0], [0]), (6, [1, 0], [1, 0]), (11, [1, 1, 0], [1, 1]),
                           (100, [1, 1, 1], [1, 1])):
        checks.patient(lambda trial: trains(lab, link, trial, rate, down, up))
    link.set("both reset=1 delay=25 loss=8")  # more than 5 % lost
    records = lab.probe(link, "train", "--rates", "10/")
    checks.that(probe_of(records)["detail"]["down_10"] == "loss", f"{probe_of(records)}")
    link.set("both reset=1 delay=25 rate=25 queue=2000")
    checks.patient(lambda trial: dispersion(lab, link, trial))
    checks.patient(lambda trial: foreign_clock(lab, trial))
    link.set("both reset=1 outage=1")
    records = lab.probe(link, "train", "--rates", "10/", "--timeout", "2")
    probe = probe_of(records)
    checks.that((probe["status"], probe["reason"]) == ("failed", "no-answer"), f"{probe}")


def main():
    if sys.argv[1:2] == ["evil"]:
        evil(sys.argv[2])
    lab = netlab.Lab()
    webserver.need()
    checks = netlab.Checks()
    checks.together(lab, (nginx_part, evil_part, train_part, shaped_part))
    checks.end()


if __name__ == "__main__":
    sys.exit(main())
