// board.js: draws one match and reports what the player answers. Built once, then brought up to date from the view, so that keyboard focus survives a change.
// Who only watches has nothing to press.
import { el, giveUpDialog, icon, tell } from "/sdk/kit.js";
import { called, sign, t } from "./i18n.js";

const LATE_MS = 5000;
const LAST_MS = 2500;                // the last right answer is looked at before the result covers it
const MILESTONES_S = [10, 5];         // what is said aloud of the clock

export class Board {
  /** @param {{watched?: boolean, now: () => number, onAnswer: (round: number, choice: number) => Promise<string | null>, onSurrender: () => void, haptic: (kind: string) => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.watched = hooks.watched === true;
    this.sending = 0; this.problem = null; this.shown = ""; this.said = null;
    this.online = true;
    this.element = this.#build();
    this.ticker = setInterval(() => this.#tick(), 100);
  }
  close() { clearInterval(this.ticker); }

  #build() {
    const side = (who) => {
      const parts = { name: el("strong", { class: "name" }), status: el("span", { class: "status" }), score: el("span", { class: "score", "data-testid": `${who}-score`, "aria-hidden": "true" }), label: el("span", { class: "sr" }) };
      parts.row = el("div", { class: `side ${who}` }, parts.name, parts.score, parts.label, parts.status);
      return parts;
    };
    this.me = side("me"); this.foe = side("foe");
    this.count = el("span", { class: "count", "data-testid": "count" });
    this.source = el("span", { class: "source", "data-testid": "source" });
    this.bar = el("div", { class: "bar", "aria-hidden": "true" }, el("span"));
    this.seconds = el("span", { class: "seconds", "aria-hidden": "true" });
    this.clock = el("p", { class: "sr", role: "status", "aria-live": "assertive", "data-testid": "clock" });
    this.text = el("h1", { class: "question", tabIndex: -1, "data-testid": "question" });
    this.options = el("div", { class: "options", role: "group", "aria-label": t("options") });
    this.say = el("p", { class: "say", role: "status", "aria-live": "polite", "data-testid": "say" });
    this.sign = el("p", { class: "watching", hidden: !this.watched, "data-testid": "watching" }, icon("eye"), el("span"));
    this.verdict = el("div", { class: "verdict", role: "status", "data-testid": "verdict" });
    this.dialog = giveUpDialog(t, () => this.hooks.onSurrender());
    const giveUp = el("button", { class: "give-up", "aria-label": t("give_up"), title: t("give_up"), "data-testid": "surrender", onclick: () => this.dialog.showModal() }, icon("flag"));
    return el("section", { class: "board", tabIndex: this.watched ? 0 : -1, "data-testid": "board" }, this.sign, this.verdict, el("div", { class: "sides" }, this.me.row, this.foe.row),
      el("div", { class: "line" }, this.count, this.source, !this.watched && giveUp), el("div", { class: "time" }, this.bar, this.seconds), this.clock, this.text, this.options, this.say, !this.watched && this.dialog);
  }

  /** @param {import("/sdk/frond.js").Match} match */
  update(match) {
    const { view: { phase, history }, seat } = match, answered = this.phase === "question" && phase === "reveal" && !this.watched;
    this.match = match;
    this.phase = phase;                // kept apart: the match is one object, which has changed already
    this.draw();
    if (answered) this.hooks.haptic(history.at(-1).choices[seat - 1] === history.at(-1).right ? "success" : "warning");
  }
  /** @param {boolean} online */
  connection(online) {
    this.online = online;
    if (this.match) this.draw();
  }

  // ---- what the player does

  /** @param {number} choice */
  async answer(choice) {
    const { view } = this.match;
    if (this.watched || view.phase !== "question" || view.choice || this.sending) return;
    this.sending = choice;
    this.problem = null;
    this.hooks.haptic("select");
    this.draw();
    const problem = await this.hooks.onAnswer(view.round, choice);
    this.sending = 0;
    if (this.match.view.round === view.round) this.problem = problem;
    this.draw();
  }
  /** @param {KeyboardEvent} event */
  key(event) {
    if (this.dialog.open || event.altKey || event.ctrlKey || event.metaKey || !/^[1-4]$/.test(event.key)) return;
    event.preventDefault();
    this.answer(Number(event.key));
  }

  // ---- drawing

  // Below the fold nothing changes places: the player is on the left, also for who watches the first seat is.
  #places() { return this.watched ? [0, 1] : [this.match.seat - 1, 2 - this.match.seat]; }

  draw() {
    const { match } = this, { view, players } = match, [mine, theirs] = this.#places(), foe = called(players[theirs]);
    this.element.setAttribute("aria-label", t(this.watched ? "watch.board" : "board", { who: foe, a: called(players[0]), b: called(players[1]) }));
    this.element.dataset.phase = view.phase;
    this.#drawSide(this.me, mine, this.watched ? called(players[mine]) : t("you"));
    this.#drawSide(this.foe, theirs, foe);
    if (this.watched) tell(this.sign.lastChild, sign(match));
    const past = view.phase === "question" ? null : view.history[view.round - 1], question = view.question ?? past;
    this.count.textContent = view.round ? t("question", { n: view.round, rounds: view.rounds }) : t(`topic.${view.topic}`);
    this.source.hidden = !question;
    if (question && this.source.dataset.by !== question.by) {
      this.source.dataset.by = question.by;
      this.source.title = t(`by.${question.by}.about`);
      this.source.replaceChildren(icon(question.by), t(`by.${question.by}`));
    }
    this.#drawQuestion(view, question, past, mine, theirs);
    tell(this.say, this.#sentence(view, past, mine, theirs, foe));
    this.#tick();
  }

  #drawSide(parts, at, name) {
    const { view, players } = this.match, seat = view.seats[at];
    parts.name.textContent = players[at].bot || at === this.match.seat - 1 ? name : players[at].name;
    parts.score.textContent = String(seat.score);
    parts.label.textContent = t("score", { who: name, n: seat.score });
    const doing = view.phase !== "question" ? null : seat.away ? "away" : seat.answered ? "right" : "thinking";
    parts.status.replaceChildren(...(doing ? [icon(doing), t(doing === "right" ? "answered" : doing)] : []));
    parts.status.classList.toggle("done", doing === "right");
  }

