// call.h — what stands inside the payloads that host and worker exchange, and the shared page. Data only.
//
// LOAD options: {"plugin":"duel","version":"1.0.0","heap_bytes":n,"kind":"game"}; the file "main.lua" must be among the pairs, names
// are module paths: "rules.lua" is reached by require "rules" and require "duel.rules".
// LOADED ok: {"calls":["greet",..],"hooks":[..],"jobs":[..],"on":[..],
//             "game":null | {"input":["play"],"timer":bool,"tick":bool,"join":bool,"drop":bool,"back":bool,"leave":bool,"answer":bool,"bot":bool}}
// CALL context: {"player":{"id":"7","name":"Ann","lang":"en"} or absent, "source":"http"|"socket"|"page"|"plugin:<id>"|"console",
//                "request_id":"..","key":".." or absent,"deadline_ms":n}
//
// MATCH_OPEN setup: {"id":"<uuid>","mode":"classic","asset":"PALM","stake":"10000000000","now_ms":n,
//                    "players":[{"id":"7","name":"Ann"},{"bot":true,"name":"Bot"}],"options":[{..},{..}]}
//   `stake` reaches Lua as an integer. The stream key is HMAC-SHA256(host seed, match id || 0x00 || seat 1's seed || .. ) — see play/stream.h.
// MATCH_TURN record: {"n":7,"kind":"input","seat":1,"name":"play","args":{..},"now_ms":n}
//   kinds: input (seat,name,args) timer (name,data) tick (tick_no) join/drop/back (seat) leave (seat, why) answer (tag,value,code)
//
// TURN sections: 0 outcome {"ok":true} | {"ok":false,"code":"..","detail":".."} (refused: state and random stream are as before)
//                  | with status FRAME_RAISED the error JSON (state and stream are as before too)
//                1 effects: JSON array in the order they were made:
//                  {"e":"timer","name":..,"ms":n,"data":..} {"e":"cancel","name":..} {"e":"emit","to":1|"all"|"spectators","name":..,"data":..}
//                  {"e":"ask","tag":..,"fn":"store.get","args":{..},"timeout_ms":n}
//                  {"e":"finish","places":[[1],[2]] | "shares_bps":[..],"reason":..,"stats":..} {"e":"void","reason":..}
//                2 SHA-256 (64 hex) of the canonical state
//                3.. the view of seat 1, 2, ... as JSON (canonical: keys sorted); behind them that of seat 0, when the setup says "spectators":true
//   SNAPSHOT head: {"next":"<draws>","tick_no":n,"ended":bool}: the stream's position and what else belongs to the match beside its state.
//   A refused or raised turn has section 0 only. After FRAME_TRIPPED_* the match slot is closed: the host opens it again and feeds the log.
#pragma once
#include <stdint.h>

// Names this build of the engine: a match is replayed by the same engine id only. Change it whenever a change could alter a state hash.
#define ENGINE_ID "frond-2/lua-5.4.8"

// One page that the worker maps before its lockdown: who is running, so that the host knows whom to blame for a crash.
// The worker may lie in it; the host uses it only to choose among ids it issued itself.
struct worker_page {
    volatile uint32_t running_id;      // the frame id being worked on, 0 when waiting
    volatile uint32_t turns;           // grows with each resume: progress, seen from outside
    volatile uint64_t heap_bytes;      // what the allocator has given out
    volatile uint64_t heap_peak_bytes;
};
// How a worker ends when it ends itself. Anything else, signals among them, is a crash.
enum worker_exit {
    WORKER_EXIT_DONE = 0,              // the host closed the channel
    WORKER_EXIT_FRAMES = 1,            // the host's bytes were no frames
    WORKER_EXIT_LOCKDOWN = 2,          // a step of the lockdown failed; said in a READY frame with status FRAME_RAISED
    WORKER_EXIT_CPU = 3,               // the second signal, at TURN_HARD_MS
    WORKER_EXIT_MEMORY = 4,            // memory ran out where Lua could not be told
};
#define WORKER_CHANNEL_FD 3            // the socketpair
#define WORKER_PAGE_FD 4               // a memfd holding struct worker_page; closed after mmap
