// settings.c — strict: a slip here is money that waits, or goes where nobody wanted it.
#include "treasury/settings_inside.h"
#include <stdio.h>
#include <string.h>
#include "base/hex.h"

#define PER_SECOND_MOST 100000
#define FINAL_BLOCKS_MOST 100000

// ---- amounts

enum fr_status treasury_decimal_parse(const char *text, int decimals, struct u256 *ret, struct fr_err *err)
{
    char digits[U256_TEXT_BYTES + 2];
    const char *point = strchr(text, '.');
    size_t whole = point ? (size_t)(point - text) : strlen(text), part = point ? strlen(point + 1) : 0;
    bool plain = whole > 0 && whole + (size_t)decimals < sizeof digits && strspn(text, "0123456789") == whole && (!point || (part > 0 && strspn(point + 1, "0123456789") == part)) && (whole == 1 || text[0] != '0');
    if (!plain || part > (size_t)decimals) return FR_FAIL(err, FR_E_INVALID, "expected a decimal number with at most %d digits behind the point, like \"1.5\"", decimals);
    snprintf(digits, sizeof digits, "%.*s%s%.*s", (int)whole, text, point ? point + 1 : "", decimals - (int)part, "000000000000000000000000000000000000");
    const char *from = digits + strspn(digits, "0");
    return u256_parse(*from ? from : "0", ret, err);
}

char *treasury_decimal_text(struct u256 amount, int decimals, char out[U256_TEXT_BYTES + 2])
{
    char digits[U256_TEXT_BYTES], padded[U256_TEXT_BYTES + CHAIN_DECIMALS_MAX];
    int len = (int)strlen(u256_text(amount, digits)), zeros = len <= decimals ? decimals + 1 - len : 0;
    snprintf(padded, sizeof padded, "%.*s%s", zeros, "0000000000000000000000000000000000000", digits);
    len += zeros;
    int at = snprintf(out, U256_TEXT_BYTES + 2, "%.*s.%s", len - decimals, padded, padded + len - decimals);
    while (at > 0 && out[at - 1] == '0') out[--at] = 0;
    if (at > 0 && out[at - 1] == '.') out[--at] = 0;
    return out;
}

// ---- small things

struct reading { const struct fr_json *json; const char *file; struct treasury_settings *to; };      // json: the whole file, so that errors name the whole path

static enum fr_status need_address(const struct fr_json *json, const char *key, bool needed, struct address *ret, struct fr_err *err)
{
    const char *text;
    if (!needed) {
        FR_TRY(fr_json_opt_text(json, key, ADDRESS_TEXT_BYTES, "", &text, err));
        if (!text[0]) return FR_OK;
    } else FR_TRY(fr_json_need_text(json, key, 1, ADDRESS_TEXT_BYTES, &text, err));
    if (address_parse(text, ret, err) != FR_OK) return fr_err_note(err, "%s", key);
    return address_is_zero(ret) ? FR_FAIL(err, FR_E_INVALID, "%s: the zero address is nobody's", key) : FR_OK;
}

static enum fr_status opt_word(const struct fr_json *json, const char *key, uint8_t out[32], struct fr_err *err)
{
    const char *text;
    FR_TRY(fr_json_opt_text(json, key, 100, "", &text, err));
    if (!text[0]) return FR_OK;
    return strncmp(text, "0x", 2) == 0 && fr_unhex(text + 2, strlen(text + 2), out, 32) ? FR_OK : FR_FAIL(err, FR_E_INVALID, "%s: expected 0x and 64 hex digits", key);
}

static enum fr_status need_decimal(const struct fr_json *json, const char *key, int decimals, struct u256 *ret, struct fr_err *err)
{
    const char *text;
    FR_TRY(fr_json_need_text(json, key, 1, 40, &text, err));
    if (treasury_decimal_parse(text, decimals, ret, err) != FR_OK) return fr_err_note(err, "%s", key);
    return u256_is_zero(*ret) ? FR_FAIL(err, FR_E_INVALID, "%s: with 0 nothing could ever be sent", key) : FR_OK;
}

