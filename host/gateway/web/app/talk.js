// talk.js: a talk with the model: what was said, the answer that comes, and the way to stop it. It stays in this tab's memory and nowhere else.
import { HostError } from "/app/error.js";

const KEPT = 16;                     // messages that go along: the model's memory of the talk is no longer than that
const ANSWER_TOKENS = 400;

export class Talk {
  /** @type {{role: "user" | "assistant", text: string, state: "said" | "coming" | "stopped" | "failed", error?: any}[]} */
  messages = [];
  #host; #onChange; #abort = null; #drawing = 0;

  /** @param {import("./host.js").Host} host @param {() => void} onChange called when something was said */
  constructor(host, onChange) {
    this.#host = host;
    this.#onChange = onChange;
  }

  get busy() { return this.#abort !== null; }

  /** @param {string} text @param {string} [model] */
  async ask(text, model) {
    if (this.busy || !text.trim()) return;
    this.messages.push({ role: "user", text: text.trim(), state: "said" });
    await this.#answer(model);
  }
  /** Asks the last question once more, after an answer that failed or was stopped. @param {string} [model] */
  async again(model) {
    if (this.busy || this.messages.at(-1)?.role !== "assistant") return;
    this.messages.pop();
    await this.#answer(model);
  }
  /** Ends the answer that is coming; the host ends the model's work too. */
  stop() { this.#abort?.abort(); }
  clear() {
    this.stop();
    this.messages = [];
    this.#onChange();
  }

  async #answer(model) {
    const asked = this.messages.filter((one) => one.text).slice(-KEPT).map(({ role, text }) => ({ role, content: text }));
    const mine = { role: "assistant", text: "", state: "coming" }, abort = this.#abort = new AbortController();
    this.messages.push(mine);
    this.#onChange();
    try {
      await this.#host.stream("/v1/chat/completions", { ...(model ? { model } : {}), messages: asked, stream: true, max_tokens: ANSWER_TOKENS }, { signal: abort.signal, onEvent: (data) => this.#hear(mine, data) });
      mine.state = "said";
      if (!mine.text) throw new HostError("llm_nothing", "The model said nothing.");
    } catch (error) {
      mine.state = abort.signal.aborted ? "stopped" : "failed";
      if (mine.state === "failed") mine.error = error;
    } finally {
      if (this.#abort === abort) this.#abort = null;
      this.#onChange();
    }
  }

  #hear(mine, data) {
    if (data === "[DONE]") return;
    let event;
    try { event = JSON.parse(data); } catch { return; }
    if (event.error) throw new HostError(event.error.code ?? event.error.type ?? "llm_backend", event.error.message);
    const text = event.choices?.[0]?.delta?.content;
    if (typeof text !== "string" || !text) return;
    mine.text += text;
    this.#soon();
  }
  // A fast model says more than a screen can draw.
  #soon() {
    if (this.#drawing) return;
    this.#drawing = requestAnimationFrame(() => { this.#drawing = 0; this.#onChange(); });
  }
}
