// tryit.js: a small form for an ability that takes a text: it calls the plugin "abilities", which hands the text to the model core and streams what it says.
import { html, useState } from "/app/lib/htm-preact.mjs";
import { language, problem, t } from "/app/i18n.js";

const TEXT_CHARS_MAX = 500;

/** @param {{id: "task" | "assess" | "translate", ready: boolean, host: import("./host.js").Host}} props */
export function TryIt({ id, ready, host }) {
  const [open, setOpen] = useState(false), [text, setText] = useState(""), [said, setSaid] = useState(null), [busy, setBusy] = useState(false);
  async function go(event) {
    event.preventDefault();
    if (busy || !text.trim()) return;
    setBusy(true);
    setSaid({ text: "", facts: [] });
    let heard = "";
    try {
      const answer = await host.request("call", { plugin: "abilities", fn: id, args: { text: text.trim(), lang: language } }, { onStream: (part) => { if (part.text) setSaid({ text: heard += part.text, facts: [] }); } });
      setSaid({ text: answer.text ?? heard, facts: answer.facts ?? [], abstained: answer.abstained === true });
    } catch (error) { setSaid({ text: heard, facts: [], error }); }
    setBusy(false);
  }
  if (!open) return html`<button class="button quiet" data-testid=${`try-${id}`} disabled=${!ready} onClick=${() => { setOpen(true); setText(t(`ability.${id}.try`)); }}>${t("abilities.try")}</button>`;
  return html`<form class="try" onSubmit=${go}><textarea class="field wide" rows="2" maxlength=${TEXT_CHARS_MAX} data-testid=${`try-${id}-text`} aria-label=${t(`ability.${id}.label`)} value=${text} onInput=${(event) => setText(event.target.value)}></textarea>
    <button class="button" data-testid=${`try-${id}-go`} disabled=${busy || !ready || !text.trim()}>${t(busy ? "ask.coming" : "abilities.go")}</button>
    <div role="status" aria-busy=${busy} data-testid=${`try-${id}-said`} data-state=${busy ? "coming" : said ? (said.error ? "failed" : "said") : ""}>${said && html`
      ${said.abstained && html`<p class="small"><strong>${t("abilities.abstained")}</strong></p>`}
      ${said.text && html`<p class="words" data-plain>${said.text}</p>`}
      ${said.facts.map(([name, value]) => html`<p class="hint small"><span data-plain>${name}</span>: <span data-plain>${value}</span></p>`)}
      ${said.error && html`<p class="problem small">${problem(said.error)}</p>`}`}</div></form>`;
}
