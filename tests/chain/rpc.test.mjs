// chain/endpoints over net/client against real nodes: what they can do is found out, what they refuse is understood, liars are halted.
import test from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import path from "node:path";
import { ANVIL, CHAIN, call, startAnvil } from "./node.mjs";

const BUILD = process.env.BUILD ?? "build";
const TOOL = path.resolve(BUILD, "asan-gcc/rpc-tool");
const skip = existsSync(ANVIL) && existsSync(TOOL) ? false : "anvil or rpc-tool is not there";
const ME = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", YOU = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const ANY = 0, QUANTITY = 1, RECEIPT = 4;
const GWEI = 1_000_000_000n;

/** The tool, its answers by id, its events in order. */
function openTool(t, endpoints, chain = CHAIN) {
  const child = spawn(TOOL, [chain, ...Object.entries(endpoints).map(([name, url]) => `${name}=${url}`)], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = [], events = [], byId = new Map();
  let ids = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = JSON.parse(line);
    if (message.event) events.push(`${message.name}:${message.event}`);
    else if (message.id !== undefined) byId.get(message.id)(message);
    else waiting.shift()(message);
  });
  const exit = new Promise((resolve) => child.on("exit", resolve));
  const say = (line) => new Promise((resolve) => { waiting.push(resolve); child.stdin.write(line + "\n"); });
  const tool = {
    events,
    ask: (method, params = [], { kind = ANY, quorum = 1 } = {}) => new Promise((resolve) => { byId.set(++ids, resolve); child.stdin.write(`ask ${ids} ${kind} ${quorum} ${method} ${JSON.stringify(params)}\n`); }),
    facts: async () => (await say("facts")).facts,
    sign: async ({ nonce, to = YOU, value = 1n, gas = 21000, fee = 100n * GWEI, tip = GWEI }) => (await say(`sign ${nonce} ${to} ${value} ${gas} ${fee} ${tip}`)).raw,
    send: async (tx) => (await tool.ask("eth_sendRawTransaction", [await tool.sign(tx)])).results[0],
    until: async (what, seconds = 20) => {
      for (let i = 0; i < seconds * 20; i++) {
        if (await what()) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.fail(`waited ${seconds} s for ${what}; events: ${events.join(" ")}`);
    },
    quit: async () => { child.stdin.write("quit\n"); return exit; },
  };
  t.after(async () => assert.equal(await tool.quit(), 0, "the tool ends without a leak"));
  return tool;
}

test("what anvil is and can do", { skip }, async (t) => {
  const node = await startAnvil(t);
  const tool = openTool(t, { a: node.url });
  assert.equal((await tool.ask("eth_blockNumber", [], { kind: QUANTITY })).results[0], "0x0");
  await tool.until(async () => (await tool.facts())[0].probed);
  const [facts] = await tool.facts();
  assert.match(facts.version, /^anvil\/v1\./i);
  assert.equal(facts.client, 2);
  assert.ok(facts.finalized && facts.fee_history && facts.debug && facts.batches && facts.logs_range >= 100);
  assert.deepEqual(tool.events, ["a:up"]);
});

