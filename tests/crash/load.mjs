// load.mjs: players who move coins through a plugin, and write down what was acknowledged. A request without a clear answer is sent again
// under its own key until there is one; now and then an old one is sent again, which must give the old answer and move nothing.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

export const START = 1_000_000_000_000n;        // what --dev gives a new player
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const ANSWER_MS = 8000, RETRY_MS = 40, AGAIN_EVERY = 15;

/** A plugin whose calls do nothing but move coins under the caller's key. Returns a config file that names it alone. */
export function writeTill(folder) {
  const till = path.join(folder, "plugins", "till");
  mkdirSync(till, { recursive: true });
  const args = { type: "object", required: ["key", "amount"], properties: { key: { type: "string" }, amount: { type: "integer", minimum: 1 }, hold: { type: "string" }, to: { type: "string" } } };
  writeFileSync(path.join(till, "plugin.json"), JSON.stringify({
    id: "till", name: "Till", version: "1.0.0", api: "2026-11-01", kind: "tool", grants: { ledger: { why: "it is a till", assets: ["PALM"] } },
    splits: { shop: { plugin: 9000, treasury: 500, burn: 500 } },
    calls: Object.fromEntries(["charge", "pay", "linked", "hold", "settle", "release", "tired"].map((name) => [name, { args }])),
  }));
  writeFileSync(path.join(till, "main.lua"), `local frond = require "frond"
local ledger = frond.ledger
local asked = 0
local function coins(ctx, a) return { player = ctx.player.id, asset = "PALM", amount = a.amount, key = a.key } end
return frond.plugin { calls = {
  charge = function(ctx, a) local t = coins(ctx, a); t.split = "shop"; return ledger.charge(t) end,
  pay = function(ctx, a) return ledger.pay(coins(ctx, a)) end,
  hold = function(ctx, a) local t = coins(ctx, a); t.ttl_ms = 86400000; return ledger.hold(t) end,
  settle = function(ctx, a) return ledger.settle { hold = a.hold, amount = a.amount, split = "shop", key = a.key } end,
  release = function(ctx, a) return ledger.release { hold = a.hold, key = a.key } end,
  tired = function() asked = asked + 1; if asked == 1 then return nil, "rate" end; return asked end,
  linked = function(ctx, a)
    return ledger.linked { key = a.key, ops = frond.array {
      frond.array { "charge", { player = ctx.player.id, asset = "PALM", amount = a.amount } },
      frond.array { "pay", { player = a.to, asset = "PALM", amount = a.amount } } } }
  end,
} }
`);
  const config = path.join(folder, "frond.json");
  writeFileSync(config, JSON.stringify({ plugins: ["plugins"], limits: { cpu_percent: 100 } }));
  return config;
}

/** What has happened for sure when the host says nothing: try again. */
const unclear = (status, code) => status === 0 || status >= 500 || status === 429 || ["in_progress", "unknown", "busy", "rate"].includes(code);

export class Customer {
  /** @param {import("../flow/player.mjs").Player} player  @param {() => number} random  @param {() => Customer[]} others */
  constructor(player, random, others) {
    Object.assign(this, { player, random, others, deeds: [], holds: [], expected: START, held: 0n, unclear: new Map(), sent: 0, again: 0 });
  }

  async send(deed) {
    this.sent++;
    const headers = { authorization: `Bearer ${this.player.token}`, "content-type": "application/json" };
    if (deed.header) headers["idempotency-key"] = deed.key;
    try {
      const response = await fetch(`${this.player.url()}/v1/call/till/${deed.call}`, { method: "POST", headers, body: JSON.stringify(deed.args), signal: AbortSignal.timeout(ANSWER_MS) });
      return { status: response.status, body: JSON.parse(await response.text()) };
    } catch { return { status: 0, body: { code: "no_answer" } }; }
  }

  /** Until there is a clear answer. */
  async settle(deed) {
    for (;; deed.tries++) {
      const answer = await this.send(deed);
      const code = answer.status === 200 ? "" : answer.body.code;
      if (code === "outcome_unknown") deed.header = false;     // the host will not run it again by itself; the plugin's own key makes it safe to ask
      else if (answer.status === 200 || !unclear(answer.status, code)) return answer;
      const name = `${answer.status} ${code}`;
      this.unclear.set(name, (this.unclear.get(name) ?? 0) + 1);
      await sleep(RETRY_MS * (1 + this.random()));
    }
  }

  make(n) {
    const dice = this.random(), amount = 1 + Math.floor(this.random() * 1000), key = `${this.player.id}-${n}`;
    const deed = { key, tries: 0, header: this.random() < 0.5, amount: BigInt(amount), args: { key, amount } };
    const hold = dice > 0.75 ? this.holds.shift() : undefined;
    if (hold) {
      deed.call = this.random() < 0.5 ? "settle" : "release";
      deed.hold = hold;
      deed.args.hold = hold.id;
      if (deed.call === "settle") deed.args.amount = Number(deed.amount = 1n + hold.amount / 2n);
    } else if (dice < 0.4) deed.call = "charge";
    else if (dice < 0.55) {
      deed.call = "pay";
      if (this.random() < 0.1) deed.args.amount = Number(deed.amount = 10n ** 15n);          // more than the plugin has: refused, and must stay so
    }
    else if (dice < 0.8) deed.call = "hold";
    else {
      const all = this.others();
      deed.call = "linked";
      deed.to = all[Math.floor(this.random() * all.length)];
      deed.args.to = deed.to.player.player;
    }
    return deed;
  }

  /** The only place where the client believes that coins moved. */
  book(deed) {
    if (deed.call === "charge") this.expected -= deed.amount;
    if (deed.call === "pay") this.expected += deed.amount;
    if (deed.call === "linked") { this.expected -= deed.amount; deed.to.expected += deed.amount; }
    if (deed.call === "hold") { this.expected -= deed.amount; this.held += deed.amount; this.holds.push({ id: deed.result.hold, amount: deed.amount }); }
    if (deed.call === "settle" || deed.call === "release") {
      this.held -= deed.hold.amount;
      this.expected += deed.hold.amount - (deed.call === "settle" ? deed.amount : 0n);
    }
  }

  async work(lane, stopped) {
    for (let n = 0; !stopped(); n++) {
      const deed = this.make(`${lane}-${n}`);
      const { status, body } = await this.settle(deed);
      deed.done = status === 200;
      if (deed.done) { deed.result = body; this.book(deed); }
      else if (body.code !== "funds") throw new Error(`${deed.call} ${deed.key}: ${status} ${JSON.stringify(body)}`);
      this.deeds.push(deed);
      const old = n % AGAIN_EVERY === 0 && this.deeds[Math.floor(this.random() * this.deeds.length)];
      if (!old || !old.done) continue;
      this.again++;
      const repeated = await this.settle({ ...old, header: this.random() < 0.5 });
      if (repeated.status !== 200 || JSON.stringify(repeated.body) !== JSON.stringify(old.result)) throw new Error(`${old.key} again: ${repeated.status} ${JSON.stringify(repeated.body)}, at first ${JSON.stringify(old.result)}`);
    }
  }
}
