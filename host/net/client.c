// client.c — calls: checked, queued, connected, answered or tried again, ended. What libcurl is told about each stands in set_up.
#include "net/client_inside.h"
#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/version.h"

static const struct { const char *code; enum fr_status status; const char *text; } failures[NET_FAILURES] = {
    [NET_FAIL_CANCELLED] = { "client_cancelled",   FR_E_CONFLICT, "the call was given up" },
    [NET_FAIL_STOPPED]   = { "client_stopped",     FR_E_BUSY,     "this host is stopping" },
    [NET_FAIL_NAME]      = { "client_name",        FR_E_BUSY,     "no address was found for this name" },
    [NET_FAIL_CONNECT]   = { "client_unreachable", FR_E_BUSY,     "no connection" },
    [NET_FAIL_PRIVATE]   = { "client_private",     FR_E_DENIED,   "this address is not a public one" },
    [NET_FAIL_TLS]       = { "client_tls",         FR_E_DENIED,   "no valid certificate, or no safe connection" },
    [NET_FAIL_CA_FILE]   = { "client_ca_file",     FR_E_INVALID,  "the file of certificates cannot be read" },
    [NET_FAIL_TIMEOUT]   = { "client_timeout",     FR_E_TIMEOUT,  "no whole answer in time" },
    [NET_FAIL_IDLE]      = { "client_idle",        FR_E_TIMEOUT,  "no byte for too long" },
    [NET_FAIL_CLOSED]    = { "client_closed",      FR_E_IO,       "the connection ended before the answer did" },
    [NET_FAIL_NONSENSE]  = { "client_nonsense",    FR_E_IO,       "what came is no HTTP" },
    [NET_FAIL_HEADERS]   = { "client_headers",     FR_E_LIMIT,    "the answer's headers are too large" },
    [NET_FAIL_TOO_LARGE] = { "client_too_large",   FR_E_LIMIT,    "the answer is too large" },
    [NET_FAIL_REDIRECT]  = { "client_redirect",    FR_E_DENIED,   "redirected too often, or to where we do not go" },
    [NET_FAIL_NOMEM]     = { "nomem",              FR_E_NOMEM,    "no memory for a call" },
    [NET_FAIL_OTHER]     = { "client_failed",      FR_E_IO,       "the call failed" },
};

const char *net_failure_code(enum net_failure f)
{
    return f > NET_FAIL_NONE && f < NET_FAILURES ? failures[f].code : "ok";
}

// ---- what is asked -------------------------------------------------------------------------------------------------

static bool in_list(const char *word, const char *const *list)
{
    for (; *list; list++) if (strcasecmp(word, *list) == 0) return true;
    return false;
}

static bool is_token(const char *text)
{
    if (!*text) return false;
    for (; *text; text++) if (!isalnum((unsigned char)*text) && !strchr("!#$%&'*+-.^_`|~", *text)) return false;
    return true;
}

static enum fr_status check_headers(const struct net_ask *ask, struct fr_err *err)
{
    static const char *const ours[] = { "host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "proxy-authorization",
                                        "te", "trailer", "upgrade", "expect", "accept-encoding", NULL };
    size_t bytes = 0;
    if (ask->header_count < 0 || ask->header_count > CLIENT_HEADERS_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "client_request_too_large", "more than %d headers", CLIENT_HEADERS_MAX);
    for (int i = 0; i < ask->header_count; i++) {
        const struct net_pair *h = &ask->headers[i];
        if (!is_token(h->name) || in_list(h->name, ours)) return FR_FAIL_CODE(err, FR_E_INVALID, "client_header", "header %d: this name cannot be set", i + 1);
        for (const char *v = h->value; *v; v++)
            if ((unsigned char)*v < 0x20 ? *v != '\t' : (unsigned char)*v == 0x7f) return FR_FAIL_CODE(err, FR_E_INVALID, "client_header", "%s: a control character", h->name);
        bytes += strlen(h->name) + strlen(h->value) + 4;
    }
    if (bytes > CLIENT_HEADER_BYTES_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "client_request_too_large", "headers over %d bytes", CLIENT_HEADER_BYTES_MAX);
    return FR_OK;
}

static bool has_body(const char *method)
{
    static const char *const with_body[] = { "POST", "PUT", "PATCH", NULL };
    return in_list(method, with_body);
}

static bool in_range(int64_t value, int64_t most)
{
    return value >= 0 && value <= most;
}

