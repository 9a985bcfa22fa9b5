// games.c — the list of what can be played or called here, from the manifests.
#include <stdio.h>
#include <string.h>
#include "base/units.h"
#include "gateway/internal.h"

void gw_terms_print(const struct manifest *m, const struct manifest_mode *mode, struct fr_buf *out)
{
    static const char *const parts[SPLIT_PART_COUNT] = { "plugin", "treasury", "burn", "author" };
    if (mode) fr_buf_addf(out, "{\"seats\":%d,\"mode\":\"%s\",\"rake\":{", mode->seats, mode->id);
    else fr_buf_add(out, "{\"splits\":{");
    for (int s = 0; s < (mode ? 1 : m->split_count); s++) {
        const int *bps = mode ? mode->rake_bps : m->splits[s].bps;
        int written = 0;
        if (!mode) fr_buf_addf(out, "%s\"%s\":{", s ? "," : "", m->splits[s].name);
        for (int i = 0; i < SPLIT_PART_COUNT; i++)
            if (bps[i] > 0) fr_buf_addf(out, "%s\"%s\":%d", written++ ? "," : "", parts[i], bps[i]);
        if (!mode) fr_buf_add(out, "}");
    }
    fr_buf_add(out, "}}");
}

static void mode_print(const struct manifest *m, const struct manifest_mode *mode, struct fr_buf *out)
{
    char units[UNITS_TEXT_BYTES];
    fr_buf_addf(out, "{\"id\":\"%s\",\"name\":", mode->id);
    fr_buf_add_json_text(out, mode->name);
    fr_buf_addf(out, ",\"seats\":%d,\"bot\":%s,\"asset\":\"%s\",\"turn_ms\":%d,\"spectators\":%s,\"spectator_delay_ms\":%d,\"stakes\":[",
                mode->seats, mode->bot ? "true" : "false", mode->asset, mode->turn_ms, mode->spectated ? "true" : "false", mode->spectator_delay_ms);
    for (int i = 0; i < mode->stake_count; i++) fr_buf_addf(out, "%s\"%s\"", i ? "," : "", fr_units_text(mode->stakes[i], units));
    fr_buf_add(out, "],\"terms\":");
    gw_terms_print(m, mode, out);
    const struct fr_json *rake = fr_json_get(fr_json_get(fr_json_get(m->json, "modes"), mode->id), "rake");
    fr_buf_add(out, ",\"rake\":");
    if (rake) fr_json_print(rake, out);
    else fr_buf_add(out, "{}");
    fr_buf_add(out, "}");
}

static void game_print(const struct plugin *p, struct fr_buf *out)
{
    const struct manifest *m = p->package->manifest;
    fr_buf_addf(out, "{\"id\":\"%s\",\"name\":", m->id);
    fr_buf_add_json_text(out, m->name);
    fr_buf_add(out, ",\"description\":");
    fr_buf_add_json_text(out, m->description ? m->description : "");
    fr_buf_addf(out, ",\"version\":\"%s\",\"kind\":\"%s\",\"state\":\"%s\",\"page\":%s,\"icon\":", m->version, m->kind, plugin_state_name(p->state), m->has_page ? "true" : "false");
    if (m->has_page && m->page_icon[0]) {
        char icon[128];
        snprintf(icon, sizeof icon, "/app/%s/%s", m->id, m->page_icon);
        fr_buf_add_json_text(out, icon);
    } else fr_buf_add(out, "\"/app/icon.svg\"");
    if (m->translations) {
        fr_buf_add(out, ",\"translations\":");
        fr_json_print(m->translations, out);
    }
    fr_buf_add(out, ",\"modes\":[");
    for (int i = 0; i < m->mode_count; i++) {
        if (i) fr_buf_add(out, ",");
        mode_print(m, &m->modes[i], out);
    }
    fr_buf_add(out, "],\"calls\":[");
    for (int i = 0; i < m->call_count; i++) fr_buf_addf(out, "%s\"%s\"", i ? "," : "", m->calls[i].name);
    fr_buf_add(out, "]}");
}

void gw_games(struct gw_req *r)
{
    struct fr_err err;
    int written = 0;
    fr_buf_init(&r->out, 4 * GW_ANSWER_BYTES_MAX);
    fr_buf_add(&r->out, "{\"games\":[");
    for (struct plugin *p = plugins_next(r->g->o.plugins, NULL); p; p = plugins_next(r->g->o.plugins, p)) {
        const char *id = p->package->manifest->id;
        if (p->state == PLUGIN_DISABLED || !gw_scope_allows(&r->who, id) || strcmp(id, HOSTILE_ID) == 0) continue;
        if (written++) fr_buf_add(&r->out, ",");
        game_print(p, &r->out);
    }
    fr_buf_add(&r->out, "]}");
    if (fr_buf_check(&r->out, "the list of games", &err) != FR_OK) gw_refuse(r, &err, NULL);
    else gw_answer(r, 200, r->out.data, r->out.len);
}
