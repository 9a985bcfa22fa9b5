// metrics.h — the host's figures for a machine that scrapes them (Prometheus text format 0.0.4), and for `frond top`. Loop thread only.
//
// Everything is read when it is asked for; only the loop's own delay is sampled, ten times a second. What stands above console (the doors
// to outside) hands its figures in through a port.
#pragma once
#include "base/buf.h"
#include "net/server.h"
#include "play/play.h"
#include "plugin/runtime.h"
#include "sandbox/sandbox.h"
#include "store/store.h"

#define METRICS_BYTES_MAX (3 * 1024 * 1024)        // 200 plugins are half a MiB
#define METRICS_REFUSALS_MAX 96
#define OPERATOR_TOKEN_BYTES 44                    // with NUL: 32 random bytes as base64url
#define OPERATOR_TOKEN_NAME "operator-token"

struct metrics_refusals { struct { char code[40]; int64_t count; } by[METRICS_REFUSALS_MAX]; int count; };
struct metrics_door { struct net_server_stats net; int players, sessions; struct metrics_refusals refusals; };
struct metrics;
struct backups;
struct treasury;
struct metrics_options {
    uv_loop_t *loop; struct store *store; struct sandbox *sandbox; struct plugins *plugins; struct plays *plays;
    struct backups *backups;                   // NULL: nothing is said about them
    struct treasury *treasury;                 // NULL: the same
    const char *version;
    void (*models)(void *arg, struct fr_buf *out);          // Prometheus text about models; NULL: none
    void *arg;
    void (*door)(void *arg, struct metrics_door *ret);
};
struct metrics *metrics_new(const struct metrics_options *o);      // must-alloc
void metrics_stop(struct metrics *m);                              // who waits hears NULL; frees itself when the loop let go of it. Takes NULL
// The text, now or after a look into the store. done is called once; text NULL: over the bound, or stopped.
void metrics_print(struct metrics *m, void (*done)(void *arg, const char *text, size_t len), void *arg);
void metrics_print_top(struct metrics *m, struct fr_buf *out);     // a JSON object

// The operator's credential for what HTTP shows only to operators: a file in the data folder (0600), made when it is missing. A file that others
// can read is refused (FR_E_DENIED "operator_token"): what everybody reads is no credential.
FR_MUST_USE enum fr_status operator_token_open(const char *folder, char out[OPERATOR_TOKEN_BYTES], struct fr_err *err);
