// change.c — another version takes the place of the current one, in the order it happens: read (off the loop), start workers beside
// the old ones, wait until all are up, write it down, switch. Where it goes wrong, the old one stays and the refusal is kept.
#include "plugin/internal.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

struct change {
    struct plugins *ps;                        // NULL once plugins_stop came in between
    struct slot *slot;                         // NULL until a new plugin's id is known
    enum { CHANGE_READING, CHANGE_STARTING, CHANGE_STORING, CHANGE_DONE } step;
    const char *why;                           // a word for the history
    bool quiet;                                // nobody asked: what lay there before is no news
    bool first;                                // the plugin was not here before
    bool has_version;
    char id[PLUGIN_ID_BYTES_MAX + 1], folder[512], home[512], wanted[65], sha256[65], page[65], mark[MARK_BYTES];
    struct package *fresh;
    enum fr_status status; struct fr_err err;  // of the reading
    char *frame;
    struct plugin_version *version;
    struct registry_entry entry;
    int64_t began_ms, due_ms;
    uv_work_t work;
    plugins_done_fn *done; void *arg;
    struct change *next;
};

static void change_free(struct change *c)
{
    package_free(c->fresh);
    registry_clear(&c->entry);
    fr_free(c->frame);
    fr_free(c);
}

static void change_end(struct change *c, enum fr_status status, const struct fr_err *err)
{
    struct plugins *ps = c->ps;
    struct slot *s = c->slot;
    assert(c->step != CHANGE_DONE);
    c->step = CHANGE_DONE;
    if (ps) {
        struct change **at = &ps->changes;
        while (*at != c) at = &(*at)->next;
        *at = c->next;
    }
    if (s && s->change == c) s->change = NULL;
    if (c->done) c->done(c->arg, status, err);
    change_free(c);
    if (ps && s && s->again) {
        s->again = false;
        change_reload(s);
    }
}

// ---- refusing

void change_note_rejected(struct slot *s, const struct fr_err *why, const char *version, const char *frame)
{
    struct plugin *p = &s->plugin;
    fr_free(p->rejected_frame);
    p->rejected = *why;
    p->rejected_frame = frame ? fr_strndup(frame, strlen(frame)) : NULL;
    snprintf(p->rejected_version, sizeof p->rejected_version, "%s", version ? version : "");
    plugin_log_add(p, "error", why->text, NULL);
    if (frame) plugin_log_add(p, "error", frame, NULL);
    fr_log_err(LOG_ERROR, "plugin.rejected", why, "plugin", slot_id(s), "version", p->rejected_version, "frame", frame ? frame : "", NULL);
}

static void clear_rejected(struct plugin *p)
{
    fr_free(p->rejected_frame);
    p->rejected_frame = NULL;
    p->rejected = (struct fr_err){ 0 };
}

static void change_refuse(struct change *c, const struct fr_err *why, const char *frame)
{
    struct slot *s = c->slot;
    struct fr_err kept = *why;
    const char *version = c->version ? c->version->package->manifest->version : c->fresh ? c->fresh->manifest->version : NULL;
    if (s && c->ps) {
        bool serves = version_runs(s->plugin.current) && s->plugin.current != c->version;
        change_note_rejected(s, &kept, version, frame);
        if (!serves && s->plugin.state != PLUGIN_DISABLED && s->plugin.state != PLUGIN_FAILED) plugin_fail(s, PLUGIN_FAILED, &kept);
        else if (s->plugin.state == PLUGIN_FAILED) s->plugin.error = kept;
    }
    if (c->version && c->version->state == VERSION_TRIED) version_forget(c->version);      // one that drains has matches to end
    change_end(c, kept.status, &kept);
}

void change_on_failed(struct slot *s, struct plugin_version *v, const struct fr_err *why, const char *frame)
{
    struct change *c = s->change;
    if (c && c->version == v && c->step == CHANGE_STARTING) change_refuse(c, why, frame);
    else if (v->state == VERSION_TRIED) version_forget(v);
}

