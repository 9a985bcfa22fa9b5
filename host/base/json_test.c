// Reading values out of a document, comparing, printing and diffing.
#include "base/json.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"

static struct fr_json *parsed(const char *text)
{
    struct fr_json *root = NULL;
    struct fr_err err;
    if (fr_json_parse(text, strlen(text), &root, &err) == FR_OK) return root;
    printf("  %s: %s\n", text, err.text);
    abort();
}

// ---- looking

static void test_look(void)
{
    FR_AUTO(fr_json) o = parsed("{\"a\":[1,\"x\",null,true],\"b.c\":{},\"A\":2.5}");
    CHECK(fr_json_kind(o) == JSON_OBJECT && fr_json_size(o) == 3);
    const struct fr_json *a = fr_json_get(o, "a"), *e = fr_json_child(a);
    CHECK(fr_json_child(fr_json_get(o, "not there")) == NULL);
    CHECK_TEXT(fr_json_key(a), "a");
    CHECK(fr_json_kind(a) == JSON_ARRAY && fr_json_size(a) == 4 && fr_json_key(e) == NULL);
    CHECK(fr_json_number(e) == 1 && fr_json_text(e) == NULL && !fr_json_is_true(e));
    e = fr_json_next(e);
    CHECK_TEXT(fr_json_text(e), "x");
    CHECK(fr_json_number(e) == 0);
    e = fr_json_next(fr_json_next(e));
    CHECK(fr_json_is_true(e) && fr_json_kind(e) == JSON_BOOL && fr_json_next(e) == NULL);
    CHECK(fr_json_number(fr_json_get(o, "A")) == 2.5 && fr_json_get(o, "b") == NULL && fr_json_get(o, "b.c") != NULL);
    CHECK(fr_json_get(a, "a") == NULL && fr_json_get(NULL, "a") == NULL);
    CHECK_TEXT(fr_json_kind_name(JSON_NULL), "null");
    CHECK_TEXT(fr_json_kind_name(JSON_OBJECT), "object");
}

