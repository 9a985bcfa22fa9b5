// game.js: the page of My Plugin: its words, its table, its result. It proposes moves; the host decides, and the page draws what it is told.
// Lobby, stakes, search, the way back into a running match and the rematch come from the kit, in English and Korean.
import { el, giveUpDialog, openGame, tell, words } from "/sdk/kit.js";

const CARDS = [1, 2, 3, 4, 5];
const own = words({
  en: {
    title: "My Plugin", lead: "Five cards each, five rounds.", lost: "You lost", table: "You against {who}, round {n} of 5", hand: "Your hand",
    "rules.higher": "Both choose a card in secret. The higher one takes the round, and a 1 beats a 5.", "rules.keys": "Keys: 1 to 5 play a card.",
    "say.choose": "Choose a card.", "say.move": "{who} has chosen. Your turn.", "say.wait": "Waiting for {who}…", left: "{n} s",
    "round.won": "{a} against {b}: yours", "round.lost": "{a} against {b}: theirs", "round.tie": "{a} against {b}: nobody's", "refused.not_in_hand": "You do not hold that card.",
  },
  ko: {
    title: "My Plugin", lead: "카드 다섯 장, 다섯 라운드.", lost: "졌어요", table: "상대는 {who}, 5라운드 중 {n}라운드", hand: "내 카드",
    "rules.higher": "둘 다 몰래 카드를 골라요. 높은 카드가 라운드를 가져가고, 1은 5를 이겨요.", "rules.keys": "키보드: 숫자 1~5로 카드를 내요.",
    "say.choose": "카드를 골라 주세요.", "say.move": "{who}은 골랐어요. 내 차례예요.", "say.wait": "{who}을 기다리고 있어요…", left: "{n}초",
    "round.won": "{a} 대 {b}: 이김", "round.lost": "{a} 대 {b}: 짐", "round.tie": "{a} 대 {b}: 비김", "refused.not_in_hand": "없는 카드예요.",
  },
});
const { t, called, refused } = own;

const game = openGame({
  words: own, result, board: (match) => new Table(match),
  picture: () => el("img", { class: "picture", src: "icon.svg", alt: "" }),
  rules: () => el("ul", {}, ["higher", "keys"].map((one) => el("li", {}, t(`rules.${one}`)))),
});

// Built once and then brought up to date, so that the keyboard's focus stays where it is.
class Table {
  constructor({ id }) {
    this.id = id;
    this.head = el("p");
    this.score = el("p", { class: "score" });
    this.say = el("p", { role: "status" });
    this.left = el("p", { "aria-hidden": "true" });
    this.cards = CARDS.map((card) => el("button", { "data-testid": `card-${card}`, onclick: () => this.play(card) }, String(card)));
    this.rounds = el("ol");
    const dialog = giveUpDialog(t, () => game.frond.match.leave(id));
    this.element = el("section", { class: "table", tabIndex: -1 }, this.head, this.score, this.say, el("div", { class: "hand", role: "group", "aria-label": t("hand") }, this.cards), this.left, this.rounds,
      el("button", { class: "secondary end", onclick: () => dialog.showModal() }, t("give_up")), dialog);
    this.ticker = setInterval(() => this.tick(), 500);
  }
  close() { clearInterval(this.ticker); }

  update(match) {
    this.match = match;
    const { view, seat, players } = match, who = called(players[2 - seat]), open = view.card === undefined;
    this.head.textContent = t("table", { who, n: Math.min(view.round, 5) });
    this.score.textContent = scoreOf(match).join(" : ");
    tell(this.say, !game.frond.online ? t("say.offline") : t(!open ? "say.wait" : view.other_chose ? "say.move" : "say.choose", { who }));
    this.cards.forEach((button, i) => {
      button.setAttribute("aria-disabled", String(!open || !view.hand.includes(CARDS[i])));
      button.classList.toggle("chosen", view.card === CARDS[i]);
    });
    this.rounds.replaceChildren(...roundsOf(match));
    this.tick();
  }
  connection() { if (this.match) this.update(this.match); }

  async play(card) {
    if (this.cards[card - 1].getAttribute("aria-disabled") === "true") return;
    game.frond.haptic("light");
    const reply = await game.frond.match.input(this.id, "play", { card });
    if (!reply.ok) tell(this.say, refused(reply.code));
  }
  key({ key }) { if (CARDS.includes(Number(key))) this.play(Number(key)); }

  tick() {
    const ends = this.match?.view.ends_ms;
    this.left.textContent = ends ? t("left", { n: Math.max(0, Math.ceil((ends - game.frond.now()) / 1000)) }) : "";
  }
}

function result(match, end) {
  const { outcome, title, lines, asked, buttons } = game.ending(match, end, scoreOf(match));
  game.show(el("section", { class: "result" }, el("h1", { tabIndex: -1, "data-testid": "result" }, title), el("div", { role: "status" }, lines), asked, buttons, el("ol", {}, roundsOf(match))));
  game.frond.haptic(outcome === "won" ? "success" : "warning");
}

const scoreOf = ({ view, seat }) => [view.score[seat - 1], view.score[2 - seat]];
const roundsOf = ({ view, seat }) => view.history.map(({ cards, winner }) => el("li", {}, t(`round.${winner === 0 ? "tie" : winner === seat ? "won" : "lost"}`, { a: cards[seat - 1], b: cards[2 - seat] })));
