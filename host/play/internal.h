// internal.h — what the files of play/ share: the live match and the manager. Loop thread only.
//
// match.c    the turn machine: queue -> worker -> record -> durable -> out
// pending.c  what wants a turn, and who waits for its answer
// code.c     which worker a match plays in, which code it plays
// append.c   a record on its way to the disk
// out.c      what goes out after the commit
// apply.c    timers and asks, as the log has them
// resume.c   the log played into a worker
// spectate.c    who only watches
// snapshot.c fixed points of the log, to go on from
// ending.c   the end, decided by the game or the host
// clock.c    timers, ticks, bots, seed deadlines: everything that makes a match move by itself
// events.c   per-seat event rings, patches, resumption
// queue.c    tickets and the forming of matches
// plays.c    the manager: start-up, plugins coming and going, the public calls
#pragma once
#include "play/feed.h"
#include "play/matchlog.h"
#include "play/play.h"
#include "play/snapshot.h"

#define MATCH_BOT_THINK_MS 900            // a bot that answers at once feels like a machine
#define TICKET_BOT_WAIT_MS 8000           // a lonely player without stake gets the bot after this
// What one seat's moves and comings and goings may take of a match's log: what they set off (answers, timers) fits beside it, so that
// whoever is losing cannot fill the log and have the match voided.
#define SEAT_RECORDS_MAX(seats) (MATCH_LOG_RECORDS_MAX / 2 / ((seats) + 1))
#define SEAT_BYTES_MAX(seats) (MATCH_LOG_BYTES_MAX / 2 / ((seats) + 1))
// The same for the places in its queue: a flood of one's moves must not run out another's clock. What is nobody's doing has MATCH_INPUT_QUEUE_MAX.
#define SEAT_QUEUE_MAX(seats) (MATCH_INPUT_QUEUE_MAX / ((seats) + 1) > 2 ? MATCH_INPUT_QUEUE_MAX / ((seats) + 1) : 2)
#define SEAT_REFUSALS_MAX 400             // refused inputs a seat may put into the log
#define FEED_FAILURES_MAX 3               // then a match that cannot be rebuilt is voided, stakes go home
#define ASKS_OPEN_MAX 16
#define RECORD_BYTES_MAX (CALL_ARGS_BYTES_MAX + 1024)

struct event { int64_t seq; char *json; size_t len; };
struct waiter { play_done_fn *done; void *arg; };

struct seat {
    char player[PLAYER_ID_BYTES], name[PLAYER_NAME_BYTES];     // player "" for a bot
    bool online, left, leaving;            // left: its leave is in the log, and the game took it; leaving: that is on its way
    bool there;                            // seen since this process runs: a socket, a move
    int voids, refusals;
    int64_t records, bytes;                // of the log, that are this seat's doing
    int64_t queued_n, answered_n;          // the client's counter: taken into the queue, answered
    char *last_answer; struct fr_err last_err; enum fr_status last_status;     // of answered_n
    struct fr_json *view;                  // as last sent
    int64_t seq;                           // of the last event sent
    struct event ring[MATCH_EVENTS_KEPT]; int ring_count, ring_at;             // ring_at: the oldest
};

struct pending {                           // something that wants a turn
    struct pending *next;
    char *body;                            // the record without n and now_ms: "\"kind\":\"input\",\"seat\":1,..."
    int seat;                              // 0: nobody's
    int doer;                              // whose doing it is: the seat, or of whom a drop or back tells
    int64_t client_n;                      // 0 unless an input of a client
    struct waiter waiter;
    char timer[65];                        // of a timer turn: its name
    bool tick; int64_t tick_no;
    bool leaves;                           // a leave
    bool must;                             // an answer: bounded by its question, so no full queue refuses it
    bool stale;                            // it ran on a move that was lost: what it did counts for nothing
};

struct mtimer { char name[65]; char *data; int64_t due_ms; bool fired; };      // fired: its turn is on its way

enum match_state { MATCH_FORMING, MATCH_SEEDING, MATCH_WAITING, MATCH_FEEDING, MATCH_RUNNING, MATCH_ENDING, MATCH_ENDED };

struct match {
    struct plays *plays; struct plugin *plugin;
    struct plugin_version *version;        // it stays with this one, whatever serves meanwhile; held until the match is freed
    struct plugin_worker *worker; bool pinned;     // and with this worker, until it has ended
    struct match_row row;
    enum match_state state;
    int refs;                              // operations in flight; the match is freed when it has ended and none is left
    uint32_t slot;                         // its number in the worker's program; 0: none
    char *setup; char *options[SEATS_MAX];
    bool fresh;                            // never opened before: match.start goes out, hash0 is written
    struct seat *seat;                     // row.seats of them

    // the log: what ran, whether durable or not
    struct matchlog_record *records; int64_t count, cap; int64_t bytes;
    uint8_t payload0[SHA256_BYTES];        // SHA-256 of the opening turn, beside hash0
    char hash0[SHA256_HEX_BYTES];          // after the opening; the hash after record n stands with record n
    uint8_t views_sha[SHA256_BYTES];       // of the last turn
    int64_t durable;                       // records whose commit is known
    int64_t chunked;                       // of these, put together; the others stand in the tail
    bool chunking;                         // a chunk is on its way to the disk
    int64_t released;                      // records whose outputs went out (or were kept in the rings after a restart)
    struct append *appends; int appending; // commits under way, oldest first
    bool append_failed;                    // one failed: rebuild from what is durable once none is under way

