// sandbox_test.c — a worker that was taken over can do nothing but die. The workers here are this program itself, speaking raw
// frames (fake_worker.h); the real one is proven in lockdown_test.c and tests/attack.
#include "sandbox/sandbox.h"
#include <sys/wait.h>
#include "base/check.h"
#include "base/mem.h"
#include "sandbox/fake_worker.h"
#include "sandbox/internal.h"

#define PATIENCE_MS 30000

struct scene {
    uv_loop_t loop;
    struct sandbox *sb;
    struct sandbox_worker *w;
    int ups, downs, load_failed, asks, answers, blamed, stopped, streamed, streamed_after;
    bool answer_asks, out_of_patience;
    char definition[200], death[40], death_text[220], last_code[40], last_payload[64], last_ask[32];
    enum fr_status last_status;
    enum frame_status last_outcome;
    int64_t crashes;
    uint32_t ask_call, ask_no, ask_generation;
};

static void scene_on_up(void *arg, struct sandbox_worker *w, const char *definition)
{
    struct scene *s = arg;
    (void)w;
    s->ups++;
    snprintf(s->definition, sizeof s->definition, "%s", definition);
}

static void scene_on_down(void *arg, struct sandbox_worker *w, const struct sandbox_death *death)
{
    struct scene *s = arg;
    (void)w;
    s->downs++;
    s->crashes = death->crashes_last_minute;
    snprintf(s->death, sizeof s->death, "%s", death->code);
    snprintf(s->death_text, sizeof s->death_text, "%s", death->text);
}

static void scene_on_load_failed(void *arg, struct sandbox_worker *w, const char *error)
{
    struct scene *s = arg;
    (void)w;
    s->load_failed++;
    snprintf(s->definition, sizeof s->definition, "%s", error);
}

static void scene_on_ask(void *arg, struct sandbox_worker *w, const struct sandbox_ask *ask)
{
    struct scene *s = arg;
    s->asks++;
    s->ask_call = ask->call_id;
    s->ask_no = ask->ask_no;
    s->ask_generation = sandbox_generation(w);
    snprintf(s->last_ask, sizeof s->last_ask, "%.*s", (int)ask->args_len, ask->args);
    if (s->answer_asks) sandbox_answer(w, s->ask_generation, ask->call_id, ask->ask_no, FRAME_OK, "2", 1);
}

static void scene_on_stream(void *arg, struct sandbox_worker *w, void *call_arg, const char *text, size_t len)
{
    struct scene *s = arg;
    (void)w, (void)text;
    CHECK(call_arg == arg);                              // what the invoke was given
    if (s->answers > 0) s->streamed_after++;
    s->streamed += (int)len;
}

static void scene_on_done(void *arg, const struct sandbox_result *r)
{
    struct scene *s = arg;
    s->answers++;
    s->blamed += r->blamed;
    s->last_status = r->status;
    s->last_outcome = r->outcome;
    snprintf(s->last_code, sizeof s->last_code, "%s", r->status == FR_OK ? "" : r->err.code);
    snprintf(s->last_payload, sizeof s->last_payload, "%.*s", r->frame ? (int)r->frame->len : 0, r->frame ? r->frame->payload : "");
}

static void scene_on_patience(uv_timer_t *timer)
{
    ((struct scene *)timer->data)->out_of_patience = true;
}

