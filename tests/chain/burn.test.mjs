// treasury/burn on a real node with the real contracts: burned on chain is burned in the ledger, to the unit, whatever dies when.
//
// BURN_KILLS_EACH=20 (1): kill -9 at each boundary so often. BURN_KILLS=200 (4): at random, under BURN_RATE=50 accruals a second.
import test from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import path from "node:path";
import { ANVIL, CHAIN, call, startAnvil } from "./node.mjs";
import { ME, folder, hex, sleep } from "./txq.mjs";

const BUILD = process.env.BUILD ?? "build", TOOL = path.resolve(BUILD, "asan-gcc/burn-tool"), FAST = path.resolve(BUILD, "burn-tool");
const EACH = Number(process.env.BURN_KILLS_EACH ?? 1), KILLS = Number(process.env.BURN_KILLS ?? 4), RATE = Number(process.env.BURN_RATE ?? 50);
const skip = existsSync(ANVIL) && existsSync(TOOL) ? false : "anvil or burn-tool is not there";
if (!skip) execFileSync("make", ["-s", `BUILD=${BUILD}`, "contracts"], { stdio: ["ignore", 2, 2] });
const ethers = skip ? null : createRequire(path.resolve(process.env.NPM || "build/npm", "contracts") + "/")("ethers");
const artifact = (name) => JSON.parse(readFileSync(`${BUILD}/gen/contracts/${name}.json`, "utf8"));

/** A node with PALM and the burn module as they will stand, and what can be asked of them. */
async function chain(t, dayLimit = 10n ** 15n) {
  const node = await startAnvil(t, Math.floor(Date.now() / 1000));
  const [me, deployer, liquidity, reserve, owner] = await call(node.url, "eth_accounts");
  assert.equal(me.toLowerCase(), ME.toLowerCase());
  const abi = (name) => new ethers.Interface(artifact(name).abi);
  const send = async (from, to, data, more = {}) => {
    const hash = await call(node.url, "eth_sendTransaction", { from, to, data, ...more });
    for (;;) {
      const receipt = await call(node.url, "eth_getTransactionReceipt", hash);
      if (receipt) { assert.equal(receipt.status, "0x1"); return receipt; }
      await sleep(20);
    }
  };
  const deploy = async (name, types, values) => (await send(deployer, undefined, ethers.concat([artifact(name).bytecode, ethers.AbiCoder.defaultAbiCoder().encode(types, values)]))).contractAddress;
  const palm = ethers.getAddress(await deploy("PALM", ["address", "address"], [liquidity, reserve]));
  const module = ethers.getAddress(await deploy("BurnModule", ["address", "address", "address", "address", "uint256"], [palm, liquidity, owner, me, dayLimit]));
  await send(liquidity, palm, abi("PALM").encodeFunctionData("approve", [module, 10n ** 17n]));
  await send(liquidity, palm, abi("PALM").encodeFunctionData("burn", [2_500_000n * 10n ** 9n]));      // the later one
  await call(node.url, "anvil_mine", "0x8");                 // no reorg takes the contracts away
  const view = async (at, name, f, args = []) => abi(name).decodeFunctionResult(f, await call(node.url, "eth_call", { to: at, data: abi(name).encodeFunctionData(f, args) }, "latest"));
  let mining = false;
  const timer = setInterval(() => { if (mining) call(node.url, "anvil_mine", "0x1").catch(() => {}); }, 150);
  t.after(() => clearInterval(timer));
  return {
    node, palm, module, owner, liquidity, send,
    mine: (on) => { mining = on; },
    burned: async () => (await view(module, "BurnModule", "totalBurned"))[0],
    batches: async () => Number((await view(module, "BurnModule", "batchCount"))[0]),
    supply: async () => (await view(palm, "PALM", "totalSupply"))[0],
    batch: async (id) => (await view(module, "BurnModule", "batch", [id]))[0],
    proves: async (...args) => (await view(module, "BurnModule", "provesAccrual", args))[0],
    owners: (f, args = [], more) => send(owner, module, abi("BurnModule").encodeFunctionData(f, args), more),
  };
}

