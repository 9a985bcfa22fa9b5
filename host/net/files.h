// files.h — static files: bytes with a content type by name, a strong ETag (SHA-256), If-None-Match and HEAD.
//
// A `net_files` set is loaded into memory once from a folder (a plugin's web/) or from embedded assets, so serving never
// touches the disk on the loop. Names are relative, with '/'; dot-files, links and anything outside the folder are left out.
#pragma once
#include <stddef.h>
#include "base/auto.h"
#include "base/err.h"
#include "net/server.h"

struct net_files;
struct net_files *net_files_new(void);
struct net_files *net_files_share(struct net_files *f);          // another owner, who frees it too; its files then stay as they are
// Reads `folder` recursively. FR_E_LIMIT past PLUGIN_WEB_BYTES_MAX / FILE_BYTES_MAX / PLUGIN_FILES_MAX. Call off the loop or at start-up.
FR_MUST_USE enum fr_status net_files_load(struct net_files *f, const char *folder, struct fr_err *err);
void net_files_add(struct net_files *f, const char *name, const void *bytes, size_t len);   // bytes must outlive f
// The same with bytes of its own. FR_E_LIMIT and FR_E_NOMEM.
FR_MUST_USE enum fr_status net_files_copy(struct net_files *f, const char *name, const void *bytes, size_t len, struct fr_err *err);
struct net_files_entry { const char *name; size_t name_len; const void *bytes; size_t len; const char *sha256; };     // sha256: 64 hex
bool net_files_walk(const struct net_files *f, size_t *at, struct net_files_entry *ret);      // *at starts at 0; in no order
void net_files_free(struct net_files *f);
FR_AUTO_DEFINE(net_files)
// Answers with the file `name` ("" and names ending in '/' mean index.html) and `headers` ("Name: value\r\n" lines), or
// returns false and leaves req alone when there is no such file. GET and HEAD only (else answers 405).
bool net_files_serve(const struct net_files *f, struct net_request *req, const char *name, const char *headers);
const char *net_content_type(const char *name);      // by extension; application/octet-stream when unknown
