// cards.js: the cards of the duel: what they are called, and their faces.
import { el, icon } from "/sdk/kit.js";
import { t } from "./i18n.js";

export const SUITS = ["f", "l", "w"];
export const CHARGES = ["double", "shield"];
export const suitName = (suit) => t(`suit.${suit}`);
export const suitOf = (card) => card[0];
export const valueOf = (card) => Number(card[1]);
export const cardName = (card) => t("card", { value: valueOf(card), suit: suitName(suitOf(card)) });

/** The face of a card, as children for whatever holds it. @param {string} card */
export const face = (card) => [el("span", { class: "value" }, String(valueOf(card))), icon(suitOf(card))];
