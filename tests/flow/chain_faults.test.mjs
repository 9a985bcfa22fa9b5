// chain_faults.test.mjs: what goes wrong with a chain, one after the other, while a burn is on its way on the real host: the host serves, says what is wrong, and the burn ends once.
import assert from "node:assert/strict";
import { checks, startHost } from "./host.mjs";
import { alive, booksAgree, children, contracts, eventId, frond, fund, giver, missing, press, ready, rpc, sleep, status, until } from "./onchain.mjs";
import { Player, playDuel } from "./player.mjs";

const WAY_MS = 60000, GWEI = 10n ** 9n;
if (missing) { console.log(`ok chain_faults # SKIP ${missing}`); process.exit(0); }
contracts();
const { check, end } = checks(), { config, remove } = giver();
const [host, lied] = await Promise.all([startHost({ chain: true, args: ["--config", config] }), startHost({ chain: true, args: ["--config", config] })]);
const ann = new Player(() => host.url, 5001, "Ann"), ben = new Player(() => host.url, 5002, "Ben"), eve = new Player(() => lied.url, 5003, "Eve");
let count = 0, given = 0n;

async function give(player, amount) {
  const answer = await player.http("POST", "/v1/call/giver/give", { amount, key: `g${++count}` });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  if (player === ann) given += BigInt(amount);
  return answer.body.id;
}
const show = (id, on = host) => frond(on, "burn", "show", id);
const is = (id, state, on = host) => until(`${id} to be ${state}`, () => { const v = show(id, on); return v.state === state && v; }, WAY_MS);
// A burn that is signed and in no final block yet. "run" does not wait for company.
async function sent(amount) {
  const id = await give(ann, amount);
  await until("the order", () => frond(host, "burn", "run").code === undefined, 10000);
  await until("it to be sent", () => ["sent", "proving"].includes(show(id).state), WAY_MS);
  return id;
}
const troubled = (code, on = host) => until(`"${code}"`, async () => (await status(on)).troubles.find((one) => one.code === code), 20000);
const well = (on = host) => until("no trouble", async () => (await status(on)).troubles.length === 0, WAY_MS);
async function endedOnce(id) {
  const v = await is(id, "burned"), { url, contracts: { burn_module: module } } = await status(host).then((s) => ({ ...s, url: s.dev_chain.rpc }));
  const logs = await rpc(url, "eth_getLogs", { address: module, topics: [eventId("BatchBurned(bytes32,bytes32,uint256,uint256)"), v.burn.id], fromBlock: "0x0", toBlock: "latest" });
  assert.deepEqual(logs.map((log) => [log.topics[2], BigInt(`0x${log.data.slice(2, 66)}`)]), [[v.burn.root, BigInt(v.burn.amount)]]);
  assert.equal((await booksAgree(host)).ledger, given);
  return v;
}

await check("faults: (one host of two) a node that changes its chain id is found at its next check", async () => {
  await Promise.all([ready(host), ready(lied)]);
  await Promise.all([fund(host, ann, 100n * 10n ** 9n), fund(lied, eve, 100n * 10n ** 9n), ben.signIn()]);
  ann.connect();
  ben.connect();
  await rpc((await status(lied)).dev_chain.rpc, "anvil_setChainId", 5);        // looked at in the end: it may take a minute
});

await check("faults: a node that hangs for some seconds: the host serves and plays, and the burn goes on", async () => {
  const id = await sent(1_000_000_001), { pid } = (await status(host)).dev_chain;
  process.kill(pid, "SIGSTOP");
  try {
    const from = Date.now();
    for (const one of [ann, ben]) assert.equal((await one.find({ game: "duel", mode: "classic", stake: "0" })).ok, true);
    const matches = await Promise.all([ann, ben].map((one) => one.until(() => [...one.matches.values()].find((m) => !m.over), 20000, "a match")));
    await Promise.all([playDuel(ann, matches[0], Math.random, 5), playDuel(ben, matches[1], Math.random, 5)]);
    assert.equal(ann.ended.length, 1);
    for (let i = 0; i < 10 || Date.now() - from < 4000; i++) {
      const at = performance.now();
      assert.equal((await fetch(`${host.url}/healthz`)).status, 200);
      assert.ok(performance.now() - at < 2000);
      await sleep(100);
    }
    assert.notEqual(show(id).state, "burned");
  } finally { if (alive(pid)) process.kill(pid, "SIGCONT"); }
  await endedOnce(id);
  await well();
});

