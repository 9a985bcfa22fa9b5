// match.c — functions stand in the order they run: open, turn, handler, commit, answer. What a game calls on `m` is in match_api.c.
#include "worker/match.h"
#include <assert.h>
#include <string.h>
#include <lauxlib.h>
#include "base/hex.h"
#include "base/mem.h"
#include "worker/canon.h"
#include "worker/fault.h"
#include "worker/load.h"
#include "worker/match_steps.h"

#define TURN_BYTES_MAX (FRAME_BYTES_MAX - 4096)       // effects and views together, their lengths and the rest beside them

static const char key_m = 0, key_fields = 0;          // registry keys of a match's state
const char *const match_key_m = &key_m;

// ---- inside Lua

static void push_handler(lua_State *L, const char *name)          // a function of the game, or nil
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &load_game);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

static void push_m(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &key_m); }

static void set_clock(lua_State *L, int record, struct match_step *s)   // m.now_ms and m.tick_no, from the record
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key_fields);
    lua_getfield(L, record, "now_ms");
    lua_setfield(L, -2, "now_ms");
    if (lua_getfield(L, record, "tick_no") == LUA_TNUMBER) s->tick_no = lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_pushinteger(L, s->tick_no);
    lua_setfield(L, -2, "tick_no");
    lua_pop(L, 1);
}

// Writes every seat's view behind one another, then the spectators' if there may be any; m->view_end says where each ends.
static void write_views(lua_State *L, struct match *m, int state)
{
    struct fr_buf *out = &m->worker->views;
    struct luajson_error e;
    m->phase = MATCH_LOOKS;
    fr_buf_clear(out);
    for (int i = 0; i < m->seats + m->spectated; i++) {
        int seat = i < m->seats ? i + 1 : 0;          // seat 0: who only watches
        push_handler(L, "view");
        push_m(L);
        lua_pushvalue(L, state);
        lua_pushinteger(L, seat);
        lua_call(L, 3, 1);
        if (!luajson_write(L, -1, true, out, &e)) luaL_error(L, "the view of seat %d cannot be sent: view%s: %s", seat, e.path, e.text);
        lua_pop(L, 1);
        m->view_end[i] = out->len;
    }
}

// The state at idx becomes bytes and views: all that can fail, before anything is kept.
static void prepare_commit(lua_State *L, struct match *m, int state)
{
    struct worker *w = m->worker;
    struct luajson_error e;
    fr_buf_clear(&w->state);
    if (!canon_write(L, state, &w->state, &e)) luaL_error(L, "the match's state cannot be kept: state%s: %s", e.path, e.text);
    if (w->state.cap > m->state_counted && w->heap.used + w->state.cap - m->state_counted > w->heap.cap) {
        turn_trip_memory();                           // the bytes count as the plugin's memory too
        turn_rethrow(L);
    }
    write_views(L, m, state);
    if (w->effects.failed || w->effects.len + w->views.len + (size_t)(m->seats + m->spectated) * 4 > TURN_BYTES_MAX)
        luaL_error(L, "the effects and views of a turn are longer than %d bytes", TURN_BYTES_MAX);
}

// Three results of a handler on top: `nil, code` is a refusal, written to w->fault as the outcome.
static bool take_refusal(lua_State *L, struct match *m)
{
    struct fr_buf *out = &m->worker->fault;
    struct luajson_error e;
    if (!lua_isnil(L, -3) || lua_type(L, -2) != LUA_TSTRING) return false;
    if (lua_rawlen(L, -2) > CODE_BYTES_MAX) luaL_error(L, "a refusal's code is a word of at most %d bytes; the sentence goes behind it", CODE_BYTES_MAX);
    fr_buf_clear(out);
    fr_buf_add(out, "{\"ok\":false,\"code\":");
    fr_buf_add_json_text(out, lua_tostring(L, -2));
    if (!lua_isnil(L, -1)) {
        fr_buf_add(out, ",\"detail\":");
        if (!luajson_write(L, -1, true, out, &e)) luaL_error(L, "the detail of a refusal must be plain data%s: %s", e.path, e.text);
    }
    fr_buf_add_char(out, '}');
    return true;
}

