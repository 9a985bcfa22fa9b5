// powercut.c — coins move, the power fails at some write or flush, and what the disk then holds must still be a right ledger:
// every transfer that was acknowledged is there once, nothing was half done, sums are 0, the chain is whole.
//
// A chain is one ledger through CHAIN_LIVES lives; each life ends in a cut, often while the one before is still being recovered.
// Jobs go through store_run, as in the host, so groups, checkpoints and the closing of the file are cut as well.
// CUTS=1000 SEED=7 powercut_test
#include "base/clock.h"
#include "ledger/ledger.h"
#include "store/test.h"
#include "store/test_disk.h"

#define ACCOUNTS 8
#define CHAIN_LIVES 12
#define DEEDS_MAX 20000
#define FUND_UNITS 100000000
#define TEETH_CUTS 40
#define IDLE_MS 70                        // the store moves its log into the file after 50 ms

enum deed_kind { DEED_TRANSFER, DEED_LINKED, DEED_HOLD, DEED_SETTLE, DEED_TOO_MUCH };
enum deed_fate { DEED_UNKNOWN, DEED_DONE, DEED_REFUSED };    // unknown: the answer was that the disk failed
struct deed {
    int number;
    enum deed_kind kind;
    enum deed_fate fate;
    int from, to, note_bytes;
    int64_t units, id, hold;             // id: of the journal row; hold: what a hold made, or what a settlement ends
    bool settled;                        // a hold that a settlement was asked for
    bool running;
};

struct losses { int64_t cuts, cut_while_running, cut_while_moving, opening_failed, lost, doubled, damaged, wrong, acknowledged, retried; };
static struct losses L;
static int64_t accounts[ACCOUNTS], world;
static struct deed *deeds[DEEDS_MAX];
static int deed_count;
static struct fr_err err;
static uv_loop_t loop;
static bool weaken, lies, loud;

static int64_t pick(int64_t below) { return (int64_t)(disk_random() % (uint64_t)below); }

static void complain(int64_t *counter, const char *what, const char *more)
{
    ++*counter;
    if (loud) printf("  cut %lld: %s: %s\n", (long long)L.cuts, what, more);
}

// ---- deeds

static enum fr_status post(struct store_txn *txn, const char *key, int64_t from, int64_t to, int64_t units, int note_bytes, int64_t *id, struct fr_err *e)
{
    static const char dots[NOTE_BYTES_MAX + 1] = { [0 ... NOTE_BYTES_MAX - 1] = '.' };
    struct ledger_leg legs[] = { { from, -units }, { to, units } };
    struct ledger_transfer t = { .key = key, .reason = "gift", .note = dots + NOTE_BYTES_MAX - note_bytes, .legs = legs, .leg_count = 2 };
    return ledger_post(txn, &t, 1000, id, e);
}

static const char *deed_key(const struct deed *d, const char *part)
{
    static _Thread_local char key[40];
    snprintf(key, sizeof key, "deed:%d%s", d->number, part);
    return key;
}

static enum fr_status deed_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct deed *d = arg;
    struct ledger_hold ask = { .account = accounts[d->from], .units = d->units, .expires_ms = 1000000 }, made;
    struct ledger_leg leg = { accounts[d->to], d->units };
    switch (d->kind) {
    case DEED_LINKED:
        FR_TRY(post(txn, deed_key(d, "b"), accounts[d->to], accounts[(d->to + 1) % ACCOUNTS], d->units, 0, &d->id, e));
        return post(txn, deed_key(d, ""), accounts[d->from], accounts[d->to], d->units, d->note_bytes, &d->id, e);
    case DEED_HOLD:
        snprintf(ask.key, sizeof ask.key, "%s", deed_key(d, ""));
        FR_TRY(ledger_hold_open(txn, &ask, "aside", 1000, &made, e));
        d->hold = d->id = made.id;
        return FR_OK;
    case DEED_SETTLE: return ledger_hold_settle(txn, d->hold, &leg, 1, deed_key(d, ""), "settled", "", 1000, &d->id, e);
    case DEED_TRANSFER:
    case DEED_TOO_MUCH: break;
    }
    return post(txn, deed_key(d, ""), accounts[d->from], accounts[d->to], d->units, d->note_bytes, &d->id, e);
}

