// cli.test.mjs: every verb of `frond` against a running host, on the folder it left, and on nothing; both forms, exit codes, and
// replays of what one build recorded by the other.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import net from "node:net";
import { cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync, writeSync, closeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";
import { Player, playDuel } from "./player.mjs";

const { check, end } = checks();
const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const CLANG = path.join(BUILD, "clang/frond");
const work = mkdtempSync(path.join(tmpdir(), "frond-cli-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

/** Runs one command; never a shell. */
function frond(args, { bin = FROND, cwd = ROOT, env = {} } = {}) {
  const run = spawnSync(bin, args, { cwd, env: { ...process.env, FROND_DATA: "", ...env }, encoding: "utf8", timeout: 120000, maxBuffer: 64 << 20 });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

/** Runs it for people and with --json; both must agree on the exit code, and JSON is one document on stdout and nothing else. */
function both(args, code, options) {
  const text = frond(args, options), doc = frond(["--json", ...args], options);
  const about = `frond ${args.join(" ")}\n${text.out}${text.err}\n${doc.out}${doc.err}`;
  assert.equal(text.code, code, about);
  assert.equal(doc.code, code, about);
  assert.equal(doc.err, "", about);
  assert.equal(doc.out.trim().split("\n").length, 1, about);
  const json = JSON.parse(doc.out);
  assert.equal(json.ok, code === 0, about);
  if (code === 0) {
    assert.equal(text.err, "", about);
    assert.notEqual(text.out, "", about);
  } else {
    assert.match(json.code, /^[a-z_]+$/, about);
    assert.equal(text.err, `frond: ${json.detail.replaceAll("\n", " ")} (${json.code})\n`, about);
  }
  return { ...json, text: text.out };
}
const refused = (args, code, options) => { const r = both(args, 1, options); assert.equal(r.code, code, JSON.stringify(r)); return r; };

// ---- without a host

await check("cli: version and help need nothing", () => {
  assert.match(both(["version"], 0).result.frond, /^\d+\.\d+\.\d+$/);
  for (const args of [["help"], ["--help"], ["-h"]]) assert.match(frond(args).out, /plugin new NAME/);
  assert.match(both(["help", "match", "replay"], 0).text, /--beside N/);
  assert.match(both(["help", "ledger"], 0).text, /frond ledger mint PLAYER AMOUNT/);
  assert.match(frond(["ledger", "mint", "--help"]).out, /^frond ledger mint PLAYER AMOUNT/);
  assert.equal(frond(["--version"]).code, 0);
});

await check("cli: wrong words are usage errors with a hint, exit code 2", () => {
  for (const [args, hint] of [
    [[], /frond help/], [["serv"], /did you mean "frond serve"/], [["ledger"], /balance, mint, audit, journal/], [["ledger", "blance", "x"], /did you mean "frond ledger balance"/],
    [["replay", "x"], /did you mean "frond match replay"/], [["match", "list", "--limt", "3"], /did you mean --limit/], [["match", "list", "--limit"], /needs a value/],
    [["match", "show"], /MATCH is missing/], [["match", "show", "a", "b"], /one argument too many/], [["ledger", "audit", "--json=1"], /takes no value/],
    [["plugin", "new", "x", "--kind", "gmae"], /game or tool/], [["match", "replay", "x", "--times", "0"], /from 1 to/], [["match", "replay"], /which match/],
    [["match", "verify"], /frond match verify MATCH/], [["match", "list", "--limit", "x"], /--limit wants a whole number, not "x"/], [["plugin", "logs", "duel", "--limit=-1"], /whole number/],
    [["plugin", "enable", ""], /PLUGIN is empty/], [["plugin", "new", "moon", ""], /DIR is empty/], [["restore", ""], /BACKUP is empty/], [["match", "replay", "x", "--from", "y"], /--from wants/],
    [["help", "ledgr"], /frond help/], [["doctor", "-x"], /no option -x/], [["zzzzzz"], /frond help/],
  ]) {
    const r = both(args, 2);
    assert.equal(r.code, "usage");
    assert.match(r.detail, hint, args.join(" "));
  }
});

await check("cli: no data folder, a file in its place, a folder that was never served", () => {
  refused(["ledger", "audit", "--data", path.join(work, "nowhere")], "data_missing");
  refused(["match", "list"], "data_missing", { env: { FROND_DATA: path.join(work, "nowhere") } });
  refused(["ledger", "audit", "--data", path.join(ROOT, "Makefile")], "data_missing");
  mkdirSync(path.join(work, "empty"));
  const r = both(["ledger", "audit", "--data", path.join(work, "empty")], 1);
  assert.match(r.detail, /no database|does not exist/);
});

// ---- a plugin of one's own

const games = path.join(work, "games");
const edit = (file, from, to) => {
  const text = readFileSync(file, "utf8");
  assert.ok(typeof from === "string" ? text.includes(from) : from.test(text), `${file} has no ${from}`);
  writeFileSync(file, text.replace(from, to));
};

await check("cli: plugin new makes a game and a tool that pass plugin test at once", () => {
  for (const [name, kind] of [["moon-race", "game"], ["notes", "tool"]]) {
    const text = frond(["plugin", "new", name, path.join(work, `text-${name}`), "--kind", kind]);
    assert.equal(text.code, 0, text.err);
    assert.match(text.out, /main\.lua/);
    const json = JSON.parse(frond(["plugin", "new", name, path.join(games, name), "--kind", kind, "--json"]).out);
    assert.ok(json.ok && json.result.files.includes("main.lua"));
    assert.equal(JSON.parse(readFileSync(path.join(games, name, "plugin.json"), "utf8")).id, name);
    const tested = both(["plugin", "test", path.join(games, name)], 0);
    assert.ok(tested.result.done.some((line) => /_test\.lua: \d+ passed/.test(line)), tested.text);
    assert.equal(both(["plugin", "check", path.join(games, name)], 0).result.plugin, name);
  }
  assert.match(readFileSync(path.join(games, "moon-race/web/index.html"), "utf8"), /<title>Moon Race<\/title>/);
  assert.equal(both(["plugin", "check", "games/duel"], 0).result.problems.length, 0);
});

await check("cli: plugin new refuses bad names and folders that are there", () => {
  for (const name of ["Moon", "1moon", "moon--race", "moon_race", "../moon", "a".repeat(33)]) refused(["plugin", "new", name, path.join(work, "bad")], "bad_name");
  for (const name of ["frond", "plugin", "host"]) assert.match(refused(["plugin", "new", name, path.join(work, "bad")], "bad_name").detail, /taken by the host/);
  refused(["plugin", "new", "moon-race", path.join(games, "moon-race")], "exists");
  assert.ok(!existsSync(path.join(work, "bad")));
});

await check("cli: plugin check finds what is wrong and shows where", () => {
  const broken = (name, file, from, to) => {
    const folder = path.join(work, `broken-${name}`);
    cpSync(path.join(games, "moon-race"), folder, { recursive: true });
    edit(path.join(folder, file), from, to);
    return refused(["plugin", "check", folder], "check_failed");
  };
  assert.match(broken("syntax", "rules.lua", "return M\n", "return = M\n").text, /rules\.lua:\d+: .*\n(.*\n)*.*> \d+ \|/);
  assert.match(broken("manifest", "plugin.json", '"seats"', '"seets"').text, /did you mean "seats"/);
  assert.match(broken("input", "main.lua", "play = function", "pley = function").text, /declares the input "play"/);
  assert.match(broken("raise", "main.lua", "local ok, reason = rules.choose", "local x = nil + args.card\n      local ok, reason = rules.choose").text, /main\.lua:\d+: attempt to perform arithmetic on a nil value/);
  assert.match(broken("loop", "main.lua", "local ok, reason = rules.choose", "while true do end\n      local ok, reason = rules.choose").text, /cpu_limit/);
  assert.match(broken("bot", "main.lua", "{ card = mine.hand[match:int(1, #mine.hand)] }", "{ card = 9 }").text, /the bot of seat 1 plays play with arguments/);
  assert.match(broken("global", "main.lua", "local mine = state.seats[seat]\n    if mine.card", "asked = 1; local mine = state.seats[seat]\n    if mine.card").text, /the bot of seat 1: main\.lua:\d+: /);
  const tool = path.join(work, "broken-call");
  cpSync(path.join(games, "notes"), tool, { recursive: true });
  edit(path.join(tool, "main.lua"), "if not list then list, version = {}, 0 end", "list = list or {}");
  assert.match(refused(["plugin", "check", tool], "check_failed").text, /call add with .*: main\.lua:\d+: bad argument 'if_version' to store\.put.*\n(.*\n)*.*> \d+ \|.*store\.put/);
  // A game that remembers outside its state plays, but not twice the same.
  const folder = path.join(work, "broken-variable");
  cpSync(path.join(games, "moon-race"), folder, { recursive: true });
  edit(path.join(folder, "main.lua"), "local TURN_MS", "local asked = 0\nlocal TURN_MS");
  edit(path.join(folder, "main.lua"), "local ok, reason = rules.choose", "state.asked = asked\n      local ok, reason = rules.choose");
  edit(path.join(folder, "main.lua"), 'return "play"', 'asked = asked + 1\n    return "play"');
  assert.match(refused(["plugin", "check", folder], "check_failed").text, /came out differently/);
  refused(["plugin", "check", path.join(work, "nowhere")], "folder_missing");
});

await check("cli: plugin test fails when a test fails, says nothing or is not there", () => {
  const folder = path.join(work, "failing");
  cpSync(path.join(games, "moon-race"), folder, { recursive: true });
  edit(path.join(folder, "rules.lua"), "a == 1 and b == 5 or ", "");
  assert.match(refused(["plugin", "test", folder], "check_failed").text, /rules_test\.lua: 2 passed, 2 failed\n +not ok moon-race: /);
  writeFileSync(path.join(folder, "rules_test.lua"), "local x = 1");
  assert.match(refused(["plugin", "test", folder], "check_failed").text, /says nothing/);
  rmSync(path.join(folder, "rules_test.lua"));
  assert.match(refused(["plugin", "test", folder], "check_failed").text, /there is no \*_test\.lua/);
});

// ---- with a host

writeFileSync(path.join(work, "frond.json"), JSON.stringify({ plugins: ["games", path.join(ROOT, "games")] }));
const host = await startHost({ args: ["--config", path.join(work, "frond.json")] });
const data = ["--data", host.data], here = { env: { FROND_DATA: host.data } };
const ann = await new Player(() => host.url, 7001, "Ann").signIn(), ben = await new Player(() => host.url, 7002, "Ben").signIn();
const STAKE = "1000000000";
let duel, race;

await check("cli: a host serves the new game, and it is played to its end", async () => {
  const list = both(["plugin", "list", ...data], 0);
  assert.deepEqual(list.result.map((p) => [p.id, p.state]), [["moon-race", "up"], ["notes", "up"], ["duel", "up"], ["hello", "up"], ["quiz", "up"]]);
  assert.match(list.text, /^id +version +kind +state .*\nmoon-race +0\.1\.0 +game +up /);
  ann.connect(); ben.connect();
  await ann.until(() => ann.open, 5000).catch(() => {});
  assert.ok((await ann.find({ game: "moon-race", mode: "classic", stake: "0", bot: true })).ok);
  race = await ann.until(() => [...ann.matches.values()].find((m) => m.game === "moon-race"), 10000, "the race");
  while (!race.over) {
    const seen = race.seq;
    if (race.view.card === undefined && race.view.hand?.length) await ann.move(race, "play", { card: race.view.hand[0] });
    await ann.until(() => race.over || race.seq > seen, 15000, "a card of the bot");
  }
  assert.equal(race.end.reason, "played");
  const noted = await ann.http("POST", "/v1/call/notes/add", { text: " milk " });
  assert.deepEqual(noted, { status: 200, body: { notes: ["milk"] } });
  assert.deepEqual((await ann.http("POST", "/v1/call/notes/list", {})).body, { notes: ["milk"] });
});

await check("cli: a staked duel stands in journal, balances and match list", async () => {
  for (const p of [ann, ben]) { await p.approve("duel", "PALM", STAKE); assert.ok((await p.find({ game: "duel", mode: "classic", stake: STAKE })).ok); }
  const [a, b] = await Promise.all([ann, ben].map((p) => p.until(() => [...p.matches.values()].find((m) => m.game === "duel"), 15000, "the duel")));
  await Promise.all([playDuel(ann, a), playDuel(ben, b)]);
  duel = a;
  const list = both(["match", "list", ...data], 0);
  assert.deepEqual(list.result.map((m) => m.game), ["duel", "moon-race"]);
  assert.match(list.text, /^id +game +mode +state +stake +asset +records +created_at\n/);
  assert.equal(both(["match", "list", "--limit", "1", "--state", "ended", ...data], 0).result.length, 1);
  assert.equal(both(["match", "list", "--state", "running", ...data], 0).text, "nothing\n");
  refused(["match", "list", "--state", "lost", ...data], "invalid");
  const shown = both(["match", "show", duel.id, ...data], 0);
  assert.equal(shown.result.hash, duel.end.hash);
  assert.match(shown.text, new RegExp(`hash +${duel.end.hash}\n`));
  assert.match(shown.text, /log +\d+ records: \d+ input/);
  assert.match(shown.text, /seat +name +id +bot\n +1 +(Ann|Ben)/);
  assert.match(both(["ledger", "journal", "--owner", `player:${ann.player}`, ...data], 0).text, /settle/);
  assert.equal(both(["ledger", "balance", "treasury", ...data], 0).result.length, 1);
  const audit = both(["ledger", "audit", ...data], 0);
  assert.ok(audit.result.good && audit.result.sum === "0" && audit.result.holds_open === 0);
});

await check("cli: mint: a key names one mint, whatever is typed again", () => {
  const balance = () => both(["ledger", "balance", `player:${ben.player}`, ...data], 0).result.find((b) => b.asset === "PALM").free;
  const before = Number(balance());
  const mint = ["ledger", "mint", ben.player, "12.5", "--key", "gift-1", ...data];
  const first = both(mint, 0);                              // twice already: for people and as JSON
  assert.equal(both(mint, 0).result.transfer, first.result.transfer);
  assert.equal(Number(balance()), before + 12.5);
  both(["ledger", "mint", ben.player, "13", "--key", "gift-1", ...data], 1);
  refused(["ledger", "mint", "999", "1", ...data], "player_unknown");
  refused(["ledger", "mint", ben.player, "1.0000000001", ...data], "invalid");
  refused(["ledger", "mint", ben.player, "0", ...data], "invalid");
  for (const owner of ["somebody", "player:", "plugin:", "pool:", "treasury:x", "burn:", "player", `${"x".repeat(40)}:1`]) refused(["ledger", "balance", owner, ...data], "owner_unknown");
  for (const owner of ["player:x", "player:999", "player:0"]) for (const verb of [["balance", owner], ["journal", "--owner", owner]]) refused(["ledger", ...verb, ...data], "player_unknown");
  for (const verb of [["balance", "treasury"], ["journal", "--owner", "treasury"]]) refused(["ledger", ...verb, "--asset", "palm", ...data], "asset_unknown");
  assert.match(refused(["ledger", "journal", "--asset", "PALM", ...data], "invalid").detail, /owner/);
  assert.match(refused(["ledger", "journal", "--limit", "201", ...data], "invalid").detail, /whole number from 1 to 200/);
  assert.match(refused(["match", "list", "--before", "x", ...data], "invalid").detail, /"x" is no match's id/);
  for (const folder of [path.join(work, "nowhere"), path.join(work, "frond.json", "x")]) refused(["plugin", "install", folder, ...data], "folder_missing");
});

await check("cli: a backup does not go where the data is", () => {
  for (const name of ["inside", "inside/deeper", "../" + path.basename(host.data) + "/inside"]) assert.match(refused(["backup", `${host.data}/${name}`, ...data], "backup_path").detail, /lies in the data folder/);
  assert.ok(!existsSync(path.join(host.data, "inside")) && !existsSync(path.join(host.data, "inside.part")));
});

await check("cli: plugins are switched off and on, and their lines are read", async () => {
  assert.equal(both(["plugin", "disable", "notes", ...data], 0).text, "done\n");
  assert.equal(both(["plugin", "list", ...data], 0).result.find((p) => p.id === "notes").state, "disabled");
  assert.equal((await ann.http("POST", "/v1/call/notes/list", {})).body.code, "plugin_disabled");
  both(["plugin", "enable", "notes", ...data], 0);
  for (let i = 0; i < 100 && (await ann.http("POST", "/v1/call/notes/list", {})).status !== 200; i++) await new Promise((r) => setTimeout(r, 50));
  assert.equal((await ann.http("POST", "/v1/call/notes/list", {})).status, 200);
  both(["plugin", "logs", "notes", "--limit", "5", ...data], 0);
  refused(["plugin", "logs", "nope", ...data], "plugin_unknown");
  refused(["plugin", "enable", "nope", ...data], "plugin_unknown");
});

const file = path.join(work, "duel.json");
await check("cli: a replay comes to the same hash 100 of 100 times, live, from its export, and in the other compiler's build", () => {
  const live = both(["match", "replay", duel.id, "--times", "100", ...data], 0);
  assert.deepEqual({ ...live.result, records: 0, snapshots: 0 }, { runs: 100, equal: 100, starts: 1, snapshots: 0, records: 0, hash: duel.end.hash, beside: 0 });
  assert.equal(live.text, `100 of 100 equal, ${live.result.records} records, hash ${duel.end.hash}\n`);
  assert.equal(frond(["match", "show", duel.id, "--export", file, ...data]).code, 0);
  refused(["match", "show", duel.id, "--export", file, ...data], "exists");
  for (const bin of [FROND, CLANG]) {
    if (!existsSync(bin)) { console.log(`# ${bin} is not built: skipped`); continue; }
    const run = both(["match", "replay", "--file", file, "--times", "100", "--beside", "8"], 0, { bin, cwd: work });
    assert.equal(run.result.equal, 100);
    assert.equal(run.result.hash, duel.end.hash);
  }
});

await check("cli: a log that was changed, another engine, half a file: refused, and where it differs", () => {
  const made = JSON.parse(readFileSync(file, "utf8")), other = path.join(work, "other.json");
  const replay = (change) => { const e = structuredClone(made); change(e); writeFileSync(other, JSON.stringify(e)); return ["match", "replay", "--file", other, "--times", "3"]; };
  const at = made.records.findIndex((r) => JSON.parse(r.record).kind === "input");
  const differs = refused(replay((e) => { const r = JSON.parse(e.records[at].record); r.now_ms += 1; e.records[at].record = JSON.stringify(r); }), "replay_differs");
  assert.equal(differs.result.first_different, at + 1);
  assert.match(differs.text, new RegExp(`first difference is at record ${at + 1};`));
  refused(replay((e) => { e.package.files["rules.lua"] = e.package.files["rules.lua"].replace("ROUNDS = 6", "ROUNDS = 5"); }), "replay_differs");
  refused(replay((e) => { e.engine = "frond-0/lua-5.4.0"; }), "engine_differs");
  writeFileSync(other, readFileSync(file, "utf8").slice(0, 5000));
  both(["match", "replay", "--file", other], 1);
  refused(["match", "replay", "--file", path.join(work, "nowhere.json")], "file");
  for (const verb of ["replay", "verify"]) assert.match(refused(["match", verb, "--file", path.join(ROOT, "Makefile")], "export").detail, /Makefile is no export of a match: line 1/);
  refused(["match", "replay", "00000000-0000-7000-8000-000000000000", ...data], "match_unknown");
  refused(["match", "show", "xyz", ...data], "invalid");
});

await check("cli: doctor of a healthy host has nothing to mend", () => {
  const r = both(["doctor", ...data], 0);
  const of = (name) => r.result.checks.filter((c) => c.name === name);
  assert.ok(of("sandbox").length > 0 && of("sandbox").every((c) => c.state === "ok"));
  assert.match(of("host")[0].text, new RegExp(`process ${host.child.pid} is serving with --dev`));
  assert.match(of("ledger")[0].text, /^sum 0, /);
  assert.match(of("plugins").at(-1).text, /^5 of 5 up/);
});

await check("cli: names of strangers send no commands to a terminal", async () => {
  const evil = await new Player(() => host.url, 7003, "\u001b[31mEve\u202e\u0007").signIn();
  evil.connect();
  await evil.until(() => evil.open, 5000).catch(() => {});
  assert.ok((await evil.find({ game: "moon-race", mode: "classic", stake: "0", bot: true })).ok);
  const match = await evil.until(() => [...evil.matches.values()][0], 10000, "a race");
  const text = frond(["match", "show", match.id, ...data]).out;
  assert.match(text, /Eve/);
  assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  await evil.ask("match.leave", { match: match.id });
  evil.close();
});

await check("cli: an answer that cannot be written is no success", () => {
  const full = openSync("/dev/full", "w");
  const run = spawnSync(FROND, ["match", "list", "--json", ...data], { stdio: ["ignore", full, "pipe"], encoding: "utf8" });
  closeSync(full);
  assert.equal(run.status, 1);
  assert.match(run.stderr, /cannot write the answer/);
});

// ---- the socket itself

/** Sends bytes and gives what came back until `count` lines are there or the other side closed. */
function talk(bytes, count = 1) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path.join(host.data, "frond.sock"));
    let text = "";
    const done = () => { socket.destroy(); resolve(text.split("\n").filter(Boolean).map((line) => JSON.parse(line))); };
    const timer = setTimeout(() => reject(new Error(`no answer to ${String(bytes).slice(0, 80)}`)), 15000);
    socket.on("data", (data) => { text += data; if (text.split("\n").length > count) { clearTimeout(timer); done(); } });
    socket.on("close", () => { clearTimeout(timer); done(); });
    socket.on("error", () => {});
    socket.write(bytes);
  });
}

await check("console: nonsense is refused, order is kept, a line and a crowd have their bounds", async () => {
  assert.equal((statSync(path.join(host.data, "frond.sock")).mode & 0o777).toString(8), "600");
  for (const bytes of ["x\n", "{}\n", '{"verb":"status"}\n', '{"verb":"nope","args":{}}\n', '{"verb":"status","args":[]}\n', "[]\n", "\n"]) {
    const [answer] = await talk(bytes);
    assert.equal(answer.ok, false, bytes);
    assert.match(answer.code, /^[a-z_]+$/);
  }
  const ask = (verb, args = {}) => `${JSON.stringify({ verb, args })}\n`;
  const three = await talk(ask("ledger.audit") + ask("status") + ask("match.list", { limit: "1" }), 3);
  assert.deepEqual(three.map((a) => Object.keys(a.result)[0]), ["good", "running", "0"]);
  assert.deepEqual(await talk("x".repeat(300 * 1024)), []);                    // no line of that length: closed
  const crowd = [];
  for (let i = 0; i < 16; i++) crowd.push(net.connect(path.join(host.data, "frond.sock")));
  await Promise.all(crowd.map((s) => new Promise((r) => s.on("connect", r))));
  await new Promise((r) => setTimeout(r, 100));
  assert.deepEqual(await talk(ask("status")), []);                             // one too many
  for (const s of crowd) { s.write(ask("ledger.audit")); s.destroy(); }           // gone before the answer
  let answered = [];
  for (let i = 0; i < 100 && answered.length === 0; i++) answered = await talk(ask("status"));
  assert.equal(answered[0].ok, true);
});

// ---- the folder of a host that does not answer, then of one that is gone

await check("cli: deposits that nobody asked for, and a host without a chain", () => {
  assert.deepEqual(both(["deposit", "list", ...data], 0).result, []);
  refused(["deposit", "show", ann.player, ...data], "deposit_unknown");
  refused(["deposit", "show", "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92267", ...data], "deposit_unknown");
  refused(["deposit", "show", "0xF39fd6e51aad88F6F4ce6aB8827279cffFb92266", ...data], "invalid");       // a checksum that does not fit
  refused(["chain", "reconcile", ...data], "chain_off");
});

await check("cli: a folder that a silent host holds is not touched", () => {
  const copy = path.join(work, "sock");
  spawnSync("mv", [path.join(host.data, "frond.sock"), copy]);
  const r = refused(["ledger", "audit", ...data], "data_locked");
  assert.match(r.detail, new RegExp(String(host.child.pid)));
  const doctor = both(["doctor", ...data], 1);
  assert.equal(doctor.code, "unwell");
  assert.equal(doctor.result.checks.find((c) => c.name === "host").state, "fail");
  spawnSync("mv", [copy, path.join(host.data, "frond.sock")]);
  both(["ledger", "audit", ...data], 0);
});

const questions = [["ledger", "balance", "treasury"], ["ledger", "balance", `player:${ann.player}`], ["ledger", "journal", "--limit", "50"], ["ledger", "journal", "--owner", `player:${ben.player}`],
  ["ledger", "audit"], ["deposit", "list"], ["match", "list"], ["match", "show", duel?.id ?? ""], ["match", "show", race?.id ?? ""]];
let live;
await check("cli: what the host said, the folder says without it", async () => {
  ann.close(); ben.close();
  live = questions.map((args) => both(args, 0, here));
  assert.equal(await host.stop(), 0);
  for (const [i, args] of questions.entries()) assert.deepEqual(both(args, 0, here), live[i], args.join(" "));
  assert.equal(both(["match", "replay", duel.id, "--times", "5", "--beside", "2"], 0, here).result.equal, 5);
  for (const args of [["plugin", "list"], ["plugin", "logs", "duel"], ["plugin", "enable", "duel"], ["plugin", "disable", "duel"]]) refused(args, "no_host", here);
  both(["ledger", "mint", ben.player, "1", "--key", "offline"], 0, here);
  const doctor = both(["doctor"], 0, here);
  assert.match(doctor.result.checks.find((c) => c.name === "host").text, /none is running/);
});

await check("cli: outside --dev nothing that a chain backs is minted", () => {
  const real = path.join(work, "real");
  cpSync(host.data, real, { recursive: true });
  unlinkSync(path.join(real, "dev"));
  for (const asset of ["PALM", "NFNT", "GHUB"]) refused(["ledger", "mint", ben.player, "1", "--asset", asset, "--data", real], "asset_backed");
  both(["ledger", "mint", ben.player, "1", "--asset", "TEST", "--key", "t", "--data", real], 0);
});

await check("cli: a damaged database is named, not repaired", () => {
  const hurt = path.join(work, "hurt");
  cpSync(host.data, hurt, { recursive: true });
  const db = path.join(hurt, "frond.db"), size = statSync(db).size;
  const fd = openSync(db, "r+");
  for (let at = 8192; at < size; at += 4096) writeSync(fd, Buffer.alloc(64, 0xa5), 0, 64, at);
  closeSync(fd);
  refused(["ledger", "audit", "--data", hurt], "store_damaged");
  assert.equal(both(["doctor", "--data", hurt], 1).result.checks.find((c) => c.name === "store").state, "fail");
  truncateSync(db, 50);
  refused(["match", "list", "--data", hurt], "store_damaged");
});

await check("cli: a coin that the ledger did not move is found", () => {
  const wrong = path.join(work, "wrong");
  cpSync(host.data, wrong, { recursive: true });
  const sql = "import sqlite3,sys\ndb=sqlite3.connect(sys.argv[1])\nn=db.execute(\"SELECT name FROM sqlite_schema WHERE type='table' AND name LIKE '%account%'\").fetchone()[0]\ncols=[c[1] for c in db.execute('PRAGMA table_info('+n+')')]\ncol='free' if 'free' in cols else 'free_units'\ndb.execute('UPDATE '+n+' SET '+col+'='+col+'+1 WHERE rowid=(SELECT max(rowid) FROM '+n+')')\ndb.commit()\n";
  const changed = spawnSync("python3", ["-c", sql, path.join(wrong, "frond.db")], { encoding: "utf8" });
  assert.equal(changed.status, 0, changed.stderr);
  const r = refused(["ledger", "audit", "--data", wrong], "ledger_wrong");
  assert.equal(r.result.good, false);
  both(["doctor", "--data", wrong], 1);
});

host.clean();
end();
