// task.h — calls: one coroutine each, many in flight, resumed when the host answers what they asked.
//
// A fiber is a pooled coroutine. A call has one; frond.all gives each of its functions one more, so that their host calls overlap.
// Every CALL frame is answered by exactly one RESULT, except when it was cancelled.
#pragma once
#include "worker/worker.h"

bool task_call(struct worker *w, const struct frame *f);      // FRAME_CALL; false: its sections are broken
void task_answer(struct worker *w, const struct frame *f);    // FRAME_ANSWER; unknown ones are ignored
void task_cancel(struct worker *w, uint32_t call_id);
void task_forget_all(struct worker *w);                       // before the state closes
uint32_t task_next_ask(struct worker *w);                     // of the running fiber; the next yield waits for it
int task_all(lua_State *L);                                   // frond.all
extern const char task_handlers;                              // its address is the registry key of the handlers by target ("call:greet")
