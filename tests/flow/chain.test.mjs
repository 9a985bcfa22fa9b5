// chain.test.mjs: the host and its chain: the development chain comes up behind the host and survives what is killed, its buttons do what they say, a configured
// chain is used as it was configured, and where there is none, or something is missing, the host says so and serves.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { launch } from "../page/browser.mjs";
import { BUILD, checks, startHost } from "./host.mjs";

const FROND = process.env.FROND ?? path.join(BUILD, "frond"), CONTRACTS = path.join(BUILD, "gen/contracts");
const { check, end } = checks();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const scratch = mkdtempSync(path.join(tmpdir(), "frond-chain-"));
const logs = [];

// ---- asking

async function rpc(url, method, ...params) {
  const answer = await (await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) })).json();
  if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}
const SELECTORS = Object.assign({}, ...["PALM", "BurnModule", "DepositFactory", "NFNT"].map((name) => JSON.parse(readFileSync(path.join(CONTRACTS, `${name}.json`), "utf8")).functions));
const word = (value) => (typeof value === "string" ? value.slice(2) : value.toString(16)).toLowerCase().padStart(64, "0");
const data = (signature, ...args) => SELECTORS[signature] + args.map(word).join("");
const read = (url, to, signature, ...args) => rpc(url, "eth_call", { to, data: data(signature, ...args) }, "latest");
const number = async (...ask) => BigInt(await read(...ask));
const address = async (...ask) => `0x${(await read(...ask)).slice(-40)}`;

