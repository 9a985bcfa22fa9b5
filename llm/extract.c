// extract.c — generous about form, strict about meaning.
#include "llm/extract.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/utf8.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_dressing(char c) { return c == ' ' || c == '\t' || c == '"' || c == '\'' || c == '*' || c == '_' || c == '`' || c == '(' || c == ')' || c == '[' || c == ']' || c == '$'; }

bool llm_extract_final(const char *text, char out[LLM_ANSWER_WORD_BYTES])
{
    static const char *const marks[] = { "answer:", "answer is:", "\xeb\x8b\xb5:", "\xeb\x8b\xb5 :" };      // 답: also ends 정답:
    const char *last = NULL;
    for (const char *at = text; *at; at++)
        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
            if (strncasecmp(at, marks[i], strlen(marks[i])) == 0) last = at + strlen(marks[i]);
    if (!last) return false;
    while (is_dressing(*last)) last++;
    size_t len = strcspn(last, "\r\n");
    while (len && is_dressing(last[len - 1])) len--;
    if (len >= LLM_ANSWER_WORD_BYTES) len = fr_utf8_cut(last, LLM_ANSWER_WORD_BYTES - 1);
    snprintf(out, LLM_ANSWER_WORD_BYTES, "%.*s", (int)len, last);
    return len > 0;
}

// A number from `at`, with thousands' commas. Returns where it ends, or NULL.
static const char *read_number(const char *at, double *ret)
{
    char digits[64];
    size_t n = 0;
    const char *c = at;
    if (*c == '-' || *c == '+') digits[n++] = *c++;
    if (!is_digit(*c) && !(*c == '.' && is_digit(c[1]))) return NULL;
    for (; n < sizeof digits - 1; c++) {
        if (is_digit(*c) || (*c == '.' && is_digit(c[1]) && !memchr(digits, '.', n))) digits[n++] = *c;
        else if (*c != ',' || !is_digit(c[1]) || !is_digit(c[2]) || !is_digit(c[3]) || is_digit(c[4])) break;
    }
    digits[n] = 0;
    *ret = strtod(digits, NULL);
    return c;
}

bool llm_extract_number(const char *text, double *ret)
{
    bool found = false;
    for (const char *at = text; *at; ) {
        double x;
        bool inside = at > text && (is_letter(at[-1]) || is_digit(at[-1]));
        const char *end = inside ? NULL : read_number(at, &x);
        if (!end || (at > text && *at == '-' && is_digit(at[-1]))) { at++; continue; }
        *ret = x;
        found = true;
        at = end;
    }
    return found;
}

void llm_extract_normal(const char *text, char out[LLM_ANSWER_WORD_BYTES])
{
    size_t n = 0;
    bool gap = false;
    char whole[LLM_ANSWER_WORD_BYTES];
    while (is_dressing(*text) || *text == '\n' || *text == '\r') text++;
    for (const char *c = text; *c && n < LLM_ANSWER_WORD_BYTES - 5; c++) {
        if (*c == ' ' || *c == '\t' || *c == '\n' || *c == '\r') { gap = n > 0; continue; }
        if (*c == '"' || *c == '*' || *c == '`' || *c == '(' || *c == ')' || *c == '[' || *c == ']' || *c == '$') continue;
        if (gap) whole[n++] = ' ';
        gap = false;
        whole[n++] = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    }
    n = fr_utf8_cut(whole, n);
    while (n && (whole[n - 1] == '.' || whole[n - 1] == '!' || whole[n - 1] == ',' || whole[n - 1] == ':')) n--;
    whole[n] = 0;
    double x;
    const char *end = read_number(whole, &x);
    if (end && *end == 0 && isfinite(x)) snprintf(out, LLM_ANSWER_WORD_BYTES, "%.12g", x);
    else memcpy(out, whole, n + 1);
}

char llm_extract_choice(const char *text)
{
    char last = 0, final[LLM_ANSWER_WORD_BYTES];
    if (llm_extract_final(text, final)) text = final;
    while (is_dressing(*text)) text++;
    if (is_letter(*text) && !is_letter(text[1]) && (*text >= 'A') && text[1] != ' ' && text[1] != '\'') return (char)(*text & ~0x20);      // "B", "B.", "b)"
    for (const char *at = text; *at; at++) {                     // else the last capital that stands alone
        bool alone = *at >= 'A' && *at <= 'Z' && (at == text || (!is_letter(at[-1]) && !is_digit(at[-1]))) && !is_letter(at[1]) && at[1] != '\'';
        if (alone && !(*at == 'I' && at[1] == ' ') && !(*at == 'A' && at[1] == ' ' && is_letter(at[2]))) last = *at;
    }
    return last;
}

bool llm_score(const char *kind, const char *got, const char *want, bool *known)
{
    char a[LLM_ANSWER_WORD_BYTES], b[LLM_ANSWER_WORD_BYTES];
    *known = true;
    if (strcmp(kind, "exact") == 0) {
        llm_extract_normal(got, a);
        llm_extract_normal(want, b);
        return strcmp(a, b) == 0;
    }
    if (strcmp(kind, "contains") == 0) {
        size_t len = strlen(want);
        for (; *got; got++) if (strncasecmp(got, want, len) == 0) return true;
        return false;
    }
    if (strcmp(kind, "numeric") == 0) {
        double x, y;
        char final[LLM_ANSWER_WORD_BYTES];
        if (llm_extract_final(got, final)) got = final;
        return llm_extract_number(got, &x) && llm_extract_number(want, &y) && fabs(x - y) <= 1e-9 * fmax(1, fabs(y));
    }
    if (strcmp(kind, "choice") == 0) return llm_extract_choice(want) && llm_extract_choice(got) == llm_extract_choice(want);
    *known = false;
    return false;
}
