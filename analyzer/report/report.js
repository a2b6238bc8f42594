// SPDX-License-Identifier: Apache-2.0
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("data").textContent);
  var words = JSON.parse(document.getElementById("words").textContent);
  var box = document.getElementById("map");
  if (!box || !window.L) return;

  var STYLE = {
    c: { color: "#0072b2", weight: 5, opacity: 1 },
    u: { color: "#c98a00", weight: 5, opacity: 1, dashArray: "6 4" },
    n: { color: "#b2371d", weight: 8, opacity: 1 },
    "-": { color: "#9aa1a7", weight: 2, opacity: 0.9, dashArray: "1 5" }
  };
  var canvas = data.places.length > 3000;
  var map = L.map(box, { preferCanvas: canvas, attributionControl: false, zoomSnap: 0.25 });
  L.control.scale({ imperial: false }).addTo(map);

  function decode(numbers) {
    var points = [], lat = 0, lon = 0;
    for (var i = 0; i + 1 < numbers.length; i += 2) {
      lat += numbers[i]; lon += numbers[i + 1];
      points.push([lat / 1e5, lon / 1e5]);
    }
    return points;
  }

  // A quiet grid of latitude and longitude instead of tiles: the report opens without a network.
  var grid = L.layerGroup().addTo(map);
  function drawGrid() {
    grid.clearLayers();
    var b = map.getBounds(), span = Math.max(b.getEast() - b.getWest(), 1e-6);
    var steps = [10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001], step = 10;
    steps.forEach(function (s) { if (span / s < 9) step = s; });
    var style = { color: "#dfe3e0", weight: 1, interactive: false };
    for (var x = Math.floor(b.getWest() / step) * step; x <= b.getEast(); x += step)
      grid.addLayer(L.polyline([[b.getSouth(), x], [b.getNorth(), x]], style));
    for (var y = Math.floor(b.getSouth() / step) * step; y <= b.getNorth(); y += step)
      grid.addLayer(L.polyline([[y, b.getWest()], [y, b.getEast()]], style));
    grid.eachLayer(function (l) { l.bringToBack(); });
  }

  var service = document.getElementById("service");
  var series = document.getElementById("series");
  var info = document.getElementById("place");
  var lines = [], current = -1;

  function number(value, decimals) {
    if (value === null || value === undefined) return "–";
    var text = value.toFixed(decimals).replace("-", "\u2212");
    return words.comma ? text.replace(".", ",") : text;
  }
  function verdictOf(i) {
    return data.series[+series.value].v[+service.value].charAt(i) || "-";
  }
  function row(parent, text, strong) {
    var e = document.createElement(strong ? "strong" : "span");
    e.textContent = text;
    parent.appendChild(e);
    parent.appendChild(document.createTextNode(" "));
  }
  function show(i) {
    current = i;
    var p = data.places[i], s = data.series[+series.value];
    info.textContent = "";
    row(info, (p[1] >= 0 ? data.corridors[p[1]] + ", " : "") + "km " + number(p[2] / 1000, 2) +
      "–" + number(p[3] / 1000, 2), true);
    row(info, s.title + ":");
    row(info, words.verdict[verdictOf(i)] + ".", true);
    if (s.n[i] > 0) {
      var share = s.share[+service.value][i];
      row(info, data.services[+service.value] + ": " +
        (share === null ? "–" : number(share, 0) + " % " + words.ofTheWay) + ";");
      row(info, words.median + " " + (s.level[i] === null ? "–" : number(s.level[i], 0) + " dBm") +
        "; n = " + s.n[i] + ", " + s.passes[i] + " " + words.passes + ".");
    } else {
      row(info, words.notMeasured);
    }
    lines.forEach(function (l, k) { if (l) l.setStyle(k === i ? { opacity: 0.55 } : { opacity: 1 }); });
  }
  function draw() {
    var shown = { c: 0, u: 0, n: 0, "-": 0 };
    lines.forEach(function (line, i) {
      if (!line) return;
      var v = verdictOf(i);
      shown[v]++;
      line.setStyle(Object.assign({ dashArray: null }, STYLE[v]));
      if (v === "n") line.bringToFront();
    });
    box.dataset.covered = shown.c; box.dataset.uncertain = shown.u;
    box.dataset.notCovered = shown.n; box.dataset.notMeasured = shown["-"];
    if (current >= 0) show(current);
  }

  var bounds = L.latLngBounds([]);
  data.places.forEach(function (p, i) {
    var points = decode(p[4]);
    if (points.length < 2) { lines.push(null); return; }
    var line = L.polyline(points, STYLE["-"]).addTo(map);
    line.on("mouseover click", function () { show(i); });
    points.forEach(function (q) { bounds.extend(q); });
    lines.push(line);
  });
  if (bounds.isValid()) map.fitBounds(bounds, { padding: [20, 20] }); else map.setView([62, 15], 5);
  drawGrid();
  map.on("moveend zoomend", drawGrid);
  service.addEventListener("change", draw);
  series.addEventListener("change", draw);
  box.addEventListener("keydown", function (e) {
    if (e.key !== "n" && e.key !== "p") return;
    var i = current, step = e.key === "n" ? 1 : -1;
    do { i += step; } while (lines[i] === null);
    if (i >= 0 && i < lines.length) { show(i); map.panTo(lines[i].getCenter()); }
  });
  window.addEventListener("beforeprint", function () { map.invalidateSize(); });
  draw();
  box.dataset.segments = lines.filter(Boolean).length;
})();
