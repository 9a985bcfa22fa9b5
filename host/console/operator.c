// operator.c — the operator's token.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/hash.h"
#include "base/hex.h"
#include "console/metrics.h"

static enum fr_status token_make(const char *path, char out[OPERATOR_TOKEN_BYTES], struct fr_err *err)
{
    uint8_t bytes[32];
    char line[OPERATOR_TOKEN_BYTES + 1];
    fr_random_bytes(bytes, sizeof bytes);
    fr_base64url(bytes, sizeof bytes, out);
    int len = snprintf(line, sizeof line, "%s\n", out);
    char part[1100 + 8];
    snprintf(part, sizeof part, "%s.part", path);          // half a token would refuse the next start
    unlink(part);
    FR_AUTO_FD int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && write(fd, line, (size_t)len) == len && fsync(fd) == 0 && rename(part, path) == 0) return FR_OK;
    int why = errno;
    unlink(part);
    return FR_FAIL_CODE(err, FR_E_IO, "operator_token", "cannot write %s: %s", path, strerror(why));
}

enum fr_status operator_token_open(const char *folder, char out[OPERATOR_TOKEN_BYTES], struct fr_err *err)
{
    char path[1100], text[OPERATOR_TOKEN_BYTES + 2] = { 0 };
    struct stat st;
    if ((size_t)snprintf(path, sizeof path, "%s/" OPERATOR_TOKEN_NAME, folder) >= sizeof path) return FR_FAIL(err, FR_E_INVALID, "the data folder's name is too long");
    FR_AUTO_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return token_make(path, out, err);
    ssize_t n = fd < 0 || fstat(fd, &st) != 0 ? -1 : read(fd, text, sizeof text - 1);
    if (n < 0) return FR_FAIL_CODE(err, FR_E_IO, "operator_token", "cannot read %s: %s", path, strerror(errno));
    if ((st.st_mode & 077) != 0) return FR_FAIL_CODE(err, FR_E_DENIED, "operator_token", "others can read %s: delete it, and the next start makes a new one", path);
    text[strcspn(text, "\r\n")] = 0;
    if (strlen(text) != OPERATOR_TOKEN_BYTES - 1) return FR_FAIL_CODE(err, FR_E_INVALID, "operator_token", "%s holds no token: delete it, and the next start makes a new one", path);
    memcpy(out, text, OPERATOR_TOKEN_BYTES);
    return FR_OK;
}
