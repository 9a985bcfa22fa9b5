// deposit.test.mjs: the deposit sheet: an address that can be copied and scanned, what is on its way, what was credited. The chain is told by the test.
import assert from "node:assert/strict";
import { checks, startHost } from "../flow/host.mjs";
import { launch, person, until } from "./browser.mjs";

const { check, end } = checks();
const host = await startHost();
const browser = await launch();
const ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", OTHER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", TX = `0x${"ab".repeat(32)}`;
const PENDING = { tx: TX, block: "9", from: OTHER, amount: "1500000000", chain_amount: "1500000000", blocks_left: 2 };
const CREDITED = { ...PENDING, tx: `0x${"cd".repeat(32)}`, log_index: "0", state: "credited", at: new Date().toISOString() };
const answer = { assets: ["PALM", "NFNT"], asset: "PALM", address: ADDRESS, chain_id: "31337", token: OTHER, decimals: 9, chain_decimals: 9, note: "", pending: [], deposits: [] };
const focused = (one) => one.page.evaluate(() => document.activeElement?.dataset?.testid ?? document.activeElement?.tagName ?? "");

/** Somebody whose host says this of deposits; `told` may be changed. */
async function depositor(name, told, more = {}) {
  const one = await person(browser, host.url, name, more);
  one.asked = [];
  await one.page.route("**/v1/me", async (route) => { const me = await (await route.fetch()).json(); return route.fulfill({ json: { ...me, wallet: true } }); });      // as of a host with a chain
  await one.page.route("**/v1/wallet/deposit*", (route) => {
    const asset = new URL(route.request().url()).searchParams.get("asset");
    one.asked.push(asset);
    return told.status ? route.fulfill({ status: told.status, contentType: "application/problem+json", json: told.body }) : route.fulfill({ json: { ...told.body, asset: asset ?? "PALM" } });
  });
  await one.page.getByTestId("tab-wallet").click();
  return one;
}

await check("deposit: by keyboard alone: open, choose, copy, close, and back where it was", async () => {
  const ann = await depositor("Ann", { body: answer }, { permissions: ["clipboard-read", "clipboard-write"] });
  await ann.page.getByTestId("deposit").focus();
  await ann.page.keyboard.press("Enter");
  await ann.page.getByTestId("deposit-address").waitFor();
  assert.equal(await ann.page.getByTestId("deposit-address").textContent(), ADDRESS);
  assert.match(await ann.page.getByTestId("deposit-sheet").textContent(), /only PALM on chain 31337/);
  const passed = [];
  for (let i = 0; i < 3; i++) { await ann.page.keyboard.press("Tab"); passed.push(await focused(ann)); }
  assert.deepEqual(passed, ["deposit-asset", "deposit-copy", "deposit-close"]);
  await ann.page.getByTestId("deposit-copy").focus();
  await ann.page.keyboard.press("Enter");
  await until("the words", async () => /Copied/.test(await ann.page.getByTestId("deposit-said").textContent()));
  assert.equal(await ann.page.evaluate(() => navigator.clipboard.readText()), ADDRESS);
  await ann.page.getByTestId("deposit-asset").selectOption("NFNT");
  await until("the other coin", async () => /only NFNT/.test(await ann.page.getByTestId("deposit-sheet").textContent()));
  assert.ok(ann.asked.includes("NFNT"));
  await ann.page.keyboard.press("Escape");
  assert.equal(await ann.page.getByTestId("deposit-sheet").count(), 0);
  assert.equal(await focused(ann), "deposit");
  assert.deepEqual(ann.complaints, []);
  await ann.context.close();
});

await check("deposit: the picture is the address, and another address is another picture", async () => {
  const told = { body: answer }, ann = await depositor("Ann", told);
  await ann.page.getByTestId("deposit").click();
  const picture = ann.page.getByTestId("deposit-picture");
  await picture.waitFor();
  assert.equal(await picture.getAttribute("viewBox"), "0 0 33 33");       // 42 bytes at level M are version 3: 29, and the border
  const modules = () => picture.locator("path").getAttribute("d");
  const first = await modules();
  const square = await picture.evaluate((svg) => {                        // the finder in the corner, as every reader looks for it
    const dark = new Set([...svg.querySelector("path").getAttribute("d").matchAll(/M(\d+) (\d+)/g)].map(([, x, y]) => `${x} ${y}`));
    return [...Array(7)].map((_, y) => [...Array(7)].map((_, x) => (dark.has(`${x + 2} ${y + 2}`) ? "#" : ".")).join(""));
  });
  assert.deepEqual(square, ["#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######"]);
  told.body = { ...answer, address: OTHER };
  await until("the other address", async () => (await ann.page.getByTestId("deposit-address").textContent()) === OTHER);
  assert.notEqual(await modules(), first);
  await ann.context.close();
});

