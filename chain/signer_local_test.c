// signer_local_test.c — the port over the real release signer: batches, refusals, deadlines that pass, a signer that dies, that lies, that never starts.
// It is named by FROND_SIGNER, or stands beside this program's folder.
#include "chain/signer_local.h"
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/check.h"
#include "base/mem.h"
#include "chain/abi.h"
#include "chain/keystore.h"

#define TOKEN "0x1111111111111111111111111111111111111111"
static const char policy[] = "{\"chain_id\":\"31337\",\"gas\":{\"limit\":\"300000\",\"max_fee\":\"100\",\"max_tip\":\"10\",\"day\":\"999999999999999\"},"
    "\"tokens\":[{\"address\":\"" TOKEN "\",\"to\":\"any\",\"spenders\":[\"" TOKEN "\"],\"each\":\"1000\",\"day\":\"1000000\",\"permit\":{\"name\":\"Palm\",\"version\":\"1\"}}]}";
static const uint8_t secret[SECRET_KEY_BYTES] = { 1, 2, 3 };
static char signer_path[PATH_MAX];
static struct address from;
static uint8_t calldata[68];

static void find_signer(const char *self)
{
    char beside[4096];
    const char *named = getenv("FROND_SIGNER"), *slash = strrchr(self, '/');
    snprintf(beside, sizeof beside, "%.*s/../../frond-signer", slash ? (int)(slash - self) : 1, slash ? self : ".");
    if (!realpath(named ? named : beside, signer_path)) printf("  there is no %s\n", named ? named : beside);
}

static int file_of(const void *bytes, size_t len)
{
    char path[] = "/tmp/frond-signer-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
    unlink(path);
    return fd;
}

struct host { uv_loop_t loop; struct signer_local *s; struct signer_facts facts; int readies, gones, stopped; struct fr_err why; };

static void on_ready(void *arg, const struct signer_facts *facts) { struct host *h = arg; h->facts = *facts; h->readies++; }
static void on_gone(void *arg, const struct fr_err *why) { struct host *h = arg; h->why = *why; h->gones++; }
static void on_stopped(void *arg) { struct host *h = arg; h->stopped++; }

static int64_t ask_ms;
static enum fr_status begin(struct host *h, const char *program, const char *passphrase, struct fr_err *err)
{
    static const struct keystore cheap = { .n = 1024, .r = 8, .p = 1 };
    FR_AUTO_BUF(text);
    fr_buf_init(&text, KEYSTORE_BYTES_MAX);
    memset(h, 0, sizeof *h);
    uv_loop_init(&h->loop);
    CHECK(keystore_make(secret, "open", 4, &cheap, &text, NULL) == FR_OK);
    struct signer_local_options o = { .loop = &h->loop, .program = program, .policy_fd = file_of(policy, sizeof policy - 1), .tally_fd = file_of("", 0), .passphrase_fd = file_of(passphrase, strlen(passphrase)),
                                      .keystore_fds = { file_of(text.data, text.len) }, .key_count = 1, .ask_ms = ask_ms, .on_ready = on_ready, .on_gone = on_gone, .arg = h };
    enum fr_status status = signer_local_start(&o, &h->s, err);
    CHECK(h->readies == 0 && h->gones == 0);             // never from inside
    close(o.policy_fd);
    close(o.tally_fd);
    close(o.passphrase_fd);
    close(o.keystore_fds[0]);
    while (status == FR_OK && !h->readies && !h->gones) uv_run(&h->loop, UV_RUN_ONCE);
    return status;
}

static void end(struct host *h)
{
    if (h->s) signer_local_stop(h->s, on_stopped, h);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    CHECK(!h->s || h->stopped == 1);
    CHECK_INT(uv_loop_close(&h->loop), 0);
}

struct asked { int calls; enum fr_status status; struct tx tx; uint8_t raw[1024]; size_t raw_len; uint8_t hash[32]; struct signature sig; char code[FR_ERR_CODE_BYTES]; };

static void on_signed(void *arg, enum fr_status status, const struct sign_answer *answer, const struct fr_err *err)
{
    struct asked *a = arg;
    a->calls++;
    a->status = status;
    if (status != FR_OK) snprintf(a->code, sizeof a->code, "%s", err->code);
    if (status != FR_OK) return;
    a->sig = answer->sig;
    a->raw_len = answer->raw_len;
    if (answer->raw) memcpy(a->raw, answer->raw, answer->raw_len);
    memcpy(a->hash, answer->hash, 32);
}

