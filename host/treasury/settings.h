// settings.h — the parts "chain" and "signer" of the config file, as plain values. Pure: no file but the config is looked at.
//
//     "chain": {"id":"1", "genesis":"0x..",                    pinned: a node that says otherwise is never asked again. genesis left out: the first one seen
//               "endpoints":[{"name":"one","url":"https://..","per_second":25,"burst":50}],     URLs are secrets: they are printed nowhere
//               "quorum":2, "final":"finalized",               or a number of blocks
//               "key":"0x..", "vault":"0x..",                  whose transactions; who holds the tokens (the host has no key of it)
//               "fees":{"max_fee_gwei":"60","max_tip_gwei":"2","day_ether":"0.5"},
//               "contracts":{"tokens":[{"asset":"PALM","address":"0x..","chain_decimals":9,"payout":"0x.."}],
//                            "burn_module":"0x..", "deposit_factory":"0x.."},
//               "burn":{"from_block":"0","threshold":"1000","age_s":3600,"hard_age_s":86400,"gas_price_cap_gwei":"40"},      a batch is made past the threshold (PALM) or the age;
//                                                              above the cap it waits, up to the hard age. from_block: where the module was deployed
//               "deposits":{"from_block":"0","sweep_hours":24,"sweep":{"PALM":"500"},"sweep_least":{"PALM":"1"}},       swept past a sum or an age; what is less is left
//               "withdrawals":{"from_block":"0","cooldown_s":86400,"batch_count":20,"batch_age_s":60,
//                              "rules":{"PALM":{"least":"1","most":"1000","player_day":"2000","all_day":"20000","two_from":"500","batch_most":"5000"}}},       for each token with a payout module
//               "supply":{"later_burn_from":"liquidity"}},     whose the 2,500,000 PALM were that were burned later: it is shown with "source unstated"
//     "signer": {"policy":"signer.json","tally":"tally","keystores":["key.json"],"passphrase":"passphrase"}     without passphrase it is asked for at the start
//     "signer": {"url":"https://..","address":"0x.."}                                                           Web3Signer's JSON-RPC
//     "dev_chain": {"anvil":"/path","contracts":"/folder","later_burn":"liquidity"}       with --dev alone: devchain.h
// Names of files are relative to the config file.
#pragma once
#include <stdbool.h>
#include "base/json.h"
#include "base/limits.h"
#include "chain/endpoints.h"
#include "treasury/burn.h"
#include "treasury/deposit.h"
#include "treasury/withdrawal.h"

#define TREASURY_PATH_BYTES 1024
#define TREASURY_LEDGER_DECIMALS 9
#define TREASURY_BURNS "PALM"              // what is burned
enum signer_where { SIGNER_NOWHERE, SIGNER_LOCAL, SIGNER_REMOTE };
struct signer_settings {
    enum signer_where where;
    char policy[TREASURY_PATH_BYTES], tally[TREASURY_PATH_BYTES], passphrase[TREASURY_PATH_BYTES];     // passphrase "": typed
    char keystores[SIGNER_KEYS_MAX][TREASURY_PATH_BYTES]; int keystore_count;
    char url[ENDPOINT_URL_BYTES];          // a secret
};
struct treasury_contracts {
    struct treasury_token tokens[TREASURY_TOKENS_MAX]; int token_count;
    struct address payout[TREASURY_TOKENS_MAX];            // of the token of the same number; zero: none
    struct address burn_module, deposit_factory;           // zero: none
};
struct treasury_settings {
    bool configured;                       // there is a "chain"
    uint64_t chain_id;
    uint8_t genesis[32];                   // zero: the first one seen
    struct endpoint_config endpoints[ENDPOINTS_MAX]; int endpoint_count;
    struct final_rules final;
    struct address key, vault;
    struct u256 max_fee, max_tip, day_most;                // wei
    struct treasury_contracts contracts;
    struct signer_settings signer;
    // of the parts, each filled by its section's reader; what stands elsewhere too (modules, tokens) is put in where the part is made
    struct burn_options burn;
    struct deposit_options deposit;
    struct withdrawal_options withdrawal;
    struct withdrawal_rules withdrawal_rules[TREASURY_TOKENS_MAX];       // of the token of the same number
    int64_t reconcile_look_ms;             // 0: as usual
    char later_burn_from[80];              // the allocation that the later burn is said to have come from; "": none is named
    // of the development chain
    char anvil[TREASURY_PATH_BYTES], artifacts[TREASURY_PATH_BYTES];       // "": looked for beside the program
    bool later_burn_of_reserve;
};
// config: the whole file, or NULL; file: its path. FR_E_INVALID "config"; FR_E_DENIED "dev_only": a dev_chain without --dev.
FR_MUST_USE enum fr_status treasury_settings_read(const struct fr_json *config, const char *file, bool dev, struct treasury_settings *ret, struct fr_err *err);

// "12.5" of 10^decimals: what fees are said in. At most `decimals` digits behind the point. FR_E_INVALID.
FR_MUST_USE enum fr_status treasury_decimal_parse(const char *text, int decimals, struct u256 *ret, struct fr_err *err);
char *treasury_decimal_text(struct u256 amount, int decimals, char out[U256_TEXT_BYTES + 2]);      // without zeros at its end
