// assess.c — drafts, refined ones, the vote, the judgement. One object per question; functions in the order they run.
#include "llm/assess.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "llm/fence.h"
#include "llm/prompts.h"
#include "llm/schema_json.h"

#define DRAFT_BYTES_MAX 4000               // of one reasoning, shown to the second pass
#define ANSWER_TOKENS 400
#define JUDGE_TOKENS 900

struct assess {
    struct llm_by by;
    llm_value_fn *done; void *arg;
    int64_t due_ms;
    struct fr_json *prompts;
    struct fr_buf question;                // fenced, with choices and sources
    bool medical, korean;
    int samples, drafts, choices;
    double threshold;
    char axes[LLM_AXES_MAX][32]; int axis_count;
    char *sources[LLM_SOURCES_MAX]; int source_count;
    // of the pass under way
    bool refining;
    int open, asked;
    char *text[LLM_SAMPLES_MAX], answer[LLM_SAMPLES_MAX][LLM_ANSWER_WORD_BYTES];      // "": none, which agrees with nobody
    struct llm_votes votes;
    enum fr_status failed; struct fr_err err;                  // the first failure, when no sample came
    struct fr_buf judged;                                      // the axes as JSON; "" when not
    struct llm_spent spent;
};
struct sample { struct assess *a; int no; };

// ---- the end

static void texts_free(struct assess *a)
{
    for (int i = 0; i < LLM_SAMPLES_MAX; i++) { fr_free(a->text[i]); a->text[i] = NULL; }
}

static void assess_free(struct assess *a)
{
    texts_free(a);
    for (int i = 0; i < a->source_count; i++) fr_free(a->sources[i]);
    fr_buf_free(&a->question);
    fr_buf_free(&a->judged);
    fr_json_free(a->prompts);
    fr_free(a);
}

static const char *said(const struct assess *a, const char *key) { return fr_json_text(fr_json_get(a->prompts, key)); }

static void assess_print(const struct assess *a, struct fr_buf *out)
{
    const struct llm_vote *best = llm_vote_plurality(&a->votes);
    double agreement = llm_vote_agreement(&a->votes);
    bool abstained = !best || agreement < a->threshold;
    const char *reasoning = best ? a->text[best->first] : a->text[0];
    fr_buf_add_char(out, '{');
    if (!abstained) { fr_buf_add(out, "\"answer\":"); fr_buf_add_json_text(out, best->answer); fr_buf_add_char(out, ','); }
    fr_buf_add(out, "\"reasoning\":");
    fr_buf_add_json_text(out, reasoning ? reasoning : "");
    fr_buf_addf(out, ",\"agreement\":%.4g,\"samples\":%d,\"abstained\":%s,\"votes\":", agreement, a->votes.samples, abstained ? "true" : "false");
    llm_votes_print(&a->votes, out);
    fr_buf_add(out, ",\"axes\":");
    fr_buf_add(out, a->judged.len ? a->judged.data : "null");
    for (int i = 0; i < a->source_count; i++) {
        fr_buf_add(out, i ? "," : ",\"sources\":[");
        fr_buf_add_json_text(out, a->sources[i]);
        if (i + 1 == a->source_count) fr_buf_add_char(out, ']');
    }
    if (a->medical) {
        fr_buf_add(out, ",\"disclaimer\":");
        fr_buf_add_json_text(out, fr_json_text(fr_json_get(fr_json_get(a->prompts, "disclaimer"), a->korean ? "ko" : "en")));
    }
    fr_buf_add_char(out, '}');
}

static void assess_end(struct assess *a, enum fr_status st, const struct fr_err *err)
{
    FR_AUTO_BUF(out);
    struct fr_err large;
    fr_buf_init(&out, LLM_ANSWER_BYTES_MAX);
    if (st == FR_OK) {
        assess_print(a, &out);
        st = fr_buf_check(&out, "the answer", &large);
        err = &large;
    }
    struct llm_value v = { .json = st == FR_OK ? out.data : NULL, .len = st == FR_OK ? out.len : 0, .spent = &a->spent };
    a->done(a->arg, st, &v, st == FR_OK ? NULL : err);
    assess_free(a);
}

