// queue.c — tickets, first come first served by equal game, mode, stake and rematch; and the forming of a match from them.
//
// Two tickets of one player never meet. Stakes are checked when a ticket is made, so that the page can show the approval sheet, and
// taken in the job that makes the match: who cannot pay by then loses the ticket, the others go back to the front.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "ipc/call.h"
#include "ledger/ledger.h"
#include "play/internal.h"
#include "player/consent.h"
#include "base/schema.h"

static void ticket_free(struct ticket *t)
{
    if (!t) return;
    plugin_version_unref(t->version);
    fr_free(t->options);
    fr_free(t);
}

static void ticket_tell(struct plays *ps, const struct ticket *t, enum fr_status status, const char *code, const char *text)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4096);
    fr_buf_addf(&out, "{\"ev\":\"match.queue\",\"ticket\":\"%s\",\"game\":\"%s\",\"error\":{\"status\":%d,\"code\":", t->id, t->plugin->package->manifest->id, fr_status_http(status));
    fr_buf_add_json_text(&out, code);
    fr_buf_add(&out, ",\"detail\":");
    fr_buf_add_json_text(&out, text);
    fr_buf_add(&out, "}}");
    if (out.failed) return;                                // no memory: the page asks again
    ps->o.effects.event(ps->o.effects.arg, t->player, t->plugin->package->manifest->id, out.data, out.len);
}

static void queue_append(struct plays *ps, struct ticket *t, bool front)
{
    struct ticket **at = &ps->tickets;
    while (!front && *at) at = &(*at)->next;
    t->next = *at;
    *at = t;
    ps->ticket_count++;
}

static void queue_take(struct plays *ps, struct ticket *t)
{
    for (struct ticket **at = &ps->tickets; *at; at = &(*at)->next) {
        if (*at != t) continue;
        *at = t->next;
        t->next = NULL;
        ps->ticket_count--;
        return;
    }
}

struct form {
    struct form *next;
    struct match *m;
    struct ticket *tickets[SEATS_MAX]; int count;
    int failed_seat;
};
struct finding {
    struct finding *next;
    struct plays *ps; struct ticket *ticket; char terms[65], asset[ASSET_ID_BYTES], game[PLUGIN_ID_BYTES_MAX + 1];
    play_done_fn *done; void *arg;
};

// A new version serves: the ticket waits for that one now, if it offers the same. False: it does not.
static bool ticket_renew(struct ticket *t)
{
    struct plugin_version *v = t->plugin->current;
    const struct manifest_mode *was = manifest_mode(t->version->package->manifest, t->mode), *is = manifest_mode(v->package->manifest, t->mode);
    FR_AUTO(fr_json) options = NULL;
    struct fr_err err;
    bool offered = false;
    if (!is || strcmp(was->terms, is->terms) != 0) return false;
    for (int i = 0; i < is->stake_count; i++) offered = offered || is->stakes[i] == t->stake_units;
    if (!offered || (t->bot && !is->bot)) return false;
    if (t->options && fr_json_parse(t->options, strlen(t->options), &options, &err) != FR_OK) return false;
    if (schema_fit(is->options, options, "options", &err) != FR_OK) return false;
    plugin_version_unref(t->version);
    t->version = v;
    plugin_version_ref(v);
    return true;
}

// What it waits for is offered no longer: another version took its place, or its plugin will not come back by itself.
static bool ticket_stale(struct ticket *t)
{
    const struct plugin *p = t->plugin;
    if (p->state == PLUGIN_DISABLED || p->state == PLUGIN_FAILED || p->state == PLUGIN_QUARANTINED) return true;
    return p->current != t->version && !ticket_renew(t);
}

