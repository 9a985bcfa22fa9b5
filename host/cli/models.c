// models.c — pools of models for people.
#include <string.h>
#include "cli/internal.h"

static long long number_of(const struct fr_json *v, const char *key) { return (long long)fr_json_number(fr_json_get(v, key)); }

void print_llm_pools(FILE *out, const struct fr_json *v, const struct cli *c)
{
    const struct fr_json *pools = fr_json_get(v, "pools"), *queue = fr_json_get(v, "queue"), *cache = fr_json_get(v, "cache"), *records = fr_json_get(v, "records");
    (void)c;
    fprintf(out, "models      %s\n", fr_json_is_true(fr_json_get(v, "ready")) ? "up" : "no pod that chats is up");
    fprintf(out, "calls       %lld under way, %lld so far; %lld failed, %lld cancelled, %lld from the cache, %lld joined another\n", number_of(v, "calls"), number_of(v, "started"), number_of(v, "failed"), number_of(v, "cancelled"),
            number_of(v, "cached"), number_of(v, "joined"));
    fprintf(out, "queue       %lld of %lld wait\n", number_of(queue, "waiting"), number_of(queue, "most"));
    fprintf(out, "cache       %lld answers, %lld bytes, %lld hits, %lld misses\n", number_of(cache, "entries"), number_of(cache, "bytes"), number_of(cache, "hits"), number_of(cache, "misses"));
    fprintf(out, "records     of %s; %lld written, %lld lost\n", text_of(records, "record"), number_of(records, "written"), number_of(records, "lost"));
    if (fr_json_size(fr_json_get(queue, "tenants"))) print_value(out, fr_json_get(queue, "tenants"), "tenant waiting under_way served");
    fputs("pods\n", out);
    print_value(out, fr_json_get(pools, "pods"), "name at state running room pace_us asked answered failed full why");
}

enum fr_status run_llm_replay(struct cli *c, struct fr_err *err)
{
    FR_AUTO(fr_json) v = NULL;
    FR_TRY(run_console(c, err));
    FR_TRY(fr_json_parse_long(c->out.data, c->out.len, CLI_RESULT_BYTES_MAX, &v, err));
    if (fr_json_is_true(fr_json_get(v, "good"))) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_CORRUPT, "record_differs", "what was kept does not add up to the answer (a record with hidden text never does)");
}
