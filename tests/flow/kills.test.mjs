// kills.test.mjs: six players at staked duels, one after the other, while the worker is killed ten times and the host ten times
// at random moments. Every duel ends, is paid once, replays to the same hash; the ledger's sum is 0 and no hold is left behind.
import { execFileSync } from "node:child_process";
import { BUILD, checks, startHost } from "./host.mjs";
import { Player, playDuel } from "./player.mjs";
import path from "node:path";

const KILLS = Number(process.env.KILLS ?? 10), PAIRS = 3, STAKE = "1000000000", START = 1000_000_000_000n;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
let state = seed;
const random = () => { state = (state * 1103515245 + 12345) & 0x7fffffff; return state / 0x7fffffff; };
console.log(`# seed ${seed}`);
process.on("SIGTERM", async () => {
  console.log(await fetch(`${host.url}/healthz`, { signal: AbortSignal.timeout(2000) }).then((r) => r.text(), (e) => `healthz: ${e} ${e.cause}`));
  console.log(host.log.slice(-60).join("\n")); for (const p of players) console.log(p.name, p.open, p.trouble, JSON.stringify([...p.matches.values()].map((m) => [m.id, m.seq, m.over, m.n, m.view?.phase, m.view?.round, m.view?.pick]).slice(-2))); process.exit(3); });

process.setMaxListeners(100);
const { check, end } = checks();
let host = await startHost();
const listen = new URL(host.url).host;
const url = () => host.url;
const players = [];
let stopping = false, restarting = null, workerKills = 0, hostKills = 0;

let killing = false;
function watch() {
  const one = host;
  one.child.on("exit", (code, signal) => { if (!killing && !stopping) { console.log(`# the host left by itself: ${code ?? signal}\n${one.log.slice(-15).join("\n")}`); stopping = true; } });
}
watch();

async function restart() {
  killing = true;
  await host.stop("SIGKILL");
  hostKills++;
  host = await startHost({ data: host.data, listen });
  killing = false;
  watch();
}

// Whoever stands in the queue meets whoever else does. In the end each leaves it and plays what it was already dealt, so that nobody
// waits for an opponent who has gone home.
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

async function wantsMatch(p) {
  const found = await p.find({ game: "duel", mode: "classic", stake: STAKE });
  if (!found.ok) throw new Error(`${p.name}: ${JSON.stringify(found.error)}`);
  // A ticket that died with the host is asked for again.
  for (let tries = 0; !running(p) && !stopping && tries < 60; tries++) {
    await Promise.race([p.until(() => running(p) || stopping, 3000, "a match").catch(() => null), sleep(1500)]);
    if (running(p) || stopping) return;
    await look(p);
    if (!running(p)) await p.find({ game: "duel", mode: "classic", stake: STAKE });
  }
  if (!running(p) && !stopping) throw new Error(`${p.name} found no match`);
}

async function player(p) {
  for (;;) {
    while (running(p)) await playDuel(p, running(p), random);
    if (!stopping) {
      await wantsMatch(p);
      continue;
    }
    const left = await p.ask("match.leave_queue");
    if (left.ok && await look(p) && !running(p)) return;
    await sleep(50);
  }
}

await check(`duels go on through ${KILLS} kills of the worker and ${KILLS} of the host`, async () => {
  for (let i = 0; i < PAIRS * 2; i++) {
    const p = await new Player(url, 9000 + i, `P${i}`).signIn();
    await p.approve("duel", "PALM", "900000000000");
    players.push(p.connect());
  }
  const games = Promise.all(players.map(player));
  games.catch(() => { stopping = true; });
  for (let i = 0; i < KILLS * 2 && !stopping; i++) {
    await sleep(300 + random() * 1500);
    if (i % 2 === 0) { await players[0].http("POST", "/v1/dev/kill", { what: "worker", plugin: "duel" }); workerKills++; }
    else await restart();
  }
  stopping = true;
  await games;
  const duels = new Set(players.flatMap((p) => p.ended.map((m) => m.id))).size;
  console.log(`# ${duels} duels, ${workerKills} worker kills, ${hostKills} host kills, ${players.reduce((n, p) => n + p.resent, 0)} moves sent again, ${players.reduce((n, p) => n + p.connects, 0)} connections`);
  if (workerKills !== KILLS || hostKills !== KILLS || duels < PAIRS) throw new Error("too little happened");
});

const ended = new Map(players.flatMap((p) => p.ended.map((m) => [m.id, m])));
const details = new Map();
await check("every duel ended once, by play or by the clock, with one hash for both", async () => {
  for (const p of players) {
    const ids = p.ended.map((m) => m.id);
    if (new Set(ids).size !== ids.length) throw new Error(`${p.name} heard an end twice`);
    for (const m of p.ended) {
      const { body } = await p.http("GET", `/v1/matches/${m.id}`);
      if (body.state !== "ended") throw new Error(`${m.id} is ${body.state}`);
      if (body.hash !== m.end.hash) throw new Error(`${m.id}: ${p.name} heard ${m.end.hash}, the log says ${body.hash}`);
      details.set(m.id, body);
    }
  }
  const voided = [...details.values()].filter((d) => d.result.void).map((d) => d.result.reason);
  console.log(`# ${details.size} matches; void before they began: ${voided.length} ${[...new Set(voided)]}`);
  if (voided.some((reason) => !["host_restarted", "seed_missing", "left_before_start"].includes(reason))) throw new Error(`void: ${voided}`);
  if (details.size - voided.length < PAIRS) throw new Error("too few duels were decided");
});

await check("each player's coins are what the results say", async () => {
  for (const p of players) {
    const { body } = await p.wallet();
    const palm = body.assets.find((a) => a.asset === "PALM");
    const net = p.ended.reduce((sum, m) => sum + BigInt(m.end.net), 0n);
    if (palm.held !== "0") throw new Error(`${p.name} has ${palm.held} held`);
    if (BigInt(palm.free) !== START + net) throw new Error(`${p.name} has ${palm.free}, the results say ${START + net}`);
  }
});

await check("the ledger's sum is 0, its chain is whole, no hold is orphaned", async () => {
  const { body } = await players[0].http("GET", "/v1/dev/status");
  if (body.ledger.sum !== "0" && body.ledger.sum !== 0) throw new Error(`sum ${body.ledger.sum}`);
  const audit = JSON.parse(execFileSync(path.join(BUILD, "frond"), ["ledger", "audit", "--json", "--data", host.data]));
  if (!audit.result.good || audit.result.holds_open !== 0) throw new Error(JSON.stringify(audit));
});

await check("every duel replays to the same hash", async () => {
  const ids = [...details.keys()].filter((id) => details.get(id).hash).sort(() => random() - 0.5).slice(0, 40);
  for (const id of ids) {
    const answer = JSON.parse(execFileSync(path.join(BUILD, "frond"), ["match", "replay", id, "--times", "3", "--beside", "2", "--json", "--data", host.data]));
    if (!answer.ok || answer.result.equal !== 3) throw new Error(`${id}: ${JSON.stringify(answer)}`);
  }
  console.log(`# ${ids.length} of ${details.size} matches replayed 3 times each`);
});

for (const p of players) p.close();
await host.stop();
host.clean();
end();