    // the machine
    struct pending *queue, **queue_end; int queued;
    int ticks_queued;                      // of these, ticks
    struct pending *running;               // the turn in the worker
    char *running_record; int64_t running_now_ms; bool running_may_idle;
    struct feed *feed; int feed_failures;
    int64_t feed_trusted;                  // records up to here were already released when the feed began
    struct watching *watch;                // NULL until there is something to see or somebody to see it
    struct snapshot *snap;                 // what a feed starts from; NULL: the start of the log
    struct snapshot *snap_new;             // taken, but its record is not out yet
    bool snapping;                         // one is being taken: no turn runs
    bool unproven, unreadable;             // the seats are as a snapshot says, and no feed from it has come through yet; it could not be read
    int64_t renewed;                       // the last record after which the worker's Lua state was made anew
    int snapshot_failures;
    bool asks_due;                         // the host that had asked is gone: ask again once the log was played
    int voids_nobody;
    int append_failures;                   // in a row
    int64_t alone_ms;                      // since when no player has been there
    struct match_result result; int64_t ended_ms;
    int64_t waiting_ms;                    // since when it has been without a worker; 0 while it is played

    // time
    struct mtimer timers[MATCH_TIMERS_MAX]; int timer_count;
    uv_timer_t clock; bool clock_open;
    int64_t seed_due_ms, bot_due_ms, retry_due_ms, last_now_ms;
    int64_t place_us;                      // its turn waits until then, because the plugin used up its CPU; 0: it does not wait
    bool bot_asked;
    int64_t tick_due_ms, tick_no;          // the wall clock's next tick; the number of the last one
    int64_t idle_from, idle_count, idle_ms;    // ticks without any effect since the last record: first number, how many, the first one's now_ms
    char *asks[ASKS_OPEN_MAX]; int ask_count;      // effects whose answer is not in the log yet: {tag, fn, args, timeout_ms} as JSON
};

struct ticket {
    struct ticket *next;
    char id[FR_ID_BYTES], player[PLAYER_ID_BYTES], name[PLAYER_NAME_BYTES];
    struct plugin *plugin; struct plugin_version *version; char mode[33]; int64_t stake_units;      // version: what was offered when it was made; held
    char *options; char commit[SEED_HEX_BYTES], with[FR_ID_BYTES];
    int64_t since_ms;
    bool bot, left;                        // left: while a form held it
};
struct finding;
struct form;

struct plays {
    struct plays_options o;
    struct fr_map *matches;                // by id
    struct ticket *tickets; int ticket_count;
    struct finding *findings;              // tickets that are still being checked
    struct form *forms;                    // tickets that are being made into a match
    uv_timer_t lonely;
    int64_t wait_ms, log_keep_ms, abandoned_ms;
    bool pruning; int64_t prune_due_ms;
    int64_t tail_at;                       // where the last record of any match was put
    int64_t trimmed_at, trim_looked_at;    // rows before it are gone; tail_at when it was last looked for dead ones
    bool trimming;
    bool closing;
    int refs;                              // the timer, each match, each question on its way to the store
};
void plays_unref(struct plays *ps);

struct append {                          // one record on its way to the disk; the store thread reads only the copies
    struct append *next;                 // loop thread only
    struct match *m;
    int64_t n, now_ms;
    int64_t at, prev_at;
    const char *record;                  // owned by the match, which we hold a reference to
    char hash[SHA256_HEX_BYTES];
    uint8_t payload_sha[SHA256_BYTES];
    int outcome;
    struct matchlog_chunk chunk;         // records 0: none is due
    struct turn *turn;                   // NULL for void and end records
    struct pending *pending;             // whose turn it was; NULL for void and end records made by the host
    struct match_result *end;            // the match ends with this record
    struct waiter waiter;                // of a host-made end (surrender of a game without a leave handler)
};

// ---- match.c
struct match *match_new(struct plays *ps, struct plugin_version *v, const struct match_row *row);    // in plays->matches; state FORMING
void match_ref(struct match *m);
void match_unref(struct match *m);
// Takes p; false (and p's waiter was answered) when the queue is full or the match is over. While its end is being stored p waits to hear
// whether it has ended: nobody knows that before it is durable.
bool match_push(struct match *m, struct pending *p);
void match_pump(struct match *m);
void match_try_later(struct match *m);                 // the worker has too much to do: match_start again soon
const char *match_state_name(const struct match *m);
void match_hash_text(const struct match *m, char out[SHA256_HEX_BYTES]);
int match_seat_of(const struct match *m, const char *player);       // 0: none
void match_count_record(struct match *m, int seat, size_t bytes);   // a record of this seat's doing is in the log
bool match_seat_gone(const struct match *m, int seat);              // it left, or asked to
bool match_seat_full(const struct match *m, int seat);              // it has had its share of the log

