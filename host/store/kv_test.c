// kv_test.c — versions, quota, expiry and pages of the documents.
#include <stdlib.h>
#include "base/limits.h"
#include "base/mem.h"
#include "store/kv.h"
#include "store/test.h"

static struct fr_err err;

// Each test is one job, so that it reads like a plugin's calls.
static void with_store(store_job_fn *job)
{
    test_folder_new();
    struct store *s = test_open(NULL);
    CHECK(store_now(s, job, NULL, &err) == FR_OK);
    test_close(s, NULL);
}

static enum fr_status put_full(struct store_txn *txn, const char *key, const char *value, int64_t if_version, int64_t expires_ms, int64_t quota, int64_t now_ms, int64_t *version)
{
    struct kv_put put = { .scope = "plugin", .key = key, .value = value, .if_version = if_version, .expires_ms = expires_ms };
    return kv_put(txn, "duel", &put, quota, now_ms, version, &err);
}

static enum fr_status put(struct store_txn *txn, const char *key, const char *value, int64_t if_version, int64_t *version)
{
    return put_full(txn, key, value, if_version, 0, 1000, 100, version);
}

static enum fr_status get_is(struct store_txn *txn, const char *key, int64_t now_ms, const char *want, int64_t want_version)
{
    char *value = NULL;
    int64_t version = 0;
    enum fr_status st = kv_get(txn, "duel", "plugin", key, now_ms, &value, &version, &err);
    if (st == FR_OK) {
        CHECK_TEXT(value, want);
        CHECK_INT(version, want_version);
    }
    fr_free(value);
    return st;
}

static enum fr_status versions_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t v = -1;
    CHECK(get_is(txn, "a", 100, "", 0) == FR_E_NOT_FOUND);
    CHECK(put(txn, "a", "{\"n\":1}", 0, &v) == FR_OK && v == 1);
    CHECK(put(txn, "a", "{\"n\":2}", 0, &v) == FR_E_CONFLICT && strcmp(err.code, "version") == 0);
    CHECK(put(txn, "a", "{\"n\":2}", 1, &v) == FR_OK && v == 2);
    CHECK(put(txn, "a", "{\"n\":9}", 1, &v) == FR_E_CONFLICT);
    CHECK(put(txn, "a", "{\"n\":3}", -1, &v) == FR_OK && v == 3);
    CHECK(get_is(txn, "a", 100, "{\"n\":3}", 3) == FR_OK);
    CHECK(put(txn, "a", NULL, 2, &v) == FR_E_CONFLICT);
    CHECK(put(txn, "a", NULL, 3, &v) == FR_OK && v == 0);
    CHECK(get_is(txn, "a", 100, "", 0) == FR_E_NOT_FOUND);
    CHECK(put(txn, "a", NULL, -1, &v) == FR_OK);           // deleting what is not there
    CHECK(put(txn, "b", "{not json", -1, &v) == FR_E_INVALID);
    CHECK(put(txn, "", "1", -1, &v) == FR_E_LIMIT);
    return FR_OK;
}
static void test_versions(void) { with_store(versions_job); }

static enum fr_status sizes_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t v = 0;
    char key[KV_KEY_BYTES_MAX + 2];
    memset(key, 'k', sizeof key);
    key[KV_KEY_BYTES_MAX + 1] = 0;
    CHECK(put(txn, key, "1", -1, &v) == FR_E_LIMIT);
    key[KV_KEY_BYTES_MAX] = 0;
    CHECK(put(txn, key, "1", -1, &v) == FR_OK);
    char *value = malloc(KV_VALUE_BYTES_MAX + 2);
    memset(value, ' ', KV_VALUE_BYTES_MAX + 1);
    value[0] = '1';
    value[KV_VALUE_BYTES_MAX + 1] = 0;
    CHECK(put_full(txn, "big", value, -1, 0, 1 << 20, 100, &v) == FR_E_LIMIT);
    value[KV_VALUE_BYTES_MAX] = 0;
    CHECK(put_full(txn, "big", value, -1, 0, 1 << 20, 100, &v) == FR_OK);
    free(value);
    return FR_OK;
}
static void test_sizes(void) { with_store(sizes_job); }

