#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corridor report: files, languages, figures recomputed from the CSV, hostile text, bad input; and
the page in a real Chromium: no console error, nothing asked for, switches, map, keyboard, phone."""
import csv
import html
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import xml.dom.minidom

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chromium  # noqa: E402
import made_results  # noqa: E402

BUILD = os.environ.get("CORRIDOR_BUILD", "build")
CORRIDOR = os.path.join(BUILD, "analyzer", "corridor")
WORK = tempfile.mkdtemp(prefix="corridor-report.")
SERVICE = "lte_usable"


def check(what, fine):
    if not fine:
        sys.exit(f"FAILED: {what}")


def report(results, folder, *options, status=0, env=None):
    done = subprocess.run([CORRIDOR, "report", *options, "-o", folder, results], capture_output=True,
                          text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})
    check(f"exit {done.returncode}, not {status}: {done.stderr}", done.returncode == status)
    return done


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8", newline="") as f:
        return f.read()


def rows(folder, name):
    return list(csv.DictReader(read(folder, name).splitlines()))


def plain(page):
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)))


def test_files_and_figures():
    results, folder = os.path.join(WORK, "made.gpkg"), os.path.join(WORK, "made")
    made_results.make(results, 60, 3, False, True, True)
    report(results, folder, "--lang", "en")
    page = read(folder, "index.html")
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    check("nothing is loaded from elsewhere",
          not re.search(r'(?:src|href)="(?!data:|#)', markup) and "url(" not in markup)
    for name in os.listdir(os.path.join(folder, "plots")):
        xml.dom.minidom.parse(os.path.join(folder, "plots", name))
    text = plain(page)
    for label in ("Alfa", "Beta", "Gamma"):  # by the slow way, from the segments
        mine = [r for r in rows(folder, "segments.csv") if r["operator"] == label]
        for verdict in made_results.VERDICTS:
            km = sum(float(r["length_m"]) for r in mine if r[SERVICE + "_verdict"] == verdict) / 1000
            share = f"{km:.2f} ({100 * km / 60:.0f}%)"
            check(f"{label} {verdict} {share} is on the page", share in text)
        judged = [float(r[SERVICE + "_share"]) for r in mine if r[SERVICE + "_share"]]
        check(f"share of {label}", f"{100 * sum(judged) / len(judged):.1f}%" in text)
    gaps = [r for r in rows(folder, "gaps.csv") if r["service"] == SERVICE and r["operator"][0] != "("]
    longest = max(gaps, key=lambda r: float(r["length_m"]))
    check("the longest gap is in a sentence", f"The longest gap of a single operator is "
          f"{float(longest['length_m']) / 1000:.2f}\u00a0km".replace("\u00a0", " ") in text.replace("\u00a0", " "))
    return results, folder


def test_languages(results):
    swedish, english = os.path.join(WORK, "sv"), os.path.join(WORK, "c")
    report(results, swedish, "--lang", "sv")
    text = plain(read(swedish, "index.html"))
    for word in ("För beslutsfattaren", "ej täckt", "60,00 km", "26\u00a0maj\u00a02025".replace("\u00a02025", " 2025")):
        check(f"{word} in the Swedish report", word in text)
    for word in ("For the decision-maker", "not covered", "not measured", "uncertain"):
        check(f"{word} is not in the Swedish report", word not in text)
    report(results, english)  # by the locale
    check("English by default", "For the decision-maker" in read(english, "index.html"))
    for name in os.listdir(swedish):
        if name.endswith(".csv"):
            check(f"{name} is the same in both languages", read(swedish, name) == read(english, name))


def test_words():
    """Every text of the report has a translation."""
    source = os.environ.get("CORRIDOR_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
    if shutil.which("xgettext"):
        done = subprocess.run([os.path.join(source, "analyzer", "po", "update"), "--check"],
                              capture_output=True, text=True, check=False)
        check(f"translations: {done.stdout}{done.stderr}", done.returncode == 0)


def test_left_open(results):
    """What is too close to call and what was not measured, where there is any."""
    cases = (("1.5", "2.5", "up to 1.50 km are too close to call and up to 2.50 km were not measured: "),
             ("1.5", "0", "All was measured; depending on the operator up to 1.50 km are too close to call, "),
             ("0", "2.5", "Nothing is too close to call; depending on the operator up to 2.50 km were not "),
             ("0.004", "0.004", "All was measured, and nothing is too close to call."))
    changed, folder = os.path.join(WORK, "open.gpkg"), os.path.join(WORK, "open")
    for uncertain, unmeasured, words in cases:
        shutil.copyfile(results, changed)
        db = sqlite3.connect(changed)
        db.execute("UPDATE summary SET km_uncertain = ?, km_not_measured = ?", (float(uncertain), float(unmeasured)))
        db.commit()
        db.close()
        shutil.rmtree(folder, ignore_errors=True)
        report(changed, folder, "--lang", "en")
        text = plain(read(folder, "index.html")).replace("\u00a0", " ")
        check(f"{words} on the page", words in text)
        check("no kilometres of nothing", "up to 0.00 km" not in text)


def test_hostile():
    results, folder = os.path.join(WORK, "evil.gpkg"), os.path.join(WORK, "evil")
    made_results.make(results, 12, 4, True, True, True)
    trap = "/tmp/corridor-owned"
    if os.path.exists(trap):
        os.remove(trap)
    report(results, folder)
    page = read(folder, "index.html")
    check("no command ran", not os.path.exists(trap))
    check("no markup from data", "<script>alert" not in page and "<img src=x" not in page)
    for name in os.listdir(os.path.join(folder, "plots")):
        svg = read(os.path.join(folder, "plots"), name)
        xml.dom.minidom.parseString(svg)
        check("no script in a plot", "<script" not in svg and "<img" not in svg)
    return folder


def test_bad_input(results):
    folder = os.path.join(WORK, "bad")
    for name, content in (("empty.gpkg", b""), ("text.gpkg", b"not a GeoPackage"), ):
        path = os.path.join(WORK, name)
        with open(path, "wb") as f:
            f.write(content)
        done = report(path, folder, status=1)
        check("one line that names the file", done.stderr.count("\n") == 1 and name in done.stderr)
    done = report(os.path.join(WORK, "absent.gpkg"), folder, status=1)
    check("one line", done.stderr.count("\n") == 1)
    check("wrong language", "en, sv" in report(results, folder, "--lang", "xx", status=2).stderr)
    half = os.path.join(WORK, "half.gpkg")
    shutil.copy(results, half)
    import sqlite3
    with sqlite3.connect(half) as db:
        db.executescript("DROP TABLE summary; DELETE FROM gpkg_contents WHERE table_name = 'summary'")
    db.close()
    check("says what is missing", "no table summary" in report(half, folder, status=1).stderr)
    check("no page from bad input", not os.path.exists(os.path.join(folder, "index.html")))


def verdict_runs(folder, operator):
    """Unbroken runs of one verdict, from the CSV: as many paths as the map must have."""
    mine = sorted((r for r in rows(folder, "segments.csv") if r["operator"] == operator),
                  key=lambda r: float(r["km_from"]))
    count, last = 0, None
    for row in mine:
        count += row[SERVICE + "_verdict"] != last
        last = row[SERVICE + "_verdict"]
    return count, len(mine)


def any_runs(folder):
    """The same for the best of all operators."""
    codes = {}
    for row in rows(folder, "segments.csv"):
        codes.setdefault(float(row["km_from"]), []).append(row[SERVICE + "_verdict"])
    count, last = 0, None
    for _, each in sorted(codes.items()):
        one = ("covered" if "covered" in each else "not covered" if set(each) == {"not covered"} else
               "not measured" if set(each) == {"not measured"} else "uncertain")
        count += one != last
        last = one
    return count, len(codes)


def shown(browser):
    return browser.evaluate("document.querySelectorAll('#map path.run').length")


def test_in_browser(folder, evil):
    browser = chromium.Browser()
    try:
        browser.open(os.path.join(folder, "index.html"))
        for number, operator in enumerate(("Alfa", "Beta", "Gamma")):
            browser.evaluate(f"document.querySelectorAll('#map-operator input')[{number}].click()")
            paths, segments = verdict_runs(folder, operator)
            check(f"{operator}: {shown(browser)} paths, not {paths}", shown(browser) == paths)
            check("all segments", browser.evaluate("+document.getElementById('map').dataset.segments") == segments)
        browser.evaluate("document.querySelectorAll('#map-operator input')[3].click()")
        paths, segments = any_runs(folder)
        check(f"any operator: {shown(browser)} paths, not {paths}", shown(browser) == paths)
        browser.evaluate("document.querySelectorAll('#map-operator input')[2].click()")
        before = shown(browser)
        browser.evaluate("s = document.getElementById('map-service'); s.value = 'lte_strong';"
                         "s.dispatchEvent(new Event('change'))")
        check("the service changes the map", shown(browser) != before)
        browser.evaluate("document.getElementById('map-km').focus()")
        for _ in range(3):
            browser.key("ArrowRight", 39)
        check("the arrow keys tell of a segment",
              "km 0.30–0.40" in browser.evaluate("document.getElementById('map-details').textContent"))
        browser.evaluate("document.getElementById('map').scrollIntoView({block: 'center'})")
        x, y = browser.evaluate("(() => { const p = document.querySelector('#map path.marked')"
                                ".getBoundingClientRect(); return [p.x + p.width / 2, p.y + p.height / 2]; })()")
        browser.evaluate("document.getElementById('map-details').replaceChildren()")
        browser.mouse(x + 2, y - 8)
        browser.mouse(x, y - 40)
        check("pointing tells of a segment",
              "km " in browser.evaluate("document.getElementById('map-details').textContent"))
        browser.evaluate("document.querySelector('a[data-km]').click()")
        check("a gap is shown on the map", browser.evaluate("document.querySelectorAll('path.marked').length") == 1)
        check("pictures are drawn", browser.evaluate(
            "[...document.images].every((i) => i.complete && i.naturalWidth > 0) && document.images.length") == 2)
        browser.call("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=True)
        check("a phone scrolls down only", browser.evaluate("document.documentElement.scrollWidth") <= 391)
        axe_check(browser, "phone")
        browser.call("Emulation.clearDeviceMetricsOverride")
        axe_check(browser, "desktop")
        browser.open(os.path.join(evil, "index.html"))
        browser.evaluate("document.querySelectorAll('#map-operator input')[3].click()")
        check("labels are text", browser.evaluate("document.querySelectorAll('#map-operator script, #map-operator img').length") == 0)
        check(f"console: {browser.console}", not browser.console)
        asked = [r for r in browser.requests if not r.startswith(("data:", "file:"))]
        check(f"asked for {asked}", not asked)
        files = [r for r in browser.requests if r.startswith("file:") and not r.split("#")[0].endswith("index.html")]
        check(f"asked for {files}", not files)
    finally:
        browser.close()


def axe_check(browser, what):
    found = chromium.axe_faults(browser)
    check(f"axe-core, {what}: {found}", not found)
    print(f"axe-core, {what}: " + ("not run; it is not installed" if found is None else "no serious fault"))


def test_long_corridor():
    """A line of more segments than one chart shows has charts of its pieces beside the page."""
    results, folder = os.path.join(WORK, "long.gpkg"), os.path.join(WORK, "long")
    made_results.make(results, 130, 1, False, False, True)
    report(results, folder)
    page = read(folder, "index.html")
    for number, name in enumerate(("km 0–65", "km 65–130"), 1):
        path = f"plots/corridor-1-{number}.svg"
        check(f"{name} is linked", f'<a href="{path}">{name}</a>' in page)
        xml.dom.minidom.parseString(read(folder, path))
    check("two pieces", len(os.listdir(os.path.join(folder, "plots"))) == 4)


def test_over_an_older_report(results):
    """What an earlier, larger report left goes; files of others stay."""
    folder, fresh = os.path.join(WORK, "again"), os.path.join(WORK, "fresh")
    os.makedirs(os.path.join(folder, "plots"))
    old = ["plots/corridor-7.svg", "plots/corridor-1-3.svg", "plots/corridor-12.svg", "claims.csv", "diff_summary.csv"]
    mine = ["plots/mine.svg", "plots/corridor-x.svg", "notes.csv"]
    for name in old + mine:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write("old")
    report(results, folder)
    report(results, fresh)
    left = {os.path.relpath(os.path.join(r, n), folder) for r, _, names in os.walk(folder) for n in names}
    want = {os.path.relpath(os.path.join(r, n), fresh) for r, _, names in os.walk(fresh) for n in names}
    check(f"left over: {left - want}", left - want == set(mine) and want <= left)


def main():
    results, folder = test_files_and_figures()
    test_languages(results)
    test_words()
    test_left_open(results)
    evil = test_hostile()
    test_bad_input(results)
    test_over_an_older_report(results)
    test_long_corridor()
    if chromium.find():
        test_in_browser(folder, evil)
    else:
        print("Chromium is not installed: the page was not opened")


if __name__ == "__main__":
    try:
        if not shutil.which("gnuplot"):
            print("SKIPPED: gnuplot is not installed")
            sys.exit(77)
        main()
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
