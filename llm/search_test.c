// search_test.c — words, meaning, both; Korean; who may see what; bounds; and hostile queries.
#include "llm/search.h"
#include "base/limits.h"
#include "llm/keyed.h"
#include "store/test.h"

static struct store *store;
static void open_store(void)
{
    struct fr_err err;
    test_folder_new();
    struct store_options o = { .folder = test_path("data") };
    if (store_open(&o, &store, &err) != FR_OK) { printf("  %s\n", err.text); abort(); }
}
static void close_store(void)
{
    store_close(store);
    test_folder_drop();
}

static struct { const char *tenant, *id, *text, *query; float v[4]; int dims; const char *model; bool was, same; struct llm_hit hits[LLM_HITS_MAX]; int count; struct fr_buf out; struct fr_err err; enum fr_status st; int rows; } J;

static enum fr_status job_put(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)arg;
    struct llm_vector v = { J.v, J.dims, J.model };
    return llm_doc_put(txn, J.tenant, J.id, J.text, &v, 1, err);
}
static enum fr_status job_drop(struct store_txn *txn, void *arg, struct fr_err *err) { (void)arg; return llm_doc_drop(txn, J.tenant, J.id, &J.was, err); }
static enum fr_status job_known(struct store_txn *txn, void *arg, struct fr_err *err) { (void)arg; return llm_doc_known(txn, J.tenant, J.id, J.text, J.dims > 0, &J.same, err); }
static enum fr_status job_search(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)arg;
    struct llm_vector v = { J.v, J.dims, J.model };
    FR_TRY(llm_doc_search(txn, J.tenant, J.query, &v, 5, J.hits, &J.count, err));
    fr_buf_clear(&J.out);
    return llm_hits_print(txn, J.hits, J.count, &J.out, err);
}

static enum fr_status put(const char *tenant, const char *id, const char *text, float a, float b)
{
    J.tenant = tenant; J.id = id; J.text = text;
    J.v[0] = a; J.v[1] = b; J.dims = a != 0 || b != 0 ? 2 : 0; J.model = "m";
    return store_now(store, job_put, NULL, &J.err);
}
static const char *find(const char *tenant, const char *query, float a, float b)      // ids, comma-separated
{
    static char ids[1000];
    J.tenant = tenant; J.query = query;
    J.v[0] = a; J.v[1] = b; J.dims = a != 0 || b != 0 ? 2 : 0; J.model = "m";
    enum fr_status st = store_now(store, job_search, NULL, &J.err);
    if (st != FR_OK) { printf("  %s: %s\n", query, J.err.text); return "failed"; }
    ids[0] = 0;
    for (int i = 0; i < J.count; i++) snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s%s", i ? "," : "", J.hits[i].id);
    return ids;
}

static void test_words_are_found(void)
{
    open_store();
    put("plugin:a", "rules", "Each player draws five cards. The highest card wins the round.", 0, 0);
    put("plugin:a", "coins", "Coins are staked before the match and paid to the winner.", 0, 0);
    put("plugin:a", "cafe", "Caf\xc3\xa9 rules: no smoking", 0, 0);
    CHECK_TEXT(find("plugin:a", "highest card", 0, 0), "rules");
    CHECK_TEXT(find("plugin:a", "COINS!", 0, 0), "coins");
    CHECK_TEXT(find("plugin:a", "cafe", 0, 0), "cafe");
    CHECK_TEXT(find("plugin:a", "elephant", 0, 0), "");
    CHECK(find("plugin:a", "Which card wins the round?", 0, 0) && strcmp(J.hits[0].id, "rules") == 0);
    CHECK(strncmp(J.out.data, "[{\"id\":\"rules\",\"text\":\"Each player", 33) == 0);
    close_store();
}

