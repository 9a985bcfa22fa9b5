// llm_docs.h — a plugin's documents, for llm.search and for llm.assess with sources.
#pragma once
#include "api/llm_ask.h"
// The best hits as JSON (llm/search.h); then, once, from another turn of the loop. A host without a model for vectors finds by words alone.
void api_docs_search(struct api_model *m, const char *query, int n, void (*then)(struct api_model *m, enum fr_status st, const char *json, size_t len, const struct fr_err *err));
