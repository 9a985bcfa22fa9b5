// new.c — `plugin new`: a copy of a template under the name its author chose.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "cli/internal.h"
#include "plugin/manifest.h"

#define TEMPLATE_ID "my-plugin"            // what the templates call themselves
#define TEMPLATE_NAME "My Plugin"
#define TEMPLATE_BYTES_MAX (256 * 1024)    // of one file
#define TEMPLATE_DEPTH_MAX 4

struct copy { const char *id; char title[65]; char to[CLI_PATH_BYTES]; struct fr_buf *files; int count; };

// "moon-race" -> "Moon Race"
static void title_of(const char *id, char out[65])
{
    bool start = true;
    size_t at = 0;
    for (; *id && at < 64; id++) {
        char c = *id == '-' ? ' ' : *id;
        out[at++] = start && c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
        start = c == ' ';
    }
    out[at] = '\0';
}

static void add_replaced(struct fr_buf *out, const char *text, const char *what, const char *with)
{
    for (const char *found; (found = strstr(text, what)); text = found + strlen(what)) {
        fr_buf_add_bytes(out, text, (size_t)(found - text));
        fr_buf_add(out, with);
    }
    fr_buf_add(out, text);
}

static enum fr_status copy_file(struct copy *c, const char *from, const char *to, struct fr_err *err)
{
    FR_AUTO_BUF(text);
    FR_AUTO_BUF(half);
    FR_AUTO_BUF(whole);
    fr_buf_init(&text, TEMPLATE_BYTES_MAX + 65536);
    fr_buf_init(&half, 2 * TEMPLATE_BYTES_MAX);
    fr_buf_init(&whole, 2 * TEMPLATE_BYTES_MAX);
    FR_TRY(file_read_all(from, TEMPLATE_BYTES_MAX, &text, err));
    add_replaced(&half, text.data ? text.data : "", TEMPLATE_ID, c->id);
    add_replaced(&whole, half.data ? half.data : "", TEMPLATE_NAME, c->title);
    FR_TRY(fr_buf_check(&whole, to, err));
    FR_TRY(file_write_new(to, whole.data ? whole.data : "", whole.len, err));
    if (c->count++ > 0) fr_buf_add_char(c->files, ',');
    fr_buf_add_json_text(c->files, to + strlen(c->to) + 1);
    return FR_OK;
}

static int is_visible(const struct dirent *e) { return e->d_name[0] != '.'; }
static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static enum fr_status copy_folder(struct copy *c, const char *from, const char *to, int depth, struct fr_err *err);

static enum fr_status copy_one(struct copy *c, const char *from, const char *to, int depth, struct fr_err *err)
{
    struct stat st;
    if (lstat(from, &st) != 0) return FR_FAIL_CODE(err, FR_E_IO, "file", "cannot read %.300s: %s", from, strerror(errno));
    if (S_ISDIR(st.st_mode) && depth < TEMPLATE_DEPTH_MAX) return copy_folder(c, from, to, depth + 1, err);
    return S_ISREG(st.st_mode) ? copy_file(c, from, to, err) : FR_OK;
}

static enum fr_status copy_folder(struct copy *c, const char *from, const char *to, int depth, struct fr_err *err)
{
    struct dirent **list = NULL;
    if (mkdir(to, 0755) != 0) return FR_FAIL_CODE(err, errno == EEXIST ? FR_E_CONFLICT : FR_E_IO, errno == EEXIST ? "exists" : "file", "cannot make the folder %.300s: %s", to, strerror(errno));
    int count = scandir(from, &list, is_visible, by_name);
    if (count < 0) return FR_FAIL_CODE(err, FR_E_IO, "file", "cannot read %.300s: %s", from, strerror(errno));
    enum fr_status st = FR_OK;
    for (int i = 0; i < count; i++) {
        char source[CLI_PATH_BYTES], target[CLI_PATH_BYTES];
        bool fits = (size_t)snprintf(source, sizeof source, "%s/%s", from, list[i]->d_name) < sizeof source && (size_t)snprintf(target, sizeof target, "%s/%s", to, list[i]->d_name) < sizeof target;
        if (st == FR_OK && !fits) st = FR_FAIL_CODE(err, FR_E_INVALID, "file", "the name %.300s/... is too long", to);
        if (st == FR_OK) st = copy_one(c, source, target, depth, err);
        free(list[i]);
    }
    free(list);
    return st;
}

// ---- where from, where to

