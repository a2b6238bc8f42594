#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command of docs/tutorial.md, in its order and as it stands there, on made files of the names
it uses: what a newcomer types must work."""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

SOURCE = os.environ["CORRIDOR_SOURCE"]
ANALYZER = os.path.join(os.environ["CORRIDOR_BUILD"], "analyzer")
DEMO = os.path.join(SOURCE, "fixtures", "demo")
# What stands for itself: the first is what contrib/demo is tested by, the second what PATH is here.
NOT_HERE = ("contrib/demo", "export PATH=")
FROM_MAP = ("corridor network build", "corridor network route")


def fail(text):
    sys.exit(f"FAILED: {text}")


def commands():
    """The indented lines and the code between backquotes that begin with a command."""
    with open(os.path.join(SOURCE, "docs", "tutorial.md"), encoding="utf-8") as f:
        text = f.read().replace("\\\n", " ")
    found = []
    for match in re.finditer(r"^    (.+)$|`(corridor [^`]+)`", text, re.MULTILINE):
        command = (match.group(1) or match.group(2)).replace("\n", " ")
        if not command.startswith(NOT_HERE):
            found.append(command)
    return found


# ---- an OpenStreetMap extract (wiki.openstreetmap.org/wiki/PBF_Format) ----

def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def packed(values):
    return b"".join(varint(v) for v in values)


def differences(values):
    return packed(zigzag(b - a) for a, b in zip([0] + values, values))


def blob(kind, content):
    body = data(1, content) + number(2, len(content))
    head = data(1, kind) + number(3, len(body))
    return struct.pack(">I", len(head)) + head + body


def write_railway(path, places):
    """One track along (lat, lon) places."""
    ids = list(range(1, len(places) + 1))
    dense = (data(1, differences(ids)) +
             data(8, differences([round(lat * 1e7) for lat, _ in places])) +
             data(9, differences([round(lon * 1e7) for _, lon in places])))
    way = number(1, 1) + data(2, packed([1])) + data(3, packed([2])) + data(8, differences(ids))
    strings = b"".join(data(1, s) for s in (b"", b"railway", b"rail"))
    block = (data(1, strings) + data(2, data(2, dense)) + data(2, data(3, way)))
    header = data(4, b"OsmSchema-V0.6") + data(4, b"DenseNodes")
    with open(path, "wb") as f:
        f.write(blob(b"OSMHeader", header) + blob(b"OSMData", block))


# ---- the files it names ----

def write_csv(path, source, operator, day, more_db=0):
    """A journey of the demo by another operator, on another day, at another level."""
    with open(os.path.join(DEMO, source), encoding="utf-8") as f:
        head, *rows = f.read().splitlines()
    names = head.split(",")
    o, t, r = names.index("operator"), names.index("time"), names.index("rsrp")
    with open(path, "w", encoding="utf-8") as f:
        f.write(head + "\n")
        for row in rows:
            values = row.split(",")
            values[o], values[t] = operator, day + values[t][10:]
            values[r] = str(int(values[r]) + more_db) if values[r] else ""
            f.write(",".join(values) + "\n")


def prepare(environment):
    write_csv("telia.csv", "alfa.csv", "Telia", "2026-05-11")
    write_csv("tele2.csv", "beta.csv", "Tele2", "2026-05-11")
    with open("log.csv", "w", encoding="utf-8") as f:
        f.write("When,Lat,Lon,RSRP\n2026-05-12T06:00:00Z,61.02,15.35,-80\n"
                "2026-05-12T06:00:02Z,61.0201,15.3501,-81\n")
    os.mkdir("instead")
    write_railway("instead/region.osm.pbf", [(60.675 + (62.391 - 60.675) * i / 200,
                                              17.142 + (17.307 - 17.142) * i / 200)
                                             for i in range(201)])
    drives = [("tuesday", "alfa.csv", "2026-05-12", 0)]
    for season, month, more_db in (("spring", "04", -25), ("autumn", "10", 0)):
        os.mkdir(season)
        drives += [(f"{season}/{day}", "beta.csv", f"2026-{month}-{day}", more_db)
                   for day in ("05", "06", "07", "08")]
    for name, source, day, more_db in drives:
        write_csv("in.csv", source, "Telia", day, more_db)
        subprocess.run(["corridor", "import", "-o", name + ".drive", "in.csv"], check=True,
                       env=environment, capture_output=True)


def make_map():
    """What Telia says: covered around the first third of what was measured."""
    subprocess.run(["ogr2ogr", "-q", "telia-4g.gpkg", "results.gpkg", "-dialect", "sqlite", "-sql",
                    "SELECT ST_Buffer(geom, 0.005) AS geom FROM segments"
                    " WHERE operator = 'Telia' LIMIT 200"], check=True)


def main():
    environment = dict(os.environ, PATH=ANALYZER + os.pathsep + os.environ["PATH"])
    folder = tempfile.mkdtemp(prefix="corridor-tutorial.")
    os.chdir(folder)
    try:
        prepare(environment)
        said, wanted = {}, commands()
        for command in wanted:
            if command.startswith("corridor compare"):
                make_map()
            # the line cut out of a map is given instead of the learnt one
            place = "instead" if command.startswith(FROM_MAP) else "."
            done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True,
                                  cwd=place, text=True, check=False)
            if done.returncode != 0:
                fail(f"{command}: exit {done.returncode}: {done.stderr.strip()}")
            said[command] = done.stdout
            for out in re.findall(r"-o (\S+)", command):
                name = "report/index.html" if out == "report" else out
                if not os.path.exists(os.path.join(place, name)):
                    fail(f"{command} left no {name}")
        if len(wanted) < 17:
            fail(f"only {len(wanted)} commands found: {wanted}")
        for begins, word in (("corridor compare", "claimed"), ("corridor diff", " better"),
                             ("corridor profile check", "threshold: "), ("corridor sql", "none"),
                             ("corridor info", "operator Telia")):
            text = [out for command, out in said.items() if command.startswith(begins)]
            if not text or word not in text[0]:
                fail(f"{begins} does not say \"{word}\": {text}")
        if re.search(r"of [\d.]+ km 0\.0 better", said[next(
                c for c in said if c.startswith("corridor diff"))]):
            fail("25 dB more in autumn are not seen")
    finally:
        os.chdir("/")
        shutil.rmtree(folder)


main()
