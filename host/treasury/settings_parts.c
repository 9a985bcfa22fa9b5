// settings_parts.c — the sections of "chain" that belong to one part each: a reader and a line. Without its section a part has what is usual.
#include <stdio.h>
#include <string.h>
#include "base/units.h"
#include "treasury/settings_inside.h"

#define DAY_S 86400
#define WITHDRAWAL_LOOK_MS 4000

static enum fr_status opt_coins(const struct fr_json *config, const char *key, int64_t usual_units, int64_t *ret, struct fr_err *err)
{
    const char *text;
    FR_TRY(fr_json_opt_text(config, key, 40, "", &text, err));
    *ret = usual_units;
    if (text[0] && fr_units_parse_decimal(text, TREASURY_LEDGER_DECIMALS, ret, err) != FR_OK) return fr_err_note(err, "%s", key);
    return *ret >= 0 ? FR_OK : FR_FAIL(err, FR_E_INVALID, "%s: not below zero", key);
}

static enum fr_status opt_seconds(const struct fr_json *config, const char *key, int64_t least, int64_t most, int64_t usual, int64_t *ret_ms, struct fr_err *err)
{
    FR_TRY(fr_json_opt_int(config, key, least, most, usual, ret_ms, err));
    *ret_ms *= 1000;
    return FR_OK;
}

static enum fr_status opt_block(const struct fr_json *config, const char *key, bool needed, uint64_t *ret, struct fr_err *err)
{
    int64_t block;
    if (needed) FR_TRY(fr_json_need_units(config, key, 0, INT64_MAX, &block, err));
    else FR_TRY(fr_json_opt_units(config, key, 0, INT64_MAX, 0, &block, err));
    *ret = (uint64_t)block;
    return FR_OK;
}

static enum fr_status only_keys(const struct fr_json *config, const char *section, const char *const *keys, struct fr_err *err)
{
    const struct fr_json *object = fr_json_get(fr_json_get(config, "chain"), section);
    char path[40];
    snprintf(path, sizeof path, "chain.%s", section);
    return object ? fr_json_only_keys(object, keys, path, err) : FR_OK;
}

static enum fr_status read_burn(const struct fr_json *config, struct treasury_settings *to, struct fr_err *err)
{
    static const char *const keys[] = { "from_block", "threshold", "age_s", "hard_age_s", "gas_price_cap_gwei", NULL };
    const char *cap;
    FR_TRY(only_keys(config, "burn", keys, err));
    FR_TRY(opt_block(config, "chain.burn.from_block", !address_is_zero(&to->contracts.burn_module), &to->burn.from_block, err));
    FR_TRY(opt_coins(config, "chain.burn.threshold", 1000 * PALM_UNITS, &to->burn.threshold_units, err));
    FR_TRY(opt_seconds(config, "chain.burn.age_s", 1, 30 * DAY_S, 3600, &to->burn.age_ms, err));
    FR_TRY(opt_seconds(config, "chain.burn.hard_age_s", 1, 90 * DAY_S, DAY_S, &to->burn.hard_age_ms, err));
    FR_TRY(fr_json_opt_text(config, "chain.burn.gas_price_cap_gwei", 40, "", &cap, err));
    if (cap[0] && treasury_decimal_parse(cap, 9, &to->burn.gas_price_cap, err) != FR_OK) return fr_err_note(err, "chain.burn.gas_price_cap_gwei");
    return to->burn.age_ms <= to->burn.hard_age_ms ? FR_OK : FR_FAIL(err, FR_E_INVALID, "chain.burn.hard_age_s: under age_s, so that the cap on gas would never hold");
}

static enum fr_status read_deposits(const struct fr_json *config, struct treasury_settings *to, struct fr_err *err)
{
    return deposit_options_read(fr_json_get(fr_json_get(config, "chain"), "deposits"), to->contracts.tokens, to->contracts.token_count, &to->deposit, err) == FR_OK ? FR_OK : fr_err_note(err, "chain");
}

