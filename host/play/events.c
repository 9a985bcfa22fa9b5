// events.c — what each seat has been told: a ring of the last events, and the view its patches add up to.
//
// Called only for records that are durable. After a host restart the rings are filled by playing the log (send = false), so a
// seat's event numbers are a function of the log too, and a page goes on from the number it saw.
#include <assert.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "play/internal.h"

#define EVENT_BYTES_MAX (256 * 1024)

static void ring_forget(struct seat *s)
{
    for (int i = 0; i < MATCH_EVENTS_KEPT; i++) fr_free(s->ring[i].json);
    memset(s->ring, 0, sizeof s->ring);
    s->ring_at = s->ring_count = 0;
}

// An event that cannot be sent or kept leaves a gap in the numbers; nothing older may stand before it, so that a resume is a fresh start.
static void event_add(struct match *m, int seat, const struct fr_buf *json, bool send)
{
    struct seat *s = &m->seat[seat - 1];
    assert(s->player[0] != '\0');
    char *copy = json->failed ? NULL : fr_strndup(json->data, json->len);
    if (!copy) {                                       // a view too large to send, or no memory
        fr_log(LOG_WARN, json->failed && !json->no_memory ? "match.event_too_large" : "match.event_no_memory", "match", m->row.id, NULL);
        ring_forget(s);
        if (json->failed) return;
    }
    if (copy) {
        int at = s->ring_count < MATCH_EVENTS_KEPT ? (s->ring_at + s->ring_count++) % MATCH_EVENTS_KEPT : s->ring_at;
        if (s->ring[at].json) { fr_free(s->ring[at].json); s->ring_at = (s->ring_at + 1) % MATCH_EVENTS_KEPT; }
        s->ring[at] = (struct event){ .seq = s->seq, .json = copy, .len = json->len };
    }
    if (send) m->plays->o.effects.event(m->plays->o.effects.arg, s->player, m->row.game, json->data, json->len);
}

static void event_begin(struct match *m, int seat, const char *name, struct fr_buf *out)
{
    fr_buf_init(out, EVENT_BYTES_MAX);
    fr_buf_addf(out, "{\"ev\":\"%s\",\"match\":\"%s\",\"seq\":%lld", name, m->row.id, (long long)m->seat[seat - 1].seq);
}

void events_print_start(struct match *m, int seat, struct fr_buf *out)
{
    event_begin(m, seat, "match.start", out);
    fr_buf_addf(out, ",\"game\":\"%s\",\"mode\":", m->row.game);
    fr_buf_add_json_text(out, m->row.mode);
    fr_buf_addf(out, ",\"seat\":%d,\"stake\":\"%lld\",\"asset\":", seat, (long long)m->row.stake_units);
    fr_buf_add_json_text(out, m->row.asset);
    fr_buf_add(out, ",\"players\":[");
    for (int i = 0; i < m->row.seats; i++) {
        fr_buf_addf(out, "%s{\"seat\":%d,\"bot\":%s,\"name\":", i ? "," : "", i + 1, m->seat[i].player[0] ? "false" : "true");
        fr_buf_add_json_text(out, m->seat[i].name);
        fr_buf_add(out, "}");
    }
    fr_buf_addf(out, "],\"turn_ms\":%d,\"now_ms\":%lld,\"n\":%lld,\"view\":", m->row.turn_ms, (long long)m->last_now_ms, (long long)m->seat[seat - 1].answered_n);
    if (m->seat[seat - 1].view) fr_json_print(m->seat[seat - 1].view, out);
    else fr_buf_add(out, "null");
    fr_buf_add(out, ",\"fairness\":");
    fairness_print(&m->row.fairness, false, out);
    fr_buf_add(out, "}");
}

void events_start(struct match *m, int seat, bool send)
{
    if (m->seat[seat - 1].player[0] == '\0') return;
    FR_AUTO_BUF(out);
    m->seat[seat - 1].seq++;
    events_print_start(m, seat, &out);
    event_add(m, seat, &out, send);
}

static void events_patch(struct match *m, int seat, struct fr_json *view, int64_t now_ms, bool send)
{
    struct seat *s = &m->seat[seat - 1];
    FR_AUTO_BUF(patch);
    fr_buf_init(&patch, EVENT_BYTES_MAX);
    bool changed = !s->view || fr_json_merge_diff(s->view, view, &patch);
    if (!s->view) fr_json_print(view, &patch);
    fr_json_free(s->view);
    s->view = view;
    if (!changed) return;
    s->seq++;
    FR_AUTO_BUF(out);
    event_begin(m, seat, "match.patch", &out);
    fr_buf_addf(&out, ",\"now_ms\":%lld,\"patch\":", (long long)now_ms);
    if (patch.failed) out.failed = true;
    else fr_buf_add_bytes(&out, patch.data, patch.len);
    fr_buf_add(&out, "}");
    event_add(m, seat, &out, send);
}

void events_views(struct match *m, struct turn *t, int64_t now_ms, bool send)
{
    for (int i = 0; i < m->row.seats; i++) {
        if (m->seat[i].player[0] == '\0') continue;
        struct fr_json *view = FR_TAKE(t->view[i]);
        if (view) events_patch(m, i + 1, view, now_ms, send);
    }
    spectate_view(m, t->view[m->row.seats], now_ms);
}

