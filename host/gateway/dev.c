// dev.c — what exists only under --dev: launch data for anybody, a look inside, and buttons that break things.
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "gateway/internal.h"
#include "player/initdata.h"
#include "treasury/burn.h"

#define KILL_AFTER_MS 30                   // so that the answer leaves first
#define BURNS_SHOWN 4                      // batches, the newest
#define HOSTILE_POLL_MS 20
#define HOSTILE_UP_MS 6000                 // a worker that was just killed is started again after a back-off

// ---- POST /v1/dev/launch

void gw_dev_launch(struct gw_req *r)
{
    static const char *const keys[] = { "user", "start_param", "bot", NULL };
    const struct fr_json *user;
    const char *name, *start, *bot_name;
    const struct bot *bot = NULL;
    int64_t id;
    struct fr_err err;
    FR_AUTO_BUF(user_json); FR_AUTO_BUF(init_data);
    fr_buf_init(&user_json, INITDATA_BYTES_MAX);
    fr_buf_init(&init_data, INITDATA_BYTES_MAX);
    enum fr_status st = gw_body(r, keys, &err);
    if (st == FR_OK) st = fr_json_need_object(r->body, "user", &user, &err);
    if (st == FR_OK) st = fr_json_need_int(user, "id", 1, (1LL << 52) - 1, &id, &err);
    if (st == FR_OK) st = fr_json_need_text(user, "first_name", 1, 64, &name, &err);
    if (st == FR_OK) st = fr_json_opt_text(r->body, "start_param", 512, "", &start, &err);
    if (st == FR_OK) st = fr_json_opt_text(r->body, "bot", BOT_NAME_BYTES - 1, NULL, &bot_name, &err);
    if (st == FR_OK) bot = bot_name ? bots_find(r->g->o.bots, bot_name) : bots_with_token(r->g->o.bots);
    if (st == FR_OK && (!bot || !bot->token[0])) st = FR_FAIL_CODE(&err, FR_E_NOT_FOUND, "bot_unknown", "this host has no bot \"%.40s\" with a token", bot_name ? bot_name : "");
    if (st == FR_OK) fr_json_print(user, &user_json);
    if (st == FR_OK) st = fr_buf_check(&user_json, "user", &err);
    if (st == FR_OK) st = initdata_mint(bot->token, user_json.data, r->now_ms / 1000, start[0] ? start : NULL, &init_data, &err);
    if (st == FR_OK) st = fr_buf_check(&init_data, "the launch data", &err);
    if (st != FR_OK) {
        gw_refuse(r, &err, NULL);
        return;
    }
    fr_buf_init(&r->out, 4 * INITDATA_BYTES_MAX);
    fr_buf_add(&r->out, "{\"init_data\":");
    fr_buf_add_json_bytes(&r->out, init_data.data, init_data.len);
    fr_buf_add(&r->out, "}");
    gw_answer(r, 200, r->out.data, r->out.len);
}

// ---- GET /v1/dev/status

static void newest_entry(void *arg, const struct ledger_entry *e)
{
    fr_buf_addf(arg, ",\"entries\":%lld,\"head\":\"%s\"", (long long)e->id, e->hash);
}

static enum fr_status status_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    const struct fr_buf *rest = r->own;
    int64_t worst;
    FR_TRY(ledger_sums(txn, &worst, err));
    fr_buf_addf(&r->out, "{\"ledger\":{\"sum\":\"%lld\"", (long long)worst);
    size_t before = r->out.len;
    FR_TRY(ledger_journal(txn, 0, 0, 1, newest_entry, &r->out, err));
    if (r->out.len == before) fr_buf_add(&r->out, ",\"entries\":0,\"head\":\"\"");
    fr_buf_add(&r->out, "},\"burn\":");
    FR_TRY(burn_batches(txn, 0, BURNS_SHOWN, &r->out, err));
    fr_buf_addf(&r->out, ",%s}", rest->data);
    return FR_OK;
}

static void buf_free(void *own)
{
    fr_buf_free(own);
    fr_free(own);
}

