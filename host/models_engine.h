// models_engine.h — the model that comes with Frond, beside the host's programs: where it lies, and its comings and goings told to the core. Loop thread only. For models.c.
//
// PROGRAMS/engine (or ../engine, for the sanitized builds) holds what `make engine` makes: llama-server, model.gguf, progress. Its socket lies in DATA/engine.
#pragma once
#include "llm/engine.h"
#include "llm/llm.h"

struct models_engine;
struct models_engine_options { uv_loop_t *loop; struct net_client *client; struct llm *llm; const char *programs, *data; };
FR_MUST_USE enum fr_status models_engine_open(const struct models_engine_options *o, struct models_engine **ret, struct fr_err *err);
void models_engine_stop(struct models_engine *e, void (*done)(void *arg), void *arg);      // before the core; takes NULL: done at once
void models_engine_free(struct models_engine *e);          // takes NULL
// {"state":"building","done":120,"of":206,"detail":".."}; states: off (e NULL), waiting, fetching, building, starting, up, failed.
void models_engine_print(const struct models_engine *e, struct fr_buf *out);
void models_engine_metrics(const struct models_engine *e, struct fr_buf *out);
