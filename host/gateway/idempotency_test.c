// idempotency_test.c — one answer per key: found again, never for another body, player or route, and bounded.
#include "base/check.h"
#include "base/map.h"
#include "base/mem.h"
#include "gateway/internal.h"
#include "store/test.h"

static struct store *store;

static struct gw_key key_of(const char *player, const char *route, const char *key, const char *body)
{
    struct gw_key k = { 0 };
    gw_key_set(&k, player, route, key, body, strlen(body));
    return k;
}

struct step { struct gw_key key; int64_t now_ms; const char *answer; size_t len; enum fr_status status; char code[FR_ERR_CODE_BYTES]; };

static enum fr_status find_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct step *s = arg;
    s->status = gw_key_find(txn, &s->key, s->now_ms, err);
    snprintf(s->code, sizeof s->code, "%s", s->status == FR_OK ? "" : err->code);
    return s->status;
}

static enum fr_status keep_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct step *s = arg;
    return gw_key_keep(txn, &s->key, FR_OK, s->answer, s->len, s->now_ms, err);
}

// What a later request with this key hears: the answer, "" when it is new, or the code of its refusal.
static const char *hears(struct gw_key k, int64_t now_ms)
{
    static char text[FR_ERR_CODE_BYTES];
    struct step s = { .key = k, .now_ms = now_ms };
    struct fr_err err;
    FR_IGNORE(store_now(store, find_job, &s, &err));         // the step says how it went
    snprintf(text, sizeof text, "%s", s.status != FR_OK ? s.code : s.key.found ? s.key.answer : "");
    fr_free(s.key.answer);
    return text;
}

static bool keep(struct gw_key k, const char *answer, int64_t now_ms)
{
    struct step s = { .key = k, .now_ms = now_ms, .answer = answer, .len = strlen(answer) };
    struct fr_err err;
    return store_now(store, keep_job, &s, &err) == FR_OK;
}

static enum fr_status begin_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct step *s = arg;
    s->status = gw_key_begin(txn, &s->key, s->now_ms, err);
    snprintf(s->code, sizeof s->code, "%s", s->status == FR_OK ? "" : err->code);
    return s->status;
}

static enum fr_status forget_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    return gw_key_forget(txn, &((struct step *)arg)->key, err);
}

// "begun" when the request may run now; else what it hears.
static const char *begins(struct gw_key k, int64_t now_ms)
{
    static char text[FR_ERR_CODE_BYTES];
    struct step s = { .key = k, .now_ms = now_ms };
    struct fr_err err;
    FR_IGNORE(store_now(store, begin_job, &s, &err));        // the step says how it went
    snprintf(text, sizeof text, "%s", s.status != FR_OK ? s.code : s.key.found ? s.key.answer : "begun");
    fr_free(s.key.answer);
    return text;
}

static void forget(struct gw_key k)
{
    struct step s = { .key = k };
    struct fr_err err;
    CHECK(store_now(store, forget_job, &s, &err) == FR_OK);
}

static void begin(void)
{
    test_folder_new();
    store = test_open(NULL);
}
static void end(void)
{
    test_close(store, NULL);
    test_folder_drop();
}

static void test_a_key_finds_its_first_answer(void)
{
    begin();
    struct gw_key k = key_of("7", "call/hello/greet", "a", "{}");
    CHECK_TEXT(hears(k, 1000), "");
    CHECK(keep(k, "\"first\"", 1000));
    CHECK_TEXT(hears(k, 2000), "\"first\"");
    CHECK_TEXT(hears(key_of("7", "call/hello/greet", "a", "{\"x\":1}"), 2000), "key_reused");
    CHECK_TEXT(hears(key_of("8", "call/hello/greet", "a", "{}"), 2000), "");
    CHECK_TEXT(hears(key_of("7", "call/hello/ping", "a", "{}"), 2000), "");
    CHECK_TEXT(hears(key_of("7", "call/hello/greet", "b", "{}"), 2000), "");
    end();
}

