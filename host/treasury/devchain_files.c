// devchain_files.c — what the development chain keeps in DATA/chain, and where its tools lie.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/secret.h"
#include "chain/keystore.h"
#include "treasury/devchain_inside.h"

#define SMALL_BYTES_MAX (64 * 1024)
#define LATER_BURN "2500000000000000"

// ---- bytes

enum fr_status dc_path(const struct devchain *d, const char *name, char out[TREASURY_PATH_BYTES], struct fr_err *err)
{
    return (size_t)snprintf(out, TREASURY_PATH_BYTES, "%s/%s", d->folder, name) < TREASURY_PATH_BYTES ? FR_OK : FR_FAIL(err, FR_E_INVALID, "the data folder's name is too long");
}

enum fr_status dc_read(const char *path, size_t max, struct fr_buf *out, bool *found, struct fr_err *err)
{
    FR_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    *found = fd >= 0;
    if (fd < 0) return errno == ENOENT ? FR_OK : FR_FAIL(err, FR_E_IO, "cannot read %.250s: %s", path, strerror(errno));
    for (;;) {
        char bytes[16 * 1024];
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return FR_FAIL(err, FR_E_IO, "cannot read %.250s: %s", path, strerror(errno));
        if (n == 0) break;
        fr_buf_add_bytes(out, bytes, (size_t)n);
    }
    return out->failed ? FR_FAIL(err, FR_E_LIMIT, "%.250s is over %zu bytes", path, max) : FR_OK;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

enum fr_status dc_write(const char *path, const void *bytes, size_t len, struct fr_err *err)
{
    char part[TREASURY_PATH_BYTES + 8];
    snprintf(part, sizeof part, "%s.part", path);
    FR_AUTO_FD int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && fchmod(fd, 0600) == 0 && write_all(fd, bytes, len) && fsync(fd) == 0 && rename(part, path) == 0) return FR_OK;
    int why = errno;
    unlink(part);
    return FR_FAIL_CODE(err, FR_E_IO, why == ENOSPC || why == EDQUOT ? "disk_full" : "io", "cannot write %.250s: %s", path, strerror(why));
}

static enum fr_status folder_make(const char *folder, struct fr_err *err)
{
    return mkdir(folder, 0700) == 0 || errno == EEXIST ? FR_OK : FR_FAIL(err, FR_E_IO, "cannot make %.250s: %s", folder, strerror(errno));
}

// ---- tools: where they were told to be, or near the program: in its folder, or in the one above when that holds another mode of the build

static bool look_at(const char *folder, const char *name, int how, char out[TREASURY_PATH_BYTES])
{
    struct stat st;
    return (size_t)snprintf(out, TREASURY_PATH_BYTES, "%s/%s", folder, name) < TREASURY_PATH_BYTES && stat(out, &st) == 0 && (how == X_OK ? S_ISREG(st.st_mode) && access(out, X_OK) == 0 : S_ISDIR(st.st_mode));
}

static bool find(const struct devchain *d, const char *name, int how, char out[TREASURY_PATH_BYTES])
{
    static const char *const near[] = { "", "/..", "/../build", "/../../build" };
    char folder[TREASURY_PATH_BYTES];
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
        snprintf(folder, sizeof folder, "%.900s%s", d->o.programs, near[i]);
        if (look_at(folder, name, how, out)) return true;
    }
    return false;
}

enum fr_status dc_find_tools(struct devchain *d, struct fr_err *err)
{
    const struct treasury_settings *s = d->o.settings;
    struct stat st;
    char built[TREASURY_PATH_BYTES + 16];
    if (s->anvil[0]) {
        if (access(s->anvil, X_OK) != 0) return FR_FAIL(err, FR_E_NOT_FOUND, "dev_chain.anvil: there is no program %.250s", s->anvil);
        snprintf(d->anvil, sizeof d->anvil, "%s", s->anvil);
    } else if (!find(d, "npm/contracts/node_modules/.bin/anvil", X_OK, d->anvil)) return FR_FAIL(err, FR_E_NOT_FOUND, "anvil is not in %.200s/npm/contracts; type: make contracts", d->o.programs);
    if (s->artifacts[0]) snprintf(d->artifacts, sizeof d->artifacts, "%s", s->artifacts);
    else if (!find(d, "gen/contracts", F_OK, d->artifacts)) return FR_FAIL(err, FR_E_NOT_FOUND, "there is no %.200s/gen/contracts; type: make contracts", d->o.programs);
    snprintf(built, sizeof built, "%s/.built", d->artifacts);
    if (stat(built, &st) != 0) return FR_FAIL(err, FR_E_NOT_FOUND, "%.250s is not there; type: make contracts", built);      // the last that is written there
    struct fr_err odd;
    return dc_artifacts_look(d, &odd) == FR_OK ? FR_OK : FR_FAIL(err, odd.status, "%.250s; type: make contracts", odd.text);
}

