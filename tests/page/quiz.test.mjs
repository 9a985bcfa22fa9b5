// quiz.test.mjs: two people play the quiz in two browsers with a scripted model: its good questions are asked and marked as its own, its bad ones never are; the
// model dies in the middle and the game goes on with packaged questions to its end; afterwards the tutor's words come to the page as they are said.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { FakeModels } from "../fake/models/server.mjs";
import { audit } from "../flow/audit.mjs";
import { BUILD, checks, startHost } from "../flow/host.mjs";
import { PHONE, SIZES, answerSheet, frameOf, launch, person, until } from "./browser.mjs";

const SHOTS = path.join(BUILD, "test-shots"), STAKE = "1000000000", ROUNDS = 7;
mkdirSync(SHOTS, { recursive: true });
const counts = (word, letter) => word.split(letter).length - 1;
const letters = (word, letter, options, answer = 1) => ({ word, letter, options, answer });
// Of each answer's three questions one is good; the others are refused by the rules: no right option, an option twice. The good ones mark a wrong answer as right.
const GOOD = [["banana", "a", [1, 3, 2, 4]], ["mississippi", "s", [2, 3, 5, 4]]];
const answers = GOOD.map(([word, letter, options], i) => JSON.stringify({ questions: [letters(["pepper", "rabbit"][i], ["p", "b"][i], [0, 1, 4, 5]), letters(word, letter, options), letters("lemon", "e", [1, 1, 2, 3])] }));
// The first answer comes at once, the second when the first question is on the table, the third never: the model dies first.
const model = new FakeModels({ models: ["fake-model"], how: { hang: true } });
model.script({ text: answers[0] }, { text: answers[1] });
await model.listen();
const port = model.port;
const folder = mkdtempSync(path.join(tmpdir(), "frond-quiz-")), config = path.join(folder, "config.json");
writeFileSync(config, JSON.stringify({ models: { engine: false, backends: [{ name: "fake", url: model.url, models: [{ name: "fake-model", can: ["chat", "json"] }] }] } }));

const { check: run, end } = checks();
const host = await startHost({ args: ["--config", config] }), browser = await launch();
const faults = [];
const check = (name, body) => run(name, async () => { await body(); assert.deepEqual(faults.splice(0), []); });
async function inspect(one, what, { sizes = SIZES, language = "en" } = {}) {
  for (const size of sizes) {
    await one.page.setViewportSize(size);
    await one.page.waitForTimeout(300);
    const scheme = await one.page.evaluate(() => document.documentElement.dataset.scheme);
    await one.page.screenshot({ path: path.join(SHOTS, `${what}-${size.width}-${language}-${scheme}.png`), timeout: 4000 }).catch(() => {});      // for people; the clock runs
    for (const fault of await frameOf(one, "quiz").evaluate(audit, { language, names: ["Frond", "PALM", "Ann", "Ben", "DNA", "UN", "K2", "banana", "mississippi", "education", "gracias", "XL", "ohm"] }))
      if (language === "ko" || !fault.startsWith("foreign")) faults.push(`${what} at ${size.width}, ${scheme}: ${fault}`);
  }
  await one.page.setViewportSize(PHONE);
}

// A person whose page keeps what its socket hears.
async function guest(name, options = {}) {
  const one = await person(browser, host.url, name, { ...options, address: null });
  one.heard = [];
  one.page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => one.heard.push(String(payload))));
  // What the game asks the phone to let its owner feel.
  await one.page.addInitScript(() => {
    const post = MessagePort.prototype.postMessage;
    window.felt = [];
    MessagePort.prototype.postMessage = function (message, ...more) { if (message?.op === "haptic") window.felt.push(message.kind); return post.call(this, message, ...more); };
  });
  await one.page.goto(`${host.url}/app/?as=${name}`);
  return one;
}
const ann = await guest("Ann"), ben = await guest("Ben", { locale: "ko-KR", colorScheme: "dark" });
const question = (one) => one.game.getByTestId("question");
const source = (one) => one.game.getByTestId("source").getAttribute("data-by");
const phase = (one) => one.game.getByTestId("board").getAttribute("data-phase");

await check("quiz: both choose topic and stake, and the model's first question is on the table for both, each in their language", async () => {
  for (const one of [ann, ben]) {
    await one.page.getByTestId("open-quiz").click();
    await one.game.getByTestId("lobby").waitFor();
  }
  await inspect(ann, "quiz-lobby");
  await inspect(ben, "quiz-lobby", { language: "ko", sizes: [SIZES[0]] });
  for (const one of [ann, ben]) {
    await one.game.getByTestId("topic-words").check();
    await one.game.getByTestId(`stake-${STAKE}`).check();
    await one.game.getByTestId("find").click();
    await answerSheet(one, "approve-once");
  }
  for (const one of [ann, ben]) await one.game.getByTestId("board").waitFor();
  await until("the first question", async () => await phase(ann) === "question" && await phase(ben) === "question");
  assert.equal(await question(ann).textContent(), "How many times is the letter “a” in “banana”?");
  assert.match(await question(ben).textContent(), /영어 낱말 “banana” 안에 글자 “a” 개수/);
  assert.equal(await source(ann), "model");
});

