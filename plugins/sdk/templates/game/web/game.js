// game.js: the page of My Plugin: lobby, table, result. It proposes moves; the host decides, and the page draws what it is told.
import { connect, formatUnits } from "/sdk/frond.js";

const MODE = "classic";
const REFUSALS = { consent_refused: "No coins moved.", funds: "Not enough coins.", not_in_hand: "You do not hold that card." };
const root = document.getElementById("app");
let frond, mode, ticket = null, clock = 0;

start();

async function start() {
  try { frond = await connect(); } catch { return show(text("p", "This page works inside Frond only.")); }
  mode = frond.info.game?.modes?.find((one) => one.id === MODE) ?? { id: MODE, asset: "PALM", stakes: ["0"] };
  frond.on("view", (match) => { if (!match.end) drawTable(match); });
  frond.on("end", drawResult);
  const running = frond.info.matches?.at(-1);
  if (running && (await frond.match.resume(running.id)).ok && frond.matches.size > 0) return;
  drawLobby();
}

// ---- screens

function drawLobby(notice = "") {
  show(text("h1", "My Plugin"), text("p", "Five cards each. The higher one takes the round, and a 1 beats a 5."), text("p", notice, { role: "status" }),
    ...mode.stakes.map((stake) => button(stake === "0" ? "Find an opponent" : `Play for ${formatUnits(stake)} ${mode.asset}`, () => find({ stake }), { testid: `find-${stake}` })),
    button("Play against the bot", () => find({ stake: "0", bot: true }), { quiet: true, testid: "bot" }));
}

async function find(ask) {
  show(text("h1", ask.bot ? "The bot sits down…" : "Looking for an opponent…", { role: "status" }), button("Cancel", cancel, { quiet: true }));
  const reply = await frond.match.find({ mode: MODE, ...ask });
  if (!reply.ok) return drawLobby(REFUSALS[reply.code] ?? reply.detail);
  ticket = reply.value.ticket;
}

function cancel() {
  if (ticket) frond.match.leaveQueue(ticket);
  drawLobby();
}

function drawTable(match) {
  const { view, seat, players } = match, foe = players[2 - seat].name;
  const cards = [1, 2, 3, 4, 5].map((card) => {
    const one = button(String(card), () => play(match, card), { testid: `card-${card}` });
    one.disabled = view.card !== undefined || !view.hand.includes(card);
    one.classList.toggle("chosen", view.card === card);
    return one;
  });
  const status = view.card !== undefined ? `Waiting for ${foe}…` : view.other_chose ? `${foe} has chosen. Your turn.` : "Choose a card.";
  const left = text("p", "");
  show(text("p", `You against ${foe}, round ${Math.min(view.round, 5)} of 5`), text("div", score(match), { class: "score" }), text("p", status, { role: "status" }),
    hand(cards), left, history(match), button("Give up", () => frond.match.leave(match.id), { quiet: true, end: true }));
  const tick = () => { if (view.ends_ms) left.textContent = `${Math.max(0, Math.ceil((view.ends_ms - frond.now()) / 1000))} s`; };
  tick();
  clock = setInterval(tick, 500);
}

async function play(match, card) {
  frond.haptic("light");
  const reply = await frond.match.input(match.id, "play", { card });
  if (!reply.ok) root.querySelector("[role=status]").textContent = REFUSALS[reply.code] ?? reply.detail;
}

function drawResult(match, end) {
  const draw = end.places?.length === 1, won = !draw && end.places?.[0]?.includes(match.seat);
  const money = match.stake === "0" ? "No coins moved." : end.net === "0" ? "Your stake came back." : `${formatUnits(end.net)} ${match.asset}`;
  frond.haptic(won ? "success" : "warning");
  show(text("h1", !end.places?.length ? "Match cancelled" : draw ? "A draw" : won ? "You won!" : "You lost", { role: "alert", testid: "result" }),
    text("div", score(match), { class: "score" }), text("p", money), history(match), button("Again", () => drawLobby(), { testid: "again" }));
}

// ---- pieces; text is always text

const score = ({ view, seat }) => `${view.score[seat - 1]} : ${view.score[2 - seat]}`;

function history({ view, seat }) {
  const list = document.createElement("ol");
  for (const { cards, winner } of view.history) list.append(text("li", `${cards[seat - 1]} against ${cards[2 - seat]}: ${winner === 0 ? "nobody" : winner === seat ? "yours" : "theirs"}`));
  return list;
}

function hand(cards) {
  const row = document.createElement("div");
  row.className = "hand";
  row.append(...cards);
  return row;
}

function text(tag, words, { role, class: name, testid } = {}) {
  const node = document.createElement(tag);
  node.textContent = words;
  if (role) node.setAttribute("role", role);
  if (name) node.className = name;
  if (testid) node.dataset.testid = testid;
  return node;
}

function button(words, onclick, { quiet, end, testid } = {}) {
  const node = text("button", words, { testid, class: [quiet && "quiet", end && "end"].filter(Boolean).join(" ") });
  node.onclick = onclick;
  return node;
}

function show(...nodes) {
  clearInterval(clock);
  root.replaceChildren(...nodes);
}
