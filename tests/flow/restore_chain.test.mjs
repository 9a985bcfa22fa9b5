// restore_chain.test.mjs: an older copy of the data over a newer chain, on the real host: what the copy does not know halts money-out until an operator has looked, nothing is paid or burned a
// second time, and afterwards all goes on.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { checks } from "./host.mjs";
import { Money, PALM, Wallet, sleep, until } from "./money.mjs";
import { Player } from "./player.mjs";

const { check, end } = checks();
const scratch = mkdtempSync(path.join(tmpdir(), "frond-restore-")), backup = path.join(scratch, "backup"), data = path.join(scratch, "data");
const money = await Money.open(), first = money.host, own = Wallet.createRandom();
await money.open();
const ann = new Player(() => money.url, 1001, "Ann"), ben = new Player(() => money.url, 1002, "Ben");
const outcome = async () => ({ paid: (await money.paid()).map((one) => `${one.id} ${one.amount} ${one.tx}`), burned: (await money.burned()).map((one) => `${one.id} ${one.amount} ${one.tx}`) });
let waiting, unknown, address, before, known;

/** A duel that ends at once: its rake's share is to be burned. */
async function duel() {
  const { games } = (await ann.http("GET", "/v1/games")).body, stake = games.find((one) => one.id === "duel").modes[0].stakes.find((units) => units !== "0");
  const had = new Set(ann.matches.keys());
  for (const one of [ann, ben]) {
    await one.approve("duel", "PALM", stake);
    const found = await one.find({ game: "duel", mode: "classic", stake });
    assert.equal(found.ok, true, JSON.stringify(found));
  }
  const fresh = () => [...ann.matches.keys()].find((id) => !had.has(id));
  await ann.until(fresh, 20000, "a match");
  await ben.until(() => ben.matches.has(fresh()), 20000, "the match");
  assert.equal((await ben.ask("match.leave", { match: fresh() })).ok, true);
  await ann.until(() => ann.matches.get(fresh()).over, 20000, "its end");
}
const burnedBatches = (n) => until(`${n} batches burned`, async () => { const done = money.ordered("burn", "list").batches.filter((one) => one.state === "burned"); return done.length >= n && done; });

await check("restore: the copy knows one withdrawal that waits, and one burn that is pending", async () => {
  money.ordered("burn", "pause");                     // what is to be burned waits for us
  for (const one of [ann, ben]) { await one.signIn(); one.connect(); }
  await duel();
  address = (await money.deposits(ann.token)).address;
  const token = await money.outside(ann);
  assert.equal((await money.link(token, own)).status, 201);
  waiting = await money.withdraw(token, 40n * PALM, own.address, "waiting");
  assert.equal(waiting.status, 201, JSON.stringify(waiting));
  money.ordered("backup", backup, "--verify");
});

await check("restore: afterwards both happened, and a withdrawal, a deposit and a burn that it knows nothing of", async () => {
  const token = await money.outside(ann);
  await money.pay("PALM", address, 70n * PALM);
  await money.ended(token, waiting.id);
  money.ordered("burn", "run");
  money.ordered("burn", "resume");
  await burnedBatches(1);
  await duel();
  money.ordered("burn", "run");
  await burnedBatches(2);
  unknown = await money.withdraw(token, 30n * PALM, own.address, "unknown");
  await money.ended(token, unknown.id);
  await until("the credit", async () => (await money.deposits(token)).deposits.length === 1);
  await money.reconciled();
  money.audit();
  before = await outcome();
  assert.deepEqual([before.paid.length, before.burned.length], [2, 2]);
  assert.equal(await money.balance("PALM", own.address), 70n * PALM);
  for (const one of [ann, ben]) one.close();
  assert.equal(await money.host.stop(), 0);
});

await check("restore: the older copy finds all of it, halts with codes, pays and burns nothing, and books what it can", async () => {
  const { data: newer } = first;
  first.data = data;                                  // the place that the operator's commands are about
  money.ordered("restore", backup);
  cpSync(path.join(newer, "chain"), path.join(data, "chain"), { recursive: true });
  await money.start({ data });
  await until("what is unknown to be found", () => { const now = money.halts(); return ["payout_unknown", "burn_unknown_batch", "outflow_unknown", "txq_halted"].every((code) => now.includes(code)) && now; }, 30000);
  for (const one of [ann, ben]) await one.signIn();
  const token = await money.outside(ann);
  await money.ended(token, waiting.id);               // the chain shows it as paid: booked, though nothing may go out
  await until("the deposit to be credited again", async () => (await money.deposits(token)).deposits.length === 1);
  assert.equal((await money.deposits(token)).address, address);
  assert.equal((await money.withdraw(token, 10n * PALM, own.address, "now")).code, "money_out_halted");
  money.ordered("burn", "run");
  await sleep(4000);
  known = money.halts();
  assert.deepEqual(await outcome(), before, "nothing more than was done before");
  assert.equal(money.frond("chain", "reconcile").ok, false);
  assert.deepEqual(money.ordered("withdrawal", "unknown").map((one) => [one.code, one.mark]), [["payout_unknown", unknown.mark]]);
  money.audit();
});

await check("restore: an operator looks at each, and money goes out again; nothing happened twice", async () => {
  const batches = money.ordered("burn", "list").unknown;
  assert.ok(batches.length >= 1, JSON.stringify(batches));
  for (const { id } of batches) money.ordered("burn", "adopt", id);
  assert.equal(money.ordered("withdrawal", "adopt", "--operator", "eva").count, 1);
  money.ordered("chain", "forgive");
  money.frond("chain", "reconcile", "--accept");
  await money.reconciled();
  await burnedBatches(2);
  assert.deepEqual(await outcome(), before);
  money.audit();
  const lost = money.free("chain:lost");
  assert.ok(lost && BigInt(Math.round(Number(lost[0]) * 1e9)) < 0n, "what newer data paid shows: " + JSON.stringify(lost));
});

await check("restore: a new withdrawal and a new burn work, once", async () => {
  const token = await money.outside(ann), made = await money.withdraw(token, 20n * PALM, own.address, "new");
  assert.equal(made.status, 201, JSON.stringify(made));
  for (const one of [ann, ben]) { one.closed = false; one.matches.clear(); one.connect(); }
  await duel();
  money.ordered("burn", "resume");
  money.ordered("burn", "run");
  await money.ended(token, made.id);
  await burnedBatches(3);
  const after = await outcome();
  assert.deepEqual([after.paid.length, after.burned.length], [3, 3]);
  assert.equal(new Set(after.paid.map((one) => one.split(" ")[0])).size, 3, "no mark twice");
  assert.equal(await money.balance("PALM", own.address), 90n * PALM);
  assert.equal((await money.deposits(token)).deposits.length, 1);
  await money.reconciled();
  money.audit();
  for (const one of [ann, ben]) one.close();
  assert.equal(await money.close(), 0);
});
first.clean();
rmSync(scratch, { recursive: true, force: true });
end();
