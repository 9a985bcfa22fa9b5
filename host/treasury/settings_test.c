// settings_test.c — what a config file may say of the chain, and each slip's sentence.
#include "treasury/settings.h"
#include "base/check.h"
#include "base/mem.h"

#define GOOD_CHAIN "\"id\":\"1\",\"endpoints\":[{\"name\":\"one\",\"url\":\"https://a.example/SECRET1\"},{\"name\":\"two\",\"url\":\"https://b.example/SECRET2\",\"per_second\":25}],\"quorum\":2,\"final\":\"finalized\"," \
    "\"key\":\"0x00000000000000000000000000000000000000aa\",\"vault\":\"0x00000000000000000000000000000000000000bb\",\"fees\":{\"max_fee_gwei\":\"60\",\"max_tip_gwei\":\"1.5\",\"day_ether\":\"0.25\"}," \
    "\"contracts\":{\"tokens\":[{\"asset\":\"PALM\",\"address\":\"0x00000000000000000000000000000000000000cc\",\"chain_decimals\":9},{\"asset\":\"NFNT\",\"address\":\"0x00000000000000000000000000000000000000dd\",\"chain_decimals\":18," \
    "\"payout\":\"0x00000000000000000000000000000000000000ee\"}],\"burn_module\":\"0x00000000000000000000000000000000000000ff\"},\"burn\":{\"from_block\":\"7\",\"threshold\":\"12.5\",\"age_s\":60,\"gas_price_cap_gwei\":\"0.5\"}," \
    "\"deposits\":{\"sweep\":{\"PALM\":\"500\"}},\"withdrawals\":{\"from_block\":\"8\",\"cooldown_s\":3600,\"rules\":{\"NFNT\":{\"least\":\"1\",\"most\":\"20\",\"player_day\":\"40\",\"all_day\":\"60\",\"two_from\":\"10\"}}}," \
    "\"supply\":{\"later_burn_from\":\"marketing\"}"
#define GOOD_SIGNER "\"signer\":{\"policy\":\"policy.json\",\"tally\":\"/var/tally\",\"keystores\":[\"k1\",\"k2\"],\"passphrase\":\"pass\"}"
#define GOOD "{\"chain\":{" GOOD_CHAIN "}," GOOD_SIGNER "}"

static struct treasury_settings s;
static struct fr_err err;

static enum fr_status read_text(const char *text, bool dev)
{
    FR_AUTO(fr_json) json = NULL;
    memset(&err, 0, sizeof err);
    if (fr_json_parse(text, strlen(text), &json, &err) != FR_OK) return FR_E_INTERNAL;
    return treasury_settings_read(json, "/etc/frond/frond.json", dev, &s, &err);
}

// GOOD with its first `from` replaced: the refusal has to hold `says`, and never a URL.
static void refuses(const char *from, const char *to, const char *says)
{
    FR_AUTO_BUF(text);
    const char *at = strstr(GOOD, from);
    fr_buf_init(&text, 8192);
    CHECK(at != NULL);
    if (!at) return;
    fr_buf_add_bytes(&text, GOOD, (size_t)(at - GOOD));
    fr_buf_add(&text, to);
    fr_buf_add(&text, at + strlen(from));
    enum fr_status st = read_text(text.data, false);
    if (st == FR_OK || !strstr(err.text, says)) printf("  %s -> %s: \"%s\"\n", from, to, st == FR_OK ? "taken" : err.text);
    CHECK(st == FR_E_INVALID && strstr(err.text, says) != NULL);
    CHECK(strcmp(err.code, "config") == 0 && strstr(err.text, "SECRET") == NULL);
}

