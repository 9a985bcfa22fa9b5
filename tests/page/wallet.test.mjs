// wallet.test.mjs: /wallet/ in a real browser with an injected EIP-1193 wallet (ethers behind it), the real host and its development chain: a link from the app, a wallet linked by
// signature, coins that are deposited, withdrawn and seen to arrive. Before that the same over HTTP with everything that must be refused. Pictures go to $BUILD/test-shots.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { audit } from "../flow/audit.mjs";
import { BUILD, checks } from "../flow/host.mjs";
import { Money, ONE18, PALM, Wallet } from "../flow/money.mjs";
import { SIZES, launch, person, until } from "./browser.mjs";

const SHOTS = path.join(BUILD, "test-shots"), { check, end } = checks();
mkdirSync(SHOTS, { recursive: true });
const money = await Money.open(), { url } = money;
await money.open();
const ask = money.ask.bind(money), begin = money.begin.bind(money), outside = money.outside.bind(money), link = money.link.bind(money);

const ann = await money.player(1001, "Ann"), ben = await money.player(1002, "Ben");

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
  const own = (await money.deposits(other)).address, { vault, key, contracts } = money.up;
  for (const [i, ours] of [...contracts.tokens.flatMap((one) => [one.address, one.payout]), vault, key.address, contracts.deposit_factory, contracts.burn_module, own].entries()) assert.equal((await post({ asset: "PALM", amount: String(5n * PALM), to: ours }, `ours${i}`)).code, "address_ours", ours);
  assert.equal((await post({ asset: "PALM", amount: String(PALM - 1n), to }, "k3")).code, "withdrawal_small");
  assert.equal((await post({ asset: "PALM", amount: String(10001n * PALM), to }, "k3")).code, "withdrawal_large");
  assert.equal((await post({ asset: "PALM", amount: String(2000n * PALM), to }, "k3")).code, "funds");
  assert.equal((await post({ asset: "TEST", amount: "5", to }, "k4")).code, "asset_unknown");
  const made = await post({ asset: "PALM", amount: String(5n * PALM), to }, "k5"), again = await post({ asset: "PALM", amount: String(5n * PALM), to }, "k5");
  assert.deepEqual([made.status, made.state, again.id], [201, "asked", made.id]);
  assert.equal((await post({ asset: "PALM", amount: String(6n * PALM), to }, "k5")).code, "key_reused");
  assert.equal((await ask("GET", `/v1/wallet/withdrawals/${made.id}`, { token: other })).code, "withdrawal_unknown");
  assert.equal((await ask("DELETE", `/v1/wallet/withdrawals/${made.id}`, { token: other })).code, "withdrawal_unknown");
  assert.equal((await ask("DELETE", `/v1/wallet/withdrawals/${made.id}`, { token })).status, 202);
  await money.ended(token, made.id, "returned");
  assert.deepEqual(await money.has(token), [String(1000n * PALM), "0"]);
  const list = await ask("GET", "/v1/wallet/withdrawals?limit=1", { token });
  assert.deepEqual([list.withdrawals.length, list.rules[0].asset, list.cooldown_s, list.paused], [1, "PALM", 10, false]);
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
  assert.match(await at("confirm-cooldown").textContent(), /waits 10 seconds\./);
  await one.shot("confirm-390");
  await at("confirm-go").click();
  await page.locator("[data-testid=withdrawal][data-state=asked]").first().waitFor();
  await one.shot("asked-390");
  await until("paid on the page", () => page.locator("[data-testid=withdrawal][data-state=paid]").count(), 60000);
  assert.equal(await money.balance("PALM", own.address), 12500000000n);
  assert.deepEqual((await money.paid()).map((one) => [one.to, one.amount]), [[own.address, 12500000000n]]);
  await until("the balance", async () => /987\.5 PALM/.test(await at("balances").textContent()));
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

await check("deposits: real coins to the address that is shown, not final first, then credited, of either coin", async () => {
  const one = await visitor(), { page, at } = one;
  await page.goto((await begin(ben)).url);
  const shownAt = await at("deposit-address").textContent(), listed = (state) => page.locator(`[data-testid=deposited][data-state=${state}]`);
  assert.equal(shownAt, (await money.deposits(ben.token)).address);
  await at("deposits-none").waitFor();
  assert.match(await at("deposit-only").textContent(), /only PALM on chain 31337/);
  let kept = null;                                    // the host's answer while it was not final: some seconds, which the page may sleep through
  await page.route("**/v1/wallet/deposit*", (route) => (kept ? route.fulfill({ json: kept }) : route.continue()));
  await money.pay("PALM", shownAt, 25n * PALM / 2n);
  await until("it to be on its way", async () => { const seen = await money.deposits(ben.token); return seen.pending.length > 0 && (kept = (({ status, ...rest }) => rest)(seen)); });
  assert.equal(kept.deposits.length, 0, "what is not final is not credited");
  await listed("pending").waitFor();
  assert.match(await listed("pending").textContent(), /12\.5 PALM.*seen, not final.*blocks? to go/s);
  await one.shot("deposit-pending-390");
  kept = null;
  await listed("credited").waitFor();
  await until("the balance", async () => /1,012\.5 PALM/.test(await at("balances").textContent()));
  assert.equal(await listed("pending").count(), 0);
  await at("deposit-asset").selectOption("NFNT");
  await until("the other coin", async () => /only NFNT/.test(await at("deposit-only").textContent()));
  assert.equal(await at("deposit-address").textContent(), shownAt);
  await at("deposits-none").waitFor();                // none of this one
  await money.pay("NFNT", shownAt, 3n * ONE18 + 5n);
  await listed("credited").waitFor();
  assert.match(await listed("credited").textContent(), /^3 NFNT/);
  await until("the balance", async () => /3 NFNT/.test(await at("balances").textContent()));
  assert.deepEqual(await money.has(ben.token, "NFNT"), [String(3n * PALM), "0"]);
  await money.pay("NFNT", shownAt, 7n);
  await listed("dust").waitFor();
  await one.shot("deposit-nfnt-390");
  assert.deepEqual(one.complaints, []);
  await one.context.close();
});

