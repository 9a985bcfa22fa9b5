// watch.test.mjs: two play a duel, a third one signed in watches it to its end: sees the table late, never a hand, and can do nothing; comes back after a
// lost line and a killed host; is told clearly when there is nothing to watch; and leaves without a trace.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { audit } from "../flow/audit.mjs";
import { BUILD, checks, startHost } from "../flow/host.mjs";
import { SIZES, PHONE, frameOf, launch, person, until } from "./browser.mjs";
import { idOf, startPatience } from "./patience.mjs";
import { startWire } from "./wire.mjs";

const SHOTS = path.join(BUILD, "test-shots"), NAMES = ["Frond", "PALM", "Ann", "Ben", "Cem", "Dan", "Fay", "Wolfeschlegelsteinhausenbergerdorff", "Card Duel", "Patience"];
mkdirSync(SHOTS, { recursive: true });
const { check: run, end } = checks();
let host = await startPatience();
const wire = await startWire(() => host.url), browser = await launch();
const faults = [];
const check = (name, body) => run(name, async () => { await body(); assert.deepEqual(faults.splice(0), []); });
const handsOf = (one) => one.heard.filter((text) => /"(hand|pick|payout)"/.test(text));

// A person whose page keeps what its socket hears.
async function guest(name, url, options = {}) {
  const one = await person(browser, url, name, { ...options, address: null });
  one.heard = [];
  one.page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => one.heard.push(String(payload))));
  const { address = `/app/?as=${name}` } = options;
  if (address) await one.page.goto(url + address);
  return one;
}
const watchAddress = (name, match) => `/app/?as=${name}#watch=${match}`;
const asked = (one, op) => one.sent.filter((text) => text.includes(`"${op}"`)).length;
const hash = (one) => new URL(one.page.url()).hash;
async function openShare(one) {
  await one.page.getByTestId("share").click();
  await until("the sheet to have the focus", () => one.page.evaluate(() => document.activeElement.dataset.testid === "share-sheet"));
}
async function inspect(one, what, { sizes = SIZES, language = "en" } = {}) {
  for (const size of sizes) {
    await one.page.setViewportSize(size);
    await one.page.waitForTimeout(700);
    const scheme = await one.page.evaluate(() => document.documentElement.dataset.scheme);
    await one.page.screenshot({ path: path.join(SHOTS, `${what}-${size.width}-${language}-${scheme}.png`), timeout: 4000 }).catch(() => {});       // for people; the duel's clock runs
    for (const frame of [one.page.mainFrame(), frameOf(one)].filter(Boolean)) {
      for (const fault of await frame.evaluate(audit, { language, names: NAMES })) if (language === "ko" || !fault.startsWith("foreign")) faults.push(`${what} at ${size.width}, ${scheme}: ${fault}`);
    }
  }
  await one.page.setViewportSize(PHONE);
}
async function play(one, best) {
  const cards = one.game.locator("[data-testid=hand] .card:not([disabled])"), result = one.game.getByTestId("result");
  await until(`${one.name}'s turn`, async () => await cards.count() > 0 || await result.count() > 0, 30000);
  if (await result.count()) return false;
  await (best ? cards.last() : cards.first()).click();
  await one.game.getByTestId("play").click();
  return true;
}
const rounds = (one) => one.game.locator(".round.taken, .round.tie").count();

let ann, ben, cem, match;
await check("watch: a player lets others watch, by a link", async () => {
  [ann, ben] = [await guest("Ann", host.url), await guest("Ben", host.url, { colorScheme: "dark" })];
  for (const one of [ann, ben]) {
    await one.page.getByTestId("open-duel").click();
    await one.game.getByTestId("lobby").waitFor();
    assert.equal(await one.page.getByTestId("share").count(), 0, "there is no match to share yet");
    await one.game.getByTestId("stake-0").check();
    await one.game.getByTestId("find").click();
  }
  for (const one of [ann, ben]) await one.game.getByTestId("table").waitFor();
  await openShare(ann);
  const link = await ann.page.getByTestId("share-link").inputValue();
  match = /^http:\/\/127\.0\.0\.1:\d+\/app\/#watch=([0-9a-f-]{36})$/.exec(link)?.[1];
  assert.ok(match, link);
  await ann.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await ann.page.getByTestId("share-copy").click();
  await until("it to be copied", async () => /Copied/.test(await ann.page.getByTestId("share-said").textContent()));
  assert.equal(await ann.page.evaluate(() => navigator.clipboard.readText()), link);
  await inspect(ann, "share");
  await ann.page.keyboard.press("Escape");
  assert.equal(await ann.page.getByTestId("share-sheet").count(), 0);
  assert.equal(await ann.page.evaluate(() => document.activeElement.dataset.testid), "share", "the focus is back");
  await ben.page.getByTestId("share").click();
  await inspect(ben, "share");
  await ben.page.getByTestId("share-close").click();
});

