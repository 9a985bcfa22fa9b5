// lobby.js: what the lobby shows of the duel: three cards, which are shuffled while an opponent is looked for, and how it is played.
import { el, icon } from "/sdk/kit.js";
import { face, suitName } from "./cards.js";
import { t } from "./i18n.js";

/** @param {boolean} waiting */
export function picture(waiting) {
  if (waiting) return el("div", { class: "shuffle", "aria-hidden": "true" }, ["", "", ""].map(() => el("div", { class: "card back" })));
  return el("div", { class: "hero", "aria-hidden": "true" }, ["w3", "f6", "l5"].map((card) => el("div", { class: `card suit-${card[0]}` }, face(card))));
}

export function rules() {
  const beats = (a, b) => el("span", { class: "beats" }, icon(a), t("beats", { a: suitName(a), b: suitName(b) }), icon(b));
  return el("ol", {},
    el("li", {}, t("rules.hand")),
    el("li", {}, t("rules.round")),
    el("li", {}, t("rules.suits"), " ", beats("f", "l"), " ", beats("l", "w"), " ", beats("w", "f")),
    el("li", {}, t("rules.tie")),
    el("li", {}, t("rules.charge")),
    el("li", {}, t("rules.end")),
    el("li", {}, t("rules.keys")));
}
