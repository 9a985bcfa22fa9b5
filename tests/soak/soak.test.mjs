// soak.test.mjs: the real host for a while: players play staked duels, call, break their lines and come back, and workers are killed now and
// then. When it is quiet again the host and its workers must hold what they held after the warm-up: the same descriptors, threads and
// processes, and not much more memory. Then the audit. SECONDS=20 SEED=7 PLAYERS=8.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, readlinkSync, statSync } from "node:fs";
import path from "node:path";
import { BUILD, checks, startHost } from "../flow/host.mjs";
import { Player, playDuel } from "../flow/player.mjs";

const SECONDS = Number(process.env.SECONDS ?? 20), PLAYERS = 2 * Math.ceil(Number(process.env.PLAYERS ?? 8) / 2), STAKE = "1000000000";
const KILL_EVERY_S = Number(process.env.KILL_EVERY_S ?? Math.max(4, Math.min(25, SECONDS / 4)));
const QUIET_S = 60;                                  // how long we wait for what was used to be given back
// What the host may hold more than after the warm-up: a margin; SQLite's page caches while the file grows; of each seat what is kept for a
// day (keys and answers); and of each seat whose match ended in the last minute what its player may still come back for (ENDED_KEPT_MS).
const MARGIN_BYTES = Number(process.env.MARGIN_MIB ?? 8) * 1024 * 1024, CACHES_BYTES = 80 * 1024 * 1024, SEAT_BYTES = 1024, SEAT_KEPT_BYTES = 48 * 1024, KEPT_MS = 60000;
const WORKER_GROWTH_BYTES = 4 * 1024 * 1024;         // Lua collects when it likes
const SPARES_MAX = 8;                                // WORKER_SPARES_MAX: warm workers beside those of plugins
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
let state = seed;
const random = () => {                               // mulberry32
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
console.log(`# seed ${seed}, ${SECONDS} s, ${PLAYERS} players`);

const { check, end } = checks();
const host = await startHost();
const players = [];
let stopping = false, kills = 0, breaks = 0, calls = 0, refused = 0;
host.child.on("exit", (code, signal) => { if (host.expected) return; console.log(`# the host left by itself: ${code ?? signal}\n${host.log.slice(-20).join("\n")}`); stopping = true; });

// ---- what a process holds

const PAGE_BYTES = 4096;
function holds(pid) {
  const kinds = {};
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    let what;
    try { what = readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:?\[\d+\]$/, "").replace(/^\/.*\//, ""); } catch { continue; }
    kinds[what] = (kinds[what] ?? 0) + 1;
  }
  const fds = Object.values(kinds).reduce((a, b) => a + b, 0);
  const threads = readdirSync(`/proc/${pid}/task`).length;
  return { fds, kinds, threads, rss: Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES };
}

/** What the host's sockets are, for who looks into a failure. */
function sockets() {
  const known = new Map(), all = [];
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1)) {
    const cell = line.trim().split(/\s+/);
    if (cell.length > 9) known.set(cell[9], `tcp ${cell[1]} ${cell[2]} state ${cell[3]} queues ${cell[4]}`);
  }
  for (const line of readFileSync("/proc/net/unix", "utf8").split("\n").slice(1)) {
    const cell = line.trim().split(/\s+/);
    if (cell.length > 6) known.set(cell[6], `unix state ${cell[5]} ${cell[7] ?? ""}`);
  }
  for (const fd of readdirSync(`/proc/${host.child.pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec((() => { try { return readlinkSync(`/proc/${host.child.pid}/fd/${fd}`); } catch { return ""; } })())?.[1];
    if (inode) all.push(`${fd} ${known.get(inode) ?? "neither tcp nor unix"}`);
  }
  return all;
}

/** Children of the host, with those that ended and were not collected. */
function children() {
  const found = [];
  for (const name of readdirSync("/proc").filter((one) => /^\d+$/.test(one))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1"), rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(rest[1]) === host.child.pid) found.push({ pid: Number(name), zombie: rest[0] === "Z" });
    } catch { /* it has just ended */ }
  }
  return found;
}

function sample() {
  const all = children(), workers = all.filter((one) => !one.zombie).map((one) => ({ pid: one.pid, ...holds(one.pid) }));
  return { host: holds(host.child.pid), workers, zombies: all.length - workers.length, database: databaseBytes(), most };
}

// Each worker is one descriptor of the host's; how many workers there are is the host's business within `crew`.
const own = (s) => s.host.fds - s.workers.length;
const POOL_THREADS = 4;                              // libuv's, begun when first needed
const same = (a, b) => own(a) === own(b) && b.host.threads <= fresh.host.threads + POOL_THREADS && b.zombies === 0;
const databaseBytes = () => ["frond.db", "frond.db-wal"].reduce((n, name) => n + statSync(path.join(host.data, name)).size, 0);
let endings = [], most = 0;                          // when each seat's match ended; the most within KEPT_MS: memory that was given back inside stays resident
function ended() {
  endings = endings.filter((at) => at > Date.now() - KEPT_MS).concat(Date.now());
  most = Math.max(most, endings.length);
}

const lines = (s) => s.host.kinds.socket - s.workers.length;
let fresh = sample();

/** Everything is closed by us; waits until the host has given back what it used. `like`: an earlier sample that it should equal. */
async function quiet(like) {
  let last = null, steady = 0;
  for (const until = Date.now() + QUIET_S * 1000; Date.now() < until;) {
    await sleep(250);
    const now = sample();
    steady = (!players.length || lines(now) === lines(fresh)) && last && same(last, now) && (!like || same(like, now)) ? steady + 1 : 0;
    last = now;
    if (steady >= 4) break;
  }
  return last ?? sample();
}

// ---- what players do

const running = (p) => [...p.matches.values()].find((m) => !m.over);

async function look(p) {
  const me = await p.http("GET", "/v1/me").catch(() => null);
  for (const mine of me?.body?.matches ?? []) {
    if (p.matches.has(mine.id)) continue;
    p.matches.set(mine.id, { id: mine.id, n: 0, seq: 0, over: false });
    await p.resume(p.matches.get(mine.id));
  }
  return me?.status === 200;
}

async function aside(p) {
  const dice = random();
  if (dice < 0.3) {
    const answer = await p.http("POST", "/v1/call/hello/greet", {}).catch(() => null);
    calls++;
    if (answer && answer.status !== 200) refused++;
  } else if (dice < 0.5) {
    calls++;
    await p.ask("call", { plugin: "hello", fn: "greet", args: {} });
  } else if (dice < 0.65) {
    await p.wallet().catch(() => null);
    await p.http("GET", "/v1/wallet/journal").catch(() => null);
    await p.http("GET", "/v1/games").catch(() => null);
  }
}

async function breaker() {                           // lines break in the middle of whatever is going on
  while (!stopping) {
    await sleep(100 + random() * 400);
    const p = players[Math.floor(random() * players.length)];
    if (p?.open) { p.ws.terminate(); breaks++; }
  }
}

async function killer() {
  for (let next = Date.now() + KILL_EVERY_S * 500; !stopping; await sleep(100)) {
    if (Date.now() < next) continue;
    const plugin = random() < 0.7 ? "duel" : "hello";
    const done = await players[0].http("POST", "/v1/dev/kill", { what: "worker", plugin }).catch(() => null);
    if (done?.status === 202) kills++;
    next = Date.now() + KILL_EVERY_S * 1000;
  }
}

const APPROVED = "900000000000";                     // of STAKE: 900 duels, which a long run plays

/** A ticket; a player whose approval is used up gives another, as the sheet would ask. */
async function seek(p) {
  const found = await p.find({ game: "duel", mode: "classic", stake: STAKE });
  if (found.ok || found.error.code !== "consent_required") return found;
  await p.approve("duel", "PALM", APPROVED);
  return p.find({ game: "duel", mode: "classic", stake: STAKE });
}

async function play(p) {
  for (;;) {
    while (running(p)) await playDuel(p, running(p), random, 10);
    p.matches.forEach((m, id) => { if (m.over) p.matches.delete(id); });
    for (const _ of p.ended.splice(0)) { p.duels = (p.duels ?? 0) + 1; ended(); }
    if (stopping) {
      const left = await p.ask("match.leave_queue");
      if (left.ok && await look(p) && !running(p)) return;
      await sleep(50);
      continue;
    }
    await aside(p);
    const found = await seek(p);
    if (!found.ok && found.error.code === "already_matched") { await look(p); continue; }
    if (!found.ok) throw new Error(`${p.name}: ${JSON.stringify(found.error)}`);
    for (let tries = 0; !running(p) && !stopping && tries < 100; tries++) {
      await Promise.race([p.until(() => running(p) || stopping, 2000, "a match").catch(() => null), sleep(1500)]);
      if (!running(p) && !stopping) await look(p);
      if (!running(p) && !stopping) await seek(p);
    }
  }
}

const live = async () => (await players[0].http("GET", "/v1/dev/status")).body.matches.filter((m) => !["ended", "void", "voided"].includes(m.state));

const heldBy = async (p) => (await p.wallet()).body.assets.find((a) => a.asset === "PALM").held;
const settled = async () => (await live()).length === 0 && (await Promise.all(players.map(heldBy))).every((held) => held === "0");

async function phase(seconds, kill) {
  stopping = false;
  for (const p of players) { p.closed = false; p.connect(); }
  const games = Promise.all(players.map(play));
  games.catch(() => { stopping = true; });
  const others = [breaker(), kill ? killer() : null];
  for (const until = Date.now() + seconds * 1000; Date.now() < until && !stopping;) await sleep(50);
  stopping = true;
  await Promise.all([games, ...others]);
  for (let tries = 0; tries < 200 && !(await settled()); tries++) {          // two met while both were leaving: they play
    await Promise.all(players.map(async (p) => { await look(p); while (running(p)) await playDuel(p, running(p), random, 10); }));
    await sleep(100);
  }
  for (const p of players) p.close();
  return players.reduce((n, p) => n + (p.duels ?? 0), 0);
}

const mib = (bytes) => (bytes / 1048576).toFixed(1);
let before, after, warm = 0, duels = 0;

await check(`players play for ${SECONDS} s through broken lines and killed workers`, async () => {
  fresh = await quiet();
  for (let i = 0; i < PLAYERS; i++) {
    const p = await new Player(() => host.url, 5000 + i, `S${i}`).signIn();
    await p.approve("duel", "PALM", APPROVED);
    players.push(p);
  }
  warm = await phase(SECONDS * 0.3, true);            // a worker is killed here too: what that leaves behind is there from now on
  before = await quiet();
  for (const p of players) p.duels = 0;
  duels = await phase(SECONDS * 0.7, true);
  console.log(`# ${warm} seats played to warm up, then ${duels}; ${kills} workers killed, ${breaks} lines broken, ${calls} calls, ${players.reduce((n, p) => n + p.connects, 0)} connections`);
  if (duels === 0 || kills === 0 || breaks === 0 || refused > calls / 2) throw new Error(`too little happened: ${duels} ${kills} ${breaks} ${refused}`);
});

