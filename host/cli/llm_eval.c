// llm_eval.c — `llm tasks`, `llm task`, `llm eval`: what a model makes of a task's eval set, item by item, and the figure as it is.
#include <math.h>
#include <string.h>
#include "base/mem.h"
#include "cli/internal.h"
#include "llm/extract.h"
#include "llm/task.h"

#define MISSES_SHOWN 10
#define SHOWN_BYTES 200
#define TASK_FILE_BYTES_MAX JSON_TEXT_BYTES_MAX

struct tally { int items, right, wrong, failed; int64_t prompt_tokens, answer_tokens, calls; char model[LLM_NAME_BYTES]; struct fr_buf misses; int missed; };

enum fr_status run_llm_tasks(struct cli *c, struct fr_err *err)
{
    llm_tasks_list(&c->out);
    return fr_buf_check(&c->out, "the tasks", err);
}

// A name, or a file: what has a dot or a slash is one.
static enum fr_status task_of(const char *what, struct llm_task **ret, struct fr_err *err)
{
    FR_AUTO_BUF(text);
    FR_AUTO(fr_json) json = NULL;
    fr_buf_init(&text, TASK_FILE_BYTES_MAX);
    if (!strpbrk(what, "./")) return llm_task_builtin(what, ret, err);
    FR_TRY(file_read_all(what, TASK_FILE_BYTES_MAX, &text, err));
    if (fr_json_parse(text.data ? text.data : "", text.len, &json, err) != FR_OK) return fr_err_note(err, "%.200s", what);
    return llm_task_read(json, NULL, ret, err);
}

// The task without its eval set: it travels with each item.
static void print_task(const struct llm_task *t, struct fr_buf *out)
{
    bool first = true;
    fr_buf_add_char(out, '{');
    for (const struct fr_json *m = fr_json_child(t->json); m; m = fr_json_next(m)) {
        if (strcmp(fr_json_key(m), "eval") == 0) continue;
        fr_buf_addf(out, "%s\"%s\":", first ? "" : ",", fr_json_key(m));
        fr_json_print(m, out);
        first = false;
    }
    fr_buf_add_char(out, '}');
}

static enum fr_status ask_item(struct cli *c, const char *task, const char *vars, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO_BUF(args);
    fr_buf_init(&args, CONSOLE_LINE_BYTES_MAX);
    fr_buf_add(&args, "{\"task\":");
    fr_buf_add_json_text(&args, task);
    fr_buf_add(&args, ",\"vars\":");
    fr_buf_add_json_text(&args, vars);
    if (cli_option(c, "model")) { fr_buf_add(&args, ",\"model\":"); fr_buf_add_json_text(&args, cli_option(c, "model")); }
    fr_buf_add_char(&args, '}');
    FR_TRY(fr_buf_check(&args, "the task", err));
    return cli_ask(c, "llm.task", args.data, out, err);
}

enum fr_status run_llm_task(struct cli *c, struct fr_err *err)
{
    FR_AUTO(llm_task) t = NULL;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, TASK_FILE_BYTES_MAX);
    FR_TRY(task_of(cli_arg(c, "task"), &t, err));
    print_task(t, &text);
    FR_TRY(fr_buf_check(&text, "the task", err));
    return ask_item(c, text.data, cli_arg(c, "vars") ? cli_arg(c, "vars") : "{}", &c->out, err);
}

// ---- eval

static void miss(struct tally *y, const struct fr_json *item, const char *got)
{
    size_t len = strlen(got);
    if (y->missed++ >= MISSES_SHOWN) return;
    fr_buf_addf(&y->misses, "%s{\"item\":%d,\"want\":", y->misses.len ? "," : "", y->items);
    fr_buf_add_json_text(&y->misses, fr_json_text(fr_json_get(item, "want")));
    fr_buf_add(&y->misses, ",\"got\":");
    fr_buf_add_json_bytes(&y->misses, got, len > SHOWN_BYTES ? SHOWN_BYTES : len);
    fr_buf_add_char(&y->misses, '}');
}

static void add_spent(struct tally *y, const struct fr_json *spent)
{
    const struct fr_json *usage = fr_json_get(spent, "usage");
    y->calls += (int64_t)fr_json_number(fr_json_get(spent, "calls"));
    y->prompt_tokens += (int64_t)fr_json_number(fr_json_get(usage, "prompt_tokens"));
    y->answer_tokens += (int64_t)fr_json_number(fr_json_get(usage, "answer_tokens"));
    if (fr_json_text(fr_json_get(spent, "model"))) snprintf(y->model, sizeof y->model, "%s", fr_json_text(fr_json_get(spent, "model")));
}