void events_emit(struct match *m, const struct fr_json *effect, bool send)
{
    const struct fr_json *to = fr_json_get(effect, "to");
    const char *group = fr_json_text(to), *name = fr_json_text(fr_json_get(effect, "name"));
    int only = fr_json_kind(to) == JSON_NUMBER ? (int)fr_json_number(to) : 0;
    if (name && !only && group && strcmp(group, "spectators") == 0 && send) spectate_emit(m, effect);
    if (!name || (!only && (!group || strcmp(group, "all") != 0))) return;
    for (int seat = 1; seat <= m->row.seats; seat++) {
        if ((only && seat != only) || m->seat[seat - 1].player[0] == '\0') continue;
        m->seat[seat - 1].seq++;
        FR_AUTO_BUF(out);
        event_begin(m, seat, "match.event", &out);
        fr_buf_add(&out, ",\"name\":");
        fr_buf_add_json_text(&out, name);
        fr_buf_add(&out, ",\"data\":");
        if (fr_json_get(effect, "data")) fr_json_print(fr_json_get(effect, "data"), &out);
        else fr_buf_add(&out, "null");
        fr_buf_add(&out, "}");
        event_add(m, seat, &out, send);
    }
}

void events_end(struct match *m, const struct match_result *r, bool send)
{
    char hash[SHA256_HEX_BYTES];
    match_hash_text(m, hash);
    spectate_end(m, r);
    for (int seat = 1; seat <= m->row.seats; seat++) {
        if (m->seat[seat - 1].player[0] == '\0') continue;
        m->seat[seat - 1].seq++;
        FR_AUTO_BUF(out); FR_AUTO_BUF(result);
        fr_buf_init(&result, 32 * 1024);
        settle_print(r, m->row.seats, &result);
        event_begin(m, seat, "match.end", &out);
        fr_buf_addf(&out, ",\"place\":%d,\"payout\":\"%lld\",\"net\":\"%lld\",\"stake\":\"%lld\",\"asset\":\"%s\",\"hash\":\"%s\",\"result\":%s,\"reason\":", r->places[seat - 1],
                    (long long)r->payout[seat - 1], (long long)(r->payout[seat - 1] - m->row.stake_units), (long long)m->row.stake_units, m->row.asset, hash, result.data);
        fr_buf_add_json_text(&out, r->reason);
        fr_buf_add(&out, ",\"places\":");
        settle_print_places(r, m->row.seats, &out);
        fr_buf_add(&out, ",\"fairness\":");
        fairness_print(&m->row.fairness, true, &out);
        fr_buf_add(&out, "}");
        event_add(m, seat, &out, send);
    }
}

// Not part of the numbered events: the match has not begun.
void events_seed(struct match *m)
{
    for (int seat = 1; seat <= m->row.seats; seat++) {
        const struct seat *s = &m->seat[seat - 1];
        if (s->player[0] == '\0' || m->row.fairness.seat[seat - 1].commit[0] == '\0' || m->row.fairness.seat[seat - 1].seed[0] != '\0') continue;
        FR_AUTO_BUF(out);
        fr_buf_init(&out, 1024);
        fr_buf_addf(&out, "{\"ev\":\"match.seed\",\"match\":\"%s\",\"game\":\"%s\",\"commit\":\"%s\"}", m->row.id, m->row.game, m->row.fairness.commit);
        if (!out.failed) m->plays->o.effects.event(m->plays->o.effects.arg, s->player, m->row.game, out.data, out.len);
    }
}

void events_free(struct seat *s)
{
    ring_forget(s);
    fr_json_free(s->view);
    fr_free(s->last_answer);
}

enum fr_status events_restore(struct match *m, struct seat *s, const struct fr_json *view, const struct fr_json *events, struct fr_err *err)
{
    (void)m;
    ring_forget(s);
    fr_json_free(FR_TAKE(s->view));
    if (view && fr_json_kind(view) != JSON_NULL) {
        FR_AUTO_BUF(text);
        fr_buf_init(&text, MATCH_SNAPSHOT_BYTES_MAX);
        fr_json_print(view, &text);
        FR_TRY(fr_buf_check(&text, "a view", err));
        FR_TRY(fr_json_parse(text.data, text.len, &s->view, err));
    }
    for (const struct fr_json *e = fr_json_child(events); e; e = fr_json_next(e)) {
        const struct fr_json *seq = fr_json_child(e), *json = fr_json_next(seq);
        const char *text = json ? fr_json_text(json) : NULL;
        if (!text || s->ring_count == MATCH_EVENTS_KEPT) return FR_FAIL(err, FR_E_CORRUPT, "a snapshot's event is none");
        char *copy = fr_strndup(text, strlen(text));
        if (!copy) return FR_FAIL(err, FR_E_NOMEM, "no memory for a match's events");
        s->ring[s->ring_count++] = (struct event){ .seq = (int64_t)fr_json_number(seq), .json = copy, .len = strlen(copy) };
    }
    return FR_OK;
}
