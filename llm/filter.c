// filter.c — a scanner over held text. At each place every pattern says NO, MATCH of so many bytes, or MORE: what follows decides. MORE holds the text back from there; all else depends on
// what was before only through `before`, so pieces and wholes come to the same text.
#include "llm/filter.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/limits.h"
#include "base/mem.h"

#define WORDS_MAX 256
#define HIDDEN "[hidden]"
enum { HIDE_NOTHING, HIDE_TOKEN, HIDE_PEM };                 // llm_filter.hiding: what is being swallowed

struct llm_filter_rules {
    int refs, word_count;
    bool secrets, personal;
    char words[4096]; const char *word[WORDS_MAX]; size_t word_len[WORDS_MAX];
    bool begins_word[256];                                   // that a refused word begins with, in both cases
};

// ---- rules

struct llm_filter_rules *llm_filter_rules_new(const struct llm_settings *s)
{
    struct llm_filter_rules *r = fr_must_alloc(sizeof *r);
    r->refs = 1;
    r->secrets = s->hide_secrets;
    r->personal = s->hide_personal;
    snprintf(r->words, sizeof r->words, "%s", s->refused_words);
    for (char *at = r->words; *at && r->word_count < WORDS_MAX;) {
        size_t len = strcspn(at, "\n");
        bool more = at[len] != 0;
        at[len] = 0;
        if (len && len < LLM_FILTER_HOLD_BYTES) r->begins_word[(unsigned char)tolower((unsigned char)*at)] = r->begins_word[(unsigned char)toupper((unsigned char)*at)] = true;
        if (len && len < LLM_FILTER_HOLD_BYTES) r->word[r->word_count] = at, r->word_len[r->word_count++] = len;
        at += len + more;
    }
    return r;
}

struct llm_filter_rules *llm_filter_rules_keep(struct llm_filter_rules *r) { r->refs++; return r; }
void llm_filter_rules_drop(struct llm_filter_rules *r) { if (r && --r->refs == 0) fr_free(r); }
bool llm_filter_rules_any(const struct llm_filter_rules *r) { return r->secrets || r->personal || r->word_count > 0; }

// ---- patterns. `s` has `len` bytes; `all`: nothing follows them.

struct place { const char *s; size_t len; bool all; char prev; const char *before; size_t before_len; size_t token; };      // token: how many characters of one it begins with
enum found { NO, MATCH, MORE };

static bool alnum(char c) { return isalnum((unsigned char)c); }
static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool token_char(char c) { return alnum(c) || c == '_' || c == '-'; }
static bool token_dot(char c) { return token_char(c) || c == '.' || c == '/' || c == '+' || c == '='; }
static bool hex_char(char c) { return isxdigit((unsigned char)c); }
static bool word_byte(char c) { return alnum(c) || (unsigned char)c >= 0x80; }

static size_t run_of(const struct place *p, size_t from, bool (*is)(char c))
{
    size_t n = from;
    while (n < p->len && is(p->s[n])) n++;
    return n - from;
}

// A run of so many characters from the place on is over: nothing makes it longer.
static bool token_ends(const struct place *p, size_t n) { return n < p->len || p->all; }

// The beginning of the place is `text`. MORE: it may become so.
static enum found starts(const struct place *p, const char *text, bool any_case)
{
    size_t want = strlen(text), n = p->len < want ? p->len : want;
    if (any_case ? strncasecmp(p->s, text, n) : memcmp(p->s, text, n)) return NO;
    return n == want ? MATCH : p->all ? NO : MORE;
}

// ---- refused words

static enum found find_word(const struct llm_filter_rules *r, const struct place *p)
{
    enum found worst = NO;
    if (!r->begins_word[(unsigned char)p->s[0]]) return NO;
    for (int i = 0; i < r->word_count; i++) {
        size_t len = r->word_len[i];
        if (alnum(r->word[i][0]) && word_byte(p->prev)) continue;
        enum found f = starts(p, r->word[i], true);
        if (f == MATCH && alnum(r->word[i][len - 1])) f = p->len > len ? (alnum(p->s[len]) ? NO : MATCH) : p->all ? MATCH : MORE;
        if (f == MATCH) return MATCH;
        if (f == MORE) worst = MORE;
    }
    return worst;
}

