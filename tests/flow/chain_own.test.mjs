// chain_own.test.mjs: host/treasury/OPERATING.md, done word for word: keys made, contracts deployed with cast, the two files as they stand there with addresses put in, the doctor, and
// then a host on a chain that it did not make: blocks come without it, "finalized" is the node's word, two nodes have to agree. A burn goes through it and back. In the end a backup that is
// older than a burn is put back, and what stands there under "Old data" is done.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";
import { contracts, eventId, frond, fund, giver, missing, read, readNumber, readReceipt, rpc, status, units, until } from "./onchain.mjs";
import { Player } from "./player.mjs";

if (missing) { console.log(`ok chain_own # SKIP ${missing}`); process.exit(0); }
contracts();
const FROND = process.env.FROND ?? path.join(BUILD, "frond"), BIN = path.resolve(ROOT, process.env.NPM || path.join(BUILD, "npm"), "contracts/node_modules/.bin");
const { check, end } = checks(), { config: plugins, remove } = giver(), scratch = mkdtempSync(path.join(tmpdir(), "frond-own-")), at = (name) => path.join(scratch, name);
const code = (name) => JSON.parse(readFileSync(path.join(BUILD, "gen/contracts", `${name}.json`), "utf8")).bytecode;
const run = (...args) => spawnSync(FROND, args, { encoding: "utf8" });

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address(), url = `http://127.0.0.1:${port}`;
await new Promise((resolve) => server.close(resolve));
const node = spawn(path.join(BIN, "anvil"), ["--port", port, "--block-time", "1", "--slots-in-an-epoch", "1", "--silent"], { stdio: "ignore" });
process.on("exit", () => node.kill("SIGKILL"));

let key, vault, owner, at0, made = {};
await check("own chain: the host's key, and contracts by cast, as the README has it", async () => {
  await until("the node", () => rpc(url, "eth_chainId"));
  const accounts = await rpc(url, "eth_accounts");
  [vault, owner] = accounts.slice(3);
  mkdirSync(at("keys"));
  writeFileSync(at("passphrase"), "a passphrase of this test\n", { mode: 0o600 });
  assert.equal(run("key", "new", at("keys/host.json"), "--light", "--passphrase", at("passphrase")).status, 0);
  const checked = JSON.parse(run("key", "check", at("keys/host.json"), "--passphrase", at("passphrase"), "--json").stdout);
  key = checked.result.address;
  const cast = (...args) => JSON.parse(execFileSync(path.join(BIN, "cast"), ["send", "--unlocked", "--rpc-url", url, "--json", ...args], { encoding: "utf8", maxBuffer: 1 << 26 }));
  const deploy = (name, constructor, ...args) => cast("--from", accounts[5], "--create", code(name), constructor, ...args);
  const first = deploy("PALM", "constructor(address,address)", vault, accounts[6]);
  at0 = String(Number(first.blockNumber));
  made.palm = first.contractAddress;
  made.burn = deploy("BurnModule", "constructor(address,address,address,address,uint256)", made.palm, vault, owner, key, String(10n ** 13n)).contractAddress;
  made.payout = deploy("PayoutModule", "constructor(address,address,address,address,uint256)", made.palm, vault, owner, key, String(10n ** 13n)).contractAddress;
  made.factory = deploy("DepositFactory", "constructor(address)", vault).contractAddress;
  for (const module of [made.burn, made.payout]) cast("--from", vault, made.palm, "approve(address,uint256)", module, String(10n ** 15n));
  cast("--from", accounts[7], key, "--value", "1ether");
  cast("--from", vault, made.palm, "burn(uint256)", String(2_500_000n * 10n ** 9n));
});

await check("own chain: both files are those of OPERATING.md, and the doctor finds nothing wrong", async () => {
  const blocks = [...readFileSync(path.join(ROOT, "host/treasury/OPERATING.md"), "utf8").matchAll(/^ {8}(\{[^]*?\})\n\n/gm)].map((one) => one[1]);
  assert.equal(blocks.length, 2, "policy and config");
  const genesis = (await rpc(url, "eth_getBlockByNumber", "0x0", false)).hash;
  const put = (text) => [["\"chain_id\": \"1\"", "\"chain_id\": \"31337\""], ["\"id\": \"1\"", "\"id\": \"31337\""], [/0xd4e5[0-9a-f]+/, genesis], ["https://..", url], ["https://..", `http://localhost:${port}`],
    ["\"/var/lib/frond-tally\"", `"${at("tally")}"`], [/"token": "PALM"/, `"token": "${made.palm}"`], [/"tokens": \["PALM"\]/, `"tokens": ["${made.palm}"]`], [/"address": "PALM"/, `"address": "${made.palm}"`],
    [/BURN_MODULE/, made.burn], [/PAYOUT_MODULE/, made.payout], [/FACTORY/, made.factory], [/"HOST"/, `"${key}"`], [/"VAULT"/, `"${vault}"`], [/"BLOCK"/g, `"${at0}"`]]
    .reduce((all, [from, to]) => all.replace(from, to), text);
  const [policy, config] = blocks.map((one) => JSON.parse(put(one)));
  assert.deepEqual((JSON.stringify([policy, config]).match(/"[A-Z_]+"/g) ?? []).filter((one) => one !== "\"PALM\""), [], "every word in capitals was put in");
  writeFileSync(at("policy.json"), JSON.stringify(policy));
  writeFileSync(at("frond.json"), JSON.stringify({ ...JSON.parse(readFileSync(plugins, "utf8")), ...config }), { mode: 0o600 });
  const said = run("doctor", "--config", at("frond.json"), "--dev", "--data", at("nothing"), "--quick").stdout;
  assert.match(said, /^ok +chain +31337 by 2 nodes/m);
  assert.doesNotMatch(said, /^fail/m);
});

