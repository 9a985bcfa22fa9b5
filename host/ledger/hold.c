// hold.c — the hold table. A hold's number is the number of the journal row that opened it, so a retry finds it by its key.
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "ledger/internal.h"

#define ABOUT_BYTES 160                            // "hold 123" or "owner match:..." in the content of a request
#define EXPIRED_REASON "expired"

// ---- read

void hold_read(struct store_row *row, struct ledger_hold *ret)
{
    ret->id = sql_int(row, 0);
    ret->account = sql_int(row, 1);
    ret->units = sql_int(row, 2);
    ret->expires_ms = sql_int(row, 3);
    ret->state = (enum ledger_hold_state)sql_int(row, 4);
    snprintf(ret->owner, sizeof ret->owner, "%s", sql_text(row, 5));
    snprintf(ret->key, sizeof ret->key, "%s", sql_text(row, 6));
}

enum fr_status ledger_hold_get(struct store_txn *txn, int64_t hold, struct ledger_hold *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " HOLD_COLUMNS " FROM hold WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, hold);
    bool found = false;
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "hold_unknown", "there is no hold %lld", (long long)hold);
    hold_read(row, ret);
    return FR_OK;
}

static enum fr_status holds_read(struct store_row *row, struct ledger_hold *out, int cap, int *count, struct fr_err *err)
{
    int n = 0;
    for (bool found = true; n < cap; n++) {
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        hold_read(row, &out[n]);
    }
    *count = n;
    return FR_OK;
}

enum fr_status ledger_holds_open(struct store_txn *txn, struct ledger_hold *out, int cap, int *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " HOLD_COLUMNS " FROM hold WHERE state = 0 AND owner <> '' UNION ALL"
                     " SELECT " HOLD_COLUMNS " FROM hold WHERE state = 0 AND owner = '' LIMIT ?1", &row, err));    // one index each
    sql_bind_int(row, 1, cap);
    return holds_read(row, out, cap, count, err);
}

// ---- open

static enum fr_status hold_check(const struct ledger_hold *ask, const char *reason, struct fr_err *err)
{
    FR_TRY(journal_check_words(ask->key, reason, "", err));
    if (ask->units < 1 || ask->units > UNITS_MAX) return FR_FAIL(err, FR_E_INVALID, "hold %s is over %lld units", ask->key, (long long)ask->units);
    if (!ask->owner[0] && ask->expires_ms == 0) return FR_FAIL(err, FR_E_INVALID, "hold %s has neither an owner nor an end", ask->key);
    return FR_OK;
}

static enum fr_status hold_check_time(const struct ledger_hold *ask, int64_t now_ms, struct fr_err *err)
{
    if (ask->expires_ms == 0) return FR_OK;
    if (ask->expires_ms <= now_ms) return FR_FAIL(err, FR_E_INVALID, "hold %s would end before it begins", ask->key);
    if (ask->expires_ms - now_ms > HOLD_MS_MAX) return FR_FAIL(err, FR_E_LIMIT, "hold %s: a hold may last %lld ms", ask->key, HOLD_MS_MAX);
    return FR_OK;
}

static enum fr_status hold_check_owner(struct store_txn *txn, const struct ledger_hold *ask, struct fr_err *err)
{
    if (!ask->owner[0]) return FR_OK;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM hold WHERE state = 0 AND owner <> '' AND owner = ?1", &row, err));
    sql_bind_text(row, 1, ask->owner);
    bool found = false;
    FR_TRY(sql_step(row, &found, err));
    if (sql_int(row, 0) >= HOLDS_PER_OWNER_MAX) return FR_FAIL(err, FR_E_LIMIT, "%s has %d open holds already", ask->owner, HOLDS_PER_OWNER_MAX);
    return FR_OK;
}

