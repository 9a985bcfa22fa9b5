// spectate.c — who only watches: what `view` says to seat 0, some time after it was so, so that nobody can play by another's eyes.
//
// Only for modes with "spectators" in the manifest. Views arrive here when their record is durable, wait for the mode's delay, and go to
// the sockets that watch. Late views are whole, not patches, while they wait: a socket that comes in between starts from what is shown then.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "play/internal.h"

struct late { int64_t due_ms, now_ms; char *view, *event; };       // one of them: a whole view, or an event's end `"name":..}`
struct watcher { void *who; play_watch_fn *event; };
struct watching {
    int delay_ms;
    struct fr_json *shown; int64_t shown_ms;       // what the sockets have been told; NULL: nothing yet
    int64_t seq;                                   // of the last event
    struct late late[SPECTATOR_EVENTS_MAX]; int first, count; int64_t bytes;
    struct watcher *watchers; int watcher_count, watcher_cap;
};

static void late_free(struct late *l)
{
    fr_free(l->view);
    fr_free(l->event);
    *l = (struct late){ 0 };
}

void spectate_free(struct match *m)
{
    struct watching *w = m->watch;
    if (!w) return;
    for (int i = 0; i < w->count; i++) late_free(&w->late[(w->first + i) % SPECTATOR_EVENTS_MAX]);
    fr_json_free(w->shown);
    fr_free(w->watchers);
    fr_free(w);
    m->watch = NULL;
}

// ---- told

static void spectate_begin(struct match *m, const char *name, struct fr_buf *out)
{
    fr_buf_init(out, FRAME_BYTES_MAX);
    fr_buf_addf(out, "{\"ev\":\"watch.%s\",\"match\":\"%s\",\"seq\":%lld", name, m->row.id, (long long)m->watch->seq);
}

static void spectate_send(struct watching *w, const struct fr_buf *out)
{
    if (out->failed) return;                       // too large, or no memory: the next whole view mends it
    for (int i = w->watcher_count - 1; i >= 0; i--) w->watchers[i].event(w->watchers[i].who, out->data, out->len);      // from the end: one that is closed by this takes itself out
}

// `now_ms` is the host's clock as who watches sees it: also for one who comes in long after the view was new.
static void spectate_print_start(struct match *m, struct fr_buf *out)
{
    struct watching *w = m->watch;
    int64_t late_ms = fr_now_ms() - w->delay_ms;
    if (late_ms < w->shown_ms) late_ms = w->shown_ms;
    spectate_begin(m, "start", out);
    fr_buf_addf(out, ",\"game\":\"%s\",\"mode\":", m->row.game);
    fr_buf_add_json_text(out, m->row.mode);
    fr_buf_addf(out, ",\"stake\":\"%lld\",\"asset\":\"%s\",\"turn_ms\":%d,\"delay_ms\":%d,\"players\":[", (long long)m->row.stake_units, m->row.asset, m->row.turn_ms, w->delay_ms);
    for (int i = 0; i < m->row.seats; i++) {
        fr_buf_addf(out, "%s{\"seat\":%d,\"bot\":%s,\"name\":", i ? "," : "", i + 1, m->seat[i].player[0] ? "false" : "true");
        fr_buf_add_json_text(out, m->seat[i].name);
        fr_buf_add(out, "}");
    }
    fr_buf_addf(out, "],\"now_ms\":%lld,\"view\":", (long long)late_ms);
    if (w->shown) fr_json_print(w->shown, out);
    else fr_buf_add(out, "null");
    fr_buf_add(out, "}");
}

static void spectate_show(struct match *m, struct late *l)
{
    struct watching *w = m->watch;
    FR_AUTO_BUF(out); FR_AUTO_BUF(patch);
    fr_buf_init(&patch, FRAME_BYTES_MAX);
    fr_buf_init(&out, FRAME_BYTES_MAX);
    if (l->event) {
        w->seq++;
        spectate_begin(m, "event", &out);
        fr_buf_add(&out, ",");
        fr_buf_add(&out, l->event);
        spectate_send(w, &out);
        return;
    }
    struct fr_json *view;
    struct fr_err err;
    if (fr_json_parse(l->view, strlen(l->view), &view, &err) != FR_OK) return;       // no memory
    bool first = !w->shown, changed = first || fr_json_merge_diff(w->shown, view, &patch);
    fr_json_free(w->shown);
    w->shown = view;
    w->shown_ms = l->now_ms;
    if (!changed) return;
    w->seq++;
    if (first || patch.failed) {
        spectate_print_start(m, &out);
    } else {
        spectate_begin(m, "patch", &out);
        fr_buf_addf(&out, ",\"now_ms\":%lld,\"patch\":", (long long)l->now_ms);
        fr_buf_add_bytes(&out, patch.data, patch.len);
        fr_buf_add(&out, "}");
    }
    spectate_send(w, &out);
}

