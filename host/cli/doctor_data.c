// doctor_data.c — the data folder for `doctor`: whose it is, where it lies, who serves it, and whether what is in it can be trusted.
//
// What reads the data is asked as a console verb: the running host answers it, or the same job runs here on a folder that nobody holds.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/clock.h"
#include "cli/doctor.h"

#define DISK_FAIL_BYTES (64LL * 1024 * 1024)           // a busy hour of journal and log
#define DISK_WARN_BYTES (1024LL * 1024 * 1024)
#define LOG_WARN_BYTES (512LL * 1024 * 1024)           // it is moved at 62 MiB unless a reader is in the way for long
#define CLOCK_BACK_MS 1000                             // less than a time service corrects at once
#define BACKUP_WARN_MS (48 * 3600 * 1000LL)            // without a plan of its own
#define HOUR_MS (3600 * 1000LL)

static void look_at_folder(struct doctor *d, const struct stat *st, bool dev)
{
    const char *folder = d->cli->data;
    if (access(folder, W_OK | X_OK) != 0) say(d, FAIL, "data", "run this as the user the host runs as", "%s is not ours to write: %s", folder, strerror(errno));
    else if (st->st_uid != geteuid()) say(d, FAIL, "data", "run this as that user, or give the folder and all in it to this one", "%s belongs to user %ld, this is user %ld", folder, (long)st->st_uid, (long)geteuid());
    else if (st->st_mode & 077) say(d, WARN, "data", "chmod 700 the folder: it holds players' data", "%s is open to others (mode %03o)", folder, st->st_mode & 0777);
    else say(d, OK, "data", NULL, "%s%s", folder, dev ? ", made with --dev: test coins" : "");
}

static void look_at_disk(struct doctor *d)
{
    struct statvfs v;
    if (statvfs(d->cli->data, &v) != 0) return;
    long long bytes = (long long)v.f_bavail * (long long)v.f_frsize;
    bool few_inodes = v.f_files > 0 && v.f_favail < 100;
    enum verdict verdict = bytes < DISK_FAIL_BYTES || few_inodes ? FAIL : bytes < DISK_WARN_BYTES ? WARN : OK;
    say(d, verdict, "disk", "make room: with a full disk nothing that writes is answered, though nothing is lost", "%lld MiB free%s", bytes / (1024 * 1024), few_inodes ? ", but no more files" : "");
}

// What a folder lies on decides whether "flushed" means anything.
static void look_at_disk_kind(struct doctor *d)
{
    struct statfs fs;
    if (statfs(d->cli->data, &fs) != 0) return;
    const char *network = store_network_disk((long)fs.f_type);
    unsigned kind = (unsigned)fs.f_type;
    if (network) say(d, FAIL, "disk kind", "move the data folder to a disk of this machine: `frond serve` refuses this one", "%s, a network disk: a database does not survive on it", network);
    else if (kind == 0x01021994) say(d, WARN, "disk kind", "for data that may be lost only: put the folder on a disk", "it lies in memory (tmpfs) and is gone with the power");
    else if (kind == 0x794c7630) say(d, WARN, "disk kind", "put the folder on a volume: this layer goes away with its container", "it lies on a container's layer (overlay)");
    else if (kind == 0x65735546 || kind == 0x01021997) say(d, WARN, "disk kind", "find out whether it keeps what was flushed when the power fails", "a file system made by another program (%s)", kind == 0x01021997 ? "9p" : "FUSE");
    else say(d, OK, "disk kind", NULL, "a disk of this machine (%#x)", kind);
}

static long lock_pid(const char *folder, bool *held)
{
    char path[CLI_PATH_BYTES], text[32] = "";
    *held = false;
    if ((size_t)snprintf(path, sizeof path, "%s/lock", folder) >= sizeof path) return 0;
    FR_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    *held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;      // let go of with the descriptor
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    return len > 0 ? strtol(text, NULL, 10) : 0;
}