await check("watch: a third person sees the table late, both hands from behind, and nothing to press", async () => {
  cem = await guest("Cem", wire.url, { address: watchAddress("Cem", match) });
  await cem.game.getByTestId("table").waitFor();
  assert.equal(hash(cem), `#watch=${match}`);
  assert.match(await cem.game.getByTestId("watching").textContent(), /^Watching, 3 seconds late$/);
  assert.equal(await cem.page.getByTestId("watching").textContent(), " Watching");
  for (const hand of ["foe-backs", "me-backs"]) assert.equal(await cem.game.locator(`[data-testid=${hand}] .card.back`).count(), 6);
  assert.equal(await cem.game.locator("button, input, select, [data-testid=hand]").count(), 0, "nothing to press");
  assert.equal(await cem.page.getByTestId("share").count(), 0);
  const spoken = await cem.game.locator("#app").ariaSnapshot();
  for (const part of [/region "Card Duel, (Ann against Ben|Ben against Ann)"/, /Watching, 3 seconds late/, /img "Ann holds 6 cards, face down"/, /img "Ben holds 6 cards, face down"/, /Score of Ann: 0/, /status: Round 1 of 6\. Both choose a card\./, /"Round 1, now: (1 point|\d points)"/]) assert.match(spoken, part);
  await cem.page.getByTestId("back").focus();
  await cem.page.keyboard.press("Tab");
  assert.equal(await frameOf(cem).evaluate(() => document.activeElement.dataset.testid), "table", "the keyboard reaches the table, and can scroll it");
  await play(ann, true);
  await until("Ann's card to lie there", async () => await cem.game.locator("[data-testid=foe-slot] .card.back").count() + await cem.game.locator("[data-testid=my-slot] .card.back").count() === 1);
  assert.equal(await cem.game.locator(".slot .value").count(), 0);
  await inspect(cem, "watch-chosen", { sizes: [PHONE] });
  await play(ben, false);
  const seen = performance.now();
  await cem.game.locator("[data-testid=foe-slot] .card .value").waitFor();
  assert.ok(performance.now() - seen > 1500, "it is late");
  await until("the round", async () => await rounds(cem) === 1);
  await cem.page.waitForTimeout(2600);
  await inspect(cem, "watch");
});

await check("watch: what the watching page sends is refused by the shell, and keys do nothing", async () => {
  const sent = () => ["match.input", "match.leave", "match.find", "match.relay", "match.resume", "call"].map((op) => asked(cem, op)), before = sent();
  for (const key of ["1", "6", "Enter", "d", "s", "Escape"]) await cem.game.locator("body").press(key);
  await cem.page.route("**/app/duel/duel.js", (route) => route.fulfill({ contentType: "text/javascript", headers: { "Access-Control-Allow-Origin": "*" }, body: `import { connect } from "/sdk/frond.js";
    const frond = await connect(), id = frond.watching, codes = [];
    for (const ask of [() => frond.match.input(id, "play", { card: "f1" }), () => frond.match.leave(id), () => frond.match.relay(id, "x"), () => frond.match.resume(id), () => frond.match.find({ mode: "classic", stake: "0", bot: true }), () => frond.call("greet")]) codes.push((await ask()).code);
    const seen = new Promise((resolve) => frond.on("view", resolve)), reply = await frond.match.watch(), match = await seen;
    document.getElementById("app").textContent = JSON.stringify({ codes, ok: reply.ok, seat: match.seat, watched: match.watched, delayMs: match.delayMs, running: frond.info.matches, keys: Object.keys(match.view).filter((key) => ["hand", "pick", "charge"].includes(key)) });` }));
  await cem.page.reload();
  await until("its answers", async () => (await cem.game.locator("#app").textContent()).startsWith("{"));
  assert.deepEqual(JSON.parse(await cem.game.locator("#app").textContent()), { codes: Array(6).fill("watching"), ok: true, seat: null, watched: true, delayMs: 3000, running: [], keys: [] });
  assert.deepEqual(sent(), before, "and nothing of it reached the host");
  await cem.page.unroute("**/app/duel/duel.js");
  await cem.page.reload();
  await cem.game.getByTestId("table").waitFor();
});

