// line.js: the one socket to the host. It comes back by itself, notices when it is dead although nobody closed it (a phone that slept, a
// network that changed), and sends again what the host recognises when it hears it twice.
import { HostError } from "/app/error.js";

const PAUSE_MS = [400, 800, 1600, 3200, 5000];       // the longest before each new try; where in it we try is chance, so that a thousand phones do not knock at once
const PAUSE_MS_MIN = 80;
const OPENING_MS = 8000;             // a socket that does not open
const REQUEST_MS = 15000;
const STREAM_MS = 70000;             // to the first word of a call that streams, and from each to the next: a model that is busy lets one wait
const PROBE_MS = 4000;               // how long the host may take to answer "are you there?"
const QUIET_MS = 25000, QUIET_ASKED_MS = 4000;       // silence after which we ask: with nothing to wait for, and with an answer outstanding
const WATCH_MS = 2000;
// What the host recognises when it hears it twice. Moves are not here: matches.js decides whether one may still go out.
const REPEATABLE = new Set(["match.resume", "match.seed", "match.leave", "ping"]);
const CLOSED_BY_HOST = 4001;         // the session ended

export class Line {
  /** How often it has opened: whoever remembers the number knows whether it was away since. */
  opens = 0;
  #socket = null; #open = false; #wanted = false; #tries = 0; #retryTimer = 0; #openingTimer = 0; #probeTimer = 0; #heard = 0;
  #nextId = 1; #waiting = new Map(); #hooks;

  /**
   * @param {{token: () => string, check: () => Promise<"up" | "away" | "ended">, onOpen: () => void, onClose: () => void, onEvent: (event: any) => void}} hooks
   *   `check` asks over HTTP why a socket does not open, and signs in again where the session ran out; after "ended" the line stays closed
   */
  constructor(hooks) { this.#hooks = hooks; }

  get open() { return this.#open; }
  get tries() { return this.#tries; }

  start() {
    this.#wanted = true;
    this.#connect();
    const look = () => this.hurry();
    addEventListener("online", look);
    addEventListener("offline", look);
    addEventListener("pageshow", look);
    document.addEventListener("resume", look);           // a page that was frozen
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") look(); });
    setInterval(() => this.#watch(), WATCH_MS);
  }
  stop() {
    this.#wanted = false;
    clearTimeout(this.#retryTimer);
    this.#socket?.close(1000);
  }
  /** Somebody is looking, or the network changed: no reason to wait the rest of the pause, or to believe in a socket that may be dead. */
  hurry() {
    if (!this.#wanted) return;
    if (this.#open) return this.#probe();
    if (this.#socket) return;                            // it is being tried
    clearTimeout(this.#retryTimer);
    this.#tries = 0;
    this.#connect();
  }

  // ---- coming and going

  #connect() {
    const url = new URL("/v1/socket", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url, ["frond.v1", `bearer.${this.#hooks.token()}`]);
    this.#socket = socket;
    this.#openingTimer = setTimeout(() => this.#lost(socket), OPENING_MS);
    socket.onopen = () => {
      clearTimeout(this.#openingTimer);
      this.#tries = 0;
      this.#open = true;
      this.#heard = performance.now();
      this.opens++;
      for (const [id, request] of this.#waiting) this.#transmit(id, request);
      this.#hooks.onOpen();
    };
    socket.onmessage = (event) => { this.#heard = performance.now(); this.#receive(event.data); };
    socket.onclose = (event) => { if (event.code === CLOSED_BY_HOST) this.#tries = Math.max(this.#tries, 1); this.#lost(socket); };
  }

  // Closed, or given up: then it may not speak any more either.
  #lost(socket) {
    if (socket !== this.#socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    clearTimeout(this.#openingTimer);
    clearTimeout(this.#probeTimer);
    this.#probeTimer = 0;
    const was = this.#open;
    this.#socket = null;
    this.#open = false;
    for (const [id, request] of this.#waiting) {
      if (!REPEATABLE.has(request.op)) this.#settle(id, new HostError("connection_lost", "The connection was lost before the host answered."));
    }
    if (!this.#wanted) return;
    if (was) this.#hooks.onClose();
    this.#pause();
  }
  #pause() {
    const most = PAUSE_MS[Math.min(this.#tries++, PAUSE_MS.length - 1)];
    this.#retryTimer = setTimeout(() => this.#retry(), PAUSE_MS_MIN + Math.random() * most);
  }

  // A socket that never opens may mean that the host is away or that the session ended: asking over HTTP tells which.
  async #retry() {
    const answer = this.#tries > 1 ? await this.#hooks.check() : "up";
    if (!this.#wanted || this.#socket) return;
    if (answer === "up") this.#connect();
    else if (answer === "away") this.#pause();
    else this.#wanted = false;
  }

  // ---- is anybody there?

  #watch() {
    if (!this.#open || document.visibilityState !== "visible") return;
    const quiet = performance.now() - this.#heard, asked = [...this.#waiting.values()].some((one) => performance.now() - one.sent > QUIET_ASKED_MS);
    if (quiet > (asked ? QUIET_ASKED_MS : QUIET_MS)) this.#probe();
  }
  #probe() {
    if (this.#probeTimer) return;
    const socket = this.#socket, since = this.#heard;
    this.#probeTimer = setTimeout(() => {
      this.#probeTimer = 0;
      if (this.#heard === since) this.#lost(socket);
    }, PROBE_MS);
    this.request("ping").catch(() => {});
  }

  // ---- requests

  /** Sends one request. Throws a HostError when the host refuses. `onStream` hears the events stream.delta and stream.end, which come before the answer; each
   * gives the host as much time again. @param {string} op @param {Object<string, any>} [fields] @param {{onStream?: (event: any) => void}} [options] */
  request(op, fields = {}, { onStream } = {}) {
    return new Promise((resolve, reject) => {
      if (!this.#open && !REPEATABLE.has(op)) return reject(new HostError("offline", "There is no connection to the host just now."));
      const id = this.#nextId++;
      const request = { op, fields, resolve, reject, onStream, timer: 0, sent: Infinity };
      this.#allow(id, request);
      this.#waiting.set(id, request);
      if (this.#open) this.#transmit(id, request);
    });
  }
  #transmit(id, request) {
    request.sent = performance.now();
    this.#socket.send(JSON.stringify({ ...request.fields, id, op: request.op }));
  }
  #allow(id, request) {
    clearTimeout(request.timer);
    request.timer = setTimeout(() => this.#settle(id, new HostError("timeout", "The host did not answer in time.")), request.onStream ? STREAM_MS : REQUEST_MS);
  }
  #stream(event) {
    const request = this.#waiting.get(event.id);
    if (!request?.onStream) return;
    this.#allow(event.id, request);
    request.onStream(event);
  }
  #settle(id, result) {
    const request = this.#waiting.get(id);
    if (!request) return;
    this.#waiting.delete(id);
    clearTimeout(request.timer);
    if (result instanceof HostError) request.reject(result);
    else request.resolve(result);
  }

  #receive(text) {
    let message;
    try { message = JSON.parse(text); } catch { return; }
    if (message.ev === "stream.delta" || message.ev === "stream.end") this.#stream(message);
    else if (message.ev) this.#hooks.onEvent(message);
    else if (message.ok) this.#settle(message.id, message.result ?? {});
    else {
      const { code = "unknown", detail, ...more } = message.error ?? {};
      this.#settle(message.id, new HostError(code, detail, more));
    }
  }
}
