// line.test.mjs: what a player sees and what their moves do when the line breaks: cut, dead without a word, deaf in one direction; the worker
// killed, the host away. LINE_S: for how long the host stays away (`make test`: seconds; `make test-background` says 30).
import assert from "node:assert/strict";
import { checks } from "../flow/host.mjs";
import { Player } from "../flow/player.mjs";
import { frameOf, launch, person, until } from "./browser.mjs";
import { answers, atTheTable, idOf, inputsSent, said, say, startPatience } from "./patience.mjs";
import { startWire } from "./wire.mjs";

const AWAY_MS = Number(process.env.LINE_S ?? 3) * 1000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const { check, end } = checks();
let host = await startPatience();
const browser = await launch();
const banner = (one) => one.page.getByTestId("reconnecting");
const gone = (one) => until("the banner to go", async () => await banner(one).count() === 0, 30000);

// Ann sits behind a wire that the test holds, Ben does not.
async function table(name) {
  const wire = await startWire(() => host.url);
  const { ann, ben, match } = await atTheTable(browser, () => host, name, wire.url);
  return { ann, ben, match, wire, async leave() { ben.close(); await ann.context.close(); wire.close(); } };
}
const heard = (match) => match.view.said.map(({ word }) => word);

await check(`line: the host is gone for ${AWAY_MS / 1000} s; the page says so, keeps what was said and says it once`, async () => {
  const { ann, ben, match, leave } = await table("Ann");
  await say(ann, "one");
  await until("the first word", async () => (await said(ann)).length === 1);
  const { data, url } = host;
  await host.stop("SIGKILL");
  await banner(ann).waitFor();
  assert.equal((await banner(ann).textContent()).trim(), "Reconnecting… Your match is safe.");
  await until("the game to know", async () => await ann.game.locator("#status").textContent() === "away");
  await say(ann, "kept");
  await sleep(AWAY_MS);
  assert.deepEqual(await answers(ann), [["one", "ok"]]);
  host = await startPatience({ data, listen: new URL(url).host });
  await gone(ann);
  assert.match(await ann.page.getByTestId("toast").textContent(), /Connected again/);
  await until("the kept word", async () => (await answers(ann)).length === 2);
  assert.deepEqual(await answers(ann), [["one", "ok"], ["kept", "ok"]]);
  await ben.until(() => heard(match).length === 2, 20000, "both words");
  assert.deepEqual(heard(match), ["one", "kept"]);
  assert.equal(await idOf(ann), match.id);
  await leave();
});

await check("line: a move that was taken but whose answer was lost is repeated under its number and counts once", async () => {
  const { ann, ben, match, wire, leave } = await table("Bea");
  wire.set("deaf");
  await say(ann, "once");
  await ben.until(() => match.view.said.length === 1, 20000, "the word");
  wire.set("cut");
  await banner(ann).waitFor();
  wire.set("open");
  await until("the answer", async () => (await answers(ann)).length === 1, 30000);
  assert.deepEqual(await answers(ann), [["once", "ok"]]);
  const sent = inputsSent(ann).filter((one) => one.args.word === "once");
  assert.ok(sent.length >= 2, "it went out again");
  assert.deepEqual([...new Set(sent.map((one) => one.n))], [1]);
  assert.deepEqual([await said(ann), heard(match)], [["me once"], ["once"]]);
  await leave();
});

await check("line: a move made for a state that is gone is refused as stale, unless the page says that it still means the same", async () => {
  const { ann, ben, match, wire, leave } = await table("Cem");
  wire.set("cut");
  await banner(ann).waitFor();
  await say(ann, "late");
  await say(ann, "still good", true);
  await ben.move(match, "say", { word: "first" });
  wire.set("open");
  await until("both answers", async () => (await answers(ann)).length === 2, 30000);
  assert.deepEqual(await answers(ann), [["late", "stale"], ["still good", "ok"]]);
  assert.deepEqual(await said(ann), ["you first", "me still good"]);
  await leave();
});

await check("line: a socket that nobody closed but that is dead is noticed, and the move still goes out once", async () => {
  const { ann, ben, match, wire, leave } = await table("Dan");
  wire.set("silent");
  await say(ann, "hello?");
  await ben.until(() => match.view.said.length === 1, 40000, "the word");
  await gone(ann);
  await until("the answer", async () => (await answers(ann)).length === 1, 30000);
  assert.deepEqual([await answers(ann), heard(match)], [[["hello?", "ok"]], ["hello?"]]);
  await leave();
});

await check("line: who looks again at a page whose socket died finds it connected, without pressing anything", async () => {
  const { ann, ben, match, wire, leave } = await table("Eva");
  wire.set("silent");
  await ann.page.evaluate(() => { document.dispatchEvent(new Event("resume")); });
  await ben.move(match, "say", { word: "there?" });
  await until("the word", async () => (await said(ann)).length === 1, 40000);
  await leave();
});

