// treasury.c — made in the order of its struct, taken apart the other way round.
#include "treasury/treasury.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "treasury/over_net.h"
#include "treasury/treasury_inside.h"

#define NODES_GRACE_MS 5000                // so long without a good node is no trouble: a start, one that is started again
#define FINAL_LOOK_MS 6000
#define FINAL_LOOK_DEV_MS 1000
#define FEE_PERCENTILE 50

void treasury_register(void)
{
    txq_register();
    for (const struct treasury_kind *k = treasury_kinds; k->name; k++)
        if (k->add_tables) k->add_tables();
}

// ---- what the parts are given

static int64_t part_now(void *arg)
{
    (void)arg;
    return fr_now_ms();
}

static void part_wake(void *arg)
{
    struct treasury *t = arg;
    if (t->queue) txq_wake(t->queue);      // while there is none it loads all anyway
}

static void part_halt(void *arg, const char *part, const char *code, const char *text)
{
    struct treasury *t = arg;
    int at = 0;
    while (at < t->halt_count && strcmp(t->halts[at].part, part) != 0) at++;
    if (!code) {
        if (at == t->halt_count) return;
        fr_log(LOG_INFO, "chain.goes_on", "part", part, "code", t->halts[at].code, NULL);
        t->halts[at] = t->halts[--t->halt_count];
        return;
    }
    assert(at < TREASURY_HALTS_MAX);       // as many names as there are parts, each with a few of their own
    bool new = at == t->halt_count || strcmp(t->halts[at].code, code) != 0;
    if (at == t->halt_count) t->halt_count++;
    snprintf(t->halts[at].part, sizeof t->halts[at].part, "%s", part);
    snprintf(t->halts[at].code, sizeof t->halts[at].code, "%s", code);
    snprintf(t->halts[at].text, sizeof t->halts[at].text, "%s", text ? text : "");
    if (new) fr_log(strcmp(code, "not_looked") == 0 ? LOG_INFO : LOG_ERROR, "chain.halted", "part", part, "code", code, "text", text ? text : "", NULL);
}

bool treasury_halted(const struct treasury *t)
{
    struct txq_facts f;
    if (t->halt_count || !t->queue) return true;
    txq_facts(t->queue, &f);
    return f.halted;
}

static bool part_halted(void *arg) { return treasury_halted(arg); }

static void part_wallet(void *arg, const char *player, const char *asset)
{
    struct treasury *t = arg;
    t->o.wallet(t->o.arg, player, asset);
}

// ---- ends of payments

// On the store's thread. A part that is not there any more cannot book: the end is not saved, and is found again at the next start.
enum fr_status treasury_on_end(struct store_txn *txn, void *arg, const struct txq_payment_row *row, struct fr_err *err)
{
    struct treasury *t = arg;
    enum fr_status st = FR_OK;
    bool known = false;
    uv_mutex_lock(&t->ends);
    if (t->gone) st = FR_FAIL(err, FR_E_BUSY, "the host is stopping");
    for (int i = 0; t->kinds[i].name && st == FR_OK && !known; i++) {
        const struct treasury_kind *k = &t->kinds[i];
        if (!k->prefix || strncmp(row->name, k->prefix, strlen(k->prefix)) != 0) continue;
        known = true;
        if (!t->parts[i]) st = FR_FAIL(err, FR_E_CONFLICT, "%s is not configured, and payment %s is its", k->name, row->name);
        else if (k->on_end) st = k->on_end(txn, t->parts[i], row, err);
    }
    uv_mutex_unlock(&t->ends);
    if (st == FR_OK && !known) fr_log(LOG_WARN, "chain.payment_unknown", "name", row->name, "text", "a payment that no part knows has ended", NULL);
    return st;
}

static void on_news(void *arg, const struct txq_action *news, const char *text)
{
    char payment[24];
    (void)arg;
    if (news->news == TXQ_NEWS_WAIT) return;       // troubles say it
    bool bad = news->news == TXQ_NEWS_HALTED || (news->news == TXQ_NEWS_ENDED && (news->end == TXQ_REVERTED || news->end == TXQ_LOST));
    snprintf(payment, sizeof payment, "%lld", (long long)news->payment);
    fr_log(bad ? LOG_ERROR : LOG_INFO, "chain.payment", "#payment", payment, "text", text, NULL);
}

static void on_node(void *arg, const char *name, enum endpoint_event event, const char *text)
{
    static const char *const words[] = { "up", "down", "lied", "disagreed" };
    struct treasury *t = arg;
    if (t->devchain && event != ENDPOINT_LIED) return;         // devchain says it better
    fr_log(event == ENDPOINT_UP ? LOG_INFO : event == ENDPOINT_LIED ? LOG_ERROR : LOG_WARN, "chain.node", "node", name, "is", words[event], "text", text, NULL);
}

