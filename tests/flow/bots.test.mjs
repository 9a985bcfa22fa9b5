// bots.test.mjs: one host, several bots: who signed is noted, the same person is the same player whichever bot they came by, a partner's bot needs
// no secret here, and configurations that would let in the wrong people are refused.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";

const TOKENS = { quiz: "7:FAKE-token-for-tests-only-aaaaaaaaaaaa", duel: "8:FAKE-token-for-tests-only-bbbbbbbbbbbb" };
const PARTNER = 42;
const REAL = "7342037:FAKE-token-for-tests-only-cccccccccccc";
const { check, end } = checks();
const folder = mkdtempSync(path.join(tmpdir(), "frond-bots-"));
const telegram = generateKeyPairSync("ed25519");
const key = Buffer.from(telegram.publicKey.export({ format: "jwk" }).x, "base64url").toString("hex");
function write(name, config) {
  const file = path.join(folder, name);
  writeFileSync(file, JSON.stringify({ plugins: [path.join(ROOT, "games")], ...config }));
  return file;
}
process.env.BOTS_TEST_DUEL = TOKENS.duel;
const bots = [{ name: "quiz", token: TOKENS.quiz }, { name: "duel", token_env: "BOTS_TEST_DUEL" }, { name: "partner", id: String(PARTNER) }];
const config = write("config.json", { bots, telegram: { public_key: key } });
const host = await startHost({ data: path.join(folder, "data"), args: ["--config", config] });

let launches = 0;
const fieldsOf = (user, age = 0) => ({ auth_date: String(Math.floor(Date.now() / 1000) - age), query_id: `AA${++launches}`, user: JSON.stringify(user) });
const textOf = (fields) => Object.keys(fields).sort().map((name) => `${name}=${fields[name]}`).join("\n");
function byToken(token, user, age) {
  const fields = fieldsOf(user, age), secret = createHmac("sha256", "WebAppData").update(token).digest();
  return new URLSearchParams({ ...fields, hash: createHmac("sha256", secret).update(textOf(fields)).digest("hex") }).toString();
}
function byTelegram(bot, user, { age, from = telegram.privateKey, hash = "0".repeat(64) } = {}) {
  const fields = fieldsOf(user, age);
  return new URLSearchParams({ ...fields, hash, signature: sign(null, Buffer.from(`${bot}:WebAppData\n${textOf(fields)}`), from).toString("base64url") }).toString();
}
async function http(method, route, { token, launch, body } = {}) {
  const answer = await fetch(host.url + route, {
    method, body: body && JSON.stringify(body),
    headers: { ...(token ? { authorization: `Bearer ${token}` } : launch ? { authorization: `tma ${launch}` } : {}), ...(body ? { "content-type": "application/json" } : {}) },
  });
  const text = await answer.text();
  return { status: answer.status, text, body: text ? JSON.parse(text) : null };
}
const signIn = (launch) => http("POST", "/v1/session", { launch });
async function refused(launch, code) {
  const answer = await signIn(launch);
  assert.equal(answer.status, 401, answer.text);
  assert.equal(answer.body.code, code);
}
const user = (id) => ({ id, first_name: `P${id}` });

await check("the_same_person_by_any_bot_is_one_player_and_each_session_says_which", async () => {
  const sessions = [];
  for (const launch of [byToken(TOKENS.quiz, user(501)), byToken(TOKENS.duel, user(501)), byTelegram(PARTNER, user(501))]) {
    const answer = await signIn(launch);
    assert.equal(answer.status, 200, answer.text);
    sessions.push(answer.body);
  }
  assert.equal(new Set(sessions.map((one) => one.player.id)).size, 1);
  const list = (await http("GET", "/v1/sessions", { token: sessions[2].token })).body.sessions;
  assert.deepEqual(list.map((one) => one.bot), ["partner", "duel", "quiz"]);
});
await check("what_no_bot_of_ours_signed_is_refused", async () => {
  await refused(byToken("9:FAKE-token-for-tests-only-dddddddddddd", user(502)), "launch_bad_hash");
  await refused(byTelegram(PARTNER + 1, user(502)), "launch_bad_hash");
  await refused(byTelegram(PARTNER, user(502), { from: generateKeyPairSync("ed25519").privateKey }), "launch_bad_hash");
  await refused(byTelegram(7, user(502)), "launch_bad_hash");               // that bot has a token: nothing less proves it
  await refused(byTelegram(PARTNER, user(502), { age: 90000 }), "launch_stale");
  await refused(byTelegram(PARTNER, user(502), { age: -600 }), "launch_future");
  await refused(byTelegram(PARTNER, user(502)).replace("P502", "P503"), "launch_bad_hash");
});
await check("a_signed_launch_used_again_ends_the_earlier_session_whatever_its_hash_says", async () => {
  const launch = byTelegram(PARTNER, user(503)), again = launch.replace("0".repeat(64), "1".repeat(64));
  const first = (await signIn(launch)).body, second = (await signIn(again)).body;
  assert.equal((await http("GET", "/v1/me", { token: first.token })).body.code, "session_revoked");
  assert.equal((await http("GET", "/v1/me", { token: second.token })).status, 200);
});
await check("development_launches_name_their_bot", async () => {
  const launch = async (bot) => http("POST", "/v1/dev/launch", { body: { user: user(504), ...(bot ? { bot } : {}) } });
  for (const [ask, bot] of [[undefined, "quiz"], ["duel", "duel"]]) {
    const session = (await signIn((await launch(ask)).body.init_data)).body;
    assert.equal((await http("GET", "/v1/sessions", { token: session.token })).body.sessions.find((one) => one.current).bot, bot);
  }
  assert.equal((await launch("partner")).body.code, "bot_unknown");
  assert.equal((await launch("nobody")).body.code, "bot_unknown");
});
await host.stop();

