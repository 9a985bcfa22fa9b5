// err.h — the error object: a status for code to act on, a stable code for callers, a sentence for people.
//
// Every function that the world can make fail returns an `enum fr_status` and takes a `struct fr_err *err` last.
// The object is a fixed-size value on the stack or inside an operation: reporting that memory ran out must not
// need memory. Libraries fill it; only main, api/ and gateway/ log or send it, once.
// `code` is stable, machine-readable and part of the public interface; `text` names the thing and the number.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fr_status {
    FR_OK = 0,
    FR_E_INVALID,    // the caller's input is wrong; trying again unchanged will not help        400 invalid
    FR_E_AUTH,       // who are you: no, bad or expired credential                               401 unauthorized
    FR_E_DENIED,     // we know who you are, and you may not                                     403 denied
    FR_E_NOT_FOUND,  //                                                                          404 not_found
    FR_E_CONFLICT,   // the state of things forbids it now (version, key reuse, already ended)   409 conflict
    FR_E_FUNDS,      // too little free balance                                                  402 funds
    FR_E_LIMIT,      // past a bound from limits.h                                               413/429 limit
    FR_E_BUSY,       // a queue is full or something is starting up: try again later             503 busy
    FR_E_TIMEOUT,    // a deadline passed before anything irreversible                           504 timeout
    FR_E_UNKNOWN,    // a deadline passed after something irreversible: it may have happened     504 unknown
    FR_E_CORRUPT,    // stored bytes are not what we wrote                                       500 corrupt
    FR_E_IO,         // the disk or the system refused                                           503 io
    FR_E_NOMEM,      //                                                                          503 nomem
    FR_E_INTERNAL,   // a bug or a lost worker; nothing the caller did                           500 internal
    FR_STATUS_COUNT
};

#define FR_ERR_TEXT_BYTES 400
#define FR_ERR_CODE_BYTES 40

struct fr_err {
    enum fr_status status;
    int line;
    const char *file;                  // where it was first set; for logs, never for outsiders
    int retry_s;                       // asking again is worth while after so many seconds; 0: not said
    char code[FR_ERR_CODE_BYTES];      // snake_case; the status's default unless FR_FAIL_CODE gave one
    char text[FR_ERR_TEXT_BYTES];
};

#define FR_MUST_USE __attribute__((warn_unused_result))
#define FR_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

// Sets *err (NULL is allowed) and returns `status`, so that `return FR_FAIL(...)` reads as one step.
#define FR_FAIL(err, status, ...) fr_err_set((err), (status), NULL, __FILE__, __LINE__, __VA_ARGS__)
// The same with a stable code of its own, e.g. FR_FAIL_CODE(err, FR_E_DENIED, "consent_required", "...").
#define FR_FAIL_CODE(err, status, code, ...) fr_err_set((err), (status), (code), __FILE__, __LINE__, __VA_ARGS__)
#define FR_TRY(call) do { enum fr_status try_ = (call); if (try_ != FR_OK) return try_; } while (0)
#define FR_IGNORE(call) do { enum fr_status ignored_ = (call); (void)ignored_; } while (0)   // add a comment: why

enum fr_status fr_err_set(struct fr_err *err, enum fr_status status, const char *code, const char *file, int line,
                          const char *fmt, ...) FR_PRINTF(6, 7);

// Puts what the caller was doing in front: "open duel 7: " + the old text. Keeps status and code. Returns err->status.
enum fr_status fr_err_note(struct fr_err *err, const char *fmt, ...) FR_PRINTF(2, 3);

// The default stable code ("invalid", "funds", ...) and HTTP status (400, 402, ...) of a status.
const char *fr_status_code(enum fr_status status);
int fr_status_http(enum fr_status status);
