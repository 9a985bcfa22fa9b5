// policy.test.mjs: telegram.policy. Under "strict" nothing inside Telegram leads to an EVM wallet: a browser walks every screen of the shell and finds no word, link or request of it, and every
// route that has to do with chains refuses the sessions that came through launch data. Outside, at /wallet/, Telegram's login for web pages opens a session of its own. "open" is for development.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { BUILD, ROOT, checks, startHost } from "./host.mjs";
import { launch, person, until } from "../page/browser.mjs";

const { check, end } = checks();
const FORBIDDEN = /wallet\/|ethereum|\bEVM\b|\b0x[0-9a-f]{40}\b|deposit|withdraw|\bmint\b|link a wallet|metamask|walletconnect|입금|출금|지갑 연결/i;
// Every row of the table of routes that is behind the gate: a new one is asked too.
const ROUTES = [...readFileSync(path.join(ROOT, "host/gateway/gateway.c"), "utf8").matchAll(/\{ "(\w+)",\s+"([^"]+)",\s+GW_WALLET,/g)].map(([, method, route]) => [method, route.replaceAll("{}", "x")]);

async function ask(host, method, route, { token, body, auth } = {}) {
  const reply = await fetch(host.url + route, { method, headers: { ...((token || auth) && { authorization: auth ?? `Bearer ${token}` }), ...(body && { "content-type": "application/json" }) }, body: body && JSON.stringify(body) });
  const text = await reply.text();
  return { status: reply.status, ...(text && JSON.parse(text)) };
}
async function signIn(host, id, name) {
  const { init_data } = await ask(host, "POST", "/v1/dev/launch", { body: { user: { id, first_name: name } } });
  return ask(host, "POST", "/v1/session", { auth: `tma ${init_data}` });
}
const config = (host, name, value) => { const file = path.join(host, name); writeFileSync(file, JSON.stringify(value)); return file; };

// Telegram's login for web pages, as its documentation computes it.
function login(token, fields) {
  const text = Object.keys(fields).sort().map((key) => `${key}=${fields[key]}`).join("\n");
  return { ...fields, hash: createHmac("sha256", createHash("sha256").update(token).digest()).update(text).digest("hex") };
}

assert.ok(ROUTES.length >= 9, "the table was read");
let host = await startHost();
await host.stop();
const strict = config(host.data, "strict.json", { telegram: { policy: "strict" } }), open = config(host.data, "open.json", { telegram: { policy: "open" } });
host = await startHost({ data: host.data, args: ["--config", strict] });

await check("strict: every such route refuses the shell's sessions and games'", async () => {
  const shell = await signIn(host, 1001, "Ann"), game = await ask(host, "POST", "/v1/session/game", { token: shell.token, body: { plugin: "duel" } });
  assert.deepEqual([shell.scope, game.scope], ["shell", "game:duel"]);
  for (const { token } of [shell, game]) for (const [method, route] of ROUTES) {
    const refused = await ask(host, method, route, { token, ...(method === "POST" && { body: {} }) });
    assert.deepEqual([refused.status, refused.code], [403, "policy_telegram"], `${method} ${route}`);
  }
  assert.equal((await ask(host, "GET", "/v1/me", { token: shell.token })).wallet, false);
  assert.equal((await ask(host, "GET", "/v1/me", { token: game.token })).wallet, false);
});

await check("strict: Telegram's login opens /wallet/'s own session, which reaches them", async () => {
  const token = readFileSync(path.join(host.data, "dev-bot-token"), "utf8").trim(), now = Math.floor(Date.now() / 1000);
  const made = await ask(host, "POST", "/v1/wallet/session", { body: { login: login(token, { id: 1001, first_name: "Ann", auth_date: now }) } });
  assert.equal(made.scope, "wallet", JSON.stringify(made));
  assert.deepEqual((await ask(host, "GET", "/v1/wallet/links", { token: made.token })).links, []);
  for (const [method, route] of ROUTES) assert.notEqual((await ask(host, method, route, { token: made.token, ...(method === "POST" && { body: {} }) })).code, "policy_telegram", route);
  const bad = async (fields, sign = token) => (await ask(host, "POST", "/v1/wallet/session", { body: { login: login(sign, fields) } })).code;
  assert.equal(await bad({ id: 1001, auth_date: now }, "1:" + "B".repeat(35)), "login_bad_hash");
  assert.equal(await bad({ id: 1001, auth_date: now - 601 }), "login_stale");
  assert.equal(await bad({ id: 1001, auth_date: now + 120 }), "login_future");
  assert.equal(await bad({ id: 999999, auth_date: now }), "player_unknown");
  const { init_data } = await ask(host, "POST", "/v1/dev/launch", { body: { user: { id: 1001, first_name: "Ann" } } });
  assert.equal((await ask(host, "POST", "/v1/wallet/session", { body: { login: Object.fromEntries(new URLSearchParams(init_data)) } })).code, "login_malformed");       // launch data is no login
  assert.equal((await ask(host, "POST", "/v1/wallet/session", { body: { code: "x", login: {} } })).status, 400);
});

const browser = await launch();
await check("strict: a walk through every screen of the shell finds nothing of it, in English and in Korean", async () => {
  for (const [locale, name] of [["en-US", "Ann"], ["ko-KR", "Ben"]]) {
    const one = await person(browser, host.url, name, { locale }), asked = [];
    one.page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    const look = async (where) => {
      const found = await one.page.evaluate(() => [document.body.innerText, ...[...document.querySelectorAll("*")].flatMap((each) => [...each.attributes].map((a) => a.value))].join("\n"));
      assert.ok(!FORBIDDEN.test(found), `${where}: ${FORBIDDEN.exec(found)?.[0]}`);
    };
    await one.page.getByTestId("open-duel").waitFor();
    await look("home");
    for (const tab of ["games", "history", "wallet", "account"]) {
      await one.page.getByTestId(`tab-${tab}`).click();
      await one.page.waitForTimeout(700);
      await look(tab);
    }
    await until("the shell asked what it may show", () => asked.includes("/v1/me"));
    await one.page.getByTestId("tab-games").click();
    await one.page.getByTestId("open-duel").click();
    await one.game.getByTestId("lobby").waitFor();
    await look("a game");
    await one.game.getByTestId("stake-10000000000").check();
    await one.game.getByTestId("find").click();
    await one.page.getByTestId("approval").waitFor();
    await look("the approval");
    assert.deepEqual(asked.filter((each) => /outside|^\/wallet|\/v1\/wallet\/./.test(each) && each !== "/v1/wallet/journal"), [], "nothing of it is even loaded");
    assert.deepEqual(one.complaints, []);
    await one.context.close();
  }
});
await browser.close();
await host.stop();

await check("open is what a development host has, and says so; the shell shows it where there is a chain", async () => {
  for (const args of [[], ["--config", open]]) {
    host = await startHost({ data: host.data, args });
    const shell = await signIn(host, 1001, "Ann"), { code, url } = await ask(host, "POST", "/v1/wallet/link/begin", { token: shell.token });
    assert.match(url, new RegExp(`^${host.url}/wallet/#${code}$`));
    assert.equal((await ask(host, "POST", "/v1/wallet/session", { body: { code } })).scope, "wallet");
    const { chain_id, app } = await ask(host, "GET", "/v1/wallet/info");
    assert.equal((await ask(host, "GET", "/v1/me", { token: shell.token })).wallet, chain_id !== "0");
    assert.equal(app, chain_id !== "0");
    await host.stop();
  }
});

await check("in production open is refused at the start, strict is what it is, other words are none", async () => {
  const frond = process.env.FROND ?? path.join(BUILD, "frond"), token = "7342037359:AAHI25ES9xCOMPokpYoz-p8XVrZUdygo2J4";
  const serve = (value) => {
    const data = path.join(host.data, `p${Math.random()}`), file = config(host.data, "p.json", value);
    const { stdout, stderr, status } = spawnSync(frond, ["serve", "--json", "--data", data, "--listen", "127.0.0.1:0", "--config", file], { cwd: ROOT, encoding: "utf8", timeout: 8000, env: { ...process.env, FROND_BOT_TOKEN: token } });
    return { status, said: stdout + stderr };
  };
  const opened = serve({ telegram: { policy: "open" } });
  assert.equal(opened.status, 1);
  assert.match(opened.said, /"policy_open"/);
  assert.ok(!opened.said.includes(token));
  assert.match(serve({ telegram: { policy: "loose" } }).said, /telegram\.policy: expected/);
  const strictly = serve({ telegram: { policy: "strict", public_url: "https://play.example.org" } });
  assert.match(strictly.said, /"ready"/);               // it served until the time was over
});

host.clean();
end();
