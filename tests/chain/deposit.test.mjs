// host/treasury's deposits, sweeps and reconciliation over a real node with the real contracts: what is credited is what arrived, to the unit.
import test from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { ANVIL, CHAIN, call, startAnvil } from "./node.mjs";

process.chdir(new URL("../..", import.meta.url).pathname);
const BUILD = process.env.BUILD ?? "build", TOOL = path.resolve(BUILD, "asan-gcc/deposit-tool");
const NPM = path.resolve(process.env.NPM || "build/npm", "contracts");
const skip = existsSync(ANVIL) && existsSync(TOOL) ? false : "anvil or deposit-tool is not there";
if (!skip) execFileSync("make", ["-s", `BUILD=${BUILD}`, "contracts"], { stdio: ["ignore", 2, 2] });
const { Interface, getCreate2Address, toBeHex } = skip ? {} : createRequire(NPM + "/")("ethers");
const contract = (name) => { const made = JSON.parse(readFileSync(`${BUILD}/gen/contracts/${name}.json`, "utf8")); return { ...made, code: new Interface(made.abi) }; };
const C = skip ? {} : Object.fromEntries(["PALM", "NFNT", "GHUB", "DepositFactory"].map((name) => [name, contract(name)]));
const ASSETS = ["PALM", "NFNT", "GHUB"];
const SCALE = { PALM: 1n, NFNT: 10n ** 9n, GHUB: 10n ** 9n };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const hex = (n) => `0x${n.toString(16)}`;
const random = (n) => Math.floor(Math.random() * n);

/** A chain with the contracts; the vault is the tool's own key, so that payments of ours can leave it. */
async function world(t) {
  const node = await startAnvil(t, 1893499200, "--accounts", "10");
  const [vault, deployer, stranger, thief, reserve] = await call(node.url, "eth_accounts"), at = {};
  const w = { node, vault, deployer, stranger, thief, at };
  w.mine = (n = 1) => call(node.url, "anvil_mine", hex(n));
  w.send = async (from, to, data) => {
    const hash = await call(node.url, "eth_sendTransaction", { from, to, data, gas: "0xf42400" });
    for (let i = 0; i < 1000; i++) {
      const receipt = await call(node.url, "eth_getTransactionReceipt", hash);
      if (receipt) { assert.equal(receipt.status, "0x1"); return receipt; }
      await sleep(10);
    }
    assert.fail("it was never mined");
  };
  w.deploy = async (name, args) => (await w.send(deployer, undefined, C[name].bytecode + C[name].code.encodeDeploy(args).slice(2))).contractAddress;
  at.PALM = await w.deploy("PALM", [deployer, reserve]);
  for (const name of ["NFNT", "GHUB"]) at[name] = await w.deploy(name, []);
  at.factory = await w.deploy("DepositFactory", [vault]);
  w.give = (asset, to, amount) => w.send(deployer, at[asset], asset === "PALM" ? C.PALM.code.encodeFunctionData("transfer", [to, amount]) : C[asset].code.encodeFunctionData("mint", [to, amount]));
  w.balance = async (asset, of) => BigInt(await call(node.url, "eth_call", { to: at[asset], data: C.PALM.code.encodeFunctionData("balanceOf", [of]) }, "latest"));
  w.sweep = (from, asset, salts) => w.send(from, at.factory, C.DepositFactory.code.encodeFunctionData("sweep", [at[asset], salts]));
  w.out = (from, asset, to, amount) => w.send(from, at[asset], C.PALM.code.encodeFunctionData("transfer", [to, amount]));
  return w;
}

function folder(t) {
  const at = mkdtempSync(path.join(tmpdir(), "frond-deposit-"));
  t.after(() => rmSync(at, { recursive: true, force: true }));
  return at;
}