// ---- the judgement

static void judge_on_value(void *arg, enum fr_status st, const struct llm_value *v, const struct fr_err *err)
{
    struct assess *a = arg;
    struct fr_err none;
    FR_AUTO(fr_json) value = NULL;
    (void)err;
    a->spent.calls += v->spent->calls;
    a->spent.prompt_tokens += v->spent->prompt_tokens;
    a->spent.answer_tokens += v->spent->answer_tokens;
    a->spent.cost_units += v->spent->cost_units;
    a->spent.cached = false;
    if (st == FR_OK && fr_json_parse(v->json, v->len, &value, &none) == FR_OK) {
        fr_buf_add_char(&a->judged, '[');
        for (int i = 0; i < a->axis_count; i++) {
            const struct fr_json *axis = fr_json_get(value, a->axes[i]);
            fr_buf_addf(&a->judged, "%s{\"axis\":\"%s\",\"score\":%.0f,\"reason\":", i ? "," : "", a->axes[i], fr_json_number(fr_json_get(axis, "score")));
            fr_buf_add_json_text(&a->judged, fr_json_text(fr_json_get(axis, "reason")));
            fr_buf_add_char(&a->judged, '}');
        }
        fr_buf_add_char(&a->judged, ']');
        if (a->judged.failed) fr_buf_clear(&a->judged);
    }
    assess_end(a, FR_OK, NULL);            // without a judgement the answer is still one
}

static enum fr_status judge_start(struct assess *a, const struct llm_vote *best, struct fr_err *err)
{
    FR_AUTO(fr_json) schema = NULL;
    FR_AUTO_BUF(shape); FR_AUTO_BUF(prompt); FR_AUTO_BUF(messages);
    fr_buf_init(&shape, LLM_BODY_BYTES_MAX);
    fr_buf_init(&prompt, LLM_BODY_BYTES_MAX);
    fr_buf_init(&messages, LLM_BODY_BYTES_MAX);
    fr_buf_add(&shape, "{\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < a->axis_count; i++) {
        fr_buf_addf(&shape, "%s\"%s\":{\"type\":\"object\",\"description\":", i ? "," : "", a->axes[i]);
        fr_buf_add_json_text(&shape, fr_json_text(fr_json_get(fr_json_get(a->prompts, "axes"), a->axes[i])));
        fr_buf_add(&shape, ",\"properties\":{\"score\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5},\"reason\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":400}},\"required\":[\"score\",\"reason\"]}");
    }
    fr_buf_add(&shape, "},\"required\":[");
    for (int i = 0; i < a->axis_count; i++) fr_buf_addf(&shape, "%s\"%s\"", i ? "," : "", a->axes[i]);
    fr_buf_add(&shape, "]}");
    FR_TRY(fr_json_parse(shape.data, shape.len, &schema, err));
    fr_buf_add_bytes(&prompt, a->question.data, a->question.len);
    fr_buf_add(&prompt, "\nThe answer to be judged:\n");
    llm_fence_add("answer", a->text[best->first], strlen(a->text[best->first]), &prompt);
    FR_TRY(fr_buf_check(&prompt, "the prompt", err));
    llm_message_add(&messages, "user", prompt.data);
    fr_buf_clear(&prompt);
    fr_buf_addf(&prompt, "%s\n\n%s", said(a, "judge"), llm_fence_rule);
    struct llm_json_ask ask = { .system = prompt.data, .messages = &messages, .schema = schema, .name = "judgement", .max_tokens = JUDGE_TOKENS, .done = judge_on_value, .arg = a };
    return llm_json_start(&a->by, &ask, err);
}

static void assess_voted(struct assess *a)
{
    struct fr_err err;
    const struct llm_vote *best = llm_vote_plurality(&a->votes);
    if (best && a->axis_count && judge_start(a, best, &err) == FR_OK) return;
    assess_end(a, FR_OK, NULL);
}

// ---- samples

