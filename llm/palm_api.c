// palm_api.c — requests in. palm_answer.c writes what goes out.
#include "llm/palm_api.h"
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/mem.h"
#include "llm/palm_inside.h"

#define AUTHOR_DEFAULT "1"                 // as Google's server names the one that answers

static const char *const methods[PALM_METHODS] = { "generateText", "generateMessage", "embedText", "batchEmbedText", "countTextTokens", "countMessageTokens" };
static const char *const categories[] = { "HARM_CATEGORY_UNSPECIFIED", "HARM_CATEGORY_DEROGATORY", "HARM_CATEGORY_TOXICITY", "HARM_CATEGORY_VIOLENCE", "HARM_CATEGORY_SEXUAL",
                                          "HARM_CATEGORY_MEDICAL", "HARM_CATEGORY_DANGEROUS" };
static const char *const thresholds[] = { "HARM_BLOCK_THRESHOLD_UNSPECIFIED", "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE" };
#define COUNT(list) ((int)(sizeof(list) / sizeof(list)[0]))

const char *palm_category_name(int category) { return categories[category]; }
const char *palm_threshold_name(int threshold) { return thresholds[threshold]; }

bool palm_method_parse(const char *name, enum palm_method *ret)
{
    for (int i = 0; i < PALM_METHODS; i++) {
        if (strcmp(methods[i], name) != 0) continue;
        *ret = (enum palm_method)i;
        return true;
    }
    return false;
}

// What is wrong with a request is told under one code, whatever the reader of JSON called it.
static enum fr_status refused(enum fr_status st, struct fr_err *err)
{
    if (st == FR_E_INVALID && err) snprintf(err->code, sizeof err->code, "llm_request");
    return st;
}
#define REFUSE(err, ...) FR_FAIL_CODE((err), FR_E_INVALID, "llm_request", __VA_ARGS__)

// Either spelling of a member; both at once are refused with the unknown ones.
static const struct fr_json *get(const struct fr_json *o, const char *camel, const char *snake)
{
    const struct fr_json *v = fr_json_get(o, camel);
    if (!v) v = fr_json_get(o, snake);
    return v && fr_json_kind(v) != JSON_NULL ? v : NULL;
}

static enum fr_status need_text(const struct fr_json *v, const char *name, bool may_be_empty, const char **ret, struct fr_err *err)
{
    const char *text = fr_json_text(v);
    if (!v) return REFUSE(err, "%s: it is missing", name);
    if (!text) return REFUSE(err, "%s: expected a string, got %s", name, fr_json_kind_name(fr_json_kind(v)));
    if (!text[0] && !may_be_empty) return REFUSE(err, "%s: it is empty", name);
    *ret = text;
    return FR_OK;
}

static enum fr_status opt_number(const struct fr_json *v, const char *name, double least, double most, bool whole, double *ret, struct fr_err *err)
{
    if (!v) return FR_OK;
    double n = fr_json_number(v);
    if (fr_json_kind(v) != JSON_NUMBER || !(n >= least && n <= most) || (whole && n != (double)(int64_t)n))
        return REFUSE(err, "%s: expected a %s from %g to %g", name, whole ? "whole number" : "number", least, most);
    *ret = n;
    return FR_OK;
}

// ---- sampling -------------------------------------------------------------------------------------------------------

static enum fr_status read_candidates(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    double n = 1;
    FR_TRY(opt_number(get(o, "candidateCount", "candidate_count"), "candidateCount", 1, PALM_CANDIDATES_MAX, true, &n, err));
    r->candidates = (int)n;
    if (r->candidates > 1) fr_buf_addf(&r->body, ",\"n\":%d", r->candidates);
    return FR_OK;
}

