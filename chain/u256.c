#include "chain/u256.h"
#include <assert.h>
#include <gmp.h>
#include <string.h>

#define LIMBS 4
_Static_assert(sizeof(mp_limb_t) == 8 && GMP_NAIL_BITS == 0, "a limb is 64 whole bits");

static mp_limb_t *limbs(struct u256 *a) { return (mp_limb_t *)a->limb; }
static const mp_limb_t *limbs_of(const struct u256 *a) { return (const mp_limb_t *)a->limb; }

static mp_size_t used(const uint64_t *limb, mp_size_t n)
{
    while (n > 0 && limb[n - 1] == 0) n--;
    return n;
}

struct u256 u256_of(uint64_t value)
{
    return (struct u256){ { value, 0, 0, 0 } };
}

bool u256_from_short(const uint8_t *bytes, size_t len, struct u256 *ret)
{
    if (len > U256_BYTES) return false;
    struct u256 made = { { 0 } };
    for (size_t i = 0; i < len; i++) {
        size_t bit = 8 * (len - 1 - i);
        made.limb[bit / 64] |= (uint64_t)bytes[i] << (bit % 64);
    }
    *ret = made;
    return true;
}

struct u256 u256_from_bytes(const uint8_t bytes[U256_BYTES])
{
    struct u256 a = { { 0 } };
    bool fits = u256_from_short(bytes, U256_BYTES, &a);
    assert(fits);
    return a;
}

void u256_to_bytes(struct u256 a, uint8_t out[U256_BYTES])
{
    for (size_t i = 0; i < U256_BYTES; i++) {
        size_t bit = 8 * (U256_BYTES - 1 - i);
        out[i] = (uint8_t)(a.limb[bit / 64] >> (bit % 64));
    }
}

size_t u256_to_short(struct u256 a, uint8_t out[U256_BYTES])
{
    uint8_t whole[U256_BYTES];
    size_t zeros = 0;
    u256_to_bytes(a, whole);
    while (zeros < U256_BYTES && whole[zeros] == 0) zeros++;
    memcpy(out, whole + zeros, U256_BYTES - zeros);
    return U256_BYTES - zeros;
}

bool u256_fits_u64(struct u256 a, uint64_t *ret)
{
    if (a.limb[1] || a.limb[2] || a.limb[3]) return false;
    *ret = a.limb[0];
    return true;
}

int u256_compare(struct u256 a, struct u256 b)
{
    int order = mpn_cmp(limbs_of(&a), limbs_of(&b), LIMBS);
    return (order > 0) - (order < 0);
}

bool u256_is_zero(struct u256 a)
{
    return used(a.limb, LIMBS) == 0;
}

// ---- arithmetic

bool u256_add(struct u256 a, struct u256 b, struct u256 *ret)
{
    struct u256 sum;
    if (mpn_add_n(limbs(&sum), limbs_of(&a), limbs_of(&b), LIMBS)) return false;
    *ret = sum;
    return true;
}

bool u256_sub(struct u256 a, struct u256 b, struct u256 *ret)
{
    struct u256 rest;
    if (mpn_sub_n(limbs(&rest), limbs_of(&a), limbs_of(&b), LIMBS)) return false;
    *ret = rest;
    return true;
}

bool u256_mul(struct u256 a, struct u256 b, struct u256 *ret)
{
    return u256_mul_div(a, b, u256_of(1), false, ret);
}

bool u256_div(struct u256 a, struct u256 b, struct u256 *ret, struct u256 *rest)
{
    mp_size_t n = used(b.limb, LIMBS);
    if (n == 0) return false;
    struct u256 quotient = { { 0 } }, remainder = { { 0 } };
    mpn_tdiv_qr(limbs(&quotient), limbs(&remainder), 0, limbs_of(&a), LIMBS, limbs_of(&b), n);
    *ret = quotient;
    if (rest) *rest = remainder;
    return true;
}

bool u256_mul_div(struct u256 a, struct u256 b, struct u256 c, bool up, struct u256 *ret)
{
    mp_limb_t product[2 * LIMBS], quotient[2 * LIMBS] = { 0 };
    struct u256 remainder = { { 0 } };
    mp_size_t n = used(c.limb, LIMBS);
    if (n == 0) return false;
    mpn_mul_n(product, limbs_of(&a), limbs_of(&b), LIMBS);
    mpn_tdiv_qr(quotient, limbs(&remainder), 0, product, 2 * LIMBS, limbs_of(&c), n);
    for (int i = LIMBS; i < 2 * LIMBS; i++) if (quotient[i]) return false;
    struct u256 made;
    for (int i = 0; i < LIMBS; i++) made.limb[i] = quotient[i];
    if (up && !u256_is_zero(remainder) && !u256_add(made, u256_of(1), &made)) return false;
    *ret = made;
    return true;
}

// ---- text

enum fr_status u256_parse(const char *text, struct u256 *ret, struct fr_err *err)
{
    size_t len = strlen(text);
    struct u256 made = { { 0 } };
    if (len == 0 || strspn(text, "0123456789") != len) return FR_FAIL(err, FR_E_INVALID, "\"%.80s\" is not a whole number in decimal digits", text);
    if (len > 1 && text[0] == '0') return FR_FAIL(err, FR_E_INVALID, "\"%.80s\" has leading zeros", text);
    if (len >= U256_TEXT_BYTES) return FR_FAIL(err, FR_E_INVALID, "\"%.20s...\" is past 256 bits", text);
    for (size_t i = 0; i < len; i++)
        if (!u256_mul(made, u256_of(10), &made) || !u256_add(made, u256_of((uint64_t)(text[i] - '0')), &made))
            return FR_FAIL(err, FR_E_INVALID, "\"%.80s\" is past 256 bits", text);
    *ret = made;
    return FR_OK;
}

