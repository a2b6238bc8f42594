#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a running logger opens to others: no network listener, no capability in effect, one Unix
socket of mode 0660, drives and what stands beside them 0640, their folder 0750, the key of the hashes
0600, no hash of a number that could be turned back without the key."""
import os
import stat

import drive_reader
import riglab

lab = riglab.Lab(duration=14, gps_rate=5)
lab.rig()
lab.gpsd()
os.umask(0)  # whoever starts it: the logger takes away what is too much
outer = lab.drives_dir
lab.drives_dir = store = outer + "/store"  # which the logger makes
lab.configure()
lab.drives_dir = outer
lab.logger()
pid = lab.logger_process.pid
inodes = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
own = {name[8:-1] for name in inodes if name.startswith("socket:[")}
for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
    with open(f"/proc/{pid}/net/{table}", encoding="utf-8") as f:
        for line in f.read().splitlines()[1:]:
            fields = line.split()
            local, remote, state, inode = fields[1], fields[2], fields[3], fields[9]
            if inode not in own:
                continue
            if table.startswith("tcp") and state == "0A":
                riglab.fail(f"listens on {table} {local}")
            if table.startswith(("udp", "raw")) and remote.split(":")[1] == "0000":
                riglab.fail(f"anybody may send to {table} {local}")


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def want(path, most):
    if mode(path) & ~most:
        riglab.fail(f"{path}: mode {mode(path):o}, not {most:o} at most")


NET_RAW = 1 << 13
# In no thread is any capability in effect; CAP_NET_RAW alone may be taken up, to open a capture.
for task in os.listdir(f"/proc/{pid}/task"):
    with open(f"/proc/{pid}/task/{task}/status", encoding="utf-8") as f:
        said = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
    for name, most in (("CapEff", 0), ("CapInh", 0), ("CapAmb", 0), ("CapPrm", NET_RAW)):
        if int(said[name], 16) & ~most:
            riglab.fail(f"thread {task}: {name} is {said[name]}, not {most:x} at most")
    if said["NoNewPrivs"] != "1":
        riglab.fail(f"thread {task} may gain privileges")
want(lab.path("logger.sock"), 0o660)
want(store, 0o750)
want(store + "/identity.key", 0o600)
for path in lab.drives():
    for name in (path, path + "-wal"):
        if os.path.exists(name):
            want(name, 0o640)
lab.at(8)
lab.stop_logger()
for name in os.listdir(store):
    want(os.path.join(store, name), 0o750 if os.path.isdir(os.path.join(store, name)) else 0o640)
sources = [s for path in lab.drives() for s in drive_reader.records(path, "sources")]
if not sources:
    riglab.fail("no sources")
for source in sources:
    for column in ("device_hash", "sim_hash"):
        value = source.get(column)
        if value is not None and (len(value) != 32 or value.isdigit()):
            riglab.fail(f"{column} {value} is no hash")
print("no listener; modes are as they should be")
