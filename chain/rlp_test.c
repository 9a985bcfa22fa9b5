// rlp_test.c — the examples of the Ethereum wiki's RLP page, and every form that must be refused.
#include "chain/rlp.h"
#include "base/check.h"
#include "chain/test_hex.h"

static uint8_t room[4096];
static struct rlp_out out;

static const char *written(void) { return out.failed ? "failed" : test_hex(out.bytes, out.len); }
static void begin(void) { rlp_out_init(&out, room, sizeof room); }

static void test_the_examples(void)
{
    begin(); rlp_put_bytes(&out, "dog", 3); CHECK_TEXT(written(), "83646f67");
    begin(); size_t l = rlp_list_begin(&out); rlp_put_bytes(&out, "cat", 3); rlp_put_bytes(&out, "dog", 3); rlp_list_end(&out, l); CHECK_TEXT(written(), "c88363617483646f67");
    begin(); rlp_put_bytes(&out, "", 0); CHECK_TEXT(written(), "80");
    begin(); rlp_list_end(&out, rlp_list_begin(&out)); CHECK_TEXT(written(), "c0");
    begin(); rlp_put_u64(&out, 0); CHECK_TEXT(written(), "80");
    begin(); rlp_put_bytes(&out, "\0", 1); CHECK_TEXT(written(), "00");
    begin(); rlp_put_u64(&out, 15); CHECK_TEXT(written(), "0f");
    begin(); rlp_put_u64(&out, 1024); CHECK_TEXT(written(), "820400");
    begin();                                             // [ [], [[]], [ [], [[]] ] ]
    size_t a = rlp_list_begin(&out), b = rlp_list_begin(&out);
    rlp_list_end(&out, b);
    b = rlp_list_begin(&out); rlp_list_end(&out, rlp_list_begin(&out)); rlp_list_end(&out, b);
    b = rlp_list_begin(&out); rlp_list_end(&out, rlp_list_begin(&out));
    size_t c = rlp_list_begin(&out); rlp_list_end(&out, rlp_list_begin(&out)); rlp_list_end(&out, c); rlp_list_end(&out, b);
    rlp_list_end(&out, a);
    CHECK_TEXT(written(), "c7c0c1c0c3c0c1c0");
    begin(); rlp_put_bytes(&out, "Lorem ipsum dolor sit amet, consectetur adipisicing elit", 56);
    CHECK(out.len == 58 && room[0] == 0xb8 && room[1] == 56);
}

static void test_what_does_not_fit_is_remembered(void)
{
    rlp_out_init(&out, room, 10);
    rlp_put_bytes(&out, "123456789", 9);
    CHECK(!out.failed && out.len == 10);
    rlp_put_bytes(&out, "x", 1);
    CHECK(out.failed && out.len == 10);
    rlp_out_init(&out, room, 3);
    size_t l = rlp_list_begin(&out);
    rlp_put_bytes(&out, "xy", 2);
    rlp_list_end(&out, l);                               // no room for the list's own head
    CHECK(out.failed);
}

static enum fr_status read_hex(const char *hex, struct rlp_item *item)
{
    size_t len = test_bytes(hex, room, sizeof room);
    return rlp_read(room, len, item, NULL);
}

static void test_only_the_canonical_form_is_read(void)
{
    static const char *const wrong[] = {
        "",                                              // nothing
        "83646f",                                        // ends within
        "83646f6767",                                    // bytes behind
        "8100", "817f",                                  // a small byte in a wrapper
        "b800", "b837",                                  // long form of a short string, and cut
        "b90001ff",                                      // a length with leading zeros
        "bfffffffffffffffff", "ffffffffffffffffff",      // lengths past everything
        "f800", "c1", "b8",
    };
    struct rlp_item item;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK_INT(read_hex(wrong[i], &item), FR_E_INVALID);
    CHECK(read_hex("8180", &item) == FR_OK && !item.is_list && item.len == 1 && item.bytes[0] == 0x80);
    CHECK(read_hex("7f", &item) == FR_OK && item.len == 1 && item.bytes[0] == 0x7f);
}

static void test_numbers_have_no_leading_zeros(void)
{
    struct rlp_item item;
    struct rlp_in in;
    uint64_t n = 7;
    struct u256 big;
    CHECK(read_hex("c9820400808800ffffffffffffff", &item) == FR_E_INVALID);      // the list's length is wrong
    CHECK(read_hex("ce820400808900ffffffffffffff01", &item) == FR_OK);
    rlp_enter(&item, &in);
    CHECK(rlp_next_u64(&in, &n, NULL) == FR_OK && n == 1024);
    CHECK(rlp_next_u64(&in, &n, NULL) == FR_OK && n == 0);
    CHECK_INT(rlp_next_u256(&in, &big, NULL), FR_E_INVALID);                     // a leading zero
    CHECK(read_hex("8901ffffffffffffffff", &item) == FR_OK);
    in = (struct rlp_in){ room, room + 10 };
    CHECK_INT(rlp_next_u64(&in, &n, NULL), FR_E_INVALID);                        // 65 bits
    CHECK(read_hex("c100", &item) == FR_OK);
    rlp_enter(&item, &in);
    CHECK_INT(rlp_next_u64(&in, &n, NULL), FR_E_INVALID);                        // 0 is the empty string, not a zero byte
    CHECK(read_hex("c1c0", &item) == FR_OK);
    rlp_enter(&item, &in);
    CHECK_INT(rlp_next_u64(&in, &n, NULL), FR_E_INVALID);                        // a list is no number
    CHECK(n == 0);
}

int main(void)
{
    TEST(test_the_examples);
    TEST(test_what_does_not_fit_is_remembered);
    TEST(test_only_the_canonical_form_is_read);
    TEST(test_numbers_have_no_leading_zeros);
    return TEST_END();
}
