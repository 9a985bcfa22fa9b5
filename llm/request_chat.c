// request_chat.c — the parts of a chat: messages and their parts, functions that may be called, the shape of the answer.
#include <string.h>
#include "base/limits.h"
#include "llm/request_inside.h"

#define MESSAGE_TOKENS 8                   // the marks around a message: templates use 4 to 7
#define MEDIA_TOKENS 1024                  // a picture in tiles; half a minute of speech
#define NAME_BYTES_MAX 64
#define ID_BYTES_MAX 256

static bool is_null(const struct fr_json *v) { return !v || fr_json_kind(v) == JSON_NULL; }

static enum fr_status look_at_function_name(const struct looking *l, const struct fr_json *o, const struct at *at)
{
    const char *name;
    LOOK(l, at, fr_json_need_text(o, "name", 1, NAME_BYTES_MAX, &name, l->err));
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_' || *c == '-')) return REFUSE(l, at, "name", "expected letters, digits, _ and -");
    return FR_OK;
}

static enum fr_status look_at_type(const struct looking *l, const struct fr_json *o, const struct at *at)
{
    const char *type;
    LOOK(l, at, fr_json_need_text(o, "type", 1, 32, &type, l->err));
    return strcmp(type, "function") == 0 ? FR_OK : REFUSE(l, at, "type", "expected \"function\"");
}

// A member that is an object, with known members only.
static enum fr_status look_at_object(const struct looking *l, const struct fr_json *o, const char *key, const char *const *keys, const struct at *at, const struct fr_json **ret)
{
    struct at inside = { at, key, 0 };
    LOOK(l, at, fr_json_need_object(o, key, ret, l->err));
    LOOK(l, &inside, fr_json_only_keys(*ret, keys, "", l->err));
    return FR_OK;
}

// ---- parts of a message -------------------------------------------------------------------------------------------

// The format that a data: URL claims, and where its base64 begins; NULL when it is none.
static const char *data_url(const char *url, char claimed[16])
{
    const char *comma = strchr(url, ','), *end;
    if (strncmp(url, "data:image/", 11) != 0 || !comma || comma - url < 19 || strncmp(comma - 7, ";base64", 7) != 0) return NULL;
    end = memchr(url, ';', (size_t)(comma - url));
    size_t len = (size_t)(end - url) - 11;
    if (len == 0 || len >= 16) return NULL;
    memcpy(claimed, url + 11, len);
    claimed[len] = 0;
    return comma + 1;
}

static enum fr_status look_at_picture(struct looking *l, const struct fr_json *part, const struct at *at)
{
    static const char *const keys[] = { "type", "image_url", NULL }, *const url_keys[] = { "url", "detail", NULL };
    struct at inside = { at, "image_url", 0 };
    const struct fr_json *o;
    const char *url, *detail, *base64, *is;
    char claimed[16];
    LOOK(l, at, fr_json_only_keys(part, keys, "", l->err));
    FR_TRY(look_at_object(l, part, "image_url", url_keys, at, &o));
    LOOK(l, &inside, fr_json_need_text(o, "url", 1, LLM_BODY_BYTES_MAX, &url, l->err));
    LOOK(l, &inside, fr_json_opt_text(o, "detail", 8, "auto", &detail, l->err));
    if (strcmp(detail, "auto") != 0 && strcmp(detail, "low") != 0 && strcmp(detail, "high") != 0) return REFUSE(l, &inside, "detail", "expected \"auto\", \"low\" or \"high\"");
    base64 = data_url(url, claimed);
    if (!base64) return REFUSE(l, &inside, "url", "expected \"data:image/..;base64,..\": nothing is fetched");
    is = llm_media_sniff(base64, strlen(base64), MEDIA_PICTURE);
    if (!is[0]) return REFUSE(l, &inside, "url", "no PNG, JPEG, GIF or WebP in base64");
    if (strcmp(is, claimed) != 0 && !(strcmp(is, "jpeg") == 0 && strcmp(claimed, "jpg") == 0)) return REFUSE(l, &inside, "url", "it is image/%s and says something else", is);
    l->r->need |= LLM_CAN_VISION;
    l->tokens += MEDIA_TOKENS;
    return ++l->pictures <= LLM_PICTURES_MAX ? FR_OK : REFUSE(l, at, "", "over %d pictures and sounds", LLM_PICTURES_MAX);
}

