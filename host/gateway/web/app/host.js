// host.js: the shell's connection to the host: sign-in, HTTP calls, and the line (line.js). The token lives here, in memory only; plugin
// pages never see it.
import { HostError } from "/app/error.js";
import { Line } from "/app/line.js";

const HTTP_MS = 15000;
const STREAM_TRIES = 5, STREAM_AGAIN_MS = 400;
const WAIT_OPEN_MS = 5 * 60 * 1000;  // a move waits that long for the line

export { HostError };

export class Host {
  player = null;
  /** The Telegram bot that opens this app, "" when the host does not know its username. */
  bot = "";
  #token = ""; #initData = ""; #listeners = new Map(); #line; #over = false;

  constructor() {
    this.#line = new Line({ token: () => this.#token, check: () => this.#check(), onEvent: (event) => this.#event(event),
      onOpen: () => this.#emit("open"), onClose: () => this.#emit("close") });
  }

  /** @param {string} initData */
  async signIn(initData) {
    this.#initData = initData;
    const session = await this.#http("POST", "/v1/session", { headers: { Authorization: `tma ${initData}` } });
    this.#token = session.token;
    this.player = session.player;
    this.bot = session.bot_username ?? "";
    return session;
  }

  /** @param {"GET"|"POST"|"DELETE"} method @param {string} path @param {any} [body] @param {{key?: string}} [options] */
  async api(method, path, body, { key } = {}) {
    const headers = { Authorization: `Bearer ${this.#token}` };
    if (key) headers["Idempotency-Key"] = key;
    return this.#http(method, path, { headers, body });
  }

  /** A request that is answered by server-sent events. `onEvent` gets the data of each; resolves when the stream is over, and throws a HostError when it is refused or breaks off. A line that
   * breaks is taken up again where it was; who aborts has the host let go of it too.
   * @param {string} path @param {any} body @param {{onEvent: (data: string) => void, signal: AbortSignal}} options */
  async stream(path, body, { onEvent, signal }) {
    const headers = { Authorization: `Bearer ${this.#token}`, Accept: "text/event-stream" };
    let id = null, seen = "", again = 0, over = false;
    signal.addEventListener("abort", () => { if (id && !over) fetch(`/v1/streams/${id}`, { method: "DELETE", headers }).catch(() => {}); }, { once: true });
    for (;;) {
      let answer;
      try {
        answer = id ? await fetch(`/v1/streams/${id}`, { headers: { ...headers, "Last-Event-ID": seen || "0" }, cache: "no-store", credentials: "omit", signal })
          : await fetch(path, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body), cache: "no-store", credentials: "omit", signal });
        if (!answer.ok) throw refusalOf(answer, await answer.text());
        id ??= answer.headers.get("x-stream-id");
        await readEvents(answer.body, (data, at) => { seen = at || seen; over ||= data === "[DONE]"; again = 0; onEvent(data); });
        if (over || !id) return;
      } catch (error) {
        if (error instanceof HostError || signal.aborted) throw error;
        if (!id) throw new HostError(answer ? "connection_lost" : "offline", answer ? "The connection was lost before the answer was whole." : "The host cannot be reached.", { cause: error });
      }
      if (++again > STREAM_TRIES) throw new HostError("connection_lost", "The connection was lost before the answer was whole.");
      await new Promise((resolve) => setTimeout(resolve, STREAM_AGAIN_MS * again));
    }
  }

  async #http(method, path, { headers = {}, body } = {}) {
    let answer, value;
    try {
      answer = await fetch(path, { method, headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(HTTP_MS) });
      const text = await answer.text();
      value = text === "" ? null : JSON.parse(text);
    } catch (error) {
      if (answer && !answer.ok) throw new HostError(`http_${answer.status}`, answer.statusText, { status: answer.status });      // a proxy's page
      if (answer) throw new HostError("bad_answer", "The host sent something that cannot be read.", { status: answer.status });
      throw new HostError("offline", "The host cannot be reached.", { cause: error });
    }
    if (!answer.ok) throw new HostError(value?.code ?? `http_${answer.status}`, value?.detail ?? value?.title ?? answer.statusText, { ...value, status: answer.status });
    return value;
  }

  // ---- the line

  /** @param {string} name "open", "close", "replaced", "expired", "event" or the name of a host event @param {(value: any) => void} listener */
  on(name, listener) {
    if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
    this.#listeners.get(name).add(listener);
    return () => this.#listeners.get(name).delete(listener);
  }
  #emit(name, value) {
    for (const listener of [...this.#listeners.get(name) ?? []]) listener(value);
  }

  get online() { return this.#line.open; }
  get opens() { return this.#line.opens; }
  start() { this.#line.start(); }
  stop() { this.#over = true; this.#line.stop(); }
  hurry() { this.#line.hurry(); }
  /** @param {string} op @param {Object<string, any>} [fields] @param {{onStream?: (event: any) => void}} [options] */
  request(op, fields, options) { return this.#line.request(op, fields, options); }

  /** Resolves when the line is there. Throws "offline" when that takes too long. */
  whenOpen() {
    if (this.online) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const stop = this.on("open", () => { clearTimeout(timer); stop(); resolve(); });
      const timer = setTimeout(() => { stop(); reject(new HostError("offline", "There was no connection to the host for too long.")); }, WAIT_OPEN_MS);
    });
  }

  async #check() {
    try {
      await this.api("GET", "/v1/me");
      return "up";
    } catch (error) {
      return error.status === 401 ? this.#renew(error) : "away";
    }
  }
  // A session that ran out is opened again with the same launch data; one that somebody ended is not.
  async #renew(why) {
    if (why.code === "session_revoked") return this.#expire(why);
    try {
      await this.signIn(this.#initData);
      return "up";
    } catch (error) {
      return error.code === "offline" || error.status >= 500 ? "away" : this.#expire(error);
    }
  }
  #expire(error) {
    if (!this.#over) this.#emit("expired", error);
    return "ended";
  }

  #event(event) {
    if (event.ev === "session.replaced" || event.ev === "session.ended") {
      this.stop();
      this.#emit(event.ev === "session.ended" ? "ended" : "replaced", event);
      return;
    }
    this.#emit("event", event);
    this.#emit(event.ev, event);
  }
}

// A problem document, or an error in OpenAI's shape.
function refusalOf(answer, text) {
  let value = null;
  try { value = JSON.parse(text); } catch { /* a proxy's page */ }
  const said = value?.error && typeof value.error === "object" ? { code: value.error.code ?? value.error.type, detail: value.error.message } : value ?? {};
  return new HostError(said.code ?? `http_${answer.status}`, said.detail ?? said.title ?? answer.statusText, { status: answer.status, retry_after: Number(answer.headers.get("retry-after")) || undefined });
}

// The data of an event stream's events, each with the id last given, whatever pieces they come in.
async function readEvents(body, onEvent) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", data = [], id = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
      if (line.startsWith("id:")) id = line.slice(3).trim();
      if (line === "" && data.length) { onEvent(data.join("\n"), id); data = []; }
    }
  }
}
