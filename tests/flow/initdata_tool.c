// initdata_tool.c — host/player/initdata behind a pipe, so that other libraries can be asked the same questions. Tabs between fields:
//
//   verify NOW_MS TOKEN QUERY            -> ok USER_ID START_PARAM | no CODE
//   third NOW_MS BOT_ID KEY_HEX QUERY    -> ok USER_ID START_PARAM | no CODE       (by the signature of whoever holds the key)
//   mint DATE_S TOKEN START_PARAM USER   -> ok QUERY | no CODE       (START_PARAM may be empty)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "player/initdata.h"

#define FIELDS 5

static void verify(const struct bots *bots, const char *now_ms, const char *query)
{
    struct initdata_rules rules = { bots, strtoll(now_ms, NULL, 10), INITDATA_AGE_S_DEFAULT, INITDATA_FUTURE_S };
    struct initdata d;
    struct fr_err err;
    if (initdata_verify(query, strlen(query), &rules, &d, &err) == FR_OK) printf("ok\t%lld\t%s\n", (long long)d.user_id, d.start_param);
    else printf("no\t%s\n", err.code);
}

static void verify_own(char *const f[FIELDS])
{
    struct bots bots;
    struct fr_err err;
    bots_init(&bots);
    if (bots_add(&bots, "own", f[2], 0, &err) == FR_OK) verify(&bots, f[1], f[3]);
    else printf("no\t%s\n", err.code);
}

static void verify_third(char *const f[FIELDS])
{
    struct bots bots;
    struct fr_err err;
    bots_init(&bots);
    if (!fr_unhex(f[3], strlen(f[3]), bots.telegram_key, sizeof bots.telegram_key)) printf("no\tkey\n");
    else if (bots_add(&bots, "partner", NULL, strtoll(f[2], NULL, 10), &err) == FR_OK) verify(&bots, f[1], f[4]);
    else printf("no\t%s\n", err.code);
}

static void mint(char *const f[FIELDS])
{
    struct fr_err err;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 2 * INITDATA_BYTES_MAX);
    if (initdata_mint(f[2], f[4], strtoll(f[1], NULL, 10), f[3], &out, &err) == FR_OK) printf("ok\t%s\n", out.data);
    else printf("no\t%s\n", err.code);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t len; (len = getline(&line, &cap, stdin)) > 0; ) {
        char *f[FIELDS], *at = line;
        int count = 0;
        if (line[len - 1] == '\n') line[len - 1] = 0;
        for (; count < FIELDS && at; count++) {
            f[count] = at;
            at = strchr(at, '\t');
            if (at) *at++ = 0;
        }
        if (count == 4 && strcmp(f[0], "verify") == 0) verify_own(f);
        else if (count == 5 && strcmp(f[0], "third") == 0) verify_third(f);
        else if (count == 5 && strcmp(f[0], "mint") == 0) mint(f);
        else printf("no\tusage\n");
        fflush(stdout);
    }
    free(line);
    return 0;
}
