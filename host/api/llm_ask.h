// llm_ask.h — what the calls of the family `llm` share: who pays, the key that finds a first answer, and the way out. Loop thread.
//
// A call that costs has a key: an answer under it is durable before Lua hears it, and the same key finds it again, also after a crash. While one is under way the same key is refused ("key_busy").
#pragma once
#include "api/internal.h"
#include "llm/ability.h"
#include "llm/keyed.h"

#define API_LLM_KEY_BYTES (PLUGIN_ID_BYTES_MAX + KEY_BYTES_MAX + 2)
struct api_model {                         // one call of the family
    struct api_op *op;
    struct llm_by by;
    char open_key[API_LLM_KEY_BYTES];      // "plugin\nkey"; "" without a key
    uint8_t request[SHA256_BYTES]; bool found;
    void (*go)(struct api_model *m);       // starts the work; api_model_end ends it
    int64_t now_ms;                        // for the store thread
    struct fr_buf body;                    // of the handler's own
    enum llm_kind kind;
    bool stream;
    void *work;                            // the handler's own; freed with fr_free
};
// Checks grant, model, payer and key, fills m->by, looks the key up, and calls go. FR_OK: the op is answered from here.
FR_MUST_USE enum fr_status api_model_start(struct api_op *op, void (*go)(struct api_model *m), struct fr_err *err);
// The one way out: op->out holds the answer.
void api_model_end(struct api_model *m, enum fr_status st, const struct fr_err *err);
// The answer `[value, meta]` of what an ability brought (only the value for a match's ask), and the end. An llm_value_fn with the model as its arg.
void api_model_on_value(void *arg, enum fr_status st, const struct llm_value *v, const struct fr_err *err);
void api_model_limit(const struct api_op *op);       // the grant's tokens a day, told to the core
double api_number(const struct api_op *op, const char *name, double def);
// Messages as the model takes them: texts cleaned, `data` members fenced; system messages together, apart from the others.
FR_MUST_USE enum fr_status api_messages(const struct api_op *op, struct fr_buf *system, struct fr_buf *messages, struct fr_err *err);
