// doctor_config.test.mjs: `frond doctor --config` refuses what `frond serve` refuses, with the same sentence and code, and tells all of it at once.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, ROOT, checks } from "./host.mjs";

const { check, end } = checks();
const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const work = mkdtempSync(path.join(tmpdir(), "frond-doctor-"));
const data = path.join(work, "data"), file = path.join(work, "frond.json");
const TOKEN = "1234567:AAabcdefghijklmnopqrstuvwxyz0123456789";
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

function frond(args, env = {}) {
  const run = spawnSync(FROND, args, { cwd: ROOT, env: { ...process.env, FROND_DATA: "", FROND_BOT_TOKEN: "", ...env }, encoding: "utf8", timeout: 60000 });
  return { exit: run.status, out: run.stdout, err: run.stderr };
}

/** What doctor says about the file: [{name, state, text, help, code}], without the machine and the data. */
function look(settings, args = [], env = {}) {
  writeFileSync(file, typeof settings === "string" ? settings : JSON.stringify(settings), { mode: 0o600 });
  chmodSync(file, 0o600);
  const run = frond(["doctor", "--quick", "--json", "--data", data, "--config", file, ...args], env);
  assert.equal(run.err, "");
  const doc = JSON.parse(run.out), told = doc.result.checks.filter((c) => ["config", "bots", "telegram", "chain", "signer"].includes(c.name));
  assert.equal(run.exit, doc.ok ? 0 : 1);
  assert.equal(doc.ok, !doc.result.checks.some((c) => c.state === "fail"), run.out);
  for (const c of told) assert.ok(c.state === "ok" ? c.help === null && c.code === null : c.help, JSON.stringify(c));
  return told;
}

