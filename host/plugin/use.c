// use.c — blame, blocks and the budget, with the words that callers read.
#include "plugin/use.h"
#include "plugin/internal.h"
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"

static int seconds_up(int64_t ms)
{
    return (int)((ms + 999) / 1000);
}

int plugin_cpu_percent(const struct plugins_options *o, const struct manifest *m)
{
    int usual = o->cpu_percent > 0 ? o->cpu_percent : PLUGIN_CPU_PERCENT_DEFAULT;
    for (int i = 0; i < o->budget_count; i++) if (strcmp(o->budgets[i].plugin, m->id) == 0) return o->budgets[i].percent;
    return m->cpu_percent > 0 && m->cpu_percent < usual ? m->cpu_percent : usual;
}

enum fr_status plugin_admit_player(struct plugin *p, const char *player, struct fr_err *err)
{
    int64_t left_ms = blocks_left_ms(&p->meter->blocks, player, fr_mono_ms());
    if (left_ms == 0) return FR_OK;
    p->meter->now.blocked++;
    enum fr_status st = FR_FAIL_CODE(err, FR_E_LIMIT, "player_blocked", "what you did broke %s several times: it does not take your calls for another %d s", p->package->manifest->id, seconds_up(left_ms));
    if (err) err->retry_s = seconds_up(left_ms);
    return st;
}

enum fr_status plugin_admit(struct plugin *p, const char *player, struct fr_err *err)
{
    FR_TRY(plugin_admit_player(p, player, err));
    int64_t wait_us = meter_wait_us(p->meter, fr_mono_us());
    if (wait_us == 0) return FR_OK;
    sandbox_account_look(p->all->o.sandbox, &p->meter->now.used);      // what was burned since the last look lengthens the wait that is told
    wait_us = meter_wait_us(p->meter, fr_mono_us());
    p->meter->now.over_budget++;
    enum fr_status st = FR_FAIL_CODE(err, FR_E_LIMIT, "cpu_budget", "%s used up its %d%% of a core: ask again in %d s", p->package->manifest->id, p->meter->percent, seconds_up(wait_us / 1000));
    if (err) err->retry_s = seconds_up(wait_us / 1000 + 1);
    return st;
}

void plugin_turned_away(struct plugin *p)
{
    p->meter->now.turned_away++;
}

// Only what a player's own turn did counts as a strike: a lost worker is blamed on the turn that ran, not on those that waited.
static void judge_player(struct plugin *p, const char *player, const struct sandbox_result *r)
{
    bool died = r->status != FR_OK && r->blamed, tripped = r->status == FR_OK && (r->outcome == FRAME_TRIPPED_CPU || r->outcome == FRAME_TRIPPED_MEMORY);
    if (died) blocks_blame(&p->meter->blocks, player);
    if ((!died && !tripped) || !blocks_strike(&p->meter->blocks, player, fr_mono_ms())) return;
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%d", seconds_up(blocks_left_ms(&p->meter->blocks, player, fr_mono_ms())));
    fr_log(LOG_WARN, "plugin.player_blocked", "plugin", p->package->manifest->id, "player", player, "#seconds", seconds, NULL);
}

void plugin_call_used(struct plugin *p, const char *player, const struct sandbox_result *r, int64_t from_us)
{
    p->meter->now.calls++;
    meter_ended(p->meter, meter_end_of(r));
    fr_hist_add(&p->meter->now.latency, fr_mono_us() - from_us);
    judge_player(p, player, r);
}

int64_t plugin_turn_wait_ms(struct plugin *p, int64_t *place_us)
{
    return (meter_turn_wait_us(p->meter, place_us, fr_mono_us()) + 999) / 1000;
}

int64_t plugin_cpu_wait_ms(struct plugin *p)
{
    return (meter_wait_us(p->meter, fr_mono_us()) + 999) / 1000;
}

void plugin_turn_used(struct plugin *p, const char *player, const struct sandbox_result *r)
{
    p->meter->now.turns++;
    meter_ended(p->meter, meter_end_of(r));
    judge_player(p, player, r);
}

int plugin_died(struct plugin *p, const struct plugin_version *v)
{
    return blocks_died(&p->meter->blocks, v, fr_mono_ms());
}
