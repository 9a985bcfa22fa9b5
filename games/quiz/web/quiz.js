// quiz.js: the page of the quiz: lobby, waiting, board, result. It proposes answers; the host decides, and the page draws what it is told.
import { connect, formatUnits } from "/sdk/frond.js";
import { Board, refusalText } from "./board.js";
import { el } from "./dom.js";
import { called, language, speak, t } from "./i18n.js";
import { TOPICS, drawLobby, drawWaiting } from "./lobby.js";
import { drawResult, outcomeOf } from "./result.js";

const root = document.getElementById("app");
const MODE = "classic";
const FALLBACK = { id: MODE, asset: "PALM", stakes: ["0"], rake: {} };
const LAST_MS = 2500;                // the last right answer is looked at before the result covers it
const TUTOR_MS = 60000;

let frond, mode = FALLBACK, stake = "0", topic = "mixed", ticket = null, searching = 0;
let board = null, match = null;      // the match on the board
let wanted = null;                   // the match whose other player asks for a rematch

start();

async function start() {
  speak(navigator.languages);          // until the shell has told
  try {
    frond = await connect();
  } catch (error) {
    root.replaceChildren(el("p", { class: "loading", role: "alert" }, t("outside")));
    return;
  }
  speak([frond.info.language, ...navigator.languages]);
  mode = frond.info.game?.modes?.find((one) => one.id === MODE) ?? FALLBACK;
  const [lastStake, lastTopic] = [await frond.storage.get("stake"), await frond.storage.get("topic")];
  stake = mode.stakes.includes(lastStake) ? lastStake : mode.stakes[0];
  topic = TOPICS.includes(lastTopic) ? lastTopic : TOPICS[0];
  frond.on("view", onView);
  frond.on("end", onEnd);
  frond.on("match.queue", onQueue);
  frond.on("match.rematch", onRematch);
  frond.on("connection", onConnection);
  if (frond.watching) {
    show(el("p", { class: "loading", role: "status", tabIndex: -1 }, t("watch.wait")));
    await frond.match.watch();           // the board comes with the events
    return;
  }
  addEventListener("keydown", (event) => { if (board) board.key(event); });
  const running = frond.info.matches?.at(-1);
  if (running) {
    let end = null;
    const unlisten = frond.on("match.end", (event) => { end = event; });
    const reply = await frond.match.resume(running.id);          // the board comes with the events, before the reply
    unlisten();
    if (board) return;
    if (reply.ok && end) return showLobby({ title: t("ended"), text: end.stake === "0" ? t("no_coins") : `${signed(end.net)} ${mode.asset}` });
  }
  showLobby();
}

// ---- screens

function show(...nodes) {
  board?.close();
  board = null;
  root.replaceChildren(...nodes);
  root.querySelector("[tabindex]")?.focus({ preventScroll: true });        // a screen reader begins where the new screen does
  onConnection(frond.online);
}

function showLobby(notice = null) {
  match = null;
  show(drawLobby({ mode, stake, topic, notice, onFind: () => find({ stake }), onBot: () => find({ stake: "0", bot: true }),
    onStake: (units) => keep("stake", stake = units), onTopic: (one) => keep("topic", topic = one) }));
}
function keep(name, value) {
  frond.storage.set(name, value);
  showLobby();
  root.querySelector(`input[name=${name}]:checked`).focus();
}

const amountText = (units) => formatUnits(units, 9, language);
const signed = (net) => `${net.startsWith("-") ? "" : "+"}${amountText(net)}`;
const stakeText = (units) => (units === "0" ? t("none") : t("each", { amount: amountText(units), asset: mode.asset }));

async function find(ask, title = t("waiting.find")) {
  const mine = ++searching;
  ticket = null;
  show(drawWaiting({ title: ask.bot ? t("waiting.bot") : title, stakeText: stakeText(ask.stake), onCancel: cancel }));
  const reply = await frond.match.find({ mode: MODE, options: { topic, lang: language }, ...ask });
  if (mine !== searching) {                                      // cancelled meanwhile
    if (reply.ok && !board) frond.match.leaveQueue(reply.value.ticket);
    return;
  }
  if (!reply.ok) return showLobby(problemOf(reply));
  ticket = reply.value.ticket;
}
function cancel() {
  searching++;
  if (ticket) frond.match.leaveQueue(ticket);
  ticket = null;
  showLobby();
}

