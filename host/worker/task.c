// task.c — functions stand in the order they run: call, body, ask, answer, done.
#include "worker/task.h"
#include <assert.h>
#include <string.h>
#include <lauxlib.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "worker/fault.h"
#include "worker/luajson.h"
#include "worker/turn.h"

const char task_handlers = 0;

// Functions of one frond.all. It stands in its caller's stack and in each function's own: any of them may be closed by others.
struct group { struct fiber *parent; int waiting; bool parent_waits; };

struct fiber {
    struct fiber *next;          // in the idle list, or among its call's
    lua_State *co;
    int ref;                     // keeps co alive
    struct call *call;
    struct group *group;         // NULL: the call's own
    int index;                   // within the group
    uint32_t ask_no;             // what it waits for; 0: not for the host
};

struct call {
    struct call *next;
    uint32_t id, next_ask;
    size_t streamed;             // bytes
    struct fiber *fibers;        // the call's own is the last
    int fiber_count;
};

// ---- fibers

static int fiber_make(lua_State *L)
{
    struct fiber *f = lua_touserdata(L, 1);
    f->co = lua_newthread(L);
    f->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static struct fiber *fiber_take(struct worker *w)
{
    struct fiber *f = w->idle;
    if (f) {
        w->idle = f->next;
        w->idle_count--;
        f->next = NULL;
        return f;
    }
    if (!(f = fr_alloc(sizeof *f))) return NULL;
    f->ref = LUA_NOREF;
    if (vm_protect(&w->vm, fiber_make, f) == LUA_OK) return f;
    lua_settop(w->vm.L, 0);
    fr_free(f);
    return NULL;
}

// A coroutine that ended well is used again; one that failed, tripped or still waits is left to the collector and never runs again.
static void fiber_give(struct worker *w, struct fiber *f, bool clean)
{
    if (clean && w->idle_count < FIBERS_IDLE_MAX) {
        lua_settop(f->co, 0);
        *f = (struct fiber){ .next = w->idle, .co = f->co, .ref = f->ref };
        w->idle = f;
        w->idle_count++;
        return;
    }
    luaL_unref(w->vm.L, LUA_REGISTRYINDEX, f->ref);
    fr_free(f);
}

// ---- calls

static struct call **call_find(struct worker *w, uint32_t id)
{
    struct call **at = &w->calls[id % CALL_BUCKETS];
    while (*at && (*at)->id != id) at = &(*at)->next;
    return at;
}

static void call_link(struct call *c, struct fiber *f)
{
    f->call = c;
    f->next = c->fibers;
    c->fibers = f;
    c->fiber_count++;
}

static void call_unlink(struct call *c, struct fiber *f)
{
    struct fiber **at = &c->fibers;
    while (*at != f) at = &(*at)->next;
    *at = f->next;
    c->fiber_count--;
}

static void call_end(struct worker *w, struct call *c, bool clean)
{
    struct call **at = call_find(w, c->id);
    assert(*at == c);
    *at = c->next;
    w->call_count--;
    while (c->fibers) {
        struct fiber *f = c->fibers;
        c->fibers = f->next;
        fiber_give(w, f, clean && !f->next);
    }
    fr_free(c);
}

void task_cancel(struct worker *w, uint32_t call_id)
{
    struct call *c = *call_find(w, call_id);
    if (c) call_end(w, c, false);
}

void task_forget_all(struct worker *w)
{
    for (int i = 0; i < CALL_BUCKETS; i++)
        while (w->calls[i]) call_end(w, w->calls[i], false);
    while (w->idle) {
        struct fiber *f = w->idle;
        w->idle = f->next;
        luaL_unref(w->vm.L, LUA_REGISTRYINDEX, f->ref);
        fr_free(f);
    }
    w->idle_count = 0;
}

// ---- the body of a call, inside its coroutine, so that whatever raises is caught by the resume

struct sections { const char *target, *context, *args; size_t target_len, context_len, args_len; };

static bool call_sections(const struct frame *f, struct sections *s)
{
    struct frame_cursor c;
    frame_sections(f, &c);
    return frame_take(&c, &s->target, &s->target_len) && frame_take(&c, &s->context, &s->context_len) && frame_take(&c, &s->args, &s->args_len);
}

static bool is_refusal(lua_State *L, int first)
{
    return lua_gettop(L) > first && lua_isnil(L, first) && lua_type(L, first + 1) == LUA_TSTRING;
}

static void write_detail(lua_State *L, int idx, struct fr_buf *out)
{
    struct luajson_error e;
    size_t before = out->len;
    if (lua_isnoneornil(L, idx)) return;
    fr_buf_add(out, ",\"detail\":");
    if (luajson_write(L, idx, false, out, &e)) return;
    worker_cut(worker_of(L), before);
    luaL_error(L, "the detail of a refusal must be plain data%s: %s", e.path, e.text);
}

static int call_done(lua_State *L, int status, lua_KContext first)
{
    (void)status;
    struct worker *w = worker_of(L);
    struct frame f = { .kind = FRAME_RESULT, .id = turn_frame_id(), .status = FRAME_OK };
    bool refused = is_refusal(L, (int)first);
    if (refused) f.status = FRAME_REFUSED;
    if (refused && lua_rawlen(L, (int)first + 1) > CODE_BYTES_MAX)
        return luaL_error(L, "a refusal's code is a word of at most %d bytes; the sentence goes behind it", CODE_BYTES_MAX);
    lua_settop(L, (int)first + 2);
    size_t before = w->out.len, mark = frame_begin(&w->out, &f);
    struct luajson_error e = { .text = "too long" };
    if (refused) {
        fr_buf_add(&w->out, "{\"code\":");
        fr_buf_add_json_text(&w->out, lua_tostring(L, (int)first + 1));
        write_detail(L, (int)first + 2, &w->out);
        fr_buf_add_char(&w->out, '}');
    } else if (!luajson_write(L, (int)first, false, &w->out, &e)) {
        worker_cut(w, before);
        return luaL_error(L, "the result cannot be sent: result%s: %s", e.path, e.text);
    }
    if (w->out.len - before - FRAME_HEADER_BYTES > CALL_RESULT_BYTES_MAX || w->out.failed) {
        worker_cut(w, before);
        return luaL_error(L, "the result is longer than %d bytes", CALL_RESULT_BYTES_MAX);
    }
    frame_end(&w->out, mark);
    return 0;
}

// ctx:stream(text): text for whoever called, before the answer. It does not wait.
static int context_stream(lua_State *L)
{
    struct worker *w = worker_of(L);
    size_t len;
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *text = luaL_checklstring(L, 2, &len);
    turn_rethrow(L);
    if (!w->current) return luaL_error(L, "ctx:stream belongs into the call whose ctx it is");
    if (len > STREAM_PIECE_BYTES_MAX) return luaL_error(L, "ctx:stream takes at most %d bytes at once, got %d", STREAM_PIECE_BYTES_MAX, (int)len);
    if (!fr_utf8_valid(text, len)) return luaL_error(L, "ctx:stream takes UTF-8 text: a character was cut");
    struct call *c = w->current->call;
    if (len > STREAM_CALL_BYTES_MAX - c->streamed) return luaL_error(L, "a call may stream at most %d bytes", STREAM_CALL_BYTES_MAX);
    if (len == 0) return 0;
    c->streamed += len;
    frame_put(&w->out, &(struct frame){ .kind = FRAME_STREAM, .id = turn_frame_id(), .payload = text, .len = (uint32_t)len });
    if (w->out.failed) return luaL_error(L, "too much output in one turn");
    if (w->out.len > OUT_FLUSH_BYTES) worker_flush(w);
    return 0;
}

static void push_context(lua_State *L, const struct sections *s)
{
    luajson_read_or_raise(L, s->context, s->context_len, "the context");
    if (luaL_newmetatable(L, "frond.ctx")) {
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, context_stream);
        lua_setfield(L, -2, "stream");
        lua_setfield(L, -2, "__index");
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -2);
}

