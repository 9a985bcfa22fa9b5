// chain.c — the chain, for people.
#include <string.h>
#include "cli/internal.h"

static int number_of(const struct fr_json *v, const char *key) { return (int)fr_json_number(fr_json_get(v, key)); }

static void add(FILE *out, const char *what, const char *text)
{
    fprintf(out, "%-10s  ", what);
    print_text(out, text);
    fputc('\n', out);
}

static void print_reasons(FILE *out, const struct fr_json *v, const char *of)
{
    for (const struct fr_json *h = fr_json_child(fr_json_get(v, of)); h; h = fr_json_next(h)) {
        fprintf(out, "%-10s  ", strcmp(of, "halted") == 0 ? "HALTED" : "trouble");
        print_text(out, text_of(h, "part"));
        fputs(text_of(h, "part")[0] ? ": " : "", out);
        print_text(out, text_of(h, "text"));
        fprintf(out, " (%s)\n", text_of(h, "code"));
    }
}

static void print_key(FILE *out, const struct fr_json *key, const struct fr_json *signer)
{
    fprintf(out, "key         %s, %s ether; today %s; base fee %s gwei\n", text_of(key, "address"), text_of(key, "ether"), text_of(key, "spent_today"), text_of(key, "base_fee_gwei"));
    fprintf(out, "payments    %d, %d with a nonce; next nonce %s, final %s; waits for %s%s\n", number_of(key, "payments"), number_of(key, "open"), text_of(key, "next_nonce"), text_of(key, "final_nonce"), text_of(key, "waits_for"),
            fr_json_is_true(fr_json_get(key, "paused")) ? "; PAUSED" : "");
    if (text_of(key, "last_error")[0]) add(out, "last error", text_of(key, "last_error"));
    fprintf(out, "signer      %s, %s", text_of(signer, "kind"), text_of(signer, "state"));
    if (number_of(signer, "pid")) fprintf(out, " (process %d, started %d times)", number_of(signer, "pid"), number_of(signer, "starts"));
    fputc('\n', out);
}

void print_chain_status(FILE *out, const struct fr_json *v, const struct cli *c)
{
    const struct fr_json *dev = fr_json_get(v, "dev_chain"), *contracts = fr_json_get(v, "contracts");
    (void)c;
    fprintf(out, "state       %s", text_of(v, "state"));
    fputs(text_of(v, "text")[0] ? ": " : "", out);
    print_text(out, text_of(v, "text"));
    fputc('\n', out);
    print_reasons(out, v, "halted");
    print_reasons(out, v, "troubles");
    if (dev && text_of(dev, "rpc")[0])
        fprintf(out, "dev chain   %s (anvil, process %d, started %d times): block %s, on disk %s\n", text_of(dev, "rpc"), number_of(dev, "pid"), number_of(dev, "starts"), text_of(dev, "block"), text_of(dev, "saved"));
    if (!contracts) return;
    fprintf(out, "chain       %s, block %s, final %s\n", text_of(v, "chain_id"), text_of(v, "block"), text_of(v, "final"));
    print_key(out, fr_json_get(v, "key"), fr_json_get(v, "signer"));
    add(out, "vault", text_of(v, "vault"));
    add(out, "burns", text_of(contracts, "burn_module"));
    add(out, "deposits", text_of(contracts, "deposit_factory"));
    fputs("tokens\n", out);
    print_value(out, fr_json_get(contracts, "tokens"), "asset chain_decimals address payout");
    fputs("nodes\n", out);
    print_value(out, fr_json_get(v, "nodes"), "name state height latency_ms asked failed version");
}
