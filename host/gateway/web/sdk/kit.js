// kit.js: what stands around the board of a game for two: elements, words, and the way from the lobby to the result. How to use it: plugins/sdk/README.md;
// every type and what each part is for: kit.types.js, which no page loads.
import { connect, formatUnits } from "./frond.js";
import { chooseLanguage, isolated, texts } from "./i18n.js";

const MODE = "classic";
const FALLBACK = { id: MODE, asset: "PALM", stakes: ["0"], rake: {} };

// ---- elements; text is always text

/** @type {import("./kit.types.js").El} */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name.includes("-") || name === "role" || name === "lang") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.flat().filter((child) => (child ?? false) !== false));
  return node;
}

/** @param {string} name of a symbol in index.html */
export function icon(name) {
  const [svg, use] = ["svg", "use"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("class", `icon ${name}`);
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

/** Into a live region: the same words again would be read aloud again. @param {Node} node @param {string} text */
export const tell = (node, text) => { if (node.textContent !== text) node.textContent = text; };

/** `showModal()` asks before one gives up. @param {(key: string) => string} t @param {() => void} onYes */
export function giveUpDialog(t, onYes) {
  const dialog = el("dialog", { class: "confirm", "aria-labelledby": "give-up" },
    el("h2", { id: "give-up" }, t("give_up.ask")), el("p", {}, t("give_up.about")),
    el("button", { class: "secondary", onclick: () => dialog.close() }, t("give_up.no")),
    el("button", { class: "danger", "data-testid": "surrender-yes", onclick: () => { dialog.close(); onYes(); } }, t("give_up")));
  return dialog;
}

// ---- words

// In Korean a person's name carries 님, so that every particle is right.
export const CATALOGUE = {
  en: {
    outside: "This page works inside Frond only.", person: "{name}", bot: "Bot", you: "You",
    stake: "Stake", "stake.in": "Stake in {asset}", free: "Free", "free.about": "just play", none: "No stake", each: "{amount} {asset} each",
    "note.free": "No coins move. When nobody else is waiting, the bot sits down.", "note.paid": "The winner takes {amount} {asset}. You are asked before any coins are set aside.",
    find: "Find an opponent", practise: "Practise against the bot", cancel: "Cancel", rules: "How to play",
    "waiting.find": "Looking for an opponent…", "waiting.bot": "The bot sits down…", "waiting.again": "Waiting for {who} to say yes…",
    "give_up": "Give up", "give_up.ask": "Give up this match?", "give_up.about": "The other player wins it.", "give_up.no": "Play on",
    "say.offline": "Connection lost. The match goes on when it is back.", away: "away", clock: { one: "{n} second left", other: "{n} seconds left" },
    "watch.wait": "The match comes in a moment…", "watch.sign": { one: "Watching, {n} second late", other: "Watching, {n} seconds late" }, "watch.sign_now": "Watching", "watch.final": "Score: {a} {first}, {b} {second}",
    cancelled: "Match cancelled", draw: "A draw", won: "You won!", lost: "{who} won", "score.final": "Score: you {mine}, {who} {theirs}",
    "why.cancelled": "All stakes went back.", "why.surrender.won": "{who} gave up.", "why.surrender.lost": "You gave up.", "why.away.won": "{who} was away too long.", "why.away.lost": "You were away too long.", "why.away.draw": "Both were away.",
    friendly: "Friendly match: no coins moved.", returned: "Your stake came back.", rematch: "Rematch", again: "Play again", leave: "Back to the lobby", receipt: "What was burned",
    ended: "Your match has ended", "no_coins": "No coins moved.", "rematch.asks": "{who} wants a rematch", "rematch.yes": "Yes, play again",
    problem: "That did not work", "problem.text": "Try again in a moment. ({code})", "problem.refused": "You did not approve the stake", "problem.refused.text": "No coins moved. Choose another stake, or play for free.",
    "problem.paused.text": "You refused several times, so the game may not ask again just now. No coins moved.", "problem.funds": "Not enough coins", "problem.funds.text": "Choose a smaller stake, or play for free. No coins moved.",
    "problem.lost": "The connection was lost", "problem.lost.text": "No match was found before that. Try again.", "problem.starting": "The game is just starting", "problem.starting.text": "Try again in a moment.",
    "problem.playing": "You are already playing", "problem.playing.text": "Finish that match first.", "problem.search.text": "Your search ended.",
    "refused.match_over": "The match is over.", "refused.timeout": "No answer yet. Try again.", "refused.other": "That was not taken ({code}).",
  },
  ko: {
    outside: "이 페이지는 Frond 안에서만 열려요.", person: "{name} 님", bot: "봇", you: "나",
    stake: "참가금", "stake.in": "참가금({asset})", free: "무료", "free.about": "가볍게", none: "참가금 없음", each: "각자 {amount} {asset}",
    "note.free": "코인은 움직이지 않아요. 기다리는 사람이 없으면 봇이 상대해요.", "note.paid": "이기면 {amount} {asset}을 받아요. 코인을 맡기기 전에 먼저 물어봐요.",
    find: "상대 찾기", practise: "봇과 연습하기", cancel: "취소", rules: "게임 방법",
    "waiting.find": "상대를 찾고 있어요…", "waiting.bot": "봇이 자리에 앉고 있어요…", "waiting.again": "{who}의 답을 기다리고 있어요…",
    "give_up": "기권", "give_up.ask": "기권할까요?", "give_up.about": "기권하면 상대가 이겨요.", "give_up.no": "계속하기",
    "say.offline": "연결이 끊겼어요. 다시 연결되면 대전이 이어져요.", away: "자리 비움", clock: "{n}초 남았어요",
    "watch.wait": "곧 대전이 보여요…", "watch.sign": "관전 중, {n}초 늦은 화면", "watch.sign_now": "관전 중", "watch.final": "점수: {a} {first}, {b} {second}",
    cancelled: "대전이 취소됐어요", draw: "비겼어요", won: "이겼어요!", lost: "{who}이 이겼어요", "score.final": "점수: 나 {mine}, {who} {theirs}",
    "why.cancelled": "참가금을 모두 돌려줬어요.", "why.surrender.won": "{who}이 기권했어요.", "why.surrender.lost": "내가 기권했어요.", "why.away.won": "{who}이 너무 오래 자리를 비웠어요.", "why.away.lost": "너무 오래 자리를 비웠어요.", "why.away.draw": "둘 다 자리를 비웠어요.",
    friendly: "연습 대전이라 코인은 그대로예요.", returned: "참가금을 돌려받았어요.", rematch: "다시 대결", again: "한 판 더", leave: "로비로", receipt: "소각된 코인 보기",
    ended: "대전이 끝났어요", "no_coins": "코인은 그대로예요.", "rematch.asks": "{who}이 다시 대결하고 싶어 해요", "rematch.yes": "네, 다시 해요",
    problem: "잘되지 않았어요", "problem.text": "잠시 뒤에 다시 해 주세요. ({code})", "problem.refused": "참가금을 승인하지 않았어요", "problem.refused.text": "코인은 그대로예요. 다른 참가금을 고르거나 무료로 해 보세요.",
    "problem.paused.text": "여러 번 거절해서 지금은 다시 물어볼 수 없어요. 코인은 그대로예요.", "problem.funds": "코인이 모자라요", "problem.funds.text": "더 적은 참가금을 고르거나 무료로 해 보세요. 코인은 그대로예요.",
    "problem.lost": "연결이 끊겼어요", "problem.lost.text": "아직 상대를 찾지 못했어요. 다시 해 주세요.", "problem.starting": "게임을 준비하고 있어요", "problem.starting.text": "잠시 뒤에 다시 해 주세요.",
    "problem.playing": "이미 대전 중이에요", "problem.playing.text": "그 대전을 먼저 끝내 주세요.", "problem.search.text": "상대 찾기가 끝났어요.",
    "refused.match_over": "대전이 끝났어요.", "refused.timeout": "아직 답이 없어요. 다시 해 주세요.", "refused.other": "답이 들어가지 않았어요. ({code})",
  },
};

/** A game's words before those above, in the game's languages. @param {import("./kit.types.js").Catalogue} own @returns {import("./kit.types.js").Words} */
export function words(own) {
  const catalogue = Object.fromEntries(Object.keys(own).map((tag) => [tag, { ...CATALOGUE[tag] ?? CATALOGUE.en, ...own[tag] }])), languages = Object.keys(own);
  let language = languages[0], text = texts(catalogue, language);
  const t = (key, values) => text(key, values), knows = (key) => Object.hasOwn(catalogue[languages[0]], key), amount = (units) => formatUnits(units, 9, language);
  return {
    catalogue, t, knows, amount,
    language: () => language,
    speak(wanted) {
      language = chooseLanguage(wanted, languages);
      text = texts(catalogue, language);
      document.documentElement.lang = language;
      document.title = t("title");
    },
    called: (player) => (player.bot ? t("bot") : t("person", { name: isolated(player.name) })),
    signed: (net) => `${net.startsWith("-") ? "" : "+"}${amount(net)}`,
    refused: (code) => t(knows(`refused.${code}`) ? `refused.${code}` : "refused.other", { code }),
    sign: ({ delayMs }) => t(delayMs > 0 ? "watch.sign" : "watch.sign_now", { n: Math.ceil(delayMs / 1000) }),
  };
}

// ---- from the lobby to the result

const PROBLEMS = { consent_refused: "refused", funds: "funds", connection_lost: "lost", offline: "lost", plugin_starting: "starting", game_down: "starting",
  too_many_tickets: "playing", too_many_matches: "playing" };

/** Fills `<main id="app">`. @param {import("./kit.types.js").Plan} plan @returns {import("./kit.types.js").Game} */
export function openGame(plan) {
  const { t, knows, called, amount, signed, speak } = plan.words, root = document.getElementById("app"), chosen = {};
  let frond, mode = FALLBACK, values = {}, ticket = null, searching = 0;
  let board = null, match = null;      // the match that is shown
  let last = null, wanted = null;      // the result's own line and button; the match whose other player asks for a rematch

  async function start() {
    speak(navigator.languages);        // until the shell has told
    try {
      frond = await connect();
    } catch {
      return root.replaceChildren(el("p", { class: "loading", role: "alert" }, t("outside")));
    }
    speak([frond.info.language, ...navigator.languages]);
    mode = frond.info.game?.modes?.find((one) => one.id === MODE) ?? FALLBACK;
    values = { stake: mode.stakes, ...plan.choices };
    for (const [name, list] of Object.entries(values)) {
      const kept = await frond.storage.get(name);
      chosen[name] = list.includes(kept) ? kept : list[0];
    }
    const listeners = { view: onView, end: onEnd, "match.queue": onQueue, "match.rematch": onRematch, connection: onConnection };
    for (const [name, listener] of [listeners, plan.on ?? {}].flatMap(Object.entries)) frond.on(name, listener);
    if (frond.watching) {              // a match of others: there is no lobby to go back to, and no way to act
      show(el("p", { class: "loading", role: "status", tabIndex: -1 }, t("watch.wait")));
      return frond.match.watch();      // the board comes with the events
    }
    addEventListener("keydown", (event) => { if (board && !root.querySelector(".result")) board.key?.(event); });
    const running = frond.info.matches?.at(-1);
    if (running) {
      let end = null;
      const unlisten = frond.on("match.end", (event) => { end = event; });
      const reply = await frond.match.resume(running.id);        // the board comes with the events, before the reply
      unlisten();
      if (board) return;
      if (reply.ok && end) return lobby({ title: t("ended"), text: end.stake === "0" ? t("no_coins") : `${signed(end.net)} ${mode.asset}` });
    }
    lobby();
  }

  // ---- screens

  function show(...nodes) {
    board?.close?.();
    board = null;
    root.replaceChildren(...nodes);
    root.querySelector("[tabindex]")?.focus({ preventScroll: true });      // a screen reader begins where the new screen does
    onConnection(frond.online);
  }

  function lobby(notice = null) {
    const { stake } = chosen;
    match = null;
    show(el("section", { class: "lobby", "data-testid": "lobby" },
      plan.picture(false),
      el("h1", { tabIndex: -1 }, t("title")),
      el("p", { class: "lead" }, t("lead")),
      notice && el("div", { class: "notice", role: "alert", "data-testid": "notice" }, el("strong", {}, notice.title), el("span", {}, notice.text),
        notice.action && el("button", { class: "primary", "data-testid": "accept-rematch", onclick: notice.onAction }, notice.action)),
      plan.choosing?.(),
      el("h2", {}, t("stake")),
      radios("stake", t("stake.in", { asset: mode.asset }), (units) => [units === "0" ? t("free") : amount(units), el("small", {}, units === "0" ? t("free.about") : mode.asset)]),
      el("p", { class: "note", "data-testid": "stake-note" }, stakeNote(stake)),
      el("button", { class: "primary", "data-testid": "find", onclick: () => find({ stake }) }, t("find")),
      el("button", { class: "secondary", "data-testid": "bot", onclick: () => find({ stake: "0", bot: true }) }, t("practise")),
      el("details", { class: "rules" }, el("summary", {}, t("rules")), plan.rules())));
  }

  function radios(name, label, draw) {
    const keep = (value) => {
      frond.storage.set(name, chosen[name] = value);
      lobby();
      root.querySelector(`input[name=${name}]:checked`).focus();
    };
    return el("div", { class: `choices ${name}`, role: "radiogroup", "aria-label": label }, values[name].map((value) => el("label", { class: "choice" },
      el("input", { type: "radio", name, value, checked: value === chosen[name], "data-testid": `${name}-${value}`, onchange: () => keep(value) }), el("span", {}, draw(value)))));
  }

  function stakeNote(stake) {
    if (stake === "0") return t("note.free");
    const pot = BigInt(stake) * 2n, rake = Object.values(mode.rake ?? {}).reduce((sum, bps) => sum + pot * BigInt(bps) / 10000n, 0n);
    return t("note.paid", { amount: amount(String(pot - rake)), asset: mode.asset });
  }
  const stakeText = (units) => (units === "0" ? t("none") : t("each", { amount: amount(units), asset: mode.asset }));

  async function find(ask, title = t("waiting.find")) {
    const mine = ++searching;
    ticket = null;
    show(el("section", { class: "waiting", "data-testid": "waiting" },
      plan.picture(true),
      el("h1", { tabIndex: -1, role: "status" }, ask.bot ? t("waiting.bot") : title),
      el("p", { class: "lead" }, stakeText(ask.stake)),
      el("button", { class: "secondary", "data-testid": "cancel", onclick: cancel }, t("cancel"))));
    const reply = await frond.match.find({ mode: MODE, ...plan.options && { options: plan.options() }, ...ask });
    if (mine !== searching) {          // cancelled meanwhile
      if (reply.ok && !board) frond.match.leaveQueue(reply.value.ticket);
      return;
    }
    if (!reply.ok) return lobby(problemOf(reply));
    ticket = reply.value.ticket;
  }
  function cancel() {
    if (ticket) frond.match.leaveQueue(ticket);
    searched();
    lobby();
  }
  function searched() { searching++; ticket = null; }

  function problemOf({ code, paused }) {
    const name = Object.hasOwn(PROBLEMS, code) ? `problem.${PROBLEMS[code]}` : "problem";
    return { title: t(name), text: t(paused ? "problem.paused.text" : code === "search" ? "problem.search.text" : `${name}.text`, { code }) };
  }

  // ---- what the host tells

  function onView(changed, event) {
    const begins = event.ev === "match.start" && changed.view && match?.id !== changed.id && !changed.end;
    if (begins || (changed.watched && !board)) openBoard(changed);
    if (match?.id !== changed.id || !board) return;
    match = changed;
    board.update(changed);
  }

  function openBoard(started) {
    searched();
    match = started;
    const fresh = plan.board(started);
    show(fresh.element);
    board = fresh;
    if (!started.watched) frond.haptic("medium");
  }

  function onEnd(ended, end) {
    const mine = board;
    if (match?.id !== ended.id || !mine) return;
    const finish = () => {
      if (board !== mine || root.querySelector(".result")) return;
      if (ended.watched) return mine.finish?.(end);
      plan.result(ended, end);
      tellRematch();
    };
    if (mine.settle) mine.settle(end, finish);
    else finish();
  }

  function onQueue({ ticket: dropped, error }) {
    if (board || (ticket && dropped !== ticket)) return;
    searched();
    lobby(problemOf(typeof error === "string" ? { code: error } : { code: error?.code ?? "search" }));
  }

  // The other one asks to play again: said where the player is, with the way to say yes. Not during a match, and not while we ask ourselves.
  function onRematch({ match: id, stake, name }) {
    const who = called({ name, bot: false }), title = t("rematch.asks", { who });
    if (match?.id === id) {
      wanted = { id, title };
      tellRematch();
    } else if (root.querySelector(".lobby")) {
      lobby({ title, text: stakeText(stake), action: t("rematch.yes"), onAction: () => find({ stake, with: id }, t("waiting.again", { who })) });
    }
  }
  function tellRematch() {
    if (!last?.asked.isConnected || wanted?.id !== match?.id) return;      // the last move is still looked at: the result will tell
    last.again.textContent = t("rematch.yes");
    last.asked.replaceChildren(el("strong", {}, wanted.title));
    plan.asked?.();
  }

  function onConnection(online) {
    document.body.classList.toggle("offline", !online);
    board?.connection?.(online);
  }

  // ---- the result

  function ending({ id, seat, players, stake, asset }, { places, reason, net = "0" }, [mine, theirs]) {
    const foe = players[2 - seat], who = called(foe), voided = !places?.length, draw = !voided && places.length === 1 && places[0].length > 1, even = voided || draw;
    const outcome = voided ? "cancelled" : draw ? "draw" : places[0].includes(seat) ? "won" : "lost", why = voided ? "why.cancelled" : `why.${reason}.${outcome}`;
    const again = el("button", { class: "primary", "data-testid": "rematch", onclick: () => find(foe.bot ? { stake: "0", bot: true } : { stake, with: id }, t("waiting.again", { who })) }, t(foe.bot ? "again" : "rematch"));
    const asked = el("p", { class: "asked", role: "status", "data-testid": "rematch-asked" }), burned = stake !== "0" && !even && (mode.rake?.burn ?? 0) > 0;
    last = { again, asked };
    return {
      outcome, title: t(outcome, { who }), asked,
      lines: [el("p", { class: "final" }, el("span", { class: "sr" }, t("score.final", { mine, theirs, who })), el("span", { "aria-hidden": "true" }, `${mine} : ${theirs}`)),
        knows(why) && el("p", { class: "lead" }, t(why, { who })),
        el("p", { class: stake === "0" ? "lead" : "money", "data-testid": "result-net", "data-net": net }, stake === "0" ? t("friendly") : even ? t("returned") : `${signed(net)} ${asset}`)],
      buttons: [again, el("button", { class: "secondary", "data-testid": "leave", onclick: () => lobby() }, t("leave")),
        burned && el("button", { class: "secondary", "data-testid": "receipt", onclick: () => frond.match.receipt(id) }, t("receipt"))],       // the shell follows it onto the chain
    };
  }

  start();
  return { chosen, show, lobby, radios, ending, get frond() { return frond; }, get match() { return match; }, get board() { return board; } };
}
