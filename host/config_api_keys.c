// config_api_keys.c — the setting "api_keys": who may have a key with which programs use the models.
//
// Usual is who holds 1 PALM. "least":"0" is everybody.
#include <stdio.h>
#include "base/json.h"
#include "base/limits.h"
#include "config.h"

#define LEAST_UNITS 1000000000LL           // 1 PALM

enum fr_status config_api_keys(const struct config_source *s, struct config *c, struct fr_err *err)
{
    static const char *const keys[] = { "asset", "least", "most", NULL };
    const char *asset = "PALM";
    const struct fr_json *o = NULL;
    int64_t least = LEAST_UNITS, most = API_KEYS_PER_PLAYER_MAX;
    if (s->json && fr_json_get(s->json, "api_keys")) {
        FR_TRY(fr_json_need_object(s->json, "api_keys", &o, err));
        FR_TRY(fr_json_only_keys(o, keys, "api_keys", err));
        FR_TRY(fr_json_opt_text(s->json, "api_keys.asset", sizeof c->api_keys.asset - 1, asset, &asset, err));
        FR_TRY(fr_json_opt_units(s->json, "api_keys.least", 0, UNITS_MAX, least, &least, err));
        FR_TRY(fr_json_opt_int(s->json, "api_keys.most", 1, API_KEYS_PER_PLAYER_MAX * 4, most, &most, err));
    }
    snprintf(c->api_keys.asset, sizeof c->api_keys.asset, "%s", asset);
    c->api_keys.least_units = least;
    c->api_keys.per_player = (int)most;
    return FR_OK;
}
