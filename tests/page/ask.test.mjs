// ask.test.mjs: the shell's section "Ask" against a scripted model: an answer comes word by word and can be stopped, at the model too; what goes wrong is said in words; how far the
// host's own model is, is told; keys are shown once, work, and stop working; and what Google published is told as that.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { FakeModels } from "../fake/models/server.mjs";
import { audit } from "../flow/audit.mjs";
import { BUILD, checks, startHost } from "../flow/host.mjs";
import { PHONE, SIZES, launch, person, until } from "./browser.mjs";

const SHOTS = path.join(BUILD, "test-shots"), NAMES = ["Frond", "PALM", "Ann", "Ben", "Med-PaLM", "PaLM-E", "PaLM 2", "AudioPaLM", "AudioLM", "PaLM", "Pathways", "Google", "OpenAI", "JSON", "MedQA", "TPU", "API", "v4", "fake-model", "my laptop"];
mkdirSync(SHOTS, { recursive: true });
const WORDS = Array.from({ length: 60 }, (_, i) => `word${i}`).join(" ");
const model = new FakeModels({ models: ["fake-model"], how: { text: WORDS, token_ms: 40 } });
await model.listen();
const folder = mkdtempSync(path.join(tmpdir(), "frond-ask-")), config = path.join(folder, "config.json");
writeFileSync(config, JSON.stringify({ models: { engine: false, limits: { player: { tokens_day: 100000 } }, backends: [{ name: "fake", url: model.url, models: [{ name: "fake-model", can: ["chat", "json"] }] }] } }));
const { check: run, end } = checks();
const host = await startHost({ args: ["--config", config] }), browser = await launch();
const faults = [];
const check = (name, body) => run(name, async () => { await body(); assert.deepEqual(faults.splice(0), []); });
async function inspect(one, what, { sizes = SIZES, language = "en" } = {}) {
  for (const size of sizes) {
    await one.page.setViewportSize(size);
    await one.page.waitForTimeout(300);
    const scheme = await one.page.evaluate(() => document.documentElement.dataset.scheme);
    await one.page.screenshot({ path: path.join(SHOTS, `${what}-${size.width}-${language}-${scheme}.png`) });
    for (const fault of await one.page.mainFrame().evaluate(audit, { language, names: NAMES })) if (language === "ko" || !fault.startsWith("foreign")) faults.push(`${what} at ${size.width}, ${scheme}: ${fault}`);
  }
  await one.page.setViewportSize(PHONE);
}
const ann = await person(browser, host.url, "Ann", { permissions: ["clipboard-read", "clipboard-write"] }), ben = await person(browser, host.url, "Ben", { locale: "ko-KR", colorScheme: "dark" });
const at = (one, id) => one.page.getByTestId(id);
const last = (one) => one.page.locator(".talk li").last();
const ready = (one) => until("the model to be there", async () => await at(one, "model-state").getAttribute("data-ready") === "true", 30000);

await check("ask: an answer comes word by word and is whole in the end", async () => {
  for (const one of [ann, ben]) { await at(one, "tab-ask").click(); await ready(one); }
  assert.match(await at(ann, "model-state").textContent(), /fake-model/);
  await inspect(ann, "ask-empty", { sizes: [SIZES[0]] });
  await at(ann, "ask-text").fill("What do you say?");
  await at(ann, "ask-text").press("Enter");
  const seen = new Set();
  await until("the whole answer", async () => { seen.add(await last(ann).locator(".words").textContent({ timeout: 1000 }).catch(() => "")); return await last(ann).getAttribute("data-state") === "said"; });
  assert.equal(await last(ann).locator(".words").textContent(), WORDS);
  const parts = [...seen].filter((text) => text.startsWith("word0") && text.length < WORDS.length);
  assert.ok(parts.length >= 4 && parts.every((text) => WORDS.startsWith(text)), `${parts.length} parts were seen`);
  assert.equal(model.asked.at(-1).question, "What do you say?");
  const budget = at(ann, "ask-budget"), left = async () => Number((await budget.textContent()).replace(/\D/g, ""));
  await until("what it took to be told", async () => await left() < 100000);
  assert.ok(await left() > 90000, await budget.textContent());
  await inspect(ann, "ask-said");
});

await check("ask: stop ends the answer, at the model too, and it can be asked again", async () => {
  const aborted = model.aborted;
  await at(ben, "ask-text").fill("멈춰 볼까?");
  await at(ben, "ask-send").click();
  await until("some words", async () => (await last(ben).locator(".words").textContent({ timeout: 1000 }).catch(() => "")).length > 20);
  await at(ben, "ask-stop").click();
  await until("it to be stopped", async () => await last(ben).getAttribute("data-state") === "stopped");
  const text = await last(ben).locator(".words").textContent();
  await until("the model to hear of it", () => model.aborted > aborted);
  await ben.page.waitForTimeout(200);
  assert.equal(await last(ben).locator(".words").textContent(), text);
  assert.ok(text.length < WORDS.length && WORDS.startsWith(text));
  await inspect(ben, "ask-stopped", { language: "ko", sizes: [SIZES[0]] });
  model.script({ text: "짧은 답" });
  await at(ben, "ask-again").click();
  await until("another answer", async () => await last(ben).getAttribute("data-state") === "said");
  assert.equal(await last(ben).locator(".words").textContent(), "짧은 답");
  assert.equal(await ben.page.locator(".talk li").count(), 2);
});

