// palm: a stranger's request to the PaLM API, and a backend's answer to it. What is accepted is one that the core takes or refuses in words; what leaves is JSON, without stop text.
#include <string.h>
#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "llm/palm_api.h"
#include "llm/request.h"
#include "fuzz.h"

static void is_json(const struct fr_buf *b)
{
    struct fr_err err;
    HOLDS(!b->failed && fr_json_check(b->data, b->len, &err) == FR_OK);
}

static void refused(const struct fr_err *err)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 16 * 1024);
    HOLDS(err->status == FR_E_INVALID || err->status == FR_E_LIMIT || err->status == FR_E_NOT_FOUND);
    HOLDS(strcmp(err->code, "llm_request") == 0 || strcmp(err->code, "too_large") == 0 || strcmp(err->code, "model_unknown") == 0);
    palm_error_print(err, err->text, &out);
    is_json(&out);
}

static void stops_hold(const struct palm_request *r, const struct fr_buf *out)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err err;
    HOLDS(fr_json_parse(out->data, out->len, &json, &err) == FR_OK);
    for (const struct fr_json *c = fr_json_child(fr_json_get(json, "candidates")); c; c = fr_json_next(c)) {
        const char *text = fr_json_text(fr_json_get(c, "output"));
        for (int i = 0; text && i < r->stop_count; i++) HOLDS(!strstr(text, r->stops[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // method, length of the request (2 bytes), the request, the backend's answer
{
    struct fuzz_in in = { data, size };
    struct palm_request r;
    struct fr_err err;
    enum palm_method method = fuzz_byte(&in) % PALM_METHODS;
    size_t len = fuzz_byte(&in) | (size_t)fuzz_byte(&in) << 8;
    if (len > in.left) len = in.left;
    const char *body = (const char *)in.at, *answer = body + len;
    size_t answer_len = in.left - len;
    if (palm_request_read(method, "m", body, len, &r, &err) != FR_OK) {
        refused(&err);
        palm_request_clear(&r);
        return 0;
    }
    struct llm_request core = { 0 };
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4 << 20);
    is_json(&r.body);
    if (llm_request_parse(r.kind, r.body.data, r.body.len, &core, &err) == FR_OK) {
        HOLDS(core.prompt_tokens > 0 && strcmp(core.model, "m") == 0);
        llm_request_clear(&core);
    } else {
        HOLDS(err.text[0] && (err.status == FR_E_INVALID || err.status == FR_E_LIMIT));
    }
    if (r.kind == LLM_CHAT && method <= PALM_GENERATE_MESSAGE) {
        palm_refused_print(&r, "why", &out);
        is_json(&out);
        fr_buf_clear(&out);
    }
    if (palm_answer_print(&r, answer, answer_len, &out, &err) == FR_OK) {
        is_json(&out);
        stops_hold(&r, &out);
    } else {
        HOLDS(strcmp(err.code, "llm_nonsense") == 0);
    }
    palm_request_clear(&r);
    return 0;
}
