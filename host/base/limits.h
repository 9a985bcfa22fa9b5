// limits.h — every bound that an outsider can run into, with its unit and why that number.
//
// A queue, buffer, message, table, retry or loop that others can fill names its bound here and has a test one step past it.
#pragma once

// ---- JSON
#define JSON_DEPTH_MAX 32                  // deep enough for any real message; recursion stays under 10 KiB of stack
#define JSON_TEXT_BYTES_MAX (1024 * 1024)  // no single document is larger than a frame
#define JSON_NUMBER_BYTES_MAX 63           // cJSON copies a number into 64 bytes; a double needs 24
#define JSON_KEYS_BYTES_MAX (8 * JSON_TEXT_BYTES_MAX)   // keys spelled out while checking: at worst 16 bytes for each 7 of text, in blocks

// ---- HTTP (net/)
#define HTTP_HEADER_BYTES_MAX (16 * 1024)  // request line and headers together; Telegram's launch data is under 4 KiB
#define HTTP_HEADERS_MAX 64
#define HTTP_URL_BYTES_MAX (4 * 1024)
#define HTTP_BODY_BYTES_MAX (256 * 1024)   // a call's arguments; uploads will have a route of their own
#define HTTP_HEADER_MS 10000               // from the first byte to the end of the headers
#define HTTP_BODY_MS 20000                 // from the end of the headers to the end of the body
#define HTTP_IDLE_MS 75000                 // between requests on a kept-alive connection
#define HTTP_PIPELINE_MAX 16               // answered in order; reading pauses past it
#define HTTP_CONNECTIONS_MAX 20000
#define CONNECTIONS_PER_ADDRESS_MAX 256    // a household, an office; who serves more people from one address is named as a proxy
#define PLAYER_REQUESTS_PER_SECOND 30      // over HTTP, all sessions of a player together; a page makes some at its start ...
#define PLAYER_REQUESTS_BURST 120          // ... hence a burst
#define ADDRESS_REQUESTS_PER_SECOND 200    // of everybody behind an address, signed in or not: carriers put many behind one
#define ADDRESS_REQUESTS_BURST 1000
#define RATE_KEYS_MAX 40000                // players, and addresses, that were busy within the last seconds
#define HTTP_WRITE_QUEUE_BYTES_MAX (4 * 1024 * 1024)   // what a slow reader may make us hold
#define HTTP_STREAM_QUEUE_BYTES_MAX (64 * 1024)    // of an answer in pieces that its client has not taken: its maker is told to pause
#define HTTP_PIPELINE_BYTES_MAX (64 * 1024)    // of answers a client has not read: no further request of its connection is begun
#define HTTP_WRITE_STALL_MS 20000          // a client that takes no byte of a waiting answer for this long is dropped
#define HTTP_LINGER_MS 1000                // after our last byte we read on this long, so that a reset does not eat the answer
#define HTTP_CHUNK_EXTENSION_BYTES_MAX 1024    // of one message; nobody uses them
#define FILE_BYTES_MAX (8 * 1024 * 1024)   // a static file of a plugin's page

// ---- outgoing HTTP (net/client); "public": calls that plugins cause, which have a pool of their own
#define CLIENT_CALLS_MAX 1024              // of a pool, waiting or under way; past it FR_E_BUSY
#define CLIENT_CONNECTIONS_MAX 128         // of our own pool at once; kept-alive ones without a call are within it
#define CLIENT_CONNECTIONS_PUBLIC_MAX 64
#define CLIENT_CONNECTIONS_PER_HOST_MAX 32     // llama-server has 4 slots, a node's limit is by the second
#define CLIENT_CONNECTIONS_PER_HOST_PUBLIC_MAX 8
#define CLIENT_URL_BYTES_MAX (4 * 1024)
#define CLIENT_HEADERS_MAX 32              // of a request ...
#define CLIENT_HEADER_BYTES_MAX (16 * 1024)    // ... together
#define CLIENT_BODY_BYTES_MAX (8 * 1024 * 1024)    // of a request: a prompt with pictures
#define CLIENT_ANSWER_HEADER_BYTES_MAX (64 * 1024) // interim answers and trailers included
#define CLIENT_ANSWER_BYTES_DEFAULT (1024 * 1024)
#define CLIENT_ANSWER_BYTES_MAX (16 * 1024 * 1024)     // kept in memory until it is whole
#define CLIENT_STREAM_BYTES_MAX (256LL * 1024 * 1024)  // passed on as it comes
#define CLIENT_DISCARD_BYTES_MAX (64 * 1024)   // of an answer that nobody will see, for the sake of its connection
#define CLIENT_CONNECT_MS 5000             // name, TCP and TLS, all addresses tried
#define CLIENT_IDLE_MS 15000               // no byte either way
#define CLIENT_MS 30000                    // the whole call, waiting and retries included
#define CLIENT_MS_MAX (60 * 60 * 1000)
#define CLIENT_RETRIES_MAX 5
#define CLIENT_RETRY_MS_MIN 100            // back-off: anything from 0 to this, doubled with each retry, up to ...
#define CLIENT_RETRY_MS_MAX 5000
#define CLIENT_RETRY_AFTER_MS_MAX 10000    // a server that asks for more gets no retry; its answer is the call's
#define CLIENT_REDIRECTS_MAX 5
#define CLIENT_KEEP_S 55                   // a connection unused for longer is not used again: servers close after 60
#define CLIENT_KEEP_S_MAX 600              // nor is one that was opened longer ago: its name may lead elsewhere by now
#define CLIENT_NAMES_MAX 256               // of a pool, remembered with their addresses
#define CLIENT_NAME_MS 30000               // for how long
#define CLIENT_ADDRESSES_MAX 8             // of one name
#define CLIENT_LOOKUPS_PUBLIC_MAX 1        // at once: libuv gives name lookups two threads, and one must stay ours when a stranger's name hangs