static enum fr_status check_ask(const struct net_ask *ask, struct fr_err *err)
{
    static const char *const methods[] = { "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH", NULL };
    const char *method = ask->method ? ask->method : "GET";
    int64_t answer_most = ask->on_bytes ? CLIENT_STREAM_BYTES_MAX : CLIENT_ANSWER_BYTES_MAX;
    bool known = false;
    for (int i = 0; methods[i]; i++) known = known || strcmp(method, methods[i]) == 0;
    if (!known) return FR_FAIL_CODE(err, FR_E_INVALID, "client_request", "no such method: %.20s", method);
    if (ask->body_len && !has_body(method)) return FR_FAIL_CODE(err, FR_E_INVALID, "client_request", "%s has no body", method);
    if (ask->body_len > CLIENT_BODY_BYTES_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "client_request_too_large", "a body over %d bytes", CLIENT_BODY_BYTES_MAX);
    if (!in_range(ask->connect_ms, CLIENT_MS_MAX) || !in_range(ask->idle_ms, CLIENT_MS_MAX) || !in_range(ask->total_ms, CLIENT_MS_MAX)) return FR_FAIL_CODE(err, FR_E_INVALID, "client_request", "a deadline over %d ms", CLIENT_MS_MAX);
    if (!in_range(ask->retries, CLIENT_RETRIES_MAX) || !in_range(ask->redirects, CLIENT_REDIRECTS_MAX)) return FR_FAIL_CODE(err, FR_E_INVALID, "client_request", "more than %d retries or %d redirects", CLIENT_RETRIES_MAX, CLIENT_REDIRECTS_MAX);
    if (!in_range(ask->answer_bytes_max, answer_most)) return FR_FAIL_CODE(err, FR_E_INVALID, "client_request", "an answer of more than %lld bytes", (long long)answer_most);
    if (ask->unix_path && (ask->public_only || ask->unix_path[0] != '/' || strlen(ask->unix_path) > 100)) return FR_FAIL_CODE(err, FR_E_INVALID, "client_request", "not a socket of this machine");
    return check_headers(ask, err);
}

// ---- where to ------------------------------------------------------------------------------------------------------

// "://", then a host and nothing that libcurl would forgive: no further slash, no user, no zone.
static bool authority_plain(const char *url)
{
    const char *at = strstr(url, "://");
    size_t len = at ? strcspn(at + 3, "/?#") : 0;
    for (size_t i = 0; i < len; i++) if (strchr("@%\\", at[3 + i])) return false;
    return len > 0;
}

// Reads c->url with libcurl's own parser, so that what is checked is what is connected to.
static bool call_read_url(struct net_call *c)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLU *u = curl_url();
    size_t len = strlen(c->url);
    bool ok = u && len > 0 && len <= CLIENT_URL_BYTES_MAX;
    for (size_t i = 0; ok && i < len; i++) ok = c->url[i] > 0x20 && c->url[i] < 0x7f;
    ok = ok && authority_plain(c->url) && curl_url_set(u, CURLUPART_URL, c->url, CURLU_DISALLOW_USER) == CURLUE_OK
         && curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0)
         && curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK
         && host[0] && strlen(host) < sizeof c->hostname && atoi(port) > 0;
    if (ok) {
        size_t skip = host[0] == '[';
        snprintf(c->hostname, sizeof c->hostname, "%.*s", (int)(strlen(host) - 2 * skip), host + skip);
        if (c->unix_path) snprintf(c->host_key, sizeof c->host_key, "unix:%s", c->unix_path);
        else snprintf(c->host_key, sizeof c->host_key, "%s://%s:%s", scheme, host, port);
        net_url_shown(c->url, c->shown);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
    return ok;
}

static struct host *host_join(struct pool *p, const char *key)
{
    struct host *h = fr_map_get_text(p->hosts, key);
    if (!h) {
        h = fr_alloc(sizeof *h);
        if (h && !fr_map_put_text(p->hosts, key, h)) {
            fr_free(h);
            h = NULL;
        }
    }
    if (h) h->calls++;
    return h;
}

static void host_leave(struct net_call *c)
{
    if (!c->host || --c->host->calls > 0) return;
    fr_free(fr_map_remove_text(c->pool->hosts, c->host_key));
    c->host = NULL;
}

// ---- libcurl's callbacks: they note, and never call a caller but for bytes ------------------------------------------

static int64_t now_ms(void) { return fr_mono_ms(); }
static void call_arm(struct net_call *c);

static size_t refuse(struct net_call *c, enum net_failure why)
{
    c->refused = why;
    return 0;                                  // libcurl ends the transfer with CURLE_WRITE_ERROR
}

static int on_before_request(void *arg, char *there, char *here, int there_port, int here_port)
{
    struct net_call *c = arg;
    (void)there;
    (void)here;
    (void)there_port;
    (void)here_port;
    c->connected = c->sent = true;
    c->moved_at = now_ms();
    call_arm(c);
    return CURL_PREREQFUNC_OK;
}

static size_t on_upload(char *out, size_t size, size_t count, void *arg)
{
    struct net_call *c = arg;
    size_t room = size * count, left = c->body_len - c->body_at, n = left < room ? left : room;
    memcpy(out, c->body + c->body_at, n);
    c->body_at += n;
    c->moved_at = now_ms();
    c->pool->client->stats.bytes_out += (int64_t)n;
    return n;
}

