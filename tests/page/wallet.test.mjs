// wallet.test.mjs: /wallet/ in a real browser with an injected EIP-1193 wallet (ethers behind it), a host of tests/chain's payout-tool and anvil with the real contract: a link from the
// app, a wallet linked by signature, coins withdrawn and seen to arrive. Then the same over HTTP with everything that must be refused. Pictures go to $BUILD/test-shots.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { audit } from "../flow/audit.mjs";
import { BUILD, checks } from "../flow/host.mjs";
import { ANVIL, call, startAnvil } from "../chain/node.mjs";
import { GEN, TOOL, Wallet, deploy, open } from "../chain/payout.mjs";
import { SIZES, launch, until } from "./browser.mjs";

const SHOTS = path.join(BUILD, "test-shots"), { check, end } = checks();
const missing = [ANVIL, TOOL, GEN].filter((file) => !existsSync(file));
if (missing.length) { console.log(`ok wallet # skip: ${missing.join(", ")} not there`); process.exit(0); }
mkdirSync(SHOTS, { recursive: true });

const last = [], t = { after: (work) => last.unshift(work) };
const data = mkdtempSync(path.join(tmpdir(), "frond-wallet-"));
t.after(() => rmSync(data, { recursive: true, force: true }));
const node = await startAnvil(t), chain = await deploy(node);
const tool = open(t, data, node, chain, { listen: 1, age_ms: 50, two_from: 900000000000, cooldown_ms: 4000 });
const url = await tool.url(), PALM = 1000000000n;

async function ask(method, route, { token, body, headers = {} } = {}) {
  const reply = await fetch(url + route, { method, headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { "content-type": "application/json" }), ...headers }, body: body && JSON.stringify(body) });
  const text = await reply.text();
  return { status: reply.status, ...(text && JSON.parse(text)) };
}
async function player(id, name) {
  const { init_data } = await ask("POST", "/v1/dev/launch", { body: { user: { id, first_name: name } } });
  const shell = await ask("POST", "/v1/session", { headers: { authorization: `tma ${init_data}` } });
  assert.equal(shell.scope, "shell", JSON.stringify(shell));
  await tool.fund(shell.player.id, 2000n * PALM);
  return { id: shell.player.id, token: shell.token };
}
const begin = async (one) => { const made = await ask("POST", "/v1/wallet/link/begin", { token: one.token }); assert.equal(made.status, 200, JSON.stringify(made)); return made; };
const outside = async (one) => { const made = await ask("POST", "/v1/wallet/session", { body: { code: (await begin(one)).code } }); assert.equal(made.scope, "wallet", JSON.stringify(made)); return made.token; };
async function link(token, wallet, change = (m) => m) {
  const { message, ...rest } = await ask("POST", "/v1/wallet/links/message", { token, body: { address: wallet.address } });
  if (!message) return rest;
  return ask("POST", "/v1/wallet/links", { token, body: { message: change(message), signature: await wallet.signMessage(message) } });
}

const ann = await player(1001, "Ann"), ben = await player(1002, "Ben");

await check("ethers' wallets are linked and given up, fifty of them", async () => {
  const token = await outside(ann);
  for (let i = 0; i < 50; i++) {
    const wallet = Wallet.createRandom(), made = await link(token, wallet);
    assert.deepEqual([made.status, made.address], [201, wallet.address], JSON.stringify(made));
    assert.equal((await ask("DELETE", `/v1/wallet/links/${wallet.address}`, { token })).status, 204);
  }
  assert.deepEqual((await ask("GET", "/v1/wallet/links", { token })).links, []);
});

