// verbs.c — the table of verbs: parser, help and usage errors are made from it.
#include "cli/internal.h"

const struct cli_option cli_options_of_all[] = {
    { "data", "DIR", "the data folder (default: $FROND_DATA, else build/dev)" },
    { "json", NULL, "one JSON document on stdout instead of text" },
    { "help", NULL, "what this verb does" },
};
const int cli_options_of_all_count = sizeof cli_options_of_all / sizeof cli_options_of_all[0];

#define ARG_PLUGIN { "plugin", "PLUGIN", "the plugin's id", false }
#define ARG_MATCH { "match", "MATCH", "the match's id", false }
#define ARG_BURN { "id", "ID", "a burn, such as 4711, or a batch, such as b7", false }
#define ARG_BATCH { "id", "BATCH", "such as b7", false }
#define OPTION_ASSET { "asset", "ASSET", "PALM, TEST, ..." }
#define OPTION_LIMIT { "limit", "N", "at most so many" }

#define ARG_WITHDRAWAL { "withdrawal", "ID", "the withdrawal's id", false }
#define OPTION_OPERATOR { "operator", "NAME", "who does this: it is kept" }
#define WITHDRAWAL_COLUMNS "id player asset amount to state asked_at returning"
#define ARG_KEY_FILE { "file", "FILE", "the keystore file", false }
#define OPTIONS_PASSPHRASE { "passphrase", "FILE", "a file with the passphrase, one line; only its owner may read it (default: asked for)" }, { "passphrase-fd", "N", "the same from an open descriptor" }
#define OPTION_LIGHT { "light", NULL, "scrypt with little memory, for development: a guess costs a tenth" }
#define KEY_MORE "Web3 Secret Storage, version 3, as geth and ethers read it. The passphrase is asked for without echo, or comes from a file or descriptor; it is never an argument. " \
    "A passphrase that is lost is lost with its key."

