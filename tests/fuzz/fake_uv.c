// fake_uv.c — see fake_uv.h. Only calls that host/net makes are here: one more, and linking says which.
#include "fake_uv.h"
#include <arpa/inet.h>
#include <sanitizer/asan_interface.h>
#include <sys/socket.h>
#include "base/limits.h"
#include "net/internal.h"
#include "fuzz.h"

#define CLOSING 1                                      // in uv_handle_t.flags
#define FAKE_FD 1000000                                // nobody's
#define WRITES_MAX 64
#define CLOSES_MAX 16

struct fr_buf fake_sent;

static uint64_t now_ms = 1000;
static size_t room = SIZE_MAX, room_left = SIZE_MAX;
static uv_stream_t *listener, *conn;
static uv_connection_cb on_connection;
static uv_alloc_cb on_alloc;
static uv_read_cb on_read;
static uv_prepare_t *prepare;
static uv_prepare_cb on_prepare;
static uv_timer_t *timer;
static uv_timer_cb on_timer;
static uv_idle_t *idle;
static uv_idle_cb on_idle;
static uv_handle_t *closes[CLOSES_MAX];
static uv_close_cb close_cbs[CLOSES_MAX];
static int close_count;
static struct { uv_write_t *req; uv_write_cb done; size_t left; } writes[WRITES_MAX];
static struct fr_buf waiting;                          // bytes of queued writes, the first waiting_at of them taken: a client that reads byte by byte moves no others
static size_t waiting_at;
static int write_count;

// ---- what the target does

void fake_connect(void)
{
    HOLDS(!conn && on_connection);
    fr_buf_clear(&fake_sent);
    fake_sent.max = SIZE_MAX / 2;
    waiting.max = SIZE_MAX / 2;
    on_connection(listener, 0);
}

bool fake_open(void) { return conn && !(conn->flags & CLOSING); }
bool fake_reads(void) { return fake_open() && on_read; }
void fake_room(size_t bytes) { room = room_left = bytes; }

size_t fake_read(const void *bytes, size_t len)
{
    if (!fake_reads() || len == 0) return 0;
    uv_buf_t buf;
    on_alloc((uv_handle_t *)conn, 65536, &buf);
    if (len > buf.len) len = buf.len;
    memcpy(buf.base, bytes, len);
    const char *beyond = buf.base + len + 1;           // one byte behind may be used (internal.h says so), none after it
    size_t hidden = buf.len - len < 512 ? buf.len - len : 512;      // not all of it: that would be the slowest part of a run
    ASAN_POISON_MEMORY_REGION(beyond, hidden);
    on_read(conn, (ssize_t)len, &buf);
    ASAN_UNPOISON_MEMORY_REGION(beyond, hidden);
    return len;
}

void fake_eof(void)
{
    if (!fake_reads()) return;
    uv_buf_t buf;
    uv_read_cb cb = on_read;
    on_alloc((uv_handle_t *)conn, 65536, &buf);
    on_read = NULL;                                    // as libuv does
    cb(conn, UV_EOF, &buf);
}

static void forget_waiting(void)
{
    fr_buf_clear(&waiting);
    waiting_at = 0;
}

static void finish_writes(void)
{
    size_t left = waiting.len - waiting_at, taken = left < room_left ? left : room_left;
    fr_buf_add_bytes(&fake_sent, waiting.data ? waiting.data + waiting_at : "", taken);
    waiting_at += taken;
    if (waiting_at == waiting.len) forget_waiting();
    if (conn) conn->write_queue_size -= taken;
    while (write_count > 0 && (taken >= writes[0].left || (conn && conn->flags & CLOSING))) {
        uv_write_cb done = writes[0].done;
        uv_write_t *req = writes[0].req;
        bool whole = taken >= writes[0].left;
        taken -= whole ? writes[0].left : taken;
        memmove(writes, writes + 1, (size_t)--write_count * sizeof writes[0]);
        done(req, whole ? 0 : UV_ECANCELED);
    }
    if (write_count > 0) writes[0].left -= taken;
}

void fake_turn(void)
{
    room_left = room;
    if (on_idle) on_idle(idle);
    if (on_prepare) on_prepare(prepare);
    finish_writes();
    while (close_count > 0) {
        uv_handle_t *handle = closes[0];
        uv_close_cb cb = close_cbs[0];
        close_count--;
        memmove(closes, closes + 1, (size_t)close_count * sizeof closes[0]);
        memmove(close_cbs, close_cbs + 1, (size_t)close_count * sizeof close_cbs[0]);
        if (handle == (uv_handle_t *)conn) {
            HOLDS(write_count == 0);
            conn = NULL;
            on_read = NULL;
            forget_waiting();
        }
        cb(handle);
    }
}

void fake_tick(int ms)
{
    now_ms += (uint64_t)ms;
    if (on_timer) on_timer(timer);
}

// ---- what host/net calls

uv_buf_t uv_buf_init(char *base, unsigned len) { return (uv_buf_t){ .base = base, .len = len }; }
const char *uv_strerror(int err) { (void)err; return "fake"; }
uint64_t uv_now(const uv_loop_t *loop) { (void)loop; return now_ms; }
void uv_ref(uv_handle_t *handle) { (void)handle; }
void uv_unref(uv_handle_t *handle) { (void)handle; }

