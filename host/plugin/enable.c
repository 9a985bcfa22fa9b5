// enable.c — switching on and off: written first, then done; on is told when the plugin is up, or why it is not.
#include "plugin/internal.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

struct switching {
    struct plugins *ps;                        // NULL once plugins_close came in between
    struct slot *slot;
    struct registry_entry entry;
    struct package *fresh;                     // read again from its folder, for a plugin that does not run
    struct fr_err unreadable;                  // why there is no fresh one
    plugins_done_fn *done; void *arg;
    struct switching *next;
};

static void switching_free(struct switching *w)
{
    package_free(w->fresh);
    registry_clear(&w->entry);
    fr_free(w);
}

static enum fr_status switching_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct switching *w = arg;
    return registry_enable(txn, &w->entry, err);
}

// Takes the package over that was read again, unless it is the one that is there, or one that somebody chose not to have.
static enum fr_status take_fresh(struct slot *s, struct switching *w, struct fr_err *err)
{
    struct plugin_version *v;
    char mark[MARK_BYTES];
    struct plugin *p = &s->plugin, *twin = plugins_find(w->ps, w->fresh->manifest->id);
    if (twin && twin != p) return FR_FAIL(err, FR_E_CONFLICT, "%s: the id \"%s\" is taken by %s", w->fresh->folder, w->fresh->manifest->id, twin->package->folder);
    package_mark(w->fresh, mark);
    bool chosen = strcmp(mark, s->folder_mark) == 0;
    snprintf(s->folder_mark, sizeof s->folder_mark, "%s", mark);
    if (strcmp(w->fresh->sha256, p->package->sha256) == 0) return package_set_page(p->package, FR_TAKE(w->fresh->web), err);
    if (chosen && *p->package->sha256) return FR_OK;
    FR_TRY(version_new(s, w->fresh, &v, err));
    w->fresh = NULL;                           // the slot owns it now
    version_serve(s, v);
    return FR_OK;
}

static enum fr_status switch_on(struct switching *w, struct fr_err *err)
{
    struct slot *s = w->slot;
    if (version_runs(s->plugin.current) || s->change) return FR_OK;
    if (w->unreadable.status != FR_OK) {
        plugin_fail(s, PLUGIN_FAILED, &w->unreadable);
        *err = w->unreadable;
        return err->status;
    }
    if (w->fresh) FR_TRY(take_fresh(s, w, err));
    snprintf(s->noted_sha, sizeof s->noted_sha, "%s", s->plugin.package->sha256);
    snprintf(s->noted_page, sizeof s->noted_page, "%s", s->plugin.package->page_sha256);
    plugin_start(s);
    if (s->plugin.state != PLUGIN_FAILED) return FR_OK;
    *err = s->plugin.error;
    return err->status;
}

static void switch_off(struct slot *s)
{
    struct fr_err err;
    plugin_set_state(s, PLUGIN_DISABLED);      // before the workers go: their calls are told that, not to try again
    FR_FAIL_CODE(&err, FR_E_CONFLICT, "plugin_disabled", "%s was switched off", slot_id(s));
    change_abort(s, &err);
    for (struct plugin_version *v = s->versions; v; v = v->next) version_stop_and_tell(v, false, "it was switched off");
    for (struct plugin_version *v = s->versions; v; v = v->next)
        if (v->state == VERSION_DRAINING) version_retire(v, "version_retired");
}

static void switching_end(struct switching *w, enum fr_status status, const struct fr_err *err)
{
    if (w->done) w->done(w->arg, status, err);
    switching_free(w);
}

// A plugin that is starting is told of when its workers are up, or when it is known that they will not be.
void switchings_tell(struct slot *s)
{
    struct plugins *ps = s->plugin.all;
    enum plugin_state state = s->plugin.state;
    if (state == PLUGIN_STARTING || state == PLUGIN_DOWN) return;
    for (struct switching **at = &ps->coming; *at;) {
        struct switching *w = *at;
        struct fr_err why = s->plugin.error;
        if (w->slot != s) { at = &w->next; continue; }
        *at = w->next;
        if (state == PLUGIN_DISABLED) FR_IGNORE(FR_FAIL_CODE(&why, FR_E_CONFLICT, "plugin_disabled", "%s was switched off meanwhile", slot_id(s)));
        switching_end(w, state == PLUGIN_UP ? FR_OK : why.status, &why);
        at = &ps->coming;                      // whoever was told may have begun something
    }
}

static void switching_on_stored(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct switching *w = arg;
    struct fr_err why = { 0 };
    if (status != FR_OK) why = *err;
    if (w->ps) {
        struct switching **at = &w->ps->switching;
        while (*at != w) at = &(*at)->next;
        *at = w->next;
        if (w->ps->stopped) { /* it is written, and counts from the next start */ }
        else if (status == FR_OK && w->entry.enabled) status = switch_on(w, &why);
        else if (status == FR_OK) switch_off(w->slot);
        if (status == FR_OK && w->entry.enabled && !w->ps->stopped && w->slot->plugin.state == PLUGIN_STARTING) {
            w->next = w->ps->coming;
            w->ps->coming = w;
            return;
        }
    }
    switching_end(w, status, &why);
}

// The folder of one that does not run is read again; of an installed one there is nothing to read.
static enum fr_status read_again(struct switching *w, struct fr_err *err)
{
    struct slot *s = w->slot;
    char mark[MARK_BYTES];
    if (version_runs(s->plugin.current) || !*s->home) return FR_OK;
    if (package_load(s->home, &w->fresh, &w->unreadable) != FR_OK) return FR_OK;
    package_mark(w->fresh, mark);
    bool chosen = strcmp(mark, s->folder_mark) == 0 && strcmp(w->fresh->sha256, s->plugin.package->sha256) != 0 && *s->plugin.package->sha256;
    if (chosen || s->for_this_run) return FR_OK;        // its row stays as it is; and of a guest there is none
    FR_TRY(registry_fill(&w->entry, w->fresh, err));
    return registry_fill_page(&w->entry, w->fresh, err);
}

enum fr_status plugins_enable(struct plugins *ps, const char *id, bool enable, plugins_done_fn *done, void *arg, struct fr_err *err)
{
    struct plugin *p = plugins_find(ps, id);
    if (!p) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "plugin_unknown", "there is no plugin \"%.40s\"", id);
    struct switching *w = fr_alloc(sizeof *w);
    if (!w) return FR_FAIL(err, FR_E_NOMEM, "no memory to switch a plugin");
    *w = (struct switching){ .ps = ps, .slot = slot_of(p), .done = done, .arg = arg };
    enum fr_status st = enable ? read_again(w, err) : FR_OK;
    if (!*w->entry.id) snprintf(w->entry.id, sizeof w->entry.id, "%s", id);
    w->entry.enabled = enable;
    if (st == FR_OK) st = store_run(ps->o.store, switching_job, w, switching_on_stored, err);
    if (st != FR_OK) {
        switching_free(w);
        return st;
    }
    w->next = ps->switching;
    ps->switching = w;
    return FR_OK;
}

void switchings_orphan(struct plugins *ps)
{
    for (struct switching *w = ps->switching; w; w = w->next) w->ps = NULL;
    ps->switching = NULL;
    while (ps->coming) {                       // they are written, and count from the next start
        struct switching *w = ps->coming;
        ps->coming = w->next;
        switching_end(w, FR_OK, NULL);
    }
}