static enum fr_status hold_insert(struct store_txn *txn, const struct ledger_hold *h, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO hold(" HOLD_COLUMNS ") VALUES(?1, ?2, ?3, ?4, 0, ?5, ?6)", &row, err));
    sql_bind_int(row, 1, h->id);
    sql_bind_int(row, 2, h->account);
    sql_bind_int(row, 3, h->units);
    sql_bind_int(row, 4, h->expires_ms);
    sql_bind_text(row, 5, h->owner);
    sql_bind_text(row, 6, h->key);
    return sql_do(row, NULL, err);
}

// The expiry is no part of what was asked: a retry reckons it from a later now, and finds the hold all the same.
enum fr_status ledger_hold_open(struct store_txn *txn, const struct ledger_hold *ask, const char *reason, int64_t now_ms,
                                struct ledger_hold *ret, struct fr_err *err)
{
    FR_TRY(hold_check(ask, reason, err));
    uint8_t content[CONTENT_BYTES];
    struct ledger_leg leg = { .account = ask->account, .units = ask->units };
    content_hash("hold", reason, ask->owner, &leg, 1, content);
    int64_t id = 0;
    FR_TRY(journal_find(txn, ask->key, content, &id, err));
    if (id != 0) return ledger_hold_get(txn, id, ret, err);

    FR_TRY(hold_check_time(ask, now_ms, err));
    FR_TRY(hold_check_owner(txn, ask, err));
    char subject[sizeof ask->owner + 24];
    snprintf(subject, sizeof subject, "%" PRId64 " %s", ask->expires_ms, ask->owner);
    struct changes changes;
    changes_init(&changes);
    FR_TRY(changes_add(&changes, ask->account, -ask->units, ask->units, err));
    struct entry e = { .kind = "hold", .key = ask->key, .reason = reason, .subject = subject, .note = "", .changes = &changes };
    memcpy(e.content, content, sizeof content);
    struct ledger_hold made = *ask;
    made.state = HOLD_OPEN;
    FR_TRY(journal_write(txn, &e, now_ms, &made.id, err));
    FR_TRY(hold_insert(txn, &made, err));
    *ret = made;
    return FR_OK;
}

// ---- end: one hold or all of an owner, settled or released. One path for the four.

struct ending {
    enum ledger_hold_state state;
    const struct ledger_hold *holds; int count;
    const struct ledger_leg *legs; int leg_count;
    const char *key, *reason, *note;
    uint8_t content[CONTENT_BYTES];
};

static enum fr_status legs_sum(const struct ledger_leg *legs, int count, const char *key, int64_t *sum, struct fr_err *err)
{
    if (count < 0 || count > TRANSFER_LEGS_MAX) return FR_FAIL(err, FR_E_INVALID, "settlement %s has %d legs; up to %d are possible", key, count, TRANSFER_LEGS_MAX);
    *sum = 0;
    for (int i = 0; i < count; i++) {
        if (legs[i].units < 1 || legs[i].units > UNITS_MAX) return FR_FAIL(err, FR_E_INVALID, "leg %d of settlement %s gives %lld units", i + 1, key, (long long)legs[i].units);
        if (__builtin_add_overflow(*sum, legs[i].units, sum)) return FR_FAIL(err, FR_E_INVALID, "the legs of settlement %s sum to more than can be counted", key);
    }
    return FR_OK;
}

static enum fr_status hold_mark(struct store_txn *txn, int64_t id, enum ledger_hold_state state, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE hold SET state = ?2 WHERE id = ?1 AND state = 0", &row, err));
    sql_bind_int(row, 1, id);
    sql_bind_int(row, 2, state);
    int64_t changed = 0;
    FR_TRY(sql_do(row, &changed, err));
    assert(changed == 1);                          // it was open a moment ago, in this transaction
    return FR_OK;
}

