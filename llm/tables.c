// tables.c — what the abilities keep.
#include "llm/ability.h"
#include "llm/keyed.h"
#include "llm/search.h"

void llm_abilities_register(void)
{
    llm_keyed_tables();
    llm_search_tables();
}
