// endpoints.c — choosing, asking, comparing. endpoint_check.c looks at identity and abilities with the same means.
//
// A `read` is one call of our caller. Its `side` towards an endpoint is what was asked of that one and what came of it; an `exchange` is one HTTP request,
// which belongs to a side until that is no longer needed, and to its endpoint's figures always.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "base/mem.h"
#include "chain/endpoints_inside.h"

#define KEY_BYTES_LEAST 6                  // shorter parts of a URL are words

static int64_t now_of(const struct endpoints *e)
{
    return e->transport.now_ms(e->transport.arg);
}

// ---- an endpoint's state -------------------------------------------------------------------------------------------

void endpoint_tell(struct endpoint *p, enum endpoint_event event, const char *text)
{
    if (p->owner->on_event) p->owner->on_event(p->owner->arg, p->facts.name, event, text);
}

// Parts of the URL that may be keys, wherever the node repeats them; also what is left of one that was cut.
static void redact(char *text, const char *url)
{
    const char *at = strstr(url, "://");
    for (at = at ? at + 3 : url; *at; ) {
        size_t len = strcspn(at, "/?&=#@:");
        for (char *t = text; len >= KEY_BYTES_LEAST && *t; t++) {
            size_t same = 0;
            while (same < len && t[same] == at[same]) same++;    // stops at the NUL of text too: at holds none before len
            if (same >= KEY_BYTES_LEAST) memset(t, '*', same);
        }
        at += len + (at[len] != 0);
    }
}

static void average(int64_t *value, int64_t sample)
{
    *value += (sample - *value) / 8;
}

void endpoint_failed(struct endpoint *p, const char *why)
{
    uint32_t random;
    int doubled = p->failures < 7 ? p->failures : 7;
    int64_t wait = ENDPOINT_DOWN_MS_MIN << doubled;
    if (wait > ENDPOINT_DOWN_MS_MAX) wait = ENDPOINT_DOWN_MS_MAX;
    fr_random_bytes(&random, sizeof random);
    p->facts.failed++;
    p->failures++;
    average(&p->facts.failing_permille, 1000);
    if (p->facts.state == ENDPOINT_HALTED) return;
    bool was_good = p->facts.state == ENDPOINT_GOOD;
    p->facts.state = ENDPOINT_FAILING;
    p->check_at = now_of(p->owner) + wait / 2 + random % (uint32_t)(wait / 2 + 1);
    if (!was_good && p->failures > 1) return;
    char text[2 * RPC_TEXT_BYTES_MAX];
    snprintf(text, sizeof text, "%s", why);
    redact(text, p->url);
    endpoint_tell(p, ENDPOINT_DOWN, text);
}

static void endpoint_answered(struct endpoint *p, int64_t ms)
{
    p->facts.answered++;
    average(&p->facts.failing_permille, 0);
    if (p->facts.latency_ms == 0) p->facts.latency_ms = ms;
    else average(&p->facts.latency_ms, ms);
}

static bool endpoint_has_tokens(struct endpoint *p, int count)
{
    int64_t now = now_of(p->owner);
    if (now < p->rate_until) return false;
    if (p->per_second == 0) return true;
    p->tokens_milli += (now - p->tokens_at) * p->per_second;
    if (p->tokens_milli > (int64_t)p->burst * 1000) p->tokens_milli = (int64_t)p->burst * 1000;
    p->tokens_at = now;
    int64_t least = count < p->burst ? count : p->burst;         // a batch over the burst waits for a full bucket and leaves a debt
    return p->tokens_milli >= least * 1000;
}

static void endpoint_rate_limited(struct endpoint *p, int64_t retry_after_s)
{
    p->facts.rate_limited++;
    p->rate_until = now_of(p->owner) + (retry_after_s > 0 && retry_after_s < 60 ? retry_after_s * 1000 : 1000);
}

static bool endpoint_can_take(struct endpoint *p, int count)
{
    return p->exchanges < ENDPOINT_EXCHANGES_MAX && endpoint_has_tokens(p, count);
}

