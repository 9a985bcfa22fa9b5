// internal.h — what the files of this folder share; nobody else includes it.
//
// Everything that moves coins ends in journal_write: it alone changes `account` and adds to `journal`, always both.
#pragma once
#include "base/hash.h"
#include "ledger/ledger.h"

#define CONTENT_BYTES 16                  // of a SHA-256 over what was asked: tells a retry from a reused key
#define CHANGES_MAX (TRANSFER_LEGS_MAX + HOLDS_PER_OWNER_MAX)
#define LEG_TEXT_BYTES_MAX 90             // four int64 and their marks

// What one journal row does to one account.
struct change { int64_t account, free_units, held_units; };

struct changes { struct change at[CHANGES_MAX]; int count; };
void changes_init(struct changes *c);
// Adds to the account's change, one per account. FR_E_LIMIT when an amount leaves the range.
FR_MUST_USE enum fr_status changes_add(struct changes *c, int64_t account, int64_t free_units, int64_t held_units, struct fr_err *err);

struct entry {
    const char *kind, *key, *reason, *subject, *note;    // subject: of a hold its expiry and owner, of its end the holds that ended
    const struct changes *changes;
    uint8_t content[CONTENT_BYTES];
};

// ---- account.c
#define ACCOUNT_COLUMNS "id, kind, owner, asset, overdraft, free, held, last_entry"
struct account { struct ledger_account facts; int64_t last_entry; };    // last_entry: the newest journal row that names it
FR_MUST_USE enum fr_status account_load(struct store_txn *txn, int64_t id, struct account *ret, struct fr_err *err);
FR_MUST_USE enum fr_status account_save(struct store_txn *txn, const struct account *a, struct fr_err *err);
void account_read(struct store_row *row, struct account *ret);          // a row of ACCOUNT_COLUMNS

// ---- asset.c
FR_MUST_USE enum fr_status asset_check(struct store_txn *txn, const char *asset, struct fr_err *err);

// ---- journal.c
// Checks funds, adds the row, changes the accounts. When the key is there already: nothing moves, *id is the old row's.
FR_MUST_USE enum fr_status journal_write(struct store_txn *txn, const struct entry *e, int64_t now_ms, int64_t *id, struct fr_err *err);
// FR_OK and *id 0 when the key is new; *id when the same thing was done before; "key_reused" when it was another.
FR_MUST_USE enum fr_status journal_find(struct store_txn *txn, const char *key, const uint8_t content[CONTENT_BYTES], int64_t *id, struct fr_err *err);
FR_MUST_USE enum fr_status journal_check_words(const char *key, const char *reason, const char *note, struct fr_err *err);

struct journal_row {                      // as stored; texts live until the statement steps
    int64_t id, at_ms;
    const char *kind, *key, *reason, *asset, *subject, *legs, *note;
    const void *hash;
    size_t hash_len, content_len;
    const uint8_t *content;
};
#define JOURNAL_COLUMNS "id, at_ms, kind, key, reason, asset, subject, legs, note, content, hash"
void journal_row_read(struct store_row *row, struct journal_row *ret);
void journal_row_hash(const uint8_t before[SHA256_BYTES], const struct journal_row *row, uint8_t out[SHA256_BYTES]);

// Legs as stored: "account:free:held:previous row of that account", joined by commas.
struct stored_leg { struct change change; int64_t previous; };
// Reads one leg and moves *text on; false at the end. *bad is set on anything else than legs.
bool leg_next(const char **text, struct stored_leg *ret, bool *bad);

// The content of a request: kind, reason, subject and the legs as asked for, in order.
void content_hash(const char *kind, const char *reason, const char *about, const struct ledger_leg *legs, int leg_count, uint8_t out[CONTENT_BYTES]);

// ---- hold.c
#define HOLD_COLUMNS "id, account, units, expires_ms, state, owner, key"
void hold_read(struct store_row *row, struct ledger_hold *ret);