// ---- the host's key

static enum fr_status key_new(const char *path, const char *passphrase, struct fr_err *err)
{
    static const struct keystore light = { .n = 4096, .r = 8, .p = 6 };      // its coins are worth nothing, and each start of the signer pays for it
    FR_AUTO(fr_secret) key = NULL;
    FR_AUTO_BUF(text);
    struct address unused;
    fr_buf_init(&text, KEYSTORE_BYTES_MAX);
    FR_TRY(fr_secret_new(SECRET_KEY_BYTES, &key, err));
    do fr_random_bytes(fr_secret_bytes(key), SECRET_KEY_BYTES);
    while (secret_key_address(fr_secret_bytes(key), &unused, NULL) != FR_OK);
    FR_TRY(keystore_make(fr_secret_bytes(key), passphrase, strlen(passphrase), &light, &text, err));
    return dc_write(path, text.data, text.len, err);
}

// The passphrase comes first: a key.json that is there has one.
enum fr_status dc_key_make(const char *folder, struct address *ret, struct fr_err *err)
{
    char key[TREASURY_PATH_BYTES + 24], pass[TREASURY_PATH_BYTES + 24], secret[FR_BASE64URL_BYTES(24)];
    uint8_t bytes[24];
    bool found;
    struct keystore k;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, KEYSTORE_BYTES_MAX);
    FR_TRY(folder_make(folder, err));
    snprintf(key, sizeof key, "%s/key.json", folder);
    snprintf(pass, sizeof pass, "%s/passphrase", folder);
    FR_TRY(dc_read(key, KEYSTORE_BYTES_MAX, &text, &found, err));
    if (!found) {
        fr_random_bytes(bytes, sizeof bytes);
        fr_base64url(bytes, sizeof bytes, secret);
        enum fr_status st = dc_write(pass, secret, strlen(secret), err);
        if (st == FR_OK) st = key_new(key, secret, err);
        fr_wipe(secret, sizeof secret);
        fr_wipe(bytes, sizeof bytes);
        FR_TRY(st);
        FR_TRY(dc_read(key, KEYSTORE_BYTES_MAX, &text, &found, err));
    }
    if (keystore_read(text.data ? text.data : "", text.len, &k, err) != FR_OK) return fr_err_note(err, "%.200s", key);
    if (!k.has_address) return FR_FAIL(err, FR_E_CORRUPT, "%.250s says no address", key);
    *ret = k.address;
    return FR_OK;
}

// ---- deployment.json

void dc_deployment_print(const struct dc_deployment *m, bool of_reserve, struct fr_buf *out)
{
    char text[ADDRESS_TEXT_BYTES], hex[65];
    int written = 0;
    fr_buf_addf(out, "{\"chain_id\":\"%d\",\"genesis_s\":\"%lld\",\"genesis\":\"0x%s\",\"forwarder_hash\":\"0x", DEVCHAIN_ID, (long long)m->genesis_s, fr_hex(m->genesis, 32, hex));
    fr_buf_addf(out, "%s\",\"key\":\"%s\",\"accounts\":[", fr_hex(m->forwarder_hash, 32, hex), address_text(&m->key, text));
    for (int i = 0; i < DC_ACCOUNTS; i++) fr_buf_addf(out, "%s\"%s\"", i ? "," : "", address_text(&m->accounts[i], text));
    fr_buf_add(out, "],\"contracts\":{");
    for (int i = 0; dc_contract_name(i); i++)
        if (!address_is_zero(&m->contracts[i])) fr_buf_addf(out, "%s\"%s\":\"%s\"", written++ ? "," : "", dc_contract_name(i), address_text(&m->contracts[i], text));
    fr_buf_addf(out, "},\"later_burn\":{\"units\":\"" LATER_BURN "\",\"from\":\"%s\",\"label\":\"source unstated\"}}\n", of_reserve ? "reserve" : "liquidity");
}

static enum fr_status need_address(const struct fr_json *json, const char *key, struct address *ret, struct fr_err *err)
{
    const char *text;
    FR_TRY(fr_json_need_text(json, key, 1, ADDRESS_TEXT_BYTES, &text, err));
    return address_parse(text, ret, err) == FR_OK ? FR_OK : fr_err_note(err, "%s", key);
}

