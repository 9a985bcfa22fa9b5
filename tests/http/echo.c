// echo.c — host/net with nothing behind it, for tests that come as strangers: says what it understood of each request, and sends
// WebSocket messages back as they came.
//
//   net-echo [header_ms=N body_ms=N idle_ms=N write_stall_ms=N linger_ms=N ws_ping_ms=N ws_close_ms=N connections_max=N]
//
// Prints `ready PORT`. GET /stats: connections and their like; GET /bytes?n=N: that many bytes; /socket: the WebSocket; anything else
// is answered with its method, path, query, version of the framing that was understood and its body, as text.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#include "net/server.h"
#include "net/ws.h"

#define BYTES_MAX (3 * 1024 * 1024)

static struct net_server *server;
static char *filler;
static int messages, closed_with[5000];

static void on_message(void *arg, struct net_ws *ws, const char *text, size_t len, bool binary)
{
    (void)arg;
    messages++;
    if (binary) net_ws_send_binary(ws, text, len);
    else net_ws_send(ws, text, len);
}

static void on_close(void *arg, struct net_ws *ws, int code)
{
    (void)arg;
    (void)ws;
    if (code >= 0 && code < 5000) closed_with[code]++;
}

static const struct net_ws_hooks echo = { .on_message = on_message, .on_close = on_close };

static void answer_stats(struct net_request *req)
{
    FR_AUTO_BUF(out);
    struct net_server_stats s = net_server_stats(server);
    fr_buf_init(&out, 1 << 20);
    fr_buf_addf(&out, "{\"connections\":%lld,\"websockets\":%lld,\"requests\":%lld,\"refused\":%lld,\"messages\":%d,\"closed\":{", (long long)s.connections,
                (long long)s.websockets, (long long)s.requests, (long long)s.refused, messages);
    bool any = false;
    for (int code = 0; code < 5000; code++) {
        if (closed_with[code] == 0) continue;
        fr_buf_addf(&out, "%s\"%d\":%d", any ? "," : "", code, closed_with[code]);
        any = true;
    }
    fr_buf_add(&out, "}}");
    net_respond(req, 200, "application/json", NULL, out.data, out.len);
}

static void answer_bytes(struct net_request *req)
{
    char text[16];
    long n = net_query_value(req, "n", text, sizeof text) ? strtol(text, NULL, 10) : 0;
    if (n < 0 || n > BYTES_MAX) n = 0;
    net_respond(req, 200, "application/octet-stream", NULL, filler, (size_t)n);
}

static void answer_understood(struct net_request *req)
{
    FR_AUTO_BUF(out);
    struct net_text method = net_method(req), path = net_path(req), query = net_query(req), body = net_body(req);
    fr_buf_init(&out, 1 << 20);
    fr_buf_addf(&out, "%.*s %.*s %.*s %zu\n", (int)method.len, method.at, (int)path.len, path.at, (int)query.len, query.at, body.len);
    fr_buf_add_bytes(&out, body.at, body.len);
    net_respond(req, 200, "text/plain", NULL, out.data, out.len);
}

static void on_request(void *arg, struct net_request *req)
{
    (void)arg;
    struct net_ws *ws;
    struct fr_err err;
    struct net_text path = net_path(req);
    if (net_text_is(path, "/stats")) answer_stats(req);
    else if (net_text_is(path, "/bytes")) answer_bytes(req);
    else if (!net_text_is(path, "/socket")) answer_understood(req);
    else if (net_ws_accept(req, NULL, &echo, NULL, &ws, &err) != FR_OK) net_respond(req, 400, "text/plain", NULL, err.text, strlen(err.text));
}

static void on_stopped(void *arg) { uv_close(arg, NULL); }
static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    net_server_stop(server, 0, on_stopped, signal);
}

static bool option_set(struct net_server_options *o, const char *text)
{
    const struct { const char *name; int *at; } known[] = {
        { "header_ms=", &o->header_ms }, { "body_ms=", &o->body_ms }, { "idle_ms=", &o->idle_ms }, { "write_stall_ms=", &o->write_stall_ms }, { "linger_ms=", &o->linger_ms },
        { "ws_ping_ms=", &o->ws_ping_ms }, { "ws_close_ms=", &o->ws_close_ms }, { "connections_max=", &o->connections_max },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t len = strlen(known[i].name);
        if (strncmp(text, known[i].name, len) != 0) continue;
        *known[i].at = (int)strtol(text + len, NULL, 10);
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct fr_err err;
    uv_signal_t on_term;
    struct net_server_options o = { .loop = uv_default_loop(), .host = "127.0.0.1", .on_request = on_request };
    for (int i = 1; i < argc; i++) {
        if (option_set(&o, argv[i])) continue;
        fprintf(stderr, "net-echo: what is %s?\n", argv[i]);
        return 2;
    }
    filler = fr_must_alloc(BYTES_MAX);
    memset(filler, 'x', BYTES_MAX);
    if (net_server_start(&o, &server, &err) != FR_OK) {
        fprintf(stderr, "net-echo: %s\n", err.text);
        return 1;
    }
    uv_signal_init(o.loop, &on_term);
    uv_signal_start(&on_term, on_signal, SIGTERM);
    printf("ready %d\n", net_server_port(server));
    fflush(stdout);
    uv_run(o.loop, UV_RUN_DEFAULT);
    fr_free(filler);
    return uv_loop_close(o.loop) == 0 ? 0 : 1;
}