// What a token's withdrawals are bound by: without rules of its own it has none, and a token with a payout module needs them.
static enum fr_status read_rules(const struct fr_json *config, const char *asset, struct withdrawal_rules *to, struct fr_err *err)
{
    static const char *const keys[] = { "least", "most", "player_day", "all_day", "two_from", "batch_most", NULL };
    const struct { const char *key; int64_t *ret; bool needed; } amounts[] = {
        { "least", &to->least, true }, { "most", &to->most, true }, { "player_day", &to->player_day, true }, { "all_day", &to->all_day, true }, { "two_from", &to->two_from, false }, { "batch_most", &to->batch_most, false },
    };
    const struct fr_json *object;
    char base[60], key[80];
    snprintf(base, sizeof base, "chain.withdrawals.rules.%s", asset);
    FR_TRY(fr_json_need_object(config, base, &object, err));
    FR_TRY(fr_json_only_keys(object, keys, base, err));
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        snprintf(key, sizeof key, "%s.%s", base, amounts[i].key);
        FR_TRY(opt_coins(config, key, 0, amounts[i].ret, err));
        if (amounts[i].needed && *amounts[i].ret == 0) return FR_FAIL(err, FR_E_INVALID, "%s: how much, in whole coins, such as \"1\"", key);
    }
    return FR_OK;
}

static enum fr_status read_withdrawals(const struct fr_json *config, struct treasury_settings *to, struct fr_err *err)
{
    static const char *const keys[] = { "from_block", "cooldown_s", "batch_count", "batch_age_s", "rules", NULL };
    const struct treasury_contracts *c = &to->contracts;
    struct withdrawal_options *o = &to->withdrawal;
    const struct fr_json *rules = fr_json_get(fr_json_get(fr_json_get(config, "chain"), "withdrawals"), "rules");
    const char *assets[TREASURY_TOKENS_MAX + 1] = { NULL };
    uint64_t from_block;
    int64_t count;
    int payers = 0;
    FR_TRY(only_keys(config, "withdrawals", keys, err));
    for (int i = 0; i < c->token_count; i++) if (!address_is_zero(&c->payout[i])) assets[payers++] = c->tokens[i].asset;
    if (rules) FR_TRY(fr_json_only_keys(rules, assets, "chain.withdrawals.rules", err));
    FR_TRY(opt_block(config, "chain.withdrawals.from_block", payers > 0, &from_block, err));
    FR_TRY(opt_seconds(config, "chain.withdrawals.cooldown_s", 60, 90 * DAY_S, DAY_S, &o->cooldown_ms, err));
    FR_TRY(opt_seconds(config, "chain.withdrawals.batch_age_s", 1, DAY_S, 60, &o->batch_age_ms, err));
    FR_TRY(fr_json_opt_int(config, "chain.withdrawals.batch_count", 1, PAYOUT_BATCH_MAX, 20, &count, err));
    o->batch_count = (int)count;
    o->look_ms = WITHDRAWAL_LOOK_MS;
    for (int i = 0; i < c->token_count; i++) {
        if (address_is_zero(&c->payout[i])) continue;
        FR_TRY(read_rules(config, c->tokens[i].asset, &to->withdrawal_rules[i], err));
        to->withdrawal_rules[i].from_block = from_block;
    }
    return FR_OK;
}

static enum fr_status read_supply(const struct fr_json *config, struct treasury_settings *to, struct fr_err *err)
{
    static const char *const keys[] = { "later_burn_from", NULL };
    const char *from;
    FR_TRY(only_keys(config, "supply", keys, err));
    FR_TRY(fr_json_opt_text(config, "chain.supply.later_burn_from", sizeof to->later_burn_from - 1, "", &from, err));
    snprintf(to->later_burn_from, sizeof to->later_burn_from, "%s", from);
    return FR_OK;
}

const struct treasury_section treasury_sections[] = { { "burn", read_burn }, { "deposits", read_deposits }, { "withdrawals", read_withdrawals }, { "supply", read_supply } };
const int treasury_section_count = sizeof treasury_sections / sizeof treasury_sections[0];
