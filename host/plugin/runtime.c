// runtime.c — a plugin's life on this host: found in a folder, noted in the registry, started, up, down and up again, and what
// ends it: switched off, code that is wrong, too many crashes.
#include "plugin/internal.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/log.h"
#include "base/clock.h"
#include "base/mem.h"
#include "plugin/use.h"

const char *plugin_state_name(enum plugin_state s)
{
    static const char *const names[] = { "starting", "up", "down", "failed", "disabled", "quarantined" };
    return names[s];
}

void plugins_register(void)
{
    registry_register();
}

void plugin_set_state(struct slot *s, enum plugin_state state)
{
    s->plugin.state = state;
    if (state == PLUGIN_FAILED || state == PLUGIN_QUARANTINED) return;      // plugin_fail tells, when the reason is there
    s->plugin.error = (struct fr_err){ 0 };
    switchings_tell(s);
}

void plugin_fail(struct slot *s, enum plugin_state state, const struct fr_err *why)
{
    struct fr_err kept = *why;
    plugin_set_state(s, state);                // before the workers go: their calls must not be told to try again
    s->plugin.error = kept;
    version_stop_and_tell(s->plugin.current, true, "its plugin failed");
    plugin_log_add(&s->plugin, "error", kept.text, NULL);
    fr_log_err(LOG_ERROR, state == PLUGIN_QUARANTINED ? "plugin.quarantined" : "plugin.failed", &s->plugin.error, "plugin", slot_id(s), NULL);
    switchings_tell(s);
}

void plugin_start(struct slot *s)
{
    struct fr_err err;
    plugin_set_state(s, PLUGIN_STARTING);
    s->plugin.current->state = VERSION_CURRENT;
    if (version_start(s->plugin.current, &err) != FR_OK) plugin_fail(s, PLUGIN_FAILED, &err);
}

// ---- packages into slots

void package_mark(const struct package *p, char out[MARK_BYTES])
{
    snprintf(out, MARK_BYTES, "%s/%s", p->sha256, p->page_sha256);
}

static void slot_free(struct slot *s)
{
    if (!s) return;
    watch_end(&s->watch);
    while (s->versions) {
        struct plugin_version *next = s->versions->next;
        version_free(s->versions);
        s->versions = next;
    }
    fr_free(s->plugin.rejected_frame);
    plugin_log_free(s->plugin.log);
    if (s->plugin.meter) meter_free(s->plugin.meter);
    fr_free(s->plugin.meter);
    fr_free(s);
}

enum fr_status slot_add(struct plugins *ps, struct package *fresh, struct slot **ret, struct fr_err *err)
{
    struct plugin_version *v;
    if (ps->count == PLUGINS_MAX) return FR_FAIL(err, FR_E_LIMIT, "%s: over %d plugins", fresh->folder, PLUGINS_MAX);
    struct slot *s = fr_alloc(sizeof *s);
    if (!s) return FR_FAIL(err, FR_E_NOMEM, "no memory for a plugin");
    s->plugin.all = ps;
    plugin_set_state(s, PLUGIN_DISABLED);
    enum fr_status st = plugin_log_new(&s->plugin.log, err);
    s->plugin.meter = fr_alloc(sizeof *s->plugin.meter);
    if (st == FR_OK && !s->plugin.meter) st = FR_FAIL(err, FR_E_NOMEM, "no memory for a plugin");
    if (st == FR_OK) meter_init(s->plugin.meter, plugin_cpu_percent(&ps->o, fresh->manifest), fr_mono_us());
    if (st == FR_OK) st = version_new(s, fresh, &v, err);
    if (st != FR_OK) {
        slot_free(s);
        return st;
    }
    version_serve(s, v);
    ps->slots[ps->count++] = s;
    *ret = s;
    return FR_OK;
}

struct plugin *plugins_find(struct plugins *ps, const char *id)
{
    for (int i = 0; i < ps->count; i++) if (strcmp(slot_id(ps->slots[i]), id) == 0) return &ps->slots[i]->plugin;
    return NULL;
}

struct plugin *plugins_next(struct plugins *ps, struct plugin *after)
{
    int at = 0;
    while (after && at < ps->count && &ps->slots[at]->plugin != after) at++;
    if (after) at++;
    return at < ps->count ? &ps->slots[at]->plugin : NULL;
}

