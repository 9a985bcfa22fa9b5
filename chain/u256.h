// u256.h — unsigned 256-bit integers, the EVM's word: amounts on chain, nonces, fees. Pure; over GMP's mpn, no allocation.
//
// Arithmetic that would leave the range fails instead of wrapping, as Solidity does since 0.8. Amounts of the ledger are int64 base units of at
// most 9 decimals; u256_from_units and u256_to_units convert exactly or refuse, they never round.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define U256_BYTES 32
#define U256_TEXT_BYTES 79           // 78 decimal digits and the NUL
#define U256_HEX_BYTES 67            // 0x, 64 digits, NUL
#define CHAIN_DECIMALS_MAX 36
struct u256 { uint64_t limb[4]; };   // least significant first; copies freely

struct u256 u256_of(uint64_t value);
struct u256 u256_from_bytes(const uint8_t bytes[U256_BYTES]);                  // big-endian, as in ABI words
void u256_to_bytes(struct u256 a, uint8_t out[U256_BYTES]);
bool u256_from_short(const uint8_t *bytes, size_t len, struct u256 *ret);      // big-endian, up to 32 bytes; 0 bytes are 0
size_t u256_to_short(struct u256 a, uint8_t out[U256_BYTES]);                  // without leading zeros, as RLP wants it; 0 has 0 bytes
bool u256_fits_u64(struct u256 a, uint64_t *ret);
int u256_compare(struct u256 a, struct u256 b);                                // -1, 0, 1
bool u256_is_zero(struct u256 a);

// false: the result does not fit (or the divisor is 0), and *ret is untouched.
bool u256_add(struct u256 a, struct u256 b, struct u256 *ret);
bool u256_sub(struct u256 a, struct u256 b, struct u256 *ret);
bool u256_mul(struct u256 a, struct u256 b, struct u256 *ret);
bool u256_div(struct u256 a, struct u256 b, struct u256 *ret, struct u256 *rest);        // rest may be NULL
// a * b / c with a 512-bit product, rounded down or up.
bool u256_mul_div(struct u256 a, struct u256 b, struct u256 c, bool up, struct u256 *ret);

// Decimal digits only, no sign, no leading zeros ("0" itself is fine). FR_E_INVALID.
FR_MUST_USE enum fr_status u256_parse(const char *text, struct u256 *ret, struct fr_err *err);
char *u256_text(struct u256 a, char out[U256_TEXT_BYTES]);
// A JSON-RPC quantity: 0x and hex digits without leading zeros ("0x0" is 0). FR_E_INVALID.
FR_MUST_USE enum fr_status u256_parse_quantity(const char *text, struct u256 *ret, struct fr_err *err);
char *u256_quantity(struct u256 a, char out[U256_HEX_BYTES]);

// ledger units -> chain units and back, where the asset has other decimals on chain. FR_E_INVALID "inexact_amount" when a remainder would be
// lost; FR_E_LIMIT when it does not fit. Decimals 0..CHAIN_DECIMALS_MAX.
FR_MUST_USE enum fr_status u256_from_units(int64_t units, int ledger_decimals, int chain_decimals, struct u256 *ret, struct fr_err *err);
FR_MUST_USE enum fr_status u256_to_units(struct u256 amount, int chain_decimals, int ledger_decimals, int64_t *ret, struct fr_err *err);
// The same, but what the ledger cannot hold is returned as dust in chain units instead of refused: for deposits.
FR_MUST_USE enum fr_status u256_to_units_dust(struct u256 amount, int chain_decimals, int ledger_decimals, int64_t *ret, struct u256 *dust, struct fr_err *err);
