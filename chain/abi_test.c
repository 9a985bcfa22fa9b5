// abi_test.c — the examples of Solidity's ABI specification, and answers of a contract that lies.
#include "chain/abi.h"
#include "base/check.h"
#include "chain/test_hex.h"

static void test_the_examples_of_the_specification(void)
{
    FR_AUTO_BUF(to);
    struct abi_out out;
    uint8_t words[3][32] = { { [31] = 1 }, { [31] = 2 }, { [31] = 3 } };
    fr_buf_init(&to, 4096);
    abi_begin(&out, &to, "baz(uint32,bool)", 2);
    abi_put_u64(&out, 69);
    abi_put_bool(&out, true);
    CHECK(abi_end(&out, NULL) == FR_OK);
    CHECK_TEXT(test_hex(to.data, to.len), "cdcd77c0" "0000000000000000000000000000000000000000000000000000000000000045" "0000000000000000000000000000000000000000000000000000000000000001");
    fr_buf_clear(&to);
    abi_begin(&out, &to, "sam(bytes,bool,uint256[])", 3);
    abi_put_bytes(&out, "dave", 4);
    abi_put_bool(&out, true);
    abi_put_words(&out, (const uint8_t (*)[32])words, 3);
    CHECK(abi_end(&out, NULL) == FR_OK);
    CHECK_TEXT(test_hex(to.data, to.len), "a5643bf2"
        "0000000000000000000000000000000000000000000000000000000000000060" "0000000000000000000000000000000000000000000000000000000000000001" "00000000000000000000000000000000000000000000000000000000000000a0"
        "0000000000000000000000000000000000000000000000000000000000000004" "6461766500000000000000000000000000000000000000000000000000000000" "0000000000000000000000000000000000000000000000000000000000000003"
        "0000000000000000000000000000000000000000000000000000000000000001" "0000000000000000000000000000000000000000000000000000000000000002" "0000000000000000000000000000000000000000000000000000000000000003");
    fr_buf_free(&to);
    fr_buf_init(&to, 40);
    abi_begin(&out, &to, "f(uint256,uint256)", 2);
    abi_put_u64(&out, 1);
    abi_put_u64(&out, 2);
    CHECK_INT(abi_end(&out, NULL), FR_E_LIMIT);
}

static void test_what_was_written_is_read(void)
{
    FR_AUTO_BUF(to);
    struct abi_out out;
    struct address a = { { 9, 8, 7 } }, a_back;
    uint8_t words[2][32] = { { [31] = 1 }, { [0] = 2 } };
    const uint8_t *bytes = NULL, *back = NULL;
    size_t len = 0, count = 0;
    uint64_t n = 0;
    bool yes = false;
    fr_buf_init(&to, 4096);
    abi_begin(&out, &to, NULL, 5);
    abi_put_address(&out, &a);
    abi_put_bytes(&out, "a text that is longer than one word of thirty-two bytes", 55);
    abi_put_u64(&out, UINT64_MAX);
    abi_put_words(&out, (const uint8_t (*)[32])words, 2);
    abi_put_bool(&out, true);
    CHECK(abi_end(&out, NULL) == FR_OK);
    struct abi_in in = { (uint8_t *)to.data, to.len };
    CHECK(abi_get_address(&in, 0, &a_back, NULL) == FR_OK && address_equal(&a, &a_back));
    CHECK(abi_get_bytes(&in, 1, &bytes, &len, NULL) == FR_OK && len == 55 && memcmp(bytes, "a text", 6) == 0);
    CHECK(abi_get_u64(&in, 2, &n, NULL) == FR_OK && n == UINT64_MAX);
    CHECK(abi_get_words(&in, 3, &back, &count, NULL) == FR_OK && count == 2 && memcmp(back, words, sizeof words) == 0);
    CHECK(abi_get_bool(&in, 4, &yes, NULL) == FR_OK && yes);
    CHECK_INT(abi_get_bool(&in, 2, &yes, NULL), FR_E_INVALID);
    CHECK_INT(abi_get_u64(&in, 0, &n, NULL), FR_E_INVALID);
}

static void test_a_contract_that_lies(void)
{
    uint8_t answer[96] = { 0 };
    struct abi_in in = { answer, sizeof answer };
    struct address a;
    const uint8_t *bytes;
    size_t len;
    uint64_t n;
    memset(answer, 0xff, 32);
    CHECK_INT(abi_get_address(&in, 0, &a, NULL), FR_E_INVALID);
    CHECK_INT(abi_get_bytes(&in, 0, &bytes, &len, NULL), FR_E_INVALID);          // an offset past everything
    CHECK_INT(abi_get_u64(&in, 3, &n, NULL), FR_E_INVALID);                      // a word that did not come
    memset(answer, 0, 32);
    answer[31] = 80;
    CHECK_INT(abi_get_bytes(&in, 0, &bytes, &len, NULL), FR_E_INVALID);          // no room for a length
    answer[31] = 32;
    memset(answer + 32, 0xff, 32);
    CHECK_INT(abi_get_bytes(&in, 0, &bytes, &len, NULL), FR_E_INVALID);          // a length past everything
    CHECK_INT(abi_get_words(&in, 0, &bytes, &len, NULL), FR_E_INVALID);
    memset(answer + 32, 0, 32);
    answer[63] = 5;
    CHECK(abi_get_bytes(&in, 0, &bytes, &len, NULL) == FR_OK && len == 5);
    answer[64 + 5] = 1;
    CHECK_INT(abi_get_bytes(&in, 0, &bytes, &len, NULL), FR_E_INVALID);          // something in the padding
    in.len = 64 + 5;
    CHECK_INT(abi_get_bytes(&in, 0, &bytes, &len, NULL), FR_E_INVALID);          // no padding
}

static void check_revert(const char *hex, const char *want)
{
    uint8_t data[512];
    char out[128];
    abi_revert_text(data, test_bytes(hex, data, sizeof data), out, sizeof out);
    CHECK_TEXT(out, want);
}

static void test_reverts_in_words(void)
{
    check_revert("08c379a0" "0000000000000000000000000000000000000000000000000000000000000020" "000000000000000000000000000000000000000000000000000000000000000a"
                 "6e6f7420656e6f75676800000000000000000000000000000000000000000000", "not enough");
    check_revert("08c379a0" "0000000000000000000000000000000000000000000000000000000000000020" "0000000000000000000000000000000000000000000000000000000000000003"
                 "610a620000000000000000000000000000000000000000000000000000000000", "a?b");
    check_revert("4e487b71" "0000000000000000000000000000000000000000000000000000000000000011", "arithmetic overflow (0x11)");
    check_revert("4e487b71" "00000000000000000000000000000000000000000000000000000000000000", "custom error 0x4e487b71 with 31 bytes");
    check_revert("deadbeef00", "custom error 0xdeadbeef with 1 bytes");
    check_revert("", "it gave no reason");
}

int main(void)
{
    TEST(test_the_examples_of_the_specification);
    TEST(test_what_was_written_is_read);
    TEST(test_a_contract_that_lies);
    TEST(test_reverts_in_words);
    return TEST_END();
}
