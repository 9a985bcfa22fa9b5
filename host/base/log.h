// log.h — one JSON line per event on stdout: {"t":"2026-11-23T20:15:00.123Z","level":"info","event":"worker.ready","plugin":"duel",...}
//
// Events are dotted names; fields are key/value pairs. Secrets never go in. Thread-safe (one write per line).
// A line over LOG_LINE_BYTES_MAX is cut and says so. Levels under the set one cost nothing.
#pragma once
#include <stdint.h>
#include "base/err.h"
enum fr_log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
void fr_log_level_set(enum fr_log_level least);
void fr_log_to(int fd);                         // default 1; tests pass a pipe
// Pairs of (const char *key, const char *text), ended by NULL. Example:
//     fr_log(LOG_INFO, "worker.ready", "plugin", id, NULL);
// A key that starts with '#' gives its value as raw JSON (a number the caller printed): fr_log(.., "#ms", "12", NULL).
void fr_log(enum fr_log_level level, const char *event, ...) __attribute__((sentinel));
void fr_log_err(enum fr_log_level level, const char *event, const struct fr_err *err, ...) __attribute__((sentinel));
