// models.h — the host's models, put together: the engine that comes with Frond, the HTTP client they share, the coins they cost (treasury/model_charge), the core (llm/llm.h). Loop thread only. For frond.c.
#pragma once
#include "llm/llm.h"
#include "llm/settings.h"
#include "plugin/runtime.h"
#include "treasury/model_charge.h"

struct models;
struct models_options {
    uv_loop_t *loop; struct store *store;
    const struct llm_settings *settings;   // copied
    const char *programs, *data;           // where frond's programs lie, and its data: for the engine
    bool no_engine;                        // whatever the settings say
    void *arg;
    struct plugins *(*plugins)(void *arg); // asked for when a player pays for a plugin's call; they are made later
    void (*wallet)(void *arg, const char *player, const char *asset);
};
FR_MUST_USE enum fr_status models_open(const struct models_options *o, struct models **ret, struct fr_err *err);
struct llm *models_llm(const struct models *m);
// Other settings, for calls to come. The asset and its burn share are those of slabs to come. The host's own engine is started or ended as they want it.
FR_MUST_USE enum fr_status models_configure(struct models *m, const struct llm_settings *settings, struct fr_err *err);
void models_stop(struct models *m, void (*done)(void *arg), void *arg);      // takes NULL
void models_free(struct models *m);        // after the store has closed and the loop let go. Takes NULL
// How far the host's own model is: models_engine.h.
void models_print_engine(const struct models *m, struct fr_buf *out);
void models_metrics(const struct models *m, struct fr_buf *out);
