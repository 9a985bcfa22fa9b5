// metering.test.mjs: what plugins use is counted and shown; past its CPU budget a plugin's calls are refused and its turns wait, and its neighbours
// do not notice; a player who breaks a plugin is kept from it before the plugin is quarantined; players and addresses have limits.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";
import { Player } from "./player.mjs";

const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const PYTHON = [path.join(ROOT, "build/venv/bin/python"), "python3"].find((p) => p === "python3" || existsSync(p));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const must = (good, text) => { if (!good) throw new Error(text ?? "nothing came"); };

// Budgets are of 1%, so that also a machine with no time to spare gets past them: 100 ms of CPU at once, and 10 ms a second.
// ---- plugins: one that burns, one that breaks, a game whose turns burn
const folder = mkdtempSync(path.join(tmpdir(), "frond-metering-"));
const plugin = (id, manifest, lua) => {
  mkdirSync(path.join(folder, "plugins", id), { recursive: true });
  writeFileSync(path.join(folder, "plugins", id, "plugin.json"), JSON.stringify({ id, name: id, version: "1.0.0", api: "2026-11-01", kind: "tool", ...manifest }));
  writeFileSync(path.join(folder, "plugins", id, "main.lua"), `local frond = require "frond"\nlocal function burn(times) local n = 0 for i = 1, times do n = n + i % 7 end return n end\n${lua}`);
};
plugin("burner", { limits: { cpu_percent: 1 }, calls: { burn: { player: false } } }, "return frond.plugin { calls = { burn = function() return burn(3000000) end } }");
plugin("brittle", { calls: { crash: {}, spin: {}, fine: {} } },
  "return frond.plugin { calls = { crash = function() return (('a'):rep(40)):find(('a?'):rep(40) .. ('a'):rep(40)) end, spin = function() while true do end end, fine = function() return 1 end } }");
plugin("fragile", { calls: { crash: {} } }, "return frond.plugin { calls = { crash = function() return (('a'):rep(40)):find(('a?'):rep(40) .. ('a'):rep(40)) end } }");
plugin("slowgame", { kind: "game", limits: { cpu_percent: 1 }, modes: { m: { seats: 2, stakes: ["0"] } }, inputs: { go: {} } },
  "return frond.game { new = function() return { n = 0 } end, input = { go = function(match, state) burn(1200000) state.n = state.n + 1 end }, view = function(match, state) return { n = state.n } end }");
const config = (name, more = {}) => {
  const file = path.join(folder, name);
  writeFileSync(file, JSON.stringify({ plugins: [path.join(ROOT, "games"), path.join(folder, "plugins")], ...more }));
  return file;
};

const { check, end } = checks();
const host = await startHost({ args: ["--config", config("first.json")] });
const url = () => host.url;
const cli = (...args) => spawnSync(FROND, [...args, "--data", host.data], { encoding: "utf8" });
const top = () => JSON.parse(cli("top", "--json").stdout).result;
const of = (id) => top().plugins.find((p) => p.id === id);
const ann = await new Player(url, 1, "Ann").signIn(), eve = await new Player(url, 2, "Eve").signIn();
const call = async (player, route) => {
  const response = await fetch(`${host.url}/v1/call/${route}`, { method: "POST", headers: { authorization: `Bearer ${player.token}`, "content-type": "application/json" }, body: "{}" });
  return { status: response.status, retry: Number(response.headers.get("retry-after")), body: await response.json() };
};
const token = readFileSync(path.join(host.data, "operator-token"), "utf8").trim();
const scrape = (bearer) => fetch(`${host.url}/metrics`, { headers: bearer ? { authorization: `Bearer ${bearer}` } : {} });
async function families() {
  const response = await scrape(token);
  must(response.status === 200, `/metrics answered ${response.status}`);
  must(response.headers.get("content-type") === "text/plain; version=0.0.4; charset=utf-8", response.headers.get("content-type"));
  return new Map(JSON.parse(execFileSync(PYTHON, [path.join(ROOT, "tests/flow/metrics_parse.py")], { input: await response.text(), encoding: "utf8" })).map(([name, type, samples]) => [name, { type, samples }]));
}
const value = (all, family, labels = {}) => all.get(family)?.samples.find(([name, l]) => !name.endsWith("_bucket") && !name.endsWith("_sum") && Object.entries(labels).every(([k, v]) => l[k] === v))?.[2];