// ---- opening

// What stands for a package that cannot be read: its folder's name, no functions, no code. So nobody has to ask whether there is one.
static enum fr_status package_stand_in(const char *folder, struct package **ret, struct fr_err *err)
{
    char id[PLUGIN_ID_BYTES_MAX + 1] = "", text[400];
    const char *name = strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder;
    size_t len = 0;
    for (; *name && len < PLUGIN_ID_BYTES_MAX; name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name;
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && len > 0);
        if (plain) id[len++] = c;
        else if (len > 0 && id[len - 1] != '-') id[len++] = '-';
    }
    while (len > 0 && id[len - 1] == '-') len--;
    id[len] = 0;
    snprintf(text, sizeof text, "{\"id\":\"%s\",\"name\":\"%s\",\"version\":\"0.0.0\",\"api\":\"" PLUGIN_API_VERSION "\",\"kind\":\"tool\"}", id, id);
    struct package *p = fr_alloc(sizeof *p);
    if (!p) return FR_FAIL(err, FR_E_NOMEM, "no memory for a package");
    snprintf(p->folder, sizeof p->folder, "%s", folder);
    enum fr_status st = manifest_parse(text, strlen(text), &p->manifest, err);
    if (st != FR_OK) {
        package_free(p);
        return st;
    }
    *ret = p;
    return FR_OK;
}

// What the registry knows of a package that was found, and what it says shall serve.
struct noted {
    struct plugins *ps;
    const struct package *found;               // NULL: it cannot be read
    const char *folder;
    struct registry_entry entry;
    struct registry_row row;                   // as it was before
    struct package *stored;                    // what was current before, when that is what shall serve
};

// What lies in the folder serves, unless it cannot be read, or somebody chose another version while it lay there already.
static enum fr_status note_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct noted *n = arg;
    FR_TRY(registry_read(txn, n->found ? n->entry.id : NULL, n->folder, &n->row, err));
    bool chosen = n->found && n->row.found && strcmp(n->row.mark, n->entry.mark) == 0 && strcmp(n->row.sha256, n->found->sha256) != 0;
    if (n->row.found && (chosen || !n->found)) {
        struct fr_err lost;
        if (registry_package(txn, n->row.sha256, n->row.page, &n->stored, &lost) == FR_OK) return FR_OK;
        fr_log_err(LOG_ERROR, "plugin.version_lost", &lost, "plugin", n->row.id, NULL);
    }
    if (!n->found) return FR_OK;
    if (!n->row.found) {
        n->entry.enabled = n->row.enabled = n->ps->o.trust_new;
        return registry_switch(txn, &n->entry, "found", err);
    }
    return registry_keep_code(txn, &n->entry, err);        // it is noted as current when it is up: see change_on_up
}

static enum fr_status note_in_registry(struct noted *n, struct fr_err *err)
{
    enum fr_status st = n->found ? registry_fill(&n->entry, n->found, err) : FR_OK;
    if (st == FR_OK && n->found) st = registry_fill_page(&n->entry, n->found, err);
    if (st == FR_OK) st = store_now(n->ps->o.store, note_job, n, err);
    registry_clear(&n->entry);
    return st;
}

static void slot_note(struct slot *s, const struct noted *n)
{
    const struct registry_row *row = &n->row;
    const struct package *p = s->plugin.package;
    snprintf(s->noted_sha, sizeof s->noted_sha, "%s", row->found ? row->sha256 : p->sha256);
    snprintf(s->noted_page, sizeof s->noted_page, "%s", row->found ? row->page : p->page_sha256);
    if (n->found) package_mark(n->found, s->folder_mark);
}

