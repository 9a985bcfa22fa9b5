// matches.js: which matches this player has, how far each was seen, and the number of the next input. Kept by the shell, so that a page or a
// connection can go and come back without losing its place.
import { HostError } from "/app/error.js";

const BUSY_TRIES = 60, BUSY_MS = 250;      // a host or a worker that was killed plays its matches again before it answers
const INPUT_TRIES = 8;                     // lines that may break under one move
const BUSY = new Set(["match_resuming", "plugin_starting", "superseded"]);
const LOST = new Set(["connection_lost", "offline"]);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Matches {
  /** Settles when it is known what happened while the line was away. */
  back = Promise.resolve();
  #known = new Map();          // id -> {id, game, mode, seat, seq, n, ended, last}
  #began = new Set();          // games of which a match began while we were away
  #host; #onChange;

  /** @param {import("./host.js").Host} host @param {() => void} onChange */
  constructor(host, onChange) {
    this.#host = host;
    this.#onChange = onChange;
    host.on("event", (event) => this.#event(event));
    host.on("open", () => { this.back = this.#cameBack(); });
  }

  // What happened while we were away: matches that go on, that ended, and that began.
  async #cameBack() {
    this.#began.clear();
    for (const match of this.#known.values()) if (!match.ended) this.#catchUp(match);
    if (this.#host.opens === 1) return;
    try {
      const { matches } = await this.#host.api("GET", "/v1/me");
      const news = matches.filter((match) => !this.#known.has(match.id));
      this.#began = new Set(news.map((match) => match.game));
      this.learn(matches);
      for (const match of news) this.#catchUp(this.#known.get(match.id), 0);
    } catch { /* the next time the line opens */ }
  }
  #catchUp(match, from = match.seq) {
    match.n = undefined;
    this.resume(match.id, from).catch((error) => { if (error.code === "match_unknown") this.#end(match); });
  }

  /** What the host says is running. @param {{id: string, game: string, mode: string, seat: number}[]} list */
  learn(list) {
    for (const match of list) {
      if (!this.#known.has(match.id)) this.#known.set(match.id, { ...match, seq: 0, ended: false, last: Promise.resolve() });
    }
    this.#onChange();
  }

  /** Whether a match of this game began while the line was away. @param {string} game */
  began(game) { return this.#began.has(game); }
  gameOf(id) { return this.#known.get(id)?.game; }
  seatOf(id) { return this.#known.get(id)?.seat; }
  /** @param {string} [game] */
  running(game) {
    return [...this.#known.values()].filter((match) => !match.ended && (!game || match.game === game)).map(({ id, mode, seat, game: of }) => ({ id, mode, seat, game: of }));
  }

  /** @param {string} id @param {number} from last event seen; 0 asks for the whole view */
  async resume(id, from) {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#host.request("match.resume", { match: id, from });
      } catch (error) {
        if (!BUSY.has(error.code) || tries === BUSY_TRIES) throw error;
        await pause(BUSY_MS);
      }
    }
  }

  /** One input after the other: each carries the number after the last one the host took, by which it knows a repeated one. */
  input(id, name, args) {
    const match = this.#known.get(id), asked = { seq: match.seq, opens: this.#host.opens, online: this.#host.online };
    match.last = match.last.catch(() => {}).then(() => this.#input(match, asked, name, args));
    return match.last;
  }

  // Goes out exactly once whatever breaks on the way. A move that was not taken before the line broke goes out again only when nothing has
  // happened in the match since: it was made for what the player saw, and must not be played in a later round.
  async #input(match, asked, name, args) {
    let sent = 0;
    for (let tries = 1, busy = 1; ;) {
      await this.#host.whenOpen();
      try {
        if (match.n === undefined) await this.resume(match.id, 0);      // the start that comes back says how many were taken
        const taken = sent > 0 && match.n >= sent;                      // then this only asks for the answer
        if (!taken && this.#away(asked) && match.seq !== asked.seq) throw new HostError("stale", "The match has moved on meanwhile, so this was not played.");
        if (!taken) sent = (match.n ?? 0) + 1;
        const result = await this.#host.request("match.input", { match: match.id, n: sent, name, args });
        match.n = Math.max(match.n ?? 0, sent);
        return result;
      } catch (error) {
        match.n = undefined;             // taken and refused by the game, or not taken at all: ask before the next one
        if (LOST.has(error.code) && tries++ < INPUT_TRIES) continue;
        if (!BUSY.has(error.code) || busy++ === BUSY_TRIES) throw error;
        await pause(BUSY_MS);
      }
    }
  }
  #away(asked) { return !asked.online || asked.opens !== this.#host.opens; }

  #event(event) {
    if (!event.match) return;
    if (event.ev === "match.start") {
      const { match: id, game, mode, seat, seq, n } = event;
      this.#known.set(id, Object.assign(this.#known.get(id) ?? { last: Promise.resolve() }, { id, game, mode, seat, seq, n, ended: false }));
      this.#onChange();
      return;
    }
    const match = this.#known.get(event.match);
    if (!match) return;
    if (event.seq === match.seq + 1) match.seq = event.seq;
    if (event.ev === "match.end") this.#end(match);
  }
  #end(match) {
    match.ended = true;
    this.#onChange();
  }
}
