// policy_test.c — what is signed, what is not, one step past each bound, and files that are no policy.
#include "signer/policy.h"
#include "base/check.h"
#include "base/mem.h"
#include "signer/testing.h"

static struct policy p;
static struct address key[2];

static void judged(const struct sign_ask *a, const char *want)
{
    struct spends s;
    struct fr_err err = { 0 };
    enum fr_status status = policy_judge(&p, a, key, 2, TEST_NOW_MS, &s, &err);
    CHECK_TEXT(status == FR_OK ? "" : err.code, want);
    CHECK(status == FR_OK || status == FR_E_DENIED);
}
#define JUDGED(ask, want) do { struct sign_ask a_ = (ask); judged(&a_, want); } while (0)

static void test_the_calls_it_knows(void)
{
    JUDGED(test_pay(&key[0], "transfer(address,uint256)", TOKEN, PAYEE, 1000), "");
    JUDGED(test_pay(&key[0], "transfer(address,uint256)", TOKEN, PAYEE, 1001), "sign_each");
    JUDGED(test_pay(&key[0], "transfer(address,uint256)", TOKEN, OTHER, 1), "sign_payee");
    JUDGED(test_pay(&key[0], "transfer(address,uint256)", OPEN_TOKEN, OTHER, 7), "");
    JUDGED(test_pay(&key[0], "transfer(address,uint256)", OPEN_TOKEN, OTHER, 8), "sign_each");
    JUDGED(test_pay(&key[0], "transfer(address,uint256)", OPEN_TOKEN, OPEN_TOKEN, 1), "sign_payee");
    JUDGED(test_pay(&key[0], "transfer(address,uint256)", OPEN_TOKEN, "0x0000000000000000000000000000000000000000", 1), "sign_payee");
    JUDGED(test_pay(&key[0], "approve(address,uint256)", TOKEN, BURN, 1000), "");
    JUDGED(test_pay(&key[0], "approve(address,uint256)", TOKEN, BURN, 1001), "sign_each");
    JUDGED(test_pay(&key[0], "approve(address,uint256)", TOKEN, PAYEE, 1), "sign_spender");
    JUDGED(test_pay(&key[0], "approve(address,uint256)", OPEN_TOKEN, OTHER, 1), "sign_spender");
    JUDGED(test_pay(&key[0], "increaseAllowance(address,uint256)", TOKEN, BURN, 1), "sign_kind");
    JUDGED(test_pay(&key[0], "transfer(address,uint256)", OTHER, PAYEE, 1), "sign_to");
    JUDGED(test_burn(&key[0], 500), "");
    JUDGED(test_burn(&key[0], 501), "sign_each");
    JUDGED(test_pay(&key[0], "setBurner(address,uint256)", BURN, OTHER, 1), "sign_kind");
    JUDGED(test_sweep(&key[0], TOKEN, 0), "");
    JUDGED(test_sweep(&key[0], TOKEN, 100), "");
    JUDGED(test_sweep(&key[0], OTHER, 1), "sign_kind");
    JUDGED(test_pay(&key[0], "sweepEther(bytes32[])", FACTORY, OTHER, 1), "sign_kind");
}