static enum fr_status quota_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t v = 0, used = -1;
    CHECK(put_full(txn, "a", "\"12345678\"", -1, 0, 30, 100, &v) == FR_OK);       // 11 bytes
    CHECK(kv_used(txn, "duel", &used, &err) == FR_OK && used == 11);
    CHECK(put_full(txn, "b", "\"12345678\"", -1, 0, 22, 100, &v) == FR_OK);
    CHECK(put_full(txn, "c", "1", -1, 0, 22, 100, &v) == FR_E_LIMIT && strcmp(err.code, "quota") == 0);
    CHECK(put_full(txn, "a", "1", -1, 0, 22, 100, &v) == FR_OK);                  // smaller always fits
    CHECK(put_full(txn, "c", "1", -1, 0, 22, 100, &v) == FR_OK);
    CHECK(kv_used(txn, "duel", &used, &err) == FR_OK && used == 15);
    CHECK(put_full(txn, "b", NULL, -1, 0, 22, 100, &v) == FR_OK);
    CHECK(kv_used(txn, "duel", &used, &err) == FR_OK && used == 4);
    CHECK(kv_used(txn, "other", &used, &err) == FR_OK && used == 0);
    // What has expired makes room.
    CHECK(put_full(txn, "old", "\"12345678\"", -1, 150, 22, 100, &v) == FR_OK);
    CHECK(put_full(txn, "new", "\"12345678\"", -1, 0, 22, 100, &v) == FR_E_LIMIT);
    CHECK(put_full(txn, "new", "\"12345678\"", -1, 0, 22, 150, &v) == FR_OK);
    CHECK(kv_used(txn, "duel", &used, &err) == FR_OK && used == 17);
    return FR_OK;
}
static void test_quota(void) { with_store(quota_job); }

static enum fr_status expiry_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t v = 0;
    CHECK(put_full(txn, "a", "1", -1, 200, 1000, 100, &v) == FR_OK);
    CHECK(put_full(txn, "a", "2", 1, 200, 1000, 100, &v) == FR_OK && v == 2);
    CHECK(get_is(txn, "a", 199, "2", 2) == FR_OK);
    CHECK(get_is(txn, "a", 200, "", 0) == FR_E_NOT_FOUND);
    CHECK(put_full(txn, "a", "3", 2, 0, 1000, 200, &v) == FR_E_CONFLICT);
    CHECK(put_full(txn, "a", "3", 0, 0, 1000, 200, &v) == FR_OK && v == 1);       // as if it had never been
    CHECK(get_is(txn, "a", 5000, "3", 1) == FR_OK);
    return FR_OK;
}
static void test_expiry(void) { with_store(expiry_job); }

static char listed[400];
static void list_add(void *arg, const struct kv_item *item)
{
    (void)arg;
    snprintf(listed + strlen(listed), sizeof listed - strlen(listed), "%s=%s@%lld ", item->key, item->value, (long long)item->version);
}

static const char *list(struct store_txn *txn, const char *scope, const char *prefix, const char *cursor, int limit)
{
    listed[0] = 0;
    CHECK(kv_list(txn, "duel", scope, prefix, cursor, limit, 100, list_add, NULL, &err) == FR_OK);
    return listed;
}

static enum fr_status list_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t v = 0;
    static const char *const keys[] = { "z", "m:2", "m:10", "m:1", "m", "m;", "\xc3\xa9" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) CHECK(put(txn, keys[i], "1", -1, &v) == FR_OK);
    CHECK(put_full(txn, "m:0", "1", -1, 100, 1000, 50, &v) == FR_OK);             // expired at 100
    struct kv_put other = { .scope = "player-1", .key = "m:1", .value = "2", .if_version = -1 };
    CHECK(kv_put(txn, "duel", &other, 1000, 100, &v, &err) == FR_OK);
    CHECK_TEXT(list(txn, "plugin", "m:", NULL, 10), "m:1=1@1 m:10=1@1 m:2=1@1 ");
    CHECK_TEXT(list(txn, "plugin", "m:", NULL, 2), "m:1=1@1 m:10=1@1 ");
    CHECK_TEXT(list(txn, "plugin", "m:", "m:10", 2), "m:2=1@1 ");
    CHECK_TEXT(list(txn, "plugin", "m:", "m:2", 2), "");
    CHECK_TEXT(list(txn, "plugin", "", NULL, 100), "m=1@1 m:1=1@1 m:10=1@1 m:2=1@1 m;=1@1 z=1@1 \xc3\xa9=1@1 ");
    CHECK_TEXT(list(txn, "player-1", NULL, NULL, 100), "m:1=2@1 ");
    CHECK(kv_list(txn, "duel", "plugin", "", NULL, KV_LIST_MAX + 1, 100, list_add, NULL, &err) == FR_E_LIMIT);
    CHECK(kv_list(txn, "duel", "plugin", "", NULL, 0, 100, list_add, NULL, &err) == FR_E_LIMIT);
    return FR_OK;
}
static void test_list(void) { with_store(list_job); }

int main(void)
{
    kv_register();
    TEST(test_versions);
    TEST(test_sizes);
    TEST(test_quota);
    TEST(test_expiry);
    TEST(test_list);
    test_folder_drop();
    return TEST_END();
}
