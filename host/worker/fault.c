// fault.c — Lua puts "file:line: " in front of most messages; when it did not, the innermost Lua frame tells.
#include "worker/fault.h"
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>

#define FAULT_TRACE_LEVELS 12
#define FAULT_DETAIL_BYTES 2000

struct fault { const char *detail; size_t len; const struct source *file; int line; };

static void fault_message(lua_State *L, int idx, struct fault *f, struct fr_buf *number)
{
    if (lua_type(L, idx) == LUA_TSTRING) {
        f->detail = lua_tolstring(L, idx, &f->len);
    } else if (lua_isinteger(L, idx)) {
        fr_buf_add_i64(number, lua_tointeger(L, idx));
        f->detail = number->data;
        f->len = number->len;
    } else {
        fr_buf_addf(number, "an error object that is a %s", luaL_typename(L, idx));
        f->detail = number->data;
        f->len = number->len;
    }
    if (!f->detail) f->detail = "", f->len = 0;
}

// "rules.lua:12: what" -> file, line, "what". Wrapped coroutines put their place in front as well: the innermost one counts.
static bool fault_strip_place(const struct sources *s, struct fault *f)
{
    const char *colon = memchr(f->detail, ':', f->len < 120 ? f->len : 120);
    if (!colon) return false;
    const struct source *file = source_find_file(s, f->detail, (size_t)(colon - f->detail));
    char *end;
    long line = file ? strtol(colon + 1, &end, 10) : 0;
    if (line <= 0 || end[0] != ':' || end[1] != ' ') return false;
    f->file = file;
    f->line = (int)line;
    f->len -= (size_t)(end + 2 - f->detail);
    f->detail = end + 2;
    return true;
}

static void fault_place_from_stack(const struct sources *s, lua_State *stack, struct fault *f)
{
    lua_Debug frame;
    for (int level = 0; lua_getstack(stack, level, &frame); level++) {
        lua_getinfo(stack, "Sl", &frame);
        if (frame.currentline <= 0 || frame.source[0] != '@') continue;
        f->file = source_find_file(s, frame.source + 1, strlen(frame.source + 1));
        f->line = frame.currentline;
        if (f->file) return;
    }
}

static void fault_trace(lua_State *stack, struct fr_buf *out)
{
    lua_Debug frame;
    for (int level = 0, shown = 0; shown < FAULT_TRACE_LEVELS && lua_getstack(stack, level, &frame); level++) {
        lua_getinfo(stack, "Sln", &frame);
        if (frame.currentline <= 0) continue;
        fr_buf_addf(out, "%s%s:%d", shown++ ? "\n" : "", frame.short_src, frame.currentline);
        if (frame.name) fr_buf_addf(out, " in %s", frame.name);
        else if (*frame.what == 'm') fr_buf_add(out, " in main chunk");
    }
}

static void fault_add_text(struct fr_buf *out, const char *name, const struct fr_buf *text)
{
    if (!text->len || text->failed) return;
    fr_buf_addf(out, ",\"%s\":", name);
    fr_buf_add_json_bytes(out, text->data, text->len);
}

void fault_write(struct fr_buf *out, const struct sources *s, lua_State *L, int idx, lua_State *stack, const char *code, const char *detail)
{
    FR_AUTO_BUF(text); FR_AUTO_BUF(quote); FR_AUTO_BUF(trace);
    fr_buf_init(&text, 200);
    fr_buf_init(&quote, 4096);
    fr_buf_init(&trace, 4096);
    struct fault f = { .file = NULL };
    fault_message(L, idx, &f, &text);
    if (text.no_memory) out->failed = true;      // better said than left empty
    while (fault_strip_place(s, &f)) continue;
    if (!f.file && stack) fault_place_from_stack(s, stack, &f);
    if (detail) f.detail = detail, f.len = strlen(detail);
    fr_buf_add(out, "{\"code\":");
    fr_buf_add_json_text(out, code);
    fr_buf_add(out, ",\"detail\":");
    fr_buf_add_json_bytes(out, f.detail, f.len < FAULT_DETAIL_BYTES ? f.len : FAULT_DETAIL_BYTES);
    if (f.file) {
        fr_buf_add(out, ",\"file\":");
        fr_buf_add_json_text(out, f.file->name);
        fr_buf_addf(out, ",\"line\":%d", f.line);
        source_quote(f.file, f.line, &quote);
        fault_add_text(out, "frame", &quote);
    }
    if (stack) fault_trace(stack, &trace);
    fault_add_text(out, "trace", &trace);
    fr_buf_add_char(out, '}');
}

void fault_write_text(struct fr_buf *out, const char *code, const char *detail)
{
    fr_buf_add(out, "{\"code\":");
    fr_buf_add_json_text(out, code);
    fr_buf_add(out, ",\"detail\":");
    fr_buf_add_json_text(out, detail);
    fr_buf_add_char(out, '}');
}
