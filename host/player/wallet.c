// wallet.c — codes, nonces and links in the store. Of a code only its hash stands there; a nonce is public, and worth nothing without the session.
#include "player/wallet.h"
#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "base/hex.h"
#include "player/rows.h"

#define STATEMENT "Link this wallet to your player account. This costs nothing and moves nothing."
#define NONCE_BYTES 17

// ---- codes

static void code_hash(const char *code, uint8_t out[SHA256_BYTES]) { fr_sha256(code, strlen(code), out); }

enum fr_status wallet_code_new(struct store_txn *txn, const char *player, int64_t now_ms, char code[WALLET_CODE_BYTES], int64_t *expires_ms, struct fr_err *err)
{
    uint8_t secret[20], hash[SHA256_BYTES];
    char text[FR_BASE64URL_BYTES(20)];
    int64_t number = 0;
    struct store_row *row = NULL;
    _Static_assert(sizeof text == WALLET_CODE_BYTES, "the code's text is its own size");
    FR_TRY(player_number(player, &number, err));
    fr_random_bytes(secret, sizeof secret);
    fr_base64url(secret, sizeof secret, text);
    code_hash(text, hash);
    FR_TRY(sql_begin(txn, "INSERT OR REPLACE INTO wallet_code (player, hash, expires_ms) VALUES (?1, ?2, ?3)", &row, err));
    sql_bind_int(row, 1, number);
    sql_bind_bytes(row, 2, hash, sizeof hash);
    sql_bind_int(row, 3, now_ms + WALLET_CODE_MS);
    FR_TRY(sql_do(row, NULL, err));
    memcpy(code, text, sizeof text);
    *expires_ms = now_ms + WALLET_CODE_MS;
    return FR_OK;
}

enum fr_status wallet_code_use(struct store_txn *txn, const char *code, int64_t now_ms, char player[PLAYER_ID_BYTES], struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct store_row *drop = NULL;
    uint8_t hash[SHA256_BYTES];
    bool found = false;
    code_hash(code, hash);
    FR_TRY(sql_begin(txn, "SELECT player, expires_ms FROM wallet_code WHERE hash = ?1", &row, err));
    sql_bind_bytes(row, 1, hash, sizeof hash);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_AUTH, "code_unknown", "this link was used already, or a newer one was made: ask for another in the app");
    int64_t number = sql_int(row, 0), expires_ms = sql_int(row, 1);
    sql_end(FR_TAKE(row));
    if (expires_ms <= now_ms) return FR_FAIL_CODE(err, FR_E_AUTH, "code_expired", "this link is too old: ask for another in the app");
    FR_TRY(sql_begin(txn, "DELETE FROM wallet_code WHERE player = ?1", &drop, err));
    sql_bind_int(drop, 1, number);
    FR_TRY(sql_do(drop, NULL, err));
    player_id_print(number, player);
    return FR_OK;
}

// ---- who has an address

static enum fr_status owner_of(struct store_txn *txn, const struct address *address, int64_t *player, int64_t *since_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    *player = *since_ms = 0;
    FR_TRY(sql_begin(txn, "SELECT player, linked_ms FROM wallet_link WHERE address = ?1 AND unlinked_ms = 0", &row, err));
    sql_bind_bytes(row, 1, address->bytes, ADDRESS_BYTES);
    FR_TRY(sql_step(row, &found, err));
    if (found) *player = sql_int(row, 0), *since_ms = sql_int(row, 1);
    return FR_OK;
}

static enum fr_status taken(struct fr_err *err)
{
    return FR_FAIL_CODE(err, FR_E_CONFLICT, "wallet_taken", "this wallet is linked to another player; it has to be unlinked there first");
}

enum fr_status wallet_since(struct store_txn *txn, const char *player, const struct address *address, int64_t *since_ms, struct fr_err *err)
{
    int64_t number, owner, since;
    FR_TRY(player_number(player, &number, err));
    FR_TRY(owner_of(txn, address, &owner, &since, err));
    *since_ms = owner == number ? since : 0;
    return FR_OK;
}

