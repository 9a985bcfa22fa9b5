// engine_test.c — the supervision of the engine against engines that die, hang, grow, flood and lie. The test program plays the jail and the engine in it
// itself: how it behaves is the name of the server's file. The real jail and the real engine are tests/engine's.
#include "llm/engine.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ipc/jail.h"

// ---- the engine that is played --------------------------------------------------------------------------------------

static const char *how;
static bool plays(const char *name) { return strcmp(how, name) == 0; }

static void fake_say(int fd, const char *text)
{
    for (size_t len = strlen(text); len > 0; ) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n <= 0) return;
        text += n;
        len -= (size_t)n;
    }
}

static void fake_answer(int fd, int count)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{\"status\":\"ok\"}";
    if (plays("loads_for_ever") || (plays("loads") && count < 3)) fake_say(fd, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    else if (plays("lies")) fake_say(fd, count % 2 ? "HTTP/1.1 418 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" : "\x01\x02 what?\r\n\r\n");
    else if (plays("endless")) for (int i = 0; i < 1000; i++) fake_say(fd, i ? "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\n" : "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
    else fake_say(fd, ok);
}

static void *fake_flood(void *arg)
{
    static char line[4096];
    memset(line, '~', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    while (write(1, line, sizeof line) > 0) continue;
    return arg;
}

static void fake_grow(void)
{
    char *all = mmap(NULL, 512 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all != MAP_FAILED) memset(all, 1, 512 << 20);
}

static void fake_serve(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "llama.sock" };
    char request[4096];
    pthread_t t;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, 16) < 0) exit(9);
    if (plays("floods")) pthread_create(&t, NULL, fake_flood, NULL);
    for (int count = 0; ; count++) {
        int fd = accept(listener, NULL, NULL);
        if (plays("mute") || (plays("hangs") && access("hang", F_OK) == 0)) for (;;) pause();
        ssize_t n = recv(fd, request, sizeof request, 0);
        if (n > 0) fake_answer(fd, count);
        shutdown(fd, SHUT_RDWR);
        close(fd);
        if (plays("grows")) fake_grow();
    }
}

static int fake_engine(int argc, char **argv)
{
    const char *folder = "", *parent = "";
    int at = 1;
    for (; strcmp(argv[at], "--") != 0; at += 2) {
        if (strcmp(argv[at], "--folder") == 0) folder = argv[at + 1];
        if (strcmp(argv[at], "--parent") == 0) parent = argv[at + 1];
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != atoi(parent) || chdir(folder) < 0) return 8;
    how = strrchr(argv[at + 1], '/') + 1;
    for (int i = 0; i < argc; i++) printf("%s ", argv[i]);
    for (char **e = environ; *e; e++) printf("env:%s ", *e);
    puts("");
    fflush(stdout);
    if (plays("dies")) {
        fputs("something broke\n\x1b[31mreally\n", stderr);
        return 3;
    }
    if (plays("jail")) {
        fputs("frond-jail: Landlock: it is not there\n", stderr);
        return JAIL_EXIT_LOCKDOWN;
    }
    if (plays("aborts")) {
        signal(SIGTERM, SIG_DFL);
        raise(SIGTERM);
    }
    if (plays("leaves_its_output") && fork() == 0) {
        prctl(PR_SET_PDEATHSIG, 0);
        sleep(3);
        _exit(0);
    }
    if (plays("leaves_its_output")) _exit(4);
    fake_serve();
    return 0;
}

// ---- the world: a folder, a loop, an engine ------------------------------------------------------------------------------

static const struct llm_engine_times fast = { .look = 20, .watch = 20, .watch_early = 20, .health = 40, .answer = 2000, .unheard = 60000, .load = 60000, .again_min = 20, .again_max = 80, .steady = 60000 };

static char self[4096], home[64], server[200], model[200], progress[200], folder[400];
static uv_loop_t loop;
static uv_timer_t beat;
static struct net_client *client;
static struct llm_engine *engine;
static struct llm_engine_facts facts;
static enum llm_engine_state seen[64];
static int seen_count, things_to_stop;

