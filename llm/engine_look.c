// engine_look.c — what has to be there before the engine is started: program, model, and a folder for its socket without the socket of the one before.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "llm/engine_inside.h"

static bool file_is_there(struct engine_look *l, const char *path, int how, const char *what)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, how) == 0) return true;
    snprintf(l->text, sizeof l->text, "%s %.200s is not there", what, path);
    return false;
}

static void read_progress(struct engine_look *l, const char *path)
{
    char bytes[ENGINE_PROGRESS_BYTES_MAX + 1];
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes - 1);
    if (fd >= 0) close(fd);
    size_t len = 0;
    for (ssize_t i = 0; i < n && bytes[i] != '\n'; i++) l->progress[len++] = bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '?';
    l->progress[len] = 0;
}

static bool folder_failed(struct engine_look *l, const char *folder)
{
    snprintf(l->text, sizeof l->text, "the engine's folder %.180s: %s", folder, strerror(errno));
    l->failed = true;
    return false;
}

// Nobody but us may get at what the socket is called: a folder of somebody else's is refused. As root it may be that of the engine's last user.
static bool prepare_folder(struct engine_look *l, const char *folder)
{
    char path[ENGINE_PATH_BYTES];
    struct stat st;
    if (mkdir(folder, 0700) < 0 && errno != EEXIST) return folder_failed(l, folder);
    if (lstat(folder, &st) < 0) return folder_failed(l, folder);
    errno = ENOTDIR;
    if (!S_ISDIR(st.st_mode)) return folder_failed(l, folder);
    errno = EPERM;
    if (geteuid() != 0 && st.st_uid != geteuid()) return folder_failed(l, folder);
    errno = ENAMETOOLONG;
    if ((size_t)snprintf(path, sizeof path, "%s/" ENGINE_SOCKET, folder) >= sizeof path) return folder_failed(l, folder);
    if (unlink(path) < 0 && errno != ENOENT) return folder_failed(l, folder);
    if (strlen(path) < sizeof l->e->socket) return true;
    l->folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return l->folder_fd >= 0 || folder_failed(l, folder);
}

void engine_look_run(uv_work_t *work)
{
    struct engine_look *l = work->data;
    const struct llm_engine_options *o = &l->e->o;
    l->failed = false;
    l->text[0] = l->progress[0] = 0;
    l->there = file_is_there(l, o->jail, X_OK, "the jail") && file_is_there(l, o->server, X_OK, "the engine") && file_is_there(l, o->model, R_OK, "the model");
    if (!l->there) read_progress(l, o->progress);
    else l->there = prepare_folder(l, o->folder);
}

bool engine_resident(int pid, int64_t *ret_bytes)
{
    char path[40], text[128];
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (n <= 0) return false;
    text[n] = 0;
    char *second = strchr(text, ' ');
    *ret_bytes = second ? strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
    return true;
}
