// units.h — money as text. Base units are int64; people read decimals; JSON carries base units as decimal strings.
#pragma once
#include <stdint.h>
#include "base/err.h"

#define UNITS_TEXT_BYTES 32
#define UNITS_DECIMALS_MAX 9

// "125" or "-7": optional minus, no leading zeros, no sign on zero, no spaces. FR_E_INVALID otherwise or past int64.
FR_MUST_USE enum fr_status fr_units_parse(const char *text, int64_t *ret, struct fr_err *err);
// "12.5" with 9 decimals -> 12500000000. More fractional digits than `decimals` is FR_E_INVALID (never rounded).
FR_MUST_USE enum fr_status fr_units_parse_decimal(const char *text, int decimals, int64_t *ret, struct fr_err *err);
// 12500000000 with 9 decimals -> "12.5" (no trailing zeros). Returns out.
char *fr_units_format(int64_t units, int decimals, char out[UNITS_TEXT_BYTES]);
char *fr_units_text(int64_t units, char out[UNITS_TEXT_BYTES]);     // plain base units