static void on_beat(uv_timer_t *timer) { (void)timer; }
static void on_change(void *arg)
{
    (void)arg;
    llm_engine_facts(engine, &facts);
    if (seen_count < 64) seen[seen_count++] = facts.state;
}

static void put(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0);
    if (f) fclose(f);
    CHECK(chmod(path, mode) == 0);
}

static struct llm_engine_options begin(const char *name)
{
    struct fr_err err;
    snprintf(home, sizeof home, "/tmp/frond-engine-test-XXXXXX");
    CHECK(mkdtemp(home) != NULL);
    snprintf(server, sizeof server, "%s/%s", home, name);
    snprintf(model, sizeof model, "%s/model.gguf", home);
    snprintf(progress, sizeof progress, "%s/progress", home);
    snprintf(folder, sizeof folder, "%s/engine", home);
    put(server, "", 0755);
    put(model, "", 0644);
    seen_count = 0;
    CHECK(uv_loop_init(&loop) == 0);
    uv_timer_init(&loop, &beat);
    uv_timer_start(&beat, on_beat, 5, 5);
    CHECK(net_client_start(&(struct net_client_options){ .loop = &loop }, &client, &err) == FR_OK);
    return (struct llm_engine_options){ .loop = &loop, .client = client, .jail = self, .server = server, .model = model, .folder = folder, .progress = progress, .times = &fast, .memory_bytes = 400LL << 20, .on_change = on_change };
}

static void start(struct llm_engine_options o)
{
    struct fr_err err;
    CHECK(llm_engine_new(&o, &engine, &err) == FR_OK);
    llm_engine_facts(engine, &facts);
    CHECK(facts.state == ENGINE_ABSENT && facts.pid == 0 && facts.starts == 0 && strlen(llm_engine_key(engine)) == 32);
}

#define UNTIL(what) do { int64_t end_ = fr_mono_ms() + 60000; \
    do { uv_run(&loop, UV_RUN_ONCE); llm_engine_facts(engine, &facts); } while (!(what) && fr_mono_ms() < end_); CHECK(what); } while (0)

static void on_stopped(void *arg)
{
    (void)arg;
    things_to_stop--;
}

static void end(void)
{
    char command[100];
    int pid = facts.pid;
    things_to_stop = 1;
    llm_engine_stop(engine, on_stopped, NULL);
    CHECK(things_to_stop == 1);                  // never from inside
    while (things_to_stop) uv_run(&loop, UV_RUN_ONCE);
    CHECK(!pid || (kill(pid, 0) < 0 && errno == ESRCH));
    llm_engine_free(engine);
    things_to_stop = 1;
    net_client_stop(client, on_stopped, NULL);
    while (things_to_stop) uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&beat, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
    snprintf(command, sizeof command, "rm -rf %s", home);
    CHECK(system(command) == 0);
}

static bool said(const char *text)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 2 * ENGINE_SAID_BYTES);
    llm_engine_said(engine, &out);
    return out.data && strstr(out.data, text);
}

// ---- tests -------------------------------------------------------------------------------------------------------------

static void test_it_comes_up_and_is_told_how(void)
{
    char key[80], want[500];
    struct stat st;
    start(begin("loads"));
    UNTIL(facts.state == ENGINE_UP);
    CHECK(seen_count == 3 && seen[0] == ENGINE_STARTING && seen[1] == ENGINE_LOADING && seen[2] == ENGINE_UP);
    CHECK_TEXT(facts.code, "");
    CHECK_TEXT(facts.text, "");
    UNTIL(facts.rss_bytes > 0);
    CHECK(facts.pid > 0 && facts.starts == 1 && facts.said_bytes > 100);
    snprintf(want, sizeof want, "%s/llama.sock", folder);
    CHECK_TEXT(facts.socket, want);
    CHECK(stat(folder, &st) == 0 && (st.st_mode & 0777) == 0700);
    CHECK(said(" -m /proc/self/fd/3 --alias local --host llama.sock --offline ") && said(" -c 8192 -np 4 -t 1 -tb 1 "));
    snprintf(want, sizeof want, " --folder %s --read %s --env ", folder, model);
    CHECK(said(want));
    snprintf(key, sizeof key, "env:LLAMA_API_KEY=%s env:OMP_WAIT_POLICY=passive env:MALLOC_ARENA_MAX=4 \n", llm_engine_key(engine));
    CHECK(said(key));                            // and nothing else is in its environment
    snprintf(key, sizeof key, " %s", llm_engine_key(engine));
    CHECK(!said(key));                           // it is not on the command line, which anybody may read
    end();
}

