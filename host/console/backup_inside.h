// backup_inside.h — what the files of a backup's making share.
#pragma once
#include "base/buf.h"
#include "console/backup.h"

FR_MUST_USE enum fr_status backup_hash_file(const char *path, struct backup_file *ret, struct fr_err *err);
FR_MUST_USE enum fr_status backup_write_file(const char *path, const char *bytes, size_t len, struct fr_err *err);      // new, 0600, flushed
// Calls `each` for all names until it says false; false then, or when there is no such folder.
bool backup_each_file(const char *folder, bool (*each)(void *arg, const char *name, bool plain), void *arg);
bool backup_name_ok(const char *name);             // a plain name that may stand in a manifest
FR_MUST_USE enum fr_status backup_path(char out[BACKUP_PATH_BYTES], const char *folder, const char *name, struct fr_err *err);
