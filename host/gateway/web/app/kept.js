// kept.js: what this tab remembers over a reload, per player: the two frames of the development page share one session storage.

let owner = "";

/** @param {string} player id */
export function keepFor(player) { owner = player; }

export function read(key, otherwise) {
  try { return JSON.parse(sessionStorage.getItem(name(key))) ?? otherwise; } catch { return otherwise; }
}
export function write(key, value) { sessionStorage.setItem(name(key), JSON.stringify(value)); }
export function forget(key) { sessionStorage.removeItem(name(key)); }

const name = (key) => `frond.${owner}.${key}`;