static void look_at_host(struct doctor *d, bool *answers)
{
    FR_AUTO_BUF(status);
    struct fr_err err;
    bool held;
    long pid = lock_pid(d->cli->data, &held);
    fr_buf_init(&status, 65536);
    *answers = cli_host_answers(d->cli);
    if (!held) { say(d, OK, "host", NULL, "none is running on this folder"); return; }
    if (*answers && cli_ask(d->cli, "status", "{}", &status, &err) == FR_OK) {
        FR_AUTO(fr_json) json = NULL;
        if (fr_json_parse(status.data, status.len, &json, &err) != FR_OK) json = NULL;
        const struct fr_json *store = json ? fr_json_get(json, "store") : NULL;
        if (store && fr_json_is_true(fr_json_get(store, "damaged"))) say(d, FAIL, "host", "stop it, keep a copy of the folder, then `frond restore` a backup", "process %ld found damage in the database and writes nothing any more", pid);
        else say(d, OK, "host", NULL, "process %ld is serving%s, %.0f matches running", pid, json && fr_json_is_true(fr_json_get(json, "dev")) ? " with --dev" : "", json ? fr_json_number(fr_json_get(json, "matches")) : 0);
    } else {
        say(d, FAIL, "host", "it may be starting or stopping; if this stays, look at its log and stop it", "process %ld holds this folder and does not answer at its socket", pid);
    }
}

static void look_at_plugins(struct doctor *d)
{
    FR_AUTO_BUF(list);
    FR_AUTO(fr_json) json = NULL;
    struct fr_err err;
    int up = 0;
    fr_buf_init(&list, CLI_RESULT_BYTES_MAX);
    if (cli_ask(d->cli, "plugin.list", "{}", &list, &err) != FR_OK || fr_json_parse(list.data, list.len, &json, &err) != FR_OK) return;
    for (const struct fr_json *p = fr_json_child(json); p; p = fr_json_next(p)) {
        const char *id = fr_json_text(fr_json_get(p, "id")), *state = fr_json_text(fr_json_get(p, "state")), *error = fr_json_text(fr_json_get(p, "error"));
        if (!id || !state) continue;
        if (strcmp(state, "failed") == 0 || strcmp(state, "quarantined") == 0) say(d, WARN, "plugins", "frond plugin check FOLDER says more; frond plugin enable gives it another try", "%s is %s: %s", id, state, error ? error : "");
        else up += strcmp(state, "up") == 0;
    }
    say(d, OK, "plugins", NULL, "%d of %d up", up, fr_json_size(json));
}

// ---- the database

// Asks, and says what is wrong with the answer under `name`. False: there is nothing to read.
static bool ask(struct doctor *d, const char *verb, const char *args, const char *name, struct fr_json **ret)
{
    FR_AUTO_BUF(text);
    struct fr_err err;
    fr_buf_init(&text, 1024 * 1024);
    enum fr_status st = cli_ask(d->cli, verb, args, &text, &err);
    if (st == FR_OK) st = fr_json_parse(text.data, text.len, ret, &err);
    if (st == FR_OK) return true;
    bool bad = strcmp(err.code, "store_damaged") == 0 || strcmp(err.code, "ledger_wrong") == 0, older = strcmp(err.code, "store_older") == 0;
    say_error(d, older ? WARN : FAIL, name, older ? "fine before the first start of a new program; `frond backup` first" : bad ? "stop the host, keep a copy of the folder, then `frond restore` a backup" : "see the sentence above", &err);
    return false;
}

static int64_t number(const struct fr_json *v, const char *key)
{
    const struct fr_json *m = fr_json_get(v, key);
    if (!m) return 0;
    return fr_json_kind(m) == JSON_STRING ? strtoll(fr_json_text(m), NULL, 10) : (int64_t)fr_json_number(m);
}

