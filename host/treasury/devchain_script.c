// devchain_script.c — what has to stand on the chain, in order, each with how to see that it does. It is gone through at each start of the node: what a kill took away, or a
// new contract that is not there yet, is made then. Accounts of the node are unlocked, so it signs; no key of theirs is here.
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"
#include "chain/abi.h"
#include "treasury/devchain_inside.h"

// 75,000,000 to liquidity and 5,000,000 to the reserve are PALM's constructor, which burns 20,000,000. The 2,500,000 that were burned later were somebody's whom
// nobody named: dev_chain.later_burn chooses, and deployment.json says so.
struct deployed { const char *name, *artifact, *args; bool optional; };
static const struct deployed contracts[] = {
    { "palm", "PALM", "liquidity reserve", false },
    { "nfnt", "NFNT", "", false },
    { "ghub", "GHUB", "", false },
    { "burn_module", "BurnModule", "palm vault owner key 1000000000000000", false },
    { "deposit_factory", "DepositFactory", "vault", false },
    { "payout_palm", "PayoutModule", "palm vault owner key 1000000000000000", true },
    { "payout_nfnt", "PayoutModule", "nfnt vault owner key 1000000000000000000000000", true },
    { "payout_ghub", "PayoutModule", "ghub vault owner key 1000000000000000000000000", true },
};
#define CONTRACTS ((int)(sizeof contracts / sizeof contracts[0]))
_Static_assert(sizeof contracts / sizeof contracts[0] <= DC_CONTRACTS_MAX, "deployment.json holds them all");

// Done when `look` of `at` is at most `most` (or, with least, at least that); else `from` calls `to`.
struct act { const char *what, *at, *look, *look_args, *least, *most, *from, *to, *call, *args; };
#define ALL "115792089237316195423570985008687907853269984665640564039457584007913129639935"
static const struct act acts[] = {
    { "the later burn", "palm", "totalBurned()", "", "22500000000000000", NULL, "later", "palm", "burn(uint256)", "2500000000000000" },
    { "PALM for the vault", "palm", "balanceOf(address)", "liquidity", NULL, "70000000000000000", "liquidity", "palm", "transfer(address,uint256)", "vault 10000000000000000" },
    { "NFNT for the vault", "nfnt", "totalSupply()", "", "1", NULL, "liquidity", "nfnt", "mint(address,uint256)", "vault 10000000000000000000000000" },
    { "GHUB for the vault", "ghub", "totalSupply()", "", "1", NULL, "liquidity", "ghub", "mint(address,uint256)", "vault 10000000000000000000000000" },
    { "burns allowed", "palm", "allowance(address,address)", "vault burn_module", "1", NULL, "vault", "palm", "approve(address,uint256)", "burn_module " ALL },
    { "payouts of PALM allowed", "palm", "allowance(address,address)", "vault payout_palm", "1", NULL, "vault", "palm", "approve(address,uint256)", "payout_palm " ALL },
    { "payouts of NFNT allowed", "nfnt", "allowance(address,address)", "vault payout_nfnt", "1", NULL, "vault", "nfnt", "approve(address,uint256)", "payout_nfnt " ALL },
    { "payouts of GHUB allowed", "ghub", "allowance(address,address)", "vault payout_ghub", "1", NULL, "vault", "ghub", "approve(address,uint256)", "payout_ghub " ALL },
};
#define ACTS ((int)(sizeof acts / sizeof acts[0]))
#define STEP_ACCOUNTS 0
#define STEP_FUNDS 1                       // of the host's key
#define STEP_CONTRACTS 2
#define STEP_ACTS (STEP_CONTRACTS + CONTRACTS)
#define STEP_FACTORY (STEP_ACTS + ACTS)
#define FUNDS_LEAST 10000000000000000000ULL        // 10 ether: then it gets another 1,000
#define FUNDS_HEX "0x3635c9adc5dea00000"

const char *dc_contract_name(int no) { return no < CONTRACTS ? contracts[no].name : NULL; }

const struct address *dc_who(const struct devchain *d, const char *name, size_t len)
{
    static const struct { const char *name; int account; } accounts[] = { { "liquidity", 0 }, { "vault", 1 }, { "owner", 2 }, { "reserve", 3 }, { "faucet", 9 } };
    if (len == 5 && memcmp(name, "later", 5) == 0) return &d->made.accounts[d->o.settings->later_burn_of_reserve ? 3 : 0];
    if (len == 3 && memcmp(name, "key", 3) == 0) return &d->made.key;
    for (size_t i = 0; i < sizeof accounts / sizeof accounts[0]; i++)
        if (strlen(accounts[i].name) == len && memcmp(name, accounts[i].name, len) == 0) return &d->made.accounts[accounts[i].account];
    for (int i = 0; i < CONTRACTS; i++)
        if (strlen(contracts[i].name) == len && memcmp(name, contracts[i].name, len) == 0) return address_is_zero(&d->made.contracts[i]) ? NULL : &d->made.contracts[i];
    return NULL;
}