// Turns the loop until *count reaches most, or for `ms` when count is NULL.
static void scene_run(struct scene *s, const int *count, int most, int ms)
{
    uv_timer_t timer;
    s->out_of_patience = false;
    uv_timer_init(&s->loop, &timer);
    timer.data = s;
    uv_timer_start(&timer, scene_on_patience, (uint64_t)(count ? PATIENCE_MS : ms), 0);
    while (!s->out_of_patience && (!count || *count < most)) uv_run(&s->loop, UV_RUN_ONCE);
    if (count && *count < most) printf("  out of patience: %d of %d\n", *count, most);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

static void scene_on_stopped(void *arg)
{
    ((struct scene *)arg)->stopped++;
}

static struct sandbox_account scene_account;

static void scene_start(struct scene *s, const char *plan, int64_t heap_bytes, int spares)
{
    struct fr_err err;
    char options[100];
    *s = (struct scene){ .death = "" };
    uv_loop_init(&s->loop);
    CHECK(sandbox_new(&s->loop, "/proc/self/exe", spares, &s->sb, &err) == FR_OK);
    snprintf(options, sizeof options, "{\"plugin\":\"%s\"}", plan);
    struct sandbox_file file = { "main.lua", "return 1", 8 };
    struct sandbox_spec spec = { .name = plan, .version = "1.0.0", .options_json = options, .files = &file, .file_count = 1, .heap_bytes = heap_bytes, .arg = s,
                                 .on_up = scene_on_up, .on_down = scene_on_down, .on_load_failed = scene_on_load_failed, .on_ask = scene_on_ask, .on_stream = scene_on_stream, .account = &scene_account };
    scene_account = (struct sandbox_account){ 0 };
    CHECK(sandbox_worker_start(s->sb, &spec, &s->w, &err) == FR_OK);
}

static void scene_open(struct scene *s, const char *plan)
{
    scene_start(s, plan, WORKER_HEAP_BYTES_DEFAULT, 0);
    scene_run(s, &s->ups, 1, 0);
}

static enum fr_status scene_invoke(struct scene *s, enum frame_kind kind, int wall_ms)
{
    struct fr_err err;
    struct sandbox_section parts[] = { { "call:x", 6 }, { "{}", 2 }, { "{}", 2 } };
    return sandbox_invoke(s->w, kind, 3, parts, 3, wall_ms, scene_on_done, s, NULL, &err);
}

static void scene_close(struct scene *s)
{
    sandbox_stop(s->sb, scene_on_stopped, s);
    CHECK_INT(s->stopped, 0);                 // never from inside
    uv_run(&s->loop, UV_RUN_DEFAULT);
    CHECK_INT(s->stopped, 1);
    CHECK_INT(uv_loop_close(&s->loop), 0);    // no handle was left behind
}

// Rows that mostly wait run beside one another, each in a process of its own.
static void rows_at_once(int count, void (*row)(int))
{
    fflush(stdout);
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid != 0) continue;
        check_bad_ = 0;
        row(i);
        exit(check_bad_ != 0);       // exit, so that the leak checker has its say
    }
    for (int status; wait(&status) > 0;) CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_a_call_is_answered_and_measured(void)
{
    struct scene s;
    scene_open(&s, "echo");
    CHECK_TEXT(s.definition, "{\"calls\":[]}");
    CHECK(scene_invoke(&s, FRAME_CALL, 5000) == FR_OK);
    CHECK_INT(s.answers, 0);                  // never from inside
    scene_run(&s, &s.answers, 1, 0);
    CHECK(s.last_status == FR_OK && s.last_outcome == FRAME_OK);
    CHECK_TEXT(s.last_payload, "\"echo\"");
    CHECK(scene_invoke(&s, FRAME_MATCH_TURN, 0) == FR_OK);
    scene_run(&s, &s.answers, 2, 0);
    struct sandbox_stats stats = sandbox_worker_stats(s.w);
    CHECK(stats.up && stats.pid > 0 && stats.calls == 2 && stats.open == 0 && stats.rss_bytes > 0 && stats.bytes_in > 0 && stats.bytes_out > 0 && stats.restarts == 0);
    scene_close(&s);
    CHECK_INT(s.downs, 0);                    // stopping is no death
}

static void test_the_table_of_calls_is_bounded_and_reused(void)
{
    struct scene s;
    scene_open(&s, "echo");
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < CALLS_PER_WORKER_MAX; i++) CHECK(scene_invoke(&s, FRAME_CALL, 5000) == FR_OK);
        CHECK(scene_invoke(&s, FRAME_CALL, 5000) == FR_E_BUSY);      // one step past the bound
        scene_run(&s, &s.answers, round * CALLS_PER_WORKER_MAX, 0);
    }
    CHECK_INT(s.answers, 3 * CALLS_PER_WORKER_MAX);
    static char big[FRAME_BYTES_MAX];
    struct sandbox_section part = { big, sizeof big };
    struct fr_err err;
    CHECK(sandbox_invoke(s.w, FRAME_CALL, 0, &part, 1, 0, scene_on_done, &s, NULL, &err) == FR_E_LIMIT);
    part.len = FRAME_BYTES_MAX - 4;
    enum fr_status status = FR_OK;
    int sent = 0;
    for (; sent < 100 && status == FR_OK; sent++) status = sandbox_invoke(s.w, FRAME_CALL, 0, &part, 1, 0, scene_on_done, &s, NULL, &err);
    CHECK(status == FR_E_BUSY && sent < 12);                         // the outbox is bounded
    scene_run(&s, &s.answers, 3 * CALLS_PER_WORKER_MAX + sent - 1, 0);
    scene_close(&s);
}

