// wallet.js: the page outside Telegram: link wallets by signature, deposit, withdraw, see how it fares. The page proposes; the host decides.
import { html, render, useEffect, useState } from "/app/lib/htm-preact.mjs";
import { api, forget, loginUrl, signIn, signedIn } from "/wallet/host.js";
import { LANGUAGES, choose, language, problem, span, t, when } from "/wallet/i18n.js";
import { accountOf, discover, look, providers, sign } from "/wallet/providers.js";

const LOOK_MS = 3000;
const state = { phase: "loading", info: null, me: null, assets: [], links: [], withdrawals: [], rules: [], cooldown_s: 0, paused: false, deposits: null, said: null };
const draw = () => render(html`<${Page} />`, document.getElementById("root"));
const update = (change) => { Object.assign(state, change); draw(); };
let hush;
function tell(text, bad = false) {
  clearTimeout(hush);
  update({ said: { text, bad } });
  hush = setTimeout(() => update({ said: null }), 8000);
}
const complain = (error) => { tell(problem(error), true); if (!signedIn() && state.phase === "in") update({ phase: "out" }); };

// ---- amounts: base units as text, decimals for people
export function shown(units, { asset, decimals }) {
  const text = String(units).padStart(decimals + 1, "0"), whole = text.slice(0, text.length - decimals), rest = decimals ? text.slice(-decimals).replace(/0+$/, "") : "";
  return `${BigInt(whole).toLocaleString(language)}${rest && `${(1.1).toLocaleString(language)[1]}${rest}`} ${asset}`;
}
/** "12.5" to base units; null when it is none. */
export function unitsOf(text, decimals) {
  const match = /^(\d{1,12})(?:[.,](\d+))?$/.exec(text.trim());
  if (!match || (match[2] ?? "").length > decimals) return null;
  return BigInt(match[1] + (match[2] ?? "").padEnd(decimals, "0"));
}

// ---- what the host says
async function refresh() {
  const [wallet, links] = await Promise.all([api("GET", "/v1/wallet"), api("GET", "/v1/wallet/links")]);
  update({ assets: wallet.assets, links: links.links });
  await refreshWithdrawals();
}
async function refreshWithdrawals() {
  try {
    const { withdrawals, rules, cooldown_s, paused } = await api("GET", "/v1/wallet/withdrawals");
    update({ withdrawals, rules, cooldown_s, paused });
  } catch (error) {
    if (error.code !== "chain_off") throw error;
    update({ rules: [], withdrawals: [] });
  }
}
let wanted = "";                     // the coin that was chosen last: an older answer of another one is late
async function refreshDeposits() {
  if (!state.info.deposits) return;
  const asset = wanted;
  try {
    const deposits = await api("GET", `/v1/wallet/deposit${asset ? `?asset=${encodeURIComponent(asset)}` : ""}`);
    if (asset === wanted) update({ deposits });
  } catch (error) { if (!signedIn()) throw error; }      // the rest of the page stands without it; the next look asks again
}
async function live() {
  if (state.phase !== "in" || document.hidden) return;
  try {
    const now = () => JSON.stringify([state.withdrawals.map((one) => one.state), state.deposits?.asset, state.deposits?.deposits.length, state.deposits?.deposits[0]?.tx]), before = now();
    await refreshWithdrawals();
    await refreshDeposits();
    if (now() !== before) update({ assets: (await api("GET", "/v1/wallet")).assets });
  } catch (error) { if (!signedIn()) complain(error); }
}

async function start() {
  draw();
  discover(draw);
  try {
    update({ info: await api("GET", "/v1/wallet/info") });
    await signIn();
    if (signedIn()) {
      update({ me: (await api("GET", "/v1/me")).player, phase: "in" });
      await refresh();
      await refreshDeposits();
    } else update({ phase: "out" });
  } catch (error) {
    update({ phase: signedIn() && error.code === "offline" ? "failed" : "out" });
    tell(problem(error), true);
  }
  setInterval(live, LOOK_MS);
}

// ---- the page
function Page() {
  return html`<header><h1 tabindex="-1">${t("title")}</h1>
      <select aria-label=${t("language")} data-testid="language" onChange=${(event) => { choose(event.target.value); draw(); }}>${Object.entries(LANGUAGES).map(([id, name]) => html`<option value=${id} selected=${id === language}>${name}</option>`)}</select></header>
    <main data-testid=${`phase-${state.phase}`}>${state.phase === "in" ? html`<${Inside} />` : state.phase === "out" ? html`<${Outside} />` : state.phase === "failed" ? html`<button onClick=${() => location.reload()}>${t("retry")}</button>` : html`<p role="status">${t("loading")}</p>`}</main>
    <div class="said" role="status" aria-live="polite">${state.said && html`<div class=${state.said.bad ? "problem" : ""} data-testid=${state.said.bad ? "problem" : "said"}>${state.said.text}</div>`}</div>`;
}

