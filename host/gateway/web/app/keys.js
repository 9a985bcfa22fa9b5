// keys.js: keys with which the player's own programs use the host's models. A key is shown once, when it is made.
import { html, useEffect, useRef, useState } from "/app/lib/htm-preact.mjs";
import { problem, t, when } from "/app/i18n.js";
import { List, load } from "/app/lists.js";
import { Icon } from "/app/parts.js";
import { toast } from "/app/state.js";

export function Keys({ host }) {
  const [name, setName] = useState(""), [made, setMade] = useState(null), [error, setError] = useState(null), [busy, setBusy] = useState(false);
  useEffect(() => { queueMicrotask(() => load("keys")); }, []);       // whoever draws from inside an effect has that effect run again
  async function make(event) {
    event.preventDefault();
    if (busy || !name.trim()) return;
    setBusy(true);
    setError(null);
    try {
      setMade(await host.api("POST", "/v1/keys", { name: name.trim() }));
      setName("");
      load("keys");
    } catch (refused) { setError(refused); }
    setBusy(false);
  }
  async function revoke(one) {
    try {
      await host.api("DELETE", `/v1/keys/${encodeURIComponent(one.id)}`);
      if (made?.id === one.id) setMade(null);
      toast(t("keys.revoked", { name: one.name }));
    } catch (refused) { toast(problem(refused)); }
    await load("keys");
    document.querySelector("[data-testid=revoke-key], [data-testid=key-name]")?.focus();
  }
  return html`<section aria-label=${t("ask.keys")}><p class="hint">${t("keys.about")}</p>
    <p class="small"><code class="code">${location.origin}/v1</code></p>
    ${made && html`<${Made} made=${made} onDone=${() => setMade(null)} />`}
    <form class="row" onSubmit=${make}><input class="field" maxlength="40" required data-testid="key-name" aria-label=${t("keys.name")} placeholder=${t("keys.name")} value=${name} onInput=${(event) => setName(event.target.value)} />
      <button class="button" data-testid="key-make" disabled=${busy || !name.trim()}>${t("keys.make")}</button></form>
    ${error && html`<p class="problem small" role="alert" data-testid="key-problem">${problem(error)}</p>`}
    <${List} name="keys" testid="keys" empty=${html`<p class="hint empty" data-testid="keys-none">${t("keys.none")}</p>`} row=${(one) => html`<${Row} key=${one.id} one=${one} onRevoke=${() => revoke(one)} />`} /></section>`;
}

function Made({ made, onDone }) {
  const field = useRef(null), [copied, setCopied] = useState(null);
  useEffect(() => { field.current?.focus(); field.current?.select(); }, []);
  async function copy() {
    try { await navigator.clipboard.writeText(made.key); setCopied(true); } catch { field.current.select(); setCopied(false); }
  }
  return html`<div class="card note" data-testid="key-made"><${Icon} name="key" /><div class="grow"><strong>${t("keys.made")}</strong><p class="hint small">${t("keys.once")}</p>
    <input class="field wide" readonly ref=${field} data-testid="key-text" aria-label=${t("keys.key")} value=${made.key} />
    <div class="row"><button class="button" data-testid="key-copy" onClick=${copy}>${t("keys.copy")}</button><button class="button quiet" data-testid="key-done" onClick=${onDone}>${t("keys.done")}</button></div>
    <p class="hint small" role="status">${copied === null ? "" : t(copied ? "share.copied" : "share.by_hand")}</p></div></div>`;
}

function Row({ one, onRevoke }) {
  const [sure, setSure] = useState(false);
  return html`<li><span><strong data-plain>${one.name}</strong> <code class="code">…${one.mark}</code><br /><span class="hint small">${t(one.last_used_at ? "keys.used" : "keys.unused", { date: when(one.last_used_at ?? one.created_at) })}</span></span>
    ${sure ? html`<button class="button danger" data-testid="revoke-key-sure" onClick=${onRevoke} onBlur=${() => setSure(false)}>${t("keys.sure")}</button>`
    : html`<button class="button quiet danger" data-testid="revoke-key" aria-label=${t("keys.revoke_one", { name: one.name })} onClick=${() => setSure(true)}>${t("keys.revoke")}</button>`}</li>`;
}
