// doctor.c — what an operator would have to know at night, one line each: ok, warn, or fail with what helps.
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/limits.h"
#include "base/version.h"
#include "cli/doctor.h"
#include "sandbox/sandbox.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#define RELEASE_MS 1762000000000LL                     // when this was written: no clock that is right shows an earlier time
#define FILES_WANTED (HTTP_CONNECTIONS_MAX + 1000)

static void add(struct doctor *d, enum verdict v, const char *name, const char *help, const char *code, const char *text)
{
    static const char *const words[] = { "ok", "warn", "fail" };
    fr_buf_addf(d->out, "%s{\"name\":\"%s\",\"state\":\"%s\",\"text\":", d->count++ ? "," : "", name, words[v]);
    fr_buf_add_json_bytes(d->out, text, strlen(text));
    fr_buf_add(d->out, ",\"help\":");
    fr_buf_add_json_text(d->out, v == OK ? NULL : help);
    fr_buf_add(d->out, ",\"code\":");
    fr_buf_add_json_text(d->out, code);
    fr_buf_add_char(d->out, '}');
    d->failed += v == FAIL;
}

void say(struct doctor *d, enum verdict v, const char *name, const char *help, const char *fmt, ...)
{
    char text[1000];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    add(d, v, name, help, NULL, text);
}

void say_error(struct doctor *d, enum verdict v, const char *name, const char *help, const struct fr_err *err)
{
    char text[FR_ERR_TEXT_BYTES + 60];
    snprintf(text, sizeof text, "%s (%s)", err->text, err->code);
    add(d, v, name, help, err->code, text);
}

// ---- this machine

static void look_at_kernel(struct doctor *d)
{
    struct utsname u;
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0UL, 1U /* what version? */);
    uname(&u);
    if (abi >= 1) say(d, OK, "kernel", NULL, "%s %s %s, Landlock ABI %ld", u.sysname, u.release, u.machine, abi);
    else say(d, FAIL, "kernel", "boot a kernel from 5.13 on with CONFIG_SECURITY_LANDLOCK, and name landlock in the boot parameter lsm=", "%s %s has no Landlock: %s", u.sysname, u.release, strerror(errno));
}

static void look_at_sandbox(struct doctor *d)
{
    char path[CLI_PATH_BYTES];
    struct fr_err err;
    FR_AUTO_BUF(report);
    fr_buf_init(&report, 16384);
    if (access(cli_worker_path(path, sizeof path), X_OK) != 0) {
        say(d, FAIL, "worker", "build it with `make`; it must lie beside frond", "there is no program %s", path);
        return;
    }
    say(d, OK, "worker", NULL, "%s", path);
    if (sandbox_check(path, &report, &err) != FR_OK) {
        say(d, FAIL, "sandbox", "without it no plugin is run; there is no switch that turns it off", "%s", err.text);
        return;
    }
    int probes = 0;
    for (const char *line = report.data; line && *line; line += strcspn(line, "\n"), line += *line == '\n') probes++;
    say(d, OK, "sandbox", NULL, "%d probes, each ended by the kernel at its forbidden call", probes);
}

static void look_at_clock(struct doctor *d)
{
    char at[25];
    struct timex t = { 0 };
    int state = adjtimex(&t);
    int64_t now_ms = fr_now_ms();
    fr_time_text(now_ms, at);
    if (now_ms < RELEASE_MS) say(d, FAIL, "clock", "set the clock: sessions, approvals and launch data depend on it", "it shows %s, which is long ago", at);
    else if (state == TIME_ERROR) say(d, WARN, "clock", "run a time service (chrony, systemd-timesyncd): launch data from the future is refused past 60 s", "%s, but nothing keeps it right", at);
    else say(d, OK, "clock", NULL, "%s", at);
}

static void look_at_limits(struct doctor *d)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    if (files.rlim_max >= FILES_WANTED) say(d, OK, "files", NULL, "up to %llu open files", (unsigned long long)files.rlim_max);
    else say(d, WARN, "files", "LimitNOFILE=32768 in the unit, or ulimit -Hn 32768", "only %llu open files: that many connections and no more", (unsigned long long)files.rlim_max);
}

// ---- the config file

static void on_config(void *arg, const char *name, const char *text, const char *help, const struct fr_err *err)
{
    if (err) say_error(arg, FAIL, name, help, err);
    else say(arg, help ? WARN : OK, name, help, "%s", text);
}

static void look_at_config(struct doctor *d)
{
    const struct cli *c = d->cli;
    struct serve_options o = { .data = c->data, .config = cli_option(c, "config"), .dev = cli_option(c, "dev") || cli_data_is_dev(c) };
    if (o.config && c->host->config_look) c->host->config_look(&o, on_config, d);
}

enum fr_status run_doctor(struct cli *c, struct fr_err *err)
{
    struct doctor d = { .cli = c, .out = &c->out, .quick = cli_option(c, "quick") != NULL };
    fr_buf_add(&c->out, "{\"version\":\"" FROND_VERSION "\",\"checks\":[");
    look_at_kernel(&d);
    look_at_sandbox(&d);
    look_at_clock(&d);
    look_at_limits(&d);
    look_at_config(&d);
    look_at_data(&d);
    fr_buf_add(&c->out, "]}");
    if (d.failed == 0) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_INTERNAL, "unwell", "%d thing%s must be put right", d.failed, d.failed == 1 ? "" : "s");
}
