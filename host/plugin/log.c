// log.c — the last lines each plugin wrote, in memory: a ring of JSON texts.
#include "plugin/internal.h"
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"

#define LINE_BYTES_MAX 4096            // 500 lines of it: a plugin that writes as much as it may costs 2 MiB
#define TEXT_BYTES_MAX 2000

struct plugin_log { char *lines[PLUGIN_LOG_LINES_MAX]; int first, count; };

enum fr_status plugin_log_new(struct plugin_log **ret, struct fr_err *err)
{
    *ret = fr_alloc(sizeof **ret);
    return *ret ? FR_OK : FR_FAIL(err, FR_E_NOMEM, "no memory for a plugin's log");
}

void plugin_log_free(struct plugin_log *log)
{
    if (!log) return;
    for (int i = 0; i < PLUGIN_LOG_LINES_MAX; i++) fr_free(log->lines[i]);
    fr_free(log);
}

static void line_print(struct fr_buf *out, const char *level, const char *text, const char *fields)
{
    char when[25];
    size_t len = strlen(text);
    if (len > TEXT_BYTES_MAX) len = fr_utf8_cut(text, TEXT_BYTES_MAX);
    fr_buf_addf(out, "{\"t\":\"%s\",\"level\":", fr_time_text(fr_now_ms(), when));
    fr_buf_add_json_text(out, level);
    fr_buf_add(out, ",\"text\":");
    fr_buf_add_json_bytes(out, text, len);
    if (fields) fr_buf_addf(out, ",\"fields\":%s", fields);
    fr_buf_add_char(out, '}');
}

void plugin_log_add(struct plugin *p, const char *level, const char *text, const char *fields_json)
{
    struct plugin_log *log = p->log;
    FR_AUTO_BUF(line);
    fr_buf_init(&line, LINE_BYTES_MAX);
    bool fields_fit = fields_json && strlen(fields_json) < LINE_BYTES_MAX && fr_json_check(fields_json, strlen(fields_json), NULL) == FR_OK;
    line_print(&line, level, text, fields_fit ? fields_json : NULL);
    if (line.failed) {                                    // the text matters more than what was beside it
        fr_buf_free(&line);
        fr_buf_init(&line, 8 * TEXT_BYTES_MAX);           // every byte of it escaped
        line_print(&line, level, text, "\"too long\"");
    }
    char *copy = line.failed ? NULL : fr_strndup(line.data, line.len);
    if (!copy) return;                                    // without memory a line is lost, not the host
    int at = (log->first + log->count) % PLUGIN_LOG_LINES_MAX;
    if (log->count == PLUGIN_LOG_LINES_MAX) log->first = (log->first + 1) % PLUGIN_LOG_LINES_MAX;
    else log->count++;
    fr_free(log->lines[at]);
    log->lines[at] = copy;
}

void plugin_log_print(const struct plugin *p, int limit, struct fr_buf *out)
{
    const struct plugin_log *log = p->log;
    int from = limit < log->count ? log->count - (limit > 0 ? limit : 0) : 0;
    fr_buf_add_char(out, '[');
    for (int i = from; i < log->count; i++) {
        if (i > from) fr_buf_add_char(out, ',');
        fr_buf_add(out, log->lines[(log->first + i) % PLUGIN_LOG_LINES_MAX]);
    }
    fr_buf_add_char(out, ']');
}
