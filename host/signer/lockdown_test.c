// lockdown_test.c — the release program under its real lockdown: each forbidden thing must end it; how it starts, refuses, counts and dies; and that
// nobody reads its memory. It is named by FROND_SIGNER, or stands beside this program's folder.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include "base/check.h"
#include "base/clock.h"
#include "chain/keystore.h"
#include "chain/sign_wire.h"
#include "ipc/frame.h"
#include "ipc/sign.h"
#include "signer/testing.h"

static char signer_path[4096];
static char *none[] = { NULL };
static const char passphrase[] = "correct horse";

static void find_signer(const char *self)
{
    const char *named = getenv("FROND_SIGNER"), *slash = strrchr(self, '/');
    if (named) snprintf(signer_path, sizeof signer_path, "%s", named);
    else snprintf(signer_path, sizeof signer_path, "%.*s/../../frond-signer", slash ? (int)(slash - self) : 1, slash ? self : ".");
}

static int ended(pid_t pid)              // the signal, or minus the exit code
{
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

// ---- probes

static int probe(const char *name, const char *parent)
{
    char own[24];
    snprintf(own, sizeof own, "%d", (int)getpid());
    char *args[] = { "frond-signer", "--probe", (char *)name, (char *)(parent ? parent : own), NULL };
    pid_t pid;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, SIGNER_CHANNEL_FD, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_addopen(&actions, SIGNER_TALLY_FD, "/dev/null", O_RDWR, 0);
    int r = posix_spawn(&pid, signer_path, &actions, NULL, args, none);
    posix_spawn_file_actions_destroy(&actions);
    return r != 0 ? 1000 : ended(pid);
}

static void test_each_forbidden_thing_ends_the_signer(void)
{
    static const char *const names[] = { "socket", "open", "fork", "execve", "ptrace", "io_uring", "kill", "mmap_exec", "mprotect", "read_tally", "write_tally",
                                         "pwrite_channel", "pread", "ftruncate", "sendmsg", "dup", "prctl", "rlimit", "vm_read", "memfd" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int how = probe(names[i], NULL);
        if (how != SIGSYS) printf("  probe %s: %d\n", names[i], how);
        CHECK_INT(how, SIGSYS);
    }
    CHECK_INT(probe("nonsense", NULL), -EXIT_FAILURE);
    CHECK_INT(probe("nothing", NULL), -42);
    CHECK_INT(probe("limits", NULL), -42);
    CHECK_INT(probe("nothing", "1"), -SIGNER_EXIT_LOCKDOWN);     // whose host is gone
}

// ---- a whole signer

static uint8_t secrets[2][SECRET_KEY_BYTES];
static struct address addresses[2];

struct child { pid_t pid; int fd; };
struct start { const char *policy, *passphrase; int keys, tally_fd; const char *keystore; };     // keystore: instead of our own

static int file_of(const void *bytes, size_t len)
{
    int fd = test_file();
    CHECK(write(fd, bytes, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static int keystore_file(int no)
{
    static const struct keystore cheap = { .n = 1024, .r = 8, .p = 1 };
    FR_AUTO_BUF(text);
    fr_buf_init(&text, KEYSTORE_BYTES_MAX);
    CHECK(keystore_make(secrets[no], passphrase, strlen(passphrase), &cheap, &text, NULL) == FR_OK);
    return file_of(text.data, text.len);
}

static struct child start(struct start how)
{
    int pair[2], fds[4 + SIGNER_KEYS_MAX + 1], count = 0;
    char own[24], keys[8];
    struct child c = { 0 };
    int want = how.keys ? how.keys : 1;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    fds[count++] = pair[1];
    fds[count++] = how.tally_fd;
    fds[count++] = file_of(how.policy ? how.policy : test_policy, strlen(how.policy ? how.policy : test_policy));
    fds[count++] = file_of(how.passphrase ? how.passphrase : passphrase, strlen(how.passphrase ? how.passphrase : passphrase));
    for (int i = 0; i < want; i++) fds[count++] = how.keystore ? file_of(how.keystore, strlen(how.keystore)) : keystore_file(i);
    snprintf(own, sizeof own, "%d", (int)getpid());
    snprintf(keys, sizeof keys, "%d", want);
    char *args[] = { "frond-signer", keys, own, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < count; i++) {
        int high = fcntl(fds[i], F_DUPFD_CLOEXEC, 60);           // out of the way of 3 to 8
        if (i != 1) close(fds[i]);
        fds[i] = high;
    }
    for (int i = 0; i < count; i++) posix_spawn_file_actions_adddup2(&actions, fds[i], SIGNER_CHANNEL_FD + i);
    CHECK(posix_spawn(&c.pid, signer_path, &actions, NULL, args, none) == 0);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < count; i++) close(fds[i]);
    c.fd = pair[0];
    return c;
}

static char got[65536];
static struct frame next_frame(struct child *c)
{
    struct frame f = { 0 };
    struct fr_err err;
    size_t len = 0;
    int found = 0;
    while (len < FRAME_HEADER_BYTES || (found = frame_next_of(got, len, SIGN_ANSWER_FIRST, SIGN_ANSWER_LAST, SIGNER_FRAME_BYTES_MAX, &f, &err)) == 0) {
        size_t want = len < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES - len : FRAME_HEADER_BYTES + ((uint8_t)got[0] | (uint8_t)got[1] << 8) - len;
        ssize_t n = read(c->fd, got + len, want);
        if (n <= 0) return (struct frame){ 0 };
        len += (size_t)n;
    }
    CHECK(found == 1);
    return f;
}

static bool ready(struct child *c)
{
    struct frame f = next_frame(c);
    if (f.kind == SIGN_READY && f.status != FRAME_OK) printf("  %.*s\n", (int)f.len, f.payload);
    return f.kind == SIGN_READY && f.status == FRAME_OK;
}

static void ask(struct child *c, uint32_t id, const struct sign_ask *a)
{
    FR_AUTO_BUF(payload);
    FR_AUTO_BUF(out);
    fr_buf_init(&payload, SIGNER_FRAME_BYTES_MAX);
    fr_buf_init(&out, 65536);
    CHECK(sign_wire_put(a, &payload, NULL) == FR_OK);
    frame_put(&out, &(struct frame){ .kind = a->kind == SIGN_A_TX ? SIGN_TX : a->kind == SIGN_A_PERMIT ? SIGN_PERMIT : SIGN_SIWE, .id = id, .len = (uint32_t)payload.len, .payload = payload.data });
    ssize_t wrote = send(c->fd, out.data, out.len, MSG_NOSIGNAL);
    (void)wrote;                         // it may have been killed meanwhile
}

static int end(struct child *c)
{
    close(c->fd);
    return ended(c->pid);
}

static void refused(struct start how, const char *code)
{
    char want[80];
    FR_AUTO_FD int tally_fd = test_file();
    if (!how.tally_fd) how.tally_fd = tally_fd;
    struct child c = start(how);
    struct frame f = next_frame(&c);
    snprintf(want, sizeof want, "{\"code\":\"%s\"", code);
    if (f.len < strlen(want) || memcmp(f.payload, want, strlen(want)) != 0) printf("  want %s, got %.*s\n", code, (int)f.len, f.payload ? f.payload : "");
    CHECK(f.kind == SIGN_READY && f.status == FRAME_REFUSED && f.len > strlen(want) && memcmp(f.payload, want, strlen(want)) == 0);
    int how_it_ended = end(&c);
    if (how_it_ended != -SIGNER_EXIT_LOCKED) printf("  after %s\n", code);
    CHECK_INT(how_it_ended, -SIGNER_EXIT_LOCKED);
}

static void test_it_signs_and_ends_with_its_channel(void)
{
    FR_AUTO_FD int tally_fd = test_file();
    struct child c = start((struct start){ .keys = 2, .tally_fd = tally_fd, .passphrase = "correct horse\r\n" });
    struct frame f = next_frame(&c);
    char text[ADDRESS_TEXT_BYTES];
    CHECK(f.kind == SIGN_READY && f.status == FRAME_OK);
    got[FRAME_HEADER_BYTES + f.len] = '\0';
    CHECK(strstr(f.payload, address_text(&addresses[0], text)) && strstr(f.payload, address_text(&addresses[1], text)) && strstr(f.payload, "\"chain_id\":\"31337\""));
    struct sign_ask a = test_burn(&addresses[1], 100);
    struct signature sig;
    struct address who;
    uint8_t hash[32];
    ask(&c, 5, &a);
    f = next_frame(&c);
    CHECK(f.kind == SIGN_DONE && f.status == FRAME_OK && f.id == 5 && f.len == SIGNATURE_BYTES);
    CHECK(signature_read((const uint8_t *)f.payload, &sig, NULL) == FR_OK && tx_signing_hash(&a.tx, hash, NULL) == FR_OK);
    CHECK(signature_signer(&sig, hash, &who, NULL) == FR_OK && address_equal(&who, &addresses[1]));
    a = test_permit(&addresses[0], TOKEN, BURN, 5);              // every kind inside the lockdown: what libraries do behind our back is seen here
    a.permit.deadline_s = (uint64_t)(fr_now_ms() / 1000) + 60;
    ask(&c, 6, &a);
    f = next_frame(&c);
    CHECK(f.id == 6 && f.status == FRAME_OK);
    a = test_siwe(&addresses[0]);
    a.siwe.issued_ms = fr_now_ms();
    a.siwe.expires_ms = a.siwe.issued_ms + 60000;
    ask(&c, 7, &a);
    f = next_frame(&c);
    CHECK(f.id == 7 && f.status == FRAME_OK);
    a = test_pay(&addresses[0], "transfer(address,uint256)", TOKEN, OTHER, 5);
    ask(&c, 8, &a);
    f = next_frame(&c);
    CHECK(f.id == 8 && f.status == FRAME_REFUSED);
    CHECK_INT(end(&c), -SIGNER_EXIT_DONE);
}

static void test_what_keeps_it_from_starting(void)
{
    refused((struct start){ .passphrase = "correct horsE" }, "passphrase_wrong");
    refused((struct start){ .passphrase = "correct horse\n\n" }, "passphrase_wrong");
    refused((struct start){ .policy = "{}" }, "policy");
    refused((struct start){ .keystore = "{\"version\":3}" }, "keystore_malformed");
    refused((struct start){ .keystore = "{\"version\":3,\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":\"83dbcc02d8ccb40e466191a123791e0e\"},"
        "\"ciphertext\":\"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c\",\"kdf\":\"scrypt\",\"kdfparams\":{\"dklen\":32,\"n\":1073741824,\"r\":8,\"p\":1,"
        "\"salt\":\"ab0c7876\"},\"mac\":\"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097\"}}" }, "keystore_costs");
    int foreign = file_of("something else", 14);
    refused((struct start){ .tally_fd = foreign }, "tally_corrupt");
    close(foreign);
}

// The longest of each, and one byte more.
static void test_how_long_its_files_may_be(void)
{
    for (int over = 0; over < 2; over++) {
        FR_AUTO_FD int tally_fd = test_file();
        size_t len = SIGNER_POLICY_BYTES_MAX + (size_t)over;
        char *padded = calloc(1, len + 1);
        memset(padded, ' ', len);
        memcpy(padded, test_policy, sizeof test_policy - 1);
        struct start how = { .policy = padded, .tally_fd = tally_fd };
        if (over) refused(how, "signer_input");
        struct child c = { 0 };
        if (!over) c = start(how);
        if (!over) CHECK(ready(&c) && end(&c) == -SIGNER_EXIT_DONE);
        free(padded);
    }
    static char words[PASSPHRASE_BYTES_MAX + 8], large[KEYSTORE_BYTES_MAX + 2];
    memset(words, 'x', PASSPHRASE_BYTES_MAX);
    refused((struct start){ .passphrase = words }, "passphrase_wrong");
    memset(words, 'x', PASSPHRASE_BYTES_MAX + 1);
    refused((struct start){ .passphrase = words }, "passphrase_wrong");       // none can be so long
    memset(words, 'x', PASSPHRASE_BYTES_MAX + 3);
    refused((struct start){ .passphrase = words }, "signer_input");
    memset(large, ' ', KEYSTORE_BYTES_MAX);
    refused((struct start){ .keystore = large }, "keystore_malformed");
    large[KEYSTORE_BYTES_MAX] = ' ';
    refused((struct start){ .keystore = large }, "signer_input");
    refused((struct start){ .keys = 2, .keystore = "{}" }, "keystore_malformed");
    FR_AUTO_FD int tally_fd = test_file();
    struct child c = start((struct start){ .keys = SIGNER_KEYS_MAX + 1, .keystore = "{}", .tally_fd = tally_fd });
    CHECK_INT(end(&c), -64);                                     // usage
}

static void test_forged_frames_end_it(void)
{
    static const char *const lies[] = { "\xff\xff\xff\x7f\x21\0\0\0\1\0\0\0\0\0\0\0", "\0\0\0\0\x60\0\0\0\1\0\0\0\0\0\0\0", "\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0", "0123456789abcdef" };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        FR_AUTO_FD int tally_fd = test_file();
        struct child c = start((struct start){ .tally_fd = tally_fd });
        CHECK(ready(&c));
        CHECK(write(c.fd, lies[i], 16) == 16);
        CHECK_INT(ended(c.pid), -SIGNER_EXIT_FRAMES);
        close(c.fd);
    }
    FR_AUTO_FD int tally_fd = test_file();
    struct child c = start((struct start){ .tally_fd = tally_fd });
    int64_t from_ms = fr_mono_ms();
    CHECK(ready(&c) && write(c.fd, "\0\0", 2) == 2);
    CHECK_INT(ended(c.pid), -SIGNER_EXIT_FRAMES);                // half a header, and nothing more
    CHECK(fr_mono_ms() - from_ms >= FRAME_PARTIAL_MS - 10);
    close(c.fd);
}

// Killed at random moments while asks pour in: what was signed in all lives together is at most the day's limit.
static void test_kills_never_sign_over_the_days_limit(void)
{
    FR_AUTO_FD int tally_fd = test_file();
    unsigned seed = 20261129;
    int signed_count = 0, lives = 0;
    uint64_t nonce = 1;
    for (; lives < 60; lives++) {
        struct child c = start((struct start){ .tally_fd = tally_fd });
        CHECK(ready(&c));
        int asks = 1 + (int)(rand_r(&seed) % 4);
        for (int i = 0; i < asks; i++) {
            struct sign_ask a = test_burn(&addresses[0], 7);     // 128 of 7 in 900
            a.tx.nonce = nonce++;
            a.tx.max_fee = u256_of(10);
            a.tx.max_tip = u256_of(1);
            ask(&c, (uint32_t)i + 1, &a);
        }
        nanosleep(&(struct timespec){ .tv_nsec = rand_r(&seed) % 4000000 }, NULL);
        kill(c.pid, SIGKILL);
        for (;;) {                                               // what left before it died counts as signed
            struct frame f = next_frame(&c);
            if (f.kind != SIGN_DONE) break;
            signed_count += f.status == FRAME_OK;
        }
        CHECK_INT(end(&c), SIGKILL);
    }
    struct tally *t = NULL;
    struct address burn = test_address(BURN);
    uint64_t counted = 0;
    CHECK(tally_open(tally_fd, &t, NULL) == FR_OK && u256_fits_u64(tally_spent(t, SPEND_BURN, &burn), &counted));
    tally_free(t);
    printf("%d kills: %llu counted, %d signed\n", lives, (unsigned long long)counted, signed_count * 7);
    CHECK(counted >= (uint64_t)signed_count * 7 && counted <= 900);
    struct child c = start((struct start){ .tally_fd = tally_fd });
    CHECK(ready(&c));
    for (uint32_t i = 1; i <= 200; i++, nonce++) {               // and the rest of the day's limit, no more
        struct sign_ask a = test_burn(&addresses[0], 7);
        a.tx.nonce = nonce;
        a.tx.max_fee = u256_of(10);
        a.tx.max_tip = u256_of(1);
        ask(&c, i, &a);
        signed_count += next_frame(&c).status == FRAME_OK;
    }
    CHECK_INT(end(&c), -SIGNER_EXIT_DONE);
    CHECK(signed_count * 7 <= 900);
}

// ---- its memory

static bool opens_as(uid_t uid, const char *path, int flags)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (uid && (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)) _exit(2);
        int fd = open(path, flags | O_CLOEXEC);
        char byte;
        _exit(fd >= 0 && (read(fd, &byte, 1) >= 0 || errno == EIO) ? 1 : 0);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

static size_t occurrences(FILE *f, const uint8_t *what)
{
    size_t count = 0, at = 0;
    for (int c; (c = fgetc(f)) != EOF;) {
        at = c == what[at] ? at + 1 : c == what[0];
        if (at == SECRET_KEY_BYTES) {
            count++;
            at = 0;
        }
    }
    return count;
}

// The signer's own pages, as root alone may see them: how often the key is there. -1: not allowed to look.
static long key_copies(pid_t pid, const uint8_t *key, bool *in_core)
{
    char path[64], line[512];
    long copies = 0;
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    FR_AUTO_FD int mem = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
    FILE *maps = fopen(path, "r");
    bool found_here = false;
    if (mem < 0 || !maps) {
        if (maps) fclose(maps);
        return -1;
    }
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        char may[8];
        if (sscanf(line, "%lx-%lx %7s", &from, &to, may) == 3) {
            char *bytes = malloc(to - from);
            ssize_t n = may[0] == 'r' ? pread(mem, bytes, to - from, (off_t)from) : 0;
            FILE *f = n > 0 ? fmemopen(bytes, (size_t)n, "r") : NULL;
            size_t here = f ? occurrences(f, key) : 0;
            if (f) fclose(f);
            free(bytes);
            found_here = here > 0;
            copies += (long)here;
        } else if (found_here && strncmp(line, "VmFlags:", 8) == 0 && !(strstr(line, " dd") && strstr(line, " lo") && strstr(line, " wf"))) {
            printf("  a key in pages with %s", line);
            *in_core = true;                                     // not left out of dumps, or not locked, or not wiped in a fork
        }
    }
    fclose(maps);
    return copies;
}

static long core_limit(const char *path)
{
    char line[256];
    long soft = -1, hard = -1;
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f) && sscanf(line, "Max core file size %ld %ld", &soft, &hard) != 2) continue;
    if (f) fclose(f);
    return soft == 0 ? hard : -1;
}

