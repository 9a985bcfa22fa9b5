// main.c — frond-signer: takes its descriptors in, locks itself down, unlocks its keys, serves. Started by the host, never by people.
//
//   frond-signer KEYS PARENT_PID            descriptors: see ipc/sign.h
//   frond-signer --probe NAME PARENT_PID    after the full lockdown tries one forbidden thing; still alive: exit 42
//   frond-signer --version
// Nothing of a stranger's is parsed before the lockdown: policy, keystores and passphrase are read as bytes, and their meaning is looked for behind it.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/version.h"
#include "chain/keystore.h"
#include "ipc/lockdown.h"
#include "ipc/sign.h"
#include "signer/probe.h"
#include "signer/serve.h"

#define SLACK_BYTES (64LL * 1024 * 1024)                         // beside scrypt: policy, frames, answers
#define STACK_WIPED_BYTES (64 * 1024)                            // more than anything below open_keys ever uses
#define STACK_BYTES (512 * 1024)                                 // more than anything here ever uses

struct intake {                                                  // what was read before the lockdown
    int keys;
    char policy[SIGNER_POLICY_BYTES_MAX + 1], keystore[SIGNER_KEYS_MAX][KEYSTORE_BYTES_MAX + 1];
    size_t policy_len, keystore_len[SIGNER_KEYS_MAX], passphrase_len;
    struct fr_secret *passphrase;
};
static struct intake intake;
static struct signer signer;

// ---- before the lockdown

static enum fr_status take_in(int fd, char *out, size_t cap, size_t *len, const char *what, struct fr_err *err)
{
    *len = 0;
    while (*len < cap) {
        ssize_t n = read(fd, out + *len, cap - *len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return FR_FAIL_CODE(err, FR_E_IO, "signer_input", "read the %s: %s", what, strerror(errno));
        if (n == 0) break;
        *len += (size_t)n;
    }
    close(fd);
    return *len < cap ? FR_OK : FR_FAIL_CODE(err, FR_E_LIMIT, "signer_input", "the %s has over %zu bytes", what, cap - 1);
}

// A file of one line, as editors and echo leave it: the line's end is not of the passphrase.
static size_t without_line_end(const char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '\n') len--;
    return len > 0 && text[len - 1] == '\r' ? len - 1 : len;
}

static enum fr_status take_all_in(struct intake *in, struct fr_err *err)
{
    FR_TRY(fr_secret_new(PASSPHRASE_BYTES_MAX + 3, &in->passphrase, err));
    FR_TRY(fr_secret_new(SIGNER_KEYS_MAX * SECRET_KEY_BYTES, &signer.secrets, err));
    char *passphrase = (char *)fr_secret_bytes(in->passphrase);
    FR_TRY(take_in(SIGNER_PASSPHRASE_FD, passphrase, PASSPHRASE_BYTES_MAX + 3, &in->passphrase_len, "passphrase", err));
    in->passphrase_len = without_line_end(passphrase, in->passphrase_len);
    FR_TRY(take_in(SIGNER_POLICY_FD, in->policy, sizeof in->policy, &in->policy_len, "policy", err));
    for (int i = 0; i < in->keys; i++) FR_TRY(take_in(SIGNER_KEYSTORE_FD + i, in->keystore[i], sizeof in->keystore[i], &in->keystore_len[i], "keystore", err));
    FR_TRY(serve_prepare(SIGNER_CHANNEL_FD, err));
    return tally_open(SIGNER_TALLY_FD, &signer.tally, err);
}

// A locked stack cannot grow once RLIMIT_MEMLOCK is 0: it gets its whole size before.
static __attribute__((noinline)) void grow_stack(void)
{
    char below[STACK_BYTES];
    fr_wipe(below, sizeof below);
}

// What asks the kernel for random bytes, or for the time zone's file, does so now.
static void warm_up(void)
{
    static const uint8_t one[SECRET_KEY_BYTES] = { [SECRET_KEY_BYTES - 1] = 1 };
    struct address unused;
    char time[25];
    fr_scrypt_prepare();
    fr_time_text(0, time);
    FR_IGNORE(secret_key_address(one, &unused, NULL));           // 1 is a key; it is asked for what it makes on the way
}

