// wallet_test.c — codes and nonces are used once, a message is what we wrote or nothing, an address is one player's.
#include "player/wallet.h"
#include "base/check.h"
#include "base/hex.h"
#include "player/test.h"

#define NOW 1767225600500LL
static const struct wallet_page page = { "frond.example:8443", "https://frond.example:8443/wallet/", 31337 };
static uint8_t secret[32] = { [31] = 7 };

static const char *mine(void)
{
    static char text[ADDRESS_TEXT_BYTES];
    struct address a;
    CHECK(secret_key_address(secret, &a, NULL) == FR_OK);
    return address_text(&a, text);
}

static const char *sign(const struct fr_buf *message, bool high)
{
    static char text[3 + 2 * SIGNATURE_BYTES];
    static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41 };
    uint8_t hash[32], bytes[SIGNATURE_BYTES];
    struct signature sig;
    struct u256 twin;
    personal_message_hash(message->data, message->len, hash);
    CHECK(signature_make(secret, hash, &sig, NULL) == FR_OK);
    if (high) {
        CHECK(u256_sub(u256_from_bytes(order), u256_from_bytes(sig.s), &twin));
        u256_to_bytes(twin, sig.s);
        sig.y_parity ^= 1;
    }
    signature_print(&sig, bytes);
    text[0] = '0', text[1] = 'x';
    fr_hex(bytes, sizeof bytes, text + 2);
    return text;
}

static void message(struct store_txn *txn, const char *player, int64_t session, struct fr_buf *out)
{
    int64_t expires_ms;
    fr_buf_init(out, SIWE_BYTES_MAX);
    OK(wallet_message(txn, player, session, mine(), &page, NOW, out, &expires_ms, err));
    CHECK_INT(expires_ms, NOW / 1000 * 1000 + WALLET_NONCE_MS);
}
#define LINK(player, session, m, signature, now) wallet_link(txn, (player), (session), (m)->data, (m)->len, (signature), &page, (now), &w, err)

TXN_TEST(test_a_wallet_is_linked_and_given_up)
{
    FR_AUTO_BUF(m);
    struct wallet w, list[WALLETS_PER_PLAYER_MAX];
    int count;
    int64_t since;
    const char *ann = test_player(txn, 1);
    message(txn, ann, 5, &m);
    CHECK(strstr(m.data, "frond.example:8443 wants you to sign in") == m.data && strstr(m.data, "urn:frond:player:") && strstr(m.data, mine()));
    OK(LINK(ann, 5, &m, sign(&m, false), NOW + 1000));
    CHECK_TEXT(w.player, ann);
    OK(wallet_list(txn, ann, list, &count, err));
    CHECK(count == 1 && address_equal(&list[0].address, &w.address) && list[0].linked_ms == NOW + 1000);
    OK(wallet_since(txn, ann, &w.address, &since, err));
    CHECK_INT(since, NOW + 1000);
    FR_AUTO_BUF(again);
    message(txn, ann, 5, &again);
    OK(LINK(ann, 5, &again, sign(&again, false), NOW + 2000));
    CHECK_INT(w.linked_ms, NOW + 1000);                    // the same one is found
    OK(wallet_unlink(txn, ann, &w.address, NOW + 3000, err));
    FAILS(wallet_unlink(txn, ann, &w.address, NOW + 3000, err), FR_E_NOT_FOUND, "wallet_unknown");
    OK(wallet_since(txn, ann, &w.address, &since, err));
    CHECK_INT(since, 0);
}