static int call_body(lua_State *L)
{
    struct worker *w = worker_of(L);
    struct sections s;
    if (!call_sections(w->frame, &s)) return luaL_error(L, "broken call");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &task_handlers);
    lua_pushlstring(L, s.target, s.target_len);
    if (lua_rawget(L, -2) != LUA_TFUNCTION) return luaL_error(L, "the plugin has no %s", lua_pushlstring(L, s.target, s.target_len));
    push_context(L, &s);
    luajson_read_or_raise(L, s.args, s.args_len, "the arguments");
    lua_remove(L, 1);                                        // the handlers; the results begin where the function stands
    lua_callk(L, 2, LUA_MULTRET, 1, call_done);
    return call_done(L, LUA_OK, 1);
}

// ---- running

// The answer comes last: what __close handlers say, still inside this turn, belongs to a call that is open.
static void call_fail(struct worker *w, struct call *c, struct fiber *f, int status, enum turn_trip trip)
{
    enum frame_status outcome = worker_fault(w, trip, status, f->co, f->co);
    if (!trip) lua_closethread(f->co, NULL);
    worker_reply(w, FRAME_RESULT, c->id, 0, outcome, &w->fault);
}

// Resumes the fiber for one turn. What it yields for or returns has been written when this returns.
static void fiber_run(struct worker *w, struct fiber *f)
{
    struct call *c = f->call;
    int results = 0;
    w->current = f;
    turn_begin(f->co, c->id);
    int status = lua_resume(f->co, NULL, 0, &results);
    if (status == LUA_ERRMEM) turn_trip_memory();
    enum turn_trip trip = status == LUA_OK ? TRIP_NONE : turn_tripped();     // a tick after the end comes too late: the answer is written
    bool failed = trip || (status != LUA_OK && status != LUA_YIELD);
    struct fiber *parent = NULL;
    if (failed) {
        call_fail(w, c, f, status, trip);
    } else if (status == LUA_OK && f->group) {
        if (--f->group->waiting == 0 && f->group->parent_waits) parent = f->group->parent;
    }
    turn_end();
    w->current = NULL;
    if (failed || (status == LUA_OK && !f->group)) {
        call_end(w, c, !failed);
        if (trip == TRIP_MEMORY) lua_gc(w->vm.L, LUA_GCCOLLECT);
    } else if (status == LUA_OK) {
        call_unlink(c, f);
        fiber_give(w, f, true);
        if (parent) fiber_run(w, parent);
    }
}