// ---- troubles

static void trouble(struct treasury *t, enum trouble of, const char *code, const char *text)      // code "": none
{
    static const char *const names[] = { "chain", "nodes", "signer", "payments", "pause", "payments", "funds", "parts" };
    struct treasury_trouble *now = &t->troubles[of];
    bool same = strcmp(now->code, code) == 0;
    if (!same && code[0]) fr_log(LOG_WARN, "chain.trouble", "of", names[of], "code", code, "text", text, NULL);
    else if (!same) fr_log(LOG_INFO, "chain.well", "of", names[of], "was", now->code, NULL);
    snprintf(now->code, sizeof now->code, "%s", code);
    snprintf(now->text, sizeof now->text, "%s", text);
}

static void look_for_troubles(struct treasury *t, int64_t now_ms)
{
    struct keys_facts k;
    struct txq_facts f;
    static const struct u256 zero;
    keys_facts(t->keys, &k);
    txq_facts(t->queue, &f);
    bool good = endpoints_good(t->endpoints) > 0;
    if (good) t->good_ms = now_ms;
    bool late = now_ms - t->good_ms > NODES_GRACE_MS;
    trouble(t, TROUBLE_NODES, late ? "nodes_down" : "", late ? "no node answers: what waits for the chain waits" : "");
    trouble(t, TROUBLE_SIGNER, k.state == KEYS_DOWN ? k.code : "", k.text);
    trouble(t, TROUBLE_HALTED, f.halted ? "txq_halted" : "", f.halted ? f.why : "");
    trouble(t, TROUBLE_PAUSED, f.paused ? "paused" : "", f.paused ? "nothing new is signed: frond chain resume" : "");
    bool funds = f.wait == TXQ_WAIT_FUNDS || (good && f.loaded && f.block > 0 && u256_compare(f.balance, zero) == 0);
    trouble(t, TROUBLE_FUNDS, funds ? "funds" : "", funds ? "the host's key has too little ether for its transactions" : "");
    bool waits = f.wait == TXQ_WAIT_FEE_CAP || f.wait == TXQ_WAIT_DAY_CAP || f.wait == TXQ_WAIT_REVERTS || f.wait == TXQ_WAIT_ATTEMPTS || f.wait == TXQ_WAIT_SUSPECT || (f.wait == TXQ_WAIT_LOAD && f.last_error[0] && now_ms - t->begun_ms > NODES_GRACE_MS);
    trouble(t, TROUBLE_WAITS, waits ? txq_wait_name(f.wait) : "", waits ? f.last_error : "");
    if (t->devchain) devchain_want(t->devchain, f.wait == TXQ_WAIT_FEE_CAP);
    bool ready = good && f.loaded;
    t->state = ready ? TREASURY_READY : late ? TREASURY_DOWN : t->state == TREASURY_READY ? TREASURY_READY : TREASURY_STARTING;
    snprintf(t->text, sizeof t->text, "%s", ready ? "" : late ? t->troubles[TROUBLE_NODES].text : "waiting for the first node");
}

// ---- the tick

static void on_final(void *arg, enum fr_status st, uint64_t block, const struct fr_err *err)
{
    struct treasury *t = arg;
    (void)err;
    t->looking = false;
    if (st == FR_OK) t->final = block;
}

static void look_at_final(struct treasury *t, int64_t now_ms)
{
    struct fr_err unused;
    if (t->looking || now_ms < t->look_ms) return;
    t->look_ms = now_ms + (t->devchain ? FINAL_LOOK_DEV_MS : FINAL_LOOK_MS);
    t->look = (struct final_look){ .endpoints = t->endpoints, .rules = t->settings->final, .done = on_final, .arg = t };
    t->looking = final_look_start(&t->look, &unused) == FR_OK;
}

static void tick_devchain(struct treasury *t, int64_t now_ms)
{
    struct devchain_facts d;
    devchain_tick(t->devchain, now_ms);
    devchain_facts(t->devchain, &d);
    if ((t->endpoints && d.state == DEVCHAIN_READY) || t->troubles[TROUBLE_CHAIN].code[0]) return;
    t->state = d.state == DEVCHAIN_DOWN ? TREASURY_DOWN : TREASURY_STARTING;
    snprintf(t->text, sizeof t->text, "%s%s", d.state == DEVCHAIN_DEPLOYING ? "deploying: " : "", d.text);
}