await check("ask: what goes wrong is said, and nothing that was said is lost", async () => {
  model.script({ status: 400, error: "no" }, { text: WORDS, die_after: 8 });
  await at(ann, "ask-text").fill("Will you fail?");
  await at(ann, "ask-send").click();
  await at(ann, "ask-problem").waitFor();
  assert.ok((await at(ann, "ask-problem").textContent()).length > 8);
  await at(ann, "ask-again").click();
  await until("the broken answer", async () => await last(ann).getAttribute("data-state") === "failed" && await last(ann).locator(".words").count() > 0);
  assert.match(await last(ann).locator(".words").textContent(), /^word0/);
  await inspect(ann, "ask-failed", { sizes: [SIZES[0]] });
  await at(ann, "ask-clear").click();
  assert.equal(await ann.page.locator(".talk li").count(), 0);
});

await check("ask: how far the host's own model is, is told", async () => {
  await ben.page.route("**/v1/llm", (route) => route.fulfill({ json: { ready: false, models: [], engine: { state: "building", done: 120, of: 206 } } }));
  await until("the building to be told", async () => await at(ben, "model-state").getAttribute("data-engine") === "building");
  assert.match(await at(ben, "model-state").textContent(), /206개 중 120개/);
  assert.ok(await at(ben, "ask-send").isDisabled());
  await inspect(ben, "ask-building", { language: "ko", sizes: [SIZES[0]] });
  await ben.page.unroute("**/v1/llm");
  await ready(ben);
});

await check("abilities: what follows what, and Google's figures told as Google's, not ours", async () => {
  for (const one of [ann, ben]) await at(one, "ask-abilities").click();
  for (const id of ["chat", "json", "task", "assess", "translate", "search", "tools", "speech", "vision", "act"]) assert.equal(await at(ann, `ability-${id}`).count(), 1, id);
  assert.match(await at(ann, "not-here").textContent(), /None of them runs here/);
  const systems = await at(ann, "systems").textContent();
  for (const fact of [/540 billion/, /6,144 TPU v4/, /April 4, 2022/, /May 10, 2023/]) assert.match(systems, fact);
  assert.equal(await at(ann, "systems").locator("li").count(), await at(ann, "systems").getByText("published by Google").count(), "each is labelled");
  await inspect(ann, "abilities");
  await inspect(ben, "abilities", { language: "ko", sizes: [SIZES[0]] });
  await at(ann, "try-chat").click();
  assert.match(await at(ann, "ask-text").inputValue(), /sky/);
});

await check("abilities: what can be tried is tried here, and a refusal is said", async () => {
  const go = async (id, text) => {
    await at(ben, `try-${id}`).click();
    if (text) await at(ben, `try-${id}-text`).fill(text);
    await at(ben, `try-${id}-go`).click();
    await until(`${id} to be said`, async () => ["said", "failed"].includes(await at(ben, `try-${id}-said`).getAttribute("data-state")));
    return at(ben, `try-${id}-said`).textContent();
  };
  model.always = { text: JSON.stringify({ summary: "짧은 요약", points: [] }) };
  assert.match(await go("task"), /짧은 요약/);
  model.always = { status: 500 };
  const refused = await go("translate", "다른 글");
  assert.ok(refused.length > 5 && await at(ben, "try-translate-said").locator(".problem").count() === 1, refused);
  model.always = { text: WORDS, token_ms: 40 };
});

await check("keys: shown once, good until revoked", async () => {
  await at(ann, "ask-keys").click();
  await at(ann, "keys-none").waitFor();
  await at(ann, "key-name").fill("my laptop");
  await at(ann, "key-make").click();
  const key = await at(ann, "key-text").inputValue();
  const models = () => fetch(`${host.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  assert.match(key, /^frond-/);
  assert.equal((await models()).status, 200);
  await inspect(ann, "keys-made", { sizes: [SIZES[0]] });
  await at(ann, "key-done").click();
  await ann.page.reload();
  await at(ann, "tab-ask").click();
  await at(ann, "ask-keys").click();
  await at(ann, "keys").waitFor();
  assert.ok(!(await ann.page.content()).includes(key), "the key is not shown again");
  await inspect(ann, "keys", { sizes: [SIZES[0]] });
  await at(ann, "revoke-key").click();
  await at(ann, "revoke-key-sure").click();
  await at(ann, "keys-none").waitFor();
  assert.equal((await models()).status, 401);
});

await check("ask: nobody's console complained of anything but the refusals", async () => {
  for (const one of [ann, ben]) assert.deepEqual(one.complaints.filter((text) => !/status of (400|4\d\d|50\d)/.test(text)), []);
});

await browser.close();
await host.stop();
await model.close();
host.clean();
rmSync(folder, { recursive: true, force: true });
end();