// ---- WebSocket
#define WS_MESSAGE_BYTES_MAX (64 * 1024)   // one message after reassembly
#define WS_SEND_QUEUE_BYTES_MAX (1024 * 1024)  // past it the client is too slow and is closed with 1013
#define WS_PING_MS 25000                   // under the 30 s that mobile carriers keep a silent connection
#define WS_AUTH_MS 5000                    // first message {op:"auth"} when no subprotocol carried the token
#define WS_MESSAGES_PER_SECOND_MAX 50      // a person cannot; a script may not
#define WS_CLOSE_MS 2000                   // how long we wait for the peer's close frame
#define SOCKETS_PER_PLAYER_MAX 8
#define SOCKET_OPS_MAX 64                  // of one socket, not yet answered
#define WALLET_EVENTS_MAX 20000            // balances that changed and were not told yet

// ---- streams of events (net/sse)
#define SSE_HEARTBEAT_MS 15000             // a comment when nothing else was sent: under the 20 to 60 s after which proxies drop a silent line
#define SSE_KEPT_BYTES_MAX (256 * 1024)    // of one stream, for clients that come back: an answer of 8,000 tokens
#define STREAMS_KEPT_MAX 512               // so many at once, those that ended within their minute included ...
#define STREAMS_KEPT_PER_PLAYER_MAX 4      // ... and of one player; a further one is a stream that cannot be gone on with
#define SSE_KEPT_MS (60LL * 1000)          // after a stream began: a phone that changes its network is back within seconds

// ---- worker frames (ipc/, sandbox/)
#define FRAME_BYTES_MAX (1024 * 1024)
#define FRAMES_PER_SECOND_MAX 200000       // a relay bench reaches 80k; a flood is millions
#define FRAME_PARTIAL_MS 1000              // a half frame must be completed within this
#define WORKER_OUTBOX_BYTES_MAX (8 * 1024 * 1024)
#define WORKER_HEAP_BYTES_DEFAULT (32 * 1024 * 1024)
#define WORKER_HEAP_BYTES_MAX (256 * 1024 * 1024)
#define TURN_SOFT_MS 100                   // CPU per resume: hooks go in
#define TURN_HARD_MS 150                   // CPU per resume: the worker's own signal handler ends it
#define TURN_KILL_MS 250                   // CPU, seen from outside: the host kills
#define TURN_STALL_MS 1000                 // wall time without progress while work is outstanding
#define CALLS_PER_WORKER_MAX 512           // in flight; past it 503 busy
#define ASKS_PER_CALL_MAX 64               // host calls a single Lua call may have open (frond.all)
#define MATCHES_PER_WORKER_MAX 2048        // a bare one takes 13 KiB of its heap; a multiple of 64, number 0 stays free
#define WORKER_SPARES 2                    // ready at all times; more when workers are started often
#define WORKER_SPARES_MAX 8                // of all heap sizes together: 190 KiB each
#define WORKER_RESTART_MS_MIN 50           // back-off after a crash, doubled up to the maximum
#define WORKER_RESTART_MS_MAX 5000
#define WORKER_CRASHES_PER_MINUTE_MAX 3    // then the plugin is quarantined

// ---- what one plugin may use
#define PLUGIN_CPU_PERCENT_DEFAULT 20      // of one core, all its workers together
#define PLUGIN_CPU_WINDOW_MS 10000         // what was not used in this time may be used at once
#define BLOCK_STRIKES 2                    // turns of one player that broke the plugin's worker or its limits ...
#define BLOCK_WINDOW_MS (10LL * 60 * 1000) // ... within this time: the player is blocked from the plugin
#define BLOCK_MS_MIN (60LL * 1000)         // the first time; doubled up to the maximum
#define BLOCK_MS_MAX (60LL * 60 * 1000)
#define BLOCKS_PER_PLUGIN_MAX 256          // players with strikes; past it the one that matters least is forgotten

