// money: text to units and back. Every amount has one spelling, and what is read is never rounded.
#include "base/units.h"
#include "fuzz.h"

// A second opinion on whole numbers, digit by digit in 128 bits.
static bool read_slowly(const char *text, int decimals, int64_t *ret)
{
    bool minus = *text == '-', dot = false;
    const char *at = text + minus;
    __int128 value = 0;
    int digits = 0, fraction = 0;
    if (at[0] == '0' && at[1] >= '0' && at[1] <= '9') return false;
    for (; *at; at++) {
        if (*at == '.' && !dot && digits > 0 && decimals > 0) { dot = true; continue; }
        if (*at < '0' || *at > '9') return false;
        if (dot && ++fraction > decimals) return false;
        digits++;
        if (value < (__int128)1 << 100) value = value * 10 + (*at - '0');
    }
    if (digits == 0 || (dot && fraction == 0)) return false;
    for (; fraction < decimals; fraction++) if (value < (__int128)1 << 100) value *= 10;
    if (minus) value = -value;
    if (minus && value == 0) return false;
    if (value > INT64_MAX || value < INT64_MIN) return false;
    *ret = (int64_t)value;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // decimals (1 byte), amount (8 bytes), text
{
    struct fuzz_in in = { data, size };
    int decimals = fuzz_byte(&in) % (UNITS_DECIMALS_MAX + 1);
    int64_t units = (int64_t)fuzz_u64(&in), back = 0, slow = 0;
    size_t len;
    char *text = fuzz_part(&in, &len), out[UNITS_TEXT_BYTES];
    struct fr_err err;

    HOLDS(fr_units_parse_decimal(fr_units_format(units, decimals, out), decimals, &back, &err) == FR_OK && back == units);
    HOLDS(fr_units_parse(fr_units_text(units, out), &back, &err) == FR_OK && back == units);

    bool ok = fr_units_parse(text, &back, &err) == FR_OK;
    HOLDS(ok == read_slowly(text, 0, &slow));
    if (ok) HOLDS(back == slow && strcmp(fr_units_text(back, out), text) == 0);

    ok = fr_units_parse_decimal(text, decimals, &back, &err) == FR_OK;
    HOLDS(ok == read_slowly(text, decimals, &slow));
    if (ok) {
        HOLDS(back == slow);
        HOLDS(fr_units_parse_decimal(fr_units_format(back, decimals, out), decimals, &slow, &err) == FR_OK && slow == back);
        HOLDS(strlen(out) <= len);                               // the shortest spelling
    }
    free(text);
    return 0;
}
