// frond.js: what a plugin's page uses to talk to the host. The page runs in a sandboxed frame without an origin, a session or
// storage of its own; everything goes through one MessagePort that the shell hands over.
// How to use it: plugins/sdk/README.md. Amounts and ids are decimal strings. The page proposes; the host decides.

/** @typedef {{ok: true, value: any} | {ok: false, code: string, detail: string, [more: string]: any}} Reply */
/** `watched`: this player only looks at it, so there is no seat (`seat` is null), the view is what the game shows to nobody in particular, `delayMs` old, and
 * nothing can be sent.
 * @typedef {{id: string, game: string, mode: string, seat: number | null, watched: boolean, delayMs: number, stake: string, asset: string, turnMs: number,
 *   players: {seat: number, name: string, bot: boolean}[], view: any, seq: number, fairness: any, end: any | null}} Match */
/** @typedef {{scheme: "light" | "dark", vars: Object<string, string>}} Theme */

const VERSION = 1;
const CALL_MS = 10000;
const FIND_MS = 10 * 60 * 1000;      // the player may read the approval sheet for a while
const INPUT_MS = 10 * 60 * 1000;     // a move waits for the line in the shell, which answers sooner or says why not
const STALE_TRIES = 5;

/**
 * RFC 7396. Returns the patched value; `target` is left as it was, parts that did not change are shared with it.
 * @param {any} target @param {any} patch
 */
export function applyPatch(target, patch) {
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (key === "__proto__") continue;             // a name like any other to JSON, not to JavaScript
    else result[key] = applyPatch(Object.hasOwn(result, key) ? result[key] : undefined, value);
  }
  return result;
}
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** "12500000000" -> "12.5", exactly. @param {string} units @param {number} [decimals] @param {string} [language] whose separators */
export function formatUnits(units, decimals = 9, language = "en") {
  const negative = units.startsWith("-");
  const digits = (negative ? units.slice(1) : units).padStart(decimals + 1, "0");
  const numbers = new Intl.NumberFormat(language), point = numbers.formatToParts(0.5).find((part) => part.type === "decimal").value;
  const whole = numbers.format(BigInt(digits.slice(0, digits.length - decimals)));
  const part = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return (negative ? "\u2212" : "") + whole + (part ? point + part : "");
}

// The hello may come before the page asks for it, so listening starts with the module.
const hello = new Promise((resolve) => {
  addEventListener("message", function listen(event) {
    if (event.source !== window.parent || event.data?.frond !== "hello" || event.ports.length !== 1) return;
    removeEventListener("message", listen);
    resolve({ ...event.data, port: event.ports[0] });
  });
});

/**
 * Waits for the shell and returns the connection.
 * @param {{timeoutMs?: number}} [options]
 * @returns {Promise<Frond>}
 */
export async function connect({ timeoutMs = 15000 } = {}) {
  const greeting = await within(timeoutMs, hello);
  if (!greeting) throw new Error("no shell answered: this page works inside /app/ only");
  if (greeting.v !== VERSION) throw new Error(`the shell speaks version ${greeting.v}, this page ${VERSION}`);
  const frond = new Frond(greeting);
  await frond.start();
  return frond;
}

function within(ms, promise) {
  return Promise.race([promise, new Promise((resolve) => setTimeout(resolve, ms, null))]);
}

/** One connection to the host. Made by connect(). */
export class Frond {
  /** What the shell told: {player: {id, name}, plugin, language, online, game: {modes}, matches: [{id, mode, seat}], watching: {match} | null}. `language` is what the shell speaks: "en", "ko". @type {any} */
  info = {};
  /** @type {Theme} */
  theme = { scheme: "light", vars: {} };
  /** False while the shell has no connection to the host. */
  online = true;
  /** Matches this page has seen start. @type {Map<string, Match>} */
  matches = new Map();

  #port; #nextId = 1; #waiting = new Map(); #listeners = new Map(); #inputs = new Map(); #clockOffset = null;

