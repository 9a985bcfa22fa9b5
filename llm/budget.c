// budget.c — limits by the minute and the day. What a call may use is counted when it begins; what it did not use is given back to the same minute and day.
#include "llm/budget_inside.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/migrate.h"

#define MINUTE_MS 60000LL
#define DAY_MS 86400000LL
#define SETTLE_MS 1000

static const struct store_migration steps[] = {
    { "llm_budget", 1, "CREATE TABLE llm_day(who TEXT NOT NULL, day INTEGER NOT NULL, tokens INTEGER NOT NULL, requests INTEGER NOT NULL, PRIMARY KEY(who, day)) STRICT, WITHOUT ROWID" },
};

void llm_budgets_tables(void) { store_register(steps, (int)(sizeof steps / sizeof steps[0])); }

int64_t price_of(const struct llm_price *price, int64_t prompt_tokens, int64_t answer_tokens)
{
    __int128 milli = (__int128)price->prompt_units * prompt_tokens + (__int128)price->answer_units * answer_tokens;
    __int128 units = (milli + 999) / 1000;
    return units > UNITS_MAX ? -1 : (int64_t)units;
}

// ---- who

static const struct llm_limit *limit_of(const struct llm_budgets *b, const struct who *w)
{
    static const struct llm_limit none;
    if (w->has_own) return &w->own;
    if (strncmp(w->name, "plugin:", 7) == 0) return &b->o.settings->plugin;
    if (strncmp(w->name, "player:", 7) == 0) return &b->o.settings->player;
    if (strncmp(w->name, "key:", 4) == 0) return &b->o.settings->key;
    return &none;
}

static bool counts_days(const struct llm_budgets *b, const struct who *w)
{
    const struct llm_limit *limit = limit_of(b, w);
    return limit->tokens_day > 0 || limit->requests_day > 0;
}

static void roll(struct who *w, int64_t now_ms)
{
    if (w->minute != now_ms / MINUTE_MS) w->minute = now_ms / MINUTE_MS, w->minute_tokens = w->minute_requests = 0;
    if (w->day != now_ms / DAY_MS) w->day = now_ms / DAY_MS, w->day_tokens = w->day_requests = 0, w->dirty = false;
}

// Whose day is over, or who has no day to count.
static void forget_idle(struct llm_budgets *b, int64_t now_ms)
{
    size_t at = 0;
    void *value;
    while (fr_map_walk(b->whos, &at, NULL, NULL, &value)) {
        struct who *w = value;
        bool counted = w->day == now_ms / DAY_MS && counts_days(b, w), lately = w->minute == now_ms / MINUTE_MS;
        if (w->open || w->has_own || w->dirty || counted || lately) continue;
        fr_map_remove_text(b->whos, w->name);
        fr_free(w);
    }
}

static struct who *who_of(struct llm_budgets *b, const char *name, int64_t now_ms)
{
    struct who *w = fr_map_get_text(b->whos, name);
    if (w) return w;
    if (fr_map_size(b->whos) >= LLM_PAYERS_MAX && b->forgot_minute != now_ms / MINUTE_MS) {
        b->forgot_minute = now_ms / MINUTE_MS;             // a walk over all of them: once a minute
        forget_idle(b, now_ms);
    }
    w = fr_alloc(sizeof *w);
    if (!w) return NULL;
    snprintf(w->name, sizeof w->name, "%s", name);
    if (fr_map_put_text(b->whos, w->name, w)) return w;
    fr_free(w);
    return NULL;
}

static enum fr_status refuse(struct fr_err *err, const char *code, int64_t retry_ms, int64_t *retry_after_ms, const struct who *w, int64_t limit, const char *of)
{
    enum fr_status st = FR_FAIL_CODE(err, FR_E_LIMIT, code, "%s may use %lld %s", w->name, (long long)limit, of);
    *retry_after_ms = retry_ms;
    if (err) err->retry_s = (int)((retry_ms + 999) / 1000);
    return st;
}

static enum fr_status may(const struct llm_limit *l, const struct who *w, int64_t tokens, int64_t now_ms, int64_t *retry, struct fr_err *err)
{
    int64_t minute_ms = MINUTE_MS - now_ms % MINUTE_MS, day_ms = DAY_MS - now_ms % DAY_MS;
    if (l->concurrent > 0 && w->open >= l->concurrent) return refuse(err, "llm_rate", 1000, retry, w, l->concurrent, "calls at once");
    if (l->tokens_day > 0 && tokens > l->tokens_day - w->day_tokens) return refuse(err, "llm_budget", tokens > l->tokens_day ? 0 : day_ms, retry, w, l->tokens_day, "tokens a day");
    if (l->requests_day > 0 && w->day_requests >= l->requests_day) return refuse(err, "llm_budget", day_ms, retry, w, l->requests_day, "calls a day");
    if (l->tokens_minute > 0 && tokens > l->tokens_minute - w->minute_tokens) return refuse(err, "llm_rate", tokens > l->tokens_minute ? 0 : minute_ms, retry, w, l->tokens_minute, "tokens a minute");
    if (l->requests_minute > 0 && w->minute_requests >= l->requests_minute) return refuse(err, "llm_rate", minute_ms, retry, w, l->requests_minute, "calls a minute");
    return FR_OK;
}

