// chain/txq over real nodes: the fault table of a transaction manager. Each payment ends once, and the chain says the same.
import test from "node:test";
import assert from "node:assert/strict";
import { cpSync, existsSync } from "node:fs";
import path from "node:path";
import { ANVIL, call, startAnvil } from "./node.mjs";
import { AGAIN, CANCEL, CANCELLED, LOST, ME, PAID, REVERTED, TOOL, YOU, balance, folder, hex, open, sleep } from "./txq.mjs";

const skip = existsSync(ANVIL) && existsSync(TOOL) ? false : "anvil or txq-tool is not there";
const mine = (node, n = 1) => call(node.url, "anvil_mine", hex(n));
const manual = (node) => call(node.url, "evm_setAutomine", false);
const sent = (tool, nonce) => tool.until(async () => { const f = await tool.facts(); return f.next_nonce > nonce && f.sends > nonce; });
const inPool = async (node) => { const { pending, queued } = await call(node.url, "txpool_status"); return Number(pending) + Number(queued); };

test("a payment is sent, mined and final; another name is another payment, the same name the same", { skip }, async (t) => {
  const node = await startAnvil(t), tool = open(t, folder(t), { a: node.url });
  const first = await tool.put("burn:1", { value: 5 });
  assert.ok(first.put > 0, JSON.stringify(first));
  assert.deepEqual(await tool.put("burn:1", { value: 5 }), first);
  assert.equal((await tool.put("burn:1", { value: 6 })).error, "key_reused");
  await tool.until(async () => (await balance(node)) === 5n);
  assert.equal((await tool.row("burn:1")).end, 0);                       // mined, but not final
  await mine(node, 5);
  await tool.ended("burn:1", PAID);
  const row = await tool.row("burn:1");
  assert.equal((await call(node.url, "eth_getTransactionReceipt", row.hash)).status, "0x1");
  const facts = await tool.facts();
  assert.deepEqual([facts.next_nonce, facts.final_nonce, facts.open, facts.payments, facts.wait], [1, 1, 0, 0, "nothing"]);
  assert.match(await tool.metrics(), /frond_txq_paid_total\{queue="1"\} 1\n/);
});

test("the gas is estimated; a payment that would revert takes no nonce and says why", { skip }, async (t) => {
  const node = await startAnvil(t), tool = open(t, folder(t), { a: node.url });
  const at = "0x00000000000000000000000000000000000c0de0";
  // sload(0) ? stop : revert(Error("no"))
  const words = ["08c379a0".padEnd(64, "0"), "20".padStart(64, "0"), "02".padStart(64, "0"), "6e6f".padEnd(64, "0")];
  const store = words.map((word, i) => `7f${word}60${(i ? 32 * i - 28 : 0).toString(16).padStart(2, "0")}52`).join("");
  const body = store + "60646000fd", jump = 6 + body.length / 2;
  await call(node.url, "anvil_setCode", at, `0x60005460${jump.toString(16)}57${body}5b00`);
  await tool.put("bad", { to: at, value: 0, gas: 0, data: "0x12345678" });
  await tool.put("good", { gas: 0 });
  await mine(node, 5);
  await tool.until(async () => (await balance(node)) === 1n);
  await mine(node, 5);
  await tool.ended("good", PAID);
  const facts = await tool.facts();
  assert.match(facts.error, /payment 1 would fail: no/);
  assert.equal(facts.next_nonce, 1);
  await call(node.url, "anvil_setStorageAt", at, "0x0", "0x" + "1".padStart(64, "0"));
  await tool.until(async () => (await tool.facts()).next_nonce === 2);
  await mine(node, 5);
  await tool.ended("bad", PAID);
});

test("a receipt of status 0 is the end, and for an operator", { skip }, async (t) => {
  const node = await startAnvil(t), tool = open(t, folder(t), { a: node.url });
  await manual(node);
  const at = "0x00000000000000000000000000000000000c0de1";
  await tool.put("low", { to: at, gas: 30000, value: 0, data: "0x01" });
  await sent(tool, 0);
  await call(node.url, "anvil_setCode", at, "0xfe");
  await mine(node, 6);
  await tool.ended("low", REVERTED);
  assert.ok(tool.heard("ended", /reverted, and is not tried again/));
  await tool.put("next");
  await tool.until(async () => (await inPool(node)) === 1);      // "low" may have been sent several times: the count of sends does not tell
  await mine(node, 6);
  await tool.ended("next", PAID);
  assert.equal((await tool.facts()).next_nonce, 2);
});