static void test_a_whole_chain_is_read(void)
{
    char text[U256_TEXT_BYTES + 2];
    CHECK(read_text(GOOD, false) == FR_OK);
    CHECK(s.configured && s.chain_id == 1 && s.endpoint_count == 2 && s.final.quorum == 2 && s.final.tag && s.final.blocks == 0);
    CHECK_TEXT(s.endpoints[1].url, "https://b.example/SECRET2");
    CHECK(s.endpoints[0].per_second == 0 && s.endpoints[1].per_second == 25 && s.endpoints[1].burst == 50);
    CHECK_TEXT(treasury_decimal_text(s.max_fee, 0, text), "60000000000");
    CHECK_TEXT(treasury_decimal_text(s.max_tip, 0, text), "1500000000");
    CHECK_TEXT(treasury_decimal_text(s.day_most, 0, text), "250000000000000000");
    CHECK(s.contracts.token_count == 2 && s.contracts.tokens[1].chain_decimals == 18 && s.contracts.tokens[1].ledger_decimals == 9 && s.contracts.tokens[1].at.bytes[19] == 0xdd);
    CHECK(address_is_zero(&s.contracts.payout[0]) && s.contracts.payout[1].bytes[19] == 0xee && s.contracts.burn_module.bytes[19] == 0xff && address_is_zero(&s.contracts.deposit_factory));
    CHECK(s.burn.from_block == 7 && s.burn.threshold_units == 12500000000LL && s.burn.age_ms == 60000 && s.burn.hard_age_ms == 86400000 && s.burn.gas_price_cap.limb[0] == 500000000);
    CHECK(s.deposit.sweep_units[0] == 500000000000LL && s.deposit.sweep_units[1] == 0);
    CHECK(s.withdrawal.cooldown_ms == 3600000 && s.withdrawal.batch_count == 20 && s.withdrawal.batch_age_ms == 60000);
    CHECK(s.withdrawal_rules[1].from_block == 8 && s.withdrawal_rules[1].least == 1000000000 && s.withdrawal_rules[1].two_from == 10000000000LL && s.withdrawal_rules[1].batch_most == 0 && s.withdrawal_rules[0].most == 0);
    CHECK_TEXT(s.later_burn_from, "marketing");
    CHECK(s.signer.where == SIGNER_LOCAL && s.signer.keystore_count == 2);
    CHECK_TEXT(s.signer.policy, "/etc/frond/policy.json");
    CHECK_TEXT(s.signer.tally, "/var/tally");
    CHECK_TEXT(s.signer.keystores[1], "/etc/frond/k2");
}

static void test_nothing_said_is_no_chain(void)
{
    CHECK(read_text("{\"listen\":\"127.0.0.1:1\"}", false) == FR_OK && !s.configured && s.signer.where == SIGNER_NOWHERE);
    CHECK(treasury_settings_read(NULL, NULL, true, &s, &err) == FR_OK && !s.configured);
}

static void test_each_slip_is_named(void)
{
    refuses("\"quorum\":2", "\"qourum\":2", "did you mean \"quorum\"");
    refuses("\"id\":\"1\"", "\"id\":1", "chain.id");
    refuses("\"id\":\"1\",", "", "chain.id");
    refuses("\"name\":\"one\"", "\"name\":\"One\"", "chain.endpoints[0].name");
    refuses("\"name\":\"two\"", "\"name\":\"one\"", "another endpoint's name");
    refuses("https://b.example/SECRET2", "https://a.example/SECRET1", "must not agree with itself");
    refuses("https://b.example/SECRET2", "wss://b.example/SECRET2", "chain.endpoints[1].url");
    refuses("\"per_second\":25", "\"per_secnd\":25", "did you mean \"per_second\"");
    refuses("\"quorum\":2", "\"quorum\":3", "chain.quorum");
    refuses("\"final\":\"finalized\"", "\"final\":\"finalised\"", "not \"finalised\"");
    refuses("\"final\":\"finalized\"", "\"final\":0", "chain.final");
    refuses("\"final\":\"finalized\",", "", "chain.final");
    refuses("00aa\"", "00bb\"", "the host's key holds no tokens");
    refuses("00aa\"", "0000\"", "the zero address");
    refuses("\"60\"", "\"6e1\"", "chain.fees.max_fee_gwei");
    refuses("\"60\"", "\"0\"", "nothing could ever be sent");
    refuses("\"1.5\"", "\"61\"", "a tip is part of the fee");
    refuses("\"1.5\"", "\"1.0000000001\"", "chain.fees.max_tip_gwei");
    refuses("\"asset\":\"NFNT\"", "\"asset\":\"PALM\"", "stands there already");
    refuses("\"chain_decimals\":9", "\"chain_decimals\":8", "chain.contracts.tokens[0].chain_decimals");
    refuses("{\"NFNT\":{\"least\"", "{\"PALM\":{\"least\"", "chain.withdrawals.rules");
    refuses("\"least\":\"1\",", "", "chain.withdrawals.rules.NFNT.least: how much");
    refuses("\"two_from\"", "\"two_form\"", "did you mean \"two_from\"");
    refuses("\"cooldown_s\":3600", "\"cooldown_s\":5", "chain.withdrawals.cooldown_s");
    refuses("\"age_s\":60", "\"age_s\":90000", "chain.burn.hard_age_s");
    refuses("\"PALM\":\"500\"", "\"PLAM\":\"500\"", "no token of that asset");
    refuses("\"from_block\"", "\"from_blok\"", "did you mean \"from_block\"");
    refuses("\"keystores\":[\"k1\",\"k2\"]", "\"keystores\":[]", "signer.keystores");
    refuses("\"tally\":\"/var/tally\",", "", "signer.tally");
    refuses("\"passphrase\"", "\"passprase\"", "did you mean \"passphrase\"");
    refuses("," GOOD_SIGNER, "", "who signs");
}

