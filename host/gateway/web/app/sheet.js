// sheet.js: the question whether a game may use coins. Drawn by the shell, never by the game: what stands here is what the host told.
import { html, useEffect, useRef, useState } from "/app/lib/htm-preact.mjs";
import { formatUnits } from "/sdk/frond.js";
import { knows, language, ownText, percent, problem as wordsFor, t } from "/app/i18n.js";
import { useTrap } from "/app/parts.js";

const ARM_MS = 400;                  // a game must not catch a tap or an Enter that was meant for itself
const DAILY_TIMES = [5, 10, 25];      // how many such stakes a daily approval covers

/**
 * @param {{need: {plugin: string, asset: string, amount: string, reason?: string, terms?: {seats?: number, rake?: Object<string, number>}},
 *   asset: {asset: string, decimals: number, free: string}, game: {name: string, icon: string} | undefined,
 *   onAnswer: (choice: {kind: "once" | "daily", max: string, key: string} | null) => Promise<void>}} props
 */
export function ApprovalSheet({ need, asset, game, onAnswer }) {
  const [times, setTimes] = useState(DAILY_TIMES[0]);
  const [busy, setBusy] = useState(true);
  const [problem, setProblem] = useState(null);
  const [keys] = useState({ once: crypto.randomUUID?.() ?? String(Math.random()), daily: crypto.randomUUID?.() ?? String(Math.random()) });
  const sheet = useRef(null);
  useEffect(() => { const timer = setTimeout(() => setBusy(false), ARM_MS); return () => clearTimeout(timer); }, []);
  useTrap(sheet, () => { if (!busy) answer(null); });

  const amount = BigInt(need.amount), short = amount > BigInt(asset.free);
  const text = (units) => `${formatUnits(String(units), asset.decimals, language)} ${asset.asset}`;
  async function answer(choice) {
    setBusy(true);
    setProblem(null);
    try { await onAnswer(choice); } catch (error) { setProblem(wordsFor(error)); setBusy(false); }
  }
  const daily = amount * BigInt(times);
  return html`<div class="shade" onClick=${(event) => { if (event.target === event.currentTarget && !busy) answer(null); }}>
    <section class="sheet" role="dialog" aria-modal="true" aria-labelledby="sheet-title" aria-describedby="sheet-text" tabindex="-1" ref=${sheet} data-testid="approval">
      <div class="sheet-head">${game && html`<img class="icon" src=${game.icon} width="48" height="48" alt="" />`}
        <div><span class="hint small">${t("sheet.asks", { game: game ? ownText(game, "name") : need.plugin })}</span><h2 id="sheet-title">${t("sheet.title", { amount: text(amount) })}</h2></div></div>
      <div id="sheet-text">
        <${Terms} need=${need} amount=${amount} text=${text} />
        <p class="hint small">${t("sheet.have", { amount: text(asset.free) })}</p>
        ${short && html`<p class="problem" role="alert">${t("sheet.short")}</p>`}
        ${problem && html`<p class="problem" role="alert" data-testid="approval-problem">${problem}</p>`}
      </div>
      <button class="button wide" disabled=${busy || short} data-testid="approve-once" onClick=${() => answer({ kind: "once", max: String(amount), key: keys.once })}>${t("sheet.once", { amount: text(amount) })}</button>
      <div class="daily">
        <button class="button quiet wide" disabled=${busy || short} data-testid="approve-daily" onClick=${() => answer({ kind: "daily", max: String(daily), key: keys.daily + times })}>${t("sheet.daily", { amount: text(daily) })}</button>
        <select class="field" aria-label=${t("sheet.maximum")} value=${times} onChange=${(event) => setTimes(Number(event.target.value))} disabled=${busy}>
          ${DAILY_TIMES.map((n) => html`<option value=${n}>${t("sheet.times", { n })}</option>`)}</select>
      </div>
      <button class="button plain wide" disabled=${busy} data-testid="refuse" onClick=${() => answer(null)}>${t("sheet.refuse")}</button>
    </section></div>`;
}

// Who gets what. The host sends the split and holds the game to it.
function Terms({ need, amount, text }) {
  const { seats, rake } = need.terms ?? {};
  if (!seats) return html`<p>${need.reason || t("sheet.wants")}</p>`;
  const pot = amount * BigInt(seats);
  const shares = Object.entries(rake ?? {}).filter(([, bps]) => bps > 0).map(([who, bps]) => [shareText(who, bps), pot * BigInt(bps) / 10000n]);
  const rest = shares.reduce((left, [, units]) => left - units, pot);
  return html`<p class="terms-text">${t("sheet.aside")}</p>
    <table class="terms"><tbody>
      <tr><th scope="row">${t("sheet.pot", { n: seats })}</th><td>${text(pot)}</td></tr>
      <tr class="main"><th scope="row">${t("sheet.winner")}</th><td data-testid="winner-gets">${text(rest)}</td></tr>
      ${shares.map(([what, units]) => html`<tr class="hint"><th scope="row">${what}</th><td>${text(units)}</td></tr>`)}
      <tr class="hint"><th scope="row">${t("sheet.draw")}</th><td>${t("sheet.back", { amount: text(amount) })}</td></tr>
    </tbody></table>`;
}

const shareText = (who, bps) => t(knows(`share.${who}`) ? `share.${who}` : "share.other", { who, percent: percent(bps) });
