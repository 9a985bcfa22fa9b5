// boundary.test.mjs: what strangers try at the outer wall: other sites' pages, odd tokens, plugins' pages that ask for too much, and what a
// refusal may tell.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import WebSocket from "ws";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";

const host = await startHost();
const { check, end } = checks();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const { port } = new URL(host.url);
const folder = mkdtempSync(path.join(tmpdir(), "frond-boundary-"));

// A request with any header, those that fetch forbids included.
function request(method, route, headers = {}, body) {
  return new Promise((resolve, reject) => {
    const req = http.request({ host: "127.0.0.1", port, method, path: route, headers }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => { text += chunk; });
      answer.on("end", () => { let json = null; try { json = JSON.parse(text); } catch { /* a page */ } resolve({ status: answer.statusCode, headers: answer.headers, text, body: json }); });
    });
    req.on("error", reject);
    req.end(body);
  });
}
const json = { "content-type": "application/json" };
async function person(id, first_name) {
  const launch = await request("POST", "/v1/dev/launch", json, JSON.stringify({ user: { id, first_name } }));
  return (await request("POST", "/v1/session", { authorization: `tma ${launch.body.init_data}` })).body;
}
const ann = await person(2001, "Ann");
const bearer = { authorization: `Bearer ${ann.token}` };

// ---- other sites' pages

const actions = [["/v1/dev/launch", '{"user":{"id":1,"first_name":"A"}}'], ["/v1/dev/kill", '{"what":"host"}'], ["/v1/dev/hostile", undefined]];
const origins = ["https://evil.example", "null", "http://127.0.0.1", `http://127.0.0.1:${Number(port) + 1}`, `http://localhost:${port}`, `http://127.0.0.1:${port}.evil.example`, `https://127.0.0.1:${port}`];
await check("boundary: no other origin's page reaches the development routes", async () => {
  for (const [route, body] of actions)
    for (const origin of origins) assert.equal((await request("POST", route, { ...json, origin }, body)).body.code, "origin_refused", `${route} from ${origin}`);
  for (const origin of origins) assert.equal((await request("GET", "/v1/dev/status", { origin })).status, 403, origin);
});
await check("boundary: no body that a form can send reaches them", async () => {
  for (const [route, body] of actions.slice(0, 2))
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", undefined])
      assert.equal((await request("POST", route, type ? { "content-type": type } : {}, body)).body.code, "unsupported_media_type", `${route} ${type}`);
});
await check("boundary: another name for this machine is refused everywhere", async () => {
  for (const name of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "127.0.0.10", "localhost.evil.example", "0.0.0.0"])
    for (const route of ["/healthz", "/app/", "/v1/dev/status", "/v1/socket"]) assert.equal((await request("GET", route, { host: name })).status, 421, `${name}${route}`);
});
await check("boundary: nobody else's page may read an answer", async () => {
  for (const [method, route] of [["GET", "/v1/me"], ["OPTIONS", "/v1/session"], ["OPTIONS", "/v1/dev/launch"], ["GET", "/v1/dev/status"], ["GET", "/healthz"], ["GET", "/app/"]]) {
    const answer = await request(method, route, { "access-control-request-method": "POST", "access-control-request-headers": "authorization" });
    assert.ok(!Object.keys(answer.headers).some((name) => name.startsWith("access-control-")), `${method} ${route}`);
  }
});

// ---- tokens and sockets

function knock(protocols) {
  return new Promise((resolve) => {
    const ws = new WebSocket(host.url.replace("http", "ws") + "/v1/socket", protocols);
    ws.on("open", () => { ws.close(); resolve(101); });
    ws.on("unexpected-response", (_, answer) => resolve(answer.statusCode));
    ws.on("error", () => {});
  });
}
await check("boundary: a socket's token of any length but the right one is refused", async () => {
  for (const token of ["", "a", "a".repeat(42), "a".repeat(44), "a".repeat(52), "a".repeat(53), "a".repeat(3000)]) assert.equal(await knock(["frond.v1", `bearer.${token}`]), 401, token.length);
  assert.equal(await knock(["frond.v1", `bearer.${ann.token}`]), 101);
  assert.equal((await request("GET", "/v1/me", { authorization: "Bearer a" })).body.code, "session_unknown");
  assert.equal((await request("GET", "/v1/me", { authorization: [`Bearer ${ann.token}`, `Bearer ${ann.token}`] })).status, 401);
});
await check("boundary: a session that ends while a socket opens on it leaves no socket", async () => {
  for (let i = 0; i < 30; i++) {
    const one = await person(2100 + i, "Race"), others = [];
    const ws = new WebSocket(host.url.replace("http", "ws") + "/v1/socket", ["frond.v1", `bearer.${one.token}`]);
    const over = new Promise((resolve) => { ws.on("close", () => resolve(true)); ws.on("error", () => resolve(true)); });
    for (let k = 0; k < 3; k++) others.push(request("DELETE", "/v1/session", { authorization: `Bearer ${one.token}` }));
    await Promise.all(others);
    assert.ok(await Promise.race([over, sleep(3000).then(() => false)]), "the socket stayed open");
  }
});