await check("deposit: on the way, then credited, without touching anything", async () => {
  const told = { body: { ...answer, pending: [PENDING] } }, ann = await depositor("Ann", told);
  await ann.page.getByTestId("deposit").click();
  await ann.page.getByTestId("deposit-pending").waitFor();
  assert.match(await ann.page.getByTestId("deposit-pending").textContent(), /not final.*2 blocks to go.*1\.5 PALM/s);
  assert.equal(await ann.page.getByTestId("deposit-none").count(), 1);
  told.body = { ...answer, deposits: [CREDITED, { ...CREDITED, log_index: "1", state: "held" }, { ...CREDITED, log_index: "2", state: "dust", amount: "0" }] };
  await ann.page.getByTestId("deposit-deposits").waitFor();
  const rows = await ann.page.getByTestId("deposit-deposits").locator("li").allTextContents();
  assert.equal(rows.length, 3);
  assert.match(rows[0], /Credited.*\+1\.5 PALM/s);
  assert.match(rows[1], /Kept for the operator/);
  assert.match(rows[2], /Less than the smallest amount/);
  assert.equal(await ann.page.getByTestId("deposit-pending").count(), 0);
  await ann.context.close();
});

await check("deposit: a refusal is told in words, and can be tried again", async () => {
  const told = { status: 409, body: { code: "chain_off", detail: "this host has no chain", status: 409 } };
  const jiu = await depositor("Jiu", told, { locale: "ko-KR" });
  await jiu.page.getByTestId("deposit").click();
  await jiu.page.getByTestId("deposit-failed").waitFor();
  assert.match(await jiu.page.getByTestId("deposit-failed").textContent(), /체인이 없어요/);
  told.status = 0;
  told.body = answer;
  await jiu.page.getByTestId("deposit-failed").locator("button").click();
  await jiu.page.getByTestId("deposit-address").waitFor();
  await jiu.context.close();
});

await check("deposit: a narrow phone, dark, in Korean: nothing is cut off, and the picture stays dark on light", async () => {
  const jiu = await depositor("Jiu", { body: { ...answer, pending: [PENDING], deposits: [CREDITED] } }, { locale: "ko-KR", colorScheme: "dark", viewport: { width: 320, height: 640 } });
  await jiu.page.getByTestId("deposit").click();
  await jiu.page.getByTestId("deposit-deposits").waitFor();
  assert.match(await jiu.page.getByTestId("deposit-sheet").textContent(), /코인 입금.*PALM만 보내 주세요.*확정 전.*입금 완료/s);
  const wide = await jiu.page.getByTestId("deposit-sheet").evaluate((sheet) => [sheet, ...sheet.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5 || one.getBoundingClientRect().left < -0.5).map((one) => one.outerHTML.slice(0, 80)));
  assert.deepEqual(wide, []);
  assert.equal(await jiu.page.getByTestId("deposit-sheet").evaluate((sheet) => sheet.scrollWidth <= sheet.clientWidth), true);
  assert.equal(await jiu.page.getByTestId("deposit-picture").locator("rect").evaluate((one) => getComputedStyle(one).fill), "rgb(255, 255, 255)");
  assert.equal(await jiu.page.getByTestId("deposit-picture").locator("path").evaluate((one) => getComputedStyle(one).fill), "rgb(0, 0, 0)");
  await jiu.page.screenshot({ path: process.env.SHOT || undefined });
  await jiu.context.close();
});

await check("deposit: where policy does not allow it there is no way in", async () => {
  const one = await person(browser, host.url, "Ben", { address: null });
  await one.page.route("**/v1/me", async (route) => { const me = await (await route.fetch()).json(); return route.fulfill({ json: { ...me, wallet: false } }); });
  await one.page.goto(`${host.url}/app/?as=Ben`);
  await one.page.getByTestId("tab-wallet").click();
  await one.page.getByTestId("journal").waitFor();
  assert.equal(await one.page.getByTestId("deposit").count(), 0);
  await one.context.close();
});

await browser.close();
await host.stop();
host.clean();
end();
process.exit();
