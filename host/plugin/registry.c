// registry.c — which plugins this host knows, whether they are on, which version is current, which were before, and the code of
// every version that ever served here.
#include "plugin/internal.h"
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "store/migrate.h"

static const struct store_migration steps[] = {
    { "plugin", 1,
      "CREATE TABLE plugin (id TEXT PRIMARY KEY, folder TEXT NOT NULL, enabled INTEGER NOT NULL, version TEXT NOT NULL, sha256 TEXT NOT NULL, installed_ms INTEGER NOT NULL);"
      "CREATE TABLE plugin_package (sha256 TEXT PRIMARY KEY, id TEXT NOT NULL, version TEXT NOT NULL, stored_ms INTEGER NOT NULL, text TEXT NOT NULL);" },
    { "plugin", 2,
      "ALTER TABLE plugin ADD COLUMN page TEXT NOT NULL DEFAULT '';"               // SHA-256 of its page, '' without one
      "ALTER TABLE plugin ADD COLUMN mark TEXT NOT NULL DEFAULT '';"               // what lay in the folder when this version was chosen
      "ALTER TABLE plugin ADD COLUMN installed INTEGER NOT NULL DEFAULT 0;"
      "CREATE TABLE plugin_history (n INTEGER PRIMARY KEY, id TEXT NOT NULL, version TEXT NOT NULL, sha256 TEXT NOT NULL, page TEXT NOT NULL, since_ms INTEGER NOT NULL, why TEXT NOT NULL);"
      "CREATE INDEX plugin_history_id ON plugin_history (id, n);"
      "CREATE TABLE plugin_page (sha256 TEXT PRIMARY KEY, files TEXT NOT NULL);"
      "CREATE TABLE plugin_file (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL);"
      "INSERT INTO plugin_history (id, version, sha256, page, since_ms, why) SELECT id, version, sha256, '', installed_ms, 'found' FROM plugin;" },
};

void registry_register(void)
{
    store_register(steps, (int)(sizeof steps / sizeof steps[0]));
}

void registry_clear(struct registry_entry *e)
{
    fr_free(e->text);
    fr_free(e->page_index);
    net_files_free(e->web);
    e->text = e->page_index = NULL;
    e->web = NULL;
}

enum fr_status registry_fill(struct registry_entry *e, const struct package *p, struct fr_err *err)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, JSON_TEXT_BYTES_MAX);
    package_export(p, &text);
    FR_TRY(fr_buf_check(&text, "the package's code", err));
    snprintf(e->id, sizeof e->id, "%s", p->manifest->id);
    snprintf(e->folder, sizeof e->folder, "%s", p->folder);
    snprintf(e->version, sizeof e->version, "%s", p->manifest->version);
    snprintf(e->sha256, sizeof e->sha256, "%s", p->sha256);
    snprintf(e->page, sizeof e->page, "%s", p->page_sha256);
    package_mark(p, e->mark);
    e->now_ms = fr_now_ms();
    e->text_len = text.len;
    e->text = fr_strndup(text.data, text.len);
    return e->text ? FR_OK : FR_FAIL(err, FR_E_NOMEM, "no memory for the package's code");
}

enum fr_status registry_fill_page(struct registry_entry *e, const struct package *p, struct fr_err *err)
{
    if (!p->web) return FR_OK;
    e->page_index = fr_strndup(p->page_index, strlen(p->page_index));
    if (!e->page_index) return FR_FAIL(err, FR_E_NOMEM, "no memory for a page's list of files");
    e->web = net_files_share(p->web);
    return FR_OK;
}

enum fr_status registry_keep_code(struct store_txn *txn, const struct registry_entry *e, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT OR IGNORE INTO plugin_package (sha256, id, version, stored_ms, text) VALUES (?1, ?2, ?3, ?4, ?5)", &row, err));
    sql_bind_text(row, 1, e->sha256);
    sql_bind_text(row, 2, e->id);
    sql_bind_text(row, 3, e->version);
    sql_bind_int(row, 4, e->now_ms);
    sql_bind_text(row, 5, e->text);
    FR_TRY(sql_do(row, NULL, err));
    return page_keep(txn, e, err);
}

static void copy(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text ? text : "");
}

