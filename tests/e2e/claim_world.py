# SPDX-License-Identifier: Apache-2.0
"""A made line, made drives over it, and the slow arithmetic by which tests find the figures of
`corridor compare` again. Nothing here is shared with the program."""
import math
import os
import random
import sqlite3
import struct
import subprocess
import sys

SOURCE = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("CORRIDOR_BUILD", os.path.join(SOURCE, "build"))
CORRIDOR = os.path.join(BUILD, "analyzer", "corridor")
ENV = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def check(what, good, detail=""):
    if not good:
        sys.exit(f"FAILED: {what}: {detail}")
    print(f"ok   {what}")


def near(a, b, error=1e-6):
    if a is None or b is None:
        return a is None and b is None
    return abs(a - b) <= error * max(1.0, abs(a), abs(b))


def run(*arguments, status=0):
    done = subprocess.run([CORRIDOR, *arguments], capture_output=True, text=True, check=False, env=ENV)
    if done.returncode != status:
        sys.exit(f"FAILED: exit {done.returncode}, not {status}: {arguments}: {done.stderr}")
    return done


def tool(*arguments, stdin=None):
    done = subprocess.run(arguments, input=stdin, capture_output=True, text=True, check=False, env=ENV)
    if done.returncode != 0:
        sys.exit(f"FAILED: {arguments[0]}: {done.stderr}")
    return done.stdout


def rows(path, sql):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    found = [dict(r) for r in db.execute(sql)]
    db.close()
    return found


# ---- the line and the drives ----

M_LAT = 111412.0  # metres per degree at 60 N, near enough to space samples


def place(metres):
    """A winding line north from 60 N 16 E."""
    north = metres * 0.97
    return 16.0 + 0.004 * math.sin(north / 1700.0) + north * 1e-7, 60.0 + north / M_LAT


def write_line(path, length_m, step_m=40.0, at=place):
    points = [at(i * step_m) for i in range(int(length_m / step_m) + 1)]
    text = ", ".join(f"[{x:.8f}, {y:.8f}]" for x, y in points)
    with open(path, "w", encoding="utf-8") as f:
        f.write('{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": '
                '{"name": "Made line"}, "geometry": {"type": "LineString", "coordinates": ['
                f"{text}]}}}}]}}\n")


def make_network(work, length_m, at=place, stations=()):
    """NET.gpkg with the line as a corridor; stations: name and metres."""
    write_line(f"{work}/line.geojson", length_m, at=at)
    run("network", "build", "--mode", "rail", "-o", f"{work}/edges.gpkg", f"{work}/line.geojson")
    ends = [f"{y:.7f},{x:.7f}" for x, y in (at(0), at(int(length_m / 40) * 40))]
    options = []
    if stations:
        options = ["--stations", f"{work}/stations.csv"]
        with open(options[1], "w", encoding="utf-8") as f:
            f.write("name,lat,lon,kind\n")
            f.write("".join(f"{name},{at(m)[1]:.7f},{at(m)[0]:.7f},station\n" for name, m in stations))
    run("network", "route", "-o", f"{work}/net.gpkg", "--name", "Made line", "--from", ends[0], "--to", ends[1],
        *options, f"{work}/edges.gpkg")


def clock(seconds):
    day, rest = divmod(int(seconds), 86400)
    return f"2026-03-{day + 1:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"


def write_drive(path, start_s, length_m, level_of, speed=20.0, at=place, extra=None):
    """level_of(metres): dBm, or None where there is no service. A row each second."""
    with open(path, "w", encoding="utf-8") as f:
        f.write("time,lat,lon,rat,plmn,cell_id,band,rsrp\n")
        for i in range(int(length_m / speed) + 1):
            x, y = at(i * speed)
            level = level_of(i * speed)
            radio = "none,,,," if level is None else f"lte,24001,{1000 + int(i * speed) // 3000}," \
                f"{extra(i * speed) if extra else 20},{level:.1f}"
            f.write(f"{clock(start_s + i)},{y:.8f},{x:.8f},{radio}\n")


def fading(seed, mean_of, sigma=6.0, distance=300.0, step=20.0, fast=2.0):
    """Levels along the line: a mean, shadows that fade over `distance`, and noise."""
    rng = random.Random(seed)
    rho, shadow, made = math.exp(-step / distance), 0.0, {}

    def level(metres):
        nonlocal shadow
        key = round(metres / step)
        if key not in made:
            shadow = rho * shadow + math.sqrt(1 - rho * rho) * rng.gauss(0, sigma)
            mean = mean_of(metres)
            made[key] = None if mean is None else mean + shadow + rng.gauss(0, fast)
        return made[key]
    return level


