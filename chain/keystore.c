// keystore.c — JSON to facts, facts and a passphrase to a key, and back.
#include "chain/keystore.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <nettle/aes.h>
#include <nettle/ctr.h>
#include <nettle/pbkdf2.h>
#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/secret.h"
#include "chain/keccak.h"

#define DERIVED_BYTES 32                 // 16 for AES, 16 for the MAC; every writer makes so many

static enum fr_status malformed(struct fr_err *err, const char *why)
{
    return FR_FAIL_CODE(err, FR_E_INVALID, "keystore_malformed", "the keystore %s", why);
}

// ---- reading

static enum fr_status need_hex(const struct fr_json *o, const char *key, uint8_t *out, size_t len, struct fr_err *err)
{
    const char *text = NULL;
    FR_TRY(fr_json_need_text(o, key, 2 * len, 2 * len, &text, err));
    return fr_unhex(text, strlen(text), out, len) ? FR_OK : FR_FAIL(err, FR_E_INVALID, "%s: not hex digits", key);
}

static enum fr_status need_word(const struct fr_json *o, const char *key, const char *want, struct fr_err *err)
{
    const char *text = NULL;
    FR_TRY(fr_json_need_text(o, key, 1, 64, &text, err));
    return strcmp(text, want) == 0 ? FR_OK : FR_FAIL(err, FR_E_INVALID, "%s: \"%s\" is unknown; \"%s\" is what there is", key, text, want);
}

static enum fr_status read_salt(const struct fr_json *params, struct keystore *k, struct fr_err *err)
{
    const char *text = NULL;
    FR_TRY(fr_json_need_text(params, "salt", 2, 2 * KEYSTORE_SALT_BYTES_MAX, &text, err));
    k->salt_len = strlen(text) / 2;
    return fr_unhex(text, strlen(text), k->salt, k->salt_len) ? FR_OK : FR_FAIL(err, FR_E_INVALID, "salt: not hex digits");
}

static enum fr_status scrypt_bounds(const struct keystore *k, struct fr_err *err)
{
    uint64_t blocks = (uint64_t)k->n * k->r;             // each below 2^32
    if (k->n < 2 || (k->n & (k->n - 1)) != 0) return FR_FAIL(err, FR_E_INVALID, "n: %u is no power of two", k->n);
    if (blocks <= KEYSTORE_BLOCKS_MAX && blocks * k->p <= KEYSTORE_WORK_MAX) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_LIMIT, "keystore_costs", "the keystore's scrypt (n %u, r %u, p %u) would take over %u MiB or %d times the usual time",
                        k->n, k->r, k->p, KEYSTORE_BLOCKS_MAX / 8192, (int)(KEYSTORE_WORK_MAX / (KEYSTORE_N_DEFAULT * KEYSTORE_R_DEFAULT)));
}

static enum fr_status read_scrypt(const struct fr_json *params, struct keystore *k, struct fr_err *err)
{
    int64_t n = 0, r = 0, p = 0;
    FR_TRY(fr_json_need_int(params, "n", 2, UINT32_MAX, &n, err));
    FR_TRY(fr_json_need_int(params, "r", 1, (1 << 24), &r, err));
    FR_TRY(fr_json_need_int(params, "p", 1, (1 << 24), &p, err));
    k->n = (uint32_t)n;
    k->r = (uint32_t)r;
    k->p = (uint32_t)p;
    return scrypt_bounds(k, err);
}

static enum fr_status read_pbkdf2(const struct fr_json *params, struct keystore *k, struct fr_err *err)
{
    int64_t rounds = 0;
    FR_TRY(need_word(params, "prf", "hmac-sha256", err));
    FR_TRY(fr_json_need_int(params, "c", 1, UINT32_MAX, &rounds, err));
    if (rounds > KEYSTORE_ROUNDS_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "keystore_costs", "the keystore's PBKDF2 has %lld rounds; at most %d", (long long)rounds, KEYSTORE_ROUNDS_MAX);
    k->rounds = (uint32_t)rounds;
    return FR_OK;
}

static enum fr_status read_kdf(const struct fr_json *crypto, struct keystore *k, struct fr_err *err)
{
    const char *kdf = NULL;
    const struct fr_json *params = NULL;
    int64_t dklen = 0;
    FR_TRY(fr_json_need_text(crypto, "kdf", 1, 64, &kdf, err));
    FR_TRY(fr_json_need_object(crypto, "kdfparams", &params, err));
    FR_TRY(fr_json_need_int(params, "dklen", DERIVED_BYTES, DERIVED_BYTES, &dklen, err));
    FR_TRY(read_salt(params, k, err));
    k->kdf = strcmp(kdf, "pbkdf2") == 0 ? KEYSTORE_PBKDF2 : KEYSTORE_SCRYPT;
    if (k->kdf == KEYSTORE_PBKDF2) return read_pbkdf2(params, k, err);
    return strcmp(kdf, "scrypt") == 0 ? read_scrypt(params, k, err) : FR_FAIL(err, FR_E_INVALID, "kdf: \"%s\" is neither scrypt nor pbkdf2", kdf);
}

