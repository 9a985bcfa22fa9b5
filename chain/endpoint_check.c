// endpoint_check.c — who an endpoint is (chain id, genesis, height), and what it can do.
//
// Functions stand in the order they run: due, identity, probe.
#include <stdio.h>
#include <string.h>
#include "chain/endpoints_inside.h"

static const uint64_t ranges[] = { 50000, 10000, 5000, 2000, 1000, 500, 100 };
#define RANGES ((int)(sizeof ranges / sizeof ranges[0]))
enum { ASK_VERSION, ASK_FINALIZED, ASK_FEES, ASK_DEBUG, ASK_LOGS };      // what the probe asks, in this order; logs once for each range
#define ZERO_HASH "0x0000000000000000000000000000000000000000000000000000000000000000"
#define NOBODY "0x000000000000000000000000000000000000dEaD"

static void check_over(struct endpoint *p, bool good)
{
    int64_t now = p->owner->transport.now_ms(p->owner->transport.arg);
    p->checking = false;
    p->owner->changed = true;
    if (!good) {                           // endpoint_failed has set when to try again, unless nothing was counted (it was asked too often)
        if (p->check_at <= now) p->check_at = now + ENDPOINT_DOWN_MS_MIN;
        return;
    }
    bool news = p->facts.state != ENDPOINT_GOOD;
    p->failures = 0;
    p->facts.state = ENDPOINT_GOOD;
    p->check_at = now + ENDPOINT_CHECK_MS;
    if (news) endpoint_tell(p, ENDPOINT_UP, "it has the right chain and genesis");
}

static enum endpoint_client client_of(const char *version)
{
    static const struct { const char *name; enum endpoint_client client; } known[] = {
        { "geth", CLIENT_GETH }, { "anvil", CLIENT_ANVIL }, { "nethermind", CLIENT_NETHERMIND }, { "besu", CLIENT_BESU }, { "erigon", CLIENT_ERIGON }, { "reth", CLIENT_RETH }, { "skaled", CLIENT_SKALED },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) if (strncasecmp(version, known[i].name, strlen(known[i].name)) == 0) return known[i].client;
    return CLIENT_OTHER;
}

static void keep_version(struct endpoint *p, const struct rpc_answer *a)
{
    const char *text = a->result ? fr_json_text(a->result) : NULL;
    size_t n = 0;
    for (; text && *text && n + 1 < sizeof p->facts.version; text++) if (*text > 0x20 && *text < 0x7f) p->facts.version[n++] = *text;
    p->facts.version[n] = 0;
    p->facts.client = n ? client_of(p->facts.version) : CLIENT_UNKNOWN;
}

static bool is_object(const struct rpc_answer *a)
{
    return a->result && fr_json_kind(a->result) == JSON_OBJECT;
}

static void on_probe(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct endpoint *p = arg;
    (void)who;
    (void)err;
    if (st == FR_OK) {
        p->facts.probed = true;
        p->probe_at = p->owner->transport.now_ms(p->owner->transport.arg) + ENDPOINT_PROBE_MS;
        keep_version(p, &answers->at[ASK_VERSION]);
        p->facts.finalized = is_object(&answers->at[ASK_FINALIZED]);
        p->facts.fee_history = is_object(&answers->at[ASK_FEES]);
        p->facts.debug = answers->at[ASK_DEBUG].fault != RPC_METHOD;     // it knows the method, and not this transaction
        p->facts.logs_range = 0;
        for (int i = 0; i < RANGES; i++) {
            const struct rpc_answer *a = &answers->at[ASK_LOGS + i];
            if (!a->result || fr_json_kind(a->result) != JSON_ARRAY) continue;
            p->facts.logs_range = ranges[i];
            break;
        }
    }
    check_over(p, st == FR_OK);
}

