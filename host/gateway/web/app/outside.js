// outside.js: the way to /wallet/ from inside the Mini App. Loaded only where telegram.policy is open and the host has a chain: under "strict" the shell knows nothing of it.
import { html, useState } from "/app/lib/htm-preact.mjs";
import { language, problem } from "/app/i18n.js";
import { texts } from "/sdk/i18n.js";
import { Icon } from "/app/parts.js";

const CATALOGUE = {
  en: { head: "Link a wallet", text: "Your own wallet lives in another browser: link it there, deposit and withdraw.", open: "Make a link", once: "Open this link in a browser that has your wallet. It works once, for ten minutes.", copy: "Copy", copied: "Copied." },
  ko: { head: "지갑 연결", text: "내 지갑은 다른 브라우저에 있어요. 거기서 연결하고 입금하고 출금할 수 있어요.", open: "링크 만들기", once: "지갑이 있는 브라우저에서 이 링크를 여세요. 10분 동안 한 번만 쓸 수 있어요.", copy: "복사", copied: "복사했어요." },
};

/** @param {{host: import("./host.js").Host}} props */
export function Outside({ host }) {
  const t = texts(CATALOGUE, language), [link, setLink] = useState(null), [said, setSaid] = useState("");
  async function begin() {
    try { setLink((await host.api("POST", "/v1/wallet/link/begin")).url); setSaid(""); } catch (error) { setSaid(problem(error)); }
  }
  async function copy() {
    try { await navigator.clipboard.writeText(link); setSaid(t("copied")); } catch { document.getElementById("outside-link")?.select(); }
  }
  return html`<h2 class="head">${t("head")}</h2><div class="card note" data-testid="outside"><${Icon} name="shield" /><div class="about">
    ${link ? html`<p>${t("once")}</p><input id="outside-link" class="field wide" readonly aria-label=${t("head")} data-testid="outside-link" value=${link} onFocus=${(event) => event.target.select()} /><button class="button quiet" onClick=${copy}>${t("copy")}</button>`
    : html`<p class="hint">${t("text")}</p><button class="button" data-testid="outside-begin" onClick=${begin}>${t("open")}</button>`}
    <p class="hint small" role="status">${said}</p></div></div>`;
}
