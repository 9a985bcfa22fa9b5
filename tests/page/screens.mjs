// screens.mjs: a picture of every screen of the shell and the duel, at 320, 390 and 1024 pixels, light and dark, English and Korean, to be
// looked at by people: `make screenshots`. Then one sheet per language and scheme, so that a stranger sees the whole product at a glance.
//
//   node tests/page/screens.mjs [OUT_FOLDER]      ONLY=ko-dark names one language and scheme
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { FakeModels } from "../fake/models/server.mjs";
import { BUILD, startHost } from "../flow/host.mjs";
import { SIZES, PHONE, answerSheet, launch, person, playCard, playOut, until } from "./browser.mjs";

const OUT = path.resolve(process.argv[2] ?? path.join(BUILD, "screenshots"));
const STAKE = "10000000000", SETTLE_MS = 350;
const LOCALES = { en: "en-US", ko: "ko-KR" };
const taken = [];
mkdirSync(OUT, { recursive: true });

const SAYS = { en: "Sunlight is made of all colours. Air scatters the blue ones most, so blue reaches our eyes from everywhere.", ko: "햇빛에는 모든 색이 있어요. 공기가 그중 파란빛을 가장 많이 흩어 놓아서 하늘이 파랗게 보여요." };
const MADE = JSON.stringify({ questions: [["banana", "a", [1, 3, 2, 4]], ["mississippi", "s", [2, 3, 5, 4]], ["letter", "t", [1, 2, 3, 4]]].map(([word, letter, options]) => ({ word, letter, options, answer: 2 })) });
const model = new FakeModels({ models: ["fake-model"] }), folder = mkdtempSync(path.join(tmpdir(), "frond-screens-")), args = ["--config", path.join(folder, "config.json")];
await model.listen();
writeFileSync(args[1], JSON.stringify({ models: { engine: false, backends: [{ name: "fake", url: model.url, models: [{ name: "fake-model", can: ["chat", "json"] }] }] } }));
let host = await startHost({ args });
const browser = await launch();
for (const language of ["en", "ko"]) for (const scheme of ["light", "dark"]) {
  if (process.env.ONLY && process.env.ONLY !== `${language}-${scheme}`) continue;
  await tour(language, scheme);
  await sheet(language, scheme);
}
writeIndex();
await browser.close();
await host.stop();
host.clean();
await model.close();
rmSync(folder, { recursive: true, force: true });
console.log(`${taken.length} pictures in ${OUT}`);

async function ask(one, shot, language) {
  await one.page.getByTestId("tab-ask").click();
  await until("the model", async () => await one.page.getByTestId("model-state").getAttribute("data-ready") === "true", 30000);
  model.script({ text: SAYS[language] });
  await one.page.getByTestId("ask-text").fill(language === "ko" ? "하늘은 왜 파란색일까?" : "Why is the sky blue?");
  await one.page.getByTestId("ask-send").click();
  await one.page.locator(".talk li.assistant[data-state=said]").waitFor();
  await shot(one, "20-ask");
  await one.page.getByTestId("ask-abilities").click();
  await shot(one, "21-abilities");
  await one.page.getByTestId("systems").scrollIntoViewIfNeeded();
  await shot(one, "22-systems", [PHONE]);
  await one.page.getByTestId("ask-keys").click();
  await shot(one, "23-keys");
  await one.page.getByTestId("tab-games").click();
}

async function quiz(one, shot, language) {
  model.script({ text: MADE });
  await one.page.getByTestId("open-quiz").click();
  await one.game.getByTestId("topic-words").check();
  await shot(one, "24-quiz-lobby");
  await one.game.getByTestId("bot").click();
  await one.game.locator("[data-testid=board][data-phase=question]").waitFor();
  await shot(one, "25-quiz-question");
  await one.page.keyboard.press("2").catch(() => {});
  await one.game.locator("[data-testid=board][data-phase=reveal]").waitFor();
  await shot(one, "26-quiz-reveal", [PHONE]);
  await one.game.getByTestId("surrender").click();
  await one.game.getByTestId("surrender-yes").click();
  await one.game.getByTestId("result").waitFor();
  model.script({ text: language === "ko" ? "하나씩 세어 보면 답이 나와요." : "Count them one by one and you have it." });
  await one.game.getByTestId("explain-1").click();
  await one.game.locator(".tutor[data-state=said]").waitFor();
  await shot(one, "27-quiz-result");
  await one.page.getByTestId("back").click();
}