/** The tool on a data folder. */
function open(t, data, c, options = {}, program = TOOL) {
  const args = [CHAIN, data, c.module, c.palm, ...Object.entries(options).map(([k, v]) => `${k}=${v}`), `a=${c.node.url}`];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = [], news = [];
  let acks = 0, ended = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = JSON.parse(line);
    if (message.ack) acks++;
    else if (message.news) news.push(message.news);
    else waiting.shift()?.(message);
  });
  child.stdin.on("error", () => {});
  const exit = new Promise((resolve) => child.on("exit", (code, signal) => { ended = true; for (const one of waiting.splice(0)) one(null); resolve(code ?? signal); }));
  const tell = (line) => child.stdin.write(line + "\n");
  const say = (line) => (ended ? Promise.resolve(null) : new Promise((resolve) => { waiting.push(resolve); tell(line); }));
  const tool = {
    news, tell, say, exit, get acks() { return acks; }, get ended() { return ended; },
    until: async (what, seconds = 60) => {
      for (let i = 0; i < seconds * 10; i++) {
        const value = await what();
        if (value) return value;
        await sleep(100);
      }
      assert.fail(`waited ${seconds} s for ${what}\n${JSON.stringify(await say("facts"))}\n${news.slice(-5).join("\n")}`);
    },
    is: (id, state, seconds) => tool.until(async () => { const v = await say(`show ${id}`); return v.state === state && v; }, seconds),
    // Nothing is pending or on its way.
    quiet: async (seconds = 120) => {
      await tool.until(async () => { const b = await say("books"); if (b.pending) await say("run"); return b.pending === 0 && b.held === 0 && b.open === 0; }, seconds);
      return say("books");
    },
    kill: async () => { child.kill("SIGKILL"); return exit; },
    quit: async () => { if (!ended) tell("quit"); return exit; },
  };
  t.after(async () => { if (!ended) assert.equal(await tool.quit(), 0, "the tool ends without a leak"); });
  return tool;
}

async function agree(c, tool, books) {
  assert.equal(BigInt(books.burned), await c.burned());
  assert.equal(BigInt(books.in_burned) - BigInt(books.lost), BigInt(books.burned));
  assert.equal(books.totals, books.in_burned);
  assert.equal(await c.supply(), 77_500_000n * 10n ** 9n - await c.burned());
  assert.deepEqual([books.sum, books.audit], [0, true]);
}

test("from accrual to receipt: the contract itself takes the proof", { skip }, async (t) => {
  const c = await chain(t), tool = open(t, folder(t), c, { threshold: 3000, age_ms: 600000 });
  c.mine(true);
  await tool.say("credit duel 1000 2");                        // 1000 and 1001
  const id = (await tool.until(async () => (await tool.say("show 1"))?.id));
  assert.equal((await tool.say("show 1")).state, "pending");
  await tool.say("credit hello 999 1");
  const burn = await tool.is(id, "burned");
  const coder = ethers.AbiCoder.defaultAbiCoder();
  assert.equal(burn.leaf.bytes, coder.encode(["uint256", "uint256", "bytes32"], [1, 1000, ethers.id(burn.reason)]));
  assert.equal(burn.leaf.hash, ethers.keccak256(ethers.keccak256(burn.leaf.bytes)));
  assert.match(burn.reason, /^hello match [0-9a-f-]{36}$|^duel match [0-9a-f-]{36}$/);
  assert.equal(await c.proves(burn.burn.id, 1, 1000, burn.leaf.reason, burn.proof), true);
  assert.equal(await c.proves(burn.burn.id, 1, 1001, burn.leaf.reason, burn.proof), false);
  const batch = await c.batch(burn.burn.id);
  assert.deepEqual([batch.amount, batch.root, batch.blockNumber], [3000n, burn.burn.root, BigInt(burn.burn.block)]);
  assert.equal(burn.burn.id, ethers.keccak256(coder.encode(["uint256", "address", "uint256", "bytes32"], [CHAIN, c.module, 3000, burn.burn.root])));
  const receipt = await call(c.node.url, "eth_getTransactionReceipt", burn.burn.tx);
  assert.equal(Number(receipt.blockNumber), Number(burn.burn.block));
  t.diagnostic(`gas of the first batch, of 3: ${Number(receipt.gasUsed)}`);
  assert.equal((await tool.say(`verify ${id}`)).good, true);
  assert.equal((await tool.say("verify b1")).good, true);
  assert.equal((await tool.say("verify 77")).error, "burn_unknown");
  await agree(c, tool, await tool.quiet());
  const supply = await tool.until(async () => { const s = await tool.say("supply"); return s.chain?.burned_by_frond === "3000" && s; });
  assert.deepEqual([supply.circulating, supply.chain.total_supply, supply.chain.agrees, supply.chain.not_booked_yet], ["77499999999997000", "77499999999997000", true, "0"]);
  assert.deepEqual(supply.frond.by_plugin.map((p) => [p.plugin, p.burned]), [["duel", "2001"], ["hello", "999"]]);
  assert.match((await tool.say("metrics")).metrics, /frond_burn_burned_units\{asset="PALM"\} 3000\n/);
});

