// account.js: what the player has allowed, where they are signed in, and the language.
import { html, useState } from "/app/lib/htm-preact.mjs";
import { problem, t, when } from "/app/i18n.js";
import { List, load } from "/app/lists.js";
import { Icon, Language, assetOf, shown } from "/app/parts.js";
import { gameName, state, toast } from "/app/state.js";

let host;
/** @param {import("./host.js").Host} theHost */
export function accountOf(theHost) { host = theHost; }

export function Account({ assets }) {
  const others = (state.lists.sessions.items ?? []).filter((one) => !one.current && !one.opened_by).length;
  return html`<h2 class="head">${t("approvals.head")}</h2>
    <${List} name="consents" testid="consents" empty=${html`<div class="card note" data-testid="consents-none"><${Icon} name="shield" /><div><strong>${t("approvals.none")}</strong><p class="hint small">${t("approvals.none_text")}</p></div></div>`}
      row=${(one) => html`<${Consent} key=${one.id} consent=${one} asset=${assetOf(assets, one.asset)} />`} />
    <h2 class="head">${t("sessions.head")}</h2>
    <${List} name="sessions" testid="sessions" row=${(one) => html`<${Session} key=${one.id} session=${one} />`} />
    ${others > 0 && html`<button class="button quiet danger wide" data-testid="end-others" onClick=${endOthers}>${t("sessions.end_others")}</button>`}
    <h2 class="head">${t("language")}</h2><${Language} />`;
}

// The button that had the focus is gone: it goes to the next one like it, or to the place in the menu.
const focusNext = (testid) => document.querySelector(`[data-testid=${testid}], [data-testid=tab-account]`)?.focus();

async function revoke(consent) {
  try {
    await host.api("DELETE", `/v1/consents/${encodeURIComponent(consent.id)}`);
    toast(t("revoked", { game: gameName(consent.plugin) }));
  } catch (error) { toast(problem(error)); }
  await load("consents");
  focusNext("revoke");
}
async function end(session) {
  try {
    await host.api("DELETE", `/v1/sessions/${encodeURIComponent(session.id)}`);
    toast(t("sessions.ended"));
  } catch (error) { toast(problem(error)); }
  await load("sessions");
  focusNext("end-session");
}
async function endOthers() {
  try {
    const { ended } = await host.api("DELETE", "/v1/sessions");
    toast(t("sessions.ended_n", { n: ended }));
  } catch (error) { toast(problem(error)); }
  await load("sessions");
  focusNext("end-session");
}

function Consent({ consent, asset }) {
  const facts = { left: shown(consent.left, asset), max: shown(consent.max, asset), date: when(consent.expires_at) };
  return html`<li><span><strong data-plain>${gameName(consent.plugin)}</strong><br /><span class="hint small">${t(consent.kind === "daily" ? "approvals.daily" : "approvals.once", facts)}</span>
      <${Meter} left=${consent.left} max=${consent.max} /></span>
    <${Once} testid="revoke" label=${t("revoke.one", { game: gameName(consent.plugin) })} act=${() => revoke(consent)}>${t("revoke")}<//></li>`;
}
// How much is left, for the eye; the words say it too.
function Meter({ left, max }) {
  const share = BigInt(max) > 0n ? Number(BigInt(left) * 100n / BigInt(max)) : 0;
  return html`<span class="meter" aria-hidden="true"><span style=${{ width: `${share}%` }}></span></span>`;
}

function Session({ session }) {
  const { scope, device, current, online, seen_at: seen, created_at: since } = session;
  const game = scope.startsWith("game:") ? gameName(scope.slice(5)) : "";
  const where = game ? t("sessions.game", { game }) : device || t("sessions.unknown");
  return html`<li class=${session.opened_by ? "inner" : ""}><span class="with-icon"><${Icon} name=${game ? "games" : "phone"} /><span><strong data-plain>${where}</strong>${current && html` <span class="badge">${t("sessions.this")}</span>`}<br />
      <span class="hint small">${current || online ? t("sessions.now", { date: when(since) }) : t("sessions.seen", { date: when(seen ?? since) })}</span></span></span>
    ${!current && html`<${Once} testid="end-session" label=${t("sessions.end_one", { where })} act=${() => end(session)}>${t("sessions.end")}<//>`}</li>`;
}

// A button for something that is done once: it waits for its own answer.
function Once({ testid, label, act, children }) {
  const [busy, setBusy] = useState(false);
  return html`<button class="button quiet danger" data-testid=${testid} disabled=${busy} aria-label=${label} onClick=${() => { setBusy(true); act().finally(() => setBusy(false)); }}>${children}</button>`;
}
