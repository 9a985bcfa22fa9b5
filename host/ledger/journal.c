// journal.c — the one place where balances change: a row in the journal, chained to the row before it, and the accounts it names.
//
// The journal's unique key is the idempotency check: a second row with the same key cannot be added, and then the first is
// compared. Each leg names the row before it in its account, so an account's history is a walk and needs no index that every
// transfer would have to write.
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/hex.h"
#include "base/units.h"
#include "ledger/internal.h"
#include "store/migrate.h"

static const struct store_migration steps[] = {
    { "ledger", 1,
      "CREATE TABLE asset(id TEXT PRIMARY KEY, name TEXT NOT NULL, decimals INTEGER NOT NULL CHECK (decimals BETWEEN 0 AND 9)) STRICT, WITHOUT ROWID;"
      "INSERT INTO asset VALUES('PALM', 'PALM', 9), ('TEST', 'Test coin', 2);"
      "CREATE TABLE account(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, owner TEXT NOT NULL, asset TEXT NOT NULL REFERENCES asset(id),"
      " overdraft INTEGER NOT NULL, free INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),"
      " last_entry INTEGER NOT NULL DEFAULT 0, UNIQUE(kind, owner, asset), CHECK (free >= 0 OR overdraft)) STRICT;"
      "CREATE TABLE journal(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL UNIQUE, reason TEXT NOT NULL,"
      " asset TEXT NOT NULL, subject TEXT NOT NULL, legs TEXT NOT NULL, note TEXT NOT NULL, content BLOB NOT NULL, hash BLOB NOT NULL) STRICT;"
      "CREATE TABLE hold(id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account(id), units INTEGER NOT NULL CHECK (units > 0),"
      " expires_ms INTEGER NOT NULL, state INTEGER NOT NULL, owner TEXT NOT NULL, key TEXT NOT NULL) STRICT;"
      "CREATE INDEX hold_owner ON hold(owner) WHERE state = 0 AND owner <> '';"
      "CREATE INDEX hold_expiry ON hold(expires_ms) WHERE state = 0 AND owner = ''" },
    { "ledger", 2,
      "ALTER TABLE asset ADD COLUMN backed INTEGER NOT NULL DEFAULT 0 CHECK (backed IN (0, 1));"
      "UPDATE asset SET backed = 1 WHERE id = 'PALM';"
      "INSERT INTO asset(id, name, decimals, backed) VALUES('NFNT', 'NFNT', 9, 1), ('GHUB', 'GHUB', 9, 1)" },
};

void ledger_register(void) { store_register(steps, (int)(sizeof steps / sizeof steps[0])); }

// ---- changes

void changes_init(struct changes *c) { c->count = 0; }

static bool in_range(int64_t units) { return units >= -UNITS_MAX && units <= UNITS_MAX; }

enum fr_status changes_add(struct changes *c, int64_t account, int64_t free_units, int64_t held_units, struct fr_err *err)
{
    int at = 0;
    while (at < c->count && c->at[at].account != account) at++;
    if (at == c->count) {
        assert(c->count < CHANGES_MAX);
        c->at[c->count++] = (struct change){ .account = account };
    }
    struct change *change = &c->at[at];
    if (__builtin_add_overflow(change->free_units, free_units, &change->free_units) || !in_range(change->free_units) ||
        __builtin_add_overflow(change->held_units, held_units, &change->held_units) || !in_range(change->held_units))
        return FR_FAIL(err, FR_E_LIMIT, "account %lld would move more than %lld units at once", (long long)account, UNITS_MAX);
    return FR_OK;
}

enum fr_status journal_check_words(const char *key, const char *reason, const char *note, struct fr_err *err)
{
    size_t key_len = strlen(key), reason_len = strlen(reason);
    if (key_len < 1 || key_len > KEY_BYTES_MAX) return FR_FAIL(err, FR_E_INVALID, "an idempotency key has 1 to %d bytes, this one %zu", KEY_BYTES_MAX, key_len);
    if (reason_len < 1 || reason_len >= sizeof ((struct ledger_entry *)0)->reason)
        return FR_FAIL(err, FR_E_INVALID, "a reason has 1 to %zu bytes, \"%.40s\" has %zu", sizeof ((struct ledger_entry *)0)->reason - 1, reason, reason_len);
    if (strlen(note) > NOTE_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "a note has at most %d bytes, this one %zu", NOTE_BYTES_MAX, strlen(note));
    return FR_OK;
}

