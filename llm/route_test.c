// route_test.c — languages in the router: who declares what a request names comes first, others where there is none of them, nobody but him where he says so; and which model stands for a language.
#include "llm/languages.h"
#include "llm/pool.h"
#include "llm/test_pod.h"

#define PODS 3
static struct fake_pod pods[PODS];
static struct llm_pool *pool;
static struct llm_settings settings;
static struct { enum fr_status st; struct fr_err err; char text[200]; int done; } end_of;

static struct llm_model_settings *model_at(int b) { return &settings.backends[b].models[0]; }

// One pod each: backends "b0", "b1", .. with the model "m" for these languages.
static void begin(const char *const languages[PODS])
{
    world_begin();
    memset(&settings, 0, sizeof settings);
    for (int i = 0; i < PODS; i++) {
        static const char *const names[] = { "p0", "p1", "p2" };
        struct llm_backend_settings *b = &settings.backends[i];
        fake_listen(&pods[i], names[i], NULL);
        snprintf(b->name, sizeof b->name, "b%d", i);
        snprintf(b->pods[0].url, sizeof b->pods[0].url, "http://127.0.0.1:%d/v1", pods[i].port);
        b->pod_count = b->model_count = 1;
        b->models[0] = (struct llm_model_settings){ .can = LLM_CAN_CHAT | LLM_CAN_TEXT | LLM_CAN_EMBED, .context_tokens = 2048 };
        snprintf(b->models[0].name, sizeof b->models[0].name, "m");
        snprintf(b->models[0].languages, sizeof b->models[0].languages, "%s", languages[i]);
    }
    settings.backend_count = PODS;
    snprintf(settings.default_model, sizeof settings.default_model, "m");
}

static bool all_up(void)
{
    FR_AUTO_BUF(b);
    int up = 0;
    fr_buf_init(&b, 1 << 20);
    llm_pool_facts(pool, &b);
    for (const char *at = b.data; (at = strstr(at, "\"state\":\"up\"")); at++) up++;
    return up == PODS;
}

static void go(void)
{
    struct llm_pool_options o = { .loop = &loop, .client = client, .settings = &settings, .seed = 5 };
    llm_pool_new(&o, &pool);
    RUN_UNTIL(all_up());
}

static void on_stopped(void *arg) { *(bool *)arg = true; }
static void end(void)
{
    bool stopped = false;
    llm_pool_stop(pool, on_stopped, &stopped);
    RUN_UNTIL(stopped);
    llm_pool_free(pool);
    for (int i = 0; i < PODS; i++) fake_kill(&pods[i]);
    world_end();
}

static void on_done(void *arg, enum fr_status st, const struct llm_result *r, const struct fr_err *err)
{
    (void)arg;
    end_of.done++;
    end_of.st = st;
    if (err) end_of.err = *err;
    snprintf(end_of.text, sizeof end_of.text, "%.*s", (int)r->text_len, r->text);
}

// `languages`: the elements of the list, or "". The pod's name, or the code of the refusal.
static const char *asked(const char *languages)
{
    static char said[64];
    struct llm_request r;
    char body[400];
    end_of.done = 0;
    snprintf(body, sizeof body, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]%s%s%s}", *languages ? ",\"languages\":[" : "", languages, *languages ? "]" : "");
    CHECK(llm_request_parse(LLM_CHAT, body, strlen(body), &r, &end_of.err) == FR_OK);
    struct llm_pool_ask ask = { .request = &r, .model = "m", .deadline_ms = 10000, .done = on_done };
    if (llm_pool_send(pool, &ask, NULL, &end_of.err) == FR_OK) {
        RUN_UNTIL(end_of.done);
        snprintf(said, sizeof said, "%.2s", end_of.st == FR_OK ? end_of.text : end_of.err.code);
    } else snprintf(said, sizeof said, "%s", end_of.err.code);
    llm_request_clear(&r);
    return said;
}