static void test_what_was_cut_off_does_not_run_again(void)
{
    begin();
    struct gw_key k = key_of("7", "r", "a", "{}"), other = key_of("7", "r", "b", "{}");
    CHECK_TEXT(begins(k, 1000), "begun");
    CHECK_TEXT(begins(k, 2000), "outcome_unknown");          // as after a crash: nobody holds it, and it has no answer
    CHECK_TEXT(hears(k, 2000), "outcome_unknown");
    CHECK_TEXT(begins(key_of("7", "r", "a", "[]"), 2000), "key_reused");
    CHECK(keep(k, "\"done\"", 2000));
    CHECK_TEXT(begins(k, 3000), "\"done\"");
    forget(k);                                               // an answer is never forgotten
    CHECK_TEXT(begins(k, 3000), "\"done\"");

    CHECK_TEXT(begins(other, 1000), "begun");
    forget(other);
    CHECK_TEXT(begins(other, 1000), "begun");
    CHECK_TEXT(begins(other, 1000 + IDEMPOTENCY_MS - 1), "outcome_unknown");
    CHECK_TEXT(begins(other, 1000 + IDEMPOTENCY_MS), "begun");
    end();
}

static void test_a_key_lives_a_day(void)
{
    begin();
    struct gw_key k = key_of("7", "r", "a", "{}");
    CHECK(keep(k, "1", 1000));
    CHECK_TEXT(hears(k, 1000 + IDEMPOTENCY_MS - 1), "1");
    CHECK_TEXT(hears(k, 1000 + IDEMPOTENCY_MS), "");
    CHECK(keep(k, "2", 1000 + IDEMPOTENCY_MS));
    CHECK_TEXT(hears(k, 1000 + IDEMPOTENCY_MS), "2");
    end();
}

static void test_a_large_answer_is_not_kept_but_its_key_is(void)
{
    begin();
    char *large = fr_must_alloc(IDEMPOTENCY_ANSWER_BYTES_MAX + 2);
    memset(large, '1', IDEMPOTENCY_ANSWER_BYTES_MAX);
    struct gw_key fits = key_of("7", "r", "fits", "{}"), over = key_of("7", "r", "over", "{}");
    CHECK(keep(fits, large, 1000));
    CHECK(strncmp(hears(fits, 1000), "111", 3) == 0);
    large[IDEMPOTENCY_ANSWER_BYTES_MAX] = '1';
    CHECK(keep(over, large, 1000));
    CHECK_TEXT(hears(over, 1000), "answer_not_kept");
    fr_free(large);
    end();
}

struct many { int count; int64_t left; int64_t sweep_ms; };
static enum fr_status many_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct many *m = arg;
    char name[16];
    for (int i = 0; i < m->count; i++) {
        snprintf(name, sizeof name, "k%d", i);
        struct gw_key k = key_of("7", "r", name, "{}");
        FR_TRY(gw_key_keep(txn, &k, FR_OK, "1", 1, 1000 + i, err));
    }
    if (m->sweep_ms) FR_TRY(gateway_sweep(txn, m->sweep_ms, 10, err));
    FR_SQL_ROW(row);
    bool found;
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM idempotency", &row, err));
    FR_TRY(sql_step(row, &found, err));
    m->left = sql_int(row, 0);
    return FR_OK;
}

static void test_keys_of_one_player_are_bounded(void)
{
    begin();
    struct fr_err err;
    struct many m = { .count = IDEMPOTENCY_KEYS_MAX + 1 };
    CHECK(store_now(store, many_job, &m, &err) == FR_OK);
    CHECK_INT(m.left, IDEMPOTENCY_KEYS_MAX);
    CHECK_TEXT(hears(key_of("7", "r", "k0", "{}"), 9000), "");       // the oldest went
    CHECK_TEXT(hears(key_of("7", "r", "k1", "{}"), 9000), "1");
    end();
}

