// game_table.h — what exists besides the calls of table.h: the root functions, ctx, a game's handlers and `m`. Data only, for the
// stubs and the reference page; the code is in worker/ (prelude/*.lua, match_api.c, task.c), and its tests hold it to these words.
#pragma once

struct game_fn { const char *owner, *name, *params, *returns, *doc; };    // params and returns: "name:type, ..." and LuaLS types
struct game_field { const char *owner, *name, *type, *doc; };

static const struct game_field game_fields[] = {
    { "frond.Player", "id", "string", "The player's id: what store, ledger and consent take." },
    { "frond.Player", "name", "string", "As the player calls himself. Show it as text, never as markup." },
    { "frond.Player", "lang", "string?", "A language tag such as \"en\"." },
    { "frond.Context", "player", "frond.Player?", "Who called; absent for jobs and the console. Without a player only standing allowances can be spent." },
    { "frond.Context", "source", "string", "\"http\", \"socket\", \"page\", \"console\" or \"plugin:<id>\"." },
    { "frond.Context", "request_id", "string", "Names this request in every log." },
    { "frond.Context", "key", "string?", "The caller's idempotency key: build your own keys from it." },
    { "frond.Context", "deadline_ms", "integer", "Unix time by which the whole call must have ended." },
    { "frond.Context", "stream", "fun(self: frond.Context, text: string)", "`ctx:stream(text)` hands text to the caller's page before the result: at most 8 KiB at once and 128 KiB a call, UTF-8. It does not wait; where nobody listens (HTTP, another plugin) it goes nowhere." },
    { "frond.Definition", "calls", "table<string, fun(ctx: frond.Context, args: any): any, string?, any>?", "What pages and people may call." },
    { "frond.Definition", "hooks", "table<string, fun(ctx: frond.Context, req: any): any>?", "Verified webhooks." },
    { "frond.Definition", "jobs", "table<string, fun(ctx: frond.Context, data: any): any>?", "Scheduled work." },
    { "frond.Definition", "on", "table<string, fun(ctx: frond.Context, e: any): any>?", "Events of the host." },
    { "frond.Definition", "game", "frond.Game?", "A game, made by frond.game." },
    { "frond.Game", "new", "fun(m: frond.Match, options: table[]): table", "Makes the match's state: plain data (booleans, numbers, texts, tables with integer or text keys). Only the state lasts: what a game keeps in a local beside it is gone after every snapshot." },
    { "frond.Game", "view", "fun(m: frond.Match, s: table, seat: integer): any", "All that this seat may know. It only looks. Seat 0 is who only watches, in modes with \"spectators\": true: what lies open on the table, no hand." },
    { "frond.Game", "input", "table<string, fun(m: frond.Match, s: table, seat: integer, args: any): nil, string?, any>?", "Players' moves. `return nil, code` refuses: state and random stream are put back." },
    { "frond.Game", "timer", "fun(m: frond.Match, s: table, name: string, data: any)?", "A timer set by m:timer has run out." },
    { "frond.Game", "tick", "fun(m: frond.Match, s: table)?", "The game's clock, as often as the manifest says; m.tick_no counts." },
    { "frond.Game", "answer", "fun(m: frond.Match, s: table, tag: string, value: any, code: string?)?", "What m:ask asked for; code is set when it was refused." },
    { "frond.Game", "join", "fun(m: frond.Match, s: table, seat: integer)?", "A player took this seat." },
    { "frond.Game", "drop", "fun(m: frond.Match, s: table, seat: integer)?", "A player's connection is gone; clocks run on." },
    { "frond.Game", "back", "fun(m: frond.Match, s: table, seat: integer)?", "The player is back." },
    { "frond.Game", "leave", "fun(m: frond.Match, s: table, seat: integer, why: string)?", "The player left for good." },
    { "frond.Game", "bot", "fun(m: frond.Match, s: table, seat: integer): string?, any", "The name and arguments of the input a bot would make, or nil to wait. It works on a copy and draws from a stream of its own." },
    { "frond.Match", "id", "string", "" },
    { "frond.Match", "mode", "string", "The mode of the manifest that is played." },
    { "frond.Match", "asset", "string", "What is staked." },
    { "frond.Match", "stake", "integer", "Base units per seat; 0 without a stake." },
    { "frond.Match", "now_ms", "integer", "The host's clock at this turn; it is in the log, so a replay sees the same." },
    { "frond.Match", "tick_no", "integer", "" },
    { "frond.Match", "seats", "integer", "How many seats the match has; seats count from 1." },
    { "frond.Match", "players", "frond.Player[]", "By seat; a bot has bot = true and no id." },
    { "frond.Match", "options", "table[]", "By seat: what the player sent when looking for a match." },
};

static const struct game_fn game_fns[] = {
    { "frond", "plugin", "definition:frond.Definition", "frond.Definition", "Says what the plugin offers. main.lua returns it." },
    { "frond", "game", "game:frond.Game", "frond.Game", "Says how a game is played. main.lua returns it, or it is the `game` of frond.plugin." },
    { "frond", "array", "list:table?", "table", "Marks a table as a list, so that it is [] in JSON even when it is empty. Lists that came in as JSON are marked already." },
    { "frond", "all", "functions:(fun(): any)[]", "{ok:boolean, value:any, code:string?, detail:any}[]",
      "Runs functions side by side, so that their host calls overlap. A refusal or an error of one is in its entry. At most 63 at once." },
    { "m", "int", "lo:integer, hi:integer", "integer", "A uniform integer from the match's committed stream, both ends included." },
    { "m", "chance", "bps:integer", "boolean", "True in bps of 10,000 cases." },
    { "m", "shuffle", "list:table", "table", "Shuffles the list in place and returns it." },
    { "m", "timer", "name:string, ms:integer, data:any?", "", "Sets a timer; the same name again replaces it. `timer` is called when it runs out." },
    { "m", "cancel", "name:string", "", "Takes a timer away." },
    { "m", "emit", "to:integer|\"all\"|\"spectators\", name:string, data:any?", "", "Sends an event to a seat, to all seats, or to spectators, once the turn is durable." },
    { "m", "ask", "tag:string, fn:string, args:table?, options:{timeout_ms:integer?}?", "", "Asks the host, e.g. m:ask(\"b\", \"ledger.balance\", {player=.., asset=..}); the answer arrives as `answer`." },
    { "m", "finish", "result:{places:integer[][]?, shares_bps:integer[]?, reason:string?, stats:any}", "", "Ends the match, once: places from first to last (a draw: {{1, 2}}), or each seat's share of the pot in basis points." },
    { "m", "void", "reason:string", "", "Ends the match without a result; all stakes go home." },
};
#define GAME_FIELDS ((int)(sizeof game_fields / sizeof *game_fields))
#define GAME_FNS ((int)(sizeof game_fns / sizeof *game_fns))
