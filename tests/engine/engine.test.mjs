// The real engine in the real jail, watched by llm/engine: up, asked, killed, up again, and gone with its host.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import http from "node:http";
import path from "node:path";
import readline from "node:readline";
import { BUILD } from "../flow/host.mjs";
import { at, folderOf, gone, program, until, users } from "./jail.mjs";

const ENGINE = path.join(BUILD, "engine/llama-server"), MODEL = path.join(BUILD, "engine/model.gguf");
const skip = existsSync(ENGINE) && existsSync(MODEL) ? false : "engine is not built: make engine";

/** Starts engine-tool, keeps its last line of facts. */
function start(user, folder) {
  const child = spawn(program("engine-tool"), [program("frond-jail"), program("engine/llama-server"), program("engine/model.gguf"), folder], { ...user.ids, stdio: ["pipe", "pipe", "inherit"], env: { SECRET: "hunter2" } });
  const tool = { child, facts: {}, states: [], over: new Promise((resolve) => child.on("exit", (code, signal) => resolve(code ?? signal))) };
  process.on("exit", () => child.kill("SIGKILL"));
  readline.createInterface({ input: child.stdout }).on("line", (line) => { tool.facts = JSON.parse(line); tool.states.push(tool.facts.state); });
  tool.up = (starts) => until(() => tool.facts.state === "up" && tool.facts.starts === starts);
  return tool;
}

function ask({ socket, key }, url, body, headers = { authorization: `Bearer ${key}` }) {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath: socket, path: url, method: body ? "POST" : "GET", headers: { ...headers, "content-type": "application/json" } }, (answer) => {
      let text = "";
      answer.on("data", (bytes) => { text += bytes; }).on("end", () => resolve({ status: answer.statusCode, text }));
    });
    request.on("error", reject).end(body && JSON.stringify(body));
  });
}

let made = 0;
for (const user of users) {
  test(`the engine of ${user.name}: up, asked, killed, up again, gone with its host`, { skip }, async () => {
    const home = folderOf(user, `home${++made}`), tool = start(user, path.join(home, "engine"));
    await tool.up(1);
    assert.deepEqual(tool.states.filter((s) => s !== "loading"), ["starting", "up"]);
    assert.equal((await ask(tool.facts, "/health", null, {})).status, 200);
    assert.equal((await ask(tool.facts, "/v1/chat/completions", { messages: [] }, {})).status, 401);
    const chat = await ask(tool.facts, "/v1/chat/completions", { messages: [{ role: "user", content: "Say hello." }], max_tokens: 16, seed: 1 });
    assert.equal(chat.status, 200, chat.text);
    const doc = JSON.parse(chat.text);
    assert.ok(doc.choices[0].message.content.length > 0 && doc.usage.completion_tokens > 0 && doc.model === "local");
    const schema = { type: "object", properties: { answer: { enum: ["yes", "no"] } }, required: ["answer"], additionalProperties: false };
    const json = await ask(tool.facts, "/v1/chat/completions", { messages: [{ role: "user", content: "Is water wet?" }], max_tokens: 32, response_format: { type: "json_schema", json_schema: { name: "a", schema } } });
    assert.match(JSON.parse(JSON.parse(json.text).choices[0].message.content).answer, /^(yes|no)$/);
    const vector = JSON.parse((await ask(tool.facts, "/v1/embeddings", { input: "hello" })).text).data[0].embedding;
    assert.equal(vector.length, 576);
    assert.equal(JSON.parse((await ask(tool.facts, "/slots")).text).length, 4);
    assert.match((await ask(tool.facts, "/metrics")).text, /llamacpp:tokens_predicted_total [1-9]/);

    const { pid, key } = tool.facts, proc = (name) => readFileSync(`/proc/${pid}/${name}`, "latin1");
    assert.match(proc("status"), /NoNewPrivs:\t1\n/);
    assert.match(proc("status"), /Seccomp:\t2\n/);
    assert.match(proc("status"), /CapEff:\t0+\n/);
    assert.equal(proc("oom_score_adj").trim(), "1000");
    assert.ok(!proc("cmdline").includes(key));
    if (user.name === "root") {
      assert.match(proc("status"), /Uid:\t61\d\d\d\t/);
      assert.deepEqual(proc("environ").split("\0").filter(Boolean).sort(), [`LLAMA_API_KEY=${key}`, "MALLOC_ARENA_MAX=4", "OMP_WAIT_POLICY=passive"]);
    }
    assert.deepEqual(readdirSync(path.join(home, "engine")), ["llama.sock"]);

    process.kill(pid, "SIGKILL");
    await tool.up(2);
    assert.ok(tool.states.includes("down") && tool.facts.pid !== pid && gone(pid));
    assert.equal((await ask(tool.facts, "/v1/models")).status, 200);
    const last = tool.facts.pid;
    tool.child.kill("SIGKILL");                  // what no host can prepare for
    await tool.over;
    await until(() => gone(last));
    const next = start(user, path.join(home, "engine"));       // and the next one finds its way
    await next.up(1);
    next.child.stdin.write("stop\n");
    assert.equal(await next.over, 0);
    assert.ok(gone(next.facts.pid));
  });
}
