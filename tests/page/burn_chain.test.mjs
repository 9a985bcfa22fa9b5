// burn_chain.test.mjs: the whole way of a burn, with nothing in the middle made up: two play a staked duel in two browsers, what it gives up is burned on the host's own chain, the
// page shows it and checks the proof, and `cast`, which knows nothing of us, finds all of it there. Then the host and its node are killed while another burn is on its way: it ends once.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { audit } from "../flow/audit.mjs";
import { BUILD, checks, startHost } from "../flow/host.mjs";
import { BURNED_BEFORE, LAUNCHED, alive, booksAgree, children, contracts, eventId, frond, missing, read, readReceipt, ready, sleep, status, supplyOnChain } from "../flow/onchain.mjs";
import { PHONE, SIZES, answerSheet, launch, person, playOut, until } from "./browser.mjs";

const SHOTS = path.join(BUILD, "test-shots"), NAMES = ["Frond", "PALM", "Ann", "Ben", "Card Duel", "duel"], STAKE = "10000000000", BURN = 400_000_000n;      // 2% of a pot of 20
const WAY = ["pending", "batched", "sent", "proving", "burned"], BURN_MS = 60000;
if (missing) { console.log(`ok burn_chain # SKIP ${missing}`); process.exit(0); }
contracts();
mkdirSync(SHOTS, { recursive: true });
const { check: run, end } = checks();
let host = await startHost({ chain: true });
const { data } = host, listen = new URL(host.url).host, browser = await launch(), faults = [];
const check = (name, body) => run(name, async () => { await body(); assert.deepEqual(faults.splice(0), []); });

async function inspect(one, what, { sizes = SIZES, language = "en" } = {}) {
  for (const size of sizes) {
    await one.page.setViewportSize(size);
    await one.page.waitForTimeout(400);
    const scheme = await one.page.evaluate(() => document.documentElement.dataset.scheme);
    await one.page.screenshot({ path: path.join(SHOTS, `${what}-${size.width}-${language}-${scheme}.png`), timeout: 4000 }).catch(() => {});
    for (const fault of await one.page.evaluate(audit, { language, names: NAMES })) if (language === "ko" || !fault.startsWith("foreign")) faults.push(`${what} at ${size.width}, ${scheme}: ${fault}`);
  }
  await one.page.setViewportSize(PHONE);
}

// ---- playing

async function meet(people, first) {
  for (const one of people) {
    if (first) {
      await one.page.getByTestId("open-duel").click();
      await one.game.getByTestId("lobby").waitFor();
      await one.game.getByTestId(`stake-${STAKE}`).check();
      await one.game.getByTestId("find").click();
    } else await one.game.getByTestId("rematch").click();
    await answerSheet(one, "approve-once");
  }
  for (const one of people) await one.game.getByTestId("table").waitFor();
}
const state = (one) => one.page.getByTestId("burn").getAttribute("data-state");
/** All states that the page showed from now on. */
const watch = (one) => one.page.evaluate(() => {
  window.shown = [];
  const look = () => { const now = document.querySelector("[data-testid=burn]")?.dataset.state; if (now && window.shown.at(-1) !== now) window.shown.push(now); };
  look();
  window.looking = setInterval(look, 20);
});
const inOrder = (seen) => seen.every((one, i) => WAY.includes(one) && (i === 0 || WAY.indexOf(one) > WAY.indexOf(seen[i - 1])));

// The development page without its two phones: they would be Ann and Ben once more.
async function devPage(locale) {
  const page = await (await browser.newContext({ viewport: { width: 1360, height: 900 }, locale })).newPage();
  page.setDefaultTimeout(30000);
  page.on("pageerror", (error) => faults.push(String(error)));
  await page.route("**/app/?as=*", (route) => route.abort());
  await page.goto(`${host.url}/app/dev/`);
  await page.locator("[data-testid=chain][data-state=ready]").waitFor();
  return page;
}

