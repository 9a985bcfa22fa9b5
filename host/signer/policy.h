// policy.h — what this signer may sign, by its own file and no one's word: chain, fees, receivers, kinds of calls, amounts. Pure.
//
// {"chain_id":"1",
//  "gas":{"limit":"300000","max_fee":"200000000000","max_tip":"5000000000","day":"500000000000000000"},      gas; wei per gas; wei a day
//  "ether":{"to":["0x.."],"each":"..","day":".."},                                                           plain payments; left out: none
//  "tokens":[{"address":"0x..","to":"any" or ["0x.."],"spenders":["0x.."],"each":"..","day":"..",           transfer, approve, permit
//             "permit":{"name":"Palm","version":"1"}}],                                                      left out: no EIP-712 permit is signed
//  "burn":[{"address":"0x..","each":"..","day":".."}],                                                       BurnModule.burn(bytes32,uint256,bytes32)
//  "payout":[{"address":"0x..","token":"0x..","each":"..","day":".."}],                                      PayoutModule.pay(bytes32[],address[],uint256[]): of the sum; token:
//                                                                                                            what it pays, and so never whom; left out: not known
//  "sweep":[{"address":"0x..","tokens":["0x.."]}],                                                           DepositFactory.sweep(address,bytes32[])
//  "siwe":["frond.example"]}                                                                                 domains; left out: none
// All amounts are decimal strings in the smallest unit; `each` bounds one transaction, `day` a UTC day. Unknown members are refused.
//
// Always allowed within the fees: a transaction of a key to itself with value 0 and no data, which is how a nonce is cancelled. Never: contract
// creations, access lists, calls that are not named above, ether along with a call, anything that comes as a hash.
#pragma once
#include "base/limits.h"
#include "chain/signer.h"

#define POLICY_TOKENS_MAX 16
#define POLICY_BURNS_MAX 4
#define POLICY_PAYOUTS_MAX 8               // one for each token that is paid out
#define POLICY_PAYMENTS_MAX 100            // of one call: PayoutModule.PAYMENTS_MAX
#define POLICY_SWEEPS_MAX 4
#define POLICY_NAME_BYTES 65
#define POLICY_DOMAIN_BYTES 128
struct policy_list { bool any; int count; struct address list[SIGNER_LIST_MAX]; };
struct policy_limits { struct u256 each, day; };
struct policy_token { struct address at; struct policy_list to, spenders; struct policy_limits limits; bool permits; char name[POLICY_NAME_BYTES], version[POLICY_NAME_BYTES]; };
struct policy_burn { struct address at; struct policy_limits limits; };
struct policy_payout { struct address at, token; bool has_token; struct policy_limits limits; };
struct policy_sweep { struct address at; struct policy_list tokens; };
struct policy {
    uint64_t chain_id, gas_limit;
    struct u256 max_fee, max_tip, gas_day;
    struct policy_list ether_to; struct policy_limits ether;
    int token_count, burn_count, payout_count, sweep_count, domain_count;
    struct policy_token tokens[POLICY_TOKENS_MAX];
    struct policy_burn burns[POLICY_BURNS_MAX];
    struct policy_payout payouts[POLICY_PAYOUTS_MAX];
    struct policy_sweep sweeps[POLICY_SWEEPS_MAX];
    char domains[SIGNER_LIST_MAX][POLICY_DOMAIN_BYTES];
};
// FR_E_INVALID "policy" names what is wrong. A policy has some 60 KiB: keep it off the stack.
FR_MUST_USE enum fr_status policy_read(const char *json, size_t len, struct policy *ret, struct fr_err *err);

// What an ask would use up of a day.
enum spend_of { SPEND_GAS = 1, SPEND_ETHER, SPEND_TOKEN, SPEND_BURN, SPEND_PAYOUT };      // stored: never renumber
struct spend { enum spend_of of; struct address at; struct u256 amount, day; };       // at: token, burn or payout module; day: its limit
struct spends { int count; struct spend list[2]; bool has_gas; };                     // with has_gas, list[0] is it
// FR_E_DENIED with a code of host/signer/README.md: sign_chain, sign_gas, sign_fee, sign_to, sign_value, sign_kind, sign_payee, sign_spender, sign_each,
// sign_deadline, sign_domain, sign_time. The day's limits are the tally's to judge. keys: whose addresses are our own.
FR_MUST_USE enum fr_status policy_judge(const struct policy *p, const struct sign_ask *ask, const struct address *keys, int key_count, int64_t now_ms,
                                        struct spends *ret, struct fr_err *err);
const struct policy_token *policy_token(const struct policy *p, const struct address *at);     // NULL: unknown
