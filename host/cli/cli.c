// cli.c — one command: words in, one function, one answer out.
#include "cli/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

enum fr_status run_serve(struct cli *c, struct fr_err *err)
{
    struct serve_options o = { .data = c->data, .listen = cli_option(c, "listen"), .config = cli_option(c, "config"), .dev = cli_option(c, "dev") != NULL, .no_chain = cli_option(c, "no-chain") != NULL, .no_models = cli_option(c, "no-models") != NULL, .json = c->json };
    (void)err;
    c->exit = c->host->serve(&o);                            // says what is wrong itself
    return FR_OK;
}

// ---- the answer

static void print_json(const struct cli *c, enum fr_status status, const struct fr_err *err)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, CLI_RESULT_BYTES_MAX + 4096);
    if (status == FR_OK) {
        fr_buf_add(&b, "{\"ok\":true");
    } else {
        fr_buf_add(&b, "{\"ok\":false,\"code\":");
        fr_buf_add_json_text(&b, err->code);
        fr_buf_add(&b, ",\"detail\":");
        fr_buf_add_json_text(&b, err->text);
    }
    if (c->out.len > 0) {
        fr_buf_add(&b, ",\"result\":");
        fr_buf_add_bytes(&b, c->out.data, c->out.len);
    } else if (status == FR_OK) {
        fr_buf_add(&b, ",\"result\":null");
    }
    fr_buf_add(&b, "}\n");
    fwrite(b.data, 1, b.len, stdout);
}

static void print_people(const struct cli *c, enum fr_status status, const struct fr_err *err)
{
    FR_AUTO(fr_json) result = NULL;
    struct fr_err bad;
    if (c->out.len > 0) {
        if (fr_json_parse(c->out.data, c->out.len, &result, &bad) == FR_OK) {
            if (c->verb->print) c->verb->print(stdout, result, c);
            else print_value(stdout, result, c->verb->columns);
        } else {                                       // longer than we read: as it is
            fwrite(c->out.data, 1, c->out.len, stdout);
            fputc('\n', stdout);
        }
    }
    if (status == FR_OK) return;
    fflush(stdout);
    fprintf(stderr, "frond: ");
    print_text(stderr, err->text);
    fprintf(stderr, " (%s)\n", err->code);
}

static int finish(struct cli *c, enum fr_status status, const struct fr_err *err)
{
    int exit_code = status == FR_OK ? c->exit : strcmp(err->code, "usage") == 0 ? EXIT_USAGE : EXIT_REFUSED;
    bool served = c->verb && c->verb->run == run_serve && status == FR_OK;
    if (!served && c->json) print_json(c, status, err);
    else if (!served) print_people(c, status, err);
    fr_buf_free(&c->out);
    if (fflush(stdout) != 0 || ferror(stdout)) {       // a full disk behind `>`: half an answer is no answer
        fprintf(stderr, "frond: cannot write the answer: %s (io)\n", strerror(errno));
        return EXIT_REFUSED;
    }
    return exit_code;
}

int cli_refuse(bool json, const struct fr_err *err)
{
    struct cli c = { .json = json };
    fr_buf_init(&c.out, CLI_RESULT_BYTES_MAX);
    return finish(&c, err->status, err);
}

// What the host's parts log belongs to a host; here it would only stand between the lines of the answer.
static void quiet(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) fr_log_to(fd);
}

static enum fr_status run(struct cli *c, struct fr_err *err)
{
    if (c->help || !c->verb) {                         // --help anywhere is `help VERB`
        const char *name = c->verb ? c->verb->name : NULL;
        memset(c->arg, 0, sizeof c->arg);
        c->arg[0] = name;
        c->verb = cli_verb_find("help");
    }
    if (c->verb->run != run_serve) quiet();
    FR_TRY(c->verb->run(c, err));
    return fr_buf_check(&c->out, "the answer", err);
}

int cli_main(int argc, char **argv, const struct cli_host *host)
{
    struct fr_err err;
    const char *env = getenv("FROND_DATA");
    struct cli c = { .host = host, .data = env && env[0] ? env : "build/dev" };
    fr_buf_init(&c.out, CLI_RESULT_BYTES_MAX);
    enum fr_status st = args_parse(argc, argv, &c, &err);
    if (st == FR_OK) st = run(&c, &err);
    return finish(&c, st, &err);
}
