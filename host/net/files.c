// files.c — a folder in memory. Each file counts its users: a slow reader may still be sending one whose folder was replaced.
#include "net/files.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/hex.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/internal.h"

#define FILES_DEPTH_MAX 16
#define FILES_NAME_BYTES_MAX 1024
#define FILES_ENTRIES_MAX 4096             // of one set; PLUGIN_FILES_MAX binds what is loaded from a folder
#define ETAG_BYTES 35                      // 32 hex digits of the SHA-256, quotes, NUL

struct net_file {
    int users;                             // the set and every answer under way
    const char *bytes;
    size_t len;
    char *owned;                           // NULL for embedded ones
    const char *content_type;
    char etag[ETAG_BYTES];
    char sha256[SHA256_HEX_BYTES];
};

struct net_files { struct fr_map *by_name; int owners; };

// ---- types

static const struct { const char *extension, *type; } content_types[] = {
    { "html", "text/html; charset=utf-8" }, { "js", "text/javascript; charset=utf-8" }, { "mjs", "text/javascript; charset=utf-8" },
    { "css", "text/css; charset=utf-8" }, { "json", "application/json" }, { "map", "application/json" },
    { "webmanifest", "application/manifest+json" }, { "txt", "text/plain; charset=utf-8" }, { "md", "text/plain; charset=utf-8" },
    { "lua", "text/plain; charset=utf-8" }, { "svg", "image/svg+xml" }, { "png", "image/png" }, { "jpg", "image/jpeg" },
    { "jpeg", "image/jpeg" }, { "gif", "image/gif" }, { "webp", "image/webp" }, { "avif", "image/avif" }, { "ico", "image/x-icon" },
    { "woff2", "font/woff2" }, { "woff", "font/woff" }, { "ttf", "font/ttf" }, { "otf", "font/otf" }, { "mp3", "audio/mpeg" },
    { "ogg", "audio/ogg" }, { "wav", "audio/wav" }, { "m4a", "audio/mp4" }, { "mp4", "video/mp4" }, { "webm", "video/webm" },
    { "wasm", "application/wasm" }, { "pdf", "application/pdf" }, { "xml", "application/xml" },
};

const char *net_content_type(const char *name)
{
    const char *slash = strrchr(name, '/'), *dot = strrchr(slash ? slash : name, '.');
    for (size_t i = 0; dot && i < sizeof content_types / sizeof *content_types; i++)
        if (strcasecmp(dot + 1, content_types[i].extension) == 0) return content_types[i].type;
    return "application/octet-stream";
}

// ---- the set

static void file_drop(void *arg)
{
    struct net_file *file = arg;
    assert(file->users > 0);
    if (--file->users > 0) return;
    fr_free(file->owned);
    fr_free(file);
}

struct net_files *net_files_new(void)
{
    struct net_files *f = fr_must_alloc(sizeof *f);
    f->by_name = fr_map_new(FILES_ENTRIES_MAX);
    f->owners = 1;
    return f;
}

struct net_files *net_files_share(struct net_files *f)
{
    f->owners++;
    return f;
}

void net_files_free(struct net_files *f)
{
    if (!f || --f->owners > 0) return;
    size_t at = 0;
    void *file;
    while (fr_map_walk(f->by_name, &at, NULL, NULL, &file)) file_drop(file);
    fr_map_free(f->by_name);
    fr_free(f);
}

// Takes `owned` over, whatever happens.
static bool files_put(struct net_files *f, const char *name, const char *bytes, size_t len, char *owned)
{
    struct net_file *file = fr_alloc(sizeof *file);
    if (!file) {
        fr_free(owned);
        return false;
    }
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_BYTES];
    fr_sha256(bytes, len, digest);
    fr_hex(digest, sizeof digest, hex);
    *file = (struct net_file){ .users = 1, .bytes = bytes, .len = len, .owned = owned, .content_type = net_content_type(name) };
    snprintf(file->etag, sizeof file->etag, "\"%.32s\"", hex);
    memcpy(file->sha256, hex, sizeof file->sha256);
    struct net_file *before = fr_map_get_text(f->by_name, name);
    if (!fr_map_put_text(f->by_name, name, file)) {
        file_drop(file);
        return false;
    }
    if (before) file_drop(before);
    return true;
}

