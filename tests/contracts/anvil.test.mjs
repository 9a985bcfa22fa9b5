// The contracts on a real node, as the host will use them, with three opinions on everything that is encoded: ethers', cast's and chain/'s.
// Starts anvil on a free port of 127.0.0.1 and stops it by its process id.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

process.chdir(new URL("../..", import.meta.url).pathname);
const BUILD = process.env.BUILD || "build", NPM = resolve(process.env.NPM || "build/npm", "contracts");
const bin = (name) => `${NPM}/node_modules/.bin/${name}`;
execFileSync("make", ["-s", `BUILD=${BUILD}`, "contracts-ready"], { stdio: ["ignore", 2, 2] });
const { AbiCoder, Interface, TypedDataEncoder, Wallet, concat, getCreate2Address, hexlify, keccak256, toBeHex } = createRequire(NPM + "/")("ethers");

const contracts = Object.fromEntries(readdirSync(`${BUILD}/gen/contracts`).filter((f) => f.endsWith(".json"))
  .map((f) => [f.slice(0, -5), JSON.parse(readFileSync(`${BUILD}/gen/contracts/${f}`, "utf8"))]));
const code = (name) => new Interface(contracts[name].abi);
const word = () => hexlify(randomBytes(32));
const below = (n) => Number(randomBytes(6).readUIntBE(0, 6) % n);

/** What chain/'s encoders answer to these questions, one line each. */
function ours(questions) {
  const out = execFileSync(`${BUILD}/test/contracts/encoders`, { input: questions.join("\n") + "\n", maxBuffer: 1 << 26 }).toString();
  const answers = out.trimEnd().split("\n");
  assert.equal(answers.length, questions.length);
  return answers;
}

// --- the node ----------------------------------------------------------------------------------------------------------
const at = {};
let node, url, account;

before(async () => {
  const noon = "1893499200";                // its clock starts far from midnight, where a day's limit begins anew
  node = spawn(bin("anvil"), ["--host", "127.0.0.1", "--port", "0", "--accounts", "10", "--timestamp", noon], { stdio: ["ignore", "pipe", "inherit"] });
  url = await new Promise((done, fail) => {
    node.on("exit", (status) => fail(new Error(`anvil ended (${status})`)));
    createInterface(node.stdout).on("line", (line) => {
      const found = /Listening on (127\.0\.0\.1:\d+)/.exec(line);
      if (found) done("http://" + found[1]);
    });
  });
  const [deployer, liquidity, reserve, treasury, admin, burner, stranger] = await rpc("eth_accounts");
  account = { deployer, liquidity, reserve, treasury, admin, burner, stranger };
});
after(() => node?.kill("SIGKILL"));

async function rpc(method, ...params) {
  const reply = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
  const { result, error } = await reply.json();
  if (error) throw Object.assign(new Error(error.message), { data: error.data });
  return result;
}
async function send(from, to, data, value = "0x0") {
  const hash = await rpc("eth_sendTransaction", { from, to, data, value });
  for (let tries = 0; tries < 1000; tries++) {                            // the answer comes before the block does
    const receipt = await rpc("eth_getTransactionReceipt", hash);
    if (!receipt) { await delay(10); continue; }
    assert.equal(receipt.status, "0x1");
    return receipt;
  }
  assert.fail("it was never mined");
}
const call = (name, from, f, args) => send(from, at[name], code(name).encodeFunctionData(f, args));
async function view(name, f, args = []) {
  const out = code(name).decodeFunctionResult(f, await rpc("eth_call", { to: at[name], data: code(name).encodeFunctionData(f, args) }, "latest"));
  return out.length === 1 ? out[0] : out;
}
/** What the contract says against this call: asked beforehand, as the host does. */
async function refusal(name, from, f, args) {
  const ask = { from, to: at[name], data: code(name).encodeFunctionData(f, args) };
  const error = await rpc("eth_call", ask, "latest").then(() => assert.fail("it would go through"), (e) => e);
  return code(name).parseError(error.data);
}
async function deploy(name, args) {
  const { bytecode, constructor } = contracts[name];
  const receipt = await send(account.deployer, undefined, concat([bytecode, AbiCoder.defaultAbiCoder().encode(constructor.map((c) => c.type), args)]));
  at[name] = receipt.contractAddress;
  return receipt;
}
/** What cast says: numbers come as "123 [1.23e2]". */
const cast = (...args) => execFileSync(bin("cast"), args, { env: { ...process.env, ETH_RPC_URL: url, NO_COLOR: "1" } }).toString().trim().replace(/ \[[^\]]*\]/g, "");
const castCall = (name, signature, ...args) => cast("call", at[name], signature, ...args);
const gas = (t, what, receipt) => t.diagnostic(`gas: ${what} ${Number(receipt.gasUsed).toLocaleString("en")}`);