let ann, ben, asAnn, burn, before, dev;
await check("burn on chain: a staked duel is played to its end, and what it gives up waits", async () => {
  await ready(host);
  before = await supplyOnChain(host);
  assert.deepEqual([before.total, before.burned, before.byFrond], [LAUNCHED, BURNED_BEFORE, 0n]);
  dev = [await devPage("en-US"), await devPage("ko-KR")];
  [ann, ben] = [await person(browser, host.url, "Ann"), await person(browser, host.url, "Ben", { colorScheme: "dark", locale: "ko-KR" })];
  ann.page.on("request", (request) => { if (/\/v1\/burns\/\d+$/.test(request.url())) asAnn = { url: request.url(), headers: { authorization: request.headers().authorization } }; });
  await meet([ann, ben], true);
  await playOut(ann, ben);
  if (await ann.game.getByTestId("result-net").getAttribute("data-net") === "0") {      // a draw burns nothing: once more, decided by hand
    await meet([ann, ben], false);
    await ben.game.getByTestId("surrender").click();
    await ben.game.getByTestId("surrender-yes").click();
    for (const one of [ann, ben]) await one.game.getByTestId("result").waitFor();
  }
  for (const one of [ann, ben]) {
    await one.game.getByTestId("receipt").press("Enter");
    await one.page.getByTestId("burn").waitFor();
    await watch(one);
  }
});

await check("burn on chain: it goes from pending to burned by itself, and the page shows each step in its order", async () => {
  await until("its number", () => asAnn);
  const seen = [];
  burn = await until("the burn", async () => {
    const answer = await fetch(asAnn.url, { headers: asAnn.headers }), now = await answer.json();
    if (answer.ok && seen.at(-1) !== now.state) seen.push(now.state);
    return now.state === "burned" && now;
  }, BURN_MS);
  for (const one of [ann, ben]) await until(`${one.name} to see it`, async () => await state(one) === "burned", 15000);
  const shown = await Promise.all([ann, ben].map((one) => one.page.evaluate(() => window.shown)));
  console.log(`# the host said ${seen.join(" ")}; the pages showed ${shown.map((one) => one.join(" ")).join(" / ")}`);
  for (const states of [seen, ...shown]) assert.ok(inOrder(states) && states.length > 1 && states.at(-1) === "burned", states.join(" "));
  assert.ok(seen.includes("sent"), "blocks take seconds");
  // What passes too quickly to be seen on a busy machine: planned first. Whether its payment is told final before the module's word is booked or after, both look at the same block.
  const told = host.log.map((line) => [/"event":"burn\.planned"/, /"text":"payment 1 is paid"/, /"event":"burn\.moved".*"state":"burned"/].findIndex((one) => one.test(line))).filter((one) => one >= 0);
  assert.equal(told[0], 0);
  assert.deepEqual([...told].sort(), [0, 1, 2]);
});

await check("burn on chain: the development page says it once, with the amount, the batch, its id and the block; one that is opened later does not", async () => {
  const { batch, id, block } = burn.burn, lines = dev.map((page) => page.getByTestId("burned"));
  for (const line of lines) await line.waitFor();
  assert.deepEqual(await Promise.all(lines.map((line) => line.textContent())), [`0.4 PALM were burned: batch ${batch}, ${id.slice(0, 10)}… on chain, in block ${block}`, `0.4 PALM을 소각했어요: 묶음 ${batch}, 체인의 ${id.slice(0, 10)}…, ${block}번 블록`]);
  assert.equal(await lines[0].getAttribute("title"), id);
  await lines[0].getByRole("link").click();
  assert.equal(await dev[0].locator("#chain:target").getByTestId("chain-final").count(), 1);
  const late = await devPage("en-US");
  await sleep(2500);                   // two looks
  assert.deepEqual(await Promise.all([...dev, late].map((page) => page.getByTestId("burned").count())), [1, 1, 0]);
  await dev[0].screenshot({ path: path.join(SHOTS, "dev-burned-1360.png"), timeout: 4000 }).catch(() => {});
  for (const page of [...dev, late]) await page.context().close();
});

await check("burn on chain: the page checks the proof", async () => {
  for (const one of [ann, ben]) {
    await one.page.getByTestId("burn-receipt").locator("summary").click();
    await one.page.getByTestId("burn-verify").press("Enter");
    assert.equal(await one.page.getByTestId("burn-verdict").getAttribute("data-verdict"), "true");
    await one.page.getByTestId("burn").scrollIntoViewIfNeeded();
  }
  const text = await ann.page.getByTestId("burn-receipt").textContent();
  for (const part of [burn.burn.tx, burn.burn.block, burn.burn.id, burn.burn.root]) assert.ok(text.includes(part), part);
  await inspect(ann, "burn-chain", { sizes: [PHONE] });
  await inspect(ben, "burn-chain", { sizes: [SIZES[0]], language: "ko" });
});