static void print_workers(struct fr_buf *b, const struct plugin_version *v, int *written)
{
    const struct plugin *p = v->plugin;
    for (int i = 0; i < v->worker_count; i++) {
        const struct plugin_worker *w = &v->workers[i];
        struct sandbox_stats s = w->sandbox ? sandbox_worker_stats(w->sandbox) : (struct sandbox_stats){ 0 };
        const char *state = w->up ? "up" : v == p->current && p->state != PLUGIN_UP ? plugin_state_name(p->state) : w->sandbox ? "starting" : "stopped";
        fr_buf_addf(b, "%s{\"plugin\":\"%s\",\"version\":\"%s\",\"serves\":\"%s\",\"no\":%d,\"state\":\"%s\",\"pid\":%d,\"matches\":%d,\"cpu_ms\":%lld,\"rss_bytes\":%lld,\"heap_bytes\":%lld,\"restarts\":%lld,\"calls\":%lld}",
                    (*written)++ ? "," : "", v->package->manifest->id, v->package->manifest->version, version_state_name(v->state), w->no, state, s.pid, w->matches,
                    (long long)s.cpu_ms, (long long)s.rss_bytes, (long long)s.heap_bytes, (long long)s.restarts, (long long)p->calls);
    }
}

void gw_dev_status(struct gw_req *r)
{
    struct gateway *g = r->g;
    struct fr_buf *b = fr_must_alloc(sizeof *b);
    size_t rss = 0;
    int written = 0;
    r->own = b;
    r->own_free = buf_free;
    fr_buf_init(b, GW_ANSWER_BYTES_MAX);
    fr_buf_add(b, "\"matches\":");
    play_running(g->o.plays, b);
    fr_buf_add(b, ",\"workers\":[");
    for (struct plugin *p = plugins_next(g->o.plugins, NULL); p; p = plugins_next(g->o.plugins, p)) {
        for (struct plugin_version *v = plugin_version_next(p, NULL); v; v = plugin_version_next(p, v))
            if (v == p->current || v->workers[0].sandbox) print_workers(b, v, &written);
    }
    if (uv_resident_set_memory(&rss) != 0) rss = 0;
    fr_buf_addf(b, "],\"chain\":");
    if (g->o.treasury) treasury_print_status(g->o.treasury, b);
    else fr_buf_add(b, "null");
    fr_buf_addf(b, ",\"host\":{\"pid\":%d,\"uptime_ms\":%lld,\"rss_bytes\":%zu}", (int)getpid(), (long long)((int64_t)uv_now(g->o.loop) - g->started_ms), rss);
    gw_read(r, status_job);
}

// ---- POST /v1/dev/kill

struct kill_host { uv_timer_t timer; struct gateway *g; };

static void kill_on_timer(uv_timer_t *timer)
{
    struct kill_host *k = timer->data;
    k->g->o.kill_host(k->g->o.arg);
}

void gw_dev_kill(struct gw_req *r)
{
    static const char *const keys[] = { "what", "plugin", NULL };
    const char *what, *plugin;
    struct fr_err err;
    struct gateway *g = r->g;
    if (gw_body(r, keys, &err) != FR_OK || fr_json_need_text(r->body, "what", 1, 8, &what, &err) != FR_OK ||
        fr_json_opt_text(r->body, "plugin", PLUGIN_ID_BYTES_MAX, "", &plugin, &err) != FR_OK) {
        gw_refuse(r, &err, NULL);
        return;
    }
    if (strcmp(what, "host") == 0 && g->o.kill_host) {
        struct kill_host *k = fr_must_alloc(sizeof *k);        // nobody is left to free it
        k->g = g;
        k->timer.data = k;
        uv_timer_init(g->o.loop, &k->timer);
        uv_timer_start(&k->timer, kill_on_timer, KILL_AFTER_MS, 0);
        gw_answer(r, 202, "{}", 2);
        return;
    }
    if (strcmp(what, "worker") != 0) {
        GW_FAIL(r, FR_E_INVALID, "invalid", "what: expected \"worker\" or \"host\", got \"%s\"", what);
        return;
    }
    struct plugin *p = plugins_find(g->o.plugins, plugin);
    struct plugin_worker *w = NULL;
    for (int i = 0; p && i < p->current->worker_count; i++)        // the one with the most matches shows the most
        if (p->current->workers[i].up && (!w || p->current->workers[i].matches > w->matches)) w = &p->current->workers[i];
    if (!w) {
        GW_FAIL(r, p ? FR_E_CONFLICT : FR_E_NOT_FOUND, p ? "not_running" : "plugin_unknown", "no worker of \"%s\" is running", plugin);
        return;
    }
    sandbox_worker_kill(w->sandbox);
    gw_answer(r, 202, "{}", 2);
}

