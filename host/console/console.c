// console.c — the socket: lines in, lines out, one request at a time per client.
#include "console/console.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"

struct client;
struct console { struct console_options o; uv_pipe_t listener; char path[108]; struct client *clients[CONSOLE_CLIENTS_MAX]; };

struct client {
    uv_pipe_t pipe;
    struct console *console;
    struct fr_buf in;
    struct console_op *op;             // the request being worked on; reading pauses
    bool closing, closed;
};

struct reply { uv_write_t req; struct fr_buf text; };

struct console_options *console_options_of(struct console *c) { return &c->o; }

static void client_free(struct client *c)
{
    fr_buf_free(&c->in);
    fr_free(c);
}

static void client_on_closed(uv_handle_t *handle)
{
    struct client *c = handle->data;
    c->closed = true;
    if (!c->op) client_free(c);        // else the answer under way frees it
}

static void client_close(struct client *c)
{
    if (c->closing) return;
    c->closing = true;
    for (int i = 0; i < CONSOLE_CLIENTS_MAX; i++)
        if (c->console->clients[i] == c) c->console->clients[i] = NULL;
    uv_close((uv_handle_t *)&c->pipe, client_on_closed);
}

static void reply_on_written(uv_write_t *req, int status)
{
    struct reply *r = req->data;
    if (status < 0) client_close(req->handle->data);
    fr_buf_free(&r->text);
    fr_free(r);
}

static void client_send(struct client *c, struct fr_buf *text)      // takes text
{
    struct reply *r = fr_must_alloc(sizeof *r);
    r->text = *text;
    r->req.data = r;
    uv_buf_t buf = uv_buf_init(r->text.data, (unsigned)r->text.len);
    if (c->closing || uv_write(&r->req, (uv_stream_t *)&c->pipe, &buf, 1, reply_on_written) != 0) {
        fr_buf_free(&r->text);
        fr_free(r);
        client_close(c);
    }
}

static void client_step(struct client *c);

static void op_free(struct console_op *op)
{
    fr_json_free((struct fr_json *)op->args);
    fr_buf_free(&op->out);
    fr_free(op);
}

void console_answer(struct console_op *op, enum fr_status status, const struct fr_err *err)
{
    struct client *c = op->client;
    struct fr_buf line;
    struct fr_err large;
    fr_buf_init(&line, CONSOLE_RESULT_BYTES_MAX + 1024);
    if (status == FR_OK && op->out.failed) {
        status = FR_FAIL(&large, FR_E_LIMIT, "the answer is over %d bytes", CONSOLE_RESULT_BYTES_MAX);
        err = &large;
    }
    if (status == FR_OK) {
        fr_buf_add(&line, "{\"ok\":true,\"result\":");
        fr_buf_add_bytes(&line, op->out.data ? op->out.data : "null", op->out.data ? op->out.len : 4);
    } else {
        fr_buf_addf(&line, "{\"ok\":false,\"status\":%d,\"code\":", fr_status_http(status));
        fr_buf_add_json_text(&line, err->code);
        fr_buf_add(&line, ",\"detail\":");
        fr_buf_add_json_text(&line, err->text);
    }
    fr_buf_add(&line, "}\n");
    c->op = NULL;
    op_free(op);
    if (c->closing) {                  // the client left while we worked
        fr_buf_free(&line);
        if (c->closed) client_free(c);
        return;
    }
    client_send(c, &line);
    client_step(c);
}

static void op_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    console_answer(arg, status, err);
}

static void op_run(struct console_op *op)
{
    struct console *console = op->console;
    struct fr_err err;
    if (op->verb->live) { op->verb->live(op); return; }
    const struct console_verb *v = op->verb;
    enum fr_status st = v->write ? store_run(console->o.store, v->job, op, op_done, &err)
                        : v->slow ? store_read_long(console->o.store, v->job, op, op_done, &err)
                                  : store_read(console->o.store, v->job, op, op_done, &err);
    if (st != FR_OK) console_answer(op, st, &err);
}

