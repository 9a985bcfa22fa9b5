// settle.c — places to coins, in integers.
#include "play/settle.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/units.h"
#include "ledger/ledger.h"

#define MALFORMED(err, ...) FR_FAIL_CODE((err), FR_E_INVALID, "finish_malformed", __VA_ARGS__)

const char *settle_part_name(enum split_part part)
{
    static const char *const names[SPLIT_PART_COUNT] = { [SPLIT_PLUGIN] = "plugin", [SPLIT_TREASURY] = "treasury", [SPLIT_BURN] = "burn", [SPLIT_AUTHOR] = "author" };
    assert(part < SPLIT_PART_COUNT);
    return names[part];
}

void settle_void(struct match_result *r, const char *reason)
{
    *r = (struct match_result){ .undone = true, .is_void = true };
    snprintf(r->reason, sizeof r->reason, "%s", reason);
}

void settle_forfeit(struct match_result *r, int seats, int loser, const char *reason)
{
    *r = (struct match_result){ 0 };
    for (int i = 0; i < seats; i++) r->places[i] = i + 1 == loser ? 2 : 1;
    if (seats == 1) settle_void(r, reason);
    snprintf(r->reason, sizeof r->reason, "%s", reason);
}

static enum fr_status settle_read_places(const struct fr_json *list, int seats, struct match_result *r, struct fr_err *err)
{
    int place = 0, named = 0;
    for (const struct fr_json *group = fr_json_child(list); group; group = fr_json_next(group)) {
        place++;
        if (fr_json_kind(group) != JSON_ARRAY || fr_json_size(group) == 0) return MALFORMED(err, "finish.places[%d] must be a list of seats", place);
        for (const struct fr_json *at = fr_json_child(group); at; at = fr_json_next(at)) {
            double seat = fr_json_number(at);
            if (fr_json_kind(at) != JSON_NUMBER || seat < 1 || seat > seats || seat != (double)(int)seat)
                return MALFORMED(err, "finish.places[%d] holds something that is no seat from 1 to %d", place, seats);
            if (r->places[(int)seat - 1]) return MALFORMED(err, "finish.places names seat %d twice", (int)seat);
            r->places[(int)seat - 1] = place;
            named++;
        }
    }
    if (named != seats) return MALFORMED(err, "finish.places names %d of %d seats", named, seats);
    r->undone = place == 1 && seats > 1;             // {{1,2}}: a draw
    return FR_OK;
}

static enum fr_status settle_read_shares(const struct fr_json *list, int seats, struct match_result *r, struct fr_err *err)
{
    if (fr_json_kind(list) != JSON_ARRAY || fr_json_size(list) != seats) return MALFORMED(err, "finish.shares_bps must have one entry for each of %d seats", seats);
    int sum = 0, best = 0, i = 0, bps[SEATS_MAX];
    for (const struct fr_json *at = fr_json_child(list); at; at = fr_json_next(at), i++) {
        double share = fr_json_number(at);
        if (fr_json_kind(at) != JSON_NUMBER || share < 0 || share > 10000 || share != (double)(int)share) return MALFORMED(err, "finish.shares_bps[%d] must be 0 to 10000", i + 1);
        bps[i] = (int)share;
        sum += bps[i];
        if (bps[i] > best) best = bps[i];
    }
    if (sum != 10000) return MALFORMED(err, "finish.shares_bps sums to %d, not 10000", sum);
    for (i = 0; i < seats; i++) r->places[i] = bps[i] == best ? 1 : 2;
    return FR_OK;
}

enum fr_status settle_read(const struct fr_json *effect, int seats, struct match_result *ret, struct fr_err *err)
{
    struct match_result r = { 0 };
    const char *kind = fr_json_text(fr_json_get(effect, "e")), *reason = fr_json_text(fr_json_get(effect, "reason"));
    if (kind && strcmp(kind, "void") == 0) {
        settle_void(&r, reason ? reason : "void");
        *ret = r;
        return FR_OK;
    }
    const struct fr_json *places = fr_json_get(effect, "places"), *shares = fr_json_get(effect, "shares_bps");
    snprintf(r.reason, sizeof r.reason, "%s", reason ? reason : "finished");
    if (places && fr_json_kind(places) == JSON_ARRAY) FR_TRY(settle_read_places(places, seats, &r, err));
    else if (shares) FR_TRY(settle_read_shares(shares, seats, &r, err));
    else return MALFORMED(err, "finish needs places or shares_bps");
    *ret = r;
    return FR_OK;
}