static void make_m(lua_State *L, struct match *m, int setup)      // leaves m's options on top
{
    source_push_prelude(&m->worker->sources.prelude_match, L);
    lua_pushvalue(L, setup);
    match_push_methods(L);
    lua_pushcfunction(L, load_array);
    lua_call(L, 3, 3);
    lua_insert(L, -3);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key_fields);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key_m);
    lua_getfield(L, setup, "players");
    m->seats = (int)luaL_len(L, -1);
    lua_pop(L, 1);
    lua_getfield(L, setup, "spectators");
    m->spectated = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (m->seats < 1 || m->seats > SEATS_MAX) luaL_error(L, "a match has 1 to %d seats, not %d", SEATS_MAX, m->seats);
}

static void read_setup(lua_State *L, const struct match_step *s)
{
    luajson_read_or_raise(L, s->json, s->json_len, "the match's setup");
    if (lua_getfield(L, -1, "stake") == LUA_TSTRING && lua_stringtonumber(L, lua_tostring(L, -1))) lua_setfield(L, -3, "stake");
    lua_settop(L, 2);
}

void match_load(lua_State *L, struct match_step *s)
{
    struct match *m = s->m;
    read_setup(L, s);                                             // 2: the setup
    load_into(L, &m->worker->sources);
    lua_settop(L, 2);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &load_game) != LUA_TTABLE) luaL_error(L, "this plugin has no game");
    lua_settop(L, 2);
    push_handler(L, "new");                                       // 3
    make_m(L, m, 2);                                              // 4: options
    vm_freeze(&m->vm);
}

static int open_body(lua_State *L)                                // 1: the step
{
    struct match_step *s = lua_touserdata(L, 1);
    struct match *m = s->m;
    match_load(L, s);
    push_m(L);
    lua_insert(L, -2);
    lua_call(L, 2, 3);
    if (take_refusal(L, m)) {
        s->outcome = STEP_REFUSED;
        return 0;
    }
    lua_settop(L, 3);
    if (!lua_istable(L, 3)) return luaL_error(L, "new must return the match's state, a table; it returned %s", luaL_typename(L, 3));
    prepare_commit(L, m, 3);
    return 0;
}

struct record_kind { const char *kind, *args[3]; };
static const struct record_kind record_kinds[] = {
    { "timer", { "name", "data" } }, { "tick", { NULL } }, { "join", { "seat" } }, { "drop", { "seat" } }, { "back", { "seat" } },
    { "leave", { "seat", "why" } }, { "answer", { "tag", "value", "code" } },
};

// Pushes the handler for the record (at 2), m, the state (at 3) and its arguments: their count, or -1 when there is no handler.
static int push_turn(lua_State *L, const char *kind)
{
    if (strcmp(kind, "input") == 0) {
        push_handler(L, "input");
        if (!lua_istable(L, -1)) return -1;
        lua_getfield(L, 2, "name");
        lua_gettable(L, -2);
        if (!lua_isfunction(L, -1)) return -1;
        push_m(L);
        lua_pushvalue(L, 3);
        lua_getfield(L, 2, "seat");
        if (lua_getfield(L, 2, "args") == LUA_TNIL) lua_newtable(L), lua_replace(L, -2);
        return 4;
    }
    const struct record_kind *k = record_kinds, *end = record_kinds + sizeof record_kinds / sizeof *record_kinds;
    while (k < end && strcmp(k->kind, kind) != 0) k++;
    if (k == end) return luaL_error(L, "a record of unknown kind '%s'", kind);
    push_handler(L, kind);
    if (!lua_isfunction(L, -1)) return -1;
    push_m(L);
    lua_pushvalue(L, 3);
    int args = 2;
    for (int i = 0; i < 3 && k->args[i]; i++, args++) lua_getfield(L, 2, k->args[i]);
    return args;
}

