// final.c — one question to each good endpoint, and the quorum's answer.
#include "chain/final.h"
#include <stdlib.h>

enum fr_status final_rules_check(const struct final_rules *r, struct fr_err *err)
{
    if (!r->tag && r->blocks < 1) return FR_FAIL(err, FR_E_INVALID, "nothing says which blocks are final");
    if (r->blocks < 0 || r->quorum < 0 || r->quorum > ENDPOINTS_MAX) return FR_FAIL(err, FR_E_INVALID, "the depth of final blocks, or the quorum, makes no sense");
    return FR_OK;
}

static int descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void said_all(struct final_look *l)
{
    int quorum = l->rules.quorum > 1 ? l->rules.quorum : 1;
    struct fr_err err;
    if (l->said_count < quorum) {
        enum fr_status st = FR_FAIL(&err, FR_E_BUSY, "%d of %d endpoints say which block is final", l->said_count, quorum);
        l->done(l->arg, st, 0, &err);
        return;
    }
    qsort(l->said, (size_t)l->said_count, sizeof l->said[0], descending);
    l->done(l->arg, FR_OK, l->said[quorum - 1], NULL);
}

static void said_one(struct final_look *l, bool said, uint64_t block)
{
    if (said && block <= INT64_MAX) l->said[l->said_count++] = block;
    if (--l->asked == 0) said_all(l);
}

static void on_tag(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct rpc_block block = { 0 };
    struct fr_err odd;
    bool found = false;
    (void)who;
    (void)err;
    if (st == FR_OK && !answers->at[0].fault && rpc_read_block(answers->at[0].result, &block, &found, &odd) != FR_OK) found = false;
    said_one(arg, found, block.number);
}

static void on_height(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct final_look *l = arg;
    struct fr_err odd;
    uint64_t height = 0, depth = (uint64_t)l->rules.blocks;
    (void)who;
    (void)err;
    bool said = st == FR_OK && !answers->at[0].fault && rpc_need_u64(answers->at[0].result, "", &height, &odd) == FR_OK;
    said_one(l, said, height > depth ? height - depth : 0);       // nobody undoes the first block
}

enum fr_status final_look_start(struct final_look *l, struct fr_err *err)
{
    static const struct rpc_call calls[] = { { "eth_blockNumber", "[]" }, { "eth_getBlockByNumber", "[\"finalized\",false]" } };
    struct endpoint_facts facts[ENDPOINTS_MAX];
    int count = endpoints_facts(l->endpoints, facts);
    l->asked = l->said_count = 0;
    for (int i = 0; i < count; i++) {
        const struct endpoint_facts *f = &facts[i];
        bool tag = l->rules.tag && f->finalized;
        struct fr_err busy;
        if (f->state != ENDPOINT_GOOD || (l->rules.tag && !f->probed) || (!tag && l->rules.blocks == 0)) continue;
        struct endpoints_ask ask = { .calls = &calls[tag], .count = 1, .kind = tag ? RPC_BLOCK : RPC_QUANTITY, .only = f->name, .done = tag ? on_tag : on_height, .arg = l };
        if (endpoints_ask(l->endpoints, &ask, &busy) == FR_OK) l->asked++;
    }
    return l->asked ? FR_OK : FR_FAIL(err, FR_E_BUSY, "no endpoint can say which block is final");
}