void change_abort(struct slot *s, const struct fr_err *why)
{
    struct change *c = s->change;
    s->again = false;
    if (c && c->step == CHANGE_STARTING) change_refuse(c, why, NULL);       // the other steps look for themselves when they come back
}

void change_expire(struct plugins *ps, int64_t now_ms, int64_t *next_ms)
{
    for (struct change *c = ps->changes, *next; c; c = next) {
        struct fr_err err;
        next = c->next;
        if (c->step != CHANGE_STARTING) continue;
        if (now_ms < c->due_ms) {
            if (c->due_ms < *next_ms) *next_ms = c->due_ms;
            continue;
        }
        FR_FAIL_CODE(&err, FR_E_TIMEOUT, "version_not_up", "not all of its workers were up within %d ms", VERSION_UP_MS);
        change_refuse(c, &err, NULL);
    }
}

void changes_orphan(struct plugins *ps)
{
    struct fr_err err;
    FR_FAIL(&err, FR_E_BUSY, "the host is stopping");
    for (struct change *c = ps->changes, *next; c; c = next) {
        next = c->next;
        if (c->slot) c->slot->change = NULL;
        c->ps = NULL;
        c->slot = NULL;
        c->version = NULL;                     // its slot frees it
        if (c->step == CHANGE_STARTING) change_end(c, err.status, &err);      // the others come back from a thread
    }
    ps->changes = NULL;
}

// ---- step 3: it is on disk

static void serve(struct change *c)
{
    struct slot *s = c->slot;
    struct plugin *p = &s->plugin;
    const char *before = p->package->manifest->version;
    char took[24], was[33];
    snprintf(was, sizeof was, "%s", before);
    snprintf(took, sizeof took, "%lld", (long long)(fr_mono_ms() - c->began_ms));
    if (c->version) version_serve(s, c->version);
    else if (c->fresh) FR_IGNORE(package_set_page(p->package, FR_TAKE(c->fresh->web), NULL));     // only memory can fail it, and then the page is gone until the next start
    snprintf(s->noted_sha, sizeof s->noted_sha, "%s", p->package->sha256);
    snprintf(s->noted_page, sizeof s->noted_page, "%s", p->package->page_sha256);
    if (*c->mark) snprintf(s->folder_mark, sizeof s->folder_mark, "%s", c->mark);
    if (c->version && p->state == PLUGIN_DISABLED) version_stop(c->version);        // switched off while it was written down
    else if (c->version) plugin_set_state(s, plugin_workers_up(c->version) > 0 ? PLUGIN_UP : PLUGIN_DOWN);
    fr_log(LOG_INFO, "plugin.switched", "plugin", slot_id(s), "from", was, "to", p->package->manifest->version, "sha256", p->package->sha256, "why", c->why, "#ms", took, NULL);
}

static enum fr_status change_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct change *c = arg;
    return registry_switch(txn, &c->entry, c->why, err);
}

static void change_on_stored(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct change *c = arg;
    if (!c->ps) {
        change_end(c, status, err);            // it counts from the next start
        return;
    }
    if (status != FR_OK) {
        change_refuse(c, err, NULL);
        return;
    }
    if (strcmp(c->why, "start") != 0) clear_rejected(&c->slot->plugin);
    serve(c);
    if (c->ps->o.watch) watch_slot(c->slot);
    change_end(c, FR_OK, NULL);
}

static void change_store(struct change *c, const struct package *p)
{
    struct fr_err err;
    c->step = CHANGE_STORING;
    c->entry.enabled = true;
    enum fr_status st = registry_fill(&c->entry, p, &err);
    if (st == FR_OK) st = registry_fill_page(&c->entry, p, &err);
    c->entry.installed = !*c->slot->home;
    if (*c->slot->home) snprintf(c->entry.folder, sizeof c->entry.folder, "%s", c->slot->home);
    snprintf(c->entry.mark, sizeof c->entry.mark, "%s", c->mark);
    if (st == FR_OK) st = store_run(c->ps->o.store, change_job, c, change_on_stored, &err);
    if (st != FR_OK) change_refuse(c, &err, NULL);
}