char *u256_text(struct u256 a, char out[U256_TEXT_BYTES])
{
    char reversed[U256_TEXT_BYTES];
    size_t len = 0;
    do {
        mp_limb_t digit = mpn_divrem_1(limbs(&a), 0, limbs_of(&a), LIMBS, 10);
        reversed[len++] = (char)('0' + digit);
    } while (!u256_is_zero(a));
    for (size_t i = 0; i < len; i++) out[i] = reversed[len - 1 - i];
    out[len] = 0;
    return out;
}

enum fr_status u256_parse_quantity(const char *text, struct u256 *ret, struct fr_err *err)
{
    size_t len = strlen(text);
    struct u256 made = { { 0 } };
    if (len < 3 || text[0] != '0' || text[1] != 'x' || strspn(text + 2, "0123456789abcdefABCDEF") != len - 2)
        return FR_FAIL(err, FR_E_INVALID, "\"%.80s\" is not a quantity (0x and hex digits)", text);
    if (text[2] == '0' && len > 3) return FR_FAIL(err, FR_E_INVALID, "\"%.80s\" has leading zeros", text);
    if (len > U256_HEX_BYTES - 1) return FR_FAIL(err, FR_E_INVALID, "\"%.20s...\" is past 256 bits", text);
    for (size_t i = 2; i < len; i++) {
        size_t bit = 4 * (len - 1 - i);
        char c = text[i];
        uint64_t digit = (uint64_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        made.limb[bit / 64] |= digit << (bit % 64);
    }
    *ret = made;
    return FR_OK;
}

char *u256_quantity(struct u256 a, char out[U256_HEX_BYTES])
{
    size_t len = 2;
    out[0] = '0';
    out[1] = 'x';
    for (int bit = 252; bit >= 0; bit -= 4) {
        unsigned digit = (unsigned)(a.limb[bit / 64] >> (bit % 64)) & 15;
        if (digit || len > 2 || bit == 0) out[len++] = "0123456789abcdef"[digit];
    }
    out[len] = 0;
    return out;
}

// ---- decimals

static struct u256 power_of_ten(int exponent)
{
    struct u256 power = u256_of(1);
    for (int i = 0; i < exponent; i++) {
        bool fits = u256_mul(power, u256_of(10), &power);
        assert(fits);                                    // 10^36 is far from 2^256
    }
    return power;
}

static void check_decimals(int ledger_decimals, int chain_decimals)
{
    assert(ledger_decimals >= 0 && ledger_decimals <= CHAIN_DECIMALS_MAX);
    assert(chain_decimals >= 0 && chain_decimals <= CHAIN_DECIMALS_MAX);
}

enum fr_status u256_from_units(int64_t units, int ledger_decimals, int chain_decimals, struct u256 *ret, struct fr_err *err)
{
    check_decimals(ledger_decimals, chain_decimals);
    if (units < 0) return FR_FAIL(err, FR_E_INVALID, "an amount on chain is never negative");
    struct u256 amount = u256_of((uint64_t)units), rest = { { 0 } };
    int more = chain_decimals - ledger_decimals;
    if (more >= 0 && !u256_mul(amount, power_of_ten(more), &amount)) return FR_FAIL(err, FR_E_LIMIT, "the amount is past 256 bits");
    if (more < 0) {
        bool divides = u256_div(amount, power_of_ten(-more), &amount, &rest);
        assert(divides);                                 // by a power of ten, never by 0
    }
    if (!u256_is_zero(rest)) return FR_FAIL_CODE(err, FR_E_INVALID, "inexact_amount", "%lld units cannot be told in %d decimals", (long long)units, chain_decimals);
    *ret = amount;
    return FR_OK;
}

enum fr_status u256_to_units_dust(struct u256 amount, int chain_decimals, int ledger_decimals, int64_t *ret, struct u256 *dust, struct fr_err *err)
{
    check_decimals(ledger_decimals, chain_decimals);
    struct u256 whole = amount, rest = { { 0 } };
    uint64_t units;
    int fewer = chain_decimals - ledger_decimals;
    if (fewer < 0 && !u256_mul(amount, power_of_ten(-fewer), &whole)) return FR_FAIL(err, FR_E_LIMIT, "the amount is past what the ledger holds");
    if (fewer > 0) {
        bool divides = u256_div(amount, power_of_ten(fewer), &whole, &rest);
        assert(divides);
    }
    if (!u256_fits_u64(whole, &units) || units > INT64_MAX) return FR_FAIL(err, FR_E_LIMIT, "the amount is past what the ledger holds");
    *ret = (int64_t)units;
    *dust = rest;
    return FR_OK;
}

enum fr_status u256_to_units(struct u256 amount, int chain_decimals, int ledger_decimals, int64_t *ret, struct fr_err *err)
{
    int64_t units;
    struct u256 dust;
    char text[U256_TEXT_BYTES];
    FR_TRY(u256_to_units_dust(amount, chain_decimals, ledger_decimals, &units, &dust, err));
    if (!u256_is_zero(dust)) return FR_FAIL_CODE(err, FR_E_INVALID, "inexact_amount", "%s cannot be told in %d decimals", u256_text(amount, text), ledger_decimals);
    *ret = units;
    return FR_OK;
}
