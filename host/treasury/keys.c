// keys.c — two kinds behind one port.
#include "treasury/keys.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "chain/signer_files.h"
#include "chain/signer_remote.h"

#define REMOTE_MS 10000

struct keys {
    struct chain_signer port;              // first: what callers hold
    struct keys_options o;
    char program[TREASURY_PATH_BYTES];
    struct signer_local *local;
    struct remote_transport transport;
    struct signer_remote *remote;
    enum keys_state state;
    char code[FR_ERR_CODE_BYTES], text[200];
    int64_t again_ms, pause_ms, starts;    // again_ms 0: at the next tick
    bool memory_all, used_up, stopping;    // used_up: the typed passphrase
};

static void down(struct keys *k, const struct fr_err *why)
{
    k->state = KEYS_DOWN;
    snprintf(k->code, sizeof k->code, "%s", why->code);
    snprintf(k->text, sizeof k->text, "%.190s", why->text);
}

// ---- a child on this machine

static enum fr_status fits(const struct keys *k, const struct signer_facts *facts, struct fr_err *err)
{
    char key[ADDRESS_TEXT_BYTES];
    bool there = false;
    for (int i = 0; i < facts->key_count; i++) there = there || address_equal(&facts->addresses[i], &k->o.key);
    if (!there) return FR_FAIL_CODE(err, FR_E_INVALID, "signer_key", "no keystore is of %s, the key of this chain", address_text(&k->o.key, key));
    if (facts->chain_id != k->o.chain_id)
        return FR_FAIL_CODE(err, FR_E_INVALID, "signer_chain", "the signer's policy is for chain %llu, not %llu", (unsigned long long)facts->chain_id, (unsigned long long)k->o.chain_id);
    return FR_OK;
}

static void local_on_ready(void *arg, const struct signer_facts *facts)
{
    struct keys *k = arg;
    struct fr_err err;
    k->memory_all = facts->memory_all;
    if (fits(k, facts, &err) == FR_OK) {
        k->state = KEYS_UP;
        k->pause_ms = 0;
    } else down(k, &err);
}

static void wait_longer(struct keys *k)
{
    int64_t twice = 2 * k->pause_ms;
    k->pause_ms = twice < KEYS_AGAIN_MS_MIN ? KEYS_AGAIN_MS_MIN : twice > KEYS_AGAIN_MS_MAX ? KEYS_AGAIN_MS_MAX : twice;
    k->again_ms = -1;                      // counted from the next tick on
}

static void local_on_gone(void *arg, const struct fr_err *why)
{
    struct keys *k = arg;
    signer_local_stop(FR_TAKE(k->local), NULL, NULL);
    down(k, why);
    wait_longer(k);
    if (k->used_up) snprintf(k->text + strlen(k->text), sizeof k->text - strlen(k->text), "; its passphrase was typed: start the host again");
}

static enum fr_status local_start(struct keys *k, struct fr_err *err)
{
    const struct signer_settings *s = k->o.settings;
    struct signer_paths paths = { .policy = s->policy, .tally = s->tally, .passphrase = s->passphrase[0] ? s->passphrase : NULL, .key_count = s->keystore_count };
    struct signer_local_options o = { .loop = k->o.loop, .program = k->o.program, .on_ready = local_on_ready, .on_gone = local_on_gone, .arg = k };
    for (int i = 0; i < s->keystore_count; i++) paths.keystores[i] = s->keystores[i];
    FR_TRY(signer_files_open(&paths, k->o.typed, k->o.typed_len, &o, err));
    enum fr_status st = signer_local_start(&o, &k->local, err);
    signer_files_close(&o);
    k->used_up = !s->passphrase[0];
    k->o.typed = NULL;
    return st;
}

static void local_begin(struct keys *k)
{
    struct fr_err err;
    k->starts++;
    if (local_start(k, &err) == FR_OK) {
        k->state = k->state == KEYS_DOWN ? KEYS_DOWN : KEYS_STARTING;      // until it is ready the old reason is the one to show
        return;
    }
    k->local = NULL;
    down(k, &err);
    wait_longer(k);
}

// ---- another machine

