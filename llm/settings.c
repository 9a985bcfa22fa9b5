// settings.c — "models" of the config file, as plain values.
#include "llm/settings.h"
#include <stdio.h>
#include <string.h>

void llm_settings_default(struct llm_settings *s)
{
    *s = (struct llm_settings){ .engine = true, .cache_bytes = 16 << 20, .cache_ttl_ms = 600000, .queue_most = 1024, .hide_secrets = true };
    snprintf(s->default_model, sizeof s->default_model, "smollm2-135m-instruct");
    snprintf(s->asset, sizeof s->asset, "PALM");
}

static enum fr_status read_model(const struct fr_json *json, struct llm_model_settings *m, struct fr_err *err)
{
    const char *name, *as;
    FR_TRY(fr_json_need_text(json, "name", 1, sizeof m->name - 1, &name, err));
    FR_TRY(fr_json_opt_text(json, "as", sizeof m->as - 1, "", &as, err));
    snprintf(m->name, sizeof m->name, "%s", name);
    snprintf(m->as, sizeof m->as, "%s", as);
    snprintf(m->languages, sizeof m->languages, "*");
    m->can = LLM_CAN_CHAT | LLM_CAN_TEXT | LLM_CAN_EMBED | LLM_CAN_JSON | LLM_CAN_TOOLS | LLM_CAN_LOGPROBS;
    return fr_json_opt_int(json, "context", 1, 1 << 24, 8192, &m->context_tokens, err);
}

static enum fr_status read_backend(const struct fr_json *json, struct llm_backend_settings *b, struct fr_err *err)
{
    const char *name, *url;
    const struct fr_json *models;
    FR_TRY(fr_json_need_text(json, "name", 1, sizeof b->name - 1, &name, err));
    FR_TRY(fr_json_need_text(json, "url", 1, LLM_URL_BYTES - 1, &url, err));
    FR_TRY(fr_json_need_array(json, "models", 1, LLM_MODELS_MAX, &models, err));
    snprintf(b->name, sizeof b->name, "%s", name);
    snprintf(b->pods[0].url, sizeof b->pods[0].url, "%s", url);
    b->pod_count = 1;
    for (const struct fr_json *v = fr_json_child(models); v; v = fr_json_next(v)) FR_TRY(read_model(v, &b->models[b->model_count++], err));
    return FR_OK;
}

enum fr_status llm_settings_read(const struct fr_json *models, const char *folder, struct llm_settings *s, struct fr_err *err)
{
    const struct fr_json *list;
    const char *model;
    (void)folder;
    llm_settings_default(s);
    if (!models) return FR_OK;
    FR_TRY(fr_json_opt_bool(models, "engine", true, &s->engine, err));
    FR_TRY(fr_json_opt_text(models, "default", sizeof s->default_model - 1, s->default_model, &model, err));
    if (model != s->default_model) snprintf(s->default_model, sizeof s->default_model, "%s", model);
    if (!fr_json_get(models, "backends")) return FR_OK;
    FR_TRY(fr_json_need_array(models, "backends", 0, LLM_BACKENDS_MAX, &list, err));
    for (const struct fr_json *v = fr_json_child(list); v; v = fr_json_next(v)) FR_TRY(read_backend(v, &s->backends[s->backend_count++], err));
    return FR_OK;
}
