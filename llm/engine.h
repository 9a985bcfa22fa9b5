// engine.h — the model that comes with Frond: one llama-server inside frond-jail, watched on the loop. Loop thread only; never blocks it.
//
// The host serves from the first second: the program and the model may come later (`make engine`), and are looked for every second. From then on the
// engine is started, asked for its health, and started again when it dies, does not answer or takes more memory than it may, more and more slowly. It
// listens on a unix socket in a folder that is its own; it has no network, no file but the model, and dies with the host, however the host dies.
// Nothing it says is believed further than that it is up: whoever calls it through net/client treats it as any other server.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>
#include "base/buf.h"
#include "base/limits.h"
#include "net/client.h"

struct llm_engine;
enum llm_engine_state {
    ENGINE_ABSENT,             // program or model are not there yet
    ENGINE_STARTING,           // the process runs and does not answer yet
    ENGINE_LOADING,            // it answers that it reads the model
    ENGINE_UP,
    ENGINE_DOWN,               // it ended, or could not be started; it is tried again
};
const char *llm_engine_state_name(enum llm_engine_state s);

struct llm_engine_times {      // milliseconds. Tests have their own
    int look;                  // between looks for what is absent
    int watch, watch_early;    // between looks at its memory; and at its health until it is up
    int health, answer;        // between questions for its health when it is up (a quarter more or less, at random); how long an answer may take
    int unheard;               // from its start to the first answer
    int load;                  // from its start to being up
    int again_min, again_max;  // back-off
    int steady;                // up for so long: the next back-off is short again
};
#define ENGINE_MISSED_MAX 3    // answers in a row that did not come: it hangs

struct llm_engine_options {    // texts must stay; paths may be relative to the current folder at llm_engine_new
    uv_loop_t *loop;
    struct net_client *client;
    const char *jail, *server, *model;     // frond-jail, llama-server (static), a GGUF file
    const char *folder;                    // for the socket and nothing else: made with 0700 when it is not there. As root it is given to the engine's user
    const char *progress;                  // a file that says how far `make engine` is; NULL: none
    const char *alias;                     // how the model is called in answers; NULL: "local"
    int context_tokens, slots, threads;    // 0: 8192, 4, 1. Slots share the context. More threads than idle cores is slower than one
    int64_t memory_bytes;                  // resident; past it the engine is started anew. 0: ENGINE_MEMORY_BYTES_DEFAULT
    const struct llm_engine_times *times;  // NULL: the usual ones; must stay
    void (*on_change)(void *arg);          // the state is another; never from inside a call. May be NULL
    void *arg;
};

// must-alloc; what goes wrong shows in llm_engine_facts, and begins with the loop's next turn. FR_E_INVALID "engine_options": a number that makes no sense.
// FR_E_IO "engine_options": the current folder is gone.
FR_MUST_USE enum fr_status llm_engine_new(const struct llm_engine_options *o, struct llm_engine **ret, struct fr_err *err);

struct llm_engine_facts {
    enum llm_engine_state state;
    // Why it is not up, stable: engine_absent, engine_starting, engine_loading, engine_died, engine_hangs (does not answer any more), engine_late (never was up in
    // time), engine_memory, engine_jail (the jail could not be closed, or a file not be read), engine_start (no process), engine_folder; "" when it is up
    const char *code;
    char text[300];                        // a sentence for people; "" when it is up
    char progress[ENGINE_PROGRESS_BYTES_MAX + 1];      // of the building, while it is absent
    int pid;                               // 0: none
    int64_t starts, rss_bytes, since_ms;   // since the host began; now; of this state, monotonic
    int64_t said_bytes;                    // of its output, in all
    int64_t pause_ms;                      // the back-off: when it is down it is tried again so long after since_ms
    // Where it listens, also when it is not up; for the net_ask's unix_path. A path that is too long for a socket is shown through /proc.
    char socket[101];
};
void llm_engine_facts(const struct llm_engine *e, struct llm_engine_facts *ret);
// What every call but /health has to bring: "Bearer " and this. Made at random for this host's life; in no file and on no command line.
const char *llm_engine_key(const struct llm_engine *e);
void llm_engine_said(const struct llm_engine *e, struct fr_buf *out);      // the last lines of its output, control characters left out

// Ends the engine; done once, never from inside. Afterwards only free. Takes NULL (done is called at once).
void llm_engine_stop(struct llm_engine *e, void (*done)(void *arg), void *arg);
void llm_engine_free(struct llm_engine *e);                // after done. Takes NULL
