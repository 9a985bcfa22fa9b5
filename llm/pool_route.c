// pool_route.c — which pod is next for a request. Capability, then languages, then price, then what it has in its cache, then load.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/limits.h"
#include "llm/languages.h"
#include "llm/pool_inside.h"

static uint64_t draw(struct llm_pool *p)
{
    p->draw ^= p->draw << 13;
    p->draw ^= p->draw >> 7;
    p->draw ^= p->draw << 17;
    return p->draw;
}

// ---- who can do it ------------------------------------------------------------------------------------------------

// An estimate from above must not keep out what fits: a third of it may be air.
static bool fits(const struct llm_model_settings *m, const struct llm_request *r)
{
    int64_t prompt = r->kind == LLM_EMBED ? r->prompt_tokens / r->inputs : r->prompt_tokens;
    return prompt * 2 / 3 < m->context_tokens;
}

static bool speaks(const struct llm_model_settings *m, const struct llm_request *r) { return !m->only_languages || llm_languages_missing(m->languages, r->languages) == 0; }

static bool can(const struct pod *pod, const char *model, unsigned need, const struct llm_request *r)
{
    const struct llm_model_settings *m = pod_model(pod, model);
    return m && !pod->gone && (m->can & need) == need && fits(m, r) && speaks(m, r);
}

static bool has_failed(const struct part *part, const struct pod *pod)
{
    for (int i = 0; part && i < LLM_TRIES_MAX; i++) if (part->failed_at[i] == pod) return true;
    return false;
}

// Of one call a pod has one part at a time: it works on that with all it has.
static bool has_part(const struct llm_sent *s, const struct pod *pod)
{
    for (int i = 0; i < s->part_count; i++) if (s->parts[i].step == PART_RUNNING && s->parts[i].pod == pod) return true;
    return false;
}

// The price of a thousand tokens is far below what one language weighs.
#define LANGUAGE_WEIGHS (1LL << 48)
_Static_assert(2 * (UNITS_MAX / LLM_CALL_TOKENS_MAX) < LANGUAGE_WEIGHS, "a price is not above a language");
int64_t route_standing(const struct llm_model_settings *m, const char *languages)
{
    return llm_languages_missing(m->languages, languages) * LANGUAGE_WEIGHS + m->price.prompt_units + m->price.answer_units;
}

static int64_t standing_of(const struct pod *pod, const char *model, const struct llm_request *r) { return route_standing(pod_model(pod, model), r->languages); }

// ---- the choice ---------------------------------------------------------------------------------------------------

static bool has_prefix(const struct pod *pod, uint64_t prefix)
{
    for (int i = 0; prefix && i < PREFIXES; i++) if (pod->prefixes[i] == prefix) return true;
    return false;
}

void route_remember(struct pod *pod, const struct llm_request *r)
{
    const uint64_t both[] = { r->prefix, r->talk };
    for (int i = 0; i < 2; i++) if (both[i] && !has_prefix(pod, both[i])) pod->prefixes[pod->prefix_next++ % PREFIXES] = both[i];
}

// One that failed lately is as if it were busy; one that nothing is known of yet as if it were idle.
static int64_t load_of(const struct pod *pod) { return (pod->running + 1 + 4 * pod->failures) * (pod->pace_us ? pod->pace_us : 1); }

struct pod *route(struct llm_pool *p, const struct llm_sent *s, const struct part *part)
{
    struct pod *free_pods[LLM_BACKENDS_MAX * LLM_PODS_MAX], *warm = NULL;
    int64_t now = fr_mono_ms(), best = INT64_MAX;
    int count = 0, least = INT32_MAX;
    // A dearer one is not taken because the cheap one is busy: what was set aside is the cheap one's price. Nor one that knows less of the languages.
    for (struct pod *pod = p->pods; pod; pod = pod->next)
        if (can(pod, s->model, s->need, s->request) && pod_is_open(pod, now) && !has_failed(part, pod) && standing_of(pod, s->model, s->request) < best) best = standing_of(pod, s->model, s->request);
    for (struct pod *pod = p->pods; pod; pod = pod->next) {
        if (!can(pod, s->model, s->need, s->request) || !pod_has_room(pod, now) || has_failed(part, pod) || has_part(s, pod) || standing_of(pod, s->model, s->request) > best) continue;
        if (pod->running < least) least = pod->running;
        if (count < (int)(sizeof free_pods / sizeof free_pods[0])) free_pods[count++] = pod;
    }
    if (count == 0) return NULL;
    for (int i = 0; i < count; i++) {
        bool talk = has_prefix(free_pods[i], s->request->talk);
        if (!talk && (warm || !has_prefix(free_pods[i], s->request->prefix))) continue;
        if (free_pods[i]->running > least + 2 + (int)free_pods[i]->window / 4) continue;           // much busier than another
        warm = free_pods[i];
        if (talk) break;
    }
    if (warm) {
        p->prefix_hits++;
        return warm;
    }
    struct pod *a = free_pods[draw(p) % (uint64_t)count], *b = free_pods[draw(p) % (uint64_t)count];
    if (count == 2) b = free_pods[a == free_pods[0]];
    return load_of(b) < load_of(a) ? b : a;
}

