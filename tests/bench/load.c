// load.c — many WebSocket clients in one process: the load of the benches where a script would be slower than the server.
//
//   load echo   PORT FILE SECONDS BYTES     every socket keeps one message in flight
//   load frond  PORT FILE SECONDS RATE      two-player relay: seat 1 sends, seat 2 hears it and answers, seat 1 hears that: one round trip;
//   load colyseus ...                       RATE round trips a second and pair
//   load inputs ...                         the same with moves of the game, which are written down before they are heard
//   load rooms  PORT FILE SECONDS           finds matches of `benchrooms` on every socket and watches their ticks
//   load idle   PORT FILE                   opens all and waits for the end of its input
//
// FILE has a line per socket: PATH SUBPROTOCOLS ROLE, "-" for none. ROLE is a or b where the server does not say who begins.
// Prints `open`, `begin`, `end`, so that others can read the servers' clocks in between, then one line of JSON.
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#define SOCKETS_MAX 20000
#define OPENING_MAX 64                 // handshakes at once: the server's backlog is not what we measure
#define FINDING_MAX 32                 // tickets at once
#define HISTOGRAM_MAX 1000000          // in steps of 10 us
#define TEXT_BYTES 64                  // what a relayed message carries
#define WARM_MS 2000
#define TICK_MS 50
#define FINAL_MS 500
#define SETUP_MS 120000                // all sockets open, all matches found

struct client {
    uv_tcp_t tcp;
    char *path, *protocols, role;
    char match[40];
    uint8_t *in;
    size_t in_len, in_cap;
    bool open, ready, finding, in_flight;
    int64_t n, sent_us, due_us, tick_last, tick_base_us;
};

static enum { LOAD_ECHO, LOAD_FROND, LOAD_INPUTS, LOAD_COLYSEUS, LOAD_ROOMS, LOAD_IDLE } mode;
static struct client *clients;
static int count, opened, opening, next_open, ready, finding, next_find, port, seconds, param;
static int64_t period_us;
static uv_loop_t *loop;
static uv_timer_t pacer, warm, window, finals, setup;
static bool measuring, ended;
static int64_t begin_us, end_us, cpu_begin_us, cpu_used_us, done, ticks, late, dropped, behind;
static uint32_t *histogram;
static char input[256 * 1024];

static _Noreturn void die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("load: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
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

static void sample(int64_t us)
{
    int64_t at = us / 10;
    histogram[at < 0 ? 0 : at < HISTOGRAM_MAX ? at : HISTOGRAM_MAX - 1]++;
}

static double quantile_ms(double q)
{
    int64_t all = 0, seen = 0;
    for (int i = 0; i < HISTOGRAM_MAX; i++) all += histogram[i];
    for (int i = 0; i < HISTOGRAM_MAX; i++) {
        seen += histogram[i];
        if (seen > 0 && (double)seen >= q * (double)all) return i / 100.0;
    }
    return 0;
}

// ---- writing

struct pending_write { uv_write_t req; char bytes[]; };

static void on_written(uv_write_t *req, int status)
{
    (void)status;
    free(req);
}

static void client_write(struct client *c, const void *bytes, size_t len)
{
    uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)len);
    int n = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
    if (n == (int)len) return;
    if (n < 0 && n != UV_EAGAIN) die("write: %s", uv_strerror(n));
    size_t done_len = n < 0 ? 0 : (size_t)n;
    struct pending_write *w = malloc(sizeof *w + len - done_len);
    if (!w) die("no memory");
    memcpy(w->bytes, (const char *)bytes + done_len, len - done_len);
    buf = uv_buf_init(w->bytes, (unsigned)(len - done_len));
    uv_write(&w->req, (uv_stream_t *)&c->tcp, &buf, 1, on_written);
}

static void client_send(struct client *c, int opcode, const void *payload, size_t len)
{
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    uint8_t frame[70000];
    size_t at = 2;
    if (len > 65000) die("a message of %zu bytes", len);
    frame[0] = (uint8_t)(0x80 | opcode);
    if (len < 126) {
        frame[1] = (uint8_t)(0x80 | len);
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = (uint8_t)(len >> 8);
        frame[3] = (uint8_t)len;
        at = 4;
    }
    memcpy(frame + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < len; i++) frame[at + i] = ((const uint8_t *)payload)[i] ^ mask[i & 3];
    client_write(c, frame, at + len);
}

