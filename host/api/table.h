// table.h — THE list of calls a plugin may make. Data only: dispatch, grant checks, the worker's binder, the LuaLS stubs
// (plugins/sdk/frond.lua) and the reference page (REFERENCE.md) all come from it, so they cannot drift apart.
//
// A call is `family.name` in Lua. Its arguments are positional, or members of one table (the last argument) when `in_table`.
// In the ASK frame they travel as one JSON object by name; UNITS as decimal strings ("125"), integers exact.
// The answer is JSON; integers in it stay integers in Lua. With API_MULTI it is an array whose elements become the results.
// Numbers are stable: append only; they are the `call` field of the frame.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/limits.h"

enum api_type {
    API_END = 0,
    API_TEXT,        // least..most bytes
    API_INT,         // least..most
    API_UNITS,       // coins: an integer in Lua, least..most
    API_BOOL,
    API_ANY,         // plain data: booleans, numbers, strings, tables with string keys or a list; no cycles
    API_TABLE,       // plain data that is a table
    API_KEY,         // idempotency key: 1..KEY_BYTES_MAX bytes
    API_PLAYER,      // a player id, as ctx.player.id gives it
    API_ASSET,       // an asset id: "PALM"
    API_SCOPE,       // "plugin" or a player id
};
struct api_arg { const char *name; enum api_type type; bool optional, in_table; int64_t least, most; };

enum api_flags {
    API_NO_WAIT = 1,     // no answer: the Lua call returns at once (log)
    API_MULTI = 2,       // the answer is an array of results
    API_IN_MATCH = 4,    // allowed inside match handlers (they never wait)
    API_WRITES = 8,      // changes something: has a compulsory key
    API_LOCAL = 16,      // done inside the worker; listed for stubs and docs
    API_ASKABLE = 32,    // may be asked from a match: m:ask(tag, "family.name", args)
};
#define API_ARGS_MAX 14
struct api_call {
    int no;
    const char *family, *name;
    const char *grant;          // the manifest's grant that allows it, or NULL: always allowed
    int cost;                   // tokens of the plugin's API budget (API_CALLS_PER_SECOND_MAX a second)
    int deadline_ms;            // wall time until `nil, "timeout"`
    int flags;
    struct api_arg args[API_ARGS_MAX];
    const char *returns;        // LuaLS types, comma-separated
    const char *doc;
};

#define A_SCOPE    { "scope", API_SCOPE, false, false, 0, 0 }
#define A_KVKEY    { "key", API_TEXT, false, false, 1, KV_KEY_BYTES_MAX }
#define A_PLAYER   { "player", API_PLAYER, false, false, 0, 0 }
#define A_ASSET    { "asset", API_ASSET, false, false, 0, 0 }
#define T_PLAYER   { "player", API_PLAYER, false, true, 0, 0 }
#define T_ASSET    { "asset", API_ASSET, false, true, 0, 0 }
#define T_AMOUNT   { "amount", API_UNITS, false, true, 1, UNITS_MAX }
#define T_KEY      { "key", API_KEY, false, true, 1, KEY_BYTES_MAX }
#define T_MODEL    { "model", API_TEXT, true, true, 1, 63 }
#define T_LANG     { "lang", API_TEXT, true, true, 2, LLM_TAG_BYTES - 1 }
#define T_TOKENS   { "max_tokens", API_INT, true, true, 1, LLM_ANSWER_TOKENS_MAX }
#define T_WARM     { "temperature", API_ANY, true, true, 0, 0 }
#define T_SEED     { "seed", API_INT, true, true, 0, 0x7fffffff }
#define T_PAYER    { "payer", API_TEXT, true, true, 6, 6 }
#define T_WAIT     { "deadline_ms", API_INT, true, true, 100, LLM_CALL_MS_MAX }
#define T_LLM_KEY  { "key", API_KEY, true, true, 1, KEY_BYTES_MAX }      // compulsory but in a match's ask: api_model_start says so
#define T_SPENT    "{calls:integer,model:string,usage:{prompt_tokens:integer,answer_tokens:integer},cost:integer,cached:boolean,record:string?}"
#define LOG_ARGS   { { "text", API_TEXT, false, false, 0, 2000 }, { "fields", API_TABLE, true, false, 0, 0 } }

