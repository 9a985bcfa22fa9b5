// keys_test.c — a signer that cannot be had: asks are refused or answered, never lost, and what is wrong is said without the URL. A real frond-signer is in tests/flow/chain.test.mjs.
#include "treasury/keys.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/test.h"

static uv_loop_t loop;
static struct net_client *client;
static struct keys *keys;
static struct fr_err err;
static bool ended;
static int answers;
static enum fr_status answered;

static void on_end(void *arg) { (void)arg; ended = true; }
static void on_signed(void *arg, enum fr_status status, const struct sign_answer *answer, const struct fr_err *e)
{
    (void)arg;
    (void)answer;
    answers++;
    answered = status;
    CHECK(status == FR_OK || strstr(e->text, "SECRET") == NULL);
}

static void run_until(bool (*done)(void))
{
    for (int64_t stop = fr_mono_ms() + 10000; !done() && fr_mono_ms() < stop; usleep(1000)) uv_run(&loop, UV_RUN_NOWAIT);
}
static bool is_ended(void) { return ended; }
static bool is_answered(void) { return answers > 0; }

static void begin(const struct signer_settings *s)
{
    struct net_client_options o = { .loop = &loop };
    uv_loop_init(&loop);
    CHECK(net_client_start(&o, &client, &err) == FR_OK);
    ended = false;
    answers = 0;
    struct keys_options k = { .loop = &loop, .client = client, .program = "/nowhere/frond-signer", .settings = s, .key = { { 1 } }, .chain_id = 31337 };
    keys_new(&k, &keys);
}

static void end(void)
{
    keys_stop(keys, on_end, NULL);
    run_until(is_ended);
    CHECK(ended);
    ended = false;
    net_client_stop(client, on_end, NULL);
    run_until(is_ended);
    CHECK(ended);
    keys_free(keys);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
}

static enum fr_status sign(void)
{
    struct sign_ask ask = { .kind = SIGN_A_TX, .from = { { 1 } }, .tx = { .kind = TX_FEE_MARKET, .chain_id = 31337, .gas_limit = 21000, .max_fee = u256_of(10), .max_tip = u256_of(1), .data = (const uint8_t *)"" } };
    return keys_port(keys)->sign(keys_port(keys), &ask, on_signed, NULL, &err);
}

static void test_another_machine_that_is_not_there(void)
{
    static struct signer_settings s;
    struct keys_facts f;
    s = (struct signer_settings){ .where = SIGNER_REMOTE, .url = "http://127.0.0.1:9/SECRET" };
    begin(&s);
    CHECK(sign() == FR_OK && answers == 0);            // never from inside
    run_until(is_answered);
    CHECK(answers == 1 && answered == FR_E_IO);
    keys_facts(keys, &f);
    CHECK(f.state == KEYS_DOWN && strcmp(f.kind, "remote") == 0);
    CHECK_TEXT(f.code, "client_unreachable");
    CHECK(strstr(f.text, "SECRET") == NULL);
    CHECK(sign() == FR_OK);                            // it is asked again all the same: it may be back
    end();
    CHECK_INT(answers, 2);                             // the last one when the client stopped
}

static void test_files_that_are_not_there_are_looked_for_again_and_again(void)
{
    static struct signer_settings s;
    struct keys_facts f;
    s = (struct signer_settings){ .where = SIGNER_LOCAL, .policy = "/nowhere/policy", .tally = "/nowhere/tally", .passphrase = "/nowhere/passphrase", .keystores = { "/nowhere/key" }, .keystore_count = 1 };
    begin(&s);
    keys_facts(keys, &f);
    CHECK(f.state == KEYS_DOWN && f.starts == 1 && f.pid == 0 && strstr(f.text, "/nowhere/policy"));
    CHECK_TEXT(f.code, "signer_file");
    CHECK(sign() == FR_E_BUSY && strcmp(err.code, "signer_busy") == 0 && strstr(err.text, "/nowhere/policy"));
    int64_t now = 1000000;
    keys_tick(keys, now);
    int64_t wait = KEYS_AGAIN_MS_MIN;
    for (int i = 0; i < 8; i++, wait = 2 * wait > KEYS_AGAIN_MS_MAX ? KEYS_AGAIN_MS_MAX : 2 * wait) {      // 1, 2, 4 .. 60 s
        keys_tick(keys, now + wait - 1);
        keys_facts(keys, &f);
        CHECK_INT(f.starts, i + 1);
        keys_tick(keys, now += wait);
        keys_facts(keys, &f);
        CHECK_INT(f.starts, i + 2);
        keys_tick(keys, now);
    }
    end();
}

int main(void)
{
    TEST(test_another_machine_that_is_not_there);
    TEST(test_files_that_are_not_there_are_looked_for_again_and_again);
    return TEST_END();
}
