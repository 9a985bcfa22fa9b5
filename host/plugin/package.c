// package.c — from a folder, or from what the store kept of one, to the same package with the same hash. The hash covers the
// manifest's canonical JSON and each Lua file's bytes, so a manifest that was only indented anew is still the same package.
#include "plugin/package.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/utf8.h"

#define LUA_PATH_BYTES_MAX 100         // of a Lua file inside its package
#define LUA_DEPTH_MAX 4                // folders below the package's own
#define FOLDER_ENTRIES_MAX 4096        // looked at in one folder, whatever they are

void package_free(struct package *p)
{
    if (!p) return;
    for (int i = 0; i < p->file_count; i++) {
        fr_free((char *)p->files[i].name);
        fr_free((char *)p->files[i].text);
    }
    fr_free(p->files);
    manifest_free(p->manifest);
    net_files_free(p->web);
    fr_free(p->page_index);
    fr_free(p);
}

static struct package *package_new(void)
{
    FR_AUTO(package) p = fr_alloc(sizeof *p);
    if (p) p->files = fr_alloc(PLUGIN_FILES_MAX * sizeof *p->files);
    return p && p->files ? FR_TAKE(p) : NULL;
}

// ---- Lua files

static bool lua_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// What `require` can name: letters, digits, _ and - between slashes, then ".lua".
static bool lua_path_valid(const char *path)
{
    size_t len = strlen(path);
    if (len < 5 || len > LUA_PATH_BYTES_MAX || strcmp(path + len - 4, ".lua") != 0 || !lua_name_char(path[len - 5])) return false;
    for (size_t i = 0; i < len - 4; i++)
        if (!lua_name_char(path[i]) && !(path[i] == '/' && i > 0 && path[i - 1] != '/')) return false;
    return true;
}

// Text only: it is kept as JSON for replays, and bytecode never reaches Lua.
static enum fr_status lua_text_check(const char *path, const char *text, size_t len, struct fr_err *err)
{
    if (len > 0 && text[0] == '\x1b') return FR_FAIL(err, FR_E_INVALID, "%s: this is compiled Lua; a package holds source", path);
    if (memchr(text, 0, len)) return FR_FAIL(err, FR_E_INVALID, "%s: holds a NUL byte; a package holds source", path);
    if (!fr_utf8_valid(text, len)) return FR_FAIL(err, FR_E_INVALID, "%s: is not UTF-8", path);
    return FR_OK;
}

// Takes `text` over when it succeeds. *total counts all Lua of the package.
static enum fr_status package_add(struct package *p, const char *path, char *text, size_t len, size_t *total, struct fr_err *err)
{
    if (p->file_count == PLUGIN_FILES_MAX) return FR_FAIL(err, FR_E_LIMIT, "%s: over %d Lua files", path, PLUGIN_FILES_MAX);
    if (!lua_path_valid(path))
        return FR_FAIL(err, FR_E_INVALID, "%s: a Lua file's path has letters, digits, _ and - between slashes and at most %d bytes, so that require can name it",
                       path, LUA_PATH_BYTES_MAX);
    FR_TRY(lua_text_check(path, text, len, err));
    *total += len;
    if (*total > PLUGIN_LUA_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "%s: the package's Lua is over %d bytes", path, PLUGIN_LUA_BYTES_MAX);
    char *name = fr_strndup(path, strlen(path));
    if (!name) return FR_FAIL(err, FR_E_NOMEM, "no memory for %s", path);
    p->files[p->file_count++] = (struct sandbox_file){ .name = name, .text = text, .len = len };
    return FR_OK;
}

static int file_order(const void *a, const void *b)
{
    return strcmp(((const struct sandbox_file *)a)->name, ((const struct sandbox_file *)b)->name);
}

static void hash_part(struct fr_sha256 *hash, const char *path, const void *bytes, size_t len)
{
    uint8_t size[8];
    for (int i = 0; i < 8; i++) size[i] = (uint8_t)((uint64_t)len >> (8 * i));
    fr_sha256_add(hash, path, strlen(path) + 1);         // the NUL and the size keep neighbours apart
    fr_sha256_add(hash, size, sizeof size);
    fr_sha256_add(hash, bytes, len);
}

