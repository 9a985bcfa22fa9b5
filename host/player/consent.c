// consent.c — approvals and the intents they answer. Every rule is asked again inside the job that spends, so two spends
// racing for the same approval are one after the other here, and the second sees what the first left.
#include "player/consent.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/id.h"
#include "base/limits.h"
#include "player/rows.h"

#define DAY_MS (24LL * 60 * 60 * 1000)
#define DAILY "daily"

static int64_t day_of(int64_t now_ms)
{
    return now_ms / DAY_MS;
}

// ---- reading

struct live { struct consent consent; int64_t day; };

#define CONSENT_COLUMNS "SELECT id, player, plugin, asset, kind, max_units, spent_units, created_ms, expires_ms, revoked_ms, terms, intent, day FROM consent "
static void consent_read(struct store_row *row, struct live *ret)
{
    struct consent *c = &ret->consent;
    *c = (struct consent){ .id = sql_int(row, 0), .max_units = sql_int(row, 5), .spent_units = sql_int(row, 6), .created_ms = sql_int(row, 7),
                           .expires_ms = sql_int(row, 8), .revoked_ms = sql_int(row, 9) };
    player_id_print(sql_int(row, 1), c->player);
    player_text_copy(c->plugin, sizeof c->plugin, sql_text(row, 2));
    player_text_copy(c->asset, sizeof c->asset, sql_text(row, 3));
    player_text_copy(c->kind, sizeof c->kind, sql_text(row, 4));
    player_text_copy(c->terms, sizeof c->terms, sql_text(row, 10));
    player_text_copy(c->intent, sizeof c->intent, sql_text(row, 11));
    ret->day = sql_int(row, 12);
}

static enum fr_status find_live(struct store_txn *txn, const char *player, const char *plugin, const char *asset, struct live *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int64_t number = 0;
    FR_TRY(player_number(player, &number, err));
    FR_TRY(sql_begin(txn, CONSENT_COLUMNS "WHERE player = ?1 AND plugin = ?2 AND asset = ?3 AND revoked_ms = 0", &row, err));
    sql_bind_int(row, 1, number);
    sql_bind_text(row, 2, plugin);
    sql_bind_text(row, 3, asset);
    FR_TRY(sql_step(row, found, err));
    if (*found) consent_read(row, ret);
    return FR_OK;
}

static enum fr_status find_by_intent(struct store_txn *txn, const char *intent, struct live *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, CONSENT_COLUMNS "WHERE intent = ?1", &row, err));
    sql_bind_text(row, 1, intent);
    FR_TRY(sql_step(row, found, err));
    if (*found) consent_read(row, ret);
    return FR_OK;
}

// The day that counts. One that has begun is not over again because a clock was set back, or because two clocks that were read at midnight
// came here in the other order: else each turn would begin it anew.
static int64_t today(const struct live *l, int64_t now_ms)
{
    int64_t day = day_of(now_ms);
    return day > l->day ? day : l->day;
}

// What a day already saw: a daily approval starts anew each day.
static int64_t spent_on(const struct live *l, int64_t day)
{
    return strcmp(l->consent.kind, DAILY) == 0 && l->day != day ? 0 : l->consent.spent_units;
}

// ---- giving and revoking

static enum fr_status check_terms_of_asking(const char *kind, int64_t max_units, const char *terms, struct fr_err *err)
{
    if (strcmp(kind, "once") != 0 && strcmp(kind, DAILY) != 0)
        return FR_FAIL(err, FR_E_INVALID, "kind: expected \"once\" or \"daily\", got \"%.20s\"", kind);
    if (max_units < 1 || max_units > UNITS_MAX)
        return FR_FAIL(err, FR_E_INVALID, "max: expected 1 to %lld base units, got %lld", UNITS_MAX, (long long)max_units);
    if (strlen(terms) != SHA256_HEX_BYTES - 1) return FR_FAIL(err, FR_E_INVALID, "terms: expected a SHA-256 in hex");
    return FR_OK;
}

static enum fr_status consent_insert(struct store_txn *txn, int64_t player, const struct consent *c, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO consent (player, plugin, asset, kind, max_units, day, terms, intent, created_ms, expires_ms)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", &row, err));
    sql_bind_int(row, 1, player);
    sql_bind_text(row, 2, c->plugin);
    sql_bind_text(row, 3, c->asset);
    sql_bind_text(row, 4, c->kind);
    sql_bind_int(row, 5, c->max_units);
    sql_bind_int(row, 6, day_of(c->created_ms));
    sql_bind_text(row, 7, c->terms);
    sql_bind_text(row, 8, *c->intent ? c->intent : NULL);
    sql_bind_int(row, 9, c->created_ms);
    sql_bind_int(row, 10, c->expires_ms);
    return sql_do(FR_TAKE(row), NULL, err);
}

