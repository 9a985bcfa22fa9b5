// luajson_test.c — JSON in and out of Lua: nothing is lost, and what is not JSON is refused with a reason.
#include <lauxlib.h>
#include "worker/canon.h"
#include "worker/luajson.h"
#include "worker/testing.h"

static struct heap heap;
static struct vm vm;
static struct fr_buf out;

static void begin(void)
{
    struct fr_err err;
    heap = (struct heap){ .cap = 8 * 1024 * 1024, .page = &test_page };
    turn_prepare(&test_page);
    CHECK(vm_open(&vm, &heap, heap.cap, true, 1, &err) == FR_OK);
    fr_buf_init(&out, 1000000);
}

static void end(void)
{
    vm_close(&vm);
    CHECK_INT(heap.used, 0);
    fr_buf_free(&out);
}

static void round_trip(const char *json, const char *want)
{
    const char *why = NULL;
    struct luajson_error e;
    fr_buf_clear(&out);
    CHECK(luajson_read(vm.L, json, strlen(json), &why));
    if (why) {
        printf("  %s: %s\n", json, why);
        return;
    }
    CHECK(luajson_write(vm.L, -1, true, &out, &e));
    CHECK_TEXT(out.data, want);
    fr_buf_clear(&out);                              // and through canonical bytes, which must give the same value back
    if (lua_isnil(vm.L, -1)) {
        lua_settop(vm.L, 0);
        return;
    }
    CHECK(canon_write(vm.L, -1, &out, &e));
    canon_read(vm.L, out.data, out.len);
    struct fr_buf again;
    fr_buf_init(&again, 1000000);
    CHECK(canon_write(vm.L, -1, &again, &e));
    CHECK(again.len == out.len && memcmp(again.data, out.data, out.len) == 0);
    fr_buf_clear(&again);
    CHECK(luajson_write(vm.L, -1, true, &again, &e));
    CHECK_TEXT(again.data, want);
    fr_buf_free(&again);
    lua_settop(vm.L, 0);
}

static void refused(const char *json, const char *want)
{
    const char *why = NULL;
    CHECK(!luajson_read(vm.L, json, strlen(json), &why));
    CHECK_TEXT(why, want);
    CHECK_INT(lua_gettop(vm.L), 0);
}