enum fr_status plugins_open_folder(struct plugins *ps, const char *folder, struct fr_err *err)
{
    struct fr_err why;
    struct slot *s = NULL;
    FR_AUTO(package) found = NULL;
    FR_AUTO(package) p = NULL;
    struct noted n = { .ps = ps, .folder = folder };
    bool broken = package_load(folder, &found, &why) != FR_OK;
    n.found = found;
    struct plugin *twin = found ? plugins_find(ps, found->manifest->id) : NULL;
    if (!twin) FR_TRY(note_in_registry(&n, err));
    if (!twin && broken && !n.stored && package_stand_in(folder, &p, NULL) != FR_OK) {
        fr_log_err(LOG_ERROR, "plugin.unreadable", &why, "folder", folder, NULL);
        return FR_OK;                          // not even a name: the log has to do
    }
    if (n.stored) {
        p = FR_TAKE(n.stored);
        snprintf(p->folder, sizeof p->folder, "%s", folder);
    }
    if (!twin && p) twin = plugins_find(ps, p->manifest->id);
    if (twin) {
        if (!broken) FR_FAIL(&why, FR_E_CONFLICT, "%s: the id \"%s\" is taken by %s", folder, twin->package->manifest->id, twin->package->folder);
        fr_log_err(LOG_ERROR, "plugin.unreadable", &why, "folder", folder, NULL);
        return FR_OK;
    }
    bool stand_in = broken && p && !*p->sha256;
    enum fr_status st = slot_add(ps, p ? p : found, &s, err);
    if (st != FR_OK) return st;
    snprintf(s->home, sizeof s->home, "%s", folder);
    slot_note(s, &n);
    if (p) p = NULL;                           // the slot owns it now
    else found = NULL;
    if (stand_in) {
        plugin_fail(s, PLUGIN_FAILED, &why);
        return FR_OK;
    }
    if (broken) change_note_rejected(s, &why, NULL, NULL);
    if (n.row.enabled) plugin_start(s);
    return FR_OK;
}

// By `plugin install`, from a folder that is nobody's: it lives from the store.
struct stored_open { const char *id; struct registry_row row; struct package *package; };
static enum fr_status stored_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct stored_open *o = arg;
    FR_TRY(registry_read(txn, o->id, NULL, &o->row, err));
    return o->row.found ? registry_package(txn, o->row.sha256, o->row.page, &o->package, err) : FR_OK;
}

static enum fr_status open_stored(struct plugins *ps, const char *id, struct fr_err *err)
{
    struct stored_open o = { .id = id };
    struct slot *s;
    struct fr_err why;
    if (plugins_find(ps, id)) return FR_OK;
    if (store_now(ps->o.store, stored_job, &o, &why) != FR_OK || !o.package) {
        fr_log_err(LOG_ERROR, "plugin.version_lost", &why, "plugin", id, NULL);
        return FR_OK;
    }
    enum fr_status st = slot_add(ps, o.package, &s, err);
    if (st != FR_OK) {
        package_free(o.package);
        return st;
    }
    snprintf(s->noted_sha, sizeof s->noted_sha, "%s", o.row.sha256);
    snprintf(s->noted_page, sizeof s->noted_page, "%s", o.row.page);
    if (o.row.enabled) plugin_start(s);
    return FR_OK;
}

struct installed { char ids[PLUGINS_MAX][PLUGIN_ID_BYTES_MAX + 1]; int count; };
static enum fr_status installed_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct installed *i = arg;
    return registry_installed(txn, i->ids, PLUGINS_MAX, &i->count, err);
}

static enum fr_status open_installed(struct plugins *ps, struct fr_err *err)
{
    struct installed i;
    FR_TRY(store_now(ps->o.store, installed_job, &i, err));
    for (int at = 0; at < i.count; at++) FR_TRY(open_stored(ps, i.ids[at], err));
    return FR_OK;
}

static int name_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

// Every folder below `folder` that has a plugin.json, by name: the order of starting does not depend on the disk.
static bool is_home(const struct plugins *ps, const char *folder)
{
    for (int i = 0; i < ps->count; i++) if (strcmp(ps->slots[i]->home, folder) == 0) return true;
    return false;
}

enum fr_status plugins_scan(struct plugins *ps, const char *folder, struct fr_err *err)
{
    struct dirent **found = NULL;
    int count = scandir(folder, &found, is_visible, name_order);
    if (count < 0) return FR_FAIL(err, FR_E_NOT_FOUND, "plugins from %s: %s", folder, errno == ENOENT ? "there is no such folder" : strerror(errno));
    enum fr_status st = FR_OK;
    for (int i = 0; i < count; i++) {
        char path[512], manifest[530];
        struct stat info;
        size_t len = (size_t)snprintf(path, sizeof path, "%s/%s", folder, found[i]->d_name);
        snprintf(manifest, sizeof manifest, "%s/plugin.json", path);
        if (st == FR_OK && len < sizeof path && lstat(manifest, &info) == 0 && !is_home(ps, path)) st = plugins_open_folder(ps, path, err);
        free(found[i]);
    }
    free(found);
    return st;
}