  // Rebuilds the question only when it is another one: a button that has the focus keeps it.
  #drawQuestion(view, question, past, mine, theirs) {
    const name = question ? `${view.round}` : view.phase;
    if (this.shown !== name) {
      this.shown = name;
      this.problem = null;
      this.text.textContent = question ? question.text : view.phase === "prepare" ? t("preparing") : "";
      this.options.replaceChildren(...(question ? question.options.map((text, i) => el("button", { class: "option", "data-testid": `option-${i + 1}`, onclick: () => this.answer(i + 1) },
        el("span", { class: "key", "aria-hidden": "true" }, String(i + 1)), el("span", { class: "words" }, text), el("span", { class: "marks" }))) : view.phase === "prepare" ? [el("p", { class: "lead" }, t("preparing.text")), el("div", { class: "writing", "aria-hidden": "true" }, el("i"), el("i"), el("i"))] : []));
      if (question && !this.watched) this.text.focus({ preventScroll: true });       // a screen reader reads the new question
    }
    if (!question) return;
    [...this.options.children].forEach((button, i) => {
      const choice = i + 1, chosen = !past && (view.choice === choice || this.sending === choice), open = view.phase === "question" && !view.choice && !this.sending && !this.watched;
      button.setAttribute("aria-disabled", String(!open));
      button.classList.toggle("chosen", chosen);
      button.classList.toggle("right", past?.right === choice);
      button.classList.toggle("wrong", Boolean(past) && past.right !== choice && !this.watched && past.choices[mine] === choice);
      const who = past ? [mine, theirs].filter((at) => past.choices[at] === choice).map((at) => this.#who(at)) : [];
      button.setAttribute("aria-label", [t("option", { n: choice, text: question.options[i] }), past?.right === choice && t("right"), button.classList.contains("wrong") && t("wrong"), ...who.map((one) => t("chose", { who: one }))].filter(Boolean).join(", "));
      button.lastChild.replaceChildren(...who.map((one) => el("span", { class: "who" }, one)), ...(past?.right === choice ? [icon("right")] : button.classList.contains("wrong") ? [icon("wrong")] : []));
    });
  }
  #who(at) { return !this.watched && at === this.match.seat - 1 ? t("you") : called(this.match.players[at]); }

  #sentence(view, past, mine, theirs, foe) {
    if (this.problem) return this.problem;
    if (!this.online && !this.watched) return t(this.sending ? "say.kept" : "say.offline");
    if (past) {
      const text = past.options[past.right - 1];
      if (this.watched) return t("watch.right", { text });
      if (past.choices[mine] === past.right) return t("say.right", { n: past.points[mine] });
      return t(past.choices[mine] ? "say.wrong" : "say.none", { text });
    }
    if (view.phase !== "question") return "";
    if (this.watched) return t("watch.choose");
    if (view.choice || this.sending) return t("say.sent", { who: foe });
    return t(view.seats[theirs].answered ? "say.move" : "say.choose", { who: foe });
  }

  #tick() {
    const { view } = this.match ?? {};
    if (!view) return;
    const open = view.phase === "question" && view.ends_ms, left = open ? Math.max(0, view.ends_ms - this.hooks.now()) : 0;
    this.bar.hidden = this.seconds.hidden = !open;
    this.bar.firstChild.style.width = `${Math.min(100, left / this.match.turnMs * 100)}%`;
    this.bar.classList.toggle("late", left < LATE_MS);
    this.seconds.textContent = String(Math.ceil(left / 1000));
    const mark = open && !view.choice && !this.watched ? MILESTONES_S.findLast((one) => left <= one * 1000) : undefined;
    const key = mark && `${view.round}:${mark}`;
    if (key && key !== this.said) { this.said = key; this.clock.textContent = t("clock", { n: mark }); }
  }

  /** @param {any} end @param {() => void} then */
  settle(end, then) {
    if (end.reason === "played" && !this.watched) setTimeout(then, LAST_MS);
    else then();
  }
  /** How a watched match ended. @param {any} end */
  finish(end) {
    const { players, view } = this.match, voided = !end.places?.length, draw = !voided && end.places.length === 1 && end.places[0].length > 1;
    const what = voided ? t("cancelled") : draw ? t("draw") : t("lost", { who: called(players[end.places[0][0] - 1]) });
    this.verdict.replaceChildren(el("h2", {}, what), el("p", {}, t("watch.final", { a: called(players[0]), b: called(players[1]), first: view.seats[0].score, second: view.seats[1].score })));
  }
}