// An answer that never fitted the schema is a wrong one; a host or model that is not there ends the whole.
static enum fr_status eval_item(struct cli *c, const struct llm_task *t, const char *task, const struct fr_json *item, struct tally *y, struct fr_err *err)
{
    FR_AUTO_BUF(vars); FR_AUTO_BUF(answer); FR_AUTO_BUF(value); FR_AUTO_BUF(got);
    FR_AUTO(fr_json) v = NULL;
    struct fr_buf *all[] = { &vars, &answer, &value, &got };
    bool known;
    for (int i = 0; i < 4; i++) fr_buf_init(all[i], CLI_RESULT_BYTES_MAX);
    fr_json_print(fr_json_get(item, "vars"), &vars);
    enum fr_status st = ask_item(c, task, vars.data ? vars.data : "{}", &answer, err);
    y->items++;
    if (st != FR_OK && strncmp(err->code, "llm_", 4) == 0 && strcmp(err->code, "llm_down") != 0) {
        y->failed++;
        miss(y, item, err->code);
        return FR_OK;
    }
    FR_TRY(st);
    FR_TRY(fr_json_parse(answer.data, answer.len, &v, err));
    add_spent(y, fr_json_get(v, "spent"));
    fr_json_print(fr_json_get(v, "value"), &value);
    bool scored = llm_task_scored(t, value.data, value.len, &got);
    bool right = scored && llm_score(fr_json_text(fr_json_get(t->eval, "score")), got.len ? got.data : "", fr_json_text(fr_json_get(item, "want")), &known);
    if (right) y->right++;
    else { y->wrong++; miss(y, item, got.len ? got.data : ""); }
    return FR_OK;
}

// Wilson's interval, 95 %: what so few items can say.
static void interval(int right, int items, double *low, double *high)
{
    double z = 1.96, p = (double)right / items, n = items, middle = p + z * z / (2 * n), half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)), by = 1 + z * z / n;
    *low = (middle - half) / by;
    *high = (middle + half) / by;
}

static void print_tally(const struct llm_task *t, const struct tally *y, struct fr_buf *out)
{
    double low = 0, high = 1;
    if (y->items) interval(y->right, y->items, &low, &high);
    fr_buf_addf(out, "{\"task\":");
    fr_buf_add_json_text(out, t->name);
    fr_buf_addf(out, ",\"version\":\"%s\",\"score\":\"%s\",\"model\":", t->version, fr_json_text(fr_json_get(t->eval, "score")));
    fr_buf_add_json_text(out, y->model);
    fr_buf_addf(out, ",\"items\":%d,\"right\":%d,\"wrong\":%d,\"failed\":%d,\"accuracy\":%.4f,\"low\":%.4f,\"high\":%.4f,\"calls\":%lld,\"prompt_tokens\":%lld,\"answer_tokens\":%lld,\"misses\":[", y->items, y->right,
                y->wrong, y->failed, y->items ? (double)y->right / y->items : 0, low, high, (long long)y->calls, (long long)y->prompt_tokens, (long long)y->answer_tokens);
    if (y->misses.len) fr_buf_add_bytes(out, y->misses.data, y->misses.len);
    fr_buf_add(out, "]}");
}

enum fr_status run_llm_eval(struct cli *c, struct fr_err *err)
{
    FR_AUTO(llm_task) t = NULL;
    FR_AUTO_BUF(task);
    struct tally y = { 0 };
    int64_t most;
    enum fr_status st = FR_OK;
    fr_buf_init(&task, TASK_FILE_BYTES_MAX);
    FR_TRY(cli_option_int(c, "limit", 1, 10000, 10000, &most, err));
    FR_TRY(task_of(cli_arg(c, "task"), &t, err));
    if (!t->eval || fr_json_size(fr_json_get(t->eval, "items")) == 0) return FR_FAIL_CODE(err, FR_E_INVALID, "eval_missing", "%s has no eval set", cli_arg(c, "task"));
    print_task(t, &task);
    FR_TRY(fr_buf_check(&task, "the task", err));
    fr_buf_init(&y.misses, CLI_RESULT_BYTES_MAX);
    for (const struct fr_json *i = fr_json_child(fr_json_get(t->eval, "items")); i && y.items < most && st == FR_OK; i = fr_json_next(i)) st = eval_item(c, t, task.data, i, &y, err);
    if (st == FR_OK) print_tally(t, &y, &c->out);
    fr_buf_free(&y.misses);
    return st != FR_OK ? st : fr_buf_check(&c->out, "the result", err);
}

void print_llm_eval(FILE *out, const struct fr_json *v, const struct cli *c)
{
    int items = (int)fr_json_number(fr_json_get(v, "items")), right = (int)fr_json_number(fr_json_get(v, "right")), failed = (int)fr_json_number(fr_json_get(v, "failed"));
    (void)c;
    print_text(out, text_of(v, "task"));
    fprintf(out, "@%s by ", text_of(v, "version"));
    print_text(out, text_of(v, "model"));
    fprintf(out, ": %d of %d right (%s), %.1f %%; with so few items anything from %.1f to %.1f %% is likely\n", right, items, text_of(v, "score"), 100 * fr_json_number(fr_json_get(v, "accuracy")),
            100 * fr_json_number(fr_json_get(v, "low")), 100 * fr_json_number(fr_json_get(v, "high")));
    if (failed) fprintf(out, "%d never gave an answer of the right form; they count as wrong\n", failed);
    fprintf(out, "%.0f calls, %.0f tokens read, %.0f written\n", fr_json_number(fr_json_get(v, "calls")), fr_json_number(fr_json_get(v, "prompt_tokens")), fr_json_number(fr_json_get(v, "answer_tokens")));
    if (fr_json_size(fr_json_get(v, "misses"))) print_value(out, fr_json_get(v, "misses"), "item want got");
}