await check("quiz: nobody is told the right answer before both have answered", async () => {
  const heard = [ann, ben].flatMap((one) => { const about = one.heard.filter((text) => text.includes("banana")); assert.ok(about.length > 0, one.name); return about; });
  for (const text of heard) assert.ok(!/"right"/.test(text), text);
});

const played = [];
/** Answers what is asked: the right one where we know it, else the first. Ann by keyboard, Ben by tap. */
async function answer(round) {
  for (const one of [ann, ben]) await until(`question ${round}`, async () => await phase(one) === "question" && (await one.game.getByTestId("count").textContent()).includes(String(round)), 30000);
  const text = await question(ann).textContent(), by = await source(ann);
  const known = GOOD.find(([word]) => text.includes(word));
  const options = await ann.game.locator(".option .words").allTextContents();
  const at = known ? options.indexOf(String(counts(known[0], known[1]))) + 1 : 1;
  assert.ok(at > 0, `${text}: ${options}`);
  await ann.page.keyboard.press(String(at));
  await ben.game.getByTestId(`option-${at === 4 ? 1 : at + 1}`).click();
  for (const one of [ann, ben]) await until("the answer to be shown", async () => await phase(one) !== "question");
  played.push({ text, by, known: Boolean(known), at });
}

await check("quiz: the right answer is what the rules count, not what the model marked", async () => {
  await inspect(ann, "quiz-question", { sizes: [SIZES[0]] });
  await answer(1);
  assert.ok(Number(await ann.game.getByTestId("me-score").textContent()) >= 500);
  assert.equal(await ben.game.getByTestId("me-score").textContent(), "0");
  assert.match(await ann.game.getByTestId("say").textContent(), /^Right! [\d,]+ points/);
  await inspect(ben, "quiz-reveal", { language: "ko", sizes: [SIZES[0]] });
  assert.deepEqual(await Promise.all([ann, ben].map((one) => frameOf(one, "quiz").evaluate(() => window.felt))), [["medium", "select", "success"], ["medium", "select", "warning"]]);
});

await check("quiz: the model dies in the middle, and the game goes on with packaged questions to its end", async () => {
  await answer(2);
  assert.equal(played[1].by, "model");
  await model.close();
  for (let round = 3; round <= ROUNDS; round++) await answer(round);
  for (const one of [ann, ben]) await one.game.getByTestId("result").waitFor({ timeout: 30000 });
  assert.deepEqual(played.map((one) => one.by), ["model", "model", ...Array(ROUNDS - 2).fill("packaged")]);
  assert.equal(new Set(played.map((one) => one.text)).size, ROUNDS, "no question twice");
  assert.match(await ann.game.getByTestId("made").textContent(), /2 of 7 questions were made by the model/);
  assert.ok(!JSON.stringify(ann.heard).includes("lemon") && !JSON.stringify(ann.heard).includes("pepper"), "what the rules refused nobody sees");
  for (const one of [ann, ben]) {
    const net = await one.game.getByTestId("result-net").getAttribute("data-net"), title = await one.game.getByTestId("result-title").textContent();
    assert.ok(["900000000", "-1000000000", "0"].includes(net), net);
    assert.ok(title.length > 0);
  }
});

await check("quiz: the match is played again from its log to the same end, with no model there", async () => {
  const id = ann.heard.map((text) => /"match":"([0-9a-f-]{36})"/.exec(text)?.[1]).find(Boolean);
  const said = spawnSync(process.env.FROND ?? path.join(BUILD, "frond"), ["match", "verify", id, "--data", host.data], { encoding: "utf8" });
  assert.equal(said.status, 0, said.stdout + said.stderr);
});

await check("quiz: without a model the tutor says that it is away", async () => {
  await ann.game.getByTestId("explain-1").click();
  await ann.game.locator(".tutor[data-state=refused]").waitFor({ timeout: 30000 });
  assert.match(await ann.game.locator(".tutor .hint").first().textContent(), /not there just now|enough for now/);
});

await check("quiz: with one, what it says comes word by word", async () => {
  const words = Array.from({ length: 30 }, (_, i) => `word${i}`).join(" ");
  const tutor = new FakeModels({ models: ["fake-model"], how: { text: words, token_ms: 40 } });
  await tutor.listen(port);
  const seen = new Set(), look = async () => { seen.add(await ben.game.getByTestId("tutor-1").textContent()); return await ben.game.locator(".tutor[data-state=said]").count(); };
  await until("the tutor", async () => {           // the host finds out by itself that the model is back
    const button = ben.game.getByTestId("explain-1");
    if (await button.isEnabled()) await button.click();
    return until("an answer", async () => await look() || await ben.game.locator(".tutor[data-state=refused]").count()).then(look);
  }, 40000);
  assert.equal(await ben.game.getByTestId("tutor-1").textContent(), words);
  const parts = [...seen].filter((text) => text.startsWith("word0") && text.length < words.length);
  assert.ok(parts.length >= 3 && parts.every((text) => words.startsWith(text)), `${parts.length} parts were seen`);
  await inspect(ben, "quiz-result", { language: "ko" });
  await inspect(ann, "quiz-result");
  await tutor.close();
});

await check("quiz: nobody's console complained", async () => { for (const one of [ann, ben]) assert.deepEqual(one.complaints, []); });

await browser.close();
await host.stop();
host.clean();
rmSync(folder, { recursive: true, force: true });
end();