function Outside() {
  const login = state.info?.login;
  return html`<section class="card"><h2>${t("out.title")}</h2>
    ${login ? html`<p class="hint">${t("out.telegram_text")}</p><p><a class="button" data-testid="telegram" href=${loginUrl(login)}>${t("out.telegram")}</a></p>` : html`<p class="hint" data-testid="out-app">${t(state.info?.app ? "out.app" : "out.none")}</p>`}</section>`;
}

function Inside() {
  return html`<p class="hint"><span data-testid="player" data-plain>${state.me?.name}</span> · <button class="quiet" data-testid="sign-out" onClick=${leave}>${t("sign_out")}</button></p>
    <h2>${t("balances")}</h2>
    ${state.assets.length === 0 ? html`<p class="hint">${t("balances.none")}</p>` : html`<ul class="list" data-testid="balances">${state.assets.map((one) => html`<li key=${one.asset}><span data-plain>${one.name || one.asset}</span>
      <span class="amount">${shown(one.free, one)}${one.held !== "0" && html` <span class="hint small">(${t("held", { amount: shown(one.held, one) })})</span>`}</span></li>`)}</ul>`}
    <h2>${t("links")}</h2>
    ${state.links.length === 0 ? html`<p class="hint" data-testid="links-none">${t("links.none")}</p>` : html`<ul class="list" data-testid="links">${state.links.map((one) => html`<${Link} key=${one.address} link=${one} />`)}</ul>`}
    <${Connect} />
    ${state.deposits && html`<${Deposits} deposits=${state.deposits} />`}
    <h2>${t("withdraw")}</h2>
    ${state.rules.length === 0 ? html`<p class="hint" data-testid="withdraw-off">${t("withdraw.off")}</p>` : state.paused ? html`<p class="warn" data-testid="withdraw-paused">${t("withdraw.paused")}</p>` : html`<${Withdraw} />`}
    <h2>${t("withdrawals")}</h2>
    ${state.withdrawals.length === 0 ? html`<p class="hint">${t("withdrawals.none")}</p>` : html`<ul class="list" data-testid="withdrawals">${state.withdrawals.map((one) => html`<${Withdrawal} key=${one.id} one=${one} />`)}</ul>`}`;
}
async function leave() {
  try { await api("DELETE", "/v1/session"); } catch { /* it ends by itself */ }
  forget();
  wanted = "";
  update({ phase: "out", withdrawals: [], links: [], assets: [], deposits: null });
}

function Link({ link }) {
  const [sure, setSure] = useState(false);
  async function unlink() {
    if (!sure) { setSure(true); return; }
    try {
      await api("DELETE", `/v1/wallet/links/${link.address}`);
      await refresh();
      tell(t("unlinked"));
      document.querySelector("h1").focus();
    } catch (error) { complain(error); }
  }
  return html`<li><span><span class="address" data-plain>${link.address}</span><br /><span class="hint small">${t("links.since", { date: when(link.linked_at) })}</span></span>
    <button class="danger" data-testid="unlink" aria-label=${sure ? t("unlink.sure") : t("unlink.one", { address: link.address })} onClick=${unlink} onBlur=${() => setSure(false)}>${t(sure ? "unlink.sure" : "unlink")}</button></li>`;
}