await check("what is not exactly ours is refused, each with its code", async () => {
  const token = await outside(ann), other = await outside(ben), wallet = Wallet.createRandom();
  assert.equal((await link(token, wallet, (m) => m.replace("moves nothing", "moves a bit"))).code, "message_changed");
  const { message } = await ask("POST", "/v1/wallet/links/message", { token, body: { address: wallet.address } });
  const signature = await wallet.signMessage(message);
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n, s = BigInt("0x" + signature.slice(66, 130));
  const twin = signature.slice(0, 66) + (order - s).toString(16).padStart(64, "0") + (signature.endsWith("1b") ? "1c" : "1b");
  assert.equal((await ask("POST", "/v1/wallet/links", { token: other, body: { message, signature } })).code, "nonce_unknown");           // another session's
  assert.equal((await ask("POST", "/v1/wallet/links", { token, body: { message, signature: twin } })).code, "signature_invalid");         // the higher s
  assert.equal((await ask("POST", "/v1/wallet/links", { token, body: { message, signature } })).code, "nonce_unknown");                   // and the nonce is gone
  assert.equal((await link(token, { address: wallet.address, signMessage: () => Wallet.createRandom().signMessage("x") })).code, "siwe_wrong_wallet");
  assert.equal((await link(token, { address: wallet.address, signMessage: () => "0x" + "00".repeat(96) })).code, "wallet_contract");
  assert.equal((await link(token, wallet)).status, 201);
  assert.equal((await link(other, wallet)).code, "wallet_taken");
  await ask("DELETE", `/v1/wallet/links/${wallet.address}`, { token });
});

await check("a code opens one session, which may do its own things only", async () => {
  const { code } = await begin(ann), first = await ask("POST", "/v1/wallet/session", { body: { code } });
  assert.equal(first.scope, "wallet");
  assert.equal((await ask("POST", "/v1/wallet/session", { body: { code } })).code, "code_unknown");
  assert.equal((await ask("POST", "/v1/wallet/session", { body: { code: "x" } })).code, "code_unknown");
  for (const [method, route] of [["GET", "/v1/sessions"], ["GET", "/v1/consents"], ["POST", "/v1/session/game"], ["GET", "/v1/games"], ["GET", "/v1/wallet/journal"], ["POST", "/v1/call/duel/x"], ["GET", "/v1/matches"], ["POST", "/v1/wallet/link/begin"]])
    assert.equal((await ask(method, route, { token: first.token, ...(method === "POST" && { body: {} }) })).code, "wrong_scope", route);
  const me = await ask("GET", "/v1/me", { token: first.token });
  assert.deepEqual([me.scope, me.wallet, me.player.name], ["wallet", true, "Ann"]);
  assert.ok(new Date(first.expires_at) - Date.now() <= 30 * 60000);
});

await check("a withdrawal over HTTP: bounds, one answer to one key, another player's is nobody's", async () => {
  const token = await outside(ann), other = await outside(ben), to = Wallet.createRandom().address;
  const post = (body, key, as = token) => ask("POST", "/v1/wallet/withdrawals", { token: as, body, headers: key ? { "idempotency-key": key } : {} });
  assert.equal((await post({ asset: "PALM", amount: "5", to })).code, "key_missing");
  assert.equal((await post({ asset: "PALM", amount: "5", to: to.slice(0, -1) + (to.endsWith("0") ? "1" : "0") }, "k1")).code, "address_invalid");
  assert.equal((await post({ asset: "PALM", amount: "5", to: chain.palm }, "k2")).code, "address_ours");
  assert.equal((await post({ asset: "PALM", amount: "5", to: chain.module }, "k2")).code, "address_ours");
  assert.equal((await post({ asset: "PALM", amount: String(9n * 10n ** 14n), to }, "k3")).code, "withdrawal_large");
  assert.equal((await post({ asset: "TEST", amount: "5", to }, "k4")).code, "asset_unknown");
  const made = await post({ asset: "PALM", amount: "5000", to }, "k5"), again = await post({ asset: "PALM", amount: "5000", to }, "k5");
  assert.deepEqual([made.status, made.state, again.id], [201, "asked", made.id]);
  assert.equal((await post({ asset: "PALM", amount: "5001", to }, "k5")).code, "key_reused");
  assert.equal((await ask("GET", `/v1/wallet/withdrawals/${made.id}`, { token: other })).code, "withdrawal_unknown");
  assert.equal((await ask("DELETE", `/v1/wallet/withdrawals/${made.id}`, { token: other })).code, "withdrawal_unknown");
  assert.equal((await ask("DELETE", `/v1/wallet/withdrawals/${made.id}`, { token })).status, 202);
  await until("given back", async () => { await call(node.url, "anvil_mine", "0x1"); return (await ask("GET", `/v1/wallet/withdrawals/${made.id}`, { token })).state === "returned"; });
  const list = await ask("GET", "/v1/wallet/withdrawals?limit=1", { token });
  assert.deepEqual([list.withdrawals.length, list.rules[0].asset, list.cooldown_s, list.paused], [1, "PALM", 4, false]);
  assert.ok(!JSON.stringify(list).includes("note"), "what operators write is theirs");
});