// All files are there: puts them in order, looks for what must be there, and names the whole.
static enum fr_status package_finish(struct package *p, struct fr_err *err)
{
    uint8_t sum[SHA256_BYTES];
    struct fr_sha256 hash;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, JSON_TEXT_BYTES_MAX);
    bool has_main = false;
    qsort(p->files, (size_t)p->file_count, sizeof *p->files, file_order);
    for (int i = 0; i < p->file_count; i++) has_main = has_main || strcmp(p->files[i].name, "main.lua") == 0;
    if (!has_main) return FR_FAIL(err, FR_E_INVALID, "main.lua: there is none; it is where a plugin begins");

    fr_json_print_canonical(p->manifest->json, &text);
    FR_TRY(fr_buf_check(&text, "plugin.json", err));
    fr_sha256_init(&hash);
    hash_part(&hash, "plugin.json", text.data, text.len);
    for (int i = 0; i < p->file_count; i++) hash_part(&hash, p->files[i].name, p->files[i].text, p->files[i].len);
    fr_sha256_end(&hash, sum);
    fr_hex(sum, sizeof sum, p->sha256);

    fr_buf_clear(&text);                                 // what cannot be stored cannot be replayed: find out now
    package_export(p, &text);
    return fr_buf_check(&text, "its manifest and Lua as JSON", err);
}

// ---- reading a folder

// Reads a plain file of at most `most` bytes. Links are refused: what they point at may be anything, and may change.
static enum fr_status read_file(int folder, const char *name, const char *path, size_t most, char **ret, size_t *len, struct fr_err *err)
{
    struct stat st;
    FR_AUTO_FD int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ELOOP) return FR_FAIL(err, FR_E_INVALID, "%s: is a link; a package holds plain files", path);
    if (fd < 0) return FR_FAIL(err, errno == ENOENT ? FR_E_NOT_FOUND : FR_E_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0) return FR_FAIL(err, FR_E_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) return FR_FAIL(err, FR_E_INVALID, "%s: is not a plain file", path);
    if (st.st_size < 0 || (uint64_t)st.st_size > most) return FR_FAIL(err, FR_E_LIMIT, "%s: %lld bytes, and %zu are the most", path, (long long)st.st_size, most);

    size_t size = (size_t)st.st_size, have = 0;
    FR_AUTO_MEM char *text = fr_alloc(size + 1);
    if (!text) return FR_FAIL(err, FR_E_NOMEM, "no memory for %s", path);
    while (have < size) {
        ssize_t n = read(fd, text + have, size - have);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return FR_FAIL(err, FR_E_IO, "%s: %s", path, strerror(errno));
        if (n == 0) break;                               // it shrank meanwhile: what is there counts
        have += (size_t)n;
    }
    *ret = FR_TAKE(text);
    *len = have;
    return FR_OK;
}

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);
    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static enum fr_status read_lua(struct package *p, int folder, const char *name, const char *path, size_t *total, struct fr_err *err)
{
    FR_AUTO_MEM char *text = NULL;
    size_t len = 0;
    FR_TRY(read_file(folder, name, path, PLUGIN_LUA_BYTES_MAX, &text, &len, err));
    FR_TRY(package_add(p, path, text, len, total, err));
    text = NULL;                                         // the package owns it now
    return FR_OK;
}

static void closedir_drop(DIR **dir) { if (*dir) closedir(*dir); }