// Shares `units` over the seats that stand first, equally.
static void settle_winners(struct match_result *r, int seats, int64_t units)
{
    int winners = 0, given = 0;
    for (int i = 0; i < seats; i++) winners += r->places[i] == 1;
    assert(winners > 0);
    for (int i = 0; i < seats; i++) {
        if (r->places[i] != 1) continue;
        r->payout[i] = units / winners + (given < units % winners ? 1 : 0);
        given++;
    }
}

// By largest remainder, earlier seat first: ledger_split's rule, for as many parts as a match has seats.
static void settle_shares(struct match_result *r, int seats, int64_t units, const struct fr_json *shares)
{
    int i = 0, remainder[SEATS_MAX] = { 0 };
    int64_t left = units;
    for (const struct fr_json *at = fr_json_child(shares); at && i < seats; at = fr_json_next(at), i++) {
        int bps = (int)fr_json_number(at);
        int64_t low = units % 10000 * bps;
        r->payout[i] = units / 10000 * bps + low / 10000;
        remainder[i] = (int)(low % 10000);
        left -= r->payout[i];
    }
    for (; left > 0; left--) {
        int best = 0;
        for (i = 1; i < seats; i++) if (remainder[i] > remainder[best]) best = i;
        r->payout[best]++;
        remainder[best] = -1;
    }
}

enum fr_status settle_amounts(struct match_result *r, int seats, int64_t stake_units, const int rake_bps[SPLIT_PART_COUNT],
                              const struct fr_json *shares_bps, struct fr_err *err)
{
    if (__builtin_mul_overflow(stake_units, (int64_t)seats, &r->pot) || r->pot > UNITS_MAX)
        return FR_FAIL(err, FR_E_LIMIT, "a pot of %d stakes is past %lld units", seats, UNITS_MAX);
    if (stake_units == 0) return FR_OK;
    if (r->undone) {
        for (int i = 0; i < seats; i++) r->payout[i] = stake_units;
        return FR_OK;
    }
    struct ledger_part parts[SPLIT_PART_COUNT + 1] = { { .bps = 10000 } };     // the winners' part first: ties fall to them
    for (int i = 0; i < SPLIT_PART_COUNT; i++) {
        parts[i + 1].bps = rake_bps[i];
        parts[0].bps -= rake_bps[i];
    }
    FR_TRY(ledger_split(r->pot, parts, SPLIT_PART_COUNT + 1, err));
    for (int i = 0; i < SPLIT_PART_COUNT; i++) r->rake[i] = parts[i + 1].units;
    if (shares_bps && fr_json_kind(shares_bps) == JSON_ARRAY) settle_shares(r, seats, parts[0].units, shares_bps);
    else settle_winners(r, seats, parts[0].units);
    return FR_OK;
}

void settle_print_places(const struct match_result *r, int seats, struct fr_buf *out)
{
    int groups = 0;
    fr_buf_add(out, "[");
    for (int place = 1; place <= seats && !r->is_void; place++) {
        int named = 0;
        for (int i = 0; i < seats; i++) {
            if (r->places[i] != place) continue;
            fr_buf_addf(out, "%s%d", named++ ? "," : groups++ ? ",[" : "[", i + 1);
        }
        if (named) fr_buf_add(out, "]");
    }
    fr_buf_add(out, "]");
}

void settle_print(const struct match_result *r, int seats, struct fr_buf *out)
{
    fr_buf_add(out, "{\"reason\":");
    fr_buf_add_json_text(out, r->reason);
    fr_buf_addf(out, ",\"void\":%s,\"places\":", r->is_void ? "true" : "false");
    settle_print_places(r, seats, out);
    fr_buf_add(out, ",\"payout\":[");
    for (int i = 0; i < seats; i++) fr_buf_addf(out, "%s\"%lld\"", i ? "," : "", (long long)r->payout[i]);
    fr_buf_add(out, "],\"rake\":{");
    for (int i = 0; i < SPLIT_PART_COUNT; i++) fr_buf_addf(out, "%s\"%s\":\"%lld\"", i ? "," : "", settle_part_name(i), (long long)r->rake[i]);
    fr_buf_add(out, "}}");
}
