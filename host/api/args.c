// args.c — arguments against the table. The worker checked them too, but a worker may be anybody.
#include <string.h>
#include "api/internal.h"
#include "base/units.h"
#include "player/identity.h"

static enum fr_status arg_wrong(const struct api_call *call, const struct api_arg *arg, const char *expected, const struct fr_json *got, struct fr_err *err)
{
    return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "%s.%s: %s must be %s, got %s", call->family, call->name, arg->name, expected, fr_json_kind_name(fr_json_kind(got)));
}

static enum fr_status arg_check_text(const struct api_call *call, const struct api_arg *arg, const struct fr_json *v, struct fr_err *err)
{
    const char *text = fr_json_text(v);
    if (!text) return arg_wrong(call, arg, "a text", v, err);
    size_t len = strlen(text);
    if (len < (size_t)arg->least || len > (size_t)arg->most)
        return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "%s.%s: %s must have %lld to %lld bytes, has %zu", call->family, call->name, arg->name, (long long)arg->least, (long long)arg->most, len);
    return FR_OK;
}

static enum fr_status arg_check_range(const struct api_call *call, const struct api_arg *arg, int64_t value, struct fr_err *err)
{
    if (value >= arg->least && value <= arg->most) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "%s.%s: %s must be from %lld to %lld, is %lld", call->family, call->name, arg->name,
                        (long long)arg->least, (long long)arg->most, (long long)value);
}

// A JSON number that surely is the integer somebody meant. Larger ones travel as text.
static bool number_is_exact(double x)
{
    return x >= -9007199254740991.0 && x <= 9007199254740991.0 && x == (double)(int64_t)x;
}

static enum fr_status arg_check(const struct api_call *call, const struct api_arg *arg, const struct fr_json *v, struct fr_err *err)
{
    const char *text = fr_json_text(v);
    int64_t value;
    switch (arg->type) {
    case API_TEXT: case API_KEY: return arg_check_text(call, arg, v, err);
    case API_UNITS: case API_INT:
        if (fr_json_kind(v) == JSON_NUMBER && number_is_exact(fr_json_number(v))) value = (int64_t)fr_json_number(v);
        else if (!text || fr_units_parse(text, &value, err) != FR_OK) return arg_wrong(call, arg, "an integer", v, err);
        return arg_check_range(call, arg, value, err);
    case API_BOOL: return fr_json_kind(v) == JSON_BOOL ? FR_OK : arg_wrong(call, arg, "true or false", v, err);
    case API_TABLE: return fr_json_kind(v) == JSON_OBJECT || fr_json_kind(v) == JSON_ARRAY ? FR_OK : arg_wrong(call, arg, "a table", v, err);
    case API_PLAYER: return text && player_id_valid(text) ? FR_OK : arg_wrong(call, arg, "a player id", v, err);
    case API_SCOPE: return text && (strcmp(text, "plugin") == 0 || player_id_valid(text)) ? FR_OK : arg_wrong(call, arg, "\"plugin\" or a player id", v, err);
    case API_ASSET: return text && strlen(text) >= 1 && strlen(text) < 16 ? FR_OK : arg_wrong(call, arg, "an asset id", v, err);
    case API_ANY: case API_END: return FR_OK;
    }
    return FR_OK;
}

enum fr_status api_check_args(const struct api_call *call, const struct fr_json *args, struct fr_err *err)
{
    if (fr_json_kind(args) != JSON_OBJECT) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "%s.%s: the arguments are no object", call->family, call->name);
    int known = 0;
    for (const struct api_arg *arg = call->args; arg < call->args + API_ARGS_MAX && arg->type != API_END; arg++) {
        const struct fr_json *v = fr_json_get(args, arg->name);
        known += v != NULL;
        bool absent = !v || (fr_json_kind(v) == JSON_NULL && arg->type != API_ANY);
        if (absent && !arg->optional) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "%s.%s: %s is missing", call->family, call->name, arg->name);
        if (!absent) FR_TRY(arg_check(call, arg, v, err));
    }
    if (known != fr_json_size(args)) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "%s.%s: there are arguments it does not take", call->family, call->name);
    return FR_OK;
}

const char *api_text(const struct api_op *op, const char *name)
{
    return fr_json_text(fr_json_get(op->args, name));
}

int64_t api_int(const struct api_op *op, const char *name, int64_t def)
{
    const struct fr_json *v = fr_json_get(op->args, name);
    int64_t value = def;
    struct fr_err err;
    if (v && fr_json_kind(v) == JSON_NUMBER) return (int64_t)fr_json_number(v);
    if (v && fr_json_text(v) && fr_units_parse(fr_json_text(v), &value, &err) != FR_OK) return def;
    return value;
}
