// replays.test.mjs: recorded duels with random play, each replayed from the start, from each snapshot, alone and interleaved: equal.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, ROOT, checks, startHost } from "../flow/host.mjs";
import { Player } from "../flow/player.mjs";

const DUELS = Number(process.env.DUELS ?? 30), PAIRS = Math.min(12, Math.ceil(DUELS / 4)), STAKE = "1000000000";
const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const KEEP = path.join(BUILD, "replays");
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
console.log(`# seed ${seed}, ${DUELS} duels by ${PAIRS} pairs`);

/** A stream of its own for each player, so that one's luck does not depend on who asked first. */
function randomOf(name) {
  let state = (seed ^ [...name].reduce((hash, c) => Math.imul(hash, 31) + c.charCodeAt(0) | 0, 7)) & 0x7fffffff;
  return () => { state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff; return state / 0x7fffffff; };
}

const { check, end } = checks();
let host = await startHost(), url = host.url;
const listen = new URL(url).host;
const duels = new Map();                 // id -> hash that the players were told
const tally = { moves: 0, refused: 0, twice: 0, reactions: 0, surrenders: 0, drops: 0, workerKills: 0, hostKills: 0 };
const tolerated = ["match_ended", "already_chosen", "already_played", "not_in_hand", "no_charge", "too_many_reactions", "n_passed", "superseded", "left", "no_charge_left", "charge_used"];

async function frond(...args) {
  return new Promise((resolve) => execFile(FROND, [...args, "--json"], { cwd: ROOT, maxBuffer: 64 << 20 }, (error, stdout) => {
    let answer = null;
    try { answer = JSON.parse(stdout); } catch { /* said below */ }
    resolve({ code: error ? error.code ?? 1 : 0, answer, stdout });
  }));
}

async function playOne(player, match, random) {
  const charges = [undefined, undefined, "double", "shield"];
  while (!match.over) {
    const view = match.view, luck = random();
    if (luck < 0.25) { tally.reactions++; await player.move(match, "react", { kind: ["nice", "ouch", "hm", "hurry"][Math.floor(random() * 4)] }); }
    if (luck > 0.99) { tally.drops++; player.ws.terminate(); }
    if (luck > 0.40 && luck < 0.405) { tally.surrenders++; await player.ask("match.leave", { match: match.id }); }
    if (!match.over && view?.phase === "choose" && !view.pick && view.hand?.length) {
      if (random() < 0.2) { tally.refused++; await player.move(match, "play", { card: "f9" }); }         // not in anybody's hand
      const card = view.hand[Math.floor(random() * view.hand.length)], charge = charges[Math.floor(random() * 4)];
      const answer = await player.move(match, "play", charge ? { card, charge } : { card });
      tally.moves++;
      if (random() < 0.1) { tally.twice++; await player.ask("match.input", { match: match.id, n: match.n, name: "play", args: { card } }); }
      if (!answer.ok && charge && !match.over) await player.move(match, "play", { card });
      else if (!answer.ok && !tolerated.includes(answer.error.code) && !match.over) throw new Error(`${player.name}: ${JSON.stringify(answer.error)}`);
    }
    const seen = match.seq;
    if (!match.over && match.view?.pick) await player.until(() => match.over || match.seq > seen || !match.view?.pick, 60000, `a turn in ${match.id}`);
  }
}

async function enter(number) {
  const players = [`a${number}`, `b${number}`].map((name, i) => new Player(() => url, 50000 + 2 * number + i, name));
  for (const p of players) {
    await p.signIn();
    assert.ok([200, 201].includes((await p.approve("duel", "PALM", "900000000000000")).status));
    p.connect();
    await p.until(() => p.open, 10000, "its socket").catch(() => sleep(200));
  }
  return players;
}

async function play(players) {
  const randoms = players.map((p) => randomOf(p.name));
  let earlier = null;                    // a rematch of the same two: they meet nobody else
  while (duels.size + playing < DUELS) {
    playing++;
    try {
      for (const p of players) p.seen = p.ended.length;
      for (const p of players) {
        const found = await p.find({ game: "duel", mode: "classic", stake: STAKE, ...(earlier ? { with: earlier } : {}) }, randoms[0]() < 0.7);
        if (!found.ok && found.error.code !== "already_matched") throw new Error(`${p.name}: ${JSON.stringify(found.error)}`);
      }
      const matches = await Promise.all(players.map((p) => p.until(() => [...p.matches.values()].find((m) => !m.over && m.view) ?? (p.ended.length > p.seen && p.ended.at(-1)), 30000, "a match").catch(() => null)));
      if (!matches[0] || !matches[1]) { for (const p of players) await p.ask("match.leave_queue"); continue; }       // a host that was killed forgets tickets
      await Promise.all(players.map((p, i) => playOne(p, matches[i], randoms[i])));
      for (const match of new Set(matches)) if (match.end.hash && match.end.result) duels.set(match.id, match.end.hash);
    } finally { playing--; }
  }
  for (const p of players) p.close();
}

