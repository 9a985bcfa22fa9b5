// hex.h — hex and base64url (RFC 4648 section 5, no padding).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// out needs 2*len+1 bytes; lower case; NUL-terminated; returns out.
char *fr_hex(const void *bytes, size_t len, char *out);
// Exactly 2*len hex digits (either case) in `text` of text_len bytes; false otherwise.
bool fr_unhex(const char *text, size_t text_len, uint8_t *out, size_t len);
#define FR_BASE64URL_BYTES(len) (((len) * 4 + 2) / 3 + 1)
char *fr_base64url(const void *bytes, size_t len, char *out);       // out needs FR_BASE64URL_BYTES(len)
// Returns the number of bytes written, or -1 on a bad character, padding, non-zero spare bits or too little room.
long fr_unbase64url(const char *text, size_t text_len, uint8_t *out, size_t cap);
char *fr_base64(const void *bytes, size_t len, char *out);          // standard alphabet, padded; out needs 4*((len+2)/3)+1
