// signer_local.c — functions in the order things happen: start, READY, ask, flush, answer, deadline, end.
#include "chain/signer_local.h"
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/json.h"
#include "base/mem.h"
#include "chain/sign_wire.h"
#include "ipc/frame.h"
#include "ipc/sign.h"

#define OUT_BYTES_MAX (SIGNER_OPEN_MAX * 1024)           // of asks not yet written; one has 180 bytes, a large sweep 3.5 KiB
#define SLOTS SIGNER_OPEN_MAX
#define LAST_READS 64                                    // more than a socket buffer holds

struct open_ask {
    sign_done_fn *done; void *arg;       // done NULL: its time is over, the answer will be dropped
    int64_t deadline_ms;
    enum sign_kind kind;
    struct tx tx; uint8_t *data;         // SIGN_A_TX: tx.data is data, ours
};

struct signer_local {
    struct chain_signer port;
    struct signer_local_options o;
    enum { SIGNER_STARTING, SIGNER_READY, SIGNER_DYING, SIGNER_GONE } state;
    uv_process_t process;
    uv_poll_t poll;
    uv_prepare_t flush;
    uv_timer_t timer;
    int fd, open_handles;
    bool exited, stopping, poll_for_write;
    struct fr_buf in, out;
    uint64_t first, next;                // numbers of the oldest open ask and of the next; equal: none is open
    struct open_ask *asks;               // SLOTS of them, by number
    uint8_t raw[TX_BYTES_MAX];
    struct fr_err why;                   // state DYING: what on_gone will hear
    void (*stop_done)(void *); void *stop_arg;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static uint32_t id_of(uint64_t number)                   // on the wire; never 0
{
    return (uint32_t)(number % UINT32_MAX) + 1;
}

// ---- the end

static void ask_free(struct open_ask *a)
{
    fr_free(a->data);
    *a = (struct open_ask){ 0 };
}

static void ask_finish(struct open_ask *a, enum fr_status status, const struct sign_answer *answer, const struct fr_err *err)
{
    struct open_ask done = *a;
    *a = (struct open_ask){ 0 };         // before the callback, which may ask again
    if (done.done) done.done(done.arg, status, answer, err);
    ask_free(&done);
}

static void on_closed(uv_handle_t *handle)
{
    struct signer_local *s = handle->data;
    if (--s->open_handles > 0) return;
    void (*done)(void *) = s->stop_done;
    void *arg = s->stop_arg;
    close(s->fd);
    fr_buf_free(&s->in);
    fr_buf_free(&s->out);
    fr_free(s->asks);
    fr_free(s);
    if (done) done(arg);
}

static void close_all(struct signer_local *s)
{
    uv_close((uv_handle_t *)&s->process, on_closed);
    uv_close((uv_handle_t *)&s->poll, on_closed);
    uv_close((uv_handle_t *)&s->flush, on_closed);
    uv_close((uv_handle_t *)&s->timer, on_closed);
}

// It answers nothing any more. Its exit callback tells everybody.
static void condemn(struct signer_local *s)
{
    if (s->state == SIGNER_DYING || s->state == SIGNER_GONE) return;
    s->state = SIGNER_DYING;
    uv_poll_stop(&s->poll);
    uv_prepare_stop(&s->flush);
    uv_timer_stop(&s->timer);
    if (!s->exited) uv_process_kill(&s->process, SIGKILL);
}

static void fail_all(struct signer_local *s)
{
    struct fr_err lost;
    FR_IGNORE(FR_FAIL_CODE(&lost, FR_E_BUSY, "signer_lost", "the signer ended before it answered"));     // it fills lost
    while (s->first != s->next) ask_finish(&s->asks[s->first++ % SLOTS], FR_E_BUSY, NULL, &lost);
}

static void on_exit_of_child(uv_process_t *process, int64_t exit_status, int sig)
{
    struct signer_local *s = process->data;
    s->exited = true;
    for (int i = 0; i < LAST_READS && s->state != SIGNER_DYING; i++) on_poll(&s->poll, 0, UV_READABLE);      // what it said before it died counts
    if (s->state != SIGNER_DYING) {
        FR_IGNORE(FR_FAIL_CODE(&s->why, FR_E_BUSY, "signer_lost", "the signer ended: %s %d", sig ? "signal" : "exit code", sig ? sig : (int)exit_status));
        condemn(s);
    }
    fail_all(s);                         // still dying: a callback may stop it
    s->state = SIGNER_GONE;
    if (s->stopping) close_all(s);
    else s->o.on_gone(s->o.arg, &s->why);
}

void signer_local_stop(struct signer_local *s, void (*done)(void *arg), void *arg)
{
    assert(!s->stopping);
    s->stopping = true;
    s->stop_done = done;
    s->stop_arg = arg;
    if (s->state == SIGNER_GONE) close_all(s);
    else condemn(s);
}

// ---- asking

static struct open_ask *oldest(struct signer_local *s)
{
    return s->first == s->next ? NULL : &s->asks[s->first % SLOTS];
}

static void on_timer(uv_timer_t *timer);

static void arm(struct signer_local *s)
{
    for (uint64_t no = s->first; no != s->next; no++) {          // those that were given up have no time to keep
        struct open_ask *a = &s->asks[no % SLOTS];
        int64_t left = a->deadline_ms - (int64_t)uv_now(s->o.loop);
        if (!a->done) continue;
        uv_timer_start(&s->timer, on_timer, left > 0 ? (uint64_t)left : 0, 0);
        return;
    }
    uv_timer_stop(&s->timer);
}

static void on_timer(uv_timer_t *timer)
{
    struct signer_local *s = timer->data;
    struct fr_err late;
    if (s->state == SIGNER_STARTING) {
        FR_IGNORE(FR_FAIL_CODE(&s->why, FR_E_TIMEOUT, "signer_lost", "the signer was not ready within %d s", SIGNER_READY_MS / 1000));
        condemn(s);
        return;
    }
    FR_IGNORE(FR_FAIL(&late, FR_E_TIMEOUT, "no signature within %lld ms", (long long)s->o.ask_ms));
    for (uint64_t no = s->first; no != s->next; no++) {
        struct open_ask *a = &s->asks[no % SLOTS];
        sign_done_fn *done = a->done;
        if (a->deadline_ms > (int64_t)uv_now(s->o.loop)) break;
        a->done = NULL;                  // it stays: answers come in the order asked
        if (done) done(a->arg, FR_E_TIMEOUT, NULL, &late);
        if (s->state != SIGNER_READY) return;
    }
    arm(s);
}

static void wait_for(struct signer_local *s, bool write)
{
    if (s->poll_for_write == write) return;
    s->poll_for_write = write;
    uv_poll_start(&s->poll, UV_READABLE | (write ? UV_WRITABLE : 0), on_poll);
}

static void on_flush(uv_prepare_t *prepare)
{
    struct signer_local *s = prepare->data;
    uv_prepare_stop(prepare);
    if (s->state != SIGNER_READY || s->out.len == 0) return;
    ssize_t n = send(s->fd, s->out.data, s->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return;      // it is gone: its exit will say so
    if (n > 0) fr_buf_consume(&s->out, (size_t)n);
    wait_for(s, s->out.len > 0);
}

static enum fr_status keep_tx(struct open_ask *a, const struct tx *t, struct fr_err *err)
{
    a->tx = *t;
    if (t->data_len == 0) return FR_OK;
    a->data = fr_alloc(t->data_len);
    if (!a->data) return FR_FAIL(err, FR_E_NOMEM, "no memory to sign a transaction");
    memcpy(a->data, t->data, t->data_len);
    a->tx.data = a->data;
    return FR_OK;
}

static enum fr_status put_ask(struct signer_local *s, const struct sign_ask *ask, uint32_t id, struct fr_err *err)
{
    static const uint8_t kinds[] = { SIGN_TX, SIGN_PERMIT, SIGN_SIWE };
    size_t before = s->out.len, mark = frame_begin(&s->out, &(struct frame){ .kind = kinds[ask->kind], .id = id });
    enum fr_status status = sign_wire_put(ask, &s->out, err);
    frame_end(&s->out, mark);
    if (status == FR_OK) return FR_OK;
    s->out.len = before;                 // as if it had not been asked
    s->out.failed = s->out.no_memory = false;
    return status;
}

static enum fr_status local_sign(struct chain_signer *port, const struct sign_ask *ask, sign_done_fn *done, void *arg, struct fr_err *err)
{
    struct signer_local *s = (struct signer_local *)((char *)port - offsetof(struct signer_local, port));
    struct open_ask made = { .done = done, .arg = arg, .kind = ask->kind, .deadline_ms = (int64_t)uv_now(s->o.loop) + s->o.ask_ms };
    if (s->state != SIGNER_READY) return FR_FAIL_CODE(err, FR_E_BUSY, "signer_busy", "the signer is not ready");
    if (s->next - s->first >= SLOTS || s->out.len > OUT_BYTES_MAX / 2) return FR_FAIL_CODE(err, FR_E_BUSY, "signer_busy", "%d asks wait for a signature", SLOTS);
    FR_TRY(put_ask(s, ask, id_of(s->next), err));
    if (ask->kind == SIGN_A_TX && keep_tx(&made, &ask->tx, err) != FR_OK) made.done = NULL;      // it is on its way: the answer will be dropped
    s->asks[s->next++ % SLOTS] = made;
    uv_prepare_start(&s->flush, on_flush);
    if (!uv_is_active((uv_handle_t *)&s->timer)) arm(s);
    return made.done ? FR_OK : err ? err->status : FR_E_NOMEM;
}

// ---- answers

static void protocol(struct signer_local *s, const char *what)
{
    FR_IGNORE(FR_FAIL_CODE(&s->why, FR_E_INTERNAL, "signer_protocol", "the signer %s", what));
    condemn(s);
}

static enum fr_status facts_of(const struct frame *f, struct signer_facts *ret, struct fr_err *err)
{
    FR_AUTO(fr_json) doc = NULL;
    const struct fr_json *list = NULL;
    const char *text = NULL;
    struct u256 chain_id;
    FR_TRY(fr_json_parse(f->payload, f->len, &doc, err));
    FR_TRY(fr_json_need_array(doc, "addresses", 1, SIGNER_KEYS_MAX, &list, err));
    for (const struct fr_json *e = fr_json_child(list); e; e = fr_json_next(e)) {
        FR_TRY(fr_json_need_text(e, "", ADDRESS_TEXT_BYTES - 1, ADDRESS_TEXT_BYTES - 1, &text, err));
        FR_TRY(address_parse(text, &ret->addresses[ret->key_count++], err));
    }
    FR_TRY(fr_json_need_text(doc, "memory", 1, 16, &text, err));
    ret->memory_all = strcmp(text, "all") == 0;
    FR_TRY(fr_json_need_text(doc, "chain_id", 1, 20, &text, err));
    FR_TRY(u256_parse(text, &chain_id, err));
    return u256_fits_u64(chain_id, &ret->chain_id) ? FR_OK : FR_FAIL(err, FR_E_INVALID, "chain_id");
}

static void ready_refused(struct signer_local *s, const struct frame *f)
{
    FR_AUTO(fr_json) doc = NULL;
    const char *code = "signer_lost", *detail = "it did not say why";
    if (fr_json_parse(f->payload, f->len, &doc, NULL) == FR_OK) {
        FR_IGNORE(fr_json_need_text(doc, "code", 1, FR_ERR_CODE_BYTES - 1, &code, NULL));        // what is missing leaves what stands there
        FR_IGNORE(fr_json_need_text(doc, "detail", 1, FR_ERR_TEXT_BYTES, &detail, NULL));
    }
    FR_IGNORE(FR_FAIL_CODE(&s->why, strcmp(code, "passphrase_wrong") == 0 ? FR_E_AUTH : FR_E_DENIED, code, "the signer did not start: %.300s", detail));
    condemn(s);
}

static void on_ready(struct signer_local *s, const struct frame *f)
{
    struct signer_facts facts = { 0 };
    if (s->state != SIGNER_STARTING) protocol(s, "said READY twice");
    else if (f->status != FRAME_OK) ready_refused(s, f);
    else if (facts_of(f, &facts, NULL) != FR_OK) protocol(s, "said a READY that is none");
    else {
        s->state = SIGNER_READY;
        uv_timer_stop(&s->timer);
        s->o.on_ready(s->o.arg, &facts);
    }
}

static void refusal_of(const struct frame *f, struct fr_err *ret)
{
    struct frame_cursor c;
    const char *part[2] = { "signer_protocol", "" };
    size_t len[2] = { strlen(part[0]), 0 };
    char code[FR_ERR_CODE_BYTES];
    frame_sections(f, &c);
    for (int i = 0; i < 2; i++) if (!frame_take(&c, &part[i], &len[i])) break;
    snprintf(code, sizeof code, "%.*s", (int)(len[0] < sizeof code ? len[0] : sizeof code - 1), part[0]);
    FR_IGNORE(FR_FAIL_CODE(ret, FR_E_DENIED, code, "the signer refused: %.*s", (int)(len[1] < 300 ? len[1] : 300), part[1]));
}

static void on_answer(struct signer_local *s, const struct frame *f)
{
    struct open_ask *a = oldest(s);
    struct sign_answer answer = { 0 };
    struct fr_err err;
    if (s->state != SIGNER_READY || !a || f->id != id_of(s->first) || f->kind != SIGN_DONE) {
        protocol(s, "answered what was not asked");
        return;
    }
    s->first++;
    if (f->status != FRAME_OK) {
        refusal_of(f, &err);
        ask_finish(a, err.status, NULL, &err);
    } else if (f->len != SIGNATURE_BYTES || signature_read((const uint8_t *)f->payload, &answer.sig, &err) != FR_OK ||
               (a->done && a->kind == SIGN_A_TX && tx_raw(&a->tx, &answer.sig, s->raw, sizeof s->raw, &answer.raw_len, answer.hash, &err) != FR_OK)) {
        s->first--;
        protocol(s, "answered with no signature");
    } else {
        if (a->kind == SIGN_A_TX) answer.raw = s->raw;
        ask_finish(a, FR_OK, &answer, NULL);
    }
}

static void take_frames(struct signer_local *s)
{
    struct frame f;
    struct fr_err err;
    size_t at = 0;
    int found = 0;
    while (s->state <= SIGNER_READY && (found = frame_next_of(s->in.data + at, s->in.len - at, SIGN_ANSWER_FIRST, SIGN_ANSWER_LAST, SIGNER_FRAME_BYTES_MAX, &f, &err)) == 1) {
        if (f.kind == SIGN_READY) on_ready(s, &f);
        else on_answer(s, &f);
        at += FRAME_HEADER_BYTES + f.len;
    }
    if (found < 0) protocol(s, "said what is no frame");
    fr_buf_consume(&s->in, at);
    if (s->state == SIGNER_READY) arm(s);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct signer_local *s = poll->data;
    if (s->state == SIGNER_READY && (events & UV_WRITABLE)) uv_prepare_start(&s->flush, on_flush);
    if (status < 0 || !(events & UV_READABLE)) return;
    char *room = fr_buf_reserve(&s->in, SIGNER_READ_BYTES);
    ssize_t n = room ? recv(s->fd, room, SIGNER_READ_BYTES, MSG_DONTWAIT) : -1;
    if (!room) protocol(s, "said too much at once");
    if (n == 0) uv_poll_stop(poll);      // it is ending: its exit says how
    if (n <= 0) return;
    fr_buf_commit(&s->in, (size_t)n);
    take_frames(s);
}

// ---- the start

static int spawn(struct signer_local *s, int channel_fd)
{
    char keys[8], parent[24];
    snprintf(keys, sizeof keys, "%d", s->o.key_count);
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    char *args[] = { "frond-signer", keys, parent, NULL }, *no_environment[] = { NULL };
    uv_stdio_container_t stdio[SIGNER_KEYSTORE_FD + SIGNER_KEYS_MAX] = { 0 };      // 0 to 2: /dev/null
    int fds[SIGNER_KEYSTORE_FD + SIGNER_KEYS_MAX] = { [SIGNER_CHANNEL_FD] = channel_fd, [SIGNER_TALLY_FD] = s->o.tally_fd, [SIGNER_POLICY_FD] = s->o.policy_fd, [SIGNER_PASSPHRASE_FD] = s->o.passphrase_fd };
    for (int i = 0; i < s->o.key_count; i++) fds[SIGNER_KEYSTORE_FD + i] = s->o.keystore_fds[i];
    for (int i = SIGNER_CHANNEL_FD; i < SIGNER_KEYSTORE_FD + s->o.key_count; i++) stdio[i] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = fds[i] };
    uv_process_options_t options = {
        .exit_cb = on_exit_of_child, .file = s->o.program, .args = args, .env = no_environment,
        .cwd = "/", .stdio_count = SIGNER_KEYSTORE_FD + s->o.key_count, .stdio = stdio,
    };
    return uv_spawn(s->o.loop, &s->process, &options);
}

static void watch_handles(struct signer_local *s)
{
    uv_prepare_init(s->o.loop, &s->flush);
    uv_timer_init(s->o.loop, &s->timer);
    s->process.data = s->poll.data = s->flush.data = s->timer.data = s;
    s->open_handles = 4;
}

static enum fr_status channel_new(struct signer_local *s, int *channel_fd, struct fr_err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return FR_FAIL(err, FR_E_IO, "socketpair: %s", strerror(errno));
    int r = uv_poll_init(s->o.loop, &s->poll, pair[0]);          // makes our end non-blocking; the signer's end blocks
    if (r < 0) {
        close(pair[0]);
        close(pair[1]);
        return FR_FAIL(err, FR_E_IO, "watch the signer's channel: %s", uv_strerror(r));
    }
    s->fd = pair[0];
    *channel_fd = pair[1];
    return FR_OK;
}

enum fr_status signer_local_start(const struct signer_local_options *o, struct signer_local **ret, struct fr_err *err)
{
    FR_AUTO_FD int channel_fd = -1;
    assert(o->key_count >= 1 && o->key_count <= SIGNER_KEYS_MAX && o->on_ready && o->on_gone);
    struct signer_local *s = fr_alloc(sizeof *s);
    struct open_ask *asks = s ? fr_alloc(SLOTS * sizeof *asks) : NULL;
    enum fr_status status = asks ? FR_OK : FR_FAIL(err, FR_E_NOMEM, "no memory for a signer");
    if (status == FR_OK) {
        *s = (struct signer_local){ .port.sign = local_sign, .o = *o, .asks = asks };
        fr_buf_init(&s->in, SIGNER_READ_BYTES + SIGNER_FRAME_BYTES_MAX + FRAME_HEADER_BYTES);
        fr_buf_init(&s->out, OUT_BYTES_MAX);
        status = channel_new(s, &channel_fd, err);
    }
    if (status != FR_OK) {
        fr_free(asks);
        fr_free(s);
        return status;
    }
    if (s->o.ask_ms == 0) s->o.ask_ms = SIGNER_MS;
    watch_handles(s);
    int r = spawn(s, channel_fd);
    if (r < 0) {
        s->state = SIGNER_GONE;
        s->exited = s->stopping = true;
        close_all(s);
        return FR_FAIL(err, FR_E_IO, "start %.200s: %s", o->program, uv_strerror(r));
    }
    uv_poll_start(&s->poll, UV_READABLE, on_poll);
    uv_timer_start(&s->timer, on_timer, SIGNER_READY_MS, 0);
    *ret = s;
    return FR_OK;
}

struct chain_signer *signer_local_port(struct signer_local *s)
{
    return &s->port;
}

pid_t signer_local_pid(const struct signer_local *s)
{
    return s->process.pid;
}
