// deposit.h — coins that come in from the chain: an address for each player, what arrived there at final blocks, credited once, and swept into the vault.
//
// Address: CREATE2(factory, salt, forwarder) with salt = keccak256("frond deposit 1" . 0 . secret . subject): `subject` names a person for ever (a player's id
// does not: after a restore of old data the same number may be somebody else's), and the secret (32 random bytes, made with the tables, in every backup)
// keeps strangers from telling whose an address is. The same person has the same address after any restore. An address is somebody's from its first ask on,
// never anybody else's, and none is given before a quorum has said that the factory makes what we think and pays the vault.
//
// Watch: Transfer logs of the pinned tokens to these addresses, in final blocks, by quorum, from a stored place, in ranges that the nodes take, so many
// addresses at a time (filtered by `to`: what it costs grows with our players, not with what strangers do with the token). Credit, dust and the new place are
// one commit; a log is known by (transaction, log index), so what is read twice is credited once. What the ledger cannot count is kept beside it per player and asset
// and becomes units as soon as it makes one. Amounts that the ledger cannot hold, and logs of the right kind with the wrong shape, are kept for the operator.
//
// An address that is new to the data may have been used before (old data was restored; somebody guessed): where a final block shows that anything ever lay
// there, its past is read too. Transfers that are not final yet are shown to who asks for the address, and never credited.
//
// Sweep: what lies at addresses, by their balances at the block up to which all is credited, goes to the vault in payments "sweep:<n>" of up to 100, past a sum or an
// age; tried by eth_call first. An address whose token refuses is left out, shown, and tried again a day later. Strangers may sweep: then nothing is left to do.
//
// Loop thread, but for deposit_issue, deposit_print.. and deposit_on_end, which run inside store jobs. Bounds: limits.h, DEPOSIT_.
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include "treasury/part.h"

struct deposit;
struct deposit_options {
    struct address factory;                // DepositFactory
    uint64_t from_block;                  // nothing happened before: the factory's deployment
    int64_t look_ms;                       // between looks at the final block; 0: 4000
    int64_t sweep_age_ms;                  // what lies longer is swept; 0: a day
    int64_t sweep_units[TREASURY_TOKENS_MAX];      // of part->tokens, in their order: more than this in all is swept at once; 0: by age alone
    int64_t sweep_least_units[TREASURY_TOKENS_MAX];    // an address with less is not worth its gas
};
// The section "deposits" of "chain" in the config file, NULL when there is none; the factory stands elsewhere and is left alone. Pure. FR_E_INVALID names the key.
//     {"from_block":"19000000", "sweep_hours":24, "sweep":{"PALM":"1000"}, "sweep_least":{"PALM":"1"}}      sums in whole coins
// from_block: the factory's deployment, or what came after the vault was filled: transfers out of the vault are read from there on, and must be explained.
FR_MUST_USE enum fr_status deposit_options_read(const struct fr_json *section, const struct treasury_token *tokens, int token_count, struct deposit_options *ret, struct fr_err *err);
void deposit_register(void);               // its migrations; before store_open
// FR_E_INVALID: a number that makes no sense. The part must stay where it is. *ret is NULL without a factory: then there are no deposits.
FR_MUST_USE enum fr_status deposit_new(const struct treasury_part *part, const struct deposit_options *o, struct deposit **ret, struct fr_err *err);
void deposit_free(struct deposit *d);      // after endpoints_free, before store_close; takes NULL
void deposit_tick(struct deposit *d);
// For txq's on_end: a payment named "sweep:..".
FR_MUST_USE enum fr_status deposit_on_end(struct store_txn *txn, void *deposit, const struct txq_payment_row *row, struct fr_err *err);

// ---- inside store jobs
#define DEPOSIT_SUBJECT_BYTES_MAX 64
#define DEPOSIT_PLAYER_BYTES 24
struct deposit_address { int64_t number; char player[DEPOSIT_PLAYER_BYTES]; uint8_t salt[32]; struct address at; int64_t made_ms; };
// The player's address, made at the first ask. FR_E_BUSY "deposit_not_ready": the factory was not seen yet. FR_E_LIMIT "deposit_full". FR_E_CONFLICT "address_taken": the subject was another player's.
FR_MUST_USE enum fr_status deposit_issue(struct store_txn *txn, const struct deposit *d, const char *player, const char *subject, int64_t now_ms, struct deposit_address *ret, struct fr_err *err);
// Is it a deposit address that was given out?
FR_MUST_USE enum fr_status deposit_is_ours(struct store_txn *txn, uint64_t chain_id, const struct address *a, bool *ret, struct fr_err *err);
// A JSON array of the newest deposits of a player's asset.
FR_MUST_USE enum fr_status deposit_print_player(struct store_txn *txn, const struct deposit *d, const char *player, const char *asset, int limit, struct fr_buf *out, struct fr_err *err);
// {"addresses":[..]} after address number `after`; {"address":..,"deposits":[..],"dust":[..]} of an address or a player: FR_E_NOT_FOUND "deposit_unknown". Work without a host too.
FR_MUST_USE enum fr_status deposit_print_list(struct store_txn *txn, int64_t after, int limit, struct fr_buf *out, struct fr_err *err);
FR_MUST_USE enum fr_status deposit_print_one(struct store_txn *txn, const char *address_or_player, struct fr_buf *out, struct fr_err *err);

// ---- on the loop
const struct treasury_token *deposit_token(const struct deposit *d, const char *asset);      // NULL: no chain backs it here
const struct treasury_token *deposit_tokens(const struct deposit *d, int *count);
uint64_t deposit_chain_id(const struct deposit *d);
// Somebody looks at this address: what is under way to it is looked for, for some minutes.
void deposit_wanted(struct deposit *d, const struct deposit_address *a);
// A JSON array of transfers to it in blocks that are not final, of one asset. A sight of one node.
void deposit_print_pending(const struct deposit *d, const struct deposit_address *a, const char *asset, struct fr_buf *out);

struct deposit_facts {
    bool ready;                            // the factory was seen
    uint64_t final_block, read_block;      // all is credited up to and with read_block
    int64_t addresses, credited, held, odd, dusty, refused, backlog, sweeps_open;      // held, odd: kept for the operator; refused: addresses whose sweep fails; backlog: pasts still to be read
    int64_t rounds, failures, sweeps, asked_twice;
    char last_error[200];
};
void deposit_facts(const struct deposit *d, struct deposit_facts *ret);
void deposit_print_facts(const struct deposit *d, struct fr_buf *out);    // a JSON object, for status
void deposit_metrics(const struct deposit *d, struct fr_buf *out);        // frond_deposit_...