static void client_sendf(struct client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void client_sendf(struct client *c, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    client_send(c, 1, text, (size_t)n);
}

static void relay_send(struct client *c)
{
    static const char text[TEXT_BYTES + 1] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    if (mode == LOAD_FROND) {
        client_sendf(c, "{\"op\":\"match.relay\",\"match\":\"%s\",\"name\":\"say\",\"data\":{\"text\":\"%s\"}}", c->match, text);
        return;
    }
    if (mode == LOAD_INPUTS) {
        c->n++;
        client_sendf(c, "{\"id\":%" PRId64 ",\"op\":\"match.input\",\"match\":\"%s\",\"n\":%" PRId64 ",\"name\":\"say\",\"args\":{\"text\":\"%s\"}}", c->n, c->match, c->n, text);
        return;
    }
    uint8_t m[TEXT_BYTES + 16] = { 13, 0xa3, 's', 'a', 'y', 0x81, 0xa4, 't', 'e', 'x', 't', 0xd9, TEXT_BYTES };      // ROOM_DATA "say" {text: ...}
    memcpy(m + 13, text, TEXT_BYTES);
    client_send(c, 2, m, 13 + TEXT_BYTES);
}

static void relay_start(struct client *c, int64_t start_us)
{
    c->in_flight = true;
    c->sent_us = start_us;
    relay_send(c);
}

static void echo_send(struct client *c)
{
    static char bytes[65000];
    if (!bytes[0]) memset(bytes, 'x', sizeof bytes);
    c->sent_us = now_us();
    client_send(c, 1, bytes, (size_t)param);
}

// ---- the run

static void on_final(uv_timer_t *t)
{
    (void)t;
    double s = (double)(end_us - begin_us) / 1e6;
    printf("{\"sockets\":%d,\"seconds\":%.3f,\"done\":%" PRId64 ",\"per_second\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,\"load_cpu_us\":%" PRId64
           ",\"ticks\":%" PRId64 ",\"late\":%" PRId64 ",\"dropped\":%" PRId64 ",\"behind\":%" PRId64 "}\n",
           count, s, done, (double)done / s, quantile_ms(0.5), quantile_ms(0.99), quantile_ms(1), cpu_used_us, ticks, late, dropped, behind);
    fflush(stdout);
    exit(0);
}

static void on_window_end(uv_timer_t *t)
{
    (void)t;
    measuring = false;
    ended = true;
    end_us = now_us();
    cpu_used_us = cpu_us() - cpu_begin_us;
    say("end");
    uv_timer_start(&finals, on_final, FINAL_MS, 0);      // what was under way may finish before the lines break
}

static void on_warm(uv_timer_t *t)
{
    (void)t;
    measuring = true;
    begin_us = now_us();
    cpu_begin_us = cpu_us();
    say("begin");
    uv_timer_start(&window, on_window_end, (uint64_t)seconds * 1000, 0);
}

// Pairs begin spread over the period. A round trip that could not begin in time counts from when it should have begun.
static void on_pace(uv_timer_t *t)
{
    (void)t;
    if (ended) return;
    int64_t now = now_us();
    for (int i = 0; i < count; i++) {
        struct client *c = &clients[i];
        if (c->role != 'a' || now < c->due_us) continue;
        if (c->in_flight) { if (measuring && c->due_us + period_us <= now) behind++; continue; }
        relay_start(c, now - c->due_us > 2000 ? c->due_us : now);
        c->due_us += period_us;
        if (c->due_us < now - period_us) c->due_us = now;
    }
}

static void on_setup_late(uv_timer_t *t)
{
    (void)t;
    die("after %d s %d of %d sockets are open, %d ready", SETUP_MS / 1000, opened, count, ready);
}

static void run_start(void)
{
    int64_t now = now_us();
    uv_timer_stop(&setup);
    for (int i = 0; i < count; i++) clients[i].tick_base_us = 0;      // the rush of forming is over
    if (mode == LOAD_ECHO) for (int i = 0; i < count; i++) echo_send(&clients[i]);
    if (mode == LOAD_FROND || mode == LOAD_INPUTS || mode == LOAD_COLYSEUS) {
        for (int i = 0; i < count; i++) clients[i].due_us = now + 300000 + period_us * i / count;
        uv_timer_start(&pacer, on_pace, 1, 1);
    }
    uv_timer_start(&warm, on_warm, WARM_MS, 0);
}

static void client_find(struct client *c)
{
    c->finding = true;
    finding++;
    client_sendf(c, "{\"id\":0,\"op\":\"match.find\",\"game\":\"%s\",\"mode\":\"%s\",\"stake\":\"0\"}", mode == LOAD_ROOMS ? "benchrooms" : "benchrelay", mode == LOAD_ROOMS ? "room" : "pair");
}

static void find_more(void)
{
    while (next_find < count && finding < FINDING_MAX) client_find(&clients[next_find++]);
}

static void client_is_ready(struct client *c)
{
    if (c->ready) return;
    c->ready = true;
    if (++ready == count) run_start();
}

static void on_stdin(uv_poll_t *p, int status, int events)
{
    (void)p, (void)status, (void)events;
    exit(0);
}

static void open_more(void);
static void client_is_open(struct client *c)
{
    opened++;
    opening--;
    open_more();
    if (mode == LOAD_COLYSEUS || opened < count) return;          // there the server speaks first
    say("open");
    if (mode == LOAD_IDLE) {
        static uv_poll_t in;
        uv_timer_stop(&setup);
        uv_poll_init(loop, &in, 0);
        uv_poll_start(&in, UV_READABLE | UV_DISCONNECT, on_stdin);
    } else if (mode == LOAD_ECHO) {
        for (int i = 0; i < count; i++) client_is_ready(&clients[i]);
    } else find_more();
    (void)c;
}

// ---- what servers say

static void client_heard(struct client *c, bool answer)      // a relayed message
{
    if (!answer) { relay_send(c); return; }
    c->in_flight = false;
    if (!measuring) return;
    done++;
    sample(now_us() - c->sent_us);
}

static void on_tick(struct client *c, int64_t tick)
{
    int64_t offset_us = now_us() - tick * TICK_MS * 1000;
    if (c->tick_base_us == 0 || offset_us < c->tick_base_us) c->tick_base_us = offset_us;
    if (measuring) {
        ticks++;
        done++;
        if (c->tick_last && tick > c->tick_last + 1) dropped += tick - c->tick_last - 1;
        if (offset_us - c->tick_base_us > TICK_MS * 1000) late++;
        sample(offset_us - c->tick_base_us);
    }
    c->tick_last = tick;
}

static void frond_message(struct client *c, char *text)
{
    if (!strstr(text, "\"ev\":")) {
        if (!strstr(text, "\"ok\":true")) die("refused: %s", text);
        return;
    }
    if (strstr(text, "\"match.relay\"")) {
        client_heard(c, c->role == 'a');
    } else if (strstr(text, "\"match.event\"")) {
        const char *n = mode == LOAD_ROOMS ? strstr(text, "\"data\":{\"n\":") : NULL;
        if (mode == LOAD_ROOMS) { if (n) on_tick(c, atoll(n + 12)); }
        else client_heard(c, c->role == 'a');
    } else if (strstr(text, "\"match.start\"") && !c->ready) {
        const char *match = strstr(text, "\"match\":\""), *seat = strstr(text, "\"seat\":");
        if (!match || !seat) die("no match in %s", text);
        snprintf(c->match, sizeof c->match, "%.36s", match + 9);
        const char *own = strstr(text, "\"stake\":");
        while (own && own > text && strncmp(own, "\"seat\":", 7) != 0) own--;
        c->role = atoi((own ? own : seat) + 7) == 1 ? 'a' : 'b';
        finding--;
        client_is_ready(c);
        find_more();
    } else if (strstr(text, "\"match.end\"") || strstr(text, "\"match.queue\"")) {
        if (!ended) die("%s", text);
    }
}

static void client_message(struct client *c, int opcode, uint8_t *payload, size_t len)
{
    if (opcode == 8) { if (!ended) die("the server closed a socket: %d %.*s", len > 1 ? payload[0] << 8 | payload[1] : 0, len > 2 ? (int)len - 2 : 0, payload + 2); return; }
    if (opcode == 9) { client_send(c, 10, payload, len); return; }
    if (opcode == 10) return;
    if (mode == LOAD_ECHO) {
        if ((int)len != param) die("an echo of %zu bytes", len);
        if (measuring) { done++; sample(now_us() - c->sent_us); }
        if (!ended) echo_send(c);
    } else if (mode == LOAD_COLYSEUS) {
        static const uint8_t joined = 10;
        if (len > 0 && payload[0] == 10 && !c->ready) { client_send(c, 2, &joined, 1); client_is_ready(c); }
        else if (len > 0 && payload[0] == 13) client_heard(c, c->role == 'a');
        else if (len > 0 && payload[0] == 11) die("Colyseus refused: %.*s", (int)len - 1, payload + 1);
    } else if (mode != LOAD_IDLE) {
        uint8_t kept = payload[len];               // there is always room behind it
        payload[len] = 0;
        frond_message(c, (char *)payload);
        payload[len] = kept;
    }
}

static size_t client_take(struct client *c, uint8_t *in, size_t len)      // how many bytes were used
{
    size_t used = 0;
    if (!c->open) {
        uint8_t *end = memmem(in, len, "\r\n\r\n", 4);
        if (!end) return 0;
        if (strncmp((char *)in, "HTTP/1.1 101", 12) != 0) die("no socket at %s: %.*s", c->path, (int)len, in);
        used = (size_t)(end - in) + 4;
        c->open = true;
        client_is_open(c);
    }
    for (;;) {
        uint8_t *f = in + used;
        size_t left = len - used, head = 2, n;
        if (left < 2) return used;
        n = f[1] & 127;
        if (n == 126) { if (left < 4) return used; n = (size_t)(f[2] << 8 | f[3]); head = 4; }
        else if (n == 127) { if (left < 10) return used; n = 0; for (int i = 2; i < 10; i++) n = n << 8 | f[i]; head = 10; }
        if (left < head + n) return used;
        client_message(c, f[0] & 15, f + head, n);
        used += head + n;
    }
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)h, (void)suggested;
    *buf = uv_buf_init(input, sizeof input - 1);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = s->data;
    if (n < 0 && ended) { uv_read_stop(s); return; }
    if (n < 0) die("%s: %s", c->path, uv_strerror((int)n));
    uint8_t *in = (uint8_t *)buf->base;
    size_t len = (size_t)n;
    if (c->in_len > 0) {                           // the rest of a message that came in pieces
        if (c->in_len + len + 1 > c->in_cap) c->in = realloc(c->in, c->in_cap = 2 * (c->in_len + len) + 1);
        if (!c->in) die("no memory");
        memcpy(c->in + c->in_len, in, len);
        in = c->in;
        len += c->in_len;
    }
    size_t used = client_take(c, in, len);
    c->in_len = len - used;
    if (c->in_len == 0) return;
    if (in == c->in) { memmove(c->in, in + used, c->in_len); return; }
    if (c->in_len + 1 > c->in_cap) c->in = realloc(c->in, c->in_cap = c->in_len + 4096);
    if (!c->in) die("no memory");
    memcpy(c->in, in + used, c->in_len);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct client *c = req->data;
    char head[2048];
    free(req);
    if (status < 0) die("connect: %s", uv_strerror(status));
    uv_tcp_nodelay(&c->tcp, 1);
    bool protocols = strcmp(c->protocols, "-") != 0;
    int n = snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n", c->path, port, protocols ? "Sec-WebSocket-Protocol: " : "",
                     protocols ? c->protocols : "", protocols ? "\r\n" : "");
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
    client_write(c, head, (size_t)n);
}