int64_t spectate_due(const struct match *m)
{
    return m->watch && m->watch->count > 0 ? m->watch->late[m->watch->first].due_ms : INT64_MAX;
}

void spectate_run(struct match *m, int64_t now_ms)
{
    struct watching *w = m->watch;
    while (w && w->count > 0 && w->late[w->first].due_ms <= now_ms) {
        struct late l = w->late[w->first];
        w->late[w->first] = (struct late){ 0 };
        w->first = (w->first + 1) % SPECTATOR_EVENTS_MAX;
        w->count--;
        w->bytes -= (int64_t)strlen(l.view ? l.view : l.event);
        spectate_show(m, &l);
        late_free(&l);
    }
}

void spectate_print(const struct match *m, struct fr_buf *out)
{
    const struct watching *w = m->watch;
    for (int i = w ? w->count - 1 : -1; i >= 0; i--) {
        const struct late *l = &w->late[(w->first + i) % SPECTATOR_EVENTS_MAX];
        if (!l->view) continue;
        fr_buf_add(out, l->view);
        return;
    }
    if (w && w->shown) fr_json_print(w->shown, out);
    else fr_buf_add(out, "null");
}

// ---- seen

static void spectate_add(struct match *m, char *view, char *event, int64_t now_ms)
{
    struct watching *w = m->watch;
    const char *text = view ? view : event;
    if (!text) return;                             // no memory: the next view tells it all
    int64_t due_ms = fr_now_ms() + w->delay_ms;
    if (w->count > 0) {                            // never before what came before it, whatever the clock does
        int64_t last_ms = w->late[(w->first + w->count - 1) % SPECTATOR_EVENTS_MAX].due_ms;
        if (due_ms < last_ms) due_ms = last_ms;
    }
    while (w->count == SPECTATOR_EVENTS_MAX || (w->count > 0 && w->bytes + (int64_t)strlen(text) > SPECTATOR_BYTES_MAX)) {       // the oldest is left out: each view is whole
        struct late *l = &w->late[w->first];
        w->bytes -= (int64_t)strlen(l->view ? l->view : l->event);
        late_free(l);
        w->first = (w->first + 1) % SPECTATOR_EVENTS_MAX;
        w->count--;
    }
    w->late[(w->first + w->count++) % SPECTATOR_EVENTS_MAX] = (struct late){ .due_ms = due_ms, .now_ms = now_ms, .view = view, .event = event };
    w->bytes += (int64_t)strlen(text);
    clock_set(m);
}

static struct watching *spectate_of(struct match *m)
{
    if (!m->row.spectated || m->watch) return m->watch;
    const struct manifest_mode *mode = manifest_mode(match_manifest(m), m->row.mode);
    m->watch = fr_alloc(sizeof *m->watch);
    if (m->watch) m->watch->delay_ms = mode ? mode->spectator_delay_ms : SPECTATOR_DELAY_MS_DEFAULT;
    return m->watch;
}

void spectate_view(struct match *m, const struct fr_json *view, int64_t now_ms)
{
    if (!view || fr_json_kind(view) == JSON_NULL || !spectate_of(m)) return;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, FRAME_BYTES_MAX);
    fr_json_print(view, &text);
    if (!text.failed) spectate_add(m, fr_strndup(text.data, text.len), NULL, now_ms);
}

void spectate_emit(struct match *m, const struct fr_json *effect)
{
    if (!spectate_of(m)) return;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, FRAME_BYTES_MAX);
    fr_buf_add(&text, "\"name\":");
    fr_buf_add_json_text(&text, fr_json_text(fr_json_get(effect, "name")));
    fr_buf_add(&text, ",\"data\":");
    if (fr_json_get(effect, "data")) fr_json_print(fr_json_get(effect, "data"), &text);
    else fr_buf_add(&text, "null");
    fr_buf_add(&text, "}");
    if (!text.failed) spectate_add(m, NULL, fr_strndup(text.data, text.len), 0);
}

