// buf.h — a growing byte buffer with a bound, which remembers its first failure so that callers check once.
//
// Not thread-safe. data is always NUL-terminated once anything was added (the NUL is not counted in len).
// Past `max` bytes or without memory `failed` is set, later adds do nothing, and what was there stays.
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

struct fr_buf { char *data; size_t len, cap, max; bool failed, no_memory; };   // no_memory says why it failed

void fr_buf_init(struct fr_buf *b, size_t max_bytes);         // allocates nothing yet
void fr_buf_free(struct fr_buf *b);                           // takes NULL and zeroed structs; leaves it reusable
void fr_buf_clear(struct fr_buf *b);                          // keeps the memory
void fr_buf_add(struct fr_buf *b, const char *text);
void fr_buf_add_bytes(struct fr_buf *b, const void *bytes, size_t len);
void fr_buf_add_char(struct fr_buf *b, char c);
void fr_buf_addf(struct fr_buf *b, const char *fmt, ...) FR_PRINTF(2, 3);
void fr_buf_vaddf(struct fr_buf *b, const char *fmt, va_list args);
void fr_buf_add_i64(struct fr_buf *b, int64_t value);         // decimal
void fr_buf_add_json_text(struct fr_buf *b, const char *text);                    // quotes and escapes; NULL gives null
void fr_buf_add_json_bytes(struct fr_buf *b, const char *text, size_t len);       // bad UTF-8 becomes U+FFFD
void fr_buf_consume(struct fr_buf *b, size_t len);            // drops the first len bytes
char *fr_buf_reserve(struct fr_buf *b, size_t len);           // room for len more bytes, or NULL; add with fr_buf_commit
void fr_buf_commit(struct fr_buf *b, size_t len);
// FR_OK, or FR_E_LIMIT naming `what` and the bound, or FR_E_NOMEM.
FR_MUST_USE enum fr_status fr_buf_check(const struct fr_buf *b, const char *what, struct fr_err *err);

// FR_AUTO_BUF(text); declares a buffer that is freed on every way out of the scope. It begins empty, so that a return before
// fr_buf_init frees nothing; until fr_buf_init it takes no byte.
static inline void fr_buf_drop(struct fr_buf *b) { fr_buf_free(b); }
#define FR_AUTO_BUF(name) __attribute__((cleanup(fr_buf_drop))) struct fr_buf name = { 0 }
