// SPDX-License-Identifier: Apache-2.0
// The map of the report: reads the data that report-map.c wrote into the page.
(function () {
  'use strict';
  const data = JSON.parse(document.getElementById('data').textContent);
  const words = data.words;
  const looks = {
    m: { color: '#777777', weight: 1.5, dashArray: '1 5' },
    c: { color: '#0072b2', weight: 4 },
    u: { color: '#a68a00', weight: 6, dashArray: '5 4' },
    n: { color: '#d55e00', weight: 9 },
  };
  const number = (x, d) => new Intl.NumberFormat(data.lang,
    { minimumFractionDigits: d, maximumFractionDigits: d }).format(x).replace('-', '\u2212');

  // report-map.c tells how lines are written.
  function decode(group) {
    const text = group.line;
    let at = 0, lat = 0, lon = 0;
    const next = () => {
      let bits = 0, shift = 1, letter;
      do {
        letter = text.charCodeAt(at++) - 63;
        bits += (letter & 31) * shift;
        shift *= 32;
      } while (letter >= 32);
      return bits % 2 ? -(bits + 1) / 2 : bits / 2;
    };
    group.to = group.to.map((to, i) => to || group.from[i + 1]);
    group.segments = group.from.map(() => {
      const points = [];
      for (let n = next(); n > 0; n--) {
        lat += next();
        lon += next();
        points.push([lat / 1e5, lon / 1e5]);
      }
      return points;
    });
    group.middle = group.segments.map((points) => {
      if (!points.length) return null;
      const p = L.CRS.EPSG3857.latLngToPoint(L.latLng(points[points.length >> 1]), 0);
      const q = L.CRS.EPSG3857.latLngToPoint(L.latLng(points[(points.length - 1) >> 1]), 0);
      return [(p.x + q.x) / 2, (p.y + q.y) / 2];
    });
  }

  const map = L.map('map', { attributionControl: false, zoomSnap: 0.25, fadeAnimation: false,
    zoomAnimation: false, markerZoomAnimation: false });
  map.setView([0, 0], 1);
  L.control.scale({ imperial: false }).addTo(map);
  map.createPane('grid').style.zIndex = 300;
  const grid = L.layerGroup().addTo(map);
  const shown = L.layerGroup().addTo(map);
  const renderer = L.svg({ padding: 0.6 });
  let marked = null;
  let group, operator, service, selected = -1;

  const box = document.getElementById('map-operator');
  const slider = document.getElementById('map-km');
  const details = document.getElementById('map-details');
  const groupSelect = document.getElementById('map-group');
  const serviceSelect = document.getElementById('map-service');

  const steps = [30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
  function drawGrid() {
    grid.clearLayers();
    const b = map.getBounds();
    const span = Math.min(b.getEast() - b.getWest(), (b.getNorth() - b.getSouth()) * 2);
    const step = steps.find((s) => s <= span / 3) || 0.001;
    const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    const add = (value, isLat) => {
      const ends = isLat ? [[value, b.getWest()], [value, b.getEast()]]
        : [[b.getSouth(), value], [b.getNorth(), value]];
      L.polyline(ends, { pane: 'grid', color: '#d5d8dc', weight: 1, interactive: false,
        className: 'grid-line' }).addTo(grid);
      const at = isLat ? [value, b.getEast()] : [b.getNorth(), value];
      const text = number(Math.abs(value), digits) + '°' +
        (isLat ? (value < 0 ? 'S' : 'N') : (value < 0 ? 'W' : (data.lang === 'sv' ? 'Ö' : 'E')));
      L.marker(at, { interactive: false, keyboard: false, pane: 'grid',
        icon: L.divIcon({ className: isLat ? 'grid-lat' : 'grid-lon', html: text, iconSize: null }) }).addTo(grid);
    };
    for (let v = Math.ceil(b.getSouth() / step); v * step < b.getNorth(); v++) add(v * step, true);
    for (let v = Math.ceil(b.getWest() / step); v * step < b.getEast(); v++) add(v * step, false);
  }

  const same = (a, b) => a && b && Math.abs(a[0] - b[0]) < 2e-5 && Math.abs(a[1] - b[1]) < 2e-5;

  // Neighbouring segments of one verdict are one path.
  function draw() {
    shown.clearLayers();
    const verdicts = group.operators[operator].services[service].v;
    const runs = { m: [], c: [], u: [], n: [] };
    let last = null, code = '';
    group.segments.forEach((points, i) => {
      if (!points.length) return;
      if (last && verdicts[i] === code && same(last[last.length - 1], points[0])) {
        last.push(...points.slice(1));
      } else {
        last = points.slice();
        code = verdicts[i];
        runs[code].push(last);
      }
    });
    let n = 0;
    for (const key of ['m', 'c', 'u', 'n']) {
      for (const points of runs[key]) {
        L.polyline(points, Object.assign({ renderer, interactive: false, lineCap: 'butt',
          smoothFactor: 1, className: 'run run-' + key }, looks[key])).addTo(shown);
        n++;
      }
    }
    map.getContainer().dataset.runs = n;
    map.getContainer().dataset.segments = verdicts.length;
    if (selected >= 0) tell(selected);
  }

  const share = (text, i) => {
    const code = text.charCodeAt(i) - 256;
    return code > 100 ? null : code;
  };
  const percent = (x) => (x === null ? '–' : number(x, 0) + (data.lang === 'sv' ? '\u00a0%' : '%'));
  const level = (x) => (x === 1 || x === undefined ? '–' : number(x, 0));

  function tell(i) {
    selected = i;
    const o = group.operators[operator];
    const s = o.services[service];
    const km = 'km ' + number(group.from[i], 2) + '–' + number(group.to[i], 2);
    const rows = o.of ? o.of.map((each) => {
      const mine = each.services[service];
      return [each.name, words[mine.v[i]] + ', ' + percent(share(mine.s, i))];
    }) : [
      [words.reason, data.reasons[s.r.charCodeAt(i) - 97]],
      [words.share, percent(share(s.s, i))],
      [words.interval, percent(share(s.lo, i)) + ' – ' + percent(share(s.hi, i))],
      [words.level, o.p50 ? level(o.p50[i]) + ' (' + level(o.p10[i]) + ' … ' + level(o.p90[i]) + ') dBm' : '–'],
      [words.rat, data.rats[o.rat.charCodeAt(i) - 48]],
      [words.samples, number(o.n[i], 0)],
      [words.passes, number(o.passes[i], 0)],
    ];
    details.replaceChildren();
    const head = document.createElement('p');
    const strong = document.createElement('strong');
    strong.textContent = km + ': ' + words[s.v[i]];
    strong.className = 'verdict-' + s.v[i];
    head.append(o.name + ', ', strong);
    const list = document.createElement('dl');
    for (const [term, value] of rows) {
      const dt = document.createElement('dt');
      dt.textContent = term;
      const dd = document.createElement('dd');
      dd.textContent = value || '–';
      const pair = document.createElement('div');
      pair.append(dt, dd);
      list.append(pair);
    }
    details.append(head, list);
    slider.value = i;
    slider.setAttribute('aria-valuetext', km + ', ' + words[s.v[i]]);
    if (marked) marked.remove();
    marked = null;
    if (group.segments[i].length)
      marked = L.polyline(group.segments[i], { renderer, color: '#000000', weight: 14, opacity: 0.45,
        interactive: false, className: 'marked' }).addTo(map);
  }

  function nearest(latlng) {
    const p = L.CRS.EPSG3857.latLngToPoint(latlng, 0);
    const scale = Math.pow(2, map.getZoom());
    let best = -1, least = Infinity;
    group.middle.forEach((m, i) => {
      if (!m) return;
      const d = (m[0] - p.x) * (m[0] - p.x) + (m[1] - p.y) * (m[1] - p.y);
      if (d < least) { least = d; best = i; }
    });
    return Math.sqrt(least) * scale < 30 ? best : -1;
  }

  function fit() {
    const bounds = L.latLngBounds([]);
    group.segments.forEach((points) => points.forEach((p) => bounds.extend(p)));
    if (bounds.isValid()) map.fitBounds(bounds, { animate: false, padding: [14, 14] });
  }

  // What at least one operator gives: covered if one is, not covered if all are not; the best share.
  function anyOperator(all) {
    const any = { name: words.any, of: all, services: {} };
    for (const key of data.services) {
      const each = all.map((o) => o.services[key]);
      const best = (name, i) => Math.max(...each.map((s) => (share(s[name], i) === null ? -1 : share(s[name], i))));
      const letters = (name) => Array.from(each[0].v, (_, i) => {
        const most = best(name, i);
        return String.fromCharCode(256 + (most < 0 ? 101 : most));
      }).join('');
      any.services[key] = { s: letters('s'), v: Array.from(each[0].v, (_, i) => {
        const codes = each.map((s) => s.v[i]);
        return codes.includes('c') ? 'c' : codes.every((c) => c === 'n') ? 'n'
          : codes.every((c) => c === 'm') ? 'm' : 'u';
      }).join('') };
    }
    return any;
  }

  function choose(g) {
    group = data.groups[g];
    if (!group.segments) {
      decode(group);
      if (group.operators.length > 1) group.operators.push(anyOperator(group.operators.slice()));
    }
    operator = 0;
    selected = -1;
    details.replaceChildren();
    if (marked) marked.remove();
    box.querySelectorAll('label').forEach((label) => label.remove());
    group.operators.forEach((o, i) => {
      const label = document.createElement('label');
      const input = document.createElement('input');
      input.type = 'radio';
      input.name = 'map-operator';
      input.value = i;
      input.checked = i === 0;
      input.addEventListener('change', () => { operator = i; draw(); });
      label.append(input, ' ' + o.name);
      box.append(label);
    });
    slider.max = Math.max(0, group.from.length - 1);
    slider.value = 0;
    fit();
    draw();
  }

  if (!data.groups.length || !data.services.length || !data.groups[0].operators.length) return;
  service = serviceSelect.value;
  serviceSelect.addEventListener('change', () => { service = serviceSelect.value; draw(); });
  if (groupSelect) groupSelect.addEventListener('change', () => choose(Number(groupSelect.value)));
  slider.addEventListener('input', () => {
    const i = Number(slider.value);
    tell(i);
    const points = group.segments[i];
    if (points.length && !map.getBounds().contains(points[0])) map.panTo(points[0], { animate: false });
  });
  const point = (event) => {
    const i = nearest(event.latlng);
    if (i >= 0 && i !== selected) tell(i);
  };
  map.on('mousemove', point);
  map.on('click', point);
  map.on('moveend', drawGrid);
  choose(0);
  drawGrid();

  // Links of the table of gaps: the place on the map, with operator and service.
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-km]');
    if (!link) return;
    const g = Number(link.dataset.group);
    if (groupSelect) groupSelect.value = g;
    choose(g);
    service = serviceSelect.value = link.dataset.service;
    const radio = box.querySelectorAll('input')[Number(link.dataset.operator)];
    if (radio) { radio.checked = true; operator = Number(radio.value); }
    draw();
    const from = Number(link.dataset.km), to = Number(link.dataset.to);
    const bounds = L.latLngBounds([]);
    let first = -1;
    group.from.forEach((km, i) => {
      if (km < from - 1e-6 || km >= to) return;
      if (first < 0) first = i;
      group.segments[i].forEach((p) => bounds.extend(p));
    });
    if (bounds.isValid()) map.fitBounds(bounds, { animate: false, maxZoom: 14, padding: [30, 30] });
    if (first >= 0) tell(first);
  });

  // In print everything is open and the map fits an A4 page; afterwards it fits the screen again.
  const container = map.getContainer();
  window.addEventListener('beforeprint', () => {
    document.querySelectorAll('details').forEach((d) => { d.open = true; });
    container.style.width = '660px';
    container.style.height = '520px';
    map.invalidateSize({ animate: false });
    fit();
  });
  window.addEventListener('afterprint', () => {
    container.style.width = '';
    container.style.height = '';
    map.invalidateSize({ animate: false });
    fit();
  });
})();
