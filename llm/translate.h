// translate.h — a text in another of over 100 languages (languages.h), with everything in it that is no language left as it was (protect.h). After PaLM 2, which was measured so; no quality is claimed for any model here.
//
// The languages that are named, the target before the source, are named to the router too (llm/README.md, "Which pod").
//
// What comes back is checked: JSON of the right shape, every protected piece exactly once, not empty, not absurdly long; the error is told to the model twice at most, then the call is refused (llm_invalid).
// The value: {"text":"..","from":"ko","to":"en","sure":true,"idioms":[{"source":"..","meaning":"..","rendering":".."}]}. idioms only with notes.
#pragma once
#include "base/json.h"
#include "llm/ability.h"

struct llm_translate_ask { const char *text, *to, *from; const struct fr_json *glossary; bool notes; llm_value_fn *done; void *arg; };      // from NULL: detected; glossary {"term":"translation"} or NULL
FR_MUST_USE enum fr_status llm_translate_start(const struct llm_by *by, const struct llm_translate_ask *ask, struct fr_err *err);      // bad_arguments: an unknown language, a glossary that is none