static void deed_done(void *arg, enum fr_status status, const struct fr_err *e)
{
    struct deed *d = arg;
    d->running = false;
    if (status == FR_OK) d->fate = DEED_DONE;
    else if (status == FR_E_FUNDS && d->kind == DEED_TOO_MUCH) d->fate = DEED_REFUSED;
    else if (status != FR_E_IO) complain(&L.wrong, "a deed failed otherwise", e->text);
}

static void deed_start(struct store *s, struct deed *d)
{
    d->running = true;
    if (store_run(s, deed_job, d, deed_done, &err) != FR_OK) abort();
}

static void deed_new(struct store *s)
{
    if (deed_count == DEEDS_MAX) return;
    struct deed *d = deeds[deed_count] = disk_need(calloc(1, sizeof *d));
    int64_t dice = pick(100);
    *d = (struct deed){ .number = deed_count++, .kind = dice < 70 ? DEED_TRANSFER : dice < 80 ? DEED_LINKED : dice < 90 ? DEED_HOLD : dice < 95 ? DEED_SETTLE : DEED_TOO_MUCH,
                        .from = (int)pick(ACCOUNTS), .units = 1 + pick(1000), .note_bytes = (int)pick(NOTE_BYTES_MAX) };
    d->to = (int)((d->from + 1 + pick(ACCOUNTS - 1)) % ACCOUNTS);
    if (d->kind == DEED_TOO_MUCH) d->units = 100LL * FUND_UNITS;
    if (d->kind == DEED_SETTLE) {                          // the newest hold that is surely there
        struct deed *hold = NULL;
        for (int i = deed_count - 2; i >= 0 && !hold; i--) if (deeds[i]->kind == DEED_HOLD && deeds[i]->fate == DEED_DONE && !deeds[i]->running && !deeds[i]->settled) hold = deeds[i];
        if (hold) {
            hold->settled = true;
            *d = (struct deed){ .number = d->number, .kind = DEED_SETTLE, .from = hold->from, .to = (hold->from + 1) % ACCOUNTS, .units = hold->units, .hold = hold->hold };
        } else d->kind = DEED_TRANSFER;
    }
    deed_start(s, d);
}

// ---- a life

static enum fr_status fund_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct ledger_account a;
    (void)arg;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "dev", "TEST", &a, e));
    world = a.id;
    for (int i = 0; i < ACCOUNTS; i++) {
        char name[16];
        int64_t id;
        snprintf(name, sizeof name, "a%d", i);
        FR_TRY(ledger_account(txn, OWNER_PLAYER, name, "TEST", &a, e));
        accounts[i] = a.id;
        FR_TRY(post(txn, name, world, a.id, FUND_UNITS, 0, &id, e));
    }
    return FR_OK;
}

static void chain_begin(void)
{
    for (int i = 0; i < deed_count; i++) free(deeds[i]);
    deed_count = 0;
    test_folder_new();
    disk_begin();
    struct store *s = test_open(NULL);
    if (store_now(s, fund_job, NULL, &err) != FR_OK) abort();
    test_close(s, NULL);
}

static void life_idle(int ms)
{
    for (int64_t end = fr_mono_ms() + ms; fr_mono_ms() < end; uv_run(&loop, UV_RUN_NOWAIT)) usleep(2000);
}