static const struct { const char *plan, *death, *code; enum frame_kind kind; } misbehaviours[] = {
    { "forged_result", "protocol", "protocol", FRAME_CALL },
    { "id_zero", "protocol", "protocol", FRAME_CALL },
    { "forged_ask", "protocol", "protocol", FRAME_CALL },
    { "wrong_kind", "protocol", "protocol", FRAME_CALL },
    { "wrong_kind", "protocol", "protocol", FRAME_MATCH_TURN },
    { "ask_in_match", "protocol", "protocol", FRAME_MATCH_TURN },
    { "forged_stream", "protocol", "protocol", FRAME_CALL },
    { "stream_in_match", "protocol", "protocol", FRAME_MATCH_TURN },
    { "stream_huge", "protocol", "protocol", FRAME_CALL },
    { "ready_twice", "protocol", "protocol", FRAME_CALL },
    { "loaded_twice", "protocol", "protocol", FRAME_CALL },
    { "plays_host", "protocol", "protocol", FRAME_CALL },
    { "bad_status", "protocol", "protocol", FRAME_CALL },
    { "half_header", "protocol", "protocol", FRAME_CALL },
    { "half_payload", "protocol", "protocol", FRAME_CALL },
    { "huge", "protocol", "protocol", FRAME_CALL },
    { "many_asks", "protocol", "protocol", FRAME_CALL },
    { "flood_forever", "protocol", "protocol", FRAME_CALL },
    { "close", "protocol", "protocol", FRAME_CALL },
    { "exit", "crashed", "crashed", FRAME_CALL },
    { "segv", "crashed", "crashed", FRAME_CALL },
    { "sigsys", "forbidden_call", "forbidden_call", FRAME_CALL },
    { "cpu_exit", "cpu_limit", "cpu_limit", FRAME_CALL },
    { "memory_exit", "memory_limit", "memory_limit", FRAME_CALL },
    { "silent", "stalled", "stalled", FRAME_CALL },
    { "silent", "stalled", "stalled", FRAME_MATCH_BOT },
    { "stopped", "stalled", "stalled", FRAME_CALL },
    { "spin", "cpu_limit", "cpu_limit", FRAME_CALL },
    { "spin_on_page", "cpu_limit", "cpu_limit", FRAME_MATCH_TURN },
    { "spin_turns", "cpu_limit", "cpu_limit", FRAME_CALL },          // the page may lie
    { "spin_logs", "cpu_limit", "cpu_limit", FRAME_CALL },           // a log line is no progress
    { "spin_streams", "cpu_limit", "cpu_limit", FRAME_CALL },        // nor is a word
};

// One CALL (or turn) to a worker that does `plan`: it must be ended as `death`, the caller told once, and restarted.
static void misbehaviour_row(int i)
{
    struct scene s;
    scene_open(&s, misbehaviours[i].plan);
    uint32_t generation = sandbox_generation(s.w);
    CHECK(scene_invoke(&s, misbehaviours[i].kind, 0) == FR_OK);
    scene_run(&s, &s.downs, 1, 0);
    CHECK_TEXT(s.death, misbehaviours[i].death);
    CHECK_INT(s.answers, 1);
    CHECK_INT(s.blamed, 1);
    CHECK_TEXT(s.last_code, misbehaviours[i].code);
    CHECK_INT(s.crashes, 1);
    CHECK(s.death_text[0] != 0);
    CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_E_BUSY);             // while it is down
    scene_run(&s, &s.ups, 2, 0);                                     // and it comes back
    CHECK(sandbox_generation(s.w) > generation);
    if (check_bad_) printf("  plan %s: %s: %s\n", misbehaviours[i].plan, s.death, s.death_text);
    scene_close(&s);
}

