// log.c — a line is built on the stack, so that running out of memory can still be logged, and leaves in one write.
#include "base/log.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"

#define CUT_MARK ",\"cut\":true"

static atomic_int log_least = LOG_INFO;
static atomic_int log_fd = 1;
static const char *const level_names[] = { "debug", "info", "warn", "error" };

// A buffer over memory of its own: cap is max + 1 from the start, so it never grows.
struct log_line {
    char room[LOG_LINE_BYTES_MAX];
    struct fr_buf b;
};

void fr_log_level_set(enum fr_log_level least)
{
    atomic_store(&log_least, least);
}

void fr_log_to(int fd)
{
    atomic_store(&log_fd, fd);
}

static void field_add(struct fr_buf *b, const char *key, const char *text, size_t len)
{
    bool raw = key[0] == '#';
    fr_buf_add_char(b, ',');
    fr_buf_add_json_text(b, raw ? key + 1 : key);
    fr_buf_add_char(b, ':');
    if (!text) fr_buf_add(b, "null");
    else if (raw) fr_buf_add_bytes(b, text, len);
    else fr_buf_add_json_bytes(b, text, len);
}

static void line_undo(struct fr_buf *b, size_t len)
{
    b->len = len;
    b->failed = false;
}

// false when the line is full: as much of the text as surely fits is kept (one byte may become six), and nothing follows.
static bool line_field(struct fr_buf *b, const char *key, const char *text)
{
    size_t before = b->len, len = text ? strlen(text) : 0;
    field_add(b, key, text, len);
    if (!b->failed) return true;
    line_undo(b, before);
    size_t room = (b->max - b->len) / 6, fixed = strlen(key) + 2;
    if (text && key[0] != '#' && room > fixed) field_add(b, key, text, room - fixed < len ? room - fixed : len);
    if (b->failed) line_undo(b, before);
    return false;
}

static bool line_fields(struct fr_buf *b, va_list args)
{
    for (const char *key = va_arg(args, const char *); key; key = va_arg(args, const char *))
        if (!line_field(b, key, va_arg(args, const char *))) return false;
    return true;
}

static void line_open(struct log_line *line, enum fr_log_level level, const char *event)
{
    char at[25];
    line->b = (struct fr_buf){ .data = line->room, .cap = sizeof line->room,
                               .max = sizeof line->room - sizeof CUT_MARK - sizeof "}\n" };
    fr_buf_addf(&line->b, "{\"t\":\"%s\",\"level\":\"%s\"", fr_time_text(fr_now_ms(), at), level_names[level]);
    line_field(&line->b, "event", event);
}

static void line_send(struct log_line *line, bool whole)
{
    struct fr_buf *b = &line->b;
    b->max = sizeof line->room - 1;                      // the end was kept free for this
    if (!whole) fr_buf_add(b, CUT_MARK);
    fr_buf_add(b, "}\n");
    ssize_t sent;
    do sent = write(atomic_load(&log_fd), b->data, b->len); while (sent < 0 && errno == EINTR);
    (void)sent;                                          // there is nowhere left to report a lost line
}

static bool log_wanted(enum fr_log_level level)
{
    return (int)level >= atomic_load_explicit(&log_least, memory_order_relaxed);
}

void fr_log(enum fr_log_level level, const char *event, ...)
{
    if (!log_wanted(level)) return;
    struct log_line line;
    line_open(&line, level, event);
    va_list args;
    va_start(args, event);
    bool whole = line_fields(&line.b, args);
    va_end(args);
    line_send(&line, whole);
}

void fr_log_err(enum fr_log_level level, const char *event, const struct fr_err *err, ...)
{
    if (!log_wanted(level)) return;
    struct log_line line;
    line_open(&line, level, event);
    char at[200];
    snprintf(at, sizeof at, "%s:%d", err->file ? err->file : "?", err->line);
    bool whole = line_field(&line.b, "code", err->code) && line_field(&line.b, "error", err->text)
              && line_field(&line.b, "at", at);
    va_list args;
    va_start(args, err);
    whole = whole && line_fields(&line.b, args);
    va_end(args);
    line_send(&line, whole);
}
