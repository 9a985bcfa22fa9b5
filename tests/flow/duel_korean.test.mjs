// duel_korean.test.mjs: two people whose browsers speak Korean play a staked duel to the end without a mouse. On the way every screen is
// checked: no English left, nothing wider than the screen, contrast, names and labels, nothing that moves when motion is unwelcome.
// Screenshots at 320, 390 and 1024 pixels, light and dark, go to $BUILD/test-shots. CHROMIUM names the browser.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import { playOut } from "../page/browser.mjs";
import { audit } from "./audit.mjs";
import { BUILD, checks, startHost } from "./host.mjs";

const STAKE = "10000000000", SHOTS = path.join(BUILD, "test-shots");
const BROWSER = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const SIZES = [{ width: 320, height: 640 }, { width: 390, height: 760 }, { width: 1024, height: 768 }], PHONE = SIZES[1];
mkdirSync(SHOTS, { recursive: true });

const { check: run, end } = checks();
let host = await startHost();
const browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox"] });
const NAMES = ["Frond", "PALM", "Ann", "Ben", "Cem"];      // the game's comes from its manifest, the rest are names anywhere
const complaints = [], faults = [];
// What an inspection finds does not stop the duel; the check fails at its end.
const check = (name, body) => run(name, async () => {
  await body();
  assert.deepEqual(faults.splice(0), []);
});

