// wallets.c — players' own wallets: the way out of the Mini App (a link with a one-time code), messages to sign, links. The proof is player/wallet.h.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "gateway/internal.h"


enum fr_status gw_wallet_base(const struct gw_req *r, char out[WALLET_PAGE_BYTES], struct fr_err *err)
{
    const char *url = r->g->o.public_url;
    struct net_text host = net_header(r->http, "host");
    int n = url && url[0] ? snprintf(out, WALLET_PAGE_BYTES, "%s", url) : r->g->o.dev ? snprintf(out, WALLET_PAGE_BYTES, "http://%.*s", (int)host.len, host.at) : 0;
    if (n <= 0) return FR_FAIL_CODE(err, FR_E_BUSY, "wallet_url_missing", "the operator has not said where this host is reached: telegram.public_url in the config file");
    return n < WALLET_PAGE_BYTES - 16 ? FR_OK : FR_FAIL(err, FR_E_INVALID, "the host's name is too long");
}

static enum fr_status page_of(const struct gw_req *r, struct wallet_page *ret, struct fr_err *err)
{
    char base[WALLET_PAGE_BYTES];
    if (!gw_chain_id(r->g)) return FR_FAIL_CODE(err, FR_E_BUSY, "chain_off", "this host is not joined to a chain");
    FR_TRY(gw_wallet_base(r, base, err));
    const char *domain = strstr(base, "://");
    if (!domain || strlen(domain + 3) >= sizeof ret->domain) return FR_FAIL(err, FR_E_INVALID, "the host's name is too long");
    *ret = (struct wallet_page){ .chain_id = gw_chain_id(r->g) };
    snprintf(ret->domain, sizeof ret->domain, "%s", domain + 3);
    snprintf(ret->uri, sizeof ret->uri, "%.*s/wallet/", (int)sizeof ret->uri - 16, base);
    return FR_OK;
}

// ---- GET /v1/wallet/info: what the page needs before anybody has signed in

void gw_wallet_info(struct gw_req *r)
{
    const struct bot *bot = bots_with_token(r->g->o.bots);
    char base[WALLET_PAGE_BYTES];
    struct fr_err none;
    fr_buf_init(&r->out, GW_ANSWER_BYTES_MAX);
    fr_buf_addf(&r->out, "{\"chain_id\":\"%llu\",\"withdrawals\":%s,\"deposits\":%s,\"app\":%s,\"login\":", (unsigned long long)gw_chain_id(r->g), treasury_part_of(r->g->o.treasury, "withdrawal") ? "true" : "false",
                treasury_part_of(r->g->o.treasury, "deposit") ? "true" : "false",
                policy_shell_has_wallet(r->g) ? "true" : "false");
    if (bot && !r->g->o.dev && gw_wallet_base(r, base, &none) == FR_OK) {
        fr_buf_addf(&r->out, "{\"bot_id\":\"%lld\",\"origin\":", (long long)bot->id);
        fr_buf_add_json_text(&r->out, base);
        fr_buf_add(&r->out, "}");
    } else fr_buf_add(&r->out, "null");
    fr_buf_add(&r->out, "}");
    gw_answer(r, 200, r->out.data, r->out.len);
}

// ---- POST /v1/wallet/link/begin: the shell's way out

static enum fr_status begin_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    char code[WALLET_CODE_BYTES], at[25], url[WALLET_PAGE_BYTES + 64];
    int64_t expires_ms;
    FR_TRY(wallet_code_new(txn, r->who.player, r->now_ms, code, &expires_ms, err));
    snprintf(url, sizeof url, "%s/wallet/#%s", (const char *)r->own, code);
    fr_buf_addf(&r->out, "{\"code\":\"%s\",\"url\":", code);
    fr_buf_add_json_text(&r->out, url);
    fr_buf_addf(&r->out, ",\"expires_at\":\"%s\"}", fr_time_text(expires_ms, at));
    return FR_OK;
}

void gw_wallet_begin(struct gw_req *r)
{
    struct fr_err err;
    char *base = fr_must_alloc(WALLET_PAGE_BYTES);
    r->own = base;
    r->own_free = fr_free;
    if (strcmp(r->who.scope, "shell") != 0) GW_FAIL(r, FR_E_DENIED, "wrong_scope", "this token is for %s; only the shell's may do this", r->who.scope);
    else if (gw_wallet_base(r, base, &err) != FR_OK) gw_refuse(r, &err, NULL);
    else gw_write(r, begin_job);
}

// ---- links

