// parts.js: pieces that several screens use.
import { html, useEffect, useRef } from "/app/lib/htm-preact.mjs";
import { formatUnits } from "/sdk/frond.js";
import { LANGUAGES, choose, language, t } from "/app/i18n.js";
import { update } from "/app/state.js";

export function assetOf(assets, id) { return assets.find((one) => one.asset === id) ?? { asset: id, decimals: 9, free: "0", held: "0" }; }
export const bare = (units, asset) => formatUnits(units, asset.decimals, language);
export const shown = (units, asset) => `${bare(units, asset)} ${asset.asset}`;
/** "+9 PALM", "−10 PALM", "0 PALM" */
export const signed = (units, asset) => `${units === "0" || units.startsWith("-") ? "" : "+"}${shown(units, asset)}`;

const SHAPES = {
  games: "M7 8h10a5 5 0 0 1 5 5l-.6 3.400a2.300 2.300 0 0 1-4 1L15.500 15h-7l-1.900 2.4a2.300 2.300 0 0 1-4-1L2 13a5 5 0 0 1 5-5zM6.500 11.500v3M5 13h3M15.500 12h.01M18 13.500h.01",
  history: "M12 7v5l3 2M4.500 9.500A8 8 0 1 1 4 12M4 5v4.500h4.500",
  wallet: "M4 7.500h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zm0 0a2 2 0 0 1 2-2h10v2M16 13.500h.01",
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20a7.500 7.500 0 0 1 15 0",
  ask: "M5.500 5h13A1.500 1.500 0 0 1 20 6.500v9a1.500 1.500 0 0 1-1.500 1.500H12l-4.500 4v-4h-2A1.500 1.500 0 0 1 4 15.500v-9A1.500 1.500 0 0 1 5.500 5zM8.500 9.500h7M8.500 12.800h4",
  stop: "M8 7h8a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1z", key: "M14.500 13.500a4.500 4.500 0 1 0-4-2.500L4 17.500V20h3v-2h2v-2h2l1.500-1.500M15.500 8.500h.01", book: "M12 6.500C10 5 7 4.500 4 5v13c3-.5 6 0 8 1.500 2-1.500 5-2 8-1.500V5c-3-.5-6 0-8 1.500zM12 6.500V19",
  tick: "M5 12.500l4.500 4.500L19 7.500", cross: "M6 6l12 12M18 6L6 18", dots: "M6 12h.01M12 12h.01M18 12h.01", equal: "M6 9.500h12M6 14.500h12", alert: "M12 8v5M12 16.500h.01M12 3.500L2.500 20h19z",
  shield: "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 11.500l2.200 2.300L15.200 9.500", phone: "M8 3h8a1.500 1.500 0 0 1 1.500 1.500v15A1.500 1.500 0 0 1 16 21H8a1.500 1.500 0 0 1-1.500-1.500v-15A1.500 1.500 0 0 1 8 3zM11 18h2",
  eye: "M2 12s3.600-6.500 10-6.500S22 12 22 12s-3.600 6.500-10 6.500S2 12 2 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  flame: "M12 3c1 4 5.500 5.500 5.500 10.500a5.500 5.500 0 0 1-11 0c0-2.500 1.500-3.500 2-5.500 1.500 1 2 2 2.200 3C12 9 12.500 6 12 3z",
  cloud: "M7 18a4 4 0 0 1 0-8 5.500 5.500 0 0 1 10.500 1.500A3.300 3.300 0 0 1 17 18zM3 3l18 18",
};
/** @param {{name: keyof SHAPES}} props */
export const Icon = ({ name, ...more }) => html`<svg class="ico" viewBox="0 0 24 24" aria-hidden="true" ...${more}><path d=${SHAPES[name]} /></svg>`;

export function Face({ name, large }) {
  let hue = 0;
  for (const char of name) hue = (hue * 37 + char.codePointAt(0)) % 360;
  return html`<span class=${large ? "avatar large" : "avatar"} style=${{ "--hue": String(hue) }} aria-hidden="true">${[...name][0] ?? "?"}</span>`;
}

export function Loading() {
  return html`<div class="center" data-testid="loading"><div class="spinner" aria-hidden="true"></div><p class="hint" role="status">${t("loading")}</p></div>`;
}

// Both languages by their own names: who cannot read this page still finds the way.
export function Language() {
  const speakAs = (chosen) => { choose(chosen); update({}); };
  return html`<label class="language"><svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="8" /><path d="M2 10h16M10 2c5 5 5 11 0 16M10 2c-5 5-5 11 0 16" /></svg><span class="sr">${t("language")}</span>
    <select class="field" data-testid="language" value=${language} onChange=${(event) => speakAs(event.target.value)}>
      ${Object.entries(LANGUAGES).map(([code, name]) => html`<option value=${code} lang=${code}>${name}</option>`)}</select></label>`;
}

/** Focus stays inside while a sheet is open and returns to where it was; Escape closes. @param {{current: HTMLElement}} ref @param {() => void} onEscape */
export function useTrap(ref, onEscape) {
  const escape = useRef(onEscape);
  escape.current = onEscape;
  useEffect(() => {
    const before = document.activeElement;
    const focusable = () => [...ref.current.querySelectorAll("button, input, select, summary, a[href]")].filter((one) => !one.disabled && one.checkVisibility());
    ref.current.focus();
    function key(event) {
      if (event.key === "Escape") { event.preventDefault(); escape.current(); return; }
      if (event.key !== "Tab") return;
      const all = focusable(), first = all[0], last = all.at(-1);
      if (event.shiftKey && (document.activeElement === first || document.activeElement === ref.current)) { event.preventDefault(); last?.focus(); }
      else if (!event.shiftKey && document.activeElement === last) { event.preventDefault(); first?.focus(); }
      else if (!ref.current.contains(document.activeElement)) { event.preventDefault(); first?.focus(); }
    }
    document.addEventListener("keydown", key, true);
    return () => { document.removeEventListener("keydown", key, true); before?.focus?.(); };
  }, []);
}
