// backup.test.mjs: backups while coins move and duels run, restored into a fresh folder and played on; folders that are damaged in every way we
// know; damage found while serving; backups by the clock; kill -9 in the middle of a backup and of a restore.
// It runs alone: the kills come after a part of the time that a backup took before.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chownSync, closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";
import { Player, playDuel } from "./player.mjs";
import { Customer, writeTill } from "../crash/load.mjs";

const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const KILLS = Number(process.env.KILLS ?? 6), STAKE = "1000000000";
const { check, end } = checks();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const work = mkdtempSync(path.join(tmpdir(), "frond-backup-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
process.setMaxListeners(200);
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
let state = seed;
const random = () => { state = (state * 1103515245 + 12345) & 0x7fffffff; return state / 0x7fffffff; };
console.log(`# seed ${seed}`);
const at = (...names) => path.join(work, ...names);

function frond(...args) {
  const run = spawnSync(FROND, [...args, "--json"], { cwd: ROOT, encoding: "utf8", timeout: 120000, maxBuffer: 64 << 20 });
  assert.equal(run.stderr, "", args.join(" "));
  return { exit: run.status, ...JSON.parse(run.stdout) };
}
const done = (...args) => { const r = frond(...args); assert.ok(r.ok && r.exit === 0, JSON.stringify(r)); return r.result; };
const refused = (code, ...args) => { const r = frond(...args); assert.equal(r.code, code, JSON.stringify(r)); assert.equal(r.exit, 1); return r; };
/** Does not block: players go on meanwhile. */
const whileServing = (...args) => new Promise((resolve, reject) => {
  const child = spawn(FROND, [...args, "--json"], { cwd: ROOT });
  let out = "";
  child.stdout.on("data", (text) => { out += text; });
  child.on("close", (code) => (code === 0 ? resolve(JSON.parse(out).result) : reject(new Error(out))));
});
const sql = (db, text) => {
  const run = spawnSync("python3", ["-c", "import json,sqlite3,sys\ndb=sqlite3.connect(sys.argv[1])\nrows=db.execute(sys.argv[2]).fetchall()\ndb.commit()\nprint(json.dumps(rows))", db, text], { encoding: "utf8", maxBuffer: 1 << 28 });
  assert.equal(run.status, 0, run.stderr);
  return JSON.parse(run.stdout);
};
const audit = (data) => { const r = done("ledger", "audit", "--data", data); assert.ok(r.good, JSON.stringify(r)); assert.equal(r.sum, "0"); return r; };

// ---- under load

const config = writeTill(work);
writeFileSync(config, JSON.stringify({ plugins: ["plugins", path.join(ROOT, "games")] }));
const args = ["--config", config];
let host = await startHost({ data: at("data"), args });
const customers = [], taken = [];
let stopped = false, duel;

await check("backups are taken while coins move and a duel runs", async () => {
  for (let i = 0; i < 4; i++) {
    const player = await new Player(() => host.url, 7100 + i, `B${i}`).signIn();
    await player.approve("till", "PALM", "900000000000");
    customers.push(new Customer(player, random, () => customers));
  }
  const work_ = Promise.all(customers.flatMap((c) => [0, 1, 2].map((lane) => c.work(lane, () => stopped))));
  work_.catch(() => { stopped = true; });
  const two = [];
  for (const id of [7200, 7201]) {
    const p = await new Player(() => host.url, id, `D${id}`).signIn();
    await p.approve("duel", "PALM", "900000000000");
    two.push(p.connect());
  }
  for (const p of two) { const found = await p.find({ game: "duel", mode: "classic", stake: STAKE }); assert.ok(found.ok, JSON.stringify(found)); }
  duel = { two, matches: await Promise.all(two.map((p) => p.until(() => [...p.matches.values()].find((m) => !m.over && m.view), 20000, "a match"))) };
  for (let i = 0; i < 3; i++) {
    await sleep(400);
    const before = customers.flatMap((c) => c.deeds.filter((d) => d.done).map((d) => d.key));
    const to = at(`backup-${i}`);
    taken.push({ to, before, made: await whileServing("backup", to, "--data", host.data, ...(i === 1 ? ["--verify"] : [])) });
  }
  assert.equal(taken[1].made.verified, true);
  assert.ok(taken[2].before.length > taken[0].before.length + 10, "too little happened");
  stopped = true;
  await work_;
  refused("exists", "backup", taken[0].to, "--data", host.data);
  mkdirSync(at("precious"));
  writeFileSync(at("precious/letters"), "x");
  refused("not_a_backup", "backup", at("precious"), "--data", host.data, "--force");
  assert.ok(existsSync(at("precious/letters")));
  done("backup", taken[0].to + "-again", "--data", host.data);
  done("backup", taken[0].to + "-again", "--data", host.data, "--force");
  refused("io", "backup", at("no/such/place"), "--data", host.data);
  assert.deepEqual(readdirSync(work).filter((name) => name.endsWith(".part")), []);
  for (const name of readdirSync(taken[0].to)) assert.equal(statSync(path.join(taken[0].to, name)).mode & 0o777, 0o600, name);
  console.log(`# ${taken.map((t) => `${t.made.journal.entries} entries, ${t.before.length} acknowledged before it began`).join("; ")}`);
});

await check("each backup holds all that was acknowledged before it began, and is sound", () => {
  taken.forEach(({ to, before, made }, i) => {
    const data = at(`restored-${i}`);
    const r = done("restore", to, "--data", data);
    assert.equal(r.journal.entries, made.journal.entries);
    const a = audit(data);
    assert.equal(String(a.entries), made.journal.entries);
    assert.equal(a.head, made.journal.head);
    const keys = new Set(sql(path.join(data, "frond.db"), "SELECT key FROM journal").map(([key]) => key.split(":").pop().split("/")[0]));
    const lost = before.filter((key) => !keys.has(key));
    assert.deepEqual(lost, [], `${lost.length} of ${before.length}`);
  });
});

await check("a match that ran when the backup was made goes on in the restored folder and is paid", async () => {
  const kept = customers.map((c) => c.player);
  await host.stop();
  for (const p of duel.two) p.close();
  const old = host;
  host = await startHost({ data: at("restored-2"), args });
  const again = [];
  for (const p of duel.two) {
    const q = await new Player(() => host.url, p.id, p.name).signIn();
    q.connect();
    await q.until(() => q.open, 5000, "a line").catch(() => null);
    again.push(q);
  }
  const matches = [];
  for (const [i, q] of again.entries()) {
    const known = { id: duel.matches[i].id, n: 0, seq: 0, over: false };
    q.matches.set(known.id, known);
    while (!q.open) await sleep(20);
    await q.resume(known);
    matches.push(known);
  }
  await Promise.all(again.map((q, i) => playDuel(q, matches[i], random, 5)));
  for (const q of again) q.close();
  assert.ok(matches.every((m) => m.over));
  await host.stop();
  assert.equal(sql(path.join(host.data, "frond.db"), `SELECT count(*) FROM hold WHERE state = 0 AND owner = 'match:${matches[0].id}'`)[0][0], 0);
  audit(host.data);
  assert.ok(kept.length);
  host = old;
});

// ---- restore refuses, moves aside, tells what is lost

await check("restore never overwrites: it refuses, or moves aside and says what is lost", async () => {
  refused("not_empty", "restore", taken[0].to, "--data", host.data);
  const last = audit(host.data);
  const r = done("restore", taken[0].to, "--data", host.data, "--force");
  assert.equal(r.lost.same_history, true);
  assert.equal(Number(r.lost.entries), last.entries - Number(taken[0].made.journal.entries));
  assert.equal(audit(r.moved).head, last.head);
  assert.equal(audit(host.data).head, taken[0].made.journal.head);
  const doctor = done("doctor", "--data", host.data);
  for (const name of ["store", "integrity", "ledger", "holds", "history", "backup", "time", "log"]) assert.equal(doctor.checks.find((c) => c.name === name)?.state, "ok", JSON.stringify(doctor.checks));
  const quick = done("doctor", "--quick", "--data", host.data);
  assert.ok(!quick.checks.some((c) => c.name === "integrity"));
  const running = await startHost({ data: host.data, args });
  refused("data_locked", "restore", taken[0].to, "--data", host.data, "--force");
  await running.stop();
  // the journal was cut, or an older backup was put back: only a newer backup knows
  const made = JSON.parse(readFileSync(path.join(taken[2].to, "manifest.json")));
  writeFileSync(path.join(host.data, "newest-backup"), `${made.created_ms} ${taken[2].to}\n`);
  assert.equal(frond("doctor", "--data", host.data).result.checks.find((c) => c.name === "history").state, "fail");
});

await check("a backup that was changed is refused, whatever was changed", () => {
  const change = (name, body) => { const to = at(`bad-${name}`); cpSync(taken[1].to, to, { recursive: true }); body(to); return to; };
  const flip = (file, pos) => { const fd = openSync(file, "r+"); writeSync(fd, Buffer.from([0xa5]), 0, 1, pos); closeSync(fd); };
  const manifest = (to, edit) => { const file = path.join(to, "manifest.json"), m = JSON.parse(readFileSync(file)); edit(m); writeFileSync(file, JSON.stringify(m)); };
  const rehash = (to) => manifest(to, (m) => { const f = m.files.find((one) => one.name === "frond.db"), bytes = readFileSync(path.join(to, "frond.db")); f.bytes = String(bytes.length); f.sha256 = createHash("sha256").update(bytes).digest("hex"); });
  for (const [code, to] of [
    ["backup_damaged", change("byte", (to) => flip(path.join(to, "frond.db"), 9000))],
    ["backup_damaged", change("cut", (to) => truncateSync(path.join(to, "frond.db"), 20000))],
    ["backup_damaged", change("gone", (to) => unlinkSync(path.join(to, "dev")))],
    ["backup_damaged", change("text", (to) => writeFileSync(path.join(to, "manifest.json"), "{"))],
    ["backup_damaged", change("name", (to) => manifest(to, (m) => { m.files[0].name = "../../etc/passwd"; }))],
    ["backup_damaged", change("wal", (to) => manifest(to, (m) => { m.files[1].name = "frond.db-wal"; }))],
    ["backup_damaged", change("head", (to) => manifest(to, (m) => { m.journal.head = "0".repeat(64); }))],
    ["backup_newer", change("newer", (to) => manifest(to, (m) => { m.format = 2; }))],
    ["not_a_backup", change("none", (to) => unlinkSync(path.join(to, "manifest.json")))],
    [/backup_damaged|ledger_wrong/, change("row", (to) => { sql(path.join(to, "frond.db"), "UPDATE journal SET note='x' WHERE id=5"); for (const n of ["-wal", "-shm"]) rmSync(path.join(to, "frond.db" + n), { force: true }); rehash(to); })],
    [/store_damaged|backup_damaged/, change("page", (to) => { const fd = openSync(path.join(to, "frond.db"), "r+"); writeSync(fd, Buffer.alloc(4096, 0xa5), 0, 4096, 4096 * 9); closeSync(fd); rehash(to); })],
  ]) {
    const data = at("never");
    for (const words of [["restore", to, "--data", data], ["restore", to, "--check"]]) {
      const r = frond(...words);
      assert.equal(r.exit, 1, `${to}: ${JSON.stringify(r)}`);
      assert.match(r.code, code instanceof RegExp ? code : new RegExp(`^${code}$`), JSON.stringify(r));
    }
    assert.ok(!existsSync(data) && !readdirSync(work).some((name) => name.includes(".restoring-")), to);
  }
  assert.equal(done("restore", taken[1].to, "--check").data, null);
});

// ---- damaged folders

const fingerprint = (data) => readdirSync(data).filter((name) => !["lock"].includes(name)).sort().map((name) => {
  const st = statSync(path.join(data, name));
  return `${name} ${st.size} ${st.isFile() ? createHash("sha256").update(readFileSync(path.join(data, name))).digest("hex") : "folder"}`;
}).join("\n");
const overwrite = (file, pos, bytes) => { const fd = openSync(file, "r+"); writeSync(fd, bytes, 0, bytes.length, pos); closeSync(fd); };

await check("a host refuses each kind of damage in one sentence, changes nothing, and says where the newest backup is", () => {
  const db = (data) => path.join(data, "frond.db"), garbage = Buffer.alloc(4096, 0xa5);
  const cases = [
    ["header", /store_damaged/, (d) => overwrite(db(d), 0, garbage.subarray(0, 100))],
    ["truncated", /store_damaged/, (d) => truncateSync(db(d), 4096 * 7)],
    ["page", /store_damaged/, (d) => overwrite(db(d), 4096 * 8, garbage)],
    ["wal", /store_damaged/, (d) => {
      const other = at("other.db");
      const run = spawnSync("python3", ["-c", "import sqlite3,sys,os\ndb=sqlite3.connect(sys.argv[1])\ndb.execute('PRAGMA journal_mode=WAL')\nfor t in 'abcdefgh': db.execute('CREATE TABLE '+t+'(x)')\ndb.commit()\nos._exit(0)", other]);
      assert.equal(run.status, 0);
      renameSync(`${other}-wal`, `${db(d)}-wal`);
    }],
    ["no database", /store_damaged/, (d) => { writeFileSync(`${db(d)}-wal`, garbage); unlinkSync(db(d)); }],
    ["table", /store_damaged/, (d) => sql(db(d), "DROP TABLE hold")],
    ["newer", /store_newer/, (d) => sql(db(d), "INSERT INTO migration VALUES('ledger', 99, 'x', 1)")],
    ["chain", /ledger_wrong/, (d) => sql(db(d), "UPDATE journal SET note='x' WHERE id=(SELECT max(id) FROM journal)-3")],
    ["row gone", /ledger_wrong/, (d) => sql(db(d), "DELETE FROM journal WHERE id=(SELECT max(id) FROM journal)-3")],
    ["sum", /ledger_wrong/, (d) => sql(db(d), "UPDATE account SET free=free+1 WHERE id=2")],
    ["text", /store_damaged/, (d) => writeFileSync(db(d), "not a database, but longer than a header. ".repeat(10))],
    ["folder", /store_unreadable/, (d) => { unlinkSync(db(d)); mkdirSync(db(d)); }],
    ...(process.getuid() === 0 ? [["owner", /store_owner/, (d) => chownSync(db(d), 65534, 65534)]] : []),
  ];
  for (const [name, code, hurt] of cases) {
    const data = at(`hurt-${name.replace(" ", "-")}`);
    done("restore", taken[1].to, "--data", data);
    hurt(data);
    for (const extra of ["-shm", ...(name === "wal" || name === "no database" ? [] : ["-wal"])]) rmSync(`${db(data)}${extra}`, { force: true });
    const before = fingerprint(data);
    const run = spawnSync(FROND, ["serve", "--dev", "--no-chain", "--data", data, "--listen", "127.0.0.1:0", ...args], { cwd: ROOT, encoding: "utf8", timeout: 60000 });
    const about = `${name}: ${run.stderr}`;
    assert.equal(run.status, 1, about);
    assert.equal(run.stderr.trim().split("\n").length, 1, about);
    assert.match(run.stderr, code, about);
    assert.match(run.stderr, new RegExp(`\\([a-z_]+\\)\\n$`), about);
    if (/damaged|ledger_wrong/.test(run.stderr)) {
      assert.match(run.stderr, /frond doctor/, about);
      assert.match(run.stderr, /frond restore/, about);
      assert.ok(run.stderr.includes(`the newest backup is ${taken[1].to}, from `), about);
    }
    assert.equal(fingerprint(data), before, about);
    const doctor = frond("doctor", "--data", data);
    assert.equal(doctor.exit, 1, `${name}: ${JSON.stringify(doctor)}`);
    assert.equal(fingerprint(data), before, `${name}: doctor changed something`);
  }
  console.log(`# ${cases.length} kinds of damage`);
});

await check("damage found while serving: money stops, /readyz says so, the file stays as it is", async () => {
  const data = at("live"), db = path.join(data, "frond.db");
  done("restore", taken[1].to, "--data", data);
  const live = await startHost({ data, args });
  const player = await new Player(() => live.url, 7100, "B0").signIn();
  const size = statSync(db).size;
  for (let pos = 4096 * 4; pos < size; pos += 4096) overwrite(db, pos, Buffer.alloc(64, 0xa5));
  let code = "";
  for (let i = 0; i < 200 && code !== "store_damaged"; i++) code = (await player.http("GET", "/v1/wallet/journal?limit=100")).body.code;
  assert.equal(code, "store_damaged");
  const before = createHash("sha256").update(readFileSync(db)).digest("hex");
  const ready = await player.http("GET", "/readyz");
  assert.equal(ready.status, 503);
  assert.ok(ready.body.missing.includes("store_damaged"), JSON.stringify(ready.body));
  refused("store_damaged", "ledger", "mint", player.player, "1", "--data", data);
  assert.equal((await player.http("POST", "/v1/call/till/charge", { key: "late", amount: 5 })).status >= 400, true);
  assert.equal(frond("doctor", "--data", data).exit, 1);
  assert.equal(frond("backup", at("of-damage"), "--data", data).ok, false);
  assert.ok(!existsSync(at("of-damage")));
  await live.stop();
  assert.equal(createHash("sha256").update(readFileSync(db)).digest("hex"), before);
});

// ---- by the clock

await check("backups by the clock: made when due, the oldest go", async () => {
  const folder = at("by-clock"), data = at("clocked");
  done("restore", taken[1].to, "--data", data);
  mkdirSync(folder);
  for (const name of ["frond-20260101T000000Z", "frond-20260102T000000Z", "frond-20260103T000000Z", "mine"]) {
    cpSync(taken[0].to, path.join(folder, name), { recursive: true });
    const file = path.join(folder, name, "manifest.json"), m = JSON.parse(readFileSync(file));
    writeFileSync(file, JSON.stringify({ ...m, created_ms: "1767225600000" }));
  }
  mkdirSync(path.join(folder, "frond-20260104T000000Z.part"));
  writeFileSync(path.join(folder, "frond-20260104T000000Z.part", "unfinished"), "");
  const file = at("clock.json");
  writeFileSync(file, JSON.stringify({ plugins: ["plugins"], backup: { folder: "by-clock", every_hours: 1, keep: 2 } }));
  const clocked = await startHost({ data, args: ["--config", file] });
  while (!clocked.log.some((line) => /backup\.(done|failed)/.test(line))) await sleep(50);
  assert.ok(clocked.log.some((line) => line.includes("backup.done")), clocked.log.join("\n"));
  await clocked.stop();
  const names = readdirSync(folder).sort();
  assert.equal(names.length, 3, names.join());
  assert.equal(names[0], "frond-20260103T000000Z");
  assert.equal(names[2], "mine");
  done("restore", path.join(folder, names[1]), "--check");
  // the next one is not due
  const second = await startHost({ data, args: ["--config", file] });
  await sleep(1500);
  await second.stop();
  assert.deepEqual(readdirSync(folder).sort(), names);
  for (const backup of [{}, { folder: "by-clock", every_hours: 0 }, { folder: "nowhere/at/all" }, { folder: "x", kep: 3 }, 7]) {
    writeFileSync(file, JSON.stringify({ plugins: ["plugins"], backup }));
    const run = spawnSync(FROND, ["serve", "--dev", "--no-chain", "--data", data, "--listen", "127.0.0.1:0", "--config", file], { cwd: ROOT, encoding: "utf8", timeout: 20000 });
    assert.equal(run.status, 1);
    assert.match(run.stderr, /\(config\)\n$/, run.stderr);
  }
});

// ---- kill -9

await check(`kill -9 in the middle of ${KILLS} backups and ${KILLS} restores leaves no half thing and no lost thing`, async () => {
  const data = at("large");
  done("restore", taken[1].to, "--data", data);
  sql(path.join(data, "frond.db"), "CREATE TABLE filler AS WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM i WHERE n < 12000) SELECT n, randomblob(4000) AS b FROM i");
  let cut = 0, whole = 0, before = 0, after = 0;
  const to = at("large-backup"), clock = async (body) => { const start = performance.now(); await body(); return performance.now() - start; };
  const within = (i) => 1.3 * (i + random()) / KILLS;                     // of the time it takes: each kill in a part of its own, the last ones come too late
  let large = await startHost({ data, args });
  const backupMs = await clock(() => whileServing("backup", to, "--data", data));
  for (let i = 0; i < KILLS; i++) {
    rmSync(to, { recursive: true, force: true });
    const asked = whileServing("backup", to, "--data", data).then(() => true, () => false);
    await sleep(backupMs * within(i));
    await large.stop("SIGKILL");
    const told = await asked;
    if (existsSync(to)) { done("restore", to, "--check"); whole++; } else { assert.equal(told, false); cut++; }
    large = await startHost({ data, args });
  }
  rmSync(to, { recursive: true, force: true });
  await whileServing("backup", to, "--data", data);                       // over what the killed ones left
  await large.stop();
  assert.ok(!existsSync(`${to}.part`));
  const heads = new Map([[to, audit(data).head], [taken[0].to, taken[0].made.journal.head]]);
  let now = heads.get(to);
  const restore = (from) => { const child = spawn(FROND, ["restore", from, "--data", data, "--force"], { cwd: ROOT, stdio: "ignore" }); return { child, gone: new Promise((resolve) => child.on("exit", resolve)) }; };
  const takes = new Map();
  for (const from of [taken[0].to, to]) takes.set(from, await clock(() => restore(from).gone));
  for (let i = 0; i < KILLS; i++) {
    const from = now === heads.get(to) ? taken[0].to : to;
    const { child, gone } = restore(from);
    await sleep(takes.get(from) * within(i));
    child.kill("SIGKILL");
    await gone;
    const found = audit(data).head;
    assert.ok([now, heads.get(from)].includes(found), found);
    if (found === now) before++; else after++;
    now = found;
  }
  assert.ok(cut > 0 && before > 0, "no kill came in time");
  const last = await startHost({ data, args });
  await last.stop();
  assert.equal(frond("doctor", "--data", data, "--quick").result.checks.find((c) => c.name === "store").state, "ok");
  console.log(`# backups: after ${cut} kills nothing under the name, after ${whole} a whole one; restores: ${before} times the old data, ${after} times the new`);
});

end();