// ---- hashes. Every field goes in with its length, so that no two rows give the same bytes.

static void hash_int(struct fr_sha256 *s, int64_t value)
{
    uint8_t be[8];
    for (int i = 0; i < 8; i++) be[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
    fr_sha256_add(s, be, sizeof be);
}

static void hash_bytes(struct fr_sha256 *s, const void *bytes, size_t len)
{
    uint8_t be[4] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len };
    fr_sha256_add(s, be, sizeof be);
    fr_sha256_add(s, bytes, len);
}

static void hash_text(struct fr_sha256 *s, const char *text) { hash_bytes(s, text, strlen(text)); }

void journal_row_hash(const uint8_t before[SHA256_BYTES], const struct journal_row *row, uint8_t out[SHA256_BYTES])
{
    struct fr_sha256 s;
    fr_sha256_init(&s);
    fr_sha256_add(&s, before, SHA256_BYTES);
    hash_int(&s, row->id);
    hash_int(&s, row->at_ms);
    hash_text(&s, row->kind);
    hash_text(&s, row->key);
    hash_text(&s, row->reason);
    hash_text(&s, row->asset);
    hash_text(&s, row->subject);
    hash_text(&s, row->legs);
    hash_text(&s, row->note);
    hash_bytes(&s, row->content, row->content_len);
    fr_sha256_end(&s, out);
}

void content_hash(const char *kind, const char *reason, const char *about, const struct ledger_leg *legs, int leg_count, uint8_t out[CONTENT_BYTES])
{
    struct fr_sha256 s;
    uint8_t whole[SHA256_BYTES];
    fr_sha256_init(&s);
    hash_text(&s, kind);
    hash_text(&s, reason);
    hash_text(&s, about);
    for (int i = 0; i < leg_count; i++) {
        hash_int(&s, legs[i].account);
        hash_int(&s, legs[i].units);
    }
    fr_sha256_end(&s, whole);
    memcpy(out, whole, CONTENT_BYTES);
}

// ---- the last row, remembered by the connection

struct head { int64_t id; uint8_t hash[SHA256_BYTES]; bool known; };

static enum fr_status head_get(struct store_txn *txn, struct head **ret, struct fr_err *err)
{
    static const char owner;
    struct head *head = store_scratch(txn, &owner, sizeof *head);
    *ret = head;
    if (head->known) return FR_OK;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT id, hash FROM journal ORDER BY id DESC LIMIT 1", &row, err));
    bool found = false;
    FR_TRY(sql_step(row, &found, err));
    *head = (struct head){ .known = true };
    if (!found) return FR_OK;                      // the first row follows 32 zero bytes
    size_t len = 0;
    const void *hash = sql_bytes(row, 1, &len);
    if (len != SHA256_BYTES) {
        head->known = false;
        return FR_FAIL(err, FR_E_CORRUPT, "journal row %lld has no hash; run the audit", (long long)sql_int(row, 0));
    }
    head->id = sql_int(row, 0);
    memcpy(head->hash, hash, SHA256_BYTES);
    return FR_OK;
}

// ---- write

enum fr_status journal_find(struct store_txn *txn, const char *key, const uint8_t content[CONTENT_BYTES], int64_t *id, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT id, content FROM journal WHERE key = ?1", &row, err));
    sql_bind_text(row, 1, key);
    bool found = false;
    FR_TRY(sql_step(row, &found, err));
    if (!found) {
        *id = 0;
        return FR_OK;
    }
    size_t len = 0;
    const void *old = sql_bytes(row, 1, &len);
    if (len != CONTENT_BYTES || memcmp(old, content, CONTENT_BYTES) != 0)
        return FR_FAIL_CODE(err, FR_E_CONFLICT, "key_reused", "key %s was used for something else", key);
    *id = sql_int(row, 0);
    return FR_OK;
}