enum fr_status registry_read(struct store_txn *txn, const char *id, const char *folder, struct registry_row *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    *ret = (struct registry_row){ 0 };
    FR_TRY(sql_begin(txn, "SELECT id, folder, enabled, sha256, page, mark, installed FROM plugin WHERE id = ?1 OR (?1 IS NULL AND folder = ?2) LIMIT 1", &row, err));
    sql_bind_text(row, 1, id);
    sql_bind_text(row, 2, folder);
    FR_TRY(sql_step(row, &ret->found, err));
    if (!ret->found) return FR_OK;
    copy(ret->id, sizeof ret->id, sql_text(row, 0));
    copy(ret->folder, sizeof ret->folder, sql_text(row, 1));
    ret->enabled = sql_int(row, 2) != 0;
    copy(ret->sha256, sizeof ret->sha256, sql_text(row, 3));
    copy(ret->page, sizeof ret->page, sql_text(row, 4));
    copy(ret->mark, sizeof ret->mark, sql_text(row, 5));
    ret->installed = sql_int(row, 6) != 0;
    return FR_OK;
}

enum fr_status registry_installed(struct store_txn *txn, char (*ids)[PLUGIN_ID_BYTES_MAX + 1], int max, int *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    *count = 0;
    FR_TRY(sql_begin(txn, "SELECT id FROM plugin WHERE installed = 1 ORDER BY id", &row, err));
    FR_TRY(sql_step(row, &found, err));
    while (found && *count < max) {
        copy(ids[(*count)++], PLUGIN_ID_BYTES_MAX + 1, sql_text(row, 0));
        FR_TRY(sql_step(row, &found, err));
    }
    return FR_OK;
}

static enum fr_status write_row(struct store_txn *txn, const struct registry_entry *e, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO plugin (id, folder, enabled, version, sha256, installed_ms, page, mark, installed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
                          " ON CONFLICT (id) DO UPDATE SET folder = ?2, version = ?4, installed_ms = iif(sha256 = ?5, installed_ms, ?6), sha256 = ?5, page = ?7, mark = ?8, installed = ?9", &row, err));
    sql_bind_text(row, 1, e->id);
    sql_bind_text(row, 2, e->folder);
    sql_bind_int(row, 3, e->enabled);
    sql_bind_text(row, 4, e->version);
    sql_bind_text(row, 5, e->sha256);
    sql_bind_int(row, 6, e->now_ms);
    sql_bind_text(row, 7, e->page);
    sql_bind_text(row, 8, e->mark);
    sql_bind_int(row, 9, e->installed);
    return sql_do(row, NULL, err);
}

static enum fr_status history_add(struct store_txn *txn, const struct registry_entry *e, const char *why, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO plugin_history (id, version, sha256, page, since_ms, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &row, err));
    sql_bind_text(row, 1, e->id);
    sql_bind_text(row, 2, e->version);
    sql_bind_text(row, 3, e->sha256);
    sql_bind_text(row, 4, e->page);
    sql_bind_int(row, 5, e->now_ms);
    sql_bind_text(row, 6, why);
    FR_TRY(sql_do(row, NULL, err));
    FR_TRY(sql_begin(txn, "DELETE FROM plugin_history WHERE id = ?1 AND n NOT IN (SELECT n FROM plugin_history WHERE id = ?1 ORDER BY n DESC LIMIT ?2)", &row, err));
    sql_bind_text(row, 1, e->id);
    sql_bind_int(row, 2, VERSIONS_KEPT_MAX);
    FR_TRY(sql_do(row, NULL, err));
    return page_prune(txn, err);
}

enum fr_status registry_switch(struct store_txn *txn, const struct registry_entry *e, const char *why, struct fr_err *err)
{
    struct registry_row before;
    FR_TRY(registry_read(txn, e->id, NULL, &before, err));
    if (e->text) FR_TRY(registry_keep_code(txn, e, err));
    FR_TRY(write_row(txn, e, err));
    bool same = before.found && strcmp(before.sha256, e->sha256) == 0 && strcmp(before.page, e->page) == 0;
    return same ? FR_OK : history_add(txn, e, why, err);
}

enum fr_status registry_enable(struct store_txn *txn, const struct registry_entry *e, struct fr_err *err)
{
    struct store_row *row = NULL;
    if (e->text) FR_TRY(registry_switch(txn, e, "enable", err));
    FR_TRY(sql_begin(txn, "UPDATE plugin SET enabled = ?2 WHERE id = ?1", &row, err));
    sql_bind_text(row, 1, e->id);
    sql_bind_int(row, 2, e->enabled);
    return sql_do(row, NULL, err);
}