static void test_every_kind_of_misbehaviour_is_ended(void)
{
    rows_at_once(sizeof misbehaviours / sizeof *misbehaviours, misbehaviour_row);
}

static void test_a_call_may_speak_before_it_answers(void)
{
    struct scene s;
    scene_open(&s, "streams");
    CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_OK);
    scene_run(&s, &s.answers, 1, 0);
    CHECK(s.streamed == 1 + STREAM_PIECE_BYTES_MAX && s.streamed_after == 0 && s.downs == 0 && s.last_status == FR_OK);
    scene_close(&s);
}

static void test_an_answer_counts_once(void)
{
    struct scene s;
    scene_open(&s, "twice");
    CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_OK);
    scene_run(&s, &s.downs, 1, 0);
    CHECK(s.answers == 1 && s.last_status == FR_OK);     // the first was right
    CHECK_TEXT(s.death, "protocol");
    scene_close(&s);
}

static void test_an_idle_worker_may_not_burn_cpu(void)
{
    struct scene s;
    scene_open(&s, "answers_then_spins");
    CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_OK);
    scene_run(&s, &s.downs, 1, 0);
    CHECK(s.answers == 1 && s.last_status == FR_OK && s.blamed == 0);
    CHECK_TEXT(s.death, "cpu_limit");
    scene_close(&s);
}

static void test_a_burst_within_the_rate_is_no_crime(void)
{
    struct scene s;
    scene_open(&s, "flood");
    CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_OK);
    scene_run(&s, &s.answers, 1, 0);
    CHECK(s.asks == 12000 && s.downs == 0 && s.last_status == FR_OK);
    scene_close(&s);
}

static void test_a_call_that_waits_for_us_is_not_stuck(void)
{
    struct scene s;
    scene_open(&s, "asks");
    CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_OK);
    scene_run(&s, &s.asks, 1, 0);
    CHECK_TEXT(s.last_ask, "{\"a\":1}");
    scene_run(&s, NULL, 0, TURN_STALL_MS * 3 / 2);       // our own slowness
    CHECK_INT(s.downs, 0);
    sandbox_answer(s.w, s.ask_generation + 1, s.ask_call, s.ask_no, FRAME_OK, "2", 1);     // of another life: dropped
    sandbox_answer(s.w, s.ask_generation, s.ask_call + 1, s.ask_no, FRAME_OK, "2", 1);     // of no call: dropped
    scene_run(&s, NULL, 0, 100);
    CHECK_INT(s.answers, 0);
    sandbox_answer(s.w, s.ask_generation, s.ask_call, s.ask_no, FRAME_OK, "2", 1);
    scene_run(&s, &s.answers, 1, 0);
    CHECK_TEXT(s.last_payload, "\"asked\"");
    s.answer_asks = true;                                // and from inside on_ask
    CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_OK);
    scene_run(&s, &s.answers, 2, 0);
    CHECK_TEXT(s.last_payload, "\"asked\"");
    scene_close(&s);
}

static void test_an_answer_after_the_worker_was_freed_finds_nobody(void)
{
    struct scene s;
    scene_open(&s, "asks");
    CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_OK);
    scene_run(&s, &s.asks, 1, 0);
    sandbox_worker_stop(s.w);
    CHECK_TEXT(s.last_code, "worker_stopped");
    sandbox_answer(s.w, s.ask_generation, s.ask_call, s.ask_no, FRAME_OK, "2", 1);
    scene_run(&s, NULL, 0, 100);                         // now it is freed: the sanitizer watches
    sandbox_answer(s.w, s.ask_generation, s.ask_call, s.ask_no, FRAME_OK, "2", 1);
    CHECK_INT(s.answers, 1);
    scene_close(&s);
}