test("a batch of 1 and one of 1,000, and accruals a second", { skip }, async (t) => {
  const c = await chain(t), tool = open(t, folder(t), c, { threshold: 1, age_ms: 1 }, existsSync(FAST) ? FAST : TOOL);
  c.mine(true);
  const gas = async (batch) => Number((await call(c.node.url, "eth_getTransactionReceipt", (await tool.is(batch, "burned")).tx)).gasUsed);
  await tool.say("credit duel 500 1");
  const first = await gas("b1");
  await tool.say("credit duel 500 1");
  const one = await gas("b2");
  await tool.say("pause");
  await tool.say("credit duel 500 1000");
  await tool.say("resume");
  const thousand = await gas("b3");
  assert.equal((await tool.say("show b3")).accruals, 1000);
  t.diagnostic(`gas: the first batch ${first}, then of 1: ${one}, of 1,000: ${thousand}`);
  assert.ok(Math.abs(one - thousand) < 2000);
  const count = Number(process.env.BURN_BENCH ?? 3000);
  const r = await tool.say(`bench ${count}`);
  t.diagnostic(`${count} accruals: ${Math.round(count / r.credited_ms * 1000)} a second through the ledger, ${Math.round(count / r.batched_ms * 1000)} a second into batches`);
  await agree(c, tool, await tool.quiet());
});

test("a reorg, and a module that is paused in between", { skip }, async (t) => {
  const c = await chain(t), tool = open(t, folder(t), c, { threshold: 1000, age_ms: 600000 });
  await tool.say("credit duel 1000 1");
  await tool.until(async () => (await c.batches()) === 1);     // anvil mines at once
  await call(c.node.url, "anvil_reorg", 2, []);
  assert.equal(await c.batches(), 0);
  c.mine(true);
  await tool.is("b1", "burned");
  assert.equal(await c.batches(), 1);
  c.mine(false);
  await sleep(500);
  await call(c.node.url, "evm_setAutomine", false);            // the pause comes into the same block, before the burn
  await tool.say("credit duel 2000 1");
  await tool.until(async () => (await tool.say("show b2")).state === "sent" && Number(await call(c.node.url, "eth_getBlockTransactionCountByNumber", "pending")) > 0);
  const paused = c.owners("pause", [], { maxFeePerGas: hex(400n * 10n ** 9n), maxPriorityFeePerGas: hex(300n * 10n ** 9n) });
  await sleep(300);
  await call(c.node.url, "evm_setAutomine", true);
  c.mine(true);
  await paused;
  await tool.is("b2", "reverted");
  await sleep(2000);
  assert.equal((await tool.say("show b2")).payments, 1);       // nobody tries blindly
  await c.owners("unpause");
  await tool.say("run b2");
  assert.equal((await tool.is("b2", "burned")).payments, 2);
  await agree(c, tool, await tool.quiet());
});