static struct sign_ask pay(uint64_t nonce, uint64_t amount)
{
    struct sign_ask a = { .kind = SIGN_A_TX, .from = from };
    a.tx = (struct tx){ .kind = nonce % 2 ? TX_FEE_MARKET : TX_LEGACY, .chain_id = 31337, .nonce = nonce, .gas_limit = 60000, .max_fee = u256_of(100), .max_tip = u256_of(nonce % 2 ? 10 : 0), .data = calldata, .data_len = sizeof calldata };
    FR_IGNORE(address_parse(TOKEN, &a.tx.to, NULL));
    u256_to_bytes(u256_of(amount), calldata + 36);
    return a;
}

static enum fr_status sign(struct host *h, const struct sign_ask *a, struct asked *asked, struct fr_err *err)
{
    struct chain_signer *port = signer_local_port(h->s);
    asked->tx = a->tx;
    return port->sign(port, a, on_signed, asked, err);
}

static void wait_for(struct host *h, const struct asked *a)
{
    while (!a->calls) uv_run(&h->loop, UV_RUN_ONCE);
}

static void test_a_batch_is_signed_as_it_was_asked(void)
{
    static struct asked asked[600];
    struct host h;
    struct fr_err err;
    CHECK(begin(&h, signer_path, "open", &err) == FR_OK && h.readies == 1);
    CHECK(h.facts.key_count == 1 && address_equal(&h.facts.addresses[0], &from) && h.facts.chain_id == 31337);
    memset(asked, 0, sizeof asked);
    for (int i = 0; i < 600; i++) {
        struct sign_ask a = pay((uint64_t)i, 1 + (uint64_t)i);
        CHECK(sign(&h, &a, &asked[i], &err) == FR_OK);
        CHECK_INT(asked[i].calls, 0);
    }
    wait_for(&h, &asked[599]);
    for (int i = 0; i < 600; i++) {
        struct sign_ask a = pay((uint64_t)i, 1 + (uint64_t)i);
        struct tx back;
        struct signature sig;
        struct address who;
        CHECK(asked[i].calls == 1 && asked[i].status == FR_OK);
        CHECK(tx_read(asked[i].raw, asked[i].raw_len, &back, &sig, &who, &err) == FR_OK && address_equal(&who, &from));
        CHECK(back.nonce == (uint64_t)i && back.kind == a.tx.kind && back.data_len == sizeof calldata && memcmp(back.data, calldata, sizeof calldata) == 0);
    }
    end(&h);
}

static void test_refusals_and_permits(void)
{
    struct host h;
    struct fr_err err;
    struct asked a = { 0 }, b = { 0 }, c = { 0 };
    CHECK(begin(&h, signer_path, "open\n", &err) == FR_OK && h.readies == 1);
    struct sign_ask ask = pay(1, 1001);
    CHECK(sign(&h, &ask, &a, &err) == FR_OK);
    ask = (struct sign_ask){ .kind = SIGN_A_PERMIT, .from = from, .permit = { .chain_id = 31337, .value = u256_of(5), .deadline_s = (uint64_t)time(NULL) + 60 } };
    FR_IGNORE(address_parse(TOKEN, &ask.permit.token, NULL));
    ask.permit.spender = ask.permit.token;
    CHECK(sign(&h, &ask, &b, &err) == FR_OK);
    wait_for(&h, &b);
    CHECK(a.status == FR_E_DENIED && b.status == FR_OK && b.raw_len == 0);
    CHECK_TEXT(a.code, "sign_each");
    ask = pay(1, 1);
    ask.tx.creates = true;
    CHECK_INT(sign(&h, &ask, &c, &err), FR_E_INVALID);   // not sent at all, and the channel is whole
    ask = pay(2, 1);
    CHECK(sign(&h, &ask, &c, &err) == FR_OK);
    wait_for(&h, &c);
    CHECK(c.calls == 1 && c.status == FR_OK);
    end(&h);
}