function open(t, w, data, options = {}, endpoints = { a: w.node.url }) {
  const pairs = { ...options, factory: w.at.factory, vault: w.vault, PALM: w.at.PALM, NFNT: w.at.NFNT, GHUB: w.at.GHUB, ...endpoints };
  const child = spawn(TOOL, [CHAIN, data, ...Object.entries(pairs).map(([k, v]) => `${k}=${v}`)], { stdio: ["pipe", "pipe", process.env.LOUD ? "inherit" : "ignore"] });
  const waiting = [], halts = {}, wallets = [], news = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = JSON.parse(line);
    if (message.halt && message.code) halts[message.halt] = `${message.code}: ${message.text}`;
    else if (message.halt) delete halts[message.halt];
    else if (message.wallet) wallets.push(message);
    else if (message.news !== undefined) news.push(message);
    else if (!message.event) waiting.shift()?.(message);
  });
  let ended = false;
  const exit = new Promise((resolve) => child.on("exit", (code, signal) => { ended = true; for (const one of waiting.splice(0)) one({}); resolve(code ?? signal); }));
  child.stdin.on("error", () => {});
  const say = (line) => new Promise((resolve) => { if (ended) return resolve({}); waiting.push(resolve); child.stdin.write(line + "\n"); });
  const tool = {
    halts, wallets, news, say, exit,
    facts: () => say("facts"),
    tell: (line) => child.stdin.write(line + "\n"),
    address: async (player) => {
      for (let i = 0; i < 400; i++) {
        const answer = await say(`address ${player}`);
        if (answer.error !== "deposit_not_ready" || ended) return answer;
        await w.mine(1);
        await sleep(50);
      }
      assert.fail("deposits never become ready");
    },
    balance: async (player, asset) => { const b = await say(`balance ${player} ${asset}`); assert.equal(b.worst, "0"); return BigInt(b.units) * SCALE[asset] + BigInt(b.dust); },
    until: async (what, seconds = 60) => {
      for (let i = 0; i < seconds * 10; i++) {
        if (await what()) return;
        await sleep(100);
      }
      assert.fail(`waited ${seconds} s for ${what}\n${JSON.stringify(await tool.facts())}\n${JSON.stringify(news.slice(-3))}`);
    },
    /** All that was mined by now is final, read, looked at and compared. */
    settled: async () => {
      await w.mine(4);
      const final = Number(await call(w.node.url, "eth_blockNumber")) - 3;
      await tool.until(async () => { const f = await tool.facts(); return Number(f.deposit.read_block) >= final && Number(f.reconcile.block) >= final; });
    },
    kill: async () => { child.kill("SIGKILL"); return exit; },
    quit: async () => { if (!ended) child.stdin.write("quit\n"); return exit; },
  };
  t.after(async () => { if (!ended) assert.equal(await tool.quit(), 0, "the tool ends without a leak"); });
  return tool;
}

test("three tokens, dust, and one that is not pinned", { skip, timeout: 240000 }, async (t) => {
  const w = await world(t), tool = open(t, w, folder(t)), a = await tool.address("17"), b = await tool.address("18");
  const code = await call(w.node.url, "eth_call", { to: w.at.factory, data: C.DepositFactory.code.encodeFunctionData("initCodeHash", []) }, "latest");
  assert.equal(getCreate2Address(w.at.factory, a.salt, code), a.address);          // ethers' opinion, and its checksum
  assert.equal(BigInt(await call(w.node.url, "eth_call", { to: w.at.factory, data: C.DepositFactory.code.encodeFunctionData("addressOf", [a.salt]) }, "latest")), BigInt(a.address));
  const other = await w.deploy("GHUB", []);
  await w.send(w.deployer, other, C.GHUB.code.encodeFunctionData("mint", [a.address, 10n ** 20n]));
  await w.give("PALM", a.address, 12_500_000_000n);
  await w.give("NFNT", a.address, 15n * 10n ** 17n + 600_000_000n);
  await w.give("NFNT", a.address, 600_000_001n);
  await w.give("GHUB", b.address, 999_999_999n);
  await tool.say("pending 17 PALM");
  await tool.until(async () => (await tool.say("pending 17 PALM")).pending.length === 1 || (await tool.balance("17", "PALM")) > 0n);
  await tool.settled();
  assert.equal(await tool.balance("17", "PALM"), 12_500_000_000n);
  assert.equal(await tool.balance("17", "NFNT"), 15n * 10n ** 17n + 1_200_000_001n);
  assert.deepEqual(await tool.say("balance 17 NFNT"), { units: "1500000001", dust: "200000001", logs: 2, worst: "0" });
  assert.deepEqual(await tool.say("balance 18 GHUB"), { units: "0", dust: "999999999", logs: 1, worst: "0" });
  assert.deepEqual(await tool.say("balance 17 GHUB"), { units: "0", dust: "0", logs: 0, worst: "0" });
  assert.equal(tool.wallets.filter((one) => one.wallet === "17").length, 3);
  const { reconcile } = await tool.facts();
  assert.equal(reconcile.halted, null);
  assert.deepEqual(reconcile.assets.map((one) => one.difference), ["0", "0", "0"]);
});

