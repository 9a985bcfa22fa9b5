// stream.test.mjs: what a plugin's call says before it answers (ctx:stream) reaches the socket that called, in order and before the answer; its end is
// told also when the worker dies; what is bounded is bounded, and who does not read loses the socket, nobody else.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import WebSocket from "ws";
import { checks, startHost } from "./host.mjs";
import { Player } from "./player.mjs";

const must = (good, text) => { if (!good) throw new Error(text ?? "nothing came"); };
const folder = mkdtempSync(path.join(tmpdir(), "frond-stream-"));
mkdirSync(path.join(folder, "plugins/talk"), { recursive: true });
mkdirSync(path.join(folder, "plugins/asks"), { recursive: true });
const manifest = (id, more) => JSON.stringify({ id, name: id, version: "1.0.0", api: "2026-11-01", kind: "tool", ...more });
writeFileSync(path.join(folder, "plugins/talk/plugin.json"), manifest("talk", { grants: { store: { why: "to wait for something" } },
  calls: Object.fromEntries(["pieces", "waits", "fails", "raises", "quiet", "forever", "lots"].map((name) => [name, { args: { type: "object", properties: { n: { type: "integer" } } } }])) }));
writeFileSync(path.join(folder, "plugins/talk/main.lua"), `local frond = require "frond"
local function pieces(ctx, n) for i = 1, n do ctx:stream(i .. "·") end end
return frond.plugin { calls = {
  pieces = function(ctx, args) pieces(ctx, args.n) return "done" end,
  waits = function(ctx, args) for i = 1, args.n do ctx:stream(i .. "·") frond.store.get("plugin", "k") end return "done" end,
  fails = function(ctx) ctx:stream("so far") return nil, "sold_out", "come back" end,
  raises = function(ctx) ctx:stream("so far") error("oh") end,
  quiet = function() return 1 end,
  forever = function(ctx) ctx:stream("it begins") while true do frond.store.get("plugin", "k") end end,
  lots = function(ctx) for i = 1, 16 do ctx:stream(("x"):rep(8192)) end return "done" end,
} }`);
writeFileSync(path.join(folder, "plugins/asks/plugin.json"), manifest("asks", { grants: { call: { why: "to pass it on", plugins: ["talk"] } }, calls: { through: {} } }));
writeFileSync(path.join(folder, "plugins/asks/main.lua"), `local frond = require "frond"
return frond.plugin { calls = { through = function(ctx) ctx:stream("mine") return frond.call("talk", "pieces", { n = 3 }) end } }`);
writeFileSync(path.join(folder, "config.json"), JSON.stringify({ plugins: [path.join(folder, "plugins")] }));

const { check, end } = checks();
const host = await startHost({ args: ["--config", path.join(folder, "config.json")] });
const url = () => host.url;
const ann = (await new Player(url, 1, "Ann").signIn()).connect();
await ann.until(() => ann.open || ann.ask("ping"), 10000, "a line");
const events = [];
// The answers too, so that what came when can be told: `events` in the order of the line.
const take = ann.take.bind(ann);
ann.take = (message) => { if (message.id !== undefined) events.push(message); if (!message.ev) take(message); else for (const one of [...ann.listeners]) one(message); };
const of = (id) => events.filter((one) => one.id === id);
/** Calls and gives {text, end, answer, order}. */
async function call(plugin, fn, args = {}, more = {}) {
  const id = ann.nextId, answer = await ann.ask("call", { plugin, fn, args, ...more });
  const mine = of(id), deltas = mine.filter((one) => one.ev === "stream.delta");
  return { answer, text: deltas.map((one) => one.text).join(""), deltas: deltas.length, end: mine.find((one) => one.ev === "stream.end"), order: mine.map((one) => one.ev ?? "answer").filter((one, i, all) => one !== all[i - 1]).join(" ") };
}
const counted = (n) => Array.from({ length: n }, (_, i) => `${i + 1}·`).join("");

