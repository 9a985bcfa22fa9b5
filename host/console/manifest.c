// manifest.c — what a backup says of itself.
//
// {"format":1,"created_at":"..","created_ms":"..","frond":"0.1.0","engine":"sqlite 3.40.1","dev":false,
//  "journal":{"entries":"12","head":"<sha-256>","last_ms":".."},"files":[{"name":"frond.db","bytes":"..","sha256":".."}]}
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/clock.h"
#include "base/json.h"
#include "console/backup_inside.h"

bool backup_name_ok(const char *name)
{
    size_t len = strlen(name);
    if (len < 1 || len > BACKUP_NAME_BYTES_MAX || name[0] == '.') return false;
    for (const char *p = name; *p; p++) if (!isalnum((unsigned char)*p) && !strchr("._-", *p)) return false;
    return strncmp(name, STORE_FILE "-", sizeof STORE_FILE) != 0 && strcmp(name, BACKUP_MANIFEST) != 0 && strcmp(name, "lock") != 0;
}

enum fr_status backup_path(char out[BACKUP_PATH_BYTES], const char *folder, const char *name, struct fr_err *err)
{
    if ((size_t)snprintf(out, BACKUP_PATH_BYTES, "%s/%s", folder, name) < BACKUP_PATH_BYTES) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_INVALID, "backup_path", "the name %.100s... is over %d bytes long", folder, BACKUP_PATH_BYTES);
}

void backup_print(const struct backup *b, const char *path, struct fr_buf *out)
{
    char at[25], last[25];
    fr_buf_addf(out, "{\"format\":%d,\"created_at\":\"%s\",\"created_ms\":\"%lld\",\"frond\":\"%s\",\"engine\":\"%s\",\"dev\":%s", BACKUP_FORMAT, fr_time_text(b->created_ms, at),
                (long long)b->created_ms, b->frond, b->engine, b->dev ? "true" : "false");
    if (path) {
        fr_buf_add(out, ",\"path\":");
        fr_buf_add_json_bytes(out, path, strlen(path));
    }
    fr_buf_addf(out, ",\"journal\":{\"entries\":\"%lld\",\"head\":\"%s\",\"last_ms\":\"%lld\",\"last_at\":", (long long)b->head.entries, b->head.hash, (long long)b->head.at_ms);
    fr_buf_add_json_text(out, b->head.entries ? fr_time_text(b->head.at_ms, last) : NULL);
    fr_buf_add(out, "},\"files\":[");
    for (int i = 0; i < b->file_count; i++)
        fr_buf_addf(out, "%s{\"name\":\"%s\",\"bytes\":\"%lld\",\"sha256\":\"%s\"}", i ? "," : "", b->files[i].name, (long long)b->files[i].bytes, b->files[i].sha256);
    fr_buf_add_char(out, ']');
}

// ---- read

static bool is_hex(const char *text)
{
    return strspn(text, "0123456789abcdef") == SHA256_HEX_BYTES - 1 && text[SHA256_HEX_BYTES - 1] == '\0';
}

static enum fr_status file_parse(const struct fr_json *v, struct backup_file *f, struct fr_err *err)
{
    const char *name, *sha256;
    FR_TRY(fr_json_need_text(v, "name", 1, BACKUP_NAME_BYTES_MAX, &name, err));
    FR_TRY(fr_json_need_text(v, "sha256", SHA256_HEX_BYTES - 1, SHA256_HEX_BYTES - 1, &sha256, err));
    FR_TRY(fr_json_need_units(v, "bytes", 0, INT64_MAX, &f->bytes, err));
    if (!backup_name_ok(name) || !is_hex(sha256)) return FR_FAIL(err, FR_E_INVALID, "files: \"%s\" is no name of a file in a backup", name);
    snprintf(f->name, sizeof f->name, "%s", name);
    snprintf(f->sha256, sizeof f->sha256, "%s", sha256);
    return FR_OK;
}