let playing = 0, over = false;
async function trouble() {
  const random = randomOf("trouble");
  for (;;) {
    await sleep(400 + 800 * random());
    if (over) return;
    if (random() < 0.75) {
      const status = await fetch(`${url}/v1/dev/status`).then((r) => r.json(), () => null);
      const workers = (status?.workers ?? []).filter((w) => w.plugin === "duel" && w.pid > 0);
      if (workers.length && tally.workerKills < DUELS / 20 + 1) { tally.workerKills++; try { process.kill(workers[Math.floor(random() * workers.length)].pid, "SIGKILL"); } catch { /* gone already */ } }
    } else if (tally.hostKills < DUELS / 100 + 1) {
      tally.hostKills++;
      await host.stop("SIGKILL");
      host = await startHost({ data: host.data, listen });
      url = host.url;
    }
  }
}

await check(`${DUELS} duels are played to the end`, async () => {
  const began = Date.now();
  const pairs = await Promise.all(Array.from({ length: PAIRS }, (_, i) => enter(i)));      // before anything is killed: who signs in has nothing to come back to
  const troubled = trouble();
  try { await Promise.all(pairs.map(play)); } finally { over = true; }
  await troubled;
  assert.ok(duels.size >= DUELS);
  console.log(`# ${duels.size} duels in ${((Date.now() - began) / 1000).toFixed(1)} s: ${JSON.stringify(tally)}`);
});

await check("each is the same from the start and from each snapshot, alone and interleaved, and its proof holds", async () => {
  const began = Date.now(), files = mkdtempSync(path.join(tmpdir(), "frond-replays-")), todo = [...duels];
  let starts = 0, runs = 0, snapshots = 0, records = 0;
  async function one() {
    for (let next; (next = todo.pop());) {
      const [id, hash] = next, file = path.join(files, `${id}.json`);
      const keep = (what, got) => { keepExport(file, id); throw new Error(`${what}: ${id} (kept as ${path.join(KEEP, id)}.json): ${got.stdout}`); };
      assert.equal((await frond("match", "show", id, "--export", file, "--data", host.data)).code, 0);
      const alone = await frond("match", "replay", "--file", file, "--from", "all");
      if (alone.code !== 0 || alone.answer.result.hash !== hash || alone.answer.result.equal !== alone.answer.result.starts) keep("alone", alone);
      const beside = await frond("match", "replay", "--file", file, "--from", "all", "--times", "3", "--beside", "8");
      if (beside.code !== 0 || beside.answer.result.equal !== 3 * beside.answer.result.starts) keep("interleaved", beside);
      const proof = await frond("match", "verify", "--file", file, "--hash", hash);
      if (proof.code !== 0 || !proof.answer.result.ok) keep("verify", proof);
      starts += alone.answer.result.starts;
      records += alone.answer.result.records;
      runs += alone.answer.result.runs + beside.answer.result.runs;
      snapshots += alone.answer.result.snapshots + beside.answer.result.snapshots;
      rmSync(file);
    }
  }
  await Promise.all([one(), one()]);
  rmSync(files, { recursive: true, force: true });
  assert.ok(starts > duels.size, "most duels are long enough for a snapshot");
  console.log(`# ${duels.size} duels, ${records} records, ${starts - duels.size} snapshots: ${runs} replays equal, ${snapshots} snapshots made again and equal, in ${((Date.now() - began) / 1000).toFixed(1)} s`);
});

function keepExport(file, id) {
  mkdirSync(KEEP, { recursive: true });
  copyFileSync(file, path.join(KEEP, `${id}.json`));
}

await check("no coin was made or lost, no hold is left", async () => {
  const audit = await frond("ledger", "audit", "--data", host.data);
  assert.equal(audit.code, 0);
  assert.ok(audit.answer.result.good && audit.answer.result.sum === "0" && audit.answer.result.holds_open === 0, audit.stdout);
});

await host.stop();
host.clean();
end();