// ---- a share

static enum fr_status share_whos(struct llm_budgets *b, struct llm_share *s, const struct llm_from *from, int64_t now_ms, struct fr_err *err)
{
    char player[LLM_WHO_BYTES] = "";
    if (from->player[0]) snprintf(player, sizeof player, "player:%s", from->player);
    const char *names[] = { from->tenant, from->payer, player };
    for (int i = 0; i < 3; i++) {
        bool again = !names[i][0];
        for (int j = 0; j < i; j++) again = again || strcmp(names[i], names[j]) == 0;
        if (again) continue;
        struct who *w = who_of(b, names[i], now_ms);
        if (!w) return FR_FAIL_CODE(err, FR_E_BUSY, "llm_busy", "too many use models today");
        roll(w, now_ms);
        s->whos[s->who_count++] = w;
    }
    return FR_OK;
}

static void share_count(struct llm_share *s, int64_t tokens, int64_t requests)
{
    for (int i = 0; i < s->who_count; i++) {
        struct who *w = s->whos[i];
        if (w->minute == s->minute) w->minute_tokens += tokens, w->minute_requests += requests;
        if (w->day == s->day) w->day_tokens += tokens, w->day_requests += requests, w->dirty = counts_days(s->budgets, w);
    }
}

static void share_open(struct llm_share *s, int by)
{
    for (int i = 0; i < s->who_count; i++) s->whos[i]->open += by;
}

void share_drop(struct llm_share *s)
{
    share_count(s, -(s->prompt_tokens + s->answer_tokens), -1);
    share_open(s, -1);
    fr_free(s);
}

enum fr_status llm_budget_take(struct llm_budgets *b, const struct llm_from *from, const struct llm_price *price, int64_t prompt_tokens, int64_t answer_tokens,
                               llm_share_fn *done, void *arg, struct llm_share **now, int64_t *retry_after_ms, struct fr_err *err)
{
    assert(prompt_tokens >= 0 && answer_tokens >= 0 && prompt_tokens <= LLM_CALL_TOKENS_MAX && answer_tokens <= LLM_CALL_TOKENS_MAX);
    int64_t now_ms = fr_now_ms(), tokens = prompt_tokens + answer_tokens;
    struct llm_share *s = fr_alloc(sizeof *s);
    *now = NULL;
    *retry_after_ms = 0;
    if (!s) return FR_FAIL(err, FR_E_NOMEM, "no memory for a share");
    *s = (struct llm_share){ .budgets = b, .minute = now_ms / MINUTE_MS, .day = now_ms / DAY_MS, .prompt_tokens = prompt_tokens, .answer_tokens = answer_tokens, .price = *price, .done = done, .arg = arg };
    s->cost_units = price_of(price, prompt_tokens, answer_tokens);
    enum fr_status st = b->stopping ? FR_FAIL_CODE(err, FR_E_BUSY, "client_stopped", "the host is stopping") : FR_OK;
    if (st == FR_OK && s->cost_units < 0) st = FR_FAIL_CODE(err, FR_E_FUNDS, "llm_funds", "such a call would cost more than there is");
    if (st == FR_OK) st = share_whos(b, s, from, now_ms, err);
    for (int i = 0; i < s->who_count && st == FR_OK; i++) st = may(limit_of(b, s->whos[i]), s->whos[i], tokens, now_ms, retry_after_ms, err);
    if (st != FR_OK) { fr_free(s); return st; }
    share_count(s, tokens, 1);
    share_open(s, 1);
    bool at_once = true;
    if (!b->o.meter || strcmp(from->payer, "operator") == 0) s->cost_units = 0, s->price = (struct llm_price){ 0 };
    if (s->cost_units > 0) st = purse_take(b, from, s, &at_once, err);
    if (st != FR_OK) { share_drop(s); return st; }
    if (at_once) *now = s;
    return FR_OK;
}

static int64_t clamp(int64_t value, int64_t most) { return value < 0 ? 0 : value > most ? most : value; }