// libcurl repeats a request on its own when a kept connection turns out to be dead. Without this it cannot: what may not be repeated fails then.
static int on_rewind(void *arg, curl_off_t at, int from)
{
    struct net_call *c = arg;
    if (from != SEEK_SET || at < 0 || (size_t)at > c->body_len || !(c->idempotent || c->retry_safe)) return CURL_SEEKFUNC_FAIL;
    c->body_at = (size_t)at;
    return CURL_SEEKFUNC_OK;
}

static bool retry_status(int status)
{
    return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

static bool redirect_status(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool head_value(const char *head, size_t head_len, const char *name, const char **value, size_t *value_len)
{
    size_t name_len = strlen(name);
    for (const char *at = head, *end = head + head_len, *eol; at < end; at = eol + 1) {
        eol = memchr(at, '\n', (size_t)(end - at));
        if (!eol) eol = end;
        if ((size_t)(eol - at) <= name_len || at[name_len] != ':' || strncasecmp(at, name, name_len) != 0) continue;
        const char *from = at + name_len + 1, *to = eol;
        while (from < to && (*from == ' ' || *from == '\t')) from++;
        while (to > from && (to[-1] == '\r' || to[-1] == ' ' || to[-1] == '\t')) to--;
        *value = from;
        *value_len = (size_t)(to - from);
        return true;
    }
    return false;
}

static bool call_may_retry(const struct net_call *c)
{
    return (c->idempotent || c->retry_safe) && c->retries > 0 && c->passed_on == 0;
}

// Seconds, or a date (RFC 9110, 10.2.3); what is neither counts as nothing.
static int64_t retry_after_s(const char *value, size_t len)
{
    char text[64];
    if (len == 0 || len >= sizeof text) return 0;
    memcpy(text, value, len);
    text[len] = 0;
    if (strspn(text, "0123456789") == len) return len > 9 ? 999999999 : atoll(text);
    time_t then = curl_getdate(text, NULL);
    int64_t now_s = fr_now_ms() / 1000;
    return then > now_s ? (int64_t)then - now_s : 0;
}

// All headers are here: is this the answer, or will there be another attempt?
static enum net_failure call_on_head(struct net_call *c)
{
    const char *value;
    size_t len;
    long status = 0;
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) return NET_FAIL_NONE;    // 1xx: the answer comes yet
    c->http_status = (int)status;
    c->head_whole = true;
    c->retry_after_s = head_value(c->head.data, c->head.len, "retry-after", &value, &len) ? retry_after_s(value, len) : 0;
    if (redirect_status(c->http_status) && c->follows && head_value(c->head.data, c->head.len, "location", &value, &len)) {
        if (c->redirects == 0) return NET_FAIL_REDIRECT;
        c->discard = true;
    }
    if (retry_status(c->http_status) && call_may_retry(c)) {
        int64_t wait = c->retry_after_s * 1000;
        c->discard = wait <= CLIENT_RETRY_AFTER_MS_MAX && now_ms() + wait < c->total_at;
    }
    return NET_FAIL_NONE;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
    struct net_call *c = arg;
    size_t len = size * count;
    c->moved_at = now_ms();
    c->header_bytes += len;
    if (c->header_bytes > CLIENT_ANSWER_HEADER_BYTES_MAX) return refuse(c, NET_FAIL_HEADERS);
    if (c->head_whole) return len;             // trailers: counted, not kept
    if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0) fr_buf_clear(&c->head);
    fr_buf_add_bytes(&c->head, bytes, len);
    if (c->head.failed) return refuse(c, NET_FAIL_NOMEM);
    enum net_failure why = bytes[0] == '\r' || bytes[0] == '\n' ? call_on_head(c) : NET_FAIL_NONE;
    return why ? refuse(c, why) : len;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct net_call *c = arg;
    size_t len = size * count;
    c->moved_at = now_ms();
    c->body_bytes += (int64_t)len;
    c->pool->client->stats.bytes_in += (int64_t)len;
    if (c->ending) return refuse(c, c->ending);
    if (!c->head_whole) return refuse(c, NET_FAIL_NONSENSE);   // a body after 1xx: 101, which nobody asked for
    if (c->discard) return c->body_bytes > CLIENT_DISCARD_BYTES_MAX ? refuse(c, NET_FAIL_NONE) : len;
    if (c->body_bytes > c->answer_max) return refuse(c, NET_FAIL_TOO_LARGE);
    if (c->on_bytes) {
        c->passed_on += (int64_t)len;
        c->on_bytes(c->arg, c, c->http_status, bytes, len);
        return c->ending ? refuse(c, c->ending) : len;
    }
    fr_buf_add_bytes(&c->answer, bytes, len);
    return c->answer.failed ? refuse(c, c->answer.no_memory ? NET_FAIL_NOMEM : NET_FAIL_TOO_LARGE) : len;
}

// ---- set up --------------------------------------------------------------------------------------------------------

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *more = curl_slist_append(*list, line);
    if (more) *list = more;
    return more != NULL;
}