static void test_absent_then_there(void)
{
    struct llm_engine_options o = begin("serves");
    unlink(server);
    put(progress, "building 120/206\nmore", 0644);
    start(o);
    UNTIL(strstr(facts.text, "building 120/206"));
    CHECK_TEXT(facts.code, "engine_absent");
    CHECK_TEXT(facts.progress, "building 120/206");
    CHECK(strstr(facts.text, server) && facts.state == ENGINE_ABSENT && facts.starts == 0);
    put(progress, "bad \x1b[31m", 0644);
    UNTIL(strcmp(facts.progress, "bad ?[31m") == 0);
    unlink(progress);
    unlink(model);
    put(server, "", 0755);
    UNTIL(strstr(facts.text, model) && !facts.progress[0]);
    put(model, "", 0644);
    UNTIL(facts.state == ENGINE_UP);
    CHECK_INT(facts.starts, 1);
    end();
}

static void test_one_that_dies_comes_again_more_and_more_slowly(void)
{
    start(begin("dies"));
    UNTIL(facts.state == ENGINE_DOWN);
    CHECK_TEXT(facts.code, "engine_died");
    CHECK_TEXT(facts.text, "it ended itself with exit code 3; it said last: ?[31mreally");
    CHECK(facts.pid == 0 && said("something broke\n"));
    for (int i = 0; i < 5; i++) {
        static const int pauses[] = { 20, 40, 80, 80, 80 };
        UNTIL(facts.starts == i + 1 && facts.state == ENGINE_DOWN);
        CHECK_INT(facts.pause_ms, pauses[i]);
    }
    UNTIL(facts.starts == 6);
    end();
}

static void test_after_a_steady_time_the_pause_is_short_again(void)
{
    static struct llm_engine_times times;
    struct llm_engine_options o = begin("serves");
    times = fast;
    times.steady = 50;
    o.times = &times;
    start(o);
    for (int i = 1; i <= 4; i++) {
        UNTIL(facts.state == ENGINE_UP && facts.starts == i);
        int64_t up_ms = fr_mono_ms();
        if (i > 2) UNTIL(fr_mono_ms() - up_ms > 100);
        kill(facts.pid, SIGKILL);
        UNTIL(facts.state == ENGINE_DOWN);
        if (i > 2) CHECK_INT(facts.pause_ms, 20);
        else CHECK(facts.pause_ms <= 20 * i);    // it was up for no time that we know
    }
    end();
}

static void test_a_jail_that_does_not_close(void)
{
    start(begin("jail"));
    UNTIL(facts.state == ENGINE_DOWN);
    CHECK_TEXT(facts.code, "engine_jail");
    CHECK_TEXT(facts.text, "frond-jail: Landlock: it is not there");
    end();
}

static void test_killed_from_outside_it_comes_again(void)
{
    start(begin("serves"));
    UNTIL(facts.state == ENGINE_UP);
    int first = facts.pid;
    kill(first, SIGKILL);
    UNTIL(facts.state == ENGINE_DOWN);
    CHECK_TEXT(facts.code, "engine_died");
    CHECK(strncmp(facts.text, "it was ended by signal 9", 24) == 0 && facts.pid == 0 && facts.rss_bytes == 0);
    UNTIL(facts.state == ENGINE_UP);
    CHECK(facts.pid != first && facts.starts == 2);
    end();
}

