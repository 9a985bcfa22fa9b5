// idempotency.test.mjs: a call with an Idempotency-Key whose host is killed in the middle of it: the key is told that nobody knows, and the call does not
// run again. What was refused clearly may be tried again with its key, over a restart too.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { checks, startHost } from "./host.mjs";
import { Player } from "./player.mjs";

const { check, end } = checks();
const folder = mkdtempSync(path.join(tmpdir(), "frond-keys-"));
mkdirSync(path.join(folder, "plugins", "slow"), { recursive: true });
writeFileSync(path.join(folder, "plugins", "slow", "plugin.json"), JSON.stringify({
  id: "slow", name: "Slow", version: "1.0.0", api: "2026-11-01", kind: "tool", grants: { store: { why: "it counts" } }, calls: { work: {}, count: {}, tired: {} },
}));
writeFileSync(path.join(folder, "plugins", "slow", "main.lua"), `local frond = require "frond"
local store = frond.store
local function count(ctx, name) return store.get(ctx.player.id, name) or 0 end
return frond.plugin { calls = {
  work = function(ctx)                       -- begins, and is at it until its deadline
    store.put(ctx.player.id, "begun", count(ctx, "begun") + 1)
    for i = 1, 100000 do store.put(ctx.player.id, "at", i) end
  end,
  count = function(ctx) return count(ctx, "begun") end,
  tired = function(ctx)
    local n = count(ctx, "asked") + 1
    store.put(ctx.player.id, "asked", n)
    if n == 1 then return nil, "rate" end
    return n
  end,
} }
`);
const config = path.join(folder, "frond.json");
writeFileSync(config, JSON.stringify({ plugins: ["plugins"] }));
const args = ["--config", config];
let host = await startHost({ args });
const ann = await new Player(() => host.url, 601, "Ann").signIn();
// A plugin that is still starting refuses clearly, so the same key may ask again.
async function call(fn, key) {
  for (;;) {
    const answer = await ann.http("POST", `/v1/call/slow/${fn}`, {}, key ? { "idempotency-key": key } : {});
    if (answer.body?.code !== "plugin_starting") return answer;
  }
}
async function restart(signal) {
  await host.stop(signal);
  host = await startHost({ data: host.data, args });
}

await check("a_call_that_was_cut_off_does_not_run_again", async () => {
  const cut = call("work", "one").then((answer) => answer.status, () => "cut off");
  while ((await call("count")).body !== 1);            // it has begun, and what it did is on disk
  assert.equal((await call("work", "one")).body.code, "in_progress");
  await restart("SIGKILL");
  assert.equal(await cut, "cut off");
  for (let i = 0; i < 3; i++) {
    const again = await call("work", "one");
    assert.equal(again.status, 409, JSON.stringify(again.body));
    assert.equal(again.body.code, "outcome_unknown");
  }
  assert.equal((await call("count")).body, 1);
  await restart("SIGTERM");
  assert.equal((await call("work", "one")).body.code, "outcome_unknown");
});
await check("what_was_refused_may_be_tried_again_with_its_key_after_a_restart_too", async () => {
  assert.equal((await call("tired", "two")).body.code, "rate");
  await restart("SIGTERM");
  assert.equal((await call("tired", "two")).body, 2);
  assert.equal((await call("tired", "two")).body, 2);
  await restart("SIGKILL");
  assert.equal((await call("tired", "two")).body, 2);
  assert.equal((await call("nothing", "three")).status, 404);
  assert.equal((await call("nothing", "three")).status, 404);
});

await host.stop();
host.clean();
rmSync(folder, { recursive: true, force: true });
end();
process.exit();
