// policy.c — the file to facts, then one question at a time: first what holds for every transaction, then by receiver and kind of call.
#include "signer/policy.h"
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "chain/abi.h"

// ---- the file

static enum fr_status only_keys(const struct fr_json *o, const char *const *keys, const char *where, struct fr_err *err)
{
    if (fr_json_kind(o) != JSON_OBJECT) return FR_FAIL(err, FR_E_INVALID, "%s: expected an object, got %s", where, fr_json_kind_name(fr_json_kind(o)));
    return fr_json_only_keys(o, keys, where, err);
}

static enum fr_status need_u256(const struct fr_json *o, const char *key, struct u256 *ret, struct fr_err *err)
{
    const char *text = NULL;
    FR_TRY(fr_json_need_text(o, key, 1, U256_TEXT_BYTES - 1, &text, err));
    return u256_parse(text, ret, err) == FR_OK ? FR_OK : fr_err_note(err, "%s", key);
}

static enum fr_status need_u64(const struct fr_json *o, const char *key, uint64_t *ret, struct fr_err *err)
{
    struct u256 v;
    FR_TRY(need_u256(o, key, &v, err));
    return u256_fits_u64(v, ret) ? FR_OK : FR_FAIL(err, FR_E_INVALID, "%s: over 64 bits", key);
}

static enum fr_status need_address(const struct fr_json *o, const char *key, struct address *ret, struct fr_err *err)
{
    const char *text = NULL;
    FR_TRY(fr_json_need_text(o, key, ADDRESS_TEXT_BYTES - 1, ADDRESS_TEXT_BYTES - 1, &text, err));
    if (address_parse(text, ret, err) == FR_OK) return FR_OK;
    return *key ? fr_err_note(err, "%s", key) : FR_E_INVALID;
}

static enum fr_status read_list(const struct fr_json *o, const char *key, bool any_allowed, struct policy_list *ret, struct fr_err *err)
{
    const struct fr_json *v = fr_json_get(o, key), *array;
    const char *text = v ? fr_json_text(v) : NULL;
    if (!v) return FR_OK;
    if (any_allowed && text && strcmp(text, "any") == 0) {
        ret->any = true;
        return FR_OK;
    }
    FR_TRY(fr_json_need_array(o, key, 0, SIGNER_LIST_MAX, &array, err));
    for (const struct fr_json *e = fr_json_child(array); e; e = fr_json_next(e))
        if (need_address(e, "", &ret->list[ret->count++], err) != FR_OK) return fr_err_note(err, "%s", key);
    return FR_OK;
}

static enum fr_status read_limits(const struct fr_json *o, struct policy_limits *ret, struct fr_err *err)
{
    FR_TRY(need_u256(o, "each", &ret->each, err));
    return need_u256(o, "day", &ret->day, err);
}

static enum fr_status read_gas(const struct fr_json *doc, struct policy *p, struct fr_err *err)
{
    static const char *const keys[] = { "limit", "max_fee", "max_tip", "day", NULL };
    const struct fr_json *gas = NULL;
    FR_TRY(fr_json_need_object(doc, "gas", &gas, err));
    FR_TRY(only_keys(gas, keys, "gas", err));
    FR_TRY(need_u64(gas, "limit", &p->gas_limit, err));
    FR_TRY(need_u256(gas, "max_fee", &p->max_fee, err));
    FR_TRY(need_u256(gas, "max_tip", &p->max_tip, err));
    return need_u256(gas, "day", &p->gas_day, err);
}

static enum fr_status read_ether(const struct fr_json *doc, struct policy *p, struct fr_err *err)
{
    static const char *const keys[] = { "to", "each", "day", NULL };
    const struct fr_json *ether = NULL;
    if (!fr_json_get(doc, "ether")) return FR_OK;
    FR_TRY(fr_json_need_object(doc, "ether", &ether, err));
    FR_TRY(only_keys(ether, keys, "ether", err));
    FR_TRY(read_list(ether, "to", false, &p->ether_to, err));
    return read_limits(ether, &p->ether, err);
}

static enum fr_status read_text(const struct fr_json *o, const char *key, char out[POLICY_NAME_BYTES], struct fr_err *err)
{
    const char *text = NULL;
    FR_TRY(fr_json_need_text(o, key, 1, POLICY_NAME_BYTES - 1, &text, err));
    snprintf(out, POLICY_NAME_BYTES, "%s", text);
    return FR_OK;
}