static void test_payouts(void)
{
    JUDGED(test_payout(&key[0], 1, 600), "");
    JUDGED(test_payout(&key[0], 1, 601), "sign_each");
    JUDGED(test_payout(&key[0], 100, 6), "");
    JUDGED(test_payout(&key[0], 100, 7), "sign_each");           // of the sum
    JUDGED(test_payout(&key[0], 101, 1), "sign_kind");
    JUDGED(test_payout(&key[0], 0, 1), "sign_kind");
    JUDGED(test_pay(&key[0], "setPayer(address,uint256)", PAYOUT, OTHER, 1), "sign_kind");
    struct spends s = { 0 };
    struct sign_ask a = test_payout(&key[0], 3, 100);
    CHECK(policy_judge(&p, &a, key, 2, TEST_NOW_MS, &s, NULL) == FR_OK && s.count == 2 && s.list[1].of == SPEND_PAYOUT);
    CHECK(u256_compare(s.list[1].amount, u256_of(300)) == 0 && u256_compare(s.list[1].day, u256_of(1000)) == 0);
    enum { COUNT = 2, WORDS = 3 + 3 * (COUNT + 1), TO = 3 + COUNT + 1, OF = 3 + 2 * (COUNT + 1) };
    static const struct { int word, byte; uint8_t put; const char *want; } wrong[] = {
        { 0, 31, 0x80, "sign_kind" }, { 1, 31, 0x60, "sign_kind" }, { 2, 31, 0xc0, "sign_kind" }, { 2, 0, 1, "sign_kind" },      // arrays elsewhere, or one in another's place
        { 3, 31, 1, "sign_kind" }, { TO, 31, 1, "sign_kind" }, { OF, 31, 3, "sign_kind" }, { TO, 0, 1, "sign_kind" },           // lengths that differ, or are no lengths
        { TO + 1, 0, 1, "sign_kind" }, { TO + 1, 11, 1, "sign_kind" },                                                         // dirty high bytes of an address
        { TO + 2, 31, 0, "sign_payee" },                                                                                       // nobody
        { OF + 1, 0, 0xff, "sign_each" },
        { 4, 0, 9, "" },                                                                                                       // any id
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t bytes[4 + 32 * (WORDS + 1)] = { 0 };
        a = test_payout(&key[0], COUNT, 1);
        CHECK_INT(a.tx.data_len, 4 + 32 * WORDS);
        memcpy(bytes, a.tx.data, a.tx.data_len);
        bytes[4 + 32 * wrong[i].word + wrong[i].byte] = wrong[i].put;
        a.tx.data = bytes;
        judged(&a, wrong[i].want);
    }
    for (int i = 0; i < 4; i++) {                                // two amounts whose sum wraps; the token, the module, bytes behind it
        uint8_t bytes[4 + 32 * (WORDS + 1)] = { 0 };
        a = test_payout(&key[0], COUNT, 1);
        memcpy(bytes, a.tx.data, a.tx.data_len);
        if (i == 0) memset(bytes + 4 + 32 * (OF + 1), 0xff, 32);
        if (i == 1) memset(bytes + 4 + 32 * (TO + 1) + 12, 0x11, 20);
        if (i == 2) memset(bytes + 4 + 32 * (TO + 1) + 12, 0x77, 20);
        if (i == 3) a.tx.data_len += 32;
        a.tx.data = bytes;
        judged(&a, i == 0 ? "sign_each" : i == 3 ? "sign_kind" : "sign_payee");
    }
}

static void test_every_call_has_one_form(void)
{
    struct sign_ask asks[5];
    for (int kind = 0; kind < 5; kind++) {
        for (int i = 0; i < 4; i++) {
            asks[kind] = kind == 0 ? test_pay(&key[0], "transfer(address,uint256)", TOKEN, PAYEE, 1) : kind == 1 ? test_pay(&key[0], "approve(address,uint256)", TOKEN, BURN, 1)
                       : kind == 2 ? test_burn(&key[0], 1) : kind == 3 ? test_sweep(&key[0], TOKEN, 2) : test_payout(&key[0], 2, 1);
            struct sign_ask *a = &asks[kind];
            uint8_t longer[1024] = { 0 };
            memcpy(longer, a->tx.data, a->tx.data_len);
            a->tx.data = longer;
            if (i == 0) a->tx.data_len++;                        // a byte behind it
            if (i == 1) a->tx.data_len--;
            if (i == 2) a->tx.data_len = 3;
            if (i == 3 && kind != 2) longer[4] = 1;              // dirty high bytes of an address
            if (i == 3 && kind == 2) a->tx.data_len += 32;
            judged(a, "sign_kind");
        }
    }
    uint8_t bytes[1024];
    struct sign_ask a = test_sweep(&key[0], TOKEN, 2);
    memcpy(bytes, a.tx.data, a.tx.data_len);
    bytes[4 + 63] = 0x60;                                        // the array elsewhere
    a.tx.data = bytes;
    judged(&a, "sign_kind");
}

static void test_somebodys_permit_handed_in(void)
{
    for (int own = 0; own < 2; own++) {
        struct sign_ask a = test_ask(&key[0], TOKEN);
        struct address spender = test_address(BURN), owner = own ? key[1] : test_address(OTHER);
        struct abi_out out = test_begin("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", 7);
        abi_put_address(&out, &owner);
        abi_put_address(&out, &spender);
        abi_put_u256(&out, u256_of(1001));
        for (int i = 0; i < 4; i++) abi_put_u256(&out, u256_of(27));
        test_end(&out, &a);
        judged(&a, own ? "sign_each" : "");                      // one of our keys' own money, or not
    }
    struct sign_ask a = test_ask(&key[0], TOKEN);
    struct address other = test_address(OTHER);
    struct abi_out out = test_begin("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", 7);
    for (int i = 0; i < 2; i++) abi_put_address(&out, &other);
    for (int i = 0; i < 5; i++) abi_put_u256(&out, u256_of(27));
    test_end(&out, &a);
    judged(&a, "sign_spender");
}

