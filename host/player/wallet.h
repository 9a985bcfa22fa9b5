// wallet.h — EVM wallets that players have proven to be theirs, by Sign-In with Ethereum (ERC-4361). Runs inside a store job.
//
// The Mini App cannot talk to such a wallet: its page shows a link with a one-time code, which opens a short session of scope "wallet" in another browser. There the
// host writes a message for one address, the wallet signs it, and wallet_link rebuilds the whole message from what was kept and compares it byte for byte: domain,
// page, chain, address, times, nonce and player are what we wrote, or it is refused. A nonce is of one player and one session, lives WALLET_NONCE_MS and is used once,
// whether or not the signature was good. An address belongs to one player at a time. Signatures with the higher s are refused (chain/signature.h); those of
// contracts (EIP-1271) are not taken: "wallet_contract".
#pragma once
#include "base/buf.h"
#include "chain/siwe.h"
#include "player/identity.h"

#define WALLET_CODE_BYTES 28               // 20 random bytes as base64url
#define WALLET_PAGE_BYTES 300
struct wallet_page {                       // where the message is shown; the wallet compares it with its address bar
    char domain[128];                      // host, with a port where it needs one
    char uri[WALLET_PAGE_BYTES];           // of the page
    uint64_t chain_id;
};
struct wallet { char player[PLAYER_ID_BYTES]; struct address address; int64_t linked_ms; };

// A new code; the one before of this player is void. Only its hash is kept.
FR_MUST_USE enum fr_status wallet_code_new(struct store_txn *txn, const char *player, int64_t now_ms, char code[WALLET_CODE_BYTES], int64_t *expires_ms, struct fr_err *err);
// Uses it up. FR_E_AUTH "code_unknown" (also: used), "code_expired".
FR_MUST_USE enum fr_status wallet_code_use(struct store_txn *txn, const char *code, int64_t now_ms, char player[PLAYER_ID_BYTES], struct fr_err *err);
// The message for this address to sign. FR_E_INVALID "address_invalid"; FR_E_CONFLICT "wallet_taken".
FR_MUST_USE enum fr_status wallet_message(struct store_txn *txn, const char *player, int64_t session, const char *address, const struct wallet_page *page, int64_t now_ms, struct fr_buf *out,
                                          int64_t *expires_ms, struct fr_err *err);
// signature: 0x and 130 hex digits. The same wallet again is found. FR_E_DENIED "nonce_unknown" (of nobody, of another session, used), "message_changed", "siwe_...";
// FR_E_INVALID "signature_invalid", "wallet_contract"; FR_E_CONFLICT "wallet_taken" (another player's), FR_E_LIMIT "wallets".
// A refusal after the nonce was found uses it up: call it in a job that commits all the same (wallet_link_outcome below says how).
FR_MUST_USE enum fr_status wallet_link(struct store_txn *txn, const char *player, int64_t session, const char *message, size_t len, const char *signature, const struct wallet_page *page, int64_t now_ms,
                                       struct wallet *ret, struct fr_err *err);
// The same, but what is refused is told in *outcome and the job goes on: the nonce is gone, whatever came of it.
FR_MUST_USE enum fr_status wallet_link_outcome(struct store_txn *txn, const char *player, int64_t session, const char *message, size_t len, const char *signature, const struct wallet_page *page, int64_t now_ms,
                                               struct wallet *ret, enum fr_status *outcome, struct fr_err *why, struct fr_err *err);
FR_MUST_USE enum fr_status wallet_list(struct store_txn *txn, const char *player, struct wallet out[WALLETS_PER_PLAYER_MAX], int *count, struct fr_err *err);
// Since when this player has it; 0: it is not theirs.
FR_MUST_USE enum fr_status wallet_since(struct store_txn *txn, const char *player, const struct address *address, int64_t *since_ms, struct fr_err *err);
FR_MUST_USE enum fr_status wallet_unlink(struct store_txn *txn, const char *player, const struct address *address, int64_t now_ms, struct fr_err *err);      // FR_E_NOT_FOUND "wallet_unknown"
