// table.js: draws one match and reports what the player wants. Built once, then brought up to date from the view, so that animations and
// keyboard focus survive a change. Who only watches sees both hands from behind and has nothing to press.
import { el, giveUpDialog, icon, tell } from "/sdk/kit.js";
import { CHARGES, SUITS, cardName, face, suitName, suitOf, valueOf } from "./cards.js";
import { called, knows, sign, t } from "./i18n.js";

const REVEAL_MS = 2400;              // the clock of the next round starts that much later
const LATE_MS = 5000;
const BUBBLE_MS = 2500;
const REACTIONS = ["nice", "ouch", "hm", "hurry"];
const MILESTONES_S = [10, 5];         // what is said aloud of the clock

export class Table {
  /** `watched`: nobody of us plays at it; then only `now` and `haptic` are used.
   * @param {{watched?: boolean, now: () => number, onPlay: (card: string, charge: string | null) => Promise<string | null>, onReact: (kind: string) => void, onSurrender: () => void,
   *   haptic: (kind: string) => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.selected = null; this.charge = null; this.sending = false; this.problem = null;
    this.shown = -1;                 // rounds of the history that have been shown; -1: nothing was drawn yet
    this.reveal = null;
    this.online = true;
    this.watched = hooks.watched === true;
    this.element = this.#build();
    this.ticker = setInterval(() => this.#tick(), 100);
  }
  close() { clearInterval(this.ticker); clearTimeout(this.revealTimer); }

  #build() {
    const side = (who) => {
      const parts = { name: el("strong", { class: "name" }), status: el("span", { class: "status" }), label: el("span", { class: "sr" }), score: el("span", { class: "score", "data-testid": `${who}-score` }), bubble: el("span", { class: "bubble", role: "status" }) };
      parts.row = el("div", { class: `player ${who}` }, el("div", { class: "who" }, parts.name, parts.status, parts.bubble), parts.label, parts.score);
      parts.tracker = el("div", { class: "tracker", "data-testid": who === "foe" ? "tracker" : "my-tracker" });
      parts.backs = el("div", { class: "backs", role: "img", "data-testid": `${who}-backs` });
      return parts;
    };
    this.foe = side("foe"); this.me = side("me");
    this.foeSlot = el("div", { class: "slot", "data-testid": "foe-slot" });
    this.mySlot = el("div", { class: "slot", "data-testid": "my-slot" });
    this.ring = el("div", { class: "ring" });
    this.potNumber = el("span", { class: "pot-number", "data-testid": "pot" });
    this.potLabel = el("span", { class: "pot-label" });
    this.seconds = el("span", { class: "seconds", "aria-hidden": "true" });
    this.middle = el("div", { class: "middle" }, this.foeSlot, el("div", { class: "pot" }, this.ring, this.potNumber, this.potLabel, this.seconds), this.mySlot);
    this.say = el("p", { class: "say", role: "status", "aria-live": "polite", "data-testid": "say" });
    this.clock = el("p", { class: "sr", role: "status", "aria-live": "assertive", "data-testid": "clock" });
    this.rounds = el("ol", { class: "rounds", "aria-label": t("rounds") });
    if (this.watched) return this.#buildWatched();
    this.hand = el("div", { class: "hand", role: "group", "aria-label": t("hand"), "data-testid": "hand" });
    this.hand.addEventListener("keydown", (event) => this.#walk(event));
    this.chargeButtons = Object.fromEntries(CHARGES.map((charge) => [charge, el("button", {
      class: `charge ${charge}`, "data-testid": `charge-${charge}`, "aria-pressed": "false", title: t(`${charge}.about`),
      onclick: () => this.toggle(charge) }, icon(charge), t(`charge.${charge}`))]));
    this.playButton = el("button", { class: "primary play", "data-testid": "play", onclick: () => this.play() });
    this.dialog = giveUpDialog(t, () => this.hooks.onSurrender());
    const foot = el("div", { class: "foot", role: "group", "aria-label": t("reactions") },
      REACTIONS.map((kind) => el("button", { class: "react", "data-testid": `react-${kind}`, onclick: () => this.hooks.onReact(kind) }, t(`react.${kind}`))),
      el("button", { class: "react give-up", "aria-label": t("give_up"), title: t("give_up"), "data-testid": "surrender", onclick: () => this.dialog.showModal() }, icon("flag")));
    this.actions = el("div", { class: "actions", role: "group", "aria-label": t("actions") }, this.chargeButtons.double, this.chargeButtons.shield, this.playButton);
    return el("section", { class: "table", tabIndex: -1, "data-testid": "table" }, this.foe.row, this.foe.tracker, this.middle, this.say, this.clock, this.rounds, this.me.row, this.hand, this.actions, foot, this.dialog);
  }
  #buildWatched() {
    this.sign = el("p", { class: "watching", "data-testid": "watching" }, icon("eye"), el("span"));
    this.verdict = el("div", { class: "verdict", role: "status", "data-testid": "verdict" });
    // Nothing else can have the focus: without it the keyboard could not scroll a small screen.
    return el("section", { class: "table watched", tabIndex: 0, "data-testid": "table" }, this.sign, this.verdict, this.foe.row, this.foe.backs, this.foe.tracker, this.middle, this.say, this.rounds,
      this.me.tracker, this.me.backs, this.me.row);
  }

  /** @param {import("/sdk/frond.js").Match} match */
  update(match) {
    this.match = match;
    const { view } = match, rounds = view.history.length;
    if (rounds !== this.shown) this.selected = this.charge = this.problem = null;
    if (this.shown >= 0 && rounds > this.shown) this.#startReveal(view.history[rounds - 1]);
    this.shown = rounds;
    this.draw();
  }

