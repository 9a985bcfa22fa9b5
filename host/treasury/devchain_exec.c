// devchain_exec.c — between fork and anvil: what has to be so before it runs.
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "treasury/devchain.h"

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st; (void)kind; (void)ftw;
    return remove(path);
}

// dev-chain-node PARENT FOLDER ANVIL ARG...: FOLDER is anvil's scratch, and is emptied: a killed one leaves rests.
int devchain_exec(int argc, char **argv)
{
    if (argc < 5) return 2;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != atoi(argv[2])) return 1;      // the parent may have ended before it was set
    if (setpgid(0, 0) != 0) return 1;            // ^C is for the host, which ends us when it has answered everybody
    nftw(argv[3], remove_one, 8, FTW_DEPTH | FTW_PHYS);
    mkdir(argv[3], 0700);
    execv(argv[4], &argv[4]);
    fprintf(stderr, "cannot run %s\n", argv[4]);
    return 1;
}