// ---- calls
#define CALL_DEADLINE_MS 5000              // wall time of a whole call, host calls included
#define CALL_PATIENCE_MS_MAX (5 * 60 * 1000)   // ... more of it, in all, while a model is at work for it
#define CALL_ARGS_BYTES_MAX (64 * 1024)
#define CALL_RESULT_BYTES_MAX (256 * 1024)
#define API_CALLS_PER_SECOND_MAX 20000     // host calls a worker may make
#define STREAM_PIECE_BYTES_MAX 8192        // one ctx:stream
#define STREAM_CALL_BYTES_MAX (128 * 1024) // of all that one call streams: several times the longest answer of a model that a page shows
#define STREAM_EVERY_MS 50                 // pieces that follow sooner go out together: 20 messages a second for each call

// ---- plugins
#define PLUGIN_ID_BYTES_MAX 32
#define PLUGIN_FILES_MAX 256
#define PLUGIN_LUA_BYTES_MAX (512 * 1024)  // all Lua of a package: it travels to the worker in one frame
#define PLUGIN_WEB_BYTES_MAX (32 * 1024 * 1024)
#define PLUGIN_MANIFEST_BYTES_MAX (64 * 1024)
#define PLUGINS_MAX 200
#define PLUGIN_FUNCTIONS_MAX 64
#define PLUGIN_MODES_MAX 16
#define PLUGIN_TASKS_MAX 32                // named tasks for the model
#define PLUGIN_LOG_LINES_MAX 500           // kept in memory per plugin for `plugin logs`
#define WORKERS_PER_PLUGIN_MAX 8           // limits.workers of a manifest: more than cores gain nothing
#define WORKERS_MAX 512                    // processes of all plugins and versions: each costs some MiB and a descriptor
#define VERSIONS_DRAINING_MAX 8            // of one plugin, beside its current one; past it the oldest is retired
#define VERSION_DRAIN_MS (24LL * 60 * 60 * 1000)   // how long a replaced version may finish its matches
#define VERSION_UP_MS 8000                 // a new version's workers must be up by then, else the old one stays
#define VERSIONS_KEPT_MAX 50               // lines of a plugin's history: how far back a rollback can reach
#define RELOAD_QUIET_MS 25                 // --dev: an editor saves in several steps; so long nothing may change
#define WATCHED_FOLDERS_MAX 64             // --dev: of one plugin

// ---- store
#define STORE_QUEUE_MAX 8192               // jobs waiting; past it FR_E_BUSY
#define STORE_GROUP_MAX 256                // jobs in one commit
#define STORE_PATIENCE_MS 3                // a commit costs the same for one tick and for sixty; a tick is seen 50 ms after the one before
#define STORE_READ_MS_MAX 1000             // a reader transaction
#define STORE_LONG_READ_MS_MAX (5 * 60 * 1000)   // the one long reader (an audit): the log cannot shrink meanwhile
#define KV_KEY_BYTES_MAX 256
#define KV_VALUE_BYTES_MAX (64 * 1024)
#define KV_LIST_MAX 100
#define KV_BATCH_MAX 32
#define KV_QUOTA_BYTES_DEFAULT (16LL * 1024 * 1024)
#define KV_QUOTA_BYTES_MAX (1024LL * 1024 * 1024)

// ---- ledger
#define KEY_BYTES_MAX 128                  // an idempotency key
#define TRANSFER_LEGS_MAX 80               // 64 seats and a full split
#define HOLDS_PER_OWNER_MAX 256            // open at once: they are settled together, in one row
#define NOTE_BYTES_MAX 1024                // of a journal row
#define LINKED_MAX 32
#define HOLD_MS_MAX (24LL * 60 * 60 * 1000)
#define SPLIT_PARTS_MAX 16
#define UNITS_MAX 1000000000000000000LL    // 10^18: ten times PALM's whole cap; sums of a few stay inside int64
#define IDEMPOTENCY_MS (24LL * 60 * 60 * 1000)
#define IDEMPOTENCY_KEYS_MAX 5000          // of one player within that time
#define IDEMPOTENCY_BYTES_MAX (4 * 1024 * 1024)       // of one player's answers together; past it the oldest are dropped, their keys stay
#define IDEMPOTENCY_ANSWER_BYTES_MAX (64 * 1024)   // a larger answer is not kept, its key is

