// signer_files_test.c — paths to descriptors: rights that are too wide, files that are not there, nothing left open.
#include "chain/signer_files.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/check.h"

static char folder[] = "/tmp/frond-files-XXXXXX";
static char path[5][64];
enum { POLICY, TALLY, PASSPHRASE, KEY, OTHER_KEY };

static void put(int no, const char *name, mode_t mode)
{
    snprintf(path[no], sizeof path[no], "%s/%s", folder, name);
    int fd = open(path[no], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, name, strlen(name)) == (ssize_t)strlen(name) && fchmod(fd, mode) == 0);
    close(fd);
}

static int open_descriptors(void)
{
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d)) count++;
    if (d) closedir(d);
    return count;
}

static struct signer_paths paths(void)
{
    return (struct signer_paths){ .policy = path[POLICY], .tally = path[TALLY], .passphrase = path[PASSPHRASE], .keystores = { path[KEY], path[OTHER_KEY] }, .key_count = 2 };
}

static bool reads(int fd, const char *want)
{
    char text[64] = { 0 };
    return read(fd, text, sizeof text - 1) == (ssize_t)strlen(want) && strcmp(text, want) == 0;
}

static void test_every_path_is_its_descriptor(void)
{
    struct signer_local_options o = { 0 };
    struct signer_paths p = paths();
    struct stat st;
    int before = open_descriptors();
    CHECK(signer_files_open(&p, NULL, 0, &o, NULL) == FR_OK && o.key_count == 2);
    CHECK(reads(o.policy_fd, "policy") && reads(o.passphrase_fd, "passphrase") && reads(o.keystore_fds[0], "key") && reads(o.keystore_fds[1], "other"));
    CHECK(stat(path[TALLY], &st) == 0 && (st.st_mode & 0777) == 0600 && write(o.tally_fd, "x", 1) == 1);
    signer_files_close(&o);
    signer_files_close(&o);
    CHECK_INT(open_descriptors(), before);
    p.passphrase = NULL;
    CHECK(signer_files_open(&p, "typed", 5, &o, NULL) == FR_OK && reads(o.passphrase_fd, "typed"));
    char byte;
    CHECK_INT(read(o.passphrase_fd, &byte, 1), 0);       // and its end
    signer_files_close(&o);
}

static void test_what_others_may_do_is_looked_at(void)
{
    static const struct { int no; mode_t mode; enum fr_status want; } cases[] = {
        { PASSPHRASE, 0640, FR_E_DENIED }, { PASSPHRASE, 0602, FR_E_DENIED }, { KEY, 0604, FR_E_DENIED }, { OTHER_KEY, 0660, FR_E_DENIED },
        { POLICY, 0644, FR_OK }, { POLICY, 0664, FR_E_DENIED }, { POLICY, 0646, FR_E_DENIED }, { TALLY, 0622, FR_E_DENIED }, { TALLY, 0600, FR_OK },
    };
    int before = open_descriptors();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct signer_local_options o = { 0 };
        struct signer_paths p = paths();
        struct fr_err err = { 0 };
        CHECK(chmod(path[cases[i].no], cases[i].mode) == 0);
        CHECK_INT(signer_files_open(&p, NULL, 0, &o, &err), cases[i].want);
        if (cases[i].want != FR_OK) CHECK_TEXT(err.code, "file_open_to_others");
        if (cases[i].want != FR_OK) CHECK(strstr(err.text, path[cases[i].no]) != NULL);
        signer_files_close(&o);
        CHECK(chmod(path[cases[i].no], 0600) == 0);
        CHECK_INT(open_descriptors(), before);
    }
}

static void test_what_is_not_there(void)
{
    for (int no = 0; no <= OTHER_KEY; no++) {
        struct signer_local_options o = { 0 };
        struct signer_paths p = paths();
        struct fr_err err = { 0 };
        if (no == TALLY) continue;                       // it is made
        const char *was = no == POLICY ? p.policy : no == PASSPHRASE ? p.passphrase : p.keystores[no - KEY];
        char gone[80];
        snprintf(gone, sizeof gone, "%s.gone", was);
        CHECK(rename(was, gone) == 0);
        CHECK_INT(signer_files_open(&p, NULL, 0, &o, &err), FR_E_NOT_FOUND);
        CHECK_TEXT(err.code, "signer_file");
        CHECK(rename(gone, was) == 0);
    }
    struct signer_local_options o = { 0 };
    struct signer_paths p = paths();
    p.policy = folder;
    CHECK_INT(signer_files_open(&p, NULL, 0, &o, NULL), FR_E_IO);
}

int main(void)
{
    if (!mkdtemp(folder)) return 1;
    put(POLICY, "policy", 0644);
    put(PASSPHRASE, "passphrase", 0600);
    put(KEY, "key", 0600);
    put(OTHER_KEY, "other", 0400);
    snprintf(path[TALLY], sizeof path[TALLY], "%s/tally", folder);
    TEST(test_every_path_is_its_descriptor);
    TEST(test_what_others_may_do_is_looked_at);
    TEST(test_what_is_not_there);
    for (int i = 0; i < 5; i++) unlink(path[i]);
    rmdir(folder);
    return TEST_END();
}
