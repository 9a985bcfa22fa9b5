// burns_kills.test.mjs: a plugin gives up coins some 50 times a second while its host, the host's node and the signer are killed at random moments. What was given up is burned on chain
// once: the burn module, PALM, the ledger, the batches and the plugin's own count are one number.
//
// BURN_HOST_KILLS=4: so many kills of the host, and half as many of the node. BURN_HOST_S=300: as many as fit into so long, instead. SEED=n: the same moments again.
import assert from "node:assert/strict";
import { checks, startHost } from "./host.mjs";
import { alive, booksAgree, children, contracts, eventId, frond, fund, giver, missing, ready, rpc, sleep, status, until } from "./onchain.mjs";
import { Player } from "./player.mjs";

const SECONDS = Number(process.env.BURN_HOST_S ?? 0), KILLS = SECONDS ? Infinity : Number(process.env.BURN_HOST_KILLS ?? 4), EACH_MS = 20, FUND = 10n ** 15n, WORLD_MS = 90000;
if (missing) { console.log(`ok burns_kills # SKIP ${missing}`); process.exit(0); }
contracts();
let seed = Number(process.env.SEED ?? Date.now() % 1e9);
console.log(`# seed ${seed}`);
const random = () => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed / 0x7fffffff; };
process.setMaxListeners(1000);

const { config, remove } = giver();
const { check, end } = checks();
const start = (more) => startHost({ chain: true, args: ["--config", config], ...more });
let host = await start(), up = true;
const { data } = host, listen = new URL(host.url).host;
const ann = new Player(() => host.url, 4001, "Ann"), given = new Map();
let stopping = false, sent = 0, again = 0, refused = null, hostKills = 0, nodeKills = 0, signerKills = 0;

// Each is asked for until it is answered, under the same key: who was killed in the middle may have done it.
async function give(key, amount) {
  for (let tries = 0; ; tries++) {
    if (tries) { again++; await sleep(50 + 100 * random()); }
    if (!up) continue;
    const answer = await ann.http("POST", "/v1/call/giver/give", { amount, key }).catch(() => null);
    if (answer?.status === 200) { given.set(key, { id: answer.body.id, amount: BigInt(amount) }); return; }
    if (answer && ![429, 502, 503, 504].includes(answer.status) && !["plugin_starting", "worker_gone", "timeout"].includes(answer.body?.code)) { refused ??= `${answer.status} ${JSON.stringify(answer.body)}`; return; }
  }
}
const load = [];
async function pour() {
  for (let next = performance.now(); !stopping; next += EACH_MS) {
    await sleep(Math.max(0, next - performance.now()));
    if (performance.now() - next > 1000) next = performance.now();         // what could not be sent in time is not made up for
    if (up) load.push(give(`g${++sent}`, 1 + Math.floor(random() * 2e9)));
  }
}
async function killHost() {
  const [node] = children(host.child.pid, "anvil");
  up = false;
  await host.stop("SIGKILL");
  hostKills++;
  if (node) await until("the node to go with its host", () => !alive(node), 10000);
  host = await start({ data, listen });
  up = true;
}
function killChild(name) {
  const [pid] = children(host.child.pid, name);
  if (pid) process.kill(pid, "SIGKILL");
  return pid ? 1 : 0;
}

let took;
await check(`burns: given up at 50 a second through ${SECONDS ? `${SECONDS} s of kills` : `${KILLS} kills of the host`}`, async () => {
  await ready(host);
  await fund(host, ann, FUND);
  const from = Date.now(), pouring = pour();
  while (hostKills < KILLS && (!SECONDS || Date.now() - from < SECONDS * 1000) && !refused) {
    await sleep(300 + random() * (random() < 0.3 ? 9000 : 3000));        // some long enough for a burn to come through
    const dice = random();
    if (dice < 0.3) nodeKills += killChild("anvil");
    else if (dice < 0.4) signerKills += killChild("frond-signer");
    else await killHost();
  }
  if (!nodeKills) await until("a node to kill", () => killChild("anvil") && ++nodeKills);
  await sleep(1000);
  stopping = true;
  await pouring;
  await Promise.all(load);
  took = (Date.now() - from) / 1000;
  assert.equal(refused, null);
  assert.equal(given.size, sent);
  assert.equal(new Set([...given.values()].map((one) => one.id)).size, sent, "each key is an accrual of its own");
});

