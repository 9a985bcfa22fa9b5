// ask.c — a console verb, answered by the running host or, when nobody holds the folder, by the same job run here.
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/internal.h"

#define ANSWER_BYTES_MAX (CONSOLE_RESULT_BYTES_MAX + 4096)
static const char ok_head[] = "{\"ok\":true,\"result\":";

enum fr_status cli_data_exists(const struct cli *c, struct fr_err *err)
{
    struct stat st;
    if (stat(c->data, &st) != 0 && errno == ENOENT)
        return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "data_missing", "there is no data folder %.250s: name it with --data, or make one with `frond serve`", c->data);
    if (stat(c->data, &st) != 0) return FR_FAIL_CODE(err, FR_E_IO, "data_missing", "cannot look at the data folder %.250s: %s", c->data, strerror(errno));
    if (!S_ISDIR(st.st_mode)) return FR_FAIL_CODE(err, FR_E_INVALID, "data_missing", "%.250s is not a folder: name the data folder with --data", c->data);
    return FR_OK;
}

// ---- the socket

// Connected, or -1 with *nobody set when no host listens there.
static enum fr_status socket_open(const struct cli *c, int *ret, bool *nobody, struct fr_err *err)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    *nobody = false;
    if ((size_t)snprintf(at.sun_path, sizeof at.sun_path, "%s/" CONSOLE_SOCKET_NAME, c->data) >= sizeof at.sun_path)
        return FR_FAIL_CODE(err, FR_E_INVALID, "console_socket", "the data folder's name is too long for a socket in it: go nearer and use a relative name");
    FR_AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return FR_FAIL(err, FR_E_IO, "cannot make a socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        *nobody = errno == ENOENT || errno == ECONNREFUSED || errno == ENOTSOCK;
        if (errno == EACCES || errno == EPERM)
            return FR_FAIL_CODE(err, FR_E_DENIED, "console_socket", "%s belongs to another user: run this as the user the host runs as", at.sun_path);
        if (errno == EAGAIN) return FR_FAIL_CODE(err, FR_E_BUSY, "console_socket", "the host on %.250s has no time: too many clients at its socket", c->data);
        return FR_FAIL_CODE(err, FR_E_IO, "console_socket", "cannot connect to %s: %s", at.sun_path, strerror(errno));
    }
    *ret = fd;
    fd = -1;
    return FR_OK;
}

static enum fr_status wait_for(int fd, short what, int64_t end_ms, struct fr_err *err)
{
    for (;;) {
        int64_t left = end_ms - fr_mono_ms();
        struct pollfd p = { .fd = fd, .events = what };
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n > 0) return FR_OK;
        if (n == 0) return FR_FAIL_CODE(err, FR_E_TIMEOUT, "host_silent", "the host did not answer in time; whether it did what it was asked is not known");
        if (errno != EINTR) return FR_FAIL(err, FR_E_IO, "poll: %s", strerror(errno));
    }
}

static enum fr_status host_gone(struct fr_err *err)
{
    return FR_FAIL_CODE(err, FR_E_UNKNOWN, "host_gone", "the host ended while it was asked; whether it did what it was asked is not known");
}

static enum fr_status line_send(int fd, const char *bytes, size_t len, int64_t end_ms, struct fr_err *err)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) FR_TRY(wait_for(fd, POLLOUT, end_ms, err));
        else if (n < 0 && errno != EINTR) return host_gone(err);
        if (n > 0) { bytes += n; len -= (size_t)n; }
    }
    return FR_OK;
}

static enum fr_status line_receive(int fd, struct fr_buf *out, int64_t end_ms, struct fr_err *err)
{
    for (;;) {
        if (out->len > 0 && out->data[out->len - 1] == '\n') return FR_OK;
        char *room = fr_buf_reserve(out, 65536);
        if (!room) return fr_buf_check(out, "the host's answer", err);
        ssize_t n = recv(fd, room, 65536, 0);
        if (n > 0) fr_buf_commit(out, (size_t)n);
        else if (n == 0) return host_gone(err);
        else if (errno == EAGAIN) FR_TRY(wait_for(fd, POLLIN, end_ms, err));
        else if (errno != EINTR) return host_gone(err);
    }
}

// {"ok":false,"status":n,"code":"..","detail":".."}
static enum fr_status answer_refused(const struct fr_buf *line, struct fr_err *err)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err bad;
    const char *code = NULL, *detail = NULL;
    if (fr_json_parse(line->data, line->len - 1, &json, &bad) == FR_OK) {
        code = fr_json_text(fr_json_get(json, "code"));
        detail = fr_json_text(fr_json_get(json, "detail"));
    }
    if (!code || !detail) return FR_FAIL_CODE(err, FR_E_INTERNAL, "host_nonsense", "the host's answer is none: is it of another version?");
    return FR_FAIL_CODE(err, FR_E_CONFLICT, code, "%s", detail);
}

