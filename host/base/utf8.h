// utf8.h — the one judge of what UTF-8 is (RFC 3629): no overlong forms, no surrogates, nothing past U+10FFFF.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes of the character at the front of text (1 to 4), or 0 when it is not UTF-8 or does not end within len.
size_t fr_utf8_char(const char *text, size_t len);
bool fr_utf8_valid(const char *text, size_t len);
// The greatest length <= len that does not end in the middle of a character: for cutting text that was UTF-8.
size_t fr_utf8_cut(const char *text, size_t len);
// Writes one code point (a valid one: not a surrogate, at most 0x10FFFF) and returns its bytes, 1 to 4.
size_t fr_utf8_put(uint32_t code_point, char out[4]);
