// serve_test.c — turns of frames: every answer, in order, in one go; forged, half and huge frames; a tally that cannot be written.
#include "signer/serve.h"
#include <pthread.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "chain/sign_wire.h"
#include "ipc/frame.h"
#include "ipc/sign.h"
#include "signer/testing.h"

static struct signer s;
static struct fr_buf in, out;
static struct fr_err err;

static void begin(void)
{
    static int fd = -1;
    if (fd >= 0) close(fd);
    fd = test_file();
    test_signer(&s, fd, 2);
    fr_buf_free(&in);
    fr_buf_free(&out);
    fr_buf_init(&in, 1 << 20);
    fr_buf_init(&out, 1 << 23);
}

static void put(uint32_t id, const struct sign_ask *a)
{
    FR_AUTO_BUF(payload);
    fr_buf_init(&payload, SIGNER_FRAME_BYTES_MAX);
    CHECK(sign_wire_put(a, &payload, NULL) == FR_OK);
    frame_put(&in, &(struct frame){ .kind = a->kind == SIGN_A_TX ? SIGN_TX : a->kind == SIGN_A_PERMIT ? SIGN_PERMIT : SIGN_SIWE, .id = id, .len = (uint32_t)payload.len, .payload = payload.data });
}
#define PUT(id, ask) do { struct sign_ask a_ = (ask); put(id, &a_); } while (0)

static void turn(void)
{
    size_t used = 0;
    fr_buf_clear(&out);
    CHECK(serve_turn(&s, in.data, in.len, TEST_NOW_MS, &used, &out, &err) == FR_OK);
    fr_buf_consume(&in, used);
}

// The next answer: "" for a signature, else the refusal's code.
static size_t at;
static const char *next(uint32_t id, struct signature *sig)
{
    static char code[FR_ERR_CODE_BYTES];
    struct frame f;
    struct frame_cursor c;
    const char *bytes;
    size_t len;
    if (frame_next_of(out.data + at, out.len - at, SIGN_ANSWER_FIRST, SIGN_ANSWER_LAST, SIGNER_FRAME_BYTES_MAX, &f, &err) != 1) return "no frame";
    at += FRAME_HEADER_BYTES + f.len;
    if (f.id != id || f.kind != SIGN_DONE) return "another frame";
    if (f.status == FRAME_OK) return f.len == SIGNATURE_BYTES && signature_read((const uint8_t *)f.payload, sig, &err) == FR_OK ? "" : "no signature";
    frame_sections(&f, &c);
    if (!frame_take(&c, &bytes, &len)) return "no code";
    snprintf(code, sizeof code, "%.*s", (int)len, bytes);
    return code;
}

static void signed_by_key(const struct sign_ask *a, const struct signature *sig)
{
    uint8_t hash[32];
    struct address who;
    CHECK(tx_signing_hash(&a->tx, hash, NULL) == FR_OK);
    CHECK(signature_signer(sig, hash, &who, NULL) == FR_OK && address_equal(&who, &a->from));        // it refuses the higher s
}

static void test_a_turn_is_answered_in_order(void)
{
    begin();
    struct signature sig;
    struct sign_ask burn = test_burn(&s.addresses[1], 400);
    put(7, &burn);
    PUT(8, test_pay(&s.addresses[0], "transfer(address,uint256)", TOKEN, OTHER, 1));
    frame_put(&in, &(struct frame){ .kind = SIGN_LIST, .id = 9 });
    PUT(10, test_permit(&s.addresses[0], TOKEN, BURN, 9));
    PUT(11, test_siwe(&s.addresses[0]));
    struct address stranger = test_address(OTHER);
    PUT(12, test_siwe(&stranger));
    turn();
    CHECK_INT(in.len, 0);
    at = 0;
    CHECK_TEXT(next(7, &sig), "");
    burn = test_burn(&s.addresses[1], 400);
    signed_by_key(&burn, &sig);
    CHECK_TEXT(next(8, &sig), "sign_payee");
    struct frame f;
    CHECK(frame_next_of(out.data + at, out.len - at, SIGN_ANSWER_FIRST, SIGN_ANSWER_LAST, SIGNER_FRAME_BYTES_MAX, &f, &err) == 1);
    CHECK(f.kind == SIGN_KEYS && f.id == 9 && f.len == 40 && memcmp(f.payload, s.addresses, 40) == 0);
    at += FRAME_HEADER_BYTES + f.len;
    CHECK_TEXT(next(10, &sig), "");
    CHECK_TEXT(next(11, &sig), "");
    uint8_t bytes[SIGNATURE_BYTES];
    signature_print(&sig, bytes);
    struct sign_ask siwe = test_siwe(&s.addresses[0]);
    CHECK(siwe_check(&siwe.siwe, bytes, TEST_NOW_MS, &err) == FR_OK);
    CHECK_TEXT(next(12, &sig), "sign_key");
    CHECK_INT(at, out.len);
    test_signer_end(&s);
}