static enum fr_status read_token(const struct fr_json *e, struct policy *p, struct fr_err *err)
{
    static const char *const keys[] = { "address", "to", "spenders", "each", "day", "permit", NULL }, *const of_permit[] = { "name", "version", NULL };
    struct policy_token *t = &p->tokens[p->token_count];
    const struct fr_json *permit = NULL;
    FR_TRY(only_keys(e, keys, "tokens", err));
    FR_TRY(need_address(e, "address", &t->at, err));
    FR_TRY(read_list(e, "to", true, &t->to, err));
    FR_TRY(read_list(e, "spenders", false, &t->spenders, err));
    FR_TRY(read_limits(e, &t->limits, err));
    p->token_count++;
    if (!fr_json_get(e, "permit")) return FR_OK;
    FR_TRY(fr_json_need_object(e, "permit", &permit, err));
    FR_TRY(only_keys(permit, of_permit, "permit", err));
    t->permits = true;
    FR_TRY(read_text(permit, "name", t->name, err));
    return read_text(permit, "version", t->version, err);
}

static enum fr_status read_burn(const struct fr_json *e, struct policy *p, struct fr_err *err)
{
    static const char *const keys[] = { "address", "each", "day", NULL };
    struct policy_burn *b = &p->burns[p->burn_count++];
    FR_TRY(only_keys(e, keys, "burn", err));
    FR_TRY(need_address(e, "address", &b->at, err));
    return read_limits(e, &b->limits, err);
}

static enum fr_status read_payout(const struct fr_json *e, struct policy *p, struct fr_err *err)
{
    static const char *const keys[] = { "address", "token", "each", "day", NULL };
    struct policy_payout *o = &p->payouts[p->payout_count++];
    FR_TRY(only_keys(e, keys, "payout", err));
    FR_TRY(need_address(e, "address", &o->at, err));
    o->has_token = fr_json_get(e, "token") != NULL;
    if (o->has_token) FR_TRY(need_address(e, "token", &o->token, err));
    return read_limits(e, &o->limits, err);
}

static enum fr_status read_sweep(const struct fr_json *e, struct policy *p, struct fr_err *err)
{
    static const char *const keys[] = { "address", "tokens", NULL };
    struct policy_sweep *s = &p->sweeps[p->sweep_count++];
    FR_TRY(only_keys(e, keys, "sweep", err));
    FR_TRY(need_address(e, "address", &s->at, err));
    return read_list(e, "tokens", false, &s->tokens, err);
}

static enum fr_status read_domain(const struct fr_json *e, struct policy *p, struct fr_err *err)
{
    const char *text = NULL;
    FR_TRY(fr_json_need_text(e, "", 1, POLICY_DOMAIN_BYTES - 1, &text, err));
    snprintf(p->domains[p->domain_count++], POLICY_DOMAIN_BYTES, "%s", text);
    return FR_OK;
}

static enum fr_status read_each(const struct fr_json *doc, const char *key, int most, enum fr_status (*read)(const struct fr_json *, struct policy *, struct fr_err *),
                                struct policy *p, struct fr_err *err)
{
    const struct fr_json *array = NULL;
    if (!fr_json_get(doc, key)) return FR_OK;
    FR_TRY(fr_json_need_array(doc, key, 0, most, &array, err));
    for (const struct fr_json *e = fr_json_child(array); e; e = fr_json_next(e))
        if (read(e, p, err) != FR_OK) return fr_err_note(err, "%s", key);
    return FR_OK;
}

// An address in two roles could be judged by the looser one.
static enum fr_status no_address_twice(const struct policy *p, struct fr_err *err)
{
    struct address seen[POLICY_TOKENS_MAX + POLICY_BURNS_MAX + POLICY_PAYOUTS_MAX + POLICY_SWEEPS_MAX];
    char text[ADDRESS_TEXT_BYTES];
    int count = 0;
    for (int i = 0; i < p->token_count; i++) seen[count++] = p->tokens[i].at;
    for (int i = 0; i < p->burn_count; i++) seen[count++] = p->burns[i].at;
    for (int i = 0; i < p->payout_count; i++) seen[count++] = p->payouts[i].at;
    for (int i = 0; i < p->sweep_count; i++) seen[count++] = p->sweeps[i].at;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++)
            if (address_equal(&seen[i], &seen[j])) return FR_FAIL(err, FR_E_INVALID, "%s stands there twice", address_text(&seen[i], text));
    return FR_OK;
}

