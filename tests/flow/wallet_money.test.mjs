// wallet_money.test.mjs: coins come in and go out on the real host, over its development chain, while host and node are killed: each is credited once, paid once, and the books agree with the chain.
import assert from "node:assert/strict";
import { checks } from "./host.mjs";
import { Money, PALM, Wallet, until } from "./money.mjs";

const { check, end } = checks();
const money = await Money.open(), own = Wallet.createRandom(), other = Wallet.createRandom();
await money.open();
const ann = await money.player(1001, "Ann"), THOUSAND = 1000n * PALM;      // what the development host gives
let token, address, paid = 0n;

await check("money: a deposit is credited once, and again after kills of the host and of the node", async () => {
  ({ address } = await money.deposits(ann.token));
  await money.pay("PALM", address, 700n * PALM);
  await money.restart();                              // between the transfer and its credit
  await until("the credit", async () => (await money.has(ann.token))[0] === String(THOUSAND + 700n * PALM));
  await money.killNode();
  await money.restart();
  const { deposits, pending, address: again } = await money.deposits(ann.token);
  assert.deepEqual([deposits.map((one) => [one.amount, one.state]), pending, again], [[[String(700n * PALM), "credited"]], [], address]);
  assert.deepEqual(await money.has(ann.token), [String(THOUSAND + 700n * PALM), "0"]);
  assert.deepEqual(money.ordered("deposit", "show", address).deposits.length, 1);
});

await check("money: part of it is withdrawn to a linked wallet and arrives once, whenever the host is killed", async () => {
  await money.open();
  token = await money.outside(ann);
  assert.equal((await money.link(token, own)).status, 201);
  const made = await money.withdraw(token, 300n * PALM, own.address, "first");
  assert.deepEqual([made.status, made.state], [201, "asked"]);
  assert.deepEqual(await money.has(token), [String(1400n * PALM), String(300n * PALM)]);
  await money.restart();                              // while it waits
  assert.equal((await money.withdraw(token, 300n * PALM, own.address, "first")).id, made.id, "asked again with the same key, it is the same");
  await until("the batch", async () => !["asked", "waiting"].includes((await money.withdrawal(token, made.id)).state));
  await money.restart();                              // while it is paid
  const now = await money.ended(token, made.id);
  assert.match(now.tx, /^0x[0-9a-f]{64}$/);
  await money.restart();
  await money.open();
  paid += 300n * PALM;
  assert.deepEqual(await money.has(token), [String(1400n * PALM), "0"]);
  assert.equal(await money.balance("PALM", own.address), paid);
  assert.deepEqual((await money.paid()).map((one) => [one.id, one.to, one.amount, one.tx]), [[made.mark, own.address, 300n * PALM, now.tx]]);
});

await check("money: a large one waits for two operators with different names", async () => {
  const made = await money.withdraw(token, 500n * PALM, own.address, "large");
  assert.deepEqual(made.approvals, { needed: 2, given: 0 }, JSON.stringify(made));
  const small = await money.withdraw(token, 499n * PALM, own.address, "small");
  assert.equal(money.frond("withdrawal", "approve", small.id, "--operator", "eva").code, "approval_not_needed");
  assert.equal(money.ordered("withdrawal", "approve", made.id, "--operator", "eva").approvals.given, 1);
  assert.equal(money.frond("withdrawal", "approve", made.id, "--operator", "EVA").code, "approved_already");
  await money.ended(token, small.id);                 // its batch goes without the large one
  assert.equal((await money.withdrawal(token, made.id)).state, "asked");
  await money.restart();
  assert.equal(money.ordered("withdrawal", "approve", made.id, "--operator", "max").approvals.given, 2);
  await money.ended(token, made.id);
  paid += 999n * PALM;
  assert.equal(await money.balance("PALM", own.address), paid);
  assert.equal((await money.paid()).length, 3);
});

await check("money: taken back while it waits, it comes back and is never paid", async () => {
  const before = await money.has(token), made = await money.withdraw(token, 50n * PALM, other.address, "back");
  assert.equal(made.status, 201, JSON.stringify(made));
  assert.equal((await money.ask("DELETE", `/v1/wallet/withdrawals/${made.id}`, { token })).status, 202);
  await money.restart();
  await money.ended(token, made.id, "returned");
  assert.deepEqual(await money.has(token), before);
  assert.equal((await money.ask("DELETE", `/v1/wallet/withdrawals/${made.id}`, { token })).code, "withdrawal_ended");
  assert.equal(await money.balance("PALM", other.address), 0n);
});

await check("money: at the end ledger and chain are equal, nothing halts, the audit is clean, no node is left", async () => {
  const { assets, unexplained } = await money.reconciled(), palm = assets.find((one) => one.asset === "PALM");
  assert.deepEqual([unexplained, palm.in_flight, palm.short], [0, "0", false]);
  const owed = BigInt(palm.liabilities.replace(".", "")) * PALM, have = await money.balance("PALM", money.up.vault) + await money.balance("PALM", address);
  assert.equal(palm.liabilities, "401", "1,000 given, 700 came, 1,299 went");
  assert.equal(have, 10_000_000n * PALM + 700n * PALM - paid);
  assert.equal(BigInt(palm.difference.split(".")[0]) * PALM, have - owed, "what it says lies there is what lies there");
  assert.deepEqual(money.free("player:" + ann.id), ["401", "0"]);
  money.audit();
  assert.equal((await money.paid()).length, 3);
  assert.equal(await money.close(), 0);
});
money.host.clean();
end();
