// start.test.mjs: a host that may not start says why in one sentence, for people and as JSON, and has lost nothing; what is wrong with one
// plugin keeps no host from serving the others.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";

const { check, end } = checks();
const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const work = mkdtempSync(path.join(tmpdir(), "frond-start-"));
const REAL = "1234567:" + "A".repeat(35), ANY = ["--listen", "127.0.0.1:0"];
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

function run(program, args, env = {}) {
  const r = spawnSync(program, args, { cwd: work, env: { ...process.env, FROND_DATA: "", FROND_BOT_TOKEN: "", ...env }, encoding: "utf8", timeout: 30000 });
  return { exit: r.status ?? r.signal, out: r.stdout, err: r.stderr };
}

/** Starts it twice; both forms must say the same. Answers the sentence. */
function refused(args, code, { env = {}, exit = 1 } = {}) {
  const text = run(FROND, ["serve", ...args], env), json = run(FROND, ["serve", "--json", ...args], env);
  const about = `${args.join(" ").slice(0, 200)}\n${JSON.stringify(text)}\n${JSON.stringify(json)}`;
  assert.equal(text.exit, exit, about);
  assert.equal(json.exit, exit, about);
  assert.equal(json.err, "", about);
  const doc = JSON.parse(json.out.trim().split("\n").at(-1));
  assert.deepEqual({ ok: doc.ok, code: doc.code }, { ok: false, code }, about);
  assert.equal(text.err, `frond: ${doc.detail} (${code})\n`, about);
  assert.doesNotMatch(text.out, /ready/, about);
  return doc.detail;
}

await check("start: folders that cannot be, addresses that are not ours, a port that is taken", async () => {
  const file = path.join(work, "file"), taken = net.createServer().listen(0, "127.0.0.1").unref();
  await new Promise((resolve) => taken.on("listening", resolve));
  writeFileSync(file, "x");
  for (const [dev, env] of [[["--dev"], {}], [[], { FROND_BOT_TOKEN: REAL }]]) {
    assert.match(refused([...dev, "--data", path.join(work, "no/such/folder"), ...ANY], "io", { env }), /the folder above it is missing/);
    assert.match(refused([...dev, "--data", file, ...ANY], "io", { env }), /is not a folder/);
  }
  refused(["--dev", "--data", path.join(file, "x"), ...ANY], "io");
  assert.match(refused(["--dev", "--data", "x".repeat(2000), ...ANY], "usage", { exit: 2 }), /too long/);
  refused(["--dev", "--data", "x".repeat(300), ...ANY], "io");
  assert.match(refused(["--dev", "--data", path.join(work, "port"), "--listen", `127.0.0.1:${taken.address().port}`], "port_in_use"), /in use/);
  refused(["--data", path.join(work, "address"), "--listen", "192.0.2.1:0"], "io", { env: { FROND_BOT_TOKEN: REAL } });
  assert.equal(readFileSync(file, "utf8"), "x");
  taken.close();
});

await check("start: a folder that a host holds is not touched; with --json it says when it serves", async () => {
  const host = await startHost();
  assert.match(refused(["--dev", "--data", host.data, ...ANY], "data_locked"), new RegExp(`process ${host.child.pid} `));
  assert.equal(await host.stop(), 0);
  const one = spawnSync("timeout", ["-s", "TERM", "3", FROND, "serve", "--json", "--dev", "--no-chain", "--data", host.data, ...ANY], { cwd: ROOT, encoding: "utf8", timeout: 30000 });
  const lines = one.stdout.trim().split("\n").map((line) => JSON.parse(line)), said = lines.find((line) => "ok" in line);
  assert.ok(said?.ok && /^http:\/\/127\.0\.0\.1:\d+$/.test(said.result.ready), one.stdout);
  host.clean();
});