bool task_call(struct worker *w, const struct frame *frame)
{
    struct sections s;
    if (!call_sections(frame, &s)) return false;
    struct call *c = w->loaded ? fr_alloc(sizeof *c) : NULL;
    struct fiber *f = c ? fiber_take(w) : NULL;
    if (!f) {
        fr_free(c);
        fr_buf_clear(&w->fault);
        fault_write_text(&w->fault, w->loaded ? "memory_limit" : "plugin_error", w->loaded ? "no memory to start a call" : "nothing is loaded");
        worker_reply(w, FRAME_RESULT, frame->id, 0, w->loaded ? FRAME_TRIPPED_MEMORY : FRAME_RAISED, &w->fault);
        return true;
    }
    struct call **at = call_find(w, frame->id);
    if (*at) call_end(w, *at, false);                        // the host never does this
    c->id = frame->id;
    c->next = NULL;
    *call_find(w, frame->id) = c;
    w->call_count++;
    call_link(c, f);
    lua_pushcfunction(f->co, call_body);
    w->frame = frame;
    fiber_run(w, f);
    w->frame = NULL;
    return true;
}

uint32_t task_next_ask(struct worker *w)
{
    struct fiber *f = w->current;
    assert(f);
    if (++f->call->next_ask == 0) f->call->next_ask = 1;
    return f->ask_no = f->call->next_ask;
}

void task_answer(struct worker *w, const struct frame *frame)
{
    struct call *c = *call_find(w, frame->id);
    struct fiber *f = c ? c->fibers : NULL;
    while (f && f->ask_no != frame->ref) f = f->next;
    if (!f || frame->ref == 0) return;
    f->ask_no = 0;
    w->answer = (struct answer){ frame->ref, (enum frame_status)frame->status, frame->payload, frame->len };
    fiber_run(w, f);
    w->answer = (struct answer){ .ask_no = 0 };
}

// ---- frond.all{f, g, ..}: a list of {ok, value, code, detail}, in their order

