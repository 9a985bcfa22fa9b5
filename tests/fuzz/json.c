// json: what parses prints, what is printed parses to the same value, canonical text is one per value, errors are text.
#include "base/json.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "fuzz.h"

static void error_is_text(enum fr_status st, const struct fr_err *err)
{
    HOLDS(st == FR_E_INVALID || st == FR_E_LIMIT);
    HOLDS(err->status == st && err->text[0] && fr_utf8_valid(err->text, strlen(err->text)));
    for (const char *c = err->text; *c; c++) HOLDS((uint8_t)*c >= 0x20 && *c != 0x7F);
}

static void prints_and_reads(const struct fr_json *v, void (*print)(const struct fr_json *v, struct fr_buf *out), bool canonical)
{
    FR_AUTO_BUF(first); FR_AUTO_BUF(second);
    FR_AUTO(fr_json) again = NULL;
    struct fr_err err;
    fr_buf_init(&first, 8 * JSON_TEXT_BYTES_MAX);
    fr_buf_init(&second, 8 * JSON_TEXT_BYTES_MAX);
    print(v, &first);
    HOLDS(!first.failed);
    HOLDS(fr_json_parse(first.data, first.len, &again, &err) == FR_OK);
    HOLDS(fr_json_equal(v, again) && fr_json_equal(again, v));
    print(again, &second);
    HOLDS(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    FR_AUTO_BUF(patch);
    fr_buf_init(&patch, JSON_TEXT_BYTES_MAX);
    HOLDS(!fr_json_merge_diff(v, again, &patch) && patch.len == 0);
    for (size_t i = 0; canonical && i < first.len; i++) HOLDS((uint8_t)first.data[i] >= 0x20);
}

// Every reader at a path of the input's choice: it answers or refuses in words, and what it answers is in range.
static void look_at(const struct fr_json *v, const char *path)
{
    struct fr_err err;
    const char *text;
    const struct fr_json *inner;
    int64_t n;
    bool b;
    enum fr_status st;
    if ((st = fr_json_need_text(v, path, 1, 8, &text, &err)) == FR_OK) HOLDS(strlen(text) >= 1 && strlen(text) <= 8);
    else error_is_text(st, &err);
    if ((st = fr_json_opt_text(v, path, 8, "none", &text, &err)) == FR_OK) HOLDS(strlen(text) <= 8);
    else error_is_text(st, &err);
    if ((st = fr_json_need_int(v, path, -5, 1 << 20, &n, &err)) == FR_OK) HOLDS(n >= -5 && n <= 1 << 20);
    else error_is_text(st, &err);
    if ((st = fr_json_opt_int(v, path, INT64_MIN, INT64_MAX, 0, &n, &err)) != FR_OK) error_is_text(st, &err);
    if ((st = fr_json_need_units(v, path, 0, UNITS_MAX, &n, &err)) == FR_OK) HOLDS(n >= 0 && n <= UNITS_MAX);
    else error_is_text(st, &err);
    if ((st = fr_json_opt_units(v, path, INT64_MIN, INT64_MAX, 0, &n, &err)) != FR_OK) error_is_text(st, &err);
    if ((st = fr_json_opt_bool(v, path, true, &b, &err)) != FR_OK) error_is_text(st, &err);
    if ((st = fr_json_need_object(v, path, &inner, &err)) == FR_OK) HOLDS(fr_json_kind(inner) == JSON_OBJECT);
    else error_is_text(st, &err);
    if ((st = fr_json_need_array(v, path, 1, 3, &inner, &err)) == FR_OK) HOLDS(fr_json_size(inner) >= 1 && fr_json_size(inner) <= 3);
    else error_is_text(st, &err);
    if (fr_json_kind(v) == JSON_OBJECT && (st = fr_json_only_keys(v, (const char *const[]){ "id", "op", path, NULL }, path, &err)) != FR_OK) error_is_text(st, &err);
}

// Paths are the host's own: plain names, and an index in each bracket. Only then may they be asked for.
static bool path_is_ours(const char *path)
{
    for (; *path; path++) {
        if ((uint8_t)*path <= 0x20 || (uint8_t)*path >= 0x7F) return false;
        if (*path != '[') continue;
        size_t digits = strspn(path + 1, "0123456789");
        if (digits == 0 || digits > 6 || path[1 + digits] != ']') return false;
        path += 1 + digits;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // JSON, or path NUL JSON
{
    struct fuzz_in in = { data, size };
    size_t path_len = 0, len;
    bool has_path = size && memchr(data, 0, size);
    char *path = has_path ? fuzz_part(&in, &path_len) : NULL;
    len = in.left;
    char *text = malloc(len ? len : 1);                          // no NUL behind it: the length is what counts
    if (len) memcpy(text, in.at, len);

    struct fr_err err;
    FR_AUTO(fr_json) v = NULL;
    enum fr_status st = fr_json_parse(text, len, &v, &err);
    if (st != FR_OK) error_is_text(st, &err);
    HOLDS(fr_json_check(text, len, &err) == st);
    if (st == FR_OK) {
        HOLDS(fr_utf8_valid(text, len));
        prints_and_reads(v, fr_json_print, false);
        prints_and_reads(v, fr_json_print_canonical, true);
        if (path && path_is_ours(path)) look_at(v, path);
    }
    free(text);
    free(path);
    return 0;
}