// What the legs do not give away returns to the holders; only a single hold may leave a rest (its caller checked).
static enum fr_status ending_changes(const struct ending *end, int64_t rest_units, struct changes *changes, struct fr_err *err)
{
    changes_init(changes);
    for (int i = 0; i < end->count; i++) {
        const struct ledger_hold *h = &end->holds[i];
        int64_t back_units = end->state == HOLD_RELEASED ? h->units : i == 0 ? rest_units : 0;
        FR_TRY(changes_add(changes, h->account, back_units, -h->units, err));
    }
    for (int i = 0; i < end->leg_count; i++) FR_TRY(changes_add(changes, end->legs[i].account, end->legs[i].units, 0, err));
    return FR_OK;
}

static enum fr_status holds_end(struct store_txn *txn, const struct ending *end, int64_t rest_units, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    struct changes changes;
    FR_TRY(ending_changes(end, rest_units, &changes, err));
    FR_AUTO_BUF(subject);
    fr_buf_init(&subject, HOLDS_PER_OWNER_MAX * 21);
    for (int i = 0; i < end->count; i++) {
        if (i > 0) fr_buf_add_char(&subject, ',');
        fr_buf_add_i64(&subject, end->holds[i].id);
    }
    FR_TRY(fr_buf_check(&subject, "the holds' numbers", err));
    struct entry e = { .kind = end->state == HOLD_SETTLED ? "settle" : "release", .key = end->key, .reason = end->reason, .subject = subject.data,
                       .note = end->note, .changes = &changes };
    memcpy(e.content, end->content, sizeof e.content);
    FR_TRY(journal_write(txn, &e, now_ms, id, err));
    for (int i = 0; i < end->count; i++) FR_TRY(hold_mark(txn, end->holds[i].id, end->state, err));
    return FR_OK;
}

static enum fr_status hold_end_one(struct store_txn *txn, int64_t hold, struct ending *end, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    int64_t given_units = 0, done_before = 0;
    char about[ABOUT_BYTES];
    FR_TRY(journal_check_words(end->key, end->reason, end->note, err));
    FR_TRY(legs_sum(end->legs, end->leg_count, end->key, &given_units, err));
    snprintf(about, sizeof about, "hold %" PRId64, hold);
    content_hash(end->state == HOLD_SETTLED ? "settle" : "release", end->reason, about, end->legs, end->leg_count, end->content);
    FR_TRY(journal_find(txn, end->key, end->content, &done_before, err));
    if (done_before != 0) {
        *id = done_before;
        return FR_OK;
    }

    struct ledger_hold h;
    FR_TRY(ledger_hold_get(txn, hold, &h, err));
    if (h.state != HOLD_OPEN)
        return FR_FAIL_CODE(err, FR_E_CONFLICT, "hold_ended", "hold %lld was %s already", (long long)hold, h.state == HOLD_SETTLED ? "settled" : "released");
    if (given_units > h.units)
        return FR_FAIL(err, FR_E_INVALID, "settlement %s gives %lld units, hold %lld has %lld", end->key, (long long)given_units, (long long)hold, (long long)h.units);
    end->holds = &h;
    end->count = 1;
    return holds_end(txn, end, h.units - given_units, now_ms, id, err);
}

enum fr_status ledger_hold_settle(struct store_txn *txn, int64_t hold, const struct ledger_leg *legs, int leg_count, const char *key,
                                  const char *reason, const char *note, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    if (leg_count < 1) return FR_FAIL(err, FR_E_INVALID, "settlement %s gives nothing to anyone: release the hold instead", key);
    struct ending end = { .state = HOLD_SETTLED, .legs = legs, .leg_count = leg_count, .key = key, .reason = reason, .note = note ? note : "" };
    return hold_end_one(txn, hold, &end, now_ms, id, err);
}

enum fr_status ledger_hold_release(struct store_txn *txn, int64_t hold, const char *key, const char *reason, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    struct ending end = { .state = HOLD_RELEASED, .key = key, .reason = reason, .note = "" };
    return hold_end_one(txn, hold, &end, now_ms, id, err);
}

