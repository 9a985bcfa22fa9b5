// txq_machine_test.c — one payment killed at every boundary, each fault alone, then walks through all of them by chance.
#include "chain/txq_model.h"
#include <stdio.h>

static int seeds(void) { const char *s = getenv("SEEDS"); return s ? atoi(s) : 60; }

static void quiet(void)
{
    model_begin(1);
    w.deterministic = true;
}

static void turns(int n)
{
    while (n-- > 0) model_turn();
}

static void test_a_payment_is_signed_saved_sent_mined_final(void)
{
    quiet();
    model_put(21000);
    CHECK(model_drain(200) < 100);
    CHECK_INT(w.payments[1].end, TXQ_PAID);
    CHECK_INT(w.machine.figures.signed_count, 1);
    CHECK_INT(w.tx_count, 1);
}

// ---- scenarios, each of which is also killed at every boundary

static void plain(void) { turns(60); }
static void replaced(void)
{
    w.base = 10 * GWEI;
    turns(3);
    w.base = 40 * GWEI;                    // what was bid is no longer enough
    turns(60);
}
static void cancelled(void)
{
    w.mining = false;
    turns(6);
    model_cancel(1, TXQ_CANCEL);
    turns(10);
    w.mining = true;
    turns(40);
}
static void again(void)
{
    w.mining = false;
    turns(6);
    model_cancel(2, TXQ_AGAIN);
    turns(10);
    w.mining = true;
    turns(80);
}
static void reorged(void)
{
    turns(12);
    chain_reorg(3, false);
    turns(12);
    chain_reorg(4, true);
    turns(50);
}
static void dropped(void)
{
    w.mining = false;
    turns(6);
    for (int i = 0; i < w.tx_count; i++) w.txs[i].pools = 0;
    w.mining = true;
    turns(60);
}
static void reverted(void)
{
    w.payments[2].reverts_mined = true;
    turns(60);
}
static void reverting(void)
{
    w.payments[2].reverts_now = true;
    turns(20);
    w.payments[2].reverts_now = false;
    turns(100);
}
static void paused(void)
{
    turns(2);
    model_event((struct txq_event){ .kind = TXQ_ORDERED, .order = TXQ_PAUSE });
    turns(10);
    model_event((struct txq_event){ .kind = TXQ_ORDERED, .order = TXQ_RESUME });
    turns(60);
}
static void foreign(void)
{
    w.forgive = true;
    turns(8);
    chain_foreign(90 * GWEI);
    turns(60);
    if (!w.head.halted) turns(60);
    CHECK(w.head.halted);
}

struct scenario { const char *name; void (*run)(void); int payments; enum txq_end end1, end2; };
static const struct scenario scenarios[] = {
    { "plain", plain, 2, TXQ_PAID, TXQ_PAID },
    { "replaced", replaced, 2, TXQ_PAID, TXQ_PAID },
    { "cancelled", cancelled, 2, TXQ_CANCELLED, TXQ_PAID },
    { "again", again, 2, TXQ_PAID, TXQ_PAID },
    { "reorged", reorged, 3, TXQ_PAID, TXQ_PAID },
    { "dropped", dropped, 2, TXQ_PAID, TXQ_PAID },
    { "reverted", reverted, 3, TXQ_PAID, TXQ_REVERTED },
    { "reverting", reverting, 3, TXQ_PAID, TXQ_PAID },
    { "paused", paused, 3, TXQ_PAID, TXQ_PAID },
    { "foreign", foreign, 3, TXQ_NOT_ENDED, TXQ_NOT_ENDED },
};

static int scenario_run(const struct scenario *s, int crash_at, int crash_at_2)
{
    quiet();
    w.crash_at = crash_at;
    w.crash_at_2 = crash_at_2;
    for (int i = 0; i < s->payments; i++) model_put(i % 2 ? 0 : 60000);
    s->run();
    model_drain(2000);
    if (s->end1 && !(crash_at && s->run == cancelled)) {           // a kill may make a cancel come too late or before there is anything to cancel
        CHECK_INT(w.payments[1].end, s->end1);
        CHECK_INT(w.payments[2].end, s->end2);
    }
    return w.boundary;
}

static void test_killed_at_every_boundary_of_every_scenario(void)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        int boundaries = scenario_run(&scenarios[i], 0, 0), kills = 0;
        for (int k = 1; k <= boundaries; k++, kills++) {
            scenario_run(&scenarios[i], k, 0);
            if (check_bad_) {
                printf("  %s, killed at %d\n", scenarios[i].name, k);
                return;
            }
        }
        printf("  %s: %d kills\n", scenarios[i].name, kills);
    }
}

