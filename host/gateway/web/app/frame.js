// frame.js: one plugin's page in its frame. The page has no origin, no session and no network; all it can do is ask over the port, and here is
// the list of what it may ask. Everything it sends is a stranger's: checked, bounded, and about this plugin only.
import { checkDeal } from "/app/seeds.js";
import { language } from "/app/i18n.js";
import { haptic } from "/app/telegram.js";
import { HostError } from "/app/host.js";

const OUTSTANDING_MAX = 32;          // requests a page may have open
const MESSAGES_PER_SECOND_MAX = 100; // past it the page is cut off
const ASKS_PER_SECOND_MAX = 40;      // of the host: it closes a player's line at 50, and the shell needs some for itself
const ASK_BYTES_MAX = 60 * 1024;     // a message of 64 KiB would close it too
const REFUSALS_MAX = 3;              // approvals refused one after the other; then the page may not ask for a while
const REFUSED_MS = 30000;
const STORAGE_KEYS_MAX = 64;
const STORAGE_KEY_CHARS_MAX = 128;
const STORAGE_VALUE_CHARS_MAX = 16 * 1024;
const WATCHING_OPS = new Set(["info", "theme", "haptic", "close", "match.watch", "storage.get", "storage.set", "storage.remove"]);      // of a page that only watches

export class PluginFrame {
  #port = null; #loads = 0; #outstanding = 0; #refusals = 0; #deafUntil = 0; #second = 0; #messages = 0; #asks = ASKS_PER_SECOND_MAX; #asked = 0;

  /**
   * @param {HTMLIFrameElement} frame
   * @param {{plugin: string, player: {id: string, name: string}, game: any, host: import("./host.js").Host, matches: import("./matches.js").Matches,
   *   tickets: import("./tickets.js").Tickets, online: () => boolean, theme: () => any, approve: (need: any) => Promise<boolean>, onClose: () => void, onBroken: (why: "elsewhere" | "flood") => void,
   *   watching?: import("./watching.js").Watching}} context `watching`: the page shows a match that this player only watches, and may do nothing in it
   */
  constructor(frame, context) {
    this.context = context;
    this.unlisten = context.host.on("event", (event) => this.#hostEvent(event));
    frame.addEventListener("load", () => this.#loaded(frame));
  }

  // The first load is the page we opened. A later one is wherever the page went by itself: it gets nothing.
  #loaded(frame) {
    if (++this.#loads > 1) {
      this.#cutOff("elsewhere");
      return;
    }
    const channel = new MessageChannel();
    this.#port = channel.port1;
    this.#port.onmessage = (event) => this.#receive(event.data);
    frame.contentWindow.postMessage({ frond: "hello", v: 1 }, "*", [channel.port2]);      // an opaque origin cannot be named; the window is the one we made
  }

  #cutOff(why) {
    this.drop();
    this.context.onBroken(why);
  }

  drop() {
    this.unlisten();
    this.#port?.close();
    this.#port = null;
  }

  send(message) { this.#port?.postMessage(message); }

  async #hostEvent(event) {
    if (this.context.watching) return;                              // what is watched comes from watching.js
    if (event.ev === "match.seed") return;                          // between shell and host
    if (event.ev === "match.end") event = { ...event, dealt_fairly: await checkDeal(event, this.context.matches.seatOf(event.match)) };
    if (event.match && event.ev !== "match.rematch" && this.context.matches.gameOf(event.match) === this.context.plugin) this.send(event);
    if (event.ev === "notice" || (event.ev === "match.rematch" && event.game === this.context.plugin)) this.send(event);
  }

  async #receive(message) {
    const second = Math.floor(performance.now() / 1000);
    this.#messages = second === this.#second ? this.#messages + 1 : 1;
    this.#second = second;
    if (this.#messages > MESSAGES_PER_SECOND_MAX) return this.#cutOff("flood");
    if (typeof message !== "object" || message === null || typeof message.op !== "string" || typeof message.id !== "number") return;
    const { id, op } = message;
    if (!Object.hasOwn(operations, op)) return this.#answer(id, new HostError("unknown_op", `There is no operation ${op.slice(0, 40)}.`));
    if (this.context.watching && !WATCHING_OPS.has(op)) return this.#answer(id, new HostError("watching", "Who watches a match cannot do that."));
    if (this.#outstanding >= OUTSTANDING_MAX) return this.#answer(id, new HostError("busy", `A page may have ${OUTSTANDING_MAX} requests open.`));
    this.#outstanding++;
    try {
      this.#answer(id, await operations[op].call(this, message, this.context));
    } catch (error) {
      if (!(error instanceof HostError)) console.error(error);
      this.#answer(id, error instanceof HostError ? error : new HostError("shell_error", "The shell could not do that."));
    } finally {
      this.#outstanding--;
    }
  }
  #answer(id, result) {
    if (!(result instanceof HostError)) return this.send({ id, ok: true, result });
    const { message, stack, cause, status, ...error } = result;
    this.send({ id, ok: false, error: { ...error, code: result.code, detail: result.detail } });
  }