await check("burns: all that was given up is burned, and nothing is on its way", async () => {
  await until("quiet", async () => {
    const list = frond(host, "burn", "list");
    return list.pending?.every((one) => one.pending === "0" && one.in_batches === "0") && list.batches.every((one) => ["burned", "returned"].includes(one.state)) && list.facts?.halted === null && list;
  }, WORLD_MS).catch((error) => { throw new Error(`${error.message}: ${JSON.stringify(frond(host, "burn", "list"))} ${JSON.stringify(frond(host, "chain", "status").troubles)}`); });
});

await check("burns: chain, ledger, batches and the plugin's count are the same number, to the unit", async () => {
  const books = await booksAgree(host), sum = [...given.values()].reduce((all, one) => all + one.amount, 0n);
  assert.equal(books.ledger, sum);
  const topic = eventId("BatchBurned(bytes32,bytes32,uint256,uint256)");
  const logs = await rpc(books.url, "eth_getLogs", { address: books.module, topics: [topic], fromBlock: "0x0", toBlock: "latest" });
  assert.deepEqual(logs.map((log) => [log.topics[1], BigInt(`0x${log.data.slice(2, 66)}`)]).sort(), books.done.map((one) => [one.id, BigInt(one.amount)]).sort());
  console.log(`# ${took.toFixed(0)} s, ${hostKills} kills of the host, ${nodeKills} of the node, ${signerKills} of the signer; ${sent} accruals (${(sent / took).toFixed(0)} a second, kills included), ${again} asked again; ${books.ledger} units in ${books.done.length} batches, ${books.done.reduce((n, one) => n + one.payments, 0)} payments`);
  assert.ok(hostKills >= Math.min(KILLS, 1) && nodeKills && books.done.length > 1, "too little happened");
});

await check("burns: each accrual is in one batch, and a batch is the sum of its accruals", async () => {
  const batches = new Map(), seen = new Set();
  for (let before; ;) {
    const page = frond(host, "burn", "list", "--accruals", "--plugin", "giver", "--limit", "100", ...(before ? ["--before", before] : [])).burns;
    for (const one of page) {
      assert.ok(!seen.has(one.id), one.id);
      seen.add(one.id);
      const batch = batches.get(one.batch) ?? { units: 0n, accruals: 0 };
      batches.set(one.batch, { units: batch.units + BigInt(one.amount), accruals: batch.accruals + 1 });
    }
    if (page.length < 100) break;
    before = page.at(-1).id;
  }
  assert.equal(seen.size, sent);
  for (const one of given.values()) assert.ok(seen.has(one.id), one.id);
  const { done } = await booksAgree(host);
  assert.deepEqual([...batches.keys()].sort(), done.map((one) => one.batch).sort());
  for (const one of done) assert.deepEqual(batches.get(one.batch), { units: BigInt(one.units), accruals: one.accruals }, one.batch);
  for (const one of [done[0], done.at(-1)]) assert.equal(frond(host, "burn", "verify", one.batch).good, true);
});

await check("burns: the ledger is whole, no hold is left, money may go out", async () => {
  const audit = frond(host, "ledger", "audit");
  assert.deepEqual([audit.good, audit.holds_open], [true, 0]);
  const s = await status(host);
  assert.deepEqual([s.halted, s.key.payments], [[], 0]);
  const supply = await until("the supply to be read", async () => { const now = await (await fetch(`${host.url}/v1/supply`)).json(); return now.chain?.burned_by_frond === now.frond.burned && now; }, 15000);
  assert.deepEqual([supply.chain.agrees, supply.chain.not_booked_yet], [true, "0"]);
});

const nodes = children(host.child.pid, "anvil");
await host.stop();
await check("burns: nothing is left behind", () => until("the node to be gone", () => nodes.every((pid) => !alive(pid)), 10000));
host.clean();
remove();
end();
