// purse.c — coins: slabs that the meter sets aside for a payer and a tenant, spent in memory, settled each second, or when half a slab is owed.
//
// Calls wait only while no slab has room for them, in their order. A slab that is nearly used up is followed by the next before it is empty; one that cannot hold the next call ends when
// its calls have. Too little: while calls of this purse are under way what they leave over may be enough, so the refusal waits for them.
#include "llm/budget_inside.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

static const struct llm_meter *meter_of(const struct purse *p) { return p->budgets->o.meter; }
static int64_t left_of(const struct slab *s) { return s->units - s->spent - s->reserved; }

static void slab_end(struct purse *p, struct slab *s)
{
    assert(s->reserved == 0);
    struct slab **link = &p->slabs;
    while (*link != s) link = &(*link)->next;
    *link = s->next;
    meter_of(p)->settle(meter_of(p)->arg, s->id, s->spent, true);
    fr_free(s);
}

static void slab_close(struct purse *p, struct slab *s)
{
    s->closing = true;
    if (s->reserved == 0) slab_end(p, s);
}

static struct slab *slab_for(struct purse *p, int64_t units)
{
    struct slab *oldest = NULL;
    for (struct slab *s = p->slabs; s; s = s->next) if (!s->closing && left_of(s) >= units) oldest = s;
    return oldest;
}

static void share_bind(struct llm_share *share, struct purse *p, struct slab *s)
{
    share->purse = p;
    share->slab = s;
    s->reserved += share->cost_units;
    s->used_ms = fr_mono_ms();
    p->in_flight++;
}

static void on_slab(void *arg, enum fr_status st, int64_t id, int64_t units, const struct fr_err *err);

static enum fr_status ask(struct purse *p, int64_t least, int64_t wish, struct fr_err *err)
{
    assert(!p->asking);
    p->asked_least = least;
    FR_TRY(meter_of(p)->reserve(meter_of(p)->arg, p->payer, p->tenant, least, wish > UNITS_MAX ? UNITS_MAX : wish, on_slab, p, err));
    p->asking = true;
    p->budgets->asks_open++;
    return FR_OK;
}

static int64_t times(int64_t units, int count) { return units > UNITS_MAX / count ? UNITS_MAX : units * count; }

// Refuses those that wait and need at least so much.
static void refuse(struct purse *p, int64_t least, enum fr_status st, const struct fr_err *err)
{
    struct llm_share *list = p->waiting;
    p->waiting = NULL;
    p->waiting_last = &p->waiting;
    struct llm_share *refused = NULL, **last = &refused;
    while (list) {
        struct llm_share *s = list;
        list = s->next;
        s->next = NULL;
        if (s->cost_units >= least) *last = s, last = &s->next;
        else *p->waiting_last = s, p->waiting_last = &s->next;
    }
    while (refused) {
        struct llm_share *s = refused;
        llm_share_fn *done = s->done;
        void *done_arg = s->arg;
        refused = s->next;
        share_drop(s);
        done(done_arg, st, NULL, err->retry_s * 1000, err);
    }
}

static void ask_for_waiting(struct purse *p)
{
    struct fr_err err;
    int64_t wish = times(p->waiting->cost_units, p->calls_ahead);
    for (const struct llm_share *s = p->waiting; s && wish < UNITS_MAX; s = s->next) wish += s->cost_units;
    enum fr_status st = ask(p, p->waiting->cost_units, wish, &err);
    if (st != FR_OK) refuse(p, 0, st, &err);
}

// Whoever has waited longest comes first, and nobody passes him.
static void serve_waiting(struct purse *p)
{
    while (p->waiting) {
        struct llm_share *s = p->waiting;
        struct slab *slab = slab_for(p, s->cost_units);
        if (!slab) break;
        p->waiting = s->next;
        if (!p->waiting) p->waiting_last = &p->waiting;
        share_bind(s, p, slab);
        s->done(s->arg, FR_OK, s, 0, NULL);
    }
    if (!p->waiting && p->in_flight == 0) p->blocked = false;
    if (!p->waiting || p->asking || (p->blocked && p->in_flight > 0)) return;
    if (p->blocked)
        for (struct slab *s = p->slabs, *next; s; s = next) next = s->next, slab_close(p, s);      // their rests go back first, and are what is asked for
    ask_for_waiting(p);
}

