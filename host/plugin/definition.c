// definition.c — plugin.json promises, main.lua defines: what one has and the other has not would be found by a player otherwise.
#include "plugin/internal.h"
#include <string.h>

static bool lists(const struct fr_json *names, const char *name)
{
    if (!names || fr_json_kind(names) != JSON_ARRAY) return false;
    for (const struct fr_json *n = fr_json_child(names); n; n = fr_json_next(n))
        if (fr_json_text(n) && strcmp(fr_json_text(n), name) == 0) return true;
    return false;
}

static enum fr_status is_names(const struct fr_json *names, const char *what, struct fr_err *err)
{
    if (!names || fr_json_kind(names) != JSON_ARRAY) return FR_FAIL(err, FR_E_INVALID, "the definition has no list of %s", what);
    for (const struct fr_json *n = fr_json_child(names); n; n = fr_json_next(n))
        if (!fr_json_text(n)) return FR_FAIL(err, FR_E_INVALID, "the definition's list of %s holds something else", what);
    return FR_OK;
}

static enum fr_status check_calls(const struct manifest *m, const struct fr_json *calls, struct fr_err *err)
{
    FR_TRY(is_names(calls, "calls", err));
    for (int i = 0; i < m->call_count; i++)
        if (!lists(calls, m->calls[i].name))
            return FR_FAIL(err, FR_E_INVALID, "plugin.json declares the call \"%s\", and main.lua does not define it", m->calls[i].name);
    for (const struct fr_json *n = fr_json_child(calls); n; n = fr_json_next(n))
        if (!manifest_call(m, fr_json_text(n)))
            return FR_FAIL(err, FR_E_INVALID, "main.lua defines the call \"%.64s\", and plugin.json does not declare it under calls: nobody could call it", fr_json_text(n));
    return FR_OK;
}

static enum fr_status check_inputs(const struct manifest *m, const struct fr_json *inputs, struct fr_err *err)
{
    bool known = false;
    FR_TRY(is_names(inputs, "inputs", err));
    for (int i = 0; i < m->input_count; i++)
        if (!lists(inputs, m->inputs[i].name))
            return FR_FAIL(err, FR_E_INVALID, "plugin.json declares the input \"%s\", and the game in main.lua does not define it", m->inputs[i].name);
    for (const struct fr_json *n = fr_json_child(inputs); n; n = fr_json_next(n)) {
        (void)manifest_input(m, fr_json_text(n), &known);
        if (!known)
            return FR_FAIL(err, FR_E_INVALID, "the game in main.lua defines the input \"%.64s\", and plugin.json does not declare it under inputs: nobody could send it", fr_json_text(n));
    }
    return FR_OK;
}

static enum fr_status check_game(const struct manifest *m, const struct fr_json *game, struct fr_err *err)
{
    bool defined = game && fr_json_kind(game) == JSON_OBJECT;
    if (m->mode_count > 0 && !defined) return FR_FAIL(err, FR_E_INVALID, "plugin.json has modes, and main.lua defines no game: return frond.game{...}, or frond.plugin{game = frond.game{...}}");
    if (m->mode_count == 0 && defined) return FR_FAIL(err, FR_E_INVALID, "main.lua defines a game, and plugin.json has no modes to play it in");
    if (!defined) return FR_OK;
    FR_TRY(check_inputs(m, fr_json_get(game, "input"), err));
    for (int i = 0; i < m->mode_count; i++) {
        if (m->modes[i].bot && !fr_json_is_true(fr_json_get(game, "bot")))
            return FR_FAIL(err, FR_E_INVALID, "modes.%s.bot is true, and the game in main.lua defines no bot", m->modes[i].id);
        if (m->modes[i].tick_hz > 0 && !fr_json_is_true(fr_json_get(game, "tick")))
            return FR_FAIL(err, FR_E_INVALID, "modes.%s.tick_hz is %d, and the game in main.lua defines no tick", m->modes[i].id, m->modes[i].tick_hz);
    }
    return FR_OK;
}

enum fr_status definition_check(const struct manifest *m, const struct fr_json *definition, struct fr_err *err)
{
    if (fr_json_kind(definition) != JSON_OBJECT) return FR_FAIL(err, FR_E_INVALID, "the definition is no object");
    FR_TRY(check_calls(m, fr_json_get(definition, "calls"), err));
    return check_game(m, fr_json_get(definition, "game"), err);
}
