// quiz.js: the page of the quiz. It proposes answers; the host decides, and the page draws what it is told. Lobby and search come from the kit.
import { openGame } from "/sdk/kit.js";
import { Board } from "./board.js";
import { own, refused, language, t } from "./i18n.js";
import { TOPICS, picture, rules, topics } from "./lobby.js";
import { drawResult } from "./result.js";

const TUTOR_MS = 60000;

const game = openGame({
  words: own, picture, rules, board, result,
  choices: { topic: TOPICS }, choosing: () => topics(game.radios("topic", t("topic"), (one) => t(`topic.${one}`))),
  options: () => ({ topic: game.chosen.topic, lang: language() }),
});

function board({ id, watched }) {
  const { frond } = game;
  return new Board({
    watched, now: () => frond.now(), haptic: (kind) => frond.haptic(kind),
    onAnswer: async (round, choice) => {
      const still = ({ view }) => view.phase === "question" && view.round === round && !view.choice;
      const reply = await frond.match.input(id, "answer", { round, choice }, { still });
      return reply.ok || reply.code === "already_answered" ? null : refused(reply.code);
    },
    onSurrender: () => frond.match.leave(id),
  });
}

function result(match, end) {
  const { seat, view } = match, ending = game.ending(match, end, [view.seats[seat - 1].score, view.seats[2 - seat].score]);
  const explain = ({ text, options, right, choices }, onDelta) => game.frond.call("tutor", { question: text, options, right, choice: choices[seat - 1], lang: language() }, { onDelta, timeoutMs: TUTOR_MS });
  game.show(drawResult(match, ending, explain));
  game.frond.haptic(ending.outcome === "won" ? "success" : ending.outcome === "lost" ? "error" : "light");
}
