// telegram_connect.test.mjs: `frond telegram connect` against a Bot API of our own and a real host behind HTTPS: each step, each way it fails,
// what it advises, and that the token appears nowhere.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { FakeTelegram } from "../fake/telegram/server.mjs";
import { BUILD, checks, startHost } from "./host.mjs";

const SECRET = "FAKE-token-for-tests-only-aaaaaaaaaaaa";
const TOKEN = `1234567:${SECRET}`;
const { check, end } = checks();
const folder = mkdtempSync(path.join(tmpdir(), "frond-telegram-"));
const file = (name) => path.join(folder, name);

// A CA of our own, a certificate of it for localhost, and one for another name.
const openssl = (...words) => execFileSync("openssl", words, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Frond test CA");
function certificate(name, host) {
  openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${host}`);
  writeFileSync(file(`${name}.ext`), `subjectAltName=DNS:${host}\n`);
  openssl("x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", `${name}.ext`, "-out", `${name}.pem`);
  return { key: readFileSync(file(`${name}.key`)), cert: readFileSync(file(`${name}.pem`)) };
}
const tls = certificate("localhost", "localhost"), tlsOther = certificate("other", "other.example");

// What stands in front of a host: HTTPS outside, HTTP inside.
const opened = [];
async function serve(make, handler, scheme) {
  const server = make(handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push(server);
  return `${scheme}://localhost:${server.address().port}`;
}
const front = (handler, how = tls) => serve((h) => https.createServer(how, h), handler, "https");
const host = await startHost();
const handOn = (req, res) => http.get(host.url + req.url, (answer) => { res.writeHead(answer.statusCode, answer.headers); answer.pipe(res); });
const publicUrl = await front(handOn);

const telegram = new FakeTelegram({ bots: [{ token: TOKEN, username: "quiz_bot" }] });
await telegram.listen();
const bot = telegram.bots.get(TOKEN);

let configs = 0;
function config(more = {}, top = { bot_token: TOKEN }) {
  const name = file(`config-${++configs}.json`);
  writeFileSync(name, JSON.stringify({ ...top, telegram: { api: telegram.url, public_url: publicUrl, ca_file: file("ca.pem"), ...more } }));
  return name;
}
async function frond(words, env = {}) {
  const run = await new Promise((resolve) => execFile(process.env.FROND ?? path.join(BUILD, "frond"), ["telegram", "connect", ...words],
    { env: { ...process.env, FROND_BOT_TOKEN: "", ...env } }, (error, stdout, stderr) => resolve({ exit: error?.code ?? 0, stdout, stderr })));
  assert.ok(!run.stdout.includes(SECRET) && !run.stderr.includes(SECRET), "the token was printed");
  return run;
}
async function connect(name, ...words) {
  const run = await frond(["--json", ...(name ? ["--config", name] : []), ...words]);
  const answer = JSON.parse(run.stdout);
  return { ...run, ...answer, states: answer.result?.steps.map((one) => `${one.step} ${one.state}`), step: (name_) => answer.result.steps.find((one) => one.step === name_) };
}
function fails(run, step, text, fix) {
  assert.equal(run.exit, 1, run.stdout);
  assert.equal(run.code, "telegram_connect");
  assert.equal(run.step(step).state, "fail", run.stdout);
  assert.match(run.step(step).text, text);
  assert.match(run.step(step).fix, fix);
}
const fresh = () => { telegram.asked.length = 0; bot.menu = { type: "default" }; };
const sets = () => telegram.asked.filter((one) => one.method === "setChatMenuButton").length;

await check("all_is_well_and_the_button_is_set_once", async () => {
  fresh();
  const first = await connect(config());
  assert.equal(first.exit, 0, first.stdout);
  assert.deepEqual(first.states, ["token ok", "bot ok", "address ok", "healthz ok", "menu done"]);
  assert.equal(first.result.username, "quiz_bot");
  assert.deepEqual(bot.menu, { type: "web_app", text: "Play", web_app: { url: `${publicUrl}/app/` } });
  const again = await connect(config());
  assert.deepEqual(again.states.at(-1), "menu ok");
  assert.equal(sets(), 1);
  const renamed = await connect(config({ menu_text: "게임" }));
  assert.deepEqual(renamed.states.at(-1), "menu done");
  assert.equal(bot.menu.text, "게임");
});
await check("a_dry_run_changes_nothing", async () => {
  fresh();
  const run = await connect(config(), "--dry-run");
  assert.equal(run.exit, 0);
  assert.deepEqual(run.states, ["token ok", "bot ok", "address ok", "healthz ok", "menu would"]);
  assert.equal(sets(), 0);
  assert.deepEqual(bot.menu, { type: "default" });
});
await check("people_read_the_steps_and_what_to_do", async () => {
  fresh();
  const good = await frond(["--config", config()]);
  assert.match(good.stdout, /^ok {7}token .*\nok {7}bot .*@quiz_bot\nok {7}address .*\nok {7}healthz .*\ndone {5}menu /);
  const bad = await frond(["--config", config({ public_url: "" })]);
  assert.equal(bad.exit, 1);
  assert.match(bad.stdout, /fail {5}address .*\n {17} -> .*public_url/);
  assert.match(bad.stderr, /1 of 5 steps failed \(telegram_connect\)/);
});

// ---- the bot

await check("the_token_of_the_environment_counts", async () => {
  const run = await frond(["--json", "--config", config({}, {}), "--dry-run"], { FROND_BOT_TOKEN: TOKEN });
  assert.equal(JSON.parse(run.stdout).result.username, "quiz_bot");
  const none = await connect(config({}, {}));
  assert.deepEqual([none.exit, none.code], [1, "bot_token_missing"]);
  assert.equal((await connect(null)).code, "bot_token_missing");
});
await check("a_token_of_another_form_is_refused_before_it_is_sent", async () => {
  fresh();
  for (const token of [`x:${SECRET}`, `1234567:${SECRET}!`, `1234567${SECRET}`]) assert.equal((await connect(config({}, { bot_token: token }))).code, "bot_token");
  assert.equal(telegram.asked.length, 0);
});
await check("a_token_that_telegram_does_not_know", async () => {
  fresh();
  const run = await connect(config({}, { bot_token: `7654321:${SECRET}` }));
  fails(run, "bot", /does not know this token \(Unauthorized\)/, /@BotFather/);
  assert.deepEqual(run.states, ["token ok", "bot fail", "address ok", "healthz ok", "menu skipped"]);
});
await check("one_of_several_bots_is_named_and_a_bot_without_a_token_cannot_be_connected", async () => {
  fresh();
  const name = config({}, { bots: [{ name: "quiz", token: TOKEN }, { name: "partner", id: "7342037359" }] });
  assert.deepEqual([(await connect(name)).exit, (await connect(name)).code], [2, "usage"]);
  assert.equal((await connect(name, "--bot", "nobody")).code, "bot_unknown");
  assert.equal((await connect(name, "--bot", "quiz", "--dry-run")).exit, 0);
  const run = await connect(name, "--bot", "partner");
  fails(run, "token", /only its id 7342037359/, /token_env/);
  assert.equal(run.step("bot").state, "skipped");
});

// ---- Telegram

await check("telegrams_refusals_are_told_in_its_words_without_the_token", async () => {
  fresh();
  telegram.fail({ method: "setChatMenuButton", status: 400, description: `Bad Request: no button for ${TOKEN} today` });
  const run = await connect(config());
  fails(run, "menu", /setChatMenuButton: 400 Bad Request: no button for 1234567:\*{38} today/, /run this again/);
  telegram.fail({ method: "getMe", status: 502, description: "Bad Gateway" });
  fails(await connect(config()), "bot", /502 Bad Gateway/, /run this again/);
});
await check("too_many_requests_is_waited_for_when_short_and_told_when_long", async () => {
  fresh();
  telegram.fail({ method: "getMe", status: 429, description: "Too Many Requests: retry after 1", parameters: { retry_after: 1 } });
  assert.equal((await connect(config(), "--dry-run")).exit, 0);
  assert.equal(telegram.asked.filter((one) => one.method === "getMe").length, 2);
  telegram.fail({ method: "getMe", status: 429, description: "Too Many Requests: retry after 3600", parameters: { retry_after: 3600 } });
  fails(await connect(config()), "bot", /try again in 3600 s/, /wait that long/);
});
await check("what_is_no_bot_api_is_told_so", async () => {
  for (const fault of [{ raw: "<html>Sign in to the hotel</html>" }, { raw: "" }, { raw: "[1]" }, { raw: '{"ok":false}', status: 500 }, { endless: true }, { cut: true }]) {
    fresh();
    telegram.fail({ method: "getMe", ...fault });
    fails(await connect(config()), "bot", fault.cut ? /Bot API/ : /none of a Bot API|without an answer of a Bot API|answer is over/, /telegram\.api/);
  }
  telegram.fail({ method: "getMe", raw: JSON.stringify({ ok: true, result: { id: 99, is_bot: true, username: "other_bot" } }) });
  fails(await connect(config()), "bot", /getMe says the bot is 99, its token says 1234567/, /telegram\.api/);
});
await check("a_redirect_carries_the_token_nowhere", async () => {
  let asked = 0;
  const elsewhere = await serve(http.createServer, (_, res) => { asked++; res.end("{}"); }, "http");
  telegram.fail({ method: "getMe", status: 302, headers: { location: `${elsewhere}/bot${TOKEN}/getMe` }, raw: "" });
  fails(await connect(config()), "bot", /HTTP 302/, /telegram\.api/);
  assert.equal(asked, 0);
});
await check("the_token_is_sent_to_nobody_without_a_valid_certificate", async () => {
  for (const [how, ca_file] of [[tls, ""], [tlsOther, file("ca.pem")]]) {
    const safe = new FakeTelegram({ bots: [{ token: TOKEN, username: "quiz_bot" }], tls: how });
    const api = await safe.listen();
    fails(await connect(config({ api, ca_file })), "bot", /certificate|SSL/i, /certificates/);
    assert.equal(safe.asked.length, 0);
    await safe.close();
  }
  const safe = new FakeTelegram({ bots: [{ token: TOKEN, username: "quiz_bot" }], tls });
  assert.equal((await connect(config({ api: await safe.listen() }), "--dry-run")).exit, 0);
  await safe.close();
});
await check("nobody_there", async () => {
  fails(await connect(config({ api: "http://127.0.0.1:1" })), "bot", /Bot API: /, /reaches telegram\.api/);
});
await check("the_test_servers_have_a_path_of_their_own", async () => {
  fresh();
  assert.equal((await connect(config({ environment: "test" }), "--dry-run")).exit, 0);
  assert.ok(telegram.asked.length > 0 && telegram.asked.every((one) => one.test));
});

// ---- the address

await check("addresses_that_telegram_would_not_open_are_refused", async () => {
  for (const public_url of ["http://play.example.org", "play.example.org", "https://", "https://play.example.org/app", "https://user@play.example.org", "https://play.example.org?x=1", "ftp://play.example.org"])
    assert.equal((await connect(config({ public_url }))).code, "config", public_url);
  for (const api of ["http://api.telegram.org", "http://127.0.0.1.evil.example", "https://api.telegram.org/bot", "https://a@api.telegram.org"]) assert.equal((await connect(config({ api }))).code, "config", api);
  const run = await connect(config(), "--url", "http://play.example.org");
  assert.deepEqual([run.exit, run.code], [2, "usage"]);
  assert.equal((await connect(config({ public_url: "" }), "--url", publicUrl, "--dry-run")).exit, 0);
  const slip = await connect(config({ publik_url: "x" }));
  assert.equal(slip.code, "config");
  assert.match(slip.detail, /public_url/);
  assert.equal((await connect(file("nothing.json"))).code, "file");
});
await check("a_certificate_that_phones_would_not_trust_sets_no_button", async () => {
  for (const [how, ca_file] of [[tls, "/etc/ssl/certs/ca-certificates.crt"], [tlsOther, file("ca.pem")]]) {
    fresh();
    const run = await connect(config({ public_url: await front(handOn, how), ca_file }));
    fails(run, "healthz", /no valid certificate/, /certificate that phones trust/);
    assert.deepEqual(run.states.at(-1), "menu skipped");
    assert.equal(sets(), 0);
  }
});
await check("silence_is_a_warning_since_a_machine_need_not_reach_itself", async () => {
  fresh();
  const run = await connect(config({ public_url: "https://localhost:1" }));
  assert.equal(run.exit, 0, run.stdout);
  assert.deepEqual(run.states, ["token ok", "bot ok", "address ok", "healthz warn", "menu done"]);
  assert.match(run.step("healthz").fix, /phone/);
});
await check("somebody_else_at_the_address", async () => {
  for (const handler of [(_, res) => res.end("<html>"), (_, res) => { res.writeHead(502); res.end(); }, (_, res) => { res.writeHead(301, { location: `${publicUrl}/healthz` }); res.end(); }, (_, res) => res.end('{"ok":true}')]) {
    fresh();
    fails(await connect(config({ public_url: await front(handler) })), "healthz", /which is not this host/, /frond serve/);
    assert.equal(sets(), 0);
  }
});

await telegram.close();
for (const server of opened) { server.closeAllConnections(); server.close(); }
await host.stop();
host.clean();
rmSync(folder, { recursive: true, force: true });
end();
process.exit();                              // a check that failed may have left a server open
