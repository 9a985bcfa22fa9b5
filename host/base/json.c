// json.c — the tree. The scan in json_scan.c decides what is JSON; cJSON then only builds nodes, so its leniencies
// (comments after the end, control characters, duplicate keys, numbers like 01) never show.
#include "base/json.h"
#include <assert.h>
#include <string.h>
#include <cjson/cJSON.h>
#include "base/json_inside.h"
#include "base/limits.h"
#include "base/mem.h"

// A tree is one block of memory: the scan has counted what will be in it, so cJSON's many small allocations are steps through the
// block, and freeing it is one free. cJSON's allocator is global and set before main, so that no thread can be inside it; the block
// being filled is the thread's own. (cJSON also notes the place of its last error in a global at each parse; nobody reads it, but a
// thread checker will name it when two threads parse.)
#define BLOCK_ALIGN 16
static _Thread_local struct { char *at, *end; } block;

static void *block_take(size_t bytes)
{
    size_t needed = (bytes + BLOCK_ALIGN - 1) & ~(size_t)(BLOCK_ALIGN - 1);
    if (needed < bytes || needed > (size_t)(block.end - block.at)) return NULL;
    void *p = block.at;
    block.at += needed;
    return p;
}

static void block_keep(void *p) { (void)p; }             // cJSON gives up half a tree; the block goes as a whole

__attribute__((constructor)) static void json_hook_memory(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){ .malloc_fn = block_take, .free_fn = block_keep });
}

static const cJSON *node(const struct fr_json *v) { return (const cJSON *)v; }
static const struct fr_json *value(const cJSON *n) { return (const struct fr_json *)n; }

// A node for each value; for each spelling its bytes, a NUL and what rounding adds. Meaning is never longer than spelling.
static size_t block_bytes(const struct json_measure *m, size_t len)
{
    _Static_assert(sizeof(cJSON) % BLOCK_ALIGN == 0, "nodes need no rounding");
    return m->values * sizeof(cJSON) + m->spellings * BLOCK_ALIGN + len;
}

enum fr_status fr_json_parse(const char *text, size_t len, struct fr_json **ret, struct fr_err *err)
{
    return fr_json_parse_long(text, len, JSON_TEXT_BYTES_MAX, ret, err);
}

enum fr_status fr_json_parse_long(const char *text, size_t len, size_t bytes_max, struct fr_json **ret, struct fr_err *err)
{
    struct json_measure measure;
    FR_TRY(json_scan(text, len, bytes_max, &measure, err));
    size_t bytes = block_bytes(&measure, len);
    char *memory = fr_realloc(NULL, bytes);              // not zeroed: cJSON clears each node
    block.at = memory;
    block.end = memory ? memory + bytes : NULL;
    cJSON *root = memory ? cJSON_ParseWithLength(text, len) : NULL;
    block.at = block.end = NULL;
    if (!root) {
        fr_free(memory);
        return FR_FAIL(err, FR_E_NOMEM, "no memory for a JSON text of %zu bytes", len);   // the scan found no other reason
    }
    assert((char *)root == memory);                      // cJSON asks for the root first: the tree is freed by it
    *ret = (struct fr_json *)root;
    return FR_OK;
}

void fr_json_free(struct fr_json *root)
{
    fr_free(root);
}

enum fr_json_kind fr_json_kind(const struct fr_json *v)
{
    switch (node(v)->type & 0xFF) {
    case cJSON_NULL:   return JSON_NULL;
    case cJSON_False:
    case cJSON_True:   return JSON_BOOL;
    case cJSON_Number: return JSON_NUMBER;
    case cJSON_String: return JSON_STRING;
    case cJSON_Array:  return JSON_ARRAY;
    }
    assert((node(v)->type & 0xFF) == cJSON_Object);      // raw and invalid nodes do not come from parsing
    return JSON_OBJECT;
}

const char *fr_json_kind_name(enum fr_json_kind kind)
{
    static const char *const names[] = { "null", "boolean", "number", "string", "array", "object" };
    return names[kind];
}

const struct fr_json *fr_json_get(const struct fr_json *object, const char *key)
{
    if (!object || fr_json_kind(object) != JSON_OBJECT) return NULL;
    const cJSON *m = node(object)->child;
    while (m && (m->string[0] != key[0] || strcmp(m->string, key) != 0)) m = m->next;       // most differ in their first letter
    return value(m);
}

const struct fr_json *fr_json_child(const struct fr_json *v) { return v ? value(node(v)->child) : NULL; }
const struct fr_json *fr_json_next(const struct fr_json *v) { return value(node(v)->next); }
const char *fr_json_key(const struct fr_json *member) { return node(member)->string; }
const char *fr_json_text(const struct fr_json *v) { return v && cJSON_IsString(node(v)) ? node(v)->valuestring : NULL; }
double fr_json_number(const struct fr_json *v) { return v && cJSON_IsNumber(node(v)) ? node(v)->valuedouble : 0; }
bool fr_json_is_true(const struct fr_json *v) { return v && cJSON_IsTrue(node(v)); }

int fr_json_size(const struct fr_json *v)
{
    return cJSON_GetArraySize(node(v));
}

static bool members_equal(const struct fr_json *a, const struct fr_json *b)
{
    bool equal = fr_json_size(a) == fr_json_size(b);
    struct json_finder in_b;
    json_finder_open(&in_b, b);
    for (const struct fr_json *m = fr_json_child(a); m && equal; m = fr_json_next(m)) {
        const struct fr_json *twin = json_finder_get(&in_b, fr_json_key(m));
        equal = twin && fr_json_equal(m, twin);
    }
    json_finder_close(&in_b);
    return equal;
}

static bool elements_equal(const struct fr_json *a, const struct fr_json *b)
{
    const struct fr_json *x = fr_json_child(a), *y = fr_json_child(b);
    while (x && y && fr_json_equal(x, y)) {
        x = fr_json_next(x);
        y = fr_json_next(y);
    }
    return !x && !y;
}

bool fr_json_equal(const struct fr_json *a, const struct fr_json *b)
{
    if (fr_json_kind(a) != fr_json_kind(b)) return false;
    switch (fr_json_kind(a)) {
    case JSON_NULL:   return true;
    case JSON_BOOL:   return fr_json_is_true(a) == fr_json_is_true(b);
    case JSON_NUMBER: return fr_json_number(a) == fr_json_number(b);
    case JSON_STRING: return strcmp(fr_json_text(a), fr_json_text(b)) == 0;
    case JSON_ARRAY:  return elements_equal(a, b);
    case JSON_OBJECT: return members_equal(a, b);
    }
    return false;
}