test("reorg: what fell out of its block is sent again; in another block it is followed", { skip }, async (t) => {
  const node = await startAnvil(t), tool = open(t, folder(t), { a: node.url }, { final_blocks: 8 });
  await mine(node, 5);
  await tool.put("one", { value: 7 });
  await tool.until(async () => (await balance(node)) === 7n);
  await mine(node, 2);
  const hash = (await call(node.url, "eth_getBlockByNumber", "0x6", false)).transactions[0];
  const raw = await call(node.url, "eth_getRawTransactionByHash", hash);
  await sleep(400);
  await call(node.url, "anvil_reorg", 4, []);
  await tool.until(() => tool.heard("reorg"));
  await tool.until(async () => (await balance(node)) === 7n);
  const before = (await call(node.url, "eth_getTransactionReceipt", hash)).blockHash;
  await tool.until(async () => (await tool.facts()).sends >= 2);
  await sleep(400);
  await call(node.url, "anvil_reorg", 5, [[raw, 3]]);
  assert.notEqual((await call(node.url, "eth_getTransactionReceipt", hash)).blockHash, before);
  await tool.until(() => tool.heard("moved"));
  await mine(node, 12);
  await tool.ended("one", PAID);
  assert.equal((await tool.facts()).signed, 1);
  assert.equal(await balance(node), 7n);
});

test("dropped from the pool: the same bytes are sent again", { skip }, async (t) => {
  const node = await startAnvil(t), tool = open(t, folder(t), { a: node.url }, { raise: 600000 });
  await manual(node);
  await tool.put("one", { value: 3 });
  await tool.until(async () => (await inPool(node)) === 1);
  const { pending } = await call(node.url, "txpool_content");
  const hash = Object.values(Object.values(pending)[0])[0].hash;
  await call(node.url, "anvil_dropTransaction", hash);
  assert.equal(await inPool(node), 0);
  await tool.until(async () => (await inPool(node)) === 1);
  await mine(node, 6);
  await tool.ended("one", PAID);
  assert.equal((await tool.row("one")).hash, hash);
});

test("stuck: replaced with at least 10% more in both; and taken back by a transaction that pays nothing", { skip }, async (t) => {
  const node = await startAnvil(t), tool = open(t, folder(t), { a: node.url }, { raise: 300 });
  await manual(node);
  await tool.put("one", { value: 3 });
  await tool.until(async () => (await tool.facts()).replaced >= 2);
  const { pending } = await call(node.url, "txpool_content");
  assert.equal(Object.keys(Object.values(pending)[0]).length, 1);
  await mine(node, 6);
  await tool.ended("one", PAID);
  await tool.put("two", { value: 3 });
  await tool.put("three", { value: 4 });
  await sent(tool, 2);
  await tool.cancel("two", CANCEL);
  await tool.cancel("three", AGAIN);
  await tool.until(async () => (await tool.facts()).cancels === 2);
  await sleep(300);
  await mine(node, 6);
  await tool.ended("two", CANCELLED);
  await tool.until(async () => { await mine(node, 1); return (await tool.row("three")).end === PAID; });
  assert.equal((await tool.row("three")).nonce, 3);                      // another one, when the first was final
  assert.equal(await balance(node), 7n);
});

test("killed at any moment: each is paid once", { skip, timeout: 240000 }, async (t) => {
  const node = await startAnvil(t), data = folder(t);
  let tool = open(t, data, { a: node.url });
  let names = 0, kills = 0;
  const until = Date.now() + (process.env.KILLS_S ? Number(process.env.KILLS_S) * 1000 : 20000);
  while (Date.now() < until) {
    const jobs = [];
    for (let i = 0; i < 3; i++) jobs.push(tool.put(`p${names++}`));
    await sleep(Math.random() * 400);
    await tool.kill();
    kills++;
    if (Math.random() < 0.3) await mine(node, 2);
    tool = open(t, data, { a: node.url });
  }
  for (let i = 0; i < names; i++) assert.ok((await tool.put(`p${i}`)).put > 0);      // a retry finds the first, or is the first
  await tool.until(async () => { await mine(node, 1); return (await tool.facts()).payments === 0 && (await tool.row(`p${names - 1}`)).end === PAID; }, 90);
  for (let i = 0; i < names; i++) {
    const row = await tool.row(`p${i}`);
    assert.deepEqual([row.end, row.ends], [PAID, 1], `p${i}`);
  }
  assert.equal(await balance(node), BigInt(names));
  assert.equal(Number(await call(node.url, "eth_getTransactionCount", ME, "latest")), names);
  t.diagnostic(`${names} payments, ${kills} kills`);
});