bool llm_filter_refuses(const struct llm_filter_rules *r, const char *text)
{
    if (r->word_count == 0) return false;
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        struct place p = { text + i, len - i, true, i ? text[i - 1] : ' ', NULL, 0, 0 };
        if (find_word(r, &p) == MATCH) return true;
    }
    return false;
}

// ---- secrets

// Prefixes of keys, all of a token's characters, and how many of those stand behind them at least. begins_key has their first characters, KEY_BYTES_LEAST the length of the shortest.
static const struct { const char *prefix; size_t least; } key_prefixes[] = {
    { "sk-", 20 }, { "pk_live_", 16 }, { "sk_live_", 16 }, { "sk_test_", 16 }, { "ghp_", 30 }, { "gho_", 30 }, { "ghs_", 30 }, { "ghu_", 30 }, { "github_pat_", 20 }, { "glpat-", 16 }, { "AKIA", 16 }, { "ASIA", 16 },
    { "AIza", 30 }, { "xoxb-", 16 }, { "xoxp-", 16 }, { "xoxa-", 16 }, { "xoxs-", 16 }, { "hf_", 30 }, { "npm_", 30 }, { "xprv", 80 }, { "frond-", 43 }, { "whsec_", 20 },
};

#define KEY_BYTES_LEAST 20
static const bool begins_key[256] = { ['A'] = true, ['f'] = true, ['g'] = true, ['h'] = true, ['n'] = true, ['p'] = true, ['s'] = true, ['w'] = true, ['x'] = true };

static enum found find_key(const struct place *p)
{
    enum found worst = NO;
    if (!begins_key[(unsigned char)p->s[0]] || (p->token < KEY_BYTES_LEAST && token_ends(p, p->token))) return NO;
    for (size_t i = 0; i < sizeof key_prefixes / sizeof key_prefixes[0]; i++) {
        enum found f = starts(p, key_prefixes[i].prefix, false);
        if (f == MATCH) {
            size_t from = strlen(key_prefixes[i].prefix), n = p->token - from;
            f = n >= key_prefixes[i].least ? MATCH : from + n == p->len && !p->all ? MORE : NO;
        }
        if (f == MATCH) return MATCH;
        if (f == MORE) worst = MORE;
    }
    return worst;
}

static enum found find_jwt(const struct place *p)
{
    enum found f = starts(p, "eyJ", false);
    if (f != MATCH) return f;
    size_t n = p->token;
    if (n == p->len) return p->all || n > LLM_FILTER_HOLD_BYTES ? NO : MORE;
    if (p->s[n] != '.') return NO;
    size_t m = run_of(p, n + 1, token_char);
    if (m >= 8) return MATCH;
    return n + 1 + m == p->len && !p->all ? MORE : NO;
}

// Telegram's: the bot's number, a colon, 35 characters.
static enum found find_bot_token(const struct place *p)
{
    size_t n = run_of(p, 0, digit);
    if (n < 6 || n > 12) return n && n < 6 && n == p->len && !p->all ? MORE : NO;
    if (n == p->len) return p->all ? NO : MORE;
    if (p->s[n] != ':') return NO;
    size_t m = run_of(p, n + 1, token_char);
    if (m >= 35) return MATCH;
    return n + 1 + m == p->len && !p->all ? MORE : NO;
}

static bool before_has(const struct place *p, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= p->before_len; i++) if (strncasecmp(p->before + i, word, len) == 0) return true;
    return false;
}

#define BEARER_BYTES_LEAST 16
// Behind "Bearer", and 43 characters or 64 hex digits behind a word that says what they are. Hashes look the same, and are no secrets.
static enum found find_named(const struct place *p)
{
    size_t n = run_of(p, 0, token_dot), b = p->before_len;
    if (n < BEARER_BYTES_LEAST && token_ends(p, n)) return NO;
    while (b && (p->before[b - 1] == ' ' || p->before[b - 1] == '\t')) b--;
    if (b < p->before_len && b >= 6 && strncasecmp(p->before + b - 6, "bearer", 6) == 0) return n >= BEARER_BYTES_LEAST ? MATCH : n == p->len && !p->all ? MORE : NO;
    size_t x = p->len > 1 && p->s[0] == '0' && (p->s[1] == 'x' || p->s[1] == 'X') ? 2 : 0, h = run_of(p, x, hex_char), t = p->token;
    enum found f = t == p->len && !p->all && t < 43 ? MORE : x == 0 && t >= 43 ? MATCH : x && h >= 64 ? MATCH : t == p->len && !p->all && t < 66 && x ? MORE : NO;
    if (f == NO) return NO;
    if (!before_has(p, "private") && !before_has(p, "secret") && !before_has(p, "seed") && !before_has(p, "token") && !before_has(p, "mnemonic") && !before_has(p, "password")) return NO;
    return f;
}

