// SPDX-License-Identifier: Apache-2.0
// duckdb.mjs THREADS IN.csv FOLDER: what DuckDB needs for the work of bench-column-store.py, as JSON
// on one line: seconds and bytes. With "grouped" for IN.csv it only groups the table that an earlier
// run left, into a file. Needs @duckdb/node-api, found by NODE_PATH.
import { createRequire } from "node:module";
import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const { DuckDBInstance, version } = createRequire(import.meta.url)("@duckdb/node-api");
const [threads, csv, folder] = process.argv.slice(2);
const file = join(folder, "table.duckdb");
const parquet = join(folder, "table.parquet");
const grouped = "SELECT round(lat, 3) AS y, round(lon, 3) AS x, operator, count(*) AS n, " +
  "quantile_cont(rsrp, [0.1, 0.5, 0.9]) AS q FROM t GROUP BY ALL";
if (csv === "grouped") {
  const instance = await DuckDBInstance.create(file, { threads, access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  await connection.run(`COPY (${grouped}) TO '${join(folder, "grouped.parquet")}'`);
  process.exit(0);
}
for (const name of [file, file + ".wal", parquet]) if (existsSync(name)) rmSync(name);

const instance = await DuckDBInstance.create(file, { threads });
const connection = await instance.connect();
async function seconds(sql) {
  const start = process.hrtime.bigint();
  await connection.run(sql);
  return Number(process.hrtime.bigint() - start) / 1e9;
}
async function best(sql) {
  return Math.min(await seconds(sql), await seconds(sql), await seconds(sql));
}

const before = process.cpuUsage();
const result = { version: typeof version === "function" ? version() : "" };
result.load_s = await seconds(`CREATE TABLE t AS SELECT * FROM read_csv('${csv}'); CHECKPOINT`);
const used = process.cpuUsage(before);
result.load_cpu_s = (used.user + used.system) / 1e6;
result.rows = Number((await (await connection.run("SELECT count(*) FROM t")).getRows())[0][0]);
result.columns_s = await best(
  "SELECT operator, rat, count(*), avg(rsrp), avg(rsrq), avg(sinr), min(time) FROM t GROUP BY ALL");
result.grouped_s = await best(grouped);
result.bytes = statSync(file).size;
try {
  await connection.run(`COPY t TO '${parquet}' (FORMAT parquet, COMPRESSION zstd)`);
  result.parquet_bytes = statSync(parquet).size;
} catch {
  result.parquet_bytes = null; // built without it
}
console.log(JSON.stringify(result));
