// record.c — the tables of calls that were written down, and of usage by day.
#include "llm/record.h"
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/limits.h"
#include "store/migrate.h"

#define DAY_MS 86400000LL

static const struct store_migration steps[] = {
    { "llm_record", 1,
      "CREATE TABLE llm_record(id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, tenant TEXT NOT NULL, payer TEXT NOT NULL, player TEXT NOT NULL, model TEXT NOT NULL, pod TEXT NOT NULL, kind INTEGER NOT NULL, sha TEXT NOT NULL,"
      " request TEXT, answer TEXT, events TEXT, prompt_tokens INTEGER NOT NULL, answer_tokens INTEGER NOT NULL, cost INTEGER NOT NULL, total_ms INTEGER NOT NULL, code TEXT NOT NULL) STRICT;"
      "CREATE INDEX llm_record_tenant ON llm_record(tenant, id);"
      "CREATE INDEX llm_record_sha ON llm_record(sha, model, id);"
      "CREATE INDEX llm_record_at ON llm_record(at_ms);"
      "CREATE TABLE llm_usage(day INTEGER NOT NULL, payer TEXT NOT NULL, tenant TEXT NOT NULL, model TEXT NOT NULL, calls INTEGER NOT NULL, failed INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,"
      " answer_tokens INTEGER NOT NULL, cost INTEGER NOT NULL, total_ms INTEGER NOT NULL, PRIMARY KEY(day, payer, tenant, model)) STRICT, WITHOUT ROWID" },
};

void llm_record_tables(void) { store_register(steps, (int)(sizeof steps / sizeof steps[0])); }

enum fr_status llm_usage_add(struct store_txn *txn, const struct llm_usage *u, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO llm_usage VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT(day, payer, tenant, model) DO UPDATE SET calls = calls + ?5, failed = failed + ?6,"
                          " prompt_tokens = prompt_tokens + ?7, answer_tokens = answer_tokens + ?8, cost = cost + ?9, total_ms = total_ms + ?10", &row, err));
    sql_bind_int(row, 1, u->at_ms / DAY_MS);
    sql_bind_text(row, 2, u->payer);
    sql_bind_text(row, 3, u->tenant);
    sql_bind_text(row, 4, u->model);
    const int64_t numbers[] = { u->calls, u->failed, u->prompt_tokens, u->answer_tokens, u->cost_units, u->total_ms };
    for (int i = 0; i < 6; i++) sql_bind_int(row, 5 + i, numbers[i]);
    return sql_do(row, NULL, err);
}

enum fr_status llm_record_put(struct store_txn *txn, const struct llm_record_row *r, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO llm_record VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)", &row, err));
    sql_bind_text(row, 1, r->id);
    sql_bind_int(row, 2, r->at_ms);
    sql_bind_text(row, 3, r->tenant);
    sql_bind_text(row, 4, r->payer);
    sql_bind_text(row, 5, r->player);
    sql_bind_text(row, 6, r->model);
    sql_bind_text(row, 7, r->pod);
    sql_bind_int(row, 8, r->kind);
    sql_bind_text(row, 9, r->sha_hex);
    sql_bind_text(row, 10, r->request);
    sql_bind_text(row, 11, r->answer);
    sql_bind_text(row, 12, r->events);
    sql_bind_int(row, 13, r->prompt_tokens);
    sql_bind_int(row, 14, r->answer_tokens);
    sql_bind_int(row, 15, r->cost_units);
    sql_bind_int(row, 16, r->total_ms);
    sql_bind_text(row, 17, r->code ? r->code : "");
    return sql_do(row, NULL, err);
}

static void row_read(struct store_row *row, struct llm_record_row *r)
{
    *r = (struct llm_record_row){ .at_ms = sql_int(row, 1), .tenant = sql_text(row, 2), .payer = sql_text(row, 3), .player = sql_text(row, 4), .model = sql_text(row, 5), .pod = sql_text(row, 6), .kind = (enum llm_kind)sql_int(row, 7),
                                  .request = sql_text(row, 9), .answer = sql_text(row, 10), .events = sql_text(row, 11), .prompt_tokens = sql_int(row, 12), .answer_tokens = sql_int(row, 13), .cost_units = sql_int(row, 14),
                                  .total_ms = sql_int(row, 15), .code = sql_text(row, 16) };
    snprintf(r->id, sizeof r->id, "%s", sql_text(row, 0));
    snprintf(r->sha_hex, sizeof r->sha_hex, "%s", sql_text(row, 8));
}

static enum fr_status rows_each(struct store_row *row, llm_record_fn *each, void *arg, int *count, struct fr_err *err)
{
    for (*count = 0;; ++*count) {
        struct llm_record_row r;
        bool found;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        row_read(row, &r);
        each(arg, &r);
    }
}

