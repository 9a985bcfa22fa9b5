// err.c — one table of statuses and two ways to write a sentence.
#include "base/err.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/utf8.h"

static const struct { const char *code; int http; } statuses[FR_STATUS_COUNT] = {
    [FR_OK]          = { "ok", 200 },
    [FR_E_INVALID]   = { "invalid", 400 },
    [FR_E_AUTH]      = { "unauthorized", 401 },
    [FR_E_DENIED]    = { "denied", 403 },
    [FR_E_NOT_FOUND] = { "not_found", 404 },
    [FR_E_CONFLICT]  = { "conflict", 409 },
    [FR_E_FUNDS]     = { "funds", 402 },
    [FR_E_LIMIT]     = { "limit", 429 },
    [FR_E_BUSY]      = { "busy", 503 },
    [FR_E_TIMEOUT]   = { "timeout", 504 },
    [FR_E_UNKNOWN]   = { "unknown", 504 },
    [FR_E_CORRUPT]   = { "corrupt", 500 },
    [FR_E_IO]        = { "io", 503 },
    [FR_E_NOMEM]     = { "nomem", 503 },
    [FR_E_INTERNAL]  = { "internal", 500 },
};

static bool status_known(enum fr_status status)
{
    return (unsigned)status < FR_STATUS_COUNT;
}

const char *fr_status_code(enum fr_status status)
{
    return status_known(status) ? statuses[status].code : "internal";
}

int fr_status_http(enum fr_status status)
{
    return status_known(status) ? statuses[status].http : 500;
}

// Texts are sent as JSON later, and a format like %.40s cuts a stranger's text anywhere: half characters are left out.
static void text_copy(char out[FR_ERR_TEXT_BYTES], const char *text)
{
    size_t len = strnlen(text, FR_ERR_TEXT_BYTES - 1), kept = 0;
    if (text[len] != 0) len = fr_utf8_cut(text, len);
    for (size_t i = 0, step; i < len; i += step ? step : 1) {
        step = fr_utf8_char(text + i, len - i);
        memcpy(out + kept, text + i, step);
        kept += step;
    }
    out[kept] = 0;
}

enum fr_status fr_err_set(struct fr_err *err, enum fr_status status, const char *code, const char *file, int line,
                          const char *fmt, ...)
{
    assert(status != FR_OK);
    if (!err) return status;

    char text[FR_ERR_TEXT_BYTES + 4];      // aside, because the arguments may point into err->text
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);

    err->status = status;
    err->file = file;
    err->line = line;
    err->retry_s = 0;
    snprintf(err->code, sizeof err->code, "%s", code ? code : fr_status_code(status));
    text_copy(err->text, text);
    return status;
}

enum fr_status fr_err_note(struct fr_err *err, const char *fmt, ...)
{
    assert(err);
    char text[2 * FR_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, fmt);
    int note = vsnprintf(text, FR_ERR_TEXT_BYTES, fmt, args);
    va_end(args);

    size_t len = note < 0 ? 0 : (size_t)note < FR_ERR_TEXT_BYTES ? (size_t)note : FR_ERR_TEXT_BYTES - 1;
    snprintf(text + len, sizeof text - len, ": %s", err->text);
    text_copy(err->text, text);
    return err->status;
}
