// abilities.js: what the model core can do, each ability with the published system it follows. What Google published of those systems is told as that: none of
// them runs here.
import { html } from "/app/lib/htm-preact.mjs";
import { language, t } from "/app/i18n.js";
import { Icon } from "/app/parts.js";
import { TryIt } from "/app/tryit.js";

// `here`: it can be called by plugins; `how`: what "try it" does: the chat with a first sentence, a form, or a game.
const ABILITIES = [
  { id: "chat", here: true, how: "chat", follows: "PaLM" },
  { id: "json", here: true, how: "quiz", follows: "PaLM" },
  { id: "task", here: true, how: "form", follows: "PaLM" },
  { id: "assess", here: true, how: "form", follows: "Med-PaLM" },
  { id: "translate", here: true, how: "form", follows: "PaLM 2" },
  { id: "search", here: true, follows: "PaLM 2" },
  { id: "tools", here: true, follows: "PaLM 2" },
  { id: "pools", here: true, follows: "Pathways" },
  { id: "speech", here: false, follows: "AudioPaLM" },
  { id: "vision", here: false, follows: "PaLM-E" },
  { id: "act", here: false, follows: "PaLM-E" },
];

// Of the systems, as Google published it.
const SYSTEMS = [
  { name: "PaLM", date: "2022-04-04", facts: ["palm.size", "palm.chips", "palm.api"] },
  { name: "Pathways", date: "2021-10-28", facts: ["pathways.idea"] },
  { name: "Med-PaLM", date: "2022-12-26", facts: ["medpalm.score", "medpalm.two"] },
  { name: "PaLM-E", date: "2023-03-06", facts: ["palme.size"] },
  { name: "PaLM 2", date: "2023-05-10", facts: ["palm2.languages"] },
  { name: "AudioPaLM", date: "2023-06-22", facts: ["audiopalm.what"] },
];

const day = (date) => new Date(`${date}T12:00:00Z`).toLocaleDateString(language, { dateStyle: "long" });

export function Abilities({ model, host, games, onPlay, onTry }) {
  const ready = Boolean(model?.ready);
  return html`<section aria-label=${t("ask.abilities")}><p class="hint">${t("abilities.about")}</p>
    <ul class="abilities" data-testid="abilities">${ABILITIES.map((one) => html`<li class="card ability" data-testid=${`ability-${one.id}`} key=${one.id}>
      <div class="grow"><h3>${t(`ability.${one.id}`)} ${!one.here && html`<span class="badge">${t("abilities.later")}</span>`}</h3><p class="hint small">${t(`ability.${one.id}.about`)}</p>
        <p class="small follows"><${Icon} name="book" /> ${t("abilities.follows")} <span data-plain>${one.follows}</span></p>
        <${Way} one=${one} ready=${ready} games=${games} host=${host} onPlay=${onPlay} onTry=${onTry} /></div></li>`)}</ul>
    <h2 class="head">${t("abilities.systems")}</h2>
    <p class="not-here" data-testid="not-here"><${Icon} name="alert" /> ${t("abilities.not_here")}</p>
    <ul class="list systems" data-testid="systems">${SYSTEMS.map((one) => html`<li key=${one.name}><span><strong data-plain>${one.name}</strong> <span class="badge">${t("abilities.published")}</span><br /><span class="hint small">${day(one.date)}</span>
      ${one.facts.map((fact) => html`<br /><span class="small">${t(`fact.${fact}`)}</span>`)}</span></li>`)}</ul></section>`;
}

function Way({ one, ready, games, host, onPlay, onTry }) {
  const quiz = games.find((game) => game.id === "quiz");
  if (!one.here || !one.how) return null;
  if (one.how === "chat") return html`<button class="button quiet" data-testid="try-chat" disabled=${!ready} onClick=${() => onTry(t("ability.chat.try"))}>${t("abilities.try")}</button>`;
  if (one.how === "quiz") return quiz ? html`<button class="button quiet" data-testid="try-json" onClick=${() => onPlay("quiz")}>${t("ability.json.try")}</button>` : null;
  return html`<${TryIt} id=${one.id} ready=${ready} host=${host} games=${games} />`;
}