// ---- configurations

function serve(name, settings, words = [], env = {}) {
  const data = path.join(folder, name);
  mkdirSync(data, { recursive: true });
  return new Promise((resolve) => {
    const child = execFile(process.env.FROND ?? path.join(BUILD, "frond"), ["serve", "--data", data, "--listen", "127.0.0.1:0", "--config", write(`${name}.json`, settings), ...words],
      { cwd: ROOT, env: { ...process.env, FROND_BOT_TOKEN: "", ...env } }, (error, stdout, stderr) => resolve({ ready: stdout.includes("ready "), stdout, stderr }));
    child.stdout.on("data", (text) => { if (String(text).includes("ready ")) child.kill("SIGTERM"); });
  });
}
async function no(name, settings, code, words, env) {
  const run = await serve(name, settings, words, env);
  assert.ok(!run.ready, "it served");
  assert.match(run.stderr, new RegExp(`^frond: .*\\(${code}\\)\\n$`));
  assert.ok(!run.stderr.includes("FAKE"), "a token was printed");
}
const yes = async (...words) => { const run = await serve(...words); assert.ok(run.ready, run.stderr); };

await check("another_key_than_telegrams_is_for_development_only", async () => {
  await no("own-key", { bot_token: REAL, telegram: { public_key: key } }, "dev_only");
  await no("own-key-2", { bots: [{ name: "partner", id: "7342037359" }], telegram: { public_key: key } }, "dev_only");
  await no("short-key", { bots: [{ name: "partner", id: "42" }], telegram: { public_key: "00" } }, "config", ["--dev"]);
});
await check("a_host_needs_a_bot_but_no_secret", async () => {
  await no("none", {}, "bot_token_missing");
  await yes("partner-only", { bots: [{ name: "partner", id: "7342037359" }] });
  await yes("main-and-others", { bots: [{ name: "partner", id: "7342037359" }] }, [], { FROND_BOT_TOKEN: REAL });
});
await check("bots_that_would_be_mixed_up_are_refused", async () => {
  await no("twice", { bot_token: REAL, bots: [{ name: "other", token: REAL }] }, "bots");
  await no("twice-id", { bot_token: REAL, bots: [{ name: "other", id: "7342037" }] }, "bots");
  await no("names", { bots: [{ name: "a", id: "1" }, { name: "a", id: "2" }] }, "bots");
  await no("env", { bots: [{ name: "a", token_env: "BOTS_TEST_NOT_THERE" }] }, "bot_token_missing");
  await no("both", { bots: [{ name: "a", id: "7342037", token: REAL }] }, "config");
  await no("many", { bots: Array.from({ length: 9 }, (_, i) => ({ name: `b${i}`, id: String(i + 1) })) }, "config");
  await no("dev-real", { bots: [{ name: "partner", id: "7342037359" }] }, "dev_bot_token", ["--dev"]);
  await no("telegram", { bot_token: REAL, telegram: { menu: "x" } }, "config");
});
await check("people_of_the_test_servers_never_share_a_folder_with_those_of_production", async () => {
  await yes("production", { bot_token: REAL });
  await no("production", { bot_token: REAL, telegram: { environment: "test" } }, "telegram_environment");
  await yes("testers", { bot_token: REAL, telegram: { environment: "test" } });
  await yes("testers", { bot_token: REAL, telegram: { environment: "test" } });
  await no("testers", { bot_token: REAL }, "telegram_environment");
});

rmSync(folder, { recursive: true, force: true });
end();
process.exit();