void net_files_add(struct net_files *f, const char *name, const void *bytes, size_t len)
{
    bool put = files_put(f, name, bytes, len, NULL);
    assert(put);                                 // only at start-up, with names of our own
}

enum fr_status net_files_copy(struct net_files *f, const char *name, const void *bytes, size_t len, struct fr_err *err)
{
    if (fr_map_size(f->by_name) >= PLUGIN_FILES_MAX) return FR_FAIL(err, FR_E_LIMIT, "more than %d files", PLUGIN_FILES_MAX);
    if (len > FILE_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "%.200s is over %d bytes", name, FILE_BYTES_MAX);
    char *owned = fr_alloc(len ? len : 1);
    if (!owned) return FR_FAIL(err, FR_E_NOMEM, "no memory for %.200s", name);
    if (len) memcpy(owned, bytes, len);
    return files_put(f, name, owned, len, owned) ? FR_OK : FR_FAIL(err, FR_E_NOMEM, "no memory for %.200s", name);
}

bool net_files_walk(const struct net_files *f, size_t *at, struct net_files_entry *ret)
{
    const void *key;
    size_t key_len;
    void *value;
    if (!fr_map_walk(f->by_name, at, &key, &key_len, &value)) return false;
    const struct net_file *file = value;
    *ret = (struct net_files_entry){ key, key_len, file->bytes, file->len, file->sha256 };
    return true;
}

// ---- loading a folder

struct load { struct net_files *files; int count; size_t bytes; struct fr_err *err; };

static enum fr_status load_read(int fd, size_t len, char *bytes, const char *name, struct fr_err *err)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = read(fd, bytes + got, len - got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return FR_FAIL(err, FR_E_IO, "cannot read %s: %s", name, n < 0 ? strerror(errno) : "it became shorter");
        got += (size_t)n;
    }
    return FR_OK;
}

static enum fr_status load_file(struct load *l, int fd, size_t len, const char *name)
{
    if (len > FILE_BYTES_MAX) return FR_FAIL(l->err, FR_E_LIMIT, "%s is over %d bytes", name, FILE_BYTES_MAX);
    if (++l->count > PLUGIN_FILES_MAX) return FR_FAIL(l->err, FR_E_LIMIT, "more than %d files", PLUGIN_FILES_MAX);
    l->bytes += len;
    if (l->bytes > PLUGIN_WEB_BYTES_MAX) return FR_FAIL(l->err, FR_E_LIMIT, "the files together are over %d bytes", PLUGIN_WEB_BYTES_MAX);
    FR_AUTO_MEM char *bytes = fr_alloc(len);
    if (!bytes) return FR_FAIL(l->err, FR_E_NOMEM, "no memory for %s", name);
    FR_TRY(load_read(fd, len, bytes, name, l->err));
    char *owned = FR_TAKE(bytes);
    if (!files_put(l->files, name, owned, len, owned)) return FR_FAIL(l->err, FR_E_NOMEM, "no memory for %s", name);
    return FR_OK;
}

static enum fr_status load_folder(struct load *l, int folder_fd, const char *prefix, int depth);