await check("metrics need the operator's token, which only the host's user can read", async () => {
  must((statSync(path.join(host.data, "operator-token")).mode & 0o777) === 0o600, "others can read the token");
  for (const wrong of [undefined, ann.token, token.slice(0, -1), token + "x", token.slice(0, -1) + (token.endsWith("A") ? "B" : "A"), "x".repeat(5000)]) {
    const response = await scrape(wrong), body = await response.json();
    must(response.status === 401 && body.code === "operator_required", `${wrong}: ${response.status} ${body.code}`);
  }
});

await check("a real parser reads the metrics, and they count what was done", async () => {
  const before = await families();
  for (let i = 0; i < 7; i++) must((await call(ann, "hello/greet")).status === 200, "hello");
  must((await call(ann, "hello/nothing")).status === 404, "nothing");
  const all = await families(), grew = (family, labels) => value(all, family, labels) - (value(before, family, labels) ?? 0), hello = { plugin: "hello" };
  must(grew("frond_plugin_calls", hello) === 7, `${grew("frond_plugin_calls", hello)} calls`);
  must(grew("frond_plugin_outcomes", { ...hello, outcome: "ok" }) === 7 && grew("frond_plugin_turned_away", { ...hello, reason: "invalid" }) === 1, "outcomes");
  must(grew("frond_plugin_host_calls", hello) === 14 && grew("frond_plugin_bytes", { ...hello, direction: "to" }) > 500 && grew("frond_plugin_bytes", { ...hello, direction: "from" }) > 500, "host calls, bytes");
  must(value(all, "frond_plugin_resident_bytes", hello) > 100000 && value(all, "frond_plugin_heap_bytes", hello) > 10000 && value(all, "frond_plugin_heap_peak_bytes", hello) >= value(all, "frond_plugin_heap_bytes", hello), "memory");
  must(grew("frond_plugin_call_duration_seconds", hello) === 7, "latency");
  must(value(all, "frond_refusals", { code: "function_unknown" }) >= 1 && value(all, "frond_refusals", { code: "operator_required" }) >= 6, "refusals");
  for (const name of ["frond_loop_delay_seconds", "frond_store_queue_jobs", "frond_store_commit_seconds", "frond_sockets", "frond_sessions", "frond_matches", "frond_spares", "frond_ledger_entries", "process_cpu_seconds"])
    must(all.has(name), `no ${name}`);
  must(value(all, "frond_ledger_entries") === 2 && value(all, "frond_sessions") >= 2, "ledger, sessions");      // the test coins of two players
});

await check("frond top shows it in 80 columns, sorts, and refuses nonsense", async () => {
  const table = cli("top", "--once"), lines = table.stdout.trimEnd().split("\n");
  must(table.status === 0 && lines.some((l) => l.startsWith("hello ")), table.stdout + table.stderr);
  must(lines.every((l) => l.length <= 80), `${Math.max(...lines.map((l) => l.length))} columns`);
  const byName = cli("top", "--once", "--sort", "name").stdout.split("\n").filter((l) => / up /.test(l)).map((l) => l.split(" ")[0]).filter((n) => n !== "frond");
  must(byName.join() === [...byName].sort().join() && byName.length >= 5, byName.join());
  must(cli("top", "--once", "--sort", "luck").status === 2 && cli("top", "--every", "0").status === 2, "nonsense");
  const hello = of("hello");
  must(hello.total.calls === 7 && hello.minute.calls === 7 && hello.total.p99_us >= hello.total.p50_us && hello.total.p50_us > 0 && hello.cpu_budget_percent === 20 && of("burner").cpu_budget_percent === 1, JSON.stringify(hello));
});

