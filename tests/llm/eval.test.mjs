// eval.test.mjs: `frond llm eval` against a model that is right as often as the test wants: the figure it prints is that, with the eval sets of the built-in tasks and with the items inside lm_eval's wheel.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, checks, ROOT, startHost } from "../flow/host.mjs";
import { FakeModels } from "../fake/models/server.mjs";

const must = (good, text) => { if (!good) throw new Error(typeof text === "string" ? text : JSON.stringify(text ?? "nothing came")); };
const run = (program, args) => new Promise((resolve) => execFile(program, args, { cwd: ROOT, maxBuffer: 1 << 24 }, (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr })));
const folder = mkdtempSync(path.join(tmpdir(), "frond-eval-"));
const fake = new FakeModels({ models: ["fake-model"] });
await fake.listen();
writeFileSync(path.join(folder, "config.json"), JSON.stringify({ models: { engine: false, cache: { bytes: 0 }, default: "fake-model", backends: [{ name: "fake", url: fake.url, models: [{ name: "fake-model", can: ["chat", "json"] }] }] } }));
const host = await startHost({ args: ["--config", path.join(folder, "config.json")] });
const frond = async (...args) => {
  const { code, stdout, stderr } = await run(path.join(BUILD, "frond"), [...args, "--data", host.data, "--json"]);
  must(stdout, stderr);
  return { code, ...JSON.parse(stdout) };
};
const { check, end } = checks();
const builtin = (name) => JSON.parse(readFileSync(path.join(ROOT, "llm/prompts", `${name}.json`)));
const say = (answer) => ({ text: JSON.stringify({ reasoning: "so it is", answer }) });

await check("three of four are three of four", async () => {
  fake.script(...builtin("reason").eval.items.map((item, i) => say(i === 2 ? "no idea" : `${item.want} pieces`)));
  const { result } = await frond("llm", "eval", "reason");
  must(result.items === 4 && result.right === 3 && result.wrong === 1 && result.accuracy === 0.75 && result.model === "fake-model", result);
  must(result.low > 0.2 && result.low < 0.4 && result.high > 0.9 && result.misses.length === 1 && result.misses[0].item === 3, result);
});

await check("an answer that never fits counts as wrong, and is said", async () => {
  fake.script(...Array(3).fill({ text: "I would rather not." }), say("C"));
  const { result } = await frond("llm", "eval", "choice");
  must(result.items === 2 && result.right === 1 && result.failed === 1 && result.accuracy === 0.5, result);
  const text = await (async () => { fake.script(say("B"), say("C")); return (await run(path.join(BUILD, "frond"), ["llm", "eval", "choice", "--data", host.data])).stdout; })();
  must(/choice@[0-9a-f]{12} by fake-model: 2 of 2 right \(choice\), 100\.0 %; with so few items anything from \d/.test(text), text);
});

await check("a task runs by its name and from a file, and slips are named", async () => {
  const file = path.join(folder, "hello.json");
  writeFileSync(file, JSON.stringify({ prompt: "Say hello to {{who}}", vars: { type: "object", properties: { who: { type: "string" } }, required: ["who"] } }));
  const { result } = await frond("llm", "task", file, '{"who":"Ann"}');
  must(result.value.startsWith("echo: Say hello to <data who "), result);
  must((await frond("llm", "task", file, "{}")).code !== 0, "without its variable");
  const none = await frond("llm", "eval", file);
  must(JSON.stringify(none).includes("eval_missing"), none);
  must((await frond("llm", "task", "reeson", "{}")).code !== 0, "no such task");
});

const wheel = path.join(ROOT, "build/lm_eval/lm_eval.whl");
let there = true;
try { readFileSync(wheel); } catch { there = false; }
if (!there) console.log("# skipped: no build/lm_eval/lm_eval.whl (make lm-eval); the items of lm_eval are not looked at");
else await check("the worked examples inside lm_eval's wheel", async () => {
  const made = await run(path.join(ROOT, "build/venv/bin/python"), ["tests/llm/lm_eval_items.py", wheel, "llm/prompts", folder]);
  must(made.code === 0 && made.stdout.includes("gsm8k_cot: 8 items") && made.stdout.includes("mmlu_medical: 25 items"), made.stdout + made.stderr);
  for (const [name, right] of [["gsm8k_cot", 8], ["mmlu_medical", 20]]) {
    const file = path.join(folder, `${name}.json`), { items } = JSON.parse(readFileSync(file)).eval;
    fake.script(...items.map((item, i) => say(i < right ? item.want : "H")));
    const { result } = await frond("llm", "eval", file);
    must(result.items === items.length && result.right === right, result);
  }
});

await host.stop();
host.clean();
await fake.close();
rmSync(folder, { recursive: true, force: true });
end();
