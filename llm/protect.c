// protect.c — one walk that cuts a text into what is translated and what is kept; another that puts it together.
#include "llm/protect.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"

#define OPEN "\xe2\x9f\xa6"
#define CLOSE "\xe2\x9f\xa7"
#define MARK_BYTES 3
#define PIECE_BYTES_MAX 1000               // longer ones are no placeholders

struct piece { char *text; int closes; };      // text: what stands there in the end. closes: the piece whose tag this one ends, or -1
struct llm_protected { int count; struct piece of[LLM_PROTECTED_MAX]; char *kept[LLM_PROTECTED_MAX]; };      // kept: as in the source, for finding what a tag closes

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_' || (unsigned char)c >= 0x80; }

// ---- what is kept: each gives its length at `at`, or 0

static size_t braces(const char *at)
{
    int depth = 0;
    for (size_t i = 0; at[i] && i < 200; i++) {
        if (at[i] == '\n' || at[i] == '<' || at[i] == '"') return 0;
        if (at[i] == '{') depth++;
        if (at[i] == '}' && --depth == 0) return i + 1;
    }
    return 0;
}

static size_t percent(const char *at)
{
    size_t i = 1;
    if (at[1] == '%') return 2;
    if (at[1] == '(') { while (at[i] && at[i] != ')' && i < 60) i++; if (at[i] != ')') return 0; i++; }
    while (is_digit(at[i])) i++;
    if (at[i] == '$') i++;
    while (at[i] && strchr("-+#0", at[i])) i++;
    while (is_digit(at[i]) || at[i] == '*') i++;
    if (at[i] == '.') { i++; while (is_digit(at[i]) || at[i] == '*') i++; }
    while (at[i] && strchr("hlLzjt", at[i])) i++;
    bool conversion = at[i] && strchr("diouxXeEfgGcspn@", at[i]);
    return conversion && !is_word(at[i + 1]) ? i + 1 : 0;
}

static size_t tag(const char *at)
{
    size_t i = 1;
    char quote = 0;
    if (at[i] == '/') i++;
    if (!is_letter(at[i]) && at[i] != '!') return 0;
    for (; at[i] && i < PIECE_BYTES_MAX; i++) {
        if (quote) { if (at[i] == quote) quote = 0; continue; }
        if (at[i] == '"' || at[i] == '\'') quote = at[i];
        else if (at[i] == '>') return i + 1;
        else if (at[i] == '<') return 0;
    }
    return 0;
}

static size_t entity(const char *at)
{
    size_t i = 1;
    while (is_letter(at[i]) || is_digit(at[i]) || at[i] == '#') i++;
    return at[i] == ';' && i > 1 && i < 12 ? i + 1 : 0;
}

static size_t address(const char *at)
{
    if (strncmp(at, "http://", 7) != 0 && strncmp(at, "https://", 8) != 0) return 0;
    size_t len = strcspn(at, " \t\r\n\"<>");
    while (len > 8 && strchr(".,;:!?)", at[len - 1])) len--;
    return len < PIECE_BYTES_MAX ? len : 0;
}

static size_t own_token(const char *at)
{
    size_t i = MARK_BYTES;
    if (strncmp(at, OPEN, MARK_BYTES) != 0) return 0;
    while (is_digit(at[i])) i++;
    return strncmp(at + i, CLOSE, MARK_BYTES) == 0 ? i + MARK_BYTES : MARK_BYTES;       // a lone mark too: nothing of ours may stand in the text
}

static size_t kept_at(const char *at)
{
    size_t n = 0;
    switch (*at) {
    case '{': return braces(at);
    case '$': n = at[1] == '{' ? braces(at + 1) : 0; return n ? n + 1 : 0;
    case '%': return percent(at);
    case '<': return tag(at);
    case '&': return entity(at);
    case 'h': return address(at);
    case '\xe2': n = own_token(at); return n ? n : strncmp(at, CLOSE, MARK_BYTES) == 0 ? MARK_BYTES : 0;
    default: return 0;
    }
}

// The longest glossary term that stands here as a whole word. Where a letter of another script follows (Korean particles), the word ends too.
static const struct fr_json *term_at(const struct fr_json *glossary, const char *text, const char *at, size_t *len)
{
    const struct fr_json *best = NULL;
    *len = 0;
    for (const struct fr_json *g = fr_json_child(glossary); g; g = fr_json_next(g)) {
        size_t n = strlen(fr_json_key(g));
        if (n <= *len || n == 0 || strncmp(at, fr_json_key(g), n) != 0) continue;
        bool ascii = is_word(*at) && (unsigned char)*at < 0x80, ends_ascii = (unsigned char)at[n - 1] < 0x80;
        if (ascii && at > text && is_word(at[-1]) && (unsigned char)at[-1] < 0x80) continue;
        if (ends_ascii && is_word(at[n - 1]) && is_word(at[n]) && (unsigned char)at[n] < 0x80) continue;
        best = g;
        *len = n;
    }
    return best;
}

// ---- out