static void test_a_late_answer_is_forgiven(void)
{
    struct scene s;
    scene_open(&s, "late");
    CHECK(scene_invoke(&s, FRAME_CALL, 100) == FR_OK);
    scene_run(&s, &s.answers, 1, 0);
    CHECK(s.last_status == FR_E_TIMEOUT && s.downs == 0);
    CHECK_TEXT(s.last_code, "call_timeout");
    CHECK(scene_invoke(&s, FRAME_CALL, 5000) == FR_OK);  // its answer comes after the late one
    scene_run(&s, &s.answers, 2, 0);
    CHECK(s.last_status == FR_OK && s.downs == 0);
    CHECK_TEXT(s.last_payload, "\"late\"");
    scene_close(&s);
}

static void test_blame(const char *plan, int want_first)
{
    struct scene s, other;
    scene_open(&s, plan);
    other = (struct scene){ 0 };
    struct sandbox_section part = { "{}", 2 };
    struct fr_err err;
    CHECK(sandbox_invoke(s.w, FRAME_CALL, 0, &part, 1, 0, scene_on_done, &other, NULL, &err) == FR_OK);
    CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_OK);
    scene_run(&s, &s.downs, 1, 0);
    CHECK(s.answers == 1 && other.answers == 1);
    CHECK_INT(other.blamed, want_first);
    CHECK_INT(s.blamed, !want_first);
    CHECK_TEXT(want_first ? s.last_code : other.last_code, "worker_lost");
    CHECK_TEXT(want_first ? other.last_code : s.last_code, "crashed");
    scene_close(&s);
}
static void test_the_running_call_is_blamed(void) { test_blame("blames_second", 0); }
static void test_a_lie_on_the_page_blames_the_oldest(void) { test_blame("blames_nobody", 1); }

static void test_killing_is_not_the_plugins_crash(void)
{
    struct scene s;
    scene_open(&s, "asks");
    for (int i = 1; i <= 5; i++) {
        CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_OK);
        sandbox_worker_kill(s.w);
        CHECK_INT(s.answers, i - 1);
        scene_run(&s, &s.ups, i + 1, 0);
        CHECK_INT(s.answers, i);
        CHECK_TEXT(s.death, "killed");
        CHECK_TEXT(s.last_code, "worker_lost");
    }
    CHECK(s.crashes == 0 && s.blamed == 0);
    CHECK_INT(sandbox_worker_stats(s.w).restarts, 5);
    uv_kill(sandbox_worker_stats(s.w).pid, SIGKILL);     // from outside, unannounced
    scene_run(&s, &s.ups, 7, 0);
    CHECK(s.crashes == 0);
    scene_close(&s);
}

static void test_a_plugin_whose_code_is_wrong_is_not_started_again(void)
{
    struct scene s;
    scene_start(&s, "load_raises", WORKER_HEAP_BYTES_DEFAULT, 0);
    scene_run(&s, &s.load_failed, 1, 0);
    CHECK(strstr(s.definition, "main.lua:1: oops") != NULL);
    scene_run(&s, NULL, 0, 300);
    CHECK(s.ups == 0 && s.downs == 0 && s.load_failed == 1);
    CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_E_BUSY);
    scene_close(&s);
}

static const struct { const char *plan; int64_t heap; const char *death, *text; } bad_starts[] = {
    { "load_spins", WORKER_HEAP_BYTES_DEFAULT, "cpu_limit", "CPU" },
    { "load_silent", WORKER_HEAP_BYTES_DEFAULT, "stalled", "not loaded" },
    { "echo", FAKE_BOOT_RUDE, "protocol", "before it was asked" },
    { "echo", FAKE_BOOT_OLD, "crashed", "another build" },
    { "echo", FAKE_BOOT_UNSAFE, "crashed", "Landlock: Operation not supported" },
    { "echo", FAKE_BOOT_DEAD, "crashed", "exit code 5" },
    { "echo", FAKE_BOOT_MUTE, "stalled", "not ready" },
};

static void bad_start_row(int i)
{
    struct scene s;
    scene_start(&s, bad_starts[i].plan, bad_starts[i].heap, 0);
    scene_run(&s, &s.downs, 1, 0);
    CHECK(s.ups == 0);
    CHECK_TEXT(s.death, bad_starts[i].death);
    CHECK(strstr(s.death_text, bad_starts[i].text) != NULL);
    if (check_bad_) printf("  row %d: %s: %s\n", i, s.death, s.death_text);
    scene_close(&s);
}

