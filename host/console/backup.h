// backup.h — a backup: a folder with the database as of one commit, the small files of the data folder, and a manifest with their hashes.
//
// It is made under another name (PATH.part), flushed, and renamed when it is whole, so that under PATH there is a whole backup or none,
// whatever is killed in between. Never made over something else, except over another backup when told so. Everything in it is 0600.
// The functions block for as long as the disk takes: any thread but the loop's. What a manifest says is checked like any stranger's text.
#pragma once
#include "base/buf.h"
#include "ledger/ledger.h"
#include "store/copy.h"

#define BACKUP_FORMAT 1
#define BACKUP_MANIFEST "manifest.json"
#define BACKUP_PATH_BYTES 1024
#define BACKUP_PART ".part"                        // PATH.part: not finished, or what a replaced backup leaves for a moment
struct backup_file { char name[BACKUP_NAME_BYTES_MAX + 1]; int64_t bytes; char sha256[SHA256_HEX_BYTES]; };
struct backup {
    int64_t created_ms;
    char frond[24], engine[40];                    // the versions of the program and of SQLite that made it
    bool dev;                                      // of a folder with test coins
    struct ledger_head head;                       // where the journal ended
    struct backup_file files[BACKUP_FILES_MAX]; int file_count;
};

// `data`: the store's folder. Codes: exists, not_a_backup, backup_busy, backup_file, disk_full, stopped, io, store_damaged.
FR_MUST_USE enum fr_status backup_make(struct store *s, const char *data, const char *to, bool replace, struct store_copy_watch *watch, struct backup *ret, struct fr_err *err);
// The manifest alone. Codes: not_a_backup, backup_newer, backup_damaged.
FR_MUST_USE enum fr_status backup_read(const char *path, struct backup *ret, struct fr_err *err);
// Everything: each file's hash, SQLite's own checks, the ledger from its first row, and that it ends where the manifest says. backup_damaged.
FR_MUST_USE enum fr_status backup_check(const char *path, struct backup *ret, struct fr_err *err);
// The same for a store that holds what a backup held. For restore, before it counts.
FR_MUST_USE enum fr_status backup_check_store(struct store *s, const struct backup *b, struct fr_err *err);
// The newest whole backup in a folder of backups; FR_E_NOT_FOUND. *count: how many there are; may be NULL.
FR_MUST_USE enum fr_status backup_newest(const char *folder, char path[BACKUP_PATH_BYTES], struct backup *ret, int *count, struct fr_err *err);
// Removes all but the newest `keep` of those that the clock made.
void backup_prune(const char *folder, int keep);
void backup_name(int64_t now_ms, char out[40]);    // "frond-20261123T201500Z": what the clock calls them
// Which backup of this data folder is the newest, for those who look for it when the folder is damaged. Kept in the folder.
void backup_note(const char *data, const char *path, int64_t created_ms);
bool backup_noted(const char *data, char path[BACKUP_PATH_BYTES], int64_t *created_ms);

void backup_print(const struct backup *b, const char *path, struct fr_buf *out);      // a JSON object without its last brace
// Copies a file of at most `max` bytes (0: any) to a new one, 0600 and flushed, and hashes what it read. Codes as above.
FR_MUST_USE enum fr_status backup_copy_file(const char *from, const char *to, int64_t max, struct backup_file *ret, struct fr_err *err);
FR_MUST_USE enum fr_status backup_sync_folder(const char *path, struct fr_err *err);
FR_MUST_USE enum fr_status backup_sync_above(const char *path, struct fr_err *err);
void backup_remove(const char *path);              // the files in it, then itself; nothing below it

// ---- backups.c: a host's backups, asked for by the operator or by the clock, one at a time, on a thread of their own. Loop thread.
struct backups;
struct backups_options {
    uv_loop_t *loop; struct store *store;
    const char *data;
    const char *folder; int64_t every_ms; int keep;        // folder NULL: only when asked
};
struct backups *backups_new(const struct backups_options *o);
void backups_close(struct backups *b);             // takes NULL. Stops what runs and waits for it; before the store closes
FR_MUST_USE enum fr_status backups_start(struct backups *b, const char *to, bool replace, struct fr_err *err);       // FR_E_BUSY "backup_busy"
int64_t backups_newest_ms(const struct backups *b);     // 0: none is known
void backups_print(const struct backups *b, struct fr_buf *out);      // {"state":"idle|running|done|failed",...}