// ---- arguments: names and numbers between spaces

static enum fr_status put_args(const struct devchain *d, const char *signature, const char *args, struct fr_buf *out, struct fr_err *err)
{
    struct abi_out abi;
    int words = args[0] ? 1 : 0;
    for (const char *p = args; *p; p++) words += *p == ' ';
    abi_begin(&abi, out, signature, words);
    for (const char *p = args; *p; ) {
        size_t len = strcspn(p, " ");
        const struct address *who = dc_who(d, p, len);
        char digits[U256_TEXT_BYTES];
        struct u256 number;
        snprintf(digits, sizeof digits, "%.*s", (int)len, p);
        if (who) abi_put_address(&abi, who);
        else if (u256_parse(digits, &number, err) == FR_OK) abi_put_u256(&abi, number);
        else return fr_err_note(err, "%s of the development chain", digits);
        p += len + (p[len] == ' ');
    }
    return abi_end(&abi, err);
}

static void put_hex(struct fr_buf *out, const struct fr_buf *bytes)
{
    char *room = fr_buf_reserve(out, 2 * bytes->len + 1);
    if (!room || bytes->len == 0) return;
    fr_hex(bytes->data, bytes->len, room);
    fr_buf_commit(out, 2 * bytes->len);
}

// ---- compiled contracts

// The bytecode as hex, without 0x.
static enum fr_status artifact_read(const struct devchain *d, const char *name, struct fr_buf *ret, bool *found, struct fr_err *err)
{
    FR_AUTO_BUF(text);
    FR_AUTO(fr_json) json = NULL;
    const char *code;
    char path[TREASURY_PATH_BYTES + 80];
    snprintf(path, sizeof path, "%s/%s.json", d->artifacts, name);
    fr_buf_init(&text, DC_ARTIFACT_BYTES_MAX);
    FR_TRY(dc_read(path, DC_ARTIFACT_BYTES_MAX, &text, found, err));
    if (!*found) return FR_OK;
    enum fr_status st = fr_json_parse_long(text.data ? text.data : "", text.len, DC_ARTIFACT_BYTES_MAX, &json, err);
    if (st == FR_OK) st = fr_json_need_text(json, "bytecode", 4, DC_ARTIFACT_BYTES_MAX, &code, err);
    if (st != FR_OK) return fr_err_note(err, "%s", path);
    size_t len = strlen(code) - 2;
    if (strncmp(code, "0x", 2) != 0 || len % 2 != 0 || strspn(code + 2, "0123456789abcdefABCDEF") != len) return FR_FAIL(err, FR_E_INVALID, "%s: bytecode: expected hex", path);
    fr_buf_init(ret, len);
    fr_buf_add_bytes(ret, code + 2, len);
    return fr_buf_check(ret, "bytecode", err);
}

enum fr_status dc_artifacts_look(const struct devchain *d, struct fr_err *err)
{
    for (int i = 0; i < CONTRACTS; i++) {
        FR_AUTO_BUF(code);
        bool found;
        FR_TRY(artifact_read(d, contracts[i].artifact, &code, &found, err));
        if (!found && !contracts[i].optional) return FR_FAIL(err, FR_E_NOT_FOUND, "%s/%s.json is not there", d->artifacts, contracts[i].artifact);
    }
    return FR_OK;
}

// ---- one step: looked at, and made when it is not so

static void next(struct devchain *d)
{
    d->step++;
    d->step_made = false;
}

static void stuck(struct devchain *d, const char *what, const char *why)
{
    d->phase = DC_STUCK;
    dc_say(d, DEVCHAIN_DOWN, "%s: %.200s", what, why);
}

static const char *what_of(const struct devchain *d)
{
    int no = d->step - STEP_CONTRACTS;
    return no < 0 ? "accounts" : no < CONTRACTS ? contracts[no].name : no < CONTRACTS + ACTS ? acts[no - CONTRACTS].what : "addresses";
}

static void receipt_answer(struct devchain *d, const struct rpc_answers *a)
{
    struct rpc_receipt receipt;
    struct fr_err err;
    bool found = false;
    int no = d->step - STEP_CONTRACTS;
    if (a->at[0].fault || rpc_read_receipt(a->at[0].result, &receipt, &found, &err) != FR_OK) {
        stuck(d, what_of(d), a->at[0].fault ? a->at[0].text : err.text);
        return;
    }
    if (!found) return;                    // asked for again: d->step_made stays
    d->busy_at = d->head = receipt.block_number > d->head ? receipt.block_number : d->head;
    d->unsaved = true;
    if (!receipt.success || (no >= 0 && no < CONTRACTS && !receipt.has_contract)) stuck(d, what_of(d), "the transaction reverted");
    else {
        if (no >= 0 && no < CONTRACTS) d->made.contracts[no] = receipt.contract;
        next(d);
    }
    rpc_receipt_free(&receipt);
}