int64_t llm_budget_give(struct llm_budgets *b, struct llm_share *s, int64_t prompt_tokens, int64_t answer_tokens)
{
    bool nothing = prompt_tokens < 0 || answer_tokens < 0;
    int64_t prompt = nothing ? 0 : clamp(prompt_tokens, s->prompt_tokens), answer = nothing ? 0 : clamp(answer_tokens, s->answer_tokens);
    int64_t cost = price_of(&s->price, prompt, answer);
    assert(s->budgets == b);
    share_count(s, prompt + answer - s->prompt_tokens - s->answer_tokens, nothing ? -1 : 0);
    share_open(s, -1);
    if (s->slab) purse_give(s, cost);
    fr_free(s);
    budgets_maybe_stopped(b);
    return cost;
}

void llm_budget_forget(struct llm_budgets *b, void *arg) { (void)purse_forget(b, arg); }

// ---- day counts, written behind

struct day_row { char who[LLM_WHO_BYTES]; int64_t day, tokens, requests; };
struct day_write { struct llm_budgets *budgets; int64_t today; int count; struct day_row rows[]; };

static enum fr_status day_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct day_write *w = arg;
    struct store_row *row = NULL;
    for (int i = 0; i < w->count; i++) {
        FR_TRY(sql_begin(txn, "INSERT INTO llm_day VALUES(?1, ?2, ?3, ?4) ON CONFLICT(who, day) DO UPDATE SET tokens = ?3, requests = ?4", &row, err));
        sql_bind_text(row, 1, w->rows[i].who);
        sql_bind_int(row, 2, w->rows[i].day);
        sql_bind_int(row, 3, w->rows[i].tokens);
        sql_bind_int(row, 4, w->rows[i].requests);
        FR_TRY(sql_do(row, NULL, err));
    }
    FR_TRY(sql_begin(txn, "DELETE FROM llm_day WHERE day < ?1", &row, err));
    sql_bind_int(row, 1, w->today - 1);
    return sql_do(row, NULL, err);
}

static void day_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct day_write *w = arg;
    struct llm_budgets *b = w->budgets;
    (void)err;                                             // a disk that refuses is told by others; the counts are tried again
    b->writing = false;
    for (int i = 0; i < w->count && st != FR_OK; i++) {
        struct who *again = fr_map_get_text(b->whos, w->rows[i].who);
        if (again && again->day == w->rows[i].day) again->dirty = true;
    }
    fr_free(w);
    budgets_maybe_stopped(b);
}

static void write_days(struct llm_budgets *b)
{
    int count = 0;
    size_t at = 0;
    void *value;
    struct fr_err err;
    if (b->writing) return;
    while (fr_map_walk(b->whos, &at, NULL, NULL, &value)) count += ((struct who *)value)->dirty;
    if (count == 0) return;
    struct day_write *w = fr_alloc(sizeof *w + (size_t)count * sizeof w->rows[0]);
    if (!w) return;
    w->budgets = b;
    w->today = fr_now_ms() / DAY_MS;
    at = 0;
    while (fr_map_walk(b->whos, &at, NULL, NULL, &value)) {
        struct who *one = value;
        if (!one->dirty) continue;
        struct day_row *row = &w->rows[w->count++];
        snprintf(row->who, sizeof row->who, "%s", one->name);
        row->day = one->day;
        row->tokens = one->day_tokens;
        row->requests = one->day_requests;
        one->dirty = false;
    }
    b->writing = store_run(b->o.store, day_job, w, day_done, &err) == FR_OK;
    if (b->writing) return;
    for (int i = 0; i < w->count; i++) ((struct who *)fr_map_get_text(b->whos, w->rows[i].who))->dirty = true;
    fr_free(w);
}

static enum fr_status load_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct llm_budgets *b = arg;
    int64_t now_ms = fr_now_ms();
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT who, tokens, requests FROM llm_day WHERE day = ?1", &row, err));
    sql_bind_int(row, 1, now_ms / DAY_MS);
    for (;;) {
        bool found;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        struct who *w = who_of(b, sql_text(row, 0), now_ms);
        if (!w) return FR_OK;
        roll(w, now_ms);
        w->day_tokens = sql_int(row, 1);
        w->day_requests = sql_int(row, 2);
    }
}

// ---- all of it

static void on_timer(uv_timer_t *timer)
{
    struct llm_budgets *b = timer->data;
    purses_tick(b, fr_mono_ms());
    if (b->o.store) write_days(b);
}