test("old data finds on chain what newer data burned", { skip }, async (t) => {
  const c = await chain(t), data = folder(t), old = folder(t);
  c.mine(true);
  let tool = open(t, data, c, { threshold: 5000, age_ms: 600000 });
  await tool.say("credit duel 1000 3");                        // 3003, pending
  await sleep(1500);
  await tool.quit();
  cpSync(data, old, { recursive: true });
  tool = open(t, data, c, { threshold: 5000, age_ms: 600000 });
  await tool.say("run");
  await tool.is("b1", "burned");
  await tool.say("credit duel 6000 1");
  await tool.is("b2", "burned");
  await tool.quit();
  assert.equal(await c.burned(), 9003n);

  tool = open(t, old, c, { threshold: 1, age_ms: 1 });         // eager, and yet
  const books = await tool.until(async () => { const b = await tool.say("books"); return b.halted && b; });
  assert.deepEqual([books.halted, books.open, books.pending], ["burn_unknown_batch", 0, 3003]);
  const { unknown } = await tool.say("list");
  assert.deepEqual(unknown.map((one) => one.amount), ["3003", "6000"]);
  const first = await tool.say(`adopt ${unknown[0].id}`), second = await tool.say(`adopt ${unknown[1].id}`);
  assert.deepEqual([first.exact, first.lost, second.exact, second.lost], [true, "0", false, "6000"]);
  assert.equal((await tool.say(`adopt ${unknown[0].id}`)).error, "burn_known");
  assert.equal((await tool.say("verify 1")).good, true);
  tool.tell("forgive");
  await tool.say("credit duel 700 1");
  const end = await tool.quiet();
  assert.equal(await c.burned(), 9703n);
  await agree(c, tool, end);
});

const KINDS = ["planned", "sign", "signed", "end", "ended", "commit", "ask:burn()", "heard:burn()", "ask:batch(id)", "heard:batch(id)", ...["eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getTransactionCount", "eth_getLogs", "eth_blockNumber"]
  .flatMap((m) => [`ask:${m}`, `heard:${m}`])];
test(`kill -9 at each of ${KINDS.length} boundaries, ${EACH} times each`, { skip, timeout: 3_600_000 }, async (t) => {
  const c = await chain(t), data = folder(t);
  const options = { threshold: 2000, age_ms: 300 };
  let killed = 0, acks = 0;
  c.mine(true);
  for (const kind of KINDS)
    for (let i = 0; i < EACH; i++) {
      const tool = open(t, data, c, options, existsSync(FAST) ? FAST : TOOL);
      tool.tell(`die ${kind}`);
      tool.tell("load 50");
      assert.equal(await Promise.race([tool.exit, sleep(60000).then(() => "alive")]), "SIGKILL", kind);
      acks += tool.acks;
      killed++;
    }
  const tool = open(t, data, c, options), books = await tool.quiet(300);
  await agree(c, tool, books);
  assert.ok(books.accruals >= acks, `${books.accruals} accruals, ${acks} were acknowledged`);
  assert.equal(await c.batches(), books.batches);
  t.diagnostic(`${killed} kills; ${acks} accruals acknowledged, ${books.accruals} in the ledger, ${books.burned} units burned in ${books.batches} batches, the same on chain`);
});

test(`${KILLS} random kills under ${RATE} accruals a second`, { skip, timeout: 3_600_000 }, async (t) => {
  const c = await chain(t), data = folder(t), options = { threshold: 30000, age_ms: 500 };
  let acks = 0;
  c.mine(true);
  for (let i = 0; i < KILLS; i++) {
    const tool = open(t, data, c, options, existsSync(FAST) ? FAST : TOOL);
    tool.tell(`load ${RATE}`);
    await sleep(300 + Math.random() * 2500);
    if (i % 10 === 5) await call(c.node.url, "anvil_reorg", 2, []).catch(() => {});
    await tool.kill();
    acks += tool.acks;
  }
  const tool = open(t, data, c, options), books = await tool.quiet(300);
  await agree(c, tool, books);
  assert.ok(books.accruals >= acks && acks > 0);
  assert.equal(await c.batches(), books.batches);
  t.diagnostic(`${KILLS} kills; ${acks} accruals acknowledged, ${books.accruals} in the ledger, ${books.burned} units burned in ${books.batches} batches, the same on chain`);
});
