// storm.test.mjs: two crowds. 200 matches whose 400 sockets all drop at once and come back at once: every one resumes, nothing is lost. And a match
// of 64 seats, from the first move to the last, with somebody watching.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { checks, startHost } from "./host.mjs";
import { Player } from "./player.mjs";

const MATCHES = Number(process.env.MATCHES ?? 200), SEATS = 64, ROUNDS = 3;
const games = mkdtempSync(path.join(tmpdir(), "frond-crowd-"));
mkdirSync(path.join(games, "games", "crowd"), { recursive: true });
writeFileSync(path.join(games, "games", "crowd", "plugin.json"), JSON.stringify({
  id: "crowd", name: "Crowd", version: "1.0.0", api: "2026-11-01", kind: "game", description: "64 seats, each says a number; the highest sum wins", author: "t",
  grants: { ledger: { why: "stakes", assets: ["PALM"] } },
  modes: { all: { seats: SEATS, turn_ms: 60000, asset: "PALM", stakes: ["1000"], rake: { treasury: 100 }, spectators: true, spectator_delay_ms: 0 } },
  inputs: { say: { type: "object", required: ["n"], properties: { n: { type: "integer", minimum: 0, maximum: 1000 } } } },
}));
writeFileSync(path.join(games, "games", "crowd", "main.lua"), `local frond = require "frond"
return frond.game {
  new = function(m) local s = { round = 1, sum = {}, said = {} } for i = 1, m.seats do s.sum[i] = 0 s.said[i] = false end return s end,
  input = { say = function(m, s, seat, a)
    if s.said[seat] then return nil, "already_said" end
    s.said[seat] = true
    s.sum[seat] = s.sum[seat] + a.n + m:int(0, 5)
    for i = 1, m.seats do if not s.said[i] then return end end
    s.round = s.round + 1
    for i = 1, m.seats do s.said[i] = false end
    if s.round > ${ROUNDS} then
      local best, bps, first = 0, {}, true
      for i = 1, m.seats do if s.sum[i] > best then best = s.sum[i] end end
      local rest = 10000
      for i = 1, m.seats do bps[i] = 100 rest = rest - 100 end
      for i = 1, m.seats do if first and s.sum[i] == best then bps[i] = bps[i] + rest first = false end end
      m:finish { shares_bps = bps, reason = "counted" }
    end
  end },
  view = function(m, s, seat) return { round = s.round, said = s.said, sum = s.sum, own = seat > 0 and s.sum[seat] or nil } end,
}
`);
const config = path.join(games, "config.json");
writeFileSync(config, JSON.stringify({ plugins: [path.join(games, "games"), path.resolve("games")], limits: { connections_per_address: 2000, address_requests_per_second: 100000, address_requests_burst: 100000 } }));

const { check, end } = checks();
const host = await startHost({ args: ["--config", config] });
const percentile = (list, part) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))];
const inGroups = async (list, size, run) => { for (let at = 0; at < list.length; at += size) await Promise.all(list.slice(at, at + size).map(run)); };
const everybody = [];
async function people(from, count, approve) {
  const all = Array.from({ length: count }, (_, i) => new Player(() => host.url, from + i, `p${from + i}`));
  everybody.push(...all);
  await inGroups(all, 20, async (p) => {
    await p.signIn();
    if (approve) await p.approve(approve, "PALM", "1000000");
    p.connect();
    for (let i = 0; i < 200 && !p.open; i++) await new Promise((r) => setTimeout(r, 20));
    assert.ok(p.open, `${p.name} has no socket`);
  });
  return all;
}
const matchOf = (p) => [...p.matches.values()].find((m) => !m.over && m.view);