uint64_t endpoints_height(const struct endpoints *e)
{
    uint64_t height = 0;
    for (int i = 0; i < e->count; i++) if (e->at[i].facts.state == ENDPOINT_GOOD && e->at[i].facts.height > height) height = e->at[i].facts.height;
    return height;
}

// Lower is better.
static int64_t endpoint_score(const struct endpoint *p)
{
    uint64_t behind = endpoints_height(p->owner) - p->facts.height;
    int64_t lag = p->facts.height + ENDPOINT_LAG_BLOCKS_MAX < endpoints_height(p->owner) ? 1000000 : (int64_t)behind;
    return (p->facts.latency_ms + 1) * (1000 + 4 * p->facts.failing_permille) / 1000 + 20 * p->exchanges + 20 * lag;
}

// ---- reads ---------------------------------------------------------------------------------------------------------

static void side_clear(struct side *s)
{
    if (s->exchange) s->exchange->side = NULL;                   // its answer is for the figures alone
    s->exchange = NULL;
    rpc_answers_free(s->answers);
    s->answers = NULL;
    fr_buf_free(&s->canonical);
}

static void read_free(struct read *r)
{
    for (int i = 0; i < ENDPOINTS_MAX; i++) side_clear(&r->sides[i]);
    for (int i = 0; i < r->count; i++) {
        fr_free((char *)r->calls[i].method);
        fr_free((char *)r->calls[i].params);
    }
    fr_free(r);
}

static struct read *read_new(struct endpoints *e, const struct endpoints_ask *ask)
{
    struct read *r = fr_alloc(sizeof *r);
    if (!r) return NULL;
    *r = (struct read){ .owner = e, .kind = ask->kind, .quorum = ask->quorum > 1 ? ask->quorum : 1, .done = ask->done, .arg = ask->arg, .only = -1,
                        .deadline_at = now_of(e) + (ask->deadline_ms ? ask->deadline_ms : ENDPOINT_READ_MS) };
    for (int i = 0; i < ENDPOINTS_MAX; i++) {
        r->sides[i].read = r;
        fr_buf_init(&r->sides[i].canonical, 4 * RPC_ANSWER_BYTES_MAX);
    }
    for (int i = 0; i < ask->count; i++) {
        const char *params = ask->calls[i].params ? ask->calls[i].params : "[]";
        r->count = i + 1;
        r->calls[i].method = fr_strndup(ask->calls[i].method, strlen(ask->calls[i].method));
        r->calls[i].params = fr_strndup(params, strlen(params));
        if (r->calls[i].method && r->calls[i].params) continue;
        read_free(r);
        return NULL;
    }
    return r;
}

static void read_enter(struct endpoints *e, struct read *r)
{
    r->prev = e->last;
    *(e->last ? &e->last->next : &e->first) = r;
    e->last = r;
    e->reads++;
}

static void read_leave(struct read *r)
{
    struct endpoints *e = r->owner;
    *(r->prev ? &r->prev->next : &e->first) = r->next;
    *(r->next ? &r->next->prev : &e->last) = r->prev;
    e->reads--;
}

// Decided; the caller hears of it in endpoints_settle.
static void read_end(struct read *r, enum fr_status st, struct side *with)
{
    if (r->ended) return;
    r->ended = true;
    r->st = st;
    r->with = with;
}

static void side_failed(struct side *s, const char *why)
{
    struct read *r = s->read;
    side_clear(s);
    s->state = SIDE_FAILED;
    snprintf(r->last_failure, sizeof r->last_failure, "%s: %s", r->owner->at[s - r->sides].facts.name, why);
}

// ---- an exchange ---------------------------------------------------------------------------------------------------

static void side_send(struct side *s);
static void on_answer(void *arg, enum fr_status st, int http_status, const char *body, size_t len, int64_t retry_after_s, const struct fr_err *err);

