// recorder.h — writes calls down behind them: usage of each, and where somebody asked for that prompt, answer and events. In memory for at most a second, in one commit. Loop thread only.
#pragma once
#include "llm/record.h"

struct llm_recorder;
struct llm_flight;
struct llm_recorder_options { uv_loop_t *loop; struct store *store; const struct llm_settings *settings; };
void llm_recorder_new(const struct llm_recorder_options *o, struct llm_recorder **ret);        // store NULL: nothing is written
void llm_recorder_configure(struct llm_recorder *r, const struct llm_settings *settings);
bool llm_recorder_wants(const struct llm_recorder *r);             // prompts and answers of all, by the settings
void llm_recorder_add(struct llm_recorder *r, struct llm_flight *f);         // a flight that ended; gives it its number when it is kept
void llm_recorder_stop(struct llm_recorder *r, void (*done)(void *arg), void *arg);
void llm_recorder_free(struct llm_recorder *r);
void llm_recorder_facts(const struct llm_recorder *r, struct fr_buf *out);
