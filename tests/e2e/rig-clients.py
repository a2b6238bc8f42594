#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rig alone: the real qmicli, mbimcli and gpsd read from it what its truth says."""
import json
import re
import shutil
import socket
import subprocess
import time

import riglab

for tool in ("qmicli", "mbimcli", "gpsd"):
    if not shutil.which(tool):
        riglab.skip(f"{tool} is needed")
lab = riglab.Lab(duration=30)
lab.rig()
lab.gpsd()


def cli(*command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    if result.returncode != 0:
        riglab.fail(" ".join(command), result.stdout, result.stderr)
    return result.stdout


def number(text, pattern):
    found = re.search(pattern, text)
    if not found:
        riglab.fail(f"no {pattern} in {text}")
    return float(found.group(1))


def near(label, seconds):
    """Truth of a modem in the last seconds."""
    rows = [r for r in lab.truth("samples") if r["source"] == label]
    return [r for r in rows if r["time_ns"] > rows[-1]["time_ns"] - seconds * 1e9]


def qmi(modem, request):
    return cli("qmicli", "-p", "-d", lab.path(f"dev/by-path/{modem}"), "--device-open-qmi", request)


def mbim(request, *extra):
    return cli("mbimcli", "-p", "-d", lab.path("dev/by-path/white"), *extra, request)


seen = {}
signal = qmi("red", "--nas-get-signal-info")
seen["red"] = {"rsrp_dbm": number(signal, r"(?s)LTE:.*?RSRP: '(-?\d+)"),
               "nr_rsrp_dbm": number(signal, r"5G:\s+RSRP: '(-?\d+)")}
seen["green"] = {"arfcn": number(qmi("green", "--nas-get-rf-band-info"),
                                 r"(?s)Extended.*Channel:\s+'(\d+)'")}
system = qmi("blue", "--nas-get-system-info")
seen["blue"] = {"tac": number(system, r"(?s)5G SA.*5GNR [Tt]racking [Aa]rea [Cc]ode: '(\d+)'")
                if "racking" in system.split("5G SA")[1] else None,
                "rsrp_dbm": number(qmi("blue", "--nas-get-signal-info"), r"5G:\s+RSRP: '(-?\d+)")}
stations = mbim("--ms-query-base-stations-info", "--device-open-ms-mbimex-v3")
seen["white"] = {"rsrp_dbm": number(stations, r"(?s)LTE Serving.*?RSRP: (-?\d+)"),
                 "cell_id": number(stations, r"Cell id: (\d+)"),
                 "nr_arfcn": number(stations, r"NRARFCN: (\d+)")}
old = mbim("--query-signal-state")
if "RSRP" in old:
    riglab.fail("levels without the extension")
time.sleep(3)  # the truth is committed every two seconds
for modem, values in seen.items():
    rows = near(modem, 8)
    for column, value in values.items():
        if value is not None and value not in {r[column] for r in rows}:
            riglab.fail(f"{modem} {column}: the client reads {value}, the truth has "
                        f"{sorted({r[column] for r in rows})}")
    print(modem, values)

gps = socket.create_connection(("127.0.0.1", riglab.GPSD_PORT), timeout=5)
gps.sendall(b'?WATCH={"enable":true,"json":true}\n')
reports, data = [], b""
while len(reports) < 25:
    data += gps.recv(4096)
    *lines, data = data.split(b"\n")
    reports += [r for r in map(json.loads, lines) if r["class"] == "TPV"]
times = sorted({r["time"] for r in reports if "time" in r})
if any(r["mode"] != 3 for r in reports[3:]) or len(times) < 23:
    riglab.fail("gpsd does not see ten fixes a second", reports)
print(f"gpsd: {len(times)} fixes")