// ---- step 2: its workers are up

static struct change *change_new(struct plugins *ps, struct slot *s, const char *why)
{
    struct change *c = fr_alloc(sizeof *c);
    if (!c) return NULL;
    c->ps = ps;
    c->slot = s;
    c->why = why;
    c->began_ms = fr_mono_ms();
    if (s) {
        snprintf(c->id, sizeof c->id, "%s", slot_id(s));
        snprintf(c->home, sizeof c->home, "%s", s->home);
        s->change = c;
    }
    c->next = ps->changes;
    ps->changes = c;
    return c;
}

// What lay in the folder when the host started is up: from now on the registry says so.
static void note_started(struct slot *s)
{
    const struct package *p = s->plugin.package;
    bool noted = strcmp(s->noted_sha, p->sha256) == 0 && strcmp(s->noted_page, p->page_sha256) == 0;
    if (noted || s->for_this_run || !*s->noted_sha) return;
    struct change *c = change_new(s->plugin.all, s, "start");
    if (!c) return;                            // the next start notes it
    snprintf(c->mark, sizeof c->mark, "%s", s->folder_mark);
    change_store(c, p);
}

void change_on_up(struct slot *s, struct plugin_version *v)
{
    struct change *c = s->change;
    if (!c && v == s->plugin.current) {
        note_started(s);
        return;
    }
    if (!c || c->version != v || c->step != CHANGE_STARTING) return;
    if (strcmp(c->why, "fallback") == 0) {     // the registry says so already, and what it fell back from stays in the list
        serve(c);
        change_end(c, FR_OK, NULL);
        return;
    }
    change_store(c, v->package);
}

// ---- step 1: read

static enum fr_status change_check(struct change *c, struct fr_err *err)
{
    const char *id = c->fresh->manifest->id;
    struct plugin *p = plugins_find(c->ps, id);
    bool stand_in = c->slot && !*c->slot->plugin.package->sha256;          // its folder's name was all there was
    if (*c->id && strcmp(c->id, id) != 0 && !(stand_in && !p))
        return FR_FAIL_CODE(err, FR_E_CONFLICT, "plugin_other_id", "%s is the plugin \"%s\", not \"%s\"", c->fresh->folder, id, c->id);
    if (c->slot) return FR_OK;
    if (!p) return FR_OK;
    c->slot = slot_of(p);
    if (c->slot->change) {
        c->slot = NULL;
        return FR_FAIL_CODE(err, FR_E_BUSY, "plugin_changing", "another version of %s is being taken at this moment", id);
    }
    c->slot->change = c;
    if (c->slot->for_this_run) return FR_FAIL_CODE(err, FR_E_CONFLICT, "plugin_this_run", "%s is here for this run only", id);
    return FR_OK;
}

// It still drains here: then it has workers, and goes back to serving with them.
static struct plugin_version *find_draining(const struct slot *s, const struct package *p)
{
    struct plugin_version *v = s->versions;
    while (v && (v->state != VERSION_DRAINING || strcmp(v->package->sha256, p->sha256) != 0)) v = v->next;
    return v;
}

static enum fr_status change_begin(struct change *c, struct fr_err *err)
{
    struct slot *s = c->slot;
    c->version = s ? find_draining(s, c->fresh) : NULL;
    if (c->version) {
        c->step = CHANGE_STARTING;
        c->due_ms = fr_mono_ms() + VERSION_UP_MS;
        FR_TRY(package_set_page(c->version->package, FR_TAKE(c->fresh->web), err));
        snprintf(c->version->package->folder, sizeof c->version->package->folder, "%s", c->fresh->folder);
        if (plugin_workers_up(c->version) == c->version->worker_count) change_on_up(s, c->version);
        else tidy_soon(c->ps);
        return FR_OK;
    }
    c->step = CHANGE_STARTING;
    c->due_ms = fr_mono_ms() + VERSION_UP_MS;
    if (!s) {
        FR_TRY(slot_add(c->ps, c->fresh, &s, err));
        c->slot = s;
        s->change = c;
        c->first = true;
        c->version = s->plugin.current;
        plugin_set_state(s, PLUGIN_STARTING);
    } else {
        FR_TRY(version_new(s, c->fresh, &c->version, err));
    }
    c->fresh = NULL;                           // the slot owns it now
    tidy_soon(c->ps);                          // which looks at the deadline
    return version_start(c->version, err);
}

