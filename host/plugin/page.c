// page.c — a page's files in the store, so that a rollback brings the page back with the code. A file is kept once, whatever
// version it is in; a page is a list of names and hashes.
#include "plugin/internal.h"
#include <string.h>
#include "base/mem.h"

static enum fr_status keep_file(struct store_txn *txn, const struct net_files_entry *file, struct fr_err *err)
{
    FR_SQL_ROW(known);
    struct store_row *row = NULL;
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT 1 FROM plugin_file WHERE sha256 = ?1", &known, err));
    sql_bind_text(known, 1, file->sha256);
    FR_TRY(sql_step(known, &found, err));
    if (found) return FR_OK;
    FR_TRY(sql_begin(txn, "INSERT INTO plugin_file (sha256, bytes) VALUES (?1, ?2)", &row, err));
    sql_bind_text(row, 1, file->sha256);
    sql_bind_bytes(row, 2, file->len ? file->bytes : "", file->len);
    return sql_do(row, NULL, err);
}

enum fr_status page_keep(struct store_txn *txn, const struct registry_entry *e, struct fr_err *err)
{
    struct store_row *row = NULL;
    struct net_files_entry file;
    size_t at = 0;
    int64_t made = 0;
    if (!e->web) return FR_OK;
    FR_TRY(sql_begin(txn, "INSERT OR IGNORE INTO plugin_page (sha256, files) VALUES (?1, ?2)", &row, err));
    sql_bind_text(row, 1, e->page);
    sql_bind_text(row, 2, e->page_index);
    FR_TRY(sql_do(row, &made, err));
    while (made > 0 && net_files_walk(e->web, &at, &file)) FR_TRY(keep_file(txn, &file, err));
    return FR_OK;
}

static enum fr_status read_file(struct store_txn *txn, const char *name, const char *sha256, struct net_files *web, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    size_t len = 0;
    FR_TRY(sql_begin(txn, "SELECT bytes FROM plugin_file WHERE sha256 = ?1", &row, err));
    sql_bind_text(row, 1, sha256);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "version_unknown", "web/%.200s is not kept here any more", name);
    const void *bytes = sql_bytes(row, 0, &len);
    return net_files_copy(web, name, bytes, len, err);
}

enum fr_status page_read(struct store_txn *txn, const char *page, struct net_files **ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_AUTO(fr_json) files = NULL;
    FR_AUTO(net_files) web = NULL;
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT files FROM plugin_page WHERE sha256 = ?1", &row, err));
    sql_bind_text(row, 1, page);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "version_unknown", "the page with SHA-256 %.64s is not kept here any more", page);
    FR_TRY(fr_json_parse(sql_text(row, 0), strlen(sql_text(row, 0)), &files, err));
    web = net_files_new();
    for (const struct fr_json *f = fr_json_child(files); f; f = fr_json_next(f)) {
        if (!fr_json_text(f)) return FR_FAIL(err, FR_E_CORRUPT, "a kept page's list of files holds something else");
        FR_TRY(read_file(txn, fr_json_key(f), fr_json_text(f), web, err));
    }
    *ret = FR_TAKE(web);
    return FR_OK;
}

// Pages that no version in a history has, and files that no page has. Code stays: matches are replayed with it.
enum fr_status page_prune(struct store_txn *txn, struct fr_err *err)
{
    struct store_row *row = NULL;
    int64_t gone = 0;
    FR_TRY(sql_begin(txn, "DELETE FROM plugin_page WHERE sha256 NOT IN (SELECT page FROM plugin_history)", &row, err));
    FR_TRY(sql_do(row, &gone, err));
    if (gone == 0) return FR_OK;
    FR_TRY(sql_begin(txn, "DELETE FROM plugin_file WHERE sha256 NOT IN (SELECT f.value FROM plugin_page AS p, json_each(p.files) AS f)", &row, err));
    return sql_do(row, NULL, err);
}