// ---- players
#define INITDATA_BYTES_MAX 4096
#define INITDATA_FIELDS_MAX 32
#define INITDATA_AGE_S_DEFAULT (24 * 60 * 60)
#define INITDATA_FUTURE_S 60
#define BOTS_MAX 8                         // of one host: each of those without a token may cost a signature check per sign-in, 60 us
#define FETCH_MS 15000                     // of one request to another server, answer included
#define FETCH_CONNECT_MS 5000
#define BOTAPI_ANSWER_BYTES_MAX (256 * 1024)   // of the Bot API; what we ask for has a few hundred
#define BOTAPI_WAIT_S_MAX 10               // "retry_after" up to this is waited for, once; a longer one is told
#define SESSION_MS (24LL * 60 * 60 * 1000)
#define SESSIONS_PER_PLAYER_MAX 16         // the oldest is revoked
#define SESSION_SEEN_MS (60LL * 1000)      // "last used" is kept to the minute: a write per request would be one too many
#define SESSIONS_SEEN_MAX 1024             // to be written with the next tick; past it a session is noted a request later
#define USER_AGENT_BYTES_MAX 512           // more of it is not looked at
#define LOGIN_AGE_S (10 * 60)              // of a Telegram login on a web page: it is used at once
#define WALLET_SESSION_MS (30LL * 60 * 1000)   // scope "wallet", in a browser outside Telegram
#define WALLET_CODE_MS (10LL * 60 * 1000)  // a link to that browser
#define WALLET_NONCE_MS (10LL * 60 * 1000) // a message to sign
#define WALLET_NONCES_PER_PLAYER_MAX 8
#define WALLETS_PER_PLAYER_MAX 8
#define API_KEYS_PER_PLAYER_MAX 8          // for programs that use the models; those revoked do not count
#define API_KEYS_OPERATOR_MAX 256          // of the operator's own
#define API_KEY_NAME_BYTES_MAX 60
#define API_KEY_SEEN_MS (60LL * 1000)      // "last used" is kept to the minute
#define API_KEYS_SEEN_MAX 256              // to be written with the next tick
#define API_KEYS_KNOWN_MAX 4096            // remembered by the loop ...
#define API_KEY_KNOWN_MS 2000              // ... for so long, and no longer: a key that was revoked elsewhere
#define API_KEY_FAILURES_MAX 20            // keys from one address that are none, within ...
#define API_KEY_FAILURES_MS (60LL * 1000)  // ... this time: then it waits. Guessing 256 bits is hopeless; this keeps it cheap too
#define CONSENT_MS_MAX (30LL * 24 * 60 * 60 * 1000)
#define INTENTS_PER_PLAYER_MAX 32
#define INTENT_MS (10LL * 60 * 1000)

// ---- matches
#define SEATS_MAX 64
#define MATCHES_MAX 20000
#define MATCHES_PER_PLAYER_MAX 8
#define TICKETS_MAX 20000
#define TICKETS_PER_PLAYER_MAX 4
#define MATCH_INPUT_QUEUE_MAX 64           // turns waiting in one match; a seat has its share of them, see SEAT_QUEUE_MAX in play
#define MATCH_RELAY_BYTES_MAX 1024         // one message between seats: times 50 a second, times 63 other seats
#define MATCH_LOG_RECORDS_MAX 20000
#define MATCH_CHUNK_RECORDS 64             // of one match, put together once so many stand singly
#define MATCH_CHUNK_BYTES_MAX (2 * MATCH_LOG_BYTES_MAX)     // as much as a log has, and a hash for each: whatever waited for the disk meanwhile is in it
#define MATCH_TAIL_RECORDS 32768           // of all matches, standing singly: who stands half as far back is put together sooner. Reading a running match walks them: 8 ms
#define MATCH_TRIM_RECORDS 2048            // deleted in one job, so that nobody waits for longer than 2 ms
#define MATCH_LOG_KEEP_MS (90LL * 24 * 60 * 60 * 1000)      // after a match has ended; then hash, seats and result stay (match_log_days in the configuration)
#define MATCH_LOG_BYTES_MAX (8 * 1024 * 1024)
#define MATCH_EXPORT_BYTES_MAX (4 * MATCH_LOG_BYTES_MAX)   // records as JSON text inside JSON: at worst twice as long, with hashes and the package
#define MATCH_IDLE_TICKS_MAX 36000         // counted in one record: ten minutes at 60 a second; then one is logged, so that a replay's longest stretch has an end
#define MATCH_ABANDONED_MS (30LL * 60 * 1000)   // a game with ticks whose players are all away: it would run for ever; a page in a pocket comes back within ten minutes
#define MATCH_RETRY_MS_MAX (5LL * 60 * 1000)    // between tries to store what the store refused, doubled from a second
#define MATCH_EVENTS_KEPT 128              // per seat, for match.resume
#define MATCH_TIMERS_MAX 32
#define MATCH_SNAPSHOT_RECORDS 8           // a match goes on from the last multiple: a resume plays at most so many turns; a new Lua state costs less than one
#define MATCH_SNAPSHOT_RECORDS_LONG 128    // of a match with so many records: it ticks or relays, and has some of them every second
#define MATCH_SNAPSHOT_BYTES_MAX (4 * 1024 * 1024)   // what the host knows of a match, every seat's view included; over it there is no snapshot
#define MATCH_SNAPSHOT_RING_BYTES (256 * 1024)       // of the last events, all seats together: who missed more gets a fresh match.start
#define MATCH_STATE_BYTES_MAX (256 * 1024)  // canonical; it is written and hashed each turn
#define MATCH_EFFECTS_MAX 256              // of one turn
#define MATCH_VOIDS_PER_SEAT_MAX 3
#define MATCH_SEED_MS 4000                 // to reveal a seed that was committed to
#define MATCH_RESUME_GRACE_MS 4000         // after a restart no clock runs out before this
#define MATCH_WAIT_MS (10LL * 60 * 1000)    // without a worker that can go on (quarantine, a game that no longer loads): then stakes go home
#define MATCH_TICK_HZ_MAX 60
#define MATCH_TICKS_BEHIND_MAX 4           // records not yet on disk; with so many a match's ticks are lost, which its tick_no tells
#define MATCH_SPECTATORS_MAX 1000          // sockets that watch one match; each change is written to all of them
#define SPECTATOR_EVENTS_MAX 256           // of one match, waiting for their delay; past it the oldest are left out, the next view is whole
#define SPECTATOR_BYTES_MAX (1024 * 1024)  // the same in bytes
#define SOCKET_WATCHES_MAX 8               // matches that one socket watches
#define SPECTATOR_DELAY_MS_DEFAULT 3000    // what is on the table is seen by all; late enough that whoever watches cannot play for a player
#define SPECTATOR_DELAY_MS_MAX 600000

