// verbs_backup.c — backups for the operator, and what the doctor asks about the data.
#include <stdio.h>
#include "base/clock.h"
#include "base/hash.h"
#include "console/internal.h"
#include "ledger/ledger.h"
#include "store/copy.h"

void live_backup_start(struct console_op *op)
{
    const char *to;
    bool force;
    struct fr_err err;
    enum fr_status st = fr_json_need_text(op->args, "to", 1, BACKUP_PATH_BYTES - 16, &to, &err);
    if (st == FR_OK) st = fr_json_opt_bool(op->args, "force", false, &force, &err);
    if (st == FR_OK && to[0] != '/') st = FR_FAIL(&err, FR_E_INVALID, "a backup's place is a whole path, from /");
    if (st == FR_OK) st = backups_start(console_options_of(op->console)->backups, to, force, &err);
    if (st == FR_OK) fr_buf_add(&op->out, "{}");
    console_answer(op, st, &err);
}

void live_backup_status(struct console_op *op)
{
    backups_print(console_options_of(op->console)->backups, &op->out);
    console_answer(op, FR_OK, NULL);
}

enum fr_status (*console_count_keys)(struct store_txn *txn, int64_t now_ms, int64_t *rows, int64_t *overdue, struct fr_err *err);

// All that one look at the data tells; what needs to read everything stands apart.
enum fr_status job_store_facts(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct store_health h;
    struct ledger_head head;
    int64_t back_ms, back_at, keys = 0, keys_overdue = 0;
    FR_TRY(store_health(txn, false, &h, err));
    if (h.fault[0]) return FR_FAIL_CODE(err, FR_E_CORRUPT, "store_damaged", "%s", h.fault);
    FR_TRY(ledger_head(txn, &head, err));
    FR_TRY(ledger_look(txn, err));
    FR_TRY(ledger_clock(txn, &back_ms, &back_at, err));
    if (console_count_keys) FR_TRY(console_count_keys(txn, fr_now_ms(), &keys, &keys_overdue, err));
    fr_buf_addf(&op->out, "{\"bytes\":%lld,\"free_bytes\":%lld,\"entries\":%lld,\"head\":\"%s\",\"last_ms\":\"%lld\",\"clock_back_ms\":\"%lld\",\"clock_back_at\":\"%lld\",\"keys\":%lld,\"keys_overdue\":%lld}",
                (long long)(h.pages * h.page_bytes), (long long)(h.free_pages * h.page_bytes), (long long)head.entries, head.hash, (long long)head.at_ms, (long long)back_ms,
                (long long)back_at, (long long)keys, (long long)keys_overdue);
    return FR_OK;
}

enum fr_status job_store_integrity(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct store_health h;
    FR_TRY(store_health(txn, true, &h, err));
    fr_buf_add(&op->out, "{\"fault\":");
    fr_buf_add_json_text(&op->out, h.fault[0] ? h.fault : NULL);
    fr_buf_addf(&op->out, ",\"pages\":%lld}", (long long)h.pages);
    return FR_OK;
}

// Is this row in the journal, with this hash? For a backup's end against the journal that went on.
enum fr_status job_ledger_entry(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    int64_t entry;
    char hash[SHA256_HEX_BYTES];
    FR_TRY(fr_json_need_units(op->args, "entry", 0, INT64_MAX, &entry, err));
    FR_TRY(ledger_entry_hash(txn, entry, hash, err));
    fr_buf_addf(&op->out, "{\"hash\":\"%s\"}", hash);
    return FR_OK;
}
