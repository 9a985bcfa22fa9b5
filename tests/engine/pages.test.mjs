// pages.test.mjs: the pages with the host's own model, as somebody sees them after `make run`: the chat's answer comes in pieces; two people play the quiz with
// the engine behind it, the engine is killed in the middle, and the game goes on to its end and is paid.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, checks, startHost } from "../flow/host.mjs";
import { answerSheet, launch, person, until } from "../page/browser.mjs";

if (!existsSync(path.join(BUILD, "engine/llama-server")) || !existsSync(path.join(BUILD, "engine/model.gguf"))) {
  console.log("ok pages with the real engine # SKIP engine is not built: make engine");
  process.exit(0);
}
const SHOTS = path.join(BUILD, "test-shots"), STAKE = "1000000000", ROUNDS = 7;
mkdirSync(SHOTS, { recursive: true });
const { check, end } = checks();
const folder = mkdtempSync(path.join(tmpdir(), "frond-pages-")), config = path.join(folder, "config.json");
writeFileSync(config, "{}");
const host = await startHost({ models: true, args: ["--config", config] }), browser = await launch();
const ann = await person(browser, host.url, "Ann"), ben = await person(browser, host.url, "Ben", { locale: "ko-KR", colorScheme: "dark" });
const at = (one, id) => one.page.getByTestId(id), last = (one) => one.page.locator(".talk li").last();
const shot = (one, what) => one.page.screenshot({ path: path.join(SHOTS, `real-${what}.png`) });

/** The engine is a child of our own host. */
function enginePid() {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const [, comm, ppid] = /\((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "latin1"));
      if (Number(ppid) === host.child.pid && comm.startsWith("llama-server")) return Number(pid);
    } catch {}                                       // gone meanwhile
  }
}

await check("engine: the host's own model comes up and the chat says so", async () => {
  await at(ann, "tab-ask").click();
  await until("the model", async () => await at(ann, "model-state").getAttribute("data-ready") === "true", 60000);
});

await check("engine: an answer of the real model comes to the page in pieces", async () => {
  await at(ann, "ask-text").fill("Tell me about the sea in three sentences.");
  await at(ann, "ask-text").press("Enter");
  const seen = new Set();
  await until("the answer", async () => { seen.add(await last(ann).locator(".words").textContent({ timeout: 1000 }).catch(() => "")); return await last(ann).getAttribute("data-state") === "said"; }, 120000);
  const whole = await last(ann).locator(".words").textContent(), parts = [...seen].filter((text) => text && text.length < whole.length);
  console.log(`# ${whole.length} characters in ${parts.length} parts that were seen: ${JSON.stringify(whole.slice(0, 160))}`);
  assert.ok(whole.length > 20 && parts.length >= 4 && parts.every((text) => whole.startsWith(text)));
  await shot(ann, "ask");
});

const phase = (one) => one.game.getByTestId("board").getAttribute("data-phase"), played = [];
async function answer(round) {
  for (const one of [ann, ben]) await until(`question ${round}`, async () => await phase(one) === "question" && (await one.game.getByTestId("count").textContent()).includes(String(round)), 30000);
  played.push({ by: await ann.game.getByTestId("source").getAttribute("data-by"), text: await ann.game.getByTestId("question").textContent() });
  await shot(ann, `quiz-${round}`);
  await ann.page.keyboard.press("1");
  await ben.game.getByTestId("option-2").click();
  for (const one of [ann, ben]) await until("the answer to be shown", async () => await phase(one) !== "question");
}
let killed;
await check("engine: two people play the quiz, the engine is killed in the middle, the game goes on to its end", async () => {
  await at(ann, "tab-games").click();
  for (const one of [ann, ben]) {
    await one.page.getByTestId("open-quiz").click();
    await one.game.getByTestId("lobby").waitFor();
    await one.game.getByTestId(`stake-${STAKE}`).check();
    await one.game.getByTestId("find").click();
    await answerSheet(one, "approve-once");
  }
  for (const one of [ann, ben]) await one.game.getByTestId("board").waitFor();
  for (let round = 1; round <= 3; round++) await answer(round);
  killed = enginePid();
  assert.ok(killed, "the engine runs");
  process.kill(killed, "SIGKILL");
  for (let round = 4; round <= ROUNDS; round++) await answer(round);
  for (const one of [ann, ben]) await one.game.getByTestId("result").waitFor({ timeout: 30000 });
  console.log(`# ${played.filter((one) => one.by === "model").length} of ${ROUNDS} questions were the model's: ${JSON.stringify(played)}`);
  const nets = await Promise.all([ann, ben].map((one) => one.game.getByTestId("result-net").getAttribute("data-net")));
  assert.ok([["900000000", "-1000000000"], ["-1000000000", "900000000"], ["0", "0"]].some((two) => two.join() === nets.join()), nets.join());
  await shot(ann, "quiz-result");
  await shot(ben, "quiz-result-ben");
});

await check("engine: it is up again by itself, with another process, and explains an answer", async () => {
  await until("the engine", () => { const pid = enginePid(); return pid && pid !== killed; }, 60000);
  await until("an explanation", async () => {
    const button = ann.game.getByTestId("explain-1");
    if (await button.isEnabled()) await button.click();
    return until("an end", async () => await ann.game.locator(".tutor[data-state=said], .tutor[data-state=refused]").count(), 60000).then(() => ann.game.locator(".tutor[data-state=said]").count());
  }, 120000);
  const words = await ann.game.getByTestId("tutor-1").textContent();
  console.log(`# the tutor: ${JSON.stringify(words)}`);
  assert.ok(words.length > 20);
  await shot(ann, "tutor");
});

await check("engine: a reload without it ends it, one with it brings it back", async () => {
  const reload = (models) => {
    writeFileSync(config, JSON.stringify({ models }));
    const said = spawnSync(process.env.FROND ?? path.join(BUILD, "frond"), ["llm", "reload", "--data", host.data], { encoding: "utf8" });
    assert.equal(said.status, 0, said.stdout + said.stderr);
  };
  const first = enginePid();
  reload({ engine: false });
  await until("it to be gone", () => !existsSync(`/proc/${first}`) && !enginePid());
  reload({ engine: true });
  reload({ engine: false });
  reload({ engine: true });                            // before the last one has ended
  await until("the next", () => enginePid(), 30000);
  assert.notEqual(enginePid(), first);
});

await check("engine: nobody's console complained", async () => { for (const one of [ann, ben]) assert.deepEqual(one.complaints, []); });
await check("engine: with its host the engine ends", async () => {
  const pid = enginePid();
  assert.ok(pid);
  assert.equal(await host.stop(), 0);
  assert.ok(!existsSync(`/proc/${pid}`));
});

await browser.close();
host.clean();
rmSync(folder, { recursive: true, force: true });
end();
