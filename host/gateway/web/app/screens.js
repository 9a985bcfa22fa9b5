// screens.js: what is shown when: before signing in, when something failed, and the four sections behind it. A function of the state.
import { html, useEffect, useRef, useState } from "/app/lib/htm-preact.mjs";
import { Account } from "/app/account.js";
import { Ask } from "/app/ask.js";
import { PluginFrame } from "/app/frame.js";
import { History } from "/app/history.js";
import { knows, language, ownText, problem, t } from "/app/i18n.js";
import { Face, Icon, Language, Loading, assetOf, bare, shown } from "/app/parts.js";
import { gameName, spectatorsOf, update } from "/app/state.js";
import { Wallet } from "/app/wallet.js";
import { Joining, Refused, WatchEnd } from "/app/watch.js";

const TABS = { games: Games, ask: Ask, history: History, wallet: Wallet, account: Account };

/** @param {{people: any[], playAs: (name: string) => void}} props */
export function People({ people, playAs }) {
  const [name, setName] = useState("");
  const go = (event) => { event.preventDefault(); if (name.trim()) playAs(name); };
  return html`<main class="center people" data-testid="people">
    <img src="/app/icon.svg" width="72" height="72" alt="" />
    <h1>${t("people.title")}</h1>
    <p class="hint">${t("people.text")}</p>
    <div class="faces">${people.map((user) => html`
      <button class="face" data-testid=${`as-${user.first_name}`} onClick=${() => playAs(user.first_name)}><${Face} name=${user.first_name} large /> ${user.first_name}</button>`)}
    </div>
    <form class="row" onSubmit=${go}>
      <input class="field" placeholder=${t("people.other")} maxlength="40" aria-label=${t("people.other")} data-testid="as-name" value=${name} onInput=${(e) => setName(e.target.value)} />
      <button class="button" data-testid="as-go">${t("people.go")}</button>
    </form>
    <p class="hint">${t("people.two")} <a href="/app/dev/">${t("people.dev")}</a></p>
    <${Language} />
  </main>`;
}

export function Outside() {
  return html`<main class="center" data-testid="outside">
    <img src="/app/icon.svg" width="72" height="72" alt="" />
    <h1>${t("outside.title")}</h1>
    <p class="hint">${t("outside.text")}</p><${Language} /></main>`;
}

export const Starting = () => html`<main class="center" data-testid="starting"><${Loading} /></main>`;

export function Replaced() {
  return html`<main class="center" data-testid="replaced">
    <${Icon} name="phone" /><h1>${t("replaced.title")}</h1>
    <p class="hint">${t("replaced.text")}</p>
    <button class="button" onClick=${() => location.reload()}>${t("replaced.here")}</button></main>`;
}

export function Ended({ ended }) {
  return html`<main class="center" data-testid="ended" role="alert">
    <${Icon} name="shield" /><h1>${t("ended.title")}</h1>
    <p class="hint">${t(knows(`ended.by.${ended?.by}`) ? `ended.by.${ended.by}` : "ended.by.player")}</p>
    <button class="button" onClick=${() => location.reload()}>${t("ended.again")}</button></main>`;
}

export function Failure({ error }) {
  const name = knows(`failure.${error.code}.title`) ? `failure.${error.code}` : "failure";
  return html`<main class="center" data-testid="failure" role="alert">
    <${Icon} name=${error.code === "offline" ? "cloud" : "alert"} />
    <h1>${t(`${name}.title`)}</h1><p class="hint">${t(`${name}.text`)}</p>
    ${name === "failure" && html`<p class="hint small">${problem(error)} ${error.request_id ? t("request", { id: error.request_id }) : ""}</p>`}
    ${error.passes && html`<p class="hint small">${t("again_later")}</p>`}
    <button class="button" onClick=${() => location.reload()}>${t("retry")}</button><${Language} /></main>`;
}