await check("workers are niced, the host is not", async () => {
  const nice = (pid) => Number(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ")[16]);
  const children = readdirSync(`/proc/${host.child.pid}/task`).flatMap((tid) => readFileSync(`/proc/${host.child.pid}/task/${tid}/children`, "utf8").trim().split(" ").filter(Boolean));
  must(children.length >= 5, `${children.length} children`);
  for (const pid of children) must(nice(pid) > nice(host.child.pid), `worker ${pid} has nice ${nice(pid)}`);
});

await check("past its CPU budget a plugin is refused with the time to wait, and its neighbour is not", async () => {
  let refused;
  for (let i = 0; i < 300 && !refused; i++) {
    const answer = await call(ann, "burner/burn");
    if (answer.status !== 200) refused = answer;
  }
  must(refused && refused.status === 429 && refused.body.code === "cpu_budget" && refused.retry >= 1 && refused.body.retry_after === refused.retry, JSON.stringify(refused));
  must((await call(ann, "hello/greet")).status === 200, "the neighbour");
  await sleep(refused.retry * 1000 + 50);
  let again = await call(ann, "burner/burn");
  if (again.status === 429 && again.retry === 1) {        // its worker tidied up after the answer: a moment more, never again the whole wait
    await sleep(1050);
    again = await call(ann, "burner/burn");
  }
  must(again.status === 200, `after ${refused.retry} s: ${JSON.stringify(again.body)}`);
  must(of("burner").total.cpu_budget >= 1 && value(await families(), "frond_plugin_turned_away", { plugin: "burner", reason: "cpu_budget" }) >= 1, "it is not counted");
  must(of("hello").total.cpu_budget === 0, "the neighbour was refused");
});

await check("turns of matches wait for the budget, and none is void", async () => {
  const players = [await new Player(url, 11, "Kim").signIn(), await new Player(url, 12, "Lee").signIn()].map((p) => p.connect());
  await Promise.all(players.map((p) => p.until(() => p.open, 5000, "its line").catch(() => {})));
  for (const p of players) { const found = await p.find({ game: "slowgame", mode: "m", stake: "0" }); must(found.ok, JSON.stringify(found.error)); }
  const matches = await Promise.all(players.map((p) => p.until(() => [...p.matches.values()].find((m) => !m.over), 10000, "a match")));
  let moves = 0;
  for (const until = Date.now() + 60000; of("slowgame").total.turns_delayed < 3 && Date.now() < until;)
    for (const [i, p] of players.entries()) {
      const answer = await p.move(matches[i], "go", {});
      must(answer.ok, JSON.stringify(answer.error));
      moves++;
    }
  const game = of("slowgame");
  must(game.total.turns_delayed >= 3 && game.total.tripped === 0 && game.total.lost === 0 && game.total.turns >= moves, JSON.stringify(game));
  await players[0].until(() => matches[0].view.n === moves, 10000, `view ${moves}`);
  console.log(`# ${moves} moves, ${game.total.turns_delayed} waited`);
  for (const p of players) p.close();
});

await check("who breaks a plugin is blocked from it, others are not, and the operator can lift it", async () => {
  const up = async () => { for (let i = 0; i < 200 && of("brittle").state !== "up"; i++) await sleep(20); };
  for (const fn of ["crash", "spin"]) {                   // a dead worker, and a turn over its limit
    const answer = await call(eve, `brittle/${fn}`);
    must(answer.body.code === "cpu_limit", JSON.stringify(answer.body));
    await up();
  }
  const blocked = await call(eve, "brittle/fine");
  must(blocked.status === 429 && blocked.body.code === "player_blocked" && blocked.retry > 30 && blocked.retry <= 60, JSON.stringify(blocked));
  must((await call(eve, "hello/greet")).status === 200, "Eve may not even say hello");
  must((await call(ann, "brittle/fine")).status === 200, "Ann is blocked too");
  const plugins = JSON.parse(cli("plugin", "list", "--json").stdout).result, brittle = plugins.find((p) => p.id === "brittle");
  must(brittle.state === "up" && brittle.blocked === 1 && of("brittle").blocked[0].player === eve.player, JSON.stringify(brittle));
  must(cli("plugin", "unblock", "brittle", eve.player).status === 0, "unblock");
  must((await call(eve, "brittle/fine")).status === 200, "Eve was pardoned");
  const twice = cli("plugin", "unblock", "brittle", eve.player);
  must(twice.status === 1 && twice.stderr.includes("player_not_blocked"), twice.stderr);
  for (let i = 0; i < 4; i++) {                           // one player alone never takes it from the others
    must((await call(eve, "brittle/crash")).body.code === "cpu_limit", "crash");
    cli("plugin", "unblock", "brittle", eve.player);
    await up();
  }
  must(of("brittle").state === "up" && of("brittle").total.crashes === 5, JSON.stringify(of("brittle")));
});

await check("two players who break it are the plugin's fault: quarantine", async () => {
  for (const player of [ann, eve, ann]) {
    for (let i = 0; i < 200 && of("fragile").state !== "up"; i++) await sleep(20);
    await call(player, "fragile/crash");
  }
  for (let i = 0; i < 200 && of("fragile").state !== "quarantined"; i++) await sleep(20);
  must(of("fragile").state === "quarantined", of("fragile").state);
});

await host.stop();

// ---- limits of players and addresses
const strict = await startHost({ data: host.data, args: ["--config", config("second.json", {
  limits: { player_requests_per_second: 2, player_requests_burst: 10, address_requests_per_second: 5, address_requests_burst: 40, connections_per_address: 3 }, trusted_proxies: ["127.0.0.1"] })] });
const asks = async (times, headers) => {
  const list = [];
  for (let i = 0; i < times; i++) {
    const response = await fetch(`${strict.url}/v1/me`, { headers });
    list.push({ status: response.status, retry: Number(response.headers.get("retry-after")), code: (await response.json()).code });
  }
  return list;
};

await check("a player has a rate, whatever the address", async () => {
  const bob = await new Player(() => strict.url, 1, "Ann").signIn(), other = await new Player(() => strict.url, 2, "Eve").signIn();
  const list = await asks(30, { authorization: `Bearer ${bob.token}`, "x-forwarded-for": "198.51.100.1" });
  const late = list.filter((a) => a.status === 429);
  must(list.slice(0, 10).every((a) => a.status === 200) && late.length > 5 && late.every((a) => a.code === "rate_limited" && a.retry >= 1), JSON.stringify(list.map((a) => a.status)));
  must((await asks(1, { authorization: `Bearer ${bob.token}`, "x-forwarded-for": "198.51.100.2" }))[0].status === 429, "another address helped");
  must((await asks(1, { authorization: `Bearer ${other.token}`, "x-forwarded-for": "198.51.100.2" }))[0].status === 200, "another player is refused");
});

await check("an address has a rate; who writes addresses into the header gains nothing", async () => {
  const forged = [];
  for (let i = 0; i < 60; i++) forged.push(...await asks(1, { "x-forwarded-for": `203.0.113.${i}, 198.51.100.9` }));
  must(forged.some((a) => a.status === 429), "sixty addresses of one client");
  must((await asks(1, { "x-forwarded-for": "198.51.100.10" }))[0].status === 401, "the neighbour");
});

await check("connections of a trusted proxy are not one client's", async () => {
  const open = Array.from({ length: 8 }, () => net.connect(Number(new URL(strict.url).port), "127.0.0.1"));
  await Promise.all(open.map((s) => new Promise((resolve, reject) => { s.once("connect", resolve); s.once("error", reject); })));
  must((await asks(1, { "x-forwarded-for": "198.51.100.11" }))[0].status === 401, "refused");
  for (const s of open) s.destroy();
});
await strict.stop();

const narrow = await startHost({ data: host.data, args: ["--config", config("third.json", { limits: { connections_per_address: 3 } })] });
await check("an address has so many connections, and one that ends makes room", async () => {
  const connect = () => new Promise((resolve, reject) => {
    const socket = net.connect(Number(new URL(narrow.url).port), "127.0.0.1"), text = [];
    socket.on("data", (d) => { text.push(String(d)); resolve({ socket, text: text.join("") }); });
    socket.on("error", reject);
    socket.on("connect", () => setTimeout(() => resolve({ socket, text: text.join("") }), 300));
  });
  const held = [await connect(), await connect(), await connect()];
  must(held.every((h) => h.text === ""), "the first three");
  const fourth = await connect();
  must(fourth.text.startsWith("HTTP/1.1 429 ") && fourth.text.includes("too_many_connections"), fourth.text);
  held[0].socket.destroy();
  let fifth;
  for (let i = 0; i < 20; i++) { fifth = await connect(); if (fifth.text === "") break; fifth.socket.destroy(); }
  must(fifth.text === "", fifth.text);
  for (const h of [...held, fourth, fifth]) h.socket.destroy();
});
await narrow.stop();

host.clean();
rmSync(folder, { recursive: true, force: true });
end();