static enum fr_status read_all(const char *json, size_t len, struct policy *p, struct fr_err *err)
{
    static const char *const keys[] = { "chain_id", "gas", "ether", "tokens", "burn", "payout", "sweep", "siwe", NULL };
    FR_AUTO(fr_json) doc = NULL;
    FR_TRY(fr_json_parse(json, len, &doc, err));
    FR_TRY(only_keys(doc, keys, "the policy", err));
    FR_TRY(need_u64(doc, "chain_id", &p->chain_id, err));
    FR_TRY(read_gas(doc, p, err));
    FR_TRY(read_ether(doc, p, err));
    FR_TRY(read_each(doc, "tokens", POLICY_TOKENS_MAX, read_token, p, err));
    FR_TRY(read_each(doc, "burn", POLICY_BURNS_MAX, read_burn, p, err));
    FR_TRY(read_each(doc, "payout", POLICY_PAYOUTS_MAX, read_payout, p, err));
    FR_TRY(read_each(doc, "sweep", POLICY_SWEEPS_MAX, read_sweep, p, err));
    FR_TRY(read_each(doc, "siwe", SIGNER_LIST_MAX, read_domain, p, err));
    return no_address_twice(p, err);
}

enum fr_status policy_read(const char *json, size_t len, struct policy *ret, struct fr_err *err)
{
    struct fr_err why = { 0 };
    memset(ret, 0, sizeof *ret);
    enum fr_status status = read_all(json, len, ret, &why);
    if (status == FR_OK) return FR_OK;
    memset(ret, 0, sizeof *ret);
    return FR_FAIL_CODE(err, status == FR_E_NOMEM ? status : FR_E_INVALID, "policy", "the signer's policy: %s", why.text);
}

// ---- judging

static bool on_list(const struct policy_list *l, const struct address *a)
{
    if (l->any) return true;
    for (int i = 0; i < l->count; i++) if (address_equal(&l->list[i], a)) return true;
    return false;
}

const struct policy_token *policy_token(const struct policy *p, const struct address *at)
{
    for (int i = 0; i < p->token_count; i++) if (address_equal(&p->tokens[i].at, at)) return &p->tokens[i];
    return NULL;
}

static enum fr_status deny_address(struct fr_err *err, const char *code, const char *what, const struct address *a)
{
    char text[ADDRESS_TEXT_BYTES];
    return FR_FAIL_CODE(err, FR_E_DENIED, code, "%s %s is not in the signer's policy", what, address_text(a, text));
}

static enum fr_status spend(struct spends *s, enum spend_of of, const struct address *at, struct u256 amount, const struct policy_limits *limits, struct fr_err *err)
{
    char asked[U256_TEXT_BYTES], most[U256_TEXT_BYTES];
    if (u256_compare(amount, limits->each) > 0)
        return FR_FAIL_CODE(err, FR_E_DENIED, "sign_each", "%s in one transaction; the signer allows %s", u256_text(amount, asked), u256_text(limits->each, most));
    s->list[s->count++] = (struct spend){ of, *at, amount, limits->day };
    return FR_OK;
}

static enum fr_status judge_fees(const struct policy *p, const struct tx *t, struct spends *s, struct fr_err *err)
{
    char asked[U256_TEXT_BYTES], most[U256_TEXT_BYTES];
    struct u256 fee;
    if (t->gas_limit == 0 || t->gas_limit > p->gas_limit)
        return FR_FAIL_CODE(err, FR_E_DENIED, "sign_gas", "%llu gas; the signer allows %llu", (unsigned long long)t->gas_limit, (unsigned long long)p->gas_limit);
    if (u256_compare(t->max_fee, p->max_fee) > 0) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_fee", "%s wei per gas; the signer allows %s", u256_text(t->max_fee, asked), u256_text(p->max_fee, most));
    if (u256_compare(t->max_tip, p->max_tip) > 0) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_fee", "a tip of %s wei per gas; the signer allows %s", u256_text(t->max_tip, asked), u256_text(p->max_tip, most));
    if (u256_compare(t->max_tip, t->max_fee) > 0) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_fee", "a tip above the fee that holds it");
    if (!u256_mul(t->max_fee, u256_of(t->gas_limit), &fee)) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_fee", "a fee over 256 bits");
    s->list[s->count++] = (struct spend){ SPEND_GAS, { { 0 } }, fee, p->gas_day };
    s->has_gas = true;
    return FR_OK;
}

