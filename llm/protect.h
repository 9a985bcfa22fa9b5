// protect.h — what must come through a translation unchanged: placeholders, tags, addresses, and terms with a translation of their own. Pure.
//
// Each is replaced by a token ⟦1⟧, ⟦2⟧, .. before the text goes out; what comes back has to hold each token exactly once and no other, in whatever order the language wants, with tags still
// nested as they were; then the tokens are replaced again. Taken: {name}, {{name}}, ${name}, %s %1$s %-5.2f %@ %%, <tags>, </tags>, &entities;, http(s)://.., tokens of this very form, glossary terms (whole words, as written).
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

struct llm_protected;
// glossary: an object {"term":"translation"}, or NULL. text: with tokens. FR_E_LIMIT "bad_arguments": over LLM_PROTECTED_MAX pieces.
#define LLM_PROTECTED_MAX 400
FR_MUST_USE enum fr_status llm_protect(const char *text, const struct fr_json *glossary, struct llm_protected **ret, struct fr_buf *out, struct fr_err *err);
int llm_protected_count(const struct llm_protected *p);
// FR_E_INVALID: the text says which token is missing, doubled, unknown, or out of its place.
FR_MUST_USE enum fr_status llm_protected_check(const struct llm_protected *p, const char *text, struct fr_err *err);
void llm_protected_restore(const struct llm_protected *p, const char *text, struct fr_buf *out);      // of a text that was checked; other texts as far as they go
void llm_protected_free(struct llm_protected *p);
