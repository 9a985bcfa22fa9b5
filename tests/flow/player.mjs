// player.mjs: a player without a page. It signs in, keeps one socket, reconnects, resumes its match from the last number it saw
// and sends a move again until it hears an answer: what the shell and frond.js do together, in a hundred lines.
import { createHash, randomBytes } from "node:crypto";
import WebSocket from "ws";

const RETRY_MS = 60, ANSWER_MS = 4000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** RFC 7396. */
export function applyPatch(target, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const result = target !== null && typeof target === "object" && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyPatch(result[key], value);
  }
  return result;
}

export class Player {
  /** @param {() => string} url where the host is now  @param {number} id Telegram user id */
  constructor(url, id, name) {
    Object.assign(this, { url, id, name, waiting: new Map(), nextId: 1, matches: new Map(), ended: [], listeners: [], open: false, closed: false, connects: 0, resent: 0 });
  }

  async http(method, route, body, headers = {}) {
    const response = await fetch(this.url() + route, {
      method, headers: { ...(this.token ? { authorization: `Bearer ${this.token}` } : {}), ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    }).catch((error) => { throw new Error(`${method} ${route}: ${error.message}: ${error.cause?.code ?? error.cause?.message}`); });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : null };
  }

  async signIn() {
    const launch = await this.http("POST", "/v1/dev/launch", { user: { id: this.id, first_name: this.name } });
    this.initData = launch.body.init_data;
    const session = await this.http("POST", "/v1/session", undefined, { authorization: `tma ${this.initData}` });
    if (session.status !== 200 && session.status !== 201) throw new Error(`${this.name}: no session: ${JSON.stringify(session)}`);
    this.token = session.body.token;
    this.player = session.body.player.id;
    return this;
  }

  approve(plugin, asset, max) { return this.http("POST", "/v1/consents", { plugin, asset, max: String(max), kind: "once" }); }
  wallet() { return this.http("GET", "/v1/wallet"); }

  connect() {
    const ws = new WebSocket(this.url().replace(/^http/, "ws") + "/v1/socket", ["frond.v1", `bearer.${this.token}`]);
    this.ws = ws;
    ws.on("open", () => { this.open = true; this.connects++; for (const match of this.matches.values()) if (!match.over) this.resume(match); });
    ws.on("message", (text) => this.take(JSON.parse(text)));
    ws.on("error", () => {});
    ws.on("close", () => {
      this.open = false;
      for (const w of this.waiting.values()) w({ ok: false, error: { code: "disconnected" } });
      this.waiting.clear();
      if (!this.closed) setTimeout(() => { if (!this.closed) this.connect(); }, RETRY_MS);       // closed while it waited: a line that nobody would ever end
    });
    return this;
  }

  close() { this.closed = true; this.ws?.close(); }

  /** One try. `disconnected` when the line broke before the answer. */
  ask(op, fields = {}) {
    if (!this.open) return sleep(RETRY_MS).then(() => ({ ok: false, error: { code: "disconnected" } }));
    const id = this.nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => { this.waiting.delete(id); resolve({ ok: false, error: { code: "disconnected" } }); }, ANSWER_MS);
      this.waiting.set(id, (answer) => { clearTimeout(timer); this.waiting.delete(id); resolve(answer); });
      this.ws.send(JSON.stringify({ id, op, ...fields }));
    });
  }

  async resume(match) {
    for (let tries = 0; tries < 200 && !match.over && this.open; tries++) {
      const answer = await this.ask("match.resume", { match: match.id, from: match.seq });
      if (answer.ok || !["match_resuming", "disconnected", "plugin_starting"].includes(answer.error.code)) { if (!answer.ok) this.trouble = answer.error; return; }
      await sleep(RETRY_MS);
    }
  }

  take(message) {
    if (message.id !== undefined) { this.waiting.get(message.id)?.(message); return; }
    const { ev } = message;
    if (ev === "match.seed") this.ask("match.seed", { match: message.match, seed: this.seed });
    if (ev === "match.start") {
      const known = this.matches.get(message.match) ?? { id: message.match, n: 0, over: false };
      Object.assign(known, { seat: message.seat, view: message.view, seq: message.seq, game: message.game, fairness: message.fairness });
      known.n = Math.max(known.n, message.n ?? 0);
      this.matches.set(message.match, known);
    }
    const match = this.matches.get(message.match);
    if (match && message.seq > match.seq + 1 && ev !== "match.start") {      // it came before our resume was answered: the missing ones follow
      this.gaps = (this.gaps ?? 0) + 1;
      this.resume(match);
      return;
    }
    if (match && ev === "match.patch" && message.seq > match.seq) match.view = applyPatch(match.view, message.patch);
    if (match && message.seq > match.seq) match.seq = message.seq;
    if (match && ev === "match.end" && !match.over) { match.over = true; match.end = message; this.ended.push(match); }
    for (const listener of [...this.listeners]) listener(message, match);
  }

  /** Waits until `test` answers something. */
  until(test, ms = 60000, what = "something") {
    const now = test();
    if (now) return Promise.resolve(now);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => { this.listeners = this.listeners.filter((l) => l !== look); reject(new Error(`${this.name} waited ${ms} ms for ${what}; trouble: ${JSON.stringify(this.trouble)}`)); }, ms);
      const look = () => { const found = test(); if (found) { clearTimeout(timer); this.listeners = this.listeners.filter((l) => l !== look); resolve(found); } };
      this.listeners.push(look);
    });
  }

  /** Finds a match; asks again when the line broke. */
  async find(fields, seeded = true) {
    if (seeded) this.seed = randomBytes(32).toString("hex");
    const commit = seeded ? { seed_commit: createHash("sha256").update(Buffer.from(this.seed, "hex")).digest("hex") } : {};
    for (;;) {
      const answer = await this.ask("match.find", { ...fields, ...commit });
      if (answer.ok || !["disconnected", "plugin_starting"].includes(answer.error.code)) return answer;
      await sleep(RETRY_MS);
      const running = [...this.matches.values()].find((m) => !m.over);
      if (running) return { ok: true, result: {} };
    }
  }

  /** Makes one move exactly once, whatever breaks on the way. */
  async move(match, name, args) {
    const n = ++match.n;
    for (;;) {
      const answer = await this.ask("match.input", { match: match.id, n, name, args });
      if (answer.ok || !["disconnected", "match_resuming", "plugin_starting", "superseded"].includes(answer.error.code)) return answer;
      if (match.over) return answer;
      this.resent++;
      await sleep(RETRY_MS);
    }
  }
}

/** Plays a duel to its end with cards chosen by `random`; returns the match. */
export async function playDuel(player, match, random = Math.random, pause = 40) {
  while (!match.over) {
    const view = match.view;
    if (view && view.phase === "choose" && !view.pick && view.hand?.length) {
      const card = view.hand[Math.floor(random() * view.hand.length)];
      await sleep(pause * random());
      const answer = await player.move(match, "play", { card });
      if (match.over) break;
      if (!answer.ok && !["match_ended", "already_chosen", "already_played", "not_in_hand"].includes(answer.error.code)) throw new Error(`${player.name}: ${JSON.stringify(answer.error)}`);
      if (!answer.ok) { await player.resume(match); await sleep(20); }
    }
    const seen = match.seq;
    await player.until(() => match.over || match.seq > seen || (match.view?.phase === "choose" && !match.view.pick), 60000, `a turn in ${match.id} (seq ${match.seq})`);
  }
  return match;
}