  constructor({ port }) {
    this.#port = port;
    port.onmessage = (event) => this.#receive(event.data);
    const named = (op) => (fields, options) => this.request(op, fields, options);
    this.match = {
      /** @param {{mode: string, stake: string, bot?: boolean, with?: string, options?: any}} ask @returns {Promise<Reply>} */
      find: (ask) => this.request("match.find", ask, { timeoutMs: FIND_MS }),
      /** @param {string} [ticket] @returns {Promise<Reply>} */
      leaveQueue: (ticket) => this.request("match.leave_queue", ticket ? { ticket } : {}),
      /** A move. It goes out exactly once, also when the line breaks meanwhile. When the match went on while the line was away it is refused with
       * `stale`, unless `still` looks at the match as it is now and says that the move means the same: then it goes out.
       * @param {string} match @param {string} name @param {any} [args] @param {{still?: (match: Match) => boolean}} [options] @returns {Promise<Reply>} */
      input: (match, name, args = {}, options = {}) => this.#input(match, name, args, options),
      /** Something the other seats' pages may show and the game need not know: a cursor, a smile. Heard there as `match.relay`; nobody keeps it.
       * @param {string} match @param {string} name of the manifest's relays @param {any} [data] @returns {Promise<Reply>} */
      relay: (match, name, data) => this.request("match.relay", { match, name, data }),
      /** Gives up. @param {string} match @returns {Promise<Reply>} */
      leave: (match) => this.request("match.leave", { match }),
      /** Opens the shell's own sheet about a match of this game that has ended: how it was dealt, what was paid, what was burned. @param {string} match @returns {Promise<Reply>} */
      receipt: (match) => this.request("match.receipt", { match }),
      /** Asks for what was missed; the events follow. @param {string} match @returns {Promise<Reply>} */
      resume: async (match) => {
        const reply = await this.request("match.resume", { match, from: this.matches.get(match)?.seq ?? 0 });
        if (reply.ok && reply.value?.now_ms) this.#hearClock(reply.value.now_ms);
        return reply;
      },
      /** In a page that was opened to watch (`frond.watching`): asks for the match as it is seen now; "view" comes before the answer if there is something
       * to see already, else later. @returns {Promise<Reply>} */
      watch: () => this.request("match.watch"),
    };
    this.storage = {
      /** @param {string} key @returns {Promise<any>} undefined when there is none */
      get: async (key) => { const r = await named("storage.get")({ key }); return r.ok ? r.value?.value : undefined; },
      set: (key, value) => named("storage.set")({ key, value }),
      remove: (key) => named("storage.remove")({ key }),
    };
  }

  async start() {
    const [info, theme] = await Promise.all([this.request("info"), this.request("theme")]);
    if (info.ok) {
      this.info = info.value;
      this.online = info.value.online !== false;
    }
    if (theme.ok) this.#setTheme(theme.value);
  }

  /** The match that this page was opened to watch, or null. @type {string | null} */
  get watching() { return this.info.watching?.match ?? null; }

  /** Calls one of the plugin's functions. `onDelta` hears what it streams (ctx:stream), piece by piece and in order, before the reply; each piece gives it `timeoutMs` again.
   * @param {string} fn @param {any} [args] @param {{timeoutMs?: number, key?: string, onDelta?: (text: string) => void}} [options] @returns {Promise<Reply>} */
  call(fn, args = {}, { timeoutMs = CALL_MS, key, onDelta } = {}) {
    const fields = { fn, args, ...(key ? { key } : {}), ...(onDelta ? { stream: true } : {}) };
    return this.request("call", fields, { timeoutMs: key ? FIND_MS : timeoutMs, onDelta });
  }

