// apikey_test.c — keys are found by their text alone, keep their limits, spend no more than was approved, and end for good.
#include "player/test.h"
#include "ledger/ledger.h"
#include "player/apikey.h"

#define DAY (24LL * 60 * 60 * 1000)
static const struct api_key_rules everybody = { .least_units = 0 };
static const struct api_key_rules holders = { .asset = "TEST", .least_units = 500 };

static struct api_key make(struct store_txn *txn, const char *player, int64_t coins_day, char text[API_KEY_TEXT_BYTES])
{
    struct api_key k = { 0 };
    struct api_key_ask ask = { .player = player, .name = "My program", .scopes = API_SCOPES_ALL, .limits = { 100, 1000, 10, coins_day } };
    OK(api_key_new(txn, &everybody, &ask, 5000, text, &k, err));
    return k;
}

static enum fr_status find(struct store_txn *txn, const char *text, int64_t now_ms, struct api_key *ret, struct fr_err *err)
{
    uint8_t hash[SHA256_BYTES];
    api_key_hash(text, hash);
    return api_key_find(txn, hash, now_ms, ret, err);
}

TXN_TEST(test_a_key_is_found_by_its_text)
{
    char text[API_KEY_TEXT_BYTES], other[API_KEY_TEXT_BYTES];
    const char *ann = test_player(txn, 42);
    struct api_key k = make(txn, ann, 7, text), got, operators = make(txn, NULL, 0, other);
    CHECK(strncmp(text, "frond-", 6) == 0 && strlen(text) == 49 && api_key_looks_like(text));
    CHECK(strcmp(text, other) != 0);
    OK(find(txn, text, 6000, &got, err));
    CHECK_INT(got.id, k.id);
    CHECK_TEXT(got.player, ann);
    CHECK_TEXT(got.name, "My program");
    CHECK_TEXT(got.mark, text + 45);
    CHECK_INT(got.scopes, API_SCOPES_ALL);
    CHECK(got.limits.tokens_minute == 100 && got.limits.tokens_day == 1000 && got.limits.requests_minute == 10 && got.limits.coins_day == 7);
    OK(find(txn, other, 6000, &got, err));
    CHECK_TEXT(got.player, "");
    CHECK_INT(got.id, operators.id);
    other[20] = other[20] == 'A' ? 'B' : 'A';
    FAILS(find(txn, other, 6000, &got, err), FR_E_AUTH, "key_unknown");
}

TXN_TEST(test_only_the_hash_is_kept)
{
    char text[API_KEY_TEXT_BYTES];
    make(txn, NULL, 0, text);
    FR_SQL_ROW(row);
    bool found = false;
    uint8_t want[SHA256_BYTES], got[SHA256_BYTES];
    fr_sha256(text, strlen(text), want);
    OK(sql_begin(txn, "SELECT hash, name || mark FROM api_key", &row, err));
    OK(sql_step(row, &found, err));
    OK(sql_fixed(row, 0, got, sizeof got, err));
    CHECK(memcmp(got, want, sizeof want) == 0);
    CHECK_INT(strlen(sql_text(row, 1)), strlen("My program") + 4);
}