static void test_killed_twice_anywhere(void)
{
    int boundaries = scenario_run(&scenarios[0], 0, 0);
    if (boundaries > 60) boundaries = 60;
    for (int a = 1; a <= boundaries; a++)
        for (int b = a + 1; b <= boundaries + 10; b++) {
            scenario_run(&scenarios[0], a, b);
            if (check_bad_) {
                printf("  killed at %d and %d\n", a, b);
                return;
            }
        }
}

// ---- the single promises

static void test_an_older_attempt_that_is_mined_settles_the_payment(void)
{
    quiet();
    model_put(21000);
    w.mining = false;
    turns(4);
    w.base = 50 * GWEI;
    turns(24);
    CHECK(w.machine.slots[0].count > 1);
    w.mining = true;
    w.base = 1 * GWEI;
    for (int i = 1; i < w.tx_count; i++) w.txs[i].sent = false;       // the newer ones never arrived
    w.p_old_mined = 1000;
    for (int i = 0; i < 8 && !w.blocks[w.height].count; i++) chain_mine();
    CHECK(where_mined(0, w.height));
    w.p_old_mined = 0;
    model_drain(200);
    CHECK_INT(w.payments[1].end, TXQ_PAID);
}

static void test_gas_above_the_cap_waits_and_says_so(void)
{
    quiet();
    model_put(21000);
    w.base = 500 * GWEI;
    for (int i = 0; i < 200; i++) model_turn();
    CHECK_INT(w.tx_count, 0);
    CHECK_INT(w.machine.wait, TXQ_WAIT_FEE_CAP);
    w.base = 10 * GWEI;
    model_drain(200);
    CHECK_INT(w.payments[1].end, TXQ_PAID);
}

static void test_a_day_has_its_cap(void)
{
    quiet();
    for (int i = 0; i < 6; i++) model_put(100000);
    w.machine.rules.day_most = u256_of(100000ULL * 21 * GWEI * 2 + 1);         // two of them at their worst
    w.mining = false;
    turns(20);
    CHECK_INT(w.tx_count, 2);
    CHECK_INT(w.machine.wait, TXQ_WAIT_DAY_CAP);
    w.mining = true;
    turns(60);                             // they cost half of what they might have: there is room for more today
    CHECK(w.tx_count > 2 && w.tx_count < 6);
    w.now += 2 * 86400000LL;
    model_drain(500);
    CHECK(w.payments[6].end == TXQ_PAID);
}

static void test_a_pause_signs_nothing_and_survives_a_crash(void)
{
    quiet();
    turns(20);
    model_event((struct txq_event){ .kind = TXQ_ORDERED, .order = TXQ_PAUSE });
    turns(2);
    model_load();
    model_put(21000);
    turns(50);
    CHECK_INT(w.tx_count, 0);
    CHECK_INT(w.machine.wait, TXQ_WAIT_PAUSED);
    model_event((struct txq_event){ .kind = TXQ_ORDERED, .order = TXQ_RESUME });
    model_drain(200);
    CHECK_INT(w.payments[1].end, TXQ_PAID);
}

static void test_outside_use_of_the_key_halts_until_it_is_forgiven(void)
{
    quiet();
    turns(30);
    chain_foreign(50 * GWEI);
    turns(4);
    model_put(21000);
    turns(4);
    CHECK(w.machine.wait == TXQ_WAIT_SUSPECT && w.tx_count == 1);              // one node's word: wait
    turns(60);
    CHECK(w.head.halted && w.told[TXQ_NEWS_HALTED] == 1 && strstr(w.head.why, "somebody else"));
    model_load();
    turns(60);
    CHECK(w.head.halted && w.tx_count == 1);
    w.forgive = true;
    model_drain(300);
    CHECK_INT(w.payments[1].end, TXQ_LOST);            // newer data may have paid it with the nonce that this data does not know of
    model_put(21000);
    model_drain(300);
    CHECK_INT(w.payments[2].end, TXQ_PAID);
}

