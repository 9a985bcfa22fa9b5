// llm_load.c — programs that ask a model through OpenAI's wire: the load of the benches of models.
//
//   llm_load PORT KEY paced SECONDS RATE     RATE questions a second, each at its time, whatever became of those before it
//   llm_load PORT KEY calls COUNT EVERY      COUNT questions as fast as they are answered, 32 at once; says `calls N` each EVERY. They are of all kinds: every
//                                            eighth is streamed, every second is one whose answer may be kept
//
// Prints `begin`, `end`, so that others can read the servers' clocks in between, then one line of JSON. An answer that is not 200 ends it.
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#define CONNECTIONS 64
#define IN_FLIGHT 32
#define WAITING_MAX 65536                  // questions whose time came and that found no connection
#define HISTOGRAM_MAX 1000000              // in steps of 10 us
#define WARM_MS 2000
#define IN_BYTES 65536

struct client { uv_tcp_t tcp; uv_connect_t connect; bool busy, connected; int64_t since_us; size_t len; char in[IN_BYTES + 1]; };

static struct client clients[CONNECTIONS];
static const char *key;
static bool paced, measuring, ended;
static int64_t period_us, due_us, asked, answered, count, every, seconds, begin_us, end_us, cpu_begin_us, cpu_used_us, measured, behind;
static int64_t waiting[WAITING_MAX];
static unsigned waiting_first, waiting_count;
static struct sockaddr_in addr;
static uv_loop_t *loop;
static uv_timer_t pacer, warm;
static uint32_t histogram[HISTOGRAM_MAX];

static _Noreturn void die(const char *what, const char *more)
{
    fprintf(stderr, "llm_load: %s%s%.600s\n", what, more[0] ? ": " : "", more);
    exit(1);
}

static int64_t now_us(void) { return (int64_t)(uv_hrtime() / 1000); }

static int64_t cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void say(const char *word)
{
    puts(word);
    fflush(stdout);
}

static double quantile_ms(double q)
{
    int64_t seen = 0;
    for (int i = 0; i < HISTOGRAM_MAX; i++) {
        seen += histogram[i];
        if (seen > 0 && (double)seen >= q * (double)measured) return i / 100.0;
    }
    return 0;
}

static void measure_begin(void)
{
    measuring = true;
    begin_us = now_us();
    cpu_begin_us = cpu_us();
    say("begin");
}

static void measure_end(void)
{
    ended = true;
    end_us = now_us();
    cpu_used_us = cpu_us() - cpu_begin_us;
    say("end");
    double s = (double)(end_us - begin_us) / 1e6;
    printf("{\"seconds\":%.3f,\"done\":%" PRId64 ",\"per_second\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,\"load_cpu_us\":%" PRId64 ",\"behind\":%" PRId64 "}\n", s, measured, (double)measured / s,
           quantile_ms(0.5), quantile_ms(0.99), quantile_ms(1), cpu_used_us, behind);
    fflush(stdout);
    exit(0);
}

// ---- asking

static void ask(struct client *c, int64_t since_us)
{
    static const char *const kinds[] = { "", ",\"temperature\":0", ",\"stream\":true" };
    char body[512], text[1024];
    int64_t n = asked++;
    int kind = paced ? 0 : n % 8 == 7 ? 2 : n % 2;
    int len = snprintf(body, sizeof body, "{\"model\":\"bench\",\"messages\":[{\"role\":\"system\",\"content\":\"You answer in one sentence.\"},{\"role\":\"user\",\"content\":\"Question %" PRId64 ": what makes the sea blue?\"}],"
                       "\"max_tokens\":64%s}", n, kinds[kind]);
    len = snprintf(text, sizeof text, "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", key, len, body);
    uv_buf_t buf = uv_buf_init(text, (unsigned)len);
    c->busy = true;
    c->since_us = since_us;
    c->len = 0;
    if (uv_try_write((uv_stream_t *)&c->tcp, &buf, 1) != len) die("a question could not be written", "");
}

static struct client *free_client(void)
{
    for (int i = 0; i < CONNECTIONS; i++) if (clients[i].connected && !clients[i].busy) return &clients[i];
    return NULL;
}

