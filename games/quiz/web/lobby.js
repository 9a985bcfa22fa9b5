// lobby.js: before the match: the topic, the stake, an opponent or the bot, and how it is played.
import { formatUnits } from "/sdk/frond.js";
import { el, icon } from "./dom.js";
import { language, t } from "./i18n.js";

export const TOPICS = ["mixed", "numbers", "words", "world", "science"];

const choice = (name, value, checked, onChange, ...shown) => el("label", { class: "choice" },
  el("input", { type: "radio", name, value, checked, "data-testid": `${name}-${value}`, onchange: () => onChange(value) }), el("span", {}, ...shown));

/** @param {{mode: any, stake: string, topic: string, notice: any, onStake: (stake: string) => void, onTopic: (topic: string) => void, onFind: () => void, onBot: () => void}} props */
export function drawLobby({ mode, stake, topic, notice, onStake, onTopic, onFind, onBot }) {
  return el("section", { class: "lobby", "data-testid": "lobby" },
    el("div", { class: "hero", "aria-hidden": "true" }, el("span", { class: "bubble-mark" }, "?"), el("span", { class: "bubble-mark mine" }, "!")),
    el("h1", { tabIndex: -1 }, t("title")),
    el("p", { class: "lead" }, t("lead")),
    notice && el("div", { class: "notice", role: "alert", "data-testid": "notice" }, el("strong", {}, notice.title), el("span", {}, notice.text),
      notice.action && el("button", { class: "primary", "data-testid": "accept-rematch", onclick: notice.onAction }, notice.action)),
    el("h2", {}, t("topic")),
    el("div", { class: "choices topics", role: "radiogroup", "aria-label": t("topic") }, TOPICS.map((one) => choice("topic", one, one === topic, onTopic, t(`topic.${one}`)))),
    el("p", { class: "note" }, t("topic.about")),
    el("h2", {}, t("stake")),
    el("div", { class: "choices", role: "radiogroup", "aria-label": t("stake.in", { asset: mode.asset }) }, mode.stakes.map((units) => choice("stake", units, units === stake, onStake,
      units === "0" ? t("free") : formatUnits(units, 9, language), el("small", {}, units === "0" ? t("free.about") : mode.asset)))),
    el("p", { class: "note", "data-testid": "stake-note" }, stakeNote(mode, stake)),
    el("button", { class: "primary", "data-testid": "find", onclick: onFind }, t("find")),
    el("button", { class: "secondary", "data-testid": "bot", onclick: onBot }, t("practise")),
    el("details", { class: "rules" }, el("summary", {}, t("rules")), el("ul", {}, ["ask", "points", "model", "end", "keys"].map((one) => el("li", {}, one === "model" && icon("model"), t(`rules.${one}`))))));
}

function stakeNote(mode, stake) {
  if (stake === "0") return t("note.free");
  const pot = BigInt(stake) * 2n;
  const rake = Object.values(mode.rake ?? {}).reduce((sum, bps) => sum + pot * BigInt(bps) / 10000n, 0n);
  return t("note.paid", { amount: formatUnits(String(pot - rake), 9, language), asset: mode.asset });
}

/** @param {{title: string, stakeText: string, onCancel: () => void}} props */
export function drawWaiting({ title, stakeText, onCancel }) {
  return el("section", { class: "waiting", "data-testid": "waiting" },
    el("div", { class: "hero thinking", "aria-hidden": "true" }, el("span", { class: "bubble-mark" }, "?"), el("span", { class: "bubble-mark mine" }, "?")),
    el("h1", { tabIndex: -1, role: "status" }, title),
    el("p", { class: "lead" }, stakeText),
    el("button", { class: "secondary", "data-testid": "cancel", onclick: onCancel }, t("cancel")));
}
