// duel.js: the page of Card Duel: lobby, waiting, table, result. It proposes moves; the host decides, and the page draws what it is told.
import { connect, formatUnits } from "/sdk/frond.js";
import { el } from "./dom.js";
import { called, knows, language, speak, t } from "./i18n.js";
import { drawLobby, drawWaiting } from "./lobby.js";
import { Table } from "./table.js";

const root = document.getElementById("app");
const MODE = "classic";
const FALLBACK = { id: MODE, asset: "PALM", stakes: ["0"], rake: {} };

let frond, mode = FALLBACK, stake = "0", ticket = null, searching = 0, notice = null;
let table = null, match = null;      // the match on the table
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
  const last = await frond.storage.get("stake");
  stake = mode.stakes.includes(last) ? last : mode.stakes[0];
  frond.on("view", onView);
  frond.on("end", onEnd);
  frond.on("match.event", onEvent);
  frond.on("match.queue", onQueue);
  frond.on("match.rematch", onRematch);
  frond.on("connection", onConnection);
  if (frond.watching) return watch();
  addEventListener("keydown", (event) => { if (table && !document.querySelector(".result")) table.key(event); });
  const running = frond.info.matches?.at(-1);
  if (running) {
    let end = null;
    const unlisten = frond.on("match.end", (event) => { end = event; });
    const reply = await frond.match.resume(running.id);          // the table comes with the events, before the reply
    unlisten();
    if (table) return;
    if (reply.ok && end) return showLobby({ title: t("ended"), text: endText(end) });
  }
  showLobby();
}

// A match of others: there is no lobby to go back to, and no way to act.
async function watch() {
  show(el("p", { class: "loading", role: "status", tabIndex: -1 }, t("watch.wait")));
  await frond.match.watch();           // the table comes with the events
}

// ---- screens

function show(...nodes) {
  table?.close();
  table = null;
  root.replaceChildren(...nodes);
  root.querySelector("[tabindex]")?.focus({ preventScroll: true });        // a screen reader begins where the new screen does
  onConnection(frond.online);
}

function showLobby(problem = null) {
  notice = problem;
  match = null;
  show(drawLobby({ mode, stake, notice, onStake: setStake, onFind: () => find({ stake }), onBot: () => find({ stake: "0", bot: true }) }));
}
function setStake(units) {
  stake = units;
  frond.storage.set("stake", units);
  showLobby();
  root.querySelector("input:checked").focus();
}

function stakeText(units) {
  return units === "0" ? t("none") : t("each", { amount: amountText(units), asset: mode.asset });
}

const amountText = (units) => formatUnits(units, 9, language);