static enum fr_status read_sampling(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    double temperature = -1, top_p = -1, top_k = 0;
    FR_TRY(opt_number(get(o, "temperature", "temperature"), "temperature", 0, 1, false, &temperature, err));
    FR_TRY(opt_number(get(o, "topP", "top_p"), "topP", 0, 1, false, &top_p, err));
    FR_TRY(opt_number(get(o, "topK", "top_k"), "topK", 1, 1000000, true, &top_k, err));
    FR_TRY(read_candidates(o, r, err));
    if (top_k == 1) temperature = 0;
    if (temperature >= 0) fr_buf_addf(&r->body, ",\"temperature\":%.9g", temperature);
    if (top_p >= 0) fr_buf_addf(&r->body, ",\"top_p\":%.9g", top_p);
    return FR_OK;
}

static enum fr_status read_stops(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    const struct fr_json *list = get(o, "stopSequences", "stop_sequences");
    if (!list) return FR_OK;
    if (fr_json_kind(list) != JSON_ARRAY || fr_json_size(list) > PALM_STOPS_MAX) return REFUSE(err, "stopSequences: expected an array of at most %d strings", PALM_STOPS_MAX);
    for (const struct fr_json *s = fr_json_child(list); s; s = fr_json_next(s)) {
        const char *text = fr_json_text(s);
        if (!text || !text[0] || strlen(text) > 256) return REFUSE(err, "stopSequences: expected strings of 1 to 256 bytes");
        r->stops[r->stop_count] = fr_strndup(text, strlen(text));
        if (!r->stops[r->stop_count++]) return FR_FAIL(err, FR_E_NOMEM, "no memory for a request");
    }
    for (int i = 0; i < r->stop_count; i++) {
        fr_buf_add(&r->body, i ? "," : ",\"stop\":[");
        fr_buf_add_json_text(&r->body, r->stops[i]);
    }
    if (r->stop_count) fr_buf_add(&r->body, "]");
    return FR_OK;
}

// ---- safety ---------------------------------------------------------------------------------------------------------

static enum fr_status read_enum(const struct fr_json *v, const char *name, const char *const *names, int count, int *ret, struct fr_err *err)
{
    double n = 0;
    const char *text = fr_json_text(v);
    for (int i = 0; text && i < count; i++) {
        if (strcmp(names[i], text) != 0) continue;
        *ret = i;
        return FR_OK;
    }
    if (text || (v && fr_json_kind(v) != JSON_NUMBER)) return REFUSE(err, "safetySettings: \"%.40s\" is no %s", text ? text : "", name);
    FR_TRY(opt_number(v, "safetySettings", 0, count - 1, true, &n, err));
    *ret = (int)n;
    return FR_OK;
}

static enum fr_status read_safety(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    static const char *const keys[] = { "category", "threshold", NULL };
    const struct fr_json *list = get(o, "safetySettings", "safety_settings");
    if (!list) return FR_OK;
    if (fr_json_kind(list) != JSON_ARRAY) return REFUSE(err, "safetySettings: expected an array");
    for (const struct fr_json *s = fr_json_child(list); s; s = fr_json_next(s)) {
        struct palm_safety one = { 0, 0 };
        if (fr_json_kind(s) != JSON_OBJECT) return REFUSE(err, "safetySettings: expected objects");
        FR_TRY(fr_json_only_keys(s, keys, "safetySettings", err));
        FR_TRY(read_enum(fr_json_get(s, "category"), "category", categories, COUNT(categories), &one.category, err));
        FR_TRY(read_enum(fr_json_get(s, "threshold"), "threshold", thresholds, COUNT(thresholds), &one.threshold, err));
        if (one.category == 0) return REFUSE(err, "safetySettings: each needs a category");
        for (int i = 0; i < r->safety_count; i++) if (r->safety[i].category == one.category) return REFUSE(err, "safetySettings: %s is there twice", categories[one.category]);
        r->safety[r->safety_count++] = one;          // one for each category: they fit
    }
    return FR_OK;
}

// ---- prompts --------------------------------------------------------------------------------------------------------