static void test_escapes_are_read(void)
{
    FR_AUTO(fr_json) s = parsed("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"");
    CHECK_TEXT(fr_json_text(s), "\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

// The tree's memory is measured before it is built: strings of every length, keys and all, must fit it.
static void test_texts_of_every_length_have_room(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, JSON_TEXT_BYTES_MAX);
    for (int len = 0; len < 70; len++) {
        fr_buf_clear(&b);
        for (int i = 0; i < 50; i++) fr_buf_addf(&b, "%c{\"%0*d\":[],\"\":\"%0*d\"}", i ? ',' : '[', len ? len : 1, i, len, i);
        fr_buf_add(&b, ",\"\",\"\"]");
        FR_AUTO(fr_json) list = parsed(b.data);
        CHECK(fr_json_size(list) == 52 && strlen(fr_json_text(fr_json_get(fr_json_child(list), ""))) == (size_t)(len ? len : 1));
    }
}

// ---- need and opt: what the author of a manifest reads

static const char manifest[] = "{\"id\":\"duel\",\"empty\":\"\",\"nil\":null,\"yes\":true,\"n\":7,\"half\":2.5,\"big\":9007199254740993,"
    "\"stake\":\"125\",\"bad_stake\":\"01\",\"num_stake\":125,\"modes\":{\"ranked\":{\"stakes\":[\"1\",\"2\",3]}},\"list\":[1,[2,{\"x\":\"y\"}]]}";

#define REFUSED(call, want) do { err.text[0] = 0; CHECK((call) == FR_E_INVALID); CHECK_TEXT(err.text, want); } while (0)

static void test_need_text(void)
{
    FR_AUTO(fr_json) o = parsed(manifest);
    const char *text = "untouched";
    struct fr_err err;
    CHECK(fr_json_need_text(o, "id", 1, 4, &text, &err) == FR_OK);
    CHECK_TEXT(text, "duel");
    CHECK(fr_json_need_text(o, "list[1][1].x", 1, 4, &text, &err) == FR_OK);
    CHECK_TEXT(text, "y");
    REFUSED(fr_json_need_text(o, "id", 1, 3, &text, &err), "id: expected a string of 1 to 3 bytes, got 4");
    REFUSED(fr_json_need_text(o, "empty", 1, 3, &text, &err), "empty: expected a string of 1 to 3 bytes, got 0");
    REFUSED(fr_json_need_text(o, "n", 1, 3, &text, &err), "n: expected a string, got number");
    REFUSED(fr_json_need_text(o, "nil", 1, 3, &text, &err), "nil: expected a string, got null");
    REFUSED(fr_json_need_text(o, "gone", 1, 3, &text, &err), "gone: expected a string, got nothing");
    REFUSED(fr_json_need_text(o, "id.x", 1, 3, &text, &err), "id: expected an object, got string");
    REFUSED(fr_json_need_text(o, "modes.ranked[0]", 1, 3, &text, &err), "modes.ranked: expected an array, got object");
    REFUSED(fr_json_need_text(o, "list[1].x", 1, 3, &text, &err), "list[1]: expected an object, got array");
    REFUSED(fr_json_need_text(fr_json_get(o, "list"), "x", 1, 3, &text, &err), "expected an object, got array");
    REFUSED(fr_json_need_text(fr_json_get(o, "n"), "", 1, 3, &text, &err), "expected a string, got number");
    CHECK_TEXT(text, "y");                     // refusals left it alone
    CHECK(fr_json_opt_text(o, "gone", 3, "def", &text, &err) == FR_OK);
    CHECK_TEXT(text, "def");
    CHECK(fr_json_opt_text(o, "nil", 3, NULL, &text, &err) == FR_OK && text == NULL);
    CHECK(fr_json_opt_text(o, "modes.none.deep", 3, "d", &text, &err) == FR_OK);
    CHECK(fr_json_opt_text(o, "nil.deep", 3, "d", &text, &err) == FR_OK);
    REFUSED(fr_json_opt_text(o, "id", 3, "def", &text, &err), "id: expected a string of at most 3 bytes, got 4");
}

static void test_need_int(void)
{
    FR_AUTO(fr_json) o = parsed(manifest);
    int64_t n = 42;
    struct fr_err err;
    CHECK(fr_json_need_int(o, "n", 7, 7, &n, &err) == FR_OK && n == 7);
    REFUSED(fr_json_need_int(o, "n", 0, 6, &n, &err), "n: expected an integer from 0 to 6, got 7");
    REFUSED(fr_json_need_int(o, "n", 8, 9, &n, &err), "n: expected an integer from 8 to 9, got 7");
    REFUSED(fr_json_need_int(o, "half", 0, 6, &n, &err), "half: expected an integer from 0 to 6, got 2.5");
    REFUSED(fr_json_need_int(o, "stake", 0, 6, &n, &err), "stake: expected an integer from 0 to 6, got string");
    REFUSED(fr_json_need_int(o, "modes.ranked.gone", 0, 6, &n, &err), "modes.ranked.gone: expected an integer from 0 to 6, got nothing");
    CHECK(fr_json_need_int(o, "big", INT64_MIN, INT64_MAX, &n, &err) == FR_E_INVALID && n == 7);    // a double would lie
    CHECK(fr_json_opt_int(o, "gone", 0, 6, -1, &n, &err) == FR_OK && n == -1);
    CHECK(fr_json_opt_int(o, "n", 0, 7, -1, &n, &err) == FR_OK && n == 7);
    REFUSED(fr_json_opt_int(o, "yes", 0, 6, 0, &n, &err), "yes: expected an integer from 0 to 6, got boolean");
    FR_AUTO(fr_json) wide = parsed("[9007199254740991,-9007199254740991,1e300,-0]");
    CHECK(fr_json_need_int(wide, "[0]", INT64_MIN, INT64_MAX, &n, &err) == FR_OK && n == 9007199254740991);
    CHECK(fr_json_need_int(wide, "[1]", INT64_MIN, INT64_MAX, &n, &err) == FR_OK && n == -9007199254740991);
    CHECK(fr_json_need_int(wide, "[2]", INT64_MIN, INT64_MAX, &n, &err) == FR_E_INVALID);
    CHECK(fr_json_need_int(wide, "[3]", 0, 0, &n, &err) == FR_OK && n == 0);
}

static void test_need_units(void)
{
    FR_AUTO(fr_json) o = parsed(manifest);
    int64_t n = 42;
    struct fr_err err;
    CHECK(fr_json_need_units(o, "stake", 125, 125, &n, &err) == FR_OK && n == 125);
    CHECK(fr_json_need_units(o, "modes.ranked.stakes[1]", 1, 9, &n, &err) == FR_OK && n == 2);
    REFUSED(fr_json_need_units(o, "modes.ranked.stakes[2]", 1, 9, &n, &err), "modes.ranked.stakes[2]: expected a decimal string, got number");
    REFUSED(fr_json_need_units(o, "modes.ranked.stakes[3]", 1, 9, &n, &err), "modes.ranked.stakes[3]: expected a decimal string, got nothing");
    REFUSED(fr_json_need_units(o, "bad_stake", 1, 9, &n, &err), "bad_stake: expected a decimal string, got \"01\"");
    REFUSED(fr_json_need_units(o, "stake", 1, 124, &n, &err), "stake: expected an amount from \"1\" to \"124\", got \"125\"");
    REFUSED(fr_json_need_units(o, "stake", 126, 200, &n, &err), "stake: expected an amount from \"126\" to \"200\", got \"125\"");
    CHECK_INT(n, 2);
    CHECK(fr_json_opt_units(o, "gone", 1, 9, 5, &n, &err) == FR_OK && n == 5);
    REFUSED(fr_json_opt_units(o, "num_stake", 1, 9, 5, &n, &err), "num_stake: expected a decimal string, got number");
}

static void test_bool_object_array(void)
{
    FR_AUTO(fr_json) o = parsed(manifest);
    const struct fr_json *v = NULL;
    bool b = false;
    struct fr_err err;
    CHECK(fr_json_opt_bool(o, "yes", false, &b, &err) == FR_OK && b);
    CHECK(fr_json_opt_bool(o, "gone", true, &b, &err) == FR_OK && b);
    REFUSED(fr_json_opt_bool(o, "n", true, &b, &err), "n: expected true or false, got number");
    CHECK(fr_json_need_object(o, "modes.ranked", &v, &err) == FR_OK && fr_json_size(v) == 1);
    REFUSED(fr_json_need_object(o, "list", &v, &err), "list: expected an object, got array");
    CHECK(fr_json_need_array(o, "modes.ranked.stakes", 3, 3, &v, &err) == FR_OK && fr_json_size(v) == 3);
    REFUSED(fr_json_need_array(o, "modes.ranked.stakes", 4, 5, &v, &err), "modes.ranked.stakes: expected an array of 4 to 5 elements, got 3");
    REFUSED(fr_json_need_array(o, "modes.ranked.stakes", 0, 2, &v, &err), "modes.ranked.stakes: expected an array of 0 to 2 elements, got 3");
    REFUSED(fr_json_need_array(o, "modes", 0, 2, &v, &err), "modes: expected an array, got object");
    CHECK(fr_json_need_object(o, "", &v, &err) == FR_OK && v == o);
}

static void test_only_keys(void)
{
    static const char *const keys[] = { "id", "version", "turn_ms", "workers", NULL };
    FR_AUTO(fr_json) fine = parsed("{\"id\":1,\"workers\":2}"), *typo = parsed("{\"id\":1,\"turn_sm\":2}"), *letter = parsed("{\"ids\":1}");
    FR_AUTO(fr_json) odd = parsed("{\"something_else\\n\":1}"), *empty = parsed("{}");
    struct fr_err err;
    CHECK(fr_json_only_keys(fine, keys, "limits", &err) == FR_OK && fr_json_only_keys(empty, keys, "limits", &err) == FR_OK);
    REFUSED(fr_json_only_keys(typo, keys, "limits", &err), "limits: unknown key \"turn_sm\", did you mean \"turn_ms\"?");
    FR_AUTO(fr_json) near = parsed("{\"statd\":1}");
    REFUSED(fr_json_only_keys(near, (const char *const[]){ "stake", "state", "stakes", NULL }, NULL, &err), "unknown key \"statd\", did you mean \"state\"?");
    REFUSED(fr_json_only_keys(letter, keys, NULL, &err), "unknown key \"ids\", did you mean \"id\"?");
    REFUSED(fr_json_only_keys(odd, keys, "", &err), "unknown key \"something_else?\"; known are: id, version, turn_ms, workers");
}

static void test_hostile_text_is_shown_short(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 10000);
    fr_buf_add(&b, "{\"stake\":\"");
    for (int i = 0; i < 500; i++) fr_buf_add(&b, "\xE2\x82\xAC");
    fr_buf_add(&b, "\\n\"}");
    FR_AUTO(fr_json) o = parsed(b.data);
    int64_t n;
    struct fr_err err;
    CHECK(fr_json_need_units(o, "stake", 0, 1, &n, &err) == FR_E_INVALID);
    CHECK(strlen(err.text) < 120 && strstr(err.text, "\xE2\x82\xAC...\""));
}

// ---- equal and print

static bool equal(const char *a, const char *b)
{
    FR_AUTO(fr_json) x = parsed(a), *y = parsed(b);
    return fr_json_equal(x, y) && fr_json_equal(y, x);
}

static void test_equal(void)
{
    CHECK(equal("{\"a\":1,\"b\":[1,{}]}", "{\"b\":[1.0,{}],\"a\":1e0}") && equal("\"\\u0041\"", "\"A\"") && equal("-0", "0"));
    CHECK(!equal("[1,2]", "[2,1]") && !equal("[1]", "[1,1]") && !equal("{\"a\":1}", "{\"a\":1,\"b\":1}") && !equal("{\"a\":1}", "{\"b\":1}"));
    CHECK(!equal("1", "\"1\"") && !equal("null", "false") && !equal("true", "false") && !equal("\"a\"", "\"A\"") && !equal("{}", "[]"));
}

static const char *printed(const char *text, bool canonical)
{
    static struct fr_buf out;
    FR_AUTO(fr_json) v = parsed(text);
    fr_buf_free(&out);
    fr_buf_init(&out, 100000);
    if (canonical) fr_json_print_canonical(v, &out);
    else fr_json_print(v, &out);
    return out.data;
}

static void test_print(void)
{
    CHECK_TEXT(printed(" { \"b\" : [ 1 , 2.50 , null ] , \"a\" : { } , \"c\":[]} ", false), "{\"b\":[1,2.5,null],\"a\":{},\"c\":[]}");
    CHECK_TEXT(printed("[\"q\\\"\\u0001\\u00e9\",true,false]", false), "[\"q\\\"\\u0001\xC3\xA9\",true,false]");
    CHECK_TEXT(printed("[1e3,-0,9007199254740991,1e20,1e21,1e-7,0.1,1.7976931348623157e308,5e-324]", false),
               "[1000,0,9007199254740991,100000000000000000000,1e+21,1e-07,0.1,1.7976931348623157e+308,4.94065645841247e-324]");
}

static void test_canonical_print_sorts_bytewise_at_every_depth(void)
{
    CHECK_TEXT(printed("{\"b\":{\"z\":1,\"\xC3\xA9\":2,\"a\":[{\"d\":1,\"c\":2}]},\"B\":1,\"aa\":1,\"a\":1.0,\"\":0}", true),
               "{\"\":0,\"B\":1,\"a\":1,\"aa\":1,\"b\":{\"a\":[{\"c\":2,\"d\":1}],\"z\":1,\"\xC3\xA9\":2}}");
}

static void test_every_double_prints_and_reads_back(void)
{
    int wrong = 0;
    srand(3);
    for (int i = 0; i < 20000; i++) {
        char text[40];
        snprintf(text, sizeof text, "%.17ge%d", (double)rand() / RAND_MAX - 0.5, rand() % 600 - 300);
        char *e = strchr(text, 'e');
        if (strchr(e + 1, 'e')) continue;                // the small ones bring an exponent of their own
        FR_AUTO(fr_json) a = parsed(text), *b = parsed(printed(text, true));
        wrong += !fr_json_equal(a, b);
    }
    CHECK_INT(wrong, 0);
}

static void test_printing_stops_at_the_bound(void)
{
    FR_AUTO(fr_json) v = parsed("{\"abc\":[1,2,3]}");
    for (size_t max = 0; max < 15; max++) {
        FR_AUTO_BUF(out);
        fr_buf_init(&out, max);
        fr_json_print(v, &out);
        CHECK(out.failed && out.len <= max);
    }
}

// ---- merge patch

// RFC 7396, section 2, over text: what a page does with a patch. Returns {target with patch applied} as JSON text.
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
        fr_buf_add(out, first ? "" : ",");
        fr_buf_add_json_text(out, fr_json_key(m));
        fr_buf_add_char(out, ':');
        first = false;
        if (change) apply(m, change, out);
        else fr_json_print(m, out);
    }
    for (const struct fr_json *m = fr_json_child(patch); m; m = fr_json_next(m)) {
        if (fr_json_kind(m) == JSON_NULL || (is_object && fr_json_get(target, fr_json_key(m)))) continue;
        fr_buf_add(out, first ? "" : ",");
        fr_buf_add_json_text(out, fr_json_key(m));
        fr_buf_add_char(out, ':');
        first = false;
        apply(NULL, m, out);
    }
    fr_buf_add_char(out, '}');
}