int uv_prepare_init(uv_loop_t *loop, uv_prepare_t *handle) { (void)loop; handle->flags = 0; return 0; }
int uv_prepare_start(uv_prepare_t *handle, uv_prepare_cb cb) { prepare = handle; on_prepare = cb; return 0; }
int uv_idle_init(uv_loop_t *loop, uv_idle_t *handle) { (void)loop; handle->flags = 0; return 0; }
int uv_idle_start(uv_idle_t *handle, uv_idle_cb cb) { idle = handle; on_idle = cb; return 0; }
int uv_idle_stop(uv_idle_t *handle) { HOLDS(handle == idle || !on_idle); on_idle = NULL; return 0; }
int uv_timer_init(uv_loop_t *loop, uv_timer_t *handle) { (void)loop; handle->flags = 0; return 0; }
int uv_timer_start(uv_timer_t *handle, uv_timer_cb cb, uint64_t first, uint64_t again)
{
    (void)first;
    (void)again;
    timer = handle;
    on_timer = cb;
    return 0;
}

int uv_tcp_init(uv_loop_t *loop, uv_tcp_t *handle) { (void)loop; handle->flags = 0; handle->write_queue_size = 0; return 0; }
int uv_tcp_bind(uv_tcp_t *handle, const struct sockaddr *addr, unsigned flags) { (void)handle; (void)addr; (void)flags; return 0; }
int uv_tcp_nodelay(uv_tcp_t *handle, int enable) { (void)handle; (void)enable; return 0; }
int uv_ip4_addr(const char *ip, int port, struct sockaddr_in *addr)
{
    memset(addr, 0, sizeof *addr);
    addr->sin_family = AF_INET;
    addr->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, ip, &addr->sin_addr) == 1 ? 0 : UV_EINVAL;
}
int uv_ip6_addr(const char *ip, int port, struct sockaddr_in6 *addr) { (void)ip; (void)port; (void)addr; return UV_EINVAL; }
int uv_ip4_name(const struct sockaddr_in *src, char *dst, size_t size) { return inet_ntop(AF_INET, &src->sin_addr, dst, (socklen_t)size) ? 0 : UV_EINVAL; }
int uv_ip6_name(const struct sockaddr_in6 *src, char *dst, size_t size) { (void)src; (void)dst; (void)size; return UV_EINVAL; }
static int address(struct sockaddr *name) { return uv_ip4_addr("127.0.0.1", 4321, (struct sockaddr_in *)(void *)name); }
int uv_tcp_getpeername(const uv_tcp_t *handle, struct sockaddr *name, int *len) { (void)handle; (void)len; return address(name); }
int uv_tcp_getsockname(const uv_tcp_t *handle, struct sockaddr *name, int *len) { (void)handle; (void)len; return address(name); }

int uv_listen(uv_stream_t *stream, int backlog, uv_connection_cb cb)
{
    (void)backlog;
    listener = stream;
    on_connection = cb;
    return 0;
}

int uv_accept(uv_stream_t *server, uv_stream_t *client)
{
    (void)server;
    if (conn) return UV_EAGAIN;
    conn = client;
    return 0;
}

int uv_read_start(uv_stream_t *stream, uv_alloc_cb alloc_cb, uv_read_cb read_cb)
{
    HOLDS(stream == conn && !(stream->flags & CLOSING));
    on_alloc = alloc_cb;
    on_read = read_cb;
    return 0;
}

int uv_read_stop(uv_stream_t *stream)
{
    HOLDS(stream == conn);
    on_read = NULL;
    return 0;
}

size_t uv_stream_get_write_queue_size(const uv_stream_t *stream) { return stream->write_queue_size; }

static size_t total_of(const uv_buf_t bufs[], unsigned count)
{
    size_t total = 0;
    for (unsigned i = 0; i < count; i++) total += bufs[i].len;
    return total;
}

int uv_try_write(uv_stream_t *stream, const uv_buf_t bufs[], unsigned count)
{
    HOLDS(stream == conn && !(stream->flags & CLOSING) && total_of(bufs, count) > 0);
    if (write_count > 0 || room_left == 0) return UV_EAGAIN;
    size_t took = 0;
    for (unsigned i = 0; i < count && room_left > 0; i++) {
        size_t n = bufs[i].len < room_left ? bufs[i].len : room_left;
        fr_buf_add_bytes(&fake_sent, bufs[i].base, n);
        took += n;
        if (room_left != SIZE_MAX) room_left -= n;
    }
    return (int)took;
}

int uv_write(uv_write_t *req, uv_stream_t *stream, const uv_buf_t bufs[], unsigned count, uv_write_cb cb)
{
    HOLDS(stream == conn && !(stream->flags & CLOSING) && write_count < WRITES_MAX);
    for (unsigned i = 0; i < count; i++) fr_buf_add_bytes(&waiting, bufs[i].base, bufs[i].len);
    req->handle = stream;
    writes[write_count].req = req;
    writes[write_count].done = cb;
    writes[write_count++].left = total_of(bufs, count);
    stream->write_queue_size += total_of(bufs, count);
    return 0;
}

void uv_close(uv_handle_t *handle, uv_close_cb cb)
{
    HOLDS(!(handle->flags & CLOSING) && close_count < CLOSES_MAX);
    handle->flags |= CLOSING;
    if (handle == (uv_handle_t *)conn) on_read = NULL;
    closes[close_count] = handle;
    close_cbs[close_count++] = cb;
}

int uv_is_closing(const uv_handle_t *handle) { return (handle->flags & CLOSING) != 0; }
int uv_fileno(const uv_handle_t *handle, uv_os_fd_t *fd) { (void)handle; *fd = FAKE_FD; return 0; }

int __wrap_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how) { (void)how; return fd == FAKE_FD ? 0 : -1; }