// libcurl adds some headers of its own; "Name:" takes them away, "Name;" sends one without a value.
static bool call_set_headers(struct net_call *c, const struct net_ask *ask)
{
    bool typed = false, agent = false, ok = add_line(&c->headers, "Expect:");
    for (int i = 0; ok && i < ask->header_count; i++) {
        const struct net_pair *h = &ask->headers[i];
        FR_AUTO_BUF(line);
        fr_buf_init(&line, CLIENT_HEADER_BYTES_MAX + 64);
        if (h->value[strspn(h->value, " \t")]) fr_buf_addf(&line, "%s: %s", h->name, h->value);
        else fr_buf_addf(&line, "%s;", h->name);
        ok = !line.failed && add_line(&c->headers, line.data);
        typed = typed || strcasecmp(h->name, "content-type") == 0;
        agent = agent || strcasecmp(h->name, "user-agent") == 0;
    }
    return ok && (typed || add_line(&c->headers, "Content-Type:")) && (agent || add_line(&c->headers, "User-Agent: frond/" FROND_VERSION));
}

static void set_up_method(struct net_call *c)
{
    CURL *e = c->easy;
    if (strcmp(c->method, "HEAD") == 0) curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    else if (has_body(c->method)) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body_len);
        curl_easy_setopt(e, CURLOPT_READFUNCTION, on_upload);
        curl_easy_setopt(e, CURLOPT_READDATA, c);
        curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_rewind);
        curl_easy_setopt(e, CURLOPT_SEEKDATA, c);
        if (c->body_len == 0) curl_easy_setopt(e, CURLOPT_POSTFIELDS, "");
    }
    if (strcmp(c->method, "GET") != 0 && strcmp(c->method, "HEAD") != 0 && strcmp(c->method, "POST") != 0) curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, c->method);
    // An empty body needs no rewinding: only a new connection keeps libcurl from repeating such a request.
    if (!c->idempotent && !c->retry_safe && c->body_len == 0) curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
}

static void set_up(struct net_call *c)
{
    CURL *e = c->easy;
    curl_easy_setopt(e, CURLOPT_PRIVATE, c);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_PROXY, "");                    // "": not that of the environment either
    curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    // One file and no folder: only then libcurl keeps the certificates it read (a day) instead of parsing 200 KiB on the loop for each connection.
    const char *ca_file = c->ca_file ? c->ca_file : curl_version_info(CURLVERSION_NOW)->cainfo;
    if (ca_file) {
        curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
        curl_easy_setopt(e, CURLOPT_CAINFO, ca_file);
    }
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)CLIENT_KEEP_S);
    curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, (long)CLIENT_KEEP_S_MAX);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, 0L);               // our timer's
    curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)0);     // on_body's, so that an answer nobody sees may be longer
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_before_request);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, c);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, pool_on_socket);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, c);
    if (c->unix_path) curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, c->unix_path);
    set_up_method(c);
}

static char *copy(const char *text)
{
    return fr_strndup(text, strlen(text));
}

static bool call_fill(struct net_call *c, const struct net_ask *ask)
{
    static const char *const idempotent[] = { "GET", "HEAD", "OPTIONS", "PUT", "DELETE", NULL };
    static const char *const looks[] = { "GET", "HEAD", NULL };
    const char *method = ask->method ? ask->method : "GET";
    c->method = copy(method);
    c->url = copy(ask->url);
    c->unix_path = ask->unix_path ? copy(ask->unix_path) : NULL;
    c->ca_file = ask->ca_file && ask->ca_file[0] ? copy(ask->ca_file) : NULL;
    c->body = ask->body_len ? fr_alloc(ask->body_len) : NULL;
    if (c->body) memcpy(c->body, ask->body, ask->body_len);
    c->body_len = ask->body_len;
    c->idempotent = in_list(method, idempotent);
    c->retry_safe = ask->retry_safe;
    c->retries = ask->retries;
    c->redirects = in_list(method, looks) ? ask->redirects : 0;
    c->follows = c->redirects > 0;
    c->connect_ms = ask->connect_ms ? ask->connect_ms : CLIENT_CONNECT_MS;
    c->idle_ms = ask->idle_ms ? ask->idle_ms : CLIENT_IDLE_MS;
    c->started_at = now_ms();
    c->total_at = c->started_at + (ask->total_ms ? ask->total_ms : CLIENT_MS);
    c->answer_max = ask->answer_bytes_max ? ask->answer_bytes_max : CLIENT_ANSWER_BYTES_DEFAULT;
    c->on_bytes = ask->on_bytes;
    c->done = ask->done;
    c->arg = ask->arg;
    fr_buf_init(&c->head, CLIENT_ANSWER_HEADER_BYTES_MAX + 1);
    fr_buf_init(&c->answer, (size_t)c->answer_max);
    c->easy = curl_easy_init();
    return c->method && c->url && (c->unix_path || !ask->unix_path) && (c->ca_file || !ask->ca_file || !ask->ca_file[0]) && (c->body || !c->body_len)
           && c->easy && call_set_headers(c, ask);
}

