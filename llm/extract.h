// extract.h — what somebody meant by an answer: its last line, a number, a letter. For votes and for scores. Pure.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define LLM_ANSWER_WORD_BYTES 256
// The final answer of a reasoning: what stands behind the last "ANSWER:" (any case, also bold; "답:", "정답:"), up to the line's end. False: there is none.
bool llm_extract_final(const char *text, char out[LLM_ANSWER_WORD_BYTES]);
// The same for equal answers: ASCII in lower case, one blank between words, no quotes, brackets, emphasis or final full stop; "1,000.50" and "1000.5" are one number, "(B)" and "b." are "b".
void llm_extract_normal(const char *text, char out[LLM_ANSWER_WORD_BYTES]);
bool llm_extract_number(const char *text, double *ret);              // the last one in a text; thousands may have commas
char llm_extract_choice(const char *text);                           // 'A'..'Z', or 0: "B", "(B)", "B. Mercury", "the answer is B"
// One of "exact", "contains", "numeric", "choice". Anything else: false, with *known false.
bool llm_score(const char *kind, const char *got, const char *want, bool *known);