static void test_a_signer_on_another_machine(void)
{
    CHECK(read_text("{\"chain\":{" GOOD_CHAIN "},\"signer\":{\"url\":\"https://s.example/\",\"address\":\"0x00000000000000000000000000000000000000aa\"}}", false) == FR_OK && s.signer.where == SIGNER_REMOTE);
    CHECK(read_text("{\"chain\":{" GOOD_CHAIN "},\"signer\":{\"url\":\"https://s.example/SECRET3\",\"address\":\"0x00000000000000000000000000000000000000ab\"}}", false) == FR_E_INVALID);
    CHECK(strstr(err.text, "another one than chain.key") && !strstr(err.text, "SECRET"));
    CHECK(read_text("{" GOOD_SIGNER "}", false) == FR_E_INVALID && strstr(err.text, "there is no \"chain\""));
}

static void test_the_development_chain_is_for_development(void)
{
    CHECK(read_text("{\"dev_chain\":{\"anvil\":\"/opt/anvil\",\"contracts\":\"built\",\"later_burn\":\"reserve\"}}", true) == FR_OK && s.later_burn_of_reserve);
    CHECK_TEXT(s.anvil, "/opt/anvil");
    CHECK_TEXT(s.artifacts, "/etc/frond/built");
    CHECK(read_text("{\"dev_chain\":{}}", false) == FR_E_DENIED);
    CHECK_TEXT(err.code, "dev_only");
    CHECK(read_text("{\"dev_chain\":{\"later_burn\":\"nobody\"}}", true) == FR_E_INVALID && strstr(err.text, "dev_chain.later_burn"));
    CHECK(read_text("{\"chain\":{" GOOD_CHAIN "}," GOOD_SIGNER ",\"dev_chain\":{}}", true) == FR_E_INVALID);
}

static void test_decimals_are_exact(void)
{
    static const struct { const char *text; int decimals; const char *units; } good[] = { { "0", 18, "0" }, { "1", 0, "1" }, { "0.000000000000000001", 18, "1" }, { "12.5", 9, "12500000000" }, { "1000000", 18, "1000000000000000000000000" } };
    static const char *const bad[] = { "", ".5", "1.", "01", "-1", "+1", "1,5", " 1", "1e3", "0x1", "1.0000000001", "99999999999999999999999999999999999999999999999999999999999999999999999999999999" };
    struct u256 v;
    char text[U256_TEXT_BYTES + 2];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        CHECK(treasury_decimal_parse(good[i].text, good[i].decimals, &v, &err) == FR_OK);
        CHECK_TEXT(treasury_decimal_text(v, 0, text), good[i].units);
        CHECK_TEXT(treasury_decimal_text(v, good[i].decimals, text), good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(treasury_decimal_parse(bad[i], 9, &v, &err) == FR_E_INVALID);
}

int main(void)
{
    TEST(test_a_whole_chain_is_read);
    TEST(test_nothing_said_is_no_chain);
    TEST(test_each_slip_is_named);
    TEST(test_a_signer_on_another_machine);
    TEST(test_the_development_chain_is_for_development);
    TEST(test_decimals_are_exact);
    return TEST_END();
}