// ---- hostile sizes: the loop goes on

await check("boundary: objects of many thousand keys do not hold up the host", async () => {
  const many = Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`k${i}`, i]));
  const started = performance.now();
  for (let i = 0; i < 20; i++) {
    assert.equal((await request("POST", "/v1/call/hello/greet", { ...bearer, ...json }, JSON.stringify(many))).body.code, "bad_arguments");
    assert.equal((await request("POST", "/v1/consents", { ...bearer, ...json }, `{"${Array.from({ length: 20000 }, (_, k) => `k${k}":1`).join(',"')}}`)).body.code, "invalid");
    const deep = await request("POST", "/v1/call/hello/greet", { ...bearer, ...json }, "[".repeat(60000));
    assert.deepEqual([deep.status, deep.body.code], [413, "too_large"]);
  }
  console.log(`  60 of them in ${Math.round(performance.now() - started)} ms`);
});

// ---- what refusals tell

await check("boundary: without --dev a player learns nothing of why a plugin fails", async () => {
  const games = path.join(folder, "games"), file = path.join(folder, "frond.json"), token = "1234567:" + "A".repeat(35);
  cpSync(path.join(ROOT, "games/hello"), path.join(games, "hello"), { recursive: true });
  writeFileSync(path.join(games, "hello/main.lua"), 'error("secret of the author")');
  writeFileSync(file, JSON.stringify({ bot_token: token, listen: "127.0.0.1:0", plugins: [games] }));
  const child = execFile(process.env.FROND ?? path.join(BUILD, "frond"), ["serve", "--data", path.join(folder, "data"), "--config", file], { env: { ...process.env, FROND_BOT_TOKEN: "" } });
  try {
    const url = await new Promise((resolve, reject) => {
      let said = "";
      child.stdout.on("data", (chunk) => { said += chunk; const found = /^ready (\S+)$/m.exec(said); if (found) resolve(found[1]); });
      child.on("exit", () => reject(new Error(said)));
    });
    const fields = { auth_date: String(Math.floor(Date.now() / 1000)), user: '{"id":5,"first_name":"E"}' };
    const secret = createHmac("sha256", "WebAppData").update(token).digest();
    const hash = createHmac("sha256", secret).update(`auth_date=${fields.auth_date}\nuser=${fields.user}`).digest("hex");
    const session = await (await fetch(url + "/v1/session", { method: "POST", headers: { authorization: `tma ${new URLSearchParams({ ...fields, hash })}` } })).json();
    let answer;
    for (let i = 0; i < 200; i++) {
      answer = await (await fetch(url + "/v1/call/hello/ping", { method: "POST", headers: { authorization: `Bearer ${session.token}` } })).json();
      if (answer.code !== "plugin_starting") break;
      await sleep(25);
    }
    assert.equal(answer.code, "plugin_failed");
    assert.ok(!/secret|main\.lua/.test(JSON.stringify(answer)), answer.detail);
  } finally { child.kill("SIGKILL"); }
});

// ---- a plugin's page and the shell: frame.js, with its imports beside it

async function shellModules() {
  for (const part of ["app", "sdk"]) {
    const from = path.join(ROOT, "host/gateway/web", part), to = path.join(folder, "web", part);
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from).filter((one) => one.endsWith(".js")))
      writeFileSync(path.join(to, name), readFileSync(path.join(from, name), "utf8").replaceAll(/from "\/(app|sdk)\//g, 'from "../$1/'));
  }
  writeFileSync(path.join(folder, "web/package.json"), '{"type":"module"}');
  return Promise.all(["frame.js", "tickets.js"].map((name) => import(pathToFileURL(path.join(folder, "web/app", name)).href)));
}
globalThis.document ??= { location: {} };
globalThis.sessionStorage ??= { getItem: () => null, setItem: () => {}, removeItem: () => {} };
const [{ PluginFrame }, { Tickets }] = await shellModules();

/** A page in its frame: what it asks, and what of it reached the host. Pages of one tab share their tickets. */
function page(plugin, asked = [], tickets = undefined) {
  const frame = { listeners: [], addEventListener(_, listener) { this.listeners.push(listener); }, contentWindow: { postMessage: (_, __, [given]) => { one.port = given; } } };
  const one = { asked, answers: new Map(), broken: null };
  const fakeHost = { on: () => () => {}, request: async (op, fields) => { asked.push({ op, fields }); return op === "match.find" ? { ticket: `t-${plugin}`, waiting: 1 } : op === "match.leave_queue" ? { left: 1 } : {}; } };
  const matches = { gameOf: () => plugin, seatOf: () => 1, running: () => [], input: async (match, name, args) => fakeHost.request("match.input", { match, name, args }), resume: async (match, from) => fakeHost.request("match.resume", { match, from }) };
  one.tickets = tickets ?? new Tickets(fakeHost, matches, () => {});
  one.frame = new PluginFrame(frame, { plugin, player: { id: "1", name: "A" }, game: {}, host: fakeHost, matches, tickets: one.tickets, online: () => true, theme: () => ({}), approve: async () => false, onClose: () => {}, onBroken: (why) => { one.broken = why; } });
  frame.listeners[0]();
  one.port.onmessage = (event) => one.answers.set(event.data.id, event.data);
  one.ask = async (id, op, fields = {}) => {
    one.port.postMessage({ id, op, ...fields });
    for (let i = 0; i < 500 && !one.answers.has(id); i++) await sleep(2);
    return one.answers.get(id);
  };
  one.end = () => { one.frame.drop(); one.port.close(); };
  return one;
}
await check("boundary: a page cannot make the shell send what would cost the player the line", async () => {
  const one = page("duel");
  for (const [id, fields, code] of [[1, { fn: "x", args: { n: 1n } }, "bad_arguments"], [2, { fn: "x", args: "y".repeat(70000) }, "too_large"], [3, { fn: "y".repeat(70000) }, "too_large"], [4, { fn: "x", args: "ü".repeat(40000) }, "too_large"]])
    assert.equal((await one.ask(id, "call", fields)).error?.code, code, `request ${id}`);
  const circle = {};
  circle.circle = circle;
  assert.equal((await one.ask(5, "match.input", { match: "m", name: "x", args: circle })).error?.code, "bad_arguments");
  assert.deepEqual(one.asked, []);
  assert.equal((await one.ask(6, "call", { fn: "x", args: { a: 1 } })).ok, true);
  one.end();
});
await check("boundary: a page asks the host no faster than a player's line bears", async () => {
  const one = page("duel");
  for (let id = 1; id <= 90; id++) one.port.postMessage({ id, op: "match.resume", match: "m" });
  await one.ask(91, "theme");
  await sleep(50);
  assert.equal(one.broken, null);
  assert.ok(one.asked.length >= 1 && one.asked.length <= 45, `${one.asked.length} reached the host`);
  assert.ok([...one.answers.values()].some((answer) => answer.error?.code === "busy"));
  one.end();
});
await check("boundary: a page leaves its own game's queue only", async () => {
  const asked = [], chess = page("chess", asked), duel = page("duel", asked, chess.tickets);
  assert.equal((await chess.ask(1, "match.find", { mode: "classic", stake: "0" })).ok, true);
  asked.length = 0;
  assert.equal((await duel.ask(1, "match.leave_queue")).result.left, 0);
  assert.equal((await duel.ask(2, "match.leave_queue", { ticket: "t-chess" })).result.left, 0);
  assert.deepEqual(asked, []);
  assert.equal((await chess.ask(2, "match.leave_queue")).result.left, 1);
  assert.deepEqual(asked, [{ op: "match.leave_queue", fields: { ticket: "t-chess" } }]);
  chess.end();
  duel.end();
});

await host.stop();
host.clean();
rmSync(folder, { recursive: true, force: true });
end();
