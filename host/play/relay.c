// relay.c — what players' pages tell each other while they play: a cursor, an aim, a smile. Checked by the manifest's schema and passed
// on as it came. No turn runs, nothing is written down, numbered or sent again, so nothing that decides a match may travel this way.
#include <stdio.h>
#include <string.h>
#include "base/map.h"
#include "play/internal.h"
#include "base/schema.h"

static enum fr_status relay_check(const struct match *m, int seat, const char *name, const struct fr_json *data, struct fr_err *err)
{
    bool known;
    if (!m || !seat) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "match_unknown", "you play no such match");
    if (m->state == MATCH_ENDED) return FR_FAIL_CODE(err, FR_E_CONFLICT, "match_ended", "the match is over");
    if (m->state < MATCH_WAITING) return FR_FAIL_CODE(err, FR_E_CONFLICT, "match_not_started", "the match has not begun");
    if (match_seat_gone(m, seat)) return FR_FAIL_CODE(err, FR_E_CONFLICT, "left", "you left this match");
    const struct fr_json *schema = manifest_relay(match_manifest(m), name, &known);
    if (!known) return FR_FAIL_CODE(err, FR_E_INVALID, "relay_unknown", "\"%.64s\" is not among the relays of plugin.json", name);
    return schema_fit(schema, data, "data", err);
}

enum fr_status play_relay(struct plays *ps, const char *player, const char *match, const char *name, const struct fr_json *data, struct fr_err *err)
{
    struct match *m = fr_map_get_text(ps->matches, match);
    int seat = m ? match_seat_of(m, player) : 0;
    FR_TRY(relay_check(m, seat, name, data, err));
    FR_AUTO_BUF(out);
    fr_buf_init(&out, MATCH_RELAY_BYTES_MAX + 256);
    fr_buf_addf(&out, "{\"ev\":\"match.relay\",\"match\":\"%s\",\"seat\":%d,\"name\":\"%s\",\"data\":", m->row.id, seat, name);     // a known name needs no quoting
    size_t before = out.len;
    if (data) fr_json_print(data, &out);
    else fr_buf_add(&out, "null");
    if (out.len - before > MATCH_RELAY_BYTES_MAX) out.failed = true;
    fr_buf_add(&out, "}");
    if (out.failed && !out.no_memory) return FR_FAIL_CODE(err, FR_E_LIMIT, "too_large", "data of a relay may have %d bytes", MATCH_RELAY_BYTES_MAX);
    FR_TRY(fr_buf_check(&out, "a relay", err));
    for (int i = 0; i < m->row.seats; i++)
        if (i != seat - 1 && m->seat[i].player[0] && !match_seat_gone(m, i + 1))
            ps->o.effects.event(ps->o.effects.arg, m->seat[i].player, m->row.game, out.data, out.len);
    return FR_OK;
}
