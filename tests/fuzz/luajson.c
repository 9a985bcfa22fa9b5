// luajson: the worker's JSON and its canonical state. It reads what the host's parser lets through, to the same value.
#include <lauxlib.h>
#include "base/json.h"
#include "worker/canon.h"
#include "worker/luajson.h"
#include "worker/turn.h"
#include "worker/worker.h"
#include "fuzz.h"

#define STATE_BYTES_MAX (1 << 20)
static struct worker_page page;
static struct heap heap;
static struct vm vm;

struct job { const char *text; size_t len; bool host_accepts; struct fr_json *tree; };

// A value as canonical bytes, read back, written again: the same bytes, and the same JSON.
static void canon_holds(lua_State *L)
{
    struct luajson_error e;
    FR_AUTO_BUF(first); FR_AUTO_BUF(second); FR_AUTO_BUF(json); FR_AUTO_BUF(json_again);
    fr_buf_init(&first, STATE_BYTES_MAX);
    fr_buf_init(&second, STATE_BYTES_MAX);
    fr_buf_init(&json, STATE_BYTES_MAX);
    fr_buf_init(&json_again, STATE_BYTES_MAX);
    HOLDS(canon_write(L, -1, &first, &e));
    char *exact = malloc(first.len);
    memcpy(exact, first.data, first.len);
    canon_read(L, exact, first.len);
    free(exact);
    HOLDS(canon_write(L, -1, &second, &e));
    HOLDS(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    HOLDS(luajson_write(L, -1, true, &json_again, &e));
    HOLDS(luajson_write(L, -2, true, &json, &e));
    HOLDS(json.len == json_again.len && memcmp(json.data, json_again.data, json.len) == 0);
    lua_pop(L, 1);
}

// JSON of one spelling, read again, is written the same.
static void json_holds(lua_State *L, bool sorted, struct fr_buf *out)
{
    struct luajson_error e;
    const char *why = NULL;
    FR_AUTO_BUF(again);
    fr_buf_init(&again, STATE_BYTES_MAX);
    HOLDS(luajson_write(L, -1, sorted, out, &e));
    HOLDS(luajson_read(L, out->data, out->len, &why));
    HOLDS(luajson_write(L, -1, true, &again, &e));
    if (sorted) HOLDS(out->len == again.len && memcmp(out->data, again.data, again.len) == 0);
    lua_pop(L, 1);
}

// Nulls inside objects are absent in Lua, so the host's tree loses them before it is compared.
static void print_without_nulls(const struct fr_json *v, struct fr_buf *out)
{
    bool first = true, object = fr_json_kind(v) == JSON_OBJECT;
    if (!object && fr_json_kind(v) != JSON_ARRAY) {
        fr_json_print(v, out);
        return;
    }
    fr_buf_add_char(out, object ? '{' : '[');
    for (const struct fr_json *m = fr_json_child(v); m; m = fr_json_next(m)) {
        if (object && fr_json_kind(m) == JSON_NULL) continue;
        if (!first) fr_buf_add_char(out, ',');
        first = false;
        if (object) {
            fr_buf_add_json_text(out, fr_json_key(m));
            fr_buf_add_char(out, ':');
        }
        print_without_nulls(m, out);
    }
    fr_buf_add_char(out, object ? '}' : ']');
}

static void same_as_host(const struct fr_json *tree, const struct fr_buf *ours)
{
    FR_AUTO_BUF(text);
    FR_AUTO(fr_json) theirs = NULL, *mine = NULL;
    struct fr_err err;
    fr_buf_init(&text, 8 * STATE_BYTES_MAX);
    print_without_nulls(tree, &text);
    HOLDS(fr_json_parse(text.data, text.len, &theirs, &err) == FR_OK);
    HOLDS(fr_json_parse(ours->data, ours->len, &mine, &err) == FR_OK);
    HOLDS(fr_json_equal(theirs, mine));
}

static int run(lua_State *L)
{
    const struct job *job = lua_touserdata(L, 1);
    const char *why = NULL;
    bool ok = luajson_read(L, job->text, job->len, &why);
    HOLDS(ok || why);
    HOLDS(ok || !job->host_accepts);
    if (!ok) return 0;
    FR_AUTO_BUF(sorted); FR_AUTO_BUF(any);                                     // nothing below raises: the heap is far larger than the input
    fr_buf_init(&sorted, STATE_BYTES_MAX);
    fr_buf_init(&any, STATE_BYTES_MAX);
    json_holds(L, true, &sorted);
    json_holds(L, false, &any);
    if (!lua_isnil(L, -1)) canon_holds(L);
    if (job->host_accepts) same_as_host(job->tree, &sorted);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fr_err err;
    if (!vm.L) {
        heap = (struct heap){ .cap = 256 << 20, .page = &page };
        turn_prepare(&page);
        HOLDS(vm_open(&vm, &heap, heap.cap, true, 1, &err) == FR_OK);
    }
    char *text = malloc(size ? size : 1);
    if (size) memcpy(text, data, size);
    FR_AUTO(fr_json) tree = NULL;
    struct job job = { text, size, fr_json_parse(text, size, &tree, &err) == FR_OK, NULL };
    job.tree = tree;
    HOLDS(vm_protect(&vm, run, &job) == LUA_OK);
    lua_settop(vm.L, 0);
    if (vm.used > 4 << 20) lua_gc(vm.L, LUA_GCCOLLECT);
    free(text);
    return 0;
}
