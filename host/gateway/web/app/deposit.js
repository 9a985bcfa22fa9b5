// deposit.js: where coins come in: the player's address as text and as a picture, what is on its way, what was credited.
import { html, useEffect, useRef, useState } from "/app/lib/htm-preact.mjs";
import { encode } from "/app/lib/uqr.mjs";
import { problem, t, when } from "/app/i18n.js";
import { Icon, Loading, shown, useTrap } from "/app/parts.js";
import { update } from "/app/state.js";

const LOOK_MS = 4000;                // while the sheet is open

/** The button in the wallet. */
export function DepositButton() {
  return html`<button class="button quiet wide" data-testid="deposit" onClick=${() => update({ depositing: DepositSheet })}>${t("deposit.open")}</button>`;
}

/** @param {{host: import("./host.js").Host, onClose: () => void}} props */
export function DepositSheet({ host, onClose }) {
  const sheet = useRef(null), [asset, setAsset] = useState(""), [found, setFound] = useState(null), [error, setError] = useState(null), [tries, setTries] = useState(0);
  useTrap(sheet, onClose);
  useEffect(() => {
    let over = false, timer = 0;
    async function look() {
      try {
        const answer = await host.api("GET", `/v1/wallet/deposit${asset ? `?asset=${encodeURIComponent(asset)}` : ""}`);
        if (!over) { setFound(answer); setError(null); }
      } catch (failure) { if (!over) setError(failure); }
      if (!over) timer = setTimeout(look, LOOK_MS);
    }
    look();
    const off = host.on("wallet", () => { clearTimeout(timer); look(); });
    return () => { over = true; clearTimeout(timer); off?.(); };
  }, [asset, tries]);
  const choose = (chosen) => { setFound(null); setAsset(chosen); };
  return html`<div class="shade" onClick=${(event) => { if (event.target === event.currentTarget) onClose(); }}>
    <section class="sheet" role="dialog" aria-modal="true" aria-labelledby="deposit-title" tabindex="-1" ref=${sheet} data-testid="deposit-sheet">
      <div class="sheet-head"><span class="mark large"><${Icon} name="wallet" /></span><h2 id="deposit-title">${t("deposit.title")}</h2></div>
      ${error && !found ? html`<div class="failed" role="alert" data-testid="deposit-failed"><div><strong>${t("deposit.failed")}</strong><p class="small">${problem(error)}</p></div>
          <button class="button quiet" onClick=${() => { setError(null); setTries(tries + 1); }}>${t("retry")}</button></div>`
        : found ? html`<${Address} found=${found} onChoose=${choose} />` : html`<${Loading} />`}
      <button class="button plain wide" data-testid="deposit-close" onClick=${onClose}>${t("close")}</button>
    </section></div>`;
}

function Address({ found, onChoose }) {
  const field = useRef(null), [copied, setCopied] = useState(null), { assets = [found.asset], asset, address } = found;
  async function copy() {
    try {
      await navigator.clipboard.writeText(address);
      setCopied(true);
    } catch {
      getSelection().selectAllChildren(field.current);     // the browser does not let us: then by hand
      setCopied(false);
    }
  }
  return html`
    ${assets.length > 1 && html`<label class="deposit-asset"><span>${t("deposit.asset")}</span><select class="field" data-testid="deposit-asset" value=${asset} onChange=${(event) => onChoose(event.target.value)}>
      ${assets.map((one) => html`<option value=${one}>${one}</option>`)}</select></label>`}
    <p id="deposit-note">${t("deposit.note", { asset, chain: found.chain_id })}</p>
    <${Picture} text=${address} label=${t("deposit.picture", { asset })} />
    <p class="deposit-address" data-plain data-testid="deposit-address" ref=${field} aria-label=${t("deposit.address", { asset })} aria-describedby="deposit-note">${address}</p>
    <button class="button wide" data-testid="deposit-copy" onClick=${copy}>${t("deposit.copy")}</button>
    <p class="hint small share-said" role="status" data-testid="deposit-said">${copied === null ? "" : t(copied ? "share.copied" : "deposit.by_hand")}</p>
    <${Rows} name="pending" found=${found} row=${(one) => t("deposit.blocks", { n: Number(one.blocks_left) })} />
    <${Rows} name="deposits" found=${found} row=${(one) => when(one.at)} />`;
}

// Dark on light whatever the theme: cameras want it so.
function Picture({ text, label }) {
  const { size, data } = encode(text, { ecc: "M", border: 2 });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return html`<svg class="deposit-picture" role="img" aria-label=${label} viewBox=${`0 0 ${size} ${size}`} shape-rendering="crispEdges" data-testid="deposit-picture"><rect width=${size} height=${size} fill="#fff" /><path d=${path} fill="#000" /></svg>`;
}

const STATES = { held: "deposit.held", odd: "deposit.held", dust: "deposit.dust" };
function Rows({ name, found, row }) {
  const items = found[name] ?? [], asset = { asset: found.asset, decimals: found.decimals };
  if (items.length === 0) return name === "pending" ? null : html`<p class="hint small" data-testid="deposit-none">${t("deposit.none")}</p>`;
  return html`<h3 class="head">${t(`deposit.${name}`)}</h3><ul class="list" data-testid=${`deposit-${name}`}>${items.map((one) => html`<li key=${`${one.tx}${one.log_index ?? one.from}`}>
    <span><strong>${STATES[one.state] ? t(STATES[one.state]) : t(name === "pending" ? "deposit.coming" : "deposit.credited")}</strong><br /><span class="hint small">${row(one)} · <span data-plain>${one.tx.slice(0, 10)}…</span></span></span>
    <span class=${name === "pending" || STATES[one.state] ? "hint" : "plus"}>${name === "pending" || STATES[one.state] ? "" : "+"}${shown(one.amount, asset)}</span></li>`)}</ul>`;
}
