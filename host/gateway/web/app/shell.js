// shell.js: the Mini App shell: sign-in, the connection, approvals, and what people do. Screens are in screens.js, what is known in state.js;
// whatever a person or a plugin typed is shown as text.
import { html, render } from "/app/lib/htm-preact.mjs";
import { accountOf } from "/app/account.js";
import { askOf } from "/app/ask.js";
import { SupplySheet } from "/app/burns.js";
import { walletOf } from "/app/wallet.js";
import { MatchSheet } from "/app/history.js";
import { Host } from "/app/host.js";
import { speak, t } from "/app/i18n.js";
import { keepFor } from "/app/kept.js";
import { forget, listsFrom, load } from "/app/lists.js";
import { Matches } from "/app/matches.js";
import { assetOf } from "/app/parts.js";
import { Ended, Failure, Home, Outside, People, Replaced, Starting } from "/app/screens.js";
import { revealSeed } from "/app/seeds.js";
import { ApprovalSheet } from "/app/sheet.js";
import { drawWith, gameName, spectatorsOf, state, toast, update } from "/app/state.js";
import { languageOf, onEvent, postEvent, takeLaunch, themeOf } from "/app/telegram.js";
import { isolated } from "/sdk/i18n.js";
import { Tickets } from "/app/tickets.js";
import { ShareSheet } from "/app/watch.js";
import { Watching, watchedIn } from "/app/watching.js";

const PEOPLE = [{ id: 1001, first_name: "Ann" }, { id: 1002, first_name: "Ben" }, { id: 1003, first_name: "Cem" }];
const NAME_BYTES_MAX = 64;            // of a name that the development host takes
const RELOAD_MS = 2500;
const BLIP_MS = 500;                 // a line that is back within that was never gone, for a person
const LAUNCH = "frond.launch.";      // launch data of this tab, per name, so that a reload signs in again with the same
const LISTS = { wallet: ["journal"], history: ["history"], account: ["consents", "sessions"], games: [], ask: [] };

const host = new Host();
const matches = new Matches(host, () => update({}));
const tickets = new Tickets(host, matches, (plugin, event) => { if (state.playing === plugin) current?.send(event); });
const watching = new Watching(host, (watch) => update({ watch }), (event) => { if (state.watch) current?.send(event); });
const query = new URLSearchParams(location.search);
let themeParams = {};
let current = null;                   // the PluginFrame that is open
let wantsToWatch = watchedIn(location.hash);       // the match that the address, or the way here, names

listsFrom(host);
accountOf(host);
askOf(host);
walletOf(host);

// What screens may ask of the shell.
const shell = {
  matches, player: () => host.player, hurry: () => host.hurry(), play, leaveGame, openTab, watching, watch, leaveWatch,
  share: (match) => update({ sharing: match }),
  frameOpened: (frame) => { current = frame; },
  forPages: { host, matches, tickets, approve, receipt, online: () => state.online, theme: () => themeOf(themeParams), get player() { return host.player; } },
};

const SCREENS = { loading: Starting, people: People, outside: Outside, replaced: Replaced, ended: Ended, error: Failure, home: Home };
function App(props) {
  const { screen, approval, opened } = props, sharing = props.sharing && matches.running(props.playing).find((one) => one.id === props.sharing);
  return html`
    <${SCREENS[screen]} ...${props} shell=${shell} people=${PEOPLE} playAs=${(name) => playAs(personNamed(name))} />
    ${opened && !approval && html`<${MatchSheet} key=${opened.id} match=${opened} host=${host} onClose=${() => update({ opened: null })} />`}
    ${props.supply && !approval && html`<${SupplySheet} host=${host} onClose=${() => update({ supply: false })} />`}
    ${props.depositing && screen === "home" && !approval && html`<${props.depositing} host=${host} onClose=${() => update({ depositing: null })} />`}
    ${sharing && !approval && html`<${ShareSheet} match=${sharing.id} game=${gameName(sharing.game)} delayMs=${spectatorsOf(sharing).spectator_delay_ms} bot=${host.bot} onClose=${() => update({ sharing: null })} />`}
    ${approval && html`<${ApprovalSheet} need=${approval.need} asset=${assetOf(props.assets, approval.need.asset)}
      game=${props.games.find((one) => one.id === approval.need.plugin)} onAnswer=${answerApproval} />`}
    <div class=${props.toast ? "toast" : "sr"} role="status" data-testid="toast">${props.toast}</div>`;
}
drawWith((now) => render(html`<${App} ...${now} />`, document.getElementById("root")));

// ---- starting