// The answers of one exchange. A whole batch refused: this endpoint takes single calls. An endpoint's own fault: the next one. Else they are the read's.
static void side_take(struct side *s, struct endpoint *p, struct rpc_answers *answers, int64_t retry_after_s)
{
    struct read *r = s->read;
    char why[RPC_TEXT_BYTES_MAX + 64];
    struct fr_err err;
    for (int i = 0; i < answers->count; i++) redact(answers->at[i].text, p->url);
    if (answers->refused_whole && answers->at[0].fault != RPC_RATE && p->batch_max > 1) {
        p->batch_max = 1;
        p->facts.batches = false;
        rpc_answers_free(answers);
        side_send(s);
        return;
    }
    for (int i = 0; i < answers->count; i++) {
        const struct rpc_answer *a = &answers->at[i];
        if (!rpc_fault_is_the_endpoints(a->fault) || r->probe) continue;
        snprintf(why, sizeof why, "%s: %s", rpc_fault_name(a->fault), a->text);
        if (a->fault == RPC_RATE) endpoint_rate_limited(p, retry_after_s);
        rpc_answers_free(answers);
        side_failed(s, why);
        return;
    }
    for (int i = 0; i < answers->count; i++) {
        const struct rpc_answer *a = &answers->at[i];
        if (a->fault) fr_buf_addf(&s->canonical, "fault %s\n", rpc_fault_name(a->fault));
        else if (rpc_canonical(a->result, r->kind, &s->canonical, &err) != FR_OK) {
            snprintf(why, sizeof why, "%.40s: not what it should be: %.150s", r->calls[s->from + i].method, err.text);
            redact(why, p->url);
            rpc_answers_free(answers);
            p->facts.malformed++;
            endpoint_failed(p, why);
            side_failed(s, why);
            return;
        }
    }
    s->from += answers->count;
    if (s->answers) rpc_answers_join(s->answers, answers);
    else s->answers = answers;
    if (s->from < r->count) side_send(s);
    else s->state = SIDE_FINE;
}

// It lied: what it said to calls that are not decided yet does not count.
void endpoint_forsake(struct endpoint *p)
{
    for (struct read *r = p->owner->first; r; r = r->next) {
        struct side *s = &r->sides[p - p->owner->at];
        if (!r->ended && s->state != SIDE_FRESH && s->state != SIDE_FAILED) side_failed(s, "it lied about its chain");
    }
}

static void exchange_over(struct exchange *x, enum fr_status st, int http_status, const char *body, size_t len, int64_t retry_after_s, const struct fr_err *err)
{
    struct endpoint *p = x->endpoint;
    struct side *s = x->side;
    struct rpc_answers *answers = NULL;
    struct fr_err why;
    char text[RPC_TEXT_BYTES_MAX + 1];
    if (s) s->exchange = NULL;
    p->exchanges--;
    if (st != FR_OK) snprintf(text, sizeof text, "%s", err ? err->text : "no answer");
    else if (http_status == 429) {
        endpoint_rate_limited(p, retry_after_s);
        if (s) side_failed(s, "asked too often");
        return;
    } else if ((st = rpc_read(body, len, x->count, x->first_id, &answers, &why)) != FR_OK) {
        p->facts.malformed += st != FR_E_NOMEM;
        if (http_status != 200) snprintf(text, sizeof text, "HTTP %d", http_status);
        else snprintf(text, sizeof text, "%s", why.text);
    } else if (http_status != 200 && !answers->at[0].fault) {
        rpc_answers_free(answers);
        snprintf(text, sizeof text, "HTTP %d", http_status);
        st = FR_E_IO;
    }
    if (st != FR_OK) {
        redact(text, p->url);
        endpoint_failed(p, text);
        if (s) side_failed(s, text);
        return;
    }
    endpoint_answered(p, now_of(p->owner) - x->sent_at);
    if (s) side_take(s, p, answers, retry_after_s);
    else rpc_answers_free(answers);
}