// ---- nodes of a chain (chain/rpc, chain/endpoints)
#define RPC_BATCH_MAX 64                   // calls in one request; providers allow 100 and more
#define RPC_REQUEST_BYTES_MAX (512 * 1024) // a raw transaction of 64 KiB has twice that in hex
#define RPC_ANSWER_BYTES_MAX (2 * 1024 * 1024)     // of one HTTP answer: read on the loop, which it holds for 15 ms at most. 3500 logs; then ask for fewer blocks
#define RPC_LOGS_MAX 5000                  // of one answer
#define RPC_DATA_BYTES_MAX (128 * 1024)    // of one hex text: a contract's code has 24 KiB, a call's result is ours
#define RPC_TEXT_BYTES_MAX 200             // what a node says of an error, cleaned
#define RPC_PARAMS_BYTES_MAX (160 * 1024)
#define ENDPOINTS_MAX 8
#define ENDPOINT_EXCHANGES_MAX 16          // HTTP requests to one endpoint at once
#define ENDPOINTS_READS_MAX 512            // calls waiting or under way; past it FR_E_BUSY
#define ENDPOINT_READ_MS 15000             // a call's deadline unless it names another ...
#define ENDPOINT_READ_MS_MAX 120000        // ... up to this
#define ENDPOINT_EXCHANGE_MS 5000          // one endpoint's answer; then the next is asked
#define ENDPOINT_CHECK_MS 60000            // between looks at chain id, genesis and height of a good endpoint
#define ENDPOINT_PROBE_MS (60LL * 60 * 1000)   // between looks at what it can do
#define ENDPOINT_DOWN_MS_MIN 250           // after a failure, doubled ...
#define ENDPOINT_DOWN_MS_MAX 30000         // ... up to this
#define ENDPOINT_LAG_BLOCKS_MAX 8          // behind the highest: asked only when no other is there

// ---- transactions that are sent (chain/txq)
#define TXQ_PAYMENTS_MAX 1024              // not ended; past it FR_E_BUSY. A payment is a batch already
#define TXQ_OPEN_MAX 16                    // nonces under way at once: geth keeps 16 of an account for sure (txpool.accountslots)
#define TXQ_ATTEMPTS_MAX 24                // signed for one nonce ...
#define TXQ_ATTEMPTS_CANCEL 8              // ... of which the last so many are for taking it back
#define TXQ_HASHES_MAX 48                  // receipts asked for in one request, lowest nonces first: two nonces at their worst
#define TXQ_SENDS_MAX 4                    // under way at once
#define TXQ_NAME_BYTES_MAX 63
#define TXQ_DATA_BYTES_MAX (8 * 1024)      // of a payment: what a signer takes; a sweep of 100 has 3.4 KiB
#define TXQ_GAS_MAX 16777216               // of one transaction: EIP-7825
#define TXQ_CHECK_MS_MIN 5000              // between looks at a payment that would revert, doubled ...
#define TXQ_CHECK_MS_MAX (10LL * 60 * 1000)   // ... up to this

