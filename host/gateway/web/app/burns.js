// burns.js: what was given up and burned: of one match, from the pot to the chain, with a proof that this browser checks; and of all, beside the supply.
import { html, useEffect, useRef, useState } from "/app/lib/htm-preact.mjs";
import { problem, t, when } from "/app/i18n.js";
import { Icon, assetOf, shown, useTrap } from "/app/parts.js";
import { gameName, state } from "/app/state.js";
import { verifyBurn } from "/sdk/burn.js";

const LOOK_MS = 3000;                // how often a burn on its way is looked at
const STAGES = ["pending", "batched", "sent", "burned"];
const STAGE_OF = { pending: 0, batched: 1, sent: 2, proving: 2, reverted: 2, refuted: 2, burned: 3 };
const SIGNS = { true: "tick", false: "cross", null: "dots" };

/** Whether a match left something to burn. @param {any} match what GET /v1/matches/{id} told */
export function burnsOf(match) {
  try { return BigInt(match.result?.rake?.burn ?? 0) > 0n; } catch { return false; }
}

/** @param {{match: any, host: import("/app/host.js").Host}} props */
export function Burns({ match, host }) {
  const [burn, setBurn] = useState(null), [error, setError] = useState(null), [looks, setLooks] = useState(0);
  const over = burn?.state === "burned";
  useEffect(() => {
    let left = false;
    async function look() {
      try {
        const { burns } = await host.api("GET", `/v1/burns?match=${encodeURIComponent(match.id)}&plugin=${encodeURIComponent(match.game)}&limit=1`);
        const found = burns.length ? await host.api("GET", `/v1/burns/${encodeURIComponent(burns[0].id)}`) : { state: "pending", amount: match.result.rake.burn, asset: match.asset };
        if (!left) { setBurn(found); setError(null); }
      } catch (refused) {
        if (!left) setError(refused);
      }
    }
    if (!over) look();
    const timer = over ? 0 : setTimeout(() => setLooks(looks + 1), LOOK_MS);
    return () => { left = true; clearTimeout(timer); };
  }, [looks, over]);
  const asset = assetOf(state.assets, match.asset);
  return html`<section class="fair" aria-labelledby="burn-title" data-testid="burn" data-state=${burn?.state ?? ""}><h3 id="burn-title">${t("burn.title")}</h3>
    <p class="hint small">${t("burn.about", { amount: shown(match.result.rake.burn, asset) })}</p>
    ${error && !burn && html`<p class="hint small" role="alert">${problem(error)}</p>`}
    ${burn && html`<${Way} burn=${burn} />`}
    ${over && html`<${Receipt} burn=${burn} />`}</section>`;
}

function Way({ burn }) {
  const at = STAGE_OF[burn.state] ?? 0, trouble = burn.state === "reverted" || burn.state === "refuted";
  return html`<ol class="steps" data-testid="burn-way">${STAGES.map((stage, i) => {
    const done = i < at || burn.state === "burned", now = i === at && !done;
    return html`<li class=${done ? "true" : now && trouble ? "false" : "null"} aria-current=${now ? "step" : null}><${Icon} name=${done ? "tick" : now && trouble ? "alert" : "dots"} />
      <span><span class="sr">${t(done ? "burn.done" : now ? "burn.now" : "burn.later")} </span>${t(`burn.stage.${stage}`)}</span></li>`;
  })}</ol><p class="hint small" role="status" data-testid="burn-now">${t(`burn.state.${burn.state}`)}</p>`;
}

function Receipt({ burn }) {
  const [steps, setSteps] = useState(null), batch = burn.burn;
  const verdict = steps && (steps.some((one) => one.ok === false) ? false : steps.some((one) => one.ok) ? true : null);
  const fact = (name, value) => value && html`<dt>${t(`burn.fact.${name}`)}</dt><dd>${value}</dd>`;
  return html`<div class="steps"><details data-testid="burn-receipt"><summary>${t("burn.receipt")}</summary><dl>
      ${fact("tx", batch.tx)}${fact("block", batch.block)}${fact("at", batch.burned_at && when(batch.burned_at))}${fact("batch", `${batch.batch}: ${batch.id}`)}${fact("root", batch.root)}${fact("reason", burn.reason)}
      ${burn.proof && fact("proof", burn.proof.length ? burn.proof.join(" ") : t("burn.alone"))}</dl></details></div>
    ${!steps && html`<button class="button quiet wide" data-testid="burn-verify" onClick=${() => setSteps(verifyBurn(burn))}><${Icon} name="shield" /> ${t("burn.check")}</button>`}
    <div role="status">${steps && html`<p class=${`verdict ${verdict}`} data-testid="burn-verdict" data-verdict=${String(verdict)}><${Icon} name=${SIGNS[verdict]} /> ${t(`burn.verdict.${verdict}`)}</p>
      <ol class="steps">${steps.map((one) => html`<li class=${String(one.ok)}><${Icon} name=${SIGNS[one.ok]} /><span><span class="sr">${t(`fair.sign.${one.ok}`)} </span>${t(`burn.step.${one.step}`)}
        ${one.data && html`<details><summary>${t("fair.data")}</summary><dl>${one.data.map(([name, value]) => html`<dt>${t(`burn.fact.${name}`)}</dt><dd>${value}</dd>`)}</dl></details>`}</span></li>`)}</ol>`}</div>`;
}