await check("the host holds the same descriptors, threads and processes as after the warm-up", async () => {
  after = await quiet(before);
  console.log(`# host: ${before.host.fds} -> ${after.host.fds} descriptors, ${before.host.threads} -> ${after.host.threads} threads, ${mib(before.host.rss)} -> ${mib(after.host.rss)} MiB`);
  console.log(`# workers: ${before.workers.length} -> ${after.workers.length}, ${[before, after].map((s) => s.workers.map((w) => `${w.fds} fds ${mib(w.rss)} MiB`).join(" | ")).join("  ->  ")}`);
  const { body } = await players[0].http("GET", "/v1/dev/status");
  const crew = body.workers.length + SPARES_MAX;
  if (after.workers.length > crew) throw new Error(`${after.workers.length} workers for ${JSON.stringify(body.workers)}`);
  if (!same(before, after)) throw new Error(`${sockets().join("\n")}\n` + JSON.stringify({ before: before.host, after: after.host, workers: [before.workers.length, after.workers.length], zombies: after.zombies }));
});

await check("no worker holds more descriptors than the others did", () => {
  const most = Math.max(...before.workers.map((w) => w.fds));
  for (const w of after.workers) if (w.fds > most) throw new Error(`${w.pid}: ${JSON.stringify(w.kinds)}, before at most ${most}`);
});