static void test_one_that_hangs_is_started_again(void)
{
    static struct llm_engine_times times;
    struct llm_engine_options o = begin("hangs");
    times = fast;
    times.answer = 50;
    o.times = &times;
    start(o);
    UNTIL(facts.state == ENGINE_UP);
    snprintf(progress, sizeof progress, "%s/hang", folder);
    put(progress, "", 0644);
    UNTIL(facts.state == ENGINE_DOWN);
    CHECK_TEXT(facts.code, "engine_hangs");
    CHECK_TEXT(facts.text, "it did not answer 3 times in a row");
    UNTIL(facts.starts == 2);
    end();
}

static void test_never_healthy(void)
{
    static struct llm_engine_times times;
    static const struct { const char *name, *text; } kinds[] = {
        { "mute", "it did not answer within 300 ms of its start" }, { "lies", "it did not answer within 300 ms of its start" }, { "endless", "it did not answer within 300 ms of its start" },
        { "loads_for_ever", "it did not read the model within 500 ms of its start" },
    };
    times = fast;
    times.unheard = 300;
    times.load = 500;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct llm_engine_options o = begin(kinds[i].name);
        if (i == 3) times.unheard = 60000;
        o.times = &times;
        start(o);
        UNTIL(facts.state == ENGINE_DOWN);
        CHECK_TEXT(facts.code, "engine_late");
        CHECK_TEXT(facts.text, kinds[i].text);
        UNTIL(facts.starts == 2);
        end();
    }
}

static void test_too_much_memory(void)
{
    start(begin("grows"));
    UNTIL(facts.state == ENGINE_DOWN);
    CHECK_TEXT(facts.code, "engine_memory");
    CHECK(strstr(facts.text, "over its 400"));
    UNTIL(facts.starts == 2);
    end();
}

static void test_a_flood_of_words_waits_for_us(void)
{
    start(begin("floods"));
    int64_t from_ms = fr_mono_ms();
    UNTIL(facts.state == ENGINE_UP && facts.said_bytes >= ENGINE_SAID_PER_SECOND);
    UNTIL(fr_mono_ms() - from_ms > 1500);
    UNTIL(facts.said_bytes > ENGINE_SAID_PER_SECOND);
    int64_t seconds = (fr_mono_ms() - from_ms) / 1000 + 2;
    CHECK(facts.said_bytes <= seconds * (ENGINE_SAID_PER_SECOND + 16 * 1024));
    CHECK(said("~~~~") && facts.state == ENGINE_UP);
    end();
}

static void test_its_last_words_may_never_end(void)
{
    start(begin("leaves_its_output"));
    UNTIL(facts.state == ENGINE_DOWN && facts.starts >= 1);
    CHECK(strncmp(facts.text, "it ended itself with exit code 4", 32) == 0);
    UNTIL(facts.starts == 2);
    end();
}

// As `make run` names them: what the process is given is whole, because it starts elsewhere.
static void test_relative_paths_are_from_where_the_host_was_started(void)
{
    char here[PATH_MAX], want[1000];
    struct llm_engine_options o = begin("serves");
    CHECK(getcwd(here, sizeof here) && chdir(home) == 0);
    o.server = "serves", o.model = "model.gguf", o.folder = "engine";
    start(o);
    UNTIL(facts.state == ENGINE_UP);
    snprintf(want, sizeof want, " --folder %s --read %s --env ", folder, model);
    CHECK(said(want));
    end();
    CHECK(chdir(here) == 0);
}