static enum fr_status read_prompt_text(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    static const char *const keys[] = { "text", NULL };
    const struct fr_json *prompt = fr_json_get(o, "prompt");
    const char *text;
    if (!prompt || fr_json_kind(prompt) != JSON_OBJECT) return REFUSE(err, "prompt: expected {\"text\": ..}");
    FR_TRY(fr_json_only_keys(prompt, keys, "prompt", err));
    FR_TRY(need_text(fr_json_get(prompt, "text"), "prompt.text", false, &text, err));
    fr_buf_add(&r->body, "\"messages\":[{\"role\":\"user\",\"content\":");
    fr_buf_add_json_text(&r->body, text);
    fr_buf_add(&r->body, "}]");
    return FR_OK;
}

static enum fr_status read_message(const struct fr_json *m, const char *where, const char **author, const char **content, struct fr_err *err)
{
    static const char *const keys[] = { "author", "content", "citationMetadata", "citation_metadata", NULL };
    char name[60];
    snprintf(name, sizeof name, "%s.content", where);
    if (!m || fr_json_kind(m) != JSON_OBJECT) return REFUSE(err, "%s: expected {\"content\": ..}", where);
    FR_TRY(fr_json_only_keys(m, keys, where, err));
    FR_TRY(need_text(fr_json_get(m, "content"), name, true, content, err));
    const struct fr_json *who = get(m, "author", "author");
    *author = who ? fr_json_text(who) : "";
    if (!*author || strlen(*author) >= sizeof ((struct palm_request *)0)->author) return REFUSE(err, "%s.author: expected a string of at most 63 bytes", where);
    return FR_OK;
}

static void put_turn(struct palm_request *r, const char *role, const char *content)
{
    if (r->body.data[r->body.len - 1] != '[') fr_buf_add(&r->body, ",");
    fr_buf_addf(&r->body, "{\"role\":\"%s\",\"content\":", role);
    fr_buf_add_json_text(&r->body, content);
    fr_buf_add(&r->body, "}");
}

static enum fr_status read_examples(const struct fr_json *prompt, struct palm_request *r, struct fr_err *err)
{
    static const char *const keys[] = { "input", "output", NULL };
    const struct fr_json *list = get(prompt, "examples", "examples");
    const char *author, *input, *output;
    if (!list) return FR_OK;
    if (fr_json_kind(list) != JSON_ARRAY) return REFUSE(err, "prompt.examples: expected an array");
    for (const struct fr_json *e = fr_json_child(list); e; e = fr_json_next(e)) {
        if (fr_json_kind(e) != JSON_OBJECT) return REFUSE(err, "prompt.examples: expected objects");
        FR_TRY(fr_json_only_keys(e, keys, "prompt.examples", err));
        FR_TRY(read_message(fr_json_get(e, "input"), "prompt.examples.input", &author, &input, err));
        FR_TRY(read_message(fr_json_get(e, "output"), "prompt.examples.output", &author, &output, err));
        put_turn(r, "user", input);
        put_turn(r, "assistant", output);
    }
    return FR_OK;
}

// Without names the turns alternate, and the last one is who asks. (from the end: 0, 1, ..)
static bool asks(const char *author, const char *last_author, int from_end)
{
    return author[0] || last_author[0] ? strcmp(author, last_author) == 0 : from_end % 2 == 0;
}

