// clock.c — one libuv timer per match, armed for whatever is due first.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "play/internal.h"
#include "plugin/use.h"

static void clock_on_bot(void *arg, const struct sandbox_result *r);

void clock_timers_clear(struct match *m)
{
    for (int i = 0; i < m->timer_count; i++) fr_free(m->timers[i].data);
    m->timer_count = 0;
}

void clock_timer_remove(struct match *m, const char *name)
{
    for (int i = 0; i < m->timer_count; i++) {
        if (strcmp(m->timers[i].name, name) != 0) continue;
        fr_free(m->timers[i].data);
        m->timers[i] = m->timers[--m->timer_count];
        return;
    }
}

void clock_timer_put(struct match *m, const char *name, const struct fr_json *data, int64_t due_ms)
{
    clock_timer_remove(m, name);
    if (m->timer_count == MATCH_TIMERS_MAX) return;      // the worker refuses one more by itself; a hostile one just loses it
    struct mtimer *t = &m->timers[m->timer_count];
    snprintf(t->name, sizeof t->name, "%s", name);
    FR_AUTO_BUF(text);
    fr_buf_init(&text, KV_VALUE_BYTES_MAX);
    if (data) fr_json_print(data, &text);
    else fr_buf_add(&text, "null");
    if (text.failed && !text.no_memory) return;
    t->data = text.failed ? NULL : fr_strndup(text.data, text.len);
    if (!t->data) fr_mem_out(text.len);                  // without its timer the game might wait for ever
    t->due_ms = due_ms;
    t->fired = false;
    m->timer_count++;
}

// ---- bots

int clock_bot_seat(const struct match *m)
{
    for (int i = 0; i < m->row.seats; i++)
        if (m->seat[i].player[0] == '\0') return i + 1;
    return 0;
}

static void clock_ask_bot(struct match *m)
{
    char text[96];
    int len = snprintf(text, sizeof text, "{\"seat\":%d,\"now_ms\":%lld}", clock_bot_seat(m), (long long)m->last_now_ms);
    struct sandbox_section section = { text, (size_t)len };
    uint32_t id;
    struct fr_err err;
    int64_t wait_ms = plugin_cpu_wait_ms(m->plugin);
    m->bot_due_ms = wait_ms > 0 ? fr_now_ms() + wait_ms : 0;
    if (wait_ms > 0) return;                                   // a bot's move can wait longest
    if (sandbox_invoke(match_worker(m), FRAME_MATCH_BOT, m->slot, &section, 1, 0, clock_on_bot, m, &id, &err) != FR_OK) {
        m->bot_due_ms = fr_now_ms() + MATCH_BOT_THINK_MS;      // it has too much to do
        return;
    }
    m->bot_asked = true;
    match_ref(m);
}

static void clock_on_bot(void *arg, const struct sandbox_result *r)
{
    struct match *m = arg;
    m->bot_asked = false;
    struct fr_err err;
    bool usable = m->state == MATCH_RUNNING && r->status == FR_OK && r->outcome == FRAME_OK;
    bool tripped = r->blamed || (r->status == FR_OK && (r->outcome == FRAME_TRIPPED_CPU || r->outcome == FRAME_TRIPPED_MEMORY));
    if (tripped && m->state == MATCH_RUNNING) {
        match_undo(m, "bot_failed");       // the slot, or the whole worker, is gone, and there is nobody to blame but the game
    } else if (usable) {
        struct frame_cursor c;
        const char *bytes;
        size_t len;
        FR_AUTO(fr_json) answer = NULL;
        frame_sections(r->frame, &c);
        if (frame_take(&c, &bytes, &len) && fr_json_parse(bytes, len, &answer, &err) == FR_OK && fr_json_is_true(fr_json_get(answer, "ok"))) {
            const char *name = fr_json_text(fr_json_get(answer, "name"));
            FR_AUTO_BUF(args); FR_AUTO_BUF(quoted);
            fr_buf_init(&args, CALL_ARGS_BYTES_MAX);
            fr_buf_init(&quoted, 512);
            if (fr_json_get(answer, "args")) fr_json_print(fr_json_get(answer, "args"), &args);
            else fr_buf_add(&args, "{}");
            fr_buf_add_json_text(&quoted, name ? name : "");
            if (name && !args.failed && !quoted.failed)
                FR_IGNORE(match_push(m, pending_new(clock_bot_seat(m), "\"kind\":\"input\",\"seat\":%d,\"name\":%s,\"args\":%s",
                                                    clock_bot_seat(m), quoted.data, args.data)) ? FR_OK : FR_E_BUSY);   // it will be asked again
        }
    }
    match_unref(m);
}

// ---- what is due

