// fence.h — other people's text inside a prompt: marked as material, so that it cannot pass for instructions. Pure; loop thread only.
//
// A block is `<data NAME CODE>`, the text, `</data CODE>`. CODE is a keyed digest of name and text under a secret of this process: whoever writes the text cannot
// know it, and a text that quotes a code it has seen is another text, with another code. The same text has the same code, so a repeated prompt still meets the cache.
//
// The frame looks like markup, because small models repeat one they do not know: of 24 answers of the packaged model 9 had a `<<data ..>>` in them, none had this one.
//
// Inside, what could be taken for the frame is neutralised: control and direction characters, invisible ones (tags, zero width, variation selectors past U+FE0F), and
// tokens that chat templates give meaning to (<|im_start|>, [INST], <<SYS>>, </s>, <start_of_turn>): their first bracket becomes a look-alike. This makes injection
// harder, not impossible: what a model answers is checked all the same, and is never an instruction to us.
#pragma once
#include "base/buf.h"

void llm_fence_clean(const char *text, size_t len, struct fr_buf *out);                            // UTF-8 or not; what is added is
void llm_fence_add(const char *name, const char *text, size_t len, struct fr_buf *out);           // name: of ours, or [a-z0-9_]
// One line without frame, for what an author put into a sentence (a language, a number): cleaned, line breaks are spaces, cut at `most` bytes.
void llm_fence_word(const char *text, size_t most, struct fr_buf *out);
extern const char llm_fence_rule[];                                                               // what a system message says about blocks
void llm_fence_secret(const unsigned char secret[32]);                                            // for tests: golden prompts
