// main.c — frond-jail: locks itself down, then becomes a helper. Started by the host, never by people. How: ipc/jail.h.
//
//   frond-jail --parent PID ..              becomes the helper
//   frond-jail --probe NAME [ARGUMENT]      as a helper of another frond-jail: tries one thing, and says how it went
//   frond-jail --version
#include <stdio.h>
#include <string.h>
#include "base/version.h"
#include "jail/jail.h"

static int refuse(const struct fr_err *err, int exit_code)
{
    fprintf(stderr, "frond-jail: %s\n", err->text);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct jail j;
    struct fr_err err;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) return puts(FROND_VERSION) < 0;
    if (argc >= 3 && strcmp(argv[1], "--probe") == 0) return jail_probe(argv[2], argc > 3 ? argv[3] : "");
    if (jail_read_args(argc, argv, &j, &err) != FR_OK) return refuse(&err, JAIL_EXIT_USAGE);
    if (jail_open(&j, &err) != FR_OK) return refuse(&err, JAIL_EXIT_FILES);
    if (jail_lock(&j, &err) != FR_OK) return refuse(&err, JAIL_EXIT_LOCKDOWN);
    if (jail_look(&j, &err) != FR_OK) return refuse(&err, JAIL_EXIT_FILES);
    FR_IGNORE(jail_start(&j, &err));       // it is here because it failed
    return refuse(&err, JAIL_EXIT_START);
}
