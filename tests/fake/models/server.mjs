// server.mjs: a model server that speaks OpenAI's protocol (chat/completions, completions, embeddings, models, /health), without a model. It answers the same to the same
// question, on a TCP port or a unix socket, and goes wrong in every way it is told to: see HOW below.
import http from "node:http";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { answerTo, embed, fromSchema, questionOf, tokensOf, usageOf } from "./answers.mjs";

const BODY_BYTES_MAX = 4 * 1024 * 1024;
const ASKED_MAX = 200_000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @typedef {object} How  How an answer is made, or goes wrong; everything may be left out.
 *  @property {string} [text]            the answer; without it the question comes back: "echo: QUESTION"
 *  @property {string[]} [answers]       one after the other, in a circle
 *  @property {string} [finish]          finish_reason
 *  @property {{name: string, arguments: object|string}[]} [tools]   functions called in place of a text
 *  @property {boolean} [again]          they are called also when the last message is what a tool brought
 *  @property {number} [work_ms]         before anything is sent, holding one of the slots
 *  @property {number} [first_ms]        before the first token      @property {number} [token_ms] between tokens
 *  @property {number} [status]          refuse with this status     @property {string} [error] with this text
 *  @property {number|string} [retry_after]   header of a refusal    @property {string} [location] of a redirect
 *  @property {number} [die_after]       the socket is destroyed after so many events of a stream (of a body: after half of it); -1: before the status line
 *  @property {boolean} [hang]           nothing is ever sent        @property {boolean} [stall] nothing more, after die_after events
 *  @property {boolean} [endless]        tokens without an end, or a body without one
 *  @property {string} [usage]           "huge" | "negative" | "none" | "text" | "fraction" | "null" | "less"
 *  @property {string} [raw]             this body, as it is         @property {string} [content_type]
 *  @property {boolean} [bad_json]       @property {number} [pad] bytes that are added to the first event, or to the answer
 *  @property {number} [split]           so many bytes in each write @property {string} [eol] "\n", "\r\n" or "\r"
 *  @property {boolean} [comments]       between events              @property {boolean} [no_done] a stream without [DONE]
 *  @property {boolean} [shuffle]        choices and embeddings in another order
 *  @property {number} [count]           so many more (or fewer) choices or embeddings than asked for
 *  @property {number} [width]           of embeddings               @property {boolean} [not_numbers] in them
 *  @property {object} [event]           sent as the second event of a stream, whatever it is
 */
const HOW = ["again", "text", "answers", "finish", "tools", "work_ms", "first_ms", "token_ms", "status", "error", "retry_after", "location", "die_after", "hang", "stall", "endless", "usage", "raw", "content_type", "bad_json", "pad",
  "split", "eol", "comments", "no_done", "shuffle", "count", "width", "not_numbers", "event"];

