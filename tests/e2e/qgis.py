#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OUT.gpkg in the real QGIS, without a display: layers are valid, come up in their default style by
themselves, and every style that is offered fits the fields. Skips without python3-qgis."""
import os
import sqlite3
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("CORRIDOR_BUILD", os.path.join(SOURCE, "build"))
CORRIDOR = os.path.join(BUILD, "analyzer", "corridor")
PYTHON = "/usr/bin/python3"  # Debian's, which Debian's QGIS is made for

INSIDE = r"""
import sys
from qgis.core import QgsApplication, QgsVectorLayer
app = QgsApplication([], False)
app.initQgis()
bad = []
def check(what, good, detail=""):
    print(("ok   " if good else "FAIL ") + what, detail)
    if not good:
        bad.append(what)
def look(layer, what):
    renderer = layer.renderer()
    check(what + ": a renderer", renderer is not None)
    if renderer is None or renderer.type() != "categorizedSymbol":
        return renderer.type() if renderer else None
    fields = [f.name() for f in layer.fields()]
    check(what + ": its field is there", renderer.classAttribute() in fields,
          renderer.classAttribute())
    values = {c.value(): c.symbol().color().name() for c in renderer.categories()}
    check(what + ": the verdicts", {"covered", "not covered", "uncertain", "not measured"} <=
          set(values), values)
    check(what + ": colours differ", len(set(values.values())) == len(values))
    return renderer.type()
def run(path):
    for name in ("segments", "gaps", "corridors"):
        layer = QgsVectorLayer(path + "|layername=" + name, name, "ogr")
        check(name + ": valid", layer.isValid())
        check(name + ": in WGS 84", layer.crs().authid() == "EPSG:4326", layer.crs().authid())
        message, loaded = layer.loadDefaultStyle()
        check(name + ": its default style", loaded, message)
        kind = look(layer, name)
        if name != "segments":
            continue
        check("segments: by verdict", kind == "categorizedSymbol", kind)
        n, ids, names, texts, message = layer.listStylesInDatabase()
        check("segments: styles", n > 1, names)
        for number, style in zip(ids[:n], names[:n]):
            qml, message = layer.getStyleFromDatabase(number)
            from qgis.PyQt.QtXml import QDomDocument
            document = QDomDocument()
            read = document.setContent(qml)
            check("style " + style + ": is XML", read[0] if isinstance(read, tuple) else read)
            done = layer.importNamedStyle(document)
            check("style " + style + ": applies", done[0] if isinstance(done, tuple) else done)
            look(layer, style)
run(sys.argv[1])
app.exitQgis()
sys.exit(1 if bad else 0)
"""


def run(*arguments):
    subprocess.run([CORRIDOR, *arguments], check=True, stdout=subprocess.DEVNULL)


def main():
    have = subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
    if have.returncode != 0:
        print("SKIPPED: no python3-qgis")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="corridor-qgis-") as work:
        drives = []
        for operator in ("alfa", "beta"):
            drives.append(f"{work}/{operator}.drive")
            run("import", "-o", drives[-1], f"{SOURCE}/fixtures/demo/{operator}.csv")
        run("network", "from-track", "--name", "Line", "-o", f"{work}/net.gpkg", *drives)
        run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/out.gpkg", *drives)
        with sqlite3.connect(f"{work}/out.gpkg") as db:
            gaps, = db.execute("SELECT count(*) FROM gaps").fetchone()
        if gaps == 0:
            sys.exit("FAIL the journey has no gap to show")
        environment = dict(os.environ, QT_QPA_PLATFORM="offscreen", HOME=work,
                           XDG_RUNTIME_DIR=work)
        done = subprocess.run([PYTHON, "-c", INSIDE, f"{work}/out.gpkg"], env=environment,
                              check=False)
    sys.exit(1 if done.returncode else 0)


main()