static void test_who_declares_a_language_comes_first(void)
{
    begin((const char *const[]){ "en", "ko,ja", "pt-BR,de" });
    go();
    for (int i = 0; i < 10; i++) {
        CHECK_TEXT(asked("\"ko\""), "p1");
        CHECK_TEXT(asked("\"ko-KR\""), "p1");
        CHECK_TEXT(asked("\"KO\""), "p1");
        CHECK_TEXT(asked("\"pt-BR\""), "p2");
        CHECK_TEXT(asked("\"en-GB\""), "p0");
        CHECK_TEXT(asked("\"ja\",\"de\",\"ko\""), "p1");               // who declares most of them
    }
    int before[PODS], more = 0;
    for (int i = 0; i < PODS; i++) before[i] = pods[i].requests;
    for (int i = 0; i < 40; i++) asked(i % 2 ? "" : "\"fr\"");         // nothing named, and what nobody declares: all are equal
    for (int i = 0; i < PODS; i++) more += pods[i].requests > before[i];
    CHECK_INT(more, PODS);
    CHECK(strstr(pods[1].last, "\"messages\"") && !strstr(pods[1].last, "languages"));         // it is told to no pod
    end();
}

static void test_a_star_declares_all(void)
{
    begin((const char *const[]){ "en", "*", "en" });
    go();
    for (int i = 0; i < 10; i++) CHECK_TEXT(asked("\"sw\""), "p1");
    end();
}

static void test_a_language_goes_before_a_price_and_is_its_price(void)
{
    begin((const char *const[]){ "en", "ko", "ko" });
    model_at(1)->price = (struct llm_price){ 50, 50 };
    model_at(2)->price = (struct llm_price){ 20, 20 };
    go();
    for (int i = 0; i < 10; i++) {
        CHECK_TEXT(asked("\"ko\""), "p2");
        CHECK_TEXT(asked(""), "p0");
        CHECK_TEXT(asked("\"fr\""), "p0");
    }
    CHECK_INT(llm_pool_model(pool, LLM_CHAT, "m", "")->price.answer_units, 0);
    CHECK_INT(llm_pool_model(pool, LLM_CHAT, "m", "ko")->price.answer_units, 20);
    end();
}

// One that is full is waited for; for one that is down others stand in.
static void test_others_stand_in_for_who_is_down_and_not_for_who_is_busy(void)
{
    struct llm_request r;
    struct fr_err err;
    const char *body = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"languages\":[\"ko\"]}";
    begin((const char *const[]){ "en", "ko", "en" });
    settings.backends[1].pods[0].concurrency = 1;
    go();
    pods[1].wait_ms = 300;
    CHECK(llm_request_parse(LLM_CHAT, body, strlen(body), &r, &err) == FR_OK);
    struct llm_pool_ask ask = { .request = &r, .model = "m", .deadline_ms = 10000, .done = on_done };
    end_of.done = 0;
    CHECK(llm_pool_send(pool, &ask, NULL, &err) == FR_OK);
    CHECK(llm_pool_room(pool, &ask, &err) == FR_E_BUSY && strcmp(err.code, "llm_busy") == 0);
    RUN_UNTIL(end_of.done);
    CHECK_TEXT(end_of.text, "p1: x");
    llm_request_clear(&r);
    fake_kill(&pods[1]);
    for (int i = 0; i < 6; i++) CHECK(strcmp(asked("\"ko\""), "p1") != 0 && end_of.st == FR_OK);
    end();
}

static void test_who_takes_only_his_languages_is_asked_for_no_other(void)
{
    begin((const char *const[]){ "en", "ko", "en,de" });
    for (int i = 0; i < PODS; i++) model_at(i)->only_languages = true;
    go();
    for (int i = 0; i < 10; i++) {
        CHECK_TEXT(asked("\"ko\""), "p1");
        CHECK_TEXT(asked("\"de\",\"en\""), "p2");
        CHECK(asked("")[0] == 'p');
    }
    CHECK_TEXT(asked("\"fr\""), "llm_request");
    CHECK_TEXT(end_of.err.text, "m is not for the language \"fr\"");
    CHECK_TEXT(asked("\"de\",\"sw\""), "llm_request");
    CHECK_TEXT(end_of.err.text, "m is not for the language \"sw\"");
    CHECK_TEXT(asked("\"ko\",\"de\""), "llm_request");                 // each of them has one, nobody both
    CHECK_TEXT(end_of.err.text, "m cannot do all of that at once");
    CHECK_INT(end_of.err.status, FR_E_INVALID);
    model_at(0)->only_languages = false;
    llm_pool_configure(pool, &settings);
    CHECK_TEXT(asked("\"fr\""), "p0");
    end();
}

