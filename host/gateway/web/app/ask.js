// ask.js: the section "Ask": talking with the model, what the model core can do and after which published system, and keys for programs.
import { html, useEffect, useRef, useState } from "/app/lib/htm-preact.mjs";
import { Abilities } from "/app/abilities.js";
import { knows, problem, t } from "/app/i18n.js";
import { Keys } from "/app/keys.js";
import { Icon } from "/app/parts.js";
import { state, update } from "/app/state.js";
import { Talk } from "/app/talk.js";

const LOOK_MS = 4000, LOOK_SOON_MS = 1500;       // how often it is asked whether there is a model: sooner while one is being built
const VIEWS = { chat: Chat, abilities: Abilities, keys: Keys };

let host, talk;
/** @param {import("./host.js").Host} theHost */
export function askOf(theHost) {
  host = theHost;
  talk = new Talk(theHost, () => update({}));
}

// What GET /v1/llm says, as long as this is on the screen.
function useModel() {
  const [model, setModel] = useState(null);
  useEffect(() => {
    let over = false, timer = 0;
    async function look() {
      let found;
      try { found = await host.api("GET", "/v1/llm"); } catch (error) { found = { ready: false, models: [], engine: null, error }; }
      if (over) return;
      setModel(found);
      timer = setTimeout(look, found.ready ? LOOK_MS : LOOK_SOON_MS);
    }
    look();
    return () => { over = true; clearTimeout(timer); };
  }, []);
  return model;
}

/** @param {{onPlay: (game: string) => void}} props */
export function Ask(props) {
  const model = useModel(), view = VIEWS[state.asking] ? state.asking : "chat", View = VIEWS[view];
  return html`<div class="views" role="group" aria-label=${t("ask.views")}>${Object.keys(VIEWS).map((id) => html`<button class="button quiet" aria-pressed=${view === id} data-testid=${`ask-${id}`} onClick=${() => update({ asking: id })}>${t(`ask.${id}`)}</button>`)}</div>
    <${View} ...${props} model=${model} host=${host} onTry=${(text) => { update({ asking: "chat", draft: text }); }} />`;
}

function modelText(model) {
  if (!model) return t("loading");
  if (model.error) return problem(model.error);
  if (model.ready) return t("ask.ready", { model: model.models.find((one) => one.default)?.id ?? model.models[0]?.id ?? "" });
  const { state: stage, done, of, detail } = model.engine ?? {};
  if (stage === "building" && of) return t("ask.engine.building", { done, of });
  if (stage === "failed") return t("ask.engine.failed", { why: detail ?? "" });
  return t(stage && knows(`ask.engine.${stage}`) ? `ask.engine.${stage}` : "ask.none");
}

// How it is with the model: in words, and as a bar while it is being built.
function ModelState({ model }) {
  const engine = model && !model.ready ? model.engine : null, share = engine?.of > 0 ? engine.done / engine.of : null;
  return html`<div class="model-state" data-testid="model-state" data-ready=${String(Boolean(model?.ready))} data-engine=${engine?.state ?? ""}>
    <span class=${model?.ready ? "lamp on" : "lamp"} aria-hidden="true"></span><span role="status">${modelText(model)}</span>
    ${model?.budget && html`<span class="budget" data-testid="ask-budget">${t("ask.budget", { n: model.budget.tokens_left })}</span>`}
    ${share !== null && html`<span class="meter" aria-hidden="true"><span style=${{ width: `${Math.round(share * 100)}%` }}></span></span>`}</div>`;
}

function Chat({ model }) {
  const end = useRef(null), field = useRef(null), log = talk.messages, last = log.at(-1);
  const [draft, setDraft] = useState(""), [chosen, setChosen] = useState("");
  useEffect(() => {
    if (!state.draft) return;
    setDraft(state.draft);
    field.current?.focus();
    queueMicrotask(() => update({ draft: "" }));
  }, [state.draft]);
  // What is being said stays in sight, unless the reader has gone back.
  useEffect(() => {
    const page = end.current?.closest(".page");
    if (page && page.scrollHeight - page.scrollTop - page.clientHeight < 160) page.scrollTop = page.scrollHeight;
  }, [log.length, last?.text]);
  const names = (model?.models ?? []).filter((one) => !one.can || one.can.includes("chat")).map((one) => one.id);
  const which = names.includes(chosen) ? chosen : undefined;
  function send(event) {
    event?.preventDefault();
    if (talk.busy || !draft.trim() || !model?.ready) return;
    talk.ask(draft, which);
    setDraft("");
    requestAnimationFrame(() => end.current?.scrollIntoView({ block: "end" }));
  }
  // Enter sends; with Shift, and while a Korean syllable is being put together, it does not.
  const key = (event) => { if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event); };
  return html`<section class="chat" aria-label=${t("ask.chat")}>
    <${ModelState} model=${model} />
    ${log.length === 0 && html`<div class="card note"><${Icon} name="ask" /><div><strong>${t("ask.empty")}</strong><p class="hint small">${t("ask.empty_text")}</p></div></div>`}
    <ol class="talk" data-testid="talk" aria-label=${t("ask.talk")}>${log.map((one, i) => html`<${Said} key=${i} one=${one} last=${i === log.length - 1} model=${which} />`)}</ol>
    <div class="sr" role="status" aria-live="polite" data-testid="talk-said">${last?.role === "assistant" && last.state !== "coming" ? html`<span data-plain>${last.text}</span>` : last?.state === "coming" ? t("ask.coming") : ""}</div>
    <form class="say" onSubmit=${send}>
      ${names.length > 1 && html`<select class="field" aria-label=${t("ask.model")} data-testid="ask-model" value=${which ?? names[0]} onChange=${(event) => setChosen(event.target.value)}>${names.map((name) => html`<option value=${name}>${name}</option>`)}</select>`}
      <textarea class="field" rows="2" maxlength="4000" ref=${field} data-testid="ask-text" aria-label=${t("ask.text")} placeholder=${t("ask.text")} value=${draft} onInput=${(event) => setDraft(event.target.value)} onKeyDown=${key}></textarea>
      ${talk.busy ? html`<button type="button" class="button" key="stop" data-testid="ask-stop" onClick=${() => talk.stop()}><${Icon} name="stop" /> ${t("ask.stop")}</button>`
    : html`<button class="button" key="send" data-testid="ask-send" disabled=${!draft.trim() || !model?.ready}>${t("ask.send")}</button>`}
    </form>
    ${log.length > 0 && !talk.busy && html`<button class="button plain" data-testid="ask-clear" onClick=${() => { talk.clear(); field.current?.focus(); }}>${t("ask.clear")}</button>`}
    <p class="hint small">${t("ask.note")}</p><div ref=${end}></div></section>`;
}

function Said({ one, last, model }) {
  return html`<li class=${one.role} data-state=${one.state}><span class="sr">${t(one.role === "user" ? "ask.you" : "ask.it")}</span>
    ${one.text && html`<p class="words" data-plain>${one.text}</p>`}
    ${one.state === "coming" && html`<span class="typing" aria-hidden="true"><i></i><i></i><i></i></span>`}
    ${one.state === "stopped" && html`<p class="hint small">${t("ask.stopped")}</p>`}
    ${one.state === "failed" && html`<p class="problem small" role="alert" data-testid="ask-problem">${problem(one.error)}${one.error.retry_after ? ` ${t("ask.later", { n: one.error.retry_after })}` : ""}</p>`}
    ${last && (one.state === "failed" || one.state === "stopped") && html`<button class="button quiet" data-testid="ask-again" onClick=${() => talk.again(model)}>${t("retry")}</button>`}</li>`;
}
