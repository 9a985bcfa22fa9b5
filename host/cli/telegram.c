// telegram.c — `telegram connect`: the config file's bots and addresses, walked through step by step.
#include <string.h>
#include "base/mem.h"
#include "cli/internal.h"
#include "telegram/connect.h"

#define CONFIG_BYTES_MAX (64 * 1024)

static enum fr_status config_parse(const char *path, struct fr_json **ret, struct fr_err *err)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 2 * CONFIG_BYTES_MAX);           // file_read_all reads in blocks
    FR_TRY(file_read_all(path, CONFIG_BYTES_MAX, &text, err));
    if (fr_json_parse(text.data ? text.data : "", text.len, ret, err) == FR_OK && fr_json_kind(*ret) == JSON_OBJECT) return FR_OK;
    if (*ret) FR_IGNORE(FR_FAIL(err, FR_E_INVALID, "expected an object"));      // its code is set below
    snprintf(err->code, sizeof err->code, "config");
    return fr_err_note(err, "%.200s", path);
}

static enum fr_status settings_of(const struct cli *c, struct bots *bots, struct telegram_settings *settings, struct fr_err *err)
{
    FR_AUTO(fr_json) config = NULL;
    const char *path = cli_option(c, "config"), *url = cli_option(c, "url");
    if (path) FR_TRY(config_parse(path, &config, err));
    FR_TRY(bots_read(config, bots, err));
    FR_TRY(telegram_settings_read(config, settings, err));
    if (url && !telegram_url_read(url, false, settings->public_url))
        return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "--url wants https://HOST without a path, not \"%.100s\"", url);
    return FR_OK;
}

static enum fr_status bot_of(const struct cli *c, const struct bots *bots, const struct bot **ret, struct fr_err *err)
{
    const char *name = cli_option(c, "bot");
    if (bots->count == 0) return FR_FAIL_CODE(err, FR_E_INVALID, "bot_token_missing", "there is no bot: get a token from @BotFather (/newbot), then set FROND_BOT_TOKEN or \"bot_token\" in the file that --config names");
    if (!name && bots->count > 1) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "the config file has %d bots: name one with --bot", bots->count);
    *ret = name ? bots_find(bots, name) : &bots->list[0];
    return *ret ? FR_OK : FR_FAIL_CODE(err, FR_E_NOT_FOUND, "bot_unknown", "the config file has no bot \"%.40s\"", name);
}

enum fr_status run_telegram_connect(struct cli *c, struct fr_err *err)
{
    struct bots bots;
    struct telegram_settings settings;
    const struct bot *bot;
    struct connect found;
    FR_TRY(settings_of(c, &bots, &settings, err));
    FR_TRY(bot_of(c, &bots, &bot, err));
    telegram_connect(bot, &settings, cli_option(c, "dry-run") != NULL, &found);
    fr_buf_addf(&c->out, "{\"bot\":\"%s\",\"id\":\"%lld\",\"username\":", bot->name, (long long)bot->id);
    fr_buf_add_json_text(&c->out, found.username[0] ? found.username : NULL);
    fr_buf_add(&c->out, ",\"steps\":[");
    for (int i = 0; i < found.count; i++) {
        fr_buf_addf(&c->out, "%s{\"step\":\"%s\",\"state\":\"%s\",\"text\":", i ? "," : "", found.steps[i].name, connect_state_name(found.steps[i].state));
        fr_buf_add_json_text(&c->out, found.steps[i].text);
        fr_buf_add(&c->out, ",\"fix\":");
        fr_buf_add_json_text(&c->out, found.steps[i].fix[0] ? found.steps[i].fix : NULL);
        fr_buf_add(&c->out, "}");
    }
    fr_buf_add(&c->out, "]}");
    memset(&bots, 0, sizeof bots);
    if (found.failed) return FR_FAIL_CODE(err, FR_E_CONFLICT, "telegram_connect", "%d of %d steps failed", found.failed, found.count);
    return FR_OK;
}

void print_connect(FILE *out, const struct fr_json *v, const struct cli *c)
{
    (void)c;
    for (const struct fr_json *s = fr_json_child(fr_json_get(v, "steps")); s; s = fr_json_next(s)) {
        const char *fix = fr_json_text(fr_json_get(s, "fix"));
        fprintf(out, "%-8s %-8s ", fr_json_text(fr_json_get(s, "state")), fr_json_text(fr_json_get(s, "step")));
        print_text(out, fr_json_text(fr_json_get(s, "text")));
        fputc('\n', out);
        if (!fix) continue;
        fprintf(out, "%-17s -> ", "");
        print_text(out, fix);
        fputc('\n', out);
    }
}