static enum fr_status read_address(const struct fr_json *doc, struct keystore *k, struct fr_err *err)
{
    const char *text = NULL;
    FR_TRY(fr_json_opt_text(doc, "address", 2 * ADDRESS_BYTES + 2, NULL, &text, err));
    if (!text || !*text) return FR_OK;                   // the definition does not ask for one
    if (strncmp(text, "0x", 2) == 0) text += 2;
    if (!fr_unhex(text, strlen(text), k->address.bytes, ADDRESS_BYTES)) return FR_FAIL(err, FR_E_INVALID, "address: not 40 hex digits");
    k->has_address = true;
    return FR_OK;
}

static enum fr_status read_all(const char *json, size_t len, struct keystore *k, struct fr_err *err)
{
    FR_AUTO(fr_json) doc = NULL;
    const struct fr_json *crypto = NULL;
    int64_t version = 0;
    FR_TRY(fr_json_parse(json, len, &doc, err));
    FR_TRY(fr_json_need_int(doc, "version", 3, 3, &version, err));
    FR_TRY(fr_json_need_object(doc, fr_json_get(doc, "Crypto") ? "Crypto" : "crypto", &crypto, err));      // ethers 5 wrote the capital
    FR_TRY(need_word(crypto, "cipher", "aes-128-ctr", err));
    FR_TRY(need_hex(crypto, "cipherparams.iv", k->iv, sizeof k->iv, err));
    FR_TRY(need_hex(crypto, "ciphertext", k->ciphertext, sizeof k->ciphertext, err));
    FR_TRY(need_hex(crypto, "mac", k->mac, sizeof k->mac, err));
    FR_TRY(read_address(doc, k, err));
    return read_kdf(crypto, k, err);
}

enum fr_status keystore_read(const char *json, size_t len, struct keystore *ret, struct fr_err *err)
{
    struct keystore k = { 0 };
    struct fr_err why = { 0 };
    if (len > KEYSTORE_BYTES_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "keystore_costs", "a keystore of over %d bytes", KEYSTORE_BYTES_MAX);
    enum fr_status status = read_all(json, len, &k, &why);
    if (status == FR_OK) {
        *ret = k;
        return FR_OK;
    }
    if (status != FR_E_INVALID && status != FR_E_LIMIT) return FR_FAIL(err, status, "%s", why.text);
    if (strcmp(why.code, "keystore_costs") == 0) return FR_FAIL_CODE(err, FR_E_LIMIT, "keystore_costs", "%s", why.text);
    return FR_FAIL_CODE(err, FR_E_INVALID, "keystore_malformed", "not a keystore of version 3: %s", why.text);
}

// ---- opening

static enum fr_status derive(const struct keystore *k, const void *passphrase, size_t len, uint8_t out[DERIVED_BYTES], struct fr_err *err)
{
    if (k->kdf == KEYSTORE_SCRYPT) return fr_scrypt(passphrase, len, k->salt, k->salt_len, k->n, k->r, k->p, out, DERIVED_BYTES, err);
    pbkdf2_hmac_sha256(len, passphrase, k->rounds, k->salt_len, k->salt, DERIVED_BYTES, out);
    return FR_OK;
}

static void mac_of(const uint8_t derived[DERIVED_BYTES], const uint8_t ciphertext[SECRET_KEY_BYTES], uint8_t out[32])
{
    struct keccak k;
    keccak_init(&k);
    keccak_add(&k, derived + 16, 16);
    keccak_add(&k, ciphertext, SECRET_KEY_BYTES);
    keccak_end(&k, out);
    fr_wipe(&k, sizeof k);
}

static void aes_ctr(const uint8_t derived[DERIVED_BYTES], const uint8_t iv[16], const uint8_t in[SECRET_KEY_BYTES], uint8_t out[SECRET_KEY_BYTES])
{
    struct aes128_ctx aes;
    uint8_t counter[16];
    memcpy(counter, iv, sizeof counter);
    aes128_set_encrypt_key(&aes, derived);
    ctr_crypt(&aes, (nettle_cipher_func *)aes128_encrypt, sizeof counter, counter, SECRET_KEY_BYTES, out, in);
    fr_wipe(&aes, sizeof aes);
}

