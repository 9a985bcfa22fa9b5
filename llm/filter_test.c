// filter_test.c — secrets and personal data are hidden, however the stream was cut; what only looks like them is not; refused words end an answer.
#include "llm/filter.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"

static struct llm_settings *settings;
static struct llm_filter_rules *rules;
static char got[8192];

static void rules_of(const char *words, bool secrets, bool personal)
{
    llm_filter_rules_drop(rules);
    snprintf(settings->refused_words, sizeof settings->refused_words, "%s", words);
    settings->hide_secrets = secrets;
    settings->hide_personal = personal;
    rules = llm_filter_rules_new(settings);
}

// step 0: at random places, from seed.
static const char *filtered(const char *text, size_t step, unsigned seed)
{
    struct llm_filter f;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, sizeof got - 1);
    llm_filter_begin(&f, rules);
    size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        size_t n = step ? step : 1 + (size_t)(rand_r(&seed) % 7);
        if (n > len - at) n = len - at;
        if (!llm_filter_add(&f, text + at, n, &out)) break;
        at += n;
    }
    bool whole = llm_filter_end(&f, &out);
    snprintf(got, sizeof got, "%s%s", out.data ? out.data : "", whole ? "" : "|refused");
    llm_filter_free(&f);
    return got;
}

static void check(const char *text, const char *want)
{
    char whole[8192];
    snprintf(whole, sizeof whole, "%s", filtered(text, strlen(text), 0));
    CHECK_TEXT(whole, want);
    for (size_t step = 1; step < 8; step++) CHECK_TEXT(filtered(text, step, 0), want);
    for (unsigned seed = 1; seed < 20; seed++) CHECK_TEXT(filtered(text, 0, seed), want);
}

static void test_secrets_are_hidden_wherever_the_stream_is_cut(void)
{
    rules_of("", true, false);
    check("the key is sk-abcdefghijklmnopqrstuvwx, keep it", "the key is [hidden], keep it");
    check("AKIAIOSFODNN7EXAMPLE", "[hidden]");
    check("use ghp_0123456789abcdefghij0123456789abcdef.", "use [hidden]");
    check("Authorization: Bearer abcdefghijklmnop1234\nnext", "Authorization: Bearer [hidden]\nnext");
    check("bot 123456789:AAabcdefghijklmnopqrstuvwxyz012345678 end", "bot [hidden] end");
    check("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc done", "jwt [hidden] done");
    check("private key: 0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318 ok", "private key: [hidden] ok");
    check("your session token abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ ok", "your session token [hidden] ok");
    check("a\n-----BEGIN EC PRIVATE KEY-----\nMHQCAQEEIBkg\nabc=\n-----END EC PRIVATE KEY-----\nb", "a\n[hidden]\nb");
    check("-----BEGIN PRIVATE KEY-----\nMHQCAQ", "[hidden]");
    check("words: abandon ability able about above absent absorb abstract absurd abuse access accident.", "words: [hidden].");
}

// Each kind of key from its least length on, and from that alone.
static void test_every_kind_of_key_is_known(void)
{
    static const struct { const char *prefix; int least; } keys[] = {
        { "sk-", 20 }, { "pk_live_", 16 }, { "sk_live_", 16 }, { "sk_test_", 16 }, { "ghp_", 30 }, { "gho_", 30 }, { "ghs_", 30 }, { "ghu_", 30 }, { "github_pat_", 20 }, { "glpat-", 16 }, { "AKIA", 16 }, { "ASIA", 16 },
        { "AIza", 30 }, { "xoxb-", 16 }, { "xoxp-", 16 }, { "xoxa-", 16 }, { "xoxs-", 16 }, { "hf_", 30 }, { "npm_", 30 }, { "xprv", 80 }, { "frond-", 43 }, { "whsec_", 20 },
    };
    rules_of("", true, false);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        for (int less = 0; less < 2; less++) {
            char text[200], want[200], rest[100];
            for (int n = 0; n < keys[i].least; n++) rest[n] = "Ab1Cd2Ef3"[n % 9];
            rest[keys[i].least - less] = 0;
            snprintf(text, sizeof text, "a %s%s b", keys[i].prefix, rest);
            snprintf(want, sizeof want, "%s", less ? text : "a [hidden] b");
            check(text, want);
            text[strlen(text) - 2] = 0;                      // at the end of all
            want[strlen(want) - 2] = 0;
            check(text, want);
        }
}

static void test_what_looks_like_secrets_is_left(void)
{
    rules_of("", true, false);
    static const char *const left[] = {
        "sk-short and AKIA alone; the risk-benefit-analysis-of-something-long is fine", "hash 0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318 of a block",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "the cat sat with the dog and they were happy for many days without any trouble there",
        "bearer of bad news", "12:30 at 123456:00", "한국어 문장은 그대로 둡니다. 비밀은 없습니다.", "call some function then print every value that comes back here", "{\"a\":[1,2,3],\"key\":\"value\"}",
        "eyJ is how they begin", "seed capital is money", "----- a line -----",
    };
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) check(left[i], left[i]);
}

