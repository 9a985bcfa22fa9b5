// deposits.c — GET /v1/wallet/deposit?asset=PALM: the player's address, what came, and what is on its way. Without an asset: the first that there is.
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "gateway/internal.h"
#include "player/identity.h"
#include "treasury/deposit.h"
#include "treasury/treasury.h"

#define DEPOSITS_SHOWN 20

struct deposit_ask { struct deposit *deposit; char asset[ASSET_ID_BYTES]; struct deposit_address at; };

static enum fr_status deposit_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct deposit_ask *ask = r->own;
    const struct deposit *d = ask->deposit;
    const struct treasury_token *t = deposit_token(d, ask->asset);
    struct player who;
    char subject[DEPOSIT_SUBJECT_BYTES_MAX + 1], address[ADDRESS_TEXT_BYTES], token[ADDRESS_TEXT_BYTES];
    if (!t) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "asset_not_on_chain", "no chain stands behind %s here", ask->asset);
    FR_TRY(player_get(txn, r->who.player, &who, err));
    snprintf(subject, sizeof subject, "telegram:%lld", (long long)who.telegram_id);        // a person for ever, which a player's id is not: see deposit.h
    FR_TRY(deposit_issue(txn, d, who.id, subject, r->now_ms, &ask->at, err));
    int tokens;
    const struct treasury_token *all = deposit_tokens(d, &tokens);
    fr_buf_add(&r->out, "{\"assets\":[");
    for (int i = 0; i < tokens; i++) fr_buf_addf(&r->out, "%s\"%s\"", i ? "," : "", all[i].asset);
    fr_buf_addf(&r->out, "],\"asset\":\"%s\",\"address\":\"%s\",\"chain_id\":\"%llu\",\"token\":\"%s\",\"decimals\":%d,\"chain_decimals\":%d,\"note\":\"Send only %s on chain %llu to this address. It is credited when its block is final.\",\"deposits\":",
                t->asset, address_text(&ask->at.at, address), (unsigned long long)deposit_chain_id(d), address_text(&t->at, token), t->ledger_decimals, t->chain_decimals, t->asset, (unsigned long long)deposit_chain_id(d));
    return deposit_print_player(txn, d, who.id, ask->asset, DEPOSITS_SHOWN, &r->out, err);
}

// On the loop: what is not final yet is known here alone.
static void deposit_after(struct gw_req *r)
{
    struct deposit_ask *ask = r->own;
    struct deposit *d = ask->deposit;
    fr_buf_add(&r->out, ",\"pending\":");
    deposit_print_pending(d, &ask->at, ask->asset, &r->out);
    fr_buf_add(&r->out, "}");
    deposit_wanted(d, &ask->at);
}

void gw_deposit(struct gw_req *r)
{
    struct deposit *d = treasury_part_of(r->g->o.treasury, "deposit");
    if (!d) {
        GW_FAIL(r, FR_E_CONFLICT, "chain_off", "this host has no chain");
        return;
    }
    struct deposit_ask *ask = fr_must_alloc(sizeof *ask);
    r->own = ask;
    r->own_free = fr_free;
    ask->deposit = d;
    int tokens;
    struct net_text query = net_query(r->http);
    if (query.len == 0) snprintf(ask->asset, sizeof ask->asset, "%s", deposit_tokens(d, &tokens)[0].asset);
    else if (!net_query_value(r->http, "asset", ask->asset, sizeof ask->asset) || !ask->asset[0]) {
        GW_FAIL(r, FR_E_INVALID, "invalid", "asset: which one, such as PALM");
        return;
    }
    r->after = deposit_after;
    gw_write(r, deposit_job);
}