static enum fr_status path_of(const struct reading *r, const char *key, const char *name, char out[TREASURY_PATH_BYTES], struct fr_err *err)
{
    const char *slash = strrchr(r->file, '/');
    int n = name[0] == '/' || !slash ? snprintf(out, TREASURY_PATH_BYTES, "%s", name) : snprintf(out, TREASURY_PATH_BYTES, "%.*s/%s", (int)(slash - r->file), r->file, name);
    return n > 0 && n < TREASURY_PATH_BYTES ? FR_OK : FR_FAIL(err, FR_E_INVALID, "%s: the name is too long", key);
}

static enum fr_status need_path(const struct reading *r, const char *key, char out[TREASURY_PATH_BYTES], struct fr_err *err)
{
    const char *name;
    FR_TRY(fr_json_need_text(r->json, key, 1, TREASURY_PATH_BYTES - 1, &name, err));
    return path_of(r, key, name, out, err);
}

// The URL itself stands in no sentence: it may hold a key.
static enum fr_status need_url(const struct fr_json *json, const char *key, char out[ENDPOINT_URL_BYTES], struct fr_err *err)
{
    const char *url;
    FR_TRY(fr_json_need_text(json, key, 1, ENDPOINT_URL_BYTES - 1, &url, err));
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;
    if (scheme == 0 || url[scheme] == 0 || url[scheme] == '/') return FR_FAIL(err, FR_E_INVALID, "%s: expected http:// or https:// and a host", key);
    snprintf(out, ENDPOINT_URL_BYTES, "%s", url);
    return FR_OK;
}

// ---- "chain"

static enum fr_status read_endpoint(const struct reading *r, int at, struct fr_err *err)
{
    static const char *const keys[] = { "name", "url", "per_second", "burst", NULL };
    struct treasury_settings *to = r->to;
    struct endpoint_config *e = &to->endpoints[at];
    const struct fr_json *object;
    const char *name;
    char base[40], key[64];
    int64_t per_second, burst;
    snprintf(base, sizeof base, "chain.endpoints[%d]", at);
    FR_TRY(fr_json_need_object(r->json, base, &object, err));
    FR_TRY(fr_json_only_keys(object, keys, base, err));
    snprintf(key, sizeof key, "%s.name", base);
    FR_TRY(fr_json_need_text(r->json, key, 1, ENDPOINT_NAME_BYTES - 1, &name, err));
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name)) return FR_FAIL(err, FR_E_INVALID, "%s: a name has lower-case letters, digits and hyphens", key);
    for (int i = 0; i < at; i++)
        if (strcmp(to->endpoints[i].name, name) == 0) return FR_FAIL(err, FR_E_INVALID, "%s: \"%s\" is another endpoint's name already", key, name);
    snprintf(e->name, sizeof e->name, "%s", name);
    snprintf(key, sizeof key, "%s.url", base);
    FR_TRY(need_url(r->json, key, e->url, err));
    for (int i = 0; i < at; i++)
        if (strcmp(to->endpoints[i].url, e->url) == 0) return FR_FAIL(err, FR_E_INVALID, "%s: the same as %s's: one node must not agree with itself", key, to->endpoints[i].name);
    snprintf(key, sizeof key, "%s.per_second", base);
    FR_TRY(fr_json_opt_int(r->json, key, 0, PER_SECOND_MOST, 0, &per_second, err));
    snprintf(key, sizeof key, "%s.burst", base);
    FR_TRY(fr_json_opt_int(r->json, key, 1, PER_SECOND_MOST, per_second ? 2 * per_second : 1, &burst, err));
    e->per_second = (int)per_second;
    e->burst = (int)burst;
    to->endpoint_count = at + 1;
    return FR_OK;
}

static enum fr_status read_endpoints(const struct reading *r, struct fr_err *err)
{
    const struct fr_json *list;
    FR_TRY(fr_json_need_array(r->json, "chain.endpoints", 1, ENDPOINTS_MAX, &list, err));
    for (int i = 0; i < fr_json_size(list); i++) FR_TRY(read_endpoint(r, i, err));
    return FR_OK;
}

