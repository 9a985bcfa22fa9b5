// lobby.js: what the lobby shows of the quiz: its picture, the topic to choose, and how it is played.
import { el, icon } from "/sdk/kit.js";
import { t } from "./i18n.js";

export const TOPICS = ["mixed", "numbers", "words", "world", "science"];

/** @param {boolean} waiting */
export const picture = (waiting) => el("div", { class: waiting ? "hero thinking" : "hero", "aria-hidden": "true" }, el("span", { class: "bubble-mark" }, "?"), el("span", { class: "bubble-mark mine" }, waiting ? "?" : "!"));

/** @param {Node} radios */
export const topics = (radios) => [el("h2", {}, t("topic")), radios, el("p", { class: "note" }, t("topic.about"))];

export const rules = () => el("ul", {}, ["ask", "points", "model", "end", "keys"].map((one) => el("li", {}, one === "model" && icon("model"), t(`rules.${one}`))));
