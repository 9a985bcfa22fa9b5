// background.test.mjs: a page that was in the background, frozen as phones freeze them, goes on in the same match with the same launch data.
// BACKGROUND_S says for how long (`make test`: seconds; `make test-background`: ten minutes).
import assert from "node:assert/strict";
import { checks } from "../flow/host.mjs";
import { launch, until } from "./browser.mjs";
import { answers, atTheTable, idOf, said, say, startPatience } from "./patience.mjs";

const AWAY_MS = Number(process.env.BACKGROUND_S ?? 4) * 1000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const { check, end } = checks();
let host = await startPatience();
const browser = await launch();

async function watched(name) {
  const table = await atTheTable(browser, () => host, name), { ann } = table;
  ann.requests = [];
  ann.page.on("request", (request) => ann.requests.push(`${request.method()} ${new URL(request.url()).pathname} ${request.headers().authorization ?? ""}`));
  ann.launchData = await ann.page.evaluate(() => JSON.stringify(Object.entries(sessionStorage).filter(([key]) => key.startsWith("frond.launch."))));
  ann.cdp = await ann.context.newCDPSession(ann.page);
  await ann.page.evaluate(() => { window.sameWindow = true; });
  return table;
}
// Chromium without a screen never hides a page by itself, so its visibility is told; the freeze is real: no script runs in it.
async function hide(one, hidden) {
  await one.page.evaluate((now) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (now ? "hidden" : "visible") });
    Object.defineProperty(document, "hidden", { configurable: true, get: () => now });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
}
async function freeze(one) {
  await hide(one, true);
  await one.cdp.send("Page.setWebLifecycleState", { state: "frozen" });
}
async function thaw(one) {
  await one.cdp.send("Page.setWebLifecycleState", { state: "active" });
  await hide(one, false);
}
async function sameMatch(one, match, what) {
  assert.equal(await idOf(one), match.id, `${what}: the same match`);
  assert.equal(await one.page.evaluate(() => window.sameWindow), true, `${what}: the page was not loaded again`);
  assert.equal(await one.page.evaluate(() => JSON.stringify(Object.entries(sessionStorage).filter(([key]) => key.startsWith("frond.launch.")))), one.launchData, `${what}: the same launch data`);
  assert.deepEqual(one.requests.filter((line) => line.includes("/v1/dev/launch")), [], `${what}: nothing was minted`);
  await until(`${what}: no banner`, async () => await one.page.getByTestId("reconnecting").count() === 0);
}

await check(`background: frozen for ${AWAY_MS / 1000} s, the page sees what happened meanwhile and plays on in the same match`, async () => {
  const { ann, ben, match } = await watched("Ann");
  await say(ann, "before");
  await until("the first word", async () => (await said(ann)).includes("me before"));
  await freeze(ann);
  await sleep(AWAY_MS / 2);
  await ben.move(match, "say", { word: "meanwhile" });
  await sleep(AWAY_MS / 2);
  await thaw(ann);
  await until("what was missed", async () => (await said(ann)).includes("you meanwhile"));
  await say(ann, "after");
  await until("the next word", async () => (await said(ann)).includes("me after"));
  assert.deepEqual(await said(ann), ["me before", "you meanwhile", "me after"]);
  assert.deepEqual(await answers(ann), [["before", "ok"], ["after", "ok"]]);
  await sameMatch(ann, match, "frozen");
  assert.deepEqual(ann.requests.filter((line) => line.includes("POST /v1/session")), [], "no new sign-in");
  ben.close();
  await ann.context.close();
});

await check("background: the host is killed and comes back while the page is frozen; a word said at once after the thaw counts once", async () => {
  const { ann, ben, match } = await watched("Bea");
  await say(ann, "before");
  await until("the first word", async () => (await said(ann)).includes("me before"));
  await freeze(ann);
  const { data, url } = host;
  await host.stop("SIGKILL");
  host = await startPatience({ data, listen: new URL(url).host });
  await until("Ben's line", () => ben.open, 30000);
  await ben.until(() => match.view, 20000, "the table");
  await ben.move(match, "say", { word: "meanwhile" });
  await sleep(AWAY_MS / 4);
  await thaw(ann);
  await say(ann, "at once", true);
  await until("the next word", async () => (await said(ann)).includes("me at once"), 30000);
  assert.deepEqual(await said(ann), ["me before", "you meanwhile", "me at once"]);
  await sameMatch(ann, match, "killed");
  ben.close();
  await ann.context.close();
});

await browser.close();
await host.stop();
host.clean();
end();
process.exit();                       // a check that failed may have left a player behind