static void test_a_worker_that_does_not_start_well_is_ended(void)
{
    rows_at_once(sizeof bad_starts / sizeof *bad_starts, bad_start_row);
}

static void test_crashes_add_up(void)
{
    struct scene s;
    scene_open(&s, "segv");
    for (int i = 1; i <= 3; i++) {
        CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_OK);
        scene_run(&s, &s.downs, i, 0);
        CHECK_INT(s.crashes, i);
        scene_run(&s, &s.ups, i + 1, 0);
    }
    scene_close(&s);
}

static void test_a_trip_is_an_answer(void)
{
    struct scene s;
    scene_open(&s, "trips");
    CHECK(scene_invoke(&s, FRAME_MATCH_TURN, 0) == FR_OK);
    scene_run(&s, &s.answers, 1, 0);
    CHECK(s.last_status == FR_OK && s.last_outcome == FRAME_TRIPPED_CPU && s.downs == 0);
    scene_close(&s);
}

// ---- stopping from inside every callback
static void stop_on_done(void *arg, const struct sandbox_result *r)
{
    struct scene *s = arg;
    scene_on_done(arg, r);
    if (s->answers == 1) sandbox_worker_stop(s->w);
}
static void stop_on_down(void *arg, struct sandbox_worker *w, const struct sandbox_death *death)
{
    scene_on_down(arg, w, death);
    sandbox_worker_stop(w);
}
static void stop_on_ask(void *arg, struct sandbox_worker *w, const struct sandbox_ask *ask)
{
    scene_on_ask(arg, w, ask);
    sandbox_worker_stop(w);
}

static void test_stopping_from_inside_a_callback(void)
{
    static const char *const plans[] = { "echo", "segv", "flood", "asks" };
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        struct scene s = { .death = "" };
        struct fr_err err;
        char options[100];
        uv_loop_init(&s.loop);
        CHECK(sandbox_new(&s.loop, "/proc/self/exe", 1, &s.sb, &err) == FR_OK);
        snprintf(options, sizeof options, "{\"plugin\":\"%s\"}", plans[i]);
        struct sandbox_spec spec = { .name = "x", .version = "1", .options_json = options, .heap_bytes = WORKER_HEAP_BYTES_DEFAULT, .arg = &s,
                                     .on_up = scene_on_up, .on_down = stop_on_down, .on_load_failed = scene_on_load_failed, .on_ask = stop_on_ask };
        CHECK(sandbox_worker_start(s.sb, &spec, &s.w, &err) == FR_OK);
        scene_run(&s, &s.ups, 1, 0);
        struct sandbox_section part = { "{}", 2 };
        for (int n = 0; n < 3; n++) CHECK(sandbox_invoke(s.w, FRAME_CALL, 0, &part, 1, 0, i == 0 ? stop_on_done : scene_on_done, &s, NULL, &err) == FR_OK);
        scene_run(&s, &s.answers, 3, 0);
        CHECK_INT(s.answers, 3);              // each once
        scene_run(&s, NULL, 0, 100);
        CHECK_INT(s.answers, 3);
        scene_close(&s);
    }
}

static void test_a_program_that_is_not_there(void)
{
    struct scene s = { .death = "" };
    struct fr_err err;
    uv_loop_init(&s.loop);
    CHECK(sandbox_new(&s.loop, "/nonexistent/frond-worker", 0, &s.sb, &err) == FR_OK);
    struct sandbox_spec spec = { .name = "x", .version = "1", .options_json = "{}", .heap_bytes = WORKER_HEAP_BYTES_DEFAULT };
    CHECK(sandbox_worker_start(s.sb, &spec, &s.w, &err) == FR_E_IO);
    CHECK(strstr(err.text, "/nonexistent/frond-worker") != NULL);
    scene_close(&s);
}

// A new call from inside the answer to one that timed out has a deadline of its own.
static void again_on_done(void *arg, const struct sandbox_result *r)
{
    struct scene *s = arg;
    scene_on_done(arg, r);
    if (s->answers == 1) CHECK(scene_invoke(s, FRAME_CALL, 40) == FR_OK);
}

