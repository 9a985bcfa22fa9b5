// address_test.c — the vectors of EIP-55 and EIP-1014, and CREATE as every explorer shows it.
#include "chain/address.h"
#include "base/check.h"
#include "chain/keccak.h"
#include "chain/test_hex.h"

static void test_checksums_of_eip_55(void)
{
    static const char *const texts[] = {
        "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D", "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    };
    struct address a;
    char out[ADDRESS_TEXT_BYTES];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK(address_parse(texts[i], &a, NULL) == FR_OK);
        CHECK_TEXT(address_text(&a, out), texts[i]);
    }
}

static void test_mistyped_addresses_are_refused(void)
{
    struct address a = { { 1 } };
    static const char *const wrong[] = { "", "0x", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed00",
                                         "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg", "vitalik.eth" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK_INT(address_parse(wrong[i], &a, NULL), FR_E_INVALID);
    CHECK(a.bytes[0] == 1);
    CHECK(address_parse("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", &a, NULL) == FR_OK);
    CHECK(address_parse("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", &a, NULL) == FR_OK);
}

static void test_contracts_of_create(void)
{
    struct address from, made;
    char out[ADDRESS_TEXT_BYTES];
    CHECK(address_parse("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0", &from, NULL) == FR_OK);
    made = address_of_create(&from, 0); CHECK_TEXT(address_text(&made, out), "0xcd234A471b72ba2F1Ccf0A70FCABA648a5eeCD8d");
    made = address_of_create(&from, 1); CHECK_TEXT(address_text(&made, out), "0x343c43A37D37dfF08AE8C4A11544c718AbB4fCF8");
}

static void test_contracts_of_create2(void)
{
    static const struct { const char *from, *salt, *code, *want; } cases[] = {
        { "0x0000000000000000000000000000000000000000", "0000000000000000000000000000000000000000000000000000000000000000", "00", "0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38" },
        { "0xdeadbeef00000000000000000000000000000000", "0000000000000000000000000000000000000000000000000000000000000000", "00", "0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3" },
        { "0xdeadbeef00000000000000000000000000000000", "000000000000000000000000feed000000000000000000000000000000000000", "00", "0xD04116cDd17beBE565EB2422F2497E06cC1C9833" },
        { "0x00000000000000000000000000000000deadbeef", "00000000000000000000000000000000000000000000000000000000cafebabe", "deadbeef", "0x60f3f640a8508fC6a86d45DF051962668E1e8AC7" },
        { "0x0000000000000000000000000000000000000000", "0000000000000000000000000000000000000000000000000000000000000000", "", "0xE33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct address from, made;
        uint8_t salt[32], code[64], hash[32];
        char out[ADDRESS_TEXT_BYTES];
        CHECK(address_parse(cases[i].from, &from, NULL) == FR_OK);
        test_bytes(cases[i].salt, salt, sizeof salt);
        keccak256(code, test_bytes(cases[i].code, code, sizeof code), hash);
        made = address_of_create2(&from, salt, hash);
        CHECK_TEXT(address_text(&made, out), cases[i].want);
    }
}

int main(void)
{
    TEST(test_checksums_of_eip_55);
    TEST(test_mistyped_addresses_are_refused);
    TEST(test_contracts_of_create);
    TEST(test_contracts_of_create2);
    return TEST_END();
}