static bool pass_start(struct assess *a);
static void pass_over(struct assess *a)
{
    bool any = false;
    for (int i = 0; i < a->asked; i++) any = any || a->text[i];
    for (int i = 0; i < a->asked; i++) llm_vote_add(&a->votes, a->answer[i]);      // in the order they were asked, not that in which they came: the same samples are the same vote
    if (!any) { assess_end(a, a->failed, &a->err); return; }
    if (a->refining || a->drafts == 0) { assess_voted(a); return; }
    a->refining = true;
    if (!pass_start(a)) assess_end(a, a->failed, &a->err);
}

static void take_sample(struct assess *a, int no, const char *text)
{
    char *answer = a->answer[no];
    if (!llm_extract_final(text, answer)) answer[0] = 0;
    if (a->choices) {
        char letter = llm_extract_choice(answer[0] ? answer : text);
        bool real = letter >= 'A' && letter < 'A' + a->choices;
        answer[0] = real ? letter : 0;
        answer[1] = 0;
    }
    a->text[no] = fr_strndup(text, strlen(text));
    if (!a->text[no]) answer[0] = 0;
}

static void sample_on_answer(void *arg, enum fr_status st, const struct llm_end *end, const struct fr_err *err)
{
    struct sample *s = arg;
    struct assess *a = s->a;
    int no = s->no;
    fr_free(s);
    llm_spent_add(&a->spent, end);
    if (st == FR_OK) take_sample(a, no, end->text);
    else if (a->failed == FR_OK) { a->failed = st; a->err = *err; }
    if (--a->open == 0) pass_over(a);
}

static void print_drafts(struct assess *a, struct fr_buf *out)
{
    fr_buf_add_bytes(out, a->question.data, a->question.len);
    for (int i = 0; i < a->asked; i++) {
        char name[16];
        if (!a->text[i]) continue;
        size_t len = strlen(a->text[i]);
        snprintf(name, sizeof name, "draft_%d", i + 1);
        fr_buf_add_char(out, '\n');
        llm_fence_add(name, a->text[i], len > DRAFT_BYTES_MAX ? fr_utf8_cut(a->text[i], DRAFT_BYTES_MAX) : len, out);
    }
}

// False: not one could be started, and a->failed says why.
static bool pass_start(struct assess *a)
{
    FR_AUTO_BUF(messages); FR_AUTO_BUF(system); FR_AUTO_BUF(user);
    fr_buf_init(&messages, LLM_BODY_BYTES_MAX);
    fr_buf_init(&system, LLM_BODY_BYTES_MAX);
    fr_buf_init(&user, LLM_BODY_BYTES_MAX);
    fr_buf_addf(&system, "%s\n\n%s%s%s", said(a, a->refining ? "refine" : "answer"), a->choices ? said(a, "choices") : "", a->choices ? "\n\n" : "", llm_fence_rule);
    if (a->refining) print_drafts(a, &user);
    else fr_buf_add_bytes(&user, a->question.data, a->question.len);
    a->failed = fr_buf_check(&user, "the prompt", &a->err);
    if (a->failed != FR_OK) return false;
    llm_message_add(&messages, "system", system.data);
    llm_message_add(&messages, "user", user.data);
    texts_free(a);
    a->votes = (struct llm_votes){ .kinds = 0 };
    memset(a->answer, 0, sizeof a->answer);
    a->asked = !a->refining && a->drafts ? a->drafts : a->samples;
    for (int i = 0; i < a->asked; i++) {
        struct sample *s = fr_alloc(sizeof *s);
        struct llm_turn t = { .messages = &messages, .max_tokens = ANSWER_TOKENS, .temperature = a->asked > 1 ? 0.7 : 0, .seed_step = i + (a->refining ? 1000 : 0) };
        struct fr_err err;
        enum fr_status st = FR_E_NOMEM;
        if (s) {
            *s = (struct sample){ a, i };
            st = llm_chat_start(&a->by, a->due_ms, &t, sample_on_answer, s, &err);
        } else FR_IGNORE(FR_FAIL(&err, FR_E_NOMEM, "no memory for a sample"));      // told below
        if (st == FR_OK) { a->open++; continue; }
        fr_free(s);
        if (a->failed == FR_OK) { a->failed = st; a->err = err; }
    }
    return a->open > 0;
}