static void test_apply_agrees_with_the_rfc(void)         // the examples of RFC 7396, appendix A: they test this test
{
    static const char *const cases[][3] = {
        { "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" }, { "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
        { "{\"a\":\"b\"}", "{\"a\":null}", "{}" }, { "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
        { "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" }, { "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
        { "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" },
        { "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" }, { "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
        { "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" }, { "{\"a\":\"foo\"}", "null", "null" }, { "{\"a\":\"foo\"}", "\"bar\"", "\"bar\"" },
        { "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" }, { "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
        { "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FR_AUTO(fr_json) target = parsed(cases[i][0]), *patch = parsed(cases[i][1]);
        FR_AUTO_BUF(out);
        fr_buf_init(&out, 1000);
        apply(target, patch, &out);
        CHECK_TEXT(out.data, cases[i][2]);
    }
}

static const char *diff(const char *from, const char *to)
{
    static struct fr_buf out;
    FR_AUTO(fr_json) a = parsed(from), *b = parsed(to);
    fr_buf_free(&out);
    fr_buf_init(&out, 10000);
    return fr_json_merge_diff(a, b, &out) ? out.data : out.len == 0 ? "none" : "none, but something was written";
}

static void test_diff_is_small(void)
{
    CHECK_TEXT(diff("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"), "none");
    CHECK_TEXT(diff("[1,2]", "[1,2]"), "none");
    CHECK_TEXT(diff("{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}"), "{\"b\":3}");
    CHECK_TEXT(diff("{\"a\":1,\"b\":2}", "{\"b\":2,\"c\":{}}"), "{\"a\":null,\"c\":{}}");
    CHECK_TEXT(diff("{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":3}}", "{\"a\":{\"b\":{\"c\":1},\"e\":3}}"), "{\"a\":{\"b\":{\"d\":null}}}");
    CHECK_TEXT(diff("{\"a\":{\"b\":1}}", "{\"a\":{}}"), "{\"a\":{\"b\":null}}");
    CHECK_TEXT(diff("{\"a\":[1,2,3]}", "{\"a\":[1,2]}"), "{\"a\":[1,2]}");
    CHECK_TEXT(diff("{\"a\":{\"b\":1}}", "{\"a\":[]}"), "{\"a\":[]}");
    CHECK_TEXT(diff("{\"a\":5}", "{\"a\":{\"b\":1}}"), "{\"a\":{\"b\":1}}");
    CHECK_TEXT(diff("1", "{\"a\":1}"), "{\"a\":1}");
    CHECK_TEXT(diff("{\"a\":1}", "2"), "2");
}

// A random value; no nulls inside objects, as views promise. Few keys and few scalars, so that values often meet.
static void random_value(struct fr_buf *out, int depth, bool null_allowed)
{
    int kind = rand() % (depth ? 9 : 5);
    if (kind == 0 && null_allowed) fr_buf_add(out, "null");
    else if (kind <= 1) fr_buf_add(out, rand() % 2 ? "true" : "false");
    else if (kind == 2) fr_buf_addf(out, "%d", rand() % 3);
    else if (kind <= 4) fr_buf_addf(out, "\"s%d\"", rand() % 3);
    else if (kind == 5) {
        fr_buf_add_char(out, '[');
        for (int i = 0, n = rand() % 4; i < n; i++) {
            if (i) fr_buf_add_char(out, ',');
            random_value(out, depth - 1, true);
        }
        fr_buf_add_char(out, ']');
    } else {
        bool first = true;
        int keys = rand() % 8 ? 6 : 40, shift = rand() % keys;
        fr_buf_add_char(out, '{');
        for (int i = 0; i < keys; i++) {
            if (rand() % 2) continue;
            fr_buf_addf(out, "%s\"k%d\":", first ? "" : ",", (i + shift) % keys);
            first = false;
            random_value(out, depth - 1, false);
        }
        fr_buf_add_char(out, '}');
    }
}

static struct fr_json *random_tree(void)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, JSON_TEXT_BYTES_MAX);
    random_value(&text, 4, true);
    return parsed(text.data);
}

static bool same_canonical(const struct fr_json *a, const struct fr_json *b)
{
    FR_AUTO_BUF(x); FR_AUTO_BUF(y);
    fr_buf_init(&x, JSON_TEXT_BYTES_MAX);
    fr_buf_init(&y, JSON_TEXT_BYTES_MAX);
    fr_json_print_canonical(a, &x);
    fr_json_print_canonical(b, &y);
    return strcmp(x.data, y.data) == 0;
}

static void test_applying_the_patch_gives_the_target(void)
{
    int wrong = 0, patches = 0, unequal = 0;
    srand(5);
    for (int round = 0; round < 4000; round++) {
        FR_AUTO(fr_json) from = random_tree(), *to = random_tree();
        FR_AUTO_BUF(patch); FR_AUTO_BUF(result);
        fr_buf_init(&patch, JSON_TEXT_BYTES_MAX);
        fr_buf_init(&result, JSON_TEXT_BYTES_MAX);
        bool differ = fr_json_merge_diff(from, to, &patch);
        unequal += differ == fr_json_equal(from, to) || differ == same_canonical(from, to);
        if (!differ) continue;
        FR_AUTO(fr_json) patch_tree = parsed(patch.data);
        apply(from, patch_tree, &result);
        FR_AUTO(fr_json) got = parsed(result.data);
        wrong += !fr_json_equal(got, to);
        patches++;
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(unequal, 0);
    CHECK(patches > 2000);
}

// 40,000 members in opposite orders: quadratic work would be 10^9 comparisons, for each of the three.
static void test_hostile_objects_are_compared_and_diffed_fast(void)
{
    FR_AUTO_BUF(up); FR_AUTO_BUF(down); FR_AUTO_BUF(out);
    fr_buf_init(&up, JSON_TEXT_BYTES_MAX);
    fr_buf_init(&down, JSON_TEXT_BYTES_MAX);
    fr_buf_init(&out, JSON_TEXT_BYTES_MAX);
    for (int i = 0; i < 40000; i++) {
        fr_buf_addf(&up, "%c\"key%d\":1", i ? ',' : '{', i);
        fr_buf_addf(&down, "%c\"key%d\":1", i ? ',' : '{', 39999 - i);
    }
    fr_buf_add(&up, "}");
    fr_buf_add(&down, ",\"last\":1}");
    FR_AUTO(fr_json) a = parsed(up.data), *b = parsed(down.data);
    CHECK(!fr_json_equal(a, b));
    CHECK(fr_json_merge_diff(a, b, &out));
    CHECK_TEXT(out.data, "{\"last\":1}");
    CHECK(!same_canonical(a, b));
}

static void test_without_memory_results_are_right_or_marked_failed(void)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, JSON_TEXT_BYTES_MAX);
    for (int i = 0; i < 40; i++) fr_buf_addf(&text, "%c\"k%d\":{\"x\":[%d]}", i ? ',' : '{', 39 - i, i);
    fr_buf_add(&text, "}");
    FR_AUTO(fr_json) to = parsed(text.data);
    FR_AUTO(fr_json) from = parsed("{\"k1\":{\"x\":[38]},\"k0\":{\"x\":[1]},\"k39\":{},\"gone\":1}");
    FR_AUTO_BUF(whole); FR_AUTO_BUF(whole_canonical);
    fr_buf_init(&whole, 10000);
    fr_buf_init(&whole_canonical, 10000);
    CHECK(fr_json_merge_diff(from, to, &whole));
    fr_json_print_canonical(to, &whole_canonical);
    int failures = 0;
    for (int64_t nth = 1; ; nth++) {
        FR_AUTO_BUF(patch); FR_AUTO_BUF(canonical);
        fr_buf_init(&patch, 10000);
        fr_buf_init(&canonical, 10000);
        fr_mem_fail_at(nth);
        bool differ = fr_json_merge_diff(from, to, &patch), self = fr_json_equal(to, to);
        fr_json_print_canonical(to, &canonical);
        fr_mem_fail_at(0);
        CHECK(differ && self);
        CHECK(patch.no_memory || strcmp(patch.data, whole.data) == 0);
        CHECK(canonical.no_memory || strcmp(canonical.data, whole_canonical.data) == 0);
        if (!patch.failed && !canonical.failed) break;
        failures++;
    }
    CHECK(failures > 10);
}

int main(void)
{
    TEST(test_look);
    TEST(test_escapes_are_read);
    TEST(test_texts_of_every_length_have_room);
    TEST(test_need_text);
    TEST(test_need_int);
    TEST(test_need_units);
    TEST(test_bool_object_array);
    TEST(test_only_keys);
    TEST(test_hostile_text_is_shown_short);
    TEST(test_equal);
    TEST(test_print);
    TEST(test_canonical_print_sorts_bytewise_at_every_depth);
    TEST(test_every_double_prints_and_reads_back);
    TEST(test_printing_stops_at_the_bound);
    TEST(test_apply_agrees_with_the_rfc);
    TEST(test_diff_is_small);
    TEST(test_applying_the_patch_gives_the_target);
    TEST(test_hostile_objects_are_compared_and_diffed_fast);
    TEST(test_without_memory_results_are_right_or_marked_failed);
    return TEST_END();
}