static enum fr_status look_at_sound(struct looking *l, const struct fr_json *part, const struct at *at)
{
    static const char *const keys[] = { "type", "input_audio", NULL }, *const sound_keys[] = { "data", "format", NULL };
    struct at inside = { at, "input_audio", 0 };
    const struct fr_json *o;
    const char *data, *format, *is;
    LOOK(l, at, fr_json_only_keys(part, keys, "", l->err));
    FR_TRY(look_at_object(l, part, "input_audio", sound_keys, at, &o));
    LOOK(l, &inside, fr_json_need_text(o, "data", 1, LLM_BODY_BYTES_MAX, &data, l->err));
    LOOK(l, &inside, fr_json_need_text(o, "format", 1, 8, &format, l->err));
    is = llm_media_sniff(data, strlen(data), MEDIA_SOUND);
    if (!is[0]) return REFUSE(l, &inside, "data", "no WAV, MP3, FLAC or OGG in base64");
    if (strcmp(is, format) != 0) return REFUSE(l, &inside, "format", "it is %s and says something else", is);
    l->r->need |= LLM_CAN_AUDIO;
    l->tokens += MEDIA_TOKENS + (int64_t)(strlen(data) / 1000);
    return ++l->pictures <= LLM_PICTURES_MAX ? FR_OK : REFUSE(l, at, "", "over %d pictures and sounds", LLM_PICTURES_MAX);
}

static enum fr_status look_at_part(struct looking *l, const struct fr_json *part, const struct at *at)
{
    static const char *const keys[] = { "type", "text", NULL };
    const char *type, *text;
    LOOK(l, at, fr_json_need_text(part, "type", 1, 32, &type, l->err));
    if (strcmp(type, "image_url") == 0) return look_at_picture(l, part, at);
    if (strcmp(type, "input_audio") == 0) return look_at_sound(l, part, at);
    if (strcmp(type, "text") != 0) return REFUSE(l, at, "type", "expected \"text\", \"image_url\" or \"input_audio\"");
    LOOK(l, at, fr_json_only_keys(part, keys, "", l->err));
    LOOK(l, at, fr_json_need_text(part, "text", 0, LLM_BODY_BYTES_MAX, &text, l->err));
    l->tokens += llm_tokens_estimate(text);
    return FR_OK;
}

// ---- a message ----------------------------------------------------------------------------------------------------

static enum fr_status look_at_call(struct looking *l, const struct fr_json *call, const struct at *at)
{
    static const char *const keys[] = { "id", "type", "function", "index", NULL }, *const function_keys[] = { "name", "arguments", NULL };
    struct at inside = { at, "function", 0 };
    const struct fr_json *o;
    const char *text;
    LOOK(l, at, fr_json_need_text(call, "id", 1, ID_BYTES_MAX, &text, l->err));
    LOOK(l, at, fr_json_only_keys(call, keys, "", l->err));
    FR_TRY(look_at_type(l, call, at));
    FR_TRY(look_at_object(l, call, "function", function_keys, at, &o));
    FR_TRY(look_at_function_name(l, o, &inside));
    LOOK(l, &inside, fr_json_need_text(o, "arguments", 0, LLM_BODY_BYTES_MAX, &text, l->err));
    l->tokens += MESSAGE_TOKENS + llm_tokens_estimate(text);
    return FR_OK;
}

static enum fr_status look_at_calls(struct looking *l, const struct fr_json *m, const struct at *at)
{
    struct at list_at = { at, "tool_calls", 0 }, one_at = { &list_at, NULL, 0 };
    const struct fr_json *list;
    LOOK(l, at, fr_json_need_array(m, "tool_calls", 1, LLM_TOOL_CALLS_MAX, &list, l->err));
    for (const struct fr_json *c = fr_json_child(list); c; c = fr_json_next(c), one_at.index++) FR_TRY(look_at_call(l, c, &one_at));
    return FR_OK;
}

static enum fr_status look_at_content(struct looking *l, const struct fr_json *m, const struct at *at, bool optional)
{
    struct at list_at = { at, "content", 0 }, one_at = { &list_at, NULL, 0 };
    const struct fr_json *content = fr_json_get(m, "content");
    if (is_null(content)) return optional ? FR_OK : REFUSE(l, at, "content", "expected a string or an array, got nothing");
    if (fr_json_kind(content) == JSON_STRING) {
        l->tokens += llm_tokens_estimate(fr_json_text(content));
        return FR_OK;
    }
    if (fr_json_kind(content) != JSON_ARRAY || fr_json_size(content) == 0) return REFUSE(l, at, "content", "expected a string or an array of parts");
    for (const struct fr_json *part = fr_json_child(content); part; part = fr_json_next(part), one_at.index++) FR_TRY(look_at_part(l, part, &one_at));
    return FR_OK;
}

