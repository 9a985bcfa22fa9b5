// result.js: how the match ended, where the questions came from, and each of them again, with a tutor who explains it when asked.
import { el, icon } from "./dom.js";
import { called, knows, t } from "./i18n.js";

/**
 * @param {{ended: import("/sdk/frond.js").Match, event: any, money: string, burned: boolean, explain: (entry: any, onDelta: (text: string) => void) => Promise<any>, onAgain: () => void, onLeave: () => void, onReceipt: () => void}} props
 */
export function drawResult({ ended, event, money, burned, explain, onAgain, onLeave, onReceipt }) {
  const { seat, players, view } = ended, foe = players[2 - seat], who = called(foe), mine = view.seats[seat - 1].score, theirs = view.seats[2 - seat].score;
  const outcome = outcomeOf(event, seat), why = outcome === "cancelled" ? "why.cancelled" : `why.${event.reason}.${outcome}`;
  return el("section", { class: `result ${outcome}`, "data-testid": "result" },
    el("h1", { tabIndex: -1, "data-testid": "result-title" }, t(outcome, { who })),
    el("div", { role: "status" },
      el("p", { class: "final" }, el("span", { class: "sr" }, t("score.final", { mine, theirs, who })), el("span", { "aria-hidden": "true" }, `${mine} : ${theirs}`)),
      knows(why) && el("p", { class: "lead" }, t(why, { who })),
      el("p", { class: ended.stake === "0" ? "lead" : "money", "data-testid": "result-net", "data-net": event.net ?? "0" }, money)),
    el("p", { class: "asked", role: "status", "data-testid": "rematch-asked" }),
    el("div", { class: "ways" }, el("button", { class: "primary", "data-testid": "rematch", onclick: onAgain }, t(foe.bot ? "again" : "rematch")),
      el("button", { class: "secondary", "data-testid": "leave", onclick: onLeave }, t("leave")),
      burned && el("button", { class: "secondary", "data-testid": "receipt", onclick: onReceipt }, t("receipt"))),
    view.history.length > 0 && el("h2", {}, t("review")),
    view.history.length > 0 && el("p", { class: "note", "data-testid": "made" }, madeText(view.history)),
    el("ol", { class: "review" }, view.history.map((entry, i) => review(entry, i, seat, explain))));
}

/** @param {any} event @param {number} seat @returns {"cancelled" | "draw" | "won" | "lost"} */
export function outcomeOf(event, seat) {
  if (!event.places || event.places.length === 0) return "cancelled";
  if (event.places.length === 1 && event.places[0].length > 1) return "draw";
  return event.places[0].includes(seat) ? "won" : "lost";
}

function madeText(history) {
  const n = history.filter((entry) => entry.by === "model").length;
  return t(n === 0 ? "made.none" : n === history.length ? "made.all" : "made.some", { n, all: history.length });
}

function review(entry, i, seat, explain) {
  const choice = entry.choices[seat - 1], right = choice === entry.right;
  const words = el("p", { class: "tutor-words", "data-plain": "", "data-testid": `tutor-${i + 1}` }), note = el("p", { class: "hint" });
  const box = el("div", { class: "tutor", hidden: true, "aria-live": "polite" }, el("strong", {}, icon("model"), t("tutor")), words, note);
  const button = el("button", { class: "secondary small", "data-testid": `explain-${i + 1}`, "aria-label": t("explain.one", { n: i + 1 }), onclick: ask }, t("explain"));
  async function ask() {
    button.disabled = true;
    box.hidden = false;
    box.setAttribute("aria-busy", "true");           // read aloud once, when it is whole
    words.textContent = t("explaining");
    note.textContent = "";
    let heard = "";
    const reply = await explain(entry, (text) => { words.textContent = heard += text; });
    if (reply.ok) {
      words.textContent = reply.value?.text || heard;
      note.textContent = t("tutor.note");
      button.hidden = true;
    } else {
      words.textContent = heard;
      note.textContent = t(/rate|budget|limit|funds|queue/.test(reply.code) ? "tutor.limit" : "tutor.away", { code: reply.code });
      button.disabled = false;
    }
    box.dataset.state = reply.ok ? "said" : "refused";
    box.setAttribute("aria-busy", "false");
  }
  return el("li", { class: right ? "good" : "bad" },
    el("div", { class: "asked-text" }, icon(right ? "right" : "wrong"), el("span", {}, entry.text)),
    el("p", { class: "facts" }, el("span", {}, t("review.right", { text: entry.options[entry.right - 1] })), !right && el("span", {}, t("review.yours", { text: choice ? entry.options[choice - 1] : t("review.nothing") })),
      el("span", { class: "source", "data-by": entry.by, title: t(`by.${entry.by}.about`) }, icon(entry.by), t(`by.${entry.by}`)), entry.points[seat - 1] > 0 && el("span", { class: "plus" }, t("points", { n: entry.points[seat - 1] }))),
    button, box);
}
