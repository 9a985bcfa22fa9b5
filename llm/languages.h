// languages.h — the languages that texts are routed by: BCP-47 tag, English name, script. And a guess which one a text is in. Pure.
#pragma once
#include <stdbool.h>
struct llm_language { const char *tag, *name, *script, *words; };
extern const struct llm_language *const llm_languages;
extern const int llm_language_count;
const struct llm_language *llm_language(const char *tag);          // any case, regions and old tags too ("ko-KR", "iw"); NULL when unknown
// By script, and within one by frequent words. *sure: no other is as likely. Never NULL: what has no letters is English, unsurely.
const struct llm_language *llm_language_detect(const char *text, bool *sure);