await check("watch: the line breaks and comes back, and the match is seen again as it is", async () => {
  wire.set("cut");
  await cem.page.getByTestId("reconnecting").waitFor();
  assert.match(await cem.page.getByTestId("reconnecting").textContent(), /The match goes on/);
  await until("the page to tell", async () => /Connection lost/.test(await cem.game.getByTestId("say").textContent()));
  await inspect(cem, "watch-offline", { sizes: [PHONE] });
  await play(ann, true);
  await play(ben, false);
  wire.set("open");
  await until("the line", async () => await cem.page.getByTestId("reconnecting").count() === 0);
  await until("the second round", async () => await rounds(cem) === 2);
});

await check("watch: a reload goes on watching, and a killed host too", async () => {
  await cem.page.reload();
  await cem.game.getByTestId("table").waitFor();
  assert.equal(await rounds(cem), 2);
  const { data, url } = host;
  await host.stop("SIGKILL");
  await cem.page.getByTestId("reconnecting").waitFor();
  host = await startPatience({ data, listen: new URL(url).host });
  for (const one of [ann, ben, cem]) await until(`${one.name}'s line`, async () => await one.page.getByTestId("reconnecting").count() === 0, 30000);
  await play(ann, true);
  await play(ben, false);
  await until("the third round", async () => await rounds(cem) === 3);
});

await check("watch: the end is told with its result, and leaving goes back to the games", async () => {
  for (let round = 3; round < 6; round++) if (!await play(ann, true) || !await play(ben, false)) break;
  await ann.game.getByTestId("result").waitFor();
  await cem.game.locator("[data-testid=verdict] h1").waitFor();
  const title = await cem.game.getByTestId("verdict-title").textContent();
  assert.equal(await cem.page.getByTestId("watching").count(), 0, "nothing is watched any more");
  assert.match(title, /^(Ann|Ben) won$|^A draw$/);
  await cem.page.getByTestId("watch-end").waitFor();
  const said = await cem.page.getByTestId("watch-end").textContent();
  assert.ok(said.startsWith("The match is over.") && said.includes(title), said);
  const score = (one, name) => one.game.locator(name).textContent();
  const [mine, theirs] = (await score(ann, ".result .final [aria-hidden]")).split(" : ");
  assert.deepEqual((await score(cem, ".verdict .final [aria-hidden]")).split(" : ").sort(), [mine, theirs].sort());
  await inspect(cem, "watch-over");
  await cem.page.getByTestId("watch-leave").click();
  await cem.page.getByTestId("open-duel").waitFor();
  assert.equal(hash(cem), "");
  assert.deepEqual(handsOf(cem), [], "no hand ever came over the line");
});

await check("watch: who leaves is told nothing any more", async () => {
  await ann.game.getByTestId("leave").click();
  await ann.game.getByTestId("bot").click();
  await ann.game.getByTestId("table").waitFor();
  await openShare(ann);
  const link = await ann.page.getByTestId("share-link").inputValue(), next = link.split("=")[1];
  await ann.page.keyboard.press("Escape");
  await cem.page.evaluate((id) => { location.hash = `#watch=${id}`; }, next);      // a link that is opened in the same tab
  await cem.game.getByTestId("table").waitFor();
  assert.match(await cem.game.getByTestId("table").getAttribute("aria-label"), /^Card Duel, (Ann against Bot|Bot against Ann)$/);
  assert.equal(asked(cem, "match.unwatch"), 0);
  await cem.page.getByTestId("back").click();
  await cem.page.getByTestId("open-duel").waitFor();
  await until("it to be told", () => asked(cem, "match.unwatch") === 1);
  cem.heard.length = 0;
  await play(ann, true);
  await ann.page.waitForTimeout(4500);
  assert.deepEqual(cem.heard.filter((text) => text.includes("\"watch.")), []);
});

await check("watch: a player who opens the link of the own match plays", async () => {
  await openShare(ann);
  const link = await ann.page.getByTestId("share-link").inputValue();
  const again = await guest("Ann", host.url, { address: `/app/?as=Ann#${link.split("#")[1]}` });
  await again.game.getByTestId("hand").waitFor();
  assert.equal(await again.page.getByTestId("watching").count(), 0);
  await again.context.close();
  await ann.page.keyboard.press("Escape");
});

await check("watch: who watches while an own match runs is told, and goes back to it", async () => {
  const mine = await guest("Fay", host.url), other = await runningDuel();
  await mine.page.getByTestId("open-duel").click();
  await mine.game.getByTestId("bot").click();
  await mine.game.getByTestId("hand").waitFor();
  await mine.page.evaluate((id) => { location.hash = `#watch=${id}`; }, other);
  await mine.game.getByTestId("watching").waitFor();
  await inspect(mine, "watch-own-match");
  await mine.page.getByTestId("own-match").click();
  await mine.game.getByTestId("hand").waitFor();
  assert.equal(hash(mine), "");
  await mine.context.close();
});