static void test_a_path_too_long_for_a_socket(void)
{
    struct llm_engine_options o = begin("serves");
    static char deep[400];
    size_t len = (size_t)snprintf(deep, sizeof deep, "%s/", home);
    memset(deep + len, 'd', 150);
    o.folder = deep;
    start(o);
    CHECK_TEXT(facts.socket, "");
    UNTIL(facts.state == ENGINE_UP);
    CHECK(strncmp(facts.socket, "/proc/", 6) == 0 && strlen(facts.socket) <= 100);
    kill(facts.pid, SIGKILL);
    UNTIL(facts.starts == 2 && facts.state == ENGINE_UP);
    end();
}

static void test_a_folder_that_is_none(void)
{
    struct llm_engine_options o = begin("serves");
    CHECK(symlink("/tmp", folder) == 0);
    start(o);
    UNTIL(facts.state == ENGINE_DOWN);
    CHECK_TEXT(facts.code, "engine_folder");
    CHECK(strstr(facts.text, folder) && facts.starts == 0);
    unlink(folder);
    UNTIL(facts.state == ENGINE_UP);
    end();
}

static void test_no_process(void)
{
    struct llm_engine_options o = begin("serves");
    o.jail = model;                              // it may be read, not run
    start(o);
    UNTIL(strstr(facts.text, "the jail"));
    CHECK(facts.state == ENGINE_ABSENT);
    put(model, "#!/nonexistent\n", 0755);
    UNTIL(facts.state == ENGINE_DOWN);
    CHECK_TEXT(facts.code, "engine_start");
    CHECK(strstr(facts.text, "no such file") && facts.starts == 0 && facts.pid == 0);
    end();
}

// A stop at every step: while it is looked for, just started, loading, up, down; done comes once, and no process is left.
static void test_stopped_at_any_time(void)
{
    static const char *const names[] = { "serves", "loads_for_ever", "mute", "dies", "floods", "hangs" };
    for (int i = 0; i < 6; i++) {
        for (int turns = 0; turns < 40; turns = turns * 2 + 1) {
            start(begin(names[i]));
            for (int t = 0; t < turns; t++) uv_run(&loop, UV_RUN_ONCE);
            llm_engine_facts(engine, &facts);
            end();
        }
    }
}

static void test_numbers_that_make_no_sense(void)
{
    struct fr_err err;
    struct llm_engine_options o = { .loop = &loop }, bad[] = { o, o, o, o, o };
    bad[0].slots = ENGINE_SLOTS_MAX + 1;
    bad[1].threads = -1;
    bad[2].context_tokens = ENGINE_CONTEXT_TOKENS_MAX + 1;
    bad[3].memory_bytes = 1000;
    bad[4].context_tokens = 3;
    for (int i = 0; i < 5; i++) {
        CHECK(llm_engine_new(&bad[i], &engine, &err) == FR_E_INVALID);
        CHECK_TEXT(err.code, "engine_options");
    }
}

static int nothing_stops;
static void on_nothing(void *arg) { (void)arg; nothing_stops++; }
static void test_no_engine_at_all(void)
{
    llm_engine_stop(NULL, on_nothing, NULL);
    llm_engine_free(NULL);
    CHECK_INT(nothing_stops, 1);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--parent") == 0) return fake_engine(argc, argv);
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0) return 1;
    TEST(test_it_comes_up_and_is_told_how);
    TEST(test_absent_then_there);
    TEST(test_one_that_dies_comes_again_more_and_more_slowly);
    TEST(test_after_a_steady_time_the_pause_is_short_again);
    TEST(test_a_jail_that_does_not_close);
    TEST(test_killed_from_outside_it_comes_again);
    TEST(test_one_that_hangs_is_started_again);
    TEST(test_never_healthy);
    TEST(test_too_much_memory);
    TEST(test_a_flood_of_words_waits_for_us);
    TEST(test_its_last_words_may_never_end);
    TEST(test_a_path_too_long_for_a_socket);
    TEST(test_relative_paths_are_from_where_the_host_was_started);
    TEST(test_a_folder_that_is_none);
    TEST(test_no_process);
    TEST(test_stopped_at_any_time);
    TEST(test_numbers_that_make_no_sense);
    TEST(test_no_engine_at_all);
    return TEST_END();
}
