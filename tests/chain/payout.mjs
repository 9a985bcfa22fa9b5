// payout.mjs — PALM and PayoutModule on anvil, and payout-tool (payout_tool.c) as an object, for the tests that drive it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import path from "node:path";
import { CHAIN, call } from "./node.mjs";

const BUILD = process.env.BUILD ?? "build", NPM = path.resolve(process.env.NPM || "build/npm", "contracts");
export const TOOL = path.resolve(BUILD, "asan-gcc/payout-tool"), GEN = path.resolve(BUILD, "gen/contracts/PayoutModule.json");
export const { AbiCoder, Interface, Wallet } = createRequire(NPM + "/")("ethers");
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const LIMIT = 10n ** 17n;

const artifact = (name) => JSON.parse(readFileSync(path.resolve(BUILD, `gen/contracts/${name}.json`), "utf8"));
async function mined(url, hash) {
  for (let i = 0; i < 1000; i++) {
    const receipt = await call(url, "eth_getTransactionReceipt", hash);
    if (receipt) { assert.equal(receipt.status, "0x1"); return receipt; }
    await sleep(10);
  }
  return assert.fail("it was never mined");
}

/** Deploys both by account 9, with account 1 as the treasury, 2 as the owner and 0, the tool's key, as the payer. */
export async function deploy(node) {
  const accounts = await call(node.url, "eth_accounts"), [payer, vault, owner] = accounts, deployer = accounts[9];
  const send = async (from, to, data) => mined(node.url, await call(node.url, "eth_sendTransaction", { from, to, data, gas: "0x5b8d80" }));
  const make = async (name, args) => {
    const { bytecode, constructor } = artifact(name);
    return (await send(deployer, undefined, bytecode + AbiCoder.defaultAbiCoder().encode(constructor.map((c) => c.type), args).slice(2))).contractAddress;
  };
  const palm = await make("PALM", [vault, accounts[3]]), module = await make("PayoutModule", [palm, vault, owner, payer, LIMIT]);
  const of = { palm: new Interface(artifact("PALM").abi), module: new Interface(artifact("PayoutModule").abi) }, at = { palm, module };
  const view = async (name, f, args = []) => of[name].decodeFunctionResult(f, await call(node.url, "eth_call", { to: at[name], data: of[name].encodeFunctionData(f, args) }, "latest"))[0];
  const act = (name, from, f, args = []) => send(from, at[name], of[name].encodeFunctionData(f, args));
  await act("palm", vault, "approve", [module, 2n ** 255n]);
  await call(node.url, "anvil_mine", "0xa");           // the deployment is final
  return { palm, module, vault, owner, payer, view, act, paid: async () => {
    const logs = await call(node.url, "eth_getLogs", { address: module, fromBlock: "0x0", toBlock: "latest", topics: [of.module.getEvent("Paid").topicHash] });
    return logs.map((log) => of.module.parseLog(log).args).map(({ id, to, amount }) => ({ id, to, amount }));
  } };
}

/** The tool on a data folder. */
export function open(t, data, node, chain, options = {}) {
  const args = [CHAIN, data, chain.palm, chain.module, chain.vault, ...Object.entries(options).map(([k, v]) => `${k}=${v}`), `a=${node.url}`];
  const child = spawn(TOOL, args.map(String), { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = [], halts = {};
  let ended = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (!line.startsWith("{\"") || line.startsWith("{\"t\"") || line.startsWith("{\"level\"")) return;
    const message = JSON.parse(line);
    if (message.halt) halts[message.halt] = message.code;
    else waiting.shift()?.(message);
  });
  const exit = new Promise((resolve) => child.on("exit", (code, signal) => { ended = true; for (const done of waiting.splice(0)) done({ error: "gone" }); resolve(code ?? signal); }));
  child.stdin.on("error", () => {});
  const say = (line) => new Promise((resolve) => { if (ended) { resolve({ error: "gone" }); return; } waiting.push(resolve); child.stdin.write(line + "\n"); });
  const tool = {
    halts, say, tell: (line) => child.stdin.write(line + "\n"),
    fund: (player, units) => say(`fund ${player} ${units}`),
    ask: async (player, units, to) => { const got = await say(`ask ${player} ${units} ${to}`); return got.row ?? got; },
    row: async (id) => (await say(`show ${id}`)).row,
    books: async () => (await say("books")).books,
    facts: async () => (await say("facts")).facts,
    until: async (what, seconds = 60) => {
      for (let i = 0; i < seconds * 20; i++) {
        if (await what()) return;
        await sleep(50);
      }
      assert.fail(`waited ${seconds} s for ${what}\n${JSON.stringify(await tool.facts())}`);
    },
    kill: async () => { child.kill("SIGKILL"); return exit; },
    quit: async () => { if (!ended) child.stdin.write("quit\n"); return exit; },
  };
  t.after(async () => { if (!ended) assert.equal(await tool.quit(), 0, "the tool ends without a leak"); });
  return tool;
}
