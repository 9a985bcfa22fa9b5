// engine_tool.c — llm/engine on a loop of its own: `engine-tool JAIL SERVER MODEL FOLDER`. A line of JSON for each change of state, and for each line on
// standard input ("stop" ends it).
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "llm/engine.h"

static struct llm_engine *engine;
static struct net_client *client;
static uv_pipe_t input;

static void print_facts(void *arg)
{
    struct llm_engine_facts f;
    (void)arg;
    llm_engine_facts(engine, &f);
    printf("{\"state\":\"%s\",\"code\":\"%s\",\"pid\":%d,\"starts\":%lld,\"rss\":%lld,\"socket\":\"%s\",\"key\":\"%s\",\"text\":\"", llm_engine_state_name(f.state), f.code, f.pid, (long long)f.starts, (long long)f.rss_bytes,
           f.socket, llm_engine_key(engine));
    for (const char *c = f.text; *c; c++) if (*c != '"' && *c != '\\') putchar(*c);
    puts("\"}");
    fflush(stdout);
}

static void on_client_stopped(void *arg) { (void)arg; }
static void on_engine_stopped(void *arg)
{
    (void)arg;
    llm_engine_free(engine);
    net_client_stop(client, on_client_stopped, NULL);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    static char room[256];
    (void)handle;
    (void)wanted;
    *buf = uv_buf_init(room, sizeof room);
}

static void on_line(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    if (n > 0 && memmem(buf->base, (size_t)n, "stop", 4) == NULL) {
        print_facts(NULL);
        return;
    }
    uv_close((uv_handle_t *)stream, NULL);
    llm_engine_stop(engine, on_engine_stopped, NULL);
}

int main(int argc, char **argv)
{
    struct fr_err err;
    uv_loop_t *loop = uv_default_loop();
    if (argc != 5) return 2;
    fr_log_level_set(LOG_ERROR);
    struct llm_engine_options o = { .loop = loop, .jail = argv[1], .server = argv[2], .model = argv[3], .folder = argv[4], .on_change = print_facts };
    if (net_client_start(&(struct net_client_options){ .loop = loop }, &client, &err) != FR_OK) return 1;
    o.client = client;
    if (llm_engine_new(&o, &engine, &err) != FR_OK) return 1;
    uv_pipe_init(loop, &input, 0);
    if (uv_pipe_open(&input, 0) < 0) return 1;
    uv_read_start((uv_stream_t *)&input, on_room, on_line);
    uv_run(loop, UV_RUN_DEFAULT);
    return uv_loop_close(loop) != 0;
}