static void on_answer(void *arg, enum fr_status st, int http_status, const char *body, size_t len, int64_t retry_after_s, const struct fr_err *err)
{
    struct exchange *x = arg;
    struct endpoints *e = x->owner;
    if (e) {
        *(x->prev ? &x->prev->next : &e->exchanges) = x->next;
        if (x->next) x->next->prev = x->prev;
        exchange_over(x, st, http_status, body, len, retry_after_s, err);
    }
    fr_free(x);
    if (e) endpoints_settle(e);
}

static enum fr_status exchange_post(struct side *s, struct endpoint *p, int count, int64_t timeout_ms, struct fr_err *err)
{
    struct endpoints *e = p->owner;
    FR_AUTO_BUF(body);
    fr_buf_init(&body, RPC_REQUEST_BYTES_MAX);
    rpc_write(&body, s->read->calls + s->from, count, e->next_id);
    FR_TRY(fr_buf_check(&body, "a request to a node", err));
    struct exchange *x = fr_alloc(sizeof *x);
    if (!x) return FR_FAIL(err, FR_E_NOMEM, "no memory for a request to a node");
    *x = (struct exchange){ .owner = e, .endpoint = p, .side = s, .count = count, .first_id = e->next_id, .sent_at = now_of(e), .next = e->exchanges };
    enum fr_status st = e->transport.post(e->transport.arg, p->url, body.data, body.len, (int)timeout_ms, RPC_ANSWER_BYTES_MAX, on_answer, x, err);
    if (st != FR_OK) {
        fr_free(x);
        return st;
    }
    if (x->next) x->next->prev = x;
    e->exchanges = x;
    e->next_id += (uint64_t)count;
    s->exchange = x;
    p->exchanges++;
    p->facts.asked++;
    p->tokens_milli -= (int64_t)count * 1000;
    return FR_OK;
}

static bool may_ask(const struct read *r, int i)
{
    if (r->only >= 0 && r->only != i) return false;
    return r->probe || r->owner->at[i].facts.state == ENDPOINT_GOOD;
}

// How many of the calls that are left fit the next request.
static int side_count(const struct side *s, const struct endpoint *p)
{
    const struct read *r = s->read;
    size_t bytes = 0;
    int count = 0;
    while (s->from + count < r->count && count < p->batch_max) {
        bytes += strlen(r->calls[s->from + count].method) + strlen(r->calls[s->from + count].params) + 128;
        if (count > 0 && bytes > RPC_REQUEST_BYTES_MAX) break;
        count++;
    }
    return count;
}

static void side_send(struct side *s)
{
    struct read *r = s->read;
    struct endpoint *p = &r->owner->at[s - r->sides];
    struct fr_err err;
    int count = side_count(s, p);
    int64_t left = r->deadline_at - now_of(r->owner);
    s->state = SIDE_WAITING;
    if (!may_ask(r, (int)(s - r->sides))) {
        side_failed(s, "it is not good any more");
        return;
    }
    if (left <= 0 || !endpoint_can_take(p, count)) return;       // with a later turn, or the deadline decides
    enum fr_status st = exchange_post(s, p, count, left < ENDPOINT_EXCHANGE_MS ? left : ENDPOINT_EXCHANGE_MS, &err);
    if (st == FR_OK) s->state = SIDE_SENT;
    else side_failed(s, err.text);                               // our own shortage: says nothing of the endpoint
}

// ---- deciding ------------------------------------------------------------------------------------------------------

static bool same_text(const struct side *a, const struct side *b)
{
    return a->canonical.len == b->canonical.len && memcmp(a->canonical.data, b->canonical.data, a->canonical.len) == 0;
}

static int how_many_agree(const struct read *r, int no)
{
    int agree = 0;
    for (int k = 0; k < r->owner->count; k++) agree += r->sides[no].state == SIDE_FINE && r->sides[k].state == SIDE_FINE && same_text(&r->sides[no], &r->sides[k]);
    return agree;
}

