// protocol.test.mjs: PROTOCOL.md against the running host: sign-in, every refusal with its code, sockets, a staked duel by protocol,
// and the ways in which a host must refuse to start.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import WebSocket from "ws";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";
import { Player, playDuel } from "./player.mjs";

const STAKE = 10000000000n;
const COINS = 1000000000000n;
const folder = mkdtempSync(path.join(tmpdir(), "frond-start-"));
let host = await startHost();
const { check, end } = checks();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function http(method, route, { token, body, headers = {}, raw } = {}) {
  const answer = await fetch(host.url + route, {
    method, redirect: "manual",
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
  });
  const text = await answer.text();
  let json = null;
  try { json = JSON.parse(text); } catch { /* a page */ }
  return { status: answer.status, headers: answer.headers, body: json, text };
}
function refused(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.body?.code, code, answer.text);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.equal(answer.body.status, status);
  assert.ok(answer.body.type && answer.body.title && answer.body.detail && answer.body.request_id, answer.text);
  return answer.body;
}
// One request as bytes, for what fetch will not send.
function bytes(text) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(new URL(host.url).port), "127.0.0.1", () => socket.write(text));
    let got = "";
    socket.setTimeout(8000, () => socket.destroy());
    socket.on("data", (chunk) => { got += chunk; });
    socket.on("close", () => resolve(got));
    socket.on("error", reject);
  });
}
const local = () => `Host: ${new URL(host.url).host}\r\n`;

// Launch data made here, not by the host: the second opinion about how it is signed.
const botToken = readFileSync(path.join(host.data, "dev-bot-token"), "utf8").trim();
function launch(user, { age = 0, token = botToken, more = {} } = {}) {
  const fields = { auth_date: String(Math.floor(Date.now() / 1000) - age), user: JSON.stringify(user), ...more };
  const check = Object.keys(fields).sort().map((key) => `${key}=${fields[key]}`).join("\n");
  const secret = createHmac("sha256", "WebAppData").update(token).digest();
  return new URLSearchParams({ ...fields, hash: createHmac("sha256", secret).update(check).digest("hex") }).toString();
}
const signIn = (initData) => http("POST", "/v1/session", { headers: { authorization: `tma ${initData}` } });
async function person(id, first_name) { return (await signIn(launch({ id, first_name }))).body; }

// A socket that keeps what it hears.
function open(token, protocols = ["frond.v1", ...(token ? [`bearer.${token}`] : [])]) {
  const ws = new WebSocket(host.url.replace("http", "ws") + "/v1/socket", protocols);
  const line = { ws, heard: [], closed: null, next: 1 };
  ws.on("message", (text) => line.heard.push(JSON.parse(text)));
  ws.on("close", (code) => { line.closed = code; });
  ws.on("error", () => {});
  line.ready = new Promise((resolve, reject) => { ws.on("open", resolve); ws.on("unexpected-response", (_, answer) => { line.status = answer.statusCode; reject(new Error(`HTTP ${answer.statusCode}`)); }); });
  line.until = async (test, ms = 8000) => {
    for (const end_ = Date.now() + ms; ;) {
      const found = test();
      if (found) return found;
      if (Date.now() > end_) throw new Error(`waited ${ms} ms; heard ${JSON.stringify(line.heard).slice(-500)}, closed ${line.closed}`);
      await sleep(5);
    }
  };
  line.ask = async (op, fields = {}) => {
    const id = line.next++;
    ws.send(JSON.stringify({ ...fields, id, op }));
    return line.until(() => line.heard.find((message) => message.id === id));
  };
  line.code = async (op, fields) => (await line.ask(op, fields)).error?.code;
  line.end = () => line.until(() => line.closed);
  return line;
}

// ---- health, pages, headers