// Tickets that are on their way from or to the store stand in no list: they are marked, and go when they come back.
static int queue_leave_in_flight(struct plays *ps, const char *player, const char *ticket)
{
    int left = 0;
    for (struct finding *f = ps->findings; f; f = f->next)
        if (!ticket && strcmp(f->ticket->player, player) == 0) f->ticket->left = true;      // nobody was told its name yet
    for (struct form *f = ps->forms; f; f = f->next)
        for (int i = 0; i < f->count; i++) {
            struct ticket *t = f->tickets[i];
            if (t->left || strcmp(t->player, player) != 0 || (ticket && strcmp(t->id, ticket) != 0)) continue;
            t->left = true;
            left++;
        }
    return left;
}

int queue_leave(struct plays *ps, const char *player, const char *ticket)
{
    int left = queue_leave_in_flight(ps, player, ticket);
    for (struct ticket **at = &ps->tickets; *at;) {
        struct ticket *t = *at;
        if (strcmp(t->player, player) != 0 || (ticket && strcmp(t->id, ticket) != 0)) { at = &t->next; continue; }
        *at = t->next;
        ps->ticket_count--;
        left++;
        ticket_free(t);
    }
    return left;
}

void queue_drop_plugin(struct plays *ps, struct plugin *p, const char *code)
{
    for (struct ticket **at = &ps->tickets; *at;) {
        struct ticket *t = *at;
        if (p && t->plugin != p) { at = &t->next; continue; }
        *at = t->next;
        ps->ticket_count--;
        ticket_tell(ps, t, FR_E_BUSY, code, "the game is not available now");
        ticket_free(t);
    }
}

static void queue_drop_stale(struct plays *ps)
{
    for (struct ticket **at = &ps->tickets; *at;) {
        struct ticket *t = *at;
        if (!ticket_stale(t)) { at = &t->next; continue; }
        *at = t->next;
        ps->ticket_count--;
        ticket_tell(ps, t, FR_E_BUSY, "plugin_starting", "the game is not available now");
        ticket_free(t);
    }
}

void queue_free(struct plays *ps)
{
    while (ps->tickets) {
        struct ticket *t = ps->tickets;
        ps->tickets = t->next;
        ticket_free(t);
    }
    ps->ticket_count = 0;
}

// ---- forming

static void match_make_setup(struct match *m)
{
    FR_AUTO_BUF(setup);
    fr_buf_init(&setup, FRAME_BYTES_MAX / 2);
    matchlog_print_setup(&m->row, (const char *const *)m->options, &setup);
    fr_free(m->setup);
    m->setup = setup.failed ? NULL : fr_strndup(setup.data, setup.len);
}

static enum fr_status form_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct form *f = arg;
    return matchlog_form(txn, &f->m->row, f->m->setup, f->m->row.created_ms, &f->failed_seat, err);
}

static void queue_match(struct plays *ps, struct ticket *t);
static bool queue_has(const struct plays *ps, const struct ticket *t)
{
    const struct ticket *at = ps->tickets;
    while (at && at != t) at = at->next;
    return at != NULL;
}

static void form_failed(struct form *f, enum fr_status status, const struct fr_err *err)
{
    struct plays *ps = f->m->plays;
    for (int i = f->count - 1; i >= 0; i--) {
        struct ticket *t = f->tickets[i];
        bool guilty = f->failed_seat == i + 1 || f->failed_seat == 0, stale = ticket_stale(t);
        if (guilty) ticket_tell(ps, t, status, err->code, err->text);
        else if (stale && !t->left) ticket_tell(ps, t, FR_E_BUSY, "plugin_starting", "the game is not available now");
        if (!guilty && !stale && !t->left) { queue_append(ps, t, true); continue; }
        ticket_free(t);
        f->tickets[i] = NULL;
    }
    f->m->state = MATCH_ENDED;
    f->m->ended_ms = 0;                                   // the sweep takes it at once: it never was
    clock_close(f->m);
    for (int i = 0; i < f->count; i++)                    // others may have come meanwhile, and nobody else would look again
        if (f->tickets[i] && queue_has(ps, f->tickets[i])) queue_match(ps, f->tickets[i]);
}

