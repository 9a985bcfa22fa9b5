// burns.test.mjs: two play a duel for a stake; what its rake burns is shown from the result on, step by step to the receipt, whose proof the page checks; and the supply.
// The host of this test has no chain, so what a chain would add comes from here, in the host's own shape, with a real tree.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { audit } from "../flow/audit.mjs";
import { BUILD, checks, startHost } from "../flow/host.mjs";
import { PHONE, SIZES, answerSheet, launch, person, until } from "./browser.mjs";

const SHOTS = path.join(BUILD, "test-shots"), NAMES = ["Frond", "PALM", "Ann", "Ben", "Card Duel", "duel"], STAKE = "10000000000";
const NPM = path.resolve(process.env.NPM || "build/npm", "contracts");
mkdirSync(SHOTS, { recursive: true });
const { check: run, end } = checks();
const host = await startHost(), browser = await launch(), faults = [];
const check = (name, body) => run(name, async () => { await body(); assert.deepEqual(faults.splice(0), []); });

async function inspect(one, what, { sizes = SIZES, language = "en" } = {}) {
  for (const size of sizes) {
    await one.page.setViewportSize(size);
    await one.page.waitForTimeout(500);
    const scheme = await one.page.evaluate(() => document.documentElement.dataset.scheme);
    await one.page.screenshot({ path: path.join(SHOTS, `${what}-${size.width}-${language}-${scheme}.png`), timeout: 4000 }).catch(() => {});
    for (const fault of await one.page.evaluate(audit, { language, names: NAMES })) if (language === "ko" || !fault.startsWith("foreign")) faults.push(`${what} at ${size.width}, ${scheme}: ${fault}`);
  }
  await one.page.setViewportSize(PHONE);
}
const state = (one) => one.page.getByTestId("burn").getAttribute("data-state");

let ann, ben, real;
await check("burns: the result of a staked duel leads to what was burned, which waits for its batch", async () => {
  [ann, ben] = [await person(browser, host.url, "Ann"), await person(browser, host.url, "Ben", { colorScheme: "dark", locale: "ko-KR" })];
  ann.page.on("response", async (answer) => { if (/\/v1\/burns\/\d+$/.test(answer.url())) real ??= await answer.json().catch(() => null); });
  for (const one of [ann, ben]) {
    await one.page.getByTestId("open-duel").click();
    await one.game.getByTestId("lobby").waitFor();
    await one.game.getByTestId(`stake-${STAKE}`).check();
    await one.game.getByTestId("find").click();
    await answerSheet(one, "approve-once");
  }
  for (const one of [ann, ben]) await one.game.getByTestId("table").waitFor();
  await ben.game.getByTestId("surrender").click();
  await ben.game.getByTestId("surrender-yes").click();
  for (const one of [ann, ben]) {
    await one.game.getByTestId("result").waitFor();
    await one.game.getByTestId("receipt").press("Enter");
    await one.page.getByTestId("burn").waitFor();
    await until("the burn", async () => await state(one) === "pending");
  }
  assert.match(await ann.page.getByTestId("burn").textContent(), /0\.4 PALM/);         // 2% of a pot of 20
  await until("its number", () => real);
  assert.deepEqual([real.plugin, real.amount, real.batch, real.proof], ["duel", "400000000", null, null]);
  assert.match(real.reason, /^duel match [0-9a-f-]{36}$/);
  await inspect(ann, "burn-pending");
  await inspect(ben, "burn-pending", { language: "ko" });
  await ann.page.keyboard.press("Escape");
  await until("the focus to come back", () => ann.page.evaluate(() => document.activeElement.tagName === "IFRAME"));
});