test("what anvil refuses is understood", { skip }, async (t) => {
  const node = await startAnvil(t);
  const tool = openTool(t, { a: node.url });
  const fault = async (tx) => (await tool.send(tx)).fault;
  assert.match(await tool.send({ nonce: 0 }), /^0x[0-9a-f]{64}$/);
  await tool.until(async () => await call(node.url, "eth_getTransactionCount", ME, "latest") === "0x1");      // it mines a moment after it takes
  assert.equal(await fault({ nonce: 0, value: 2n }), "nonce_too_low");
  assert.equal(await fault({ nonce: 1, value: 10n ** 30n }), "funds");
  assert.equal(await fault({ nonce: 1, gas: 20999 }), "intrinsic_gas");
  assert.equal(await fault({ nonce: 1, fee: 1n, tip: 0n }), "fee_under_base");
  assert.equal(await fault({ nonce: 1, fee: GWEI, tip: 2n * GWEI }), "tip_over_fee");
  assert.equal(await fault({ nonce: 1, gas: 10 ** 12 }), "gas_limit");
  await call(node.url, "evm_setAutomine", false);
  assert.match(await tool.send({ nonce: 1 }), /^0x/);
  assert.equal(await fault({ nonce: 1 }), "already_known");
  assert.equal(await fault({ nonce: 1, value: 3n }), "replacement_underpriced");
  await call(node.url, "anvil_mine", "0x1");
  assert.ok(["already_known", "nonce_too_low"].includes(await fault({ nonce: 1 })));
  assert.equal((await tool.ask("eth_sendRawTransaction", ["0x02c0"])).results[0].fault, "tx_invalid");
  assert.match((await tool.ask("eth_noSuchThing")).text, /method/);
  assert.equal((await tool.ask("eth_getBlockByNumber", [7])).results[0].fault, "params");
});

test("a receipt by quorum: two see it, one does not", { skip }, async (t) => {
  const node = await startAnvil(t), other = await startAnvil(t);
  const tool = openTool(t, { a: node.url, b: node.url.replace("127.0.0.1", "localhost"), c: other.url });
  await tool.until(async () => tool.events.filter((e) => e.endsWith(":up")).length === 3);
  const hash = await call(node.url, "eth_sendTransaction", { from: ME, to: YOU, value: "0x1" });
  await tool.until(async () => await call(node.url, "eth_getTransactionReceipt", hash) !== null);      // mined, a moment after it was taken
  const answer = await tool.ask("eth_getTransactionReceipt", [hash], { kind: RECEIPT, quorum: 2 });
  assert.ok(answer.ok && ["a", "b"].includes(answer.who), JSON.stringify(answer));
  assert.equal(answer.results[0].transactionHash, hash);
  const all = await tool.ask("eth_getTransactionReceipt", [hash], { kind: RECEIPT, quorum: 3 });
  assert.equal(all.code, "rpc_disagree");
});

test("a node that dies, one that hangs, and one that changes its chain", { skip }, async (t) => {
  const [first, second] = [await startAnvil(t), await startAnvil(t)];
  const tool = openTool(t, { a: first.url, b: second.url });
  await tool.until(async () => tool.events.filter((e) => e.endsWith(":up")).length === 2);
  await call(first.url, "anvil_setChainId", 5);
  first.child.kill("SIGSTOP");
  await tool.until(() => / T /.test(readFileSync(`/proc/${first.child.pid}/stat`, "utf8")));
  for (let i = 0; i < 3; i++) assert.equal((await tool.ask("eth_blockNumber", [], { kind: QUANTITY })).who, "b");
  assert.equal((await tool.ask("eth_blockNumber", [], { kind: QUANTITY, quorum: 2 })).ok, false);      // asks a too, were b the quicker one all along: its silence is what brings the next look forward
  first.child.kill("SIGCONT");
  await tool.until(() => tool.events.includes("a:lied"), 40);
  second.child.kill("SIGKILL");
  assert.equal((await tool.ask("eth_blockNumber", [], { kind: QUANTITY })).ok, false);
  const [a, b] = await tool.facts();
  assert.equal(a.state, 3);
  assert.equal(b.state, 2);
});

test("another chain or genesis from the start", { skip }, async (t) => {
  const node = await startAnvil(t), older = await startAnvil(t, 1600000000);
  const tool = openTool(t, { a: node.url, b: older.url });
  await tool.until(() => tool.events.includes("a:up") ? tool.events.includes("b:lied") : tool.events.includes("b:up") && tool.events.includes("a:lied"));
  const wrong = openTool(t, { a: node.url }, 1);
  await wrong.until(() => wrong.events.includes("a:lied"));
  assert.equal((await wrong.ask("eth_blockNumber")).code, "rpc_unavailable");
});