async function person(name, { colorScheme = "light", locale = "ko-KR", viewport = PHONE, reducedMotion = "no-preference", address = "/app/" } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, locale, reducedMotion });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on("console", (message) => { if (message.type() === "error") complaints.push(`${name}: ${message.text()}`); });
  page.on("pageerror", (error) => complaints.push(`${name}: ${error.message}`));
  if (address) await page.goto(host.url + address);
  return { name, page, game: page.frameLocator("iframe[data-testid=game]") };
}
async function until(what, test, ms = 20000) {
  const by = Date.now() + ms;
  for (;;) {
    if (await test()) return;
    if (Date.now() > by) throw new Error(`waited ${ms} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const frameOf = (one) => one.page.frames().find((frame) => frame.url().includes("/app/duel/"));
const press = (one, key) => one.page.keyboard.press(key);

// What has the focus, in the shell or in the game's page; and that one can see it.
async function focused(one) {
  const look = (frame) => frame.evaluate(() => {
    const has = document.activeElement, style = has && getComputedStyle(has), beside = has?.nextElementSibling && getComputedStyle(has.nextElementSibling);
    return { id: has?.dataset?.testid ?? "", tag: has?.tagName ?? "", seen: [style, beside].some((s) => s && s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) };
  });
  const outer = await look(one.page.mainFrame());
  if (outer.tag !== "IFRAME") return outer;
  const inner = await look(frameOf(one));
  return inner.tag === "BODY" ? { ...inner, id: "game" } : inner;
}
// Presses Tab until the control has the focus, and then asks whether the focus can be seen.
async function tabTo(one, testid, key = "Tab") {
  const passed = [];
  for (let i = 0; i < 40; i++) {
    const now = await focused(one);
    if (now.id === testid) { assert.ok(now.seen, `the focus on ${testid} can be seen`); return; }
    passed.push(now.id || now.tag);
    await press(one, key);
  }
  throw new Error(`${one.name} cannot reach ${testid} by ${key}; passed ${passed.join(" ")}`);
}

// Every text, control and pixel of what is shown now, at every size.
async function inspect(one, what, { sizes = [PHONE], shots = true } = {}) {
  for (const viewport of sizes) {
    await one.page.setViewportSize(viewport);
    await one.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    await one.page.waitForTimeout(700);                   // what flies in has landed: colours are measured at rest
    const scheme = await one.page.evaluate(() => document.documentElement.dataset.scheme);
    if (shots) await one.page.screenshot({ path: path.join(SHOTS, `ko-${what}-${viewport.width}-${scheme}.png`) });
    for (const frame of [one.page.mainFrame(), frameOf(one)].filter(Boolean)) {
      const found = await frame.evaluate(audit, { language: "ko", names: NAMES });
      faults.push(...found.map((fault) => `${what} at ${viewport.width}, ${scheme}: ${fault}`));
    }
  }
  if (sizes.length > 1) await one.page.setViewportSize(PHONE);
}

let ann, ben;

await check("korean: the audit finds English, faint text, nameless controls and overflow where there are any", async () => {
  const { page } = await person("Probe", { address: null });
  await page.setContent(`<html lang="ko"><body style="background:#fff"><p>Hello 여러분</p><p style="color:#aaa">흐린 글</p><button></button><input>
    <div role="dialog"></div><div style="width:5000px;background:#eee">넓어요</div><img src=""><p data-plain>Plugin text</p><p lang="en">English</p></body></html>`);
  const found = await page.evaluate(audit, { language: "ko" });
  for (const word of ["foreign", "contrast", "button", "input", "dialog", "wide", "img"]) assert.ok(found.some((text) => text.startsWith(word)), `${word} in ${JSON.stringify(found)}`);
  assert.equal(found.filter((text) => text.startsWith("foreign")).length, 1);
  await page.context().close();
});

await check("korean: both catalogues say the same things with the same values", async () => {
  const { page } = await person("Probe");
  for (const path of ["/app/i18n.js", "/sdk/kit.js", "/app/duel/i18n.js", "/app/quiz/i18n.js"]) {
    const { en, ko } = await page.evaluate(async (from) => ({ ...(await import(from)).CATALOGUE }), path);
    assert.ok(Object.keys(en).length > 50, path);
    assert.deepEqual(Object.keys(ko), Object.keys(en), path);
    const values = (text) => [...new Set(Object.values(typeof text === "string" ? { text } : text).flatMap((one) => one.match(/\{\w+\}/g) ?? []))].sort();
    for (const key of Object.keys(en)) if (key !== "person" && key !== "reason.other") assert.deepEqual(values(ko[key]), values(en[key]), `${path} ${key}`);
  }
  await page.context().close();
});

await check("korean: the browser's language decides, the choice in the shell wins and is remembered", async () => {
  const one = await person("Eun", { locale: "en-US", address: "/app/?as=Eun" });
  await one.page.getByTestId("open-duel").waitFor();
  assert.equal(await one.page.evaluate(() => document.documentElement.lang), "en");
  await one.page.getByTestId("tab-account").click();
  await one.page.getByTestId("language").selectOption("ko");
  assert.equal(await one.page.getByTestId("tab-wallet").textContent(), "지갑");
  await one.page.reload();
  await one.page.getByTestId("open-duel").click();
  assert.equal(await one.game.getByTestId("find").textContent(), "상대 찾기");
  assert.equal(await frameOf(one).evaluate(() => document.documentElement.lang), "ko");
  await one.page.context().close();
});

await check("korean: the player's Telegram decides before the browser does", async () => {
  const answer = await fetch(`${host.url}/v1/dev/launch`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: { id: 88, first_name: "Minji", language_code: "ko" } }) });
  const { init_data: initData } = await answer.json();
  const one = await person("Minji", { locale: "en-US", address: `/app/#${new URLSearchParams({ tgWebAppData: initData })}` });
  await one.page.getByTestId("player").waitFor();
  const told = JSON.parse(new URLSearchParams(initData).get("user")).language_code;
  assert.equal(await one.page.evaluate(() => document.documentElement.lang), told === "ko" ? "ko" : "en");
  assert.equal(told, "ko", "the development host passes on the language that was asked for");
  await one.page.context().close();
});

await check("korean: two people sign in by keyboard", async () => {
  ann = await person("지우");
  ben = await person("Ben", { colorScheme: "dark" });
  await ann.page.getByTestId("people").waitFor();
  await inspect(ann, "people", { sizes: SIZES });
  for (const one of [ann, ben]) {
    await one.page.getByTestId("people").waitFor();
    await tabTo(one, "as-name");
    await one.page.keyboard.type(one.name);
    await press(one, "Enter");
    await one.page.getByTestId("open-duel").waitFor();
  }
  await inspect(ann, "home", { sizes: SIZES });
  await inspect(ben, "home", { sizes: SIZES });
});

await check("korean: a stake is chosen and approved by keyboard, and the sheet keeps the focus", async () => {
  for (const one of [ann, ben]) {
    await tabTo(one, "open-duel");
    await press(one, "Enter");
    await one.game.getByTestId("lobby").waitFor();
    await tabTo(one, "stake-0");
    await press(one, "ArrowRight");
    await press(one, "ArrowRight");
    assert.equal((await focused(one)).id, `stake-${STAKE}`);
    await inspect(one, "lobby", { sizes: SIZES });
    await tabTo(one, "find");
    await press(one, "Enter");
    await one.page.getByTestId("approval").waitFor();
    await until("the sheet to arm", () => one.page.getByTestId("approve-once").isEnabled());
    await inspect(one, "approval", { sizes: SIZES });
    const reached = new Set();
    for (let i = 0; i < 9; i++) { await press(one, "Tab"); reached.add((await focused(one)).id); }
    assert.deepEqual([...reached].filter((id) => !["approve-once", "approve-daily", "refuse", ""].includes(id)), [], "Tab stays inside the sheet");
    await tabTo(one, one === ann ? "approve-once" : "approve-daily");
    await press(one, "Enter");
    if (one === ann) {
      await ann.game.getByTestId("waiting").waitFor();
      await inspect(ann, "waiting", { sizes: SIZES });
    }
  }
  for (const one of [ann, ben]) await one.game.getByTestId("table").waitFor();
});

// Plays a card with keys alone; false when the match is over.
async function playCard(one, best) {
  const cards = one.game.locator("[data-testid=hand] .card:not([disabled])"), result = one.game.getByTestId("result"), chosen = one.game.locator("[data-testid=hand] .card.picked");
  await until(`${one.name}'s turn`, async () => await cards.count() > 0 || await result.count() > 0 || await chosen.count() > 0, 30000);
  if (await result.count()) return false;
  if (await chosen.count()) { await new Promise((resolve) => setTimeout(resolve, 50)); return true; }
  const values = (await cards.locator(".value").allTextContents()).map(Number);
  await press(one, String(best ? Math.max(...values) : Math.min(...values)));
  await press(one, "Enter");
  await until("the card to lie on the table", async () => await chosen.count() > 0 || await cards.count() === 0 || await result.count() > 0 || (await cards.count()) < values.length);
  return true;
}

await check("korean: the table at every size, light and dark; what happens is told to a screen reader", async () => {
  const said = await ann.game.getByTestId("say").textContent();
  assert.match(said, /라운드/);
  assert.equal(await ann.game.getByTestId("say").getAttribute("aria-live"), "polite");
  await inspect(ann, "table", { sizes: SIZES });
  await inspect(ben, "table", { sizes: SIZES });
  await playCard(ann, true);
  await ben.game.locator("[data-testid=foe-slot] .card.back").waitFor();
  assert.match(await ben.game.getByTestId("say").textContent(), /지우 님은 골랐어요/);
  await playCard(ben, false);
  await until("the reveal to be told", async () => /얻었어요|넘어가요|가져가요/.test(await ann.game.getByTestId("say").textContent()));
  await inspect(ann, "reveal");
  await inspect(ben, "reveal", { sizes: [PHONE] });
});

await check("korean: after a round the focus is back in the hand, and arrows walk through it", async () => {
  await until("the next round", async () => await ann.game.locator("[data-testid=hand] .card:not([disabled])").count() > 0);
  await until("the focus", async () => (await focused(ann)).id.startsWith("card-"));
  const before = (await focused(ann)).id;
  await press(ann, "ArrowLeft");
  const after = (await focused(ann)).id;
  assert.ok(after.startsWith("card-") && after !== before, `${before} then ${after}`);
});

await check("korean: a lost connection is told in the shell and on the table, and so is its return", async () => {
  const { data, url } = host;
  await host.stop("SIGKILL");
  await ann.page.getByTestId("reconnecting").waitFor();
  await until("the table to tell", async () => /연결이 끊겼어요/.test(await ann.game.getByTestId("say").textContent()));
  await inspect(ann, "reconnecting", { sizes: SIZES });
  await inspect(ben, "reconnecting");
  host = await startHost({ data, listen: new URL(url).host });
  await until("both to be back", async () => await ann.page.getByTestId("reconnecting").count() === 0 && await ben.page.getByTestId("reconnecting").count() === 0, 30000);
  assert.equal(await ann.page.getByTestId("toast").textContent(), "다시 연결됐어요.");
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !/ERR_CONNECTION|WebSocket|Failed to load resource/.test(text)));    // there was no host
});

