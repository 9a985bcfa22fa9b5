// door.c — the door that leads to the core itself.
#include "llm/ability.h"

static enum fr_status door_start(void *arg, const struct llm_ask *ask, struct llm_call **ret, struct fr_err *err)
{
    return llm_start(arg, ask, ret, err);
}

struct llm_door llm_door(struct llm *l)
{
    return (struct llm_door){ l, door_start };
}