static void form_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct form *f = arg;
    struct match *m = f->m;
    struct plays *ps = m->plays;
    struct form **at = &ps->forms;
    while (*at != f) at = &(*at)->next;
    *at = f->next;
    if (ps->closing) {                                      // made or not, nobody is there to play it: the next start decides
        for (int i = 0; i < f->count; i++) ticket_free(f->tickets[i]);
    } else if (status != FR_OK) {
        form_failed(f, status, err);
    } else {
        bool left = false;
        for (int i = 0; i < f->count; i++) {
            left = left || f->tickets[i]->left;
            ticket_free(f->tickets[i]);
        }
        for (int i = 0; i < m->row.seats && m->row.stake_units > 0; i++)
            if (m->seat[i].player[0]) ps->o.effects.wallet(ps->o.effects.arg, m->seat[i].player, m->row.asset);
        if (left) {                                         // who left while the stakes were being taken plays nothing
            m->state = m->row.state == ROW_RUNNING ? MATCH_WAITING : MATCH_SEEDING;
            match_undo(m, "left_before_start");
        } else if (m->row.state == ROW_RUNNING) {
            match_start(m);
        } else {
            m->state = MATCH_SEEDING;
            m->seed_due_ms = fr_now_ms() + MATCH_SEED_MS;
            clock_set(m);
            events_seed(m);
            if (m->plugin->state == PLUGIN_DISABLED) match_undo(m, "game_switched_off");      // while the stakes were being taken
        }
    }
    match_unref(m);
    fr_free(f);
}

static enum fr_status seeded_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct match *m = arg;
    return matchlog_run(txn, &m->row, m->setup, err);
}

static void seeded_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct match *m = arg;
    if (status == FR_OK) {
        m->row.state = ROW_RUNNING;
        if (!m->plays->closing) match_start(m);
    } else if (!m->plays->closing) {
        fr_log_err(LOG_ERROR, "match.seed_lost", err, "match", m->row.id, NULL);
        m->state = MATCH_SEEDING;                          // the clock voids it
        clock_set(m);
    }
    match_unref(m);
}

void queue_seeded(struct match *m)
{
    struct fr_err err;
    m->row.open_ms = fr_now_ms();
    match_make_setup(m);
    m->state = MATCH_FORMING;
    match_ref(m);
    if (!m->setup) seeded_done(m, FR_FAIL(&err, FR_E_NOMEM, "no memory for the setup"), &err);
    else if (store_run(m->plays->o.store, seeded_job, m, seeded_done, &err) != FR_OK) seeded_done(m, err.status, &err);
}

