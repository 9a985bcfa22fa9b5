// models_engine.c — see models_engine.h.
#include "models_engine.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"

#define PATH_BYTES 1200

struct models_engine {
    struct models_engine_options o;
    struct llm_engine *engine;
    char jail[PATH_BYTES], server[PATH_BYTES], model[PATH_BYTES], progress[PATH_BYTES], folder[PATH_BYTES];
    enum llm_engine_state told;
};

static void on_change(void *arg)
{
    struct models_engine *e = arg;
    struct llm_engine_facts f;
    llm_engine_facts(e->engine, &f);
    bool up = f.state == ENGINE_UP;
    if (up != (e->told == ENGINE_UP)) llm_engine(e->o.llm, up ? f.socket : NULL, up ? llm_engine_key(e->engine) : NULL);
    e->told = f.state;
}

enum fr_status models_engine_open(const struct models_engine_options *o, struct models_engine **ret, struct fr_err *err)
{
    struct models_engine *e = fr_must_alloc(sizeof *e);
    char home[PATH_BYTES - 40];
    e->o = *o;
    snprintf(home, sizeof home, "%s/engine", o->programs);
    if (access(home, F_OK) != 0) {
        char above[PATH_BYTES - 40];
        snprintf(above, sizeof above, "%s/../engine", o->programs);
        if (access(above, F_OK) == 0) snprintf(home, sizeof home, "%s", above);
    }
    snprintf(e->jail, sizeof e->jail, "%s/frond-jail", o->programs);
    snprintf(e->server, sizeof e->server, "%s/llama-server", home);
    snprintf(e->model, sizeof e->model, "%s/model.gguf", home);
    snprintf(e->progress, sizeof e->progress, "%s/progress", home);
    snprintf(e->folder, sizeof e->folder, "%s/engine", o->data);
    struct llm_engine_options engine = { .loop = o->loop, .client = o->client, .jail = e->jail, .server = e->server, .model = e->model, .folder = e->folder, .progress = e->progress,
                                         .alias = "smollm2-135m-instruct", .on_change = on_change, .arg = e };
    enum fr_status st = llm_engine_new(&engine, &e->engine, err);
    if (st != FR_OK) { fr_free(e); return st; }
    *ret = e;
    return FR_OK;
}

void models_engine_stop(struct models_engine *e, void (*done)(void *arg), void *arg)
{
    if (e) llm_engine_stop(e->engine, done, arg);
    else done(arg);
}

void models_engine_free(struct models_engine *e)
{
    if (!e) return;
    llm_engine_free(e->engine);
    fr_free(e);
}

// "building 120/206", "fetching the model 34%"
static const char *stage(const char *progress)
{
    if (strncmp(progress, "building", 8) == 0) return "building";
    return strncmp(progress, "fetching", 8) == 0 ? "fetching" : "waiting";
}

void models_engine_print(const struct models_engine *e, struct fr_buf *out)
{
    if (!e) { fr_buf_add(out, "{\"state\":\"off\"}"); return; }
    struct llm_engine_facts f;
    int done = 0, of = 0;
    llm_engine_facts(e->engine, &f);
    const char *state = f.state == ENGINE_UP ? "up" : f.state == ENGINE_DOWN ? "failed" : f.state == ENGINE_ABSENT ? stage(f.progress) : "starting";
    fr_buf_addf(out, "{\"state\":\"%s\"", state);
    if (f.state == ENGINE_ABSENT && sscanf(f.progress, "building %d/%d", &done, &of) == 2) fr_buf_addf(out, ",\"done\":%d,\"of\":%d", done, of);
    fr_buf_add(out, ",\"code\":");
    fr_buf_add_json_text(out, f.code);
    fr_buf_add(out, ",\"detail\":");
    fr_buf_add_json_text(out, f.state == ENGINE_ABSENT && f.progress[0] ? f.progress : f.text);
    fr_buf_addf(out, ",\"starts\":%lld,\"resident_bytes\":%lld}", (long long)f.starts, (long long)f.rss_bytes);
}

void models_engine_metrics(const struct models_engine *e, struct fr_buf *out)
{
    if (!e) return;
    struct llm_engine_facts f;
    llm_engine_facts(e->engine, &f);
    fr_buf_addf(out, "# HELP frond_engine_up Whether the host's own model answers.\n# TYPE frond_engine_up gauge\nfrond_engine_up %d\n", f.state == ENGINE_UP);
    fr_buf_addf(out, "# HELP frond_engine_starts_total How often it was started.\n# TYPE frond_engine_starts_total counter\nfrond_engine_starts_total %lld\n", (long long)f.starts);
    fr_buf_addf(out, "# HELP frond_engine_resident_bytes Memory it takes.\n# TYPE frond_engine_resident_bytes gauge\nfrond_engine_resident_bytes %lld\n", (long long)f.rss_bytes);
}
