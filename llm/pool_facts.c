// pool_facts.c — what the pool knows, for those who ask for models, for operators and for Prometheus. No key and no address behind a host's name is told.
#include <string.h>
#include "base/clock.h"
#include "llm/languages.h"
#include "llm/pool_inside.h"

static const char *const states[] = { [POD_NEW] = "new", [POD_UP] = "up", [POD_TRIAL] = "trial", [POD_DOWN] = "down" };

static void print_can(unsigned can, struct fr_buf *out)
{
    bool any = false;
    fr_buf_add_char(out, '[');
    for (unsigned bit = 1; bit <= LLM_CAN_LOGPROBS; bit <<= 1) {
        if (!(can & bit)) continue;
        fr_buf_addf(out, "%s\"%s\"", any ? "," : "", llm_can_name(bit));
        any = true;
    }
    fr_buf_add_char(out, ']');
}

// Those of a list that are in none of the lists of this model before it.
static void print_languages(const struct llm_pool *p, const char *model, struct fr_buf *out)
{
    const char *before[LLM_BACKENDS_MAX * LLM_MODELS_MAX];
    char tag[LLM_TAG_BYTES];
    int lists = 0, told = 0;
    fr_buf_add_char(out, '[');
    for (int b = 0; b < p->settings->backend_count; b++)
        for (int m = 0; m < p->settings->backends[b].model_count; m++) {
            const char *tags = p->settings->backends[b].models[m].languages;
            if (strcmp(p->settings->backends[b].models[m].name, model) != 0) continue;
            before[lists++] = tags;
            while (llm_language_next(&tags, tag)) {
                bool known = false;
                for (int i = 0; i < lists - 1; i++) known = known || llm_language_in(before[i], tag);
                if (known) continue;
                if (told++) fr_buf_add_char(out, ',');
                fr_buf_add_json_text(out, tag);
            }
        }
    fr_buf_add_char(out, ']');
}

static bool is_first_of_its_name(const struct llm_settings *s, int b, int m)
{
    for (int i = 0; i <= b; i++)
        for (int k = 0; k < (i == b ? m : s->backends[i].model_count); k++) if (strcmp(s->backends[i].models[k].name, s->backends[b].models[m].name) == 0) return false;
    return true;
}

static bool model_is_up(const struct llm_pool *p, const char *model)
{
    for (const struct pod *pod = p->pods; pod; pod = pod->next) if (!pod->gone && pod_model(pod, model) && (pod->state == POD_UP || pod->state == POD_TRIAL)) return true;
    return false;
}

// The same name at several backends is one model: it can what one of them can.
static void print_model(const struct llm_pool *p, int b, const struct llm_model_settings *m, struct fr_buf *out)
{
    const struct llm_model_settings *price = llm_pool_model(p, LLM_CHAT, m->name, "");
    unsigned can = 0;
    int64_t context = 0;
    for (int i = 0; i < p->settings->backend_count; i++)
        for (int k = 0; k < p->settings->backends[i].model_count; k++) {
            const struct llm_model_settings *same = &p->settings->backends[i].models[k];
            if (strcmp(same->name, m->name) != 0) continue;
            can |= same->can;
            if (same->context_tokens > context) context = same->context_tokens;
        }
    fr_buf_add(out, "{\"id\":");
    fr_buf_add_json_text(out, m->name);
    fr_buf_add(out, ",\"object\":\"model\",\"created\":0,\"owned_by\":");
    fr_buf_add_json_text(out, p->settings->backends[b].name);
    fr_buf_add(out, ",\"can\":");
    print_can(can, out);
    fr_buf_add(out, ",\"languages\":");
    print_languages(p, m->name, out);
    fr_buf_addf(out, ",\"context\":%lld,\"price\":{\"prompt\":\"%lld\",\"answer\":\"%lld\"},\"up\":%s}", (long long)context, (long long)price->price.prompt_units, (long long)price->price.answer_units, model_is_up(p, m->name) ? "true" : "false");
}

void llm_pool_models(const struct llm_pool *p, struct fr_buf *out)
{
    bool any = false;
    fr_buf_add_char(out, '[');
    for (int b = 0; b < p->settings->backend_count; b++)
        for (int m = 0; m < p->settings->backends[b].model_count; m++) {
            if (!is_first_of_its_name(p->settings, b, m)) continue;
            if (any) fr_buf_add_char(out, ',');
            print_model(p, b, &p->settings->backends[b].models[m], out);
            any = true;
        }
    fr_buf_add_char(out, ']');
}