static enum fr_status read_folder(struct package *p, int fd, const char *prefix, int depth, size_t *total, struct fr_err *err)
{
    __attribute__((cleanup(closedir_drop))) DIR *dir = fdopendir(fd);        // owns fd from here on
    if (!dir) {
        close(fd);
        return FR_FAIL(err, FR_E_IO, "%s: %s", prefix, strerror(errno));
    }
    int entries = 0;
    for (struct dirent *e; (e = readdir(dir)); ) {
        char path[300];
        struct stat st;
        if (++entries > FOLDER_ENTRIES_MAX) return FR_FAIL(err, FR_E_LIMIT, "%s: over %d entries in one folder", *prefix ? prefix : ".", FOLDER_ENTRIES_MAX);
        if (e->d_name[0] == '.' || (depth == 0 && strcmp(e->d_name, "web") == 0)) continue;
        if ((size_t)snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "/" : "", e->d_name) >= sizeof path) continue;
        if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;      // gone again
        if (S_ISDIR(st.st_mode)) {
            if (depth == LUA_DEPTH_MAX) continue;
            int below = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
            if (below < 0) return FR_FAIL(err, FR_E_IO, "%s: %s", path, strerror(errno));
            FR_TRY(read_folder(p, below, path, depth + 1, total, err));
        } else if (ends_in(e->d_name, ".lua") && !ends_in(e->d_name, "_test.lua")) {
            FR_TRY(read_lua(p, dirfd(dir), e->d_name, path, total, err));
        }
    }
    return FR_OK;
}

static int entry_order(const void *a, const void *b)
{
    const struct net_files_entry *x = a, *y = b;
    int by_bytes = memcmp(x->name, y->name, x->name_len < y->name_len ? x->name_len : y->name_len);
    return by_bytes ? by_bytes : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

enum fr_status package_set_page(struct package *p, struct net_files *web, struct fr_err *err)
{
    struct net_files_entry entries[PLUGIN_FILES_MAX];
    uint8_t sum[SHA256_BYTES];
    size_t at = 0;
    int count = 0;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, JSON_TEXT_BYTES_MAX);
    net_files_free(p->web);
    p->web = web;
    p->page_sha256[0] = 0;
    fr_free(p->page_index);
    p->page_index = NULL;
    if (!web) return FR_OK;
    while (count < PLUGIN_FILES_MAX && net_files_walk(web, &at, &entries[count])) count++;
    qsort(entries, (size_t)count, sizeof entries[0], entry_order);
    fr_buf_add_char(&text, '{');
    for (int i = 0; i < count; i++) {
        if (i > 0) fr_buf_add_char(&text, ',');
        fr_buf_add_json_bytes(&text, entries[i].name, entries[i].name_len);
        fr_buf_addf(&text, ":\"%s\"", entries[i].sha256);
    }
    fr_buf_add_char(&text, '}');
    FR_TRY(fr_buf_check(&text, "the list of the page's files", err));
    fr_sha256(text.data, text.len, sum);
    p->page_index = fr_strndup(text.data, text.len);
    if (!p->page_index) return FR_FAIL(err, FR_E_NOMEM, "no memory for a page");
    fr_hex(sum, sizeof sum, p->page_sha256);
    return FR_OK;
}

