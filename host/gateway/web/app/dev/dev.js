// dev.js: two players side by side, what the host is doing meanwhile, and buttons that hurt it. Exists under --dev only.
import { html, render } from "/app/lib/htm-preact.mjs";
import { Chain, noticeChain, pressChain } from "/app/dev/chain.js";

const STATUS_MS = 1000, HEALTH_MS = 250, SAMPLES = 160, LOG_MAX = 60, ASK_MS = 2000, HOSTILE_MS = 60000;
const PLAYERS = ["Ann", "Ben"], WATCHER = "Cem";

let state = { status: null, up: null, samples: [], log: [], busy: null, stale: false };
let downSince = 0;
const seen = { hostPid: 0, workers: new Map(), matches: new Map(), sum: "0" };

function update(change) {
  state = { ...state, ...change };
  render(html`<${Page} ...${state} />`, document.getElementById("root"));
}
function say(kind, text) { update({ log: [{ at: new Date(), kind, text }, ...state.log].slice(0, LOG_MAX) }); }

async function ask(path, body, ms = ASK_MS) {
  const answer = await fetch(path, { method: body ? "POST" : "GET", cache: "no-store", signal: AbortSignal.timeout(ms),
    headers: body ? { "Content-Type": "application/json" } : {}, body: body && JSON.stringify(body) });
  const text = await answer.text();
  const value = text ? JSON.parse(text) : {};
  if (!answer.ok) throw new Error(value.detail ?? value.code ?? `HTTP ${answer.status}`);
  return value;
}

// ---- looking

async function watchHealth() {
  const begin = performance.now();
  let sample;
  try {
    await ask("/healthz");
    sample = performance.now() - begin;
    if (state.up === false) say("good", `The host answers again after ${((performance.now() - downSince) / 1000).toFixed(1)} s.`);
    if (!state.up) update({ up: true });
  } catch {
    sample = null;
    if (state.up !== false) {
      downSince = performance.now();
      say("bad", "The host does not answer.");
      update({ up: false });
    }
  }
  update({ samples: [...state.samples, sample].slice(-SAMPLES) });
  setTimeout(watchHealth, HEALTH_MS);
}

async function watchStatus() {
  try {
    const status = await ask("/v1/dev/status");
    notice(status);
    update({ status, stale: false });
  } catch {
    update({ stale: true });
  }
  setTimeout(watchStatus, STATUS_MS);
}

// Says in words what changed since the last look.
function notice({ host, workers, matches, ledger, chain, burn }) {
  noticeChain(seen, chain, burn, say);
  if (seen.hostPid && host.pid !== seen.hostPid) say("good", `A new host runs: process ${seen.hostPid} became ${host.pid}.`);
  seen.hostPid = host.pid;
  for (const worker of workers) {
    const before = seen.workers.get(worker.plugin);
    if (before && worker.pid && before.pid !== worker.pid) say("good", `The worker of ${worker.plugin} was replaced: process ${before.pid} became ${worker.pid}.`);
    if (before && before.state !== worker.state) say(worker.state === "up" ? "good" : "bad", `${worker.plugin} is ${worker.state}.`);
    seen.workers.set(worker.plugin, { pid: worker.pid || before?.pid, state: worker.state });
  }
  const now = new Map(matches.map((match) => [match.id, match]));
  for (const [id, match] of now) {
    const before = seen.matches.get(id);
    if (!before && (!seen.any || match.state === "ended")) continue;                  // it was there before we looked
    if (!before) say("plain", `Match ${short(id)} of ${match.game} is ${match.state}.`);
    else if (before.state !== match.state) say(match.state === "ended" ? "good" : "plain", `Match ${short(id)}: ${before.state}, now ${match.state}.`);
  }
  seen.any = true;
  for (const id of seen.matches.keys()) if (!now.has(id) && seen.matches.get(id).state !== "ended") say("good", `Match ${short(id)} has ended and was settled.`);
  seen.matches = now;
  if (ledger.sum !== seen.sum) say(ledger.sum === "0" ? "good" : "bad", `The sum over all accounts is ${ledger.sum}.`);
  seen.sum = ledger.sum;
}

// ---- hurting

