// llm_task.c — a task run for the operator: what `frond llm task` and each item of `frond llm eval` ask.
#include <stdio.h>
#include <string.h>
#include "console/internal.h"
#include "llm/task.h"

static void task_on_value(void *arg, enum fr_status st, const struct llm_value *v, const struct fr_err *err)
{
    struct console_op *op = arg;
    if (st == FR_OK) {
        fr_buf_add(&op->out, "{\"value\":");
        fr_buf_add_bytes(&op->out, v->json, v->len);
        fr_buf_add(&op->out, ",\"spent\":");
        llm_spent_print(v->spent, &op->out);
        fr_buf_add_char(&op->out, '}');
    }
    console_answer(op, st, err);
}

// task: a built-in one's name, or a whole task as JSON; vars: JSON.
static enum fr_status task_start(struct console_op *op, struct fr_err *err)
{
    FR_AUTO(fr_json) json = NULL;
    FR_AUTO(fr_json) vars = NULL;
    FR_AUTO(llm_task) task = NULL;
    const char *text, *vars_text, *model;
    int64_t tokens;
    struct llm *llm = console_options_of(op->console)->llm;
    if (!llm) return FR_FAIL_CODE(err, FR_E_BUSY, "llm_down", "this host serves no models");
    FR_TRY(fr_json_need_text(op->args, "task", 1, JSON_TEXT_BYTES_MAX, &text, err));
    FR_TRY(fr_json_opt_text(op->args, "vars", JSON_TEXT_BYTES_MAX, "{}", &vars_text, err));
    FR_TRY(fr_json_opt_text(op->args, "model", LLM_NAME_BYTES - 1, "", &model, err));
    FR_TRY(fr_json_opt_units(op->args, "tokens", 1, LLM_ANSWER_TOKENS_MAX, 0, &tokens, err));
    if (fr_json_parse(vars_text, strlen(vars_text), &vars, err) != FR_OK) return fr_err_note(err, "vars");
    if (text[0] == '{') {
        FR_TRY(fr_json_parse(text, strlen(text), &json, err));
        FR_TRY(llm_task_read(json, NULL, &task, err));
    } else FR_TRY(llm_task_builtin(text, &task, err));
    struct llm_by by = { .door = llm_door(llm), .from = { "operator", "operator", "" }, .seed = 1, .priority = 1, .deadline_ms = LLM_CALL_MS_MAX, .max_tokens = (int)tokens };
    snprintf(by.model, sizeof by.model, "%s", model);
    return llm_task_start(&by, task, vars, task_on_value, op, err);
}

void live_llm_task(struct console_op *op)
{
    struct fr_err err;
    enum fr_status st = task_start(op, &err);
    if (st != FR_OK) console_answer(op, st, &err);
}