static enum found find_pem(const struct place *p)
{
    enum found f = starts(p, "-----BEGIN ", false);
    if (f != MATCH) return f;
    for (size_t i = 11; i < p->len && i <= 80; i++) {
        if (p->s[i] == '\n') return NO;
        if (p->len - i >= 16 && memcmp(p->s + i, "PRIVATE KEY-----", 16) == 0) return MATCH;
    }
    return p->all || p->len > 80 + 16 ? NO : MORE;
}

// ---- seed phrases: 12, 15, 18, 21 or 24 words of 3 to 8 small letters and nothing else, none of which is one that every sentence has and no word list of seeds.
static const char *const plain_words[] = { "the", "and", "for", "are", "with", "was", "have", "but", "from", "they", "his", "were", "their", "been", "has", "had", "would", "could", "not", "its" };

static bool plain_word(const char *s, size_t len)
{
    for (size_t i = 0; i < sizeof plain_words / sizeof plain_words[0]; i++) if (strlen(plain_words[i]) == len && memcmp(s, plain_words[i], len) == 0) return true;
    return false;
}

static enum found find_seed(const struct place *p, size_t *len)
{
    size_t at = 0;
    int words = 0;
    if (p->before_len > 1 && (p->prev == ' ' || p->prev == '\n') && islower((unsigned char)p->before[p->before_len - 2])) return NO;      // inside a run that was looked at already
    for (;;) {
        size_t from = at;
        while (at < p->len && islower((unsigned char)p->s[at])) at++;
        size_t n = at - from;
        bool open = at == p->len && !p->all;
        if (n > 8 || plain_word(p->s + from, n)) { if (!open || n > 8) return NO; }
        if (open) return words > 24 ? NO : MORE;
        if (n == 0) break;                                   // two separators, a capital, a digit: the run ended with the word before
        if (n < 3 || (at < p->len && word_byte(p->s[at]))) return NO;
        words++;
        *len = at;
        if (at == p->len || (p->s[at] != ' ' && p->s[at] != '\n')) break;
        at++;
    }
    if (at < p->len && word_byte(p->s[at])) return NO;
    return words >= 12 && words <= 24 && words % 3 == 0 ? MATCH : NO;
}

// ---- personal data

static bool mail_char(char c) { return alnum(c) || (c && strchr("._%+-", c)); }
static bool host_char(char c) { return alnum(c) || c == '.' || c == '-'; }

static enum found find_mail(const struct place *p, size_t *len)
{
    size_t n = run_of(p, 0, mail_char);
    if (n == 0 || n > 64 || p->s[0] == '.') return NO;
    if (n == p->len) return p->all ? NO : MORE;
    if (p->s[n] != '@') return NO;
    size_t m = run_of(p, n + 1, host_char), end = n + 1 + m;
    if (end == p->len && !p->all) return m < 254 ? MORE : NO;
    while (m && (p->s[n + m] == '.' || p->s[n + m] == '-')) m--;
    *len = n + 1 + m;
    return m >= 4 && memchr(p->s + n + 1, '.', m) ? MATCH : NO;
}

static bool luhn(const char *digits, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++) {
        int d = digits[n - 1 - i] - '0';
        if (i % 2 == 1 && (d *= 2) > 9) d -= 9;
        sum += d;
    }
    return sum % 10 == 0;
}