// ---- the page

const browser = await launch();
const own = Wallet.createRandom();
async function visitor({ wallet = own, locale = "en-US", colorScheme = "light", viewport = SIZES[1], refuses = false } = {}) {
  const context = await browser.newContext({ viewport, locale, colorScheme });
  const page = await context.newPage(), complaints = [];
  page.setDefaultTimeout(20000);
  page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(error.message));
  if (wallet) {
    await page.exposeFunction("walletRequest", async (method, params) => {
      if (refuses) return { error: { code: 4001, message: "User rejected the request." } };
      if (method === "eth_requestAccounts") return { result: [wallet.address.toLowerCase()] };
      assert.equal(method, "personal_sign");
      assert.equal(params[1].toLowerCase(), wallet.address.toLowerCase());
      return { result: await wallet.signMessage(Buffer.from(params[0].slice(2), "hex")) };
    });
    await page.addInitScript(() => {
      const provider = { request: async ({ method, params }) => { const got = await globalThis.walletRequest(method, params); if (got.error) throw Object.assign(new Error(got.error.message), got.error); return got.result; } };
      const info = Object.freeze({ uuid: "350670db-19fa-4704-a166-e52e178b59d2", name: "Test Wallet", rdns: "example.test", icon: "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' fill='%23c63'/%3E%3C/svg%3E" });
      const say = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
      addEventListener("eip6963:requestProvider", say);
      say();
    });
  }
  return { page, context, complaints, at: (id) => page.getByTestId(id), shot: (what) => page.screenshot({ path: path.join(SHOTS, `wallet-${what}.png`), fullPage: true }) };
}

await check("link, withdraw, confirm, paid: by clicking", async () => {
  const one = await visitor(), { page, at } = one;
  await page.goto((await begin(ann)).url);
  await at("phase-in").waitFor();
  assert.equal(new URL(page.url()).hash, "", "the code is gone from the address");
  assert.equal(await at("player").textContent(), "Ann");
  await at("links-none").waitFor();
  await one.shot("in-390");
  await at("provider").click();
  await at("message").waitFor();
  const message = await at("message").textContent();
  assert.ok(message.startsWith(`${new URL(url).host} wants you to sign in with your Ethereum account:\n${own.address}\n`), message);
  await one.shot("message-390");
  await at("sign-go").click();
  await at("links").getByText(own.address).waitFor();
  await at("amount").fill("12.5");
  await one.shot("form-390");
  await at("next").click();
  assert.equal(await at("confirm-to").textContent(), own.address);
  assert.equal(await at("confirm-amount").textContent(), "12.5 PALM");
  await one.shot("confirm-390");
  await at("confirm-go").click();
  await page.locator("[data-testid=withdrawal][data-state=asked]").first().waitFor();
  await one.shot("asked-390");
  await until("paid on the page", async () => { await call(node.url, "anvil_mine", "0x1"); return page.locator("[data-testid=withdrawal][data-state=paid]").count(); }, 60000);
  assert.equal(await chain.view("palm", "balanceOf", [own.address]), 12500000000n);
  await one.shot("paid-390");
  await page.reload();
  await at("phase-in").waitFor();                     // the session lives as long as the tab
  await at("amount").fill("1,5x");
  await at("next").click();
  await at("problem").waitFor();
  await at("unlink").click();
  await at("unlink").click();
  await at("links-none").waitFor();
  await at("sign-out").click();
  await at("phase-out").waitFor();
  assert.deepEqual(one.complaints, []);
  await one.context.close();
});