int64_t route_open_at(const struct llm_pool *p, const struct llm_sent *s, const struct part *part)
{
    int64_t at = INT64_MAX;
    for (const struct pod *pod = p->pods; pod; pod = pod->next)
        if (can(pod, s->model, s->need, s->request) && !has_failed(part, pod) && pod->state != POD_DOWN && pod->open_at < at) at = pod->open_at;
    return at;
}

// ---- is there room ------------------------------------------------------------------------------------------------

// A language that every pod of the model refuses.
static enum fr_status nobody_speaks(const struct llm_pool *p, const struct llm_pool_ask *ask, struct fr_err *err)
{
    const char *named = ask->request->languages;
    char tag[LLM_TAG_BYTES];
    while (llm_language_next(&named, tag)) {
        bool anybody = false;
        for (const struct pod *pod = p->pods; pod; pod = pod->next) {
            const struct llm_model_settings *m = pod->gone ? NULL : pod_model(pod, ask->model);
            anybody = anybody || (m && (!m->only_languages || llm_language_in(m->languages, tag)));
        }
        if (!anybody) return FR_FAIL_CODE(err, FR_E_INVALID, "llm_request", "%.63s is not for the language \"%s\"", ask->model, tag);
    }
    return FR_OK;
}

static enum fr_status nobody_can(const struct llm_pool *p, const struct llm_pool_ask *ask, unsigned need, struct fr_err *err)
{
    unsigned best = 0;
    int64_t context = 0;
    bool known = false;
    for (const struct pod *pod = p->pods; pod; pod = pod->next) {
        const struct llm_model_settings *m = pod->gone ? NULL : pod_model(pod, ask->model);
        if (!m) continue;
        known = true;
        best |= m->can;
        if ((m->can & need) == need && speaks(m, ask->request) && m->context_tokens > context) context = m->context_tokens;
    }
    if (!known) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "model_unknown", "no model is called %.63s", ask->model);
    for (unsigned bit = 1; bit <= LLM_CAN_LOGPROBS; bit <<= 1)
        if (need & ~best & bit) return FR_FAIL_CODE(err, FR_E_INVALID, "llm_request", "%.63s cannot do \"%s\"", ask->model, llm_can_name(bit));
    FR_TRY(nobody_speaks(p, ask, err));
    if (context == 0) return FR_FAIL_CODE(err, FR_E_INVALID, "llm_request", "%.63s cannot do all of that at once", ask->model);
    return FR_FAIL_CODE(err, FR_E_INVALID, "llm_request", "a prompt of about %lld tokens: %.63s takes %lld", (long long)ask->request->prompt_tokens, ask->model, (long long)context);
}

enum fr_status route_room(const struct llm_pool *p, const struct llm_pool_ask *ask, struct fr_err *err)
{
    unsigned need = ask->need | ask->request->need;
    int64_t now = fr_mono_ms(), best = INT64_MAX, open_at = INT64_MAX;
    int able = 0, hopeful = 0;
    const char *why = "";
    bool room = false;
    for (const struct pod *pod = p->pods; pod; pod = pod->next)
        if (can(pod, ask->model, need, ask->request) && pod_is_open(pod, now) && standing_of(pod, ask->model, ask->request) < best) best = standing_of(pod, ask->model, ask->request);
    for (const struct pod *pod = p->pods; pod; pod = pod->next) {
        if (!can(pod, ask->model, need, ask->request)) continue;
        able++;
        hopeful += pod->state != POD_DOWN;
        if (pod->why[0]) why = pod->why;
        if (pod->state != POD_DOWN && pod->open_at > now && pod->open_at < open_at) open_at = pod->open_at;
        room = room || (pod_has_room(pod, now) && standing_of(pod, ask->model, ask->request) <= best);
    }
    if (room) return FR_OK;
    if (!able) return nobody_can(p, ask, need, err);
    if (!hopeful) return FR_FAIL_CODE(err, FR_E_BUSY, "llm_down", "no pod of %.63s is up%s%s", ask->model, why[0] ? ": " : "", why);
    enum fr_status st = FR_FAIL_CODE(err, FR_E_BUSY, "llm_busy", "all pods of %.63s are busy", ask->model);
    if (err && open_at != INT64_MAX) err->retry_s = (int)((open_at - now + 999) / 1000);
    return st;
}
