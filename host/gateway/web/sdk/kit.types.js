// kit.types.js: what kit.js takes and gives, for editors and readers. No page loads it.

/** Makes an element: `on*` are listeners, `class`, `data-*` and `aria-*` attributes, the rest properties; children are nodes, texts and lists of them, nothing for
 * null and false.
 * @typedef {(tag: string, props?: Object<string, any>, ...children: any[]) => any} El */

/** Texts by language and key, as sdk/i18n.js has them; `title` and `lead` at least. The first language stands in for what another one lacks. A text of the
 * game goes before the kit's of the same key.
 * @typedef {Object<string, Object<string, string | Object<string, string>>>} Catalogue */

/** A game's words. May be taken apart.
 * @typedef {object} Words
 * @property {(key: string, values?: Object<string, any>) => string} t
 * @property {(key: string) => boolean} knows
 * @property {() => string} language the one that is spoken: "en", "ko"
 * @property {(wanted: string[]) => void} speak language tags, best first; `openGame` asks for the shell's, then for the browser's
 * @property {(player: {name: string, bot: boolean}) => string} called how a player is called in a sentence
 * @property {(units: string) => string} amount of coins
 * @property {(net: string) => string} signed what was won or lost
 * @property {(code: string) => string} refused why a move was not taken: the text `refused.CODE`, else a general one
 * @property {(match: Match) => string} sign what stands above a match that is only watched
 * @property {Catalogue} catalogue the game's own and the kit's */

/** What shows one match. Build it once and bring it up to date, so that the keyboard's focus survives a change.
 * @typedef {object} Board
 * @property {HTMLElement} element the whole of it; with a `tabindex` it gets the focus when the match begins
 * @property {(match: Match) => void} update also once when it begins
 * @property {(online: boolean) => void} [connection]
 * @property {(event: KeyboardEvent) => void} [key] pressed anywhere in the page, until there is a result
 * @property {(end: any, then: () => void) => void} [settle] calls `then`, once, when the last move has been looked at
 * @property {(end: any) => void} [finish] how a match ended that was only watched
 * @property {() => void} [close] it is not shown any more: stop your timers */

/** What a game brings.
 * @typedef {object} Plan
 * @property {Words} words
 * @property {(match: Match) => Board} board for a match that begins, also for one that is only watched (`match.watched`)
 * @property {(match: Match, end: any) => void} result shows the end: `game.ending` has its words and buttons, `game.show` the page. The outermost element has the class "result"
 * @property {(waiting: boolean) => Node} picture on top of the lobby, and of the search
 * @property {() => Node} rules how it is played, as a list
 * @property {Object<string, string[]>} [choices] what the player chooses besides the stake, by name: the values, the first to begin with. Kept for the next time
 * @property {() => Node[]} [choosing] how those are drawn, with `game.radios`
 * @property {() => any} [options] what a search takes along, see `frond.match.find`
 * @property {Object<string, (event: any) => void>} [on] further events, see `frond.on`
 * @property {() => void} [asked] the other one wants a rematch, and the result says so */

/** A page that is open.
 * @typedef {object} Game
 * @property {import("./frond.js").Frond} frond once there is a lobby or a board
 * @property {Match | null} match the one that is shown, as it is now
 * @property {any} board what shows it; null in the lobby, in a search, and when `show` has put a result in its place
 * @property {Object<string, string>} chosen `stake`, and the plan's choices
 * @property {(...nodes: Node[]) => void} show the page shows this and nothing else; the first thing with a `tabindex` gets the focus
 * @property {(notice?: {title: string, text: string, action?: string, onAction?: () => void} | null) => void} lobby
 * @property {(name: string, label: string, draw: (value: string) => any) => HTMLElement} radios one of the plan's choices in the lobby
 * @property {(match: Match, end: any, score: [number, number]) => Ending} ending `score`: the player's points, and the other one's */

/** The end of a match in words and buttons, for the game to lay out.
 * @typedef {object} Ending
 * @property {"cancelled" | "draw" | "won" | "lost"} outcome
 * @property {string} title
 * @property {any[]} lines score, reason and coins; they belong into a live region (`role: "status"`)
 * @property {HTMLElement} asked an empty line that says it when the other one asks for a rematch
 * @property {any[]} buttons play again, back to the lobby, and what was burned if anything was */

/** @typedef {import("./frond.js").Match} Match */
export {};
