// burns.c — `burn list`, `verify` and `supply` for people.
#include <stdlib.h>
#include <string.h>
#include "base/units.h"
#include "cli/internal.h"
#include "ledger/ledger.h"

static const char *or_dash(const struct fr_json *v, const char *key) { return text_of(v, key)[0] ? text_of(v, key) : "-"; }

static int64_t units_of(const struct fr_json *v, const char *key)
{
    const char *text = fr_json_text(fr_json_get(v, key));
    return text ? strtoll(text, NULL, 10) : 0;
}

static void line(FILE *out, const char *what, const struct fr_json *v, const char *key, const char *more)
{
    char text[UNITS_TEXT_BYTES];
    fprintf(out, "  %-28s %22s  %s\n", what, fr_units_format(units_of(v, key), UNITS_DECIMALS_MAX, text), more);
}

// ---- list

static void print_facts(FILE *out, const struct fr_json *v)
{
    const struct fr_json *f = fr_json_get(v, "facts");
    const char *halted = fr_json_text(fr_json_get(f, "halted")), *error = fr_json_text(fr_json_get(f, "last_error"));
    if (!f || fr_json_kind(f) != JSON_OBJECT) fprintf(out, "no chain: burns stay pending\n");
    else fprintf(out, "%s; final block %s, logs read to %s; waits for %s\n", halted ? "HALTED" : fr_json_is_true(fr_json_get(f, "paused")) ? "paused" : "running", or_dash(f, "final_block"), or_dash(f, "scanned_block"), or_dash(f, "waits_for"));
    if (halted) fprintf(out, "halted: %s\n", halted);
    if (error && error[0]) {
        fputs("last error: ", out);
        print_text(out, error);
        fputc('\n', out);
    }
}

void print_burn_list(FILE *out, const struct fr_json *v, const struct cli *c)
{
    const struct fr_json *unknown = fr_json_get(v, "unknown");
    if (cli_option(c, "accruals")) {
        print_value(out, fr_json_get(v, "burns"), "id plugin amount asset state batch at reason");
        return;
    }
    if (fr_json_get(v, "facts")) print_facts(out, v);
    if (fr_json_size(fr_json_get(v, "pending"))) print_value(out, fr_json_get(v, "pending"), "plugin asset pending in_batches");
    if (fr_json_size(unknown)) {
        fputs("\nburned on chain, unknown to this data (frond burn adopt ID):\n", out);
        print_value(out, unknown, "id amount asset block tx");
    }
    if (fr_json_size(fr_json_get(v, "batches"))) {
        fputc('\n', out);
        print_value(out, fr_json_get(v, "batches"), "batch state units asset accruals payments block made_at why");
    }
}

// ---- verify

enum fr_status run_burn_verify(struct cli *c, struct fr_err *err)
{
    FR_AUTO(fr_json) v = NULL;
    FR_TRY(run_console(c, err));
    FR_TRY(fr_json_parse(c->out.data, c->out.len, &v, err));
    if (fr_json_is_true(fr_json_get(v, "good"))) return FR_OK;
    bool proof = fr_json_is_true(fr_json_get(v, "proof")), burned = fr_json_is_true(fr_json_get(v, "burned"));
    return FR_FAIL_CODE(err, FR_E_CONFLICT, "burn_not_proven", "%s", !burned ? "the burn module has not burned this batch" : !proof ? "leaf and proof do not come to the batch's root" : "the burn module has another amount or root");
}

void print_burn_verify(FILE *out, const struct fr_json *v, const struct cli *c)
{
    const struct fr_json *chain = fr_json_get(v, "chain");
    (void)c;
    fprintf(out, "%s leaf and proof come to the batch's root %s\n", fr_json_is_true(fr_json_get(v, "proof")) ? "yes" : "NO ", or_dash(v, "root"));
    fprintf(out, "%s the burn module has that root and amount for %s\n", fr_json_is_true(fr_json_get(v, "on_chain")) ? "yes" : "NO ", or_dash(v, "id"));
    fprintf(out, "    burned in block %s, amount %s, read at final block %s\n", or_dash(chain, "block"), or_dash(chain, "amount"), or_dash(chain, "read_block"));
}

// ---- supply

void print_burn_supply(FILE *out, const struct fr_json *v, const struct cli *c)
{
    const struct fr_json *frond = fr_json_get(v, "frond"), *chain = fr_json_get(v, "chain"), *from = fr_json_get(v, "burned_later_from");
    (void)c;
    if (fr_json_get(v, "cap")) {
        char more[200];
        const char *allocation = fr_json_text(fr_json_get(from, "allocation"));
        snprintf(more, sizeof more, "%s%s%s", allocation ? "from " : "", allocation ? allocation : "", allocation ? ": source unstated" : "source unstated");
        line(out, "cap", v, "cap", "");
        line(out, "to liquidity", v, "liquidity", "75%");
        line(out, "to the reserve", v, "reserve", "5%");
        line(out, "burned at launch", v, "burned_at_launch", "20%");
        line(out, "burned later", v, "burned_later", more);
        line(out, "burned by Frond", frond, "burned", "");
        line(out, "circulating", v, "circulating", "");
    } else line(out, "burned by Frond", frond, "burned", "");
    line(out, "pending", frond, "pending", "");
    line(out, "on its way", frond, "in_batches", "");
    fputc('\n', out);
    print_value(out, fr_json_get(frond, "by_plugin"), "plugin burned pending in_batches");
    if (!chain || fr_json_kind(chain) != JSON_OBJECT) return;
    fprintf(out, "\non chain, at block %s%s\n", or_dash(chain, "block"), fr_json_is_true(fr_json_get(chain, "agrees")) ? "" : ": NOT what Frond's burns explain");
    line(out, "totalSupply", chain, "total_supply", "");
    line(out, "totalBurned", chain, "total_burned", "");
    line(out, "of it by Frond", chain, "burned_by_frond", "");
}