// A telephone number begins with + or 0 and has separators or a +; a card has 13 to 19 digits that pass the check.
static enum found find_number(const struct place *p, size_t *len)
{
    char digits[24];
    int n = 0, separators = 0;
    size_t at = 0, last = 0;
    bool plus = p->s[0] == '+' || (p->s[0] == '(' && p->len > 1 && p->s[1] == '+');
    for (; at < p->len && n < 22; at++) {
        char c = p->s[at];
        if (digit(c)) { digits[n++] = c; last = at + 1; continue; }
        bool separator = c == ' ' || c == '-' || c == '(' || c == ')' || c == '.' || (c == '+' && n == 0);
        if (!separator || (at && at != last && !(p->s[at - 1] == ')' || c == '(' || n == 0))) break;
        separators += n > 0;
    }
    if (n < 22 && at == p->len && !p->all) return MORE;
    *len = last;
    if (n < 8 || n > 19 || (last < p->len && word_byte(p->s[last]))) return NO;
    if (n >= 13 && digits[0] != '0' && luhn(digits, n)) return MATCH;
    bool dots = memchr(p->s, '.', last) != NULL;
    return n <= 15 && ((plus && n >= 8) || (digits[0] == '0' && n >= 9 && n <= 12 && separators >= 1 && !dots)) ? MATCH : NO;
}

// ---- one place

typedef enum found find_fn(const struct place *p, size_t *len);
static enum found by_key(const struct place *p, size_t *len) { *len = 0; return find_key(p); }
static enum found by_jwt(const struct place *p, size_t *len) { *len = 0; return find_jwt(p); }
static enum found by_bot_token(const struct place *p, size_t *len) { *len = 0; return find_bot_token(p); }
static enum found by_name(const struct place *p, size_t *len) { *len = 0; return find_named(p); }
static enum found by_pem(const struct place *p, size_t *len) { *len = 0; return find_pem(p); }

static bool may_pem(const struct llm_filter_rules *r, const struct place *p) { return r->secrets && p->s[0] == '-' && p->prev != '-'; }
static bool may_token(const struct llm_filter_rules *r, const struct place *p) { return r->secrets && alnum(p->s[0]) && !token_char(p->prev); }
static bool may_seed(const struct llm_filter_rules *r, const struct place *p) { return r->secrets && islower((unsigned char)p->s[0]) && !token_char(p->prev); }
static bool may_mail(const struct llm_filter_rules *r, const struct place *p) { return r->personal && mail_char(p->s[0]) && !mail_char(p->prev); }
static bool may_number(const struct llm_filter_rules *r, const struct place *p)
{
    return r->personal && (digit(p->s[0]) || p->s[0] == '+' || p->s[0] == '(') && !word_byte(p->prev) && !(p->prev && strchr(".,+", p->prev));
}

// Earlier rows come first: what one of them may still become is waited for, though a later one is sure.
static const struct { bool (*may)(const struct llm_filter_rules *r, const struct place *p); find_fn *find; int hiding; } patterns[] = {
    { may_pem, by_pem, HIDE_PEM }, { may_token, by_key, HIDE_TOKEN }, { may_token, by_jwt, HIDE_TOKEN }, { may_token, by_bot_token, HIDE_TOKEN }, { may_token, by_name, HIDE_TOKEN },
    { may_seed, find_seed, HIDE_NOTHING }, { may_mail, find_mail, HIDE_NOTHING }, { may_number, find_number, HIDE_NOTHING },
};

static enum found find(const struct llm_filter_rules *r, struct place *p, size_t *len, int *hiding)
{
    if (may_token(r, p)) p->token = run_of(p, 0, token_char);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        enum found f = patterns[i].may(r, p) ? patterns[i].find(p, len) : NO;
        if (f == NO || (f == MORE && p->len >= LLM_FILTER_HOLD_BYTES)) continue;
        *hiding = patterns[i].hiding;
        return f;
    }
    return NO;
}

// Nothing may begin here, whatever follows: most of a text. What it says is what the patterns' `may` say.
static bool begins_nothing(const struct llm_filter_rules *r, char c, char prev)
{
    if (r->begins_word[(unsigned char)c]) return false;
    if (r->secrets && (alnum(c) ? !token_char(prev) : c == '-' && prev != '-')) return false;
    return !r->personal || ((!mail_char(c) || mail_char(prev)) && ((!digit(c) && c != '+' && c != '(') || word_byte(prev)));
}

// ---- the stream

void llm_filter_begin(struct llm_filter *f, struct llm_filter_rules *rules)
{
    *f = (struct llm_filter){ .rules = llm_filter_rules_keep(rules) };
    fr_buf_init(&f->held, LLM_ANSWER_BYTES_MAX + LLM_FILTER_HOLD_BYTES);
}

void llm_filter_free(struct llm_filter *f)
{
    fr_buf_free(&f->held);
    llm_filter_rules_drop(f->rules);
    *f = (struct llm_filter){ 0 };
}