static void test_nobody_reads_its_memory(void)
{
    char path[64];
    bool in_core = false;
    FR_AUTO_FD int tally_fd = test_file();
    struct child c = start((struct start){ .tally_fd = tally_fd });
    CHECK(ready(&c));
    struct sign_ask a = test_burn(&addresses[0], 100);
    ask(&c, 1, &a);
    CHECK(next_frame(&c).status == FRAME_OK);
    static const char *const files[] = { "mem", "environ", "maps", "auxv", "stack", "syscall" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", (int)c.pid, files[i]);
        CHECK(!opens_as(geteuid() == 0 ? 65534 : 0, path, O_RDONLY));        // another user; or, where we are none, the same
        if (geteuid() == 0) CHECK(!opens_as(61000 + (uid_t)c.pid % 184, path, O_RDONLY));      // not even its own: it is not dumpable
    }
    long copies = key_copies(c.pid, secrets[0], &in_core);
    CHECK(copies == 1 || copies == -1);                          // in its one locked page, nowhere on stack or heap
    CHECK(!in_core);
    printf("%ld copies of the key in its memory\n", copies);
    snprintf(path, sizeof path, "/proc/%d/environ", (int)c.pid);
    FILE *environ_file = fopen(path, "r");
    if (environ_file) {
        CHECK_INT(fgetc(environ_file), EOF);
        fclose(environ_file);
    }
    snprintf(path, sizeof path, "/proc/%d/limits", (int)c.pid);
    CHECK_INT(core_limit(path), 0);
    kill(c.pid, SIGABRT);
    int status;
    CHECK(waitpid(c.pid, &status, 0) == c.pid && WIFSIGNALED(status) && !WCOREDUMP(status));
    close(c.fd);
}

