// sse.c — see sse.h.
#include "net/sse.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/mem.h"

struct net_sse {
    struct net_request *req;
    uv_timer_t heartbeat;
    bool silent;                               // nothing was sent since the last look
};

static void on_heartbeat(uv_timer_t *timer)
{
    struct net_sse *s = timer->data;
    if (s->silent) net_sse_comment(s, "");
    s->silent = true;
}

void net_sse_pulse_for_test(struct net_sse *s) { on_heartbeat(&s->heartbeat); }

static void on_closed(uv_handle_t *handle) { fr_free(handle->data); }

struct net_sse *net_sse_begin(struct net_request *req, uv_loop_t *loop, const char *headers, const struct net_watch *watch)
{
    FR_AUTO_BUF(lines);
    fr_buf_init(&lines, HTTP_HEADER_BYTES_MAX);
    fr_buf_addf(&lines, "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n%s", headers ? headers : "");
    struct net_sse *s = lines.failed ? NULL : fr_alloc(sizeof *s);
    if (!s) {
        net_respond(req, 503, NULL, NULL, "", 0);
        return NULL;
    }
    *s = (struct net_sse){ .req = req };
    uv_timer_init(loop, &s->heartbeat);
    s->heartbeat.data = s;
    uv_timer_start(&s->heartbeat, on_heartbeat, SSE_HEARTBEAT_MS / 2, SSE_HEARTBEAT_MS / 2);
    if (watch) net_request_watch(req, watch);
    net_stream_begin(req, 200, SSE_TYPE, lines.data);
    return s;
}

static void put_field(struct fr_buf *out, const char *name, const char *value)
{
    if (!value || !value[0]) return;
    assert(!strpbrk(value, "\r\n"));
    fr_buf_add(out, name);
    fr_buf_add(out, value);
    fr_buf_add_char(out, '\n');
}

// A line ends with CR, LF or both, wherever it came from.
static void put_data(struct fr_buf *out, const char *data, size_t len)
{
    const char *at = data, *end = data + len;
    for (;;) {
        const char *stop = at;
        while (stop < end && *stop != '\n' && *stop != '\r') stop++;
        fr_buf_add(out, "data: ");
        fr_buf_add_bytes(out, at, (size_t)(stop - at));
        fr_buf_add_char(out, '\n');
        if (stop == end) return;
        at = stop + (stop + 1 < end && stop[0] == '\r' && stop[1] == '\n' ? 2 : 1);
    }
}

// What cannot be put together for want of memory must not look like an event that never was: the line breaks.
static bool sse_write(struct net_sse *s, const struct fr_buf *out)
{
    s->silent = false;
    if (!out->failed) return net_stream_write(s->req, out->data, out->len);
    net_request_drop(s->req);
    return true;
}

bool net_sse_send(struct net_sse *s, const char *id, const char *event, const char *data, size_t len)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, HTTP_WRITE_QUEUE_BYTES_MAX);
    put_field(&out, "id: ", id);
    put_field(&out, "event: ", event);
    put_data(&out, data, len);
    fr_buf_add_char(&out, '\n');
    return sse_write(s, &out);
}

bool net_sse_comment(struct net_sse *s, const char *text)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, HTTP_HEADER_BYTES_MAX);
    assert(!strpbrk(text, "\r\n"));
    fr_buf_addf(&out, ":%s\n\n", text);
    return sse_write(s, &out);
}

void net_sse_end(struct net_sse *s, bool broken)
{
    if (broken) net_stream_break(s->req);
    else net_stream_end(s->req);
    uv_timer_stop(&s->heartbeat);
    uv_close((uv_handle_t *)&s->heartbeat, on_closed);
}

// ---- the log

struct kept { struct kept *next; uint64_t no; size_t len; char *data; char event[]; };       // data stands behind event, in the same memory
struct net_events { struct kept *first, *last; uint64_t last_no, lost_no; size_t bytes, bytes_max; };

struct net_events *net_events_new(size_t bytes_max)
{
    struct net_events *e = fr_alloc(sizeof *e);
    if (e) *e = (struct net_events){ .bytes_max = bytes_max };
    return e;
}

static size_t kept_bytes(const struct kept *k) { return sizeof *k + strlen(k->event) + k->len + 2; }

static void drop_first(struct net_events *e)
{
    struct kept *k = e->first;
    e->first = k->next;
    if (!e->first) e->last = NULL;
    e->bytes -= kept_bytes(k);
    e->lost_no = k->no;
    fr_free(k);
}

void net_events_free(struct net_events *e)
{
    if (!e) return;
    while (e->first) drop_first(e);
    fr_free(e);
}

uint64_t net_events_add(struct net_events *e, const char *event, const char *data, size_t len)
{
    size_t event_len = event ? strlen(event) : 0;
    struct kept *k = fr_alloc(sizeof *k + event_len + len + 2);
    e->last_no++;
    if (k) {
        *k = (struct kept){ .no = e->last_no, .len = len };
        k->data = k->event + event_len + 1;
        memcpy(k->event, event_len ? event : "", event_len);
        memcpy(k->data, data, len);
        if (e->last) e->last->next = k;
        else e->first = k;
        e->last = k;
        e->bytes += kept_bytes(k);
    }
    while (e->first && (!k || e->bytes > e->bytes_max)) drop_first(e);
    if (!e->first) e->lost_no = e->last_no;
    return e->last_no;
}

uint64_t net_events_last(const struct net_events *e) { return e->last_no; }
bool net_events_has(const struct net_events *e, uint64_t after) { return after >= e->lost_no && after <= e->last_no; }

bool net_events_next(const struct net_events *e, uint64_t after, const char **event, const char **data, size_t *len)
{
    const struct kept *k = e->first;
    while (k && k->no <= after) k = k->next;
    if (!k) return false;
    *event = k->event;
    *data = k->data;
    *len = k->len;
    return true;
}

bool net_events_from(const struct net_request *req, uint64_t last, uint64_t *after)
{
    struct net_text t = net_header(req, "last-event-id");
    uint64_t n = 0;
    if (t.len > 19) return false;
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] < '0' || t.at[i] > '9') return false;
        n = n * 10 + (uint64_t)(t.at[i] - '0');
    }
    if (n > last) return false;
    *after = n;
    return true;
}