static int64_t file_bytes(const struct doctor *d, const char *name)
{
    char path[CLI_PATH_BYTES];
    struct stat st;
    return (size_t)snprintf(path, sizeof path, "%s/%s", d->cli->data, name) < sizeof path && stat(path, &st) == 0 ? st.st_size : -1;
}

static void look_at_log(struct doctor *d, bool answers)
{
    int64_t log = file_bytes(d, STORE_FILE "-wal");
    if (log > LOG_WARN_BYTES) say(d, WARN, "log", "a reader that does not end keeps it: look for long audits and backups; a start moves it into the file", "%s-wal has grown to %lld MiB", STORE_FILE, (long long)log / (1024 * 1024));
    else if (log > 0 && !answers) say(d, OK, "log", NULL, "%lld KiB left by a host that was killed: the next start takes them in. Never delete it", (long long)(log + 1023) / 1024);
    else say(d, OK, "log", NULL, "%lld KiB", (long long)(log > 0 ? log + 1023 : 0) / 1024);
}

static void look_at_time(struct doctor *d, const struct fr_json *facts)
{
    char at[25];
    int64_t last_ms = number(facts, "last_ms"), back_ms = number(facts, "clock_back_ms"), now_ms = fr_now_ms();
    if (last_ms > now_ms + CLOCK_BACK_MS)
        say(d, FAIL, "time", "set the clock: holds, sessions and approvals would live too long", "the last journal entry is from %s, %lld s after what the clock shows now", fr_time_text(last_ms, at), (long long)(last_ms - now_ms) / 1000);
    else if (back_ms > CLOCK_BACK_MS)
        say(d, WARN, "time", "run a time service that slews instead of stepping", "the clock went back by %lld ms at journal entry %lld", (long long)back_ms, (long long)number(facts, "clock_back_at"));
    else say(d, OK, "time", NULL, number(facts, "entries") ? "the journal's clock never went back; its last entry is from %s" : "the journal is empty", fr_time_text(last_ms, at));
}

static bool look_at_facts(struct doctor *d)
{
    FR_AUTO(fr_json) facts = NULL;
    if (!ask(d, "store.facts", "{}", "store", &facts)) return false;
    int64_t free_bytes = number(facts, "free_bytes"), bytes = number(facts, "bytes"), overdue = number(facts, "keys_overdue");
    say(d, OK, "store", NULL, "opens and reads: %lld KiB, %lld KiB of them free; schema of this program", (long long)bytes / 1024, (long long)free_bytes / 1024);
    look_at_time(d, facts);
    if (overdue > 5000) say(d, WARN, "keys", "a running host removes 200 in 5 s; if this grows, its log says why", "%lld kept answers, %lld of them past their time", (long long)number(facts, "keys"), (long long)overdue);
    else say(d, OK, "keys", NULL, "%lld kept answers of idempotent requests", (long long)number(facts, "keys"));
    return true;
}

static void look_at_pages(struct doctor *d)
{
    FR_AUTO(fr_json) found = NULL;
    if (!ask(d, "store.integrity", "{}", "integrity", &found)) return;
    const char *fault = fr_json_text(fr_json_get(found, "fault"));
    if (fault) say(d, FAIL, "integrity", "stop the host, keep a copy of the folder, then `frond restore` a backup", "%s", fault);
    else say(d, OK, "integrity", NULL, "%lld pages, every index and reference", (long long)number(found, "pages"));
}

static void look_at_ledger(struct doctor *d)
{
    FR_AUTO(fr_json) found = NULL;
    if (!ask(d, "ledger.audit", "{}", "ledger", &found)) return;
    const char *fault = fr_json_text(fr_json_get(found, "first_fault")), *head = fr_json_text(fr_json_get(found, "head"));
    int64_t orphans = number(found, "holds_orphaned");
    if (fault) say(d, FAIL, "ledger", "stop the host and keep the folder as it is: nothing here may be repaired by hand; `frond restore` a backup", "%s", fault);
    else say(d, OK, "ledger", NULL, "sum 0, %lld entries, chain ends in %.12s", (long long)number(found, "entries"), head ? head : "");
    if (orphans > 0) say(d, FAIL, "holds", "a bug of ours: the coins are safe but locked; keep the folder and report it", "%lld holds belong to matches that are over", (long long)orphans);
    else say(d, OK, "holds", NULL, "%lld open, each of a match that runs or with a time of its own", (long long)number(found, "holds_open"));
}