static enum fr_status judge_plain(const struct policy *p, const struct sign_ask *ask, struct spends *s, struct fr_err *err)
{
    static const struct address nobody;
    const struct tx *t = &ask->tx;
    if (address_equal(&t->to, &ask->from))               // the way to cancel a nonce
        return u256_is_zero(t->value) ? FR_OK : FR_FAIL_CODE(err, FR_E_DENIED, "sign_value", "a transaction to oneself carries nothing");
    if (!on_list(&p->ether_to, &t->to)) return deny_address(err, "sign_to", "the receiver", &t->to);
    return spend(s, SPEND_ETHER, &nobody, t->value, &p->ether, err);
}

static bool calls(const struct tx *t, const char *signature, int words)
{
    uint8_t selector[ABI_SELECTOR_BYTES];
    abi_selector(signature, selector);
    return t->data_len >= ABI_SELECTOR_BYTES + (size_t)words * ABI_WORD_BYTES && memcmp(t->data, selector, sizeof selector) == 0;
}

static enum fr_status malformed(struct fr_err *err)
{
    return FR_FAIL_CODE(err, FR_E_DENIED, "sign_kind", "the call's arguments are not in their one form");
}

static bool exactly(const struct tx *t, int words)
{
    return t->data_len == ABI_SELECTOR_BYTES + (size_t)words * ABI_WORD_BYTES;
}

static enum fr_status judge_transfer(const struct policy_token *token, const struct tx *t, const struct abi_in *in, struct spends *s, struct fr_err *err)
{
    struct address payee;
    struct u256 amount;
    if (!exactly(t, 2) || abi_get_address(in, 0, &payee, NULL) != FR_OK || abi_get_u256(in, 1, &amount, NULL) != FR_OK) return malformed(err);
    if (address_is_zero(&payee) || address_equal(&payee, &token->at) || !on_list(&token->to, &payee)) return deny_address(err, "sign_payee", "the payee", &payee);
    return spend(s, SPEND_TOKEN, &token->at, amount, &token->limits, err);
}

static enum fr_status judge_approve(const struct policy_token *token, const struct tx *t, const struct abi_in *in, struct spends *s, struct fr_err *err)
{
    struct address spender;
    struct u256 amount;
    if (!exactly(t, 2) || abi_get_address(in, 0, &spender, NULL) != FR_OK || abi_get_u256(in, 1, &amount, NULL) != FR_OK) return malformed(err);
    if (!on_list(&token->spenders, &spender)) return deny_address(err, "sign_spender", "the spender", &spender);
    return spend(s, SPEND_TOKEN, &token->at, amount, &token->limits, err);
}

// Somebody's permit, handed in. It moves nothing of ours unless the owner is one of our keys.
static enum fr_status judge_permit_call(const struct policy_token *token, const struct tx *t, const struct abi_in *in, const struct address *keys, int key_count,
                                        struct spends *s, struct fr_err *err)
{
    struct address owner, spender;
    struct u256 amount, v;
    if (!exactly(t, 7) || abi_get_address(in, 0, &owner, NULL) != FR_OK || abi_get_address(in, 1, &spender, NULL) != FR_OK ||
        abi_get_u256(in, 2, &amount, NULL) != FR_OK || abi_get_u256(in, 4, &v, NULL) != FR_OK || u256_compare(v, u256_of(255)) > 0) return malformed(err);
    if (!on_list(&token->spenders, &spender)) return deny_address(err, "sign_spender", "the spender", &spender);
    for (int i = 0; i < key_count; i++)
        if (address_equal(&owner, &keys[i])) return spend(s, SPEND_TOKEN, &token->at, amount, &token->limits, err);
    return FR_OK;
}

