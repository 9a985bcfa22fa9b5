// watching.js: the match that somebody looks at without playing it. It is asked for again when the line comes back, and what it looks like now is kept, so
// that the game's page may come later, or again.
import { applyPatch } from "/sdk/frond.js";
import { HostError } from "/app/error.js";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const AGAIN = new Set(["offline", "connection_lost", "timeout"]);       // nobody has refused: it is asked again
const OVER = new Set(["match_ended", "match_unknown"]);
const AGAIN_MS = 2000;

/** The match that an address or a Telegram start parameter names: "#watch=ID", "watch_ID". Not null whenever it means to name one. @param {string} text */
export const watchedIn = (text) => /^(?:#watch=|watch_)(.*)$/.exec(text ?? "")?.[1] ?? null;

export class Watching {
  /** The match: {id, phase: "joining" | "on" | "over" | "refused", start: what is seen now as the event that begins it, end, error}, or null. */
  now = null;
  #host; #onChange; #tell; #told = 0; #asking = false; #opens = 0;

  /** @param {import("./host.js").Host} host @param {(now: any) => void} onChange @param {(event: any) => void} tell what the page is told */
  constructor(host, onChange, tell) {
    this.#host = host;
    this.#onChange = onChange;
    this.#tell = tell;
    host.on("open", () => { if (this.#wants()) this.#ask(); });
    for (const name of ["start", "patch", "event", "end"]) host.on(`watch.${name}`, (event) => { if (this.#wants() && event.match === this.now.id) this.#hear(event, name); });
  }

  /** @param {string} id of a match; from an address, so it may be anything */
  begin(id) {
    this.stop();
    this.#set({ id, phase: "joining", start: null, end: null, error: null });
    if (!ID.test(id)) this.#set({ phase: "refused", error: new HostError("match_unknown", "That is no match.") });
    else if (this.#host.online) this.#ask();
  }
  stop() {
    if (this.#wants() && this.#host.online) this.#host.request("match.unwatch", { match: this.now.id }).catch(() => {});       // a line that is gone watches nothing
    this.now = null;
  }
  /** What is seen now, as the event that begins it; its clock has gone on since. */
  whole() { return this.now?.start && { ...this.now.start, now_ms: Math.round(this.now.start.now_ms + performance.now() - this.#told) }; }

  #wants() { return this.now !== null && (this.now.phase === "joining" || this.now.phase === "on"); }
  #set(change) {
    this.now = { ...this.now, ...change };
    this.#onChange(this.now);
  }

  async #ask() {
    const { id } = this.now, mine = () => this.now?.id === id && this.#wants();
    this.#asking = true;
    this.#opens = this.#host.opens;
    try {
      await this.#host.request("match.watch", { match: id });
    } catch (error) {
      if (!mine()) return;
      if (AGAIN.has(error.code)) setTimeout(() => { if (mine() && this.#host.online && this.#opens === this.#host.opens) this.#ask(); }, AGAIN_MS);      // else the next line asks
      else this.#set({ phase: this.now.start && OVER.has(error.code) ? "over" : "refused", error });
    } finally {
      this.#asking = false;
    }
  }

  #hear(event, name) {
    const { start } = this.now;
    if (name === "start") {
      this.#told = performance.now();
      this.#set({ phase: "on", start: event });
    } else if (name === "end") {
      if (start) this.#set({ phase: "over", end: event });
      else this.#set({ phase: "refused", error: new HostError("match_ended", "The match is over.") });      // before there was anything to see
    } else {
      if (!start || event.seq <= start.seq) return;                    // before what we begin with
      if (event.seq !== start.seq + 1) { if (!this.#asking) this.#ask(); return; }      // one is missing: begin again
      start.seq = event.seq;
      if (name === "patch") {
        start.view = applyPatch(start.view, event.patch);
        start.now_ms = event.now_ms;
        this.#told = performance.now();
      }
    }
    this.#tell(event);
  }
}