static void test_personal_data_is_hidden_when_asked(void)
{
    rules_of("", false, true);
    check("write to kim.minji@example.co.kr, please", "write to [hidden], please");
    check("call +82 10-1234-5678 now", "call [hidden] now");
    check("call 010-1234-5678 now", "call [hidden] now");
    check("(02) 123-4567", "[hidden]");
    check("card 4111 1111 1111 1111 expires", "card [hidden] expires");
    check("card 4111-1111-1111-1112 expires", "card 4111-1111-1111-1112 expires");
    check("sum 1234567890123 of 2026-11-30 10:00", "sum 1234567890123 of 2026-11-30 10:00");
    check("0.123456789 and 100,000,000 and 3.14159265358979", "0.123456789 and 100,000,000 and 3.14159265358979");
    check("user@host is no address, a@b.co is", "user@host is no address, [hidden] is");
}

static void test_a_refused_word_ends_the_answer(void)
{
    rules_of("forbidden\nbad phrase here\n금지어", true, false);
    check("this is FORBIDDEN fruit", "this is |refused");
    check("forbiddenness and unforbidden are other words", "forbiddenness and unforbidden are other words");
    check("a bad phrase there, a bad phrase here!", "a bad phrase there, a |refused");
    check("이것은 금지어입니다", "이것은 |refused");
    check("ends with forbidden", "ends with |refused");
    CHECK(llm_filter_refuses(rules, "Say Forbidden things") && !llm_filter_refuses(rules, "say nice things") && llm_filter_refuses(rules, "금지어"));
    rules_of("", true, true);
    CHECK(!llm_filter_refuses(rules, "forbidden"));
}

// The same text, whatever the cuts: also for texts that are made of halves of patterns.
static void test_random_texts_come_out_the_same_in_pieces(void)
{
    static const char *const bits[] = { "sk-", "abcdefghij", "0123456789", " ", "\n", "Bearer ", "eyJ", ".", "-----BEGIN ", "PRIVATE KEY-----", "-----END ", "-----", "@example.com", "abandon ", "able ", "about ", "the ", "+82 ",
                                        "4111 1111 1111 1111", ":", "AKIA", "private ", "가나다", "forbidden", "x", "token ", "0x", "deadbeefdeadbeefdeadbeefdeadbeef" };
    rules_of("forbidden", true, true);
    unsigned seed = 7;
    int different = 0, changed = 0;
    for (int round = 0; round < 3000; round++) {
        char text[2048] = "", whole[8192];
        for (int n = rand_r(&seed) % 25; n >= 0; n--) strcat(text, bits[(size_t)rand_r(&seed) % (sizeof bits / sizeof bits[0])]);
        snprintf(whole, sizeof whole, "%s", filtered(text, strlen(text), 0));
        changed += strcmp(whole, text) != 0;
        for (unsigned s = 1; s < 5; s++) {
            if (strcmp(filtered(text, s == 4 ? 1 : 0, seed + s), whole) == 0) continue;
            if (different++ < 3) printf("  \"%s\"\n  whole  \"%s\"\n  pieces \"%s\"\n", text, whole, got);
        }
    }
    CHECK_INT(different, 0);
    CHECK(changed > 500);
}

static void test_a_stream_is_held_back_by_little(void)
{
    struct llm_filter f;
    FR_AUTO_BUF(out);
    rules_of("forbidden", true, true);
    fr_buf_init(&out, 1 << 20);
    llm_filter_begin(&f, rules);
    size_t worst = 0, in = 0;
    unsigned seed = 3;
    for (int i = 0; i < 20000; i++) {
        char c = "abcdefgh0123456789-_. ="[rand_r(&seed) % 23];
        llm_filter_add(&f, &c, 1, &out);
        in++;
        if (f.held.len > worst) worst = f.held.len;
    }
    CHECK(worst > 10 && worst <= LLM_FILTER_HOLD_BYTES);
    llm_filter_free(&f);
}

static void test_redaction_hides_both(void)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 1000);
    const char *text = "{\"content\":\"mail a@example.com, key sk-abcdefghijklmnopqrstuvwx\"}";
    llm_filter_redact(text, strlen(text), &out);
    CHECK_TEXT(out.data, "{\"content\":\"mail [hidden], key [hidden]\"}");
}

int main(void)
{
    settings = fr_must_alloc(sizeof *settings);
    TEST(test_secrets_are_hidden_wherever_the_stream_is_cut);
    TEST(test_every_kind_of_key_is_known);
    TEST(test_what_looks_like_secrets_is_left);
    TEST(test_personal_data_is_hidden_when_asked);
    TEST(test_a_refused_word_ends_the_answer);
    TEST(test_random_texts_come_out_the_same_in_pieces);
    TEST(test_a_stream_is_held_back_by_little);
    TEST(test_redaction_hides_both);
    llm_filter_rules_drop(rules);
    fr_free(settings);
    return TEST_END();
}