async function find(ask, title = t("waiting.find")) {
  const mine = ++searching;
  ticket = null;
  show(drawWaiting({ title: ask.bot ? t("waiting.bot") : title, stakeText: stakeText(ask.stake), onCancel: cancel }));
  const reply = await frond.match.find({ mode: MODE, ...ask });
  if (mine !== searching) {                                      // cancelled meanwhile
    if (reply.ok && !table) frond.match.leaveQueue(reply.value.ticket);
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
  if (changed.watched && !table) openWatched(changed);
  if (event.ev === "match.start" && changed.view && (!match || match.id !== changed.id) && !changed.end) openTable(changed);
  if (match?.id !== changed.id || !table) return;
  match = changed;
  table.update(changed);
}

function openTable(started) {
  searching++;
  ticket = null;
  match = started;
  const fresh = new Table({
    now: () => frond.now(), haptic: (kind) => frond.haptic(kind),
    onPlay: async (card, charge) => {
      const { round } = match.view, still = ({ view }) => view.round === round && view.phase === "choose" && !view.pick;
      const reply = await frond.match.input(started.id, "play", charge ? { card, charge } : { card }, { still });
      return reply.ok || reply.code === "already_played" ? null : t(knows(`refused.${reply.code}`) ? `refused.${reply.code}` : "refused.other", { code: reply.code });
    },
    onReact: (kind) => frond.match.input(started.id, "react", { kind }),
    onSurrender: () => frond.match.leave(started.id),
  });
  show(fresh.element);
  table = fresh;
  frond.haptic("medium");
}

function openWatched(started) {
  match = started;
  const fresh = new Table({ watched: true, now: () => frond.now(), haptic: (kind) => frond.haptic(kind) });
  show(fresh.element);
  table = fresh;
}

function onEnd(ended, event) {
  if (match?.id !== ended.id || !table) return;
  const finish = () => (ended.watched ? table.finish(event) : showResult(ended, event));
  if (table.revealing) table.onrevealed = finish;               // first let the last cards turn over
  else finish();
}

function onEvent({ match: id, name, data }) {
  if (name === "react" && table && match?.id === id) table.bubble(data.seat, data.kind);
}
function onQueue({ ticket: dropped, error }) {
  if (table || (ticket && dropped !== ticket)) return;
  searching++;
  ticket = null;
  showLobby(problemOf(typeof error === "string" ? { code: error } : { code: error?.code ?? "search" }));
}
// The other one asks to play again: said where the player is, with the way to say yes. Not during a match, and not while we ask ourselves.
function onRematch({ match: id, stake: units, name: who }) {
  const title = t("rematch.asks", { who: called({ name: who, bot: false }) });
  if (match?.id === id && table) {
    wanted = { id, title };
    tellRematch();
  } else if (root.querySelector(".lobby")) {
    showLobby({ title, text: stakeText(units), action: t("rematch.yes"), onAction: () => find({ stake: units, with: id }, t("waiting.again", { who: called({ name: who, bot: false }) })) });
  }
}
function tellRematch() {
  const result = root.querySelector(".result");
  if (!result || wanted?.id !== match?.id) return;             // the last cards still turn over: the result will tell
  result.querySelector("[data-testid=rematch]").textContent = t("rematch.yes");
  result.querySelector("[data-testid=rematch-asked]").replaceChildren(el("strong", {}, wanted.title));
  frond.haptic("warning");
}
function onConnection(online) {
  document.body.classList.toggle("offline", !online);
  table?.connection(online);
}

function endText({ stake, net }) { return stake === "0" ? t("no_coins") : `${signed(net)} ${mode.asset}`; }
const signed = (net) => `${net.startsWith("-") ? "" : "+"}${amountText(net)}`;

// ---- the result

function showResult(ended, event) {
  if (root.querySelector(".result")) return;
  const { seat, players, view } = ended, foe = players[2 - seat], who = called(foe), mine = view.score[seat - 1], theirs = view.score[2 - seat];
  const voided = !event.places || event.places.length === 0;
  const draw = !voided && event.places.length === 1 && event.places[0].length > 1, won = !voided && !draw && event.places[0].includes(seat);
  const outcome = voided ? "cancelled" : draw ? "draw" : won ? "won" : "lost";
  const why = voided ? "why.cancelled" : `why.${event.reason}.${outcome}`;
  const net = event.net ?? "0", burned = ended.stake !== "0" && !voided && !draw && (mode.rake?.burn ?? 0) > 0;       // the shell follows it onto the chain
  const money = ended.stake === "0" ? t("friendly") : voided || draw ? t("returned") : `${signed(net)} ${ended.asset}`;
  const panel = el("div", { class: `result ${voided ? "draw" : outcome}`, role: "dialog", "aria-modal": "true", "aria-labelledby": "result-title", "aria-describedby": "result-text", "data-testid": "result" },
    el("div", { class: "panel" },
      el("h1", { id: "result-title", "data-testid": "result-title" }, t(outcome, { who })),
      el("div", { id: "result-text", role: "status" },
        el("p", { class: "final" }, el("span", { class: "sr" }, t("score.final", { mine, theirs, who })), el("span", { "aria-hidden": "true" }, `${mine} : ${theirs}`)),
        knows(why) && el("p", { class: "lead" }, t(why, { who })),
        el("p", { class: ended.stake === "0" ? "lead" : "money", "data-testid": "result-net", "data-net": net }, money)),
      el("p", { class: "asked", role: "status", "data-testid": "rematch-asked" }),
      el("button", { class: "primary", "data-testid": "rematch", onclick: () => again(ended, foe) }, t(foe.bot ? "again" : "rematch")),
      el("button", { class: "secondary", "data-testid": "leave", onclick: () => showLobby() }, t("leave")),
      burned && el("button", { class: "secondary", "data-testid": "receipt", onclick: () => frond.match.receipt(ended.id) }, t("receipt")),
      fairness(event)));
  panel.addEventListener("keydown", (pressed) => { if (pressed.key === "Escape") showLobby(); });
  table.element.inert = true;          // behind the dialog nothing can be reached
  root.append(panel);
  panel.querySelector("[data-testid=rematch]").focus();
  frond.haptic(won ? "success" : draw ? "light" : "error");
  tellRematch();
}

function again(ended, foe) {
  find(foe.bot ? { stake: "0", bot: true } : { stake: ended.stake, with: ended.id }, t("waiting.again", { who: called(foe) }));
}

// The shell compared the revealed seed with what the host had committed to before it knew ours.
function fairness(event) {
  const fact = (name, value, test = {}) => [el("dt", {}, t(name)), el("dd", test, value ?? "")];
  return el("details", { class: event.dealt_fairly === false ? "fairness bad" : "fairness", "data-testid": "fairness" },
    el("summary", {}, t(`fair.${event.dealt_fairly ?? null}`)), el("p", {}, t("fair.about")),
    el("dl", {}, fact("fair.promise", event.fairness?.commit), fact("fair.secret", event.fairness?.server_seed), fact("fair.hash", event.hash, { "data-testid": "hash" })));
}