static enum fr_status funds_missing(struct store_txn *txn, const struct ledger_account *a, int64_t missing_units, struct fr_err *err)
{
    struct ledger_asset asset;
    FR_TRY(ledger_asset_get(txn, a->asset, &asset, err));
    char missing[UNITS_TEXT_BYTES], have[UNITS_TEXT_BYTES];
    return FR_FAIL(err, FR_E_FUNDS, "%s%s%s has %s %s, %s too little", ledger_owner_name(a->kind), a->owner[0] ? " " : "", a->owner,
                   fr_units_format(a->free_units, asset.decimals, have), a->asset, fr_units_format(missing_units, asset.decimals, missing));
}

static enum fr_status account_change(struct store_txn *txn, struct account *a, const struct change *change, struct fr_err *err)
{
    struct ledger_account *f = &a->facts;
    int64_t free_units = 0, held_units = 0;
    if (__builtin_add_overflow(f->free_units, change->free_units, &free_units) || !in_range(free_units) ||
        __builtin_add_overflow(f->held_units, change->held_units, &held_units) || !in_range(held_units) || !in_range(free_units + held_units))     // both together: what is held can always come back
        return FR_FAIL_CODE(err, FR_E_LIMIT, "balance_limit", "account %lld would leave the range of %lld units", (long long)f->id, UNITS_MAX);
    if (free_units < 0 && change->free_units < 0 && !f->overdraft) return funds_missing(txn, f, -free_units, err);
    if (held_units < 0) return FR_FAIL(err, FR_E_CORRUPT, "account %lld holds %lld units, %lld were to leave; run the audit", (long long)f->id,
                                       (long long)f->held_units, -(long long)change->held_units);
    f->free_units = free_units;
    f->held_units = held_units;
    return FR_OK;
}

static enum fr_status accounts_change(struct store_txn *txn, const struct changes *changes, struct account *accounts, struct fr_err *err)
{
    for (int i = 0; i < changes->count; i++) {
        FR_TRY(account_load(txn, changes->at[i].account, &accounts[i], err));
        if (strcmp(accounts[i].facts.asset, accounts[0].facts.asset) != 0)
            return FR_FAIL_CODE(err, FR_E_INVALID, "asset_mixed", "account %lld counts %s, account %lld counts %s", (long long)accounts[0].facts.id,
                                accounts[0].facts.asset, (long long)accounts[i].facts.id, accounts[i].facts.asset);
        FR_TRY(account_change(txn, &accounts[i], &changes->at[i], err));
    }
    return FR_OK;
}

static char *text_add_int(char *at, int64_t value, char after)
{
    char digits[20];
    int n = 0;
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do digits[n++] = (char)('0' + left % 10); while (left /= 10);
    if (value < 0) *at++ = '-';
    while (n > 0) *at++ = digits[--n];
    *at++ = after;
    return at;
}

static void legs_print(const struct changes *changes, const struct account *accounts, char *out)
{
    for (int i = 0; i < changes->count; i++) {
        out = text_add_int(out, changes->at[i].account, ':');
        out = text_add_int(out, changes->at[i].free_units, ':');
        out = text_add_int(out, changes->at[i].held_units, ':');
        out = text_add_int(out, accounts[i].last_entry, ',');
    }
    out[-1] = 0;
}

static enum fr_status journal_insert(struct store_txn *txn, const struct journal_row *r, const uint8_t hash[SHA256_BYTES], bool *added, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO journal(" JOURNAL_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT(key) DO NOTHING", &row, err));
    sql_bind_int(row, 1, r->id);
    sql_bind_int(row, 2, r->at_ms);
    sql_bind_text(row, 3, r->kind);
    sql_bind_text(row, 4, r->key);
    sql_bind_text(row, 5, r->reason);
    sql_bind_text(row, 6, r->asset);
    sql_bind_text(row, 7, r->subject);
    sql_bind_text(row, 8, r->legs);
    sql_bind_text(row, 9, r->note);
    sql_bind_bytes(row, 10, r->content, r->content_len);
    sql_bind_bytes(row, 11, hash, SHA256_BYTES);
    int64_t changed = 0;
    FR_TRY(sql_do(row, &changed, err));
    *added = changed == 1;
    return FR_OK;
}