static void find_opener(struct llm_protected *p, int no)
{
    const char *mine = p->kept[no];
    p->of[no].closes = -1;
    if (mine[0] != '<' || mine[1] != '/') return;
    size_t len = strcspn(mine + 2, " >");
    for (int i = no - 1; i >= 0; i--) {
        const char *other = p->kept[i];
        bool taken = false;
        if (other[0] != '<' || strncmp(other + 1, mine + 2, len) != 0 || !strchr(" >/", other[1 + len])) continue;
        for (int j = i + 1; j < no; j++) taken = taken || p->of[j].closes == i;
        if (taken) continue;
        p->of[no].closes = i;
        return;
    }
}

static enum fr_status keep(struct llm_protected *p, const char *at, size_t len, const char *restored, struct fr_buf *out, struct fr_err *err)
{
    if (p->count == LLM_PROTECTED_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "bad_arguments", "the text has over %d placeholders and terms", LLM_PROTECTED_MAX);
    int no = p->count;
    p->kept[no] = fr_strndup(at, len);
    p->of[no].text = restored ? fr_strndup(restored, strlen(restored)) : fr_strndup(at, len);
    p->count++;
    if (!p->kept[no] || !p->of[no].text) return FR_FAIL(err, FR_E_NOMEM, "no memory for a translation");
    find_opener(p, no);
    fr_buf_addf(out, OPEN "%d" CLOSE, no + 1);
    return FR_OK;
}

static enum fr_status protect_all(struct llm_protected *p, const char *text, const struct fr_json *glossary, struct fr_buf *out, struct fr_err *err)
{
    for (const char *at = text; *at; ) {
        size_t len = kept_at(at);
        const struct fr_json *term = len ? NULL : term_at(glossary, text, at, &len);
        if (!len) { fr_buf_add_char(out, *at++); continue; }
        FR_TRY(keep(p, at, len, term ? fr_json_text(term) : NULL, out, err));
        at += len;
    }
    return fr_buf_check(out, "the text", err);
}

enum fr_status llm_protect(const char *text, const struct fr_json *glossary, struct llm_protected **ret, struct fr_buf *out, struct fr_err *err)
{
    struct llm_protected *p = fr_alloc(sizeof *p);
    if (!p) return FR_FAIL(err, FR_E_NOMEM, "no memory for a translation");
    enum fr_status st = protect_all(p, text, glossary, out, err);
    if (st == FR_OK) *ret = p;
    else llm_protected_free(p);
    return st;
}

int llm_protected_count(const struct llm_protected *p) { return p->count; }

void llm_protected_free(struct llm_protected *p)
{
    if (!p) return;
    for (int i = 0; i < p->count; i++) { fr_free(p->kept[i]); fr_free(p->of[i].text); }
    fr_free(p);
}

// ---- back

// The token at `at`: its number from 0, and its length; -1 when none is there.
static int token_at(const char *at, size_t *len)
{
    if (strncmp(at, OPEN, MARK_BYTES) != 0) return -1;
    size_t i = MARK_BYTES;
    int no = 0;
    while (is_digit(at[i]) && i < MARK_BYTES + 6) no = no * 10 + (at[i++] - '0');
    if (i == MARK_BYTES || strncmp(at + i, CLOSE, MARK_BYTES) != 0) return -1;
    *len = i + MARK_BYTES;
    return no - 1;
}

enum fr_status llm_protected_check(const struct llm_protected *p, const char *text, struct fr_err *err)
{
    int seen[LLM_PROTECTED_MAX] = { 0 }, open[LLM_PROTECTED_MAX], depth = 0;
    bool opener[LLM_PROTECTED_MAX] = { false };
    for (int i = 0; i < p->count; i++) if (p->of[i].closes >= 0) opener[p->of[i].closes] = true;
    for (const char *at = text; *at; ) {
        size_t len;
        int no = token_at(at, &len);
        if (no < 0) {
            if (strncmp(at, OPEN, MARK_BYTES) == 0 || strncmp(at, CLOSE, MARK_BYTES) == 0) return FR_FAIL(err, FR_E_INVALID, "there is a broken token: each is " OPEN "number" CLOSE);
            at++;
            continue;
        }
        if (no >= p->count) return FR_FAIL(err, FR_E_INVALID, "the token " OPEN "%d" CLOSE " was not in the text", no + 1);
        if (seen[no]++) return FR_FAIL(err, FR_E_INVALID, "the token " OPEN "%d" CLOSE " stands there more than once", no + 1);
        if (opener[no]) open[depth++] = no;
        else if (p->of[no].closes >= 0 && (depth == 0 || open[--depth] != p->of[no].closes))
            return FR_FAIL(err, FR_E_INVALID, "the token " OPEN "%d" CLOSE " ends what " OPEN "%d" CLOSE " begins: keep them around the same words", no + 1, p->of[no].closes + 1);
        at += len;
    }
    for (int i = 0; i < p->count; i++) if (!seen[i]) return FR_FAIL(err, FR_E_INVALID, "the token " OPEN "%d" CLOSE " is missing", i + 1);
    return FR_OK;
}

void llm_protected_restore(const struct llm_protected *p, const char *text, struct fr_buf *out)
{
    for (const char *at = text; *at; ) {
        size_t len;
        int no = token_at(at, &len);
        if (no < 0 || no >= p->count) { fr_buf_add_char(out, *at++); continue; }
        fr_buf_add(out, p->of[no].text);
        at += len;
    }
}
