# SPDX-License-Identifier: Apache-2.0
"""Three operators on a made line, and their maps: polygons with where= and level= in another
coordinate system, a raster of dBm, a raster of classes. Each map is also a function, for finding
again by slow arithmetic what `corridor compare` makes of the files."""
import json
import math

from claim_world import fading, in_polygon, make_network, place, run, tool, write_drive

LENGTH_M = 32000
SEED, ROUNDS = 11, 400
THRESHOLD = -105.0


def mean_alfa(m):
    return None if 3000 < m < 3600 else -118 if 6000 < m < 8200 else -92


def mean_beta(m):
    return -94 - 8 * math.sin(m / 1500)


def mean_gamma(m):
    return -80 if m > 3000 else -112


def make_results(work):
    make_network(work, LENGTH_M)
    drives = []
    for number, (name, mean) in enumerate((("Alfa", mean_alfa), ("Beta", mean_beta), ("Gamma", mean_gamma))):
        for day in range(2):
            csv = f"{work}/{name}-{day}.csv"
            write_drive(csv, 86400 * day + 3600 * 7, LENGTH_M - 6000 * day,
                        fading(10 * number + day, mean, distance=150.0), speed=20.0 + 7.0 * day)
            run("import", "--operator", name, "--antenna", "cabin", "-o", f"{work}/day{day}.drive", csv)
    drives = [f"{work}/day0.drive", f"{work}/day1.drive"]
    run("analyze", "-n", f"{work}/net.gpkg", "-o", f"{work}/out.gpkg", *drives)
    return f"{work}/out.gpkg", drives


# ---- maps ----

def box(m_from, m_to, width=0.02):
    """A polygon around a part of the line, corners every 50 m as the line goes."""
    steps = [m_from + (m_to - m_from) * i / 20 for i in range(21)]
    east = [(place(m)[0] + width, place(m)[1]) for m in steps]
    west = [(place(m)[0] - width, place(m)[1]) for m in reversed(steps)]
    return east + west


ALFA = [  # rings, technology, level
    ([box(-300, 7000), box(1000, 1700, 0.01)], "4G", -100.0),
    ([box(6500, 12030)], "4G", -90.0),
    ([box(12000, 29000)], "4G", -120.0),
    ([box(0, 32000)], "2G", -80.0),
]
AREAS = [([box(-500, 5210, 0.05)], "Norrby"), ([box(5210, 11470, 0.05)], "Söderby")]


def write_polygons(path, polygons, names):
    features = [{"type": "Feature", "properties": dict(zip(names, values)),
                 "geometry": {"type": "Polygon",
                              "coordinates": [[list(p) for p in ring] + [list(ring[0])] for ring in rings]}}
                for rings, *values in polygons]
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"type": "FeatureCollection", "features": features}, f)


class Grid:
    """A raster of 25 m cells in EPSG:3006, made as text."""
    NODATA = -9999

    def __init__(self, value_at):
        corner = project([(15.95, 59.99), (16.05, 60.30), (15.95, 60.30), (16.05, 59.99)])
        self.west = math.floor(min(x for x, _ in corner) / 25) * 25
        self.north = math.ceil(max(y for _, y in corner) / 25) * 25
        self.columns = int((max(x for x, _ in corner) - self.west) / 25) + 1
        self.rows = int((self.north - min(y for _, y in corner)) / 25) + 1
        self.cells = [[value_at(c, r) for c in range(self.columns)] for r in range(self.rows)]

    def write(self, path):
        with open(path + ".asc", "w", encoding="utf-8") as f:
            f.write(f"ncols {self.columns}\nnrows {self.rows}\nxllcorner {self.west}\n"
                    f"yllcorner {self.north - 25 * self.rows}\ncellsize 25\nNODATA_value {self.NODATA}\n")
            for row in self.cells:
                f.write(" ".join(map(str, row)) + "\n")
        tool("gdal_translate", "-q", "-a_srs", "EPSG:3006", "-a_nodata", str(self.NODATA), "-ot", "Int16",
             "-co", "COMPRESS=DEFLATE", path + ".asc", path)

    def at(self, x, y):
        c, r = math.floor((x - self.west) / 25), math.floor((self.north - y) / 25)
        if not (0 <= c < self.columns and 0 <= r < self.rows):
            return None
        value = self.cells[r][c]
        return None if value == self.NODATA else value


def project(points):
    """Longitude and latitude to EPSG:3006, by PROJ's own tool."""
    text = "".join(f"{x:.12f} {y:.12f}\n" for x, y in points)
    out = tool("gdaltransform", "-s_srs", "EPSG:4326", "-t_srs", "EPSG:3006", "-output_xy", stdin=text)
    return [tuple(map(float, line.split()[:2])) for line in out.splitlines()]


def make_maps(work):
    write_polygons(f"{work}/alfa.geojson", ALFA, ("tech", "dbm"))
    # the same map in three formats; corners are near enough that straight edges do not matter
    tool("ogr2ogr", "-t_srs", "EPSG:3006", "-nln", "coverage", f"{work}/alfa.gpkg", f"{work}/alfa.geojson")
    tool("ogr2ogr", "-t_srs", "EPSG:25833", f"{work}/alfa.shp", f"{work}/alfa.geojson")
    write_polygons(f"{work}/areas.geojson", AREAS, ("kommun",))
    beta = Grid(lambda c, r: Grid.NODATA if 300 < r < 340 else -85 - (r * 7 // 60 + c // 9) % 40)
    beta.write(f"{work}/beta.tif")
    gamma = Grid(lambda c, r: Grid.NODATA if r > 1100 else 3 if r > 500 else (r // 90) % 4)
    gamma.write(f"{work}/gamma.tif")
    return beta, gamma


def claim_functions(beta, gamma):
    """For each operator: squares -> list of claimed level, True or None."""
    def alfa_at(points):
        found = []
        for x, y in points:
            levels = [level for rings, tech, level in ALFA
                      if tech == "4G" and level >= -110 and in_polygon(rings, x, y)]
            found.append(max(levels) if levels else None)
        return found

    def beta_at(points):
        values = [beta.at(*p) for p in project(points)]
        return [v if v is not None and v >= -105 else None for v in values]

    def gamma_at(points):
        return [True if gamma.at(*p) in (1, 3) else None for p in project(points)]
    return {"Alfa": alfa_at, "Beta": beta_at, "Gamma": gamma_at}


def three_maps(work):
    return ["--map", f"Alfa={work}/alfa.gpkg,layer=coverage,where=tech = '4G',level=dbm,min=-110",
            "--map", f"Beta={work}/beta.tif,min=-105", "--map", f"Gamma={work}/gamma.tif,classes=1/3"]


def compare(work, out, into, *options, status=0):
    return run("compare", "--seed", str(SEED), "--resamples", str(ROUNDS), "-o", into, *options, out, status=status)