static void on_pace(uv_timer_t *t)
{
    int64_t now = now_us();
    (void)t;
    for (; due_us <= now; due_us += period_us) {
        struct client *c = free_client();
        if (c) { ask(c, now); continue; }
        behind += measuring;
        if (waiting_count == WAITING_MAX) die("the server cannot take this rate", "");
        waiting[(waiting_first + waiting_count++) % WAITING_MAX] = now;
    }
}

static void on_answered(struct client *c)
{
    int64_t us = (now_us() - c->since_us) / 10;
    c->busy = false;
    if (measuring) {
        measured++;
        histogram[us < HISTOGRAM_MAX ? us : HISTOGRAM_MAX - 1]++;
    }
    answered++;
    if (paced && waiting_count > 0) {
        int64_t since = waiting[waiting_first++ % WAITING_MAX];
        waiting_count--;
        ask(c, since);
        return;
    }
    if (paced) return;
    if (answered % every == 0) printf("calls %" PRId64 "\n", answered), fflush(stdout);
    if (answered == count) measure_end();
    if (asked < count) ask(c, now_us());
}

// ---- hearing

static bool is_whole(struct client *c)
{
    char *end = strstr(c->in, "\r\n\r\n");
    if (!end) return false;
    if (strncmp(c->in, "HTTP/1.1 200", 12) != 0) die("refused", c->in);
    const char *length = strcasestr(c->in, "\r\ncontent-length:");
    if (length && length < end) return c->len >= (size_t)(end + 4 - c->in) + strtoul(length + 17, NULL, 10);
    return c->len > 5 && strcmp(c->in + c->len - 5, "0\r\n\r\n") == 0;
}

static void client_connect(struct client *c);
static void on_closed(uv_handle_t *h) { client_connect(h->data); }

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct client *c = h->data;
    (void)suggested;
    *buf = uv_buf_init(c->in + c->len, (unsigned)(IN_BYTES - c->len));
}

// Some close a connection that was silent for a while.
static void client_again(struct client *c)
{
    c->connected = false;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = s->data;
    (void)buf;
    if (n < 0 && c->busy) die("the server left", uv_strerror((int)n));
    if (n < 0) { client_again(c); return; }
    c->len += (size_t)n;
    c->in[c->len] = 0;
    if (c->busy && is_whole(c)) on_answered(c);
    else if (c->len == IN_BYTES) die("an answer is too long", "");
}

// ---- the run

static void on_window_end(uv_timer_t *t)
{
    (void)t;
    measure_end();
}

static void on_warm(uv_timer_t *t)
{
    measure_begin();
    uv_timer_start(t, on_window_end, (uint64_t)seconds * 1000, 0);
}

static void begin(void)
{
    if (!paced) {
        measure_begin();
        for (int i = 0; i < IN_FLIGHT && asked < count; i++) ask(&clients[i], now_us());
        return;
    }
    due_us = now_us() + period_us;
    uv_timer_start(&pacer, on_pace, 1, 1);
    uv_timer_start(&warm, on_warm, WARM_MS, 0);
}

static void on_connected(uv_connect_t *req, int status)
{
    static int connected;                  // since the beginning
    struct client *c = req->data;
    if (status < 0) die("connect", uv_strerror(status));
    c->connected = true;
    uv_tcp_nodelay(&c->tcp, 1);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    if (++connected == CONNECTIONS) begin();
}

static void client_connect(struct client *c)
{
    uv_tcp_init(loop, &c->tcp);
    c->tcp.data = c->connect.data = c;
    if (uv_tcp_connect(&c->connect, &c->tcp, (struct sockaddr *)&addr, on_connected) != 0) die("connect", "");
}

int main(int argc, char **argv)
{
    if (argc != 6) return 2;
    int64_t first = strtoll(argv[4], NULL, 10), second = strtoll(argv[5], NULL, 10);
    key = argv[2];
    paced = strcmp(argv[3], "paced") == 0;
    if (first <= 0 || second <= 0) return 2;
    if (paced) seconds = first, period_us = 1000000 / second;
    else count = first, every = second;
    signal(SIGPIPE, SIG_IGN);
    loop = uv_default_loop();
    uv_timer_init(loop, &pacer);
    uv_timer_init(loop, &warm);
    uv_ip4_addr("127.0.0.1", atoi(argv[1]), &addr);
    for (int i = 0; i < CONNECTIONS; i++) client_connect(&clients[i]);
    return uv_run(loop, UV_RUN_DEFAULT);
}
