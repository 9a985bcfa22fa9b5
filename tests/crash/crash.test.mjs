// crash.test.mjs: coins move under load while the host and its workers are killed (SIGKILL) at random moments. Then the audit: what was
// acknowledged is in the journal once, what was refused is not, balances are what the clients believe, sums are 0, the chain is whole.
// KILLS=200 SEED=7: that many kills of the host and as many of workers.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, checks, startHost } from "../flow/host.mjs";
import { Player } from "../flow/player.mjs";
import { Customer, writeTill } from "./load.mjs";

const KILLS = Number(process.env.KILLS ?? 10), PLAYERS = 6, LANES = 4;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
let state = seed;
const random = () => {                              // mulberry32
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
console.log(`# seed ${seed}`);

const { check, end } = checks();
const folder = mkdtempSync(path.join(tmpdir(), "frond-crash-"));
const args = ["--config", writeTill(folder)];
let host = await startHost({ args });
const listen = new URL(host.url).host;
let stopped = false, killing = false, hostKills = 0, workerKills = 0, customers = [];

function watch() {
  const one = host;
  one.child.on("exit", (code, signal) => { if (!killing && !stopped) { console.log(`# the host left by itself: ${code ?? signal}\n${one.log.slice(-15).join("\n")}`); stopped = true; } });
}

/** Workers of this host, spare ones too: each has its host's process id as its last word. */
function workers() {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").filter(Boolean);
      return words[0]?.endsWith("frond-worker") && words.at(-1) === String(host.child.pid);
    } catch { return false; }
  }).map(Number);
}

async function killHost() {
  killing = true;
  await host.stop("SIGKILL");
  hostKills++;
  host = await startHost({ data: host.data, listen, args });
  killing = false;
  watch();
}

function killWorker() {
  const all = workers();
  if (!all.length) return;
  try { process.kill(all[Math.floor(random() * all.length)], "SIGKILL"); workerKills++; } catch { /* it has just ended */ }
}

/** Reads the journal without us: id, key and legs of each row. */
function journal() {
  const rows = execFileSync("python3", ["-c", `
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(json.dumps(db.execute("SELECT id, kind, key, legs FROM journal ORDER BY id").fetchall()))`, path.join(host.data, "frond.db")], { maxBuffer: 1 << 30 });
  return JSON.parse(rows).map(([id, kind, key, legs]) => ({ id: String(id), kind, key, legs }));
}

await check(`coins move through ${KILLS} kills of the host and ${KILLS} of workers`, async () => {
  watch();
  for (let i = 0; i < PLAYERS; i++) {
    const player = await new Player(() => host.url, 7000 + i, `C${i}`).signIn();
    await player.approve("till", "PALM", "900000000000");
    customers.push(new Customer(player, random, () => customers));
  }
  const work = Promise.all(customers.flatMap((c) => [...Array(LANES).keys()].map((lane) => c.work(lane, () => stopped))));
  work.catch(() => { stopped = true; });
  while (!stopped && (hostKills < KILLS || workerKills < KILLS)) {
    await sleep(50 + random() * 700);
    if (workerKills < KILLS && (random() < 0.5 || hostKills >= KILLS)) killWorker();
    else if (hostKills < KILLS) await killHost();
  }
  stopped = true;
  await work;
  const sum = (of) => customers.reduce((n, c) => n + of(c), 0);
  const causes = new Map();
  for (const c of customers) for (const [name, n] of c.unclear) causes.set(name, (causes.get(name) ?? 0) + n);
  console.log(`# ${hostKills} host kills, ${workerKills} worker kills; ${sum((c) => c.sent)} requests, ${sum((c) => c.deeds.filter((d) => d.done).length)} acknowledged, ` +
    `${sum((c) => c.deeds.filter((d) => !d.done).length)} refused, ${sum((c) => c.again)} asked again later`);
  console.log(`# sent again because of: ${[...causes].map(([name, n]) => `${name} x${n}`).join(", ")}`);
  if (hostKills !== KILLS || workerKills !== KILLS || sum((c) => c.deeds.filter((d) => d.tries > 0 && d.done).length) === 0) throw new Error("too little happened");
});

await check("a refusal that passes is not kept as the answer of its key", async () => {
  const send = () => customers[0].player.http("POST", "/v1/call/till/tired", { key: "tired", amount: 1 }, { "idempotency-key": "tired" });
  let first = await send();
  for (const end_ = Date.now() + 20000; first.body.code === "plugin_starting" && Date.now() < end_; first = await send()) await sleep(50);      // the last kill may have been of its worker
  const second = await send(), third = await send();
  if (first.body.code !== "rate" || second.status !== 200 || second.body !== 2 || third.body !== 2) throw new Error(JSON.stringify([first, second, third]));
});

await check("each customer has what the answers say", async () => {
  for (const c of customers) {
    const { body } = await c.player.wallet();
    const palm = body.assets.find((a) => a.asset === "PALM");
    if (BigInt(palm.free) !== c.expected || BigInt(palm.held) !== c.held) throw new Error(`${c.player.name} has ${palm.free} and ${palm.held} held, the answers say ${c.expected} and ${c.held}`);
  }
});

killing = true;
await host.stop("SIGKILL");
await check("every acknowledged key is in the journal once, no refused one is, and nothing that nobody asked for", () => {
  const rows = journal(), byKey = new Map();
  for (const row of rows) byKey.set(row.key, [...(byKey.get(row.key) ?? []), row]);
  const keysOf = (d) => d.call === "linked" ? [`p:till:${d.key}/1`, `p:till:${d.key}/2`] : [`p:till:${d.key}`];
  let found = 0;
  for (const c of customers) {
    for (const d of c.deeds) {
      for (const [at, key] of keysOf(d).entries()) {
        const there = byKey.get(key)?.length ?? 0;
        if (there !== (d.done ? 1 : 0)) throw new Error(`${key}: ${there} rows; ${d.done ? `acknowledged: ${JSON.stringify(d.result)}` : "refused"}`);
        found += there;
        const id = d.result?.transfer ?? d.result?.transfers?.[at];
        if (d.done && id && byKey.get(key)[0].id !== id) throw new Error(`${key} is row ${byKey.get(key)[0].id}, the answer was ${id}`);
      }
    }
  }
  const ours = rows.filter((row) => row.key.startsWith("p:till:")).length;
  if (ours !== found) throw new Error(`${ours} rows of the plugin, ${found} were asked for`);
  console.log(`# ${rows.length} rows in the journal, ${found} of them acknowledged to a client`);
});

await check("sum 0, chain, balances and holds are right", () => {
  const audit = JSON.parse(execFileSync(path.join(BUILD, "frond"), ["ledger", "audit", "--json", "--data", host.data]));
  if (!audit.ok || !audit.result.good) throw new Error(JSON.stringify(audit));
  console.log(`# audit: ${JSON.stringify(audit.result)}`);
});

host.clean();
rmSync(folder, { recursive: true, force: true });
end();