static int turn_body(lua_State *L)                                // 1: the step
{
    struct match_step *s = lua_touserdata(L, 1);
    struct match *m = s->m;
    luajson_read_or_raise(L, s->json, s->json_len, "the record");               // 2: the record
    canon_read(L, m->state.data, m->state.len);                   // 3: the state
    set_clock(L, 2, s);
    lua_getfield(L, 2, "kind");                                   // 4
    const char *kind = luaL_checkstring(L, 4);
    m->phase = MATCH_ACTS;
    int args = push_turn(L, kind);
    if (args < 0 && strcmp(kind, "input") == 0) {
        fr_buf_clear(&m->worker->fault);
        fr_buf_add(&m->worker->fault, "{\"ok\":false,\"code\":\"unknown_input\"}");
        s->outcome = STEP_REFUSED;
        return 0;
    }
    if (args >= 0) {
        lua_call(L, args, 3);
        if (take_refusal(L, m)) {
            s->outcome = STEP_REFUSED;
            return 0;
        }
    }
    prepare_commit(L, m, 3);
    return 0;
}

static int bot_body(lua_State *L)                                 // 1: the step
{
    struct match_step *s = lua_touserdata(L, 1);
    struct match *m = s->m;
    struct fr_buf *out = &m->worker->fault;
    struct luajson_error e;
    luajson_read_or_raise(L, s->json, s->json_len, "the bot's question");
    canon_read(L, m->state.data, m->state.len);                   // a copy: what the bot does to it is dropped
    set_clock(L, 2, s);
    m->phase = MATCH_THINKS;
    push_handler(L, "bot");
    s->outcome = STEP_NOTHING;
    if (!lua_isfunction(L, -1)) return 0;
    push_m(L);
    lua_pushvalue(L, 3);
    lua_getfield(L, 2, "seat");
    lua_call(L, 3, 2);
    if (lua_isnil(L, -2)) return 0;
    if (lua_type(L, -2) != LUA_TSTRING) return luaL_error(L, "bot must return the name of an input and its arguments, got %s", luaL_typename(L, -2));
    fr_buf_clear(out);
    fr_buf_add(out, "{\"ok\":true,\"name\":");
    fr_buf_add_json_text(out, lua_tostring(L, -2));
    fr_buf_add(out, ",\"args\":");
    if (lua_isnil(L, -1)) fr_buf_add(out, "{}");
    else if (!luajson_write(L, -1, true, out, &e)) return luaL_error(L, "the bot's arguments must be plain data: args%s: %s", e.path, e.text);
    fr_buf_add_char(out, '}');
    s->outcome = STEP_DONE;
    return 0;
}

// Runs while the stack still shows where: the error becomes JSON in w->fault here.
static int step_on_error(lua_State *L)
{
    worker_fault(worker_of(L), turn_tripped(), LUA_ERRRUN, L, L);
    return 1;
}

// ---- outside Lua

void match_free(struct match *m)
{
    vm_close(&m->vm);
    m->worker->heap.used -= m->state_counted;
    fr_buf_free(&m->state);
    fr_free(m);
}

void match_close(struct worker *w, uint32_t slot)
{
    if (slot >= MATCHES_PER_WORKER_MAX || !w->matches[slot]) return;
    match_free(w->matches[slot]);
    w->matches[slot] = NULL;
}

enum frame_status match_run_step(struct match *m, struct match_step *s, lua_CFunction body, uint32_t id)
{
    struct worker *w = m->worker;
    lua_State *L = m->vm.L;
    fr_buf_clear(&w->fault);
    fr_buf_clear(&w->effects);
    fr_buf_add_char(&w->effects, '[');
    m->effect_count = 0;
    m->ending = false;
    s->m = m;
    turn_begin(L, id);
    lua_settop(L, 0);
    lua_pushcfunction(L, step_on_error);
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, s);
    int status = lua_pcall(L, 1, 0, 1);
    if (status == LUA_ERRMEM) turn_trip_memory();
    enum turn_trip trip = turn_end();
    enum frame_status outcome = FRAME_OK;
    if (trip || status != LUA_OK) {
        if (trip == TRIP_MEMORY || w->fault.len == 0) outcome = worker_fault(w, trip, status, L, NULL);
        else outcome = trip ? FRAME_TRIPPED_CPU : FRAME_RAISED;
    } else if (s->outcome == STEP_REFUSED) {
        outcome = FRAME_REFUSED;
    }
    lua_settop(L, 0);
    m->phase = MATCH_RESTS;
    return outcome;
}