await check("korean: the clock is told at ten and at five seconds", async () => {
  await until("ten seconds", async () => /초 남았어요/.test(await ann.game.getByTestId("clock").textContent()), 30000);
  await until("five seconds", async () => /^[1-5]초 남았어요$/.test(await ann.game.getByTestId("clock").textContent()), 15000);
  await inspect(ann, "late");
});

await check("korean: the duel is played to its end by keyboard and the result is a dialog", async () => {
  await playOut(ann, ben, playCard);
  for (const one of [ann, ben]) {
    assert.equal((await focused(one)).id, "rematch");
    await inspect(one, "result", { sizes: SIZES });
  }
  const titles = [await ann.game.getByTestId("result-title").textContent(), await ben.game.getByTestId("result-title").textContent()];
  for (const title of titles) assert.match(title, /^(이겼어요!|비겼어요|(지우|Ben) 님이 이겼어요)$/);
  await tabTo(ann, "rematch");
  await press(ann, "Enter");
  await until("the sheet to arm", () => ann.page.getByTestId("approve-once").isEnabled());
  await tabTo(ann, "approve-once");
  await press(ann, "Enter");
  await until("the other to hear of the rematch", async () => /지우 님이 다시 하자고 해요/.test(await ben.game.getByTestId("rematch-asked").textContent()));
  await inspect(ben, "rematch", { sizes: SIZES });
  await tabTo(ann, "cancel");
  await press(ann, "Enter");
  await ann.game.getByTestId("lobby").waitFor();
});