static int member_done(lua_State *L, int status, lua_KContext first)   // stack: results list, index, group, then what the function gave
{
    (void)status;
    bool refused = is_refusal(L, (int)first);
    lua_settop(L, (int)first + 2);
    lua_createtable(L, 0, 3);
    lua_pushboolean(L, !refused);
    lua_setfield(L, -2, "ok");
    lua_pushvalue(L, (int)first + (refused ? 1 : 0));
    lua_setfield(L, -2, refused ? "code" : "value");
    if (refused) {
        lua_pushvalue(L, (int)first + 2);
        lua_setfield(L, -2, "detail");
    }
    lua_rawseti(L, 1, lua_tointeger(L, 2));
    return 0;
}

static int member_failed(lua_State *L, int status, lua_KContext first)
{
    if (status == LUA_OK || status == LUA_YIELD) return member_done(L, LUA_OK, first);
    if (status == LUA_ERRMEM) turn_trip_memory();
    turn_rethrow(L);
    lua_createtable(L, 0, 3);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "ok");
    lua_pushliteral(L, "plugin_error");
    lua_setfield(L, -2, "code");
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "detail");
    lua_rawseti(L, 1, lua_tointeger(L, 2));
    return 0;
}

static int member_body(lua_State *L)                         // results list, index, group, function
{
    int status = lua_pcallk(L, 0, LUA_MULTRET, 0, 4, member_failed);
    return member_failed(L, status, 4);
}

static int all_done(lua_State *L, int status, lua_KContext none)
{
    (void)status, (void)none;
    const struct group *g = lua_touserdata(L, 3);
    if (g->waiting > 0) return luaL_error(L, "this coroutine waits for the host and cannot be resumed by others");
    lua_settop(L, 2);
    return 1;
}

static void member_start(lua_State *L, struct worker *w, struct group *g, lua_Integer i)
{
    struct fiber *parent = w->current, *f = fiber_take(w);
    if (!f) {
        turn_trip_memory();
        turn_rethrow(L);
        return;
    }
    f->group = g;
    f->index = (int)i;
    call_link(parent->call, f);
    if (!lua_checkstack(f->co, 5) || !turn_push(f->co)) luaL_error(L, "frond.all is nested too deep");
    lua_pushcfunction(f->co, member_body);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, i);
    lua_pushvalue(L, 3);
    lua_rawgeti(L, 1, i);
    lua_xmove(L, f->co, 4);
    int results = 0;
    w->current = f;
    int status = lua_resume(f->co, L, 4, &results);
    w->current = parent;
    turn_pop();
    if (status == LUA_YIELD && turn_is_waiting()) {
        turn_set_waiting(false);
        g->waiting++;
        return;
    }
    call_unlink(parent->call, f);
    fiber_give(w, f, status == LUA_OK);
    if (status == LUA_ERRMEM) turn_trip_memory();
    lua_pushnil(L);
    turn_rethrow(L);
    lua_pop(L, 1);
    if (status != LUA_OK) luaL_error(L, "a function given to frond.all cannot yield");
}

int task_all(lua_State *L)
{
    struct worker *w = worker_of(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_Integer count = luaL_len(L, 1);
    if (vm_of(L)->replay) return luaL_error(L, "a match never waits: frond.all cannot be used in it");
    if (!w->current) return luaL_error(L, "frond.all waits for the host: call it inside a handler, not while the plugin loads");
    if (count + w->current->call->fiber_count > ASKS_PER_CALL_MAX) return luaL_error(L, "frond.all: at most %d functions at once", ASKS_PER_CALL_MAX - 1);
    for (lua_Integer i = 1; i <= count; i++)
        if (lua_rawgeti(L, 1, i) != LUA_TFUNCTION) return luaL_error(L, "frond.all takes a list of functions; [%d] is a %s", (int)i, luaL_typename(L, -1));
    lua_settop(L, 1);
    lua_createtable(L, (int)count, 0);
    luajson_push_mark(L);
    lua_setmetatable(L, -2);
    struct group *g = lua_newuserdatauv(L, sizeof *g, 0);    // index 3, kept by this frame until all are done
    *g = (struct group){ .parent = w->current };
    for (lua_Integer i = 1; i <= count; i++) member_start(L, w, g, i);
    if (g->waiting == 0) return all_done(L, LUA_OK, 0);
    g->parent_waits = true;
    turn_set_waiting(true);
    return lua_yieldk(L, 0, 0, all_done);
}
