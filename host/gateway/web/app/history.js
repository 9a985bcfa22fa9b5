// history.js: what the player has played, and for each match: what came of it, and whether it was dealt as promised.
import { html, useEffect, useRef, useState } from "/app/lib/htm-preact.mjs";
import { knows, problem, t, when, whenShort } from "/app/i18n.js";
import { Burns, burnsOf } from "/app/burns.js";
import { Fairness } from "/app/fairness.js";
import { List } from "/app/lists.js";
import { Icon, assetOf, shown, signed, useTrap } from "/app/parts.js";
import { gameName, state, update } from "/app/state.js";

export function History({ assets, onPlay }) {
  return html`<h2 class="head">${t("matches.head")}</h2>
    <${List} name="history" testid="matches" empty=${html`<div class="empty"><h3>${t("matches.none")}</h3><p class="hint">${t("matches.none_text")}</p></div>`}
      row=${(match) => html`<${Row} key=${match.id} match=${match} asset=${assetOf(assets, match.asset)} onOpen=${() => (match.state === "ended" ? update({ opened: match }) : onPlay(match.game))} />`} />`;
}

/** "won", "lost", "draw", "cancelled", "place" (of several) or "running", as the player of this seat sees it. */
export function outcomeOf({ state: now, places, place, players }) {
  if (now !== "ended") return "running";
  if (!places || places.length === 0 || place === 0) return "cancelled";
  if (places.length === 1) return players.length > 1 ? "draw" : "won";
  return place === 1 ? "won" : players.length === 2 ? "lost" : "place";
}
const MARKS = { won: "tick", lost: "cross", draw: "equal", cancelled: "alert", place: "dots", running: "dots" };

const othersOf = (match) => match.players.filter((one) => one.seat !== match.seat).map((one) => (one.bot ? t("bot") : one.name)).join(", ");

function Row({ match, asset, onOpen }) {
  const outcome = outcomeOf(match), against = othersOf(match);
  const money = match.stake === "0" || match.net === undefined ? t("matches.free") : signed(match.net, asset);
  return html`<li class="pressable"><button class="row-button" data-testid="match" data-outcome=${outcome} onClick=${onOpen}>
      <span class=${`mark ${outcome}`}><${Icon} name=${MARKS[outcome]} /></span>
      <span class="grow"><strong>${t(`outcome.${outcome}`, { n: match.place ?? 0 })}</strong>${against && html` <span class="hint" data-plain>${against}</span>`}<br />
        <span class="hint small"><span data-plain>${gameName(match.game)}</span> · ${whenShort(match.ended_at ?? match.created_at)}</span></span>
      <span class=${match.stake === "0" ? "hint small" : outcome === "won" ? "plus" : "minus"}>${money}</span></button></li>`;
}

/** The match that is open, over everything else. @param {{match: any, host: import("./host.js").Host, onClose: () => void}} props */
export function MatchSheet({ match, host, onClose }) {
  const [facts, setFacts] = useState(null), [error, setError] = useState(null), [tries, setTries] = useState(0);
  const sheet = useRef(null);
  useTrap(sheet, onClose);
  useEffect(() => {
    setError(null);
    host.api("GET", `/v1/matches/${encodeURIComponent(match.id)}`).then(setFacts, setError);
  }, [tries]);
  const asset = assetOf(state.assets, match.asset), outcome = outcomeOf(match), reason = `ended.${match.reason}`;
  const fact = (name, value) => html`<tr><th scope="row">${t(name)}</th><td>${value}</td></tr>`;
  return html`<div class="shade" onClick=${(event) => { if (event.target === event.currentTarget) onClose(); }}>
    <section class="sheet" role="dialog" aria-modal="true" aria-labelledby="match-title" tabindex="-1" ref=${sheet} data-testid="match-sheet">
      <div class="sheet-head"><span class=${`mark large ${outcome}`}><${Icon} name=${MARKS[outcome]} /></span>
        <div><span class="hint small" data-plain>${gameName(match.game)}</span><h2 id="match-title">${t(`outcome.${outcome}`, { n: match.place ?? 0 })}</h2></div></div>
      <table class="terms"><tbody>
        ${fact("match.against", html`<span data-plain>${othersOf(match) || "–"}</span>`)}
        ${fact("match.when", when(match.ended_at ?? match.created_at))}
        ${knows(reason) && fact("match.why", t(reason))}
        ${match.stake === "0" ? fact("match.stake", t("matches.free")) : html`${fact("match.stake", shown(match.stake, asset))}${fact("match.net", signed(match.net ?? "0", asset))}`}
      </tbody></table>
      ${error && html`<div class="failed" role="alert" data-testid="failed-match"><div><strong>${t("list.failed")}</strong><p class="small">${problem(error)}</p></div><button class="button quiet" onClick=${() => setTries(tries + 1)}>${t("retry")}</button></div>`}
      ${!facts && !error && html`<p class="hint" role="status">${t("loading")}</p>`}
      ${facts && burnsOf(facts) && html`<${Burns} match=${facts} host=${host} />`}
      ${facts && html`<${Fairness} match=${facts} />`}
      <button class="button quiet wide" data-testid="match-close" onClick=${onClose}>${t("close")}</button>
    </section></div>`;
}