// The end is no secret and changes nothing any more: what still waits is shown with it.
void spectate_end(struct match *m, const struct match_result *r)
{
    struct watching *w = m->watch;
    if (!w) return;
    spectate_run(m, INT64_MAX - 1);
    char hash[SHA256_HEX_BYTES];
    FR_AUTO_BUF(out);
    match_hash_text(m, hash);
    w->seq++;
    spectate_begin(m, "end", &out);
    fr_buf_addf(&out, ",\"hash\":\"%s\",\"reason\":", hash);
    fr_buf_add_json_text(&out, r->reason);
    fr_buf_add(&out, ",\"places\":");
    settle_print_places(r, m->row.seats, &out);
    fr_buf_add(&out, "}");
    spectate_send(w, &out);
    w->watcher_count = 0;
}

// ---- asked

static bool spectate_remove(struct match *m, const void *who)
{
    struct watching *w = m->watch;
    for (int i = 0; w && i < w->watcher_count; i++) {
        if (w->watchers[i].who != who) continue;
        w->watchers[i] = w->watchers[--w->watcher_count];
        return true;
    }
    return false;
}

int play_unwatch(struct plays *ps, const char *match, const void *who)
{
    int removed = 0;
    if (match) {
        struct match *m = fr_map_get_text(ps->matches, match);
        return m && spectate_remove(m, who);
    }
    size_t at = 0, len;
    const void *key;
    void *value;
    while (fr_map_walk(ps->matches, &at, &key, &len, &value)) removed += spectate_remove(value, who);
    return removed;
}

int play_watches_of(struct plays *ps, const void *who)
{
    int count = 0;
    size_t at = 0, len;
    const void *key;
    void *value;
    while (fr_map_walk(ps->matches, &at, &key, &len, &value)) {
        const struct watching *w = ((struct match *)value)->watch;
        for (int i = 0; w && i < w->watcher_count; i++) count += w->watchers[i].who == who;
    }
    return count;
}

static enum fr_status spectate_add_watcher(struct match *m, void *who, play_watch_fn *event, struct fr_err *err)
{
    struct watching *w = spectate_of(m);
    if (!w) return FR_FAIL(err, FR_E_NOMEM, "no memory to watch a match");
    spectate_remove(m, who);                          // asked again: a fresh start
    if (w->watcher_count >= MATCH_SPECTATORS_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "too_many_spectators", "%d watch this match already", w->watcher_count);
    if (w->watcher_count == w->watcher_cap) {
        int cap = w->watcher_cap ? w->watcher_cap * 2 : 4;
        struct watcher *grown = fr_realloc(w->watchers, (size_t)cap * sizeof *grown);
        if (!grown) return FR_FAIL(err, FR_E_NOMEM, "no memory to watch a match");
        w->watchers = grown;
        w->watcher_cap = cap;
    }
    w->watchers[w->watcher_count++] = (struct watcher){ who, event };
    return FR_OK;
}

void play_watch(struct plays *ps, const char *match, const char *game, void *who, play_watch_fn *event, play_done_fn *done, void *arg)
{
    struct fr_err err;
    struct match *m = fr_map_get_text(ps->matches, match);
    enum fr_status st = FR_OK;
    if (!m || (game && strcmp(m->row.game, game) != 0)) st = FR_FAIL_CODE(&err, FR_E_NOT_FOUND, "match_unknown", "there is no such match to watch");
    else if (!m->row.spectated) st = FR_FAIL_CODE(&err, FR_E_DENIED, "no_spectators", "%s is not played before spectators", m->row.game);
    else if (m->state == MATCH_ENDED) st = FR_FAIL_CODE(&err, FR_E_CONFLICT, "match_ended", "the match is over");
    else st = spectate_add_watcher(m, who, event, &err);
    if (st != FR_OK) { done(arg, st, NULL, &err); return; }
    char answer[80];
    snprintf(answer, sizeof answer, "{\"seq\":%lld,\"delay_ms\":%d}", (long long)m->watch->seq, m->watch->delay_ms);
    if (m->watch->shown) {                         // else watch.start comes when there is something to see
        FR_AUTO_BUF(start);
        spectate_print_start(m, &start);
        if (!start.failed) event(who, start.data, start.len);
    }
    done(arg, FR_OK, answer, NULL);
}
