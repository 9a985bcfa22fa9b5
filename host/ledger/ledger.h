// ledger.h — the only module that changes a balance. Accounts, transfers, holds, splits, the chained journal, the audit.
//
// For every asset the sum over all accounts (free + held) is 0 after every commit. Everything runs inside a store job: the
// caller owns the transaction, so transfers, holds and its own rows can be one all-or-nothing step. Amounts are int64 base
// units, at most UNITS_MAX. Every change has an idempotency key: the same key with the same content finds the first result
// (FR_OK, nothing moved again), with other content FR_E_CONFLICT code "key_reused".
// No account goes below zero except those marked overdraft (mint sources: the outside world).
// It knows no games, no players' sessions and no chains.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/hash.h"
#include "base/limits.h"
#include "store/store.h"

void ledger_register(void);                       // migrations; before store_open

// ---- assets: id, name, decimals. Seeded: PALM (9), TEST (2).
struct ledger_asset { char id[16]; char name[40]; int decimals; };
FR_MUST_USE enum fr_status ledger_asset_get(struct store_txn *txn, const char *asset, struct ledger_asset *ret, struct fr_err *err);  // FR_E_NOT_FOUND "asset_unknown"
FR_MUST_USE enum fr_status ledger_asset_list(struct store_txn *txn, struct ledger_asset *out, int cap, int *count, struct fr_err *err);

// ---- accounts
enum ledger_owner_kind { OWNER_PLAYER, OWNER_PLUGIN, OWNER_POOL, OWNER_TREASURY, OWNER_BURN, OWNER_CHAIN };   // stored; append only
struct ledger_account {
    int64_t id;
    enum ledger_owner_kind kind;
    char owner[48];               // player id, plugin id, pool name; "" for treasury; of burn the plugin whose revenue it was ("": from before burns had one); "world", "dev", "burned", "lost" for chain
    char asset[16];
    bool overdraft;               // may go negative: a source of coins (the outside world, the development faucet)
    int64_t free_units, held_units;
};
// Finds the account or makes it with zero balances. overdraft is set only at creation and only for OWNER_CHAIN.
FR_MUST_USE enum fr_status ledger_account(struct store_txn *txn, enum ledger_owner_kind kind, const char *owner, const char *asset,
                                          struct ledger_account *ret, struct fr_err *err);
FR_MUST_USE enum fr_status ledger_account_get(struct store_txn *txn, int64_t id, struct ledger_account *ret, struct fr_err *err);
// Balances without making anything: zeros when there is no account.
FR_MUST_USE enum fr_status ledger_balance(struct store_txn *txn, enum ledger_owner_kind kind, const char *owner, const char *asset,
                                          int64_t *free_units, int64_t *held_units, struct fr_err *err);
FR_MUST_USE enum fr_status ledger_accounts(struct store_txn *txn, enum ledger_owner_kind kind, const char *owner,   // owner NULL: all of the kind
                                           struct ledger_account *out, int cap, int *count, struct fr_err *err);
// What all accounts of a kind have in an asset.
FR_MUST_USE enum fr_status ledger_kind_sum(struct store_txn *txn, enum ledger_owner_kind kind, const char *asset, int64_t *free_units, int64_t *held_units, struct fr_err *err);
const char *ledger_owner_name(enum ledger_owner_kind kind);                 // "player", ...
bool ledger_owner_kind_parse(const char *name, enum ledger_owner_kind *ret);

// ---- transfers
struct ledger_leg { int64_t account; int64_t units; };                      // negative takes from free, positive gives to free
struct ledger_transfer {
    const char *key;              // 1..KEY_BYTES_MAX bytes, unique over the whole ledger: prefix it with your module's name
    const char *reason;           // "stake", "rake", "mint", ... snake_case
    const char *note;             // free text or ids; may be ""
    const struct ledger_leg *legs; int leg_count;                           // 2..TRANSFER_LEGS_MAX, one asset, sum zero
};
// FR_E_FUNDS names the account's owner and the missing amount. *id is the journal number of the transfer.
FR_MUST_USE enum fr_status ledger_post(struct store_txn *txn, const struct ledger_transfer *t, int64_t now_ms, int64_t *id, struct fr_err *err);

