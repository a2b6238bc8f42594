# SPDX-License-Identifier: Apache-2.0
# awk -v rows=N -f made-plain.awk: a plain CSV (corridor-plain-csv(5)) of a vehicle that drives to
# and fro along 200 km of the 62nd parallel; a row each second and for each of three operators.
BEGIN {
  srand(7)
  print "time,lat,lon,speed_kmh,operator,mcc,mnc,rat,cell_id,pci,arfcn,rsrp,rsrq,sinr"
  split("Alfa Beta Gamma", name, " ")
  for (i = 0; i < rows; i++) {
    o = i % 3 + 1; t = int(i / 3)
    if (o == 1) {
      along = (t * 25) % 400000
      if (along > 200000) along = 400000 - along
      lat = 62 + (rand() - 0.5) / 20000
      lon = 15 + along / 52261.4 + (rand() - 0.5) / 10000
      v = 85 + 10 * rand()
    }
    day = int(t / 86400)
    printf "20%02d-%02d-%02dT%02d:%02d:%02d.000Z,%.7f,%.7f,%.1f,%s,240,%02d,lte,%d,%d,1300,%d,%d,%.1f\n", \
      26 + int(day / 336), 1 + int(day / 28) % 12, 1 + day % 28, int(t / 3600) % 24, \
      int(t / 60) % 60, t % 60, lat, lon, v, name[o], o, 1000 * o + int(along / 3000), \
      int(along / 3000) % 504, -75 - (along % 3000) / 75 - 6 * rand(), -7 - 8 * rand(), 25 - 30 * rand()
  }
}
