// onchain.mjs: the development chain of a host under test: what the host says of it, what its node says, and what `cast`, a program of other people, reads there.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { BUILD, ROOT } from "./host.mjs";

const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const CAST = process.env.CAST ?? path.resolve(ROOT, process.env.NPM || path.join(BUILD, "npm"), "contracts/node_modules/.bin/cast");
export const missing = existsSync(CAST) ? null : "cast is not there: make contracts";
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const contracts = () => execFileSync("make", ["-s", `BUILD=${process.env.BUILD ?? "build"}`, "contracts"], { cwd: ROOT, stdio: ["ignore", 2, 2] });

/** Waits until `look` finds something, and returns it. What it throws is thrown when the time is over. */
export async function until(what, look, ms = 60000) {
  for (const stop = Date.now() + ms; ;) {
    let found = null, error = null;
    try { found = await look(); } catch (thrown) { error = thrown; }
    if (found) return found;
    if (Date.now() > stop) throw new Error(`waited ${ms} ms for ${what}${error ? `: ${error.message}` : ""}`);
    await sleep(100);
  }
}

export async function rpc(url, method, ...params) {
  const answer = await (await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) })).json();
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

/** What a verb of frond answers; a refusal has `code`. */
export function frond(host, ...args) {
  const answer = JSON.parse(spawnSync(FROND, [...args, "--json", "--data", host.data], { encoding: "utf8", maxBuffer: 1 << 26 }).stdout || "null");
  return answer?.ok ? answer.result : { code: answer?.code ?? "no_answer" };
}
// Without a process for each look: what the host tells its development page is what `frond chain status` prints.
export const status = async (host) => (await (await fetch(`${host.url}/v1/dev/status`)).json()).chain;
export const ready = (host) => until("the chain", async () => { const s = await status(host); return s?.state === "ready" && s.signer?.state === "up" && Number(s.final) > 0 && s.troubles.length === 0 && s; });
export const press = (host, button) => fetch(`${host.url}/v1/dev/chain/${button}`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
export const alive = (pid) => { try { return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8")); } catch { return false; } };
export const children = (pid, name) => readdirSync("/proc").filter((one) => /^\d+$/.test(one)).filter((one) => {
  try { return new RegExp(`^PPid:\\s+${pid}$`, "m").test(readFileSync(`/proc/${one}/status`, "utf8")) && readFileSync(`/proc/${one}/comm`, "utf8").trim() === name; } catch { return false; }
}).map(Number);

// ---- cast

const run = promisify(execFile);
const cast = async (url, ...args) => (await run(CAST, [...args, "--rpc-url", url], { encoding: "utf8" })).stdout.trim();
const plain = (text) => text.replace(/ \[[^\]]*\]$/gm, "").trim();          // "1000000 [1e6]"
/** What a contract answers, one value a line. */
export const read = async (url, at, signature, ...args) => plain(await cast(url, "call", at, signature, ...args.map((one) => (Array.isArray(one) ? `[${one.join(",")}]` : String(one)))));
export const readNumber = async (...ask) => BigInt(await read(...ask));
export const readReceipt = async (url, hash) => JSON.parse(await cast(url, "receipt", hash, "--json"));
export const eventId = (signature) => plain(execFileSync(CAST, ["sig-event", signature], { encoding: "utf8" }));

/** PALM and the burn module as they stand now, read by cast. */
export async function supplyOnChain(host) {
  const s = await until("the node", async () => { const now = await status(host); return now.state === "ready" && now.dev_chain.rpc && now; });
  const url = s.dev_chain.rpc, palm = s.contracts.tokens.find((one) => one.asset === "PALM").address, module = s.contracts.burn_module;
  const [total, burned, byFrond, batches] = await Promise.all([readNumber(url, palm, "totalSupply()(uint256)"), readNumber(url, palm, "totalBurned()(uint256)"), readNumber(url, module, "totalBurned()(uint256)"), readNumber(url, module, "batchCount()(uint256)")]);
  return { url, palm, module, total, burned, byFrond, batches };
}
export const LAUNCHED = 77_500_000n * 10n ** 9n, BURNED_BEFORE = 22_500_000n * 10n ** 9n;

/** The chain's account of burns and the ledger's are one: in PALM, in the module, in chain:burned, in each batch. Nothing is on its way. */
export async function booksAgree(host) {
  const chain = await supplyOnChain(host), batches = [];
  const booked = frond(host, "ledger", "balance", "chain:burned").filter?.((one) => one.asset === "PALM") ?? [];
  for (let before; ;) {
    const page = frond(host, "burn", "list", "--limit", "100", ...(before ? ["--before", before.slice(1)] : [])).batches;
    batches.push(...page);
    if (page.length < 100) break;
    before = page.at(-1).batch;
  }
  const ledger = booked.length ? units(booked[0].free) : 0n, done = batches.filter((one) => one.state === "burned");
  assert.equal(chain.byFrond, ledger, "the module's total and chain:burned");
  assert.equal(chain.burned - BURNED_BEFORE, ledger, "PALM's total and chain:burned");
  assert.equal(chain.total, LAUNCHED - ledger, "what is left of PALM");
  assert.equal(done.reduce((sum, one) => sum + BigInt(one.units), 0n), ledger, "the batches and chain:burned");
  assert.equal(BigInt(done.length), chain.batches, "batches here and there");
  assert.equal(new Set(done.map((one) => one.id)).size, done.length, "each id once");
  return { ...chain, ledger, done };
}
/** Whole coins as people write them, in base units. */
export function units(text, decimals = 9) {
  const [whole, part = ""] = String(text).split(".");
  return BigInt(whole) * 10n ** BigInt(decimals) + BigInt(part.padEnd(decimals, "0") || 0) * (whole.startsWith("-") ? -1n : 1n);
}

// ---- what is given up

/** A plugin "giver" with a revenue of its own, taken from who approves it, that gives up any part of it: `take {amount}`, `give {amount, key}`. @returns {{config: string, remove: () => void}} */
export function giver() {
  const scratch = mkdtempSync(path.join(tmpdir(), "frond-giver-")), at = path.join(scratch, "plugins/giver"), config = path.join(scratch, "frond.json");
  const args = (properties) => ({ type: "object", required: Object.keys(properties), properties });
  mkdirSync(at, { recursive: true });
  writeFileSync(path.join(at, "plugin.json"), JSON.stringify({
    id: "giver", name: "Giver", version: "1.0.0", api: "2026-11-01", kind: "tool", grants: { ledger: { why: "takes coins", assets: ["PALM"] }, burn: { why: "gives them up" } }, splits: { all: { plugin: 10000 } },
    calls: { take: { args: args({ amount: { type: "integer" } }) }, give: { player: false, args: args({ amount: { type: "integer" }, key: { type: "string", maxLength: 20 } }) } },
  }));
  writeFileSync(path.join(at, "main.lua"), `local frond = require "frond"
return frond.plugin { calls = {
  take = function(ctx, args) return frond.ledger.charge { player = ctx.player.id, asset = "PALM", amount = args.amount, split = "all", key = "take" } end,
  give = function(ctx, args) return frond.burn.accrue { asset = "PALM", amount = args.amount, reason = "given " .. args.key, key = args.key } end,
} }
`);
  writeFileSync(config, JSON.stringify({ plugins: [path.join(ROOT, "games"), path.join(scratch, "plugins")], limits: { cpu_percent: 200, player_requests_per_second: 0, address_requests_per_second: 0 } }));
  return { config, remove: () => rmSync(scratch, { recursive: true, force: true }) };
}
/** Signs `player` in and gives the giver `amount` units of test coins. */
export async function fund(host, player, amount) {
  await player.signIn();
  frond(host, "ledger", "mint", player.player, String(amount / 10n ** 9n));
  assert.equal((await player.approve("giver", "PALM", amount)).status, 201);
  const taken = await player.http("POST", "/v1/call/giver/take", { amount: Number(amount) });
  assert.equal(taken.status, 200, JSON.stringify(taken.body));
}