export class FakeModels {
  /** @param {{name?: string, models?: string[], key?: string, slots?: number, refuse_over?: number, how?: How}} [options]
   *  slots: so many answers are made at once, others wait; refuse_over: more requests than this at once get 429 */
  constructor({ name = "fake", models = ["fake-model"], key = "", slots = 0, refuse_over = 0, how = {} } = {}) {
    Object.assign(this, { name, models, key, slots, refuseOver: refuse_over, always: how, next: [], asked: [], requests: 0, running: 0, mostAtOnce: 0, answered: 0, aborted: 0, died: 0, healthAsked: 0, health: 200 });
    this.busy = 0;
    this.waiting = [];
    this.circle = 0;
    this.server = http.createServer({ keepAliveTimeout: 60_000, noDelay: true }, (req, res) => void this.#request(req, res));
    this.server.on("clientError", (error, socket) => socket.destroy());
  }

  /** @param {number|string} [at] a port (0: any), or the path of a unix socket */
  listen(at = 0) {
    return new Promise((resolve, reject) => {
      this.server.on("error", reject);
      const on = () => { this.port = typeof at === "string" ? 0 : this.server.address().port; this.url = this.port ? `http://127.0.0.1:${this.port}/v1` : "http://localhost/v1"; resolve(this.url); };
      if (typeof at === "string") this.server.listen(at, on); else this.server.listen(at, "127.0.0.1", on);
    });
  }

  close() {
    for (const go of this.waiting.splice(0)) go();
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  /** The next requests are answered so, one after the other; then all as `always` says. */
  script(...hows) { this.next.push(...hows); }

  facts() {
    const { name, requests, answered, aborted, died, running, mostAtOnce: most_at_once, healthAsked: health_asked } = this;
    return { name, requests, answered, aborted, died, running, most_at_once, health_asked, scripted: this.next.length };
  }

  async #request(req, res) {
    const path = new URL(req.url, "http://localhost").pathname.replace(/^\/v1(?=\/)/, "");
    const send = (status, body, headers = {}) => {
      if (res.writableEnded || res.destroyed) return;
      const text = JSON.stringify(body);
      res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text), ...headers });
      res.end(text);
    };
    const refuse = (status, message, type = "invalid_request_error", headers = {}) => send(status, { error: { message, type, param: null, code: null } }, headers);
    try {
      const body = await readBody(req);
      if (path === "/health") { this.healthAsked++; return send(this.health, this.health === 200 ? { status: "ok" } : { error: { message: "Loading model", type: "unavailable_error", code: this.health } }); }
      if (path === "/script") return this.#control(req, body, send);
      if (path === "/facts") return send(200, this.facts());
      if (path === "/asked") return send(200, this.asked);
      if (this.key && req.headers.authorization !== `Bearer ${this.key}`) return refuse(401, "Incorrect API key provided");
      if (path === "/models") { this.healthAsked++; return this.health === 200 ? send(200, { object: "list", data: this.models.map((id) => ({ id, object: "model", created: 1700000000, owned_by: this.name })) }) : refuse(this.health, "not now"); }
      if (!["/chat/completions", "/completions", "/embeddings"].includes(path)) return refuse(404, `Unknown request URL: ${req.method} ${req.url}`);
      if (req.method !== "POST") return refuse(405, "Not allowed to use that method on this endpoint");
      let ask;
      try { ask = JSON.parse(body); } catch { return refuse(400, "We could not parse the JSON body of your request"); }
      await this.#answer(path, ask, req, res, refuse);
    } catch (error) {
      refuse(500, String(error?.message ?? error), "server_error");
    }
  }

  /** POST /script {"next": [How..], "always": How, "health": 503, "slots": 2, "forget": true} */
  #control(req, body, send) {
    const said = body ? JSON.parse(body) : {};
    if (said.forget) Object.assign(this, { asked: [], requests: 0, answered: 0, aborted: 0, died: 0, mostAtOnce: 0, next: [], always: {}, healthAsked: 0 });
    if (said.next) this.script(...said.next);
    if (said.always) this.always = said.always;
    if (said.health) this.health = said.health;
    if (said.slots !== undefined) this.slots = said.slots;
    if (said.refuse_over !== undefined) this.refuseOver = said.refuse_over;
    send(200, this.facts());
  }

  // A marker in the prompt, the model's name ("fake-model?status=503&work_ms=20"), the script, and what always holds: the first that says anything.
  #howFor(ask, question) {
    const marker = /\[\[fake (\{.*?\})\]\]/s.exec(question);
    if (marker) return JSON.parse(marker[1]);
    const [, query] = String(ask.model ?? "").split("?");
    if (query) return Object.fromEntries([...new URLSearchParams(query)].map(([k, v]) => [k, /^-?\d+$/.test(v) ? Number(v) : v === "true" ? true : v]));
    return this.next.length ? this.next.shift() : this.always;
  }

  async #answer(path, ask, req, res, refuse) {
    const question = questionOf(path, ask), how = this.#howFor(ask, question);
    const unknown = Object.keys(how).find((key) => !HOW.includes(key));
    if (unknown) return refuse(400, `fake: no such behaviour: ${unknown}`);
    const entry = { no: ++this.requests, path, model: ask.model ?? null, question: question.slice(-200), stream: ask.stream === true, state: "running", tokens: 0 };
    if (this.asked.length < ASKED_MAX) this.asked.push(entry);
    const over = this.refuseOver && this.running >= this.refuseOver;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.running);
    const gone = new Promise((resolve) => res.once("close", () => {
      this.running--;
      if (entry.state === "running") { entry.state = "aborted"; this.aborted++; }
      resolve();
    }));
    res.once("finish", () => { if (entry.state === "running") { entry.state = "answered"; this.answered++; } });
    const say = { entry, gone, die: () => { entry.state = "died"; this.died++; res.socket?.destroy(); } };
    if (over) return refuse(429, "Too many requests at once", "rate_limit_error", { "retry-after": "1" });
    const free = await this.#slot(res);
    try {
      if (how.work_ms) await Promise.race([sleep(how.work_ms), gone]);
      if (!res.destroyed) await this.#make(path, ask, how, res, refuse, say);
    } finally { free(); }
  }

  async #slot(res) {
    if (!this.slots) return () => {};
    while (this.busy >= this.slots && !res.destroyed) await new Promise((go) => { this.waiting.push(go); res.once("close", go); });
    this.busy++;
    return () => { this.busy--; this.waiting.shift()?.(); };
  }

  async #make(path, ask, how, res, refuse, say) {
    if (how.hang) return void await say.gone;
    if (how.die_after === -1) return say.die();
    if (how.status && (how.status < 200 || how.status >= 300)) {
      const headers = { ...(how.retry_after !== undefined ? { "retry-after": String(how.retry_after) } : {}), ...(how.location ? { location: how.location } : {}) };
      return refuse(how.status, how.error ?? `told to answer ${how.status}`, how.status === 429 ? "rate_limit_error" : "server_error", headers);
    }
    if (how.first_ms && !(ask.stream && path !== "/embeddings")) await Promise.race([sleep(how.first_ms), say.gone]);
    if (path === "/embeddings") return this.#whole(embeddingsOf(ask, how), how, res, say);
    const problem = problemOf(path, ask);
    if (problem) return refuse(400, problem);
    const answer = answerTo(path, ask, how, how.answers ? how.answers[this.circle++ % how.answers.length] : undefined);
    const id = (path === "/completions" ? "cmpl-" : "chatcmpl-") + createHash("sha256").update(`${this.name}:${say.entry.no}`).digest("hex").slice(0, 24);
    if (ask.stream) return this.#stream(path, ask, how, answer, id, res, say);
    say.entry.tokens = answer.usage.completion_tokens;
    return this.#whole(wholeOf(path, ask, answer, id, how), how, res, say);
  }

  async #whole(object, how, res, say) {
    if (how.pad) object.padding = "x".repeat(how.pad);
    const text = how.raw ?? (how.bad_json ? JSON.stringify(object).slice(0, -1) : JSON.stringify(object));
    const headers = { "content-type": how.content_type ?? "application/json" };
    if (how.die_after !== undefined) { res.writeHead(how.status ?? 200, { ...headers, "content-length": Buffer.byteLength(text) }); res.write(text.slice(0, text.length / 2)); await sleep(10); return say.die(); }
    res.writeHead(how.status ?? 200, how.endless ? headers : { ...headers, "content-length": Buffer.byteLength(text) });
    if (!how.endless) return void res.end(text);
    res.write(text.slice(0, -1));
    while (!res.destroyed) if (!res.write(" ".repeat(16384))) await Promise.race([new Promise((go) => res.once("drain", go)), say.gone]);
  }

  async #stream(path, ask, how, answer, id, res, say) {
    const eol = how.eol ?? "\n", events = eventsOf(path, ask, how, answer, id);
    let sent = 0;
    const write = async (text) => {
      const bytes = Buffer.from(text), step = how.split || bytes.length;
      for (let at = 0; at < bytes.length && !res.destroyed; at += step) {
        if (!res.write(bytes.subarray(at, at + step))) await Promise.race([new Promise((go) => res.once("drain", go)), say.gone]);
        if (how.split) await new Promise((go) => setImmediate(go));
      }
    };
    res.writeHead(how.status ?? 200, { "content-type": how.content_type ?? "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
    res.flushHeaders();
    if (how.raw !== undefined) { await write(how.raw); return void res.end(); }
    if (how.first_ms) await Promise.race([sleep(how.first_ms), say.gone]);
    for (const event of events) {
      if (res.destroyed) return;
      if (sent === how.die_after) { await sleep(10); return how.stall ? void await say.gone : say.die(); }
      if (sent && how.token_ms) await Promise.race([sleep(how.token_ms), say.gone]);
      if (how.comments) await write(`: still here${eol}${eol}`);
      const text = how.bad_json && sent === 1 ? event.text.slice(0, -1) : how.pad && sent === 0 ? JSON.stringify({ ...JSON.parse(event.text), padding: "x".repeat(how.pad) }) : event.text;
      await write(`data: ${text}${eol}${eol}`);
      say.entry.tokens += event.tokens;
      sent++;
    }
    if (!how.no_done) await write(`data: [DONE]${eol}${eol}`);
    if (!res.destroyed) res.end();
  }
}