// ---- back in time

static bool is_hex(const char *text)
{
    size_t len = strlen(text);
    return len >= 6 && len <= 64 && strspn(text, "0123456789abcdef") == len;
}

enum fr_status registry_find_version(struct store_txn *txn, const char *id, const char *version, char sha256[65], char page[65], struct fr_err *err)
{
    struct registry_row now;
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(registry_read(txn, id, NULL, &now, err));
    // by number or hash; else what served last before the present one: another pair of code and page
    FR_TRY(sql_begin(txn, "SELECT sha256, page FROM plugin_history WHERE id = ?1 AND NOT (sha256 = ?2 AND page = ?3)"
                          " AND (?4 IS NULL OR version = ?4 OR (?5 IS NOT NULL AND substr(sha256, 1, length(?5)) = ?5)) ORDER BY n DESC LIMIT 1", &row, err));
    sql_bind_text(row, 1, id);
    sql_bind_text(row, 2, now.sha256);
    sql_bind_text(row, 3, now.page);
    sql_bind_text(row, 4, version);
    sql_bind_text(row, 5, version && is_hex(version) ? version : NULL);
    FR_TRY(sql_step(row, &found, err));
    if (!found && version) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "version_unknown", "no other version \"%.64s\" of %s served here; see: frond plugin versions %s", version, id, id);
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "version_unknown", "no other version of %s served here before", id);
    copy(sha256, 65, sql_text(row, 0));
    copy(page, 65, sql_text(row, 1));
    return FR_OK;
}

enum fr_status plugins_history(struct store_txn *txn, const char *id, struct fr_buf *out, struct fr_err *err)
{
    struct registry_row now;
    FR_SQL_ROW(row);
    bool found = false, current = true;
    char when[25];
    int written = 0;
    FR_TRY(registry_read(txn, id, NULL, &now, err));
    if (!now.found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "plugin_unknown", "there is no plugin \"%.40s\"", id);
    FR_TRY(sql_begin(txn, "SELECT version, sha256, page, since_ms, why FROM plugin_history WHERE id = ?1 ORDER BY n DESC", &row, err));
    sql_bind_text(row, 1, id);
    FR_TRY(sql_step(row, &found, err));
    fr_buf_add(out, "[");
    while (found) {
        fr_buf_addf(out, "%s{\"version\":", written++ ? "," : "");
        fr_buf_add_json_text(out, sql_text(row, 0));
        fr_buf_addf(out, ",\"sha256\":\"%.64s\",\"page\":%s,\"since\":\"%s\",\"why\":\"%.20s\",\"current\":%s}", sql_text(row, 1), *sql_text(row, 2) ? "true" : "false",
                    fr_time_text(sql_int(row, 3), when), sql_text(row, 4), current ? "true" : "false");
        current = false;
        FR_TRY(sql_step(row, &found, err));
    }
    fr_buf_add(out, "]");
    return fr_buf_check(out, "the plugin's versions", err);
}

// ---- code

enum fr_status plugin_package_stored(struct store_txn *txn, const char *sha256, char **text, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT text FROM plugin_package WHERE sha256 = ?1", &row, err));
    sql_bind_text(row, 1, sha256);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "package_unknown", "the code with SHA-256 %.64s was never kept here", sha256);
    char *text_copy = fr_strndup(sql_text(row, 0), strlen(sql_text(row, 0)));
    if (!text_copy) return FR_FAIL(err, FR_E_NOMEM, "no memory for a package");
    *text = text_copy;
    return FR_OK;
}

enum fr_status registry_package(struct store_txn *txn, const char *sha256, const char *page, struct package **ret, struct fr_err *err)
{
    FR_AUTO_MEM char *text = NULL;
    FR_AUTO(package) p = NULL;
    FR_AUTO(net_files) web = NULL;
    FR_TRY(plugin_package_stored(txn, sha256, &text, err));
    FR_TRY(package_import(text, strlen(text), &p, err));
    if (*page) {
        FR_TRY(page_read(txn, page, &web, err));
        FR_TRY(package_set_page(p, FR_TAKE(web), err));
    }
    *ret = FR_TAKE(p);
    return FR_OK;
}