static void call_free(struct net_call *c)
{
    curl_easy_cleanup(c->easy);
    curl_slist_free_all(c->headers);
    curl_slist_free_all(c->connect_to);
    if (c->url) explicit_bzero(c->url, strlen(c->url));        // a key may stand there
    fr_free(c->method);
    fr_free(c->url);
    fr_free(c->unix_path);
    fr_free(c->ca_file);
    fr_free(c->body);
    fr_buf_free(&c->head);
    fr_buf_free(&c->answer);
    fr_free(c);
}

static void on_call_timer(uv_timer_t *timer);

static void call_soon(struct net_call *c)
{
    uv_timer_start(&c->timer, on_call_timer, 0, 0);
}

enum fr_status net_call_start(struct net_client *client, const struct net_ask *ask, struct net_call **ret, struct fr_err *err)
{
    assert(ask->done && ask->url);
    FR_TRY(check_ask(ask, err));
    struct pool *p = &client->pools[ask->public_only];
    if (client->stopping) return FR_FAIL_CODE(err, FR_E_BUSY, "client_stopped", "this host is stopping");
    if (p->calls >= p->calls_max) return FR_FAIL_CODE(err, FR_E_BUSY, "client_busy", "%d calls are waiting already", p->calls_max);
    struct net_call *c = fr_alloc(sizeof *c);
    if (!c) return FR_FAIL(err, FR_E_NOMEM, "no memory for a call");
    c->pool = p;
    if (!call_fill(c, ask)) {
        call_free(c);
        return FR_FAIL(err, FR_E_NOMEM, "no memory for a call");
    }
    if (!call_read_url(c)) {
        call_free(c);
        return FR_FAIL_CODE(err, FR_E_INVALID, "client_url", "not a URL that can be called: http:// or https://, at most %d bytes of ASCII, no user in it", CLIENT_URL_BYTES_MAX);
    }
    c->host = host_join(p, c->host_key);
    if (!c->host) {
        call_free(c);
        return FR_FAIL(err, FR_E_NOMEM, "no memory for a call");
    }
    set_up(c);
    uv_update_time(client->loop);
    uv_timer_init(client->loop, &c->timer);
    c->timer.data = c;
    client->handles++;
    c->prev = p->last;
    *(p->last ? &p->last->next : &p->first) = c;
    p->last = c;
    p->calls++;
    client->stats.started++;
    call_soon(c);
    if (ret) *ret = c;
    return FR_OK;
}

// ---- a slot, an address, a connection ------------------------------------------------------------------------------

static void call_begin(struct net_call *c);
static void call_attempt_failed(struct net_call *c, enum net_failure why);

// Gives slots to those who wait, in their order. A call that ends in here leaves its slot to a further round.
static void pool_serve(struct pool *p)
{
    p->serve_again = true;
    if (p->serving) return;
    p->serving = true;
    while (p->serve_again) {
        p->serve_again = false;
        for (struct net_call *c = p->first, *next; c && p->running < p->connections_max; c = next) {
            next = c->next;
            if (c->step == CALL_QUEUED && !c->ending && c->host->running < p->per_host_max) call_begin(c);
        }
    }
    p->serving = false;
}

static void call_leave_slot(struct net_call *c)
{
    if (!c->has_slot) return;
    c->has_slot = false;
    c->pool->running--;
    c->host->running--;
}

static void call_begin(struct net_call *c)
{
    assert(c->step == CALL_QUEUED && !c->has_slot && !c->in_multi);
    c->has_slot = true;
    c->pool->running++;
    c->host->running++;
    c->step = CALL_RESOLVING;
    c->attempts++;
    c->connect_at = now_ms() + c->connect_ms;
    c->address_count = c->address_no = 0;
    struct net_address literal;
    call_arm(c);
    if (c->unix_path) call_on_addresses(c, NULL, 1);
    else if (net_address_read(c->hostname, strlen(c->hostname), false, &literal)) call_on_addresses(c, &literal, 1);
    else name_find(c);
}

static void call_connect(struct net_call *c)
{
    int64_t left = c->connect_at - now_ms(), share = left / (c->address_count - c->address_no);
    c->step = CALL_RUNNING;
    c->connected = c->head_whole = c->discard = c->paused = c->resuming = c->refused_private = false;
    c->refused = NET_FAIL_NONE;
    c->body_at = c->header_bytes = 0;
    c->body_bytes = 0;
    c->http_status = 0;
    fr_buf_clear(&c->head);
    fr_buf_clear(&c->answer);
    curl_slist_free_all(c->connect_to);
    c->connect_to = NULL;
    if (!c->unix_path) {
        char ip[INET6_ADDRSTRLEN], line[INET6_ADDRSTRLEN + 16];
        const struct net_address *a = &c->addresses[c->address_no];
        bool v4 = memcmp(a->bytes, (const uint8_t[12]){ [10] = 0xff, [11] = 0xff }, 12) == 0;
        inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->bytes + 12 : a->bytes, ip, sizeof ip);
        snprintf(line, sizeof line, v4 ? "::%s:" : "::[%s]:", ip);     // any host and port of the URL: this address, the same port
        if (!add_line(&c->connect_to, line)) {
            call_attempt_failed(c, NET_FAIL_NOMEM);
            return;
        }
    }
    curl_easy_setopt(c->easy, CURLOPT_URL, c->url);
    curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, c->connect_to);
    curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(share > 0 ? share : 1));
    c->in_multi = pool_add(c->pool, c->easy) == CURLM_OK;
    if (!c->in_multi) call_attempt_failed(c, NET_FAIL_NOMEM);
    else call_arm(c);
}