test("sweeps: of one, of a hundred and one, with strangers in front", { skip, timeout: 400000 }, async (t) => {
  const w = await world(t), data = folder(t);
  let tool = open(t, w, data, { sweep: 1000 });
  const first = await tool.address("1");
  await w.give("PALM", first.address, 1000n);
  await tool.until(async () => { await w.mine(1); return (await w.balance("PALM", w.vault)) === 1000n; });
  await tool.until(async () => { await w.mine(1); const f = await tool.facts(); return f.deposit.sweeps_open === 0 && f.txq.payments === 0 && (await tool.say("show 1")).lying.length === 0; });
  assert.equal(await tool.quit(), 0);
  tool = open(t, w, data, { sweep: 10n ** 15n });          // nothing goes before the age, or a hundred
  const many = [];
  for (let i = 0; i < 101; i++) many.push(await tool.address(String(100 + i)));
  for (const one of many) await w.give("NFNT", one.address, 10n ** 18n + 5n);
  await tool.until(async () => { await w.mine(1); return (await w.balance("NFNT", w.vault)) >= 100n * (10n ** 18n + 5n); }, 120);
  assert.equal((await tool.facts()).deposit.sweeps, 1);
  await tool.until(async () => { await w.mine(1); return (await tool.facts()).txq.payments === 0; });
  let left;
  for (let i = 0; i < many.length; i++) if ((await w.balance("NFNT", many[i].address)) > 0n) left = i;
  await w.sweep(w.stranger, "NFNT", [many[left].salt]);    // a stranger pays our gas
  await tool.settled();
  await tool.until(async () => { await w.mine(1); return (await tool.say(`show ${100 + left}`)).lying.length === 0; });
  assert.equal(await w.balance("NFNT", w.vault), 101n * (10n ** 18n + 5n));
  for (let i = 0; i < many.length; i++) assert.equal(await tool.balance(String(100 + i), "NFNT"), 10n ** 18n + 5n);
  const { reconcile, deposit } = await tool.facts();
  assert.equal(deposit.sweeps, 1);
  assert.deepEqual([reconcile.halted, reconcile.assets[1].difference, reconcile.assets[1].vault], [null, "0", "101.000000000000000505"]);
});

test("a reorg before finality; a node that is stopped and goes on", { skip, timeout: 240000 }, async (t) => {
  const w = await world(t), tool = open(t, w, folder(t)), a = await tool.address("17");
  await tool.settled();
  await w.give("PALM", a.address, 70n);
  await sleep(500);
  await call(w.node.url, "anvil_reorg", 2, []);
  await tool.settled();
  await sleep(500);
  assert.equal(await tool.balance("17", "PALM"), await w.balance("PALM", a.address));
  await w.give("PALM", a.address, 5n);
  w.node.child.kill("SIGSTOP");
  await sleep(1500);
  w.node.child.kill("SIGCONT");
  await tool.settled();
  assert.equal(await tool.balance("17", "PALM"), await w.balance("PALM", a.address));
});

