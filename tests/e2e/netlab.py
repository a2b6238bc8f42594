# SPDX-License-Identifier: Apache-2.0
"""Network namespaces and emulated links for tests of the probes.

    lab = netlab.Lab()          exits 77 where namespaces or TUN are not allowed
    link = lab.link("wwan0")    a client and a server namespace with a link-emulator between
    link.set("both delay=20")   a command of link-emulator
    lab.run(link.client, [...]) a program in a namespace

The test is started anew inside a namespace of its own, so nothing outside is touched.
"""
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ.get("CORRIDOR_BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
SOURCE = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "../.."))
EMULATOR = os.path.join(BUILD, "tests/rig/link-emulator")
RUNNER = os.path.join(BUILD, "tests/rig/probe-runner")
REFLECTOR = os.path.join(BUILD, "logger/corridor-reflector")
CLOCK = os.path.join(BUILD, "tests/rig/disciplined-clock.so")
KEY = "000102030405060708090a0b0c0d0e0f"


def disciplined(error_us=500):
    """Environment of a program whose clock follows UTC so well; without it, it does not."""
    return dict(os.environ, CORRIDOR_CLOCK_ERROR_US=str(error_us))


def skip(why):
    print("SKIP:", why)
    sys.exit(77)


def enter():
    """Runs the script again in a network namespace of its own."""
    if os.environ.get("NETLAB_INSIDE"):
        return
    flags = ["-n", "-m"] if os.geteuid() == 0 else ["-U", "-r", "-n", "-m"]
    if not shutil.which("unshare") or not shutil.which("nsenter") or not shutil.which("ip"):
        skip("unshare, nsenter and ip are needed")
    for tries in (flags, ["-U", "-r", "-n", "-m"]):
        if subprocess.run(["unshare", *tries, "true"], capture_output=True).returncode == 0:
            os.environ["NETLAB_INSIDE"] = "1"
            os.execvp("unshare", ["unshare", *tries, sys.executable, *sys.argv])
    skip("no right to make network namespaces")


class Space:
    """A network namespace, held by a sleeping process."""

    def __init__(self, lab):
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        for _ in range(500):
            try:
                if os.readlink(self.path()) != own and self.command() == "sleep":
                    break
            except OSError:
                pass
            time.sleep(0.01)
        lab.processes.append(self.holder)
        lab.run(self, ["ip", "link", "set", "lo", "up"])

    def path(self):
        return f"/proc/{self.holder.pid}/ns/net"

    def command(self):
        with open(f"/proc/{self.holder.pid}/comm") as f:
            return f.read().strip()


class Here:
    """The namespace of the test itself."""

    @staticmethod
    def path():
        return f"/proc/{os.getpid()}/ns/net"


class Link:
    """Client and server with a link-emulator between: 10.N.0.1 and 10.N.0.2, fdNN::1 and ::2. With
    `follow` the emulator obeys what corridor-rig says of that modem. An emulator that was closed
    may be opened again."""

    def __init__(self, lab, interface, number, truth, client=None, follow=None):
        self.lab = lab
        self.client = client or Space(lab)
        self.server = Space(lab)
        self.number = number
        self.truth = truth
        self.follow = follow
        self.lock = threading.Lock()
        self.open(interface)

    def open(self, interface, down=0):
        """Makes the interface, and `down` seconds later gives it its addresses and takes it up."""
        lab, number, truth = self.lab, self.number, self.truth
        self.interface = interface
        self.client_address, self.address = f"10.{number}.0.1", f"10.{number}.0.2"
        self.address6 = f"fd{number:02x}::2"
        command = [EMULATOR]
        if truth:
            command += ["--truth", truth]
        if self.follow:
            command += ["--follow", self.follow]
        command += [f"{self.client.path()}:{interface}", f"{self.server.path()}:lab0"]
        self.emulator = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)
        lab.processes.append(self.emulator)
        if self.emulator.stdout.readline().strip() != "ready":
            skip("link-emulator cannot run: " + self.emulator.stderr.read().strip())
        time.sleep(down)
        for space, name, address, address6, peer in (
                (self.client, interface, self.client_address, f"fd{number:02x}::1", self.address),
                (self.server, "lab0", self.address, self.address6, self.client_address)):
            lab.run(space, ["ip", "address", "add", address, "peer", peer, "dev", name])
            lab.run(space, ["ip", "-6", "address", "add", address6 + "/64", "dev", name, "nodad"],
                    check=False)
            lab.run(space, ["ip", "link", "set", name, "up", "txqueuelen", "5000"])
            lab.run(space, ["ip", "route", "add", "default", "dev", name,
                            "metric", str(100 + number)], check=False)

    def set(self, command):
        with self.lock:
            self.emulator.stdin.write(command + "\n")
            self.emulator.stdin.flush()
            answer = self.emulator.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError(f"link-emulator: {answer!r} to {command!r}")

    def carried(self):
        """Bytes the client's interface has carried both ways, by the kernel."""
        text = self.lab.run(self.client, ["ip", "-s", "-j", "link", "show", self.interface]).stdout
        stats = json.loads(text)[0]["stats64"]
        return stats["rx"]["bytes"] + stats["tx"]["bytes"]

    def close(self):
        with self.lock:
            self.emulator.stdin.close()
            self.emulator.wait(10)


