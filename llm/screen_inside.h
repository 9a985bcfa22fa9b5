// screen_inside.h — what screen.c and screen_calls.c share; nobody else includes it.
//
// The calls of tools of one choice are kept until nothing can follow them, in a stream as in a whole, and told at once: half an argument cannot be looked at.
#pragma once
#include "llm/answer.h"
#include "llm/filter.h"

struct screen_calls { struct llm_tool_call *calls; int count; int64_t hidden; bool no_memory; };
// More of "tool_calls": of a stream's event by index, of a message in order.
void screen_calls_take(struct screen_calls *c, const struct fr_json *list);
// The list as it may be told, and none are kept after it. index: each says which it is, as in a stream. False: a refused word is in it, and nothing was added.
bool screen_calls_print(struct screen_calls *c, struct llm_filter_rules *rules, bool index, struct fr_buf *out);
void screen_calls_free(struct screen_calls *c);
