// part.h — what each part of the treasury (burn, deposit, withdrawal, reconcile) is given, and what it must not do by itself.
//
// A part keeps rows of its own, books in the ledger inside store jobs, puts payments into the transaction manager in the same commit (txq_put), and reads the
// chain at final blocks by quorum. It opens no sockets, holds no keys, starts no loop timers: treasury.c ticks it. There is one key and one queue
// (TREASURY_QUEUE); a payment's name says whose it is, and its end is told to that part inside the commit that ends it:
//
//     "burn:<batch>"  "payout:<batch>"  "sweep:<number>"
//
// Time comes from now_ms alone, so that tests can set it. Nothing here blocks; every question to a node has a deadline and may fail for hours.
#pragma once
#include "chain/final.h"
#include "chain/txq.h"
#include "ledger/ledger.h"

#define TREASURY_QUEUE 1
#define TREASURY_TOKENS_MAX 8
struct treasury_token {                    // a chain-backed asset
    char asset[16];                        // of the ledger: "PALM"
    struct address at;
    int ledger_decimals, chain_decimals;   // 1 <= ledger <= 9; chain >= ledger: units * 10^(chain - ledger) is exact, the way back may leave dust
};
struct treasury_part {
    struct store *store;
    struct endpoints *endpoints;
    struct final_rules final;
    uint64_t chain_id;
    struct address vault;                  // who holds the tokens on chain: the "treasury" of the contracts. The host has no key of it
    const struct treasury_token *tokens; int token_count;
    int64_t (*now_ms)(void *arg);          // unix time
    void (*wake)(void *arg);               // payments were put or cancelled, and are durable
    // Money-out stops (no batch is made, no withdrawal accepted) while any part says so. code NULL: this part's reason is gone. Loop thread.
    void (*halt)(void *arg, const char *part, const char *code, const char *text);
    bool (*halted)(void *arg);
    void (*wallet)(void *arg, const char *player, const char *asset);      // a balance changed, and it is durable
    void *arg;
};
