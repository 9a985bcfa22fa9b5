// account.test.mjs: what the player can look up and take back: matches with the fairness check, sessions, approvals.
import assert from "node:assert/strict";
import { audit } from "../flow/audit.mjs";
import { checks, startHost } from "../flow/host.mjs";
import { Player } from "../flow/player.mjs";
import { launch, person, until } from "./browser.mjs";

const { check, end } = checks();
const host = await startHost();
const browser = await launch();
const press = (one, key) => one.page.keyboard.press(key);
const focused = (one) => one.page.evaluate(() => document.activeElement?.dataset?.testid ?? document.activeElement?.tagName ?? "");
let ann;

await check("account: an empty history says what will stand there; then each match is a row", async () => {
  ann = await person(browser, host.url, "Ann");
  await ann.page.getByTestId("tab-history").click();
  await until("the words", async () => /No matches yet/.test(await ann.page.locator("main").textContent()));
  for (let i = 0; i < 2; i++) {
    await ann.page.getByTestId("tab-games").click();
    await ann.page.getByTestId("open-duel").click();
    await ann.game.getByTestId("bot").click();
    await ann.game.getByTestId("table").waitFor();
    await ann.game.getByTestId("surrender").click();
    await ann.game.getByTestId("surrender-yes").click();
    await ann.game.getByTestId("result").waitFor();
    await ann.page.getByTestId("back").click();
  }
  await ann.page.getByTestId("tab-history").click();
  await until("both rows", async () => await ann.page.getByTestId("match").count() === 2);
  assert.match(await ann.page.getByTestId("match").first().textContent(), /Lost\s*Bot.*Card Duel.*no stake/s);
});

await check("account: a match opens over the page, keeps the focus, checks its fairness, and Escape leads back", async () => {
  await ann.page.getByTestId("match").first().focus();
  await press(ann, "Enter");
  await ann.page.getByTestId("verify").waitFor();
  const passed = new Set();
  for (let i = 0; i < 6; i++) { await press(ann, "Tab"); passed.add(await focused(ann)); }
  assert.deepEqual([...passed].sort(), ["match-close", "verify"]);
  await ann.page.getByTestId("verify").click();
  await ann.page.getByTestId("verdict").waitFor();
  assert.equal(await ann.page.getByTestId("verdict").getAttribute("data-verdict"), "true");
  assert.ok(await ann.page.getByTestId("steps").locator("> li.true").count() >= 5);
  assert.match(await ann.page.getByTestId("steps").textContent(), /shown when the match ended/, "also against what this device was told");
  assert.equal(await ann.page.getByTestId("steps").locator("> li:not(.true)").count(), 0);
  await press(ann, "Escape");
  assert.equal(await ann.page.getByTestId("match-sheet").count(), 0);
  assert.equal(await focused(ann), "match");
});

await check("account: a match that does not fit is told in words, not by colour alone", async () => {
  await ann.page.route("**/v1/matches/*-*", async (route) => {
    const answer = await (await route.fetch()).json();
    answer.fairness.server_seed = answer.fairness.server_seed.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    await route.fulfill({ json: answer });
  });
  await ann.page.getByTestId("match").first().click();
  await ann.page.getByTestId("verify").click();
  await ann.page.getByTestId("verdict").waitFor();
  assert.equal(await ann.page.getByTestId("verdict").getAttribute("data-verdict"), "false");
  assert.match(await ann.page.getByTestId("verdict").textContent(), /does NOT fit/);
  assert.match(await ann.page.getByTestId("steps").locator("> li.false").first().textContent(), /Wrong:/);
  await ann.page.setViewportSize({ width: 320, height: 1600 });      // all of it in sight: colours are measured where they are
  await ann.page.waitForTimeout(700);
  assert.deepEqual((await ann.page.evaluate(audit, { language: "en" })).filter((fault) => !fault.startsWith("foreign")), []);
  await ann.page.setViewportSize({ width: 390, height: 760 });
  await press(ann, "Escape");
  await ann.page.unroute("**/v1/matches/*-*");
});

await check("account: a page of the history leads to the next, and nobody sees another's", async () => {
  const ben = await new Player(() => host.url, 4711, "Ben").signIn();
  assert.deepEqual((await ben.http("GET", "/v1/matches")).body, { matches: [], cursor: null });
  for (const query of ["limit=0", "limit=51", "limit=x", "cursor=x"]) assert.equal((await ben.http("GET", `/v1/matches?${query}`)).status, 400, query);
  await ann.page.route("**/v1/matches?limit=20", (route) => route.continue({ url: route.request().url().replace("limit=20", "limit=1") }));
  await ann.page.route("**/v1/matches?limit=20&cursor=*", (route) => route.continue({ url: route.request().url().replace("limit=20", "limit=1") }));
  await ann.page.getByTestId("tab-games").click();
  await ann.page.getByTestId("tab-history").click();
  await ann.page.getByTestId("more-history").waitFor();
  assert.equal(await ann.page.getByTestId("match").count(), 1);
  await ann.page.getByTestId("more-history").click();
  await until("the second row", async () => await ann.page.getByTestId("match").count() === 2);
  assert.equal(await ann.page.getByTestId("more-history").count(), 0);
});

await check("account: a session elsewhere is seen and ended; that page says so and signs in again", async () => {
  await ann.page.waitForTimeout(1100);                     // launch data of the same second is the same launch
  const phone = await person(browser, host.url, "Ann", { userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1" });
  await phone.page.getByTestId("open-duel").waitFor();
  await ann.page.getByTestId("tab-account").click();
  await until("two sessions", async () => await ann.page.getByTestId("sessions").locator("li").count() === 2);
  const texts = await ann.page.getByTestId("sessions").locator("li").allTextContents();
  assert.equal(texts.filter((text) => /this one/.test(text)).length, 1);
  assert.equal(texts.filter((text) => /iPhone/.test(text)).length, 1, texts.join(" | "));
  assert.equal(await ann.page.getByTestId("end-session").count(), 1, "not its own");
  await ann.page.getByTestId("end-session").focus();
  await press(ann, "Enter");
  await phone.page.getByTestId("ended").waitFor();
  assert.match(await phone.page.getByTestId("ended").textContent(), /signed this device out/);
  await until("one session", async () => await ann.page.getByTestId("sessions").locator("li").count() === 1);
  assert.match(await ann.page.getByTestId("toast").textContent(), /Signed out there/);
  await until("the focus on something that is still there", async () => (await focused(ann)) === "tab-account");
  await phone.page.getByTestId("ended").getByRole("button").click();
  await phone.page.getByTestId("open-duel").waitFor();
  await ann.page.getByTestId("tab-account").click();
  await until("two sessions again", async () => await ann.page.getByTestId("sessions").locator("li").count() === 2);
  await ann.page.getByTestId("end-others").click();
  await phone.page.getByTestId("ended").waitFor();
  await until("one session again", async () => await ann.page.getByTestId("sessions").locator("li").count() === 1);
  assert.equal(await ann.page.getByTestId("end-others").count(), 0);
  await phone.context.close();
});

await check("account: no page complained", () => assert.deepEqual(ann.complaints, []));

await browser.close();
await host.stop();
host.clean();
end();
process.exit();
