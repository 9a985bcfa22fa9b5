// languages.h — the languages that texts are routed by: BCP-47 tag, English name, script. And a guess which one a text is in. Pure.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/limits.h"
struct llm_language { const char *tag, *name, *script, *words; };
extern const struct llm_language *const llm_languages;
extern const int llm_language_count;
const struct llm_language *llm_language(const char *tag);          // any case, regions and old tags too ("ko-KR", "iw"); NULL when unknown
// By script, and within one by frequent words. *sure: no other is as likely. Never NULL: what has no letters is English, unsurely.
const struct llm_language *llm_language_detect(const char *text, bool *sure);
// Tags as models declare them and requests name them. Of a tag's form alone: "ko", "pt-BR", "zh-Hant-TW"; whether anybody speaks it is nobody's business here.
bool llm_language_is_tag(const char *text);
// An old or other tag becomes the one of the table ("iw" "he", "no" "nb", "zh-TW" "zh-Hant", "KO" "ko"); regions stay ("pt-BR"), and what is unknown stays as it is. cap: LLM_TAG_BYTES; what is no tag is cut there.
void llm_language_normal(const char *tag, char *out, size_t cap);
// The next tag of a list ("ko,en"), which is moved past it; false: there is none. A longer one is cut.
bool llm_language_next(const char **list, char tag[LLM_TAG_BYTES]);
// Whether a list of normal tags ("en,pt-BR"; "*" is any) has a normal one, or what it begins with: who declares "pt" declares "pt-BR" too, not the other way round.
bool llm_language_in(const char *list, const char *tag);
// How many of the languages named ("ko,en"; "" none) a list has not.
int llm_languages_missing(const char *list, const char *named);