static void test_the_same_ask_has_the_same_signature(void)
{
    begin();
    struct signature a, b;
    PUT(1, test_burn(&s.addresses[0], 300));
    PUT(2, test_burn(&s.addresses[0], 300));
    turn();
    at = 0;
    CHECK_TEXT(next(1, &a), "");
    CHECK_TEXT(next(2, &b), "");
    CHECK(memcmp(&a, &b, sizeof a) == 0);                        // RFC 6979
    CHECK(u256_compare(tally_spent(s.tally, SPEND_BURN, &(struct address){ { 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22 } }), u256_of(300)) == 0);
    test_signer_end(&s);
}

static void test_the_days_limit_over_many_turns(void)
{
    begin();
    struct signature sig;
    uint64_t signed_units = 0;
    for (uint32_t i = 1; i <= 30; i++) {
        struct sign_ask a = test_burn(&s.addresses[0], 70);
        a.tx.nonce = i;
        put(i, &a);
        turn();
        at = 0;
        const char *said = next(i, &sig);
        if (!*said) signed_units += 70;
        else CHECK_TEXT(said, "sign_day");
    }
    CHECK_INT(signed_units, 840);                                // 12 of 70 in 900
    test_signer_end(&s);
}

static void test_without_a_written_count_nothing_leaves(void)
{
    begin();
    struct signature sig;
    struct rlimit before, small;
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = before;
    small.rlim_cur = 1;
    PUT(1, test_burn(&s.addresses[0], 100));
    frame_put(&in, &(struct frame){ .kind = SIGN_LIST, .id = 2 });
    PUT(3, test_siwe(&s.addresses[0]));
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    turn();
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    at = 0;
    CHECK_TEXT(next(1, &sig), "tally_unwritten");
    at += FRAME_HEADER_BYTES + 40;
    CHECK_TEXT(next(3, &sig), "tally_unwritten");
    CHECK_INT(at, out.len);
    PUT(4, test_burn(&s.addresses[0], 100));                     // asked again: counted once, and now it may leave
    turn();
    at = 0;
    CHECK_TEXT(next(4, &sig), "");
    test_signer_end(&s);
}

// One life: one ask of 7 to burn. It dies by SIGKILL after the count is on disk and before the answer leaves, or it answers. Whether it was signed.
static bool one_life(int tally_fd, uint64_t nonce, bool dies)
{
    int said[2], status = 0;
    char answer = 0;
    CHECK(pipe(said) == 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct signature sig;
        test_signer(&s, tally_fd, 1);
        struct sign_ask a = test_burn(&s.addresses[0], 7);
        a.tx.nonce = nonce;
        a.tx.max_fee = u256_of(10);
        a.tx.max_tip = u256_of(1);
        put(1, &a);
        turn();
        at = 0;
        const char *code = next(1, &sig);
        if (dies) raise(SIGKILL);
        answer = *code ? 'n' : 'y';
        ssize_t wrote = write(said[1], &answer, 1);
        _exit(wrote != 1);
    }
    close(said[1]);
    bool signed_it = read(said[0], &answer, 1) == 1 && answer == 'y';
    close(said[0]);
    CHECK(waitpid(pid, &status, 0) == pid && (dies ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0));
    return signed_it;
}

static void test_a_death_between_count_and_answer(void)
{
    FR_AUTO_FD int tally_fd = test_file();
    int signed_count = 0;
    fr_buf_clear(&in);
    for (uint64_t nonce = 1; nonce <= 150; nonce++) signed_count += one_life(tally_fd, nonce, nonce % 2);
    CHECK_INT(signed_count, 64);                                 // of 128 that the day holds, every second died with its answer
    for (uint64_t nonce = 1; nonce <= 150; nonce += 2) signed_count += one_life(tally_fd, nonce, false);
    CHECK_INT(signed_count, 128);                                // asked again, they are not counted again; 128 of 7 in 900
    for (uint64_t nonce = 151; nonce < 160; nonce++) CHECK(!one_life(tally_fd, nonce, false));
}

