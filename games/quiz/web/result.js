// result.js: how the match ended, where the questions came from, and each of them again, with a tutor who explains it when asked.
import { el, icon } from "/sdk/kit.js";
import { t } from "./i18n.js";

/**
 * @param {import("/sdk/frond.js").Match} match @param {import("/sdk/kit.types.js").Ending} ending
 * @param {(entry: any, onDelta: (text: string) => void) => Promise<any>} explain
 */
export function drawResult({ seat, view }, { outcome, title, lines, asked, buttons }, explain) {
  return el("section", { class: `result ${outcome}`, "data-testid": "result" },
    el("h1", { tabIndex: -1, "data-testid": "result-title" }, title),
    el("div", { role: "status" }, lines),
    asked,
    el("div", { class: "ways" }, buttons),
    view.history.length > 0 && el("h2", {}, t("review")),
    view.history.length > 0 && el("p", { class: "note", "data-testid": "made" }, madeText(view.history)),
    el("ol", { class: "review" }, view.history.map((entry, i) => review(entry, i, seat, explain))));
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
