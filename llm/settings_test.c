// settings_test.c — "models" of the config file: what is read, and how each slip is named.
#include "llm/settings.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/check.h"
#include "base/limits.h"

static struct llm_settings s;
static struct fr_err err;
static char folder[] = "/tmp/frond-settings-XXXXXX";

static enum fr_status read_text(const char *text)
{
    FR_AUTO(fr_json) json = NULL;
    memset(&s, 0x5a, sizeof s);
    err = (struct fr_err){ 0 };
    if (fr_json_parse(text, strlen(text), &json, &err) != FR_OK) printf("  not JSON: %s\n", text);
    return llm_settings_read(json, folder, &s, &err);
}

static void put_file(const char *name, const char *text)
{
    char path[100];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void test_nothing_said_is_the_engine_alone_and_free(void)
{
    CHECK(llm_settings_read(NULL, folder, &s, &err) == FR_OK);
    CHECK(s.engine && s.backend_count == 1 && s.backends[0].pod_count == 1 && s.backends[0].model_count == 1);
    CHECK_TEXT(s.default_model, "smollm2-135m-instruct");
    CHECK_TEXT(s.default_embed, "smollm2-135m-instruct");
    const struct llm_model_settings *m = &s.backends[0].models[0];
    CHECK(m->can == (LLM_CAN_CHAT | LLM_CAN_TEXT | LLM_CAN_EMBED | LLM_CAN_JSON | LLM_CAN_LOGPROBS) && m->context_tokens == 2048);
    CHECK(m->price.prompt_units == 0 && m->price.answer_units == 0 && s.plugin.tokens_day == 0 && s.record == LLM_RECORD_USAGE && s.hide_secrets);
    CHECK(read_text("{}") == FR_OK && s.engine && s.queue_most == LLM_QUEUE_MAX);
    CHECK(read_text("{\"engine\":false}") == FR_OK && !s.engine && s.backend_count == 0 && !s.default_model[0]);
}

static void test_everything_said_is_read(void)
{
    put_file("big.key", "sk-0123456789\n");
    put_file("ca.pem", "x");
    CHECK_INT(read_text("{\"engine\":false,\"default\":\"llama-70b\",\"by_language\":{\"ko\":\"small-ko\",\"no\":\"llama-70b\"},\"backends\":["
        "{\"name\":\"big\",\"key_file\":\"big.key\",\"ca_file\":\"ca.pem\",\"concurrency\":32,\"timeout_ms\":60000,"
         "\"pods\":[{\"url\":\"https://a.example.org/v1/\"},{\"url\":\"http://b.example.org:8000\",\"concurrency\":4},{\"unix\":\"pod.sock\"}],"
         "\"models\":[{\"name\":\"llama-70b\",\"as\":\"meta-llama/Llama-3.1-70B\",\"can\":[\"chat\",\"json\",\"tools\",\"vision\"],\"languages\":[\"en\",\"pt-BR\"],\"context\":131072,\"price\":{\"prompt\":\"20\",\"answer\":\"60\"}}]},"
        "{\"name\":\"small\",\"url\":\"http://c.example.org/api/v1\",\"models\":[{\"name\":\"bge\",\"can\":[\"embed\"]},{\"name\":\"llama-70b\"},{\"name\":\"small-ko\",\"languages\":[\"KO\",\"iw\",\"zh-TW\"],\"only_languages\":true}]}],"
        "\"price\":{\"asset\":\"GOLD\",\"burn_bps\":250},\"limits\":{\"plugin\":{\"tokens_minute\":1,\"tokens_day\":2,\"requests_minute\":3,\"requests_day\":4,\"concurrent\":5},\"key\":{\"tokens_day\":7}},"
        "\"cache\":{\"bytes\":0,\"ttl_s\":60},\"record\":\"all\",\"filters\":{\"refuse\":[\"bomb\",\"two words\"],\"hide_secrets\":false,\"hide_personal\":true},\"queue\":{\"most\":9}}"), FR_OK);
    if (err.text[0]) printf("  %s\n", err.text);
    const struct llm_backend_settings *b = &s.backends[0];
    CHECK(!s.engine && s.backend_count == 2 && b->pod_count == 3 && b->timeout_ms == 60000);
    CHECK_TEXT(b->key, "sk-0123456789");
    CHECK(strncmp(b->ca_file, folder, strlen(folder)) == 0 && strncmp(b->pods[2].unix_path, folder, strlen(folder)) == 0);
    CHECK_TEXT(b->pods[0].url, "https://a.example.org/v1");
    CHECK_TEXT(b->pods[1].url, "http://b.example.org:8000/v1");
    CHECK_TEXT(b->pods[2].url, "http://localhost/v1");
    CHECK(b->pods[0].concurrency == 32 && b->pods[1].concurrency == 4);
    CHECK_TEXT(s.backends[1].pods[0].url, "http://c.example.org/api/v1");
    const struct llm_model_settings *m = &b->models[0];
    CHECK(m->can == (LLM_CAN_CHAT | LLM_CAN_JSON | LLM_CAN_TOOLS | LLM_CAN_VISION) && m->context_tokens == 131072 && m->price.prompt_units == 20 && m->price.answer_units == 60);
    CHECK_TEXT(m->as, "meta-llama/Llama-3.1-70B");
    CHECK_TEXT(m->languages, "en,pt-BR");
    CHECK_TEXT(s.backends[1].models[0].languages, "*");
    CHECK(!m->only_languages && s.backends[1].models[2].only_languages);
    CHECK_TEXT(s.backends[1].models[2].languages, "ko,he,zh-Hant");
    CHECK_INT(s.by_language_count, 2);
    CHECK_TEXT(s.by_language[1].tag, "nb");
    CHECK_TEXT(llm_settings_model_for(&s, "fr,ko-KR"), "small-ko");
    CHECK_TEXT(llm_settings_model_for(&s, "nb,ko"), "llama-70b");
    CHECK_TEXT(llm_settings_model_for(&s, "fr"), "llama-70b");
    CHECK_TEXT(s.default_model, "llama-70b");
    CHECK_TEXT(s.default_embed, "bge");
    CHECK_TEXT(s.asset, "GOLD");
    CHECK_TEXT(s.refused_words, "bomb\ntwo words");
    CHECK(s.burn_bps == 250 && s.plugin.tokens_minute == 1 && s.plugin.concurrent == 5 && s.player.tokens_day == 0 && s.key.tokens_day == 7);
    CHECK(s.cache_bytes == 0 && s.cache_ttl_ms == 60000 && s.record == LLM_RECORD_ALL && !s.hide_secrets && s.hide_personal && s.queue_most == 9);
}

#define BACKEND(more) "{\"backends\":[{\"name\":\"a\",\"models\":[{\"name\":\"m\"}]" more "}]}"
#define MODEL(more) "{\"backends\":[{\"name\":\"a\",\"url\":\"http://x/v1\",\"models\":[{\"name\":\"m\"" more "}]}]}"

static void test_each_slip_is_named(void)
{
    static const struct { const char *text, *told; } cases[] = {
        { "[]", "models: expected an object" },
        { "{\"backend\":[]}", "backends" },                                                    // did you mean
        { "{\"engine\":1}", "models.engine: " },
        { "{\"default\":\"smollm2-135m-instrct\"}", "models.default: no backend has a model \"smollm2-135m-instrct\" for that; did you mean \"smollm2-135m-instruct\"?" },
        { "{\"default_embed\":\"x\"}", "models.default_embed: " },
        { BACKEND(""), "models.backends[0].url: " },
        { BACKEND(",\"url\":\"ftp://x\""), "models.backends[0].url: " },
        { BACKEND(",\"url\":\"http://\""), "models.backends[0].url: " },
        { BACKEND(",\"url\":\"http://u:p@x/v1\""), "without user" },
        { BACKEND(",\"url\":\"http://x/v1?key=1\""), "without user" },
        { BACKEND(",\"url\":\"http://x\",\"pods\":[{\"url\":\"http://y\"}]"), "models.backends[0].url: " },
        { BACKEND(",\"pods\":[]"), "models.backends[0].pods: " },
        { BACKEND(",\"pods\":[{}]"), "models.backends[0].pods[0].url: " },
        { BACKEND(",\"pods\":[{\"url\":\"http://x\"},{\"url\":\"http://x/v1\"}]"), "models.backends[0].pods[1]: the same address as pods[0]" },
        { BACKEND(",\"pods\":[{\"url\":\"http://x\",\"concurrency\":0}]"), "models.backends[0].pods[0].concurrency: " },
        { BACKEND(",\"pods\":[{\"url\":\"http://x\",\"concurency\":1}]"), "concurrency" },
        { BACKEND(",\"url\":\"http://x\",\"concurrency\":257"), "models.backends[0].concurrency: " },
        { BACKEND(",\"url\":\"http://x\",\"key_file\":\"none.key\""), "models.backends[0].key_file: none.key cannot be read" },
        { BACKEND(",\"url\":\"http://x\",\"ca_file\":\"none.pem\""), "models.backends[0].ca_file: none.pem cannot be read" },
        { BACKEND(",\"url\":\"http://x\",\"key\":\"sk\""), "key_file" },                       // a key stands in no config file
        { "{\"backends\":[{\"name\":\"engine\",\"url\":\"http://x\",\"models\":[{\"name\":\"m\"}]}]}", "built in" },
        { "{\"backends\":[{\"name\":\"a b\",\"url\":\"http://x\",\"models\":[{\"name\":\"m\"}]}]}", "models.backends[0].name: " },
        { "{\"backends\":[{\"name\":\"a\",\"url\":\"http://x\",\"models\":[]}]}", "models.backends[0].models: " },
        { "{\"backends\":[{\"name\":\"a\",\"url\":\"http://x\",\"models\":[{\"name\":\"m\"},{\"name\":\"m\"}]}]}", "models.backends[0].models[1].name: \"m\" stands there twice" },
        { "{\"backends\":[{\"name\":\"a\",\"url\":\"http://x\",\"models\":[{\"name\":\"m\"}]},{\"name\":\"a\",\"url\":\"http://y\",\"models\":[{\"name\":\"m\"}]}]}", "models.backends[1].name: " },
        { MODEL(",\"can\":[\"chatt\"]"), "models.backends[0].models[0].can[0]: no model can \"chatt\"; did you mean \"chat\"?" },
        { MODEL(",\"can\":[]"), "models.backends[0].models[0].can: " },
        { MODEL(",\"languages\":[\"k o\"]"), "models.backends[0].models[0].languages[0]: " },
        { MODEL(",\"languages\":[\"ko_KR\"]"), "models.backends[0].models[0].languages[0]: expected a language tag" },
        { MODEL(",\"only_languages\":true"), "models.backends[0].models[0].only_languages: " },
        { MODEL(",\"languages\":[\"en\",\"*\"],\"only_languages\":true"), "models.backends[0].models[0].only_languages: " },
        { MODEL(",\"only_languages\":1"), "models.backends[0].models[0].only_languages: " },
        { "{\"by_language\":[\"ko\"]}", "models.by_language: " },
        { "{\"by_language\":{\"k o\":\"smollm2-135m-instruct\"}}", "models.by_language: \"k o\" is no language tag" },
        { "{\"by_language\":{\"ko\":\"\"}}", "models.by_language.ko: expected a model's name" },
        { "{\"by_language\":{\"ko\":7}}", "models.by_language.ko: expected a model's name" },
        { "{\"by_language\":{\"ko\":\"smollm2-135m-instrct\"}}", "models.by_language.ko: no backend has a model \"smollm2-135m-instrct\" for that; did you mean" },
        { "{\"by_language\":{\"iw\":\"smollm2-135m-instruct\",\"he\":\"smollm2-135m-instruct\"}}", "models.by_language.he: the same language as another" },
        { MODEL(",\"context\":1"), "models.backends[0].models[0].context: " },
        { MODEL(",\"price\":{\"prompt\":20}"), "models.backends[0].models[0].price.prompt: expected a decimal string" },
        { MODEL(",\"price\":{\"prompt\":\"-1\"}"), "models.backends[0].models[0].price.prompt: " },
        { MODEL(",\"price\":{\"prompt\":\"1000000000000000000\"}"), "models.backends[0].models[0].price.prompt: " },
        { MODEL(",\"price\":{\"promt\":\"1\"}"), "prompt" },
        { "{\"price\":{\"burn_bps\":10001}}", "models.price.burn_bps: " },
        { "{\"limits\":{\"plugins\":{}}}", "plugin" },
        { "{\"limits\":{\"plugin\":{\"tokens_minute\":0}}}", "models.limits.plugin.tokens_minute: " },
        { "{\"limits\":{\"plugin\":{\"tokens_hour\":1}}}", "tokens_hour" },
        { "{\"cache\":{\"bytes\":-1}}", "models.cache.bytes: " },
        { "{\"record\":\"none\"}", "models.record: " },
        { "{\"filters\":{\"refuse\":[\"a\\nb\"]}}", "models.filters.refuse[0]: " },
        { "{\"queue\":{\"most\":0}}", "models.queue.most: " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum fr_status st = read_text(cases[i].text);
        if (st != FR_E_INVALID || !strstr(err.text, cases[i].told)) printf("  %s\n  told: %s\n  want: %s\n", cases[i].text, err.text, cases[i].told);
        CHECK(st == FR_E_INVALID && strstr(err.text, cases[i].told) && strncmp(err.text, "models", 6) == 0);
        CHECK_TEXT(err.code, "models");
        CHECK(((unsigned char *)&s)[0] == 0x5a && ((unsigned char *)&s)[sizeof s - 1] == 0x5a);        // a failure leaves it alone
    }
}

static void test_a_key_is_one_line_and_stands_in_no_error(void)
{
    static const char *const bad[] = { "", "\n", "SECRET KEY\n", "SECRET\tx", "SECRET\x80" };
    static char long_key[LLM_SECRET_BYTES + 1];
    memset(long_key, 'S', LLM_SECRET_BYTES);
    for (size_t i = 0; i < 6; i++) {
        put_file("bad.key", i < 5 ? bad[i] : long_key);
        CHECK(read_text(BACKEND(",\"url\":\"http://x\",\"key_file\":\"bad.key\"")) == FR_E_INVALID && strstr(err.text, "models.backends[0].key_file: bad.key does not hold a key") && !strstr(err.text, "SECRET"));
    }
    long_key[LLM_SECRET_BYTES - 1] = 0;
    put_file("bad.key", long_key);
    CHECK(read_text(BACKEND(",\"url\":\"http://x\",\"key_file\":\"bad.key\"")) == FR_OK);
    CHECK_TEXT(s.backends[1].key, long_key);
}

static void test_one_step_past_each_bound(void)
{
    static struct fr_buf b;
    for (int over = 0; over < 2; over++) {
        fr_buf_init(&b, 1 << 20);
        fr_buf_add(&b, "{\"backends\":[");
        for (int i = 0; i < LLM_BACKENDS_MAX - 1 + over; i++) fr_buf_addf(&b, "%s{\"name\":\"b%d\",\"url\":\"http://x\",\"models\":[{\"name\":\"m\"}]}", i ? "," : "", i);
        fr_buf_add(&b, "]}");
        CHECK(read_text(b.data) == (over ? FR_E_INVALID : FR_OK));         // the engine is one of them
        fr_buf_clear(&b);
        fr_buf_add(&b, "{\"backends\":[{\"name\":\"a\",\"pods\":[");
        for (int i = 0; i < LLM_PODS_MAX + over; i++) fr_buf_addf(&b, "%s{\"url\":\"http://x%d\"}", i ? "," : "", i);
        fr_buf_add(&b, "],\"models\":[{\"name\":\"m\"}]}]}");
        CHECK(read_text(b.data) == (over ? FR_E_INVALID : FR_OK));
        fr_buf_clear(&b);
        fr_buf_add(&b, "{\"backends\":[{\"name\":\"a\",\"url\":\"http://x\",\"models\":[");
        for (int i = 0; i < LLM_MODELS_MAX + over; i++) fr_buf_addf(&b, "%s{\"name\":\"m%d\"}", i ? "," : "", i);
        fr_buf_add(&b, "]}]}");
        CHECK(read_text(b.data) == (over ? FR_E_INVALID : FR_OK));
        fr_buf_clear(&b);
        fr_buf_add(&b, "{\"by_language\":{");
        for (int i = 0; i < LLM_BY_LANGUAGE_MAX + over; i++) fr_buf_addf(&b, "%s\"x%c%c\":\"smollm2-135m-instruct\"", i ? "," : "", 'a' + i / 26, 'a' + i % 26);
        fr_buf_add(&b, "}}");
        CHECK(read_text(b.data) == (over ? FR_E_INVALID : FR_OK));
        fr_buf_free(&b);
    }
}

static void test_capabilities_have_names(void)
{
    for (unsigned bit = 1; bit <= LLM_CAN_LOGPROBS; bit <<= 1) CHECK(llm_can_name(bit)[0] && llm_can_named(llm_can_name(bit)) == bit);
    CHECK(llm_can_named("chatt") == 0 && llm_can_name(256)[0] == 0);
}

int main(void)
{
    CHECK(mkdtemp(folder) != NULL);
    TEST(test_nothing_said_is_the_engine_alone_and_free);
    TEST(test_everything_said_is_read);
    TEST(test_each_slip_is_named);
    TEST(test_a_key_is_one_line_and_stands_in_no_error);
    TEST(test_one_step_past_each_bound);
    TEST(test_capabilities_have_names);
    static const char *const files[] = { "big.key", "ca.pem", "bad.key" };
    for (int i = 0; i < 3; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
    return TEST_END();
}