static enum fr_status need_word(const struct fr_json *json, const char *key, uint8_t out[32], struct fr_err *err)
{
    const char *text;
    FR_TRY(fr_json_need_text(json, key, 66, 66, &text, err));
    return strncmp(text, "0x", 2) == 0 && fr_unhex(text + 2, 64, out, 32) ? FR_OK : FR_FAIL(err, FR_E_INVALID, "%s: expected 0x and 64 hex digits", key);
}

enum fr_status dc_deployment_parse(const char *text, size_t len, struct dc_deployment *ret, struct fr_err *err)
{
    FR_AUTO(fr_json) json = NULL;
    struct dc_deployment m = { .complete = true };
    const struct fr_json *contracts;
    char key[48];
    FR_TRY(fr_json_parse(text, len, &json, err));
    FR_TRY(fr_json_need_units(json, "genesis_s", 1, INT32_MAX, &m.genesis_s, err));
    FR_TRY(need_word(json, "genesis", m.genesis, err));
    FR_TRY(need_word(json, "forwarder_hash", m.forwarder_hash, err));
    FR_TRY(need_address(json, "key", &m.key, err));
    for (int i = 0; i < DC_ACCOUNTS; i++) {
        snprintf(key, sizeof key, "accounts[%d]", i);
        FR_TRY(need_address(json, key, &m.accounts[i], err));
    }
    FR_TRY(fr_json_need_object(json, "contracts", &contracts, err));
    for (int i = 0; dc_contract_name(i); i++) {
        snprintf(key, sizeof key, "contracts.%s", dc_contract_name(i));
        if (fr_json_get(contracts, dc_contract_name(i))) FR_TRY(need_address(json, key, &m.contracts[i], err));
    }
    *ret = m;
    return FR_OK;
}

enum fr_status dc_deployment_read(struct devchain *d, bool *found, struct fr_err *err)
{
    char path[TREASURY_PATH_BYTES];
    FR_AUTO_BUF(text);
    fr_buf_init(&text, SMALL_BYTES_MAX);
    FR_TRY(dc_path(d, "deployment.json", path, err));
    FR_TRY(dc_read(path, SMALL_BYTES_MAX, &text, found, err));
    if (!*found) return FR_OK;
    return dc_deployment_parse(text.data ? text.data : "", text.len, &d->made, err) == FR_OK ? FR_OK : fr_err_note(err, "%.200s", path);
}

enum fr_status dc_deployment_write(const struct devchain *d, struct fr_err *err)
{
    char path[TREASURY_PATH_BYTES];
    FR_AUTO_BUF(text);
    fr_buf_init(&text, SMALL_BYTES_MAX);
    dc_deployment_print(&d->made, d->o.settings->later_burn_of_reserve, &text);
    FR_TRY(fr_buf_check(&text, "deployment.json", err));
    FR_TRY(dc_path(d, "deployment.json", path, err));
    return dc_write(path, text.data, text.len, err);
}

// ---- what the signer may sign: host/signer/policy.h

static const struct address *contract(const struct dc_deployment *m, const char *name)
{
    for (int i = 0; dc_contract_name(i); i++)
        if (strcmp(dc_contract_name(i), name) == 0) return &m->contracts[i];
    return NULL;
}

void dc_policy_print(const struct dc_deployment *m, struct fr_buf *out)
{
    char a[ADDRESS_TEXT_BYTES];
    fr_buf_addf(out, "{\"chain_id\":\"%d\",\"gas\":{\"limit\":\"16000000\",\"max_fee\":\"500000000000\",\"max_tip\":\"20000000000\",\"day\":\"100000000000000000000\"},", DEVCHAIN_ID);
    fr_buf_addf(out, "\"burn\":[{\"address\":\"%s\",\"each\":\"1000000000000000\",\"day\":\"1000000000000000\"}],", address_text(contract(m, "burn_module"), a));
    fr_buf_addf(out, "\"sweep\":[{\"address\":\"%s\",\"tokens\":[", address_text(contract(m, "deposit_factory"), a));
    fr_buf_addf(out, "\"%s\",", address_text(contract(m, "palm"), a));
    fr_buf_addf(out, "\"%s\",", address_text(contract(m, "nfnt"), a));
    fr_buf_addf(out, "\"%s\"]}]", address_text(contract(m, "ghub"), a));
    static const struct { const char *payout, *token, *most; } payouts[] = { { "payout_palm", "palm", "1000000000000000" }, { "payout_nfnt", "nfnt", "1000000000000000000000000" }, { "payout_ghub", "ghub", "1000000000000000000000000" } };
    int written = 0;
    for (size_t i = 0; i < sizeof payouts / sizeof payouts[0]; i++) {
        if (address_is_zero(contract(m, payouts[i].payout))) continue;
        fr_buf_addf(out, "%s{\"address\":\"%s\",", written++ ? "," : ",\"payout\":[", address_text(contract(m, payouts[i].payout), a));
        fr_buf_addf(out, "\"token\":\"%s\",\"each\":\"%s\",\"day\":\"%s\"}", address_text(contract(m, payouts[i].token), a), payouts[i].most, payouts[i].most);
    }
    fr_buf_add(out, written ? "]}\n" : "}\n");
}