// The row goes in before the balances are written: if its key is taken, nothing has been changed yet.
static enum fr_status journal_append(struct store_txn *txn, const struct entry *e, struct account *accounts, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    struct head *head = NULL;
    FR_TRY(head_get(txn, &head, err));
    char legs[CHANGES_MAX * LEG_TEXT_BYTES_MAX];
    legs_print(e->changes, accounts, legs);
    struct journal_row row = { .id = head->id + 1, .at_ms = now_ms, .kind = e->kind, .key = e->key, .reason = e->reason, .asset = accounts[0].facts.asset,
                               .subject = e->subject, .legs = legs, .note = e->note, .content = e->content, .content_len = CONTENT_BYTES };
    uint8_t hash[SHA256_BYTES];
    journal_row_hash(head->hash, &row, hash);
    bool added = false;
    FR_TRY(journal_insert(txn, &row, hash, &added, err));
    if (!added) {
        FR_TRY(journal_find(txn, e->key, e->content, id, err));
        assert(*id != 0);
        return FR_OK;
    }
    for (int i = 0; i < e->changes->count; i++) {
        accounts[i].last_entry = row.id;
        FR_TRY(account_save(txn, &accounts[i], err));
    }
    head->id = row.id;
    memcpy(head->hash, hash, SHA256_BYTES);
    *id = row.id;
    return FR_OK;
}

enum fr_status journal_write(struct store_txn *txn, const struct entry *e, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    struct account accounts[CHANGES_MAX];
    assert(e->changes->count > 0);
    struct fr_err refused;
    enum fr_status st = accounts_change(txn, e->changes, accounts, &refused);
    if (st == FR_OK) return journal_append(txn, e, accounts, now_ms, id, err);

    // Too little money now; but if this is a retry of what was done when there was enough, the answer is the old one.
    int64_t before = 0;
    if (st == FR_E_FUNDS || st == FR_E_LIMIT) FR_TRY(journal_find(txn, e->key, e->content, &before, err));
    if (before == 0) {
        *err = refused;
        return st;
    }
    *id = before;
    return FR_OK;
}

// ---- read

void journal_row_read(struct store_row *row, struct journal_row *ret)
{
    ret->id = sql_int(row, 0);
    ret->at_ms = sql_int(row, 1);
    ret->kind = sql_text(row, 2);
    ret->key = sql_text(row, 3);
    ret->reason = sql_text(row, 4);
    ret->asset = sql_text(row, 5);
    ret->subject = sql_text(row, 6);
    ret->legs = sql_text(row, 7);
    ret->note = sql_text(row, 8);
    ret->content = sql_bytes(row, 9, &ret->content_len);
    ret->hash = sql_bytes(row, 10, &ret->hash_len);
}

static bool leg_int(const char **text, char mark, int64_t *ret)
{
    char *end = NULL;
    *ret = strtoll(*text, &end, 10);
    if (end == *text) return false;
    if (mark && *end != mark) return false;
    *text = mark ? end + 1 : end;
    return true;
}

bool leg_next(const char **text, struct stored_leg *ret, bool *bad)
{
    if (**text == 0) return false;
    if (leg_int(text, ':', &ret->change.account) && leg_int(text, ':', &ret->change.free_units) &&
        leg_int(text, ':', &ret->change.held_units) && leg_int(text, 0, &ret->previous) && (**text == 0 || **text == ',')) {
        if (**text == ',') (*text)++;
        return true;
    }
    *bad = true;
    return false;
}

static void legs_json(const char *legs, struct fr_buf *out)
{
    struct stored_leg leg;
    bool bad = false;
    fr_buf_add_char(out, '[');
    while (leg_next(&legs, &leg, &bad)) {
        if (out->len > 1) fr_buf_add_char(out, ',');
        fr_buf_addf(out, "{\"account\":\"%" PRId64 "\",\"free\":\"%" PRId64 "\",\"held\":\"%" PRId64 "\"}",
                    leg.change.account, leg.change.free_units, leg.change.held_units);
    }
    fr_buf_add_char(out, ']');
}