await check("burn on chain: cast reads the same from the contracts, the receipt and PALM", async () => {
  const now = await supplyOnChain(host), { id, root, tx, block } = burn.burn, { accrual, amount, reason } = burn.leaf;
  const [onChain, atBlock, , itsRoot] = (await read(now.url, now.module, "batch(bytes32)((uint96,uint64,uint64,bytes32))", id)).replace(/[()]|\[[^\]]*\]/g, "").split(",").map((one) => one.trim());
  assert.deepEqual([onChain, atBlock, itsRoot], [burn.burn.amount, block, root]);
  const proves = (units) => read(now.url, now.module, "provesAccrual(bytes32,uint256,uint256,bytes32,bytes32[])(bool)", id, accrual, units, reason, burn.proof);
  assert.deepEqual([await proves(amount), await proves(BigInt(amount) + 1n)], ["true", "false"]);
  assert.deepEqual([before.total - now.total, now.burned - before.burned, now.byFrond], [BURN, BURN, BURN]);
  const receipt = await readReceipt(now.url, tx), topic = eventId("BatchBurned(bytes32,bytes32,uint256,uint256)");
  assert.deepEqual([Number(receipt.status), String(Number(receipt.blockNumber)), receipt.to.toLowerCase()], [1, block, now.module.toLowerCase()]);
  const logs = receipt.logs.filter((log) => log.address.toLowerCase() === now.module.toLowerCase() && log.topics[0] === topic);
  assert.deepEqual(logs.map((log) => [log.topics[1], log.topics[2], BigInt(`0x${log.data.slice(2, 66)}`)]), [[id, root, BURN]]);
  console.log(`# ${BigInt(receipt.gasUsed)} gas`);
});

// ---- kill -9 while the next one is on its way

const shows = (one) => frond(host, "burn", "show", one);
await check("burn on chain: kill -9 of the node, then of the host, while the next burn is on its way: it ends once", async () => {
  for (const one of [ann, ben]) await one.page.getByTestId("match-close").click();
  asAnn = null;
  await meet([ann, ben], false);
  await ben.game.getByTestId("surrender").click();
  await ben.game.getByTestId("surrender-yes").click();
  for (const one of [ann, ben]) await one.game.getByTestId("result").waitFor();
  const next = await until("the second accrual", () => { const [newest] = frond(host, "burn", "list", "--accruals").burns ?? []; return newest && newest.id !== burn.id && newest.id; });
  await until("it to be sent", () => ["sent", "proving"].includes(shows(next).state), 30000);
  const { pid } = (await status(host)).dev_chain;
  process.kill(pid, "SIGKILL");
  await sleep(300);
  const [node] = children(host.child.pid, "anvil");
  await host.stop("SIGKILL");
  if (node) await until("the node to go with its host", () => !alive(node), 10000);
  host = await startHost({ chain: true, data, listen });
  await ready(host);
  const over = await until("its end", () => { const v = shows(next); return v.state === "burned" && v; }, BURN_MS);
  assert.notEqual(over.burn.id, burn.burn.id);
  const books = await booksAgree(host);
  assert.deepEqual([books.ledger, books.batches], [2n * BURN, 2n]);
  assert.equal(await read(books.url, books.module, "provesAccrual(bytes32,uint256,uint256,bytes32,bytes32[])(bool)", over.burn.id, over.leaf.accrual, over.leaf.amount, over.leaf.reason, over.proof), "true");
  await until("the line to be back", async () => await ann.page.getByTestId("reconnecting").count() === 0, 30000);
  await ann.game.getByTestId("receipt").press("Enter");
  await until("the page to show it", async () => await ann.page.getByTestId("burn").count() && await state(ann) === "burned", 15000);
});

await check("burn on chain: /v1/supply is the chain's, the ledger is whole", async () => {
  const books = await booksAgree(host);
  const supply = await until("the supply to be read", async () => { const now = await (await fetch(`${host.url}/v1/supply`)).json(); return now.chain?.burned_by_frond === String(books.ledger) && now; }, 15000);
  assert.deepEqual([supply.chain.agrees, supply.chain.not_booked_yet, supply.chain.total_supply, supply.chain.total_burned], [true, "0", String(books.total), String(books.burned)]);
  assert.deepEqual([supply.circulating, supply.burned, supply.frond.burned, supply.frond.pending, supply.frond.in_batches], [String(books.total), String(books.burned), String(books.ledger), "0", "0"]);
  assert.equal(frond(host, "ledger", "audit").good, true);
  assert.deepEqual((await status(host)).halted, []);
});

await browser.close();
const nodes = children(host.child.pid, "anvil");
await host.stop();
await run("burn on chain: nothing is left behind", () => until("the node to be gone", () => nodes.every((pid) => !alive(pid)), 10000));
host.clean();
end();