class Wire:
    """Client and server joined by the kernel alone (veth), each way shaped by tc's token bucket: a
    second opinion on rates. `works` is FALSE where the kernel has no such shaper."""

    def __init__(self, lab, interface, number, mbps):
        self.lab, self.interface = lab, interface
        self.client, self.server = Space(lab), Space(lab)
        self.client_address, self.address = f"10.{number}.0.1", f"10.{number}.0.2"
        lab.run(self.client, ["ip", "link", "add", interface, "type", "veth", "peer", "name", "lab0",
                              "netns", str(self.server.holder.pid)])
        self.works = True
        for space, name, address in ((self.client, interface, self.client_address),
                                     (self.server, "lab0", self.address)):
            lab.run(space, ["ip", "address", "add", address + "/24", "dev", name])
            lab.run(space, ["ip", "link", "set", name, "up"])
            done = lab.run(space, ["tc", "qdisc", "add", "dev", name, "root", "tbf", "rate",
                                   f"{mbps}mbit", "burst", "4kb", "latency", "80ms"], check=False)
            self.works = self.works and done.returncode == 0


class Lab:
    def __init__(self):
        enter()
        if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
            skip("no /dev/net/tun")
        os.environ["LD_PRELOAD"] = CLOCK  # no test depends on the machine's own clock
        self.processes = []
        self.folder = tempfile.mkdtemp(prefix="netlab-")
        self.key = os.path.join(self.folder, "key")
        with open(self.key, "w") as f:
            f.write(KEY + "\n")
        os.chmod(self.key, 0o600)
        self.links = 0
        atexit.register(self.close)

    def link(self, interface="wwan0", truth=None, client=None, follow=None):
        self.links += 1
        return Link(self, interface, self.links, truth, client, follow)

    def wire(self, interface, mbps):
        self.links += 1
        return Wire(self, interface, self.links, mbps)

    @staticmethod
    def command(space, command):
        return ["nsenter", f"--net={space.path()}", "--", *command]

    def run(self, space, command, check=True, **more):
        done = subprocess.run(self.command(space, command), capture_output=True, text=True, **more)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done

    def start(self, space, command, **more):
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.STDOUT)
        process = subprocess.Popen(self.command(space, command), text=True, **more)
        self.processes.append(process)
        return process

    def reflector(self, link, *more, env=None):
        log = open(os.path.join(self.folder, f"reflector{link.interface}.log"), "w+")
        process = self.start(link.server, [REFLECTOR, "--key", self.key, "--peer", "10.0.0.0/8",
                                           "--peer", "fd00::/8", *more], stdout=log, env=env)
        for _ in range(200):
            log.seek(0)
            if "answering" in log.read():
                return process
            time.sleep(0.02)
        raise RuntimeError("corridor-reflector did not start")

    def probe(self, link, kind, *more, timeout=120, env=None):
        """Runs probe-runner; returns its records."""
        done = self.run(link.client, [RUNNER, "-i", link.interface, "-r", link.address, "-k",
                                      self.key, *more, kind], timeout=timeout, env=env)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def table(records, name):
    return [r for r in records if r["record"] == name]


class Checks:
    """Counts checks, prints each that fails."""

    def __init__(self, quiet=False):
        self.failed = self.done = 0
        self.quiet = quiet

    def that(self, good, what):
        self.done += 1
        if not good:
            self.failed += 1
            print("note, tried again:" if self.quiet else "FAIL:", what)

    def patient(self, part, tries=3):
        """Runs part(checks), again where something failed: what else the machine does only ever adds
        delay. The last try counts."""
        for left in range(tries - 1, -1, -1):
            trial = Checks(quiet=left > 0)
            part(trial)
            if trial.failed == 0 or left == 0:
                break
        self.done += trial.done
        self.failed += trial.failed

    def together(self, lab, parts):
        """Runs part(lab, checks) of each at the same time; links are numbered in this order."""
        failures = []

        def guarded(part):
            try:
                part(lab, self)
            except BaseException as problem:  # a thread's exception must fail the test
                failures.append(f"{part.__name__}: {problem!r}")

        threads = [threading.Thread(target=guarded, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
            time.sleep(0.5)
        for thread in threads:
            thread.join()
        for failure in failures:
            self.that(False, failure)

    def near(self, got, want, tolerance, what):
        self.that(got is not None and abs(got - want) <= tolerance,
                  f"{what}: {got}, expected {want} +- {tolerance}")

    def end(self):
        print(f"{self.done} checks, {self.failed} failed")
        sys.exit(1 if self.failed else 0)
