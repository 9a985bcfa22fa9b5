// expiry.test.mjs: a hold that a plugin forgets ends by the clock, through kill -9: its coins go back to the player and to what the player
// approved, once, and open pages are told, as of every change.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, checks, startHost } from "./host.mjs";
import { Player } from "./player.mjs";

const { check, end } = checks();
const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const work = mkdtempSync(path.join(tmpdir(), "frond-expiry-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
mkdirSync(path.join(work, "plugins/till"), { recursive: true });
const args = { type: "object", properties: { key: { type: "string" }, amount: { type: "integer" } } };
writeFileSync(path.join(work, "plugins/till/plugin.json"), JSON.stringify({
  id: "till", name: "Till", version: "1.0.0", api: "2026-11-01", kind: "tool", grants: { ledger: { why: "t", assets: ["PALM", "TEST"] } },
  calls: { hold: { args }, left: { args }, both: { args } },
}));
writeFileSync(path.join(work, "plugins/till/main.lua"), `
local frond = require "frond"
local ledger, consent = frond.ledger, frond.consent
return frond.plugin { calls = {
  hold = function(ctx, a) return ledger.hold { player = ctx.player.id, asset = "PALM", amount = a.amount, ttl_ms = 2000, key = a.key } end,
  left = function(ctx) return consent.get(ctx.player.id, "PALM") end,
  both = function(ctx, a)
    return ledger.linked { key = a.key, ops = frond.array {
      { "charge", { player = ctx.player.id, asset = "TEST", amount = 5 } }, { "charge", { player = ctx.player.id, asset = "PALM", amount = 7 } } } }
  end,
} }`);
writeFileSync(path.join(work, "frond.json"), '{"plugins":["plugins"]}');
const options = { args: ["--config", path.join(work, "frond.json")] };

let host = await startHost(options);
const ann = await new Player(() => host.url, 8001, "Ann").signIn(), told = [];
const call = async (name, body = {}) => {
  for (let i = 0; ; i++) {
    const answer = await ann.http("POST", `/v1/call/till/${name}`, body);
    if (answer.status !== 503 || i > 100) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const palm = async () => (await ann.wallet()).body.assets.find((a) => a.asset === "PALM");
ann.listeners.push((message) => { if (message.ev === "wallet") told.push(message); });

await check("expiry: what a forgotten hold took comes back to the player and the approval, through kill -9", async () => {
  const before = await palm();
  assert.ok([200, 201].includes((await ann.approve("till", "PALM", 1000)).status));
  assert.equal((await call("hold", { amount: 900, key: "h" })).status, 200);
  assert.equal((await call("left")).body.left, 100);
  assert.equal((await palm()).held, "900");
  await host.stop("SIGKILL");
  host = await startHost({ ...options, data: host.data });
  assert.equal((await call("left")).body.left, 100);
  ann.connect();
  await ann.until(() => told.some((m) => m.asset === "PALM" && m.held === "0"), 20000, "the end of the hold");
  assert.deepEqual(await palm(), before);
  assert.equal((await call("left")).body.left, 1000);
  assert.equal((await call("hold", { amount: 900, key: "h" })).status, 200);             // a retry finds the hold that is over, and spends nothing
  assert.equal((await call("left")).body.left, 1000);
});

await check("expiry: pages are told of what an operator gives, and of each asset that linked steps move", async () => {
  told.length = 0;
  assert.equal(spawnSync(FROND, ["ledger", "mint", ann.player, "3", "--asset", "TEST", "--data", host.data]).status, 0);
  await ann.until(() => told.some((m) => m.asset === "TEST" && m.free === "300"), 10000, "the gift");
  for (const asset of ["TEST", "PALM"]) await ann.approve("till", asset, 1000);
  told.length = 0;
  assert.equal((await call("both", { key: "b" })).status, 200);
  await ann.until(() => told.some((m) => m.asset === "TEST" && m.free === "295") && told.some((m) => m.asset === "PALM"), 10000, "both");
});

ann.close();
await host.stop();
const audit = JSON.parse(spawnSync(FROND, ["ledger", "audit", "--json", "--data", host.data], { encoding: "utf8" }).stdout);
await check("expiry: the ledger is right, and no hold is open", () => assert.deepEqual([audit.result.good, audit.result.holds_open], [true, 0]));
host.clean();
end();