static void test_it_dies_with_its_host(void)
{
    int said[2], status;
    pid_t pid = 0;
    FR_AUTO_FD int tally_fd = test_file();
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && pipe(said) == 0);
    pid_t host = fork();
    if (host == 0) {
        struct child c = start((struct start){ .tally_fd = tally_fd });
        if (!ready(&c) || write(said[1], &c.pid, sizeof c.pid) < 0) _exit(1);
        for (;;) pause();
    }
    CHECK(read(said[0], &pid, sizeof pid) == sizeof pid && pid > 0);
    kill(host, SIGKILL);
    CHECK(waitpid(host, &status, 0) == host);
    int how = pid > 0 ? ended(pid) : 0;
    CHECK(how == SIGKILL || how == -SIGNER_EXIT_DONE);           // the signal, or its channel that closed at the same moment
    close(said[0]);
    close(said[1]);
}

int main(int argc, char **argv)
{
    (void)argc;
    find_signer(argv[0]);
    for (int i = 0; i < 2; i++) {
        for (int b = 0; b < SECRET_KEY_BYTES; b++) secrets[i][b] = (uint8_t)(i * 101 + b * 37 + 11);
        FR_IGNORE(secret_key_address(secrets[i], &addresses[i], NULL));
    }
    TEST(test_each_forbidden_thing_ends_the_signer);
    TEST(test_it_signs_and_ends_with_its_channel);
    TEST(test_what_keeps_it_from_starting);
    TEST(test_how_long_its_files_may_be);
    TEST(test_forged_frames_end_it);
    TEST(test_kills_never_sign_over_the_days_limit);
    TEST(test_nobody_reads_its_memory);
    TEST(test_it_dies_with_its_host);
    fr_buf_free(&test_data);
    return TEST_END();
}
