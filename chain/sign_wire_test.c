// sign_wire_test.c — what is asked arrives as it was asked; every other length and every lie is refused.
#include "chain/sign_wire.h"
#include "base/check.h"
#include "base/mem.h"

static struct sign_ask asks(enum sign_kind kind)
{
    static const uint8_t data[] = { 0xa9, 5, 9, 0xcb, 0, 1 };
    struct sign_ask a = { .kind = kind };
    memset(a.from.bytes, 0x11, ADDRESS_BYTES);
    a.tx = (struct tx){ .kind = TX_FEE_MARKET, .chain_id = 31337, .nonce = 7, .gas_limit = 90000, .max_fee = u256_of(9), .max_tip = u256_of(3), .value = u256_of(1), .data = data, .data_len = sizeof data };
    memset(a.tx.to.bytes, 0x22, ADDRESS_BYTES);
    a.permit = (struct sign_permit){ .chain_id = 1, .value = u256_of(77), .nonce = u256_of(2), .deadline_s = 1900000000 };
    memset(a.permit.token.bytes, 0x33, ADDRESS_BYTES);
    memset(a.permit.spender.bytes, 0x44, ADDRESS_BYTES);
    a.siwe = (struct siwe){ .domain = "frond.example", .address = a.from, .statement = "Sign in.", .uri = "https://frond.example/wallet/", .chain_id = 1, .nonce = "abcdefgh1", .issued_ms = 1900000000000, .expires_ms = 1900000300000 };
    return a;
}

static void test_what_is_asked_arrives(void)
{
    for (int kind = SIGN_A_TX; kind <= SIGN_A_SIWE; kind++) {
        FR_AUTO_BUF(out);
        struct sign_ask a = asks(kind), b;
        struct sign_texts texts;
        fr_buf_init(&out, 65536);
        CHECK(sign_wire_put(&a, &out, NULL) == FR_OK);
        CHECK(sign_wire_get(kind, out.data, out.len, &texts, &b, NULL) == FR_OK);
        CHECK(b.kind == a.kind && address_equal(&a.from, &b.from));
        if (kind == SIGN_A_TX) {
            CHECK_INT(out.len, SIGN_TX_HEAD_BYTES + a.tx.data_len);
            CHECK(b.tx.kind == TX_FEE_MARKET && b.tx.chain_id == 31337 && b.tx.nonce == 7 && b.tx.gas_limit == 90000 && !b.tx.creates);
            CHECK(u256_compare(a.tx.max_fee, b.tx.max_fee) == 0 && u256_compare(a.tx.max_tip, b.tx.max_tip) == 0 && u256_compare(a.tx.value, b.tx.value) == 0);
            CHECK(address_equal(&a.tx.to, &b.tx.to) && b.tx.data_len == a.tx.data_len && memcmp(a.tx.data, b.tx.data, a.tx.data_len) == 0);
        } else if (kind == SIGN_A_PERMIT) {
            CHECK_INT(out.len, SIGN_PERMIT_BYTES);
            CHECK(b.permit.chain_id == 1 && address_equal(&a.permit.token, &b.permit.token) && address_equal(&a.permit.spender, &b.permit.spender));
            CHECK(u256_compare(a.permit.value, b.permit.value) == 0 && u256_compare(a.permit.nonce, b.permit.nonce) == 0 && b.permit.deadline_s == 1900000000);
        } else {
            CHECK_TEXT(b.siwe.domain, "frond.example");
            CHECK_TEXT(b.siwe.statement, "Sign in.");
            CHECK_TEXT(b.siwe.nonce, "abcdefgh1");
            CHECK(!b.siwe.resource && address_equal(&b.siwe.address, &a.from) && b.siwe.issued_ms == 1900000000000 && b.siwe.expires_ms == 1900000300000);
        }
    }
}

static void test_no_other_length_is_taken(void)
{
    for (int kind = SIGN_A_TX; kind <= SIGN_A_SIWE; kind++) {
        FR_AUTO_BUF(out);
        struct sign_ask a = asks(kind), b;
        struct sign_texts texts;
        a.tx.data_len = 0;
        fr_buf_init(&out, 65536);
        CHECK(sign_wire_put(&a, &out, NULL) == FR_OK);
        for (size_t len = 0; len < out.len; len++) {
            char *exact = fr_must_alloc(len + 1), *tight = fr_realloc(exact, len ? len : 1);      // reading past its end is seen
            memcpy(tight, out.data, len);
            CHECK(sign_wire_get(kind, tight, len, &texts, &b, NULL) == FR_E_INVALID);
            fr_free(tight);
        }
        fr_buf_add_char(&out, 'x');
        CHECK(kind == SIGN_A_TX || sign_wire_get(kind, out.data, out.len, &texts, &b, NULL) == FR_E_INVALID);
    }
}

static void test_bounds_and_lies(void)
{
    FR_AUTO_BUF(out);
    static uint8_t data[SIGN_DATA_BYTES_MAX + 1];
    static char text[SIWE_BYTES_MAX + 2];
    struct sign_ask a = asks(SIGN_A_TX), b;
    struct sign_texts texts;
    fr_buf_init(&out, 65536);
    a.tx.data = data;
    a.tx.data_len = SIGN_DATA_BYTES_MAX;
    CHECK_INT(sign_wire_put(&a, &out, NULL), FR_OK);
    CHECK_INT(sign_wire_get(SIGN_A_TX, out.data, out.len, &texts, &b, NULL), FR_OK);
    fr_buf_add_char(&out, 0);
    CHECK_INT(sign_wire_get(SIGN_A_TX, out.data, out.len, &texts, &b, NULL), FR_E_INVALID);
    a.tx.data_len++;
    CHECK_INT(sign_wire_put(&a, &out, NULL), FR_E_LIMIT);
    a = asks(SIGN_A_TX);
    a.tx.creates = true;
    CHECK_INT(sign_wire_put(&a, &out, NULL), FR_E_INVALID);
    a = asks(SIGN_A_TX);
    a.tx.kind = TX_LEGACY;
    CHECK_INT(sign_wire_put(&a, &out, NULL), FR_E_INVALID);      // with a tip
    fr_buf_clear(&out);
    a = asks(SIGN_A_TX);
    CHECK_INT(sign_wire_put(&a, &out, NULL), FR_OK);
    out.data[20] = 0;                                            // legacy, with a tip
    CHECK_INT(sign_wire_get(SIGN_A_TX, out.data, out.len, &texts, &b, NULL), FR_E_INVALID);
    out.data[20] = 2;
    CHECK_INT(sign_wire_get(SIGN_A_TX, out.data, out.len, &texts, &b, NULL), FR_E_INVALID);
    fr_buf_clear(&out);
    a = asks(SIGN_A_SIWE);
    memset(text, 'a', SIWE_BYTES_MAX + 1);
    a.siwe.statement = text;
    CHECK_INT(sign_wire_put(&a, &out, NULL), FR_E_LIMIT);
    fr_buf_clear(&out);
    a = asks(SIGN_A_SIWE);
    CHECK_INT(sign_wire_put(&a, &out, NULL), FR_OK);
    out.data[ADDRESS_BYTES + 24 + 2 + 3] = '\0';                 // inside the domain
    CHECK_INT(sign_wire_get(SIGN_A_SIWE, out.data, out.len, &texts, &b, NULL), FR_E_INVALID);
}

int main(void)
{
    TEST(test_what_is_asked_arrives);
    TEST(test_no_other_length_is_taken);
    TEST(test_bounds_and_lies);
    return TEST_END();
}