static enum fr_status read_final(const struct reading *r, struct fr_err *err)
{
    struct treasury_settings *to = r->to;
    const struct fr_json *final = fr_json_get(fr_json_get(r->json, "chain"), "final");
    int64_t quorum, blocks = 0;
    FR_TRY(fr_json_opt_int(r->json, "chain.quorum", 1, ENDPOINTS_MAX, 1, &quorum, err));
    if (quorum > to->endpoint_count || (quorum > 1 && 2 * quorum <= to->endpoint_count))
        return FR_FAIL(err, FR_E_INVALID, "chain.quorum: of %d endpoints it is %s%d, so that two answers cannot both have it", to->endpoint_count, to->endpoint_count > 2 ? "1, or at least " : to->endpoint_count > 1 ? "1 or " : "",
                       to->endpoint_count / 2 + (to->endpoint_count > 1));
    const char *text = fr_json_text(final);
    if (!final || !text) {
        if (!final || fr_json_kind(final) != JSON_NUMBER) return FR_FAIL(err, FR_E_INVALID, "chain.final: expected \"finalized\" or a number of blocks");
        FR_TRY(fr_json_need_int(r->json, "chain.final", 1, FINAL_BLOCKS_MOST, &blocks, err));
    } else if (strcmp(text, "finalized") != 0) return FR_FAIL(err, FR_E_INVALID, "chain.final: expected \"finalized\" or a number of blocks, not \"%.40s\"", text);
    to->final = (struct final_rules){ .quorum = (int)quorum, .tag = blocks == 0, .blocks = (int)blocks };
    return final_rules_check(&to->final, err);
}

static enum fr_status read_fees(const struct reading *r, struct fr_err *err)
{
    static const char *const keys[] = { "max_fee_gwei", "max_tip_gwei", "day_ether", NULL };
    struct treasury_settings *to = r->to;
    const struct fr_json *object;
    FR_TRY(fr_json_need_object(r->json, "chain.fees", &object, err));
    FR_TRY(fr_json_only_keys(object, keys, "chain.fees", err));
    FR_TRY(need_decimal(r->json, "chain.fees.max_fee_gwei", 9, &to->max_fee, err));
    FR_TRY(need_decimal(r->json, "chain.fees.max_tip_gwei", 9, &to->max_tip, err));
    FR_TRY(need_decimal(r->json, "chain.fees.day_ether", 18, &to->day_most, err));
    return u256_compare(to->max_tip, to->max_fee) <= 0 ? FR_OK : FR_FAIL(err, FR_E_INVALID, "chain.fees.max_tip_gwei: a tip is part of the fee, and this is over max_fee_gwei");
}

static enum fr_status read_token(const struct reading *r, int at, struct fr_err *err)
{
    static const char *const keys[] = { "asset", "address", "chain_decimals", "payout", NULL };
    struct treasury_contracts *to = &r->to->contracts;
    struct treasury_token *t = &to->tokens[at];
    const struct fr_json *object;
    const char *asset;
    char base[48], key[80];
    int64_t decimals;
    snprintf(base, sizeof base, "chain.contracts.tokens[%d]", at);
    FR_TRY(fr_json_need_object(r->json, base, &object, err));
    FR_TRY(fr_json_only_keys(object, keys, base, err));
    snprintf(key, sizeof key, "%s.asset", base);
    FR_TRY(fr_json_need_text(r->json, key, 1, sizeof t->asset - 1, &asset, err));
    snprintf(t->asset, sizeof t->asset, "%s", asset);
    snprintf(key, sizeof key, "%s.address", base);
    FR_TRY(need_address(r->json, key, true, &t->at, err));
    for (int i = 0; i < at; i++)
        if (strcmp(to->tokens[i].asset, asset) == 0 || address_equal(&to->tokens[i].at, &t->at)) return FR_FAIL(err, FR_E_INVALID, "%s: this asset or this token stands there already", base);
    snprintf(key, sizeof key, "%s.chain_decimals", base);
    FR_TRY(fr_json_need_int(r->json, key, TREASURY_LEDGER_DECIMALS, CHAIN_DECIMALS_MAX, &decimals, err));
    t->chain_decimals = (int)decimals;
    t->ledger_decimals = TREASURY_LEDGER_DECIMALS;
    snprintf(key, sizeof key, "%s.payout", base);
    FR_TRY(need_address(r->json, key, false, &to->payout[at], err));
    to->token_count = at + 1;
    return FR_OK;
}

