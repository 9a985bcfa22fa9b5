// translate_test.c — every language, every kind of placeholder: what must come through does, or the call is refused. Whether a translation is good is nothing a test here can say.
#include "llm/translate.h"
#include "llm/canned.h"
#include "llm/languages.h"
#include "llm/protect.h"

static uint64_t state = 88172645463325252ull;
static uint32_t lot(uint32_t below) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return (uint32_t)(state >> 33) % below; }

static const char *const pieces[] = { "{name}", "{{count}}", "${price}", "%s", "%1$d", "%-5.2f", "%%", "%@", "%(who)s", "<b>", "<br/>", "<a href=\"x?a=1&b='2'\">", "&amp;", "https://example.org/a?b=c", ("\xe2\x9f\xa6" "7\xe2\x9f\xa7"), "Frond", "\xe2\x9f\xa6" };
#define PIECES (sizeof pieces / sizeof pieces[0])
static const char glossary_text[] = "{\"Frond\":\"\xed\x94\x84\xeb\xa1\xa0\xeb\x93\x9c\",\"card\":\"Karte\"}";

// The scripted model: it "translates" by moving the tokens about between words of its own, and lies when it is told to.
static enum { HONEST, DROPS, DOUBLES, INVENTS, BREAKS } lie;
static int lies_left;
static void answer(int no, const struct fr_json *body, struct canned_said *said)
{
    (void)no;
    const char *text = strstr(canned_message(body, 1), "<data text "), *end = text ? strstr(text, "\n</data ") : NULL;
    int tokens[LLM_PROTECTED_MAX], count = 0;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 100000);
    if (!text || !end) return;
    for (const char *at = text; at < end; at++) if (strncmp(at, "\xe2\x9f\xa6", 3) == 0) tokens[count++] = atoi(at + 3);
    int lying = lies_left-- > 0 ? lie : HONEST, which = count ? (int)lot((uint32_t)count) : 0;
    for (int i = 0; i < count; i++) {
        if (lying == DROPS && i == which) continue;
        fr_buf_addf(&out, "w%u \xe2\x9f\xa6%d%s ", lot(100), tokens[i], lying == BREAKS && i == which ? "" : "\xe2\x9f\xa7");
        if (lying == DOUBLES && i == which) fr_buf_addf(&out, "\xe2\x9f\xa6%d\xe2\x9f\xa7", tokens[i]);
    }
    if (lying == INVENTS) fr_buf_addf(&out, "\xe2\x9f\xa6%d\xe2\x9f\xa7", count + 1);
    fr_buf_add(&out, "end");
    fr_buf_add(&said->text, "{\"translation\":");
    fr_buf_add_json_text(&said->text, out.data);
    if (strstr(canned_message(body, 1), "idioms")) fr_buf_add(&said->text, ",\"idioms\":[{\"source\":\"\xe2\x9f\xa6" "1\xe2\x9f\xa7 x\",\"meaning\":\"m\",\"rendering\":\"r\"}]");
    fr_buf_add_char(&said->text, '}');
}

static void translate(const char *text, const char *to, const char *from, bool notes)
{
    struct fr_err err;
    FR_AUTO(fr_json) glossary = NULL;
    struct llm_by by = canned_by();
    CHECK_INT(fr_json_parse(glossary_text, strlen(glossary_text), &glossary, &err), FR_OK);
    canned_forget();
    struct llm_translate_ask ask = { .text = text, .to = to, .from = from, .glossary = glossary, .notes = notes, .done = canned_done };
    enum fr_status st = llm_translate_start(&by, &ask, &err);
    if (st != FR_OK) printf("  %s: %s\n", to, err.text);
    CHECK_INT(st, FR_OK);
    canned_run(answer);
}

static int count_of(const char *text, const char *what)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what)) n++;
    return n;
}

static void random_text(char *out, size_t room, int counts[PIECES])
{
    size_t used = 0;
    memset(counts, 0, PIECES * sizeof *counts);
    out[0] = 0;
    for (int i = 0, n = 1 + (int)lot(8); i < n; i++) {
        uint32_t p = lot(PIECES);
        counts[p]++;
        used += (size_t)snprintf(out + used, room - used, "Word%u %s ", lot(50), pieces[p]);
    }
}

