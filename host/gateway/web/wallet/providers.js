// providers.js: wallets in this browser, by EIP-6963 and, for older ones, window.ethereum; and the two things asked of them.
import { Refused } from "/wallet/host.js";

const found = new Map();
/** @param {() => void} changed called for each wallet that announces itself */
export function discover(changed) {
  addEventListener("eip6963:announceProvider", ({ detail }) => {
    if (typeof detail?.provider?.request !== "function" || typeof detail.info?.uuid !== "string" || found.size >= 12) return;
    const { uuid, name, icon } = detail.info;
    found.set(uuid, { id: uuid, name: String(name).slice(0, 40), icon: /^data:image\/(png|svg\+xml|webp|jpeg|gif);/.test(icon) ? icon : null, provider: detail.provider });
    changed();
  });
  look();
}
export const look = () => dispatchEvent(new Event("eip6963:requestProvider"));
/** @param {string} plain what to call one that does not say its name */
export function providers(plain) {
  if (found.size > 0) return [...found.values()];
  return typeof globalThis.ethereum?.request === "function" ? [{ id: "ethereum", name: plain, icon: null, provider: globalThis.ethereum }] : [];
}

async function ask(provider, method, params) {
  try { return await provider.request({ method, params }); } catch (error) {
    throw error?.code === 4001 ? new Refused("rejected") : new Refused("wallet", String(error?.message ?? error).slice(0, 160));
  }
}
export async function accountOf(provider) {
  const [account] = await ask(provider, "eth_requestAccounts");
  if (!/^0x[0-9a-fA-F]{40}$/.test(account ?? "")) throw new Refused("wallet", "no account");
  return account;
}
export function sign(provider, message, account) {
  const hex = Array.from(new TextEncoder().encode(message), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return ask(provider, "personal_sign", [`0x${hex}`, account]);
}