static void test_a_deadline_set_while_another_passes(void)
{
    struct scene s, other = { .death = "" };
    struct fr_err err;
    struct sandbox_section part = { "{}", 2 };
    scene_open(&s, "late");
    CHECK(sandbox_invoke(s.w, FRAME_CALL, 0, &part, 1, 20000, scene_on_done, &other, NULL, &err) == FR_OK);
    CHECK(sandbox_invoke(s.w, FRAME_CALL, 0, &part, 1, 20, again_on_done, &s, NULL, &err) == FR_OK);
    scene_run(&s, &s.answers, 2, 0);
    CHECK(s.answers == 2 && s.last_status == FR_E_TIMEOUT && s.downs == 0);
    sandbox_worker_stop(s.w);
    scene_close(&s);
}

static void test_spares_stand_ready(void)
{
    struct scene s;
    scene_start(&s, "echo", WORKER_HEAP_BYTES_DEFAULT, 2);
    scene_run(&s, &s.ups, 1, 0);
    scene_run(&s, NULL, 0, 200);
    int first = sandbox_worker_stats(s.w).pid;
    sandbox_worker_kill(s.w);
    scene_run(&s, &s.ups, 2, 0);
    CHECK(sandbox_worker_stats(s.w).pid != first);
    CHECK(scene_invoke(&s, FRAME_CALL, 0) == FR_OK);
    scene_run(&s, &s.answers, 1, 0);
    CHECK(s.last_status == FR_OK);
    scene_close(&s);
}

// Any allocation may fail: nothing is lost, left behind or answered twice.
static void test_an_account_outlives_its_workers(void)
{
    struct scene s;
    scene_open(&s, "late");                           // it asks nothing, sleeps and answers
    CHECK(scene_invoke(&s, FRAME_CALL, 5000) == FR_OK);
    scene_run(&s, &s.answers, 1, 0);
    struct sandbox_memory now = sandbox_account_memory(s.sb, &scene_account);
    CHECK(now.workers == 1 && now.rss_bytes > 0);
    CHECK(scene_account.starts == 1 && scene_account.bytes_in > 0 && scene_account.bytes_out > 0 && scene_account.crashes == 0);
    scene_close(&s);
    int64_t bytes = scene_account.bytes_in;
    CHECK(bytes > 0);

    scene_open(&s, "spin");
    CHECK(scene_invoke(&s, FRAME_CALL, 5000) == FR_OK);
    scene_run(&s, &s.ups, 2, 0);                      // it was killed and came back
    CHECK(scene_account.starts == 2 && scene_account.crashes == 1);
    CHECK(scene_account.cpu_us >= TURN_KILL_MS * 900);      // what the dead one burned was paid for
    scene_close(&s);
}

static void test_spares_follow_the_use(void)
{
    struct scene s;
    int64_t now_ms;
    scene_start(&s, "echo", 48 * 1024 * 1024, 1);
    scene_run(&s, &s.ups, 1, 0);
    now_ms = (int64_t)uv_now(&s.loop);
    CHECK_INT(spares_wanted(s.sb, 48 * 1024 * 1024, now_ms), 0);          // once is no habit
    CHECK_INT(spares_wanted(s.sb, WORKER_HEAP_BYTES_DEFAULT, now_ms), 1);
    for (int ups = 2; ups <= 5; ups++) {
        sandbox_worker_kill(s.w);
        scene_run(&s, &s.ups, ups, 0);
    }
    now_ms = (int64_t)uv_now(&s.loop);
    CHECK_INT(spares_wanted(s.sb, 48 * 1024 * 1024, now_ms), 2);
    CHECK_INT(spares_wanted(s.sb, 48 * 1024 * 1024, now_ms + 600000), 0);     // and a habit ends
    CHECK_INT(spares_wanted(s.sb, WORKER_HEAP_BYTES_DEFAULT, now_ms), 1);     // the other size is not touched
    for (int i = 0; i < 100 && sandbox_pool(s.sb).ready < 3; i++) scene_run(&s, NULL, 0, 50);
    struct sandbox_pool p = sandbox_pool(s.sb);
    CHECK(p.ready == 3 && p.wanted == 3 && p.workers == 1 && p.starts >= 5);
    for (int i = 0; i < 200; i++) {                   // sizes that are never seen again push nobody's bound
        FR_IGNORE(spare_take(s.sb, (1 + i) * 1024 * 1024) ? FR_OK : FR_E_NOT_FOUND);
        CHECK(s.sb->class_count <= SPARE_CLASSES);
    }
    for (int i = 0; i < 1000; i++) FR_IGNORE(spare_take(s.sb, 3) ? FR_OK : FR_E_NOT_FOUND);
    CHECK_INT(spares_wanted(s.sb, 3, (int64_t)uv_now(&s.loop)), WORKER_SPARES_MAX);
    scene_close(&s);
}