enum fr_status wallet_list(struct store_txn *txn, const char *player, struct wallet out[WALLETS_PER_PLAYER_MAX], int *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int64_t number = 0;
    int n = 0;
    FR_TRY(player_number(player, &number, err));
    FR_TRY(sql_begin(txn, "SELECT address, linked_ms FROM wallet_link WHERE player = ?1 AND unlinked_ms = 0 ORDER BY linked_ms, address", &row, err));
    sql_bind_int(row, 1, number);
    for (bool found = true; n < WALLETS_PER_PLAYER_MAX; n++) {
        size_t len = 0;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        out[n] = (struct wallet){ .linked_ms = sql_int(row, 1) };
        player_id_print(number, out[n].player);
        const void *bytes = sql_bytes(row, 0, &len);
        if (len != ADDRESS_BYTES) return FR_FAIL(err, FR_E_CORRUPT, "a stored address of %zu bytes", len);
        memcpy(out[n].address.bytes, bytes, ADDRESS_BYTES);
    }
    *count = n;
    return FR_OK;
}

enum fr_status wallet_unlink(struct store_txn *txn, const char *player, const struct address *address, int64_t now_ms, struct fr_err *err)
{
    struct store_row *row = NULL;
    int64_t number = 0, changed = 0;
    FR_TRY(player_number(player, &number, err));
    FR_TRY(sql_begin(txn, "UPDATE wallet_link SET unlinked_ms = ?3 WHERE player = ?1 AND address = ?2 AND unlinked_ms = 0", &row, err));
    sql_bind_int(row, 1, number);
    sql_bind_bytes(row, 2, address->bytes, ADDRESS_BYTES);
    sql_bind_int(row, 3, now_ms);
    FR_TRY(sql_do(row, &changed, err));
    return changed ? FR_OK : FR_FAIL_CODE(err, FR_E_NOT_FOUND, "wallet_unknown", "this wallet is not linked to you");
}

// ---- messages

struct ask { int64_t player, session; struct address address; char nonce[NONCE_BYTES]; int64_t issued_ms, expires_ms; };

static enum fr_status message_print(const struct ask *a, const struct wallet_page *page, struct siwe *s, char resource[48], struct fr_buf *out, struct fr_err *err)
{
    snprintf(resource, 48, "urn:frond:player:%lld", (long long)a->player);
    *s = (struct siwe){ .domain = page->domain, .address = a->address, .statement = STATEMENT, .uri = page->uri, .chain_id = page->chain_id, .nonce = a->nonce, .issued_ms = a->issued_ms, .expires_ms = a->expires_ms, .resource = resource };
    return siwe_print(s, out, err);
}

static void nonce_new(char out[NONCE_BYTES])         // 16 characters of 5 bits: no look-alikes
{
    static const char digits[] = "abcdefghijkmnpqrstuvwxyz23456789";
    uint8_t random[NONCE_BYTES - 1];
    fr_random_bytes(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) out[i] = digits[random[i] & 31];
    out[NONCE_BYTES - 1] = 0;
}

// The oldest make room: a page that asks again and again disturbs only itself.
static enum fr_status make_room(struct store_txn *txn, int64_t player, int64_t now_ms, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "DELETE FROM wallet_nonce WHERE player = ?1 AND (expires_ms <= ?2 OR nonce IN (SELECT nonce FROM wallet_nonce WHERE player = ?1 ORDER BY issued_ms DESC, nonce LIMIT -1 OFFSET ?3))", &row, err));
    sql_bind_int(row, 1, player);
    sql_bind_int(row, 2, now_ms);
    sql_bind_int(row, 3, WALLET_NONCES_PER_PLAYER_MAX - 1);
    return sql_do(row, NULL, err);
}

static enum fr_status nonce_insert(struct store_txn *txn, const struct ask *a, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO wallet_nonce (nonce, player, session, address, issued_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &row, err));
    sql_bind_text(row, 1, a->nonce);
    sql_bind_int(row, 2, a->player);
    sql_bind_int(row, 3, a->session);
    sql_bind_bytes(row, 4, a->address.bytes, ADDRESS_BYTES);
    sql_bind_int(row, 5, a->issued_ms);
    sql_bind_int(row, 6, a->expires_ms);
    return sql_do(row, NULL, err);
}