// Opened without following links, so that nothing outside the folder is reached even when it is changed meanwhile.
static enum fr_status load_entry(struct load *l, int folder_fd, const char *prefix, const char *entry, int depth)
{
    char name[FILES_NAME_BYTES_MAX];
    int n = snprintf(name, sizeof name, "%s%s", prefix, entry);
    if (n < 0 || (size_t)n + 2 > sizeof name) return FR_FAIL(l->err, FR_E_LIMIT, "a file name is over %d bytes", FILES_NAME_BYTES_MAX);
    FR_AUTO_FD int fd = openat(folder_fd, entry, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return errno == ELOOP || errno == ENXIO ? FR_OK : FR_FAIL(l->err, FR_E_IO, "cannot open %s: %s", name, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) != 0) return FR_FAIL(l->err, FR_E_IO, "cannot look at %s: %s", name, strerror(errno));
    if (S_ISREG(st.st_mode)) return load_file(l, fd, (size_t)st.st_size, name);
    if (!S_ISDIR(st.st_mode)) return FR_OK;
    name[n] = '/';
    name[n + 1] = 0;
    return load_folder(l, fd, name, depth + 1);
}

static void folder_close(DIR **dir) { if (*dir) closedir(*dir); }

static enum fr_status load_folder(struct load *l, int folder_fd, const char *prefix, int depth)
{
    if (depth > FILES_DEPTH_MAX) return FR_FAIL(l->err, FR_E_LIMIT, "%s: folders are nested over %d deep", prefix, FILES_DEPTH_MAX);
    int fd = dup(folder_fd);                     // fdopendir takes its descriptor over
    __attribute__((cleanup(folder_close))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0) close(fd);
        return FR_FAIL(l->err, FR_E_IO, "cannot list %s: %s", prefix, strerror(errno));
    }
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        if (e->d_name[0] != '.') FR_TRY(load_entry(l, folder_fd, prefix, e->d_name, depth));
    return FR_OK;
}

enum fr_status net_files_load(struct net_files *f, const char *folder, struct fr_err *err)
{
    struct load l = { .files = f, .err = err };
    FR_AUTO_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return FR_FAIL(err, errno == ENOENT ? FR_E_NOT_FOUND : FR_E_IO, "cannot open the folder %s: %s", folder, strerror(errno));
    return load_folder(&l, fd, "", 0);
}

// ---- serving

static const struct net_file *files_find(const struct net_files *f, const char *name)
{
    size_t len = strlen(name);
    if (len > 0 && name[len - 1] != '/') return fr_map_get(f->by_name, name, len);
    char index[FILES_NAME_BYTES_MAX];
    if (len + sizeof "index.html" > sizeof index) return NULL;
    snprintf(index, sizeof index, "%sindex.html", name);
    return fr_map_get_text(f->by_name, index);
}

// If-None-Match is a list; a weak tag matches too, for the bytes are the same (RFC 9110, section 13.1.2).
static bool etag_is_in(struct net_text list, const char *etag)
{
    size_t len = strlen(etag);
    if (net_text_is(list, "*")) return true;
    for (size_t i = 0; i + len <= list.len; i++)
        if (memcmp(list.at + i, etag, len) == 0) return true;    // the quotes are part of it, so nothing matches by half
    return false;
}

bool net_files_serve(const struct net_files *f, struct net_request *req, const char *name, const char *headers)
{
    struct net_file *file = (struct net_file *)files_find(f, name);
    if (!file) return false;
    if (!net_text_is(net_method(req), "GET") && !net_text_is(net_method(req), "HEAD")) {
        net_respond(req, 405, NULL, "Allow: GET, HEAD\r\n", "", 0);
        return true;
    }
    FR_AUTO_BUF(lines);
    fr_buf_init(&lines, HTTP_HEADER_BYTES_MAX);
    fr_buf_addf(&lines, "ETag: %s\r\n%s", file->etag, headers ? headers : "");
    if (!headers || !strcasestr(headers, "cache-control:")) fr_buf_add(&lines, "Cache-Control: no-cache\r\n");    // keep it, but ask
    assert(!lines.failed);
    if (etag_is_in(net_header(req, "if-none-match"), file->etag)) {
        net_respond(req, 304, NULL, lines.data, "", 0);
        return true;
    }
    file->users++;
    net_respond_shared(req, 200, file->content_type, lines.data, file->bytes, file->len, file_drop, file);
    return true;
}
