// filter.h — what may not go in, and what may not come out: words that an operator refuses, secrets, personal data. Works over a stream in whatever pieces it comes. Loop thread only.
//
// A refused word in a prompt refuses the call ("llm_refused"); in an answer it ends it there, with finish "content_filter". Words are compared without case (ASCII) and as whole words; a phrase may
// have spaces. Secrets (private keys, API keys, bearer and session tokens, JSON web tokens, Telegram bot tokens, seed phrases) and personal data (e-mail, telephone, card numbers that pass Luhn's
// check) become "[hidden]". Patterns know no meaning: they keep slips from being seen, they do not stop somebody who wants to say a thing in other words.
//
// A stream is held back only from where something may have begun: at most LLM_FILTER_HOLD_BYTES. The text is the same however it was cut into pieces.
#pragma once
#include "base/buf.h"
#include "llm/settings.h"

struct llm_filter_rules;
struct llm_filter_rules *llm_filter_rules_new(const struct llm_settings *s);           // must-alloc; one reference
struct llm_filter_rules *llm_filter_rules_keep(struct llm_filter_rules *r);
void llm_filter_rules_drop(struct llm_filter_rules *r);      // takes NULL
bool llm_filter_rules_any(const struct llm_filter_rules *r); // something is looked for in answers
bool llm_filter_refuses(const struct llm_filter_rules *r, const char *text);           // holds a refused word
// One text. `text` may be cut anywhere between calls; what is certain is added to out. False: a refused word came, what was before it is in out, and the text ends here.
struct llm_filter { struct llm_filter_rules *rules; struct fr_buf held; char before[64]; size_t before_len; int hiding; bool refused; int64_t hidden; };
void llm_filter_begin(struct llm_filter *f, struct llm_filter_rules *rules);           // keeps the rules
bool llm_filter_add(struct llm_filter *f, const char *text, size_t len, struct fr_buf *out);
bool llm_filter_end(struct llm_filter *f, struct fr_buf *out);
void llm_filter_free(struct llm_filter *f);                  // takes zeros
// Between llm_filter_end of one text and the next one of the same filter: what else stands there, which is not looked at itself but says what follows ("token"). anew: what was being hidden does not go on.
void llm_filter_between(struct llm_filter *f, const char *text, size_t len, bool anew);
// JSON text at once (the arguments of a tool's call): its strings, keys and numbers, each as it is meant and not as it is escaped. Where something is hidden it is the same JSON with other strings (a number becomes one); what
// is no JSON becomes "\"[hidden]\"" then. *hidden: how many. False: a refused word is in it, and nothing was added to out. out->failed: no memory.
bool llm_filter_json(struct llm_filter_rules *rules, const char *text, size_t len, struct fr_buf *out, int64_t *hidden);
// A whole text at once, secrets and personal data alike, whatever the rules: for what is written down. No words are refused.
void llm_filter_redact(const char *text, size_t len, struct fr_buf *out);