void call_on_addresses(struct net_call *c, const struct net_address *at, int count)
{
    assert(c->step == CALL_RESOLVING);
    if (count == 0) {
        call_attempt_failed(c, NET_FAIL_NAME);
        return;
    }
    if (at) memcpy(c->addresses, at, (size_t)count * sizeof *at);
    c->address_count = count;
    call_connect(c);
}

// ---- the end of an attempt -----------------------------------------------------------------------------------------

static void on_call_closed(uv_handle_t *handle)
{
    struct net_call *c = handle->data;
    struct net_client *client = c->pool->client;
    call_free(c);
    client_handle_closed(client);
}

static void call_detach(struct net_call *c)
{
    if (c->in_multi) curl_multi_remove_handle(c->pool->multi, c->easy);
    c->in_multi = false;
    c->name = NULL;
    call_leave_slot(c);
}

static void call_finish(struct net_call *c, enum net_failure why)                 // the only way out
{
    assert(c->step != CALL_DONE);
    struct pool *p = c->pool;
    struct fr_err err;
    call_detach(c);
    c->step = CALL_DONE;
    *(c->prev ? &c->prev->next : &p->first) = c->next;
    *(c->next ? &c->next->prev : &p->last) = c->prev;
    p->calls--;
    host_leave(c);
    if (why == NET_FAIL_NONE) {
        struct net_answer answer = { .http_status = c->http_status, .body = c->answer.data ? c->answer.data : "", .body_len = c->answer.len, .head = c->head.data ? c->head.data : "",
                                     .head_len = c->head.len, .attempts = c->attempts, .retry_after_s = c->retry_after_s, .ms = now_ms() - c->started_at };
        p->client->stats.succeeded++;
        c->done(c->arg, FR_OK, &answer, NULL);
    } else {
        bool unknown = c->sent && !c->idempotent && !c->retry_safe;
        enum fr_status st = FR_FAIL_CODE(&err, unknown ? FR_E_UNKNOWN : failures[why].status, failures[why].code, "%s: %s", c->shown, failures[why].text);
        err.retry_s = (int)c->retry_after_s;
        p->client->stats.failed[why]++;
        c->done(c->arg, st, NULL, &err);
    }
    uv_close((uv_handle_t *)&c->timer, on_call_closed);
    pool_serve(p);
    client_turn(p->client);
}

static void call_wait(struct net_call *c)
{
    int doubled = c->attempts - 1 < 6 ? c->attempts - 1 : 6;
    int64_t most = (int64_t)c->pool->client->retry_ms_min << doubled, asked = c->retry_after_s * 1000;
    uint32_t random;
    fr_random_bytes(&random, sizeof random);
    if (most > CLIENT_RETRY_MS_MAX) most = CLIENT_RETRY_MS_MAX;
    call_detach(c);
    c->step = CALL_WAITING;
    c->retries--;
    c->pool->client->stats.retried++;
    c->wait_until = now_ms() + asked + (int64_t)(random % (uint64_t)(most + 1));
    call_arm(c);
    pool_serve(c->pool);
}

static bool retry_failure(enum net_failure f)
{
    return f == NET_FAIL_NAME || f == NET_FAIL_CONNECT || f == NET_FAIL_IDLE || f == NET_FAIL_CLOSED;
}

static void call_attempt_failed(struct net_call *c, enum net_failure why)
{
    call_detach(c);
    c->retry_after_s = 0;
    if (!c->ending && retry_failure(why) && call_may_retry(c) && now_ms() < c->total_at) call_wait(c);
    else call_finish(c, why);
}

// To where the answer points. The caller's headers stay behind when that is another origin.
static void call_redirect(struct net_call *c)
{
    char *to = NULL, was[sizeof c->host_key];
    bool secure = strncmp(c->url, "https:", 6) == 0;
    curl_easy_getinfo(c->easy, CURLINFO_REDIRECT_URL, &to);
    char *url = to ? copy(to) : NULL;                          // libcurl's dies with the next change
    snprintf(was, sizeof was, "%s", c->host_key);
    call_detach(c);
    host_leave(c);
    c->host = NULL;
    if (url) {
        fr_free(c->url);
        c->url = url;
    }
    bool ok = url && call_read_url(c) && !(secure && strncmp(c->url, "https:", 6) != 0) && !c->unix_path;
    if (ok) c->host = host_join(c->pool, c->host_key);
    if (!ok || !c->host) {
        call_finish(c, NET_FAIL_REDIRECT);
        return;
    }
    if (strcmp(was, c->host_key) != 0) {
        curl_slist_free_all(c->headers);
        c->headers = NULL;
        if (!call_set_headers(c, &(struct net_ask){ .header_count = 0 })) {
            call_finish(c, NET_FAIL_NOMEM);
            return;
        }
        curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
    }
    c->redirects--;
    c->pool->client->stats.redirected++;
    c->step = CALL_QUEUED;
    pool_serve(c->pool);
}

