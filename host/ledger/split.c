// split.c — shares of an amount, to the last unit.
#include "ledger/internal.h"

#define WHOLE_BPS 10000

static enum fr_status split_check(int64_t amount_units, const struct ledger_part *parts, int count, struct fr_err *err)
{
    if (amount_units < 0 || amount_units > UNITS_MAX) return FR_FAIL(err, FR_E_INVALID, "an amount of %lld units cannot be split", (long long)amount_units);
    if (count < 1 || count > SPLIT_PARTS_MAX) return FR_FAIL(err, FR_E_INVALID, "a split has 1 to %d parts, not %d", SPLIT_PARTS_MAX, count);
    int64_t sum_bps = 0;
    for (int i = 0; i < count; i++) {
        if (parts[i].bps < 0) return FR_FAIL(err, FR_E_INVALID, "part %d of the split is %d basis points", i + 1, parts[i].bps);
        sum_bps += parts[i].bps;
    }
    if (sum_bps != WHOLE_BPS) return FR_FAIL(err, FR_E_INVALID, "the parts sum to %lld basis points, not %d", (long long)sum_bps, WHOLE_BPS);
    return FR_OK;
}

// amount * bps / 10000 without leaving 64 bits: the amount is taken apart first.
static int64_t part_floor(int64_t amount_units, int bps, int *remainder)
{
    int64_t low = amount_units % WHOLE_BPS * bps;
    *remainder = (int)(low % WHOLE_BPS);
    return amount_units / WHOLE_BPS * bps + low / WHOLE_BPS;
}

enum fr_status ledger_split(int64_t amount_units, struct ledger_part *parts, int count, struct fr_err *err)
{
    FR_TRY(split_check(amount_units, parts, count, err));
    int remainder[SPLIT_PARTS_MAX];
    int64_t left = amount_units;
    for (int i = 0; i < count; i++) {
        parts[i].units = part_floor(amount_units, parts[i].bps, &remainder[i]);
        left -= parts[i].units;
    }
    for (; left > 0; left--) {                     // fewer units than parts are left
        int best = 0;
        for (int i = 1; i < count; i++) if (remainder[i] > remainder[best]) best = i;
        parts[best].units++;
        remainder[best] = -1;
    }
    return FR_OK;
}
