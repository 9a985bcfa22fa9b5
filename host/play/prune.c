// prune.c — logs of matches that ended long ago are taken out of the store, a small job at a time; hash, seats and result stay.
#include <stdio.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "play/internal.h"

#define PRUNE_MS 60000                     // between looks when there was nothing to do
#define PRUNE_CHUNKS 8                     // of one job: the writer's group is not held up

struct pruning { struct plays *ps; int64_t before_ms, now_ms; int64_t chunks; char match[FR_ID_BYTES]; };

enum fr_status matchlog_prune(struct store_txn *txn, int64_t before_ms, int64_t now_ms, int64_t *chunks, char match[FR_ID_BYTES], struct fr_err *err)
{
    bool found;
    int64_t deleted;
    *chunks = -1;
    match[0] = '\0';
    FR_SQL_ROW(oldest);
    FR_TRY(sql_begin(txn, "SELECT id FROM match WHERE state=2 AND pruned_ms IS NULL AND ended_ms<?1 ORDER BY ended_ms LIMIT 1", &oldest, err));
    sql_bind_int(oldest, 1, before_ms);
    FR_TRY(sql_step(oldest, &found, err));
    if (!found) return FR_OK;
    snprintf(match, FR_ID_BYTES, "%s", sql_text(oldest, 0));
    sql_end(oldest);
    FR_SQL_ROW(gone);
    FR_TRY(sql_begin(txn, "DELETE FROM match_chunk WHERE match=?1 AND n IN (SELECT n FROM match_chunk WHERE match=?1 ORDER BY n DESC LIMIT ?2)", &gone, err));
    sql_bind_text(gone, 1, match);
    sql_bind_int(gone, 2, PRUNE_CHUNKS);
    FR_TRY(sql_do(gone, &deleted, err));
    *chunks = deleted;
    FR_SQL_ROW(shots);
    FR_TRY(sql_begin(txn, "DELETE FROM match_snapshot WHERE match=?1", &shots, err));
    sql_bind_text(shots, 1, match);
    FR_TRY(sql_do(shots, NULL, err));
    FR_SQL_ROW(mark);                      // with the first of its records: a log with a hole must never look like one
    FR_TRY(sql_begin(txn, "UPDATE match SET setup='', pruned_ms=CASE WHEN ?3<?2 THEN ?4 END WHERE id=?1", &mark, err));
    sql_bind_text(mark, 1, match);
    sql_bind_int(mark, 2, PRUNE_CHUNKS);
    sql_bind_int(mark, 3, deleted);
    sql_bind_int(mark, 4, now_ms);
    return sql_do(mark, NULL, err);
}

static enum fr_status prune_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct pruning *p = arg;
    return matchlog_prune(txn, p->before_ms, p->now_ms, &p->chunks, p->match, err);
}

static void prune_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct pruning *p = arg;
    p->ps->pruning = false;
    p->ps->prune_due_ms = fr_mono_ms() + (status == FR_OK && p->chunks >= 0 ? 0 : PRUNE_MS);
    if (status != FR_OK) fr_log_err(LOG_WARN, "match.prune_failed", err, NULL);
    else if (p->chunks >= 0 && p->chunks < PRUNE_CHUNKS) fr_log(LOG_INFO, "match.pruned", "match", p->match, NULL);
    plays_unref(p->ps);
    fr_free(p);
}

void plays_prune(struct plays *ps)
{
    struct fr_err err;
    if (ps->pruning || ps->closing || fr_mono_ms() < ps->prune_due_ms) return;
    struct pruning *p = fr_alloc(sizeof *p);
    if (!p) return;
    int64_t now_ms = fr_now_ms();
    *p = (struct pruning){ .ps = ps, .before_ms = now_ms - ps->log_keep_ms, .now_ms = now_ms };
    ps->pruning = true;
    ps->refs++;
    if (store_run(ps->o.store, prune_job, p, prune_done, &err) != FR_OK) prune_done(p, err.status, &err);
}
