// translate.c — protected, asked for as JSON, checked piece by piece, put together again.
#include "llm/translate.h"
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/mem.h"
#include "llm/fence.h"
#include "llm/languages.h"
#include "llm/prompts.h"
#include "llm/protect.h"
#include "llm/schema_json.h"

#define GLOSSARY_MAX 200
#define LENGTH_FACTOR 8                    // bytes: English to Burmese takes 4 to 5

static const char schema_plain[] = "{\"type\":\"object\",\"properties\":{\"translation\":{\"type\":\"string\",\"minLength\":1}},\"required\":[\"translation\"]}";
static const char schema_notes[] = "{\"type\":\"object\",\"properties\":{\"translation\":{\"type\":\"string\",\"minLength\":1},\"idioms\":{\"type\":\"array\",\"maxItems\":20,\"items\":{\"type\":\"object\",\"properties\":{"
    "\"source\":{\"type\":\"string\"},\"meaning\":{\"type\":\"string\"},\"rendering\":{\"type\":\"string\"}},\"required\":[\"source\",\"meaning\",\"rendering\"]}}},\"required\":[\"translation\",\"idioms\"]}";

struct translation {
    llm_value_fn *done; void *arg;
    struct llm_protected *kept;
    const struct llm_language *from, *to; bool sure;
    size_t source_bytes;
};

static void translation_free(struct translation *t)
{
    llm_protected_free(t->kept);
    fr_free(t);
}

static enum fr_status translation_check(void *arg, const struct fr_json *value, struct fr_err *err)
{
    struct translation *t = arg;
    const char *text = fr_json_text(fr_json_get(value, "translation"));
    if (strspn(text, " \t\r\n") == strlen(text)) return FR_FAIL(err, FR_E_INVALID, "the translation is empty");
    if (strlen(text) > LENGTH_FACTOR * t->source_bytes + 400) return FR_FAIL(err, FR_E_INVALID, "the translation is far longer than the text");
    return llm_protected_check(t->kept, text, err);
}

static void print_restored(const struct translation *t, const char *text, struct fr_buf *out)
{
    FR_AUTO_BUF(whole);
    fr_buf_init(&whole, LLM_ANSWER_BYTES_MAX);
    llm_protected_restore(t->kept, text, &whole);
    if (whole.failed) out->failed = true;
    else fr_buf_add_json_text(out, whole.len ? whole.data : "");
}

static void translation_print(const struct translation *t, const struct fr_json *value, struct fr_buf *out)
{
    static const char *const members[] = { "source", "meaning", "rendering" };
    const struct fr_json *idioms = fr_json_get(value, "idioms");
    fr_buf_add(out, "{\"text\":");
    print_restored(t, fr_json_text(fr_json_get(value, "translation")), out);
    fr_buf_addf(out, ",\"from\":\"%s\",\"to\":\"%s\",\"sure\":%s,\"idioms\":[", t->from->tag, t->to->tag, t->sure ? "true" : "false");
    for (const struct fr_json *i = fr_json_child(idioms); i; i = fr_json_next(i)) {
        if (i != fr_json_child(idioms)) fr_buf_add_char(out, ',');
        for (int m = 0; m < 3; m++) {
            fr_buf_addf(out, "%s\"%s\":", m ? "," : "{", members[m]);
            print_restored(t, fr_json_text(fr_json_get(i, members[m])), out);
        }
        fr_buf_add_char(out, '}');
    }
    fr_buf_add(out, "]}");
}

static void translation_on_value(void *arg, enum fr_status st, const struct llm_value *v, const struct fr_err *err)
{
    struct translation *t = arg;
    FR_AUTO(fr_json) value = NULL;
    FR_AUTO_BUF(out);
    struct fr_err mine;
    fr_buf_init(&out, LLM_ANSWER_BYTES_MAX);
    if (st == FR_OK) {
        err = &mine;
        st = fr_json_parse(v->json, v->len, &value, &mine);
        if (st == FR_OK) translation_print(t, value, &out);
        if (st == FR_OK) st = fr_buf_check(&out, "the translation", &mine);
    }
    struct llm_value mine_value = { .json = st == FR_OK ? out.data : NULL, .len = st == FR_OK ? out.len : 0, .spent = v->spent };
    t->done(t->arg, st, &mine_value, st == FR_OK ? NULL : err);
    translation_free(t);
}