static void read_fail(struct read *r)
{
    const char *method = r->calls[0].method, *why = r->last_failure[0] ? r->last_failure : "none is there";
    int fine = 0, most = 0;
    for (int i = 0; i < r->owner->count; i++) {
        fine += r->sides[i].state == SIDE_FINE;
        if (how_many_agree(r, i) > most) most = how_many_agree(r, i);
    }
    if (most < fine) read_end(r, FR_FAIL_CODE(&r->err, FR_E_CONFLICT, "rpc_disagree", "%.60s: %d endpoints answered, at most %d of them the same, %d should", method, fine, most, r->quorum), NULL);
    else if (now_of(r->owner) >= r->deadline_at) read_end(r, FR_FAIL_CODE(&r->err, FR_E_TIMEOUT, "rpc_timeout", "%.60s: %d of %d answers in time (%s)", method, fine, r->quorum, why), NULL);
    else read_end(r, FR_FAIL_CODE(&r->err, FR_E_BUSY, "rpc_unavailable", "%.60s: %d of %d answers (%s)", method, fine, r->quorum, why), NULL);
}

// The first of a group that is large enough; who answered otherwise is told of.
static struct side *read_agreed(struct read *r)
{
    for (int i = 0; i < r->owner->count; i++) if (how_many_agree(r, i) >= r->quorum) return &r->sides[i];
    return NULL;
}

static void tell_of_others(struct read *r, const struct side *agreed)
{
    char text[160];
    for (int i = 0; i < r->owner->count; i++) {
        if (r->sides[i].state != SIDE_FINE || same_text(&r->sides[i], agreed)) continue;
        r->owner->at[i].facts.disagreed++;
        average(&r->owner->at[i].facts.failing_permille, 1000);
        snprintf(text, sizeof text, "%.60s: another answer than the %d that agree", r->calls[0].method, r->quorum);
        endpoint_tell(&r->owner->at[i], ENDPOINT_DISAGREED, text);
    }
}

// One after the other: the best that was not asked yet, once the one before has failed.
static void read_advance_one(struct read *r)
{
    struct endpoints *e = r->owner;
    int best = -1, wait = -1;
    bool hope = false;
    for (int i = 0; i < e->count; i++) {
        struct side *s = &r->sides[i];
        if (s->state == SIDE_FINE) {
            read_end(r, FR_OK, s);
            return;
        }
        if (s->state == SIDE_SENT) return;
        if (s->state == SIDE_WAITING) wait = i;                  // in the middle of its calls, or without tokens
        if (s->state != SIDE_FRESH) continue;
        hope = hope || (e->at[i].facts.state != ENDPOINT_HALTED && (r->only < 0 || r->only == i));
        if (!may_ask(r, i)) continue;
        if (best < 0 || endpoint_can_take(&e->at[best], r->count) < endpoint_can_take(&e->at[i], r->count)
            || (endpoint_can_take(&e->at[best], r->count) == endpoint_can_take(&e->at[i], r->count) && endpoint_score(&e->at[i]) < endpoint_score(&e->at[best]))) best = i;
    }
    if (wait >= 0 && r->sides[wait].from == 0 && best >= 0 && endpoint_can_take(&e->at[best], r->count)) r->sides[wait].state = SIDE_FRESH;    // this one need not wait
    else if (wait >= 0) best = wait;
    if (best >= 0) side_send(&r->sides[best]);
    else if (!hope) read_fail(r);
}

// All at once, until enough agree or no longer can.
static void read_advance_all(struct read *r)
{
    struct endpoints *e = r->owner;
    struct side *agreed = read_agreed(r);
    int open = 0, most = 0;
    if (agreed) {
        tell_of_others(r, agreed);
        read_end(r, FR_OK, agreed);
        return;
    }
    for (int i = 0; i < e->count; i++) {
        struct side *s = &r->sides[i];
        if ((s->state == SIDE_FRESH && may_ask(r, i)) || s->state == SIDE_WAITING) side_send(s);
        open += s->state == SIDE_SENT || s->state == SIDE_WAITING || (s->state == SIDE_FRESH && e->at[i].facts.state != ENDPOINT_HALTED);
    }
    for (int i = 0; i < e->count; i++) if (how_many_agree(r, i) > most) most = how_many_agree(r, i);
    if (most + open < r->quorum) read_fail(r);
}