// A backup is put back: what newer data paid, this data would pay again.
static void test_an_old_copy_of_the_data_pays_nothing_twice(void)
{
    static struct model old;
    quiet();
    model_put(21000);
    model_drain(200);
    model_put(21000);
    model_put(21000);                      // waiting, when the copy is made
    old = w;
    turns(4);
    model_put(21000);
    model_drain(300);
    CHECK(w.payments[2].end == TXQ_PAID && w.payments[3].end == TXQ_PAID && w.payments[4].end == TXQ_PAID);
    w.head = old.head;
    memcpy(w.payments, old.payments, sizeof w.payments);
    w.payment_count = old.payment_count;
    w.attempt_count = old.attempt_count;
    w.ended_below = old.ended_below;
    int signed_before = w.tx_count;
    model_load();
    turns(80);
    CHECK(w.head.halted && w.tx_count == signed_before);
    w.forgive = true;
    for (int i = 0; i < 200 && w.head.halted; i++) {
        model_event((struct txq_event){ .kind = TXQ_ORDERED, .order = TXQ_FORGIVE });
        model_turn();
    }
    CHECK(!w.head.halted && w.tx_count == signed_before);
    CHECK(w.payments[2].end == TXQ_LOST && w.payments[3].end == TXQ_LOST);         // whether they were paid, the chain knows: the caller asks it
    w.payments[2].end = w.payments[3].end = TXQ_PAID;
    CHECK_INT(w.head.next_nonce, 4);
    w.payments[w.payment_count = 4] = (struct model_payment){ .ended = true, .end = TXQ_PAID };      // which the old copy never knew
    model_put(21000);
    model_drain(300);
    CHECK_INT(w.payments[5].end, TXQ_PAID);
}

static void test_a_gap_is_filled_at_the_lowest_missing_nonce(void)
{
    quiet();
    w.forgive = true;
    turns(30);
    chain_foreign(50 * GWEI);
    turns(60);
    CHECK(w.head.halted);
    chain_foreign(50 * GWEI);              // a second one, which is not final when the first is forgiven
    chain_mine();
    for (int i = 0; i < 6 && count_at(w.height) < 2; i++) chain_mine();
    w.now += 1000;
    turns(3);
    model_event((struct txq_event){ .kind = TXQ_ORDERED, .order = TXQ_FORGIVE });
    turns(1);
    CHECK(!w.head.halted);
    CHECK_INT(w.head.next_nonce, 2);
    int before = w.height;
    while (w.height > w.final_height && count_at(w.height) == 2) w.height--;
    CHECK(w.height < before);
    w.txs[1].sent = false;                 // and it never comes back
    w.txs[1].pools = 0;
    model_put(21000);
    model_drain(400);
    CHECK_INT(w.machine.figures.fillers, 1);
    CHECK_INT(w.payments[1].end, TXQ_PAID);
}

static void test_what_is_mined_is_not_replaced_while_it_waits_to_be_final(void)
{
    quiet();
    model_put(21000);
    turns(8);
    CHECK(where_mined(0, w.height));
    w.base = 100 * GWEI;
    w.still = true;
    turns(200);
    CHECK_INT(w.machine.figures.signed_count, 1);
    w.still = false;
    model_drain(200);
    CHECK_INT(w.payments[1].end, TXQ_PAID);
}

static void test_a_price_that_is_refused_is_raised_soon(void)
{
    quiet();
    model_put(21000);
    w.mining = false;
    w.least = 22 * GWEI;
    turns(8);
    CHECK(w.machine.slots[0].count >= 2 && w.machine.figures.refused >= 1);      // 3 s, where raise_ms is 8
}

static void test_a_day_is_charged_what_things_cost(void)
{
    quiet();
    model_put(60000);
    model_put(0);
    replaced();
    model_drain(300);
    CHECK(w.machine.figures.replaced >= 1);
    struct u256 cost = u256_of(0);
    for (int h = 1; h <= w.height; h++)
        for (int i = 0; i < w.blocks[h].count; i++) {
            struct txq_seen seen;
            seen_fill(&seen, w.txs[w.blocks[h].txs[i]].hash, w.height);
            CHECK(u256_add(cost, seen.cost, &cost));
        }
    CHECK(u256_compare(cost, w.head.spend) == 0);
}