static bool is_plain_file(int folder, const char *path)
{
    struct stat st;
    return fstatat(folder, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static enum fr_status read_page(struct package *p, int folder, struct fr_err *err)
{
    char path[sizeof p->folder + 8], icon[sizeof p->manifest->page_icon + 8];
    struct stat st;
    if (!p->manifest->has_page) return FR_OK;
    if (fstatat(folder, "web", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        return FR_FAIL(err, FR_E_INVALID, "web: is a link; a package holds plain files");
    if (!is_plain_file(folder, "web/index.html"))
        return FR_FAIL(err, FR_E_INVALID, "web/index.html: there is none, and plugin.json promises a page");
    snprintf(icon, sizeof icon, "web/%s", p->manifest->page_icon);
    if (*p->manifest->page_icon && !is_plain_file(folder, icon))
        return FR_FAIL(err, FR_E_INVALID, "%s: there is none, and plugin.json's page.icon names it", icon);
    FR_AUTO(net_files) web = net_files_new();
    snprintf(path, sizeof path, "%s/web", p->folder);
    FR_TRY(net_files_load(web, path, err));
    return package_set_page(p, FR_TAKE(web), err);
}

static enum fr_status read_package(struct package *p, int folder, struct fr_err *err)
{
    FR_AUTO_MEM char *text = NULL;
    size_t len = 0, total = 0;
    FR_TRY(read_file(folder, "plugin.json", "plugin.json", PLUGIN_MANIFEST_BYTES_MAX, &text, &len, err));
    FR_TRY(manifest_parse(text, len, &p->manifest, err));
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again < 0) return FR_FAIL(err, FR_E_IO, "%s", strerror(errno));
    FR_TRY(read_folder(p, again, "", 0, &total, err));
    FR_TRY(package_finish(p, err));
    return read_page(p, folder, err);
}

enum fr_status package_load(const char *folder, struct package **ret, struct fr_err *err)
{
    FR_AUTO(package) p = package_new();
    if (!p) return FR_FAIL(err, FR_E_NOMEM, "no memory for a package");
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/') len--;
    if (len >= sizeof p->folder) return FR_FAIL(err, FR_E_LIMIT, "the folder's path is over %zu bytes", sizeof p->folder - 1);
    memcpy(p->folder, folder, len);

    FR_AUTO_FD int fd = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return FR_FAIL(err, errno == ENOENT || errno == ENOTDIR ? FR_E_NOT_FOUND : FR_E_IO, "%s: %s", p->folder, errno == ENOENT ? "there is no such folder" : strerror(errno));
    if (read_package(p, fd, err) != FR_OK) return fr_err_note(err, "%s", p->folder);
    *ret = FR_TAKE(p);
    return FR_OK;
}

// ---- to text and back

void package_export(const struct package *p, struct fr_buf *out)
{
    fr_buf_add(out, "{\"manifest\":");
    fr_json_print_canonical(p->manifest->json, out);
    fr_buf_add(out, ",\"files\":{");
    for (int i = 0; i < p->file_count; i++) {
        if (i > 0) fr_buf_add_char(out, ',');
        fr_buf_add_json_text(out, p->files[i].name);
        fr_buf_add_char(out, ':');
        fr_buf_add_json_bytes(out, p->files[i].text, p->files[i].len);
    }
    fr_buf_add(out, "}}");
}

static enum fr_status import_files(struct package *p, const struct fr_json *files, struct fr_err *err)
{
    size_t total = 0;
    for (const struct fr_json *f = fr_json_child(files); f; f = fr_json_next(f)) {
        const char *text = fr_json_text(f);
        if (!text) return FR_FAIL(err, FR_E_INVALID, "files.%.60s: expected a string, got %s", fr_json_key(f), fr_json_kind_name(fr_json_kind(f)));
        FR_AUTO_MEM char *copy = fr_strndup(text, strlen(text));
        if (!copy) return FR_FAIL(err, FR_E_NOMEM, "no memory for a package");
        FR_TRY(package_add(p, fr_json_key(f), copy, strlen(copy), &total, err));
        copy = NULL;                                     // the package owns it now
    }
    return FR_OK;
}

enum fr_status package_import(const char *text, size_t len, struct package **ret, struct fr_err *err)
{
    FR_AUTO(fr_json) doc = NULL;
    const struct fr_json *manifest, *files;
    FR_AUTO_BUF(json);
    fr_buf_init(&json, JSON_TEXT_BYTES_MAX);
    FR_TRY(fr_json_parse(text, len, &doc, err));
    if (fr_json_kind(doc) != JSON_OBJECT) return FR_FAIL(err, FR_E_INVALID, "a stored package: expected an object");
    FR_TRY(fr_json_need_object(doc, "manifest", &manifest, err));
    FR_TRY(fr_json_need_object(doc, "files", &files, err));
    FR_AUTO(package) p = package_new();
    if (!p) return FR_FAIL(err, FR_E_NOMEM, "no memory for a package");
    fr_json_print(manifest, &json);
    FR_TRY(fr_buf_check(&json, "a stored manifest", err));
    FR_TRY(manifest_parse(json.data, json.len, &p->manifest, err));
    FR_TRY(import_files(p, files, err));
    FR_TRY(package_finish(p, err));
    *ret = FR_TAKE(p);
    return FR_OK;
}

void package_options(const struct package *p, struct fr_buf *out)
{
    fr_buf_add(out, "{\"plugin\":");
    fr_buf_add_json_text(out, p->manifest->id);
    fr_buf_add(out, ",\"version\":");
    fr_buf_add_json_text(out, p->manifest->version);
    fr_buf_addf(out, ",\"heap_bytes\":%lld,\"kind\":", (long long)p->manifest->heap_bytes);
    fr_buf_add_json_text(out, p->manifest->kind);
    fr_buf_add_char(out, '}');
}
