// serve.h — frames in, frames out: everything that came in one turn is judged, what it took is made durable once, then all answers leave in one write.
#pragma once
#include "base/buf.h"
#include "signer/sign.h"

// Answers every whole frame at the front of `bytes`, *used bytes of them, into out. When the tally cannot be written every ask of this turn is refused instead.
// FR_E_INVALID, FR_E_LIMIT: what follows can never be a request; the signer must end (*used and out are then of no use).
FR_MUST_USE enum fr_status serve_turn(struct signer *s, const char *bytes, size_t len, int64_t now_ms, size_t *used, struct fr_buf *out, struct fr_err *err);
// Before the lockdown: half a frame gets FRAME_PARTIAL_MS. (ppoll would be the tool, but with RLIMIT_NOFILE 0 it takes no descriptor.) FR_E_IO.
FR_MUST_USE enum fr_status serve_prepare(int fd, struct fr_err *err);
// Blocks on the channel until it is closed. The exit code (enum signer_exit).
int serve(struct signer *s, int fd);
void serve_ready(const struct signer *s, struct fr_buf *out);                    // the READY frame
void serve_refusal(const struct fr_err *why, struct fr_buf *out);                // READY's other form
bool serve_send(int fd, const struct fr_buf *out);                               // false: the host is gone