static enum fr_status holds_of_owner(struct store_txn *txn, const char *owner, struct ledger_hold *out, int *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " HOLD_COLUMNS " FROM hold WHERE state = 0 AND owner <> '' AND owner = ?1 ORDER BY id LIMIT ?2", &row, err));
    sql_bind_text(row, 1, owner);
    sql_bind_int(row, 2, HOLDS_PER_OWNER_MAX);
    FR_TRY(holds_read(row, out, HOLDS_PER_OWNER_MAX, count, err));
    if (*count == 0) return FR_FAIL_CODE(err, FR_E_CONFLICT, "hold_ended", "no hold of %s is open", owner);
    return FR_OK;
}

static enum fr_status holds_end_all(struct store_txn *txn, const char *owner, struct ending *end, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    int64_t given_units = 0, pot_units = 0, done_before = 0;
    char about[ABOUT_BYTES];
    FR_TRY(journal_check_words(end->key, end->reason, end->note, err));
    FR_TRY(legs_sum(end->legs, end->leg_count, end->key, &given_units, err));
    snprintf(about, sizeof about, "owner %s", owner);
    content_hash(end->state == HOLD_SETTLED ? "settle" : "release", end->reason, about, end->legs, end->leg_count, end->content);
    FR_TRY(journal_find(txn, end->key, end->content, &done_before, err));
    if (done_before != 0) {
        *id = done_before;
        return FR_OK;
    }

    struct ledger_hold holds[HOLDS_PER_OWNER_MAX];
    FR_TRY(holds_of_owner(txn, owner, holds, &end->count, err));
    end->holds = holds;
    for (int i = 0; i < end->count; i++)
        if (__builtin_add_overflow(pot_units, holds[i].units, &pot_units)) return FR_FAIL(err, FR_E_LIMIT, "the holds of %s sum to more than can be counted", owner);
    if (end->state == HOLD_SETTLED && given_units != pot_units)
        return FR_FAIL(err, FR_E_INVALID, "settlement %s gives %lld units of a pot of %lld", end->key, (long long)given_units, (long long)pot_units);
    return holds_end(txn, end, 0, now_ms, id, err);
}

enum fr_status ledger_holds_settle(struct store_txn *txn, const char *owner, const struct ledger_leg *legs, int leg_count, const char *key,
                                   const char *reason, const char *note, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    struct ending end = { .state = HOLD_SETTLED, .legs = legs, .leg_count = leg_count, .key = key, .reason = reason, .note = note ? note : "" };
    return holds_end_all(txn, owner, &end, now_ms, id, err);
}

enum fr_status ledger_holds_release(struct store_txn *txn, const char *owner, const char *key, const char *reason, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    struct ending end = { .state = HOLD_RELEASED, .key = key, .reason = reason, .note = "" };
    return holds_end_all(txn, owner, &end, now_ms, id, err);
}

// ---- sweep

static enum fr_status hold_next_expired(struct store_txn *txn, int64_t now_ms, struct ledger_hold *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " HOLD_COLUMNS " FROM hold WHERE state = 0 AND owner = '' AND expires_ms <= ?1 ORDER BY expires_ms LIMIT 1", &row, err));
    sql_bind_int(row, 1, now_ms);
    FR_TRY(sql_step(row, found, err));
    if (*found) hold_read(row, ret);
    return FR_OK;
}

enum fr_status ledger_holds_sweep(struct store_txn *txn, int64_t now_ms, int limit, ledger_hold_ended_fn *ended, void *arg, int *swept, struct fr_err *err)
{
    int n = 0;
    for (; n < limit; n++) {
        struct ledger_hold hold;
        bool found = false;
        int64_t id = 0;
        FR_TRY(hold_next_expired(txn, now_ms, &hold, &found, err));
        if (!found) break;
        char key[40];
        snprintf(key, sizeof key, "sweep:%" PRId64, hold.id);
        FR_TRY(ledger_hold_release(txn, hold.id, key, EXPIRED_REASON, now_ms, &id, err));
        if (ended) FR_TRY(ended(txn, arg, &hold, now_ms, err));
    }
    *swept = n;
    return FR_OK;
}