static enum fr_status lock_down(int parent, struct fr_err *err)
{
    static const struct lockdown_call calls[] = {
        { SYS_read, LOCKDOWN_FD, SIGNER_CHANNEL_FD },
        { SYS_write, LOCKDOWN_FD, SIGNER_CHANNEL_FD },
        { SYS_pwrite64, LOCKDOWN_FD, SIGNER_TALLY_FD },
        { SYS_fdatasync, LOCKDOWN_FD, SIGNER_TALLY_FD },
        { SYS_clock_gettime, LOCKDOWN_ANY, 0 },
        { SYS_rt_sigreturn, LOCKDOWN_ANY, 0 },
        { SYS_brk, LOCKDOWN_ANY, 0 },
        { SYS_munmap, LOCKDOWN_ANY, 0 },
        { SYS_mremap, LOCKDOWN_ANY, 0 },
        { SYS_madvise, LOCKDOWN_ANY, 0 },
        { SYS_exit_group, LOCKDOWN_ANY, 0 },
        { SYS_mmap, LOCKDOWN_NO_EXEC, 0 },
    };
    struct lockdown l = {
        .fd_first = SIGNER_CHANNEL_FD, .fd_last = SIGNER_TALLY_FD, .parent = parent, .file_bytes = TALLY_FILE_BYTES,
        .memory_bytes = 128LL * KEYSTORE_BLOCKS_MAX + SLACK_BYTES, .calls = calls, .call_count = sizeof calls / sizeof *calls,
    };
    grow_stack();
    signer.all_locked = mlockall(MCL_CURRENT) == 0;              // an ordinary user's limit is smaller than the program; keys have pages of their own
    return lockdown_process(&l, err);
}

// ---- behind it

static enum fr_status open_one(struct intake *in, int no, struct fr_err *err)
{
    struct keystore k;
    int at = signer.key_count;
    FR_TRY(keystore_read(in->keystore[no], in->keystore_len[no], &k, err));
    FR_TRY(keystore_open(&k, fr_secret_bytes(in->passphrase), in->passphrase_len, fr_secret_bytes(signer.secrets) + at * SECRET_KEY_BYTES, &signer.addresses[at], err));
    for (int i = 0; i < at; i++)
        if (address_equal(&signer.addresses[i], &signer.addresses[at])) return FR_FAIL_CODE(err, FR_E_INVALID, "key_twice", "two keystores hold the same key");
    signer.key_count++;
    return FR_OK;
}

static enum fr_status open_keys(struct intake *in, struct fr_err *err)
{
    FR_TRY(policy_read(in->policy, in->policy_len, &signer.policy, err));
    for (int i = 0; i < in->keys; i++) {
        if (open_one(in, i, err) == FR_OK) continue;
        fr_err_note(err, "keystore %d", i + 1);
        return err->status;
    }
    return FR_OK;
}

static __attribute__((noinline)) void wipe_stack(void)
{
    char below[STACK_WIPED_BYTES];
    fr_wipe(below, sizeof below);
}

static int refuse(const struct fr_err *why, int exit_code)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 8192);
    serve_refusal(why, &out);
    if (!out.failed) serve_send(SIGNER_CHANNEL_FD, &out);
    return exit_code;
}

static int run(int keys, int parent)
{
    FR_AUTO_BUF(ready);
    struct fr_err err;
    fr_buf_init(&ready, 8192);
    intake.keys = keys;
    warm_up();
    if (take_all_in(&intake, &err) != FR_OK) return refuse(&err, err.status == FR_E_NOMEM ? SIGNER_EXIT_LOCKDOWN : SIGNER_EXIT_LOCKED);
    if (lock_down(parent, &err) != FR_OK) return refuse(&err, SIGNER_EXIT_LOCKDOWN);
    enum fr_status status = open_keys(&intake, &err);
    fr_secret_free(intake.passphrase);
    wipe_stack();
    if (status != FR_OK) return refuse(&err, SIGNER_EXIT_LOCKED);
    serve_ready(&signer, &ready);
    if (ready.failed || !serve_send(SIGNER_CHANNEL_FD, &ready)) return SIGNER_EXIT_DONE;
    int exit_code = serve(&signer, SIGNER_CHANNEL_FD);
    fr_secret_free(signer.secrets);
    return exit_code;
}

static int run_probe(const char *name, int parent)
{
    struct fr_err err;
    warm_up();
    if (!probe_known(name)) return EXIT_FAILURE;
    if (lock_down(parent, &err) != FR_OK) return SIGNER_EXIT_LOCKDOWN;
    return probe_run(name);
}

static int number(const char *text, int least, int most)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    return errno || *end || end == text || n < least || n > most ? -1 : (int)n;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) return puts(FROND_VERSION) < 0;
    bool probing = argc == 4 && strcmp(argv[1], "--probe") == 0;
    int keys = argc == 3 ? number(argv[1], 1, SIGNER_KEYS_MAX) : probing ? 0 : -1, parent = keys >= 0 ? number(argv[argc - 1], 1, INT32_MAX) : -1;
    if (keys < 0 || parent < 0) {
        fputs("frond-signer holds keys for frond; it is not started by hand\n", stderr);
        return 64;
    }
    // Before anything secret is read: no core, and nobody looks in.
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0) return SIGNER_EXIT_LOCKDOWN;
    return probing ? run_probe(argv[2], parent) : run(keys, parent);
}