static void read_advance(struct read *r)
{
    if (r->ended) return;
    if (now_of(r->owner) >= r->deadline_at) read_fail(r);
    else if (r->quorum > 1) read_advance_all(r);
    else read_advance_one(r);
}

static struct read *first_ended(struct endpoints *e)
{
    struct read *r = e->first;
    while (r && !r->ended) r = r->next;
    return r;
}

// Every read goes as far as it can, then those that are decided are told, one by one: a caller may ask anew in its done.
void endpoints_settle(struct endpoints *e)
{
    if (e->settling) return;
    e->settling = true;
    do {
        e->changed = false;
        for (struct read *r = e->first; r; r = r->next) read_advance(r);
        for (struct read *r; (r = first_ended(e)); ) {
            read_leave(r);
            r->done(r->arg, r->st, r->st == FR_OK ? r->with->answers : NULL, r->st == FR_OK ? e->at[r->with - r->sides].facts.name : "", r->st == FR_OK ? NULL : &r->err);
            read_free(r);
        }
    } while (e->changed);
    e->settling = false;
}

// ---- what callers use ----------------------------------------------------------------------------------------------

enum fr_status endpoints_read(struct endpoints *e, const struct endpoints_ask *ask, int only, bool probe, struct fr_err *err)
{
    struct read *r = read_new(e, ask);
    if (!r) return FR_FAIL(err, FR_E_NOMEM, "no memory for a call to a node");
    r->only = only;
    r->probe = probe;
    read_enter(e, r);
    e->changed = true;
    if (!e->settling) read_advance(r);         // sends; whatever is decided is told with the next turn
    return FR_OK;
}

static int endpoint_no(const struct endpoints *e, const char *name)
{
    for (int i = 0; i < e->count; i++) if (strcmp(e->at[i].facts.name, name) == 0) return i;
    return -1;
}

enum fr_status endpoints_ask(struct endpoints *e, const struct endpoints_ask *ask, struct fr_err *err)
{
    int only = ask->only ? endpoint_no(e, ask->only) : -1;
    if (ask->count < 1 || ask->count > RPC_BATCH_MAX) return FR_FAIL_CODE(err, FR_E_INVALID, "rpc_request", "%d calls in one request, %d are the most", ask->count, RPC_BATCH_MAX);
    if (ask->quorum < 0 || ask->quorum > e->count || (ask->quorum > 1 && (2 * ask->quorum <= e->count || ask->only)))
        return FR_FAIL_CODE(err, FR_E_INVALID, "rpc_request", "%d of %d endpoints are no majority", ask->quorum, e->count);
    if (ask->only && only < 0) return FR_FAIL_CODE(err, FR_E_INVALID, "rpc_request", "no endpoint is called %.31s", ask->only);
    if (ask->deadline_ms < 0 || ask->deadline_ms > ENDPOINT_READ_MS_MAX) return FR_FAIL_CODE(err, FR_E_INVALID, "rpc_request", "a deadline over %d ms", ENDPOINT_READ_MS_MAX);
    for (int i = 0; i < ask->count; i++)
        if (ask->calls[i].params && strlen(ask->calls[i].params) > RPC_PARAMS_BYTES_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "rpc_request_too_large", "%s: parameters over %d bytes", ask->calls[i].method, RPC_PARAMS_BYTES_MAX);
    if (e->reads >= ENDPOINTS_READS_MAX) return FR_FAIL_CODE(err, FR_E_BUSY, "rpc_busy", "%d calls to nodes are waiting already", ENDPOINTS_READS_MAX);
    return endpoints_read(e, ask, only, false, err);
}

