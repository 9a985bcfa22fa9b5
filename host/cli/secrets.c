// secrets.c — a passphrase or key as text: from a file, a descriptor, or the terminal without echo. Never from the command line, which every process of the
// machine can read, nor from the environment.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include "cli/internal.h"

// ---- the terminal

static struct termios terminal_before;
static int terminal_fd = -1;

static void terminal_interrupted(int sig)
{
    tcsetattr(terminal_fd, TCSAFLUSH, &terminal_before);         // a shell that echoes nothing any more would be a poor answer to ^C
    _exit(128 + sig);
}

static bool terminal_quiet(void)
{
    struct sigaction on_end = { .sa_handler = terminal_interrupted };
    struct termios quiet;
    terminal_fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (terminal_fd < 0 || tcgetattr(terminal_fd, &terminal_before) < 0) return false;
    sigaction(SIGINT, &on_end, NULL);
    sigaction(SIGTERM, &on_end, NULL);
    quiet = terminal_before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    return tcsetattr(terminal_fd, TCSAFLUSH, &quiet) == 0;
}

static void terminal_back(void)
{
    if (terminal_fd < 0) return;
    tcsetattr(terminal_fd, TCSAFLUSH, &terminal_before);
    close(terminal_fd);
    terminal_fd = -1;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

// ---- a secret text, from wherever it comes

static enum fr_status secret_read(int fd, bool line, const char *what, struct secret_text *ret, struct fr_err *err)
{
    uint8_t *bytes = fr_secret_bytes(ret->memory);
    ret->len = 0;
    while (ret->len < SECRET_TEXT_BYTES) {
        ssize_t n = read(fd, bytes + ret->len, line ? 1 : SECRET_TEXT_BYTES - ret->len);      // no byte of what follows on the terminal
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return FR_FAIL_CODE(err, FR_E_IO, "file", "cannot read the %s: %s", what, strerror(errno));
        ret->len += (size_t)n;
        if (n == 0 || (line && bytes[ret->len - 1] == '\n')) break;
    }
    if (ret->len > 0 && bytes[ret->len - 1] == '\n') ret->len--;
    if (ret->len > 0 && bytes[ret->len - 1] == '\r') ret->len--;
    return ret->len <= SECRET_TEXT_BYTES_MAX ? FR_OK : FR_FAIL_CODE(err, FR_E_LIMIT, "file", "the %s has over %d bytes", what, SECRET_TEXT_BYTES_MAX);
}

enum fr_status secret_ask(const char *prompt, const char *what, struct secret_text *ret, struct fr_err *err)
{
    if (!terminal_quiet()) {
        terminal_back();
        return FR_FAIL_CODE(err, FR_E_INVALID, "passphrase_missing", "there is no terminal to ask for the %s: name a file or a descriptor with it", what);
    }
    dprintf(terminal_fd, "%s: ", prompt);
    enum fr_status status = secret_read(terminal_fd, true, what, ret, err);
    dprintf(terminal_fd, "\n");
    terminal_back();
    return status;
}

static enum fr_status secret_from_fd(const char *number, const char *what, struct secret_text *ret, struct fr_err *err)
{
    long fd = strtol(number, NULL, 10);
    if (fd > 1023 || fcntl((int)fd, F_GETFD) < 0) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "descriptor %.20s is not open", number);
    return secret_read((int)fd, false, what, ret, err);
}

static enum fr_status secret_from_file(const char *path, const char *what, struct secret_text *ret, struct fr_err *err)
{
    FR_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0) return FR_FAIL_CODE(err, errno == ENOENT ? FR_E_NOT_FOUND : FR_E_IO, "file", "cannot read %.300s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077))
        return FR_FAIL_CODE(err, FR_E_DENIED, "file_open_to_others", "%.300s holds a secret and others may read it: chmod 600", path);
    return secret_read(fd, false, what, ret, err);
}

enum fr_status secret_get(const struct cli *c, const char *file, const char *fd, const char *prompt, const char *what, struct secret_text *ret, struct fr_err *err)
{
    const char *path = cli_option(c, file), *number = cli_option(c, fd);
    if (path && number) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "--%s or --%s, not both", file, fd);
    FR_TRY(fr_secret_new(SECRET_TEXT_BYTES, &ret->memory, err));
    if (number) return secret_from_fd(number, what, ret, err);
    return path ? secret_from_file(path, what, ret, err) : secret_ask(prompt, what, ret, err);
}

enum fr_status cli_ask_passphrase(const char *prompt, struct fr_secret **ret, size_t *len, struct fr_err *err)
{
    FR_AUTO(fr_secret) memory = NULL;
    FR_TRY(fr_secret_new(SECRET_TEXT_BYTES, &memory, err));
    struct secret_text text = { .memory = memory };
    FR_TRY(secret_ask(prompt, "passphrase", &text, err));
    *len = text.len;
    *ret = FR_TAKE(memory);
    return FR_OK;
}