// --- Merkle trees, a second time: the complete binary tree over sorted leaves, as OpenZeppelin's merkle-tree describes it --------------------
const accrual = (a) => AbiCoder.defaultAbiCoder().encode(["uint256", "uint256", "bytes32"], [a.no, a.amount, a.reason]);
const leafOf = (bytes) => keccak256(keccak256(bytes));
const pair = (a, b) => keccak256(concat(a < b ? [a, b] : [b, a]));
function tree(leaves) {
  const nodes = new Array(leaves.length - 1).concat([...leaves].sort().reverse());
  for (let i = leaves.length - 2; i >= 0; i--) nodes[i] = pair(nodes[2 * i + 1], nodes[2 * i + 2]);
  return nodes;
}
function proofOf(nodes, leaf) {
  const proof = [];
  for (let i = nodes.lastIndexOf(leaf); i > 0; i = (i - 1) >> 1) proof.push(nodes[i % 2 ? i + 1 : i - 1]);
  return proof;
}
const someAccruals = (count) => Array.from({ length: count }, (_, no) => ({ no: BigInt(no + 1), amount: BigInt(1 + below(1e9)), reason: word() }));

// --- tests -------------------------------------------------------------------------------------------------------------
test("selectors and event topics: the compiler, ethers and chain/abi agree", () => {
  const questions = [], wanted = [];
  for (const c of Object.values(contracts)) {
    for (const [signature, selector] of [...Object.entries(c.functions), ...Object.entries(c.errors)]) {
      questions.push("selector " + signature);
      wanted.push(selector);
    }
    for (const [signature, topic] of Object.entries(c.events)) {
      questions.push("topic " + signature);
      wanted.push(topic);
    }
  }
  assert.ok(wanted.length > 80);
  assert.deepEqual(ours(questions), wanted);
  assert.equal(cast("sig", "burn(bytes32,uint256,bytes32)"), contracts.BurnModule.functions["burn(bytes32,uint256,bytes32)"]);
  const burned = "BatchBurned(bytes32,bytes32,uint256,uint256)";
  assert.equal(cast("sig-event", burned), contracts.BurnModule.events[burned]);
});

test("everything is deployed, and the launch gave out what was published", async (t) => {
  const { liquidity, reserve, treasury, admin, burner } = account;
  const launch = await deploy("PALM", [liquidity, reserve]);
  gas(t, "PALM deployed", launch);
  gas(t, "BurnModule deployed", await deploy("BurnModule", [at.PALM, treasury, admin, burner, 10n ** 15n]));
  gas(t, "PayoutModule deployed", await deploy("PayoutModule", [at.PALM, treasury, admin, burner, 10n ** 15n]));
  gas(t, "DepositFactory deployed", await deploy("DepositFactory", [treasury]));
  await deploy("NFNT", []);
  await deploy("GHUB", []);
  const logs = launch.logs.map((log) => code("PALM").parseLog(log)).map((l) => [l.name, ...l.args.map(String)]);
  const zero = "0x" + "0".repeat(40), palm = cast("to-check-sum-address", at.PALM), check = (a) => cast("to-check-sum-address", a);
  assert.deepEqual(logs, [
    ["Transfer", zero, check(liquidity), "75000000000000000"], ["Transfer", zero, check(reserve), "5000000000000000"],
    ["Transfer", zero, palm, "20000000000000000"], ["Transfer", palm, zero, "20000000000000000"],
    ["Launched", check(liquidity), check(reserve), "20000000000000000"],
  ]);
  assert.equal(castCall("PALM", "CAP()(uint256)"), "100000000000000000");
  assert.equal(castCall("PALM", "totalSupply()(uint256)"), "80000000000000000");
  assert.equal(castCall("PALM", "totalBurned()(uint256)"), "20000000000000000");
  assert.equal(castCall("PALM", "decimals()(uint8)"), "9");
  assert.equal(castCall("NFNT", "decimals()(uint8)"), "18");
  assert.match(castCall("GHUB", "name()(string)"), /development/);
});