static void change_loaded(struct change *c)
{
    struct fr_err err;
    struct slot *s = c->slot;
    if (c->status != FR_OK) {
        change_refuse(c, &c->err, c->frame);
        return;
    }
    if (change_check(c, &err) != FR_OK) {
        change_refuse(c, &err, NULL);
        return;
    }
    s = c->slot;
    struct plugin *p = s ? &s->plugin : NULL;
    if (p && p->state == PLUGIN_DISABLED) {
        change_refuse(c, (FR_FAIL_CODE(&err, FR_E_CONFLICT, "plugin_disabled", "%s is switched off: enable it first", c->fresh->manifest->id), &err), NULL);
        return;
    }
    bool runs = p && version_runs(p->current), same = p && strcmp(p->package->sha256, c->fresh->sha256) == 0;
    bool old_news = c->quiet && s && strcmp(c->mark, s->folder_mark) == 0;
    if (runs && old_news) {
        if (same) clear_rejected(p);           // it was mended by taking it back
        change_end(c, FR_OK, NULL);
        return;
    }
    if (runs && same) {
        change_store(c, c->fresh);             // another page, or nothing new at all
        return;
    }
    if (change_begin(c, &err) != FR_OK) change_refuse(c, &err, NULL);
}

// ---- from a folder: on a thread of libuv's

#define FRAME_LINES 2
// The lines around `line` of a file, as the worker prints them around a mistake in Lua.
static char *frame_of(const char *folder, const char *name, int line)
{
    char path[600], text[400];
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4096);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "re");
    if (!f) return NULL;
    for (int at = 1; at <= line + FRAME_LINES && fgets(text, sizeof text, f); at++) {
        size_t len = strcspn(text, "\n");
        if (text[len] == 0) for (int c = fgetc(f); c != EOF && c != '\n';) c = fgetc(f);       // a long line: its beginning has to do
        if (at >= line - FRAME_LINES) fr_buf_addf(&out, "%s %d | %.*s\n", at == line ? ">" : " ", at, (int)(len > 160 ? 160 : len), text);
    }
    fclose(f);
    return out.failed || out.len == 0 ? NULL : fr_strndup(out.data, out.len);
}

static void change_load(uv_work_t *work)
{
    struct change *c = work->data;
    c->status = package_load(c->folder, &c->fresh, &c->err);
    if (c->status == FR_OK) package_mark(c->fresh, c->mark);
    const char *at = c->status == FR_OK ? NULL : strstr(c->err.text, "plugin.json: line ");
    int line = 0;
    if (at && sscanf(at, "plugin.json: line %d", &line) == 1 && line > 0) c->frame = frame_of(c->folder, "plugin.json", line);
    if (c->status == FR_OK && *c->home && strcmp(c->home, c->folder) != 0) {       // what lies at home is not what was chosen
        FR_AUTO(package) at_home = NULL;
        c->mark[0] = 0;
        if (package_load(c->home, &at_home, NULL) == FR_OK) package_mark(at_home, c->mark);
    }
}

static void change_on_loaded(uv_work_t *work, int status)
{
    struct change *c = work->data;
    if (status == UV_ECANCELED || !c->ps) {
        FR_IGNORE(FR_FAIL(&c->err, FR_E_BUSY, "the host is stopping"));            // handed on
        change_end(c, c->err.status, &c->err);
        return;
    }
    change_loaded(c);
}