static enum fr_status ask_host(int fd, const struct console_verb *v, const char *args_json, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO_BUF(line);
    FR_AUTO_BUF(answer);
    int64_t end_ms = fr_mono_ms() + (v->slow ? CLI_ASK_LONG_MS : CLI_ASK_MS);
    fr_buf_init(&answer, ANSWER_BYTES_MAX);
    fr_buf_init(&line, CONSOLE_LINE_BYTES_MAX);
    fr_buf_addf(&line, "{\"verb\":\"%s\",\"args\":%s}\n", v->name, args_json);
    FR_TRY(fr_buf_check(&line, "the arguments", err));
    FR_TRY(line_send(fd, line.data, line.len, end_ms, err));
    FR_TRY(line_receive(fd, &answer, end_ms, err));
    size_t head = sizeof ok_head - 1;
    if (answer.len < head + 2 || memcmp(answer.data, ok_head, head) != 0) return answer_refused(&answer, err);
    fr_buf_add_bytes(out, answer.data + head, answer.len - head - 2);       // without "}\n"; an export may be longer than we parse
    return fr_buf_check(out, "the answer", err);
}

bool cli_host_answers(const struct cli *c)
{
    FR_AUTO_FD int fd = -1;
    bool nobody;
    struct fr_err err;
    return socket_open(c, &fd, &nobody, &err) == FR_OK;
}

// ---- without a host

bool cli_data_is_dev(const struct cli *c)
{
    char path[CLI_PATH_BYTES];
    return (size_t)snprintf(path, sizeof path, "%s/" HOST_DEV_MARK, c->data) < sizeof path && access(path, F_OK) == 0;
}

static enum fr_status ask_folder(struct cli *c, const struct console_verb *v, const char *args_json, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO(fr_json) args = NULL;
    struct store *store;
    FR_TRY(fr_json_parse(args_json, strlen(args_json), &args, err));
    host_register_modules();
    FR_TRY(store_open(&(struct store_options){ .folder = c->data, .read_only = !v->write }, &store, err));
    struct console_op op = { .verb = v, .args = args, .dev = cli_data_is_dev(c) };
    fr_buf_init(&op.out, CONSOLE_RESULT_BYTES_MAX);
    enum fr_status st = store_now(store, v->job, &op, err);
    store_close(store);
    if (st == FR_OK) fr_buf_add_bytes(out, op.out.data, op.out.len);
    if (st == FR_OK) st = fr_buf_check(&op.out, "the answer", err);
    fr_buf_free(&op.out);
    return st;
}

enum fr_status cli_ask(struct cli *c, const char *console_verb, const char *args_json, struct fr_buf *out, struct fr_err *err)
{
    const struct console_verb *v = console_verb_find(console_verb);
    FR_AUTO_FD int fd = -1;
    bool nobody;
    FR_TRY(cli_data_exists(c, err));
    enum fr_status st = socket_open(c, &fd, &nobody, err);
    if (st == FR_OK) return ask_host(fd, v, args_json, out, err);
    if (!nobody) return st;
    if (!v->offline) return FR_FAIL_CODE(err, FR_E_BUSY, "no_host", "no host is running on %.200s, and this needs one: frond serve --data %.100s", c->data, c->data);
    return ask_folder(c, v, args_json, out, err);
}

// ---- verbs that only ask: argument and option names are the console's keys

static void add_pair(struct fr_buf *b, const char *key, const char *value)
{
    if (!value) return;
    if (b->len > 1) fr_buf_add_char(b, ',');
    fr_buf_add_json_text(b, key);
    fr_buf_add_char(b, ':');
    fr_buf_add_json_bytes(b, value, strlen(value));
}

enum fr_status run_console(struct cli *c, struct fr_err *err)
{
    FR_AUTO_BUF(args);
    fr_buf_init(&args, CONSOLE_LINE_BYTES_MAX);
    fr_buf_add_char(&args, '{');
    for (int i = 0; i < CLI_ARGS_MAX && c->verb->args[i].name; i++) add_pair(&args, c->verb->args[i].name, c->arg[i]);
    for (int i = 0; i < CLI_OPTIONS_MAX && c->verb->options[i].name; i++) add_pair(&args, c->verb->options[i].name, c->option[i]);
    fr_buf_add_char(&args, '}');
    FR_TRY(fr_buf_check(&args, "the arguments", err));
    return cli_ask(c, c->verb->console, args.data, &c->out, err);
}