test("after the later burn 77,500,000 circulate", async () => {
  await call("PALM", account.reserve, "burn", [2_500_000n * 10n ** 9n]);
  assert.equal(castCall("PALM", "totalSupply()(uint256)"), "77500000000000000");
  assert.equal(castCall("PALM", "totalBurned()(uint256)"), "22500000000000000");
});

test("Merkle roots and proofs: ours, ethers' and chain/merkle's are the same", () => {
  for (const count of [1, 2, 3, 7, 64, 1000, ...Array.from({ length: 30 }, () => 1 + below(200))]) {
    const all = someAccruals(count), which = below(count), leaves = all.map((a) => leafOf(accrual(a))), nodes = tree(leaves);
    assert.equal(ours(["leaf " + accrual(all[which])])[0], leaves[which]);
    assert.deepEqual(ours([`proof ${which} ${leaves.join(" ")}`])[0].split(" "), [nodes[0], ...proofOf(nodes, leaves[which])]);
  }
});

test("a batch burns once, with calldata of chain/abi, and its accruals are proven on chain", async (t) => {
  await call("PALM", account.liquidity, "transfer", [account.treasury, 10n ** 15n]);
  await call("PALM", account.treasury, "approve", [at.BurnModule, 10n ** 14n]);
  const supply = BigInt(castCall("PALM", "totalSupply()(uint256)"));
  let gone = 0n;
  for (const count of [1, 1000]) {
    const all = someAccruals(count), leaves = all.map((a) => leafOf(accrual(a))), nodes = tree(leaves), id = word();
    const amount = all.reduce((sum, a) => sum + a.amount, 0n);
    const [data] = ours([`burn ${id} ${amount} ${nodes[0]}`]);
    assert.equal(data, code("BurnModule").encodeFunctionData("burn", [id, amount, nodes[0]]));
    assert.equal(data, cast("calldata", "burn(bytes32,uint256,bytes32)", id, String(amount), nodes[0]));
    const receipt = await send(account.burner, at.BurnModule, data);
    gas(t, `a batch of ${count}`, receipt);
    gone += amount;

    const [burned, transfer] = receipt.logs;
    const day = BigInt((await rpc("eth_getBlockByNumber", receipt.blockNumber, false)).timestamp) / 86400n;
    assert.deepEqual(burned.topics, [contracts.BurnModule.events["BatchBurned(bytes32,bytes32,uint256,uint256)"], id, nodes[0]]);
    assert.deepEqual(ours(["burned " + burned.data]), [`${amount} ${day}`]);
    assert.equal(code("PALM").parseLog(transfer).args.to, "0x" + "0".repeat(40));
    const batch = castCall("BurnModule", "batch(bytes32)((uint96,uint64,uint64,bytes32))", id);
    assert.match(batch, new RegExp(`^\\(${amount}, ${Number(receipt.blockNumber)}, \\d+, ${nodes[0]}\\)$`));

    for (let i = 0; i < Math.min(count, 25); i++) {
      const a = all[below(count)], proof = proofOf(nodes, leafOf(accrual(a)));
      assert.equal(await view("BurnModule", "provesAccrual", [id, a.no, a.amount, a.reason, proof]), true);
      assert.equal(await view("BurnModule", "provesAccrual", [id, a.no, a.amount + 1n, a.reason, proof]), false);
      assert.equal(await view("BurnModule", "provesAccrual", [word(), a.no, a.amount, a.reason, proof]), false);
    }
    const again = await refusal("BurnModule", account.burner, "burn", [id, amount, nodes[0]]);
    assert.deepEqual([again.name, ...again.args], ["AlreadyBurned", id, amount, nodes[0]]);
  }
  assert.equal(BigInt(castCall("PALM", "totalSupply()(uint256)")), supply - gone);
  assert.equal(BigInt(castCall("BurnModule", "totalBurned()(uint256)")), gone);
  assert.equal(BigInt(castCall("BurnModule", "burnedToday()(uint256)")), gone);
  assert.equal(BigInt(castCall("BurnModule", "leftToday()(uint256)")), 10n ** 15n - gone);
  assert.equal(castCall("BurnModule", "batchCount()(uint256)"), "2");
});