static void test_so_many_open_asks_and_no_more(void)
{
    static struct asked asked[SIGNER_OPEN_MAX + 1];
    struct host h;
    struct fr_err err;
    memset(asked, 0, sizeof asked);
    CHECK(begin(&h, signer_path, "open", &err) == FR_OK && h.readies == 1);
    for (int i = 0; i <= SIGNER_OPEN_MAX; i++) {
        struct sign_ask a = pay(7, 1);                   // the same again and again: counted once
        enum fr_status status = sign(&h, &a, &asked[i], &err);
        CHECK_INT(status, i < SIGNER_OPEN_MAX ? FR_OK : FR_E_BUSY);
    }
    CHECK_TEXT(err.code, "signer_busy");
    wait_for(&h, &asked[SIGNER_OPEN_MAX - 1]);
    int well = 0;
    for (int i = 0; i < SIGNER_OPEN_MAX; i++) well += asked[i].calls == 1 && asked[i].status == FR_OK;
    CHECK_INT(well, SIGNER_OPEN_MAX);
    if (h.gones) printf("  %s\n", h.why.text);
    end(&h);
}

// What comes after its time is dropped, and what was asked later is not mistaken for it.
static void test_a_late_answer_is_nobodys(void)
{
    static struct asked asked[40], later;
    struct host h;
    struct fr_err err;
    memset(asked, 0, sizeof asked);
    later = (struct asked){ 0 };
    ask_ms = 150;
    CHECK(begin(&h, signer_path, "open", &err) == FR_OK && h.readies == 1);
    kill(signer_local_pid(h.s), SIGSTOP);
    for (int i = 0; i < 40; i++) {
        struct sign_ask a = pay((uint64_t)i, 1);
        CHECK(sign(&h, &a, &asked[i], &err) == FR_OK);
        uv_run(&h.loop, UV_RUN_NOWAIT);
    }
    wait_for(&h, &asked[39]);
    for (int i = 0; i < 40; i++) CHECK(asked[i].calls == 1 && asked[i].status == FR_E_TIMEOUT);
    struct sign_ask a = pay(77, 5);
    CHECK(sign(&h, &a, &later, &err) == FR_OK);
    uv_run(&h.loop, UV_RUN_NOWAIT);
    kill(signer_local_pid(h.s), SIGCONT);
    wait_for(&h, &later);
    struct tx back = { 0 };
    struct signature sig;
    struct address who;
    CHECK(later.status == FR_OK && tx_read(later.raw, later.raw_len, &back, &sig, &who, &err) == FR_OK && back.nonce == 77 && address_equal(&who, &from));
    for (int i = 0; i < 40; i++) CHECK_INT(asked[i].calls, 1);
    ask_ms = 0;
    end(&h);
}

// Each allocation of a start, an ask and its answer fails in turn: it is told, or it works; nothing leaks, nothing is called twice.
static void test_memory_that_runs_out(void)
{
    struct host h;
    struct fr_err err;
    int refused = 0;
    CHECK(begin(&h, signer_path, "open", &err) == FR_OK && h.readies == 1);
    for (int nth = 1; nth < 12; nth++) {
        struct asked a = { 0 }, b = { 0 };
        struct sign_ask ask = pay((uint64_t)nth, 1);
        fr_mem_fail_some(nth, 1);
        enum fr_status status = sign(&h, &ask, &a, &err);
        fr_mem_fail_some(0, 0);
        CHECK(status == FR_OK || status == FR_E_NOMEM);
        refused += status != FR_OK;
        ask = pay(100 + (uint64_t)nth, 1);
        CHECK(sign(&h, &ask, &b, &err) == FR_OK);
        wait_for(&h, &b);
        CHECK(b.status == FR_OK && a.calls == (status == FR_OK));
    }
    CHECK(refused > 0);
    end(&h);
}