// ---- backups

// The audit cannot see that the newest rows were cut off; a backup that has them can.
static void look_at_backup_end(struct doctor *d, const char *path)
{
    struct backup b;
    struct fr_err err;
    char args[64];
    FR_AUTO(fr_json) found = NULL;
    if (backup_read(path, &b, &err) != FR_OK || b.head.entries == 0) return;
    snprintf(args, sizeof args, "{\"entry\":\"%lld\"}", (long long)b.head.entries);
    if (!ask(d, "ledger.entry", args, "history", &found)) return;
    const char *hash = fr_json_text(fr_json_get(found, "hash"));
    if (hash && strcmp(hash, b.head.hash) == 0) say(d, OK, "history", NULL, "the journal goes on where the newest backup ended, entry %lld", (long long)b.head.entries);
    else say(d, FAIL, "history", "rows were cut off, or another backup was put back: find out which before you go on", "the newest backup ends with entry %lld (%.12s), which is not in the journal", (long long)b.head.entries, b.head.hash);
}

static void look_at_backups(struct doctor *d, bool answers)
{
    char path[BACKUP_PATH_BYTES], at[25];
    int64_t created_ms, now_ms = fr_now_ms(), every_ms = 0;
    FR_AUTO(fr_json) status = NULL;
    if (answers && ask(d, "backup.status", "{}", "backup", &status)) {
        const char *state = fr_json_text(fr_json_get(status, "state")), *detail = fr_json_text(fr_json_get(status, "detail"));
        every_ms = number(status, "every_ms");
        if (state && strcmp(state, "failed") == 0) say(d, WARN, "backup", "mend what it says, then `frond backup`", "the last one failed: %s", detail ? detail : "");
    }
    if (!backup_noted(d->cli->data, path, &created_ms)) {
        say(d, WARN, "backup", "frond backup DIR, and \"backup\" in the config file makes them by the clock", "no backup of this folder is known");
        return;
    }
    int64_t age_ms = now_ms - created_ms, most_ms = every_ms ? 2 * every_ms : BACKUP_WARN_MS;
    if (age_ms > most_ms) say(d, WARN, "backup", "frond backup DIR, and look at the host's log for backup.failed", "the newest, %s, is %lld hours old", path, (long long)(age_ms / HOUR_MS));
    else say(d, OK, "backup", NULL, "%s, from %s", path, fr_time_text(created_ms, at));
    look_at_backup_end(d, path);
}

void look_at_data(struct doctor *d)
{
    struct stat st;
    struct fr_err err;
    bool answers;
    enum fr_status there = cli_data_exists(d->cli, &err);
    if (there == FR_E_NOT_FOUND) {
        say(d, WARN, "data", "fine before the first start", "%s", err.text);
        return;
    }
    if (there != FR_OK || stat(d->cli->data, &st) != 0) { say(d, FAIL, "data", "name another folder with --data", "%s", err.text); return; }
    look_at_folder(d, &st, cli_data_is_dev(d->cli));
    look_at_disk(d);
    look_at_disk_kind(d);
    look_at_host(d, &answers);
    if (answers) look_at_plugins(d);
    if (file_bytes(d, STORE_FILE) < 0 && file_bytes(d, STORE_FILE "-wal") <= 0) { say(d, WARN, "store", "fine before the first start", "there is no database yet"); return; }
    look_at_log(d, answers);
    bool reads = look_at_facts(d);
    if (reads && !d->quick) {
        look_at_pages(d);
        look_at_ledger(d);
    }
    look_at_backups(d, answers && reads);
}