test("the operator stops burns, the host cannot; the limit of the day counts", async () => {
  const { admin, burner, stranger } = account, batch = (amount) => [word(), amount, word()];
  assert.equal((await refusal("BurnModule", burner, "pause", [])).name, "OwnableUnauthorizedAccount");
  assert.equal((await refusal("BurnModule", stranger, "burn", batch(1n))).name, "NotBurner");
  assert.equal((await refusal("BurnModule", admin, "burn", batch(1n))).name, "NotBurner");
  await call("BurnModule", admin, "pause", []);
  assert.equal((await refusal("BurnModule", burner, "burn", batch(1n))).name, "EnforcedPause");
  await call("BurnModule", admin, "unpause", []);
  const today = await view("BurnModule", "burnedToday");
  await call("BurnModule", admin, "setDayLimit", [today + 5n]);
  const over = await refusal("BurnModule", burner, "burn", batch(6n));
  assert.deepEqual([over.name, ...over.args], ["OverDayLimit", 6n, 5n]);
  await call("BurnModule", burner, "burn", batch(5n));
  await rpc("evm_increaseTime", 86400);
  await call("BurnModule", burner, "burn", batch(6n));
  assert.equal(await view("BurnModule", "burnedToday"), 6n);
});

test("payouts go once, with calldata of chain/abi; the same again is skipped, another is refused", async (t) => {
  const { burner, treasury, stranger } = account, start = BigInt(castCall("PayoutModule", "totalPaid()(uint256)"));
  await call("PALM", treasury, "approve", [at.PayoutModule, 10n ** 14n]);
  let sum = start;
  for (const count of [1, 2, 10, 64, 100]) {
    const ids = Array.from({ length: count }, word), to = ids.map(() => Wallet.createRandom().address), amounts = ids.map(() => BigInt(1 + below(1e6)));
    const [data] = ours([["pay", ...ids.flatMap((id, i) => [id, to[i], amounts[i]])].join(" ")]);
    assert.equal(data, code("PayoutModule").encodeFunctionData("pay", [ids, to, amounts]));
    const receipt = await send(burner, at.PayoutModule, data);
    gas(t, `a payout of ${count}`, receipt);
    const paid = receipt.logs.map((log) => code("PayoutModule").parseLog(log)).filter((l) => l?.name === "Paid");
    assert.deepEqual(paid.map((l) => [l.args.id, l.args.to, l.args.amount]), ids.map((id, i) => [id, to[i], amounts[i]]));
    for (let i = 0; i < Math.min(count, 5); i++) assert.equal(BigInt(castCall("PALM", "balanceOf(address)(uint256)", to[i])), amounts[i]);
    assert.match(castCall("PayoutModule", "payment(bytes32)((address,uint96,uint64))", ids[0]), new RegExp(`^\\(${to[0]}, ${amounts[0]}, ${Number(receipt.blockNumber)}\\)$`));
    const again = await send(burner, at.PayoutModule, data);
    gas(t, `the same ${count} again`, again);
    assert.equal(again.logs.length, 0);
    const otherwise = await refusal("PayoutModule", burner, "pay", [[ids[0]], [to[0]], [amounts[0] + 1n]]);
    assert.deepEqual([otherwise.name, ...otherwise.args], ["PaidOtherwise", ids[0], to[0], amounts[0]]);
    sum += amounts.reduce((all, one) => all + one, 0n);
  }
  assert.equal(BigInt(castCall("PayoutModule", "totalPaid()(uint256)")), sum);
  assert.equal((await refusal("PayoutModule", stranger, "pay", [[word()], [stranger], [1n]])).name, "NotPayer");
});

test("deposit addresses: CREATE2 by ethers, cast, chain/address and the factory", async () => {
  const hash = await view("DepositFactory", "initCodeHash"), factory = cast("to-check-sum-address", at.DepositFactory);
  const forwarder = (await view("DepositFactory", "implementation")).slice(2).toLowerCase();
  assert.equal(hash, keccak256(`0x3d602d80600a3d3981f3363d3d373d3d3d363d73${forwarder}5af43d82803e903d91602b57fd5bf3`));     // ERC-1167
  const salts = Array.from({ length: 1000 }, word);
  const wanted = salts.map((salt) => getCreate2Address(factory, salt, hash));
  assert.deepEqual(ours(salts.map((salt) => `create2 ${factory} ${salt} ${hash}`)), wanted);
  for (let i = 0; i < 50; i++) assert.equal(await view("DepositFactory", "addressOf", [salts[i]]), wanted[i]);
  for (let i = 0; i < 3; i++) assert.match(cast("create2", "--deployer", factory, "--salt", salts[i], "--init-code-hash", hash), new RegExp(wanted[i]));
});

