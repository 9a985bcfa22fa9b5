// raw_libuv.c — the least a libuv server can do: whatever it reads, it writes the same bytes back. It parses nothing, checks
// nothing, waits for nothing. What it costs is the kernel's price of a request; bench_http.py divides by it.
//
//   raw_libuv FILE PORT      FILE holds the whole answer, head and body
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static char answer[64 * 1024], input[64 * 1024];
static uv_buf_t answer_buf;

static void on_closed(uv_handle_t *h) { free(h); }

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)h, (void)suggested;
    *buf = uv_buf_init(input, sizeof input);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    if (n > 0 && uv_try_write(s, &answer_buf, 1) == (int)answer_buf.len) return;
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
    FILE *f = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!f) return 2;
    answer_buf = uv_buf_init(answer, (unsigned)fread(answer, 1, sizeof answer, f));
    fclose(f);
    signal(SIGPIPE, SIG_IGN);
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    struct sockaddr_in addr;
    uv_tcp_init(loop, &listener);
    uv_ip4_addr("127.0.0.1", atoi(argv[2]), &addr);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&addr, 0) != 0 || uv_listen((uv_stream_t *)&listener, 1024, on_connection) != 0) return 1;
    printf("ready\n");
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