static void too_little(struct purse *p, enum fr_status st, const struct fr_err *err)
{
    p->dry_until_ms = fr_mono_ms() + 1000;
    if (!p->waiting) return;
    p->blocked = st == FR_E_FUNDS && p->slabs;                 // what is set aside already may do
    if (!p->blocked) refuse(p, st == FR_E_FUNDS ? p->asked_least : 0, st, err);
}

// Older ones that have no room for a call like the last end with their calls.
static void slab_add(struct purse *p, int64_t id, int64_t units)
{
    struct slab *s = fr_must_alloc(sizeof *s);
    int64_t now_ms = fr_mono_ms();
    *s = (struct slab){ .id = id, .units = units, .opened_ms = now_ms, .used_ms = now_ms };
    for (struct slab *old = p->slabs, *next; old; old = next) {
        next = old->next;
        if (left_of(old) < p->asked_least) slab_close(p, old);
    }
    if (p->slab_ms && now_ms - p->slab_ms < SLAB_SHORT_MS && p->calls_ahead < SLAB_CALLS_MAX) p->calls_ahead *= 2;
    p->slab_ms = now_ms;
    s->next = p->slabs;
    p->slabs = s;
    p->blocked = false;
}

static void on_slab(void *arg, enum fr_status st, int64_t id, int64_t units, const struct fr_err *err)
{
    struct purse *p = arg;
    struct llm_budgets *b = p->budgets;
    p->asking = false;
    b->asks_open--;
    if (st == FR_OK && b->stopping) meter_of(p)->settle(meter_of(p)->arg, id, 0, true);
    else if (st == FR_OK) {
        slab_add(p, id, units);
    } else too_little(p, st, err);
    if (!b->stopping) serve_waiting(p);
    budgets_maybe_stopped(b);
}

static struct purse *purse_of(struct llm_budgets *b, const char *payer, const char *tenant)
{
    char key[2 * LLM_WHO_BYTES];
    snprintf(key, sizeof key, "%s\n%s", payer, tenant);
    struct purse *p = fr_map_get_text(b->purses, key);
    if (p) return p;
    p = fr_alloc(sizeof *p);
    if (!p) return NULL;
    *p = (struct purse){ .budgets = b, .calls_ahead = SLAB_CALLS_MIN };
    memcpy(p->key, key, sizeof key);
    snprintf(p->payer, sizeof p->payer, "%s", payer);
    snprintf(p->tenant, sizeof p->tenant, "%s", tenant);
    p->waiting_last = &p->waiting;
    if (fr_map_put_text(b->purses, p->key, p)) return p;
    fr_free(p);
    return NULL;
}

// So few are left that the next slab is fetched before somebody has to wait for it.
static void look_ahead(struct purse *p, int64_t cost)
{
    int64_t left = 0;
    struct fr_err err;
    for (const struct slab *s = p->slabs; s; s = s->next) if (!s->closing) left += left_of(s);
    if (p->asking || p->blocked || p->waiting || left > times(cost, p->calls_ahead / 4) || fr_mono_ms() < p->dry_until_ms) return;
    if (ask(p, cost, times(cost, p->calls_ahead), &err) != FR_OK) p->dry_until_ms = fr_mono_ms() + 1000;
}

enum fr_status purse_take(struct llm_budgets *b, const struct llm_from *from, struct llm_share *share, bool *now, struct fr_err *err)
{
    struct purse *p = purse_of(b, from->payer, from->tenant);
    if (!p) return FR_FAIL_CODE(err, FR_E_BUSY, "llm_busy", "too many pay for models at once");
    struct slab *s = p->waiting ? NULL : slab_for(p, share->cost_units);
    *now = s != NULL;
    if (p->in_flight == 0) p->blocked = false;
    if (s) {
        share_bind(share, p, s);
        look_ahead(p, share->cost_units);
        return FR_OK;
    }
    if (!p->waiting && !p->asking && !p->blocked) FR_TRY(ask(p, share->cost_units, times(share->cost_units, p->calls_ahead), err));
    share->purse = p;
    *p->waiting_last = share;
    p->waiting_last = &share->next;
    return FR_OK;
}

