// id.h — UUIDv7 (RFC 9562): sortable by time, unguessable enough to be a name, never a secret.
#pragma once
#include <stdbool.h>
#define FR_ID_BYTES 37                       // 36 characters and NUL
char *fr_id_new(char out[FR_ID_BYTES]);      // monotonic within this process, also inside one millisecond; thread-safe
bool fr_id_valid(const char *text);          // lower-case UUID of any version