static void test_the_form_of_a_key(void)
{
    CHECK(api_key_looks_like("frond-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    CHECK(!api_key_looks_like("frond-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    CHECK(!api_key_looks_like("frond-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    CHECK(!api_key_looks_like("frond_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    CHECK(!api_key_looks_like("frond-AAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAA"));
    CHECK(!api_key_looks_like(""));
    unsigned s;
    CHECK(api_scopes_parse("chat", &s) && s == API_CHAT);
    CHECK(api_scopes_parse("models,embed", &s) && s == (API_MODELS | API_EMBED));
    CHECK(!api_scopes_parse("", &s));
    CHECK(!api_scopes_parse("chat,admin", &s) && !api_scopes_parse("cha", &s) && !api_scopes_parse(",", &s));
}

TXN_TEST(test_keys_are_for_holders)
{
    const char *ann = test_player(txn, 42);
    char text[API_KEY_TEXT_BYTES];
    struct api_key k;
    struct ledger_account world, mine;
    struct api_key_ask ask = { .player = ann, .name = "x", .scopes = API_CHAT };
    int64_t id;
    FAILS(api_key_new(txn, &holders, &ask, 5000, text, &k, err), FR_E_FUNDS, "key_balance");
    OK(ledger_account(txn, OWNER_CHAIN, "dev", "TEST", &world, err));
    OK(ledger_account(txn, OWNER_PLAYER, ann, "TEST", &mine, err));
    struct ledger_leg legs[] = { { world.id, -499 }, { mine.id, 499 } }, one[] = { { world.id, -1 }, { mine.id, 1 } };
    OK(ledger_post(txn, &(struct ledger_transfer){ .key = "a", .reason = "mint", .note = "", .legs = legs, .leg_count = 2 }, 5000, &id, err));
    FAILS(api_key_new(txn, &holders, &ask, 5000, text, &k, err), FR_E_FUNDS, "key_balance");
    OK(ledger_post(txn, &(struct ledger_transfer){ .key = "b", .reason = "mint", .note = "", .legs = one, .leg_count = 2 }, 5000, &id, err));
    OK(api_key_new(txn, &holders, &ask, 5000, text, &k, err));
    ask.player = NULL;
    OK(api_key_new(txn, &holders, &ask, 5000, text, &k, err));
    ask.player = "999";
    FAILS(api_key_new(txn, &everybody, &ask, 5000, text, &k, err), FR_E_NOT_FOUND, "player_unknown");
}

TXN_TEST(test_there_are_only_so_many)
{
    const char *ann = test_player(txn, 42), *bob = test_player(txn, 43);
    char text[API_KEY_TEXT_BYTES];
    struct api_key k = { 0 }, list[API_KEYS_PER_PLAYER_MAX + 2];
    struct api_key_ask ask = { .player = ann, .name = "x", .scopes = API_CHAT };
    int count = 0;
    for (int i = 0; i < API_KEYS_PER_PLAYER_MAX; i++) k = make(txn, ann, 0, text);
    FAILS(api_key_new(txn, &everybody, &ask, 5000, text, &k, err), FR_E_LIMIT, "keys");
    make(txn, bob, 0, text);
    OK(api_key_list(txn, ann, 0, 5000, list, API_KEYS_PER_PLAYER_MAX + 2, &count, err));
    CHECK_INT(count, API_KEYS_PER_PLAYER_MAX);
    CHECK_INT(list[0].id, k.id);
    OK(api_key_list(txn, NULL, 0, 5000, list, API_KEYS_PER_PLAYER_MAX + 2, &count, err));
    CHECK_INT(count, API_KEYS_PER_PLAYER_MAX + 1);
    OK(api_key_list(txn, NULL, list[1].id, 5000, list, 3, &count, err));
    CHECK_INT(count, 3);
    OK(api_key_list(txn, "", 0, 5000, list, 3, &count, err));
    CHECK_INT(count, 0);
    OK(api_key_revoke(txn, ann, k.id, 6000, err));
    OK(api_key_new(txn, &everybody, &ask, 5000, text, &k, err));
}

TXN_TEST(test_names_are_plain)
{
    char text[API_KEY_TEXT_BYTES], name[API_KEY_NAME_BYTES_MAX + 2];
    struct api_key k;
    struct api_key_ask ask = { .name = name, .scopes = API_CHAT };
    memset(name, 'n', sizeof name);
    name[API_KEY_NAME_BYTES_MAX + 1] = 0;
    FAILS(api_key_new(txn, &everybody, &ask, 5000, text, &k, err), FR_E_INVALID, "key_name");
    name[API_KEY_NAME_BYTES_MAX] = 0;
    OK(api_key_new(txn, &everybody, &ask, 5000, text, &k, err));
    name[3] = '\n';
    FAILS(api_key_new(txn, &everybody, &ask, 5000, text, &k, err), FR_E_INVALID, "key_name");
    name[0] = 0;
    FAILS(api_key_new(txn, &everybody, &ask, 5000, text, &k, err), FR_E_INVALID, "key_name");
}

TXN_TEST(test_a_revoked_key_is_over)
{
    const char *ann = test_player(txn, 42), *bob = test_player(txn, 43);
    char text[API_KEY_TEXT_BYTES];
    struct api_key k = make(txn, ann, 100, text), got;
    int64_t units;
    uint64_t before = api_key_revocations();
    FAILS(api_key_revoke(txn, bob, k.id, 6000, err), FR_E_NOT_FOUND, "key_not_found");
    CHECK_INT(api_key_revocations(), before);
    OK(api_key_revoke(txn, ann, k.id, 6000, err));
    CHECK_INT(api_key_revocations(), before + 1);
    FAILS(find(txn, text, 7000, &got, err), FR_E_AUTH, "key_revoked");
    FAILS(api_key_spend(txn, k.id, 1, 1, 7000, &units, err), FR_E_FUNDS, "llm_funds");
    FAILS(api_key_revoke(txn, ann, k.id, 8000, err), FR_E_NOT_FOUND, "key_not_found");
    k = make(txn, ann, 100, text);
    OK(api_key_revoke(txn, NULL, k.id, 6000, err));
}

TXN_TEST(test_no_more_than_approved_is_spent_in_a_day)
{
    const char *ann = test_player(txn, 42);
    char text[API_KEY_TEXT_BYTES];
    struct api_key k = make(txn, ann, 100, text), got;
    int64_t units = 0;
    OK(api_key_spend(txn, k.id, 10, 60, 10 * DAY, &units, err));
    CHECK_INT(units, 60);
    OK(api_key_spend(txn, k.id, 10, 60, 10 * DAY + 1, &units, err));
    CHECK_INT(units, 40);
    FAILS(api_key_spend(txn, k.id, 1, 60, 11 * DAY - 1, &units, err), FR_E_FUNDS, "llm_funds");
    OK(find(txn, text, 10 * DAY, &got, err));
    CHECK_INT(got.spent_units, 100);
    OK(api_key_unspend(txn, k.id, 25, 10 * DAY, err));
    FAILS(api_key_spend(txn, k.id, 26, 60, 10 * DAY, &units, err), FR_E_FUNDS, "llm_funds");
    OK(api_key_spend(txn, k.id, 25, 25, 10 * DAY, &units, err));
    OK(api_key_spend(txn, k.id, 100, 100, 11 * DAY, &units, err));       // a new day
    CHECK_INT(units, 100);
    OK(api_key_unspend(txn, k.id, 25, 10 * DAY, err));                   // of yesterday: today gains nothing
    FAILS(api_key_spend(txn, k.id, 1, 1, 11 * DAY, &units, err), FR_E_FUNDS, "llm_funds");
    struct api_key none = make(txn, ann, 0, text);
    FAILS(api_key_spend(txn, none.id, 0, 1, 11 * DAY, &units, err), FR_E_FUNDS, "llm_funds");
}

TXN_TEST(test_a_key_shows_when_it_was_used_and_never_itself)
{
    char text[API_KEY_TEXT_BYTES];
    struct api_key k = make(txn, NULL, 0, text), got;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 2000);
    OK(api_key_seen(txn, k.id, 70000, err));
    OK(api_key_seen(txn, k.id, 60000, err));
    OK(find(txn, text, 80000, &got, err));
    CHECK_INT(got.seen_ms, 70000);
    api_key_print(&got, &out);
    CHECK(strstr(out.data, "\"last_used_at\":\"1970-01-01T00:01:10.000Z\"") != NULL);
    CHECK(strstr(out.data, "\"scopes\":[\"models\",\"chat\",\"embed\"]") != NULL);
    CHECK(strstr(out.data, text) == NULL && strstr(out.data, "frond-") == NULL);
}

int main(void)
{
    ledger_register();
    test_begin();
    TEST(test_a_key_is_found_by_its_text);
    TEST(test_only_the_hash_is_kept);
    TEST(test_the_form_of_a_key);
    TEST(test_keys_are_for_holders);
    TEST(test_there_are_only_so_many);
    TEST(test_names_are_plain);
    TEST(test_a_revoked_key_is_over);
    TEST(test_no_more_than_approved_is_spent_in_a_day);
    TEST(test_a_key_shows_when_it_was_used_and_never_itself);
    return test_end(TEST_END());
}