const ethers = existsSync(`${NPM}/node_modules/ethers`) ? createRequire(NPM + "/")("ethers") : null;
/** The same burn as a host with a chain would show it. */
function burned(base, now) {
  const coder = ethers.AbiCoder.defaultAbiCoder(), bytes = coder.encode(["uint256", "uint256", "bytes32"], [base.id, base.amount, ethers.id(base.reason)]), leaf = ethers.keccak256(ethers.keccak256(bytes)), other = ethers.id("another");
  const root = ethers.keccak256(ethers.concat(leaf < other ? [leaf, other] : [other, leaf])), module = "0x5FbDB2315678afecb367f032d93F642f64180aa3", amount = "900000000";
  const id = ethers.keccak256(coder.encode(["uint256", "address", "uint256", "bytes32"], [31337, module, amount, root])), over = now === "burned";
  return { ...base, state: now, batch: "b7", leaf: { accrual: base.id, amount: base.amount, reason: ethers.id(base.reason), bytes, hash: leaf }, proof: [other],
    burn: { batch: "b7", state: now, asset: "PALM", units: amount, amount, accruals: 2, id, root, tx: over ? ethers.id("tx") : null, block: over ? "1234" : null, burned_at: over ? "2026-11-29T12:00:00.000Z" : null, read_block: over ? "1240" : "0", chain_id: "31337", module, adopted: false } };
}
if (ethers) await check("burns: step by step to the receipt, whose proof this browser checks", async () => {
  let now = "batched", change = (burn) => burn;
  for (const one of [ann, ben]) await one.page.route(/\/v1\/burns\/\d+$/, async (route) => { const answer = await route.fetch(); await route.fulfill({ response: answer, json: change(burned(await answer.json(), now)) }); });
  await ann.game.getByTestId("receipt").click();
  for (const next of ["batched", "sent", "proving", "reverted", "burned"]) {
    now = next;
    for (const one of [ann, ben]) await until(next, async () => await state(one) === next);
    if (next === "sent" || next === "reverted") await inspect(ann, `burn-${next}`, { sizes: [SIZES[0]] });
  }
  await ann.page.getByTestId("burn-receipt").locator("summary").click();
  assert.match(await ann.page.getByTestId("burn-receipt").textContent(), /1234/);
  await ann.page.getByTestId("burn-verify").press("Enter");
  for (const one of [ben]) await one.page.getByTestId("burn-verify").click();
  for (const one of [ann, ben]) assert.equal(await one.page.getByTestId("burn-verdict").getAttribute("data-verdict"), "true");
  await inspect(ann, "burn-proof");
  await inspect(ben, "burn-proof", { language: "ko" });
  await ann.page.getByTestId("match-close").click();
  change = (burn) => ({ ...burn, proof: [ethers.id("a lie")] });
  await ann.game.getByTestId("receipt").click();
  await ann.page.getByTestId("burn-verify").click();
  assert.equal(await ann.page.getByTestId("burn-verdict").getAttribute("data-verdict"), "false");
  await ann.page.getByTestId("match-close").click();
});

await check("burns: the supply, from the wallet", async () => {
  for (const [one, language] of [[ann, "en"], [ben, "ko"]]) {
    if (await one.page.getByTestId("match-close").count()) await one.page.getByTestId("match-close").click();
    await one.page.getByTestId("balance").click();
    await one.page.getByTestId("supply").click();
    await one.page.getByTestId("supply-cap").waitFor();
    for (const [name, units] of [["cap", "100000000000000000"], ["frond", "0"], ["circulating", "77500000000000000"]]) assert.equal(await one.page.getByTestId(`supply-${name}`).getAttribute("data-units"), units);
    assert.match(await one.page.getByTestId("supply-plugins").textContent(), /0\.4 PALM/);
    assert.equal(await one.page.getByTestId("supply-chain").getAttribute("data-agrees"), "null");
    await inspect(one, "supply", { language });
    await one.page.keyboard.press("Escape");
    await until("the sheet to close", async () => await one.page.getByTestId("supply-sheet").count() === 0);
    assert.equal(await one.page.evaluate(() => document.activeElement.dataset.testid), "supply");
  }
  assert.deepEqual([...ann.complaints, ...ben.complaints], []);
});

await browser.close();
await host.stop();
host.clean();
end();
