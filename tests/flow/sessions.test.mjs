// sessions.test.mjs: where a player is signed in, and the end of it: from another device, all others, by the operator; with the tokens of
// games that such a session opened, and with their sockets. Over a restart too.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import WebSocket from "ws";
import { BUILD, checks, startHost } from "./host.mjs";

const ANDROID = "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36 Telegram-Android/11.3.3 (Samsung; Android 14; SDK 34; HIGH)";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
let host = await startHost();
const { check, end } = checks();

async function http(method, route, { token, body, headers = {} } = {}) {
  const answer = await fetch(host.url + route, {
    method, headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, text, body: text ? JSON.parse(text) : null };
}
function refused(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.body?.code, code, answer.text);
}
const botToken = readFileSync(path.join(host.data, "dev-bot-token"), "utf8").trim();
let launches = 0;
function launch(user) {
  const fields = { auth_date: String(Math.floor(Date.now() / 1000)), query_id: `AA${++launches}`, user: JSON.stringify(user) };
  const text = Object.keys(fields).sort().map((key) => `${key}=${fields[key]}`).join("\n");
  const secret = createHmac("sha256", "WebAppData").update(botToken).digest();
  return new URLSearchParams({ ...fields, hash: createHmac("sha256", secret).update(text).digest("hex") }).toString();
}
async function signIn(id, agent, initData = launch({ id, first_name: `P${id}` })) {
  const answer = await http("POST", "/v1/session", { headers: { authorization: `tma ${initData}`, "user-agent": agent } });
  assert.equal(answer.status, 200, answer.text);
  return { ...answer.body, initData };
}
async function game(token) {
  const answer = await http("POST", "/v1/session/game", { token, body: { plugin: "hello" } });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.token;
}
const list = async (token) => (await http("GET", "/v1/sessions", { token })).body.sessions;
function open(token) {
  const ws = new WebSocket(host.url.replace("http", "ws") + "/v1/socket", ["frond.v1", `bearer.${token}`]);
  const line = { heard: [], closed: null };
  ws.on("message", (text) => line.heard.push(JSON.parse(text)));
  ws.on("error", () => {});
  line.end = new Promise((resolve) => ws.on("close", (code) => { line.closed = code; resolve(code); }));
  line.close = () => ws.close();
  return new Promise((resolve, reject) => { ws.on("open", () => resolve(line)); ws.on("unexpected-response", (_, a) => reject(new Error(`HTTP ${a.statusCode}`))); });
}
async function frond(...words) {
  const run = await promisify(execFile)(process.env.FROND ?? path.join(BUILD, "frond"), [...words, "--json", "--data", host.data]).catch((error) => error);
  return JSON.parse(run.stdout);
}

await check("the_list_tells_the_sessions_apart", async () => {
  const phone = await signIn(2001, ANDROID), laptop = await signIn(2001, FIREFOX), other = await signIn(2002, FIREFOX);
  await game(phone.token);
  const line = await open(phone.token);
  const seen = await list(laptop.token);
  assert.deepEqual(seen.map(({ scope, bot, device, online, current }) => ({ scope, bot, device, online, current })), [
    { scope: "game:hello", bot: "", device: "", online: false, current: false },
    { scope: "shell", bot: "dev", device: "Linux, Firefox", online: false, current: true },
    { scope: "shell", bot: "dev", device: "Android, Telegram", online: true, current: false },
  ]);
  assert.equal(seen[0].opened_by, seen[2].id);
  assert.equal(seen[1].opened_by, null);
  for (const one of seen) for (const time of [one.created_at, one.seen_at, one.expires_at]) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal((await list(other.token)).length, 1);
  assert.ok(!JSON.stringify(seen).includes(phone.token));
  line.close();
});

await check("a_game_has_no_say_over_sessions", async () => {
  const phone = await signIn(2003, ANDROID), token = await game(phone.token);
  refused(await http("GET", "/v1/sessions", { token }), 403, "wrong_scope");
  refused(await http("DELETE", "/v1/sessions", { token }), 403, "wrong_scope");
  refused(await http("DELETE", "/v1/sessions/1", { token }), 403, "wrong_scope");
  refused(await http("GET", "/v1/sessions"), 401, "unauthorized");
});

await check("a_game_token_dies_with_the_shell_session_that_opened_it", async () => {
  const phone = await signIn(2004, ANDROID), laptop = await signIn(2004, FIREFOX);
  const dies = await game(phone.token), lives = await game(laptop.token), line = await open(dies);
  assert.equal((await http("POST", "/v1/call/hello/ping", { token: dies })).text, '"pong"');
  assert.equal((await http("DELETE", "/v1/session", { token: phone.token })).status, 204);
  refused(await http("POST", "/v1/call/hello/ping", { token: dies }), 401, "session_revoked");
  assert.equal(await line.end, 4001);
  assert.deepEqual(line.heard.at(-1), { ev: "session.ended", by: "sign_out" });
  assert.equal((await http("POST", "/v1/call/hello/ping", { token: lives })).text, '"pong"');
});