await check(`${MATCHES} matches: all sockets drop at once and come back at once; each resumes, nothing is lost`, async () => {
  const all = await people(100000, 2 * MATCHES);
  await inGroups(all, 40, async (p) => assert.ok((await p.find({ game: "duel", mode: "classic", stake: "0" }, false)).ok));
  await Promise.all(all.map((p) => p.until(() => matchOf(p), 60000, "a match")));
  const matches = new Map(all.map((p) => [p, matchOf(p)]));
  // In each match one player's move is on its way when the lines go: made once, answered in the end.
  const moves = all.filter((p) => matches.get(p).seat === 1).map((p) => p.move(matches.get(p), "play", { card: matches.get(p).view.hand[0] }));
  const began = performance.now(), back = [];
  for (const p of all) p.ws.terminate();
  await Promise.all(all.map((p) => new Promise((resolve) => {
    const resume = p.resume.bind(p);
    p.resume = async (match) => { p.resume = resume; await resume(match); back.push(performance.now() - began); resolve(); };
  })));
  const answers = await Promise.all(moves);
  assert.ok(answers.every((a) => a.ok), JSON.stringify(answers.find((a) => !a.ok)));
  await Promise.all(all.map((p) => p.until(() => matches.get(p).view.seats[0].chosen, 30000, "the move that was on its way")));
  assert.equal(back.length, 2 * MATCHES);
  assert.ok(all.every((p) => !matches.get(p).over));
  // Both sides of each match agree, and it goes on.
  await inGroups(all.filter((p) => matches.get(p).seat === 2), 50, async (p) => {
    const answer = await p.move(matches.get(p), "play", { card: matches.get(p).view.hand[0] });
    assert.ok(answer.ok, JSON.stringify(answer));
  });
  await Promise.all(all.map((p) => p.until(() => matches.get(p).view.round === 2, 30000, "the second round")));
  console.log(`# ${all.length} sockets of ${MATCHES} matches back and resumed: half within ${Math.round(percentile(back, 0.5))} ms, all within ${Math.round(Math.max(...back))} ms`);
  for (const p of all) p.close();
});

await check(`a match of ${SEATS} seats is played and paid, and somebody watches`, async () => {
  const all = await people(200000, SEATS, "crowd"), [watcher] = await people(300000, 1);
  const seen = [];
  watcher.listeners.push((message) => { if (message.ev?.startsWith("watch.")) seen.push(message); });
  await inGroups(all, 16, async (p) => { const found = await p.find({ game: "crowd", mode: "all", stake: "1000" }, false); assert.ok(found.ok, JSON.stringify(found)); });
  await Promise.all(all.map((p) => p.until(() => matchOf(p), 60000, "the match")));
  const matches = all.map(matchOf);
  assert.equal(new Set(matches.map((m) => m.id)).size, 1);
  assert.equal(new Set(matches.map((m) => m.seat)).size, SEATS);
  assert.ok((await watcher.ask("match.watch", { match: matches[0].id })).ok);
  const began = performance.now();
  for (let round = 1; round <= ROUNDS; round++) {
    const said = await Promise.all(all.map((p, i) => p.move(matches[i], "say", { n: (i * 37 + round * 11) % 1000 })));
    assert.ok(said.every((a) => a.ok), JSON.stringify(said.find((a) => !a.ok)));
    if (round < ROUNDS) await Promise.all(all.map((p, i) => p.until(() => matches[i].view.round === round + 1, 30000, `round ${round + 1}`)));
  }
  await Promise.all(all.map((p, i) => p.until(() => matches[i].over, 30000, "the end")));
  const ms = Math.round(performance.now() - began), payouts = matches.map((m) => BigInt(m.end.payout));
  const pot = 1000n * BigInt(SEATS), raked = pot / 100n;
  assert.equal(payouts.reduce((a, b) => a + b, 0n), pot - raked);
  assert.equal(payouts.filter((units) => units > 1000n).length, 1);
  assert.equal(seen[0].ev, "watch.start");
  await watcher.until(() => seen.at(-1).ev === "watch.end", 10000, "the end");
  assert.ok(seen.some((m) => m.ev === "watch.patch") && !JSON.stringify(seen).includes("\"own\""));
  seen.forEach((m, i) => i && assert.equal(m.seq, seen[i - 1].seq + 1));
  console.log(`# ${SEATS * ROUNDS} moves of ${SEATS} seats in ${ms} ms, ${seen.length} events to who watched`);
  for (const p of [...all, watcher]) p.close();
});

for (const p of everybody) p.close();
await host.stop();
host.clean();
rmSync(games, { recursive: true, force: true });
end();