# ---- geometry ----

def line_of(blob):
    """Points of a GeoPackage line string."""
    envelope = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}[blob[3] >> 1 & 7]
    wkb = blob[8 + envelope:]
    n = struct.unpack("<I", wkb[5:9])[0]
    values = struct.unpack(f"<{2 * n}d", wkb[9:9 + 16 * n])
    return list(zip(values[0::2], values[1::2]))


def squares(points):
    """Centres (longitude, latitude) of the 10 m squares that a line goes through: a grid from its
    first point, walked in steps of at most 5 m (corridor-compare(1))."""
    lon, lat = points[0]
    s, c = math.sin(math.radians(lat)), math.cos(math.radians(lat))
    w2 = 1 - 0.00669437999014132 * s * s
    kx = 6378137.0 / math.sqrt(w2) * c * math.pi / 180
    ky = 6378137.0 * (1 - 0.00669437999014132) / (w2 * math.sqrt(w2)) * math.pi / 180
    plane = [((x - lon) * kx, (y - lat) * ky) for x, y in points]
    found, last = [], None
    for a, b in zip(plane, plane[1:]):
        steps = max(1, math.ceil(math.hypot(b[0] - a[0], b[1] - a[1]) / 5.0))
        for i in range(steps + 1):
            t = i / steps
            square = (math.floor((a[0] + t * (b[0] - a[0])) / 10.0),
                      math.floor((a[1] + t * (b[1] - a[1])) / 10.0))
            if square != last:
                found.append((lon + (square[0] + 0.5) * 10 / kx, lat + (square[1] + 0.5) * 10 / ky))
                last = square
    return found


def in_ring(ring, x, y):
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1]):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def in_polygon(rings, x, y):
    return in_ring(rings[0], x, y) and not any(in_ring(hole, x, y) for hole in rings[1:])


def middle(points):
    """The point half way along a line (plane arithmetic: a segment is short)."""
    k = math.cos(math.radians(points[0][1]))
    step = [math.hypot((b[0] - a[0]) * k, b[1] - a[1]) for a, b in zip(points, points[1:])]
    left = sum(step) / 2
    for (a, b), s in zip(zip(points, points[1:]), step):
        if left <= s:
            t = left / s if s else 0
            return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])
        left -= s
    return points[-1]


# ---- statistics ----

Z95 = 1.959963984540054


def wilson(p, n, z=Z95):
    if n <= 0:
        return 0.0, 1.0
    scale = 1 + z * z / n
    half = z * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n) / scale
    mid = (p + z * z / 2 / n) / scale
    return max(0.0, mid - half), min(1.0, mid + half)


def binomial_cdf(k, n, p):
    return sum(math.exp(math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) +
                        i * math.log(p) + (n - i) * math.log(1 - p)) for i in range(0, min(k, n) + 1))


def decide(k, n, target):
    """Exact binomial tests at 5 %, both ways; parts of a failure count for whoever they do not help."""
    if n == 0:
        return "not decided"
    most, least = math.ceil(n - k - 1e-9), math.floor(n - k + 1e-9)
    if binomial_cdf(most, n, 1 - target) <= 0.05:
        return "confirmed"
    if least > 0 and 1 - binomial_cdf(least - 1, n, 1 - target) <= 0.05:
        return "contradicted"
    return "not decided"


class SplitMix:
    """Steele, Lea, Flood 2014."""
    MASK = (1 << 64) - 1

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        limit = self.MASK - self.MASK % n
        while True:
            self.state = (self.state + 0x9e3779b97f4a7c15) & self.MASK
            z = self.state
            z = ((z ^ (z >> 30)) * 0xbf58476d1ce4e5b9) & self.MASK
            z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & self.MASK
            z ^= z >> 31
            if z < limit:
                return z % n


def moving_blocks(good, every, block, rounds, seed):
    """Ratios of resamples of blocks that wrap around, sorted."""
    rng, n, found = SplitMix(seed), len(good), []
    block = max(1, min(block, n))
    for _ in range(rounds):
        a = b = 0.0
        left = n
        while left > 0:
            take = min(block, left)
            start = rng.below(n)
            for i in range(start, start + take):
                a += good[i % n]
                b += every[i % n]
            left -= take
        if b > 0:
            found.append(a / b)
    return sorted(found)


def rank(values, p):
    """Type 1 percentile."""
    return values[min(len(values) - 1, max(0, math.ceil(len(values) * p - 1e-9) - 1))]
