// watch.js: what stands around a match that is only watched: that it is, how it ended, why it cannot be; and the sheet on which a player lets others watch.
import { html, useEffect, useRef, useState } from "/app/lib/htm-preact.mjs";
import { knows, problem, t } from "/app/i18n.js";
import { isolated } from "/sdk/i18n.js";
import { Icon, useTrap } from "/app/parts.js";
import { toast } from "/app/state.js";
import { inTelegram, postEvent } from "/app/telegram.js";

const SHOWN_MS = 3000;               // the page first shows the last move
const TRY_AGAIN = new Set(["too_many_spectators", "too_many_watches", "rate_limited"]);

/** Who takes part, as they are called in a sentence. */
const called = ({ name, bot }) => (bot ? t("bot") : t("person", { name: isolated(name) }));

/** How a watched match ended, in a sentence. @param {{places: number[][], reason: string}} end @param {{seat: number, name: string, bot: boolean}[]} players */
export function endSentence({ places, reason }, players) {
  const winners = (places?.[0] ?? []).map((seat) => players.find((one) => one.seat === seat)).filter(Boolean);
  const what = winners.length === 0 ? t("outcome.cancelled") : places.length === 1 && winners.length > 1 ? t("outcome.draw") : t("watch.won", { who: winners.map(called).join(", ") });
  return [what, knows(`ended.${reason}`) && t(`ended.${reason}`)].filter(Boolean).join(" · ");
}

/** Below the header: nothing while the match runs, then how it ended and the way back. @param {{watch: any, onLeave: () => void}} props */
export function WatchEnd({ watch, onLeave }) {
  const [shown, setShown] = useState(false);
  const over = watch.phase === "over";
  useEffect(() => {
    if (!over) { setShown(false); return undefined; }
    const timer = setTimeout(() => setShown(true), watch.end ? SHOWN_MS : 0);
    return () => clearTimeout(timer);
  }, [over]);
  return html`<div class="watch-end-place"><div role="status">${shown && html`<p class="watch-end" data-testid="watch-end"><strong>${t("watch.over")}</strong> <span data-plain>${watch.end ? endSentence(watch.end, watch.start.players) : t("watch.over_away")}</span></p>`}</div>
    ${shown && html`<button class="button" data-testid="watch-leave" onClick=${onLeave}>${t("watch.leave")}</button>`}</div>`;
}

export function Joining() {
  return html`<main class="center" data-testid="watch-joining"><div class="spinner" aria-hidden="true"></div><h1 tabindex="-1">${t("watch.joining")}</h1><p class="hint" role="status">${t("watch.joining_text")}</p></main>`;
}

/** Why it cannot be watched, and the way back. @param {{error: any, onAgain: () => void, onLeave: () => void}} props */
export function Refused({ error, onAgain, onLeave }) {
  const name = knows(`watch.no.${error.code}`) ? `watch.no.${error.code}` : "watch.no";
  const again = name === "watch.no" || TRY_AGAIN.has(error.code), way = useRef(null);
  useEffect(() => { way.current?.focus(); }, []);
  return html`<main class="center" data-testid="watch-refused" data-code=${error.code} role="alert">
    <${Icon} name="eye" /><h1>${t(name)}</h1><p class="hint">${name === "watch.no" ? problem(error) : t(`${name}.text`)}</p>
    ${again && html`<button class="button" data-testid="watch-again" onClick=${onAgain}>${t("retry")}</button>`}
    <button class=${again ? "button quiet" : "button"} ref=${way} data-testid="watch-leave" onClick=${onLeave}>${t("watch.leave")}</button></main>`;
}

/** @param {string} match @param {string} bot the Telegram bot that opens this app, or "" */
function linkTo(match, bot) {
  return bot && inTelegram() ? `https://t.me/${bot}?startapp=watch_${match}` : `${location.origin}/app/#watch=${match}`;
}

/** The link by which others watch. @param {{match: string, game: string, delayMs: number, bot: string, onClose: () => void}} props */
export function ShareSheet({ match, game, delayMs, bot, onClose }) {
  const sheet = useRef(null), field = useRef(null), [copied, setCopied] = useState(null);
  useTrap(sheet, onClose);
  const link = linkTo(match, bot), text = t("share.words", { game });
  async function copy() {
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
    } catch {
      field.current.select();                              // the browser does not let us: then by hand
      setCopied(false);
    }
  }
  function send() {
    if (inTelegram()) postEvent("web_app_open_tg_link", { path_full: `/share/url?${new URLSearchParams({ url: link, text })}` });
    else navigator.share({ url: link, text }).catch((error) => { if (error.name !== "AbortError") toast(t("share.failed")); });
  }
  return html`<div class="shade" onClick=${(event) => { if (event.target === event.currentTarget) onClose(); }}>
    <section class="sheet" role="dialog" aria-modal="true" aria-labelledby="share-title" aria-describedby="share-text" tabindex="-1" ref=${sheet} data-testid="share-sheet">
      <div class="sheet-head"><span class="mark large"><${Icon} name="eye" /></span><div><span class="hint small" data-plain>${game}</span><h2 id="share-title">${t("share.title")}</h2></div></div>
      <p id="share-text">${t(delayMs > 0 ? "share.text" : "share.text_now", { n: Math.ceil(delayMs / 1000) })}</p>
      <input class="field wide" readonly ref=${field} data-testid="share-link" aria-label=${t("share.link")} value=${link} onFocus=${(event) => event.target.select()} />
      <button class="button wide" data-testid="share-copy" onClick=${copy}>${t("share.copy")}</button>
      ${(inTelegram() || navigator.share) && html`<button class="button quiet wide" data-testid="share-send" onClick=${send}>${t(inTelegram() ? "share.telegram" : "share.send")}</button>`}
      <p class="hint small share-said" role="status" data-testid="share-said">${copied === null ? "" : t(copied ? "share.copied" : "share.by_hand")}</p>
      <button class="button plain wide" data-testid="share-close" onClick=${onClose}>${t("close")}</button>
    </section></div>`;
}