// ---- POST /v1/dev/hostile: each call in turn, each in a worker that is up

static const char *const attacks[] = { "loop", "memory", "flood" };
#define ATTACK_COUNT ((int)(sizeof attacks / sizeof attacks[0]))
struct hostile { struct gw_req *r; uv_timer_t timer; struct fr_buf out; int at; int64_t since_ms; };
static bool hostile_running;               // a second press of the button is told so

static void hostile_on_closed(uv_handle_t *handle)
{
    struct hostile *h = handle->data;
    fr_buf_add(&h->out, "]}");
    hostile_running = false;
    gw_answer(h->r, 200, h->out.data, h->out.len);
    fr_buf_free(&h->out);
    fr_free(h);
}

static void hostile_note(struct hostile *h, bool contained, const char *code, const char *text)
{
    fr_buf_addf(&h->out, "%s{\"name\":\"%s\",\"contained\":%s,\"ms\":%lld,\"code\":\"%s\",\"how\":", h->at ? "," : "", attacks[h->at], contained ? "true" : "false",
                (long long)(fr_mono_ms() - h->since_ms), code);
    fr_buf_add_json_text(&h->out, text);
    fr_buf_add(&h->out, "}");
    h->at++;
    h->since_ms = fr_mono_ms();
}

static void hostile_next(uv_timer_t *timer);
static void hostile_wait(struct hostile *h)
{
    if (h->at == ATTACK_COUNT) uv_close((uv_handle_t *)&h->timer, hostile_on_closed);
    else uv_timer_start(&h->timer, hostile_next, HOSTILE_POLL_MS, 0);
}

static void hostile_on_answer(void *arg, const struct plugin_answer *a)
{
    struct hostile *h = arg;
    if (a->status == FR_OK) hostile_note(h, false, "escaped", "it came to an end by itself");
    else hostile_note(h, true, a->err.code, a->err.text);
    hostile_wait(h);
}

static void hostile_next(uv_timer_t *timer)
{
    struct hostile *h = timer->data;
    struct gateway *g = h->r->g;
    struct plugin *p = plugins_find(g->o.plugins, HOSTILE_ID);
    struct plugin_caller caller = { .source = "console" };
    struct fr_err err;
    bool over = g->stopping || fr_mono_ms() - h->since_ms > HOSTILE_UP_MS;
    if (!over && p && (p->state == PLUGIN_STARTING || p->state == PLUGIN_DOWN)) {
        uv_timer_start(&h->timer, hostile_next, HOSTILE_POLL_MS, 0);
        return;
    }
    if (over || !p || p->state != PLUGIN_UP) {
        hostile_note(h, !over, p ? plugin_state_name(p->state) : "gone", p && p->error.text[0] ? p->error.text : "its worker was not started again");
        hostile_wait(h);
        return;
    }
    h->since_ms = fr_mono_ms();
    if (plugin_call_start(p, attacks[h->at], "{}", 2, &caller, hostile_on_answer, h, &err) == FR_OK) return;
    hostile_note(h, true, err.code, err.text);
    hostile_wait(h);
}

void gw_dev_hostile(struct gw_req *r)
{
    struct gateway *g = r->g;
    struct plugin *p = plugins_find(g->o.plugins, HOSTILE_ID);
    struct fr_err err;
    if (!g->o.hostile_folder || hostile_running) {
        GW_FAIL(r, FR_E_CONFLICT, hostile_running ? "in_progress" : "no_hostile_plugin", "%s", hostile_running ? "it is running already" : "the folder of the hostile plugin was not found");
        return;
    }
    bool ready = p && (p->state == PLUGIN_UP || p->state == PLUGIN_STARTING || p->state == PLUGIN_DOWN);
    if (!ready && plugins_add_folder(g->o.plugins, g->o.hostile_folder, &p, &err) != FR_OK) {
        gw_refuse(r, &err, NULL);
        return;
    }
    struct hostile *h = fr_must_alloc(sizeof *h);
    hostile_running = true;
    h->r = r;
    h->since_ms = fr_mono_ms();
    h->timer.data = h;
    fr_buf_init(&h->out, GW_ANSWER_BYTES_MAX);
    fr_buf_add(&h->out, "{\"outcome\":[");
    uv_timer_init(g->o.loop, &h->timer);
    hostile_wait(h);
}