static void test_without_memory(void)
{
    for (int64_t nth = 1; nth < 40; nth++) {
        struct scene s;
        scene_open(&s, "echo");
        fr_mem_fail_at(nth);
        int sent = 0;
        for (int i = 0; i < 20; i++) sent += scene_invoke(&s, FRAME_CALL, 1000) == FR_OK;
        uv_run(&s.loop, UV_RUN_NOWAIT);
        fr_mem_fail_at(0);
        scene_run(&s, &s.answers, sent, 0);
        CHECK_INT(s.answers, sent);
        scene_close(&s);
    }
}

static void test_starting_without_memory(void)
{
    int refused = 0;
    for (int64_t nth = 1; nth < 12; nth++) {
        struct scene s = { .death = "" };
        struct fr_err err;
        struct sandbox_spec spec = { .name = "echo", .version = "1", .options_json = "{\"plugin\":\"echo\"}", .heap_bytes = WORKER_HEAP_BYTES_DEFAULT, .arg = &s,
                                     .on_up = scene_on_up, .on_down = scene_on_down, .on_load_failed = scene_on_load_failed, .on_ask = scene_on_ask };
        uv_loop_init(&s.loop);
        fr_mem_fail_at(nth);
        enum fr_status status = sandbox_new(&s.loop, "/proc/self/exe", 0, &s.sb, &err);
        if (status == FR_OK) status = sandbox_worker_start(s.sb, &spec, &s.w, &err);
        fr_mem_fail_at(0);
        refused += status == FR_E_NOMEM;
        CHECK(status == FR_OK || status == FR_E_NOMEM);
        if (status == FR_OK) scene_run(&s, &s.ups, 1, 0);
        if (s.sb) scene_close(&s);
        else CHECK_INT(uv_loop_close(&s.loop), 0);
    }
    CHECK(refused > 0);
}

int main(int argc, char **argv)
{
    fake_worker(argc, argv);
    TEST(test_a_call_is_answered_and_measured);
    TEST(test_the_table_of_calls_is_bounded_and_reused);
    TEST(test_every_kind_of_misbehaviour_is_ended);
    TEST(test_a_call_may_speak_before_it_answers);
    TEST(test_an_answer_counts_once);
    TEST(test_an_idle_worker_may_not_burn_cpu);
    TEST(test_a_burst_within_the_rate_is_no_crime);
    TEST(test_a_call_that_waits_for_us_is_not_stuck);
    TEST(test_an_answer_after_the_worker_was_freed_finds_nobody);
    TEST(test_a_late_answer_is_forgiven);
    TEST(test_the_running_call_is_blamed);
    TEST(test_a_lie_on_the_page_blames_the_oldest);
    TEST(test_killing_is_not_the_plugins_crash);
    TEST(test_a_plugin_whose_code_is_wrong_is_not_started_again);
    TEST(test_a_worker_that_does_not_start_well_is_ended);
    TEST(test_crashes_add_up);
    TEST(test_a_trip_is_an_answer);
    TEST(test_stopping_from_inside_a_callback);
    TEST(test_a_program_that_is_not_there);
    TEST(test_a_deadline_set_while_another_passes);
    TEST(test_spares_stand_ready);
    TEST(test_an_account_outlives_its_workers);
    TEST(test_spares_follow_the_use);
    TEST(test_without_memory);
    TEST(test_starting_without_memory);
    return TEST_END();
}
