// test.h — a data folder for one test, and a loop to run jobs on. For the tests of this folder and of ledger/.
#pragma once
#include <assert.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/check.h"
#include "store/store.h"

static char test_folder[256];

static int test_remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st; (void)kind; (void)ftw;
    return remove(path);
}

static inline void test_folder_drop(void)
{
    if (test_folder[0]) nftw(test_folder, test_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    test_folder[0] = 0;
}

// A fresh empty folder; the data folder is test_path("data").
static inline void test_folder_new(void)
{
    test_folder_drop();
    const char *tmp = getenv("TMPDIR");
    snprintf(test_folder, sizeof test_folder, "%s/frond-test-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(test_folder)) abort();
}

static inline const char *test_path(const char *name)
{
    static char paths[4][600];
    static int at;
    char *path = paths[at++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder, name);
    return path;
}

static inline struct store *test_open(uv_loop_t *loop)
{
    struct store_options options = { .folder = test_path("data"), .loop = loop };
    struct store *s = NULL;
    struct fr_err err;
    if (store_open(&options, &s, &err) != FR_OK) {
        printf("  cannot open the store: %s (%s)\n", err.text, err.code);
        exit(1);
    }
    return s;
}

static inline void test_close(struct store *s, uv_loop_t *loop)
{
    store_close(s);
    if (loop) uv_run(loop, UV_RUN_DEFAULT);        // libuv lets go of the store's handles
}

// For tests whose clock is their own: one of its steps gives the store's threads up to a millisecond, as long as they have something to do. The store's time is the real one, so where
// a slow disk or a busy machine lets it fall several steps behind, the clock waits until nothing is left to do. `loop` may have nothing else that is active.
#define TEST_STEPS_BEHIND 5
static inline void test_store_step(struct store *s, uv_loop_t *loop)
{
    static int behind;
    behind = store_stats(s).queued > 0 ? behind + 1 : 0;
    if (behind < TEST_STEPS_BEHIND) {
        // An idle store needs no time: walks are tens of thousands of steps, and most have nothing for it.
        struct pollfd told = { .fd = uv_backend_fd(loop), .events = POLLIN };
        if (uv_loop_alive(loop)) poll(&told, 1, 1);
        return;
    }
    uv_run(loop, UV_RUN_DEFAULT);
    behind = 0;
}
