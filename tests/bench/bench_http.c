// bench_http.c — host/net alone: every request gets one small fixed body, every WebSocket message its echo. What the host's
// routes add comes on top; bench_http.py measures build/frond itself when it is there.
//
//   bench_http PORT
#include <stdio.h>
#include <stdlib.h>
#include "net/server.h"
#include "net/ws.h"

static void on_message(void *arg, struct net_ws *ws, const char *text, size_t len, bool binary)
{
    (void)arg, (void)binary;
    net_ws_send(ws, text, len);
}

static const struct net_ws_hooks echo = { .on_message = on_message };

static void on_request(void *arg, struct net_request *req)
{
    (void)arg;
    static const char body[] = "{\"ok\":true,\"version\":\"0.1.0\",\"uptime_ms\":123456}";
    struct net_ws *ws;
    struct fr_err err;
    if (net_text_is(net_path(req), "/socket") && net_ws_accept(req, NULL, &echo, NULL, &ws, &err) == FR_OK) return;
    net_respond(req, 200, "application/json", "Cache-Control: no-store\r\n", body, sizeof body - 1);
}

int main(int argc, char **argv)
{
    struct net_server *s;
    struct fr_err err;
    struct net_server_options o = { .loop = uv_default_loop(), .host = "127.0.0.1", .port = argc == 2 ? atoi(argv[1]) : 0, .on_request = on_request };
    if (net_server_start(&o, &s, &err) != FR_OK) {
        fprintf(stderr, "bench_http: %s\n", err.text);
        return 1;
    }
    printf("ready\n");
    fflush(stdout);
    return uv_run(o.loop, UV_RUN_DEFAULT);
}