await check("healthz_and_readyz", async () => {
  const health = await http("GET", "/healthz");
  assert.equal(health.status, 200);
  assert.ok(health.body.ok === true && health.body.version && health.body.uptime_ms >= 0);
  for (let i = 0; (await http("GET", "/readyz")).status !== 200; i++) { assert.ok(i < 200, "never ready"); await sleep(25); }
});
await check("pages_have_exactly_their_headers", async () => {
  const shell = await http("GET", "/app/");
  assert.match(shell.headers.get("content-security-policy"), /^default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self' https:\/\/web\.telegram\.org https:\/\/\*\.telegram\.org$/);
  assert.equal(shell.headers.get("x-content-type-options"), "nosniff");
  const page = await http("GET", "/app/duel/");
  assert.equal(page.status, 200);
  assert.equal(page.headers.get("content-security-policy"), "sandbox allow-scripts; default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'");
  assert.equal(page.headers.get("access-control-allow-origin"), "*");
  assert.equal(page.headers.get("cross-origin-resource-policy"), "cross-origin");
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  const sdk = await http("GET", "/sdk/frond.js");
  assert.equal(sdk.headers.get("access-control-allow-origin"), "*");
  assert.match(sdk.headers.get("content-type"), /^text\/javascript/);
  assert.equal((await http("GET", "/sdk/frond.js", { headers: { "if-none-match": sdk.headers.get("etag") } })).status, 304);
  assert.equal((await http("GET", "/app/dev/")).status, 200);
});
await check("pages_that_are_not_there", async () => {
  const missing = await http("GET", "/app/duel/nothing.html");
  assert.equal(missing.status, 404);
  assert.match(missing.headers.get("content-type"), /text\/html/);
  for (const route of ["/app/../../etc/passwd", "/app/duel/../../plugin.json", "/app/duel/%2e%2e/plugin.json", "/app/duel/main.lua"]) {
    const answer = await bytes(`GET ${route} HTTP/1.1\r\n${local()}Connection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 40[04]/, route);
    assert.ok(!answer.includes("modes"), route);
  }
  assert.equal((await http("GET", "/app")).headers.get("location"), "/app/");
  assert.equal((await http("GET", "/app/duel")).headers.get("location"), "/app/duel/");
  refused(await http("GET", "/metrics"), 401, "operator_required");
});

// ---- requests that are wrong

const ann = await person(1001, "Ann"), ben = await person(1002, "Ben");
await check("session_shape", async () => {
  assert.match(ann.token, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(ann.scope, "shell");
  assert.equal(ann.player.name, "Ann");
  assert.match(ann.player.id, /^[1-9][0-9]*$/);
  assert.ok(Date.parse(ann.expires_at) > Date.now());
  const me = await http("GET", "/v1/me", { token: ann.token });
  assert.equal(typeof me.body.wallet, "boolean");
  assert.deepEqual(me.body, { player: ann.player, scope: "shell", wallet: me.body.wallet, matches: [] });
  assert.ok(me.headers.get("x-request-id"));
});
await check("unknown_routes_and_methods", async () => {
  refused(await http("GET", "/v1/nothing", { token: ann.token }), 404, "route_unknown");
  const wrong = await http("PUT", "/v1/wallet", { token: ann.token });
  refused(wrong, 405, "method_not_allowed");
  assert.match(wrong.headers.get("allow"), /GET/);
  const options = await http("OPTIONS", "/v1/consents");
  assert.equal(options.status, 204);
  assert.match(options.headers.get("allow"), /GET.*POST/);
  assert.equal((await http("HEAD", "/v1/me", { token: ann.token })).status, 200);
});
await check("tokens_that_prove_nothing", async () => {
  refused(await http("GET", "/v1/me"), 401, "unauthorized");
  refused(await http("GET", "/v1/me", { token: "garbage" }), 401, "session_unknown");
  refused(await http("GET", "/v1/me", { token: randomBytes(32).toString("base64url") }), 401, "session_unknown");
  refused(await http("GET", "/v1/me", { headers: { authorization: "Basic YTpi" } }), 401, "session_unknown");
  refused(await http("GET", "/v1/me", { token: "x".repeat(5000) }), 401, "session_unknown");
  const line = open("garbage");
  await assert.rejects(line.ready);
  assert.equal(line.status, 401);
});
await check("bodies_that_are_wrong", async () => {
  const call = (raw, headers = {}) => http("POST", "/v1/call/hello/greet", { token: ann.token, raw, headers: { "content-type": "application/json", ...headers } });
  refused(await call("{"), 400, "bad_arguments");
  refused(await call('{"name":"a","name":"b"}'), 400, "bad_arguments");
  refused(await call('{"nobody":1}'), 400, "bad_arguments");
  refused(await call('{"name":7}'), 400, "bad_arguments");
  assert.match((await call('{"name":7}')).body.detail, /args\.name/);
  refused(await call("{}", { "content-type": "text/plain" }), 415, "unsupported_media_type");
  refused(await call(JSON.stringify({ name: "x".repeat(70000) })), 413, "too_large");
  refused(await http("POST", "/v1/consents", { token: ann.token, raw: '{"plugin":"duel","plugin":"duel"}', headers: { "content-type": "application/json" } }), 400, "invalid");
  refused(await http("POST", "/v1/consents", { token: ann.token }), 400, "invalid");
  const large = await bytes(`POST /v1/call/hello/greet HTTP/1.1\r\n${local()}Authorization: Bearer ${ann.token}\r\nContent-Type: application/json\r\nContent-Length: 300000\r\n\r\n`);
  assert.match(large, /^HTTP\/1\.1 413 /);
  assert.match(large, /application\/problem\+json/);
  assert.match(await bytes(`GET /${"x".repeat(5000)} HTTP/1.1\r\n${local()}\r\n`), /^HTTP\/1\.1 414 /);
  assert.match(await bytes(`GET / HTTP/1.1\r\n${local()}X: ${"x".repeat(20000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(await bytes("GET / HTTP/9.9\r\n\r\n"), /^HTTP\/1\.1 (400|505) /);
});
await check("functions_and_plugins_that_are_not_there", async () => {
  refused(await http("POST", "/v1/call/nobody/greet", { token: ann.token, body: {} }), 404, "plugin_unknown");
  refused(await http("POST", "/v1/call/hello/nothing", { token: ann.token, body: {} }), 404, "function_unknown");
  refused(await http("GET", "/v1/matches/00000000-0000-7000-8000-000000000000", { token: ann.token }), 404, "match_unknown");
  refused(await http("GET", "/v1/matches/x", { token: ann.token }), 404, "match_unknown");
  refused(await http("DELETE", "/v1/consents/999", { token: ann.token }), 404, "consent_unknown");
  refused(await http("GET", "/v1/wallet/journal?limit=0", { token: ann.token }), 400, "invalid");
  refused(await http("GET", "/v1/wallet/journal?cursor=x", { token: ann.token }), 400, "invalid");
});
await check("a_development_host_hears_only_its_own_pages", async () => {
  assert.match(await bytes("GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), /^HTTP\/1\.1 421 [\s\S]*host_refused/);
  const foreign = await http("POST", "/v1/dev/launch", { body: { user: { id: 1, first_name: "A" } }, headers: { origin: "https://evil.example" } });
  refused(foreign, 403, "origin_refused");
  refused(await http("POST", "/v1/dev/launch", { raw: '{"user":{"id":1,"first_name":"A"}}', headers: { "content-type": "text/plain" } }), 415, "unsupported_media_type");
});

// ---- launch data

await check("launch_data_minted_here_and_there_agree", async () => {
  const minted = await http("POST", "/v1/dev/launch", { body: { user: { id: 1001, first_name: "Ann", language_code: "de" } } });
  const session = await signIn(minted.body.init_data);
  assert.equal(session.body.player.id, ann.player.id);
  assert.equal(session.body.player.lang, "de");
});
await check("launch_data_refused", async () => {
  const user = { id: 1001, first_name: "Ann" };
  refused(await signIn(launch(user, { age: 25 * 3600 })), 401, "launch_stale");
  refused(await signIn(launch(user, { age: -120 })), 401, "launch_future");
  refused(await signIn(launch(user, { token: "1:" + "x".repeat(35) })), 401, "launch_bad_hash");
  refused(await signIn(launch(user).replace("Ann", "Eve")), 401, "launch_bad_hash");
  refused(await signIn(launch(user) + "&user=%7B%7D"), 401, "launch_duplicate_key");
  refused(await signIn("user=1"), 401, "launch_no_hash");
  refused(await http("POST", "/v1/session"), 401, "unauthorized");
  refused(await signIn(launch(user, { more: { start_param: "x".repeat(5000) } })), 401, "launch_too_long");
  assert.equal((await signIn(launch(user, { more: { signature: "abc", chat_type: "private" } }))).status, 200);
});
await check("reused_launch_data_replaces_the_earlier_session", async () => {
  const initData = launch({ id: 1003, first_name: "Cem" });
  const first = (await signIn(initData)).body, line = open(first.token);
  await line.ready;
  assert.equal((await line.ask("ping")).ok, true);
  const second = (await signIn(initData)).body;
  await line.until(() => line.heard.find((message) => message.ev === "session.replaced"));
  assert.equal(await line.end(), 4001);
  refused(await http("GET", "/v1/me", { token: first.token }), 401, "session_revoked");
  assert.equal((await http("GET", "/v1/me", { token: second.token })).status, 200);
});
await check("signing_out_closes_the_sockets", async () => {
  const dee = await person(1004, "Dee"), line = open(dee.token);
  await line.ready;
  assert.equal((await http("DELETE", "/v1/session", { token: dee.token })).status, 204);
  assert.equal(await line.end(), 4001);
  assert.ok(!line.heard.some((message) => message.ev === "session.replaced"));
  refused(await http("GET", "/v1/me", { token: dee.token }), 401, "session_revoked");
});

// ---- scopes

await check("a_game_token_reaches_its_own_game_only", async () => {
  const game = (await http("POST", "/v1/session/game", { token: ann.token, body: { plugin: "hello" } })).body;
  assert.equal(game.scope, "game:hello");
  assert.equal((await http("POST", "/v1/call/hello/ping", { token: game.token })).text, '"pong"');
  refused(await http("GET", "/v1/wallet", { token: game.token }), 403, "wrong_scope");
  refused(await http("GET", "/v1/wallet/deposit", { token: game.token }), 403, "wrong_scope");
  refused(await http("GET", "/v1/consents", { token: game.token }), 403, "wrong_scope");
  refused(await http("POST", "/v1/consents", { token: game.token, body: { plugin: "hello", asset: "PALM", max: "1", kind: "once" } }), 403, "wrong_scope");
  refused(await http("POST", "/v1/session/game", { token: game.token, body: { plugin: "duel" } }), 403, "wrong_scope");
  refused(await http("POST", "/v1/call/duel/anything", { token: game.token }), 403, "wrong_scope");
  assert.deepEqual((await http("GET", "/v1/games", { token: game.token })).body.games.map((one) => one.id), ["hello"]);
  refused(await http("POST", "/v1/session/game", { token: ann.token, body: { plugin: "nobody" } }), 404, "plugin_unknown");
  const line = open(game.token);
  await line.ready;
  assert.equal(await line.code("match.find", { game: "duel", mode: "classic", stake: "0" }), "wrong_scope");
  assert.equal(await line.code("call", { plugin: "duel", fn: "x" }), "wrong_scope");
  assert.equal((await line.ask("call", { plugin: "hello", fn: "ping" })).result, "pong");
  line.ws.close();
});

// ---- idempotency

await check("an_idempotency_key_finds_the_first_answer", async () => {
  const key = randomBytes(8).toString("hex");
  const call = (body, one = key) => http("POST", "/v1/call/hello/greet", { token: ben.token, body, headers: { "idempotency-key": one } });
  const first = await call({});
  assert.equal(first.status, 200, first.text);
  assert.deepEqual((await call({})).body, first.body);
  refused(await call({ name: "Z" }), 409, "key_reused");
  assert.equal((await call({}, "other")).body.visits, first.body.visits + 1);
  refused(await call({}, "x".repeat(129)), 400, "invalid");
  assert.notDeepEqual((await http("POST", "/v1/call/hello/greet", { token: ann.token, body: {}, headers: { "idempotency-key": key } })).body, first.body);
  const both = await Promise.all([call({}, "twice"), call({}, "twice"), call({}, "twice")]);
  assert.equal(new Set(both.filter((one) => one.status === 200).map((one) => one.body.visits)).size, 1);
  assert.ok(both.every((one) => one.status === 200 || one.body.code === "in_progress"));
});

// ---- sockets

await check("socket_auth_by_first_message", async () => {
  const line = open(null);
  await line.ready;
  assert.equal(await line.code("ping"), "unauthorized");
  const answer = await line.ask("auth", { token: ann.token });
  assert.deepEqual(answer.result, { player: ann.player.id === answer.result.player.id ? answer.result.player : null, scope: "shell", matches: [] });
  assert.equal(await line.code("auth", { token: ann.token }), "signed_in");
  assert.ok(Math.abs((await line.ask("ping")).result.now_ms - Date.now()) < 5000);
  line.ws.close();
  const bad = open(null);
  await bad.ready;
  assert.equal(await bad.code("auth", { token: "garbage" }), "session_unknown");
  assert.equal(await bad.end(), 1008);
});
await check("socket_without_a_token_is_closed", async () => {
  const line = open(null);
  await line.ready;
  await line.until(() => line.closed === 1008, 9000);
});
await check("socket_messages_that_are_wrong", async () => {
  const line = open(ann.token);
  await line.ready;
  line.ws.send("{");
  await line.until(() => line.heard.find((message) => message.ok === false && message.id === null));
  line.ws.send("[]");
  line.ws.send('{"op":"ping","op":"ping","id":5}');
  line.ws.send(Buffer.from("{}"), { binary: true });
  await line.until(() => line.heard.filter((message) => message.ok === false && message.id === null && message.error.code === "invalid").length === 4);
  assert.equal(await line.code("nothing"), "op_unknown");
  assert.equal(await line.code("ping", { more: 1 }), "invalid");
  assert.equal(await line.code("match.input", { match: "x", n: 1, name: "play" }), "invalid");
  assert.equal(await line.code("match.input", { match: "00000000-0000-7000-8000-000000000000", n: 1, name: "play" }), "match_unknown");
  assert.equal(await line.code("match.find", { game: "nobody", mode: "classic", stake: "0" }), "game_unknown");
  assert.equal(await line.code("match.find", { game: "duel", mode: "nothing", stake: "0" }), "mode_unknown");
  assert.equal(await line.code("match.find", { game: "duel", mode: "classic", stake: "7" }), "stake_not_offered");
  assert.equal(await line.code("match.find", { game: "duel", mode: "classic", stake: 0 }), "invalid");
  assert.equal(await line.code("match.find", { game: "duel", mode: "classic", stake: String(STAKE), bot: true }), "bot_needs_no_stake");
  line.ws.send(JSON.stringify({ id: { a: 1 }, op: "ping" }));
  await line.until(() => line.heard.find((message) => message.ok === true && message.id === null));
  line.ws.send("x".repeat(70000));
  assert.equal(await line.end(), 1009);
});
await check("a_flood_of_messages_closes_the_socket", async () => {
  const line = open(ann.token);
  await line.ready;
  for (let i = 0; i < 120; i++) line.ws.send(JSON.stringify({ id: i, op: "ping" }));
  assert.equal(await line.end(), 1008);
});
await check("sockets_per_player_are_bounded", async () => {
  const eve = await person(1005, "Eve"), lines = [];
  for (let i = 0; i < 8; i++) { lines.push(open(eve.token)); await lines[i].ready; }
  const ninth = open(eve.token);
  await assert.rejects(ninth.ready);
  assert.equal(ninth.status, 429);
  lines[0].ws.close();
  await lines[0].end();
  await sleep(50);
  const again = open(eve.token);
  await again.ready;
  for (const line of [...lines, again]) line.ws.close();
});
await check("a_plain_request_to_the_socket", async () => refused(await http("GET", "/v1/socket"), 426, "upgrade_required"));

// ---- calls over sockets

await check("two_players_call_hello_over_sockets", async () => {
  const lines = [open(ann.token), open(ben.token)];
  await Promise.all(lines.map((line) => line.ready));
  const before = (await lines[0].ask("call", { plugin: "hello", fn: "greet", args: {} })).result.visits;
  const many = await Promise.all([1, 2, 3].map(() => lines[1].ask("call", { plugin: "hello", fn: "ping" })));
  assert.ok(many.every((one) => one.result === "pong"));
  const next = await lines[0].ask("call", { plugin: "hello", fn: "greet", args: { name: "Zoë" }, key: "k1" });
  assert.equal(next.result.text, `Hello, Zoë. Visit ${before + 1}.`);
  assert.deepEqual((await lines[0].ask("call", { plugin: "hello", fn: "greet", args: { name: "Zoë" }, key: "k1" })).result, next.result);
  assert.equal(await lines[0].code("call", { plugin: "hello", fn: "greet", args: {}, key: "k1" }), "key_reused");
  assert.equal(await lines[0].code("call", { plugin: "hello", fn: "greet", args: { name: 1 } }), "bad_arguments");
  for (const line of lines) line.ws.close();
});

// ---- money and a match

const players = [new Player(() => host.url, 1001, "Ann"), new Player(() => host.url, 1002, "Ben")];
await check("new_players_have_test_coins", async () => {
  for (const player of players) {
    await player.signIn();
    const { assets } = (await player.wallet()).body;
    assert.deepEqual(assets, [{ asset: "PALM", name: assets[0].name, decimals: 9, free: String(COINS), held: "0" }]);
  }
  const again = await person(1001, "Ann");
  assert.equal((await http("GET", "/v1/wallet", { token: again.token })).body.assets[0].free, String(COINS));
});
await check("a_stake_needs_approval_and_says_what_for", async () => {
  const line = open(players[0].token);
  await line.ready;
  const { error } = await line.ask("match.find", { game: "duel", mode: "classic", stake: String(STAKE) });
  assert.equal(error.code, "consent_required");
  assert.equal(error.plugin, "duel");
  assert.equal(error.asset, "PALM");
  assert.equal(error.amount, String(STAKE));
  assert.ok(error.intent && error.reason && Date.parse(error.expires_at) > Date.now());
  assert.equal(error.terms.seats, 2);
  assert.deepEqual(error.terms.rake, { plugin: 200, treasury: 100, burn: 200 });
  const body = { plugin: "duel", asset: "PALM", max: String(STAKE), kind: "once", intent: error.intent };
  refused(await http("POST", "/v1/consents", { token: players[0].token, body: { ...body, plugin: "hello" } }), 409, "intent_differs");
  refused(await http("POST", "/v1/consents", { token: players[1].token, body }), 404, "intent_unknown");
  refused(await http("POST", "/v1/consents", { token: players[0].token, body: { ...body, max: 5 } }), 400, "invalid");
  refused(await http("POST", "/v1/consents", { token: players[0].token, body: { ...body, kind: "always" } }), 400, "invalid");
  refused(await http("POST", "/v1/consents", { token: players[0].token, body: { ...body, plugni: "x" } }), 400, "invalid");
  const given = await http("POST", "/v1/consents", { token: players[0].token, body, headers: { "idempotency-key": "c1" } });
  assert.equal(given.status, 201, given.text);
  assert.equal(given.body.left, String(STAKE));
  assert.deepEqual((await http("POST", "/v1/consents", { token: players[0].token, body, headers: { "idempotency-key": "c1" } })).body, given.body);
  const list = (await http("GET", "/v1/consents", { token: players[0].token })).body.consents;
  assert.deepEqual(list.map((one) => [one.plugin, one.asset, one.kind, one.max, one.spent, one.left]), [["duel", "PALM", "once", String(STAKE), "0", String(STAKE)]]);
  const queued = await line.ask("match.find", { game: "duel", mode: "classic", stake: String(STAKE) });
  assert.ok(queued.ok, JSON.stringify(queued));
  assert.equal((await line.ask("match.leave_queue", { ticket: queued.result.ticket })).result.left, 1);
  assert.equal((await http("DELETE", `/v1/consents/${given.body.id}`, { token: players[0].token })).status, 204);
  const again = (await line.ask("match.find", { game: "duel", mode: "classic", stake: String(STAKE) })).error;
  assert.equal(again.code, "consent_required");
  assert.notEqual(again.intent, error.intent);            // the first one was answered
  refused(await http("POST", "/v1/consents", { token: players[0].token, body }), 409, "consent_revoked");
  line.ws.close();
});
await check("a_stake_that_cannot_be_paid", async () => {
  const poor = await new Player(() => host.url, 1009, "Poor").signIn();
  assert.equal((await poor.approve("duel", "PALM", COINS * 2n)).status, 201);
  poor.connect();
  const rich = 100000000000n;
  assert.ok(COINS >= rich);
  await sleep(100);
  const tickets = [];                                                       // asked again after a lost answer: one ticket, not two staked duels
  for (let i = 0; i < 6; i++) tickets.push(await poor.ask("match.find", { game: "duel", mode: "classic", stake: String(rich) }));
  assert.ok(tickets.every((one) => one.ok), JSON.stringify(tickets));
  assert.equal((await poor.ask("match.leave_queue", {})).result.left, 1);
  poor.close();
});
await check("a_staked_duel_from_queue_to_payout", async () => {
  for (const player of players) {
    assert.equal((await player.approve("duel", "PALM", STAKE)).status, 201);
    player.connect();
    player.wallets = [];
    player.listeners.push((message) => { if (message.ev === "wallet") player.wallets.push(message); });
  }
  await Promise.all(players.map(async (player) => { while (!player.open) await sleep(5); }));
  const found = await Promise.all(players.map((player) => player.find({ game: "duel", mode: "classic", stake: String(STAKE) })));
  assert.ok(found.every((one) => one.ok), JSON.stringify(found));
  const [a, b] = await Promise.all(players.map((player) => player.until(() => [...player.matches.values()][0], 10000, "a match")));
  assert.equal(a.id, b.id);
  assert.notEqual(a.seat, b.seat);
  assert.equal((await players[0].wallet()).body.assets[0].held, String(STAKE));
  const me = await players[0].http("GET", "/v1/me");
  assert.deepEqual(me.body.matches, [{ id: a.id, game: "duel", mode: "classic", seat: a.seat }]);
  assert.equal((await players[0].ask("match.input", { match: a.id, n: 1, name: "play", args: { card: 7 } })).error.code, "bad_arguments");
  assert.equal((await players[0].ask("match.input", { match: a.id, n: 9, name: "play", args: { card: "f1" } })).error.code, "n_gap");
  const stranger = await person(1010, "Sam");
  refused(await http("GET", `/v1/matches/${a.id}`, { token: stranger.token }), 404, "match_unknown");
  await Promise.all([playDuel(players[0], a), playDuel(players[1], b)]);
  assert.equal(a.end.hash, b.end.hash);
  const pot = STAKE * 2n, rake = pot * 500n / 10000n, paid = BigInt(a.end.payout) + BigInt(b.end.payout);
  const draw = a.end.payout === b.end.payout;
  assert.equal(paid, draw ? pot : pot - rake);
  assert.equal(BigInt(a.end.net), BigInt(a.end.payout) - STAKE);
  const wallets = await Promise.all(players.map(async (player) => (await player.wallet()).body.assets[0]));
  for (const [i, match] of [a, b].entries()) {
    assert.equal(wallets[i].held, "0");
    assert.equal(BigInt(wallets[i].free), COINS - STAKE + BigInt(match.end.payout));
    await players[i].until(() => players[i].wallets.some((one) => one.free === wallets[i].free && one.held === "0"), 5000, "the wallet event");
  }
  const shown = await players[0].http("GET", `/v1/matches/${a.id}`);
  assert.equal(shown.body.hash, a.end.hash);
  assert.equal(shown.body.state, "ended");
  const secret = Buffer.from(a.end.fairness.server_seed, "hex");
  assert.equal(createHash("sha256").update(secret).digest("hex"), a.fairness.commit);
  const status = (await http("GET", "/v1/dev/status")).body;
  assert.equal(status.ledger.sum, "0");
});
await check("the_journal_tells_it_in_pages", async () => {
  const all = (await players[0].http("GET", "/v1/wallet/journal?limit=100")).body;
  assert.equal(all.cursor, null);
  assert.ok(all.entries.length >= 3);
  const wallet = (await players[0].wallet()).body.assets[0];
  assert.equal(String(all.entries.reduce((sum, one) => sum + BigInt(one.amount), 0n)), wallet.free);
  assert.equal(String(all.entries.reduce((sum, one) => sum + BigInt(one.held), 0n)), "0");
  const pages = [];
  for (let cursor = ""; cursor !== null;) {
    const page = (await players[0].http("GET", `/v1/wallet/journal?limit=1${cursor && `&cursor=${cursor}`}`)).body;
    pages.push(...page.entries);
    cursor = page.cursor;
  }
  assert.deepEqual(pages, all.entries);
});
await check("a_moment_of_absence_is_made_good", async () => {
  for (const player of players) player.matches.clear();
  await Promise.all(players.map((player) => player.find({ game: "duel", mode: "classic", stake: "0" })));
  const [a, b] = await Promise.all(players.map((player) => player.until(() => [...player.matches.values()][0], 10000, "a match")));
  players[0].ws.terminate();
  await Promise.all([playDuel(players[0], a), playDuel(players[1], b)]);
  assert.equal(a.end.hash, b.end.hash);
  for (const player of players) player.close();
});
// ---- watching: on a host with one game more, which nobody may watch, and with room for a crowd

const usual = host, CROWDED = path.join(folder, "crowded.json");
writeFileSync(CROWDED, JSON.stringify({ plugins: [path.join(ROOT, "games"), path.join(ROOT, "tests/page/games")], limits: { connections_per_address: 2000, address_requests_per_second: 10000, address_requests_burst: 10000 } }));
host = await startHost({ args: ["--config", CROWDED] });
const SPECTATORS_MAX = 1000, WATCHES_MAX = 8, DELAY_MS = 3000;
const eyes = await new Player(() => host.url, 1020, "Eyes").signIn();
const watched = (line, match) => line.heard.filter((message) => message.ev?.startsWith("watch.") && message.match === match);
async function duelWithBot(player) {
  const before = player.matches.size;
  assert.ok((await player.find({ game: "duel", mode: "classic", stake: "0", bot: true })).ok);
  return player.until(() => player.matches.size > before && [...player.matches.values()].at(-1), 10000, "a duel with the bot");
}
async function waitOpen(...all) { for (const player of all) for (let i = 0; !player.connect || !player.open; i++) { assert.ok(i < 1000); await sleep(5); } }
const busy = await new Player(() => host.url, 1021, "Busy").signIn();
await check("a_match_is_watched_late_and_without_a_hand", async () => {
  const modes = (await http("GET", "/v1/games", { token: eyes.token })).body.games.flatMap((game) => game.modes.map((mode) => [game.id, mode.spectators]));
  assert.deepEqual(modes.filter(([, spectators]) => spectators), [["duel", true], ["quiz", true]]);
  assert.ok(modes.some(([game]) => game === "patience"));
  busy.connect();
  await waitOpen(busy);
  const match = await duelWithBot(busy), began = Date.now(), line = open(eyes.token);
  await line.ready;
  const answer = await line.ask("match.watch", { match: match.id });
  assert.deepEqual(answer.result, { seq: 0, delay_ms: DELAY_MS });
  const first = await line.until(() => watched(line, match.id)[0]);
  assert.equal(first.ev, "watch.start");
  assert.deepEqual(Object.keys(first), ["ev", "match", "seq", "game", "mode", "stake", "asset", "turn_ms", "delay_ms", "players", "now_ms", "view"]);
  assert.deepEqual([first.game, first.mode, first.stake, first.asset, first.turn_ms, first.delay_ms], ["duel", "classic", "0", "PALM", 20000, DELAY_MS]);
  assert.ok(Date.now() - began > DELAY_MS - 500, "it was not shown before its time");
  assert.ok(!("hand" in first.view) && !("pick" in first.view), JSON.stringify(first.view));
  const late = open(eyes.token);
  await late.ready;
  await sleep(700);
  await late.ask("match.watch", { match: match.id });
  const second = await late.until(() => watched(late, match.id)[0]);
  assert.equal(second.seq, first.seq);
  assert.ok(second.now_ms >= first.now_ms + 600, "who comes in later is told a later clock");
  assert.ok((await busy.move(match, "play", { card: match.view.hand[5] })).ok);
  const patch = await line.until(() => watched(line, match.id).find((message) => message.ev === "watch.patch"));
  assert.equal(patch.seq, first.seq + 1);
  assert.equal((await late.ask("match.unwatch", { match: match.id })).result.left, 1);
  const heard = watched(late, match.id).length;
  assert.ok((await busy.ask("match.leave", { match: match.id })).ok);
  const last = await line.until(() => watched(line, match.id).find((message) => message.ev === "watch.end"));
  assert.deepEqual(Object.keys(last), ["ev", "match", "seq", "hash", "reason", "places"]);
  assert.deepEqual([last.reason, last.places], ["surrender", [[3 - match.seat], [match.seat]]]);
  assert.equal(last.hash, match.end?.hash ?? (await busy.until(() => match.end, 5000, "the end")).hash);
  assert.equal(watched(late, match.id).length, heard, "who does not watch any more is told nothing");
  const all = watched(line, match.id);
  all.forEach((message, i) => i && assert.equal(message.seq, all[i - 1].seq + 1));
  assert.ok(!/"hand"|"pick"|"payout"/.test(JSON.stringify(all)));
  assert.equal(await line.code("match.watch", { match: match.id }), "match_ended");
  line.ws.close();
  late.ws.close();
});
await check("matches_that_cannot_be_watched", async () => {
  const line = open(eyes.token);
  await line.ready;
  assert.equal(await line.code("match.watch", { match: "00000000-0000-7000-8000-000000000000" }), "match_unknown");
  assert.equal(await line.code("match.watch", { match: "nonsense" }), "match_unknown");
  for (const fields of [{}, { match: 1 }, { match: "" }, { match: "x".repeat(200) }]) assert.equal(await line.code("match.watch", fields), "invalid", JSON.stringify(fields));
  assert.equal(await line.code("match.watch", { match: "x", seat: 1 }), "invalid");
  assert.ok((await busy.find({ game: "patience", mode: "talk", stake: "0", bot: true })).ok);
  const talk = await busy.until(() => [...busy.matches.values()].find((one) => one.game === "patience"), 10000, "patience");
  assert.equal(await line.code("match.watch", { match: talk.id }), "no_spectators");
  assert.ok((await busy.ask("match.leave", { match: talk.id })).ok);
  const duel = await duelWithBot(busy);
  const game = (await http("POST", "/v1/session/game", { token: eyes.token, body: { plugin: "hello" } })).body;
  const other = open(game.token);
  await other.ready;
  assert.equal(await other.code("match.watch", { match: duel.id }), "match_unknown", "a session of another game sees nothing of it");
  other.ws.close();
  line.ws.close();
});
await check("unwatching_what_is_and_what_is_not_watched", async () => {
  const line = open(eyes.token);
  await line.ready;
  const duel = [...busy.matches.values()].find((one) => one.game === "duel" && !one.over);
  const left = async (fields = {}) => (await line.ask("match.unwatch", fields)).result.left;
  for (const fields of [{}, { match: duel.id }, { match: "nonsense" }]) assert.equal(await left(fields), 0);
  for (let i = 0; i < 3; i++) assert.ok((await line.ask("match.watch", { match: duel.id })).ok);      // again and again: one place
  assert.equal(await left({ match: "nonsense" }), 0);
  assert.equal(await left({ match: duel.id }), 1);
  assert.equal(await left({ match: duel.id }), 0);
  await line.ask("match.watch", { match: duel.id });
  assert.equal(await left(), 1);
  assert.equal(await left(), 0);
  for (const fields of [{ match: 7 }, { match: "x".repeat(200) }, { matches: [] }]) assert.equal(await line.code("match.unwatch", fields), "invalid", JSON.stringify(fields));
  await line.ask("match.watch", { match: duel.id });
  line.ws.terminate();                                                     // a socket that goes takes its place with it
  const next = open(eyes.token);
  await next.ready;
  for (let i = 0; i < 200; i++) next.ws.send(JSON.stringify({ op: i % 2 ? "match.unwatch" : "match.watch", id: i, ...(i % 2 ? {} : { match: duel.id }) })), i % 40 === 39 && await sleep(1000);
  await next.until(() => next.heard.find((message) => message.id === 199));
  assert.equal((await fetch(host.url + "/healthz")).status, 200);
  assert.equal(host.child.exitCode, null, "the host is there");
  next.ws.close();
});
await check("a_socket_watches_so_many_matches", async () => {
  const all = await Promise.all([0, 1].map((i) => new Player(() => host.url, 1030 + i, `Busy${i}`).signIn()));
  for (const player of all) player.connect();
  await waitOpen(...all);
  const matches = [];
  for (let i = 0; i <= WATCHES_MAX; i++) matches.push([all[i % 2], await duelWithBot(all[i % 2])]);
  const line = open(eyes.token);
  await line.ready;
  for (const [, match] of matches.slice(0, WATCHES_MAX)) assert.ok((await line.ask("match.watch", { match: match.id })).ok);
  assert.equal(await line.code("match.watch", { match: matches[WATCHES_MAX][1].id }), "too_many_watches");
  assert.ok((await line.ask("match.watch", { match: matches[0][1].id })).ok, "again is not more");
  assert.ok((await matches[0][0].ask("match.leave", { match: matches[0][1].id })).ok);
  await line.until(() => watched(line, matches[0][1].id).find((message) => message.ev === "watch.end"));
  assert.ok((await line.ask("match.watch", { match: matches[WATCHES_MAX][1].id })).ok, "one that ended makes room");
  assert.equal((await line.ask("match.unwatch", {})).result.left, WATCHES_MAX);
  for (const [player, match] of matches.slice(1)) await player.ask("match.leave", { match: match.id });
  for (const player of all) player.close();
  line.ws.close();
});
await check("so_many_watch_a_match_and_no_more", async () => {
  const duel = [...busy.matches.values()].find((one) => one.game === "duel" && !one.over) ?? await duelWithBot(busy), lines = [];
  for (let i = 0; lines.length <= SPECTATORS_MAX; i++) {
    const one = await new Player(() => host.url, 20000 + i, `Eye${i}`).signIn();
    const opened = Array.from({ length: 8 }, () => open(one.token));
    await Promise.all(opened.map((line) => line.ready));
    lines.push(...opened);
  }
  const match = duel.over ? await duelWithBot(busy) : duel;
  const answers = [];
  for (let at = 0; at < SPECTATORS_MAX; at += 100) answers.push(...await Promise.all(lines.slice(at, at + 100).map((line) => line.ask("match.watch", { match: match.id }))));
  assert.ok(answers.every((one) => one.ok), JSON.stringify(answers.find((one) => !one.ok)));
  assert.equal(await lines[SPECTATORS_MAX].code("match.watch", { match: match.id }), "too_many_spectators");
  assert.equal((await lines[0].ask("match.unwatch", { match: match.id })).result.left, 1);
  assert.ok((await lines[SPECTATORS_MAX].ask("match.watch", { match: match.id })).ok, "one that leaves makes room");
  await busy.ask("match.leave", { match: match.id });
  for (const line of lines.slice(1, SPECTATORS_MAX + 1)) await line.until(() => watched(line, match.id).find((message) => message.ev === "watch.end"), 20000);
  for (const line of lines) line.ws.terminate();
  busy.close();
});
assert.equal(await host.stop(), 0);
host.clean();
host = usual;

await check("the_hostile_plugin_is_contained", async () => {
  const { body } = await http("POST", "/v1/dev/hostile", { body: {} });
  assert.deepEqual(body.outcome.map((one) => [one.name, one.contained]), [["loop", true], ["memory", true], ["flood", true]]);
  assert.equal((await http("POST", "/v1/call/hello/ping", { token: ann.token })).status, 200);
  assert.ok(!(await http("GET", "/v1/games", { token: players[0].token })).body.games.some((one) => one.id === "dev-hostile"));
});
await check("a_killed_worker_comes_back", async () => {
  const before = (await http("GET", "/v1/dev/status")).body.workers.find((one) => one.plugin === "hello");
  assert.equal((await http("POST", "/v1/dev/kill", { body: { what: "worker", plugin: "hello" } })).status, 202);
  for (let i = 0; ; i++) {
    const now = (await http("GET", "/v1/dev/status")).body.workers.find((one) => one.plugin === "hello");
    if (now.state === "up" && now.pid !== before.pid) break;
    assert.ok(i < 200, "never back");
    await sleep(25);
  }
  assert.equal((await http("POST", "/v1/call/hello/ping", { token: players[0].token })).text, '"pong"');
});

// ---- starting and stopping

const FROND = process.env.FROND ?? path.join(BUILD, "frond");
function serve(args, env = {}) {
  return new Promise((resolve) => {
    const child = execFile(FROND, ["serve", ...args], { cwd: ROOT, timeout: 20000, env: { ...process.env, ...env } }, (error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }));
  });
}
function oneSentence(run, code) {
  assert.equal(run.code, 1, JSON.stringify(run));
  const said = run.stderr.trim();
  assert.equal(said.split("\n").length, 1, said);
  assert.match(said, new RegExp(`\\(${code}\\)$`), said);
  assert.ok(!run.stdout.includes("ready "));
}
const REAL = "1234567:" + "A".repeat(35);
await check("a_locked_folder_is_refused", async () => oneSentence(await serve(["--dev", "--data", host.data, "--listen", "127.0.0.1:0"]), "data_locked"));
await check("a_port_in_use_is_refused", async () => oneSentence(await serve(["--dev", "--data", path.join(folder, "a"), "--listen", new URL(host.url).host]), "port_in_use"));
await check("a_missing_folder_is_refused", async () => oneSentence(await serve(["--dev", "--data", path.join(folder, "no/such/folder"), "--listen", "127.0.0.1:0"]), "io"));
await check("a_damaged_database_is_refused", async () => {
  const data = path.join(folder, "damaged");
  mkdirSync(data);
  writeFileSync(path.join(data, "dev"), "");
  writeFileSync(path.join(data, "frond.db"), randomBytes(8192));
  oneSentence(await serve(["--dev", "--data", data, "--listen", "127.0.0.1:0"]), "store_damaged");
});
await check("addresses_and_tokens_that_dev_refuses", async () => {
  oneSentence(await serve(["--dev", "--data", path.join(folder, "b"), "--listen", "0.0.0.0:0"]), "dev_address");
  oneSentence(await serve(["--dev", "--data", path.join(folder, "b"), "--listen", "somewhere"]), "listen");
  oneSentence(await serve(["--dev", "--data", path.join(folder, "b"), "--listen", "127.0.0.1:0"], { FROND_BOT_TOKEN: REAL }), "dev_bot_token");
});
await check("without_dev_a_bot_token_is_needed", async () => {
  oneSentence(await serve(["--data", path.join(folder, "c"), "--listen", "127.0.0.1:0"], { FROND_BOT_TOKEN: "" }), "bot_token_missing");
  oneSentence(await serve(["--data", path.join(folder, "c"), "--listen", "127.0.0.1:0"], { FROND_BOT_TOKEN: "nonsense" }), "bot_token");
  oneSentence(await serve(["--data", host.data, "--listen", "127.0.0.1:0"], { FROND_BOT_TOKEN: REAL }), "dev_data");
});
await check("a_config_file_is_read_strictly", async () => {
  const file = path.join(folder, "frond.json");
  const withConfig = (text) => { writeFileSync(file, text); return serve(["--data", path.join(folder, "d"), "--config", file], { FROND_BOT_TOKEN: "" }); };
  oneSentence(await withConfig("{"), "config");
  oneSentence(await withConfig('{"bot_tokn":"x"}'), "config");
  assert.match((await withConfig('{"bot_tokn":"x"}')).stderr, /bot_token/);
  oneSentence(await withConfig('{"initdata_max_age_s":"x"}'), "config");
  oneSentence(await withConfig('{"plugins":["nowhere"]}'), "plugins_missing");
  oneSentence(await serve(["--data", path.join(folder, "d"), "--config", path.join(folder, "none.json")]), "config");
});
await check("without_dev_nothing_of_it_exists", async () => {
  const file = path.join(folder, "real.json"), data = path.join(folder, "real");
  writeFileSync(file, JSON.stringify({ bot_token: REAL, listen: "127.0.0.1:0", plugins: [path.join(ROOT, "games")] }));
  const child = execFile(FROND, ["serve", "--data", data, "--config", file], { cwd: folder, env: { ...process.env, FROND_BOT_TOKEN: "" } });
  const gone = new Promise((resolve) => child.on("exit", (code) => resolve(code)));
  const url = await new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (chunk) => { said += chunk; const found = /^ready (\S+)$/m.exec(said); if (found) resolve(found[1]); });
    gone.then(() => reject(new Error(`it left: ${said}`)));
  });
  assert.equal((await fetch(url + "/app/dev/")).status, 404);
  assert.equal((await fetch(url + "/v1/dev/status")).status, 404);
  assert.equal((await fetch(url + "/v1/dev/launch", { method: "POST", body: "{}" })).status, 404);
  assert.equal((await fetch(url + "/v1/session", { method: "POST", headers: { authorization: `tma ${launch({ id: 5, first_name: "E" }, { token: REAL })}` } })).status, 200);
  assert.equal((await fetch(url + "/v1/session", { method: "POST", headers: { authorization: `tma ${launch({ id: 5, first_name: "E" })}` } })).status, 401);
  assert.equal(statSync(data).mode & 0o077, 0);
  child.kill("SIGHUP");
  await sleep(100);
  assert.equal((await fetch(url + "/healthz")).status, 200);
  child.kill("SIGTERM");
  assert.equal(await gone, 0);
  oneSentence(await serve(["--dev", "--data", data, "--listen", "127.0.0.1:0"]), "production_data");
});
await check("stopping_is_orderly", async () => {
  assert.equal(await host.stop(), 0);
  assert.ok(host.log.some((line) => line.includes("host.stopped")));
});

host.clean();
rmSync(folder, { recursive: true, force: true });
end();
