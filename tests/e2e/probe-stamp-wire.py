#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""STAMP packets byte by byte against the figures of RFC 8762 (4.2.1, 4.2.2, 4.3.1, 4.3.2), with a far
end written here from those figures and HMAC by Python's own hmac: this sender asks corridor-reflector,
and this reflector answers our probe. Extra Padding and the session identifier as in RFC 8972."""
import hashlib
import hmac
import json
import os
import socket
import struct
import sys
import time

import netlab

KEY = bytes.fromhex(netlab.KEY)
NTP_OF_1970 = 2208988800
# Field: (offset, bytes) by figure; what no field covers must be zero.
REQUEST = {False: {"seq": (0, 4), "time": (4, 8), "error": (12, 2), "ssid": (14, 2)},
           True: {"seq": (0, 4), "time": (16, 8), "error": (24, 2), "ssid": (26, 2),
                  "hmac": (96, 16)}}
REPLY = {False: {"seq": (0, 4), "time": (4, 8), "error": (12, 2), "ssid": (14, 2),
                 "receive": (16, 8), "sender_seq": (24, 4), "sender_time": (28, 8),
                 "sender_error": (36, 2), "sender_ttl": (40, 1)},
         True: {"seq": (0, 4), "time": (16, 8), "error": (24, 2), "ssid": (26, 2),
                "receive": (32, 8), "sender_seq": (48, 4), "sender_time": (64, 8),
                "sender_error": (72, 2), "sender_ttl": (80, 1), "hmac": (96, 16)}}
SIZE = {False: 44, True: 112}


def code(packet):
    """RFC 8762, 4.4: HMAC-SHA-256 over what is before it, the first 16 bytes."""
    return hmac.new(KEY, packet[:96], hashlib.sha256).digest()[:16]


def read(packet, figure, sealed):
    """Fields by name; raises where a byte that must be zero is not, or the code is wrong."""
    rest = bytearray(packet[:SIZE[sealed]])
    fields = {}
    for name, (at, size) in figure[sealed].items():
        fields[name] = int.from_bytes(packet[at:at + size], "big")
        rest[at:at + size] = bytes(size)
    if len(packet) < SIZE[sealed] or any(rest):
        raise ValueError(f"not zero where it must be: {bytes(rest).hex()}")
    if sealed and not hmac.compare_digest(packet[96:112], code(packet)):
        raise ValueError("HMAC differs")
    return fields


def write(figure, sealed, padding=b"", **fields):
    packet = bytearray(SIZE[sealed])
    for name, value in fields.items():
        at, size = figure[sealed][name]
        packet[at:at + size] = value.to_bytes(size, "big")
    if sealed:
        packet[96:112] = code(packet)
    return bytes(packet) + padding


def ntp(unix_s=None):
    now = time.time() if unix_s is None else unix_s
    return int((now + NTP_OF_1970) * 2**32) & (2**64 - 1)


def padding(size):
    """Extra Padding TLV (RFC 8972, 4.1) as a sender sends it: U set."""
    return struct.pack(">BBH", 0x80, 1, size) + bytes(size)


def ask(address):
    """Asks a reflector; prints what is wrong with its answers, one JSON list."""
    wrong = []
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(2)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 61)
    s.connect((address, 862))
    for sealed in (False, True):
        for n, tail in enumerate((b"", padding(0), padding(60))):
            ssid = 0x5a00 + sealed
            request = write(REQUEST, sealed, tail, seq=1000 + n, time=ntp(), error=0x0a81, ssid=ssid)
            sent = ntp()
            s.send(request)
            reply = s.recv(2048)
            try:
                got = read(reply, REPLY, sealed)
            except ValueError as problem:
                wrong.append(f"{sealed} {n}: {problem}")
                continue
            base = SIZE[sealed]
            want = {"seq": n, "ssid": ssid, "sender_seq": 1000 + n, "sender_error": 0x0a81,
                    "sender_ttl": 61,
                    "sender_time": int.from_bytes(request[16 if sealed else 4:][:8], "big")}
            wrong += [f"{sealed} {n}: {name} {got[name]:#x}, not {value:#x}"
                      for name, value in want.items() if got[name] != value]
            if not sent - 2**32 < got["receive"] <= got["time"] < ntp() + 2**22:
                wrong.append(f"{sealed} {n}: received {got['receive']:#x}, sent {got['time']:#x}")
            if got["error"] & 0x4000 or got["error"] & 0xff == 0:
                wrong.append(f"{sealed} {n}: error estimate {got['error']:#x}")
            if reply[base:] != (b"\0" + tail[1:] if tail else b""):
                wrong.append(f"{sealed} {n}: padding {reply[base:base + 8].hex()}")
    print(json.dumps(wrong))


def reflect(address, seconds):
    """Answers STAMP for so long; prints how many of each kind came and what was wrong with them."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 862))
    s.settimeout(0.2)
    print("ready", flush=True)
    count, wrong, next_seq = {"False": 0, "True": 0}, [], {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            request, sender = s.recvfrom(2048)
        except socket.timeout:
            continue
        came = ntp()
        sealed = len(request) >= 112 and hmac.compare_digest(request[96:112], code(request))
        tail = request[SIZE[sealed]:]
        try:
            got = read(request, REQUEST, sealed)
        except ValueError as problem:
            wrong.append(str(problem))
            continue
        if not 0 <= came - got["time"] < 2**32 or got["error"] & 0x4000 or got["error"] & 0xff == 0:
            wrong.append(f"time {got['time']:#x} error {got['error']:#x} at {came:#x}")
        if tail and tail != padding(len(tail) - 4):
            wrong.append(f"padding {tail[:8].hex()}")
        count[str(sealed)] += 1
        seq = next_seq[sender] = next_seq.get(sender, -1) + 1
        s.sendto(write(REPLY, sealed, b"\0" + tail[1:] if tail else b"", seq=seq, time=ntp(),
                       error=0x0a81, ssid=got["ssid"], receive=came, sender_seq=got["seq"],
                       sender_time=got["time"], sender_error=got["error"], sender_ttl=64), sender)
    print(json.dumps({"count": count, "wrong": wrong[:5]}))


def main():
    if sys.argv[1:2] == ["ask"]:
        return ask(sys.argv[2])
    if sys.argv[1:2] == ["reflect"]:
        return reflect(sys.argv[2], float(sys.argv[3]))
    lab = netlab.Lab()
    checks = netlab.Checks()
    link = lab.link("wwan0")
    link.set("both delay=5")
    reflector = lab.reflector(link)
    done = lab.run(link.client, [sys.executable, os.path.abspath(__file__), "ask", link.address])
    checks.that(json.loads(done.stdout) == [], f"corridor-reflector: {done.stdout}")
    reflector.terminate()
    reflector.wait(5)
    other = lab.start(link.server, [sys.executable, os.path.abspath(__file__), "reflect",
                                    link.address, "6"])
    other.stdout.readline()
    for more in ([], ["--no-stamp-key"], ["--size", "300"]):
        probe = netlab.table(lab.probe(link, "stamp", "-s", "1", *more), "probes")[0]
        detail = probe["detail"]
        checks.that(probe["status"] == "ok" and detail["received"] >= 40 and
                    detail["lost_up"] == detail["lost_down"] == 0, f"{more}: {probe}")
        checks.near(probe["value"], 11, 3, f"{more}: round trip of 10 ms")
    said = json.loads(other.communicate(timeout=20)[0])
    checks.that(said["wrong"] == [], f"our probe sends {said}")
    checks.that(said["count"]["True"] >= 90 and said["count"]["False"] >= 45, f"{said}")
    checks.end()


if __name__ == "__main__":
    sys.exit(main())