await check("watch: every refusal is a page with a way back, in English and Korean", async () => {
  const talk = await guest("Dan", host.url, { address: "/app/?as=Dan&game=patience" });
  await talk.game.locator("#status", { hasText: "ready" }).waitFor();
  await talk.game.locator("#bot").click();
  await until("a match without spectators", () => idOf(talk));
  assert.equal(await talk.page.getByTestId("share").count(), 0, "nobody may watch this one");
  const shut = await idOf(talk);
  for (const [locale, language] of [["en-US", "en"], ["ko-KR", "ko"]]) {
    for (const [code, id, title] of [["match_unknown", "00000000-0000-7000-8000-000000000000", /no such match|그런 대전이 없어요/], ["match_unknown", "<b>x", /no such match|그런 대전이 없어요/], ["no_spectators", shut, /not open to watch|관전할 수 없는/],
      ["match_ended", match, /over|끝난/], ["too_many_spectators", match, /Too many|너무 많아요/], ["too_many_watches", match, /watch too many|보고 있는 대전/]]) {
      const one = await guest("Cem", host.url, { locale, address: null, colorScheme: language === "ko" ? "dark" : "light" });
      if (["match_ended", "too_many_spectators", "too_many_watches"].includes(code)) {      // a host that says so
        await one.page.routeWebSocket(/\/v1\/socket/, (socket) => {
          const server = socket.connectToServer();
          socket.onMessage((text) => {
            const ask = JSON.parse(text);
            if (ask.op === "match.watch") socket.send(JSON.stringify({ id: ask.id, ok: false, error: { code, detail: `the host says ${code}` } }));
            else server.send(text);
          });
        });
      }
      await one.page.goto(host.url + watchAddress("Cem", encodeURIComponent(id)));
      await one.page.getByTestId("watch-refused").waitFor();
      const heading = await one.page.getByTestId("watch-refused").locator("h1").textContent();
      assert.match(heading, title);
      await until("the way back to have the focus", () => one.page.evaluate(() => document.activeElement.dataset.testid === "watch-leave"));
      await inspect(one, `watch-${code}`, { language, sizes: [SIZES[0]] });
      await one.page.keyboard.press("Enter");
      await one.page.getByTestId("open-duel").waitFor();
      assert.equal(hash(one), "");
      await one.context.close();
    }
  }
  await talk.context.close();
});

await check("watch: a long name, and one written from right to left, keep the page in shape", async () => {
  const long = "<b>Wolfeschlegelsteinhausenbergerdorff", arabic = "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645", small = { sizes: [SIZES[0]] };
  const [one, two] = [await guest(long, host.url, { address: `/app/?as=${encodeURIComponent(long)}&game=duel` }), await guest(arabic, host.url, { locale: "ko-KR", address: `/app/?as=${encodeURIComponent(arabic)}&game=duel` })];
  for (const each of [one, two]) { await each.game.getByTestId("stake-0").check(); await each.game.getByTestId("find").click(); }
  await two.game.getByTestId("table").waitFor();
  await openShare(two);
  const link = (await two.page.getByTestId("share-link").inputValue()).split("#")[1];
  await two.page.keyboard.press("Escape");
  const eye = await guest("Cem", host.url, { address: `/app/?as=Cem#${link}` });
  await eye.game.getByTestId("table").waitFor();
  await play(one, true);
  await play(two, false);
  await eye.game.locator("[data-testid=foe-slot] .card .value").waitFor();
  await inspect(eye, "watch-names", small);
  await one.game.getByTestId("surrender").click();
  await one.game.getByTestId("surrender-yes").click();
  await eye.page.getByTestId("watch-end").waitFor();
  assert.match(await eye.page.getByTestId("watch-end").textContent(), new RegExp(`\u2068${arabic}\u2069 won . Somebody gave up`));
  assert.equal(await eye.game.locator(".verdict .lead").textContent(), `${long} gave up.`);
  await inspect(eye, "watched-names", small);
  await two.game.getByTestId("result").waitFor();
  await one.game.getByTestId("rematch").click();
  await until("the rematch to be asked for", async () => (await two.game.getByTestId("rematch-asked").textContent()) !== "");
  await inspect(two, "rematch-names", { ...small, language: "ko" });
  await two.page.getByTestId("back").click();
  await two.page.getByTestId("tab-history").click();
  await two.page.getByTestId("match").first().click();
  await two.page.getByTestId("verify").waitFor();
  await inspect(two, "match-names", { ...small, language: "ko" });
  for (const each of [one, two, eye]) await each.context.close();
});

