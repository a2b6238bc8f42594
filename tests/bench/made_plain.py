# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks beside other programs share: a plain CSV, the road under it, drives of it."""
import itertools
import json
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
CORRIDOR = os.path.join(os.environ["CORRIDOR_BUILD"], "analyzer/corridor")
WEST_DEG, EAST_DEG, LAT_DEG = 14.9, 19.0, 62.0
PIECE_DEG = 100.0 / 52261.4  # 100 m of the 62nd parallel


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def write_csv(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        subprocess.run(["awk", "-v", f"rows={rows}", "-f", os.path.join(HERE, "made-plain.awk")],
                       check=True, stdout=f)


def road(folder, step_deg=PIECE_DEG):
    """The network file of one road under the whole drive, and its points."""
    points = [[WEST_DEG + i * step_deg, LAT_DEG]
              for i in range(int((EAST_DEG - WEST_DEG) / step_deg))]
    feature = {"type": "Feature", "properties": {"highway": "primary"},
               "geometry": {"type": "LineString", "coordinates": points}}
    with open(os.path.join(folder, "line.geojson"), "w", encoding="utf-8") as f:
        json.dump({"type": "FeatureCollection", "features": [feature]}, f)
    net = os.path.join(folder, "net.gpkg")
    run(CORRIDOR, "network", "build", "-o", net, f.name)
    return net, points


def import_as_drives(csv, folder, rows, drives):
    """The file as so many drives, one after the other in time, as a campaign is."""
    made = []
    with open(csv, encoding="utf-8") as f:
        head = next(f)
        for i in range(drives):
            part = os.path.join(folder, f"part-{i}.csv")
            with open(part, "w", encoding="utf-8") as g:
                g.write(head)
                g.writelines(itertools.islice(f, -(-rows // drives)))
            made.append(os.path.join(folder, f"part-{i}.drive"))
            run(CORRIDOR, "import", "-o", made[-1], part)
            os.unlink(part)
    return made