test("a node that hangs, and one that is killed: the other one does", { skip }, async (t) => {
  const node = await startAnvil(t), other = await startAnvil(t);
  const tool = open(t, folder(t), { a: node.url, b: node.url.replace("127.0.0.1", "localhost"), c: other.url });
  await tool.until(() => tool.events.filter((e) => e.endsWith(":up")).length === 3);
  other.child.kill("SIGSTOP");
  await tool.put("one");
  await tool.until(async () => (await balance(node)) === 1n, 60);
  other.child.kill("SIGKILL");
  await tool.put("two");
  await tool.until(async () => (await balance(node)) === 2n, 60);
  await mine(node, 6);
  await tool.ended("two", PAID);
});

test("the only node hangs and goes on: everything waits, nothing is lost", { skip }, async (t) => {
  const node = await startAnvil(t), tool = open(t, folder(t), { a: node.url });
  await tool.put("one");
  await tool.until(async () => (await balance(node)) === 1n);
  node.child.kill("SIGSTOP");
  await tool.put("two");
  await sleep(1500);
  node.child.kill("SIGCONT");
  await tool.until(async () => (await balance(node)) === 2n, 60);
  await mine(node, 6);
  await tool.ended("two", PAID);
});

test("two nodes that disagree: nothing ends until they agree", { skip }, async (t) => {
  const node = await startAnvil(t), liar = await startAnvil(t);
  const tool = open(t, folder(t), { a: node.url, b: liar.url }, { quorum: 2 });
  await tool.put("one");
  await mine(node, 8);
  await mine(liar, 8);
  await tool.until(async () => (await balance(node)) === 1n || (await balance(liar)) === 1n);
  await mine(node, 8);
  await mine(liar, 8);
  await sleep(2500);
  const row = await tool.row("one");
  if ((await balance(node)) !== (await balance(liar))) assert.equal(row.end, 0);
});

test("a chain id that lies halts its endpoint; nothing is sent there", { skip }, async (t) => {
  const node = await startAnvil(t), tool = open(t, folder(t), { a: node.url });
  await tool.until(async () => (await tool.facts()).wait === "nothing");
  await call(node.url, "anvil_setChainId", 5);
  node.child.kill("SIGSTOP");
  await tool.until(() => tool.events.includes("a:down"), 60);
  node.child.kill("SIGCONT");
  await tool.until(() => tool.events.includes("a:lied"), 60);
  await tool.put("one");
  await sleep(500);
  assert.equal((await tool.facts()).sends, 0);
});

test("somebody else uses the key: halted, an operator decides", { skip }, async (t) => {
  const node = await startAnvil(t), data = folder(t);
  let tool = open(t, data, { a: node.url });
  await tool.put("one");
  await tool.until(async () => (await balance(node)) === 1n);
  await mine(node, 6);
  await tool.ended("one", PAID);
  await manual(node);
  await tool.put("two", { value: 9 });
  await tool.until(async () => (await inPool(node)) === 1);
  const { pending } = await call(node.url, "txpool_content");
  await call(node.url, "anvil_dropTransaction", Object.values(Object.values(pending)[0])[0].hash);
  await call(node.url, "eth_sendTransaction", { from: ME, to: YOU, value: "0x64", nonce: "0x1", gas: "0x5208", maxFeePerGas: hex(400n * 10n ** 9n), maxPriorityFeePerGas: hex(40n * 10n ** 9n) });
  await mine(node, 8);
  await tool.until(async () => (await tool.facts()).halted);
  assert.match((await tool.facts()).why, /nonce 1 .*not ours/);
  await tool.kill();
  tool = open(t, data, { a: node.url });
  await tool.until(async () => (await tool.facts()).halted);
  await tool.put("three", { value: 2 });
  await sleep(500);
  assert.equal((await tool.facts()).next_nonce, 2);
  tool.tell("forgive");
  await tool.ended("two", LOST);
  await tool.until(async () => (await inPool(node)) === 1);      // it is there, not only sent
  await mine(node, 6);
  await tool.ended("three", PAID);
  assert.equal(await balance(node), 103n);
});

test("an old copy of the data: it halts, and what newer data paid is not paid again", { skip }, async (t) => {
  const node = await startAnvil(t), at = folder(t), now = path.join(at, "now"), old = path.join(at, "old");
  let tool = open(t, now, { a: node.url });
  await tool.put("one");
  await tool.until(async () => (await balance(node)) === 1n);
  await mine(node, 6);
  await tool.ended("one", PAID);
  tool.tell("pause");
  await tool.put("two");
  await tool.until(async () => (await tool.facts()).wait === "paused");
  assert.equal(await tool.quit(), 0);
  cpSync(now, old, { recursive: true });
  tool = open(t, now, { a: node.url });
  tool.tell("resume");
  await tool.until(async () => (await balance(node)) === 2n);
  await mine(node, 6);
  await tool.ended("two", PAID);
  assert.equal(await tool.quit(), 0);
  tool = open(t, old, { a: node.url });
  tool.tell("resume");
  await tool.until(async () => (await tool.facts()).halted);
  assert.match((await tool.facts()).why, /an old copy of the data was restored/);
  assert.equal((await tool.facts()).signed, 0);
  tool.tell("forgive");
  await tool.ended("two", LOST);
  await tool.put("three");
  await tool.until(async () => (await balance(node)) === 3n);
  await mine(node, 6);
  await tool.ended("three", PAID);
  assert.equal((await tool.row("three")).nonce, 2);
});