static void test_everything_protected_comes_through_in_every_language(void)
{
    int checked = 0;
    lie = HONEST;
    for (int l = 0; l < llm_language_count; l++) {
        for (int round = 0; round < 6; round++) {
            char text[2000];
            int counts[PIECES];
            random_text(text, sizeof text, counts);
            translate(text, llm_languages[l].tag, round % 2 ? "en" : NULL, false);
            CHECK(ended.st == FR_OK && ended.json);
            FR_AUTO(fr_json) v = NULL;
            struct fr_err err;
            if (!ended.json || fr_json_parse(ended.json, strlen(ended.json), &v, &err) != FR_OK) continue;
            const char *got = fr_json_text(fr_json_get(v, "text"));
            CHECK_TEXT(fr_json_text(fr_json_get(v, "to")), llm_languages[l].tag);
            bool good = count_of(got, "Frond") == 0 && count_of(got, "\xed\x94\x84\xeb\xa1\xa0\xeb\x93\x9c") == counts[15];
            for (size_t p = 0; p < 14; p++) good = good && count_of(got, pieces[p]) >= counts[p];
            good = good && count_of(got, pieces[14]) == counts[14] && count_of(got, "\xe2\x9f\xa6") == counts[14] + counts[16];
            if (!good) printf("  %s: %s -> %s\n", llm_languages[l].tag, text, got);
            CHECK(good);
            checked++;
        }
    }
    printf("# %d languages, %d texts\n", llm_language_count, checked);
    CHECK(llm_language_count >= 100);
}

static void test_what_is_lost_is_asked_for_again_then_refused(void)
{
    for (lie = DROPS; lie <= BREAKS; lie++) {
        lies_left = LLM_REPAIRS_MAX;
        translate("Hello {name}, see <b>this</b> card", "ko", "en", false);
        CHECK(ended.st == FR_OK && strstr(ended.json, "{name}"));
        CHECK_INT(ended.spent.calls, 1 + LLM_REPAIRS_MAX);
        lies_left = 100;
        translate("Hello {name}, see <b>this</b> card", "ko", "en", false);
        CHECK_TEXT(ended.code, "llm_invalid");
    }
    lie = HONEST;
    lies_left = 0;
}

static bool fits(const char *source, const char *answer_text)
{
    struct fr_err err;
    struct llm_protected *p = NULL;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 10000);
    CHECK_INT(llm_protect(source, NULL, &p, &out, &err), FR_OK);
    bool good = llm_protected_check(p, answer_text, &err) == FR_OK;
    llm_protected_free(p);
    return good;
}
#define T(n) "\xe2\x9f\xa6" #n "\xe2\x9f\xa7"

static void test_tags_stay_nested(void)
{
    CHECK(fits("<b>x</b> {n}", T(3) " " T(1) "y" T(2)));
    CHECK(!fits("<b>x</b> {n}", T(3) " " T(2) "y" T(1)));
    CHECK(fits("<b>x</b> <i>y</i>", T(3) "b" T(4) T(1) "a" T(2)));
    CHECK(!fits("<b>x</b> <i>y</i>", T(1) "a" T(3) "b" T(2) T(4)));
    CHECK(fits("a <br> b", "a " T(1) "b"));
    CHECK(!fits("{a}", "a"));
    CHECK(!fits("{a}", T(1) "\xe2\x9f\xa7"));
}

static void test_what_is_no_placeholder_is_translated(void)
{
    struct fr_err err;
    struct llm_protected *p = NULL;
    FR_AUTO(fr_json) glossary = NULL;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 10000);
    CHECK_INT(fr_json_parse(glossary_text, strlen(glossary_text), &glossary, &err), FR_OK);
    CHECK_INT(llm_protect("100% sure & 1 < 2 { open\n} cards Fronds card. Frond\xeb\x8a\x94", glossary, &p, &out, &err), FR_OK);
    CHECK_TEXT(out.data, "100% sure & 1 < 2 { open\n} cards Fronds " T(1) ". " T(2) "\xeb\x8a\x94");
    llm_protected_free(p);
    FR_AUTO_BUF(many);
    fr_buf_init(&many, 100000);
    for (int i = 0; i <= LLM_PROTECTED_MAX; i++) fr_buf_add(&many, "{a}");
    CHECK_INT(llm_protect(many.data, NULL, &p, &out, &err), FR_E_LIMIT);
}

static void check_language(const char *text, const char *want)
{
    bool sure;
    CHECK_TEXT(llm_language_detect(text, &sure)->tag, want);
}

