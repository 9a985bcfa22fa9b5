// server.mjs: a Bot API of our own (core.telegram.org/bots/api), for tests without Telegram: tokens, the envelope, parameters in the query, as form, multipart or
// JSON, the menu button, messages and updates by long polling. Only what somebody here uses; any other method is "Not Found", as there.
import http from "node:http";
import https from "node:https";
import { fileURLToPath } from "node:url";

const BODY_BYTES_MAX = 1024 * 1024;
const POLL_MS_MAX = 50000;

class Refusal extends Error {
  constructor(code, description, parameters) { super(description); Object.assign(this, { code, parameters }); }
}
const bad = (text) => new Refusal(400, `Bad Request: ${text}`);

export class FakeTelegram {
  /** @param {{bots?: {token: string, username: string, first_name?: string}[], tls?: {key: string|Buffer, cert: string|Buffer}}} [options] */
  constructor({ bots = [], tls } = {}) {
    this.bots = new Map();
    this.asked = [];                       // {method, params, token, test}: every request that had a known form
    this.faults = [];                      // how the next answers go wrong: see fail()
    for (const bot of bots) this.addBot(bot);
    this.server = tls ? https.createServer(tls, (...args) => this.#request(...args)) : http.createServer((...args) => this.#request(...args));
    this.scheme = tls ? "https" : "http";
  }

  addBot({ token, username, first_name = username }) {
    const id = Number(token.split(":")[0]);
    const bot = { token, user: { id, is_bot: true, first_name, username }, menu: { type: "default" }, chats: new Map(), updates: [], nextUpdate: 1, nextMessage: 1, sent: [], waiting: [], commands: [], webhook: null };
    this.bots.set(token, bot);
    return bot;
  }

  listen(port = 0) {
    return new Promise((resolve, reject) => {
      this.server.on("error", reject);
      this.server.listen(port, "127.0.0.1", () => { this.url = `${this.scheme}://localhost:${this.server.address().port}`; resolve(this.url); });
    });
  }

  close() {
    for (const bot of this.bots.values()) for (const wake of bot.waiting.splice(0)) wake();
    this.server.closeAllConnections?.();
    return new Promise((resolve) => this.server.close(resolve));
  }

  /** The next requests are answered so, one after the other. A fault: {method?, status, description, parameters} | {method?, raw, status, headers} |
   *  {method?, hang: true} | {method?, cut: true} | {method?, endless: true}. With a method only that one's. */
  fail(...faults) { this.faults.push(...faults); }

  /** A message of a person to a bot: comes to it as an update. */
  receive(token, from, text) {
    const bot = this.bots.get(token);
    const message = { message_id: bot.nextMessage++, from: { is_bot: false, first_name: "Ann", ...from }, chat: { id: from.id, type: "private", first_name: from.first_name ?? "Ann" }, date: Math.floor(Date.now() / 1000), text };
    bot.updates.push({ update_id: bot.nextUpdate++, message });
    for (const wake of bot.waiting.splice(0)) wake();
  }

  async #request(req, res) {
    const send = (status, body) => {
      if (res.writableEnded || res.destroyed) return;
      const text = JSON.stringify(body);
      res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
      res.end(text);
    };
    try {
      const url = new URL(req.url, "http://localhost");
      const found = /^\/bot([^/]+)\/(test\/)?(\w+)$/.exec(url.pathname);
      const params = { ...Object.fromEntries(url.searchParams), ...await readParams(req) };
      if (!found) throw new Refusal(404, "Not Found");
      const [, token, test, name] = found;
      const fault = this.#fault(name);
      this.asked.push({ method: name, params, token, test: Boolean(test) });
      if (fault) return this.#goWrong(fault, res, send);
      const bot = this.bots.get(token);
      if (!/^\d+:[\w-]+$/.test(token)) throw new Refusal(404, "Not Found");
      if (!bot) throw new Refusal(401, "Unauthorized");
      const method = Object.keys(methods).find((one) => one.toLowerCase() === name.toLowerCase());      // their names are not case-sensitive
      if (!method) throw new Refusal(404, "Not Found");
      send(200, { ok: true, result: await methods[method](bot, params, req) });
    } catch (error) {
      const code = error instanceof Refusal ? error.code : 500;
      send(code, { ok: false, error_code: code, description: error instanceof Refusal ? error.message : "Internal Server Error", ...(error.parameters ? { parameters: error.parameters } : {}) });
    }
  }

