// watch.c — under --dev a saved file is a new version: each folder of a package is watched (the kernel tells of the entries of one
// folder, not of those below), and so are the folders that hold packages. What changed does not matter: the package is read again.
#include "plugin/internal.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/log.h"
#include "base/mem.h"

#define WATCH_DEPTH_MAX 8

struct watched { uv_fs_event_t event; struct watched *next; };        // in memory of its own: libuv lets go of it after us
struct quiet { uv_timer_t timer; struct watch *watch; };
struct watch {
    struct plugins *ps;
    struct slot *slot;                         // NULL: the folders that hold packages
    struct watched *folders; int count;
    struct quiet *quiet;                       // started anew by each event: an editor saves in several steps
};

static void watched_on_closed(uv_handle_t *handle) { fr_free(handle); }
static void quiet_on_closed(uv_handle_t *handle) { fr_free(handle->data); }

static void watch_clear(struct watch *w)
{
    while (w->folders) {
        struct watched *next = w->folders->next;
        uv_close((uv_handle_t *)&w->folders->event, watched_on_closed);
        w->folders = next;
    }
    w->count = 0;
}

void watch_end(struct watch **watch)
{
    struct watch *w = FR_TAKE(*watch);
    if (!w) return;
    watch_clear(w);
    if (w->quiet) uv_close((uv_handle_t *)&w->quiet->timer, quiet_on_closed);
    fr_free(w);
}

static struct watch *watch_new(struct plugins *ps, struct slot *s)
{
    struct watch *w = fr_alloc(sizeof *w);
    if (w) w->quiet = fr_alloc(sizeof *w->quiet);
    if (!w || !w->quiet) {
        fr_free(w);
        return NULL;                           // without memory a save is not seen
    }
    w->ps = ps;
    w->slot = s;
    w->quiet->watch = w;
    uv_timer_init(ps->o.loop, &w->quiet->timer);
    w->quiet->timer.data = w->quiet;
    uv_unref((uv_handle_t *)&w->quiet->timer);
    return w;
}

static void on_quiet(uv_timer_t *timer)
{
    struct watch *w = ((struct quiet *)timer->data)->watch;
    struct fr_err err;
    if (w->slot) {
        struct slot *s = w->slot;
        watch_slot(s);                         // folders may have come: watched first, then read
        change_reload(s);
        return;
    }
    struct plugins *ps = w->ps;
    for (int i = 0; i < ps->folder_count; i++)
        if (plugins_scan(ps, ps->folders[i], &err) != FR_OK) fr_log_err(LOG_WARN, "plugin.scan_failed", &err, NULL);
    watch_folders(ps);
}

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct watch *w = event->data;
    (void)name; (void)events; (void)status;
    uv_timer_start(&w->quiet->timer, on_quiet, RELOAD_QUIET_MS, 0);
}

static void watch_add(struct watch *w, const char *path)
{
    if (w->count == WATCHED_FOLDERS_MAX) return;
    struct watched *made = fr_alloc(sizeof *made);
    if (!made) return;
    uv_fs_event_init(w->ps->o.loop, &made->event);
    made->event.data = w;
    int failed = uv_fs_event_start(&made->event, on_event, path, 0);
    if (failed) {
        fr_log(LOG_WARN, "plugin.not_watched", "folder", path, "text", uv_strerror(failed), NULL);
        uv_close((uv_handle_t *)&made->event, watched_on_closed);
        return;
    }
    uv_unref((uv_handle_t *)&made->event);
    made->next = w->folders;
    w->folders = made;
    w->count++;
}

static void watch_below(struct watch *w, const char *folder, int depth)
{
    watch_add(w, folder);
    DIR *dir = depth < WATCH_DEPTH_MAX ? opendir(folder) : NULL;
    for (struct dirent *e; dir && (e = readdir(dir)); ) {
        char path[600];
        struct stat st;
        if (e->d_name[0] == '.' || (size_t)snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= sizeof path) continue;
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode)) watch_below(w, path, depth + 1);
    }
    if (dir) closedir(dir);
}

void watch_slot(struct slot *s)
{
    if (s->for_this_run || !*s->home || s->plugin.all->stopped) return;
    if (!s->watch) s->watch = watch_new(s->plugin.all, s);
    if (!s->watch) return;
    watch_clear(s->watch);
    watch_below(s->watch, s->home, 0);
}

void watch_folders(struct plugins *ps)
{
    if (!ps->watch) ps->watch = watch_new(ps, NULL);
    for (int i = 0; ps->watch && ps->watch->count == 0 && i < ps->folder_count; i++) watch_add(ps->watch, ps->folders[i]);
    for (int i = 0; i < ps->count; i++)
        if (!ps->slots[i]->watch) watch_slot(ps->slots[i]);
}
