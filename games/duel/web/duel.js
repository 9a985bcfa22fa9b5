// duel.js: the page of Card Duel. It proposes moves; the host decides, and the page draws what it is told. Lobby and search come from the kit.
import { el, openGame } from "/sdk/kit.js";
import { own, refused, t } from "./i18n.js";
import { picture, rules } from "./lobby.js";
import { Table } from "./table.js";

const game = openGame({ words: own, picture, rules, result, board: table, on: { "match.event": onEvent }, asked: () => game.frond.haptic("warning") });

function table({ id, watched }) {
  const { frond } = game;
  return new Table({
    watched, now: () => frond.now(), haptic: (kind) => frond.haptic(kind),
    onPlay: async (card, charge) => {
      const { round } = game.match.view, still = ({ view }) => view.round === round && view.phase === "choose" && !view.pick;
      const reply = await frond.match.input(id, "play", charge ? { card, charge } : { card }, { still });
      return reply.ok || reply.code === "already_played" ? null : refused(reply.code);
    },
    onReact: (kind) => frond.match.input(id, "react", { kind }),
    onSurrender: () => frond.match.leave(id),
  });
}

function onEvent({ match, name, data }) {
  if (name === "react" && game.board && game.match?.id === match) game.board.bubble(data.seat, data.kind);
}

// A dialog over the table, where the last round stays to be seen.
function result(match, end) {
  const { outcome, title, lines, asked, buttons } = game.ending(match, end, [match.view.score[match.seat - 1], match.view.score[2 - match.seat]]);
  const panel = el("div", { class: `result ${outcome === "cancelled" ? "draw" : outcome}`, role: "dialog", "aria-modal": "true", "aria-labelledby": "result-title", "aria-describedby": "result-text", "data-testid": "result" },
    el("div", { class: "panel" },
      el("h1", { id: "result-title", "data-testid": "result-title" }, title),
      el("div", { id: "result-text", role: "status" }, lines),
      asked, buttons, fairness(end)));
  panel.addEventListener("keydown", (pressed) => { if (pressed.key === "Escape") game.lobby(); });
  game.board.element.inert = true;     // behind the dialog nothing can be reached
  game.board.element.after(panel);
  buttons[0].focus();
  game.frond.haptic(outcome === "won" ? "success" : outcome === "draw" ? "light" : "error");
}

// The shell compared the revealed seed with what the host had committed to before it knew ours.
function fairness(end) {
  const fact = (name, value, test = {}) => [el("dt", {}, t(name)), el("dd", test, value ?? "")];
  return el("details", { class: end.dealt_fairly === false ? "fairness bad" : "fairness", "data-testid": "fairness" },
    el("summary", {}, t(`fair.${end.dealt_fairly ?? null}`)), el("p", {}, t("fair.about")),
    el("dl", {}, fact("fair.promise", end.fairness?.commit), fact("fair.secret", end.fairness?.server_seed), fact("fair.hash", end.hash, { "data-testid": "hash" })));
}