static void test_plain_ether_and_the_cancel(void)
{
    char self[ADDRESS_TEXT_BYTES];
    struct sign_ask a = test_ask(&key[0], address_text(&key[0], self));
    judged(&a, "");
    a.tx.value = u256_of(1);
    judged(&a, "sign_value");
    a = test_ask(&key[0], PAYEE);
    a.tx.value = u256_of(50);
    judged(&a, "");
    a.tx.value = u256_of(51);
    judged(&a, "sign_each");
    a = test_ask(&key[0], address_text(&key[1], self));          // another key is another payee
    judged(&a, "sign_to");
    a = test_ask(&key[0], OTHER);
    judged(&a, "sign_to");
    a = test_burn(&key[0], 1);
    a.tx.value = u256_of(1);
    judged(&a, "sign_value");
    a = test_ask(&key[0], TOKEN);                                // no data: ether for a token's contract
    judged(&a, "sign_to");
    a = test_ask(&key[0], PAYEE);
    a.tx.creates = true;
    judged(&a, "sign_kind");
}

static void test_chain_and_fees_one_step_past(void)
{
    struct sign_ask a = test_burn(&key[0], 1);
    a.tx.gas_limit = 300000;
    judged(&a, "");
    a.tx.gas_limit++;
    judged(&a, "sign_gas");
    a.tx.gas_limit = 0;
    judged(&a, "sign_gas");
    a = test_burn(&key[0], 1);
    a.tx.max_fee = u256_of(101);
    judged(&a, "sign_fee");
    a.tx.max_fee = u256_of(100);
    a.tx.max_tip = u256_of(11);
    judged(&a, "sign_fee");
    a.tx.max_fee = u256_of(9);
    a.tx.max_tip = u256_of(10);
    judged(&a, "sign_fee");
    a = test_burn(&key[0], 1);
    a.tx.kind = TX_LEGACY;
    a.tx.max_tip = u256_of(0);
    judged(&a, "");
    a.tx.max_fee = u256_of(101);
    judged(&a, "sign_fee");
    a = test_burn(&key[0], 1);
    a.tx.chain_id = 1;
    judged(&a, "sign_chain");
}

static void test_permits(void)
{
    struct sign_ask a = test_permit(&key[0], TOKEN, BURN, 1000);
    judged(&a, "");
    JUDGED(test_permit(&key[0], TOKEN, BURN, 1001), "sign_each");
    JUDGED(test_permit(&key[0], TOKEN, PAYEE, 1), "sign_spender");
    JUDGED(test_permit(&key[0], OPEN_TOKEN, BURN, 1), "sign_to");
    JUDGED(test_permit(&key[0], OTHER, BURN, 1), "sign_to");
    a.permit.deadline_s = TEST_NOW_MS / 1000 + SIGNER_PERMIT_S_MAX;
    judged(&a, "");
    a.permit.deadline_s++;
    judged(&a, "sign_deadline");
    a.permit.deadline_s = TEST_NOW_MS / 1000;
    judged(&a, "sign_deadline");
    a.permit.deadline_s = UINT64_MAX;
    judged(&a, "sign_deadline");
    a = test_permit(&key[0], TOKEN, BURN, 1);
    a.permit.chain_id = 5;
    judged(&a, "sign_chain");
}

static void test_sign_in_messages(void)
{
    struct sign_ask a = test_siwe(&key[0]);
    judged(&a, "");
    a.siwe.uri = "https://frond.example";
    judged(&a, "");
    a.siwe.uri = "https://frond.example.evil/";
    judged(&a, "sign_domain");
    a.siwe.uri = "http://frond.example/";
    judged(&a, "sign_domain");
    a = test_siwe(&key[0]);
    a.siwe.domain = "evil.example";
    judged(&a, "sign_domain");
    a = test_siwe(&key[0]);
    a.siwe.chain_id = 1;
    judged(&a, "sign_chain");
    a = test_siwe(&key[0]);
    a.siwe.issued_ms += 60001;
    judged(&a, "sign_time");
    a.siwe.issued_ms = TEST_NOW_MS - 60001;
    judged(&a, "sign_time");
    a.siwe.issued_ms = INT64_MIN;
    judged(&a, "sign_time");
    a.siwe.issued_ms = INT64_MAX;
    judged(&a, "sign_time");
}

