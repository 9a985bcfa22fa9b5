// tickets.js: places in queues that pages of this tab hold. The host forgets them with the player's last line, so they are asked for again when
// it is back; the page that waits keeps the ticket it was given and need not know.
import { HostError } from "/app/error.js";
import { commitSeed } from "/app/seeds.js";

const TICKETS_MAX = 16;              // the host lets a player hold 4
const STARTING_TRIES = 20, STARTING_MS = 500;

export class Tickets {
  #open = new Map();           // the page's ticket -> {plugin, fields, ticket: the host's}
  #host; #matches; #tell;

  /** @param {import("./host.js").Host} host @param {import("./matches.js").Matches} matches @param {(plugin: string, event: any) => void} tell */
  constructor(host, matches, tell) {
    this.#host = host;
    this.#matches = matches;
    this.#tell = tell;
    host.on("match.start", ({ game, mode }) => this.#forget((one) => one.plugin === game && one.fields.mode === mode));
    host.on("match.queue", (event) => this.#dropped(event));
    host.on("open", () => this.#cameBack());
  }

  /** @param {string} plugin @param {Object<string, any>} fields of match.find */
  async find(plugin, fields) {
    const found = await this.#ask(plugin, fields);
    if (typeof found.ticket === "string") this.#open.set(found.ticket, { plugin, fields, ticket: found.ticket });
    if (this.#open.size > TICKETS_MAX) this.#open.delete(this.#open.keys().next().value);
    return found;
  }
  async #ask(plugin, fields) { return this.#host.request("match.find", { ...fields, seed_commit: await commitSeed(plugin) }); }

  /** Another game's place in its queue is none of this page's business. @param {string} plugin @param {string} [ticket] all of them when absent @param {(fields: any) => any} admit */
  async leave(plugin, ticket, admit) {
    let left = 0;
    for (const [name, one] of [...this.#open]) {
      if (one.plugin !== plugin || (ticket !== undefined && ticket !== name)) continue;
      this.#open.delete(name);                            // also when the line is gone: then the host has forgotten it
      try {
        left += (await this.#host.request("match.leave_queue", admit({ ticket: one.ticket }))).left;
      } catch (error) {
        if (error.code !== "offline" && error.code !== "connection_lost") throw error;
      }
    }
    return { left };
  }

  async #cameBack() {
    await this.#matches.back;                             // a match may have begun just before the line was lost
    for (const [name, one] of [...this.#open]) {
      if (this.#matches.began(one.plugin)) this.#open.delete(name);
      else await this.#again(name, one);
    }
  }
  async #again(name, one) {
    for (let tries = 1; this.#open.get(name) === one; tries++) {
      try {
        one.ticket = (await this.#ask(one.plugin, one.fields)).ticket ?? one.ticket;
        return;
      } catch (error) {
        if (error.code === "connection_lost" || error.code === "offline" || error.code === "already_matched") return;      // the next line tries again; or the match is on its way
        if (error.code === "plugin_starting" && tries < STARTING_TRIES) await new Promise((resolve) => setTimeout(resolve, STARTING_MS));
        else return this.#lose(name, one, error instanceof HostError ? error.code : "unknown");
      }
    }
  }
  #lose(name, one, code) {
    this.#open.delete(name);
    this.#tell(one.plugin, { ev: "match.queue", ticket: name, error: code });
  }

  // The host dropped a ticket: the page knows it by the name it was first given.
  #dropped(event) {
    const found = [...this.#open].find(([, one]) => one.ticket === event.ticket);
    if (!found) return;
    this.#open.delete(found[0]);
    this.#tell(found[1].plugin, { ...event, ticket: found[0] });
  }
  #forget(which) {
    for (const [name, one] of this.#open) if (which(one)) this.#open.delete(name);
  }
}