enum fr_status wallet_message(struct store_txn *txn, const char *player, int64_t session, const char *address, const struct wallet_page *page, int64_t now_ms, struct fr_buf *out, int64_t *expires_ms, struct fr_err *err)
{
    struct ask a = { .session = session, .issued_ms = now_ms / 1000 * 1000, .expires_ms = now_ms / 1000 * 1000 + WALLET_NONCE_MS };       // a message has whole seconds
    struct siwe s;
    struct fr_err why;
    char resource[48];
    int64_t owner, since;
    FR_TRY(player_number(player, &a.player, err));
    if (address_parse(address, &a.address, &why) != FR_OK || address_is_zero(&a.address)) return FR_FAIL_CODE(err, FR_E_INVALID, "address_invalid", "address: this is no wallet's");
    FR_TRY(owner_of(txn, &a.address, &owner, &since, err));
    if (owner && owner != a.player) return taken(err);
    nonce_new(a.nonce);
    FR_TRY(make_room(txn, a.player, now_ms, err));
    FR_TRY(nonce_insert(txn, &a, err));
    FR_TRY(message_print(&a, page, &s, resource, out, err));
    *expires_ms = a.expires_ms;
    return FR_OK;
}

// The one thing that is read out of a message: which of our nonces it claims. What else it says is compared, not read.
static bool nonce_of(const char *message, size_t len, char nonce[NONCE_BYTES])
{
    static const char label[] = "\nNonce: ";
    const char *at = memmem(message, len, label, sizeof label - 1);
    if (!at || (size_t)(message + len - at) < sizeof label - 1 + NONCE_BYTES) return false;
    memcpy(nonce, at + sizeof label - 1, NONCE_BYTES - 1);
    nonce[NONCE_BYTES - 1] = 0;
    return at[sizeof label - 1 + NONCE_BYTES - 1] == '\n' && strlen(nonce) == NONCE_BYTES - 1;
}

static enum fr_status nonce_take(struct store_txn *txn, struct ask *a, const char *nonce, struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct store_row *drop = NULL;
    bool found = false;
    size_t len = 0;
    FR_TRY(sql_begin(txn, "SELECT address, issued_ms, expires_ms FROM wallet_nonce WHERE nonce = ?1 AND player = ?2 AND session = ?3", &row, err));
    sql_bind_text(row, 1, nonce);
    sql_bind_int(row, 2, a->player);
    sql_bind_int(row, 3, a->session);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_DENIED, "nonce_unknown", "this message was used already, or was not made for this session: ask for a new one");
    const void *bytes = sql_bytes(row, 0, &len);
    if (len != ADDRESS_BYTES) return FR_FAIL(err, FR_E_CORRUPT, "a stored address of %zu bytes", len);
    memcpy(a->address.bytes, bytes, ADDRESS_BYTES);
    a->issued_ms = sql_int(row, 1);
    a->expires_ms = sql_int(row, 2);
    snprintf(a->nonce, sizeof a->nonce, "%s", nonce);
    sql_end(FR_TAKE(row));
    FR_TRY(sql_begin(txn, "DELETE FROM wallet_nonce WHERE nonce = ?1", &drop, err));
    sql_bind_text(drop, 1, nonce);
    return sql_do(drop, NULL, err);
}

static enum fr_status signature_of(const char *text, uint8_t out[SIGNATURE_BYTES], struct fr_err *err)
{
    size_t len = strlen(text);
    if (len < 2 || strncmp(text, "0x", 2) != 0 || len % 2 || strspn(text + 2, "0123456789abcdefABCDEF") != len - 2) return FR_FAIL_CODE(err, FR_E_INVALID, "signature_invalid", "signature: expected 0x and hex digits");
    if (len != 2 + 2 * SIGNATURE_BYTES) return FR_FAIL_CODE(err, FR_E_INVALID, "wallet_contract", "the signature has %zu bytes, not %d: wallets that are contracts (EIP-1271) are not taken", len / 2 - 1, SIGNATURE_BYTES);
    return fr_unhex(text + 2, len - 2, out, SIGNATURE_BYTES) ? FR_OK : FR_FAIL_CODE(err, FR_E_INVALID, "signature_invalid", "signature: expected hex digits");
}

