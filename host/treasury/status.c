// status.c — what the treasury says of itself: to operators, to pages, to Prometheus. No URL of a node is among it, but the development chain's own.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "treasury/treasury_inside.h"

static const char *const state_names[] = { "off", "starting", "ready", "down" };
const char *treasury_state_name(enum treasury_state s) { return state_names[s]; }

static void add_key(struct fr_buf *out, const char *key, const char *text)
{
    fr_buf_addf(out, ",\"%s\":", key);
    fr_buf_add_json_text(out, text);
}

static void add_address(struct fr_buf *out, const char *before, const char *key, const struct address *a)
{
    char text[ADDRESS_TEXT_BYTES];
    fr_buf_addf(out, "%s\"%s\":", before, key);
    if (address_is_zero(a)) fr_buf_add(out, "null");
    else fr_buf_addf(out, "\"%s\"", address_text(a, text));
}

static void add_contracts(struct fr_buf *out, const struct treasury_settings *s)
{
    const struct treasury_contracts *c = &s->contracts;
    fr_buf_add(out, ",\"contracts\":{\"tokens\":[");
    for (int i = 0; i < c->token_count; i++) {
        const struct treasury_token *t = &c->tokens[i];
        fr_buf_addf(out, "%s{\"asset\":\"%s\",\"chain_decimals\":%d", i ? "," : "", t->asset, t->chain_decimals);
        add_address(out, ",", "address", &t->at);
        add_address(out, ",", "payout", &c->payout[i]);
        fr_buf_add(out, "}");
    }
    fr_buf_add(out, "]");
    add_address(out, ",", "burn_module", &c->burn_module);
    add_address(out, ",", "deposit_factory", &c->deposit_factory);
    fr_buf_add(out, "}");
}

// Nodes are checked once a minute; who looks more often knows more.
static uint64_t block_of(const struct treasury *t)
{
    struct txq_facts f = { 0 };
    struct devchain_facts d = { 0 };
    if (t->queue) txq_facts(t->queue, &f);
    if (t->devchain) devchain_facts(t->devchain, &d);
    uint64_t block = endpoints_height(t->endpoints);
    if (f.block > block) block = f.block;
    return d.block > block ? d.block : block;
}

void treasury_print_page(const struct treasury *t, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"state\":\"%s\"", state_names[t->state]);
    add_key(out, "text", t->text);
    fr_buf_addf(out, ",\"dev\":%s", t->devchain ? "true" : "false");
    if (t->endpoints) {
        fr_buf_addf(out, ",\"chain_id\":\"%llu\",\"block\":\"%llu\",\"final\":\"%llu\"", (unsigned long long)t->settings->chain_id, (unsigned long long)block_of(t), (unsigned long long)t->final);
        add_address(out, ",", "vault", &t->settings->vault);
        add_contracts(out, t->settings);
    } else fr_buf_add(out, ",\"chain_id\":null,\"block\":null,\"final\":null,\"contracts\":null");
    fr_buf_add(out, "}");
}

// ---- for operators

static void add_nodes(struct fr_buf *out, const struct endpoints *e)
{
    static const char *const words[] = { "unchecked", "good", "failing", "halted" };
    struct endpoint_facts facts[ENDPOINTS_MAX];
    int count = endpoints_facts(e, facts);
    fr_buf_add(out, ",\"nodes\":[");
    for (int i = 0; i < count; i++) {
        const struct endpoint_facts *f = &facts[i];
        fr_buf_addf(out, "%s{\"name\":\"%s\",\"state\":\"%s\",\"height\":\"%llu\",\"latency_ms\":%lld,\"failing_permille\":%lld,\"asked\":%lld,\"failed\":%lld,\"rate_limited\":%lld,\"disagreed\":%lld", i ? "," : "", f->name, words[f->state],
                    (unsigned long long)f->height, (long long)f->latency_ms, (long long)f->failing_permille, (long long)f->asked, (long long)f->failed, (long long)f->rate_limited, (long long)f->disagreed);
        add_key(out, "version", f->version);
        fr_buf_add(out, "}");
    }
    fr_buf_add(out, "]");
}

