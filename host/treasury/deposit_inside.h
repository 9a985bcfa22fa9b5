// deposit_inside.h — what the files of deposit share. For them and their tests only.
#pragma once
#include "base/clock.h"
#include "treasury/deposit.h"

enum deposit_state { DEPOSIT_CREDITED, DEPOSIT_DUSTY, DEPOSIT_HELD, DEPOSIT_ODD };        // stored: append only. DUSTY: less than a unit, kept until it is one
enum deposit_work { WORK_NOTHING, WORK_CHECK, WORK_OUT, WORK_MAIN, WORK_BACK, WORK_BALANCES, WORK_SWEEP };
#define DEPOSIT_FAILURES_NARROW 5          // of one address in one block, one after the other: its logs are read apart from the others'
#define DEPOSIT_RETRY_MS 30000             // between tries of what stands apart
#define DEPOSIT_REFUSED_MS (24LL * 60 * 60 * 1000)

struct deposit_member { int64_t number; char asset[16]; struct address at; uint8_t salt[32]; struct u256 lying; };
// What is to be done next: made in a job, carried out on the loop, booked in a job that finds the same place or does nothing.
struct deposit_plan {
    // asked for
    uint64_t final; uint64_t range; int group; bool may_check, may_look; int64_t now_ms;
    // the answer
    enum deposit_work work;
    uint64_t from, to; int64_t after;      // of the cursor, or of one past
    int64_t back;                          // which past
    struct deposit_member at[DEPOSIT_GROUP_MAX]; int count;
    const struct treasury_token *token;    // of a sweep
    int64_t addresses, held, odd, refused, backlog, sweeps_open, dusty;        // for the facts
    uint64_t read_block;
};
struct deposit_take {                      // some of an answer's logs, for one commit
    struct deposit_plan *plan;
    const struct rpc_logs *logs; int first, count; bool last;
    struct { char player[DEPOSIT_PLAYER_BYTES], asset[16]; } credited[DEPOSIT_TAKE_MAX]; int credited_count;
    int again, held, dusty, odd; bool moved;
};
struct deposit_wanted { struct address at; int64_t since_ms; };
struct deposit_sight { struct address at; char asset[16]; uint8_t tx[32]; struct address sender; struct u256 amount; uint64_t block; };

struct deposit {
    const struct treasury_part *part;
    struct deposit_options o;
    uint8_t init_code_hash[32];
    bool ready;
    // the loop
    enum { STEP_IDLE, STEP_FINAL, STEP_VERIFY, STEP_PLAN, STEP_ASK, STEP_BOOK } step;
    int64_t next_ms, check_ms, looked_ms, widen_ms;
    struct final_look look;
    struct deposit_plan plan;
    struct deposit_take take;
    struct rpc_logs logs;
    uint64_t range; int group, narrow_failures, failures_in_row;
    int64_t box_number; char box_asset[16]; uint64_t box_block;                 // how far a look at balances has come, and of which block
    struct { bool clean[DEPOSIT_GROUP_MAX]; struct u256 value[DEPOSIT_GROUP_MAX]; } said;
    int64_t try_left[DEPOSIT_SWEEP_MAX]; int left_count; char left_why[160];    // numbers that a tried sweep has to leave out
    bool sweep_fine;
    // sights
    struct deposit_wanted wanted[DEPOSIT_WANTED_MAX]; int wanted_count;
    struct deposit_sight pending[DEPOSIT_PENDING_MAX]; int pending_count;
    bool pending_asked; int64_t pending_ms;
    struct deposit_facts facts;
    char told[200];                        // of what fails, in the log
    bool freed; int jobs;                  // jobs that the store still has
};

// ---- deposit_store.c: jobs
store_job_fn deposit_plan_job, deposit_take_job, deposit_checked_job, deposit_skip_job, deposit_balances_job, deposit_sweep_job;      // arg: struct deposit *
FR_MUST_USE enum fr_status deposit_amount(struct store_row *row, int col, struct u256 *ret, struct fr_err *err);
#define DEPOSIT_ADDRESS_COLUMNS "number, player, salt, address, made_ms"
FR_MUST_USE enum fr_status deposit_address_read(struct store_row *row, struct deposit_address *ret, struct fr_err *err);
struct deposit_blob { uint8_t bytes[U256_BYTES]; };
void deposit_bind_amount(struct store_row *row, int at, struct deposit_blob *place, struct u256 value);      // place lives until the statement ran
extern const uint8_t deposit_transfer_topic[32];
FR_MUST_USE enum fr_status deposit_sweep_data(const struct treasury_token *t, const struct deposit_member *at, int count, struct fr_buf *out, struct fr_err *err);
