// ability.c — the body of a chat, and the sum of what calls cost.
#include "llm/ability.h"
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/limits.h"

int64_t llm_by_due_ms(const struct llm_by *by)
{
    return fr_mono_ms() + (by->deadline_ms > 0 ? by->deadline_ms : LLM_DEADLINE_MS);
}

void llm_spent_add(struct llm_spent *s, const struct llm_end *end)
{
    if (!end) return;
    s->cached = (s->calls == 0 || s->cached) && end->cached;
    s->calls++;
    s->prompt_tokens += end->prompt_tokens;
    s->answer_tokens += end->answer_tokens;
    s->cost_units += end->cost_units;
    if (end->model && *end->model) snprintf(s->model, sizeof s->model, "%s", end->model);
    if (end->record[0]) snprintf(s->record, sizeof s->record, "%s", end->record);
}

void llm_spent_print(const struct llm_spent *s, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"calls\":%d,\"model\":", s->calls);
    fr_buf_add_json_text(out, s->model);
    fr_buf_addf(out, ",\"usage\":{\"prompt_tokens\":%lld,\"answer_tokens\":%lld},\"cost\":%lld,\"cached\":%s", (long long)s->prompt_tokens, (long long)s->answer_tokens,
                (long long)s->cost_units, s->cached ? "true" : "false");
    if (s->record[0]) { fr_buf_add(out, ",\"record\":"); fr_buf_add_json_text(out, s->record); }
    fr_buf_add_char(out, '}');
}

void llm_message_add(struct fr_buf *messages, const char *role, const char *text)
{
    fr_buf_addf(messages, "%s{\"role\":\"%s\",\"content\":", messages->len ? "," : "", role);
    fr_buf_add_json_text(messages, text);
    fr_buf_add_char(messages, '}');
}

void llm_languages_add(const char *tags, struct fr_buf *body)
{
    for (size_t len, no = 0; *tags; tags += len + (tags[len] != 0), no++) {
        len = strcspn(tags, ",");
        fr_buf_add(body, no ? "," : ",\"languages\":[");
        fr_buf_add_json_bytes(body, tags, len);
        if (!tags[len]) fr_buf_add_char(body, ']');
    }
}

enum fr_status llm_chat_start(const struct llm_by *by, int64_t due_ms, const struct llm_turn *t, llm_done_fn *done, void *arg, struct fr_err *err)
{
    int64_t left_ms = due_ms - fr_mono_ms();
    FR_AUTO_BUF(body);
    fr_buf_init(&body, LLM_BODY_BYTES_MAX);
    if (left_ms <= 0) return FR_FAIL_CODE(err, FR_E_TIMEOUT, "llm_deadline", "no time is left for another call of the model");
    FR_TRY(fr_buf_check(t->messages, "the prompt", err));
    fr_buf_add(&body, "{\"messages\":[");
    fr_buf_add_bytes(&body, t->messages->data, t->messages->len);
    fr_buf_addf(&body, "],\"max_tokens\":%d,\"temperature\":%.3g", by->max_tokens > 0 ? by->max_tokens : t->max_tokens, t->temperature);
    if (by->seed >= 0) fr_buf_addf(&body, ",\"seed\":%lld", (long long)((by->seed + t->seed_step) & 0x7fffffff));
    if (by->model[0]) { fr_buf_add(&body, ",\"model\":"); fr_buf_add_json_text(&body, by->model); }
    llm_languages_add(by->languages, &body);
    if (t->response_format) { fr_buf_add(&body, ",\"response_format\":"); fr_buf_add(&body, t->response_format); }
    fr_buf_add_char(&body, '}');
    FR_TRY(fr_buf_check(&body, "the prompt", err));
    struct llm_ask ask = { .kind = LLM_CHAT, .from = by->from, .body = body.data, .body_len = body.len, .priority = by->priority,
                           .deadline_ms = left_ms > LLM_DEADLINE_MS_MAX ? LLM_DEADLINE_MS_MAX : (int)left_ms, .keep = by->keep, .done = done, .arg = arg };
    return by->door.start(by->door.arg, &ask, NULL, err);
}