await check("memory grew within its margin", () => {
  const grown = after.host.rss - before.host.rss, file = Math.max(0, after.database - before.database), kept = after.most - before.most;
  const may = MARGIN_BYTES + Math.min(file, CACHES_BYTES) + duels * SEAT_BYTES + kept * SEAT_KEPT_BYTES;
  console.log(`# the host grew by ${mib(grown)} MiB; allowed ${mib(may)}: margin ${mib(MARGIN_BYTES)}, database grew by ${mib(file)}, ${duels} seats played, at most ${kept} more within a minute`);
  if (grown > may) throw new Error(`the host grew by ${mib(grown)} MiB, ${mib(may)} are allowed`);
  const largest = (s) => Math.max(...s.workers.map((w) => w.rss));
  console.log(`# the largest worker: ${mib(largest(before))} -> ${mib(largest(after))} MiB, ${mib(WORKER_GROWTH_BYTES)} more are allowed`);
  if (largest(after) > largest(before) + WORKER_GROWTH_BYTES) throw new Error("a worker grew more than that");
});

await check("no match is left, nothing is held", async () => {
  const open = await live();
  if (open.length) throw new Error(JSON.stringify(open.slice(0, 5)));
  for (const p of players) {
    const held = await heldBy(p);
    if (held !== "0") throw new Error(`${p.name} has ${held} held`);
  }
});

await check("the host stops well and the audit finds nothing", async () => {
  host.expected = true;
  const code = await host.stop();
  if (code !== 0) throw new Error(`exit ${code}\n${host.log.slice(-10).join("\n")}`);
  const audit = JSON.parse(execFileSync(process.env.FROND ?? path.join(BUILD, "frond"), ["ledger", "audit", "--json", "--data", host.data]));
  if (!audit.ok || !audit.result.good) throw new Error(JSON.stringify(audit));
  console.log(`# audit: ${JSON.stringify(audit.result)}`);
});
if (process.env.HOST_LOG) console.log(host.log.filter((line) => !line.startsWith("{")).join("\n"));      // what is no log line of ours: a sanitizer's
host.clean();
end();
if (process.exitCode) console.log(host.log.filter((line) => !line.startsWith("{") || !/"level":"(debug|info)"/.test(line)).slice(-60).join("\n"));      // what it said while it went wrong
process.exit();                                      // players of a failed run would try to come back for ever