// ---- models (llm/)
#define LLM_BODY_BYTES_MAX JSON_TEXT_BYTES_MAX // of one request, pictures in it included: base64 of 750 KB
#define LLM_MESSAGES_MAX 256
#define LLM_INPUTS_MAX 256                 // texts of one embedding request
#define LLM_CHOICES_MAX 8                  // n
#define LLM_ANSWER_TOKENS_DEFAULT 256      // where nobody says how long an answer may be
#define LLM_ANSWER_TOKENS_MAX 32768
#define LLM_ANSWER_BYTES_MAX (1024 * 1024) // of one answer, as JSON: a frame's bound
#define LLM_EMBED_BYTES_MAX (3 * 1024 * 1024)  // of one answer of embeddings: 256 of 1,024 numbers; a client's queue takes 4 MiB
#define LLM_SHARD_INPUTS 16                // texts of an embedding request that one pod is asked for at once: 1,024 numbers each, its answer fits JSON_TEXT_BYTES_MAX
#define LLM_EVENT_BYTES_MAX (64 * 1024)    // one event of a stream
#define LLM_EVENTS_MAX 200000              // of one stream: a backend that never ends is ended
#define LLM_PREFIX_BYTES 512               // of a prompt: what plugins put in front of each call is longer
#define LLM_DEADLINE_MS 60000              // a call, waiting included ...
#define LLM_DEADLINE_MS_MAX (10 * 60 * 1000)   // ... at most
#define LLM_IDLE_MS 20000                  // silence of a backend: a long prompt on a small machine takes some seconds
#define LLM_TRIES_MAX 3                    // pods asked for one call
#define LLM_TOKEN_MS 50                    // of an answer that comes whole, each token asked for adds so much to the silence that is borne: 20 a second
#define LLM_HEALTH_MS 10000                // between looks at a pod that has answered nothing meanwhile
#define LLM_PROBE_MS 5000                  // for one look
#define LLM_DOWN_MS_MIN 250                // a pod that fails is left alone so long, doubled each time ...
#define LLM_DOWN_MS_MAX 30000              // ... up to this
#define LLM_FAILURES_MAX 3                 // in a row; then a pod is left alone
#define LLM_RETRY_AFTER_MS_MAX 60000       // what a pod asks for is believed up to this
#define LLM_POD_CALLS_MAX 256              // at once, however well a pod answers
#define LLM_CALLS_MAX 4096                 // accepted and not ended, waiting ones included
#define LLM_QUEUE_MAX 1024                 // waiting
#define LLM_QUEUE_TENANT_MAX 256           // of one tenant
#define LLM_KEYED_MS (24LL * 60 * 60 * 1000)   // how long a key finds its first answer
#define LLM_KEYED_MAX 2000                 // keys of one plugin
#define LLM_CALL_MS_MAX (2 * 60 * 1000)     // a plugin's call of the model
#define LLM_DOC_BYTES_MAX (32 * 1024)      // a document for llm.search ...
#define LLM_DOCS_MAX 2000                  // ... of one plugin: all their vectors are looked at in one search
#define LLM_DOCS_BYTES_MAX (8LL * 1024 * 1024)
#define LLM_TRANSLATE_BYTES_MAX (16 * 1024)
#define LLM_EMBED_TEXTS_MAX 32             // of one llm.embed: vectors of 700 numbers still fit a call's result
#define LLM_CONSENT_UNITS 1000000000LL     // what a player is asked to approve for models at first: 1 PALM
#define LLM_REPAIRS_MAX 2                  // of an answer that does not fit its schema: a third wrong one is the model's best
#define LLM_TENANTS_MAX 8192               // whose share of the models is remembered: plugins, and keys that were used lately
#define LLM_CACHE_ENTRIES_MAX 65536        // answers; their bytes are bounded by the settings
#define LLM_PAYERS_MAX 200000              // tenants, payers and players whose day is counted: 200 bytes each
#define LLM_FILTER_HOLD_BYTES 512          // of a stream, held back while a pattern may be going on
#define LLM_DOWN_MS 5000                   // a call that waits while no pod of its model is up
#define LLM_RECORD_KEEP_MS (30LL * 24 * 60 * 60 * 1000)    // prompts and answers that were kept
#define LLM_USAGE_KEEP_DAYS 400            // sums by day: a year can be compared with the one before
#define LLM_RECORDS_WAITING_MAX 1024       // calls that were not written yet; past it a second's oldest are counted and not kept
#define LLM_RECORDS_BYTES_MAX (32LL * 1024 * 1024)
#define LLM_BATCH_AHEAD 4                  // times as many ended calls of a batch wait for their turn as are under way
#define LLM_FACTS_MAX 100                  // tenants, payers, pods in one answer to an operator
#define LLM_CALL_TOKENS_MAX (16 * 1024 * 1024)     // of one call, however long a context is: its price stays inside int64
#define LLM_CACHE_BYTES_MAX (1024LL * 1024 * 1024)
#define LLM_PICTURES_MAX 16                // pictures and sounds of one request
#define LLM_TOOLS_MAX 64                   // functions that a request offers
#define LLM_TOOL_CALLS_MAX 16              // of one message, or of one choice
#define LLM_STOPS_MAX 8                    // texts that end an answer; OpenAI takes 4, PaLM 5
#define LLM_LANGUAGES_MAX 4                // languages that one request names
#define LLM_TAG_BYTES 36                   // of a language tag, its zero included (BCP-47: 35 are enough for all that are in use)
#define LLM_ERROR_BYTES_MAX 4096           // of a backend's refusal, read; 200 of it are shown

