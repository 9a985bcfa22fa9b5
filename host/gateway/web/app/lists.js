// lists.js: lists that come from the host, a page at a time. One that does not come says so and offers another try; what was shown before stays.
import { html } from "/app/lib/htm-preact.mjs";
import { HostError } from "/app/error.js";
import { problem, t } from "/app/i18n.js";
import { Loading } from "/app/parts.js";
import { state, update } from "/app/state.js";

const LISTS = {
  journal: { path: "/v1/wallet/journal?limit=20", key: "entries" },
  history: { path: "/v1/matches?limit=20", key: "matches" },
  sessions: { path: "/v1/sessions", key: "sessions" },
  keys: { path: "/v1/keys", key: "keys", keep: (one) => !one.revoked_at },
  consents: { path: "/v1/consents", key: "consents", keep: (one) => one.kind === "daily" || one.left !== "0" },      // one that was for once and is spent allows nothing
};
const asked = Object.fromEntries(Object.keys(LISTS).map((name) => [name, 0]));      // the newest request of each list; an older answer is dropped

let host;
/** @param {import("./host.js").Host} theHost */
export function listsFrom(theHost) { host = theHost; }

/** @param {keyof LISTS} name @param {boolean} [more] the next page behind what is there */
export async function load(name, more = false) {
  const { path, key, keep = () => true } = LISTS[name], mine = ++asked[name], before = state.lists[name];
  const set = (change) => { if (mine === asked[name]) update({ lists: { ...state.lists, [name]: { ...state.lists[name], ...change } } }); };
  set({ loading: true, error: null });
  try {
    const page = await host.api("GET", more ? `${path}&cursor=${encodeURIComponent(before.cursor)}` : path);
    if (!Array.isArray(page?.[key])) throw new HostError("bad_answer", "The host sent something that cannot be read.");
    set({ items: [...(more ? before.items : []), ...page[key].filter(keep)], cursor: page.cursor ?? null, loading: false });
  } catch (error) {
    set({ loading: false, error });
  }
}

/** Forgets a list, so that it is asked for when it is next shown. */
export function forget(name) {
  asked[name]++;
  update({ lists: { ...state.lists, [name]: { items: null, cursor: null, loading: false, error: null } } });
}

/** @param {{name: keyof LISTS, empty: any, row: (item: any) => any, testid: string}} props */
export function List({ name, empty, row, testid }) {
  const { items, cursor, loading, error } = state.lists[name];
  if (items === null) return error ? html`<${Failed} name=${name} error=${error} />` : html`<${Loading} />`;
  return html`${error && html`<${Failed} name=${name} error=${error} />`}
    ${items.length === 0 ? empty : html`<ul class="list" data-testid=${testid} aria-busy=${loading}>${items.map(row)}</ul>`}
    ${cursor && html`<button class="button quiet wide" data-testid=${`more-${name}`} disabled=${loading} onClick=${() => load(name, true)}>${t("more")}</button>`}`;
}

function Failed({ name, error }) {
  return html`<div class="failed" role="alert" data-testid=${`failed-${name}`}>
    <div><strong>${t("list.failed")}</strong><p class="small">${problem(error)}${error.request_id ? ` ${t("request", { id: error.request_id })}` : ""}</p></div>
    <button class="button quiet" data-testid=${`retry-${name}`} onClick=${() => load(name)}>${t("retry")}</button></div>`;
}
