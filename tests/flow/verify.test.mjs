// verify.test.mjs: a match is proven twice, by `frond match verify` and by the page's own module with WebCrypto, and both come to the same
// numbers. Then every single field of the export, and of what the page is told, is changed: each change must be noticed.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";
import { Player, playDuel } from "./player.mjs";
import { stream, streamKey, verifyMatch } from "../../host/gateway/web/sdk/verify.js";

const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const { check, end } = checks();
const host = await startHost(), work = mkdtempSync(path.join(tmpdir(), "frond-verify-"));
const frond = (...args) => new Promise((resolve) => execFile(FROND, args, { cwd: ROOT, maxBuffer: 64 << 20 }, (error, stdout, stderr) => resolve({ code: error ? error.code ?? 1 : 0, text: stdout, said: stderr })));
const clone = (value) => structuredClone(value);

async function duel(stake, ending) {
  const players = [new Player(() => host.url, 61001, "Ann"), new Player(() => host.url, 61002, "Ben")];
  for (const p of players) { await p.signIn(); await p.approve("duel", "PALM", "900000000000"); p.connect(); await p.until(() => p.open, 5000).catch(() => new Promise((r) => setTimeout(r, 200))); }
  for (const p of players) assert.ok((await p.find({ game: "duel", mode: "classic", stake })).ok);
  const matches = await Promise.all(players.map((p) => p.until(() => [...p.matches.values()].find((m) => !m.over && m.view), 10000, "a match")));
  if (ending === "leave") { await players[0].move(matches[0], "play", { card: matches[0].view.hand[0] }); await players[0].ask("match.leave", { match: matches[0].id }); await players[1].until(() => matches[1].over); }
  else await Promise.all(players.map((p, i) => playDuel(p, matches[i], Math.random, 1)));
  await players[0].until(() => matches[0].over);
  const facts = (await players[0].http("GET", `/v1/matches/${matches[0].id}`)).body;
  for (const p of players) p.close();
  return { id: matches[0].id, hash: matches[0].end.hash, facts, commit: matches[0].fairness.commit };
}
const played = await duel("1000000000"), left = await duel("0", "leave");
const file = path.join(work, "match.json"), other = path.join(work, "other.json");

await check("verify: an untouched match is right, each step in plain words", async () => {
  for (const match of [played, left]) {
    const live = await frond("match", "verify", match.id, "--hash", match.hash, "--data", host.data);
    assert.equal(live.code, 0, live.text + live.said);
    for (const step of ["match", "code", "seeds", "stream", "setup", "chain", "hash", "replay", "payout"]) assert.match(live.text, new RegExp(`^ok +${step} `, "m"));
    assert.match(live.text, new RegExp(`all agrees; hash ${match.hash}`));
  }
  assert.equal((await frond("match", "show", played.id, "--export", file, "--data", host.data)).code, 0);
  assert.equal((await frond("match", "verify", "--file", file)).code, 0);
  const wrong = await frond("match", "verify", "--file", file, "--hash", left.hash);
  assert.equal(wrong.code, 1);
  assert.match(wrong.text, /^WRONG +hash +you were told/m);
});

/** Every way to one leaf. */
function* leaves(value, at = []) {
  if (value === null || typeof value !== "object") { yield at; return; }
  if (Object.keys(value).length === 0) { yield at; return; }
  for (const key of Object.keys(value)) yield* leaves(value[key], [...at, key]);
}
function changed(value, salt) {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (value === null || typeof value === "object") return "x";
  if (value === "") return "0";
  const at = (salt * 7919) % value.length, digit = /[0-9a-f]/.test(value[at]);
  return value.slice(0, at) + (digit ? (value[at] === "1" ? "2" : "1") : value[at] === "x" ? "y" : "x") + value.slice(at + 1);
}
function alter(whole, at, salt) {
  const copy = clone(whole);
  let inner = copy;
  for (const key of at.slice(0, -1)) inner = inner[key];
  inner[at.at(-1)] = changed(inner[at.at(-1)], salt);
  return copy;
}