static void test_a_language_has_a_model_where_none_is_named(void)
{
    begin((const char *const[]){ "en", "ko", "*" });
    snprintf(model_at(1)->name, sizeof model_at(1)->name, "k");
    snprintf(model_at(2)->name, sizeof model_at(2)->name, "e");
    snprintf(settings.default_embed, sizeof settings.default_embed, "e");
    settings.by_language[0] = (struct llm_language_model){ "ko", "k" };
    settings.by_language[1] = (struct llm_language_model){ "pt", "e" };
    settings.by_language[2] = (struct llm_language_model){ "pt-BR", "k" };
    settings.by_language_count = 3;
    go();
    static const struct { const char *languages, *name, *want; } cases[] = {
        { "", "", "m" }, { "ko", "", "k" }, { "ko-KR", "", "k" }, { "en,ko", "", "k" }, { "en", "", "m" }, { "fr,de", "", "m" }, { "pt", "", "e" }, { "pt-PT", "", "e" }, { "pt-BR", "", "k" }, { "pt,ko", "", "e" }, { "ko", "m", "m" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) CHECK_TEXT(llm_pool_model(pool, LLM_CHAT, cases[i].name, cases[i].languages)->name, cases[i].want);
    CHECK_TEXT(llm_pool_model(pool, LLM_TEXT, "", "ko")->name, "k");
    CHECK_TEXT(llm_pool_model(pool, LLM_EMBED, "", "ko")->name, "e");         // vectors of two models are not to be compared
    end();
}

static void test_a_model_of_several_backends_has_the_languages_of_all(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 1 << 20);
    begin((const char *const[]){ "en,ko", "ko,pt-BR", "en-GB" });
    go();
    llm_pool_models(pool, &b);
    CHECK(strstr(b.data, "\"languages\":[\"en\",\"ko\",\"pt-BR\"]"));
    end();
}

static void test_tags(void)
{
    static const char *const good[] = { "ko", "pt-BR", "zh-Hant-TW", "haw", "de-1996", "sl-rozaj-biske", "tlh" };
    static const char *const bad[] = { "", "k", "*", "k o", "ko-", "-ko", "ko--KR", "ko_KR", "한국어", "ko,en", "toolonglanguage", "de-toolongsubtag", "12", "ko\n", "aa-bbbbbbbb-cccccccc-dddddddd-eeeeeeee" };
    static const struct { const char *tag, *normal; } normals[] = { { "KO", "ko" }, { "iw", "he" }, { "no", "nb" }, { "zh-TW", "zh-Hant" }, { "pt-BR", "pt-BR" }, { "tlh", "tlh" }, { "*", "*" }, { "zh-Hant", "zh-Hant" } };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) CHECK(llm_language_is_tag(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(!llm_language_is_tag(bad[i]));
    for (size_t i = 0; i < sizeof normals / sizeof normals[0]; i++) {
        char out[LLM_TAG_BYTES];
        llm_language_normal(normals[i].tag, out, sizeof out);
        CHECK_TEXT(out, normals[i].normal);
    }
    CHECK(llm_language_in("en,pt", "pt-BR") && llm_language_in("*", "sw") && llm_language_in("zh-Hant", "zh-Hant-TW") && llm_language_in("de,ko", "KO"));
    CHECK(!llm_language_in("en,pt-BR", "pt") && !llm_language_in("", "ko") && !llm_language_in("k,o", "ko") && !llm_language_in("fi", "fil") && !llm_language_in("zh-Hant", "zh-Hans"));
    CHECK_INT(llm_languages_missing("en,ko", "ko,de,fr"), 2);
    CHECK_INT(llm_languages_missing("en", ""), 0);
    CHECK_INT(llm_languages_missing("", "ko"), 1);
}

int main(void)
{
    TEST(test_tags);
    TEST(test_who_declares_a_language_comes_first);
    TEST(test_a_star_declares_all);
    TEST(test_a_language_goes_before_a_price_and_is_its_price);
    TEST(test_others_stand_in_for_who_is_down_and_not_for_who_is_busy);
    TEST(test_who_takes_only_his_languages_is_asked_for_no_other);
    TEST(test_a_language_has_a_model_where_none_is_named);
    TEST(test_a_model_of_several_backends_has_the_languages_of_all);
    return TEST_END();
}