  // What may go on to the host: seldom enough, short enough, and nothing that JSON cannot carry. The line is the player's, not the page's.
  admit(fields) {
    const now = performance.now();
    this.#asks = Math.min(ASKS_PER_SECOND_MAX, this.#asks + (now - this.#asked) * ASKS_PER_SECOND_MAX / 1000);
    this.#asked = now;
    if (this.#asks < 1) throw new HostError("busy", `A page may ask the host ${ASKS_PER_SECOND_MAX} times a second.`);
    this.#asks--;
    let text;
    try { text = JSON.stringify(fields); } catch { throw new HostError("bad_arguments", "What is sent to the host must be plain data."); }
    if (new TextEncoder().encode(text).length > ASK_BYTES_MAX) throw new HostError("too_large", `A request may have ${ASK_BYTES_MAX} bytes.`);
    return fields;
  }

  // Runs `attempt`; when the host wants the player's approval, asks on the shell's own sheet and tries again.
  async withApproval(attempt) {
    try {
      return await attempt();
    } catch (error) {
      if (error.code !== "consent_required" || error.plugin !== this.context.plugin) throw error;
      if (Date.now() < this.#deafUntil) throw new HostError("consent_refused", "You refused several times, so this game may not ask again just now. No coins moved.", { paused: true });
      if (!await this.context.approve(error)) {
        if (++this.#refusals % REFUSALS_MAX === 0) this.#deafUntil = Date.now() + REFUSED_MS;
        throw new HostError("consent_refused", "You did not approve this, so no coins moved.");
      }
      this.#refusals = 0;
      return attempt();
    }
  }

  ownMatch(id) {
    if (typeof id !== "string" || this.context.matches.gameOf(id) !== this.context.plugin) throw new HostError("not_your_match", "That is no match of this game.");
    return id;
  }
}

const operations = {
  async info(_, { plugin, player, game, matches, online, watching }) {
    return { plugin, player, game, language, online: online(), matches: watching ? [] : matches.running(plugin), watching: watching?.now ? { match: watching.now.id } : null };
  },
  async theme(_, { theme }) { return theme(); },
  async haptic({ kind }) { haptic(String(kind)); return {}; },
  async close(_, { onClose }) { onClose(); return {}; },

  async call({ id, fn, args, key, stream }, { plugin, host }) {
    const fields = this.admit({ plugin, fn: String(fn), args: args ?? {}, key: key === undefined ? undefined : String(key) });
    const onStream = stream === true ? (event) => this.send({ ...event, id }) : undefined;       // under the page's own number
    return this.withApproval(() => host.request("call", fields, { onStream }));
  },
  async "match.find"({ mode, stake, bot, with: again, options }, { plugin, tickets }) {
    const fields = this.admit({ game: plugin, mode: String(mode), stake: String(stake), options, bot: bot === true ? true : undefined,
      with: again === undefined ? undefined : String(again) });
    return this.withApproval(() => tickets.find(plugin, fields));
  },
  async "match.leave_queue"({ ticket }, { plugin, tickets }) { return tickets.leave(plugin, ticket, (fields) => this.admit(fields)); },
  async "match.input"({ match, name, args }, { matches }) {
    const { name: input, args: values } = this.admit({ name: String(name), args: args ?? {} });
    return matches.input(this.ownMatch(match), input, values);
  },
  async "match.resume"({ match, from }, { matches }) {
    return matches.resume(this.ownMatch(this.admit({ match }).match), Number.isSafeInteger(from) ? from : 0);
  },
  async "match.relay"({ match, name, data }, { host }) { return host.request("match.relay", this.admit({ match: this.ownMatch(match), name: String(name), data })); },
  async "match.watch"(_, { watching }) {
    const whole = watching?.whole(), end = watching?.now?.end;
    if (!watching) throw new HostError("not_watching", "This page plays; another one watches.");
    if (whole) this.send(whole);
    if (end) this.send(end);
    return {};
  },
  async "match.leave"({ match }, { host }) { return host.request("match.leave", this.admit({ match: this.ownMatch(match) })); },

  // The shell shows it over the page; what stands there the page does not learn.
  async "match.receipt"({ match }, { receipt }) {
    await receipt(this.ownMatch(this.admit({ match }).match));
    return {};
  },

  async "storage.get"({ key }, context) {
    const text = localStorage.getItem(storageKey(context, key));
    return text === null ? {} : { value: JSON.parse(text) };
  },
  async "storage.set"({ key, value }, context) {
    const name = storageKey(context, key), text = JSON.stringify(value ?? null);
    if (text.length > STORAGE_VALUE_CHARS_MAX) throw new HostError("too_large", `A stored value may have ${STORAGE_VALUE_CHARS_MAX} characters.`);
    const kept = Object.keys(localStorage).filter((other) => other.startsWith(storageKey(context, "")));
    if (!kept.includes(name) && kept.length >= STORAGE_KEYS_MAX) throw new HostError("too_many", `A page may store ${STORAGE_KEYS_MAX} values.`);
    localStorage.setItem(name, text);
    return {};
  },
  async "storage.remove"({ key }, context) { localStorage.removeItem(storageKey(context, key)); return {}; },
};

function storageKey({ plugin, player }, key) {
  if (typeof key !== "string" || key.length > STORAGE_KEY_CHARS_MAX) throw new HostError("bad_arguments", `A key is a text of up to ${STORAGE_KEY_CHARS_MAX} characters.`);
  return `frond.page.${player.id}.${plugin}.${key}`;
}