// What was left unknown is asked again under its own key, as a client would; then more.
static void life_run(struct store *s)
{
    for (int i = 0; i < deed_count; i++) {
        struct deed *d = deeds[i];
        if (d->fate != DEED_UNKNOWN || pick(2)) continue;
        L.retried++;
        deed_start(s, d);
    }
    int bursts = 1 + (int)pick(30), at_once = 1 + (int)pick(60), idle_after = pick(3) ? -1 : (int)pick(bursts);
    for (int i = 0; i < bursts && !disk.off; i++) {
        for (int n = (int)pick(at_once); n >= 0; n--) deed_new(s);
        uv_run(&loop, UV_RUN_DEFAULT);
        if (i == idle_after) life_idle(IDLE_MS);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
}

static void life_and_cut(void)
{
    static int64_t longest = 400;
    struct store_options options = { .folder = test_path("data"), .loop = &loop };
    struct store *s = NULL;
    disk_begin();
    disk.weaken = weaken;
    disk.lies = lies;
    disk.cut_at = pick(5) == 0 ? 1 + pick(40) : 1 + pick(longest);
    if (store_open(&options, &s, &err) == FR_OK) {
        life_run(s);
        if (disk.operations > longest) longest = disk.operations;
        if (weaken && pick(2)) disk_cut();                 // closing would flush
        test_close(s, &loop);
    } else {
        L.opening_failed++;
        if (!disk.off) complain(&L.damaged, "the ledger of the last life does not open", err.text);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    L.cuts++;
    L.cut_while_running += disk.off;
    const struct disk_record *file = record_find(test_path("data/frond.db"));
    L.cut_while_moving += file && file->pending_count > 0;
    disk_cut();
    mkdir(test_path("look"), 0700);
    disk_crash((const char *[]){ test_path("data"), test_path("look") }, 2);
}

// ---- what is left

static enum fr_status known(struct store_txn *txn, struct deed *d, const char *part, bool *ret, struct fr_err *e)
{
    return ledger_key_known(txn, deed_key(d, part), ret, e);
}

// What one deed must have done to each account. Balances are sums, so the order does not matter.
static void deed_count_in(const struct deed *d, int64_t *free_units, int64_t *held_units)
{
    if (d->kind == DEED_SETTLE) held_units[d->from] -= d->units;
    else free_units[d->from] -= d->units;
    if (d->kind == DEED_HOLD) held_units[d->from] += d->units;
    else free_units[d->kind == DEED_LINKED ? (d->to + 1) % ACCOUNTS : d->to] += d->units;
}

static enum fr_status deeds_look(struct store_txn *txn, int64_t *free_units, int64_t *held_units, struct fr_err *e)
{
    for (int i = 0; i < deed_count; i++) {
        struct deed *d = deeds[i];
        bool there = false, linked = false;
        FR_TRY(known(txn, d, "", &there, e));
        if (d->kind == DEED_LINKED) FR_TRY(known(txn, d, "b", &linked, e));
        if (d->kind == DEED_LINKED && linked != there) complain(&L.wrong, "half of two linked transfers", deed_key(d, ""));
        if (d->fate == DEED_DONE && !there) complain(&L.lost, "an acknowledged deed is gone", deed_key(d, ""));
        if (d->fate == DEED_REFUSED && there) complain(&L.wrong, "a refused deed happened", deed_key(d, ""));
        if (there) deed_count_in(d, free_units, held_units);
        L.acknowledged += d->fate == DEED_DONE;
    }
    return FR_OK;
}

static enum fr_status balances_look(struct store_txn *txn, const int64_t *free_units, const int64_t *held_units, struct fr_err *e)
{
    for (int i = 0; i < ACCOUNTS; i++) {
        struct ledger_account a;
        char text[120];
        FR_TRY(ledger_account_get(txn, accounts[i], &a, e));
        snprintf(text, sizeof text, "account %d has %lld and %lld, not %lld and %lld", i, (long long)a.free_units, (long long)a.held_units, (long long)free_units[i], (long long)held_units[i]);
        if (a.free_units != free_units[i] || a.held_units != held_units[i]) complain(&L.wrong, "balances", text);
    }
    return FR_OK;
}

static enum fr_status look_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    int64_t free_units[ACCOUNTS], held_units[ACCOUNTS] = { 0 }, worst = 0;
    struct ledger_audit audit;
    (void)arg;
    for (int i = 0; i < ACCOUNTS; i++) free_units[i] = FUND_UNITS;
    FR_TRY(deeds_look(txn, free_units, held_units, e));
    FR_TRY(balances_look(txn, free_units, held_units, e));
    FR_TRY(ledger_audit_run(txn, NULL, &audit, e));
    if (!audit.chain_ok || !audit.balances_ok || !audit.holds_ok || !audit.sums_ok) complain(&L.wrong, "the audit", audit.first_fault);
    FR_TRY(ledger_sums(txn, &worst, e));
    if (worst != 0) complain(&L.wrong, "sums", "not 0");
    return FR_OK;
}

// Asking again for what was acknowledged finds the same row and moves nothing.
static enum fr_status again_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct deed *d = arg;
    int64_t id = d->id;
    FR_TRY(deed_job(txn, d, e));
    if (d->id != id) complain(&L.doubled, "asked again, it was done again", deed_key(d, ""));
    return FR_OK;
}

