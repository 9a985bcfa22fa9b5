// vote.h — many answers to one question: which one most agree on, how many do, and when that is too few to say anything. Pure.
#pragma once
#include <stdbool.h>
#include "base/buf.h"
#include "llm/extract.h"

#define LLM_SAMPLES_MAX 33
struct llm_vote { char answer[LLM_ANSWER_WORD_BYTES], normal[LLM_ANSWER_WORD_BYTES]; int count, first; };      // first: the sample that said it first
struct llm_votes { struct llm_vote of[LLM_SAMPLES_MAX]; int kinds, answers, samples; };                        // samples: also those without an answer

void llm_vote_add(struct llm_votes *v, const char *answer);          // NULL or "": a sample without one, which agrees with nobody
const struct llm_vote *llm_vote_plurality(const struct llm_votes *v);      // the most, the earliest of equals; NULL: nobody answered
double llm_vote_agreement(const struct llm_votes *v);               // of all samples, 0..1
void llm_votes_print(const struct llm_votes *v, struct fr_buf *out);       // {"42":4,"41":1}

// What plurality should reach where every sample is right with probability p and else wrong in one of `wrongs` ways, equally likely: the closed form (multinomial; ties by lot).
double llm_vote_expected(int samples, double p, int wrongs);
// The lowest threshold of agreement at which, on questions whose answers are known, at least `accuracy` of those still answered were right; 1.01 when none is. Points are sorted in place.
struct llm_vote_point { double agreement; bool right; };
double llm_vote_calibrate(struct llm_vote_point *points, int count, double accuracy);
// A question about somebody's health? By words, English and Korean.
bool llm_is_medical(const char *text);
