// grant.c — what a plugin's manifest asks for may only be less than what the operator gives.
#include "llm/ability.h"
#include "llm/llm_inside.h"

const char *llm_asset(const struct llm *l) { return l->o.settings->asset; }

void llm_grant(struct llm *l, const char *tenant, int64_t tokens_day)
{
    struct llm_limit limit = l->o.settings->plugin;
    if (limit.tokens_day == 0 || tokens_day < limit.tokens_day) limit.tokens_day = tokens_day;
    llm_limit(l, tenant, tokens_day > 0 ? &limit : NULL);
}