// What was seen after the cut is on the disk: the next life must not lose it. Its row's id becomes known by asking again.
static enum fr_status settle_fate_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct deed *d = arg;
    bool there = false;
    FR_TRY(known(txn, d, "", &there, e));
    if (!there) return FR_OK;
    FR_TRY(deed_job(txn, d, e));
    d->fate = DEED_DONE;
    return FR_OK;
}

// Looks at a copy, so that the next life begins with what the power cut really left. False: this chain is broken.
static bool look(void)
{
    struct store_options options = { .folder = test_path("look") };
    struct store *s = NULL;
    int64_t before = L.lost + L.doubled + L.damaged + L.wrong;
    disk_begin();
    if (store_open(&options, &s, &err) != FR_OK) {
        complain(&L.damaged, "the ledger does not open", err.text);
        return false;
    }
    if (store_now(s, look_job, NULL, &err) != FR_OK) complain(&L.damaged, "the ledger cannot be read", err.text);
    for (int i = 0; i < deed_count && L.lost + L.damaged + L.wrong == before; i++) {
        struct deed *d = deeds[i];
        if (d->fate == DEED_DONE && pick(8)) continue;
        if (d->fate == DEED_DONE && store_now(s, again_job, d, &err) != FR_OK) complain(&L.damaged, "asked again", err.text);
        if (d->fate == DEED_UNKNOWN && store_now(s, settle_fate_job, d, &err) != FR_OK) complain(&L.damaged, "asked again", err.text);
    }
    int64_t kept = L.acknowledged;
    if (L.lost + L.doubled + L.damaged + L.wrong == before && store_now(s, look_job, NULL, &err) != FR_OK) complain(&L.damaged, "read again", err.text);
    L.acknowledged = kept;
    store_close(s);
    return L.lost + L.doubled + L.damaged + L.wrong == before;
}

static void run(int cuts)
{
    memset(&L, 0, sizeof L);
    while (L.cuts < cuts) {
        chain_begin();
        bool whole = true;
        for (int i = 0; i < CHAIN_LIVES && L.cuts < cuts && whole; i++) {
            life_and_cut();
            whole = look();
        }
    }
    for (int i = 0; i < deed_count; i++) free(deeds[i]);
    deed_count = 0;
    disk_begin();
    test_folder_drop();
    printf("# %lld cuts, %lld of them in the middle of work, %lld while the log was moved into the file, %lld before the store was open; %lld checks of an acknowledged deed, %lld deeds asked again\n",
           (long long)L.cuts, (long long)L.cut_while_running, (long long)L.cut_while_moving, (long long)L.opening_failed,
           (long long)L.acknowledged, (long long)L.retried);
    printf("# lost %lld, doubled %lld, damaged %lld, wrong %lld\n", (long long)L.lost, (long long)L.doubled, (long long)L.damaged, (long long)L.wrong);
}

static int cuts_wanted = 50;

static void test_power_cuts_lose_nothing(void)
{
    loud = true;
    run(cuts_wanted);
    CHECK(L.cut_while_running * 2 > L.cuts && L.acknowledged > L.cuts);
    CHECK_INT(L.lost, 0);
    CHECK_INT(L.doubled, 0);
    CHECK_INT(L.damaged, 0);
    CHECK_INT(L.wrong, 0);
}

// The harness has teeth: a store that does not wait for the disk is found out ...
static void test_a_store_that_does_not_flush_is_caught(void)
{
    loud = false;
    weaken = true;
    run(TEETH_CUTS);
    weaken = false;
    CHECK(L.lost > 0);
}

// ... and so is a disk that says it has flushed and has not.
static void test_a_disk_that_lies_is_caught(void)
{
    loud = false;
    lies = true;
    run(TEETH_CUTS);
    lies = false;
    CHECK(L.lost + L.damaged > 0);
}

int main(void)
{
    const char *cuts = getenv("CUTS"), *seed = getenv("SEED");
    uint64_t number = seed ? strtoull(seed, NULL, 10) : (uint64_t)fr_now_ms() % 1000000000;
    if (cuts) cuts_wanted = (int)strtol(cuts, NULL, 10);
    printf("# seed %llu\n", (unsigned long long)number);
    disk_install(number);
    ledger_register();
    if (uv_loop_init(&loop) != 0) abort();
    TEST(test_power_cuts_lose_nothing);
    TEST(test_a_store_that_does_not_flush_is_caught);
    TEST(test_a_disk_that_lies_is_caught);
    CHECK(uv_loop_close(&loop) == 0);
    return TEST_END();
}
