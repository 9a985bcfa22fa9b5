// dom.js: making elements. Text is always text.
import { t } from "./i18n.js";

/** @param {string} tag @param {Object<string, any>} [props] `on*` listeners, `class`, `data-*` and `aria-*` as attributes, the rest as properties @param {...(Node | string | null)} children */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name.includes("-") || name === "role" || name === "lang") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** @param {string} name of a symbol in index.html */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", `icon ${name}`);
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

export const SUITS = ["f", "l", "w"];
export const CHARGES = ["double", "shield"];
export const suitName = (suit) => t(`suit.${suit}`);
export const suitOf = (card) => card[0];
export const valueOf = (card) => Number(card[1]);
export const cardName = (card) => t("card", { value: valueOf(card), suit: suitName(suitOf(card)) });

/** The face of a card, as children for whatever holds it. @param {string} card */
export const face = (card) => [el("span", { class: "value" }, String(valueOf(card))), icon(suitOf(card))];
