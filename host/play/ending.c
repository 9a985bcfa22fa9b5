// ending.c — how a match ends: by the game's own effect, or by the host (void, forfeit, surrender).
#include <assert.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "play/internal.h"

struct match_result *match_result_new(struct match *m, const struct fr_json *effect, struct fr_err *err)
{
    struct match_result *r = fr_must_alloc(sizeof *r);
    const struct fr_json *shares = fr_json_get(effect, "places") ? NULL : fr_json_get(effect, "shares_bps");
    if (settle_read(effect, m->row.seats, r, err) == FR_OK &&
        settle_amounts(r, m->row.seats, m->row.stake_units, m->row.rake_bps, shares, err) == FR_OK) return r;
    fr_log_err(LOG_ERROR, "match.finish_refused", err, "match", m->row.id, "plugin", m->row.game, NULL);
    settle_void(r, "finish_malformed");                          // the game's mistake must cost nobody a coin
    FR_IGNORE(settle_amounts(r, m->row.seats, m->row.stake_units, m->row.rake_bps, NULL, err));   // cannot fail: stakes come back
    return r;
}

static void match_end_by_host(struct match *m, const struct match_result *result, const char *why, int seat, struct waiter waiter)
{
    assert(m->state >= MATCH_WAITING && m->state < MATCH_ENDING);
    FR_AUTO_BUF(body);
    fr_buf_init(&body, 4096);
    fr_buf_add(&body, "\"kind\":\"end\",\"why\":");
    fr_buf_add_json_text(&body, why);
    fr_buf_addf(&body, ",\"seat\":%d,\"void\":%s", seat, result->is_void ? "true" : "false");
    m->idle_count = 0;                                           // idle ticks changed nothing that anyone saw
    int64_t now_ms = match_now(m);
    char *record = body.failed ? NULL : log_record_text(m, body.data, now_ms);
    if (!record) { match_error_waiter(&waiter, FR_E_NOMEM, "nomem", "no memory"); return; }      // the next clock tries again
    m->state = MATCH_ENDING;
    if (m->feed) {                                               // it would have given its reference back when done
        feed_forget(FR_TAKE(m->feed));
        match_unref(m);
    }
    struct match_result *end = fr_must_alloc(sizeof *end);
    *end = *result;
    log_append(m, record, &(struct append){ .now_ms = now_ms, .outcome = TURN_NOT_RUN, .end = end, .waiter = waiter }, NULL, 0);
}

static void match_undo_for(struct match *m, const char *reason, struct waiter waiter)
{
    struct match_result result;
    struct fr_err err;
    settle_void(&result, reason);
    FR_IGNORE(settle_amounts(&result, m->row.seats, m->row.stake_units, m->row.rake_bps, NULL, &err));    // stakes come back: no arithmetic to fail
    fr_log(LOG_WARN, "match.void", "match", m->row.id, "plugin", m->row.game, "reason", reason, NULL);
    if (m->state != MATCH_SEEDING && (m->count > 0 || m->hash0[0])) {
        match_end_by_host(m, &result, reason, 0, waiter);
        return;
    }
    if (m->feed) {
        feed_forget(FR_TAKE(m->feed));
        match_unref(m);
    }
    m->state = MATCH_ENDING;
    log_end_unopened(m, &result, waiter);
}

void match_undo(struct match *m, const char *reason)
{
    if (m->state >= MATCH_ENDING || m->state == MATCH_FORMING) return;
    match_undo_for(m, reason, (struct waiter){ 0 });
}

void match_leave_seeding(struct match *m, struct waiter waiter)
{
    if (m->state == MATCH_SEEDING) match_undo_for(m, "left_before_start", waiter);
    else match_error_waiter(&waiter, FR_E_BUSY, "match_starting", "the match is just beginning; ask again in a moment");
}

static void match_forfeit_for(struct match *m, int seat, const char *reason, struct waiter waiter)
{
    struct match_result result;
    struct fr_err err;
    settle_forfeit(&result, m->row.seats, seat, reason);
    if (settle_amounts(&result, m->row.seats, m->row.stake_units, m->row.rake_bps, NULL, &err) != FR_OK) match_undo_for(m, reason, waiter);
    else match_end_by_host(m, &result, reason, seat, waiter);
}

void match_forfeit(struct match *m, int seat, const char *reason)
{
    if (m->state >= MATCH_ENDING || m->state < MATCH_WAITING) return;
    match_forfeit_for(m, seat, reason, (struct waiter){ 0 });
}

void match_surrender(struct match *m, int seat, struct waiter waiter)
{
    assert(m->state >= MATCH_WAITING && m->state < MATCH_ENDING);
    match_forfeit_for(m, seat, "surrender", waiter);
}

static void out_wallets(struct match *m)
{
    if (m->row.stake_units == 0) return;
    for (int i = 0; i < m->row.seats; i++)
        if (m->seat[i].player[0]) m->plays->o.effects.wallet(m->plays->o.effects.arg, m->seat[i].player, m->row.asset);
}

void match_ended(struct match *m, const struct match_result *r)
{
    m->state = MATCH_ENDED;
    match_close_slot(m);
    match_unpin(m);
    m->ended_ms = fr_mono_ms();
    m->result = *r;
    m->row.state = ROW_ENDED;
    events_end(m, r, true);
    out_wallets(m);
    pending_refuse_all(m, "match_ended", "the match is over");
    clock_timers_clear(m);
    clock_close(m);
    fr_log(LOG_INFO, "match.end", "match", m->row.id, "plugin", m->row.game, "reason", r->reason, NULL);
}