// Each allocation of a turn fails in turn: an ask is refused or signed, and a refused one is counted at most.
static void test_memory_that_runs_out(void)
{
    int refused = 0;
    begin();
    for (int nth = 1; nth < 12; nth++) {
        struct signature sig;
        struct sign_ask burn = test_burn(&s.addresses[0], 1);
        burn.tx.nonce = (uint64_t)nth;
        put(1, &burn);
        PUT(2, test_siwe(&s.addresses[0]));
        fr_buf_clear(&out);
        size_t used = 0;
        fr_mem_fail_some(nth, 1);
        enum fr_status status = serve_turn(&s, in.data, in.len, TEST_NOW_MS, &used, &out, &err);
        fr_mem_fail_some(0, 0);
        CHECK(status == FR_OK && used == in.len);
        fr_buf_consume(&in, used);
        at = 0;
        for (uint32_t id = 1; id <= 2 && !out.failed; id++) {
            const char *code = next(id, &sig);
            CHECK(!*code || strcmp(code, "nomem") == 0 || strcmp(code, "limit") == 0);
            refused += *code != 0;
        }
        if (out.failed) fr_buf_free(&out);               // the signer ends then: SIGNER_EXIT_MEMORY
        if (!out.max) fr_buf_init(&out, 1 << 23);
    }
    CHECK(refused > 0);
    test_signer_end(&s);
}

static void test_bytes_that_are_no_requests(void)
{
    static const struct frame bad[] = {
        { .kind = SIGN_TX, .id = 0 }, { .kind = SIGN_READY, .id = 1 }, { .kind = SIGN_DONE, .id = 1 }, { .kind = FRAME_CALL, .id = 1 }, { .kind = 0, .id = 1 }, { .kind = SIGN_SIWE + 1, .id = 1 },
        { .kind = SIGN_TX, .id = 1, .status = FRAME_REFUSED }, { .kind = SIGN_TX, .id = 1, .call = 1 }, { .kind = SIGN_TX, .id = 1, .ref = 1 }, { .kind = SIGN_LIST, .id = 1, .len = 1, .payload = "x" },
    };
    size_t used;
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fr_buf_clear(&in);
        fr_buf_clear(&out);
        frame_put(&in, &bad[i]);
        CHECK(serve_turn(&s, in.data, in.len, TEST_NOW_MS, &used, &out, &err) != FR_OK);
    }
    static char huge[SIGNER_FRAME_BYTES_MAX + 1];
    for (uint32_t len = SIGNER_FRAME_BYTES_MAX; len <= SIGNER_FRAME_BYTES_MAX + 1; len++) {
        fr_buf_clear(&in);
        fr_buf_clear(&out);
        frame_put(&in, &(struct frame){ .kind = SIGN_TX, .id = 1, .len = len, .payload = huge });
        enum fr_status status = serve_turn(&s, in.data, in.len, TEST_NOW_MS, &used, &out, &err);
        CHECK_INT(status, len == SIGNER_FRAME_BYTES_MAX ? FR_OK : FR_E_LIMIT);         // a frame, if one that says nothing
    }
    CHECK_INT(serve_turn(&s, in.data, FRAME_HEADER_BYTES, TEST_NOW_MS, &used, &out, &err), FR_E_LIMIT);      // not given time for the rest
    test_signer_end(&s);
}

// ---- serve itself, on a socketpair

struct server { int fd, exit; pthread_t thread; };
static void *serve_on(void *arg)
{
    struct server *v = arg;
    v->exit = serve(&s, v->fd);
    close(v->fd);
    return NULL;
}

static int serve_with(const char *bytes, size_t len, bool keep_open)
{
    int pair[2];
    struct server v;
    char sink[4096];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && serve_prepare(pair[1], &err) == FR_OK);
    v.fd = pair[1];
    CHECK(pthread_create(&v.thread, NULL, serve_on, &v) == 0);
    CHECK(write(pair[0], bytes, len) == (ssize_t)len);
    if (!keep_open) shutdown(pair[0], SHUT_WR);
    while (read(pair[0], sink, sizeof sink) > 0) continue;
    pthread_join(v.thread, NULL);
    close(pair[0]);
    return v.exit;
}