static void slab_settle(struct purse *p, struct slab *s)
{
    if (s->spent == s->settled) return;
    s->settled = s->spent;
    meter_of(p)->settle(meter_of(p)->arg, s->id, s->spent, false);
}

// A crash costs what is not settled. Half a slab of that does not wait for the second to end, so that two open slabs cost no more than one.
static void settle_early(struct purse *p, int64_t slab_units)
{
    int64_t open = 0;
    for (const struct slab *s = p->slabs; s; s = s->next) open += s->spent - s->settled;
    if (2 * open < slab_units) return;
    for (struct slab *s = p->slabs; s; s = s->next) slab_settle(p, s);
}

void purse_give(struct llm_share *share, int64_t cost_units)
{
    struct purse *p = share->purse;
    struct slab *s = share->slab;
    assert(cost_units >= 0 && cost_units <= share->cost_units);
    s->reserved -= share->cost_units;
    s->spent += cost_units;
    p->in_flight--;
    int64_t slab_units = s->units;
    if ((s->closing || p->budgets->stopping) && s->reserved == 0) slab_end(p, s);      // which settles it, so it is not settled twice
    settle_early(p, slab_units);
    if (!p->budgets->stopping) serve_waiting(p);
}

bool purse_forget(struct llm_budgets *b, void *arg)
{
    size_t at = 0;
    void *value;
    while (fr_map_walk(b->purses, &at, NULL, NULL, &value)) {
        struct purse *p = value;
        for (struct llm_share **link = &p->waiting; *link; link = &(*link)->next) {
            struct llm_share *s = *link;
            if (s->arg != arg) continue;
            *link = s->next;
            if (!s->next) p->waiting_last = link;
            share_drop(s);
            return true;
        }
    }
    return false;
}

static void purse_tick(struct purse *p, int64_t now_ms)
{
    for (struct slab *s = p->slabs, *next; s; s = next) {
        next = s->next;
        bool idle = now_ms - s->used_ms >= SLAB_IDLE_MS && s->reserved == 0;
        if (idle) p->calls_ahead = SLAB_CALLS_MIN;
        if (idle || now_ms - s->opened_ms >= SLAB_AGE_MS) s->closing = true;
        if (s->closing && s->reserved == 0) { slab_end(p, s); continue; }
        slab_settle(p, s);
    }
}

void purses_tick(struct llm_budgets *b, int64_t now_ms)
{
    size_t at = 0;
    void *value;
    while (fr_map_walk(b->purses, &at, NULL, NULL, &value)) {
        struct purse *p = value;
        purse_tick(p, now_ms);
        if (p->slabs || p->waiting || p->asking || p->in_flight) continue;
        fr_map_remove_text(b->purses, p->key);
        fr_free(p);
    }
}

void purses_stop(struct llm_budgets *b)
{
    struct fr_err err;
    size_t at = 0;
    void *value;
    fr_err_set(&err, FR_E_BUSY, "client_stopped", __FILE__, __LINE__, "the host is stopping");
    while (fr_map_walk(b->purses, &at, NULL, NULL, &value)) {
        struct purse *p = value;
        refuse(p, 0, FR_E_BUSY, &err);
        for (struct slab *s = p->slabs, *next; s; s = next) next = s->next, slab_close(p, s);
    }
}

void purses_free(struct llm_budgets *b)
{
    size_t at = 0;
    void *value;
    while (fr_map_walk(b->purses, &at, NULL, NULL, &value)) {
        struct purse *p = value;
        for (struct slab *s = p->slabs, *next; s; s = next) next = s->next, fr_free(s);
        fr_free(p);
    }
    fr_map_free(b->purses);
}

int64_t purse_room(const struct llm_budgets *b, const char *payer)
{
    size_t at = 0;
    void *value;
    int64_t units = -1;
    while (fr_map_walk(b->purses, &at, NULL, NULL, &value)) {
        const struct purse *p = value;
        if (strcmp(p->payer, payer) != 0) continue;
        if (units < 0) units = 0;
        for (const struct slab *s = p->slabs; s; s = s->next) units += left_of(s);
    }
    return units;
}