// Was this key used before, for whatever? For callers that do more than one thing under a key (spend an approval, then move coins).
FR_MUST_USE enum fr_status ledger_key_known(struct store_txn *txn, const char *key, bool *known, struct fr_err *err);

// ---- holds: money set aside for one purpose until it is settled or released, exactly once.
enum ledger_hold_state { HOLD_OPEN, HOLD_SETTLED, HOLD_RELEASED };
struct ledger_hold {
    int64_t id, account;
    int64_t units;                // > 0
    int64_t expires_ms;           // unix time; 0 when an owner decides its end (owner must then be set)
    enum ledger_hold_state state;
    char owner[64];               // "match:<id>", "burn:<id>" or "": owned holds are never swept by the clock
    char key[KEY_BYTES_MAX + 1];
};
FR_MUST_USE enum fr_status ledger_hold_open(struct store_txn *txn, const struct ledger_hold *ask, const char *reason, int64_t now_ms,
                                            struct ledger_hold *ret, struct fr_err *err);   // FR_E_FUNDS; FR_E_LIMIT past HOLD_MS_MAX
// Ends the hold: `legs` (all positive, to other accounts or back) sum to at most its units; what is left returns to the holder's
// free balance. FR_E_CONFLICT code "hold_ended" when it ended otherwise; the same key again finds the first result.
FR_MUST_USE enum fr_status ledger_hold_settle(struct store_txn *txn, int64_t hold, const struct ledger_leg *legs, int leg_count, const char *key,
                                              const char *reason, const char *note, int64_t now_ms, int64_t *id, struct fr_err *err);
FR_MUST_USE enum fr_status ledger_hold_release(struct store_txn *txn, int64_t hold, const char *key, const char *reason, int64_t now_ms, int64_t *id, struct fr_err *err);
// Settles all open holds of `owner` together in ONE journal transfer: the pot is their sum, `legs` give all of it away (sum == pot).
FR_MUST_USE enum fr_status ledger_holds_settle(struct store_txn *txn, const char *owner, const struct ledger_leg *legs, int leg_count, const char *key,
                                               const char *reason, const char *note, int64_t now_ms, int64_t *id, struct fr_err *err);
FR_MUST_USE enum fr_status ledger_holds_release(struct store_txn *txn, const char *owner, const char *key, const char *reason, int64_t now_ms, int64_t *id, struct fr_err *err);
FR_MUST_USE enum fr_status ledger_hold_get(struct store_txn *txn, int64_t hold, struct ledger_hold *ret, struct fr_err *err);
FR_MUST_USE enum fr_status ledger_holds_open(struct store_txn *txn, struct ledger_hold *out, int cap, int *count, struct fr_err *err);   // all open holds
// Releases the expired ones that nobody owns. `ended` (may be NULL) runs for each in the same transaction, for what else hangs on a hold
// and must end with it: where it fails, nothing of the sweep happened.
typedef enum fr_status ledger_hold_ended_fn(struct store_txn *txn, void *arg, const struct ledger_hold *hold, int64_t now_ms, struct fr_err *err);
FR_MUST_USE enum fr_status ledger_holds_sweep(struct store_txn *txn, int64_t now_ms, int limit, ledger_hold_ended_fn *ended, void *arg, int *swept, struct fr_err *err);

// ---- splits: basis points by largest remainder (ties: earlier part first): parts sum to the amount exactly.
struct ledger_part { int bps; int64_t units; };
// bps must sum to 10000. FR_E_INVALID otherwise.
FR_MUST_USE enum fr_status ledger_split(int64_t amount_units, struct ledger_part *parts, int count, struct fr_err *err);