// Choose a wallet, read the message, sign it.
function Connect() {
  const [step, setStep] = useState(null), [busy, setBusy] = useState(false);
  const list = providers(t("browser_wallet"));
  const guarded = (work) => async () => { setBusy(true); try { await work(); } catch (error) { complain(error); } setBusy(false); };
  const begin = (one) => guarded(async () => {
    const account = await accountOf(one.provider);
    const { message } = await api("POST", "/v1/wallet/links/message", { address: account });
    setStep({ one, account, message });
  });
  const finish = guarded(async () => {
    try {
      const signature = await sign(step.one.provider, step.message, step.account);
      await api("POST", "/v1/wallet/links", { message: step.message, signature });
      await refresh();
      tell(t("linked"));
    } finally { setStep(null); }          // a message is good for one signature
  });
  if (step) return html`<section class="card" data-testid="sign"><h3 class="small">${t("link.head")}</h3><p>${t("link.read")}</p><pre data-testid="message" tabindex="0">${step.message}</pre>
    <div class="row"><button data-testid="sign-go" disabled=${busy} onClick=${finish}>${t(busy ? "link.waiting" : "link.sign")}</button><button class="quiet" disabled=${busy} onClick=${() => setStep(null)}>${t("cancel")}</button></div></section>`;
  if (list.length === 0) return html`<section class="card" data-testid="no-wallet"><strong>${t("link.none")}</strong><p class="hint">${t("link.none_text")}</p><button class="quiet" onClick=${() => { look(); draw(); }}>${t("link.again")}</button></section>`;
  return html`<div class="row" data-testid="connect">${list.map((one) => html`<button key=${one.id} class="provider" data-testid="provider" disabled=${busy} onClick=${begin(one)}>${one.icon && html`<img src=${one.icon} alt="" />`}${t("link.with", { name: one.name })}</button>`)}</div>`;
}

const KEPT = { dust: "deposit.dust", held: "deposit.kept", odd: "deposit.kept" };
function Deposits({ deposits }) {
  const { assets, asset, address, pending, deposits: list } = deposits, [said, setSaid] = useState("");
  const choose = async (event) => { wanted = event.target.value; try { await refreshDeposits(); } catch (error) { complain(error); } };
  async function copy() {
    try { await navigator.clipboard.writeText(address); setSaid("copied"); } catch { getSelection().selectAllChildren(document.getElementById("deposit-address")); setSaid("copy.by_hand"); }
  }
  return html`<h2>${t("deposits")}</h2><section class="card">
      ${assets.length > 1 && html`<label for="deposit-asset">${t("asset")}</label><select id="deposit-asset" data-testid="deposit-asset" value=${asset} onChange=${choose}>${assets.map((one) => html`<option value=${one}>${one}</option>`)}</select>`}
      <p>${t("deposit.to")}</p><p class="address" data-plain id="deposit-address" data-testid="deposit-address">${address}</p>
      <div class="row"><button class="quiet" data-testid="deposit-copy" onClick=${copy}>${t("copy")}</button></div><p class="hint small" role="status">${said && t(said)}</p>
      <p class="warn" data-testid="deposit-only">${t("deposit.only", { asset, chain: deposits.chain_id })}</p></section>
    ${pending.length + list.length === 0 ? html`<p class="hint" data-testid="deposits-none">${t("deposit.none")}</p>` : html`<ul class="list" data-testid="deposits">
      ${pending.map((one) => html`<${Deposit} key=${`${one.tx}:pending`} one=${one} of=${deposits} state="pending" about=${t("deposit.blocks", { n: Number(one.blocks_left) })} />`)}
      ${list.map((one) => html`<${Deposit} key=${`${one.tx}:${one.log_index}`} one=${one} of=${deposits} state=${one.state} about=${when(one.at)} />`)}</ul>`}`;
}
function Deposit({ one, of, state: how, about }) {
  return html`<li data-testid="deposited" data-state=${how}><span><span class="amount">${shown(one.amount, of)}</span> <span class=${`badge ${how === "credited" ? "paid" : "review"}`}>${t(how === "pending" ? "deposit.coming" : KEPT[how] ?? "deposit.credited")}</span><br />
    <span class="hint small">${about}</span><br /><span class="hint small">${t("paid.tx")} <span class="address" data-plain>${one.tx}</span></span></span></li>`;
}