function status(host) {
  const run = spawnSync(FROND, ["chain", "status", "--json", "--data", host.data], { encoding: "utf8" });
  return JSON.parse(run.stdout).result;
}
async function until(what, look, ms = 60000) {
  for (const stop = Date.now() + ms; ;) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < stop, `waited for ${what}`);
    await sleep(100);
  }
}
const ready = (host) => until("the chain", () => { const s = status(host); return s?.state === "ready" && s.signer?.state === "up" && Number(s.final) > 0 && s; });
const settled = (host) => until("final blocks", () => { const s = status(host); return s.state === "ready" && Number(s.block) - Number(s.final) === 3 && s.dev_chain.saved === s.block && s; });
const press = (host, button) => fetch(`${host.url}/v1/dev/chain/${button}`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
const alive = (pid) => { try { return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8")); } catch { return false; } };
const children = (pid, name) => readdirSync("/proc").filter((one) => /^\d+$/.test(one)).filter((one) => {
  try { return new RegExp(`^PPid:\\s+${pid}$`, "m").test(readFileSync(`/proc/${one}/status`, "utf8")) && readFileSync(`/proc/${one}/comm`, "utf8").trim() === name; } catch { return false; }
}).map(Number);
const start = async (options) => { const host = await startHost(options); logs.push(host.log); return host; };
const gone = (pid) => until(`process ${pid} to be gone`, () => !alive(pid), 10000);

// ---- the development chain

let host = await start({ chain: true }), up, files;
const send = (from, to, call) => rpc(up.dev_chain.rpc, "eth_sendTransaction", { from, to, data: call });
const mined = (hash) => until("a receipt", () => rpc(status(host).dev_chain.rpc, "eth_getTransactionReceipt", hash).catch(() => null));

await check("chain: the host serves before its chain is there, and the chain comes up behind it", async () => {
  assert.equal((await fetch(`${host.url}/healthz`)).status, 200);
  up = await ready(host);
  assert.equal(up.chain_id, "31337");
  assert.equal(up.nodes[0].state, "good");
  assert.deepEqual(up.troubles, []);
  assert.equal(children(host.child.pid, "anvil").length, 1);
  assert.equal(new URL(up.dev_chain.rpc).hostname, "127.0.0.1");
});

await check("chain: PALM is seeded as published, and the vault can pay test coins", async () => {
  const url = up.dev_chain.rpc, token = Object.fromEntries(up.contracts.tokens.map((one) => [one.asset, one]));
  const palm = token.PALM.address, E9 = 10n ** 9n, E18 = 10n ** 18n;
  files = JSON.parse(readFileSync(path.join(host.data, "chain/deployment.json"), "utf8"));
  assert.equal(await number(url, palm, "CAP()"), 100_000_000n * E9);
  assert.equal(await number(url, palm, "totalSupply()"), 77_500_000n * E9);
  assert.equal(await number(url, palm, "totalBurned()"), 22_500_000n * E9);
  assert.equal(await number(url, palm, "balanceOf(address)", up.vault), 10_000_000n * E9);
  assert.equal(await number(url, palm, "balanceOf(address)", files.accounts[0]), 62_500_000n * E9);      // 75M, less the later burn and the vault's
  assert.equal(await number(url, palm, "balanceOf(address)", files.accounts[3]), 5_000_000n * E9);
  assert.deepEqual(files.later_burn, { units: "2500000000000000", from: "liquidity", label: "source unstated" });
  for (const asset of ["NFNT", "GHUB"]) {
    assert.equal(token[asset].chain_decimals, 18);
    assert.equal(await number(url, token[asset].address, "balanceOf(address)", up.vault), 10_000_000n * E18);
  }
  assert.ok(await number(url, palm, "allowance(address,address)", up.vault, up.contracts.burn_module) > 2n ** 255n);
});
await check("chain: the module burns for the host's key alone, deposits go to the vault, the key can pay for gas", async () => {
  const url = up.dev_chain.rpc, { burn_module: module, deposit_factory: factory } = up.contracts;
  assert.equal(await address(url, module, "burner()"), up.key.address.toLowerCase());
  assert.equal(await address(url, module, "treasury()"), up.vault.toLowerCase());
  assert.equal(await address(url, factory, "treasury()"), up.vault.toLowerCase());
  assert.equal(await read(url, factory, "initCodeHash()"), files.forwarder_hash);
  assert.equal(up.key.ether, "1000");
});
await check("chain: an idle chain makes no blocks; one transaction is final after some", async () => {
  const before = await settled(host);
  await sleep(2500);
  assert.equal(status(host).block, before.block);
  const receipt = await mined(await send(files.accounts[0], files.accounts[4], "0x"));
  await until("it to be final", () => Number(status(host).final) >= Number(receipt.blockNumber), 30000);
  const after = await settled(host);
  assert.equal(Number(after.block), Number(receipt.blockNumber) + 3);
});
await check("chain: pages, metrics and people are told", async () => {
  const page = await (await fetch(`${host.url}/v1/chain`)).json(), now = status(host);
  assert.deepEqual([page.state, page.dev, page.chain_id, page.final, page.contracts], ["ready", true, "31337", now.final, now.contracts]);
  const token = readFileSync(path.join(host.data, "operator-token"), "utf8").trim();
  const metrics = await (await fetch(`${host.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text();
  for (const line of ["frond_chain_on 1", "frond_chain_ready 1", "frond_signer_up 1", 'frond_chain_node_good{node="dev"} 1', 'frond_txq_loaded{queue="1"} 1', "frond_chain_dev_up 1", "frond_chain_halts 0"]) assert.ok(metrics.includes(`\n${line}\n`) || metrics.startsWith(line), line);
  const text = spawnSync(FROND, ["chain", "status", "--data", host.data], { encoding: "utf8" }).stdout;
  for (const part of [/^state +ready$/m, /^key +0x[0-9a-fA-F]{40}, 1000 ether/m, /^signer +local, up/m, /^PALM +9 +0x/m]) assert.match(text, part);
});
await check("chain: pause and resume reach the transaction manager", async () => {
  assert.equal(spawnSync(FROND, ["chain", "pause", "--data", host.data]).status, 0);
  await until("the pause", () => { const s = status(host); return s.key.paused && s.troubles.some((one) => one.code === "paused"); }, 10000);
  assert.equal(spawnSync(FROND, ["chain", "resume", "--data", host.data]).status, 0);
  await until("its end", () => !status(host).key.paused && status(host).troubles.length === 0, 10000);
  assert.equal(spawnSync(FROND, ["chain", "forgive", "--data", host.data]).status, 0);
  const unknown = spawnSync(FROND, ["chain", "forgive", "nobody", "--json", "--data", host.data], { encoding: "utf8" });
  assert.deepEqual([unknown.status, JSON.parse(unknown.stdout).code], [1, "node_unknown"]);
});

await check("chain: kill -9 of the node loses nothing that was on disk, and no block that was final", async () => {
  const palm = up.contracts.tokens[0].address, url = up.dev_chain.rpc;
  await mined(await send(files.accounts[0], palm, data("transfer(address,uint256)", files.accounts[5], 12345n)));
  const before = await settled(host), final = await rpc(url, "eth_getBlockByNumber", `0x${Number(before.final).toString(16)}`, false);
  for (let i = 0; i < 3; i++) {
    const [pid] = children(host.child.pid, "anvil");
    process.kill(pid, "SIGKILL");
    await gone(pid);
    assert.equal((await fetch(`${host.url}/healthz`)).status, 200);
    await until("another node", () => { const s = status(host); return s.state === "ready" && s.dev_chain.pid && s.dev_chain.pid !== pid; });
  }
  const now = status(host);
  assert.ok(Number(now.block) >= Number(before.block));
  assert.equal(now.dev_chain.starts, 4);
  assert.equal((await rpc(now.dev_chain.rpc, "eth_getBlockByNumber", final.number, false)).hash, final.hash);
  assert.equal(await number(now.dev_chain.rpc, palm, "balanceOf(address)", files.accounts[5]), 12345n);
  assert.deepEqual(now.contracts, before.contracts);
  up = await settled(host);
});
await check("chain: a node that hangs is given up, and another one takes its place", async () => {
  const [pid] = children(host.child.pid, "anvil"), before = await settled(host);
  process.kill(pid, "SIGSTOP");
  const now = await until("another node", () => { const s = status(host); return s.state === "ready" && s.dev_chain.pid && s.dev_chain.pid !== pid && s; }, 90000);
  assert.ok(!alive(pid) && Number(now.block) >= Number(before.block));
  up = await settled(host);
});
await check("chain: kill -9 of the signer, and it comes back", async () => {
  const [pid] = children(host.child.pid, "frond-signer");
  process.kill(pid, "SIGKILL");
  await until("the trouble to be told", () => status(host).troubles.some((one) => one.code === "signer_lost"), 10000);
  const back = await until("another signer", () => { const s = status(host); return s.signer.state === "up" && s.signer.pid !== pid && s.troubles.length === 0 && s; });
  assert.equal(back.signer.starts, 2);
});

await check("chain: Mine makes a block, Reorg takes two back but none that was final, Kill kills", async () => {
  const before = await settled(host), url = before.dev_chain.rpc;
  assert.equal((await press(host, "mine")).status, 200);
  await until("a block", () => Number(status(host).block) > Number(before.block), 5000);
  await settled(host);
  const hash = await send(files.accounts[0], files.accounts[6], "0x"), receipt = await mined(hash);
  const final = await rpc(url, "eth_getBlockByNumber", `0x${Number(status(host).final).toString(16)}`, false);
  assert.equal((await press(host, "reorg")).status, 200);
  const other = await until("another block in its place", async () => { const b = await rpc(url, "eth_getBlockByNumber", receipt.blockNumber, false); return b && b.hash !== receipt.blockHash && b; }, 10000);
  assert.deepEqual(other.transactions, []);
  assert.equal(await rpc(url, "eth_getTransactionReceipt", hash), null);
  assert.equal((await rpc(url, "eth_getBlockByNumber", final.number, false)).hash, final.hash);
  const reorged = await settled(host), pid = reorged.dev_chain.pid;
  assert.equal((await press(host, "kill")).status, 200);
  await gone(pid);
  await until("another node", () => { const s = status(host); return s.state === "ready" && s.dev_chain.pid && s.dev_chain.pid !== pid; });
  assert.equal((await rpc(status(host).dev_chain.rpc, "eth_getBlockByNumber", other.number, false)).hash, other.hash, "the chain after the reorg is the one that was kept");
  assert.equal((await (await press(host, "melt")).json()).code, "not_found");
});

await check("chain: the development page shows it, and its buttons work by keyboard, in both languages, at 320 pixels and in the dark", async () => {
  const browser = await launch(), complaints = [], shots = path.join(BUILD, "test-shots");
  mkdirSync(shots, { recursive: true });
  const open = async (look) => {
    const context = await browser.newContext(look), page = await context.newPage();
    page.setDefaultTimeout(30000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(`${host.url}/app/dev/`);
    await page.locator("[data-testid=chain][data-state=ready]").waitFor();
    return page;
  };
  const page = await open({ viewport: { width: 1360, height: 900 }, locale: "en-US" }), block = (await settled(host)).block;
  await until("the newest block on the page", async () => (await page.getByTestId("chain-block").textContent()) === block, 10000);
  await page.getByTestId("chain-mine").focus();
  await page.keyboard.press("Enter");
  await until("the words", async () => /You mined a block\./.test(await page.getByTestId("log").textContent()), 10000);
  await until("the block", async () => Number(await page.getByTestId("chain-block").textContent()) > Number(block), 10000);
  const { pid } = (await settled(host)).dev_chain;
  await page.getByTestId("chain-kill").click();
  await until("a new node on the page", async () => /A new node holds the chain/.test(await page.getByTestId("log").textContent()), 20000);
  assert.ok(!alive(pid));
  await page.screenshot({ path: path.join(shots, "dev-chain-1360.png") });
  const small = await open({ viewport: { width: 320, height: 900 }, locale: "ko-KR", colorScheme: "dark" });
  assert.match(await small.getByTestId("chain").textContent(), /체인이 돌고 있어요.*노드 죽이기/s);
  assert.equal(await small.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing sticks out");
  await small.getByTestId("chain").screenshot({ path: path.join(shots, "dev-chain-ko-320.png") });
  await browser.close();
  assert.deepEqual(complaints, []);
});

await check("chain: kill -9 of the host takes the node along; the next host has the same chain", async () => {
  const before = await settled(host), [node] = children(host.child.pid, "anvil"), [signer] = children(host.child.pid, "frond-signer");
  await host.stop("SIGKILL");
  await gone(node);
  await gone(signer);
  host = await start({ chain: true, data: host.data });
  up = await ready(host);
  assert.deepEqual(up.contracts, before.contracts);
  assert.equal(up.key.address, before.key.address);
  assert.ok(Number(up.block) >= Number(before.block));
  assert.deepEqual(JSON.parse(readFileSync(path.join(host.data, "chain/deployment.json"), "utf8")), files);
});
await check("chain: a host that is told to stop leaves no node behind", async () => {
  await settled(host);
  const [node] = children(host.child.pid, "anvil"), before = status(host);
  assert.equal(await host.stop(), 0);
  assert.ok(!alive(node));
  host = await start({ chain: true, data: host.data });
  up = await ready(host);
  assert.deepEqual(up.contracts, before.contracts);
});

// ---- a chain that was configured: the same node, named as a provider's would be

const config = (name, change = {}) => {
  const chain = {
    id: "31337", genesis: files.genesis, endpoints: [{ name: "provider", url: `${up.dev_chain.rpc}/?key=SECRETKEY`, per_second: 50 }], final: 3, key: readFileSync(path.join(scratch, "address"), "utf8"), vault: up.vault,
    fees: { max_fee_gwei: "60", max_tip_gwei: "2", day_ether: "0.5" }, contracts: { tokens: [{ asset: "PALM", address: up.contracts.tokens[0].address, chain_decimals: 9 }], burn_module: up.contracts.burn_module }, ...change,
  };
  const file = path.join(scratch, `${name}.json`);
  writeFileSync(file, JSON.stringify({ chain, signer: { policy: "policy.json", tally: `${name}-tally`, keystores: ["key.json"], passphrase: "passphrase" } }), { mode: 0o600 });
  return file;
};
writeFileSync(path.join(scratch, "passphrase"), "PASSWORDOFTHEKEY\n", { mode: 0o600 });
const made = JSON.parse(execFileSync(FROND, ["key", "new", path.join(scratch, "key.json"), "--light", "--passphrase", path.join(scratch, "passphrase"), "--json"], { encoding: "utf8" }));
writeFileSync(path.join(scratch, "address"), made.result.address);
writeFileSync(path.join(scratch, "policy.json"), JSON.stringify({ chain_id: "31337", gas: { limit: "300000", max_fee: "200000000000", max_tip: "5000000000", day: "500000000000000000" } }), { mode: 0o600 });

await check("chain: a configured chain starts no node, is read through its provider, and says that its key has no ether", async () => {
  const other = await start({ chain: true, args: ["--config", config("one")] });
  const s = await until("the provider's chain", () => { const now = status(other); return now?.state === "ready" && now.signer?.state === "up" && now.troubles.length > 0 && now; });
  assert.deepEqual([s.troubles.map((one) => one.code), s.nodes[0].name, s.dev_chain, s.key.ether], [["funds"], "provider", undefined, "0"]);
  assert.equal(children(other.child.pid, "anvil").length, 0);
  assert.equal((await (await press(other, "mine")).json()).code, "chain_off");
  const pid = children(other.child.pid, "frond-signer")[0];
  assert.equal(await other.stop(), 0);
  assert.ok(!alive(pid));
  other.clean();
});
await check("chain: another genesis than the pinned one halts the node, and the host serves", async () => {
  const other = await start({ chain: true, args: ["--config", config("two", { genesis: `0x${"12".repeat(32)}` })] });
  const s = await until("the lie to be found", () => { const now = status(other); return now?.nodes?.[0].state === "halted" && now; });
  assert.notEqual(s.state, "ready");
  await until("the line", () => other.log.some((line) => /"event":"chain.node".*"is":"lied"/.test(line)), 5000);
  assert.equal((await fetch(`${other.url}/healthz`)).status, 200);
  await until("the trouble", () => status(other).troubles.some((one) => one.code === "nodes_down"), 20000);
  assert.equal(await other.stop(), 0);
  other.clean();
});
await check("chain: a signer that cannot start is told once, with what is wrong, and again when that changes", async () => {
  const file = config("three"), policy = path.join(scratch, "policy.json"), kept = readFileSync(policy);
  chmodSync(path.join(scratch, "passphrase"), 0o644);
  const other = await start({ chain: true, args: ["--config", file] });
  await until("the first reason", () => status(other)?.signer?.code === "file_open_to_others");
  chmodSync(path.join(scratch, "passphrase"), 0o600);
  writeFileSync(policy, "{}");
  await until("the second", () => status(other)?.signer?.code === "policy");
  writeFileSync(policy, kept);
  await until("the signer", () => status(other)?.signer?.state === "up");
  const told = () => other.log.filter((line) => line.includes('"of":"signer"')).map((line) => JSON.parse(line).code ?? JSON.parse(line).was);
  await until("all to be logged", () => told().length >= 3, 5000);
  assert.deepEqual(told(), ["file_open_to_others", "policy", "policy"]);
  assert.equal(await other.stop(), 0);
  other.clean();
});

// ---- without

await check("chain: --no-chain runs nothing of it and says so", async () => {
  const other = await start();
  const s = status(other), page = await (await fetch(`${other.url}/v1/chain`)).json();
  assert.deepEqual([s.state, page.state, page.contracts], ["off", "off", null]);
  assert.match(s.text, /--no-chain/);
  assert.equal(children(other.child.pid, "anvil").length, 0);
  const paused = spawnSync(FROND, ["chain", "pause", "--json", "--data", other.data], { encoding: "utf8" });
  assert.equal(JSON.parse(paused.stdout).code, "chain_off");
  assert.ok(!existsSync(path.join(other.data, "chain")));
  assert.equal(await other.stop(), 0);
  other.clean();
});
await check("chain: what is missing is said with what to type, and the chain comes up when it is there", async () => {
  const file = path.join(scratch, "late.json"), late = path.join(scratch, "late");
  mkdirSync(late);
  writeFileSync(file, JSON.stringify({ dev_chain: { contracts: "late", later_burn: "reserve" } }));
  const other = await start({ chain: true, args: ["--config", file] });
  await until("the reason", () => /late\/\.built is not there; type: make contracts/.test(status(other).text), 10000);
  assert.equal(status(other).state, "starting");
  for (const one of readdirSync(CONTRACTS).filter((name) => name !== ".built")) cpSync(path.join(CONTRACTS, one), path.join(late, one));
  writeFileSync(path.join(late, ".built"), "");
  const s = await ready(other), palm = s.contracts.tokens[0].address, { accounts, later_burn: burn } = JSON.parse(readFileSync(path.join(other.data, "chain/deployment.json"), "utf8"));
  assert.equal(burn.from, "reserve");
  assert.equal(await number(s.dev_chain.rpc, palm, "balanceOf(address)", accounts[3]), 2_500_000n * 10n ** 9n);
  assert.equal(await other.stop(), 0);

  // What the ledger remembers is not begun anew by itself.
  rmSync(path.join(other.data, "chain/state"));
  const lost = await start({ chain: true, data: other.data, args: ["--config", file] });
  await until("the reason", () => { const now = status(lost); return now.state === "down" && /state is gone/.test(now.text); }, 20000);
  assert.equal((await fetch(`${lost.url}/healthz`)).status, 200);
  assert.equal(await lost.stop(), 0);
  lost.clean();
});

await check("chain: no key, no passphrase and no provider's URL in anything that was logged; what is secret is readable to its owner alone", async () => {
  const passphrase = readFileSync(path.join(host.data, "chain/passphrase"), "utf8"), all = logs.flat().join("\n") + JSON.stringify(status(host));
  for (const secret of [passphrase, "PASSWORDOFTHEKEY", "SECRETKEY"]) assert.ok(!all.includes(secret));
  for (const name of ["key.json", "passphrase", "state", "deployment.json"]) assert.equal(statSync(path.join(host.data, "chain", name)).mode & 0o077, 0, name);
});

const [last] = children(host.child.pid, "anvil");
await host.stop();
await check("chain: nothing is left behind", async () => { await gone(last); });
host.clean();
rmSync(scratch, { recursive: true, force: true });
end();