// ---- the beginning

static bool is_korean(const char *text)
{
    for (; *text; text++) if ((unsigned char)*text >= 0xea && (unsigned char)*text <= 0xed) return true;      // Hangul syllables
    return false;
}

static enum fr_status take_axes(struct assess *a, const struct llm_assess_ask *ask, struct fr_err *err)
{
    const struct fr_json *known = fr_json_get(a->prompts, "axes");
    for (int i = 0; i < ask->axis_count; i++) {
        if (strcmp(ask->axes[i], "all") == 0) {
            a->axis_count = 0;
            for (const struct fr_json *k = fr_json_child(known); k && a->axis_count < LLM_AXES_MAX; k = fr_json_next(k)) snprintf(a->axes[a->axis_count++], sizeof a->axes[0], "%s", fr_json_key(k));
            return FR_OK;
        }
        if (!fr_json_get(known, ask->axes[i])) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "axes: there is no axis \"%.40s\"", ask->axes[i]);
        if (a->axis_count == LLM_AXES_MAX) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "axes: at most %d", LLM_AXES_MAX);
        snprintf(a->axes[a->axis_count++], sizeof a->axes[0], "%s", ask->axes[i]);
    }
    return FR_OK;
}

static void print_question(struct assess *a, const struct llm_assess_ask *ask)
{
    fr_buf_add(&a->question, "The question:\n");
    llm_fence_add("question", ask->question, strlen(ask->question), &a->question);
    for (int i = 0; i < ask->choice_count; i++) {
        fr_buf_addf(&a->question, "\n%c. ", 'A' + i);
        llm_fence_word(ask->choices[i], 1000, &a->question);
    }
    for (int i = 0; i < ask->source_count; i++) {
        char name[16];
        fr_buf_addf(&a->question, "\nSource [%d]:\n", i + 1);
        snprintf(name, sizeof name, "source_%d", i + 1);
        llm_fence_add(name, ask->sources[i].text, strlen(ask->sources[i].text), &a->question);
        a->sources[a->source_count] = fr_must_strdup(ask->sources[i].id);
        a->source_count++;
    }
}

static enum fr_status assess_prepare(struct assess *a, const struct llm_assess_ask *ask, struct fr_err *err)
{
    const struct llm_prompt *p = &llm_assess_prompt;
    FR_TRY(fr_json_parse(p->text, (size_t)(p->end - p->text), &a->prompts, err));
    FR_TRY(take_axes(a, ask, err));
    print_question(a, ask);
    return fr_buf_check(&a->question, "the question", err);
}

enum fr_status llm_assess_start(const struct llm_by *by, const struct llm_assess_ask *ask, struct fr_err *err)
{
    assert(ask->samples >= 1 && ask->samples <= LLM_SAMPLES_MAX && ask->drafts >= 0 && ask->drafts <= LLM_SAMPLES_MAX && ask->choice_count <= 26 && ask->source_count <= LLM_SOURCES_MAX);
    struct assess *a = fr_alloc(sizeof *a);
    if (!a) return FR_FAIL(err, FR_E_NOMEM, "no memory for a question");
    a->by = *by;
    a->done = ask->done;
    a->arg = ask->arg;
    a->due_ms = llm_by_due_ms(by);
    a->samples = ask->samples;
    a->drafts = ask->drafts;
    a->choices = ask->choice_count;
    a->threshold = ask->threshold;
    a->medical = llm_is_medical(ask->question);
    a->korean = is_korean(ask->question);
    fr_buf_init(&a->question, LLM_BODY_BYTES_MAX);
    fr_buf_init(&a->judged, LLM_BODY_BYTES_MAX);
    enum fr_status st = assess_prepare(a, ask, err);
    if (st == FR_OK && !pass_start(a)) {
        st = a->failed;
        *err = a->err;
    }
    if (st != FR_OK) assess_free(a);
    return st;
}