const struct cli_verb cli_verbs[] = {
    { .name = "serve", .does = "run the host; prints `ready http://HOST:PORT`", .run = run_serve,
      .more = "SIGTERM ends it in good order. With --dev anybody on this machine may sign in as anybody, with test coins; such a data folder never serves without --dev.",
      .options = { { "listen", "HOST:PORT", "where to listen (default 127.0.0.1:8080; port 0 picks one)" }, { "config", "FILE", "settings as JSON: bot_token or bots, listen, plugins, telegram, ..." },
                   { "dev", NULL, "development: test coins, /app/dev/, a chain of its own, this machine only" }, { "no-chain", NULL, "without a chain, whatever the settings say" },
                   { "no-models", NULL, "without the built-in model, whatever the settings say" } } },

    { .name = "plugin new", .does = "make a plugin that runs at once", .run = run_plugin_new,
      .more = "A game goes to games/NAME, a tool to plugins/NAME, where a host looks for them. Then: frond plugin check, frond plugin test.",
      .args = { { "name", "NAME", "its id: lower-case letters, digits, single hyphens", false }, { "dir", "DIR", "the folder to make (default games/NAME or plugins/NAME)", true } },
      .options = { { "kind", "KIND", "game (default) or tool" } } },
    { .name = "plugin check", .does = "read, load and rehearse a plugin in the real sandbox", .run = run_plugin_check, .print = print_check,
      .more = "Checks plugin.json and the page, loads the Lua as a host would, compares what it defines with what plugin.json declares, then plays each mode of a game: the bot on "
              "every seat if there is one, random legal inputs beside it, and replays what it recorded alone and beside copies of itself. Needs no host and no data folder.",
      .args = { { "dir", "DIR", "the plugin's folder", false } },
      .options = { { "matches", "N", "matches to rehearse in each mode (default 4)" } } },
    { .name = "plugin test", .does = "run a plugin's *_test.lua with lua5.4, then `plugin check`", .run = run_plugin_test, .print = print_check,
      .args = { { "dir", "DIR", "the plugin's folder", false } } },
    { .name = "plugin list", .does = "the plugins of a running host", .console = "plugin.list", .run = run_console, .print = print_plugin_list,
      .more = "up: workers that run. draining: matches that end on an older version. Under the table stands each newer version that was not taken, with its mistake." },
    { .name = "plugin enable", .does = "start a plugin, now and at each start of the host", .console = "plugin.enable", .run = run_console, .args = { ARG_PLUGIN } },
    { .name = "plugin disable", .does = "stop a plugin; its matches are voided and stakes go back", .console = "plugin.disable", .run = run_console, .args = { ARG_PLUGIN } },
    { .name = "plugin install", .does = "take the version in a folder, or a new plugin, beside the one that serves", .run = run_plugin_install, .print = print_plugin_changed,
      .more = "Its workers start beside the old ones, and calls go to them only when all are up: nobody is turned away, and where the new one does not load the old one stays. Matches end on "
              "the version they began with; after drain_s (config, one day) those left are voided. Code and page are kept in the data folder: DIR may go away. Outside the folders that the host "
              "reads at its start it stays installed all the same.",
      .args = { { "folder", "DIR", "the plugin's folder", false } } },
    { .name = "plugin update", .does = "the same with the folder that the plugin was found in", .console = "plugin.update", .run = run_console, .print = print_plugin_changed, .args = { ARG_PLUGIN } },
    { .name = "plugin versions", .does = "what served here before, newest first", .console = "plugin.versions", .run = run_console, .columns = "version sha256 page since why current", .args = { ARG_PLUGIN } },
    { .name = "plugin rollback", .does = "back to an earlier version, from the code and page that were kept", .console = "plugin.rollback", .run = run_console, .print = print_plugin_changed,
      .more = "Without VERSION: the one that served before. It stays so over a restart, until the folder holds something else than what was rolled back. The code of all versions is kept, the "
              "page files of the last 50. Documents in the store are the plugin's own: they stay as they are.",
      .args = { ARG_PLUGIN, { "version", "VERSION", "its number, or the beginning of its SHA-256", true } } },
    { .name = "plugin unblock", .does = "let a player call a plugin again", .console = "plugin.unblock", .run = run_console,
      .more = "A player whose calls or moves break a plugin's limits or its worker twice in ten minutes is kept from that plugin: one minute, then twice as long each time, an hour at most. `frond top --json` names them.",
      .args = { ARG_PLUGIN, { "player", "PLAYER", "the player's id", false } } },
    { .name = "plugin logs", .does = "what a plugin wrote last", .console = "plugin.logs", .run = run_console, .print = print_log, .args = { ARG_PLUGIN }, .options = { OPTION_LIMIT } },

    { .name = "ledger balance", .does = "the accounts of a player, plugin or the house", .console = "ledger.balance", .run = run_console, .columns = "account owner asset free held",
      .args = { { "owner", "OWNER", "player:ID, plugin:ID, pool:NAME, chain:NAME, treasury, burn or burn:PLUGIN", false } }, .options = { OPTION_ASSET } },
    { .name = "ledger mint", .does = "give test coins to a player", .console = "ledger.mint", .run = run_ledger_mint,
      .more = "Outside --dev only what no chain backs, such as TEST. The same --key never mints twice.",
      .args = { { "player", "PLAYER", "the player's id", false }, { "amount", "AMOUNT", "in whole coins: 12.5", false } },
      .options = { { "asset", "ASSET", "PALM (default), TEST, ..." }, { "key", "KEY", "names this mint; a retry with the same key finds the first (default: a new one)" } } },
    { .name = "ledger audit", .does = "prove the ledger: sums, balances, holds, the journal's hash chain", .console = "ledger.audit", .run = run_ledger_audit },
    { .name = "ledger journal", .does = "the last entries of the journal, newest first", .console = "ledger.journal", .run = run_console, .columns = "id at kind reason asset legs key",
      .options = { { "owner", "OWNER", "only entries that touch this account" }, OPTION_ASSET, { "before", "ID", "entries older than this one" }, OPTION_LIMIT } },

    { .name = "session list", .does = "where a player is signed in", .console = "session.list", .run = run_console, .columns = "id scope bot device created_at seen_at expires_at opened_by",
      .args = { { "player", "PLAYER", "the player's id", false } } },
    { .name = "session revoke", .does = "sign a player out: one session, or all", .console = "session.revoke", .run = run_console,
      .more = "A game's session goes with the shell session that opened it. Open sockets are closed at once; the player may sign in again.",
      .args = { { "player", "PLAYER", "the player's id", false }, { "session", "SESSION", "one of `session list` (default: all)", true } } },

    { .name = "llm key list", .does = "API keys for the models, newest first", .console = "llm.key.list", .run = run_console, .columns = "id player name mark scopes last_used_at spent_today",
      .options = { { "player", "PLAYER", "those of one player" }, { "before", "KEY", "keys older than this one" }, OPTION_LIMIT } },
    { .name = "llm key new", .does = "make an API key; it is shown once", .console = "llm.key.new", .run = run_console, .print = print_llm_key_new,
      .more = "Without --player it is the operator's own and costs nobody anything. With it, what it does is paid by that player, up to --coins-day a day; no balance is looked at. "
              "Programs use it as Authorization: Bearer at /v1/, Google's clients as x-goog-api-key at /v1beta2/.",
      .args = { { "name", "NAME", "what it is for", false } },
      .options = { { "player", "PLAYER", "who pays" }, { "scopes", "LIST", "some of models,chat,embed (default: all)" }, { "tokens-minute", "N", "at most so many tokens (default: the host's limit)" },
                   { "tokens-day", "N", "the same for a day" }, { "requests-minute", "N", "at most so many calls" }, { "coins-day", "UNITS", "what it may cost its player in a day (default 0)" } } },
    { .name = "llm key revoke", .does = "end an API key for good", .console = "llm.key.revoke", .run = run_console, .args = { { "key", "ID", "its number, of `llm key list`", false } } },

    { .name = "match list", .does = "matches, newest first", .console = "match.list", .run = run_console, .columns = "id game mode state stake asset records created_at",
      .options = { { "state", "STATE", "seeding, running or ended" }, { "before", "MATCH", "matches older than this one" }, OPTION_LIMIT } },
    { .name = "match show", .does = "one match: players, result, log", .run = run_match_show, .print = print_match_show, .args = { ARG_MATCH },
      .options = { { "export", "FILE", "write all that a replay needs to a new file" } } },
    { .name = "match replay", .does = "play a match's log again and compare every hash", .run = run_match_replay, .print = print_replay,
      .args = { { "match", "MATCH", "the match's id; or --file", true } },
      .options = { { "times", "N", "how often (default 1)" }, { "beside", "N", "copies that run beside it in the same worker (default 0, at most 64)" },
                   { "from", "N|all", "from the snapshot after record N, or `all`: the start and every snapshot (default: the start)" },
                   { "file", "FILE", "an export of `match show --export`: needs no data folder" } } },
    { .name = "match verify", .does = "check a match: seeds, random stream, hash chain, code, replay, payout", .run = run_match_verify, .print = print_verify,
      .args = { { "match", "MATCH", "the match's id; or --file", true } },
      .options = { { "hash", "HASH", "the hash you were told when the match ended" }, { "file", "FILE", "an export of `match show --export`: needs no data folder" } } },

    { .name = "chain status", .does = "the chain: nodes, blocks, the host's key, the signer, what waits and why", .console = "chain.status", .run = run_console, .print = print_chain_status,
      .more = "state: off (no chain is configured), starting, ready, down. halted: why no money goes out. troubles: what an operator should look at." },
    { .name = "chain pause", .does = "sign nothing new; what was sent is followed to its end", .console = "chain.pause", .run = run_console },
    { .name = "chain resume", .does = "the end of a pause", .console = "chain.resume", .run = run_console },
    { .name = "chain forgive", .does = "say that you know why it halted, so that it goes on", .console = "chain.forgive", .run = run_console,
      .more = "Without NODE: somebody else used the key, or the data is an old copy. Payments whose nonce is gone are lost, and so are all that wait when nonces were used that this data never gave: "
              "what was paid is for the chain to say. With NODE: a node that was found lying about its chain is looked at again.",
      .args = { { "node", "NODE", "the node's name in the config file", true } } },
    { .name = "chain reconcile", .does = "what is owed inside against what lies on chain", .run = run_chain_reconcile,
      .more = "Of each asset: liabilities, dust and deposits that are kept, against the vault and the deposit addresses at the same final block; what burns and payouts have in flight is still in the liabilities. A shortfall, or a "
              "transfer out of the vault that no data here explains, halts money-out: exit code 1.",
      .options = { { "accept", NULL, "an operator has looked at the transfers that nobody explains, and money-out may go on" } } },

    { .name = "burn list", .does = "batches of burns, newest first; what is pending; what the chain burned and this data does not know", .console = "burn.list", .run = run_console, .print = print_burn_list,
      .more = "pending: given up, in no batch yet. batched: planned, not signed. sent: signed. proving: final, the chain is being asked. burned: the burn module says so, in a final block. reverted: its transaction failed; "
              "`burn run` or `burn return`. refuted: the module says something else; money-out halts. returned: its accruals are pending again. unknown: burned by newer data than this: `burn adopt`.",
      .options = { { "accruals", NULL, "the single burns in place of batches" }, { "plugin", "PLUGIN", "with --accruals: of this plugin" }, { "match", "MATCH", "with --accruals: of this match" },
                   { "before", "ID", "older than this one" }, OPTION_LIMIT } },
    { .name = "burn show", .does = "a burn with its proof, or a batch", .console = "burn.show", .run = run_console, .args = { ARG_BURN } },
    { .name = "burn run", .does = "burn what is pending now, whatever gas costs; or send a reverted batch again", .console = "burn.run", .run = run_console, .args = { { "id", "BATCH", "a reverted or refuted batch, such as b7 (default: all that is pending)", true } } },
    { .name = "burn pause", .does = "make no batches until `burn resume`; those on their way go on", .console = "burn.pause", .run = run_console },
    { .name = "burn resume", .does = "make batches again", .console = "burn.resume", .run = run_console },
    { .name = "burn return", .does = "give a batch's accruals back, unless the chain burned it", .console = "burn.return", .run = run_console, .args = { ARG_BATCH } },
    { .name = "burn adopt", .does = "book a batch that the chain burned and this data does not know", .console = "burn.adopt", .run = run_console,
      .more = "After old data was restored: newer data burned it. Pending accruals that make up its amount and root become it; where there are none such, the oldest up to the amount, and what is missing comes "
              "from chain:lost, which `ledger balance` shows. Burns go on when nothing is unknown any more.",
      .args = { { "id", "ID", "its id on chain, 0x.. of `burn list`", false } } },
    { .name = "burn verify", .does = "compute leaf and root again and compare with the burn module, at a final block", .console = "burn.verify", .run = run_burn_verify, .print = print_burn_verify, .args = { ARG_BURN } },
    { .name = "burn supply", .does = "cap, circulating, burned: what was published, what Frond burned, what the chain says", .console = "burn.supply", .run = run_console, .print = print_burn_supply, .options = { OPTION_ASSET } },

    { .name = "llm tasks", .does = "the tasks that come with the host", .run = run_llm_tasks, .columns = "name version about" },
    { .name = "llm task", .does = "run a task by its name, or from a file", .console = "llm.task", .run = run_llm_task,
      .args = { { "task", "TASK|FILE", "one of `llm tasks`, or a task in a file (llm/task.h says what it looks like)", false }, { "vars", "JSON", "its variables, such as '{\"question\":\"..\"}'", true } },
      .options = { { "model", "NAME", "the model (default: the host's)" } } },
    { .name = "llm eval", .does = "run a task's eval set and say how much of it was right", .console = "llm.task", .run = run_llm_eval, .print = print_llm_eval,
      .more = "Item by item through the running host, paid by the operator. An answer that does not fit the task's schema after its repairs counts as wrong. The interval is Wilson's, 95 %.",
      .args = { { "task", "TASK|FILE", "one of `llm tasks`, or a task in a file", false } },
      .options = { { "limit", "N", "only the first N items" }, { "model", "NAME", "the model (default: the host's)" } } },

    { .name = "deposit list", .does = "the deposit addresses, oldest first", .console = "deposit.list", .run = run_console, .columns = "number player address deposits kept made_at",
      .more = "kept: deposits that could not be credited; `deposit show` tells them. With --json each address has its salt: with it anybody can sweep the address, to the vault alone.",
      .options = { { "after", "NUMBER", "addresses with a higher number" }, OPTION_LIMIT } },
    { .name = "deposit show", .does = "one deposit address: what came, what lies there, dust", .console = "deposit.show", .run = run_console,
      .args = { { "who", "ADDRESS|PLAYER", "the address, or the player's id", false } } },

    { .name = "withdrawal list", .does = "coins that players asked to leave, newest first", .console = "withdrawal.list", .run = run_console, .columns = WITHDRAWAL_COLUMNS,
      .options = { { "state", "STATE", "asked, waiting, batched, review, paid or returned" }, { "player", "PLAYER", "of this player" }, { "before", "ID", "older than this one" }, OPTION_LIMIT } },
    { .name = "withdrawal unknown", .does = "payments on chain that this data does not know", .console = "withdrawal.unknown", .run = run_console, .columns = "code asset amount to block adopted operator mark",
      .more = "An older copy of the data was restored, or one was returned and paid after all. While there is one that nobody adopted, no coins leave." },
    { .name = "withdrawal show", .does = "one withdrawal", .console = "withdrawal.show", .run = run_console, .args = { ARG_WITHDRAWAL } },
    { .name = "withdrawal approve", .does = "approve a large one: two different operators have to", .console = "withdrawal.approve", .run = run_console, .args = { ARG_WITHDRAWAL }, .options = { OPTION_OPERATOR } },
    { .name = "withdrawal refuse", .does = "give one back that has not been put into a batch", .console = "withdrawal.refuse", .run = run_console, .args = { ARG_WITHDRAWAL }, .options = { OPTION_OPERATOR } },
    { .name = "withdrawal return", .does = "give one back, in whatever state", .console = "withdrawal.return", .run = run_console, .args = { ARG_WITHDRAWAL }, .options = { OPTION_OPERATOR },
      .more = "A batch that is under way is taken back as a whole; the others in it wait again. It is given back when a final block shows that it was not paid, and that nothing of ours can pay it any more." },
    { .name = "withdrawal again", .does = "try one again whose transaction reverted", .console = "withdrawal.again", .run = run_console, .args = { ARG_WITHDRAWAL }, .options = { OPTION_OPERATOR } },
    { .name = "withdrawal pause", .does = "take no new withdrawals and pay none; what is under way is followed", .console = "withdrawal.pause", .run = run_console, .options = { OPTION_OPERATOR } },
    { .name = "withdrawal resume", .does = "the end of a pause", .console = "withdrawal.resume", .run = run_console, .options = { OPTION_OPERATOR } },
    { .name = "withdrawal adopt", .does = "book every payment of `withdrawal unknown` as lost; money-out goes on", .console = "withdrawal.adopt", .run = run_console, .options = { OPTION_OPERATOR },
      .more = "chain:lost takes the loss and chain:world gets what left, so the books show it." },

    { .name = "llm ask", .does = "ask a model, as the operator", .console = "llm.ask", .run = run_console, .print = print_llm_ask, .args = { { "prompt", "TEXT", "the question", false } },
      .options = { { "model", "NAME", "one of `llm pools` (default: the host's)" }, { "lang", "TAG", "the language it is in (ko, pt-BR): models declared for it first" }, { "tokens", "N", "at most so many in the answer" }, { "keep", NULL, "keep prompt and answer: `llm record`" } } },
    { .name = "llm pools", .does = "models: calls, queue, cache, and each pod with what it bears", .console = "llm.pools", .run = run_console, .print = print_llm_pools,
      .more = "A pod is one address of a backend. room: how many requests at once it was found to bear. pace_us: microseconds for a token or so. state: new, up, trial (it looks well again), down; why says the last failure." },
    { .name = "llm budget", .does = "who used models lately, what is left, what is set aside", .console = "llm.budget", .run = run_console, .columns = "who open requests_minute tokens_minute requests_day tokens_day units_set_aside" },
    { .name = "llm usage", .does = "calls, tokens and coins by day, payer and model", .console = "llm.usage", .run = run_console, .columns = "day payer tenant model calls failed prompt_tokens answer_tokens cost",
      .options = { { "days", "N", "today and the days before (default 7)" }, { "payer", "WHO", "plugin:ID, player:ID or operator" } } },
    { .name = "llm record", .does = "calls that were kept, newest first; or one, whole", .console = "llm.record", .run = run_console, .columns = "id at tenant model prompt_tokens answer_tokens total_ms code",
      .more = "Kept is what was asked to be kept, and everything while the config file says \"record\": \"all\", then with secrets and personal data hidden.",
      .args = { { "record", "RECORD", "its id", true } }, .options = { { "tenant", "WHO", "plugin:ID, key:ID or operator" }, { "before", "RECORD", "older than this one" }, OPTION_LIMIT } },
    { .name = "llm replay", .does = "play a kept call again from what was kept, and compare", .console = "llm.replay", .run = run_llm_replay,
      .more = "No model is asked: the request must come to the same hash, and the events must add up to the answer. One that was kept with text hidden does not.", .args = { { "record", "RECORD", "its id", false } } },
    { .name = "llm reload", .does = "read \"models\" of the config file again, without a restart", .console = "llm.reload", .run = run_console,
      .more = "Calls under way end as they began; pods that stay keep what was learned of them. A mistake in the file changes nothing. SIGHUP does the same." },

    { .name = "telegram connect", .does = "walk through what a bot needs to open this host, and set its button", .run = run_telegram_connect, .print = print_connect,
      .more = "Checks the token with Telegram, the public address and its certificate, and sets the menu button that opens the app. Each step says what to do when it fails. "
              "Settings stand in the config file of `frond serve` under \"telegram\": public_url, menu_text, api, ca_file. The token never appears in what is printed.",
      .options = { { "config", "FILE", "the config file of `frond serve` (default: only FROND_BOT_TOKEN)" }, { "bot", "NAME", "which of the config file's bots" },
                   { "url", "URL", "https://HOST, in place of telegram.public_url" }, { "dry-run", NULL, "change nothing at Telegram" } } },

    { .name = "top", .does = "what each plugin uses: calls, CPU, memory, latency, who is refused", .run = run_top, .print = print_top,
      .more = "In a terminal the table refreshes until ^C. CPU% is of one core, beside the plugin's budget: past it calls are answered 429 cpu_budget and turns of matches wait. MEM is Lua's memory of all "
              "its workers, PEAK the most one of them used, P50 and P99 how long calls took in the last minute, 429 the calls refused for CPU or because their player is blocked, BL the players who are "
              "blocked now, CR crashes of its workers. With --json: the same for programs, with totals, the last minute, and who is blocked. The same figures stand at /metrics for Prometheus.",
      .options = { { "once", NULL, "one table, rates of the last minute" }, { "every", "SECONDS", "how often it refreshes (default 2)" }, { "sort", "COLUMN", "cpu (default), calls, memory, p99 or name" } } },
    { .name = "backup", .does = "copy the data as of one commit to a new folder, while the host serves", .run = run_backup, .print = print_backup,
      .more = "The folder DIR holds the database, the data folder's small files and a manifest with their hashes. It is made as DIR.part and renamed when it is whole. "
              "The config file is not in it: keep that beside it. A backup holds secrets and players' data.",
      .args = { { "dir", "DIR", "the folder to make; the folder above it must be there", false } },
      .options = { { "verify", NULL, "read it again: hashes, every page, the ledger from its first row" }, { "force", NULL, "replace the backup that is there" } } },
    { .name = "restore", .does = "make a data folder from a backup", .run = run_restore, .print = print_restore,
      .more = "Everything is checked before it becomes the data: hashes, every page, the ledger from its first row. What happened after the backup is not in it.",
      .args = { { "backup", "BACKUP", "a folder that `frond backup` made", false } },
      .options = { { "force", NULL, "if there is data: move it to DIR.before-TIME and put the backup in its place" }, { "check", NULL, "only look through the backup" } } },
    { .name = "doctor", .does = "look for what could go wrong: sandbox, config, data, ledger, clock, backups", .run = run_doctor, .print = print_doctor,
      .more = "Reads everything, so a large database takes its time; --quick reads its ends only. Changes nothing. Exit code 1 when something must be put right. With --config it reads the config "
              "file as `serve` would (for a folder that --dev made, as `serve --dev` would) and tells each mistake in it, before a restart does; nothing is asked of the network.",
      .options = { { "config", "FILE", "the config file of `frond serve`" }, { "dev", NULL, "read it as `serve --dev` would" }, { "quick", NULL, "leave out what reads the whole database" } } },
    { .name = "key new", .does = "make a private key, in a keystore file of its own", .run = run_key_new, .more = KEY_MORE,
      .args = { ARG_KEY_FILE }, .options = { OPTIONS_PASSPHRASE, OPTION_LIGHT } },
    { .name = "key import", .does = "put a private key that you have into a keystore file", .run = run_key_import, .more = KEY_MORE,
      .args = { ARG_KEY_FILE }, .options = { { "secret", "FILE", "a file with the key, 64 hex digits; only its owner may read it (default: asked for)" }, { "secret-fd", "N", "the same from an open descriptor" },
                   OPTIONS_PASSPHRASE, OPTION_LIGHT } },
    { .name = "key list", .does = "the keystore files in a folder, with the addresses they claim", .run = run_key_list, .columns = "address kdf cost file",
      .args = { { "dir", "DIR", "the folder", false } } },
    { .name = "key check", .does = "open a keystore file: does the passphrase fit, and is the address its key's?", .run = run_key_check, .more = KEY_MORE,
      .args = { ARG_KEY_FILE }, .options = { OPTIONS_PASSPHRASE } },
    { .name = "version", .does = "which Frond this is", .run = run_version },
    { .name = "help", .does = "this list, or what one verb does", .run = run_help, .print = print_text_of,
      .args = { { "verb", "VERB", "such as `plugin new`", true }, { "word", "", "its second word", true }, { "last", "", "its third", true } } },
};
const int cli_verb_count = sizeof cli_verbs / sizeof cli_verbs[0];