static int64_t clock_due(const struct match *m)
{
    int64_t due = INT64_MAX;
    if (m->state == MATCH_SEEDING) return m->seed_due_ms;
    if (m->state == MATCH_WAITING && m->retry_due_ms) return m->retry_due_ms;
    due = spectate_due(m);
    if (m->state != MATCH_RUNNING) return due;
    if (m->retry_due_ms && m->retry_due_ms < due) due = m->retry_due_ms;
    for (int i = 0; i < m->timer_count; i++)
        if (!m->timers[i].fired && m->timers[i].due_ms < due) due = m->timers[i].due_ms;
    if (m->bot_due_ms && m->bot_due_ms < due) due = m->bot_due_ms;
    if (m->row.tick_hz > 0 && m->tick_due_ms < due) due = m->tick_due_ms;
    return due;
}

static void clock_fire_timers(struct match *m, int64_t now_ms)
{
    for (int i = 0; i < m->timer_count; i++) {
        struct mtimer *t = &m->timers[i];
        if (t->fired || t->due_ms > now_ms) continue;
        FR_AUTO_BUF(name);
        fr_buf_init(&name, 512);
        fr_buf_add_json_text(&name, t->name);
        struct pending *p = name.failed ? NULL : pending_new(0, "\"kind\":\"timer\",\"name\":%s,\"data\":%s", name.data, t->data);
        if (p) snprintf(p->timer, sizeof p->timer, "%s", t->name);
        t->fired = true;                             // it stays known until its turn ran: a turn before it may cancel it
        if (!p || !match_push(m, p)) { t->fired = false; t->due_ms = now_ms + 50; }
        if (m->state != MATCH_RUNNING) return;
        if (m->timer_count <= i || &m->timers[i] != t) return;       // the list changed under us: clock_set runs again
    }
}

static void clock_fire_tick(struct match *m, int64_t now_ms)
{
    m->tick_due_ms = feed_tick_ms(m->tick_due_ms, m->row.tick_hz, 1);
    if (m->tick_due_ms < now_ms - 250) m->tick_due_ms = now_ms;       // after a pause the game goes on from now, it does not race
    // While turns wait for CPU, ticks would take the room of moves; while records wait for the disk, those of a thousand matches would fill the
    // store's queue, and then every one of them is lost and played again.
    // And where one waits already, the machine has too much to do: a game that loses ticks is better than one that runs seconds behind.
    bool behind = m->place_us || m->ticks_queued > 0 || m->count - m->durable >= MATCH_TICKS_BEHIND_MAX;
    struct pending *p = behind ? NULL : pending_new(0, "%s", "");
    m->tick_no++;
    if (!p) return;
    p->tick = true;
    p->tick_no = m->tick_no;
    FR_IGNORE(match_push(m, p) ? FR_OK : FR_E_BUSY);   // a full queue loses a tick; tick_no tells the game
}

static void clock_on_timer(uv_timer_t *timer)
{
    struct match *m = timer->data;
    int64_t now_ms = fr_now_ms();
    match_ref(m);
    if (m->state == MATCH_WAITING && m->retry_due_ms && now_ms >= m->retry_due_ms) match_start(m);
    if (m->state == MATCH_SEEDING && now_ms >= m->seed_due_ms) match_undo(m, "seed_missing");
    if (m->state == MATCH_RUNNING && m->retry_due_ms && now_ms >= m->retry_due_ms) {
        m->retry_due_ms = 0;
        match_pump(m);
    }
    spectate_run(m, now_ms);
    if (m->state == MATCH_RUNNING && m->row.tick_hz > 0 && now_ms >= m->tick_due_ms) clock_fire_tick(m, now_ms);
    if (m->state == MATCH_RUNNING) clock_fire_timers(m, now_ms);
    if (m->state == MATCH_RUNNING && m->bot_due_ms && now_ms >= m->bot_due_ms) clock_ask_bot(m);
    clock_set(m);
    match_unref(m);
}

void clock_open(struct match *m)
{
    assert(!m->clock_open);
    uv_timer_init(m->plays->o.loop, &m->clock);
    m->clock.data = m;
    m->clock_open = true;
    match_ref(m);                                    // until the close callback
}

static void clock_on_closed(uv_handle_t *handle)
{
    match_unref(handle->data);
}

void clock_close(struct match *m)
{
    if (!m->clock_open) return;
    m->clock_open = false;
    uv_close((uv_handle_t *)&m->clock, clock_on_closed);
}

void clock_set(struct match *m)
{
    if (!m->clock_open) return;
    int64_t due = clock_due(m);
    if (due == INT64_MAX) { uv_timer_stop(&m->clock); return; }
    int64_t wait_ms = due - fr_now_ms();
    uv_timer_start(&m->clock, clock_on_timer, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}
