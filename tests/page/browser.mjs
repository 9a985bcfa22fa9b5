// browser.mjs: people with a browser of their own, for the tests of the pages. CHROMIUM names the browser.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const BROWSER = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const WAIT_MS = 20000;

export const SIZES = [{ width: 320, height: 640 }, { width: 390, height: 760 }, { width: 1024, height: 768 }], PHONE = SIZES[1];
export const launch = (args = []) => chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox", ...args] });

/** Waits until `test` answers something true, and returns that. */
export async function until(what, test, ms = WAIT_MS) {
  const by = Date.now() + ms;
  for (;;) {
    const found = await test();
    if (found) return found;
    if (Date.now() > by) throw new Error(`waited ${ms} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * A person with a browser of their own, signed in by name on the development host. `complaints` collects what the page's console says.
 * @param {import("playwright-core").Browser} browser @param {string} url @param {string} name
 */
export async function person(browser, url, name, { address = `/app/?as=${encodeURIComponent(name)}`, colorScheme = "light", locale = "en-US", viewport = PHONE, ...more } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, locale, ...more });
  const page = await context.newPage();
  const one = { name, context, page, complaints: [], sent: [], game: page.frameLocator("iframe[data-testid=game]") };
  page.setDefaultTimeout(WAIT_MS);
  page.on("console", (message) => { if (message.type() === "error") one.complaints.push(message.text()); });
  page.on("pageerror", (error) => one.complaints.push(error.message));
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => one.sent.push(String(payload))));
  if (address) await page.goto(url + address);
  return one;
}

export const frameOf = (one, game = "duel") => one.page.frames().find((frame) => frame.url().includes(`/app/${game}/`));
/** Waits until the sheet takes a tap, and gives it. */
export async function answerSheet(one, testid) {
  await until("the sheet to arm", () => one.page.getByTestId(testid).isEnabled());
  await one.page.getByTestId(testid).click();
}

/** Plays a person's next card of the duel: the highest when `best`, else the lowest. A card that lies there already is enough. False when the match is over. */
export async function playCard(one, best) {
  const cards = one.game.locator("[data-testid=hand] .card:not([disabled])"), result = one.game.getByTestId("result"), chosen = one.game.locator("[data-testid=hand] .card.picked");
  await until(`${one.name}'s turn`, async () => await cards.count() > 0 || await result.count() > 0 || await chosen.count() > 0, 30000);
  if (await result.count()) return false;
  if (await chosen.count()) { await new Promise((resolve) => setTimeout(resolve, 50)); return true; }
  await (best ? cards.last() : cards.first()).click();
  await one.game.getByTestId("play").click();
  return true;
}

/** Both play, by `play`, until both see the result. A card of the round before may still lie there when it is asked for, so rounds are not counted. */
export async function playOut(ann, ben, play = playCard) {
  const by = Date.now() + 120000;
  while (Date.now() < by && await play(ann, true) && await play(ben, false));
  for (const one of [ann, ben]) await one.game.getByTestId("result").waitFor({ timeout: 60000 });
}