static enum fr_status change_ready(struct plugins *ps, struct slot *s, struct fr_err *err)
{
    if (ps->stopped) return FR_FAIL(err, FR_E_BUSY, "the host is stopping");
    if (!s) return FR_OK;
    if (s->for_this_run) return FR_FAIL_CODE(err, FR_E_CONFLICT, "plugin_this_run", "%s is here for this run only", slot_id(s));
    if (s->change) return FR_FAIL_CODE(err, FR_E_BUSY, "plugin_changing", "another version of %s is being taken at this moment", slot_id(s));
    if (s->plugin.state == PLUGIN_DISABLED) return FR_FAIL_CODE(err, FR_E_CONFLICT, "plugin_disabled", "%s is switched off: enable it first", slot_id(s));
    return FR_OK;
}

static enum fr_status change_from_folder(struct plugins *ps, struct slot *s, const char *folder, const char *why, plugins_done_fn *done, void *arg, struct fr_err *err)
{
    FR_TRY(change_ready(ps, s, err));
    struct change *c = change_new(ps, s, why);
    if (!c) return FR_FAIL(err, FR_E_NOMEM, "no memory to change a plugin");
    snprintf(c->folder, sizeof c->folder, "%s", folder);
    c->quiet = done == NULL;
    c->done = done;
    c->arg = arg;
    c->work.data = c;
    if (uv_queue_work(ps->o.loop, &c->work, change_load, change_on_loaded) == 0) return FR_OK;
    c->done = NULL;
    change_end(c, FR_E_NOMEM, NULL);
    return FR_FAIL(err, FR_E_NOMEM, "no memory to change a plugin");
}

enum fr_status plugins_update(struct plugins *ps, const char *id, const char *folder, plugins_done_fn *done, void *arg, struct fr_err *err)
{
    struct plugin *p = id ? plugins_find(ps, id) : NULL;
    char path[512];
    assert(done && (id || folder));
    if (id && !p) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "plugin_unknown", "there is no plugin \"%.40s\"", id);
    if (!folder && !*slot_of(p)->home) return FR_FAIL_CODE(err, FR_E_CONFLICT, "no_folder", "%s was installed and has no folder here: frond plugin install FOLDER", id);
    size_t len = (size_t)snprintf(path, sizeof path, "%s", folder ? folder : slot_of(p)->home);
    if (len >= sizeof path) return FR_FAIL(err, FR_E_LIMIT, "the folder's path is over %zu bytes", sizeof path - 1);
    while (len > 1 && path[len - 1] == '/') path[--len] = 0;
    return change_from_folder(ps, p ? slot_of(p) : NULL, path, folder ? "install" : "update", done, arg, err);
}

void change_reload(struct slot *s)
{
    struct fr_err err;
    if (s->plugin.all->stopped || s->for_this_run || !*s->home || s->plugin.state == PLUGIN_DISABLED) return;
    s->again = s->change != NULL;
    if (s->again) return;
    if (change_from_folder(s->plugin.all, s, s->home, "reload", NULL, NULL, &err) != FR_OK) fr_log_err(LOG_ERROR, "plugin.reload_failed", &err, "plugin", slot_id(s), NULL);
}

// ---- from the store

static enum fr_status find_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct change *c = arg;
    FR_AUTO(package) at_home = NULL;
    if (!*c->sha256) FR_TRY(registry_find_version(txn, c->id, c->has_version ? c->wanted : NULL, c->sha256, c->page, err));
    FR_TRY(registry_package(txn, c->sha256, c->page, &c->fresh, err));
    snprintf(c->fresh->folder, sizeof c->fresh->folder, "%s", c->home);
    if (*c->home && package_load(c->home, &at_home, NULL) == FR_OK) package_mark(at_home, c->mark);      // what lies there was not wanted
    return FR_OK;
}

static void change_on_found(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct change *c = arg;
    if (!c->ps) {
        change_end(c, FR_FAIL(&c->err, FR_E_BUSY, "the host is stopping"), &c->err);
        return;
    }
    c->status = status;
    if (status == FR_OK) {
        change_loaded(c);
        return;
    }
    c->err = *err;                             // nothing was tried: that is no rejected version
    change_end(c, status, &c->err);
}