void match_state_swap(struct match *m)
{
    struct worker *w = m->worker;
    struct fr_buf old = m->state;
    m->state = w->state;                              // the old bytes' memory is the next turn's scratch
    w->state = old;
    w->heap.used = w->heap.used - m->state_counted + m->state.cap;
    m->state_counted = m->state.cap;
}

static void commit(struct match *m, const struct match_step *s)
{
    match_state_swap(m);
    m->tick_no = s->tick_no;
    m->ended = m->ended || m->ending;
}

void match_hash_text(const struct match *m, char hex[SHA256_HEX_BYTES])
{
    uint8_t rest[9], sum[SHA256_BYTES];
    struct fr_sha256 sha;
    for (int i = 0; i < 8; i++) rest[i] = (uint8_t)(m->stream.next >> 8 * i);
    rest[8] = m->ended;
    fr_sha256_init(&sha);
    fr_sha256_add(&sha, m->state.data, m->state.len);
    fr_sha256_add(&sha, rest, sizeof rest);
    fr_sha256_end(&sha, sum);
    fr_hex(sum, sizeof sum, hex);
}

static void reply_sections(struct match *m, uint32_t id)
{
    struct worker *w = m->worker;
    struct frame f = { .kind = FRAME_TURN, .id = id, .ref = m->slot, .status = FRAME_OK };
    char hex[SHA256_HEX_BYTES];
    size_t mark = frame_begin(&w->out, &f), at = 0;
    fr_buf_add_char(&w->effects, ']');
    match_hash_text(m, hex);
    frame_section(&w->out, "{\"ok\":true}", strlen("{\"ok\":true}"));
    frame_section(&w->out, w->effects.data, w->effects.len);
    frame_section(&w->out, hex, SHA256_HEX_BYTES - 1);
    for (int i = 0; i < m->seats + m->spectated; at = m->view_end[i++]) frame_section(&w->out, w->views.data + at, m->view_end[i] - at);
    frame_end(&w->out, mark);
}

void match_reply_one(struct worker *w, uint32_t id, uint32_t slot, enum frame_status status, const char *json, size_t len)
{
    struct frame f = { .kind = FRAME_TURN, .id = id, .ref = slot, .status = (uint8_t)status };
    size_t mark = frame_begin(&w->out, &f);
    frame_section(&w->out, json, len);
    frame_end(&w->out, mark);
}

void match_reply_text(struct worker *w, const struct frame *f, enum frame_status status, const char *code, const char *detail)
{
    fr_buf_clear(&w->fault);
    fault_write_text(&w->fault, code, detail);
    match_reply_one(w, f->id, f->ref, status, w->fault.data, w->fault.len);
}

enum fr_status match_vm_open(struct match *m, struct fr_err *err)
{
    struct worker *w = m->worker;
    size_t cap = w->heap.cap / 4 > MATCH_HEAP_BYTES_MIN ? w->heap.cap / 4 : MATCH_HEAP_BYTES_MIN;
    uint8_t seed[SHA256_BYTES];
    fr_hmac_sha256(m->stream.key, SHA256_BYTES, "seed", 4, seed);           // the same in every replay, unknown to players until the end
    FR_TRY(vm_open(&m->vm, &w->heap, cap, true, (uint32_t)seed[0] | (uint32_t)seed[1] << 8 | (uint32_t)seed[2] << 16 | (uint32_t)seed[3] << 24, err));
    m->vm.worker = w;
    m->vm.match = m;
    return FR_OK;
}

struct match *match_new(struct worker *w, uint32_t slot, const uint8_t *key, struct fr_err *err)
{
    struct match *m = fr_alloc(sizeof *m);
    if (!m) return NULL;
    m->worker = w;
    m->slot = slot;
    fr_buf_init(&m->state, MATCH_STATE_BYTES_MAX);
    stream_open(&m->stream, key);
    if (match_vm_open(m, err) == FR_OK) return m;
    match_free(m);
    return NULL;
}

