// state.js: what the shell knows. The page is a function of it: whoever changes it with `update` has the page drawn again.
import { ownText } from "/app/i18n.js";

const LIST = { items: null, cursor: null, loading: false, error: null };

export let state = { screen: "loading", tab: "games", games: [], assets: [], playing: null, broken: false, approval: null, opened: null, depositing: null, watch: null, sharing: null, supply: false, online: true, error: null, ended: null, toast: "",
  lists: { journal: LIST, consents: LIST, sessions: LIST, history: LIST, keys: LIST }, asking: "chat", draft: "" };

let draw = () => {};
/** @param {(state: any) => void} drawer */
export function drawWith(drawer) { draw = drawer; }

export function update(change) {
  state = { ...state, ...change };
  draw(state);
}

const TOAST_MS = 5000;
let toastTimer = 0;
/** One sentence for a moment, also for screen readers. @param {string} text */
export function toast(text) {
  update({ toast: text });
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => update({ toast: "" }), TOAST_MS);
}

/** The mode of a match, when others may watch it. @param {{game: string, mode: string}} match */
export const spectatorsOf = (match) => state.games.find((one) => one.id === match.game)?.modes.find((mode) => mode.id === match.mode && mode.spectators);

export function gameName(id) {
  const game = state.games.find((one) => one.id === id);
  return game ? ownText(game, "name") : id;
}
