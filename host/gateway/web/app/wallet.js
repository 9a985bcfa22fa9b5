// wallet.js: what the player has, and what happened to it.
import { html, useEffect, useState } from "/app/lib/htm-preact.mjs";
import { knows, t, when } from "/app/i18n.js";
import { List } from "/app/lists.js";
import { Icon, assetOf, bare, shown, signed } from "/app/parts.js";
import { update } from "/app/state.js";

let host;
/** @param {import("./host.js").Host} theHost */
export function walletOf(theHost) { host = theHost; }

// What leads to a wallet outside is loaded only when the host says that it may be shown here.
function useOutside() {
  const [found, setFound] = useState(null);
  useEffect(() => { (async () => {
    try { if ((await host.api("GET", "/v1/me")).wallet) setFound({ ...await import("/app/outside.js"), ...await import("/app/deposit.js") }); } catch { /* the rest of the page stands without it */ }
  })(); }, []);
  return found;
}

export function Wallet({ assets }) {
  const outside = useOutside();
  return html`
    <section class="balances">${assets.map((asset) => html`<div class="card balance" data-testid=${`asset-${asset.asset}`}>
      <span class="hint" data-plain>${asset.name || asset.asset}</span><strong class="amount">${shown(asset.free, asset)}</strong>
      <span class="hint">${asset.held === "0" ? t("wallet.free") : t("wallet.held", { amount: shown(asset.held, asset) })}</span></div>`)}</section>
    <button class="button quiet wide" data-testid="supply" onClick=${() => update({ supply: true })}><${Icon} name="flame" /> ${t("supply.open")}</button>
    ${outside && html`<${outside.DepositButton} /><${outside.Outside} host=${host} />`}
    <h2 class="head">${t("history")}</h2>
    <${List} name="journal" testid="journal" empty=${html`<p class="hint empty">${t("history.none")}</p>`} row=${(entry) => html`<${Entry} key=${entry.id} entry=${entry} asset=${assetOf(assets, entry.asset)} />`} />`;
}

// A match ends with one entry: the stake leaves what is held, and what the player gets becomes free.
function entryText({ reason, kind, amount, held }) {
  if (reason === "match") return t(amount === "0" ? "reason.match.lost" : BigInt(amount) === -BigInt(held) ? "reason.match.back" : "reason.match.won");
  const known = [reason, kind].find((one) => knows(`reason.${one}`));
  return known ? t(`reason.${known}`) : t("reason.other", { reason: String(reason || kind).replaceAll("_", " ") });
}

function Entry({ entry, asset }) {
  const { amount, held, note } = entry, what = entryText(entry);
  const about = note && !/^[0-9a-f-]{36}$/.test(note) && html` · <span data-plain>${note}</span>`;
  return html`<li><span><strong class="what">${what}</strong><br /><span class="hint small">${when(entry.at)}${about}</span></span>
    ${amount === "0" ? html`<span class="hint">${held.startsWith("-") ? t("stake_gone", { amount: bare(held.slice(1), asset) }) : shown("0", asset)}</span>`
    : html`<span class=${amount.startsWith("-") ? "minus" : "plus"}>${signed(amount, asset)}</span>`}</li>`;
}