static void on_tick(uv_timer_t *timer)
{
    struct treasury *t = timer->data;
    int64_t now_ms = fr_mono_ms();
    if (t->endpoints) {
        endpoints_tick(t->endpoints);
        keys_tick(t->keys, now_ms);
        txq_tick(t->queue);
        for (int i = 0; t->kinds[i].name; i++)
            if (t->parts[i] && t->kinds[i].tick) t->kinds[i].tick(t->parts[i]);
        look_at_final(t, now_ms);
        look_for_troubles(t, now_ms);
    }
    if (t->devchain) tick_devchain(t, now_ms);
}

// ---- making

static struct txq_rules rules_of(const struct treasury *t)
{
    const struct treasury_settings *s = t->settings;
    bool quick = t->devchain != NULL;
    return (struct txq_rules){ .fees = { .max_fee_cap = s->max_fee, .tip_cap = s->max_tip, .tip_least = u256_of(1000000) }, .day_most = s->day_most, .look_ms = quick ? 500 : 4000, .resend_ms = quick ? 2000 : 15000,
                               .raise_ms = quick ? 15000 : 60000, .retry_ms = quick ? 500 : 2000 };
}

static enum fr_status make_parts(struct treasury *t, struct fr_err *err)
{
    const struct treasury_settings *s = t->settings;
    t->part = (struct treasury_part){ .store = t->o.store, .endpoints = t->endpoints, .final = s->final, .chain_id = s->chain_id, .vault = s->vault, .tokens = s->contracts.tokens, .token_count = s->contracts.token_count,
                                  .now_ms = part_now, .wake = part_wake, .halt = part_halt, .halted = part_halted, .wallet = part_wallet, .arg = t };
    for (int i = 0; t->kinds[i].name; i++) {
        assert(i < TREASURY_KINDS_MAX);
        if (t->kinds[i].make(&t->part, s, &t->parts[i], err) != FR_OK) return fr_err_note(err, "%s", t->kinds[i].name);
    }
    return FR_OK;
}

// All that needs to know the chain. What was made when it fails is treasury_stop's to take apart.
static enum fr_status begin(struct treasury *t, const struct treasury_settings *settings, struct chain_transport transport, struct fr_err *err)
{
    char signer[TREASURY_PATH_BYTES];
    struct keys_options keys = { .loop = t->o.loop, .client = t->client, .program = signer, .key = settings->key, .chain_id = settings->chain_id, .typed = t->o.typed, .typed_len = t->o.typed_len };
    t->settings = fr_must_alloc(sizeof *t->settings);
    *t->settings = *settings;
    t->begun_ms = t->good_ms = fr_mono_ms();
    struct endpoints_config nodes = { .chain_id = settings->chain_id, .at = t->settings->endpoints, .count = t->settings->endpoint_count, .transport = transport, .on_event = on_node, .arg = t };
    memcpy(nodes.genesis, settings->genesis, 32);
    FR_TRY(endpoints_new(&nodes, &t->endpoints, err));
    if ((size_t)snprintf(signer, sizeof signer, "%s/frond-signer", t->o.programs) >= sizeof signer) return FR_FAIL(err, FR_E_INVALID, "the program's folder has too long a name");
    keys.settings = &t->settings->signer;
    keys_new(&keys, &t->keys);
    FR_TRY(make_parts(t, err));
    struct txq_config queue = { .queue = TREASURY_QUEUE, .chain_id = settings->chain_id, .rules = rules_of(t), .fee_percentile = FEE_PERCENTILE, .final = settings->final, .store = t->o.store, .endpoints = t->endpoints,
                                .signer = keys_port(t->keys), .address = settings->key, .on_end = treasury_on_end, .on_news = on_news, .arg = t };
    return txq_new(&queue, &t->queue, err);
}

static void take_parts(struct treasury *t);
static void on_devchain_made(void *arg, const struct treasury_settings *made)
{
    struct treasury *t = arg;
    struct fr_err err;
    if (begin(t, made, devchain_transport(t->devchain), &err) == FR_OK) return;
    take_parts(t);
    trouble(t, TROUBLE_CHAIN, err.code, err.text);
    t->state = TREASURY_DOWN;
    snprintf(t->text, sizeof t->text, "%.290s", err.text);
}

static void off(struct treasury *t, const char *text)
{
    t->state = TREASURY_OFF;
    snprintf(t->text, sizeof t->text, "%s", text);
}