async function start() {
  const launch = takeLaunch();
  if (launch) {
    sessionStorage.setItem(LAUNCH + "telegram", launch.initData);
    themeParams = launch.themeParams;
    wantsToWatch ??= watchedIn(launch.startParam);
  }
  const kept = sessionStorage.getItem(LAUNCH + "telegram");
  speak([languageOf(kept), ...navigator.languages]);
  applyTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
  onEvent(telegramEvent);
  addEventListener("hashchange", addressChanged);
  postEvent("web_app_ready");
  postEvent("web_app_expand");

  const name = query.get("as");
  if (name && !launch) return playAs(personNamed(name));
  if (kept) return signIn(kept, () => sessionStorage.removeItem(LAUNCH + "telegram"));
  update({ screen: await isDevelopment() ? "people" : "outside" });
}

async function isDevelopment() {
  try { return (await fetch("/v1/dev/status", { cache: "no-store" })).ok; } catch { return false; }
}

function personNamed(name) {
  let text = "";
  for (const char of name.trim()) if (new TextEncoder().encode(text + char).length <= NAME_BYTES_MAX) text += char;
  text ||= "Ann";
  const known = PEOPLE.find((one) => one.first_name === text);
  if (known) return known;
  let id = 7;                                             // the same name is the same player in every tab
  for (const char of text) id = (id * 31 + char.codePointAt(0)) % 1000000007;
  return { id: 10000 + id, first_name: text };
}

async function playAs(user) {
  update({ screen: "loading" });
  const key = LAUNCH + user.first_name;
  history.replaceState(null, "", `?${new URLSearchParams({ ...Object.fromEntries(query), as: user.first_name })}${location.hash}`);
  try {
    let initData = sessionStorage.getItem(key);
    if (!initData) {
      const answer = await fetch("/v1/dev/launch", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user }) });
      if (answer.status === 404) return fail({ code: "not_development" });
      if (!answer.ok) return fail({ status: answer.status, ...await answer.json().catch(() => ({ code: `http_${answer.status}` })) });
      initData = (await answer.json()).init_data;
      sessionStorage.setItem(key, initData);
    }
    await signIn(initData, () => sessionStorage.removeItem(key));
  } catch {
    fail({ code: "offline" });
  }
}

/** @param {string} initData @param {() => void} forgetLaunch called when the host does not take this launch data any more */
async function signIn(initData, forgetLaunch) {
  try {
    await host.signIn(initData);
  } catch (error) {
    if (!passes(error)) forgetLaunch();
    return fail(error);
  }
  keepFor(host.player.id);
  host.on("open", lineOpened);
  host.on("close", lineLost);
  host.on("replaced", () => update({ screen: "replaced", playing: null, approval: null, opened: null, watch: null, sharing: null, supply: false }));
  host.on("ended", (event) => update({ screen: "ended", ended: event, playing: null, approval: null, opened: null, watch: null, sharing: null, supply: false }));
  host.on("expired", (error) => fail(error));
  host.on("wallet", walletChanged);
  host.on("match.seed", (event) => revealSeed(host, event));
  host.on("match.rematch", ({ game, name: who }) => { if (state.playing !== game) toast(t("rematch.asks", { who: isolated(who), game: gameName(game) })); });
  host.on("match.end", () => { if (state.lists.history.items) refresh("history"); });
  for (const name of ["online", "offline"]) addEventListener(name, () => update({}));       // the banner says which
  try {
    const [me, games, wallet] = await Promise.all([host.api("GET", "/v1/me"), host.api("GET", "/v1/games"), host.api("GET", "/v1/wallet")]);
    matches.learn(me.matches ?? []);
    update({ screen: "home", games: games.games.filter((game) => game.page), assets: wallet.assets });
    if (wantsToWatch !== null && !matches.gameOf(wantsToWatch)) watch(wantsToWatch);
    const wanted = state.watch ? null : matches.gameOf(wantsToWatch) ?? query.get("game") ?? matches.running()[0]?.game;
    if (wanted && state.games.some((game) => game.id === wanted)) play(wanted);
    host.start();
  } catch (error) {
    fail(error);
  }
}

const passes = (error) => error.code === "offline" || error.status >= 500 || error.status === 429;
function fail(error) {
  host.stop();
  update({ screen: "error", error: { code: error.code, detail: error.detail, request_id: error.request_id, passes: passes(error) }, playing: null, approval: null, opened: null, watch: null, sharing: null, supply: false });
  if (passes(error)) setTimeout(reloadWhenUp, RELOAD_MS * (0.75 + Math.random() / 2));
}
// A host that restarts, or a phone that left a tunnel: nobody should have to press anything.
async function reloadWhenUp() {
  try {
    if ((await fetch("/readyz", { cache: "no-store", signal: AbortSignal.timeout(RELOAD_MS) })).ok) return location.reload();
  } catch { /* not yet */ }
  setTimeout(reloadWhenUp, RELOAD_MS * (0.75 + Math.random() / 2));
}

