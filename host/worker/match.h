// match.h — matches inside the worker: one state of Lua each, handlers that never wait, and the match's own memory as canonical bytes.
//
// A turn reads the state from its bytes, runs the handler, writes the new bytes, their hash, the effects and every seat's view,
// and only then replaces the old bytes and the stream's position: a refusal, a raise or a view that fails leaves the match as it was.
// A turn that trips closes the slot. The hash is SHA-256 over the canonical bytes, the stream's position (u64, little-endian) and one byte,
// 1 when the match has ended.
//
// At fixed points of the log the host takes a snapshot: it gets the bytes, and the match goes on in a Lua state without history, made
// from them. So whatever a game kept beside its state is gone at the same points live, resumed and replayed, and a match that was
// restored from a snapshot is the same as one that played all the way.
#pragma once
#include "worker/worker.h"

bool match_open(struct worker *w, const struct frame *f);       // all: false when the sections are broken
bool match_turn(struct worker *w, const struct frame *f);
bool match_bot(struct worker *w, const struct frame *f);
bool match_snapshot(struct worker *w, const struct frame *f);
bool match_restore(struct worker *w, const struct frame *f);
void match_close(struct worker *w, uint32_t slot);              // also when nothing is there
