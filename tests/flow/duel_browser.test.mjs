// duel_browser.test.mjs: the duel in a real browser, by clicking: two people play for a stake, a third refuses, a reload goes on.
// Screenshots go to $BUILD/test-shots. CHROMIUM names the browser.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import { playCard, playOut } from "../page/browser.mjs";
import { BUILD, checks, startHost } from "./host.mjs";

const STAKE = "10000000000", RAKE_BPS = 500n;            // as games/duel/plugin.json says
const SHOTS = path.join(BUILD, "test-shots");
const BROWSER = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const PHONE = { width: 390, height: 760 };
mkdirSync(SHOTS, { recursive: true });

const { check, end } = checks();
let host = await startHost();
const browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox"] });
const complaints = [];

// A person with a browser of their own. What the page's console complains about is kept.
async function person(name, { colorScheme = "light", viewport = PHONE, address = "/app/" } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, locale: "en-US" });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on("console", (message) => { if (message.type() === "error") complaints.push(`${name}: ${message.text()}`); });
  page.on("pageerror", (error) => complaints.push(`${name}: ${error.message}`));
  const signIns = [], mints = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/v1/session")) signIns.push(request.headers().authorization);
    if (request.url().endsWith("/v1/dev/launch")) mints.push(request.postData());
  });
  await page.goto(host.url + address);
  return { name, page, signIns, mints, game: page.frameLocator("iframe[data-testid=game]"), shot: (what) => page.screenshot({ path: path.join(SHOTS, `${what}.png`) }) };
}
async function playAs(name, options) {
  const one = await person(name, options);
  await one.page.getByTestId("as-name").fill(name);
  await one.page.getByTestId("as-go").click();
  await one.page.getByTestId("player").waitFor();
  return one;
}
async function units(one) {
  const free = BigInt(await one.page.getByTestId("free").getAttribute("data-units"));
  const held = await one.page.getByTestId("held").count() ? BigInt(await one.page.getByTestId("held").getAttribute("data-units")) : 0n;
  return { free, held };
}
async function until(what, test, ms = 20000) {
  const by = Date.now() + ms;
  for (;;) {
    if (await test()) return;
    if (Date.now() > by) throw new Error(`waited ${ms} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
async function openDuel(one) {
  await one.page.getByTestId("open-duel").click();
  await one.game.getByTestId("lobby").waitFor();
}
const status = async () => (await fetch(`${host.url}/v1/dev/status`)).json();

let ann, ben, cem, start;

await check("browser: two people sign in by name and get test coins", async () => {
  ann = await person("Ann");
  await ann.page.getByTestId("people").waitFor();
  await ann.shot("shell-people-390-light");
  await ann.page.getByTestId("as-Ann").click();
  await ann.page.getByTestId("player").waitFor();
  await ann.page.getByTestId("open-duel").waitFor();
  await ann.shot("shell-home-390-light");
  ben = await playAs("Ben", { colorScheme: "dark" });
  await ben.shot("shell-home-390-dark");
  start = { ann: await units(ann), ben: await units(ben) };
  assert.equal(start.ann.free, 1000n * 10n ** 9n);
  assert.equal(start.ben.free, 1000n * 10n ** 9n);
});

await check("browser: a stake is approved on the shell's sheet and held", async () => {
  await openDuel(ann);
  await ann.game.getByTestId(`stake-${STAKE}`).check();
  await ann.shot("duel-lobby-390-light");
  await ann.game.getByTestId("find").click();
  await ann.page.getByTestId("approve-once").waitFor();
  assert.match(await ann.page.getByTestId("winner-gets").textContent(), /^19 PALM$/);
  await until("the sheet to arm", () => ann.page.getByTestId("approve-once").isEnabled());
  await ann.shot("shell-approval-390-light");
  await ann.page.getByTestId("approve-once").click();
  await ann.game.getByTestId("waiting").waitFor();
  await ann.shot("duel-waiting-390-light");

  await openDuel(ben);
  await ben.game.getByTestId(`stake-${STAKE}`).check();
  await ben.shot("duel-lobby-390-dark");
  await ben.game.getByTestId("find").click();
  await until("the sheet to arm", () => ben.page.getByTestId("approve-daily").isEnabled());
  await ben.shot("shell-approval-390-dark");
  await ben.page.getByTestId("approve-daily").click();
  await ann.game.getByTestId("table").waitFor();
  await ben.game.getByTestId("table").waitFor();
  await until("both stakes to be held", async () => (await units(ann)).held === BigInt(STAKE) && (await units(ben)).held === BigInt(STAKE));
  assert.equal((await units(ann)).free, start.ann.free - BigInt(STAKE));
  await ann.shot("duel-table-390-light");
});

await check("browser: a choice stays hidden until both have chosen", async () => {
  await playCard(ann, true);
  await ben.game.locator("[data-testid=foe-slot] .card.back").waitFor();
  assert.equal(await ben.game.locator("[data-testid=foe-slot] .card:not(.back)").count(), 0);
  await ben.shot("duel-table-390-dark");
  await playCard(ben, false);
  await ann.game.locator("[data-testid=foe-slot] .card .value").waitFor();
  await ann.page.waitForTimeout(1300);                   // for the picture: the cards have turned over
  await ann.shot("duel-reveal-390-light");
  await ben.shot("duel-reveal-390-dark");
});

await check("browser: a reload signs in again with the same launch data and the match goes on", async () => {
  await ann.page.reload();
  await ann.game.getByTestId("table").waitFor();
  assert.equal(ann.mints.length, 1, "launch data was minted once");
  assert.equal(ann.signIns.length, 2);
  assert.equal(ann.signIns[0], ann.signIns[1]);
  assert.equal(await ann.game.locator("[data-testid=hand] .card").count(), 5);
  await ann.shot("duel-reloaded-390-light");
});

await check("browser: the host is killed, a new one takes over its data, and the match goes on", async () => {
  const { data, url } = host;
  await host.stop("SIGKILL");
  await ann.page.getByTestId("reconnecting").waitFor();
  await ann.shot("duel-reconnecting-390-light");
  host = await startHost({ data, listen: new URL(url).host });
  await until("both pages to be back", async () => await ann.page.getByTestId("reconnecting").count() === 0 && await ben.page.getByTestId("reconnecting").count() === 0, 30000);
  await playCard(ann, true);
  await playCard(ben, false);
  await until("the next round", async () => await ann.game.locator(".round.won, .round.lost, .round.tie").count() === 2);
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !/ERR_CONNECTION|WebSocket|Failed to load resource/.test(text)));    // there was no host
});

await check("browser: the duel is played to the end, the winner is paid once, the rake is taken", async () => {
  await playOut(ann, ben);
  await ann.page.waitForTimeout(500);
  await ann.shot("duel-result-390-light");
  await ben.shot("duel-result-390-dark");
  await until("nothing to be held", async () => (await units(ann)).held === 0n && (await units(ben)).held === 0n);
  const after = { ann: await units(ann), ben: await units(ben) };
  const stake = BigInt(STAKE), prize = 2n * stake - 2n * stake * RAKE_BPS / 10000n;
  const net = { ann: after.ann.free - start.ann.free, ben: after.ben.free - start.ben.free };
  const shownNet = BigInt(await ann.game.getByTestId("result-net").getAttribute("data-net"));
  assert.equal(net.ann, shownNet, "the page shows what the wallet got");
  if (net.ann === 0n) assert.equal(net.ben, 0n);         // a draw: everything went back
  else assert.deepEqual([net.ann, net.ben].sort((a, b) => (a < b ? -1 : 1)), [-stake, prize - stake]);
  assert.equal((await status()).ledger.sum, "0");
});

await check("browser: the page says that the deal was checked", async () => {
  assert.match(await ann.game.locator("[data-testid=fairness] summary").textContent(), /Fair deal/);      // Ann reloaded: her page may only know what was published
  assert.equal(await ben.game.locator("[data-testid=fairness] summary").textContent(), "Fair deal, checked");
});

await check("browser: a rematch finds the same opponent again, and giving up pays the other", async () => {
  const before = { ann: await units(ann), ben: await units(ben) };
  await ann.game.getByTestId("rematch").click();
  await until("the sheet to arm", () => ann.page.getByTestId("approve-once").isEnabled());
  await ann.page.getByTestId("approve-once").click();      // hers was for one stake, Ben's is for a day
  await ann.game.getByTestId("waiting").waitFor();
  await until("Ben to hear of it", async () => /Ann wants a rematch/.test(await ben.game.getByTestId("rematch-asked").textContent()));
  await ben.game.getByTestId("rematch").click();
  await ann.game.getByTestId("table").waitFor();
  await ben.game.getByTestId("table").waitFor();
  await ann.game.getByTestId("surrender").click();
  await ann.game.getByTestId("surrender-yes").click();
  await ben.game.getByTestId("result").waitFor();
  assert.equal(await ben.game.getByTestId("result-title").textContent(), "You won!");
  await until("nothing to be held", async () => (await units(ann)).held === 0n && (await units(ben)).held === 0n);
  assert.equal((await units(ann)).free, before.ann.free - BigInt(STAKE));
  assert.equal((await units(ben)).free, before.ben.free + BigInt(STAKE) - 2n * BigInt(STAKE) * RAKE_BPS / 10000n);
});

await check("browser: the history of both wallets tells the match", async () => {
  for (const one of [ann, ben]) {
    await one.game.getByTestId("leave").click();
    await one.page.getByTestId("balance").click();
    await one.page.getByTestId("journal").locator("li").nth(1).waitFor();
  }
  await ann.shot("shell-wallet-390-light");
  await ben.page.getByTestId("tab-account").click();
  await ben.page.getByTestId("consents").locator("li").waitFor();
  await ben.shot("shell-approvals-390-dark");
});

await check("browser: who refuses the approval sees a clear page, and no coin moved", async () => {
  cem = await playAs("Cem");
  const before = await units(cem);
  await openDuel(cem);
  await cem.game.getByTestId(`stake-${STAKE}`).check();
  await cem.game.getByTestId("find").click();
  await until("the sheet to arm", () => cem.page.getByTestId("refuse").isEnabled());
  await cem.page.getByTestId("refuse").click();
  await cem.game.getByTestId("notice").waitFor();
  assert.match(await cem.game.getByTestId("notice").textContent(), /did not approve.*No coins moved/);
  await cem.shot("duel-refused-390-light");
  assert.deepEqual(await units(cem), before);
  await cem.game.getByTestId("find").click();
  await until("the sheet to arm", () => cem.page.getByTestId("refuse").isEnabled());
  await cem.page.keyboard.press("Escape");                // refuses as well
  await cem.game.getByTestId("notice").waitFor();
  assert.equal(await cem.page.getByTestId("approval").count(), 0);
  assert.deepEqual(await units(cem), before);
});

await check("browser: the bot plays without a stake, by keyboard, and giving up ends the match", async () => {
  await cem.game.getByTestId("bot").click();
  await cem.game.getByTestId("table").waitFor();
  await cem.game.locator("body").press("3");
  await cem.game.locator("body").press("d");
  await cem.game.locator("body").press("Enter");
  await until("the round to be played", async () => await cem.game.locator(".round.won, .round.lost, .round.tie").count() === 1);
  await cem.game.getByTestId("surrender").click();
  await cem.game.getByTestId("surrender-yes").click();
  await cem.game.getByTestId("result").waitFor();
  assert.equal(await cem.game.getByTestId("result-title").textContent(), "Bot won");
  await cem.game.getByTestId("rematch").click();
  await cem.game.getByTestId("table").waitFor();
});

await check("browser: the game's page has no origin, no session, no network", async () => {
  const frame = cem.page.frames().find((one) => one.url().includes("/app/duel/"));
  const seen = await frame.evaluate(async () => {
    const tried = { origin: self.origin };
    try { tried.storage = String(localStorage.length); } catch (error) { tried.storage = error.name; }
    try { tried.fetch = String((await fetch("/healthz")).status); } catch (error) { tried.fetch = error.name; }
    try { tried.parent = String(parent.document.title); } catch (error) { tried.parent = error.name; }
    return tried;
  });
  assert.deepEqual(seen, { origin: "null", storage: "SecurityError", fetch: "TypeError", parent: "SecurityError" });
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !/connect-src|Content Security Policy/.test(text)));    // that was us
});

await check("browser: a page that opens another one in its frame is cut off", async () => {
  const frame = cem.page.frames().find((one) => one.url().includes("/app/duel/"));
  await frame.evaluate(() => { location.href = "index.html?elsewhere"; });
  await cem.page.getByTestId("broken").waitFor();
  await cem.page.getByTestId("broken").getByRole("button").click();
  await cem.game.getByTestId("table").waitFor();           // the match was still running
});

await check("browser: a page that floods the shell is cut off", async () => {
  const flooder = await playAs("Flo");
  await flooder.page.route("**/app/duel/duel.js", (route) => route.fulfill({ contentType: "text/javascript", headers: { "Access-Control-Allow-Origin": "*" },
    body: 'import { connect } from "/sdk/frond.js"; const frond = await connect(); for (let i = 0; i < 1000; i++) frond.haptic("light");' }));
  await flooder.page.getByTestId("open-duel").click();
  await flooder.page.getByTestId("broken").waitFor();
  await flooder.page.context().close();
});

await check("browser: launch data in the address signs in, sets Telegram's colours and leaves the address", async () => {
  const answer = await fetch(`${host.url}/v1/dev/launch`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: { id: 77, first_name: "Dora" } }) });
  const { init_data: initData } = await answer.json();
  const fragment = new URLSearchParams({ tgWebAppData: initData, tgWebAppVersion: "8.0", tgWebAppPlatform: "ios",
    tgWebAppThemeParams: JSON.stringify({ bg_color: "#17212b", text_color: "#f5f5f5", button_color: "#5288c1", button_text_color: "#ffffff", secondary_bg_color: "#232e3c" }) });
  const dora = await person("Dora", { address: `/app/#${fragment}` });
  await dora.page.getByTestId("player").waitFor();
  assert.equal(await dora.page.getByTestId("player").textContent(), "Dora");
  assert.equal(new URL(dora.page.url()).hash, "");
  assert.equal(await dora.page.evaluate(() => document.documentElement.dataset.scheme), "dark");
  await dora.page.getByTestId("open-duel").waitFor();
  await dora.shot("shell-telegram-theme");

  const again = await person("Dora again", { address: `/app/#${fragment}` });        // the same launch data somewhere else
  await again.page.getByTestId("player").waitFor();
  await dora.page.getByTestId("replaced").waitFor();
  await dora.shot("shell-replaced");
});

await check("browser: small and wide screens hold the whole table", async () => {
  for (const [viewport, colorScheme] of [[{ width: 320, height: 568 }, "light"], [{ width: 1024, height: 768 }, "dark"]]) {
    const one = await playAs(`Eva${viewport.width}`, { viewport, colorScheme });
    await openDuel(one);
    await one.shot(`duel-lobby-${viewport.width}`);
    await one.game.getByTestId("bot").click();
    await one.game.getByTestId("table").waitFor();
    await one.shot(`duel-table-${viewport.width}`);
    const frame = one.page.frames().find((other) => other.url().includes("/app/duel/"));
    assert.equal(await frame.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `nothing sticks out at ${viewport.width}`);
    await one.page.context().close();
  }
});

await check("browser: the development page shows two phones, green lights, and survives a killed worker", async () => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, locale: "en-US" });
  const page = await context.newPage();
  page.setDefaultTimeout(30000);
  await page.goto(`${host.url}/app/dev/`);
  const phones = ["Ann", "Ben"].map((name) => { const phone = page.frameLocator(`[data-testid=phone-${name}]`); return { name, page: phone, game: phone.frameLocator("iframe[data-testid=game]") }; });
  for (const one of phones) {
    await one.game.getByTestId("stake-0").check();
    await one.game.getByTestId("find").click();
  }
  for (const one of phones) await one.game.getByTestId("table").waitFor();
  await playCard(phones[0], true);
  await playCard(phones[1], false);
  await page.locator("[data-testid=light-ledger].green").waitFor();
  const before = (await status()).workers.find((one) => one.plugin === "duel").pid;
  await page.getByTestId("kill-worker").click();
  await until("a new worker", async () => { const worker = (await status()).workers.find((one) => one.plugin === "duel"); return worker && worker.pid !== before && worker.state === "up"; }, 30000);
  await until("the page to tell of the new worker", async () => /was replaced/.test(await page.getByTestId("log").textContent()));
  await playCard(phones[1], true);
  await page.waitForTimeout(300);
  await page.screenshot({ path: path.join(SHOTS, "dev-1360.png") });
  await playOut(...phones);
  await page.locator("[data-testid=light-ledger].green").waitFor();
  await context.close();
});

await check("browser: no page complained", async () => { assert.deepEqual(complaints, []); });

await browser.close();
await host.stop();
host.clean();
end();
