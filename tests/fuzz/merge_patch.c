// merge_patch: a patch applied to the old value, by a reader of RFC 7396 written here, gives the new value.
#include "base/json.h"
#include "base/limits.h"
#include "fuzz.h"

// A null member outside of lists cannot be told from a removal (json.h says so), so such targets are left out.
static bool has_null_member(const struct fr_json *v)
{
    if (fr_json_kind(v) != JSON_OBJECT) return false;
    for (const struct fr_json *m = fr_json_child(v); m; m = fr_json_next(m))
        if (fr_json_kind(m) == JSON_NULL || has_null_member(m)) return true;
    return false;
}

static void add_member(const char *key, bool *first, struct fr_buf *out)
{
    fr_buf_add(out, *first ? "" : ",");
    *first = false;
    fr_buf_add_json_text(out, key);
    fr_buf_add_char(out, ':');
}

// RFC 7396, section 2, over text.
static void apply(const struct fr_json *target, const struct fr_json *patch, struct fr_buf *out)
{
    if (fr_json_kind(patch) != JSON_OBJECT) {
        fr_json_print(patch, out);
        return;
    }
    bool first = true, is_object = target && fr_json_kind(target) == JSON_OBJECT;
    fr_buf_add_char(out, '{');
    for (const struct fr_json *m = is_object ? fr_json_child(target) : NULL; m; m = fr_json_next(m)) {
        const struct fr_json *change = fr_json_get(patch, fr_json_key(m));
        if (change && fr_json_kind(change) == JSON_NULL) continue;
        add_member(fr_json_key(m), &first, out);
        if (change) apply(m, change, out);
        else fr_json_print(m, out);
    }
    for (const struct fr_json *m = fr_json_child(patch); m; m = fr_json_next(m)) {
        if (fr_json_kind(m) == JSON_NULL || (is_object && fr_json_get(target, fr_json_key(m)))) continue;
        add_member(fr_json_key(m), &first, out);
        apply(NULL, m, out);
    }
    fr_buf_add_char(out, '}');
}

static void check_patch(const struct fr_json *from, const struct fr_json *to)
{
    FR_AUTO_BUF(text); FR_AUTO_BUF(result);
    FR_AUTO(fr_json) patch = NULL, *made = NULL;
    struct fr_err err;
    fr_buf_init(&text, 8 * JSON_TEXT_BYTES_MAX);
    fr_buf_init(&result, 8 * JSON_TEXT_BYTES_MAX);
    bool differ = fr_json_merge_diff(from, to, &text);
    HOLDS(differ == !fr_json_equal(from, to) && differ == !fr_json_equal(to, from));
    if (!differ) {
        HOLDS(text.len == 0);
        return;
    }
    HOLDS(!text.failed && fr_json_parse(text.data, text.len, &patch, &err) == FR_OK);
    if (has_null_member(to)) return;
    apply(from, patch, &result);
    HOLDS(fr_json_parse(result.data, result.len, &made, &err) == FR_OK);
    HOLDS(fr_json_equal(made, to));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // JSON NUL JSON
{
    struct fuzz_in in = { data, size };
    size_t from_len, to_len;
    char *from_text = fuzz_part(&in, &from_len), *to_text = fuzz_part(&in, &to_len);
    FR_AUTO(fr_json) from = NULL, *to = NULL;
    struct fr_err err;
    if (fr_json_parse(from_text, from_len, &from, &err) == FR_OK && fr_json_parse(to_text, to_len, &to, &err) == FR_OK) {
        check_patch(from, to);
        check_patch(to, from);
    }
    free(from_text);
    free(to_text);
    return 0;
}
