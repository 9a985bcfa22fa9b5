// Withdrawals on anvil with the real contract: paid on chain equals settled in the ledger to the unit, whatever is killed, reverted, reorganised or restored.
// PAYOUT_KILLS=200 kills so often at random moments (20).
import test from "node:test";
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ANVIL, call, startAnvil } from "./node.mjs";
import { GEN, LIMIT, TOOL, deploy, open, sleep } from "./payout.mjs";

const skip = existsSync(ANVIL) && existsSync(TOOL) && existsSync(GEN) ? false : "anvil, payout-tool or the contracts are not there";
const TO = ["0x00000000000000000000000000000000000000A1", "0x00000000000000000000000000000000000000b2", "0x00000000000000000000000000000000000000C3"];
const FUNDS = 10n ** 15n;
const hex = (n) => `0x${n.toString(16)}`;
const mine = (node, n = 1) => call(node.url, "anvil_mine", hex(n));
function folder(t) {
  const at = mkdtempSync(path.join(tmpdir(), "frond-payout-"));
  t.after(() => rmSync(at, { recursive: true, force: true }));
  return at;
}
async function funded(t, data, node, chain, options) {
  const tool = open(t, data, node, chain, options);
  for (const player of [1, 2, 3]) assert.ok("done" in await tool.fund(player, FUNDS), "funded");
  return tool;
}
const becomes = (tool, node, id, state, seconds) => tool.until(async () => { await mine(node); return (await tool.row(id))?.state === state; }, seconds);

/** What the chain and the ledger say of each other: equal to the unit, nothing twice. */
async function agree(tool, chain) {
  const books = await tool.books(), paid = await chain.paid();
  const sum = paid.reduce((all, one) => all + one.amount, 0n);
  assert.equal(books.good, true);
  assert.equal(new Set(paid.map((one) => one.id)).size, paid.length, "each id once");
  assert.equal(BigInt(books.paid_units), sum, "paid on chain is settled in the ledger");
  assert.equal(BigInt(books.world) + 3n * FUNDS, sum, "and left by chain:world");
  assert.equal(await chain.view("module", "totalPaid"), sum);
  let got = 0n;
  for (const to of TO) got += await chain.view("palm", "balanceOf", [to]);
  assert.equal(got, sum, "and came to those who asked");
  return { books, paid };
}

test("asked, batched, paid by the contract, settled in the ledger", { skip }, async (t) => {
  const node = await startAnvil(t), chain = await deploy(node), tool = await funded(t, folder(t), node, chain);
  const rows = [];
  for (let i = 0; i < 5; i++) rows.push(await tool.ask(1 + i % 3, 1000 + i, TO[i % 3]));
  for (const row of rows) await becomes(tool, node, row.id, "paid");
  const row = await tool.row(rows[0].id), receipt = await call(node.url, "eth_getTransactionReceipt", row.tx);
  assert.equal(receipt.status, "0x1");
  assert.equal(BigInt(row.block), BigInt(receipt.blockNumber));
  const payment = await chain.view("module", "payment", [row.mark]);
  assert.deepEqual([payment[0], payment[1]], [TO[0], 1000n]);
  assert.equal((await agree(tool, chain)).paid.length, 5);
  assert.equal(new Set((await Promise.all(rows.map((one) => tool.row(one.id)))).map((one) => one.batch)).size, 1, "together, in one transaction");
  t.diagnostic(`gas: a batch of 5 took ${Number(receipt.gasUsed).toLocaleString("en")}`);
});

test("the contract's day limit and pause make it wait; nothing is lost", { skip }, async (t) => {
  const node = await startAnvil(t), chain = await deploy(node), tool = await funded(t, folder(t), node, chain, { age_ms: 50 });
  await chain.act("module", chain.owner, "setDayLimit", [500n]);
  const row = await tool.ask(1, 600, TO[0]);
  await tool.until(async () => (await tool.row(row.id)).state === "batched");
  await tool.until(async () => /OverDayLimit|would fail/.test((await tool.facts()).error));
  await chain.act("module", chain.owner, "pause");
  await chain.act("module", chain.owner, "setDayLimit", [LIMIT]);
  await sleep(500);
  assert.equal((await tool.row(row.id)).state, "batched");
  await chain.act("module", chain.owner, "unpause");
  await becomes(tool, node, row.id, "paid");
  await agree(tool, chain);
});

test("a transaction that reverts is reviewed; again pays it once, return gives it back", { skip }, async (t) => {
  const node = await startAnvil(t), chain = await deploy(node), tool = await funded(t, folder(t), node, chain, { batch: 2 });
  await call(node.url, "evm_setAutomine", false);
  const a = await tool.ask(1, 700, TO[0]), b = await tool.ask(2, 800, TO[1]);
  await tool.until(async () => Number((await call(node.url, "txpool_status")).pending) > 0);
  const pause = await call(node.url, "eth_sendTransaction", { from: chain.owner, to: chain.module, data: "0x8456cb59", maxFeePerGas: hex(900n * 10n ** 9n), maxPriorityFeePerGas: hex(300n * 10n ** 9n), gas: "0x30d40" });
  await mine(node, 1);
  assert.equal((await call(node.url, "eth_getTransactionReceipt", pause)).status, "0x1");
  await becomes(tool, node, a.id, "review");
  await becomes(tool, node, b.id, "review");
  await call(node.url, "evm_setAutomine", true);
  await chain.act("module", chain.owner, "unpause");
  assert.ok((await tool.say(`again ${a.id} ann`)).row);
  assert.ok((await tool.say(`return ${b.id} ann`)).row);
  await becomes(tool, node, b.id, "returned");
  await becomes(tool, node, a.id, "paid");
  assert.equal((await agree(tool, chain)).paid.length, 1);
});