// ---- burns (treasury/burn)
#define BURN_BATCH_ACCRUALS_MAX 1024       // of one batch: planned, or proven, in one job, which takes 10 ms
#define BURN_BATCH_ACCOUNTS_MAX 200        // plugins in one batch: each has a hold
#define BURN_OPEN_MAX 8                    // batches on their way at once
#define BURN_COLLECT_ROWS 2000             // of the journal, looked at in one job
#define BURN_LIST_MAX 100                  // of one page
#define BURN_LIST_ROWS_MAX 2000            // looked at for it, where most are not the reader's
#define BURN_SCAN_BLOCKS_MAX 5000          // in one question for logs; fewer where a node takes fewer
#define BURN_ADOPT_ROWS_MAX 65536          // pending accruals among which an unknown batch is looked for ...
#define BURN_ADOPT_TRIES_MAX 256           // ... and runs of them whose root is reckoned: they have the right sum already
#define BURN_REASON_BYTES_MAX 200          // of burn.accrue
#define BURN_GAS 200000                    // of one burn, whatever it holds: the first of all takes 120,006

// ---- deposits and reconciliation (treasury/)
#define DEPOSIT_ADDRESSES_MAX 1000000      // issued; an address costs a row of 200 bytes, and each pass asks for 500 of them at a time
#define DEPOSIT_GROUP_MAX 500              // addresses in one eth_getLogs: geth takes 1000 (rpc.logquerylimit), providers about as many
#define DEPOSIT_BLOCKS_MAX 10000           // in one eth_getLogs, where the nodes take so many
#define DEPOSIT_TAKE_MAX 200               // logs in one commit: others want to write too
#define DEPOSIT_SWEEP_MAX 100              // addresses in one sweep: the contract's own bound
#define DEPOSIT_SWEEPS_OPEN_MAX 4          // of one asset at once
#define DEPOSIT_TRIES_MAX 3                // sweeps of an address that did not work before it is left out
#define DEPOSIT_BACK_MAX 1000              // pasts of addresses still to be read; past it the watch waits for them
#define DEPOSIT_WANTED_MAX 256             // addresses whose transfers are looked for before they are final: who looked last
#define DEPOSIT_PENDING_MAX 1024           // of those, together
// ---- withdrawals (treasury/withdrawal)
#define WITHDRAWALS_PER_PLAYER_MAX 8       // not ended
#define WITHDRAWALS_OPEN_MAX 20000         // of all players; as many batches as it takes a key some hours to pay
#define PAYOUT_BATCH_MAX 64                // payments of one transaction: 6.2 KiB of calldata, 4.9 million gas; and as many questions as one request holds
#define PAYOUT_BATCHES_OPEN_MAX 8          // not ended, of all assets: half of a key's nonces
#define PAYOUT_LOG_BLOCKS_MAX 5000         // asked for at once; a node that takes fewer is asked for fewer
#define PAYOUT_UNKNOWN_MAX 1000            // payments on chain that our data does not know, kept for the operator; money-out stands still anyway
#define OPERATOR_NAME_BYTES_MAX 32

// ---- console, logs
#define LOG_LINE_BYTES_MAX (16 * 1024)
#define CONSOLE_LINE_BYTES_MAX (256 * 1024)
#define CONSOLE_CLIENTS_MAX 16

// ---- the signer (ipc/sign.h, signer/)
#define SIGNER_KEYS_MAX 8                  // keystores of one signer: a payer, a burner, a sweeper, and as many to come
#define SIGNER_FRAME_BYTES_MAX (16 * 1024) // a sweep of 100 addresses has 3.4 KiB, a sign-in message 2
#define SIGNER_READ_BYTES (256 * 1024)     // of one turn: over a thousand requests
#define SIGNER_POLICY_BYTES_MAX (64 * 1024)
#define SIGNER_ASSETS_MAX 32               // with a limit per day: gas, ether, tokens, burn modules
#define SIGNER_LIST_MAX 64                 // addresses, or domains, in one list of the policy
#define SIGNER_REPEATS 512                 // transactions that were counted and may be signed again, with other fees, without being counted again
#define SIGNER_OPEN_MAX 4096               // requests of the host, not yet answered; past it FR_E_BUSY
#define SIGNER_MS 10000                    // from a request to its signature: a full queue takes 0.2 s, a disk may take its time
#define SIGNER_READY_MS 60000              // from exec to READY: scrypt takes 0.8 s for each key, several times that on a busy machine
#define SIGNER_PERMIT_S_MAX 3600           // how far a permit's deadline may lie ahead