static enum net_failure failure_of(const struct net_call *c, CURLcode code)
{
    if (c->refused) return c->refused;
    if (c->refused_private && !c->connected) return NET_FAIL_PRIVATE;
    switch (code) {
    case CURLE_OK: return c->head_whole ? NET_FAIL_NONE : NET_FAIL_NONSENSE;
    case CURLE_COULDNT_RESOLVE_HOST: return NET_FAIL_NAME;
    case CURLE_COULDNT_CONNECT: return NET_FAIL_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: return c->connected ? NET_FAIL_TIMEOUT : NET_FAIL_CONNECT;
    case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CONNECT_ERROR: case CURLE_SSL_CIPHER: case CURLE_SSL_INVALIDCERTSTATUS: case CURLE_SSL_ISSUER_ERROR: return NET_FAIL_TLS;
    case CURLE_SSL_CACERT_BADFILE: return NET_FAIL_CA_FILE;
    case CURLE_PARTIAL_FILE: case CURLE_GOT_NOTHING: case CURLE_SEND_ERROR: case CURLE_RECV_ERROR: case CURLE_SEND_FAIL_REWIND: return NET_FAIL_CLOSED;
    case CURLE_UNSUPPORTED_PROTOCOL: case CURLE_WEIRD_SERVER_REPLY: case CURLE_BAD_CONTENT_ENCODING: case CURLE_HTTP2: return NET_FAIL_NONSENSE;
    // libcurl 7.88 says so too of a header line over its 100 KiB.
    case CURLE_OUT_OF_MEMORY: return c->connected && !c->head_whole ? NET_FAIL_HEADERS : NET_FAIL_NOMEM;
    default: return NET_FAIL_OTHER;
    }
}

void call_on_curl_done(struct net_call *c, CURLcode code)
{
    assert(c->step == CALL_RUNNING && c->in_multi);
    enum net_failure why = failure_of(c, code);
    if (!c->connected && !c->ending && (why == NET_FAIL_CONNECT || why == NET_FAIL_PRIVATE || why == NET_FAIL_TLS) && c->address_no + 1 < c->address_count && now_ms() < c->connect_at) {
        curl_multi_remove_handle(c->pool->multi, c->easy);     // nothing was sent: the name's next address
        c->in_multi = false;
        c->address_no++;
        call_connect(c);
        return;
    }
    if (why == NET_FAIL_CONNECT) names_forget(c->pool, c->hostname);
    if (c->ending) call_finish(c, c->ending);
    else if (c->discard && redirect_status(c->http_status)) call_redirect(c);
    else if (c->discard) call_wait(c);
    else if (why == NET_FAIL_NONE) call_finish(c, NET_FAIL_NONE);
    else call_attempt_failed(c, why);
}

// ---- time ----------------------------------------------------------------------------------------------------------

// One timer per call, set to whatever comes first.
static void call_arm(struct net_call *c)
{
    int64_t at = c->total_at, now = now_ms();
    if (c->step == CALL_RESOLVING && c->connect_at < at) at = c->connect_at;
    if (c->step == CALL_WAITING && c->wait_until < at) at = c->wait_until;
    if (c->step == CALL_RUNNING && c->connected && !c->paused && c->moved_at + c->idle_ms < at) at = c->moved_at + c->idle_ms;
    if (c->ending || c->resuming) at = now;
    uv_update_time(c->pool->client->loop);
    uv_timer_start(&c->timer, on_call_timer, (uint64_t)(at > now ? at - now : 0), 0);
}

static void call_continue(struct net_call *c)
{
    c->resuming = false;
    if (!c->paused || c->step != CALL_RUNNING) return;
    c->paused = false;
    c->moved_at = now_ms();
    curl_easy_pause(c->easy, CURLPAUSE_CONT);                  // may hand over bytes that were kept, and they may pause it again
}

static void on_call_timer(uv_timer_t *timer)
{
    struct net_call *c = timer->data;
    int64_t now = now_ms();
    if (c->ending) {
        call_finish(c, c->ending);
        return;
    }
    if (now >= c->total_at) {
        call_finish(c, NET_FAIL_TIMEOUT);
        return;
    }
    if (c->resuming) call_continue(c);
    if (c->step == CALL_RESOLVING && now >= c->connect_at) {
        call_attempt_failed(c, NET_FAIL_NAME);
        return;
    }
    if (c->step == CALL_RUNNING && c->connected && !c->paused && now >= c->moved_at + c->idle_ms) {
        call_attempt_failed(c, NET_FAIL_IDLE);
        return;
    }
    if (c->step == CALL_WAITING && now >= c->wait_until) c->step = CALL_QUEUED;
    call_arm(c);
    if (c->step == CALL_QUEUED) pool_serve(c->pool);           // may end c
}

