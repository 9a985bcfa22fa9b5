// models.h — one call to a model from outside: what models.c (the wires) and models_kept.c (streams that can be gone on with) share.
#pragma once
#include "base/id.h"
#include "gateway/internal.h"
#include "llm/llm.h"
#include "llm/openai_api.h"
#include "llm/palm_api.h"
#include "net/sse.h"

// Lives until its call has ended and nobody reads it; a kept one until its minute is over, too.
struct gw_model {
    struct gateway *g;
    struct gw_model *next, **link;         // g->models
    struct gw_req *r;                      // who waits, or reads; NULL: nobody
    struct llm_call *call;                 // NULL: it has ended
    struct net_sse *sse;                   // of r, once something was streamed
    enum llm_kind kind; enum gw_wire wire;
    bool stream, usage, begun, ended;      // begun: something was streamed
    struct palm_request palm;
    char id[FR_ID_BYTES], player[PLAYER_ID_BYTES];     // of a kept stream
    struct net_events *events;             // NULL: not kept
    int64_t began_ms;
};
void gw_model_free(struct gw_model *m);
void gw_model_leave(struct gw_model *m, bool broken);          // lets go of m->r, whose stream ends
void gw_model_watch(struct gw_model *m);                       // m->r: who leaves is noticed
void gw_model_keep(struct gw_model *m, const char *player);    // if there is room
bool gw_model_may_stay(const struct gw_model *m);              // kept, and its minute is not over
void gw_model_put(struct gw_model *m, const char *data, size_t len);      // one event