static void pass_by(struct llm_filter *f, const char *s, size_t len)
{
    size_t cap = sizeof f->before;
    if (len >= cap) { memcpy(f->before, s + len - cap, cap); f->before_len = cap; return; }
    size_t keep = f->before_len + len > cap ? cap - len : f->before_len;
    memmove(f->before, f->before + f->before_len - keep, keep);
    memcpy(f->before + keep, s, len);
    f->before_len = keep + len;
}

void llm_filter_between(struct llm_filter *f, const char *text, size_t len, bool anew)
{
    pass_by(f, text, len);
    if (anew || f->hiding == HIDE_TOKEN) f->hiding = HIDE_NOTHING;           // a private key goes on in the next line of a list
}

// How much of the text belongs to what is being hidden. MORE: all of it, and perhaps what follows.
static size_t swallow(struct llm_filter *f, const char *s, size_t len, bool all, bool *wait)
{
    *wait = false;
    if (f->hiding == HIDE_TOKEN) {
        size_t n = 0;
        while (n < len && (token_dot(s[n]) || s[n] == ':')) n++;
        if (n < len) f->hiding = HIDE_NOTHING;
        return n;
    }
    for (size_t i = 0; i < len; i++) {
        if (s[i] != '-' || len - i < 9) continue;
        if (memcmp(s + i, "-----END ", 9) != 0) continue;
        size_t line = len - i < 100 ? len - i : 100;
        const char *end = memmem(s + i + 9, line - 9, "-----", 5);
        if (!end && line < 100 && !all) { *wait = true; return i; }
        if (!end) continue;                                  // no end of anything
        f->hiding = HIDE_NOTHING;
        return (size_t)(end - s) + 5;
    }
    if (all || len < 9) { *wait = !all; return all ? len : 0; }
    return len - 8;                                          // an END that is cut here is seen whole with the next piece
}

static void scan(struct llm_filter *f, bool all, struct fr_buf *out)
{
    const char *s = f->held.data;
    size_t len = f->held.len, at = 0, passed = 0;            // `before` is of what is in front of `passed`
    while (at < len && !f->refused) {
        size_t n = 0;
        int hiding;
        if (f->hiding) {
            bool wait;
            n = swallow(f, s + at, len - at, all, &wait);
            at += n;
            if (wait || n == 0) { if (f->hiding) break; }
            continue;
        }
        char prev = at > passed ? s[at - 1] : f->before_len ? f->before[f->before_len - 1] : ' ';
        size_t from = at;
        while (at < len && begins_nothing(f->rules, s[at], prev)) prev = s[at++];
        if (at > from) { fr_buf_add_bytes(out, s + from, at - from); continue; }
        if (at > passed) pass_by(f, s + passed, at - passed);
        passed = at;
        struct place p = { s + at, len - at, all, prev, f->before, f->before_len, 0 };
        enum found word = find_word(f->rules, &p), other = word == NO ? find(f->rules, &p, &n, &hiding) : NO;
        if (word == MATCH) { f->refused = true; break; }
        if (word == MORE || other == MORE) break;
        if (other == MATCH) {
            fr_buf_add(out, HIDDEN);
            f->hidden++;
            f->hiding = hiding;
        } else fr_buf_add_char(out, s[at]), n = 1;
        at += n;
    }
    if (at > passed) pass_by(f, s + passed, at - passed);
    fr_buf_consume(&f->held, f->refused ? f->held.len : at);
}

bool llm_filter_add(struct llm_filter *f, const char *text, size_t len, struct fr_buf *out)
{
    if (f->refused) return false;
    fr_buf_add_bytes(&f->held, text, len);
    scan(f, false, out);
    return !f->refused;
}

bool llm_filter_end(struct llm_filter *f, struct fr_buf *out)
{
    if (!f->refused) scan(f, true, out);
    return !f->refused;
}

void llm_filter_redact(const char *text, size_t len, struct fr_buf *out)
{
    struct llm_filter_rules all = { .refs = 1, .secrets = true, .personal = true };
    struct llm_filter f;
    llm_filter_begin(&f, &all);
    f.held.max = len + 1;
    llm_filter_add(&f, text, len, out);
    llm_filter_end(&f, out);
    llm_filter_free(&f);
}
