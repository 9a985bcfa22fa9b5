// assets.h — the host's own pages, compiled into the program, so that `frond` serves without a folder beside it.
//
// The Makefile makes the table with embed.py: host/gateway/web/app/index.html becomes the path "/app/index.html", and
// page libraries pinned by web/package-lock.json become "/app/lib/NAME.mjs" (today htm-preact.mjs: preact, its hooks and htm in one
// module). Sorted by path. Read-only data: any thread may read it, nobody frees it.
#pragma once
#include <stddef.h>

struct asset {
    const char *path;               // as in a URL, with the leading slash
    const char *type;               // Content-Type
    const unsigned char *bytes;
    size_t len;
    const char *etag;               // strong, with its quotes
};

extern const struct asset frond_assets[];
extern const size_t frond_assets_count;