await check("faults: blocks are taken back while a burn is in one of them: it is burned once all the same", async () => {
  const id = await sent(1_000_000_002);
  const mined = await until("its block", async () => { const s = await status(host), v = show(id); return ["sent", "proving"].includes(v.state) && Number(s.block) > Number(s.final) && s.key.open === 1 && rpc(s.dev_chain.rpc, "eth_getBlockByNumber", "latest", true).then((b) => b.transactions.length > 0 && b); }, 20000);
  const answer = await press(host, "reorg");
  assert.equal(answer.status, 200, JSON.stringify(await answer.json()));
  const { url } = await status(host).then((s) => ({ url: s.dev_chain.rpc }));
  await until("the block to be another", async () => { const b = await rpc(url, "eth_getBlockByNumber", mined.number, false); return b && b.hash !== mined.hash; }, 10000);
  const v = await endedOnce(id);
  assert.ok(Number(v.burn.block) > Number(mined.number), "a later block than the one that is gone");
});

await check("faults: the signer is killed while a burn waits for it", async () => {
  assert.equal(frond(host, "burn", "pause").paused, true);
  const id = await give(ann, 1_000_000_003), { pid } = (await status(host)).signer;
  process.kill(pid, "SIGKILL");
  await troubled("signer_lost");
  frond(host, "burn", "resume");
  frond(host, "burn", "run");
  await endedOnce(id);
  const { signer } = await status(host);
  assert.ok(signer.state === "up" && signer.pid !== pid && !alive(pid));
  await well();
});

await check("faults: while payments are paused a burn is planned and waits, and status says why", async () => {
  assert.equal(frond(host, "chain", "pause").code, undefined);
  assert.match((await troubled("paused")).text, /frond chain resume/);
  const id = await give(ann, 1_000_000_004);
  frond(host, "burn", "run");
  await is(id, "batched");
  await sleep(2500);
  assert.equal(show(id).state, "batched");
  const s = await status(host);
  assert.deepEqual([s.key.paused, s.key.payments, s.key.open], [true, 1, 0]);
  assert.equal(frond(host, "chain", "resume").code, undefined);
  await endedOnce(id);
  await well();
});

await check("faults: gas above the cap: a burn waits for it to fall, and status says so", async () => {
  const { dev_chain: { rpc: url }, block } = await status(host);
  await rpc(url, "anvil_setNextBlockBaseFeePerGas", `0x${(400n * GWEI).toString(16)}`);
  assert.equal((await press(host, "mine")).status, 200);
  await until("the dear block", async () => { const b = await rpc(url, "eth_getBlockByNumber", "latest", false); return Number(b.number) > Number(block) && BigInt(b.baseFeePerGas) > 300n * GWEI; }, 10000);
  const id = await give(ann, 1_000_000_005);
  frond(host, "burn", "run");
  await troubled("fee_cap");
  await sleep(1500);
  assert.ok(["batched", "sent"].includes(show(id).state), "signed perhaps, by the fee of before; in no block");
  assert.equal((await status(host)).key.waits_for, "fee_cap");
  assert.deepEqual((await rpc(url, "eth_getBlockByNumber", "pending", false)).transactions, []);
  await endedOnce(id);                                                  // an empty block takes an eighth off, and the host makes them while somebody waits
  await well();
});

await check("faults: the node with another chain id is halted and said; when it has the right one again, `chain forgive` takes it back, and the burn goes through", async () => {
  const s = await until("the lie to be found", async () => { const now = await status(lied); return now.nodes[0].state === "halted" && now; }, 90000);
  assert.equal(s.nodes[0].name, "dev");
  await troubled("nodes_down", lied);
  assert.ok(lied.log.some((line) => /"event":"chain.node".*"is":"lied"/.test(line)));
  assert.equal((await fetch(`${lied.url}/healthz`)).status, 200);
  const id = await give(eve, 1_000_000_006);
  await sleep(7000);
  assert.ok(["pending", "batched"].includes(show(id, lied).state), "nothing is sent to who lies");
  await rpc(s.dev_chain.rpc, "anvil_setChainId", 31337);
  await sleep(1500);
  assert.equal((await status(lied)).nodes[0].state, "halted", "not by itself");
  assert.equal(frond(lied, "chain", "forgive", "dev").code, undefined);
  await is(id, "burned", lied);
  assert.equal((await booksAgree(lied)).ledger, 1_000_000_006n);
  await well(lied);
});

const nodes = [host, lied].flatMap((one) => children(one.child.pid, "anvil"));
for (const one of [ann, ben]) one.close();
await Promise.all([host.stop(), lied.stop()]);
await check("faults: nothing is left behind", () => until("the nodes to be gone", () => nodes.every((pid) => !alive(pid)), 10000));
for (const one of [host, lied]) one.clean();
remove();
end();