// "https://host:port": what stands behind may be a secret.
static void print_origin(const struct pod *pod, struct fr_buf *out)
{
    const char *host = strstr(pod->at.url, "://");
    size_t len = host ? (size_t)(host + 3 - pod->at.url) + strcspn(host + 3, "/") : 0;
    if (pod->is_engine || pod->at.unix_path[0]) fr_buf_add(out, "\"a socket\"");
    else fr_buf_add_json_bytes(out, pod->at.url, len);
}

static void print_pod(const struct pod *pod, int64_t now, struct fr_buf *out)
{
    fr_buf_add(out, "{\"name\":");
    fr_buf_add_json_text(out, pod->name);
    fr_buf_add(out, ",\"at\":");
    print_origin(pod, out);
    fr_buf_addf(out, ",\"state\":\"%s\",\"running\":%d,\"room\":%d,\"pace_us\":%lld,\"asked\":%lld,\"answered\":%lld,\"failed\":%lld,\"full\":%lld,\"late\":%lld,\"probed\":%lld,\"failures\":%d,\"open_in_ms\":%lld,\"why\":", states[pod->state], pod->running,
                 (int)pod->window, (long long)pod->pace_us, (long long)pod->asked, (long long)pod->answered, (long long)pod->failed, (long long)pod->full, (long long)pod->late, (long long)pod->probed, pod->failures,
                 (long long)(pod->open_at > now ? pod->open_at - now : 0));
    fr_buf_add_json_text(out, pod->why);
    fr_buf_add(out, ",\"models\":[");
    for (int i = 0; i < pod->backend->s.model_count; i++) {
        if (i) fr_buf_add_char(out, ',');
        fr_buf_add_json_text(out, pod->backend->s.models[i].name);
    }
    fr_buf_add(out, "]}");
}

void llm_pool_facts(const struct llm_pool *p, struct fr_buf *out)
{
    bool any = false;
    int64_t now = fr_mono_ms();
    fr_buf_addf(out, "{\"ready\":%s,\"sent\":%lld,\"answered\":%lld,\"failed\":%lld,\"cancelled\":%lld,\"retried\":%lld,\"shards\":%lld,\"prefix_hits\":%lld,\"waiting\":%d,\"pods\":[", llm_pool_ready(p) ? "true" : "false", (long long)p->sent, (long long)p->answered,
                 (long long)p->failed, (long long)p->cancelled, (long long)p->retried, (long long)p->shards, (long long)p->prefix_hits, p->waiting);
    for (const struct pod *pod = p->pods; pod; pod = pod->next) {
        if (pod->gone) continue;
        if (any) fr_buf_add_char(out, ',');
        print_pod(pod, now, out);
        any = true;
    }
    fr_buf_add(out, "]}");
}

static void print_metric(const struct llm_pool *p, const char *name, const char *type, const char *help, int64_t (*value)(const struct pod *pod), struct fr_buf *out)
{
    fr_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    for (const struct pod *pod = p->pods; pod; pod = pod->next)
        if (!pod->gone) fr_buf_addf(out, "%s{pod=\"%s\"} %lld\n", name, pod->name, (long long)value(pod));       // names are of letters, digits and a few marks
}

static int64_t is_up(const struct pod *pod) { return pod->state == POD_UP || pod->state == POD_TRIAL; }
static int64_t running(const struct pod *pod) { return pod->running; }
static int64_t room(const struct pod *pod) { return (int64_t)pod->window; }
static int64_t asked(const struct pod *pod) { return pod->asked; }
static int64_t failed(const struct pod *pod) { return pod->failed; }
static int64_t full(const struct pod *pod) { return pod->full; }

void llm_pool_metrics(const struct llm_pool *p, struct fr_buf *out)
{
    print_metric(p, "frond_llm_pod_up", "gauge", "Whether the pod is well.", is_up, out);
    print_metric(p, "frond_llm_pod_running", "gauge", "Requests under way at the pod.", running, out);
    print_metric(p, "frond_llm_pod_room", "gauge", "How many requests at once the pod was found to bear.", room, out);
    print_metric(p, "frond_llm_pod_asked_total", "counter", "Requests sent to the pod.", asked, out);
    print_metric(p, "frond_llm_pod_failed_total", "counter", "Requests that the pod failed.", failed, out);
    print_metric(p, "frond_llm_pod_full_total", "counter", "Requests that the pod had no room for.", full, out);
    fr_buf_addf(out, "# HELP frond_llm_retried_total Parts of requests that were sent again, elsewhere or later.\n# TYPE frond_llm_retried_total counter\nfrond_llm_retried_total %lld\n", (long long)p->retried);
    fr_buf_addf(out, "# HELP frond_llm_prefix_hits_total Requests sent to a pod that had their beginning lately.\n# TYPE frond_llm_prefix_hits_total counter\nfrond_llm_prefix_hits_total %lld\n", (long long)p->prefix_hits);
}
