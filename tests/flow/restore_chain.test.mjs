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
const money = await Money.open(), first = money.host, own = Wallet.createRandom(), other = Wallet.createRandom();
await money.open();
const ann = new Player(() => money.url, 1001, "Ann"), ben = new Player(() => money.url, 1002, "Ben");
const outcome = async () => ({ paid: (await money.paid()).map((one) => `${one.id} ${one.amount} ${one.tx}`), burned: (await money.burned()).map((one) => `${one.id} ${one.amount} ${one.tx}`) });
const still = async (why) => { await sleep(2500); assert.deepEqual(await outcome(), before, why); };
let batched, waiting, unknown, cem, address, before;

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

await check("restore: the copy knows a withdrawal in a batch and one that waits, and a burn in a batch; none is signed for", async () => {
  money.ordered("chain", "pause");
  for (const one of [ann, ben]) { await one.signIn(); one.connect(); }
  address = (await money.deposits(ann.token)).address;
  const token = await money.outside(ann);
  assert.equal((await money.link(token, own)).status, 201);
  batched = await money.withdraw(token, 25n * PALM, own.address, "batched");
  assert.equal(batched.status, 201, JSON.stringify(batched));
  await duel();
  await until("both batches", async () => (await money.withdrawal(token, batched.id)).state === "batched" && money.ordered("burn", "list").batches[0]?.state === "batched");
  waiting = await money.withdraw(token, 40n * PALM, other.address, "waiting");
  assert.equal(waiting.state, "asked", JSON.stringify(waiting));
  money.ordered("backup", backup, "--verify");
});

await check("restore: then all that happens, and a withdrawal, deposits and a burn that the copy knows nothing of", async () => {
  money.ordered("chain", "resume");
  const token = await money.outside(ann);
  cem = await money.player(1003, "Cem");
  cem.address = (await money.deposits(cem.token)).address;
  await money.pay("PALM", address, 70n * PALM);
  await money.pay("PALM", cem.address, 5n * PALM);
  unknown = await money.withdraw(token, 30n * PALM, own.address, "unknown");
  await duel();
  money.ordered("burn", "run");
  for (const { id } of [batched, waiting, unknown]) await money.ended(token, id);
  await burnedBatches(2);
  await until("the credits", async () => (await money.deposits(token)).deposits.length === 1 && (await money.deposits(cem.token)).deposits.length === 1);
  await money.reconciled();
  money.audit();
  before = await outcome();
  assert.deepEqual([before.paid.length, before.burned.length], [3, 2]);
  assert.deepEqual([await money.balance("PALM", own.address), await money.balance("PALM", other.address)], [55n * PALM, 40n * PALM]);
  for (const one of [ann, ben]) one.close();
  assert.equal(await money.host.stop(), 0);
});

await check("restore: the older copy finds all of it, halts with codes, pays and burns nothing, and books what it can", async () => {
  const { data: newer } = first;
  first.data = data;                                  // the place that the operator's commands are about
  money.ordered("restore", backup);
  cpSync(path.join(newer, "chain"), path.join(data, "chain"), { recursive: true });
  await money.start({ data });
  money.ordered("chain", "resume");                   // the copy was paused; it must not need that
  await until("what is unknown to be found", () => { const now = money.halts(); return ["payout_unknown", "burn_unknown_batch", "outflow_unknown", "txq_halted"].every((code) => now.includes(code)); }, 30000);
  for (const one of [ann, ben]) await one.signIn();
  cem = { address: cem.address, ...await money.player(1003, "Cem") };
  const token = await money.outside(ann);
  for (const { id } of [batched, waiting]) await money.ended(token, id);        // the chain shows them as paid: booked, though nothing may go out
  await burnedBatches(1);
  assert.equal((await money.deposits(token)).address, address);
  assert.equal((await money.deposits(cem.token)).address, cem.address, "what the copy never gave out is the same for the same person");
  await until("the deposits to be credited again", async () => (await money.deposits(token)).deposits.length === 1 && (await money.deposits(cem.token)).deposits.length === 1);
  assert.equal((await money.withdraw(token, 10n * PALM, own.address, "now")).code, "money_out_halted");
  await still("nothing more than was done before");
  assert.equal(money.frond("chain", "reconcile").ok, false);
  assert.deepEqual(money.ordered("withdrawal", "unknown").map((one) => [one.code, one.mark]), [["payout_unknown", unknown.mark]]);
  assert.deepEqual(money.ordered("burn", "list").unknown.map((one) => one.id), [before.burned[1].split(" ")[0]]);
  money.audit();
});

await check("restore: an operator looks at each, and money goes out again; nothing happened twice", async () => {
  money.ordered("chain", "forgive");
  await until("the nonces to be forgiven", () => !money.halts().includes("txq_halted"));
  await still("forgiven nonces move nothing");
  assert.deepEqual(money.halts(), ["burn_unknown_batch", "outflow_unknown", "payout_unknown"]);
  const adopted = money.ordered("burn", "adopt", money.ordered("burn", "list").unknown[0].id);
  assert.deepEqual([adopted.exact, adopted.accruals], [false, 0]);
  await until("burns to be known", () => !money.halts().includes("burn_unknown_batch"));
  assert.equal(money.ordered("withdrawal", "adopt", "--operator", "eva").adopted, 1);
  await money.reconciled();                           // what was adopted explains what left the vault
  await still("nor does what was adopted");
  const lost = money.free("chain:lost");
  assert.equal(Math.round(-Number(lost[0]) * 1e9), Number(30n * PALM) + Number(adopted.lost), "what newer data paid and burned shows");
  money.audit();

  await money.pay("PALM", other.address, 2n * PALM, money.up.vault);              // and its owner takes some out by hand
  await until("that to be seen", () => money.halts().includes("outflow_unknown"));
  assert.equal(money.frond("chain", "reconcile").ok, false);
  money.frond("chain", "reconcile", "--accept");
  await money.reconciled();
  await still("accepting moves nothing");
});

await check("restore: a new withdrawal and a new burn work, once", async () => {
  const token = await money.outside(ann), made = await money.withdraw(token, 20n * PALM, own.address, "new");
  assert.equal(made.status, 201, JSON.stringify(made));
  for (const one of [ann, ben]) { one.closed = false; one.matches.clear(); one.connect(); }
  await duel();
  money.ordered("burn", "run");
  await money.ended(token, made.id);
  await burnedBatches(3);
  const after = await outcome();
  assert.deepEqual([after.paid.length, after.burned.length], [4, 3]);
  assert.equal(new Set(after.paid.map((one) => one.split(" ")[0])).size, 4, "no mark twice");
  assert.equal(await money.balance("PALM", own.address), 75n * PALM);
  assert.equal((await money.deposits(token)).deposits.length, 1);
  await money.reconciled();
  money.audit();
  for (const one of [ann, ben]) one.close();
  assert.equal(await money.close(), 0);
});
first.clean();
rmSync(scratch, { recursive: true, force: true });
end();