await check("no wallet, a refusal in the wallet, a link used twice: each is said", async () => {
  const none = await visitor({ wallet: null });
  const { url: address } = await begin(ben);
  await none.page.goto(address);
  await none.at("no-wallet").waitFor();
  await none.shot("no-wallet-390");
  await none.context.close();
  const again = await visitor();
  await again.page.goto(address);
  await again.at("problem").waitFor();
  assert.match(await again.at("problem").textContent(), /used already/);
  await again.at("phase-out").waitFor();
  await again.shot("out-390");
  await again.context.close();
  const refusing = await visitor({ refuses: true });
  await refusing.page.goto((await begin(ben)).url);
  await refusing.at("provider").click();
  await refusing.at("problem").waitFor();
  assert.match(await refusing.at("problem").textContent(), /refused it in your wallet/);
  await refusing.context.close();
});

await check("every size, both languages, light and dark: nothing wider than the screen, names, contrast", async () => {
  for (const [locale, language] of [["en-US", "en"], ["ko-KR", "ko"]]) for (const colorScheme of ["light", "dark"]) {
    const one = await visitor({ locale, colorScheme });
    await one.page.goto((await begin(ann)).url);
    await one.at("phase-in").waitFor();
    await one.at("withdrawals").waitFor();
    for (const viewport of SIZES) {
      await one.page.setViewportSize(viewport);
      const wide = await one.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${language} ${colorScheme} ${viewport.width}: ${wide} px too wide`);
      const faults = (await one.page.evaluate(audit, { language, names: ["PALM", "Ann", "Test Wallet", "English"] })).filter((fault) => language === "ko" || !fault.startsWith("foreign"));      // Latin letters are English's own
      assert.deepEqual(faults, [], `${language} ${colorScheme} ${viewport.width}`);
      await one.shot(`${language}-${colorScheme}-${viewport.width}`);
    }
    assert.equal(await one.page.evaluate(() => document.documentElement.lang), language);
    if (language === "ko") assert.ok(!/Withdraw|wallet/i.test((await one.page.locator("main").innerText()).replace(/Test Wallet/g, "")), "no English left");
    assert.deepEqual(one.complaints, []);
    await one.context.close();
  }
});

await check("by keyboard alone: the form is filled, confirmed and left", async () => {
  const one = await visitor(), { page, at } = one;
  await page.goto((await begin(ben)).url);
  await at("phase-in").waitFor();
  await at("amount").focus();
  await page.keyboard.type("3");
  await page.keyboard.press("Tab");
  await page.keyboard.type(Wallet.createRandom().address);
  await page.keyboard.press("Enter");
  await at("confirm").waitFor();
  await at("confirm-go").focus();
  await page.keyboard.press("Enter");
  await at("withdrawal").first().waitFor();
  await at("take-back").first().focus();
  await page.keyboard.press("Enter");
  await until("taken back", async () => { await call(node.url, "anvil_mine", "0x1"); return page.locator("[data-testid=withdrawal][data-state=returned]").count(); });
  await one.context.close();
});

await check("the page's headers let nothing in and nobody frame it", async () => {
  const reply = await fetch(`${url}/wallet/`), policy = reply.headers.get("content-security-policy");
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.ok(!/unsafe|https:|\*/.test(policy), policy);
  assert.equal(reply.headers.get("x-frame-options"), "DENY");
  assert.equal((await fetch(`${url}/wallet`, { redirect: "manual" })).headers.get("location"), "/wallet/");
});

await browser.close();
for (const work of last) await work();
end();