// ---- journal and audit. Each transfer, hold, settle and release is one row; each row carries the SHA-256 of the row before it.
struct ledger_entry {
    int64_t id, at_ms; char kind[12];            // "transfer" | "hold" | "settle" | "release"
    char key[KEY_BYTES_MAX + 1]; char reason[40]; char asset[16]; char hash[SHA256_HEX_BYTES];
    const char *legs;                            // JSON [{"account":"7","free":"-60","held":"60"},...]; valid during the callback
    const char *note;
};
// Newest first, ids below `before` (0: from the top), at most limit; account 0 means all.
FR_MUST_USE enum fr_status ledger_journal(struct store_txn *txn, int64_t account, int64_t before, int limit,
                                          void (*each)(void *arg, const struct ledger_entry *e), void *arg, struct fr_err *err);
// What came into the accounts of one kind: rows *after.. forward, at most limit of them; *after moves to the last row that was looked at, *more: there may be more.
// What a hold gave back is none. The texts are valid during the call; each must not change the ledger.
struct ledger_credit { int64_t entry, at_ms, units; const struct ledger_account *account; const char *reason, *note; };
typedef enum fr_status ledger_credit_fn(void *arg, const struct ledger_credit *c, struct fr_err *err);
FR_MUST_USE enum fr_status ledger_credits(struct store_txn *txn, enum ledger_owner_kind kind, int limit, ledger_credit_fn *each, void *arg, int64_t *after, bool *more, struct fr_err *err);
// When a row was written; a hold's number is its row's.
FR_MUST_USE enum fr_status ledger_entry_ms(struct store_txn *txn, int64_t entry, int64_t *at_ms, struct fr_err *err);
struct ledger_audit {
    int64_t entries, accounts, holds_open, holds_orphaned;      // orphaned: owned by a match that has ended or is unknown (asked through owner_alive)
    int64_t sum_units;                                           // 0, or the first asset's wrong sum
    bool chain_ok, balances_ok, holds_ok, sums_ok;
    char head[SHA256_HEX_BYTES]; char first_fault[200];          // the first thing that is wrong, as a sentence
};
// Replays the whole journal from nothing and compares with accounts and holds. owner_alive may be NULL.
FR_MUST_USE enum fr_status ledger_audit_run(struct store_txn *txn, bool (*owner_alive)(struct store_txn *txn, const char *owner), struct ledger_audit *ret, struct fr_err *err);
// Sum over all accounts of every asset added in absolute value: 0 or broken. Cheap (one aggregate query).
FR_MUST_USE enum fr_status ledger_sums(struct store_txn *txn, int64_t *worst_units, struct fr_err *err);

// ---- the end of the journal, for backups and for a look before anything is written
struct ledger_head { int64_t entries, at_ms; char hash[SHA256_HEX_BYTES]; };       // the newest row; zeros and "" when there is none
FR_MUST_USE enum fr_status ledger_head(struct store_txn *txn, struct ledger_head *ret, struct fr_err *err);
FR_MUST_USE enum fr_status ledger_entry_hash(struct store_txn *txn, int64_t entry, char hash[SHA256_HEX_BYTES], struct fr_err *err);   // "" when there is no such row
// The chain over the newest LEDGER_LOOK_ROWS rows and the sums: FR_E_CORRUPT "ledger_wrong". For store_options.check.
#define LEDGER_LOOK_ROWS 20000                    // some 50 ms; the audit reads all
FR_MUST_USE enum fr_status ledger_look(struct store_txn *txn, struct fr_err *err);
// How far back the clock went between two neighbours among the newest LEDGER_LOOK_ROWS rows, at worst, and at which row.
FR_MUST_USE enum fr_status ledger_clock(struct store_txn *txn, int64_t *back_ms, int64_t *entry, struct fr_err *err);