async function kill(what, plugin) {
  update({ busy: what });
  say("act", what === "host" ? "You killed the host (SIGKILL)." : `You killed the worker of ${plugin} (SIGKILL).`);
  try { await ask("/v1/dev/kill", what === "host" ? { what } : { what, plugin }); }
  catch (error) { if (what !== "host") say("bad", `It was not killed: ${error.message}`); }      // a killed host need not answer
  update({ busy: null });
}
async function press(what) {
  update({ busy: what });
  await pressChain(what, ask, say);
  update({ busy: null });
}
async function hostile() {
  update({ busy: "hostile" });
  say("act", "You started a plugin that loops, eats memory and floods.");
  try {
    const { outcome } = await ask("/v1/dev/hostile", {}, HOSTILE_MS);
    for (const line of lines(outcome)) say(line.bad ? "bad" : "good", line.text);
  } catch (error) { say("bad", `No outcome: ${error.message}`); }
  update({ busy: null });
}
function lines(outcome) {
  if (Array.isArray(outcome)) return outcome.flatMap(lines);
  if (typeof outcome !== "object" || outcome === null) return [{ text: String(outcome) }];
  const { name, how, contained } = outcome;
  if (name) return [{ text: `${contained ? "Contained" : "NOT CONTAINED"}: ${name}. ${how ?? ""}`, bad: !contained }];
  return Object.entries(outcome).map(([key, value]) => ({ text: `${key.replaceAll("_", " ")}: ${typeof value === "object" ? JSON.stringify(value) : value}` }));
}

// ---- drawing