static void test_a_proof_judges_only_what_it_asked_for(void)
{
    static struct txq_proof proof;
    quiet();
    w.mining = false;
    model_put(21000);
    turns(4);
    CHECK_INT(w.machine.slot_count, 1);
    proof = (struct txq_proof){ .block = 50, .count = 1 };
    model_event((struct txq_event){ .kind = TXQ_PROVED, .ok = true, .proof = &proof });      // nothing asked
    CHECK(!w.machine.slots[0].foreign && !w.machine.slots[0].proven && !w.machine.want_halt && !w.head.halted);
    proof.seen = 1;
    memcpy(proof.at[0].hash, w.machine.slots[0].at[0].hash, 32);
    proof.at[0].found = proof.at[0].success = true;
    proof.at[0].block = 51;
    model_event((struct txq_event){ .kind = TXQ_PROVED, .ok = true, .proof = &proof });      // after the final block
    CHECK(!w.machine.slots[0].foreign && !w.machine.slots[0].proven && !w.machine.want_halt);
    proof.at[0].block = 50;
    model_event((struct txq_event){ .kind = TXQ_PROVED, .ok = true, .proof = &proof });
    CHECK(w.machine.slots[0].proven && w.machine.step == TXQ_SAVING && w.machine.saving.end == TXQ_PAID);
    proof = (struct txq_proof){ .block = 49, .count = 0 };
    model_event((struct txq_event){ .kind = TXQ_PROVED, .ok = true, .proof = &proof });      // behind, before the end is saved
    CHECK(w.machine.proof_block == 50 && w.machine.proof_count == 1 && !w.machine.want_halt);
}

static void test_final_state_that_goes_back_halts(void)
{
    static struct txq_proof proof;
    quiet();
    model_put(21000);
    model_drain(200);
    proof = (struct txq_proof){ .block = w.head.final_block - 1, .count = 0 };
    model_event((struct txq_event){ .kind = TXQ_PROVED, .ok = true, .proof = &proof });      // nodes that are behind
    CHECK(!w.machine.want_halt);
    proof.block = w.head.final_block + 1;
    model_event((struct txq_event){ .kind = TXQ_PROVED, .ok = true, .proof = &proof });
    turns(1);
    CHECK(w.head.halted && strstr(w.head.why, "went back"));
}

static void test_nothing_signed_is_kept_after_a_halt_and_a_signer_that_refuses_is_asked_again(void)
{
    quiet();
    turns(6);
    model_put(21000);
    w.p_sign_fails = 1000;
    turns(20);
    CHECK(w.machine.figures.sign_failed > 3 && w.attempt_count == 0 && w.head.next_nonce == 0);
    CHECK_INT(w.machine.wait, TXQ_WAIT_SIGNER);
    w.p_sign_fails = 0;
    model_drain(200);
    CHECK_INT(w.payments[1].end, TXQ_PAID);
}

static void test_too_little_money_waits_and_says_so(void)
{
    quiet();
    turns(3);
    w.payments[model_put(21000)].facts.value = u256_of(5);
    w.machine.payments[0].value = (struct u256){ { 0, 1 } };      // with gas it is more than there is
    turns(20);
    CHECK_INT(w.machine.wait, TXQ_WAIT_DAY_CAP);
    w.machine.rules.day_most = (struct u256){ { 0, 0, 1 } };
    turns(4);
    CHECK_INT(w.machine.wait, TXQ_WAIT_FUNDS);
    CHECK_INT(w.tx_count, 0);
}

static void test_attempts_are_bounded_and_some_are_kept_for_taking_it_back(void)
{
    quiet();
    model_put(21000);
    w.mining = false;
    for (int i = 0; i < 1500; i++) model_turn();       // it is raised again and again, and never mined
    int before = w.machine.slots[0].count;
    CHECK(before <= TXQ_ATTEMPTS_MAX - TXQ_ATTEMPTS_CANCEL && before > 3);
    CHECK(w.machine.wait == TXQ_WAIT_ATTEMPTS || w.machine.wait == TXQ_WAIT_FEE_CAP);
    model_cancel(1, TXQ_CANCEL);
    turns(4);
    CHECK_INT(w.machine.slots[0].count, before + 1);
    w.mining = true;
    model_drain(300);
    CHECK_INT(w.payments[1].end, TXQ_CANCELLED);
}

static void test_a_full_queue_refuses(void)
{
    quiet();
    for (int i = 0; i < TXQ_PAYMENTS_MAX; i++) CHECK(txq_machine_load_payment(&w.machine, &(struct txq_payment){ .id = i + 1 }));
    CHECK(!txq_machine_load_payment(&w.machine, &(struct txq_payment){ .id = TXQ_PAYMENTS_MAX + 1 }));
    CHECK(!txq_machine_load_attempt(&w.machine, 0, 1, &(struct txq_attempt){ .pays = true }));         // a nonce that was never given
}