void endpoints_tick(struct endpoints *e)
{
    for (int i = 0; i < e->count; i++) endpoint_check_when_due(&e->at[i]);
    endpoints_settle(e);
}

static enum fr_status endpoint_fill(struct endpoints *e, int no, const struct endpoint_config *c, struct fr_err *err)
{
    struct endpoint *p = &e->at[no];
    if (!c->name[0] || memchr(c->name, 0, sizeof c->name) == NULL || endpoint_no(e, c->name) >= 0) return FR_FAIL(err, FR_E_INVALID, "endpoint %d: a name that is missing, too long or another's", no + 1);
    if (memchr(c->url, 0, sizeof c->url) == NULL || (strncmp(c->url, "http://", 7) != 0 && strncmp(c->url, "https://", 8) != 0)) return FR_FAIL(err, FR_E_INVALID, "endpoint %s: its URL begins with http:// or https://", c->name);
    if (c->per_second < 0 || c->burst < 0 || c->per_second > 1000000 || c->burst > 1000000) return FR_FAIL(err, FR_E_INVALID, "endpoint %s: a rate that makes no sense", c->name);
    *p = (struct endpoint){ .owner = e, .per_second = c->per_second, .burst = c->burst ? c->burst : c->per_second, .batch_max = RPC_BATCH_MAX, .tokens_at = now_of(e), .check_at = now_of(e) };
    p->tokens_milli = (int64_t)p->burst * 1000;
    p->facts.batches = true;
    snprintf(p->facts.name, sizeof p->facts.name, "%s", c->name);
    snprintf(p->url, sizeof p->url, "%s", c->url);
    e->count = no + 1;
    return FR_OK;
}

enum fr_status endpoints_new(const struct endpoints_config *config, struct endpoints **ret, struct fr_err *err)
{
    if (config->count < 1 || config->count > ENDPOINTS_MAX) return FR_FAIL(err, FR_E_INVALID, "%d endpoints: 1 to %d can be used", config->count, ENDPOINTS_MAX);
    FR_AUTO(endpoints) e = fr_alloc(sizeof *e);
    if (!e) return FR_FAIL(err, FR_E_NOMEM, "no memory for endpoints");
    e->transport = config->transport;
    e->on_event = config->on_event;
    e->arg = config->arg;
    e->chain_id = config->chain_id;
    memcpy(e->genesis, config->genesis, 32);
    e->next_id = 1;
    for (int i = 0; i < config->count; i++) FR_TRY(endpoint_fill(e, i, &config->at[i], err));
    *ret = FR_TAKE(e);
    return FR_OK;
}

void endpoints_free(struct endpoints *e)
{
    if (!e) return;
    assert(!e->settling);
    for (struct read *r = e->first, *next; r; r = next) {
        next = r->next;
        read_free(r);
    }
    for (struct exchange *x = e->exchanges; x; x = x->next) x->owner = NULL;     // freed by their answers
    for (int i = 0; i < e->count; i++) explicit_bzero(e->at[i].url, sizeof e->at[i].url);
    fr_free(e);
}

int endpoints_facts(const struct endpoints *e, struct endpoint_facts out[ENDPOINTS_MAX])
{
    for (int i = 0; i < e->count; i++) out[i] = e->at[i].facts;
    return e->count;
}

int endpoints_good(const struct endpoints *e)
{
    int good = 0;
    for (int i = 0; i < e->count; i++) good += e->at[i].facts.state == ENDPOINT_GOOD;
    return good;
}

const uint8_t *endpoints_genesis(const struct endpoints *e)
{
    return e->genesis;
}

bool endpoints_forgive(struct endpoints *e, const char *name)
{
    int no = endpoint_no(e, name);
    if (no < 0 || e->at[no].facts.state != ENDPOINT_HALTED) return false;
    e->at[no].facts.state = ENDPOINT_UNCHECKED;
    e->at[no].check_at = now_of(e);
    return true;
}