static void test_values_survive(void)
{
    begin();
    round_trip("null", "null");
    round_trip(" [ 1 , true , false , null , \"a\" ] ", "[1,true,false,null,\"a\"]");
    round_trip("{\"b\":1,\"a\":{\"d\":[],\"c\":{}}}", "{\"a\":{\"c\":{},\"d\":[]},\"b\":1}");
    round_trip("{\"a\":null,\"b\":2}", "{\"b\":2}");
    round_trip("[9223372036854775807,-9223372036854775808,9007199254740993,0,-1]", "[9223372036854775807,-9223372036854775808,9007199254740993,0,-1]");
    round_trip("[9223372036854775808,-9223372036854775809,-0,1e2,1.50,0.1,1e300,5e-324,123456789012345678901]",
               "[9.223372036854776e+18,-9.223372036854776e+18,-0.0,100.0,1.5,0.1,1e+300,4.94065645841247e-324,1.2345678901234568e+20]");
    round_trip("\"\\u00e9\\ud83d\\ude00\\n\\t\\\"\\\\\\/\\b\\f\\r\\u001f\"", "\"\303\251\360\237\230\200\\n\\t\\\"\\\\/\\u0008\\u000c\\r\\u001f\"");
    round_trip("{\"\":1,\"a\\u0041\":2}", "{\"\":1,\"aA\":2}");
    round_trip("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    end();
}

static void test_lists_of_every_length_survive(void)
{
    FR_AUTO_BUF(json);
    fr_buf_init(&json, 10000);
    begin();
    for (int count = 0; count < 70; count++) {
        fr_buf_clear(&json);
        fr_buf_add_char(&json, '[');
        for (int i = 0; i < count; i++) fr_buf_addf(&json, i % 3 == 2 ? "%s[%d,[]]" : "%s%d", i ? "," : "", i);
        fr_buf_add_char(&json, ']');
        round_trip(json.data, json.data);
    }
    end();
}

// Written as it is walked, so what is wrong may show late.
static void refused_table(const char *lua, const char *want)
{
    struct luajson_error e;
    fr_buf_clear(&out);
    CHECK(luaL_loadstring(vm.L, lua) == LUA_OK && lua_pcall(vm.L, 0, 1, 0) == LUA_OK);
    CHECK(!luajson_write(vm.L, -1, false, &out, &e));
    CHECK(strncmp(e.text, want, strlen(want)) == 0);
    lua_settop(vm.L, 0);
}

static void test_tables_that_are_no_data_are_refused(void)
{
    begin();
    refused_table("return {1, 2, a = 1}", "a table with both list items and named members");
    refused_table("return {a = 1, b = 2, c = 3, [7] = 1}", "a table with both list items and named members");
    refused_table("return {a = 1, b = 2, c = 3, [1.5] = 1}", "a float cannot be a key here");
    refused_table("return {a = 1, b = 2, c = 3, [true] = 1}", "a boolean cannot be a key here");
    refused_table("return {[2] = 1}", "integer keys that are not 1..n make no list");
    refused_table("return {a = {b = {1, c = 2}}}", "a table with both list items and named members");
    end();
}

static void test_what_is_not_json_is_refused(void)
{
    begin();
    refused("", "it ends too early");
    refused("[1,]", "bad number");
    refused("[1 2]", "expected , or ] in a list");
    refused("{\"a\" 1}", "expected : after a member name");
    refused("{a:1}", "expected a member name");
    refused("{\"a\":1,}", "expected a member name");
    refused("[1", "expected , or ] in a list");
    refused("1 2", "bytes after the value");
    refused("01", "bytes after the value");
    refused("-", "bad number");
    refused("1.", "bad number");
    refused("1e", "bad number");
    refused("1e999", "number too large");
    refused("nul", "unknown word");
    refused("\"a", "text that does not end");
    refused("\"a\n\"", "text that does not end");
    refused("\"\\x\"", "unknown escape");
    refused("\"\\u12\"", "cut \\u escape");
    refused("\"\\u12g4\"", "bad \\u escape");
    refused("\"\\ud800\"", "half a surrogate pair");
    refused("\"\\udc00\"", "half a surrogate pair");
    refused("\"\\u0000\"", "NUL in a text");
    refused("\"\xff\"", "text that is not UTF-8");
    refused("\"x\\n\xc3\"", "text that is not UTF-8");
    refused("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", "nested too deep");
    end();
}

static void check_float(double x, const char *want)
{
    fr_buf_clear(&out);
    luajson_write_float(&out, x);
    CHECK_TEXT(out.data, want);
    CHECK(strtod(out.data, NULL) == x);
}

static void test_floats_are_short_and_exact(void)
{
    begin();
    check_float(0.1, "0.1");
    check_float(1.0 / 3, "0.3333333333333333");
    check_float(0.1 + 0.2, "0.30000000000000004");
    check_float(3, "3.0");
    check_float(1e21, "1e+21");
    check_float(-123456789.125, "-123456789.125");
    end();
}

static int key_order(lua_State *L)
{
    return luaL_dostring(L, "return {[3]=1,[-5]=2,b=3,a=4,[1]=5,aa=6,['']=7,['1']=8}");
}

static void test_equal_tables_give_equal_bytes(void)
{
    begin();
    struct luajson_error e;
    CHECK(key_order(vm.L) == LUA_OK);
    CHECK(canon_write(vm.L, -1, &out, &e));
    CHECK(luaL_dostring(vm.L, "local t = {} for i = 1, 100 do t['x' .. i] = i t[i] = i end for i = 1, 100 do t['x' .. i] = nil t[i] = nil end "
                              "t['1'] = 8 t[''] = 7 t.aa = 6 t[1] = 5 t.a = 4 t.b = 3 t[-5] = 2 t[3] = 1 return t") == LUA_OK);
    struct fr_buf other;
    fr_buf_init(&other, 10000);
    CHECK(canon_write(vm.L, -1, &other, &e));
    CHECK(other.len == out.len && memcmp(other.data, out.data, out.len) == 0);
    CHECK_INT((unsigned char)out.data[0], '{');
    CHECK(memcmp(out.data + 1, "\x08\0\0\0i\xfb\xff\xff\xff\xff\xff\xff\xff", 13) == 0);     // -5 comes first
    fr_buf_free(&other);
    lua_settop(vm.L, 0);
    end();
}

int main(void)
{
    TEST(test_values_survive);
    TEST(test_lists_of_every_length_survive);
    TEST(test_tables_that_are_no_data_are_refused);
    TEST(test_what_is_not_json_is_refused);
    TEST(test_floats_are_short_and_exact);
    TEST(test_equal_tables_give_equal_bytes);
    return TEST_END();
}