static bool probe(struct endpoint *p)
{
    struct fr_err err;
    char logs[RANGES][192];
    struct rpc_call calls[ASK_LOGS + RANGES] = {
        [ASK_VERSION] = { "web3_clientVersion", NULL },
        [ASK_FINALIZED] = { "eth_getBlockByNumber", "[\"finalized\",false]" },
        [ASK_FEES] = { "eth_feeHistory", "[\"0x1\",\"latest\",[50]]" },
        [ASK_DEBUG] = { "debug_traceTransaction", "[\"" ZERO_HASH "\",{}]" },
    };
    for (int i = 0; i < RANGES; i++) {     // events that nobody makes, so answers are small
        uint64_t from = p->facts.height >= ranges[i] ? p->facts.height - ranges[i] + 1 : 0;
        snprintf(logs[i], sizeof logs[i], "[{\"fromBlock\":\"0x%llx\",\"toBlock\":\"0x%llx\",\"address\":\"" NOBODY "\",\"topics\":[\"" ZERO_HASH "\"]}]", (unsigned long long)from, (unsigned long long)p->facts.height);
        calls[ASK_LOGS + i] = (struct rpc_call){ "eth_getLogs", logs[i] };
    }
    struct endpoints_ask ask = { .calls = calls, .count = ASK_LOGS + RANGES, .kind = RPC_ANY, .done = on_probe, .arg = p };
    return endpoints_read(p->owner, &ask, (int)(p - p->owner->at), true, &err) == FR_OK;
}

static void halt(struct endpoint *p, const char *text)
{
    p->facts.state = ENDPOINT_HALTED;
    p->checking = false;
    p->owner->changed = true;
    endpoint_forsake(p);
    endpoint_tell(p, ENDPOINT_LIED, text);
}

static bool genesis_pinned(const struct endpoints *e)
{
    static const uint8_t none[32];
    return memcmp(e->genesis, none, 32) != 0;
}

// The three answers of an endpoint that has what it takes to be looked at.
static enum fr_status read_identity(const struct rpc_answers *answers, uint64_t *chain_id, struct rpc_block *genesis, uint64_t *height, struct fr_err *err)
{
    bool found;
    for (int i = 0; i < 3; i++) if (answers->at[i].fault) return FR_FAIL(err, FR_E_IO, "%s: %.150s", rpc_fault_name(answers->at[i].fault), answers->at[i].text);
    FR_TRY(rpc_need_u64(answers->at[0].result, "", chain_id, err));
    FR_TRY(rpc_read_block(answers->at[1].result, genesis, &found, err));
    if (!found || genesis->number != 0) return FR_FAIL(err, FR_E_INVALID, "it has no block 0");
    return rpc_need_u64(answers->at[2].result, "", height, err);
}

static void on_identity(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *why)
{
    struct endpoint *p = arg;
    struct endpoints *e = p->owner;
    struct rpc_block genesis;
    struct fr_err err;
    uint64_t chain_id;
    char text[160];
    (void)who;
    (void)why;
    if (st != FR_OK) {                     // counted where it happened
        check_over(p, false);
        return;
    }
    if (read_identity(answers, &chain_id, &genesis, &p->facts.height, &err) != FR_OK) {
        endpoint_failed(p, err.text);
        check_over(p, false);
        return;
    }
    if (chain_id != e->chain_id) {
        snprintf(text, sizeof text, "chain id %llu instead of %llu: it is not asked again", (unsigned long long)chain_id, (unsigned long long)e->chain_id);
        halt(p, text);
        return;
    }
    if (genesis_pinned(e) && memcmp(genesis.hash, e->genesis, 32) != 0) {
        halt(p, "another genesis block than the pinned one: it is not asked again");
        return;
    }
    memcpy(e->genesis, genesis.hash, 32);
    if (e->transport.now_ms(e->transport.arg) < p->probe_at || !probe(p)) check_over(p, true);
}

void endpoint_check_when_due(struct endpoint *p)
{
    static const struct rpc_call calls[3] = { { "eth_chainId", NULL }, { "eth_getBlockByNumber", "[\"0x0\",false]" }, { "eth_blockNumber", NULL } };
    struct endpoints_ask ask = { .calls = calls, .count = 3, .kind = RPC_ANY, .done = on_identity, .arg = p };
    struct fr_err err;
    if (p->checking || p->facts.state == ENDPOINT_HALTED || p->owner->transport.now_ms(p->owner->transport.arg) < p->check_at) return;
    p->checking = endpoints_read(p->owner, &ask, (int)(p - p->owner->at), true, &err) == FR_OK;
}