static void test_languages_are_told_apart(void)
{
    check_language("\xec\x95\x88\xeb\x85\x95\xed\x95\x98\xec\x84\xb8\xec\x9a\x94, \xeb\xb0\x98\xea\xb0\x91\xec\x8a\xb5\xeb\x8b\x88\xeb\x8b\xa4", "ko");
    check_language("OK, \xea\xb7\xb8\xeb\x9f\xbc GG \xed\x95\xa0\xea\xb2\x8c\xec\x9a\x94", "ko");
    check_language("\xe6\x9d\xb1\xe4\xba\xac\xe3\x81\xab\xe8\xa1\x8c\xe3\x81\x8d\xe3\x81\xbe\xe3\x81\x99", "ja");
    check_language("\xe6\x88\x91\xe4\xbb\xac\xe6\x98\x8e\xe5\xa4\xa9\xe8\xa7\x81", "zh");
    check_language("The card is not in the deck and you have to draw", "en");
    check_language("Die Karte ist nicht auf dem Tisch, ich habe sie", "de");
    check_language("La carte est dans le paquet et vous ne pouvez pas jouer", "fr");
    check_language("La carta no est\xc3\xa1 en la mesa y los jugadores esperan que se juegue", "es");
    check_language("Karten ligger p\xc3\xa5 bordet och det \xc3\xa4r inte min tur att spela", "sv");
    check_language("\xd0\x9a\xd0\xb0\xd1\x80\xd1\x82\xd0\xb0 \xd0\xbd\xd0\xb5 \xd0\xbd\xd0\xb0 \xd1\x81\xd1\x82\xd0\xbe\xd0\xbb\xd0\xb5, \xd0\xb8 \xd1\x8d\xd1\x82\xd0\xbe \xd0\xbd\xd0\xb5 \xd1\x8f", "ru");
    check_language("\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94\xe0\xb8\xb5", "th");
    check_language("12345 !?", "en");
    bool sure;
    llm_language_detect("12345", &sure);
    CHECK(!sure);
    CHECK_TEXT(llm_language("ko-KR")->tag, "ko");
    CHECK_TEXT(llm_language("zh-TW")->tag, "zh-Hant");
    CHECK_TEXT(llm_language("PT-br")->tag, "pt-BR");
    CHECK(llm_language("xx") == NULL);
    for (int i = 0; i < llm_language_count; i++) CHECK(llm_language(llm_languages[i].tag) == &llm_languages[i]);
}

// What is told to the router: languages that were named, the target first. A guess is none.
static char told[100];
static void look_at_languages(int no, const struct fr_json *body, struct canned_said *said)
{
    FR_AUTO_BUF(list);
    fr_buf_init(&list, 1000);
    if (fr_json_get(body, "languages")) fr_json_print(fr_json_get(body, "languages"), &list);
    snprintf(told, sizeof told, "%s", list.len ? list.data : "");
    answer(no, body, said);
}

static void test_named_languages_are_told_to_the_router(void)
{
    static const struct { const char *to, *from, *told; } cases[] = { { "ko", "en", "[\"ko\",\"en\"]" }, { "pt-br", "iw", "[\"pt-BR\",\"he\"]" }, { "sw", NULL, "[\"sw\"]" } };
    for (size_t i = 0; i < 3; i++) {
        struct llm_by by = canned_by();
        struct fr_err err;
        struct llm_translate_ask ask = { .text = "The card is not in the deck", .to = cases[i].to, .from = cases[i].from, .done = canned_done };
        canned_forget();
        CHECK_INT(llm_translate_start(&by, &ask, &err), FR_OK);
        canned_run(look_at_languages);
        CHECK(ended.st == FR_OK && strstr(ended.json, i == 2 ? "\"from\":\"en\"" : "\"sure\":true"));
        CHECK_TEXT(told, cases[i].told);
    }
}

static void test_idioms_and_slips(void)
{
    struct fr_err err;
    struct llm_by by = canned_by();
    translate("{who} let the cat out of the bag", "ko", NULL, true);
    CHECK(ended.json && strstr(ended.json, "\"idioms\":[{\"source\":\"{who} x\",\"meaning\":\"m\",\"rendering\":\"r\"}]"));
    CHECK(ended.json && strstr(ended.json, "\"from\":\"en\""));
    struct llm_translate_ask ask = { .text = "x", .to = "klingon", .done = canned_done };
    CHECK_INT(llm_translate_start(&by, &ask, &err), FR_E_INVALID);
    CHECK(strstr(err.text, "klingon") != NULL);
    FR_AUTO(fr_json) list = NULL;
    CHECK_INT(fr_json_parse("{\"a\":1}", 7, &list, &err), FR_OK);
    ask = (struct llm_translate_ask){ .text = "x", .to = "ko", .glossary = list, .done = canned_done };
    CHECK_INT(llm_translate_start(&by, &ask, &err), FR_E_INVALID);
}

int main(void)
{
    TEST(test_everything_protected_comes_through_in_every_language);
    TEST(test_what_is_lost_is_asked_for_again_then_refused);
    TEST(test_tags_stay_nested);
    TEST(test_what_is_no_placeholder_is_translated);
    TEST(test_languages_are_told_apart);
    TEST(test_named_languages_are_told_to_the_router);
    TEST(test_idioms_and_slips);
    canned_forget();
    return TEST_END();
}