await check("line: a place in the queue outlives the line, and a match that began meanwhile is found", async () => {
  const wire = await startWire(() => host.url);
  for (const [name, during] of [["Flo", false], ["Gil", true]]) {
    const ann = await person(browser, wire.url, name, { address: null });
    if (during) await ann.page.addInitScript(() => { Object.defineProperty(crypto, "subtle", { value: undefined }); });      // a match without her seed needs no word from her to begin
    await ann.page.goto(`${wire.url}/app/?as=${name}&game=patience`);
    await ann.game.locator("#status", { hasText: "ready" }).waitFor();
    await ann.game.locator("#find").click();
    await ann.game.locator("#status", { hasText: "waiting" }).waitFor();
    const ben = (await new Player(() => host.url, 990000 + (during ? 1 : 2), `Ben${name}`).signIn()).connect();
    await until("Ben's line", () => ben.open);
    const join = async () => { await ben.find({ game: "patience", mode: "talk", stake: "0" }); return ben.until(() => [...ben.matches.values()].find((one) => !one.over), 20000, "a match"); };
    wire.set(during ? "deaf" : "cut");
    let match = during ? await join() : null;
    if (during) wire.set("cut");
    await banner(ann).waitFor();
    wire.set("open");
    await gone(ann);
    match ??= await join();
    await until("the table", async () => await idOf(ann) === match.id, 20000);
    await say(ann, "here");
    await ben.until(() => match.view.said.length === 1, 20000, "the word");
    ben.close();
    await ann.context.close();
  }
  wire.close();
});

await check("line: a killed worker is a short pause: no banner, and the move goes out once", async () => {
  const { ann, ben, match, leave } = await table("Hal");
  let bannered = 0;
  await ann.page.exposeFunction("sawBanner", () => { bannered++; });
  await ann.page.evaluate(() => new MutationObserver(() => { if (document.querySelector("[data-testid=reconnecting]")) window.sawBanner(); }).observe(document.body, { childList: true, subtree: true }));
  await fetch(`${host.url}/v1/dev/kill`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ what: "worker", plugin: "patience" }) });
  await say(ann, "still here");
  await until("the answer", async () => (await answers(ann)).length === 1, 30000);
  assert.deepEqual([await answers(ann), await said(ann)], [[["still here", "ok"]], ["me still here"]]);
  await ben.until(() => match.view.said.length === 1, 20000, "the word");
  assert.equal(bannered, 0);
  await leave();
});

await check("line: without a network the banner says that; trying at once is a button", async () => {
  const { ann, wire, leave } = await table("Ida");
  wire.set("cut");
  await ann.context.setOffline(true);
  await until("the words", async () => /You are offline\. Your match is safe\./.test(await banner(ann).textContent()));
  await ann.context.setOffline(false);
  await until("the other words", async () => /Reconnecting/.test(await banner(ann).textContent()));
  wire.set("open");
  await ann.page.getByTestId("try-now").click({ timeout: 2000 }).catch(() => {});        // it may have come back by itself
  await gone(ann);
  await leave();
});

await check("line: a card of the duel chosen without a line is kept, told, and played once when it is back", async () => {
  const wire = await startWire(() => host.url), ann = await person(browser, wire.url, "Jan", { address: "/app/?as=Jan&game=duel" });
  await ann.game.getByTestId("bot").click();
  await ann.game.getByTestId("table").waitFor();
  wire.set("cut");
  await banner(ann).waitFor();
  await ann.game.locator("[data-testid=hand] .card").first().click();
  await ann.game.getByTestId("play").click();
  await until("the words", async () => /Your card is kept/.test(await ann.game.getByTestId("say").textContent()));
  wire.set("open");
  await until("the round", async () => await ann.game.locator(".round.won, .round.lost, .round.tie").count() === 1, 30000);
  assert.equal(await frameOf(ann).locator("[data-testid=hand] .card").count(), 5);
  await ann.context.close();
  wire.close();
});

await check("line: a list that does not come says so and comes when asked again; what was there stays", async () => {
  const one = await person(browser, host.url, "Kim");
  const broken = (status) => one.page.route("**/v1/wallet/journal**", (route) => (status ? route.fulfill({ status, contentType: "text/html", body: "<h1>Bad gateway</h1>" }) : route.abort()));
  await one.page.getByTestId("tab-wallet").waitFor();
  for (const status of [0, 502, 500]) {
    await broken(status);
    await one.page.getByTestId("tab-games").click();
    await one.page.getByTestId("tab-wallet").click();
    await one.page.getByTestId("failed-journal").waitFor();
    assert.equal(await one.page.getByTestId("loading").count(), 0, "no spinner for ever");
    await one.page.unroute("**/v1/wallet/journal**");
    await one.page.getByTestId("retry-journal").click();
    await one.page.getByTestId("journal").locator("li").first().waitFor();
    assert.equal(await one.page.getByTestId("failed-journal").count(), 0);
  }
  await one.context.close();
});

await check("line: a host that fails at the start is asked again until it answers", async () => {
  const one = await person(browser, host.url, "Lea", { address: null });
  await one.page.route("**/v1/games", (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"code":"starting","detail":"Not yet.","request_id":"r-1"}' }));
  await one.page.goto(`${host.url}/app/?as=Lea`);
  await one.page.getByTestId("failure").waitFor();
  assert.match(await one.page.getByTestId("failure").textContent(), /Not yet\..*request r-1/s);
  await one.page.unroute("**/v1/games");
  await one.page.getByTestId("open-duel").waitFor({ timeout: 30000 });
  await one.context.close();
});

await browser.close();
await host.stop();
host.clean();
end();
process.exit();                       // a check that failed may have left a player behind
