// apply.c — timers and asks follow from the log, live or played again.
#include <string.h>
#include "base/mem.h"
#include "play/internal.h"

void apply_asks(struct match *m, const struct fr_json *effect, const struct fr_json *record)
{
    const char *tag = record ? fr_json_text(fr_json_get(record, "tag")) : NULL;
    for (int i = 0; tag && i < m->ask_count; i++) {                // an answer takes its ask out
        FR_AUTO(fr_json) open = NULL;
        struct fr_err err;
        if (fr_json_parse(m->asks[i], strlen(m->asks[i]), &open, &err) != FR_OK) continue;
        const char *open_tag = fr_json_text(fr_json_get(open, "tag"));
        if (!open_tag || strcmp(open_tag, tag) != 0) continue;
        fr_free(m->asks[i]);
        m->asks[i] = m->asks[--m->ask_count];
        return;
    }
    if (!effect || m->ask_count == ASKS_OPEN_MAX) return;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, CALL_ARGS_BYTES_MAX);
    fr_json_print(effect, &text);
    if (text.failed) return;
    char *ask = fr_strndup(text.data, text.len);
    if (!ask) fr_mem_out(text.len);                                // forgotten it would not be asked again after a crash: the game would wait for ever
    m->asks[m->ask_count++] = ask;
}

void apply_effects(struct match *m, const struct turn *t, int64_t now_ms)
{
    if (!t || !t->effects) return;
    for (const struct fr_json *e = fr_json_child(t->effects); e; e = fr_json_next(e)) {
        const char *kind = fr_json_text(fr_json_get(e, "e")), *name = fr_json_text(fr_json_get(e, "name"));
        double ms = fr_json_number(fr_json_get(e, "ms"));
        if (strcmp(kind, "timer") == 0 && name && strlen(name) <= 64 && ms >= 0 && ms < 1e12) clock_timer_put(m, name, fr_json_get(e, "data"), now_ms + (int64_t)ms);
        if (strcmp(kind, "cancel") == 0 && name) clock_timer_remove(m, name);
        if (strcmp(kind, "ask") == 0) apply_asks(m, e, NULL);
    }
}
