// config_backup.c — the setting "backup": where the host puts backups, how often, and how many it keeps.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/limits.h"
#include "config.h"

enum fr_status config_backup(const struct fr_json *json, const char *file, struct config *c, struct fr_err *err)
{
    static const char *const keys[] = { "folder", "every_hours", "keep", NULL };
    const struct fr_json *b;
    const char *folder, *slash = strrchr(file, '/');
    char name[CONFIG_PATH_BYTES], above[CONFIG_PATH_BYTES], whole[PATH_MAX], data[PATH_MAX];
    int64_t hours, keep;
    FR_TRY(fr_json_need_object(json, "backup", &b, err));
    FR_TRY(fr_json_only_keys(b, keys, "backup", err));
    FR_TRY(fr_json_need_text(json, "backup.folder", 1, CONFIG_PATH_BYTES - 128, &folder, err));
    FR_TRY(fr_json_opt_int(json, "backup.every_hours", 1, 24 * 365, 24, &hours, err));
    FR_TRY(fr_json_opt_int(json, "backup.keep", 1, BACKUPS_KEEP_MAX, 14, &keep, err));
    int n = folder[0] == '/' || !slash ? snprintf(name, sizeof name, "%s", folder) : snprintf(name, sizeof name, "%.*s/%s", (int)(slash - file), file, folder);
    if (n < 0 || n >= (int)sizeof name) return FR_FAIL(err, FR_E_INVALID, "backup.folder: the name is too long");
    while (n > 1 && name[n - 1] == '/') name[--n] = 0;
    char *end = strrchr(name, '/');
    snprintf(above, sizeof above, "%.*s", end ? (int)(end - name) : 1, end ? name : ".");
    if (!realpath(above[0] ? above : "/", whole)) return FR_FAIL(err, FR_E_NOT_FOUND, "backup.folder: the folder above it, %.200s, is not there", above);
    if ((size_t)snprintf(c->backup_folder, sizeof c->backup_folder, "%s/%s", strcmp(whole, "/") ? whole : "", end ? end + 1 : name) >= sizeof c->backup_folder)
        return FR_FAIL(err, FR_E_INVALID, "backup.folder: the name is too long");
    size_t len = realpath(c->data, data) ? strlen(data) : 0;
    if (len > 0 && strncmp(c->backup_folder, data, len) == 0 && (c->backup_folder[len] == '/' || c->backup_folder[len] == 0))
        return FR_FAIL(err, FR_E_INVALID, "backup.folder: %.200s lies in the data folder, and what loses the one loses the other: name a place outside", c->backup_folder);
    c->backup_every_ms = hours * 3600 * 1000;
    c->backup_keep = (int)keep;
    return FR_OK;
}
