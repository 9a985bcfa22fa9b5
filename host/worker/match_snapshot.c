// match_snapshot.c — a match handed to the host as bytes, and made again from them.
//
// What a match is between turns: its state, the stream's position, the number of the last tick, whether it has ended. Everything else
// follows from the setup. After a snapshot the Lua state is a new one, so that a game that hid something in a local cannot have it
// in the live match and miss it in a restored one.
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "base/json.h"
#include "base/hex.h"
#include "worker/canon.h"
#include "worker/match_steps.h"

static int load_body(lua_State *L)                                // 1: the step
{
    match_load(L, lua_touserdata(L, 1));
    return 0;
}

static enum frame_status snapshot_renew(struct match *m, struct match_step *s, uint32_t id)
{
    struct fr_err err;
    vm_close(&m->vm);
    if (match_vm_open(m, &err) == FR_OK) return match_run_step(m, s, load_body, id);
    fr_buf_clear(&m->worker->fault);
    fr_buf_add(&m->worker->fault, "{\"code\":\"memory_limit\",\"detail\":\"no memory for a match's new Lua state\"}");
    return FRAME_TRIPPED_MEMORY;
}

bool match_snapshot(struct worker *w, const struct frame *f)
{
    struct match_step s = { .outcome = STEP_DONE };
    struct frame_cursor c;
    frame_sections(f, &c);
    if (!frame_take(&c, &s.json, &s.json_len)) return false;
    struct match *m = f->ref < MATCHES_PER_WORKER_MAX ? w->matches[f->ref] : NULL;
    if (!m) {
        match_reply_text(w, f, FRAME_RAISED, "match_unknown", "no match is open in this slot");
        return true;
    }
    enum frame_status outcome = snapshot_renew(m, &s, f->id);
    if (outcome != FRAME_OK) {
        match_reply_one(w, f->id, f->ref, outcome, w->fault.data, w->fault.len);
        match_close(w, f->ref);
        return true;
    }
    struct frame reply = { .kind = FRAME_TURN, .id = f->id, .ref = f->ref, .status = FRAME_OK };
    char hex[SHA256_HEX_BYTES], head[120];
    int len = snprintf(head, sizeof head, "{\"next\":\"%llu\",\"tick_no\":%lld,\"ended\":%s}", (unsigned long long)m->stream.next, (long long)m->tick_no, m->ended ? "true" : "false");
    match_hash_text(m, hex);
    size_t mark = frame_begin(&w->out, &reply);
    frame_section(&w->out, head, (size_t)len);
    frame_section(&w->out, m->state.data, m->state.len);
    frame_section(&w->out, hex, SHA256_HEX_BYTES - 1);
    frame_end(&w->out, mark);
    vm_rest(&m->vm);
    return true;
}

// ---- and back

struct restore { struct match_step step; const char *state; size_t state_len; };      // the step first

static int restore_body(lua_State *L)                             // 1: the restore
{
    struct restore *r = lua_touserdata(L, 1);
    struct match *m = r->step.m;
    struct worker *w = m->worker;
    struct luajson_error e;
    match_load(L, &r->step);
    lua_settop(L, 2);
    canon_read(L, r->state, r->state_len);                        // 3
    fr_buf_clear(&w->state);
    if (!lua_istable(L, 3) || !canon_write(L, 3, &w->state, &e) || w->state.len != r->state_len || memcmp(w->state.data, r->state, r->state_len) != 0)
        return luaL_error(L, "the snapshot's state is not in canonical form");
    return 0;
}

static bool restore_head(struct match *m, const char *text, size_t len)
{
    struct fr_err err;
    FR_AUTO(fr_json) head = NULL;
    const char *next;
    int64_t tick_no;
    char *end;
    if (fr_json_parse(text, len, &head, &err) != FR_OK || fr_json_need_text(head, "next", 1, 20, &next, &err) != FR_OK ||
        fr_json_need_int(head, "tick_no", 0, INT64_C(1) << 53, &tick_no, &err) != FR_OK) return false;
    m->stream.next = strtoull(next, &end, 10);
    m->tick_no = tick_no;
    m->ended = fr_json_is_true(fr_json_get(head, "ended"));
    return *end == '\0';
}

bool match_restore(struct worker *w, const struct frame *f)
{
    struct restore r = { .step.outcome = STEP_DONE };
    struct frame_cursor c;
    struct fr_err err = { .text = "no memory for a match" };
    const char *key, *head;
    size_t key_len, head_len;
    frame_sections(f, &c);
    if (!frame_take(&c, &r.step.json, &r.step.json_len) || !frame_take(&c, &key, &key_len) || !frame_take(&c, &head, &head_len) ||
        !frame_take(&c, &r.state, &r.state_len) || key_len != SHA256_BYTES || f->ref >= MATCHES_PER_WORKER_MAX) return false;
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
    if (!restore_head(m, head, head_len)) {
        match_free(m);
        match_reply_text(w, f, FRAME_RAISED, "snapshot_damaged", "the snapshot's head is unreadable");
        return true;
    }
    enum frame_status outcome = match_run_step(m, &r.step, restore_body, f->id);
    if (outcome != FRAME_OK) {
        match_reply_one(w, f->id, f->ref, outcome, w->fault.data, w->fault.len);
        match_free(m);
        return true;
    }
    w->matches[f->ref] = m;
    match_state_swap(m);
    char hex[SHA256_HEX_BYTES];
    struct frame reply = { .kind = FRAME_TURN, .id = f->id, .ref = f->ref, .status = FRAME_OK };
    match_hash_text(m, hex);
    size_t mark = frame_begin(&w->out, &reply);
    frame_section(&w->out, "{\"ok\":true}", strlen("{\"ok\":true}"));
    frame_section(&w->out, hex, SHA256_HEX_BYTES - 1);
    frame_end(&w->out, mark);
    vm_rest(&m->vm);
    return true;
}