static void refused(const char *from, const char *to, const char *word)
{
    char text[8192];
    static struct policy q;
    struct fr_err err = { 0 };
    const char *at = strstr(test_policy, from);
    CHECK(at != NULL);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - test_policy), test_policy, to, at + strlen(from));
    CHECK_INT(policy_read(text, strlen(text), &q, &err), FR_E_INVALID);
    CHECK_TEXT(err.code, "policy");
    if (!strstr(err.text, word)) printf("  %s\n", err.text);
    CHECK(strstr(err.text, word) != NULL);
    CHECK(q.token_count == 0 && q.chain_id == 0);
}

static void test_files_that_are_no_policy(void)
{
    refused("\"chain_id\":\"31337\"", "\"chain_id\":31337", "chain_id");
    refused("\"chain_id\":\"31337\",", "", "chain_id");
    refused("\"limit\":\"300000\",", "", "limit");
    refused("\"max_tip\":\"10\"", "\"max_tip\":\"-10\"", "max_tip");
    refused("\"day\":\"2500\"", "\"dy\":\"2500\"", "dy");
    refused(BURN "\",\"each\"", TOKEN "\",\"each\"", "twice");
    refused("\"to\":\"any\"", "\"to\":\"all\"", "to");
    refused("\"spenders\":[\"" BURN "\"]", "\"spenders\":\"any\"", "spenders");
    refused("\"tokens\":[\"" TOKEN "\"]", "\"tokens\":[\"0x12\"]", "sweep");
    refused("\"tokens\":[\"" TOKEN "\"]", "\"tokens\":[\"0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96046\"]", "sweep: tokens: ");
    refused("\"frond.example\"", "\"\"", "siwe");
    refused(PAYOUT "\",\"token\"", BURN "\",\"token\"", "twice");
    refused("\"token\":\"" TOKEN "\",\"each\":\"600\"", "\"token\":\"0x1\",\"each\":\"600\"", "payout: ");
    refused("\"each\":\"600\",", "", "payout: each");
    refused("\"each\":\"500\"", "\"each\":\"115792089237316195423570985008687907853269984665640564039457584007913129639936\"", "each");
    static struct policy q;
    struct fr_err err;
    CHECK_INT(policy_read("[]", 2, &q, &err), FR_E_INVALID);
    CHECK_INT(policy_read("[[1]]", 5, &q, &err), FR_E_INVALID);          // members without names
    refused("\"burn\":[{", "\"burn\":[[1],{", "object");
    CHECK_INT(policy_read("", 0, &q, &err), FR_E_INVALID);
    FR_AUTO_BUF(many);
    for (int count = SIGNER_LIST_MAX; count <= SIGNER_LIST_MAX + 1; count++) {
        fr_buf_init(&many, 65536);
        fr_buf_add(&many, "{\"chain_id\":\"1\",\"gas\":{\"limit\":\"1\",\"max_fee\":\"1\",\"max_tip\":\"1\",\"day\":\"1\"},\"siwe\":[");
        for (int i = 0; i < count; i++) fr_buf_addf(&many, "%s\"d%d\"", i ? "," : "", i);
        fr_buf_add(&many, "]}");
        CHECK_INT(policy_read(many.data, many.len, &q, &err), count == SIGNER_LIST_MAX ? FR_OK : FR_E_INVALID);
        fr_buf_free(&many);
    }
}

static void test_memory_that_runs_out(void)
{
    static struct policy q;
    int refused_some = 0;
    for (int nth = 1; nth < 20; nth++) {
        struct fr_err err = { 0 };
        fr_mem_fail_some(nth, 1);
        enum fr_status status = policy_read(test_policy, sizeof test_policy - 1, &q, &err);
        fr_mem_fail_some(0, 0);
        CHECK(status == FR_OK || (status == FR_E_NOMEM && q.token_count == 0 && q.chain_id == 0));
        refused_some += status != FR_OK;
    }
    CHECK(refused_some > 0);
}

int main(void)
{
    static const uint8_t one[32] = { [31] = 1 }, two[32] = { [31] = 2 };
    FR_IGNORE(secret_key_address(one, &key[0], NULL));
    FR_IGNORE(secret_key_address(two, &key[1], NULL));
    FR_IGNORE(policy_read(test_policy, sizeof test_policy - 1, &p, NULL));
    TEST(test_the_calls_it_knows);
    TEST(test_payouts);
    TEST(test_every_call_has_one_form);
    TEST(test_somebodys_permit_handed_in);
    TEST(test_plain_ether_and_the_cancel);
    TEST(test_chain_and_fees_one_step_past);
    TEST(test_permits);
    TEST(test_sign_in_messages);
    TEST(test_files_that_are_no_policy);
    TEST(test_memory_that_runs_out);
    fr_buf_free(&test_data);
    return TEST_END();
}