static void mined_answer(struct devchain *d, const struct rpc_answers *a)
{
    if (a->at[0].fault) stuck(d, what_of(d), a->at[0].text);
    else d->step_made = true;              // the next step asks for the receipt
}

static void sent_answer(struct devchain *d, const struct rpc_answers *a)
{
    uint8_t hash[32];
    struct fr_err err;
    if (a->at[0].fault || rpc_need_word(a->at[0].result, "", hash, &err) != FR_OK) {
        stuck(d, what_of(d), a->at[0].fault ? a->at[0].text : err.text);
        return;
    }
    memcpy(d->hash, "0x", 2);
    fr_hex(hash, 32, d->hash + 2);
    dc_ask(d, &(struct rpc_call){ "evm_mine", NULL }, 1, mined_answer);
}

// to NULL: a contract is made. value NULL: none.
static void transact(struct devchain *d, const struct address *from, const struct address *to, const char *value, const char *code, const struct fr_buf *args)
{
    char text[ADDRESS_TEXT_BYTES];
    FR_AUTO_BUF(params);
    struct fr_err err;
    fr_buf_init(&params, RPC_PARAMS_BYTES_MAX);
    fr_buf_addf(&params, "[{\"from\":\"%s\"", address_text(from, text));
    if (to) fr_buf_addf(&params, ",\"to\":\"%s\"", address_text(to, text));
    if (value) fr_buf_addf(&params, ",\"value\":\"%s\"", value);
    fr_buf_addf(&params, ",\"data\":\"0x%s", code);
    put_hex(&params, args);
    fr_buf_add(&params, "\"}]");
    if (fr_buf_check(&params, "a transaction", &err) != FR_OK) stuck(d, what_of(d), err.text);
    else dc_ask(d, &(struct rpc_call){ "eth_sendTransaction", params.data }, 1, sent_answer);
}

// ---- the kinds of steps

static void accounts_answer(struct devchain *d, const struct rpc_answers *a)
{
    struct fr_err err;
    enum fr_status st = a->at[0].fault ? FR_FAIL(&err, FR_E_IO, "%s", a->at[0].text) : FR_OK;
    for (int i = 0; i < DC_ACCOUNTS && st == FR_OK; i++) {
        char key[16];
        snprintf(key, sizeof key, "[%d]", i);
        st = rpc_need_address(a->at[0].result, key, &d->made.accounts[i], &err);
    }
    if (st == FR_OK) next(d);
    else stuck(d, "accounts", err.text);
}

static void funds_answer(struct devchain *d, const struct rpc_answers *a)
{
    struct u256 balance;
    struct fr_err err;
    struct fr_buf none = { 0 };
    if (a->at[0].fault || rpc_need_quantity(a->at[0].result, "", &balance, &err) != FR_OK) return;
    if (u256_compare(balance, u256_of(FUNDS_LEAST)) >= 0) next(d);
    else transact(d, dc_who(d, "faucet", 6), &d->made.key, FUNDS_HEX, "", &none);
}

static void code_answer(struct devchain *d, const struct rpc_answers *a)
{
    const char *code = a->at[0].fault ? NULL : fr_json_text(a->at[0].result);
    int no = d->step - STEP_CONTRACTS;
    if (!code) return;
    if (strlen(code) > 2) next(d);
    else memset(&d->made.contracts[no], 0, sizeof d->made.contracts[no]);      // a kill took it: made again
}

static void contract_step(struct devchain *d, int no)
{
    char params[80], text[ADDRESS_TEXT_BYTES];
    FR_AUTO_BUF(code);
    FR_AUTO_BUF(args);
    struct fr_err err;
    bool found;
    if (!address_is_zero(&d->made.contracts[no])) {
        snprintf(params, sizeof params, "[\"%s\",\"latest\"]", address_text(&d->made.contracts[no], text));
        dc_ask(d, &(struct rpc_call){ "eth_getCode", params }, 1, code_answer);
        return;
    }
    fr_buf_init(&args, 1024);
    enum fr_status st = artifact_read(d, contracts[no].artifact, &code, &found, &err);
    if (st == FR_OK && !found && contracts[no].optional) {
        next(d);
        return;
    }
    if (st == FR_OK && !found) st = FR_FAIL(&err, FR_E_NOT_FOUND, "%s/%s.json is gone", d->artifacts, contracts[no].artifact);
    if (st == FR_OK) st = put_args(d, NULL, contracts[no].args, &args, &err);
    if (st == FR_OK) transact(d, &d->made.accounts[0], NULL, NULL, code.data, &args);
    else stuck(d, contracts[no].name, err.text);
}