static void link_print(const struct wallet *w, struct fr_buf *out)
{
    char text[ADDRESS_TEXT_BYTES], at[25];
    fr_buf_addf(out, "{\"address\":\"%s\",\"linked_at\":\"%s\"}", address_text(&w->address, text), fr_time_text(w->linked_ms, at));
}

static enum fr_status links_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct wallet list[WALLETS_PER_PLAYER_MAX];
    int count;
    FR_TRY(wallet_list(txn, r->who.player, list, &count, err));
    fr_buf_add(&r->out, "{\"links\":[");
    for (int i = 0; i < count; i++) {
        if (i) fr_buf_add(&r->out, ",");
        link_print(&list[i], &r->out);
    }
    fr_buf_add(&r->out, "]}");
    return FR_OK;
}

void gw_wallet_links(struct gw_req *r) { gw_read(r, links_job); }

struct linking { struct wallet_page page; struct address address; const char *text, *message, *signature; enum fr_status outcome; struct fr_err why; };       // texts: the body's

static enum fr_status message_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct linking *l = r->own;
    FR_AUTO_BUF(message);
    char at[25];
    int64_t expires_ms;
    fr_buf_init(&message, SIWE_BYTES_MAX);
    FR_TRY(wallet_message(txn, r->who.player, r->who.id, l->text, &l->page, r->now_ms, &message, &expires_ms, err));
    fr_buf_add(&r->out, "{\"message\":");
    fr_buf_add_json_text(&r->out, message.data);
    fr_buf_addf(&r->out, ",\"expires_at\":\"%s\"}", fr_time_text(expires_ms, at));
    return FR_OK;
}

static struct linking *linking_new(struct gw_req *r)
{
    struct linking *l = fr_must_alloc(sizeof *l);
    r->own = l;
    r->own_free = fr_free;
    return l;
}

void gw_wallet_message(struct gw_req *r)
{
    static const char *const keys[] = { "address", NULL };
    struct linking *l = linking_new(r);
    struct fr_err err;
    if (page_of(r, &l->page, &err) != FR_OK || gw_body(r, keys, &err) != FR_OK || fr_json_need_text(r->body, "address", 1, 64, &l->text, &err) != FR_OK) gw_refuse(r, &err, NULL);
    else gw_write(r, message_job);
}

// The nonce is gone whatever came of it, so a refusal commits too, and is told afterwards.
static enum fr_status link_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct linking *l = r->own;
    struct wallet w;
    FR_TRY(wallet_link_outcome(txn, r->who.player, r->who.id, l->message, strlen(l->message), l->signature, &l->page, r->now_ms, &w, &l->outcome, &l->why, err));
    if (l->outcome == FR_OK) link_print(&w, &r->out);
    return FR_OK;
}

static void link_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct gw_req *r = arg;
    struct linking *l = r->own;
    if (st != FR_OK) gw_refuse(r, err, NULL);
    else if (l->outcome != FR_OK) {
        struct fr_err why = l->why;        // it lies in what gw_refuse frees
        gw_refuse(r, &why, NULL);
    } else gw_answer(r, 201, r->out.data, r->out.len);
}

void gw_wallet_link(struct gw_req *r)
{
    static const char *const keys[] = { "message", "signature", NULL };
    struct linking *l = linking_new(r);
    struct fr_err err;
    fr_buf_init(&r->out, GW_ANSWER_BYTES_MAX);
    if (page_of(r, &l->page, &err) != FR_OK || gw_body(r, keys, &err) != FR_OK || fr_json_need_text(r->body, "message", 1, SIWE_BYTES_MAX, &l->message, &err) != FR_OK ||
        fr_json_need_text(r->body, "signature", 1, 8192, &l->signature, &err) != FR_OK || store_run(r->g->o.store, link_job, r, link_done, &err) != FR_OK) gw_refuse(r, &err, NULL);
}

// The next withdrawal to it has the whole cooldown: whoever unlinks a wallet may have lost it.
static enum fr_status unlink_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    const struct linking *l = r->own;
    FR_TRY(wallet_unlink(txn, r->who.player, &l->address, r->now_ms, err));
    return withdrawal_forget_address(txn, r->who.player, &l->address, r->now_ms, err);
}

void gw_wallet_unlink(struct gw_req *r)
{
    struct linking *l = linking_new(r);
    struct fr_err err;
    if (address_parse(r->part[0], &l->address, &err) != FR_OK) {
        GW_FAIL(r, FR_E_NOT_FOUND, "wallet_unknown", "this wallet is not linked to you");
        return;
    }
    r->http_status = 204;
    gw_write(r, unlink_job);
}
