// devchain_inside.h — what the files of devchain share.
#pragma once
#include "chain/rpc.h"
#include "treasury/devchain.h"

#define DC_ACCOUNTS 10
#define DC_CONTRACTS_MAX 12
#define DC_STATE_HEX_MAX (CLIENT_BODY_BYTES_MAX - 4096)    // what one request can bring back into anvil: some 20,000 blocks
#define DC_ARTIFACT_BYTES_MAX (2 * 1024 * 1024)
enum dc_phase { DC_FILES, DC_KEY, DC_SPAWN, DC_LISTEN, DC_LOAD, DC_GENESIS, DC_SCRIPT, DC_RUN, DC_ENDED, DC_STUCK };      // DC_STUCK: only a person can help
struct dc_deployment {                     // deployment.json
    bool complete;
    int64_t genesis_s;                     // of block 0. Each start of anvil must make the same one: loading puts the saved chain beside it, and of two of one number either may win
    uint8_t genesis[32], forwarder_hash[32];
    struct address accounts[DC_ACCOUNTS], key, contracts[DC_CONTRACTS_MAX];      // a contract of zero: not deployed yet
};
struct dc_work { uv_work_t work; struct devchain *d; struct fr_buf bytes; struct fr_err err; enum fr_status st; void (*run)(struct dc_work *w); void (*after)(struct devchain *d, struct dc_work *w); int64_t began_ms; uint64_t block; };
struct devchain {
    struct devchain_options o;
    enum dc_phase phase;
    enum devchain_state state;
    char text[300];
    char folder[TREASURY_PATH_BYTES], self[TREASURY_PATH_BYTES], anvil[TREASURY_PATH_BYTES], artifacts[TREASURY_PATH_BYTES];
    struct dc_deployment made;
    bool told, stopping;
    void (*stopped)(void *arg); void *stopped_arg;
    // the process
    uv_process_t process; uv_pipe_t out;
    int handles;                           // open ones
    bool alive;
    char said[256]; size_t said_len;       // of its output, until it listens
    int port;
    uint32_t generation;                   // of the process: answers of an older one are nobody's
    int64_t again_ms, pause_ms, since_ms, starts;
    int failures;                          // answers that did not come, in a row
    // what is under way
    bool asking, working;
    int64_t now_ms, look_ms, mined_ms;
    uint64_t head, busy_at, saved; bool unsaved, wanted;
    int64_t save_ms;
    int step; bool step_made; char hash[67];      // the script
    enum devchain_button button; devchain_done_fn *pressed; void *pressed_arg;
};

// ---- devchain.c
void dc_say(struct devchain *d, enum devchain_state state, const char *fmt, ...) FR_PRINTF(3, 4);
typedef void dc_answer_fn(struct devchain *d, const struct rpc_answers *a);      // not called when no answer came: that is counted, and the tick asks again
void dc_ask(struct devchain *d, const struct rpc_call *calls, int count, dc_answer_fn *done);
void dc_work_start(struct devchain *d, struct dc_work *w);       // run on another thread, then after on the loop, which frees w
struct dc_work *dc_work_new(struct devchain *d);
void dc_work_free(struct dc_work *w);

// ---- devchain_script.c: from what is there to what has to be
void dc_script_step(struct devchain *d);   // asks the next question; phase DC_RUN when nothing is left
const char *dc_contract_name(int no);      // NULL: past the last
// "palm", "vault", "key" -> its address; NULL: unknown. NULL too for a contract that is not deployed.
const struct address *dc_who(const struct devchain *d, const char *name, size_t len);
FR_MUST_USE enum fr_status dc_artifacts_look(const struct devchain *d, struct fr_err *err);

// ---- devchain_files.c
FR_MUST_USE enum fr_status dc_path(const struct devchain *d, const char *name, char out[TREASURY_PATH_BYTES], struct fr_err *err);
FR_MUST_USE enum fr_status dc_read(const char *path, size_t max, struct fr_buf *out, bool *found, struct fr_err *err);      // *found false: there is none
FR_MUST_USE enum fr_status dc_write(const char *path, const void *bytes, size_t len, struct fr_err *err);      // 0600, all of it or nothing
FR_MUST_USE enum fr_status dc_find_tools(struct devchain *d, struct fr_err *err);      // anvil and artifacts
FR_MUST_USE enum fr_status dc_key_make(const char *folder, struct address *ret, struct fr_err *err);      // the host's key: that of the folder, or a new one. Takes a tenth of a second
FR_MUST_USE enum fr_status dc_deployment_read(struct devchain *d, bool *found, struct fr_err *err);
FR_MUST_USE enum fr_status dc_deployment_write(const struct devchain *d, struct fr_err *err);
FR_MUST_USE enum fr_status dc_deployment_parse(const char *text, size_t len, struct dc_deployment *ret, struct fr_err *err);
void dc_deployment_print(const struct dc_deployment *m, bool of_reserve, struct fr_buf *out);
FR_MUST_USE enum fr_status dc_policy_write(const struct devchain *d, struct fr_err *err);
void dc_policy_print(const struct dc_deployment *m, struct fr_buf *out);
FR_MUST_USE enum fr_status dc_settings(const struct devchain *d, struct treasury_settings *ret, struct fr_err *err);
