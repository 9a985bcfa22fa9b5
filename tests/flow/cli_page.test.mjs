// cli_page.test.mjs: what `plugin new` makes is played in a real browser at once: against the bot, and by two people for a stake.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";
import { audit } from "./audit.mjs";
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

async function person(name, colorScheme, language) {
  const page = await (await browser.newContext({ viewport: { width: 390, height: 760 }, colorScheme, locale: language })).newPage();
  page.setDefaultTimeout(20000);
  page.on("console", (message) => { if (message.type() === "error") complaints.push(`${name}: ${message.text()}`); });
  page.on("pageerror", (error) => complaints.push(`${name}: ${error.message}`));
  await page.goto(`${host.url}/app/`);
  await page.getByTestId("as-name").fill(name);
  await page.getByTestId("as-go").click();
  await page.getByTestId("open-moon-race").click();
  const game = page.frameLocator("iframe[data-testid=game]");
  await game.getByTestId("bot").waitFor();
  return { name, page, game, shot };

  // A picture, and what the page owes everybody.
  async function shot(what) {
    const frame = page.frames().find((one) => one.url().includes("/app/moon-race/"));
    for (const width of [320, 390]) {
      await page.setViewportSize({ width, height: 760 });
      await page.screenshot({ path: path.join(SHOTS, `template-${what}-${colorScheme}-${width}.png`) });
      for (const fault of await frame.evaluate(audit, { language, names: ["PALM", "Ann", "Ben", "Moon Race"] })) if (language === "ko" || !fault.startsWith("foreign")) complaints.push(`${what} at ${width}: ${fault}`);
    }
  }
}

// Plays the leftmost or the rightmost card that may be played, until the result is there.
async function playOut(one, side) {
  const cards = one.game.locator(".hand button[aria-disabled=false]"), result = one.game.getByTestId("result");
  for (let i = 0; i < 2000 && await result.count() === 0; i++) {
    if (await cards.count() > 0) await cards[side]().click({ timeout: 500 }).catch(() => {});
    await new Promise((r) => setTimeout(r, 30));
  }
  await result.waitFor();
  return result.textContent();
}

const ann = await person("Ann", "light", "en"), ben = await person("Ben", "dark", "ko");

await check("template: a new game is played against the bot by clicking", async () => {
  await ann.shot("lobby");
  await ann.game.getByTestId("bot").click();
  await ann.game.getByTestId("card-3").waitFor();
  await ann.shot("table");
  assert.match(await playOut(ann, "last"), /^(You won!|You lost|A draw)$/);
  await ann.shot("result");
  await ann.game.getByTestId("leave").click();
});

await check("template: two people play it for a stake, each in their language", async () => {
  await ben.shot("lobby");
  for (const one of [ann, ben]) {
    await one.game.getByTestId("stake-1000000000").check();
    await one.game.getByTestId("find").click();
    const approve = one.page.getByTestId("approve-once");
    await approve.waitFor();
    for (let i = 0; i < 200 && !await approve.isEnabled(); i++) await new Promise((r) => setTimeout(r, 50));
    await approve.click();
  }
  await ben.game.getByTestId("card-1").waitFor();
  await ben.shot("table");
  const results = await Promise.all([playOut(ann, "last"), playOut(ben, "last")]);
  assert.deepEqual(results, ["A draw", "비겼어요"]);          // the same cards in the same order
  await ben.shot("result");
});

await check("template: the browser and the audit have nothing to complain about", () => assert.deepEqual(complaints, []));

await browser.close();
await host.stop();
host.clean();
end();
