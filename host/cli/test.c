// test.c — `plugin test`: the folder's *_test.lua with lua5.4, then what `plugin check` does. The tests are the author's own code and run
// with the author's rights, outside the sandbox: only there do they have print and os.exit.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/check.h"

#define TEST_MS 120000                     // of one file
#define TEST_OUTPUT_BYTES_MAX (256 * 1024)
#define LUA_PROGRAM "lua5.4"

struct run { struct fr_buf output; int status; bool late; };

// ---- one program

static void child(const char *folder, const char *file, const char *lua_path, int out)
{
    dup2(out, 1);
    dup2(out, 2);
    if (chdir(folder) != 0) _exit(126);
    setenv("LUA_PATH", lua_path, 1);
    unsetenv("LUA_INIT");
    setpgid(0, 0);
    execlp(LUA_PROGRAM, LUA_PROGRAM, file, (char *)NULL);
    _exit(127);
}

static void read_output(int fd, struct run *r, int64_t end_ms)
{
    for (;;) {
        int64_t left = end_ms - fr_mono_ms();
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) { r->late = true; return; }
        char bytes[4096];
        ssize_t len = read(fd, bytes, sizeof bytes);
        if (len < 0 && errno == EINTR) continue;
        if (len <= 0) return;
        fr_buf_add_bytes(&r->output, bytes, (size_t)len);           // past the bound it is only read
    }
}

static enum fr_status run_file(const char *folder, const char *file, const char *lua_path, struct run *r, struct fr_err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return FR_FAIL(err, FR_E_IO, "cannot make a pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) child(folder, file, lua_path, ends[1]);
    close(ends[1]);
    FR_AUTO_FD int fd = ends[0];
    if (pid < 0) return FR_FAIL(err, FR_E_IO, "cannot start " LUA_PROGRAM ": %s", strerror(errno));
    read_output(fd, r, fr_mono_ms() + TEST_MS);
    if (r->late) kill(-pid, SIGKILL);
    while (waitpid(pid, &r->status, 0) < 0 && errno == EINTR) {}
    if (WIFEXITED(r->status) && WEXITSTATUS(r->status) == 127)
        return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "lua_missing", "the tests need " LUA_PROGRAM ", which is not on the PATH: apt-get install lua5.4");
    return FR_OK;
}

// ---- what it said

static void count_lines(const char *text, int *passed, int *failed)
{
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        if (strncmp(text, "ok ", 3) == 0) ++*passed;
        if (strncmp(text, "not ok ", 7) == 0) ++*failed;
    }
}

static void judge(struct check *k, const char *file, const struct run *r)
{
    int passed = 0, failed = 0;
    const char *text = r->output.data ? r->output.data : "";
    count_lines(text, &passed, &failed);
    size_t len = strlen(text), from = len > 8000 ? len - 8000 : 0;
    if (r->late) check_problem(k, text + from, "%s did not end within %d s", file, TEST_MS / 1000);
    else if (WIFSIGNALED(r->status)) check_problem(k, text + from, "%s was ended by signal %d", file, WTERMSIG(r->status));
    else if (failed > 0) check_problem(k, text + from, "%s: %d passed, %d failed", file, passed, failed);
    else if (r->status != 0) check_problem(k, text + from, "%s left with exit code %d", file, WEXITSTATUS(r->status));
    else if (passed == 0) check_problem(k, text + from, "%s says nothing: a test prints \"ok NAME\" or \"not ok NAME\"", file);
    else check_done(k, "%s: %d passed", file, passed);
}

// ---- a place where `require "duel.rules"` finds duel's rules.lua, whatever its folder is called

struct place { char folder[CLI_PATH_BYTES], link[CLI_PATH_BYTES + 64], lua_path[CLI_PATH_BYTES + 64]; };

static enum fr_status place_make(struct place *p, const char *folder, const char *id, struct fr_err *err)
{
    FR_TRY(folder_temporary(p->folder, err));
    snprintf(p->link, sizeof p->link, "%s/%s", p->folder, id);
    snprintf(p->lua_path, sizeof p->lua_path, "./?.lua;%s/?.lua;;", p->folder);
    if (symlink(folder, p->link) == 0) return FR_OK;
    folder_remove(p->folder);
    return FR_FAIL(err, FR_E_IO, "cannot make %s: %s", p->link, strerror(errno));
}

static int is_test(const struct dirent *e)
{
    size_t len = strlen(e->d_name);
    return e->d_name[0] != '.' && len > 9 && strcmp(e->d_name + len - 9, "_test.lua") == 0;
}
static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static enum fr_status run_files(struct check *k, const char *folder, const struct place *p, struct fr_err *err)
{
    struct dirent **list = NULL;
    int count = scandir(folder, &list, is_test, by_name);
    enum fr_status st = count < 0 ? FR_FAIL(err, FR_E_IO, "cannot read %.300s: %s", folder, strerror(errno)) : FR_OK;
    if (count == 0) check_problem(k, NULL, "there is no *_test.lua: rules that nothing tests will be tested by players");
    for (int i = 0; i < count; i++) {
        struct run r = { 0 };
        fr_buf_init(&r.output, TEST_OUTPUT_BYTES_MAX);
        if (st == FR_OK) st = run_file(folder, list[i]->d_name, p->lua_path, &r, err);
        if (st == FR_OK) judge(k, list[i]->d_name, &r);
        fr_buf_free(&r.output);
        free(list[i]);
    }
    free(list);
    return st;
}

static enum fr_status run_tests(struct check *k, const char *dir, struct fr_err *err)
{
    struct place p;
    char folder[PATH_MAX];
    if (!realpath(dir, folder)) return FR_FAIL(err, FR_E_IO, "cannot find %.300s: %s", dir, strerror(errno));
    FR_TRY(place_make(&p, folder, k->package ? k->package->manifest->id : "plugin", err));
    enum fr_status st = run_files(k, folder, &p, err);
    folder_remove(p.folder);
    return st;
}

enum fr_status run_plugin_test(struct cli *c, struct fr_err *err)
{
    struct check k;
    struct fr_err ignored;
    const char *dir = cli_arg(c, "dir");
    enum fr_status st = check_folder(&k, dir, CHECK_MATCHES_DEFAULT, err);
    if (st == FR_OK) st = run_tests(&k, dir, err);
    if (st == FR_OK) return check_end(&k, dir, &c->out, err);
    FR_IGNORE(check_end(&k, dir, &c->out, &ignored));      // frees; the error says what kept us from testing
    fr_buf_clear(&c->out);
    return st;
}