// Two steps: what, then everything once more.
function Withdraw() {
  const [form, setForm] = useState({ asset: state.rules[0].asset, amount: "", to: null, other: "" }), [ask, setAsk] = useState(null), [busy, setBusy] = useState(false);
  const rule = state.rules.find((one) => one.asset === form.asset) ?? state.rules[0];
  const set = (key) => (event) => setForm({ ...form, [key]: event.target.value });
  const chosen = state.links.some((one) => one.address === form.to) ? form.to : form.to ?? state.links[0]?.address ?? "other", to = chosen === "other" ? form.other.trim() : chosen;      // a new link is offered at once
  function next(event) {
    event.preventDefault();
    const units = unitsOf(form.amount, rule.decimals);
    if (units === null || units <= 0n) { tell(t("error.amount"), true); return; }
    if (!/^0x[0-9a-fA-F]{40}$/.test(to)) { tell(t("error.address_invalid"), true); return; }
    setAsk({ asset: rule.asset, amount: String(units), to, key: crypto.randomUUID?.() ?? String(Math.random()).slice(2) });      // one key for one confirmation, however often it is sent
  }
  async function go() {
    setBusy(true);
    try {
      await api("POST", "/v1/wallet/withdrawals", { asset: ask.asset, amount: ask.amount, to: ask.to }, { "idempotency-key": ask.key });
      setAsk(null);
      setForm({ ...form, amount: "" });
      await refresh();
      tell(t("asked"));
    } catch (error) { complain(error); if (error.code !== "offline") setAsk(null); }
    setBusy(false);
  }
  if (ask) return html`<section class="card" data-testid="confirm" aria-labelledby="confirm-head"><h3 id="confirm-head" class="small">${t("confirm.head")}</h3>
    <dl><dt>${t("amount")}</dt><dd class="amount" data-testid="confirm-amount">${shown(ask.amount, rule)}</dd><dt>${t("to")}</dt><dd class="address" data-plain data-testid="confirm-to">${ask.to}</dd></dl>
    <p class="warn">${t("confirm.warn")}</p>
    ${state.cooldown_s > 0 && html`<p class="hint small" data-testid="confirm-cooldown">${t("confirm.cooldown", { time: span(state.cooldown_s) })}</p>`}
    ${rule.two_from !== "0" && BigInt(ask.amount) >= BigInt(rule.two_from) && html`<p class="hint small">${t("confirm.two")}</p>`}
    <div class="row"><button data-testid="confirm-go" disabled=${busy} onClick=${go}>${t("confirm.go")}</button><button class="quiet" disabled=${busy} onClick=${() => setAsk(null)}>${t("back")}</button></div></section>`;
  return html`<form class="card" data-testid="withdraw" onSubmit=${next}>
    ${state.rules.length > 1 && html`<label for="asset">${t("asset")}</label><select id="asset" value=${form.asset} onChange=${set("asset")}>${state.rules.map((one) => html`<option value=${one.asset}>${one.asset}</option>`)}</select>`}
    <label for="amount">${t("amount")}</label><input id="amount" data-testid="amount" inputmode="decimal" autocomplete="off" value=${form.amount} onInput=${set("amount")} aria-describedby="amount-hint" />
    <p class="hint small" id="amount-hint">${t("amount.hint", { least: shown(rule.least, rule), most: shown(rule.most, rule) })}</p>
    ${state.links.length > 0 && html`<label for="to">${t("to")}</label><select id="to" data-testid="to" value=${chosen} onChange=${set("to")}>${state.links.map((one) => html`<option value=${one.address}>${one.address}</option>`)}<option value="other">${t("to.other")}</option></select>`}
    ${(state.links.length === 0 || chosen === "other") && html`<label for="other">${t("to.address")}</label><input id="other" data-testid="other" class="address" autocomplete="off" spellcheck="false" value=${form.other} onInput=${set("other")} />`}
    <div class="row"><button data-testid="next">${t("withdraw.next")}</button></div></form>`;
}

function Withdrawal({ one }) {
  const rule = state.rules.find((each) => each.asset === one.asset) ?? { asset: one.asset, decimals: 9 }, shows = one.returning ? "returning" : one.state;
  const waits = one.state === "asked" && !one.returning, missing = one.approvals.needed - one.approvals.given;
  async function back() {
    try {
      await api("DELETE", `/v1/wallet/withdrawals/${one.id}`);
      await refresh();
      tell(t("taken_back"));
    } catch (error) { complain(error); }
  }
  return html`<li data-testid="withdrawal" data-state=${one.state}><span><span class="amount">${shown(one.amount, rule)}</span> <span class=${`badge ${one.state}`}>${t(`state.${shows}`)}</span><br />
      <span class="address" data-plain>${one.to}</span><br /><span class="hint small">${waits && new Date(one.ready_at) > new Date() ? t("asked.until", { date: when(one.ready_at) }) : waits && missing > 0 ? t("asked.approval", { n: missing }) : when(one.ended_at ?? one.asked_at)}</span>
      ${one.tx && html`<br /><span class="hint small">${t("paid.tx")} <span class="address" data-plain>${one.tx}</span></span>`}</span>
    ${waits && html`<button class="danger" data-testid="take-back" aria-label=${t("take_back.one", { amount: shown(one.amount, rule) })} onClick=${back}>${t("take_back")}</button>`}</li>`;
}

start();
