#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No proxy runs: the libraries start the real ones, one of each, and the logger records through them.
When qmi-proxy is killed under it, the QMI modems come back and the MBIM modem never notices."""
import glob
import os
import signal
import time

import riglab

PROXIES = ("/usr/libexec/qmi-proxy", "/usr/libexec/mbim-proxy")
if not all(map(os.path.exists, PROXIES)):
    riglab.skip("libqmi-proxy and libmbim-proxy are needed")
riglab.enter()
if os.geteuid() != 0:
    riglab.skip("the proxies serve only root")
keys = {f"modem_{m}__pty": "yes" for m in ("red", "green", "blue", "white")}
lab = riglab.Lab(duration=40, gps_rate=5, **keys)
OWN_NET = os.stat("/proc/self/ns/net").st_ino


def proxies(name):
    """Those of this network namespace, by pid."""
    found = []
    for path in glob.glob("/proc/[0-9]*"):
        try:
            with open(path + "/comm", encoding="utf-8") as f:
                if f.read().strip() == name and os.stat(path + "/ns/net").st_ino == OWN_NET:
                    with open(path + "/stat", encoding="utf-8") as stat:
                        if stat.read().rsplit(")", 1)[1].split()[0] != "Z":
                            found.append(int(os.path.basename(path)))
        except OSError:
            pass
    return found


def dead_children(parent):
    count = 0
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8") as f:
                state, ppid = f.read().rsplit(")", 1)[1].split()[:2]
            count += state == "Z" and int(ppid) == parent
        except OSError:
            pass
    return count


def samples(modem, after_ns):
    return sum(1 for s in lab.records("samples") if s["source"] == modem and s["time_ns"] > after_ns)


try:
    lab.rig()
    lab.gpsd()
    lab.logger()
    lab.wait_for(lambda: all(samples(m, 0) >= 3 for m in lab.modems), 20, "samples of all modems")
    # Those that came second find the socket taken and end.
    lab.wait_for(lambda: len(proxies("qmi-proxy")) == len(proxies("mbim-proxy")) == 1, 20,
                 "one proxy of each kind")
    if dead_children(lab.logger_process.pid):
        riglab.fail("the logger leaves dead children behind")
    killed_ns = time.time_ns()
    os.kill(proxies("qmi-proxy")[0], signal.SIGKILL)
    lab.wait_for(lambda: all(samples(m, killed_ns + 500_000_000) >= 3 for m in lab.modems), 20,
                 "samples of all modems again")
    lab.wait_for(lambda: len(proxies("qmi-proxy")) == 1, 20, "one qmi-proxy again")
    lab.stop_logger()
    for modem in ("red", "green", "blue"):
        lab.want_event("modem-lost", modem)
        lab.want_event("modem-found", modem)
    if lab.events("modem-lost", "white"):
        riglab.fail("the MBIM modem was disturbed:", lab.events("modem-lost", "white"))
    lab.integrity()
finally:
    for name in ("qmi-proxy", "mbim-proxy"):
        for pid in proxies(name):
            os.kill(pid, signal.SIGKILL)
