// policy.c — the gate: whose session may do what, and what may be done inside Telegram at all (telegram.policy).
//
// Telegram lets Mini Apps deal in tokens only on TON through TON Connect. Under "strict" nothing that has to do with EVM chains is done or shown by a session that came through
// launch data (the shell's, games'): linking a wallet, deposits, withdrawals, mints and payouts of tokens answer 403 policy_telegram, and /app/ shows none of it. They live at
// /wallet/, outside Telegram, behind sessions of scope "wallet". Even a link to there inside /app/ would count: under "strict" players hear of it from the operator's site, and sign
// in by Telegram's login for web pages. "open" is for development.
#include <string.h>
#include "gateway/internal.h"

static bool is_scope(const struct session *s, const char *scope) { return strcmp(s->scope, scope) == 0; }

static enum fr_status wrong_scope(const struct session *s, struct fr_err *err)
{
    return FR_FAIL_CODE(err, FR_E_DENIED, "wrong_scope", "this token is for %s only; it may not do this", s->scope);
}

enum fr_status policy_allows(const struct gateway *g, const struct session *s, enum gw_who who, struct fr_err *err)
{
    bool shell = is_scope(s, "shell"), wallet = is_scope(s, "wallet");
    switch (who) {
    case GW_ANYBODY: case GW_EVERY: return FR_OK;
    case GW_BEARER: return wallet ? wrong_scope(s, err) : FR_OK;
    case GW_KEY: case GW_PALM:             // without a key: keys.c
    case GW_SHELL: return shell ? FR_OK : wrong_scope(s, err);
    case GW_OWNER: return shell || wallet ? FR_OK : wrong_scope(s, err);
    case GW_WALLET: break;
    }
    if (wallet) return FR_OK;
    if (!g->o.wallet_open) return FR_FAIL_CODE(err, FR_E_DENIED, "policy_telegram", "this is not done inside Telegram");
    return shell ? FR_OK : wrong_scope(s, err);
}

enum fr_status policy_socket(const struct session *s, struct fr_err *err)
{
    return is_scope(s, "wallet") ? wrong_scope(s, err) : FR_OK;
}

uint64_t gw_chain_id(const struct gateway *g)
{
    const struct treasury_settings *s = treasury_settings_of(g->o.treasury);
    return s ? s->chain_id : 0;
}

bool policy_shell_has_wallet(const struct gateway *g) { return g->o.wallet_open && gw_chain_id(g) != 0; }
