// money.mjs: a host with its development chain, for tests of coins that come in and go out: its players, its operator, and the chain beside it, asked without asking the host.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { BUILD, ROOT, startHost } from "./host.mjs";

const FROND = process.env.FROND ?? path.join(BUILD, "frond"), CONTRACTS = path.join(BUILD, "gen/contracts"), NPM = path.resolve(ROOT, process.env.NPM || "build/npm", "contracts");
execFileSync("make", ["-s", `BUILD=${process.env.BUILD ?? "build"}`, "contracts"], { cwd: ROOT, stdio: ["ignore", 2, 2] });
export const { Interface, Wallet } = createRequire(NPM + "/")("ethers");
export const PALM = 1000000000n, ONE18 = 10n ** 18n;        // a whole coin: in the ledger and PALM's contract; in NFNT's
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const of = Object.fromEntries(["PALM", "NFNT", "BurnModule", "PayoutModule"].map((name) => [name, new Interface(JSON.parse(readFileSync(path.join(CONTRACTS, `${name}.json`), "utf8")).abi)]));

export async function until(what, look, ms = 40000) {
  let seen;
  for (const stop = Date.now() + ms; ;) {
    try { seen = await look(); if (seen) return seen; } catch (error) { seen = error; }       // a host or node that is being killed
    if (Date.now() > stop) throw new Error(`waited ${ms} ms for ${what}; last seen: ${seen?.stack ?? JSON.stringify(seen)}`);
    await sleep(100);
  }
}
export const alive = (pid) => { try { return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8")); } catch { return false; } };
const children = (pid, name) => readdirSync("/proc").filter((one) => /^\d+$/.test(one)).filter((one) => {
  try { return new RegExp(`^PPid:\\s+${pid}$`, "m").test(readFileSync(`/proc/${one}/status`, "utf8")) && readFileSync(`/proc/${one}/comm`, "utf8").trim() === name; } catch { return false; }
}).map(Number);

/** A host that can be killed and started again on its data, and whose chain can be asked. */
export class Money {
  nodes = new Set();                                        // all that ever held the chain

  /** @param {object} [options] startHost's */
  static async open(options = {}) {
    const money = new Money();
    await money.start(options);
    money.files = JSON.parse(readFileSync(path.join(money.host.data, "chain/deployment.json"), "utf8"));
    return money;
  }
  async start(options = {}) {
    this.host = await startHost({ chain: true, ...options });
    await this.ready();
  }
  /** @param {string} [signal] how it is stopped before it starts again on the same data */
  async restart(signal = "SIGKILL") {
    await this.host.stop(signal);
    await this.start({ data: this.host.data });
  }
  /** kill -9 of the node; resolves when another one holds the chain. */
  async killNode() {
    const [pid] = children(this.host.child.pid, "anvil");
    process.kill(pid, "SIGKILL");
    await until("another node", () => { const s = this.status(); return s.state === "ready" && s.dev_chain.pid && s.dev_chain.pid !== pid; });
    await this.ready();
  }
  get url() { return this.host.url; }

  // ---- the operator

  /** @returns {{ok: boolean, result?: any, code?: string}} */
  frond(...args) {
    const run = spawnSync(FROND, [...args, "--json", "--data", this.host.data], { encoding: "utf8" });
    assert.ok(run.stdout, run.stderr);
    return JSON.parse(run.stdout);
  }
  ordered(...args) { const answer = this.frond(...args); assert.equal(answer.ok, true, `${args.join(" ")}: ${JSON.stringify(answer)}`); return answer.result; }
  status() { return this.frond("chain", "status").result; }
  halts() { const s = this.status(); return [...s.halted.map((one) => one.code), ...s.troubles.filter((one) => one.code === "txq_halted").map((one) => one.code)].sort(); }
  ready() {
    return until("the chain", () => {
      const s = this.status();
      if (s?.dev_chain?.pid) this.nodes.add(s.dev_chain.pid);
      this.up = s;
      return s?.state === "ready" && s.signer?.state === "up" && Number(s.final) > 0 && s;
    });
  }
  /** Money-out is open: all was compared. */
  open() { return until("money-out to be open", () => this.halts().length === 0 && this.frond("chain", "reconcile").result.known); }
  /** What the ledger says, and that it is whole. */
  audit() {
    const audit = this.ordered("ledger", "audit");
    assert.equal(audit.good, true, JSON.stringify(audit));
    return audit;
  }
  free(owner, asset = "PALM") { const found = this.ordered("ledger", "balance", owner).find((one) => one.asset === asset); return found ? [found.free, found.held] : null; }
  /** It agrees with the chain, and nothing halts. */
  reconciled() {
    return until("reconciliation", () => {
      const { ok, result } = this.frond("chain", "reconcile");
      return ok && result.known && result.halted === null && result.assets.every((one) => one.short === false) && this.halts().length === 0 && result;
    });
  }

  // ---- the chain, without the host

  async rpc(method, ...params) {
    const answer = await (await fetch(this.up.dev_chain.rpc, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) })).json();
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  }
  token(asset) { return this.up.contracts.tokens.find((one) => one.asset === asset); }
  async balance(asset, who) { const call = of.PALM.encodeFunctionData("balanceOf", [who]); return BigInt(await this.rpc("eth_call", { to: this.token(asset).address, data: call }, "latest")); }
  /** Done by an account of the node's own, in a block that is on disk: no kill takes it back. */
  async act(from, to, contract, name, args) {
    const hash = await this.rpc("eth_sendTransaction", { from, to, data: of[contract].encodeFunctionData(name, args) });
    const receipt = await until("a receipt", () => this.rpc("eth_getTransactionReceipt", hash));
    assert.equal(receipt.status, "0x1");
    await until("its block to be on disk", () => Number(this.status().dev_chain.saved) >= Number(receipt.blockNumber));
    return hash;
  }
  /** Somebody outside sends coins. @param {"PALM"|"NFNT"} asset */
  pay(asset, to, amount, from = this.files.accounts[0]) {
    return asset === "PALM" ? this.act(from, this.token(asset).address, "PALM", "transfer", [to, amount]) : this.act(this.files.accounts[0], this.token(asset).address, "NFNT", "mint", [to, amount]);
  }
  async events(contract, at, name) {
    const logs = await this.rpc("eth_getLogs", { address: at, fromBlock: "0x0", toBlock: "latest", topics: [of[contract].getEvent(name).topicHash] });
    return logs.map((log) => ({ ...of[contract].parseLog(log).args.toObject(), tx: log.transactionHash }));
  }
  /** All that was ever paid. */
  paid(asset = "PALM") { return this.events("PayoutModule", this.token(asset).payout, "Paid"); }
  burned() { return this.events("BurnModule", this.up.contracts.burn_module, "BatchBurned"); }

  // ---- players

  async ask(method, route, { token, body, headers = {} } = {}) {
    const reply = await fetch(this.url + route, { method, headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { "content-type": "application/json" }), ...headers }, body: body && JSON.stringify(body) });
    const text = await reply.text();
    return { status: reply.status, ...(text && JSON.parse(text)) };
  }
  async player(id, name) {
    const { init_data } = await this.ask("POST", "/v1/dev/launch", { body: { user: { id, first_name: name } } });
    const shell = await this.ask("POST", "/v1/session", { headers: { authorization: `tma ${init_data}` } });
    assert.equal(shell.scope, "shell", JSON.stringify(shell));
    return { id: shell.player.id, token: shell.token, name };
  }
  async begin(one) { const made = await this.ask("POST", "/v1/wallet/link/begin", { token: one.token }); assert.equal(made.status, 200, JSON.stringify(made)); return made; }
  /** The token of a session outside Telegram. */
  async outside(one) { const made = await this.ask("POST", "/v1/wallet/session", { body: { code: (await this.begin(one)).code } }); assert.equal(made.scope, "wallet", JSON.stringify(made)); return made.token; }
  async link(token, wallet, change = (m) => m) {
    const { message, ...rest } = await this.ask("POST", "/v1/wallet/links/message", { token, body: { address: wallet.address } });
    if (!message) return rest;
    return this.ask("POST", "/v1/wallet/links", { token, body: { message: change(message), signature: await wallet.signMessage(message) } });
  }
  deposits(token, asset = "PALM") { return this.ask("GET", `/v1/wallet/deposit?asset=${asset}`, { token }); }
  async has(token, asset = "PALM") { const { assets } = await this.ask("GET", "/v1/wallet", { token }); const one = assets.find((each) => each.asset === asset); return one ? [one.free, one.held] : ["0", "0"]; }
  withdraw(token, amount, to, key, asset = "PALM") { return this.ask("POST", "/v1/wallet/withdrawals", { token, body: { asset, amount: String(amount), to }, headers: { "idempotency-key": key } }); }
  withdrawal(token, id) { return this.ask("GET", `/v1/wallet/withdrawals/${id}`, { token }); }
  ended(token, id, state = "paid") { return until(`withdrawal ${id} to be ${state}`, async () => { const now = await this.withdrawal(token, id); return now.state === state && now; }, 60000); }

  /** Stops it, and looks that no node is left of all that there were. */
  async close() {
    const code = await this.host.stop();
    for (const pid of this.nodes) await until(`node ${pid} to be gone`, () => !alive(pid), 10000);
    return code;
  }
}