await check("a hundred pieces arrive in order, then the end, then the answer", async () => {
  for (const fn of ["pieces", "waits"]) {
    const heard = await call("talk", fn, { n: 100 });
    must(heard.answer.ok && heard.answer.result === "done", JSON.stringify(heard.answer));
    must(heard.text === counted(100), heard.text);
    must(heard.order === "stream.delta stream.end answer", heard.order);
    must(heard.end.ok === true && !heard.end.cut, JSON.stringify(heard.end));
    must(heard.deltas < 100, "pieces that come together go out together");
  }
});

await check("calls side by side each hear their own", async () => {
  const heard = await Promise.all(Array.from({ length: 8 }, (_, i) => call("talk", "waits", { n: 20 + i })));
  heard.forEach((one, i) => must(one.text === counted(20 + i), `call ${i}: ${one.text}`));
});

await check("a call that fails says so at the end of its stream too; a quiet one has none", async () => {
  const refused = await call("talk", "fails"), raised = await call("talk", "raises"), quiet = await call("talk", "quiet");
  must(refused.text === "so far" && refused.end.ok === false && refused.end.error.code === "sold_out" && refused.answer.error.code === "sold_out", JSON.stringify(refused));
  must(raised.text === "so far" && raised.end.error.code === "plugin_error", JSON.stringify(raised));
  must(quiet.order === "answer", quiet.order);
});

await check("with an idempotency key it streams once; the answer that was kept comes alone", async () => {
  const first = await call("talk", "pieces", { n: 3 }, { key: "once" }), again = await call("talk", "pieces", { n: 3 }, { key: "once" });
  must(first.text === counted(3) && first.order === "stream.delta stream.end answer", JSON.stringify(first));
  must(again.order === "answer" && again.answer.result === "done", JSON.stringify(again));
});

await check("what a plugin called by another streams goes nowhere, and over HTTP all of it does", async () => {
  const through = await call("asks", "through");
  must(through.text === "mine" && through.answer.result === "done", JSON.stringify(through));
  const answer = await ann.http("POST", "/v1/call/talk/pieces", { n: 5 });
  must(answer.status === 200 && answer.body === "done", JSON.stringify(answer));
});

await check("a worker that dies in the middle ends the stream with the refusal", async () => {
  const id = ann.nextId, asked = call("talk", "forever");
  await ann.until(() => of(id).length > 0, 10000, "the first word");
  const killed = await ann.http("POST", "/v1/dev/kill", { what: "worker", plugin: "talk" });
  must(killed.status < 300, JSON.stringify(killed));
  const heard = await asked;
  must(heard.text === "it begins" && heard.order === "stream.delta stream.end answer", JSON.stringify(heard));
  must(heard.end.ok === false && heard.end.error.code === heard.answer.error.code, JSON.stringify(heard));
});

await check("who reads gets 128 KiB whole; who does not read is closed, and the host goes on", async () => {
  let heard;
  do { await new Promise((resolve) => setTimeout(resolve, 50)); heard = await call("talk", "lots"); } while (heard.answer.error?.code === "plugin_starting");      // its worker was just killed
  must(heard.text.length === 128 * 1024, String(heard.text.length));
  const deaf = new WebSocket(host.url.replace(/^http/, "ws") + "/v1/socket", ["frond.v1", `bearer.${ann.token}`]);
  await new Promise((resolve, reject) => { deaf.on("open", resolve); deaf.on("error", reject); });
  deaf._socket.pause();
  const closed = new Promise((resolve) => deaf.on("close", resolve));
  deaf.on("error", () => {});
  // Each round asks for 5 MiB; the kernel's buffers hold some of it. Once the host has closed the line, writing to it fails or the reader sees its end.
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 40; i++) deaf.send(JSON.stringify({ id: round * 100 + i, op: "call", plugin: "talk", fn: "lots", args: {} }));
    const alive = await call("talk", "pieces", { n: 2 });
    must(alive.text === counted(2) || alive.answer.error?.code, JSON.stringify(alive));
    await new Promise((resolve) => setTimeout(resolve, 1100));      // 50 messages a second are allowed
  }
  deaf._socket.resume();
  const code = await closed;
  must(code === 1013 || code === 1006, `closed with ${code}`);
  const after = await call("talk", "pieces", { n: 2 });
  must(after.text === counted(2), JSON.stringify(after));
});

ann.close();
await host.stop();
host.clean();
rmSync(folder, { recursive: true, force: true });
end();