static void queue_form(struct plays *ps, struct ticket **tickets, int count, const struct manifest_mode *mode)
{
    if (fr_map_size(ps->matches) >= MATCHES_MAX || !plugin_has_room(tickets[0]->version)) {        // a ticket is no promise of a place
        for (int i = 0; i < count; i++) {
            queue_take(ps, tickets[i]);
            ticket_tell(ps, tickets[i], FR_E_BUSY, "too_many_matches", "the host has no room for another match now");
            ticket_free(tickets[i]);
        }
        return;
    }
    struct plugin_version *v = tickets[0]->version;
    const struct manifest *mf = v->package->manifest;
    FR_AUTO_MEM struct match_row *row = fr_must_alloc(sizeof *row);
    fr_id_new(row->id);
    snprintf(row->game, sizeof row->game, "%s", mf->id);
    snprintf(row->version, sizeof row->version, "%s", mf->version);
    snprintf(row->package_sha, sizeof row->package_sha, "%s", v->package->sha256);
    snprintf(row->engine, sizeof row->engine, "%s", ENGINE_ID);
    snprintf(row->mode, sizeof row->mode, "%s", mode->id);
    snprintf(row->asset, sizeof row->asset, "%s", mode->asset);
    snprintf(row->terms, sizeof row->terms, "%s", mode->terms);
    memcpy(row->rake_bps, mode->rake_bps, sizeof row->rake_bps);
    row->stake_units = tickets[0]->stake_units;
    row->created_ms = row->open_ms = fr_now_ms();
    row->seats = mode->seats;
    row->tick_hz = mode->tick_hz;
    row->spectated = mode->spectated;
    row->turn_ms = mode->turn_ms;
    fairness_draw(&row->fairness, row->seats);
    struct fr_err err;
    for (int i = 0; i < row->seats; i++) {
        snprintf(row->seat[i].player, sizeof row->seat[i].player, "%s", i < count ? tickets[i]->player : "");
        snprintf(row->seat[i].name, sizeof row->seat[i].name, "%s", i < count ? tickets[i]->name : "Bot");
        if (i < count && tickets[i]->commit[0]) FR_IGNORE(fairness_commit(&row->fairness, i + 1, tickets[i]->commit, &err));    // checked with the ticket
    }
    row->state = fairness_complete(&row->fairness) ? ROW_RUNNING : ROW_SEEDING;
    struct match *m = match_new(ps, v, row);
    m->fresh = true;
    for (int i = 0; i < count; i++) m->options[i] = FR_TAKE(tickets[i]->options);
    match_make_setup(m);
    struct form *f = fr_must_alloc(sizeof *f);
    f->m = m;
    f->count = count;
    f->next = ps->forms;
    ps->forms = f;
    for (int i = 0; i < count; i++) {
        if (m->options[i]) tickets[i]->options = fr_must_strdup(m->options[i]);     // should it go back to the queue
        queue_take(ps, tickets[i]);
        f->tickets[i] = tickets[i];
    }
    match_ref(m);
    if (!m->setup) form_done(f, FR_FAIL(&err, FR_E_NOMEM, "no memory for the setup"), &err);
    else if (store_run(ps->o.store, form_job, f, form_done, &err) != FR_OK) form_done(f, err.status, &err);
}

static bool tickets_same_queue(const struct ticket *a, const struct ticket *b)
{
    return a->plugin == b->plugin && a->stake_units == b->stake_units && strcmp(a->mode, b->mode) == 0 && strcmp(a->with, b->with) == 0;
}

static bool tickets_meet(const struct ticket *a, const struct ticket *b)
{
    return tickets_same_queue(a, b) && a->version == b->version && !a->bot && !b->bot && strcmp(a->player, b->player) != 0;
}

// Looks for the others of `t`, oldest first; forms the match when the seats are full.
static void queue_match(struct plays *ps, struct ticket *t)
{
    const struct manifest_mode *mode = manifest_mode(t->version->package->manifest, t->mode);
    struct ticket *found[SEATS_MAX];
    int count = 0;
    if (t->bot || mode->seats == 1) {
        queue_form(ps, &t, 1, mode);
        return;
    }
    for (struct ticket *at = ps->tickets; at && count < mode->seats; at = at->next) {
        bool fits = at == t || tickets_meet(at, t);
        for (int i = 0; i < count && fits; i++) fits = found[i] == t || at == t ? strcmp(found[i]->player, at->player) != 0 : tickets_meet(found[i], at);
        if (fits) found[count++] = at;
    }
    if (count == mode->seats) queue_form(ps, found, count, mode);
}

void queue_lonely(struct plays *ps)
{
    int64_t now_ms = fr_mono_ms();
    queue_drop_stale(ps);
    for (struct ticket *t = ps->tickets, *next; t; t = next) {
        next = t->next;
        const struct manifest_mode *mode = manifest_mode(t->version->package->manifest, t->mode);
        if (t->stake_units > 0 || t->with[0] || !mode->bot || mode->seats != 2 || now_ms - t->since_ms < TICKET_BOT_WAIT_MS) continue;
        t->bot = true;
        queue_form(ps, &t, 1, mode);
        return;                                            // the list changed; the next second takes the next one
    }
}