bool match_open(struct worker *w, const struct frame *f)
{
    struct frame_cursor c;
    struct match_step s = { .outcome = STEP_DONE };
    struct fr_err err = { .text = "no memory for a match" };
    const char *key;
    size_t key_len;
    frame_sections(f, &c);
    if (!frame_take(&c, &s.json, &s.json_len) || !frame_take(&c, &key, &key_len) || key_len != SHA256_BYTES || f->ref >= MATCHES_PER_WORKER_MAX) return false;
    match_close(w, f->ref);
    if (!w->loaded) {
        match_reply_text(w, f, FRAME_RAISED, "plugin_error", "nothing is loaded");
        return true;
    }
    struct match *m = match_new(w, f->ref, (const uint8_t *)key, &err);
    if (!m) {
        match_reply_text(w, f, FRAME_TRIPPED_MEMORY, "memory_limit", err.text);
        return true;
    }
    m->phase = MATCH_ACTS;
    enum frame_status outcome = match_run_step(m, &s, open_body, f->id);
    if (outcome != FRAME_OK) {
        match_reply_one(w, f->id, f->ref, outcome, w->fault.data, w->fault.len);
        match_free(m);
        return true;
    }
    w->matches[f->ref] = m;
    commit(m, &s);
    reply_sections(m, f->id);
    vm_rest(&m->vm);
    return true;
}

static struct match *match_of(struct worker *w, const struct frame *f, struct match_step *s, bool *broken)
{
    struct frame_cursor c;
    frame_sections(f, &c);
    *broken = !frame_take(&c, &s->json, &s->json_len);
    if (*broken) return NULL;
    struct match *m = f->ref < MATCHES_PER_WORKER_MAX ? w->matches[f->ref] : NULL;
    if (!m) match_reply_text(w, f, FRAME_RAISED, "match_unknown", "no match is open in this slot");
    else s->tick_no = m->tick_no;
    return m;
}

static void turn_failed(struct match *m, const struct frame *f, enum frame_status outcome)
{
    struct worker *w = m->worker;
    match_reply_one(w, f->id, f->ref, outcome, w->fault.data, w->fault.len);
    if (outcome == FRAME_TRIPPED_CPU || outcome == FRAME_TRIPPED_MEMORY) match_close(w, f->ref);
    else vm_rest(&m->vm);
}

bool match_turn(struct worker *w, const struct frame *f)
{
    struct match_step s = { .outcome = STEP_DONE };
    bool broken;
    struct match *m = match_of(w, f, &s, &broken);
    if (!m) return !broken;
    if (m->ended) {
        static const char ended[] = "{\"ok\":false,\"code\":\"match_ended\"}";
        match_reply_one(w, f->id, f->ref, FRAME_REFUSED, ended, sizeof ended - 1);
        return true;
    }
    struct stream before = m->stream;
    enum frame_status outcome = match_run_step(m, &s, turn_body, f->id);
    if (outcome != FRAME_OK) {
        m->stream = before;
        turn_failed(m, f, outcome);
        return true;
    }
    commit(m, &s);
    reply_sections(m, f->id);
    vm_rest(&m->vm);
    return true;
}

// A bot draws from a stream of its own: with the match's it would see the next cards.
static void bot_stream(struct match *m)
{
    uint8_t key[SHA256_BYTES], message[12] = { 'b', 'o', 't', ':' };
    for (int i = 0; i < 8; i++) message[4 + i] = (uint8_t)(m->stream.next >> 8 * i);
    fr_hmac_sha256(m->stream.key, SHA256_BYTES, message, sizeof message, key);
    stream_open(&m->stream, key);
}

bool match_bot(struct worker *w, const struct frame *f)
{
    static const char nothing[] = "{\"ok\":false}";
    struct match_step s = { .outcome = STEP_DONE };
    bool broken;
    struct match *m = match_of(w, f, &s, &broken);
    if (!m) return !broken;
    if (m->ended) {
        match_reply_one(w, f->id, f->ref, FRAME_OK, nothing, sizeof nothing - 1);
        return true;
    }
    struct stream before = m->stream;
    bot_stream(m);
    enum frame_status outcome = match_run_step(m, &s, bot_body, f->id);
    m->stream = before;
    if (outcome != FRAME_OK) {
        turn_failed(m, f, outcome);
        return true;
    }
    if (s.outcome == STEP_DONE) match_reply_one(w, f->id, f->ref, FRAME_OK, w->fault.data, w->fault.len);
    else match_reply_one(w, f->id, f->ref, FRAME_OK, nothing, sizeof nothing - 1);
    vm_rest(&m->vm);
    return true;
}