await check("doctor: each mistake of a config file is refused as serve refuses it", () => {
  const good = { bot_token: TOKEN };
  for (const [settings, code, says] of [
    ["", "config", /line 1, column 1/], ["{", "config", /line 1, column 2/], ["[]", "config", /expected an object/], ['{"drain_s":5,"drain_s":5}', "config", /duplicate key/],
    [" ".repeat(70000), "config", /over 65536 bytes/], ["\u{feff}{}", "config", /column 1/],
    [{ ...good, listne: "x" }, "config", /did you mean "listen"/], [{ ...good, drain_s: "5" }, "config", /drain_s: expected an integer/], [{ ...good, drain_s: 0 }, "config", /from 1 to/],
    [{ ...good, drain_s: 1.5 }, "config", /1\.5/], [{ ...good, listen: 5 }, "config", /listen: expected a string/], [{ ...good, listen: "nowhere" }, "listen", /frond\.json: listen wants HOST:PORT/],
    [{ ...good, match_log_days: 0 }, "config", /match_log_days/], [{ ...good, initdata_max_age_s: 1e12 }, "config", /initdata_max_age_s/],
    [{ ...good, limits: [] }, "config", /limits: expected an object/], [{ ...good, limits: { cpu: 1 } }, "config", /limits: unknown key "cpu"/],
    [{ ...good, limits: { plugin_cpu_percent: { duel: 1.5 } } }, "config", /plugin_cpu_percent\.duel: expected an integer/], [{ ...good, limits: { plugin_cpu_percent: { A: 5 } } }, "config", /no plugin's id/],
    [{ ...good, trusted_proxies: ["x"] }, "config", /trusted_proxies\[0\]/], [{ ...good, plugins: [] }, "config", /plugins: expected an array/], [{ ...good, plugins: ["nope"] }, "plugins_missing", /plugins\[0\]: there is no folder/],
    [{ ...good, backup: {} }, "config", /backup\.folder: expected a string/], [{ ...good, backup: { folder: "x", keep: 0 } }, "config", /backup\.keep/], [{ ...good, backup: { folder: "/nowhere/x/y" } }, "config", /\/nowhere\/x, is not there/],
    [{ bot_token: "x" }, "bot_token", /123456:AAbb/], [{}, "bot_token_missing", /no bot token/], [{ bots: [7] }, "config", /bots\[0\]: expected an object/],
    [{ bots: [{ name: "A B", id: "5" }] }, "bot_name", /bots\[0\]/], [{ bots: [{ name: "a", token_env: "NOT_THERE" }] }, "bot_token_missing", /NOT_THERE/],
    [{ bots: [{ name: "a", token: TOKEN }, { name: "a", id: "7" }] }, "bots", /two bots/],
    [{ ...good, telegram: { api: "http://example.org" } }, "config", /telegram\.api/], [{ ...good, telegram: { public_url: "https://example.org/app" } }, "config", /telegram\.public_url/],
    [{ ...good, telegram: { environment: "moon" } }, "config", /telegram\.environment/], [{ ...good, telegram: { public_key: "zz" } }, "config", /64 hex digits/],
    [{ ...good, telegram: { public_key: "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d" } }, "dev_only", /--dev/],
  ]) {
    const about = JSON.stringify(settings).slice(0, 200), told = look(settings), fails = told.filter((c) => c.state === "fail");
    assert.equal(fails.length, 1, `${about}\n${JSON.stringify(told)}`);
    assert.equal(fails[0].code, code, about);
    assert.match(fails[0].text, says, about);
    const text = frond(["serve", "--data", data, "--config", file]), json = frond(["serve", "--json", "--data", data, "--config", file]);
    assert.equal(text.exit, 1, about);
    assert.equal(text.err, `frond: ${fails[0].text}\n`, about);
    assert.equal(json.err, "", about);
    assert.deepEqual(JSON.parse(json.out), { ok: false, code, detail: fails[0].text.slice(0, -code.length - 3) }, about);
    assert.ok(!existsSync(data), "a refusal makes nothing");
  }
});

await check("doctor: all mistakes of a file are told at once, and its secret by none of them", () => {
  const told = look({ listne: 1, bot_token: TOKEN, drain_s: 0, limits: { cpu_percent: -1 }, plugins: [5], backup: 7, telegram: { api: "ftp://x" } });
  assert.deepEqual(told.map((c) => c.state), Array(6).fill("fail"));
  assert.ok(!JSON.stringify(told).includes("AAabc"));
  const text = frond(["doctor", "--quick", "--data", data, "--config", file]);
  assert.equal(text.exit, 1);
  assert.match(text.out, /^fail  config +.*did you mean "listen"\? \(config\)$/m);
  assert.equal(text.err, "frond: 6 things must be put right (unwell)\n");
});

await check("doctor: a file that cannot be read, a folder in its place", () => {
  for (const name of [path.join(work, "none.json"), work]) {
    const run = frond(["doctor", "--quick", "--json", "--data", data, "--config", name]);
    assert.equal(run.exit, 1);
    assert.equal(JSON.parse(run.out).result.checks.find((c) => c.name === "config").code, "config");
  }
  assert.equal(frond(["doctor", "--config"]).exit, 2);
  assert.equal(frond(["doctor", "--config", "", "--json"]).exit, 2);
});

await check("doctor: a good file says what it means, for a folder of --dev too", () => {
  const settings = { bot_token: TOKEN, listen: "127.0.0.1:9000", backup: { folder: "backups", every_hours: 6 }, telegram: { public_url: "https://play.example.org", menu_text: "Play now" } };
  const told = look(settings);
  assert.deepEqual(told.map((c) => c.state), ["ok", "ok", "ok"]);
  assert.match(told[0].text, /listens on 127\.0\.0\.1 port 9000.*backups every 6 h/);
  assert.match(told[1].text, /main \(1234567, by its token\)/);
  assert.match(told[2].text, /play\.example\.org\/app\/.*Play now/);
  assert.ok(!existsSync(path.join(work, "backups")));
  assert.equal(look({}, ["--dev"]).filter((c) => c.state !== "ok").length, 0);
  assert.equal(look(settings, ["--dev"])[0].code, "dev_bot_token");
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(path.join(data, "dev"), "");
  assert.equal(look({}).filter((c) => c.state !== "ok").length, 0);       // the folder's mark says so
  rmSync(data, { recursive: true });
});

await check("doctor: warns of what serve would take: an open secret, a token that is overruled, addresses and certificates of no use", () => {
  const warns = (settings, env) => look(settings, [], env).filter((c) => c.state === "warn").map((c) => c.text).join("\n");
  assert.match(warns({ bot_token: TOKEN }, { FROND_BOT_TOKEN: TOKEN.replace("1234567", "7654321") }), /takes the place of bot_token/);
  for (const url of ["https://localhost", "https://10.1.2.3:8443", "https://[::1]", "https://host.local", "https://192.168.0.2"]) assert.match(warns({ bot_token: TOKEN, telegram: { public_url: url } }), /no phone/, url);
  for (const url of ["https://example.org", "https://8.8.8.8", "https://[2001:db8::1]:443"]) assert.equal(warns({ bot_token: TOKEN, telegram: { public_url: url } }), "", url);
  for (const ca_file of [path.join(work, "none.pem"), file, work]) assert.match(warns({ bot_token: TOKEN, telegram: { ca_file } }), /holds no certificate/, ca_file);
  look({ bots: [{ name: "a", token: TOKEN }] });
  chmodSync(file, 0o644);
  assert.match(frond(["doctor", "--quick", "--data", data, "--config", file]).out, /^warn  config +.*open to others \(mode 644\)$/m);
});

await check("doctor: a chain is refused as serve refuses it, and told about where it could be safer; no provider's URL is shown", () => {
  const at = (n) => `0x${String(n).padStart(40, "0")}`, url = "https://node.example/v2/SECRETKEY";
  const chain = { id: "1", genesis: `0x${"ab".repeat(32)}`, endpoints: [1, 2, 3].map((n) => ({ name: `n${n}`, url: url.replace("node", `node${n}`) })), quorum: 2, final: "finalized", key: at(1), vault: at(2), fees: { max_fee_gwei: "60", max_tip_gwei: "2", day_ether: "0.5" },
    contracts: { tokens: [{ asset: "PALM", address: at(3), chain_decimals: 9 }] } };
  const signer = { policy: "policy.json", tally: "tally", keystores: ["key.json"], passphrase: "passphrase" };
  for (const name of ["policy.json", "key.json", "passphrase"]) writeFileSync(path.join(work, name), "x", { mode: 0o600 });
  const with_ = (change, more = { signer }) => ({ bot_token: TOKEN, chain: { ...chain, ...change }, ...more });
  const shown = (settings) => { const told = look(settings); assert.ok(!JSON.stringify(told).includes("SECRETKEY")); return told; };
  const warns = (settings) => shown(settings).filter((c) => c.state === "warn").map((c) => c.text).join("\n");
  assert.equal(warns(with_({})), "");
  assert.match(shown(with_({})).find((c) => c.name === "chain").text, /^1 by 3 nodes, final by the "finalized" tag; .* at most 60 gwei and 0\.5 ether a day$/);
  assert.match(warns(with_({ quorum: 1 })), /one node is believed/);
  assert.match(warns(with_({ genesis: undefined })), /taken for the right one/);
  assert.match(warns(with_({ endpoints: [{ name: "one", url: "http://node.example/" }], quorum: 1 })), /one is reached without TLS/);
  assert.doesNotMatch(warns(with_({ endpoints: [{ name: "one", url: "http://127.0.0.1:8545/" }], quorum: 1 })), /TLS/);
  assert.match(warns(with_({}, { signer: { ...signer, policy: "none.json" } })), /signer\.policy: .*none\.json is not there/);
  chmodSync(path.join(work, "key.json"), 0o640);
  assert.match(warns(with_({})), /signer\.keystores: .*key\.json is open to others \(mode 640\)/);
  chmodSync(path.join(work, "key.json"), 0o600);
  for (const [change, more, code, says] of [
    [{ quorum: 4 }, undefined, "config", /chain\.quorum: of 3 endpoints it is 1, or at least 2/], [{ finla: 5 }, undefined, "config", /did you mean "final"/], [{ key: "0x12" }, undefined, "config", /chain\.key/],
    [{ burn: {} }, undefined, "config", /chain\.burn/], [{}, {}, "config", /who signs for chain\.key/], [{}, { signer, dev_chain: {} }, "dev_only", /dev_chain is for --dev/],
  ]) {
    const fails = shown(with_(change, more)).filter((c) => c.state === "fail"), serve = frond(["serve", "--data", data, "--config", file, "--json"]);
    assert.deepEqual(fails.map((c) => c.code), [code], JSON.stringify(change));
    assert.match(fails[0].text, says);
    assert.deepEqual([serve.exit, JSON.parse(serve.out).code], [1, code]);
    assert.ok(!serve.out.includes("SECRETKEY") && fails[0].text.startsWith(JSON.parse(serve.out).detail));
  }
  look(with_({}));
  chmodSync(file, 0o644);
  assert.match(frond(["doctor", "--quick", "--data", data, "--config", file]).out, /holds a provider's URL with its key and is open to others/);
});

await check("doctor: backups by the clock do not go where the data is", () => {
  mkdirSync(data, { mode: 0o700 });
  for (const folder of ["data", "data/backups", path.join(data, "x")]) {
    const told = look({ bot_token: TOKEN, backup: { folder } }).filter((c) => c.state === "fail");
    assert.equal(told.length, 1);
    assert.match(told[0].text, /lies in the data folder.*\(config\)$/);
  }
  assert.equal(look({ bot_token: TOKEN, backup: { folder: "data-backups" } }).filter((c) => c.state === "fail").length, 0);
  rmSync(data, { recursive: true });
});

await check("doctor: data of other people than the file's is refused as serve does", () => {
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(path.join(data, "dev"), "");
  writeFileSync(file, JSON.stringify({ bot_token: TOKEN }));
  const serve = frond(["serve", "--data", data, "--config", file, "--json"]);
  assert.equal(JSON.parse(serve.out.trim().split("\n").at(-1)).code, "dev_data");
  rmSync(path.join(data, "dev"));
  writeFileSync(path.join(data, "frond.db"), "x");
  assert.equal(look({}, ["--dev"])[0].code, "production_data");
  assert.equal(look({ bot_token: TOKEN, telegram: { environment: "test" } })[0].code, "telegram_environment");
});

end();