static enum fr_status translation_languages(struct translation *t, const struct llm_translate_ask *ask, struct fr_err *err)
{
    t->to = llm_language(ask->to);
    if (!t->to) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "to: \"%.20s\" is no language of the %d known here", ask->to, llm_language_count);
    t->from = ask->from ? llm_language(ask->from) : llm_language_detect(ask->text, &t->sure);
    if (ask->from) t->sure = true;
    if (!t->from) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "from: \"%.20s\" is no language of the %d known here", ask->from, llm_language_count);
    if (!ask->glossary) return FR_OK;
    if (fr_json_kind(ask->glossary) != JSON_OBJECT || fr_json_size(ask->glossary) > GLOSSARY_MAX) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "glossary: at most %d terms, each with its translation", GLOSSARY_MAX);
    for (const struct fr_json *g = fr_json_child(ask->glossary); g; g = fr_json_next(g))
        if (!*fr_json_key(g) || !fr_json_text(g)) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "glossary: each term has a text as its translation");
    return FR_OK;
}

static enum fr_status translation_ask(struct translation *t, const struct llm_by *by, const struct llm_translate_ask *ask, struct fr_err *err)
{
    FR_AUTO(fr_json) prompts = NULL;
    FR_AUTO(fr_json) schema = NULL;
    FR_AUTO_BUF(text); FR_AUTO_BUF(user); FR_AUTO_BUF(system); FR_AUTO_BUF(messages);
    struct fr_buf *all[] = { &text, &user, &system, &messages };
    for (int i = 0; i < 4; i++) fr_buf_init(all[i], LLM_BODY_BYTES_MAX);
    const char *shape = ask->notes ? schema_notes : schema_plain;
    bool korean = strcmp(t->to->tag, "ko") == 0;
    FR_TRY(fr_json_parse(shape, strlen(shape), &schema, err));
    FR_TRY(fr_json_parse(llm_translate_prompt.text, (size_t)(llm_translate_prompt.end - llm_translate_prompt.text), &prompts, err));
    FR_TRY(llm_protect(ask->text, ask->glossary, &t->kept, &text, err));
    fr_buf_addf(&system, "%s%s%s\n\n%s", fr_json_text(fr_json_get(prompts, "system")), korean ? " " : "", korean ? fr_json_text(fr_json_get(prompts, "korean")) : "", llm_fence_rule);
    fr_buf_addf(&user, "Translate this text from %s (%s) into %s (%s). %s\n", t->from->name, t->from->tag, t->to->name, t->to->tag, ask->notes ? fr_json_text(fr_json_get(prompts, "idioms")) : "");
    llm_fence_add("text", text.len ? text.data : "", text.len, &user);
    FR_TRY(fr_buf_check(&user, "the prompt", err));
    llm_message_add(&messages, "user", user.data);
    int tokens = (int)(text.len * 2) + 120;
    struct llm_json_ask json = { .system = system.data, .messages = &messages, .schema = schema, .name = "translation", .max_tokens = tokens > LLM_ANSWER_TOKENS_MAX ? LLM_ANSWER_TOKENS_MAX : tokens, .temperature = 0.2,
                                 .check = translation_check, .done = translation_on_value, .arg = t };
    struct llm_by named = *by;             // a source that was only guessed names nothing
    snprintf(named.languages, sizeof named.languages, "%s%s%s", t->to->tag, ask->from ? "," : "", ask->from ? t->from->tag : "");
    return llm_json_start(&named, &json, err);
}

enum fr_status llm_translate_start(const struct llm_by *by, const struct llm_translate_ask *ask, struct fr_err *err)
{
    struct translation *t = fr_alloc(sizeof *t);
    if (!t) return FR_FAIL(err, FR_E_NOMEM, "no memory for a translation");
    t->done = ask->done;
    t->arg = ask->arg;
    t->source_bytes = strlen(ask->text);
    enum fr_status st = translation_languages(t, ask, err);
    if (st == FR_OK) st = translation_ask(t, by, ask, err);
    if (st != FR_OK) translation_free(t);
    return st;
}