test("two nodes that disagree credit nothing until they agree", { skip, timeout: 240000 }, async (t) => {
  const w = await world(t), liar = await startAnvil(t, 1893499200, "--accounts", "10", "--fork-url", w.node.url);
  const tool = open(t, w, folder(t), { quorum: 2 }, { a: w.node.url, b: liar.url });
  const both = async (n) => { await w.mine(n); await call(liar.url, "anvil_mine", hex(n)); };
  let b = {};
  for (let i = 0; i < 200 && !b.address; i++) { await both(1); await sleep(50); b = await tool.say("address 17"); }
  assert.ok(b.address);
  await w.give("PALM", b.address, 70n);
  await call(liar.url, "anvil_mine", "0x1");
  await both(6);
  await tool.until(async () => /reading logs: .*(disagree|the same)/.test((await tool.facts()).deposit.error));
  await both(6);
  await sleep(2000);
  assert.equal(await tool.balance("17", "PALM"), 0n);
});

test("a shortfall halts, is said, and recovers; what leaves by our own payment is explained", { skip, timeout: 240000 }, async (t) => {
  const w = await world(t), tool = open(t, w, folder(t)), a = await tool.address("17");
  await w.give("PALM", a.address, 1000n);
  await w.sweep(w.stranger, "PALM", [a.salt]);
  await tool.settled();
  assert.deepEqual(tool.halts, {});
  await tool.say("spend 17 PALM 100");
  await tool.say(`put payout:1 ${w.at.PALM} ${C.PALM.code.encodeFunctionData("transfer", [w.stranger, 100n])}`);
  await tool.until(async () => { await w.mine(1); return (await w.balance("PALM", w.stranger)) === 100n && (await tool.facts()).txq.payments === 0; });
  await tool.settled();
  assert.deepEqual(tool.halts, {});
  await w.out(w.vault, "PALM", w.thief, 300n);             // by the vault's key, and not by us
  await tool.settled();
  await tool.until(() => /^shortfall/.test(tool.halts.reconcile) && tool.halts.outflows);
  assert.equal(tool.halts.reconcile, "shortfall: PALM: 0.0000009 owed, 0.0000006 on chain");
  assert.match(tool.halts.outflows, /^outflow_unknown: 1 /);
  await w.out(w.thief, "PALM", w.vault, 300n);
  await tool.settled();
  await tool.until(() => !tool.halts.reconcile);
  const { outflows, accepted } = await tool.say("accept");
  assert.deepEqual([accepted, outflows.length, outflows[0].chain_amount, outflows[0].to.toLowerCase()], [1, 1, "300", w.thief.toLowerCase()]);
  await tool.until(() => !tool.halts.outflows);
});