static void open_more(void)
{
    while (next_open < count && opening < OPENING_MAX) {
        struct client *c = &clients[next_open++];
        struct sockaddr_in addr;
        uv_connect_t *req = malloc(sizeof *req);
        if (!req) die("no memory");
        opening++;
        uv_tcp_init(loop, &c->tcp);
        c->tcp.data = req->data = c;
        uv_ip4_addr("127.0.0.1", port, &addr);
        int st = uv_tcp_connect(req, &c->tcp, (struct sockaddr *)&addr, on_connected);
        if (st != 0) die("connect: %s", uv_strerror(st));
    }
}

static void clients_read(const char *file)
{
    FILE *f = fopen(file, "r");
    char line[4096], path[1024], protocols[1024], role[8];
    clients = calloc(SOCKETS_MAX, sizeof *clients);
    if (!f || !clients) die("%s cannot be read", file);
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%1023s %1023[^ ] %7s", path, protocols, role) != 3 || count == SOCKETS_MAX) die("line %d of %s", count + 1, file);
        clients[count++] = (struct client){ .path = strdup(path), .protocols = strdup(protocols), .role = role[0] };
    }
    fclose(f);
    if (count == 0) die("%s is empty", file);
}

int main(int argc, char **argv)
{
    static const char *const modes[] = { "echo", "frond", "inputs", "colyseus", "rooms", "idle" };
    int known = -1;
    for (int i = 0; argc > 3 && i < 6; i++) if (strcmp(argv[1], modes[i]) == 0) known = i;
    if (known < 0) die("usage: load MODE PORT FILE [SECONDS [PARAM]]");
    mode = (unsigned)known;
    port = atoi(argv[2]);
    seconds = argc > 4 ? atoi(argv[4]) : 10;
    param = argc > 5 ? atoi(argv[5]) : mode == LOAD_ECHO ? 128 : 20;
    if (param < 1 || seconds < 1) die("SECONDS and PARAM are at least 1");
    period_us = 1000000 / param;
    histogram = calloc(HISTOGRAM_MAX, sizeof *histogram);
    if (!histogram) die("no memory");
    signal(SIGPIPE, SIG_IGN);
    loop = uv_default_loop();
    clients_read(argv[3]);
    uv_timer_init(loop, &pacer);
    uv_timer_init(loop, &warm);
    uv_timer_init(loop, &window);
    uv_timer_init(loop, &finals);
    uv_timer_init(loop, &setup);
    uv_timer_start(&setup, on_setup_late, SETUP_MS, 0);
    open_more();
    return uv_run(loop, UV_RUN_DEFAULT);
}
