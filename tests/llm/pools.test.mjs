// pools.test.mjs: many calls over pods that are processes, one of which is killed on the way: none lost, none told twice, each its own answer, in order. LLM_CALLS=10000 is the long run.
import test from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const CALLS = Number(process.env.LLM_CALLS ?? 1000);
const TOOL = `${process.env.BUILD ?? "build"}/llm-tool`;
const SERVER = fileURLToPath(new URL("../fake/models/server.mjs", import.meta.url));

async function startPod(t, name, how, more = []) {
  const child = spawn("node", [SERVER, "--name", name, "--how", JSON.stringify(how), ...more], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^ready (\S+)/.exec(line)?.[1];
    if (url) return { url, child, get: async (path) => (await fetch(url + path)).json() };
  }
  throw new Error("the pod ended");
}

/** Runs the calls; `watch(n)` hears how many have ended. */
async function run(t, { calls = CALLS, atOnce = 64, mode = "whole", pods, watch = () => {} }) {
  const child = spawn(TOOL, [String(calls), String(atOnce), mode, ...pods.map((pod) => pod.url)], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const over = new Promise((resolve) => child.on("exit", (code, signal) => resolve(signal ?? code)));
  let report = null;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("done ")) watch(Number(line.slice(5)));
    else report = JSON.parse(line);
  }
  assert.equal(await over, 0, "the tool ends well");
  return report;
}

function nobodyLost(got, calls = CALLS) {
  assert.deepEqual({ told: got.told, wrong: got.wrong, twice: got.twice, out_of_order: got.out_of_order }, { told: calls, wrong: 0, twice: 0, out_of_order: 0 }, JSON.stringify(got));
}
const once = (asked) => { const seen = new Map(); for (const { question, state } of asked) if (state === "answered") seen.set(question, (seen.get(question) ?? 0) + 1); return [...seen].filter(([, n]) => n > 1); };

test(`${CALLS} calls over two pods, one killed on the way`, async (t) => {
  const pods = [await startPod(t, "stays", { work_ms: 5 }, ["--slots", "16"]), await startPod(t, "dies", { work_ms: 5 }, ["--slots", "16"])];
  let killedAt = 0;
  const got = await run(t, { pods, watch: (n) => { if (!killedAt && n >= CALLS / 3) { killedAt = n; pods[1].child.kill("SIGKILL"); } } });
  nobodyLost(got);
  assert.equal(got.failed, 0, got.last_error);
  const asked = await pods[0].get("/asked"), [stays, dies] = ["b/0", "b/1"].map((name) => got.pool.pods.find((pod) => pod.name === name));
  assert.ok(killedAt > 0 && killedAt < CALLS);
  assert.deepEqual(once(asked), [], "the pod that stayed answered nothing twice");
  assert.equal(stays.answered + dies.answered, CALLS, "each call has one answer");
  assert.equal(got.tries, CALLS + got.pool.retried);
  assert.equal(dies.state, "down");
  t.diagnostic(`killed after ${killedAt}: ${dies.answered} answered by the pod that died, ${stays.answered} by the other, ${got.pool.retried} sent again elsewhere, p50 ${got.p50_ms} ms, p99 ${got.p99_ms} ms, all in ${got.ms} ms`);
});

test("streams that were cut are told so, all others are whole", async (t) => {
  const calls = CALLS / 2, pods = [await startPod(t, "stays", { token_ms: 2 }, ["--slots", "16"]), await startPod(t, "dies", { token_ms: 2 }, ["--slots", "16"])];
  let killed = false;
  const got = await run(t, { calls, mode: "stream", pods, watch: (n) => { if (!killed && n >= calls / 3) { killed = true; pods[1].child.kill("SIGKILL"); } } });
  nobodyLost(got, calls);
  assert.equal(got.failed, 0, got.last_error);       // failed: nothing had been told of it
  assert.ok(killed && got.cut <= 64);
  assert.deepEqual(once(await pods[0].get("/asked")), []);
  t.diagnostic(`${got.cut} of ${calls} streams were cut in the middle, ${got.pool.retried} sent again elsewhere before anything of them was told`);
});

test("pods that refuse, lie, die and talk nonsense beside one that is well", async (t) => {
  const bad = { answers: ["x"] };
  const pods = [await startPod(t, "well", {}), await startPod(t, "bad", bad, ["--refuse-over", "2"])];
  const next = [{ status: 500 }, { status: 429, retry_after: 1 }, { bad_json: true }, { content_type: "text/html" }, { die_after: 1 }, { die_after: -1 }, { status: 302, location: "http://127.0.0.1:1/" }, { count: 1 }, { raw: "" }, { usage: "huge" }];
  await fetch(`${pods[1].url}/script`, { method: "POST", body: JSON.stringify({ next: Array.from({ length: 40 }, (_, i) => next[i % next.length]), always: { status: 503 } }) });
  const calls = 300, got = await run(t, { calls, pods });
  nobodyLost(got, calls);
  assert.equal(got.failed, 0, got.last_error);
  t.diagnostic(`${got.pool.retried} sent again elsewhere`);
});

test("embeddings over two pods, one killed on the way: each has all of its own, in order", async (t) => {
  const calls = 150, pods = [await startPod(t, "stays", { work_ms: 2 }), await startPod(t, "dies", { work_ms: 2 })];
  let killed = false;
  const got = await run(t, { calls, atOnce: 8, mode: "embed", pods, watch: (n) => { if (!killed && n >= 50) { killed = true; pods[1].child.kill("SIGKILL"); } } });
  nobodyLost(got, calls);
  assert.equal(got.failed, 0, got.last_error);
  assert.equal(got.pool.shards, 3 * calls);
  t.diagnostic(`${got.pool.shards} shards, ${got.pool.retried} sent again elsewhere`);
});

test("two pods and one: how many calls a second", async (t) => {      // printed, not judged: the machine may be busy
  const how = { work_ms: 20 }, calls = Math.max(400, CALLS / 5);
  const one = await run(t, { calls, atOnce: 128, pods: [await startPod(t, "a", how, ["--slots", "8"])] });
  const two = await run(t, { calls, atOnce: 128, pods: [await startPod(t, "b", how, ["--slots", "8"]), await startPod(t, "c", how, ["--slots", "8"])] });
  nobodyLost(one, calls);
  nobodyLost(two, calls);
  t.diagnostic(`one pod ${Math.round(calls * 1000 / one.ms)} calls/s, two ${Math.round(calls * 1000 / two.ms)} calls/s: ratio ${(one.ms / two.ms).toFixed(2)}`);
});
