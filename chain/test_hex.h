// test_hex.h — bytes in hex, for the tests of this folder.
#pragma once
#include <assert.h>
#include <string.h>
#include "base/hex.h"

static inline size_t test_bytes(const char *hex, uint8_t *out, size_t cap)
{
    size_t digits = strlen(hex);
    bool fits = digits % 2 == 0 && digits / 2 <= cap && fr_unhex(hex, digits, out, digits / 2);
    assert(fits);
    return digits / 2;
}

static inline const char *test_hex(const void *bytes, size_t len)       // the last call's text
{
    static char out[8192];
    assert(len * 2 < sizeof out);
    return fr_hex(bytes, len, out);
}
