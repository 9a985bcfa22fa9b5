// hostile.test.mjs: every plugin of tests/attack/lua in one running host, called as hard as it goes, while two players next door play duels
// and /healthz is asked all the time. Each attack must end in an answer, nobody may escape, every duel must be played to its end.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ROOT, checks, startHost } from "./host.mjs";
import { Player, playDuel } from "./player.mjs";

const AT_ONCE = 3, QUIET_MS = 2000;
const attacks = readdirSync(path.join(ROOT, "tests/attack/lua")).filter((f) => f.endsWith(".lua")).map((f) => f.slice(0, -4)).sort();
const folder = mkdtempSync(path.join(tmpdir(), "frond-hostile-"));
for (const name of attacks) {
  const id = name.replaceAll("_", "-");
  mkdirSync(path.join(folder, id));
  writeFileSync(path.join(folder, id, "main.lua"), readFileSync(path.join(ROOT, "tests/attack/lua", `${name}.lua`)));
  writeFileSync(path.join(folder, id, "plugin.json"), JSON.stringify({ id, name, version: "1.0.0", api: "2026-11-01", kind: "tool", grants: { store: { why: "to attack it" } }, calls: { go: { player: false } } }));
}
const config = path.join(folder, "config.json");
writeFileSync(config, JSON.stringify({ plugins: [path.join(ROOT, "games"), folder] }));

const { check, end } = checks();
const host = await startHost({ args: ["--config", config] });
const url = () => host.url;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const at = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))];
const figures = (list) => `p50 ${at(list, 0.5).toFixed(1)} ms, p99 ${at(list, 0.99).toFixed(1)} ms, max ${Math.max(...list).toFixed(1)} ms (${list.length} requests)`;

let latencies = [], probing = true, duels = 0, playing = true;
const probe = (async () => {
  while (probing) {
    const from = performance.now();
    const answer = await fetch(`${host.url}/healthz`);
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`/healthz answered ${answer.status}`);
    latencies.push(performance.now() - from);
    await sleep(4);
  }
})();

const players = [await new Player(url, 1, "Ann").signIn(), await new Player(url, 2, "Ben").signIn()].map((p) => p.connect());
const game = (async () => {
  while (playing) {
    for (const p of players) { const found = await p.find({ game: "duel", mode: "classic", stake: "0" }); if (!found.ok) throw new Error(JSON.stringify(found.error)); }
    const matches = await Promise.all(players.map((p) => p.until(() => [...p.matches.values()].find((m) => !m.over), 10000, "a match")));
    const over = await Promise.all(players.map((p, i) => playDuel(p, matches[i])));
    if (over[0].end.reason !== "played" && over[0].end.reason !== "decided") throw new Error(`a duel ended with ${over[0].end.reason}`);
    duels++;
  }
})();

await sleep(QUIET_MS);
const quiet = latencies;
latencies = [];
const outcomes = new Map(), escaped = [], unanswered = [];
const attacker = await new Player(url, 3, "Eve").signIn();

async function attack(name) {
  const answer = await Promise.race([attacker.http("POST", `/v1/call/${name.replaceAll("_", "-")}/go`, {}), sleep(15000)]);
  if (!answer) { unanswered.push(name); return; }
  const text = JSON.stringify(answer.body);
  if (text.includes("escaped")) escaped.push(`${name}: ${text.slice(0, 200)}`);
  const code = answer.status === 200 ? "harmless" : answer.body.code;
  outcomes.set(code, [...(outcomes.get(code) ?? []), name]);
}

await check(`${attacks.length} hostile plugins are contained, each ends in an answer`, async () => {
  const waiting = [...attacks];
  await Promise.all([...Array(AT_ONCE)].map(async () => { while (waiting.length) await attack(waiting.shift()); }));
  for (const [code, names] of outcomes) console.log(`# ${code}: ${names.join(", ")}`);
  if (attacks.length < 20) throw new Error(`only ${attacks.length} attacks`);
  if (unanswered.length) throw new Error(`no answer: ${unanswered}`);
  if (escaped.length) throw new Error(escaped.join("\n"));
  if (!["cpu_limit", "memory_limit", "harmless"].every((code) => outcomes.has(code))) throw new Error(`the attacks did not do what they are for: ${[...outcomes.keys()]}`);
});
const attacked = latencies;

await check("the neighbour's duels go on and are played to their end", async () => {
  const before = duels;
  playing = false;
  await game;
  console.log(`# ${duels} duels were played meanwhile`);
  if (duels <= before || duels < 3) throw new Error(`${duels} duels`);
});

await check("the host answered /healthz all the time", async () => {
  probing = false;
  await probe;
  console.log(`# /healthz quiet:    ${figures(quiet)}`);
  console.log(`# /healthz attacked: ${figures(attacked)}`);
  const { body } = await attacker.http("GET", "/v1/dev/status");
  if (String(body.ledger.sum) !== "0") throw new Error(`sum ${body.ledger.sum}`);
});

for (const p of players) p.close();
await host.stop();
host.clean();
rmSync(folder, { recursive: true, force: true });
end();