static enum fr_status read_contracts(const struct reading *r, struct fr_err *err)
{
    static const char *const keys[] = { "tokens", "burn_module", "deposit_factory", NULL };
    struct treasury_contracts *to = &r->to->contracts;
    const struct fr_json *object, *list;
    FR_TRY(fr_json_need_object(r->json, "chain.contracts", &object, err));
    FR_TRY(fr_json_only_keys(object, keys, "chain.contracts", err));
    FR_TRY(fr_json_need_array(r->json, "chain.contracts.tokens", 1, TREASURY_TOKENS_MAX, &list, err));
    for (int i = 0; i < fr_json_size(list); i++) FR_TRY(read_token(r, i, err));
    FR_TRY(need_address(r->json, "chain.contracts.burn_module", false, &to->burn_module, err));
    return need_address(r->json, "chain.contracts.deposit_factory", false, &to->deposit_factory, err);
}

// ---- the parts' own: settings_parts.c

static enum fr_status read_sections(const struct reading *r, struct fr_err *err)
{
    const struct fr_json *chain = fr_json_get(r->json, "chain"), *unused;
    for (int i = 0; i < treasury_section_count; i++) {
        char key[32];
        snprintf(key, sizeof key, "chain.%s", treasury_sections[i].name);
        if (fr_json_get(chain, treasury_sections[i].name)) FR_TRY(fr_json_need_object(r->json, key, &unused, err));
        FR_TRY(treasury_sections[i].read(r->json, r->to, err));
    }
    return FR_OK;
}

static enum fr_status read_chain(const struct reading *r, struct fr_err *err)
{
    static const char *const keys[] = { "id", "genesis", "endpoints", "quorum", "final", "key", "vault", "fees", "contracts", "burn", "deposits", "withdrawals", "supply", NULL };
    struct treasury_settings *to = r->to;
    const struct fr_json *object;
    int64_t id;
    FR_TRY(fr_json_need_object(r->json, "chain", &object, err));
    FR_TRY(fr_json_only_keys(object, keys, "chain", err));
    FR_TRY(fr_json_need_units(r->json, "chain.id", 1, INT64_MAX, &id, err));
    to->chain_id = (uint64_t)id;
    FR_TRY(opt_word(r->json, "chain.genesis", to->genesis, err));
    FR_TRY(read_endpoints(r, err));
    FR_TRY(read_final(r, err));
    FR_TRY(need_address(r->json, "chain.key", true, &to->key, err));
    FR_TRY(need_address(r->json, "chain.vault", true, &to->vault, err));
    if (address_equal(&to->key, &to->vault)) return FR_FAIL(err, FR_E_INVALID, "chain.vault: the host's key holds no tokens: name another address, which approves the contracts");
    FR_TRY(read_fees(r, err));
    FR_TRY(read_contracts(r, err));
    FR_TRY(read_sections(r, err));
    to->configured = true;
    return FR_OK;
}

// ---- "signer"

static enum fr_status read_remote(const struct reading *r, const struct fr_json *object, struct fr_err *err)
{
    static const char *const keys[] = { "url", "address", NULL };
    struct address address;
    FR_TRY(fr_json_only_keys(object, keys, "signer", err));
    FR_TRY(need_url(r->json, "signer.url", r->to->signer.url, err));
    FR_TRY(need_address(r->json, "signer.address", true, &address, err));
    if (!address_equal(&address, &r->to->key)) return FR_FAIL(err, FR_E_INVALID, "signer.address: another one than chain.key");
    r->to->signer.where = SIGNER_REMOTE;
    return FR_OK;
}