await check("korean: the wallet and the approvals; one is revoked by keyboard", async () => {
  await press(ben, "Escape");                              // the result closes
  await ben.game.getByTestId("lobby").waitFor();
  for (const one of [ann, ben]) {
    await tabTo(one, "balance", "Shift+Tab");
    await press(one, "Enter");
    await one.page.getByTestId("journal").locator("li").nth(1).waitFor();
    await inspect(one, "wallet", { sizes: SIZES });
    await tabTo(one, "tab-account");
    await press(one, "Enter");
  }
  await ben.page.getByTestId("consents").locator("li").waitFor();
  await inspect(ben, "approvals", { sizes: SIZES });
  assert.equal(await ann.page.getByTestId("consents").locator("li").count(), 1, "an approval for once that was used is none any more; that of the rematch was not used");
  await inspect(ann, "approvals-none");
  await tabTo(ben, "revoke", "Shift+Tab");
  await press(ben, "Enter");
  await until("the list to be empty", async () => await ben.page.getByTestId("consents").count() === 0);
  assert.match(await ben.page.getByTestId("toast").textContent(), /승인을 취소했어요/);
  await inspect(ben, "revoked");
});

await check("korean: nothing moves for those who asked for that, and a refusal says what happened", async () => {
  const one = await person("Cem", { reducedMotion: "reduce", colorScheme: "dark", address: "/app/?as=Cem&game=duel" });
  const still = async (what) => { for (const frame of [one.page.mainFrame(), frameOf(one)]) assert.equal(await frame.evaluate(() => document.getAnimations().length), 0, what); };
  await one.game.getByTestId("lobby").waitFor();
  await one.game.getByTestId(`stake-${STAKE}`).check();
  await one.game.getByTestId("find").click();
  await until("the sheet to arm", () => one.page.getByTestId("refuse").isEnabled());
  await still("the sheet");
  await press(one, "Escape");
  assert.match(await one.game.getByTestId("notice").textContent(), /승인하지 않았어요.*코인은 그대로예요/);
  await inspect(one, "refused");
  await one.game.getByTestId("bot").click();
  await one.game.getByTestId("table").waitFor();
  await playCard(one, true);
  await still("the table");
  await one.game.getByTestId("surrender").click();
  await inspect(one, "give-up", { sizes: SIZES });
  await one.game.getByTestId("surrender-yes").click();
  await one.game.getByTestId("result").waitFor();
  await still("the result");
  assert.equal(await one.game.getByTestId("result-title").textContent(), "봇이 이겼어요");
  await one.page.context().close();
});

await check("korean: no page complained", () => assert.deepEqual(complaints, []));

await browser.close();
await host.stop();
host.clean();
end();
