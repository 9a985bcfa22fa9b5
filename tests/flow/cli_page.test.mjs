// cli_page.test.mjs: what `plugin new` makes is played in a real browser at once: against the bot, and by two people for a stake.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";

const FROND = process.env.FROND ?? path.join(BUILD, "frond"), SHOTS = path.join(BUILD, "test-shots");
const BROWSER = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const { check, end } = checks();
const work = mkdtempSync(path.join(tmpdir(), "frond-page-")), complaints = [];
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
mkdirSync(SHOTS, { recursive: true });

const made = spawnSync(FROND, ["plugin", "new", "moon-race", path.join(work, "games/moon-race")], { cwd: ROOT, encoding: "utf8" });
assert.equal(made.status, 0, made.stderr);
writeFileSync(path.join(work, "frond.json"), JSON.stringify({ plugins: ["games"] }));
const host = await startHost({ args: ["--config", path.join(work, "frond.json")] });
const browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox"] });

async function person(name, colorScheme) {
  const page = await (await browser.newContext({ viewport: { width: 390, height: 760 }, colorScheme })).newPage();
  page.setDefaultTimeout(20000);
  page.on("console", (message) => { if (message.type() === "error") complaints.push(`${name}: ${message.text()}`); });
  page.on("pageerror", (error) => complaints.push(`${name}: ${error.message}`));
  await page.goto(`${host.url}/app/`);
  await page.getByTestId("as-name").fill(name);
  await page.getByTestId("as-go").click();
  await page.getByTestId("open-moon-race").click();
  const game = page.frameLocator("iframe[data-testid=game]");
  await game.getByTestId("bot").waitFor();
  return { name, page, game, shot: (what) => page.screenshot({ path: path.join(SHOTS, `template-${what}.png`) }) };
}

// Plays the leftmost or the rightmost card that may be played, until the result is there.
async function playOut(one, side) {
  const cards = one.game.locator(".hand button:not([disabled])"), result = one.game.getByTestId("result");
  for (let i = 0; i < 2000 && await result.count() === 0; i++) {
    if (await cards.count() > 0) await cards[side]().click({ timeout: 500 }).catch(() => {});
    await new Promise((r) => setTimeout(r, 30));
  }
  await result.waitFor();
  return result.textContent();
}

const ann = await person("Ann", "light"), ben = await person("Ben", "dark");

await check("template: a new game is played against the bot by clicking", async () => {
  await ann.shot("lobby-light");
  await ann.game.getByTestId("bot").click();
  await ann.game.getByTestId("card-3").waitFor();
  await ann.shot("table-light");
  assert.match(await playOut(ann, "last"), /^(You won!|You lost|A draw)$/);
  await ann.shot("result-light");
  await ann.game.getByTestId("again").click();
});

await check("template: two people play it for a stake", async () => {
  for (const one of [ann, ben]) {
    await one.game.getByTestId("find-1000000000").click();
    const approve = one.page.getByTestId("approve-once");
    await approve.waitFor();
    for (let i = 0; i < 200 && !await approve.isEnabled(); i++) await new Promise((r) => setTimeout(r, 50));
    await approve.click();
  }
  await ben.game.getByTestId("card-1").waitFor();
  await ben.shot("table-dark");
  const results = await Promise.all([playOut(ann, "last"), playOut(ben, "last")]);
  assert.deepEqual(results, ["A draw", "A draw"]);          // the same cards in the same order
  await ben.shot("result-dark");
});

await check("template: the browser has nothing to complain about", () => assert.deepEqual(complaints, []));

await browser.close();
await host.stop();
host.clean();
end();