// ---- the line

let blip = 0;
function lineLost() {
  clearTimeout(blip);
  blip = setTimeout(() => tellOnline(false), BLIP_MS);
}
function lineOpened() {
  clearTimeout(blip);
  if (!state.online) {
    tellOnline(true);
    toast(t("returned"));
  }
  if (host.opens === 1) return;
  for (const name of LISTS[state.tab]) if (!state.playing) load(name);       // what a list showed may be old, or never came
  host.api("GET", "/v1/wallet").then(({ assets }) => update({ assets }), () => {});
}
function tellOnline(online) {
  update({ online });
  current?.send({ ev: "connection", online });
}

function walletChanged({ asset, free, held }) {
  update({ assets: state.assets.map((one) => (one.asset === asset ? { ...one, free, held } : one)) });
  refresh("journal");
}
// A list that is on the screen is asked for again; one that is not, when it is next opened.
function refresh(name) {
  if (LISTS[state.tab].includes(name) && !state.playing) load(name);
  else forget(name);
}

// ---- theme and Telegram

function applyTheme() {
  const { scheme, vars } = themeOf(themeParams);
  document.documentElement.dataset.scheme = scheme;
  document.documentElement.style.colorScheme = scheme;
  for (const [name, value] of Object.entries(vars)) document.documentElement.style.setProperty(name, value);
  current?.send({ ev: "theme", scheme, vars });
}

function telegramEvent(type, data) {
  if (type === "theme_changed") { themeParams = data; applyTheme(); }
  if (type !== "back_button_pressed") return;
  if (state.supply) update({ supply: false });
  else if (state.sharing) update({ sharing: null });
  else if (state.depositing) update({ depositing: null });
  else if (state.opened) update({ opened: null });
  else if (state.watch) leaveWatch();
  else if (state.playing) leaveGame();
}

// ---- what people do

function play(game) {
  forgetWatch();
  update({ playing: game, broken: false, opened: null });
  postEvent("web_app_setup_back_button", { is_visible: true });
}
function leaveGame() {
  current = null;
  update({ playing: null, broken: false, sharing: null });
  postEvent("web_app_setup_back_button", { is_visible: false });
  openTab(state.tab);
  document.querySelector("[data-testid=player]")?.focus();
}

/** Opens a match to be watched; one that the player plays is opened to be played. @param {string} match */
function watch(match) {
  if (matches.running().some((one) => one.id === match)) return play(matches.gameOf(match));
  current = null;
  update({ playing: null, broken: false, opened: null, sharing: null });
  history.replaceState(null, "", `${location.pathname}${location.search}#watch=${encodeURIComponent(match)}`);       // a reload goes on watching
  watching.begin(match);
  postEvent("web_app_setup_back_button", { is_visible: true });
}
function leaveWatch() {
  forgetWatch();
  leaveGame();
}
function forgetWatch() {
  watching.stop();
  current = null;
  wantsToWatch = null;
  update({ watch: null });
  if (watchedIn(location.hash) !== null) history.replaceState(null, "", location.pathname + location.search);
}
function addressChanged() {
  const match = watchedIn(location.hash);
  if (match === null || match === state.watch?.id) return;
  wantsToWatch = match;
  if (state.screen === "home") watch(match);
}

function openTab(tab) {
  update({ tab });
  for (const name of LISTS[tab]) load(name);
}

/** What came of a match that has ended: the same sheet as in the list of matches. @param {string} match */
async function receipt(match) {
  const opened = await host.api("GET", `/v1/matches/${encodeURIComponent(match)}`);
  if (opened.state === "ended") update({ opened });
}

// One sheet at a time; a second question waits for the first answer.
let sheets = Promise.resolve();
function approve(need) {
  const answer = sheets.then(() => new Promise((resolve) => update({ approval: { need, resolve } })));
  sheets = answer.catch(() => {});
  return answer.then((choice) => choice !== null);
}
async function answerApproval(choice) {
  const { need, resolve } = state.approval;
  if (choice) {
    const body = { plugin: need.plugin, asset: need.asset, max: choice.max, kind: choice.kind, expires_s: choice.kind === "once" ? 600 : 7 * 86400 };
    if (need.intent) body.intent = need.intent;
    await host.api("POST", "/v1/consents", body, { key: choice.key });       // what goes wrong is shown on the sheet, which stays
  }
  update({ approval: null });
  refresh("consents");
  resolve(choice);
}

start();