static enum fr_status mark_revoked(struct store_txn *txn, int64_t player, int64_t id, int64_t now_ms, int64_t *changed, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE consent SET revoked_ms = ?3 WHERE id = ?2 AND player = ?1 AND revoked_ms = 0", &row, err));
    sql_bind_int(row, 1, player);
    sql_bind_int(row, 2, id);
    sql_bind_int(row, 3, now_ms);
    return sql_do(FR_TAKE(row), changed, err);
}

// The player pressed once and the answer was lost: the same intent finds what was given, but never revives what was taken back.
static enum fr_status find_given(struct store_txn *txn, const struct consent *ask, struct consent *ret, bool *found, struct fr_err *err)
{
    struct live l;
    *found = false;
    if (!*ask->intent) return FR_OK;
    FR_TRY(find_by_intent(txn, ask->intent, &l, found, err));
    if (!*found) return FR_OK;
    if (strcmp(l.consent.player, ask->player) != 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "intent_unknown", "there is no request %s", ask->intent);
    if (l.consent.revoked_ms) return FR_FAIL_CODE(err, FR_E_CONFLICT, "consent_revoked", "this request was approved before, and the approval is over");
    *ret = l.consent;
    return FR_OK;
}

enum fr_status consent_give(struct store_txn *txn, const struct consent *ask, int64_t now_ms, struct consent *ret, struct fr_err *err)
{
    struct consent made = *ask;
    struct live before;
    bool found = false;
    int64_t number = 0;
    FR_TRY(player_number(ask->player, &number, err));
    FR_TRY(check_terms_of_asking(ask->kind, ask->max_units, ask->terms, err));
    FR_TRY(find_given(txn, ask, ret, &found, err));
    if (found) return FR_OK;
    if (ask->expires_ms <= now_ms) return FR_FAIL_CODE(err, FR_E_CONFLICT, "consent_expired", "this approval would already be over");
    if (ask->expires_ms - now_ms > CONSENT_MS_MAX)
        return FR_FAIL(err, FR_E_LIMIT, "expires: an approval lasts at most %lld days", CONSENT_MS_MAX / DAY_MS);

    FR_TRY(find_live(txn, ask->player, ask->plugin, ask->asset, &before, &found, err));
    if (found) FR_TRY(mark_revoked(txn, number, before.consent.id, now_ms, NULL, err));
    made.spent_units = made.revoked_ms = 0;
    made.created_ms = now_ms;
    FR_TRY(consent_insert(txn, number, &made, err));
    made.id = sql_last_id(txn);
    *ret = made;
    return FR_OK;
}

static enum fr_status belongs_to(struct store_txn *txn, int64_t player, int64_t id, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT 1 FROM consent WHERE id = ?1 AND player = ?2", &row, err));
    sql_bind_int(row, 1, id);
    sql_bind_int(row, 2, player);
    return sql_step(row, found, err);
}

enum fr_status consent_revoke(struct store_txn *txn, const char *player, int64_t id, int64_t now_ms, struct fr_err *err)
{
    int64_t number = 0, changed = 0;
    bool found = false;
    FR_TRY(player_number(player, &number, err));
    FR_TRY(mark_revoked(txn, number, id, now_ms, &changed, err));
    if (changed) return FR_OK;
    FR_TRY(belongs_to(txn, number, id, &found, err));            // revoked before: fine; another's or none: no
    return found ? FR_OK : FR_FAIL_CODE(err, FR_E_NOT_FOUND, "consent_unknown", "there is no approval %lld", (long long)id);
}

enum fr_status consent_list(struct store_txn *txn, const char *player, struct consent *out, int cap, int *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct live l;
    int64_t number = 0;
    FR_TRY(player_number(player, &number, err));
    FR_TRY(sql_begin(txn, CONSENT_COLUMNS "WHERE player = ?1 AND revoked_ms = 0 ORDER BY id DESC LIMIT ?2", &row, err));
    sql_bind_int(row, 1, number);
    sql_bind_int(row, 2, cap);
    int n = 0;
    for (bool found = true; n < cap; n++) {
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        consent_read(row, &l);
        out[n] = l.consent;
    }
    *count = n;
    return FR_OK;
}

// ---- spending

enum fr_status consent_left(struct store_txn *txn, const char *player, const char *plugin, const char *asset, const char *terms, int64_t now_ms,
                            int64_t *left_units, int64_t *expires_ms, struct fr_err *err)
{
    struct live l;
    bool found = false;
    FR_TRY(find_live(txn, player, plugin, asset, &l, &found, err));
    bool good = found && l.consent.expires_ms > now_ms && strcmp(l.consent.terms, terms) == 0;
    *left_units = good ? l.consent.max_units - spent_on(&l, today(&l, now_ms)) : 0;
    *expires_ms = good ? l.consent.expires_ms : 0;
    return FR_OK;
}