function problemOf(path, ask) {
  if (typeof ask.model !== "string" || !ask.model) return "you must provide a model parameter";
  if (path === "/chat/completions" && (!Array.isArray(ask.messages) || !ask.messages.length)) return "Invalid type for 'messages': expected an array of objects";
  if (path === "/completions" && ask.prompt === undefined) return "you must provide a prompt";
  return "";
}

function embeddingsOf(ask, how) {
  const inputs = Array.isArray(ask.input) && typeof ask.input[0] !== "number" ? ask.input : [ask.input];
  const width = how.width ?? ask.dimensions ?? 16;
  let data = inputs.map((text, index) => {
    const vector = embed(String(text), width);
    if (how.not_numbers) vector[1] = "1";
    const embedding = ask.encoding_format === "base64" ? Buffer.from(new Float32Array(vector).buffer).toString("base64") : vector;
    return { object: "embedding", index, embedding };
  });
  if (how.count > 0) data = [...data, ...Array.from({ length: how.count }, (_, i) => ({ ...data[0], index: data.length + i }))];
  if (how.count < 0) data = data.slice(0, how.count);
  if (how.shuffle) data.reverse();
  const prompt_tokens = inputs.reduce((sum, text) => sum + tokensOf(String(text)).length, 0);
  const usage = usageOf({ prompt_tokens, total_tokens: prompt_tokens }, how.usage);
  return { object: "list", data, model: ask.model, ...(usage === undefined ? {} : { usage }) };
}