// Clients send answers back as they came, with members that say nothing.
static enum fr_status look_at_nothings(const struct looking *l, const struct fr_json *m, const struct at *at)
{
    static const char *const nothings[] = { "annotations", "audio", "function_call", "refusal", NULL };
    for (int i = 0; nothings[i]; i++) {
        const struct fr_json *v = fr_json_get(m, nothings[i]);
        if (!is_null(v) && !(fr_json_kind(v) == JSON_ARRAY && fr_json_size(v) == 0)) return REFUSE(l, at, nothings[i], "only null is taken");
    }
    return FR_OK;
}

static enum fr_status look_at_message(struct looking *l, const struct fr_json *m, const struct at *at)
{
    static const char *const keys[] = { "role", "content", "name", "tool_calls", "tool_call_id", "annotations", "audio", "function_call", "refusal", NULL };
    static const char *const roles[] = { "system", "developer", "user", "assistant", "tool", NULL };
    const char *role, *text;
    int no = 0;
    LOOK(l, at, fr_json_need_text(m, "role", 1, 16, &role, l->err));
    LOOK(l, at, fr_json_only_keys(m, keys, "", l->err));
    while (roles[no] && strcmp(roles[no], role) != 0) no++;
    if (!roles[no]) return REFUSE(l, at, "role", "expected system, developer, user, assistant or tool");
    bool assistant = no == 3, tool = no == 4, calls = !is_null(fr_json_get(m, "tool_calls"));
    LOOK(l, at, fr_json_opt_text(m, "name", NAME_BYTES_MAX, "", &text, l->err));
    if (calls && !assistant) return REFUSE(l, at, "tool_calls", "only an assistant calls");
    if (calls) FR_TRY(look_at_calls(l, m, at));
    if (tool) LOOK(l, at, fr_json_need_text(m, "tool_call_id", 1, ID_BYTES_MAX, &text, l->err));
    else if (!is_null(fr_json_get(m, "tool_call_id"))) return REFUSE(l, at, "tool_call_id", "only of a tool's message");
    if (calls || tool) l->r->need |= LLM_CAN_TOOLS;
    FR_TRY(look_at_nothings(l, m, at));
    l->tokens += MESSAGE_TOKENS;
    return look_at_content(l, m, at, calls);
}

enum fr_status llm_request_messages(struct looking *l)
{
    struct at list_at = { NULL, "messages", 0 }, one_at = { &list_at, NULL, 0 };
    const struct fr_json *list;
    LOOK(l, NULL, fr_json_need_array(l->json, "messages", 1, LLM_MESSAGES_MAX, &list, l->err));
    for (const struct fr_json *m = fr_json_child(list); m; m = fr_json_next(m), one_at.index++) FR_TRY(look_at_message(l, m, &one_at));
    l->tokens += MESSAGE_TOKENS;           // the mark after which the answer begins
    return FR_OK;
}

// ---- functions, and the answer's shape ----------------------------------------------------------------------------

static int64_t json_tokens(const struct fr_json *v)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 2 * LLM_BODY_BYTES_MAX);
    fr_json_print(v, &out);
    return out.data ? llm_tokens_estimate(out.data) : 0;
}

static enum fr_status look_at_tool(const struct looking *l, const struct fr_json *tool, const struct at *at)
{
    static const char *const keys[] = { "type", "function", NULL }, *const function_keys[] = { "name", "description", "parameters", "strict", NULL };
    struct at inside = { at, "function", 0 };
    const struct fr_json *o, *parameters;
    const char *text;
    bool strict;
    FR_TRY(look_at_type(l, tool, at));
    LOOK(l, at, fr_json_only_keys(tool, keys, "", l->err));
    FR_TRY(look_at_object(l, tool, "function", function_keys, at, &o));
    FR_TRY(look_at_function_name(l, o, &inside));
    LOOK(l, &inside, fr_json_opt_text(o, "description", 16384, "", &text, l->err));
    LOOK(l, &inside, fr_json_opt_bool(o, "strict", false, &strict, l->err));
    if (!is_null(fr_json_get(o, "parameters"))) LOOK(l, &inside, fr_json_need_object(o, "parameters", &parameters, l->err));
    return FR_OK;
}