static enum fr_status read_signer(const struct reading *r, struct fr_err *err)
{
    static const char *const keys[] = { "policy", "tally", "keystores", "passphrase", NULL };
    struct signer_settings *to = &r->to->signer;
    const struct fr_json *object, *list;
    FR_TRY(fr_json_need_object(r->json, "signer", &object, err));
    if (fr_json_get(object, "url")) return read_remote(r, object, err);
    FR_TRY(fr_json_only_keys(object, keys, "signer", err));
    FR_TRY(need_path(r, "signer.policy", to->policy, err));
    FR_TRY(need_path(r, "signer.tally", to->tally, err));
    if (fr_json_get(object, "passphrase")) FR_TRY(need_path(r, "signer.passphrase", to->passphrase, err));
    FR_TRY(fr_json_need_array(r->json, "signer.keystores", 1, SIGNER_KEYS_MAX, &list, err));
    for (int i = 0; i < fr_json_size(list); i++) {
        char key[40];
        snprintf(key, sizeof key, "signer.keystores[%d]", i);
        FR_TRY(need_path(r, key, to->keystores[i], err));
        to->keystore_count = i + 1;
    }
    to->where = SIGNER_LOCAL;
    return FR_OK;
}

// ---- "dev_chain"

static enum fr_status read_dev(const struct reading *r, bool dev, struct fr_err *err)
{
    static const char *const keys[] = { "anvil", "contracts", "later_burn", NULL };
    const struct fr_json *object;
    const char *from;
    FR_TRY(fr_json_need_object(r->json, "dev_chain", &object, err));
    if (!dev) return FR_FAIL_CODE(err, FR_E_DENIED, "dev_only", "dev_chain is for --dev: a chain of one's own, whose coins are worth nothing");
    if (r->to->configured) return FR_FAIL(err, FR_E_INVALID, "dev_chain: there is a \"chain\", so none is started");
    FR_TRY(fr_json_only_keys(object, keys, "dev_chain", err));
    if (fr_json_get(object, "anvil")) FR_TRY(need_path(r, "dev_chain.anvil", r->to->anvil, err));
    if (fr_json_get(object, "contracts")) FR_TRY(need_path(r, "dev_chain.contracts", r->to->artifacts, err));
    FR_TRY(fr_json_opt_text(r->json, "dev_chain.later_burn", 20, "liquidity", &from, err));
    r->to->later_burn_of_reserve = strcmp(from, "reserve") == 0;
    return r->to->later_burn_of_reserve || strcmp(from, "liquidity") == 0 ? FR_OK : FR_FAIL(err, FR_E_INVALID, "dev_chain.later_burn: expected \"liquidity\" or \"reserve\", not \"%.20s\"", from);
}

static enum fr_status settings_read(const struct reading *r, bool dev, struct fr_err *err)
{
    bool signer = fr_json_get(r->json, "signer") != NULL;
    if (fr_json_get(r->json, "chain")) FR_TRY(read_chain(r, err));
    else if (signer) return FR_FAIL(err, FR_E_INVALID, "signer: there is no \"chain\" that it could sign for");
    if (r->to->configured && !signer) return FR_FAIL(err, FR_E_INVALID, "signer: missing: who signs for chain.key?");
    if (signer) FR_TRY(read_signer(r, err));
    return fr_json_get(r->json, "dev_chain") ? read_dev(r, dev, err) : FR_OK;
}

enum fr_status treasury_settings_read(const struct fr_json *config, const char *file, bool dev, struct treasury_settings *ret, struct fr_err *err)
{
    *ret = (struct treasury_settings){ 0 };
    if (!config) return FR_OK;
    enum fr_status st = settings_read(&(struct reading){ config, file, ret }, dev, err);
    if (st != FR_OK && strcmp(err->code, fr_status_code(st)) == 0) snprintf(err->code, sizeof err->code, "config");
    return st;
}