static enum fr_status judge_token(const struct policy_token *token, const struct tx *t, const struct abi_in *in, const struct address *keys, int key_count,
                                  struct spends *s, struct fr_err *err)
{
    if (calls(t, "transfer(address,uint256)", 2)) return judge_transfer(token, t, in, s, err);
    if (calls(t, "approve(address,uint256)", 2)) return judge_approve(token, t, in, s, err);
    if (calls(t, "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", 7)) return judge_permit_call(token, t, in, keys, key_count, s, err);
    return FR_FAIL_CODE(err, FR_E_DENIED, "sign_kind", "of a token only transfer, approve and permit are signed");
}

static enum fr_status judge_burn(const struct policy_burn *b, const struct tx *t, const struct abi_in *in, struct spends *s, struct fr_err *err)
{
    struct u256 amount;
    if (!calls(t, "burn(bytes32,uint256,bytes32)", 3)) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_kind", "of a burn module only burn is signed");
    if (!exactly(t, 3) || abi_get_u256(in, 1, &amount, NULL) != FR_OK) return malformed(err);
    return spend(s, SPEND_BURN, &b->at, amount, &b->limits, err);
}

// The sum of the call counts, though the module skips what it paid before: a batch that is sent again in another transaction is counted again.
static enum fr_status judge_payees(const struct policy_payout *o, const struct abi_in *in, size_t count, struct u256 *sum, struct fr_err *err)
{
    struct address payee;
    struct u256 amount;
    for (size_t i = 0; i < count; i++) {               // head: 3 words; then each array with its length in front
        int to = (int)(3 + count + 1 + 1 + i), of = (int)(3 + 2 * (count + 1) + 1 + i);
        if (abi_get_address(in, to, &payee, NULL) != FR_OK || abi_get_u256(in, of, &amount, NULL) != FR_OK) return malformed(err);
        if (address_is_zero(&payee) || address_equal(&payee, &o->at) || (o->has_token && address_equal(&payee, &o->token))) return deny_address(err, "sign_payee", "the payee", &payee);
        if (!u256_add(*sum, amount, sum)) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_each", "amounts over 256 bits");
    }
    return FR_OK;
}

static enum fr_status judge_payout(const struct policy_payout *o, const struct tx *t, const struct abi_in *in, struct spends *s, struct fr_err *err)
{
    struct u256 sum = u256_of(0);
    const uint8_t *words;
    size_t count = 0;
    if (!calls(t, "pay(bytes32[],address[],uint256[])", 6)) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_kind", "of a payout module only pay is signed");
    for (int i = 0; i < 3; i++) {                      // one after the other, equally long, nothing behind them
        uint64_t offset;
        size_t n;
        if (abi_get_u64(in, i, &offset, NULL) != FR_OK || abi_get_words(in, i, &words, &n, NULL) != FR_OK || (i > 0 && n != count)) return malformed(err);
        count = n;
        if (count == 0 || count > POLICY_PAYMENTS_MAX || offset != (3 + (uint64_t)i * (count + 1)) * ABI_WORD_BYTES) return malformed(err);
    }
    if (in->len != (3 + 3 * (count + 1)) * ABI_WORD_BYTES) return malformed(err);
    FR_TRY(judge_payees(o, in, count, &sum, err));
    return spend(s, SPEND_PAYOUT, &o->at, sum, &o->limits, err);
}

static enum fr_status judge_sweep(const struct policy_sweep *sweep, const struct tx *t, const struct abi_in *in, struct fr_err *err)
{
    struct address token;
    const uint8_t *salts;
    uint64_t offset;
    size_t count;
    if (!calls(t, "sweep(address,bytes32[])", 3)) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_kind", "of a deposit factory only sweep is signed");
    if (abi_get_address(in, 0, &token, NULL) != FR_OK || abi_get_u64(in, 1, &offset, NULL) != FR_OK || offset != 2 * ABI_WORD_BYTES ||
        abi_get_words(in, 1, &salts, &count, NULL) != FR_OK || in->len != (3 + count) * ABI_WORD_BYTES) return malformed(err);
    return on_list(&sweep->tokens, &token) ? FR_OK : deny_address(err, "sign_kind", "the swept token", &token);
}

