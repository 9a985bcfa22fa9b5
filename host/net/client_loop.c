// client_loop.c — libcurl's multi interface on libuv: a poll handle per socket, a timer per pool.
#include "net/client_inside.h"
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"

struct watch { uv_poll_t poll; struct pool *pool; curl_socket_t fd; };

static void begin_once(void)
{
    unsetenv("SSLKEYLOGFILE");                 // libcurl would write the keys of every connection there
    setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);          // how long a lookup may keep a thread of libuv's pool: glibc's own are 5 s, per server
    curl_global_init(CURL_GLOBAL_DEFAULT);
    signal(SIGPIPE, SIG_IGN);
}

// Everything that libcurl finished. What the callers' callbacks start or give up waits for a later turn, so nothing here runs inside itself.
static void pool_collect(struct pool *p)
{
    CURLMsg *m;
    for (int left; (m = curl_multi_info_read(p->multi, &left)); ) {
        if (m->msg != CURLMSG_DONE) continue;
        struct net_call *c = NULL;
        CURLcode code = m->data.result;        // m dies with the next call into libcurl
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
        call_on_curl_done(c, code);
    }
}

static void pool_act(struct pool *p, curl_socket_t fd, int what)
{
    int running;
    curl_multi_socket_action(p->multi, fd, what, &running);
    pool_collect(p);
}

static void on_timer(uv_timer_t *timer)
{
    pool_act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    int what = status < 0 ? CURL_CSELECT_ERR : (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    pool_act(w->pool, w->fd, what);            // may end w
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *w = handle->data;
    struct net_client *client = w->pool->client;
    fr_free(w);
    client_handle_closed(client);
}

static int curl_wants_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct pool *p = arg;
    struct watch *w = socket_arg;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w) uv_close((uv_handle_t *)&w->poll, on_watch_closed);
        curl_multi_assign(p->multi, fd, NULL);
        return 0;
    }
    if (!w) {
        w = fr_must_alloc(sizeof *w);          // small; and a multi handle that was refused a socket is dead for good
        *w = (struct watch){ .pool = p, .fd = fd };
        int bad = uv_poll_init_socket(p->client->loop, &w->poll, fd);
        assert(bad == 0);                      // the descriptor is open, a socket, and not watched yet
        w->poll.data = w;
        p->client->handles++;
        curl_multi_assign(p->multi, fd, w);
    }
    uv_poll_start(&w->poll, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0), on_poll);
    return 0;
}

static int curl_wants_timer(CURLM *multi, long ms, void *arg)
{
    struct pool *p = arg;
    (void)multi;
    if (ms < 0) {
        uv_timer_stop(&p->timer);
        return 0;
    }
    uv_update_time(p->client->loop);
    uv_timer_start(&p->timer, on_timer, (uint64_t)ms, 0);      // 0: with the next turn, never inside libcurl
    return 0;
}

static uint64_t inode_of(int fd)
{
    struct stat s;
    return fstat(fd, &s) == 0 && S_ISSOCK(s.st_mode) ? s.st_ino : 0;
}

int pool_connections(struct pool *p)
{
    int kept = 0;
    for (int i = 0; i < p->opened_count; i++) if (inode_of(p->opened[i].fd) == p->opened[i].inode) p->opened[kept++] = p->opened[i];
    return p->opened_count = kept;
}

curl_socket_t pool_on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct net_call *c = arg;
    bool local = address->family == AF_UNIX && c->unix_path;
    (void)purpose;
    if (c->pool->is_public && (local || !net_sockaddr_is_public(&address->addr, address->addrlen))) {
        c->refused_private = true;
        return CURL_SOCKET_BAD;
    }
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) return CURL_SOCKET_BAD;
    struct pool *p = c->pool;
    if (p->opened_count == 2 * p->connections_max) pool_connections(p);
    if (p->opened_count < 2 * p->connections_max) p->opened[p->opened_count++] = (struct opened){ fd, inode_of(fd) };
    p->client->stats.connections_made++;
    return fd;
}

CURLMcode pool_add(struct pool *p, CURL *easy)
{
    return curl_multi_add_handle(p->multi, easy);
}

enum fr_status pool_open(struct pool *p, struct net_client *client, bool is_public, struct fr_err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin_once);
    p->client = client;
    p->is_public = is_public;
    p->multi = curl_multi_init();
    if (!p->multi) return FR_FAIL(err, FR_E_NOMEM, "no memory for an HTTP client");
    p->hosts = fr_map_new((size_t)p->calls_max);
    p->opened = fr_must_alloc(2 * (size_t)p->connections_max * sizeof p->opened[0]);
    uv_timer_init(client->loop, &p->timer);
    p->timer.data = p;
    client->handles++;
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, curl_wants_socket);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, curl_wants_timer);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(p->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)p->connections_max);     // kept ones make room
    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)p->connections_max);
    return FR_OK;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct pool *p = handle->data;
    client_handle_closed(p->client);
}

void pool_close(struct pool *p)
{
    if (!p->multi) return;
    assert(p->calls == 0 && p->running == 0 && p->lookups == 0 && fr_map_size(p->hosts) == 0);
    curl_multi_cleanup(p->multi);              // closes the kept connections, and their watches with them
    assert(pool_connections(p) == 0);
    fr_free(p->opened);
    p->multi = NULL;
    uv_close((uv_handle_t *)&p->timer, on_timer_closed);
    names_close(p);
    fr_map_free(p->hosts);
    p->hosts = NULL;
}