enum fr_status dc_policy_write(const struct devchain *d, struct fr_err *err)
{
    char path[TREASURY_PATH_BYTES];
    FR_AUTO_BUF(text);
    fr_buf_init(&text, SMALL_BYTES_MAX);
    dc_policy_print(&d->made, &text);
    FR_TRY(fr_buf_check(&text, "the policy", err));
    FR_TRY(dc_path(d, "policy.json", path, err));
    return dc_write(path, text.data, text.len, err);
}

// ---- what the treasury is configured with

static struct treasury_token token(const char *asset, const struct address *at, int chain_decimals)
{
    struct treasury_token t = { .at = *at, .ledger_decimals = TREASURY_LEDGER_DECIMALS, .chain_decimals = chain_decimals };
    snprintf(t.asset, sizeof t.asset, "%s", asset);
    return t;
}

enum fr_status dc_settings(const struct devchain *d, struct treasury_settings *ret, struct fr_err *err)
{
    const struct dc_deployment *m = &d->made;
    struct treasury_settings *s = ret;
    *s = *d->o.settings;
    s->configured = true;
    s->chain_id = DEVCHAIN_ID;
    memcpy(s->genesis, m->genesis, 32);
    s->endpoints[0] = (struct endpoint_config){ .name = "dev", .url = "http://127.0.0.1/" };      // devchain_transport knows better
    s->endpoint_count = 1;
    s->final = (struct final_rules){ .quorum = 1, .blocks = DEVCHAIN_FINAL_BLOCKS };
    s->key = m->key;
    s->vault = *dc_who(d, "vault", 5);
    FR_TRY(treasury_decimal_parse("200", 9, &s->max_fee, err));
    FR_TRY(treasury_decimal_parse("10", 9, &s->max_tip, err));
    FR_TRY(treasury_decimal_parse("50", 18, &s->day_most, err));
    struct treasury_contracts *c = &s->contracts;
    c->tokens[0] = token("PALM", contract(m, "palm"), 9);
    c->tokens[1] = token("NFNT", contract(m, "nfnt"), 18);
    c->tokens[2] = token("GHUB", contract(m, "ghub"), 18);
    c->payout[0] = *contract(m, "payout_palm");
    c->payout[1] = *contract(m, "payout_nfnt");
    c->payout[2] = *contract(m, "payout_ghub");
    c->token_count = 3;
    c->burn_module = *contract(m, "burn_module");
    c->deposit_factory = *contract(m, "deposit_factory");
    s->burn = (struct burn_options){ .threshold_units = 100 * PALM_UNITS, .age_ms = 5000, .hard_age_ms = 60000, .look_ms = 1000 };      // soon: somebody is looking
    s->deposit = (struct deposit_options){ .look_ms = 1000, .sweep_age_ms = 30000 };
    s->reconcile_look_ms = 1000;
    s->withdrawal = (struct withdrawal_options){ .cooldown_ms = 10000, .batch_count = 10, .batch_age_ms = 2000, .look_ms = 1000 };
    for (int i = 0; i < c->token_count; i++)
        s->withdrawal_rules[i] = (struct withdrawal_rules){ .least = PALM_UNITS, .most = 10000 * PALM_UNITS, .player_day = 20000 * PALM_UNITS, .all_day = 100000 * PALM_UNITS, .two_from = 500 * PALM_UNITS };
    snprintf(s->later_burn_from, sizeof s->later_burn_from, "%s", s->later_burn_of_reserve ? "reserve" : "liquidity");
    s->signer.where = SIGNER_LOCAL;
    s->signer.keystore_count = 1;
    FR_TRY(dc_path(d, "policy.json", s->signer.policy, err));
    FR_TRY(dc_path(d, "tally", s->signer.tally, err));
    FR_TRY(dc_path(d, "passphrase", s->signer.passphrase, err));
    return dc_path(d, "key.json", s->signer.keystores[0], err);
}
