// manifest: plugin.json of a stranger. What is accepted keeps every bound that the host later relies on.
#include "plugin/manifest.h"
#include "base/utf8.h"
#include "base/schema.h"
#include "fuzz.h"

static void mode_holds(const struct manifest *m, const struct manifest_mode *mode)
{
    int rake = 0;
    HOLDS(mode->id[0] && mode->name[0] && mode->seats >= 1 && mode->seats <= SEATS_MAX);
    HOLDS(mode->turn_ms >= 0 && mode->tick_hz >= 0 && mode->tick_hz <= MATCH_TICK_HZ_MAX);
    HOLDS(mode->stake_count >= 1 && mode->stake_count <= MODE_STAKES_MAX);
    for (int i = 0; i < mode->stake_count; i++) {
        HOLDS(mode->stakes[i] >= 0 && mode->stakes[i] <= UNITS_MAX / SEATS_MAX);
        HOLDS(i == 0 || mode->stakes[i] > mode->stakes[i - 1]);
        HOLDS(mode->stakes[i] == 0 || m->grant_ledger);
    }
    for (int i = 0; i < SPLIT_PART_COUNT; i++) {
        HOLDS(mode->rake_bps[i] >= 0);
        rake += mode->rake_bps[i];
    }
    HOLDS(rake <= 10000 && strlen(mode->terms) == 64);
    HOLDS(manifest_mode(m, mode->id) == mode);
}

static void manifest_holds(const struct manifest *m)
{
    bool known;
    HOLDS(manifest_id_valid(m->id) && manifest_version_valid(m->version) && strcmp(m->api, PLUGIN_API_VERSION) == 0);
    HOLDS(m->heap_bytes > 0 && m->heap_bytes <= WORKER_HEAP_BYTES_MAX && m->store_bytes >= 0 && m->store_bytes <= KV_QUOTA_BYTES_MAX);
    HOLDS(m->call_count <= PLUGIN_FUNCTIONS_MAX && m->input_count <= PLUGIN_FUNCTIONS_MAX && m->mode_count <= PLUGIN_MODES_MAX);
    HOLDS((strcmp(m->kind, "game") == 0) == (m->mode_count > 0));
    for (int i = 0; i < m->mode_count; i++) mode_holds(m, &m->modes[i]);
    for (int i = 0; i < m->call_count; i++) HOLDS(manifest_call(m, m->calls[i].name) == &m->calls[i]);
    for (int i = 0; i < m->input_count; i++) HOLDS(manifest_input(m, m->inputs[i].name, &known) == m->inputs[i].args && known);
    for (int i = 0; i < m->split_count; i++) {
        int sum = 0;
        for (int part = 0; part < SPLIT_PART_COUNT; part++) sum += m->splits[i].bps[part];
        HOLDS(sum == 10000);
    }
}

// Written in canonical order it is the same manifest.
static void reads_again(const struct manifest *m)
{
    FR_AUTO_BUF(text);
    FR_AUTO(manifest) again = NULL;
    struct fr_err err;
    fr_buf_init(&text, 8 * PLUGIN_MANIFEST_BYTES_MAX);
    fr_json_print_canonical(m->json, &text);
    HOLDS(!text.failed);
    if (text.len > PLUGIN_MANIFEST_BYTES_MAX) return;            // escapes can make it longer
    HOLDS(manifest_parse(text.data, text.len, &again, &err) == FR_OK);
    HOLDS(strcmp(m->id, again->id) == 0 && m->mode_count == again->mode_count && m->call_count == again->call_count);
    for (int i = 0; i < m->mode_count; i++) {
        const struct manifest_mode *twin = manifest_mode(again, m->modes[i].id);
        HOLDS(twin && strcmp(twin->terms, m->modes[i].terms) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1);
    if (size) memcpy(text, data, size);
    FR_AUTO(manifest) m = NULL;
    struct fr_err err;
    if (manifest_parse(text, size, &m, &err) == FR_OK) {
        manifest_holds(m);
        reads_again(m);
    } else {
        HOLDS(!m && (err.status == FR_E_INVALID || err.status == FR_E_LIMIT));
        HOLDS(strncmp(err.text, "plugin.json", 11) == 0 && fr_utf8_valid(err.text, strlen(err.text)));
    }
    free(text);
    return 0;
}
