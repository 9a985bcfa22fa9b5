// canned.h — for tests: a door behind which no model stands. What comes is kept until canned_run, which answers in order by asking the test's own function.
#pragma once
#include <stdlib.h>
#include <string.h>
#include "base/check.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "llm/ability.h"

#define CANNED_MAX 256
// Writes the answer; a status but FR_OK is how the call ends, with `code`.
struct canned_said { enum fr_status st; char code[40]; struct fr_buf text; };
typedef void canned_fn(int no, const struct fr_json *body, struct canned_said *said);
static canned_fn *canned_answer;
static struct { struct llm_ask ask; char *body; } canned_open[CANNED_MAX];
static int canned_first, canned_last, canned_calls;

static inline enum fr_status canned_start(void *arg, const struct llm_ask *ask, struct llm_call **ret, struct fr_err *err)
{
    (void)arg; (void)ret; (void)err;
    if (canned_last - canned_first == CANNED_MAX) abort();
    canned_open[canned_last % CANNED_MAX].ask = *ask;
    canned_open[canned_last % CANNED_MAX].body = fr_strndup(ask->body, ask->body_len);
    canned_last++;
    return FR_OK;
}

// All text of the messages, for looking at.
static inline const char *canned_message(const struct fr_json *body, int no)
{
    const struct fr_json *m = fr_json_child(fr_json_get(body, "messages"));
    if (no < 0) no += fr_json_size(fr_json_get(body, "messages"));
    while (m && no-- > 0) m = fr_json_next(m);
    const char *text = m ? fr_json_text(fr_json_get(m, "content")) : NULL;
    return text ? text : "";
}

static inline void canned_run(canned_fn *answer)
{
    struct fr_err err;
    if (answer) canned_answer = answer;
    while (canned_first < canned_last) {
        FR_AUTO(fr_json) body = NULL;
        struct llm_ask ask = canned_open[canned_first % CANNED_MAX].ask;
        char *text = canned_open[canned_first++ % CANNED_MAX].body;
        struct canned_said said = { .st = FR_OK };
        struct llm_end end = { .text = "", .finish = "stop", .model = "canned", .pod = "", .prompt_tokens = 10, .answer_tokens = 5 };
        fr_buf_init(&said.text, LLM_ANSWER_BYTES_MAX);
        if (fr_json_parse(text, strlen(text), &body, &err) != FR_OK) { printf("  a body is no JSON: %s\n%s\n", err.text, text); abort(); }
        canned_answer(canned_calls++, body, &said);
        if (said.text.len) end.text = said.text.data;
        end.json = "{}";
        end.json_len = 2;
        if (said.st != FR_OK) { end.json = NULL; FR_IGNORE(FR_FAIL_CODE(&err, said.st, said.code, "as the test wants")); }
        ask.done(ask.arg, said.st, &end, said.st == FR_OK ? NULL : &err);
        fr_buf_free(&said.text);
        fr_free(text);
    }
}

static inline struct llm_by canned_by(void)
{
    struct llm_by by = { .door = { NULL, canned_start }, .from = { "plugin:test", "plugin:test", "" }, .seed = 7 };
    canned_calls = 0;
    return by;
}

// ---- how an ability ended
static struct { int times; enum fr_status st; char code[40], text[400]; char *json; struct llm_spent spent; } ended;
static inline void canned_done(void *arg, enum fr_status st, const struct llm_value *v, const struct fr_err *err)
{
    (void)arg;
    ended.times++;
    ended.st = st;
    snprintf(ended.code, sizeof ended.code, "%s", err ? err->code : "");
    snprintf(ended.text, sizeof ended.text, "%s", err ? err->text : "");
    fr_free(ended.json);
    ended.json = v->json ? fr_strndup(v->json, v->len) : NULL;
    ended.spent = *v->spent;
}
static inline void canned_forget(void) { fr_free(ended.json); memset(&ended, 0, sizeof ended); }