static void test_a_killed_signer_answers_everybody(void)
{
    static struct asked asked[100];
    struct host h;
    struct fr_err err;
    memset(asked, 0, sizeof asked);
    CHECK(begin(&h, signer_path, "open", &err) == FR_OK && h.readies == 1);
    kill(signer_local_pid(h.s), SIGSTOP);
    for (int i = 0; i < 100; i++) {
        struct sign_ask a = pay((uint64_t)i, 1);
        CHECK(sign(&h, &a, &asked[i], &err) == FR_OK);
    }
    uv_run(&h.loop, UV_RUN_NOWAIT);
    kill(signer_local_pid(h.s), SIGKILL);
    while (!h.gones) uv_run(&h.loop, UV_RUN_ONCE);
    for (int i = 0; i < 100; i++) CHECK(asked[i].calls == 1 && asked[i].status == FR_E_BUSY);
    CHECK_TEXT(asked[0].code, "signer_lost");
    CHECK_TEXT(h.why.code, "signer_lost");
    struct sign_ask a = pay(1, 1);
    struct asked late = { 0 };
    CHECK_INT(sign(&h, &a, &late, &err), FR_E_BUSY);
    end(&h);
    CHECK(h.gones == 1 && late.calls == 0);
}

static void test_a_stop_answers_everybody(void)
{
    struct host h;
    struct fr_err err;
    struct asked asked = { 0 };
    CHECK(begin(&h, signer_path, "open", &err) == FR_OK && h.readies == 1);
    struct sign_ask a = pay(1, 1);
    CHECK(sign(&h, &a, &asked, &err) == FR_OK);
    end(&h);
    CHECK(asked.calls == 1 && h.gones == 0);
}

static void test_what_does_not_start(void)
{
    struct host h;
    struct fr_err err;
    CHECK(begin(&h, signer_path, "closed", &err) == FR_OK);
    CHECK(h.readies == 0 && h.gones == 1 && h.why.status == FR_E_AUTH);
    CHECK_TEXT(h.why.code, "passphrase_wrong");
    end(&h);
    CHECK(begin(&h, "/bin/true", "open", &err) == FR_OK);
    CHECK(h.readies == 0 && h.gones == 1);
    CHECK_TEXT(h.why.code, "signer_lost");
    end(&h);
    CHECK_INT(begin(&h, "/nonexistent/frond-signer", "open", &err), FR_E_IO);
    end(&h);
}

// ---- a signer that lies: this program, played by itself

static const struct { const char *name, *bytes; size_t len; } lies[] = {
    { "huge", "\xff\xff\xff\x7f\x60\0\0\0\0\0\0\0\0\0\0\0", 16 },
    { "an ask", "\0\0\0\0\x21\0\0\0\1\0\0\0\0\0\0\0", 16 },
    { "an answer nobody asked for", "\0\0\0\0\x62\0\0\0\1\0\0\0\0\0\0\0", 16 },
    { "a READY without facts", "\2\0\0\0\x60\0\0\0\0\0\0\0\0\0\0\0{}", 18 },
    { "text", "hello, I am your signer", 23 },
};

static void test_a_signer_that_lies_is_ended(void)
{
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct host h;
        struct fr_err err;
        char which[2] = { (char)('a' + i) };
        CHECK(begin(&h, "/proc/self/exe", which, &err) == FR_OK);
        CHECK(h.readies == 0 && h.gones == 1);
        if (strcmp(h.why.code, "signer_protocol") != 0) printf("  %s: %s\n", lies[i].name, h.why.text);
        CHECK_TEXT(h.why.code, "signer_protocol");
        end(&h);
    }
}

// Which lie it is stands where a passphrase would.
static int lie(void)
{
    char no = 0;
    if (read(6, &no, 1) != 1 || no < 'a' || (size_t)(no - 'a') >= sizeof lies / sizeof *lies) return 1;
    if (write(3, lies[no - 'a'].bytes, lies[no - 'a'].len) < 0) return 1;
    pause();
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[0], "frond-signer") == 0) return lie();
    find_signer(argv[0]);
    FR_IGNORE(secret_key_address(secret, &from, NULL));
    abi_selector("transfer(address,uint256)", calldata);
    memset(calldata + 16, 0x77, ADDRESS_BYTES);
    TEST(test_a_batch_is_signed_as_it_was_asked);
    TEST(test_refusals_and_permits);
    TEST(test_so_many_open_asks_and_no_more);
    TEST(test_a_late_answer_is_nobodys);
    TEST(test_memory_that_runs_out);
    TEST(test_a_killed_signer_answers_everybody);
    TEST(test_a_stop_answers_everybody);
    TEST(test_what_does_not_start);
    TEST(test_a_signer_that_lies_is_ended);
    return TEST_END();
}