static const struct api_call api_calls[] = {
    // ---- root
    { 1, "frond", "call", "call", 20, CALL_DEADLINE_MS, 0,
      { { "plugin", API_TEXT, false, false, 1, PLUGIN_ID_BYTES_MAX }, { "fn", API_TEXT, false, false, 1, 64 }, { "args", API_ANY, true, false, 0, 0 },
        { "key", API_KEY, true, true, 1, KEY_BYTES_MAX } },
      "any", "Calls a function of another plugin that this one was granted. The player of this call goes along." },
    // ---- log
    { 2, "log", "debug", 0, 1, 0, API_NO_WAIT | API_IN_MATCH, LOG_ARGS, "", "Writes a line to the plugin's log. Seen by `frond plugin logs`." },
    { 3, "log", "info",  0, 1, 0, API_NO_WAIT | API_IN_MATCH, LOG_ARGS, "", "Writes a line to the plugin's log." },
    { 4, "log", "warn",  0, 1, 0, API_NO_WAIT | API_IN_MATCH, LOG_ARGS, "", "Writes a line to the plugin's log that an operator should look at." },
    { 5, "log", "error", 0, 1, 0, API_NO_WAIT | API_IN_MATCH, LOG_ARGS, "", "Writes a line to the plugin's log that an operator must look at." },
    // ---- time
    { 6, "time", "now_ms", 0, 1, 1000, 0, { { 0 } }, "integer", "The host's clock: unix time in milliseconds. In matches use m.now_ms, which is in the log." },
    { 7, "time", "day", 0, 1, 1000, 0, { { "player", API_PLAYER, true, false, 0, 0 } }, "string", "Today as YYYY-MM-DD: UTC now, the player's time zone once players have one." },
    // ---- random
    { 8, "random", "int", 0, 1, 1000, 0, { { "lo", API_INT, false, false, INT64_MIN, INT64_MAX }, { "hi", API_INT, false, false, INT64_MIN, INT64_MAX } },
      "integer", "A uniform integer from lo to hi, both included. In matches use m:int, which can be replayed." },
    { 9, "random", "bytes", 0, 1, 1000, 0, { { "n", API_INT, false, false, 1, 1024 } }, "string", "n random bytes as lower-case hex." },
    { 10, "random", "id", 0, 1, 1000, 0, { { 0 } }, "string", "A new UUIDv7." },
    // ---- store
    { 11, "store", "get", "store", 5, 2000, API_MULTI | API_ASKABLE, { A_SCOPE, A_KVKEY }, "any, integer",
      "The value and its version, or nil, \"not_found\"." },
    { 12, "store", "put", "store", 10, 3000, API_WRITES,
      { A_SCOPE, A_KVKEY, { "value", API_ANY, false, false, 0, 0 },
        { "if_version", API_INT, true, true, 0, INT64_MAX }, { "ttl_s", API_INT, true, true, 1, 366LL * 86400 } }, "integer",
      "Writes a value (at most 64 KiB as JSON) and returns its version. if_version 0 means it must not exist yet; another version is nil, \"version\"." },
    { 13, "store", "delete", "store", 10, 3000, API_WRITES, { A_SCOPE, A_KVKEY, { "if_version", API_INT, true, true, 1, INT64_MAX } }, "boolean",
      "Deletes a value. True when there was one." },
    { 14, "store", "list", "store", 10, 2000, API_MULTI,
      { A_SCOPE, { "prefix", API_TEXT, true, true, 0, KV_KEY_BYTES_MAX }, { "limit", API_INT, true, true, 1, KV_LIST_MAX }, { "cursor", API_TEXT, true, true, 0, KV_KEY_BYTES_MAX } },
      "{key:string,value:any,version:integer}[], string?", "Keys in order, with values, and a cursor when there is more." },
    { 15, "store", "batch", "store", 20, 3000, API_WRITES, { { "ops", API_TABLE, false, false, 0, 0 } }, "integer[]",
      "Several puts and deletes, all or none: {{op=\"put\",scope=..,key=..,value=..,if_version=..},{op=\"delete\",..}}. At most 32." },
    // ---- ledger
    { 16, "ledger", "balance", "ledger", 5, 2000, API_ASKABLE, { A_PLAYER, A_ASSET }, "{free:integer,held:integer}", "What the player has: free, and set aside in holds." },
    { 17, "ledger", "charge", "ledger", 20, 3000, API_WRITES, { T_PLAYER, T_ASSET, T_AMOUNT, { "split", API_TEXT, true, true, 1, 32 }, T_KEY }, "{transfer:string}",
      "Takes coins the player approved and shares them by the manifest's named split (default: all to the plugin's revenue account). Refusals: consent_required, funds." },
    { 18, "ledger", "pay", "ledger", 20, 3000, API_WRITES, { T_PLAYER, T_ASSET, T_AMOUNT, { "pool", API_TEXT, true, true, 1, 32 }, { "reason", API_TEXT, true, true, 1, 39 }, T_KEY }, "{transfer:string}",
      "Pays a player from the plugin's own account or one of its pools. Refusals: funds, player_unknown." },
    { 19, "ledger", "hold", "ledger", 20, 3000, API_WRITES, { T_PLAYER, T_ASSET, T_AMOUNT, { "ttl_ms", API_INT, false, true, 1000, HOLD_MS_MAX }, T_KEY }, "{hold:string}",
      "Sets coins the player approved aside until settle, release or ttl_ms. What it did not spend goes back to the player and, while that lasts, to the approval." },
    { 20, "ledger", "settle", "ledger", 20, 3000, API_WRITES, { { "hold", API_TEXT, false, true, 1, 20 }, T_AMOUNT, { "split", API_TEXT, true, true, 1, 32 }, T_KEY }, "{transfer:string}",
      "Takes amount from a hold, shares it by the named split, and gives the rest back." },
    { 21, "ledger", "release", "ledger", 20, 3000, API_WRITES, { { "hold", API_TEXT, false, true, 1, 20 }, T_KEY }, "{transfer:string}", "Gives a hold back to the player." },
    { 22, "ledger", "linked", "ledger", 40, 3000, API_WRITES, { { "ops", API_TABLE, false, true, 0, 0 }, T_KEY }, "{transfers:string[]}",
      "Several charge, pay, hold, settle and release steps, all or none: ops={{\"charge\",{..}},{\"pay\",{..}}}. Their keys derive from this key." },
    // ---- consent
    { 23, "consent", "get", 0, 5, 2000, 0, { A_PLAYER, A_ASSET }, "{left:integer,expires_ms:integer}", "What this plugin may still spend of the player's coins." },
    { 24, "consent", "request", 0, 20, 3000, API_WRITES,
      { T_PLAYER, T_ASSET, { "max", API_UNITS, false, true, 1, UNITS_MAX }, { "kind", API_TEXT, true, true, 1, 8 }, { "reason", API_TEXT, false, true, 1, 200 }, T_KEY }, "{intent:string}",
      "Asks the player, on a sheet that the host draws, to approve spending up to max: kind \"once\" or \"daily\"." },
    // ---- burn
    { 25, "burn", "accrue", "burn", 20, 3000, API_WRITES,
      { T_ASSET, T_AMOUNT, { "from", API_TEXT, true, true, 1, 20 }, { "reason", API_TEXT, false, true, 1, BURN_REASON_BYTES_MAX }, T_KEY }, "{id:string}",
      "Gives coins up to be burned on chain: of the plugin's own revenue (from=\"plugin\", the default), or of one of its holds (from=its id; what is left of it goes back). The reason is public, for ever. "
      "Needs the asset in the grant \"ledger\" too. Refusals: funds, over_hold, hold_unknown." },
    { 26, "burn", "get", "burn", 10, 2000, 0, { { "id", API_TEXT, false, false, 1, 20 } },
      "{id:string,state:string,amount:string,asset:string,batch:string?,proof:string[]?,burn:{state:string,tx:string?,block:string?,root:string,id:string}?}",
      "One of this plugin's burns: state pending, batched, sent, proving, burned (reverted, refuted: an operator looks), and once it is burned transaction, block and Merkle proof. Refusals: burn_unknown." },
    { 27, "burn", "supply", "burn", 10, 2000, 0, { A_ASSET }, "{asset:string,decimals:integer,cap:string?,circulating:string?,burned:string?,frond:{burned:string,pending:string,in_batches:string,by_plugin:table[]}}",
      "The supply and what was burned, by plugin. What was published of an asset (cap, circulating) is there for PALM. Amounts are decimal strings of base units." },
    // ---- llm: what costs has a key (the same key finds the first answer, which is paid once). payer: "plugin" (default) or "player" (who calls; needs approval)
    { 28, "llm", "chat", "llm", 50, LLM_CALL_MS_MAX, API_ASKABLE,
      { { "messages", API_TABLE, false, true, 0, 0 }, T_MODEL, T_LANG, T_TOKENS, T_WARM, T_SEED, { "stop", API_ANY, true, true, 0, 0 }, { "stream", API_BOOL, true, true, 0, 0 },
        { "tools", API_TABLE, true, true, 0, 0 }, T_PAYER, T_WAIT, T_LLM_KEY },
      "{text:string,finish:string,usage:{prompt_tokens:integer,answer_tokens:integer},cost:integer,cached:boolean,model:string,record:string?,tool_calls:table[]?}",
      "Asks a model: messages={{role=\"system\"|\"user\"|\"assistant\",content=\"..\",data=\"..\"}}. What players wrote goes into data (a text, or texts by name): it is fenced, so that it cannot pass for instructions. "
      "stream=true also hands the text to the caller's page as it comes (ctx:stream). lang: the language it is in, as a BCP-47 tag; models that are declared for it are taken before others. Refusals: llm_down, llm_rate, llm_budget, llm_funds, consent_required, llm_deadline, key_busy, key_reused." },
    { 29, "llm", "complete", "llm", 50, LLM_CALL_MS_MAX, 0,
      { { "prompt", API_TEXT, false, true, 1, CALL_ARGS_BYTES_MAX }, T_MODEL, T_LANG, T_TOKENS, T_WARM, T_SEED, { "stop", API_ANY, true, true, 0, 0 }, T_PAYER, T_WAIT, T_LLM_KEY },
      "{text:string,finish:string,usage:{prompt_tokens:integer,answer_tokens:integer},cost:integer,cached:boolean,model:string,record:string?}",
      "Goes on with a text, without a chat's frame." },
    { 30, "llm", "json", "llm", 50, LLM_CALL_MS_MAX, API_MULTI | API_ASKABLE,
      { { "messages", API_TABLE, true, true, 0, 0 }, { "task", API_TEXT, true, true, 1, 63 }, { "vars", API_TABLE, true, true, 0, 0 }, { "schema", API_TABLE, true, true, 0, 0 }, T_MODEL, T_LANG, T_TOKENS, T_WARM, T_SEED, T_PAYER, T_WAIT, T_LLM_KEY },
      "any, " T_SPENT, "A value that fits the schema (the manifest's kind of JSON Schema), from messages or from a task and its vars. What does not fit is asked for again with the error, twice; then it is refused: llm_invalid. From a match only the value comes." },
    { 31, "llm", "task", "llm", 50, LLM_CALL_MS_MAX, API_MULTI | API_ASKABLE,
      { { "name", API_TEXT, false, false, 1, 63 }, { "vars", API_TABLE, true, false, 0, 0 }, T_MODEL, T_LANG, T_TOKENS, T_SEED, T_PAYER, T_WAIT, T_LLM_KEY }, "any, " T_SPENT,
      "A named task: the plugin's own (plugin.json, \"tasks\"), else a built-in one: reason, explain_joke, code, summarise, choice. Its value is what its schema says, or a text." },
    { 32, "llm", "embed", "llm", 20, LLM_CALL_MS_MAX, 0, { { "texts", API_TABLE, false, false, 0, 0 }, T_MODEL, T_PAYER, T_WAIT, T_LLM_KEY }, "number[][]", "A vector for each of 1 to 32 texts." },
    { 33, "llm", "index", "llm", 20, LLM_CALL_MS_MAX, 0, { { "id", API_TEXT, false, false, 1, 128 }, { "text", API_TEXT, false, false, 1, LLM_DOC_BYTES_MAX } }, "boolean",
      "Keeps a document of this plugin's for llm.search, in place of one with the same id: by its words, and by its meaning where the host has a model for that (then it costs; the same text again does not). At most 2,000 documents, 8 MiB." },
    { 34, "llm", "search", "llm", 20, LLM_CALL_MS_MAX, 0, { { "query", API_TEXT, false, false, 1, 2000 }, { "n", API_INT, true, false, 1, 20 } }, "{id:string,text:string,score:number}[]",
      "This plugin's documents that fit best, by words and by meaning (reciprocal rank fusion). Korean words are found inside longer ones." },
    { 35, "llm", "forget", "llm", 10, 3000, 0, { { "id", API_TEXT, false, false, 1, 128 } }, "boolean", "Drops a document. True when there was one." },
    { 36, "llm", "assess", "llm", 50, LLM_CALL_MS_MAX, API_MULTI,
      { { "question", API_TEXT, false, true, 1, 8000 }, { "choices", API_TABLE, true, true, 0, 0 }, { "samples", API_INT, true, true, 1, 33 }, { "drafts", API_INT, true, true, 0, 33 }, { "threshold", API_ANY, true, true, 0, 0 },
        { "axes", API_TABLE, true, true, 0, 0 }, { "sources", API_INT, true, true, 0, 8 }, T_MODEL, T_LANG, T_TOKENS, T_SEED, T_PAYER, T_WAIT, T_LLM_KEY },
      "{answer:string?,reasoning:string,agreement:number,votes:table<string,integer>,samples:integer,abstained:boolean,axes:{axis:string,score:integer,reason:string}[]?,sources:string[]?,disclaimer:string?}, " T_SPENT,
      "Several reasonings (samples, 5), the answer most agree on, how many that are, and no answer where they are fewer than threshold (0.5). drafts: so many are made first and refined. axes: names, or {\"all\"}: the model judges its answer. "
      "sources: so many of llm.search's hits are given to it. Questions of health bring a disclaimer. It makes no weak model right." },
    { 37, "llm", "translate", "llm", 50, LLM_CALL_MS_MAX, API_MULTI,
      { { "text", API_TEXT, false, true, 1, LLM_TRANSLATE_BYTES_MAX }, { "to", API_TEXT, false, true, 2, 16 }, { "from", API_TEXT, true, true, 2, 16 }, { "glossary", API_TABLE, true, true, 0, 0 }, { "notes", API_BOOL, true, true, 0, 0 },
        T_MODEL, T_SEED, T_PAYER, T_WAIT, T_LLM_KEY },
      "{text:string,from:string,to:string,idioms:{source:string,meaning:string,rendering:string}[]}, " T_SPENT,
      "Into one of over 100 languages by BCP-47 tag. Placeholders ({name}, %s, <b>, URLs) and glossary terms ({term=translation}) come through unchanged or the call is refused: llm_invalid. from: else it is detected. notes: idioms are explained. Quality depends on the model." },
    { 38, "llm", "tools", "llm", 1, LLM_CALL_MS_MAX, API_LOCAL,
      { { "messages", API_TABLE, false, true, 0, 0 }, { "tools", API_TABLE, false, true, 0, 0 }, { "max_steps", API_INT, true, true, 1, 32 }, T_MODEL, T_LANG, T_TOKENS, T_WARM, T_SEED, T_PAYER, T_WAIT, { "key", API_KEY, false, true, 1, 120 } },
      "{text:string,steps:integer,tools:integer,cost:integer}",
      "A chat in which the model may call functions of this plugin: tools={name={doc=\"..\",schema=<schema>,run=function(args) return value end}}. Arguments are checked before run; what is wrong, unknown tools and refusals (nil, code) are told to the model; "
      "results go back as fenced material. At most max_steps (8) calls of the model. Refusals: llm_steps, llm_loop (the same call again and again), those of llm.chat." },
    { 39, "llm", "budget", "llm", 5, 1000, 0, { { 0 } }, "{tokens_left:integer?,reset_ms:integer}", "How many tokens this plugin may still use today, absent where nothing limits it, and in how many milliseconds that begins anew." },
};
#define API_COUNT ((int)(sizeof api_calls / sizeof api_calls[0]))
#define API_VERSION "2026-11-01"      // the manifest's `api`
_Static_assert(sizeof api_calls / sizeof api_calls[0] == 39, "numbers are stable: append, then raise this count");
