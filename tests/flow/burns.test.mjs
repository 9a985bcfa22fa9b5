// burns.test.mjs: whose burns are whose: in the ledger, for the operator, for players over HTTP. On a host without a chain, where they wait.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { BUILD, checks, startHost } from "./host.mjs";
import { Player } from "./player.mjs";

const { check, end } = checks();
let host = await startHost();
const frond = (...args) => JSON.parse(execFileSync(path.join(BUILD, "frond"), [...args, "--json", "--data", host.data]).toString()).result;
const text = (...args) => execFileSync(path.join(BUILD, "frond"), [...args, "--data", host.data]).toString();
const refused = (...args) => { try { frond(...args); } catch (error) { return JSON.parse(error.stdout.toString()).code; } assert.fail(`${args} was not refused`); };

const people = [new Player(() => host.url, 9001, "Ann"), new Player(() => host.url, 9002, "Ben"), new Player(() => host.url, 9003, "Cem")];
const [ann, ben, cem] = people;
let match, id;

await check("burns: a rake's share is burned in its game's name", async () => {
  for (const one of people) { await one.signIn(); one.connect(); }
  const { games } = (await ann.http("GET", "/v1/games")).body, stake = games.find((one) => one.id === "duel").modes[0].stakes.find((units) => units !== "0");
  for (const one of [ann, ben]) {
    await one.approve("duel", "PALM", stake);
    assert.equal((await one.find({ game: "duel", mode: "classic", stake })).ok, true);
  }
  for (const one of [ann, ben]) await one.until(() => one.matches.size, 20000, "a match");
  match = [...ann.matches.keys()][0];
  assert.equal((await ben.ask("match.leave", { match })).ok, true);
  for (let i = 0; i < 400 && !id; i++) {
    const { body } = await ann.http("GET", `/v1/burns?match=${match}`);
    id = body.burns[0]?.id;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const share = (BigInt(stake) * 2n * 200n / 10000n).toString();
  assert.deepEqual(frond("ledger", "balance", "burn:duel").map((one) => [one.owner, one.asset, one.free]), [["burn:duel", "PALM", String(Number(share) / 1e9)]]);
  assert.deepEqual(frond("ledger", "balance", "burn"), frond("ledger", "balance", "burn:duel"));
  assert.equal(frond("ledger", "journal", "--owner", "burn:duel")[0].reason, "match");
  assert.equal(frond("ledger", "journal", "--owner", "burn")[0].reason, "match");
  assert.deepEqual(frond("ledger", "balance", "burn:nobody"), []);
  const supply = (await cem.http("GET", "/v1/supply")).body;
  assert.deepEqual([supply.frond.pending, supply.frond.by_plugin[0].plugin, supply.circulating, supply.chain], [share, "duel", "77500000000000000", null]);
  const nobody = await fetch(`${host.url}/v1/supply`);
  assert.equal(nobody.status, 200);
  assert.equal((await cem.http("GET", "/v1/supply?asset=GOLD")).body.code, "asset_unknown");
});

await check("burns: who played sees why, others see the number alone, nobody without a session", async () => {
  const mine = (await ann.http("GET", `/v1/burns/${id}`)).body, theirs = (await cem.http("GET", `/v1/burns/${id}`)).body;
  assert.deepEqual([mine.match, mine.reason, mine.state], [match, `duel match ${match}`, "pending"]);
  assert.deepEqual([theirs.match, theirs.reason, theirs.reason_hash], [undefined, undefined, mine.reason_hash]);
  assert.equal(JSON.stringify(theirs).includes(match), false);
  assert.deepEqual([(await ben.http("GET", "/v1/burns?mine=1")).body.burns.length, (await cem.http("GET", "/v1/burns?mine=1")).body.burns.length, (await cem.http("GET", "/v1/burns")).body.burns.length], [1, 0, 1]);
  assert.equal((await cem.http("GET", "/v1/burns?plugin=hello")).body.burns.length, 0);
  for (const query of ["limit=0", "limit=101", "limit=x", "cursor=0", "cursor=-1", "mine=2", `plugin=${"x".repeat(60)}`]) assert.equal((await cem.http("GET", `/v1/burns?${query}`)).status, 400, query);
  for (const bad of ["0", "999999", "b1", "x", "0x12", "-1", "9".repeat(30)]) assert.equal((await cem.http("GET", `/v1/burns/${bad}`)).body.code, "burn_unknown", bad);
  assert.equal((await fetch(`${host.url}/v1/burns`)).status, 401);
  const game = (await ann.http("POST", "/v1/session/game", { plugin: "hello" })).body.token, asGame = (route) => fetch(host.url + route, { headers: { authorization: `Bearer ${game}` } });
  assert.deepEqual([(await asGame("/v1/burns")).status, (await asGame("/v1/burns?plugin=hello")).status, (await asGame(`/v1/burns/${id}`)).status], [403, 200, 403]);      // a game's token: its own plugin's only
});

await check("burns: the operator's verbs, with a host and without", async () => {
  const list = frond("burn", "list");
  assert.deepEqual([list.paused, list.facts, list.batches, list.unknown, list.pending.map((one) => [one.plugin, one.asset, one.in_batches])], [false, null, [], [], [["duel", "PALM", "0"]]]);
  assert.match(text("burn", "list"), /no chain: burns stay pending\nplugin +asset +pending +in_batches\nduel +PALM/);
  assert.deepEqual(frond("burn", "list", "--accruals", "--plugin", "duel").burns.map((one) => [one.id, one.match]), [[id, match]]);
  assert.equal(frond("burn", "show", id).reason, `duel match ${match}`);
  for (const order of [["run"], ["return", "b1"], ["adopt", `0x${"1".repeat(64)}`], ["verify", id]]) assert.equal(refused("burn", ...order), "chain_off", order.join(" "));
  assert.equal(refused("burn", "show", "b1"), "burn_unknown");
  assert.deepEqual(frond("burn", "pause"), { paused: true });
  assert.match(text("burn", "supply"), /cap +100000000\n|cap +100000000 /);
  await host.stop();
  assert.equal(frond("burn", "list").paused, true);                       // saved
  assert.deepEqual(frond("burn", "resume"), { paused: false });
  assert.equal(frond("ledger", "audit").good, true);
});

for (const one of people) one.close?.();
host.clean();
end();
