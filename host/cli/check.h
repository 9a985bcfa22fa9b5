// check.h — one plugin folder under examination: what was found so far, and the worker it runs in.
#pragma once
#include "cli/box.h"
#include "cli/internal.h"
#include "plugin/package.h"

#define CHECK_MATCHES_DEFAULT 4            // of each mode: all bots, bots and chance, chance alone, nobody there

struct check {
    struct fr_buf done, problems;              // JSON elements, comma between
    int problem_count;
    struct box box;
    struct package *package;
    struct sandbox_worker *worker;
    struct fr_json *definition;
    bool loaded, answered;                     // the worker said something about the code
    bool down;                                 // it died
};
void check_done(struct check *k, const char *fmt, ...) FR_PRINTF(2, 3);
// frame: the lines around the mistake, or NULL.
void check_problem(struct check *k, const char *frame, const char *fmt, ...) FR_PRINTF(3, 4);
// error_json: what a worker says about a mistake: {"detail","file","line","frame"}.
void check_raised(struct check *k, const char *where, const struct fr_json *error);

// Everything there is to find in `folder`. A problem is a finding, not an error: FR_OK.
FR_MUST_USE enum fr_status check_folder(struct check *k, const char *folder, int matches, struct fr_err *err);
// Prints {"plugin","version","kind","done","problems"} and frees what the check holds; FR_E_INVALID "check_failed" when there are problems.
FR_MUST_USE enum fr_status check_end(struct check *k, const char *folder, struct fr_buf *out, struct fr_err *err);

// ---- rehearse.c: matches of one mode with a clock of their own, recorded and replayed as a host would.
FR_MUST_USE enum fr_status rehearse_mode(struct check *k, const struct manifest_mode *mode, int matches, struct fr_err *err);

// ---- calls.c: the functions that pages and other plugins call, on a small host of their own.
FR_MUST_USE enum fr_status rehearse_calls(struct check *k, const char *folder, struct fr_err *err);

// ---- values.c: a value that fits a schema (or anything plain when NULL). Pure: the same generator state, the same value.
struct chance { uint64_t state; };
int64_t chance_int(struct chance *c, int64_t lo, int64_t hi);
void value_for_schema(struct chance *c, const struct fr_json *schema, struct fr_buf *out);
