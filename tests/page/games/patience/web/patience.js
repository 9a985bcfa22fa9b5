// patience.js: shows what was said; tests speak through `window.say`. Answers of moves are kept, so that a test can see each of them.
import { connect } from "/sdk/frond.js";

const of = (id) => document.getElementById(id);
const frond = await connect();
let match = null;
window.answers = [];
window.queued = [];
frond.on("view", (changed) => {
  match = changed;
  of("match").textContent = match.id;
  of("said").replaceChildren(...match.view.said.map(({ seat, word }) => Object.assign(document.createElement("li"), { textContent: `${seat === match.seat ? "me" : "you"} ${word}` })));
});
frond.on("connection", (online) => { of("status").textContent = online ? "online" : "away"; });
frond.on("match.queue", (event) => window.queued.push(event.error));
const find = async (ask) => { const reply = await frond.match.find({ mode: "talk", stake: "0", ...ask }); of("status").textContent = reply.ok ? "waiting" : reply.code; };
of("find").onclick = () => find({});
of("bot").onclick = () => find({ bot: true });
window.say = async (word, still) => { window.answers.push([word, (await frond.match.input(match.id, "say", { word }, still ? { still: () => true } : {})).code ?? "ok"]); };
const running = frond.info.matches.at(-1);
if (running) await frond.match.resume(running.id);
of("status").textContent = of("status").textContent || "ready";