static int serve_slowly(const char *bytes, size_t len)
{
    int pair[2];
    struct server v;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && serve_prepare(pair[1], &err) == FR_OK);
    v.fd = pair[1];
    CHECK(pthread_create(&v.thread, NULL, serve_on, &v) == 0);
    for (int i = 0; i < 3; i++) {
        size_t half = i == 1 ? len / 2 : len;            // in one piece, in two that lie close, in one after a long silence
        CHECK(write(pair[0], bytes, half) == (ssize_t)half);
        usleep(i == 0 ? FRAME_PARTIAL_MS * 1200 : 50000);
        if (half < len) CHECK(write(pair[0], bytes + half, len - half) == (ssize_t)(len - half));
    }
    shutdown(pair[0], SHUT_WR);
    char sink[4096];
    size_t got = 0;
    for (ssize_t n; (n = read(pair[0], sink, sizeof sink)) > 0;) got += (size_t)n;
    CHECK_INT(got, 3 * (FRAME_HEADER_BYTES + SIGNATURE_BYTES));
    pthread_join(v.thread, NULL);
    close(pair[0]);
    return v.exit;
}

static void test_how_a_channel_ends(void)
{
    begin();
    PUT(1, test_burn(&s.addresses[0], 1));
    CHECK_INT(serve_with(in.data, in.len, false), SIGNER_EXIT_DONE);
    for (size_t len = 1; len < in.len; len += 41) CHECK_INT(serve_with(in.data, len, false), SIGNER_EXIT_FRAMES);
    int64_t from_ms = fr_mono_ms();
    CHECK_INT(serve_with(in.data, in.len - 1, true), SIGNER_EXIT_FRAMES);              // half a frame has a deadline
    CHECK(fr_mono_ms() - from_ms >= FRAME_PARTIAL_MS - 10);
    CHECK_INT(serve_slowly(in.data, in.len), SIGNER_EXIT_DONE);                         // and silence between frames has none
    CHECK_INT(serve_with("\xff\xff\xff\xff\x21\0\0\0\1\0\0\0\0\0\0\0", 16, true), SIGNER_EXIT_FRAMES);
    CHECK_INT(serve_with("GET / HTTP/1.1\r\n\r\n", 18, true), SIGNER_EXIT_FRAMES);
    test_signer_end(&s);
}

static void test_a_full_channel_is_answered_whole(void)
{
    begin();
    int pair[2];
    struct server v;
    size_t got = 0;
    const int asks = 3000;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && serve_prepare(pair[1], &err) == FR_OK);
    v.fd = pair[1];
    CHECK(pthread_create(&v.thread, NULL, serve_on, &v) == 0);
    for (int i = 1; i <= asks; i++) frame_put(&in, &(struct frame){ .kind = SIGN_LIST, .id = (uint32_t)i });
    CHECK(write(pair[0], in.data, in.len) == (ssize_t)in.len);
    shutdown(pair[0], SHUT_WR);
    char *answers = fr_must_alloc((size_t)asks * 56);
    while (got < (size_t)asks * 56) {
        ssize_t n = read(pair[0], answers + got, (size_t)asks * 56 - got);
        if (n <= 0) break;
        got += (size_t)n;
    }
    CHECK_INT(got, (size_t)asks * 56);
    struct frame f;
    for (int i = 0; i < asks; i++) CHECK(frame_next_of(answers + i * 56, 56, SIGN_ANSWER_FIRST, SIGN_ANSWER_LAST, 4096, &f, &err) == 1 && f.id == (uint32_t)i + 1);
    pthread_join(v.thread, NULL);
    CHECK_INT(v.exit, SIGNER_EXIT_DONE);
    close(pair[0]);
    fr_free(answers);
    test_signer_end(&s);
}

int main(void)
{
    TEST(test_a_turn_is_answered_in_order);
    TEST(test_the_same_ask_has_the_same_signature);
    TEST(test_the_days_limit_over_many_turns);
    TEST(test_without_a_written_count_nothing_leaves);
    TEST(test_a_death_between_count_and_answer);
    TEST(test_memory_that_runs_out);
    TEST(test_bytes_that_are_no_requests);
    TEST(test_how_a_channel_ends);
    TEST(test_a_full_channel_is_answered_whole);
    fr_buf_free(&in);
    fr_buf_free(&out);
    return TEST_END();
}