/** @param {{shell: any}} props `shell`: what the shell can do (see shell.js) */
export function Home(props) {
  const { playing, watch, tab, assets, online, shell } = props;
  const coins = assetOf(assets, "PALM");
  const game = props.games.find((one) => one.id === playing), Tab = TABS[tab];
  const covered = Boolean(props.approval || props.sharing || props.opened || props.supply);       // a game must not take the focus from a sheet
  if (watch) return html`<${Watched} ...${props} covered=${covered} />`;
  const open = game && shell.matches.running(game.id).findLast(spectatorsOf);
  return html`
    <header class="top">
      ${game ? html`<${Back} onClick=${shell.leaveGame} /><h1 class="title" data-plain>${ownText(game, "name")}</h1>`
    : html`<${Face} name=${shell.player().name} /><h1 class="title" data-testid="player" data-plain tabindex="-1">${shell.player().name}</h1>`}
      ${open && html`<button class="round-button" aria-label=${t("share.open")} title=${t("share.open")} data-testid="share" onClick=${() => shell.share(open.id)}><${Icon} name="eye" /></button>`}
      <button class="pill" data-testid="balance" aria-label=${t(coins.held === "0" ? "balance" : "balance.held", { free: shown(coins.free, coins), held: shown(coins.held, coins) })} onClick=${() => { if (game) shell.leaveGame(); shell.openTab("wallet"); }}>
        <span class="coin" aria-hidden="true"></span>
        <span data-testid="free" data-units=${coins.free}>${bare(coins.free, coins)}</span>
        ${coins.held !== "0" && html`<span class="held" data-testid="held" data-units=${coins.held} title=${t("in_play_about")}>${t("in_play", { amount: bare(coins.held, coins) })}</span>`}
      </button>
    </header>
    <${Banner} online=${online} safe=${shell.matches.running().length > 0 && t("lost.safe")} shell=${shell} />
    ${game ? html`<${GameScreen} key=${game.id} game=${game} broken=${props.broken} covered=${covered} shell=${shell} />` : html`
      <main class="page" key=${tab}><${Tab} ...${props} onPlay=${shell.play} /></main>
      <nav class="tabs" aria-label=${t("sections")}>${Object.keys(TABS).map((id) => html`
        <button class=${tab === id ? "on" : ""} aria-current=${tab === id ? "page" : null} data-testid=${`tab-${id}`} onClick=${() => shell.openTab(id)}><${Icon} name=${id} /><span>${t(`tab.${id}`)}</span></button>`)}
      </nav>`}`;
}
const Back = ({ onClick }) => html`<button class="back" aria-label=${t("back")} data-testid="back" onClick=${onClick}>‹</button>`;

// A match that this player only watches: the game's page without a seat, and around it what the shell knows of the match.
function Watched({ watch, games, broken, covered, online, shell }) {
  const game = games.find((one) => one.id === watch.start?.game);
  const own = shell.matches.running()[0];
  const refused = watch.phase === "refused" ? watch.error : watch.start && !game ? { code: "no_page" } : null;
  return html`
    <header class="top"><${Back} onClick=${shell.leaveWatch} /><h1 class="title" data-plain>${game ? ownText(game, "name") : t("watch.title")}</h1>
      ${!refused && watch.phase !== "over" && html`<span class="badge watching" data-testid="watching"><${Icon} name="eye" /> ${t("watch.badge")}</span>`}</header>
    <${Banner} online=${online} safe=${t("lost.watch")} shell=${shell} />
    ${own && html`<div class="own-match" role="status"><span>${t("games.running")}</span><button class="button" data-testid="own-match" onClick=${() => shell.play(own.game)}>${t("games.table", { game: gameName(own.game) })}</button></div>`}
    <${WatchEnd} watch=${watch} onLeave=${shell.leaveWatch} />
    ${refused ? html`<${Refused} error=${refused} onAgain=${() => shell.watch(watch.id)} onLeave=${shell.leaveWatch} />`
    : game ? html`<${GameScreen} key=${`watch ${watch.id}`} game=${game} broken=${broken} covered=${covered} shell=${shell} watching=${shell.watching} />` : html`<${Joining} />`}`;
}