  #fault(method) {
    const at = this.faults.findIndex((one) => !one.method || one.method === method);
    return at < 0 ? null : this.faults.splice(at, 1)[0];
  }

  #goWrong(fault, res, send) {
    if (fault.hang) return;
    if (fault.cut) { res.writeHead(200, { "content-type": "application/json", "content-length": 1000 }); res.write('{"ok":true,'); setTimeout(() => res.destroy(), 20); return; }
    if (fault.endless) {
      res.writeHead(200, { "content-type": "application/json" });
      const more = () => { while (!res.destroyed && res.write("[".repeat(65536))); };
      res.on("drain", more);
      more();
      return;
    }
    if (fault.raw !== undefined) { res.writeHead(fault.status ?? 200, fault.headers ?? {}); res.end(fault.raw); return; }
    send(fault.status, { ok: false, error_code: fault.status, description: fault.description, ...(fault.parameters ? { parameters: fault.parameters } : {}) });
  }
}

async function readParams(req) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of req) {
    if ((bytes += chunk.length) > BODY_BYTES_MAX) throw new Refusal(413, "Request Entity Too Large");
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks), type = req.headers["content-type"] ?? "";
  if (!body.length) return {};
  if (type.startsWith("application/json")) {
    try { return JSON.parse(body.toString()) ?? {}; } catch { throw bad("can't parse JSON object"); }
  }
  if (type.startsWith("application/x-www-form-urlencoded")) return Object.fromEntries(new URLSearchParams(body.toString()));
  if (type.startsWith("multipart/form-data")) return Object.fromEntries(await new Response(body, { headers: { "content-type": type } }).formData());
  return {};
}

// Objects come as JSON text in a form, and as themselves in a JSON body.
const object = (value) => {
  if (typeof value !== "string") return value;
  try { return JSON.parse(value); } catch { throw bad("can't parse a parameter as JSON object"); }
};
function menuOf(value) {
  const menu = object(value) ?? { type: "default" };
  if (menu.type === "commands" || menu.type === "default") return { type: menu.type };
  if (menu.type !== "web_app") throw bad("menu button type is unsupported");
  if (typeof menu.text !== "string" || !menu.text) throw bad("menu button text must be non-empty");
  if (typeof menu.web_app?.url !== "string") throw bad("menu button web app URL must be specified");
  if (!menu.web_app.url.startsWith("https://")) throw bad(`menu button web app URL '${menu.web_app.url}' is invalid: Only HTTPS links are allowed`);
  return { type: "web_app", text: menu.text, web_app: { url: menu.web_app.url } };
}

const methods = {
  getMe: (bot) => ({ ...bot.user, can_join_groups: true, can_read_all_group_messages: false, supports_inline_queries: false, can_connect_to_business: false, has_main_web_app: false }),
  getChatMenuButton: (bot, { chat_id }) => (chat_id === undefined ? bot.menu : bot.chats.get(String(chat_id)) ?? bot.menu),
  setChatMenuButton(bot, { chat_id, menu_button }) {
    if (chat_id === undefined) bot.menu = menuOf(menu_button);
    else bot.chats.set(String(chat_id), menuOf(menu_button));
    return true;
  },
  setMyCommands(bot, { commands }) { bot.commands = object(commands) ?? []; return true; },
  getMyCommands: (bot) => bot.commands,
  deleteWebhook(bot, { drop_pending_updates }) { bot.webhook = null; if (drop_pending_updates) bot.updates = []; return true; },
  getWebhookInfo: (bot) => ({ url: bot.webhook ?? "", has_custom_certificate: false, pending_update_count: bot.updates.length }),
  sendMessage(bot, { chat_id, text, ...rest }) {
    if (!text) throw bad("message text is empty");
    if (!chat_id || Number.isNaN(Number(chat_id))) throw bad("chat not found");
    const message = { message_id: bot.nextMessage++, from: bot.user, chat: { id: Number(chat_id), type: "private", first_name: "Ann" }, date: Math.floor(Date.now() / 1000), text };
    bot.sent.push({ ...message, ...rest });
    return message;
  },
  async getUpdates(bot, { offset, limit = 100, timeout = 0 }, req) {
    if (bot.webhook) throw new Refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first");
    if (offset !== undefined) bot.updates = bot.updates.filter((one) => one.update_id >= Number(offset));      // what was asked past is confirmed
    if (!bot.updates.length && Number(timeout) > 0)
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.min(Number(timeout) * 1000, POLL_MS_MAX));
        const wake = () => { clearTimeout(timer); resolve(); };
        bot.waiting.push(wake);
        req.on("close", wake);
      });
    return bot.updates.slice(0, Math.max(1, Math.min(Number(limit), 100)));
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [port = "8081", token = "1234567:FAKE-token-for-tests-only-aaaaaaaaaaaa"] = process.argv.slice(2);
  const fake = new FakeTelegram({ bots: [{ token, username: "fake_bot" }] });
  console.log(`Bot API at ${await fake.listen(Number(port))}, token ${token}`);
}