TXN_TEST(test_a_nonce_is_used_once_by_its_own_session)
{
    FR_AUTO_BUF(m);
    struct wallet w;
    const char *ann = test_player(txn, 1), *ben = test_player(txn, 2);
    message(txn, ann, 5, &m);
    FAILS(LINK(ben, 5, &m, sign(&m, false), NOW), FR_E_DENIED, "nonce_unknown");
    FAILS(LINK(ann, 6, &m, sign(&m, false), NOW), FR_E_DENIED, "nonce_unknown");
    OK(LINK(ann, 5, &m, sign(&m, false), NOW));
    FAILS(LINK(ann, 5, &m, sign(&m, false), NOW), FR_E_DENIED, "nonce_unknown");
    FR_AUTO_BUF(late);
    message(txn, ann, 5, &late);
    FAILS(LINK(ann, 5, &late, sign(&late, false), NOW + WALLET_NONCE_MS), FR_E_DENIED, "siwe_expired");
    FAILS(wallet_link(txn, ann, 5, "Nonce: ", 7, "0x", &page, NOW, &w, err), FR_E_DENIED, "nonce_unknown");
    FR_AUTO_BUF(first);
    int64_t expires_ms;
    fr_buf_init(&first, SIWE_BYTES_MAX);
    OK(wallet_message(txn, ann, 5, mine(), &page, NOW - 5000, &first, &expires_ms, err));
    for (int i = 0; i < WALLET_NONCES_PER_PLAYER_MAX; i++) {
        FR_AUTO_BUF(more);
        message(txn, ann, 5, &more);
    }
    FAILS(LINK(ann, 5, &first, sign(&first, false), NOW), FR_E_DENIED, "nonce_unknown");      // the oldest made room
}

TXN_TEST(test_a_refusal_uses_the_nonce_up)
{
    FR_AUTO_BUF(m);
    struct wallet w;
    struct fr_err why;
    enum fr_status outcome = FR_OK;
    const char *ann = test_player(txn, 1);
    message(txn, ann, 5, &m);
    OK(wallet_link_outcome(txn, ann, 5, m.data, m.len, sign(&m, true), &page, NOW, &w, &outcome, &why, err));
    CHECK_INT(outcome, FR_E_INVALID);
    CHECK_TEXT(why.code, "signature_invalid");             // the higher s
    FAILS(LINK(ann, 5, &m, sign(&m, false), NOW), FR_E_DENIED, "nonce_unknown");
}

TXN_TEST(test_everything_but_our_own_message_is_refused)
{
    struct wallet w;
    const char *ann = test_player(txn, 1);
    static const struct { const char *from, *to; } changes[] = { { "frond.example", "evil1.example" }, { "Chain ID: 31337", "Chain ID: 1" }, { "urn:frond:player:", "urn:frond:player:9" }, { "moves nothing", "moves a lot!!" }, { "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z" }, { "0x", "0X" } };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        FR_AUTO_BUF(m);
        FR_AUTO_BUF(other);
        message(txn, ann, 5, &m);
        fr_buf_init(&other, SIWE_BYTES_MAX);
        const char *at = strstr(m.data, changes[i].from);
        CHECK(at != NULL);
        fr_buf_add_bytes(&other, m.data, (size_t)(at - m.data));
        fr_buf_add(&other, changes[i].to);
        fr_buf_add(&other, at + strlen(changes[i].from));
        FAILS(LINK(ann, 5, &other, sign(&other, false), NOW), FR_E_DENIED, "message_changed");
    }
    static const struct { const char *signature, *code; } bad[] = { { "", "signature_invalid" }, { "0x", "wallet_contract" }, { "0x00", "wallet_contract" }, { "0xzz", "signature_invalid" }, { "hello", "signature_invalid" }, { "0x123", "signature_invalid" } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        FR_AUTO_BUF(m);
        message(txn, ann, 5, &m);
        FAILS(LINK(ann, 5, &m, bad[i].signature, NOW), FR_E_INVALID, bad[i].code);
    }
    FR_AUTO_BUF(m);
    message(txn, ann, 5, &m);
    secret[0]++;
    const char *strangers = sign(&m, false);
    secret[0]--;
    FAILS(LINK(ann, 5, &m, strangers, NOW), FR_E_DENIED, "siwe_wrong_wallet");
    FR_AUTO_BUF(elsewhere);
    struct wallet_page other = page;
    other.chain_id = 1;
    message(txn, ann, 5, &elsewhere);
    FAILS(wallet_link(txn, ann, 5, elsewhere.data, elsewhere.len, sign(&elsewhere, false), &other, NOW, &w, err), FR_E_DENIED, "message_changed");       // made for another chain
}