enum fr_status llm_record_get(struct store_txn *txn, const char *id, llm_record_fn *each, void *arg, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int count;
    FR_TRY(sql_begin(txn, "SELECT * FROM llm_record WHERE id = ?1", &row, err));
    sql_bind_text(row, 1, id);
    FR_TRY(rows_each(row, each, arg, &count, err));
    return count ? FR_OK : FR_FAIL_CODE(err, FR_E_NOT_FOUND, "record_unknown", "there is no record %.60s", id);
}

// Ids are in the order of time.
enum fr_status llm_record_list(struct store_txn *txn, const char *tenant, const char *before, int limit, llm_record_fn *each, void *arg, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int count;
    if (tenant && tenant[0]) FR_TRY(sql_begin(txn, "SELECT id, at_ms, tenant, payer, player, model, pod, kind, sha, NULL, NULL, NULL, prompt_tokens, answer_tokens, cost, total_ms, code FROM llm_record WHERE tenant = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2", &row, err));
    else FR_TRY(sql_begin(txn, "SELECT id, at_ms, tenant, payer, player, model, pod, kind, sha, NULL, NULL, NULL, prompt_tokens, answer_tokens, cost, total_ms, code FROM llm_record WHERE id < ?1 ORDER BY id DESC LIMIT ?2", &row, err));
    sql_bind_text(row, 1, before && before[0] ? before : "~");
    sql_bind_int(row, 2, limit);
    if (tenant && tenant[0]) sql_bind_text(row, 3, tenant);
    return rows_each(row, each, arg, &count, err);
}

enum fr_status llm_record_by_sha(struct store_txn *txn, const char *sha_hex, const char *model, llm_record_fn *each, void *arg, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int count;
    FR_TRY(sql_begin(txn, "SELECT * FROM llm_record WHERE sha = ?1 AND model = ?2 AND answer IS NOT NULL ORDER BY id DESC LIMIT 1", &row, err));
    sql_bind_text(row, 1, sha_hex);
    sql_bind_text(row, 2, model);
    FR_TRY(rows_each(row, each, arg, &count, err));
    *found = count > 0;
    return FR_OK;
}

enum fr_status llm_record_sweep(struct store_txn *txn, int64_t now_ms, int limit, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "DELETE FROM llm_record WHERE id IN (SELECT id FROM llm_record WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)", &row, err));
    sql_bind_int(row, 1, now_ms - LLM_RECORD_KEEP_MS);
    sql_bind_int(row, 2, limit);
    FR_TRY(sql_do(row, NULL, err));
    FR_TRY(sql_begin(txn, "DELETE FROM llm_usage WHERE day < ?1", &row, err));
    sql_bind_int(row, 1, now_ms / DAY_MS - LLM_USAGE_KEEP_DAYS);
    return sql_do(row, NULL, err);
}

enum fr_status llm_usage_list(struct store_txn *txn, int64_t from_ms, const char *payer, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool one = payer && payer[0];
    if (one) FR_TRY(sql_begin(txn, "SELECT * FROM llm_usage WHERE day >= ?1 AND payer = ?2 ORDER BY day DESC, tenant, model LIMIT 1000", &row, err));
    else FR_TRY(sql_begin(txn, "SELECT * FROM llm_usage WHERE day >= ?1 ORDER BY day DESC, payer, tenant, model LIMIT 1000", &row, err));
    sql_bind_int(row, 1, from_ms / DAY_MS);
    if (one) sql_bind_text(row, 2, payer);
    fr_buf_add(out, "[");
    for (int n = 0;; n++) {
        bool found;
        char day[25];
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        fr_time_text(sql_int(row, 0) * DAY_MS, day);
        fr_buf_addf(out, "%s{\"day\":\"%.10s\",\"payer\":", n ? "," : "", day);
        fr_buf_add_json_text(out, sql_text(row, 1));
        fr_buf_add(out, ",\"tenant\":");
        fr_buf_add_json_text(out, sql_text(row, 2));
        fr_buf_add(out, ",\"model\":");
        fr_buf_add_json_text(out, sql_text(row, 3));
        fr_buf_addf(out, ",\"calls\":%lld,\"failed\":%lld,\"prompt_tokens\":%lld,\"answer_tokens\":%lld,\"cost\":\"%lld\",\"total_ms\":%lld}", (long long)sql_int(row, 4), (long long)sql_int(row, 5),
                    (long long)sql_int(row, 6), (long long)sql_int(row, 7), (long long)sql_int(row, 8), (long long)sql_int(row, 9));
    }
    fr_buf_add(out, "]");
    return FR_OK;
}
