// lobby.js: before the match: the stake, an opponent or the bot, and how it is played.
import { formatUnits } from "/sdk/frond.js";
import { el, icon, suitName } from "./dom.js";
import { language, t } from "./i18n.js";

/**
 * @param {{mode: any, stake: string, notice: {title: string, text: string, action?: string, onAction?: () => void} | null, onStake: (stake: string) => void, onFind: () => void, onBot: () => void}} props
 */
export function drawLobby({ mode, stake, notice, onStake, onFind, onBot }) {
  const stakes = el("div", { class: "stakes", role: "radiogroup", "aria-label": t("stake.in", { asset: mode.asset }) }, mode.stakes.map((units) => {
    const input = el("input", { type: "radio", name: "stake", value: units, checked: units === stake, "data-testid": `stake-${units}`, onchange: () => onStake(units) });
    return el("label", { class: "stake" }, input, el("span", {}, units === "0" ? t("free") : formatUnits(units, 9, language), el("small", {}, units === "0" ? t("free.about") : mode.asset)));
  }));
  return el("section", { class: "lobby", "data-testid": "lobby" },
    el("div", { class: "hero", "aria-hidden": "true" }, ["w3", "f6", "l5"].map((card) => el("div", { class: `card suit-${card[0]}` }, el("span", { class: "value" }, card[1]), icon(card[0])))),
    el("h1", { tabIndex: -1 }, t("title")),
    el("p", { class: "lead" }, t("lead")),
    notice && el("div", { class: "notice", role: "alert", "data-testid": "notice" }, el("strong", {}, notice.title), el("span", {}, notice.text),
      notice.action && el("button", { class: "primary", "data-testid": "accept-rematch", onclick: notice.onAction }, notice.action)),
    el("h2", {}, t("stake")),
    stakes,
    el("p", { class: "note", "data-testid": "stake-note" }, stakeNote(mode, stake)),
    el("button", { class: "primary", "data-testid": "find", onclick: onFind }, t("find")),
    el("button", { class: "secondary", "data-testid": "bot", onclick: onBot }, t("practise")),
    rules());
}

function stakeNote(mode, stake) {
  if (stake === "0") return t("note.free");
  const pot = BigInt(stake) * 2n;
  const rake = Object.values(mode.rake ?? {}).reduce((sum, bps) => sum + pot * BigInt(bps) / 10000n, 0n);
  return t("note.paid", { amount: formatUnits(String(pot - rake), 9, language), asset: mode.asset });
}

function rules() {
  const beats = (a, b) => el("span", { class: "beats" }, icon(a), t("beats", { a: suitName(a), b: suitName(b) }), icon(b));
  return el("details", { class: "rules" }, el("summary", {}, t("rules")),
    el("ol", {},
      el("li", {}, t("rules.hand")),
      el("li", {}, t("rules.round")),
      el("li", {}, t("rules.suits"), " ", beats("f", "l"), " ", beats("l", "w"), " ", beats("w", "f")),
      el("li", {}, t("rules.tie")),
      el("li", {}, t("rules.charge")),
      el("li", {}, t("rules.end")),
      el("li", {}, t("rules.keys"))));
}

/** @param {{title: string, stakeText: string, onCancel: () => void}} props */
export function drawWaiting({ title, stakeText, onCancel }) {
  return el("section", { class: "waiting", "data-testid": "waiting" },
    el("div", { class: "shuffle", "aria-hidden": "true" }, el("div", { class: "card back" }), el("div", { class: "card back" }), el("div", { class: "card back" })),
    el("h1", { tabIndex: -1, role: "status" }, title),
    el("p", { class: "lead" }, stakeText),
    el("button", { class: "secondary", "data-testid": "cancel", onclick: onCancel }, t("cancel")));
}