static void test_answers_of_one_player_are_bounded(void)
{
    begin();
    char *large = fr_must_alloc(IDEMPOTENCY_ANSWER_BYTES_MAX + 1), name[16];
    int most = IDEMPOTENCY_BYTES_MAX / IDEMPOTENCY_ANSWER_BYTES_MAX;
    memset(large, '1', IDEMPOTENCY_ANSWER_BYTES_MAX);
    CHECK(keep(key_of("8", "r", "other", "{}"), "\"mine\"", 500));
    CHECK(keep(key_of("7", "r", "small", "{}"), "\"small\"", 900));
    for (int i = 0; i <= most; i++) {
        snprintf(name, sizeof name, "k%d", i);
        CHECK(keep(key_of("7", "r", name, "{}"), large, 1000 + i));
    }
    CHECK_TEXT(hears(key_of("7", "r", "small", "{}"), 9000), "answer_not_kept");      // the oldest first; the key itself stays
    CHECK_TEXT(hears(key_of("7", "r", "k0", "{}"), 9000), "answer_not_kept");
    CHECK(strncmp(hears(key_of("7", "r", "k1", "{}"), 9000), "111", 3) == 0);
    CHECK(strncmp(hears(key_of("7", "r", name, "{}"), 9000), "111", 3) == 0);
    CHECK_TEXT(hears(key_of("8", "r", "other", "{}"), 9000), "\"mine\"");
    fr_free(large);
    end();
}

// Each kept key asks these two; without the index they read through all the answers a player has.
static enum fr_status plan_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    static const char *const asked[] = { "EXPLAIN QUERY PLAN SELECT count(*), coalesce(sum(bytes), 0) FROM (SELECT bytes FROM idempotency WHERE player = ?1 LIMIT ?2)",
                                         "EXPLAIN QUERY PLAN SELECT min(created_ms) FROM idempotency WHERE player = ?1 AND bytes > 0" };
    int *covered = arg;
    for (int i = 0; i < 2; i++) {
        FR_SQL_ROW(row);
        bool found, once = false;
        FR_TRY(sql_begin(txn, asked[i], &row, err));
        for (;;) {
            FR_TRY(sql_step(row, &found, err));
            if (!found) break;
            once = once || strstr(sql_text(row, 3), "COVERING INDEX");
        }
        *covered += once;
    }
    return FR_OK;
}

static void test_the_bound_is_kept_without_reading_answers(void)
{
    begin();
    struct fr_err err;
    int covered = 0;
    CHECK(store_now(store, plan_job, &covered, &err) == FR_OK);
    CHECK_INT(covered, 2);
    end();
}

static void test_old_keys_are_swept(void)
{
    begin();
    struct fr_err err;
    struct many m = { .count = 30, .sweep_ms = 1000 + 14 + IDEMPOTENCY_MS };
    CHECK(store_now(store, many_job, &m, &err) == FR_OK);
    CHECK_INT(m.left, 20);                                            // ten at a time
    m.count = 0;
    CHECK(store_now(store, many_job, &m, &err) == FR_OK);
    CHECK_INT(m.left, 15);                                            // and only those that are over
    end();
}

static void test_a_key_runs_once_at_a_time(void)
{
    struct gateway g = { .keys = fr_map_new(2) };
    struct gw_key first = key_of("7", "r", "a", "{}"), twin = key_of("7", "r", "a", "{}"), other = key_of("8", "r", "a", "{}"), third = key_of("9", "r", "a", "{}");
    struct fr_err err;
    CHECK(gw_key_claim(&g, &first, &err) == FR_OK);
    CHECK(gw_key_claim(&g, &twin, &err) == FR_E_CONFLICT);
    CHECK_TEXT(err.code, "in_progress");
    gw_key_release(&g, &twin);                                        // it held nothing
    CHECK(gw_key_claim(&g, &twin, &err) == FR_E_CONFLICT);
    CHECK(gw_key_claim(&g, &other, &err) == FR_OK);
    CHECK(gw_key_claim(&g, &third, &err) == FR_E_BUSY);               // one past the bound
    gw_key_release(&g, &first);
    CHECK(gw_key_claim(&g, &twin, &err) == FR_OK);
    gw_key_release(&g, &twin);
    gw_key_release(&g, &other);
    fr_map_free(g.keys);
}

int main(void)
{
    gateway_register();
    TEST(test_a_key_finds_its_first_answer);
    TEST(test_what_was_cut_off_does_not_run_again);
    TEST(test_a_key_lives_a_day);
    TEST(test_a_large_answer_is_not_kept_but_its_key_is);
    TEST(test_keys_of_one_player_are_bounded);
    TEST(test_answers_of_one_player_are_bounded);
    TEST(test_the_bound_is_kept_without_reading_answers);
    TEST(test_old_keys_are_swept);
    TEST(test_a_key_runs_once_at_a_time);
    return TEST_END();
}
