// versions.test.mjs: a plugin's versions on the running host. A saved file is the next call's code while matches end on theirs; what
// does not load is refused with its line and the old one stays; install, rollback and restarts; several workers, one of them killed.
// The figures it prints are measured, not asserted.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";
import { Player } from "./player.mjs";

const { check, end } = checks();
const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const work = mkdtempSync(path.join(tmpdir(), "frond-versions-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// ---- packages

function put(folder, file, text) {
  const at = path.join(work, folder, file);
  mkdirSync(path.dirname(at), { recursive: true });
  writeFileSync(`${at}.new`, text);
  renameSync(`${at}.new`, at);                      // as editors save
}
const manifest = (fields) => JSON.stringify({ name: fields.id, version: "1.0.0", api: "2026-11-01", kind: "tool", ...fields }, null, 2);
const echo = (what) => `local frond = require "frond"\nreturn frond.plugin { calls = { what = function() return "${what}" end } }\n`;
const game = (each) => `local frond = require "frond"
return frond.game {
  new = function(m) return { sum = { 0, 0 } } end,
  input = {
    add = function(m, s, seat, a) s.sum[seat] = s.sum[seat] + ${each} * a.n end,
    win = function(m, s, seat) m:finish { places = { { seat }, { 3 - seat } } } end,
  },
  view = function(m, s, seat) return { sum = s.sum } end,
}
`;
const shop = (burn) => manifest({ id: "shop", grants: { ledger: { why: "sells", assets: ["PALM"] } }, splits: { shop: { plugin: 10000 - burn, burn } }, calls: { buy: { args: { type: "object", properties: { key: { type: "string" } } } } } });
const seats = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
put("games/echo", "plugin.json", manifest({ id: "echo", page: {}, calls: { what: { player: false } } }));
put("games/echo", "main.lua", echo("first"));
put("games/echo", "web/index.html", "<p>first page</p>\n");
put("games/sums", "plugin.json", manifest({ id: "sums", kind: "game", limits: { workers: 4 }, modes: { duel: { seats: 2, turn_ms: 60000 } }, inputs: { add: seats, win: {} } }));
put("games/sums", "main.lua", game(1));
put("games/shop", "plugin.json", shop(500));
put("games/shop", "main.lua", `local frond = require "frond"
return frond.plugin { calls = { buy = function(ctx, args)
  return frond.ledger.charge { player = ctx.player.id, asset = "PALM", amount = 10, split = "shop", key = args.key }
end } }
`);
writeFileSync(path.join(work, "frond.json"), JSON.stringify({ plugins: ["games"], limits: { player_requests_per_second: 100000, player_requests_burst: 100000, address_requests_per_second: 100000, address_requests_burst: 100000 } }));

// ---- the host

let host = await startHost({ args: ["--config", path.join(work, "frond.json")] });
const url = () => host.url;
async function restart(signal) {
  await host.stop(signal);
  host = await startHost({ data: host.data, listen: new URL(host.url).host, args: ["--config", path.join(work, "frond.json")] });
}
function frond(...args) {
  const run = spawnSync(FROND, ["--json", ...args, "--data", host.data], { encoding: "utf8", timeout: 60000 });
  return { code: run.status, ...JSON.parse(run.stdout) };
}
function ask(...args) {                              // without stopping this program's own loop
  return new Promise((resolve) => {
    let text = "";
    const run = spawn(FROND, ["--json", ...args, "--data", host.data], { stdio: ["ignore", "pipe", "ignore"] });
    run.stdout.on("data", (bytes) => { text += bytes; });
    run.on("close", (code) => resolve({ code, ...JSON.parse(text) }));
  });
}
const listed = (id) => frond("plugin", "list").result.find((p) => p.id === id);
const call = async (id, name, body = {}) => {
  const response = await fetch(`${url()}/v1/call/${id}/${name}`, { method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${me.token}` }, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
};
async function until(what, test, ms = 20000) {
  for (const end_ms = Date.now() + ms; ;) {
    const found = await test();
    if (found) return found;
    if (Date.now() > end_ms) throw new Error(`waited ${ms} ms for ${what}`);
    await sleep(5);
  }
}
const says = (text) => until(`"${text}"`, async () => (await call("echo", "what")).body === text);
const me = await new Player(url, 9999, "Me").signIn();
await until("the plugins", async () => (await fetch(`${url()}/readyz`)).status === 200);

let caller = 0;
const people = async (count) => {
  const made = [];
  for (let i = 0; i < count; i++) made.push((await new Player(url, 9000 + caller++, `P${caller}`).signIn()).connect());
  await Promise.all(made.map((p) => until("a socket", () => p.open)));
  return made;
};
const begin = async (a, b) => {
  for (const p of [a, b]) assert.ok((await p.find({ game: "sums", mode: "duel", stake: "0" }, false)).ok);
  return Promise.all([a, b].map((p) => p.until(() => [...p.matches.values()].find((m) => !m.over), 20000, "a match")));
};
const sees = (p, match, sum) => p.until(() => JSON.stringify(match.view?.sum) === JSON.stringify(sum), 20000, `sums ${sum}, not ${JSON.stringify(match.view)}`);
const finish = async (a, b, match) => {
  assert.ok((await a.move(match, "win", {})).ok);
  await Promise.all([a, b].map((p) => p.until(() => p.matches.get(match.id)?.over, 20000, "the end")));
};
const replays = (id, hash) => {
  const run = frond("match", "replay", id, "--times", "3", "--beside", "2");
  assert.equal(run.code, 0, JSON.stringify(run));
  assert.equal(run.result.hash, hash);
};

// ---- hot reload

await check("versions: a saved file is the next call's code, and no call is refused meanwhile", async () => {
  const answers = new Map(), took = [];
  let stop = false;
  const client = async () => {
    while (!stop) {
      const a = await call("echo", "what");
      const seen = a.status === 200 ? "200" : `${a.status} ${a.body.code}`;
      answers.set(seen, (answers.get(seen) ?? 0) + 1);
    }
  };
  const clients = [client(), client(), client()];
  for (let i = 1; i <= 10; i++) {
    const saved = performance.now();
    put("games/echo", "main.lua", echo(`save ${i}`));
    await says(`save ${i}`);
    took.push(performance.now() - saved);
    await sleep(60);
  }
  const back = await ask("plugin", "rollback", "echo");
  assert.equal(back.code, 0, JSON.stringify(back));
  await says("save 9");
  put("games/echo", "main.lua", echo("first"));
  await says("first");
  stop = true;
  await Promise.all(clients);
  took.sort((x, y) => x - y);
  console.log(`# from a save to new code that serves: median ${took[5].toFixed(0)} ms, longest ${took[9].toFixed(0)} ms; calls meanwhile: ${JSON.stringify([...answers])}`);
  assert.deepEqual([...answers.keys()], ["200"]);
});

await check("versions: a saved page is served at once, and no worker is touched for it", async () => {
  const before = listed("echo");
  put("games/echo", "web/index.html", "<p>second page</p>\n");
  await until("the page", async () => (await (await fetch(`${url()}/app/echo/`)).text()).includes("second page"));
  put("games/echo", "web/deep/more.html", "<p>more</p>\n");        // in a folder that was not there
  await until("another file", async () => (await fetch(`${url()}/app/echo/deep/more.html`)).status === 200);
  put("games/echo", "web/deep/more.html", "<p>still more</p>\n");
  await until("its change", async () => (await (await fetch(`${url()}/app/echo/deep/more.html`)).text()).includes("still more"));
  assert.equal(listed("echo").versions[0].sha256, before.versions[0].sha256);
  assert.equal((await call("echo", "what")).body, "first");
});

await check("versions: what does not load is refused with its line and code, and the old one stays", async () => {
  put("games/echo", "main.lua", echo("oops").replace("return \"oops\"", "return return \"oops\""));
  let p = await until("the refusal", () => { const now = listed("echo"); return now.rejected && now; });
  assert.equal(p.state, "up");
  assert.match(p.rejected.text, /^main\.lua:2: /);
  assert.match(p.rejected.frame, /return return "oops"/);
  assert.equal((await call("echo", "what")).body, "first");
  assert.ok(host.log.some((line) => line.includes("plugin.rejected") && line.includes("main.lua:2")));
  assert.match(spawnSync(FROND, ["plugin", "list", "--data", host.data], { encoding: "utf8" }).stdout, /echo 1\.0\.0 was not taken: main\.lua:2: [^]*return return "oops"/);
  assert.ok(frond("plugin", "logs", "echo").result.some((line) => line.text.includes("return return \"oops\"")));

  put("games/echo", "main.lua", "local frond = require 'frond'\nreturn frond.plugin { calls = {} }\n");
  await until("the other refusal", () => listed("echo").rejected?.text.includes("declares the call \"what\""));
  put("games/echo", "main.lua", "while true do end\n");
  await until("the endless one", () => listed("echo").rejected?.text.includes("ms of CPU"));
  assert.equal((await call("echo", "what")).body, "first");

  put("games/echo", "main.lua", echo("mended"));
  await says("mended");
  assert.equal(listed("echo").rejected, null);

  const whole = readFileSync(path.join(work, "games/echo/plugin.json"), "utf8");
  put("games/echo", "plugin.json", whole.replace('"version": "1.0.0",', '"version": "1.0.0"'));
  p = await until("the manifest's refusal", () => { const now = listed("echo"); return now.rejected && now; });
  assert.match(p.rejected.text, /plugin\.json: line \d+/);
  assert.match(p.rejected.frame, /> \d+ \| .*"api"/);
  assert.equal((await call("echo", "what")).body, "mended");
  put("games/echo", "plugin.json", whole.replace('"id": "echo"', '"id": "other"'));
  await until("another id", () => listed("echo").rejected?.code === "plugin_other_id");
  put("games/echo", "plugin.json", whole);
  await until("peace", () => listed("echo").rejected === null);
});

await check("versions: a folder that comes is a new plugin", async () => {
  put("games/late", "main.lua", echo("late"));
  put("games/late", "plugin.json", manifest({ id: "late", calls: { what: { player: false } } }));
  await until("late", async () => (await call("late", "what")).body === "late");
});

// ---- matches

await check("versions: a match ends on the code it began with, and replays to the same hash", async () => {
  const [ann, ben, cid, dan] = await people(4);
  const [a] = await begin(ann, ben);
  assert.ok((await ann.move(a, "add", { n: 1 })).ok);
  put("games/sums", "main.lua", game(100));
  await until("the new version", () => { const p = listed("sums"); return p.versions.length === 2 && p.versions.find((v) => v.state === "draining")?.matches === 1; });
  const [c] = await begin(cid, dan);
  assert.ok((await cid.move(c, "add", { n: 1 })).ok);
  await sees(cid, c, c.seat === 1 ? [100, 0] : [0, 100]);
  assert.ok((await ann.move(a, "add", { n: 1 })).ok);
  await sees(ann, a, a.seat === 1 ? [2, 0] : [0, 2]);
  const draining = (await (await fetch(`${url()}/v1/dev/status`)).json()).workers.filter((w) => w.plugin === "sums" && w.serves === "draining");
  assert.equal(draining.length, 4);
  for (const w of draining) if (w.pid > 0) process.kill(w.pid, "SIGKILL");        // resumed on its own version
  assert.ok((await ann.move(a, "add", { n: 1 })).ok);
  await sees(ann, a, a.seat === 1 ? [3, 0] : [0, 3]);
  const resumed = (await (await fetch(`${url()}/v1/dev/status`)).json()).workers.filter((w) => w.plugin === "sums" && w.serves === "draining" && w.pid > 0);
  assert.ok(resumed.length > 0);
  await finish(ann, ben, a);
  await until("the old workers' end", () => listed("sums").versions.length === 1);
  const runs = (pid) => { try { return process.kill(pid, 0); } catch { return false; } };
  await until("their processes' end", () => resumed.every((w) => !runs(w.pid)));
  await finish(cid, dan, c);
  replays(a.id, a.end.hash);
  replays(c.id, c.end.hash);
  for (const p of [ann, ben, cid, dan]) p.close();
});

await check("versions: a host that was killed starts the old version again for its match", async () => {
  const [ann, ben] = await people(2);
  const [a] = await begin(ann, ben);                             // on the rule of a hundred
  assert.ok((await ann.move(a, "add", { n: 1 })).ok);
  put("games/sums", "main.lua", game(7));
  await until("the new version", () => listed("sums").draining === 1);
  await restart("SIGKILL");
  assert.ok((await ann.move(a, "add", { n: 1 })).ok);
  await sees(ann, a, a.seat === 1 ? [200, 0] : [0, 200]);
  const p = listed("sums");
  assert.deepEqual(p.versions.map((v) => [v.state, v.matches]).sort(), [["current", 0], ["draining", 1]]);
  await finish(ann, ben, a);
  await until("the old workers' end", () => listed("sums").versions.length === 1);
  replays(a.id, a.end.hash);
  for (const one of [ann, ben]) one.close();
});

await check("versions: four workers share the matches; one is killed, and the others' matches do not notice", async () => {
  const all = await people(16), pairs = [];
  for (let i = 0; i < 16; i += 2) pairs.push([all[i], all[i + 1], (await begin(all[i], all[i + 1]))[0]]);
  const workers = (await (await fetch(`${url()}/v1/dev/status`)).json()).workers.filter((w) => w.plugin === "sums");
  assert.deepEqual(workers.map((w) => w.matches), [2, 2, 2, 2]);
  process.kill(workers[1].pid, "SIGKILL");
  const answers = await Promise.all(pairs.map(async ([p, , match]) => {
    const first = await p.ask("match.input", { match: match.id, n: ++match.n, name: "add", args: { n: 1 } });
    return { first, match, again: first.ok ? null : await (match.n--, p.move(match, "add", { n: 1 })) };
  }));
  assert.ok(answers.filter((a) => a.first.ok).length >= 6, JSON.stringify(answers.map((a) => a.first)));
  for (const a of answers) assert.ok(a.first.ok || a.again.ok);
  const after = await until("the fourth worker", async () => {
    const now = (await (await fetch(`${url()}/v1/dev/status`)).json()).workers.filter((w) => w.plugin === "sums");
    return now.every((w) => w.state === "up") && now;
  });
  for (const i of [0, 2, 3]) assert.equal(after[i].pid, workers[i].pid);
  assert.notEqual(after[1].pid, workers[1].pid);
  for (const [p, q, match] of pairs) {
    await sees(p, match, match.seat === 1 ? [7, 0] : [0, 7]);
    await finish(p, q, match);
    replays(match.id, match.end.hash);
  }
  for (const p of all) p.close();
});

// ---- history

await check("versions: rollback brings code and page back, and lasts over a restart", async () => {
  put("games/echo", "web/index.html", "<p>third page</p>\n");
  await until("the page", async () => (await (await fetch(`${url()}/app/echo/`)).text()).includes("third page"));
  put("games/echo", "plugin.json", readFileSync(path.join(work, "games/echo/plugin.json"), "utf8").replace("1.0.0", "2.0.0"));
  await until("2.0.0", () => listed("echo").version === "2.0.0");
  put("games/echo", "web/index.html", "<p>fourth page</p>\n");
  put("games/echo", "main.lua", echo("two"));
  await says("two");
  let back = frond("plugin", "rollback", "echo", "1.0.0");
  assert.equal(back.code, 0, JSON.stringify(back));
  assert.equal(back.result.version, "1.0.0");
  assert.equal((await call("echo", "what")).body, "mended");
  assert.match(await (await fetch(`${url()}/app/echo/`)).text(), /third page/);
  await restart("SIGTERM");
  await says("mended");
  assert.match(await (await fetch(`${url()}/app/echo/`)).text(), /third page/);
  const versions = frond("plugin", "versions", "echo").result;
  assert.deepEqual([versions[0].version, versions[0].why, versions[0].current, versions[1].version], ["1.0.0", "rollback", true, "2.0.0"]);
  back = frond("plugin", "rollback", "echo");
  assert.equal(back.result.version, "2.0.0");
  await says("two");
  assert.equal(frond("plugin", "rollback", "echo", versions[0].sha256.slice(0, 12)).result.version, "1.0.0");
  for (const [args, code] of [[["plugin", "rollback", "echo", "9.9.9"], "version_unknown"], [["plugin", "rollback", "late"], "version_unknown"], [["plugin", "rollback", "nobody"], "plugin_unknown"],
    [["plugin", "versions", "nobody"], "plugin_unknown"], [["plugin", "install", path.join(work, "games")], "not_found"]]) {
    const refused = frond(...args);
    assert.deepEqual([refused.code, refused.ok ? "" : refused.code ?? ""].length, 2);
    assert.equal(JSON.stringify(refused).includes(code), true, JSON.stringify(refused));
  }
});

await check("versions: an approval holds for the terms it was given for, over changes and back", async () => {
  const [ann] = await people(1);
  const buy = (key) => ann.http("POST", "/v1/call/shop/buy", { key });
  assert.equal((await ann.approve("shop", "PALM", 1000)).status, 201);
  assert.equal((await buy("k-1")).status, 200);
  put("games/shop", "plugin.json", shop(9000));                     // a worse split
  await until("the worse one", () => listed("shop").versions[0].sha256 !== undefined && frond("plugin", "versions", "shop").result.length === 2);
  const asked = await buy("k-2");
  assert.deepEqual([asked.status, asked.body.code], [403, "consent_required"]);
  assert.equal(frond("plugin", "rollback", "shop").code, 0);
  assert.equal((await buy("k-3")).status, 200);                     // what was agreed to is what serves again
  ann.close();
});

await check("versions: a plugin from elsewhere is installed beside, and lives on without its folder", async () => {
  put("elsewhere/guest", "plugin.json", manifest({ id: "guest", calls: { what: { player: false } } }));
  put("elsewhere/guest", "main.lua", echo("guest"));
  const folder = path.join(work, "elsewhere/guest");
  const first = frond("plugin", "install", folder);
  assert.equal(first.code, 0, JSON.stringify(first));
  assert.equal((await call("guest", "what")).body, "guest");
  put("elsewhere/guest", "main.lua", "return nope(");
  const broken = frond("plugin", "install", folder);
  assert.notEqual(broken.code, 0);
  assert.match(broken.detail, /^main\.lua:1: /);
  assert.equal((await call("guest", "what")).body, "guest");
  put("elsewhere/guest", "main.lua", echo("guest two"));
  assert.equal(frond("plugin", "install", folder).code, 0);
  assert.equal((await call("guest", "what")).body, "guest two");
  rmSync(folder, { recursive: true });
  await restart("SIGTERM");
  await until("the guest", async () => (await call("guest", "what")).body === "guest two");
  assert.equal(frond("plugin", "rollback", "guest").code, 0);
  assert.equal((await call("guest", "what")).body, "guest");
  assert.match(JSON.stringify(frond("plugin", "update", "guest")), /no_folder/);
  assert.equal(frond("plugin", "disable", "guest").code, 0);
  assert.match(JSON.stringify(frond("plugin", "rollback", "guest")), /plugin_disabled/);
  assert.equal(frond("plugin", "enable", "guest").code, 0);
  await until("the guest", async () => (await call("guest", "what")).body === "guest");
});

await check("versions: the host ends in good order", async () => {
  assert.equal(await host.stop(), 0);
  const audit = frond("ledger", "audit");
  assert.ok(audit.result.good && audit.result.holds_open === 0, JSON.stringify(audit));
});
host.clean();
end();
