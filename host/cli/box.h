// box.h — a loop and a sandbox of one's own, for verbs that run Lua without a host. Blocks; one at a time.
#pragma once
#include <stdbool.h>
#include <uv.h>
#include "sandbox/sandbox.h"

struct box { uv_loop_t loop; struct sandbox *sandbox; };
FR_MUST_USE enum fr_status box_open(struct box *b, struct fr_err *err);      // FR_E_NOT_FOUND "worker_missing"
FR_MUST_USE enum fr_status box_wait(struct box *b, const bool *done, int64_t wall_ms, struct fr_err *err);    // FR_E_TIMEOUT; 0: no bound
void box_close(struct box *b);