static enum fr_status change_from_store(struct change *c, struct fr_err *err)
{
    enum fr_status st = store_read(c->ps->o.store, find_job, c, change_on_found, err);
    if (st == FR_OK) return FR_OK;
    c->done = NULL;
    change_end(c, st, NULL);
    return st;
}

enum fr_status plugins_rollback(struct plugins *ps, const char *id, const char *version, plugins_done_fn *done, void *arg, struct fr_err *err)
{
    struct plugin *p = plugins_find(ps, id);
    if (!p) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "plugin_unknown", "there is no plugin \"%.40s\"", id);
    FR_TRY(change_ready(ps, slot_of(p), err));
    struct change *c = change_new(ps, slot_of(p), "rollback");
    if (!c) return FR_FAIL(err, FR_E_NOMEM, "no memory to change a plugin");
    c->has_version = version != NULL;
    if (version) snprintf(c->wanted, sizeof c->wanted, "%s", version);
    c->done = done;
    c->arg = arg;
    return change_from_store(c, err);
}

void change_fall_back(struct slot *s)
{
    struct fr_err err;
    struct plugins *ps = s->plugin.all;
    if (ps->stopped || s->for_this_run || s->change || !*s->noted_sha || strcmp(s->noted_sha, s->plugin.package->sha256) == 0) return;
    struct fr_err why = s->plugin.error;
    change_note_rejected(s, &why, s->plugin.package->manifest->version, NULL);
    struct change *c = change_new(ps, s, "fallback");
    if (!c) return;
    snprintf(c->sha256, sizeof c->sha256, "%s", s->noted_sha);
    snprintf(c->page, sizeof c->page, "%s", s->noted_page);
    if (change_from_store(c, &err) != FR_OK) fr_log_err(LOG_ERROR, "plugin.fallback_failed", &err, "plugin", slot_id(s), NULL);
}

// ---- an older version for the matches it began

static enum fr_status open_gone(struct plugins *ps, struct package *p, struct slot **ret, struct fr_err *err)
{
    struct package *copy = NULL;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, JSON_TEXT_BYTES_MAX);
    package_export(p, &text);
    FR_TRY(fr_buf_check(&text, "the package's code", err));
    FR_TRY(package_import(text.data, text.len, &copy, err));
    enum fr_status st = slot_add(ps, copy, ret, err);
    if (st != FR_OK) {
        package_free(copy);
        return st;
    }
    struct fr_err why;
    FR_FAIL_CODE(&why, FR_E_NOT_FOUND, "plugin_gone", "its folder is gone; it only ends the matches it began");
    plugin_fail(*ret, PLUGIN_FAILED, &why);
    return FR_OK;
}

enum fr_status plugins_older_version(struct plugins *ps, struct store_txn *txn, const char *id, const char *sha256, struct plugin_version **ret, struct fr_err *err)
{
    struct plugin *p = plugins_find(ps, id);
    struct slot *s = p ? slot_of(p) : NULL;
    FR_AUTO(package) stored = NULL;
    struct plugin_version *v = s ? s->versions : NULL;
    while (v && (strcmp(v->package->sha256, sha256) != 0 || (v->state == VERSION_OVER && v != p->current))) v = v->next;
    if (v) {
        *ret = v;
        return FR_OK;
    }
    struct fr_err gone;
    if (registry_package(txn, sha256, "", &stored, &gone) != FR_OK || strcmp(stored->manifest->id, id) != 0)
        return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "version_gone", "the code with SHA-256 %.64s is not here any more", sha256);
    if (!s) FR_TRY(open_gone(ps, stored, &s, err));
    FR_TRY(version_new(s, stored, &v, err));
    stored = NULL;                             // the slot owns it now
    v->state = VERSION_DRAINING;
    v->drain_due_ms = fr_mono_ms() + (ps->o.drain_ms ? ps->o.drain_ms : VERSION_DRAIN_MS);
    enum fr_status st = s->plugin.state == PLUGIN_DISABLED ? FR_OK : version_start(v, err);
    if (st != FR_OK) {
        version_forget(v);
        return st;
    }
    *ret = v;
    return FR_OK;
}
