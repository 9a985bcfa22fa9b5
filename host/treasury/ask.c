// ask.c — the texts of several calls stand one behind the other in one buffer, and are found in it when no more are added.
#include "treasury/ask.h"
#include <assert.h>
#include <stdarg.h>
#include "base/hex.h"

void ask_init(struct ask *a)
{
    a->count = 0;
    fr_buf_init(&a->params, RPC_REQUEST_BYTES_MAX);
}

void ask_free(struct ask *a) { fr_buf_free(&a->params); }

void ask_add(struct ask *a, const char *method, const char *params_format, ...)
{
    va_list args;
    assert(a->count < RPC_BATCH_MAX);
    a->params_at[a->count] = a->params.len;
    a->at[a->count++].method = method;
    va_start(args, params_format);
    fr_buf_vaddf(&a->params, params_format, args);
    va_end(args);
    fr_buf_add_char(&a->params, 0);
}

void ask_add_balance(struct ask *a, const struct address *token, const struct address *of, uint64_t block)
{
    char to[ADDRESS_TEXT_BYTES], hex[2 * ADDRESS_BYTES + 1];
    ask_add(a, "eth_call", "[{\"to\":\"%s\",\"data\":\"0x70a08231%024d%s\"},\"0x%llx\"]", address_text(token, to), 0, fr_hex(of->bytes, ADDRESS_BYTES, hex), (unsigned long long)block);
}

enum fr_status ask_go(struct ask *a, struct endpoints *e, enum rpc_kind kind, int quorum, endpoints_done_fn *done, void *arg, struct fr_err *err)
{
    FR_TRY(fr_buf_check(&a->params, "questions to a node", err));
    for (int i = 0; i < a->count; i++) a->at[i].params = a->params.data + a->params_at[i];
    struct endpoints_ask ask = { .calls = a->at, .count = a->count, .kind = kind, .quorum = quorum, .done = done, .arg = arg };
    return endpoints_ask(e, &ask, err);
}
