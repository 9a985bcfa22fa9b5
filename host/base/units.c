// units.c — decimal text to int64 and back; every step is checked for overflow, nothing is ever rounded.
#include "base/units.h"
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// Digits accumulate below zero, because int64 reaches one further there.
static bool units_push(int64_t *below, char digit)
{
    return !__builtin_mul_overflow(*below, 10, below) && !__builtin_sub_overflow(*below, digit - '0', below);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// -?(0|[1-9][0-9]*)(\.[0-9]{1,decimals})?  The value is scaled by 10^decimals.
static bool units_read(const char *at, int decimals, int64_t *ret)
{
    bool minus = *at == '-';
    if (minus) at++;
    if (!is_digit(*at) || (*at == '0' && is_digit(at[1]))) return false;

    int64_t below = 0;
    while (is_digit(*at)) if (!units_push(&below, *at++)) return false;
    int fraction = 0;
    if (*at == '.') {
        at++;
        for (; is_digit(*at); at++, fraction++)
            if (fraction == decimals || !units_push(&below, *at)) return false;
        if (fraction == 0) return false;                 // "1." says nothing
    }
    if (*at) return false;
    for (; fraction < decimals; fraction++) if (!units_push(&below, '0')) return false;

    if (minus && below == 0) return false;               // no sign on zero
    if (!minus && below == INT64_MIN) return false;
    *ret = minus ? below : -below;
    return true;
}

enum fr_status fr_units_parse(const char *text, int64_t *ret, struct fr_err *err)
{
    if (!units_read(text, 0, ret))
        return FR_FAIL(err, FR_E_INVALID, "expected an amount in base units like \"125\", got \"%.40s\"", text);
    return FR_OK;
}

enum fr_status fr_units_parse_decimal(const char *text, int decimals, int64_t *ret, struct fr_err *err)
{
    assert(decimals >= 0 && decimals <= UNITS_DECIMALS_MAX);
    if (!units_read(text, decimals, ret))
        return FR_FAIL(err, FR_E_INVALID, "expected an amount with at most %d decimals like \"12.5\", got \"%.40s\"",
                       decimals, text);
    return FR_OK;
}

char *fr_units_format(int64_t units, int decimals, char out[UNITS_TEXT_BYTES])
{
    assert(decimals >= 0 && decimals <= UNITS_DECIMALS_MAX);
    uint64_t size = units < 0 ? 0 - (uint64_t)units : (uint64_t)units, one = 1;
    for (int i = 0; i < decimals; i++) one *= 10;
    int len = snprintf(out, UNITS_TEXT_BYTES, "%s%llu", units < 0 ? "-" : "", (unsigned long long)(size / one));
    if (size % one == 0) return out;

    len += snprintf(out + len, UNITS_TEXT_BYTES - (size_t)len, ".%0*llu", decimals, (unsigned long long)(size % one));
    while (out[len - 1] == '0') out[--len] = 0;
    return out;
}

char *fr_units_text(int64_t units, char out[UNITS_TEXT_BYTES])
{
    return fr_units_format(units, 0, out);
}