TXN_TEST(test_an_address_is_one_players)
{
    FR_AUTO_BUF(m);
    FR_AUTO_BUF(out);
    FR_AUTO_BUF(early);
    struct wallet w;
    int64_t expires_ms;
    const char *ann = test_player(txn, 1), *ben = test_player(txn, 2);
    message(txn, ben, 6, &early);                          // made before Ann linked it
    message(txn, ann, 5, &m);
    OK(LINK(ann, 5, &m, sign(&m, false), NOW));
    fr_buf_init(&out, SIWE_BYTES_MAX);
    FAILS(wallet_message(txn, ben, 6, mine(), &page, NOW, &out, &expires_ms, err), FR_E_CONFLICT, "wallet_taken");
    FAILS(LINK(ben, 6, &early, sign(&early, false), NOW), FR_E_CONFLICT, "wallet_taken");
    OK(wallet_unlink(txn, ann, &w.address, NOW, err));
    OK(wallet_message(txn, ben, 6, mine(), &page, NOW, &out, &expires_ms, err));
    OK(LINK(ben, 6, &out, sign(&out, false), NOW));
    FAILS(wallet_message(txn, ann, 5, "0x12", &page, NOW, &out, &expires_ms, err), FR_E_INVALID, "address_invalid");
    FAILS(wallet_message(txn, ann, 5, "0x0000000000000000000000000000000000000000", &page, NOW, &out, &expires_ms, err), FR_E_INVALID, "address_invalid");
}

TXN_TEST(test_so_many_wallets_and_no_more)
{
    struct wallet w;
    const char *ann = test_player(txn, 1);
    for (int i = 0; i <= WALLETS_PER_PLAYER_MAX; i++) {
        FR_AUTO_BUF(m);
        secret[30] = (uint8_t)i;
        message(txn, ann, 5, &m);
        if (i < WALLETS_PER_PLAYER_MAX) OK(LINK(ann, 5, &m, sign(&m, false), NOW));
        else FAILS(LINK(ann, 5, &m, sign(&m, false), NOW), FR_E_LIMIT, "wallets");
    }
    secret[30] = 0;
}

TXN_TEST(test_a_code_is_used_once)
{
    char code[WALLET_CODE_BYTES], other[WALLET_CODE_BYTES], player[PLAYER_ID_BYTES];
    int64_t expires_ms;
    const char *ann = test_player(txn, 1);
    OK(wallet_code_new(txn, ann, NOW, code, &expires_ms, err));
    CHECK(strlen(code) == WALLET_CODE_BYTES - 1 && expires_ms == NOW + WALLET_CODE_MS);
    OK(wallet_code_new(txn, ann, NOW, other, &expires_ms, err));
    FAILS(wallet_code_use(txn, code, NOW, player, err), FR_E_AUTH, "code_unknown");              // the newer one counts
    OK(wallet_code_use(txn, other, NOW, player, err));
    CHECK_TEXT(player, ann);
    FAILS(wallet_code_use(txn, other, NOW, player, err), FR_E_AUTH, "code_unknown");
    OK(wallet_code_new(txn, ann, NOW, code, &expires_ms, err));
    FAILS(wallet_code_use(txn, code, NOW + WALLET_CODE_MS, player, err), FR_E_AUTH, "code_expired");
    FAILS(wallet_code_use(txn, "", NOW, player, err), FR_E_AUTH, "code_unknown");
}

int main(void)
{
    test_begin();
    TEST(test_a_wallet_is_linked_and_given_up);
    TEST(test_a_nonce_is_used_once_by_its_own_session);
    TEST(test_a_refusal_uses_the_nonce_up);
    TEST(test_everything_but_our_own_message_is_refused);
    TEST(test_an_address_is_one_players);
    TEST(test_so_many_wallets_and_no_more);
    TEST(test_a_code_is_used_once);
    return test_end(TEST_END());
}
