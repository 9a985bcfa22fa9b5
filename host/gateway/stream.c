// stream.c — what a call says before its answer: stream.delta events, then one stream.end, all ahead of the answer itself.
#include "base/auto.h"
#include "base/clock.h"
#include "gateway/internal.h"

#define WAITS_BYTES_MAX (16 * 1024)        // past it nothing waits for company

static void stream_unlink(struct gw_stream *s)
{
    if (!s->link) return;
    *s->link = s->next;
    if (s->next) s->next->link = s->link;
    s->link = NULL;
    s->next = NULL;
}

static void stream_flush(struct gw_stream *s)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, STREAM_CALL_BYTES_MAX * 6 + 1024);
    stream_unlink(s);
    if (s->text.len == 0) return;
    fr_buf_addf(&out, "{\"ev\":\"stream.delta\",\"id\":%s,\"text\":", s->id);
    fr_buf_add_json_bytes(&out, s->text.data, s->text.len);
    fr_buf_add_char(&out, '}');
    if (!out.failed) s->send(s->arg, out.data, out.len);
    fr_buf_free(&s->text);
    s->sent_ms = fr_mono_ms();
}

static void stream_wait(struct gw_stream *s)
{
    struct gateway *g = s->g;
    if (s->link) return;
    s->next = g->streams;
    s->link = &g->streams;
    if (s->next) s->next->link = &s->next;
    g->streams = s;
    if (!g->stopping && !uv_is_active((uv_handle_t *)&g->stream_timer)) uv_timer_start(&g->stream_timer, gw_stream_on_timer, STREAM_EVERY_MS, 0);      // a host that stops sends the rest with the end
}

void gw_stream_add(struct gw_stream *s, const char *text, size_t len)
{
    if (!s->text.data) fr_buf_init(&s->text, STREAM_CALL_BYTES_MAX);
    fr_buf_add_bytes(&s->text, text, len);
    bool alone = !s->link && (!s->began || fr_mono_ms() - s->sent_ms >= STREAM_EVERY_MS);
    s->began = true;
    if (alone || s->text.len >= WAITS_BYTES_MAX) stream_flush(s);
    else stream_wait(s);
}

void gw_stream_end(struct gw_stream *s, const struct fr_err *err, bool cut)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 64 * 1024);
    if (!s->began) return;
    stream_flush(s);
    fr_buf_addf(&out, "{\"ev\":\"stream.end\",\"id\":%s,\"ok\":%s", s->id, err ? "false" : "true");
    if (cut) fr_buf_add(&out, ",\"cut\":true");
    if (err) {
        fr_buf_add(&out, ",\"error\":");
        gw_error_print(s->g, err, NULL, &out);
    }
    fr_buf_add_char(&out, '}');
    if (!out.failed) s->send(s->arg, out.data, out.len);
    s->began = false;
}

void gw_stream_on_timer(uv_timer_t *timer)
{
    struct gateway *g = timer->data;
    while (g->streams) stream_flush(g->streams);
}