/** Cap, circulation, burns: over everything else. @param {{host: import("/app/host.js").Host, onClose: () => void}} props */
export function SupplySheet({ host, onClose }) {
  const [supply, setSupply] = useState(null), [error, setError] = useState(null), [tries, setTries] = useState(0);
  const sheet = useRef(null);
  useTrap(sheet, onClose);
  useEffect(() => {
    setError(null);
    host.api("GET", "/v1/supply").then(setSupply, setError);
  }, [tries]);
  return html`<div class="shade" onClick=${(event) => { if (event.target === event.currentTarget) onClose(); }}>
    <section class="sheet" role="dialog" aria-modal="true" aria-labelledby="supply-title" tabindex="-1" ref=${sheet} data-testid="supply-sheet">
      <h2 id="supply-title">${t("supply.title")}</h2>
      ${error && html`<div class="failed" role="alert"><div><strong>${t("list.failed")}</strong><p class="small">${problem(error)}</p></div><button class="button quiet" onClick=${() => setTries(tries + 1)}>${t("retry")}</button></div>`}
      ${!supply && !error && html`<p class="hint" role="status">${t("loading")}</p>`}
      ${supply && html`<${Totals} supply=${supply} />`}
      <button class="button quiet wide" data-testid="supply-close" onClick=${onClose}>${t("close")}</button>
    </section></div>`;
}

function Totals({ supply }) {
  const asset = { asset: supply.asset, decimals: supply.decimals }, { frond, chain } = supply;
  const row = (name, units, more, test) => html`<tr data-testid=${test ?? null} data-units=${units}><th scope="row">${t(`supply.${name}`)}${more && html`<br /><span class="hint small">${more}</span>`}</th><td>${shown(units, asset)}</td></tr>`;
  const later = supply.burned_later_from.allocation ? t("supply.later_from", { allocation: supply.burned_later_from.allocation }) : t("supply.unstated");
  return html`
    <table class="terms"><caption class="sr">${t("supply.published")}</caption><tbody>
      ${row("cap", supply.cap, null, "supply-cap")}${row("liquidity", supply.liquidity, "75%")}${row("reserve", supply.reserve, "5%")}${row("launch", supply.burned_at_launch, "20%")}${row("later", supply.burned_later, later)}
      ${row("frond", frond.burned, null, "supply-frond")}${row("circulating", supply.circulating, t("supply.circulating_is"), "supply-circulating")}</tbody></table>
    <h3>${t("supply.by_plugin")}</h3>
    ${frond.by_plugin.length === 0 ? html`<p class="hint">${t("supply.nothing")}</p>` : html`<table class="terms" data-testid="supply-plugins"><tbody>${frond.by_plugin.map((one) => html`<tr>
      <th scope="row"><span data-plain>${one.plugin === "unattributed" ? t("supply.unattributed") : gameName(one.plugin)}</span>${(one.pending !== "0" || one.in_batches !== "0") && html`<br /><span class="hint small">${t("supply.coming", { amount: shown(String(BigInt(one.pending) + BigInt(one.in_batches)), asset) })}</span>`}</th>
      <td>${shown(one.burned, asset)}</td></tr>`)}</tbody></table>`}
    ${BigInt(frond.unattributed_after_restore) > 0n && html`<p class="hint small">${t("supply.lost", { amount: shown(frond.unattributed_after_restore, asset) })}</p>`}
    ${chain ? html`<p class=${`verdict ${chain.agrees}`} data-testid="supply-chain" data-agrees=${String(chain.agrees)}><${Icon} name=${SIGNS[chain.agrees]} /> ${t(chain.agrees ? "supply.agrees" : "supply.differs", { block: chain.block, amount: shown(chain.total_supply, asset) })}</p>`
    : html`<p class="hint small" data-testid="supply-chain" data-agrees="null">${t("supply.no_chain")}</p>`}`;
}