static void test_korean_is_found_inside_words(void)
{
    open_store();
    put("plugin:a", "game", "\xea\xb2\x8c\xec\x9e\x84\xec\x97\x90\xec\x84\x9c \xec\x9d\xb4\xea\xb8\xb0\xeb\xa9\xb4 \xec\xbd\x94\xec\x9d\xb8\xec\x9d\x84 \xeb\xb0\x9b\xec\x8a\xb5\xeb\x8b\x88\xeb\x8b\xa4", 0, 0);       // 게임에서 이기면 코인을 받습니다
    put("plugin:a", "wallet", "\xec\xa7\x80\xea\xb0\x91\xec\x9d\x84 \xec\x97\xb0\xea\xb2\xb0\xed\x95\x98\xec\x84\xb8\xec\x9a\x94", 0, 0);                                                             // 지갑을 연결하세요
    CHECK_TEXT(find("plugin:a", "\xea\xb2\x8c\xec\x9e\x84", 0, 0), "game");              // 게임: two syllables
    CHECK_TEXT(find("plugin:a", "\xec\xbd\x94\xec\x9d\xb8\xec\x9d\x80?", 0, 0), "game");  // 코인은
    CHECK_TEXT(find("plugin:a", "\xec\xa7\x80\xea\xb0\x91", 0, 0), "wallet");
    close_store();
}

static void test_meaning_and_words_are_fused(void)
{
    open_store();
    put("plugin:a", "north", "ice and snow", 1, 0);
    put("plugin:a", "south", "sand and sun", 0, 1);
    put("plugin:a", "both", "snow on sand", 0.7f, 0.7f);
    CHECK_TEXT(find("plugin:a", "frozen", 0.9f, 0.1f), "north,both,south");              // no word fits
    CHECK(strncmp(find("plugin:a", "snow", 0.5f, 0.6f), "both", 4) == 0);                // first by meaning, near the front by words
    J.model = "other";
    CHECK_TEXT(find("plugin:a", "frozen", 0, 0), "");
    put("plugin:a", "nought", "zero", 0, 0);
    close_store();
}

static enum fr_status job_fill(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)arg;
    struct llm_vector none = { NULL, 0, "" };
    for (int i = 0; i < J.rows; i++) {
        char id[32];
        snprintf(id, sizeof id, "d%d", i);
        FR_TRY(llm_doc_put(txn, "plugin:full", id, "word", &none, 1, err));
    }
    return FR_OK;
}

static void test_tenants_are_apart(void)
{
    open_store();
    put("plugin:a", "x", "secret plan", 1, 0);
    put("plugin:b", "x", "open plan", 1, 0);
    CHECK_TEXT(find("plugin:b", "secret", 0, 0), "");
    CHECK_TEXT(find("plugin:b", "plan", 1, 0), "x");
    CHECK(strstr(J.out.data, "open") && !strstr(J.out.data, "secret"));
    J.tenant = "plugin:b"; J.id = "x";
    CHECK_INT(store_now(store, job_drop, NULL, &J.err), FR_OK);
    CHECK(J.was);
    CHECK_TEXT(find("plugin:b", "plan", 1, 0), "");
    CHECK_TEXT(find("plugin:a", "plan", 0, 0), "x");
    CHECK_INT(store_now(store, job_drop, NULL, &J.err), FR_OK);
    J.rows = 200;                                           // a crowd of others' documents that fit better
    CHECK_INT(store_now(store, job_fill, NULL, &J.err), FR_OK);
    put("plugin:a", "mine", "a word among many others that are not looked for at all here", 0, 0);
    CHECK_TEXT(find("plugin:a", "word", 0, 0), "mine");
    close_store();
}

static void test_a_document_is_replaced_and_known(void)
{
    open_store();
    put("plugin:a", "x", "first words", 1, 0);
    CHECK_INT(store_now(store, job_known, NULL, &J.err), FR_OK);
    CHECK(J.same);
    put("plugin:a", "x", "second words", 0, 0);
    CHECK_TEXT(find("plugin:a", "first", 0, 0), "");
    CHECK_TEXT(find("plugin:a", "second", 0, 0), "x");
    J.dims = 2; J.id = "x"; J.text = "second words";
    CHECK_INT(store_now(store, job_known, NULL, &J.err), FR_OK);
    CHECK(!J.same);                                         // it has no vector yet
    close_store();
}