static void call_of(const struct devchain *d, const char *at, const char *signature, const char *args, struct fr_buf *params, struct fr_err *err, enum fr_status *st)
{
    char text[ADDRESS_TEXT_BYTES];
    FR_AUTO_BUF(data);
    fr_buf_init(&data, 1024);
    *st = put_args(d, signature, args, &data, err);
    fr_buf_init(params, 4096);
    fr_buf_addf(params, "[{\"to\":\"%s\",\"data\":\"0x", address_text(dc_who(d, at, strlen(at)), text));
    put_hex(params, &data);
    fr_buf_add(params, "\"},\"latest\"]");
    if (*st == FR_OK) *st = fr_buf_check(params, "a call", err);
}

static void act_answer(struct devchain *d, const struct rpc_answers *a)
{
    const struct act *act = &acts[d->step - STEP_ACTS];
    uint8_t word[32];
    struct u256 bound;
    struct fr_err err;
    FR_AUTO_BUF(args);
    if (a->at[0].fault) {
        stuck(d, act->what, a->at[0].text);
        return;
    }
    fr_buf_init(&args, 1024);
    enum fr_status st = rpc_need_word(a->at[0].result, "", word, &err);
    if (st == FR_OK) st = u256_parse(act->least ? act->least : act->most, &bound, &err);
    int order = st == FR_OK ? u256_compare(u256_from_bytes(word), bound) : 0;
    if (st == FR_OK && (act->least ? order >= 0 : order <= 0)) {
        next(d);
        return;
    }
    if (st == FR_OK) st = put_args(d, act->call, act->args, &args, &err);
    if (st == FR_OK) transact(d, dc_who(d, act->from, strlen(act->from)), dc_who(d, act->to, strlen(act->to)), NULL, "", &args);
    else stuck(d, act->what, err.text);
}

// What an optional contract would need is skipped where it is not deployed.
static bool act_has_all(const struct devchain *d, const struct act *act)
{
    for (const char *p = act->args; *p; ) {
        size_t len = strcspn(p, " ");
        if ((*p < '0' || *p > '9') && !dc_who(d, p, len)) return false;
        p += len + (p[len] == ' ');
    }
    return true;
}

static void act_step(struct devchain *d, const struct act *act)
{
    FR_AUTO_BUF(params);
    struct fr_err err;
    enum fr_status st;
    if (!act_has_all(d, act)) {
        next(d);
        return;
    }
    call_of(d, act->at, act->look, act->look_args, &params, &err, &st);
    if (st == FR_OK) dc_ask(d, &(struct rpc_call){ "eth_call", params.data }, 1, act_answer);
    else stuck(d, act->what, err.text);
}

static void factory_answer(struct devchain *d, const struct rpc_answers *a)
{
    struct fr_err err;
    if (a->at[0].fault || rpc_need_word(a->at[0].result, "", d->made.forwarder_hash, &err) != FR_OK) stuck(d, "deposit_factory", a->at[0].fault ? a->at[0].text : err.text);
    else {
        d->phase = DC_RUN;
        d->look_ms = 0;
        if (d->told) dc_say(d, DEVCHAIN_READY, "%s", "");
    }
}

static void factory_step(struct devchain *d)
{
    FR_AUTO_BUF(params);
    struct fr_err err;
    enum fr_status st;
    call_of(d, "deposit_factory", "initCodeHash()", "", &params, &err, &st);
    if (st == FR_OK) dc_ask(d, &(struct rpc_call){ "eth_call", params.data }, 1, factory_answer);
    else stuck(d, "deposit_factory", err.text);
}

void dc_script_step(struct devchain *d)
{
    char params[80], text[ADDRESS_TEXT_BYTES];
    int no = d->step - STEP_CONTRACTS;
    if (d->made.complete && !d->told) dc_say(d, DEVCHAIN_STARTING, "looking at what stands on the chain");
    else if (!d->told) dc_say(d, DEVCHAIN_DEPLOYING, "contracts and seeds");
    if (d->step_made) {
        snprintf(params, sizeof params, "[\"%s\"]", d->hash);
        dc_ask(d, &(struct rpc_call){ "eth_getTransactionReceipt", params }, 1, receipt_answer);
        return;
    }
    if (d->step == STEP_ACCOUNTS) dc_ask(d, &(struct rpc_call){ "eth_accounts", NULL }, 1, accounts_answer);
    else if (d->step == STEP_FUNDS) {
        snprintf(params, sizeof params, "[\"%s\",\"latest\"]", address_text(&d->made.key, text));
        dc_ask(d, &(struct rpc_call){ "eth_getBalance", params }, 1, funds_answer);
    } else if (no < CONTRACTS) contract_step(d, no);
    else if (no < CONTRACTS + ACTS) act_step(d, &acts[no - CONTRACTS]);
    else factory_step(d);
}
