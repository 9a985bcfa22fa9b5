// chain.js: the development chain on the development page: what it does, and buttons that hurt it.
import { html } from "/app/lib/htm-preact.mjs";
import { formatUnits } from "/sdk/frond.js";
import { texts } from "/sdk/i18n.js";

const t = texts({
  en: {
    title: "Chain", about: "a node of its own, with every contract on it", off: "No chain: {text}", starting: "Starting", ready: "Chain is up", down: "Chain is down",
    block: "block", final: "final", open: "under way", balance: "the key's ether", waits: "waits for {what}", signer: "signer", money: "nothing is paid out", saved: "block {n} is on disk",
    mine: "Mine", mine_about: "a block, now", reorg: "Reorg", reorg_about: "the last two blocks never were", kill: "Kill node", kill_about: "SIGKILL; it is started again",
    did_mine: "You mined a block.", did_reorg: "You took the last two blocks back. What was in them is sent again.", did_kill: "You killed the chain's node (SIGKILL).", failed: "It did not happen: {text}",
    is_up: "The chain is up, at block {n}.", is_down: "The chain is down: {text}", is_starting: "The chain: {text}.", reorged: "The chain is at block {n} again, after {before}.", signer_is: "The signer is {text}.", again: "A new node holds the chain: process {pid}.",
    burned: "{amount} {asset} were burned: batch {batch}, {id}… on chain, in", burned_at: "block {n}",
  },
  ko: {
    title: "체인", about: "모든 컨트랙트가 올라간 자체 노드", off: "체인 없음: {text}", starting: "시작하는 중", ready: "체인이 돌고 있어요", down: "체인이 멈췄어요",
    block: "블록", final: "확정", open: "진행 중", balance: "키의 이더", waits: "기다리는 것: {what}", signer: "서명기", money: "출금이 멈췄어요", saved: "{n}번 블록까지 저장됨",
    mine: "채굴", mine_about: "블록 하나를 지금", reorg: "재조직", reorg_about: "마지막 두 블록을 없던 일로", kill: "노드 죽이기", kill_about: "SIGKILL; 다시 시작돼요",
    did_mine: "블록을 하나 채굴했어요.", did_reorg: "마지막 두 블록을 되돌렸어요. 담겨 있던 거래는 다시 보내져요.", did_kill: "체인 노드를 죽였어요 (SIGKILL).", failed: "실행되지 않았어요: {text}",
    is_up: "체인이 {n}번 블록에서 돌고 있어요.", is_down: "체인이 멈췄어요: {text}", is_starting: "체인: {text}.", reorged: "체인이 {before}번 블록에서 {n}번 블록으로 돌아갔어요.", signer_is: "서명기 상태: {text}.", again: "새 노드가 체인을 이어받았어요: 프로세스 {pid}.",
    burned: "{amount} {asset}을 소각했어요: 묶음 {batch}, 체인의 {id}…,", burned_at: "{n}번 블록",
  },
}, navigator.language);

/** What changed since the last look, in words. @param {(kind: string, text: any) => void} say */
export function noticeChain(seen, chain, burn, say) {
  noticeBurns(seen, burn, say);
  if (!chain || chain.state === "off") return;
  const before = seen.chain, signer = chain.signer?.state;
  if (before && before.state !== chain.state) {
    if (chain.state === "ready") say("good", t("is_up", { n: Number(chain.block) }));
    else say(chain.state === "down" ? "bad" : "plain", t(chain.state === "down" ? "is_down" : "is_starting", { text: chain.text }));
  }
  if (before?.block && chain.block && Number(chain.block) < Number(before.block)) say("plain", t("reorged", { n: Number(chain.block), before: Number(before.block) }));
  const node = chain.state === "ready" ? chain.dev_chain?.pid : 0;
  if (before?.node && node && before.node !== node) say("good", t("again", { pid: String(node) }));
  if (before?.signer && signer && before.signer !== signer) say(signer === "up" ? "good" : "bad", t("signer_is", { text: signer }));
  seen.chain = { state: chain.state, block: chain.block ?? before?.block, signer: signer ?? before?.signer, node: node || before?.node };
}

// A batch once, when the chain's word for it has been booked. Those that were there before we looked are no news.
function noticeBurns(seen, burn, say) {
  const done = (burn?.batches ?? []).filter((one) => one.state === "burned"), known = seen.burned;
  seen.burned = new Set([...known ?? [], ...done.map((one) => one.batch)]);
  for (const { batch, units, asset, id, block } of known ? done.toReversed() : []) if (!known.has(batch))
    say("good", html`<span data-testid="burned" title=${id}>${t("burned", { amount: formatUnits(units, 9, navigator.language), asset, batch, id: id.slice(0, 10) })} <a href="#chain">${t("burned_at", { n: Number(block) })}</a></span>`);
}

/** @param {(path: string, body: object) => Promise<any>} ask @param {(kind: string, text: string) => void} say */
export async function pressChain(what, ask, say) {
  try {
    await ask(`/v1/dev/chain/${what}`, {});
    say("act", t(`did_${what}`));
  } catch (error) { say("bad", t("failed", { text: error.message })); }
}

const ether = (text) => (text?.includes(".") ? text.slice(0, text.indexOf(".") + 5) : text ?? "–");

/** @param {{chain: any, stale: boolean, busy: any, up: boolean, press: (what: string) => void}} props */
export function Chain({ chain, stale, busy, up, press }) {
  if (!chain) return null;
  if (chain.state === "off") return html`<section data-testid="chain"><h2>${t("title")}</h2><p class="hint">${t("off", { text: chain.text })}</p></section>`;
  const { key } = chain, lamp = { ready: "green", down: "red" }[chain.state] ?? "", halted = chain.halted?.length > 0 || key?.halted;
  const figures = [["block", chain.block], ["final", chain.final], ["open", key && `${key.open} / ${key.payments}`], ["balance", key && ether(key.ether)]];
  const notes = [chain.text, key && key.waits_for !== "nothing" && t("waits", { what: key.waits_for }), halted && `${t("money")}: ${(chain.halted ?? []).map((one) => one.text).concat(key?.halted ?? []).join("; ")}`,
    ...(chain.troubles ?? []).map((one) => one.text), chain.signer && `${t("signer")}: ${chain.signer.state}`, chain.dev_chain?.saved > 0 && t("saved", { n: Number(chain.dev_chain.saved) })].filter(Boolean);
  return html`<section id="chain" class=${`chain ${stale ? "stale" : ""}`} data-testid="chain" data-state=${chain.state}><h2>${t("title")} <small>${t("about")}</small></h2>
    <div class=${`light ${lamp}`}><span class="lamp" aria-hidden="true"></span><b>${t(chain.state)}</b></div>
    <dl>${figures.map(([name, value]) => html`<div key=${name}><dt>${t(name)}</dt><dd data-testid=${`chain-${name}`}>${value ?? "–"}</dd></div>`)}</dl>
    <p class="hint" data-testid="chain-notes">${[...new Set(notes)].join(" · ")}</p>
    ${chain.dev_chain && html`<div class="actions">${["mine", "reorg", "kill"].map((what) => html`
      <button key=${what} data-testid=${`chain-${what}`} disabled=${busy || !up || chain.state !== "ready"} onClick=${() => press(what)}><b>${t(what)}</b><small>${t(`${what}_about`)}</small></button>`)}</div>`}
  </section>`;
}