// plugins/sdk/templates/KIND above the program (build/frond, build/clang/frond), else below the current folder.
static bool template_find(const char *kind, char out[CLI_PATH_BYTES])
{
    char folder[CLI_PATH_BYTES];
    if (path_program_folder(folder)) {
        for (int up = 0; up < 4; up++) {
            char *slash = strrchr(folder, '/');
            if (!slash) break;
            *slash = '\0';
            if ((size_t)snprintf(out, CLI_PATH_BYTES, "%s/plugins/sdk/templates/%s", folder, kind) < CLI_PATH_BYTES && access(out, R_OK) == 0) return true;
        }
    }
    snprintf(out, CLI_PATH_BYTES, "plugins/sdk/templates/%s", kind);
    return access(out, R_OK) == 0;
}

static enum fr_status make_parents(char *path, struct fr_err *err)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int rc = mkdir(path, 0755);
        int why = errno;
        if (rc != 0 && why != EEXIST) {
            FR_IGNORE(FR_FAIL_CODE(err, FR_E_IO, "file", "cannot make the folder %.300s: %s", path, strerror(why)));      // returned below
            *slash = '/';
            return err->status;
        }
        *slash = '/';
    }
    return FR_OK;
}

static enum fr_status names_check(const struct cli *c, const char **kind, struct fr_err *err)
{
    const char *id = cli_arg(c, "name");
    *kind = cli_option(c, "kind") ? cli_option(c, "kind") : "game";
    if (!manifest_id_valid(id))
        return FR_FAIL_CODE(err, FR_E_INVALID, "bad_name", "\"%.60s\" cannot be a plugin's name: lower-case letters and digits with single hyphens between, a letter first, at most %d, such as moon-race", id, PLUGIN_ID_BYTES_MAX);
    if (manifest_id_taken(id)) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_name", "\"%s\" is taken by the host itself: choose another name", id);
    if (strcmp(*kind, "game") != 0 && strcmp(*kind, "tool") != 0)
        return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "--kind is game or tool, not \"%.40s\"", *kind);
    return FR_OK;
}

enum fr_status run_plugin_new(struct cli *c, struct fr_err *err)
{
    const char *kind, *dir = cli_arg(c, "dir");
    char from[CLI_PATH_BYTES];
    struct stat st;
    FR_AUTO_BUF(files);
    fr_buf_init(&files, 65536);
    FR_TRY(names_check(c, &kind, err));
    struct copy copy = { .id = cli_arg(c, "name"), .files = &files };
    title_of(copy.id, copy.title);
    bool game = strcmp(kind, "game") == 0;
    int len = dir ? snprintf(copy.to, sizeof copy.to, "%s", dir) : snprintf(copy.to, sizeof copy.to, "%s/%s", game ? "games" : "plugins", copy.id);
    while (len > 1 && len < (int)sizeof copy.to && copy.to[len - 1] == '/') copy.to[--len] = '\0';
    if (len <= 0 || len >= (int)sizeof copy.to - 256) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_name", "the folder's name is too long");
    if (lstat(copy.to, &st) == 0) return FR_FAIL_CODE(err, FR_E_CONFLICT, "exists", "%.300s is there already: nothing was changed", copy.to);
    if (!template_find(kind, from)) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "template_missing", "the template plugins/sdk/templates/%s was found neither beside the program nor here", kind);
    FR_TRY(make_parents(copy.to, err));
    enum fr_status copied = copy_folder(&copy, from, copy.to, 0, err);
    if (copied != FR_OK) {                             // half a plugin would only be in the way of the next try
        if (strcmp(err->code, "exists") != 0) folder_remove(copy.to);
        return copied;
    }
    fr_buf_add(&c->out, "{\"plugin\":");
    fr_buf_add_json_text(&c->out, copy.id);
    fr_buf_addf(&c->out, ",\"kind\":\"%s\",\"folder\":", kind);
    fr_buf_add_json_bytes(&c->out, copy.to, strlen(copy.to));
    fr_buf_addf(&c->out, ",\"files\":[%s],\"next\":", files.data ? files.data : "");
    FR_AUTO_BUF(next);
    fr_buf_init(&next, 4096);
    fr_buf_addf(&next, "frond plugin test %s; a host that starts now and looks into the folder above it offers it", copy.to);
    fr_buf_add_json_text(&c->out, next.data);
    fr_buf_add_char(&c->out, '}');
    return FR_OK;
}