await check("verify: every field of an export that is changed is noticed", async () => {
  const made = JSON.parse(readFileSync(file, "utf8")), all = [...leaves(made)], missed = [];
  assert.ok(all.length > 100);
  let done = 0;
  async function some(which) {
    for (let i = which; i < all.length; i += 2) {
      const name = path.join(work, `t${which}.json`);
      writeFileSync(name, JSON.stringify(alter(made, all[i], i)));
      const answer = await frond("match", "verify", "--file", name);
      if (answer.code !== 1) missed.push(`${all[i].join(".")} (${answer.code})`);
      done++;
    }
  }
  await Promise.all([some(0), some(1)]);
  assert.deepEqual(missed, []);
  for (const cut of ["records", "snapshots", "players"]) {                // and what is missing, or there twice
    const less = clone(made), more = clone(made);
    less[cut].pop();
    more[cut].push(more[cut].at(-1));
    for (const e of cut === "snapshots" ? [more] : [less, more]) {
      writeFileSync(other, JSON.stringify(e));
      if (cut !== "snapshots") assert.equal((await frond("match", "verify", "--file", other)).code, 1, cut);
    }
  }
  console.log(`# ${done} changes noticed`);
});

await check("verify: a log that was rewritten with all its hashes has another last hash", async () => {
  const made = JSON.parse(readFileSync(file, "utf8"));
  made.records.pop();                              // as if the last move had not happened, hash and result to match
  made.hash = made.records.at(-1).hash;
  made.result = null;
  writeFileSync(other, JSON.stringify(made));
  assert.equal((await frond("match", "verify", "--file", other)).code, 0, "it agrees with itself");
  const told = await frond("match", "verify", "--file", other, "--hash", played.hash);
  assert.equal(told.code, 1);
  assert.match(told.said, /its log was rewritten/);
});

await check("verify.js: the page comes to the same stream, and every step is right", async () => {
  for (const match of [played, left]) {
    const steps = await verifyMatch(match.facts, { commit: match.commit, hash: match.hash });
    assert.deepEqual(steps.map((s) => s.step), ["host", "seat", "seat", "stream", "chain", "told", "payout"]);
    assert.ok(steps.every((s) => s.ok === true), JSON.stringify(steps));
    const cli = (await frond("match", "verify", match.id, "--data", host.data)).text, draws = /first draws are (\d+), (\d+)/.exec(cli);
    const { draw } = stream(await streamKey(match.facts));
    assert.deepEqual([String(await draw()), String(await draw())], draws.slice(1));
  }
});

await check("verify.js: every field that a proof rests on is noticed when it changes", async () => {
  // What a person reads but no proof is about, or (for the names) what only the chain's hashes hold.
  const free = [/^(game|version|mode|asset|engine|created_at|ended_at|reason)$/, /^players\./, /^result\.reason$/, /^state$/];
  const missed = [];
  for (const at of leaves(played.facts)) {
    const name = at.join(".");
    if (free.some((one) => one.test(name)) || name === "places" || name.startsWith("places.")) continue;
    const steps = await verifyMatch(alter(played.facts, at, at.length + name.length), { commit: played.commit, hash: played.hash });
    if (!steps.some((s) => s.ok === false)) missed.push(name);
  }
  assert.deepEqual(missed, ["id"]);                // the stream's key changes with it, and only the game's code could tell
});

await check("verify.js: m:int, as games draw it", async () => {
  const { int } = stream(new Uint8Array(32).fill(7));
  for (let i = 0; i < 200; i++) { const n = await int(-3, 3); assert.ok(n >= -3n && n <= 3n); }
  assert.equal(await int(5, 5), 5n);
});

rmSync(work, { recursive: true, force: true });
await host.stop();
host.clean();
end();
