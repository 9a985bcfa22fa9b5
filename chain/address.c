#include "chain/address.h"
#include <assert.h>
#include <string.h>
#include "base/hex.h"
#include "chain/keccak.h"
#include "chain/rlp.h"

// EIP-55: a letter is upper case where the keccak of the lower-case digits has a nibble of 8 or more.
static void address_digits(const struct address *a, char out[41])
{
    uint8_t hash[KECCAK_BYTES];
    fr_hex(a->bytes, ADDRESS_BYTES, out);
    keccak256(out, 40, hash);
    for (int i = 0; i < 40; i++) {
        int nibble = i % 2 ? hash[i / 2] & 15 : hash[i / 2] >> 4;
        if (nibble >= 8 && out[i] >= 'a') out[i] = (char)(out[i] - 'a' + 'A');
    }
}

enum fr_status address_parse(const char *text, struct address *ret, struct fr_err *err)
{
    struct address made;
    char digits[41];
    bool lower = false, upper = false;
    if (strlen(text) != 42 || text[0] != '0' || text[1] != 'x' || !fr_unhex(text + 2, 40, made.bytes, ADDRESS_BYTES))
        return FR_FAIL(err, FR_E_INVALID, "\"%.60s\" is not an address: 0x and 40 hex digits", text);
    for (const char *c = text + 2; *c; c++) {
        lower = lower || (*c >= 'a' && *c <= 'f');
        upper = upper || (*c >= 'A' && *c <= 'F');
    }
    address_digits(&made, digits);
    if (lower && upper && strcmp(digits, text + 2) != 0)
        return FR_FAIL(err, FR_E_INVALID, "\"%.60s\" is mistyped: the case of its letters does not fit its digits (EIP-55)", text);
    *ret = made;
    return FR_OK;
}

char *address_text(const struct address *a, char out[ADDRESS_TEXT_BYTES])
{
    out[0] = '0';
    out[1] = 'x';
    address_digits(a, out + 2);
    return out;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, ADDRESS_BYTES) == 0;
}

bool address_is_zero(const struct address *a)
{
    static const struct address zero;
    return address_equal(a, &zero);
}

static struct address address_of_hash(const uint8_t hash[KECCAK_BYTES])
{
    struct address a;
    memcpy(a.bytes, hash + KECCAK_BYTES - ADDRESS_BYTES, ADDRESS_BYTES);
    return a;
}

struct address address_of_public_key(const uint8_t key[64])
{
    uint8_t hash[KECCAK_BYTES];
    keccak256(key, 64, hash);
    return address_of_hash(hash);
}

struct address address_of_create(const struct address *from, uint64_t nonce)
{
    uint8_t bytes[64], hash[KECCAK_BYTES];
    struct rlp_out out;
    rlp_out_init(&out, bytes, sizeof bytes);
    size_t list = rlp_list_begin(&out);
    rlp_put_bytes(&out, from->bytes, ADDRESS_BYTES);
    rlp_put_u64(&out, nonce);
    rlp_list_end(&out, list);
    assert(!out.failed);                     // 32 bytes at most
    keccak256(bytes, out.len, hash);
    return address_of_hash(hash);
}

struct address address_of_create2(const struct address *from, const uint8_t salt[32], const uint8_t init_code_hash[32])
{
    static const uint8_t prefix = 0xff;
    uint8_t hash[KECCAK_BYTES];
    struct keccak k;
    keccak_init(&k);
    keccak_add(&k, &prefix, 1);
    keccak_add(&k, from->bytes, ADDRESS_BYTES);
    keccak_add(&k, salt, 32);
    keccak_add(&k, init_code_hash, 32);
    keccak_end(&k, hash);
    return address_of_hash(hash);
}