  /** Listens to an event of the host ("match.event", "match.relay", "match.rematch", "notice", ...) or of this client: "view" (match), "end" (match), "theme", "connection" (online).
   * @param {string} name @param {(value: any, more?: any) => void} listener @returns {() => void} call it to stop listening */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => this.#listeners.get(name).delete(listener);
  }

  /** @param {"light" | "medium" | "heavy" | "success" | "warning" | "error" | "select"} kind */
  haptic(kind) { this.#post({ op: "haptic", kind }); }
  /** Goes back to the list of games. */
  close() { this.#post({ op: "close" }); }
  /** The host's clock, as far as the page knows it; while it watches, as late as what it sees. */
  now() { return this.#clockOffset === null ? Date.now() : performance.now() + this.#clockOffset; }

  /** @param {string} op @param {Object<string, any>} [fields] @param {{timeoutMs?: number, onDelta?: (text: string) => void}} [options] @returns {Promise<Reply>} */
  request(op, fields = {}, { timeoutMs = CALL_MS, onDelta } = {}) {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const waiting = { resolve, timer: 0, timeoutMs, onDelta };
      this.#waiting.set(id, waiting);
      this.#allow(id, waiting);
      this.#port.postMessage({ ...fields, id, op });
    });
  }
  #allow(id, waiting) {
    clearTimeout(waiting.timer);
    waiting.timer = setTimeout(() => this.#settle(id, refusal("timeout", "The host did not answer in time.")), waiting.timeoutMs);
  }

  // Inputs of one match go one after the other: each carries the next number, by which the host knows a repeated one.
  #input(match, name, args, options) {
    const previous = this.#inputs.get(match) ?? Promise.resolve();
    const mine = previous.then(() => this.#sendInput(match, name, args, options));
    this.#inputs.set(match, mine);
    return mine;
  }
  async #sendInput(match, name, args, { still }) {
    for (let tries = 1; ; tries++) {
      const reply = await this.request("match.input", { match, name, args }, { timeoutMs: INPUT_MS });
      const known = this.matches.get(match);
      if (reply.code !== "stale" || !still || !known || known.end || tries === STALE_TRIES || !still(known)) return reply;
    }
  }

  #post(message) { this.#port.postMessage({ ...message, id: this.#nextId++ }); }

  #settle(id, reply) {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;                                // it timed out before
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(reply);
  }

  #receive(message) {
    if (!isObject(message)) return;
    if (message.ev) this.#event(message);
    else if (message.ok === true) this.#settle(message.id, { ok: true, value: message.result });
    else this.#settle(message.id, { ...refusal("unknown", "The host refused."), ...message.error, ok: false });
  }

  #event(e) {
    if (e.now_ms) this.#hearClock(e.now_ms);
    if (e.ev === "theme") return this.#setTheme(e);
    if (e.ev === "connection") { this.online = e.online; return this.#emit("connection", e.online); }
    if (e.ev.startsWith("watch.")) return this.#watchEvent(e);
    if (e.ev.startsWith("stream.")) return this.#streamEvent(e);
    if (e.match && e.seq) { if (!this.#matchEvent(e)) return; }
    this.#emit(e.ev, e);
  }

  // What a call says before its reply; stream.end is told by the reply itself.
  #streamEvent(e) {
    const waiting = this.#waiting.get(e.id);
    if (e.ev !== "stream.delta" || !waiting?.onDelta) return;
    this.#allow(e.id, waiting);
    waiting.onDelta(e.text);
  }

  // What comes late, or is sent again, tells a time that has passed: the latest that was ever told is the nearest.
  #hearClock(nowMs) { this.#clockOffset = Math.max(this.#clockOffset ?? -Infinity, nowMs - performance.now()); }

  // A watched match: the shell has put the events in order and begins again where something is missing.
  #watchEvent(e) {
    if (e.ev === "watch.start") {
      const match = { id: e.match, game: e.game, mode: e.mode, seat: null, watched: true, delayMs: e.delay_ms, stake: e.stake, asset: e.asset, turnMs: e.turn_ms,
        players: e.players, view: e.view, seq: e.seq, fairness: null, end: null };
      this.matches.set(e.match, match);
      return this.#emit("view", match, e);
    }
    const match = this.matches.get(e.match);
    if (!match || match.end || e.seq <= match.seq) return;
    match.seq = e.seq;
    if (e.ev === "watch.patch") { match.view = applyPatch(match.view, e.patch); this.#emit("view", match, e); }
    else if (e.ev === "watch.event") this.#emit("match.event", e);
    else if (e.ev === "watch.end") { match.end = e; this.#emit("end", match, e); }
  }

  // Keeps `matches` current; false when the event was seen before or cannot be used yet.
  #matchEvent(e) {
    if (e.ev === "match.start") {
      const match = { id: e.match, game: e.game, mode: e.mode, seat: e.seat, watched: false, delayMs: 0, stake: e.stake, asset: e.asset, turnMs: e.turn_ms,
        players: e.players, view: e.view, seq: e.seq, fairness: e.fairness, end: null };
      this.matches.set(e.match, match);
      this.#emit("view", match, e);
      return true;
    }
    const match = this.matches.get(e.match);
    if (!match) return e.ev === "match.end";             // it ended while this page was closed
    if (e.ev === "match.end" && match.end) return false;
    if (e.seq <= match.seq && e.ev !== "match.end") return false;      // an end may follow a fresh start of the same number
    if (e.seq > match.seq + 1) { this.match.resume(e.match); return false; }   // something was lost: ask for it in order
    match.seq = e.seq;
    if (e.ev === "match.patch") { match.view = applyPatch(match.view, e.patch); this.#emit("view", match, e); }
    if (e.ev === "match.end") { match.end = e; this.#emit("end", match, e); }
    return true;
  }

  #emit(name, value, more) {
    for (const listener of this.#listeners.get(name) ?? []) listener(value, more);
  }

  #setTheme({ scheme, vars }) {
    this.theme = { scheme, vars };
    const root = document.documentElement;
    root.dataset.scheme = scheme;
    root.style.colorScheme = scheme;
    for (const [name, value] of Object.entries(vars)) root.style.setProperty(name, value);
    this.#emit("theme", this.theme);
  }
}

const refusal = (code, detail) => ({ ok: false, code, detail });
