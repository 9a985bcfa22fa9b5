// eip712_test.c — the example of EIP-712: a mail from Cow to Bob, hash for hash and with its signature.
#include "chain/eip712.h"
#include "base/check.h"
#include "chain/signature.h"
#include "chain/test_hex.h"

static struct address address_of(const char *text)
{
    struct address a = { { 0 } };
    CHECK(address_parse(text, &a, NULL) == FR_OK);
    return a;
}

static void person_hash(const char *name, const char *wallet, uint8_t out[32])
{
    struct eip712 e;
    struct address a = address_of(wallet);
    eip712_begin(&e, "Person(string name,address wallet)");
    eip712_add_bytes(&e, name, strlen(name));
    eip712_add_address(&e, &a);
    eip712_end(&e, out);
}

static void test_the_example(void)
{
    struct eip712 e;
    struct address contract = address_of("0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"), signer;
    struct signature sig;
    uint8_t from[32], to[32], mail[32], domain[32], digest[32], secret[32];
    eip712_domain("Ether Mail", "1", 1, &contract, domain);
    CHECK_TEXT(test_hex(domain, 32), "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");
    person_hash("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826", from);
    person_hash("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB", to);
    CHECK_TEXT(test_hex(from, 32), "fc71e5fa27ff56c350aa531bc129ebdf613b772b6604664f5d8dbe21b85eb0c8");
    eip712_begin(&e, "Mail(Person from,Person to,string contents)Person(string name,address wallet)");
    eip712_add_word(&e, from);
    eip712_add_word(&e, to);
    eip712_add_bytes(&e, "Hello, Bob!", 11);
    eip712_end(&e, mail);
    CHECK_TEXT(test_hex(mail, 32), "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
    eip712_digest(domain, mail, digest);
    CHECK_TEXT(test_hex(digest, 32), "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
    keccak256("cow", 3, secret);
    CHECK(signature_make(secret, digest, &sig, NULL) == FR_OK);
    CHECK_TEXT(test_hex(sig.r, 32), "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d");
    CHECK_TEXT(test_hex(sig.s, 32), "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562");
    CHECK_INT(sig.y_parity, 1);
    CHECK(signature_signer(&sig, digest, &signer, NULL) == FR_OK);
    struct address cow = address_of("0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826");
    CHECK(address_equal(&signer, &cow));
}

static void test_permit_has_the_hash_of_erc_2612(void)
{
    uint8_t type[32];
    keccak256_text("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)", type);
    CHECK_TEXT(test_hex(type, 32), "6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9");
}

int main(void)
{
    TEST(test_the_example);
    TEST(test_permit_has_the_hash_of_erc_2612);
    return TEST_END();
}