static enum fr_status read_messages(const struct fr_json *prompt, struct palm_request *r, struct fr_err *err)
{
    const struct fr_json *list = get(prompt, "messages", "messages"), *last = NULL;
    const char *author, *content, *last_author = "";
    if (!list || fr_json_kind(list) != JSON_ARRAY || fr_json_size(list) == 0) return REFUSE(err, "prompt.messages: expected an array of messages");
    for (const struct fr_json *m = fr_json_child(list); m; m = fr_json_next(m)) last = m;
    FR_TRY(read_message(last, "prompt.messages", &last_author, &content, err));
    int from_end = fr_json_size(list);
    snprintf(r->author, sizeof r->author, "%s", strcmp(last_author, AUTHOR_DEFAULT) == 0 ? "0" : AUTHOR_DEFAULT);
    for (const struct fr_json *m = fr_json_child(list); m; m = fr_json_next(m)) {
        FR_TRY(read_message(m, "prompt.messages", &author, &content, err));
        bool user = asks(author, last_author, --from_end);
        if (!user && author[0]) snprintf(r->author, sizeof r->author, "%s", author);
        put_turn(r, user ? "user" : "assistant", content);
        palm_message_print(&r->messages, author[0] ? author : user ? "0" : "1", content, strlen(content));
    }
    return FR_OK;
}

static enum fr_status read_prompt_messages(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    static const char *const keys[] = { "context", "examples", "messages", NULL };
    const struct fr_json *prompt = fr_json_get(o, "prompt"), *context = get(prompt, "context", "context");
    const char *text = "";
    if (!prompt || fr_json_kind(prompt) != JSON_OBJECT) return REFUSE(err, "prompt: expected {\"messages\": [..]}");
    FR_TRY(fr_json_only_keys(prompt, keys, "prompt", err));
    if (context) FR_TRY(need_text(context, "prompt.context", true, &text, err));
    fr_buf_add(&r->body, "\"messages\":[");
    fr_buf_add(&r->messages, "[");
    if (text[0]) put_turn(r, "system", text);
    FR_TRY(read_examples(prompt, r, err));
    FR_TRY(read_messages(prompt, r, err));
    fr_buf_add(&r->messages, "]");
    fr_buf_add(&r->body, "]");
    return FR_OK;
}

// ---- the methods ----------------------------------------------------------------------------------------------------

static enum fr_status read_generate_text(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    static const char *const keys[] = { "model", "prompt", "temperature", "candidateCount", "candidate_count", "maxOutputTokens", "max_output_tokens", "topP", "top_p", "topK", "top_k",
                                        "safetySettings", "safety_settings", "stopSequences", "stop_sequences", NULL };
    double most = PALM_TEXT_TOKENS_DEFAULT;
    FR_TRY(fr_json_only_keys(o, keys, "", err));
    FR_TRY(read_prompt_text(o, r, err));
    FR_TRY(read_sampling(o, r, err));
    FR_TRY(opt_number(get(o, "maxOutputTokens", "max_output_tokens"), "maxOutputTokens", 1, LLM_ANSWER_TOKENS_MAX, true, &most, err));
    fr_buf_addf(&r->body, ",\"max_tokens\":%d", (int)most);
    FR_TRY(read_stops(o, r, err));
    return read_safety(o, r, err);
}

static enum fr_status read_generate_message(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    static const char *const keys[] = { "model", "prompt", "temperature", "candidateCount", "candidate_count", "topP", "top_p", "topK", "top_k", NULL };
    FR_TRY(fr_json_only_keys(o, keys, "", err));
    FR_TRY(read_prompt_messages(o, r, err));
    return read_sampling(o, r, err);
}

static enum fr_status read_embed_text(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    static const char *const keys[] = { "model", "text", NULL };
    const char *text;
    FR_TRY(fr_json_only_keys(o, keys, "", err));
    FR_TRY(need_text(fr_json_get(o, "text"), "text", false, &text, err));
    fr_buf_add(&r->body, "\"input\":");
    fr_buf_add_json_text(&r->body, text);
    return FR_OK;
}

static enum fr_status read_batch_embed(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    static const char *const keys[] = { "model", "texts", NULL };
    const struct fr_json *list = fr_json_get(o, "texts");
    const char *text;
    FR_TRY(fr_json_only_keys(o, keys, "", err));
    if (!list || fr_json_kind(list) != JSON_ARRAY || fr_json_size(list) == 0 || fr_json_size(list) > PALM_BATCH_MAX) return REFUSE(err, "texts: expected an array of 1 to %d strings", PALM_BATCH_MAX);
    for (const struct fr_json *t = fr_json_child(list); t; t = fr_json_next(t)) {
        FR_TRY(need_text(t, "texts", false, &text, err));
        fr_buf_add(&r->body, t == fr_json_child(list) ? "\"input\":[" : ",");
        fr_buf_add_json_text(&r->body, text);
    }
    fr_buf_add(&r->body, "]");
    return FR_OK;
}