static bool tool_is_there(const struct fr_json *tools, const char *name)
{
    for (const struct fr_json *t = fr_json_child(tools); t; t = fr_json_next(t))
        if (strcmp(fr_json_text(fr_json_get(fr_json_get(t, "function"), "name")), name) == 0) return true;
    return false;
}

static enum fr_status look_at_choice(const struct looking *l, const struct fr_json *tools)
{
    static const char *const keys[] = { "type", "function", NULL }, *const function_keys[] = { "name", NULL };
    struct at at = { NULL, "tool_choice", 0 }, inside = { &at, "function", 0 };
    const struct fr_json *choice = fr_json_get(l->json, "tool_choice"), *o;
    const char *text;
    if (is_null(choice)) return FR_OK;
    if (is_null(tools)) return REFUSE(l, &at, "", "there are no tools");
    if ((text = fr_json_text(choice)) != NULL) return strcmp(text, "none") == 0 || strcmp(text, "auto") == 0 || strcmp(text, "required") == 0 ? FR_OK : REFUSE(l, &at, "", "expected \"none\", \"auto\", \"required\" or a function");
    FR_TRY(look_at_object(l, l->json, "tool_choice", keys, NULL, &choice));
    FR_TRY(look_at_type(l, choice, &at));
    FR_TRY(look_at_object(l, choice, "function", function_keys, &at, &o));
    FR_TRY(look_at_function_name(l, o, &inside));
    return tool_is_there(tools, fr_json_text(fr_json_get(o, "name"))) ? FR_OK : REFUSE(l, &inside, "name", "no such function among the tools");
}

static enum fr_status look_at_format(struct looking *l)
{
    static const char *const keys[] = { "type", "json_schema", NULL }, *const schema_keys[] = { "name", "description", "schema", "strict", NULL };
    struct at at = { NULL, "response_format", 0 }, inside = { &at, "json_schema", 0 };
    const struct fr_json *o, *schema;
    const char *type, *text;
    bool strict;
    if (is_null(fr_json_get(l->json, "response_format"))) return FR_OK;
    FR_TRY(look_at_object(l, l->json, "response_format", keys, NULL, &o));
    LOOK(l, &at, fr_json_need_text(o, "type", 1, 16, &type, l->err));
    bool has_schema = strcmp(type, "json_schema") == 0;
    if (!has_schema && strcmp(type, "json_object") != 0 && strcmp(type, "text") != 0) return REFUSE(l, &at, "type", "expected \"text\", \"json_object\" or \"json_schema\"");
    if (!has_schema && !is_null(fr_json_get(o, "json_schema"))) return REFUSE(l, &at, "json_schema", "only with the type \"json_schema\"");
    if (strcmp(type, "text") != 0) l->r->need |= LLM_CAN_JSON;
    if (!has_schema) return FR_OK;
    FR_TRY(look_at_object(l, o, "json_schema", schema_keys, &at, &o));
    FR_TRY(look_at_function_name(l, o, &inside));
    LOOK(l, &inside, fr_json_opt_text(o, "description", 16384, "", &text, l->err));
    LOOK(l, &inside, fr_json_opt_bool(o, "strict", false, &strict, l->err));
    LOOK(l, &inside, fr_json_need_object(o, "schema", &schema, l->err));
    l->tokens += json_tokens(schema);      // some servers put it into the prompt
    return FR_OK;
}

enum fr_status llm_request_tools(struct looking *l)
{
    struct at list_at = { NULL, "tools", 0 }, one_at = { &list_at, NULL, 0 };
    const struct fr_json *tools = fr_json_get(l->json, "tools");
    if (!is_null(tools)) {
        LOOK(l, NULL, fr_json_need_array(l->json, "tools", 1, LLM_TOOLS_MAX, &tools, l->err));
        for (const struct fr_json *t = fr_json_child(tools); t; t = fr_json_next(t), one_at.index++) FR_TRY(look_at_tool(l, t, &one_at));
        l->r->need |= LLM_CAN_TOOLS;
        l->tokens += json_tokens(tools);
    }
    FR_TRY(look_at_choice(l, tools));
    return look_at_format(l);
}