test("gas above the cap, too little money, a locked key, a pause, a day's cap: each waits and says so", { skip }, async (t) => {
  const node = await startAnvil(t), tool = open(t, folder(t), { a: node.url }, { cap_gwei: 20, tip_gwei: 2, day_gwei: 21000 * 50 });
  const waits = (what) => tool.until(async () => (await tool.facts()).wait === what);
  await tool.until(async () => (await tool.facts()).wait === "nothing");
  await call(node.url, "anvil_setNextBlockBaseFeePerGas", hex(100n * 10n ** 9n));
  await mine(node);
  await tool.put("one", { value: 2 });
  await waits("fee_cap");
  assert.ok(tool.heard("wait", /fee_cap/));
  await call(node.url, "anvil_setNextBlockBaseFeePerGas", hex(10n ** 9n));
  await mine(node);
  await call(node.url, "anvil_setNextBlockBaseFeePerGas", hex(10n ** 9n));
  await tool.until(async () => (await balance(node)) === 2n);
  await call(node.url, "anvil_setBalance", ME, "0x1");
  await sleep(400);
  await tool.put("two", { value: 2 });
  await waits("funds");
  await call(node.url, "anvil_setBalance", ME, hex(10n ** 21n));
  await tool.until(async () => (await balance(node)) === 4n);
  await sleep(300);
  tool.tell("lock");
  await tool.put("three", { value: 2 });
  await tool.until(async () => /the key is locked/.test((await tool.facts()).error));
  assert.equal(await balance(node), 4n);
  tool.tell("unlock");
  await tool.until(async () => (await balance(node)) === 6n);
  tool.tell("pause");
  await tool.put("four", { value: 2 });
  await waits("paused");
  tool.tell("resume");
  await tool.until(async () => (await balance(node)) === 8n);
  await tool.put("five", { value: 10n ** 18n });
  await waits("day_cap");
  await mine(node, 6);
  await tool.ended("four", PAID);
});

test("a chain without EIP-1559, or one that is to be treated so: legacy transactions", { skip }, async (t) => {
  const node = await startAnvil(t, 1700000000, "--hardfork", "berlin"), tool = open(t, folder(t), { a: node.url });
  await tool.put("one");
  await tool.until(async () => (await balance(node)) === 1n);
  await mine(node, 6);
  await tool.ended("one", PAID);
  assert.equal((await call(node.url, "eth_getTransactionByHash", (await tool.row("one")).hash)).type, "0x0");
  const modern = await startAnvil(t), second = open(t, folder(t), { a: modern.url }, { legacy: 1 });
  await second.put("one");
  await second.until(async () => (await balance(modern)) === 1n);
  await mine(modern, 6);
  await second.ended("one", PAID);
  assert.equal((await call(modern.url, "eth_getTransactionByHash", (await second.row("one")).hash)).type, "0x0");
});

test("final by the finalized tag", { skip }, async (t) => {
  const node = await startAnvil(t, 1700000000, "--slots-in-an-epoch", "2"), tool = open(t, folder(t), { a: node.url }, { final_tag: 1, final_blocks: 0 });
  await mine(node, 8);
  await tool.put("one");
  await tool.until(async () => (await balance(node)) === 1n);
  await mine(node, 2);
  await sleep(700);
  assert.equal((await tool.row("one")).end, 0);
  await mine(node, 4);
  await tool.ended("one", PAID);
});

test("fifty at once", { skip, timeout: 120000 }, async (t) => {
  const node = await startAnvil(t), tool = open(t, folder(t), { a: node.url });
  const began = Date.now();
  const jobs = [];
  for (let i = 0; i < 50; i++) jobs.push(tool.put(`p${i}`));
  await Promise.all(jobs);
  await tool.until(async () => { await mine(node, 1); return (await tool.row("p49")).end === PAID && (await tool.facts()).payments === 0; }, 60);
  assert.equal(await balance(node), 50n);
  t.diagnostic(`50 payments final after ${Date.now() - began} ms`);
});