await check("watch: the development page opens a running match to be watched", async () => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, locale: "en-US" }), page = await context.newPage();
  page.setDefaultTimeout(20000);
  await page.goto(`${host.url}/app/dev/`);
  const phone = page.frameLocator("[data-testid=phone-Ben]").frameLocator("iframe[data-testid=game]");
  const links = () => page.getByTestId("watch").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  await phone.getByTestId("bot").waitFor();
  await page.getByTestId("workers").locator("tr").first().waitFor();
  const others = await links();                        // of the checks above: their players have left, and they end when they want
  await phone.getByTestId("bot").click();
  await phone.getByTestId("table").waitFor();
  const fresh = await until("the match in the list", async () => (await links()).find((one) => !others.includes(one)));
  const link = page.locator(`[data-testid=watch][href="${fresh}"]`);
  await page.screenshot({ path: path.join(SHOTS, "dev-watch-1360.png"), timeout: 4000 }).catch(() => {});
  const [opened] = await Promise.all([context.waitForEvent("page"), link.click()]);
  await opened.frameLocator("iframe[data-testid=game]").getByTestId("watching").waitFor();
  assert.equal(await opened.getByTestId("watching").count(), 1);
  await context.close();
});

await check("watch: Telegram's start parameter opens a match, once", async () => {
  const launched = await (await fetch(`${host.url}/v1/dev/launch`, { method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user: { id: 99, first_name: "Dora" }, start_param: `watch_${await runningDuel()}` }) })).json();
  const dora = await guest("Dora", host.url, { locale: "ko-KR", colorScheme: "dark", address: `/app/#${new URLSearchParams({ tgWebAppData: launched.init_data })}` });
  await dora.game.getByTestId("table").waitFor();
  assert.match(await dora.game.getByTestId("watching").textContent(), /관전 중, 3초 늦은 화면/);
  await inspect(dora, "watch", { language: "ko" });
  assert.match(hash(dora), /^#watch=/);
  await dora.page.getByTestId("back").click();
  await dora.page.reload();
  await dora.page.getByTestId("open-duel").waitFor();
  assert.equal(await dora.page.getByTestId("watching").count(), 0, "who left does not come back by a reload");
  await dora.context.close();
});
await check("watch: inside Telegram the link opens the bot, and Telegram shares it", async () => {
  const file = path.join(SHOTS, "watch-bots.json"), wasUp = host;
  writeFileSync(file, JSON.stringify({ bots: [{ name: "duel", token: `77:${"A".repeat(35)}`, username: "FrondDuelBot" }] }));
  host = await startHost({ args: ["--config", file] });
  const launched = await (await fetch(`${host.url}/v1/dev/launch`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user: { id: 98, first_name: "Eve" } }) })).json();
  const eve = await guest("Eve", host.url, { address: null });
  await eve.page.addInitScript(() => { window.posted = []; window.TelegramWebviewProxy = { postEvent: (type, data) => window.posted.push([type, JSON.parse(data)]) }; });
  await eve.page.goto(`${host.url}/app/#${new URLSearchParams({ tgWebAppData: launched.init_data })}`);
  await eve.page.getByTestId("open-duel").click();
  await eve.game.getByTestId("bot").click();
  await eve.game.getByTestId("table").waitFor();
  await openShare(eve);
  const link = await eve.page.getByTestId("share-link").inputValue();
  assert.match(link, /^https:\/\/t\.me\/FrondDuelBot\?startapp=watch_[0-9a-f-]{36}$/);
  await eve.page.getByTestId("share-send").click();
  const [, { path_full: sent }] = (await eve.page.evaluate(() => window.posted)).find(([type]) => type === "web_app_open_tg_link");
  assert.equal(new URL(sent, "https://t.me").searchParams.get("url"), link);
  await eve.context.close();
  await host.stop();
  host.clean();
  host = wasUp;
});
async function runningDuel() {
  const { matches } = await (await fetch(`${host.url}/v1/dev/status`)).json();
  return matches.find((one) => one.game === "duel" && one.state !== "ended").id;
}

await check("watch: no page complained", () => {
  for (const one of [ann, ben, cem]) assert.deepEqual(one.complaints.filter((text) => !/ERR_|WebSocket|Failed to load resource/.test(text)), []);
});

await browser.close();
wire.close();
await host.stop();
host.clean();
end();
