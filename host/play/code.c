// code.c — which worker a match plays in and which code it plays. Everything in play/ asks here.
#include <assert.h>
#include <string.h>
#include "play/internal.h"

struct sandbox_worker *match_worker(const struct match *m)
{
    return m->worker->sandbox;
}

const struct manifest *match_manifest(const struct match *m)
{
    return m->version->package->manifest;
}

const struct fr_json *match_definition(const struct match *m)
{
    return m->version->definition;
}

const char *match_code_gone(const struct match *m)
{
    assert(strcmp(m->version->package->sha256, m->row.package_sha) == 0);
    if (m->plugin->state == PLUGIN_DISABLED) return "game_switched_off";
    bool over = m->version->state == VERSION_OVER && m->version != m->plugin->current;
    return !over ? NULL : m->version->over_why ? m->version->over_why : "version_retired";
}

void match_unpin(struct match *m)
{
    if (!m->pinned) return;
    m->pinned = false;
    plugin_unpin(m->worker);
}

bool match_handles(const struct match *m, const char *handler)
{
    return fr_json_is_true(fr_json_get(fr_json_get(match_definition(m), "game"), handler));
}

bool match_worker_up(const struct match *m)
{
    return match_worker(m) && sandbox_worker_is_up(match_worker(m));
}

bool match_take_slot(struct match *m)
{
    assert(m->slot == 0);
    m->slot = plugin_slot_take(m->worker);
    return m->slot != 0;
}

void match_close_slot(struct match *m)
{
    if (m->slot && match_worker_up(m)) sandbox_post(match_worker(m), FRAME_MATCH_CLOSE, m->slot);
    match_forget_slot(m);
}

void match_forget_slot(struct match *m)
{
    plugin_slot_give(m->worker, m->slot);
    m->slot = 0;
}