// ---- code.c
struct sandbox_worker *match_worker(const struct match *m);         // the one it plays in; NULL when there is none now
bool match_worker_up(const struct match *m);
const struct manifest *match_manifest(const struct match *m);
const struct fr_json *match_definition(const struct match *m);      // what its code said when it was loaded; NULL before
const char *match_code_gone(const struct match *m);                 // why its code will not run again, as the reason of a void; NULL: it will
void match_unpin(struct match *m);
bool match_handles(const struct match *m, const char *handler);     // does the plugin define it ("leave", "drop", "timer")
bool match_take_slot(struct match *m);                              // false: its worker holds as many matches as it can
void match_close_slot(struct match *m);
void match_forget_slot(struct match *m);                            // the program that held it is gone, or never heard of it

// ---- pending.c
void match_error_waiter(struct waiter *w, enum fr_status status, const char *code, const char *text);
struct pending *pending_new(int seat, const char *fmt, ...) FR_PRINTF(2, 3);
void pending_free(struct pending *p);
struct pending *pending_pop(struct match *m);
void pending_push_back(struct match *m, struct pending *p);
void pending_push_front(struct match *m, struct pending *p);
void pending_drop_moves(struct match *m);
void pending_drop_clock(struct match *m);
void pending_refuse_all(struct match *m, const char *code, const char *text);
struct pending *pending_find_move(struct match *m, int seat, int64_t n);      // wherever it is before its answer; NULL: nowhere

// ---- append.c
// Takes `record`, and the turn, pending and end inside `proto`.
void log_append(struct match *m, char *record, const struct append *proto, const void *payload, size_t len);
void log_end_unopened(struct match *m, const struct match_result *end, struct waiter waiter);      // a match that never opened ends without a record
void log_trim(struct plays *ps);                       // deletes dead rows of the tail, and puts together what stands far back in it
char *log_record_text(struct match *m, const char *body, int64_t now_ms);
int64_t match_now(struct match *m);                    // the log's clock: never backwards

// ---- out.c
void out_turn(struct append *a);
void out_ask(struct match *m, const struct fr_json *effect);

// ---- apply.c
void apply_asks(struct match *m, const struct fr_json *effect, const struct fr_json *record);
void apply_effects(struct match *m, const struct turn *t, int64_t now_ms);

// ---- resume.c
void match_start(struct match *m);                     // the row says running: play the log into the worker as soon as it is up
void match_worker_down(struct match *m);

// ---- ending.c
struct match_result *match_result_new(struct match *m, const struct fr_json *effect, struct fr_err *err);
void match_ended(struct match *m, const struct match_result *r);    // it is durable
void match_undo(struct match *m, const char *reason);  // void: stakes go home, the match ends
void match_forfeit(struct match *m, int seat, const char *reason);
// The same for a player who asked for it and hears of it when it is durable.
void match_surrender(struct match *m, int seat, struct waiter waiter);
void match_leave_seeding(struct match *m, struct waiter waiter);

// ---- clock.c
void clock_open(struct match *m);
void clock_close(struct match *m);
void clock_set(struct match *m);                       // looks at everything that is due and arms the timer
void clock_timer_put(struct match *m, const char *name, const struct fr_json *data, int64_t due_ms);
void clock_timer_remove(struct match *m, const char *name);
void clock_timers_clear(struct match *m);
int clock_bot_seat(const struct match *m);             // 0: no bot plays

// ---- events.c
void events_start(struct match *m, int seat, bool send);                 // match.start, seq 1 or a fresh copy
void events_views(struct match *m, struct turn *t, int64_t now_ms, bool send);      // patches; takes the views out of the turn
void events_emit(struct match *m, const struct fr_json *effect, bool send);
void events_end(struct match *m, const struct match_result *r, bool send);
void events_seed(struct match *m);
void events_free(struct seat *s);
// What a snapshot kept: the view (a copy is made) and the last events, [[seq, text], ..].
FR_MUST_USE enum fr_status events_restore(struct match *m, struct seat *s, const struct fr_json *view, const struct fr_json *events, struct fr_err *err);
void events_print_start(struct match *m, int seat, struct fr_buf *out);

// ---- spectate.c: for matches that nobody may watch these do nothing
void spectate_view(struct match *m, const struct fr_json *view, int64_t now_ms);
void spectate_emit(struct match *m, const struct fr_json *effect);
void spectate_end(struct match *m, const struct match_result *r);
int64_t spectate_due(const struct match *m);
void spectate_run(struct match *m, int64_t now_ms);
void spectate_free(struct match *m);
void spectate_print(const struct match *m, struct fr_buf *out);        // the newest view, shown or not; null when there is none

// ---- prune.c
void plays_prune(struct plays *ps);                     // a small step, when it is time

// ---- queue.c
void queue_seeded(struct match *m);                    // every seed is revealed: the match may run
void queue_lonely(struct plays *ps);                   // also drops tickets for what is not offered any more
void queue_drop_plugin(struct plays *ps, struct plugin *p, const char *code);
int queue_leave(struct plays *ps, const char *player, const char *ticket);
void queue_free(struct plays *ps);