// ---- play_find

static enum fr_status queue_check_mode(struct plays *ps, const struct play_find *ask, struct plugin **plugin, const struct manifest_mode **mode, struct fr_err *err)
{
    struct plugin *p = plugins_find(ps->o.plugins, ask->game);
    if (!p || p->package->manifest->mode_count == 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "game_unknown", "there is no game \"%.32s\"", ask->game);
    if (p->state == PLUGIN_DISABLED) return FR_FAIL_CODE(err, FR_E_BUSY, "plugin_disabled", "%s is switched off", ask->game);
    if (p->state == PLUGIN_FAILED || p->state == PLUGIN_QUARANTINED) return FR_FAIL_CODE(err, FR_E_BUSY, "plugin_failed", "%s does not run: %s", ask->game, p->error.text);
    if (p->state != PLUGIN_UP) return FR_FAIL_CODE(err, FR_E_BUSY, "plugin_starting", "%s is starting", ask->game);
    const struct manifest_mode *m = manifest_mode(p->package->manifest, ask->mode);
    if (!m) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "mode_unknown", "%s has no mode \"%.32s\"", ask->game, ask->mode);
    bool offered = false;
    for (int i = 0; i < m->stake_count; i++) offered = offered || m->stakes[i] == ask->stake_units;
    if (!offered) return FR_FAIL_CODE(err, FR_E_INVALID, "stake_not_offered", "%s does not offer a stake of %lld", ask->game, (long long)ask->stake_units);
    if (ask->bot && (!m->bot || ask->stake_units != 0)) return FR_FAIL_CODE(err, FR_E_INVALID, "bot_needs_no_stake", "the bot plays without a stake, where the game has one");
    *plugin = p;
    *mode = m;
    return FR_OK;
}

static int queue_matches_of(struct plays *ps, const char *player)
{
    int count = 0;
    size_t at = 0;
    const void *key;
    size_t key_len;
    void *value;
    while (fr_map_walk(ps->matches, &at, &key, &key_len, &value)) {
        struct match *m = value;
        count += m->state < MATCH_ENDING && match_seat_of(m, player) > 0;
    }
    return count;
}

// Does this ticket already ask for the same? Then a new one takes its place.
static bool ticket_answers(const struct ticket *t, const struct plugin *p, const struct play_find *ask)
{
    return t->plugin == p && t->stake_units == ask->stake_units && strcmp(t->mode, ask->mode) == 0 && strcmp(t->with, ask->with ? ask->with : "") == 0;
}

// A client whose line broke asks again: that must not become two staked matches. Its earlier ticket is replaced; false when that
// ticket is being made into a match at this moment.
static bool queue_replace_equal(struct plays *ps, const struct ticket *t)
{
    for (struct form *f = ps->forms; f; f = f->next)
        for (int i = 0; i < f->count; i++)
            if (f->tickets[i] && !f->tickets[i]->left && tickets_same_queue(f->tickets[i], t) && strcmp(f->tickets[i]->player, t->player) == 0) return false;
    for (struct ticket *at = ps->tickets, *next; at; at = next) {
        next = at->next;
        if (!tickets_same_queue(at, t) || strcmp(at->player, t->player) != 0) continue;
        queue_take(ps, at);
        ticket_free(at);
    }
    return true;
}