// ---- what a caller may do meanwhile --------------------------------------------------------------------------------

static void call_end(struct net_call *c, enum net_failure why)
{
    if (!c->ending) c->ending = why;
    call_soon(c);
}

void net_call_cancel(struct net_call *c)
{
    assert(c->step != CALL_DONE);
    call_end(c, NET_FAIL_CANCELLED);
}

void net_call_pause(struct net_call *c)
{
    assert(c->step != CALL_DONE && c->on_bytes);
    c->resuming = false;
    if (c->paused || c->step != CALL_RUNNING || !c->in_multi) return;
    c->paused = true;
    curl_easy_pause(c->easy, CURLPAUSE_RECV);
}

void net_call_resume(struct net_call *c)
{
    assert(c->step != CALL_DONE && c->on_bytes);
    if (!c->paused) return;
    c->resuming = true;
    call_soon(c);
}

static bool copy_header(const char *head, size_t head_len, const char *name, char *out, size_t cap)
{
    const char *value;
    size_t len;
    if (!head_value(head, head_len, name, &value, &len) || len >= cap) return false;
    memcpy(out, value, len);
    out[len] = 0;
    return true;
}

bool net_answer_header(const struct net_answer *answer, const char *name, char *out, size_t cap)
{
    return copy_header(answer->head, answer->head_len, name, out, cap);
}

bool net_call_header(const struct net_call *call, const char *name, char *out, size_t cap)
{
    return copy_header(call->head.data ? call->head.data : "", call->head.len, name, out, cap);
}

// ---- the client ----------------------------------------------------------------------------------------------------

struct net_client_stats net_client_stats(struct net_client *client)
{
    struct net_client_stats s = client->stats;
    s.connections = pool_connections(&client->pools[0]) + pool_connections(&client->pools[1]);
    s.waiting = client->pools[0].calls + client->pools[1].calls;
    s.running = client->pools[0].running + client->pools[1].running;
    s.waiting -= s.running;
    return s;
}

void client_handle_closed(struct net_client *client)
{
    if (--client->handles > 0 || !client->closing) return;
    void (*stopped)(void *arg) = client->stopped;
    void *arg = client->stopped_arg;
    fr_free(client);
    if (stopped) stopped(arg);
}

static void on_turn_closed(uv_handle_t *handle)
{
    client_handle_closed(handle->data);
}

static void on_turn(uv_timer_t *timer)
{
    struct net_client *client = timer->data;
    for (int i = 0; i < 2; i++) if (client->pools[i].calls || client->pools[i].lookups) return;
    if (client->closing) return;
    client->closing = true;
    for (int i = 0; i < 2; i++) pool_close(&client->pools[i]);
    uv_close((uv_handle_t *)&client->turn, on_turn_closed);
}

void client_turn(struct net_client *client)
{
    if (client->stopping && !client->closing) uv_timer_start(&client->turn, on_turn, 0, 0);
}

enum fr_status net_client_start(const struct net_client_options *o, struct net_client **ret, struct fr_err *err)
{
    static const int connections[2] = { CLIENT_CONNECTIONS_MAX, CLIENT_CONNECTIONS_PUBLIC_MAX };
    static const int per_host[2] = { CLIENT_CONNECTIONS_PER_HOST_MAX, CLIENT_CONNECTIONS_PER_HOST_PUBLIC_MAX };
    struct net_client *client = fr_alloc(sizeof *client);
    enum fr_status st = FR_OK;
    if (!client) return FR_FAIL(err, FR_E_NOMEM, "no memory for an HTTP client");
    client->loop = o->loop;
    client->retry_ms_min = o->retry_ms_min ? o->retry_ms_min : CLIENT_RETRY_MS_MIN;
    uv_timer_init(o->loop, &client->turn);
    client->turn.data = client;
    client->handles = 1;
    for (int i = 0; i < 2 && st == FR_OK; i++) {
        client->pools[i].calls_max = o->calls[i] ? o->calls[i] : CLIENT_CALLS_MAX;
        client->pools[i].connections_max = o->connections[i] ? o->connections[i] : connections[i];
        client->pools[i].per_host_max = o->connections_per_host[i] ? o->connections_per_host[i] : per_host[i];
        st = pool_open(&client->pools[i], client, i == 1, err);
    }
    if (st != FR_OK) {
        net_client_stop(client, NULL, NULL);
        return st;
    }
    *ret = client;
    return FR_OK;
}

void net_client_stop(struct net_client *client, void (*done)(void *arg), void *arg)
{
    assert(!client->stopping);
    client->stopping = true;
    client->stopped = done;
    client->stopped_arg = arg;
    for (int i = 0; i < 2; i++) {
        for (struct net_call *c = client->pools[i].first; c; c = c->next) call_end(c, NET_FAIL_STOPPED);
        names_give_up(&client->pools[i]);
    }
    client_turn(client);
}
