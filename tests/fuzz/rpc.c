// rpc: a node's answers. Whatever is accepted answers each question once; typed readings do not depend on spelling.
#include "chain/rpc.h"
#include "fuzz.h"

#define FIRST_ID 7

static void text_is_clean(const char *text)
{
    HOLDS(strlen(text) <= RPC_TEXT_BYTES_MAX);
    for (; *text; text++) HOLDS(*text >= 0x20 && *text < 0x7f);
}

static void reads_the_same_anew(const struct fr_json *result, enum rpc_kind kind)
{
    FR_AUTO_BUF(first); FR_AUTO_BUF(printed); FR_AUTO_BUF(second);
    FR_AUTO(fr_json) again = NULL;
    struct fr_err err;
    fr_buf_init(&first, 8 * RPC_ANSWER_BYTES_MAX);
    fr_buf_init(&printed, 8 * RPC_ANSWER_BYTES_MAX);
    fr_buf_init(&second, 8 * RPC_ANSWER_BYTES_MAX);
    enum fr_status st = rpc_canonical(result, kind, &first, &err);
    HOLDS(st == FR_OK || st == FR_E_INVALID || st == FR_E_LIMIT);
    HOLDS(kind != RPC_ANY || st == FR_OK);
    if (st != FR_OK) return;
    HOLDS(first.len > 0 && first.data[first.len - 1] == '\n');
    fr_json_print_canonical(result, &printed);
    if (printed.len > JSON_TEXT_BYTES_MAX) return;
    HOLDS(fr_json_parse(printed.data, printed.len, &again, &err) == FR_OK);
    HOLDS(rpc_canonical(again, kind, &second, &err) == FR_OK);
    HOLDS(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // number of questions, text
{
    struct fuzz_in in = { data, size };
    int count = 1 + fuzz_byte(&in) % 4;
    struct fr_err err;
    char *text = malloc(in.left ? in.left : 1);                  // no NUL behind it
    if (in.left) memcpy(text, in.at, in.left);
    struct rpc_answers *a = NULL;
    enum fr_status st = rpc_read(text, in.left, count, FIRST_ID, &a, &err);
    HOLDS(st == FR_OK || strcmp(err.code, "rpc_malformed") == 0);
    free(text);                                                  // answers keep nothing of it
    if (st != FR_OK) return 0;
    HOLDS(a->count == count);
    for (int i = 0; i < count; i++) {
        const struct rpc_answer *one = &a->at[i];
        HOLDS((one->result != NULL) == (one->fault == RPC_FINE));
        HOLDS(!a->refused_whole || one->fault);
        text_is_clean(one->text);
        if (one->fault) HOLDS(rpc_fault_of(one->code, one->text) == one->fault);
        for (int kind = RPC_ANY; one->result && kind <= RPC_LOGS; kind++) reads_the_same_anew(one->result, (enum rpc_kind)kind);
    }
    rpc_answers_free(a);
    return 0;
}