test("a reorg under it: paid once", { skip }, async (t) => {
  const node = await startAnvil(t), chain = await deploy(node), tool = await funded(t, folder(t), node, chain, { final_blocks: 8, age_ms: 50 });
  await mine(node, 10);
  const row = await tool.ask(1, 900, TO[0]);
  await tool.until(async () => (await chain.paid()).length === 1);
  await mine(node, 2);
  await call(node.url, "anvil_reorg", 3, []);
  assert.equal((await tool.row(row.id)).state, "batched");
  await becomes(tool, node, row.id, "paid");
  await agree(tool, chain);
});

test("an older copy of the data: what it does not know halts, what it has waiting is found paid, nothing twice", { skip }, async (t) => {
  const node = await startAnvil(t), chain = await deploy(node), at = folder(t), now = path.join(at, "now"), old = path.join(at, "old");
  let tool = await funded(t, now, node, chain, { age_ms: 1000000 });
  const both = await tool.ask(1, 1100, TO[0]);
  assert.equal(await tool.quit(), 0);
  cpSync(now, old, { recursive: true });
  tool = open(t, now, node, chain, { age_ms: 50 });
  const newer = await tool.ask(2, 1200, TO[1]);
  await becomes(tool, node, both.id, "paid");
  await becomes(tool, node, newer.id, "paid");
  assert.equal(await tool.quit(), 0);
  tool = open(t, old, node, chain, { age_ms: 50 });
  await tool.until(() => tool.halts.withdrawal === "payout_unknown");
  await tool.until(async () => (await tool.row(both.id)).state === "paid");
  assert.equal((await tool.ask(1, 5, TO[0])).error, "money_out_halted");
  await sleep(500);
  assert.equal((await chain.paid()).length, 2);
  assert.equal((await tool.say("adopt ann")).done, 1);
  await tool.until(() => tool.halts.withdrawal === "");
  const books = await tool.books();
  assert.deepEqual([books.good, books.lost, BigInt(books.world) + 3n * FUNDS], [true, "-1200", 2300n]);
  tool.tell("forgive");
  await tool.until(async () => !(await tool.facts()).halted);
  const next = await tool.ask(3, 1300, TO[2]);
  await becomes(tool, node, next.id, "paid");
  assert.equal(await chain.view("module", "totalPaid"), 3600n);
});

test("killed at random moments: each is paid once or returned, to the unit", { skip, timeout: 1800000 }, async (t) => {
  const kills = Number(process.env.PAYOUT_KILLS ?? 20), node = await startAnvil(t), chain = await deploy(node), data = folder(t);
  const options = { age_ms: 80, batch: 6, two_from: 99000, cooldown_ms: 200 };
  let tool = await funded(t, data, node, chain, options);
  const ids = [];
  for (let n = 0; n < kills; n++) {
    const jobs = [];
    for (let i = 0; i < 4; i++) jobs.push(tool.ask(1 + (n + i) % 3, 1000 + Math.floor(Math.random() * 100000), TO[i % 3]).then((row) => { if (row.id) ids.push(row.id); }));
    const wait = Math.random() * 700;
    await sleep(wait / 2);
    const some = () => ids.slice(-10)[Math.floor(Math.random() * Math.min(10, ids.length))];
    if (ids.length) jobs.push(tool.say(`approve ${some()} ann`), tool.say(`approve ${some()} ben`));
    if (ids.length && n % 3 === 0) jobs.push(tool.say(`return ${some()} cleo`));
    await sleep(wait / 2);
    await tool.kill();
    if (n % 2) await mine(node, 1 + n % 4);
    tool = open(t, data, node, chain, options);
  }
  for (let turn = 0; turn < 3000; turn++) {
    await mine(node);
    const books = await tool.books();
    if (books.open === 0) break;
    for (const row of turn % 10 ? [] : (await tool.say("list")).rows) {      // also those whose answer was killed
      const { id } = row;
      if (row.state === "asked" && row.approvals.given < row.approvals.needed) for (const name of ["ann", "ben"]) await tool.say(`approve ${id} ${name}`);
      if (row.state === "review") await tool.say(`again ${id} ann`);
    }
    await sleep(20);
  }
  const { books, paid } = await agree(tool, chain);
  assert.equal(books.open, 0, "all have ended");
  assert.equal(books.paid, paid.length);
  const marks = new Set(paid.map((one) => one.id));
  const { rows } = await tool.say("list");
  assert.ok(ids.every((id) => rows.some((row) => row.id === id)), "what was answered is there");
  for (const row of rows) {
    const { id } = row;
    assert.equal(row.state === "paid", marks.has(row.mark), `${id} is ${row.state}`);
  }
  assert.ok(books.paid > 0);
  t.diagnostic(`${kills} kills, ${books.all} withdrawals: ${books.paid} paid (${paid.reduce((all, one) => all + one.amount, 0n)} units), ${books.returned} returned, 0 doubled, 0 lost`);
});