const logprobOf = (token, more) => ({ token, logprob: -0.25, bytes: [...Buffer.from(token)], ...more });
const chatLogprobs = (tokens, ask) => ({ content: tokens.map((t) => logprobOf(t, { top_logprobs: Array.from({ length: ask.top_logprobs ?? 0 }, (_, i) => logprobOf(i ? `${t}${i}` : t)) })), refusal: null });
const textLogprobs = (tokens) => ({ tokens, token_logprobs: tokens.map(() => -0.25), top_logprobs: null, text_offset: tokens.map((_, i) => tokens.slice(0, i).join("").length) });

function wholeOf(path, ask, answer, id, how) {
  const chat = path === "/chat/completions";
  let choices = answer.choices.map(({ tokens, tools, finish }, index) => (chat
    ? { index, message: { role: "assistant", content: tools ? null : tokens.join(""), refusal: null, ...(tools ? { tool_calls: tools } : {}) }, logprobs: ask.logprobs ? chatLogprobs(tokens, ask) : null, finish_reason: finish }
    : { index, text: tokens.join(""), logprobs: typeof ask.logprobs === "number" ? textLogprobs(tokens) : null, finish_reason: finish }));
  if (how.count > 0) choices = [...choices, ...Array.from({ length: how.count }, (_, i) => ({ ...choices[0], index: choices.length + i }))];
  if (how.count < 0) choices = choices.slice(0, how.count);
  if (how.shuffle) choices.reverse();
  const usage = usageOf(answer.usage, how.usage);
  return { id, object: chat ? "chat.completion" : "text_completion", created: 1700000000, model: ask.model, choices, ...(usage === undefined ? {} : { usage }), system_fingerprint: "fp_fake" };
}