static enum fr_status files_parse(const struct fr_json *files, struct backup *b, struct fr_err *err)
{
    bool database = false;
    for (const struct fr_json *v = fr_json_child(files); v; v = fr_json_next(v)) {
        struct backup_file *f = &b->files[b->file_count];
        FR_TRY(file_parse(v, f, err));
        for (int i = 0; i < b->file_count; i++) if (strcmp(b->files[i].name, f->name) == 0) return FR_FAIL(err, FR_E_INVALID, "files: %s stands there twice", f->name);
        database |= strcmp(f->name, STORE_FILE) == 0;
        b->file_count++;
    }
    return database ? FR_OK : FR_FAIL(err, FR_E_INVALID, "files: there is no " STORE_FILE);
}

static enum fr_status manifest_parse(const char *text, size_t len, struct backup *b, struct fr_err *err)
{
    FR_AUTO(fr_json) json = NULL;
    const struct fr_json *journal, *files;
    const char *frond, *engine, *head;
    int64_t format;
    FR_TRY(fr_json_parse(text, len, &json, err));
    FR_TRY(fr_json_need_int(json, "format", 1, INT32_MAX, &format, err));
    if (format > BACKUP_FORMAT) return FR_FAIL_CODE(err, FR_E_CONFLICT, "backup_newer", "it has format %lld, this program knows %d: use a newer program", (long long)format, BACKUP_FORMAT);
    FR_TRY(fr_json_need_units(json, "created_ms", 0, INT64_MAX / 2, &b->created_ms, err));
    FR_TRY(fr_json_need_text(json, "frond", 1, sizeof b->frond - 1, &frond, err));
    FR_TRY(fr_json_need_text(json, "engine", 1, sizeof b->engine - 1, &engine, err));
    FR_TRY(fr_json_opt_bool(json, "dev", false, &b->dev, err));
    FR_TRY(fr_json_need_object(json, "journal", &journal, err));
    FR_TRY(fr_json_need_units(journal, "entries", 0, INT64_MAX, &b->head.entries, err));
    FR_TRY(fr_json_need_units(journal, "last_ms", INT64_MIN / 2, INT64_MAX / 2, &b->head.at_ms, err));
    FR_TRY(fr_json_need_text(journal, "head", 0, SHA256_HEX_BYTES - 1, &head, err));
    if (head[0] && !is_hex(head)) return FR_FAIL(err, FR_E_INVALID, "journal.head is no hash");
    FR_TRY(fr_json_need_array(json, "files", 1, BACKUP_FILES_MAX, &files, err));
    snprintf(b->frond, sizeof b->frond, "%s", frond);
    snprintf(b->engine, sizeof b->engine, "%s", engine);
    snprintf(b->head.hash, sizeof b->head.hash, "%s", head);
    return files_parse(files, b, err);
}

static enum fr_status manifest_load(const char *path, struct fr_buf *out, struct fr_err *err)
{
    char file[BACKUP_PATH_BYTES];
    FR_TRY(backup_path(file, path, BACKUP_MANIFEST, err));
    FR_AUTO_FD int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return FR_FAIL_CODE(err, errno == ENOENT || errno == ENOTDIR ? FR_E_NOT_FOUND : FR_E_IO, "not_a_backup", "%.250s is no backup: there is no " BACKUP_MANIFEST " to read (%s)", path, strerror(errno));
    fr_buf_init(out, BACKUP_MANIFEST_BYTES_MAX);
    for (;;) {
        char *room = fr_buf_reserve(out, 8192);
        ssize_t n = room ? read(fd, room, 8192) : 0;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return FR_FAIL_CODE(err, FR_E_IO, "not_a_backup", "cannot read %.250s: %s", file, strerror(errno));
        if (n == 0) return fr_buf_check(out, "the manifest", err);
        fr_buf_commit(out, (size_t)n);
    }
}

enum fr_status backup_read(const char *path, struct backup *ret, struct fr_err *err)
{
    FR_AUTO_BUF(text);
    struct backup b = { 0 };
    fr_buf_init(&text, BACKUP_MANIFEST_BYTES_MAX);
    FR_TRY(manifest_load(path, &text, err));
    enum fr_status st = manifest_parse(text.data ? text.data : "", text.len, &b, err);
    if (st == FR_OK) { *ret = b; return FR_OK; }
    if (strcmp(err->code, "backup_newer") != 0 && st != FR_E_NOMEM) {
        snprintf(err->code, sizeof err->code, "backup_damaged");
        err->status = FR_E_CORRUPT;
    }
    return fr_err_note(err, "%.150s/" BACKUP_MANIFEST, path);
}