async function tour(language, scheme) {
  const look = { locale: LOCALES[language], colorScheme: scheme }, tag = `${language}${scheme}`;
  const names = language === "ko" ? [`지우${scheme === "dark" ? "2" : ""}`, `민준${scheme === "dark" ? "2" : ""}`] : [`Ann ${tag}`, `Ben ${tag}`];
  const shot = async (one, what, sizes = SIZES) => {
    for (const size of sizes) {
      await one.page.setViewportSize(size);
      await one.page.waitForTimeout(SETTLE_MS);
      const file = `${language}-${scheme}-${what}-${size.width}.png`;
      await one.page.screenshot({ path: path.join(OUT, file) });
      taken.push({ language, scheme, what, width: size.width, file });
    }
    await one.page.setViewportSize(PHONE);
  };

  const guest = await person(browser, host.url, "guest", { ...look, address: "/app/" });
  await guest.page.getByTestId("people").waitFor();
  await shot(guest, "01-people");
  await guest.context.close();

  const [ann, ben] = [await person(browser, host.url, names[0], look), await person(browser, host.url, names[1], look)];
  await ann.page.getByTestId("open-duel").waitFor();
  await shot(ann, "02-home");
  for (const one of [ann, ben]) {
    await one.page.getByTestId("open-duel").click();
    await one.game.getByTestId(`stake-${STAKE}`).check();
  }
  await shot(ann, "03-lobby");
  await ann.game.getByTestId("find").click();
  await ann.page.getByTestId("approval").waitFor();
  await until("the sheet to arm", () => ann.page.getByTestId("approve-daily").isEnabled());
  await shot(ann, "04-approval");
  await answerSheet(ann, "approve-daily");
  await ann.game.getByTestId("waiting").waitFor();
  await shot(ann, "05-waiting");
  await ben.game.getByTestId("find").click();
  await answerSheet(ben, "approve-once");
  for (const one of [ann, ben]) await one.game.getByTestId("table").waitFor();
  await shot(ann, "06-table");
  await ann.page.getByTestId("share").click();
  const link = new URL(await ann.page.getByTestId("share-link").inputValue());
  await shot(ann, "16-share", [PHONE]);
  await ann.page.getByTestId("share-close").click();
  const cem = await person(browser, host.url, `Cem ${tag}`, { ...look, address: `/app/?as=Cem${tag}${link.hash}` });
  await cem.game.getByTestId("table").waitFor();
  await playCard(ann, true);
  await playCard(ben, false);
  await ann.game.locator("[data-testid=foe-slot] .card .value").waitFor();
  await ann.page.waitForTimeout(900);
  await shot(ann, "07-reveal", [PHONE]);

  await shot(cem, "17-watching");
  await cem.game.locator("[data-testid=foe-slot] .card .value").waitFor();
  await shot(cem, "18-watching-reveal", [PHONE]);
  const { data, url } = host;
  await host.stop("SIGKILL");
  await ann.page.getByTestId("reconnecting").waitFor();
  await shot(ann, "08-reconnecting");
  host = await startHost({ data, listen: new URL(url).host, args });
  await until("the line to be back", async () => await ann.page.getByTestId("reconnecting").count() === 0 && await ben.page.getByTestId("reconnecting").count() === 0, 30000);

  await playOut(ann, ben);
  await cem.page.getByTestId("watch-end").waitFor();
  await shot(cem, "19-watched");
  await cem.context.close();
  await shot(ann, "09-won");
  await ben.game.getByTestId("result").waitFor();
  await shot(ben, "10-lost");
  await ann.game.getByTestId("leave").click();
  for (const [tab, what] of [["wallet", "11-wallet"], ["account", "12-account"], ["history", "13-history"]]) {
    if (await ann.page.getByTestId("back").count()) await ann.page.getByTestId("back").click();
    if (!await ann.page.getByTestId(`tab-${tab}`).count()) continue;
    await ann.page.getByTestId(`tab-${tab}`).click();
    await ann.page.waitForTimeout(SETTLE_MS);
    await shot(ann, what);
  }

  if (await ann.page.getByTestId("back").count()) await ann.page.getByTestId("back").click();
  await ask(ann, shot, language);
  await quiz(ann, shot, language);
  await ann.page.getByTestId("tab-history").click();
  await ann.page.getByTestId("match").filter({ hasText: /Card Duel|카드 대결/ }).first().click();
  await ann.page.getByTestId("verify").waitFor();
  await shot(ann, "14-match");
  await ann.page.getByTestId("verify").click();
  await ann.page.getByTestId("verdict").scrollIntoViewIfNeeded();
  await shot(ann, "15-verified");
  await ann.page.keyboard.press("Escape");

  await ann.page.route("**/v1/wallet/journal**", (route) => route.abort());
  await ann.page.getByTestId("tab-wallet").click();
  await ann.page.reload();
  await ann.page.getByTestId("tab-wallet").click();
  await ann.page.waitForTimeout(SETTLE_MS);
  await shot(ann, "20-wallet-failed");
  await ann.page.unroute("**/v1/wallet/journal**");
  await ann.page.route("**/v1/**", (route) => route.abort());
  await ann.page.reload();
  await ann.page.getByTestId("failure").waitFor();
  await shot(ann, "21-no-host");
  await ann.context.close();
  await ben.context.close();
}

// All phones of one language and scheme beside each other.
async function sheet(language, scheme) {
  const page = await browser.newPage({ viewport: { width: 1700, height: 900 } });
  const cells = taken.filter((one) => one.language === language && one.scheme === scheme && one.width === PHONE.width)
    .map((one) => `<figure><img src="data:image/png;base64,${readFileSync(path.join(OUT, one.file)).toString("base64")}"><figcaption>${one.what}</figcaption></figure>`);
  await page.setContent(`<style>body{margin:12px;display:flex;flex-wrap:wrap;gap:12px;background:#888;font:14px sans-serif}figure{margin:0}img{width:265px;display:block}</style>${cells.join("")}`);
  await page.screenshot({ path: path.join(OUT, `sheet-${language}-${scheme}.png`), fullPage: true });
  await page.close();
}

function writeIndex() {
  const rows = [...new Set(taken.map((one) => one.what))].sort().map((what) => `<h2>${what}</h2>${taken.filter((one) => one.what === what)
    .map((one) => `<a href="${one.file}"><img loading="lazy" height="320" src="${one.file}" alt="${one.file}" title="${one.file}"></a>`).join("\n")}`);
  writeFileSync(path.join(OUT, "index.html"), `<!doctype html><meta charset="utf-8"><title>Screens</title><style>body{font:15px sans-serif;background:#999}img{margin:4px}</style>${rows.join("\n")}`);
}