await check("start: a broken plugin is named and the others serve", async () => {
  const manifest = (id, more = "") => `{"id":"${id}","name":"X","version":"1.0.0","api":"2026-11-01","kind":"tool","calls":{"run":{}}${more}}`;
  const fine = 'local frond = require "frond"\nreturn frond.plugin { calls = { run = function() return { ok = true } end } }\n';
  const put = (id, files) => { mkdirSync(path.join(work, "games", id), { recursive: true }); for (const [name, text] of Object.entries(files)) writeFileSync(path.join(work, "games", id, name), text); };
  put("half", { "plugin.json": "{", "main.lua": fine });
  put("slip", { "plugin.json": manifest("slip", ',"nmae":1'), "main.lua": fine });
  put("syntax", { "plugin.json": manifest("syntax"), "main.lua": fine.replace("return", "retrun") });
  put("raises", { "plugin.json": manifest("raises"), "main.lua": 'error("boom")' });
  put("empty", { "plugin.json": manifest("empty") });
  put("fine", { "plugin.json": manifest("fine"), "main.lua": fine });
  writeFileSync(path.join(work, "frond.json"), '{"plugins":["games"]}');
  const host = await startHost({ args: ["--config", path.join(work, "frond.json")] });
  let list = [];
  for (let i = 0; i < 100 && !(list.length && list.every((p) => p.state === "failed" || p.state === "up")); i++) {
    if (i) await new Promise((resolve) => setTimeout(resolve, 50));
    list = JSON.parse(run(FROND, ["plugin", "list", "--json", "--data", host.data]).out).result;
  }
  const of = (id) => list.find((p) => p.id === id);
  assert.equal(of("fine").state, "up");
  for (const [id, says] of [["half", /plugin\.json: line 1, column 2/], ["slip", /did you mean "name"/], ["syntax", /^main\.lua:2: /], ["raises", /main\.lua:1: boom/], ["empty", /main\.lua: there is none/]]) {
    assert.equal(of(id).state, "failed", id);
    assert.match(of(id).error, says, id);
  }
  const doctor = JSON.parse(run(FROND, ["doctor", "--quick", "--json", "--data", host.data]).out).result.checks.filter((c) => c.name === "plugins");
  assert.equal(doctor.filter((c) => c.state === "warn").length, 5);
  assert.match(doctor.at(-1).text, /^1 of 6 up/);
  assert.equal(await host.stop(), 0);
  host.clean();
});

// ulimit -f kills whoever writes: the moment between making a file and filling it.
await check("start: killed while it writes its own small files, it starts the next time", () => {
  for (const there of [[], ["dev"]]) {
    const data = path.join(work, `killed-${there.length}`);
    mkdirSync(data, { mode: 0o700 });
    for (const name of there) writeFileSync(path.join(data, name), "made with --dev\n");
    const killed = run("bash", ["-c", `ulimit -f 0; exec "$0" serve --dev --data "$1" --listen 127.0.0.1:0`, FROND, data]);
    assert.notEqual(killed.exit, 0);
    assert.ok(!existsSync(path.join(data, "dev-bot-token")));
    const next = spawnSync("timeout", ["-s", "TERM", "3", FROND, "serve", "--dev", "--no-chain", "--data", data, ...ANY], { cwd: ROOT, encoding: "utf8", timeout: 30000 });
    assert.match(next.stdout, /^ready http/m, next.stderr);
  }
});

await check("start: a full disk is named, and with room again it starts on what was there", () => {
  const disk = path.join(work, "disk"), data = path.join(disk, "data"), fill = path.join(disk, "fill");
  mkdirSync(disk);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]).status !== 0) { console.log("# no disk can be mounted here: skipped"); return; }
  try {
    const room = (kib) => { rmSync(fill, { force: true }); spawnSync("dd", ["if=/dev/zero", `of=${fill}`, "bs=4k"]); if (kib) spawnSync("truncate", ["-s", `-${kib}K`, fill]); };
    for (const kib of [0, 4, 60, 200]) {
      rmSync(data, { recursive: true, force: true });
      room(kib);
      const sentence = refused(["--dev", "--data", data, ...ANY], "disk_full");
      assert.match(sentence, kib >= 60 ? /make room/ : /./, sentence);
    }
    rmSync(fill);
    const next = spawnSync("timeout", ["-s", "TERM", "3", FROND, "serve", "--dev", "--no-chain", "--data", data, ...ANY], { cwd: ROOT, encoding: "utf8", timeout: 30000 });
    assert.match(next.stdout, /^ready http/m, next.stderr);
    const audit = JSON.parse(run(FROND, ["ledger", "audit", "--json", "--data", data]).out);
    assert.ok(audit.result.good);
    room(0);
    refused(["--dev", "--data", data, ...ANY], "disk_full");
    assert.equal(JSON.parse(run(FROND, ["doctor", "--quick", "--json", "--data", data]).out).result.checks.find((c) => c.name === "disk").state, "fail");
    rmSync(fill);
    assert.deepEqual(JSON.parse(run(FROND, ["ledger", "audit", "--json", "--data", data]).out), audit);
  } finally {
    spawnSync("umount", [disk]);
  }
});

end();
