// models.test.mjs: the models of a running host, for its operator: asked, kept, played again, counted, and configured anew without a restart.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { FakeModels } from "../fake/models/server.mjs";
import { BUILD, checks, startHost } from "./host.mjs";

const { check, end } = checks();
const folder = mkdtempSync(path.join(tmpdir(), "frond-models-")), config = path.join(folder, "frond.json");
const [one, two] = [new FakeModels({ name: "one", models: ["m"] }), new FakeModels({ name: "two", models: ["m", "n"] })];
const urls = [await one.listen(), await two.listen()];
const write = (models) => writeFileSync(config, JSON.stringify({ models }));
const backend = (at, ...names) => ({ name: `b${at}`, url: urls[at], models: names.map((name) => ({ name, can: ["chat"], context: 8192 })) });
write({ engine: false, backends: [backend(0, "m")], filters: { refuse: ["forbidden"], hide_secrets: true } });
const host = await startHost({ args: ["--config", config] });
const run = (...args) => promisify(execFile)(path.join(BUILD, "frond"), [...args, "--json", "--data", host.data]).catch((error) => error);      // the models answer from this process
const frond = async (...args) => { const { stdout } = await run(...args), said = JSON.parse(stdout); assert.ok(said.ok, stdout); return said.result; };
const refused = async (...args) => { const said = JSON.parse((await run(...args)).stdout); assert.ok(!said.ok, `${args} was not refused`); return said.code; };
const until = async (what, body) => {
  for (let i = 0; i < 400; i++) { const got = await body(); if (got) return got; await new Promise((resolve) => setTimeout(resolve, 50)); }
  assert.fail(what);
};
let kept;

await check("models: the operator asks, and the answer names who gave it", async () => {
  const got = await frond("llm", "ask", "hello there");
  assert.equal(got.text, "echo: hello there");
  await until("/healthz to say so", async () => (await (await fetch(`${host.url}/healthz`)).json()).models === "up");      // made once a second
  assert.deepEqual([got.model, got.pod, got.finish, got.record], ["m", "b0/0", "stop", ""]);
  assert.ok(got.answer_tokens > 0 && got.prompt_tokens > 0);
  assert.equal(await refused("llm", "ask", "hello", "--model", "n"), "model_unknown");
  assert.equal(await refused("llm", "ask", "say Forbidden"), "llm_refused");
  assert.equal(await refused("llm", "ask", "hello", "--tokens", "0"), "invalid");
  assert.equal((await frond("llm", "ask", "the key sk-abcdefghijklmnopqrstuvwx")).text, "echo: the key [hidden]");
});

await check("models: what was asked to be kept is kept, and can be played again without a model", async () => {
  kept = (await frond("llm", "ask", "keep this", "--keep")).record;
  assert.match(kept, /^[0-9a-f-]{36}$/);
  const row = await until("the record", async () => { try { return await frond("llm", "record", kept); } catch { return null; } });
  assert.equal(JSON.parse(row.request).messages[0].content, "keep this");
  assert.equal(JSON.parse(row.answer).choices[0].message.content, "echo: keep this");
  assert.deepEqual((await frond("llm", "record")).map((r) => r.id), [kept]);
  const asked = one.facts().requests, played = await frond("llm", "replay", kept);
  assert.deepEqual([played.good, played.request_agrees, played.text, one.facts().requests - asked], [true, true, "echo: keep this", 0]);
  assert.equal(await refused("llm", "replay", "nothing"), "record_unknown");
});

await check("models: usage is counted by day, and figures stand at /metrics", async () => {
  const [row] = await until("usage", async () => { const rows = await frond("llm", "usage"); return rows[0]?.calls === 3 ? rows : null; });
  assert.deepEqual([row.payer, row.tenant, row.model, row.failed, row.cost], ["operator", "operator", "m", 0, "0"]);
  const pools = await frond("llm", "pools");
  assert.equal(pools.ready, true);
  assert.deepEqual(pools.pools.pods.map((pod) => [pod.name, pod.state, pod.asked]), [["b0/0", "up", 3]]);
  const token = readFileSync(path.join(host.data, "operator-token"), "utf8").trim();
  const text = await (await fetch(`${host.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
  for (const line of ["frond_llm_calls_total 3", "frond_llm_calls_running 0", 'frond_llm_pod_up{pod="b0/0"} 1', "frond_llm_slabs_total 0"]) assert.ok(text.includes(`\n${line}\n`), line);
});

await check("models: settings are read again on demand and on SIGHUP; a mistake in them changes nothing", async () => {
  write({ engine: false, backends: [backend(1, "m", "n")], by_language: { ko: "n" } });
  assert.deepEqual(await frond("llm", "reload"), { reloaded: true });
  assert.deepEqual((await frond("llm", "pools")).pools.pods.map((pod) => pod.name), ["b1/0"]);
  assert.equal((await frond("llm", "ask", "again", "--model", "n")).text, "echo: again");
  assert.deepEqual([(await frond("llm", "ask", "again")).model, (await frond("llm", "ask", "again", "--lang", "ko")).model], ["m", "n"]);
  assert.equal(await refused("llm", "ask", "again", "--lang", "k o"), "llm_request");
  write({ engine: false, backends: [{ name: "b0" }] });
  assert.equal(await refused("llm", "reload"), "models");
  assert.equal((await frond("llm", "ask", "still", "--model", "n")).pod, "b1/0");
  assert.match((await run("doctor", "--quick", "--config", config)).stdout, /"name":"config","state":"fail","text":"[^"]*models.backends\[0\].url[^"]*"[^}]*"code":"models"/);
  write({ engine: false, backends: [backend(0, "m")] });
  host.child.kill("SIGHUP");
  await until("the new settings", async () => (await frond("llm", "pools")).pools.pods[0]?.name === "b0/0");
  assert.equal(await refused("llm", "ask", "gone", "--model", "n"), "model_unknown");
});

await check("models: without a pod that is up a call is refused with when to ask again, and the host stops in good order", async () => {
  one.close();
  await until("the pod to be found gone", async () => /"ok":false.*(llm_down|client_|llm_backend)/.test((await run("llm", "ask", "x")).stdout));
  assert.equal(await host.stop(), 0);
});

host.clean();
two.close();
rmSync(folder, { recursive: true, force: true });
end();