test("two deposits are swept to the treasury, twice; ether by mistake too", async (t) => {
  const { liquidity, treasury, stranger } = account, salts = [word(), word()];
  const forwarders = await Promise.all(salts.map((salt) => view("DepositFactory", "addressOf", [salt])));
  const held = () => BigInt(castCall("PALM", "balanceOf(address)(uint256)", treasury));
  const before = held();
  for (const [round, what] of [[1n, "new"], [2n, "deployed"]]) {
    for (const [i, f] of forwarders.entries()) await call("PALM", liquidity, "transfer", [f, (BigInt(i) + 1n) * 700n * round]);
    const receipt = await call("DepositFactory", stranger, "sweep", [at.PALM, salts]);
    gas(t, `two forwarders swept, ${what}`, receipt);
    const swept = receipt.logs.map((log) => code("DepositFactory").parseLog(log)).filter((l) => l?.name === "Swept");
    assert.deepEqual(swept.map((l) => [l.args.salt, l.args.forwarder, l.args.amount, l.args.received]),
      salts.map((salt, i) => [salt, forwarders[i], (BigInt(i) + 1n) * 700n * round, (BigInt(i) + 1n) * 700n * round]));
  }
  assert.equal(held() - before, (700n + 1400n) * 3n);
  for (const f of forwarders) assert.equal(castCall("PALM", "balanceOf(address)(uint256)", f), "0");

  const salt = word(), early = await view("DepositFactory", "addressOf", [salt]), had = BigInt(cast("balance", treasury));
  await send(stranger, early, "0x", toBeHex(10n ** 18n));
  await call("DepositFactory", stranger, "sweepEther", [[salt]]);
  assert.equal(BigInt(cast("balance", treasury)) - had, 10n ** 18n);
  await assert.rejects(send(stranger, early, "0x", "0x1"));              // deployed now: it bounces
});

test("a permit's digest: ethers, chain/eip712 and the contract agree", async () => {
  const types = { Permit: [["address", "owner"], ["address", "spender"], ["uint256", "value"], ["uint256", "nonce"], ["uint256", "deadline"]].map(([type, name]) => ({ type, name })) };
  const domain = { name: "PALM", version: "1", chainId: Number(await rpc("eth_chainId")), verifyingContract: at.PALM };
  assert.equal(await view("PALM", "DOMAIN_SEPARATOR"), TypedDataEncoder.hashDomain(domain));
  const owner = Wallet.createRandom(), spender = account.stranger;
  const cases = Array.from({ length: 200 }, (_, i) => ({ owner: i ? hexlify(randomBytes(20)) : owner.address, spender, value: i ? BigInt(word()) : 77n, nonce: i ? BigInt(word()) : 0n, deadline: 2n ** 64n - 1n }));
  assert.deepEqual(ours(cases.map((c) => `permit PALM ${domain.chainId} ${at.PALM} ${c.owner} ${c.spender} ${c.value} ${c.nonce} ${c.deadline}`)), cases.map((c) => TypedDataEncoder.hash(domain, types, c)));
  const s = owner.signingKey.sign(TypedDataEncoder.hash(domain, types, cases[0]));
  await call("PALM", account.deployer, "permit", [owner.address, spender, 77n, cases[0].deadline, s.v, s.r, s.s]);
  assert.equal(castCall("PALM", "allowance(address,address)(uint256)", owner.address, spender), "77");
  assert.equal((await refusal("PALM", account.deployer, "permit", [owner.address, spender, 77n, cases[0].deadline, s.v, s.r, s.s])).name, "ERC2612InvalidSigner");
});

test("development tokens are minted by their deployer alone, and swept like PALM", async () => {
  const salt = word(), f = await view("DepositFactory", "addressOf", [salt]);
  await call("NFNT", account.deployer, "mint", [f, 5n * 10n ** 18n]);
  assert.equal((await refusal("NFNT", account.stranger, "mint", [f, 1n])).name, "NotMinter");
  await call("DepositFactory", account.stranger, "sweep", [at.NFNT, [salt]]);
  assert.equal(castCall("NFNT", "balanceOf(address)(uint256)", account.treasury), "5000000000000000000");
});

test("supply and burned make the cap, after everything", async () => {
  const [supply, burned] = [await view("PALM", "totalSupply"), await view("PALM", "totalBurned")];
  assert.equal(supply + burned, 10n ** 17n);
  assert.equal(burned, 22_500_000n * 10n ** 9n + await view("BurnModule", "totalBurned"));
});