static enum fr_status read_count(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    static const char *const keys[] = { "model", "prompt", NULL };
    FR_TRY(fr_json_only_keys(o, keys, "", err));
    return r->method == PALM_COUNT_TEXT_TOKENS ? read_prompt_text(o, r, err) : read_prompt_messages(o, r, err);
}

static enum fr_status read_method(const struct fr_json *o, struct palm_request *r, struct fr_err *err)
{
    switch (r->method) {
    case PALM_GENERATE_TEXT:    return read_generate_text(o, r, err);
    case PALM_GENERATE_MESSAGE: return read_generate_message(o, r, err);
    case PALM_EMBED_TEXT:       return read_embed_text(o, r, err);
    case PALM_BATCH_EMBED_TEXT: return read_batch_embed(o, r, err);
    default:                    return read_count(o, r, err);
    }
}

static bool is_googles(const char *model)
{
    static const char *const names[] = { "text-bison-001", "chat-bison-001", "embedding-gecko-001", "embedding-gecko-002" };
    for (int i = 0; i < COUNT(names); i++) if (strcmp(names[i], model) == 0) return true;
    return false;
}

static enum fr_status read_model(const struct fr_json *o, const char *model, struct palm_request *r, struct fr_err *err)
{
    const struct fr_json *said = get(o, "model", "model");
    const char *text = fr_json_text(said);
    if (said && (!text || strncmp(text, "models/", 7) != 0 || strcmp(text + 7, model) != 0)) return REFUSE(err, "model: it is not that of the path, \"models/%.63s\"", model);
    if (strlen(model) >= sizeof r->model) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "model_unknown", "there is no model \"%.80s\" here", model);
    if (is_googles(model)) return FR_OK;
    snprintf(r->model, sizeof r->model, "%s", model);
    fr_buf_add(&r->body, "\"model\":");
    fr_buf_add_json_text(&r->body, model);
    fr_buf_add(&r->body, ",");
    return FR_OK;
}

enum fr_status palm_request_read(enum palm_method method, const char *model, const char *body, size_t len, struct palm_request *ret, struct fr_err *err)
{
    FR_AUTO(fr_json) json = NULL;
    *ret = (struct palm_request){ .method = method, .kind = method == PALM_EMBED_TEXT || method == PALM_BATCH_EMBED_TEXT ? LLM_EMBED : LLM_CHAT, .candidates = 1 };
    fr_buf_init(&ret->body, LLM_BODY_BYTES_MAX);
    fr_buf_init(&ret->messages, LLM_BODY_BYTES_MAX);
    FR_TRY(refused(fr_json_parse(body, len, &json, err), err));
    if (fr_json_kind(json) != JSON_OBJECT) return REFUSE(err, "the body must be an object, not %s", fr_json_kind_name(fr_json_kind(json)));
    fr_buf_add(&ret->body, "{");
    FR_TRY(read_model(json, model, ret, err));
    FR_TRY(refused(read_method(json, ret, err), err));
    fr_buf_add(&ret->body, "}");
    if (ret->body.failed || ret->messages.failed) return FR_FAIL_CODE(err, FR_E_LIMIT, "too_large", "the request is over %d bytes", LLM_BODY_BYTES_MAX);
    return FR_OK;
}

void palm_request_clear(struct palm_request *r)
{
    fr_buf_free(&r->body);
    fr_buf_free(&r->messages);
    for (int i = 0; i < r->stop_count; i++) fr_free(r->stops[i]);
    r->stop_count = 0;
}