static enum fr_status request_read(struct client *c, const char *line, size_t len, struct console_op *op, struct fr_err *err)
{
    FR_AUTO(fr_json) request = NULL;
    const char *verb;
    const struct fr_json *args;
    FR_TRY(fr_json_parse(line, len, &request, err));
    FR_TRY(fr_json_need_text(request, "verb", 1, 40, &verb, err));
    FR_TRY(fr_json_need_object(request, "args", &args, err));
    op->verb = console_verb_find(verb);
    if (!op->verb) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "verb_unknown", "the host knows no verb \"%s\"", verb);
    FR_AUTO_BUF(copy);
    fr_buf_init(&copy, CONSOLE_LINE_BYTES_MAX);
    fr_json_print(args, &copy);
    FR_TRY(fr_buf_check(&copy, "the arguments", err));
    struct fr_json *own = NULL;
    FR_TRY(fr_json_parse(copy.data, copy.len, &own, err));
    op->args = own;
    op->console = c->console;
    op->dev = c->console->o.dev;
    return FR_OK;
}

static void client_step(struct client *c)
{
    char *end = c->in.len ? memchr(c->in.data, '\n', c->in.len) : NULL;
    if (!end || c->op || c->closing) return;
    struct console_op *op = fr_must_alloc(sizeof *op);
    struct fr_err err;
    fr_buf_init(&op->out, CONSOLE_RESULT_BYTES_MAX);
    op->client = c;
    c->op = op;
    enum fr_status st = request_read(c, c->in.data, (size_t)(end - c->in.data), op, &err);
    fr_buf_consume(&c->in, (size_t)(end - c->in.data) + 1);
    if (st == FR_OK) op_run(op);
    else console_answer(op, st, &err);
}

static void client_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct client *c = handle->data;
    (void)hint;
    char *room = fr_buf_reserve(&c->in, 4096);
    *buf = uv_buf_init(room, room ? 4096 : 0);
}

static void client_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = stream->data;
    (void)buf;
    if (n < 0) { client_close(c); return; }               // gone, or a line past the bound
    fr_buf_commit(&c->in, (size_t)n);
    client_step(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct console *console = listener->data;
    if (status < 0) return;
    struct client *c = fr_must_alloc(sizeof *c);
    c->console = console;
    c->pipe.data = c;
    fr_buf_init(&c->in, CONSOLE_LINE_BYTES_MAX);
    uv_pipe_init(console->o.loop, &c->pipe, 0);
    int at = 0;
    while (at < CONSOLE_CLIENTS_MAX && console->clients[at]) at++;
    if (at < CONSOLE_CLIENTS_MAX) console->clients[at] = c;
    if (uv_accept(listener, (uv_stream_t *)&c->pipe) != 0 || at == CONSOLE_CLIENTS_MAX) { client_close(c); return; }
    uv_read_start((uv_stream_t *)&c->pipe, client_alloc, client_on_read);
}

static void console_on_closed(uv_handle_t *handle)
{
    fr_free(handle->data);
}

enum fr_status console_start(const struct console_options *o, struct console **ret, struct fr_err *err)
{
    struct console *c = fr_must_alloc(sizeof *c);
    c->o = *o;
    c->listener.data = c;
    int len = snprintf(c->path, sizeof c->path, "%s/%s", o->folder, CONSOLE_SOCKET_NAME);
    uv_pipe_init(o->loop, &c->listener, 0);
    int rc = len >= (int)sizeof c->path ? UV_ENAMETOOLONG : 0;
    if (rc == 0) unlink(c->path);                          // the folder's lock is ours, so a socket there is a dead host's
    mode_t old = umask(0177);                              // only this user may ask
    if (rc == 0) rc = uv_pipe_bind(&c->listener, c->path);
    umask(old);
    if (rc == 0) rc = uv_listen((uv_stream_t *)&c->listener, 16, on_connection);
    if (rc == 0) { *ret = c; return FR_OK; }
    enum fr_status st = FR_FAIL_CODE(err, FR_E_IO, "console_socket", "cannot open the console socket %s/%s: %s", o->folder, CONSOLE_SOCKET_NAME, uv_strerror(rc));
    c->path[0] = '\0';
    uv_close((uv_handle_t *)&c->listener, console_on_closed);
    return st;
}

void console_stop(struct console *c)
{
    if (!c) return;
    unlink(c->path);
    for (int i = 0; i < CONSOLE_CLIENTS_MAX; i++)
        if (c->clients[i]) client_close(c->clients[i]);
    uv_close((uv_handle_t *)&c->listener, console_on_closed);
}