struct posting { struct keys *k; remote_done_fn *done; void *arg; };

static void remote_on_done(void *arg, enum fr_status st, const struct net_answer *a, const struct fr_err *err)
{
    struct posting p = *(struct posting *)arg;
    fr_free(arg);
    if (st == FR_OK) p.k->state = KEYS_UP;
    else down(p.k, err);
    p.done(p.arg, st == FR_OK ? FR_OK : st == FR_E_TIMEOUT ? FR_E_TIMEOUT : FR_E_IO, a ? a->body : NULL, a ? a->body_len : 0, err);
}

static enum fr_status remote_post(struct remote_transport *t, const char *json, size_t len, remote_done_fn *done, void *arg, struct fr_err *err)
{
    static const struct net_pair type = { "Content-Type", "application/json" };
    struct keys *k = (struct keys *)(void *)((char *)t - offsetof(struct keys, transport));
    struct posting *p = fr_alloc(sizeof *p);
    if (!p) return FR_FAIL(err, FR_E_NOMEM, "no memory for a call");
    *p = (struct posting){ k, done, arg };
    struct net_ask ask = { .method = "POST", .url = k->o.settings->url, .headers = &type, .header_count = 1, .body = json, .body_len = len, .retry_safe = true, .connect_ms = REMOTE_MS, .idle_ms = REMOTE_MS, .total_ms = REMOTE_MS,
                           .answer_bytes_max = REMOTE_ANSWER_BYTES_MAX, .done = remote_on_done, .arg = p };
    enum fr_status st = net_call_start(k->o.client, &ask, NULL, err);
    if (st != FR_OK) fr_free(p);
    return st;
}

// ---- the port

static enum fr_status keys_sign(struct chain_signer *port, const struct sign_ask *ask, sign_done_fn *done, void *arg, struct fr_err *err)
{
    struct keys *k = (struct keys *)(void *)port;
    struct chain_signer *to = k->remote ? signer_remote_port(k->remote) : k->local && k->state == KEYS_UP ? signer_local_port(k->local) : NULL;
    if (!to || k->stopping) return FR_FAIL_CODE(err, FR_E_BUSY, "signer_busy", "the signer is not ready%s%s", k->state == KEYS_DOWN ? ": " : "", k->state == KEYS_DOWN ? k->text : "");
    return to->sign(to, ask, done, arg, err);
}

void keys_new(const struct keys_options *o, struct keys **ret)
{
    struct keys *k = fr_must_alloc(sizeof *k);
    *k = (struct keys){ .port = { .sign = keys_sign }, .o = *o, .transport = { .post = remote_post } };
    snprintf(k->program, sizeof k->program, "%s", o->program);
    k->o.program = k->program;
    *ret = k;
    if (o->settings->where == SIGNER_REMOTE) {
        k->remote = signer_remote_new(&k->transport);
        k->state = KEYS_UP;                // until it says otherwise: it is asked when there is something to sign
        k->starts = 1;
    } else local_begin(k);
}

struct chain_signer *keys_port(struct keys *k) { return &k->port; }

void keys_tick(struct keys *k, int64_t now_ms)
{
    if (k->remote || k->local || k->stopping || k->used_up) return;
    if (k->again_ms < 0) k->again_ms = now_ms + k->pause_ms;
    else if (now_ms >= k->again_ms) local_begin(k);
}

void keys_facts(const struct keys *k, struct keys_facts *ret)
{
    *ret = (struct keys_facts){ .state = k->state, .kind = k->remote ? "remote" : "local", .code = k->state == KEYS_DOWN ? k->code : "", .pid = k->local ? signer_local_pid(k->local) : 0, .starts = k->starts, .memory_all = k->memory_all };
    if (k->state == KEYS_DOWN) snprintf(ret->text, sizeof ret->text, "%s", k->text);
}

void keys_stop(struct keys *k, void (*done)(void *arg), void *arg)
{
    if (k) k->stopping = true;
    if (k && k->local) signer_local_stop(FR_TAKE(k->local), done, arg);
    else done(arg);
}

void keys_free(struct keys *k)
{
    if (!k) return;
    signer_remote_free(k->remote);
    fr_free(k);
}
