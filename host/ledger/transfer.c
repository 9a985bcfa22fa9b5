// transfer.c — coins from free balances to free balances.
#include "ledger/internal.h"

static enum fr_status transfer_check(const struct ledger_transfer *t, const char *note, struct fr_err *err)
{
    FR_TRY(journal_check_words(t->key, t->reason, note, err));
    if (t->leg_count < 2 || t->leg_count > TRANSFER_LEGS_MAX)
        return FR_FAIL(err, FR_E_INVALID, "transfer %s has %d legs; 2 to %d are possible", t->key, t->leg_count, TRANSFER_LEGS_MAX);
    int64_t sum = 0;
    for (int i = 0; i < t->leg_count; i++) {
        int64_t units = t->legs[i].units;
        if (units == 0 || units > UNITS_MAX || units < -UNITS_MAX)
            return FR_FAIL(err, FR_E_INVALID, "leg %d of transfer %s moves %lld units", i + 1, t->key, (long long)units);
        if (__builtin_add_overflow(sum, units, &sum)) return FR_FAIL(err, FR_E_INVALID, "the legs of transfer %s sum to more than can be counted", t->key);
    }
    if (sum != 0) return FR_FAIL(err, FR_E_INVALID, "the legs of transfer %s sum to %lld, not 0", t->key, (long long)sum);
    return FR_OK;
}

enum fr_status ledger_post(struct store_txn *txn, const struct ledger_transfer *t, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    const char *note = t->note ? t->note : "";
    FR_TRY(transfer_check(t, note, err));
    struct changes changes;
    changes_init(&changes);
    for (int i = 0; i < t->leg_count; i++) FR_TRY(changes_add(&changes, t->legs[i].account, t->legs[i].units, 0, err));
    struct entry e = { .kind = "transfer", .key = t->key, .reason = t->reason, .subject = "", .note = note, .changes = &changes };
    content_hash(e.kind, t->reason, "", t->legs, t->leg_count, e.content);
    return journal_write(txn, &e, now_ms, id, err);
}
