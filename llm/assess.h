// assess.h — an answer with its reasons, how far the model agrees with itself, how it judges that answer, and silence where it does not know. After Med-PaLM (arXiv 2212.13138, 2305.09617).
//
// samples: so many reasonings, each ending in an answer; the one that most agree on wins (self-consistency). With drafts > 0 (ensemble refinement) the first `drafts` of them are put
// before the model again, and `samples` better ones are made from them, which then vote. agreement is the winner's share of all votes; below `threshold` it abstains: no answer is given,
// the reasoning and the votes are. axes: names of prompts/assess.json, judged 1..5 with a reason in one further call; a judgement that never fits its schema is left out ("axes": null).
// threshold is only as good as where it comes from: calibrate it with llm_vote_calibrate on questions whose answers are known. Nothing here makes a weak model right.
//
// The value: {"answer"?,"reasoning","agreement","votes","samples","abstained","axes":[{"axis","score","reason"}]|null,"sources"?:["id",..],"disclaimer"?}
#pragma once
#include "base/json.h"
#include "llm/ability.h"
#include "llm/vote.h"

#define LLM_AXES_MAX 14
#define LLM_SOURCES_MAX 8
struct llm_source { const char *id, *text; };
struct llm_assess_ask {
    const char *question;
    const char *const *choices; int choice_count;          // at most 26, lettered from A; 0: a free answer
    int samples, drafts;                                    // 1..LLM_SAMPLES_MAX; 0..samples' bound
    double threshold;
    const char *const *axes; int axis_count;                // "all": all of them
    const struct llm_source *sources; int source_count;
    llm_value_fn *done;
    void *arg;
};
FR_MUST_USE enum fr_status llm_assess_start(const struct llm_by *by, const struct llm_assess_ask *ask, struct fr_err *err);     // bad_arguments: an axis nobody knows
