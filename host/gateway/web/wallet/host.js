// host.js: the session of this tab and the host's answers. The token lives as long as the tab, half an hour at most.
const KEPT = "frond.wallet", WAIT_MS = 15000;

export class Refused extends Error {
  constructor(code, detail, status) { super(detail || code); Object.assign(this, { code, detail, status }); }
}
const keep = (token) => { try { if (token) sessionStorage.setItem(KEPT, token); else sessionStorage.removeItem(KEPT); } catch { /* then a reload signs out */ } };
let token = (() => { try { return sessionStorage.getItem(KEPT); } catch { return null; } })();
export const signedIn = () => Boolean(token);
export function forget() { token = null; keep(null); }

/** @param {string} method @param {string} path @param {object} [body] @param {object} [headers] */
export async function api(method, path, body, headers = {}) {
  const stop = new AbortController(), timer = setTimeout(() => stop.abort(), WAIT_MS);
  try {
    const reply = await fetch(path, { method, signal: stop.signal, headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { "content-type": "application/json" }), ...headers }, body: body && JSON.stringify(body) });
    const answer = reply.status === 204 ? null : await reply.json();
    if (reply.ok) return answer;
    if (reply.status === 401) forget();
    throw new Refused(answer.code, answer.detail, reply.status);
  } catch (error) {
    throw error instanceof Refused ? error : new Refused("offline");
  } finally { clearTimeout(timer); }
}

// Telegram's login comes back as base64url of JSON.
function loginOf(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}
/** Signs in with what stands behind # in the address, once: it is taken out of the address before anything else. False: there is nothing. */
export async function signIn() {
  const fragment = location.hash.slice(1);
  if (!fragment) return false;
  history.replaceState(null, "", location.pathname);
  let proof;
  try { proof = fragment.startsWith("tgAuthResult=") ? { login: loginOf(fragment.slice(13)) } : { code: decodeURIComponent(fragment).slice(0, 60) }; } catch { throw new Refused("login_malformed"); }
  forget();
  ({ token } = await api("POST", "/v1/wallet/session", proof));
  keep(token);
  return true;
}
export const loginUrl = ({ bot_id: bot, origin }) => `https://oauth.telegram.org/auth?${new URLSearchParams({ bot_id: bot, origin, return_to: `${origin}/wallet/` })}`;
