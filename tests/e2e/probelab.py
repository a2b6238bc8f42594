# SPDX-License-Identifier: Apache-2.0
"""The made vehicle with data links: riglab's rig, gpsd and unmodified logger, and for each modem of
the scenario a link-emulator that obeys the rig, a network namespace of its operator behind it, and
there corridor-reflector and nginx. The far end has one address and one name behind all of them.

    lab = probelab.Lab(scenario="four", duration=40, links={"red": "wwan0"})
    lab.configure_probes("stream=yes\\n…"); lab.rig(); lab.gpsd(); lab.logger()
"""
import os
import socket
import struct
import subprocess
import threading
import time

import netlab
import riglab
import webserver

FAR = "198.51.100.1"
NAME = "far-end.test"
# Under [probes]: from and to the web server of whichever link, on all modems at once.
TRANSFERS = f"""download-url=http://{FAR}/big
upload-url=http://{FAR}/up/x
transfers-at-once=4"""


class Names(threading.Thread):
    """A name server on 127.0.0.1 that knows one name, and can be told to be silent."""

    def __init__(self):
        super().__init__(daemon=True)
        self.silent = False
        self.asked = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.start()

    def run(self):
        while True:
            query, sender = self.socket.recvfrom(1500)
            self.asked += 1
            if self.silent or len(query) < 12:
                continue
            end = query.index(b"\0", 12) + 5
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += query[at] + 1
            kind = struct.unpack(">H", query[end - 4:end - 2])[0]
            known = ".".join(labels).lower() == NAME
            answers = 1 if known and kind == 1 else 0
            head = query[:2] + struct.pack(">HHHHH", 0x8580 | (0 if known else 3), 1, answers, 0, 0)
            record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(FAR)
            self.socket.sendto(head + query[12:end] + record * answers, sender)


class Lab(riglab.Lab):
    def __init__(self, links, **more):
        super().__init__(**more)
        os.environ["NETLAB_INSIDE"] = "1"
        webserver.need()
        self.net = netlab.Lab()
        self.names = None
        self.links = {}
        for modem, interface in links.items():
            link = self.net.link(interface, truth=self.path(f"{modem}.csv"), client=netlab.Here(),
                                 follow=modem)
            self.links[modem] = link
            self.net.run(link.server, ["ip", "address", "add", FAR, "dev", "lo"])
            self.net.reflector(link)
            webserver.nginx(self.net, link, address=FAR)
        self.net.run(netlab.Here, ["sh", "-c", "echo 0 0 > /proc/sys/net/ipv4/ping_group_range"])

    def own_names(self):
        """Names are asked of our own server from now on; FALSE where that cannot be."""
        resolv = self.path("resolv.conf")
        with open(resolv, "w", encoding="utf-8") as f:
            f.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        done = subprocess.run(["mount", "--bind", resolv, "/etc/resolv.conf"], capture_output=True)
        if done.returncode != 0:
            riglab.skip("/etc/resolv.conf cannot be covered")
        self.names = Names()

    def want(self, good, *what):
        """Fails with `what` unless it is good, and shows what happened."""
        if good:
            return
        events = [(round(self.seconds(e["time_ns"]), 1), e["source"], e["kind"], e["detail"])
                  for e in self.records("events")]
        probes = [(round(self.seconds(p["time_ns"]), 1), round(self.seconds(p["end_ns"]), 1),
                   p["source"], p["kind"], p["status"], p["reason"], p["detail"])
                  for p in self.probes()]
        print(*events, *probes, sep="\n")
        riglab.fail(*what)

    def configure_probes(self, probes, name=FAR, reflector=True, **more):
        """The logger's configuration with `probes` under [probes]."""
        extra = f"[probes]\nstate-folder={self.work}\n{probes}\n"
        if "busy-load" not in probes:
            extra += "busy-load=0\n"  # what else the machine does is not the test's
        if reflector:
            extra += f"[reflector]\nhost={name}\nkey-file={self.net.key}\n"
        self.configure(extra=extra, **more)
        with open(self.path("logger.conf"), encoding="utf-8") as f:
            text = f.read()
        for modem, link in self.links.items():
            text = text.replace(f"[modem {modem}]\n",
                                f"[modem {modem}]\ninterface={link.interface}\n")
        with open(self.path("logger.conf"), "w", encoding="utf-8") as f:
            f.write(text)

    def rig(self):
        super().rig()
        threading.Thread(target=self.forward, daemon=True).start()

    def forward(self):
        """Gives each line of the rig to the emulators."""
        with open(self.path("rig.log"), encoding="utf-8") as f:
            rest = ""
            while self.rig_process.poll() is None:
                rest += f.read()
                *lines, rest = rest.split("\n")
                for line in lines:
                    for modem, link in self.links.items():
                        if line.startswith(f"link {modem} "):
                            try:
                                link.set(line)
                            except (OSError, ValueError, RuntimeError):
                                pass  # its emulator was closed
                time.sleep(0.02)

    def probes(self, kind=None, source=None, status=None):
        return [p for p in self.records("probes")
                if (kind is None or p["kind"] == kind) and (source is None or p["source"] == source)
                and (status is None or p["status"] == status)]

    def seconds(self, time_ns):
        """Since the start of the scenario."""
        return (time_ns - self.zero_ns()) / 1e9

    def zero_ns(self):
        return self.truth("fixes")[0]["time_ns"]