enum fr_status llm_budgets_open(const struct llm_budgets_options *o, struct llm_budgets **ret, struct fr_err *err)
{
    struct llm_budgets *b = fr_must_alloc(sizeof *b);
    b->o = *o;
    b->whos = fr_map_new(LLM_PAYERS_MAX + 1);
    b->purses = fr_map_new(LLM_PAYERS_MAX + 1);
    enum fr_status st = o->store ? store_now(o->store, load_job, b, err) : FR_OK;
    if (st != FR_OK) {
        llm_budgets_free(b);
        return st;
    }
    uv_timer_init(o->loop, &b->timer);
    b->timer.data = b;
    uv_timer_start(&b->timer, on_timer, SETTLE_MS, SETTLE_MS);
    *ret = b;
    return FR_OK;
}

void llm_budgets_configure(struct llm_budgets *b, const struct llm_settings *settings) { b->o.settings = settings; }

static void on_closed(uv_handle_t *handle)
{
    struct llm_budgets *b = handle->data;
    b->stopped(b->stopped_arg);
}

void budgets_maybe_stopped(struct llm_budgets *b)
{
    if (!b->stopping || b->closed || b->asks_open || b->writing) return;
    b->closed = true;
    uv_close((uv_handle_t *)&b->timer, on_closed);
}

void llm_budgets_stop(struct llm_budgets *b, void (*done)(void *arg), void *arg)
{
    b->stopping = true;
    b->stopped = done;
    b->stopped_arg = arg;
    purses_stop(b);
    if (b->o.store) write_days(b);
    budgets_maybe_stopped(b);
}

void llm_budgets_free(struct llm_budgets *b)
{
    size_t at = 0;
    void *value;
    if (!b) return;
    purses_free(b);
    while (fr_map_walk(b->whos, &at, NULL, NULL, &value)) fr_free(value);
    fr_map_free(b->whos);
    fr_free(b);
}

void llm_budgets_limit(struct llm_budgets *b, const char *who, const struct llm_limit *limit)
{
    struct who *w = who_of(b, who, fr_now_ms());
    if (!w) return;                                        // so many are known that the settings' limits have to do
    w->has_own = limit != NULL;
    w->own = limit ? *limit : (struct llm_limit){ 0 };
}

// ---- what it knows

void llm_budget_view(const struct llm_budgets *b, const char *name, struct llm_budget_view *ret)
{
    int64_t now_ms = fr_now_ms();
    struct who none = { 0 }, *w = fr_map_get_text(b->whos, name);
    snprintf(none.name, sizeof none.name, "%s", name);
    if (!w) w = &none;
    const struct llm_limit *limit = limit_of(b, w);
    int64_t used = w->day == now_ms / DAY_MS ? w->day_tokens : 0;
    ret->tokens_left_day = limit->tokens_day <= 0 ? -1 : used >= limit->tokens_day ? 0 : limit->tokens_day - used;
    ret->reset_ms = DAY_MS - now_ms % DAY_MS;
    ret->units_left = purse_room(b, name);
}

void llm_budgets_facts(const struct llm_budgets *b, struct fr_buf *out)
{
    size_t at = 0;
    void *value;
    int said = 0;
    int64_t now_ms = fr_now_ms();
    fr_buf_add(out, "[");
    while (said < LLM_FACTS_MAX && fr_map_walk(b->whos, &at, NULL, NULL, &value)) {
        const struct who *w = value;
        const struct llm_limit *l = limit_of(b, w);
        bool now = w->minute == now_ms / MINUTE_MS, today = w->day == now_ms / DAY_MS;
        if (!w->open && !now && !(today && w->day_requests) && !w->has_own) continue;
        fr_buf_add(out, said++ ? ",{\"who\":" : "{\"who\":");
        fr_buf_add_json_text(out, w->name);
        fr_buf_addf(out, ",\"open\":%d,\"tokens_minute\":%lld,\"requests_minute\":%lld,\"tokens_day\":%lld,\"requests_day\":%lld,\"limits\":{\"tokens_minute\":%lld,\"requests_minute\":%lld,\"tokens_day\":%lld,\"requests_day\":%lld,\"concurrent\":%lld}",
                    w->open, (long long)(now ? w->minute_tokens : 0), (long long)(now ? w->minute_requests : 0), (long long)(today ? w->day_tokens : 0), (long long)(today ? w->day_requests : 0),
                    (long long)l->tokens_minute, (long long)l->requests_minute, (long long)l->tokens_day, (long long)l->requests_day, (long long)l->concurrent);
        int64_t units = purse_room(b, w->name);
        if (units >= 0) fr_buf_addf(out, ",\"units_set_aside\":\"%lld\"", (long long)units);
        fr_buf_add(out, "}");
    }
    fr_buf_add(out, "]");
}