let host, ann;
const look = (what, test) => until(what, async () => { const now = await status(host); return now?.state === "ready" && now.signer?.state === "up" && test(now) && now; })
  .catch(async (error) => { throw new Error(`${error.message}: ${JSON.stringify(await status(host))}`); });
const fine = (now) => now.halted.length === 0 && now.troubles.length === 0;
async function burn(amount, name) {
  const given = await ann.http("POST", "/v1/call/giver/give", { amount, key: name });
  assert.equal(given.status, 200, JSON.stringify(given.body));
  await until("the order", () => frond(host, "burn", "run").code === undefined, 10000);
  return until("the burn", () => { const now = frond(host, "burn", "show", given.body.id); return now.state === "burned" && now; }, 90000);
}
await check("own chain: the host notices what the vault did by itself, goes on when that is accepted, and a burn goes through two nodes that agree to the module and back", async () => {
  host = await startHost({ chain: true, args: ["--config", at("frond.json")] });
  await look("the vault's own burn to be noticed", (now) => now.halted.some((one) => one.code === "outflow_unknown"));
  assert.equal(frond(host, "chain", "reconcile", "--accept").code, undefined);
  const s = await look("the chain", fine);
  assert.deepEqual([s.nodes.map((one) => one.state), s.key.address, s.key.ether, s.dev_chain], [["good", "good"], key, "1", undefined]);
  ann = new Player(() => host.url, 6001, "Ann");
  await fund(host, ann, 100n * 10n ** 9n);
  const v = await burn(2_000_000_001, "one");
  assert.equal(await read(url, made.burn, "provesAccrual(bytes32,uint256,uint256,bytes32,bytes32[])(bool)", v.burn.id, v.leaf.accrual, v.leaf.amount, v.leaf.reason, v.proof), "true");
  const receipt = await readReceipt(url, v.burn.tx);
  assert.equal(receipt.from.toLowerCase(), key.toLowerCase());
  assert.ok(receipt.logs.some((log) => log.topics[0] === eventId("BatchBurned(bytes32,bytes32,uint256,uint256)") && log.topics[1] === v.burn.id));
  assert.equal(await readNumber(url, made.palm, "totalSupply()(uint256)"), 77_500_000n * 10n ** 9n - 2_000_000_001n);
  assert.equal(frond(host, "burn", "verify", "b1").good, true);
});
await check("own chain: what is owed is there, the supply agrees, no halt", async () => {
  const supply = await until("the supply", async () => { const now = await (await fetch(`${host.url}/v1/supply`)).json(); return now.chain?.burned_by_frond === "2000000001" && now; }, 60000);
  assert.deepEqual([supply.chain.agrees, supply.chain.not_booked_yet], [true, "0"]);
  const compared = await until("the comparison", () => { const now = frond(host, "chain", "reconcile"); return now.code === undefined && now; }, 60000);
  assert.equal(compared.halted, null);
  assert.deepEqual((await status(host)).halted, []);
});

await check("own chain: a backup from before a burn is put back: money-out halts, and goes on when the operator has done what OPERATING.md says", async () => {
  const backup = run("backup", at("old"), "--data", host.data), v = await burn(3_000_000_001, "two");
  assert.equal(backup.status, 0, backup.stderr);
  await look("nothing to be under way", (now) => now.key.payments === 0);
  await host.stop();
  const restored = run("restore", at("old"), "--data", host.data, "--force");
  assert.equal(restored.status, 0, restored.stderr);
  host = await startHost({ chain: true, data: host.data, args: ["--config", at("frond.json")] });
  await look("the unknown burn", (now) => now.halted.some((one) => one.code === "burn_unknown_batch"));
  assert.ok(frond(host, "burn", "run").code, "there is nothing to run, and nothing would be");
  const { unknown } = frond(host, "burn", "list");
  assert.deepEqual(unknown.map((one) => [one.id, one.amount]), [[v.burn.id, "3000000001"]]);
  assert.equal(frond(host, "burn", "adopt", unknown[0].id).code, undefined);
  // What is found takes its looks at the chain, in no fixed order: the operator answers each halt as it comes.
  const answers = { txq_halted: ["chain", "forgive"], outflow_unknown: ["chain", "reconcile", "--accept"] }, given = [], adopted = Number((await status(host)).final);
  await look("money to go out again", (now) => {
    for (const { code } of [...now.halted, ...now.troubles]) {
      if (!answers[code] || given.includes(code)) continue;
      assert.equal(frond(host, ...answers[code]).code, undefined);
      given.push(code);
    }
    return fine(now) && Number(now.reconcile.block) > adopted;      // compared since: nothing more comes of it
  });
  console.log(`# after the adoption: ${given.join(" ") || "nothing more"}`);
  assert.equal(units(frond(host, "ledger", "balance", "chain:lost")[0].free), -3_000_000_001n);
  await ann.signIn();
  await burn(4_000_000_001, "three");
  const books = await until("the supply", async () => { const now = await (await fetch(`${host.url}/v1/supply`)).json(); return now.chain?.burned_by_frond === "9000000003" && now; }, 60000);
  assert.deepEqual([books.chain.agrees, books.chain.not_booked_yet, books.frond.burned, books.frond.unattributed_after_restore], [true, "0", "9000000003", "3000000001"]);
  assert.equal(frond(host, "ledger", "audit").good, true);
});

if (host) await host.stop();
if (host) for (const one of readdirSync(path.dirname(host.data)).filter((name) => name.startsWith(`${path.basename(host.data)}.before-`))) rmSync(path.join(path.dirname(host.data), one), { recursive: true, force: true });
host?.clean();
node.kill("SIGKILL");
remove();
rmSync(scratch, { recursive: true, force: true });
end();
