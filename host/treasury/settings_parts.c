// settings_parts.c — the sections of "chain" that belong to one part each: a reader and a line. Without its section a part has what is usual.
#include <stdio.h>
#include <string.h>
#include "base/units.h"
#include "treasury/settings_inside.h"

#define DAY_S 86400

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

static enum fr_status read_supply(const struct fr_json *config, struct treasury_settings *to, struct fr_err *err)
{
    static const char *const keys[] = { "later_burn_from", NULL };
    const char *from;
    FR_TRY(only_keys(config, "supply", keys, err));
    FR_TRY(fr_json_opt_text(config, "chain.supply.later_burn_from", sizeof to->later_burn_from - 1, "", &from, err));
    snprintf(to->later_burn_from, sizeof to->later_burn_from, "%s", from);
    return FR_OK;
}

const struct treasury_section treasury_sections[] = { { "burn", read_burn }, { "supply", read_supply } };
const int treasury_section_count = sizeof treasury_sections / sizeof treasury_sections[0];