static void add_own_key(struct fr_buf *out, const struct treasury *t)
{
    struct txq_facts f;
    char ether[U256_TEXT_BYTES + 2], spent[U256_TEXT_BYTES + 2], fee[U256_TEXT_BYTES + 2], at[25];
    txq_facts(t->queue, &f);
    add_address(out, ",\"key\":{", "address", &t->settings->key);
    fr_buf_addf(out, ",\"ether\":\"%s\",\"spent_today\":\"%s\",\"base_fee_gwei\":\"%s\"", treasury_decimal_text(f.balance, 18, ether), treasury_decimal_text(f.spend_today, 18, spent), treasury_decimal_text(f.base_fee, 9, fee));
    fr_buf_addf(out, ",\"next_nonce\":\"%llu\",\"final_nonce\":\"%llu\",\"payments\":%d,\"open\":%d,\"waits_for\":\"%s\",\"oldest\":", (unsigned long long)f.next_nonce,
                (unsigned long long)f.final_nonce, f.payments, f.open, txq_wait_name(f.wait));
    fr_buf_add_json_text(out, f.oldest_ms ? fr_time_text(f.oldest_ms, at) : NULL);
    fr_buf_addf(out, ",\"paused\":%s,\"halted\":", f.paused ? "true" : "false");
    fr_buf_add_json_text(out, f.halted ? f.why : NULL);
    add_key(out, "last_error", f.last_error);
    fr_buf_add(out, "}");
}

static void add_signer(struct fr_buf *out, const struct treasury *t)
{
    static const char *const words[] = { "starting", "up", "down" };
    struct keys_facts k;
    keys_facts(t->keys, &k);
    fr_buf_addf(out, ",\"signer\":{\"kind\":\"%s\",\"state\":\"%s\",\"pid\":%d,\"starts\":%lld,\"memory\":\"%s\"", k.kind, words[k.state], (int)k.pid, (long long)k.starts, k.memory_all ? "all" : "keys");
    add_key(out, "code", k.code);
    add_key(out, "text", k.text);
    fr_buf_add(out, "}");
}

static void add_halts(struct fr_buf *out, const struct treasury *t)
{
    int written = 0;
    fr_buf_add(out, ",\"halted\":[");
    for (int i = 0; i < t->halt_count; i++) {
        fr_buf_addf(out, "%s{\"part\":\"%s\",\"code\":\"%s\"", i ? "," : "", t->halts[i].part, t->halts[i].code);
        add_key(out, "text", t->halts[i].text);
        fr_buf_add(out, "}");
    }
    fr_buf_add(out, "],\"troubles\":[");
    for (int i = 0; i < TROUBLES; i++) {
        if (!t->troubles[i].code[0]) continue;
        fr_buf_addf(out, "%s{\"code\":\"%s\"", written++ ? "," : "", t->troubles[i].code);
        add_key(out, "text", t->troubles[i].text);
        fr_buf_add(out, "}");
    }
    fr_buf_add(out, "]");
}

static void add_devchain(struct fr_buf *out, const struct treasury *t)
{
    struct devchain_facts d;
    devchain_facts(t->devchain, &d);
    fr_buf_addf(out, ",\"dev_chain\":{\"state\":\"%s\"", devchain_state_name(d.state));
    add_key(out, "text", d.text);
    add_key(out, "rpc", d.rpc[0] ? d.rpc : NULL);
    fr_buf_addf(out, ",\"pid\":%d,\"block\":\"%llu\",\"saved\":\"%llu\",\"starts\":%lld,\"save_ms\":%lld}", d.pid, (unsigned long long)d.block, (unsigned long long)d.saved, (long long)d.starts, (long long)d.save_ms);
}

