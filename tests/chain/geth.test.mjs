// chain/txq over geth, for what anvil is too kind for: stuck transactions, the rule for replacements, what a reorg does to the pool. `make geth` builds it (some minutes).
import test from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { call, freePort } from "./node.mjs";
import { PAID, CANCELLED, CANCEL, TOOL, ME, YOU, balance, folder, hex, open, sleep } from "./txq.mjs";

const GETH = process.env.GETH ?? path.resolve(process.env.BUILD ?? "build", "go/geth");
const skip = existsSync(GETH) && existsSync(TOOL) ? false : "geth or txq-tool is not there: make geth chain-tools";
const CHAIN = 1337, GWEI = 10n ** 9n;

/** A development chain with a block every so many seconds, whose first account pays ours. */
async function startGeth(t, period = 1) {
  const port = await freePort(), url = `http://127.0.0.1:${port}`;
  const child = spawn(GETH, ["--dev", "--dev.period", period, "--datadir", folder(t), "--ipcdisable", "--port", "0", "--nodiscover", "--maxpeers", "0", "--http", "--http.port", port, "--http.api", "eth,net,web3,debug,txpool,miner", "--verbosity", "1"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  for (let i = 0; i < 1200; i++) {
    if (await call(url, "eth_chainId").catch(() => null)) break;
    await sleep(50);
  }
  const [bank] = await call(url, "eth_accounts");
  const node = { url, child, bank };
  await pay(node, ME, 1000n * 10n ** 18n);
  for (let i = 0; i < 600 && (await balance(node, ME)) === 0n; i++) await sleep(50);
  return node;
}
const pay = (node, to, value, tip = 10n * GWEI) => call(node.url, "eth_sendTransaction", { from: node.bank, to, value: hex(value), maxFeePerGas: hex(200n * GWEI), maxPriorityFeePerGas: hex(tip) });
const height = async (node) => Number(await call(node.url, "eth_blockNumber"));
const mine = async (t, tool, node) => open(t, tool, { a: node.url }, { chain: CHAIN, final_blocks: 4, raise: 2500, look: 200 });
const pending = async (node) => Object.values((await call(node.url, "txpool_content")).pending).flatMap((nonces) => Object.values(nonces)).filter((tx) => tx.from.toLowerCase() === ME.toLowerCase());

test("geth: what waits too long is replaced by what geth takes as a replacement, and is mined once", { skip, timeout: 180000 }, async (t) => {
  const node = await startGeth(t, 12), tool = open(t, folder(t), { a: node.url }, { chain: CHAIN, final_blocks: 1, raise: 500, look: 200 });
  await tool.until(async () => (await tool.facts()).wait === "nothing", 60);
  await tool.put("one", { value: 3 });
  await tool.until(async () => (await pending(node)).length === 1, 60);
  const [first] = await pending(node);
  await tool.until(async () => (await tool.facts()).replaced >= 2, 60);
  await tool.until(async () => { const now = await pending(node); return now.length === 1 && now[0].hash !== first.hash || (await balance(node)) === 3n; });
  await tool.ended("one", PAID);
  const last = await call(node.url, "eth_getTransactionByHash", (await tool.row("one")).hash);
  assert.notEqual(last.hash, first.hash);
  assert.equal(last.nonce, first.nonce);
  for (const key of ["maxFeePerGas", "maxPriorityFeePerGas"]) assert.ok(BigInt(last[key]) * 10n >= BigInt(first[key]) * 11n, key);
  assert.ok(!tool.heard("refused", /replacement_underpriced/));
  assert.equal(await balance(node), 3n);
  // and geth is as strict as they say
  const nonce = await call(node.url, "eth_getTransactionCount", node.bank, "pending"), bid = (tip) => ({ from: node.bank, to: YOU, value: "0x0", nonce, gas: "0x5208", maxFeePerGas: hex(tip * 10n), maxPriorityFeePerGas: hex(tip) });
  await call(node.url, "eth_sendTransaction", bid(10n * GWEI));
  await assert.rejects(call(node.url, "eth_sendTransaction", bid(10n * GWEI + GWEI / 2n)), /replacement transaction underpriced/);
});

test("geth: taken back while it waits", { skip, timeout: 180000 }, async (t) => {
  const node = await startGeth(t, 12), tool = open(t, folder(t), { a: node.url }, { chain: CHAIN, final_blocks: 1, raise: 60000, look: 200 });
  await tool.until(async () => (await tool.facts()).wait === "nothing", 60);
  const at = await height(node);
  await tool.until(async () => (await height(node)) > at);               // a whole period is left
  await tool.put("one", { value: 3 });
  await tool.until(async () => (await pending(node)).length === 1);
  await tool.cancel("one", CANCEL);
  await tool.until(async () => { const [tx] = await pending(node); return tx && tx.to.toLowerCase() === ME.toLowerCase(); });
  await tool.ended("one", CANCELLED);
  assert.equal(await balance(node), 0n);
});

test("geth: a tip under what it takes is raised until it takes it", { skip, timeout: 180000 }, async (t) => {
  const node = await startGeth(t), tool = await mine(t, folder(t), node);
  await tool.until(async () => (await tool.facts()).wait === "nothing");
  await call(node.url, "miner_setGasPrice", hex(12n * GWEI));            // the history shows 10
  await tool.put("one", { value: 3 });
  await tool.until(() => tool.heard("refused", /underpriced/), 60);
  await tool.until(async () => (await balance(node)) === 3n, 60);
  await tool.ended("one", PAID);
  assert.ok((await tool.facts()).replaced >= 1);
});

test("geth: what setHead takes out of the chain is not in its pool; it is sent again", { skip, timeout: 180000 }, async (t) => {
  const node = await startGeth(t), tool = open(t, folder(t), { a: node.url }, { chain: CHAIN, final_blocks: 12, raise: 60000, look: 200 });
  await tool.put("one", { value: 3 });
  await tool.until(async () => (await balance(node)) === 3n, 60);
  const at = await height(node);
  await tool.until(async () => (await height(node)) >= at + 2);
  await call(node.url, "debug_setHead", hex(at - 3));
  await tool.until(() => tool.heard("reorg"), 60);
  await tool.until(async () => (await balance(node)) === 3n, 60);
  await tool.ended("one", PAID);
  const facts = await tool.facts();
  assert.deepEqual([facts.signed, facts.next_nonce], [1, 1]);
  assert.equal(await balance(node), 3n);
});

test("geth: killed twenty times, each is paid once", { skip, timeout: 300000 }, async (t) => {
  const node = await startGeth(t), data = folder(t);
  let tool = await mine(t, data, node), names = 0;
  for (let kill = 0; kill < 20; kill++) {
    tool.put(`p${names++}`);
    await sleep(200 + Math.random() * 1500);
    await tool.kill();
    tool = await mine(t, data, node);
  }
  for (let i = 0; i < names; i++) assert.ok((await tool.put(`p${i}`)).put > 0);
  for (let i = 0; i < names; i++) await tool.ended(`p${i}`, PAID);
  assert.equal(await balance(node), BigInt(names));
});