await check("inside the app: the sheet shows the same address and what came, and the link leads out, once", async () => {
  const cem = await person(browser, url, "Cem"), { page } = cem, at = (id) => page.getByTestId(id);
  await at("tab-wallet").click();
  await at("deposit").click();
  const address = await at("deposit-address").textContent();
  assert.match(address, /^0x[0-9a-fA-F]{40}$/);
  await money.pay("PALM", address, 2n * PALM);
  await at("deposit-deposits").waitFor();
  assert.match(await at("deposit-deposits").textContent(), /Credited.*\+2 PALM/s);
  await page.screenshot({ path: path.join(SHOTS, "deposit-sheet-390.png") });
  await at("deposit-asset").selectOption("NFNT");
  await until("the other coin", async () => /only NFNT/.test(await at("deposit-sheet").textContent()));
  await at("deposit-none").waitFor();
  await at("deposit-close").click();
  await until("the balance", async () => /1,002/.test(await at("asset-PALM").textContent()));
  await at("outside-begin").click();
  const out = await at("outside-link").inputValue();
  assert.ok(out.startsWith(`${url}/wallet/#`), out);
  await page.screenshot({ path: path.join(SHOTS, "wallet-inside-390.png"), fullPage: true });
  assert.deepEqual(cem.complaints, []);
  await cem.context.close();
  const one = await visitor();
  await one.page.goto(out);
  assert.equal(await one.at("player").textContent(), "Cem");
  assert.equal(await one.at("deposit-address").textContent(), address);
  await one.context.close();
  for (const [locale, colorScheme] of [["en-US", "dark"], ["ko-KR", "light"], ["ko-KR", "dark"]]) {
    const small = await person(browser, url, "Cem", { locale, colorScheme, viewport: SIZES[0] });
    await small.page.getByTestId("tab-wallet").click();
    await small.page.getByTestId("outside-begin").click();
    await small.page.getByTestId("outside-link").waitFor();
    assert.ok(await small.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${locale} ${colorScheme}`);
    await small.page.screenshot({ path: path.join(SHOTS, `wallet-inside-${locale}-${colorScheme}-320.png`), fullPage: true });
    await small.page.getByTestId("deposit").click();
    await small.page.getByTestId("deposit-deposits").waitFor();
    assert.ok(await small.page.getByTestId("deposit-sheet").evaluate((sheet) => sheet.scrollWidth <= sheet.clientWidth), `${locale} ${colorScheme}`);
    await small.page.screenshot({ path: path.join(SHOTS, `deposit-sheet-${locale}-${colorScheme}-320.png`) });
    assert.deepEqual(small.complaints, []);
    await small.context.close();
  }
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
  const linked = Wallet.createRandom();
  assert.equal((await link(await outside(ben), linked)).status, 201);
  for (const [locale, language] of [["en-US", "en"], ["ko-KR", "ko"]]) for (const colorScheme of ["light", "dark"]) for (const who of [ann, ben]) {
    const one = await visitor({ locale, colorScheme });
    await one.page.goto((await begin(who)).url);
    await one.at("phase-in").waitFor();
    if (who === ann) await one.at("withdrawals").waitFor();
    await one.at(who === ann ? "deposits-none" : "deposits").waitFor();       // she withdrew, he deposited
    for (const viewport of SIZES) {
      await one.page.setViewportSize(viewport);
      const wide = await one.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${language} ${colorScheme} ${viewport.width} ${who.name}: ${wide} px too wide`);
      const faults = (await one.page.evaluate(audit, { language, names: ["PALM", "NFNT", "GHUB", "Ann", "Ben", linked.address, "Test Wallet", "English"] })).filter((fault) => language === "ko" || !fault.startsWith("foreign"));      // Latin letters are English's own
      assert.deepEqual(faults, [], `${language} ${colorScheme} ${viewport.width}`);
      await one.shot(`${who === ann ? "" : "deposits-"}${language}-${colorScheme}-${viewport.width}`);
    }
    assert.equal(await one.page.evaluate(() => document.documentElement.lang), language);
    if (language === "ko") assert.ok(!/Withdraw|wallet/i.test((await one.page.locator("main").innerText()).replace(/Test Wallet/g, "")), "no English left");
    assert.deepEqual(one.complaints, []);
    await one.context.close();
  }
  assert.equal((await ask("DELETE", `/v1/wallet/links/${linked.address}`, { token: await outside(ben) })).status, 204);
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
  await until("taken back", () => page.locator("[data-testid=withdrawal][data-state=returned]").count());
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
await check("at the end: ledger and chain agree, and nothing is left behind", async () => {
  await money.reconciled();
  money.audit();
  assert.equal(await money.close(), 0);
});
money.host.clean();
end();