const short = (id) => id.slice(-6);
const mib = (bytes) => `${(bytes / 1048576).toFixed(1)} MiB`;
function ago(ms) {
  const s = Math.floor(ms / 1000);
  return s < 90 ? `${s} s` : s < 5400 ? `${Math.floor(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;
}

function Page(props) {
  return html`
    <header>
      <img src="/app/icon.svg" width="44" height="44" alt="" />
      <div><h1>Two players, one host</h1>
        <p>Play the duel on both phones. Kill something in the middle. The match goes on, pays once, and no coin is lost.</p></div>
    </header>
    <main>
      <section class="phones" aria-label="Players">${PLAYERS.map((name) => html`
        <figure key=${name}><figcaption>${name}</figcaption><iframe class="phone" title=${`${name}'s phone`} data-testid=${`phone-${name}`} src=${`/app/?as=${name}&game=duel`}></iframe></figure>`)}
      </section>
      <aside>
        <${Actions} ...${props} />
        <${Lights} ...${props} />
        <${Chain} chain=${props.status?.chain} stale=${props.stale} busy=${props.busy} up=${props.up} press=${press} />
        <${Workers} ...${props} />
        <${Running} ...${props} />
        <${Log} ...${props} />
      </aside>
    </main>`;
}

function Actions({ busy, up, status }) {
  const plugin = status?.workers.some((one) => one.plugin === "duel") ? "duel" : status?.workers[0]?.plugin;
  return html`<section class="actions" aria-label="Hurt it">
    <button data-testid="kill-worker" disabled=${busy || !up || !plugin} onClick=${() => kill("worker", plugin)}><b>Kill worker</b><small>the process that runs the game</small></button>
    <button data-testid="kill-host" disabled=${busy || !up} onClick=${() => kill("host")}><b>Kill host</b><small>everything; make run restarts it</small></button>
    <button data-testid="hostile" disabled=${busy || !up} onClick=${hostile}><b>${busy === "hostile" ? "Running…" : "Run hostile plugin"}</b><small>loops, eats memory, floods</small></button>
  </section>`;
}

function Lights({ up, samples, status, stale }) {
  const good = samples.filter((one) => one !== null).sort((a, b) => a - b);
  const median = good[Math.floor(good.length / 2)], last = samples.at(-1);
  const balanced = status?.ledger.sum === "0";
  return html`<section class="lights">
    <div class=${`light ${up === false ? "red" : up ? "green" : ""}`} data-testid="light-host"><span class="lamp" aria-hidden="true"></span>
      <div><b>${up === false ? "Host is down" : up ? "Host is up" : "Looking…"}</b>
        <small>${status && up ? `process ${status.host.pid}, ${ago(status.host.uptime_ms)}, ${mib(status.host.rss_bytes)}` : "waiting for it to come back"}</small></div>
      <div class="latency"><${Sparkline} samples=${samples} /><small>/healthz ${last === null || last === undefined ? "–" : `${last.toFixed(1)} ms`}${median ? `, median ${median.toFixed(1)}` : ""}</small></div></div>
    <div class=${`light ${!status || stale ? "" : balanced ? "green" : "red"}`} data-testid="light-ledger"><span class="lamp" aria-hidden="true"></span>
      <div><b>${!status ? "Ledger" : balanced ? "No coin made, none lost" : `The books are off by ${status.ledger.sum}`}</b>
        <small>sum over all accounts: <span data-testid="ledger-sum">${status?.ledger.sum ?? "–"}</span>, ${status?.ledger.entries ?? 0} journal entries</small></div></div>
  </section>`;
}

function Sparkline({ samples }) {
  const sorted = samples.filter((one) => one !== null).sort((a, b) => a - b);
  const top = Math.max(5, (sorted[Math.floor(sorted.length * 0.97)] ?? 0) * 1.2);     // one slow first answer must not flatten the rest
  const points = samples.map((one, i) => [i * (150 / (SAMPLES - 1)), one === null ? null : 34 - Math.min(1, one / top) * 30]);
  return html`<svg viewBox="0 0 150 36" class="spark" role="img" aria-label="Latency of the last samples">
    ${points.map(([x, y]) => y === null && html`<rect class="gap" x=${x - 0.6} y="0" width="1.4" height="36" />`)}
    <polyline points=${points.filter(([, y]) => y !== null).map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")} /></svg>`;
}

function Workers({ status, stale }) {
  return html`<section class=${stale ? "stale" : ""}><h2>Workers <small>one sandboxed process per plugin</small></h2>
    <table><thead><tr><th>plugin</th><th>state</th><th>process</th><th>CPU</th><th>memory</th><th>restarts</th></tr></thead>
    <tbody data-testid="workers">${(status?.workers ?? []).map((one) => html`<tr key=${one.plugin}><td>${one.plugin}</td><td class=${one.state === "up" ? "good" : "bad"}>${one.state}</td>
      <td>${one.pid || "–"}</td><td>${(one.cpu_ms / 1000).toFixed(2)} s</td><td>${mib(one.rss_bytes)}</td><td>${one.restarts}</td></tr>`)}</tbody></table></section>`;
}

function Running({ status, stale }) {
  const over = (match) => (match.state === "ended" ? 1 : 0);
  const matches = [...(status?.matches ?? [])].sort((a, b) => over(a) - over(b) || (a.id < b.id ? 1 : -1));      // running first, then newest first
  return html`<section class=${stale ? "stale" : ""}><h2>Matches <small>the hash covers the state and everything sent</small></h2>
    ${matches.length === 0 ? html`<p class="hint">None is running. Choose the same stake on both phones.</p>` : html`<table><thead><tr><th>match</th><th>state</th><th>records</th><th>state hash</th><th><span class="sr">watch</span></th></tr></thead>
    <tbody data-testid="matches">${matches.slice(0, 8).map((one) => html`<tr key=${one.id}><td title=${one.id}>${one.game} ${short(one.id)}</td><td>${one.state}</td><td>${one.records}</td><td class="hash" title=${one.hash}>${(one.hash ?? "").slice(0, 12)}…</td>
      <td>${!over(one) && html`<a href=${`/app/?as=${WATCHER}#watch=${one.id}`} target="_blank" data-testid="watch" title=${`Watch it as ${WATCHER}, in a new tab`}>watch</a>`}</td></tr>`)}</tbody></table>`}</section>`;
}

function Log({ log }) {
  return html`<section class="log"><h2>What happened</h2><ol role="log" data-testid="log">${log.length === 0 ? html`<li class="hint">Nothing yet.</li>` : log.map((one) => html`
    <li class=${one.kind}><time>${one.at.toLocaleTimeString([], { hour12: false })}</time> ${one.text}</li>`)}</ol></section>`;
}

update({});
watchHealth();
watchStatus();