test("old data is restored: it is noticed, nothing is credited twice and nothing is lost", { skip, timeout: 240000 }, async (t) => {
  const w = await world(t), at = folder(t), now = path.join(at, "now"), old = path.join(at, "old");
  let tool = open(t, w, now, { sweep: 10n ** 15n });
  const a = await tool.address("17");
  await w.give("PALM", a.address, 1000n);
  await w.sweep(w.stranger, "PALM", [a.salt]);
  await tool.settled();
  assert.equal(await tool.quit(), 0);
  cpSync(now, old, { recursive: true });

  tool = open(t, w, now, { sweep: 10n ** 15n });
  const b = await tool.address("18");                      // which the backup does not know
  await w.give("PALM", a.address, 30n);
  await w.give("GHUB", b.address, 2n * 10n ** 18n + 7n);
  await tool.settled();
  await tool.say("spend 17 PALM 400");
  await tool.say(`put payout:1 ${w.at.PALM} ${C.PALM.code.encodeFunctionData("transfer", [w.stranger, 400n])}`);
  await tool.until(async () => { await w.mine(1); return (await w.balance("PALM", w.stranger)) === 400n && (await tool.facts()).txq.payments === 0; });
  await tool.settled();
  assert.deepEqual([tool.halts, await tool.balance("17", "PALM"), await tool.balance("18", "GHUB")], [{}, 630n, 2n * 10n ** 18n + 7n]);
  assert.equal(await tool.quit(), 0);

  tool = open(t, w, old, { sweep: 10n ** 15n });
  await tool.settled();
  await tool.until(() => /^shortfall/.test(tool.halts.reconcile) && tool.halts.outflows);
  assert.equal(tool.halts.reconcile, "shortfall: PALM: 0.00000103 owed, 0.00000063 on chain");
  assert.equal(await tool.balance("17", "PALM"), 1030n);   // the 30 were found again; what was paid is still owed, and money-out is halted
  assert.equal((await tool.facts()).txq.halted, true);     // the transaction manager noticed too
  const again = await tool.address("18");
  assert.equal(again.address, b.address);
  await tool.until(async () => { await w.mine(1); return (await tool.balance("18", "GHUB")) === 2n * 10n ** 18n + 7n; });
  await tool.settled();
  assert.deepEqual([await tool.balance("18", "GHUB"), await tool.balance("17", "PALM")], [2n * 10n ** 18n + 7n, 1030n]);
});

test("killed at any moment: credited is what arrived, to the unit", { skip, timeout: 900000 }, async (t) => {
  const kills = Number(process.env.DEPOSIT_KILLS ?? 15), w = await world(t), data = folder(t), options = { sweep: 5_000_000_000, look: 20 };
  let tool = open(t, w, data, options), sent = 0;
  const players = {};
  for (const name of ["1", "2", "3", "4", "5", "6"]) players[name] = await tool.address(name);
  const began = Date.now();
  for (let i = 0; i < kills; i++) {
    const until = Date.now() + random(700);
    do {
      const name = String(1 + random(6)), asset = ASSETS[random(3)];
      await w.give(asset, players[name].address, BigInt(1 + random(4_000_000_000)));
      sent++;
      if (random(4) === 0) await w.mine(1 + random(3));
      if (random(12) === 0) await call(w.node.url, "anvil_reorg", 1 + random(2), []);
      if (random(12) === 0) await w.sweep(w.stranger, asset, [players[name].salt]);
    } while (Date.now() < until);
    await tool.kill();
    tool = open(t, w, data, options);
  }
  await w.mine(5);
  // nothing under way any more, and all of it read
  await tool.until(async () => { await w.mine(1); const f = await tool.facts(); return f.txq.loaded && f.txq.payments === 0 && f.deposit.sweeps_open === 0; }, 120);
  await tool.settled();
  let logs = 0;
  const final = hex(Number(await call(w.node.url, "eth_blockNumber")));
  for (const [name, { address }] of Object.entries(players))
    for (const asset of ASSETS) {
      const arrived = await call(w.node.url, "eth_getLogs", { fromBlock: "0x0", toBlock: final, address: w.at[asset], topics: [C.PALM.code.getEvent("Transfer").topicHash, null, toBeHex(address, 32)] });
      const sum = arrived.reduce((all, one) => all + BigInt(one.data), 0n), has = await tool.say(`balance ${name} ${asset}`);
      assert.equal(await tool.balance(name, asset), sum, `${asset} of ${name}`);
      assert.equal(has.logs, arrived.length);
      logs += arrived.length;
    }
  const { reconcile, deposit } = await tool.facts();
  assert.deepEqual([reconcile.halted, deposit.held, deposit.odd], [null, 0, 0]);
  for (const [i, asset] of ASSETS.entries()) assert.equal(reconcile.assets[i].difference, "0", asset);
  t.diagnostic(`${kills} kills, ${sent} deposits sent, ${logs} stayed and were credited once each, ${Math.round((Date.now() - began) / 1000)} s`);
});