static enum fr_status find_ticket(struct plays *ps, const struct play_find *ask, struct plugin *p, const struct manifest_mode *mode, struct ticket **ret, struct fr_err *err)
{
    int tickets = 0;
    for (struct ticket *t = ps->tickets; t; t = t->next) tickets += strcmp(t->player, ask->player) == 0 && !ticket_answers(t, p, ask);
    for (struct finding *f = ps->findings; f; f = f->next) tickets += strcmp(f->ticket->player, ask->player) == 0;
    if (tickets >= TICKETS_PER_PLAYER_MAX || ps->ticket_count >= TICKETS_MAX)
        return FR_FAIL_CODE(err, FR_E_LIMIT, "too_many_tickets", "a player may wait in %d queues", TICKETS_PER_PLAYER_MAX);
    if (queue_matches_of(ps, ask->player) >= MATCHES_PER_PLAYER_MAX || fr_map_size(ps->matches) >= MATCHES_MAX)
        return FR_FAIL_CODE(err, FR_E_LIMIT, "too_many_matches", "a player may be in %d matches", MATCHES_PER_PLAYER_MAX);
    if (!plugin_has_room(p->current)) return FR_FAIL_CODE(err, FR_E_BUSY, "too_many_matches", "%s has no room for another match now", p->package->manifest->name);
    FR_AUTO(fr_json) options = NULL;
    if (ask->options_json) FR_TRY(fr_json_parse(ask->options_json, strlen(ask->options_json), &options, err));
    FR_TRY(schema_fit(mode->options, options, "options", err));
    struct fairness f = { .seats = 1 };
    if (ask->seed_commit) FR_TRY(fairness_commit(&f, 1, ask->seed_commit, err));
    if (ask->with && !fr_id_valid(ask->with)) return FR_FAIL(err, FR_E_INVALID, "with must be a match's id");
    struct ticket *t = fr_alloc(sizeof *t);
    if (!t) return FR_FAIL(err, FR_E_NOMEM, "no memory for a ticket");
    fr_id_new(t->id);
    snprintf(t->player, sizeof t->player, "%s", ask->player);
    snprintf(t->name, sizeof t->name, "%s", ask->name);
    snprintf(t->mode, sizeof t->mode, "%s", mode->id);
    memcpy(t->commit, f.seat[0].commit, sizeof t->commit);
    if (ask->with) snprintf(t->with, sizeof t->with, "%s", ask->with);
    if (ask->options_json) t->options = fr_strndup(ask->options_json, strlen(ask->options_json));
    if (ask->options_json && !t->options) { fr_free(t); return FR_FAIL(err, FR_E_NOMEM, "no memory for a ticket"); }
    t->plugin = p;
    t->version = p->current;
    plugin_version_ref(t->version);
    t->stake_units = ask->stake_units;
    t->since_ms = fr_mono_ms();
    t->bot = ask->bot;
    *ret = t;
    return FR_OK;
}

static enum fr_status find_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct finding *f = arg;
    const struct ticket *t = f->ticket;
    if (t->with[0]) {
        FR_SQL_ROW(row);
        bool found;
        FR_TRY(sql_begin(txn, "SELECT 1 FROM match_seat WHERE player=?1 AND match=?2", &row, err));
        sql_bind_text(row, 1, t->player);
        sql_bind_text(row, 2, t->with);
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_FAIL_CODE(err, FR_E_DENIED, "not_your_match", "you did not play match %s", t->with);
    }
    if (t->stake_units == 0) return FR_OK;
    int64_t left, expires_ms, free_units, held_units;
    FR_TRY(ledger_balance(txn, OWNER_PLAYER, t->player, f->asset, &free_units, &held_units, err));
    if (free_units < t->stake_units)
        return FR_FAIL_CODE(err, FR_E_FUNDS, "funds", "the stake is %lld %s, you have %lld", (long long)t->stake_units, f->asset, (long long)free_units);
    FR_TRY(consent_left(txn, t->player, f->game, f->asset, f->terms, fr_now_ms(), &left, &expires_ms, err));
    if (left < t->stake_units)
        return FR_FAIL_CODE(err, FR_E_DENIED, "consent_required", "%s needs your approval to stake %lld %s", f->game, (long long)t->stake_units, f->asset);
    return FR_OK;
}