// Of several choices the events come in turn, as vLLM sends them; with `shuffle` the last choice first.
function* eventsOf(path, ask, how, answer, id) {
  const chat = path === "/chat/completions";
  const wantsUsage = ask.stream_options?.include_usage;
  const event = (choices, more = {}, tokens = 0) => ({ tokens, text: JSON.stringify({ id, object: chat ? "chat.completion.chunk" : "text_completion", created: 1700000000, model: ask.model, choices, system_fingerprint: "fp_fake", ...(wantsUsage ? { usage: null } : {}), ...more }) });
  const turn = answer.choices.map((choice, index) => ({ ...choice, index }));
  if (how.shuffle) turn.reverse();
  if (chat) for (const { index, tools } of turn) yield event([{ index, delta: { role: "assistant", content: tools ? null : "" }, logprobs: null, finish_reason: null }]);
  if (how.event) yield { tokens: 0, text: JSON.stringify(how.event) };
  const most = Math.max(...turn.map(({ tokens }) => tokens.length));
  for (let i = 0; i < most || how.endless; i++) {
    for (const { index, tokens, tools } of turn) {
      const token = tokens[how.endless ? i % tokens.length : i];
      if (tools || token === undefined) continue;
      yield event([chat ? { index, delta: { content: token }, logprobs: ask.logprobs ? chatLogprobs([token], ask) : null, finish_reason: null } : { index, text: token, logprobs: typeof ask.logprobs === "number" ? textLogprobs([token]) : null, finish_reason: null }], {}, 1);
    }
  }
  for (const { index, tools } of turn) {     // a call comes in pieces: its name, then its arguments bit by bit
    for (const [at, one] of (tools ?? []).entries()) {
      yield event([{ index, delta: { tool_calls: [{ index: at, id: one.id, type: "function", function: { name: one.function.name, arguments: "" } }] }, finish_reason: null }], {}, 1);
      for (const piece of one.function.arguments.match(/.{1,7}/gs) ?? []) yield event([{ index, delta: { tool_calls: [{ index: at, function: { arguments: piece } }] }, finish_reason: null }], {}, 1);
    }
  }
  for (const { index, finish } of turn) yield event([chat ? { index, delta: {}, logprobs: null, finish_reason: finish } : { index, text: "", logprobs: null, finish_reason: finish }]);
  const usage = usageOf(answer.usage, how.usage);
  if (wantsUsage && usage !== undefined) yield event([], { usage });
}

async function readBody(req) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of req) {
    if ((bytes += chunk.length) > BODY_BYTES_MAX) throw new Error("request too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

export { fromSchema };

// By hand, and as a pod that can be killed: node server.mjs [--port N | --unix PATH] [--name N] [--models a,b] [--key K] [--slots N] [--refuse-over N] [--how JSON]
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const said = Object.fromEntries(process.argv.slice(2).join("\0").split(/(?:^|\0)--/).filter(Boolean).map((pair) => pair.split("\0")));
  const fake = new FakeModels({ name: said.name ?? "fake", models: said.models?.split(","), key: said.key, slots: Number(said.slots ?? 0), refuse_over: Number(said["refuse-over"] ?? 0), how: said.how ? JSON.parse(said.how) : {} });
  await fake.listen(said.unix ?? Number(said.port ?? 0));
  console.log(`ready ${fake.url}`);
  process.stdin.on("end", () => process.exit(0)).resume();      // whoever started it is gone
}
