// filter_json.c — a filter over JSON text: what it says goes through it string by string, and stays JSON. An escape hides nothing, since strings are looked at as they are meant.
#include <string.h>
#include "base/json.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "llm/filter.h"

struct walk {
    struct llm_filter f;
    const char *at, *end;
    struct fr_buf *out;
    int changed, keys_changed;
    bool refused;
};

// ---- a string, as it is meant

static int hex_of(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

// The four digits behind "\u", or -1.
static long unit_at(const char *at, const char *end)
{
    long unit = 0;
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return -1;
    for (int i = 2; i < 6; i++) {
        if (hex_of(at[i]) < 0) return -1;
        unit = unit * 16 + hex_of(at[i]);
    }
    return unit;
}

static void add_code(long code, struct fr_buf *out)
{
    char bytes[4];
    fr_buf_add_bytes(out, bytes, fr_utf8_put((uint32_t)code, bytes));
}

static const char *add_escape(const char *at, const char *end, struct fr_buf *out)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    long high = unit_at(at, end), low = high >= 0xd800 && high < 0xdc00 ? unit_at(at + 6, end) : -1;
    if (low >= 0xdc00 && low < 0xe000) {
        add_code(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), out);
        return at + 12;
    }
    if (high >= 0) {
        add_code(high >= 0xd800 && high < 0xe000 ? 0xfffd : high, out);
        return at + 6;
    }
    if (end - at < 2) return end;
    const char *letter = memchr(letters, at[1], sizeof letters - 1);
    fr_buf_add_char(out, letter ? meant[letter - letters] : at[1]);
    return at + 2;
}

// From behind the quote; *end: the closing one, or the end of all.
static void add_meant(const char *from, const char *limit, const char **end, struct fr_buf *out)
{
    while (from < limit && *from != '"') {
        if (*from == '\\') from = add_escape(from, limit, out);
        else fr_buf_add_char(out, *from++);
    }
    *end = from;
}

// ---- one after the other

static bool is_white(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static bool is_key(const char *behind, const char *end)
{
    while (behind < end && is_white(*behind)) behind++;
    return behind < end && *behind == ':';
}

// True: it became another, in `said`.
static bool becomes_another(struct walk *w, const struct fr_buf *meant, struct fr_buf *said)
{
    bool good = llm_filter_add(&w->f, meant->data ? meant->data : "", meant->len, said);
    if (good) good = llm_filter_end(&w->f, said);
    w->refused = w->refused || !good;
    return said->len != meant->len || (said->len && memcmp(said->data, meant->data, said->len) != 0);
}

static void walk_string(struct walk *w)
{
    const char *end;
    FR_AUTO_BUF(meant); FR_AUTO_BUF(said);
    fr_buf_init(&meant, LLM_ANSWER_BYTES_MAX);
    fr_buf_init(&said, LLM_ANSWER_BYTES_MAX);
    add_meant(w->at + 1, w->end, &end, &meant);
    const char *behind = end < w->end ? end + 1 : end;
    bool key = is_key(behind, w->end);
    llm_filter_between(&w->f, w->at, 1, key);
    if (becomes_another(w, &meant, &said)) {
        w->changed++;
        if (key && ++w->keys_changed > 1) fr_buf_addf(&said, " %d", w->keys_changed);         // two keys are not the same one
        fr_buf_add_json_bytes(w->out, said.data ? said.data : "", said.len);
    } else fr_buf_add_bytes(w->out, w->at, (size_t)(behind - w->at));
    if (meant.failed || said.failed) w->out->failed = true;
    w->at = behind;
}

// A number may be somebody's; what is hidden of it becomes a string.
static void walk_bare(struct walk *w)
{
    const char *end = w->at;
    while (end < w->end && !is_white(*end) && !memchr("{}[]:,\"", *end, 7)) end++;
    FR_AUTO_BUF(said);
    fr_buf_init(&said, LLM_ANSWER_BYTES_MAX);
    struct fr_buf meant = { .data = (char *)w->at, .len = (size_t)(end - w->at) };
    llm_filter_between(&w->f, " ", 1, false);
    if (becomes_another(w, &meant, &said)) {
        w->changed++;
        fr_buf_add_json_bytes(w->out, said.data ? said.data : "", said.len);
    } else fr_buf_add_bytes(w->out, w->at, meant.len);
    w->at = end;
}

// Every string and every other word of it, whether it is JSON as a whole or not. False: a refused word.
static bool walk_all(struct llm_filter_rules *rules, const char *text, size_t len, struct fr_buf *out, int *changed)
{
    struct walk w = { .at = text, .end = text + len, .out = out };
    llm_filter_begin(&w.f, rules);
    while (w.at < w.end && !w.refused) {
        if (*w.at == '"') walk_string(&w);
        else if (is_white(*w.at) || memchr("{}[]:,", *w.at, 6)) {
            if (!is_white(*w.at)) llm_filter_between(&w.f, w.at, 1, false);      // how far what follows is from a word before it is not a matter of blanks
            fr_buf_add_char(out, *w.at++);
        } else walk_bare(&w);
    }
    *changed = w.changed;
    llm_filter_free(&w.f);
    return !w.refused;
}

static bool plain_text(struct llm_filter_rules *rules, const char *text, size_t len, struct fr_buf *out)
{
    struct llm_filter f;
    llm_filter_begin(&f, rules);
    bool good = llm_filter_add(&f, text, len, out) && llm_filter_end(&f, out);
    llm_filter_free(&f);
    return good;
}

bool llm_filter_json(struct llm_filter_rules *rules, const char *text, size_t len, struct fr_buf *out, int64_t *hidden)
{
    struct fr_err none;
    int changed = 0;
    FR_AUTO_BUF(walked); FR_AUTO_BUF(plain);
    fr_buf_init(&walked, 2 * LLM_ANSWER_BYTES_MAX);
    fr_buf_init(&plain, 2 * LLM_ANSWER_BYTES_MAX);
    if (!walk_all(rules, text, len, &walked, &changed)) return false;
    bool json = fr_json_check(text, len, &none) == FR_OK;
    if (!json) {                           // nothing that can be left standing beside what is hidden
        if (!plain_text(rules, text, len, &plain)) return false;
        changed += plain.len != len || (len && memcmp(plain.data, text, len) != 0);
    }
    *hidden += changed;
    if (walked.failed || plain.failed) out->failed = true;
    else if (!changed) fr_buf_add_bytes(out, text, len);
    else if (json) fr_buf_add_bytes(out, walked.data, walked.len);
    else fr_buf_add(out, "\"[hidden]\"");
    return true;
}