enum fr_status plugins_open(const struct plugins_options *o, struct plugins **ret, struct fr_err *err)
{
    assert(o->store && o->sandbox && o->on_ask);
    struct plugins *ps = fr_alloc(sizeof *ps);
    if (!ps) return FR_FAIL(err, FR_E_NOMEM, "no memory for the plugins");
    ps->o = *o;
    enum fr_status st = tidy_open(ps, err);
    if (st == FR_OK && o->folder_count > 0) {
        ps->folders = fr_alloc((size_t)o->folder_count * sizeof *ps->folders);
        if (!ps->folders) st = FR_FAIL(err, FR_E_NOMEM, "no memory for the plugins");
    }
    for (int i = 0; i < o->folder_count && st == FR_OK; i++) {
        snprintf(ps->folders[ps->folder_count++], sizeof *ps->folders, "%s", o->folders[i]);
        st = plugins_scan(ps, o->folders[i], err);
    }
    if (st == FR_OK) st = open_installed(ps, err);
    if (st != FR_OK) {
        plugins_close(ps);
        return st;
    }
    if (o->watch) watch_folders(ps);
    *ret = ps;
    return FR_OK;
}

// ---- a folder for this run

static enum fr_status keep_code_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    return registry_keep_code(txn, arg, err);
}

static void keep_code_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct registry_entry *e = arg;
    if (status != FR_OK) fr_log_err(LOG_ERROR, "plugin.code_not_kept", err, "plugin", e->id, NULL);
    fr_free(e->text);
    fr_free(e);
}

// Before any match can be played with it: jobs run in order.
static enum fr_status keep_code(struct plugins *ps, const struct package *p, struct fr_err *err)
{
    struct registry_entry *e = fr_alloc(sizeof *e);
    if (!e) return FR_FAIL(err, FR_E_NOMEM, "no memory for the package's code");
    enum fr_status st = registry_fill(e, p, err);
    if (st == FR_OK) st = store_run(ps->o.store, keep_code_job, e, keep_code_done, err);
    if (st == FR_OK) return FR_OK;
    fr_free(e->text);
    fr_free(e);
    return st;
}

enum fr_status plugins_add_folder(struct plugins *ps, const char *folder, struct plugin **ret, struct fr_err *err)
{
    FR_AUTO(package) p = NULL;
    struct plugin_version *v;
    if (ps->stopped) return FR_FAIL(err, FR_E_BUSY, "the host is stopping");
    FR_TRY(package_load(folder, &p, err));
    struct plugin *twin = plugins_find(ps, p->manifest->id);
    struct slot *s = twin ? slot_of(twin) : NULL;
    if (s && s->change) return FR_FAIL_CODE(err, FR_E_BUSY, "plugin_changing", "another version of %s is being taken at this moment", slot_id(s));
    FR_TRY(keep_code(ps, p, err));
    if (s) {
        FR_TRY(version_new(s, p, &v, err));
        version_serve(s, v);
    } else {
        FR_TRY(slot_add(ps, p, &s, err));
        s->for_this_run = true;
    }
    p = NULL;                                  // the slot owns it now
    snprintf(s->home, sizeof s->home, "%s", s->plugin.package->folder);
    plugin_start(s);
    *ret = &s->plugin;
    return FR_OK;
}

// ---- the end

void plugins_stop(struct plugins *ps)
{
    ps->stopped = true;
    tidy_close(ps);
    watch_end(&ps->watch);
    for (int i = 0; i < ps->count; i++) {
        struct slot *s = ps->slots[i];
        watch_end(&s->watch);
        plugin_set_state(s, PLUGIN_DISABLED);
        for (struct plugin_version *v = s->versions; v; v = v->next) {
            if (v->state == VERSION_TRIED) v->state = VERSION_OVER;
            version_stop(v);
        }
    }
    changes_orphan(ps);
}

void plugins_close(struct plugins *ps)
{
    if (!ps) return;
    plugins_stop(ps);
    switchings_orphan(ps);                     // the store will still call back
    for (int i = 0; i < ps->count; i++) slot_free(ps->slots[i]);
    fr_free(ps->folders);
    fr_free(ps);
}
