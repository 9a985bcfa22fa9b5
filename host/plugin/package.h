// package.h — a plugin's folder read into memory: manifest, Lua files, page files, and one SHA-256 over all of it.
//
// Dot-files and anything that is not plugin.json, *.lua or below web/ are left out; *_test.lua too. A link in the place of one of
// those is refused (below web/ it is left out). Lua is UTF-8 source. Bounds as in limits.h. Errors name the folder and the file.
#pragma once
#include "net/files.h"
#include "plugin/manifest.h"
#include "sandbox/sandbox.h"

struct package {
    struct manifest *manifest;
    struct sandbox_file *files; int file_count;       // names relative, "main.lua" among them
    struct net_files *web;                            // NULL without a page
    char sha256[65];                                  // over (path, size, bytes) of the manifest's canonical JSON, then Lua sorted by path
    char page_sha256[65];                             // over page_index; "" without a page. The page is no part of sha256: matches do not depend on it
    char *page_index;                                 // JSON {"index.html": its SHA-256, ..}, sorted; NULL without a page
    char folder[512];
};
FR_MUST_USE enum fr_status package_load(const char *folder, struct package **ret, struct fr_err *err);
void package_free(struct package *p);
FR_AUTO_DEFINE(package)
// What replay needs of a package, as JSON text {"manifest":..,"files":{"main.lua":".."}}, and back (no web). The same package gives
// the same text, and the way back gives the same sha256.
void package_export(const struct package *p, struct fr_buf *out);
FR_MUST_USE enum fr_status package_import(const char *text, size_t len, struct package **ret, struct fr_err *err);
// Names the page of a package that came without one: takes `web` over, whatever happens; NULL: none.
FR_MUST_USE enum fr_status package_set_page(struct package *p, struct net_files *web, struct fr_err *err);
// FRAME_LOAD's options for this package.
void package_options(const struct package *p, struct fr_buf *out);