  #startReveal(entry) {
    this.reveal = entry;
    const { seat } = this.match;
    this.hooks.haptic(entry.winner === 0 || this.watched ? "light" : entry.winner === seat ? "success" : "warning");
    clearTimeout(this.revealTimer);
    this.revealTimer = setTimeout(() => this.endReveal(), REVEAL_MS);
  }
  endReveal() {
    clearTimeout(this.revealTimer);
    if (!this.reveal) return;
    this.reveal = null;
    this.draw();
    this.onrevealed?.();
  }
  /** First the last cards turn over. @param {any} end @param {() => void} then */
  settle(end, then) {
    if (this.reveal) this.onrevealed = then;
    else then();
  }

  // ---- what the player does

  /** @param {string} card */
  select(card) {
    const { view } = this.match;
    if (view.phase !== "choose" || view.pick || this.sending || !view.hand.includes(card)) return;
    if (this.selected === card) return this.play();
    if (this.reveal) this.endReveal();
    this.selected = card;
    this.problem = null;
    this.hooks.haptic("select");
    this.draw();
  }
  /** @param {string} charge */
  toggle(charge) {
    const { view, seat } = this.match;
    if (view.phase !== "choose" || view.pick || !view.seats[seat - 1].charged) return;
    this.charge = this.charge === charge ? null : charge;
    this.hooks.haptic("select");
    this.draw();
  }
  async play() {
    if (!this.selected || this.match.view.pick || this.sending) return;
    this.sending = true;
    this.draw();
    const problem = await this.hooks.onPlay(this.selected, this.charge);
    this.sending = false;
    if (this.match.view.phase === "choose") this.problem = problem;
    this.draw();
  }
  /** @param {KeyboardEvent} event */
  key(event) {
    if (this.dialog.open || event.altKey || event.ctrlKey || event.metaKey) return;
    const card = this.match.view.hand?.find((one) => String(valueOf(one)) === event.key);
    if (card) { if (this.selected !== card) this.select(card); this.hand.querySelector(`[data-testid=card-${card}]`)?.focus(); }      // Enter there plays it
    else if (event.code === "KeyD") this.toggle("double");      // the key, not the letter: a Korean keyboard types another
    else if (event.code === "KeyS") this.toggle("shield");
    else if (event.key === "Escape") { this.selected = this.charge = null; this.draw(); }
    else if (event.key === "Enter" && (event.target === document.body || event.target === this.element)) this.play();
    else return;
    if (event.key !== "Enter") event.preventDefault();
  }

  // Arrow keys walk through the hand.
  #walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const cards = [...this.hand.children], at = cards.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    cards[(at + step + cards.length) % cards.length].focus();
  }
  /** @param {boolean} online */
  connection(online) {
    this.online = online;
    if (this.match) this.draw();
  }

  /** @param {number} seat @param {string} kind */
  bubble(seat, kind) {
    const { bubble } = seat - 1 === this.#places()[0] ? this.me : this.foe;
    bubble.replaceChildren(el("span", { class: "sr" }, t("said", { who: seat === this.match.seat ? t("you") : called(this.match.players[seat - 1]), what: "" })), knows(`react.${kind}`) ? t(`react.${kind}`) : "");
    clearTimeout(bubble.timer);
    bubble.timer = setTimeout(() => { bubble.textContent = ""; }, BUBBLE_MS);
  }

  // ---- drawing

  // The places at the table, below and above; who watches sees the first player above.
  #places() { return this.watched ? [1, 0] : [this.match.seat - 1, 2 - this.match.seat]; }

  draw() {
    const { match } = this, { view, players } = match, [mine, theirs] = this.#places();
    const foe = view.seats[theirs], me = view.seats[mine], foeName = called(players[theirs]), over = view.phase === "over";
    this.element.setAttribute("aria-label", t(this.watched ? "watch.table" : "table", { who: foeName, a: called(players[0]), b: called(players[1]) }));
    this.#drawSide(this.foe, view, theirs);
    if (this.watched) {
      this.#drawSide(this.me, view, mine);
      tell(this.sign.lastChild, sign(match));
    } else {
      this.me.label.textContent = t("score.mine");
      this.me.name.textContent = t("you");
      this.me.score.textContent = String(view.score[mine]);
      this.me.status.textContent = over ? "" : me.missed ? t("missed") : "";
    }
    this.#drawMiddle(view, mine, theirs, foe, me);
    this.#drawRounds(view, mine);
    if (!this.watched) this.#drawHand(view, me);
    tell(this.say, this.watched ? this.#sentenceWatched(view) : this.#sentence(view, mine, theirs, foe, foeName));
    this.element.classList.toggle("over", over && !this.reveal);
    this.#tick();
  }

  // One whose hand is hidden: name, score, what they do, and what is known of their hand.
  #drawSide(parts, view, at) {
    const player = this.match.players[at], seat = view.seats[at], name = called(player), over = view.phase === "over";
    parts.name.textContent = player.bot ? name : player.name;
    parts.label.textContent = t("score", { who: name });
    parts.score.textContent = String(view.score[at]);
    const doing = over ? null : seat.away ? "away" : seat.chosen ? "ready" : "choosing";
    parts.status.replaceChildren(...(doing ? [icon(doing), t(doing)] : []));
    parts.status.classList.toggle("ready", !over && seat.chosen);
    this.#drawTracker(parts.tracker, view, at, seat, name);
    const backs = seat.cards - (seat.chosen ? 1 : 0);          // the chosen one lies on the table
    if (!this.watched || parts.backs.children.length === backs && parts.backs.hasAttribute("aria-label")) return;
    parts.backs.setAttribute("aria-label", t("watch.hand", { who: name, n: backs }));
    parts.backs.replaceChildren(...Array.from({ length: backs }, () => el("div", { class: "card back" })));
  }

  // What somebody may still hold: the numbers not shown yet, and how many of each suit.
  #drawTracker(tracker, view, at, seat, name) {
    const played = new Map(view.history.map((entry) => [valueOf(entry.cards[at]), suitOf(entry.cards[at])]));
    const left = { f: 2, l: 2, w: 2 };
    for (const suit of played.values()) left[suit]--;
    const numbers = [1, 2, 3, 4, 5, 6].filter((value) => !played.has(value));
    const held = t("holds", { who: name, numbers: numbers.join(", ") || t("nothing"), suits: SUITS.map((suit) => t("holds.suit", { n: left[suit], suit: suitName(suit) })).join(", ") });
    const charge = t(seat.charged ? "charge.left" : "charge.used"), label = t("holds.charge", { a: held, b: charge });
    tracker.replaceChildren(
      el("div", { class: "minis", role: "img", "aria-label": label }, [1, 2, 3, 4, 5, 6].map((value) => (played.has(value)
        ? el("span", { class: "mini gone" }, String(value), icon(played.get(value))) : el("span", { class: "mini back" }, String(value))))),
      el("div", { class: "left", "aria-hidden": "true" }, SUITS.map((suit) => el("span", { class: left[suit] ? "" : "none" }, icon(suit), `×${left[suit]}`)),
        el("span", { class: seat.charged ? "bolt" : "bolt none", title: charge }, icon("double"))));
  }

  #drawMiddle(view, mine, theirs, foe, me) {
    const entry = this.reveal;
    if (entry) {
      this.#slot(this.foeSlot, entry.cards[theirs], { flip: true, entry, at: theirs });
      this.#slot(this.mySlot, entry.cards[mine], { flip: this.watched, entry, at: mine });
      this.potNumber.textContent = String(entry.pot);
      this.potLabel.textContent = entry.winner === 0 ? t("stays") : t("point", { n: entry.pot });
      this.middle.dataset.winner = entry.winner === 0 ? "tie" : entry.winner - 1 === mine ? "me" : "foe";
      return;
    }
    delete this.middle.dataset.winner;
    const over = view.phase === "over";
    this.#slot(this.foeSlot, !over && foe.chosen ? "back" : null);
    if (this.watched) this.#slot(this.mySlot, !over && me.chosen ? "back" : null);
    else this.#slot(this.mySlot, view.pick ?? (over ? null : this.selected), { charge: view.pick ? view.charge : this.charge, ghost: !view.pick });
    this.potNumber.textContent = over ? "" : String(view.prize + view.carry);
    this.potLabel.textContent = over ? "" : view.carry ? t("tied", { prize: view.prize, carry: view.carry }) : t("point", { n: view.prize });
  }

  // Rebuilds a slot only when its card changes: otherwise the animation would begin again.
  #slot(slot, card, { entry, at, charge, ghost, flip } = {}) {
    const used = entry ? entry.charges[at] || null : charge ?? null;
    const key = [card, used, ghost, entry ? this.match.view.history.length : ""].join();
    if (slot.dataset.key === key) return;
    slot.dataset.key = key;
    if (!card) return slot.replaceChildren();
    if (card === "back") return slot.replaceChildren(el("div", { class: "card back arrive" }));
    const won = entry && entry.winner - 1 === at, edge = entry && entry.strength[at] - valueOf(card) * (used === "double" ? 2 : 1);
    slot.replaceChildren(...[el("div", { class: `card suit-${suitOf(card)} ${ghost ? "ghost" : ""} ${flip ? "flip" : ""} ${won ? "won" : ""} ${entry && !won ? "lost" : ""}`, role: "img", "aria-label": cardName(card) },
      face(card), used && el("span", { class: `badge ${used}` }, icon(used))),
      entry ? el("span", { class: "strength" }, String(entry.strength[at]), el("small", {}, [used === "double" ? "×2" : "", edge ? `+${edge}` : "", used === "shield" ? t("shield") : ""].filter(Boolean).join(" ") || "\u00a0")) : null].filter(Boolean));
  }

  #drawRounds(view, mine) {
    const prizesLeft = view.left;        // a later round shows what may come up: 1 to 3 first, then 4 to 6
    this.rounds.replaceChildren(...Array.from({ length: view.rounds }, (_, i) => {
      const entry = view.history[i];
      if (!entry) {
        const current = i === view.history.length && view.phase === "choose";
        return this.#coming(i, current, view.prize + view.carry, prizesLeft.filter((prize) => (prize > 3) === (i > 2)));
      }
      const result = entry.winner === 0 ? "tie" : entry.winner - 1 === mine ? "won" : "lost";
      const chip = (card) => el("span", { class: `chip suit-${suitOf(card)}` }, String(valueOf(card)), icon(suitOf(card)));
      if (this.watched) return this.#watchedRound(entry, i, chip);
      return el("li", { class: `round ${result}`, },
        el("span", { class: "sr" }, t("round", { n: i + 1, points: t("points", { n: entry.pot }), result: t(`round.${result}`), mine: cardName(entry.cards[mine]), theirs: cardName(entry.cards[1 - mine]) })),
        el("span", { class: "facts", "aria-hidden": "true" }, chip(entry.cards[1 - mine]), el("b", {}, result === "tie" ? "=" : (result === "won" ? "+" : "\u2212") + entry.pot), chip(entry.cards[mine])));
    }));
  }

  // Nobody's round is ours: an arrow says who took it.
  #watchedRound(entry, i, chip) {
    const [a, b] = this.match.players.map(called), result = entry.winner === 0 ? t("round.tie") : t("watch.takes", { who: entry.winner === 1 ? a : b });
    return el("li", { class: entry.winner === 0 ? "round tie" : "round taken" },
      el("span", { class: "sr" }, t("watch.round", { n: i + 1, points: t("points", { n: entry.pot }), result, a, b, first: cardName(entry.cards[0]), second: cardName(entry.cards[1]) })),
      el("span", { class: "facts", "aria-hidden": "true" }, chip(entry.cards[0]), el("b", {}, entry.winner === 0 ? "=" : `${entry.winner === 1 ? "↑" : "↓"}${entry.pot}`), chip(entry.cards[1])));
  }

  #coming(i, current, pot, prizes) {
    const said = current ? t("round.now", { n: i + 1, points: t("points", { n: pot }) }) : t("round.later", { n: i + 1, prizes: prizes.join(", ") });
    const line = el("li", { class: current ? "round now" : "round" }, el("span", { class: "sr" }, said), el("b", { "aria-hidden": "true" }, current ? String(pot) : prizes.join(" ")));
    if (current) line.setAttribute("aria-current", "step");
    return line;
  }

  #drawHand(view, me) {
    const cards = view.hand ?? [], closed = view.phase !== "choose" || Boolean(view.pick) || this.sending;
    const wanted = cards.join(), at = [...this.hand.children].indexOf(document.activeElement);
    if (at >= 0 || document.activeElement === this.playButton) this.place = Math.max(at, 0);       // a closed hand drops the focus: it comes back when it opens
    if (this.hand.dataset.cards !== wanted) {
      this.hand.dataset.cards = wanted;
      this.hand.replaceChildren(...cards.map((card) => el("button", { class: `card suit-${suitOf(card)}`, "data-testid": `card-${card}`, "aria-label": cardName(card), onclick: () => this.select(card) }, face(card))));
    }
    cards.forEach((card, i) => {
      const button = this.hand.children[i];
      button.classList.toggle("selected", card === this.selected && !view.pick);
      button.classList.toggle("picked", card === view.pick);
      button.setAttribute("aria-pressed", String(card === this.selected));
      button.disabled = closed;
    });
    for (const [charge, button] of Object.entries(this.chargeButtons)) {
      button.disabled = closed || !me.charged;
      button.classList.toggle("used", !me.charged);
      button.setAttribute("aria-pressed", String(this.charge === charge));
    }
    this.playButton.disabled = closed || !this.selected;
    this.playButton.textContent = view.pick || this.sending ? t("sent") : this.selected ? t(this.charge ? `play.${this.charge}` : "play", { value: valueOf(this.selected) }) : t("pick");
    if (!closed && this.place !== undefined && [document.body, this.element].includes(document.activeElement)) {
      this.hand.children[Math.min(this.place, cards.length - 1)]?.focus({ preventScroll: true });
      this.place = undefined;
    }
  }

  #sentence(view, mine, theirs, foe, foeName) {
    const entry = this.reveal;
    if (entry) {
      const a = suitOf(entry.cards[mine]), b = suitOf(entry.cards[theirs]);
      const beats = { f: "l", l: "w", w: "f" };
      const why = beats[a] === b ? capital(t("say.beats", { a: suitName(a), b: suitName(b) })) : beats[b] === a ? capital(t("say.beats", { a: suitName(b), b: suitName(a) })) : "";
      const how = entry.winner - 1 === mine ? "win" : entry.winner !== 0 ? "lose" : entry.strength[0] === entry.strength[1] ? "tie" : "shield";
      return [entry.auto[mine] ? t("say.late") : "", why, t(`say.${how}`, { a: entry.strength[mine], b: entry.strength[theirs], pot: entry.pot, who: foeName })].filter(Boolean).join(" ");
    }
    if (view.phase === "over") return t("say.over");
    if (!this.online) return t(this.sending ? "say.kept" : "say.offline");
    if (this.problem) return this.problem;
    if (view.pick) return t(foe.away ? "say.away" : "say.wait", { who: foeName });
    if (foe.chosen) return t("say.move", { who: foeName });
    return view.round === view.rounds ? t("say.last", { pot: view.prize + view.carry }) : t("say.round", { n: view.round, rounds: view.rounds });
  }

  #sentenceWatched(view) {
    const entry = this.reveal, names = this.match.players.map(called);
    if (entry) {
      const [a, b] = entry.cards.map(suitOf), beats = { f: "l", l: "w", w: "f" };
      const why = beats[a] === b ? capital(t("say.beats", { a: suitName(a), b: suitName(b) })) : beats[b] === a ? capital(t("say.beats", { a: suitName(b), b: suitName(a) })) : "";
      const [high, low] = entry.winner === 2 ? [entry.strength[1], entry.strength[0]] : entry.strength;
      const how = entry.winner !== 0 ? "lose" : high === low ? "tie" : "shield";
      return [...names.map((who, at) => (entry.auto[at] ? t("watch.late", { who }) : "")), why, t(`say.${how}`, { a: high, b: low, pot: entry.pot, who: names[entry.winner - 1] })].filter(Boolean).join(" ");
    }
    if (view.phase === "over") return t("say.over");
    if (!this.online) return t("watch.offline");
    const waits = view.seats.findIndex((seat) => !seat.chosen);
    if (waits >= 0 && view.seats.some((seat) => seat.chosen)) return t("say.wait", { who: names[waits] });
    return view.round === view.rounds ? t("say.last", { pot: view.prize + view.carry }) : t("watch.choose", { n: view.round, rounds: view.rounds });
  }

  /** How a watched match ended. @param {any} event */
  finish(event) {
    const { players, view } = this.match, names = players.map(called), places = event.places ?? [];
    const draw = places.length === 1 && places[0].length > 1, winner = places.length > 0 && !draw ? places[0][0] : 0;
    const why = places.length === 0 ? "why.cancelled" : `why.${event.reason}.${draw ? "draw" : "won"}`;
    this.verdict.replaceChildren(...[el("h1", { "data-testid": "verdict-title" }, places.length === 0 ? t("cancelled") : draw ? t("draw") : t("lost", { who: names[winner - 1] })),
      el("p", { class: "final" }, el("span", { class: "sr" }, t("watch.final", { a: names[0], b: names[1], first: view.score[0], second: view.score[1] })), el("span", { "aria-hidden": "true" }, `${view.score[0]} : ${view.score[1]}`)),
      knows(why) && el("p", { class: "lead" }, t(why, { who: winner ? names[2 - winner] : "" }))].filter(Boolean));
    this.element.classList.add("ended");
    this.hooks.haptic("light");
  }

  #tick() {
    if (!this.match) return;
    const { view, turnMs } = this.match;
    const left = view.ends_ms && view.phase === "choose" ? Math.max(0, view.ends_ms - this.hooks.now()) : 0;
    this.ring.style.setProperty("--left", String(Math.min(1, left / (turnMs || 20000))));
    const late = left > 0 && left < LATE_MS && !view.pick;
    this.ring.classList.toggle("late", late);
    const seconds = Math.ceil(left / 1000);
    this.seconds.textContent = left > 0 && seconds <= 10 && !this.reveal ? String(seconds) : "";
    if (!this.watched) this.#sayClock(view, left > 0 && !view.pick ? seconds : Infinity);
  }

  // Ten seconds and five, each once a round; a page that comes late says only the nearest.
  #sayClock(view, seconds) {
    const milestone = MILESTONES_S.findLast((one) => seconds <= one);
    const key = milestone ? `${view.round} ${milestone}` : "";
    if (key === this.clockSaid) return;
    this.clockSaid = key;
    this.clock.textContent = milestone ? t("clock", { n: seconds }) : "";
  }
}
const capital = (text) => text[0].toUpperCase() + text.slice(1);