// ---- the engine: llama-server in frond-jail (llm/engine)
#define ENGINE_SAID_BYTES (16 * 1024)      // of its output, the last: some hundred lines
#define ENGINE_SAID_PER_SECOND (1024 * 1024)   // past it, it waits for us: it writes a kilobyte per call
#define ENGINE_ANSWER_BYTES_MAX (64 * 1024)    // to a question for its health
#define ENGINE_PROGRESS_BYTES_MAX 120      // what `make engine` says of itself
#define ENGINE_MEMORY_BYTES_DEFAULT (1024LL * 1024 * 1024)     // resident: the default model takes 350 MB
#define ENGINE_THREADS_OF_SERVER 64        // one for each connection, and some of its own; each has 8 MiB of addresses for its stack
#define ENGINE_SLOTS_MAX 64
#define ENGINE_CONTEXT_TOKENS_MAX (1024 * 1024)

// ---- backups: what stands in a manifest, which may come from anywhere
#define BACKUP_FILES_MAX 32                // the database and the small files of a data folder
#define BACKUP_NAME_BYTES_MAX 63
#define BACKUP_SMALL_BYTES_MAX (1024 * 1024)   // of each file but the database: a larger one is none of ours
#define BACKUP_MANIFEST_BYTES_MAX (64 * 1024)
#define BACKUPS_KEEP_MAX 1000

_Static_assert(CALL_ARGS_BYTES_MAX <= WS_MESSAGE_BYTES_MAX, "a call that fits HTTP fits a socket message");
_Static_assert(CALL_ARGS_BYTES_MAX < HTTP_BODY_BYTES_MAX, "arguments are inside the body");
_Static_assert(STREAM_PIECE_BYTES_MAX < FRAME_BYTES_MAX && STREAM_CALL_BYTES_MAX * 6 < WS_SEND_QUEUE_BYTES_MAX, "what one call streams, escaped, closes nobody's socket who reads");
_Static_assert(CALL_RESULT_BYTES_MAX < FRAME_BYTES_MAX, "a result fits a frame with its envelope");
_Static_assert(PLUGIN_LUA_BYTES_MAX * 2 <= FRAME_BYTES_MAX, "a package's Lua fits one frame, names included");
_Static_assert(KV_VALUE_BYTES_MAX < FRAME_BYTES_MAX && JSON_TEXT_BYTES_MAX <= FRAME_BYTES_MAX, "documents fit frames");
_Static_assert(TURN_SOFT_MS < TURN_HARD_MS && TURN_HARD_MS < TURN_KILL_MS && TURN_KILL_MS < TURN_STALL_MS, "deadlines are ordered");
_Static_assert(TURN_STALL_MS < CALL_DEADLINE_MS, "a stuck turn is found before its call times out");
_Static_assert(MATCH_SNAPSHOT_RECORDS_LONG % MATCH_SNAPSHOT_RECORDS == 0, "the long steps begin at one of the short ones");
_Static_assert(SEATS_MAX + SPLIT_PARTS_MAX <= TRANSFER_LEGS_MAX, "a whole match settles in one transfer");
_Static_assert(WORKER_HEAP_BYTES_DEFAULT <= WORKER_HEAP_BYTES_MAX, "");
_Static_assert(INITDATA_BYTES_MAX < HTTP_HEADER_BYTES_MAX, "launch data fits its header");
_Static_assert(BURN_BATCH_ACCOUNTS_MAX <= HOLDS_PER_OWNER_MAX, "a batch's holds end together");
_Static_assert(BURN_REASON_BYTES_MAX <= NOTE_BYTES_MAX, "a reason is a note of the journal");
_Static_assert(SIGNER_FRAME_BYTES_MAX < SIGNER_READ_BYTES, "a turn holds a whole request");
_Static_assert(PAYOUT_BATCH_MAX <= RPC_BATCH_MAX && 4 + 96 + 3 * 32 * (PAYOUT_BATCH_MAX + 1) <= TXQ_DATA_BYTES_MAX, "a batch is asked about in one request and fits a payment");
_Static_assert(UNITS_MAX <= 9223372036854775807LL / 8, "sums of a few amounts stay inside int64");