const PROBLEMS = { consent_refused: "refused", funds: "funds", connection_lost: "lost", offline: "lost", plugin_starting: "starting", game_down: "starting",
  too_many_tickets: "playing", too_many_matches: "playing" };
function problemOf({ code, paused }) {
  const name = Object.hasOwn(PROBLEMS, code) ? `problem.${PROBLEMS[code]}` : "problem";
  return { title: t(name), text: t(paused ? "problem.paused.text" : code === "search" ? "problem.search.text" : `${name}.text`, { code }) };
}

// ---- what the host tells

function onView(changed, event) {
  if (changed.watched && !board) openBoard(changed, true);
  if (event.ev === "match.start" && changed.view && (!match || match.id !== changed.id) && !changed.end) openBoard(changed, false);
  if (match?.id !== changed.id || !board) return;
  const last = match.view.phase;
  match = changed;
  board.update(changed);
  if (!changed.watched && last === "question" && changed.view.phase === "reveal") {
    const entry = changed.view.history.at(-1);
    frond.haptic(entry.choices[changed.seat - 1] === entry.right ? "success" : "warning");
  }
}

function openBoard(started, watched) {
  searching++;
  ticket = null;
  match = started;
  const fresh = new Board({
    watched, now: () => frond.now(), haptic: (kind) => frond.haptic(kind),
    onAnswer: async (round, choice) => {
      const still = ({ view }) => view.phase === "question" && view.round === round && !view.choice;
      const reply = await frond.match.input(started.id, "answer", { round, choice }, { still });
      return reply.ok ? null : refusalText(reply);
    },
    onSurrender: () => frond.match.leave(started.id),
  });
  show(fresh.element);
  board = fresh;
  board.update(started);
  if (!watched) frond.haptic("medium");
}

function onEnd(ended, event) {
  if (match?.id !== ended.id || !board) return;
  const mine = board;
  if (ended.watched) mine.finish(event);
  else if (event.reason === "played") setTimeout(() => { if (board === mine) showResult(ended, event); }, LAST_MS);
  else showResult(ended, event);
}

function onQueue({ ticket: dropped, error }) {
  if (board || (ticket && dropped !== ticket)) return;
  searching++;
  ticket = null;
  showLobby(problemOf(typeof error === "string" ? { code: error } : { code: error?.code ?? "search" }));
}
// The other one asks to play again: said where the player is, with the way to say yes. Not during a match, and not while we ask ourselves.
function onRematch({ match: id, stake: units, name }) {
  const title = t("rematch.asks", { who: called({ name, bot: false }) });
  if (match?.id === id) {
    wanted = { id, title };
    tellRematch();
  } else if (root.querySelector(".lobby")) {
    showLobby({ title, text: stakeText(units), action: t("rematch.yes"), onAction: () => find({ stake: units, with: id }, t("waiting.again", { who: called({ name, bot: false }) })) });
  }
}
function tellRematch() {
  const result = root.querySelector(".result");
  if (!result || wanted?.id !== match?.id) return;
  result.querySelector("[data-testid=rematch]").textContent = t("rematch.yes");
  result.querySelector("[data-testid=rematch-asked]").replaceChildren(el("strong", {}, wanted.title));
}
function onConnection(online) {
  document.body.classList.toggle("offline", !online);
  board?.connection(online);
}

// ---- the result

function showResult(ended, event) {
  const outcome = outcomeOf(event, ended.seat), even = outcome === "cancelled" || outcome === "draw";
  const foe = ended.players[2 - ended.seat];
  show(drawResult({
    ended, event, burned: ended.stake !== "0" && !even && (mode.rake?.burn ?? 0) > 0,
    money: ended.stake === "0" ? t("friendly") : even ? t("returned") : `${signed(event.net ?? "0")} ${ended.asset}`,
    explain: ({ text, options, right, choices }, onDelta) => frond.call("tutor", { question: text, options, right, choice: choices[ended.seat - 1], lang: language }, { onDelta, timeoutMs: TUTOR_MS }),
    onAgain: () => find(foe.bot ? { stake: "0", bot: true } : { stake: ended.stake, with: ended.id }, t("waiting.again", { who: called(foe) })),
    onLeave: () => showLobby(), onReceipt: () => frond.match.receipt(ended.id),
  }));
  frond.haptic(outcome === "won" ? "success" : even ? "light" : "error");
  tellRematch();
}