static enum fr_status set_spent(struct store_txn *txn, int64_t id, int64_t spent, int64_t day, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE consent SET spent_units = ?2, day = ?3 WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, id);
    sql_bind_int(row, 2, spent);
    sql_bind_int(row, 3, day);
    return sql_do(FR_TAKE(row), NULL, err);
}

#define REQUIRED(err, ...) FR_FAIL_CODE(err, FR_E_DENIED, "consent_required", __VA_ARGS__)
enum fr_status consent_spend(struct store_txn *txn, const char *player, const char *plugin, const char *asset, const char *terms, int64_t units, int64_t now_ms,
                             struct fr_err *err)
{
    struct live l;
    bool found = false;
    assert(units > 0 && units <= UNITS_MAX);
    FR_TRY(find_live(txn, player, plugin, asset, &l, &found, err));
    if (!found) return REQUIRED(err, "the player has not approved that %s spends %s", plugin, asset);
    if (l.consent.expires_ms <= now_ms) return REQUIRED(err, "the player's approval for %s to spend %s has expired", plugin, asset);
    if (strcmp(l.consent.terms, terms) != 0) return REQUIRED(err, "the player approved that %s spends %s on other terms", plugin, asset);
    int64_t day = today(&l, now_ms), spent = spent_on(&l, day), left = l.consent.max_units - spent;
    if (units > left)
        return REQUIRED(err, "%lld base units of %s are asked for, and %lld are left of what the player approved for %s", (long long)units, asset, (long long)left, plugin);
    return set_spent(txn, l.consent.id, spent + units, day, err);
}

enum fr_status consent_return(struct store_txn *txn, const char *player, const char *plugin, const char *asset, int64_t units, int64_t spent_ms, int64_t now_ms,
                              struct fr_err *err)
{
    struct live l;
    bool found = false;
    assert(units > 0);
    FR_TRY(find_live(txn, player, plugin, asset, &l, &found, err));
    if (!found || l.consent.expires_ms <= now_ms || l.consent.created_ms > spent_ms) return FR_OK;
    int64_t day = today(&l, now_ms);
    if (strcmp(l.consent.kind, DAILY) == 0 && day_of(spent_ms) != day) return FR_OK;
    int64_t spent = spent_on(&l, day);
    return set_spent(txn, l.consent.id, spent > units ? spent - units : 0, day, err);
}

// ---- intents

#define INTENT_COLUMNS "SELECT id, player, plugin, asset, kind, reason, max_units, terms, created_ms, expires_ms FROM consent_intent "
static void intent_read(struct store_row *row, struct consent_intent *ret)
{
    *ret = (struct consent_intent){ .max_units = sql_int(row, 6), .created_ms = sql_int(row, 8), .expires_ms = sql_int(row, 9) };
    player_text_copy(ret->id, sizeof ret->id, sql_text(row, 0));
    player_id_print(sql_int(row, 1), ret->player);
    player_text_copy(ret->plugin, sizeof ret->plugin, sql_text(row, 2));
    player_text_copy(ret->asset, sizeof ret->asset, sql_text(row, 3));
    player_text_copy(ret->kind, sizeof ret->kind, sql_text(row, 4));
    player_text_copy(ret->reason, sizeof ret->reason, sql_text(row, 5));
    player_text_copy(ret->terms, sizeof ret->terms, sql_text(row, 7));
}

static bool same_intent(const struct consent_intent *a, const struct consent_intent *b)
{
    return strcmp(a->asset, b->asset) == 0 && strcmp(a->kind, b->kind) == 0 && strcmp(a->reason, b->reason) == 0 && strcmp(a->terms, b->terms) == 0 &&
           a->max_units == b->max_units;
}

static enum fr_status intent_find_key(struct store_txn *txn, int64_t player, const char *plugin, const char *key, struct consent_intent *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, INTENT_COLUMNS "WHERE player = ?1 AND plugin = ?2 AND key = ?3", &row, err));
    sql_bind_int(row, 1, player);
    sql_bind_text(row, 2, plugin);
    sql_bind_text(row, 3, key);
    FR_TRY(sql_step(row, found, err));
    if (*found) intent_read(row, ret);
    return FR_OK;
}

