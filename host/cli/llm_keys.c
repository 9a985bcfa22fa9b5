// llm_keys.c — `llm key new`: the key, which is shown this once.
#include "cli/internal.h"

void print_llm_key_new(FILE *out, const struct fr_json *v, const struct cli *c)
{
    (void)c;
    fprintf(out, "%s\n\nKey %s, \"", text_of(v, "key"), text_of(v, "id"));
    print_text(out, text_of(v, "name"));
    fprintf(out, "\". It is shown this once: only its hash is kept.\n");
}