static void test_walks(void)
{
    int64_t reorgs = 0, replaced_count = 0, crashes = 0, cancels = 0, moved = 0, paid = 0, payments = 0, refused = 0, boundaries = 0;
    for (int seed = 1; seed <= seeds(); seed++) {
        struct txq_figures *f = &w.machine.figures;
        model_begin((uint64_t)seed);
        w.lying = seed % 3 == 0;
        w.p_crash = seed % 4 ? 5 : 60;
        w.p_save_fails = 10;
        w.p_send_lost = 100;
        w.p_sign_fails = 20;
        w.p_look_fails = 50;
        w.p_old_mined = 200;
        w.p_drop = 20;
        w.p_reorg = 40;
        w.censor_low = seed % 2;
        if (seed % 10 == 0) w.forgive = true;
        for (int i = 0; i < 1500; i++) {
            model_turn();
            if (chance(60) && w.payment_count < PAYMENTS - 1) {
                int64_t id = model_put(chance(500) ? 0 : 21000 + (uint64_t)below(100000));
                w.payments[id].reverts_mined = chance(50);
            }
            if (chance(15) && w.payment_count) model_cancel(1 + below(w.payment_count), (enum txq_cancel)below(3));
            if (chance(20) && w.payment_count) w.payments[1 + below(w.payment_count)].reverts_now = chance(300);
            if (chance(5)) model_event((struct txq_event){ .kind = TXQ_ORDERED, .order = chance(500) ? TXQ_PAUSE : TXQ_RESUME });
            if (w.forgive && chance(3) && i < 1200) chain_foreign((uint64_t)below(100) * GWEI);
            if (w.forgive && w.head.halted && chance(20)) model_event((struct txq_event){ .kind = TXQ_ORDERED, .order = TXQ_FORGIVE });
            if (!w.forgive) CHECK(!w.head.halted);
            if (check_bad_) break;
        }
        for (int i = 1; i <= w.payment_count; i++) w.payments[i].reverts_now = false;
        model_event((struct txq_event){ .kind = TXQ_ORDERED, .order = TXQ_RESUME });
        if (!check_bad_) model_drain(20000);
        if (check_bad_) {
            printf("  seed %d: wait %s, halted %d %s\n", seed, txq_wait_name(w.machine.wait), w.head.halted, w.head.why);
            return;
        }
        reorgs += f->reorgs, replaced_count += f->replaced, crashes += w.crashes, cancels += f->cancels, moved += f->moved, refused += f->refused, boundaries += w.boundary;
        for (int i = 1; i <= w.payment_count; i++) paid += w.payments[i].end == TXQ_PAID;
        payments += w.payment_count;
    }
    printf("  %lld payments, %lld paid; %lld boundaries, %lld crashes, %lld reorgs, %lld moved, %lld replaced, %lld cancels, %lld refused\n", (long long)payments, (long long)paid, (long long)boundaries, (long long)crashes,
           (long long)reorgs, (long long)moved, (long long)replaced_count, (long long)cancels, (long long)refused);
    CHECK(reorgs && replaced_count && crashes && cancels && moved);
}

int main(void)
{
    TEST(test_a_payment_is_signed_saved_sent_mined_final);
    TEST(test_killed_at_every_boundary_of_every_scenario);
    TEST(test_killed_twice_anywhere);
    TEST(test_an_older_attempt_that_is_mined_settles_the_payment);
    TEST(test_gas_above_the_cap_waits_and_says_so);
    TEST(test_a_day_has_its_cap);
    TEST(test_a_pause_signs_nothing_and_survives_a_crash);
    TEST(test_outside_use_of_the_key_halts_until_it_is_forgiven);
    TEST(test_an_old_copy_of_the_data_pays_nothing_twice);
    TEST(test_a_gap_is_filled_at_the_lowest_missing_nonce);
    TEST(test_what_is_mined_is_not_replaced_while_it_waits_to_be_final);
    TEST(test_a_price_that_is_refused_is_raised_soon);
    TEST(test_a_day_is_charged_what_things_cost);
    TEST(test_a_proof_judges_only_what_it_asked_for);
    TEST(test_final_state_that_goes_back_halts);
    TEST(test_nothing_signed_is_kept_after_a_halt_and_a_signer_that_refuses_is_asked_again);
    TEST(test_too_little_money_waits_and_says_so);
    TEST(test_attempts_are_bounded_and_some_are_kept_for_taking_it_back);
    TEST(test_a_full_queue_refuses);
    TEST(test_walks);
    return TEST_END();
}
