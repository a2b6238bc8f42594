#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The services as systemd starts them: systemd itself as the first process of a namespace, on a copy of
the root that is gone afterwards, with the units, users and programs of this tree. The logger records the
made vehicle inside its sandbox, seals, hashes, ends, comes back after a kill; it and the reflector are
not root, have no capability but their own, and show strangers neither folder nor socket.

Usage: service.py"""
import contextlib
import grp
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.abspath(os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "../..")))
BUILD = os.path.abspath(os.environ.get("CORRIDOR_BUILD", os.path.join(SOURCE, "build")))
SYSTEMD = "/lib/systemd/systemd"
# What of a usual start would reach out of the namespace, or waits for hardware.
MASKED = ("systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service systemd-udevd.service "
          "systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket "
          "systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-random-seed.service "
          "systemd-journal-flush.service systemd-journald-audit.socket sys-kernel-debug.mount "
          "sys-kernel-tracing.mount sys-kernel-config.mount dev-hugepages.mount dev-mqueue.mount "
          "sys-fs-fuse-connections.mount gpsd.service gpsd.socket ModemManager.service "
          "systemd-networkd.service systemd-resolved.service systemd-timesyncd.service").split()
UNITS = ("corridor-logger.service", "corridor-reflector.service")
NET_BIND_SERVICE, NET_RAW = 1 << 10, 1 << 13  # capabilities(7)


def skip(why):
    print("SKIPPED:", why)
    sys.exit(77)


def fail(*why):
    print("FAILED:", *why)
    if sys.argv[1:2] == ["--inside"]:
        for unit in UNITS:
            path = os.path.join(sys.argv[2], unit + ".log")
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    print(f"{unit}:\n{f.read()[-3000:]}")
    sys.exit(1)


# ---- outside: namespaces, a root to write on, systemd ----

def outside():
    if os.geteuid() != 0:
        skip("only root can start systemd")
    for path in (SYSTEMD, "/usr/bin/unshare", "/usr/sbin/pivot_root"):
        if not os.path.exists(path):
            skip(f"{path} is needed")
    for program in ("logger/corridor-logger", "logger/corridor-reflector", "tests/rig/corridor-rig"):
        if not os.path.exists(os.path.join(BUILD, program)):
            skip(f"{program} is not built")
    shared = tempfile.mkdtemp(prefix="corridor-service.")
    try:
        with open(os.path.join(shared, "log"), "w+", encoding="utf-8") as log:
            done = subprocess.run(
                ["unshare", "--fork", "--pid", "--mount", "--net", "--uts", "--ipc", "--cgroup", "--kill-child",
                 sys.executable, os.path.abspath(__file__), "--first", shared],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=100)
            log.seek(0)
            said = log.read()
        result = os.path.join(shared, "result")
        if os.path.exists(result):
            with open(result, encoding="utf-8") as f:
                text = f.read()
            print(text, end="")
            sys.exit(0 if text.endswith("ok\n") else 1)
        if "CANNOT" in said:
            skip(said.strip().split("\n")[-1])
        fail(f"systemd ended with {done.returncode}: {said[-2000:]}")
    except subprocess.TimeoutExpired:
        fail("systemd did not come to an end")
    finally:
        shutil.rmtree(shared)


def first(shared):
    """Becomes systemd."""
    def mount(*words):
        if subprocess.run(["mount", *words]).returncode != 0:
            sys.exit(f"CANNOT mount {' '.join(words)}")

    mount("--make-rprivate", "/")
    room = os.path.join(shared, "room")
    root = os.path.join(room, "root")
    os.mkdir(room)
    mount("-t", "tmpfs", "tmpfs", room)
    for name in ("up", "work", "root"):
        os.mkdir(os.path.join(room, name))
    mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={room}/up,workdir={room}/work", root)
    for kind, name in (("proc", "proc"), ("tmpfs", "run"), ("tmpfs", "tmp"), ("sysfs", "sys")):
        mount("-t", kind, kind, os.path.join(root, name))
    mount("--rbind", "/dev", os.path.join(root, "dev"))
    mount("-t", "cgroup2", "cgroup2", os.path.join(root, "sys/fs/cgroup"))
    for path in (SOURCE, BUILD, shared):
        os.makedirs(root + path, exist_ok=True)
        mount("--bind", path, root + path)
    system = os.path.join(root, "etc/systemd/system")
    os.makedirs(system, exist_ok=True)
    for unit in MASKED:
        path = os.path.join(system, unit)
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink("/dev/null", path)
    for unit in UNITS:
        shutil.copy(os.path.join(SOURCE, "contrib/systemd", unit), system)
        os.makedirs(os.path.join(system, unit + ".d"), exist_ok=True)
        with open(os.path.join(system, unit + ".d/log.conf"), "w", encoding="utf-8") as f:
            f.write(f"[Service]\nStandardOutput=append:{shared}/{unit}.log\nStandardError=append:{shared}/{unit}.log\n")
    for program in ("corridor-logger", "corridor-reflector"):
        shutil.copy(os.path.join(BUILD, "logger", program), os.path.join(root, "usr/bin"))
    with open(os.path.join(system, "trial.service"), "w", encoding="utf-8") as f:
        f.write(f"[Service]\nType=oneshot\nEnvironment=CORRIDOR_SOURCE={SOURCE} CORRIDOR_BUILD={BUILD} "
                f"RIGLAB_INSIDE=1\nExecStart={sys.executable} {os.path.abspath(__file__)} --inside {shared}\n"
                "ExecStopPost=systemctl exit 0\nTimeoutStartSec=90\n")
    os.makedirs(os.path.join(root, "old"), exist_ok=True)
    os.chdir(root)
    if subprocess.run(["pivot_root", ".", "old"]).returncode != 0:
        sys.exit("CANNOT pivot_root")
    os.chdir("/")
    subprocess.run(["umount", "-l", "/old"], check=True)
    mount("--make-rshared", "/")  # services get what is mounted for them
    if subprocess.run(["systemd-sysusers", os.path.join(SOURCE, "contrib/systemd/corridor-sysusers.conf")]).returncode != 0:
        sys.exit("CANNOT make the user")
    os.environ.clear()
    os.environ.update(container="lxc", PATH="/usr/sbin:/usr/bin:/sbin:/bin")
    os.execv(SYSTEMD, [SYSTEMD, "--system", "--log-target=null", "--show-status=no", "--unit=trial.service"])


# ---- inside: what is asked of the services ----

def systemctl(*words, check=True):
    result = subprocess.run(["systemctl", "--no-pager", *words], capture_output=True, text=True)
    if check and result.returncode != 0:
        fail(f"systemctl {' '.join(words)}: {result.stderr}")
    return result.stdout.strip()


def shown(unit, name):
    return systemctl("show", "-P", name, unit)


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            fail(f"after {seconds} s not yet: {what}")
        time.sleep(0.1)


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def check_process(unit, user, capability, in_effect):
    pid = int(shown(unit, "MainPID"))
    said = status_of(pid)
    uids, gids = set(said["Uid"].split()), set(said["Gid"].split())
    if "0" in uids or "0" in gids:
        fail(f"{unit} is root: {uids} {gids}")
    if user and uids != {str(pwd.getpwnam(user).pw_uid)}:
        fail(f"{unit} is {uids}, not {user}")
    if said["NoNewPrivs"] != "1" or said["Seccomp"] != "2":
        fail(f"{unit}: NoNewPrivs {said['NoNewPrivs']}, Seccomp {said['Seccomp']}")
    bounding = capability if capability else NET_BIND_SERVICE  # only CAP_SETPCAP could make it less
    for name, most in (("CapPrm", capability), ("CapBnd", bounding), ("CapEff", in_effect), ("CapInh", 0)):
        for task in os.listdir(f"/proc/{pid}/task"):
            has = status_of(f"{pid}/task/{task}")[name]
            if int(has, 16) & ~most:
                fail(f"{unit}, thread {task}: {name} is {has}, more than {most:x}")
    return pid


def want(path, mode, user, group):
    info = os.stat(path)
    got = (stat.S_IMODE(info.st_mode), pwd.getpwuid(info.st_uid).pw_name, grp.getgrgid(info.st_gid).gr_name)
    if got != (mode, user, group):
        fail(f"{path} is {got[0]:o} {got[1]}:{got[2]}, not {mode:o} {user}:{group}")


def as_stranger(groups, *command):
    return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", *groups, "--", *command],
                          capture_output=True, text=True)


def live(lab, table, where):
    total = 0
    for path in lab.drives():
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            total += db.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]
    return total


def check_logger(lab):
    unit = "corridor-logger.service"
    store = "/var/lib/corridor"
    systemctl("start", unit)
    check_process(unit, "corridor", NET_RAW, 0)
    lab.drives_dir = store
    wait_for(lambda: lab.live_samples() >= 8, 15, "eight samples")
    want(store, 0o750, "corridor", "corridor")
    want("/run/corridor", 0o750, "corridor", "corridor")
    want("/run/corridor/logger.sock", 0o660, "corridor", "corridor")
    want(store + "/identity.key", 0o600, "corridor", "corridor")
    for path in lab.drives():
        want(path, 0o640, "corridor", "corridor")
    ask = ["corridor-logger", "status", "--socket", "/run/corridor/logger.sock"]
    if as_stranger(["--clear-groups"], *ask).returncode == 0:
        fail("a stranger may ask for the state")
    if as_stranger(["--clear-groups"], "ls", store).returncode == 0:
        fail("a stranger sees the drives")
    friend = as_stranger([f"--groups={grp.getgrnam('corridor').gr_gid}"], *ask)
    if friend.returncode != 0:
        fail(f"one of the group may not ask for the state: {friend.stderr}")
    # probes and captures: raw sockets, timestamps and threads that the sandbox could refuse
    wait_for(lambda: live(lab, "latencies", "kind = 'stamp' AND received > 0"), 20, "round trips to the reflector")
    wait_for(lambda: live(lab, "throughputs", "kind = 'passive' AND bytes > 0"), 20, "traffic that was counted")
    # killed, it comes back and closes what was open
    first_drive = lab.drives()[0]
    os.kill(int(shown(unit, "MainPID")), signal.SIGKILL)
    wait_for(lambda: shown(unit, "NRestarts") == "1" and shown(unit, "ActiveState") == "active", 15,
             "the logger comes back after a kill")
    check_process(unit, "corridor", NET_RAW, 0)
    wait_for(lambda: os.path.exists(first_drive + ".evidence"), 15, "the drive of the killed one is sealed and hashed")
    began = time.monotonic()
    systemctl("stop", unit)
    if shown(unit, "Result") != "success":
        fail(f"it ended with {shown(unit, 'Result')}, {shown(unit, 'ExecMainStatus')}")
    for path in lab.drives():
        with contextlib.closing(sqlite3.connect(path)) as db:
            chunks = db.execute("SELECT count(*) FROM chunks").fetchone()[0]
        if chunks == 0 or not os.path.exists(path + ".evidence"):
            fail(f"{path}: {chunks} chunks; sealing does not work in the sandbox")
    print(f"logger: {len(lab.records('samples'))} samples, {len(lab.drives())} drives sealed and hashed, ended in "
          f"{time.monotonic() - began:.1f} s")


def udp_ports():
    ports = []
    for table in ("udp", "udp6"):
        with open(f"/proc/net/{table}", encoding="ascii") as f:
            ports += [int(line.split()[1].split(":")[1], 16) for line in f.read().splitlines()[1:]]
    return ports


def start_reflector():
    for name, mode, group in (("reflector.key", 0o600, "root"), ("logger.key", 0o640, "corridor")):
        path = "/etc/corridor/" + name
        with open(path, "w", encoding="ascii") as f:
            f.write("00112233445566778899aabbccddeeff\n")
        os.chmod(path, mode)
        shutil.chown(path, "root", group)
    systemctl("start", "corridor-reflector.service")


def check_reflector():
    unit = "corridor-reflector.service"
    wait_for(lambda: 862 in udp_ports(), 10, "the reflector listens on port 862")
    pid = check_process(unit, None, 0, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.sendto(b"\0" * 44, ("127.0.0.1", 862))
    time.sleep(0.5)
    if int(shown(unit, "MainPID")) != pid:
        fail("the reflector ended")
    systemctl("stop", unit)
    if shown(unit, "Result") != "success":
        fail(f"the reflector ended with {shown(unit, 'Result')}")
    print("reflector: listens, keyed, not root")


def inside(shared):
    sys.stdout = sys.stderr = open(os.path.join(shared, "result"), "w", buffering=1, encoding="utf-8")
    os.environ["TMPDIR"] = "/srv"  # its own /tmp is all that the logger sees
    import riglab
    lab = riglab.Lab(duration=60, gps_rate=2, modem_red__pty="yes", modem_green__pty="yes", modem_blue__pty="yes",
                     modem_white__pty="yes")
    lab.rig()
    lab.gpsd()
    lab.configure()
    os.makedirs("/etc/corridor", exist_ok=True)
    text = lab.read("logger.conf").replace(f"socket={lab.path('logger.sock')}", "socket=/run/corridor/logger.sock") \
        .replace(f"folder={lab.drives_dir}", "folder=/var/lib/corridor")
    text = text.replace("[modem red]\n", "[modem red]\ninterface=lo\n")  # where the reflector is
    with open("/etc/corridor/logger.conf", "w", encoding="utf-8") as f:
        f.write(text + "[reflector]\nhost=127.0.0.1\nkey-file=/etc/corridor/logger.key\n"
                "[probes]\nwhen-standing=yes\nbusy-load=0\n")
    for modem in lab.modems:  # as the udev rules do
        shutil.chown(os.path.realpath(f"{lab.path('dev')}/by-path/{modem}"), "corridor")
    start_reflector()
    check_logger(lab)
    check_reflector()
    print("ok")


if sys.argv[1:2] == ["--first"]:
    first(sys.argv[2])
elif sys.argv[1:2] == ["--inside"]:
    inside(sys.argv[2])
else:
    outside()
