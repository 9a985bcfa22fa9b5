// source.h — a plugin's Lua files inside the worker: compiled once, loaded into each state from our own bytecode, quoted in errors.
//
// A file "rules.lua" of plugin "duel" is the module "rules" and "duel.rules"; "lib/deck.lua" is "lib.deck" and "duel.lib.deck".
// The plugin itself can never load bytecode: only dumps made here are, and only here.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <lua.h>
#include "base/buf.h"
#include "base/limits.h"

struct source { char name[100], chunk[102]; char *text; size_t len; struct fr_buf code; };
struct sources { char plugin[PLUGIN_ID_BYTES_MAX + 1]; struct source *files; int count; struct fr_buf prelude_frond, prelude_match, prelude_tools; };

// Copies a file in. False when there are too many, the name is too long, or there is no memory.
bool source_add(struct sources *s, const char *name, size_t name_len, const char *text, size_t len);
void source_free(struct sources *s);
// Compiles every file, and our own preludes, in L. False with the message (a syntax error, with its place) on the stack. Raises for lack of memory only.
bool source_compile(struct sources *s, lua_State *L);
// NULL when there is none. source_push pushes the file's chunk, ready to be called.
const struct source *source_find_module(const struct sources *s, const char *module);
const struct source *source_find_file(const struct sources *s, const char *name, size_t len);
void source_push(const struct source *file, lua_State *L);
void source_push_prelude(const struct fr_buf *code, lua_State *L);
// `require`, looking at vm_of(L)->worker's sources; `frond` must be in the registry under source_frond_key.
void source_open_require(lua_State *L, const struct sources *s);     // the frond table is on top; it is popped
// Three lines around line `line`, that line marked.
void source_quote(const struct source *file, int line, struct fr_buf *out);
