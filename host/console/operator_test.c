#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/check.h"
#include "console/metrics.h"

static char folder[64], path[128];

static void folder_make(void)
{
    snprintf(folder, sizeof folder, "/tmp/frond-operator-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/" OPERATOR_TOKEN_NAME, folder);
}

static void folder_drop(void)
{
    unlink(path);
    CHECK(rmdir(folder) == 0);
}

static void test_a_token_is_made_once_for_us_alone(void)
{
    char first[OPERATOR_TOKEN_BYTES], again[OPERATOR_TOKEN_BYTES];
    struct fr_err err;
    struct stat st;
    folder_make();
    umask(0);                                          // the file's own mode must do
    CHECK(operator_token_open(folder, first, &err) == FR_OK);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK_INT(strlen(first), OPERATOR_TOKEN_BYTES - 1);
    CHECK(operator_token_open(folder, again, &err) == FR_OK);
    CHECK_TEXT(again, first);
    folder_drop();
}

static void test_a_token_that_others_read_or_made_is_none(void)
{
    char token[OPERATOR_TOKEN_BYTES];
    struct fr_err err;
    folder_make();
    CHECK(operator_token_open(folder, token, &err) == FR_OK);
    CHECK(chmod(path, 0640) == 0 && operator_token_open(folder, token, &err) == FR_E_DENIED);
    CHECK(chmod(path, 0600) == 0 && truncate(path, 5) == 0 && operator_token_open(folder, token, &err) == FR_E_INVALID);
    CHECK(truncate(path, 5000) == 0 && operator_token_open(folder, token, &err) == FR_E_INVALID);
    CHECK(unlink(path) == 0 && symlink("/dev/null", path) == 0 && operator_token_open(folder, token, &err) == FR_E_IO);      // a link leads anywhere
    folder_drop();
}

// A disk that is full, or a kill, in the middle of it: the next start must not find half a token.
static void test_a_token_is_whole_or_not_there(void)
{
    char token[OPERATOR_TOKEN_BYTES];
    struct fr_err err;
    struct rlimit before, small;
    folder_make();
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = (struct rlimit){ .rlim_cur = 10, .rlim_max = before.rlim_max };
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    CHECK(operator_token_open(folder, token, &err) == FR_E_IO);
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(access(path, F_OK) != 0);
    CHECK(operator_token_open(folder, token, &err) == FR_OK);
    folder_drop();
}

int main(void)
{
    TEST(test_a_token_is_made_once_for_us_alone);
    TEST(test_a_token_that_others_read_or_made_is_none);
    TEST(test_a_token_is_whole_or_not_there);
    return TEST_END();
}