static enum fr_status intent_find_same(struct store_txn *txn, int64_t player, const struct consent_intent *ask, struct consent_intent *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    // One that was answered is not open any more: its approval may be spent, and the same question is a new one.
    FR_TRY(sql_begin(txn, INTENT_COLUMNS "WHERE player = ?1 AND plugin = ?2 AND key IS NULL AND NOT EXISTS (SELECT 1 FROM consent WHERE intent = consent_intent.id)", &row, err));
    sql_bind_int(row, 1, player);
    sql_bind_text(row, 2, ask->plugin);
    for (*found = true; *found; ) {                              // at most INTENTS_PER_PLAYER_MAX of them
        FR_TRY(sql_step(row, found, err));
        if (!*found) break;
        intent_read(row, ret);
        if (same_intent(ret, ask)) break;
    }
    return FR_OK;
}

static enum fr_status intent_drop_old(struct store_txn *txn, int64_t player, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "DELETE FROM consent_intent WHERE player = ?1 AND expires_ms <= ?2", &row, err));
    sql_bind_int(row, 1, player);
    sql_bind_int(row, 2, now_ms);
    return sql_do(FR_TAKE(row), NULL, err);
}

// Leaves room for one more.
static enum fr_status intent_make_room(struct store_txn *txn, int64_t player, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "DELETE FROM consent_intent WHERE (SELECT count(*) FROM consent_intent WHERE player = ?1) >= ?2 AND id ="
                          " (SELECT id FROM consent_intent WHERE player = ?1 AND plugin = (SELECT plugin FROM consent_intent WHERE player = ?1"
                          " GROUP BY plugin ORDER BY count(*) DESC, plugin LIMIT 1) ORDER BY created_ms, id LIMIT 1)", &row, err));
    sql_bind_int(row, 1, player);
    sql_bind_int(row, 2, INTENTS_PER_PLAYER_MAX);
    return sql_do(FR_TAKE(row), NULL, err);
}

static enum fr_status intent_insert(struct store_txn *txn, int64_t player, const struct consent_intent *i, const char *key, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO consent_intent (id, player, plugin, asset, kind, reason, max_units, terms, key, created_ms, expires_ms)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", &row, err));
    sql_bind_text(row, 1, i->id);
    sql_bind_int(row, 2, player);
    sql_bind_text(row, 3, i->plugin);
    sql_bind_text(row, 4, i->asset);
    sql_bind_text(row, 5, i->kind);
    sql_bind_text(row, 6, i->reason);
    sql_bind_int(row, 7, i->max_units);
    sql_bind_text(row, 8, i->terms);
    sql_bind_text(row, 9, key);
    sql_bind_int(row, 10, i->created_ms);
    sql_bind_int(row, 11, i->expires_ms);
    return sql_do(FR_TAKE(row), NULL, err);
}

enum fr_status consent_intent_make(struct store_txn *txn, const struct consent_intent *ask, const char *key, int64_t now_ms, struct consent_intent *ret, struct fr_err *err)
{
    struct consent_intent made = *ask, before;
    bool found = false;
    int64_t number = 0;
    struct player who;
    FR_TRY(player_get(txn, ask->player, &who, err));
    FR_TRY(player_number(ask->player, &number, err));
    FR_TRY(check_terms_of_asking(ask->kind, ask->max_units, ask->terms, err));
    FR_TRY(intent_drop_old(txn, number, now_ms, err));
    if (key) FR_TRY(intent_find_key(txn, number, ask->plugin, key, &before, &found, err));
    else FR_TRY(intent_find_same(txn, number, ask, &before, &found, err));
    if (found && !same_intent(&before, ask)) return FR_FAIL_CODE(err, FR_E_CONFLICT, "key_reused", "key %.60s already names another request", key);
    if (found) {
        *ret = before;
        return FR_OK;
    }
    FR_TRY(intent_make_room(txn, number, err));
    fr_id_new(made.id);
    made.created_ms = now_ms;
    if (made.expires_ms == 0) made.expires_ms = now_ms + INTENT_MS;
    FR_TRY(intent_insert(txn, number, &made, key, err));
    *ret = made;
    return FR_OK;
}

enum fr_status consent_intent_get(struct store_txn *txn, const char *player, const char *id, int64_t now_ms, struct consent_intent *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct consent_intent found_one;
    bool found = false;
    FR_TRY(sql_begin(txn, INTENT_COLUMNS "WHERE id = ?1", &row, err));
    sql_bind_text(row, 1, id);
    FR_TRY(sql_step(row, &found, err));
    if (found) intent_read(row, &found_one);
    if (!found || strcmp(found_one.player, player) != 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "intent_unknown", "there is no such request");
    if (found_one.expires_ms <= now_ms) return FR_FAIL_CODE(err, FR_E_CONFLICT, "intent_expired", "this request has expired: try again from the start");
    *ret = found_one;
    return FR_OK;
}