static enum fr_status link_insert(struct store_txn *txn, const struct ask *a, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(count);
    struct store_row *row = NULL;
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM wallet_link WHERE player = ?1 AND unlinked_ms = 0", &count, err));
    sql_bind_int(count, 1, a->player);
    FR_TRY(sql_step(count, &found, err));
    if (sql_int(count, 0) >= WALLETS_PER_PLAYER_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "wallets", "a player may link %d wallets", WALLETS_PER_PLAYER_MAX);
    FR_TRY(sql_begin(txn, "INSERT INTO wallet_link (player, address, linked_ms) VALUES (?1, ?2, ?3)", &row, err));
    sql_bind_int(row, 1, a->player);
    sql_bind_bytes(row, 2, a->address.bytes, ADDRESS_BYTES);
    sql_bind_int(row, 3, now_ms);
    return sql_do(row, NULL, err);
}

static enum fr_status link_proven(struct store_txn *txn, const struct ask *a, const char *message, size_t len, const char *signature, const struct wallet_page *page, int64_t now_ms, struct wallet *ret, struct fr_err *err)
{
    FR_AUTO_BUF(wanted);
    struct siwe s;
    char resource[48];
    uint8_t sig[SIGNATURE_BYTES];
    int64_t owner, since;
    fr_buf_init(&wanted, SIWE_BYTES_MAX);
    FR_TRY(signature_of(signature, sig, err));
    FR_TRY(message_print(a, page, &s, resource, &wanted, err));
    if (wanted.len != len || memcmp(wanted.data, message, len) != 0) return FR_FAIL_CODE(err, FR_E_DENIED, "message_changed", "the message is not the one that was made for this wallet");
    FR_TRY(siwe_check(&s, sig, now_ms, err));
    FR_TRY(owner_of(txn, &a->address, &owner, &since, err));
    if (owner && owner != a->player) return taken(err);
    if (!owner) FR_TRY(link_insert(txn, a, now_ms, err));
    *ret = (struct wallet){ .address = a->address, .linked_ms = owner ? since : now_ms };
    player_id_print(a->player, ret->player);
    return FR_OK;
}

static bool is_ours_to_tell(enum fr_status st)        // a refusal, not a failure of the store
{
    return st == FR_E_INVALID || st == FR_E_AUTH || st == FR_E_DENIED || st == FR_E_NOT_FOUND || st == FR_E_CONFLICT || st == FR_E_LIMIT;
}

enum fr_status wallet_link_outcome(struct store_txn *txn, const char *player, int64_t session, const char *message, size_t len, const char *signature, const struct wallet_page *page, int64_t now_ms, struct wallet *ret,
                                   enum fr_status *outcome, struct fr_err *why, struct fr_err *err)
{
    struct ask a = { .session = session };
    char nonce[NONCE_BYTES];
    FR_TRY(player_number(player, &a.player, err));
    if (len > SIWE_BYTES_MAX || !nonce_of(message, len, nonce)) return FR_FAIL_CODE(err, FR_E_DENIED, "nonce_unknown", "the message has no nonce of ours");
    FR_TRY(nonce_take(txn, &a, nonce, err));
    *outcome = link_proven(txn, &a, message, len, signature, page, now_ms, ret, why);
    if (*outcome == FR_OK || is_ours_to_tell(*outcome)) return FR_OK;
    *err = *why;
    return *outcome;
}

enum fr_status wallet_link(struct store_txn *txn, const char *player, int64_t session, const char *message, size_t len, const char *signature, const struct wallet_page *page, int64_t now_ms, struct wallet *ret, struct fr_err *err)
{
    enum fr_status outcome = FR_OK;
    struct fr_err why;
    FR_TRY(wallet_link_outcome(txn, player, session, message, len, signature, page, now_ms, ret, &outcome, &why, err));
    if (outcome != FR_OK && err) *err = why;
    return outcome;
}