static enum fr_status entry_show(const struct journal_row *row, void (*each)(void *arg, const struct ledger_entry *e), void *arg, struct fr_err *err)
{
    struct ledger_entry e = { .id = row->id, .at_ms = row->at_ms, .note = row->note };
    snprintf(e.kind, sizeof e.kind, "%s", row->kind);
    snprintf(e.key, sizeof e.key, "%s", row->key);
    snprintf(e.reason, sizeof e.reason, "%s", row->reason);
    snprintf(e.asset, sizeof e.asset, "%s", row->asset);
    if (row->hash_len == SHA256_BYTES) fr_hex(row->hash, SHA256_BYTES, e.hash);
    FR_AUTO_BUF(legs);
    fr_buf_init(&legs, CHANGES_MAX * (LEG_TEXT_BYTES_MAX + 40));
    legs_json(row->legs, &legs);
    FR_TRY(fr_buf_check(&legs, "the legs", err));
    e.legs = legs.data;
    each(arg, &e);
    return FR_OK;
}

// The row before this one in the account's history; false when the row does not name the account.
static bool previous_in(const char *legs, int64_t account, int64_t *previous)
{
    struct stored_leg leg;
    bool bad = false;
    while (leg_next(&legs, &leg, &bad)) {
        if (leg.change.account != account) continue;
        *previous = leg.previous;
        return true;
    }
    return false;
}

static enum fr_status journal_row_begin(struct store_txn *txn, int64_t id, struct store_row **row, bool *found, struct journal_row *ret, struct fr_err *err)
{
    FR_TRY(sql_begin(txn, "SELECT " JOURNAL_COLUMNS " FROM journal WHERE id = ?1", row, err));
    sql_bind_int(*row, 1, id);
    FR_TRY(sql_step(*row, found, err));
    if (*found) journal_row_read(*row, ret);
    return FR_OK;
}

// Where a page starts: behind the row it continues from, which names the account unless the caller made the number up.
static enum fr_status history_start(struct store_txn *txn, int64_t account, int64_t before, int64_t *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct journal_row r;
    bool found = false;
    if (before > 0) FR_TRY(journal_row_begin(txn, before, &row, &found, &r, err));
    if (found && previous_in(r.legs, account, ret)) return FR_OK;
    struct account a;
    FR_TRY(account_load(txn, account, &a, err));
    *ret = a.last_entry;
    return FR_OK;
}

static enum fr_status journal_of_account(struct store_txn *txn, int64_t account, int64_t before, int limit,
                                         void (*each)(void *arg, const struct ledger_entry *e), void *arg, struct fr_err *err)
{
    int64_t at = 0;
    FR_TRY(history_start(txn, account, before, &at, err));
    for (int shown = 0; at > 0 && shown < limit;) {
        FR_SQL_ROW(row);
        struct journal_row r;
        bool found = false;
        int64_t previous = 0;
        FR_TRY(journal_row_begin(txn, at, &row, &found, &r, err));
        if (!found || !previous_in(r.legs, account, &previous) || previous >= at)
            return FR_FAIL(err, FR_E_CORRUPT, "the history of account %lld is broken at journal row %lld; run the audit", (long long)account, (long long)at);
        if (before == 0 || at < before) {
            FR_TRY(entry_show(&r, each, arg, err));
            shown++;
        }
        at = previous;
    }
    return FR_OK;
}

enum fr_status ledger_journal(struct store_txn *txn, int64_t account, int64_t before, int limit,
                              void (*each)(void *arg, const struct ledger_entry *e), void *arg, struct fr_err *err)
{
    if (account != 0) return journal_of_account(txn, account, before, limit, each, arg, err);
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " JOURNAL_COLUMNS " FROM journal WHERE id < ?1 ORDER BY id DESC LIMIT ?2", &row, err));
    sql_bind_int(row, 1, before > 0 ? before : INT64_MAX);
    sql_bind_int(row, 2, limit);
    for (;;) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        struct journal_row r;
        journal_row_read(row, &r);
        FR_TRY(entry_show(&r, each, arg, err));
    }
}

enum fr_status ledger_key_known(struct store_txn *txn, const char *key, bool *known, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT 1 FROM journal WHERE key=?1", &row, err));
    sql_bind_text(row, 1, key);
    return sql_step(row, known, err);
}

enum fr_status ledger_entry_ms(struct store_txn *txn, int64_t entry, int64_t *at_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT at_ms FROM journal WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, entry);
    bool found = false;
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL(err, FR_E_NOT_FOUND, "there is no journal row %lld", (long long)entry);
    *at_ms = sql_int(row, 0);
    return FR_OK;
}