enum fr_status treasury_open(const struct treasury_options *o, struct treasury **ret, struct fr_err *err)
{
    struct treasury *t = fr_must_alloc(sizeof *t);
    struct net_client_options client = { .loop = o->loop };
    t->o = *o;
    t->kinds = o->kinds ? o->kinds : treasury_kinds;
    uv_mutex_init(&t->ends);
    *ret = t;
    if (o->none || (!o->settings->configured && !o->dev)) {
        off(t, o->none ? "switched off by --no-chain" : "there is no \"chain\" in the config file");
        return FR_OK;
    }
    t->state = TREASURY_STARTING;
    FR_TRY(net_client_start(&client, &t->client, err));
    if (o->settings->configured) FR_TRY(begin(t, o->settings, chain_over_net(t->client), err));
    else {
        struct devchain_options d = { .loop = o->loop, .client = t->client, .data = o->data, .programs = o->programs, .settings = o->settings, .arg = t, .on_made = on_devchain_made };
        devchain_new(&d, &t->devchain);
    }
    t->o.typed = NULL;
    uv_timer_init(o->loop, &t->tick);
    t->tick.data = t;
    t->ticking = true;
    uv_timer_start(&t->tick, on_tick, 0, TREASURY_TICK_MS);
    return FR_OK;
}

// ---- the end

static void take_parts(struct treasury *t)
{
    endpoints_free(t->endpoints);
    t->endpoints = NULL;
    txq_free(t->queue);
    t->queue = NULL;
    uv_mutex_lock(&t->ends);
    t->gone = true;
    uv_mutex_unlock(&t->ends);
    for (int i = 0; t->kinds[i].name; i++) {
        if (t->parts[i]) t->kinds[i].free(t->parts[i]);
        t->parts[i] = NULL;
    }
}

static void stop_end(void *arg)
{
    struct treasury *t = arg;
    keys_free(t->keys);
    devchain_free(t->devchain);
    t->keys = NULL;
    t->devchain = NULL;
    t->client = NULL;
    t->state = TREASURY_OFF;
    t->stopped(t->stopped_arg);
}

static void stop_client(void *arg)
{
    struct treasury *t = arg;
    if (t->client) net_client_stop(t->client, stop_end, t);
    else stop_end(t);
}

static void stop_devchain(void *arg)
{
    struct treasury *t = arg;
    devchain_stop(t->devchain, stop_client, t);
}

static void stop_keys(uv_handle_t *handle)
{
    struct treasury *t = handle->data;
    keys_stop(t->keys, stop_devchain, t);
}

void treasury_stop(struct treasury *t, void (*done)(void *arg), void *arg)
{
    assert(!t->stopping);
    t->stopping = true;
    t->stopped = done;
    t->stopped_arg = arg;
    take_parts(t);
    if (t->ticking) uv_close((uv_handle_t *)&t->tick, stop_keys);
    else keys_stop(t->keys, stop_devchain, t);
}

void treasury_free(struct treasury *t)
{
    if (!t) return;
    uv_mutex_destroy(&t->ends);
    fr_free(t->settings);
    fr_free(t);
}

// ---- asking and ordering

void *treasury_part_of(struct treasury *t, const char *name)
{
    for (int i = 0; t && t->kinds[i].name; i++)
        if (strcmp(t->kinds[i].name, name) == 0) return t->parts[i];
    return NULL;
}

const struct treasury_settings *treasury_settings_of(const struct treasury *t) { return t && t->endpoints ? t->settings : NULL; }
enum treasury_state treasury_state(const struct treasury *t) { return t->state; }

static enum fr_status need_queue(const struct treasury *t, struct fr_err *err)
{
    if (t->state == TREASURY_OFF) return FR_FAIL_CODE(err, FR_E_CONFLICT, "chain_off", "this host has no chain: %s", t->text);
    return t->queue ? FR_OK : FR_FAIL_CODE(err, FR_E_CONFLICT, "chain_not_ready", "the chain is not there yet: %s", t->text);
}

enum fr_status treasury_pause(struct treasury *t, bool pause, struct fr_err *err)
{
    FR_TRY(need_queue(t, err));
    txq_order(t->queue, pause ? TXQ_PAUSE : TXQ_RESUME);
    return FR_OK;
}

enum fr_status treasury_forgive(struct treasury *t, const char *node, struct fr_err *err)
{
    FR_TRY(need_queue(t, err));
    if (!node) txq_order(t->queue, TXQ_FORGIVE);
    else if (!endpoints_forgive(t->endpoints, node)) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "node_unknown", "no node \"%.40s\" is halted", node);
    return FR_OK;
}

enum fr_status treasury_press(struct treasury *t, enum devchain_button button, devchain_done_fn *done, void *arg, struct fr_err *err)
{
    if (!t->devchain) return FR_FAIL_CODE(err, FR_E_CONFLICT, "chain_off", "there is no development chain: %s", t->text[0] ? t->text : "another one is configured");
    return devchain_press(t->devchain, button, done, arg, err);
}