// The other players of the earlier match hear that a rematch is wanted, while that match is still known here (ENDED_KEPT_MS).
static void ticket_ask_rematch(struct plays *ps, const struct ticket *t)
{
    const struct match *m = t->with[0] ? fr_map_get_text(ps->matches, t->with) : NULL;
    if (!m) return;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4096);
    fr_buf_addf(&out, "{\"ev\":\"match.rematch\",\"match\":\"%s\",\"game\":\"%s\",\"mode\":\"%s\",\"stake\":\"%lld\",\"seat\":%d,\"name\":", m->row.id, m->row.game, t->mode, (long long)t->stake_units, match_seat_of(m, t->player));
    fr_buf_add_json_text(&out, t->name);
    fr_buf_add(&out, "}");
    if (out.failed) return;                                // they may still look for it themselves
    for (int i = 0; i < m->row.seats; i++)
        if (m->seat[i].player[0] && strcmp(m->seat[i].player, t->player) != 0) ps->o.effects.event(ps->o.effects.arg, m->seat[i].player, m->row.game, out.data, out.len);
}

static void find_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct finding *f = arg;
    struct plays *ps = f->ps;
    struct ticket *t = f->ticket;
    struct finding **at_finding = &ps->findings;
    while (*at_finding != f) at_finding = &(*at_finding)->next;
    *at_finding = f->next;
    bool gone = status == FR_OK && (ps->closing || ticket_stale(t));
    struct fr_err busy;
    if (gone) { status = FR_FAIL_CODE(&busy, FR_E_BUSY, "plugin_starting", "%s is starting", f->game); err = &busy; }
    if (status == FR_OK && !t->left && !queue_replace_equal(ps, t)) { status = FR_FAIL_CODE(&busy, FR_E_CONFLICT, "already_matched", "your earlier ticket has just found a match"); err = &busy; }
    if (status == FR_OK && t->left) { status = FR_FAIL_CODE(&busy, FR_E_CONFLICT, "left", "you left the queue"); err = &busy; }
    if (status != FR_OK) {
        ticket_free(t);
        f->done(f->arg, status, NULL, err);
    } else {
        int waiting = 0;
        queue_drop_stale(ps);                              // those of before a new version wait for it now
        for (struct ticket *at = ps->tickets; at; at = at->next) waiting += tickets_meet(at, t);
        char result[128];
        snprintf(result, sizeof result, "{\"ticket\":\"%s\",\"waiting\":%d}", t->id, waiting);
        queue_append(ps, t, false);
        f->done(f->arg, FR_OK, result, NULL);
        if (waiting == 0) ticket_ask_rematch(ps, t);
        queue_match(ps, t);
    }
    plays_unref(ps);
    fr_free(f);
}

void play_find(struct plays *ps, const struct play_find *ask, play_done_fn *done, void *arg)
{
    struct fr_err err;
    struct plugin *p = NULL;
    const struct manifest_mode *mode = NULL;
    struct ticket *t = NULL;
    if (queue_check_mode(ps, ask, &p, &mode, &err) != FR_OK || find_ticket(ps, ask, p, mode, &t, &err) != FR_OK) {
        done(arg, err.status, NULL, &err);
        return;
    }
    struct finding *f = fr_alloc(sizeof *f);
    if (!f) {
        ticket_free(t);
        done(arg, FR_FAIL(&err, FR_E_NOMEM, "no memory to look for a match"), NULL, &err);
        return;
    }
    *f = (struct finding){ .ps = ps, .ticket = t, .done = done, .arg = arg };
    ps->refs++;
    f->next = ps->findings;
    ps->findings = f;
    snprintf(f->terms, sizeof f->terms, "%s", mode->terms);
    snprintf(f->asset, sizeof f->asset, "%s", mode->asset);
    snprintf(f->game, sizeof f->game, "%s", p->package->manifest->id);
    if (store_read(ps->o.store, find_job, f, find_done, &err) != FR_OK) find_done(f, err.status, &err);
}