static enum fr_status judge_call(const struct policy *p, const struct sign_ask *ask, const struct address *keys, int key_count, struct spends *s, struct fr_err *err)
{
    const struct tx *t = &ask->tx;
    const struct policy_token *token = policy_token(p, &t->to);
    size_t head = t->data_len < ABI_SELECTOR_BYTES ? t->data_len : ABI_SELECTOR_BYTES;
    struct abi_in in = { t->data + head, t->data_len - head };
    if (!u256_is_zero(t->value)) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_value", "no call carries ether");
    if (token) return judge_token(token, t, &in, keys, key_count, s, err);
    for (int i = 0; i < p->burn_count; i++) if (address_equal(&p->burns[i].at, &t->to)) return judge_burn(&p->burns[i], t, &in, s, err);
    for (int i = 0; i < p->payout_count; i++) if (address_equal(&p->payouts[i].at, &t->to)) return judge_payout(&p->payouts[i], t, &in, s, err);
    for (int i = 0; i < p->sweep_count; i++) if (address_equal(&p->sweeps[i].at, &t->to)) return judge_sweep(&p->sweeps[i], t, &in, err);
    return deny_address(err, "sign_to", "the contract", &t->to);
}

static enum fr_status judge_chain(const struct policy *p, uint64_t chain_id, struct fr_err *err)
{
    if (chain_id == p->chain_id) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_DENIED, "sign_chain", "chain %llu; the signer signs for chain %llu", (unsigned long long)chain_id, (unsigned long long)p->chain_id);
}

static enum fr_status judge_tx(const struct policy *p, const struct sign_ask *ask, const struct address *keys, int key_count, struct spends *s, struct fr_err *err)
{
    FR_TRY(judge_chain(p, ask->tx.chain_id, err));
    if (ask->tx.creates) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_kind", "the signer makes no contracts");
    FR_TRY(judge_fees(p, &ask->tx, s, err));
    return ask->tx.data_len == 0 ? judge_plain(p, ask, s, err) : judge_call(p, ask, keys, key_count, s, err);
}

static enum fr_status judge_permit(const struct policy *p, const struct sign_permit *a, int64_t now_ms, struct spends *s, struct fr_err *err)
{
    const struct policy_token *token = policy_token(p, &a->token);
    uint64_t now_s = (uint64_t)(now_ms / 1000);
    FR_TRY(judge_chain(p, a->chain_id, err));
    if (!token || !token->permits) return deny_address(err, "sign_to", "the token", &a->token);
    if (!on_list(&token->spenders, &a->spender)) return deny_address(err, "sign_spender", "the spender", &a->spender);
    if (a->deadline_s <= now_s || a->deadline_s > now_s + SIGNER_PERMIT_S_MAX)
        return FR_FAIL_CODE(err, FR_E_DENIED, "sign_deadline", "a permit's deadline lies at most %d s ahead", SIGNER_PERMIT_S_MAX);
    return spend(s, SPEND_TOKEN, &token->at, a->value, &token->limits, err);
}

#define SIWE_SKEW_MS 60000
static enum fr_status judge_siwe(const struct policy *p, const struct siwe *a, int64_t now_ms, struct fr_err *err)
{
    char page[POLICY_DOMAIN_BYTES + 16];
    bool known = false;
    FR_TRY(judge_chain(p, a->chain_id, err));
    for (int i = 0; i < p->domain_count; i++) known = known || strcmp(p->domains[i], a->domain) == 0;
    if (!known) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_domain", "the domain is not in the signer's policy");
    int len = snprintf(page, sizeof page, "https://%s", a->domain);
    if (strncmp(a->uri, page, (size_t)len) != 0 || (a->uri[len] && a->uri[len] != '/')) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_domain", "the page is not %s", page);
    int64_t skew = a->issued_ms > 0 && a->issued_ms < INT64_MAX / 2 ? a->issued_ms - now_ms : INT64_MAX;
    if (skew < -SIWE_SKEW_MS || skew > SIWE_SKEW_MS) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_time", "a sign-in message is issued now");
    return FR_OK;
}

enum fr_status policy_judge(const struct policy *p, const struct sign_ask *ask, const struct address *keys, int key_count, int64_t now_ms, struct spends *ret, struct fr_err *err)
{
    struct spends s = { 0 };
    if (ask->kind == SIGN_A_TX) FR_TRY(judge_tx(p, ask, keys, key_count, &s, err));
    else if (ask->kind == SIGN_A_PERMIT) FR_TRY(judge_permit(p, &ask->permit, now_ms, &s, err));
    else FR_TRY(judge_siwe(p, &ask->siwe, now_ms, err));
    *ret = s;
    return FR_OK;
}