// The line is gone: what that means for the match, and a way to hurry.
function Banner({ online, safe, shell }) {
  const text = t(navigator.onLine ? "lost" : "offline");
  return html`<div class="banner-place"><div role="status">${!online && html`<div class="banner" data-testid="reconnecting"><span class="spinner small" aria-hidden="true"></span><span>${text} ${safe}</span></div>`}</div>
    ${!online && html`<button class="banner-button" data-testid="try-now" onClick=${shell.hurry}>${t("lost.now")}</button>`}</div>`;
}

function Games({ games, assets, shell }) {
  const open = shell.matches.running();
  if (games.length === 0) return html`<div class="empty"><h2>${t("games.none")}</h2><p class="hint">${t("games.none_text")}</p></div>`;
  return html`
    ${open.map((match) => html`<button class="card alert" data-testid="running" onClick=${() => shell.play(match.game)}>
      <span><strong>${t("games.running")}</strong><br /><span class="hint">${t("games.table", { game: gameName(match.game) })}</span></span><span aria-hidden="true">›</span></button>`)}
    <div class="games">${games.map((game) => html`<article class="card game">
      <img class="icon" src=${game.icon} width="76" height="76" alt="" />
      <div class="about"><h2 data-plain>${ownText(game, "name")}</h2><p class="hint" data-plain>${ownText(game, "description")}</p><p class="hint small">${stakesText(game, assets)}</p></div>
      <button class="button" data-testid=${`open-${game.id}`} aria-label=${isUp(game) ? t("games.play_one", { game: ownText(game, "name") }) : null} disabled=${!isUp(game)} onClick=${() => shell.play(game.id)}>${t(isUp(game) ? "games.play" : game.state === "starting" ? "games.starting" : "games.down")}</button>
    </article>`)}</div>`;
}
const isUp = (game) => !game.state || game.state === "up";
function stakesText(game, assets) {
  const mode = game.modes?.[0];
  if (!mode) return "";
  const asset = assetOf(assets, mode.asset), paid = mode.stakes.filter((stake) => stake !== "0"), free = mode.stakes.length > paid.length && t("games.free");
  const range = paid.length > 1 ? t("games.from_to", { from: bare(paid[0], asset), to: shown(paid.at(-1), asset) }) : paid.length && shown(paid[0], asset);
  return `${t("games.seats", { n: mode.seats })} · ${free && range ? t("games.or", { a: free, b: range }) : free || range}`;
}

function GameScreen({ game, broken, covered, shell, watching }) {
  const frame = useRef(null);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const mine = new PluginFrame(element, { plugin: game.id, game, watching, ...shell.forPages, onClose: watching ? shell.leaveWatch : shell.leaveGame, onBroken: (why) => update({ broken: why }) });
    element.addEventListener("load", () => { setReady(true); element.focus(); }, { once: true });
    element.src = `/app/${encodeURIComponent(game.id)}/index.html`;
    shell.frameOpened(mine);
    return () => mine.drop();
  }, [broken]);
  if (broken) {
    return html`<main class="center" data-testid="broken" role="alert"><${Icon} name="alert" /><h1>${t("broken.title")}</h1><p class="hint">${t(`broken.${broken}`)} ${t("broken.goes_on")}</p>
      <button class="button" onClick=${() => update({ broken: false })}>${t("broken.again")}</button></main>`;
  }
  return html`<main class="stage" inert=${covered}>
    ${!ready && html`<div class="center over"><div class="spinner" aria-hidden="true"></div></div>`}
    <iframe ref=${frame} lang=${language} title=${watching ? t("watch.frame", { game: ownText(game, "name") }) : ownText(game, "name")} sandbox="allow-scripts" allow="autoplay; fullscreen; gyroscope; accelerometer" data-testid="game"></iframe>
  </main>`;
}
