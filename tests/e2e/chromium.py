# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium for tests, driven over its DevTools protocol with nothing but the standard
library. `Browser().open(path)` loads a file; evaluate() runs JavaScript in it; `console` holds what
it complained of, `requests` every address it asked for."""
import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0"]


def find():
    return shutil.which("chromium") or shutil.which("chromium-browser")


def axe_faults(browser):
    """What axe-core calls serious or critical on the page, with everything open; None where it is
    not installed (contrib/install-packages does it where npm is; CORRIDOR_AXE names another)."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = os.environ.get("CORRIDOR_AXE") or os.path.join(cache, "corridor", "node_modules", "axe-core", "axe.min.js")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as f:
        browser.evaluate(f.read() + "; 0")
    browser.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    return browser.evaluate("axe.run().then((r) => r.violations.filter((v) => ['serious', 'critical']"
                            ".includes(v.impact)).map((v) => v.id + ': ' + v.nodes.map((n) => n.html).slice(0, 3)))")


class Socket:
    """The client side of RFC 6455, text messages only."""

    def __init__(self, url):
        host, path = url[len("ws://"):].split("/", 1)
        name, port = host.split(":")
        self.socket = socket.create_connection((name, int(port)), timeout=120)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                             "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(1)
        if b" 101 " not in answer.split(b"\r\n")[0]:
            raise OSError(f"no WebSocket: {answer!r}")

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        size = (bytes([0x80 | len(data)]) if len(data) < 126 else
                b"\xfe" + struct.pack(">H", len(data)) if len(data) < 65536 else
                b"\xff" + struct.pack(">Q", len(data)))
        body = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.socket.sendall(b"\x81" + size + mask + body)

    def read(self, n):
        parts = []
        while n > 0:
            part = self.socket.recv(min(n, 1 << 16))
            if not part:
                raise OSError("the browser went away")
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    def receive(self):
        message = b""
        while True:
            first, second = self.read(2)
            size = second & 0x7f
            if size == 126:
                size = struct.unpack(">H", self.read(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.read(8))[0]
            data = self.read(size)
            if first & 0x0f in (1, 0):
                message += data
                if first & 0x80:
                    return message.decode()


class Browser:
    def __init__(self, width=1280, height=900):
        self.folder = tempfile.mkdtemp(prefix="corridor-chromium.")
        self.process = subprocess.Popen(
            [find(), *FLAGS, f"--window-size={width},{height}", f"--user-data-dir={self.folder}",
             "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.console, self.requests, self.number = [], [], 0
        port_file = os.path.join(self.folder, "DevToolsActivePort")
        for _ in range(600):
            if os.path.exists(port_file) and "\n" in open(port_file, encoding="ascii").read():
                break
            time.sleep(0.1)
        port = int(open(port_file, encoding="ascii").readline())
        pages = []
        for _ in range(100):
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"http://127.0.0.1:{port}/json", timeout=60) as answer:
                pages = [p for p in json.load(answer) if p["type"] == "page"]
            if pages:
                break
            time.sleep(0.1)
        self.socket = Socket(pages[0]["webSocketDebuggerUrl"])
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(domain + ".enable")

    def event(self, message):
        method, p = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.console.append(json.dumps(p["exceptionDetails"])[:600])
        elif method == "Runtime.consoleAPICalled" and p["type"] in ("error", "warning"):
            self.console.append(json.dumps(p["args"])[:600])
        elif method == "Log.entryAdded" and p["entry"]["level"] in ("error", "warning"):
            self.console.append(p["entry"]["text"][:600])
        elif method == "Network.requestWillBeSent":
            self.requests.append(p["request"]["url"])
        elif method == "Page.loadEventFired":
            self.loaded = True

    def call(self, method, **params):
        self.number += 1
        number = self.number
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.receive())
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.event(message)

    def open(self, path):
        self.loaded = False
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        while not self.loaded:
            self.event(json.loads(self.socket.receive()))

    def evaluate(self, code):
        result = self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{code}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def key(self, name, code):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name,
                      windowsVirtualKeyCode=code)

    def mouse(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