await check("a_launch_used_again_ends_the_games_of_the_earlier_page", async () => {
  const first = await signIn(2005, ANDROID), token = await game(first.token), line = await open(token);
  await signIn(2005, ANDROID, first.initData);
  assert.equal(await line.end, 4001);
  assert.deepEqual(line.heard.at(-1), { ev: "session.replaced" });
  refused(await http("GET", "/v1/me", { token }), 401, "session_revoked");
});

await check("one_session_is_ended_from_another", async () => {
  const phone = await signIn(2006, ANDROID), laptop = await signIn(2006, FIREFOX), stranger = await signIn(2007, FIREFOX);
  const token = await game(phone.token), lines = [await open(phone.token), await open(token)];
  const id = (await list(laptop.token)).find((one) => one.device === "Android, Telegram").id;
  refused(await http("DELETE", `/v1/sessions/${id}`, { token: stranger.token }), 404, "session_not_found");
  for (const bad of ["0", "-1", "x", "9223372036854775808", "99999999"]) refused(await http("DELETE", `/v1/sessions/${bad}`, { token: laptop.token }), 404, "session_not_found");
  assert.equal((await http("DELETE", `/v1/sessions/${id}`, { token: laptop.token })).status, 204);
  for (const line of lines) {
    assert.equal(await line.end, 4001);
    assert.deepEqual(line.heard.at(-1), { ev: "session.ended", by: "player" });
  }
  for (const gone of [phone.token, token]) refused(await http("GET", "/v1/me", { token: gone }), 401, "session_revoked");
  refused(await http("DELETE", `/v1/sessions/${id}`, { token: laptop.token }), 404, "session_not_found");
  assert.equal((await list(laptop.token)).length, 1);
});

await check("all_others_end_and_this_one_stays_with_its_games", async () => {
  const here = await signIn(2008, FIREFOX), mine = await game(here.token), line = await open(here.token);
  const others = [await signIn(2008, ANDROID), await signIn(2008, ANDROID)], theirs = await game(others[0].token);
  assert.deepEqual((await http("DELETE", "/v1/sessions", { token: here.token })).body, { ended: 3 });
  for (const gone of [others[0].token, others[1].token, theirs]) refused(await http("GET", "/v1/me", { token: gone }), 401, "session_revoked");
  for (const alive of [here.token, mine]) assert.equal((await http("GET", "/v1/me", { token: alive })).status, 200);
  assert.equal(line.closed, null);
  assert.deepEqual((await http("DELETE", "/v1/sessions", { token: here.token })).body, { ended: 0 });
  line.close();
});

await check("no_game_is_opened_by_a_shell_session_that_is_just_ending", async () => {
  for (let i = 0; i < 30; i++) {
    const shell = await signIn(2009, FIREFOX);
    const [opened] = await Promise.all([http("POST", "/v1/session/game", { token: shell.token, body: { plugin: "hello" } }), http("DELETE", "/v1/session", { token: shell.token })]);
    if (opened.status === 200) refused(await http("GET", "/v1/me", { token: opened.body.token }), 401, "session_revoked");
    else refused(opened, 401, "session_revoked");
  }
});

await check("the_operator_lists_and_ends_sessions_while_the_host_serves", async () => {
  const phone = await signIn(2010, ANDROID), laptop = await signIn(2010, FIREFOX), line = await open(phone.token);
  const player = phone.player.id;
  const found = await frond("session", "list", player);
  assert.equal(found.ok, true);
  assert.deepEqual(found.result.map((one) => one.device), ["Linux, Firefox", "Android, Telegram"]);
  assert.deepEqual((await frond("session", "revoke", player, found.result[1].id)).result, { player, ended: 1 });
  assert.equal(await line.end, 4001);
  assert.deepEqual(line.heard.at(-1), { ev: "session.ended", by: "operator" });
  refused(await http("GET", "/v1/me", { token: phone.token }), 401, "session_revoked");
  assert.equal((await http("GET", "/v1/me", { token: laptop.token })).status, 200);
  assert.equal((await frond("session", "revoke", player, found.result[1].id)).code, "session_not_found");
  assert.equal((await frond("session", "revoke", "777777")).code, "player_unknown");
  assert.deepEqual((await frond("session", "revoke", `player:${player}`)).result, { player, ended: 1 });
  refused(await http("GET", "/v1/me", { token: laptop.token }), 401, "session_revoked");
});

await check("sessions_and_their_end_outlive_the_host", async () => {
  const kept = await signIn(2011, FIREFOX), gone = await signIn(2011, ANDROID), offline = await signIn(2012, ANDROID);
  const token = await game(gone.token);
  assert.equal((await http("DELETE", "/v1/sessions", { token: kept.token })).status, 200);
  await host.stop("SIGKILL");
  assert.deepEqual((await frond("session", "revoke", offline.player.id)).result, { player: offline.player.id, ended: 1 });      // no host: the folder itself
  host = await startHost({ data: host.data });
  for (const one of [gone.token, token, offline.token]) refused(await http("GET", "/v1/me", { token: one }), 401, "session_revoked");
  assert.equal((await list(kept.token)).length, 1);
});

await host.stop();
host.clean();
end();