void treasury_print_status(const struct treasury *t, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"state\":\"%s\"", state_names[t->state]);
    add_key(out, "text", t->text);
    if (t->endpoints && t->queue) {
        fr_buf_addf(out, ",\"chain_id\":\"%llu\",\"block\":\"%llu\",\"final\":\"%llu\"", (unsigned long long)t->settings->chain_id, (unsigned long long)block_of(t), (unsigned long long)t->final);
        add_address(out, ",", "vault", &t->settings->vault);
        add_contracts(out, t->settings);
        add_nodes(out, t->endpoints);
        add_own_key(out, t);
        add_signer(out, t);
        for (int i = 0; t->kinds[i].name; i++) {
            if (!t->parts[i] || !t->kinds[i].facts) continue;
            fr_buf_addf(out, ",\"%s\":", t->kinds[i].name);
            t->kinds[i].facts(t->parts[i], out);
        }
    }
    add_halts(out, t);
    if (t->devchain) add_devchain(out, t);
    fr_buf_add(out, "}");
}

// ---- for Prometheus

static void gauge(struct fr_buf *out, const char *name, const char *help, double value)
{
    fr_buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %.17g\n", name, help, name, name, value);
}

static void add_node_metrics(struct fr_buf *out, const struct endpoints *e)
{
    static const struct { const char *name, *type, *help; } families[] = {
        { "frond_chain_node_good", "gauge", "1: the node is asked and believed." }, { "frond_chain_node_halted", "gauge", "1: the node was found lying about its chain." },
        { "frond_chain_node_height", "gauge", "Newest block when last checked." }, { "frond_chain_node_latency_seconds", "gauge", "Moving average." },
        { "frond_chain_node_asked_total", "counter", "Requests." }, { "frond_chain_node_failed_total", "counter", "Requests without a good answer." },
        { "frond_chain_node_rate_limited_total", "counter", "Requests refused for their rate." }, { "frond_chain_node_disagreed_total", "counter", "Answers that differed from what a quorum said." },
    };
    struct endpoint_facts facts[ENDPOINTS_MAX];
    int count = endpoints_facts(e, facts);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        fr_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", families[i].name, families[i].help, families[i].name, families[i].type);
        for (int n = 0; n < count; n++) {
            const struct endpoint_facts *f = &facts[n];
            const double values[] = { f->state == ENDPOINT_GOOD, f->state == ENDPOINT_HALTED, (double)f->height, (double)f->latency_ms / 1000, (double)f->asked, (double)f->failed, (double)f->rate_limited, (double)f->disagreed };
            fr_buf_addf(out, "%s{node=\"%s\"} %.17g\n", families[i].name, f->name, values[i]);
        }
    }
}

void treasury_metrics(const struct treasury *t, struct fr_buf *out)
{
    struct keys_facts k;
    int troubles = 0;
    gauge(out, "frond_chain_on", "1: this host has a chain.", t->state != TREASURY_OFF);
    if (t->state == TREASURY_OFF) return;
    for (int i = 0; i < TROUBLES; i++) troubles += t->troubles[i].code[0] != 0;
    gauge(out, "frond_chain_ready", "1: a node answers, and the transaction manager knows its rows.", t->state == TREASURY_READY);
    gauge(out, "frond_chain_halts", "Reasons for which no money goes out.", t->halt_count);
    gauge(out, "frond_chain_troubles", "What an operator should look at: frond chain status.", troubles);
    if (t->devchain) {
        struct devchain_facts d;
        devchain_facts(t->devchain, &d);
        gauge(out, "frond_chain_dev_up", "1: the development chain's node runs.", d.pid != 0);
        gauge(out, "frond_chain_dev_starts", "Starts of the development chain's node.", (double)d.starts);
    }
    if (!t->endpoints || !t->queue) return;
    keys_facts(t->keys, &k);
    gauge(out, "frond_signer_up", "1: the signer is ready, or a remote one answered last.", k.state == KEYS_UP);
    gauge(out, "frond_signer_starts", "Starts of the signer.", (double)k.starts);
    gauge(out, "frond_chain_final_block", "The newest block that is final.", (double)t->final);
    add_node_metrics(out, t->endpoints);
    txq_metrics(t->queue, out);
    for (int i = 0; t->kinds[i].name; i++)
        if (t->parts[i] && t->kinds[i].metrics) t->kinds[i].metrics(t->parts[i], out);
}