static void test_there_is_room_for_so_many(void)
{
    open_store();
    J.rows = LLM_DOCS_MAX;
    CHECK_INT(store_now(store, job_fill, NULL, &J.err), FR_OK);
    CHECK_INT(put("plugin:full", "one more", "word", 0, 0), FR_E_LIMIT);
    CHECK_TEXT(J.err.code, "llm_docs_full");
    CHECK_INT(put("plugin:full", "d7", "another word", 0, 0), FR_OK);       // in place of an old one
    CHECK_INT(put("plugin:other", "x", "word", 0, 0), FR_OK);
    close_store();
}

static void test_hostile_queries_are_only_words(void)
{
    static const char *const bad[] = { "\"", "a\" OR tenant : \"t", "NEAR(a b)", "a*", "tenant : x", "-", "(((", "AND OR NOT", "\xff\xfe", "'; DROP TABLE llm_doc; --", "{tenant}: a", "^a", "\xea\xb2", "" };
    open_store();
    put("plugin:a", "x", "a b and or not", 0, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(strcmp(find("plugin:a", bad[i], 0, 0), "failed") != 0);
    CHECK_TEXT(find("plugin:a", "a", 0, 0), "x");
    close_store();
}

// ---- keyed.h

static struct { const char *key; uint8_t sha[SHA256_BYTES]; const char *answer; int64_t now; bool found; struct fr_buf out; } K;
static enum fr_status job_find(struct store_txn *txn, void *arg, struct fr_err *err) { (void)arg; fr_buf_clear(&K.out); return llm_keyed_find(txn, "plugin:a", K.key, K.sha, K.now, &K.found, &K.out, err); }
static enum fr_status job_keep(struct store_txn *txn, void *arg, struct fr_err *err) { (void)arg; return llm_keyed_put(txn, "plugin:a", K.key, K.sha, K.answer, K.now, err); }
static enum fr_status job_many(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)arg;
    for (int i = 0; i < LLM_KEYED_MAX + 50; i++) {
        char key[32];
        snprintf(key, sizeof key, "many%d", i);
        FR_TRY(llm_keyed_put(txn, "plugin:a", key, K.sha, "1", K.now + i, err));
    }
    return FR_OK;
}

static void test_a_key_finds_its_first_answer(void)
{
    open_store();
    fr_buf_init(&K.out, 1000);
    K.key = "k"; K.answer = "{\"a\":1}"; K.now = 1000000000;
    CHECK_INT(store_now(store, job_find, NULL, &J.err), FR_OK);
    CHECK(!K.found);
    CHECK_INT(store_now(store, job_keep, NULL, &J.err), FR_OK);
    K.answer = "{\"a\":2}";
    CHECK_INT(store_now(store, job_keep, NULL, &J.err), FR_OK);             // the first stays
    CHECK_INT(store_now(store, job_find, NULL, &J.err), FR_OK);
    CHECK_TEXT(K.out.data, "{\"a\":1}");
    K.sha[0] = 1;
    CHECK_INT(store_now(store, job_find, NULL, &J.err), FR_E_CONFLICT);
    CHECK_TEXT(J.err.code, "key_reused");
    K.sha[0] = 0;
    K.now += LLM_KEYED_MS;
    CHECK_INT(store_now(store, job_find, NULL, &J.err), FR_OK);
    CHECK(!K.found);
    CHECK_INT(store_now(store, job_many, NULL, &J.err), FR_OK);
    K.key = "many0";
    K.now += 100;
    CHECK_INT(store_now(store, job_find, NULL, &J.err), FR_OK);
    CHECK(!K.found);                                        // the oldest went
    fr_buf_free(&K.out);
    close_store();
}

int main(void)
{
    fr_buf_init(&J.out, 1000000);
    llm_search_tables();
    llm_keyed_tables();
    TEST(test_words_are_found);
    TEST(test_korean_is_found_inside_words);
    TEST(test_meaning_and_words_are_fused);
    TEST(test_tenants_are_apart);
    TEST(test_a_document_is_replaced_and_known);
    TEST(test_there_is_room_for_so_many);
    TEST(test_hostile_queries_are_only_words);
    TEST(test_a_key_finds_its_first_answer);
    fr_buf_free(&J.out);
    return TEST_END();
}