static enum fr_status open_derived(const struct keystore *k, const uint8_t derived[DERIVED_BYTES], uint8_t secret[SECRET_KEY_BYTES], struct address *ret, struct fr_err *err)
{
    uint8_t mac[32];
    mac_of(derived, k->ciphertext, mac);
    if (!fr_equal_const_time(mac, k->mac, sizeof mac)) return FR_FAIL_CODE(err, FR_E_AUTH, "passphrase_wrong", "the passphrase does not open this keystore");
    aes_ctr(derived, k->iv, k->ciphertext, secret);
    if (secret_key_address(secret, ret, err) != FR_OK) return FR_FAIL_CODE(err, FR_E_CORRUPT, "keystore_foreign", "the keystore holds no key of secp256k1");
    if (k->has_address && !address_equal(ret, &k->address)) return FR_FAIL_CODE(err, FR_E_CORRUPT, "keystore_foreign", "the keystore holds another key than its address says");
    return FR_OK;
}

enum fr_status keystore_open(const struct keystore *k, const void *passphrase, size_t len, uint8_t secret[SECRET_KEY_BYTES], struct address *ret, struct fr_err *err)
{
    uint8_t derived[DERIVED_BYTES];
    struct address opened = { { 0 } };
    memset(secret, 0, SECRET_KEY_BYTES);
    if (len > PASSPHRASE_BYTES_MAX) return FR_FAIL_CODE(err, FR_E_AUTH, "passphrase_wrong", "a passphrase has at most %d bytes", PASSPHRASE_BYTES_MAX);
    enum fr_status status = derive(k, passphrase, len, derived, err);
    if (status == FR_OK) status = open_derived(k, derived, secret, &opened, err);
    fr_wipe(derived, sizeof derived);
    if (status == FR_OK) *ret = opened;
    else fr_wipe(secret, SECRET_KEY_BYTES);
    return status;
}

// ---- making

static void uuid4(char out[37])
{
    uint8_t b[16];
    char hex[33];
    fr_random_bytes(b, sizeof b);
    b[6] = (uint8_t)(0x40 | (b[6] & 0x0f));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    fr_hex(b, sizeof b, hex);
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static void keystore_print(const struct keystore *k, struct fr_buf *out)
{
    char id[37], hex[2 * KEYSTORE_SALT_BYTES_MAX + 1];
    uuid4(id);
    fr_buf_addf(out, "{\"version\":3,\"id\":\"%s\",\"address\":\"%s\",", id, fr_hex(k->address.bytes, ADDRESS_BYTES, hex));
    fr_buf_addf(out, "\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":\"%s\"},", fr_hex(k->iv, sizeof k->iv, hex));
    fr_buf_addf(out, "\"ciphertext\":\"%s\",", fr_hex(k->ciphertext, sizeof k->ciphertext, hex));
    fr_buf_addf(out, "\"kdf\":\"scrypt\",\"kdfparams\":{\"dklen\":%d,\"n\":%u,\"r\":%u,\"p\":%u,\"salt\":\"%s\"},", DERIVED_BYTES, k->n, k->r, k->p, fr_hex(k->salt, k->salt_len, hex));
    fr_buf_addf(out, "\"mac\":\"%s\"}}\n", fr_hex(k->mac, sizeof k->mac, hex));
}

enum fr_status keystore_make(const uint8_t secret[SECRET_KEY_BYTES], const void *passphrase, size_t len, const struct keystore *cost, struct fr_buf *out, struct fr_err *err)
{
    struct keystore k = { .kdf = KEYSTORE_SCRYPT, .n = KEYSTORE_N_DEFAULT, .r = KEYSTORE_R_DEFAULT, .p = KEYSTORE_P_DEFAULT, .salt_len = 32, .has_address = true };
    uint8_t derived[DERIVED_BYTES];
    if (cost) {
        k.n = cost->n;
        k.r = cost->r;
        k.p = cost->p;
    }
    if (k.r == 0 || k.p == 0) return malformed(err, "needs r and p of at least 1");
    FR_TRY(scrypt_bounds(&k, err));
    if (len == 0 || len > PASSPHRASE_BYTES_MAX) return FR_FAIL_CODE(err, FR_E_INVALID, "passphrase_empty", "a passphrase has 1 to %d bytes", PASSPHRASE_BYTES_MAX);
    FR_TRY(secret_key_address(secret, &k.address, err));
    fr_random_bytes(k.salt, k.salt_len);
    fr_random_bytes(k.iv, sizeof k.iv);
    enum fr_status status = derive(&k, passphrase, len, derived, err);
    if (status == FR_OK) {
        aes_ctr(derived, k.iv, secret, k.ciphertext);
        mac_of(derived, k.ciphertext, k.mac);
    }
    fr_wipe(derived, sizeof derived);
    FR_TRY(status);
    keystore_print(&k, out);
    return fr_buf_check(out, "a keystore", err);
}
