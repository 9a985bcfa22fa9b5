// treasury_inside.h — what treasury.c and status.c share.
#pragma once
#include "treasury/keys.h"
#include "treasury/treasury.h"

#define TREASURY_HALTS_MAX 16
#define TREASURY_PART_NAME_BYTES 24
struct treasury_halt { char part[TREASURY_PART_NAME_BYTES], code[FR_ERR_CODE_BYTES], text[240]; };
// What an operator should know now; each is logged when it comes and when it goes.
enum trouble { TROUBLE_CHAIN, TROUBLE_NODES, TROUBLE_SIGNER, TROUBLE_HALTED, TROUBLE_PAUSED, TROUBLE_WAITS, TROUBLE_FUNDS, TROUBLE_PARTS, TROUBLES };
struct treasury_trouble { char code[FR_ERR_CODE_BYTES], text[240]; };      // code "": none
struct treasury {
    struct treasury_options o;
    enum treasury_state state;
    char text[300];                        // of the state
    struct net_client *client;
    struct devchain *devchain;
    struct treasury_settings *settings;    // what runs; NULL: nothing yet
    struct keys *keys;
    struct endpoints *endpoints;
    struct txq *queue;
    const struct treasury_kind *kinds;
    struct treasury_part part;             // what they were given: some keep the pointer
    void *parts[TREASURY_KINDS_MAX];
    uv_mutex_t ends; bool gone;            // the store's thread ends payments; gone: no part is there any more
    uv_timer_t tick; bool ticking, stopping;
    struct treasury_halt halts[TREASURY_HALTS_MAX]; int halt_count;
    struct treasury_trouble troubles[TROUBLES];
    int64_t begun_ms, good_ms;             // monotonic; good_ms: when a node was last good
    struct final_look look; bool looking; int64_t look_ms; uint64_t final;
    void (*stopped)(void *arg); void *stopped_arg;
};
// On the store's thread: books the end of a payment with the part whose it is.
FR_MUST_USE enum fr_status treasury_on_end(struct store_txn *txn, void *treasury, const struct txq_payment_row *row, struct fr_err *err);
